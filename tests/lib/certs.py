# SPDX-License-Identifier: MIT
"""Throw-away certificates, made with the openssl command in a directory of the caller's.

    ca = Authority(directory)                    a CA whose certificate is ca.file (PEM)
    pair = ca.issue("good")                      Pair(cert, key): CN and SAN localhost, 127.0.0.1
    pair = ca.issue("old", expired=True)         valid in 2020 only
    pair = ca.issue("new", window=FUTURE)        not yet valid; window: (from, to) as openssl ca wants them
    pair = ca.issue("me", usage="clientAuth")    not for a server
    pair = ca.issue("x", extra="tlsfeature=status_request")   more lines of openssl's configuration
    ca.status(pair, "revoked")                   the file of an OCSP answer (DER): good or revoked
    pair = ca.issue("else", names=["DNS:else.example"])
    pair = self_signed(directory, "self")        signed by no one
    fingerprint(pair.cert), spki_fingerprint(pair.cert)   the hex of tls_fingerprint's sha256: and spki-sha256:
"""
import collections
import hashlib
import os
import ssl
import subprocess

Pair = collections.namedtuple("Pair", "cert key")
ALWAYS, EXPIRED = ("20200101000000Z", "20490101000000Z"), ("20200101000000Z", "20200201000000Z")
FUTURE = ("20480101000000Z", "20490101000000Z")
LOCAL = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


def _openssl(*args, data=None):
    done = subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError("openssl %s: %s" % (" ".join(args), done.stderr.decode(errors="replace")))
    return done.stdout


def _key(path):
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    os.chmod(path, 0o600)
    return path


def self_signed(directory, name, names=LOCAL, ca=False):
    """A certificate signed by its own key, good for ten years."""
    base = os.path.join(directory, name)
    extensions = ["-addext", "subjectAltName=" + ",".join(names)]
    if ca:
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign"]
    _openssl("req", "-x509", "-new", "-key", _key(base + ".key"), "-out", base + ".crt", "-days", "3650",
             "-subj", "/CN=" + ("mailhaul test CA" if ca else "localhost"), *extensions)
    return Pair(base + ".crt", base + ".key")


class Authority:
    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.pair = self_signed(directory, "ca", ca=True)
        self.file = self.pair.cert

    def issue(self, name, names=LOCAL, expired=False, common_name="localhost", window=None, usage="serverAuth", extra=""):
        base = os.path.join(self.directory, name)
        request = _openssl("req", "-new", "-key", _key(base + ".key"), "-subj", "/CN=" + common_name)
        work = base + ".ca"
        os.makedirs(work, exist_ok=True)
        for file, text in (("index", ""), ("request", request.decode()), ("serial", "%02x\n" % (len(base) + 16)),
                           ("conf", _CA_CONF % {"work": work, "names": ",".join(names), "usage": usage, "extra": extra})):
            with open(os.path.join(work, file), "w") as f:
                f.write(text)
        window = window or (EXPIRED if expired else ALWAYS)
        _openssl("ca", "-batch", "-notext", "-config", work + "/conf", "-cert", self.pair.cert, "-keyfile",
                 self.pair.key, "-in", work + "/request", "-out", base + ".crt", "-startdate", window[0],
                 "-enddate", window[1])
        return Pair(base + ".crt", base + ".key")


    def status(self, pair, status):
        base = pair.cert[:-len(".crt")]
        serial = _openssl("x509", "-in", pair.cert, "-noout", "-serial").decode().strip().split("=")[1]
        index = "%s\t490101000000Z\t%s\t%s\tunknown\t/CN=localhost\n" % (
            "R" if status == "revoked" else "V", "240101000000Z,keyCompromise" if status == "revoked" else "", serial)
        for suffix, text in ((".index", index), (".index.attr", "unique_subject = no\n")):
            with open(base + suffix, "w") as f:
                f.write(text)
        answer = "%s.%s.der" % (base, status)
        _openssl("ocsp", "-index", base + ".index", "-CA", self.file, "-rsigner", self.file, "-rkey", self.pair.key, "-issuer",
                 self.file, "-cert", pair.cert, "-no_nonce", "-noverify", "-respout", answer, "-ndays", "7")
        return answer


_CA_CONF = """\
[ca]
default_ca = d
[d]
database = %(work)s/index
serial = %(work)s/serial
new_certs_dir = %(work)s
default_md = sha256
policy = p
x509_extensions = e
unique_subject = no
[p]
commonName = supplied
[e]
subjectAltName = %(names)s
extendedKeyUsage = %(usage)s
%(extra)s
"""


def fingerprint(cert):
    """SHA-256 of the whole certificate, in hex: what sha256: in tls_fingerprint compares."""
    with open(cert) as f:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


def spki_fingerprint(cert):
    """SHA-256 of the public key's DER, in hex: what spki-sha256: in tls_fingerprint compares."""
    pem = _openssl("x509", "-in", cert, "-noout", "-pubkey")
    return hashlib.sha256(_openssl("pkey", "-pubin", "-outform", "DER", data=pem)).hexdigest()
