"""All examples in documents: each block of code is compiled, run, parsed or compared, or says why not. examples.py tells how blocks say what they are,
computer.py where commands run. And what documents name exists: files, commands and their options, statuses, keys of the configuration."""
import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from computer import BUILD, SOURCE, Computer, sanitizers
from examples import Problem, blocks
from supported import SHOWN

SSPI = os.environ["OPENSSPI_SSPI"]
FIXTURES = pathlib.Path(__file__).parent / "examples"
DOCUMENTS = [str(path.relative_to(SOURCE)) for paths in (SOURCE.glob("*.md"), *((SOURCE / folder).rglob("*.md") for folder in ("docs", "samples")))
             for path in sorted(paths)]
MANUAL = [f"man/{path.name}" for path in sorted((SOURCE / "man").iterdir())]
INCLUDES = ["sspi.h", "sspi_ext.h", "schannel.h", "wincrypt.h", "ntsecapi.h", "credssp.h"]
SYSTEM = ["errno.h", "fcntl.h", "stdbool.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "unistd.h"]
WRAPPED = {"ini": "=", "sh": "&&"}


def text_of(document):
    return (SOURCE / document).read_text(encoding="utf-8")


def found(kinds):
    """Blocks of these kinds; a document that cannot be read has none, and fails test_every_block_is_classified."""
    out = []
    for document in DOCUMENTS + MANUAL:
        try:
            out += [block for block in blocks(document, text_of(document)) if block.kind in kinds]
        except Problem:
            pass
    return out


@pytest.mark.parametrize("document", DOCUMENTS + MANUAL)
def test_every_block_is_classified(document):
    text = text_of(document)
    assert len(blocks(document, text)) >= len(re.findall(r"^\s*```\w|^\.Bd -literal", text, re.M))


def test_blocks_of_manual_pages():
    text = (".Dd x\n.\\\" not an example\n.\\\" example: setup with=accounts\n.\\\"   a\n.\\\"   b\\n\n.Sh EXAMPLES\n.Bd -literal -offset indent\nls \\-l 'A\\eb'\n.Ed\n"
            ".\\\" example: language=ini\n.Bd -literal\n[a]\n.Ed\n.\\\" example: status=1 expect=\"x\"\n.Bd -literal\n\\&.x\n.Ed\n")
    read = blocks("man/x.7", text)
    assert [block.kind for block in read] == ["setup", "sh", "conf", "sh"]
    assert read[0].more == "a\nb\\n" and read[1].text == "ls -l 'A\\b'\n" and read[3].words["status"] == "1" and read[3].text == ".x\n"
    for wrong in (".\\\" example: own\n.Sh X\n", ".\\\" example: nonsense\n.Bd -literal\nx\n.Ed\n", ".\\\" example: own\n.\\\" example: own\n.Bd -literal\nx\n.Ed\n"):
        with pytest.raises(Problem):
            blocks("man/x.7", wrong)


@pytest.mark.parametrize("text", [
    "```\nls\n```\n", "```python\n1\n```\n", "```sh {.x}\nls\n```\n", "~~~\nls\n~~~\n", "```sh\nls\n", "text\n\n    indented\n",
    "<!-- example: illustration -->\n```\nx\n```\n", "<!-- example: illustration: no -->\n```\nx\n```\n", "<!-- example: nonsense -->\n```sh\nx\n```\n",
    "<!-- example: with= -->\n```sh\nx\n```\n", "<!-- example: own -->\ntext\n\n```sh\nx\n```\n", "<!-- example: own -->\n<!-- example: own -->\n```sh\nx\n```\n",
    "<!-- example: own -->\n", "<!-- example: own\n```sh\nx\n```\n", "```text\nx\n```\n"])
def test_blocks_that_are_not_classified(text):
    with pytest.raises(Problem):
        blocks("a document", text)


def test_blocks_that_are():
    text = ("# Title\n\n```sh\nls\n```\n\n- item\n\n    more of it\n\n<!-- example: illustration: needs another computer -->\n```\nx\n```\n"
            "<!-- example: setup with=realm\nls\nps -->\n\n<!-- example: output -->\n```text\nx\n```\n"
            "<!-- example: answers=\"a|b\" status=3 own -->\n\n```sh\ny\n```\n<!-- example:\nint x;\n-->\n  ```c\n  z\n  ```\n")
    read = blocks("a document", text)
    assert [(block.kind, block.line) for block in read] == [("sh", 3), ("illustration", 12), ("setup", 15), ("output", 20), ("sh", 25), ("c", 31)]
    assert read[2].more == "ls\nps" and read[2].list("with") == ["realm"] and read[5].more == "int x;" and read[5].text == "z\n"
    assert read[4].list("answers", "|") == ["a", "b"] and read[4].words["status"] == "3" and read[4].switches == {"own"}


def program_of(block):
    """(a whole C file, whether it is a program)."""
    if re.search(r"\bmain\(", block.text):
        return block.text, True
    head = "#define _GNU_SOURCE\n" + "".join(f"#include <{name}>\n" for name in [*SYSTEM, *INCLUDES]) + block.more + "\n"
    if re.search(r"^(?:#include|typedef|struct \w+ \{|static |(?:[A-Za-z_][\w \*]*[ \*])\w+\([^;]*\)\s*(?:\{|;$|\n\{))", block.text) and \
            not re.search(r"^    \w|^\w+ \w+ = ", block.text):
        return head + block.text, False
    return head + "void example(void);\nvoid example(void)\n{\n" + block.text + "}\n", False


@pytest.mark.parametrize("block", found({"c"}), ids=str)
def test_c(block, tmp_path):
    text, whole = program_of(block)
    (tmp_path / "example.c").write_text(text, encoding="utf-8")
    flags = [f"-fsanitize={sanitizers()}"] if sanitizers() else []
    words = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", *flags, *shlex.split(block.words.get("flags", "")), "-I", SOURCE / "include" / "opensspi",
             tmp_path / "example.c", "-o", tmp_path / "example"]
    words += ["-L", BUILD, "-lopensspi", f"-Wl,-rpath,{BUILD}"] if whole else ["-c", "-Wno-unused-variable", "-Wno-unused-but-set-variable"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block}\n{done.stderr}"
    if whole and "file" not in block.words:
        (tmp_path / "conf").write_text("")
        done = subprocess.run([tmp_path / "example"], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
                              env={**os.environ, "OPENSSPI_CONFIG": str(tmp_path / "conf"), "HOME": str(tmp_path)})
        assert done.returncode == int(block.words.get("status", 0)), f"{block}\n{done.stdout}{done.stderr}"
        assert block.words.get("expect", "") in done.stdout, f"{block}\n{done.stdout}{done.stderr}"


