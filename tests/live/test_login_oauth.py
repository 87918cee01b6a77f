# SPDX-License-Identifier: MIT
"""`mailhaul login` with a real OpenID provider, and a Dovecot that asks that provider about every token."""
import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

import dovecot as dovecot_module
import mailhaul
import provider as provider_module
from daemon import await_that, running
from dovecot import Dovecot, sample
from live import contents, make_account
from provider import Browser, Provider

pytestmark = [pytest.mark.skipif(not dovecot_module.available(), reason="Dovecot is not installed"),
              pytest.mark.skipif(bool(provider_module.missing()), reason=str(provider_module.missing()))]


@pytest.fixture(scope="module")
def place():
    d = Dovecot(users=["anna"])
    with Provider(d.ca.issue("provider"), d.ca_file) as p:
        with open(d.conf, "a") as f:
            f.write(p.dovecot(d.dir))
        with d:
            d.append("anna", "INBOX", [sample(n) for n in range(3)])
            yield d, p


@pytest.fixture
def dovecot(place):
    return place[0]


@pytest.fixture
def provider(place):
    place[1].switch(access=3600, refresh=14 * 86400, fail=None)
    return place[1]


def configure(world, d, p, keys=None, protocol="imap", **more):
    settings = dict(password=None, **(keys if keys is not None else p.keys()))
    world.env["SSL_CERT_FILE"] = d.ca_file
    world.write_config(make_account(d, "anna", world.mail, protocol=protocol, **dict(settings, **more)))


class Login:
    """mailhaul login, with what it says as it says it."""

    def __init__(self, world, *args):
        self.child = world.start("login", *args, "a", stderr=subprocess.PIPE)
        self.said = ""
        self.alarm = threading.Timer(30, self.child.kill)
        self.alarm.start()

    def wait_for(self, pattern):
        while not (found := re.search(pattern, self.said, re.M)):
            line = self.child.stderr.readline().decode()
            assert line, self.said
            self.said += line
        return found

    def end(self):
        self.said += self.child.stderr.read().decode()
        self.child.stderr.close()
        self.alarm.cancel()
        return self.child.wait()


def by_browser(world, p, consent=True):
    login = Login(world)
    address = login.wait_for(r"^https://\S+/auth\?\S+$").group()
    page = Browser(p).login(address, "anna", consent)
    return login.end(), login.said, page, address


def authorize(world, p):
    code, said, _, _ = by_browser(world, p)
    assert code == 0, said


def kept(world):
    with open(world.state + "/mailhaul/a.oauth") as f:
        return json.load(f)


def rewrite(world, **changes):
    """As if time had gone by."""
    path = world.state + "/mailhaul/a.oauth"
    text = json.dumps(dict(kept(world), **changes))
    with open(path, "w") as f:
        f.write(text)


def due(world):
    now = int(time.time())
    rewrite(world, expires=now + 200, got=now - 3400)


@pytest.mark.parametrize("protocol,auth", [("imap", None), ("imap", ["xoauth2"]), ("imap", ["oauthbearer"]),
                                           ("pop3", ["xoauth2"]), ("pop3", None)])
def test_from_login_to_the_first_message(world, dovecot, provider, protocol, auth):
    configure(world, dovecot, provider, protocol=protocol, auth=auth)
    before = len(provider.grants())
    code, said, page, address = by_browser(world, provider)
    assert code == 0, said
    assert "Done" in page and "code_challenge_method=S256" in address and "redirect_uri=http%3A%2F%2Flocalhost" in address
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 3
    for _ in range(3):
        world.run("fetch", check=0)
    assert provider.grants()[before:] == ["authorization_code"]
    assert stat.S_IMODE(os.stat(world.state + "/mailhaul/a.oauth").st_mode) == 0o600


def test_by_a_code_that_is_typed_elsewhere(world, dovecot, provider):
    configure(world, dovecot, provider, provider.keys(device=True))
    login = Login(world, "--device")
    address = login.wait_for(r"https://\S+/device\?user_code=\S+").group()
    Browser(provider).login(address, "anna")
    assert login.end() == 0, login.said
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 3


def test_an_organisation_needs_nobody(world, dovecot, provider):
    configure(world, dovecot, provider, provider.organisation_keys())
    before = len(provider.grants())
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    assert provider.grants()[before:] == ["client_credentials"] and len(contents(world.mail)) == 3


def test_who_does_not_allow_it(world, dovecot, provider):
    configure(world, dovecot, provider)
    code, said, page, _ = by_browser(world, provider, consent=False)
    assert code == 77 and "access_denied" in said and "mailhaul login a" in said
    assert not os.path.exists(world.state + "/mailhaul/a.oauth")
    refused = world.run("fetch", check=77)
    assert b"mailhaul login a" in refused.err


