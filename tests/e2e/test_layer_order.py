"""The layers in the order of ClearML's agent: a program that reads its configuration as the agent
does has the same tree under `clearconf exec` as by itself, be the vaults live or merged.

The agent is agent_like.py's reading of configuration, and, where there is a checkout of
clearml-agent (tests/real), its own."""

import itertools
import json
import subprocess

import checkouts
import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import CLIENT, FAST, SUPPORT

LIKE = """
import json, sys
from agent_like import Api, agent_config, config_path
tree, _ = agent_config(config_path(), Api)
"""
REAL = """
import json, sys, types
from clearml_agent.commands.worker import Worker
from clearml_agent.session import Session
agent = types.SimpleNamespace(_session=Session())
Worker._apply_extra_configuration(agent)
tree = agent._session.config.to_dict()
"""
WRITE = "\njson.dump(tree, open(sys.argv[1], 'w'))\n"

PROGRAMS = {"like": LIKE, "real": REAL}

KINDS = ["file", "generic", "vault", "later", "monitoring"]  # weakest first


def keys(kind):
    """Keys for every set of sources that this one is in, as a document of it."""
    sets = [each for n in range(1, len(KINDS) + 1) for each in itertools.combinations(KINDS, n)]
    return {"_".join(each): kind for each in sets if kind in each}


def document(kind, **more):
    return {"order": keys(kind), "only": {kind: {"a": 1}}, "list": [kind], **more}


ENVIRONMENT = {
    "CLEARML_WORKER_NAME": "variable", "CLEARML_AGENT__AGENT__WORKER_ID": "generic",
    "CLEARML_AGENT__LIST": '["generic"]', "CLEARML_AGENT__ONLY__GENERIC": "{ a: 1 }",
    **{f"CLEARML_AGENT__ORDER__{name.upper()}": kind for name, kind in keys("generic").items()}}


