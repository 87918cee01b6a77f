# SPDX-License-Identifier: MIT
"""Many folders, hostile folder names, layouts, a folder made anew, and what all that costs in round trips."""
import pytest

import mailhaul
from dovecot import sample
from live import contents, held, make_account

HOSTILE = ["a.b", "a/b", "..x", ".lead", "100%", "%2E", "cur", "new", "tmp", "cur/new", "tab\tname", "q\"uote", "back\\slash",
           "sp ace", "Entw&APw-rfe", "&U,BTFw-/&AOQ-", "-dash", "~home", "star*", "l&-o", "x:2,S", "INBOX/Sub", "&2D3cqA-"]


def utf8(wire):
    """Modified UTF-7 (RFC 3501 5.1.3) to text, for names that are well-formed."""
    import base64
    import re
    return re.sub(r"&([^-]*)-", lambda m: "&" if not m.group(1) else base64.b64decode(
        m.group(1).replace(",", "/") + "===").decode("utf-16-be"), wire)


@pytest.mark.parametrize("layout", ["maildir++", "fs"])
def test_hostile_names(dovecot, user, account, layout):
    made = []
    box = dovecot.imap(user)
    for name in HOSTILE:
        quoted = '"%s"' % name.replace("\\", "\\\\").replace('"', '\\"')
        if box.create(quoted)[0] == "OK":
            made.append(name)
    box.logout()
    assert len(made) > 15
    for number, name in enumerate(made):
        dovecot.append(user, name, [sample(number, subject="in " + repr(name))])
    world = account(folders=["*"], deliver='layout = "%s"' % layout)
    world.run("fetch", check=0)
    mails = mailhaul.read_maildir(world.mail)
    assert sorted(m.data for m in mails) == sorted(mailhaul.local(sample(n, subject="in " + repr(name)))
                                                   for n, name in enumerate(made))
    assert len({m.folder for m in mails}) == len(made), "two folders fell together"
    by_data = {m.data: m.folder for m in mails}
    for number, name in enumerate(made):
        folder = by_data[mailhaul.local(sample(number, subject="in " + repr(name)))]
        if all(c.isalnum() or c in "&,-" for c in name) and name not in ("cur", "new", "tmp") and name[0].isalpha():
            assert folder == ("." + utf8(name) if layout == "maildir++" else utf8(name))
    world.run("fetch", check=0)
    assert len(mailhaul.read_maildir(world.mail)) == len(made)


def test_known_mapping(dovecot, user, account):
    """The mapping that the contract gives: separator, slash, leading dot, control characters and % become %XX."""
    for name in ("a.b", "a/b", "100%"):
        dovecot.append(user, name, [sample(1)])
    world = account(folders=["*"])
    world.run("fetch", check=0)
    assert {m.folder for m in mailhaul.read_maildir(world.mail)} == {".a%2Eb", ".a.b", ".100%25"}


def test_fs_layout_mapping(dovecot, user, account):
    for name in ("a.b", "a/b", "100%", "cur"):
        dovecot.append(user, name, [sample(1)])
    world = account(folders=["*"], deliver='layout = "fs"')
    world.run("fetch", check=0)
    found = {m.folder for m in mailhaul.read_maildir(world.mail)}
    assert {"a.b", "a/b", "100%25"} <= found and len(found) == 4 and "cur" not in found


def test_patterns(dovecot, user, account):
    for name in ("Archive", "Archive/2023", "Archive/2024/Q1", "Spam", "Lists/a"):
        dovecot.append(user, name, [sample(1)])
    dovecot.append(user, "INBOX", [sample(2)])
    world = account(folders=["INBOX", "Archive/*", "!Archive/2023", "L*", "!Spam"])
    world.run("fetch", check=0)
    assert {m.folder for m in mailhaul.read_maildir(world.mail)} == {"", ".Archive.2024.Q1", ".Lists.a"}


