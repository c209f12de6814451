"""tools/no_skips.sh, by which CI knows that no test was skipped: also where no test ran at all."""
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("OPENSSPI_SOURCE", pathlib.Path(__file__).parents[2]))


def run(build, log):
    if log is not None:
        place = build / "Testing/Temporary"
        place.mkdir(parents=True)
        (place / "LastTest.log").write_text(log)
    return subprocess.run(["sh", SOURCE / "tools/no_skips.sh", build], env={**os.environ, "CI": "true"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)


@pytest.mark.parametrize("log", [None, ""])
def test_no_test_ran(tmp_path, log):
    done = run(tmp_path, log)
    assert done.returncode == 1
    assert "no test was run" in done.stdout


@pytest.mark.parametrize("line", ["[  SKIPPED ] test_of_root", "=== 3 passed, 1 skipped in 0.2s ===", "1/2 Test #1: unit.one ......***Skipped   0.00 sec", "2/2 Test #2: unit.two ......***Not Run   0.00 sec"])
def test_skipped(tmp_path, line):
    done = run(tmp_path, f"[       OK ] test_one\n{line}\n")
    assert done.returncode == 1
    assert "tests were skipped" in done.stdout and line in done.stdout


def test_all_ran(tmp_path):
    done = run(tmp_path, "[       OK ] test_one\n=== 3 passed in 0.2s ===\n1/1 Test #1: unit.one ......   Passed   0.00 sec\n")
    assert (done.returncode, done.stdout) == (0, "")
