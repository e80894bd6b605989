"""A revision of vaults that some hosts find bad does not come to the others: one real etcd, whole daemons that stage
vaults, the tool."""

import json
import signal
import subprocess

import pytest
from arriving import HOURS, StagedHost, edited_so_that
from etcd import STATE
from harness import CLIENT, FAST, Home, wait_until
from host import library, needs_shim  # noqa: F401

pytestmark = needs_shim
# Whoever stands still is not taken for dead on a slow machine.
SETTINGS = FAST.replace("timeout = 10s", "timeout = 60s") + """\
[change]
stage = 30 % for 2h
[resolve]
types = refuse
[site]
etcd = {url}
probe = 100ms
report = yes
"""


@pytest.fixture
def hosts(etcd, library, conf, server, short_folder, ending):  # noqa: F811
    """Three that have the vault v, of k: 1, and report."""
    made = []
    set_vault(server, "k: 1", "2026-11-01T00:00:00+00:00")
    for number in range(3):
        made.append(StagedHost(short_folder / f"{number}", library, number, conf(),
                               SETTINGS.format(url=etcd.url)))
        made[-1].host.set_name(f"host-{number}")
        ending.enter_context(made[-1].daemon).wait_value("k", 1)
    return made


@pytest.fixture
def tool(etcd, tmp_path):
    """clearconf fleet WORD..., on a machine of its own."""
    admin = Home(tmp_path / "admin")

    def call(*words, check=0):
        return admin.client("fleet", *words, "--etcd", etcd.url, check=check)
    call.home = admin
    return call


def set_vault(server, data, edited):
    server.state.set_vaults([{"id": "v", "data": data, "last_update": edited}])


def stage(server, hosts, data, count=1):
    """Vaults that so many hosts take first: those, the others, the revision."""
    edited, revision = edited_so_that(hosts, "v", count)
    set_vault(server, data, edited)
    first = [host for host in hosts if host.is_first(revision)]
    later = [host for host in hosts if not host.is_first(revision)]
    for host in later:
        wait_until(host.arriving, "the arrival")
    return first, later, revision


def report(etcd, host):
    name = (host.host.folder / "name").read_text()
    return json.loads(etcd.get(name, prefix=STATE) or "{}")


def wait_bad(host, said):
    def told():
        return any(said in arrival.get("bad", "") and "until" not in arrival for arrival in host.arriving())
    wait_until(told, f"a revision that is {said}")


def wait_answers(host):
    fetches = lambda: host.daemon.status()["counters"]["fetches"]  # noqa: E731
    before = fetches()
    wait_until(lambda: fetches() >= before + 4, "two more questions of two feeds")


@pytest.mark.parametrize("data, kind", [("k: {", "broken"), ("k: 2\nagent.git_user: [1]", "ill-typed")])
def test_what_the_first_find_broken_never_comes_to_the_others(etcd, server, hosts, tool, data, kind):
    (first,), later, revision = stage(server, hosts, data)
    first.daemon.wait_layer("v", "broken")
    bad, = wait_until(lambda: report(etcd, first).get("bad"), "the report")
    assert (bad["vaults"], bad["kind"]) == (revision, kind) and "rollout" not in bad
    for host in later:
        assert wait_until(lambda: report(etcd, host).get("workspaces", [{}])[0].get("waiting"), "it") == [revision]
    tool("--stop-when", "broken>1")
    assert etcd.get(f"vaults-{revision}.bad/") is None
    warned = tool("--stop-when", "broken>0").stderr
    assert f"vaults {revision} are called bad: 1 host is broken, and the limit is 0 (host-" in warned
    for host in later:
        wait_bad(host, "1 host is broken, and the limit is 0")
        host.sleep(3 * HOURS)
        wait_answers(host)
        assert host.daemon.get("k") == 1 and host.daemon.layer("v")["state"] == "ok"
    assert f"vaults {revision}: bad, said " in tool().stdout
    assert f"vaults do not come: {revision} is bad, said " in tool().stdout
    assert json.loads(tool("--json").stdout)["bad_vaults"][0]["revision"] == revision
    assert "does not come: bad, said " in later[0].home.client("status").stdout
    assert f"{revision} of the vaults" in later[0].home.client("change").stdout
    tool("good", revision)
    for host in later:
        host.daemon.wait_layer("v", "broken")


