# SPDX-License-Identifier: MIT
"""The daemon's figures for Prometheus, read by Prometheus' own client library."""
import http.client
import json
import os
import socket

import pytest

from daemon import await_that, running
from dovecot import free_ports, sample
from live import make_account

parser = pytest.importorskip("prometheus_client.parser", reason="python3-prometheus-client is not installed")
ODD = 'we"ird \\ name'


def families(text):
    return {f.name: f for f in parser.text_string_to_metric_families(text)}


def value(found, name, **labels):
    family = found[name[:-len("_total")] if name.endswith("_total") else name]
    values = [s.value for s in family.samples if s.name == name and all(s.labels.get(k) == v for k, v in labels.items())]
    assert len(values) == 1, (name, labels, family.samples)
    return values[0]


def get(port, path="/metrics", method="GET", host="127.0.0.1"):
    c = http.client.HTTPConnection(host, port, timeout=10)
    c.request(method, path)
    r = c.getresponse()
    body = r.read().decode()
    c.close()
    return r, body


@pytest.fixture
def listening(dovecot, user, world):
    port = free_ports(1)[0]
    world.write_config("metrics_listen = '127.0.0.1:%d'\n" % port +
                       make_account(dovecot, user, world.mail, name=ODD, interval=3600) +
                       make_account(dovecot, user, world.dir + "/b", name="bad", password="wrong", interval=3600))
    dovecot.append(user, "INBOX", [sample(1), sample(2)])
    return port


def test_over_http(dovecot, user, world, listening):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        daemon.wait_for("refused")
        r, body = get(listening)
        assert r.status == 200 and r.getheader("Content-Type").startswith("text/plain; version=0.0.4")
        found = families(body)
        assert value(found, "mailhaul_up") == 1
        assert value(found, "mailhaul_accounts") == 2
        assert value(found, "mailhaul_messages_total", account=ODD) == 2
        assert value(found, "mailhaul_state", account=ODD, state="waiting") == 1
        assert value(found, "mailhaul_state", account=ODD, state="stopped") == 0
        assert value(found, "mailhaul_messages_total", account="bad") == 0
        assert families(world.run("status", "--prometheus", check=0).out.decode()).keys() == found.keys()


def test_what_else_is_asked(dovecot, user, world, listening):
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        assert get(listening, "/")[0].status == 404
        assert get(listening, method="POST")[0].status == 405
        slow = socket.create_connection(("127.0.0.1", listening))
        slow.send(b"GET /metr")
        with socket.create_connection(("127.0.0.1", listening), timeout=10) as rude:
            rude.sendall(b"GET /" + b"a" * 100_000)
            try:
                assert b" 4" in rude.recv(100)[:13]
            except ConnectionResetError:
                pass
        assert get(listening)[0].status == 200
        slow.close()


def test_on_ipv6(dovecot, user, world):
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no ::1")
    port = free_ports(1)[0]
    world.write_config("metrics_listen = '[::1]:%d'\n" % port + make_account(dovecot, user, world.mail, interval=3600))
    with running(world) as daemon:
        daemon.wait_for("waiting for new mail")
        assert get(port, host="::1")[0].status == 200


def test_totals_go_on_behind_a_new_start(dovecot, user, world, listening):
    for n in range(2):
        with running(world) as daemon:
            daemon.wait_for("waiting for new mail")
            found = families(get(listening)[1])
            assert value(found, "mailhaul_messages_total", account=ODD) == 2 + n
        dovecot.append(user, "INBOX", [sample(10 + n)])
        world.run("fetch", ODD, check=0)
    found = families(world.run("status", "--prometheus", check=0).out.decode())
    assert value(found, "mailhaul_up") == 0 and value(found, "mailhaul_messages_total", account=ODD) == 4


def test_a_port_that_is_taken(dovecot, user, world, listening):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", listening))
        other.listen()
        with running(world) as daemon:
            daemon.wait_for("metrics_listen")
            daemon.wait_for("waiting for new mail")
            sock = world.state + "/mailhaul/daemon.sock"
            await_that(lambda: os.path.exists(sock), daemon)
            assert json.loads(world.run("--json", "status", check=0).out.splitlines()[0])["doing"] == "waiting"
