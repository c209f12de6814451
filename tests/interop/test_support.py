"""docs/support.md: every exported function, attribute and flag, with every package, in both roles, as tests/truth's programs find them.

tests/truth/reasons.txt says why something is not there, or differs from Windows; an answer that is neither "works" nor explained there fails, and so does an
explanation that explains nothing. OPENSSPI_SUPPORT=write ctest -R interop.support writes the page anew; look at the difference."""
import fnmatch
import os
import pathlib
import re
import subprocess
import tempfile

import pytest

from password_realm import PasswordRealm
from support_world import BUILD, PASSWORD, World

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
INCLUDE = SOURCE / "include" / "opensspi"
PAGE = SOURCE / "docs" / "support.md"
README = SOURCE / "README.md"
REASONS = SOURCE / "tests" / "truth" / "reasons.txt"


def defines(header, pattern):
    """(name, number) of a header's #define lines whose names match."""
    text = (INCLUDE / header).read_text(encoding="utf-8")
    return [(name, int(number, 0)) for name, number in re.findall(r"^#define (\w+) (0x[0-9A-Fa-f]+|\d+)\b", text, re.M)
            if re.fullmatch(pattern, name)]


def attributes():
    found = [pair for header in ("sspi/attributes.h", "credssp.h", "schannel.h", "sspi_ext.h")
             for pair in defines(header, r"(SECPKG|OPENSSPI)_ATTR_(?!NEGO_INFO_FLAG)\w+")]
    return sorted(found, key=lambda pair: pair[1])


def credential_attributes():
    return defines("sspi/credentials.h", r"SECPKG_CRED_ATTR_(?!KDC_NETWORK)\w+") + [
        pair for pair in attributes() if pair[0].removeprefix("SECPKG_ATTR_") in ("SUPPORTED_ALGS", "CIPHER_STRENGTHS", "SUPPORTED_PROTOCOLS", "SUPPORTED_SIGNATURES", "SESSION_TICKET_KEYS")]


def flags():
    """(role, name, what is asked, what is granted, what the other side asks for): flags of one name go together. ULONG has no room for flags above 32 bits."""
    all_flags = {name: number for name, number in defines("sspi/context.h", r"(ISC|ASC)_RE[QT]_\w+") if number < 1 << 32}
    granted_names = {"ALLOCATE_MEMORY": "ALLOCATED_MEMORY", "USE_DCE_STYLE": "USED_DCE_STYLE", "USE_HTTP_STYLE": "USED_HTTP_STYLE",
                     "USE_SUPPLIED_CREDS": "USED_SUPPLIED_CREDS", "ALLOW_NULL_SESSION": "NULL_SESSION"}
    out = []
    for prefix, other, role in (("ISC", "ASC", "client"), ("ASC", "ISC", "server")):
        for name, number in all_flags.items():
            if not name.startswith(prefix + "_REQ_"):
                continue
            short = name.removeprefix(prefix + "_REQ_")
            granted = all_flags.get(f"{prefix}_RET_{granted_names.get(short, short)}", 0)
            out.append((role, name, number, granted, all_flags.get(f"{other}_REQ_{short}", 0) if short != "ALLOCATE_MEMORY" else 0))
    return out


def asked():
    lines = [f"context {name} {number:x}" for name, number in attributes()]
    lines += [f"{role} {name} {number:x} {granted:x} {other:x}" for role, name, number, granted, other in flags()]
    lines += [f"credential {name} {number:x}" for name, number in credential_attributes()]
    return "".join(line + "\n" for line in lines)


