"""Explain and History, `clearconf explain` and `clearconf log`: why a value is
what it is, and how it came about."""

import json
import re

import pytest
from clearml_server import SECRET_KEY
from harness import FAST, Daemon, wait_until
from varlink import VarlinkError

TEAM = {"id": "team-id", "description": "team", "data": """\
# for all of us
sdk.aws.s3 { region: "eu-west-1", secret: "vault-secret-1" }
agent.worker_id: pool
from_vault: 1
"""}
WATCH = {"id": "watch-id", "description": "watch", "type": "monitoring",
         "data": "watched.by: them\nwatched.token: monitoring-secret"}


def place(origin):
    """layer source:line:column, without the folder of a file."""
    text = f"{origin['layer']} {origin['source'].rsplit('/', 1)[-1]}"
    return text + (f":{origin['line']}:{origin['column']}" if "line" in origin else "")


def told(daemon, path="", **parameters):
    """Of each leaf: path, [[value, place], ...] strongest first, note."""
    leaves = daemon.call("Explain", path=path, **parameters)["leaves"]
    assert [x["path"] for x in leaves] == sorted(x["path"] for x in leaves)
    return [(x["path"], [[y["value"], place(y["origin"])] for y in [x, *x["overridden"]]],
             x.get("note")) for x in leaves]


@pytest.fixture
def ready(home, conf, server, daemon):
    """A daemon with something in each layer."""
    server.state.set_vaults([TEAM, WATCH])
    home.settings(FAST + "[local]\nsite = site.d\n")
    home.write("config/clearconf/site.d/10.conf", "sdk.aws.s3.region: us-east-1\nwatched.by: us")
    home.write("extra.conf", "extra {\n  a: 1\n}\n")
    home.conf(conf("""\
include "extra.conf"
sdk.aws.s3 { region: "ap-south-1", secret: "file-secret-1" }
agent { worker_id: "box-7" }
watched.by: file
list: [ one, { host: h, token: "list-secret" } ]
who: ${USER_NAME}
"""))
    daemon.env |= {"USER_NAME": "jane", "CLEARML_AGENT__EXTRA__A": "2",
                   "CLEARML_WORKER_NAME": "named"}
    daemon.start()
    daemon.wait_state("ready")
    return daemon


def test_each_layer_is_named_with_its_place(home, ready):
    assert told(ready, "sdk") == [
        ("sdk.aws.s3.region", [["eu-west-1", "vault team-id:2:22"],
                               ["ap-south-1", "file clearml.conf:4:22"],
                               ["us-east-1", "site 10.conf:1:20"]], None),
        ("sdk.aws.s3.secret", [["****", "vault team-id:2:43"],
                               ["****", "file clearml.conf:4:44"]], None)]
    assert told(ready, "extra") == [
        ("extra.a", [[2, "env-generic CLEARML_AGENT__EXTRA__A"],
                     [1, "file extra.conf:2:6"]], None)]
    assert told(ready, "who") == [("who", [["jane", "file clearml.conf:8:6"]], None)]
    assert told(ready, "agent.worker_name") == [
        ("agent.worker_name", [["named", "env-named CLEARML_WORKER_NAME"]], None)]
    origin = ready.call("Explain", path="from_vault")["leaves"][0]["origin"]
    assert (origin["source"], origin["description"]) == ("team-id", "team")
    origin = ready.call("Explain", path="extra.a")["leaves"][0]["overridden"][0]["origin"]
    assert origin["source"] == str(home.path / "extra.conf") and "description" not in origin


def test_a_protected_key_and_a_monitoring_vault_say_why(ready):
    assert told(ready, "agent.worker_id") == [
        ("agent.worker_id", [["box-7", "protected clearml.conf:5:20"],
                             ["pool", "vault team-id:3:18"]],
         "agent-owned key: what a vault says of it is ignored")]
    assert told(ready, "watched") == [
        ("watched.by", [["them", "monitoring watch-id:1:13"],
                        ["file", "file clearml.conf:6:13"],
                        ["us", "site 10.conf:2:13"]],
         "a monitoring vault says so, which nothing overrides"),
        ("watched.token", [["****", "monitoring watch-id:2:16"]], None)]


