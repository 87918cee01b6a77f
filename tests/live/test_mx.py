# SPDX-License-Identifier: MIT
"""Mail handed to servers that the DNS tells: MX, DANE (RFC 7672) and MTA-STS (RFC 8461), in a network of its own."""
import os
import socket

import pytest

import certs
import island
import mailhaul
from dns import zone

MAIL = b"From: a@example.net\r\nTo: me@example.org\r\nSubject: one\r\n\r\nHello\r\n"
NAMES = ["DNS:mx%d.example.org" % n for n in (1, 2, 3)]
MX1, MX2, MX3 = "127.0.0.2", "127.0.0.3", "127.0.0.4"
HOSTS = [("mx1.example.org", "A", MX1), ("mx2.example.org", "A", MX2), ("mx3.example.org", "A", MX3)]
ONE = [("example.org", "MX", "10 mx1.example.org")] + HOSTS
TWO = ONE + [("example.org", "MX", "20 mx2.example.org")]
DOMAIN = "domain = 'example.org'"
HOST = "host = 'mx1.example.org'"


@pytest.fixture(scope="module")
def place():
    if not island.available():
        pytest.skip("no user, network and mount namespaces here (unshare)")
    with island.Island() as i:
        yield i


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certs.Authority(str(tmp_path_factory.mktemp("ca")))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return certs.self_signed(str(tmp_path_factory.mktemp("stranger")), "stranger", names=["DNS:elsewhere.example"])


@pytest.fixture(scope="module")
def good(authority):
    return authority.issue("good", names=NAMES)


@pytest.fixture(scope="module")
def other(authority):
    return authority.issue("other", names=["DNS:elsewhere.example"])


class Case:
    def __init__(self, place, world, authority):
        self.place, self.world = place, world
        world.env["SSL_CERT_FILE"] = authority.file
        place.reset()
        place.mailbox([MAIL])

    def smtp(self, address, pair, **options):
        self.place.smtp(address, cert=pair.cert, key=pair.key, **options)

    def run(self, deliver, check, *arguments):
        self.world.write_config(mailhaul.account("a", protocol="pop3", tls="plaintext", host="127.0.0.1", user="u", password="p",
                                                 timeout=5).rstrip().rstrip("}") +
                                "    deliver smtp { %s to = 'me@example.org' }\n}\n" % deliver)
        self.said = self.world.run(*(arguments or ("fetch",)), check=check, wrap=self.place.wrap).err.decode()
        seen = self.place.seen()
        self.asked, self.connections, self.https = seen["asked"], seen["smtp"], seen["https"]
        self.taken_by = [c["address"] for c in self.connections for _ in c["messages"]]
        for c in self.connections:
            assert c["tls"] or not [x for x in c["commands"] if x[:4] in ("MAIL", "RCPT", "DATA", "AUTH")], c
        return self.said


@pytest.fixture
def case(place, world, authority):
    return Case(place, world, authority)


def tlsa(pair, name="_25._tcp.mx1.example.org", usage=3):
    return (name, "TLSA", "%d 1 1 %s" % (usage, certs.spki_fingerprint(pair.cert)))


# --- MX ---


def test_the_mail_server_of_a_domain(case, good):
    case.place.zone(zone(ONE, validating=False))
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and case.connections[0]["sni"] == "mx1.example.org"
    assert "TLSA" not in " ".join(case.asked)


def test_order_and_fall_over(case, good):
    case.place.zone(zone([("example.org", "MX", "5 mx3.example.org"), ("example.org", "MX", "1 mx0.example.org")] + TWO))
    case.smtp(MX3, good, greeting="421 busy")
    case.smtp(MX2, good)  # nobody listens on mx1, and mx0 has no address
    case.run(DOMAIN, 0, "fetch", "-v")
    assert [c["address"] for c in case.connections] == [MX3, MX2] and case.taken_by == [MX2]
    assert case.said.index("mx0.example.org") < case.said.index("mx3.example.org") < case.said.index("mx1.example.org")


