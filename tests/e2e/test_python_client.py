"""clearml_clearconf: what programs in Python get."""

import json
import os
import pickle
import re
import shutil
import stat
import subprocess
import sys
import textwrap
import threading
import time
import warnings

import pytest
from clearml_server import SECRET_KEY
from harness import DEADLINE, ROOT, Daemon, Held
from test_formats import corpus, random_trees, rendered

PACKAGE = ROOT / "client/python/clearml_clearconf"
sys.path.insert(0, str(PACKAGE.parent))

import clearml_clearconf as clearconf  # noqa: E402
from clearml_clearconf import answers, connection, environment, errors, hocon  # noqa: E402


@pytest.fixture
def client(home):
    return clearconf.Client(socket=str(home.socket), timeout=20)


@pytest.fixture
def served(home, daemon, client):
    home.conf('a { int = 1, big = 123456789012345678901234567890, real = 1.5, yes = true,\n'
              '  none = null, text = "x", list = [1, two] }\n'
              'sdk."dotted.key" = here\nmy.password = "a-secret-of-ours"\n')
    daemon.start()
    return client


# --- get ----------------------------------------------------------------------


@pytest.mark.parametrize("path, value", [
    ("a.int", 1), ("a.big", 123456789012345678901234567890), ("a.real", 1.5), ("a.yes", True),
    ("a.none", None), ("a.text", "x"), ("a.list", [1, "two"]), ("a.list.1", "two"),
    ('sdk."dotted.key"', "here"), (["sdk", "dotted.key"], "here"),
    ("my.password", "a-secret-of-ours"),
])
def test_get(served, path, value):
    got = served.get(path)
    assert (got, type(got)) == (value, type(value))


def test_get_everything(served):
    assert set(served.get()) >= {"a", "sdk", "my"}


def test_a_default_is_for_what_is_not_there(served):
    assert served.get("a.nothing", default=7) == 7
    assert served.get("a.nothing", default=None) is None
    assert served.get("a.none", default=7) is None
    with pytest.raises(clearconf.PathNotFound, match="nothing at the path 'a.nothing'") as caught:
        served.get("a.nothing")
    assert caught.value.path == "a.nothing"


def test_get_with_an_environment(served):
    env = {"CLEARML_AGENT__A__INT": "5"}
    assert served.get("a.int", environment=env) == 5
    assert served.get("a.int") == 1


def test_get_masked(served):
    assert served.get("my", mask=True) == {"password": "****"}


def test_errors_are_of_the_interface(served):
    with pytest.raises(clearconf.InvalidPath) as caught:
        served.get("a..b")
    assert (caught.value.path, caught.value.offset) == ("a..b", 2)
    with pytest.raises(clearconf.UnknownWorkspace, match="there is no workspace 'none'"):
        clearconf.Client(served.socket, workspace="none").get()
    with pytest.raises(clearconf.DaemonError) as caught:
        served.call("NoSuchMethod")
    assert caught.value.name == "org.varlink.service.MethodNotFound"
    assert isinstance(caught.value, clearconf.Error)
    with pytest.raises(AttributeError):
        assert caught.value.no_such_member


def test_a_server_that_is_not_reached_has_refused_nothing():
    parameters = {"endpoint": "auth.login", "status": 0, "message": "timed out"}
    error = clearconf.ServerError("io.clearconf.ServerError", parameters)
    assert str(error) == "the ClearML server was not reached for auth.login: timed out"
    error = clearconf.ServerError("io.clearconf.ServerError", dict(parameters, status=401))
    assert str(error) == "the ClearML server refused auth.login (status 401): timed out"


def test_every_error_of_the_interface_has_its_exception():
    idl = (ROOT / "include/io.clearconf.varlink").read_text()
    declared = re.findall(r"^error (\w+) ?\((.*?)\)", idl, flags=re.M | re.S)
    assert len(declared) > 5
    for name, members in declared:
        kind = getattr(clearconf, name)
        assert issubclass(kind, clearconf.DaemonError)
        parameters = {key: key for key in re.findall(r"(\w+):", members)}
        error = pickle.loads(pickle.dumps(kind(f"io.clearconf.{name}", parameters)))
        for key in set(parameters) - {"name"}:
            assert getattr(error, key) == key
            assert key in error.__doc__
        assert "?" not in str(error) and "Errno" not in str(error)
    assert set(errors._ERRORS) == {f"io.clearconf.{name}" for name, _ in declared}