def test_special_use(dovecot, user, account):
    dovecot.append(user, "Trash", [sample(1)])
    dovecot.append(user, "Other", [sample(2)])
    world = account(folders=["\\Trash"])
    world.run("fetch", check=0)
    assert {m.folder for m in mailhaul.read_maildir(world.mail)} == {".Trash"}


def test_missing_folder(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    world = account(folders=["INBOX", "Nowhere", "No*"])
    result = world.run("fetch", check=78)
    assert b"Nowhere" in result.err
    assert len(contents(world.mail)) == 1


def test_check_explains_what_the_folders_key_misses(dovecot, user, account):
    dovecot.append(user, "INBOX", [sample(1)])
    assert b"nothing will be fetched" in account(folders=["Nothing/*"]).run("check", "--connect", check=0).err
    # "\Sent" with one backslash is the folder Sent, which is hardly what was meant.
    assert rb'is written "\\Sent"' in account(folders=["Sent"]).run("check", "--connect", check=78).err


def test_folder_made_anew(dovecot, user, account):
    """UIDVALIDITY changes because the folder was removed and made again with the same messages and one more."""
    messages = [sample(n) for n in range(40)] + [sample(3), sample(3)]
    dovecot.append(user, "Work", messages, date="17-Jul-1996 02:44:25 -0700")
    world = account(folders=["Work"])
    world.run("fetch", check=0)
    before = sorted(m.name for m in mailhaul.read_maildir(world.mail))
    box = dovecot.imap(user)
    box.delete("Work")
    box.logout()
    dovecot.append(user, "Work", list(reversed(messages)) + [sample(99)], date="17-Jul-1996 02:44:25 -0700")
    world.run("fetch", check=0)
    mails = mailhaul.read_maildir(world.mail)
    assert sorted(m.data for m in mails) == sorted(map(mailhaul.local, messages + [sample(99)]))
    assert set(before) < {m.name for m in mails}
    world.run("fetch", check=0)
    assert len(mailhaul.read_maildir(world.mail)) == len(messages) + 1


def test_many_folders_and_round_trips(dovecot, user, world):
    """200 unchanged folders cost at most 6 round trips after the TCP connection."""
    for n in range(200):
        dovecot.append(user, "f%03d" % n, [sample(n)])
    with mailhaul.DelayProxy(10, dovecot.ports["imaps"]) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, folders=["*"], port=proxy.ports[dovecot.ports["imaps"]]))
        world.run("fetch", check=0)
        assert len(mailhaul.read_maildir(world.mail)) == 200
    with mailhaul.DelayProxy(10, dovecot.ports["imaps"]) as proxy:
        world.write_config(make_account(dovecot, user, world.mail, folders=["*"], port=proxy.ports[dovecot.ports["imaps"]]))
        world.run("fetch", check=0)
        connections = proxy.stop()
    assert len(mailhaul.read_maildir(world.mail)) == 200
    assert len(connections) == 1 and connections[0]["round_trips"] <= 6, connections


def test_new_mail_in_one_of_many(dovecot, user, account):
    for n in range(20):
        dovecot.append(user, "f%d" % n, [sample(n)])
    world = account(folders=["*"])
    world.run("fetch", check=0)
    dovecot.append(user, "f7", [sample(100)])
    world.run("fetch", check=0)
    assert contents(world.mail, ".f7") == held(dovecot, user, "f7")
    assert len(mailhaul.read_maildir(world.mail)) == 21


def test_folders_command(dovecot, user, account):
    dovecot.append(user, "Sent", [sample(1)])
    dovecot.append(user, "Entw&APw-rfe", [sample(1)])
    world = account(folders=["INBOX", "Entwürfe"])
    out = world.run("folders", "a", check=0).out.decode()
    lines = {name: line for line in out.splitlines() for name in ("INBOX", "Sent", "Entwürfe") if name in line}
    assert set(lines) == {"INBOX", "Sent", "Entwürfe"}, out
    assert lines["INBOX"].replace("INBOX", "") != lines["Sent"].replace("Sent", ""), "which are selected is not shown:\n" + out
