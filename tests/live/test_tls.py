# SPDX-License-Identifier: MIT
"""TLS in front of Dovecot: sessions over runs, certificates of our own, and what check --connect tells of all that."""
import datetime
import glob
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

import certs
from daemon import arrives, await_that, running
from dovecot import sample
from live import contents, held, make_account
from tlsfront import TlsFront

PROTOCOLS = ("imap", "pop3")


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return certs.Authority(str(tmp_path_factory.mktemp("ca")))


@pytest.fixture(scope="module")
def pair(ca):
    return ca.issue("front")


def configure(world, dovecot, user, ca, front, protocol="imap", **keys):
    keys = dict(dict(tls_trust_file=ca.file), **keys)
    world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, port=front.port, **keys))


def tickets(world):
    return glob.glob(world.state + "/mailhaul/*.tls")


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_resumed_over_runs_until_a_setting_changes(dovecot, user, world, ca, pair, protocol, newest):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    with TlsFront(dovecot.ports[protocol], pair, newest=newest) as front:
        configure(world, dovecot, user, ca, front, protocol)
        for _ in range(3):
            world.run("fetch", check=0)
        assert [resumed for _, resumed, _ in front.handshakes] == [False, True, True]
        assert [stat.S_IMODE(os.stat(f).st_mode) for f in tickets(world)] == [0o600]
        key = "spki-sha256:" + certs.spki_fingerprint(pair.cert)
        configure(world, dovecot, user, ca, front, protocol, tls_fingerprint=[key])
        world.run("fetch", check=0)
        world.run("fetch", check=0)
        assert [resumed for _, resumed, _ in front.handshakes[3:]] == [False, True]
        # What is written down last rules at once: another pin, and the session is no help.
        configure(world, dovecot, user, ca, front, protocol, tls_fingerprint=["sha256:" + 64 * "0"])
        world.run("fetch", check=69)
    assert contents(world.mail) == held(dovecot, user)


def test_dry_runs_and_checks_leave_sessions_alone(dovecot, user, world, ca, pair):
    with TlsFront(dovecot.ports["imap"], pair) as front:
        configure(world, dovecot, user, ca, front)
        world.run("fetch", "-n", check=0)
        world.run("check", "--connect", check=0)
        assert not tickets(world)
        world.run("fetch", check=0)
        before = open(tickets(world)[0]).read()
        world.run("fetch", "-n", check=0)
        world.run("check", "--connect", check=0)
        assert open(tickets(world)[0]).read() == before
        assert not any(resumed for _, resumed, _ in front.handshakes)


