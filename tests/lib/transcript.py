# SPDX-License-Identifier: MIT
r"""Hostile servers as transcripts: a .t file is one server, exact to the byte, and the documentation of one bug.

The head of a file is a comment that says what the server does wrong, who does it, and what mailhaul must do. Then, a
line each (C = may come several times, R = belongs to the @run above it, else to the whole file):

the server
  @protocol imap|pop3           default: from the file's name
  @listen plaintext|implicit|starttls   how the account connects; plaintext by default (the parser cases)
  @cert good|expired|future|selfsigned|wronghost|otherca|client-only|host-only   and  @tls-version 1.0|1.1|1.2|1.3  the only version spoken
  @capability WORDS             and  @capability-after-login WORDS: IMAP capabilities, or POP3 CAPA lines split by ;
  @uidl none                    a POP3 server without UIDL
  @per-session N                a POP3 server that shows N messages a session and hides for good what RETR once gave
  @drop-pipelined yes           commands that came together with an earlier one are thrown away
  @separator .                  the hierarchy separator of IMAP folder names, NIL for none
C R @folder NAME [uidvalidity=N] [uidnext=N] [attributes=\Sent,\HasNoChildren]   NAME as on the wire, escapes allowed
C R @messages 1..5 [folder=F] [octets=N] [copy=UID] [at=N] [flags=\Seen] [...]    well-formed samples, or copies of
                                others; at: the place in the folder from which they are put in, 1 is the first
C R @message 7 [folder=F] [uidl=X] [flags=..] [date="..."] [size=N] [emailid=E] ... then its lines up to @end
C R @bytes-message 7 [...] ESCAPED-BYTES       the same, exact
C R @drop 1 2                   messages that the server (or another client) removes before this run
    All of it lives in a model server (models.py) that answers whatever the transcript leaves unsaid.

what the server says instead of the model
C R @on REGEX                   for each command (without its tag) that matches; the lines below it are played
C R @once REGEX                 only for the first that matches, in the whole file
C R @fetch UID                  in place of the FETCH response with that message's body
C R @connection                 the script of the next connection, from the greeting on; when it ends the model goes on.
                                Connections beyond the last @connection of a run are the model's, with its greeting;
R @every-connection             unless there is a script for each of those
  S: TEXT                       TEXT and CRLF. Escapes: \r \n \t \0 \\ \xNN; $tag, $1..$9 (groups), $seq, $uid, $NAME
  @bytes TEXT                   the same without CRLF
  C: GLOB   or   C~ REGEX       the command that must come now; others before it are answered by the model. `C: $t1 GLOB`
                                keeps the tag as $t1; $tag is always that of the last command
  @repeat N S: TEXT             N times, $i counts from 1 (also @repeat N @bytes TEXT)
  @body UID                     the message's bytes;  @stuffed UID  the same for POP3, with the final dot
  @model [quiet]                the model's answer to this command, here; quiet: what it does, and nothing is said
  @read N                       N bytes of what the client sends now
  @tls                          the TLS handshake, now;  @delay MS;  @drip BYTES/MS  from here on
  @stop                         the program is asked to stop (SIGTERM)
  @silent                       never another byte;  @close (TLS close_notify, FIN)  @cut (FIN)  @reset (RST)

destinations beside the Maildir (destinations.py has the models, and what is always watched in their clients)
C @sink TYPE [NAME] [unix]      smtp, lmtp, imap or command; NAME is that of the deliver section, "sink" if none is given;
                                unix: by a Unix socket. With a destination there is no Maildir, unless `@maildir yes`.
                                Samples then begin with Return-Path: <sUID@example.org>.
  @NAME-WORD                    any directive for a server, meant for this one: @sink-on, @sink-once, @sink-connection,
                                @sink-listen, @sink-cert, @sink-capability (EHLO lines split by ;), @sink-drop-pipelined,
                                @sink-never-sent, @sink-folder, @sink-message (what an IMAP destination has already) ...
C @sink-config LINE             into its deliver section; $SINKPORT is its port, $CA $FP $SPKI belong to its certificate
  @sink-capability-after-tls    what EHLO says inside TLS
  @sink-per-session N           after N messages MAIL is answered 421; @sink-recipients N: after N recipients RCPT is, with 452
  @sink-program                 lines of sh up to @end for type command; $file is what came; the exit status is theirs
R @sink-down yes                nobody listens there in this run
R @sink-expect-handed UIDS [to=ADDRESS]   after this run these have been accepted (2xx; exit 0; appended), each exactly once
                                counted over all runs, a UID that is named twice twice; for each recipient that was ever
                                accepted, or for this one alone (C). Default: all that the source's INBOX has. FOLDER:1..3,
                                `none`; `any` or `all` (all that the source ever had): once more for each time that the log
                                said that its answer was never read, or called it a possible duplicate
R @sink-expect-unanswered UIDS|any  handed over whole in this run and never answered (default none)
R @sink-expect-connections N    in this run
R @expect-resumed N  @sink-expect-resumed N   TLS handshakes in this run that went on with an earlier session; also 0
R @sink-chaos P                 with probability P each answer is a refusal, a cut, late or nonsense, by dice that fall alike
                                every time (but for what the program's threads make of it); see also test_chaos.py
C R @sink-expect-folder NAME UIDS   the folder of an IMAP destination;  C R @sink-expect-flags UID FLAGS ["DATE"]
C R @sink-expect-env UID REGEX  the environment of a program's run, NAME=value each on a line
    Rules also see ". UID RECIPIENT" (the message is there whole) and, for IMAP, "LITERAL APPEND ..." ahead of a literal.
R @expect-quarantine UIDS|none  what `mailhaul quarantine list` tells after the run

the client
C @config LINE                  put into the account section; $CA $PORT $FP $SPKI $MAIL are known
C @run ARGUMENTS                one run of mailhaul; what follows belongs to it. Without any: one `fetch`
R @expect-exit N[|N]|any        default 0
R @expect-maildir UIDS|none     INBOX holds exactly these messages, each once, byte for byte (default: all the model has);
                                `any`: any of them, each at most once
R @expect-total N               so many messages in INBOX and all folders together
R @expect-folder NAME UIDS      the folder NAME on disk (.Sub) does, with messages of the folder @of=F
R @expect-message BYTES         INBOX also holds exactly these bytes (LF), escapes allowed
R @expect-flags UID FLAGS       the flags in the file name; "" and new/ if FLAGS is `new`
R @expect-stderr REGEX          also @expect-stdout, @expect-not-stderr, @expect-not-stdout
R @expect-removed UIDS          what is gone from the server at the end of the run (default: nothing may ever be)
C R @expect-sent REGEX  @never-sent REGEX  @never-clear REGEX   over each line the client sent (the last: outside TLS)
C R @expect-talk REGEX  @never-talk REGEX       over all those lines together
  @expect-connections N         @within SECONDS (default 20, the whole file)      @expect-rss-below MIB
  @known-breakage WHY           the case is known to fail; it alerts when it passes

Always checked besides: no removal before the message is in the Maildir and in every destination, no BODY[ without PEEK, no
\Seen stored, no plain EXPUNGE and no CLOSE, nothing in tmp/, nothing written outside the Maildir, no control characters in
the output, no login in clear when TLS is asked for, no sanitizer report.
"""
import contextlib
import email.utils
import fnmatch
import json
import os
import random
import re
import shlex
import socket
import ssl
import struct
import threading
import time
import zlib

