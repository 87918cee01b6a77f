# SPDX-License-Identifier: MIT
"""A throw-away Dovecot 2.3 on loopback, for tests, benchmarks and trying things by hand.

    with Dovecot(users=["anna", "bert"], storage="mdbox") as d:
        d.append("anna", "INBOX", [message, ...])            bytes, as IMAP APPEND takes them
        d.deliver("anna", [message, ...])                    by LMTP
        d.imap("anna")                                       a logged-in imaplib connection, for checks
        d.ports["imaps"], d.ca_file, d.password              what a configuration needs

Works as root (mail is then owned by nobody) and as a normal user. Everything is in one temporary directory, removed
at the end; the server is stopped by its process id. All ports are free ones chosen at start.

    python3 tests/lib/dovecot.py --messages 20 --folders 3

starts one with sample mail, prints how to reach it and runs until standard input closes.
"""
import argparse
import email.utils
import grp
import imaplib
import json
import os
import pwd
import random
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import certs  # noqa: E402

imaplib._MAXLINE = 10_000_000
SERVICES = ("imap", "imaps", "pop3", "pop3s", "lmtp")
SUBMISSION = ("submission", "submissions")


def binary():
    for place in ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot"):
        if os.access(place, os.X_OK):
            return place
    return shutil.which("dovecot")


def available():
    return binary() is not None


def free_ports(count):
    """Ports that were free a moment ago, below the range from which outgoing connections take theirs."""
    holders = []
    try:
        while len(holders) < count:
            holder = socket.socket()
            try:
                holder.bind(("127.0.0.1", random.randrange(10000, 32000)))
                holders.append(holder)
            except OSError:
                holder.close()
        return [holder.getsockname()[1] for holder in holders]
    finally:
        for holder in holders:
            holder.close()


CONF = """\
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
protocols = imap pop3 lmtp {submission_protocol}
listen = 127.0.0.1
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {login_user}
default_client_limit = 4096
default_process_limit = 1000
default_vsz_limit = 2G
first_valid_uid = 1
mail_uid = {mail_uid}
mail_gid = {mail_gid}
mail_home = {dir}/mail/%u
mail_location = {location}
mail_fsync = never
mail_plugins = {plugins}
mail_max_userip_connections = {max_userip}
lock_method = {lock_method}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 1M
ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
ssl_min_protocol = {min_protocol}
ssl_cipher_list = DEFAULT:@SECLEVEL={seclevel}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={mail_uid} gid={mail_gid} home={dir}/mail/%u
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 4
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  process_limit = 4
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service lmtp {{
  user = {lmtp_user}
  process_min_avail = 1
  inet_listener lmtp {{
    port = {lmtp}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service imap {{
  process_min_avail = 2
  process_limit = 1000
  service_count = 100
}}
service pop3 {{
  process_min_avail = 2
  process_limit = 1000
  service_count = 100
}}
service auth {{
  client_limit = 8192
}}
service anvil {{
  client_limit = 8192
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
protocol imap {{
  mail_plugins = {imap_plugins}
  imap_idle_notify_interval = 2 mins
}}
protocol lmtp {{
  postmaster_address = postmaster@localhost
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
{mailboxes}
}}
{extra}
"""

SUBMISSION_CONF = """\
hostname = localhost
submission_relay_host = 127.0.0.1
submission_relay_port = {relay}
service submission-login {{
  chroot =
  service_count = 0
  process_limit = 2
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = {submissions}
    ssl = yes
  }}
}}
"""