def check_configuration(kind, path, tmp_path):
    """What the library, or libkrb5, thinks of the file."""
    (tmp_path / "empty").write_text("")
    names = {"OPENSSPI_CONFIG": tmp_path / "empty", "KRB5_CONFIG": tmp_path / "empty", "HOME": tmp_path, "KRB5CCNAME": f"FILE:{tmp_path}/none",
             "KRB5_KTNAME": f"FILE:{tmp_path}/none"}
    names["OPENSSPI_CONFIG" if kind == "opensspi.conf" else "KRB5_CONFIG"] = path
    kept = {name: value for name, value in os.environ.items() if name.endswith("_OPTIONS")}
    done = subprocess.run([SSPI, "doctor", "--json"], capture_output=True, text=True, timeout=120, check=False,
                          env={**kept, "PATH": "/usr/bin:/bin", "LC_ALL": "C", **{name: str(value) for name, value in names.items()}})
    checks = {check["check"]: check for check in json.loads(done.stdout)}
    if kind == "opensspi.conf":
        assert checks["configuration"]["verdict"] == "good", checks["configuration"]
        return
    text = pathlib.Path(path).read_text(encoding="utf-8")
    realm = re.search(r"default_realm = (\S+)", text)
    assert realm is None or checks["Kerberos"]["found"] == f"default realm {realm.group(1)}", checks["Kerberos"]
    assert text.count("{") == text.count("}") and re.match(r"\s*(#.*\n\s*)*\[\w+\]", text)


def kind_of_file(name):
    return {"krb5.conf": "krb5.conf", "opensspi.conf": "opensspi.conf"}.get(pathlib.PurePath(name).name)


@pytest.mark.parametrize("block", found({"conf"}) + [block for block in found({"file"}) if kind_of_file(block.words["file"])], ids=str)
def test_configuration(block, tmp_path):
    (tmp_path / "conf").write_text(block.text, encoding="utf-8")
    named = kind_of_file(block.words.get("file", ""))
    kind = named or ("krb5.conf" if "krb5.conf" in block.switches else "opensspi.conf")
    check_configuration(kind, tmp_path / "conf", tmp_path)


