"""Keys and types that are not ClearML's, in files and vaults, as [resolve] types says."""

import json

import pytest

from harness import FAST, ROOT, wait_until

jsonschema = pytest.importorskip("jsonschema", "4.0")

ILL = "agent.default_docker.image: 5\n"
SAID = "agent.default_docker.image takes text; this is a number"
OFFICIAL = sorted((ROOT / "tests/corpus/official").glob("*.expected.json"))


def layer(daemon, name):
    return next(one for one in daemon.workspace()["layers"] if one["layer"] == name and one["state"] != "missing")


def test_check_names_the_line(home):
    home.conf("agent {\n  default_docker.image: 5\n  worker_nam: x\n}\n")
    done = home.daemon("--check")
    assert done.returncode == 0
    assert f"clearml.conf:2:25: warning: {SAID}" in done.stdout
    assert "clearml.conf:3:3: warning: ClearML knows no key agent.worker_nam" in done.stdout


def test_status_explain_and_doctor_tell_of_a_live_file(home, daemon):
    home.conf("k: 1\n")
    daemon.start()
    home.conf("k: 2\n" + ILL + "agent.vcs_cache.enabled: \"false\"\n")
    daemon.wait_value("k", 2)
    told = layer(daemon, "file")
    assert told["state"] == "ok" and (told["line"], told["column"]) == (2, 29)
    assert told["error"].startswith(SAID) and "1 more" in told["error"]
    assert SAID in home.client("explain", "agent.default_docker.image").stdout
    assert SAID in home.client("doctor").stdout
    odd = [line for line in daemon.log().splitlines() if "event=layer-odd" in line]
    assert odd and not any("default_docker" in line for line in odd)


def test_with_refuse_the_last_good_text_goes_on(home, daemon):
    home.settings("[resolve]\ntypes = refuse\n")
    home.conf("k: 1\n")
    daemon.start()
    home.conf("k: 2\n" + ILL)
    wait_until(lambda: layer(daemon, "file")["state"] == "broken", "the refusal")
    assert daemon.get("k") == 1 and SAID in layer(daemon, "file")["error"]
    home.conf("k: 3\nagent.worker_nam: x\n")  # a misspelt key alone breaks nothing
    daemon.wait_value("k", 3)
    assert layer(daemon, "file")["state"] == "ok"


def test_a_reload_looks_at_vaults_again(home, daemon, server, conf):
    home.settings(FAST)
    home.conf(conf(""))
    server.state.set_vaults(["v: 1\n" + ILL])
    daemon.start()
    daemon.wait_value("v", 1)
    for policy, state, said in (("refuse", "broken", SAID), ("off", "ok", ""), ("warn", "ok", SAID)):
        home.settings(FAST + f"[resolve]\ntypes = {policy}\n")
        daemon.reload()
        vault = layer(daemon, "vault")
        assert vault["state"] == state and said in vault.get("error", "") and daemon.get("v") == 1
        assert said or "error" not in vault


def test_with_off_nobody_looks(home, daemon):
    home.settings("[resolve]\ntypes = off\n")
    home.conf(ILL)
    daemon.start()
    assert "error" not in layer(daemon, "file")
    assert SAID not in home.daemon("--check").stdout


def test_a_bad_vault_beside_good_ones(home, daemon, server, conf):
    home.settings(FAST + "[resolve]\ntypes = refuse\n")
    home.conf(conf(""))
    server.state.set_vaults(["v: 1", "w: 1"])
    daemon.start()
    daemon.wait_value("w", 1)
    server.state.set_vaults(["v: 2\n" + ILL, "w: 2"])
    daemon.wait_value("w", 2)
    assert daemon.get("v") == 1
    assert SAID in layer(daemon, "vault")["error"]


def test_variables_are_texts_whatever_they_are_for(home, daemon):
    home.conf("k: 1\n")
    daemon.env["CLEARML_AGENT__AGENT__VCS_CACHE__ENABLED"] = "false"
    daemon.start()
    assert not [one for one in daemon.workspace()["layers"] if "error" in one]


def schema(home):
    return json.loads(home.daemon("--schema").stdout)


def test_the_schema_is_one(home):
    jsonschema.Draft202012Validator.check_schema(schema(home))


@pytest.mark.parametrize("path", OFFICIAL, ids=lambda path: path.name)
def test_official_files_are_valid(home, path):
    expected = json.loads(path.read_text())
    jsonschema.Draft202012Validator(schema(home)).validate(expected)


@pytest.mark.parametrize("tree", [
    {"agent": {"default_docker": {"image": 5}}},
    {"agent": {"package_manager": {"type": "pipx"}}},
    {"sdk": {"aws": {"s3": {"credentials": [{"bucket": ["a"]}]}}}},
    {"sdk": {"metrics": {"images": {"quality": 101}}}},
    {"api": {"api_server": "localhost:8008"}},
    {"agent": {"vcs_cache": {"enabled": "false"}}},
    {"agent": []},
])
def test_the_schema_refuses_what_check_warns_of(home, tree):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema(home)).validate(tree)
    home.write("ill.json", json.dumps(tree))
    assert " takes " in home.daemon("--check", str(home.path / "ill.json")).stdout
