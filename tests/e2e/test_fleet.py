"""clearconf fleet and rollout, by what hosts have put into a real etcd; what real daemons put there is
test_fleet_model.py's."""

import contextlib
import json
import os
import re
import socket
import subprocess

import pytest
from etcd import BASE, PREFIX, STATE, Node, coded
from fleet import machine_of, put_report, report, with_digest
from harness import CLIENT, DEADLINE, wait_until
from share import share_of


@pytest.fixture
def run(etcd, home):
    """clearconf WORD..., of that etcd."""
    def call(*words, check=0, **options):
        return home.client(*words, "--etcd", etcd.url, check=check, **options)
    return call


@pytest.fixture
def listed(run):
    """{host: (status, reason)}"""
    def call():
        told = json.loads(run("fleet", "--json").stdout)
        assert sum(told["count"].values()) == len(told["hosts"])
        return {host["host"]: (host["status"], host.get("reason", "")) for host in told["hosts"]}
    return call


def test_what_needs_somebody_comes_first(etcd, run, listed):
    revision = etcd.put("10-a.conf", "x = 1\n")
    group = etcd.put("groups/gpu/20.conf", "x = 2\n")
    for number in range(4):
        put_report(etcd, f"well-{number}", documents=[("10-a.conf", revision)])
    put_report(etcd, "drifts", with_digest(report("drifts", [("10-a.conf", revision)]), "5"))
    put_report(etcd, "lacks", documents=[("10-a.conf", revision)], groups=["gpu"])
    put_report(etcd, "has", documents=[("10-a.conf", revision), ("groups/gpu/20.conf", group)], groups=["gpu"])
    told = report("held", [("10-a.conf", revision)])
    told["workspaces"][0]["hold"] = {"generation": 3, "since": 1764429000, "reason": "while we look"}
    put_report(etcd, "held", told)
    told = with_digest(report("late", [("10-a.conf", revision)]), "6")
    told["workspaces"][0]["waiting"] = ["9f2c1d33ab01"]
    put_report(etcd, "late", told)
    put_report(etcd, "two", documents=[("10-a.conf", revision)], rival=machine_of("other"))
    put_report(etcd, "ill", documents=[("10-a.conf", revision)], state="degraded", problem={"text": "vault x: 3:7: no"})
    assert listed() == {
        **{f"well-{number}": ("ready", "") for number in range(4)}, "has": ("ready", ""),
        "drifts": ("drifting", "5 hosts with the same documents have other values"),
        "lacks": ("behind", "groups/gpu/20.conf has not arrived"),
        "held": ("held", "while we look"),
        "late": ("waiting", "vaults wait for their time: 9f2c1d33ab01"),
        "two": ("doubled", f"machine {machine_of('other')} would report under this name, too"),
        "ill": ("ailing", "degraded: vault x: 3:7: no")}
    lines = run("fleet").stdout.splitlines()
    assert lines[0].split() == ["HOSTS", "STATE", "DIGEST", "SINCE", "WHO", "REASON"]
    assert [line.split()[1] for line in lines[1:]] == ["doubled", "behind", "held", "drifting", "ailing", "waiting",
                                                     "ready"]
    assert lines[-1].split()[0] == "5"
    etcd.put("10-a.conf", "x = 3\n")
    assert listed()["well-0"] == ("behind", f"10-a.conf is of revision {revision}, and {etcd.revision()} is put")
    etcd.delete("10-a.conf")
    assert listed()["well-0"] == ("behind", "10-a.conf is removed, and it still has it")


@pytest.mark.parametrize("value, reason", [
    ("", "damaged"), ("{", "damaged"), ("[1]", "damaged"), (b"\xff\xfe", "damaged"), ("null", "damaged"),
    ('{"format": 1}', "damaged"), ('{"format": 7, "state": "ready"}', "of a newer version"),
    ('{"format": 1, "state": "ready", "x": "' + "x" * 70000 + '"}', "longer than any daemon's"),
    ('{"format": 1, "state": ' * 2000, "damaged"),
    ('{"format": 1, "state": "ready", "time": 9e99}', ""),
])
def test_a_report_may_be_anything(etcd, run, listed, value, reason):
    put_report(etcd, "strange", value)
    put_report(etcd, "well")
    status, said = listed()["strange"]
    assert (status, reason in said) == ("unreadable" if reason else "ready", True) and listed()["well"][0] == "ready"
    assert "strange" in run("fleet").stdout
    run("fleet", "show", "strange")
    run("fleet", "diff", "strange", "well", check=1 if reason else 0)