def test_all_are_down(case):
    case.place.zone(zone(TWO))
    case.run(DOMAIN, 75)
    assert "mx1.example.org port 25" in case.said


def test_equal_ones_take_turns(case, good):
    case.place.zone(zone([("example.org", "MX", "10 mx%d.example.org" % n) for n in (1, 2)] + HOSTS))
    case.smtp(MX1, good), case.smtp(MX2, good)
    for n in range(30):  # a fair coin falls alike so often once in a thousand million times
        case.run(DOMAIN, 0, "check", "--connect")
        if len({c["address"] for c in case.connections}) == 2:
            return
    raise AssertionError(case.connections)


def test_no_mx_is_the_host_of_that_name(case, authority):
    case.place.zone(zone([("example.org", "A", MX1)]))
    case.smtp(MX1, authority.issue("domain", names=["DNS:example.org"]))
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1]


def test_null_mx(case):
    case.place.zone(zone([("example.org", "MX", "0 ."), ("example.org", "A", MX1)]))
    case.run(DOMAIN, 76)
    assert "example.org takes no mail" in case.said


def test_no_such_domain(case):
    case.place.zone(zone([("example.net", "A", MX1)]))
    case.run(DOMAIN, 75)
    assert "example.org does not exist" in case.said


def test_no_answer(case):
    case.place.zone(zone(ONE, failing=["example.org"]))
    case.run(DOMAIN, 75)
    assert "example.org" in case.said


def test_a_truncated_answer_is_asked_for_by_tcp(case, good):
    case.place.zone(zone([("example.org", "MX", "%d x%d.example.org" % (n + 100, n)) for n in range(60)] + ONE))
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and "example.org MX tcp" in case.asked


def test_further_connections_go_to_the_same_server(case, good):
    case.place.zone(zone([("example.org", "MX", "10 mx%d.example.org" % n) for n in (1, 2, 3)] + HOSTS, validating=False))
    for address in (MX1, MX2, MX3):
        case.smtp(address, good, delay=0.01)
    case.place.mailbox_again([MAIL.replace(b"one", b"%d" % n) for n in range(60)])
    case.run(DOMAIN, 0)
    assert len(case.taken_by) == 60 and len(set(case.taken_by)) == 1 and len(case.connections) > 1


def test_a_domain_outside_ascii(case, authority):
    case.place.zone(zone([("xn--bcher-kva.example", "MX", "1 mx1.example.org")] + HOSTS, validating=False))
    case.smtp(MX1, authority.issue("idn", names=["DNS:mx1.example.org"]))
    case.run("domain = 'b\u00fccher.example'", 0)
    assert case.taken_by == [MX1]


def test_stripped_starttls(case, good):
    case.place.zone(zone(ONE, validating=False))
    case.smtp(MX1, good, starttls=False)
    case.run(DOMAIN, 69)
    assert "does not offer STARTTLS" in case.said


@pytest.mark.parametrize("wrong", ["other", "stranger"])
def test_wrong_certificate(case, request, wrong):
    case.place.zone(zone(ONE, validating=False))
    case.smtp(MX1, request.getfixturevalue(wrong))
    case.run(DOMAIN, 69)


def test_security_is_what_the_pass_tells_of(case, good, other):
    case.place.zone(zone([("example.org", "MX", "15 mx3.example.org")] + TWO, validating=False))
    case.smtp(MX3, other)  # mx1 and mx2 are down
    case.run(DOMAIN, 69)


def test_check_says_which(case, good):
    case.place.zone(zone(TWO, validating=False))
    case.smtp(MX2, good)
    case.run(DOMAIN, 0, "check", "--connect")
    assert "mx2.example.org" in case.said and "by its certificate alone" in case.said
    assert not case.taken_by


# --- DANE ---


@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
def test_dane(case, stranger, deliver):
    case.place.zone(zone(ONE + [tlsa(stranger)]))
    case.smtp(MX1, stranger)
    case.run(deliver, 0)
    assert case.taken_by == [MX1] and case.connections[0]["sni"] == "mx1.example.org"
    case.run(deliver, 0, "check", "--connect")
    assert "by DANE" in case.said


