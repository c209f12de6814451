#!/usr/bin/env python3
"""Checks that src/ keeps to the floors of docs/architecture.md, by its #include lines, and uses no unsafe C function.

Prints one line for each breach, as file:line: what, and fails when there is any.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Without bounds, without errors, or with a static buffer that threads share.
UNSAFE = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|alloca|gets|strtok|atoi|atol|atoll|localtime|gmtime|ctime|asctime"
                    r"|getpwnam|getpwuid|getgrnam|getgrgid|getlogin|gethostbyname|setlocale|setenv|putenv|rand|srand)\s*\(")
OPENSSL = {"crypto", "certificates", "schannel"}  # the folders that may include <openssl/...>


def read_floors():
    floors = {}
    packages = set()
    level = 0
    for line in (ROOT / "tools/floors.txt").read_text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        for folder in words[1:]:
            floors[folder] = level
            if words[0] == "packages":
                packages.add(folder)
        level += 1
    return floors, packages


def code_lines(text):
    """The lines of a C file with comments, and string and character literals outside #include, blanked out."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|^[ \t]*#[ \t]*include[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                         re.DOTALL | re.MULTILINE)
    return pattern.sub(lambda m: m.group(0) if m.group(0).lstrip().startswith("#") else blank(m), text).split("\n")


def breaches(path, floors, packages):
    folder = path.relative_to(ROOT / "src").parts[0]
    if folder not in floors:
        yield 1, f"the folder {folder} stands on no floor of tools/floors.txt"
        return
    for number, line in enumerate(code_lines(path.read_text()), 1):
        include = INCLUDE.match(line)
        if include:
            quoted, name = include.group(1) == '"', include.group(2)
            other = name.split("/")[0]
            if name.startswith("openssl/"):
                if folder not in OPENSSL:
                    yield number, f"<{name}>: OpenSSL is used only in {', '.join(sorted(OPENSSL))}"
            elif quoted and other in floors:
                if floors[other] > floors[folder]:
                    yield number, f'"{name}" stands above {folder}'
                elif other != folder and {other, folder} <= packages:
                    yield number, f'"{name}": a package includes no other package'
            elif quoted and ("/" not in name or ".." in name) and name != "opensspi_build.h":
                yield number, f'"{name}": name headers from src/, as "folder/file.h"'
            continue
        unsafe = UNSAFE.search(line)
        if unsafe:
            yield number, f"{unsafe.group(1)} is not used here"
        if folder not in ("api", "foreign") and re.search(r"\bP?SecBufferDesc\b", line):
            yield number, "SecBufferDesc is known only to api, and to foreign, which calls modules"


def main():
    floors, packages = read_floors()
    found = 0
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        for number, text in breaches(path, floors, packages):
            print(f"{path.relative_to(ROOT)}:{number}: {text}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
