# SPDX-License-Identifier: MIT
"""Every kind of login, good and refused, loud, as a daemon and with its state: no secret is anywhere but where it belongs.

A new kind is one more line of WAYS (how the program comes to the secret), or a test that calls check_all() behind what it
did; what the secret is called and what it is comes from `secrets` (tests/lib/leaks.py).
"""
import base64
import contextlib
import os
import re
import socketserver
import threading
import time

import leaks
import mailhaul
import pytest
import takers
from daemon import running
from dovecot import Dovecot, available, sample
from live import make_account

pytestmark = pytest.mark.skipif(not available(), reason="Dovecot is not installed")

# Tells what it sees of the program that runs it, and of itself; then the password.
SPY = """#!/bin/sh
cat /proc/$PPID/cmdline /proc/$PPID/environ /proc/$$/cmdline /proc/$$/environ >>"$1.seen"
cat "$1"
"""


@pytest.fixture(scope="module")
def secrets():
    return leaks.Secrets()


@pytest.fixture(scope="module")
def server(secrets):
    """Users "source", "imap" and "smtp", each with a password of its own that no list would have."""
    with takers_server() as relay:
        d = Dovecot(users=["source", "imap", "smtp"], password=secrets.new("source's password"), relay=relay.server_address[1],
                    extra="auth_mechanisms = plain login cram-md5 apop scram-sha-1 scram-sha-256\n")
        d.passwords = {"source": d.password, "imap": secrets.new("imap destination's password", " with\"\\blank"),
                       "smtp": secrets.new("smtp destination's password")}
        with open(d.dir + "/users", "w") as f:
            f.writelines("%s:%s\n" % user for user in d.passwords.items())
        with d:
            yield d


@contextlib.contextmanager
def takers_server():
    relay = takers.SmtpServer()
    threading.Thread(target=relay.serve_forever, args=[0.01], daemon=True).start()
    yield relay
    relay.shutdown()
    relay.server_close()


class Keys:
    """The ways to a password, as keys of a login; each file that holds one is in `places`, where it belongs."""

    def __init__(self, world):
        self.directory = os.path.join(world.home, "private")
        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        self.places = [world.config, self.directory]
        self.spied = []

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.directory, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def literal(self, _user, password):
        return dict(password=password)

    def command(self, user, password):
        spy, path = self.file("spy", SPY, 0o700), self.file(user, password + "\nnot this line\n")
        self.spied.append(path + ".seen")
        return dict(password=None, password_command=[spy, path])

    def in_file(self, user, password):
        return dict(password=None, password_file=self.file(user + ".password", password + "\n"))

    def netrc(self, user, password):
        quoted = password.replace("\\", "\\\\").replace('"', '\\"')
        with open(os.path.join(self.directory, "netrc"), "a") as f:
            f.write('machine localhost login %s password "%s"\n' % (user, quoted))
        os.chmod(f.name, 0o600)
        return dict(password=None, netrc=f.name)


WAYS = ["literal", "command", "in_file", "netrc"]


def destinations(server, keys, way):
    def section(name, text, port, user):
        pairs = getattr(keys, way)(user, server.passwords[user])
        more = " ".join("%s = %s" % (key, mailhaul.quote(value)) for key, value in pairs.items() if value)
        return "deliver %s { host = localhost port = %d tls_trust_file = '%s' user = %s %s %s }" % (
            name, server.ports[port], server.ca_file, user, more, text)
    return "\n".join(["deliver maildir { path = '~/Mail' }", section("imap", "", "imaps", "imap"),
                      section("smtp", "tls = implicit to = 'me@example.org'", "submissions", "smtp")])


def write(world, server, keys, way, wrong=None, **more):
    """An account with three destinations; wrong: the password that the account has instead of its own."""
    pairs = getattr(keys, way)("source", wrong or server.password)
    text = make_account(server, "source", None, **dict(dict(leave_on_server="no"), **pairs), **more)
    head = "log_level = debug\nlog_file = '%s/log'\n" % world.home
    world.write_config(head + text.rstrip().rstrip("}") + destinations(server, keys, way) + "\n}\n")


