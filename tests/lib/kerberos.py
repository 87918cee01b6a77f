# SPDX-License-Identifier: MIT
"""A Kerberos realm on loopback: MIT's KDC, a principal for each user, a keytab for the servers, a ticket in a file.

    with Realm(users=["anna"], services=["imap", "pop", "smtp"]) as realm:
        realm.environment        what the client and the server need in theirs
        realm.keytab             of the services on localhost
        realm.kinit("anna")      -> path of a ticket cache, for KRB5CCNAME
"""
import os
import shutil
import subprocess
import tempfile
import time

from dovecot import free_ports

KRB5 = """\
[libdefaults]
default_realm = TEST.EXAMPLE
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
udp_preference_limit = 1
[realms]
TEST.EXAMPLE = {{
  kdc = 127.0.0.1:{port}
}}
[domain_realm]
localhost = TEST.EXAMPLE
"""
KDC = """\
[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
TEST.EXAMPLE = {{
  database_name = {dir}/principal
  key_stash_file = {dir}/stash
  acl_file = {dir}/acl
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
}}
[logging]
kdc = FILE:{dir}/log
"""


def tool(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def available():
    return (all(tool(name) for name in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")) and
            any(os.path.exists(p) for p in ("/usr/lib/dovecot/modules/auth/libmech_gssapi.so",
                                            "/usr/lib64/dovecot/auth/libmech_gssapi.so")))


class Realm:
    def __init__(self, users, services, password="kerberos"):
        self.users, self.services, self.password = users, services, password
        self.dir = directory = tempfile.mkdtemp(prefix="mh-realm-")
        os.chmod(directory, 0o755)  # the server's user reads the keytab
        self.keytab = directory + "/keytab"
        self.process = None
        port, = free_ports(1)
        for name, text in (("krb5.conf", KRB5), ("kdc.conf", KDC), ("acl", "")):
            with open(os.path.join(directory, name), "w") as f:
                f.write(text.format(port=port, dir=directory))
        self.environment = {"KRB5_CONFIG": directory + "/krb5.conf", "KRB5RCACHETYPE": "none"}
        self.env = dict(os.environ, KRB5_KDC_PROFILE=directory + "/kdc.conf", **self.environment)

    def call(self, *command, given=""):
        done = subprocess.run([tool(command[0]), *command[1:]], env=self.env, input=given.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 0, "%s: %s" % (command, done.stdout.decode(errors="replace"))

    def __enter__(self):
        self.call("kdb5_util", "create", "-s", "-P", "master", "-r", "TEST.EXAMPLE")
        orders = ["addprinc -pw %s %s" % (self.password, user) for user in self.users]
        for service in self.services:
            orders += ["addprinc -randkey %s/localhost" % service, "ktadd -k %s %s/localhost" % (self.keytab, service)]
        self.call("kadmin.local", "-r", "TEST.EXAMPLE", given="\n".join(orders) + "\n")
        os.chmod(self.keytab, 0o644)
        self.process = subprocess.Popen([tool("krb5kdc"), "-n", "-r", "TEST.EXAMPLE"], env=self.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def kinit(self, user, patience=20):
        cache, end = os.path.join(self.dir, "cc-" + user), time.monotonic() + patience
        while True:
            try:
                self.call("kinit", "-c", "FILE:" + cache, user, given=self.password + "\n")
                return "FILE:" + cache
            except AssertionError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
