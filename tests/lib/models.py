# SPDX-License-Identifier: MIT
"""Small honest POP3 and IMAP servers that answer whatever a transcript leaves unsaid.

A transcript (transcript.py) says only what is wrong with its server. All else, the order of a client's harmless commands
above all, is answered here, from a Mailbox that lives through all connections and runs of one transcript.

A model reads commands from and writes replies to a `link`: link.line() -> bytes or None, link.exactly(n), link.send(b),
link.start_tls(), link.start_deflate(), and link.removed(folder, message) when the client's removal became final.
"""
import re

POP3_CAPABILITIES = ["TOP", "UIDL", "USER", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "SASL PLAIN"]
IMAP_CAPABILITIES = ("IMAP4rev1 LITERAL+ SASL-IR ID ENABLE NAMESPACE UIDPLUS MOVE UNSELECT LIST-EXTENDED LIST-STATUS "
                     "SPECIAL-USE ESEARCH AUTH=PLAIN").split()


class Message:
    def __init__(self, uid, data, uidl=None, flags="", date="17-Jul-1996 02:44:25 -0700", size=None, **extra):
        self.uid, self.data, self.flags, self.date = uid, data, flags.split(), date
        self.uidl = ("uidl-%d" % uid) if uidl is None else uidl
        self.size = len(data) if size is None else int(size)
        self.hidden = False
        self.extra = extra       # EMAILID, X-GM-MSGID ... by their lower-case names with - as _


class Folder:
    def __init__(self, name, uidvalidity=1234567, attributes="", uidnext=None):
        self.name, self.uidvalidity, self.attributes = name, uidvalidity, attributes
        self.fixed_uidnext, self.messages, self.highest = uidnext, [], 0

    def add(self, message, place=None):
        self.messages.insert(len(self.messages) if place is None else place, message)
        self.highest = max(self.highest, message.uid)

    @property
    def uidnext(self):
        return self.fixed_uidnext or self.highest + 1


class Mailbox:
    def __init__(self):
        self.folders = {"INBOX": Folder("INBOX")}

    def folder(self, name):
        return self.folders.get("INBOX" if name.upper() == "INBOX" else name)


class Model:
    """What both protocols share: the knobs a transcript may turn."""

    def __init__(self, link, mailbox, options):
        self.link, self.mailbox, self.options = link, mailbox, options
        self.logged_in = False

    def say(self, text):
        self.link.send((text if isinstance(text, bytes) else text.encode("latin-1")) + b"\r\n")

    def capabilities(self, default):
        key = "capability-after-login" if self.logged_in and "capability-after-login" in self.options else "capability"
        return self.options[key] if key in self.options else list(default)