def check_all(secrets, world, keys, *results):
    for result in results:
        secrets.check(result.out, "standard output of %s" % " ".join(result.args))
        secrets.check(result.err, "standard error of %s" % " ".join(result.args))
    secrets.check_files(world.home, but=keys.places)
    assert os.path.getsize(world.home + "/log") > 0
    for path in keys.spied:
        if os.path.exists(path):
            with open(path, "rb") as f:
                seen = f.read()
            os.unlink(path)
            assert b"mailhaul" in seen
            secrets.check(seen, "arguments and environment")


ONE_SHOT = [(protocol, "implicit", way) for protocol in ("imap", "pop3") for way in WAYS]
ONE_SHOT += [("imap", "starttls", "command"), ("pop3", "plaintext", "literal")]


@pytest.mark.parametrize("protocol,tls,way", ONE_SHOT, ids=["-".join(o) for o in ONE_SHOT])
def test_one_shot(world, server, secrets, protocol, tls, way):
    keys = Keys(world)
    write(world, server, keys, way, protocol=protocol, tls=tls)
    server.append("source", "INBOX", [sample(1), sample(2)])
    results = [world.run("-vv", "fetch", check=0), world.run("-vv", "check", "--connect", check=0),
               world.run("-vv", "-n", "fetch", "--json", check=0), world.run("status", "--json", check=0)]
    assert b"********" in results[0].err, "the protocol was shown"
    assert len(mailhaul.read_maildir(world.mail)) == 2
    wrong = secrets.new("wrong password")
    write(world, server, keys, way if way != "netrc" else "in_file", wrong, protocol=protocol, tls=tls)
    results += [world.run("-vv", "fetch", check=77), world.run("-v", "check", "--connect", check=77),
                world.run("status", check=0), world.run("status", "--json", check=0)]
    write(world, server, keys, way, protocol=protocol, tls=tls, port=1)
    results += [world.run("-vv", "fetch", check=75), world.run("status", "--prometheus", check=0)]
    check_all(secrets, world, keys, *results)


MECHANISMS = [("imap", "plain"), ("imap", "login"), ("imap", "cram-md5"), ("imap", "scram-sha-1"), ("imap", "scram-sha-256"),
              ("pop3", "plain"), ("pop3", "user"), ("pop3", "apop"), ("pop3", "cram-md5"), ("pop3", "scram-sha-256")]


@pytest.mark.parametrize("protocol,mechanism", MECHANISMS, ids=["-".join(m) for m in MECHANISMS])
def test_mechanisms(world, server, secrets, protocol, mechanism):
    keys = Keys(world)
    write(world, server, keys, "literal", protocol=protocol, auth=[mechanism])
    results = [world.run("-vv", "check", "--connect", check=0)]
    write(world, server, keys, "literal", secrets.new("wrong password"), protocol=protocol, auth=[mechanism])
    results += [world.run("-vv", "check", "--connect", check=77), world.run("-vv", "fetch", check=77), world.run("status")]
    check_all(secrets, world, keys, *results)


def test_configuration_that_is_wrong(world, secrets):
    """What is told about a configuration does not tell what is secret in it."""
    password = secrets.new("unused password")
    for broken in ("password = %s#no", "password = '%s", "password = %s tail words", "pasword = x password = '%s' port = x",
                   "password = '%s' password_file = '/x'", "oauth_client_secret = '%s'", "proxy = 'socks5:/u:%s@h'",
                   "proxy = \"socks5://u:%s@h:99999\"", "password = { '%s' }"):
        world.write_config("account a {\nhost = h\nuser = u\n%s\ndeliver maildir { path = '/m' }\n}\n" % (broken % password))
        result = world.run("-vv", "check", check=78)
        secrets.check(result.err + result.out, broken)
    world.write_config("account a {\nhost = h\nuser = u\npassword = '%s'\ndeliver maildir { path = '/m' }\n}\n" % password,
                       mode=0o644)
    secrets.check(world.run("-vv", "check", check=78).err, "a file that all may read")