def test_what_else_comes_to_the_listener(world, dovecot, provider):
    """A browser asks for an icon, and another program tries its luck; neither ends the wait."""
    configure(world, dovecot, provider)
    login = Login(world)
    address = login.wait_for(r"^https://\S+/auth\?\S+$").group()
    back = re.search(r"http://localhost:\d+", login.wait_for(r"comes back to (http://localhost:\d+)").group()).group()
    for path, status in (("/favicon.ico", 404), ("/?state=wrong&code=x", 400), ("/?code=x", 400), ("/", 404), ("/?state", 400)):
        with pytest.raises(urllib.error.HTTPError) as told:
            urllib.request.urlopen(back + path, timeout=10)
        assert told.value.code == status, path
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(back + "/", b"code=x", timeout=10)
    assert told.value.code == 405
    Browser(provider).login(address, "anna")
    assert login.end() == 0, login.said


def test_interrupted(world, dovecot, provider):
    configure(world, dovecot, provider)
    login = Login(world)
    login.wait_for(r"^https://\S+/auth\?\S+$")
    login.child.send_signal(signal.SIGINT)
    assert login.end() == 130
    assert not os.path.exists(world.state + "/mailhaul/a.oauth")


def test_renewed_ahead_of_its_end_and_rotated(world, dovecot, provider):
    configure(world, dovecot, provider)
    authorize(world, provider)
    first = kept(world)
    before = len(provider.grants())
    world.run("fetch", check=0)
    assert provider.grants()[before:] == []
    due(world)
    world.run("fetch", check=0)
    second = kept(world)
    assert provider.grants()[before:] == ["refresh_token"]
    assert second["refresh"] != first["refresh"] and second["access"] != first["access"]
    due(world)
    world.run("fetch", check=0)
    assert provider.grants()[before:] == ["refresh_token"] * 2


def test_a_token_of_some_minutes_is_not_renewed_at_each_pass(world, dovecot, provider):
    provider.switch(access=240)
    configure(world, dovecot, provider)
    authorize(world, provider)
    before = len(provider.grants())
    world.run("fetch", check=0)
    world.run("fetch", check=0)
    assert provider.grants()[before:] == []


def test_where_nothing_can_be_kept_nothing_is_asked_for(tmp_path, dovecot, provider):
    """The old refresh token would be spent, and the new one lost."""
    if not mailhaul.program("MAILHAUL_PLAIN"):
        pytest.skip("needs a developer build without sanitizers: set MAILHAUL_PLAIN")
    world = mailhaul.World(str(tmp_path), "MAILHAUL_PLAIN")
    configure(world, dovecot, provider)
    authorize(world, provider)
    rewrite(world, expires=int(time.time()) - 10)
    before = len(provider.requests("/token"))
    full = world.run("folders", "a", check=74, env={
        "LD_PRELOAD": mailhaul.helper("faults"), "FAULT_CALL": "fsync", "FAULT_AT": "1", "FAULT_ERRNO": "ENOSPC",
        "FAULT_PATH": world.state, "FAULT_COUNT_FILE": str(tmp_path / "count")})
    assert b"a.oauth" in full.err and len(provider.requests("/token")) == before
    world.run("fetch", check=0)


