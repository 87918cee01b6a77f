# SPDX-License-Identifier: MIT
"""check --connect asks the destinations whether they would take mail, tells all that is wrong, and sends none."""
import json

import pytest
from live import make_account


def checked(account, dovecot, deliver, check, *options):
    world = account(maildir=None, deliver="")
    with open(world.config) as f:
        text = f.read()
    world.write_config(text.rstrip().rstrip("}") + "\n" + deliver % dict(
        imap=dovecot.ports["imap"], imaps=dovecot.ports["imaps"], lmtp=dovecot.ports["lmtp"], socket=dovecot.lmtp_socket,
        ca=dovecot.ca_file, user=dovecot.users[-1], password=dovecot.password) + "\n}\n")
    return world.run("check", "--connect", *options, check=check)


IMAP = "deliver imap { host = 'localhost' port = %(imaps)d user = '%(user)s' password = '%(password)s' tls_trust_file = '%(ca)s' }"
GOOD = [
    ("imap", IMAP),
    ("lmtp", "deliver lmtp { host = '127.0.0.1' port = %(lmtp)d to = '%(user)s' }"),
    ("socket", "deliver lmtp { socket = '%(socket)s' to = '%(user)s' }"),
    ("multidrop", "deliver lmtp { socket = '%(socket)s' to_header = 'Delivered-To' }"),
    ("command", "deliver command { command = { 'cat' } }"),
]
# What is wrong, the exit status, and what is said.
BAD = [
    ("wrong-password", IMAP.replace("%(password)s", "not it"), 77, "destination imap: "),
    ("untrusted", IMAP.replace("tls_trust_file = '%(ca)s'", ""), 69, "destination imap: "),
    ("nobody-there", "deliver smtp { host = '127.0.0.1' port = 1 to = 'x' }", 75, "destination smtp: "),
    ("no-such-user", "deliver lmtp { host = '127.0.0.1' port = %(lmtp)d to = 'nobody-of-that-name' }", 76, "nobody-of-that-name"),
    ("no-socket", "deliver lmtp { socket = '%(socket)s.gone' to = 'x' }", 75, "destination lmtp: "),
    ("no-program", "deliver command { command = { '/nonexistent/program', '-x' } }", 78, "/nonexistent/program"),
]


@pytest.mark.parametrize("deliver", [d for _, d in GOOD], ids=[name for name, _ in GOOD])
def test_good(account, dovecot, deliver):
    said = checked(account, dovecot, deliver, 0).err.decode()
    assert said.count("destination ") >= 1, said
    assert not dovecot.fetch_all(dovecot.users[-1])


@pytest.mark.parametrize("deliver,status,words", [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad(account, dovecot, deliver, status, words):
    said = checked(account, dovecot, deliver, status).err.decode()
    assert words in said and "ok: imaps localhost" in said, said


def test_all_is_told_and_the_worst_decides(account, dovecot):
    two = BAD[2][1] + "\n" + BAD[0][1] + "\n" + GOOD[4][1]
    result = checked(account, dovecot, two, 77, "--json")
    said = result.err.decode()
    assert "destination smtp: " in said and "destination imap: " in said and "destination command: " in said
    lines = [json.loads(line) for line in result.out.decode().splitlines()]
    assert sorted(line["result"] for line in lines) == ["auth", "network", "ok", "ok"]
    assert [line["deliver"] for line in lines if "deliver" in line] == ["command"]


def test_a_trust_file_of_a_destination_that_is_not_there(account, dovecot):
    """Wrong before anybody is contacted: also for a pass."""
    said = checked(account, dovecot, IMAP.replace("%(ca)s", "/nonexistent/ca.pem"), 78).err.decode()
    assert "/nonexistent/ca.pem" in said and "destination imap" in said and "ok: imaps" not in said


def test_without_connect_nobody_is_asked(account, dovecot, user):
    world = account()
    world.write_config(make_account(dovecot, user, world.mail, extra=None).rstrip().rstrip("}") + BAD[2][1] + "\n}\n")
    assert b"destination" not in world.run("check", check=0).err