def test_wrong_configuration_is_found(tmp_path):
    """The check can fail."""
    (tmp_path / "conf").write_text("[ntlm]\nnonsense = 1\n")
    with pytest.raises(AssertionError):
        check_configuration("opensspi.conf", tmp_path / "conf", tmp_path)
    (tmp_path / "conf").write_text("default_realm = A\n")
    with pytest.raises(AssertionError):
        check_configuration("krb5.conf", tmp_path / "conf", tmp_path)


def matches(expected, shown):
    """Whether the lines are these; "..." stands for anything, alone on a line also for several lines."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ \t]*\n"
    return re.fullmatch(pattern, shown.rstrip("\n") + "\n") is not None


def test_matches():
    assert matches("a\nb\n", "a\nb\n") and matches("a ... c\n", "a b c") and matches("a\n...\nd\n", "a\nb\nc\nd\n") and matches("...\nd\n", "d\n")
    assert not matches("a\n", "a\nb\n") and not matches("a\nb\n", "a\n") and not matches("a.c\n", "abc\n") and not matches("a ... c\n", "a b d\n")


class Reader:
    """Somebody who follows a document, block after block, on one computer."""

    def __init__(self, computer):
        self.computer, self.set_up, self.shown, self.last, self.server = computer, set(), None, None, None

    def prepare(self, block):
        for name in block.list("with"):
            if name not in self.set_up:
                self.set_up.add(name)
                self.run(block, (FIXTURES / f"{name}.sh").read_text(encoding="utf-8"), 0)

    def run(self, block, script, status, answers=(), then=None):
        code, self.shown = self.computer.run(script, answers, then)
        assert code == status, f"{block}: exit status {code}\n{script}\n{self.shown}"

    def follow(self, block):
        self.prepare(block)
        if block.kind == "setup" and not block.more.strip():
            return
        if block.kind == "setup":
            self.run(block, block.more, 0)
        elif block.kind == "output" and "server" in block.switches:
            assert self.server is not None and self.server.end(60) is not None, f"{block}: no server, or it goes on"
            assert matches(block.text, self.server.text()), f"{block}: other output\n--- document\n{block.text}--- shown\n{self.server.text()}"
        elif block.kind == "output":
            assert self.last is not None, f"{block}: no block before it"
            assert matches(block.text, self.shown), f"{block}: other output\n--- document\n{block.text}--- shown\n{self.shown}"
        elif "file" in block.words:
            self.computer.put(block.words["file"], block.text)
        elif block.kind == "tcl":
            self.computer.put("/tmp/example.tcl", block.more + "\n" + block.text)
            self.run(block, "tclsh /tmp/example.tcl", int(block.words.get("status", 0)), block.list("answers", "|"))
        elif "background" in block.words:
            self.server = self.computer.serve(block.text, block.words["background"], block.list("answers", "|"))
            self.shown = self.server.text()
        else:
            self.run(block, block.text, int(block.words.get("status", 0)), block.list("answers", "|"), block.list("then", "|") or None)
        if block.kind not in ("setup", "output"):
            self.last = block
            assert block.words.get("expect", "") in (self.shown or ""), f"{block}\n{self.shown}"


RUN = {"sh", "tcl", "setup", "output", "file"}


def journeys():
    """(document, blocks that are followed on one computer); a block with "own" begins a new one."""
    out = []
    for document in DOCUMENTS + MANUAL:
        try:
            read = [block for block in blocks(document, text_of(document)) if block.kind in RUN or (block.kind == "c" and "file" in block.words)]
        except Problem:
            continue
        files = []
        for block in read:
            if not out or out[-1][0].document != document or "own" in block.switches:
                out.append(list(files))
            out[-1].append(block)
            if not block.words.get("file", "/").startswith("/"):
                files.append(block)
    # A sanitized build has no Tcl package: tclsh could not load it.
    return [journey for journey in out if not sanitizers() or all(block.kind != "tcl" for block in journey)]


@pytest.mark.parametrize("journey", journeys(), ids=lambda journey: str(next((block for block in journey if "own" in block.switches), journey[0])))
def test_follow(journey, tmp_path):
    with Computer(tmp_path) as computer:
        reader = Reader(computer)
        for block in journey:
            reader.follow(block)
    assert not (tmp_path / "computer").exists()


def test_computer(tmp_path):
    """It is closed: what is done there stays there, a wrong command is noticed, prompts are answered."""
    with Computer(tmp_path) as computer:
        code, shown = computer.run("hostname; echo x >/etc/opensspi/mark; ! echo x >/usr/mark; ls /root/work; cat /proc/1/comm; sspi whoami")
        assert code == 0 and shown.startswith("server.example.test\n") and "Read-only" in shown and "(uid 0)" in shown, shown
        assert computer.run("false\ntrue")[0] == 1
        code, shown = computer.run("sspi account add alice", ["Password1!", "Password1!"])
        assert code == 0 and "Once more" in shown and "Password1!" not in shown, shown
        listener = computer.serve("sspi listen 11720 --package NTLM", "listening: ")
        assert "11720" in listener.text()
    assert not os.path.exists("/etc/opensspi/mark") and listener.code != 0


def anchors(text):
    """Those of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_linked_is_there(document):
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", text_of(document)):
        if "://" not in target:
            path = (SOURCE / document).parent / target if target else SOURCE / document
            assert path.exists(), target
            assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_every_document_is_found_from_the_readme():
    text = text_of("README.md")
    assert [name for name in DOCUMENTS if name.startswith("docs/") and f"({name})" not in text] == []