def test_who_may_not_have_a_secret_gets_no_asterisks(strangers, home):
    home.conf('a = 1\nmy.password = "a-secret-of-ours"\n')
    home.settings("[access]\nread = 4321\n")
    with Daemon(home, "--socket", strangers.socket):
        program = (f"import sys; sys.path.insert(0, {str(strangers.folder)!r})\n"
                   "import clearml_clearconf as clearconf; c = clearconf.Client()\n"
                   "print(c.get('a'), c.get('my', mask=True))\n"
                   "try: c.get('my.password')\n"
                   "except PermissionError as error: print(type(error).__name__, error)\n")
        shutil.copytree(PACKAGE, strangers.folder / PACKAGE.name)
        done = subprocess.run(["/usr/bin/python3", "-c", program], user=4321, group=4321,
                              extra_groups=[], cwd="/", capture_output=True, text=True,
                              env={"CLEARCONF_SOCKET": str(strangers.socket)}, timeout=30)
    assert done.stdout.splitlines() == [
        "1 {'password': '****'}",
        "AccessDenied access denied: this needs the right 'secrets'"], done.stderr


def test_no_daemon(home, client):
    with pytest.raises(clearconf.NoDaemon, match="no daemon answers on"):
        client.get("a")
    with pytest.raises(ConnectionError):
        next(client.watch())
    with pytest.raises(clearconf.NoDaemon, match="there is no socket .*sock and no /run"):
        if os.path.exists(connection.SYSTEM_SOCKET):
            pytest.skip("this machine runs one")
        clearconf.find_socket({"XDG_RUNTIME_DIR": str(home.run)})


def test_sockets_are_looked_for_in_the_order_of_the_interface(served, home):
    assert clearconf.find_socket({"CLEARCONF_SOCKET": "/x"}) == "/x"
    assert clearconf.find_socket({"XDG_RUNTIME_DIR": str(home.run)}) == str(home.socket)


def test_no_answer_in_time(server, home, daemon, conf):
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "auth.login"), pytest.raises(TimeoutError):
        clearconf.Client(str(home.socket), timeout=0.3).call("GetToken")


# --- the rest of the interface ------------------------------------------------


def test_explain(served, home):
    leaves = {leaf.path: leaf for leaf in served.explain()}
    leaf = leaves["a.int"]
    assert (leaf.value, leaf.origin.layer, leaf.overridden) == (1, "file", [])
    assert str(leaf.origin) == f"{home.path}/clearml.conf:1:11"
    assert leaves["my.password"].value == "****"
    assert served.explain("my.password", reveal=True)[0].value == "a-secret-of-ours"


def test_status(served):
    assert served.status()["state"] == "ready"


def test_call_leaves_out_none(served):
    assert served.call("Get", path="a.int", workspace=None)["value"] == 1
    assert served.call("org.varlink.service.GetInfo")["product"] == "clearconfd"


def test_join_path():
    assert clearconf.join_path("sdk", "a.b", "0", 'q"', "") == 'sdk."a.b".0."q\\"".""'


# --- watch --------------------------------------------------------------------


def test_watch_tells_changes(served, home):
    updates = served.watch("a", values=True)
    assert next(updates).value["a"]["int"] == 1
    home.conf("a.int = 2\n")
    update = next(updates)
    change = next(change for change in update.changes if change.path == "a.int")
    assert (change.kind, change.old, change.new) == ("changed", 1, 2)
    updates.close()


def test_a_change_may_have_an_origin():
    change = answers.read(clearconf.Change, {"path": "a", "kind": "added", "new": 1, "origin": {
        "layer": "vault", "source": "team", "line": 3, "column": 12, "of a later daemon": 1}})
    assert str(change.origin) == "team:3:12" and change.origin.layer == "vault"


def test_watch_survives_restarts(home, client):
    home.conf("a = 1\n")
    with Daemon(home):
        updates = client.watch("a", values=True)
        first = next(updates)
    for number in (2, 3):
        home.conf(f"a = {number}\n")
        again = Daemon(home)
        later = threading.Timer(0.3, again.start)
        later.start()
        update = next(updates)
        later.join()
        assert update.value == {"a": number}
        assert update.generation > first.generation
        again.__exit__(None)
    updates.close()


