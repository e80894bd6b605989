"""Checkouts of ClearML's public repositories, as `make test-real SDK=... AGENT=... SERVER=...` names
them; see tests/real/README.md. They are read and run, never copied."""

import os
import pathlib

import pytest

NO_SERVER = "no ClearML server to log in to: make test-real SERVER_URL=... (tests/real/README.md)"
PYTHON = "/usr/bin/python3"
MISSING = "no checkout of ClearML's sources: make test-real SDK=... AGENT=... SERVER=..."
# What makes a folder a checkout of each.
HOLDS = {"SDK": "clearml", "AGENT": "clearml_agent", "SERVER": "apiserver"}


def find(name):
    """The checkout's folder; None: it is not named, or is none."""
    folder = os.environ.get(f"CLEARML_{name}_SRC", "")
    return pathlib.Path(folder) if folder and os.path.isdir(os.path.join(folder, HOLDS[name])) else None


def require(name):
    """The checkout's folder; the test is skipped without one."""
    return find(name) or pytest.skip(MISSING)


def python_path(folder, *sources):
    """A PYTHONPATH with these, and with what of their needs is a matter of a line, written into the
    folder."""
    (folder / "pathlib2.py").write_text("from pathlib import *\n")
    return os.pathsep.join(filter(None, [*map(str, sources), os.environ.get("PYTHONPATH", ""), str(folder)]))
