"""Keeps a whole run: docs/benchmarks.md, and its ratios to the first peer as a chart, docs/benchmarks.svg."""
import datetime
import html
import math
import os
import pathlib
import platform
import re

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"
# The chart: a bar a line, on a logarithmic scale from half as fast as the peer to sixteen times.
LOW, HIGH = 0.5, 16.0
LEFT, WIDTH, LINE, TOP = 360, 520, 18, 46
OURS, MISSED, TEXT, GRID = "#2f6f9f", "#b5532c", "#333333", "#cccccc"


def machine():
    """The processor, its number and the system, as they say it themselves."""
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text(encoding="utf-8"))
    return f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} processors; {system[1] if system else platform.system()}"


def table(suite, rows, show, label):
    """One suite's table in Markdown."""
    head = [suite.TITLE, "OpenSSPI", *suite.PEERS, *(f"x {peer}" for peer in suite.PEERS), "goal"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for workload, ours, peers, said in rows:
        ratios = [f"{peer / ours:.2f}" if peer else "-" for peer in peers]
        lines.append("| " + " | ".join([label(workload, ours), show(ours, workload), *(show(peer, workload) for peer in peers), *ratios, said]) + " |")
    return "\n".join(lines)


def across(ratio):
    return LEFT + WIDTH * math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)


def chart(tables, label):
    """Every line with a ratio to the suite's first peer; bars of lines that missed their goal have another colour."""
    lines, y = [], TOP
    for suite, rows in tables:
        shown = [(workload, ours, peers[0], said) for workload, ours, peers, said in rows if peers[0] and ours]
        if not shown:
            continue
        y += LINE
        lines.append(f'<text x="8" y="{y - 5}" font-weight="bold">{html.escape(suite.TITLE)}, beside {html.escape(suite.PEERS[0])}</text>')
        for workload, ours, peer, said in shown:
            ratio = peer / ours
            start, end = sorted((across(1), across(ratio)))
            colour = MISSED if said.startswith("MISSED") else OURS
            lines.append(f'<text x="{LEFT - 8}" y="{y + LINE - 5}" text-anchor="end">{html.escape(label(workload, ours))}</text>'
                         f'<rect x="{start:.1f}" y="{y + 3}" width="{max(end - start, 1):.1f}" height="{LINE - 6}" fill="{colour}"/>'
                         f'<text x="{max(end, across(1)) + 6:.1f}" y="{y + LINE - 5}">{ratio:.2f}</text>')
            y += LINE
        y += LINE // 2
    grid = "".join(f'<line x1="{across(mark):.1f}" x2="{across(mark):.1f}" y1="{TOP - 6}" y2="{y}" stroke="{GRID}"/>'
                   f'<text x="{across(mark):.1f}" y="{TOP - 12}" text-anchor="middle">{mark:g}x</text>' for mark in (0.5, 1, 2, 4, 8, 16))
    width = LEFT + WIDTH + 60
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 12}" viewBox="0 0 {width} {y + 12}" font-family="sans-serif" font-size="12" fill="{TEXT}">'
            f'<title>How many times as fast as the first peer, in one run</title><rect width="100%" height="100%" fill="white"/>{grid}{"".join(lines)}</svg>\n')


def write(tables, show, label):
    """Both files."""
    parts = [f"""# Benchmarks

The last whole run of `./run bench`, {datetime.date.today().isoformat()}: {machine()}. Client and server in one process and one thread, programs in turn, the best of three turns each; figures are of one operation, and
less is better. "x" is how many times as fast as that peer. Absolute figures move from machine to machine; the ratios are what counts.

![How many times as fast as the first peer](benchmarks.svg)
"""]
    parts += [table(suite, rows, show, label) for suite, rows in tables]
    (DOCS / "benchmarks.md").write_text("\n\n".join(part.strip() for part in parts) + "\n", encoding="utf-8")
    (DOCS / "benchmarks.svg").write_text(chart(tables, label), encoding="utf-8")
