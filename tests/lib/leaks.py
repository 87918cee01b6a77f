# SPDX-License-Identifier: MIT
"""Where a secret has got to, and should not have.

    secrets = Secrets()
    password = secrets.new("imap password")        a value of its own, a str; give it to server and configuration
    secrets.add("access token", token)             one that somebody else has made
    secrets.check(result.err, "standard error")    AssertionError that names secret and place
    secrets.check_files(world.home, but=[world.config])
    secrets.check_process(pid)                     its arguments, its environment, and those of its children

Found is a secret as it is, in base64 at any place (also behind "user NUL"), in hexadecimal, URL-encoded, and with its
first or last quarter missing.
"""
import base64
import os
import random
import string
import urllib.parse

LETTERS = string.ascii_letters + string.digits


def in_base64(value):
    """What is in the base64 of any text that holds the value, for each of the three ways it can lie in it."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value)
        begin = (before * 8 + 5) // 6
        end = (before + len(value)) * 8 // 6
        yield whole[begin:end]
        yield whole[begin:end].translate(bytes.maketrans(b"+/", b"-_"))


def forms_of(value):
    quarter = len(value) // 4
    yield value[quarter:]
    yield value[:-quarter]
    yield from in_base64(value)
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield urllib.parse.quote(value).encode()


class Secrets:
    def __init__(self):
        self.forms = {}

    def new(self, name, more=""):
        value = "".join(random.choice(LETTERS) for _ in range(20)) + more
        self.add(name, value)
        return value

    def add(self, name, value):
        value = value if isinstance(value, bytes) else value.encode()
        assert len(value) >= 12, "too short to be looked for"
        self.forms[name] = sorted(set(forms_of(value)))

    def in_bytes(self, data):
        """The names of those that are in it."""
        return [name for name, forms in self.forms.items() if any(form in data for form in forms)]

    def check(self, data, place):
        found = self.in_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))
        assert not found, "%s: holds the %s" % (place, ", the ".join(found))

    def check_files(self, root, but=()):
        """Every file below root, except those named, and directories named with all in them."""
        looked_at = 0
        for base, directories, files in os.walk(root):
            directories[:] = [d for d in directories if os.path.join(base, d) not in but]
            for name in files:
                path = os.path.join(base, name)
                self.check(path, "the name of a file")
                if path not in but and os.path.isfile(path):
                    with open(path, "rb") as f:
                        self.check(f.read(), path)
                    looked_at += 1
        assert looked_at, "no file below %s" % root

    def check_process(self, pid):
        for process in [pid, *children(pid)]:
            for what in ("cmdline", "environ"):
                self.check(read("/proc/%d/%s" % (process, what)), what)

    def in_memory(self, pid):
        """[(secret, where, bytes around it)] of what a core dump of the process would hold: pages that are kept out of it are not read."""
        found = []
        with open("/proc/%d/mem" % pid, "rb", 0) as memory:
            for begin, end, name in dumped(pid):
                try:
                    memory.seek(begin)
                    data = memory.read(end - begin)
                except (OSError, ValueError):
                    continue
                for secret in self.in_bytes(data):
                    at = min(data.find(form) for form in self.forms[secret] if form in data)
                    found.append((secret, name, data[max(0, at - 100):at + 100]))
        return found


def read(path):
    """b"" when the process, or what it shows, is gone."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def children(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        for child in read("/proc/%d/task/%s/children" % (pid, task)).split():
            found += [int(child), *children(int(child))]
    return found


def dumped(pid):
    """(begin, end, name) of each readable mapping that is not marked "do not dump"."""
    area, areas = None, []
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            words = line.split()
            if line.startswith("VmFlags:"):
                if area and "dd" not in words and "rd" in words:
                    areas.append(area)
            elif not words[0].endswith(":"):
                begin, end = (int(word, 16) for word in words[0].split("-"))
                area = (begin, end, words[5] if len(words) > 5 else "heap or stack")
    return [a for a in areas if a[2] not in ("[vvar]", "[vsyscall]")]
