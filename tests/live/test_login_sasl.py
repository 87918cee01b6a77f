# SPDX-License-Identifier: MIT
"""Every SASL mechanism that Dovecot has, in POP3, IMAP and submission: with the right and with the wrong password; what
`auto` takes; on whose behalf; and that nothing weaker follows. What was used is read from the server's log."""
import collections
import contextlib
import os
import re
import subprocess

import pytest

import dovecot as dovecot_module
import kerberos
import mailhaul
from dovecot import Dovecot, sample
from live import contents, make_account
from takers import SmtpServer

pytestmark = pytest.mark.skipif(not dovecot_module.available(), reason="Dovecot is not installed")
needs_kerberos = pytest.mark.skipif(not kerberos.available(), reason="no KDC, or Dovecot without GSSAPI (krb5-kdc krb5-admin-server "
                                    "krb5-user dovecot-gssapi)")
SUBMISSION = os.path.exists("/usr/lib/dovecot/submission-login")
PASSWORD = "a secret, with, = and \"quotes\" 7$"
MECHANISMS = "scram-sha-256 scram-sha-1 plain login cram-md5".split()
EXTRA = """\
auth_mechanisms = {mechanisms}
auth_verbose = yes
auth_gssapi_hostname = "$ALL"
auth_krb5_keytab = {keytab}
auth_master_user_separator = *
auth_username_format = %Ln
ssl_ca = <{ca}
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
ssl_cert_username_field = commonName
import_environment = $import_environment KRB5_CONFIG={krb5} KRB5RCACHETYPE=none
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {masters}
  master = yes
  result_success = continue
}}
passdb {{
  driver = static
  args = nopassword
  mechanisms = external
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%n {principals}
  mechanisms = gssapi
}}
"""
Server = collections.namedtuple("Server", "dovecot taker realm client")


