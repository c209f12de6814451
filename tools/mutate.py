#!/usr/bin/env python3
"""Breaks one security check at a time, and sees that the tests named for it go red: tests/mutations.txt is the list.

mutate.py [NAME...]   all entries, or those whose names begin with one of these; ends 1 where one survived, does not build or no longer applies
mutate.py --list      says what there is

Each of an entry's tests has to go red by itself; one that ctest could not run has noticed nothing.

The sources are copied to build/mutate/source and changed there alone; whatever ended an earlier run, the next one lays the copy anew. A second run beside it ends 1."""
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLACE = ROOT / "build/mutate"
NOT_COPIED = {"build", ".git", "__pycache__"}
BUILD_SECONDS = 1800  # of everything, the first time
TEST_SECONDS = 600  # what runs longer hangs, which counts as red
GREEN_SECONDS = 60  # of each test, where they are seen green
ENDINGS = {signal.SIGTERM, signal.SIGHUP}


class Mistake(Exception):
    """Of the list."""


@dataclass
class Mutation:
    name: str
    file: str
    tests: list
    old: list = field(default_factory=list)
    new: list = field(default_factory=list)

    def applied(self, root):
        """The file's text with the change in it."""
        path = root / self.file
        if not path.is_file():
            raise Mistake(f"{self.name}: there is no {self.file}")
        text, old = path.read_text(), "\n".join(self.old)
        if text.count(old) != 1:
            raise Mistake(f"{self.name}: its text is in {self.file} {text.count(old)} times, not once")
        return text.replace(old, "\n".join(self.new))


def mutations_read(text):
    """The entries: a line "NAME FILE TEST...", lines "- " with the text that goes, lines "+ " with what comes."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(("- ", "+ ")):
            if not found:
                raise Mistake(f"line {number}: of no entry")
            (found[-1].old if line[0] == "-" else found[-1].new).append(line[2:])
        elif line and not line.startswith("#"):
            words = line.split()
            if len(words) < 3:
                raise Mistake(f"line {number}: name, file and tests?")
            found.append(Mutation(words[0], words[1], words[2:]))
    names = [one.name for one in found]
    for one in found:
        if names.count(one.name) > 1:
            raise Mistake(f"{one.name}: twice")
        if not one.old or not one.new or one.old == one.new:
            raise Mistake(f"{one.name}: changes nothing")
    return found


def copy_lay(root, copy):
    """Makes the copy what the tree is; files that are the same keep their times, so that little is built."""
    wanted = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_COPIED]
        for name in files:
            source = pathlib.Path(folder, name)
            relative = source.relative_to(root)
            target = copy / relative
            wanted.add(relative)
            if target.is_file() and target.read_bytes() == source.read_bytes() and target.stat().st_mode == source.stat().st_mode:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
    for folder, _, files in os.walk(copy):
        for name in files:
            path = pathlib.Path(folder, name)
            if path.relative_to(copy) not in wanted:
                path.unlink()


def run(command, seconds):
    """What it ended with, None where it did not end in time, and what it said."""
    with (PLACE / "log").open("w+", encoding="utf-8", errors="replace") as log:  # tests say whatever bytes they like
        # What ends this comes when the child is known, so that it is ended, too.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS | {signal.SIGINT})
        try:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                                     preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before))
        except OSError:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            status = child.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        log.seek(0)
        return status, log.read()


OF_PROGRAMS = {"cli.set_user_id": {"sspi", "surroundings"}}  # tests of programs that need few of them


def targets(tests):
    """What has to be built for these tests."""
    found = set()
    for test in tests:
        kind, rest = test.split(".", 1)
        if test in OF_PROGRAMS:
            found |= OF_PROGRAMS[test]
            continue
        if kind not in ("unit", "daemon"):
            return ["all"]
        found.add(f"unit.{rest}")
    return sorted(found | {"opensspi-lsad"})  # tests of any room may start the daemon


def build(tests):
    return run(["cmake", "--build", PLACE / "build", "--target", *targets(tests)], BUILD_SECONDS)


def test(tests, seconds):
    names = "|".join(re.escape(name) for name in tests)
    return run(["ctest", "--test-dir", PLACE / "build", "--no-tests=error", "--output-on-failure", "-R", f"^({names})$"], seconds)


def outcome(name):
    """What became of one test, by ctest's word for it: "red", "hangs", "green", "not run"."""
    status, said = test([name], TEST_SECONDS)
    if status is None:
        return "hangs"
    line = re.search(rf"^ *\d+/\d+ Test +#\d+: {re.escape(name)} \.*(.*)$", said, flags=re.M)
    if line is None or "***Not Run" in line[1] or "***Skipped" in line[1]:
        return "not run"
    if "***Timeout" in line[1]:
        return "hangs"
    return "red" if status != 0 else "green"


def configure():
    command = ["cmake", "-S", PLACE / "source", "-B", PLACE / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=ON"]
    if shutil.which("ccache"):
        command.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
    status, said = run(command, BUILD_SECONDS)
    if status != 0:
        raise Mistake(f"cannot configure\n{said}")


def judge(one):
    """What became of it: "red" is what is wanted."""
    try:
        changed = one.applied(ROOT)
    except Mistake as mistake:
        return f"DOES NOT APPLY: {mistake}"
    path = PLACE / "source" / one.file
    path.write_text(changed)
    try:
        status, said = build(one.tests)
        if status != 0:
            return "DOES NOT BUILD\n" + said[-2000:]
        outcomes = {name: outcome(name) for name in one.tests}
    finally:
        path.write_text((ROOT / one.file).read_text())
    for became, word in (("not run", "DID NOT RUN"), ("green", "SURVIVED")):
        names = [name for name in one.tests if outcomes[name] == became]
        if names:
            return f"{word}: {' '.join(names)}"
    return "red (hangs)" if "hangs" in outcomes.values() else "red"


def chosen(entries, names):
    for name in names:
        if not any(one.name.startswith(name) for one in entries):
            raise Mistake(f"no such mutation: {name}")
    return [one for one in entries if not names or any(one.name.startswith(name) for name in names)]


@contextlib.contextmanager
def alone():
    """Two in one place would build and judge each other's changes."""
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:  # not passed on to what is run
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Mistake(f"another one is at work in {PLACE}") from None
        yield


def signals_take():
    """What ends this ends what it runs, and the copy is put back."""
    for ending in ENDINGS:
        if signal.getsignal(ending) != signal.SIG_IGN:  # as nohup leaves it
            signal.signal(ending, lambda *_: sys.exit(1))


def walk(entries):
    copy_lay(ROOT, PLACE / "source")
    configure()
    tests = sorted({name for one in entries for name in one.tests})
    status, said = build(tests)
    if status == 0:
        status, said = test(tests, TEST_SECONDS + GREEN_SECONDS * len(tests))  # what is red already tells nothing
    if status != 0:
        raise Mistake(f"tests are not green without any mutation\n{said[-4000:]}")
    bad = 0
    for one in entries:
        begun = time.monotonic()
        became = judge(one)
        bad += not became.startswith("red")
        print(f"{one.name:40} {time.monotonic() - begun:6.1f} s  {became}", flush=True)
    print(f"{len(entries)} mutations, {bad} of them not noticed")
    return 1 if bad else 0


def main(words):
    signals_take()
    entries = mutations_read((ROOT / "tests/mutations.txt").read_text())
    if words == ["--list"]:
        for one in entries:
            print(f"{one.name:40} {one.file}: {' '.join(one.tests)}")
        return 0
    with alone():
        return walk(chosen(entries, words))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Mistake as mistake:
        sys.exit(f"mutate: {mistake}")
