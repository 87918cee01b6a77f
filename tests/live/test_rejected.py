# SPDX-License-Identifier: MIT
"""What a destination refuses for good, among what it takes: set aside with its words, tried again there alone when asked
to, or dropped where the configuration says so."""
import itertools
import json

import pytest
from live import contents, held

PREFIX = "nobody-of-that-name-"
_takers = itertools.count(1)


@pytest.fixture
def three(account, dovecot, user):
    """Three messages for .taker, of which the second has a prefix that makes it nobody's; a Maildir, and an LMTP
    destination with `more` keys."""
    taker = dovecot.users[-next(_takers)]
    dovecot.append(user, "INBOX", [b"Delivered-To: %s\r\nSubject: %d\r\nMessage-ID: <%d@example.org>\r\n\r\n%d\r\n" % (
        name.encode(), n, n, n) for n, name in enumerate((taker, PREFIX + taker, taker))])

    def write(more="", **keys):
        world = account(maildir=None, **keys)
        with open(world.config) as f:
            text = f.read().rstrip().rstrip("}")
        world.write_config("%s\n deliver maildir { path = '%s' }\n deliver lmtp { socket = '%s' to_header = 'Delivered-To' "
                           "%s }\n}\n" % (text, world.mail, dovecot.lmtp_socket, more))
        return world
    write.taker = taker
    return write


def bodies(dovecot, user):
    return sorted(data.split(b"\r\n\r\n", 1)[1] for _, _, data in dovecot.fetch_all(user))


def test_set_aside_and_tried_again(dovecot, user, three):
    world = three(leave_on_server="no")
    said = world.run("fetch", check=65).err.decode()
    assert "set aside" in said and "550" in said and PREFIX in said
    assert bodies(dovecot, three.taker) == [b"0\r\n", b"2\r\n"]
    assert len(contents(world.mail)) == 3
    assert len(held(dovecot, user)) == 1, "what was refused stays on the server"
    line = json.loads(world.run("quarantine", "list", "--json", check=0).out)
    assert "lmtp" in line["reason"] and "550 5.1.1" in line["reason"] and line["message_id"] == "<1@example.org>"
    assert "550 5.1.1" in world.run("quarantine", "list", check=0).out.decode()
    world.run("fetch", check=0)
    three(more="to_strip_prefix = '%s'" % PREFIX, leave_on_server="no")
    world.run("quarantine", "retry", check=0)
    world.run("fetch", check=0)
    assert bodies(dovecot, three.taker) == [b"0\r\n", b"1\r\n", b"2\r\n"], "nowhere twice"
    assert len(contents(world.mail)) == 3
    assert not held(dovecot, user) and world.run("quarantine", "list", check=0).out == b""


def test_refused_again(dovecot, user, three):
    world = three()
    world.run("fetch", check=65)
    world.run("quarantine", "retry", check=0)
    world.run("fetch", check=65)
    assert bodies(dovecot, three.taker) == [b"0\r\n", b"2\r\n"] and len(contents(world.mail)) == 3


def test_dropped_where_that_is_written(dovecot, user, three):
    world = three(more="on_reject = drop", leave_on_server="no")
    said = world.run("fetch", check=0).err.decode()
    assert "on_reject" in said and "550" in said, "what is given up is told, also without a terminal"
    assert bodies(dovecot, three.taker) == [b"0\r\n", b"2\r\n"] and len(contents(world.mail)) == 3
    assert not held(dovecot, user)
    assert world.run("quarantine", "list", check=0).out == b""


def test_who_refuses_everything_is_what_is_wrong(dovecot, user, account):
    """Nothing is set aside, nothing is dropped, and the other destination has its mail."""
    dovecot.append(user, "INBOX", [b"Subject: %d\r\n\r\n%d\r\n" % (n, n) for n in range(4)])
    world = account(maildir=None, leave_on_server="no")
    with open(world.config) as f:
        text = f.read().rstrip().rstrip("}")
    world.write_config("%s deliver maildir { path = '%s' } deliver lmtp { socket = '%s' to = '%s' on_reject = drop } }" % (
        text, world.mail, dovecot.lmtp_socket, PREFIX))
    said = world.run("fetch", check=76).err.decode()
    assert "destination lmtp" in said and "550" in said
    assert len(contents(world.mail)) == 4 and len(held(dovecot, user)) == 4
    assert world.run("quarantine", "list", check=0).out == b""
    assert json.loads(world.run("status", "--json", check=0).out)["result"] == "rejected"
