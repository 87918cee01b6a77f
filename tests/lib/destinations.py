# SPDX-License-Identifier: MIT
"""Destinations as models: an SMTP or LMTP server, an IMAP server that is appended to, a program. They answer whatever a
transcript (transcript.py) leaves unsaid, keep what they were handed byte for byte, and watch the client's manners.

A transaction of SMTP or LMTP ends with commands that nobody sent: once the message is there whole, the rules are asked
about ". UID RECIPIENT..." (LMTP: ". UID RECIPIENT", once for each recipient), UID being that of the message in the source's
INBOX (FOLDER:UID elsewhere, "?" for what nobody knows). What was answered to that decides what became of the message.

What is a mistake of the client, whatever the transcript expects:
  - a CR or LF alone on the wire, in a command or in the message
  - a command before the one ahead of it was answered, when PIPELINING is not offered; with it, anything sent behind EHLO,
    LHLO, HELO, STARTTLS, AUTH, DATA, NOOP, VRFY or QUIT before their reply; behind a message, when BURL is offered
  - MAIL or RCPT that is not exactly one path and parameters; a parameter, BDAT or AUTH that was not offered; no MAIL before
    RCPT, no accepted RCPT before DATA, MAIL within a transaction
  - a message that is none of the source's with exactly one Received field put in front of it
  - a literal that does not wait ("{N+}") where none is offered
"""
import base64
import email.utils
import os
import re
import shlex

import models

SMTP_CAPABILITIES = ["PIPELINING", "SIZE 10000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"]
APPEND_CAPABILITIES = ("IMAP4rev1 LITERAL+ SASL-IR ID ENABLE NAMESPACE UIDPLUS UNSELECT MULTIAPPEND LIST-EXTENDED "
                       "LIST-STATUS SPECIAL-USE ESEARCH AUTH=PLAIN").split()
PATH = rb'<(?:(?:[^<>\s"\x00-\x20\x7f]+|"(?:\\[\x20-\x7e]|[^"\\\x00-\x1f\x7f])*")(?:@[^<>\s"\x00-\x20\x7f]+)?)?>'
ENVELOPE = re.compile(rb"(?:MAIL FROM|RCPT TO):(" + PATH + rb")((?: [A-Z0-9][A-Z0-9-]*(?:=[\x21-\x3c\x3e-\x7e]+)?)*)", re.I)
BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
# As far as its date: the message behind it may begin with a blank.
RECEIVED = re.compile(rb"Received:(?:(?!\r\n[^ \t]).){1,2000}?(?: [+-]\d{4}\r\n|\r\n(?![ \t]))", re.I | re.S)
DATE_TIME = re.compile(r"[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}")
LAST_OF_GROUP = ("EHLO", "LHLO", "HELO", "STARTTLS", "AUTH", "DATA", "NOOP", "VRFY", "QUIT")


def smtp_form(data):
    """A message as it must arrive: every line end is CRLF, and the last line has one."""
    data = re.sub(rb"\r*\n|\r+\Z|\r", b"\r\n", data.replace(b"\r\n", b"\n"))
    return data if not data or data.endswith(b"\r\n") else data + b"\r\n"


