# SPDX-License-Identifier: MIT
"""The units of contrib/systemd as systemd sees them: without a mistake, and shut in. Skipped where it is not."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "contrib/systemd"
MAILHAUL = os.environ.get("MAILHAUL", "mailhaul")
WORST = 2.0

needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


@pytest.fixture
def units(tmp_path):
    """A copy that starts the program of this build, because what is not there is a mistake."""
    shutil.copytree(UNITS, tmp_path / "systemd")
    for unit in (tmp_path / "systemd").glob("*/*.service"):
        unit.write_text(unit.read_text().replace("/usr/bin/mailhaul", os.path.abspath(shutil.which(MAILHAUL))))
    return tmp_path / "systemd"


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    return done.returncode, done.stdout + done.stderr


@needs_analyze
@pytest.mark.parametrize("name", ["mailhaul.service", "mailhaul-fetch.service", "mailhaul-fetch.timer"])
def test_system_units_are_right(units, name):
    code, said = analyze("verify", "--man=no", "--recursive-errors=no", str(units / "system" / name))
    assert name not in said and code == 0, said


@needs_analyze
def test_user_unit_is_right(units, tmp_path):
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    code, said = analyze("verify", "--user", "--man=no", "--recursive-errors=no", str(units / "user/mailhaul.service"))
    assert "mailhaul.service" not in said and code == 0, said


@needs_analyze
@pytest.mark.parametrize("name", ["mailhaul.service", "mailhaul-fetch.service"])
def test_system_units_are_shut_in(units, name):
    code, said = analyze("security", "--offline=true", "--no-pager", "--threshold=%d" % (WORST * 10),
                         str(units / "system" / name))
    level = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert level and float(level.group(1)) < WORST and code == 0, said


def test_both_system_services_are_shut_in_alike():
    """What is learnt about the one is kept for the other."""
    def walls(name):
        text = (UNITS / "system" / name).read_text()
        return text[text.index("\nDynamicUser="):].split("\n[")[0].strip()
    assert walls("mailhaul.service") == walls("mailhaul-fetch.service")
