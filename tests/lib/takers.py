# SPDX-License-Identifier: MIT
"""Destinations that take whatever they are given, for the crash family: what was accepted, and how often.

    taker = TAKERS["smtp"](server, user, directory)
    taker.deliver()        the deliver section
    taker.taken()          Counter of the messages taken, in file form and without what handing on puts in front
    taker.once             nothing may be there twice, whatever happened; else what was on its way may

smtp is a model server in a thread; lmtp and imap are the Dovecot of the tests; command is a shell script.
"""
import collections
import glob
import os
import re
import socketserver
import threading

import mailhaul

TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received|X-Original-To):[^\n]*\n(?:[ \t][^\n]*\n)*)*", re.I)


def stripped(data):
    """Without the trace fields that were put in front. The messages of these tests begin with From."""
    data = mailhaul.local(data)
    return data[TRACE.match(data).end():]


class Connection(socketserver.StreamRequestHandler):
    """PIPELINING and CHUNKING, everybody's mail."""

    def handle(self):
        self.say("220 taker")
        self.recipients = []
        for line in iter(self.rfile.readline, b""):
            verb = line.split()[0].upper() if line.strip() else b""
            if verb in (b"EHLO", b"LHLO"):
                self.say("250-taker\r\n250-PIPELINING\r\n250-8BITMIME\r\n250" + ("-CHUNKING\r\n250 " if self.server.chunking else " ") + "SIZE 0")
            elif verb == b"RCPT":
                self.recipients.append(re.search(rb"<(.*)>", line).group(1).decode())
                self.say("250 ok")
            elif verb == b"DATA":
                self.say("354 go on")
                if not self.data():
                    return
            elif verb == b"BDAT":
                data = self.rfile.read(int(line.split()[1]))
                if len(data) < int(line.split()[1]):
                    return
                self.take(data)
            elif verb == b"QUIT":
                return self.say("221 bye")
            else:
                if verb in (b"RSET", b"MAIL"):
                    self.recipients = []
                self.say("250 ok")

    def data(self):
        lines = []
        for line in iter(self.rfile.readline, b""):
            if line == b".\r\n":
                self.take(b"".join(lines))
                return True
            lines.append(line[1:] if line.startswith(b".") else line)
        return False

    def take(self, data):
        with self.server.lock:
            for recipient in self.recipients:
                self.server.taken[recipient][stripped(data)] += 1
        self.recipients = []
        self.say("250 taken")

    def say(self, text):
        try:
            self.wfile.write(text.encode() + b"\r\n")
        except OSError:
            pass  # killed


class SmtpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self, chunking=False):
        super().__init__(("127.0.0.1", 0), Connection)
        self.chunking, self.lock = chunking, threading.Lock()
        self.taken = collections.defaultdict(collections.Counter)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a connection that a killed program left


class Smtp:
    once = False

    def __init__(self, server, user, _directory):
        self.server = server.smtp_chunking if "chunking" in type(self).__name__.lower() else server.smtp
        self.user = user

    def deliver(self):
        return "deliver smtp { host = 'localhost' port = %d to = '%s@example.org' }" % (self.server.server_address[1], self.user)

    def taken(self):
        with self.server.lock:
            return collections.Counter(self.server.taken[self.user + "@example.org"])


class SmtpChunking(Smtp):
    pass


class Lmtp:
    once = False

    def __init__(self, server, user, _directory):
        self.server, self.user = server, "t" + user

    def deliver(self):
        return "deliver lmtp { socket = '%s' to = '%s' }" % (self.server.lmtp_socket, self.user)

    def taken(self):
        return collections.Counter(stripped(data) for _, _, data in self.server.fetch_all(self.user))


class Imap:
    once = True

    def __init__(self, server, user, _directory):
        self.server, self.user = server, "t" + user

    def deliver(self):
        return ("deliver imap { host = 'localhost' port = %d tls = 'plaintext' user = '%s' password = '%s' folder = 'Kept' }"
                % (self.server.ports["imap"], self.user, self.server.password))

    def taken(self):
        box = self.server.imap(self.user)
        there = box.select("Kept", readonly=True)[0] == "OK"
        box.logout()
        return collections.Counter(mailhaul.local(data) for _, _, data in self.server.fetch_all(self.user, "Kept")) if there \
            else collections.Counter()


class Command:
    once = False

    def __init__(self, _server, _user, directory):
        self.directory = directory + "/taken"
        os.makedirs(self.directory, exist_ok=True)

    def deliver(self):
        """A message is taken once its file has got its name, as a real program would do it. The faults that are put into
        mailhaul are not meant for it."""
        return ("deliver command { command = { 'env', '-u', 'LD_PRELOAD', 'sh', '-c', 'f=$(mktemp -p \"$0\" .XXXXXX) && cat >\"$f\" && "
                "mv \"$f\" \"$0/m-${f##*/.}\"', '%s' } }" % self.directory)

    def taken(self):
        out = collections.Counter()
        for path in glob.glob(self.directory + "/m-*"):
            with open(path, "rb") as f:
                out[f.read()] += 1
        return out


TAKERS = {"smtp": Smtp, "bdat": SmtpChunking, "lmtp": Lmtp, "imap": Imap, "command": Command}