@contextlib.contextmanager
def serving(mechanisms, realm=None):
    taker = SmtpServer()
    d = Dovecot(users=["anna", "bert", "stored"], password=PASSWORD, relay=taker.server_address[1] if SUBMISSION else None)
    masters, principals = d.dir + "/masters", d.dir + "/principals"
    with open(masters, "w") as f:
        f.write("admin:%s\n" % PASSWORD)
    with open(principals, "w") as f:
        f.write("anna:{PLAIN}x\n")
    extra = EXTRA.format(mechanisms=mechanisms, ca=d.ca_file, masters=masters, principals=principals,
                         keytab=realm.keytab if realm else "/nonexistent", krb5=realm.dir + "/krb5.conf" if realm else "")
    with open(d.conf) as f:
        text = f.read()
    # A master is looked for first.
    with open(d.conf, "w") as f:
        f.write(text.replace("passdb {", extra[extra.index("passdb {"):] + "passdb {", 1) + extra[:extra.index("passdb {")])
    with open(d.dir + "/users", "w") as f:
        f.write("".join("%s:%s\n" % (user, PASSWORD) for user in ("anna", "bert")))
        scheme = subprocess.run(["doveadm", "-c", d.conf, "pw", "-s", "SCRAM-SHA-256", "-p", PASSWORD], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        f.write("stored:%s\n" % scheme)
    with d:
        yield d, taker
    taker.shutdown()
    taker.server_close()


@pytest.fixture(scope="module")
def server():
    with contextlib.ExitStack() as stack:
        realm = None
        if kerberos.available():
            realm = stack.enter_context(kerberos.Realm(["anna"], ["imap", "pop", "smtp"]))
        names = "scram-sha-256 scram-sha-1 cram-md5 plain login external apop" + (" gssapi" if realm else "")
        d, taker = stack.enter_context(serving(names, realm))
        for user in ("anna", "bert"):  # by LMTP: our helper's LOGIN does not quote such a password
            d.deliver(user, [sample(n) for n in range(2)])
        yield Server(d, taker, realm, d.ca.issue("anna-client", common_name="anna", usage="clientAuth"))


def used(d, protocol, user, before):
    """[method] of the logins since then."""
    log = d.log()[before:]
    return re.findall(r"%s-login: Info: Login: user=<%s>, method=(\S+?)," % (protocol, user), log)


def configure(server, world, protocol, user="anna", password=PASSWORD, **keys):
    """An account that fetches by the protocol, or one that hands on by it what it fetches over IMAP."""
    d = server.dovecot
    if protocol != "submission":
        return world.write_config(make_account(d, user, world.mail, protocol=protocol, **dict(dict(password=password), **keys)))
    login = dict(dict(user=user, password=password), **keys)
    text = make_account(d, "bert", None, password=PASSWORD).rstrip().rstrip("}")
    lines = dict(type="smtp", host="localhost", port=d.ports["submissions"], tls="implicit", tls_trust_file=d.ca_file,
                 to="me@example.net", **login)
    text += "    deliver 'there' {\n%s\n    }\n}\n" % "\n".join(
        "        %s = %s" % (k, mailhaul.quote(v)) for k, v in lines.items() if v is not None)
    return world.write_config(text)


def passes(server, world, protocol, method, user="anna", env=None):
    """One pass that gets the mail, with exactly one login there, by that method."""
    before, had = len(server.dovecot.log()), taken(server)
    world.run("fetch", check=0, env=env)
    assert used(server.dovecot, protocol, user, before) == [method]
    if protocol == "submission":
        assert taken(server) - had == 2
    else:
        assert len(contents(world.mail)) == 2


def taken(server):
    with server.taker.lock:
        return sum(sum(messages.values()) for messages in server.taker.taken.values())


def refused(server, world, protocol, code=77, user="anna", env=None):
    before = len(server.dovecot.log())
    result = world.run("fetch", check=code, env=env)
    assert used(server.dovecot, protocol, user, before) == []
    assert PASSWORD.encode() not in result.err and b"wrong" not in result.err
    return result.err.decode()


PROTOCOLS = ["imap", "pop3"] + (["submission"] if SUBMISSION else [])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_mechanism(server, world, protocol, mechanism):
    configure(server, world, protocol, auth=[mechanism])
    passes(server, world, protocol, mechanism.upper())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_wrong_password(server, world, protocol, mechanism):
    configure(server, world, protocol, auth=[mechanism], password="wrong, and not right")
    said = refused(server, world, protocol)
    assert "anna" in said and said.count("\n") <= 3


def test_user_and_pass(server, world):
    configure(server, world, "pop3", auth=["user"])
    passes(server, world, "pop3", "PLAIN")


def test_apop(server, world):
    configure(server, world, "pop3", auth=["apop"])
    passes(server, world, "pop3", "APOP")


def test_apop_wrong_password(server, world):
    configure(server, world, "pop3", auth=["apop"], password="wrong, and not right")
    refused(server, world, "pop3")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_auto_takes_the_strongest(server, world, protocol):
    configure(server, world, protocol)
    passes(server, world, protocol, "SCRAM-SHA-256")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_auto_against_a_stored_key(server, world, protocol):
    """The server has the keys of SCRAM-SHA-256 alone and never the password; PLAIN is good there too, and not taken."""
    configure(server, world, protocol, user="stored")
    before = len(server.dovecot.log())
    world.run("fetch", check=0)
    assert used(server.dovecot, protocol, "stored", before) == ["SCRAM-SHA-256"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_second_way_after_a_refusal(server, world, protocol):
    configure(server, world, protocol, password="wrong, and not right")
    before = len(server.dovecot.log())
    refused(server, world, protocol)
    failures = re.findall(r"%s-login: Info: .*?\(auth failed, (\d+) attempts" % protocol, server.dovecot.log()[before:])
    assert failures == ["1"]


def test_order_of_a_list(server, world):
    """The user's own order counts, not the strength."""
    configure(server, world, "imap", auth=["cram-md5", "scram-sha-256"])
    passes(server, world, "imap", "CRAM-MD5")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_external(server, world, protocol):
    configure(server, world, protocol, password=None, tls_cert_file=server.client.cert, tls_key_file=server.client.key)
    passes(server, world, protocol, "EXTERNAL")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_external_with_a_strangers_certificate(server, world, protocol):
    other = server.dovecot.ca.issue("stranger-" + protocol, common_name="nobody-here", usage="clientAuth")
    configure(server, world, protocol, auth=["external"], password=None, authorize_as="anna", tls_cert_file=other.cert,
              tls_key_file=other.key)
    refused(server, world, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("mechanism", ["scram-sha-256", "plain"])
def test_authorize_as(server, world, protocol, mechanism):
    """A master user's password, somebody else's mailbox."""
    configure(server, world, protocol, user="admin", authorize_as="anna", auth=[mechanism])
    passes(server, world, protocol, mechanism.upper())


def test_authorize_as_wrong_password(server, world):
    configure(server, world, "imap", user="admin", authorize_as="anna", password="wrong, and not right")
    assert "admin" in refused(server, world, "imap")


def test_authorize_as_without_the_right(server, world):
    configure(server, world, "imap", user="bert", authorize_as="anna")
    refused(server, world, "imap")


def kerberos_environment(server, world, cache):
    """MIT's library keeps a few bytes for ever."""
    rules = os.path.join(world.dir, "lsan")
    with open(rules, "w") as f:
        f.write("leak:libgssapi_krb5\nleak:libkrb5\n")
    return dict(server.realm.environment, KRB5CCNAME=cache, LSAN_OPTIONS="print_suppressions=0:suppressions=" + rules)


@needs_kerberos
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_gssapi(server, world, protocol):
    configure(server, world, protocol, password=None, auth=["gssapi"])
    passes(server, world, protocol, "GSSAPI", env=kerberos_environment(server, world, server.realm.kinit("anna")))


@needs_kerberos
@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_gssapi_without_a_ticket(server, world, protocol):
    configure(server, world, protocol, password=None, auth=["gssapi"])
    said = refused(server, world, protocol, env=kerberos_environment(server, world, "FILE:" + world.dir + "/none"))
    assert "kinit" in said