def exact_form(data):
    """A message as it must be appended: a LF of the file is CRLF again, nothing else changes."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class Handed:
    """One message that was handed over whole: to whom, and what was answered (0: nothing)."""

    def __init__(self, key, sender, recipients, data, asked=()):
        self.key, self.sender, self.data = key, sender, data
        self.codes = dict.fromkeys(recipients, 0)
        self.asked = dict.fromkeys(list(asked) + list(recipients))

    def has(self, recipient):
        return self.codes.get(recipient, 0) // 100 == 2


class SmtpModel(models.Model):
    def __init__(self, link, mailbox, options):
        super().__init__(link, mailbox, options)
        self.lmtp = link.side.kind == "lmtp"
        self.announced, self.asking, self.taken = [], False, 0
        self.final, self.content = [], False  # commands that nobody sent, still to be answered; the message comes next
        self.clear()

    def clear(self):
        self.sender, self.accepted, self.asked, self.chunks, self.handed = None, [], [], [], None

    def complain(self, text):
        self.link.play.problem("%s: the client %s" % (self.link.side.name, text))

    def offers(self, word):
        return any(line.upper().split()[:1] == [word] for line in self.announced)

    def greet(self):
        self.say("220 model ready")

    # Reading.
    def read_command(self):
        if self.final:
            return "", self.final.pop(0)
        if self.content:
            self.content = False
            return self.complete(self.read_dotted())
        line = self.link.line()
        if line is None:
            return None
        if BARE.search(line):
            self.complain("sent a CR or LF alone: %r" % line[:80])
        command = line.rstrip(b"\r\n")
        verb = command.split(b" ")[0].upper().decode("latin-1")
        if verb == "BDAT":
            return self.read_chunk(command)
        self.must_be_alone(verb)
        return "", command

    def must_be_alone(self, verb, last=False):
        last = last or verb in LAST_OF_GROUP
        if "drop-pipelined" in self.options or self.offers("PIPELINING") and not last:
            return
        # An EHLO that is long in coming is what the client takes for a long way.
        self.link.peek(0.001 if verb in ("EHLO", "LHLO") else 0.02)
        if self.link.buffer:
            self.complain("sent %r before %s was answered" % (self.link.buffer[:80], verb))

    def nothing_ahead(self, verb):
        """Behind a message. One that tells BURL dies of an envelope there: Dovecot's submission service."""
        if not self.offers("PIPELINING") or self.offers("BURL"):
            self.must_be_alone(verb, True)

    def read_dotted(self):
        lines, whole = [], True
        while True:
            line = self.link.line(quiet=True)
            if line is None:
                self.link.play.note(self.link, "C: ", b"(%d lines of a message, cut)" % len(lines))
                raise self.link.ended("the client hung up in mid-message")
            if whole and line == b".\r\n":
                break
            whole = line.endswith(b"\r\n")
            lines.append(line)
        raw = b"".join(lines)
        self.link.play.note(self.link, "C: ", raw + b".\r\n")
        self.nothing_ahead(".")
        if BARE.search(raw):
            self.complain("sent a CR or LF alone in a message: %r" % raw[max(0, BARE.search(raw).start() - 20):][:60])
        return b"".join(line[1:] if line.startswith(b".") else line for line in lines)

    def read_chunk(self, command):
        words = command.upper().split()
        if not self.offers("CHUNKING") or not 1 < len(words) < 4 or not words[1].isdigit() or words[2:] not in ([], [b"LAST"]):
            self.complain("sent %r" % command)
        data = self.link.exactly(int(words[1]), quiet=True)
        self.link.play.note(self.link, "C: ", data)
        if words[2:]:
            self.nothing_ahead("BDAT")
        elif not self.offers("PIPELINING"):
            self.must_be_alone("BDAT")
        self.chunks.append(data)
        if words[2:] and self.accepted:
            data = b"".join(self.chunks)
            if BARE.search(data):
                self.complain("sent a CR or LF alone in a message: %r" % data[max(0, BARE.search(data).start() - 20):][:60])
            return self.complete(data)
        return "", command

    def complete(self, data):
        key = self.link.side.recognise(data)
        self.handed = Handed(key, self.sender, self.accepted, data, self.asked)
        self.link.side.handed.append(self.handed)
        name = str(key).encode()
        lines = [b". %s %s" % (name, r) for r in self.accepted] if self.lmtp else [b". %s %s" % (name, b" ".join(self.accepted))]
        self.final = lines[1:]
        return "", lines[0]

    # Answering: the model says, and what was said (by it or by the script) decides.
    def answer(self, tag, command):
        chance = float(self.link.run.part(self.link.side.name).expect.get("chaos", 0))
        if self.link.side.dice.random() < chance:
            self.misbehave(tag, command)
        else:
            self.behave(tag, command)

    def misbehave(self, tag, command):
        """Something that a server under stress, or a broken one, may do just as well."""
        dice = self.link.side.dice
        what = dice.choice(("4xx", "4xx", "5xx", "421", "cut", "reset", "garbage", "lines", "late", "late", "goodbye"))
        if what == "4xx":
            self.say("451 4.3.0 not now")
        elif what == "5xx":
            self.say("550 5.7.1 no")
        elif what == "421":
            self.say("421 4.3.2 shutting down")
            self.link.close()
        elif what == "cut":
            self.link.close()
        elif what == "reset":
            self.link.reset()
        elif what == "garbage":
            self.say(dice.choice(("oops", "", "99 bottles", "250-never ends", "354 go on", "\x00\xff")))
            self.link.close()
        elif what == "lines":
            for _ in range(dice.randrange(1, 30)):
                self.say("250-and so on" if command[:4].upper() != b"DATA" else "354-and so on")
            self.behave(tag, command)
        elif what == "late":
            self.link.play.over.wait(dice.random() / 20)
            self.behave(tag, command)
        else:
            self.behave(tag, command)
            self.link.close()

    def behave(self, _tag, command):
        verb, _, argument = command.decode("latin-1").partition(" ")
        handler = getattr(self, "do_" + verb.lower(), None) if verb != "." else self.do_dot
        if handler is None:
            return self.say("500 5.5.1 unknown command")
        reply = handler(argument)
        if reply:
            self.say(reply)
        if verb.upper() == "STARTTLS":
            self.link.start_tls()
        elif verb.upper() == "QUIT":
            self.link.close()

    def do_ehlo(self, argument):
        words = list(self.options.get("capability", SMTP_CAPABILITIES))
        if self.link.tls and "capability-after-tls" in self.options:
            words = self.options["capability-after-tls"]
        if self.options.get("starttls") and not self.link.tls:
            words = [w for w in words if not w.upper().startswith("AUTH")] + ["STARTTLS"]
        lines = ["model at your service"] + words
        for line in lines[:-1]:
            self.say("250-" + line)
        return "250 " + lines[-1]

    do_lhlo = do_ehlo

    def do_helo(self, argument):
        return "250 model"

    def do_starttls(self, argument):
        return "220 2.0.0 go ahead"

    def do_auth(self, argument):
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            if not initial:
                self.say("334 ")
                initial = (self.link.line() or b"").decode("latin-1").strip()
            good = base64.b64decode(initial).split(b"\0")[1:] == [b"user", b"secret"]
        elif mechanism.upper() == "LOGIN":
            words = [initial.encode()] if initial else []
            for prompt in (b"Username:", b"Password:")[len(words):]:
                self.say(b"334 " + base64.b64encode(prompt))
                words.append((self.link.line() or b"").strip())
            good = [base64.b64decode(w) for w in words] == [b"user", b"secret"]
        else:
            return "504 5.5.4 unknown mechanism"
        return "235 2.7.0 welcome" if good else "535 5.7.8 wrong"

    def do_mail(self, argument):
        if self.taken == int(self.options.get("per-session", -1)):
            self.say("421 4.7.0 enough for one connection")
            self.link.close()
        return "503 5.5.1 one at a time" if self.sender is not None else "250 2.1.0 ok"

    def do_rcpt(self, argument):
        if len(self.accepted) == int(self.options.get("recipients", -1)):
            return "452 4.5.3 too many recipients"
        return "503 5.5.1 MAIL first" if self.sender is None else "250 2.1.5 ok"

    def do_data(self, argument):
        return "354 go on" if self.accepted else "503 5.5.1 nobody to give it to"

    def do_bdat(self, argument):
        return "250 2.0.0 more" if self.accepted else "503 5.5.1 nobody to give it to"

    def do_dot(self, argument):
        return "250 2.0.0 taken"

    def do_rset(self, argument):
        return "250 2.0.0 ok"

    do_noop = do_rset

    def do_quit(self, argument):
        return "221 2.0.0 bye"

    def answered(self, command, reply):
        """`reply` is all that was sent since the command came."""
        code = int(reply[:3]) if reply[:3].isdigit() else 0
        verb = command.split(b" ")[0].upper()
        good = code // 100 == 2
        if verb == b".":
            if not self.final:
                self.taken += 1
                self.clear()
        elif verb in (b"EHLO", b"LHLO", b"HELO") and good:
            self.clear()
            lines = [line[4:].decode("latin-1") for line in reply.split(b"\r\n") if line[:3] == b"250"][1:]
            self.announced = lines if verb != b"HELO" else []
            if (verb == b"LHLO") != self.lmtp:
                self.complain("said %s" % verb.decode())
        elif verb == b"STARTTLS" and good:
            self.announced = []
        elif verb == b"AUTH":
            if not any(re.match("AUTH[ =]", line, re.I) for line in self.announced):
                self.complain("sent AUTH, which is not offered")
        elif verb in (b"MAIL", b"RCPT"):
            self.path(verb, command, good)
        elif verb == b"DATA":
            if not self.accepted and not self.asked:
                self.complain("sent DATA without a recipient")
            if self.chunks:
                self.complain("sent DATA behind BDAT")
            self.content = code == 354
        elif verb == b"RSET":
            self.clear()
        elif self.asking:
            pass  # the client's part of AUTH, which a script asked for
        elif verb not in (b"BDAT", b"RSET", b"NOOP", b"QUIT", b"VRFY", b"EHLO", b"LHLO", b"HELO", b"STARTTLS"):
            self.complain("sent %r, which is no command" % command[:80])
        self.asking = reply.startswith(b"334")

    def saying(self, command, reply):
        """What is about to be sent: the client may act on it before answered() is called."""
        if command.startswith(b". ") and reply[:3].isdigit():
            for recipient in command.split(b" ")[2:]:
                self.handed.codes[recipient] = int(reply[:3])

    def path(self, verb, command, good):
        found = ENVELOPE.fullmatch(command)
        if not found or (verb == b"RCPT" and found.group(1) == b"<>"):
            return self.complain("sent a bad envelope: %r" % command[:120])
        address = found.group(1)[1:-1]
        parameters = [p.split(b"=")[0].upper().decode() for p in found.group(2).split()]
        for parameter in parameters:
            if not self.offers({"BODY": "8BITMIME"}.get(parameter, parameter)):
                self.complain("sent %s, which is not offered" % parameter)
        if verb == b"MAIL":
            if self.sender is not None:
                self.complain("sent MAIL within a transaction")
            if good:
                self.sender, self.utf8 = address, "SMTPUTF8" in parameters
        else:
            self.asked.append(address)
            if good:
                self.accepted.append(address)
        if not command.isascii() and not (self.offers("SMTPUTF8") and getattr(self, "utf8", False)):
            self.complain("sent an address that is not ASCII without SMTPUTF8")


