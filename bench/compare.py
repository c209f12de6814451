"""Prints speed beside the peers, measured in the same run: programs take turns, the best of each counts.

compare.py BUILD_DIR [ntlm|kerberos|together|negotiate|schannel|digest|lsad|threads]

A whole run is kept in docs/benchmarks.md and docs/benchmarks.svg."""
import os
import subprocess
import sys

import digest
import kerberos
import lsad
import negotiate
import ntlm
import page
import schannel
import threads
import together

SUITES = {"ntlm": ntlm, "kerberos": kerberos, "together": together, "negotiate": negotiate, "schannel": schannel, "digest": digest, "lsad": lsad, "threads": threads}
TURNS = 3
OURS = "OpenSSPI"
MEMORY = "context bytes"


def measure(program, words, environment):
    run = subprocess.run([program, *words], env=environment, text=True, stdout=subprocess.PIPE, check=True)
    return {name: float(value) for name, value in (line.split("\t") for line in run.stdout.splitlines())}


def measure_all(build, jobs):
    """The best of each (column, workload). A job is a column, a program, its arguments, its environment."""
    best = {}
    for _ in range(TURNS):
        for column, program, words, environment in jobs:
            for workload, value in measure(os.path.join(build, "bench", program), words, environment).items():
                best[column, workload] = min(value, best.get((column, workload), value))
    return best


def show(value, workload):
    if value is None:
        return "-"
    if workload == MEMORY:
        return f"{value:.0f} B"
    return f"{value:.0f} ns" if value < 10000 else f"{value / 1000:.1f} us"


def label(workload, ours):
    if workload == MEMORY:
        return "memory per established context"
    sizes = [int(word) for word in workload.split() if word.isdigit()]
    return f"{workload}, {sizes[0] * 1e3 / ours:.0f} MB/s" if sizes and sizes[0] >= 1024 else workload


def verdict(suite, workload, ours, peers):
    """Goals are ratios to the best peer, or the best of the first GOAL_PEERS, or nanoseconds more than the first; memory's is bytes."""
    if hasattr(suite, "verdict_of"):
        return suite.verdict_of(ours, peers)
    if workload == MEMORY:
        return f"{'met' if ours <= suite.MEMORY_GOAL else 'MISSED'} ({suite.MEMORY_GOAL} B)"
    more = getattr(suite, "MORE", {}).get(workload)
    if more is not None and peers[0] is not None:
        return f"{'met' if ours - peers[0] <= more else 'MISSED'} ({ours - peers[0]:+.0f} ns, {more})"
    peers = peers[:getattr(suite, "GOAL_PEERS", None)]
    goal, known = suite.GOALS.get(workload), [peer for peer in peers if peer is not None]
    if goal is None or not known:
        return ""
    return f"{'met' if min(known) / ours >= goal else 'MISSED'} ({goal}x)"


def rows_of(suite, best):
    """What a table's line says: workload, ours, the peers' values, the verdict."""
    for column, workload in best:
        if column == OURS:
            ours, peers = best[OURS, workload], [best.get((peer, workload)) for peer in suite.PEERS]
            yield workload, ours, peers, verdict(suite, workload, ours, peers)


def print_table(suite, rows):
    print(f"{suite.TITLE:40}{OURS:>12}" + "".join(f"{peer:>14}" for peer in suite.PEERS)
          + "".join(f"{'x ' + peer:>15}" for peer in suite.PEERS) + "  goal")
    for workload, ours, peers, said in rows:
        cells = "".join(f"{show(value, workload):>14}" for value in peers)
        ratios = "".join(f"{peer / ours:>15.2f}" if peer else f"{'-':>15}" for peer in peers)
        print(f"{label(workload, ours):40}{show(ours, workload):>12}{cells}{ratios}  {said}")


def main():
    build, chosen = os.path.abspath(sys.argv[1]), [word.lower() for word in sys.argv[2:]] or list(SUITES)
    tables = []
    for name in chosen:
        if name not in SUITES:
            sys.exit(f"bench: there is no {name}; there are: {' '.join(SUITES)}")
    for number, name in enumerate(chosen):
        with SUITES[name].prepare(build) as jobs:
            rows = list(rows_of(SUITES[name], measure_all(build, jobs)))
        print(end="\n" if number else "")
        print_table(SUITES[name], rows)
        sys.stdout.flush()
        tables.append((SUITES[name], rows))
    if chosen == list(SUITES):
        page.write(tables, show, label)


main()
