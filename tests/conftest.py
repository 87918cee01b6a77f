# SPDX-License-Identifier: MIT
"""Shared by the script, live and crash families: the library path, and a temporary world for each test."""
import os
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import mailhaul  # noqa: E402


def pytest_collection_modifyitems(items):
    if mailhaul.program() is None:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="no program to test: set MAILHAUL or build in the source tree"))


@pytest.fixture
def world(tmp_path):
    return mailhaul.World(str(tmp_path))
