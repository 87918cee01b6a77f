# SPDX-License-Identifier: MIT
"""SIGTERM and SIGINT in the middle of a pass: what was complete is kept, the rest comes next time."""
import os
import signal
import subprocess
import time

import pytest

import mailhaul
from dovecot import sample
from live import contents, held, make_account


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_stopped_in_mid_pass(dovecot, user, world, protocol, sent):
    messages = [sample(n, 60000) for n in range(150)] + [sample(1000, 30_000_000)]
    dovecot.append(user, "INBOX", messages)
    port = dovecot.ports["imap" if protocol == "imap" else "pop3"]
    with mailhaul.DelayProxy(100, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, tls="plaintext",
                                        port=proxy.ports[port], leave_on_server="no"))
        child = world.start("fetch", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        tmp = world.mail + "/tmp"
        while not (os.path.isdir(tmp) and os.listdir(tmp)):
            assert child.poll() is None
            time.sleep(0.005)
        child.send_signal(sent)
        begin = time.monotonic()
        _, err = child.communicate(timeout=30)
        assert child.returncode == 128 + sent, err
        assert time.monotonic() - begin < 10
    here = contents(world.mail)
    everything = sorted(map(mailhaul.local, messages))
    assert set(here) <= set(everything) and len(here) == len(set(here))
    assert set(here) | set(held(dovecot, user)) == set(everything)
    world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, tls="plaintext", leave_on_server="no"))
    world.run("fetch", check=0)
    assert contents(world.mail) == everything
    assert dovecot.count(user) == 0


def test_stopped_while_it_waits(dovecot, user, world):
    """A stop is obeyed at once, not after the timeout, when the server is silent."""
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        world.write_config(make_account(dovecot, user, world.mail, port=silent.getsockname()[1], timeout=30))
        child = world.start("fetch", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        connection, _ = silent.accept()
        connection.recv(1)
        begin = time.monotonic()
        child.terminate()
        child.communicate(timeout=20)
        connection.close()
        assert child.returncode == 143 and time.monotonic() - begin < 5
