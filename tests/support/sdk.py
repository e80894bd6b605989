"""ClearML's own SDK, where CLEARML_SDK_SRC names a checkout of it."""

import os
import subprocess

PYTHON = "/usr/bin/python3"
SOURCE = os.environ.get("CLEARML_SDK_SRC", "")


def python_path(folder):
    """The PYTHONPATH with it, and with what of its needs is a matter of a line, written into the
    folder where it is not installed; None when the SDK cannot be had."""
    if not os.path.isdir(os.path.join(SOURCE, "clearml")):
        return None
    (folder / "pathlib2.py").write_text("from pathlib import *\n")
    path = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH", ""), str(folder)]))
    done = subprocess.run([PYTHON, "-c", "import clearml"], capture_output=True,
                          env=dict(os.environ, PYTHONPATH=path))
    return path if done.returncode == 0 else None
