"""Compiles without code (-fsyntax-only) what a build directory's compile commands hold and no build of it has compiled: clang's warnings need nothing more.

usage: check_syntax.py BUILD"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def pending(build):
    """The directory and the command of each object that is not there."""
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        words = shlex.split(entry["command"])
        at = words.index("-o")
        if not (pathlib.Path(entry["directory"]) / words[at + 1]).exists():
            yield entry["directory"], [*words[:at], *words[at + 2:], "-fsyntax-only"]


def check(work):
    directory, command = work
    done = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False)
    if done.returncode != 0 or done.stdout:
        print(f"{shlex.join(command)}\n{done.stdout}", flush=True)
    return done.returncode == 0 and not done.stdout


def main():
    works = list(pending(pathlib.Path(sys.argv[1])))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as threads:
        n_bad = sum(not good for good in threads.map(check, works))
    print(f"{len(works)} files, {n_bad} with something to complain about")
    return 1 if n_bad or not works else 0


if __name__ == "__main__":
    sys.exit(main())
