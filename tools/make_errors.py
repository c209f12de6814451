#!/usr/bin/env python3
"""Writes docs/errors.md from the command's own table, so that both say the same; a test compares them.

make_errors.py SSPI >docs/errors.md"""
import json
import subprocess
import sys

HEAD = """# Errors: what a status means, and what to do

`sspi error 0x8009030C` says the same for one of them; without a status it lists all. This page is made of the command's table (`tools/make_errors.py`).
The cause in words, `OpenSspiLastErrorText()`, says more than the status: look at it first.

| status | name | what it means | what to do |
|---|---|---|---|
"""


def cell(text):
    return text.replace("|", "\\|")


def page(entries):
    return HEAD + "".join(f"| {entry['hex']} | `{entry['name']}` | {cell(entry['meaning'])} | {cell(entry['advice'])} |\n" for entry in entries)


def main():
    listed = subprocess.run([sys.argv[1], "error", "--json"], check=True, capture_output=True, text=True).stdout
    sys.stdout.write(page(json.loads(listed)))


if __name__ == "__main__":
    main()
