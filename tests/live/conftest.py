# SPDX-License-Identifier: MIT
"""A Dovecot for each file of tests, a fresh user of it for each test, and accounts on it."""
import itertools

import pytest

import dovecot as dovecot_module
from dovecot import Dovecot
from live import make_account


def pytest_collection_modifyitems(items):
    if not dovecot_module.available():
        for item in items:
            if "dovecot" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason="Dovecot is not installed"))


_users = itertools.count()


@pytest.fixture(scope="module")
def dovecot(request):
    """The module may say how it wants its server: DOVECOT = dict(compress=True, ...)."""
    options = dict(users=["u%d" % n for n in range(150)], special_use={"Trash": r"\Trash"}, separator="/")
    options.update(getattr(request.module, "DOVECOT", {}))
    with Dovecot(**options) as d:
        yield d


@pytest.fixture
def user(dovecot):
    return dovecot.users[next(_users) % len(dovecot.users)]


@pytest.fixture
def account(dovecot, user, world):
    """account(protocol="pop3", leave_on_server="no") writes a configuration with that one account and returns the world."""
    def write(**keys):
        world.write_config(make_account(dovecot, user, keys.pop("maildir", world.mail), **keys))
        return world
    return write
