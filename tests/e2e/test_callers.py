"""Which workspace a caller gets who names none: that of its environment, its own, the active one."""

import json
import os
import socket
import subprocess
import sys

import pytest
from harness import CLIENT, ROOT, Daemon, wait_until
from host import host, library, needs_shim  # noqa: F401
from kernels import kernel, next_of  # noqa: F401
from test_doctor import look, problems
from test_workspaces import two  # noqa: F401
from varlink import VarlinkError

sys.path.insert(0, str(ROOT / "client/python"))

import clearml_clearconf as clearconf  # noqa: E402


@pytest.fixture
def running(two, daemon):  # noqa: F811
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    return daemon


def ask(home, *arguments, workspace="two", check=0):
    done = subprocess.run([CLIENT, *arguments], capture_output=True, text=True, timeout=60,
                          env=dict(home.env, CLEARCONF_WORKSPACE=workspace))
    assert done.returncode == check, done.stderr
    return done.stdout.strip() if check == 0 else done.stderr


# --- the client's environment -------------------------------------------------

def test_a_variable_names_the_workspace(home, running):
    assert ask(home, "get", "team") == "second"
    assert ask(home, "get", "team", workspace="") == "first"
    assert ask(home, "--workspace", "one", "get", "team") == "first"
    assert "CLEARCONF_WORKSPACE" in ask(home, "get", "team", workspace="none", check=2)


def test_exec_passes_on_what_was_named(home, running):
    show = ["sh", "-c", "echo ${CLEARCONF_WORKSPACE-none}; grep -q team $CLEARML_CONFIG_FILE"]
    assert ask(home, "exec", "--", *show).split("\n")[0] == "two"
    assert ask(home, "--workspace", "one", "exec", "--", *show).split("\n")[0] == "one"
    assert ask(home, "exec", "--", *show, workspace="").split("\n")[0] == ""
    nested = [str(CLIENT), "exec", "--", str(CLIENT), "get", "team"]
    assert ask(home, "--workspace", "two", "exec", "--", *nested, workspace="") == "second"


def test_python_and_the_library_read_it_too(home, running, monkeypatch):
    monkeypatch.setenv("CLEARCONF_WORKSPACE", "two")
    assert clearconf.Client(str(home.socket)).get("team") == "second"
    assert clearconf.Client(str(home.socket), workspace="one").get("team") == "first"
    with clearconf.Client(str(home.socket)).exec_environment({}) as env:
        assert env["CLEARCONF_WORKSPACE"] == "two"
    monkeypatch.setenv("CLEARCONF_WORKSPACE", "")
    assert clearconf.Client(str(home.socket)).get("team") == "first"


def test_doctor_shows_it(home, running):
    lines = look(home, 0, {"CLEARCONF_WORKSPACE": "two"})
    assert any("CLEARCONF_WORKSPACE=two" in text for _, text in lines)
    [problem] = problems(look(home, 1, {"CLEARCONF_WORKSPACE": "none"}))
    assert "no such workspace" in problem


# --- for ----------------------------------------------------------------------

MINE = f"for = user:{os.getuid()}"


@pytest.fixture
def own(two, daemon):  # noqa: F811
    """`two` is this user's own, `one` the active one."""
    two(two=MINE)
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", "second", workspace="two")
    return daemon


def test_who_names_none_gets_its_own(home, own):
    assert own.get("team") == "second"
    assert own.get("team", workspace="one") == "first"
    assert home.client("get", "team", check=0).stdout == "second\n"
    assert own.call("ListWorkspaces")["active"] == "one"
    told = {"workspace": "two", "by": MINE[6:]}
    assert own.call("ListWorkspaces")["own"] == own.status()["own"] == told
    assert own.call("Explain", path="team")["own"] == told
    assert own.call("Explain", path="team", environment={"A": "b"})["own"] == told
    assert "own" not in own.call("Explain", path="team", workspace="two")
    line = f"workspace two: user {os.getuid()}"
    assert home.client("explain", "team", check=0).stdout.startswith(line + "\n")
    assert f"yours        {line}\n" in home.client("status", check=0).stdout
    [mine] = [text for text in home.client("workspace", check=0).stdout.splitlines()
              if text.startswith(">")]
    assert mine.split()[1] == "two"
    assert home.client("status", "--wait", "5", check=0)
    assert own.call("GetToken")["token"]


