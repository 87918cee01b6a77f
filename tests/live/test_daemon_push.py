# SPDX-License-Identifier: MIT
"""How soon new mail is here, how the daemon is told of it folder by folder, and what it does when the line goes bad.

PushServer tells at once, so that what is measured is mailhaul; Dovecot 2.3 itself waits up to half a second. The bounds
are for machines that do other things besides, and for a program with sanitizers; tests/bench has the goals.
"""
import signal
import statistics
import threading
import time

import pytest

import mailhaul
from daemon import FULL, Arrivals, await_that, arrives, running
from dovecot import sample
from live import contents, held, make_account
from pushserver import PushServer

WAYS = [("NOTIFY", None), ("IDLE on INBOX", ["NOTIFY"])]
ways = pytest.mark.parametrize("how,disabled", WAYS, ids=["notify", "idle"])


@ways
def test_soon_with_dovecot(dovecot, user, world, how, disabled):
    """One message after the other, each when the one before is here."""
    world.write_config(make_account(dovecot, user, world.mail, disable_extensions=disabled, interval=3600))
    times = []
    with Arrivals(world.mail) as mail, running(world) as daemon:
        for n in range(100 if FULL else 8):
            daemon.wait_for("waiting for new mail: " + how, n + 1)
            dovecot.append(user, "INBOX", [sample(n)])
            begin = time.monotonic()
            times.append(mail.next(daemon) - begin)
    assert contents(world.mail) == held(dovecot, user)
    assert statistics.median(times) < 1.5 and max(times) < 5, sorted(times)


@ways
def test_at_once(world, how, disabled):
    with PushServer(["u"]) as server, Arrivals(world.mail) as mail:
        world.write_config(server.account("u", world.mail, disable_extensions=disabled, interval=3600))
        with running(world) as daemon:
            times = []
            for n in range(100 if FULL else 20):
                server.await_waiting(1)
                told = server.append("u", sample(n))
                times.append(mail.next(daemon) - told)
        assert contents(world.mail) == server.held("u")
        # A connection that is told keeps itself: it is never made anew.
        assert len(server.logins) == 1
    assert statistics.median(times) < 0.3 and max(times) < 3, sorted(times)


def test_notify_is_about_every_folder(world):
    names = ["INBOX", "Work", "Lists/a", "Lists/b", "Spam"]
    with PushServer(["u"], folders=names) as server:
        world.write_config(server.account("u", world.mail, folders=["*", "!Spam"], idle=["*"], interval=3600))
        with running(world) as daemon:
            for round_, name in enumerate(names[:4], 1):
                server.await_waiting(1)
                server.append("u", sample(round_), name)
                arrives(world.mail, round_, daemon, 10)
            server.append("u", sample(9), "Spam")
            server.append("u", sample(10), "Work")
            arrives(world.mail, 5, daemon, 10)
        assert server.peak["u"] == 1
    assert len(contents(world.mail, ".Work")) == 2 and len(contents(world.mail, ".Lists.a")) == 1
    assert ".Spam" not in mailhaul.folders_of(world.mail)


def test_idle_within_max_connections(world):
    """Two connections for three folders: what the third brings is found at `interval`."""
    names = ["INBOX", "A", "B"]
    with PushServer(["u"], folders=names) as server:
        world.write_config(server.account("u", world.mail, folders=names, idle=names, max_connections=2, interval=2,
                                          disable_extensions=["NOTIFY"]))
        with running(world) as daemon:
            server.await_waiting(2)
            for count, name in enumerate(names, 1):
                server.append("u", sample(count), name)
                assert arrives(world.mail, count, daemon) < 10
                server.await_waiting(2)
        assert server.peak["u"] == 2
    for name in ("", ".A", ".B"):
        assert len(contents(world.mail, name)) == 1


@ways
def test_silent_cut(world, how, disabled):
    """The line is dead and nobody says so: found out by asking, at `interval`, and given up after `timeout`."""
    interval, timeout = 2, 2
    with PushServer(["u"]) as server:
        world.write_config(server.account("u", world.mail, disable_extensions=disabled, interval=interval, timeout=timeout))
        with running(world) as daemon:
            server.await_waiting(1)
            assert server.hush() == 1
            server.append("u", sample(1))
            took = arrives(world.mail, 1, daemon)
            server.await_waiting(1)
        assert contents(world.mail) == server.held("u")
    assert took < interval + timeout + 3


