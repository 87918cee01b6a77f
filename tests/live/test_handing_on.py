# SPDX-License-Identifier: MIT
"""Mail handed on to real servers: Postfix's smtp-sink, Postfix, Dovecot's LMTP, submission and IMAP; byte for byte but for the
one field that says where it came from."""
import collections
import contextlib
import imaplib
import os
import re

import pytest

import dovecot as dovecot_module
import mailhaul
import mta
from destinations import RECEIVED, exact_form, received_problem, smtp_form
from dovecot import Dovecot, sample
from live import make_account
from test_corpus import CORPUS, UGLY, corpus

needs_sink = pytest.mark.skipif(not mta.sink_available(), reason="smtp-sink is not installed (package postfix)")
needs_postfix = pytest.mark.skipif(not mta.postfix_available(), reason="needs Postfix and root")
needs_submission = pytest.mark.skipif(not os.path.exists("/usr/lib/dovecot/submission-login"),
                                      reason="Dovecot's submission service is not installed (package dovecot-submissiond)")
needs_corpus = pytest.mark.skipif(not os.path.isdir(CORPUS), reason="no corpus: set MAILHAUL_SHARED")
pytestmark = pytest.mark.skipif(not dovecot_module.available(), reason="Dovecot is not installed")
MAIL = {"ugly": lambda: UGLY, "corpus": corpus}
BOTH = [pytest.param("ugly"), pytest.param("corpus", marks=needs_corpus)]


@pytest.fixture(scope="module")
def server():
    """The source, and for LMTP and IMAP the destination: users named to... are empty. LMTP takes NAME@anywhere."""
    users = ["ugly", "corpus", "few"] + ["to%d" % n for n in range(40)]
    with Dovecot(users=users, extra="auth_username_format = %Ln") as d:
        d.append("ugly", "INBOX", UGLY)
        d.append("few", "INBOX", [sample(n) for n in range(5)])
        if os.path.isdir(CORPUS):
            d.append("corpus", "INBOX", corpus(), chunk=100)
        d.empty = iter(users[3:])
        yield d


def deliver(kind, name="there", **keys):
    lines = ["type = '%s'" % kind] + ["%s = %s" % (key, mailhaul.quote(value)) for key, value in keys.items()]
    return "    deliver '%s' {\n        %s\n    }\n" % (name, "\n        ".join(lines))


def hand_on(server, world, user, *sections, check=0, **keys):
    """One pass of an account with these destinations alone."""
    text = make_account(server, user, None, **dict(dict(timeout=60), **keys)).rstrip().rstrip("}") + "".join(sections) + "}\n"
    world.write_config(text)
    return world.run("fetch", check=check, timeout=240)


def source(server, user, protocol="imap"):
    data = [data for _, _, data in server.fetch_all(user)]
    return data if protocol == "imap" else [d if d.endswith(b"\n") else d + b"\r\n" for d in data]


def traceless(data):
    """A message (CRLF) without the field that mailhaul put in front, which must be there once and be well-formed."""
    field = RECEIVED.match(data)
    assert field, "no Received field: %r" % data[:200]
    assert not received_problem(field.group(), "nobody-in-particular"), received_problem(field.group(), "nobody-in-particular")
    return data[field.end():]


def same(found, wanted):
    found, wanted = collections.Counter(found), collections.Counter(wanted)
    missing, extra = wanted - found, found - wanted
    assert not missing and not extra, "%d missing, first %r; %d that nobody sent, first %r" % (
        sum(missing.values()), next(iter(missing), b"")[:300], sum(extra.values()), next(iter(extra), b"")[:300])


def crlf(data):
    return data.replace(b"\n", b"\r\n")


@needs_sink
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
@pytest.mark.parametrize("user", BOTH)
def test_smtp_sink(server, world, user, lmtp, protocol):
    with mta.SmtpSink(lmtp=lmtp) as sink:
        hand_on(server, world, user, deliver("lmtp" if lmtp else "smtp", host="127.0.0.1", port=sink.port, to="me@example.net"),
                protocol=protocol)
        handed = sink.messages()
        same([traceless(crlf(m.data)) for m in handed], [smtp_form(data) for data in source(server, user, protocol)])
        assert {tuple(m.recipients) for m in handed} == {(b"me@example.net",)}
        world.run("fetch", check=0)
        assert len(sink.messages()) == len(handed)


