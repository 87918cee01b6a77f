# SPDX-License-Identifier: MIT
"""The model destinations of tests/lib/destinations.py against clients whose manners are known: Python's smtplib and imaplib,
which must pass, and clients made to misbehave, each of which must be noticed."""
import contextlib
import imaplib
import smtplib
import socket
import ssl

import pytest

import transcript

MESSAGE = b"Return-Path: <s@example.org>\r\nSubject: one\r\n\r\n.dot\r\n..\r\ntext\r\n"
TRACE = b"Received: from a.example by b.example (mailhaul 0.2) with IMAPS;\r\n Sat, 21 Nov 2026 00:00:00 +0000\r\n"
HEAD = "# A case for the models.\n#\n"


@contextlib.contextmanager
def performance(tmp_path, text):
    """A transcript whose servers listen, and nobody runs the program."""
    path = tmp_path / "case.t"
    path.write_text(HEAD + text)
    play = transcript.Play(transcript.Transcript(str(path)), str(tmp_path / "world"))
    for message in [MESSAGE]:
        play.everything[1] = transcript.models.Message(1, message)
    for side in play.sides():
        side.listen()
        side.begin(play.run)
    try:
        yield play
    finally:
        for thread in play.threads:
            thread.join(5)
        play.over.set()
        for side in play.sides():
            side.close()


