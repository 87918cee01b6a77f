# SPDX-License-Identifier: MIT
"""A light IMAP or POP3 server for very many connections, which tells of new mail at once and has every kind of bad day.

    with PushServer(["u0", "u1"], pair=ca.issue("server")) as server:       TLS; pair=None: plaintext
        server.port
        server.append("u0", message)       -> the time.monotonic() at which all who wait had been told
        server.await_waiting(2)            until so many connections are in IDLE or have NOTIFY
        server.hush()                      connections from now on neither hear nor say anything, and are not closed
        server.cut("fin")                  all connections are closed; "reset": with RST
        server.down(), server.up()         nobody listens on the port
        server.refuse("u0", "NO [UNAVAILABLE] later")    logins get this answer; None: they are taken again
        server.end_idle("Work")                     the server ends those of this folder; server.end_idle_of = "Work": always

The mailboxes and nearly all answers are those of models.py. Everything happens in one thread of its own; what tests call
is done there. server.logins holds (time, user) of each attempt, server.peak the most connections at a time of each user.
"""
import asyncio
import base64
import collections
import contextlib
import functools
import re
import socket
import ssl
import struct
import threading
import time

import models
from dovecot import free_ports

IMAP_CAPABILITIES = models.IMAP_CAPABILITIES + ["IDLE", "NOTIFY"]
POP3_CAPABILITIES = ["TOP", "UIDL", "USER", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING"]


class Imap(models.ImapModel):
    """The model, which also tells of what came while nobody asked."""

    def __init__(self, *args):
        super().__init__(*args)
        self.idle_tag, self.notify, self.told = None, False, 0

    def waits(self):
        return self.idle_tag is not None or self.notify

    def tell(self, folder):
        """Something came into the folder."""
        if self.idle_tag is not None and folder is self.selected:
            self.tell_exists()
        elif self.notify and folder is not self.selected:
            self.say(self.status_line(folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]))

    def tell_exists(self):
        if self.selected is not None and len(self.selected.messages) != self.told:
            self.told = len(self.selected.messages)
            self.say("* %d EXISTS" % self.told)

    def answer(self, tag, command):
        if self.idle_tag is not None:
            assert command == b"" and tag == "DONE", command
            self.say("%s OK idled" % self.idle_tag)
            self.idle_tag = None
            return self.link.changed()
        if tag == "DONE":  # it has crossed the end of the IDLE
            return self.say("* BAD what?")
        verb = command.split(b" ")[0].upper()
        if verb == b"LOGIN" or verb == b"AUTHENTICATE":
            user = command.split(b" ")[1].strip(b'"')
            if verb == b"AUTHENTICATE":
                user = base64.b64decode(command.split(b" ")[2]).split(b"\0")[1]
            refusal = self.link.login(user.decode())
            if refusal is not None:
                return self.say("%s %s" % (tag, refusal))
        elif verb == b"IDLE":
            self.idle_tag = tag
            self.say("+ idling")
            self.tell_exists()
            if self.selected.name == self.link.server.end_idle_of:
                self.end_idle()
            return self.link.changed()
        elif verb == b"NOTIFY":
            self.notify = command.upper().startswith(b"NOTIFY SET STATUS")
            for folder in self.mailbox.folders.values() if self.notify else ():
                self.say(self.status_line(folder, ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]))
            self.say("%s OK done" % tag)
            return self.link.changed()
        elif verb == b"NOOP":
            self.tell_exists()
        super().answer(tag, command)

    def end_idle(self):
        self.say("%s OK enough" % self.idle_tag)
        self.idle_tag = None

    def open(self, words, state):
        reply = super().open(words, state)
        self.told = len(self.selected.messages) if self.selected else 0
        return reply


class Pop3(models.Pop3Model):
    """The model, with the user of USER."""

    user = ""

    def waits(self):
        return False

    def tell(self, _folder):
        pass

    def answer(self, tag, command):
        verb, _, argument = command.decode().partition(" ")
        if verb.upper() == "USER":
            self.user = argument
        elif verb.upper() == "PASS":
            refusal = self.link.login(self.user)
            if refusal is not None:
                return self.say(refusal)
            self.inbox = self.mailbox.folders["INBOX"]
        super().answer(tag, command)


class Connection:
    """The link between a model and its socket."""

    tls = True

    def __init__(self, server, reader, writer):
        self.server, self.reader, self.writer = server, reader, writer
        self.user, self.hushed, self.over = None, False, False
        options = {"capability": server.capabilities}
        self.model = (Imap if server.protocol == "imap" else Pop3)(self, models.Mailbox(), options)

    def send(self, data):
        if not self.hushed:
            self.writer.write(data)

    def close(self):
        self.over = True

    def fetch_override(self, _number, _message):
        return False

    def removed(self, folder, message):
        self.server.removed[self.user].append((folder.name, message.uid))

    def changed(self):
        self.server.notice()

    def login(self, user):
        """None, or how it is refused."""
        self.server.logins.append((time.monotonic(), user))
        refusal = self.server.refusals.get(user)
        if refusal is None:
            self.user = user
            self.model.mailbox = self.server.mailboxes[user]
            here = sum(c.user == user and not c.hushed for c in self.server.connections)
            self.server.peak[user] = max(self.server.peak[user], here)
        return refusal

    async def serve(self):
        self.model.greet()
        while not self.over:
            line = await self.reader.readline()
            if not line.endswith(b"\n") or self.hushed:
                break
            line = line.rstrip(b"\r\n")
            tag, command = "", line
            if self.server.protocol == "imap":
                assert not re.search(rb"\{\d+\+?\}$", line), line
                tag, _, command = line.partition(b" ")
                tag = tag.decode()
            self.server.heard.append((self.user, command))
            self.model.answer(tag, command)
            if not self.hushed:
                await self.writer.drain()
        if self.hushed:  # until the server ends, or cuts it
            await asyncio.Event().wait()