def test_a_ticket_file_that_others_may_read_is_not_used(dovecot, user, world, ca, pair):
    with TlsFront(dovecot.ports["imap"], pair) as front:
        configure(world, dovecot, user, ca, front)
        world.run("fetch", check=0)
        os.chmod(tickets(world)[0], 0o644)
        world.run("fetch", check=0)
        assert [resumed for _, resumed, _ in front.handshakes] == [False, False]
        with open(tickets(world)[0], "wb") as f:
            f.write(b"\0 rubbish \n\n k 1 QUJD\n" * 100)
        world.run("fetch", check=0)
        assert [stat.S_IMODE(os.stat(f).st_mode) for f in tickets(world)] == [0o600]


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_certificate(dovecot, user, world, ca, pair, tmp_path, protocol, newest):
    mine = ca.issue("mine", common_name="me", usage="clientAuth")
    strange = certs.Authority(str(tmp_path / "other")).issue("strange", common_name="stranger", usage="clientAuth")
    with TlsFront(dovecot.ports[protocol], pair, client_ca=ca.file, newest=newest) as front:
        configure(world, dovecot, user, ca, front, protocol, tls_cert_file=mine.cert, tls_key_file=mine.key)
        world.run("fetch", check=0)
        assert front.handshakes[-1][2] == "me"
        for keys in ({}, dict(tls_cert_file=strange.cert, tls_key_file=strange.key)):
            configure(world, dovecot, user, ca, front, protocol, **keys)
            assert b"tls_cert_file" in world.run("fetch", check=69).err
    assert len(front.handshakes) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_end_without_goodbye_is_no_end(dovecot, user, world, ca, pair, protocol):
    """The answer to LOGOUT or QUIT is there, so the pass is whole; nothing else may be taken for whole."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    with TlsFront(dovecot.ports[protocol], pair, rude=True) as front:
        configure(world, dovecot, user, ca, front, protocol)
        world.run("fetch", check=0)
    assert contents(world.mail) == held(dovecot, user)


def test_sessions_are_few_and_each_accounts_own(dovecot, user, world, ca, pair):
    other = dovecot.users[-2]
    with TlsFront(dovecot.ports["imap"], pair) as front:
        keys = dict(port=front.port, tls_trust_file=ca.file)
        world.write_config(make_account(dovecot, user, world.mail + "/a", name="a", **keys) +
                           make_account(dovecot, other, world.mail + "/b", name="b", **keys))
        for _ in range(8):
            world.run("fetch", "a", check=0)
        world.run("fetch", "b", check=0)
        assert [resumed for _, resumed, _ in front.handshakes] == [False] + [True] * 7 + [False]
        assert len(tickets(world)) == 2
        # A ticket of TLS 1.3 is used once (RFC 8446 appendix C.4).
        for file in tickets(world):
            with open(file) as f:
                lines = f.read().splitlines()
            assert 1 <= len(lines) <= 4 and len(set(lines)) == len(lines)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_daemon_goes_on_with_its_session(dovecot, user, world, ca, pair, protocol):
    dovecot.append(user, "INBOX", [sample(1)])
    with TlsFront(dovecot.ports[protocol], pair) as front:
        configure(world, dovecot, user, ca, front, protocol, interval=3600)
        with running(world) as daemon:
            arrives(world.mail, 1, daemon)
            await_that(lambda: tickets(world), daemon)
            front.cut()
            dovecot.append(user, "INBOX", [sample(2)])
            daemon.child.send_signal(signal.SIGUSR1)
            arrives(world.mail, 2, daemon)
        assert [resumed for _, resumed, _ in front.handshakes][:2] == [False, True]
    assert contents(world.mail) == held(dovecot, user)


class Stapler:
    """openssl s_server with an OCSP answer; it greets, and says nothing more."""

    def __init__(self, pair, answer, greeting):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.child = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:%d" % self.port, "-cert", pair.cert, "-key", pair.key, "-status_file",
             answer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.child.stdout:
            if b"ACCEPT" in line:
                break
        self.child.stdin.write(greeting)
        self.child.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.communicate()


@pytest.mark.parametrize("status,words", [("good", None), ("revoked", "was revoked by its issuer on 2024-01-01 (keyCompromise)")])
@pytest.mark.parametrize("protocol,greeting", [("imap", b"* BYE later\n"), ("pop3", b"-ERR [SYS/TEMP] later\n")])
def test_what_a_server_staples(dovecot, user, world, ca, protocol, greeting, status, words):
    server = ca.issue("stapled")
    answer = ca.status(server, status)
    with Stapler(server, answer, greeting) as front:
        configure(world, dovecot, user, ca, front, protocol)
        result = world.run("fetch", check=69 if words else 75)
    assert (words or "later") in result.err.decode()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_certificate_that_promised_to_staple(dovecot, user, world, ca, protocol):
    with TlsFront(dovecot.ports[protocol], ca.issue("promise", extra="tlsfeature=status_request")) as front:
        configure(world, dovecot, user, ca, front, protocol)
        assert b"must-staple" in world.run("fetch", check=69).err


def soon(days):
    now = datetime.datetime.utcnow()
    return tuple((now + datetime.timedelta(days=d, hours=h)).strftime("%Y%m%d%H%M%SZ") for d, h in ((-1, 0), (days, 1)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_check_tells_of_the_connection(dovecot, user, world, ca, pair, protocol):
    with TlsFront(dovecot.ports[protocol], pair) as front:
        configure(world, dovecot, user, ca, front, protocol)
        result = world.run("check", "--connect", "--json", check=0)
        said = result.err.decode()
    assert re.search(r"TLSv1\.3, TLS_\w+, a new session", said), said
    shown = re.search(r"certificate: CN = localhost, issued by CN = mailhaul test CA, valid until 2049-01-01, (sha256:\S+)", said)
    assert shown.group(1).replace(":", "").lower() == "sha256" + certs.fingerprint(pair.cert)
    assert re.search(r"its issuer: CN = mailhaul test CA, issued by CN = mailhaul test CA, valid until \d{4}-", said), said
    assert "ends on" not in said
    line = json.loads(result.out.decode().splitlines()[0])
    assert line["tls"] == "TLSv1.3" and line["resumed"] is False and line["cipher"].startswith("TLS_")
    assert [c["subject"] for c in line["chain"]] == ["CN = localhost", "CN = mailhaul test CA"]
    assert line["chain"][0]["not_after"] == 2493072000


@pytest.mark.parametrize("days,warned", [(3, True), (13, True), (15, False)])
def test_check_warns_ahead(dovecot, user, world, ca, days, warned):
    near = ca.issue("near%d" % days, window=soon(days))
    with TlsFront(dovecot.ports["imap"], near) as front:
        configure(world, dovecot, user, ca, front)
        said = world.run("check", "--connect", "-q", check=0).err.decode()
        assert "ends on" not in said
        said = world.run("check", "--connect", check=0).err.decode()
    assert ("in %d days" % days in said) == warned, said


def test_check_tells_of_destinations(dovecot, user, world, ca, pair):
    deliver = """deliver imap { host = 'localhost' port = %d user = '%s' password = '%s' tls_trust_file = '%s' }
    deliver lmtp { host = '127.0.0.1' port = %d to = '%s' }"""
    with TlsFront(dovecot.ports["imap"], pair) as front:
        text = make_account(dovecot, user, world.mail, tls="plaintext")
        world.write_config(text.rstrip().rstrip("}") + deliver % (
            front.port, dovecot.users[-1], dovecot.password, ca.file, dovecot.ports["lmtp"], user) + "\n}\n")
        said = world.run("check", "--connect", check=0).err.decode()
    assert re.search(r"ok: imap localhost.*not encrypted", said), said
    assert re.search(r"destination imap: TLSv1\.3, TLS_\w+, a new session", said), said
    assert re.search(r"destination imap: certificate: CN = localhost, issued by .* sha256:", said), said
    assert re.search(r"destination lmtp: not encrypted", said), said
