"""Whoever is given a configuration without the vaults that a login should bring is told so, or,
with --require-vaults, is given none."""

import json
import subprocess

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import CLIENT, FAST, wait_until
from varlink import VarlinkError

GIVERS = {
    "get": ["get", "k"],
    "dump": ["dump", "--format=hocon"],
    "exec": ["exec", "--", "true"],
    "an agent": ["exec", "--vaults=live", "--", "true"],
}
REQUIRING = {
    "dump": ["dump", "--require-vaults"],
    "exec": ["exec", "--require-vaults", "--", "echo", "run"],
    "an agent": ["exec", "--vaults=live", "--require-vaults", "--", "echo", "run"],
}


@pytest.fixture
def away(home, conf, server, daemon):
    """A daemon whose server has never given anything."""
    server.state.set_vaults(["k: of the vault"])
    server.fail("page", status=500)
    home.settings(FAST)
    home.conf(conf("k: mine"))
    daemon.start()
    daemon.wait_state("degraded", "offline")
    return daemon


@pytest.mark.parametrize("command", GIVERS.values(), ids=GIVERS)
def test_a_warning_says_what_is_missing_and_why(home, away, server, command):
    done = home.client(*command, check=0)
    assert "warning: the vaults are not in: " in done.stderr and "500" in done.stderr
    server.clear_failures()
    away.wait_value("k", "of the vault")
    away.wait_state("ready")
    assert home.client(*command, check=0).stderr == ""


def test_get_at_the_start_warns_once(home, conf, server, daemon):
    server.fail("hang")
    home.settings(FAST)
    home.conf(conf("k: mine"))
    daemon.start()
    done = home.client("get", "k", check=0)
    assert done.stderr.count("warning") == 1 and "starting" in done.stderr


@pytest.mark.parametrize("command", REQUIRING.values(), ids=REQUIRING)
def test_who_requires_them_gets_nothing_without(home, away, server, command):
    done = home.client("--timeout=0.4", *command, check=6)
    assert done.stdout == "" and "the vaults are not in: " in done.stderr
    server.clear_failures()
    done = home.client("--timeout=20", *command, check=0)
    assert done.stdout != "" and done.stderr == ""


def test_the_cache_has_vaults(home, away, server):
    server.clear_failures()
    away.wait_state("ready")
    server.fail("drop")
    away.wait_state("offline")
    assert json.loads(home.client("dump", "--require-vaults", check=0).stdout)["k"] == "of the vault"
    assert home.client("get", "k", check=0).stderr == ""
    done = home.daemon("--print", "--require-vaults")
    assert (done.returncode, json.loads(done.stdout)["k"]) == (0, "of the vault")
    assert "warning: the vaults are the last known good ones: " in done.stderr


def test_it_waits_for_the_daemon_too_and_writes_once(home, conf, server, daemon):
    server.state.set_vaults(["k: of the vault"])
    server.fail("page", status=500)
    home.settings(FAST)
    home.conf(conf("k: mine"))
    path = home.path / "out.conf"
    waiting = subprocess.Popen([CLIENT, "--socket", home.socket, "--timeout", "30", "dump", "k",
                                "--require-vaults", "--output", path], env=home.env)
    daemon.start()
    daemon.wait_state("degraded", "offline")
    assert waiting.poll() is None and not path.exists()
    server.clear_failures()
    assert waiting.wait(timeout=30) == 0 and path.read_text() == "of the vault\n"


def test_no_daemon_in_that_time_is_as_ever(home):
    assert home.client("--timeout=0.3", "dump", "--require-vaults", check=4).stdout == ""


def test_a_dump_that_is_kept_current_stays_when_they_go(home, conf, server, daemon):
    server.state.set_vaults(["k: of the vault"])
    home.settings(FAST + "revoked_grace = 300ms\n")
    home.conf(conf("k: mine"))
    daemon.start()
    path = home.path / "out.conf"
    log = home.path / "dump.log"
    with open(log, "w") as errors:
        keeping = subprocess.Popen([CLIENT, "dump", "k", "--require-vaults", "--watch", "--output",
                                    path], env=home.env, stderr=errors)
    try:
        wait_until(path.exists, "the dump")
        server.state.revoke_credentials(ACCESS_KEY)
        server.state.invalidate_tokens()
        daemon.wait_value("k", "mine")
        wait_until(lambda: "the vaults are not in" in log.read_text(), "the warning")
        assert path.read_text() == "of the vault\n" and keeping.poll() is None
    finally:
        keeping.kill()
        keeping.wait()


def test_a_server_without_vaults_has_given_what_it_has(home, daemon):
    with ClearMLServer(port=0, edition="open") as server:
        home.conf(f"api {{ api_server: {server.url}, credentials {{ access_key: {ACCESS_KEY}, "
                  f'secret_key: "{SECRET_KEY}" }} }}')
        home.settings(FAST)
        daemon.start()
        daemon.wait_state("ready")
        for command in REQUIRING.values():
            assert home.client(*command, check=0).stderr == ""
        assert home.daemon("--print", "--require-vaults").returncode == 0


def test_where_nobody_is_asked_none_are_expected(home, daemon):
    home.conf("k: mine")
    daemon.start()
    assert home.client("dump", check=0).stderr == ""
    done = home.client("--timeout=0.3", "dump", "--require-vaults", check=6)
    assert "the vaults are not in: " in done.stderr and "api_server" in done.stderr
    done = home.daemon("--print", "--require-vaults")
    assert (done.returncode, done.stdout) == (6, "") and "api_server" in done.stderr


def test_a_switch_is_no_vault(home, conf, server):
    home.conf(conf("k: mine"))
    off = {"CLEARML_AGENT_DISABLE_VAULT_SUPPORT": "1"}
    assert home.daemon("--print", env=off).stderr == ""
    done = home.daemon("--print", "--require-vaults", env=off)
    assert (done.returncode, done.stdout) == (6, "") and "switches vaults off" in done.stderr


def test_print_is_told_as_well(home, conf, server):
    server.fail("page", status=500)
    home.conf(conf("k: mine"))
    home.settings(FAST)
    done = home.daemon("--print")
    assert done.returncode == 0 and "warning: the vaults are not in: " in done.stderr
    done = home.daemon("--print", "--require-vaults")
    assert (done.returncode, done.stdout) == (6, "") and "500" in done.stderr
    assert home.daemon("--require-vaults").returncode == 2


def test_the_daemon_says_so_to_any_client(away):
    with pytest.raises(VarlinkError, match="the vaults are not in") as refusal:
        away.call("Get", require_vaults=True)
    assert refusal.value.name == "io.clearconf.NotReady"
    answer = away.call("Get")
    assert "500" in answer["without_vaults"] and answer["value"]["k"] == "mine"
