# SPDX-License-Identifier: MIT
"""leave_on_server: yes, no and by age, over both protocols; and what must stay as it is on the server."""
import os
import stat

import pytest

import mailhaul
from dovecot import sample
from live import contents, held

BOTH = pytest.mark.parametrize("protocol", ["pop3", "imap"])
DAY = 24 * 3600


@BOTH
def test_keep(dovecot, user, account, protocol):
    dovecot.append(user, "INBOX", [sample(n) for n in range(20)])
    world = account(protocol=protocol)
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    assert dovecot.count(user) == 20
    assert contents(world.mail) == held(dovecot, user)
    dovecot.append(user, "INBOX", [sample(100)])
    world.run("fetch", check=0)
    assert contents(world.mail) == held(dovecot, user)


@BOTH
def test_remove(dovecot, user, account, protocol):
    messages = [sample(n) for n in range(30)]
    dovecot.append(user, "INBOX", messages)
    world = account(protocol=protocol, leave_on_server="no")
    world.run("fetch", check=0)
    assert dovecot.count(user) == 0
    assert contents(world.mail) == sorted(map(mailhaul.local, messages))
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 30


@BOTH
def test_remove_what_was_kept_before(dovecot, user, account, protocol):
    """leave_on_server changed to no: what is here already is removed without being fetched again."""
    messages = [sample(n) for n in range(10)]
    dovecot.append(user, "INBOX", messages)
    world = account(protocol=protocol)
    world.run("fetch", check=0)
    world = account(protocol=protocol, leave_on_server="no")
    world.run("fetch", check=0)
    assert dovecot.count(user) == 0
    assert contents(world.mail) == sorted(map(mailhaul.local, messages))


@BOTH
def test_by_age(dovecot, user, account, protocol):
    """The age counts from delivery here, never from a Date field: these messages claim to be of 2020."""
    if not mailhaul.program("MAILHAUL_PLAIN"):
        pytest.skip("needs a build without sanitizers: set MAILHAUL_PLAIN")
    old = [sample(n) for n in range(5)]
    dovecot.append(user, "INBOX", old, date="17-Jul-1996 02:44:25 -0700")
    world = account(protocol=protocol, leave_on_server="30d")
    world.kind = "MAILHAUL_PLAIN"

    def later(seconds):
        return {"LD_PRELOAD": mailhaul.helper("clock"), "CLOCK_OFFSET": str(seconds)}

    world.run("fetch", check=0, env=later(0))
    assert dovecot.count(user) == 5
    world.run("fetch", check=0, env=later(29 * DAY))
    assert dovecot.count(user) == 5
    dovecot.append(user, "INBOX", [sample(9)])
    world.run("fetch", check=0, env=later(29 * DAY))
    world.run("fetch", check=0, env=later(31 * DAY))
    assert held(dovecot, user) == [mailhaul.local(sample(9))]
    assert len(contents(world.mail)) == 6


def test_flags_stay(dovecot, user, account):
    """Fetching sets no flag on the server, and the server's flags become the Maildir's."""
    dovecot.append(user, "INBOX", [sample(1)])
    dovecot.append(user, "INBOX", [sample(2)], flags=r"\Seen \Flagged", date="17-Jul-1996 02:44:25 -0700")
    before = [(uid, [f for f in flags if f != "\\Recent"]) for uid, flags, _ in dovecot.fetch_all(user)]
    world = account()
    world.run("fetch", check=0)
    after = [(uid, [f for f in flags if f != "\\Recent"]) for uid, flags, _ in dovecot.fetch_all(user)]
    assert after == before
    mails = {m.data: m for m in mailhaul.read_maildir(world.mail)}
    one, two = mails[mailhaul.local(sample(1))], mails[mailhaul.local(sample(2))]
    assert (one.place, one.flags) == ("new", "") and ":2," not in one.name
    assert (two.place, two.flags) == ("cur", "FS")
    assert int(two.mtime) == 837596665


def test_others_deleted_mark_is_left_alone(dovecot, user, account):
    """A message that some other client marked \\Deleted goes only if it is ours to remove."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account(leave_on_server="30d")
    world.run("fetch", check=0)
    box = dovecot.imap(user)
    box.select("INBOX")
    box.store("2", "+FLAGS", r"(\Deleted)")
    box.logout()
    world.run("fetch", check=0)
    assert dovecot.count(user) == 3


def test_files_and_directories_are_private(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    dovecot.append(user, "Sub", [sample(2)])
    world = account(folders=["*"])
    world.run("fetch", check=0)
    for base, dirs, files in os.walk(world.mail):
        assert stat.S_IMODE(os.stat(base).st_mode) == 0o700, base
        for name in files:
            assert stat.S_IMODE(os.stat(os.path.join(base, name)).st_mode) == 0o600, name
    for path in world.journals():
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
