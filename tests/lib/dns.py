# SPDX-License-Identifier: MIT
"""A name server for the tests: what a validating resolver would answer, from a zone that is written down.

    server = Dns("127.0.0.1", 53)
    server.zone = zone([("example.org", "MX", "10 mx.example.org"), ("mx.example.org", "A", "127.0.0.2"),
                        ("_25._tcp.mx.example.org", "TLSA", "3 1 1 aa..")], insecure=["mx.example.org"])

Types: A, AAAA, CNAME, MX ("." is the null MX), TXT (or a list of its strings), TLSA. An answer is authentic (AD) unless a name
that it is made of stands in `insecure`, or below one that does. Names in `failing` are answered SERVFAIL, as a validating
resolver answers for what is forged, those in `silent` not at all. `truncate`: nothing comes whole by UDP. What was asked
stands in server.asked, as "NAME TYPE udp|tcp".
"""
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "CNAME": 5, "MX": 15, "TXT": 16, "AAAA": 28, "OPT": 41, "TLSA": 52}
NAMES = {number: name for name, number in TYPES.items()}


def zone(records=(), insecure=(), failing=(), silent=(), truncate=False, validating=True):
    return dict(records=[list(r) for r in records], insecure=list(insecure), failing=list(failing), silent=list(silent),
                truncate=truncate, validating=validating)


def pack_name(name):
    labels = [part.encode() for part in name.rstrip(".").split(".") if part]
    return b"".join(bytes([len(part)]) + part for part in labels) + b"\0"


def pack_data(kind, data):
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, data)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, data)
    if kind == "CNAME":
        return pack_name(data)
    if kind == "MX":
        preference, host = data.split()
        return struct.pack("!H", int(preference)) + pack_name(host)
    if kind == "TXT":
        strings = [data] if isinstance(data, str) else data
        return b"".join(bytes([len(s)]) + s.encode() for s in strings)
    usage, selector, matching, rest = data.split()
    return bytes([int(usage), int(selector), int(matching)]) + bytes.fromhex(rest)


def below(name, names):
    return any(name == n or name.endswith("." + n) for n in names)


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Dns:
    def __init__(self, address, port):
        self.zone, self.asked, self.lock = zone(), [], threading.Lock()
        self.listen(address, port)

    def listen(self, address, port):
        """The same at one address more."""
        owner = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                reply = owner.reply(self.request[0], "udp")
                if reply:
                    self.request[1].sendto(reply, self.client_address)

        class Tcp(socketserver.StreamRequestHandler):
            def handle(self):
                size = self.rfile.read(2)
                while len(size) == 2:
                    reply = owner.reply(self.rfile.read(struct.unpack("!H", size)[0]), "tcp")
                    if not reply:
                        return
                    self.wfile.write(struct.pack("!H", len(reply)) + reply)
                    size = self.rfile.read(2)

        for base, handler in ((socketserver.ThreadingUDPServer, Udp), (socketserver.ThreadingTCPServer, Tcp)):
            kind = type("Server", (base,), dict(address_family=family_of(address), allow_reuse_address=True, daemon_threads=True))
            threading.Thread(target=kind((address, port), handler).serve_forever, daemon=True).start()

    def reply(self, query, by):
        ident, flags, _, _, _, extra = struct.unpack("!6H", query[:12])
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        name, kind = ".".join(labels), NAMES.get(struct.unpack("!H", query[at + 1:at + 3])[0], "?")
        question = query[12:at + 5]
        with self.lock:
            self.asked.append("%s %s %s" % (name, kind, by))
            z = self.zone
        if below(name, z["silent"]):
            return None
        used, answers, at_name = [name], [], name
        while below(name, z["failing"]) is False:
            found = [r for r in z["records"] if r[0] == at_name and r[1] == kind]
            alias = [r for r in z["records"] if r[0] == at_name and r[1] == "CNAME"]
            answers += found or alias
            if found or not alias or kind == "CNAME":
                break
            at_name = alias[0][2]
            used.append(at_name)
        code = 0
        if below(name, z["failing"]) or any(below(n, z["failing"]) for n in used):
            code, answers = 2, []
        elif not any(below(r[0], [at_name]) for r in z["records"]):
            code = 3
        wanted = flags & 0x0020 or (extra and b"\0\0\x29" in query[at + 5:])
        authentic = wanted and z["validating"] and code != 2 and not any(below(n, z["insecure"]) for n in used)
        out = 0x8180 | (0x0020 if authentic else 0) | code
        body = b"".join(pack_name(r[0]) + struct.pack("!HHIH", TYPES[r[1]], 1, 60, len(pack_data(r[1], r[2]))) +
                        pack_data(r[1], r[2]) for r in answers)
        if by == "udp" and (z["truncate"] or len(body) > 1100):
            return struct.pack("!6H", ident, out | 0x0200, 1, 0, 0, 0) + question
        return struct.pack("!6H", ident, out, 1, len(answers), 0, 0) + question + body