def test_using_another_does_not_move_who_has_its_own(home, own):
    done = home.client("workspace", "use", "one", check=0).stdout
    assert done.splitlines()[1] == f"yours stays workspace two: user {os.getuid()}"
    assert "own" not in own.call("UseWorkspace", name="two")
    with own.connect() as watcher:
        watcher.watch()
        own.call("UseWorkspace", name="one")
        assert own.get("team") == "second"
        home.conf("later = 1\n")
        assert set(watcher.changes()) == {"later"}


def test_a_reload_moves_watches_there_and_back(home, own, two):  # noqa: F811
    with own.connect() as watcher, own.connect() as statuses, own.connect() as named:
        since = watcher.watch()["generation"]
        named.watch(workspace="two")
        statuses.send("io.clearconf.GetStatus", more=True)
        assert statuses.receive()["status"]["own"]["workspace"] == "two"
        two()
        own.reload()
        told = watcher.receive()
        assert {each["path"]: each["kind"] for each in told["changes"]}["team"] == "changed"
        assert not told["resync"] and told["generation"] > since
        statuses.receive_until(lambda reply: "own" not in reply["status"])
        with own.connect() as again:  # one that was away: it knew the other workspace
            assert again.watch(since=since)["resync"]
        with own.connect() as again:
            assert not again.watch(since=told["generation"])["resync"]
        two(two=MINE)
        own.reload()
        assert watcher.receive()["generation"] > told["generation"]
        assert own.get("team") == "second"
        home.conf("later = 1\n")
        assert set(named.changes()) == {"later"}


def test_the_first_word_of_the_file_decides(own, two):  # noqa: F811
    two(one=f"for = group:{os.getgid()}", two=MINE)
    own.reload()
    assert own.get("team") == "first"
    assert own.status()["own"]["by"] == f"group:{os.getgid()}"


def test_words_that_are_none_are_refused_with_their_place(home, own, two):  # noqa: F811
    two(two="for = user:a\nfor = unit:x.service alice")
    problem = home.daemon("--check").stderr + home.daemon("--check").stdout
    assert "clearconfd.conf" in problem and "for: expected user:NAME, group:NAME" in problem
    own.reload()
    assert own.get("team") == "second"
    [broken] = [layer for layer in own.status()["workspaces"][0]["layers"]
                if layer["layer"] == "settings"]
    assert (broken["state"], broken["column"]) == ("broken", 7)
    two(two="for = user:nobody.of.this.name\n" + MINE)
    own.reload()
    assert own.get("team") == "second"
    assert "event=caller-unknown-name workspace=two name=user:nobody.of.this.name" in own.log()


def test_rights_are_those_of_its_own(home, two, strangers):  # noqa: F811
    """STRANGER may read and administer its own workspace, and nothing of the active one."""
    stranger = 4242
    two(two=f"for = user:{stranger}\nread = {stranger}\nadmin = {stranger}")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_value("team", "second", workspace="two")
        status = strangers.call(stranger, "GetStatus")["status"]
        assert [each["name"] for each in status["workspaces"]] == ["two"]
        assert strangers.call(stranger, "Get", path="team")["value"] == "second"
        for method, parameters in (("UseWorkspace", {"name": "two"}), ("Reload", {}),
                                   ("Get", {"workspace": "one"})):
            with pytest.raises(VarlinkError, match="AccessDenied"):
                strangers.call(stranger, method, **parameters)
        with pytest.raises(VarlinkError, match="AccessDenied"):
            strangers.call(stranger + 1, "Get")


# --- units and cgroups --------------------------------------------------------

# By version; the first is gone from some kernels.
HIERARCHIES = {2: ["-t", "cgroup2"], 1: ["-t", "cgroup", "-o", "none,name=systemd"]}


