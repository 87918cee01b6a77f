# SPDX-License-Identifier: MIT
"""The daemon through a long bad day: random cuts, silence, refusals, a server that is down, floods, reloads, and people
who ask how it is. At its end every message is there once, and nothing is held that was not held at its beginning.

Twenty seconds of it; with MAILHAUL_SOAK=full five minutes. The seed is printed with a failure; MAILHAUL_SEED=N repeats it.
"""
import contextlib
import os
import random
import signal
import time

import mailhaul
from daemon import FULL, await_that, delivered, running
from dovecot import sample
from live import contents
from pushserver import PushServer

SECONDS = 300 if FULL else 20
ACCOUNTS = 6


def kinds(stack):
    """Told by NOTIFY, told by IDLE, and looked at now and then."""
    users = ["u%d" % n for n in range(ACCOUNTS)]
    return [(stack.enter_context(PushServer(users)), {}),
            (stack.enter_context(PushServer(users)), {"disable_extensions": ["NOTIFY"]}),
            (stack.enter_context(PushServer(users, "pop3")), {})]


def config(world, servers, interval=2):
    return "".join(server.account(user, "%s/%d-%s" % (world.mail, n, user), name="%d-%s" % (n, user), interval=interval,
                                  timeout=2, **keys)
                   for n, (server, keys) in enumerate(servers) for user in server.users)


class BadDay:
    def __init__(self, world, servers, daemon, seed):
        self.world, self.servers, self.daemon, self.rng = world, servers, daemon, random.Random(seed)
        self.number, self.asleep = 0, set()

    def mail(self, server, count):
        for _ in range(count):
            self.number += 1
            server.append(self.rng.choice(server.users), sample(self.number))

    def one_thing(self):
        server = self.rng.choice(self.servers)[0]
        what = self.rng.choice(["mail", "mail", "mail", "flood", "fin", "reset", "some", "hush", "down", "up", "up", "refuse",
                                "take", "take", "usr1", "hup", "fetch", "status", "enough"])
        if what == "mail":
            self.mail(server, 2)
        elif what == "flood":
            self.mail(server, 40)
        elif what in ("fin", "reset"):
            server.cut(what)
        elif what == "some":
            server.cut("reset", lambda connection: self.rng.random() < 0.5)
        elif what == "hush":
            server.hush()
        elif what == "down" and server not in self.asleep:
            self.asleep.add(server)
            server.down()
            server.cut()
        elif what == "up" and server in self.asleep:
            self.asleep.discard(server)
            server.up()
        elif what == "refuse":
            server.refuse(self.rng.choice(server.users), "-ERR [SYS/TEMP] later" if server.protocol == "pop3" else "NO [UNAVAILABLE] later")
        elif what == "take":
            server.refusals.clear()
        elif what == "usr1":
            self.daemon.child.send_signal(signal.SIGUSR1)
        elif what == "hup":
            self.world.write_config(config(self.world, self.servers, self.rng.choice([2, 3])))
            self.daemon.child.send_signal(signal.SIGHUP)
        elif what == "fetch":
            self.world.run("fetch")  # whatever its end: it must not be in the way
        elif what == "status":
            assert self.world.run("status", "--json", check=0).out.count(b"\n") == 3 * ACCOUNTS
        elif what == "enough" and server.protocol == "imap":
            server.end_idle("INBOX")

    def recover(self):
        for server, _ in self.servers:
            server.refusals.clear()
            if server in self.asleep:
                server.up()
        self.world.write_config(config(self.world, self.servers))


def missing(world, servers):
    return sum(len(server.held(user)) - delivered("%s/%d-%s" % (world.mail, n, user))
               for n, (server, _) in enumerate(servers) for user in server.users)


def quiet(daemon, servers):
    """All that can wait does, and nothing is on its way."""
    for server, _ in servers[:2]:
        server.await_waiting(ACCOUNTS)
    return daemon.cost()


def test_bad_day(tmp_path):
    seed = int(os.environ.get("MAILHAUL_SEED") or random.SystemRandom().randrange(10**6))
    print("seed", seed)
    # The sanitizers look for leaks when the program ends; the long form looks at what it holds before.
    kind = "MAILHAUL_PLAIN" if FULL and mailhaul.program("MAILHAUL_PLAIN") else "MAILHAUL"
    world = mailhaul.World(str(tmp_path), kind)
    with contextlib.ExitStack() as stack:
        servers = kinds(stack)
        world.write_config(config(world, servers))
        with running(world) as daemon:
            before = quiet(daemon, servers)
            day = BadDay(world, servers, daemon, seed)
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                day.one_thing()
                assert daemon.child.poll() is None, daemon.text()
                time.sleep(day.rng.uniform(0, 0.2))
            day.recover()
            deadline = time.monotonic() + 60
            while missing(world, servers) > 0:
                assert time.monotonic() < deadline, "%d missing\n%s" % (missing(world, servers), daemon.text())
                daemon.child.send_signal(signal.SIGUSR1)
                time.sleep(0.5)
            quiet(daemon, servers)
            # One for each connection that waits, and a few of its own; max_sessions threads for passes and as many for
            # what is short.
            await_that(lambda: daemon.cost().descriptors <= 2 * ACCOUNTS + 14, daemon, 30, 0.02)
            assert daemon.cost().threads <= 2 * 16 + 1
            after = daemon.cost()
            if kind == "MAILHAUL_PLAIN":
                assert after.pss < before.pss + 8192, (before, after)
        for n, (server, _) in enumerate(servers):
            for user in server.users:
                here = contents("%s/%d-%s" % (world.mail, n, user))
                assert here == server.held(user), "seed %d: %s" % (seed, user)
    print(before, after)
