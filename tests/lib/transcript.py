# SPDX-License-Identifier: MIT
r"""Hostile servers as transcripts: a .t file is one server, exact to the byte, and the documentation of one bug.

The head of a file is a comment that says what the server does wrong, who does it, and what mailhaul must do. Then, a
line each (C = may come several times, R = belongs to the @run above it, else to the whole file):

the server
  @protocol imap|pop3           default: from the file's name
  @listen plaintext|implicit|starttls   how the account connects; plaintext by default (the parser cases)
  @cert good|expired|selfsigned|wronghost|otherca|host-only   and  @tls-version 1.0|1.1|1.2|1.3  the only version spoken
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
                                Connections beyond the last @connection of a run are the model's, with its greeting.
  S: TEXT                       TEXT and CRLF. Escapes: \r \n \t \0 \\ \xNN; $tag, $1..$9 (groups), $seq, $uid, $NAME
  @bytes TEXT                   the same without CRLF
  C: GLOB   or   C~ REGEX       the command that must come now; others before it are answered by the model. `C: $t1 GLOB`
                                keeps the tag as $t1; $tag is always that of the last command
  @repeat N S: TEXT             N times, $i counts from 1 (also @repeat N @bytes TEXT)
  @body UID                     the message's bytes;  @stuffed UID  the same for POP3, with the final dot
  @model                        the model's answer to this command, here
  @tls                          the TLS handshake, now;  @delay MS;  @drip BYTES/MS  from here on
  @silent                       never another byte;  @close (TLS close_notify, FIN)  @cut (FIN)  @reset (RST)

the client
C @config LINE                  put into the account section; $CA $PORT $FP $SPKI $MAIL are known
C @run ARGUMENTS                one run of mailhaul; what follows belongs to it. Without any: one `fetch`
R @expect-exit N[|N]            default 0
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

Always checked besides: no removal before the message is in the Maildir, no BODY[ without PEEK, no \Seen stored, no plain
EXPUNGE and no CLOSE, nothing in tmp/, nothing written outside the Maildir, no control characters in the output, no login
in clear when TLS is asked for, no sanitizer report.
"""
import fnmatch
import os
import re
import shlex
import socket
import ssl
import struct
import threading
import time
import zlib

import certs
import mailhaul
import models

NEVER_IMAP = [r"BODY\[", r"STORE\b.*\+?FLAGS.*\\Seen", r"^\S+ (EXPUNGE|CLOSE)\s*$", r"RFC822[ )]"]
CLEAR = r"(?i)^(\S+ )?(LOGIN|AUTHENTICATE|SELECT|EXAMINE|LIST|STATUS|USER|PASS|AUTH|STAT|RETR|UIDL|APOP)\b"
BLOCKS = ("on", "once", "fetch", "connection")
ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[rnt0\\])")
PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(text):
    return ESCAPE.sub(lambda m: PLAIN.get(m.group(1)) or bytes([int(m.group(1)[1:], 16)]), text.encode())


class Ended(Exception):
    """The connection is over, by whichever side."""


class Run:
    def __init__(self, arguments):
        self.arguments, self.setup, self.rules, self.fetches, self.connections = arguments, [], [], {}, []
        self.expect, self.listed, self.patterns, self.client = {}, [], [], []