@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
def test_dane_mismatch(case, good, stranger, deliver):
    case.place.zone(zone(ONE + [tlsa(stranger)]))
    case.smtp(MX1, good)
    case.run(deliver, 69)


@pytest.mark.skipif(not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here")
@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
def test_dane_with_ipv6_alone(case, stranger, deliver):
    case.place.resolv_conf("nameserver ::1\noptions timeout:1 attempts:1\n")
    case.place.zone(zone([("example.org", "MX", "10 mx1.example.org"), ("mx1.example.org", "AAAA", "::1"), tlsa(stranger)]))
    case.smtp("::1", stranger)
    case.run(deliver, 0)
    assert case.taken_by == ["::1"]


def test_dane_of_one_server_among_two(case, good, stranger):
    case.place.zone(zone(TWO + [tlsa(stranger)]))
    case.smtp(MX1, good)
    case.smtp(MX2, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX2] and "mx1.example.org" in case.said


@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
def test_stripped_starttls_under_dane(case, stranger, deliver):
    case.place.zone(zone(ONE + [tlsa(stranger)]))
    case.smtp(MX1, stranger, starttls=False)
    case.run(deliver, 69)


def with_issuer(case, pair, authority):
    chain = os.path.join(case.world.dir, "chain")
    with open(chain, "w") as f:
        for part in (pair.cert, authority.file):
            with open(part) as p:
                f.write(p.read())
    return certs.Pair(chain, pair.key)


def test_dane_by_issuer(case, authority, good):
    case.place.zone(zone(ONE + [("_25._tcp.mx1.example.org", "TLSA", "2 0 1 " + certs.fingerprint(authority.file))]))
    case.world.env["SSL_CERT_FILE"] = "/dev/null"
    case.smtp(MX1, with_issuer(case, good, authority))
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1]


@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
@pytest.mark.parametrize("insecure", ["_tcp.mx1.example.org", "mx1.example.org", "example.org"])
def test_insecure_tlsa_is_ignored(case, good, stranger, deliver, insecure):
    case.place.zone(zone(ONE + [tlsa(stranger)], insecure=[insecure]))
    case.smtp(MX1, good)
    case.run(deliver, 0)
    assert case.taken_by == [MX1]


def test_nobody_asks_for_tlsa_where_the_address_is_not_signed(case, good):
    """There are name servers that answer such a question with a failure (RFC 7672 section 2.2.2)."""
    case.place.zone(zone(ONE, insecure=["mx1.example.org"], failing=["_tcp.mx1.example.org"]))
    case.smtp(MX1, good)
    case.run(HOST, 0)
    assert case.taken_by == [MX1]


def test_insecure_mx_makes_its_tlsa_worth_nothing(case, good, stranger):
    case.place.zone(zone([("example.org", "MX", "10 mx1.example.net"), ("mx1.example.net", "A", MX1),
                          tlsa(stranger, "_25._tcp.mx1.example.net")], insecure=["example.org"]))
    case.smtp(MX1, stranger)
    case.run(DOMAIN, 69)


def test_a_resolver_elsewhere_is_not_believed(case, good, stranger):
    case.place.zone(zone(ONE + [tlsa(stranger)]))
    case.place.resolv_conf("nameserver 127.0.0.1\nnameserver 192.0.2.1\noptions timeout:1 attempts:1\n")
    case.smtp(MX1, good)
    case.run(HOST, 0)
    assert "TLSA" not in " ".join(case.asked)
    case.place.resolv_conf("nameserver 127.0.0.1\nnameserver 192.0.2.1\noptions timeout:1 attempts:1 trust-ad\n")
    case.run(HOST, 69, "check", "--connect")
    assert "TLSA" in " ".join(case.asked)


