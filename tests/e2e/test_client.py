"""The command line client: what it prints, what it writes, how it ends."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from background import Background
from clearml_server import SECRET_KEY
from harness import CLIENT, FAST, Daemon, Held, wait_until

CONF = """
text: "two words", number: 1.0, big: 123456789012345678901234567890, none: null
list: [1, "", a], empty {}, on: true
"a.b" { "c d": quoted }
tree { leaf: 1, other: 2 }
"""


@pytest.fixture
def running(home, daemon):
    home.conf(CONF)
    return daemon.start()


# --- get ---


@pytest.mark.parametrize("arguments, printed", [
    (["text"], "two words\n"),
    (["number"], "1.0\n"),
    (["big"], "123456789012345678901234567890\n"),
    (["on"], "true\n"),
    (["none"], "\n"),
    (["list.1"], "a\n"),
    (['"a.b"."c d"'], "quoted\n"),
    (["text", "--format", "json"], '"two words"\n'),
    (["none", "--format", "json"], "null\n"),
    (["empty"], "{}\n"),
])
def test_get_prints_a_value(home, running, arguments, printed):
    assert home.client("get", *arguments, check=0).stdout == printed


def test_get_prints_objects_and_lists_as_json(home, running):
    assert json.loads(home.client("get", check=0).stdout) == running.get()
    assert json.loads(home.client("get", "list", check=0).stdout) == [1, "a"]
    assert "123456789012345678901234567890" in home.client("get", check=0).stdout


def test_get_prints_hocon(home, running):
    text = home.client("get", "tree", "--format", "hocon", check=0).stdout
    assert text.startswith("# written by clearconf") and "leaf" in text


def test_a_path_that_is_not_there_is_3_and_a_default_helps(home, running):
    done = home.client("get", "tree.nowhere")
    assert done.returncode == 3 and done.stdout == ""
    assert done.stderr.startswith("clearconf: ") and done.stderr.count("\n") == 1
    assert home.client("get", "tree.nowhere", "--default", "x y", check=0).stdout == "x y\n"
    assert home.client("get", "text", "--default", "x", check=0).stdout == "two words\n"


def test_get_with_the_callers_environment(home, daemon):
    home.conf("user: ${?TEAM_USER}")
    daemon.start()
    home.client("get", "user", check=3)
    home.env["TEAM_USER"] = "jane"
    home.client("get", "user", check=3)
    assert home.client("get", "user", "--env", check=0).stdout == "jane\n"
    home.env |= {"CLEARML_AGENT__A__B": "{c: 1}", "CLEARML_WORKER_ID": "mine",
                 "CLEARML_AGENT____": "1", "CLEARML_AGENT__$": "1"}
    assert json.loads(home.client("get", "--env", check=0).stdout) == {
        "user": "jane", "a": {"b": {"c": 1}}, "agent": {"worker_id": "mine"}}
    assert home.client("get", check=0).stdout == "{}\n"


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["get", "--nonsense"], ["get", "a", "b"], ["get", "a..b"],
    ["get", "tree", "--format", "raw"], ["get", "--format", "xml"], ["--timeout", "soon", "get"],
    ["get", "--format"], ["dump", "--watch"], ["dump", "--mode", "0999", "--output", "x"],
    ["dump", "--exec", "true"], ["status", "word"], ["get", "--workspace", "none"],
    ["status", "--workspace", "none"], ["watch", "--since", "yesterday"], ["--socket", "", "get"],
    ["dump", "--output", ""], ["report", "--html", ""]], ids=" ".join)
def test_wrong_usage_is_2_and_one_line(home, running, arguments):
    done = home.client(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("clearconf: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["get"], ["watch"], ["dump"], ["status"]], ids=" ".join)
def test_no_daemon_is_4_and_says_what_to_do(home, command):
    done = home.client(*command)
    assert done.returncode == 4 and "clearconfd" in done.stderr
    assert done.stderr.startswith("clearconf: ") and done.stderr.count("\n") == 1


def test_a_socket_that_refuses_is_4_and_named(home, daemon):
    daemon.start()
    daemon.stop(signal.SIGKILL)
    done = home.client("get")
    assert done.returncode == 4 and str(home.socket) in done.stderr


def test_the_socket_is_found_by_option_then_variable(home):
    home.conf("k: 1")
    elsewhere = home.path / "elsewhere"
    with Daemon(home, "--socket", elsewhere):
        home.client("get", check=4)
        assert home.client("get", "k", "--socket", elsewhere, check=0).stdout == "1\n"
        home.env["CLEARCONF_SOCKET"] = str(elsewhere)
        assert home.client("get", "k", check=0).stdout == "1\n"
        home.client("get", "k", "--socket", home.path / "none", check=4)


def test_access_denied_is_5(strangers, home):
    home.conf("api.credentials.secret_key: a-long-enough-secret\nplain: 1")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        for command in (["get"], ["status"], ["dump"], ["watch"]):
            status, output, errors = strangers.client(65533, *command)
            assert (status, output) == (5, "") and "[access]" in errors
        home.settings("[access]\nread = 65533\n")
        daemon.reload()
        assert strangers.client(65533, "get", "plain") == (0, "1\n", "")
        for command in (["get"], ["get", "api"], ["dump"], ["watch", "--reveal"],
                        ["get", "api.credentials.secret_key"]):
            status, output, errors = strangers.client(65533, *command)
            assert (status, output) == (5, "") and "secrets" in errors
        status, output, _ = strangers.client(65533, "get", "--mask", "api")
        assert status == 0 and json.loads(output)["credentials"]["secret_key"] == "****"
        assert strangers.client(65533, "dump", "--mask")[0] == 0


def test_help_and_version_go_to_standard_output(home):
    assert home.client("--version", check=0).stdout.startswith("clearconf ")
    for command in ([], ["get"], ["watch"], ["dump"], ["status"]):
        assert home.client(*command, "--help", check=0).stdout.startswith("Usage: clearconf")


# --- status ---


def test_status_is_for_people_and_for_programs(home, conf, server, daemon):
    server.state.set_vaults([{"description": "team", "data": "a: 1"}])
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    shown = home.client("status", check=0).stdout
    for word in ("ready", server.url, "stand-in", "Jane Doe", "clearml.conf", "team", "vault"):
        assert word in shown
    assert SECRET_KEY not in shown and "\x1b" not in shown
    status = json.loads(home.client("status", "--json", check=0).stdout)
    assert status["workspaces"][0]["company_name"] == "stand-in"


def test_status_wait_is_0_once_ready_and_1_when_late(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf())
    done = home.client("status", "--wait", "0.2")
    assert done.returncode == 1, "there is no daemon"
    with Held(server, "users.get_vaults") as held:
        daemon.start()
        assert home.client("status", "--wait", "0.2").returncode == 1
        waiting = subprocess.Popen([CLIENT, "status", "--wait", "60"], env=home.env,
                                   stdout=subprocess.PIPE)
        wait_until(lambda: daemon.status()["watchers"] == 1, "the client to wait")
        held.let_go()
        output, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and b"ready" in output


# --- watch ---


def test_watch_prints_a_line_a_change(home, running):
    with Background(home, "watch", "--values", "tree") as watch:
        watch.wait_line(r"^\d+ \S+ \S+ state ready$")
        watch.wait_line(r"^\d+ \S+ \S+ value tree\.leaf 1$")
        home.conf("tree { leaf: 3 }, elsewhere: 1")
        assert watch.wait_line(r"removed tree\.other 2")
        assert watch.wait_line(r"changed tree\.leaf 1 -> 3 \(file:.*clearml\.conf:1:14\)")
        assert not any("elsewhere" in x for x in watch.lines)


def test_watch_json_prints_answers_as_they_come(home, running):
    with Background(home, "watch", "--json") as watch:
        watch.wait_line("generation")
        home.conf("k: 1")
        line = json.loads(watch.wait_line('"changes":\\[{'))
        assert {"path": "k", "kind": "added"} in [
            {"path": x["path"], "kind": x["kind"]} for x in line["changes"]]


def test_watch_masks_secrets_unless_told(home, running):
    with Background(home, "watch", "--values") as masked, \
            Background(home, "watch", "--values", "--reveal") as real:
        masked.wait_line("state ready")
        real.wait_line("state ready")
        home.conf("my_token: tell-nobody-1234")
        assert masked.wait_line("my_token") and real.wait_line("my_token.*tell-nobody-1234")
        assert not any("tell-nobody" in x for x in masked.lines)


@pytest.mark.parametrize("more, changed", [([], "changed k"), (["--values"], "changed k 1 -> 2"),
                                           (["k", "gone", "fresh"], "changed k")])
def test_watch_goes_on_over_a_restart_and_misses_nothing(home, running, more, changed):
    """What the daemon does not know that it told, or not yet, the watch remembers; what it knows has its
    place."""
    home.conf("k: 1, gone: 1, other: 1")
    running.wait_value("other", 1)
    with Background(home, "watch", *more) as watch:
        watch.wait_line("state ready")
        before = len(watch.lines)
        running.stop()
        home.conf("k: 2, fresh: 3, other: 1")
        running.start()
        watch.wait_line("added fresh")
        assert [x.split(None, 3)[3].partition(" (file:")[0] for x in watch.lines[before:]] == [
            "removed gone" + " 1" * (more == ["--values"]), *sorted([changed, "added fresh" + " 3" * (
                more == ["--values"])], key=lambda x: x.split()[1])]
        told = int(watch.lines[-1].split()[0])
        running.stop(signal.SIGKILL)
        running.start()
        home.conf("k: 2, fresh: 4, other: 1")
        last = watch.wait_line("changed fresh")
        assert int(last.split()[0]) > told
        assert not any("resync" in x or "other" in x for x in watch.lines[before:])


def test_watch_since_begins_with_what_changed(home, running):
    generation = running.call("Get")["generation"]
    home.conf("k: 1")
    running.wait_value("k", 1)
    with Background(home, "watch", "--since", generation) as watch:
        watch.wait_line("state ready")
        watch.wait_line(r"added k \(file:")
        home.conf("k: 1, later: 2")
        watch.wait_line("added later")
        assert len([x for x in watch.lines if " k" in x]) == 1
    with Background(home, "watch", "--since", 1 << 40) as watch:
        watch.wait_line("resync")


# --- dump ---


def dump(home, *arguments, check=0):
    return home.client("dump", *arguments, check=check)


def test_dump_prints_or_writes_the_same(home, running):
    printed = dump(home).stdout
    dump(home, "--output", home.path / "out.json")
    assert (home.path / "out.json").read_text() == printed
    assert json.loads(printed) == running.get()


@pytest.mark.parametrize("mode", [None, "0640", "0444"])
def test_a_dump_has_the_mode_that_was_asked_for(home, running, mode):
    path = home.path / "out.json"
    dump(home, "--output", path, *(["--mode", mode] if mode else []))
    assert path.stat().st_mode & 0o7777 == int(mode or "0600", 8)


def test_an_unchanged_dump_is_not_written_again(home, running):
    path = home.path / "out.json"
    dump(home, "--output", path)
    before = path.stat()
    dump(home, "--output", path)
    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    home.conf(CONF + "more: 1")
    running.wait_value("more", 1)
    dump(home, "--output", path)
    assert path.stat().st_ino != before.st_ino, "it is replaced, not written into"


def test_a_dump_leaves_nothing_but_itself(home, running):
    (home.path / "out").mkdir()
    dump(home, "--output", home.path / "out" / "x.json")
    assert os.listdir(home.path / "out") == ["x.json"]


def test_dump_refuses_links_and_what_is_no_file(home, running):
    target = home.write("target", "precious")
    (home.path / "link").symlink_to(target)
    os.link(home.write("first name", "precious"), home.path / "hard")
    (home.path / "folder").mkdir()
    os.mkfifo(home.path / "pipe")
    for name, word in (("link", "symbolic link"), ("hard", "hard link"),
                       ("folder", "regular file"), ("pipe", "regular file")):
        done = dump(home, "--output", home.path / name, check=1)
        assert word in done.stderr
    assert target.read_text() == "precious" and (home.path / "hard").read_text() == "precious"


def test_dump_refuses_a_source_of_the_configuration(home, daemon):
    home.conf("k: 1")
    (home.path / "folder").symlink_to(".")
    daemon.start()
    for name in ("clearml.conf", "trains.conf", "run/../clearml.conf", "folder/clearml.conf"):
        done = dump(home, "--output", home.path / name, check=1)
        assert "source" in done.stderr, name
    assert (home.path / "clearml.conf").read_text() == "k: 1"


def test_dump_refuses_to_become_a_source(home, daemon):
    """A new file in a folder of layers would be read, and dumped again."""
    home.settings(f"[local]\nsite = {home.path}/site.d\ndefaults = {home.path}/defaults\n")
    home.write("site.d/a.conf", "k: 1")
    home.write("defaults/b.conf", "k: 1")
    daemon.start()
    for name in ("site.d/new.json", "defaults/new.conf"):
        assert "source" in dump(home, "--output", home.path / name, check=1).stderr
        assert not (home.path / name).exists()


def test_dump_into_a_folder_that_is_not_there_fails(home, running):
    done = dump(home, "--output", home.path / "none" / "x", check=1)
    assert str(home.path / "none" / "x") in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="a rule for root")
def test_as_root_dump_refuses_a_folder_that_others_may_write(home, running):
    (home.path / "shared").mkdir()
    (home.path / "shared").chmod(0o777)
    dump(home, "--output", home.path / "shared" / "x", check=1)
    assert os.listdir(home.path / "shared") == []


def test_dump_of_a_path_that_is_not_there_is_3_and_writes_nothing(home, running):
    dump(home, "nowhere", "--output", home.path / "x", check=3)
    assert not (home.path / "x").exists()


def test_a_hocon_dump_reads_back_as_the_tree(home, running):
    text = dump(home, "--format", "hocon").stdout
    first, _, rest = text.partition("\n")
    assert first.startswith("# written by clearconf")
    home.conf(rest)
    assert home.resolve() == running.get()


def test_a_dump_waits_while_starting_and_never_lacks_a_vault(home, conf, server, daemon):
    server.state.set_vaults(["team: red"])
    home.settings(FAST)
    home.conf(conf())
    path = home.path / "out.json"
    with Held(server, "users.get_vaults") as held:
        daemon.start()
        done = dump(home, "--output", path, "--timeout", "0.3", check=6)
        assert "starting" in done.stderr and not path.exists()
        waiting = subprocess.Popen([CLIENT, "dump", "--output", path], env=home.env)
        wait_until(lambda: daemon.status()["watchers"] == 1, "the client to wait")
        held.let_go()
        assert waiting.wait(60) == 0
    assert json.loads(path.read_text())["team"] == "red"


def holds(path, text):
    return path.exists() and text in path.read_text()


def test_dump_watch_keeps_the_file_current_over_a_restart(home, running):
    path = home.path / "out.json"
    with Background(home, "dump", "--watch", "--output", path) as watch:
        wait_until(lambda: holds(path, "two words"), "the first dump")
        home.conf("k: first-change")
        wait_until(lambda: holds(path, "first-change"), "the change")
        running.stop()
        home.conf("k: while-away")
        assert holds(path, "first-change")
        running.start()
        wait_until(lambda: holds(path, "while-away"), "the change after the restart")
        home.conf("k: after-it")
        wait_until(lambda: holds(path, "after-it"), "the change after that")
        assert watch.process.poll() is None


def test_dump_watch_keeps_the_file_while_starting(home, conf, server, daemon):
    server.state.set_vaults(["team: red"])
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    path = home.path / "out.json"
    with Background(home, "dump", "--watch", "--output", path):
        wait_until(lambda: holds(path, "red"), "the first dump")
        inode = path.stat().st_ino
        daemon.stop()
        shutil.rmtree(home.path / "state" / "clearconf" / "cache")
        with Held(server, "users.get_vaults") as held:
            daemon.start()
            wait_until(lambda: daemon.status()["watchers"] >= 2, "the dump to be back")
            assert holds(path, "red") and path.stat().st_ino == inode
            server.state.set_vaults(["team: blue"])
            held.let_go()
        wait_until(lambda: holds(path, "blue"), "the new vault")


def test_dump_watch_runs_a_command_after_each_change(home, running):
    path, log = home.path / "out.json", home.path / "hook.log"
    hook = f"wc -c < {path} >> {log}"
    with Background(home, "dump", "--watch", "--output", path, "--exec", hook):
        wait_until(lambda: log.exists() and log.read_text().count("\n") == 1, "the first run")
        home.conf("k: 1")
        wait_until(lambda: log.read_text().count("\n") == 2, "the second run")
    assert int(log.read_text().split()[-1]) == path.stat().st_size


def test_a_command_that_fails_is_a_failure_whatever_becomes_of_children(home, running):
    for ignore in ("", "trap '' CHLD; "):
        (home.path / "x").unlink(missing_ok=True)
        done = subprocess.run(["bash", "-c", ignore + 'exec "$@"', "bash", CLIENT, "dump", "--output",
                               home.path / "x", "--exec", "exit 3"], env=home.env, timeout=30,
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "status 3" in done.stderr


def test_dump_in_place_writes_into_the_same_file(home, running):
    path = home.write("mounted.json", "old and longer" * 1000)
    inode = path.stat().st_ino
    path.chmod(0o640)
    dump(home, "--in-place", "--output", path)
    assert path.stat().st_ino == inode and json.loads(path.read_text()) == running.get()
    assert path.stat().st_mode & 0o777 == 0o640
    dump(home, "--in-place", "--mode", "0600", "--output", path)
    assert path.stat().st_ino == inode and path.stat().st_mode & 0o777 == 0o600
