"""The whole way: a file is saved or a vault enabled, and who asks or watches
has it."""

import json
import os
import statistics
import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import FAST, Daemon, wait_until
from varlink import VarlinkError

TEAM = 'sdk.development.default_output_uri: "s3://team/models"\nagent.team: true'


@pytest.fixture
def ready(home, conf, daemon):
    """Start a daemon whose clearml.conf is `text`, logged in to the stand-in."""
    def start(text="", settings=FAST):
        home.settings(settings)
        home.conf(conf(text))
        daemon.start()
        daemon.wait_state("ready")
        return daemon
    return start


# --- files ---


def test_a_value_of_the_file_is_answered(home, daemon):
    home.conf("sdk.aws.s3.region: eu-west-1")
    daemon.start()
    assert daemon.get("sdk.aws.s3") == {"region": "eu-west-1"}


def test_without_a_file_there_is_nothing_and_that_is_ready(daemon):
    daemon.start()
    assert daemon.call("Get")["value"] == {}
    assert daemon.wait_state("ready")


def test_without_a_server_in_the_file_it_is_ready_and_asks_none(home, server, daemon):
    home.conf("agent.name: local")
    daemon.start()
    daemon.wait_state("ready")
    assert "server" not in daemon.workspace()
    assert server.count() == 0


def test_clearml_conf_overrides_trains_conf(home, daemon):
    home.write("trains.conf", "a: old, b: old")
    home.conf("b: new")
    daemon.start()
    assert daemon.get() == {"a": "old", "b": "new"}


def save_by_rename(path, text):
    temporary = path.with_name("." + path.name + ".swp")
    temporary.write_text(text)
    os.replace(temporary, path)


def save_in_place(path, text):
    with open(path, "r+") as file:
        file.truncate()
        file.write(text)


def save_with_backup(path, text):
    os.rename(path, path.with_name(path.name + "~"))
    path.write_text(text)


@pytest.mark.parametrize("save", [save_by_rename, save_in_place, save_with_backup],
                         ids=lambda f: f.__name__)
def test_a_saved_file_reaches_a_watcher_however_it_is_saved(home, daemon, save):
    path = home.conf("k: 1")
    daemon.start()
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        save(path, "k: 2\nmore: true")
        watcher.receive_until(lambda _: daemon.get() == {"k": 2, "more": True})


def test_a_file_that_goes_takes_its_keys_and_brings_them_back(home, daemon):
    path = home.conf("k: 1")
    daemon.start()
    path.unlink()
    daemon.wait_value("k", None)
    assert daemon.layer("clearml.conf")["state"] == "missing"
    home.conf("k: 2")
    daemon.wait_value("k", 2)


def test_a_file_that_first_appears_later_is_read(home, daemon):
    daemon.start()
    home.conf("k: 1")
    daemon.wait_value("k", 1)


def test_a_file_saved_while_the_daemon_starts_is_not_missed(home, daemon):
    """Whether it is saved before the first look, between looks, or after."""
    for number in range(5):
        home.conf("k: old")
        daemon.spawn()
        wait_until(home.socket.exists, "the socket")
        home.conf(f"k: {number}")
        wait_until(daemon.answers, "the socket to answer")
        daemon.wait_value("k", number)
        daemon.stop()


def test_a_chain_of_links_is_followed_at_every_step(home, daemon):
    home.write("dotfiles/work/clearml.conf", "k: work")
    home.write("dotfiles/home/clearml.conf", "k: home")
    (home.path / "current").symlink_to("dotfiles/work")
    (home.path / "clearml.conf").symlink_to("current/clearml.conf")
    daemon.start()
    daemon.wait_value("k", "work")
    home.write("dotfiles/work/clearml.conf", "k: edited")
    daemon.wait_value("k", "edited")
    (home.path / "next").symlink_to("dotfiles/home")
    os.replace(home.path / "next", home.path / "current")
    daemon.wait_value("k", "home")


def test_a_kubernetes_volume_that_swaps_its_data_is_read_anew(home, daemon):
    volume = home.path / "volume"

    def publish(name, text):
        home.write(f"volume/{name}/clearml.conf", text)
        (volume / "..data_tmp").symlink_to(name)
        os.replace(volume / "..data_tmp", volume / "..data")

    publish("..2026_11_24_a", "k: 1")
    (volume / "clearml.conf").symlink_to("..data/clearml.conf")
    (home.path / "clearml.conf").symlink_to(volume / "clearml.conf")
    daemon.start()
    daemon.wait_value("k", 1)
    publish("..2026_11_24_b", "k: 2")
    daemon.wait_value("k", 2)


