# SPDX-License-Identifier: MIT
"""Large mailboxes and large messages, with the build that users get."""
import resource

import pytest

import mailhaul
from dovecot import sample
from live import contents, held, make_account

BOTH = pytest.mark.parametrize("protocol", ["pop3", "imap"])


@pytest.fixture
def fast(world):
    world.kind = next((k for k in ("MAILHAUL_RELEASE", "MAILHAUL_PLAIN") if mailhaul.program(k)), "MAILHAUL")
    return world


@pytest.fixture(scope="module")
def twenty_thousand(dovecot):
    dovecot.append("u140", "INBOX", [sample(n) for n in range(20000)], chunk=2000)
    return "u140"


@BOTH
def test_twenty_thousand(dovecot, twenty_thousand, fast, protocol):
    fast.write_config(make_account(dovecot, twenty_thousand, fast.mail, protocol=protocol))
    fast.run("fetch", check=0, timeout=180)
    assert contents(fast.mail) == sorted(mailhaul.local(sample(n)) for n in range(20000))
    again = fast.run("fetch", check=0)
    assert again.seconds < 5 and again.rss < 64 * 1024
    assert len(contents(fast.mail)) == 20000


@BOTH
def test_nothing_new_flushes_nothing(dovecot, user, world, protocol):
    """A pass that finds nothing new changes no row and flushes nothing."""
    if not mailhaul.program("MAILHAUL_PLAIN"):
        pytest.skip("needs a build without sanitizers: set MAILHAUL_PLAIN")
    world.kind = "MAILHAUL_PLAIN"
    dovecot.append(user, "INBOX", [sample(n) for n in range(50)])
    world.write_config(make_account(dovecot, user, world.mail, protocol=protocol))
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    counter = world.dir + "/count"
    env = {"LD_PRELOAD": mailhaul.helper("faults"), "FAULT_CALL": "fsync", "FAULT_COUNT_FILE": counter}
    rows = world.journal_dump()
    world.run("fetch", check=0, env=env)
    with open(counter, "rb") as f:
        assert int.from_bytes(f.read(8), "little") == 0
    assert world.journal_dump() == rows


@BOTH
def test_hundred_megabytes(dovecot, user, fast, protocol):
    message = sample(1, 100_000_000)
    dovecot.append(user, "INBOX", [message])
    fast.write_config(make_account(dovecot, user, fast.mail, protocol=protocol, timeout=60))
    result = fast.run("fetch", check=0, timeout=60)
    assert contents(fast.mail) == [mailhaul.local(message)]
    assert result.rss < 64 * 1024, "%d KiB" % result.rss


@BOTH
def test_max_messages(dovecot, user, account, protocol):
    dovecot.append(user, "INBOX", [sample(n) for n in range(25)])
    world = account(protocol=protocol, max_messages=10)
    for expected in (10, 20, 25, 25):
        world.run("fetch", check=0)
        assert len(contents(world.mail)) == expected
    assert contents(world.mail) == held(dovecot, user)


@BOTH
def test_max_size(dovecot, user, account, protocol):
    dovecot.append(user, "INBOX", [sample(1), sample(2, 50000), sample(3)])
    world = account(protocol=protocol, max_size=10000, leave_on_server="no")
    first = world.run("fetch", check=0)
    assert len(contents(world.mail)) == 2 and dovecot.count(user) == 1
    assert first.err, "a skipped message is said once"
    second = world.run("fetch", check=0)
    assert not second.err and not second.out
    world.run("fetch", "--oversize", check=0)
    assert len(contents(world.mail)) == 3 and dovecot.count(user) == 0


def test_larger_limit_brings_them(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1), sample(2, 50000)])
    account(max_size=10000).run("fetch", check=0)
    world = account(max_size=60000)
    world.run("fetch", check=0)
    assert contents(world.mail) == held(dovecot, user)


def test_descriptors_are_bounded(dovecot, user, fast):
    """3,000 messages with 128 descriptors."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(3000)])
    fast.write_config(make_account(dovecot, user, fast.mail))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    result = fast.run("fetch", wrap=("prlimit", "--nofile=128:%d" % hard), timeout=60)
    assert result.code in (0, 74, 75)
    fast.run("fetch", check=0)
    assert contents(fast.mail) == held(dovecot, user)
