"""The recorded cases of ClearML's own behaviour, through the whole daemon.

Each is a home (files, environment) and what the server's vaults say; clearconfd
--print must give what `expect.clearconf` has. Cases come from tests/corpus and,
when it is there, from ../shared, which may hold newer ones.
"""

import json
import os
import pathlib
import subprocess

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import DAEMON, ROOT, Home

SHARED = pathlib.Path(os.environ.get("CLEARCONF_SHARED", ROOT.parent / "shared"))
MODES = ["agent", "sdk"]


def load(folder):
    cases = {}
    for base in (ROOT / "tests/corpus" / folder, SHARED / folder):
        for path in sorted(base.glob("*.json")):
            case = json.loads(path.read_text())
            if isinstance(case, dict) and "expect" in case:
                cases[case.get("name", path.stem)] = case
    return cases


VECTORS = load("vectors")


def exact(value):
    """Integers and floats distinct, the key `env` of the root left out."""
    def tag(x):
        if isinstance(x, dict):
            return {k: tag(v) for k, v in x.items()}
        if isinstance(x, list):
            return [tag(v) for v in x]
        return [type(x).__name__, x]
    if isinstance(value, dict):
        value = {k: v for k, v in value.items() if k != "env"}
    return tag(value)


@pytest.fixture(scope="module")
def vault_server():
    with ClearMLServer(port=0, edition="enterprise") as server:
        yield server


def materialise(home, case):
    for name, text in (case.get("files") or {}).items():
        text = text.replace("@HOME@", str(home.path))
        data = bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()
        home.write(name, data)


def set_vaults(server, case):
    vaults = []
    for kind, key in (("config", "vaults"), ("monitoring", "monitoring_vaults")):
        for vault in case.get(key) or []:
            vaults.append({"type": kind, "enabled": True, "scope": "user", **vault})
    server.state.set_vaults(vaults, raw=True)
    return bool(vaults)


def run(home, case, mode, server):
    arguments = [DAEMON, "--user", "--print", "--mode", mode]
    if set_vaults(server, case):
        home.write("settings/secret", SECRET_KEY)
        home.write("settings/clearconfd.conf",
                   f"[workspace test]\napi_server = {server.url}\n"
                   f"access_key = {ACCESS_KEY}\nsecret_key_file = secret\n"
                   "inject = no\n")
        arguments += ["--config", home.path / "settings/clearconfd.conf"]
    env = dict(home.env)
    for name, value in (case.get("env") or {}).items():
        env[name] = value.replace("@HOME@", str(home.path))
    return subprocess.run(arguments, env=env, cwd=home.path / "cwd", timeout=60,
                          capture_output=True, text=True)


@pytest.mark.parametrize("name, mode", [
    (name, mode) for name in sorted(VECTORS) for mode in MODES
    if VECTORS[name]["expect"]["clearconf"].get(mode) is not None])
def test_vector(name, mode, tmp_path, vault_server):
    case = VECTORS[name]
    expected = case["expect"]["clearconf"][mode]
    home = Home(tmp_path / "home")
    materialise(home, case)
    done = run(home, case, mode, vault_server)
    if expected == {"error": True}:
        assert done.returncode == 1, done.stdout
        assert done.stderr.strip(), "an error that says nothing"
        return
    assert done.returncode == 0, done.stderr
    text = json.dumps(expected).replace("@HOME@", str(home.path))
    assert exact(json.loads(done.stdout)) == exact(json.loads(text))


# ClearML's own files are not ours to copy; what its code reads from them is.
OFFICIAL = sorted((SHARED / "official").glob("*.conf"))
EXPECTED = ROOT / "tests/corpus/official"
needs_official = pytest.mark.skipif(
    not OFFICIAL, reason="no files of ClearML's: CLEARCONF_SHARED names no folder with them")


@needs_official
@pytest.mark.parametrize("path", OFFICIAL or [None], ids=[p.stem for p in OFFICIAL] or ["none"])
def test_official_file(path, tmp_path):
    """ClearML's own sample and default files, with the values it reads."""
    expected = json.loads((EXPECTED / (path.stem + ".expected.json")).read_text())
    home = Home(tmp_path / "home")
    home.write("clearml.conf", path.read_bytes())
    assert exact(home.resolve("--mode", "sdk")) == exact(expected)


OVER_DEFAULTS = sorted((SHARED / "official").glob("*.vector.json"))


@needs_official
@pytest.mark.parametrize("path", OVER_DEFAULTS or [None],
                         ids=[p.name.split("-")[0] for p in OVER_DEFAULTS] or ["none"])
def test_official_file_over_defaults_and_vault(path, tmp_path, vault_server):
    """ClearML's sample over the defaults of its package, and a vault over both."""
    case = json.loads(path.read_text())
    mode = path.name.split("-")[0]
    expected = json.loads(
        (EXPECTED / path.name.replace(".vector.", ".expected.")).read_text())
    home = Home(tmp_path / "home")
    materialise(home, case)
    for default in path.parent.glob(f"{mode}-default-*.conf"):
        stem = default.name[len(f"{mode}-default-"):]
        home.write(f"package/default/{stem}", default.read_bytes())
    case["env"]["CLEARML_CONFIG_PATH"] = "~/package"
    done = run(home, case, mode, vault_server)
    assert done.returncode == 0, done.stderr
    assert exact(json.loads(done.stdout)) == exact(expected)


def test_there_are_cases():
    assert len(VECTORS) > 200
    if SHARED.is_dir():
        assert len(OFFICIAL) >= 12 and len(OVER_DEFAULTS) == 2
