"""What a host tells of itself through etcd: one real node, whole daemons."""

import itertools
import json
import re
import socket
import time

import pytest
from etcd import STATE, Node, coded
from harness import Daemon, Home, wait_until
from host import Host, library, needs_shim  # noqa: F401

HOST = socket.gethostname()
SETTINGS = """\
[poll]
timeout = 3s
[site]
etcd = {etcd}
probe = 100ms
report = yes
report_lease = 5s
{more}
"""


@pytest.fixture
def serve(tmp_path, ending):
    """Start a daemon with these settings in a home of its own."""
    homes = itertools.count()

    def start(etcd, more="", *arguments, conf="", **options):
        home = Home(tmp_path / f"home{next(homes)}")
        home.settings(SETTINGS.format(etcd=etcd.url, more=more))
        if conf:
            home.conf(conf)
        return ending.enter_context(Daemon(home, *arguments, **options))
    return start


def entry(etcd, host=HOST):
    """etcd's key with its times; None: there is none."""
    kvs = etcd.call("kv/range", key=coded(STATE + host)).get("kvs")
    return kvs and kvs[0]


def report(etcd, host=HOST):
    text = etcd.get(host, STATE)
    return text and json.loads(text)


def wait_report(etcd, condition, what):
    def there():
        told = report(etcd)
        return told and condition(told) and told
    return wait_until(there, what)


def told(daemon):
    """What status says of it."""
    return daemon.status()["site"].get("report", {})


def wait_told(daemon, state):
    return wait_until(lambda: told(daemon).get("state") == state and told(daemon),
                      f"a report that is {state}")


def digest(told):
    return told["workspaces"][0]["digest"]


# --- what is told -------------------------------------------------------------

def test_a_host_tells_what_it_has(etcd, serve):
    revision = etcd.put("10-base.conf", "a.b: 1")
    daemon = serve(etcd, "groups = gpu lab", conf='agent { git_user: "me" }\n')
    it = wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
    assert it["format"] == 1 and it["host"] == HOST and it["groups"] == ["gpu", "lab"]
    assert it["version"] == daemon.status()["version"]
    assert re.fullmatch("[0-9a-f]{32}", it["machine"]) and re.fullmatch("[0-9a-f]{16}", it["run"])
    assert abs(it["time"] - time.time()) < 60 and abs(it["started"] - time.time()) < 60
    assert it["state"] == "ready" and "clock" not in it and "problem" not in it
    assert it["site"] == {"state": "ready", "revision": revision, "count": 1, "documents": [
        {"name": "10-base.conf", "revision": revision}]}
    workspace, = it["workspaces"]
    assert workspace["name"] == "default" and workspace["active"]
    assert workspace["state"] == "ready" and not workspace["keyed"]
    assert workspace["generation"] == daemon.status()["generation"]
    assert re.fullmatch("[0-9a-f]{32}", workspace["digest"])
    assert set(workspace["paths"]) >= {"a.b", "agent.git_user"}
    assert it["consumers"] == {"count": 0, "behind": 0}
    assert int(entry(etcd)["lease"])
    assert wait_told(daemon, "kept") == {"key": STATE + HOST, "state": "kept"}


def test_without_the_setting_nothing_is_told(etcd, serve):
    etcd.put("10-base.conf", "a: 1")
    daemon = serve(etcd)
    wait_report(etcd, lambda told: True, "a report")
    etcd.clear(STATE)
    daemon.home.settings(SETTINGS.format(etcd=etcd.url, more="").replace("report = yes", ""))
    daemon.reload()
    assert "report" not in daemon.status()["site"]
    etcd.put("10-base.conf", "a: 2")
    daemon.wait_value("a", 2)
    assert not entry(etcd)


def test_vaults_that_are_not_served_are_told(etcd, serve, server, conf):
    server.state.set_vaults(["v: 1"])
    daemon = serve(etcd, "[change]\nstage = 0.01 % for 1d\n[poll]\ninterval = 150ms\n", conf=conf())
    wait_report(etcd, lambda told: told["workspaces"][0].get("paths", {}).get("v"), "the vault")
    server.state.set_vaults(["v: 2"])
    it = wait_report(etcd, lambda told: told["workspaces"][0].get("waiting"), "that it waits")
    waiting, = daemon.workspace()["arriving"]
    assert it["workspaces"][0]["waiting"] == [waiting["revision"]]
    daemon.home.client("change", "skip", check=0)
    it = wait_report(etcd, lambda told: told["workspaces"][0].get("skipped"), "that it was skipped")
    assert "waiting" not in it["workspaces"][0]
    daemon.home.client("change", "now", check=0)
    wait_report(etcd, lambda told: not told["workspaces"][0].keys() & {"waiting", "skipped"}, "the end")


