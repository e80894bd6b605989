"""Client and AsyncClient have every method of the interface, with the same answers."""

import asyncio
import inspect
import pickle
import socket
import subprocess
import sys
import threading
import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import DEADLINE, INTERFACE, ROOT, Daemon, Held
from test_interface import ready  # noqa: F401

sys.path.insert(0, str(ROOT / "client/python"))

import clearml_clearconf as clearconf  # noqa: E402

SECRET = "the-secret-of-a-vault"
METHODS = {
    "Get": "get", "Explain": "explain", "Watch": "watch", "GetStatus": "status",
    "History": "history", "Reload": "reload", "ListWorkspaces": "workspaces",
    "UseWorkspace": "use_workspace", "ProveCredentials": "prove_credentials",
    "GetToken": "token", "GetProfile": "profile", "GetWorkers": "workers",
    "ReportConsumer": "reporting", "ListCredentials": "credentials",
    "CreateCredentials": "create_credentials", "EditCredentials": "edit_credentials",
    "RotateCredentials": "rotate_credentials", "RevokeCredentials": "revoke_credentials",
    "ListConsumers": "consumers", "ResolveStorage": "storage", "CheckVault": "check_vault",
    "GetArrivals": "arrivals", "TakeArrivals": "take_arrivals", "SkipArrivals": "skip_arrivals",
    "Diff": "diff", "Hold": "hold", "Release": "release",
}


class Awaited:
    """An AsyncClient whose calls are awaited each by itself."""

    def __init__(self, *arguments, **options):
        self.client = clearconf.AsyncClient(*arguments, **options)

    def __getattr__(self, name):
        def call(*arguments, **options):
            return asyncio.run(getattr(self.client, name)(*arguments, **options))
        return call


@pytest.fixture(params=[clearconf.Client, Awaited], ids=["sync", "async"])
def client(request, home):
    return request.param(str(home.socket), workspace="default", timeout=20)


def test_each_method_of_the_interface_has_one():
    assert METHODS.keys() == INTERFACE.methods.keys()
    for name in METHODS.values():
        ours, theirs = (getattr(kind, name) for kind in (clearconf.Client, clearconf.AsyncClient))
        assert inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys()
        assert ours.__doc__ and theirs.__doc__


# The client says which workspace; some are always asked for, or change while it is reported.
NAMED = {"id": "worker"}
NOT_TAKEN = {"Watch": {"documents", "states"},
             "ReportConsumer": {"pending_since", "waiting_for", "bad", "bad_reason"}}


def test_each_takes_what_the_interface_takes():
    for method, name in METHODS.items():
        taken = inspect.signature(getattr(clearconf.Client, name)).parameters.keys()
        wanted = INTERFACE.methods[method][0][1].keys() - {"workspace"} - NOT_TAKEN.get(method, set())
        assert {NAMED.get(each, each) for each in wanted} <= set(taken), method


def test_both_have_the_same_methods():
    ours, theirs = ({name for name in dir(kind) if name[0] != "_"}
                    for kind in (clearconf.Client, clearconf.AsyncClient))
    assert ours - theirs == {"configured", "prepare"} and theirs <= ours


# --- what they answer ---------------------------------------------------------


def test_values(ready, client):  # noqa: F811
    assert client.get("k") == 1 and client.get("none", default=2) == 2
    with pytest.raises(clearconf.PathNotFound):
        client.get("none")
    assert client.get("sdk.x", environment={"A": "b"}, view="merged") == "file"
    [leaf] = client.explain("k", environment={"CLEARML_AGENT__K": "5"})
    assert (leaf.value, leaf.origin.layer) == (5, "env-generic")
    [leaf] = client.explain("k")
    assert (leaf.path, leaf.value, leaf.origin.layer) == ("k", 1, "file")


def test_the_daemon(ready, client):  # noqa: F811
    assert client.status()["state"] == "ready"
    assert [each["name"] for each in client.workspaces() if each["active"]] == ["default"]
    assert client.use_workspace("default") == client.status()["generation"]
    assert client.reload().failed == []
    assert client.call("GetProfile")["workspace"] == client.profile()["workspace"]


def test_a_reload_tells_what_failed(ready, client, home):  # noqa: F811
    home.conf("a = {")
    reload = client.reload()
    assert [each.what for each in reload.failed] == ["layer"] and reload.failed[0].reason


