#!/usr/bin/env python3
"""Runs fuzz targets, and keeps what came of it.

fuzz.py run SECONDS [TARGET ...]       so many seconds each, as many side by side as there are processors
fuzz.py campaign MINUTES [TARGET ...]  until each has so many minutes of processor time in docs/fuzzing.md; goes on where it was interrupted
fuzz.py minimise [TARGET ...]          keeps in tests/fuzz/corpus, of what was found, the inputs that reach code which no other reaches

Wants build/fuzz, a tree of the preset fuzz. No TARGET means all. New inputs go to build/fuzz/corpus, findings to build/fuzz/findings, what libFuzzer says
to build/fuzz/logs. Ends with 1 where a target found something.
"""

import argparse
import concurrent.futures
import datetime
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/fuzz"
SEEDS = ROOT / "tests/fuzz/corpus"
PAGE = ROOT / "docs/fuzzing.md"
LIMITS = ["-timeout=20", "-rss_limit_mb=2048"]
FOUND = "found_"  # inputs that a fuzzer made; a person's have other names, and stay whatever they reach
TURN, SHORT_TURN = 300, 60  # seconds: what is written down after each cannot be lost; on a busy machine little of them is of the processor
NEARLY = 10  # seconds that are not worth another turn

PAGE_HEAD = """# Fuzzing

How long each target of `tests/fuzz` has run under AddressSanitizer and UndefinedBehaviorSanitizer, in all: minutes are of processor time, not of the clock. "Edges" are
the pieces of code that its inputs reach, "without a new one" how many runs have found no other since the last; "-" was not counted: some targets ran before this page was
kept. No finding is open: one becomes a seed with its mend. `./run campaign [minutes]` goes on until every target has so many, and writes this page; `./run minimise` keeps
what it found in `tests/fuzz/corpus`, which ordinary tests replay.

| target | minutes | runs | edges | runs without a new one | last run |
|---|---|---|---|---|---|
"""


class Row:
    """What is known of one target: a line of the page."""

    def __init__(self, minutes="0", runs="-", edges="-", runs_without="-", last="-"):
        self.seconds = float(minutes) * 60
        self.runs, self.edges, self.runs_without = (int(number.replace(",", "").replace("-", "0")) for number in (runs, edges, runs_without))
        self.last = last

    def add(self, seconds, said):
        """A turn of so many seconds of which libFuzzer said this."""
        reached = [(int(run), int(edges)) for run, edges in re.findall(r"^#(\d+)\s.*?\bcov: (\d+)", said, re.M)]
        runs = runs_of(said)
        if reached:
            self.edges = max(self.edges, reached[0][1])  # what the corpus reaches by itself is not new
        self.runs_without += runs
        for run, edges in reached:
            if edges > self.edges:
                self.edges = edges
                self.runs_without = runs - run
        self.seconds += seconds
        self.runs += runs
        self.last = datetime.date.today().isoformat()

    def line(self, name):
        runs, edges = (f"{number:,}" if number else "-" for number in (self.runs, self.edges))
        runs_without = f"{self.runs_without:,}" if self.edges else "-"  # none is a number, too: the last run found something
        return f"| {name} | {self.seconds / 60:.2f} | {runs} | {edges} | {runs_without} | {self.last} |\n"


def runs_of(said):
    """How many inputs libFuzzer ran, by its own count."""
    counts = re.findall(r"^stat::number_of_executed_units:\s*(\d+)", said, re.M) or re.findall(r"^#(\d+)\s", said, re.M)
    return int(counts[-1]) if counts else 0


def page_read(text):
    """{target: row} of the page."""
    cells = (re.findall(r"[^|]+", line) for line in text.splitlines() if re.match(r"\| \w+ \| [\d.]+ \|", line))
    return {row[0].strip(): Row(*(cell.strip() for cell in row[1:])) for row in cells}


def page_text(rows):
    return PAGE_HEAD + "".join(rows[name].line(name) for name in sorted(rows))


