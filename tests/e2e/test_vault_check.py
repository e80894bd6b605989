"""vault check: what a text would do as a vault, here and now, before it is saved."""

import json

import pytest
from harness import FAST, Daemon
from varlink import VarlinkError

SECRET = "s3cr3t-4711-value"
STRANGER = 65533


@pytest.fixture
def ready(home, server, daemon, conf):
    home.settings(FAST)
    home.conf(conf(f"agent.worker_name: below\nagent.git_pass: {SECRET}\n"))
    server.state.set_vaults(["x: 1\ny: 1", "x: 2\nlast: 1"])
    daemon.start()
    daemon.wait_value("last", 1)
    return daemon


def check(home, text, *options, name="new.conf", code=0):
    done = home.client("vault", "check", home.write(name, text), *options)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_it_would_be_the_last_of_all(home, ready):
    said = check(home, "x: 3\nz { new: 1 }\nagent.worker_name: below\n").splitlines()
    assert said == ["changed x 2 -> 3", "added z.new 1"]
    assert ready.get("x") == 2  # and nothing has been


def test_in_the_place_of_another(home, ready):
    first, last = [one for one in ready.workspace()["layers"] if one["layer"] == "vault"]
    assert check(home, "x: 3\n", "--replaces", first["source"]).splitlines() == ["removed y 1"]
    assert "changed x 2 -> 3" in check(home, "x: 3\n", "--replaces", last["source"])
    assert "there is no vault 'none'" in home.client(
        "vault", "check", home.write("n.conf", "x: 1"), "--replaces", "none", check=2).stderr


def test_what_changes_nothing(home, ready):
    assert check(home, "x: 2\n") == "it would change nothing\n"
    assert check(home, "") == "it would change nothing\n"


def test_a_broken_text(home, ready):
    said = check(home, "x: 3\ny: [\n", code=1)
    assert "new.conf:" in said and "changed" not in said
    assert "new.json:1:" in check(home, "{\"a\": 1,, ]", name="new.json", code=1)


def test_of_a_broken_text_the_old_ones_warnings_are_not_told(home, server, ready):
    server.state.set_vaults(["x: 1", "agnet.x: 1"])
    ready.wait_value("agnet.x", 1)
    last = [one for one in ready.workspace()["layers"] if one["layer"] == "vault"][-1]
    said = check(home, "x: [", "--replaces", last["source"], code=1)
    assert "warning" not in said and "new.conf:" in said


def test_a_file_that_is_no_text(home, ready):
    path = home.path / "bytes.conf"
    path.write_bytes(b"x: 1\ny: \xff\n")
    done = home.client("vault", "check", path, check=2)
    assert f"{path}:2:4: byte 0xff is not valid UTF-8" in done.stderr


def test_types_and_misspelt_keys(home, ready):
    said = check(home, "agent.default_docker.image: 5\nagnet.x: 1\n")
    assert "new.conf:1:29: warning: agent.default_docker.image takes text" in said
    assert "new.conf:2:1: warning: ClearML knows no key agnet" in said


def test_with_refuse_an_ill_typed_text_is_broken(home, ready):
    home.settings(FAST + "[resolve]\ntypes = refuse\n")
    ready.reload()
    assert "takes text" in check(home, "agent.default_docker.image: 5\n", code=1)


def test_secrets_are_hidden(home, ready):
    text = f"agent.git_pass: other-{SECRET}\ncopy: ${{agent.git_pass}}\n"
    said = check(home, text)
    assert SECRET not in said and "changed agent.git_pass" in said
    assert f"other-{SECRET}" in check(home, text, "--reveal")


def test_a_secret_in_a_key_is_hidden(home, ready):
    for text in f'"{SECRET}": 1\n', f'k {{ "x{SECRET}" {{ a: 1 }} }}\n':
        said = check(home, text)
        assert SECRET not in said and "****" in said
        assert SECRET in check(home, text, "--reveal")


def test_it_sees_what_vaults_see(home, ready):
    home.settings(FAST + "[local]\nvault_environment = HOME\n")
    ready.reload()
    said = check(home, "h: ${?HOME}\np: ${?PATH}\n")
    assert str(home.path) in said and "added p" not in said


def test_as_json(home, ready):
    answer = json.loads(check(home, "x: 3\n", "--json"))
    assert answer["changes"] == [{"path": "x", "kind": "changed", "old": 2, "new": 3}]
    assert answer["warnings"] == [] and "problem" not in answer
    assert json.loads(check(home, "x: [\n", "--json", code=1))["problem"]["line"] == 2


def test_the_log_tells_of_what_is_served_alone(home, server, ready):
    server.state.set_vaults(["x: 1\ny: 1", "x: ["])
    last = [one for one in ready.workspace()["layers"] if one["layer"] == "vault"][-1]
    ready.wait_layer(last["source"], "broken")
    before = ready.log().count("event=layer-")
    check(home, "x: [\n", code=1)
    check(home, "x: [\n", "--replaces", last["source"], code=1)
    check(home, "x: [", "--replaces", last["source"], code=1)
    check(home, "agnet.x: 1\n")
    assert ready.log().count("event=layer-") == before


@pytest.mark.parametrize("text", ["a: ${b}\nb: ${a}\n", "[" * 5000, "\x00\x01", "x: ${nothing}\n"])
def test_hostile_texts_are_answered(home, ready, text):
    answer = ready.call("CheckVault", text=text)
    assert "problem" in answer and answer["changes"] == []
    assert ready.get("x") == 2


def test_a_text_that_is_too_long_is_told_as_such(home, ready):
    text = "environment { A: 1 }\n" + 'k: "environment"\n' * 12000
    assert "new.conf is too long to be checked" in home.client(
        "vault", "check", home.write("new.conf", text), check=2).stderr
    with pytest.raises(VarlinkError) as refused:
        ready.call("CheckVault", text=text)
    assert refused.value.parameters == {"parameter": "message"}
    check(home, "# " + "x" * 190000 + "\n")


def test_parameters(ready):
    for wrong in {"format": "xml"}, {"replaces": "none"}:
        with pytest.raises(VarlinkError) as refused:
            ready.call("CheckVault", text="x: 1", **wrong)
        assert refused.value.parameters["parameter"] == next(iter(wrong))


def test_it_needs_the_right_to_secrets(home, strangers):
    """Who may try texts on secrets finds them."""
    home.settings(f"[access]\nread = {STRANGER}\n")
    home.conf(f"agent.git_pass: {SECRET}\n")
    with Daemon(home, "--socket", strangers.socket):
        assert strangers.call(STRANGER, "Get")["masked"]
        with pytest.raises(VarlinkError) as refused:
            strangers.call(STRANGER, "CheckVault", text="x: ${agent.git_pass}")
        assert refused.value.parameters["right"] == "secrets"
