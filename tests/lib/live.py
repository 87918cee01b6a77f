# SPDX-License-Identifier: MIT
"""What the tests against a real server share: an account on it, what is here, and what is there."""
import mailhaul

PORTS = {("imap", "implicit"): "imaps", ("imap", "starttls"): "imap", ("imap", "plaintext"): "imap",
         ("pop3", "implicit"): "pop3s", ("pop3", "starttls"): "pop3", ("pop3", "plaintext"): "pop3"}


def make_account(d, user, maildir, name="a", protocol="imap", tls="implicit", port=None, deliver="", **keys):
    """The account section for a user of the server."""
    settings = dict(protocol=protocol, host="localhost", port=port or d.ports[PORTS[protocol, tls]], tls=tls,
                    tls_trust_file=d.ca_file, user=user, password=d.password, timeout=10)
    settings.update(keys)
    return mailhaul.account(name, maildir=maildir, deliver=deliver, **settings)


def contents(root, folder=""):
    """The messages of one folder, sorted; fails when something is left in tmp/."""
    mails = [m for m in mailhaul.read_maildir(root) if m.folder == folder]
    assert not [m for m in mails if m.place == "tmp"]
    return sorted(m.data for m in mails)


def held(d, user, folder="INBOX"):
    """What the Maildir must hold: what an independent client reads from the server, CRLF as LF."""
    return sorted(mailhaul.local(data) for _, _, data in d.fetch_all(user, folder))