def test_a_change_of_an_included_file_counts(home, daemon):
    home.write("team.conf", "team: red")
    home.conf('include "team.conf"\nown: 1')
    daemon.start()
    daemon.wait_value("team", "red")
    home.write("team.conf", "team: blue")
    daemon.wait_value("team", "blue")


def test_an_include_that_appears_later_counts(home, daemon):
    home.conf('include "sub/team.conf"\nown: 1')
    daemon.start()
    assert daemon.get() == {"own": 1}
    home.write("sub/team.conf", "team: blue")
    daemon.wait_value("team", "blue")


def test_clearml_config_file_replaces_both_files_of_the_home(home):
    home.conf("k: home")
    home.write("trains.conf", "t: 1")
    home.write("cwd/other.json", "k = hocon # whatever its name")
    with Daemon(home, env={"CLEARML_CONFIG_FILE": "other.json"}) as daemon:
        assert daemon.get() == {"k": "hocon"}


def test_files_of_the_settings_are_read_in_order_by_their_suffix(home, daemon):
    home.conf("k: home")
    home.write("config/clearconf/base.conf", "a = 1, k = base")
    home.write("team.json", json.dumps({"k": "team", "u": "\u00e9/"}))
    home.settings("[local]\nfiles = base.conf\nfiles = ~/team.json\n")
    daemon.start()
    assert daemon.get() == {"a": 1, "k": "team", "u": "\u00e9/"}


def test_the_environment_does_not_select_files_that_the_settings_name(home):
    home.conf("k: home")
    home.write("other.conf", "k: other")
    home.settings("[local]\nfiles = ~/clearml.conf\n")
    with Daemon(home, env={"CLEARML_CONFIG_FILE": str(home.path / "other.conf")}) as daemon:
        assert daemon.get("k") == "home"


# --- vaults ---


def test_an_enabled_vault_reaches_a_watcher_and_get(server, ready):
    daemon = ready("sdk.development.default_output_uri: local")
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        server.state.set_vaults([TEAM])
        assert watcher.changes() == {
            "sdk.development.default_output_uri": ("changed", "s3://team/models"),
            "agent.team": ("added", True)}
    assert daemon.get("sdk.development.default_output_uri") == "s3://team/models"


def test_a_withdrawn_vault_takes_its_keys_along(server, ready):
    server.state.set_vaults([TEAM, "other: 1"])
    daemon = ready("sdk.development.default_output_uri: local")
    assert daemon.get("agent.team") is True
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        server.state.set_vaults(["other: 1"])
        assert watcher.changes() == {
            "sdk.development.default_output_uri": ("changed", "local"),
            "agent.team": ("removed", None)}
    assert "agent" not in daemon.get() and daemon.get("other") == 1


def test_a_key_removed_from_a_vault_is_gone(server, ready):
    server.state.set_vaults(["a: 1, b: 2"])
    daemon = ready()
    assert daemon.get("b") == 2
    server.state.set_vaults(["a: 1"])
    daemon.wait_value("b", None)
    assert daemon.get("a") == 1


def test_the_servers_order_of_vaults_decides(server, ready):
    red, blue = {"id": "r", "data": "team: red, red: 1"}, {"id": "b", "data": "team: blue"}
    server.state.set_vaults([red, blue])
    daemon = ready("team: none")
    assert daemon.get("team") == "blue" and daemon.get("red") == 1
    server.state.set_vaults([blue, red])
    daemon.wait_value("team", "red")
    assert [x["source"] for x in daemon.layers() if x["layer"] == "vault"] == ["b", "r"]


def test_a_vault_sees_the_old_names_of_variables(daemon, server, ready):
    """The agent copies each CLEARML_x to TRAINS_x before it reads anything."""
    daemon.env["CLEARML_TEAM"] = "red"
    server.state.set_vaults([{"id": "v", "data": "team: ${TRAINS_TEAM}"}])
    ready()
    assert daemon.get("team") == "red"
    daemon.reload()
    assert daemon.get("team") == "red"


