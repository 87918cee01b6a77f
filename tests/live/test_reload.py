# SPDX-License-Identifier: MIT
"""The configuration of a running daemon: taken as it is saved, judged first, and only what changed is touched."""
import os
import signal
import socket
import subprocess

import pytest

from dovecot import sample
from live import make_account
from test_daemon import arrives, running


def account(dovecot, user, world, name, folder="INBOX", **more):
    return make_account(dovecot, user, world.dir + "/" + name, name=name, folders=[folder], idle=[folder], interval=3600,
                        **more)


def save(world, text):
    """As editors do it: a new file takes the old one's place."""
    world.write_config(text, world.config + ".new")
    os.rename(world.config + ".new", world.config)


@pytest.fixture
def two(dovecot, user, world):
    """Accounts "a" of INBOX and "b" of Work, both waiting."""
    dovecot.append(user, "Work", [sample(100)])
    texts = [account(dovecot, user, world, "a"), account(dovecot, user, world, "b", "Work")]
    world.write_config("\n".join(texts))
    return texts


def test_added_changed_removed(dovecot, user, world, two):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail", 2)
        save(world, "\n".join([*two, account(dovecot, user, world, "c", "Third")]))
        daemon.wait_for("1 account added, 0 changed, 0 removed, 2 as before")
        save(world, "\n".join([two[0], account(dovecot, user, world, "b", "Work", timeout=50)]))
        daemon.wait_for("0 accounts added, 1 changed, 1 removed, 1 as before")
        daemon.wait_for("account b: waiting for new mail", 2)
        # What did not change has the connection that it had.
        assert sum("account a: connecting" in line for line in daemon.lines) == 1
        dovecot.append(user, "INBOX", [sample(1)])
        dovecot.append(user, "Work", [sample(2)])
        assert arrives(world.dir + "/a", 1, daemon) < 5
        assert arrives(world.dir + "/b", 2, daemon) < 5


def test_a_bad_file_changes_nothing_and_is_said_once(dovecot, user, world, two):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail", 2)
        for text, said in (("account a { hots = x }", "did you mean \"host\""), ("account", "mailhaul.conf:1"), ("", "no account")):
            save(world, text)
            daemon.wait_for(said)
            daemon.wait_for("goes on with the one that it has", 1)
        dovecot.append(user, "INBOX", [sample(1)])
        assert arrives(world.dir + "/a", 1, daemon) < 5
        said = sum("did you mean" in line for line in daemon.lines)
        assert said == 1
        save(world, "\n".join(two))
        save(world, two[0])
        daemon.wait_for("1 removed, 1 as before")


def test_written_in_place(dovecot, user, world, two):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail", 2)
        with open(world.config, "w") as f:
            f.write(two[0])
        daemon.wait_for("1 removed, 1 as before")


def test_accounts_d(dovecot, user, world, two):
    """The directory need not be there when the daemon starts."""
    directory = os.path.dirname(world.config) + "/accounts.d"
    world.write_config(two[0])
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        os.mkdir(directory)
        world.write_config(two[1], directory + "/b.conf")
        daemon.wait_for("1 account added, 0 changed, 0 removed, 1 as before")
        arrives(world.dir + "/b", 1, daemon)
        world.write_config("nonsense", directory + "/editor's.tmp")
        world.write_config("nonsense", directory + "/.hidden.conf")
        os.unlink(directory + "/b.conf")
        daemon.wait_for("0 accounts added, 0 changed, 1 removed, 1 as before")
        assert not any("nonsense" in line for line in daemon.lines)


def test_a_link_to_the_file(dovecot, user, world, two):
    """Who keeps it elsewhere edits it there."""
    elsewhere = world.dir + "/dotfiles"
    os.mkdir(elsewhere)
    os.rename(world.config, elsewhere + "/conf")
    os.symlink(elsewhere + "/conf", world.config)
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail", 2)
        world.write_config(two[0], elsewhere + "/conf.new")
        os.rename(elsewhere + "/conf.new", elsewhere + "/conf")
        daemon.wait_for("1 removed, 1 as before")