class AppendModel(models.ImapModel):
    """An IMAP server that is appended to. Before a literal is read, the rules are asked about "LITERAL " (or, when the
    client does not wait, "LITERAL+ ") and the command so far."""

    def __init__(self, link, mailbox, options):
        options.setdefault("capability", list(APPEND_CAPABILITIES))
        super().__init__(link, mailbox, options)

    def read_command(self):
        line = self.link.line()
        if line is None:
            return None
        whole, refused = b"", False
        while True:
            literal = re.search(rb"\{(\d+)(\+?)\}\r?\n$", line)
            if not literal:
                break
            size, waits = int(literal.group(1)), not literal.group(2)
            self.check_literal(size, waits)
            tag, _, rest = (whole + line.rstrip(b"\r\n")).partition(b" ")
            self.link.variables["tag"] = tag
            said = self.link.ask_rules((b"LITERAL " if waits else b"LITERAL+ ") + rest)
            if waits and said is None:
                self.say("+ go on")
            elif waits and not said.startswith(b"+"):
                return self.read_command()
            refused = refused or bool(said) and not waits
            data = self.link.exactly(size, quiet=size > 200)
            whole += line[:literal.start()] + b'"' + re.sub(rb'(["\\])', rb"\\\1", data) + b'"'
            line = self.link.line() or b"\r\n"
        if refused:  # it came without waiting, and was answered already
            return self.read_command()
        whole += line.rstrip(b"\r\n")
        tag, _, rest = whole.partition(b" ")
        return tag.decode("latin-1"), rest

    def answer(self, tag, command):
        side = self.link.side
        if side.dice.random() >= float(self.link.run.part(side.name).expect.get("chaos", 0)):
            return super().answer(tag, command)
        what = side.dice.choice(("no", "no", "bad", "bye", "cut", "reset", "late", "done and cut", "done and cut", "goodbye"))
        if what == "no":
            self.say("%s NO %s" % (tag, side.dice.choice(("not now", "[INUSE] wait", "[UNAVAILABLE] later", "[OVERQUOTA] full"))))
        elif what == "bad":
            self.say("%s BAD what is that" % tag)
        elif what == "bye":
            self.say("* BYE shutting down")
            self.link.close()
        elif what == "cut":
            self.link.close()
        elif what == "reset":
            self.link.reset()
        elif what == "late":
            self.link.play.over.wait(side.dice.random() / 20)
            super().answer(tag, command)
        else:
            self.link.quiet = what == "done and cut"
            super().answer(tag, command)
            self.link.close()

    def check_literal(self, size, waits):
        words = [w.upper() for w in self.capabilities([])]
        if not waits and "LITERAL+" not in words and not (size <= 4096 and {"LITERAL-", "IMAP4REV2"} & set(words)):
            self.link.play.problem("%s: the client sent {%d+}, which is not offered" % (self.link.side.name, size))

    def do_create(self, words, _text):
        if self.mailbox.folder(words[0]):
            return "NO [ALREADYEXISTS] there"
        self.mailbox.folders[words[0]] = models.Folder(words[0], uidvalidity=1234567 + len(self.mailbox.folders))
        return "OK made"

    def do_append(self, words, _text):
        folder = self.mailbox.folder(words[0])
        if folder is None or "\\Noselect" in folder.attributes:
            return "NO [TRYCREATE] no such folder"
        rest, uids = words[1:], []
        while rest:
            flags, date = "", None
            if rest[0].startswith("("):
                flags = rest.pop(0)[1:-1]
            if rest and DATE_TIME.fullmatch(rest[0]):
                date = rest.pop(0)
            if not rest:
                return "BAD nothing to append"
            if not rest[0]:  # RFC 3502: a literal of no octets calls the whole command off; alone, nobody stores it
                for uid in uids:
                    self.link.side.handed.pop()
                    folder.messages.pop()
                return "NO nothing to store"
            data, uid = rest.pop(0).encode("latin-1"), folder.uidnext
            folder.add(models.Message(uid, data, flags=flags, date=date))
            uids.append(uid)
            self.link.side.appended(data)
        if "UIDPLUS" not in self.capabilities([]):
            return "OK done"
        return "OK [APPENDUID %s %s] done" % (folder.uidvalidity, ",".join(map(str, uids)))

    def do_uid_search(self, words, text):
        wanted = re.search(r'HEADER "?Message-ID"? ("(?:\\.|[^"\\])*"|\S+)', text, re.I)
        needle = re.sub(r"\\(.)", r"\1", wanted.group(1).strip('"')) if wanted else ""
        if self.selected is None:
            return "BAD nothing is selected"
        messages = self.selected.messages
        try:
            self.selected.messages = [m for m in messages if needle.encode("latin-1") in m.data.split(b"\r\n\r\n")[0]]
            return super().do_uid_search(words, text)
        finally:
            self.selected.messages = messages


