"""The largest vault there may be, changed again and again: what the daemon takes has a bound."""

import pathlib
import sys

import pytest
from harness import FAST, SANITIZED

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from test_memory import MIB, change, peak  # noqa: E402


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes memory of its own")
def test_sixteen_megabytes_seventy_times(home, server, conf, daemon):
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    change(server, daemon, 16 * MIB - 64 * 1024, 70)
    assert peak(daemon) < 256 * MIB
