# SPDX-License-Identifier: MIT
"""The command line: which words are taken, in which order, and what the others are told. Needs no server."""
import json
import os
import resource
import socket
import subprocess

import pytest

import mailhaul


@pytest.fixture
def idle(world):
    """Two accounts whose server refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    world.write_config("""
        defaults { host = "127.0.0.1" port = %d tls = "plaintext" user = "me" password = "x" timeout = 2
                   deliver maildir { path = "%s/%%a" } }
        account "work" { }
        account "home" { enabled = no }
    """ % (port, world.mail))
    return world


REFUSED = [
    (["fech"], 64, "fetch"), (["wrok"], 64, "work"), (["fetch", "wrok"], 64, "work"), (["work", "check"], 64, "mailhaul check"),
    (["frobnicate"], 64, "frobnicate"),
    (["--conect", "check"], 64, "--connect"), (["-x"], 64, "-x"), (["--json=yes"], 64, "--json"), (["-c"], 64, "-c"),
    (["check", "--oversize"], 64, "--oversize"), (["fetch", "--adopt"], 64, "--adopt"), (["folders"], 64, "folders ACCOUNT"),
    (["folders", "work", "home"], 64, "folders ACCOUNT"), (["quarantine"], 64, "list|retry|drop"),
    (["quarantine", "lst"], 64, "list"), (["status", "wrok"], 64, "work"), (["fetch", "--watch"], 64, "--watch"),
    (["status", "--prometheus", "--json"], 64, "--json"), (["stop", "work"], 64, "mailhaul stop"), (["login", "--device", "work", "home"], 64, "mailhaul login"),
    (["setup", "me@example.org"], 78, "not yet"), (["reload"], 75, "no daemon"),
]


@pytest.mark.parametrize("words,code,said", REFUSED, ids=[" ".join(r[0]) for r in REFUSED])
def test_refused(idle, words, code, said):
    result = idle.run(*words, check=code)
    assert said in result.err.decode() and result.out == b""
    assert not os.path.exists(idle.mail)


def test_a_mistyped_command_without_any_configuration(world):
    assert b"fetch" in world.run("fech", check=64).err
    world.run("fetch", check=78)
    world.run(check=78)


@pytest.mark.parametrize("words", [["-c", "FILE", "check"], ["check", "-c", "FILE"], ["check", "--config=FILE"],
                                   ["--config", "FILE", "check", "work"], ["check", "work", "-qc", "FILE"]], ids=" ".join)
def test_options_before_and_behind(idle, words):
    other = idle.write_config(open(idle.config).read().replace('"work"', '"work" { } account "other"'),
                              idle.home + "/other.conf")
    result = idle.run(*[w.replace("FILE", other) for w in words], check=0)
    assert result.out == b"" and (result.err == b"") == ("-qc" in words)
    assert result.err == b"" or b"configuration ok" in result.err
    idle.run("check", "other", check=64)
    idle.run("check", "-c", other, "other", check=0)


def test_fetch_is_the_default_and_names_are_accounts(idle):
    for words in ([], ["work"], ["fetch"], ["fetch", "work"], ["fetch", "work", "work"], ["--", "work"]):
        said = idle.run(*words, check=75).err.decode()
        assert said.count("\n") == 1 and "work" in said and "home" not in said, said
    said = idle.run("fetch", "home", check=75).err.decode()
    assert "home" in said and "work" not in said, "an account that is not enabled is fetched when it is named"


def test_status(idle):
    text = idle.run("status", check=0).out.decode()
    assert "work" in text and "home" in text and "never" in text
    idle.run("fetch", check=75)
    work, home = [json.loads(line) for line in idle.run("--json", "status", check=0).out.decode().splitlines()]
    assert work["account"] == "work" and work["result"] == "network" and work["exit_status"] == 75
    assert work["failures"] == 1 and work["error"] and work["last_success"] is None and work["enabled"]
    assert home["account"] == "home" and home["result"] == "never" and home["error"] is None and not home["enabled"]
    only = idle.run("status", "--json", "home", check=0).out.decode().splitlines()
    assert [json.loads(line)["account"] for line in only] == ["home"]


def test_status_makes_nothing(idle):
    for words in (["status"], ["check"], ["quarantine", "list"], ["-n", "fetch"], ["-n", "check", "--adopt"],
                  ["-n", "quarantine", "drop"], ["check", "--connect"]):
        idle.run(*words)
        assert not os.path.exists(idle.mail), words
        assert not os.path.exists(idle.home + "/.local"), words


def test_check_says_on_a_terminal_that_all_is_well(idle):
    code, seen = idle.run_pty("check")
    assert code == 0 and b"configuration ok: 2 accounts" in seen
    code, seen = idle.run_pty("check", "-q")
    assert code == 0 and seen == b""


def test_json_of_a_failed_check(idle):
    line = json.loads(idle.run("check", "--connect", "--json", check=75).out.decode())
    assert line["account"] == "work" and line["result"] == "network" and line["exit_status"] == 75


def test_help_and_version_need_no_configuration(world):
    for words in (["--help"], ["-h", "fetch"], ["daemon", "--help"], ["-V"], ["fetch", "--version"]):
        result = world.run(*words, check=0)
        assert result.out.startswith(b"mailhaul ") and result.err == b""


def test_standard_output_that_cannot_be_written(world):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([mailhaul.program(), "--help"], env=world.env, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 74 and b"standard output" in done.stderr


def test_closed_standard_descriptors(idle):
    """The mailbox must not be opened as descriptor 1 or 2, where messages for people go."""
    done = subprocess.run(["/bin/sh", "-c", 'exec "$0" fetch <&- >&- 2>&-', mailhaul.program()], env=idle.env, timeout=60)
    assert done.returncode == 75
    for directory, _, files in os.walk(idle.home):
        for name in files:
            with open(os.path.join(directory, name), "rb") as f:
                assert b"account work:" not in f.read(), name


def test_few_descriptors(idle):
    """The soft limit is raised to the hard one; a low hard one is no crash."""
    done = subprocess.run([mailhaul.program(), "check"], env=idle.env, timeout=60, stderr=subprocess.PIPE,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16)))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("protocol, server", ids=["imap", "pop3"], argvalues=[
    ("imap", r"printf '* OK hello\r\n'; while read -r tag word rest; do "
             r"printf '* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n%s OK done\r\n' $tag; done"),
    ("pop3", r"printf '+OK hello\r\n'; while read -r word; do printf '+OK\r\nSASL PLAIN\r\n.\r\n'; done"),
])
def test_tunnel_without_user(world, protocol, server):
    """A tunnel may do without user, as long as the server asks for no login."""
    world.write_config("""
        account "t" { protocol = "%s" tls = "plaintext" timeout = 2 tunnel = { "sh", "-c", "%s" }
                      password = "x" deliver maildir { path = "%s" } }
    """ % (protocol, server.replace("\\", "\\\\"), world.mail))
    assert b"has no user" in world.run("fetch", check=78).err
