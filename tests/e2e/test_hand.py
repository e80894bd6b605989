"""The command line as a hand expects it: what is misspelt, what a terminal gets, what waits."""

import json
import re
import time

import pytest
from background import Background
from clearml_server import SECRET_KEY
from harness import FAST, Daemon, Held, wait_until
from terminal import Terminal, on_terminal


@pytest.fixture
def running(home, daemon):
    home.conf("a: 1")
    return daemon.start()


@pytest.fixture
def ready(home, conf, daemon):
    home.settings(FAST)
    home.conf(conf("k: 1")).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    return daemon


# --- what is misspelt ---


@pytest.mark.parametrize("words, guess", [
    (["statsu"], "unknown command 'statsu' (is 'status' meant?)"),
    (["help", "wathc"], "unknown command 'wathc' (is 'watch' meant?)"),
    (["--verison"], "option '--verison' (is '--version' meant?)"),
    (["get", "--formt=json"], "option '--formt=json' (is '--format' meant?)"),
    (["log", "--json=1"], "'--json=1': this option takes no argument"),
    (["workspace", "lsit"], "'lsit' is nothing that workspace does (is 'list' meant?)"),
    (["unlike"], "unknown command 'unlike': see 'clearconf help'")])
def test_what_is_misspelt_is_guessed(home, words, guess):
    done = home.client(*words, check=2)
    assert guess in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""


def test_the_daemons_options_are_guessed_too(home):
    for words, guess in ((["--verison"], "'--verison' (is '--version' meant?)"),
                         (["--confg=x"], "'--confg=x' (is '--config' meant?)"),
                         (["--print=x"], "takes no argument"), (["--config"], "--config needs an argument"),
                         (["-z"], "'-z'")):
        done = home.daemon(*words)
        assert done.returncode == 2 and guess in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("path, meant", [
    ("agnet.worker_id", "agent.worker_id"), ("agent.workr_id", "agent.worker_id"),
    ("list.0.nmae", "list.0.name"), ('agent."a.c"', 'agent."a.b"')])
def test_a_path_with_nothing_at_it_is_guessed(home, daemon, path, meant):
    home.conf('agent { worker_id: w, "a.b": 1 }, list: [{ name: x }]')
    daemon.start()
    for command in (["get"], ["explain"], ["dump"], ["dump", "--output", "x"]):
        done = home.client(*command, path, check=3)
        assert f"(is '{meant}' meant?)" in done.stderr and done.stderr.count("\n") == 1
    assert "meant" not in home.client("get", "nothing.like.it", check=3).stderr


def test_watch_warns_of_a_path_with_nothing_at_it(home, running):
    home.conf("agent.worker_id: w")
    running.wait_value("agent.worker_id", "w")
    with Background(home, "watch", "agnet", "agent", "elsewhere") as watch:
        watch.wait_line("state ready$")
        watch.wait_line("there is nothing at elsewhere yet$", watch.errors)
        home.conf("agent.worker_id: w, agnet: 1")
        watch.wait_line("added agnet")
    assert [x.partition("nothing at ")[2] for x in watch.errors] == [
        "agnet yet (is 'agent' meant?)", "elsewhere yet"]


def test_help_is_a_command_too(home):
    assert home.client("help", check=0).stdout == home.client("--help", check=0).stdout
    assert home.client("version", check=0).stdout == home.client("--version", check=0).stdout
    assert home.client("get", "--version", check=0).stdout == home.client("--version", check=0).stdout
    for line in home.client("help", check=0).stdout.partition("Commands")[2].partition("\n\n")[0].splitlines()[1:]:
        command = line.split()[0]
        shown = home.client("help", command, check=0).stdout
        assert shown == home.client(command, "--help", check=0).stdout and f"clearconf {command}" in shown


# --- terminals ---


def plain(text):
    return re.sub("\x1b\\[[0-9]*m", "", text).replace("\r\n", "\n")


def test_get_masks_on_a_terminal_unless_told(home, ready):
    path = "api.credentials.secret_key"
    out, err = on_terminal(home, "get", path)
    assert plain(out) == "****\n" and "--reveal shows them" in plain(err)
    out, err = on_terminal(home, "get")
    assert SECRET_KEY not in out and '"****"' in out and "--reveal" in err
    assert on_terminal(home, "get", path, "--reveal") == (f"{SECRET_KEY}\r\n", "")
    assert on_terminal(home, "get", path, "--mask") == ("****\r\n", "")
    assert on_terminal(home, "get", "k") == ("1\r\n", "")
    assert home.client("get", path, check=0).stdout == f"{SECRET_KEY}\n"
    assert "not both" in home.client("get", path, "--mask", "--reveal", check=2).stderr


