# SPDX-License-Identifier: MIT
"""A running `mailhaul daemon`: what it says, what it costs, and how it leaves.

    with running(world) as daemon:              ends it with SIGTERM, and demands exit 0 in time and no sanitizer report
        daemon.wait_for("waiting for new mail")
        daemon.cost()                           Cost: threads, descriptors, PSS in KiB, seconds of CPU
    with Arrivals(maildir) as mail:             files as they come into new/, by inotify
        mail.next(timeout)                      the time.monotonic() of the next one

FULL says whether the long forms of the tests are wanted: MAILHAUL_SOAK=full.
"""
import collections
import contextlib
import ctypes
import os
import re
import select
import signal
import struct
import subprocess
import threading
import time

import mailhaul

FULL = os.environ.get("MAILHAUL_SOAK") == "full"
Cost = collections.namedtuple("Cost", "threads descriptors pss cpu")
IN_MOVED_TO, IN_CREATE = 0x80, 0x100


class Daemon:
    """mailhaul daemon, with what it says on standard error collected as it comes."""

    def __init__(self, world, *args, env=None, wrap=()):
        self.world, self.lines = world, []
        self.child = world.start("-v", "daemon", *args, env=env, wrap=wrap, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.child.stderr:
            with self.news:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.lines.append("(the end)")
            self.news.notify_all()

    def count(self, words):
        return sum(words in line for line in self.lines)

    def wait_for(self, words, count=1, timeout=30):
        """Until so many lines hold the words."""
        def there():
            return self.count(words) >= count or self.lines[-1:] == ["(the end)"]
        with self.news:
            self.news.wait_for(there, timeout)
            assert self.count(words) >= count, "%r not said:\n%s" % (words, self.text())

    def text(self):
        return "\n".join(self.lines)[-6000:]

    def cost(self):
        """PSS means something without sanitizers only."""
        process = "/proc/%d/" % self.child.pid
        with open(process + "smaps_rollup") as f:
            pss = int(re.search(r"^Pss: +(\d+) kB", f.read(), re.M).group(1))
        with open(process + "stat") as f:
            fields = f.read().rpartition(")")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return Cost(len(os.listdir(process + "task")), len(os.listdir(process + "fd")), pss, cpu)

    def stop(self, sent=signal.SIGTERM, most=5):
        begin = time.monotonic()
        self.child.send_signal(sent)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise AssertionError("the daemon does not leave:\n" + self.text())
        finally:
            self.reader.join()
        assert not mailhaul.SANITIZER.search("\n".join(self.lines).encode()), self.text()
        assert self.child.returncode == 0, "exit %d\n%s" % (self.child.returncode, self.text())
        assert time.monotonic() - begin < most, self.text()


@contextlib.contextmanager
def running(world, *args, **keys):
    daemon = Daemon(world, *args, **keys)
    try:
        yield daemon
        daemon.stop()
    finally:
        if daemon.child.poll() is None:
            daemon.child.kill()
            daemon.child.wait()
        daemon.reader.join()
        daemon.child.stderr.close()


def await_that(condition, daemon, timeout=30, every=0.01):
    """Waits until condition() holds; the seconds it took."""
    begin = time.monotonic()
    while not condition():
        assert daemon.child.poll() is None, daemon.text()
        assert time.monotonic() - begin < timeout, daemon.text()
        time.sleep(every)
    return time.monotonic() - begin


def delivered(root):
    """How many messages are there, while others are being written."""
    return sum(len(os.listdir(os.path.join(root, folder, place))) for folder in mailhaul.folders_of(root) for place in ("new", "cur"))


def arrives(root, count, daemon, timeout=30):
    """Waits for so many messages; the seconds it took."""
    return await_that(lambda: delivered(root) >= count, daemon, timeout)


class Arrivals:
    """Files that come into new/ of a Maildir, which is made here when it is not there yet."""

    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, root):
        self.directory = os.path.join(root, "new")

    def __enter__(self):
        for part in ("tmp", "cur", "new"):
            os.makedirs(os.path.join(os.path.dirname(self.directory), part), exist_ok=True)
        self.fd = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or self.libc.inotify_add_watch(self.fd, self.directory.encode(), IN_MOVED_TO | IN_CREATE) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self.seen = collections.deque()
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def next(self, daemon, timeout=30):
        """The time at which the next one was there."""
        if not self.seen:
            ready = select.select([self.fd], [], [], timeout)[0]
            now = time.monotonic()
            assert ready, "no file came into %s in %d s:\n%s" % (self.directory, timeout, daemon.text())
            data = os.read(self.fd, 65536)
            while data:
                length = struct.unpack_from("iIII", data)[3]
                self.seen.append(now)
                data = data[16 + length:]
        return self.seen.popleft()
