# SPDX-License-Identifier: MIT
"""COMPRESS=DEFLATE with Dovecot's zlib plugin."""
import mailhaul
from dovecot import sample
from live import contents, held, make_account

DOVECOT = dict(compress=True)


def test_compressed(dovecot, user, world):
    messages = [sample(n, 30000) for n in range(100)]
    dovecot.append(user, "INBOX", messages)
    port = dovecot.ports["imaps"]
    with mailhaul.DelayProxy(0, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, compress=True, port=proxy.ports[port]))
        world.run("fetch", check=0)
        moved = sum(c["down"] for c in proxy.stop())
    assert contents(world.mail) == held(dovecot, user)
    assert moved < sum(map(len, messages)) / 3


def test_not_by_default(dovecot, user, world):
    dovecot.append(user, "INBOX", [sample(n, 30000) for n in range(20)])
    port = dovecot.ports["imaps"]
    with mailhaul.DelayProxy(0, port) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, port=proxy.ports[port]))
        world.run("fetch", check=0)
        assert sum(c["down"] for c in proxy.stop()) > 20 * 30000