@needs_sink
@pytest.mark.parametrize("options", [["-8"], ["-p"], ["-e"], ["-E"], ["-w", "1"]], ids=lambda o: o[0])
def test_smtp_sink_that_lacks(server, world, options):
    """Without 8BITMIME, PIPELINING, ESMTP, enhanced codes; and one that takes a second for DATA."""
    with mta.SmtpSink(*options) as sink:
        hand_on(server, world, "few" if options[0] == "-w" else "ugly", deliver("smtp", host="127.0.0.1", port=sink.port,
                                                                               to="me@example.net"))
        user = "few" if options[0] == "-w" else "ugly"
        same([traceless(crlf(m.data)) for m in sink.messages()], [smtp_form(data) for data in source(server, user)])


@needs_sink
@pytest.mark.parametrize("options,code,kept", [(["-r", "RCPT"], 75, 5), (["-f", "RCPT"], 76, 5), (["-q", "DATA"], 75, 5),
                                               (["-q", "."], 75, 5), (["-f", "."], 76, 5), (["-r", "CONNECT"], 75, 5),
                                               (["-f", "CONNECT"], 76, 5)],
                         ids=lambda o: "-".join(o) if isinstance(o, list) else None)
def test_smtp_sink_that_refuses(server, world, options, code, kept):
    """Everything put off (-r), refused (-f), or the connection cut (-q): nothing goes from the source."""
    user = next(server.empty)
    server.append(user, "INBOX", [sample(n) for n in range(5)])
    with mta.SmtpSink(*options) as sink:
        hand_on(server, world, user, deliver("smtp", host="127.0.0.1", port=sink.port, to="me@example.net"), check=code,
                leave_on_server="no")
        assert server.count(user) == kept
        assert world.run("quarantine", "list", check=0).out == b""


def stored_by_lmtp(server, user):
    """What Dovecot's LMTP stored, without the fields that it put in front of ours."""
    out = []
    for _, _, data in server.fetch_all(user):
        ours = re.search(rb"^Received: from [^\r\n]*\r\n\tby [^\r\n]* \(mailhaul ", data, re.M)
        assert ours and ours.start() < 1500, data[:600]
        out.append(data[ours.start():])
    return out


@pytest.mark.parametrize("way", ["tcp", "unix"])
@pytest.mark.parametrize("user", BOTH)
def test_dovecot_lmtp(server, world, user, way):
    box = next(server.empty)
    where = dict(socket=server.lmtp_socket) if way == "unix" else dict(host="127.0.0.1", port=server.ports["lmtp"])
    hand_on(server, world, user, deliver("lmtp", to=box + "@example.net", **where))
    same([traceless(m) for m in stored_by_lmtp(server, box)], [smtp_form(data) for data in source(server, user)])


def test_dovecot_lmtp_recipients(server, world):
    """Three recipients, one of them unknown: the two have it once, the message is set aside, and stays."""
    user, one, two = next(server.empty), next(server.empty), next(server.empty)
    server.append(user, "INBOX", [b"Delivered-To: %s@example.net\r\nDelivered-To: %s@example.net\r\n\r\nfine\r\n" % (one.encode(), two.encode()),
                                  b"Delivered-To: %s@example.net, stranger@example.net\r\n\r\nhalf\r\n" % one.encode()])
    section = deliver("lmtp", socket=server.lmtp_socket, to_header="Delivered-To")
    hand_on(server, world, user, section, check=65, leave_on_server="no")
    assert (server.count(one), server.count(two), server.count(user)) == (2, 1, 1)
    world.run("quarantine", "retry", "a", check=0)
    hand_on(server, world, user, section, check=65, leave_on_server="no")
    assert (server.count(one), server.count(two), server.count(user)) == (2, 1, 1)


@needs_sink
@needs_submission
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_dovecot_submission(server, world, tls):
    with mta.SmtpSink() as sink, Dovecot(users=["anna"], relay=sink.port) as submission:
        keys = dict(host="localhost", port=submission.ports["submissions" if tls == "implicit" else "submission"], tls=tls,
                    tls_trust_file=submission.ca_file, user="anna", to="me@example.net")
        hand_on(server, world, "few", deliver("smtp", password="wrong", **keys), check=77)
        assert sink.messages() == []
        hand_on(server, world, "few", deliver("smtp", password=submission.password, **keys))
        found = [crlf(m.data) for m in sink.messages()]
        # Dovecot puts a field of its own in front of ours.
        found = [re.sub(rb"\AReceived: from [^\n]*\n(?:[ \t][^\n]*\n)*(?=Received:)", b"", data) for data in found]
        same([traceless(data) for data in found], [smtp_form(data) for data in source(server, "few")])
        assert world.run("check", "--connect", check=0)


