"""The Python client as it is installed."""

import os
import subprocess

import pytest
from harness import ROOT
from test_library import stage  # noqa: F401

PYTHON = "/usr/bin/python3"


@pytest.fixture
def python(stage, home):  # noqa: F811
    """Run a program with what is installed; its output."""
    folder = stage / "usr/lib/python3/dist-packages"

    def run(program):
        return subprocess.run([PYTHON, "-W", "error", "-c", program], check=True, text=True,
                              stdout=subprocess.PIPE, env=dict(home.env, PYTHONPATH=str(folder))).stdout
    return run


def test_all_of_it_is_installed(stage):  # noqa: F811
    source, there = (sorted(name for name in os.listdir(folder / "clearml_clearconf")
                            if name != "__pycache__")
                     for folder in (ROOT / "client/python", stage / "usr/lib/python3/dist-packages"))
    assert source == there and "py.typed" in there


def test_it_is_known_by_its_distributions_name(python):
    said = python("import importlib.metadata, clearml_clearconf\n"
                  "print(importlib.metadata.version('clearml-clearconf'), clearml_clearconf.__version__)")
    assert len(set(said.split())) == 1


def test_it_works_by_both_its_names(python, home, daemon):
    home.conf("a = 1\n")
    daemon.start()
    assert python("import clearconf, clearml_clearconf.auto, os\n"
                  "assert clearconf.Client is clearml_clearconf.Client\n"
                  "assert clearconf.AsyncClient is clearml_clearconf.AsyncClient\n"
                  "print(clearconf.Client().get('a'), 'CLEARML_CONFIG_FILE' in os.environ)") == "1 True\n"