def in_its_thread(method):
    """Called from outside, done in the server's thread; returns its result."""
    @functools.wraps(method)
    def call(self, *args, **keys):
        async def run():
            return method(self, *args, **keys)
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(60)
    return call


class PushServer:
    def __init__(self, users, protocol="imap", pair=None, capabilities=None, folders=("INBOX",)):
        self.users, self.protocol, self.pair = list(users), protocol, pair
        self.capabilities = capabilities or (IMAP_CAPABILITIES if protocol == "imap" else POP3_CAPABILITIES)
        self.mailboxes = {}
        for user in self.users:
            box = self.mailboxes[user] = models.Mailbox()
            for name in folders:
                box.folders.setdefault(name, models.Folder(name))
        self.logins, self.heard = [], collections.deque(maxlen=1000)
        self.peak, self.removed = collections.Counter(), collections.defaultdict(list)
        self.refusals, self.connections, self.errors = {}, set(), []
        self.end_idle_of = None
        self.port = free_ports(1)[0]
        self.news = threading.Condition()
        self.listener = None

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        try:
            self.up()
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        async def end():
            if self.listener is not None:
                self.listener.close()
            tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        asyncio.run_coroutine_threadsafe(end(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
        assert not self.errors, self.errors

    async def serve(self, reader, writer):
        connection = Connection(self, reader, writer)
        connection.task = asyncio.current_task()  # the loop itself does not keep a task that waits for nothing
        self.connections.add(connection)
        try:
            await connection.serve()
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        except Exception as error:  # a mistake here must fail the test, not vanish in a thread
            self.errors.append("%s: %s" % (type(error).__name__, error))
        finally:
            self.connections.discard(connection)
            self.notice()
            with contextlib.suppress(Exception):
                writer.close()

    def notice(self):
        with self.news:
            self.news.notify_all()

    def up(self):
        async def listen():
            context = None
            if self.pair:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.pair.cert, self.pair.key)
            self.listener = await asyncio.start_server(self.serve, "127.0.0.1", self.port, ssl=context, backlog=1024)
        asyncio.run_coroutine_threadsafe(listen(), self.loop).result(60)

    @in_its_thread
    def down(self):
        self.listener.close()
        self.listener = None

    @in_its_thread
    def append(self, user, message, folder="INBOX"):
        box = self.mailboxes[user].folders[folder]
        box.add(models.Message(box.uidnext, message))
        for connection in self.connections:
            if connection.user == user:
                connection.model.tell(box)
        return time.monotonic()

    @in_its_thread
    def hush(self):
        for connection in self.connections:
            connection.hushed = True
        return len(self.connections)

    @in_its_thread
    def cut(self, how="fin", chosen=lambda connection: True):
        """Returns how many."""
        victims = [c for c in self.connections if not c.writer.is_closing() and chosen(c)]
        for connection in victims:
            connection.over = True
            sock = connection.writer.get_extra_info("socket")
            if how == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.writer.transport.abort() if how == "reset" else connection.writer.close()
        return len(victims)

    @in_its_thread
    def refuse(self, user, answer):
        self.refusals[user] = answer

    @in_its_thread
    def end_idle(self, folder):
        """By the server, as some do after half an hour. Returns how many."""
        idle = [c.model for c in self.connections if c.model.idle_tag is not None and c.model.selected.name == folder]
        for model in idle:
            model.end_idle()
        return len(idle)

    @in_its_thread
    def waiting(self, user=None):
        return sum(c.model.waits() and not c.hushed and user in (None, c.user) for c in self.connections)

    def await_that(self, condition, timeout=60):
        """Until condition() holds, which is looked at whenever a connection begins or ceases to wait."""
        end = time.monotonic() + timeout
        while not condition():
            with self.news:
                assert time.monotonic() < end, "%d connections, %d wait" % (len(self.connections), self.waiting())
                self.news.wait(0.2)

    def await_waiting(self, count, timeout=60):
        self.await_that(lambda: self.waiting() >= count, timeout)

    def held(self, user, folder="INBOX"):
        """What the Maildir must hold."""
        return sorted(m.data.replace(b"\r\n", b"\n") for m in self.mailboxes[user].folders[folder].messages)

    def account(self, user, maildir, name=None, ca_file=None, **keys):
        import mailhaul
        settings = dict(protocol=self.protocol, host="localhost", port=self.port, user=user, password="secret", timeout=10,
                        tls="implicit" if self.pair else "plaintext", tls_trust_file=ca_file)
        settings.update(keys)
        return mailhaul.account(name or user, maildir=maildir, **settings)