class Asked(World):
    def ask(self, package, form="", questions=None, **environment):
        done = subprocess.run([BUILD / "tests/truth/packages", package, form], input=asked() if questions is None else questions, capture_output=True,
                              env={**self.env, **environment}, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{package} {form}: {done.returncode} {done.stderr}"
        return [line.split("\t") for line in done.stdout.splitlines()]


    def ask_others(self):
        """The functions that work on no package: what each program of that kind says."""
        authority = self.directory
        openssl = lambda *words: subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60, cwd=authority)
        (authority / "index").write_text("", encoding="ascii")
        (authority / "ca.cnf").write_text("[ca]\ndefault_ca = all\n[all]\ndatabase = index\ndefault_md = sha256\ndefault_crl_days = 2\n", encoding="ascii")
        openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "ca.crl")
        openssl("pkcs12", "-export", "-inkey", self.key, "-in", self.certificate, "-out", "server.pfx", "-passout", "pass:truth")
        askpass = self.directory / "askpass"
        askpass.write_text(f"#!/bin/sh\necho {PASSWORD}\n", encoding="ascii")
        askpass.chmod(0o700)
        module = self.directory / "sharedkey.so"
        module.write_bytes((BUILD / "samples/provider/sharedkey.so").read_bytes())
        module.chmod(0o700)
        lines = []
        for words in (["functions", "daemon", "EXAMPLE", PASSWORD, module, self.certificate], ["tokens", "daemon", "EXAMPLE", PASSWORD],
                      ["certificates", self.certificate, self.key, authority / "ca.pem", authority / "ca.crl", authority / "server.pfx"]):
            done = subprocess.run([BUILD / "tests/truth" / words[0], *words[1:]], capture_output=True, text=True, timeout=300, check=False,
                                  stdin=subprocess.DEVNULL, env={**self.env, "SSPI_ASKPASS": str(askpass)})
            assert done.returncode == 0, f"{words[0]}: {done.returncode} {done.stderr}"
            lines += [line.split("\t") for line in done.stdout.splitlines()]
        return lines


NTLM = {"TRUTH_DOMAIN": "EXAMPLE", "TRUTH_TARGET": "host/server.example.test"}
KERBEROS = {"TRUTH_DOMAIN": "EXAMPLE.TEST", "TRUTH_TARGET": "host/server.example.test"}
# What is asked of each package: more than one way where no one handshake shows all.
WAYS = {
    "Negotiate": [("", NTLM), ("", KERBEROS), ("sasl", KERBEROS)],
    "Kerberos": [("", KERBEROS), ("sasl", KERBEROS)],
    "NTLM": [("", NTLM), ("sasl", NTLM)],
    "Schannel": [("tls13", {"TRUTH_TARGET": "localhost"}), ("tls12", {"TRUTH_TARGET": "localhost"}), ("dtls", {"TRUTH_TARGET": "localhost"})],
    "CREDSSP": [("", {**NTLM, "TRUTH_TARGET": "TERMSRV/localhost"})],
    "TSSSP": [("", {**NTLM, "TRUTH_TARGET": "TERMSRV/localhost"})],
    "WDigest": [("", {"TRUTH_DOMAIN": "example.test", "TRUTH_TARGET": "ldap/server.example.test"}), ("sasl", {"TRUTH_DOMAIN": "example.test", "TRUTH_TARGET": "ldap/server.example.test"})],
}


OK, TAKEN, UNSUPPORTED = "00000000", "taken", "80090302"
WORDS = ["", TAKEN, "always", "granted"]  # the last says most


@pytest.fixture(scope="module", name="answers")
def answers_of_the_module():
    """{(table, name): {package: {role: (status, word)}}}: the best of the ways, which is the one that works."""
    out = {}
    with PasswordRealm() as realm, tempfile.TemporaryDirectory(prefix="opensspi-truth-") as directory:
        realm.addprinc("daemon", PASSWORD)
        realm.addprinc("host/server.example.test")
        realm.keytab("host/server.example.test")
        world = Asked(directory, realm)
        for table, name, role, status, word in world.ask_others():
            out[table, name] = {"": {role: (status, word)}}
        for package, ways in WAYS.items():
            for form, environment in ways:
                for table, name, role, status, word in world.ask(package, form, questions="" if form == "sasl" else None, **environment):
                    roles = out.setdefault((table, name), {}).setdefault(package, {})
                    roles[role] = max(roles.get(role, (status, word)), (status, word), key=lambda answer: (answer[0] == OK, WORDS.index(answer[1])))
    # The program holds the functions of one attribute against each other: what one says all say.
    for table, functions in (("context", "QueryContextAttributes QueryContextAttributesEx"), ("set-context", "SetContextAttributes"),
                             ("credential", "QueryCredentialsAttributes QueryCredentialsAttributesEx"), ("set-credential", "SetCredentialsAttributes")):
        for package in WAYS:
            for role in ("client", "server"):
                works = any(packages.get(package, {}).get(role, ("",))[0] == OK for (kind, _), packages in out.items() if kind == table)
                for function in functions.split():
                    for letter in "WA":
                        out.setdefault(("function", function + letter), {}).setdefault(package, {})[role] = (OK if works else UNSUPPORTED, "")
    return out