import certs
import destinations
import mailhaul
import models

NEVER_IMAP = [r"BODY\[", r"STORE\b.*\+?FLAGS.*\\Seen", r"^\S+ (EXPUNGE|CLOSE)\s*$", r"RFC822[ )]"]
CLEAR = r"(?i)^(\S+ )?(LOGIN|AUTHENTICATE|SELECT|EXAMINE|LIST|STATUS|APPEND|USER|PASS|AUTH|STAT|RETR|UIDL|APOP|MAIL|RCPT|DATA|BDAT)\b"
BLOCKS = ("on", "once", "fetch", "connection", "every-connection")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[rnt0\\])")
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(text):
    return ESCAPE.sub(lambda m: PLAIN.get(m.group(1)) or bytes([int(m.group(1)[1:], 16)]), text.encode())


def instant(date):
    """An INTERNALDATE, as seconds, whatever its zone."""
    return date and email.utils.mktime_tz(email.utils.parsedate_tz(date.replace("-", " ", 2)))


class Ended(Exception):
    """The connection is over, by whichever side."""


class Part:
    """What one run says about one server."""

    def __init__(self):
        self.setup, self.rules, self.fetches, self.connections, self.every = [], [], {}, [], []
        self.expect, self.listed, self.patterns, self.client = {}, [], [], []


class Run(Part):
    """What a run says about the source, and in `sinks` about each destination."""

    def __init__(self, arguments):
        super().__init__()
        self.arguments, self.sinks = arguments, {}

    def part(self, name):
        return self.sinks.setdefault(name, Part()) if name else self


class SinkSpec:
    """A destination as the file tells it."""

    def __init__(self, rest):
        words = rest.split()
        self.kind, self.unix = words[0], "unix" in words[1:]
        names = [w for w in words[1:] if w != "unix"]
        self.name = names[0] if names else "sink"
        self.settings, self.config, self.program = {}, [], ""


SETTINGS = ("listen", "cert", "tls-version", "capability", "capability-after-login", "capability-after-tls", "uidl", "per-session",
            "drop-pipelined", "separator", "recipients")
FILE_SETTINGS = ("protocol", "expect-connections", "expect-rss-below", "within", "known-breakage", "maildir")
EXPECT = ("expect-exit", "expect-maildir", "expect-removed", "expect-total", "expect-quarantine", "expect-resumed")
EXPECT_SINK = ("down", "chaos", "expect-unanswered", "expect-connections", "expect-resumed")


