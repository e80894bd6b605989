"""configure(): a whole process, and what it starts."""

import json
import os
import signal
import subprocess
import time

import checkouts
import pytest
import sdk
from harness import DEADLINE, ROOT, Daemon, wait_until
from test_formats import corpus, random_trees
from test_without_vaults import away  # noqa: F401

PYTHON = "/usr/bin/python3"
SOURCE = ROOT / "client/python"
SECRET = "a-secret-of-this-process"
CONF = f'a = 1\nmy.password = "{SECRET}"\nsdk."dotted.key" = [1.50, {{ x = null }}]\n'
SAY = "import os; print(os.environ.get('CLEARML_CONFIG_FILE'), flush=True)\n"
AUTO = "import clearml_clearconf.auto\n"
WAIT = "import sys; sys.stdin.read()\n"

# As much of clearml as the fast way looks at; it says how its file was read.
STAND_IN = {
    "__init__.py": "from .version import __version__\nfrom .backend_config.config import Config\n",
    "version.py": '__version__ = "2.1.7"\n',
    "config.py": "class ConfigWrapper:\n    _config = None\n",
    "backend_config/__init__.py": "",
    "backend_config/config.py": """
from collections import OrderedDict
class ConfigTree(OrderedDict):
    @staticmethod
    def parse_key(key):
        return [key if "." in key else key.strip('"')]
class Config:
    @staticmethod
    def _read_single_file(file_path, verbose=True):
        return "the file"
""",
}
READ = ("import os, logging; logging.basicConfig(level=logging.DEBUG)\n" + AUTO + "import clearml\n"
        "def read(path=None, verbose=None):\n"
        "    return clearml.Config._read_single_file(\n"
        "        path or os.environ['CLEARML_CONFIG_FILE'], verbose=verbose)\n")


@pytest.fixture
def served(home, daemon):
    home.conf(CONF)
    return daemon.start()


@pytest.fixture
def clearml(home):
    """A stand-in of the SDK in a folder of the PYTHONPATH; change(name, text) alters it."""
    def change(name, text):
        home.write(f"modules/clearml/{name}", text)
    for name, text in STAND_IN.items():
        change(name, text)
    return change


def env_of(home, **more):
    return dict(home.env, PYTHONPATH=f"{SOURCE}:{home.path}/modules", **more)


def start(home, program, env=None, **options):
    return subprocess.Popen([PYTHON, "-W", "error", "-c", program], env=env or env_of(home),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)


