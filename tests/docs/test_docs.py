# SPDX-License-Identifier: MIT
"""The documents against the program: what they say exists, exists, and every configuration in them is taken.

Needs MAILHAUL, the program; contacts nothing.
"""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
MAILHAUL = os.environ.get("MAILHAUL", "mailhaul")
MAN1 = TOP / "docs/man/mailhaul.1"
MAN5 = TOP / "docs/man/mailhaul.conf.5"
COMPLETIONS = sorted((TOP / "contrib/completions").iterdir())
LATER = {"setup", "import", "verify", "restore"}


def run(*arguments, home, **more):
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    environment.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return subprocess.run([MAILHAUL, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, **more)


@pytest.fixture(scope="module")
def help_text(tmp_path_factory):
    done = run("--help", home=tmp_path_factory.mktemp("home"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def options_in(text):
    """-x and --long, as a person would type them."""
    return set(re.findall(r"(?<![\w-])--?[A-Za-z][\w-]*", text))


def man_options():
    section = MAN1.read_text().split(".Sh OPTIONS")[1].split(".Sh ")[0]
    found = set()
    for line in re.findall(r"^\.It (.*)$", section, re.M):
        for name in re.findall(r"Fl (-?[A-Za-z][\w-]*)", line):
            found.add("-" + name)
    return found


def man_commands():
    section = MAN1.read_text().split(".Sh COMMANDS")[1].split(".Sh ")[0]
    return set(re.findall(r"^\.It (?:Oo )?Cm (\w+)", section, re.M))


def help_commands(text):
    """The first word of each indented line that describes a command."""
    return {word for word in re.findall(r"^ +(?:mailhaul +)?\[?([a-z]+)\b", text, re.M)
            if word in man_commands() | LATER}


def test_help_and_man_page_name_the_same_options(help_text):
    shown = options_in(help_text)
    assert man_options() - shown == set(), "in mailhaul.1, not in --help"
    assert shown - man_options() == set(), "in --help, not in mailhaul.1"


def test_help_and_man_page_name_the_same_commands(help_text):
    assert help_commands(help_text) - LATER == man_commands()


def test_help_fits_a_screen(help_text):
    lines = help_text.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 110


# --watch does not end by itself.
@pytest.mark.parametrize("option", sorted(man_options() - {"--watch"}))
def test_every_option_of_the_man_page_is_taken(option, tmp_path):
    conf = tmp_path / "empty.conf"
    conf.write_text("")
    command = {"--connect": "check", "--adopt": "check", "--prometheus": "status"}.get(option, "fetch")
    value = [str(conf)] if option in ("-c", "--config") else []
    done = run(command, option, *value, home=tmp_path)
    assert "unknown" not in done.stderr.lower().split("\n")[0] or done.returncode != 64, done.stderr


def test_an_unknown_option_is_refused(tmp_path):
    assert run("fetch", "--bogus", home=tmp_path).returncode == 64


@pytest.mark.parametrize("command", sorted(LATER))
def test_commands_of_later_say_not_yet(command, tmp_path):
    done = run(command, home=tmp_path)
    assert done.returncode != 0
    assert "not yet" in done.stderr, done.stderr
    assert command in MAN1.read_text()


@pytest.mark.parametrize("file", COMPLETIONS, ids=lambda f: f.name)
def test_completions_know_commands_and_options(file):
    text = file.read_text()
    for command in man_commands():
        assert re.search(rf"\b{command}\b", text), f"{command} is missing"
    for option in man_options():
        bare = option.lstrip("-")
        wanted = rf"-l {bare}\b" if option.startswith("--") and file.suffix == ".fish" else \
            rf"-s {bare}\b" if file.suffix == ".fish" else rf"(?<![\w-]){option}\b"
        assert re.search(wanted, text), f"{option} is missing"


def test_version_names_the_libraries(tmp_path):
    done = run("--version", home=tmp_path)
    assert done.returncode == 0
    version = re.search(r"AC_INIT\(\[mailhaul\], \[([\d.]+)\]", (TOP / "configure.ac").read_text()).group(1)
    assert done.stdout.split("\n")[0].startswith(f"mailhaul {version}")
    assert "OpenSSL" in done.stdout and "SQLite" in done.stdout
    assert version in (TOP / "NEWS").read_text()


# ---- configuration examples

def mdoc_blocks(path):
    for block in re.findall(r"^\.Bd [^\n]*\n(.*?)^\.Ed", path.read_text(), re.M | re.S):
        yield block.replace("\\e", "\\").replace("\\&", "").replace("\\(dq", '"')


def indented_blocks(path):
    """Runs of lines indented by four or more, as README and Markdown have them."""
    block = []
    for line in path.read_text().splitlines() + [""]:
        if line.startswith("    ") or (block and not line.strip()):
            block.append(line)
        elif block:
            yield "\n".join(block)
            block = []
    if block:
        yield "\n".join(block)


def here_documents(path):
    for block in re.findall(r"<<STEPS\n(.*?)^STEPS", path.read_text(), re.M | re.S):
        yield "\n".join(re.findall(r"^ {9}.*$", block, re.M))


def looks_like_configuration(block):
    return re.search(r'^\s*(account\s+"|defaults\s*\{|deliver\s+(\w+|"\w+")\s*\{|\w+\s*=\s*["{\w])', block, re.M) \
        and "$ " not in block and not re.search(r"^\s*(make|cd|tests/|MAILHAUL=|python3|autoreconf|\*/)", block, re.M)


def examples():
    sources = [(TOP / "README", indented_blocks), (MAN1, mdoc_blocks), (MAN5, mdoc_blocks),
               (TOP / "contrib/quickstart", here_documents)]
    for path, cut in sources:
        for number, block in enumerate(b for b in cut(path) if looks_like_configuration(b)):
            yield pytest.param(block, id=f"{path.name}-{number + 1}")
    yield pytest.param((TOP / "etc/mailhaul.conf").read_text(), id="etc-mailhaul.conf")


ACCOUNT = '\naccount "example" {\n host = "h"\n user = "u"\n password = "p"\n deliver maildir { path = "~/M" }\n}\n'


def whole(block):
    """A fragment of an account, or of a file, as a file that can be checked."""
    if re.search(r"^\s*account\s", block, re.M):
        return block
    if re.search(r"^\s*(defaults\s*\{|state_dir|spool_dir|max_sessions|log_|syslog)", block, re.M):
        return block + ACCOUNT
    lines = [line.strip() for line in block.splitlines()]
    have, depth = set(), 0
    for line in lines:
        if line and not line.startswith("#") and depth == 0:
            have.add(line.split("=")[0].split("{")[0].split()[0])
        depth += line.count("{") - line.count("}")
    extra = [f'{key} = "{value}"' for key, value in (("host", "h"), ("user", "u"), ("password", "p")) if key not in have
             and not (key == "password" and have & {"password_command", "password_file", "netrc"})]
    if "deliver" not in have:
        extra.append('deliver maildir { path = "~/M" }')
    return 'account "example" {\n' + "\n".join(lines + extra) + "\n}\n"


@pytest.mark.parametrize("block", examples())
def test_configuration_examples_are_taken(block, tmp_path):
    conf = tmp_path / "mailhaul.conf"
    text = whole(block)
    for name in re.findall(r"\$\{(\w+)\}", text):
        os.environ.setdefault(name, "value")
    conf.write_text(text)
    conf.chmod(0o600)
    for name in re.findall(r'tls_trust_file *= "~/([^"]+)"', text):
        trust = tmp_path / name
        trust.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null",
                        "-subj", "/CN=ca", "-out", str(trust)], check=True, stderr=subprocess.DEVNULL)
    done = run("check", "-c", str(conf), home=tmp_path)
    if "not yet" in block:
        assert done.returncode in (0, 78)
    else:
        assert done.returncode == 0, f"{done.stderr}\n--- of this:\n{text}"


def test_there_are_examples():
    assert len(list(examples())) >= 5


def key_rows():
    """(key, whether it is of later work) for each row of the program's own table."""
    text = (TOP / "src/conf/conf_keys.c").read_text()
    return re.findall(r'^    \{ "(\w+)", (LATER)?', text.split("conf_keys[] = {")[1], re.M)


def test_the_man_page_explains_every_key_and_no_other():
    page = MAN5.read_text()
    named = set(re.findall(r"^\.It Cm (\w+)", page, re.M))
    keys = {key for key, _ in key_rows()}
    assert len(keys) > 60
    assert named - keys == set(), "in mailhaul.conf.5, unknown to the program"
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set(), "not in mailhaul.conf.5"
    ready = {key for key, later in key_rows() if not later}
    assert ready - named == set(), "a key that works has a paragraph of its own"


def test_the_man_page_lists_every_provider():
    section = MAN5.read_text().split(".Sh PROVIDERS")[1].split(".Sh ")[0]
    listed = set(" ".join(re.findall(r"^\.Cm (.*)$", section, re.M)).replace(" ,", " ").replace(" .", " ").split())
    known = subprocess.run([TOP / "tools/providers", "--names"], check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in known.splitlines()]
    assert len(names) > 60 and len(set(known.split())) == len(known.split()), "a name stands for two providers"
    assert listed - {"provider"} == set(names)


def test_the_table_of_providers_is_what_its_list_says():
    source = TOP.parent / "shared/providers.md"
    if not source.exists():
        pytest.skip("the list that src/conf/providers.def is made from is not beside this tree")
    made = subprocess.run([TOP / "tools/providers", source], check=True, capture_output=True, text=True).stdout
    assert made == (TOP / "src/conf/providers.def").read_text(), "run tools/providers ../shared/providers.md --write"


def test_the_sample_names_no_unknown_key():
    sample = (TOP / "etc/mailhaul.conf").read_text()
    keys = {key for key, _ in key_rows()}
    used = set(re.findall(r"^#? *(\w+) *= ", sample, re.M))
    assert len(used) > 15
    assert used - keys == set()


# ---- what they name

@pytest.mark.parametrize("document", ["README", "HACKING.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"])
def test_files_that_documents_name_exist(document):
    text = (TOP / document).read_text()
    named = set(re.findall(r"(?<![\w/.<-])((?:src|tests|contrib|docs|etc|tools|\.ci)/[\w./-]*\w)", text))
    assert named
    built = re.compile(r"tests/unit/\w+/test_\w+$")
    missing = [path for path in sorted(named) if not (TOP / (path + ".c" if built.match(path) else path)).exists()]
    assert missing == []


def test_make_targets_that_hacking_names_exist():
    targets = r"make (?:-j\d+ )?(check|lint|format|sweep|fuzz|bench|distcheck)\b"
    named = set(re.findall(targets, (TOP / "HACKING.md").read_text()))
    makefiles = "\n".join(path.read_text() for path in [TOP / "Makefile.am", *TOP.glob("**/local.mk")])
    missing = [t for t in sorted(named - {"check", "distcheck"}) if not re.search(rf"^{t}( [\w-]+)*:", makefiles, re.M)]
    assert missing == []