def test_people_call_it_bad_and_good_again(etcd, server, hosts, tool):
    (first,), (one, other), revision = stage(server, hosts, "k: 2")
    first.daemon.wait_value("k", 2)
    tool("bad", revision, "--reason", "not so")
    for host in one, other:
        wait_bad(host, ": not so")
    assert "event=vaults-called-bad" in one.daemon.log()
    assert first.daemon.get("k") == 2 and not first.arriving()
    # Who wants it all the same takes it.
    assert one.home.client("change", "now", revision, check=0).stdout.startswith(f"taken {revision} ")
    assert one.daemon.get("k") == 2
    other.sleep(3 * HOURS)
    wait_answers(other)
    assert other.daemon.get("k") == 1
    tool("good", revision)
    other.daemon.wait_value("k", 2)
    assert f"nobody has called {revision} bad" in tool("good", revision, check=3).stderr


def test_it_waits_as_before_when_it_is_good_before_its_time(server, hosts, tool):
    _, (one, other), revision = stage(server, hosts, "k: 2")
    tool("bad", revision)
    wait_bad(one, "bad, said ")
    tool("good", revision)
    arrival, = wait_until(lambda: [each for each in one.arriving() if "until" in each], "its time")
    assert arrival["until"] == arrival["since"] + 2 * HOURS and "bad" not in arrival
    assert one.daemon.get("k") == 1


def test_those_of_the_share_who_come_later_do_not_take_it(etcd, server, hosts, tool):
    edited, revision = edited_so_that(hosts, "v", 3)
    etcd.put(f"vaults-{revision}.bad/", "anything")
    for host in hosts:
        wait_until(lambda: "event=vaults-called-bad" in host.daemon.log(), "the verdict")
    set_vault(server, "k: 2", edited)
    for host in hosts:
        wait_bad(host, "bad")
        assert host.daemon.get("k") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_host_that_starts_does_not_take_it_before_it_hears_of_it(etcd, server, hosts, tool, number):
    _, (one, _), revision = stage(server, hosts, "k: 2")
    tool("bad", revision)
    wait_bad(one, "bad")
    one.sleep(3 * HOURS)
    etcd.freeze()
    try:
        one.daemon.expected_status = one.daemon.stop(number)
        one.daemon.start()
        wait_answers(one)
        assert one.daemon.get("k") == 1
    finally:
        etcd.thaw()
    wait_bad(one, "bad")
    wait_answers(one)
    assert one.daemon.get("k") == 1
    one.daemon.expected_status = 0


def test_who_calls_it_good_is_not_contradicted_by_who_watches(etcd, server, hosts, tool):
    _, later, revision = stage(server, hosts, "k: {")
    key = f"vaults-{revision}.bad/"
    watch = subprocess.Popen([CLIENT, "fleet", "--watch", "--stop-when", "broken>0", "--etcd", etcd.url],
                             env=tool.home.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: etcd.get(key), "the verdict")
        for host in later:
            wait_bad(host, "1 host is broken")
            host.sleep(3 * HOURS)
        tool("good", revision)
        for host in later:
            host.daemon.wait_layer("v", "broken")
        assert etcd.get(key) is None and watch.poll() is None
    finally:
        watch.kill()
        watch.communicate()


def test_what_is_no_revision_or_no_limit_is_wrong_usage(tool):
    assert "expected the name of a revision" in tool("bad", "9F2C", check=2).stderr
    tool("good", "9f2c1d33ab0", check=2)
    for limit in "behind>0", "broken>0,offline>1", "", "broken":
        assert "expected a limit such as broken>0" in tool("--stop-when", limit, check=2).stderr
