# SPDX-License-Identifier: MIT
"""An OpenID provider on loopback over HTTPS (tests/lib/oidc), and a browser for its pages.

    if missing(): skip(missing())                 why there is none, in words
    with Provider(pair, ca_file) as p:            pair: its certificate, of localhost
        p.keys()                                  what a configuration needs: client id, endpoints, scopes
        p.requests("/token")                      what it was asked so far, the newest last
        p.switch(access=1)                        see oidc/server.mjs
        p.revoke(token)
        Browser(p).login(url, "anna")             to the end of the pages; returns the last one's text
        p.dovecot(directory)                      dovecot.conf lines for XOAUTH2 and OAUTHBEARER, by introspection
"""
import functools
import html.parser
import http.cookiejar
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "oidc")
CLIENT, ORGANISATION = "mail program", ("organisation", "secret of the organisation")
SERVER = ("mail server", "secret-of-the-server")

DOVECOT = """\
auth_mechanisms = $auth_mechanisms xoauth2 oauthbearer
auth_cache_size = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {file}
}}
"""
DOVECOT_OAUTH = """\
introspection_mode = post
introspection_url = {introspection}
username_attribute = email
active_attribute = active
active_value = true
tls_ca_cert_file = {ca}
timeout_msecs = 10000
openid_configuration_url = {issuer}/.well-known/openid-configuration
scope = mail
"""


@functools.lru_cache
def installed():
    """(directory, "") or (None, why not)."""
    try:
        done = subprocess.run([HERE + "/install"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=180)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return done.stdout.strip(), ""


def missing():
    directory, why = installed()
    return None if directory else "no OpenID provider: " + why


class Provider:
    def __init__(self, pair, ca_file):
        self.pair, self.ca_file = pair, ca_file
        self.context = ssl.create_default_context(cafile=ca_file)

    def __enter__(self):
        self.child = subprocess.Popen(["node", HERE + "/server.mjs", installed()[0], self.pair.key, self.pair.cert],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        line = self.child.stdout.readline()
        assert line, "the provider did not start"
        self.issuer = "https://localhost:%d" % json.loads(line)["port"]
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()
        self.child.stdout.close()

    def ask(self, path, data=None):
        with urllib.request.urlopen(urllib.request.Request(self.issuer + path, data), context=self.context, timeout=20) as r:
            return json.loads(r.read() or b"{}")

    def keys(self, device=False, **more):
        found = dict(oauth_client_id=CLIENT, oauth_authorize_url=self.issuer + "/auth", oauth_token_url=self.issuer + "/token",
                     oauth_scopes=["openid", "offline_access", "mail"])
        if device:
            found["oauth_device_url"] = self.issuer + "/device/auth"
        return dict(found, **more)

    def organisation_keys(self):
        return dict(oauth_client_id=ORGANISATION[0], oauth_client_secret=ORGANISATION[1], oauth_token_url=self.issuer + "/token",
                    oauth_scopes=["mail"], oauth_grant="client_credentials")

    def requests(self, path=None):
        return [r for r in self.ask("/requests") if path is None or r["path"] == path]

    def grants(self):
        """The grant types of the token endpoint's successes."""
        return [r["grant_type"].rpartition(":")[2] for r in self.requests("/token") if r["status"] == 200]

    def switch(self, **wish):
        self.ask("/switch", json.dumps(wish).encode())

    def revoke(self, token):
        self.ask("/token/revocation", urllib.parse.urlencode(dict(token=token, client_id=CLIENT)).encode())

    def dovecot(self, directory):
        path = os.path.join(directory, "oauth2.conf")
        address = urllib.parse.urlsplit(self.issuer)
        who = "%s:%s@" % tuple(urllib.parse.quote(part) for part in SERVER)
        with open(path, "w") as f:
            f.write(DOVECOT_OAUTH.format(introspection="https://%s%s/token/introspection" % (who, address.netloc),
                                         ca=self.ca_file, issuer=self.issuer))
        return DOVECOT.format(file=path)


class Form(html.parser.HTMLParser):
    """The first form of a page: where it goes, and what its fields hold."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = found.get("action", "")
        elif tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value") or ""


class Browser:
    """Follows redirects and keeps cookies; http is for the program's own listener alone."""

    def __init__(self, provider):
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=provider.context),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def get(self, url, data=None):
        try:
            with self.opener.open(url, data, timeout=20) as response:
                return response.geturl(), response.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.geturl(), error.read().decode("utf-8", "replace")

    def login(self, url, user, consent=True):
        """Logs in, agrees, and ends where there is no form of the provider's any more."""
        place, text = self.get(url)
        for _ in range(10):
            form = Form(text)
            if form.action is None:
                break
            if not consent and "login" not in form.fields:
                return self.get(urllib.parse.urljoin(place, "/interaction/%s/abort" % form.action.rpartition("/")[2]))[1]
            if "login" in form.fields:
                form.fields.update(login=user, password="open sesame")
            place, text = self.get(urllib.parse.urljoin(place, form.action), urllib.parse.urlencode(form.fields).encode())
        return text