def test_within_a_list_the_element_is_explained(ready):
    assert told(ready, "list.0") == [("list.0", [["one", "file clearml.conf:7:9"]], None)]
    assert told(ready, "list.1") == [
        ("list.1.host", [["h", "file clearml.conf:7:22"]], None),
        ("list.1.token", [["****", "file clearml.conf:7:32"]], None)]
    with pytest.raises(VarlinkError) as error:
        ready.call("Explain", path="list.2")
    assert error.value.name == "io.clearconf.PathNotFound"


def test_in_mode_sdk_the_vault_has_the_agents_keys(home, conf, server):
    server.state.set_vaults([TEAM, WATCH])
    home.settings(FAST)
    home.conf(conf('agent.worker_id: "box-7"\nwatched.by: file'))
    home.env["CLEARML_WORKER_ID"] = "named"
    with Daemon(home, "--mode", "sdk") as daemon:
        daemon.wait_state("ready")
        assert told(daemon, "agent") == [
            ("agent.worker_id", [["pool", "vault team-id:3:18"],
                                 ["box-7", "file clearml.conf:3:18"]], None)]
        assert told(daemon, "watched") == [
            ("watched.by", [["file", "file clearml.conf:4:13"]], None)]


def test_what_is_explained_is_what_is_served(ready):
    def leaves(value, path=()):
        if isinstance(value, dict) and value:
            for key in value:
                yield from leaves(value[key], (*path, key))
        else:
            yield ".".join(path), value

    assert {path: offers[0][0] for path, offers, _ in told(ready)} == dict(
        leaves(ready.call("Get", mask=True)["value"]))


def test_lines_that_move_are_told_though_no_value_changes(home, conf, ready):
    generation = ready.call("Get")["generation"]
    home.write("extra.conf", "\n\nextra {\n  a: 1\n}\n")
    wait_until(lambda: told(ready, "extra.a")[0][1][1] == [1, "file extra.conf:4:6"],
               "the new line")
    home.write("extra.conf", "extra.a: 5")
    wait_until(lambda: told(ready, "extra.a")[0][1][1] == [5, "file extra.conf:1:10"],
               "the new loser")
    assert ready.call("Get")["generation"] == generation
    assert [x["generation"] for x in ready.call("History")["generations"]][0] == generation


def test_a_vault_that_clearml_misreads_is_noted(home, conf, server, daemon):
    server.state.set_vaults([{"id": "y", "data": "sdk:\n  a: x\n"}])
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_value("sdk.a", "x")
    (_, offers, note), = told(daemon, "sdk")
    assert offers == [["x", "vault y:2:6"]] and "ClearML itself reads" in note


def test_a_declared_workspace_is_named_by_the_settings(home, conf, server, daemon):
    home.write("config/clearconf/secret", "a-declared-secret").chmod(0o600)
    home.settings(f"[workspace lab]\napi_server = {server.url}\naccess_key = key\n"
                  "secret_key_file = secret\n")
    home.conf("api.api_server: http://127.0.0.1:1")
    daemon.start()
    assert told(daemon, "api.api_server") == [
        ("api.api_server", [[server.url, "workspace clearconfd.conf"],
                            ["http://127.0.0.1:1", "file clearml.conf:1:17"]], None)]


# --- history ---


def test_history_tells_what_changed_and_why(home, conf, server, ready):
    first = ready.call("History")["generations"]
    assert [x["cause"] for x in first] == ["vault"] * (len(first) - 1) + ["start"]
    assert first[-1]["changes"] == []
    server.state.set_vaults([dict(TEAM, data=TEAM["data"] + "more: [1]"), WATCH])
    ready.wait_value("more", [1])
    home.write("extra.conf", "extra.b: 1")
    ready.wait_value("extra.b", 1)
    newest, before, *_ = ready.call("History")["generations"]
    assert newest["cause"] == "file" and before["cause"] == "vault"
    assert newest["generation"] > before["generation"] and newest["time"] >= before["time"] > 0
    assert [(x["kind"], x["path"], x.get("old"), x.get("new"), place(x["origin"]))
            for x in newest["changes"] + before["changes"]] == [
        ("added", "extra.b", None, 1, "file extra.conf:1:10"),
        ("added", "more", None, [1], "vault team-id:5:7")]
    assert ready.call("History", limit=1)["generations"] == [newest]