def test_a_change_is_told_and_nothing_else(etcd, serve):
    etcd.put("10-base.conf", "a: 1")
    serve(etcd)
    before = wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
    revision = etcd.put("10-base.conf", "a: 2")
    after = wait_report(etcd, lambda told: told["site"]["revision"] == revision, "the change")
    assert digest(after) != digest(before)
    assert after["workspaces"][0]["paths"] != before["workspaces"][0]["paths"]
    assert after["run"] == before["run"] and after["started"] == before["started"]
    etcd.put("groups/none/10.conf", "a: 3")
    etcd.put("10-base.conf", "a: 2 # the same\n")
    wait_report(etcd, lambda told: told["site"]["revision"] > revision, "the text")
    etcd.delete("10-base.conf")
    last = wait_report(etcd, lambda told: told["site"]["count"] == 0, "the deletion")
    assert last["site"]["revision"] > revision


def test_at_rest_the_lease_is_renewed_and_nothing_written(etcd, serve):
    etcd.put("10-base.conf", "a: 1")
    daemon = serve(etcd)
    wait_told(daemon, "kept")
    wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
    time.sleep(1.5)  # what has happened is told, once a second
    written = entry(etcd)["mod_revision"]
    time.sleep(7)
    assert entry(etcd)["mod_revision"] == written


def test_who_is_gone_has_no_key_after_its_lease(etcd, serve):
    daemon = serve(etcd)
    wait_told(daemon, "kept")
    daemon.stop()
    assert entry(etcd), "who comes back soon was not away"
    wait_until(lambda: not entry(etcd), "the end of the lease")


def test_a_broken_document_is_told_without_what_is_secret(etcd, serve):
    etcd.put("10-base.conf", 'sdk.aws.s3.secret: "a-secret-of-mine"\n')
    serve(etcd)
    wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
    etcd.put("20-a-secret-of-mine.conf", "a: {")
    it = wait_report(etcd, lambda told: "problem" in told, "a problem")
    assert it["site"]["documents"][1]["state"] == "broken"
    assert "site" in it["problem"]["text"] and "1:" in it["problem"]["text"]
    assert "a-secret-of-mine" not in it["problem"]["text"] + it["workspaces"][0]["problem"]
    etcd.delete("20-a-secret-of-mine.conf")
    it = wait_report(etcd, lambda told: "problem" not in told["workspaces"][0], "its end")
    assert it["problem"]["text"], "the last one stays"


def test_a_hold_is_told(etcd, serve):
    etcd.put("10-base.conf", "a: 1")
    daemon = serve(etcd)
    before = wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
    assert daemon.home.client("hold", "--reason", "a freeze", "--for", "2h").returncode == 0
    it = wait_report(etcd, lambda told: "hold" in told["workspaces"][0], "the hold")
    hold = it["workspaces"][0]["hold"]
    assert (hold["reason"], hold["differs"]) == ("a freeze", False)
    assert 7100 < hold["until"] - hold["since"] <= 7200
    revision = etcd.put("10-base.conf", "a: 2")
    it = wait_report(etcd, lambda told: told["site"]["revision"] == revision
                     and told["workspaces"][0]["hold"]["differs"], "what it holds back")
    assert digest(it) == digest(before)
    assert daemon.home.client("release").returncode == 0
    it = wait_report(etcd, lambda told: "hold" not in told["workspaces"][0]
                     and digest(told) != digest(before), "the release")


# --- digests ------------------------------------------------------------------

def test_a_keyed_digest_tells_secrets_apart_and_one_without_does_not(etcd, serve, tmp_path):
    key = tmp_path / "fleet.key"
    key.write_text("0123456789abcdef" * 2)
    key.chmod(0o600)
    conf = 'api.credentials.secret_key: "{}-secret-value"\n'

    def digest_with(more, secret):
        daemon = serve(etcd, more, conf=conf.format(secret))
        it = wait_report(etcd, lambda told: "digest" in told["workspaces"][0], "a digest")
        daemon.stop()
        etcd.clear(STATE)
        assert it["workspaces"][0]["keyed"] == bool(more)
        return digest(it)

    with_key = f"report_key = {key}"
    keyed, plain = digest_with(with_key, "one"), digest_with("", "one")
    assert digest_with("", "two") == plain != keyed
    assert digest_with(with_key, "one") == keyed != digest_with(with_key, "two")


@pytest.mark.parametrize("text, mode, words", [
    ("short", 0o600, "less than 32 characters"),
    ("0123456789abcdef" * 2, 0o644, "open to other users"),
])
def test_a_key_that_is_not_right_is_told(etcd, serve, tmp_path, text, mode, words):
    key = tmp_path / "fleet.key"
    key.write_text(text)
    key.chmod(mode)
    daemon = serve(etcd, f"report_key = {key}", conf="a: 1")
    wait_until(lambda: words in told(daemon).get("last_error", ""), words)
    daemon.wait_value("a", 1)
    if len(text) < 32:
        assert told(daemon)["state"] == "failed" and not entry(etcd)
    else:
        wait_told(daemon, "kept")


# --- bad days -----------------------------------------------------------------

