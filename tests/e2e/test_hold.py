"""Hold, release, diff: what is served stays, or goes back, whatever comes, by the daemon itself."""

import json
import re
import signal
import subprocess
import threading
import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import CLIENT, FAST, Held, wait_until
from varlink import VarlinkError

STRANGER = 65533
OLD, NEW = "s3cr3t-4711-of-old", "s3cr3t-0815-of-new"


@pytest.fixture
def ready(home, server, daemon, conf):
    home.settings(FAST)
    home.conf(conf("a: 1\nfrom_environment: ${?TEAM}\n"))
    server.state.set_vaults(["v: 1"])
    daemon.start()
    daemon.wait_value("v", 1)
    daemon.wait_state("ready")
    return daemon


def kept(home):
    return home.path / "state" / "clearconf" / "default.hold"


def hold(home, *words, code=0):
    done = home.client("hold", *words)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout + done.stderr


def held(daemon):
    return daemon.workspace().get("hold")


def release(home):
    assert "released: " in home.client("release", check=0).stdout


def whole(daemon):
    with daemon.connect() as line:
        line.send("io.clearconf.Get", {})
        return re.search(rb'"value": *(.*)\}\}\x00?$', line.receive_raw(), re.S)[1]


def differs(daemon, yes=True):
    wait_until(lambda: held(daemon)["differs"] == yes, "what is kept back")


# --- what is served stays ---


def test_whatever_comes(home, ready, server, conf):
    before = whole(ready)
    said = hold(home, "--reason", "the image does not start")
    assert re.fullmatch(r"generation \d+ is held for . s, until it is released, by uid \d+: "
                        "the image does not start\n", said)
    generation = ready.status()["generation"]
    home.conf(conf("a: 2\n"))
    differs(ready)
    server.state.set_vaults(["v: 2", "w: 1"])
    wait_until(lambda: len([x for x in ready.workspace()["layers"] if x["layer"] == "vault"]) == 2,
               "the layers as they are")
    home.settings(FAST + "[lock]\nkeys = a\n")
    ready.reload()
    assert whole(ready) == before and ready.status()["generation"] == generation
    assert ready.workspace()["hold"]["generation"] == generation
    release(home)
    assert (ready.get("a"), ready.get("v"), ready.get("w")) == (2, 2, 1)
    assert [one["cause"] for one in ready.call("History")["generations"]][0] == "release"


def test_every_question_is_answered_from_it(home, ready, server, conf):
    server.state.set_vaults(["v: 1", "sdk.aws.s3 { key: AKIA1, secret: one-secret-1 }"])
    ready.wait_value("sdk.aws.s3.key", "AKIA1")
    hold(home, "--reason", "x")
    generation = ready.status()["generation"]
    home.conf(conf("a: 2\nmore: ${?TEAM}\n"))
    server.state.set_vaults(["sdk.aws.s3 { key: AKIA2, secret: two-secret-2 }"])
    differs(ready)
    wait_until(lambda: held(ready).get("revoked_vaults") == ["vault 2"], "the vault is gone")
    for view in ("served", "merged", "live"):
        assert ready.get("a", view=view) == 1
    assert ready.get("from_environment", environment={"TEAM": "blue"}) == "blue"
    with pytest.raises(VarlinkError):
        ready.get("more", environment={"TEAM": "blue"})
    [leaf] = ready.call("Explain", path="a")["leaves"]
    assert leaf["value"] == 1
    assert ready.call("Explain", path="v")["leaves"][0]["origin"]["layer"] == "vault"
    for more in ({}, {"environment": {"A": "b"}}):
        storage = ready.call("ResolveStorage", uri="s3://bucket/x", reveal=True, **more)["storage"]
        assert storage["settings"]["key"] == "AKIA1"
    update = ready.call("Watch", since=generation - 1)
    assert update["held"] == generation and update["generation"] == generation
    assert "a: 1" in home.client("dump", "--format", "yaml", check=0).stdout
    done = home.client("exec", "--", "sh", "-c", "grep -c AKIA1 $CLEARML_CONFIG_FILE", check=0)
    assert done.stdout.strip() == "1"


