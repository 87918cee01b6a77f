# SPDX-License-Identifier: MIT
"""The configuration: what is refused, and that each refusal names file, line and key. No server is needed for these."""
import os

import pytest

GOOD = """
account "a" {
    protocol = "imap"
    host = "imap.example.org"
    user = "me"
    password = "x"
    deliver maildir { path = "~/Mail" }
}
"""


def broken(line, outside=""):
    return outside + GOOD.replace('    user = "me"', '    user = "me"\n    ' + line)


def test_good(world):
    world.write_config(GOOD)
    result = world.run("check", check=0)
    assert result.out == b"" and result.err.startswith(b"configuration ok: 1 account")
    assert world.run("check", "-q", check=0).err == b""


CASES = [
    ("hots = 'x'", ["hots", "host"]),
    ("protocol = 'imap5'", ["protocol", "imap5"]),
    ("port = 99999", ["port"]),
    ("port = 'x'", ["port"]),
    ("tls = 'maybe'", ["tls", "maybe"]),
    ("leave_on_server = 'sometimes'", ["leave_on_server"]),
    ("leave_on_server = '30x'", ["leave_on_server"]),
    ("timeout = 0", ["timeout"]),
    ("timeout = -5", ["timeout"]),
    ("max_size = -1", ["max_size"]),
    ("enabled = 'perhaps'", ["enabled"]),
    ("address_family = 'ipx'", ["address_family"]),
    ("tls_min_version = '1.0'", ["tls_min_version"]),
    ("tls_fingerprint = { 'md5:00' }", ["tls_fingerprint"]),
    ("proxy = 'http://x:1'", ["proxy"]),
    ("mode = 'mirror'", ["mode"]),
]


@pytest.mark.parametrize("line,words", CASES, ids=[c[0].split(" =")[0] + str(n) for n, c in enumerate(CASES)])
def test_wrong_value(world, line, words):
    text = GOOD if "protocol" in line else GOOD
    text = text.replace('    protocol = "imap"\n', "    " + line + "\n" if "protocol" in line else '    protocol = "imap"\n')
    if "protocol" not in line:
        text = broken(line)
    world.write_config(text)
    result = world.run("check", check=78)
    said = result.err.decode()
    number = next(n for n, content in enumerate(text.split("\n"), 1) if line in content)
    assert world.config in said and (":%d" % number in said or "line %d" % number in said), said
    for word in words:
        assert word in said
    assert world.run("fetch").code == 78


NOT_YET = ["mode = 'sync'", "mode = 'backup'"]


@pytest.mark.parametrize("line", NOT_YET, ids=[line.split("{")[0].split("=")[0].strip() for line in NOT_YET])
def test_not_yet(world, line):
    world.write_config(broken(line))
    said = world.run("check", check=78).err.decode()
    assert "not yet" in said and world.config in said


DESTINATIONS = [
    ("deliver smtp { host = 'localhost' to = 'me@localhost' }", None),
    ("deliver mta { type = 'smtp' host = 'mx.example.org' to = { 'a@b', 'c@d' } user = 'u' password = 'p' from = 'e@f' }", None),
    ("deliver lmtp { socket = '/x' to_header = 'Delivered-To' to_domains = 'b' to_strip_prefix = 'a-' to_fallback = 'a@b' }", None),
    ("deliver imap { host = 'x' user = 'u' netrc = '/n' folder_prefix = 'Old' }", None),
    ("deliver command { command = { 'cat' } newline = 'crlf' time_limit = 5 max_parallel = 1 on_reject = 'drop' }", None),
    ("deliver smtp { host = 'localhost' }", "to is missing"),
    ("deliver smtp { to = 'a@b' }", "host is missing"),
    ("deliver imap { host = 'x' }", "user is missing"),
    ("deliver command { path = '/x' }", "path"),
    ("deliver lmtp { socket = '/x' to = 'a' to_header = 'X' }", "to_fallback"),
    ("deliver smtp { host = 'x' to = 'a' to_header = 'Cc' }", "Cc"),
]


@pytest.mark.parametrize("line,said", DESTINATIONS, ids=[line for line, _ in DESTINATIONS])
def test_destinations(world, line, said):
    world.write_config(broken(line))
    result = world.run("check", check=0 if said is None else 78)
    if said is not None:
        assert said in result.err.decode() and world.config in result.err.decode()


