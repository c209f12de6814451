#!/usr/bin/env python3
"""Runs a test that starts programs of this build, each of them under valgrind: memcheck_programs.py NAME COMMAND [ARGUMENTS]

OPENSSPI_BUILD, of which OPENSSPI_SSPI is a part, becomes a second tree: links to the build, but for the programs, in whose places are scripts that start them under
valgrind; OPENSSPI_UNWATCHED is the build itself, for tests that look at the system calls of a program, copy it to another computer or set its bits. What valgrind finds
is told at the end, with a status of 99 where the command's was 0; memcheck.py says what counts. What is built or installed from the tree, and libraries that others'
programs load, run as they are.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import memcheck

FOLDERS = ("samples", "tests", "tests/interop", "tests/truth")  # where programs are, besides the top


def is_program(path):
    if path.is_symlink() or not path.is_file() or ".so" in path.suffixes or not os.access(path, os.X_OK):
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


def is_ours(path, build, source):
    """But for peers that are others' libraries and nothing of this one."""
    text = source / path.relative_to(build).with_suffix(".c")
    return not text.exists() or " * build: peer" not in text.read_text(encoding="utf-8")[:4096]


def mirror(folder, to, build, source, logs):
    """One folder of the second tree; how many programs are watched in it."""
    to.mkdir(parents=True)
    n_watched = 0
    for path in sorted(folder.iterdir()):
        name, below = path.relative_to(build), to / path.name
        if path.is_dir() and (str(name) in FOLDERS or str(name.parent) == "samples"):
            n_watched += mirror(path, below, build, source, logs)
        elif is_program(path) and is_ours(path, build, source):
            memcheck.watch(below, path, logs)
            n_watched += 1
        elif name != pathlib.Path("watched"):
            below.symlink_to(path)
    return n_watched


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    build, source = (pathlib.Path(os.environ[name]) for name in ("OPENSSPI_BUILD", "OPENSSPI_SOURCE"))
    tree, logs = build / "watched" / sys.argv[1], build / "watched" / f"{sys.argv[1]}.logs"
    for place in (tree, logs):
        shutil.rmtree(place, ignore_errors=True)
    logs.mkdir(parents=True)
    logs.chmod(0o1777)
    if mirror(build, tree, build, source, logs) == 0:
        sys.exit(f"{build}: no programs")
    with subprocess.Popen(sys.argv[2:], env={**os.environ, "OPENSSPI_BUILD": str(tree), "OPENSSPI_SSPI": str(tree / "sspi"),
                                             "OPENSSPI_UNWATCHED": str(build)}) as process:
        status = process.wait()
    found, starts = memcheck.watched(logs)
    print(f"{starts} starts of programs under valgrind", flush=True)
    return memcheck.told(found, status)


if __name__ == "__main__":
    sys.exit(main())