class Stage:
    """A daemon, its server with vaults, and the agent that reads."""

    def __init__(self, home, server, kind):
        self.home, self.kind, self.count = home, kind, 0
        source = SUPPORT if kind == "like" else checkouts.require("AGENT")
        self.env = dict(home.env, **ENVIRONMENT, PYTHONPATH=checkouts.python_path(home.path, source))
        login = {"api_server": server.url, "web_server": server.url, "files_server": server.url,
                 "credentials": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}}
        home.conf(json.dumps(document("file", api=login, agent={"worker_name": "file"})))
        home.settings(FAST)
        self.vaults(server)

    def vaults(self, server, **grabs):
        server.state.set_vaults([
            {"id": "v", "data": json.dumps(document("vault", agent={"worker_name": "vault"}))},
            {"id": "l", "data": json.dumps(document("later", **grabs))},
            {"id": "m", "type": "monitoring", "data": json.dumps(
                document("monitoring", agent={"crash_on_exception": True}))}])

    def read(self, *before, **more):
        """The tree that the agent has."""
        self.count += 1
        out = self.home.path / f"tree.{self.count}"
        done = subprocess.run([*before, "/usr/bin/python3", "-c", PROGRAMS[self.kind] + WRITE, out],
                              env=dict(self.env, **more), cwd=self.home.path / "cwd",
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return self.at_home(json.loads(out.read_text()))

    def at_home(self, tree):
        """With `~` for the home in folders of caches: the agent makes them absolute at its start,
        and has the `~` again when vaults make it read its files once more."""
        if isinstance(tree, dict):
            return {key: self.at_home(value) for key, value in tree.items()}
        if isinstance(tree, str) and tree.startswith(f"{self.home.env['HOME']}/."):
            return "~" + tree[len(self.home.env["HOME"]):]
        return tree

    def under_exec(self, vaults, **more):
        return self.read(CLIENT, "exec", "--vaults", vaults, "--", **more)


@pytest.fixture(params=["like", "real"])
def stage(request, home, server):
    return Stage(home, server, request.param)


def test_the_strongest_source_wins(stage):
    """What the others are compared with is itself in order."""
    order = stage.read()["order"]
    assert order == {name: name.split("_")[-1] for kind in KINDS for name in keys(kind)}


@pytest.mark.parametrize("vaults", ["live", "merged"])
def test_under_exec_the_agent_has_the_same_tree(stage, daemon, vaults):
    daemon.start()
    daemon.wait_state("ready")
    by_itself = stage.read()
    assert stage.under_exec(vaults) == by_itself
    assert by_itself["agent"]["worker_name"] == "variable"
    assert by_itself["agent"]["worker_id"] == "generic" and by_itself["list"] == ["monitoring"]


def test_merged_vaults_win_over_the_variables_of_clearml(stage, daemon, server):
    """A monitoring vault over named variables, any vault over CLEARML_AGENT__*; a third party's
    variable stays, and wins."""
    stage.env.update(CLEARML_AGENT_CRASH_ON_EXCEPTION="no", AWS_ACCESS_KEY_ID="callers",
                     AWS_SECRET_ACCESS_KEY="callers-secret")
    server.state.add_vault({"id": "s", "type": "monitoring", "data": "sdk.aws.s3.key: theirs"})
    daemon.start()
    daemon.wait_state("ready")
    live, merged = stage.under_exec("live"), stage.under_exec("merged")
    assert live == stage.read()
    assert live["sdk"]["aws"]["s3"].pop("key") == "theirs"
    assert merged["sdk"]["aws"]["s3"].pop("key") == "callers"
    assert live == merged


@pytest.mark.parametrize("grab", [
    {"api": {"api_server": "http://127.0.0.1:9"}},
    {"api": {"credentials": {"access_key": "theirs", "secret_key": "theirs"}}}])
def test_merged_vaults_say_nothing_of_the_login(stage, daemon, server, grab):
    stage.vaults(server, **grab)
    daemon.start()
    daemon.wait_state("ready")
    merged = stage.under_exec("merged")
    assert merged["api"]["api_server"] == server.url
    assert merged["api"]["credentials"]["access_key"] == ACCESS_KEY
    assert merged["api"]["credentials"]["secret_key"] == SECRET_KEY


def test_merged_vaults_say_nothing_of_the_agents_own_keys(stage, daemon, server):
    """No monitoring vault here: with one the agent itself forgets which keys are its own."""
    stage.vaults(server, agent={"worker_id": "theirs", "default_python": "2.7"})
    server.state.set_vaults(server.state.company().vaults[:2])
    stage.env.pop("CLEARML_AGENT__AGENT__WORKER_ID")
    daemon.start()
    daemon.wait_state("ready")
    by_itself = stage.read()["agent"]
    for vaults in "live", "merged":
        assert stage.under_exec(vaults)["agent"] == by_itself
    assert by_itself.get("worker_id") != "theirs" and by_itself.get("default_python") != "2.7"


@pytest.mark.parametrize("stage", ["real"], indirect=True)  # the other appends no container
def test_a_container_of_the_environment_is_there_once(stage, daemon, server):
    server.state.set_vaults([])
    conf = stage.home.path / "clearml.conf"
    tree = json.loads(conf.read_text())
    tree["sdk"] = {"azure": {"storage": {"containers": [
        {"account_name": "file", "account_key": "k"}]}}}
    conf.write_text(json.dumps(tree))
    stage.env.update(AZURE_STORAGE_ACCOUNT="mine", AZURE_STORAGE_KEY="key")
    daemon.start()
    daemon.wait_state("ready")
    expected = [{"account_name": "file", "account_key": "k"},
                {"account_name": "mine", "account_key": "key"}]
    for tree in stage.read(), stage.under_exec("live"), stage.under_exec("merged"):
        assert tree["sdk"]["azure"]["storage"]["containers"] == expected