def commands():
    """{"account add": its options} for all of the command."""
    out = {}
    manual = subprocess.run([SSPI, "completion", "mdoc"], capture_output=True, text=True, check=True).stdout
    for line in manual.split("\n"):
        name = re.match(r"\.It Nm (\w+(?: [a-z]+)?)", line)
        option = re.match(r"\.It Fl -([\w-]+)", line)
        if name:
            now = out.setdefault(name.group(1), {"help"})
        elif option:
            now.add(option.group(1))
    return out


def written(text):
    """What the text writes as a call of the command: in code or in manual pages' quotations."""
    spans = re.findall(r"`(sspi [^`]*)`", text) + re.findall(r"^\s*(?:\.Ql |.*\| )?(sspi [^#\n]*)", text, re.M)
    return [span.split(" && ")[0].split(" | ")[0] for span in spans]


@pytest.mark.parametrize("document", DOCUMENTS + MANUAL)
def test_commands_exist(document):
    known = commands()
    families = {name.split()[0] for name in known}
    for call in written(text_of(document)):
        words = call.rstrip(" .,;:").split()
        if len(words) < 2 or words[1].startswith("-") or words[1].isupper():
            continue
        name = " ".join(words[1:3]) if len(words) > 2 and " ".join(words[1:3]) in known else words[1]
        assert words[1] in families, call
        if name not in known:
            # A family with sub-commands, none named, or a name that does not exist.
            assert len(words) == 2 or not re.fullmatch(r"[a-z]+", words[2]), call
            continue
        for option in re.findall(r"(?<!\S)--([a-z-]+)", call):
            assert option in known[name], f"--{option} in {call}"


def test_numbers_and_names_of_statuses_agree():
    """Where a document has both, they are one status, and `sspi error` explains it."""
    listed = subprocess.run([SSPI, "error", "--json"], capture_output=True, text=True, check=True).stdout
    known = {entry["name"]: entry["hex"] for entry in json.loads(listed)}
    n_pairs = 0
    for document in DOCUMENTS:
        for number, name in re.findall(r"\b(0x[0-9A-Fa-f]{8})\b \|? ?`?((?:SEC|STATUS|CERT|CRYPT|TRUST)_[A-Z0-9_]+)", text_of(document)):
            assert known[name] == number.replace("0X", "0x"), f"{document}: {number} {name}"
            n_pairs += 1
    assert n_pairs > 90


def test_statuses_exist():
    defined = set()
    for header in [*(SOURCE / "include").rglob("*.h"), SOURCE / "src" / "core" / "status.h"]:
        defined.update(re.findall(r"\b(?:SEC_[EI]|STATUS|CERT_E|CRYPT_E|TRUST_E)_[A-Z0-9_]+\b", header.read_text(encoding="utf-8")))
    listed = subprocess.run([SSPI, "error", "--json"], capture_output=True, text=True, check=True).stdout
    defined.update(entry["name"] for entry in json.loads(listed))
    for document in DOCUMENTS + MANUAL:
        for name in re.findall(r"\b(?:SEC_[EI]|STATUS|CERT_E|CRYPT_E|TRUST_E)_[A-Z0-9_]*[A-Z0-9]\b(?![_*])", text_of(document)):
            assert name in defined, f"{document}: {name}"


