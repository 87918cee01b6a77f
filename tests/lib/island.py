# SPDX-License-Identifier: MIT
"""A network of its own, with its own DNS: mail servers on port 25, policies by HTTPS, and nobody else's resolv.conf.

The DNS, port 25 and port 443 cannot be had otherwise without touching the machine: a child lives in new user, network and
mount namespaces, and programs are run in there through nsenter.

    if not island.available(): skip
    with Island() as i:
        i.zone(dns.zone([...]))
        i.smtp("127.0.0.2", cert=pair.cert, key=pair.key)      answers on port 25; options below
        i.https("127.0.0.9", {"/.well-known/mta-sts.txt": "version: STSv1..."}, cert=..., key=...)
        i.mailbox([b"From: ..."])                              POP3 on 127.0.0.1:110, any user and password
        world.run("fetch", wrap=i.wrap)
        i.seen()     {"asked": [...], "smtp": [{"address", "sni", "tls", "messages": [[to..], text], "commands"}], "https": [...]}
        i.reset()    no servers, an empty zone, nothing seen

smtp options: port=25, starttls=True, greeting="220 ...", refuse=False (no listener at all), implicit=False.
delay=0: seconds before the answer to a message.
https options: status=200, type="text/plain", location=None.
"""
import contextlib
import fcntl
import json
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

import dns

COMMAND = ["unshare", "--user", "--map-root-user", "--net", "--mount"]


