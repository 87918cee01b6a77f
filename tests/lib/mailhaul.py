# SPDX-License-Identifier: MIT
"""Runs mailhaul from outside, as a user would, and looks at what it left behind.

    world = World(directory)                      a home of its own: configuration, state, mail
    world.write_config(account("a", host=..., port=..., maildir=world.mail))
    result = world.run("fetch", "a")              Result: code, out, err, seconds, rss (KiB)
    mails = read_maildir(world.mail)              Mail: folder, place (new, cur, tmp), name, flags, data, mtime

The program is named by the environment: MAILHAUL (usually built with sanitizers), MAILHAUL_PLAIN (developer build
without them, for the crash hooks and for memory figures), MAILHAUL_RELEASE (what users get). Without them the build in
the source tree is taken.
"""
import collections
import contextlib
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
Result = collections.namedtuple("Result", "code out err seconds rss args")
Mail = collections.namedtuple("Mail", "folder place name flags data mtime path")
SANITIZER = re.compile(rb"ERROR: (Address|Leak|Undefined\w*|Thread)Sanitizer|runtime error: |WARNING: ThreadSanitizer")
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def program(kind="MAILHAUL"):
    """The path of the program to run, or None. kind is the name of the environment variable."""
    order = {"MAILHAUL": ["MAILHAUL", "MAILHAUL_PLAIN", "MAILHAUL_RELEASE"],
             "MAILHAUL_PLAIN": ["MAILHAUL_PLAIN"],
             "MAILHAUL_RELEASE": ["MAILHAUL_RELEASE"]}[kind]
    for name in order:
        if os.environ.get(name):
            return os.path.abspath(os.environ[name])
    if kind == "MAILHAUL":
        for place in ("mailhaul", "build/mailhaul"):
            if os.access(os.path.join(ROOT, place), os.X_OK):
                return os.path.join(ROOT, place)
    return None


def quote(value):
    """A value as libconfuse reads it. In single quotes only backslash and quote are escapes."""
    if isinstance(value, bool):
        return '"%s"' % ("yes" if value else "no")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{ %s }" % ", ".join(quote(v) for v in value)
    return "'%s'" % value.replace("\\", "\\\\").replace("'", "\\'")


def account(name, maildir=None, deliver="", **keys):
    """The text of one account section with a Maildir destination. deliver: more lines of that destination."""
    lines = ["    %s = %s" % (key, quote(value)) for key, value in keys.items() if value is not None]
    if maildir is not None:
        lines.append("    deliver maildir { path = %s %s }" % (quote(maildir), deliver))
    return "account %s {\n%s\n}\n" % (quote(name), "\n".join(lines))


