#!/usr/bin/env python3
"""Makes the manual pages, so that they cannot say something else than what they describe.

make_manual.py SOURCE SSPI OUTPUT: functions (3) from the headers' comments, sspi.1 and opensspi-errors.7 from the command's own tables, opensspi.conf.5
from docs/configuration.md; what is written by hand stands in man/. Pages are mdoc."""
import json
import pathlib
import re
import subprocess
import sys

# Page, headers under include/opensspi, what it is about, what to include.
FAMILIES = [
    ("sspi_packages", ["sspi/packages.h"], "which security packages there are", "sspi.h"),
    ("sspi_credentials", ["sspi/credentials.h"], "credentials", "sspi.h"),
    ("sspi_contexts", ["sspi/context.h"], "handshakes and contexts", "sspi.h"),
    ("sspi_messages", ["sspi/messages.h"], "signing and encrypting messages", "sspi.h"),
    ("sspi_attributes", ["sspi/attributes.h"], "asking contexts and packages", "sspi.h"),
    ("sspi_identities", ["sspi/identity.h"], "names and secrets that credentials are made from", "sspi.h"),
    ("sspi_sasl", ["sspi/sasl.h"], "handshakes by SASL's rules", "sspi.h"),
    ("sspi_table", ["sspi/table.h"], "the functions as a table", "sspi.h"),
    ("sspi_tls", ["schannel.h"], "TLS through SSPI", "schannel.h"),
    ("sspi_certificates", ["wincrypt/certificates.h", "wincrypt/properties.h", "wincrypt/objects.h", "wincrypt/info.h", "wincrypt/errors.h"],
     "certificates and their properties", "wincrypt.h"),
    ("sspi_certificate_stores", ["wincrypt/stores.h", "wincrypt/crls.h"], "stores of certificates", "wincrypt.h"),
    ("sspi_certificate_chains", ["wincrypt/chains.h"], "chains of trust", "wincrypt.h"),
    ("sspi_certificate_text", ["wincrypt/text.h"], "certificates' names, and bytes as text", "wincrypt.h"),
    ("sspi_tokens", ["win32/securitybaseapi.h", "win32/processthreadsapi.h", "win32/handleapi.h"], "access tokens, impersonation, SIDs, access checks",
     "win32/securitybaseapi.h"),
    ("sspi_sddl", ["win32/sddl.h"], "SIDs and security descriptors as text", "win32/sddl.h"),
    ("sspi_logon", ["win32/winbase.h", "win32/errhandlingapi.h"], "logons by password, accounts' names, last errors", "win32/winbase.h"),
    ("sspi_ext", ["sspi_ext.h"], "what is OpenSSPI's own", "sspi_ext.h"),
    ("sspi_lsa", ["ntsecapi.h", "secext.h", "security.h", "credssp.h", "ntsecpkg.h"], "authorities and security packages", "ntsecapi.h"),
]
FUNCTION = re.compile(r"^(?!typedef|#|\})[A-Za-z_][\w \t\*]*?[ \t\*](?:WINAPI |APIENTRY |SEC_ENTRY |NTAPI )?(\w+)\([^;{}]*\);", re.M)


