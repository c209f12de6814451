#!/usr/bin/env python3
"""Makes the manual pages, so that they cannot say something else than what they describe.

make_manual.py SOURCE SSPI OUTPUT: functions (3) of both libraries from the headers' comments, sspi.1 and opensspi-errors.7 from the command's own tables, opensspi.conf.5
from docs/configuration.md; what is written by hand stands in man/. Pages are mdoc."""
import json
import pathlib
import re
import subprocess
import sys

# Page, headers under include/opensspi, what it is about.
FAMILIES = [
    ("sspi_packages", ["sspi/packages.h"], "which security packages there are"),
    ("sspi_credentials", ["sspi/credentials.h"], "credentials"),
    ("sspi_contexts", ["sspi/context.h"], "handshakes and contexts"),
    ("sspi_messages", ["sspi/messages.h"], "signing and encrypting messages"),
    ("sspi_attributes", ["sspi/attributes.h"], "asking contexts and packages"),
    ("sspi_identities", ["sspi/identity.h"], "names and secrets that credentials are made from"),
    ("sspi_sasl", ["sspi/sasl.h"], "handshakes by SASL's rules"),
    ("sspi_table", ["sspi/table.h"], "the functions as a table"),
    ("sspi_tls", ["schannel.h"], "TLS through SSPI"),
    ("sspi_certificates", ["wincrypt/certificates.h", "wincrypt/properties.h", "wincrypt/objects.h"],
     "certificates and their properties"),
    ("sspi_certificate_stores", ["wincrypt/stores.h", "wincrypt/crls.h"], "stores of certificates"),
    ("sspi_certificate_chains", ["wincrypt/chains.h"], "chains of trust"),
    ("sspi_certificate_text", ["wincrypt/text.h", "wincrypt/decode.h"], "certificates' names and extensions, and bytes as text"),
    ("sspi_tokens", ["win32/securitybaseapi.h", "win32/processthreadsapi.h"], "access tokens, impersonation, SIDs, access checks"),
    ("sspi_sddl", ["win32/sddl.h"], "SIDs and security descriptors as text"),
    ("sspi_logon", ["win32/winbase.h"], "logons by password, accounts' names"),
    ("sspi_ext", ["sspi_ext.h"], "what is OpenSSPI's own"),
    ("sspi_lsa", ["ntsecapi.h", "secext.h"], "authorities and security packages"),
]
# libopensspi-win32's: page, headers under include/opensspi/win32 with the names that are meant where it is not all of them, what it is about.
WIN32_FAMILIES = [
    ("win32_modules", {"libloaderapi.h": ""}, "modules, and functions by name"),
    ("win32_errors", {"errhandlingapi.h": "", "winbase.h": "FormatMessage|OutputDebugString", "winternl.h": "RtlNtStatus"}, "error codes and their texts"),
    ("win32_memory", {"heapapi.h": "", "winbase.h": "Local|Global|SecureZero"}, "blocks of memory"),
    ("win32_strings", {"winbase.h": "lstr", "stringapiset.h": "", "winuser.h": "", "winternl.h": "RtlInit"}, "text, and text of another width"),
    ("win32_crt", {"crt.h": "", "crt_scan.h": ""}, "the C library's functions as Windows has them, for text of 8 and 16 bits"),
    ("win32_strsafe", {"strsafe.h": ""}, "text that never runs over its buffer"),
    ("win32_time", {"sysinfoapi.h": "Get(?!Computer|SystemDir|WindowsDir|Version)", "fileapi.h": "FileTime|LocalFileTime|Compare", "timezoneapi.h": "", "profileapi.h": ""}, "clocks and file times"),
    ("win32_names", {"winbase.h": "GetUser|GetComputer", "processenv.h": "[GS]etEnvironment", "sysinfoapi.h": "GetComputer|GetSystemDir|GetWindowsDir|GetVersion|Ver"},
     "names of users, computers and places, and the version"),
    ("win32_files", {"fileapi.h": "CreateFile|DeleteFile|GetFile(?!Type)|SetFile|SetEnd|FlushFile"}, "files by handles"),
    ("win32_descriptors", {"securitybaseapi.h": ""}, "security descriptors that programs build"),
    ("win32_threads", {"processthreadsapi.h": "[A-Z]", "process.h": "", "synchapi.h": "", "handleapi.h": ""}, "threads, locks, and waiting"),
    ("win32_console", {"consoleapi.h": "", "consoleapi2.h": "", "processenv.h": "GetStd", "fileapi.h": "ReadFile|WriteFile|GetFileType", "conio.h": ""},
     "the console, standard handles and keys"),
    ("win32_sockets", {"winsock2.h": "", "ws2tcpip.h": ""}, "sockets"),
]
FUNCTION = re.compile(r"^(?!typedef|#|\}|template)(?:static inline )?[A-Za-z_][\w \t\*]*?[ \t\*](?:WINAPI |APIENTRY |SEC_ENTRY |NTAPI )?(\w+)"
                      r"\([^;{}]*\)(?:;|(?=\n\{))", re.M)