def test_keys_exist():
    """`[section] key`, as documents name keys of the configuration."""
    source = (SOURCE / "src" / "core" / "config_parse.c").read_text(encoding="utf-8")
    known = set(re.findall(r'\{"(\w+)", "(\w+)"', source))
    assert len(known) > 30
    sections = {section for section, _ in known}
    for document in DOCUMENTS + MANUAL:
        for section, key in re.findall(r"\[(\w+)\]`? `?([a-z_0-9]+)\b", text_of(document)):
            if section in sections and "_" in key:
                assert (section, key) in known, f"{document}: [{section}] {key}"


def test_every_tcl_command_is_tested():
    """Each command and option of docs/tcl.md's table stands in a test."""
    tests = "".join(path.read_text(encoding="utf-8") for folder in ("tests/tcl", "samples/tcl") for path in sorted((SOURCE / folder).glob("*.tcl")))
    rows = re.findall(r"^\| (`.*?) \| .* \|$", text_of("docs/tcl.md"), re.M)
    names = {name for row in rows for name in re.findall(r"\b(?:(?:sspi|cert)_\w+|conceal|reveal)\b", row)}
    options = {option for row in rows for option in re.findall(r"(?<![\w-])-[a-z]+", row)}
    assert len(names) >= 30 and len(options) > 12
    assert [name for name in sorted(names) if f"twapi::{name}" not in tests] == []
    assert [option for option in sorted(options) if not re.search(rf"{option}(?![a-z])", tests)] == []


# Who is named in the README's table as proof, per row: the test that has it, and a word there. A row's name is how it begins.
PROOF = {
    "NTLM:": {"gss-ntlmssp": ("test_ntlm_peers.py", "gss-ntlmssp"), "Samba's ntlm_auth": ("test_ntlm_peers.py", "ntlm_auth"),
              "WinPR": ("test_ntlm_peers.py", "WinPR"), "Wine": ("test_sockauth.py", "Wine")},
    "NTLM for the accounts": {"Samba's controller": ("test_domain_accounts.py", "Samba's controller"), "winbindd": ("test_domain_accounts.py", "winbindd")},
    "NTLMv1": {"MS-NLMP's vectors": ("../unit/ntlm/test_vectors.c", "4.2.")},
    "Kerberos:": {"MIT GSSAPI": ("test_kerberos_peers.py", "gss"), "MIT KDC": ("realm.py", "krb5kdc"), "a Samba domain": ("test_kerberos_ad.py", "Ad("),
                  "Wine's client": ("test_kerberos_wine.py", "Wine")},
    "Kerberos user-to-user": {"libkrb5": ("test_kerberos_user_to_user.py", "libkrb5"), "MIT GSSAPI": ("test_kerberos_user_to_user.py", "gss"),
                              "MIT KDC": ("test_kerberos_mit_s4u.py", "S4U2Proxy"), "a Samba domain": ("test_kerberos_delegation.py", "S4U2Self"), "SoftHSM": ("test_kerberos_pkinit.py", "softhsm")},
    "Negotiate": {"MIT SPNEGO": ("test_negotiate_peers.py", "spnego"), "gss-ntlmssp": ("test_negotiate_peers.py", "gss-ntlmssp"),
                  "Samba's ntlm_auth": ("test_negotiate_peers.py", "ntlm_auth"), "Samba's LDAP server": ("test_negotiate_ad.py", "LDAP"),
                  "Wine": ("test_kerberos_wine.py", "egotiate")},
    "The security authority": {"MIT KDC": ("test_lsa_kerberos.py", "realm"), "two users": ("../unit/lsa/test_daemon.c", "test_two_users")},
    "The functions of `ntsecapi": {"MIT KDC": ("test_lsa_functions.py", "realm")},
    "Source written": {"mingw-w64": ("porting.py", "mingw"), "Wine": ("test_porting_wine.py", "Wine")},
    "SASL": {"Cyrus SASL": ("test_sasl_cyrus.py", "Cyrus"), "Samba's LDAP server": ("test_sasl_cyrus.py", "LDAP")},
    "Extended protection": {"gss-ntlmssp": ("test_ntlm_peers.py", "test_right_channel_bindings"), "MIT GSSAPI": ("test_kerberos_peers.py", "test_promised_channel_bindings"),
                            "Chromium": ("test_browser.py", "Chromium"), "relays": ("test_httpauth.py", "relay")},
    "Schannel": {"OpenSSL": ("test_tls_peers.py", "openssl"), "GnuTLS": ("test_tls_peers.py", "gnutls"), "curl": ("test_tls_peers.py", "curl"),
                 "Wine's client": ("test_sockauth.py", "Wine")},
    "WDigest": {"curl": ("test_digest.py", "curl"), "mod_auth_digest": ("web.py", "auth_digest"), "Cyrus SASL": ("test_digest_cyrus.py", "Cyrus")},
    "CredSSP": {"FreeRDP's xfreerdp": ("test_freerdp.py", "xfreerdp"), "FreeRDP's shadow server": ("test_freerdp.py", "shadow")},
    "Access tokens": {"the kernel": ("../unit/access/test_impersonation.c", "geteuid"), "MIT KDC": ("test_delegation_sample.py", "realm"),
                      "a Samba domain": ("test_kerberos_ad.py", "directory_sids")},
}
PACKAGE_OF_ROW = {"NTLM:": "NTLM", "Kerberos:": "Kerberos", "Negotiate": "Negotiate", "Schannel": "Schannel", "CredSSP": "CREDSSP", "WDigest": "WDigest"}


