# SPDX-License-Identifier: MIT
"""What a person or a script sees: the commands, the exit codes, silence in cron and progress on a terminal."""
import contextlib
import json
import socket

import pytest

import mailhaul
from dovecot import sample
from live import contents, make_account


def test_cron_is_quiet(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n) for n in range(5)])
    world = account()
    for _ in range(2):
        result = world.run(check=0)  # fetch is the default
        assert result.out == b"" and result.err == b""
    assert len(contents(world.mail)) == 5


def test_quiet_still_says_errors(dovecot, user, account):
    world = account(password="wrong")
    result = world.run("-q", "fetch", check=77)
    assert result.err and not result.out


def test_progress_on_a_terminal(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n, 50000) for n in range(200)])
    world = account()
    code, seen = world.run_pty("fetch")
    assert code == 0 and b"200" in seen and b"a" in seen
    code, seen = world.run_pty("fetch")
    assert code == 0 and seen.strip(), "one summary line even when nothing is new"
    code, seen = world.run_pty("-q", "fetch")
    assert code == 0 and not seen.strip()


def test_verbose_hides_the_password(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    world = account()
    result = world.run("-v", "-v", "fetch", check=0)
    assert b"LOGIN" in result.err or b"AUTHENTICATE" in result.err
    assert dovecot.password.encode() not in result.err
    assert not result.out


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_verbose_tells_the_steps(dovecot, user, account, protocol):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account(protocol=protocol, leave_on_server="no")
    steps = world.run("-v", "fetch", check=0).err.decode()
    told = [steps.find(word) for word in ("delivering to", "connecting", "logged in", "3 to fetch", "3 removed")]
    assert -1 not in told and told == sorted(told), steps
    assert "INBOX" in steps and "+OK" not in steps and "* OK" not in steps


@pytest.mark.parametrize("protocol", ["pop3", "imap"])
def test_dry_run(dovecot, user, account, protocol):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account(protocol=protocol, leave_on_server="no")
    assert b"3 " in world.run("-n", "fetch", check=0).err, "what would be done is said without a terminal too"
    assert not world.run("-n", "-q", "fetch", check=0).err
    assert not mailhaul.read_maildir(world.mail) and dovecot.count(user) == 3
    assert not world.journals() or not [line for line in world.journal_dump() if "INSERT" in line and "uidl" in line]
    world.run("fetch", check=0)
    dovecot.append(user, "INBOX", [sample(9)])
    before = world.journal_dump()
    world.run("fetch", "-n", check=0)
    assert world.journal_dump() == before and len(contents(world.mail)) == 3 and dovecot.count(user) == 1


def test_json(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account()
    out = world.run("fetch", "--json", check=0).out.decode()
    objects = [json.loads(line) for line in out.splitlines()]
    assert objects and all(isinstance(o, dict) for o in objects)
    assert any(o.get("account") == "a" for o in objects)


def test_status(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account()
    before = world.run("status", check=0)
    world.run("fetch", check=0)
    text = world.run("status", check=0).out.decode()
    assert "a" in text and text != before.out.decode()
    objects = [json.loads(line) for line in world.run("status", "--json", check=0).out.decode().splitlines()]
    assert any(o.get("account") == "a" for o in objects)
    world = account(password="wrong")
    world.run("fetch", check=77)
    assert world.run("status", check=0).out.decode() != text


def test_check(dovecot, user, account):
    world = account()
    world.run("check", check=0)
    world.run("check", "--connect", check=0)
    world = account(password="wrong")
    world.run("check", check=0)
    world.run("check", "--connect", check=77)
    assert not mailhaul.read_maildir(world.mail)


def test_folders_of_pop3_is_usage_or_config(dovecot, user, account):
    world = account(protocol="pop3")
    assert world.run("folders", "a").code in (0, 64, 78)


def test_quarantine_empty(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    world = account()
    world.run("fetch", check=0)
    assert world.run("quarantine", "list", check=0).out == b""
    world.run("quarantine", "retry", check=0)
    world.run("quarantine", "drop", check=0)


def test_wrong_password(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    for protocol in ("imap", "pop3"):
        world = account(protocol=protocol, password="wrong")
        assert world.run("fetch", check=77).err
        assert b"nothing new" not in world.run("-v", check=77).err


def test_untrusted_server(dovecot, user, account):
    for protocol in ("imap", "pop3"):
        for tls in ("implicit", "starttls"):
            world = account(protocol=protocol, tls=tls, tls_trust_file=None)
            assert world.run("fetch", check=69).err


def test_by_address(dovecot, user, account):
    """The certificate names 127.0.0.1 too."""
    dovecot.append(user, "INBOX", [sample(1)])
    world = account(host="127.0.0.1")
    world.run("fetch", check=0)


def test_closed_port(dovecot, user, account):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    world = account(port=port, timeout=2)
    assert world.run("fetch", check=75).err


def test_tunnel(dovecot, user, account):
    """The connection may be a command's standard input and output."""
    dovecot.append(user, "INBOX", [sample(1), sample(2)])
    relay = ("import socket,sys,threading,os\n"
             "s=socket.create_connection(('127.0.0.1',%d))\n"
             "def up():\n"
             "    while True:\n"
             "        d=os.read(0,65536)\n"
             "        if not d: break\n"
             "        s.sendall(d)\n"
             "threading.Thread(target=up,daemon=True).start()\n"
             "while True:\n"
             "    d=s.recv(65536)\n"
             "    if not d: break\n"
             "    os.write(1,d)\n") % dovecot.ports["imap"]
    world = account(tls="plaintext", tunnel=["/usr/bin/python3", "-c", relay])
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 2


def test_proxy(dovecot, user, account):
    """SOCKS5, with the name resolved by the proxy."""
    import threading
    dovecot.append(user, "INBOX", [sample(1), sample(2)])
    asked = []

    def serve(listener):
        client, _ = listener.accept()
        client.recv(2 + client.recv(2, socket.MSG_PEEK)[1])
        client.sendall(b"\x05\x00")
        head = client.recv(5)
        name = client.recv(head[4])
        asked.append((head[3], name))
        port = int.from_bytes(client.recv(2), "big")
        server = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")

        def pump(a, b):
            # Either side may hang up first.
            with contextlib.suppress(OSError):
                while data := a.recv(65536):
                    b.sendall(data)
                b.shutdown(socket.SHUT_WR)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        world = account(proxy="socks5://127.0.0.1:%d" % listener.getsockname()[1])
        world.run("fetch", check=0)
    assert len(contents(world.mail)) == 2 and asked == [(3, b"localhost")]


@pytest.mark.parametrize("way", ["command", "file", "netrc", "environment"])
def test_password_from(dovecot, user, world, way):
    dovecot.append(user, "INBOX", [sample(1)])
    secret = world.write_config(dovecot.password + "\n", path=world.home + "/secret")
    netrc = world.write_config("machine localhost login %s password %s\n" % (user, dovecot.password),
                               path=world.home + "/netrc")
    keys = {"command": dict(password_command=["cat", secret]), "file": dict(password_file=secret),
            "netrc": dict(netrc=netrc), "environment": dict()}[way]
    text = make_account(dovecot, user, world.mail, password=None, **keys)
    if way == "environment":
        text = text.replace("{", '{\n    password = "${MAIL_SECRET}"', 1)
    world.write_config(text)
    world.run("fetch", check=0, env={"MAIL_SECRET": dovecot.password})
    assert len(contents(world.mail)) == 1


def test_password_command_fails(dovecot, user, world):
    for command in (["false"], ["true"], ["/nonexistent/helper"]):
        world.write_config(make_account(dovecot, user, world.mail, password=None, password_command=command))
        result = world.run("fetch")
        assert result.code in (77, 78, 75) and result.err


def test_disable_extensions(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(n) for n in range(3)])
    world = account(disable_extensions=["LITERAL+", "LIST-STATUS", "UIDPLUS", "ENABLE", "ID", "SASL-IR"], leave_on_server="no")
    world.run("fetch", check=0)
    assert len(contents(world.mail)) == 3


def test_address_family_and_bind(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    account(address_family="ipv4", bind_address="127.0.0.1").run("fetch", check=0)
    account(address_family="ipv6", timeout=2).run("fetch", check=75)


def test_log_file(dovecot, user, world):
    dovecot.append(user, "INBOX", [sample(1)])
    world.write_config("log_file = '%s/log'\nlog_level = 'debug'\n" % world.home + make_account(dovecot, user, world.mail))
    world.run("fetch", check=0)
    with open(world.home + "/log") as f:
        text = f.read()
    assert text and dovecot.password not in text


def test_version_and_help(world):
    version = world.run("--version", check=0).out
    assert b"mailhaul" in version and b"OpenSSL" in version and b"SQLite" in version
    text = world.run("--help", check=0).out
    for word in (b"fetch", b"check", b"folders", b"status", b"--dry-run"):
        assert word in text


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["fetch", "--nonsense"], ["folders"], ["-c"]])
def test_usage(world, arguments):
    result = world.run(*arguments, check=64)
    assert result.err and not result.out


@pytest.mark.parametrize("command", ["verify", "restore", "setup", "import"])
def test_commands_of_later_work_are_refused(dovecot, user, account, command):
    world = account()
    result = world.run(command, "a", "a") if command == "import" else world.run(command, "a")
    assert result.code in (64, 78) and result.err