class Dovecot:
    """One running server. Keyword arguments:

    users          names; all have the password `password`
    storage        "mdbox" (fast, one file for many messages) or "maildir"
    separator      hierarchy separator of folder names
    compress       offer COMPRESS=DEFLATE
    special_use    {folder: r"\\Sent", ...}, created at once
    max_userip     mail_max_userip_connections
    min_protocol   "TLSv1" lets an old TLS be offered
    pair           certs.Pair to serve instead of one of the own CA
    directory      parent of the temporary directory (a tmpfs makes the server cost less in benchmarks)
    extra          more lines of dovecot.conf
    relay          offer submission (ports "submission", "submissions"), handing on to this port of 127.0.0.1
    """

    def __init__(self, users=("user",), password="secret", storage="mdbox", separator="/", compress=False,
                 special_use=None, max_userip=4000, min_protocol="TLSv1.2", pair=None, directory=None, extra="",
                 ssl_mode="yes", relay=None):
        if not available():
            raise RuntimeError("Dovecot is not installed")
        self.users, self.password = list(users), password
        self.host = "localhost"
        self.dir = tempfile.mkdtemp(prefix="mh-dovecot-", dir=directory)
        os.chmod(self.dir, 0o755)
        self.services = SERVICES + (SUBMISSION if relay else ())
        self.ports = dict(zip(self.services, free_ports(len(self.services))))
        if relay:
            extra += SUBMISSION_CONF.format(relay=relay, **self.ports)
        self.lmtp_socket = self.dir + "/run/lmtp"
        self.ca = certs.Authority(self.dir + "/ca")
        self.ca_file = self.ca.file
        self.pair = pair or self.ca.issue("server")
        self.process = None
        root = os.getuid() == 0
        me, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
        self.mail_uid, self.mail_gid = (pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid) if root else (
            os.getuid(), os.getgid())
        plugins = "zlib" if compress else ""
        boxes = "".join("  mailbox %s {\n    special_use = %s\n    auto = subscribe\n  }\n" % (name, use)
                        for name, use in (special_use or {}).items())
        for part in ("run", "mail"):
            os.mkdir(os.path.join(self.dir, part), 0o755)
        if root:
            os.chown(self.dir + "/mail", self.mail_uid, self.mail_gid)
        with open(self.dir + "/users", "w") as f:
            f.writelines("%s:%s\n" % (user, password) for user in users)
        self.conf = self.dir + "/dovecot.conf"
        with open(self.conf, "w") as f:
            f.write(CONF.format(
                dir=self.dir, internal_user="dovecot" if root else me, internal_group="dovecot" if root else group,
                login_user="dovenull" if root else me, lmtp_user="root" if root else me,
                mail_uid=self.mail_uid, mail_gid=self.mail_gid, location="%s:~/mail" % storage, plugins=plugins,
                imap_plugins=(plugins + " imap_zlib") if compress else "", max_userip=max_userip,
                lock_method="fcntl", cert=self.pair.cert, key=self.pair.key, min_protocol=min_protocol,
                seclevel=0 if min_protocol in ("TLSv1", "TLSv1.1") else 2, separator=separator, mailboxes=boxes,
                extra=extra, ssl=ssl_mode, submission_protocol="submission" if relay else "", **self.ports))

    def start(self):
        self.process = subprocess.Popen([binary(), "-F", "-c", self.conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=open(self.dir + "/stderr", "wb"),
                                        start_new_session=True)
        try:
            for service in self.services:
                self._await_banner(service)
        except Exception:
            self.stop()
            raise
        return self

    def _await_banner(self, service, patience=20):
        end = time.monotonic() + patience
        while True:
            try:
                with self.connect(service, timeout=patience) as s:
                    if s.recv(1):
                        return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("Dovecot did not start: %s" % self.log()[-2000:])
            time.sleep(0.02)

    def connect(self, service, timeout=20):
        s = socket.create_connection(("127.0.0.1", self.ports[service]), timeout)
        if service in ("imaps", "pop3s", "submissions"):
            try:
                return ssl.create_default_context(cafile=self.ca_file).wrap_socket(s, server_hostname="localhost")
            except Exception:
                s.close()
                raise
        return s

    def log(self):
        text = ""
        for file in ("log", "stderr"):
            if os.path.exists(os.path.join(self.dir, file)):
                with open(os.path.join(self.dir, file), errors="replace") as f:
                    text += f.read()
        return text

    def down(self):
        """Ends the server and keeps the mail: start() may follow."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(0.2)
                except subprocess.TimeoutExpired:
                    pass
                # Its idle children would be waited for up to five seconds; the mail is thrown away anyway.
                try:
                    os.killpg(self.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.process.wait()
            self.process = None

    def stop(self):
        self.down()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def imap(self, user=None):
        """A logged-in imaplib connection without TLS, for filling and for checks."""
        box = imaplib.IMAP4("127.0.0.1", self.ports["imap"])
        box.login(user or self.users[0], self.password)
        return box

    def append(self, user, folder, messages, flags="", date=None, chunk=500):
        """Stores messages (bytes) with MULTIAPPEND and LITERAL+, a few hundred to a command.

        folder is the name on the wire (modified UTF-7); date is an IMAP date-time such as "17-Jul-1996 02:44:25 -0700",
        the same for all, or None.
        """
        with socket.create_connection(("127.0.0.1", self.ports["imap"]), 120) as s:
            reader = s.makefile("rb")
            reader.readline()
            quoted = '"%s"' % folder.replace("\\", "\\\\").replace('"', '\\"')
            self._command(s, reader, b"LOGIN %s %s" % (user.encode(), self.password.encode()))
            if folder != "INBOX":
                self._command(s, reader, b"CREATE " + quoted.encode(), may_fail=True)
            item = b" (%s)" % flags.encode() + (b' "%s"' % date.encode() if date else b"")
            for start in range(0, len(messages), chunk):
                parts = [b"x APPEND " + quoted.encode()]
                for message in messages[start:start + chunk]:
                    parts.append(item + b" {%d+}\r\n" % len(message) + message)
                s.sendall(b"".join(parts) + b"\r\n")
                self._reply(reader, b"APPEND")
            s.sendall(b"x LOGOUT\r\n")

    @staticmethod
    def _command(s, reader, line, may_fail=False):
        s.sendall(b"x " + line + b"\r\n")
        Dovecot._reply(reader, line, may_fail)

    @staticmethod
    def _reply(reader, what, may_fail=False):
        while True:
            line = reader.readline()
            if not line:
                raise RuntimeError("Dovecot closed the connection at %r" % what[:60])
            if line.startswith(b"x "):
                if not line.startswith(b"x OK") and not may_fail:
                    raise RuntimeError("%r: %r" % (what[:60], line))
                return

    def deliver(self, user, messages):
        """Hands messages over by LMTP. The server adds its own header lines (Return-Path, Delivered-To, Received)."""
        with smtplib.LMTP("127.0.0.1", self.ports["lmtp"]) as lmtp:
            for message in messages:
                lmtp.sendmail("sender@example.org", [user], message)

    def fetch_all(self, user=None, folder="INBOX"):
        """What the server holds, as a list of (uid, flags, bytes) in UID order, without setting \\Seen."""
        box = self.imap(user)
        try:
            box.select('"%s"' % folder, readonly=True)
            out = []
            for item in box.uid("fetch", "1:*", "(UID FLAGS BODY.PEEK[])")[1]:
                if isinstance(item, tuple):
                    head = item[0].decode("latin-1")
                    flags = head.split("FLAGS (", 1)[1].split(")", 1)[0].split()
                    out.append((int(head.split("UID ", 1)[1].split()[0]), flags, item[1]))
            return sorted(out, key=lambda entry: entry[0])
        finally:
            box.logout()

    def count(self, user=None, folder="INBOX"):
        box = self.imap(user)
        try:
            return int(box.select('"%s"' % folder, readonly=True)[1][0])
        finally:
            box.logout()

    def flush(self, user=None, folder="INBOX"):
        """Removes all messages of one folder."""
        box = self.imap(user)
        if box.select('"%s"' % folder)[1] != [b"0"]:
            box.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
        box.expunge()
        box.logout()


def sample(number, size=0, subject=None):
    """A small well-formed message with CRLF line ends; size pads the body to about that many octets."""
    head = ("From: Sender %d <sender%d@example.org>\r\nTo: user@localhost\r\nSubject: %s\r\n"
            "Date: %s\r\nMessage-ID: <sample.%d@example.org>\r\n\r\n"
            % (number, number % 17, subject or "Sample message %d" % number,
               email.utils.formatdate(1600000000 + number * 61), number)).encode()
    line = b"%06d The quick brown fox jumps over the lazy dog, and back.\r\n" % number
    return head + line * max(1, (size - len(head)) // len(line))


def main():
    parser = argparse.ArgumentParser(description="a throw-away Dovecot with sample mail; ends when stdin closes")
    parser.add_argument("--messages", type=int, default=20, help="messages in each folder")
    parser.add_argument("--folders", type=int, default=1, help="folders, INBOX among them")
    parser.add_argument("--size", type=int, default=0, help="octets of each message")
    parser.add_argument("--user", default="user")
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("--storage", choices=("mdbox", "maildir"), default="mdbox")
    parser.add_argument("--special-use", action="store_true", help="Sent, Trash, Drafts and Junk with their attributes")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    args = parser.parse_args()
    special = {"Sent": r"\Sent", "Trash": r"\Trash", "Drafts": r"\Drafts", "Junk": r"\Junk"} if args.special_use else None
    with Dovecot(users=[args.user], storage=args.storage, compress=args.compress, special_use=special) as d:
        for n in range(args.folders):
            folder = "INBOX" if n == 0 else "Folder%d" % n
            d.append(args.user, folder, [sample(n * args.messages + i, args.size) for i in range(args.messages)])
        facts = dict(host=d.host, user=args.user, password=d.password, ca=d.ca_file, dir=d.dir,
                     lmtp_socket=d.lmtp_socket, **d.ports)
        if args.json:
            print(json.dumps(facts))
        else:
            print("\n".join("%-12s %s" % fact for fact in facts.items()))
        sys.stdout.flush()
        for _ in sys.stdin:
            pass


if __name__ == "__main__":
    main()