def test_a_disabled_vault_has_no_say(server, ready):
    vault = {"id": "v", "data": "team: red", "enabled": False}
    server.state.set_vaults([vault])
    daemon = ready()
    assert "team" not in daemon.get()
    server.state.set_vaults([dict(vault, enabled=True)])
    daemon.wait_value("team", "red")
    server.state.set_vaults([vault])
    daemon.wait_value("team", None)


def test_a_vault_is_never_missing_from_a_ready_answer(server, ready):
    """Restarted ten times, an agent that asks when it is ready has the vault."""
    server.state.set_vaults([TEAM])
    daemon = ready()
    for _ in range(10):
        daemon.stop()
        daemon.start()
        answer = wait_until(lambda: (x := daemon.call("Get"))["state"] != "starting" and x,
                            "the vaults")
        assert answer["value"]["agent"] == {"team": True}


def test_a_file_and_a_vault_that_change_meet_in_the_answer(home, conf, server, ready):
    daemon = ready("a: 1")
    server.state.set_vaults(["b: ${a}"])
    daemon.wait_value("b", 1)
    home.conf(conf("a: 2"))
    daemon.wait_value("b", 2)


@pytest.mark.parametrize("options", [{"edition": "open"}, {"api_version": "2.14"}],
                         ids=["open source", "older API"])
def test_a_server_without_vaults_is_ready(home, daemon, options):
    with ClearMLServer(**options) as server:
        home.settings(FAST)
        home.conf(f"api {{ api_server: \"{server.url}\", credentials {{ access_key: "
                  f"{ACCESS_KEY}, secret_key: \"{SECRET_KEY}\" }} }}\nk: 1")
        daemon.start()
        status = daemon.wait_state("ready")
        assert daemon.get("k") == 1 and daemon.last_error() is None
        assert server.count("users.get_vaults") == 0
        assert status["workspaces"][0]["company_name"] == "stand-in"


def test_no_vault_is_asked_for_where_the_environment_says_so(home, conf, server):
    server.state.set_vaults([TEAM])
    home.settings(FAST)
    home.conf(conf("k: 1"))
    with Daemon(home, "--mode", "sdk", env={"CLEARML_DISABLE_VAULT_SUPPORT": "1"}) as daemon:
        daemon.wait_state("ready")
        assert "agent" not in daemon.get()
        assert server.count("users.get_vaults") == 0


# --- workspaces ---


@pytest.fixture
def two_workspaces(home, server):
    """Settings with `red` (declared active) and `blue`, each with a vault."""
    server.state.add_company("blue")
    blue = server.state.add_credentials(company="blue")
    server.state.set_vaults(["team: red"])
    server.state.set_vaults(["team: blue"], company="blue")
    home.write("config/clearconf/red.secret", SECRET_KEY + "\n")
    home.write("config/clearconf/blue.secret", blue["secret_key"] + "\n")

    def settings(more_blue="", more_red="active = yes\n"):
        home.settings(FAST + "[workspace blue]\n"
                      f"api_server = {server.url}\naccess_key = {blue['access_key']}\n"
                      f"secret_key_file = blue.secret\n{more_blue}"
                      "[workspace red]\n"
                      f"api_server = {server.url}\naccess_key = {ACCESS_KEY}\n"
                      f"secret_key_file = red.secret\n{more_red}")
    settings()
    return settings


def test_each_workspace_has_its_own_vaults(daemon, two_workspaces):
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "blue", workspace="blue")
    assert daemon.get("team") == "red" and daemon.get("team", workspace="red") == "red"
    assert [x["name"] for x in daemon.status()["workspaces"] if x["active"]] == ["red"]


def test_a_watcher_of_one_workspace_hears_nothing_of_another(server, daemon, two_workspaces):
    daemon.start()
    daemon.wait_value("team", "blue", workspace="blue")
    with daemon.connect() as watcher:
        watcher.watch(workspace="blue", values=True)
        server.state.set_vaults(["team: scarlet"])
        daemon.wait_value("team", "scarlet")
        server.state.set_vaults(["team: navy"], company="blue")
        assert watcher.changes() == {"team": ("changed", "navy")}


def test_an_unknown_workspace_is_an_error_that_names_it(daemon, two_workspaces):
    daemon.start()
    with pytest.raises(VarlinkError) as caught:
        daemon.get(workspace="green")
    assert caught.value.name == "io.clearconf.UnknownWorkspace"
    assert caught.value.parameters == {"name": "green"}