@ways
@pytest.mark.parametrize("cut", ["fin", "reset"])
def test_cut(world, how, disabled, cut):
    """A line that is cut is noticed at once, and what came meanwhile is found."""
    with PushServer(["u"]) as server:
        world.write_config(server.account("u", world.mail, disable_extensions=disabled, interval=3600))
        with running(world) as daemon:
            server.await_waiting(1)
            server.down()
            server.cut(cut)
            server.append("u", sample(1))
            server.up()
            arrives(world.mail, 1, daemon, 40)
            server.await_waiting(1)
            server.append("u", sample(2))
            arrives(world.mail, 2, daemon, 10)
        assert contents(world.mail) == server.held("u")


@ways
def test_flood(dovecot, user, world, how, disabled):
    """Mail comes faster than it is fetched, for a while: all of it once, and not a pass for each message."""
    count = 3000 if FULL else 300
    world.write_config(make_account(dovecot, user, world.mail, disable_extensions=disabled, interval=3600))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail: " + how)

        def pour(first):
            for n in range(first, count, 2):
                dovecot.append(user, "INBOX", [sample(n, 2000)])
        pourers = [threading.Thread(target=pour, args=(n,)) for n in (0, 1)]
        for pourer in pourers:
            pourer.start()
        for pourer in pourers:
            pourer.join()
        arrives(world.mail, count, daemon)
        assert daemon.count("waiting for new mail: ") < count // 2, daemon.text()
    assert contents(world.mail) == held(dovecot, user)


def test_beside_cron(dovecot, user, world):
    """`fetch` again and again while the daemon works, with mail coming: neither fails, nothing comes twice."""
    count = 60
    world.write_config(make_account(dovecot, user, world.mail, interval=1))
    with running(world) as daemon:
        for n in range(0, count, 5):
            dovecot.append(user, "INBOX", [sample(m) for m in range(n, n + 5)])
            assert world.run("fetch").code in (0, 75)
        arrives(world.mail, count, daemon, 40)
    assert contents(world.mail) == held(dovecot, user)
    world.run("fetch", check=0)
    assert contents(world.mail) == held(dovecot, user)


def test_asked_by_signal_finds_a_dead_line(world):
    """SIGUSR1: a pass at once, also where the line that waits is dead."""
    with PushServer(["u"]) as server:
        world.write_config(server.account("u", world.mail, interval=3600, timeout=1))
        with running(world) as daemon:
            server.await_waiting(1)
            server.hush()
            server.append("u", sample(1))
            daemon.child.send_signal(signal.SIGUSR1)
            assert arrives(world.mail, 1, daemon) < 10


def refused(server, daemon, answer, ago):
    """Lets the server refuse logins, cuts the line, and returns the times of the attempts within so many seconds."""
    server.await_waiting(1)
    server.refuse("u", answer)
    before = len(server.logins)
    server.cut()
    await_that(lambda: len(server.logins) > before, daemon)
    time.sleep(ago)  # what is looked for is what does not happen
    return [at for at, _ in server.logins[before:]]


@pytest.mark.parametrize("answer,least", [
    ("NO [UNAVAILABLE] try later, Suggested Backoff Time: 4000 milliseconds", 3.9),
    ("NO [LIMIT] Suggested Backoff Time: 4000 milliseconds", 3.9)], ids=["unavailable", "limit"])
def test_server_asks_for_patience(world, answer, least):
    """The time that the server names is kept (interval is 1 s), and it is no refusal of the password."""
    with PushServer(["u"]) as server:
        world.write_config(server.account("u", world.mail, interval=1))
        with running(world) as daemon:
            attempts = refused(server, daemon, answer, 6)
            server.refuse("u", None)
            server.append("u", sample(1))
            arrives(world.mail, 1, daemon)
    gaps = [b - a for a, b in zip(attempts, attempts[1:])]
    assert gaps and min(gaps) >= least, attempts


def test_in_use_is_no_refusal(world):
    """POP3: another client has the mailbox. Tried again after a while, for ever, and told once."""
    log = world.dir + "/log"
    with PushServer(["u"], "pop3") as server:
        server.refuse("u", "-ERR [IN-USE] another session has the mailbox")
        world.write_config("log_file = '%s'\n" % log + server.account("u", world.mail, interval=1))
        with running(world) as daemon:
            await_that(lambda: len(server.logins) >= 3, daemon)
            server.refuse("u", None)
            server.append("u", sample(1))
            arrives(world.mail, 1, daemon)
    with open(log) as f:
        assert f.read().count("IN-USE") <= 1


def test_login_delay(world):
    """RFC 2449: so many seconds between two logins, although `interval` is shorter."""
    with PushServer(["u"], "pop3", capabilities=["UIDL", "USER", "TOP", "LOGIN-DELAY 3"]) as server:
        world.write_config(server.account("u", world.mail, interval=1))
        with running(world) as daemon:
            await_that(lambda: len(server.logins) >= 3, daemon)
    times = [at for at, _ in server.logins]
    assert min(b - a for a, b in zip(times, times[1:])) >= 2.9, times