def test_a_removed_value_is_told_from_where_it_was(home, conf, server, ready):
    server.state.set_vaults([WATCH])
    ready.wait_value("from_vault", None)
    changes = {x["path"]: x for x in ready.call("History", limit=1)["generations"][0]["changes"]}
    assert changes["from_vault"]["kind"] == "removed"
    assert place(changes["from_vault"]["origin"]) == "vault team-id:4:13"
    assert place(changes["sdk.aws.s3.region"]["origin"]) == "file clearml.conf:4:22"


# --- rights and secrets ---

SECRETS = ["vault-secret-1", "file-secret-1", "monitoring-secret", "list-secret", SECRET_KEY]


def test_nobody_without_the_right_is_told_a_secret(home, conf, server, strangers):
    """Winners and losers, past and present."""
    server.state.set_vaults([TEAM, WATCH])
    home.settings(FAST + "[access]\nread = 65533\n")
    home.conf(conf('sdk.aws.s3 { secret: "file-secret-1" }\n'
                   'list: [ { token: "list-secret" } ]\nnote: "a vault-secret-1"'))
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        server.state.set_vaults([WATCH])
        daemon.wait_value("from_vault", None)
        server.state.set_vaults([TEAM])
        daemon.wait_value("from_vault", 1)
        for method in ("Explain", "History"):
            mine = json.dumps(daemon.call(method, reveal=True))
            assert sum(secret in mine for secret in SECRETS) >= 2
            for answer in (daemon.call(method), strangers.call(65533, method)):
                assert not [x for x in SECRETS if x in json.dumps(answer)]
            with pytest.raises(VarlinkError) as error:
                strangers.call(65533, method, reveal=True)
            assert error.value.name == "io.clearconf.AccessDenied"
            assert error.value.parameters == {"right": "secrets"}
            with pytest.raises(VarlinkError) as error:
                strangers.call(65532, method)
            assert error.value.parameters == {"right": "read"}
        for command in (["explain"], ["explain", "--json"], ["log"], ["log", "--json"]):
            status, output, _ = strangers.client(65533, *command)
            assert status == 0 and not [x for x in SECRETS if x in output]
        assert strangers.client(65533, "explain", "--reveal")[0] == 5
        assert strangers.client(65532, "log")[0] == 5


# --- the command line ---


def test_explain_prints_columns(home, ready):
    here = home.path / "clearml.conf"
    assert home.client("explain", "agent", check=0).stdout == (
        f'agent.worker_id    "box-7"  protected {here}:5:20\n'
        f'  overrides        "pool"   vault team:3:18\n'
        f'  note: agent-owned key: what a vault says of it is ignored\n'
        f'agent.worker_name  "named"  env-named CLEARML_WORKER_NAME\n')
    assert home.client("explain", "sdk.aws.s3.secret", "--reveal", check=0).stdout == (
        f'sdk.aws.s3.secret  "vault-secret-1"  vault team:2:43\n'
        f'  overrides        "file-secret-1"   file {here}:4:44\n')
    everything = home.client("explain", check=0).stdout
    assert "\033" not in everything and SECRET_KEY not in everything
    assert json.loads(home.client("explain", "--json", check=0).stdout) == ready.call("Explain")


def test_log_prints_a_line_a_change(home, ready):
    home.write("extra.conf", "extra.b: 1")
    ready.wait_value("extra.b", 1)
    lines = home.client("log", "-n", 1, check=0).stdout.splitlines()
    stamp = r"\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d file"
    assert len(lines) == 1
    assert re.fullmatch(stamp + rf" added extra\.b \(file:{home.path}/extra\.conf:1:10\)", lines[0])
    assert home.client("log", check=0).stdout.splitlines()[-1].endswith(" start")
    assert json.loads(home.client("log", "--json", check=0).stdout) == ready.call("History")


@pytest.mark.parametrize("arguments, status", [
    (["explain", "no.where"], 3), (["explain", "a..b"], 2), (["explain", "a", "b"], 2),
    (["explain", "--workspace", "none"], 2), (["log", "word"], 2), (["log", "-n", "x"], 2),
    (["log", "--workspace", "none"], 2)], ids=str)