def run(home, program, status=0, env=None):
    """(output, errors)"""
    done = subprocess.run([PYTHON, "-W", "error", "-c", program], env=env or env_of(home),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


def folders(home):
    return sorted(name for name in os.listdir(home.run / "clearconf") if name.startswith("exec."))


# --- the process --------------------------------------------------------------


def test_one_line_configures_the_process(home, served):
    path, more = run(home, AUTO + SAY + (
        "print(repr(dict(switch=os.environ['CLEARML_DISABLE_VAULT_SUPPORT'], "
        "text=open(os.environ['CLEARML_CONFIG_FILE']).read(), "
        "mode=os.stat(os.environ['CLEARML_CONFIG_FILE']).st_mode & 0o777)))\n"))[0].split("\n", 1)
    said = eval(more)
    assert path.startswith(f"{home.run}/clearconf/exec.")
    assert said["switch"] == "1" and said["mode"] == 0o600 and SECRET in said["text"]
    assert folders(home) == []


def test_what_it_starts_has_the_file_too(home, served):
    said, _ = run(home, AUTO + SAY + (
        "import subprocess, sys\n"
        "subprocess.run(['/bin/sh', '-c', 'head -n 1 $CLEARML_CONFIG_FILE'], check=True)\n"))
    assert said.splitlines()[1] == "# written by clearconf"


def test_again_is_nothing_and_otherwise_an_error(home, served):
    said, _ = run(home, (
        "import clearml_clearconf as c\n"
        "assert c.configure() == c.configure()\n"
        "try: c.configure(vaults='live')\n"
        "except c.Error as error: print(error)\n"))
    assert "configured already" in said


def test_who_comes_too_late_is_told(home, served, clearml):
    said, _ = run(home, (
        "import clearml.config; clearml.config.ConfigWrapper._config = object()\n"
        "import clearml_clearconf as c\n"
        "try: c.configure()\n"
        "except c.Error as error: print(error)\n"))
    assert "before clearml is used" in said


def test_who_is_killed_leaves_it_to_the_next(home, served):
    process = start(home, AUTO + SAY + WAIT)
    path = process.stdout.readline().strip()
    assert SECRET in open(path).read()
    process.kill()
    process.wait(DEADLINE)
    assert os.path.exists(path)
    run(home, AUTO)
    assert folders(home) == []


def test_clearconf_exec_sweeps_it_too(home, served):
    process = start(home, AUTO + SAY + WAIT)
    path = process.stdout.readline().strip()
    home.client("exec", "--", "true", check=0)
    assert os.path.exists(path)
    process.kill()
    process.wait(DEADLINE)
    home.client("exec", "--", "true", check=0)
    assert folders(home) == []


def test_the_last_of_the_forks_removes_it(home, served):
    process = start(home, AUTO + SAY + (
        "import sys\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    sys.stdin.readline()\n"
        "    print(open(os.environ['CLEARML_CONFIG_FILE']).readline(), flush=True)\n"))
    path = process.stdout.readline().strip()
    assert process.wait(DEADLINE) == 0
    run(home, AUTO)  # sweeps what nobody holds
    assert os.path.exists(path)
    assert f"{path}, which nobody keeps current" in home.client("doctor").stdout
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "# written by clearconf\n"
    wait_until(lambda: folders(home) == [], "the fork to remove it")
    process.stdin.close()


def test_a_process_that_it_starts_takes_what_it_has(home, daemon):
    home.conf(CONF)
    daemon.start()
    child = AUTO + SAY + (
        f"import time\nwhile not os.path.exists({str(home.path / 'go')!r}): time.sleep(0.01)\n"
        "print(open(os.environ['CLEARML_CONFIG_FILE']).readline(), flush=True)\n")
    process = start(home, AUTO + SAY + (
        "import subprocess, sys; sys.stdin.readline()\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}]); sys.stdin.readline()\n"))
    path = process.stdout.readline()
    assert daemon.stop() == 0  # nobody is asked any more
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == path
    process.stdin.close()
    assert process.wait(DEADLINE) == 0
    assert os.path.exists(path.strip())
    home.write("go", "")
    assert process.stdout.read() == "# written by clearconf\n\n"
    wait_until(lambda: folders(home) == [], "the child to remove it")


def test_one_with_another_wish_asks_by_itself(home, served):
    child = "import clearml_clearconf as c; print(c.configure(vaults='live'))"
    said, _ = run(home, AUTO + SAY + (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"))
    mine, childs = said.split()
    assert mine != childs and folders(home) == []


def test_vaults_are_waited_for_where_they_are_required(home, away, server):  # noqa: F811
    child = AUTO + SAY
    process = start(home, "import clearml_clearconf as c\nprint('waiting', flush=True)\n"
                    "c.configure(require_vaults=True)\nimport os, subprocess, sys\n"
                    "print(open(os.environ['CLEARML_CONFIG_FILE']).read().count('of the vault'), flush=True)\n"
                    f"subprocess.run([sys.executable, '-c', {child!r}], check=True)\n")
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.5)
    assert process.poll() is None
    server.clear_failures()
    count, path = process.communicate(timeout=DEADLINE)[0].split()
    assert count == "1" and f"exec.{process.pid}" in path  # the child has it, too


def test_under_exec_it_takes_what_exec_gives(home, served):
    done = home.client("exec", "--", PYTHON, "-c",
                       f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n" + SAY + AUTO + SAY)
    before, after = done.stdout.split()
    assert before == after and folders(home) == []


@pytest.mark.parametrize("name", ["CLEARML_TASK_ID", "TRAINS_TASK_ID"])
def test_a_task_goes_on_with_what_its_agent_gives(home, name):
    """In a container, say, where there is no daemon."""
    said, _ = run(home, AUTO + SAY, env=env_of(home, CLEARML_CONFIG_FILE="/agent.cfg", **{name: "a1"}))
    assert said == "/agent.cfg\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing_have_it(home, served, method):
    program = home.write("work.py", AUTO + (
        "import multiprocessing, os\n"
        "def work(number):\n"
        "    return os.environ['CLEARML_CONFIG_FILE'], open(os.environ['CLEARML_CONFIG_FILE']).read()\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        assert set(pool.map(work, range(4))) == {work(0)}\n"))
    done = subprocess.run([PYTHON, program], env=env_of(home), capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert folders(home) == []


def test_no_place_for_the_file_is_told(home, served):
    env = env_of(home, CLEARCONF_SOCKET=str(home.socket), XDG_RUNTIME_DIR="/proc/nowhere")
    said, _ = run(home, "import clearml_clearconf as c\ntry: c.configure()\n"
                  "except c.Error as error: print(error)\n", env=env)
    assert said.startswith("cannot make a private folder in /proc/nowhere/clearconf: No such")


def test_an_environment_that_is_too_large_is_told_at_once(home, served):
    begun = time.monotonic()
    said, _ = run(home, "import clearml_clearconf as c\ntry: c.configure()\n"
                  "except c.QuotaExceeded as error: print(error)\n",
                  env=env_of(home, LARGE="x" * 70_000))
    assert said.startswith("the variables of this environment are over the daemon's limit of 65536")
    assert time.monotonic() - begun < 20


def test_many_may_start_at_once(home, served):
    """More than [limits] environment_calls a second: they wait for their turn."""
    home.settings("[limits]\nenvironment_calls = 2\n")
    served.reload()
    processes = [start(home, AUTO + SAY) for _ in range(6)]
    assert all("/exec." in process.communicate(timeout=DEADLINE)[0] for process in processes)
    assert folders(home) == []


def test_a_folder_of_others_is_not_taken(home, served):
    strange = home.path / "strange/exec.1"
    strange.mkdir(parents=True)
    (strange / "clearml.conf").write_text("a = evil\n")
    said, _ = run(home, AUTO + SAY, env=env_of(home, CLEARML_CONFIG_FILE=f"{strange}/clearml.conf"))
    assert said.startswith(f"{home.run}/clearconf/exec.")


# --- without a daemon ---------------------------------------------------------

OPTIONAL = ("import os; before = dict(os.environ)\n"
            "import clearml_clearconf as c\n"
            "assert c.configure(optional=True) is None and dict(os.environ) == before\n"
            "client = c.Client(optional=True)\n"
            "assert client.get('a', default=7) == 7 and list(client.watch()) == []\n"
            "with client.configured() as path: assert path is None and dict(os.environ) == before\n"
            "for ask in (client.get, client.status, c.configure):\n"
            "    try: ask()\n"
            "    except c.NoDaemon as error: print(error)\n")


def no_system(home):
    """Without a socket of this machine's own."""
    if os.path.exists("/run/clearconf/clearconf.sock"):
        pytest.skip("this machine runs one")


def test_without_a_daemon_all_stays_as_it_is(home):
    no_system(home)
    said, _ = run(home, OPTIONAL)
    assert said.count("no daemon: there is no socket") == 3


def test_a_socket_of_the_dead_is_no_daemon(home, daemon):
    home.conf("a = 1\n")
    daemon.start()
    daemon.stop(signal.SIGKILL)
    daemon.process = None
    assert home.socket.exists()
    assert run(home, OPTIONAL)[0].count("no daemon answers on") == 3


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_other_systems_go_on_without_it(home, system):
    """What they lack is taken away before the import."""
    no_system(home)
    lacks = {"darwin": "import socket; del socket.SO_PEERCRED\n",
             "win32": "import socket, os, signal; del socket.SO_PEERCRED, socket.AF_UNIX, "
                      "os.geteuid, os.O_DIRECTORY, os.O_NOFOLLOW, signal.pthread_sigmask, signal.SIGHUP\n"
                      "sys.modules['fcntl'] = None\n"}[system]
    said, _ = run(home, f"import sys; sys.platform = {system!r}\n{lacks}{OPTIONAL}")
    assert said.count("no daemon") == 3


def test_a_daemon_that_refuses_is_an_error_all_the_same(strangers, home):
    home.conf(CONF)
    home.settings("[access]\nread = 4321\n")
    program = (f"import sys; sys.path.insert(0, {str(strangers.folder)!r})\n"
               "import clearml_clearconf as c\n"
               "try: c.configure(optional=True)\n"
               "except c.AccessDenied as error: print(error)\n")
    subprocess.run(["cp", "-r", SOURCE / "clearml_clearconf", strangers.folder], check=True)
    with Daemon(home, "--socket", strangers.socket):
        done = subprocess.run([PYTHON, "-c", program], user=4321, group=4321, extra_groups=[],
                              cwd="/", capture_output=True, text=True, timeout=60,
                              env={"CLEARCONF_SOCKET": str(strangers.socket)})
    assert done.stdout == "access denied: this needs the right 'secrets'\n", done.stderr


# --- the fast way -------------------------------------------------------------


def test_a_version_that_was_tried_gets_the_tree(home, served, clearml):
    said, errors = run(home, READ + (
        "tree = read()\n"
        "assert tree == read() and tree is not read() and type(tree['my']).__name__ == 'ConfigTree'\n"
        "assert tree['my'] == {'password': '" + SECRET + "'} and tree['a'] == 1\n"
        "assert tree['sdk'] == {'\"dotted.key\"': [1.5, {'x': None}]}\n"
        "assert type(tree['sdk']['\"dotted.key\"'][0]) is float\n"
        "print(read('/other'), read(verbose=True))\n"))
    assert said == "the file the file\n"
    assert "DEBUG:clearml_clearconf:clearml reads the tree" in errors


@pytest.mark.parametrize("name, text, why", [
    ("version.py", '__version__ = "9.9"\n', "version 9.9 was not tried"),
    ("backend_config/config.py", "class Config:\n    @staticmethod\n"
     "    def _read_single_file(path, verbose=True): return 'the file'\n", "not as in the version")])
def test_any_other_reads_the_file(home, served, clearml, name, text, why):
    clearml(name, text)
    said, errors = run(home, READ + "print(read())\n")
    assert said == "the file\n"
    assert "DEBUG:clearml_clearconf:clearml reads its file: " + why in errors


def test_what_clearml_reads_otherwise_goes_by_the_file(home, served, clearml):
    home.write("tree.json", '{"a": ["", 1]}')
    home.settings("[local]\nfiles = ~/tree.json\n")
    served.reload()
    said, errors = run(home, READ.replace("import os", "import warnings; warnings.simplefilter('ignore'); "
                                          "import os", 1) + "print(read())\n")
    assert said == "the file\n" and "not all that its parser would make of it" in errors


def test_it_works_when_clearml_is_imported_already(home, served, clearml):
    said, _ = run(home, "import clearml\n" + READ + "print(read()['a'])\n")
    assert said == "1\n"


def test_a_look_for_the_module_loses_nothing(home, served, clearml):
    said, _ = run(home, AUTO + "import importlib.util, inspect\n"
                  "spec = importlib.util.find_spec('clearml.backend_config.config')\n" + READ +
                  "print(read()['a'], 'class Config' in inspect.getsource(clearml.Config))\n")
    assert said == "1 True\n"


def test_the_fast_way_is_inherited(home, served, clearml):
    child = READ + "print(read()['a'])\n"
    said, _ = run(home, AUTO + (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)\n"))
    assert said == "1\n"


# --- the real one -------------------------------------------------------------

VAULT = ('sdk.aws.s3 { key = "vault-key-0123456789", region = eu-1 }\n'
         'sdk."a.b" = [1, { x = null }]\nreal = 1.50\nbig = 123456789012345678901234567890\n')
SESSION = "import clearml\nfrom clearml.backend_api import Session\nsession = Session()\n"
TREE = ("import json\n{before}" + AUTO + "import clearml\n"
        "from clearml.config import ConfigWrapper\n"
        "assert ConfigWrapper.get('sdk.aws.s3.key') == 'vault-key-0123456789'\n" + SESSION +
        "def typed(value):\n"
        "    if isinstance(value, dict):\n"
        "        return [type(value).__name__, value.root, [[key, typed(dict.__getitem__(value, key))]"
        " for key in value.keys()]]\n"
        "    if isinstance(value, list): return [type(value).__name__, list(map(typed, value))]\n"
        "    return [type(value).__name__, repr(value)]\n"
        "print(json.dumps(typed(ConfigWrapper._config._config)))\n")
SLOW = "from clearml_clearconf import fast; fast.TRIED = frozenset()\n"


@pytest.fixture(scope="session")
def sdk_path(tmp_path_factory):
    path = sdk.python_path(tmp_path_factory.mktemp("sdk"))
    return path or pytest.skip(checkouts.MISSING)


@pytest.fixture
def real(sdk_path, server, home, daemon, conf):
    """Run a program with the real SDK, a vault and much of a configuration; what it said."""
    sample = json.loads((ROOT / "tests/corpus/official/agent-docs-clearml.expected.json").read_text())
    del sample["api"]
    home.conf(conf("\n".join(f"{key} = {json.dumps(value)}" for key, value in sample.items())))
    server.state.add_vault({"id": "v", "data": VAULT})
    daemon.start()
    daemon.wait_state("ready")

    def run_real(program, **more):
        env = dict(home.env, PYTHONPATH=f"{SOURCE}:{sdk_path}", **more)
        done = subprocess.run([PYTHON, "-c", program], env=env, capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return run_real


def test_the_sdk_has_the_same_tree_either_way(real, server, home):
    asked = server.count("users.get_vaults")
    fast, slow = (real(TREE.format(before=before)) for before in ("", SLOW))
    assert fast == slow and '"123456789012345678901234567890"' in fast and '\\"a.b\\"' in fast
    assert server.count("users.get_vaults") == asked
    real(SESSION)  # by itself it asks
    assert server.count("users.get_vaults") == asked + 1
    assert folders(home) == []


def test_a_block_is_too_short_for_the_sdk_and_one_line_is_not(real, server):
    """It reads its configuration when it first needs it."""
    asked = server.count("users.get_vaults")
    real("import clearml_clearconf\nwith clearml_clearconf.Client().configured():\n"
         "    import clearml\n" + SESSION)
    assert server.count("users.get_vaults") == asked + 1
    real(AUTO + "import clearml\n" + SESSION)
    assert server.count("users.get_vaults") == asked + 1


def test_the_fast_way_builds_what_the_parser_reads(real, home):
    """Random texts and those of ClearML's own files, as far as they can be written."""
    trees = home.write("trees.json", json.dumps({**random_trees(400), **corpus()}))
    said = real(
        "import json, warnings\n"
        "from clearml_clearconf import fast, hocon\n"
        "from clearml.utilities.pyhocon import ConfigFactory, ConfigTree\n"
        "def typed(value):\n"
        "    if isinstance(value, dict):\n"
        "        return {key: typed(dict.__getitem__(value, key)) for key in value.keys()}\n"
        "    if isinstance(value, list): return list(map(typed, value))\n"
        "    return type(value).__name__, repr(value)\n"
        f"trees = json.load(open({str(trees)!r}))\n"
        "same = other = 0\n"
        "for name, value in trees.items():\n"
        "    tree = {'t': value}\n"
        "    text, complaints = hocon.write_hocon(tree)\n"
        "    if complaints: other += 1; continue\n"
        "    try: built = fast._build(tree, ConfigTree)\n"
        "    except ValueError: other += 1; continue\n"
        "    read = ConfigFactory.parse_string(text)\n"
        "    assert typed(built) == typed(read), (name, built, read, text)\n"
        "    same += 1\n"
        "print(same, other)\n")
    same, other = map(int, said.split())
    assert same > 300 and other > 20
