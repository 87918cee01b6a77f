# SPDX-License-Identifier: MIT
"""What the machine goes through: it sleeps, its network becomes another one, its calendar is set.

Sleep and the calendar are made with clock.so, which is for builds without sanitizers; the network is one of its own
(ip-netns(8)), so that nothing of the machine's is touched. Both are skipped where they cannot be had.
"""
import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import time

import pytest

import mailhaul
from daemon import await_that, arrives, running
from dovecot import sample
from pushserver import PushServer

DAY = 86400


class Clocks:
    """A world whose calendar and time since boot are set."""

    def __init__(self, directory):
        self.world = mailhaul.World(directory, "MAILHAUL_PLAIN")
        self.path = directory + "/clocks"
        self.set()
        self.env = {"LD_PRELOAD": mailhaul.helper("clock"), "CLOCK_FILE": self.path}

    def set(self, calendar=0, slept=0):
        with open(self.path + ".new", "w") as f:
            f.write("%d %d" % (calendar, slept))
        os.rename(self.path + ".new", self.path)

    def status(self):
        """Asking makes the daemon's loop turn, too, as the kernel's own call does after a real sleep."""
        return json.loads(self.world.run("status", "--json", check=0).out.splitlines()[0])


@pytest.fixture
def clocks(tmp_path):
    if mailhaul.program("MAILHAUL_PLAIN") is None:
        pytest.skip("clocks are set in a program without sanitizers: set MAILHAUL_PLAIN")
    return Clocks(str(tmp_path))


@pytest.mark.parametrize("disabled", [None, ["NOTIFY"]], ids=["notify", "idle"])
def test_after_sleep(clocks, disabled):
    """The line died in sleep, and nobody says so: all are asked at once, not at `interval`."""
    world = clocks.world
    with PushServer(["u"]) as server:
        world.write_config(server.account("u", world.mail, interval=3600, timeout=2, disable_extensions=disabled))
        with running(world, env=clocks.env) as daemon:
            server.await_waiting(1)
            server.hush()
            server.append("u", sample(1))
            clocks.set(calendar=8 * 3600, slept=8 * 3600)
            clocks.status()
            daemon.wait_for("the machine slept")
            assert arrives(world.mail, 1, daemon) < 2 + 5
            server.await_waiting(1)


def test_polled_after_sleep(clocks):
    """Who is not told looks at once, too: the interval went by in sleep."""
    world = clocks.world
    with PushServer(["u"], "pop3") as server:
        world.write_config(server.account("u", world.mail, interval=3600))
        with running(world, env=clocks.env) as daemon:
            daemon.wait_for("connecting")
            await_that(lambda: clocks.status()["doing"] == "sleeping", daemon)
            server.append("u", sample(1))
            clocks.set(slept=3600)
            clocks.status()
            arrives(world.mail, 1, daemon, 10)


@pytest.mark.parametrize("step", [-400 * DAY, 400 * DAY], ids=["back", "forward"])
def test_calendar_is_set(clocks, step):
    """It is nobody's sleep, no deadline moves, and what people read keeps its sense."""
    world = clocks.world
    with PushServer(["u"]) as told, PushServer(["v"], "pop3") as polled:
        world.write_config(told.account("u", world.mail + "/u", interval=3600) +
                           polled.account("v", world.mail + "/v", interval=1))
        with running(world, env=clocks.env) as daemon:
            told.await_waiting(1)
            await_that(lambda: polled.logins, daemon)
            clocks.set(calendar=step)
            told.append("u", sample(1))
            polled.append("v", sample(2))
            arrives(world.mail + "/u", 1, daemon, 10)
            arrives(world.mail + "/v", 1, daemon, 10)
            before = len(polled.logins)
            await_that(lambda: len(polled.logins) > before + 1, daemon, 10)
            status = clocks.status()
            assert abs(status["next_pass"] - (time.time() + step)) < 2 * 3600 + 60, status
            assert daemon.count("slept") == 0 and len(told.logins) == 1
            assert len(polled.logins) < 30


# ---- the network

CLONE_NEWNET = 0x40000000
TOOLS = ("ip", "unshare", "nsenter")


class Network:
    """A network of its own, with a loopback, and an interface whose other end is there, too."""

    def __init__(self):
        self.keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.there = self.keeper.stdout.readline() == "ready\n"

    def command(self, *words):
        return ["nsenter", "--net=/proc/%d/ns/net" % self.keeper.pid, *words]

    def ip(self, words):
        subprocess.run(self.command("ip", *words.split()), check=True, capture_output=True)

    def enter(self):
        """The thread that calls this."""
        with open("/proc/%d/ns/net" % self.keeper.pid) as f:
            if ctypes.CDLL(None, use_errno=True).setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def end(self):
        with contextlib.suppress(OSError):
            self.keeper.stdin.close()
        self.keeper.wait(10)
        self.keeper.stdout.close()


class ServerThere(PushServer):
    """One that listens in that network."""

    def __init__(self, network, *args, **keys):
        super().__init__(*args, **keys)
        self.network = network

    def up(self):
        async def enter():
            self.network.enter()
        asyncio.run_coroutine_threadsafe(enter(), self.loop).result(10)
        super().up()


@pytest.fixture
def network():
    if not all(map(shutil.which, TOOLS)):
        pytest.skip("a network of its own is made with " + ", ".join(TOOLS))
    network = Network()
    if not network.there:
        network.end()
        pytest.skip("a network of its own is for root")
    yield network
    network.end()


def test_another_route(network, world):
    """Many lines are dead and nobody says so; a route changes: all of them are asked at once, however few may work at a
    time."""
    users = ["u%d" % n for n in range(60)]
    network.ip("link add there type veth peer name here")
    with ServerThere(network, users) as server:
        world.write_config("max_sessions = 2\n" + "".join(
            server.account(u, world.mail + "/" + u, interval=3600, timeout=3, disable_extensions=["NOTIFY"]) for u in users))
        with running(world, wrap=network.command()) as daemon:
            server.await_waiting(len(users), 120)
            before = len(server.logins)
            assert server.hush() == len(users)
            for user in users:
                server.append(user, sample(1))
            begin = time.monotonic()
            network.ip("addr add 192.0.2.1/24 dev here")
            network.ip("link set here up")
            network.ip("link set there up")
            daemon.wait_for("the network has changed")
            daemon.wait_for("no answer for 3 seconds", len(users))
            assert time.monotonic() - begin < 3 + 4
            server.await_waiting(len(users), 120)
            for user in users:
                arrives(world.mail + "/" + user, 1, daemon)
            assert len(server.logins) == before + len(users)
            # What lives is asked, and stays.
            network.ip("route add 198.51.100.0/24 via 192.0.2.2")
            daemon.wait_for("the network has changed", 2)
            await_that(lambda: sum(command == b"NOOP" for _, command in server.heard) >= len(users), daemon)
            server.await_waiting(len(users))
            assert len(server.logins) == before + len(users)