@pytest.mark.parametrize("what", ["_tcp.mx1.example.org", "mx1.example.org"])
@pytest.mark.parametrize("deliver", [DOMAIN, HOST])
def test_bogus_puts_off(case, good, deliver, what):
    case.place.zone(zone(ONE + [tlsa(good)], failing=[what]))
    case.smtp(MX1, good)
    case.run(deliver, 75)
    assert not case.connections


def test_a_host_that_only_this_machine_knows(case, good):
    case.place.resolv_conf("nameserver 127.0.0.77\noptions timeout:1 attempts:1\n")  # nobody listens there
    case.place.hosts(MX1 + " mx1.example.org\n")
    case.smtp(MX1, good)
    case.run(HOST, 0)
    assert case.taken_by == [MX1]


def test_silence_puts_off(case, good):
    case.place.zone(zone(ONE + [tlsa(good)], silent=["_tcp.mx1.example.org"]))
    case.smtp(MX1, good)
    case.run(HOST, 75)
    assert not case.connections


def test_dane_by_issuer_of_the_domain(case, authority):
    """A certificate for the domain, not for its mail server: RFC 7672 section 3.2.2."""
    pair = authority.issue("whole", names=["DNS:example.org"])
    case.place.zone(zone(ONE + [("_25._tcp.mx1.example.org", "TLSA", "2 0 1 " + certs.fingerprint(authority.file))]))
    case.smtp(MX1, with_issuer(case, pair, authority))
    case.run(DOMAIN, 0)
    case.run(HOST, 69, "check", "--connect")


def test_unusable_tlsa_counts_as_none(case, good):
    case.place.zone(zone(ONE + [tlsa(good, usage=1), ("_25._tcp.mx1.example.org", "TLSA", "3 1 1 aabb"),
                                ("_25._tcp.mx1.example.org", "TLSA", "3 1 9 " + 32 * "aa")]))
    case.smtp(MX1, good)
    case.run(HOST, 0)
    assert case.taken_by == [MX1] and "none of its TLSA records can be used" in case.said


def test_tlsa_that_holds_no_certificate(case, good):
    case.place.zone(zone(ONE + [("_25._tcp.mx1.example.org", "TLSA", "2 0 0 aabb")]))
    case.smtp(MX1, good)
    case.run(HOST, 69)
    assert "none of its TLSA records can be used" in case.said


def test_one_good_record_of_several(case, good, stranger):
    case.place.zone(zone(ONE + [tlsa(good), tlsa(stranger)]))
    case.smtp(MX1, stranger)
    case.run(HOST, 0)


def test_an_alias(case, stranger):
    alias = [("mail.example.org", "CNAME", "mx1.example.org")] + HOSTS
    case.place.zone(zone(alias + [tlsa(stranger)]))
    case.smtp(MX1, stranger)
    case.run("host = 'mail.example.org'", 0)
    assert case.connections[0]["sni"] == "mx1.example.org"


def test_an_alias_that_leads_out_of_what_is_signed(case, stranger):
    case.place.zone(zone([("mail.example.org", "CNAME", "box.example.net"), ("box.example.net", "A", MX1),
                          tlsa(stranger, "_25._tcp.mail.example.org")], insecure=["example.net"]))
    case.smtp(MX1, stranger)
    case.run("host = 'mail.example.org'", 0)
    assert case.connections[0]["sni"] == "mail.example.org"


def test_implicit_tls(case, stranger):
    case.place.zone(zone(ONE + [tlsa(stranger, "_465._tcp.mx1.example.org")]))
    case.smtp(MX1, stranger, port=465, implicit=True)
    case.run(HOST + " tls = implicit", 0)
    assert case.taken_by == [MX1]


@pytest.mark.parametrize("key", ["trust_file", "fingerprint"])
def test_what_is_written_wins(case, good, stranger, authority, key):
    case.place.zone(zone(ONE + [tlsa(stranger)]))
    case.smtp(MX1, good)
    written = {"trust_file": authority.file, "fingerprint": "sha256:" + certs.fingerprint(good.cert)}[key]
    case.run(HOST + " tls_%s = '%s'" % (key, written), 0)
    assert case.taken_by == [MX1] and "TLSA" not in " ".join(case.asked)


