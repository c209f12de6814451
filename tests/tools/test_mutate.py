"""tests/mutations.txt is true: each text is in its file once, each test is there; and tools/mutate.py reads and applies entries as it says."""
import os
import pathlib
import re
import shutil
import signal
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


def test_each_test_is_there(tmp_path):
    """Asked of a copy of the list: where ctest is asked it writes a log, over that of the run that this test is of."""
    build = pathlib.Path(os.environ["OPENSSPI_BUILD"])
    for found in [one for one in build.rglob("CTestTestfile.cmake") if "Testing" not in one.relative_to(build).parts]:
        copy = tmp_path / found.relative_to(build)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, copy)
    said = subprocess.run(["ctest", "--test-dir", tmp_path, "-N"], check=True, capture_output=True, text=True).stdout
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


TESTS = {"green": ["true"], "red": ["false"], "crashed": ["sh", "-c", "kill -SEGV $$"], "hanging": ["sleep", "60"], "gone": ["/nonexistent/test"],
         "skipped": ["sh", "-c", "exit 77"], "talking": ["echo", "1/1 Test #1: talking ...***Failed"]}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A place with a built tree of these tests, for ctest itself, and an entry that changes one file of it."""
    monkeypatch.setattr(mutate, "PLACE", tmp_path)
    monkeypatch.setattr(mutate, "ROOT", tmp_path / "root")
    monkeypatch.setattr(mutate, "build", lambda tests: (0, ""))
    for folder in ("build", "root", "source"):
        (tmp_path / folder).mkdir()
    for folder in ("root", "source"):
        (tmp_path / folder / "f").write_text("one\n")
    lines = [f"add_test({name} {' '.join(f'[==[{word}]==]' for word in words)})\n" for name, words in TESTS.items()]
    lines += ["set_tests_properties(hanging PROPERTIES TIMEOUT 1)\n", "set_tests_properties(skipped PROPERTIES SKIP_RETURN_CODE 77)\n"]
    (tmp_path / "build/CTestTestfile.cmake").write_text("".join(lines))
    return tmp_path


@pytest.mark.parametrize("tests, wanted", [
    ("red", "red"), ("crashed", "red"), ("red crashed", "red"), ("hanging", "red (hangs)"), ("red hanging", "red (hangs)"), ("green", "SURVIVED: green"),
    ("red green", "SURVIVED: green"), ("green red", "SURVIVED: green"), ("talking", "SURVIVED: talking"), ("gone", "DID NOT RUN: gone"),
    ("red gone", "DID NOT RUN: gone"), ("red skipped", "DID NOT RUN: skipped"), ("red unknown", "DID NOT RUN: unknown")])
def test_judgement(place, tests, wanted):
    """Every test of an entry has to go red, by what ctest says of it; and the copy is whole again."""
    (entry,) = mutate.mutations_read(f"n f {tests}\n- one\n+ two\n")
    assert mutate.judge(entry) == wanted
    assert (place / "source/f").read_text() == "one\n"


def test_a_whole_run_that_does_not_end(place, monkeypatch):
    monkeypatch.setattr(mutate, "TEST_SECONDS", 1)
    (place / "build/CTestTestfile.cmake").write_text("add_test(hanging sleep 60)\n")
    (entry,) = mutate.mutations_read("n f hanging\n- one\n+ two\n")
    assert mutate.judge(entry) == "red (hangs)"


def test_output_that_is_no_text(place):
    assert mutate.run(["printf", "a\\377b"], 60) == (0, "a\ufffdb")


def test_one_at_a_time(place):
    with mutate.alone():
        with pytest.raises(mutate.Mistake):
            with mutate.alone():
                pass
    with mutate.alone():
        pass


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_signals_let_the_copy_be_put_back(place, ending):
    """And end what was being run."""
    program = ("import mutate, pathlib\n"
               f"mutate.PLACE = pathlib.Path({str(place)!r})\n"
               "mutate.signals_take()\n"
               "try:\n"
               "    mutate.run(['sh', '-c', 'echo $$; exec sleep 600'], 600)\n"
               "finally:\n"
               "    print('put back', flush=True)\n")
    # What started this test may ignore SIGHUP, as nohup does, and then mutate.py does, too.
    process = subprocess.Popen([sys.executable, "-c", program], cwd=SOURCE / "tools", stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
    while not (place / "log").exists() or not (place / "log").read_text().endswith("\n"):
        assert process.poll() is None
    child = int((place / "log").read_text())
    process.send_signal(ending)
    said, _ = process.communicate(timeout=60)
    assert (said, process.returncode) == (b"put back\n", 1)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
