# SPDX-License-Identifier: MIT
"""What status, fetch, reload and stop ask of a running daemon, and who asks it in bad faith."""
import json
import os
import signal
import socket
import stat
import subprocess
import time

import pytest

import mailhaul
from daemon import arrives, await_that, delivered, running
from dovecot import sample
from live import contents, held, make_account


def socket_of(world):
    return world.state + "/mailhaul/daemon.sock"


def ask(world, request, timeout=20):
    """The answers, one object a line."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(socket_of(world))
        s.sendall(json.dumps(request).encode() + b"\n" if isinstance(request, dict) else request)
        data = b""
        while piece := s.recv(65536):
            data += piece
    return [json.loads(line) for line in data.splitlines()]


def objects(result):
    return [json.loads(line) for line in result.out.decode().splitlines()]


@pytest.fixture
def slow(dovecot, user, world):
    """An account that is fetched when somebody asks, and not before an hour is over else."""
    text = make_account(dovecot, user, world.mail, protocol="pop3", interval=3600, leave_on_server="yes")
    world.write_config(text)
    return text


def await_pass(world, daemon, passes=1):
    def done():
        first = ask(world, {"do": "status"})[0]
        return first.get("total_passes", 0) >= passes and first["doing"] not in ("queued", "fetching")
    await_that(lambda: os.path.exists(socket_of(world)), daemon)
    await_that(done, daemon)


def test_fetch_is_done_by_the_daemon(dovecot, user, world, slow):
    with running(world) as daemon:
        await_pass(world, daemon)
        dovecot.append(user, "INBOX", [sample(1), sample(2)])
        done = objects(world.run("--json", "fetch", check=0))
        assert [(o["account"], o["messages"], o["result"]) for o in done if o.get("event") == "account"] == [("a", 2, "ok")]
        assert contents(world.mail) == held(dovecot, user)
        assert b"a: nothing new" in world.run("-v", "fetch", check=0).err
        assert world.run("fetch", check=0).err == b""


def test_fetch_tells_the_failure_of_the_daemons_pass(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, password="wrong", interval=3600))
    with running(world) as daemon:
        daemon.wait_for("refused")
        refused = world.run("--json", "fetch", check=77)
        assert objects(refused)[-1]["exit_status"] == 77 and b"refused" in refused.err
        # The daemon has given the account up by now; who asks gets another try.
        daemon.wait_for("refused twice")
        world.run("fetch", check=77)


def test_accounts_that_the_daemon_does_not_have_are_fetched_here(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.dir + "/a", name="a", interval=3600) +
                       make_account(dovecot, user, world.dir + "/b", name="b", interval=3600))
    dovecot.append(user, "INBOX", [sample(1)])
    with running(world, "a") as daemon:
        daemon.wait_for("waiting for new mail")
        done = objects(world.run("--json", "fetch", check=0))
        assert {o["account"]: o["messages"] for o in done if o.get("event") == "account"} == {"a": 0, "b": 1}
    assert contents(world.dir + "/a") == contents(world.dir + "/b") == held(dovecot, user)


def test_oversize(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, max_size=1000, interval=3600))
    dovecot.append(user, "INBOX", [sample(1, 5000)])
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        world.run("fetch", check=0)
        assert delivered(world.mail) == 0
        world.run("fetch", "--oversize", check=0)
        assert contents(world.mail) == held(dovecot, user)


def test_a_daemon_and_many_fetches_never_collide(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, interval=1))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        for first in range(0, 40, 10):
            dovecot.append(user, "INBOX", [sample(n) for n in range(first, first + 10)])
            fetches = [world.start("fetch", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(6)]
            for fetch in fetches:
                out = fetch.communicate(timeout=60)[0]
                assert fetch.returncode == 0, out
        arrives(world.mail, 40, daemon)
    assert contents(world.mail) == held(dovecot, user)


def test_a_client_that_goes_leaves_the_pass_alone(dovecot, user, world):
    dovecot.append(user, "INBOX", [sample(n, 20000) for n in range(60)])
    port = dovecot.ports["imap"]
    with mailhaul.DelayProxy(80, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, tls="plaintext", port=proxy.ports[port], interval=3600))
        with running(world) as daemon:
            client = world.start("fetch", stderr=subprocess.PIPE)
            await_that(lambda: os.path.isdir(world.mail), daemon)
            client.send_signal(signal.SIGINT)
            client.communicate(timeout=30)
            assert client.returncode == 130
            arrives(world.mail, 60, daemon)
    assert contents(world.mail) == held(dovecot, user)


def test_a_daemon_that_dies_in_the_middle(dovecot, user, world):
    """Who waited for it is told, and does the work himself."""
    dovecot.append(user, "INBOX", [sample(n, 20000) for n in range(40)])
    port = dovecot.ports["imap"]
    with mailhaul.DelayProxy(80, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, tls="plaintext", port=proxy.ports[port], interval=3600))
        daemon = world.start("daemon", stderr=subprocess.PIPE)
        while not os.path.exists(socket_of(world)):
            assert daemon.poll() is None
            time.sleep(0.01)
        client = world.start("fetch", stderr=subprocess.PIPE)
        while not os.path.isdir(world.mail):
            time.sleep(0.005)
        daemon.kill()
        daemon.communicate()
        err = client.communicate(timeout=60)[1]
        assert client.returncode in (0, 75), err
        # What it left behind is in nobody's way.
        assert os.path.exists(socket_of(world))
        world.run("fetch", check=0)
    assert contents(world.mail) == held(dovecot, user)
    world.write_config(make_account(dovecot, user, world.mail, interval=3600))
    with running(world) as daemon:
        await_that(lambda: objects(world.run("--json", "status", check=0))[0].get("doing") is not None, daemon)


def test_only_one_daemon(dovecot, user, world, slow):
    with running(world) as daemon:
        await_pass(world, daemon)
        second = world.run("daemon", check=75)
        assert b"daemon" in second.err and world.state.encode() in second.err
        assert stat.S_IMODE(os.stat(socket_of(world)).st_mode) == 0o600


def test_reload_and_its_words(dovecot, user, world, slow):
    with running(world) as daemon:
        await_pass(world, daemon)
        assert b"no account has changed" in world.run("reload", check=0).err
        other = world.dir + "/other.conf"
        # A client with a configuration of its own: it asks the daemon, which reads the daemon's.
        world.write_config(slow, other)
        with open(world.config, "a") as f:
            f.write("nonsense = yes\n")
        wrong = world.run("-c", other, "reload", check=78)
        assert b"goes on with the one that it has" in wrong.err
        world.run("reload", check=78)
        assert objects(world.run("-c", other, "--json", "status", check=0))[0]["doing"] == "sleeping"


def test_stop(dovecot, user, world, slow):
    with running(world) as daemon:
        await_pass(world, daemon)
        world.run("stop", check=0)
        assert daemon.child.wait(1) == 0
        assert not os.path.exists(socket_of(world))
    for command in ("stop", "reload"):
        assert b"no daemon" in world.run(command, check=75).err


def test_a_state_directory_deeper_than_the_name_of_a_socket(dovecot, user, world):
    deep = world.dir + "/" + "/".join(["a" * 60] * 4)
    world.write_config("state_dir = '%s'\n" % deep + make_account(dovecot, user, world.mail, interval=3600))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        assert objects(world.run("--json", "status", check=0))[0]["doing"] == "waiting"
        world.run("stop", check=0)


def test_status_live_and_from_the_files(dovecot, user, world):
    world.write_config(make_account(dovecot, user, world.mail, interval=3600))
    dovecot.append(user, "INBOX", [sample(1)])
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        live = objects(world.run("--json", "status", check=0))[0]
        assert (live["doing"], live["push"], live["messages_today"], live["total_messages"]) == ("waiting", "notify", 1, 1)
        assert b"waiting (NOTIFY)" in world.run("status", check=0).out
    still = objects(world.run("--json", "status", check=0))[0]
    assert still.get("doing") is None and (still["messages_today"], still["total_messages"]) == (1, 1)
    assert still["last_success"] == live["last_success"]


def test_watch_on_a_pipe_goes_on_until_it_is_ended(dovecot, user, world, slow):
    with running(world) as daemon:
        await_pass(world, daemon)
        watch = world.start("--json", "status", "--watch", stdout=subprocess.PIPE)
        lines = [watch.stdout.readline() for _ in range(3)]
        watch.send_signal(signal.SIGINT)
        assert watch.wait(10) == 130
        watch.stdout.close()
    assert [json.loads(line)["account"] for line in lines] == ["a"] * 3


HOSTILE = {
    "no line end": b"x" * 1_000_000,
    "deep": b'{"do":' + b"[" * 10_000 + b"\n",
    "no JSON": b"\x00\xff\n",
    "another shape": b'["status"]\n',
    "unknown": b'{"do":"dance"}\n',
    "accounts of numbers": b'{"do":"fetch","accounts":[1,2]}\n',
    "many accounts": b'{"do":"fetch","accounts":[' + b'"x",' * 50_000 + b'"x"]}\n',
    "empty": b"\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nonsense_is_answered_in_words_and_costs_nothing(dovecot, user, world, slow, name):
    with running(world) as daemon:
        await_pass(world, daemon)
        try:
            answers = ask(world, HOSTILE[name])
            # So long an answer is not kept for who does not read it.
            if name != "many accounts":
                assert (answers[-1]["end"], answers[-1]["status"]) == (True, 64) and answers[-1]["error"]
        except (BrokenPipeError, ConnectionResetError):
            assert name in ("no line end", "many accounts")
        assert ask(world, {"do": "status"})[0]["account"] == "a"


def test_a_crowd_that_says_nothing(dovecot, user, world, slow):
    """Nobody is kept waiting by those who connect and never ask, nor by those who never read."""
    with running(world) as daemon:
        await_pass(world, daemon)
        descriptors = daemon.cost().descriptors
        crowd = []
        try:
            for n in range(300):
                s = socket.socket(socket.AF_UNIX)
                s.setblocking(False)
                try:
                    s.connect(socket_of(world))
                    if n % 2:
                        s.send(b'{"do":"status"}\n')
                except OSError:
                    s.close()
                    continue
                crowd.append(s)
                if n % 20 == 19:
                    assert ask(world, {"do": "status"})[0]["account"] == "a"
            begin = time.monotonic()
            world.run("fetch", check=0)
            assert time.monotonic() - begin < 10
        finally:
            for s in crowd:
                s.close()
        await_that(lambda: daemon.cost().descriptors <= descriptors, daemon)