EVERYWHERE = list(WAYS)
KINDS = {"windows": "as on Windows", "differs": "differs from Windows", "elsewhere": "works, shown by another test", "missing": "not there", "note": ""}
TABLES = [("function", "Functions of a package", "Every function that takes a credential, a context or a package's name."),
          ("context", "Attributes of a context", "`QueryContextAttributes` and `QueryContextAttributesEx`, A and W, once the context is established."),
          ("set-context", "Attributes of a context that can be set", "`SetContextAttributes`; of all others it answers `SEC_E_UNSUPPORTED_FUNCTION`."),
          ("credential", "Attributes of a credential", "`QueryCredentialsAttributes` and `QueryCredentialsAttributesEx`, A and W."),
          ("set-credential", "Attributes of a credential that can be set", "`SetCredentialsAttributes`; of all others it answers `SEC_E_UNSUPPORTED_FUNCTION`."),
          ("client", "Flags of InitializeSecurityContext", "*granted*: the flag comes back because it was asked for; *always*: it comes back also unasked; *taken*: accepted, and never reported."),
          ("server", "Flags of AcceptSecurityContext", "The words are those above. Flags of one name are asked for by both sides.")]


# What Microsoft's pages of SetContextAttributes and SetCredentialsAttributes list: where one cannot be set, the page says why.
DOCUMENTED_TO_BE_SET = {
    "set-context": {f"SECPKG_ATTR_{name}" for name in ("APP_DATA", "EAP_PRF_INFO", "EARLY_START", "DTLS_MTU", "KEYING_MATERIAL_INFO")},
    "set-credential": {"SECPKG_CRED_ATTR_NAMES", "SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS", "SECPKG_ATTR_SUPPORTED_ALGS", "SECPKG_ATTR_CIPHER_STRENGTHS",
                       "SECPKG_ATTR_SUPPORTED_PROTOCOLS", "SECPKG_ATTR_SESSION_TICKET_KEYS"},
}


class Reason:
    def __init__(self, line):
        table, names, packages, roles, kind, text = (part.strip() for part in line.split("|", 5))
        assert kind in KINDS, line
        self.patterns, self.kind, self.text, self.used = (table.split(), names.split(), packages.split(), roles.split()), kind, text, False

    def fits(self, *what):
        return all(any(fnmatch.fnmatchcase(word, pattern) for pattern in patterns) for word, patterns in zip(what, self.patterns))

    def said(self):
        return f"{KINDS[self.kind]}: {self.text}" if KINDS[self.kind] else self.text


