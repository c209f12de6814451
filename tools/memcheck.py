#!/usr/bin/env python3
"""Runs a test under valgrind: memcheck.py PROGRAM [ARGUMENTS]. What the test says is what this says, with a status of 99 where memory was misused or lost.

A child of fork that ends by _exit, wherever it stands, loses nothing that matters; valgrind looks for leaks there all the same, and would change its status. So valgrind
leaves the status alone and writes what it finds to files; leaks count in the first process, everything else in all.
"""

import os
import re
import subprocess
import sys
import tempfile

FOUND = 99
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "memcheck.supp")


def findings(path, leaks_count):
    """The paragraphs of a log that tell of something wrong."""
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = [re.sub(r"^==\d+== ?", "", line.rstrip("\n")) for line in log]
    paragraphs = [part for part in "\n".join(lines).split("\n\n") if part.strip()]
    return [part for part in paragraphs if leaks_count or "in loss record" not in part]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="opensspi-memcheck-") as folder:
        os.chmod(folder, 0o1777)  # tests change their user
        command = ["valgrind", "-q", "--vgdb=no", "--leak-check=full", "--show-leak-kinds=definite",
                   "--errors-for-leak-kinds=definite", "--num-callers=30", f"--suppressions={SUPPRESSIONS}",
                   f"--log-file={folder}/%p", *sys.argv[1:]]
        with subprocess.Popen(command) as process:
            status = process.wait()
        found = []
        for name in sorted(os.listdir(folder)):
            found += findings(os.path.join(folder, name), name == str(process.pid))
    for part in found:
        print(part + "\n", file=sys.stderr)
    if found and status == 0:
        status = FOUND
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