# --- MTA-STS ---

POLICY = "127.0.0.9"
PATH = "/.well-known/mta-sts.txt"
STS = TWO + [("mta-sts.example.org", "A", POLICY), ("_mta-sts.example.org", "TXT", "v=STSv1; id=one;")]
ENFORCE = "version: STSv1\r\nmode: enforce\r\nmx: %s\r\nmax_age: 604800\r\n"


@pytest.fixture
def sts(case, authority):
    """sts(policy, ...) publishes it."""
    pair = authority.issue("policy", names=["DNS:mta-sts.example.org"])

    def publish(policy, **options):
        case.place.https(POLICY, {PATH: policy} if policy else {}, cert=options.pop("cert", pair.cert),
                         key=options.pop("key", pair.key), **options)
    case.place.zone(zone(STS, validating=False))
    return publish


def kept(case):
    """The file in which the policy is kept."""
    return os.path.join(case.world.state, "mailhaul", "a:smtp.mta-sts")


def change_kept(case, before, after):
    with open(kept(case)) as f:
        text = f.read()
    assert before in text, text
    with open(kept(case), "w") as f:
        f.write(text.replace(before, after))


def fetched(case):
    return len([h for h in case.https if h["path"] == PATH])


def test_policy(case, sts, good):
    sts(ENFORCE % "*.example.org")
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and fetched(case) == 1 and case.https[0]["sni"] == "mta-sts.example.org"
    assert os.stat(kept(case)).st_mode & 0o777 == 0o600
    case.run(DOMAIN, 0, "check", "--connect")
    assert "by MTA-STS" in case.said and fetched(case) == 1, "it was kept"


def test_policy_does_not_name_the_server(case, sts, good):
    sts(ENFORCE % "mx2.example.org")
    case.smtp(MX1, good), case.smtp(MX2, good)
    case.run(DOMAIN, 0)
    assert [c["address"] for c in case.connections] == [MX2] and case.taken_by == [MX2]
    assert "mx1.example.org is not a mail server of example.org" in case.said


def test_policy_names_no_server(case, sts, good):
    sts(ENFORCE % "*.example.net")
    case.smtp(MX1, good), case.smtp(MX2, good)
    case.run(DOMAIN, 69)
    assert not case.connections


def test_stripped_starttls_under_a_policy(case, sts, good):
    sts(ENFORCE % "*.example.org")
    case.smtp(MX1, good, starttls=False)
    case.run(DOMAIN, 69)


def test_wrong_certificate_under_a_policy(case, sts, other):
    sts(ENFORCE % "*.example.org")
    case.smtp(MX1, other)
    case.run(DOMAIN, 69)


def test_mode_testing_is_told_and_goes_on(case, sts, good):
    sts((ENFORCE % "*.example.net").replace("enforce", "testing"))
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and "mode testing" in case.said


def test_mode_none(case, sts, good):
    sts("version: STSv1\nmode: none\nmax_age: 86400\n")
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and not case.said


@pytest.mark.parametrize("how", ["status", "type", "redirect", "rubbish", "certificate", "too long", "nobody"])
def test_a_policy_that_cannot_be_had_is_none(case, sts, good, other, how):
    policy = ENFORCE % "*.example.net"
    if how == "status":
        sts(None)
    elif how == "type":
        sts(policy, type="text/html")
    elif how == "redirect":
        sts(policy, status=302, location="https://mta-sts.example.org" + PATH)
    elif how == "rubbish":
        sts("<html>")
    elif how == "certificate":
        sts(policy, cert=other.cert, key=other.key)
    elif how == "too long":
        sts(policy + "mx: a.example.org\r\n" * 4000)
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and "none is in force" in case.said and not os.path.exists(kept(case))
    assert len(case.https) <= 1


def forget_servers(case, good):
    """The same network, without the policy's server."""
    case.place.reset()
    case.place.mailbox([MAIL])
    case.smtp(MX1, good), case.smtp(MX2, good)