@pytest.fixture(params=HIERARCHIES)
def cgroups(request, tmp_path):
    """Where cgroups may be made."""
    top = tmp_path / "cgroups"
    top.mkdir()
    made = os.getuid() == 0 and not subprocess.run(
        ["mount", *HIERARCHIES[request.param], "none", top], capture_output=True).returncode
    if not made and request.param == 1:
        pytest.skip("no cgroups of version 1 can be made here")
    if not made:
        pytest.skip("no cgroups can be made here")
    made = []

    def make(path):
        place = top
        for name in path.split("/"):
            place = place / name
            if not place.exists():
                place.mkdir()
                made.append(place)
        return place
    yield make
    try:
        for place in reversed(made):
            wait_until(lambda: not (place / "cgroup.procs").read_text(), "its processes to end")
            place.rmdir()
    finally:
        subprocess.run(["umount", "-l", top], check=True)


def inside(home, place, *command):
    """What the command prints, in that cgroup."""
    script = f'echo $$ > {place}/cgroup.procs && exec "$@"'
    return subprocess.run(["sh", "-c", script, "sh", *command], env=home.env, check=True,
                          capture_output=True, text=True, timeout=60).stdout


def test_two_agents_under_two_units_get_two_trees(home, own, two, cgroups):  # noqa: F811
    """Without a flag; and so do those who were there before."""
    test = f"t{os.getpid()}"
    units = [cgroups(f"system-{test}.slice/agent-{test}@gpu{n}.service") for n in (0, 1)]
    below = cgroups(f"system-{test}.slice/agent-{test}@gpu1.service/below.service")
    pods = cgroups(f"pods-{test}/burstable")
    before = subprocess.Popen(
        ["sh", "-c", f'echo $$ > {units[1]}/cgroup.procs && exec "$@"', "sh",
         CLIENT, "watch", "team", "--values", "--json"], env=home.env, stdout=subprocess.PIPE)
    try:
        assert b'"second"' in before.stdout.readline()
        two(one=f"for = unit:agent-{test}@gpu1.service", two=f"for = unit:agent-{test}@*.service "
            f"cgroup:/pods-{test}/...")
        own.reload()
        assert b'"first"' in before.stdout.readline()
        asks = [str(CLIENT), "get", "team"]
        assert [inside(home, unit, *asks) for unit in units] == ["second\n", "first\n"]
        assert inside(home, below, *asks) == "first\n"
        assert inside(home, pods, *asks) == "second\n"
        runs = [str(CLIENT), "exec", "--", "sh", "-c", "grep team $CLEARML_CONFIG_FILE"]
        assert ["second" in inside(home, unit, *runs) for unit in units] == [True, False]
        said = inside(home, units[0], str(CLIENT), "explain", "team")
        assert said.startswith(f"workspace two: unit agent-{test}@*.service\n")
        assert own.get("team") == "first" and "own" not in own.status()
    finally:
        before.kill()
        before.wait()
        before.stdout.close()


def ask_on(connection):
    connection.sendall(b'{"method":"io.clearconf.Get","parameters":{"path":"team"}}\0')
    return json.loads(connection.recv(1 << 16).rstrip(b"\0"))["parameters"]["value"]


@needs_shim
@pytest.mark.parametrize("early", [True, False])
def test_who_has_ended_keeps_what_was_known_of_it(kernel, own, two, cgroups, early):  # noqa: F811
    """Its connection goes on in another process, whose unit, or that of a later one of its PID,
    does not count."""
    unit = cgroups(f"t{os.getpid()}.service")
    asking = f"for = unit:{unit.name}"
    two(two=asking if early else "")
    own.reload()
    ours, theirs = socket.socketpair()
    child = os.fork()
    if not child:
        (unit / "cgroup.procs").write_text("0")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(own.socket))
            told = ask_on(connection)
            socket.send_fds(theirs, [told.encode()], [connection.fileno()])
        os._exit(0)
    told, [fd], _, _ = socket.recv_fds(ours, 16, 1)
    os.waitpid(child, 0)
    with ours, theirs, socket.socket(fileno=fd) as connection, next_of(child) as later:
        (unit / "cgroup.procs").write_text(str(later.pid))
        assert told.decode() == ask_on(connection) == ("second" if early else "first")
        two(one="for = unit:never.service", two=asking)
        own.reload()
        assert ask_on(connection) == ("second" if early else "first")