SYMBOL = re.compile(r"\s*(?:OPENSSPI_WIN32_SYMBOL\(\w+\)|__attribute__\(\(.*?\)\))")


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


def written_names(text):
    """{symbol: the names that programs write for it} of a header that gives its functions other names by macros."""
    names = {}
    for name, symbol in re.findall(r"^#define (\w+)(?:\(\.\.\.\))? (opensspi_\w+)(?:\((?:OPENSSPI_LONGS\(__VA_ARGS__\), )?__VA_ARGS__\))?$", text, re.M):
        names.setdefault(symbol, []).append(name)
    for name in re.findall(r"^OPENSSPI_RENAMED\((\w+)\)$", text, re.M):
        names["opensspi_" + name] = [name]
    if "opensspi_run_wmain" in text:
        names["opensspi_run_wmain"] = ["wmain"]
    return names


def win32_functions(header, text, chosen, more=""):
    """The same for libopensspi-win32's, under the names that programs write. The names that the C library has, too, get no page of their own."""
    names, found = written_names(text + more), []
    for name, prototype, lines in functions(text):
        ours = "OPENSSPI_WIN32_SYMBOL(" in prototype or name in names or (header == "strsafe.h" and prototype.startswith("static inline"))
        if not ours or not re.match(chosen, names.get(name, [name])[0]):
            continue
        prototype = prototype.replace("(unsigned long long longs, ", "(")  # which the macros add
        prototype = SYMBOL.sub("", prototype).removeprefix("static inline ").removesuffix(";") + ";"
        for number, written in enumerate(names.get(name, [name])):
            shown = re.sub(rf"\b{name}\b", written, prototype)
            found.append((written, shown, lines if number == 0 else [], written in names.get(name, []) and "_" not in written))
    return found


def file_comment(text):
    """What a header says of all its functions: its first comment without its title, which is its first sentence, and its licence."""
    first, *others = paragraphs(comment_lines(text[text.index("/*"):text.index("*/") + 2]))
    after_title = re.split(r"(?<=[\w)])\.\s(?=[A-Z\n]|$)", "\n".join(first) + "\n", maxsplit=1)[1].strip()
    parts = [after_title.split("\n")] * bool(after_title) + others
    return [line for part in parts if not part[0].startswith(("SPDX", "Source:")) for line in ["", *part]]


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


def described(functions_found):
    """The descriptions, those of functions with one comment together."""
    groups, of = [], {}
    for name, _, lines in functions_found:
        # Its twin for text of another width, or for bytes instead of characters.
        kind = re.sub(r"^StringCb", "StringCch", re.sub(r"[AW]$", "", name))
        if lines or not groups:
            groups.append(([name], lines))
        else:
            of.get(kind, groups[-1])[0].append(name)
        of.setdefault(kind, groups[-1])
    out = []
    for names, lines in groups:
        if not lines:
            raise SystemExit(f"{names[0]}: no comment says what it does")
        out += [".Ss " + " , ".join(names)] + description(lines)
    return out