class Pop3Model(Model):
    def __init__(self, *args):
        super().__init__(*args)
        self.inbox = self.mailbox.folders["INBOX"]
        self.view, self.deleted, self.given = [], set(), []

    def greet(self):
        self.say("+OK ready")

    def read_command(self):
        line = self.link.line()
        return None if line is None else ("", line.rstrip(b"\r\n"))

    def visible(self):
        shown = [m for m in self.inbox.messages if not m.hidden]
        return shown[:int(self.options["per-session"])] if "per-session" in self.options else shown

    def message(self, argument):
        number = int(argument) if argument.isdigit() else 0
        return self.view[number - 1] if 0 < number <= len(self.view) and number not in self.deleted else None

    def body(self, data):
        return re.sub(rb"(^|\r\n)\.", rb"\1..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n") + b".\r\n"

    def listing(self, argument, value):
        if argument:
            message = self.message(argument)
            return self.say("+OK %s %s" % (argument, value(message)) if message else "-ERR no such message")
        lines = [("%d %s\r\n" % (n, value(m))).encode("latin-1") for n, m in enumerate(self.view, 1)
                 if n not in self.deleted]
        self.link.send(b"+OK\r\n" + b"".join(lines) + b".\r\n")

    def answer(self, _tag, command):
        text = command.decode("latin-1")
        verb, _, argument = text.partition(" ")
        verb, argument = verb.upper(), argument.strip()
        if verb == "CAPA":
            words = self.capabilities(POP3_CAPABILITIES)
            if self.options.get("starttls") and not self.link.tls:
                words = words + ["STLS"]
            self.link.send(("+OK\r\n%s.\r\n" % "".join(w + "\r\n" for w in words)).encode())
        elif verb == "STLS":
            self.say("+OK begin")
            self.link.start_tls()
        elif verb == "AUTH" and argument.upper().startswith("PLAIN"):
            if " " not in argument:
                self.say("+ ")
                self.link.line()
            self.logged_in = True
            self.view = self.visible()
            self.say("+OK logged in")
        elif verb in ("USER", "NOOP", "UTF8"):
            self.say("+OK")
        elif verb == "PASS":
            self.logged_in = True
            self.view = self.visible()
            self.say("+OK logged in")
        elif verb == "STAT":
            rest = [m for n, m in enumerate(self.view, 1) if n not in self.deleted]
            self.say("+OK %d %d" % (len(rest), sum(m.size for m in rest)))
        elif verb == "LIST":
            self.listing(argument, lambda m: m.size)
        elif verb == "UIDL" and self.options.get("uidl") != "none":
            self.listing(argument, lambda m: m.uidl)
        elif verb in ("RETR", "TOP"):
            message = self.message(argument.split()[0] if argument else "")
            if message is None:
                return self.say("-ERR no such message")
            data = message.data
            if verb == "RETR":
                self.given.append(message)
            if verb == "TOP":
                data = data.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
            self.link.send(b"+OK\r\n" + self.body(data))
        elif verb == "DELE":
            message = self.message(argument)
            if message is None:
                return self.say("-ERR no such message")
            self.deleted.add(int(argument))
            self.say("+OK marked")
        elif verb == "RSET":
            self.deleted.clear()
            self.say("+OK")
        elif verb == "QUIT":
            self.commit()
            self.say("+OK bye")
            self.link.close()
        else:
            self.say("-ERR unknown command")

    def commit(self):
        """The UPDATE state: what DELE marked is gone now."""
        for number in sorted(self.deleted):
            message = self.view[number - 1]
            self.link.removed(self.inbox, message)
            self.inbox.messages.remove(message)
        for message in self.given:
            message.hidden = "per-session" in self.options
        self.deleted.clear()


def uid_set(text, highest):
    """"1:3,7,9:*" -> a test for membership."""
    ranges = []
    for part in text.split(","):
        low, _, high = part.partition(":")
        ends = sorted(highest if x == "*" else int(x) for x in ([low, high] if high else [low]))
        ranges.append((ends[0], ends[-1]))
    return lambda n: any(low <= n <= high for low, high in ranges)


def words_of(text):
    """Splits an IMAP command into atoms, quoted strings (unquoted) and parenthesised lists (whole)."""
    out = []
    for quoted, bracket, atom in re.findall(r'"((?:\\.|[^"\\])*)"|(\((?:[^()]|\([^()]*\))*\))|(\S+)', text):
        out.append(bracket or atom or re.sub(r"\\(.)", r"\1", quoted))
    return out