def test_watch_since(served, home):
    first = next(served.watch())
    home.conf("a.int = 2\n")
    update = next(served.watch("a.int", since=first.generation))
    while not update.changes:  # the daemon may not have seen the file yet
        time.sleep(0.02)
        update = next(served.watch("a.int", since=first.generation))
    assert [change.path for change in update.changes] == ["a.int"]
    assert update.changes[0].new is None


def test_watch_ends_with_a_refusal(served):
    with pytest.raises(clearconf.InvalidPath):
        next(served.watch("a..b"))


# --- a configuration for programs ---------------------------------------------


def callers(home, **more):
    return dict(home.env, CLEARML_AGENT__A__INT="5", CLEARML_API_HOST="https://x.example",
                AWS_DEFAULT_REGION="eu-1", TRAINS_CONFIG_FILE="/x", KEPT="yes", **more)


def test_exec_environment(served, home):
    with served.exec_environment(callers(home)) as env:
        path = env.pop("CLEARML_CONFIG_FILE")
        folder = os.path.dirname(path)
        assert path.startswith(f"{home.run}/clearconf/exec.{os.getpid()}")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        text = open(path).read()
        assert text.startswith("# written by clearconf\n")
        assert 'password = "a-secret-of-ours"' in text and "int = 5" in text
        assert "123456789012345678901234567890" in text
        given = callers(home)
        assert env == dict(given, CLEARML_DISABLE_VAULT_SUPPORT="1",
                           CLEARML_AGENT_DISABLE_VAULT_SUPPORT="1")
    assert not os.path.exists(folder)