def test_reveal_without_the_right_is_refused(strangers, home):
    home.settings("[access]\nread = 65533\n")
    home.conf("a_secret: tell-nobody-at-all")
    with Daemon(home, "--socket", str(strangers.socket)):
        assert strangers.client(65533, "get", "a_secret", "--mask")[:2] == (0, "****\n")
        status, output, errors = strangers.client(65533, "get", "a_secret", "--reveal")
        assert status == 5 and "tell-nobody" not in output + errors


def test_errors_are_in_colour_on_a_terminal(home):
    _, err = on_terminal(home, "get")
    assert err.startswith("\x1b[31mclearconf: \x1b[0m")
    _, err = on_terminal(home, "get", env={"NO_COLOR": "1"})
    assert err.startswith("clearconf: ")
    assert home.client("get", check=4).stderr.startswith("clearconf: ")


def test_tables_fit_the_width_of_a_terminal(home, ready, server):
    server.state.set_vaults([{"description": "v", "data": "long: \"" + "x" * 300 + "\"\nsdk.b: 1"}])
    ready.wait_value("sdk.b", 1)
    for words in (["workspace"], ["credentials"], ["explain", "long"], ["explain", "sdk"]):
        whole = home.client(*words, check=0).stdout
        out, _ = on_terminal(home, *words, columns=72)
        shown = plain(out)
        assert len(shown.splitlines()) == len(whole.splitlines())
        assert max(map(len, shown.splitlines())) <= 72, shown
    assert "..." in plain(on_terminal(home, "workspace", columns=40)[0])
    assert max(map(len, home.client("explain", "api", check=0).stdout.splitlines())) > 72


def test_the_home_is_a_tilde_on_a_terminal(home, ready):
    for words in (["explain", "k"], ["status"], ["doctor"], ["log"]):
        out, _ = on_terminal(home, *words)
        assert str(home.path) not in out.replace(str(home.run), ""), out
    assert "~/clearml.conf:" in plain(on_terminal(home, "explain", "k")[0])
    assert f"{home.path}/clearml.conf:" in home.client("explain", "k", check=0).stdout


def pager(home, text="cat >../paged"):
    path = home.write("pager", f"#!/bin/sh\necho \"$LESS\" >../less\n{text}\n")
    path.chmod(0o755)
    return {"PAGER": str(path), "TERM": "xterm"}


def test_what_is_long_goes_to_the_pager(home, running):
    home.conf("".join(f"k{i}: {i}\n" for i in range(50)))
    running.wait_value("k49", 49)
    env = pager(home)
    out, _ = on_terminal(home, "get", rows=24, columns=80, env=env)
    assert out == "" and json.loads((home.path / "paged").read_text())["k49"] == 49
    assert (home.path / "less").read_text() == "FRX\n"
    for more, words in (({}, ["get", "k1"]), ({}, ["get", "--no-pager"]), ({"TERM": "dumb"}, ["get"]),
                        ({"PAGER": "cat"}, ["get"]), ({"CLEARCONF_PAGER": ""}, ["get"]),
                        ({"PAGER": "/none/at-all"}, ["get"])):
        (home.path / "paged").unlink(missing_ok=True)
        out, _ = on_terminal(home, *words, rows=24, columns=80, env=dict(env, **more))
        assert out and not (home.path / "paged").exists()
    assert home.client("get").stdout.startswith("{")


def test_a_pager_that_is_left_early_is_no_failure(home, running):
    home.conf("".join(f"k{i}: \"{'x' * 5000}\"\n" for i in range(50)))
    running.wait_value("k49", "x" * 5000)
    with Terminal(home, "get", rows=24, columns=80, env=pager(home, "head -n 1 >../paged")) as terminal:
        assert terminal.end() == ("", "") and terminal.process.returncode == 0