class Raw:
    """A client that says exactly what it is told."""

    def __init__(self, play):
        self.sock = socket.create_connection(("127.0.0.1", play.sinks["sink"].port), 5)
        self.file = self.sock.makefile("rb")

    def reply(self):
        lines = [self.file.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(self.file.readline())
        return lines[-1]

    def say(self, data, replies=1):
        self.sock.sendall(data)
        return [self.reply() for _ in range(replies)]

    def __enter__(self):
        self.reply()
        return self

    def __exit__(self, *_):
        self.file.close()
        self.sock.close()


@pytest.mark.parametrize("kind", ["smtp", "lmtp"])
def test_a_known_client_passes(tmp_path, kind):
    with performance(tmp_path, "@sink %s\n@sink-capability SIZE 1000; 8BITMIME; AUTH PLAIN\n" % kind) as play:
        with {"smtp": smtplib.SMTP, "lmtp": smtplib.LMTP}[kind]("127.0.0.1", play.sinks["sink"].port) as client:
            client.ehlo_or_helo_if_needed()
            client.login("user", "secret")
            to = ["a@example.net", "b@example.net"][:2 if kind == "smtp" else 1]  # smtplib reads one reply
            assert client.sendmail("s@example.org", to, TRACE + MESSAGE) == {}
            client.sendmail("s@example.org", ["a@example.net"], TRACE + MESSAGE)
    handed = play.sinks["sink"].handed
    assert play.problems == []
    assert [h.key for h in handed] == [1, 1]
    assert handed[0].codes == {r.encode(): 250 for r in to} and handed[0].sender == b"s@example.org"
    assert handed[0].data == TRACE + MESSAGE


def test_inside_tls(tmp_path):
    with performance(tmp_path, "@sink smtp\n@sink-listen starttls\n") as play:
        side = play.sinks["sink"]
        with smtplib.SMTP("localhost", side.port) as client:
            assert not client.ehlo()[1].count(b"AUTH")
            client.starttls(context=ssl.create_default_context(cafile=side.ca))
            client.login("user", "secret")
            client.sendmail("s@example.org", ["a@example.net"], TRACE + MESSAGE)
    assert play.problems == [] and len(side.handed) == 1


def test_chunks(tmp_path):
    with performance(tmp_path, "@sink smtp\n@sink-capability CHUNKING; PIPELINING\n") as play, Raw(play) as raw:
        whole = TRACE + MESSAGE
        raw.say(b"EHLO x\r\nMAIL FROM:<>\r\n"[:8])
        raw.say(b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 5\r\n" + whole[:5], 3)
        assert raw.say(b"BDAT %d LAST\r\n" % (len(whole) - 5) + whole[5:] + b"QUIT\r\n", 2)[0][:3] == b"250"
    assert play.problems == [] and play.sinks["sink"].handed[0].data == whole


def test_rules_decide_for_each_recipient(tmp_path):
    with performance(tmp_path, "@sink lmtp\n@sink-on ^\\. 1 b@\nS: 451 later\n@sink-on ^RCPT TO:<c@\nS: 550 no\n") as play:
        with smtplib.LMTP("127.0.0.1", play.sinks["sink"].port) as client, pytest.raises(smtplib.SMTPDataError):
            # smtplib asks for one reply however many recipients there are; this one is the second.
            client.ehlo()
            client.mail("s@example.org")
            client.rcpt("a@x"), client.rcpt("b@x"), client.rcpt("c@x")
            client.data(TRACE + MESSAGE)
            code, words = client.getreply()
            raise smtplib.SMTPDataError(code, words)
    handed = play.sinks["sink"].handed[0]
    assert handed.codes == {b"a@x": 250, b"b@x": 451} and list(handed.asked) == [b"a@x", b"b@x", b"c@x"]
    assert play.problems == [] and not play.sinks["sink"].has(1)


def test_a_cut_behind_the_dot_is_no_answer(tmp_path):
    with performance(tmp_path, "@sink smtp\n@sink-on ^\\. 1 \n@cut\n") as play:
        with pytest.raises(smtplib.SMTPServerDisconnected), smtplib.SMTP("127.0.0.1", play.sinks["sink"].port) as client:
            client.sendmail("s@example.org", ["a@x"], TRACE + MESSAGE)
    assert play.problems == [] and list(play.sinks["sink"].handed[0].codes.values()) == [0]


ENVELOPE = b"MAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\n"
BODY = TRACE + MESSAGE.replace(b"\r\n.", b"\r\n..") + b".\r\n"
MANNERS = [
    ("SIZE 100", b"MAIL FROM:<s@x>\nRCPT TO:<a@x>\r\n", "alone"),
    ("SIZE 100", ENVELOPE, "before MAIL was answered"),
    ("PIPELINING", ENVELOPE + b"DATA\r\n" + BODY, "before DATA was answered"),
    ("PIPELINING", b"NOOP\r\nMAIL FROM:<s@x>\r\n", "before NOOP was answered"),
    ("PIPELINING", b"MAIL FROM:<s@x> SIZE=3\r\n", "SIZE, which is not offered"),
    ("PIPELINING", b"MAIL FROM:<s@x> BODY=8BITMIME\r\n", "BODY, which is not offered"),
    ("PIPELINING", b"MAIL FROM:<s x>\r\n", "bad envelope"),
    ("PIPELINING", b"MAIL FROM:<a>\r\nMAIL FROM:<b>\r\n", "within a transaction"),
    ("PIPELINING", b"MAIL FROM:<>\r\nRCPT TO:<>\r\n", "bad envelope"),
    ("PIPELINING", b"MAIL FROM:<\xc3\xa4@x>\r\n", "without SMTPUTF8"),
    ("PIPELINING", b"X-Injected: yes\r\n", "no command"),
    ("PIPELINING", b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", "AUTH, which is not offered"),
    ("PIPELINING", ENVELOPE + b"BDAT 1\r\nx", "sent b'BDAT 1'"),
    ("PIPELINING", b"LHLO x\r\n", "said LHLO"),
]


@pytest.mark.parametrize("capability,words,complaint", MANNERS, ids=[m[2].replace(" ", "-") + str(n) for n, m in enumerate(MANNERS)])
def test_bad_manners_are_noticed(tmp_path, capability, words, complaint):
    with performance(tmp_path, "@sink smtp\n@sink-capability %s\n" % capability) as play, Raw(play) as raw:
        raw.say(b"EHLO x\r\n")
        raw.say(words)
        raw.sock.shutdown(socket.SHUT_WR)
        raw.sock.recv(65536)
    assert len(play.problems) >= 1 and complaint in play.problems[0], play.problems


BODIES = [
    (BODY.replace(b"text", b"t\next"), "alone"),
    (BODY.replace(b"text", b"t\rext"), "alone"),
    (BODY.replace(b"text", b"test"), "no message of the source"),
    (BODY[len(TRACE):], "Received field is missing"),
    (TRACE + BODY, "no message of the source"),
    (BODY.replace(b"\r\n..dot", b"\r\n.dot"), "no message of the source"),
    (BODY.replace(b"IMAPS;", b"IMAPS for <a@x>; nonsense"), "no date"),
    (BODY.replace(b"from a.example", b"from user"), "who the user is"),
]


@pytest.mark.parametrize("body,complaint", BODIES, ids=range(len(BODIES)))
def test_damage_is_noticed(tmp_path, body, complaint):
    with performance(tmp_path, "@sink smtp\n") as play, Raw(play) as raw:
        raw.say(b"EHLO x\r\n")
        raw.say(ENVELOPE, 2)
        raw.say(b"DATA\r\n")
        assert raw.say(body)[0].startswith(b"250")
    assert len(play.problems) >= 1 and complaint in play.problems[0], play.problems


def test_an_imap_server_is_appended_to(tmp_path):
    with performance(tmp_path, "@sink imap\n@sink-once ^LITERAL \\S+ Archive\nS: $tag NO [OVERQUOTA] full\n") as play:
        side = play.sinks["sink"]
        client = imaplib.IMAP4("127.0.0.1", side.port)
        client.login("user", "secret")
        assert client.create("Archive")[0] == "OK"
        assert client.append("Archive", r"(\Seen)", '"17-Jul-1996 02:44:25 -0700"', MESSAGE)[0] == "NO"
        assert client.append("Archive", r"(\Seen)", '"17-Jul-1996 02:44:25 -0700"', MESSAGE)[1] == [b"[APPENDUID 1234568 1] done"]
        assert client.append("Nowhere", None, None, MESSAGE)[0] == "NO"
        client.logout()
    assert play.problems == [] and [h.key for h in side.handed] == [1]
    play.check_sink_flags(side, '1 \\Seen "17-Jul-1996 02:44:25 -0700"')
    play.check_sink_folder(side, "Archive 1")
    assert play.problems == []
    play.check_sink_flags(side, "1 none")
    play.check_sink_folder(side, "INBOX 1")
    assert len(play.problems) == 2
