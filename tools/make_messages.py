#!/usr/bin/env python3
"""Writes win32/messages_table.h, what FormatMessage says, from the comments above the codes in the public headers.

usage: make_messages.py [--check]       --check only compares, and fails when the table is not that of the headers
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "win32/messages_table.h"
# The first header that has words for a number is the one that is believed.
HEADERS = ["win32/winerror.h", "issperr.h", "wincrypt/errors.h", "win32/ntstatus.h"]
ENTRY = re.compile(r"/\*((?:[^*]|\*(?!/))*)\*/\n(?:#ifndef \w+\n)?#define \w+ "
                   r"(?:\(\((?:HRESULT|NTSTATUS)\)(0x[0-9A-Fa-f]+)\)|(\d+))[ \t]*$", re.M)

HEAD = """/* Made by tools/make_messages.py from the comments of the public headers. Sorted by code. */
#ifndef OPENSSPI_WIN32_MESSAGES_TABLE_H
#define OPENSSPI_WIN32_MESSAGES_TABLE_H

#include <stdint.h>

static const struct message_entry {
    uint32_t code;
    const char *words;
} message_entries[] = {
"""


def main():
    messages = {}
    for name in HEADERS:
        for words, status, number in ENTRY.findall((ROOT / "include/opensspi" / name).read_text()):
            words = re.sub(r"\s*\n\s*\*?\s*", " ", words).strip()
            messages.setdefault(int(status, 16) if status else int(number), words)
    if not messages:
        sys.exit("no message found")
    lines = ['    {0x%08X, "%s"},\n' % (code, words.replace("\\", "\\\\").replace('"', '\\"')) for code, words in sorted(messages.items())]
    text = HEAD + "".join(lines) + "};\n\n#endif\n"
    if sys.argv[1:] == ["--check"]:
        if TABLE.read_text() != text:
            sys.exit("win32/messages_table.h is not what the headers say: run tools/make_messages.py")
        print(len(messages), "messages")
    else:
        TABLE.write_text(text)


if __name__ == "__main__":
    main()
