# SPDX-License-Identifier: MIT
"""Trouble of one account: what the server means by a refusal, what a program that is told does, and what goes away in the
middle of something. Nobody else's mail waits for it."""
import os
import re
import signal
import socketserver
import stat
import threading
import time

import pytest

import mailhaul
from daemon import await_that, arrives, running
from dovecot import sample
from pushserver import PushServer

TEMPORARY = {
    "imap": ["NO [UNAVAILABLE] a", "NO [INUSE] b", "NO [SERVERBUG] c", "NO [LIMIT] d", "NO [UNAVAILABLE] Suggested Backoff Time: 1000 milliseconds"],
    "pop3": ["-ERR [SYS/TEMP] a", "-ERR [IN-USE] b", "-ERR [LOGIN-DELAY] c"],
}
FOR_GOOD = {
    "imap": ["NO [AUTHENTICATIONFAILED] e", "NO [EXPIRED] f", "NO [CONTACTADMIN] g", "NO [AUTHORIZATIONFAILED] h", "NO i"],
    "pop3": ["-ERR [AUTH] e", "-ERR f"],
}


def section(server, user, world, **keys):
    return server.account(user, world.mail + "/" + user, **{"interval": 1, **keys})


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_a_refusal_means(world, protocol):
    """RFC 5530, RFC 2449 and 3206: what passes is tried again and again, what does not, twice; either is told once."""
    answers = TEMPORARY[protocol] + FOR_GOOD[protocol]
    users = ["u%d" % n for n in range(len(answers))]
    passing = set(users[:len(TEMPORARY[protocol])])
    log = world.dir + "/log"
    with PushServer(users, protocol) as server:
        for user, answer in zip(users, answers):
            server.refuse(user, answer)
        world.write_config("log_file = '%s'\n" % log + "".join(section(server, user, world) for user in users))

        def attempts(user):
            return sum(u == user for _, u in list(server.logins))
        with running(world) as daemon:
            await_that(lambda: all(attempts(u) >= 3 for u in passing), daemon, 60)
            daemon.wait_for("refused twice", len(FOR_GOOD[protocol]))
            for user in users:
                server.refuse(user, None)
                server.append(user, sample(1))
            daemon.child.send_signal(signal.SIGUSR1)
            for user in passing:
                arrives(world.mail + "/" + user, 1, daemon)
            stopped = set(users) - passing
            assert {u: attempts(u) for u in stopped} == dict.fromkeys(stopped, 2)
            # Until somebody asks for it.
            assert world.run("fetch", users[-1]).code == 0
            assert attempts(users[-1]) == 3
            assert world.run("reload").code == 0
            for user in stopped:
                arrives(world.mail + "/" + user, 1, daemon)
    with open(log) as f:
        lines = f.read().splitlines()
    for user in users:
        mine = [line for line in lines if "account %s: " % user in line and re.search("error|refused", line)]
        assert len(mine) <= (1 if user in passing else 2), "\n".join(mine)


class Refuses(socketserver.StreamRequestHandler):
    """A submission server that knows nobody."""

    def handle(self):
        self.wfile.write(b"220 hello\r\n")
        for line in self.rfile:
            verb = line.split()[0].upper()
            if verb == b"AUTH":
                self.server.asked += 1
                self.wfile.write(b"535 5.7.8 wrong\r\n")
            else:
                self.wfile.write(b"250-hello\r\n250 AUTH PLAIN\r\n" if verb == b"EHLO" else b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


@pytest.fixture
def refusing():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refuses) as server:
        server.daemon_threads, server.asked = True, 0
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_destination_refuses_the_password(world, refusing):
    """Twice, then neither it nor the source is asked again; the mail stays where it is."""
    with PushServer(["u", "v"]) as server:
        text = section(server, "u", world).strip()[:-1] + """
            deliver "mta" { type = "smtp" host = "127.0.0.1" port = %d tls = "plaintext" user = "user" password = "no" to = "me@example.org" }
        }\n""" % refusing.server_address[1]
        world.write_config(text + section(server, "v", world))
        server.append("u", sample(1))
        with running(world) as daemon:
            daemon.wait_for("refused twice")
            logins = sum(u == "u" for _, u in server.logins)
            server.append("u", sample(2))
            server.append("v", sample(3))
            arrives(world.mail + "/v", 1, daemon)
            time.sleep(2.5)  # what is looked for is what does not happen
            assert refusing.asked == 2 and sum(u == "u" for _, u in server.logins) == logins
            assert daemon.count("refused twice") == 1
        assert len(server.held("u")) == 2


def test_dead_lines_hold_up_nobody(world):
    """Six accounts whose lines are dead have a pass due, and one may work at a time: the seventh gets its mail."""
    dead = ["d%d" % n for n in range(6)]
    with PushServer(dead, folders=["INBOX", "Work"]) as server, PushServer(["v"], "pop3") as other:
        world.write_config("max_sessions = 1\n" + "".join(
            section(server, user, world, folders=["INBOX", "Work"], timeout=8, disable_extensions=["NOTIFY"]) for user in dead) +
            section(other, "v", world))
        with running(world) as daemon:
            server.await_waiting(len(dead))
            await_that(lambda: other.logins, daemon)
            begin = time.monotonic()
            assert server.hush() == len(dead)
            for user in dead:
                server.append(user, sample(1), "Work")
            time.sleep(2)  # all of them are due by now
            other.append("v", sample(2))
            assert arrives(world.mail + "/v", 1, daemon) < 4, daemon.text()
            for user in dead:
                arrives(world.mail + "/" + user + "/.Work", 1, daemon)
            assert time.monotonic() - begin < 2 + 8 + 8