def test_nearest_key(world):
    for wrong, right in (("pass_word = 'x'", "password"), ("leave_on_sever = 'no'", "leave_on_server"), ("folder = { 'x' }", "folders")):
        world.write_config(broken(wrong))
        said = world.run("check", check=78).err.decode()
        assert right in said, said


def test_unknown_global_and_deliver_keys(world):
    world.write_config(GOOD + "\nmax_session = 3\n")
    assert "max_sessions" in world.run("check", check=78).err.decode()
    world.write_config(GOOD.replace("path =", "layuot = 'fs' path ="))
    assert "layout" in world.run("check", check=78).err.decode()


def test_syntax_error(world):
    world.write_config(GOOD + "\naccount {{{\n")
    said = world.run("check", check=78).err.decode()
    assert world.config in said


def test_missing_file(world):
    said = world.run("check", check=78).err.decode()
    assert "mailhaul.conf" in said
    said = world.run("-c", "/nonexistent/x.conf", "check", check=78).err.decode()
    assert "/nonexistent/x.conf" in said


def test_missing_keys(world):
    for key in ('    host = "imap.example.org"\n', '    user = "me"\n', '    deliver maildir { path = "~/Mail" }\n'):
        world.write_config(GOOD.replace(key, ""))
        said = world.run("check", check=78).err.decode()
        assert key.split()[0] in said and '"a"' in said or "a" in said


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_too_open(world, mode):
    """A file with a password in it must not be readable by others; one without may be."""
    world.write_config(GOOD, mode=mode)
    said = world.run("check", check=78).err.decode()
    assert world.config in said
    world.write_config(GOOD.replace('    password = "x"\n', '    password_command = { "true" }\n'), mode=0o644)
    world.run("check", check=0)


def test_foreign_owner(world):
    if os.getuid() != 0:
        pytest.skip("giving a file away needs root")
    world.write_config(GOOD)
    os.chown(world.config, 12345, 12345)
    assert world.run("check").code == 78


def test_repeated_account(world):
    world.write_config(GOOD + GOOD)
    said = world.run("check", check=78).err.decode()
    assert '"a"' in said or " a" in said


def test_repeated_deliver(world):
    world.write_config(GOOD.replace("    deliver maildir", "    deliver maildir { path = '/x' }\n    deliver maildir"))
    world.run("check", check=78)


def test_accounts_d(world):
    world.write_config(GOOD)
    other = os.path.dirname(world.config) + "/accounts.d/b.conf"
    world.write_config(GOOD.replace('"a"', '"b"').replace("~/Mail", "~/Mail-b"), path=other)
    world.write_config("this is not read", path=os.path.dirname(other) + "/README")
    world.run("check", "b", check=0)
    world.write_config(broken("hots = 'x'").replace('"a"', '"b"'), path=other)
    assert other in world.run("check", check=78).err.decode()
    world.write_config(GOOD, path=other)
    assert world.run("check").code == 78, "the same account in two files"


def test_defaults(world):
    world.write_config("defaults {\n  protocol = 'pop3'\n  host = 'x'\n  user = 'u'\n  password_command = { 'false' }\n"
                       "  deliver maildir { path = '~/Mail/%a' }\n}\naccount 'a' { }\naccount 'b' { password = 'p' user = 'v' }\n")
    world.run("check", check=0)


def test_environment(world):
    world.write_config(GOOD.replace('"me"', '"${MAIL_USER}"'))
    world.run("check", check=0, env={"MAIL_USER": "someone"})
    said = world.run("check", check=78).err.decode()
    assert "MAIL_USER" in said
    world.write_config(GOOD.replace('"me"', "'${MAIL_USER}'"))
    world.run("check", check=0)


def test_c_option_before_and_after(world):
    path = world.write_config(GOOD, path=world.home + "/other.conf")
    world.run("-c", path, "check", check=0)
    world.run("check", "-c", path, check=0)
    world.run("check", "--config", path, check=0)
    world.run("check", "--config=" + path, check=0)


def test_nothing_is_contacted_when_the_configuration_is_wrong(world):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        good = GOOD.replace('"imap.example.org"', "'127.0.0.1'\n port = %d" % port)
        world.write_config(good + broken("hots = 'x'").replace('"a"', '"b"'))
        world.run("fetch", "a", check=78)
        with pytest.raises(TimeoutError):
            listener.accept()
