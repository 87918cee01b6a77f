# SPDX-License-Identifier: MIT
"""Very many accounts in one daemon: what one that waits costs, and that they do not come as a storm.

With MAILHAUL_SOAK=full a thousand of them, for a minute; else few, for some seconds.
"""
import signal
import time

import pytest

import certs
import mailhaul
from daemon import FULL, await_that, arrives, running
from dovecot import sample
from live import contents
from pushserver import PushServer

COUNT = 1000 if FULL else 120
KIB_EACH = 40 if FULL else 60  # few do not even out what the allocator holds back


@pytest.fixture
def plain(tmp_path):
    """A world with a program whose memory means something."""
    kind = next((k for k in ("MAILHAUL_RELEASE", "MAILHAUL_PLAIN") if mailhaul.program(k)), None)
    if kind is None:
        pytest.skip("memory is measured without sanitizers: set MAILHAUL_RELEASE or MAILHAUL_PLAIN")
    return mailhaul.World(str(tmp_path), kind)


@pytest.fixture
def many(tmp_path):
    """A server with TLS for all of them."""
    authority = certs.Authority(str(tmp_path / "ca"))
    with PushServer(["u%d" % n for n in range(COUNT)], pair=authority.issue("server")) as server:
        server.ca_file = authority.file
        yield server


def config(server, world, users, **keys):
    return "".join(server.account(user, world.mail + "/" + user, ca_file=server.ca_file, **{"interval": 3600, "timeout": 60, **keys})
                   for user in users)


@pytest.mark.parametrize("how,disabled", [("notify", None), ("idle", ["NOTIFY"])][:2 if FULL else 1])
def test_what_one_costs(many, plain, how, disabled):
    """From twenty accounts, with which every thread of max_sessions has been there, to all."""
    few = 20
    plain.write_config(config(many, plain, many.users[:few], disable_extensions=disabled))
    with running(plain) as daemon:
        many.await_waiting(few)
        before = daemon.cost()
        plain.write_config(config(many, plain, many.users, disable_extensions=disabled))
        many.await_waiting(COUNT, 120)
        after = daemon.cost()
        assert len(many.logins) == COUNT
        await_that(lambda: daemon.cost().threads <= 2, daemon, 60, 0.1)
        busy = daemon.cost().cpu
        time.sleep(60 if FULL else 2)  # what is looked for is that nothing happens
        idle = daemon.cost().cpu - busy
        # One that is waited for is told, wherever it stands in the row.
        many.append(many.users[-1], sample(1))
        arrives(plain.mail + "/" + many.users[-1], 1, daemon)
    each = (after.pss - before.pss) / (COUNT - few)
    print("%s: %.1f KiB an account, %.2f s of CPU while idle" % (how, each, idle))
    assert 0 < each <= KIB_EACH
    assert idle <= (0.1 if FULL else 0.05)
    assert after.descriptors - before.descriptors <= COUNT - few + 2
    assert max(many.peak.values()) == 1


def test_no_storm(many, world):
    """max_sessions is for those that work; the others wait for their turn."""
    most, worst = 4, []
    world.write_config("max_sessions = %d\n" % most + config(many, world, many.users))

    def at_work():
        worst.append(sum(not c.model.waits() for c in list(many.connections)))
        return many.waiting() == COUNT
    with running(world) as daemon:
        await_that(at_work, daemon, 120, 0.005)
        daemon.child.send_signal(signal.SIGUSR1)
        await_that(lambda: many.waiting() == COUNT, daemon, 120)
        # A pass over those that wait needs no new login.
        assert len(many.logins) == COUNT
    assert 0 < max(worst) <= most + 1, max(worst)


def test_reload_touches_one_only(many, world):
    """One changed, one added, one removed: the others keep their connections."""
    users = many.users
    world.write_config(config(many, world, users[:-1]))
    with running(world) as daemon:
        many.await_waiting(COUNT - 1, 120)
        before = {c.user: c for c in many.connections}
        text = config(many, world, users[1:-2] + users[-1:]) + config(many, world, users[-2:-1], interval=1800)
        world.write_config(text)
        many.await_that(lambda: {c.user for c in many.connections} == set(users[1:]) and many.waiting() == COUNT - 1 and
                        next(c for c in many.connections if c.user == users[-2]) is not before[users[-2]])
        for user in users[1:-2]:
            assert next(c for c in many.connections if c.user == user) is before[user], daemon.text()
        world.write_config("account 'broken' {\n" + text)
        daemon.wait_for("mailhaul.conf")
        many.append(users[1], sample(1))
        arrives(world.mail + "/" + users[1], 1, daemon)


def test_each_gets_its_own(many, world):
    for n, user in enumerate(many.users):
        for m in range(10):
            many.append(user, sample(n * 10 + m))
    world.write_config(config(many, world, many.users))
    with running(world) as daemon:
        many.await_waiting(COUNT, 120)
        for user in many.users:
            many.append(user, sample(1))
        for user in many.users:
            arrives(world.mail + "/" + user, 11, daemon)
    for user in many.users:
        assert contents(world.mail + "/" + user) == many.held(user)