def test_who_watches_is_told(home, ready, conf):
    with ready.connect() as line:
        line.send("io.clearconf.Watch", {"states": True}, more=True)
        assert "held" not in line.receive()
        hold(home, "--reason", "x")
        told = line.receive()
        assert told["held"] == told["generation"] and told["changes"] == []
        home.conf(conf("a: 2\n"))
        differs(ready)
        release(home)
        told = line.receive()
        assert "held" not in told and [one["path"] for one in told["changes"]] == [
            "a", "from_environment"][:len(told["changes"])]
        hold(home, "--reason", "x", str(told["generation"] - 1))
        told = line.receive()
        assert told["held"] == told["generation"] - 2 and told["changes"]


def test_a_watch_for_people_says_so(home, ready):
    watch = subprocess.Popen([CLIENT, "watch"], env=home.env, text=True, stdout=subprocess.PIPE)
    assert "state ready" in watch.stdout.readline()
    hold(home, "--reason", "x")
    assert re.fullmatch(r"\d+ .* held generation \d+\n", watch.stdout.readline())
    release(home)
    assert re.fullmatch(r"\d+ .* released what comes is served again\n", watch.stdout.readline())
    watch.terminate()
    watch.wait()


def test_status_metrics_and_log_say_so(home, ready, conf):
    hold(home, "--reason", "because", "--for", "2h")
    home.conf(conf("a: 2\n"))
    differs(ready)
    generation = ready.status()["generation"]
    said = home.client("status", check=0).stdout
    assert f"generation {generation} is held" in said and "for another" in said
    assert ": because\n" in said and "other values wait" in said
    metrics = home.client("status", "--openmetrics", check=0).stdout
    assert 'clearconf_workspace_held{workspace="default"} 1\n' in metrics
    assert f'clearconf_workspace_held_generation{{workspace="default"}} {generation}\n' in metrics
    assert 'clearconf_workspace_held_differs{workspace="default"} 1\n' in metrics
    assert "because" in home.client("hold", check=0).stdout
    assert "event=held" in ready.log() and "reason=because" in ready.log()
    assert 7100 < held(ready)["until"] - time.time() < 7300
    release(home)
    assert 'clearconf_workspace_held{workspace="default"} 0\n' in home.client(
        "status", "--openmetrics", check=0).stdout
    assert home.client("hold", check=0).stdout == "workspace default: nothing is held\n"
    assert "event=released" in ready.log()


def test_one_without_vaults_says_so_also_when_they_are_in(home, server, daemon, conf):
    home.settings(FAST)
    home.conf(conf("a: 1\n"))
    server.state.set_vaults(["v: 1"])
    with Held(server, "users.get_vaults"):
        daemon.start()
        hold(home, "--reason", "too early")
    differs(daemon)
    daemon.wait_state("ready")
    done = home.client("--timeout", "0.1", "dump", "-o", home.path / "out", "--require-vaults", check=6)
    assert "what is held was served without them (the server has not answered yet): " \
        "'clearconf release' ends that" in done.stderr
    release(home)
    home.client("dump", "-o", home.path / "out", "--require-vaults", check=0)


# --- an older generation ---