def available():
    try:
        return subprocess.run(COMMAND + ["true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0 \
            and os.path.exists("/etc/resolv.conf")
    except OSError:
        return False


class Island:
    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="mh-island-")
        self.child = subprocess.Popen(COMMAND + [sys.executable, os.path.abspath(__file__), self.directory.name],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.child.stdout.readline())
        self.wrap = ["nsenter", "--target", str(ready["pid"]), "--user", "--net", "--mount", "--preserve-credentials",
                     "--wd=" + os.getcwd()]
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(10)
        self.directory.cleanup()

    def ask(self, what, **arguments):
        self.child.stdin.write(json.dumps(dict(arguments, what=what)) + "\n")
        self.child.stdin.flush()
        answer = json.loads(self.child.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def zone(self, zone):
        self.ask("zone", zone=zone)

    def resolv_conf(self, text):
        self.ask("resolv_conf", text=text)

    def hosts(self, text):
        self.ask("hosts", text=text)

    def smtp(self, address, **options):
        self.ask("smtp", address=address, options=options)

    def https(self, address, files, **options):
        self.ask("https", address=address, files=files, options=options)

    def mailbox(self, messages):
        self.ask("mailbox", messages=[m.decode("latin-1") for m in messages])

    def mailbox_again(self, messages):
        """Other messages in the mailbox that there is."""
        self.ask("mailbox_again", messages=[m.decode("latin-1") for m in messages])

    def seen(self):
        return self.ask("seen")

    def reset(self):
        self.ask("reset")


# --- what follows runs inside ---


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 20

    def __init__(self, address, port, handler, **values):
        self.address_family = dns.family_of(address)
        super().__init__((address, port), handler)
        for name, value in values.items():
            setattr(self, name, value)
        threading.Thread(target=self.serve_forever, daemon=True, kwargs=dict(poll_interval=0.05)).start()

    def handle_error(self, request, client_address):
        pass  # a client that hung up; what it did is in the notes


def context(options, note):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(options["cert"], options["key"])
    c.sni_callback = lambda _sock, name, _ctx: note.update(sni=name)
    return c


class Smtp(socketserver.BaseRequestHandler):
    def handle(self):
        options = self.server.options
        self.note = dict(address=self.server.server_address[0], sni=None, tls=False, messages=[], commands=[])
        self.server.notes.append(self.note)
        if options.get("implicit"):
            self.secure(options)
        self.file = self.request.makefile("rb")
        self.say(options.get("greeting", "220 island"))
        to = []
        for line in iter(lambda: self.file.readline(), b""):  # STARTTLS changes the file
            command = line.decode("latin-1").strip()
            verb = command.split(" ")[0].upper()
            self.note["commands"].append(command)
            if verb == "EHLO":
                offer = options.get("starttls", True) and not self.note["tls"]
                self.say("250-island\r\n250-PIPELINING\r\n250%s8BITMIME%s" % ("-" if offer else " ", "\r\n250 STARTTLS" if offer else ""))
            elif verb == "STARTTLS":
                self.say("220 go ahead")
                self.secure(options)
                self.file = self.request.makefile("rb")
            elif verb == "RCPT":
                to.append(command[9:-1])
                self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                lines = list(iter(self.file.readline, b".\r\n"))
                self.note["messages"].append([to, b"".join(lines).decode("latin-1")])
                to = []
                time.sleep(options.get("delay", 0))
                self.say("250 taken")
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")

    def secure(self, options):
        self.request = context(options, self.note).wrap_socket(self.request, server_side=True)
        self.note["tls"] = True

    def say(self, text):
        self.request.sendall(text.encode() + b"\r\n")


class Https(socketserver.BaseRequestHandler):
    def handle(self):
        options = self.server.options
        note = dict(sni=None, path=None)
        self.server.notes.append(note)
        stream = context(options, note).wrap_socket(self.request, server_side=True)
        lines = [line.decode("latin-1").strip() for line in iter(stream.makefile("rb").readline, b"\r\n")]
        note["path"] = lines[0].split(" ")[1]
        body = self.server.files.get(note["path"])
        status = options.get("status", 200 if body is not None else 404)
        head = ["HTTP/1.1 %d x" % status, "Content-Type: " + options.get("type", "text/plain"), "Connection: close",
                "Content-Length: %d" % len(body or "")]
        if options.get("location"):
            head.append("Location: " + options["location"])
        stream.sendall(("\r\n".join(head) + "\r\n\r\n" + (body or "")).encode())
        with contextlib.suppress(OSError):
            stream.unwrap()


class Pop3(socketserver.StreamRequestHandler):
    def handle(self):
        mails = [m.encode("latin-1") for m in self.server.messages]
        self.say("+OK island")
        for line in iter(self.rfile.readline, b""):
            words = line.decode("latin-1").split()
            verb = words[0].upper() if words else ""
            if verb == "CAPA":
                self.say("+OK\r\nUSER\r\nUIDL\r\n.")
            elif verb == "STAT":
                self.say("+OK %d %d" % (len(mails), sum(map(len, mails))))
            elif verb in ("UIDL", "LIST"):
                self.say("\r\n".join(["+OK"] + ["%d %s" % (n + 1, "u%d" % n if verb == "UIDL" else len(m))
                                                for n, m in enumerate(mails)] + ["."]))
            elif verb == "RETR":
                self.say("+OK")
                self.wfile.write(mails[int(words[1]) - 1] + b".\r\n")
            else:
                self.say("+OK")
            if verb == "QUIT":
                return

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class Inside:
    def __init__(self, directory):
        self.directory = directory
        self.settle_in()
        self.dns = dns.Dns("127.0.0.1", 53)
        with contextlib.suppress(OSError):  # without IPv6
            self.dns.listen("::1", 53)
        self.servers, self.smtp_notes, self.https_notes = [], [], []

    def settle_in(self):
        with socket.socket() as s:  # what `ip link set lo up` does
            fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        for name, text in (("resolv.conf", ""), ("hosts", "127.0.0.1 localhost\n"), ("nsswitch.conf", "hosts: files dns\n")):
            own = os.path.join(self.directory, name)
            with open(own, "w") as f:
                f.write(text)
            if os.path.exists("/etc/" + name):
                subprocess.run(["mount", "--bind", own, os.path.realpath("/etc/" + name)], check=True)
        self.do_resolv_conf("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")

    def write(self, name, text):
        with open(os.path.join(self.directory, name), "w") as f:  # the same file: it is mounted
            f.write(text)

    def do_resolv_conf(self, text):
        self.write("resolv.conf", text)

    def do_hosts(self, text):
        self.write("hosts", "127.0.0.1 localhost\n" + text)

    def do_zone(self, zone):
        self.dns.zone = zone

    def do_smtp(self, address, options):
        self.servers.append(Server(address, options.get("port", 25), Smtp, options=options, notes=self.smtp_notes))

    def do_https(self, address, files, options):
        self.servers.append(Server(address, 443, Https, files=files, options=options, notes=self.https_notes))

    def do_mailbox(self, messages):
        self.servers.append(Server("127.0.0.1", 110, Pop3, messages=messages))

    def do_mailbox_again(self, messages):
        next(s for s in self.servers if s.RequestHandlerClass is Pop3).messages = messages

    def do_seen(self):
        with self.dns.lock:
            return dict(asked=list(self.dns.asked), smtp=self.smtp_notes, https=self.https_notes)

    def do_reset(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.servers.clear(), self.smtp_notes.clear(), self.https_notes.clear(), self.dns.asked.clear()
        self.dns.zone = dns.zone()
        self.do_hosts("")
        self.do_resolv_conf("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")


def main():
    inside = Inside(sys.argv[1])
    print(json.dumps(dict(pid=os.getpid())), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(inside, "do_" + request.pop("what"))(**request) or {}
        except Exception as error:
            answer = dict(error=repr(error))
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