def test_who_waits_for_more_than_a_second_is_told(home, ready, server):
    for words, endpoint in ((["profile"], "users.get_current_user"), (["reload"], "users.get_vaults")):
        with Held(server, endpoint) as held, Terminal(home, *words) as terminal:
            wait_until(lambda: "waiting for an answer ..." in terminal.err, "a line")
            held.let_go()
            out, err = terminal.end()
            assert out and plain(err).split("\r")[-2].strip() == "" and terminal.process.returncode == 0
    assert on_terminal(home, "profile")[1] == ""
    with Held(server, "users.get_current_user") as held, Background(home, "profile") as waiting:
        time.sleep(1.5)
        held.let_go()
        waiting.process.wait(timeout=30)
        assert waiting.errors == []


# --- once more ---


def test_status_watch_shows_each_change(home, running):
    with Background(home, "status", "--watch", "--json") as lines, \
            Background(home, "status", "--watch") as text, \
            Terminal(home, "status", "--watch", rows=30, columns=100) as screen:
        lines.wait_line('"state":"ready"')
        text.wait_line("clearconfd .*: ready")
        screen.wait_out("ready")
        home.conf("broken: [")
        assert json.loads(lines.wait_line('"state":"degraded"'))["state"] == "degraded"
        text.wait_line("clearconfd .*: degraded")
        screen.wait_out("degraded")
        wait_until(lambda: screen.out.count("\x1b[H\x1b[J") > 3, "a second to go by")
        running.stop()
        text.wait_line("the daemon is gone", text.errors)
        home.conf("a: 1")
        count = len(text.lines)
        running.start()
        wait_until(lambda: any("ready" in x for x in text.lines[count:]), "the daemon that is back")
    assert "--watch goes without" in home.client("status", "--watch", "--wait", 1, check=2).stderr
    assert home.client("status", "--watch", "--socket", "/none", check=4).stdout == ""


def test_status_watch_cuts_what_is_higher_than_the_screen(home, running):
    with Terminal(home, "status", "--watch", rows=5, columns=100) as screen:
        screen.wait_out("ready")
        time.sleep(0.2)
        [first] = re.findall("\x1b\\[H\x1b\\[J(.*?)(?=\x1b\\[H|\\Z)", screen.out, re.S)[:1]
        assert first.count("\n") == 4


def test_watch_tells_when(home, running):
    with Background(home, "watch") as watch:
        line = watch.wait_line(r"^\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d state ready$")
        told = time.mktime(time.strptime(line.split(None, 3)[1] + line.split()[2], "%Y-%m-%d%H:%M:%S"))
        assert abs(time.time() - told) < 30
        home.conf("a: 2")
        watch.wait_line(r"^\d+ \S+ \S+ changed a \(file:")


# --- for programs ---


def test_all_that_shows_something_has_json(home, ready):
    document = home.write("cwd/d.yaml", "a: [1\n")
    asked = {
        "get": ["k"], "explain": ["k"], "status": [], "doctor": [], "log": [], "workspace": [],
        "credentials": [], "storage": ["s3://b/x"], "site": ["check", document], "profile": [],
        "token": [], "reload": []}
    for command, words in asked.items():
        done = home.client(command, *words, "--json")
        assert done.returncode == (1 if command == "site" else 0), done.stderr
        json.loads(done.stdout)
    storage = json.loads(home.client("storage", "s3://b/x", "--json", check=0).stdout)
    assert storage == ready.call("ResolveStorage", uri="s3://b/x")["storage"]
    assert "not both" in home.client("get", "--json", "--format", "yaml", check=2).stderr


def test_site_check_says_as_json_what_is_wrong(home):
    document = home.write("cwd/d.yaml", "a: [1\n")
    told = json.loads(home.client("site", "check", document, "--json", check=1).stdout)
    assert told["ok"] is False and told["error"]["line"] == 2 and told["warnings"] == []
    document.write_text("a: 1\n")
    told = json.loads(home.client("site", "check", document, "--json", check=0).stdout)
    assert told == {"ok": True, "error": None, "warnings": []}


def test_doctor_says_as_json_what_it_finds(home, ready, conf):
    told = json.loads(home.client("doctor", "--json", check=0).stdout)
    lines = [x.split(None, 1) for x in home.client("doctor", check=0).stdout.splitlines()]
    assert [[x["verdict"], f"{x['subject']}: {x['text']}"] for x in told["findings"]] == lines
    assert told["problems"] == 0
    told = json.loads(home.client("doctor", "--json", "--socket", "/none", check=1).stdout)
    assert told["problems"] == 1 and told["findings"][0]["subject"] == "daemon"
