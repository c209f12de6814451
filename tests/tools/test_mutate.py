"""tests/mutations.txt is true: each text is in its file once, each test is there; and tools/mutate.py reads and applies entries as it says."""
import os
import pathlib
import re
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ.get("OPENSSPI_SOURCE", pathlib.Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))

import mutate  # noqa: E402


def entries():
    return mutate.mutations_read((SOURCE / "tests/mutations.txt").read_text())


def test_each_applies():
    assert entries()
    for one in entries():
        one.applied(SOURCE)


def test_each_test_is_there():
    said = subprocess.run(["ctest", "--test-dir", os.environ["OPENSSPI_BUILD"], "-N"], check=True, capture_output=True, text=True).stdout
    known = set(re.findall(r"^ *Test +#\d+: (\S+)", said, flags=re.M))
    assert [(one.name, name) for one in entries() for name in one.tests if name not in known] == []


@pytest.mark.parametrize("text", ["- a\n", "name file\n- a\n+ b\n", "n f t\n- a\n", "n f t\n- a\n+ a\n", "n f t\n- a\n+ b\nn f t\n- c\n+ d\n"])
def test_wrong_lists(text):
    with pytest.raises(mutate.Mistake):
        mutate.mutations_read(text)


def test_applied(tmp_path):
    (tmp_path / "f").write_text("one\ntwo\ntwo\n")
    (entry,) = mutate.mutations_read("n f t\n- one\n- two\n+ three\n")
    assert entry.applied(tmp_path) == "three\ntwo\n"
    for text in ("two", "four"):
        entry.old = [text]
        with pytest.raises(mutate.Mistake):
            entry.applied(tmp_path)


def test_copy(tmp_path):
    root, copy = tmp_path / "root", tmp_path / "copy"
    for folder in ("src", "build"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.c").write_text("honest")
    mutate.copy_lay(root, copy)
    assert not (copy / "build").exists()
    (copy / "src/a.c").write_text("mutated, and then killed")
    (copy / "src/gone.c").write_text("of an older tree")
    mutate.copy_lay(root, copy)
    assert (copy / "src/a.c").read_text() == "honest" and not (copy / "src/gone.c").exists()
