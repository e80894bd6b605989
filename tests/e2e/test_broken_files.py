"""Bad files and bad vaults: what is good goes on, and status says where it
broke."""

import os
import time

import pytest
from clearml_server import SECRET_KEY
from harness import FAST
from varlink import VarlinkError

GOOD = "k: good\nsub { a: 1 }\n"

# name: (text, what status says of it: line, column, words of the reason)
BROKEN = {
    "unclosed object": ("a: 1\nb {\n  c: 2\n", 4, 1, "}"),
    "forbidden character": ("a: 1\nb: x@y\n", 2, 5, "@"),
    "second equals sign": ("a =\nb = 1\n", 2, 3, "="),
    "unclosed string": ("a: 1\n\tk: \"no end\n", 2, None, "string"),
    "missing reference": ("a: 1\nb: ${nowhere}\n", 2, 4, "nowhere"),
    "column counts characters": ("\u00e9\u00e8\u00ea: 1, b: x@y\n", 1, 13, "@"),
    "invalid UTF-8": (b"a: 1\nb: \xff\xfe\n", 2, 4, "UTF-8"),
    "list as root": ("[1, 2]\n", 1, 1, None),
    "our own output": ("# written by clearconf\na: 1\n", 1, 1, "own output"),
    "too deep": ("a: " + "[" * 200 + "]" * 200, 1, None, "deep"),
}


def assert_says_where(layer, line, column, word):
    assert layer["state"] == "broken"
    assert layer["line"] == line
    assert column is None or layer["column"] == column
    assert word is None or word in layer["error"]


# --- files that cannot be read ---


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_breaks_keeps_its_last_good_value(home, daemon, name):
    text, line, column, word = BROKEN[name]
    home.conf(GOOD)
    daemon.start()
    before = daemon.call("Get")
    home.conf(text)
    layer = daemon.wait_layer("clearml.conf", "broken")
    assert_says_where(layer, line, column, word)
    after = daemon.call("Get")
    assert after["value"] == before["value"]
    assert after["generation"] == before["generation"]
    assert after["state"] == "degraded"


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_broken_at_first_can_be_mended(home, daemon, name):
    text, line, column, word = BROKEN[name]
    home.write("trains.conf", "t: 1")
    home.conf(text)
    daemon.start()
    layer = daemon.wait_layer("clearml.conf", "broken")
    assert_says_where(layer, line, column, word)
    assert daemon.get() == {"t": 1}
    home.conf(GOOD)
    daemon.wait_value("k", "good")
    daemon.wait_state("ready")
    assert "error" not in daemon.layer("clearml.conf")


def test_what_a_file_that_is_broken_at_first_may_name_is_not_said_to_be_missing(home, daemon, conf):
    home.conf(conf("a: [\n"))
    assert "nothing is configured" not in home.daemon("--check").stdout
    daemon.start()
    assert "no server is named" not in home.client("status", check=0).stdout
    assert daemon.workspace()["unasked"] == \
        "a local file that may name it, or the keys, is broken: mend it"
    home.conf(conf("a: []\n"))
    daemon.wait_state("ready")


def test_a_folder_in_the_files_place_is_a_missing_file(home, daemon):
    (home.path / "clearml.conf").mkdir()
    (home.path / "clearml.conf" / "inside").write_text("k: 1")
    daemon.start()
    assert daemon.get() == {}
    assert daemon.layer("clearml.conf")["state"] == "missing"
    assert daemon.status()["state"] == "ready"


def test_a_pipe_in_the_files_place_does_not_hang_the_daemon(home, daemon):
    os.mkfifo(home.path / "clearml.conf")
    daemon.start()
    assert daemon.get() == {}
    assert daemon.layer("clearml.conf")["state"] == "missing"


def test_a_link_to_nowhere_is_a_missing_file(home, daemon):
    (home.path / "clearml.conf").symlink_to("nowhere/clearml.conf")
    daemon.start()
    assert daemon.layer("clearml.conf")["state"] == "missing"
    home.write("nowhere/clearml.conf", GOOD)
    daemon.wait_value("k", "good")


def test_a_loop_of_links_harms_nobody(home, daemon):
    (home.path / "clearml.conf").symlink_to("other.conf")
    (home.path / "other.conf").symlink_to("clearml.conf")
    home.write("trains.conf", "t: 1")
    daemon.start()
    assert daemon.get() == {"t": 1}
    (home.path / "clearml.conf").unlink()
    home.conf(GOOD)
    daemon.wait_value("k", "good")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_broken(home, daemon):
    path = home.conf(GOOD)
    daemon.start()
    path.chmod(0)
    layer = daemon.wait_layer("clearml.conf", "broken")
    assert "ermission" in layer["error"]
    assert daemon.get("k") == "good"
    path.chmod(0o600)
    daemon.wait_layer("clearml.conf", "ok")


