# SPDX-License-Identifier: MIT
"""The daemon against a real server: it fetches, is told, survives the server, and leaves when it is asked to."""
import json
import os
import signal
import time

import pytest

import mailhaul
from daemon import arrives, running
from dovecot import Dovecot, sample
from live import contents, held, make_account


@pytest.mark.parametrize("how,disabled", [("NOTIFY", []), ("IDLE on INBOX", ["NOTIFY"])])
def test_told_by_the_server(dovecot, user, world, how, disabled):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world.write_config(make_account(dovecot, user, world.mail, disable_extensions=disabled or None, interval=3600))
    with running(world) as daemon:
        arrives(world.mail, 3, daemon)
        daemon.wait_for("waiting for new mail: " + how)
        for n in range(3, 6):
            dovecot.append(user, "INBOX", [sample(n)])
            assert arrives(world.mail, n + 1, daemon) < 5
    assert contents(world.mail) == held(dovecot, user)


def test_polls_where_nobody_tells(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, protocol="pop3", interval=1))
    with running(world) as daemon:
        dovecot.append(user, "INBOX", [sample(1)])
        arrives(world.mail, 1, daemon)
        dovecot.append(user, "INBOX", [sample(2)])
        arrives(world.mail, 2, daemon)
    assert contents(world.mail) == held(dovecot, user)


def test_further_folders(dovecot, user, world):
    """IDLE tells about one folder a connection; each that `idle` names has one of its own."""
    dovecot.append(user, "Work", [sample(1)])
    world.write_config(make_account(dovecot, user, world.mail, folders=["INBOX", "Work"], idle=["INBOX", "Work"],
                                    disable_extensions=["NOTIFY"], interval=3600))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail: IDLE on INBOX")
        daemon.wait_for("waiting for new mail: IDLE on Work")
        dovecot.append(user, "Work", [sample(2)])
        assert arrives(world.mail, 2, daemon) < 5
        dovecot.append(user, "INBOX", [sample(3)])
        assert arrives(world.mail, 3, daemon) < 5


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_stopped_in_mid_batch(dovecot, user, world, protocol):
    messages = [sample(n, 60000) for n in range(150)] + [sample(1000, 30_000_000)]
    dovecot.append(user, "INBOX", messages)
    port = dovecot.ports[protocol]
    with mailhaul.DelayProxy(100, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, tls="plaintext",
                                        port=proxy.ports[port], leave_on_server="no"))
        with running(world) as daemon:
            tmp = world.mail + "/tmp"
            while not (os.path.isdir(tmp) and os.listdir(tmp)):
                assert daemon.child.poll() is None, daemon.text()
                time.sleep(0.005)
            daemon.stop()
    here = contents(world.mail)
    everything = sorted(map(mailhaul.local, messages))
    assert set(here) <= set(everything) and len(here) == len(set(here))
    assert set(here) | set(held(dovecot, user)) == set(everything)
    assert os.listdir(tmp) == []
    # A pass that was stopped has neither failed nor worked, and the next one brings the rest.
    with open(world.state + "/mailhaul/a.last") as f:
        last = json.load(f)
    assert (last["failures"], last["error"], last["last_success"]) == (0, "", 0)
    world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, leave_on_server="no"))
    world.run("fetch", check=0)
    assert sorted(contents(world.mail)) == everything and held(dovecot, user) == []


def test_server_comes_back(world):
    """While it is down the trouble is told once; afterwards that it is over, and the mail is there."""
    with Dovecot(users=["anna"]) as d:
        log = world.dir + "/log"
        world.write_config("log_file = '%s'\n" % log + make_account(d, "anna", world.mail, interval=1))
        with running(world) as daemon:
            daemon.wait_for("waiting for new mail")
            d.down()
            daemon.wait_for("Connection refused", 3)
            d.start()
            d.append("anna", "INBOX", [sample(1)])
            arrives(world.mail, 1, daemon)
            daemon.wait_for("works again after")
        with open(log) as f:
            assert sum("refused" in line for line in f) == 1


def test_password_refused_twice(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, password="wrong", interval=1))
    with running(world) as daemon:
        daemon.wait_for("refused twice")
        refused = sum("refused" in line for line in daemon.lines)
        time.sleep(3)  # three intervals, in none of which it may try
        assert sum("refused" in line for line in daemon.lines) == refused


def test_fetch_beside_it(dovecot, user, world):
    """A lock that another one holds is no failure."""
    import fcntl
    world.write_config(make_account(dovecot, user, world.mail, interval=1))
    world.run("fetch", check=0)
    dovecot.append(user, "INBOX", [sample(1)])
    with open(world.state + "/mailhaul/a.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(world) as daemon:
            daemon.wait_for("waiting until it is done")
            fcntl.flock(lock, fcntl.LOCK_UN)
            arrives(world.mail, 1, daemon)


def test_usr1_fetches_now(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, protocol="pop3", interval=3600))
    with running(world) as daemon:
        daemon.wait_for("connecting")
        dovecot.append(user, "INBOX", [sample(1)])
        daemon.child.send_signal(signal.SIGUSR1)
        arrives(world.mail, 1, daemon)


def test_interrupted(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        daemon.stop(signal.SIGINT, 2)