def roff(text):
    """Text for a line of its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return ("\\&" + text) if text[:1] in (".", "'") else text


def polished(text):
    """Each sentence on a line of its own, as mdoc wants it; displays and macros stay as they are."""
    out, literal = [], False
    for line in text.split("\n"):
        if line.startswith((".Bd -literal", ".Ed")):
            literal = line.startswith(".Bd")
        if not literal and not line.startswith("."):
            line = re.sub(r"(?<=[\w)\]\"'][.!?]) +", "\n", re.sub(r"([.!?]\)) +", r"\1\n", line))
            line = re.sub(r"\n(?=[.'])", r"\n\\&", line)
        out.append(line)
    return "\n".join(out)


def comment_lines(comment):
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment.strip()[2:-2].split("\n")]
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    return [line.rstrip() for line in lines]


def functions(text):
    """(name, prototype, comment's lines) for each function of a header, in order."""
    found = []
    for match in FUNCTION.finditer(text):
        before = text[:match.start()].rstrip()
        lines = []
        if before.endswith("*/"):
            lines = comment_lines(before[before.rindex("/*"):])
        found.append((match.group(1), match.group(0), lines))
    return found


def paragraphs(lines):
    out, now = [], []
    for line in lines + [""]:
        if line.strip():
            now.append(line)
        elif now:
            out.append(now)
            now = []
    return out


TERM = re.compile(r"^([A-Za-z_][\w, ]*?)(?:  +|: )(\S.*)$")


def description(lines):
    out = []
    for number, paragraph in enumerate(paragraphs(lines)):
        if number:
            out.append(".Pp")
        terms = [TERM.match(line) for line in paragraph]
        if terms[0] and re.match(r"\w+  +", paragraph[0]) or (terms[0] and number and re.match(r"[a-z]+[A-Z]\w*:? ", paragraph[0])):
            if out and out[-1] == ".Pp":
                out.pop()
            out.append(".Bl -tag -width indent")
            for line, term in zip(paragraph, terms):
                if term and not line.startswith(" "):
                    out += [".It Fa " + roff(term.group(1)).replace(",", " ,"), roff(term.group(2))]
                else:
                    out.append(roff(line.strip()))
            out.append(".El")
        else:
            out += [roff(line.strip()) for line in paragraph]
    return out


def head(date, title, section):
    return [f".Dd {date}", f".Dt {title.upper()} {section}", ".Os OpenSSPI"]


def function_page(source, output, name, headers, what, include, date):
    found = []
    for header in headers:
        found += functions((source / "include/opensspi" / header).read_text())
    seen, unique = set(), []
    for entry in found:
        if entry[0] not in seen:
            seen.add(entry[0])
            unique.append(entry)
    if not unique:
        return []
    page = head(date, name, 3) + [".Sh NAME", f".Nm {name}", f".Nd {what}", ".Sh LIBRARY", "OpenSSPI (libopensspi, \\-lopensspi)", ".Sh SYNOPSIS",
                                  f".In {include}", ".Bd -literal"]
    for _, prototype, _ in unique:
        page += [roff(line) for line in prototype.split("\n")]
    page += [".Ed", ".Sh DESCRIPTION"]
    last = None
    for function, _, lines in unique:
        page.append(f".Ss {function}")
        page += description(lines) if lines else [f"See {last}, above." if last else "See the header."]
        last = function if lines else last
    page += [".Sh SEE ALSO", ".Xr sspi 3 ,", ".Xr opensspi 7"]
    (output / f"{name}.3").write_text(polished("\n".join(page)) + "\n")
    return [entry[0] for entry in unique]


def index_page(output, pages, date):
    page = head(date, "sspi", 3) + [".Sh NAME", ".Nm sspi", ".Nd the functions of OpenSSPI", ".Sh DESCRIPTION",
                                    "Each family of functions has a page; each function's name leads to it."]
    page.append(".Bl -tag -width indent")
    for name, what, names in pages:
        page += [f".It Xr {name} 3", roff(what[0].upper() + what[1:]) + ":", ", ".join(names) + "."]
    page += [".El", ".Sh SEE ALSO", ".Xr sspi 1 ,", ".Xr opensspi.conf 5 ,", ".Xr opensspi 7"]
    (output / "sspi.3").write_text(polished("\n".join(page)) + "\n")


def inline(text):
    """A table's cell of Markdown as text."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return roff(text.replace("`", ""))


def configuration(source):
    out, section = [], None
    for line in (source / "docs/configuration.md").read_text().split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if len(cells) != 4 or cells[0] in ("section, key", "---"):
            continue
        match = re.match(r"`\[(\w+)\]` (.*)$", cells[0])
        if match:
            if section:
                out.append(".El")
            section, key = match.groups()
            out += [f".Ss [{section}]", ".Bl -tag -width indent"]
        else:
            key = cells[0]
        out.append(f".It Cm {inline(key)} No = Ar {inline(cells[1])}")
        if cells[3]:
            text = inline(cells[3])
            out.append(text[0].upper() + text[1:] + ("" if text.endswith(".") else "."))
        if cells[2]:
            out.append(f"Default: {inline(cells[2])}.")
    return out + [".El"]


def errors(command):
    """The statuses that `sspi error` explains."""
    listed = subprocess.run([command, "error", "--json"], check=True, capture_output=True, text=True).stdout
    out = [".Bl -tag -width indent"]
    for entry in json.loads(listed):
        out += [f".It Dv {entry['name']} No ({entry['hex']})", roff(entry["meaning"]), roff(entry["advice"])]
    return out + [".El"]


def main():
    source, command, output = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
    output.mkdir(parents=True, exist_ok=True)
    date = "November 21, 2026"
    pages = []
    for name, headers, what, include in FAMILIES:
        names = function_page(source, output, name, headers, what, include, date)
        if names:
            pages.append((name, what, names))
        for function in names:
            (output / f"{function}.3").write_text(f".so man3/{name}.3\n")
    index_page(output, pages, date)
    commands = subprocess.run([command, "completion", "mdoc"], check=True, capture_output=True, text=True).stdout.rstrip("\n")
    parts = {"@COMMANDS@": commands, "@KEYS@": "\n".join(configuration(source)), "@ERRORS@": "\n".join(errors(command))}
    for template in sorted((source / "man").iterdir()):
        text = template.read_text()
        for mark, value in parts.items():
            text = text.replace(mark, value)
        (output / template.name.removesuffix(".in")).write_text(polished(text))


if __name__ == "__main__":
    main()