class World:
    """One user's home in a directory: ~/.config, ~/.local/state and ~/Mail, nothing shared with anyone."""

    def __init__(self, directory=None, kind="MAILHAUL"):
        self.dir = directory or tempfile.mkdtemp(prefix="mh-world-")
        self.kind = kind
        self.home = os.path.join(self.dir, "home")
        self.state = os.path.join(self.home, "state")
        self.mail = os.path.join(self.home, "Mail")
        self.config = os.path.join(self.home, "config", "mailhaul", "mailhaul.conf")
        os.makedirs(os.path.dirname(self.config), exist_ok=True)
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.home, "LC_ALL": "C.UTF-8",
                    "XDG_CONFIG_HOME": os.path.join(self.home, "config"), "XDG_STATE_HOME": self.state,
                    "XDG_RUNTIME_DIR": self.home, "TZ": "UTC",
                    "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:allocator_may_return_null=1",
                    "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99",
                    "TSAN_OPTIONS": "exitcode=99:suppressions=%s/tests/tsan.supp" % ROOT}

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def write_config(self, text, path=None, mode=0o600):
        path = path or self.config
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
        return path

    def start(self, *args, env=None, wrap=(), **popen):
        """wrap: a command that runs it in its own place (nsenter ...)."""
        path = program(self.kind)
        if path is None:
            raise RuntimeError("no program to test: set %s" % self.kind)
        return subprocess.Popen([*wrap, path, *args], env=dict(self.env, **(env or {})), cwd=self.home,
                                stdin=subprocess.DEVNULL, **popen)

    def run(self, *args, timeout=60, env=None, check=None, wrap=()):
        """Runs to the end. check: the exit code it must have. wrap: a command to run it under (strace ...)."""
        path = program(self.kind)
        if path is None:
            raise RuntimeError("no program to test: set %s" % self.kind)
        peak = os.path.join(self.dir, "peak")
        environment = dict(self.env, **(env or {}))
        command = [path, *args]
        if "LD_PRELOAD" in environment:  # for the program alone, not for what it is run by
            command = ["env", "LD_PRELOAD=" + environment.pop("LD_PRELOAD"), *command]
        begin = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = subprocess.Popen([helper("peak"), peak, *wrap, *command], env=environment, cwd=self.home,
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            late, self.child = False, child
            try:
                child.wait(timeout)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
                late = True
            seconds = time.monotonic() - begin
            out.seek(0), err.seek(0)
            rss = 0
            with contextlib.suppress(OSError, ValueError), open(peak) as f:
                rss = int(f.read().split()[0])
            result = Result(child.returncode, out.read(), err.read(), seconds, rss, args)
        text = result.err.decode("utf-8", "replace")
        assert not late, "mailhaul %s was still running after %d s:\n%s" % (" ".join(args), timeout, text[-4000:])
        assert not SANITIZER.search(result.err), "sanitizer report:\n" + text[-8000:]
        if check is not None:
            assert result.code == check, "mailhaul %s: exit %d, not %d\n%s%s" % (
                " ".join(args), result.code, check, text[-4000:], result.out.decode("utf-8", "replace")[-1000:])
        return result

    def interrupt(self, number=signal.SIGTERM):
        """A signal to the program that run() is waiting for, from another thread."""
        with open("/proc/%d/task/%d/children" % (self.child.pid, self.child.pid)) as f:
            os.kill(int(f.read().split()[0]), number)

    def run_pty(self, *args, timeout=60, env=None):
        """Runs with a terminal as standard error. Returns (exit code, bytes seen on it)."""
        leader, follower = pty.openpty()
        child = self.start(*args, env=dict(env or {}, TERM="xterm", COLUMNS="100"), stdout=subprocess.PIPE,
                           stderr=follower)
        os.close(follower)
        seen, end = b"", time.monotonic() + timeout
        while time.monotonic() < end:
            if not select.select([leader], [], [], 0.2)[0] and child.poll() is not None:
                break
            with contextlib.suppress(OSError):
                part = os.read(leader, 65536)
                seen += part
                continue
            break
        os.close(leader)
        try:
            child.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            raise AssertionError("still running after %d s: %r" % (timeout, seen[-1000:]))
        finally:
            child.stdout.close()
        return child.returncode, seen

    def journals(self):
        return sorted(p for p in glob.glob(self.state + "/**/*", recursive=True)
                      if os.path.isfile(p) and open(p, "rb").read(15) == b"SQLite format 3")

    def journal_dump(self):
        """All that the journals say, as SQL, for comparing; opened read-only."""
        lines = []
        for path in self.journals():
            with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as db:
                lines += db.iterdump()
        return lines


def folders_of(root):
    """Every directory below root that is a Maildir, as paths relative to root; "" is root itself."""
    found = []
    for base, dirs, _ in os.walk(root):
        if {"new", "cur", "tmp"} <= set(dirs):
            found.append(os.path.relpath(base, root) if base != root else "")
        dirs[:] = [d for d in dirs if d not in ("new", "cur", "tmp")]
    return sorted(found)


def read_maildir(root, data=True):
    """All messages of a Maildir and its folders in either layout."""
    mails = []
    for folder in folders_of(root):
        for place in ("new", "cur", "tmp"):
            directory = os.path.join(root, folder, place)
            for name in sorted(os.listdir(directory)):
                path = os.path.join(directory, name)
                flags = name.split(":2,", 1)[1] if ":2," in name else ""
                content = None
                if data:
                    with open(path, "rb") as f:
                        content = f.read()
                mails.append(Mail(folder, place, name, flags, content, os.stat(path).st_mtime, path))
    return mails


def local(data):
    """A message as the server holds it -> as the Maildir must hold it."""
    return data.replace(b"\r\n", b"\n")


def unsafe_output(data):
    """The first thing in the program's output that could command a terminal, or None."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return "not UTF-8: %s" % error
    found = UNSAFE.search(text)
    return "control character %r" % found.group() if found else None


def helper(name):
    """The path of a helper written in C (delayproxy, faults, clock, peak), compiled on first use."""
    source = os.path.join(ROOT, "tests", "lib", name + ".c")
    directory = os.path.join(tempfile.gettempdir(), "mh-helpers-%d" % os.getuid())
    os.makedirs(directory, mode=0o700, exist_ok=True)
    target = os.path.join(directory, "%s-%d" % (name, os.stat(source).st_mtime_ns))
    if not os.path.exists(target):
        options = ["-fPIC", "-shared"] if name in ("faults", "clock") else ["-pthread"]
        fresh = tempfile.mktemp(dir=directory)  # our own directory; several may be at it
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-o", fresh, source, *options, "-ldl"], check=True)
        os.rename(fresh, target)
    return target


class DelayProxy:
    """Puts a round trip of so many milliseconds before local ports.

    with DelayProxy(40, d.ports["imaps"]) as proxy:
        proxy.ports[d.ports["imaps"]]     the port that is far away
        proxy.stop()                      -> [{"round_trips": n, "up": bytes, "down": bytes}, ...], a connection each
    """

    def __init__(self, round_trip_ms, *ports):
        self.arguments = [helper("delayproxy"), str(round_trip_ms / 2), *map(str, ports)]

    def __enter__(self):
        self.child = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, text=True)
        self.ports = {}
        for line in iter(self.child.stdout.readline, "\n"):
            port, listens = line.split()
            self.ports[int(port)] = int(listens)
        return self

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            self.connections = json.loads(self.child.communicate()[0])["connections"]
        return self.connections

    def __exit__(self, *_):
        self.stop()