class Transcript:
    """The parsed file: settings, the account's extra lines, and runs."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-2]
        self.settings, self.config, self.runs, self.sinks = {}, [], [], {}
        self.common = Run("")
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        block, number = None, 0
        while number < len(lines):
            line, number = lines[number].strip("\r"), number + 1
            if not line.strip() or line.startswith("#"):
                continue
            if line[0] != "@":
                self._step(block, line)
                continue
            word, _, rest = line[1:].partition(" ")
            scope, sink = self.runs[-1] if self.runs else self.common, None
            for name in self.sinks:
                if word.startswith(name + "-"):
                    sink, word = self.sinks[name], word[len(name) + 1:]
            part = scope.part(sink and sink.name)
            if word == "run":
                self.runs.append(Run(rest or "fetch"))
                block = None
            elif word == "sink":
                spec = SinkSpec(rest)
                self.sinks[spec.name] = spec
            elif word in BLOCKS:
                block = []
                if word == "connection":
                    part.connections.append(block)
                elif word == "every-connection":
                    part.every = block
                elif word == "fetch":
                    part.fetches[int(rest)] = block
                else:
                    part.rules.append([re.compile(rest.encode(), re.I | re.S), block, -1 if word == "on" else 1])
            elif word in ("folder", "messages", "bytes-message", "drop"):
                part.setup.append((word, rest, None))
            elif word == "message":
                end = lines.index("@end", number)
                part.setup.append((word, rest, "".join(l + "\r\n" for l in lines[number:end]).encode()))
                number = end + 1
            elif word == "program" and sink:
                end = lines.index("@end", number)
                sink.program, number = "\n".join(lines[number:end]), end + 1
            elif word == "config":
                (sink or self).config.append(rest)
            elif word in ("expect-sent", "never-sent", "never-clear", "expect-talk", "never-talk"):
                part.patterns.append((word, rest))
            elif word in (EXPECT_SINK if sink else EXPECT):
                part.expect[word] = rest
            elif word in SETTINGS or not sink and word in FILE_SETTINGS:
                (sink or self).settings[word] = rest
            elif word.startswith("expect-"):
                part.listed.append((word, rest))
            else:
                self._step(block, line)
        if not self.runs:
            self.runs, self.common = [self.common], Run("")
            self.runs[0].arguments = "fetch"
        self.protocol = self.settings.get("protocol") or ("pop3" if self.name.startswith("pop3") else "imap")
        self.within = float(self.settings.get("within", 20))

    def _step(self, block, line):
        kinds = ("S:", "C:", "C~", "@bytes", "@repeat", "@body", "@stuffed", "@model", "@read", "@tls", "@delay", "@drip",
                 "@silent", "@close", "@cut", "@reset", "@stop")
        kind, _, rest = line.partition(" ")
        if block is None or kind not in kinds:
            raise ValueError("%s: cannot make sense of %r" % (self.path, line))
        block.append((kind, rest))


class Link:
    """One connection: its bytes, its TLS and compression, its script, and the model behind it."""

    ended = Ended

    def __init__(self, play, side, sock, run, script):
        self.play, self.side, self.sock, self.run, self.script = play, side, sock, run, script
        self.label = "%s%d" % (side.name + " " if side.spec else "", side.connections)
        self.buffer, self.tls, self.drip, self.deflate = b"", False, None, None
        self.inflate, self.variables, self.current, self.said, self.quiet = None, {}, None, b"", False
        options = dict(side.settings)
        for key in ("capability", "capability-after-login", "capability-after-tls"):
            if key in options:
                options[key] = [w.strip() for w in options[key].split(None if side.kind == "imap" else ";") if w.strip()]
        options["starttls"] = side.listening == "starttls"
        self.model = side.model(self, side.mailbox, options)

    def serve(self):
        try:
            if self.side.listening == "implicit":
                self.start_tls()
            if not self.script or self.script[0][0] in ("C:", "C~"):
                self.model.greet()
            self.act(self.script)
            self.script = []
            while True:
                self.answer(self.next_command())
        except (Ended, OSError, ssl.SSLError) as error:
            self.play.note(self, "   ", b"(connection over%s)" % (b": " + str(error).encode() if str(error) else b""))
        except Exception as error:  # a mistake in a transcript or here must fail the case, not vanish in a thread
            self.play.problem("server: %s: %s" % (type(error).__name__, error))
        finally:
            self.settle()
            with contextlib.suppress(OSError):
                self.sock.close()

    def settle(self):
        """Tells a model that keeps count what became of the last command."""
        if self.current and hasattr(self.model, "answered"):
            self.model.answered(self.current[1], self.said)
        self.current, self.said = None, b""

    # What a model needs.
    def line(self, quiet=False):
        while b"\n" not in self.buffer:
            if not self.receive():
                return None
        line, _, self.buffer = self.buffer.partition(b"\n")
        if not quiet:
            self.play.sent(self, line + b"\n")
        return line + b"\n"

    def exactly(self, count, quiet=False):
        while len(self.buffer) < count:
            if not self.receive():
                raise Ended
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        if not quiet:
            self.play.sent(self, data)
        return data

    def peek(self, seconds):
        """Takes what comes within this time into the buffer."""
        before = self.sock.gettimeout()
        self.sock.settimeout(seconds)
        with contextlib.suppress(OSError):
            self.receive()
        self.sock.settimeout(before)

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if data and self.inflate:
            data = self.inflate.decompress(data) or b""
            if not data:
                return True
        self.buffer += data
        return bool(data)

    def send(self, data):
        self.said += data
        if self.quiet:
            return None
        if self.current and hasattr(self.model, "saying"):
            self.model.saying(self.current[1], self.said)
        self.play.note(self, "S: ", data)
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        if not self.drip:
            return self.sock.sendall(data)
        size, pause = self.drip
        for start in range(0, len(data), size):
            self.sock.sendall(data[start:start + size])
            if self.play.over.wait(pause / 1000):
                raise Ended
        return None

    def start_tls(self):
        if self.buffer:
            self.play.problem("the client sent %r ahead of the TLS handshake" % self.buffer[:80])
        self.sock = self.side.context.wrap_socket(self.sock, server_side=True, suppress_ragged_eofs=True)
        self.tls = True
        self.side.resumed += self.sock.session_reused

    def start_deflate(self):
        self.deflate, self.inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)

    def close(self):
        raise Ended("closed by the server")

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Ended("reset by the script")

    def removed(self, folder, message):
        self.play.removed(folder, message)

    def fetch_override(self, number, message):
        for part in self.parts():
            if message.uid in part.fetches and self.model.selected is self.side.mailbox.folders["INBOX"]:
                self.variables.update({"seq": b"%d" % number, "uid": b"%d" % message.uid})
                self.act(part.fetches[message.uid])
                return True
        return False

    def parts(self):
        name = self.side.spec and self.side.name
        return self.run.part(name), self.play.t.common.part(name)

    # The script.
    def next_command(self):
        self.settle()
        command = self.model.read_command()
        if command is None:
            raise Ended("closed by the client")
        if "drop-pipelined" in self.side.settings:
            self.drop_pipelined()
        self.current, self.said = command, b""
        self.variables["tag"] = command[0].encode("latin-1")
        return command

    # Whole lines: of a command that has arrived in part, the other part goes too.
    def drop_pipelined(self):
        while self.buffer and not self.buffer.endswith(b"\n"):
            if not self.receive():
                break
        self.buffer = b""

    def answer(self, command):
        if not self.by_rules(command[1]):
            self.model.answer(*command)

    def by_rules(self, text):
        for part in self.parts():
            for rule in part.rules:
                found = rule[0].search(text)
                if found and rule[2]:
                    rule[2] -= 1
                    self.variables.update({str(n): g or b"" for n, g in enumerate(found.groups(), 1)})
                    self.act(rule[1])
                    return True
        return False

    def ask_rules(self, text):
        """What a rule said about something that is no command of its own; None: there is none for it."""
        self.said = b""
        return self.said if self.by_rules(text) else None

    def expand(self, text):
        return re.sub(rb"\$([a-z]\w*|\d)", lambda m: self.variables.get(m.group(1).decode(), m.group()), unescape(text))

    def act(self, steps):
        for kind, rest in steps:
            if kind == "S:":
                self.send(self.expand(rest) + b"\r\n")
            elif kind == "@bytes":
                self.send(self.expand(rest))
            elif kind in ("C:", "C~"):
                self.expect(kind, rest)
            elif kind == "@repeat":
                self.repeat(rest)
            elif kind in ("@body", "@stuffed"):
                data = self.play.everything[int(rest)].data
                self.send(data if kind == "@body" else self.model.body(data))
            elif kind == "@model":
                self.quiet = rest == "quiet"
                self.model.answer(*self.current)
                self.quiet, self.said = False, b"" if self.quiet else self.said
            elif kind == "@read":
                self.exactly(int(rest), quiet=True)
            elif kind == "@tls":
                self.start_tls()
            elif kind == "@delay":
                self.play.over.wait(int(rest) / 1000)
            elif kind == "@drip":
                self.drip = tuple(int(n) for n in rest.split("/"))
            elif kind == "@silent":
                while self.receive():
                    self.play.sent(self, self.buffer)
                    self.buffer = b""
                raise Ended("the client gave up")
            elif kind == "@close":
                if self.tls:
                    self.sock = self.sock.unwrap()
                raise Ended("closed by the script")
            elif kind == "@cut":
                raise Ended("cut by the script")
            elif kind == "@reset":
                self.reset()
            elif kind == "@stop":
                self.play.world.interrupt()

    def repeat(self, rest):
        count, _, what = rest.partition(" ")
        kind, _, text = what.partition(" ")
        tail, batch, template = (b"\r\n" if kind == "S:" else b""), [], self.expand(text)
        for i in range(1, int(count) + 1):
            batch.append(template.replace(b"$i", b"%d" % i) + tail)
            if len(batch) * len(template) > 65536 or i == int(count):
                self.send(b"".join(batch))
                batch = []

    def expect(self, kind, rest):
        bind = re.match(r"\$(\w+) ", rest) if kind == "C:" else None
        text = rest[bind.end():] if bind else rest
        pattern = re.compile((fnmatch.translate(text) if kind == "C:" else text).encode(), re.I | re.S)
        while True:
            try:
                command = self.next_command()
            except Ended:
                self.play.problem("connection %s ended before the client sent %s" % (self.label, rest))
                raise
            found = pattern.match(command[1])
            if found:
                self.variables.update({str(n): g or b"" for n, g in enumerate(found.groups(), 1)})
                if bind:
                    self.variables[bind.group(1)] = self.variables["tag"]
                return
            self.answer(command)


class Side:
    """One end of the program: the source, or a destination (with a spec)."""

    def __init__(self, play, kind, settings, spec=None):
        self.play, self.kind, self.settings, self.spec = play, kind, settings, spec
        self.name = spec.name if spec else "source"
        self.listening = settings.get("listen", "plaintext")
        self.mailbox, self.handed = models.Mailbox(), []
        self.dice = random.Random(play.t.name)
        self.connections, self.connections_before, self.scripts, self.every = 0, 0, [], []
        self.resumed, self.resumed_before = 0, 0
        self.listener, self.port, self.program, self.socket_path = None, 0, None, None
        self.ca, self.pair = play.certificates(settings.get("cert", "good"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*self.pair)
        version = settings.get("tls-version")
        if version:
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + version.replace(".", "_").replace("1_0", "1"))

    def model(self, link, mailbox, options):
        kinds = {"smtp": destinations.SmtpModel, "lmtp": destinations.SmtpModel, "imap": destinations.AppendModel}
        if not self.spec:
            kinds = {"pop3": models.Pop3Model, "imap": models.ImapModel}
        return kinds[self.kind](link, mailbox, options)

    def listen(self):
        if self.kind == "command":
            if not self.program:
                self.program = destinations.Program(self.play.world.dir, self.name)
                self.program.write(self.spec.program)
            return
        if self.spec and self.spec.unix:
            self.socket_path = os.path.join(self.play.world.dir, self.name + ".sock")
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.socket_path)
            self.listener.listen(16)
        else:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=16)
            self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(self.play.t.within)
            self.connections += 1
            script = self.scripts.pop(0) if self.scripts else self.every
            thread = threading.Thread(target=Link(self.play, self, sock, self.play.run, script).serve, daemon=True)
            self.play.threads.append(thread)
            thread.start()

    def close(self):
        if self.listener:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            self.listener.close()
            if self.socket_path:
                os.unlink(self.socket_path)
        self.listener = None

    def begin(self, run):
        """Before a run."""
        name = self.spec and self.name
        self.scripts = list(run.part(name).connections or self.play.t.common.part(name).connections)
        self.every = run.part(name).every or self.play.t.common.part(name).every
        self.connections_before, self.handed_before = self.connections, len(self.handed)
        self.resumed_before = self.resumed
        if not self.spec or self.kind == "command":
            return
        down = run.part(name).expect.get("down") == "yes"
        if down and self.listener:
            self.close()
        elif not down and not self.listener:
            self.listen()

    # What a destination was handed.
    def form(self, data):
        if self.kind == "command":
            crlf = any(re.match(r"newline\s*=\s*.crlf", line) for line in self.spec.config)
            return destinations.exact_form(data) if crlf else mailhaul.local(data)
        return destinations.exact_form(data) if self.kind == "imap" else destinations.smtp_form(data)

    def recognise(self, data):
        """The key of the source's message that this is, or "?" (which is a problem)."""
        if self.kind in ("smtp", "lmtp"):
            field = destinations.RECEIVED.match(data)
            wrong = destinations.received_problem(field.group(), "user") if field else "is missing"
            if wrong:
                self.play.problem("%s: the Received field %s" % (self.name, wrong))
            data = data[field.end():] if field else data
        for key, message in self.play.everything.items():
            if self.form(message.data) == data:
                return key
        self.play.problem("%s: was handed what is no message of the source: %r" % (self.name, data[:300]))
        return "?"

    def appended(self, data):
        handed = destinations.Handed(self.recognise(data), "", ["folder"], data)
        handed.codes["folder"] = 200
        self.handed.append(handed)

    def collect(self):
        """After a run: what a program was given."""
        for data, environment, code in self.program.news() if self.program else []:
            handed = destinations.Handed(self.recognise(data), "", ["program"], data)
            handed.codes["program"], handed.environment = 200 if code == 0 else 500 if code else 0, environment
            self.handed.append(handed)

    def has(self, key):
        """Every recipient that was named for this message has it."""
        mine = [h for h in self.handed if h.key == key]
        return bool(mine) and all(any(h.has(r) for h in mine) for h in mine for r in h.asked)

    def section(self, play):
        words = {"$CA": self.ca, "$FP": certs.fingerprint(self.pair.cert), "$SPKI": certs.spki_fingerprint(self.pair.cert)}
        lines = [play.expand_words(line, words) for line in self.spec.config]
        taken = {line.split("=")[0].strip() for line in lines}
        default = {"type": self.kind}
        if self.kind == "command":
            default["command"] = [self.program.path]
        elif self.socket_path:
            default["socket"] = self.socket_path
        else:
            default.update(host="localhost", port=self.port, tls=self.listening)
            if self.listening != "plaintext":
                default["tls_trust_file"] = self.ca
        if self.kind in ("smtp", "lmtp") and "to_header" not in taken:
            default["to"] = "me@example.net"
        if self.kind == "imap":
            default.update(user="user", password="secret")
        lines += ["%s = %s" % (k, mailhaul.quote(v)) for k, v in default.items() if k not in taken]
        return "deliver '%s' {\n        %s\n    }" % (self.name, "\n        ".join(lines))


