#!/usr/bin/env python3
"""Fail when a walk of daemon/doc/architecture.md names a function that its file has not.

A line of a walk is indented, perhaps after `^`: FOLDER/FILE, then functions. Each must be defined
in daemon/FOLDER/FILE.c."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "daemon/doc/architecture.md"
SECTION = "## Three walks"
STEP = re.compile(r"^ {4}(?:\^ | *)([a-z]+(?:/[a-z_]+)+) {2,}([a-z_]+(?:, [a-z_]+)*)$")


def functions(path):
    """Names that begin the definition of a function, which stands at the left margin."""
    return set(re.findall(r"(?m)^[a-z][^;={}]*?\b([a-z_0-9]+)\([^;{}]*\)\n\{", path.read_text()))


def main():
    steps = bad = 0
    within = False
    for number, line in enumerate(PAGE.read_text().splitlines(), 1):
        if line.startswith("## "):
            within = line == SECTION
        step = STEP.match(line) if within else None
        if not step:
            continue
        steps += 1
        path = ROOT / "daemon" / (step[1] + ".c")
        known = functions(path) if path.exists() else set()
        for name in step[2].split(", "):
            if name not in known:
                print(f"{PAGE.relative_to(ROOT)}:{number}: {step[1]}.c has no {name}")
                bad += 1
    if not steps:
        print(f"{PAGE.relative_to(ROOT)}: no walks")
    sys.exit(bool(bad or not steps))


main()