def targets_all():
    return sorted(path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


def program(name):
    path = BUILD / f"tests/fuzz/fuzz_{name}"
    if not path.exists():
        raise SystemExit(f"fuzz: no such target: {name}")
    return path


class Campaign:
    """Targets that run side by side, and what was said of them."""

    def __init__(self, temporary):
        self.temporary = temporary  # where targets put their files
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False
        self.failed = []
        for folder in ("findings", "corpus", "logs"):
            (BUILD / folder).mkdir(exist_ok=True)

    def stop(self, *_):
        """Ends all turns as libFuzzer ends one by itself: it tells what it has done."""
        self.stopped = True
        for process in list(self.running):
            process.send_signal(signal.SIGINT)

    def turn(self, name, seconds):
        """Runs one target: the processor's seconds that it took, and what it said. Nothing when the campaign has been stopped."""
        corpus = BUILD / "corpus" / name
        corpus.mkdir(exist_ok=True)
        command = [program(name), f"-max_total_time={seconds}", *LIMITS, "-print_final_stats=1", f"-artifact_prefix={BUILD}/findings/{name}-"]
        log = BUILD / f"logs/{name}.log"
        with self.lock, open(log, "wb") as out:
            if self.stopped:
                return None
            process = subprocess.Popen([*command, corpus, SEEDS / name], stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT,
                                       env={**os.environ, "TMPDIR": str(self.temporary)}, start_new_session=True)
            self.running.add(process)
            if self.stopped:  # just now: it was not among those that were told
                process.send_signal(signal.SIGINT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.running.discard(process)
        said = log.read_text(errors="replace")
        # Before libFuzzer listens to the signal it ends by it.
        interrupted = self.stopped and (process.returncode == -signal.SIGINT or "libFuzzer: run interrupted" in said)
        if process.returncode != 0 and not interrupted:
            print(*said.splitlines()[-40:], f"{name}: FINDING, see {log} and {BUILD}/findings", sep="\n", flush=True)
            self.failed.append(name)
        return used.ru_utime + used.ru_stime, said

    def run(self, name, seconds):
        done = self.turn(name, seconds)
        if done is not None and name not in self.failed:
            print(f"{name}: no finding, {runs_of(done[1])} runs in {seconds} s", flush=True)

    def until(self, name, seconds):
        """Turns until the page's row has so many seconds of the processor, each written down as it ends."""
        while name not in self.failed:
            with self.lock:
                left = seconds - page_read(PAGE.read_text()).get(name, Row()).seconds
            done = self.turn(name, round(min(max(left, SHORT_TURN), TURN))) if left > NEARLY else None
            if done is None:
                return
            with self.lock:
                rows = page_read(PAGE.read_text())
                if runs_of(done[1]) == 0:
                    return
                rows.setdefault(name, Row()).add(*done)
                PAGE.write_text(page_text(rows))
            print(f"{time.strftime('%H:%M')} {rows[name].line(name).strip()}", flush=True)

    def minimise(self, name):
        """Makes the seeds anew: a person's, then of those that fuzzers found what adds code."""
        with tempfile.TemporaryDirectory(dir=self.temporary) as folder:
            merged, candidates = pathlib.Path(folder, "merged"), pathlib.Path(folder, "candidates")
            merged.mkdir()
            candidates.mkdir()
            for path in [*(SEEDS / name).iterdir(), *(BUILD / "corpus" / name).glob("*")]:
                kept = path.parent.parent == SEEDS and not path.name.startswith(FOUND)
                shutil.copyfile(path, (merged if kept else candidates) / path.name)
            said = subprocess.run([program(name), "-merge=1", "-use_counters=0", *LIMITS, merged, candidates], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors="replace", check=False, cwd=ROOT, env={**os.environ, "TMPDIR": folder})
            if said.returncode != 0:
                print(*said.stderr.splitlines()[-20:], f"{name}: not minimised", sep="\n", flush=True)
                self.failed.append(name)
                return
            before = {path.name for path in (SEEDS / name).glob(FOUND + "*")}
            for left in before:
                (SEEDS / name / left).unlink()
            for path in sorted(merged.iterdir()):
                if re.fullmatch(r"[0-9a-f]{40}", path.name) or path.name.startswith(FOUND):
                    content = path.read_bytes()
                    (SEEDS / name / (FOUND + hashlib.sha1(content).hexdigest()[:8])).write_bytes(content)
            print(f"{name}: {len(before)} found inputs before, {len(list((SEEDS / name).glob(FOUND + '*')))} now", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "campaign", "minimise"])
    parser.add_argument("rest", nargs="*", metavar="SECONDS, MINUTES or TARGET")
    arguments = parser.parse_args()
    rest = list(arguments.rest)
    amount = 0
    if arguments.what != "minimise":
        if not rest or not rest[0].isdigit():
            parser.error("how long?")
        amount = int(rest.pop(0))
    names = rest or targets_all()
    for name in names:
        program(name)
    with tempfile.TemporaryDirectory(prefix="opensspi-fuzz-") as temporary:
        campaign = Campaign(pathlib.Path(temporary))
        signal.signal(signal.SIGINT, campaign.stop)
        signal.signal(signal.SIGTERM, campaign.stop)
        work = {"run": lambda name: campaign.run(name, amount), "campaign": lambda name: campaign.until(name, amount * 60), "minimise": campaign.minimise}
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for future in [pool.submit(work[arguments.what], name) for name in names]:
                future.result()
    return 1 if campaign.failed else 0


if __name__ == "__main__":
    sys.exit(main())