def test_back_byte_for_byte_and_over_a_restart(home, ready, conf):
    first = ready.status()["generation"]
    before = whole(ready)
    home.conf(conf("a: 2\n"))
    ready.wait_value("a", 2)
    hold(home, str(first), "--reason", "back")
    assert whole(ready) == before
    assert ready.status()["generation"] > first + 1
    newest = ready.call("History")["generations"][0]
    assert newest["cause"] == "hold" and [x["path"] for x in newest["changes"]] == ["a"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        ready.stop(number)
        ready.start()
        assert whole(ready) == before and held(ready)["generation"] == first
        assert ready.call("Get", require_vaults=True)["value"]["a"] == 1
    differs(ready)
    release(home)
    ready.wait_value("a", 2)
    assert not kept(home).exists()
    ready.stop()
    ready.start()
    ready.wait_value("a", 2)


def test_back_to_what_an_earlier_process_served(home, ready, conf):
    first, before = ready.status()["generation"], whole(ready)
    home.conf(conf("a: 2\n"))
    ready.wait_value("a", 2)
    ready.stop()
    home.conf(conf("a: 3\n"))
    ready.start()
    ready.wait_value("a", 3)
    wait_until(lambda: first in [one["generation"] for one in ready.call("History")["generations"]],
               "the history")
    assert home.client("diff", str(first), check=1).stdout.startswith("changed a 1 -> 3")
    hold(home, str(first), "--reason", "back")
    assert whole(ready) == before
    assert ready.get("from_environment", environment={"TEAM": "blue"}) == "blue"
    ready.stop()
    ready.start()
    assert whole(ready) == before and held(ready)["generation"] == first


def test_one_that_is_not_there(home, ready):
    for generation in ("999999", "0"):
        said = hold(home, generation, "--reason", "x", code=3)
        assert "there is no generation " + generation in said and "begins with 1" in said
        assert "clearconf log" in said
        assert "there is no generation" in home.client("diff", generation, check=3).stderr
    assert held(ready) is None and not kept(home).exists()


def test_one_that_fell_out_of_the_history(home, server, daemon, conf):
    home.settings(FAST + "[limits]\nhistory = 2\n")
    home.conf(conf("a: 0\n"))
    daemon.start()
    for i in range(1, 5):
        home.conf(conf(f"a: {i}\n"))
        daemon.wait_value("a", i)
    with pytest.raises(VarlinkError) as caught:
        daemon.call("Hold", reason="x", generation=1)
    assert caught.value.name == "io.clearconf.UnknownGeneration"
    oldest = caught.value.parameters["oldest"]
    assert daemon.call("Hold", reason="x", generation=oldest)["hold"]["generation"] == oldest


# --- differences ---


def test_diff(home, ready, conf):
    first = ready.status()["generation"]
    assert home.client("diff", check=0).stdout == ""
    home.conf(conf("a: 2\nagent.git_pass: " + OLD + "\n"))
    ready.wait_value("a", 2)
    second = ready.status()["generation"]
    said = home.client("diff", str(first), check=1).stdout
    assert "changed a 1 -> 2 (file:" in said and 'added agent.git_pass "****"' in said
    assert home.client("diff", str(first), str(second), check=1).stdout == said
    assert "changed a 2 -> 1" in home.client("diff", str(second), str(first), check=1).stdout
    assert home.client("diff", str(second), check=0).stdout == ""
    assert OLD in home.client("diff", str(first), "--reveal", check=1).stdout
    answer = json.loads(home.client("diff", str(first), "--json", check=1).stdout)
    assert (answer["old"], answer["new"]) == (first, second)
    hold(home, "--reason", "x")
    home.conf(conf("a: 3\n"))
    differs(ready)
    answer = json.loads(home.client("diff", "--json", check=1).stdout)
    assert answer["old"] == second and "new" not in answer
    assert {one["path"]: one.get("new") for one in answer["changes"]}["a"] == 3
    assert "no generation: " in home.client("diff", "x", check=2).stderr
    with pytest.raises(VarlinkError):
        ready.call("Diff", new=first)


def test_a_vault_is_tried_on_what_would_be_served(home, ready, conf):
    hold(home, "--reason", "x")
    home.conf(conf("a: 2\n"))
    differs(ready)
    said = home.client("vault", "check", home.write("new.conf", "a: 3\n"), check=0).stdout
    assert said == "changed a 2 -> 3\n"


# --- revoked meanwhile ---


def test_revoked_secrets_are_told(home, ready, server, conf):
    server.state.set_vaults([f"team.secret: {OLD}", "gone: 1"])
    ready.wait_value("gone", 1)
    hold(home, "--reason", "x")
    server.state.set_vaults([f"team.secret: {NEW}"])
    wait_until(lambda: held(ready).get("revoked") == 1, "the secret is another")
    assert held(ready)["revoked_secrets"] == ["team.secret"]
    for said in (home.client("hold", check=0).stdout, home.client("status", check=0).stdout):
        assert "1 secret is served that is revoked: team.secret" in said
        assert "vaults are served that are gone: vault 2" in said
    assert re.search("event=held-and-revoked .*secrets=1 vaults=1", ready.log())
    assert 'held_revoked{workspace="default"} 1\n' in home.client(
        "status", "--openmetrics", check=0).stdout
    # Neither the old nor the new one is told to who may not see them.
    for said in (json.dumps(ready.call("Diff")), json.dumps(ready.get("", mask=True))):
        assert OLD not in said and NEW not in said


def test_a_refused_login_and_lapsed_vaults(home, server, daemon, conf):
    home.settings(FAST + "revoked_grace = 1s\n")
    home.conf(conf("a: 1\n"))
    server.state.set_vaults([f"team.secret: {OLD}"])
    daemon.start()
    daemon.wait_value("team.secret", OLD)
    hold(home, "--reason", "x")
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()
    wait_until(lambda: held(daemon).get("revoked_vaults") == ["vault 1"], "the lapse")
    assert daemon.get("team.secret") == OLD
    assert "refused" in home.client("status", check=0).stdout
    assert daemon.call("Get", require_vaults=True)["value"]["team"]["secret"] == OLD
    release(home)
    with pytest.raises(VarlinkError):
        daemon.get("team.secret")


def test_doctor_mentions_it(home, ready, server):
    server.state.set_vaults([f"team.secret: {OLD}"])
    ready.wait_value("team.secret", OLD)
    hold(home, "--reason", "because")
    said = home.client("doctor").stdout
    assert re.search("ok +hold: workspace default holds generation .*: because", said)
    server.state.set_vaults([])
    wait_until(lambda: held(ready).get("revoked") == 1, "the secret is gone")
    assert re.search("warning +hold: workspace default serves 1 secrets and 1 vaults that have been "
                     "revoked", home.client("doctor").stdout)


# --- its time ---


def test_it_ends_by_itself_with_a_warning(home, ready, conf):
    hold(home, "--reason", "x", "--for", "1s")
    home.conf(conf("a: 2\n"))
    ready.wait_value("a", 2)
    assert re.search("level=warning event=hold-ended .*its time is over", ready.log())
    wait_until(lambda: not kept(home).exists(), "the file is gone")


def test_it_ends_while_the_daemon_is_down(home, ready, conf):
    hold(home, "--reason", "x", "--for", "1s")
    ready.stop()
    home.conf(conf("a: 2\n"))
    time.sleep(1.1)
    ready.start()
    ready.wait_value("a", 2)
    assert "its time is over" in ready.log()
    assert all(one["cause"] != "hold" for one in ready.call("History")["generations"])


# --- what is no hold ---


@pytest.mark.parametrize("text", [b"", b"x", b"clearconf-hold 1 ", b"\0" * 100])
def test_a_damaged_file(home, ready, conf, text):
    hold(home, "--reason", "x")
    ready.stop()
    kept(home).write_bytes(text)
    home.conf(conf("a: 2\n"))
    ready.start()
    ready.wait_value("a", 2)
    assert "event=hold-not-used" in ready.log() and "it holds nothing, and is now" in ready.log()
    assert kept(home).with_name("default.hold.bad").read_bytes() == text
    hold(home, "--reason", "again")


def test_a_file_of_another_login(home, ready, server, conf):
    server.state.set_vaults([f"team.secret: {OLD}"])
    ready.wait_value("team.secret", OLD)
    hold(home, "--reason", "x")
    ready.stop()
    home.conf(conf("a: 2\n").replace(ACCESS_KEY, "ANOTHERKEY1234567890"))
    ready.start()
    ready.wait_value("a", 2)
    assert "made for another access key" in ready.log()
    with pytest.raises(VarlinkError):
        ready.get("team.secret")


def test_where_nothing_can_be_written(home, ready, conf):
    state = home.path / "state" / "clearconf"
    state.rename(state.with_name("away"))
    state.write_text("no folder")
    said = hold(home, "--reason", "x", code=1)
    assert "the file of the hold cannot be written: Not a directory" in said
    assert held(ready) is None
    home.conf(conf("a: 2\n"))
    ready.wait_value("a", 2)


def test_wrong_words(home, ready):
    assert "say why by --reason" in hold(home, "1", code=2)
    assert "say why by --reason" in hold(home, "--for", "1h", code=2)
    assert "no generation" in hold(home, "one", "--reason", "x", code=2)
    for words in (["--reason", " "], ["--reason", "x\ny"], ["--reason", "x" * 1025],
                  ["--reason", "x", "--for", "0"]):
        assert "a reason is one line" in hold(home, *words, code=2)
    assert "--for takes" in hold(home, "--reason", "x", "--for", "4000d", code=2)
    assert home.client("release", check=0).stdout.startswith("nothing was held: ")


def test_many_at_once(ready):
    """Each is held, or told that another one is under way."""
    outcomes = []

    def ask(i):
        try:
            outcomes.append(ready.call("Hold", reason=f"reason {i}")["hold"]["reason"])
        except VarlinkError as error:
            assert "under way" in error.parameters["reason"]
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert outcomes and held(ready)["reason"] in outcomes


def test_rights(home, server, conf, strangers, daemon):
    home.settings(f"[daemon]\nsocket = {strangers.socket}\n" + FAST +
                  f"[access]\nread = {STRANGER}\n")
    home.conf(conf(f"agent.git_pass: {OLD}\n"))
    home.socket = daemon.socket = strangers.socket
    daemon.start()
    for method, parameters in (("Hold", {"reason": "x"}), ("Release", {}),
                               ("Diff", {"reveal": True})):
        with pytest.raises(VarlinkError) as caught:
            strangers.call(STRANGER, method, **parameters)
        assert caught.value.name == "io.clearconf.AccessDenied"
    assert strangers.call(STRANGER, "Diff")["changes"] == []
    assert OLD not in json.dumps(strangers.call(STRANGER, "Diff", old=1))
    hold(home, "--socket", strangers.socket, "--reason", f"not {OLD}")  # who may read it may not see secrets
    assert strangers.call(STRANGER, "ListWorkspaces")["workspaces"][0]["hold"]["reason"] == "not ****"


def test_a_daemon_that_only_prints_holds_too(home, ready, conf):
    home.conf(conf(f"a: 1\nagent.git_pass: {OLD}\n"))
    ready.wait_value("agent.git_pass", OLD)
    hold(home, "--reason", f"because of {OLD}")
    ready.stop()
    home.conf("a: [")
    done = home.daemon("--print", "--offline")
    assert done.returncode == 0 and json.loads(done.stdout)["a"] == 1
    assert "which is held (because of ****): 'clearconf release' ends that" in done.stderr
    kept(home).write_bytes(b"x")
    assert home.daemon("--print", "--offline").returncode == 1
    assert kept(home).exists()  # it looks, and changes nothing
    home.conf(conf("a: 1\n"))


# --- several workspaces ---


def test_a_hold_is_of_one_workspace(home, server, daemon):
    home.write("config/clearconf/secret", SECRET_KEY).chmod(0o600)
    workspace = (f"api_server = {server.url}\naccess_key = {ACCESS_KEY}\n"
                 "secret_key_file = secret\n")
    home.settings(FAST + f"[workspace one]\n{workspace}[workspace two]\n{workspace}")
    home.conf("a: 1\n")
    daemon.start()
    daemon.wait_state("ready")
    daemon.call("Hold", reason="x", workspace="two")
    home.conf("a: 2\n")
    daemon.wait_value("a", 2, workspace="one")
    assert daemon.get("a", workspace="two") == 1
    daemon.call("UseWorkspace", name="two")
    assert daemon.get("a") == 1
    said = home.client("hold", check=0).stdout
    assert "workspace one: nothing is held\n" in said and "workspace two: generation" in said
    assert "nothing is held" in home.client("--workspace", "one", "hold", check=0).stdout
    home.client("--workspace", "two", "release", check=0)
    assert daemon.get("a") == 2
    assert "no workspace 'x'" in home.client("--workspace", "x", "hold", check=2).stderr