def test_reports_that_fill_no_answer_are_read_in_parts(etcd, listed):
    """Together they are longer than an answer may be; each is as long as etcd takes it."""
    for number in range(30):
        put_report(etcd, f"huge-{number}", "x" * 1_200_000)
    put_report(etcd, "well")
    told = listed()
    assert told.pop("well")[0] == "ready" and len(told) == 30
    assert set(told.values()) == {("unreadable", "its report is longer than any daemon's")}


def test_what_a_terminal_would_obey_is_not_shown(etcd, run):
    put_report(etcd, "evil", state="degraded", problem={"text": "\x1b[2Jgone\x07"})
    assert "\x1b" not in run("fleet").stdout and "\x07" not in run("fleet", "show", "evil").stdout
    named = with_digest(report("named", [("\x1b[2J\na.conf", 1)]), "5", **{"\x1b[2J\na": "x"})
    put_report(etcd, "named", named)
    done = run("fleet", "diff", "evil", "named")
    assert "\x1b" not in done.stdout and len(done.stdout.splitlines()) == 4


def test_what_a_host_says_of_a_rollout_is_one_line(etcd, run, home):
    begin(run, home, "a.conf", "x = 2\n", "100%")
    held = under_way(etcd)
    put_report(etcd, "evil", bad=[{"rollout": held["id"], "name": "a.conf", "kind": "check",
                                   "reason": "no)\n\x1b[2Ja.conf: all have it"}])
    done = run("rollout", "a.conf", check=1)
    shown = run("rollout", "show", "a.conf")
    assert "\x1b" not in done.stdout + shown.stdout and len(shown.stdout.splitlines()) == 1
    assert all(line.startswith("a.conf: ") for line in done.stdout.splitlines())
    assert not any(line.startswith("a.conf: all") for line in done.stdout.splitlines())


def test_clocks_that_are_off_are_told(etcd, listed):
    put_report(etcd, "day", clock=-86400)
    put_report(etcd, "future", time=4000000000)
    assert listed() == {"day": ("ready", "its clock is 86400 seconds behind"),
                        "future": ("ready", "its report is from the future")}


def test_hosts_that_are_gone_are_remembered_until_they_are_forgotten(etcd, run, listed):
    for name in "one", "two":
        put_report(etcd, name)
    assert set(listed()) == {"one", "two"}
    etcd.delete("one", prefix=STATE)
    assert listed() == {"one": ("offline", "it is down, or does not reach etcd"), "two": ("ready", "")}
    revision = etcd.revision()
    since = json.loads(run("fleet", "--json").stdout)["hosts"][0]["since"]
    assert listed()["one"][0] == "offline" and etcd.revision() == revision  # written once
    assert json.loads(run("fleet", "--json").stdout)["hosts"][0]["since"] == since
    assert "reports" in run("fleet", "forget", "two", check=1).stderr
    put_report(etcd, "one")
    assert listed()["one"][0] == "ready"
    etcd.delete("one", prefix=STATE)
    run("fleet", "forget", "one")
    assert set(listed()) == {"two"}
    run("fleet", "show", "one", check=3)
    assert "no host one reports, nor did one" in run("fleet", "forget", "one", check=3).stderr


def test_who_may_only_read_sees_all_the_same(tmp_path, home):
    with Node(tmp_path) as etcd:
        put_report(etcd, "one")
        etcd.guard(prefix=BASE)
        etcd.call("auth/role/add", name="x")
        password = home.write("password", "host-password-12345\n")
        done = home.client("fleet", "--json", "--etcd", etcd.url, "--user", "host", "--password-file", password, check=0)
        assert json.loads(done.stdout)["hosts"][0]["host"] == "one" and done.stderr == ""