def test_a_file_over_the_limit_is_broken(home, daemon):
    home.settings("[limits]\ndocument = 4K\n")
    home.conf(GOOD)
    daemon.start()
    home.conf(GOOD + "#" * 5000)
    daemon.wait_layer("clearml.conf", "broken")
    assert daemon.get("k") == "good"


def test_a_substitution_bomb_is_refused_and_the_daemon_lives(home, daemon):
    lines = ["a0: xxxxxxxxxxxxxxxx"]
    lines += [f"a{i}: ${{a{i - 1}}}${{a{i - 1}}}" for i in range(1, 64)]
    home.conf(GOOD)
    daemon.start()
    home.conf("\n".join(lines))
    daemon.wait_layer("clearml.conf", "broken")
    assert daemon.get("k") == "good"


def test_a_broken_include_names_the_included_file_and_can_be_mended(home, daemon):
    home.write("team.conf", "team: red")
    home.conf('include "team.conf"\nown: 1')
    daemon.start()
    home.write("team.conf", "ok: 1\nteam: x@y")
    layer = daemon.wait_layer("clearml.conf", "broken")
    assert layer["error"].startswith(f"{home.path / 'team.conf'}:2:8: ") and "line" not in layer
    assert f"{home.path / 'clearml.conf'}: {home.path / 'team.conf'}:2:8: " in home.client("status").stdout
    assert daemon.get() == {"team": "red", "own": 1}
    home.write("team.conf", "team: blue")
    daemon.wait_value("team", "blue")


def test_a_dump_that_is_fed_back_is_refused_and_says_what_to_do(home, daemon):
    home.conf(GOOD)
    daemon.start()
    home.client("dump", "--format", "hocon", "--output", home.path / "dump.conf", check=0)
    home.conf((home.path / "dump.conf").read_text())
    layer = daemon.wait_layer("clearml.conf", "broken")
    assert "[local]" in layer["error"] and "files" in layer["error"]
    assert daemon.get("k") == "good"


def test_a_broken_file_is_logged_once_and_without_its_text(home, daemon):
    home.conf(GOOD)
    daemon.start()
    home.conf('api.credentials.secret_key: "hunter2-hunter2" x@y')
    daemon.wait_layer("clearml.conf", "broken")
    for _ in range(3):
        daemon.reload()
    assert daemon.log().count("layer-broken") == 1
    assert "hunter2" not in daemon.log() and "hunter2" not in str(daemon.status())


def test_a_reader_with_an_environment_of_its_own_is_told_what_breaks(home, daemon):
    home.conf("a: ${?TEAM}\nb: ${?TEAM}")
    daemon.start()
    assert daemon.get("a", environment={"TEAM": "red"}) == "red"
    with pytest.raises(VarlinkError) as caught:
        daemon.get("a")
    assert caught.value.name == "io.clearconf.PathNotFound"


# --- vaults that cannot be read ---

BAD_VAULT = {"id": "bad", "description": "team", "data": "fine = 1\nkey = x@y\n"}
GOOD_VAULT = {"id": "good", "data": "other: vault"}


@pytest.fixture
def vaults(home, conf, server, daemon):
    """Serve these vaults to a daemon that is started, until it has them."""
    def serve(*items, state):
        server.state.set_vaults(items)
        if daemon.process:
            seen = server.count("users.get_vaults")
            server.wait_for("users.get_vaults", seen + 4)
        else:
            home.settings(FAST)
            home.conf(conf("key: local"))
            daemon.start()
        daemon.wait_state(state)
        return daemon
    return serve


def test_a_vault_that_does_not_parse_does_not_stop_the_one_beside_it(vaults):
    daemon = vaults(BAD_VAULT, GOOD_VAULT, state="degraded")
    tree = daemon.get()
    assert tree["other"] == "vault" and tree["key"] == "local" and "fine" not in tree


def test_status_says_which_vault_broke_and_where(home, vaults):
    daemon = vaults(BAD_VAULT, GOOD_VAULT, state="degraded")
    layer = daemon.layer("bad")
    assert_says_where(layer, 2, 8, "@")
    assert (layer["layer"], layer["description"]) == ("vault", "team")
    shown = home.client("status", check=0).stdout
    line = next(x for x in shown.splitlines() if "broken" in x)
    assert "team" in line and "2:8" in line
    daemon.wait_layer("good", "ok")


