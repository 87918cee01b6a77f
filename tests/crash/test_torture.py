# SPDX-License-Identifier: MIT
"""The n-th malloc, write, fsync ... fails, once: never loss, never a duplicate, the right exit status."""
import concurrent.futures
import os

import pytest

import case
import mailhaul
from case import Case, Scenario

# family, where, errno, how many points of a sample, exit codes allowed
FAMILIES = [
    ("malloc", "all", "ENOMEM", 60, (0, 75)),
    ("write", "mail", "ENOSPC", 8, (0, 74)), ("write", "state", "EIO", 10, (0, 74)),
    ("fsync", "mail", "EIO", 8, (0, 74)), ("fsync", "state", "EIO", 8, (0, 74)),
    ("open", "mail", "EACCES", 8, (0, 74)), ("open", "state", "EACCES", 8, (0, 74)),
    ("rename", "mail", "EIO", 8, (0, 74)), ("mkdir", "mail", "EDQUOT", 6, (0, 74)), ("mkdir", "state", "EACCES", 4, (0, 74)),
    ("close", "mail", "EIO", 6, (0, 74)), ("unlink", "state", "EIO", 4, (0, 74)),
    ("truncate", "state", "EIO", 4, (0, 74)),
]
SCENARIOS = [Scenario("pop3", remove=True), Scenario("imap", remove=True, before=3, folders=2)]
# Handing on: the spool is in the state directory.
HAND_FAMILIES = [
    ("malloc", "all", "ENOMEM", 30, (0, 75)), ("write", "state", "ENOSPC", 12, (0, 74)), ("open", "state", "EACCES", 8, (0, 74)),
    ("fsync", "state", "EIO", 6, (0, 74)), ("close", "state", "EIO", 6, (0, 74)),
]
HAND_SCENARIOS = [Scenario("pop3", remove=True, sinks=("smtp",)), Scenario("imap", remove=True, sinks=("lmtp",)),
                  Scenario("pop3", remove=True, sinks=("imap",)), Scenario("imap", remove=True, sinks=("command",))]


def environment(world, family, where, error, number, counter):
    env = {"LD_PRELOAD": mailhaul.helper("faults"), "FAULT_CALL": family, "FAULT_AT": str(number), "FAULT_ERRNO": error,
           "FAULT_COUNT_FILE": counter}
    if family == "malloc":
        env["FAULT_AFTER"] = world.state  # while the configuration is read, running out of memory may end the program
    elif where != "all":
        env["FAULT_PATH"] = {"mail": world.mail, "state": world.state}[where]
    return env


def calls_of(server, scenario, family, where):
    with Case(server, scenario) as c:
        counter = c.dir + "/count"
        c.world.run("fetch", check=0, env=environment(c.world, family, where, "EIO", 0, counter))
        with open(counter, "rb") as f:
            return int.from_bytes(f.read(8), "little")


def failed_at(server, scenario, family, where, error, number, allowed):
    with Case(server, scenario) as c:
        result = c.disturbed(environment(c.world, family, where, error, number, c.dir + "/count"))
        said = result.err.decode("utf-8", "replace")
        assert result.code in allowed, "exit %d\n%s" % (result.code, said)
        assert result.code == 0 or said, "nothing was said"
        c.check_halfway()
        assert not [m for m in c.mails(data=False) if m.place == "tmp"]
        c.resume_and_check()


CASES = [(s, *f) for s in SCENARIOS for f in FAMILIES] + [(s, *f) for s in HAND_SCENARIOS for f in HAND_FAMILIES]


@pytest.mark.parametrize("scenario,family,where,error,points,allowed", CASES,
                         ids=["%s-%s-%s" % (c[1], c[2], case.scenario_name(c[0])) for c in CASES])
def test_failing(server, scenario, family, where, error, points, allowed):
    count = calls_of(server, scenario, family, where)
    if count == 0:
        pytest.skip("this pass makes no such call")
    numbers = case.sampled(min(count, 3000), points)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = [(n, pool.submit(failed_at, server, scenario, family, where, error, n, allowed)) for n in numbers]
    failures = ["%s %d of %d fails with %s: %s" % (family, n, count, error, o.exception()) for n, o in outcomes if o.exception()]
    assert not failures, "\n".join(failures)
