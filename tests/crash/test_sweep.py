# SPDX-License-Identifier: MIT
"""Killed at every durable step, then resumed (MAILHAUL_SWEEP=full: every step; else a sample of each scenario)."""
import concurrent.futures
import glob
import os

import pytest

import case
import mailhaul
from case import Case, Scenario

SCENARIOS = [
    Scenario("pop3"), Scenario("pop3", remove=True), Scenario("imap"), Scenario("imap", remove=True),
    Scenario("pop3", remove=True, before=5), Scenario("imap", remove=True, before=5, folders=3),
    Scenario("imap", before=6, folders=2, rebuilt=True), Scenario("imap", remove=True, before=6, folders=2, rebuilt=True),
    Scenario("pop3", remove=True, messages=600), Scenario("imap", remove=True, messages=600),
    Scenario("pop3", remove=True, sinks=("smtp",)), Scenario("imap", sinks=("bdat",)),
    Scenario("pop3", remove=True, sinks=("lmtp",)), Scenario("imap", remove=True, folders=2, sinks=("imap",)),
    Scenario("pop3", remove=True, sinks=("imap",)), Scenario("imap", remove=True, sinks=("command",)),
    Scenario("pop3", remove=True, before=3, sinks=("maildir", "smtp", "imap")),
    Scenario("imap", remove=True, messages=300, sinks=("smtp", "lmtp")),
]


def steps_of(server, scenario):
    """The names of the steps of an undisturbed pass."""
    with Case(server, scenario) as c:
        file = c.dir + "/steps"
        c.world.run("fetch", check=0, env={"MAILHAUL_STEPS": file})
        c.resume_and_check()
        with open(file) as f:
            return f.read().split()


def killed_at(server, scenario, number, again=None):
    with Case(server, scenario) as c:
        file = c.dir + "/steps"
        result = c.disturbed({"MAILHAUL_DIE_AT": str(number), "MAILHAUL_STEPS": file})
        with open(file) as f:
            taken = len(f.read().split())
        # How many batches 600 messages make is a matter of time, and so is the number of steps.
        if result.code == 0 and taken < number and scenario.messages >= 100:
            c.resume_and_check()
            return killed_at(server, scenario, taken - 2, again)
        assert result.code == -9, "step %d was not reached: exit %d" % (number, result.code)
        c.check_halfway()
        if again:
            c.disturbed({"MAILHAUL_DIE_AT": str(again)})
            c.check_halfway()
        c.resume_and_check()


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_the_lock_lost_its_mark(server, protocol):
    """The mark that says "busy" is not flushed: after a power cut tmp/ is swept because of what the journal holds."""
    scenario = Scenario(protocol)
    with Case(server, scenario) as c:
        number = steps_of(server, scenario).index("maildir.placed") + 1
        assert c.disturbed({"MAILHAUL_DIE_AT": str(number)}).code == -9
        assert [m for m in mailhaul.read_maildir(c.world.mail, data=False) if m.place == "tmp"]
        locks = glob.glob(c.dir + "/**/*.lock", recursive=True)
        assert len(locks) == 1
        with open(locks[0], "r+b") as f:
            mark = f.read()
            assert b" busy" in mark
            f.seek(0)
            f.write(mark.replace(b" busy", b" idle"))
        c.resume_and_check()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=case.scenario_name)
def test_killed(server, scenario):
    steps = steps_of(server, scenario)
    assert len(steps) >= (5 if scenario.protocol == "imap" or scenario.remove else 4), steps
    numbers = case.sampled(len(steps), 12 if scenario.messages < 100 else 6)
    jobs = [(n, None) for n in numbers]
    # The recovery is killed too: the pass after the crash dies at one of its first steps.
    jobs += [(n, 1 + n % 4) for n in numbers[len(numbers) // 3::4]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = [(n, again, pool.submit(killed_at, server, scenario, n, again)) for n, again in jobs]
    failures = ["killed at step %d (%s)%s: %s" % (n, steps[n - 1], " and again at %d" % again if again else "", o.exception())
                for n, again, o in outcomes if o.exception()]
    assert not failures, "\n".join(failures)
