"""tools/fuzz.py, which runs fuzz targets, counts what each has had in docs/fuzzing.md, and minimises corpora: over targets of libFuzzer's that are quickly searched."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

SOURCE = pathlib.Path(os.environ.get("OPENSSPI_SOURCE", pathlib.Path(__file__).parents[2]))
sys.path.insert(0, str(SOURCE / "tools"))

import fuzz  # noqa: E402

STEPS = """
#include <stdint.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
volatile int reached;
__attribute__((constructor)) static void begin_slowly(void) { if (getenv("BEGINS_SLOWLY") != NULL) sleep(30); }
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 'a') { reached = 1; if (size > 1 && data[1] == 'b') { reached = 2; if (size > 2 && data[2] == 'c') reached = 3; } }
    if (BROKEN && size > 0 && data[0] == 'x') abort();
    return 0;
}
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Two targets as libFuzzer's programs: one has three steps to find, one also a fault."""
    folder = tmp_path_factory.mktemp("programs")
    for name, broken in (("steps", 0), ("broken", 1)):
        source = folder / f"fuzz_{name}.c"
        source.write_text(STEPS)
        subprocess.run(["clang", "-g", "-O1", f"-DBROKEN={broken}", "-fsanitize=fuzzer", source, "-o", folder / f"fuzz_{name}"], check=True)
    return folder


@pytest.fixture
def tree(tmp_path, programs):
    """A tree of these targets, with a seed that a person made."""
    for name in ("tools", "docs", "build/fuzz/tests/fuzz", "tests/fuzz/corpus/steps", "tests/fuzz/corpus/broken"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(SOURCE / "tools/fuzz.py", tmp_path / "tools")
    for name in ("steps", "broken"):
        shutil.copy(programs / f"fuzz_{name}.c", tmp_path / "tests/fuzz")
        shutil.copy(programs / f"fuzz_{name}", tmp_path / "build/fuzz/tests/fuzz")
        (tmp_path / f"tests/fuzz/corpus/{name}/seed").write_bytes(b"nothing")
    (tmp_path / "docs/fuzzing.md").write_text(fuzz.page_text({"steps": fuzz.Row(), "broken": fuzz.Row()}))
    return tmp_path


def start(tree, *arguments, **environment):
    return subprocess.Popen([sys.executable, tree / "tools/fuzz.py", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "TMPDIR": str(tree), **environment})


def run(tree, *arguments):
    done = start(tree, *arguments)
    said, _ = done.communicate(timeout=300)
    return done.returncode, said


def rows(tree):
    return fuzz.page_read((tree / "docs/fuzzing.md").read_text())


def test_what_is_counted():
    row = fuzz.Row("1.0", "1,000", "40", "500", "2026-01-01")
    row.add(30, "#10\tINITED cov: 41 ft: 50\n#20\tNEW    cov: 41 ft: 51\n#128\tpulse  cov: 41 ft: 51\nstat::number_of_executed_units: 200\n")
    assert (row.seconds, row.runs, row.edges, row.runs_without) == (90, 1200, 41, 700)
    row.add(30, "#10\tINITED cov: 41 ft: 50\n#150\tNEW    cov: 43 ft: 51\n#160\tREDUCE cov: 43 ft: 51\nstat::number_of_executed_units: 200\n")
    assert (row.seconds, row.runs, row.edges, row.runs_without) == (120, 1400, 43, 50)


def test_page_is_read_as_it_was_written():
    text = fuzz.page_text({"one": fuzz.Row("12.5", "1,234,567", "89", "1,000", "2026-01-01"), "two": fuzz.Row(), "six": fuzz.Row("1", "9", "8", "0", "2026-01-01")})
    assert "| six | 1.00 | 9 | 8 | 0 | 2026-01-01 |" in text, "no run without a new edge is not the same as not counted"
    assert "| one | 12.50 | 1,234,567 | 89 | 1,000 | 2026-01-01 |" in text and "| two | 0.00 | - | - | - | - |" in text
    assert fuzz.page_text(fuzz.page_read(text)) == text


def test_every_target_has_its_row():
    assert sorted(fuzz.page_read((SOURCE / "docs/fuzzing.md").read_text())) == fuzz.targets_all()


def test_run(tree):
    status, said = run(tree, "run", "1", "steps")
    assert status == 0 and "steps: no finding, " in said
    assert rows(tree)["steps"].seconds == 0, "only a campaign writes the page"


def test_finding(tree):
    status, said = run(tree, "run", "10")
    assert status == 1 and "broken: FINDING" in said and "steps: no finding" in said and "steps: FINDING" not in said
    assert list((tree / "build/fuzz/findings").glob("broken-crash-*"))


def test_no_such_target(tree):
    status, said = run(tree, "run", "1", "stairs")
    assert status == 1 and "no such target: stairs" in said


def test_campaign_that_is_interrupted(tree):
    campaign = start(tree, "campaign", "30", "steps")
    log = tree / "build/fuzz/logs/steps.log"
    end = time.monotonic() + 120
    while not (log.exists() and "#4194304\tpulse" in log.read_text()) and time.monotonic() < end:  # seconds of work, however busy the machine is
        time.sleep(0.1)
    campaign.send_signal(signal.SIGTERM)
    said, _ = campaign.communicate(timeout=120)
    assert campaign.returncode == 0, said
    row = rows(tree)["steps"]
    assert 0 < row.seconds < 1800 and row.runs > 0, "what was done until then counts"
    assert not list(tree.glob("opensspi-fuzz-*")), "no file of the targets' stays"


def test_interrupted_before_it_began(tree):
    campaign = start(tree, "campaign", "30", "steps", BEGINS_SLOWLY="yes")
    log = tree / "build/fuzz/logs/steps.log"
    end = time.monotonic() + 120
    while not log.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
    campaign.send_signal(signal.SIGINT)
    said, _ = campaign.communicate(timeout=20)
    assert (campaign.returncode, said) == (0, ""), "no finding"
    assert rows(tree)["steps"].last == "-", "and nothing to write down"


def test_campaign_that_is_over(tree):
    (tree / "docs/fuzzing.md").write_text(fuzz.page_text({"steps": fuzz.Row("30.0", "5")}))
    status, said = run(tree, "campaign", "30", "steps")
    assert (status, said) == (0, "") and not (tree / "build/fuzz/logs/steps.log").exists()


def test_campaign_with_a_finding(tree):
    status, said = run(tree, "campaign", "30", "broken")
    assert status == 1 and "broken: FINDING" in said
    assert rows(tree)["broken"].runs > 0


def test_minimise(tree):
    seeds, made = tree / "tests/fuzz/corpus/steps", tree / "build/fuzz/corpus/steps"
    made.mkdir(parents=True)
    for content in (b"a", b"ab", b"abc", b"abcd", b"abc?", b"q", b"w"):
        (made / content.hex()).write_bytes(content)
    (seeds / "found_00000000").write_bytes(b"useless")
    status, said = run(tree, "minimise", "steps")
    assert status == 0, said
    kept = {path.name: path.read_bytes() for path in seeds.iterdir()}
    assert kept.pop("seed") == b"nothing", "a person's seed stays"
    assert b"useless" not in kept.values()
    assert all(name.startswith("found_") for name in kept)
    assert {b"a", b"ab"} <= set(kept.values()) and len([content for content in kept.values() if content.startswith(b"abc")]) == 1 and len(kept) == 3
    status, said = run(tree, "minimise", "steps")
    assert status == 0 and "3 found inputs before, 3 now" in said
