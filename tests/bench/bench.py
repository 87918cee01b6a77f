# SPDX-License-Identifier: MIT
"""mailhaul beside mpop, mbsync, fdm and getmail on the same Dovecot in the same run.

    MAILHAUL=/path/to/release/build/mailhaul python3 tests/bench/bench.py [--short] [--slow] [--runs 3] [SCENARIO...]

Each client has its default settings, a fresh local directory for each run and the same order of runs; times are medians.
Absolute times drift with the machine: what is compared is the ratio, beside the goal for it. Every mailbox that mailhaul
fetched is compared message by message. --slow adds getmail and fdm where they take minutes; a client that is not
installed is left out. The local directory (--dir) should be on a real disk: flushing is what the work costs.
"""
import argparse
import collections
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import certs  # noqa: E402
import mailhaul  # noqa: E402
from daemon import Arrivals, delivered, running  # noqa: E402
from dovecot import Dovecot, free_ports, sample  # noqa: E402
from live import make_account  # noqa: E402
from pushserver import PushServer  # noqa: E402

Cost = collections.namedtuple("Cost", "seconds user rss")
# Goals of the project: scenario, client, figure -> at most this.
GOALS = {
    ("pop3-all", "mpop", "s"): 0.5, ("imap-all", "mbsync", "s"): 0.4, ("imap-all", "mbsync", "user"): 1.0,
    ("pop3-far", "mpop", "s"): 0.6, ("imap-far", "mbsync", "s"): 0.75,
    ("pop3-none", "mpop", "s"): 1.0, ("imap-none", "mbsync", "s"): 0.3,
    ("pop3-big", "mpop", "s"): 1.1, ("imap-big", "fdm", "s"): 0.9,
    ("smtp", "fdm", "s"): 0.25, ("smtp-far", "fdm", "s"): 0.05, ("lmtp", "fdm", "s"): 0.25, ("lmtp-far", "fdm", "s"): 0.05,
}
SMTP_SINK = shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin")


def measure(argv, cwd, env=None, okay=(0,)):
    begin = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen([mailhaul.helper("peak"), cwd + "/peak", *argv], cwd=cwd, stdin=subprocess.DEVNULL,
                                 env={**os.environ, "HOME": cwd, **(env or {})}, stdout=out, stderr=out)
        child.wait()
        seconds = time.monotonic() - begin
        if child.returncode not in okay:
            out.seek(0)
            raise RuntimeError("%s: exit %d: %s" % (argv[0], child.returncode, out.read()[-500:].decode(errors="replace")))
    with open(cwd + "/peak") as f:
        peak, user = f.read().split()
    return Cost(seconds, int(user) / 1e6, int(peak))


class Client:
    """One program with one account in a directory of its own."""

    def __init__(self, bench, user, protocol, port):
        self.bench, self.d, self.user, self.protocol, self.port = bench, bench.d, user, protocol, port
        self.dir = tempfile.mkdtemp(prefix=self.name + "-", dir=bench.dir)
        self.mail = self.dir + "/Mail"
        self.configure()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def maildir(self):
        for part in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(self.mail, part))

    def run(self):
        return measure(self.argv, self.dir)

    def count(self):
        return sum(len(os.listdir(os.path.join(self.mail, part))) for part in ("new", "cur"))

    def remove(self):
        """Out of the way, but not deleted: for seconds after a deletion ext4 searches long for an inode to reuse,
        and the next client would pay for it."""
        if os.path.isdir(self.dir):
            os.rename(self.dir, tempfile.mkdtemp(prefix="done-", dir=os.path.dirname(self.dir)) + "/run")


class Mailhaul(Client):
    name = "mailhaul"
    speaks = ("pop3", "imap")

    def configure(self):
        self.world = mailhaul.World(self.dir)
        self.mail = self.world.mail
        self.world.write_config(make_account(self.d, self.user, self.mail, protocol=self.protocol, port=self.port, timeout=60))
        self.argv = [mailhaul.program(), "fetch"]

    def run(self):
        return measure(self.argv, self.dir, self.world.env)