def test_links_to_links_and_in_accounts_d(dovecot, user, world, two):
    """Each link on the way may be exchanged, and what is at its end be saved; what lies beside it is nobody's business."""
    shelf, directory = world.dir + "/shelf", os.path.dirname(world.config) + "/accounts.d"
    os.mkdir(shelf)
    os.mkdir(shelf + "/d")
    world.write_config("max_sessions = 3\n", shelf + "/first")
    world.write_config("max_sessions = 4\n" + two[0], shelf + "/second")
    os.symlink("first", shelf + "/current")
    os.unlink(world.config)
    os.symlink(shelf + "/current", world.config)
    world.write_config(two[1], shelf + "/b")
    os.symlink(shelf + "/d", directory)
    os.symlink("../b", shelf + "/d/b.conf")
    with running(world) as daemon:
        daemon.wait_for("account b: waiting for new mail")
        world.write_config(account(dovecot, user, world, "b", "Work", timeout=50), shelf + "/b.new")
        os.rename(shelf + "/b.new", shelf + "/b")
        daemon.wait_for("0 accounts added, 1 changed, 0 removed, 0 as before")
        os.symlink("second", shelf + "/new")
        os.rename(shelf + "/new", shelf + "/current")
        daemon.wait_for("1 account added, 0 changed, 0 removed, 1 as before")
        with open(shelf + "/unread", "w") as f:
            f.write("nonsense")
        os.mkdir(shelf + "/e")
        os.symlink("e", shelf + "/new")
        os.unlink(directory)
        os.rename(shelf + "/new", directory)
        daemon.wait_for("0 accounts added, 0 changed, 1 removed, 1 as before")
        assert daemon.count("read again") == 3, daemon.text()


def test_what_needs_a_new_start_is_said(dovecot, user, world, two):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail", 2)
        save(world, "state_dir = '%s/other'\n" % world.dir + two[0])
        daemon.wait_for("another state_dir, spool_dir, which takes effect when the daemon is started again")
        daemon.wait_for("1 removed, 1 as before")
        assert not os.path.exists(world.dir + "/other")


def test_hup(dovecot, user, world, two):
    """Reads it again, and opens the log anew, as logrotate wants it."""
    log = world.dir + "/log"
    world.write_config("log_file = '%s'\n" % log + two[0])
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        os.rename(log, log + ".1")
        daemon.child.send_signal(signal.SIGHUP)
        daemon.wait_for("no account has changed")
    with open(log) as f:
        assert "no account has changed" in f.read()


def test_a_refused_password_is_tried_again(dovecot, user, world):
    """The section is the same; the file that it names is not."""
    secret = world.dir + "/secret"
    with open(secret, "w") as f:
        f.write("wrong")
    os.chmod(secret, 0o600)
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, interval=1, password=None, password_file=secret))
    with running(world) as daemon:
        daemon.wait_for("refused twice")
        with open(secret, "w") as f:
            f.write(dovecot.password)
        daemon.child.send_signal(signal.SIGHUP)
        arrives(world.mail, 1, daemon)


def test_service_manager(dovecot, user, world, two):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(world.dir + "/notify")
    manager.settimeout(20)

    def hear(words):
        while True:
            said = manager.recv(4096).decode()
            if said.startswith(words):
                return said

    env = {**world.env, "NOTIFY_SOCKET": world.dir + "/notify", "WATCHDOG_USEC": "2000000"}
    with manager, running(world, env=env) as daemon:
        assert hear("READY=1") == "READY=1"
        hear("WATCHDOG=1")
        while "2 told of new mail" not in hear("STATUS=2 accounts"):
            pass
        daemon.child.send_signal(signal.SIGHUP)
        assert "\nMONOTONIC_USEC=" in hear("RELOADING=1")
        hear("READY=1")
        daemon.child.send_signal(signal.SIGTERM)
        hear("STOPPING=1")


def test_lines_for_the_journal(dovecot, user, world, two):
    """Standard error is the journal when JOURNAL_STREAM says so; a file stands for it here."""
    with open(world.dir + "/journal", "wb") as journal:
        st = os.fstat(journal.fileno())
        env = {**world.env, "JOURNAL_STREAM": "%d:%d" % (st.st_dev, st.st_ino)}
        world.write_config(account(dovecot, user, world, "a", password="wrong"))
        child = world.start("fetch", env=env, stdout=subprocess.DEVNULL, stderr=journal)
        assert child.wait(30) == 77
    with open(world.dir + "/journal") as f:
        lines = f.read().splitlines()
    assert lines and all(line.startswith("<3>account a: ") for line in lines), lines