def test_a_lease_that_is_gone_comes_back(etcd, serve):
    etcd.put("10-base.conf", "a: 1")
    daemon = serve(etcd)
    wait_told(daemon, "kept")
    etcd.call("lease/revoke", ID=entry(etcd)["lease"])
    assert not entry(etcd)
    wait_until(lambda: entry(etcd), "the report")
    assert "event=report-lapsed" in daemon.log()
    wait_told(daemon, "kept")
    daemon.wait_value("a", 1)


def test_a_key_that_was_deleted_comes_back(etcd, serve):
    daemon = serve(etcd)
    wait_told(daemon, "kept")
    etcd.delete(HOST, STATE)
    wait_until(lambda: entry(etcd), "the report")


def test_an_outage_of_etcd_costs_no_report(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10-base.conf", "a: 1")
        daemon = serve(etcd)
        before = wait_report(etcd, lambda told: told["site"].get("count") == 1, "a report")
        etcd.end()
        wait_until(lambda: daemon.status()["site"]["state"] == "offline", "an outage")
        etcd.start().wait()
        wait_until(lambda: daemon.status()["site"]["state"] == "ready", "its end")
        wait_told(daemon, "kept")
        assert report(etcd)["run"] == before["run"]
        etcd.put("10-base.conf", "a: 2")
        daemon.wait_value("a", 2)
        wait_report(etcd, lambda told: digest(told) != digest(before), "the change")


def test_a_host_that_may_not_report_says_so_and_serves(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10-base.conf", "a: 1")
        etcd.guard()
        password = tmp_path / "password"
        password.write_text("host-password-12345")
        login = f"user = host\npassword_file = {password}"
        daemon = serve(etcd, login)
        it = wait_told(daemon, "failed")
        assert "permission denied: grant the role of `user`" in it["last_error"]
        assert "a key beside the prefix" in it["last_error"]
        daemon.wait_value("a", 1)
        assert daemon.status()["site"]["state"] == "ready"
        # One more right, of that key alone, is all that is needed.
        etcd.call("auth/role/add", name="its-report")
        etcd.call("auth/role/grant", name="its-report", perm={
            "permType": "READWRITE", "key": coded(STATE + HOST)})
        etcd.call("auth/user/grant", user="host", role="its-report")
        wait_told(daemon, "kept")
        assert report(etcd)["site"]["count"] == 1
        etcd.put("10-base.conf", "a: 2")
        wait_report(etcd, lambda told: told["site"]["revision"] == etcd.revision() - 1
                    or told["site"]["revision"] == etcd.revision(), "the change")


@needs_shim
def test_a_clock_that_is_off_by_a_day_is_told(etcd, serve, tmp_path, library):  # noqa: F811
    host = Host(tmp_path, library)
    host.set_clock(-86400)
    daemon = serve(etcd, env=host.env)
    it = wait_report(etcd, lambda told: "clock" in told, "a clock that is off")
    assert -86403 <= it["clock"] <= -86397
    assert -86403 <= told(daemon)["clock"] <= -86397
    host.set_clock(0)
    wait_report(etcd, lambda told: "clock" not in told, "a clock that is right")


# --- hosts of one name --------------------------------------------------------

def test_of_two_daemons_of_a_machine_the_later_one_reports(etcd, serve):
    first = serve(etcd, conf="who: first")
    wait_told(first, "kept")
    run = report(etcd)["run"]
    second = serve(etcd, conf="who: second")
    wait_told(second, "kept")
    it = wait_told(first, "taken")
    assert "another host reports under this name" in it["last_error"]
    assert "event=report-rivaled" in first.log()
    assert report(etcd)["run"] != run
    it = wait_report(etcd, lambda told: "rival" in told, "a rival")
    assert it["rival"] == it["machine"]
    wait_until(lambda: told(second).get("rival") == it["rival"], "the rival's name")
    first.wait_value("who", "first")
    second.stop()
    wait_told(first, "kept")


@needs_shim
def test_another_machine_of_the_same_name_is_told(etcd, serve, tmp_path, library):  # noqa: F811
    hosts = []
    for number in range(2):
        folder = tmp_path / f"machine{number}"
        folder.mkdir()
        hosts.append(Host(folder, library))
        hosts[-1].set_machine_id(f"{number + 1:032x}\n")
    first = serve(etcd, conf="who: first", env=hosts[0].env)
    wait_told(first, "kept")
    machine = report(etcd)["machine"]
    second = serve(etcd, conf="who: second", env=hosts[1].env)
    it = wait_told(second, "taken")
    assert "another host reports under this name" in it["last_error"]
    # Who was first keeps it, and is told who else there is.
    it = wait_report(etcd, lambda told: "rival" in told, "a rival")
    assert it["machine"] == machine != it["rival"]
    wait_until(lambda: told(first).get("rival") == it["rival"], "the rival's machine")
    assert f"event=report-has-rival host={HOST} machine={it['rival']}" in first.log()
    assert "would report under this host's name" in first.home.client("doctor").stdout
    second.wait_value("who", "second")
    first.wait_value("who", "first")
    first.stop()
    wait_told(second, "kept")
    assert report(etcd)["machine"] == it["rival"]