def test_two_at_once_renew_once(world, dovecot, provider):
    """Two accounts' worth of processes: a look beside a pass asks for a token, too."""
    configure(world, dovecot, provider)
    authorize(world, provider)
    due(world)
    before = len(provider.grants())
    children = [world.start("-q", "folders", "a", stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [c.wait(60) for c in children] == [0] * 4
    assert provider.grants()[before:] == ["refresh_token"]


def test_withdrawn_ahead_of_its_time(world, dovecot, provider):
    """A server that refuses a token gets a new one, once."""
    configure(world, dovecot, provider)
    authorize(world, provider)
    before = len(provider.grants())
    provider.switch(expired=True)
    world.run("fetch", check=0)
    assert provider.grants()[before:] == ["refresh_token"]
    provider.switch(expired=True)
    again = world.run("fetch", check=77)
    assert provider.grants()[before:] == ["refresh_token"] and b"refuses tokens" in again.err


def test_revoked(world, dovecot, provider):
    configure(world, dovecot, provider)
    authorize(world, provider)
    provider.revoke(kept(world)["refresh"])
    due(world)
    rewrite(world, expires=int(time.time()) - 10)
    before = len(provider.requests("/token"))
    ended = world.run("fetch", check=77)
    assert b"invalid_grant" in ended.err and b"mailhaul login a" in ended.err
    asked = len(provider.requests("/token"))
    assert asked == before + 1
    world.run("fetch", check=77)
    assert len(provider.requests("/token")) == asked
    authorize(world, provider)
    world.run("fetch", check=0)


@pytest.mark.parametrize("fail,code,words", [
    (dict(status=503, error="temporarily_unavailable"), 75, "cannot answer now"), (dict(status=429), 75, "cannot answer now"),
    (dict(status=302), 76, "no answer of OAuth"), (dict(status=400, nonsense=1), 76, "no answer of OAuth"),
    (dict(error="invalid_client", error_description="AADSTS7000222: expired \x1b[31m"), 77, "client secret has expired"),
    (dict(error="invalid_grant", error_description="AADSTS700082: inactivity"), 77, "not used for too long")])
def test_what_a_provider_may_say(world, dovecot, provider, fail, code, words):
    configure(world, dovecot, provider)
    authorize(world, provider)
    rewrite(world, expires=int(time.time()) - 10)
    refresh = kept(world)["refresh"]
    provider.switch(fail=fail)
    told = world.run("fetch", check=code)
    assert words in told.err.decode() and not mailhaul.unsafe_output(told.err)
    provider.switch(fail=None)
    assert kept(world)["refresh"] == refresh
    rewrite(world, refused=0)
    world.run("fetch", check=0)


def test_a_token_that_lives_yet_serves_while_the_provider_is_away(world, dovecot, provider):
    configure(world, dovecot, provider)
    authorize(world, provider)
    due(world)
    provider.switch(fail=dict(status=503))
    assert b"could not be renewed" in world.run("fetch", check=0).err


def test_status_says_when_somebody_has_to_log_in(world, dovecot, provider):
    def told():
        found = json.loads(world.run("--json", "status", check=0).out)["authorization"]
        return found["state"], world.run("status", check=0).out.decode(), world.run("status", "--prometheus", check=0).out.decode()
    configure(world, dovecot, provider)
    state, text, _ = told()
    assert state == "missing" and "mailhaul login a" in text
    authorize(world, provider)
    state, text, _ = told()
    assert state == "renews" and "mailhaul login" not in text
    end = int(time.time()) + 3 * 86400 - 60
    rewrite(world, refresh_expires=end)
    state, text, metrics = told()
    assert "ends in 71 h" in text or "ends in 2 d" in text, text
    assert 'mailhaul_authorization_end_timestamp_seconds{account="a"} %d\n' % end in metrics
    rewrite(world, refused=int(time.time()))
    assert told()[0] == "refused"
    rewrite(world, refused=0, refresh="", expires=int(time.time()) - 1)
    state, text, _ = told()
    assert state == "ends" and "has ended" in text


def test_another_client_id_is_another_authorization(world, dovecot, provider):
    configure(world, dovecot, provider)
    authorize(world, provider)
    configure(world, dovecot, provider, provider.keys(oauth_client_id="another"))
    assert b"mailhaul login a" in world.run("fetch", check=77).err


def test_the_daemon_waits_for_a_login(world, dovecot, provider):
    configure(world, dovecot, provider, interval=1)
    with running(world) as daemon:
        daemon.wait_for("refused twice")
        authorize(world, provider)
        daemon.wait_for("waiting for new mail")
        await_that(lambda: os.path.isdir(world.mail) and len(contents(world.mail)) == 3, daemon)


def test_no_token_anywhere(world, dovecot, provider):
    """Neither in what is said, nor in the state but where it belongs."""
    configure(world, dovecot, provider)
    authorize(world, provider)
    first = kept(world)
    due(world)
    said = world.run("-vv", "fetch", check=0)
    provider.switch(expired=True)
    said2 = world.run("-vv", "check", "--connect")
    status = world.run("--json", "status")
    secrets = [t for k in (first, kept(world)) for t in (k["access"], k["refresh"])]
    for text in (said.err, said.out, said2.err, said2.out, status.out):
        assert not [s for s in secrets if s.encode() in text]
    for root, _, files in os.walk(world.state):
        for name in files:
            with open(os.path.join(root, name), "rb") as f:
                data = f.read()
            assert name == "a.oauth" or not [s for s in secrets if s.encode() in data], name


def test_an_account_without(world, dovecot, provider):
    world.write_config(make_account(dovecot, "anna", world.mail))
    assert b"oauth_client_id" in world.run("login", "a", check=78).err
    world.run("login", check=64)
