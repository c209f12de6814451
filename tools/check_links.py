#!/usr/bin/env python3
"""Says which links of Markdown files in a directory lead nowhere within it: check_links.py DIRECTORY"""
import pathlib
import re
import sys

LINK = re.compile(r"\]\(([^)#\s]+)")


def nowhere(top):
    """Pairs of a document and a link of it that no file of the directory answers. A link out of the directory is one."""
    for document in sorted(top.rglob("*.md")):
        for link in LINK.findall(document.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", link):
                continue
            target = (document.parent / link).resolve()
            if not target.is_relative_to(top) or not target.exists():
                yield document.relative_to(top), link


if __name__ == "__main__":
    broken = list(nowhere(pathlib.Path(sys.argv[1]).resolve(strict=True)))
    for document, link in broken:
        print(f"{document}: {link} leads nowhere")
    sys.exit(1 if broken else 0)