def test_history(ready, client, home):  # noqa: F811
    home.conf("k = 2\n")
    ready.wait_value("k", 2)
    newest = client.history(1, reveal=True)[0]
    change = next(each for each in newest.changes if each.path == "k")
    assert newest.cause == "file" and abs(newest.time - time.time()) < 60
    assert (change.kind, change.old, change.new, str(change.origin)[-4:]) == (
        "changed", 1, 2, ":1:5")


def test_a_hold(ready, client, home):  # noqa: F811
    before = client.status()["generation"]
    home.conf("k = 2\n")
    ready.wait_value("k", 2)
    held = client.hold("a test", before, duration=600)
    assert (held.generation, held.reason, held.differs) == (before, "a test", True)
    assert client.get("k") == 1 and 0 < held.until - time.time() <= 601
    waiting = client.diff(reveal=True)
    assert waiting.new is None and ("k", 1, 2) in [
        (each.path, each.old, each.new) for each in waiting.changes]
    assert client.diff(before, client.release()).changes and client.get("k") == 2
    with pytest.raises(clearconf.UnknownGeneration) as caught:
        client.diff(1 << 50)
    assert caught.value.parameters["oldest"] <= before


def test_storage(ready, client, home):  # noqa: F811
    home.conf('sdk.aws.s3 { key = K, secret = "a-secret-of-ours", credentials = [\n'
              '{ bucket = other, key = O, secret = "another-secret" }] }\n')
    ready.wait_value("sdk.aws.s3.key", "AKIA")  # of the vault
    client.reload()
    found = client.storage("s3://bucket/x", reveal=True)
    assert found.provider == "s3" and found.settings["secret"] == "a-secret-of-ours"
    assert found.rejected[0].reason and found.rejected[0].origin.layer == "file"
    assert client.storage("s3://bucket/x").settings["secret"] == "****"
    with pytest.raises(clearconf.NoStorageMatch):
        client.storage("azure://acc/c/x")


def test_a_vault_that_may_come(ready, client):  # noqa: F811
    found = client.check_vault("k: 2\nagent.default_docker.image: 5\n", format="hocon")
    assert [(one.path, one.new) for one in found.changes if one.path == "k"] == [("k", 2)]
    assert found.problem is None and found.warnings[0].line == 2
    assert client.check_vault("k: [").problem.text


def test_the_server(ready, client):  # noqa: F811
    assert abs(client.prove_credentials() - time.time()) < 60
    token = client.token(600)
    assert token.token.count(".") == 2 and token.api_server.startswith("http://127.0.0.1")
    assert 0 < token.expires_at - time.time() <= 600
    assert client.profile()["user"]["id"]
    assert client.workers() == [] == client.workers("vm:0")


def test_keys(ready, client):  # noqa: F811
    made = client.create_credentials("of a test", lifetime=3600)
    assert made.label == "of a test" and made.secret_key
    assert client.edit_credentials(made.access_key, "another") is True
    known = {each.access_key: each for each in client.credentials()}
    assert known[made.access_key].label == "another" and known[ACCESS_KEY].current
    assert client.revoke_credentials(made.access_key) is True
    rotated = client.rotate_credentials(600)
    assert rotated.old_access_key == ACCESS_KEY and rotated.file.endswith("pair.conf")


def test_rights_are_those_of_who_asks(ready):  # noqa: F811
    """An error is an exception of the same kind to both."""
    for kind in (clearconf.Client, Awaited):
        with pytest.raises(clearconf.UnknownWorkspace) as caught:
            kind(str(ready.socket), workspace="none").get()
        assert str(pickle.loads(pickle.dumps(caught.value))) == "there is no workspace 'none'"


def test_reporting(ready):  # noqa: F811
    client = clearconf.Client(str(ready.socket))
    with client.reporting("notebook", "train.ipynb"):
        [consumer] = client.status()["consumers"]
        assert (consumer["how"], consumer["command"]) == ("notebook", "train.ipynb")

    async def asynchronously():
        ours = clearconf.AsyncClient(str(ready.socket))
        async with ours.reporting("service"):
            return [each["how"] for each in (await ours.status())["consumers"]]
    assert "service" in asyncio.run(asynchronously())


# --- no secrets in what is printed --------------------------------------------


