"""Large vaults are read beside the loop: others are answered meanwhile, and what is at work may be
overtaken by a stop."""

import threading
import time

import pytest
from harness import FAST, SANITIZED
from test_memory import MIB, vault

SIZE = 4 * MIB
CHANGES = 4
# Of the loop's own work, which grows by the vault: 10 ms, and 100 if all were done by the loop.
TURN_MS = 30


class Asker(threading.Thread):
    """Gets of a small value, one after the other, until it is stopped."""

    def __init__(self, daemon):
        super().__init__()
        self.daemon_at_work, self.over, self.answers = daemon, threading.Event(), []

    def run(self):
        with self.daemon_at_work.connect() as client:
            while not self.over.is_set():
                self.answers.append(client.call("io.clearconf.Get", path="local")["value"])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_others_are_answered_while_a_large_vault_comes(home, server, conf, daemon):
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    with Asker(daemon) as asker:
        for serial in range(CHANGES):
            server.state.set_vaults([vault(SIZE, serial)])
            daemon.wait_value("serial", serial)
    assert len(asker.answers) > CHANGES and set(asker.answers) == {1}
    if not SANITIZED:
        assert daemon.longest_turn_ms() < TURN_MS


@pytest.mark.parametrize("later", [0.0, 0.05, 0.1, 0.15, 0.2, 0.25])
def test_a_stop_is_clean_and_loses_nothing(home, server, conf, daemon, later):
    """Wherever it comes: before, during and after the answer."""
    home.settings(FAST)
    home.conf(conf("local: 1"))
    daemon.start()
    daemon.wait_state("ready")
    server.state.set_vaults([vault(SIZE, 1)])
    time.sleep(later)
    assert daemon.stop() == 0
    daemon.start()
    daemon.wait_value("serial", 1)
