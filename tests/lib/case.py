# SPDX-License-Identifier: MIT
"""One case of the crash family: a mailbox, a pass that is disturbed, a pass that is not, and what must be true after each.

    case = Case(server, Scenario("imap", remove=True))
    case.disturbed(env)            a pass with some harm in its environment -> Result
    case.check_halfway()           nothing is gone from the server that is not here; what is here is whole
    case.resume_and_check()        the next pass brings all, once; tmp/ is empty; a further pass changes nothing
"""
import collections
import contextlib
import os
import shutil
import tempfile

import mailhaul
from dovecot import sample
from live import make_account

# before: messages that an earlier pass has fetched already. rebuilt: the folder then got a new UIDVALIDITY.
Scenario = collections.namedtuple("Scenario", "protocol remove before folders rebuilt messages")
Scenario.__new__.__defaults__ = (False, 0, 1, False, 12)


def scenario_name(s):
    return s.protocol + ("-remove" if s.remove else "-keep") + ("-before" if s.before else "") + (
        "-folders" if s.folders > 1 else "") + ("-rebuilt" if s.rebuilt else "") + (
        "-batches" if s.messages > 256 else "")


class Case(contextlib.AbstractContextManager):
    def __init__(self, server, scenario):
        self.server, self.scenario = server, scenario
        self.user = "c%d" % next(server.fresh)
        self.dir = tempfile.mkdtemp(prefix="mh-crash-")
        self.world = mailhaul.World(self.dir, "MAILHAUL_PLAIN")
        self.names = ["INBOX"] + ["F%d" % n for n in range(1, scenario.folders)]
        self.wanted = collections.Counter()
        self.configure(remove=False)
        if scenario.before:
            for folder in self.names:
                self.add(folder, 0, scenario.before)
            self.world.run("fetch", check=0)
        if scenario.rebuilt:
            box = server.imap(self.user)
            box.delete("F1")
            box.logout()
            self.server.append(self.user, "F1", [self.message("F1", n) for n in range(scenario.before)])
        for folder in self.names:
            self.add(folder, scenario.before, scenario.before + scenario.messages)
        self.configure(scenario.remove)

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def message(folder, number):
        return sample(number, subject="%s of %s" % (number, folder))

    def add(self, folder, first, end):
        messages = [self.message(folder, n) for n in range(first, end)]
        self.server.append(self.user, folder, messages)
        self.wanted.update(map(mailhaul.local, messages))

    def configure(self, remove):
        self.world.write_config(make_account(
            self.server, self.user, self.world.mail, protocol=self.scenario.protocol, tls="plaintext",
            folders=self.names if self.scenario.protocol == "imap" else None, leave_on_server="no" if remove else "yes"))

    def here(self):
        return collections.Counter(m.data for m in mailhaul.read_maildir(self.world.mail) if m.place != "tmp")

    def there(self):
        return collections.Counter(mailhaul.local(data) for folder in self.names
                                   for _, _, data in self.server.fetch_all(self.user, folder))

    def disturbed(self, env):
        return self.world.run("fetch", env=env, timeout=60)

    def check_halfway(self):
        here, there = self.here(), self.there()
        lost = self.wanted - (here | there)
        assert not lost, "gone from the server and not here: %s" % list(lost)[:1]
        strange = set(here) - set(self.wanted)
        assert not strange, "not whole: %r" % list(strange)[0][:200]

    def resume_and_check(self):
        self.world.run("fetch", check=0)
        if self.scenario.rebuilt and self.scenario.remove:
            self.world.run("fetch", check=0)  # the pass that re-identifies removes nothing; this one does
        here = self.here()
        assert not self.wanted - here, "lost: %s" % list(self.wanted - here)[:1]
        assert not here - self.wanted, "twice: %s" % list(here - self.wanted)[:1]
        mails = mailhaul.read_maildir(self.world.mail, data=False)
        assert not [m.name for m in mails if m.place == "tmp"]
        assert sum(self.there().values()) == (0 if self.scenario.remove else sum(self.wanted.values()))
        if self.scenario.remove and self.scenario.protocol == "pop3":
            self.world.run("fetch", check=0)  # the first to see the listing without what was removed
        before = self.world.journal_dump(), sorted(m.path for m in mails)
        self.world.run("fetch", check=0)
        after = self.world.journal_dump(), sorted(m.path for m in mailhaul.read_maildir(self.world.mail, data=False))
        assert before == after, "a pass with nothing new changed something"


def sampled(count, want):
    """Which of 1..count to take: all in a full sweep, else `want` of them, the ends among them."""
    if os.environ.get("MAILHAUL_SWEEP") == "full" or count <= want:
        return list(range(1, count + 1))
    return sorted({1 + (count - 1) * n // (want - 1) for n in range(want)})
