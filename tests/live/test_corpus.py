# SPDX-License-Identifier: MIT
"""Mail in, mail out, byte for byte: the corpus (where it is), and always a small set of ugly messages."""
import glob
import os

import pytest

import mailhaul
from dovecot import Dovecot
from live import contents, held, make_account

SHARED = os.environ.get("MAILHAUL_SHARED") or os.path.join(mailhaul.ROOT, "..", "shared")
CORPUS = os.path.join(SHARED, "corpus")
WAYS = [(protocol, tls) for protocol in ("pop3", "imap") for tls in ("implicit", "starttls")]
UGLY = [
    b"Subject: no final newline\r\n\r\nend",
    b"Subject: dots\r\n\r\n.\r\n..\r\n...x\r\n.\r\n",
    b"Subject: From_\r\n\r\nFrom nobody\r\n>From x\r\n",
    b"\r\nno header\r\n",
    b"x",
    b"\r\n",
    b"Subject: no body\r\n\r\n",
    b"Subject: no blank line\r\n",
    b"Subject: 8 bit \xff\xfe\xe4\r\n\r\n\x80\x81\xfe\xff\x01\x02\x7f\r\n",
    b"Subject: long line\r\n\r\n" + b"x" * 100000 + b"\r\n",
    b"Subject: long header\r\nX-A: " + b"a b " * 30000 + b"\r\n\r\nbody\r\n",
    b"Subject: bare CR\r\n\r\na\rb\r\r\r\nc\r\n",
    b"Subject: bare LF\n\na\nb\n.\n",
    b"Subject: many lines\r\n\r\n" + b"\r\n" * 50000,
    b"Subject: \xf0\x9f\x93\xac\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xe2\x82\xac\r\n",
    b"Subject: twin\r\n\r\nthe same\r\n",
    b"Subject: twin\r\n\r\nthe same\r\n",
    b"Subject: edge\r\n\r\n" + b"y" * (65536 - 20) + b"\r\n.\r\n",
]


def corpus():
    """Every message as it would be on the wire: LF as CRLF where a file has no CRLF at all."""
    out = []
    for path in sorted(glob.glob(CORPUS + "/**/*.eml", recursive=True)):
        with open(path, "rb") as f:
            data = f.read()
        if b"\0" in data or not data:
            continue  # Dovecot refuses NUL; the transcripts have it
        out.append(data if b"\r\n" in data else data.replace(b"\n", b"\r\n"))
    return out


def sent(messages, protocol):
    """As the protocol can say it: over POP3 the last line, too, ends (RFC 1939 section 3)."""
    return sorted(m if protocol == "imap" or m.endswith(b"\n") else m + b"\n" for m in messages)


@pytest.fixture(scope="module")
def filled():
    with Dovecot(users=["ugly", "corpus", "lmtp"]) as d:
        d.append("ugly", "INBOX", UGLY)
        yield d


@pytest.mark.parametrize("protocol,tls", WAYS)
def test_ugly(filled, world, protocol, tls):
    world.write_config(make_account(filled, "ugly", world.mail, protocol=protocol, tls=tls))
    world.run("fetch", check=0)
    assert contents(world.mail) == sent(held(filled, "ugly"), protocol)
    world.run("fetch", check=0)
    assert contents(world.mail) == sent(held(filled, "ugly"), protocol)


def test_ugly_is_what_went_in(filled, world):
    """Against the messages themselves, not only against what the server says."""
    world.write_config(make_account(filled, "ugly", world.mail))
    world.run("fetch", check=0)
    got = contents(world.mail)
    # Dovecot itself gives a message with a bare CR before CR LF back as it stores it; all others are as they went in.
    for message in UGLY:
        if b"\r\r\n" not in message:
            assert mailhaul.local(message) in got


needs_corpus = pytest.mark.skipif(not os.path.isdir(CORPUS), reason="no corpus: set MAILHAUL_SHARED")


@pytest.fixture(scope="module")
def loaded(filled):
    messages = corpus()
    filled.append("corpus", "INBOX", messages, chunk=100)
    return messages


@needs_corpus
@pytest.mark.parametrize("protocol,tls", WAYS)
def test_corpus(filled, loaded, world, protocol, tls):
    world.write_config(make_account(filled, "corpus", world.mail, protocol=protocol, tls=tls))
    world.run("fetch", check=0, timeout=180)
    got = contents(world.mail)
    assert len(got) == len(loaded)
    assert got == sent(held(filled, "corpus"), protocol)
    # Dovecot gives back in its own way: a CR before CR LF, and a CR as the very last byte.
    plain = sent([mailhaul.local(m) for m in loaded if b"\r\r" not in m and not m.endswith(b"\r")], protocol)
    missing = set(plain) - set(got)
    assert not missing, "%d messages are not as they went in" % len(missing)


@needs_corpus
def test_corpus_by_lmtp(filled, world):
    filled.deliver("lmtp", [m for m in corpus()[::10]])
    world.write_config(make_account(filled, "lmtp", world.mail))
    world.run("fetch", check=0, timeout=120)
    got = contents(world.mail)
    assert got == held(filled, "lmtp") and len(got) == len(corpus()[::10])
