# SPDX-License-Identifier: MIT
"""Servers that do anything at any time, for several passes; then an honest one. Whatever happened: nothing was removed before
every recipient had it, nothing is lost, and nobody has anything twice but for the answers that were never read."""
import os
import re
import tempfile

import pytest

import transcript

SEEDS = range(int(os.environ.get("MAILHAUL_CHAOS", "3")))
SHAPES = {
    "smtp": "@sink smtp\n",
    "smtp-chunks": "@sink smtp\n@sink-capability PIPELINING; CHUNKING; SIZE 900000\n",
    "smtp-alone": "@sink smtp\n@sink-capability SIZE\n",
    "smtp-far": "@sink smtp\n@sink-on ^EHLO\n@delay 10\n@model\n",
    "lmtp": "@sink lmtp\n@sink-config to = { \"a@example.net\", \"b@example.net\", \"c@example.net\" }\n",
    "append": "@sink imap\n",
    "append-alone": "@sink imap\n@sink-capability IMAP4rev1 AUTH=PLAIN\n",
    "append-uidplus": "@sink imap\n@sink-config folder = 'Elsewhere'\n@sink-capability IMAP4rev1 AUTH=PLAIN UIDPLUS LITERAL-\n",
    "both": "@sink smtp\n@sink imap two\n@maildir yes\n",
    "lmtp-chunks": "@sink lmtp\n@sink-capability PIPELINING; CHUNKING\n@sink-config to = { \"a@example.net\", \"b@example.net\" }\n",
}
TEXT = """# Made by test_chaos.py.
# See there.
%s@config leave_on_server = "no"
@config timeout = 1
@messages 1..15
@messages 16..17 octets=200000
@within 170
%s@run quarantine retry t
@expect-exit any
@sink-expect-handed any
@run fetch
@sink-expect-handed all
@expect-removed any
@run fetch
@expect-not-stderr .
@sink-expect-handed all
@sink-expect-connections 0
"""
PASS = """@run fetch
@sink-chaos %s
@expect-exit any
@expect-removed any
@sink-expect-handed any
@sink-expect-unanswered any
"""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_chaos(shape, seed):
    with tempfile.TemporaryDirectory(prefix="mh-chaos-") as directory:
        path = os.path.join(directory, "%s-%d.t" % (shape, seed))
        with open(path, "w") as f:
            text = TEXT % (SHAPES[shape], "".join(PASS % chance for chance in ("0.3", "0.15", "0.05", "0.1")))
            if shape == "both":
                text = re.sub(r"^@sink(-\S+ .*)$", r"@sink\1\n@two\1", text, flags=re.M)
                text = re.sub(r"^@run.*$", r"\g<0>\n@expect-maildir any", text, flags=re.M)
            f.write(text)
        play = transcript.Play(transcript.Transcript(path), os.path.join(directory, "world"))
        play.perform()
        assert play.source.mailbox.folders["INBOX"].messages == [] or play.problems
        assert not play.problems, "\n" + play.report()
