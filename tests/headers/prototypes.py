#!/usr/bin/env python3
"""Prints the names of all functions that the public headers declare, sorted, one a line.

usage: prototypes.py include-dir [compiler]
"""

import os
import sys

sys.dont_write_bytecode = True
import winheaders  # noqa: E402


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    include = os.path.realpath(sys.argv[1])
    compiler = sys.argv[2] if len(sys.argv) == 3 else os.environ.get("CC", "cc")
    names = []
    for folder, folders, files in os.walk(include):
        folders.sort()
        names += [os.path.relpath(os.path.join(folder, name), include) for name in sorted(files) if name.endswith(".h")]
    source = "".join("#include <%s>\n" % name for name in names)
    headers = winheaders.read(
        [compiler, "-std=c11", "-D_DEFAULT_SOURCE", "-DOPENSSPI_WIN32=1", "-I" + include], source, lambda path: os.path.realpath(path).startswith(include + os.sep)
    )
    print("\n".join(sorted(headers.functions)))


if __name__ == "__main__":
    main()