@pytest.mark.parametrize("user", BOTH)
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_dovecot_imap(server, world, user, protocol):
    box = next(server.empty)
    hand_on(server, world, user, deliver("imap", host="localhost", port=server.ports["imaps"], tls_trust_file=server.ca_file,
                                         user=box, password=server.password), protocol=protocol)
    found = [data for _, _, data in server.fetch_all(box)]
    # Dovecot drops CRs before a CR LF, and one that is the very last byte, as it stores and as it gives.
    def kept(data):
        return re.sub(rb"\r+\n", b"\r\n", data).rstrip(b"\r")
    same(map(kept, found), [kept(exact_form(data)) for data in source(server, user, protocol)])


def test_dovecot_imap_facts(server, world):
    """Flags, INTERNALDATE and folders go along; a second pass appends nothing."""
    user, box = next(server.empty), next(server.empty)
    server.append(user, "INBOX", [sample(1)], flags=r"\Seen \Flagged", date="17-Jul-1996 02:44:25 -0700")
    server.append(user, "INBOX", [sample(2)])
    server.append(user, "Lists/Caf&AOk-", [sample(3)], flags=r"\Answered")
    section = deliver("imap", host="localhost", port=server.ports["imap"], tls="starttls", tls_trust_file=server.ca_file,
                      user=box, password=server.password, folder_prefix="Old")
    for _ in range(2):
        hand_on(server, world, user, section, folders=["*"])
        client = server.imap(box)
        names = [line.split(b'"/" ')[1].strip(b'"') for line in client.list()[1]]
        assert b"Old/Lists/Caf&AOk-" in names
        client.select('"Old/Lists/Caf&AOk-"', readonly=True)
        facts = client.fetch("1:*", "(FLAGS BODY.PEEK[])")[1]
        assert facts[0][1] == sample(3) and b"\\Answered" in facts[0][0] and len([f for f in facts if isinstance(f, tuple)]) == 1
        inbox = b"Old/INBOX" if b"Old/INBOX" in names else b"Old"
        client.select('"%s"' % inbox.decode(), readonly=True)
        facts = {f[1]: f[0] for f in client.fetch("1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1] if isinstance(f, tuple)}
        client.logout()
        assert set(facts) == {sample(1), sample(2)}
        assert b"\\Seen" in facts[sample(1)] and b"\\Flagged" in facts[sample(1)] and b"\\Seen" not in facts[sample(2)]
        assert imaplib.Internaldate2tuple(facts[sample(1)]) == imaplib.Internaldate2tuple(
            b'INTERNALDATE "17-Jul-1996 02:44:25 -0700"')


def test_dovecot_imap_wrong_password(server, world):
    user = next(server.empty)
    server.append(user, "INBOX", [sample(1)])
    hand_on(server, world, user, deliver("imap", host="localhost", port=server.ports["imaps"], tls_trust_file=server.ca_file,
                                         user=next(server.empty), password="wrong"), check=77, leave_on_server="no")
    assert server.count(user) == 1


@needs_postfix
def test_postfix(server, world):
    """The most common setup of all: into the local MTA. One recipient is unknown to it, one message too large."""
    user = next(server.empty)
    good = [b"Return-Path: <s%d@example.org>\r\nDelivered-To: box-%s@example.net\r\nFrom: a\r\nDate: x\r\nMessage-ID: <%d@x>\r\n"
            b"Subject: %d\r\n\r\n.dots\r\n..\r\n\xe4\xf6 8-bit\r\nFrom here\r\n" % (n, [b"me", b"you"][n % 2], n, n) for n in range(60)]
    stranger = good[0].replace(b"box-me", b"box-stranger")
    large = good[1] + b"x" * 70 + b"\r\n" * 1 + (b"y" * 70 + b"\r\n") * 3000
    server.append(user, "INBOX", good + [stranger, large])
    with mta.Postfix(["me", "you"], limit=200000) as postfix:
        section = deliver("smtp", host="localhost", port=postfix.port, to_header="Delivered-To", to_strip_prefix="box-",
                          to_domains=["example.net"])
        hand_on(server, world, user, section, check=65, leave_on_server="no")
        found = postfix.messages("me", 30) + postfix.messages("you", 30)
        same([traceless(crlf(data)) for data in found], good)
        assert [data for _, _, data in server.fetch_all(user)] == [stranger, large]
        listed = world.run("quarantine", "list", check=0).out.decode()
        assert "stranger" in listed and listed.count("\n") == 2
        world.run("check", "--connect", check=0)


@needs_postfix
@needs_corpus
def test_postfix_corpus(server, world):
    """Postfix ends the header at the first line that is no field (an mbox's "From "), with an empty line of its own; a few
    more it folds anew. All else comes through as it is."""
    def lines(data):
        return re.sub(rb"(\r\n)+", b"\r\n", data).lstrip(b"\r\n")
    with mta.Postfix(["me"]) as postfix:
        hand_on(server, world, "corpus", deliver("smtp", host="localhost", port=postfix.port, to="me@example.net"))
        wanted = collections.Counter(lines(smtp_form(data)) for data in source(server, "corpus"))
        found = collections.Counter(lines(traceless(crlf(data))) for data in postfix.messages("me", sum(wanted.values())))
        assert sum(found.values()) == sum(wanted.values())
        assert sum((found & wanted).values()) > 0.98 * sum(wanted.values()), next(iter(found - wanted))[:500]


@needs_sink
def test_destination_added_later(server, world):
    """It gets no old mail; one that was taken away stops counting."""
    user = next(server.empty)
    server.append(user, "INBOX", [sample(1)])
    with mta.SmtpSink() as old, mta.SmtpSink() as new:
        first = deliver("smtp", "old", host="127.0.0.1", port=old.port, to="me@example.net")
        second = deliver("smtp", "new", host="127.0.0.1", port=new.port, to="me@example.net")
        hand_on(server, world, user, first)
        server.append(user, "INBOX", [sample(2)])
        hand_on(server, world, user, first, second)
        assert (len(old.messages()), len(new.messages())) == (2, 1)
        server.append(user, "INBOX", [sample(3)])
        hand_on(server, world, user, second, leave_on_server="no")
        assert (len(old.messages()), len(new.messages())) == (2, 2)
        assert server.count(user) == 0


@pytest.fixture
def fast(world):
    world.kind = next((k for k in ("MAILHAUL_RELEASE", "MAILHAUL_PLAIN") if mailhaul.program(k)), "MAILHAUL")
    return world


@pytest.mark.parametrize("kind", [pytest.param("smtp", marks=needs_sink), "lmtp", "imap", "command"])
def test_hundred_megabytes(server, fast, kind):
    """Of a message of 100 MB never more than a few pages are in memory, whoever gets it."""
    user, box = next(server.empty), next(server.empty)
    message = sample(1, 100_000_000)
    server.append(user, "INBOX", [message])
    program = "test $(cat | wc -c) -eq %d" % len(mailhaul.local(message))
    with mta.SmtpSink() if kind == "smtp" else contextlib.nullcontext() as sink:
        section = {"smtp": lambda: deliver("smtp", host="127.0.0.1", port=sink.port, to="me@example.net"),
                   "lmtp": lambda: deliver("lmtp", socket=server.lmtp_socket, to=box),
                   "imap": lambda: deliver("imap", host="127.0.0.1", port=server.ports["imap"], tls="plaintext", user=box,
                                           password=server.password),
                   "command": lambda: deliver("command", command=["/bin/sh", "-c", program])}[kind]()
        result = hand_on(server, fast, user, section, leave_on_server="no")
        if kind == "smtp":
            assert [traceless(crlf(m.data)) for m in sink.messages()] == [message]
    assert server.count(user) == 0
    if kind == "lmtp":
        assert [traceless(m) for m in stored_by_lmtp(server, box)] == [message]
    elif kind == "imap":
        assert [data for _, _, data in server.fetch_all(box)] == [message]
    limit = 14 if fast.kind == "MAILHAUL_RELEASE" else 64
    assert fast.kind == "MAILHAUL" or result.rss < limit * 1024, "%d KiB" % result.rss
