"""ClearML's own SDK, of a checkout."""

import os
import subprocess

import checkouts
from checkouts import PYTHON


def python_path(folder):
    """The PYTHONPATH with it; None when it cannot be had, or imported."""
    source = checkouts.find("SDK")
    if not source:
        return None
    path = checkouts.python_path(folder, source)
    done = subprocess.run([PYTHON, "-c", "import clearml"], capture_output=True,
                          env=dict(os.environ, PYTHONPATH=path))
    return path if done.returncode == 0 else None
