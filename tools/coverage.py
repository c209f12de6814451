#!/usr/bin/env python3
"""Which lines of src/ and lsad/ the tests ran, by room, and what stands in the way of the others.

coverage.py BUILD [--least PERCENT] [--page FILE]

BUILD is a tree of the preset coverage whose tests have run (./run coverage). Writes BUILD/coverage/uncovered.txt, each line that did not run with its reason,
and with --page docs/coverage.md anew. Fails when less than PERCENT of the lines of src/ ran.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

# What keeps a line from running, told by the line, by the lines around it that did not run either, and by the condition before them. The first that fits counts.
REASONS = [
    ("memory", "there would have to be no memory",
     r"INSUFFICIENT_MEMORY|NOT_ENOUGH_MEMORY|NO_MEMORY|OUTOFMEMORY|ENOMEM|\bmem_|_alloc\(|writer_finish|without_memory"),
    ("library", "OpenSSL, libkrb5, SQLite, libuv or libwbclient would have to fail, or to answer what they do not answer here",
     r"\b(EVP|X509|SSL|BIO|ERR|ASN1|BN|RAND|PEM|HMAC|OPENSSL|OSSL|PKCS\d+|OCSP|d2i|i2d|CRYPTO|sk|GENERAL_NAME)_|\bkrb5_|\bk5_|kerberos_status|sqlite3_|\buv_|wbc|\bcrypto_"),
    ("system", "a system call would have to fail, or another kernel to be there",
     r"errno|strerror|\bE[A-Z]{3,}\b|pthread_|mmap|madvise|prctl|setsockopt|getsockopt|\bsocket\(|\bopen\(|fopen|fstat|\bstat\(|\bread\(|\bwrite\(|rename\(|fsync|setres|syscall|getpw|getgr|dlopen|dlsym|getrandom|clock_gettime|_exit\("),
    ("contract", "the functions around it keep it from happening; it is there for the day when they do not",
     r"INTERNAL_ERROR|abort\(|default:|WIRE_BAD|OUT_OF_SEQUENCE"),
    ("other", "no test gets there", r""),
]

FILES_SHOWN = 25
ROW_MAX = 8  # more lines than this in a row are no failure's ending, but work that nobody asked for


def gcov(data):
    """The files of one object's counters: [(name, {line: count})]."""
    said = subprocess.run(["gcov", "--json-format", "--stdout", str(data)], capture_output=True, text=True, check=False, cwd=data.parent)
    if said.returncode != 0 or not said.stdout.strip():
        raise SystemExit(f"gcov {data}: {said.stderr.strip()}")
    return [(entry["file"], {line["line_number"]: line["count"] for line in entry["lines"]}) for entry in json.loads(said.stdout)["files"]]


def counters(build):
    """Of each object the counters, or what would count if no program with it ever ran."""
    for notes in sorted(build.rglob("*.gcno")):
        if re.search(r"/(opensspi_\w+|opensspi-lsad|unit\.lsa\.\w+|unit\.[\w.]+\.emulated)\.dir/(src|lsad)/", str(notes)):
            data = notes.with_suffix(".gcda")
            yield data if data.exists() else notes


def counts_of(build, root):
    """{path in the tree: {line: how often it ran}}"""
    counts = collections.defaultdict(dict)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for files in pool.map(gcov, counters(build)):
            for name, lines in files:
                try:
                    path = pathlib.Path(name).resolve().relative_to(root)
                except ValueError:
                    continue
                if path.parts[0] not in ("src", "lsad"):
                    continue
                of_file = counts[path]
                for line, count in lines.items():
                    of_file[line] = of_file.get(line, 0) + count
    return counts


def room_of(path):
    return "/".join(path.parts[:2]) if path.parts[0] == "src" else path.parts[0]


def stretches(lines):
    """Lines that did not run, in rows that nothing which ran divides: [[line, ...]]."""
    row = []
    for line in sorted(lines):
        if lines[line] == 0:
            row.append(line)
        elif row:
            yield row
            row = []
    if row:
        yield row


def reason_of(text, lines, row):
    if len(row) > ROW_MAX:
        return "other"
    before = max((line for line in lines if line < row[0]), default=row[0])
    words = "\n".join(text[before - 1 : row[-1]])
    return next(name for name, _, pattern in REASONS if re.search(pattern, words))


def page(rooms, reasons, untested, total, ran, tests):
    rows = [
        "# Coverage",
        "",
        "Which lines of the library the tests run. `./run coverage` builds with gcc's counters, runs the whole suite, unit tests, corpora, the command, the daemon and real peers,",
        "and fails below 85 % of the lines of `src/`; this page is written by `tools/coverage.py`, and `build/coverage/coverage/uncovered.txt` names each line that did not run.",
        f"Below: {tests}. What a process had counted that was killed, or could not write where the counters are, is lost, so that the numbers are, if anything, too low.",
        "",
        "| room | lines | run | |",
        "|---|---:|---:|---:|",
    ]
    rows += [f"| `{room}/` | {n} | {n_ran} | {100 * n_ran / n:.1f} % |" for room, (n, n_ran) in sorted(rooms.items())]
    rows += [f"| all of `src/` | {total} | {ran} | {100 * ran / total:.1f} % |", "", "Why the others did not, told by the words of the line and of the condition before it:", "",
             "| reason | lines of `src/` |", "|---|---:|"]
    rows += [f"| {words} | {reasons[name]} |" for name, words, _ in REASONS]
    rows += ["", "Where most of the last kind are:", "", "| file | lines |", "|---|---:|"]
    rows += [f"| `{path}` | {n} |" for path, n in untested.most_common(FILES_SHOWN)]
    return "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--least", type=float, default=85.0)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--tests", default="the whole suite", help="what ran, for the page")
    given = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    counts = counts_of(given.build.resolve(), root)
    rooms = collections.defaultdict(lambda: (0, 0))
    reasons = collections.Counter()
    untested = collections.Counter()
    unrun = []
    for path, lines in sorted(counts.items()):
        text = (root / path).read_text(encoding="utf-8").splitlines()
        n, n_ran = rooms[room_of(path)]
        rooms[room_of(path)] = (n + len(lines), n_ran + sum(count > 0 for count in lines.values()))
        for row in stretches(lines):
            reason = reason_of(text, lines, row)
            reasons[reason] += len(row) if path.parts[0] == "src" else 0
            untested[path] += len(row) if reason == "other" and path.parts[0] == "src" else 0
            unrun += [f"{path}:{line}: {reason}: {text[line - 1].strip()}" for line in row]
    total = sum(n for room, (n, _) in rooms.items() if room.startswith("src/"))
    ran = sum(n for room, (_, n) in rooms.items() if room.startswith("src/"))
    if total == 0:
        raise SystemExit("no counters in " + str(given.build))
    folder = given.build / "coverage"
    folder.mkdir(exist_ok=True)
    (folder / "uncovered.txt").write_text("\n".join(unrun) + "\n", encoding="utf-8")
    for room, (n, n_ran) in sorted(rooms.items()):
        print(f"{room:20} {n_ran:6} of {n:6} lines  {100 * n_ran / n:5.1f} %")
    print(f"{'src':20} {ran:6} of {total:6} lines  {100 * ran / total:5.1f} %")
    for name, words, _ in REASONS:
        print(f"not run: {reasons[name]:5}  {words}")
    if given.page:
        given.page.write_text(page(rooms, reasons, untested, total, ran, given.tests), encoding="utf-8")
    if 100 * ran < given.least * total:
        sys.exit(f"less than {given.least:g} % of src/ ran")


if __name__ == "__main__":
    main()
