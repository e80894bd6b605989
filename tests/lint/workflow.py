#!/usr/bin/python3
"""Fail when a job of CI asks make for what there is not, or git in a folder that git does not trust.

A container's root is not whom the checkout belongs to: without safe.directory git says nothing of it.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKFLOW = ROOT / ".github/workflows/ci.yml"
RUN = ".ci/run"
ASK_GIT = {"lint", "mutants", "test-system"}  # what is in the tree
NO_GOAL = re.compile(r"^ *#.*|\binstall [^&\n]*|\w+=(?:'[^']*'|\S*)|-j\S*", re.M)


def goals(text):
    """What it has make make."""
    called = re.findall(r"\bmake((?: +[-\w]+)*)", NO_GOAL.sub("", text))
    return {word for words in called for word in words.split() if word[0] != "-"}


def jobs():
    """{name: text}"""
    parts = re.split(r"^  ([\w-]+):\n", WORKFLOW.read_text().partition("\njobs:\n")[2], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def problems():
    known = set(re.findall(r"^([\w-]+):(?!=)", (ROOT / "Makefile").read_text(), re.M))
    for job, text in jobs().items():
        asked = goals(text) | (goals((ROOT / RUN).read_text()) if RUN in text else set())
        yield from (f"the job {job} asks for {goal}: make has no such goal" for goal in asked - known)
        if asked & ASK_GIT and "safe.directory" not in text:
            yield f"the job {job} asks git for files, in a folder that git does not trust"


found = sorted(problems())
print("\n".join(found), file=sys.stderr, end="\n" if found else "")
sys.exit(bool(found))