def reasons_read():
    return [Reason(line) for line in REASONS.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def status_name(status, names={}):
    if not names:
        text = "".join((INCLUDE / header).read_text(encoding="utf-8") for header in ("issperr.h", "ntstatus.h") if (INCLUDE / header).exists())
        text += "".join(path.read_text(encoding="utf-8") for path in INCLUDE.rglob("*.h"))
        for name, number in re.findall(r"#define ((?:SEC|STATUS|ERROR)_\w+) \(*(?:\(\w+\))?\(?(?:\w+\()?(0x[0-9A-Fa-f]{8})", text):
            names.setdefault(number[2:].upper(), name)
    return f"`{names.get(status, '0x' + status)}`"


class Page:
    """The page's text, and what it could not explain."""

    def __init__(self, answers):
        self.answers, self.reasons, self.unexplained = answers, reasons_read(), []

    def reason(self, table, name, package, role, status, notes):
        """The number of the note that explains this answer."""
        for reason in self.reasons:
            if reason.fits(table, name, package or "-", role or "-"):
                reason.used = True
                note = reason.said() if status == TAKEN else f"{status_name(status)}: {reason.said()}"
                if note not in notes:
                    notes.append(note)
                return notes.index(note) + 1
        self.unexplained.append(f"{table} {name} {package} {role} {status}")
        return 0

    def cell(self, table, name, package, roles, notes):
        parts = []
        for role, (status, word) in roles.items():
            flag = table in ("client", "server")
            if status != OK:
                parts.append(("no", self.reason(table, name, package, role, status, notes), role))
            elif word == TAKEN:
                parts.append((TAKEN, self.reason(table, name, package, role, TAKEN, notes), role))
            else:
                parts.append((word if flag else "yes", self.differs(table, name, package, role, notes), role))
        said = {(word, note) for word, note, role in parts}
        if len(said) == 1:
            word, note = said.pop()
            only = len(parts) == 1 and parts[0][2] and table == "function"
            return f"{parts[0][2] + ': ' if only and word != 'yes' else ''}{parts[0][2] if only and word == 'yes' else word}{f' ({note})' if note else ''}"
        return ", ".join(f"{role}{'' if word == 'yes' else ' ' + word}{f' ({note})' if note else ''}" for word, note, role in parts)

    def differs(self, table, name, package, role, notes):
        for reason in self.reasons:
            if reason.kind == "differs" and reason.fits("works:" + table, name, package or "-", role or "-"):
                reason.used = True
                note = reason.said()
                if note not in notes:
                    notes.append(note)
                return notes.index(note) + 1
        return 0

    def notes(self, notes):
        return [""] + [f"{number}. {note}" for number, note in enumerate(notes, 1)] if notes else []

    def table(self, table, title, text):
        rows = {name: packages for (kind, name), packages in self.answers.items() if kind == table}
        notes, lines, nowhere = [], [], {}
        for name, packages in rows.items():
            unsupported = all(status == UNSUPPORTED for roles in packages.values() for status, _ in roles.values())
            if unsupported and table.startswith("set-") and name not in DOCUMENTED_TO_BE_SET[table]:
                continue
            if unsupported and table != "function":
                nowhere.setdefault(self.reason(table, name, "*", "*", UNSUPPORTED, []) and next(
                    reason for reason in self.reasons if reason.fits(table, name, "*", "*")), []).append(name)
                continue
            cells = [self.cell(table, name, package, packages[package], notes) if package in packages else "-" for package in EVERYWHERE]
            lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
        out = [f"## {title}", "", text, "", "| | " + " | ".join(EVERYWHERE) + " |", "|---" * (1 + len(EVERYWHERE)) + "|", *lines, *self.notes(notes)]
        if nowhere:
            out += ["", "With no package:", ""]
            out += [f"- {', '.join(f'`{name}`' for name in names)}: {reason.said() if reason else '?'}" for reason, names in nowhere.items()]
        return out + [""]

    def others(self):
        """The functions that take no package: the headers' order, by header."""
        out, notes, works = ["## All other functions", "", "Those that work, by header:", ""], [], {}
        refused = []
        for header, names in exported().items():
            for name in names:
                roles = self.answers.get(("other", name), {}).get("")
                if roles is None:
                    continue
                status = roles[""][0]
                if status == OK:
                    works.setdefault(header, []).append(f"`{name}`" + (f" ({note})" if (note := self.differs("other", name, "", "", notes)) else ""))
                else:
                    refused.append(f"| `{name}` | {header} | no ({self.reason('other', name, '', '', status, notes)}) |")
        out += [f"- {header}: {', '.join(names)}" for header, names in works.items()]
        if refused:
            out += ["", "Those that do not:", "", "| | header | |", "|---|---|---|", *refused]
        return out + self.notes(notes) + [""]

    def text(self):
        out = ["# What works", "",
               "Written by a test (`interop.support`) that calls every exported function with every package, as client and as server, with every attribute and every flag of the headers: "
               "nobody fills it in by hand. *yes* is both roles; a number is the note below the table.", ""]
        for table in TABLES:
            out += self.table(*table)
        return "\n".join(out + self.others()).rstrip() + "\n"


# The README's rows: what, and the functions that each role calls for it. A role can do it where all of its functions work.
BRIEFLY = [
    ("handshakes", {"client": ["InitializeSecurityContextW"], "server": ["AcceptSecurityContext"]}),
    ("signed messages", {role: ["MakeSignature", "VerifySignature"] for role in ("client", "server")}),
    ("sealed messages", {role: ["EncryptMessage", "DecryptMessage"] for role in ("client", "server")}),
    ("SASL", {"client": ["SaslInitializeSecurityContextW"], "server": ["SaslAcceptSecurityContext"]}),
    ("export and import of contexts", {role: ["ExportSecurityContext", "ImportSecurityContextW"] for role in ("client", "server")}),
    ("access token, impersonation", {"server": ["QuerySecurityContextToken", "ImpersonateSecurityContext"]}),
    ("going on as the client", {"server": ["OpenSspiAcquireDelegatedCredentials"]}),
    ("password changes", {"client": ["ChangeAccountPasswordW"]}),
]


def readme_table(answers):
    """What stands between the README's markers."""
    lines = ["| | " + " | ".join(EVERYWHERE) + " |", "|---" * (1 + len(EVERYWHERE)) + "|"]
    for what, roles in BRIEFLY:
        cells = []
        for package in EVERYWHERE:
            able = [role for role, functions in roles.items()
                    if all(answers.get(("function", name), {}).get(package, {}).get(role, ("",))[0] == OK for name in functions)]
            cells.append("no" if not able else "yes" if len(able) == 2 else able[0])
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


MARKED = re.compile(r"(?<=<!-- support: written by interop\.support -->\n\n).*?(?=\n\n<!-- support: end -->)", re.S)


def test_the_table_in_the_readme(answers):
    """The README's table of packages is written of the answers, as the page is."""
    text, table = README.read_text(encoding="utf-8"), readme_table(answers)
    assert len(MARKED.findall(text)) == 1
    if os.environ.get("OPENSSPI_SUPPORT") == "write":
        text = MARKED.sub(lambda _: table, text)
        README.write_text(text, encoding="utf-8")
    assert MARKED.search(text)[0] == table, "OPENSSPI_SUPPORT=write ctest -R interop.support writes it anew"


def exported():
    """{header: names} of src/api/exports.map; those of sspi_ext.h as the header has them."""
    out, header = {}, None
    for line in (SOURCE / "src/api/exports.map").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\s*# (\S+\.h)", line):
            header = match[1]
        elif match := re.fullmatch(r"\s*(\w+);", line):
            out.setdefault(header, []).append(match[1])
    out["sspi_ext.h"] = sorted(set(re.findall(r"\b(OpenSspi\w+)\(", (INCLUDE / "sspi_ext.h").read_text(encoding="utf-8"))))
    return out


def test_every_exported_function_is_called(answers):
    called = {name for table, name in answers if table in ("function", "other")}
    assert {name for names in exported().values() for name in names} - called == set()


def test_every_answer_is_explained(answers):
    page = Page(answers)
    page.text()
    assert page.unexplained == []
    assert [f"{reason.patterns} {reason.text}" for reason in page.reasons if not reason.used] == []


def test_the_table_of_the_readme(answers):
    """Whom the README's rows of packages promise a client or a server has one, and nobody is kept back."""
    rows = re.findall(r"^\| (\w+)[ :,(][^|]*\|([^|]*)\|([^|]*)\|", MARKED.sub("", README.read_text(encoding="utf-8")), re.M)
    names = {**{package: package for package in WAYS}, "CredSSP": "CREDSSP"}
    seen = {}
    for word, client, server in rows:
        if word in names:
            promised = seen.setdefault(names[word], [False, False])
            promised[0], promised[1] = promised[0] or client.strip() != "", promised[1] or server.strip() != ""
    works = {package: [answers["function", function].get(package, {}).get(role, ("",))[0] == OK
                       for function, role in (("InitializeSecurityContextW", "client"), ("AcceptSecurityContext", "server"))] for package in WAYS}
    works.pop("TSSSP")  # beside CredSSP in its row
    assert seen == works


def test_the_page(answers):
    text = Page(answers).text()
    if os.environ.get("OPENSSPI_SUPPORT") == "write":
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text, "OPENSSPI_SUPPORT=write ctest -R interop.support writes it anew"
