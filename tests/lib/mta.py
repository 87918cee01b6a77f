# SPDX-License-Identifier: MIT
"""Postfix on loopback, for what mail is handed on to: its test program smtp-sink, and the real thing in a directory of its own.

    with SmtpSink() as sink:                 SmtpSink(lmtp=True): the same by LMTP
        sink.port, sink.messages()           [Handed(sender, recipients, data)], line ends as LF, in no order
    with Postfix(["me", "you"]) as postfix:  takes mail for these at example.net, refuses all other
        postfix.port, postfix.messages("me") what it stored, its own three or four fields in front, LF

Nothing of a Postfix that the system may run is touched: other ports, other directories, ended by process id.
"""
import collections
import contextlib
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from dovecot import free_ports

Handed = collections.namedtuple("Handed", "sender recipients data")
DAEMONS = "/usr/lib/postfix/sbin"
FIELD = rb"(?:[^\n]*\n)(?:[ \t][^\n]*\n)*"
SINK_HEAD = re.compile(rb"(?:X-(?:Client|Helo|Mail|Rcpt)-[^\n]*\n)*Received:" + FIELD)


def sink_available():
    return shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None


def postfix_available():
    """The real one changes users, so it takes root."""
    return os.getuid() == 0 and os.access(DAEMONS + "/master", os.X_OK)


class Server(contextlib.AbstractContextManager):
    """A process that listens, in a directory of its own."""

    def launch(self, command, owner):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(self.dir + "/stderr", "wb"), start_new_session=True)
        end = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 10) as s:
                if s.recv(1):
                    return
            if self.process.poll() is not None or time.monotonic() > end:
                log = self.log()
                self.__exit__()
                raise RuntimeError("%s did not start: %s" % (owner, log))
            time.sleep(0.02)

    def log(self):
        text = ""
        for name in ("stderr", "log"):
            with contextlib.suppress(OSError), open(os.path.join(self.dir, name), errors="replace") as f:
                text += f.read()[-2000:]
        return text

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class SmtpSink(Server):
    def __init__(self, *options, lmtp=False):
        self.dir = tempfile.mkdtemp(prefix="mh-sink-")
        self.port, = free_ports(1)
        self.command = [shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin"), "-d", "m."]
        self.command += ["-R", self.dir] if os.getuid() == 0 else []
        if os.getuid() == 0:
            os.chown(self.dir, pwd.getpwnam("nobody").pw_uid, -1)
            self.command += ["-u", "nobody"]
        self.command += (["-L"] if lmtp else []) + list(options) + ["127.0.0.1:%d" % self.port, "100"]

    def __enter__(self):
        here = os.getcwd()
        try:
            os.chdir(self.dir)
            self.launch(self.command, "smtp-sink")
        finally:
            os.chdir(here)
        return self

    def messages(self):
        out = []
        for path in glob.glob(self.dir + "/m.*"):
            with open(path, "rb") as f:
                data = f.read()
            head = SINK_HEAD.match(data)
            if not head:
                continue  # the file of a connection that handed over nothing
            words = head.group()
            sender = re.search(rb"^X-Mail-Args: <([^>\n]*)>", words, re.M)
            out.append(Handed(sender.group(1), re.findall(rb"^X-Rcpt-Args: <([^>\n]*)>", words, re.M),
                              self.without_end(data[head.end():])))
        return out

    @staticmethod
    def without_end(data):
        """It writes one empty line behind each message."""
        assert data.endswith(b"\n"), data[-100:]
        return data[:-1]


MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
command_directory = /usr/sbin
daemon_directory = {daemons}
myhostname = mx.example.net
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
virtual_mailbox_domains = example.net
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = inline:{{ {boxes} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = {limit}
header_size_limit = 1000000
line_length_limit = 1000000
message_drop_headers =
hopcount_limit = 1000
local_header_rewrite_clients =
smtpd_relay_restrictions = reject_unauth_destination
{extra}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    def __init__(self, users=("me",), limit=100000000, extra=""):
        self.dir = tempfile.mkdtemp(prefix="mh-postfix-")
        os.chmod(self.dir, 0o755)
        self.port, = free_ports(1)
        nobody = pwd.getpwnam("nobody")
        for name in ("etc", "queue", "data", "mail"):
            os.mkdir(os.path.join(self.dir, name), 0o755)
        os.chown(self.dir + "/data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(self.dir + "/mail", nobody.pw_uid, nobody.pw_gid)
        boxes = ", ".join("{ %s@example.net = %s/ }" % (user, user) for user in users)
        with open(self.dir + "/etc/main.cf", "w") as f:
            f.write(MAIN.format(dir=self.dir, daemons=DAEMONS, boxes=boxes, uid=nobody.pw_uid, gid=nobody.pw_gid, limit=limit,
                                extra=extra))
        with open(self.dir + "/etc/master.cf", "w") as f:
            f.write(MASTER.format(port=self.port))

    def __enter__(self):
        # Makes the directories of the queue.
        subprocess.run(["/usr/sbin/postfix", "-c", self.dir + "/etc", "check"], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.launch([DAEMONS + "/master", "-c", self.dir + "/etc", "-d"], "Postfix")
        return self

    def messages(self, user, count):
        """What is in that mailbox as soon as there are so many, without what Postfix put in front."""
        end = time.monotonic() + 30
        while True:
            paths = glob.glob("%s/mail/%s/new/*" % (self.dir, user))
            if len(paths) >= count:
                break
            assert time.monotonic() < end, "%d messages of %d came: %s" % (len(paths), count, self.log())
            time.sleep(0.05)
        out = []
        for path in paths:
            with open(path, "rb") as f:
                data = f.read()
            out.append(re.sub(rb"\AReturn-Path:[^\n]*\nX-Original-To:[^\n]*\nDelivered-To:[^\n]*\nReceived:" + FIELD, b"", data))
        return out
