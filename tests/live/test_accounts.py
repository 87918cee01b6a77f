# SPDX-License-Identifier: MIT
"""Several accounts: side by side, into one Maildir, with defaults; the lock, and the Maildir that is not the one it was."""
import fcntl
import glob
import os
import shutil
import socket
import subprocess

import pytest

import mailhaul
from dovecot import sample
from live import contents, held, make_account


def test_side_by_side(dovecot, world):
    """Twenty accounts at 20 ms: the pass takes far less than twenty times one of them."""
    users = dovecot.users[100:120]
    for number, user in enumerate(users):
        dovecot.append(user, "INBOX", [sample(number * 100 + n) for n in range(10)])
    ports = dovecot.ports["imap"], dovecot.ports["pop3"]
    with mailhaul.DelayProxy(20, *ports) as proxy:
        world.write_config("".join(
            make_account(dovecot, user, world.mail + "/" + user, name=user, tls="plaintext",
                         protocol=("imap", "pop3")[n % 2], port=proxy.ports[ports[n % 2]])
            for n, user in enumerate(users)))
        world.run("fetch", check=0)
        connections = proxy.stop()
    for user in users:
        assert contents(world.mail + "/" + user) == held(dovecot, user)
    assert len(connections) == 20


def test_percent_a_is_the_account(dovecot, world):
    users = dovecot.users[120:122]
    text = "defaults {\n deliver maildir { path = '%s/%%a' }\n}\n" % world.mail
    for user in users:
        dovecot.append(user, "INBOX", [sample(1)])
        text += make_account(dovecot, user, None, name="acc-" + user)
    world.write_config(text)
    world.run("fetch", check=0)
    for user in users:
        assert len(contents(world.mail + "/acc-" + user)) == 1


def test_one_account_of_two(dovecot, world):
    users = dovecot.users[122:124]
    for user in users:
        dovecot.append(user, "INBOX", [sample(1)])
    world.write_config("".join(make_account(dovecot, u, world.mail + "/" + u, name=u) for u in users))
    world.run("fetch", users[1], check=0)
    assert not os.path.exists(world.mail + "/" + users[0])
    assert len(contents(world.mail + "/" + users[1])) == 1
    world.run("fetch", "nobody", check=64)


def test_disabled_account(dovecot, user, world):
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, enabled=False))
    world.run("fetch", check=0)
    assert not os.path.exists(world.mail + "/new") or not contents(world.mail)


@pytest.fixture
def bound():
    """A port that nobody else can get and nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        yield s


def test_trouble_of_one_is_not_the_others(dovecot, world, bound):
    """A wrong password, a closed port and a missing host beside a good account; the first exit code of the table wins."""
    users = dovecot.users[124:126]
    dovecot.append(users[0], "INBOX", [sample(1)])
    closed = bound.getsockname()[1]
    world.write_config(
        make_account(dovecot, users[0], world.mail + "/good", name="good") +
        make_account(dovecot, users[1], world.mail + "/bad", name="bad", password="wrong") +
        make_account(dovecot, users[1], world.mail + "/closed", name="closed", port=closed, timeout=2) +
        make_account(dovecot, users[1], world.mail + "/gone", name="gone", host="no-such-host.invalid", timeout=2))
    result = world.run("fetch", check=77)
    assert len(contents(world.mail + "/good")) == 1
    for name in ("bad", "closed", "gone"):
        assert name.encode() in result.err
    world.run("fetch", "closed", check=75)
    world.run("fetch", "gone", check=75)


def test_one_maildir_for_two_accounts(dovecot, world):
    users = dovecot.users[126:128]
    for number, user in enumerate(users):
        dovecot.append(user, "INBOX", [sample(number * 10 + n) for n in range(5)] + [sample(77)])
    world.write_config("".join(make_account(dovecot, u, world.mail, name=u) for u in users))
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    assert contents(world.mail) == sorted(held(dovecot, users[0]) + held(dovecot, users[1]))


def test_existing_maildir_is_left_alone(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    world = account()
    for part in ("new", "cur", "tmp"):
        os.makedirs(world.mail + "/" + part)
    for name in ("new/1.a.host", "cur/2.b.host:2,S", "new/mailhaul.3"):
        with open(os.path.join(world.mail, name), "wb") as f:
            f.write(b"Subject: mine\n\n")
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 4
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 4


def test_two_instances(dovecot, user, world):
    """The second run of an account exits 75 at once and says why; nothing comes twice."""
    dovecot.append(user, "INBOX", [sample(n, 20000) for n in range(200)])
    with mailhaul.DelayProxy(300, dovecot.ports["imaps"]) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, port=proxy.ports[dovecot.ports["imaps"]]))
        first = world.start("fetch", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while not world.journals():
            assert first.poll() is None
        second = world.run("fetch")
        first.communicate()
    assert second.code == 75 and second.seconds < 5 and second.err
    assert first.returncode == 0
    assert contents(world.mail) == held(dovecot, user)


@pytest.mark.parametrize("words", [["folders", "a"], ["check", "--connect"], ["quarantine", "list"], ["status"]],
                         ids=lambda words: words[0])
def test_looking_while_a_pass_is_at_work(dovecot, user, account, words):
    """Who only looks neither waits for a pass nor is in the way of one."""
    world = account()
    world.run("fetch", check=0)
    locks = glob.glob(world.home + "/**/*.lock", recursive=True)
    assert len(locks) == 1
    with open(locks[0], "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        world.run("fetch", check=75)
        world.run(*words, check=0)


@pytest.mark.parametrize("how", ["gone", "other", "empty"])
def test_maildir_is_not_the_one_it_was(dovecot, user, account, how):
    """An unmounted, replaced or emptied Maildir stops the account (74); nothing is fetched, nothing removed."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account()
    world.run("fetch", check=0)
    world = account(leave_on_server="no")
    if how == "gone":
        os.rename(world.mail, world.mail + ".away")
    elif how == "other":
        with open(world.mail + "/.mailhaul-id", "w") as f:
            f.write("another\n")
    else:
        shutil.rmtree(world.mail)
        for part in ("new", "cur", "tmp"):
            os.makedirs(world.mail + "/" + part)
    result = world.run("fetch", check=74)
    assert result.err and dovecot.count(user) == 3
    if how == "gone":
        assert not os.path.exists(world.mail)
        os.rename(world.mail + ".away", world.mail)
        world.run("fetch", check=0)
        assert len(contents(world.mail)) == 3
    else:
        world.run("check", "--adopt", check=0)
        world.run("fetch", check=0)
    assert dovecot.count(user) == 0


def test_moved_and_deleted_by_a_reader(dovecot, user, account):
    """A mail reader moves files to cur/, flags and deletes them: that is no reason to fetch anything again."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(6)])
    world = account()
    world.run("fetch", check=0)
    mails = mailhaul.read_maildir(world.mail)
    os.rename(mails[0].path, os.path.join(world.mail, "cur", mails[0].name + ":2,RS"))
    os.rename(mails[1].path, os.path.join(world.mail, "cur", mails[1].name + ":2,"))
    os.unlink(mails[2].path)
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 5


def test_stale_tmp_of_ours_goes(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account()
    world.run("fetch", check=0)
    before = os.listdir(world.mail + "/tmp")
    assert before == []