# ---- programs that are told


def program(world, body):
    path = world.dir + "/told"
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + body)
    os.chmod(path, stat.S_IRWXU)
    return path


def test_a_program_that_hangs(world):
    """It holds up its own account alone, goes on when the account is taken away, and does not keep the daemon."""
    hook = program(world, "echo $$ >%s/pid\nexec sleep 50\n" % world.dir)
    with PushServer(["u", "v"]) as server:
        slow, other = section(server, "u", world, on_new_mail=[hook]), section(server, "v", world)
        world.write_config(slow + other)
        server.append("u", sample(1))
        with running(world) as daemon:
            await_that(lambda: os.path.exists(world.dir + "/pid") and os.path.getsize(world.dir + "/pid"), daemon)
            server.append("v", sample(2))
            arrives(world.mail + "/v", 1, daemon)
            world.write_config(other)
            daemon.wait_for("1 removed, 1 as before")
            server.append("v", sample(3))
            arrives(world.mail + "/v", 2, daemon)
            with open(world.dir + "/pid") as f:
                pid = int(f.read())
            os.kill(pid, 0)
            begin = time.monotonic()
            daemon.stop()
            assert time.monotonic() - begin < 6
            await_that_gone(pid)


def await_that_gone(pid):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the program is still there")


def test_a_program_that_floods(world):
    """What it says is kept short, and what it is told and does not read is no trouble."""
    hook = program(world, "exec 0<&-\nyes 'a flood of words' | head -c 30000000\n")
    with PushServer(["u"]) as server:
        world.write_config(section(server, "u", world, on_new_mail=[hook]))
        for n in range(3):
            server.append("u", sample(n))
        with running(world) as daemon:
            arrives(world.mail + "/u", 3, daemon)
            daemon.wait_for("a flood of words")
            server.await_waiting(1)
            server.append("u", sample(9))
            arrives(world.mail + "/u", 4, daemon)
        assert 0 < daemon.count("a flood of words") < 1000


def test_a_program_that_is_not_there(world):
    with PushServer(["u"]) as server:
        world.write_config(section(server, "u", world, on_new_mail=["/nowhere/to/be/found"]))
        server.append("u", sample(1))
        with running(world) as daemon:
            daemon.wait_for("/nowhere/to/be/found cannot be run")
            server.await_waiting(1)
            server.append("u", sample(2))
            arrives(world.mail + "/u", 2, daemon)


# ---- what goes away in the middle of something


@pytest.mark.parametrize("becomes", ["removed", "changed"])
def test_reload_in_the_middle_of_a_pass(world, becomes):
    """The pass that runs ends first - here by its timeout - and who waits for it is told that the account has gone."""
    with PushServer(["u", "v"]) as server:
        slow, other = section(server, "u", world, interval=3600, timeout=4), section(server, "v", world, interval=3600, timeout=2)
        world.write_config(slow + other)
        with running(world) as daemon:
            server.await_waiting(2)
            server.hush()
            asks = world.start("fetch", "u")
            daemon.wait_for("account u: ", 3)
            world.write_config(other + (slow.replace("3600", "3601") if becomes == "changed" else ""))
            daemon.wait_for("1 removed" if becomes == "removed" else "1 changed")
            assert asks.wait(20) != 0
            server.append("u", sample(1))
            server.append("v", sample(2))
            daemon.child.send_signal(signal.SIGUSR1)
            arrives(world.mail + "/v", 1, daemon)
            if becomes == "changed":
                arrives(world.mail + "/u", 1, daemon)
                server.await_waiting(2)
            else:
                server.await_waiting(1)
                assert not os.path.isdir(world.mail + "/u") or not mailhaul.read_maildir(world.mail + "/u")


@pytest.mark.parametrize("how", ["once", "always"])
def test_a_further_idle_that_the_server_ends(world, how):
    """It is begun again on the same connection; a server that ends each of them at once is not asked without end."""
    with PushServer(["u"], folders=["INBOX", "Work"]) as server:
        world.write_config(section(server, "u", world, folders=["INBOX", "Work"], idle=["INBOX", "Work"], interval=3600,
                                   disable_extensions=["NOTIFY"]))
        with running(world) as daemon:
            server.await_waiting(2)
            if how == "always":
                server.end_idle_of = "Work"
            assert server.end_idle("Work") == 1
            if how == "once":
                await_that(lambda: sum(command == b"IDLE" for _, command in server.heard) >= 3, daemon)
                server.await_waiting(2)
                assert len(server.logins) == 2
                server.append("u", sample(1), "Work")
                arrives(world.mail + "/u/.Work", 1, daemon, 10)
            else:
                time.sleep(4)  # what is looked for is what does not happen
                assert len(server.logins) < 8 and sum(command == b"IDLE" for _, command in server.heard) < 30
                server.append("u", sample(1))
                arrives(world.mail + "/u", 1, daemon, 10)