def test_a_vault_that_breaks_keeps_its_last_good_document(vaults):
    daemon = vaults(dict(BAD_VAULT, data="fine: 1\nkey: vault"), GOOD_VAULT, state="ready")
    vaults(BAD_VAULT, GOOD_VAULT, state="degraded")
    assert daemon.get("key") == "vault" and daemon.get("fine") == 1
    assert daemon.layer("bad")["line"] == 2


def test_a_broken_vault_that_is_withdrawn_is_gone_and_so_is_its_error(vaults):
    daemon = vaults(dict(BAD_VAULT, data="key: vault"), GOOD_VAULT, state="ready")
    vaults(BAD_VAULT, GOOD_VAULT, state="degraded")
    vaults(GOOD_VAULT, state="ready")
    assert daemon.get("key") == "local" and daemon.layer("bad") is None


def test_a_broken_vault_that_is_mended_applies(vaults):
    daemon = vaults(BAD_VAULT, state="degraded")
    vaults(dict(BAD_VAULT, data="key: vault"), state="ready")
    assert daemon.get("key") == "vault"
    assert "error" not in daemon.layer("bad")


@pytest.mark.parametrize("data", ["", None, "# only a comment\n", "{}", "  \n"],
                         ids=["text", "null", "comment", "object", "blank"])
def test_an_empty_vault_is_not_broken(vaults, data):
    daemon = vaults(dict(BAD_VAULT, data=data), GOOD_VAULT, state="ready")
    assert daemon.get("other") == "vault" and daemon.get("key") == "local"


@pytest.mark.parametrize("data", ['include "/etc/hostname"\na: 1', "[1]", "a: ${nowhere}",
                                  7],
                         ids=["include", "list", "missing", "number"])
def test_a_vault_that_may_not_count_is_broken_and_says_why(vaults, data):
    daemon = vaults(dict(BAD_VAULT, data=data), GOOD_VAULT, state="degraded")
    assert daemon.layer("bad")["error"]
    assert daemon.get("other") == "vault" and "a" not in daemon.get()


def test_a_format_is_believed(vaults):
    daemon = vaults({"id": "j", "format": "json", "data": '{"path": "a\\/b", "n": 1.0}'},
                    state="ready")
    assert daemon.get("path") == "a/b"


def test_no_value_of_a_broken_vault_is_logged(vaults):
    daemon = vaults(dict(BAD_VAULT, data='token = "tell-nobody-12345" x@y'), state="degraded")
    assert "layer-broken" in daemon.log()
    assert "tell-nobody" not in daemon.log() and SECRET_KEY not in daemon.log()


def test_a_required_secret_of_the_host_is_not_lent_to_a_vault(vaults):
    daemon = vaults(dict(BAD_VAULT, data="a: ${api.credentials.secret_key}"), state="degraded")
    assert "secret" in daemon.layer("bad")["error"]
    assert "a" not in daemon.get()


# --- files that are written slowly ---


def answers_for(daemon, seconds):
    """What is served meanwhile, without repetitions."""
    seen = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        tree = daemon.get()
        if not seen or seen[-1] != tree:
            seen.append(tree)
        time.sleep(0.02)
    return seen


def test_a_slow_writer_in_place_takes_nothing_away(home, daemon):
    home.conf("k: 1\nsub { a: 1 }\n")
    daemon.start()
    generation = daemon.call("Get")["generation"]
    with open(home.path / "clearml.conf", "w") as file:
        seen = answers_for(daemon, 0.7)
        print("k: 2", file=file, flush=True)
        seen += answers_for(daemon, 0.7)
        assert daemon.layer("clearml.conf")["state"] == "ok"
        print("sub { a: 2 }", file=file)
    daemon.wait_value("k", 2)
    assert seen == [{"k": 1, "sub": {"a": 1}}] * 2
    assert daemon.get() == {"k": 2, "sub": {"a": 2}}
    assert daemon.call("Get")["generation"] == generation + 1


def test_a_writer_who_keeps_a_file_open_is_waited_for_a_stated_time(home, daemon):
    home.conf("k: 1\n")
    daemon.start()
    with open(home.path / "clearml.conf", "w") as file:
        print("k: 2", file=file, flush=True)
        start = time.monotonic()
        daemon.wait_value("k", 2)
        assert 4.5 < time.monotonic() - start < 30


def test_a_reload_waits_for_no_writer(home, daemon):
    home.conf("k: 1\n")
    daemon.start()
    with open(home.path / "clearml.conf", "w") as file:
        print("k: 2", file=file, flush=True)
        daemon.call("Reload")
        assert daemon.get("k") == 2