def test_no_repr_shows_a_value(ready, home):  # noqa: F811
    home.conf(f'my.password = "{SECRET}"\nsdk.aws.s3 {{ key = K, secret = "{SECRET}" }}\n')
    ready.wait_value("my.password", SECRET)
    client = clearconf.Client(str(ready.socket), workspace="default")
    made = client.create_credentials()
    token = client.token()
    updates = client.watch(since=1, values=True, reveal=True)
    said = [repr(each) for each in (
        client, clearconf.AsyncClient(str(ready.socket)), made, token, next(updates),
        client.explain(reveal=True), client.history(reveal=True),
        client.storage("s3://bucket/x", reveal=True))]
    updates.close()
    assert said[0] == f"Client(socket='{ready.socket}', workspace='default', timeout=30.0)"
    for secret in (SECRET, SECRET_KEY, made.secret_key, token.token):
        assert secret not in "".join(said)


# --- watching, awaited --------------------------------------------------------


def test_an_awaited_watch_tells_changes_and_survives_a_restart(home):
    home.conf("a = 1\n")

    async def watch():
        said = []
        async for update in clearconf.AsyncClient(str(home.socket)).watch("a", values=True):
            said.append(update.value if update.value is not None
                        else [(each.path, each.new) for each in update.changes])
            if len(said) == 1:
                home.conf("a = 2\n")
            elif said[-1] == [("a", 2)]:
                await asyncio.get_running_loop().run_in_executor(None, restart)
            elif said[-1] in ([("a", 3)], {"a": 3}):
                return said

    def restart():
        daemon.stop()
        home.conf("a = 3\n")
        daemon.start()

    with Daemon(home) as daemon:
        said = asyncio.run(asyncio.wait_for(watch(), DEADLINE))
    assert said[:2] == [{"a": 1}, [("a", 2)]]


def test_many_at_once(ready):  # noqa: F811
    async def ask():
        client = clearconf.AsyncClient(str(ready.socket))
        return await asyncio.gather(*(client.get("k") for _ in range(50)))
    assert asyncio.run(ask()) == [1] * 50


def test_awaiting_ends_in_time(server, home, daemon, conf):
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "auth.login"), pytest.raises(clearconf.TimedOut):
        Awaited(str(home.socket), timeout=0.3).token()


def test_awaiting_can_be_given_up(ready):  # noqa: F811
    async def give_up():
        watch = clearconf.AsyncClient(str(ready.socket)).watch("k")
        await watch.__anext__()
        waiting = asyncio.ensure_future(watch.__anext__())
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await watch.aclose()
    asyncio.run(give_up())


def test_no_daemon_for_the_awaiting(home, tmp_path):
    with pytest.raises(clearconf.NoDaemon, match="no daemon answers on"):
        Awaited(str(tmp_path / "none")).get("a")
    optional = clearconf.AsyncClient(str(tmp_path / "none"), optional=True)

    async def all_of_it():
        assert await optional.get("a", default=1) == 1
        assert [update async for update in optional.watch()] == []
        async with optional.exec_environment({"A": "b"}) as env:
            assert env == {"A": "b"}
        with pytest.raises(clearconf.NoDaemon):
            await optional.status()
    asyncio.run(all_of_it())


def test_what_is_no_daemon(home, tmp_path):
    """Somebody else's Varlink, or none."""
    for answer, error in ((b"junk\0", clearconf.ProtocolError), (b"", clearconf.UnusableDaemon)):
        path = tmp_path / f"sock{len(answer)}"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def serve():
                for _ in range(2):
                    connection = listener.accept()[0]
                    connection.recv(1000)
                    connection.sendall(answer)
                    connection.close()
            thread = threading.Thread(target=serve)
            thread.start()
            for kind in (clearconf.Client, Awaited):
                with pytest.raises(error):
                    kind(str(path), optional=True).get("a", default=1)
            thread.join()


def test_an_awaited_environment_for_a_command(ready, home):  # noqa: F811
    async def start():
        client = clearconf.AsyncClient(str(ready.socket))
        async with client.exec_environment(home.env) as env:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", "head -n 1 $CLEARML_CONFIG_FILE", env=env,
                stdout=subprocess.PIPE)
            return (await process.communicate())[0]
    assert asyncio.run(start()) == b"# written by clearconf\n"
    assert not [path for path in (home.run / "clearconf").iterdir() if path.name.startswith("exec")]
