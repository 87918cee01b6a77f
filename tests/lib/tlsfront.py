# SPDX-License-Identifier: MIT
"""TLS in front of a server that speaks without: what the TLS of a server may do wrong, and what it sees.

    with TlsFront(port, pair) as front:                   front.port; each connection goes on to 127.0.0.1:port in clear
    front.handshakes                                      [(protocol, resumed, subject of the client's certificate or None)]
    TlsFront(port, pair, client_ca=file)                  wants a certificate of that CA
    TlsFront(port, pair, rude=True)                       ends connections without close_notify
    front.cut()                                           ends the connections that stand
    TlsFront(port, pair, newest="1.2")                    the newest version that is spoken
"""
import contextlib
import select
import socket
import ssl
import threading

VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsFront:
    def __init__(self, port, pair, client_ca=None, newest="1.3", rude=False):
        self.behind, self.rude, self.handshakes, self.open = port, rude, [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        if newest == "1.1":
            self.context.minimum_version = ssl.TLSVersion.TLSv1
            self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.context.maximum_version = VERSIONS[newest]
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(client_ca)

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def cut(self):
        """The connections that stand are gone, without a word."""
        for one in self.open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            inside = self.context.wrap_socket(sock, server_side=True)
            subject = dict(x[0] for x in (inside.getpeercert() or {}).get("subject", ()))
            self.handshakes.append((inside.version(), inside.session_reused, subject.get("commonName")))
            self.open.append(inside)
            with inside, socket.create_connection(("127.0.0.1", self.behind)) as plain:
                self._pump(inside, plain)
                if not self.rude:
                    inside.unwrap()

    def _pump(self, inside, plain):
        while True:
            ready = [inside] if inside.pending() else select.select([inside, plain], [], [])[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                (plain if one is inside else inside).sendall(data)