class Play:
    """One performance of a transcript against the program. problems is empty when all went as it must."""

    _shared = {}
    _lock = threading.Lock()

    def __init__(self, transcript, directory):
        self.t, self.problems, self.talk = transcript, [], []
        plain = "expect-rss-below" in transcript.settings and mailhaul.program("MAILHAUL_PLAIN")
        self.world = mailhaul.World(directory, "MAILHAUL_PLAIN" if plain else "MAILHAUL")
        self.everything, self.gone, self.said = {}, [], ""
        self.over, self.threads, self.run = threading.Event(), [], transcript.runs[0]
        self.source = Side(self, transcript.protocol, transcript.settings)
        self.mailbox = self.source.mailbox
        self.sinks = {name: Side(self, spec.kind, spec.settings, spec) for name, spec in transcript.sinks.items()}

    @classmethod
    def certificates(cls, kind):
        with cls._lock:
            if "dir" not in cls._shared:
                directory = os.path.join(os.environ.get("TMPDIR", "/tmp"), "mh-certs-%d" % os.getpid())
                cls._shared["dir"], cls._shared["ca"] = directory, certs.Authority(directory)
            if kind not in cls._shared:
                ca, directory = cls._shared["ca"], cls._shared["dir"]
                cls._shared[kind] = {
                    "good": lambda: ca.issue("good"),
                    "host-only": lambda: ca.issue("host-only", names=["DNS:mail.example.org"],),
                    "expired": lambda: ca.issue("expired", expired=True),
                    "future": lambda: ca.issue("future", window=certs.FUTURE),
                    "client-only": lambda: ca.issue("client-only", usage="clientAuth"),
                    "wronghost": lambda: ca.issue("wronghost", names=["DNS:other.example"]),
                    "selfsigned": lambda: certs.self_signed(directory, "selfsigned"),
                    "otherca": lambda: certs.Authority(directory + "/other").issue("other")}[kind]()
            return cls._shared["ca"].file, cls._shared[kind]

    def note(self, link, mark, data):
        shown = repr(data[:300])[1:] + (" ... %d octets" % len(data) if len(data) > 300 else "")
        if len(self.talk) < 4000:
            self.talk.append("[%s] %s%s" % (link.label, mark, shown))

    def sent(self, link, data):
        name = link.side.spec and link.side.name
        self.run.part(name).client.append((link.tls, data.rstrip(b"\r\n").decode("latin-1")))
        self.note(link, "C: ", data)

    def problem(self, text):
        self.problems.append(text)

    def removed(self, folder, message):
        self.gone.append((folder.name, message.uid))
        wanted, key = mailhaul.local(message.data), message.uid if folder.name == "INBOX" else "%s:%d" % (folder.name, message.uid)
        for side in self.sinks.values():
            side.collect()
            if not side.has(key) and not any("drop" in line for line in side.spec.config):
                self.problem("message %s was removed from the server before %s had it" % (key, side.name))
        if self.maildir() and not any(m.place != "tmp" and m.data == wanted for m in mailhaul.read_maildir(self.world.mail)):
            self.problem("message %d was removed from the server before it was in the Maildir" % message.uid)

    def maildir(self):
        return not self.sinks or self.t.settings.get("maildir") == "yes"

    # Setting up.
    def prepare(self, run):
        self.fill(self.source, run)
        for name, side in self.sinks.items():
            self.fill(side, run.part(name))

    def fill(self, side, part):
        mailbox, everything = side.mailbox, self.everything if not side.spec else {}
        for word, rest, body in part.setup:
            values = shlex.split(rest, posix=True) if word != "bytes-message" and "\\" not in rest else rest.split(" ")
            options = dict(v.split("=", 1) for v in values[1:] if re.match(r"[\w-]+=", v))
            options = {k.replace("-", "_"): v.strip('"').replace(",", " ") if k in ("flags", "attributes")
                       else unescape(v.strip('"')).decode("latin-1") for k, v in options.items()}
            if word == "folder":
                name = unescape(values[0]).decode("latin-1")
                if "uidvalidity" in options:
                    options["uidvalidity"] = None if options["uidvalidity"] == "none" else options["uidvalidity"]
                folder = mailbox.folders.setdefault(name, models.Folder(name))
                folder.__dict__.update(options)
                if "uidnext" in options:
                    folder.fixed_uidnext = int(options["uidnext"])
                continue
            if word == "drop":
                inbox = mailbox.folders["INBOX"]
                inbox.messages = [m for m in inbox.messages if str(m.uid) not in values]
                continue
            folder = mailbox.folders[options.pop("folder", "INBOX")]
            first, _, last = values[0].partition("..")
            octets, copy = int(options.pop("octets", 0)), options.pop("copy", None)
            place = int(options.pop("at", len(folder.messages) + 1)) - 1
            for uid in range(int(first), int(last or first) + 1):
                if word == "bytes-message":
                    data = unescape(" ".join(v for v in values[1:] if not re.match(r"[\w-]+=", v)))
                elif copy:
                    data = everything[int(copy) + uid - int(first)].data
                else:
                    data = body if body is not None else self.sample(uid, folder.name, octets, bool(self.sinks))
                message = models.Message(uid, data, **options)
                folder.add(message, place + uid - int(first))
                everything[uid if folder.name == "INBOX" else "%s:%d" % (folder.name, uid)] = message

    @staticmethod
    def sample(uid, folder, octets, return_path):
        head = ("Return-Path: <s%d@example.org>\r\n" % uid if return_path else "") + (
            "From: a@example.org\r\nSubject: %s %d\r\nMessage-ID: <%s.%d@example.org>\r\n\r\n"
                % (folder, uid, re.sub(r"\W", "", folder), uid))
        head = head.encode()
        return head + b"Text of message %d.\r\n" % uid * max(1, (octets - len(head)) // 20)

    def expand_words(self, line, words):
        words = dict(words, **{"$MAIL": self.world.mail, "$PORT": str(self.source.port)})
        words.update({"$%sPORT" % side.name.upper(): str(side.port) for side in self.sinks.values()})
        return re.sub(r"\$[A-Z]+", lambda m: words.get(m.group(), m.group()), line)

    def account(self):
        source = self.source
        words = {"$CA": source.ca, "$FP": certs.fingerprint(source.pair.cert),
                 "$SPKI": certs.spki_fingerprint(source.pair.cert)}
        lines = [self.expand_words(line, words) for line in self.t.config]
        taken = {line.split("=")[0].split("{")[0].strip() for line in lines}
        default = {"protocol": self.t.protocol, "host": "localhost", "port": source.port, "tls": source.listening,
                   "tls_trust_file": source.ca, "user": "user", "password": "secret", "timeout": 2}
        lines += ["%s = %s" % (k, mailhaul.quote(v)) for k, v in default.items() if k not in taken]
        if self.maildir() and not any(t.startswith("deliver") for t in taken):
            lines.append("deliver maildir { path = '%s' }" % self.world.mail)
        lines += [side.section(self) for side in self.sinks.values()]
        return "account \"t\" {\n%s\n}\n" % "\n".join("    " + line for line in lines)

    # Performing.
    def sides(self):
        return [self.source, *self.sinks.values()]

    def perform(self):
        """Plays all the runs. Returns self; problems says what went wrong."""
        for side in self.sides():
            side.listen()
        begin = time.monotonic()
        try:
            self.world.write_config(self.account())
            self.prepare(self.t.common)
            self.outside = self.surroundings()
            for number, run in enumerate(self.t.runs, 1):
                self.prepare(run)
                self.run, self.gone = run, []
                for side in self.sides():
                    side.begin(run)
                try:
                    left = max(1, self.t.within - (time.monotonic() - begin))
                    result = self.world.run(*shlex.split(run.arguments), timeout=left)
                except AssertionError as error:
                    self.problem(str(error))
                    break
                finally:
                    for thread in self.threads:
                        thread.join(2)
                before = len(self.problems)
                self.check_run(run, result)
                for side in self.sinks.values():
                    self.check_sink(side, run.part(side.name), self.t.common.part(side.name))
                self.problems[before:] = ["run %d (%s): %s" % (number, run.arguments, p) for p in self.problems[before:]]
            self.check_file()
        finally:
            self.over.set()
            for side in self.sides():
                side.close()
        return self

    def surroundings(self):
        """Every path of the world but the Maildir's own and the state's."""
        found = set()
        for base, dirs, files in os.walk(self.world.dir):
            dirs[:] = [d for d in dirs if os.path.join(base, d) not in (self.world.mail, self.world.state) and
                       not d.startswith("program-")]
            found.update(os.path.join(base, f) for f in dirs + files if not f.endswith(".sock"))
        return found - {self.world.home + "/state", self.world.home + "/Mail", self.world.dir + "/peak"}

    # Judging.
    def wanted(self, text, folder):
        if text == "none":
            return []
        if text == "any":
            return [mailhaul.local(m.data) for key, m in self.everything.items() if isinstance(key, int)]
        keys = [m.uid for m in folder.messages] if text is None else [
            n for part in text.split() for n in range(int(part.split("..")[0]), int(part.split("..")[-1]) + 1)]
        label = (lambda n: n) if folder.name == "INBOX" else (lambda n: "%s:%d" % (folder.name, n))
        return [mailhaul.local(self.everything[label(n)].data) for n in keys]

    def check_resumed(self, side, part):
        count = side.resumed - side.resumed_before
        if str(count) != part.expect.get("expect-resumed", str(count)):
            self.problem("%s: %d TLS sessions resumed, expected %s" % (side.name, count, part.expect["expect-resumed"]))

    def check_run(self, run, result):
        expect = run.expect
        text = result.err.decode("utf-8", "replace")
        self.result, self.said = result, self.said + text
        if expect.get("expect-exit") != "any" and str(result.code) not in expect.get("expect-exit", "0").split("|"):
            self.problem("exit %d, expected %s" % (result.code, expect.get("expect-exit", "0")))
        for stream in (result.out, result.err):
            unsafe = mailhaul.unsafe_output(stream)
            if unsafe:
                self.problem("unsafe output: %s" % unsafe)
        self.check_resumed(self.source, run)
        mails = mailhaul.read_maildir(self.world.mail)
        if any(m.place == "tmp" for m in mails):
            self.problem("left in tmp/: %s" % [m.name for m in mails if m.place == "tmp"])
        inbox = self.wanted(expect.get("expect-maildir", None if self.maildir() else "none"), self.mailbox.folders["INBOX"])
        inbox += [unescape(rest) for word, rest in run.listed if word == "expect-message"]
        if expect.get("expect-maildir") == "any":
            inbox = [m.data for m in mails if m.folder == "" and m.data in set(inbox)]
            inbox = list(dict.fromkeys(inbox))
        self.compare("INBOX", [m.data for m in mails if m.folder == ""], inbox)
        if "expect-total" in expect and len(mails) != int(expect["expect-total"]):
            self.problem("%s messages in all: %s" % (len(mails), [(m.folder, m.name) for m in mails]))
        for word, rest in run.listed:
            if word == "expect-folder":
                name, *rest_words = rest.split()
                source = [w[4:] for w in rest_words if w.startswith("@of=")] or [name.lstrip(".")]
                wanted = self.wanted(" ".join(w for w in rest_words if not w.startswith("@of=")),
                                     self.mailbox.folders[unescape(source[0]).decode("latin-1")])
                self.compare(name, [m.data for m in mails if m.folder == name], wanted)
            elif word == "expect-flags":
                uid, _, flags = rest.partition(" ")
                here = [m for m in mails if m.folder == "" and m.data == mailhaul.local(self.everything[int(uid)].data)]
                if not here or (here[0].place, here[0].flags) != (("new", "") if flags == "new" else ("cur", flags)):
                    self.problem("message %s: expected flags %s, found %s" % (uid, flags, [(m.place, m.name) for m in here]))
            elif word in ("expect-stderr", "expect-stdout", "expect-not-stderr", "expect-not-stdout"):
                output = text if word.endswith("stderr") else result.out.decode("utf-8", "replace")
                if bool(re.search(rest, output, re.I | re.S)) == ("-not-" in word):
                    self.problem("%s %s" % (word, rest))
        if "expect-quarantine" in expect:
            self.check_quarantine(expect["expect-quarantine"])
        gone = sorted(uid for folder, uid in self.gone if folder == "INBOX")
        wanted = sorted(n for part in expect.get("expect-removed", "").split()
                        if part != "any" for n in range(int(part.split("..")[0]), int(part.split("..")[-1]) + 1))
        if expect.get("expect-removed") != "any" and gone != wanted or any(folder != "INBOX" for folder, _ in self.gone):
            self.problem("removed from the server: %s, expected %s" % (self.gone, wanted))
        limit = self.t.settings.get("expect-rss-below")
        if limit and self.world.kind == "MAILHAUL_PLAIN" and result.rss > int(limit) * 1024:
            self.problem("peak memory %d KiB, more than %s MiB" % (result.rss, limit))

    # UIDs of a line: "1..3 Archive:2" -> [1, 2, 3, "Archive:2"].
    def keys(self, text, default=()):
        if text is None:
            return list(default)
        out = []
        for word in text.split():
            folder, _, numbers = word.rpartition(":")
            first, _, last = numbers.partition("..")
            if word != "none":
                out += ["%s:%d" % (folder, n) if folder else n for n in range(int(first), int(last or first) + 1)]
        return out

    def check_quarantine(self, text):
        listed = self.world.run("quarantine", "list", "--json")
        uidls = {m.uidl: key for key, m in self.everything.items()}
        found = []
        for line in listed.out.splitlines():
            entry = json.loads(line)
            folder, uid = entry.get("folder", "INBOX"), entry.get("uid")
            found.append(uidls.get(entry.get("uidl"), entry.get("uidl")) if uid is None else
                         uid if folder == "INBOX" else "%s:%d" % (folder, uid))
        if sorted(map(str, found)) != sorted(map(str, self.keys(text))):
            self.problem("in quarantine: %s, expected %s" % (found, text))

    def check_sink(self, side, part, common):
        side.collect()
        inbox = [m.uid for m in self.mailbox.folders["INBOX"].messages]
        expectations = [rest for word, rest in part.listed if word == "expect-handed"]
        recipients = list(dict.fromkeys(r for h in side.handed for r in h.codes))
        for rest in expectations or [None]:
            words = rest.split() if rest is not None else None
            to = [w[3:].encode() for w in words or [] if w.startswith("to=")]
            text = None if words is None else " ".join(w for w in words if not w.startswith("to="))
            for recipient in to or recipients or [b"nobody"]:
                self.check_handed(side, recipient, text, inbox)
        unanswered = [h.key for h in side.handed[side.handed_before:] if not all(h.codes.values())]
        wanted = self.keys(part.expect.get("expect-unanswered", "none").replace("any", "none"))
        if part.expect.get("expect-unanswered") != "any" and sorted(map(str, unanswered)) != sorted(map(str, wanted)):
            self.problem("%s: never answered: %s, expected %s" % (side.name, unanswered, wanted))
        count = side.connections - side.connections_before
        if "expect-connections" in part.expect and str(count) not in part.expect["expect-connections"].split("|"):
            self.problem("%s: %d connections, expected %s" % (side.name, count, part.expect["expect-connections"]))
        self.check_resumed(side, part)
        for word, rest in part.listed:
            if word == "expect-folder":
                self.check_sink_folder(side, rest)
            elif word == "expect-flags":
                self.check_sink_flags(side, rest)
            elif word == "expect-env":
                key, _, pattern = rest.partition(" ")
                runs = [h for h in side.handed if str(h.key) == key]
                text = "\n".join("%s=%s" % pair for pair in sorted(runs[-1].environment.items())) if runs else ""
                if not re.search(pattern, text, re.M):
                    self.problem("%s: %s is not in the environment:\n%s" % (side.name, pattern, text))

    def check_handed(self, side, recipient, text, inbox):
        found = [h.key for h in side.handed if h.has(recipient)]
        if text in ("any", "all"):
            # What was sent again must have been said to be in doubt, by its Message-ID: when the answer was missed, or
            # when it is handed over again (one that is refused meanwhile and retried by hand is told the first time).
            def doubts(key):
                folder, _, uid = ("INBOX:%s" % key).rpartition(":")
                name = "message <%s.%s@example.org> " % (re.sub(r"\W", "", folder.split(":")[-1]), uid)
                return max(self.said.count("possible duplicate: " + name),
                           len(re.findall(re.escape(name) + "was handed to [^\n]* never read: ", self.said)))
            twice = [key for key in set(found) if found.count(key) > 1 + doubts(key)]
            lacking = [key for key in self.everything if key not in found] if text == "all" else []
            if twice or lacking:
                self.problem("%s: %s was handed more than once, without doubt: %s; never: %s" % (
                    side.name, recipient, twice, lacking))
            return
        wanted = self.keys(text, inbox)
        if sorted(map(str, found)) != sorted(map(str, wanted)):
            self.problem("%s: %s was handed %s, expected %s" % (
                side.name, recipient if isinstance(recipient, str) else recipient.decode("latin-1"), found, wanted))

    def check_sink_folder(self, side, rest):
        name, _, uids = rest.partition(" ")
        folder = side.mailbox.folder(unescape(name).decode("latin-1"))
        wanted = [side.form(self.everything[key].data) for key in self.keys(uids)]
        found = [m.data for m in folder.messages] if folder else None
        if found is None or sorted(found) != sorted(wanted):
            self.problem("%s: folder %s %s" % (side.name, name, "is not there" if found is None else
                                               "has %d messages, or others than expected" % len(found)))

    def check_sink_flags(self, side, rest):
        words = shlex.split(rest.replace("\\", "\\\\"))
        wanted = side.form(self.everything[self.keys(words[0])[0]].data)
        here = [m for f in side.mailbox.folders.values() for m in f.messages if m.data == wanted]
        if not here or sorted(here[0].flags) != sorted(words[1].split(",") if words[1] != "none" else []) or (
                len(words) > 2 and instant(here[0].date) != instant(words[2])):
            self.problem("%s: message %s has %s" % (side.name, rest, [(m.flags, m.date) for m in here]))

    def compare(self, folder, found, wanted):
        missing, extra = list(wanted), []
        for data in found:
            missing.remove(data) if data in missing else extra.append(data)
        if missing:
            self.problem("%s: %d message(s) missing, first %r" % (folder, len(missing), missing[0][:120]))
        if extra:
            self.problem("%s: %d message(s) too many or not the same, first %r" % (folder, len(extra), extra[0][:200]))

    def check_file(self):
        always = [("never-sent", p) for p in NEVER_IMAP] if self.t.protocol == "imap" else []
        if self.source.listening != "plaintext":
            always.append(("never-clear", CLEAR))
        everything = [line for run in self.t.runs for line in run.client]
        self.check_sent(always + self.t.common.patterns, everything)
        for run in self.t.runs:
            self.check_sent(run.patterns, run.client)
        for side in self.sinks.values():
            part = self.t.common.part(side.name)
            lines = [line for run in self.t.runs for line in run.part(side.name).client]
            secure = [("never-clear", CLEAR)] if side.listening != "plaintext" else []
            self.check_sent(secure + part.patterns, lines, side.name + ": ")
            for run in self.t.runs:
                self.check_sent(run.part(side.name).patterns, run.part(side.name).client, side.name + ": ")
        wanted = self.t.settings.get("expect-connections")
        if wanted and str(self.source.connections) not in wanted.split("|"):
            self.problem("%d connections, expected %s" % (self.source.connections, wanted))
        stray = self.surroundings() - self.outside
        if stray:
            self.problem("written outside the Maildir: %s" % sorted(stray)[:5])

    def check_sent(self, patterns, lines, where=""):
        whole = "\n".join(line for _, line in lines)
        for word, pattern in patterns:
            if word.endswith("-talk"):
                here = re.findall(pattern, whole, re.S)[:1] and [whole]
            else:
                here = [line for tls, line in lines if (word != "never-clear" or not tls) and re.search(pattern, line)]
            if word.startswith("expect") != bool(here):
                self.problem("%s%s %s%s" % (where, word, pattern, ": %r" % here[0][:200] if here else ""))

    def report(self):
        result = getattr(self, "result", None)
        output = result.err.decode("utf-8", "replace")[-3000:] if result else ""
        talk = self.talk if len(self.talk) < 200 else self.talk[:120] + ["..."] + self.talk[-80:]
        return "\n".join(["%s: %s" % (self.t.name, p) for p in self.problems] +
                         ["-- configuration", self.account(), "-- conversation"] + talk +
                         ["-- last standard error", output,
                          "-- again: MAILHAUL=%s make check-script T=%s" % (mailhaul.program(), self.t.name)])