class Transcript:
    """The parsed file: settings, the account's extra lines, and runs."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)[:-2]
        self.settings, self.config, self.runs = {}, [], []
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
            scope = self.runs[-1] if self.runs else self.common
            if word == "run":
                self.runs.append(Run(rest or "fetch"))
                block = None
            elif word in BLOCKS:
                block = []
                if word == "connection":
                    scope.connections.append(block)
                elif word == "fetch":
                    scope.fetches[int(rest)] = block
                else:
                    scope.rules.append([re.compile(rest.encode(), re.I | re.S), block, -1 if word == "on" else 1])
            elif word in ("folder", "messages", "bytes-message", "drop"):
                scope.setup.append((word, rest, None))
            elif word == "message":
                end = lines.index("@end", number)
                scope.setup.append((word, rest, "".join(l + "\r\n" for l in lines[number:end]).encode()))
                number = end + 1
            elif word == "config":
                self.config.append(rest)
            elif word in ("expect-sent", "never-sent", "never-clear", "expect-talk", "never-talk"):
                scope.patterns.append((word, rest))
            elif word in ("expect-exit", "expect-maildir", "expect-removed", "expect-total"):
                scope.expect[word] = rest
            elif word.startswith("expect-") and word not in ("expect-connections", "expect-rss-below"):
                scope.listed.append((word, rest))
            elif word in ("protocol", "listen", "cert", "tls-version", "capability", "capability-after-login", "uidl",
                          "per-session", "drop-pipelined", "separator",
                          "expect-connections", "expect-rss-below", "within", "known-breakage"):
                self.settings[word] = rest
            else:
                self._step(block, line)
        if not self.runs:
            self.runs, self.common = [self.common], Run("")
            self.runs[0].arguments = "fetch"
        self.protocol = self.settings.get("protocol") or ("pop3" if self.name.startswith("pop3") else "imap")
        self.listen = self.settings.get("listen", "plaintext")
        self.within = float(self.settings.get("within", 20))

    def _step(self, block, line):
        kinds = ("S:", "C:", "C~", "@bytes", "@repeat", "@body", "@stuffed", "@model", "@tls", "@delay", "@drip",
                 "@silent", "@close", "@cut", "@reset")
        kind, _, rest = line.partition(" ")
        if block is None or kind not in kinds:
            raise ValueError("%s: cannot make sense of %r" % (self.path, line))
        block.append((kind, rest))


class Link:
    """One connection: its bytes, its TLS and compression, its script, and the model behind it."""

    def __init__(self, play, sock, run, script):
        self.play, self.sock, self.run, self.script = play, sock, run, script
        self.number = play.connections
        self.buffer, self.tls, self.drip, self.deflate = b"", False, None, None
        self.inflate, self.variables, self.current = None, {}, None
        options = {k: v for k, v in play.t.settings.items()}
        for key in ("capability", "capability-after-login"):
            if key in options:
                options[key] = [w.strip() for w in options[key].split(";" if play.t.protocol == "pop3" else None)]
        options["starttls"] = play.t.listen == "starttls"
        kind = models.Pop3Model if play.t.protocol == "pop3" else models.ImapModel
        self.model = kind(self, play.mailbox, options)

    def serve(self):
        try:
            if self.play.t.listen == "implicit":
                self.start_tls()
            if not self.script or self.script[0][0] in ("C:", "C~"):
                self.model.greet()
            self.act(self.script)
            self.script = []
            while True:
                self.answer(self.next_command())
        except (Ended, OSError, ssl.SSLError) as error:
            self.play.note(self.number, "   ", b"(connection over%s)" % (b": " + str(error).encode() if str(error) else b""))
        except Exception as error:  # a mistake in a transcript or here must fail the case, not vanish in a thread
            self.play.problem("server: %s: %s" % (type(error).__name__, error))
        finally:
            try:
                self.sock.close()
            except OSError:
                pass

    # What a model needs.
    def line(self):
        while b"\n" not in self.buffer:
            if not self.receive():
                return None
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.play.sent(self.number, self.tls, line + b"\n")
        return line + b"\n"

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.receive():
                raise Ended
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        self.play.sent(self.number, self.tls, data)
        return data

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
        self.play.note(self.number, "S: ", data)
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        if not self.drip:
            return self.sock.sendall(data)
        size, pause = self.drip
        for start in range(0, len(data), size):
            self.sock.sendall(data[start:start + size])
            if self.play.over.wait(pause / 1000):
                raise Ended

    def start_tls(self):
        if self.buffer:
            self.play.problem("the client sent %r ahead of the TLS handshake" % self.buffer[:80])
        self.sock = self.play.context.wrap_socket(self.sock, server_side=True, suppress_ragged_eofs=True)
        self.tls = True

    def start_deflate(self):
        self.deflate, self.inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)

    def close(self):
        raise Ended("closed by the server")

    def removed(self, folder, message):
        self.play.removed(folder, message)

    def fetch_override(self, number, message):
        for run in (self.run, self.play.t.common):
            if message.uid in run.fetches and self.model.selected is self.play.mailbox.folders["INBOX"]:
                self.variables.update({"seq": b"%d" % number, "uid": b"%d" % message.uid})
                self.act(run.fetches[message.uid])
                return True
        return False

    # The script.
    def next_command(self):
        command = self.model.read_command()
        if command is None:
            raise Ended("closed by the client")
        if "drop-pipelined" in self.play.t.settings:
            self.drop_pipelined()
        self.current = command
        self.variables["tag"] = command[0].encode("latin-1")
        return command

    # Whole lines: of a command that has arrived in part, the other part goes too.
    def drop_pipelined(self):
        while self.buffer and not self.buffer.endswith(b"\n"):
            if not self.receive():
                break
        self.buffer = b""

    def answer(self, command):
        for run in (self.run, self.play.t.common):
            for rule in run.rules:
                found = rule[0].search(command[1])
                if found and rule[2]:
                    rule[2] -= 1
                    self.variables.update({str(n): g or b"" for n, g in enumerate(found.groups(), 1)})
                    return self.act(rule[1])
        self.model.answer(*command)

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
                self.model.answer(*self.current)
            elif kind == "@tls":
                self.start_tls()
            elif kind == "@delay":
                self.play.over.wait(int(rest) / 1000)
            elif kind == "@drip":
                self.drip = tuple(int(n) for n in rest.split("/"))
            elif kind == "@silent":
                while self.receive():
                    self.play.sent(self.number, self.tls, self.buffer)
                    self.buffer = b""
                raise Ended("the client gave up")
            elif kind == "@close":
                if self.tls:
                    self.sock = self.sock.unwrap()
                raise Ended("closed by the script")
            elif kind == "@cut":
                raise Ended("cut by the script")
            elif kind == "@reset":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise Ended("reset by the script")

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
                self.play.problem("connection %d ended before the client sent %s" % (self.number, rest))
                raise
            found = pattern.match(command[1])
            if found:
                self.variables.update({str(n): g or b"" for n, g in enumerate(found.groups(), 1)})
                if bind:
                    self.variables[bind.group(1)] = self.variables["tag"]
                return
            self.answer(command)


class Play:
    """One performance of a transcript against the program. problems is empty when all went as it must."""

    _shared = {}
    _lock = threading.Lock()

    def __init__(self, transcript, directory):
        self.t, self.problems, self.talk = transcript, [], []
        plain = "expect-rss-below" in transcript.settings and mailhaul.program("MAILHAUL_PLAIN")
        self.world = mailhaul.World(directory, "MAILHAUL_PLAIN" if plain else "MAILHAUL")
        self.mailbox, self.everything, self.gone = models.Mailbox(), {}, []
        self.over, self.connections, self.threads = threading.Event(), 0, []
        self.ca, self.pair = self.certificates(transcript.settings.get("cert", "good"))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*self.pair)
        version = transcript.settings.get("tls-version")
        if version:
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.set_ciphers("ALL:@SECLEVEL=0")
            self.context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + version.replace(".", "_").replace("1_0", "1"))

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
                    "wronghost": lambda: ca.issue("wronghost", names=["DNS:other.example"]),
                    "selfsigned": lambda: certs.self_signed(directory, "selfsigned"),
                    "otherca": lambda: certs.Authority(directory + "/other").issue("other")}[kind]()
            return cls._shared["ca"].file, cls._shared[kind]

    def note(self, connection, mark, data):
        shown = repr(data[:300])[1:] + (" ... %d octets" % len(data) if len(data) > 300 else "")
        if len(self.talk) < 4000:
            self.talk.append("[%d] %s%s" % (connection, mark, shown))

    def sent(self, connection, tls, data):
        self.run.client.append((tls, data.rstrip(b"\r\n").decode("latin-1")))
        self.note(connection, "C: ", data)

    def problem(self, text):
        self.problems.append(text)

    def removed(self, folder, message):
        self.gone.append((folder.name, message.uid))
        wanted = mailhaul.local(message.data)
        if not any(m.place != "tmp" and m.data == wanted for m in mailhaul.read_maildir(self.world.mail)):
            self.problem("message %d was removed from the server before it was in the Maildir" % message.uid)

    # Setting up.
    def prepare(self, run):
        for word, rest, body in run.setup:
            values = shlex.split(rest, posix=True) if word != "bytes-message" and "\\" not in rest else rest.split(" ")
            options = dict(v.split("=", 1) for v in values[1:] if re.match(r"[\w-]+=", v))
            options = {k.replace("-", "_"): v.strip('"').replace(",", " ") if k in ("flags", "attributes")
                       else unescape(v.strip('"')).decode("latin-1") for k, v in options.items()}
            if word == "folder":
                name = unescape(values[0]).decode("latin-1")
                if "uidvalidity" in options:
                    options["uidvalidity"] = None if options["uidvalidity"] == "none" else options["uidvalidity"]
                folder = self.mailbox.folders.setdefault(name, models.Folder(name))
                folder.__dict__.update(options)
                if "uidnext" in options:
                    folder.fixed_uidnext = int(options["uidnext"])
                continue
            if word == "drop":
                inbox = self.mailbox.folders["INBOX"]
                inbox.messages = [m for m in inbox.messages if str(m.uid) not in values]
                continue
            folder = self.mailbox.folders[options.pop("folder", "INBOX")]
            first, _, last = values[0].partition("..")
            octets, copy = int(options.pop("octets", 0)), options.pop("copy", None)
            place = int(options.pop("at", len(folder.messages) + 1)) - 1
            for uid in range(int(first), int(last or first) + 1):
                if word == "bytes-message":
                    data = unescape(" ".join(v for v in values[1:] if not re.match(r"[\w-]+=", v)))
                elif copy:
                    data = self.everything[int(copy) + uid - int(first)].data
                else:
                    data = body if body is not None else self.sample(uid, folder.name, octets)
                message = models.Message(uid, data, **options)
                folder.add(message, place + uid - int(first))
                self.everything[uid if folder.name == "INBOX" else "%s:%d" % (folder.name, uid)] = message

    @staticmethod
    def sample(uid, folder, octets):
        head = ("From: a@example.org\r\nSubject: %s %d\r\nMessage-ID: <%s.%d@example.org>\r\n\r\n"
                % (folder, uid, re.sub(r"\W", "", folder), uid)).encode()
        return head + b"Text of message %d.\r\n" % uid * max(1, (octets - len(head)) // 20)

    def account(self):
        words = {"$CA": self.ca, "$PORT": str(self.port), "$MAIL": self.world.mail,
                 "$FP": certs.fingerprint(self.pair.cert), "$SPKI": certs.spki_fingerprint(self.pair.cert)}
        lines = [re.sub(r"\$[A-Z]+", lambda m: words.get(m.group(), m.group()), line) for line in self.t.config]
        taken = {line.split("=")[0].split("{")[0].strip() for line in lines}
        default = {"protocol": self.t.protocol, "host": "localhost", "port": self.port, "tls": self.t.listen,
                   "tls_trust_file": self.ca, "user": "user", "password": "secret", "timeout": 2}
        lines += ["%s = %s" % (k, mailhaul.quote(v)) for k, v in default.items() if k not in taken]
        if not any(t.startswith("deliver") for t in taken):
            lines.append("deliver maildir { path = '%s' }" % self.world.mail)
        return "account \"t\" {\n%s\n}\n" % "\n".join("    " + line for line in lines)

    # Performing.
    def listen(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        accept = threading.Thread(target=self.accept, daemon=True)
        accept.start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(self.t.within)
            self.connections += 1
            script = self.scripts.pop(0) if self.scripts else []
            thread = threading.Thread(target=Link(self, sock, self.run, script).serve, daemon=True)
            self.threads.append(thread)
            thread.start()

    def perform(self):
        """Plays all the runs. Returns self; problems says what went wrong."""
        self.scripts, self.run = [], self.t.runs[0]
        self.listen()
        begin = time.monotonic()
        try:
            self.world.write_config(self.account())
            self.prepare(self.t.common)
            self.outside = self.surroundings()
            for number, run in enumerate(self.t.runs, 1):
                self.prepare(run)
                self.run, self.scripts, self.gone = run, list(run.connections or self.t.common.connections), []
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
                self.problems[before:] = ["run %d (%s): %s" % (number, run.arguments, p) for p in self.problems[before:]]
            self.check_file()
        finally:
            self.over.set()
            self.listener.close()
        return self

    def surroundings(self):
        """Every path of the world but the Maildir's own and the state's."""
        found = set()
        for base, dirs, files in os.walk(self.world.dir):
            dirs[:] = [d for d in dirs if os.path.join(base, d) not in (self.world.mail, self.world.state)]
            found.update(os.path.join(base, f) for f in dirs + files)
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

    def check_run(self, run, result):
        expect = run.expect
        text = result.err.decode("utf-8", "replace")
        self.result = result
        if str(result.code) not in expect.get("expect-exit", "0").split("|"):
            self.problem("exit %d, expected %s" % (result.code, expect.get("expect-exit", "0")))
        for stream in (result.out, result.err):
            unsafe = mailhaul.unsafe_output(stream)
            if unsafe:
                self.problem("unsafe output: %s" % unsafe)
        mails = mailhaul.read_maildir(self.world.mail)
        if any(m.place == "tmp" for m in mails):
            self.problem("left in tmp/: %s" % [m.name for m in mails if m.place == "tmp"])
        inbox = self.wanted(expect.get("expect-maildir"), self.mailbox.folders["INBOX"])
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
        gone = sorted(uid for folder, uid in self.gone if folder == "INBOX")
        wanted = sorted(n for part in expect.get("expect-removed", "").split()
                        for n in range(int(part.split("..")[0]), int(part.split("..")[-1]) + 1))
        if gone != wanted or any(folder != "INBOX" for folder, _ in self.gone):
            self.problem("removed from the server: %s, expected %s" % (self.gone, wanted))
        limit = self.t.settings.get("expect-rss-below")
        if limit and self.world.kind == "MAILHAUL_PLAIN" and result.rss > int(limit) * 1024:
            self.problem("peak memory %d KiB, more than %s MiB" % (result.rss, limit))

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
        if self.t.listen != "plaintext":
            always.append(("never-clear", CLEAR))
        everything = [line for run in self.t.runs for line in run.client]
        self.check_sent(always + self.t.common.patterns, everything)
        for run in self.t.runs:
            self.check_sent(run.patterns, run.client)
        wanted = self.t.settings.get("expect-connections")
        if wanted and str(self.connections) not in wanted.split("|"):
            self.problem("%d connections, expected %s" % (self.connections, wanted))
        stray = self.surroundings() - self.outside
        if stray:
            self.problem("written outside the Maildir: %s" % sorted(stray)[:5])

    def check_sent(self, patterns, lines):
        whole = "\n".join(line for _, line in lines)
        for word, pattern in patterns:
            if word.endswith("-talk"):
                here = re.findall(pattern, whole, re.S)[:1] and [whole]
            else:
                here = [line for tls, line in lines if (word != "never-clear" or not tls) and re.search(pattern, line)]
            if word.startswith("expect") != bool(here):
                self.problem("%s %s%s" % (word, pattern, ": %r" % here[0][:200] if here else ""))

    def report(self):
        result = getattr(self, "result", None)
        output = result.err.decode("utf-8", "replace")[-3000:] if result else ""
        talk = self.talk if len(self.talk) < 200 else self.talk[:120] + ["..."] + self.talk[-80:]
        return "\n".join(["%s: %s" % (self.t.name, p) for p in self.problems] +
                         ["-- configuration", self.account(), "-- conversation"] + talk +
                         ["-- last standard error", output,
                          "-- again: MAILHAUL=%s make check-script T=%s" % (mailhaul.program(), self.t.name)])
