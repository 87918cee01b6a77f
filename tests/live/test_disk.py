# SPDX-License-Identifier: MIT
"""A full, read-only or failing disk: exit 74, nothing recorded, nothing removed, tmp/ clean; then all is well again."""
import contextlib
import os
import sqlite3
import subprocess

import pytest

import mailhaul
from dovecot import sample
from live import contents, held, make_account

BOTH = pytest.mark.parametrize("protocol", ["pop3", "imap"])
root_only = pytest.mark.skipif(os.getuid() != 0, reason="mounting a small tmpfs needs root")


@pytest.fixture
def small_disk(tmp_path):
    where = tmp_path / "small"
    where.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k,mode=0700", "tmpfs", str(where)],
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        pytest.skip("cannot mount a tmpfs here: " + done.stderr.decode().strip())
    yield str(where)
    subprocess.run(["umount", "-l", str(where)], check=True)


@root_only
@BOTH
def test_disk_full(dovecot, user, account, small_disk, protocol):
    dovecot.append(user, "INBOX", [sample(n, 20000) for n in range(60)])
    maildir = small_disk + "/Mail"
    world = account(protocol=protocol, maildir=maildir, leave_on_server="no")
    result = world.run("fetch", check=74)
    assert b"space" in result.err
    here, everything = contents(maildir), {mailhaul.local(sample(n, 20000)) for n in range(60)}
    assert set(here) <= everything and len(here) == len(set(here))
    assert set(here) | set(held(dovecot, user)) == everything
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    world.run("fetch", check=0)
    assert contents(maildir) == sorted(mailhaul.local(sample(n, 20000)) for n in range(60))
    assert dovecot.count(user) == 0


@root_only
def test_state_disk_full(dovecot, user, world, small_disk):
    dovecot.append(user, "INBOX", [sample(n) for n in range(20)])
    with open(small_disk + "/filler", "wb", buffering=0) as f, contextlib.suppress(OSError):
        while f.write(b"x" * 4096):
            pass
    world.write_config("state_dir = '%s/state'\n" % small_disk +
                       make_account(dovecot, user, world.mail, leave_on_server="no"))
    world.run("fetch", check=74)
    assert dovecot.count(user) == 20
    os.unlink(small_disk + "/filler")
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 20 and dovecot.count(user) == 0


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT", "EACCES"])
@pytest.mark.parametrize("call", ["write", "open"])
def test_failing_disk(dovecot, user, account, call, error):
    """Every write or open below the Maildir fails from the third on."""
    if not mailhaul.program("MAILHAUL_PLAIN"):
        pytest.skip("needs a build without sanitizers: set MAILHAUL_PLAIN")
    dovecot.append(user, "INBOX", [sample(n) for n in range(20)])
    world = account(leave_on_server="no")
    world.kind = "MAILHAUL_PLAIN"
    world.run("check", check=0)
    env = {"LD_PRELOAD": mailhaul.helper("faults"), "FAULT_CALL": call, "FAULT_AT": "3", "FAULT_STICKY": "1",
           "FAULT_ERRNO": error, "FAULT_PATH": world.mail + "/tmp"}
    world.run("fetch", check=74, env=env)
    here = [m.data for m in mailhaul.read_maildir(world.mail) if m.place != "tmp"]
    assert set(here) | set(held(dovecot, user)) == {mailhaul.local(sample(n)) for n in range(20)}
    world.run("fetch", check=0)
    assert contents(world.mail) == sorted(mailhaul.local(sample(n)) for n in range(20))
    assert dovecot.count(user) == 0


def test_path_is_a_file(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    world = account(leave_on_server="no")
    with open(world.mail, "w") as f:
        f.write("not a directory")
    world.run("fetch", check=74)
    assert dovecot.count(user) == 1


def test_newer_state_is_refused(dovecot, user, account):
    """State written by a later version is not touched."""
    dovecot.append(user, "INBOX", [sample(1)])
    world = account()
    world.run("fetch", check=0)
    path, = world.journals()
    db = sqlite3.connect(path)
    version, = db.execute("pragma user_version").fetchone()
    db.execute("pragma user_version = %d" % (version + 1000))
    db.commit()
    db.close()
    dovecot.append(user, "INBOX", [sample(2)])
    result = world.run("fetch")
    assert result.code in (74, 78) and result.err
    assert len(contents(world.mail)) == 1
