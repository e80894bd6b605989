"""Five minutes of tests/support/storm.py, under each of the sanitizers that `make test-long` has
built for."""

import os
import subprocess

import pytest
from harness import ROOT, SUPPORT

SECONDS = 300
SANITIZED = ["build-address-undefined", "build/thread"]


@pytest.mark.parametrize("build", SANITIZED)
def test_a_storm_leaves_everybody_with_what_is_there_last(build):
    options = f"exitcode=0 die_after_fork=0 suppressions={SUPPORT}/tsan.supp"
    env = dict(os.environ, B=str(ROOT / build), TSAN_OPTIONS=options)
    done = subprocess.run(["/usr/bin/python3", SUPPORT / "storm.py", str(SECONDS)], env=env,
                          capture_output=True, text=True)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