def release():
    for kind in ("MAILHAUL_RELEASE", "MAILHAUL_PLAIN"):
        if mailhaul.program(kind):
            return kind
    return None


def readable_memory(world):
    """The memory of a build with sanitizers holds on to what was freed, by design."""
    if release() is None:
        pytest.skip("no build without sanitizers: set MAILHAUL_RELEASE or MAILHAUL_PLAIN")
    if os.getuid() != 0:
        pytest.skip("only root reads the memory of a process that cannot be dumped")
    world.kind = release()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_daemon(world, server, secrets, protocol, way):
    """Also what a core dump would hold, through a reload and an account that is refused."""
    readable_memory(world)
    keys = Keys(world)
    write(world, server, keys, way, protocol=protocol, interval=1)
    proxy = secrets.new("proxy's password")
    client = secrets.new("client secret")

    def others(timeout, refused=""):
        with open(world.config, "a") as f:
            f.write(refused)
            f.write("account proxied { host = localhost user = u password = '%s' proxy = \"socks5://u:%s@localhost:1\" "
                    "timeout = %d deliver maildir { path = '~/Mail3' } }\n" % (wrong, proxy, timeout))
            f.write("account token { host = localhost user = u oauth_client_id = x oauth_client_secret = '%s' enabled = no "
                    "oauth_token_url = 'https://localhost:1/' oauth_device_url = 'https://localhost:1/' "
                    "deliver maildir { path = '~/Mail4' } }\n" % client)
    wrong = secrets.new("wrong password")
    others(5, "account refused { protocol = %s host = localhost port = %d tls = plaintext user = source password = '%s' "
              "deliver maildir { path = '~/Mail2' } }\n" % (protocol, server.ports[protocol], wrong))
    with running(world) as daemon:
        def memory(when):
            """A login that is under way has its secret in hand: seen three times, it is none."""
            for pause in (0.3, 0.7, 0):
                found = secrets.in_memory(daemon.child.pid)
                if not found:
                    break
                time.sleep(pause)
            assert not found, "%s: %s" % (when, found)
            secrets.check_process(daemon.child.pid)
        server.append("source", "INBOX", [sample(3)])
        end = time.monotonic() + 30
        while not mailhaul.read_maildir(world.mail) and time.monotonic() < end:
            time.sleep(0.05)
        daemon.wait_for("localhost refused", timeout=10)
        if world.kind == "MAILHAUL_RELEASE":
            with open("/proc/%d/limits" % daemon.child.pid) as f:
                assert re.search(r"^Max core file size +0 +0 ", f.read(), re.M)
        memory("behind logins")
        results = [world.run("status", "--json", check=0), world.run("status", "--prometheus", check=0)]
        os.rename(world.config, world.config + ".old")
        world.config += ".new"
        write(world, server, keys, way, protocol=protocol, interval=1)
        others(6)
        os.rename(world.config, world.config[:-4])
        world.config = world.config[:-4]
        os.unlink(world.config + ".old")
        daemon.wait_for("configuration was read again", timeout=20)
        memory("behind a reload")
        server.append("source", "INBOX", [sample(4)])
        end = time.monotonic() + 30
        while len(mailhaul.read_maildir(world.mail)) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        memory("at the end")
    secrets.check("\n".join(daemon.lines), "what the daemon says")
    assert len(mailhaul.read_maildir(world.mail)) == 2
    check_all(secrets, world, keys, *results)


# ---- a server that says what it was told