def run_exec(env, *options):
    """The environment and the file that a command of `clearconf exec` gets."""
    tell = "import json, os; print(json.dumps([dict(os.environ), " \
           "open(os.environ['CLEARML_CONFIG_FILE']).read()]))"
    done = subprocess.run([ROOT / os.environ.get("B", "build") / "clearconf", "exec", *options, "--",
                           "/usr/bin/python3", "-c", tell], env=env, capture_output=True,
                          text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def assert_same_as_exec(client, env, vaults):
    theirs, their_text = run_exec(env, "--vaults", vaults)
    with client.exec_environment(env, vaults=vaults) as ours:
        assert open(ours["CLEARML_CONFIG_FILE"]).read() == their_text
        for environ in (ours, theirs):
            environ.pop("CLEARML_CONFIG_FILE")
            environ.pop("LC_CTYPE", None)  # Python's own doing
        assert ours == theirs
    return theirs


@pytest.mark.filterwarnings("ignore:environment.CLEARML_API_HOST is left out")
def test_exec_environment_is_that_of_clearconf_exec(served, home):
    home.conf('environment { NEW = 1, LIST = [1, "ä"], OFF = false, ON = true, REAL = 1.50, '
              'CLEARML_API_HOST = "http://other" }\nsdk.apply_environment = true\n')
    env = callers(home, CLEARML_AUTH_TOKEN="a.b.c")
    served.call("Reload")
    theirs = assert_same_as_exec(served, env, "merged")
    assert theirs["NEW"] == "1" and theirs["ON"] == "True" and theirs["OFF"] == "False"
    assert "NEW" not in assert_same_as_exec(served, env, "live")


WON = """
    a.int = 7, a.text = vault, a.list = [1, 2], a.null = null, a.real = 1.5, a.yes = true
    agent.worker_id = locked
    deep { x = "1", y { z = 2 } }
"""
WON_OVER = {
    "CLEARML_AGENT__A__INT": "7", "CLEARML_AGENT__A__TEXT": "mine", "CLEARML_AGENT__A__LIST": "[1,2]",
    "CLEARML_AGENT__A__NULL": "none", "CLEARML_AGENT__A__REAL": "1.50", "CLEARML_AGENT__A__YES": "on",
    "CLEARML_AGENT__DEEP": "{ y.z: 3 }", "CLEARML_AGENT__DEEP__X": "${ONE}", "ONE": "1",
    "CLEARML_AGENT__NEW": "new", "CLEARML_AGENT__A__INT__B": "1", "CLEARML_AGENT__Q": "${NOT_SET}",
    "CLEARML_WORKER_ID": "mine", "CLEARML_WORKER_NAME": "name", "TRAINS_WORKER_NAME": "other",
    "CLEARML_AGENT_SNUG_ENABLED": "yes", "AWS_ACCESS_KEY_ID": "k", "CLEARML_API_ACCESS_KEY": "K",
    "AZURE_STORAGE_ACCOUNT": "account", "AZURE_STORAGE_KEY": " key ", "CLEARML_CUDA_VERSION": "12",
}


@pytest.mark.parametrize("mode", ["agent", "sdk"])
def test_what_a_vault_has_won_over_is_removed_as_by_exec(server, home, conf, client, mode):
    server.state.add_vault({"id": "v", "data": WON})
    server.state.add_vault({"id": "m", "type": "monitoring", "data":
                            "agent.worker_name = theirs, agent.snug.enabled = false"})
    home.settings(f"[daemon]\nmode = {mode}\n")
    home.write("defaults/default/sdk.conf", "x: 1")
    home.conf(conf("sdk.azure.storage.containers = [{ account_name: a, account_key: k }]"))
    env = dict(home.env, **WON_OVER, CLEARML_CONFIG_PATH=str(home.path / "defaults"))
    with Daemon(home) as daemon:
        daemon.wait_state("ready")
        theirs = assert_same_as_exec(client, env, "merged")
        gone = {name for name in env if name not in theirs}
        assert gone == (set() if mode == "sdk" else {
            "CLEARML_AGENT__A__TEXT", "CLEARML_AGENT__A__NULL", "CLEARML_AGENT__A__YES",
            "CLEARML_AGENT__DEEP", "CLEARML_AGENT__A__INT__B",
            "CLEARML_WORKER_NAME", "TRAINS_WORKER_NAME", "CLEARML_AGENT_SNUG_ENABLED",
            "CLEARML_CONFIG_PATH"})
        assert_same_as_exec(client, env, "live")


def test_vaults_are_merged_or_live(served, home):
    with pytest.raises(ValueError, match="merged or live"):
        with served.exec_environment(home.env, vaults="fresh"):
            pass
    switch = dict(home.env, CLEARML_AGENT_DISABLE_VAULT_SUPPORT="on")
    with pytest.warns(UserWarning, match="CLEARML_AGENT_DISABLE_VAULT_SUPPORT is set"):
        with served.exec_environment(switch, vaults="live") as env:
            assert env["CLEARML_AGENT_DISABLE_VAULT_SUPPORT"] == "on"
    assert served.get("a.int", view="merged") == served.get("a.int", view="live") == 1


def test_the_variables_that_are_removed_are_those_of_exec():
    table = (ROOT / "daemon/core/read/variables.c").read_text()
    rows = re.findall(r'{"([\w.]+)",\s*{(.*?)}([^{]*?)}', table, flags=re.S)
    named = {path: tuple(name for name in re.findall(r'"(\w+)"', names)
                         if name.startswith(("CLEARML_", "TRAINS_"))) for path, names, _ in rows}
    assert environment._NAMED == {path: names for path, names in named.items() if names}
    assert set(environment._BOOLEAN) == {path for path, _, more in rows if "boolean" in more}
    assert set(environment._LOGIN) == {path for path, _, more in rows if "login" in more}
    source = (ROOT / "client/exec/exec_env.c").read_text()
    for array, ours in [("of_the_caller", environment.OF_THE_CALLER),
                        ("of_defaults", environment._OF_DEFAULTS),
                        ("before_section", environment._BEFORE_SECTION)]:
        body = re.search(rf"{array}\[\] = {{(.*?)}};", source, flags=re.S)[1]
        assert set(ours) == set(re.findall(r'"(\w+)"', body))


def test_a_named_workspace_takes_the_callers_login_along(home, daemon):
    home.conf("a = 1\n")
    home.settings("[workspace w]\napi_server = http://127.0.0.1:1\naccess_key = K\n"
                  "secret_key_file = key\n[poll]\ntimeout = 1s\n")
    home.write("config/clearconf/key", SECRET_KEY).chmod(0o600)
    Daemon.start(daemon)
    daemon.wait_state("offline", "ready", "degraded")
    client = clearconf.Client(str(home.socket), workspace="w")
    with pytest.warns(UserWarning, match="the vaults are not in: connection refused"):
        with client.exec_environment(dict(home.env, CLEARML_AUTH_TOKEN="a.b.c")) as env:
            assert "CLEARML_AUTH_TOKEN" not in env


def test_configured_is_for_this_process(served, home, monkeypatch):
    for name, value in callers(home).items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with served.configured() as path:
        assert os.environ["CLEARML_CONFIG_FILE"] == path and os.path.isfile(path)
        assert os.environ["CLEARML_DISABLE_VAULT_SUPPORT"] == "1"
    assert dict(os.environ) == before and not os.path.exists(path)
    with pytest.raises(KeyError), served.configured() as path:
        raise KeyError
    assert dict(os.environ) == before and not os.path.exists(path)


def test_two_at_once_have_a_folder_each(served, home):
    with served.exec_environment(home.env) as one, served.exec_environment(home.env) as two:
        assert one["CLEARML_CONFIG_FILE"] != two["CLEARML_CONFIG_FILE"]
        home.client("exec", "--", "true", check=0)  # which sweeps what dead ones left
        assert os.path.isfile(one["CLEARML_CONFIG_FILE"])
        assert os.path.isfile(two["CLEARML_CONFIG_FILE"])
    assert not [name for name in os.listdir(home.run / "clearconf") if "exec" in name]


def test_a_folder_of_others_is_refused(served, home):
    (home.run / "clearconf").chmod(0o777)
    with pytest.raises(clearconf.Error, match="must belong to you"):
        with served.exec_environment(home.env):
            pass
    (home.run / "clearconf").chmod(0o755)


def test_the_vaults_are_waited_for(server, home, conf, daemon, client):
    home.conf(conf())
    with Held(server, "auth.login") as held:
        daemon.start()
        assert daemon.call("Get")["state"] == "starting"
        with pytest.raises(clearconf.NotReady):
            with clearconf.Client(client.socket, timeout=0.2).exec_environment(home.env):
                pass
        threading.Timer(0.5, held.let_go).start()
        with client.exec_environment(home.env) as env:
            assert os.path.isfile(env["CLEARML_CONFIG_FILE"])
        assert daemon.call("Get")["state"] == "ready"


# --- HOCON --------------------------------------------------------------------


def python_rendered(value):
    value = hocon.decode_exactly(value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        text = clearconf.render_hocon(value)
    return text, sorted(str(warning.message) for warning in caught)


def test_hocon_is_that_of_the_command_line(home):
    trees = {**random_trees(400), **corpus()}
    deep = []
    for _ in range(40):
        deep = {"d": deep, "l": [[None, ""]]}
    trees["deep"] = deep
    written, complaints = rendered(home, trees, "hocon")
    tree = home.daemon("--print", "--mode", "sdk", "--offline").stdout
    text, warned = python_rendered(tree)
    assert text == written
    theirs = sorted(line.split(": ", 1)[1] for line in complaints.splitlines()
                    if "ClearML" in line or "left out" in line)
    assert len(warned) > 20 and len(warned) == len(theirs)


# --- examples -----------------------------------------------------------------


def examples():
    readme = (ROOT / "README.md").read_text().split("## From a program")[1]
    yield "readme", readme.split("```python\n")[1].split("```")[0]
    ours = (PACKAGE.parent / "README.md").read_text()
    yield "its-readme", "".join(block.split("```")[0] for block in ours.split("```python\n")[1:])
    yield "module", clearconf.__doc__.split("clearconfd.\n\n")[1].split("\nThe daemon")[0]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in examples()])