def test_a_declared_workspace_is_merged_as_api(home, server, daemon, two_workspaces):
    home.conf("api { api_server: elsewhere, http.max: 3 }")
    daemon.start()
    daemon.wait_state("ready")
    assert daemon.get("api") == {
        "api_server": server.url, "http": {"max": 3},
        "credentials": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}}


def test_without_inject_it_is_only_logged_in_with(home, daemon, two_workspaces):
    home.conf("api { api_server: elsewhere }")
    two_workspaces(more_red="active = yes\ninject = no\n")
    daemon.start()
    daemon.wait_state("ready")
    assert daemon.get("api") == {"api_server": "elsewhere"}
    assert daemon.get("team") == "red"


def test_a_declared_workspace_ignores_the_environments_keys(home, two_workspaces):
    env = {"CLEARML_API_ACCESS_KEY": "wrong", "CLEARML_API_SECRET_KEY": "wrong",
           "CLEARML_API_HOST": "http://127.0.0.1:9"}
    with Daemon(home, env=env) as daemon:
        daemon.wait_state("ready")
        assert daemon.get("team") == "red"


# --- the login of the implicit workspace ---


def test_credentials_that_are_saved_later_are_used(home, conf, server, daemon):
    server.state.set_vaults([TEAM])
    home.settings(FAST)
    home.conf("k: 1")
    daemon.start()
    daemon.wait_state("ready")
    home.conf(conf("k: 1"))
    daemon.wait_value("agent.team", True)


def test_new_credentials_prove_themselves_before_they_replace_the_old(home, conf, server, ready):
    server.state.set_vaults([TEAM])
    daemon = ready()
    home.conf(conf().replace(SECRET_KEY, "a-key-that-is-wrong"))
    daemon.wait_state("degraded")
    assert daemon.get("agent.team") is True
    assert daemon.last_error() is None and daemon.workspace()["new_login"]["last_error"]
    server.state.set_vaults(["agent.team: still"])
    daemon.wait_value("agent.team", "still")
    home.conf(conf())
    daemon.wait_state("ready")


def test_credentials_of_a_vault_are_never_logged_in_with(server, ready):
    server.state.set_vaults(["api.credentials { access_key: FROMTHEVAULT, secret_key: x }"])
    daemon = ready()
    server.wait_for("users.get_vaults", 3)
    assert daemon.get("api.credentials.access_key") == "FROMTHEVAULT"
    assert daemon.workspace()["access_key"] == ACCESS_KEY
    assert server.count("auth.login") == 1


# --- the two promises about time ---


def report(record_property, what, seconds):
    text = f"{what}: median {statistics.median(seconds) * 1000:.0f} ms, " \
           f"worst {max(seconds) * 1000:.0f} ms of {len(seconds)}"
    record_property("measured", text)
    print(text)


def test_a_saved_file_reaches_a_watcher_soon(home, daemon, record_property):
    """The promise is 300 ms; a machine that is busy with tests gets more."""
    home.conf("k: 0")
    daemon.start()
    took = []
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        for number in range(1, 16):
            start = time.monotonic()
            home.conf(f"k: {number}")
            watcher.receive_until(
                lambda x: any(c.get("new") == number for c in x["changes"]))
            took.append(time.monotonic() - start)
    report(record_property, "saved file to watcher", took)
    assert statistics.median(took) < 3


def test_a_vault_reaches_a_watcher_within_one_poll(server, ready, record_property):
    """The poll that comes next brings it, not a later one. In mode sdk only one
    kind of vault is asked for, so that requests count polls."""
    daemon = ready(settings="[daemon]\nmode = sdk\n" + FAST)
    took = []
    with daemon.connect() as watcher:
        watcher.watch(values=True)
        for number in range(8):
            start, before = time.monotonic(), server.count("users.get_vaults")
            server.state.set_vaults([f"k: {number}"])
            watcher.receive_until(
                lambda x: any(c.get("new") == number for c in x["changes"]))
            took.append(time.monotonic() - start)
            # One poll may have been answered just before the change.
            assert server.count("users.get_vaults") - before <= 3
    report(record_property, "vault to watcher (poll 150 ms)", took)
    assert statistics.median(took) < 3
