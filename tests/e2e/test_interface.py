"""The interface: it is valid, every method answers in the shape that it declares, and takes what
it declares. That all replies of all other tests are of that shape is looked after by the harness."""

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, INTERFACE
from idl import Interface
from varlink import VarlinkError


@pytest.fixture
def ready(home, conf, server, daemon):
    server.state.set_vaults(["team.name: reindeer", "sdk.aws.s3.key: AKIA"])
    home.settings(FAST + f"[workspace default]\napi_server = {server.url}\n"
                  "credentials_file = pair.conf\n")
    home.write("config/clearconf/pair.conf", f"api.credentials {{ access_key: {ACCESS_KEY}, "
               f"secret_key: \"{SECRET_KEY}\" }}").chmod(0o600)
    home.conf(conf('k: 1\nsdk.x: file\nbroken: ${?nowhere}'))
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team.name", "reindeer")
    return daemon


# Enough to be answered well.
CALLS = {
    "Get": {"path": "k", "workspace": "default", "environment": {"A": "b"}, "mask": True,
            "view": "merged", "require_vaults": True},
    "Explain": {"path": "sdk", "workspace": "default", "environment": {"A": "b"},
                "reveal": True},
    "Watch": {"paths": ["k"], "workspace": "default", "since": 0, "values": True, "reveal": True,
              "documents": True, "states": True},
    "GetStatus": {},
    "History": {"limit": 5, "workspace": "default", "reveal": True},
    "Reload": {},
    "ListWorkspaces": {},
    "UseWorkspace": {"name": "default"},
    "ProveCredentials": {"workspace": "default"},
    "GetToken": {"workspace": "default", "lifetime": 600},
    "GetProfile": {"workspace": "default"},
    "GetWorkers": {"id": "vm:0", "workspace": "default"},
    "CheckVault": {"text": "k: 2", "format": "yaml", "replaces": "vault 1",
                   "workspace": "default", "reveal": True},
    "GetArrivals": {"workspace": "default", "reveal": True},
    "TakeArrivals": {"revision": "0123456789ab", "workspace": "default"},
    "SkipArrivals": {"revision": "0123456789ab", "workspace": "default"},
    "ListConsumers": {},
    "Diff": {"old": 1, "new": 2, "workspace": "default", "reveal": True},
    "Hold": {"reason": "of a test", "generation": 1, "duration": 60, "workspace": "default"},
    "Release": {"workspace": "default"},
    "ReportConsumer": {"how": "exec", "command": "train.py", "generation": 1, "child": 1,
                       "child_generation": 1, "pending_since": 1,
                       "waiting_for": "its turn", "bad": "left", "bad_reason": "status 1",
                       "workspace": "default"},
    "ListCredentials": {"workspace": "default"},
    "CreateCredentials": {"label": "of a test", "lifetime": 3600, "workspace": "default"},
    "EditCredentials": {"access_key": ACCESS_KEY, "label": "of a test", "workspace": "default"},
    "RotateCredentials": {"grace": 600, "lifetime": 3600, "workspace": "default"},
    "RevokeCredentials": {"access_key": ACCESS_KEY, "force": True, "workspace": "default"},
    "ResolveStorage": {"uri": "s3://bucket/x", "workspace": "default", "reveal": True,
                       "environment": {"A": "b"}},
}
OF_TYPE = {"string": 1, "int": "1", "bool": 1, ("array", "string"): [1], ("map", "string"): {"A": 1}}


def takes(method):
    return INTERFACE.methods[method][0][1]


def test_every_method_is_tried_with_all_that_it_takes():
    assert CALLS.keys() == INTERFACE.methods.keys()
    for method, parameters in CALLS.items():
        assert parameters.keys() == takes(method).keys(), method


@pytest.mark.parametrize("method", CALLS)
def test_a_method_answers_what_it_declares(ready, method):
    if "access_key" in takes(method):
        created = ready.call("CreateCredentials")
        CALLS[method]["access_key"] = created["access_key"]
    with ready.connect() as line:
        line.send("io.clearconf." + method, CALLS[method])
        assert line.receive() is not None  # the harness has judged it
        # With the least of parameters, and null for the others: the same.
        least = {name: CALLS[method][name] if kind[0] != "maybe" else None
                 for name, kind in takes(method).items()}
        if method not in ("RevokeCredentials", "Watch"):
            line.send("io.clearconf." + method, least)
            assert line.receive() is not None


@pytest.mark.parametrize("method", CALLS)
def test_a_method_refuses_what_it_does_not_declare(ready, method):
    def refused(parameters):
        with pytest.raises(VarlinkError) as caught:
            ready.call(method, **parameters)
        assert caught.value.name == "org.varlink.service.InvalidParameter"
        return caught.value.parameters["parameter"]
    assert refused({**CALLS[method], "other": 1}) == "other"
    for name, kind in takes(method).items():
        optional = kind[0] == "maybe"
        kind = kind[1] if optional else kind
        wrong = "another" if kind[0] == "enum" else OF_TYPE[kind]
        assert refused({**CALLS[method], name: wrong}) == name
        assert refused({**CALLS[method], name: {} if wrong == [1] else []}) == name
        if not optional:
            assert refused({key: value for key, value in CALLS[method].items()
                            if key != name}) == name


# --- the reader of interfaces ---


@pytest.mark.parametrize("text", [
    "", "interface a.b method X() -> (", "interface a.b method x() -> ()",
    "interface a.b type T (a: Nowhere)", "interface a.b type T (a: int, b)",
    "interface a.b type T (a: int) type T (b: int)", "interface a.b type T (a: int, a: int)",
    "interface a.b nonsense T ()", "interface a.b method M() - ()",
    "interface a.b error E(a: ?Lost)"])
def test_what_is_no_interface_is_refused(text):
    with pytest.raises((ValueError, IndexError)):
        Interface(text)


def test_a_reply_of_another_shape_is_noticed():
    reply = {"generation": 1, "state": "ready", "masked": True, "value": {}}

    def misfits(**other):
        return INTERFACE.misfits_of_reply("io.clearconf.Get", {"parameters": {**reply, **other}})
    assert misfits() == [] and misfits(stale=3) == [] and misfits(value=[None]) == []
    assert misfits(stale="3") and misfits(generation=True) and misfits(generation=1.5)
    assert misfits(state="fine") and misfits(more=1) and misfits(masked=None)
    assert INTERFACE.misfits_of_reply("io.clearconf.Get", {"parameters": {}})
    assert INTERFACE.misfits_of_reply("io.clearconf.Get", {"error": "io.clearconf.Lost"})
    bad = {"error": "io.clearconf.AccessDenied", "parameters": {"right": 1}}
    assert INTERFACE.misfits_of_reply("io.clearconf.Get", bad)
