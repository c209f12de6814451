#!/usr/bin/env python3
"""Writes src/base/upper_table.h: the upper-casing of Windows' names (MS-UCODEREF 3.1.5.3) as a two-stage table of differences.

    tools/make_upper_table.py > src/base/upper_table.h

Source: Python's copy of the Unicode Character Database, by three rules:

- One UTF-16 unit gives one unit: nothing outside the Basic Multilingual Plane, no sharp s (U+00DF) to SS, nor to U+1E9E.
- A letter goes up only where that capital comes down to the same letter. So these stay what they are: dotless i (U+0131),
  micro sign (U+00B5), long s (U+017F), title-case digraphs (U+01C5 and kin), final sigma (U+03C2), the Greek symbol letters
  (U+03D0 and kin), iota below (U+0345), U+1E9B, U+1FBE. Enclosed letters (U+24D0 and on), Roman numerals (U+2170 and on)
  and full-width letters (U+FF41 and on) do go up.
- Windows stopped at Unicode 5.1: case pairs that came later, such as Georgian and Cherokee, stay what they are.

The outcome is, unit for unit, the table that Windows 8 writes to new volumes ($UpCase of NTFS; the same table serves
names): its MD5, published in the sources of ntfs-3g (libntfs-3g/unistr.c), is checked below.
"""
import hashlib
import struct
import sys
import unicodedata

BLOCK_BITS = 5
BLOCK_LEN = 1 << BLOCK_BITS

# Small letters whose pair came after Unicode 5.1: (first, last).
TOO_NEW = [
    (0x023F, 0x0240), (0x0252, 0x0252), (0x025C, 0x025C), (0x0261, 0x0261), (0x0265, 0x0266), (0x026A, 0x026A),
    (0x026C, 0x026C), (0x0282, 0x0282), (0x0287, 0x0287), (0x029D, 0x029E), (0x03F3, 0x03F3), (0x0525, 0x052F),
    (0x10D0, 0x10FF), (0x13F8, 0x13FD), (0x1C80, 0x1C88), (0x1D8E, 0x1D8E), (0x2C5F, 0x2C5F), (0x2CEC, 0x2CFF),
    (0x2D27, 0x2D2D), (0xA661, 0xA661), (0xA699, 0xA69B), (0xA791, 0xA7FF), (0xAB53, 0xABBF),
]

# Of 65536 capitals, little-endian.
WINDOWS_8_MD5 = "7ff498a44e45e77374cc7c962b1b92f2"


def upper(code):
    """The capital of one code point by the rules above, or the code point itself."""
    char = chr(code)
    if 0xD800 <= code <= 0xDFFF or code == 0xDF or any(first <= code <= last for first, last in TOO_NEW):
        return code
    capital = char.upper()
    if len(capital) != 1:
        # The full mapping is a string; the simple one of Greek letters with iota is their title case.
        capital = char.title()
    if len(capital) != 1 or ord(capital) > 0xFFFF or capital.lower() != char:
        return code
    return ord(capital)


def c_rows(values, width):
    text = ""
    for start in range(0, len(values), width):
        text += "    " + ", ".join(str(value) for value in values[start:start + width]) + ",\n"
    return text


def main():
    table = struct.pack("<65536H", *(upper(code) for code in range(0x10000)))
    if hashlib.md5(table).hexdigest() != WINDOWS_8_MD5:
        sys.exit("not the table of Windows 8: a newer Unicode has added pairs that TOO_NEW must name")
    blocks, index = [], []
    for start in range(0, 0x10000, BLOCK_LEN):
        block = tuple((upper(code) - code) & 0xFFFF for code in range(start, start + BLOCK_LEN))
        if block not in blocks:
            blocks.append(block)
        index.append(blocks.index(block))
    assert len(blocks) <= 256
    out = sys.stdout.write
    out("/*\n * Upper-casing of the Basic Multilingual Plane as Windows does it for names (MS-UCODEREF 3.1.5.3).\n"
        " * Made by tools/make_upper_table.py from Unicode %s; the rules and their exceptions stand there.\n */\n"
        % unicodedata.unidata_version)
    out("#ifndef OPENSSPI_BASE_UPPER_TABLE_H\n#define OPENSSPI_BASE_UPPER_TABLE_H\n\n#include <stdint.h>\n\n")
    out("#define UPPER_BLOCK_BITS %d\n#define UPPER_BLOCK_LEN %d\n\n" % (BLOCK_BITS, BLOCK_LEN))
    out("/* Which block of differences a unit's high bits choose. */\n/* clang-format off */\n")
    out("static const uint8_t upper_block[%d] = {\n%s};\n\n" % (len(index), c_rows(index, 32)))
    out("/* What to add to a unit, modulo 65536. */\n")
    out("static const uint16_t upper_delta[%d][UPPER_BLOCK_LEN] = {\n" % len(blocks))
    for block in blocks:
        out("    {\n" + c_rows(block, 16).replace("    ", "        ", 1).replace("\n    ", "\n        ") + "    },\n")
    out("};\n/* clang-format on */\n\n#endif\n")


if __name__ == "__main__":
    main()