def function_page(output, name, found, library, what, date, intro=()):
    """`found` is {what a program includes: its functions}."""
    seen, unique = set(), []
    page = head(date, name, 3) + [".Sh NAME", f".Nm {name}", f".Nd {what}", ".Sh LIBRARY", library, ".Sh SYNOPSIS"]
    for include, entries in found.items():
        page += [f".In {include}", ".Bd -literal"]
        for entry in entries:
            if entry[0] not in seen:
                seen.add(entry[0])
                unique.append(entry)
                page += [roff(line) for line in entry[1].split("\n")]
        page.append(".Ed")
    page += [".Sh DESCRIPTION", *intro, *described(unique)]
    page += [".Sh SEE ALSO", ".Xr sspi 3 ,", ".Xr opensspi-win32 7" if name.startswith("win32_") else ".Xr opensspi 7"]
    (output / f"{name}.3").write_text(polished("\n".join(page)) + "\n")
    return [entry[0] for entry in unique]


def base_pages(source, output, date):
    pages = []
    for name, headers, what in FAMILIES:
        found = {}
        for header in headers:
            text = (source / "include/opensspi" / header).read_text()
            these = [entry for entry in functions(text) if "OPENSSPI_WIN32_SYMBOL(" not in entry[1] and not entry[1].startswith("static inline")]
            if not these:
                raise SystemExit(f"{header}: no functions")
            # The parts of <sspi.h> and <wincrypt.h> are not included by themselves.
            part = re.match(r"(sspi|wincrypt)/", header)
            found.setdefault(f"{part.group(1)}.h" if part else header, []).extend(these)
        names = function_page(output, name, found, "OpenSSPI (libopensspi, \\-lopensspi)", what, date)
        pages.append((name, what, names, names))
    return pages


def win32_pages(source, output, date):
    pages = []
    for name, headers, what in WIN32_FAMILIES:
        found, intro = [], []
        for header, chosen in headers.items():
            text = (source / "include/opensspi/win32" / header).read_text()
            # Names that only <tchar.h> has.
            more = (source / "include/opensspi/win32/tchar.h").read_text() if header == "crt.h" else ""
            these = win32_functions(header, text, chosen, more)
            if not these or not these[0][2] and header != "strsafe.h":
                raise SystemExit(f"{header}: no functions, or the first has no comment")
            found += these
            about = file_comment(text) if not chosen else []
            intro += ([".Pp"] if intro and about else []) + (description(about) if about else [])
        include = "process.h" if name == "win32_threads" else "strsafe.h" if name == "win32_strsafe" else "windows.h"
        names = function_page(output, name, {include: [entry[:3] for entry in found]}, "OpenSSPI's porting kit (libopensspi\\-win32, \\-lopensspi\\-win32 \\-lopensspi)",
                              what, date, intro)
        the_c_librarys = {entry[0] for entry in found if entry[3]}
        pages.append((name, what, names, [function for function in names if function not in the_c_librarys]))
    return pages


def index_page(output, pages, date):
    page = head(date, "sspi", 3) + [".Sh NAME", ".Nm sspi", ".Nd the functions of OpenSSPI", ".Sh DESCRIPTION",
                                    "Each family of functions has a page; each function's name leads to it."]
    page.append(".Bl -tag -width indent")
    for name, what, names, _ in pages:
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
    kit = win32_pages(source, output, date)
    pages = base_pages(source, output, date) + kit
    for name, _, _, linked in pages:
        for function in linked:
            (output / f"{function}.3").write_text(f".so man3/{name}.3\n")
    index_page(output, pages, date)
    commands = subprocess.run([command, "completion", "mdoc"], check=True, capture_output=True, text=True).stdout.rstrip("\n")
    parts = {"@COMMANDS@": commands, "@KEYS@": "\n".join(configuration(source)), "@ERRORS@": "\n".join(errors(command)),
             "@FAMILIES@": "\n".join(f".It Xr {name} 3\n{roff(what[0].upper() + what[1:])}." for name, what, _, _ in kit)}
    for template in sorted((source / "man").iterdir()):
        text = template.read_text()
        for mark, value in parts.items():
            text = text.replace(mark, value)
        (output / template.name.removesuffix(".in")).write_text(polished(text))


if __name__ == "__main__":
    main()
