# SPDX-License-Identifier: MIT
"""One case of the crash family: a mailbox, a pass that is disturbed, a pass that is not, and what must be true after each.

    case = Case(server, Scenario("imap", remove=True))
    case.disturbed(env)            a pass with some harm in its environment -> Result
    case.check_halfway()           nothing is gone from the server that is not at every destination; what is there is whole
    case.resume_and_check()        the next pass brings all; tmp/ is empty; a further pass changes nothing

Everything comes once. Where a reply that was never read leaves a doubt (SMTP, LMTP, a command), the one message that was
on its way may come again for each time that the pass was killed, and the log says so.
"""
import collections
import contextlib
import os
import shutil
import tempfile

import mailhaul
from dovecot import sample
from live import make_account
from takers import TAKERS

# before: messages that an earlier pass has fetched already. rebuilt: the folder then got a new UIDVALIDITY.
# sinks: "maildir" and keys of takers.TAKERS.
Scenario = collections.namedtuple("Scenario", "protocol remove before folders rebuilt messages sinks")
# Side by side to one destination, each with one message whose answer is not read yet.
CONNECTIONS = 8
Scenario.__new__.__defaults__ = (False, 0, 1, False, 12, ("maildir",))


def scenario_name(s):
    return s.protocol + ("-remove" if s.remove else "-keep") + ("-before" if s.before else "") + (
        "-folders" if s.folders > 1 else "") + ("-rebuilt" if s.rebuilt else "") + (
        "-batches" if s.messages > 256 else "") + ("-" + "-".join(s.sinks) if s.sinks != ("maildir",) else "")


class Case(contextlib.AbstractContextManager):
    def __init__(self, server, scenario):
        self.server, self.scenario = server, scenario
        self.user = "c%d" % next(server.fresh)
        self.dir = tempfile.mkdtemp(prefix="mh-crash-")
        self.world = mailhaul.World(self.dir, "MAILHAUL_PLAIN")
        self.names = ["INBOX"] + ["F%d" % n for n in range(1, scenario.folders)]
        self.wanted = collections.Counter()
        self.takers = [TAKERS[name](server, self.user, self.dir) for name in scenario.sinks if name != "maildir"]
        self.kills, self.doubts = 0, 0
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
        maildir = self.world.mail if "maildir" in self.scenario.sinks else None
        text = make_account(
            self.server, self.user, maildir, protocol=self.scenario.protocol, tls="plaintext",
            folders=self.names if self.scenario.protocol == "imap" else None, leave_on_server="no" if remove else "yes")
        more = "".join("    %s\n" % taker.deliver() for taker in self.takers)
        self.world.write_config(text.rstrip().removesuffix("}") + more + "}\n")

    def mails(self, data=True):
        return mailhaul.read_maildir(self.world.mail, data) if os.path.isdir(self.world.mail) else []

    def here(self):
        """(what is there, whether nothing may be there twice) for each destination."""
        places = [(taker.taken(), taker.once) for taker in self.takers]
        if "maildir" in self.scenario.sinks:
            places.append((collections.Counter(m.data for m in self.mails() if m.place != "tmp"), True))
        return places

    def there(self):
        return collections.Counter(mailhaul.local(data) for folder in self.names
                                   for _, _, data in self.server.fetch_all(self.user, folder))

    def pass_(self, **how):
        result = self.world.run("fetch", timeout=60, **how)
        self.doubts += result.err.count(b"possible duplicate")
        return result

    def disturbed(self, env):
        self.kills += 1
        return self.pass_(env=env)

    def check_halfway(self):
        there = self.there()
        for here, _ in self.here():
            lost = self.wanted - (here | there)
            assert not lost, "gone from the server and not here: %s" % list(lost)[:1]
            strange = set(here) - set(self.wanted)
            assert not strange, "not whole: %r" % list(strange)[0][:200]

    def resume_and_check(self):
        self.pass_(check=0)
        if self.scenario.rebuilt and self.scenario.remove:
            self.pass_(check=0)  # the pass that re-identifies removes nothing; this one does
        for here, once in self.here():
            assert not self.wanted - here, "lost: %s" % list(self.wanted - here)[:1]
            twice = here - self.wanted
            assert not twice or not once, "twice: %s" % list(twice)[:1]
            assert sum(twice.values()) <= self.kills * CONNECTIONS, "%d came twice" % sum(twice.values())
            assert sum(twice.values()) <= self.doubts, "twice, and not a word of it: %s" % list(twice)[:1]
        assert not [m.name for m in self.mails(data=False) if m.place == "tmp"]
        assert sum(self.there().values()) == (0 if self.scenario.remove else sum(self.wanted.values()))
        if self.scenario.remove and self.scenario.protocol == "pop3":
            self.pass_(check=0)  # the first to see the listing without what was removed
        before = self.world.journal_dump(), sorted(m.path for m in self.mails(data=False)), self.here()
        self.pass_(check=0)
        after = self.world.journal_dump(), sorted(m.path for m in self.mails(data=False)), self.here()
        assert before == after, "a pass with nothing new changed something"


def sampled(count, want):
    """Which of 1..count to take: all in a full sweep, else `want` of them, the ends among them."""
    if os.environ.get("MAILHAUL_SWEEP") == "full" or count <= want:
        return list(range(1, count + 1))
    return sorted({1 + (count - 1) * n // (want - 1) for n in range(want)})