class Fresh(Mailhaul):
    """To another destination than a Maildir: `deliver` is its section."""

    def __init__(self, bench, user, protocol, port, deliver):
        self.deliver = deliver
        super().__init__(bench, user, protocol, port)

    def configure(self):
        self.world = mailhaul.World(self.dir)
        text = make_account(self.d, self.user, None, protocol=self.protocol, port=self.port, timeout=60)
        self.world.write_config(text.rstrip().removesuffix("}") + "    " + self.deliver + "\n}\n")
        self.argv = [mailhaul.program(), "fetch"]


class Mpop(Client):
    name = "mpop"
    speaks = ("pop3",)

    def configure(self):
        self.maildir()
        conf = self.write("mpoprc", "account a\nhost localhost\nport %d\nuser %s\npassword %s\ntls on\ntls_starttls off\n"
                          "tls_trust_file %s\ndelivery maildir %s\nuidls_file %s/uidls\nkeep on\n"
                          % (self.port, self.user, self.d.password, self.d.ca_file, self.mail, self.dir))
        self.argv = ["mpop", "-C", conf, "-q", "a"]


class Mbsync(Client):
    name = "mbsync"
    speaks = ("imap",)

    def configure(self):
        os.mkdir(self.mail)
        conf = self.write("mbsyncrc", "IMAPAccount a\nHost localhost\nPort %d\nUser %s\nPass %s\nSSLType IMAPS\n"
                          "CertificateFile %s\n\nIMAPStore r\nAccount a\n\nMaildirStore l\nPath %s/\nInbox %s/INBOX\n\n"
                          "Channel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n"
                          % (self.port, self.user, self.d.password, self.d.ca_file, self.mail, self.mail))
        self.argv = ["mbsync", "-c", conf, "-q", "c"]

    def count(self):
        return sum(len(os.listdir(os.path.join(self.mail, "INBOX", part))) for part in ("new", "cur"))


class Fdm(Client):
    name = "fdm"
    speaks = ("pop3", "imap")

    def configure(self):
        self.maildir()
        conf = self.write("fdm.conf", 'set timeout 60\nset maximum-size 500M\nset lock-file "%s/lock"\nset default-user "%s"\n'
                          'set queue-high 1\naccount "a" %ss server "localhost" port %d user "%s" pass "%s" keep%s\n'
                          'action "in" maildir "%s"\nmatch all action "in"\n'
                          % (self.dir, os.environ.get("USER", "root"), self.protocol, self.port, self.user, self.d.password,
                             ' cache "%s/cache"' % self.dir if self.protocol == "pop3" else "", self.mail))
        self.argv = ["fdm", "-q", "-f", conf, "fetch"]


class Getmail(Client):
    name = "getmail"
    speaks = ("pop3", "imap")

    def configure(self):
        self.maildir()
        owner = ""
        if os.getuid() == 0:  # it will not deliver as root
            for base, _, _ in os.walk(self.dir):
                shutil.chown(base, "nobody")
            owner = "user = nobody\n"
        conf = self.write("rc", "[retriever]\ntype = Simple%sSSLRetriever\nserver = localhost\nport = %d\nusername = %s\n"
                          "password = %s\nca_certs = %s\n[destination]\ntype = Maildir\npath = %s/\n%s"
                          "[options]\nread_all = false\ndelete = false\nverbose = 0\n"
                          % (self.protocol.upper(), self.port, self.user, self.d.password, self.d.ca_file, self.mail,
                             owner))
        self.argv = ["getmail", "--getmaildir", self.dir, "--rcfile", conf]


class FdmToSmtp(Fdm):
    def __init__(self, bench, user, protocol, port, sink_port):
        self.sink_port = sink_port
        super().__init__(bench, user, protocol, port)

    def configure(self):
        super().configure()
        with open(self.argv[3]) as f:
            text = f.read()
        self.write("fdm.conf", text.replace('maildir "%s"' % self.mail, 'smtp server "127.0.0.1" port %d from "a@example.org" '
                                            'to "user@localhost"' % self.sink_port))


CLIENTS = [Mailhaul, Mpop, Mbsync, Fdm, Getmail]
SLOW = (Fdm, Getmail)


def mixed(count):
    """5,000 of these are 199 MB: mostly small, some large, as mailboxes are."""
    sizes = [8000] * 80 + [100000] * 18 + [770000] * 2
    rng = random.Random(1)
    return [sample(n, int(sizes[n % 100] * rng.uniform(0.99, 1.01))) for n in range(count)]


