#!/usr/bin/env python3
"""Compares the public headers with mingw-w64's: every constant, structure, offset, GUID and prototype.

usage: abi_probe.py include-dir [win32]        (the directory that holds sspi.h)

With win32 the headers of libopensspi-win32 are compared, which need not have all that Windows' have, by lists of their own.

Both compilers are asked for numbers, and nothing is run: each number becomes a line of an assembly listing. What the
probe asks for is found by reading our headers. Then the question is turned round: what do the SSPI headers of mingw-w64
declare that ours do not?

Three lists beside this file say what may differ, each entry with its reason. An entry that nothing needs is an error,
too, so that the lists stay true:

    abi_differences.txt   things that both have and that differ
    abi_ours_only.txt     names that ours have and mingw-w64's do not: newer than it, with the source
    abi_theirs_only.txt   names that mingw-w64's have and ours do not: out of scope

CC and MINGW_CC name other compilers. Exit status: 0 alike, 1 differences, 77 no mingw-w64 compiler.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import winheaders  # noqa: E402

OUR_HEADERS = ["security.h", "schannel.h", "credssp.h", "ntsecapi.h", "ntsecpkg.h", "issperr.h", "wincrypt.h",
               "win32/winbase.h", "win32/sddl.h"]
THEIR_HEADERS = ["windows.h", "security.h", "schannel.h", "credssp.h", "ntsecapi.h", "ntsecpkg.h", "wincrypt.h", "ncrypt.h",
                 "wininet.h", "sddl.h"]

# Headers of mingw-w64 that must be covered whole, and winerror.h for the statuses of SSPI and of certificate checks.
COVERED = {"sspi.h", "secext.h", "security.h", "schannel.h", "credssp.h", "ntsecapi.h", "ntsecpkg.h", "issperr.h"}
STATUSES = re.compile(r"(SEC_[EI]|CRYPT_[EI]|CERT_E|TRUST_E)_")

# _WIN32_WINNT and NTDDI_VERSION ask mingw-w64 for the newest Windows it knows.
DEFINES = [
    "-DUNICODE", "-DSECURITY_WIN32", "-DSCHANNEL_USE_BLACKLISTS", "-DCERT_CHAIN_PARA_HAS_EXTRA_FIELDS"
]
THEIR_DEFINES = ["-D_WIN32_WINNT=0x0A00", "-DNTDDI_VERSION=0x0A00000C", "-D_SEC_WINNT_AUTH_TYPES"]

# Spellings of one type, so that prototypes can be compared as text.
SPELLINGS = [
    (r"\b(unsigned long|DWORD)\b", "ULONG"),
    (r"\bWINBOOL\b", "BOOL"),
    (r"\b(int)\b", "BOOL"),
    (r"\b(LPWSTR|PWSTR)\b", "WCHAR*"),
    (r"\b(LPCWSTR|PCWSTR)\b", "const WCHAR*"),
    (r"\b(LPSTR|PSTR)\b", "CHAR*"),
    (r"\b(LPCSTR|PCSTR)\b", "const CHAR*"),
    (r"\bSEC_(W?CHAR)\b", r"\1"),
    (r"\bchar\b", "CHAR"),
    (r"\b(PVOID|LPVOID|HANDLE)\b", "void*"),
    (r"\b(PULONG|PDWORD)\b", "ULONG*"),
    (r"\bPHANDLE\b", "void**"),
    (r"\bPBYTE\b", "BYTE*"),
    (r"\bVOID\b", "void"),
    (r"\bCONST\b", "const"),
]


# The porting kit: its names must be Windows' and mean the same; what it leaves out is not there.
KIT_OURS = ["windows.h", "winsock2.h", "ws2tcpip.h", "tchar.h", "strsafe.h", "sddl.h", "lm.h", "wincred.h", "winternl.h", "ntstatus.h", "rpc.h", "process.h"]
KIT_THEIRS = ["winsock2.h", "ws2tcpip.h", "windows.h", "security.h", "tchar.h", "strsafe.h", "sddl.h", "lm.h", "wincred.h", "winternl.h", "rpc.h", "process.h", "sal.h"]


class Allowed:
    """A list of names, or patterns of names, with reasons."""

    def __init__(self, path):
        self.path = path
        self.entries = []
        self.used = set()
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                line = line.strip()
                if not line or line.startswith("#"):
                    continue
                pattern, _, reason = line.partition("  ")
                if not reason.strip():
                    sys.exit("%s:%d: no reason given for %s" % (path, number, pattern))
                self.entries.append(pattern)

    def covers(self, name):
        hits = [pattern for pattern in self.entries if fnmatch.fnmatchcase(name, pattern)]
        self.used.update(hits)
        return bool(hits)

    def stale(self):
        return [pattern for pattern in self.entries if pattern not in self.used]


def compile_errors(command, text):
    """Numbers of the lines of `text` that the compiler rejects."""
    result = subprocess.run(
        command + ["-fsyntax-only", "-w", "-fmax-errors=0", "-x", "c", "-"],
        input=text, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},  # in English
    )
    return {int(number) for number in re.findall(r"^<stdin>:(\d+):\d+: (?:fatal )?error", result.stderr, re.M)}


def constant(command, prefix, expressions):
    """Those of {key: expression} that are integer constant expressions to the compiler."""
    expressions = dict(expressions)
    for _ in range(8):
        keys = list(expressions)
        start = prefix.count("\n") + 1
        lines = ["_Static_assert(((%s) | 1) || 1, \"\");" % expressions[key] for key in keys]
        bad = {number - start for number in compile_errors(command, prefix + "\n".join(lines) + "\n")}
        if not bad:
            return expressions
        if any(index < 0 or index >= len(keys) for index in bad):
            sys.exit("errors outside the probes: lines %s" % sorted(bad))
        for index in bad:
            del expressions[keys[index]]
    sys.exit("the probes do not settle")


def numbers(command, prefix, expressions):
    """{key: number} for {key: expression}, read from an assembly listing."""
    keys = list(expressions)
    # In four pieces: an operand of an asm statement has to fit into 32 bits.
    text = prefix + "#define PIECE(x, n) \"i\"((int)((unsigned long long)(long long)(x) >> (16 * (n)) & 0xFFFF))\n"
    text += "void probe(void)\n{\n"
    for index, key in enumerate(keys):
        text += '__asm__ volatile("\\n@@ %d %%c0 %%c1 %%c2 %%c3\\n" : : ' % index
        text += ", ".join("PIECE(%s, %d)" % (expressions[key], piece) for piece in range(4)) + ");\n"
    text += "}\n"
    with tempfile.TemporaryDirectory() as folder:
        listing = os.path.join(folder, "probe.s")
        subprocess.run(command + ["-w", "-S", "-O1", "-x", "c", "-", "-o", listing], input=text, text=True, check=True)
        with open(listing, encoding="utf-8") as lines:
            found = {
                index: sum(int(piece) << (16 * place) for place, piece in enumerate(pieces.split()))
                for index, pieces in re.findall(r"^@@ (\d+) ([\d ]+)", lines.read(), re.M)
            }
    if len(found) != len(keys):
        sys.exit("%d probes, %d answers" % (len(keys), len(found)))
    return {key: found[str(index)] for index, key in enumerate(keys)}


def macro_key(name):
    return "constant " + name


def probes(names, headers):
    """Every number to be asked for, as {key: expression}, for the names that `names` lets through."""
    result = {}
    for name in list(headers.macros) + list(headers.enumerators):
        if names(name):
            result[macro_key(name)] = name
    for name in headers.typedefs:
        if names(name):
            result["sizeof " + name] = "sizeof(%s)" % name
    for name, members in headers.structs.items():
        if not names(name):
            continue
        result["sizeof " + name] = "sizeof(%s)" % name
        for member in members:
            result["offsetof %s.%s" % (name, member)] = "__builtin_offsetof(%s, %s)" % (name, member)
            result["width %s.%s" % (name, member)] = "sizeof(((%s *)0)->%s)" % (name, member)
    return result


def spelled(text):
    for pattern, replacement in SPELLINGS:
        text = re.sub(pattern, replacement, text)
    text = re.sub(r"\[\]$", "*", text)
    return re.sub(r"\s*\*\s*", "*", text).strip()


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["win32"]):
        sys.exit(__doc__)
    kit = len(sys.argv) == 3
    suffix = "_win32" if kit else ""
    include = os.path.realpath(sys.argv[1])
    here = os.path.dirname(os.path.realpath(__file__))
    ours_cc = os.environ.get("CC", "gcc")
    theirs_cc = os.environ.get("MINGW_CC", "x86_64-w64-mingw32-gcc")
    if not shutil.which(theirs_cc):
        print("no %s here: install gcc-mingw-w64-x86-64" % theirs_cc)
        sys.exit(77)

    differences = Allowed(os.path.join(here, "abi_differences%s.txt" % suffix))
    ours_only = Allowed(os.path.join(here, "abi_ours_only%s.txt" % suffix))
    theirs_only = Allowed(os.path.join(here, "abi_theirs_only%s.txt" % suffix))
    complaints = []

    def complain(allowed, name, text):
        if not allowed.covers(name):
            complaints.append(text)

    # -fshort-wchar, so that wide strings have the type they have on Windows.
    ours_command = [ours_cc, "-std=gnu11", "-fshort-wchar", "-I" + include] + DEFINES
    theirs_command = [theirs_cc, "-std=gnu11"] + DEFINES + THEIR_DEFINES
    ours_prefix = "".join("#include <%s>\n" % name for name in (KIT_OURS if kit else OUR_HEADERS))
    theirs_prefix = "".join("#include <%s>\n" % name for name in (KIT_THEIRS if kit else THEIR_HEADERS))
    if kit:
        ours_command += ["-DOPENSSPI_WIN32=1", "-I" + os.path.join(include, "win32")]
        ours_command.sort(key=lambda word: word == "-I" + include)  # win32/ stands first
        theirs_prefix = "#define WIN32_NO_STATUS\n" + theirs_prefix + "#undef WIN32_NO_STATUS\n#include <ntstatus.h>\n"
    place = os.path.join(include, "win32") if kit else include
    ours = winheaders.read(
        ours_command, ours_prefix, lambda path: os.path.realpath(path).startswith(place + os.sep)
    )
    theirs = winheaders.read(theirs_command, theirs_prefix, lambda path: True)

    def covered(name):
        """Whether a name of mingw-w64's headers is one that ours must have."""
        header = os.path.basename(theirs.origin.get(name, ""))
        return header in COVERED or (header == "winerror.h" and STATUSES.match(name) is not None)

    # What ours have and theirs have not.
    tables = [
        ("macro", "macros"), ("macro", "calls"), ("enumerator", "enumerators"), ("type", "typedefs"),
        ("structure", "structs"), ("function", "functions"), ("GUID", "guids"),
    ]
    everything = set()
    for _, table in tables:
        everything.update(getattr(theirs, table))
    # Guards and helpers of ours.
    private = re.compile(r"(P?OPENSSPI|OpenSspi|opensspi_|_*SSPI_H_*|_*[A-Z0-9]+_DEFINED_*$)")
    for kind, table in tables:
        for name in getattr(ours, table):
            if name not in everything and not private.match(name):
                complain(ours_only, name, "only ours: %s %s (%s)" % (kind, name, ours.origin[name]))

    # What theirs have and ours have not.
    known = set()
    for _, table in tables:
        known.update(getattr(ours, table))
    for kind, table in tables:
        for name in getattr(theirs, table):
            if not kit and covered(name) and name not in known:
                complain(theirs_only, name, "only theirs: %s %s (%s)" % (kind, name, theirs.origin[name]))

    # Members.
    for name, members in ours.structs.items():
        if name in theirs.structs:
            for member in members:
                if member not in theirs.structs[name]:
                    complain(ours_only, "%s.%s" % (name, member), "only ours: member %s.%s" % (name, member))
            for member in theirs.structs[name]:
                if member not in members:
                    complain(theirs_only, "%s.%s" % (name, member), "only theirs: member %s.%s" % (name, member))

    # Numbers.
    def shared(name):
        return name in everything

    ours_probes = constant(ours_command, ours_prefix, probes(shared, ours))
    theirs_probes = constant(theirs_command, theirs_prefix, ours_probes)
    for key in ours_probes:
        if key not in theirs_probes:
            name = key.split(" ", 1)[1]
            if not ours_only.covers(name):
                complain(differences, name, "a number in ours only: %s" % key)
    ours_numbers = numbers(ours_command, ours_prefix, theirs_probes)
    theirs_numbers = numbers(theirs_command, theirs_prefix, theirs_probes)
    for key, number in ours_numbers.items():
        if number != theirs_numbers[key]:
            complain(
                differences, key.split(" ", 1)[1],
                "%s: ours %d (%#x), theirs %d (%#x)" % (key, number, number, theirs_numbers[key], theirs_numbers[key]),
            )
    # Constants of theirs that are no numbers in ours.
    theirs_macros = {macro_key(name): name for name in theirs.macros if covered(name) and name in known}
    for key, name in constant(theirs_command, theirs_prefix, theirs_macros).items():
        if key not in ours_probes:
            complain(differences, name, "a number in theirs only: %s" % key)

    # Strings, GUIDs, prototypes.
    strings = 0
    for name, text in ours.macros.items():
        other = theirs.macros.get(name, "")
        match = re.match(r'(?:OPENSSPI_WIDE\()?("[^"]*")\)?$', text)
        other_match = re.match(r'L?("[^"]*")$', other)
        if match and other_match:
            strings += 1
            if match.group(1) != other_match.group(1):
                complain(differences, name, "%s: ours %s, theirs %s" % (name, text, other))
    for name, value in ours.guids.items():
        if name in theirs.guids and value != theirs.guids[name]:
            complain(differences, name, "GUID %s differs" % name)
    prototypes = 0
    for name, (result, parameters) in ours.functions.items():
        if name not in theirs.functions:
            continue
        prototypes += 1
        other_result, other_parameters = theirs.functions[name]
        mine = [spelled(text) for text in [result] + parameters]
        their = [spelled(text) for text in [other_result] + other_parameters]
        if mine != their:
            complain(differences, name, "%s:\n    ours   %s\n    theirs %s" % (name, mine, their))

    for allowed in (differences, ours_only, theirs_only):
        for pattern in allowed.stale():
            complaints.append("%s: nothing needs %s" % (os.path.basename(allowed.path), pattern))
    for complaint in complaints:
        print(complaint)
    print(
        "%d numbers, %d strings, %d GUIDs, %d prototypes compared; %d complaints"
        % (len(ours_numbers), strings, len(ours.guids), prototypes, len(complaints))
    )
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