def supported():
    """(what, client, server, proof) of each row of the README's table."""
    table = text_of("README.md").split("## What is supported")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.split("\n")[2:]]


def test_what_is_supported_is_proven():
    """Every row that says yes names who proved it, and each of those is in a test."""
    rows = supported()
    assert len(rows) >= len(PROOF)
    for what, client, server, proof in rows:
        named = {name.strip() for name in re.sub(r"\(\[.*?\)\)", "", proof).split(",") if name.strip()}
        if "not yet" in client + server:
            assert not named, what
            continue
        assert named, f"{what}: proven against whom?"
        row = max((name for name in PROOF if what.startswith(name)), key=len, default=None)
        assert row is not None, f"{what}: PROOF has no entry for this row"
        assert named == set(PROOF[row]), what
        for peer, (file, word) in PROOF[row].items():
            assert word.lower() in (SOURCE / "tests" / "interop" / file).read_text(encoding="utf-8").lower(), f"{what}: {peer}"


def words_of(what, client, server):
    """What a row of the table says, piece by piece: of the first column what stands behind its colon, or all."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", what).replace("`", "")
    text = re.sub(r"\(?docs/[\w-]+\.md\)?", "", text)
    if ":" in text and not text.startswith("NTLMv1"):
        text = text.split(":", 1)[1]
    pieces = {piece.strip() for piece in re.split(r"[,;()]", text) if piece.strip()}
    for side, cell in ("client", client), ("server", server):
        pieces |= {f"{side}: {piece.strip()}" for piece in cell.split(",") if piece.strip()}
    return pieces


def test_what_is_supported_is_shown():
    """The table says what tests show, no more and no less: each of its words has a test, and each test's word is in it."""
    for what, client, server, _ in supported():
        row = max((name for name in SHOWN if what.startswith(name)), key=len)
        assert words_of(what, client, server) == set(SHOWN[row]), what
        for word, place in SHOWN[row].items():
            file, function = place.split("::")
            path = SOURCE / "tests" / (file if "/" in file else f"interop/{file}")
            text = path.read_text(encoding="utf-8")
            assert re.search(rf"^(?:def|static void) {function}\(", text, re.M), f"{word}: {place}"
            # A C test that main does not run shows nothing.
            assert path.suffix == ".py" or len(re.findall(rf"\b{function}\b", text)) > 1, f"{word}: {place} is not run"


def test_packages_are_supported_as_the_table_says():
    listed = subprocess.run([SSPI, "packages", "--json"], capture_output=True, text=True, check=True, env={**os.environ, "OPENSSPI_CONFIG": "/dev/null"}).stdout
    there = {package["name"] for package in json.loads(listed)}
    for what, client, server, _ in supported():
        for row, package in PACKAGE_OF_ROW.items():
            if what.startswith(row):
                assert (package in there) == ("not yet" not in client + server), what
