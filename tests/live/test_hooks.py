# SPDX-License-Identifier: MIT
"""Programs that are told what became of a pass: once, with the facts in their environment, and harming nothing."""
import os
import stat

import pytest

import mailhaul
from dovecot import sample
from live import make_account
from test_daemon import arrives, running

TOLD = """#!/bin/sh
{ echo "$1 account=$MAILHAUL_ACCOUNT messages=$MAILHAUL_MESSAGES bytes=$MAILHAUL_BYTES failures=$MAILHAUL_FAILURES"
  echo "error=$MAILHAUL_ERROR"
  sed 's/^/file=/'
} >>"$0.log"
"""


class Hook:
    """A program that keeps what it is told."""

    def __init__(self, world):
        self.path = world.dir + "/hook"
        with open(self.path, "w") as f:
            f.write(TOLD)
        os.chmod(self.path, stat.S_IRWXU)
        self.keys = {key: [self.path, key] for key in ("on_new_mail", "on_failure", "on_recovery")}

    def lines(self):
        if not os.path.exists(self.path + ".log"):
            return []
        with open(self.path + ".log") as f:
            return f.read().splitlines()

    def calls(self):
        return [line for line in self.lines() if line.startswith("on_")]


@pytest.fixture
def hook(world):
    return Hook(world)


def test_new_mail(dovecot, user, world, hook):
    """Once a pass, with the paths of the files, wherever their flags have put them."""
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    dovecot.append(user, "Work/Sub", [sample(9)])
    dovecot.append(user, "INBOX", [sample(5)], flags="\\Seen")
    world.write_config(make_account(dovecot, user, world.mail, folders=["*"], **hook.keys))
    world.run("fetch", check=0)
    assert [line.split(" bytes=")[0] for line in hook.calls()] == ["on_new_mail account=a messages=5"]
    files = sorted(line[5:] for line in hook.lines() if line.startswith("file="))
    there = sorted(os.path.join(where, name) for where, _, names in os.walk(world.mail) for name in names
                   if os.path.basename(where) in ("new", "cur"))
    assert files == there and len(files) == 5
    world.run("fetch", check=0)
    assert len(hook.calls()) == 1


def test_more_than_one_write_of_paths(dovecot, user, world, hook):
    dovecot.append(user, "INBOX", [sample(n, 100) for n in range(600)])
    world.write_config(make_account(dovecot, user, world.mail, **hook.keys))
    world.run("fetch", check=0)
    files = [line[5:] for line in hook.lines() if line.startswith("file=")]
    assert len(set(files)) == 600 and all(os.path.exists(f) for f in files)


def test_other_destinations_have_no_paths(dovecot, user, world, hook):
    dovecot.append(user, "INBOX", [sample(1)])
    text = make_account(dovecot, user, None, **hook.keys)
    world.write_config(text.strip()[:-1] + "\ndeliver command { command = { 'cat' } }\n}\n")
    world.run("fetch", check=0)
    assert len(hook.calls()) == 1 and not [line for line in hook.lines() if line.startswith("file=")]


def test_failure_and_recovery(dovecot, user, world, hook):
    """Each once, over runs of the program: the count is kept."""
    bad = make_account(dovecot, user, world.mail, password="wrong", failure_threshold=2, **hook.keys)
    good = make_account(dovecot, user, world.mail, failure_threshold=2, **hook.keys)
    world.write_config(bad)
    world.run("fetch", check=77)
    assert hook.calls() == []
    for _ in range(3):
        world.run("fetch", check=77)
    assert hook.calls() == ["on_failure account=a messages=0 bytes=0 failures=2"]
    assert any(line.startswith("error=") and "refused" in line for line in hook.lines())
    world.write_config(good)
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    assert hook.calls()[1:] == ["on_recovery account=a messages=0 bytes=0 failures=4"]
    # One failure that passes is nobody's business.
    world.write_config(bad)
    world.run("fetch", check=77)
    world.write_config(good)
    world.run("fetch", check=0)
    assert len(hook.calls()) == 2


def test_a_dry_run_tells_nobody(dovecot, user, world, hook):
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, failure_threshold=1, **hook.keys))
    world.run("fetch", "-n", check=0)
    world.write_config(make_account(dovecot, user, world.mail, password="wrong", failure_threshold=1, **hook.keys))
    world.run("fetch", "-n", check=77)
    assert hook.calls() == []


@pytest.mark.parametrize("program,said", [(["/bin/false"], "failed with status 1"), (["/nowhere"], "cannot be run"),
                                          (["/bin/sh", "-c", "echo oops >&2; kill -9 $$"], "killed by signal 9")])
def test_one_that_fails_harms_nothing(dovecot, user, world, program, said):
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, on_new_mail=program))
    assert said in world.run("fetch", check=0).err.decode()
    assert len(mailhaul.read_maildir(world.mail)) == 1


def test_of_the_daemon(dovecot, user, world, hook):
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, interval=3600, **hook.keys))
    with running(world) as daemon:
        arrives(world.mail, 1, daemon)
        daemon.wait_for("waiting for new mail")
        dovecot.append(user, "INBOX", [sample(2), sample(3)])
        arrives(world.mail, 3, daemon)
    assert sum(int(call.split("messages=")[1].split()[0]) for call in hook.calls()) == 3
    assert len([line for line in hook.lines() if line.startswith("file=")]) == 3
