"""The life of keys: when they end, what they are called."""

import json
import time

import pytest
from clearml_server import ClearMLServer
from harness import FAST, wait_until
from test_metrics import metrics, value


class Pair:
    """A key pair of the default user, in a clearml.conf."""

    def __init__(self, server, **fields):
        self.__dict__.update(server.state.add_credentials(**fields))
        self.conf = (f"api {{ api_server: {server.url}\n credentials {{ access_key: {self.access_key}, "
                     f"secret_key: \"{self.secret_key}\" }} }}\n")


@pytest.fixture
def logged_in(home, daemon, server):
    """Start a daemon with a new pair; the pair."""
    def start(**fields):
        pair = Pair(server, **fields)
        home.settings(FAST.replace("prove = 0", "prove = 200ms"))
        home.conf(pair.conf).chmod(0o600)
        daemon.start()
        daemon.wait_state("ready")
        return pair
    return start


def known(home, key):
    """What the list says of a key."""
    listed = json.loads(home.client("credentials", "--json", check=0).stdout)["credentials"]
    return next((each for each in listed if each["access_key"] == key), None)


def test_a_key_that_lasts_says_nothing_of_its_end(home, daemon, logged_in):
    logged_in()
    assert "access_key_expires" not in daemon.workspace()
    assert "expires" not in home.client("status", check=0).stdout


def test_the_end_of_a_key_is_told_everywhere(home, daemon, server, logged_in):
    ends = int(time.time()) + 10_000
    pair = logged_in(expiration_sec=10_000)
    wait_until(lambda: daemon.workspace().get("access_key_expires"), "the end of the key")
    assert abs(daemon.workspace()["access_key_expires"] - ends) <= 2
    assert daemon.workspace()["access_key_runs_out"] is False
    assert abs(known(home, pair.access_key)["expires"] - ends) <= 2
    assert "expires in 2 h" in home.client("status", check=0).stdout
    told = value(metrics(home), "workspace_key_expires_timestamp_seconds", workspace="default")
    assert abs(told - ends) <= 2
    assert "key-runs-out" not in daemon.log()
    assert "expires in" not in home.client("doctor", check=0).stdout


def test_a_key_that_runs_out_is_warned_of_once(home, daemon, server, logged_in):
    """When a fifth is left: here of ten seconds."""
    pair = logged_in(expiration_sec=10)
    with daemon.connect() as watcher:
        watcher.send("io.clearconf.GetStatus", more=True)
        watcher.receive_until(lambda x: x["status"]["workspaces"][0].get("access_key_runs_out"))
    assert daemon.workspace()["state"] == "ready"
    doctor = home.client("doctor", check=0).stdout
    assert "the key of workspace default expires in 0 h" in doctor
    wait_until(lambda: daemon.workspace()["state"] == "refused", "the end")
    assert daemon.log().count("key-runs-out") == 1
    assert "has expired" in home.client("status", check=0).stdout
    assert pair.secret_key not in daemon.log()


def test_a_key_is_made_to_end(home, server, logged_in):
    logged_in()
    made = home.client("credentials", "create", "--label", "box", "--expires", "2h", "--json", check=0)
    pair = json.loads(made.stdout)
    assert abs(pair["expires"] - time.time() - 7200) < 10
    assert "has not said" not in made.stderr
    assert abs(known(home, pair["access_key"])["expires"] - time.time() - 7200) < 10


def test_a_server_that_does_not_say_so_is_not_believed(home, server, logged_in):
    logged_in()
    server.fail("data", endpoint="auth.create_credentials",
                data={"credentials": {"access_key": "K", "secret_key": "S"}})
    made = home.client("credentials", "create", "--expires", "2h", check=0)
    assert "the server has not said that this key expires" in made.stderr


def test_where_no_expiry_is_known_nothing_is_made(home, daemon):
    with ClearMLServer(edition="open") as server:
        home.settings(FAST)
        home.conf(Pair(server).conf)
        daemon.start()
        daemon.wait_state("ready")
        done = home.client("credentials", "create", "--expires", "2h", check=6)
        assert "knows no expiry" in done.stderr and not done.stdout
        assert server.count("auth.create_credentials") == 0
        home.client("credentials", "create", check=0)


def test_a_key_gets_another_name_and_loses_it(home, server, logged_in):
    pair = logged_in(label="old")
    home.client("credentials", "edit", pair.access_key, "--label", "new", check=0)
    assert known(home, pair.access_key)["label"] == "new"
    home.client("credentials", "edit", pair.access_key, "--label", "", check=0)
    assert "label" not in known(home, pair.access_key)
    done = home.client("credentials", "edit", "NOSUCHKEY", "--label", "x", check=6)
    assert "access key" in done.stderr


@pytest.mark.parametrize("words, problem", [
    (["create", "--expires", "yesterday"], "--expires takes"),
    (["create", "--expires", "2001-01-01"], "a date to come"),
    (["list", "--expires", "2h"], "--expires is for 'credentials create' and 'rotate'"),
    (["revoke", "K", "--label", "x"], "--label is for 'credentials create' and 'edit'"),
    (["edit", "K"], "needs --label"), (["edit", "--label", "x"], "needs an access key")])
def test_wrong_usage(home, words, problem):
    assert problem in home.client("credentials", *words, check=2).stderr
