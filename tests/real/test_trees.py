"""The whole tree that ClearML's own agent and SDK have, and the one that clearconf serves, of every
combination of sources."""

import itertools
import json
import os
import shutil
import subprocess

import pytest
from checkouts import PYTHON, python_path, require
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import CLIENT, FAST

# What they find out by themselves; of `logging` the SDK has two files, and reads this or that.
OWN = {("agent", "cuda_version"), ("agent", "cudnn_version"), ("agent", "default_python"), ("api", "host"),
       ("env",), ("logging",)}
READ = {
    "agent": "import json, sys, types\n"
             "from clearml_agent.commands.worker import Worker\n"
             "from clearml_agent.session import Session\n"
             "agent = types.SimpleNamespace(_session=Session())\n"
             "Worker._apply_extra_configuration(agent)\n"
             "tree = agent._session.config.to_dict()\n",
    "sdk": "import json, sys\n"
           "from clearml.backend_api import Session\n"
           "session = Session()\n"
           "from clearml.config import ConfigWrapper\n"
           "tree = ConfigWrapper._config._config.as_plain_ordered_dict() if ConfigWrapper._config\\\n"
           "    else session.config.to_dict()\n",
}
WRITE = "json.dump(tree, open(sys.argv[1], 'w'))\n"
DEFAULTS = {"agent": ["clearml_agent/backend_api/config/default"],
            "sdk": ["clearml/backend_api/config/default", "clearml/config/default"]}

FILES = {
    "plain": "mine { a: 1, b: [1, { c: 2 }], t: \"1.50\" }\nsdk.aws.s3.region: x\n",
    "include": 'include "more.conf"\nmine.a: ${more.a}\nmine.list: [${more.a}]\n',
    "own words": "a = b c, d : e  // told\nq: [ 1\n 2\n ], mine { yes: yes, n: null, off: \"off\" }\n"
                 "path: ${?HOME}\"/x\"\nagent.worker_name: file\n",
}
VAULTS = {
    "none": [],
    "one": [{"data": "mine { a: 2, v: ${?mine.a} }\nsdk.aws.s3 { key: k-0123456789, region: v }"}],
    "two": [{"data": "mine.a: first\nmine.b: []"}, {"data": "mine.a: last\nmine.deep.er: { x: 1.0 }"}],
    "monitoring": [{"data": "mine.a: vault"}, {"type": "monitoring", "data": "mine.a: monitoring"}],
}
# Of the agent alone: the SDK has no such variables.
VARIABLES = {
    "none": {},
    "generic": {"CLEARML_AGENT__MINE__A": "variable", "CLEARML_AGENT__AGENT__WORKER_ID": "me",
                "CLEARML_AGENT__NEW__LIST": "[1, x]"},
    "named": {"CLEARML_WORKER_NAME": "named", "CLEARML_AGENT_GIT_USER": "git"},
}


@pytest.fixture
def both(home, server, daemon, tmp_path):
    """(what clearconf serves, what ClearML has) for a mode, a file, vaults, variables."""
    def read(mode, file, vaults, variables):
        source = require(mode.upper())
        defaults = tmp_path / "defaults"
        defaults.mkdir()
        for folder in DEFAULTS[mode]:
            for path in (source / folder).glob("*.conf"):
                shutil.copy(path, defaults)
        login = {"api_server": server.url, "web_server": server.url, "files_server": server.url,
                 "credentials": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}}
        home.write("more.conf", "more { a: included }\n")
        home.conf(f"api = {json.dumps(login)}\n{FILES[file]}")
        server.state.set_vaults(VAULTS[vaults])
        home.settings(f"{FAST}[daemon]\nmode = {mode}\n[local]\ndefaults = {defaults}\n"
                      f"files = {home.path}/clearml.conf\nvault_environment = *\n")
        daemon.start()
        daemon.wait_state("ready")
        env = dict(home.env, **VARIABLES[variables])
        served = subprocess.run([CLIENT, "get", "--env", "--format", "json"], env=env, check=True,
                                cwd=home.path / "cwd", capture_output=True, text=True).stdout
        out = home.path / "tree.json"
        done = subprocess.run([PYTHON, "-c", READ[mode] + WRITE, out], capture_output=True, text=True,
                              env=dict(env, PYTHONPATH=python_path(tmp_path, source)),
                              cwd=home.path / "cwd", timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(served), json.loads(out.read_text())
    return read


def leaves(tree, keys=()):
    """{keys: value} of what somebody wrote."""
    if keys in OWN:
        return {}
    if not isinstance(tree, dict) or not tree:
        return {keys: tree}
    return {path: value for key, item in tree.items() for path, value in leaves(item, (*keys, key)).items()}


def at_home(value, home):
    """The agent makes folders of caches absolute at its start, and has the `~` again when vaults make it
    read its files once more."""
    if isinstance(value, str) and value.startswith(f"{home.env['HOME']}/."):
        return "~" + value[len(home.env["HOME"]):]
    return value


def assert_same(home, served, real):
    ours, theirs = leaves(served), {path: at_home(value, home) for path, value in leaves(real).items()}
    if ours.get(("agent", "worker_name")) == "":  # then it is the host's
        del ours["agent", "worker_name"], theirs["agent", "worker_name"]
    differ = {".".join(path): (ours.get(path, "none"), theirs.get(path, "none"))
              for path in ours.keys() | theirs.keys() if ours.get(path, "none") != theirs.get(path, "none")}
    assert not differ and len(ours) > 60


@pytest.mark.parametrize("file, vaults, variables", itertools.product(FILES, VAULTS, VARIABLES))
def test_the_agent_has_the_tree_that_is_served(home, both, file, vaults, variables):
    assert_same(home, *both("agent", file, vaults, variables))


@pytest.mark.parametrize("file, vaults", itertools.product(FILES, VAULTS))
def test_the_sdk_has_the_tree_that_is_served(home, both, file, vaults):
    assert_same(home, *both("sdk", file, vaults, "none"))