def test_one_host_and_the_difference_of_two(etcd, run):
    revision = etcd.put("10-a.conf", "x = 1\n")
    put_report(etcd, "one", with_digest(report("one", [("10-a.conf", revision)]), "5", **{"agent.a": "A", "agent.b": "B"}))
    put_report(etcd, "two", with_digest(report("two", [("10-a.conf", 3)]), "6", **{"agent.a": "X", "sdk": "C"}))
    shown = run("fleet", "show", "two").stdout
    assert "behind" in shown and machine_of("two") in shown
    assert f"10-a.conf  3    {revision}" in shown
    assert json.loads(run("fleet", "show", "two", "--json").stdout)["documents"] == [
        {"name": "10-a.conf", "revision": 3, "broken": False}]
    assert run("fleet", "diff", "one", "two").stdout == (
        f"document 10-a.conf: one has {revision}, two has 3\n"
        "path agent.a: one has it, two has another\n"
        "path agent.b: one has it, two has none\n"
        "path sdk: one has none, two has it\n"
        "their values differ\n")
    told = json.loads(run("fleet", "diff", "one", "two", "--json").stdout)
    assert len(told["differences"]) == 4 and told["comparable"] and not told["equal"]
    told = report("two")
    told["workspaces"][0]["keyed"] = False
    put_report(etcd, "two", told)
    assert "cannot be compared" in run("fleet", "diff", "one", "two").stdout
    run("fleet", "diff", "one", "nobody", check=3)
    run("fleet", "diff", "one", check=2)


def test_prometheus(etcd, run):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    put_report(etcd, "one")
    etcd.put('strange"\\name.conf.rollout/', json.dumps(rollout()))
    families = {each.name: each for each in text_string_to_metric_families(run("fleet", "--openmetrics").stdout)}
    hosts = {sample.labels["state"]: sample.value for sample in families["clearconf_fleet_hosts"].samples}
    assert hosts["behind"] == 1 and sum(hosts.values()) == 1
    assert families["clearconf_fleet_rollout_share"].samples[0].value == 1


def test_a_fleet_is_watched(etcd, home):
    process = subprocess.Popen([CLIENT, "fleet", "--watch", "--json", "--etcd", etcd.url], env=home.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline())["hosts"] == []
        put_report(etcd, "one")
        assert json.loads(process.stdout.readline())["hosts"][0]["status"] == "ready"
        etcd.delete("one", prefix=STATE)
        assert json.loads(process.stdout.readline())["hosts"][0]["status"] == "offline"
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


@pytest.mark.parametrize("words, told", [
    (["fleet", "show", "one", "--watch"], "--watch is for 'fleet list'"),
    (["fleet", "--json", "--openmetrics"], "--json or --openmetrics, not both"),
    (["rollout", "a.conf", "--reason", "x"], "--reason is for 'rollout stop'")])
def test_what_does_not_go_together_is_wrong_usage(run, words, told):
    assert told in run(*words, check=2).stderr


@pytest.mark.parametrize("words", [["fleet", "--watch"], ["fleet"], ["rollout"], ["rollout", "--once"]])
def test_etcd_that_is_away_or_refuses_is_the_end(words, home, tmp_path):
    assert "is the etcd server running there?" in home.client(*words, "--etcd", "http://127.0.0.1:1", check=6).stderr
    with Node(tmp_path) as etcd:
        etcd.guard()
        password = home.write("password", "not-the-password\n")
        done = home.client(*words, "--etcd", etcd.url, "--user", "host", "--password-file", password, check=5)
        assert "correct --user and --password-file" in done.stderr


