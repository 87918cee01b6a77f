# SPDX-License-Identifier: MIT
"""How often a pass with nothing new waits for the other side: counted by a relay that hands on what one side says only
when it has fallen silent, so that what was sent ahead counts as one."""
import select
import socket
import ssl
import threading

import pytest

from dovecot import sample
from live import make_account

QUIET = 0.15  # s; nobody who has more to say is silent for so long


class Turns:
    """TLS in front of a port; `turns` is what the client said before it waited, one string a round trip."""

    def __init__(self, port, pair):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair)
        self.behind, self.turns, self.resumed = port, [], []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            with self.context.wrap_socket(raw, server_side=True) as client, \
                    socket.create_connection(("127.0.0.1", self.behind)) as server:
                self.resumed.append(client.session_reused)
                self.talk(client, server)

    @staticmethod
    def burst(side):
        """(what it says until it falls silent, whether it has hung up)"""
        said = b""
        while True:
            pending = isinstance(side, ssl.SSLSocket) and side.pending()
            if not pending and not select.select([side], [], [], QUIET if said else 10)[0]:
                return said, False
            try:
                piece = side.recv(65536)
            except (ssl.SSLError, OSError):
                piece = b""
            if not piece:
                return said, True
            said += piece

    def talk(self, client, server):
        client.sendall(self.burst(server)[0])  # the greeting, which came with the connection
        while True:
            said, gone = self.burst(client)
            if gone:
                return  # a farewell, for whose answer it did not wait
            self.turns.append(said.decode("latin-1"))
            server.sendall(said)
            answer, gone = self.burst(server)
            client.sendall(answer)
            if gone:
                return


@pytest.mark.parametrize("protocol,most", [("imap", 3), ("pop3", 4)])
def test_a_pass_with_nothing_new(dovecot, user, world, protocol, most):
    dovecot.append(user, "INBOX", [sample(n) for n in range(5)])
    with Turns(dovecot.ports[protocol], dovecot.ca.issue("turns-" + protocol)) as relay:
        world.write_config(make_account(dovecot, user, world.mail, protocol=protocol, port=relay.port, leave_on_server="yes"))
        world.run("fetch", check=0)
        for _ in range(2):
            relay.turns.clear()
            world.run("fetch", check=0)
            assert 0 < len(relay.turns) <= most, relay.turns
            assert relay.resumed[-1], relay.resumed
