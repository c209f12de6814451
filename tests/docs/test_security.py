"""docs/security.md names only tests and mutations that are there, and each row names a test."""
import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["OPENSSPI_SOURCE"])
PAGE = (SOURCE / "docs/security.md").read_text()
NAMED = re.compile(r"`((?:[a-z0-9]+/)[\w.]+\.(?:c|py|tcl))(?:: (\w+))?`")


def rows():
    for block in re.findall(r"\| attack \|.*?\n\n|\| attack \|.*", PAGE + "\n", flags=re.S):
        yield from ([cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:] if line.startswith("|"))


def test_there_are_rows():
    assert len(list(rows())) > 30


def test_each_attack_has_a_test():
    assert [row[0] for row in rows() if len(row) != 3 or not NAMED.search(row[2])] == []


def test_each_test_is_there():
    missing = []
    for path, function in NAMED.findall(PAGE):
        folder = "tests" if path.split("/")[0] in ("built", "interop", "cli", "fuzz", "docs", "tcl", "win32") else "tests/unit"
        file = SOURCE / folder / path
        wanted = {".c": rf"^static void test_{function}\(void", ".py": rf"^def {function}\("}.get(file.suffix)
        if not file.is_file() or function and not re.search(wanted, file.read_text(), flags=re.M):
            missing.append(f"{path}: {function}")
    assert missing == []


def test_each_mutation_is_there():
    """`mutation NAME`, or the beginning of several names that ends with a dot."""
    listed = re.findall(r"^([\w.]+) \S+\.[ch] ", (SOURCE / "tests/mutations.txt").read_text(), flags=re.M)
    named = re.findall(r"`mutation ([\w.]+)`", PAGE)
    assert len(named) > 30
    assert [one for one in named if one not in listed and not (one.endswith(".") and any(name.startswith(one) for name in listed))] == []