def test_etcd_that_is_silent_is_not_asked_for_ever(home):
    """Smaller parts are for answers that are too large."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "no whole answer" in home.client("--timeout", "1", "fleet", "--etcd", url, check=6).stderr
        silent.setblocking(False)
        asked = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                asked += 1
        assert 1 <= asked <= 4


def test_what_etcd_has_not_answered_is_not_called_done(home):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = home.client("--timeout", "1", "fleet", "bad", "9f2c1d33ab01", "--etcd", url, check=6)
        assert "no whole answer" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("words", [["fleet"], ["fleet", "--watch"], ["rollout"]])
def test_which_right_is_wanted_is_told(home, tmp_path, words):
    with Node(tmp_path) as etcd:
        etcd.guard(prefix=STATE)
        password = home.write("password", "host-password-12345\n")
        done = home.client(*words, "--etcd", etcd.url, "--user", "host", "--password-file", password, check=5)
        assert f"to read {PREFIX}" in done.stderr and "permission denied" in done.stderr


# --- rollouts -----------------------------------------------------------------

def rollout(**more):
    return {"format": 1, "id": "9f3c2a5b7d114e60", "state": "running", "share": 10000, "text": "x = 2\n", "of": 0,
            "stages": [10000], "every": 600, "stop_when": "broken>0", "stepped": 1764429000, "started": 1764429000,
            "by": "a@b", "reason": "", "why": ""} | more


def begin(run, home, name="a.conf", text="x = 2\n", stages="30%,100%", *words):
    run("site", "put", name, home.write("new.conf", text), "--stage", stages, *words)


def under_way(etcd, name="a.conf"):
    text = etcd.get(f"{name}.rollout/")
    return text and json.loads(text)


def obey(etcd, names, bad=()):
    """The hosts do what daemons would, all at once."""
    held = json.loads(etcd.get("a.conf.rollout/") or "{}")
    revision = {kv: etcd.call("kv/range", key=coded(PREFIX + kv)).get("kvs", [{}])[0].get("mod_revision")
                for kv in ("a.conf", "a.conf.rollout/")}
    for name in names:
        reached = held and held["state"] == "running" and share_of(machine_of(name), held["id"]) < held["share"]
        documents = [("a.conf", int(revision["a.conf.rollout/"]), held["id"])] if reached else \
            [("a.conf", int(revision["a.conf"]))] if revision["a.conf"] else []
        more = {"bad": [{"rollout": held["id"], "name": "a.conf", "kind": "check", "reason": "said no"}]} \
            if reached and name in bad else {}
        put_report(etcd, name, documents=documents, **more)


NAMES = [f"host-{number}" for number in range(20)]


def test_a_rollout_goes_on_stage_by_stage_and_ends(etcd, run, home):
    run("site", "put", "a.conf", "-", input="x = 1\n")
    begin(run, home, "a.conf", "x = 2\n", "30%,100%", "--every", "0", "--stop-when", "broken>0,behind>0", "-m", "why not")
    assert under_way(etcd)["share"] == 3000 and etcd.get("a.conf") == "x = 1\n"
    obey(etcd, NAMES)
    told = json.loads(run("rollout", "show", "--json").stdout)[0]
    expected = sum(share_of(machine_of(name), told["id"]) < 3000 for name in NAMES)
    assert 0 < expected < 20 and (told["hosts"], told["taken"]) == (expected, expected)
    done = run("rollout", "a.conf", "--once")
    assert "a.conf: on to 100%" in done.stdout and under_way(etcd)["share"] == 10000
    obey(etcd, NAMES)
    done = run("rollout", "run", "a.conf")
    assert "all have it, and it is put as revision 2" in done.stdout
    assert etcd.get("a.conf") == "x = 2\n" and under_way(etcd) is None
    newest = json.loads(run("site", "log", "a.conf", "--json").stdout)[0]
    assert newest["rollout"] == told["id"] and newest["reason"] == "why not"
    run("rollout", "a.conf", check=3)
    assert run("rollout").stdout == ""


def test_a_rollout_stops_by_itself_and_says_so(etcd, run, home):
    begin(run, home)
    obey(etcd, NAMES, bad=NAMES)
    done = run("rollout", "a.conf", check=1)
    assert re.search(r"hosts? (is|are) broken, and the limit is 0 \(host-.*said no", done.stdout)
    held = under_way(etcd)
    assert held["state"] == "stopped" and held["share"] == 3000 and "broken" in held["why"]
    assert "stopped: " in run("rollout", "show", "a.conf").stdout
    assert "a.conf: check: said no" in run("fleet").stdout
    run("rollout", "a.conf", check=1)
    assert under_way(etcd) == held
    # Somebody thinks that it may be borne.
    run("rollout", "resume", "a.conf", "--stop-when", "broken>20")
    assert under_way(etcd)["state"] == "running" and under_way(etcd)["stop_when"] == "broken>20"
    run("rollout", "stop", "a.conf", "-m", "not so")
    assert "not so" in under_way(etcd)["why"]
    assert "hosts do without it again" in run("rollout", "revert", "a.conf").stdout
    assert under_way(etcd) is None and etcd.get("a.conf") is None


def test_a_rollout_that_nobody_reports_of_says_no_more_than_that(etcd, run, home):
    begin(run, home, "a.conf", "x = 2\n", "100%", "--every", "0")
    assert "0 of 0 hosts have it, and it is put as revision 1" in run("rollout", "a.conf").stdout


def test_who_is_behind_at_the_end_of_a_stage_stops_it(etcd, run, home):
    begin(run, home, "a.conf", "x = 2\n", "100%", "--every", "0", "--stop-when", "behind>1")
    for name in NAMES[:3]:
        put_report(etcd, name)
    assert "3 hosts are behind, and the limit is 1" in run("rollout", check=1).stdout


def test_who_steps_may_die_and_another_go_on(etcd, run, home):
    begin(run, home, "a.conf", "x = 2\n", "10%,20%,30%,100%", "--every", "0.3s")
    obey(etcd, NAMES)
    while under_way(etcd):
        process = subprocess.Popen([CLIENT, "rollout", "a.conf", "--etcd", etcd.url], env=home.env,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = (under_way(etcd) or {}).get("share")
        wait_until(lambda: process.poll() is not None or (under_way(etcd) or {}).get("share") != before, "a step")
        process.kill()
        process.wait()
    assert etcd.get("a.conf") == "x = 2\n"
    assert len(json.loads(run("site", "log", "a.conf", "--json").stdout)) == 1


def test_who_steps_outlives_etcds_bad_moments(tmp_path, home):
    with Node(tmp_path) as etcd:
        home.client("site", "put", "a.conf", home.write("a.conf", "x = 2\n"), "--stage", "10%,20%,100%", "--every", "1s",
                    "--etcd", etcd.url, check=0)
        process = subprocess.Popen([CLIENT, "rollout", "--etcd", etcd.url], env=home.env, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: under_way(etcd)["share"] > 1000, "a step")
        etcd.end()
        etcd.start().wait()
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0 and "is put as revision 1" in out, out + err
        assert etcd.get("a.conf") == "x = 2\n"


def test_several_that_step_do_no_harm(etcd, run, home):
    begin(run, home, "a.conf", "x = 2\n", "10%,20%,30%,100%", "--every", "0.2s")
    obey(etcd, NAMES)
    processes = [subprocess.Popen([CLIENT, "rollout", "a.conf", "--etcd", etcd.url], env=home.env,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(process.communicate(timeout=DEADLINE), process.returncode) for process in processes]
    assert all(status in (0, 3) for _, status in ended), ended
    said = "".join(out for (out, _), _ in ended)
    assert [said.count(f"on to {share}%") for share in (20, 30, 100)] == [1, 1, 1]
    assert said.count("is put as revision 1") == 1 and etcd.get("a.conf") == "x = 2\n"


def test_a_put_waits_for_the_end_of_a_rollout(etcd, run, home):
    begin(run, home)
    for words in ["put", "a.conf", home.write("x.conf", "x = 3\n")], ["rm", "a.conf"]:
        assert "a rollout of a.conf is under way" in run("site", *words, check=1).stderr
    assert "30%, running" in run("site", "list").stdout
    run("rollout", "finish", "a.conf")
    assert etcd.get("a.conf") == "x = 2\n"
    run("site", "rm", "a.conf")


def test_a_rollout_that_is_none_is_told_and_taken_away(etcd, run):
    etcd.put("a.conf.rollout/", '{"format": 1, "id": ""}')
    assert "reaches nobody" in run("fleet").stdout
    assert "reaches nobody" in run("rollout", "stop", "a.conf", check=1).stderr
    run("rollout", "revert", "a.conf")
    assert etcd.get("a.conf.rollout/") is None


@pytest.mark.parametrize("words", [["--stage", "10"], ["--stage", "10%,1%"], ["--stage", "10%", "--stop-when", "x>1"]])
def test_a_plan_that_is_none_is_wrong_usage(run, home, words):
    run("site", "put", "a.conf", home.write("a.conf", "x = 1\n"), *words, check=2)


def test_without_the_program_beside_it_that_is_told(home, tmp_path):
    alone = tmp_path / "clearconf"
    alone.write_bytes(CLIENT.read_bytes())
    os.chmod(alone, 0o755)
    done = subprocess.run([alone, "fleet"], env=home.env, capture_output=True, text=True)
    assert done.returncode == 1 and "it is installed with clearconf" in done.stderr
