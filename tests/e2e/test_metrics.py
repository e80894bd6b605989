"""`clearconf status --openmetrics`: what monitoring is told."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest
from clearml_state import ACCESS_KEY
from harness import FAST, wait_until
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from varlink import VarlinkError

USAGE = 2


def metrics(home, *options):
    """{(name, labels as a sorted tuple): value}, by a parser that takes nothing wrong."""
    text = home.client(*options, "status", "--openmetrics", check=0).stdout
    assert text.endswith("\n# EOF\n")
    samples = [sample for family in text_string_to_metric_families(text)
               for sample in family.samples]
    found = {(s.name.removeprefix("clearconf_"), tuple(sorted(s.labels.items()))): s.value
             for s in samples}
    assert len(found) == len(samples), "a sample that is there twice"
    return found


def value(found, name, **labels):
    return found[name, tuple(sorted(labels.items()))]


def layers(found, name):
    """{source: value}, of layer_state the state that holds."""
    told = {}
    for (each, labels), number in found.items():
        labels = dict(labels)
        if each == name and number:
            told[pathlib.Path(labels["source"]).name] = labels.get("state", number)
    return told


@pytest.fixture
def serving(home, server, daemon, conf):
    server.state.set_vaults(["team = 1\n"])
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def test_it_tells_how_the_daemon_stands(home, serving):
    with serving.connect() as watcher:
        watcher.watch()
        found = metrics(home)
    status = serving.status()
    assert value(found, "info", version=status["version"], instance="user", mode="agent") == 1
    assert value(found, "state", state="ready") == 1 and value(found, "state", state="offline") == 0
    assert value(found, "generation") == status["generation"]
    assert value(found, "watchers") == 1 and value(found, "connections") == 2
    assert value(found, "workspace_state", workspace="default", state="ready") == 1
    assert value(found, "workspace_failing", workspace="default") == 0
    last = value(found, "workspace_last_success_timestamp_seconds", workspace="default")
    assert abs(last - time.time()) < 60
    assert layers(found, "layer_state")["clearml.conf"] == "ok"
    for name in ("longest_turn_seconds", "recent_turn_seconds"):
        assert 0 < value(found, name, clock="wall") < 60
        assert 0 <= value(found, name, clock="cpu") < 60
    ages = [number for (name, _), number in found.items() if name == "layer_age_seconds"]
    assert ages and all(0 <= each < 60 for each in ages)


def test_counters_count(home, serving, server):
    before = metrics(home)
    with pytest.raises(VarlinkError):
        serving.call("Get", path="a", environment={"A": "x" * 70000})  # above the quota
    serving.reload()
    server.wait_for("users.get_vaults", server.count("users.get_vaults") + 2)
    after = metrics(home)

    def grown(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)
    assert grown("reloads_total") == 1
    assert grown("refused_total") == 1
    assert grown("calls_total") >= 3 and grown("accepted_connections_total") >= 3
    assert grown("socket_bytes_total", direction="received") > 70000
    assert grown("socket_bytes_total", direction="sent") > 0
    assert grown("fetches_total", result="ok") >= 1 and grown("requests_total") >= 1
    assert grown("requests_received_bytes_total") > 0
    assert grown("fetches_total", result="failed") == 0


def test_failures_show(home, serving, server):
    server.fail("delay", seconds=0.3, times=1)
    wait_until(lambda: value(metrics(home), "requests_seconds_total") > 0.3, "the time it took")
    home.conf("broken = [1,\n")
    serving.wait_layer("clearml.conf", "broken")
    server.close_door()
    serving.wait_state("offline")
    found = metrics(home)
    assert value(found, "state", state="offline") == 1
    assert value(found, "workspace_failing", workspace="default") == 1
    assert value(found, "fetches_total", result="failed") >= 1
    assert value(found, "requests_unanswered_total") >= 1
    assert layers(found, "layer_state")["clearml.conf"] == "broken"


def test_no_secret_is_a_label(home, serving):
    text = home.client("status", "--openmetrics", check=0).stdout
    assert ACCESS_KEY not in text


def test_names_of_all_sorts_are_escaped(home, daemon):
    name = 'qu"ote\\and\nline.conf'
    home.write(name, "a = 1\n")
    home.env["CLEARML_CONFIG_FILE"] = daemon.env["CLEARML_CONFIG_FILE"] = str(home.path / name)
    daemon.start()
    assert name in layers(metrics(home), "layer_state")


def test_one_workspace_only(home, serving):
    assert metrics(home, "--workspace", "default")
    assert home.client("--workspace", "none", "status", "--openmetrics").returncode == USAGE
    assert home.client("status", "--json", "--openmetrics").returncode == USAGE


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_the_textfile_collectors_parser_takes_it(home, serving):
    text = home.client("status", "--openmetrics", check=0).stdout
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, timeout=60,
                          capture_output=True)
    assert not re.search(r"error", done.stderr, re.I), done.stderr