class ImapModel(Model):
    def __init__(self, *args):
        super().__init__(*args)
        self.selected = None
        word = self.options.get("separator", "/")
        self.separator = word if word == "NIL" else '"%s"' % word

    def greet(self):
        self.say("* OK [CAPABILITY %s] ready" % self.capability_line())

    def capability_line(self):
        words = self.capabilities(IMAP_CAPABILITIES)
        if self.options.get("starttls") and not self.link.tls:
            words = [w for w in words if not w.startswith("AUTH=")] + ["STARTTLS", "LOGINDISABLED"]
        return " ".join(words)

    def read_command(self):
        """One command with its literals put in as quoted strings: (tag, rest), or None at the end."""
        line = self.link.line()
        if line is None:
            return None
        whole = b""
        while True:
            literal = re.search(rb"\{(\d+)(\+?)\}\r?\n$", line)
            if not literal:
                break
            if not literal.group(2):
                self.say("+ go on")
            data = self.link.exactly(int(literal.group(1)))
            whole += line[:literal.start()] + b'"' + re.sub(rb'(["\\])', rb"\\\1", data) + b'"'
            line = self.link.line() or b"\r\n"
        whole += line.rstrip(b"\r\n")
        tag, _, rest = whole.partition(b" ")
        return tag.decode("latin-1"), rest

    def answer(self, tag, command):
        text = command.decode("latin-1")
        words = words_of(text)
        verb = words[0].upper() if words else ""
        if verb == "UID" and len(words) > 1:
            verb, words = "UID " + words[1].upper(), words[1:]
        handler = getattr(self, "do_" + verb.lower().replace(" ", "_"), None)
        if handler is None:
            return self.say("%s BAD unknown command" % tag)
        reply = handler(words[1:], text)
        if reply is not None:
            self.say("%s %s" % (tag, reply))
        if verb == "LOGOUT":
            self.link.close()
        elif verb == "STARTTLS":
            self.link.start_tls()
        elif verb == "COMPRESS":
            self.link.start_deflate()

    def do_capability(self, _words, _text):
        self.say("* CAPABILITY " + self.capability_line())
        return "OK done"

    def do_login(self, _words, _text):
        self.logged_in = True
        return "OK [CAPABILITY %s] logged in" % self.capability_line()

    def do_authenticate(self, words, _text):
        if len(words) < 2:
            self.say("+ ")
            self.link.line()
        return self.do_login(words, _text)

    def do_starttls(self, _words, _text):
        return "OK begin"

    do_compress = do_starttls

    def do_noop(self, _words, _text):
        return "OK done"

    do_subscribe = do_check = do_noop

    def do_enable(self, words, _text):
        self.say("* ENABLED " + " ".join(words))
        return "OK done"

    def do_id(self, _words, _text):
        self.say('* ID ("name" "model")')
        return "OK done"

    def do_namespace(self, _words, _text):
        self.say('* NAMESPACE (("" %s)) NIL NIL' % self.separator)
        return "OK done"

    def do_logout(self, _words, _text):
        self.say("* BYE see you")
        return "OK done"

    def status_line(self, folder, items):
        if folder.uidvalidity is None:
            items = [item for item in items if item != "UIDVALIDITY"]
        values = {"MESSAGES": len(folder.messages), "UIDNEXT": folder.uidnext, "UIDVALIDITY": folder.uidvalidity,
                  "UNSEEN": len([m for m in folder.messages if "\\Seen" not in m.flags]), "RECENT": 0,
                  "SIZE": sum(m.size for m in folder.messages), "HIGHESTMODSEQ": 1}
        pairs = " ".join("%s %s" % (item, values[item]) for item in items if item in values)
        return '* STATUS "%s" (%s)' % (folder.name, pairs)

    def do_list(self, words, text):
        items = re.search(r"STATUS \(([^)]*)\)", text, re.I)
        plain = [w for w in words if not (w.startswith("(") and w is words[0])]
        patterns = words_of(plain[1][1:-1]) if plain[1].startswith("(") else [plain[1]]
        shapes = [re.compile("".join(".*" if c == "*" else "[^%s]*" % re.escape(self.separator.strip("\"")) if c == "%" else re.escape(c) for c in p) + r"\Z",
                             re.S) for p in patterns]
        for folder in list(self.mailbox.folders.values()):
            if not any(shape.match(folder.name) for shape in shapes):
                continue
            self.say('* LIST (%s) %s "%s"' % (
                folder.attributes, self.separator, folder.name.replace("\\", "\\\\").replace('"', '\\"')))
            if items and "\\Noselect" not in folder.attributes:
                self.say(self.status_line(folder, items.group(1).upper().split()))
        return "OK done"

    do_lsub = do_list

    def do_status(self, words, _text):
        folder = self.mailbox.folder(words[0])
        if folder is None:
            return "NO [NONEXISTENT] no such folder"
        self.say(self.status_line(folder, words[1].strip("()").upper().split()))
        return "OK done"

    def open(self, words, state):
        folder = self.mailbox.folder(words[0])
        if folder is None or "\\Noselect" in folder.attributes:
            return "NO [NONEXISTENT] no such folder"
        self.selected = folder
        self.say("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)")
        self.say("* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] kept")
        self.say("* %d EXISTS" % len(folder.messages))
        self.say("* 0 RECENT")
        if folder.uidvalidity is not None:
            self.say("* OK [UIDVALIDITY %s] valid" % folder.uidvalidity)
        self.say("* OK [UIDNEXT %d] next" % folder.uidnext)
        return "OK [%s] open" % state

    def do_select(self, words, _text):
        return self.open(words, "READ-WRITE")

    def do_examine(self, words, _text):
        return self.open(words, "READ-ONLY")

    def do_unselect(self, _words, _text):
        self.selected = None
        return "OK done"

    def chosen(self, text, by_uid):
        messages = self.selected.messages if self.selected else []
        inside = uid_set(text, max([m.uid for m in messages] or [1]) if by_uid else len(messages))
        return [(n, m) for n, m in enumerate(messages, 1) if inside(m.uid if by_uid else n)]

    def fetch(self, words, text, by_uid):
        items = text[text.upper().index("FETCH") + 5:].strip().partition(" ")[2].upper()
        for number, message in self.chosen(words[0], by_uid):
            if "BODY.PEEK[]" in items and self.link.fetch_override(number, message):
                continue
            self.link.send(self.fetch_line(number, message, items))
        return "OK done"

    def fetch_line(self, number, message, items):
        parts = [b"UID %d" % message.uid]
        for word in re.findall(r"BODY\.PEEK\[HEADER\.FIELDS[^\]]*\]|BODY\.PEEK\[[^\]]*\](?:<[\d.]+>)?|[A-Z0-9.-]+", items):
            extra = message.extra.get(word.lower().replace("-", "_"))
            if word == "FLAGS":
                parts.append(b"FLAGS (%s)" % " ".join(message.flags).encode())
            elif word == "INTERNALDATE":
                parts.append(b'INTERNALDATE "%s"' % message.date.encode())
            elif word == "RFC822.SIZE":
                parts.append(b"RFC822.SIZE %d" % message.size)
            elif word == "BODY.PEEK[]":
                parts.append(b"BODY[] {%d}\r\n" % len(message.data) + message.data)
            elif word.startswith("BODY.PEEK[HEADER"):
                head = message.data.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n"
                fields = re.search(r"\(([^)]*)\)", word)
                if fields:
                    wanted = tuple(name.lower().encode() + b":" for name in fields.group(1).split())
                    head = b"".join(l + b"\r\n" for l in head.split(b"\r\n") if l.lower().startswith(wanted)) + b"\r\n"
                parts.append(word.replace(".PEEK", "").encode() + b" {%d}\r\n" % len(head) + head)
            elif extra:
                parts.append(("%s %s" % (word, "(%s)" % extra if word == "EMAILID" else extra)).encode())
        return b"* %d FETCH (" % number + b" ".join(parts) + b")\r\n"

    def do_uid_fetch(self, words, text):
        return self.fetch(words, text, True)

    def do_fetch(self, words, text):
        return self.fetch(words, text, False)

    def do_uid_search(self, words, text):
        sets = [w for w in words if re.fullmatch(r"[\d:*,]+", w)]
        found = [m.uid for _, m in self.chosen(sets[0] if sets else "1:*", True)]
        if "RETURN" in text.upper():
            self.say("* ESEARCH (TAG \"x\") UID" + (" ALL " + ",".join(map(str, found)) if found else ""))
        else:
            self.say("* SEARCH" + "".join(" %d" % uid for uid in found))
        return "OK done"

    def do_uid_store(self, words, text):
        flags = re.findall(r"\\?\w+", words[2] if len(words) > 2 else "")
        for number, message in self.chosen(words[0], True):
            if words[1].startswith("+"):
                message.flags += [f for f in flags if f not in message.flags]
            elif words[1].startswith("-"):
                message.flags = [f for f in message.flags if f not in flags]
            else:
                message.flags = flags
            if ".SILENT" not in words[1].upper():
                self.say("* %d FETCH (UID %d FLAGS (%s))" % (number, message.uid, " ".join(message.flags)))
        return "OK done"

    def drop(self, numbered):
        for number, message in reversed(numbered):
            self.link.removed(self.selected, message)
            self.selected.messages.remove(message)
            self.say("* %d EXPUNGE" % number)

    def do_uid_expunge(self, words, _text):
        self.drop([(n, m) for n, m in self.chosen(words[0], True) if "\\Deleted" in m.flags])
        return "OK done"

    def do_expunge(self, _words, _text):
        self.drop([(n, m) for n, m in self.chosen("1:*", True) if "\\Deleted" in m.flags])
        return "OK done"

    def do_close(self, _words, _text):
        self.drop([(n, m) for n, m in self.chosen("1:*", True) if "\\Deleted" in m.flags])
        self.selected = None
        return "OK done"

    def do_uid_move(self, words, _text):
        target = self.mailbox.folder(words[1])
        if target is None:
            return "NO [TRYCREATE] no such folder"
        moved = self.chosen(words[0], True)
        for _, message in moved:
            target.add(Message(target.uidnext, message.data, flags=" ".join(message.flags), date=message.date))
        self.drop(moved)
        return "OK done"

    def do_uid_copy(self, words, _text):
        target = self.mailbox.folder(words[1])
        if target is None:
            return "NO [TRYCREATE] no such folder"
        for _, message in self.chosen(words[0], True):
            target.add(Message(target.uidnext, message.data, flags=" ".join(message.flags), date=message.date))
        return "OK done"
