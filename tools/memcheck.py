#!/usr/bin/env python3
"""Runs a test under valgrind: memcheck.py PROGRAM [ARGUMENTS]. What the test says is what this says, with a status of 99 where memory was misused or lost.

A child of fork that ends by _exit, wherever it stands, loses nothing that matters; valgrind looks for leaks there all the same, and would change its status. So valgrind
leaves the status alone and writes what it finds to files; leaks count in the first process, everything else in all. A daemon that the test starts (OPENSSPI_TEST_LSAD)
runs under valgrind too.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

FOUND = 99
SUPPRESSIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "memcheck.supp")
OPTIONS = ["-q", "--vgdb=no", "--leak-check=full", "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite", "--num-callers=50",
           f"--suppressions={SUPPRESSIONS}"]
SCRIPT = """#!/bin/sh
# A folder for each start: the numbers of processes are not unique where there are namespaces. Nothing of the environment is touched, and users may differ.
mask=$(umask)
umask 000
folder=$(/usr/bin/mktemp -d '{logs}/{name}.XXXXXX') && /bin/chmod 1777 "$folder" && echo $$ >"$folder/first" || exit 98
umask "$mask"
exec {words} --log-file="$folder/%p" '{program}' "$@"
"""


def watch(script, program, logs):
    """Writes a script that runs the program under valgrind, whose findings go to the folder."""
    words = " ".join(f"'{word}'" for word in [shutil.which("valgrind"), *OPTIONS])
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT.format(logs=logs, name=os.path.basename(program), words=words, program=program))
    os.chmod(script, 0o755)


def watched(logs):
    """What all these scripts found, and how many starts there were."""
    found, starts = [], sorted(os.listdir(logs))
    for start in starts:
        folder = os.path.join(logs, start)
        with open(os.path.join(folder, "first"), encoding="ascii") as file:
            first = file.read().strip()
        for name in sorted(set(os.listdir(folder)) - {"first"}):
            found += [f"{start}, process {name}:\n{part}" for part in findings(os.path.join(folder, name), name == first)]
    return found, len(starts)


def findings(path, leaks_count):
    """The paragraphs of a log that tell of something wrong."""
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = [re.sub(r"^==\d+== ?", "", line.rstrip("\n")) for line in log]
    paragraphs = [part for part in "\n".join(lines).split("\n\n") if part.strip()]
    return [part for part in paragraphs if leaks_count or "in loss record" not in part]


def told(found, status):
    """Tells of what was found; the status that says so."""
    for part in found:
        print(part + "\n", file=sys.stderr)
    if found and status == 0:
        status = FOUND
    return status if status >= 0 else 128 - status


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="opensspi-memcheck-") as folder:
        own, logs = os.path.join(folder, "own"), os.path.join(folder, "logs")
        os.chmod(folder, 0o755)
        for place in (own, logs):
            os.mkdir(place)
            os.chmod(place, 0o1777)  # tests change their user
        environment = dict(os.environ)
        if "OPENSSPI_TEST_LSAD" in environment:
            watch(os.path.join(folder, "lsad"), environment["OPENSSPI_TEST_LSAD"], logs)
            environment["OPENSSPI_TEST_LSAD"] = os.path.join(folder, "lsad")
        with subprocess.Popen(["valgrind", *OPTIONS, f"--log-file={own}/%p", *sys.argv[1:]], env=environment) as process:
            status = process.wait()
        found = watched(logs)[0]
        for name in sorted(os.listdir(own)):
            found += findings(os.path.join(own, name), name == str(process.pid))
    return told(found, status)


if __name__ == "__main__":
    sys.exit(main())
