# SPDX-License-Identifier: MIT
"""The sweep needs a developer build without sanitizers, and one Dovecot with very many users: each case takes a fresh one."""
import itertools

import pytest

import dovecot as dovecot_module
import mailhaul
from dovecot import Dovecot
from takers import SmtpServer


def pytest_collection_modifyitems(items):
    for item in items:
        if "/crash/" in str(item.path):
            if not dovecot_module.available():
                item.add_marker(pytest.mark.skip(reason="Dovecot is not installed"))
            elif not mailhaul.program("MAILHAUL_PLAIN"):
                item.add_marker(pytest.mark.skip(reason="needs a developer build without sanitizers: set MAILHAUL_PLAIN"))


@pytest.fixture(scope="session")
def server():
    users = ["c%d" % n for n in range(20000)]
    with Dovecot(users=users + ["t" + user for user in users]) as d:
        d.fresh = itertools.count()
        d.smtp, d.smtp_chunking = SmtpServer(), SmtpServer(chunking=True)
        yield d