def test_what_is_wrong_has_its_exit_status(home, daemon, arguments, status):
    daemon.start()
    done = home.client(*arguments)
    assert done.returncode == status and done.stdout == ""
    assert done.stderr.startswith("clearconf: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["explain", "log"])
def test_without_a_daemon_it_is_4(home, command):
    assert home.client(command).returncode == 4


MINE = {"CLEARML_API_HOST": "http://mine.example:8008", "CLEARML_AGENT__AGENT__WORKER_NAME": "mine",
        "OWN": "own"}


def test_with_an_environment_the_callers_variables_are_layers(home, conf, server, daemon):
    home.settings(FAST + "[local]\nvault_environment = *\n")
    home.conf(conf("agent.worker_name: theirs, own: ${?OWN}"))
    server.state.set_vaults([{"description": "v", "data": "needs: ${OWN}\n"}])
    daemon.start()
    answer = daemon.call("Explain", environment=MINE)
    told = {leaf["path"]: leaf for leaf in answer["leaves"]}
    for path, value in (("api.api_server", MINE["CLEARML_API_HOST"]), ("agent.worker_name", "mine"),
                        ("own", "own")):
        assert told[path]["value"] == value
    assert told["api.api_server"]["origin"]["layer"] == "env-named"
    assert told["agent.worker_name"]["origin"] == {
        "layer": "env-generic", "source": "CLEARML_AGENT__AGENT__WORKER_NAME"}
    assert [x["value"] for x in told["agent.worker_name"]["overridden"]] == ["theirs"]
    without = {leaf["path"]: leaf["value"] for leaf in daemon.call("Explain")["leaves"]}
    assert without["agent.worker_name"] == "theirs" and "own" not in without
    assert answer["generation"] == daemon.call("Explain")["generation"]
    with pytest.raises(VarlinkError, match="PathNotFound"):
        daemon.call("Explain", path="nothing", environment=MINE)
    with pytest.raises(VarlinkError, match="InvalidPath"):
        daemon.call("Explain", path="..", environment=MINE)
    with pytest.raises(VarlinkError, match="QuotaExceeded"):
        daemon.call("Explain", environment={"X": "x" * 70000})


def test_explain_env_is_what_get_env_says(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf("agent.worker_name: theirs, a: ${?OWN}"))
    daemon.start()
    daemon.wait_state("ready")
    home.env.update(MINE)
    shown = home.client("explain", "agent.worker_name", "--env", check=0).stdout
    assert 'env-generic CLEARML_AGENT__AGENT__WORKER_NAME' in shown and '"mine"' in shown
    assert '"mine"' not in home.client("explain", "agent.worker_name", check=0).stdout
    told = json.loads(home.client("explain", "--env", "--json", "--reveal", check=0).stdout)
    tree = json.loads(home.client("get", "--env", check=0).stdout)
    for leaf in told["leaves"]:
        value = tree
        for key in leaf["path"].split("."):
            value = value[key]
        assert value == leaf["value"], leaf["path"]


def test_a_vault_that_is_broken_for_the_caller_is_told_of(home, conf, server, daemon):
    home.settings(FAST + "[local]\nvault_environment = OWN\n")
    home.conf(conf("k: 1"))
    server.state.set_vaults([{"description": "team", "data": "needs: ${OWN}\n"}])
    daemon.env["OWN"] = "x"
    daemon.start()
    daemon.wait_value("needs", "x")
    done = home.client("explain", "k", "--env", check=0)
    assert 'the vault "team" cannot be read in this environment' in done.stderr
    assert json.loads(home.client("explain", "k", "--env", "--json", check=0).stdout)["left_out"]


def test_nobody_without_the_right_is_told_a_secret_by_an_environment(home, strangers):
    """Nor finds one by bringing texts that might be it."""
    home.settings("[access]\nread = 65533\n")
    home.conf("a_secret: tell-nobody-at-all, b: ${?GUESS}")
    with Daemon(home, "--socket", str(strangers.socket)):
        def told(**more):
            return {x["path"]: x["value"] for x in strangers.call(65533, "Explain", **more)["leaves"]}
        assert told(environment={"GUESS": "tell-nobody-at-all"})["a_secret"] == "****"
        assert told(environment={"GUESS": "tell-nobody-at-all"})["b"] == "tell-nobody-at-all"
        with pytest.raises(VarlinkError, match="AccessDenied"):
            strangers.call(65533, "Explain", environment={}, reveal=True)