def test_examples(text, served, home):
    """The examples as they stand, with a clearml that tells where it reads."""
    home.write("modules/clearml.py", "import os\nprint(open(os.environ['CLEARML_CONFIG_FILE'])"
               ".readline().strip(), flush=True)\n")
    home.conf("agent.worker_name = q1\n")
    served.call("Reload")
    env = dict(home.env, PYTHONPATH=f"{home.path}/modules:{ROOT}/client/python")
    process = subprocess.Popen(["/usr/bin/python3", "-u", "-c", textwrap.dedent(text)], env=env,
                               stdout=subprocess.PIPE, text=True)
    said = ""
    number = 1
    while "# written by clearconf" not in said or "changed agent.worker_name" not in said:
        number += 1
        home.conf(f"agent.worker_name = q{number}\n")
        line = process.stdout.readline()
        assert line, said
        said += line
    process.terminate()
    process.wait(DEADLINE)


# --- older Pythons ------------------------------------------------------------

def pythons():
    """Those of this machine that are old enough to be of interest and start."""
    for minor in range(8, 15):
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            yield path


@pytest.mark.parametrize("python", pythons())
def test_every_python_at_hand(python, served, home):
    home.conf("a.int = 1\n")
    served.call("Reload")
    done = subprocess.run([python, "-W", "error", ROOT / "tests/support/python_smoke.py",
                           ROOT / "client/python", home.socket], env=home.env,
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("ok 3"), done.stderr