class Bench:
    def __init__(self, args):
        self.args, self.rows, self.bad = args, [], 0
        self.runs = 1 if args.short else args.runs
        self.dir = tempfile.mkdtemp(prefix="mh-bench-", dir=args.dir)
        os.chmod(self.dir, 0o755)
        shm = "/dev/shm" if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 2 << 30 else None
        self.d = Dovecot(users=["m%d" % n for n in range(20)] + ["a%d" % n for n in range(100)], directory=shm).start()
        self.expected = {}

    def stop(self):
        self.d.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def fill(self, user, messages):
        if user not in self.expected:
            self.d.append(user, "INBOX", messages)
            self.expected[user] = []
        self.expected[user] = self.expected[user] or sorted(hash(mailhaul.local(m)) for m in messages)

    def verify(self, client):
        if client.count() != len(self.expected[client.user]):
            raise RuntimeError("%s has %d of %d messages" % (client.name, client.count(), len(self.expected[client.user])))
        if client.name == "mailhaul":
            got = sorted(hash(m.data) for m in mailhaul.read_maildir(client.mail))
            if got != self.expected[client.user]:
                raise RuntimeError("mailhaul's mailbox is not the server's")

    def clients(self, protocol, slow_too):
        return [c for c in CLIENTS if protocol in c.speaks and (c is Mailhaul or shutil.which(c.name))
                and (slow_too or self.args.slow or c not in SLOW)]

    def port(self, protocol):
        return self.d.ports[protocol + "s"]

    def race(self, scenario, protocol, user, port=None, prepared=False, slow_too=False, before=None):
        """The clients in turn, `runs` times. prepared: the first pass is not measured and its directory stays."""
        costs, kept = collections.defaultdict(list), {}
        for turn in range(self.runs):
            for kind in self.clients(protocol, slow_too):
                if kind in SLOW and turn:
                    continue
                client = kept.get(kind) or kind(self, user, protocol, port or self.port(protocol))
                if prepared and kind not in kept:
                    client.run()
                    kept[kind] = client
                os.sync()
                costs[kind.name].append(client.run())
                self.verify(client)
                if kind not in kept:
                    client.remove()
        for client in kept.values():
            client.remove()
        self.report(scenario, costs)
        return costs

    def report(self, scenario, costs):
        median = {name: Cost(*map(statistics.median, zip(*list_))) for name, list_ in costs.items()}
        ours = median["mailhaul"]
        self.row(scenario, "mailhaul", "%.3f s  user %.3f s  peak %.1f MB" % (ours.seconds, ours.user, ours.rss / 1024), "")
        for name, cost in median.items():
            if name == "mailhaul":
                continue
            text = "%.3f s  user %.3f s  peak %.1f MB" % (cost.seconds, cost.user, cost.rss / 1024)
            self.row(scenario, name, text, self.verdicts(scenario, name, ours, cost))

    def verdicts(self, scenario, name, ours, cost):
        parts = []
        for figure, mine, theirs in (("s", ours.seconds, cost.seconds), ("user", ours.user, cost.user)):
            goal = GOALS.get((scenario, name, figure))
            if goal is not None or figure == "s":
                ratio = mine / max(theirs, 1e-9)
                parts.append("%sratio %.2f%s" % ("user " if figure == "user" else "", ratio, self.judge(ratio, goal)))
        return ", ".join(parts)

    def judge(self, value, goal):
        if goal is None:
            return ""
        self.bad += value > goal
        return " (goal %g: %s)" % (goal, "met" if value <= goal else "MISSED")

    def row(self, scenario, name, text, verdict):
        print("%-12s %-9s %-44s %s" % (scenario, name, text, verdict), flush=True)

    # Scenarios.
    def fetch_all(self, protocol):
        self.fill("m0", mixed(500 if self.args.short else 5000))
        self.race(protocol + "-all", protocol, "m0", slow_too=False)

    def far(self, protocol):
        self.fill("m1", [sample(n) for n in range(500)])
        with mailhaul.DelayProxy(40, self.port(protocol)) as proxy:
            self.race(protocol + "-far", protocol, "m1", port=proxy.ports[self.port(protocol)])

    def none(self, protocol):
        self.fill("m2", [sample(n) for n in range(2000 if self.args.short else 20000)])
        runs, self.runs = self.runs, max(self.runs, 5)
        self.race(protocol + "-none", protocol, "m2", prepared=True)
        self.runs = runs

    def some(self):
        """100 new among 20,000 (IMAP): each client has fetched all before the 100 come."""
        count = 2000 if self.args.short else 20000
        costs = collections.defaultdict(list)
        for turn in range(self.runs):
            user = "m%d" % (10 + turn)
            self.fill(user, [sample(n) for n in range(count)])
            ready = [kind(self, user, "imap", self.port("imap")) for kind in self.clients("imap", False)]
            for client in ready:
                client.run()
            fresh = [sample(count + n) for n in range(100)]
            self.d.append(user, "INBOX", fresh)
            self.expected[user] = sorted(self.expected[user] + [hash(mailhaul.local(m)) for m in fresh])
            for client in ready:
                os.sync()
                costs[client.name].append(client.run())
                self.verify(client)
                client.remove()
        self.report("imap-some", costs)

    def big(self, protocol):
        self.fill("m3", [sample(1, 100_000_000)])
        costs = self.race(protocol + "-big", protocol, "m3", slow_too=True)
        peak = statistics.median(c.rss for c in costs["mailhaul"]) / 1024
        self.row(protocol + "-big", "mailhaul", "peak %.1f MB" % peak, self.judge(peak, 12).strip())

    # Handing on.
    def sink(self):
        """Postfix's smtp-sink; takes everything and keeps nothing. (process, port)"""
        port = free_ports(1)[0]
        user = ["-u", "nobody"] if os.getuid() == 0 else []
        child = subprocess.Popen([SMTP_SINK, *user, "127.0.0.1:%d" % port, "200"], stderr=subprocess.PIPE)
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return child, port
            except OSError:
                if child.poll() is not None:
                    raise RuntimeError("smtp-sink did not start: %s" % child.stderr.read().decode()) from None
                time.sleep(0.02)

    def hand_on(self, kind):
        """1,000 messages from POP3 to smtp-sink and to Dovecot's LMTP, near by and with 10 ms to them. fdm knows no
        LMTP: there its time to smtp-sink at the same distance is what ours is held against."""
        if SMTP_SINK is None:
            self.row(kind, "", "left out: no smtp-sink", "")
            return
        count = 200 if self.args.short else 1000
        self.fill("m5", [sample(n, 4000) for n in range(count)])
        far, child = kind.endswith("-far"), None
        child, port = self.sink()
        try:
            target = self.d.ports["lmtp"] if kind.startswith("lmtp") else port
            with mailhaul.DelayProxy(10, port, target) as proxy:
                near = {p: p for p in (port, target)}
                ports = proxy.ports if far else near
                deliver = "deliver %s { host = 'localhost' port = %d tls = 'plaintext' to = '%s' }" % (
                    kind.split("-")[0], ports[target], "m6" if target != port else "user@localhost")
                costs = collections.defaultdict(list)
                for turn in range(self.runs):
                    if target != port:
                        self.d.flush("m6")
                    ours = Fresh(self, "m5", "pop3", self.port("pop3"), deliver)
                    costs["mailhaul"].append(ours.run())
                    self.all_delivered(ours, count)
                    if target != port and self.d.count("m6") != count:
                        raise RuntimeError("%d of %d messages arrived by LMTP" % (self.d.count("m6"), count))
                    ours.remove()
                    if shutil.which("fdm") and turn == 0:
                        theirs = FdmToSmtp(self, "m5", "pop3", self.port("pop3"), ports[port])
                        costs["fdm"].append(theirs.run())
                        theirs.remove()
            self.report(kind, costs)
        finally:
            child.terminate()
            child.wait()

    def all_delivered(self, client, count):
        status = subprocess.run([mailhaul.program(), "status", "--json"], env={**os.environ, **client.world.env},
                                stdout=subprocess.PIPE, text=True, check=True).stdout
        last = json.loads(status.splitlines()[0])
        if last["result"] != "ok" or last["messages"] != count:
            raise RuntimeError("not all of %d messages were taken: %s" % (count, last))

    def append(self):
        """5,000 messages over 40 ms from one IMAP account to another over 40 ms; beside fetching them alone."""
        count = 500 if self.args.short else 5000
        self.fill("m7", [sample(n, 2000) for n in range(count)])
        port = self.port("imap")
        with mailhaul.DelayProxy(40, port) as proxy:
            alone, both = [], []
            for _ in range(self.runs):
                client = Mailhaul(self, "m7", "imap", proxy.ports[port])
                alone.append(client.run())
                self.verify(client)
                client.remove()
                self.d.flush("m8")
                deliver = ("deliver imap { host = 'localhost' port = %d user = 'm8' password = '%s' tls_trust_file = '%s' }"
                           % (proxy.ports[port], self.d.password, self.d.ca_file))
                client = Fresh(self, "m7", "imap", proxy.ports[port], deliver)
                both.append(client.run())
                if sorted(hash(m) for _, _, m in self.d.fetch_all("m8")) != sorted(hash(m) for _, _, m in self.d.fetch_all("m7")):
                    raise RuntimeError("the messages appended are not those of the source")
                client.remove()
        a, b = (statistics.median(c.seconds for c in costs) for costs in (alone, both))
        self.row("append-far", "mailhaul", "fetched %.3f s, appended too %.3f s  peak %.1f MB"
                 % (a, b, max(c.rss for c in both) / 1024), "ratio %.2f%s" % (b / a, self.judge(b / a, 2)))

    def hand_on_big(self):
        """Peak memory with one message of 100 MB, for each destination."""
        self.fill("m3", [sample(1, 100_000_000)])
        child, port = self.sink() if SMTP_SINK else (None, 0)
        delivers = {
            "smtp": "deliver smtp { host = 'localhost' port = %d tls = 'plaintext' to = 'a@localhost' }" % port,
            "lmtp": "deliver lmtp { host = 'localhost' port = %d tls = 'plaintext' to = 'm9' }" % self.d.ports["lmtp"],
            "imap": "deliver imap { host = 'localhost' port = %d user = 'm9' password = '%s' tls_trust_file = '%s' }"
                    % (self.port("imap"), self.d.password, self.d.ca_file),
            "command": "deliver command { command = { 'sh', '-c', 'cat >/dev/null' } }",
        }
        if child is None:
            del delivers["smtp"]
        try:
            for kind, deliver in delivers.items():
                client = Fresh(self, "m3", "imap", self.port("imap"), deliver)
                cost = client.run()
                self.row(kind + "-big", "mailhaul", "%.3f s  peak %.1f MB" % (cost.seconds, cost.rss / 1024),
                         self.judge(cost.rss / 1024, 12).strip())
                client.remove()
        finally:
            if child is not None:
                child.terminate()
                child.wait()

    def folders(self):
        for n in range(200):
            self.d.append("m4", "f%03d" % n, [sample(n)])
        world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
        with mailhaul.DelayProxy(20, self.port("imap")) as proxy:
            world.write_config(make_account(self.d, "m4", world.mail, folders=["*"], port=proxy.ports[self.port("imap")]))
            world.run("fetch", check=0)
        with mailhaul.DelayProxy(20, self.port("imap")) as proxy:
            world.write_config(make_account(self.d, "m4", world.mail, folders=["*"], port=proxy.ports[self.port("imap")]))
            result = world.run("fetch", check=0)
            trips = max(c["round_trips"] for c in proxy.stop())
        self.row("folders-200", "mailhaul", "%.3f s, %d round trips" % (result.seconds, trips), self.judge(trips, 6).strip())

    def accounts(self, protocol):
        for sessions in (16, 50, 100):  # the default, a middle way, all at once
            self.accounts_with(protocol, sessions)

    def accounts_with(self, protocol, sessions):
        users = ["a%d" % n for n in range(100)]
        for user in users:
            self.fill(user, [sample(n) for n in range(10)])
        seconds, peaks = [], []
        with mailhaul.DelayProxy(20, self.port(protocol)) as proxy:
            for _ in range(self.runs):
                world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
                world.write_config("max_sessions = %d\n" % sessions + "".join(
                    make_account(self.d, user, world.mail + "/" + user, name=user, protocol=protocol, timeout=60,
                                 port=proxy.ports[self.port(protocol)]) for user in users))
                os.sync()
                result = world.run("fetch", check=0)
                for user in users:
                    assert len(mailhaul.read_maildir(world.mail + "/" + user)) == 10
                seconds.append(result.seconds), peaks.append(result.rss / 1024)
        self.row("accounts-100", "mailhaul", "%s, %d at once: %.3f s, peak %.1f MB" % (protocol, sessions, statistics.median(seconds), statistics.median(peaks)),
                 (self.judge(statistics.median(seconds), 1.3) + self.judge(statistics.median(peaks), 40)).strip())

    def push(self, disabled):
        """From the server's word to the file in new/, by a server that tells at once."""
        times = []
        world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
        with PushServer(["u"]) as server, Arrivals(world.mail) as mail:
            world.write_config(server.account("u", world.mail, disable_extensions=disabled, interval=3600))
            with running(world) as daemon:
                for n in range(20 if self.args.short else 100):
                    server.await_waiting(1)
                    told = server.append("u", sample(n))
                    times.append((mail.next(daemon) - told) * 1000)
        self.row("daemon-push", "mailhaul", "%s: median %.1f ms, worst %.1f ms" % (
            "IDLE" if disabled else "NOTIFY", statistics.median(times), max(times)), self.judge(statistics.median(times), 50).strip())

    def reload(self):
        """One of a thousand accounts changes: from the word to do it until it is done, and nobody else is touched."""
        count, seconds = 100 if self.args.short else 1000, []
        world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
        with PushServer(["u%d" % n for n in range(count)]) as server:
            def configure(interval):
                text = "".join(server.account(user, world.mail + "/" + user, interval=3600) for user in server.users[:-1])
                world.write_config(text + server.account(server.users[-1], world.mail + "/z", interval=interval), world.config + ".new")
                os.rename(world.config + ".new", world.config)
            configure(3600)
            with running(world) as daemon:
                server.await_waiting(count, 120)
                for n in range(self.runs):
                    begin = time.monotonic()
                    configure(3000 + n)
                    daemon.wait_for("1 changed, 0 removed, %d as before" % (count - 1), n + 1)
                    seconds.append(time.monotonic() - begin)
                    server.await_waiting(count)
            assert len(server.logins) == count + self.runs
        self.row("daemon-reload", "mailhaul", "%d accounts, one changed: %.0f ms from the save, 50 of them for it to settle" % (
            count, statistics.median(seconds) * 1000), self.judge(statistics.median(seconds), 0.2).strip())

    def daemon_accounts(self):
        """100 accounts x 10 messages at 20 ms, as `accounts`, by a daemon: from its start until all is there."""
        users, seconds = ["a%d" % n for n in range(100)], []
        for user in users:
            self.fill(user, [sample(n) for n in range(10)])
        with mailhaul.DelayProxy(20, self.port("imap")) as proxy:
            for _ in range(self.runs):
                world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
                world.write_config("max_sessions = 100\n" + "".join(
                    make_account(self.d, user, world.mail + "/" + user, name=user, protocol="imap", timeout=60,
                                 port=proxy.ports[self.port("imap")]) for user in users))
                os.sync()
                begin = time.monotonic()
                with running(world) as daemon:
                    left = set(users)
                    while left:
                        assert daemon.child.poll() is None, daemon.text()
                        left = {u for u in left if delivered(world.mail + "/" + u) < 10}
                        time.sleep(0.01)
                    seconds.append(time.monotonic() - begin)
        self.row("daemon-accounts", "mailhaul", "100 accounts, 100 at once: %.3f s" % statistics.median(seconds),
                 self.judge(statistics.median(seconds), 1.3).strip())

    def idle(self):
        """What an account costs that waits over TLS, and a minute in which nothing happens."""
        few, count = 20, 100 if self.args.short else 1000
        world = mailhaul.World(tempfile.mkdtemp(dir=self.dir))
        authority = certs.Authority(world.dir + "/ca")
        with PushServer(["u%d" % n for n in range(count)], pair=authority.issue("server")) as server:
            def configure(n):
                world.write_config("".join(server.account(user, world.mail + "/" + user, ca_file=authority.file, interval=3600,
                                                          timeout=60) for user in server.users[:n]))
            configure(few)
            with running(world) as daemon:
                server.await_waiting(few)
                before = daemon.cost()
                configure(count)
                begin = time.monotonic()
                server.await_waiting(count, 120)
                started, after = time.monotonic() - begin, daemon.cost()
                time.sleep(12)  # its threads go
                busy = daemon.cost().cpu
                time.sleep(6 if self.args.short else 60)
                cpu = daemon.cost().cpu - busy
        each = (after.pss - before.pss) / (count - few)
        self.row("daemon-idle", "mailhaul", "%d accounts: %.1f KiB each, all there in %.1f s" % (count, each, started),
                 self.judge(each, 40).strip())
        self.row("daemon-idle", "mailhaul", "CPU %.2f s while nothing happens" % cpu, self.judge(cpu, 0.1).strip())

    def calls(self, protocol):
        """System calls a message at fetch-all, all threads counted."""
        if not shutil.which("strace"):
            return
        self.fill("m0", mixed(500 if self.args.short else 5000))
        client = Mailhaul(self, "m0", protocol, self.port(protocol))
        summary = client.dir + "/strace"
        measure(["strace", "-c", "-f", "-o", summary, *client.argv], client.dir, client.world.env)
        self.verify(client)
        with open(summary) as f:
            lines = f.read().splitlines()
        total = next(line for line in lines if line.endswith("total"))
        calls = int(total.split()[-3] if len(total.split()) > 4 and total.split()[-2].isdigit() else total.split()[-2])
        each = calls / len(self.expected["m0"])
        top = sorted(((int(l.split()[3]), l.split()[-1]) for l in lines[2:] if l.split() and l.split()[0][0].isdigit()
                      and not l.endswith("total")), reverse=True)[:6]
        self.row(protocol + "-calls", "mailhaul", "%.1f system calls a message" % each, self.judge(each, 12).strip())
        self.row("", "", "  " + ", ".join("%s %d" % (name, n) for n, name in top), "")
        client.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--short", action="store_true", help="smaller mailboxes, one run each")
    parser.add_argument("--slow", action="store_true", help="fdm and getmail everywhere")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--dir", help="where the clients write; a real disk")
    parser.add_argument("scenario", nargs="*", help="pop3-all imap-all pop3-far imap-far pop3-none imap-none imap-some "
                        "folders accounts-pop3 accounts-imap pop3-big imap-big pop3-calls imap-calls smtp lmtp smtp-far lmtp-far append hand-on-big "
                        "daemon-push-notify daemon-push-idle daemon-idle-1000 daemon-reload-1000 daemon-accounts-100")
    args = parser.parse_args()
    if mailhaul.program() is None:
        sys.exit("bench: no program: set MAILHAUL to a release build")
    bench = Bench(args)
    scenarios = {}
    for p in ("pop3", "imap"):
        for name in ("all", "far", "none", "big", "calls"):
            method = {"all": bench.fetch_all}.get(name) or getattr(bench, name)
            scenarios[p + "-" + name] = lambda method=method, p=p: method(p)
        scenarios["accounts-" + p] = lambda p=p: bench.accounts(p)
    scenarios["imap-some"], scenarios["folders"] = bench.some, bench.folders
    for kind in ("smtp", "lmtp", "smtp-far", "lmtp-far"):
        scenarios[kind] = lambda kind=kind: bench.hand_on(kind)
    scenarios["daemon-push-notify"] = lambda: bench.push(None)
    scenarios["daemon-push-idle"] = lambda: bench.push(["NOTIFY"])
    scenarios["daemon-idle-1000"], scenarios["daemon-reload-1000"] = bench.idle, bench.reload
    scenarios["daemon-accounts-100"] = bench.daemon_accounts
    scenarios["append"], scenarios["hand-on-big"] = bench.append, bench.hand_on_big
    try:
        print(subprocess.run([mailhaul.program(), "--version"], stdout=subprocess.PIPE, text=True).stdout.split("\n")[0])
        for name in args.scenario or scenarios:
            try:
                scenarios[name]()
            except (RuntimeError, AssertionError, OSError) as error:
                bench.bad += 1
                print("%-12s FAILED %s" % (name, str(error)[:1000]), flush=True)
    finally:
        bench.stop()
    print("%d goals missed" % bench.bad)
    return bench.bad > 0


if __name__ == "__main__":
    sys.exit(main())