class Echo(socketserver.StreamRequestHandler):
    """Refuses every login, and says with what words it was asked: as they came, and decoded."""

    GREETING = {"imap": b"* OK hello\r\n", "pop3": b"+OK hello\r\n", "smtp": b"220 hello\r\n"}

    def handle(self):
        self.wfile.write(self.GREETING[self.server.protocol])
        for line in self.rfile:
            getattr(self, self.server.protocol)(line.strip())

    def say(self, *parts):
        self.wfile.write(b" ".join(parts) + b"\r\n")

    def refuse(self, begin, line):
        words = [line]
        with contextlib.suppress(ValueError):
            words.append(base64.b64decode(line.split()[-1], validate=True).replace(b"\0", b" "))
        self.say(begin, b"you said", b" or ".join(words))

    def imap(self, line):
        tag, command = (line.split() + [b"", b""])[:2]
        if command == b"CAPABILITY":
            self.say(b"* CAPABILITY IMAP4rev1" + self.server.offers)
            self.say(tag, b"OK")
        elif command == b"AUTHENTICATE":
            self.say(b"+ ")
            self.refuse(b"* OK [ALERT]", self.rfile.readline().strip())
            self.refuse(tag + b" NO", b"nothing")
        elif command == b"LOGIN":
            self.refuse(tag + b" NO [ALERT]", line)
        else:
            self.say(tag, b"OK")

    def pop3(self, line):
        command = line.split()[0]
        if command == b"CAPA":
            self.say(b"+OK\r\nUSER" + self.server.offers + b"\r\n.")
        elif command == b"USER":
            self.say(b"+OK")
        elif command == b"AUTH":
            if len(line.split()) == 2:
                self.say(b"+ ")
                line = self.rfile.readline().strip()
            self.refuse(b"-ERR [AUTH]", line)
        elif command == b"PASS":
            self.refuse(b"-ERR", line)
        else:
            self.say(b"+OK")

    def smtp(self, line):
        command = line.split()[0]
        if command == b"EHLO":
            self.say(b"250-hello\r\n250 AUTH " + self.server.offers)
        elif command == b"AUTH" and line.split()[1:2] == [b"LOGIN"]:
            self.say(b"334 VXNlcm5hbWU6")
            self.rfile.readline()
            self.say(b"334 UGFzc3dvcmQ6")
            self.refuse(b"535 5.7.8", self.rfile.readline().strip())
        elif command == b"AUTH":
            self.refuse(b"535", line)
        else:
            self.say(b"250 well")


@pytest.fixture
def echo():
    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address, daemon_threads = True, True
    with contextlib.ExitStack() as stack:
        def start(protocol, offers=b""):
            s = stack.enter_context(Server(("127.0.0.1", 0), Echo))
            s.protocol, s.offers = protocol, offers
            threading.Thread(target=s.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(s.shutdown)
            return s
        yield start


ECHOES = [("imap", b""), ("imap", b" AUTH=PLAIN"), ("pop3", b""), ("pop3", b"\r\nSASL PLAIN"), ("smtp", b"PLAIN"),
          ("smtp", b"LOGIN")]


@pytest.mark.parametrize("protocol,offers", ECHOES, ids=[re.sub(r"\W+", "-", p + o.decode()) for p, o in ECHOES])
def test_a_server_that_says_it_again(world, echo, secrets, protocol, offers):
    keys = Keys(world)
    password = secrets.new("echoed password")
    s = echo(protocol, offers)
    login = "host = '127.0.0.1' port = %d tls = plaintext user = u password = '%s'" % (s.server_address[1], password)
    if protocol == "smtp":
        world.write_config("log_level = debug\nlog_file = '~/log'\naccount a { host = localhost port = 1 user = u password = x\n"
                           "deliver smtp { %s to = 'me@example.org' } }\n" % login)
    else:
        world.write_config("log_level = debug\nlog_file = '~/log'\naccount a { protocol = %s %s\n"
                           "deliver maildir { path = '~/Mail' } }\n" % (protocol, login))
    results = [world.run("-vv", "check", "--connect", check=77), world.run("-vv", "fetch"),
               world.run("status", "--json"), world.run("status")]
    assert b"you said" in results[0].err
    check_all(secrets, world, keys, *results)