@pytest.mark.parametrize("how", ["record", "server", "both"])
def test_a_policy_that_is_gone_stays_in_force(case, sts, good, how):
    sts(ENFORCE % "mx2.example.org")
    case.smtp(MX2, good)
    case.run(DOMAIN, 0)
    forget_servers(case, good)
    records = [r for r in STS if how == "server" or r[1] != "TXT"]
    case.place.zone(zone(records if how == "server" else [r for r in records if how == "record" or r[0] != "mta-sts.example.org"],
                         validating=False))
    case.run(DOMAIN, 0, "check", "--connect")
    assert [c["address"] for c in case.connections] == [MX2] and "by MTA-STS" in case.said


def test_it_ends_with_its_age(case, sts, good):
    sts(ENFORCE % "mx2.example.org")
    case.smtp(MX2, good)
    case.run(DOMAIN, 0)
    forget_servers(case, good)
    case.place.zone(zone(STS, validating=False))
    change_kept(case, "max_age: 604800", "max_age: 0")
    case.run(DOMAIN, 0, "check", "--connect")
    assert [c["address"] for c in case.connections] == [MX1] and "none is in force" in case.said


def test_another_id(case, sts, good):
    sts(ENFORCE % "mx2.example.org")
    case.smtp(MX2, good)
    case.run(DOMAIN, 0)
    forget_servers(case, good)
    sts(ENFORCE % "mx1.example.org")
    case.place.zone(zone(STS, validating=False))
    case.run(DOMAIN, 0, "check", "--connect")
    assert [c["address"] for c in case.connections] == [MX2] and fetched(case) == 0, "the same id: the policy that is kept"
    case.place.zone(zone([r for r in STS if r[1] != "TXT"] + [("_mta-sts.example.org", "TXT", ["v=STSv1; ", "id=two"])],
                         validating=False))
    case.run(DOMAIN, 0, "check", "--connect")
    assert [c["address"] for c in case.connections] == [MX2, MX1] and fetched(case) == 1
    with open(kept(case)) as f:
        assert "kept-id: one" in f.read(), "check changes nothing"
    case.place.mailbox_again([MAIL, MAIL.replace(b"one", b"two")])
    case.run(DOMAIN, 0)
    case.run(DOMAIN, 0, "check", "--connect")
    assert fetched(case) == 2 and case.taken_by == [MX1]


def test_it_is_looked_at_again_after_a_day(case, sts, good):
    sts(ENFORCE % "*.example.org")
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    with open(kept(case)) as f:
        since = f.read().split("kept-since: ")[1].split("\n")[0]
    change_kept(case, since, str(int(since) - 90000))
    case.run(DOMAIN, 0, "check", "--connect")
    assert fetched(case) == 2


@pytest.mark.parametrize("records", [["v=STSv1; id=a", "v=STSv1; id=b"], ["v=STSv1"], ["v=spf1 -all"]])
def test_a_record_that_is_none(case, sts, good, records):
    sts(ENFORCE % "*.example.net")
    case.place.zone(zone([r for r in STS if r[1] != "TXT"] + [("_mta-sts.example.org", "TXT", r) for r in records],
                         validating=False))
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and fetched(case) == 0


def test_dane_comes_before_mta_sts(case, sts, stranger):
    sts(ENFORCE % "*.example.net")
    case.place.zone(zone(STS + [tlsa(stranger)]))
    case.smtp(MX1, stranger)
    case.run(DOMAIN, 0)
    assert case.taken_by == [MX1] and fetched(case) == 0


def test_what_is_kept_of_another_domain_is_nothing(case, sts, good):
    sts(ENFORCE % "*.example.org")
    case.smtp(MX1, good)
    case.run(DOMAIN, 0)
    change_kept(case, "kept-domain: example.org", "kept-domain: example.net")
    case.run(DOMAIN, 0, "check", "--connect")
    assert fetched(case) == 2