PROGRAM = """\
#!/bin/sh
# A destination: keeps what it is given and what it was told, then does as the transcript says.
n=$(mktemp %(dir)s/XXXXXX)
cat >"$n"
env >"$n.env"
file=$n
(
%(lines)s
)
code=$?
echo $code >"$n.code"
exit $code
"""


class Program:
    """What a command destination was run for, from the files that its script leaves."""

    def __init__(self, directory, name):
        self.directory = os.path.join(directory, "program-" + name)
        os.makedirs(self.directory)
        self.path = self.directory + ".sh"
        self.seen = set()

    def write(self, lines):
        with open(self.path, "w") as f:
            f.write(PROGRAM % {"dir": shlex.quote(self.directory), "lines": lines or "true"})
        os.chmod(self.path, 0o700)

    def news(self):
        """(bytes, environment, exit code or None) of each run since the last call."""
        out = []
        names = [n for n in os.listdir(self.directory) if "." not in n]
        for name in sorted(names, key=lambda n: os.stat(os.path.join(self.directory, n)).st_mtime_ns):
            base = os.path.join(self.directory, name)
            if name in self.seen:
                continue
            self.seen.add(name)
            with open(base, "rb") as f:
                data = f.read()
            environment, code = {}, None
            if os.path.exists(base + ".env"):
                with open(base + ".env", errors="surrogateescape") as f:
                    environment = dict(line.rstrip("\n").split("=", 1) for line in f if "=" in line)
            if os.path.exists(base + ".code"):
                with open(base + ".code") as f:
                    code = int(f.read())
            out.append((data, environment, code))
        return out


def received_problem(field, user):
    """What is wrong with the one field that was put in front, or None."""
    text = re.sub(rb"\r\n[ \t]+", b" ", field).decode("latin-1").strip()
    found = re.fullmatch(r"Received: from (\S+) by (\S+) \(mailhaul [^()]*\) with ([A-Z0-9]+)(?: for <([^<>]*)>)?; (.*)",
                         text)
    if not found:
        return "is not what it must be: %r" % text
    if not email.utils.parsedate_tz(found.group(5)):
        return "has no date: %r" % text
    if re.search(r"\b%s\b" % re.escape(user), text.replace(found.group(4) or "", "")):
        return "tells who the user is: %r" % text
    return None
