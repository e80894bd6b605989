"""The command line as a hand expects it: what is misspelt, what a terminal gets, what waits."""

import pytest
from background import Background


@pytest.fixture
def running(home, daemon):
    home.conf("a: 1")
    return daemon.start()


@pytest.mark.parametrize("words, guess", [
    (["statsu"], "unknown command 'statsu' (is 'status' meant?)"),
    (["help", "wathc"], "unknown command 'wathc' (is 'watch' meant?)"),
    (["--verison"], "option '--verison' (is 'version' meant?)"),
    (["get", "--formt=json"], "option '--formt=json' (is 'format' meant?)"),
    (["log", "--json=1"], "'--json=1': this option takes no argument"),
    (["workspace", "lsit"], "'lsit' is nothing that workspace does (is 'list' meant?)"),
    (["unlike"], "unknown command 'unlike': see 'clearconf help'")])
def test_what_is_misspelt_is_guessed(home, words, guess):
    done = home.client(*words, check=2)
    assert guess in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""


def test_the_daemons_options_are_guessed_too(home):
    for words, guess in ((["--verison"], "'--verison' (is 'version' meant?)"),
                         (["--confg=x"], "'--confg=x' (is 'config' meant?)"),
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
