"""[change] stage: new vaults come to a share of the hosts at once, and to the others later."""

import errno
import signal

import pytest
from arriving import HOURS, STAGED, StagedHost, edited_so_that
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, wait_until
from host import library, needs_shim  # noqa: F401

pytestmark = needs_shim
STRANGER = 65533


@pytest.fixture
def make(library, conf, server, short_folder, ending):  # noqa: F811
    """Makes hosts that have taken the vault v, of k: 1."""
    made = []
    set_vault(server, 1)

    def hosts(count, settings=STAGED, **options):
        for _ in range(count):
            number = len(made)
            made.append(StagedHost(short_folder / f"{number}", library, number, conf(), settings, **options))
            ending.enter_context(made[-1].daemon)
            made[-1].daemon.wait_value("k", 1)
            made[-1].daemon.wait_state("ready")  # both feeds have had their first answer
        return made
    return hosts


def set_vault(server, number, edited="2026-11-01T00:00:00+00:00", **more):
    server.state.set_vaults([{"id": "v", "data": f"k: {number}", "last_update": edited, **more}])


@pytest.fixture
def waiting(make, server):
    """A host that waits for k: 2, and the revision."""
    host, = make(1)
    edited, revision = edited_so_that([host], "v", 0)
    set_vault(server, 2, edited)
    wait_until(host.arriving, "the arrival")
    assert host.daemon.get("k") == 1
    return host, revision


def next_answer(host):
    """Until the daemon has taken an answer that was asked for from now on."""
    fetches = lambda: host.daemon.status()["counters"]["fetches"]  # noqa: E731
    before = fetches()
    wait_until(lambda: fetches() >= before + 4, "two more questions of two feeds")


def test_the_share_takes_it_at_once_and_the_others_after_the_time(make, server):
    hosts = make(10)
    edited, revision = edited_so_that(hosts, "v", 3)
    set_vault(server, 2, edited)
    for host in hosts:
        if host.is_first(revision):
            host.daemon.wait_value("k", 2)
    later = [host for host in hosts if not host.is_first(revision)]
    for host in later:
        arrival, = wait_until(host.arriving, "the arrival")
        assert arrival["revision"] == revision and arrival["layer"] == "vault"
        assert arrival["until"] == arrival["since"] + 2 * HOURS
        assert arrival["vaults"] == [{"id": "v", "description": "vault 1", "kind": "changed",
                                      "last_update": edited}]
        next_answer(host)
        assert host.daemon.get("k") == 1 and host.daemon.status()["state"] == "ready"
        host.sleep(2 * HOURS)
        host.daemon.wait_value("k", 2)
        assert not host.arriving()
        assert "event=vaults-wait" in host.daemon.log() and "event=vaults-taken" in host.daemon.log()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_time_goes_on_over_a_restart(waiting, how):
    host, revision = waiting
    cache = host.home.path / "state/clearconf/cache/default.cache"
    wait_until(lambda: '"next"' in cache.read_text(), "the file")
    since = host.arriving()[0]["since"]
    host.daemon.expected_status = host.daemon.stop(how)
    host.host.set_clock(1 * HOURS)  # the hour for which it was off
    host.daemon.start()
    arrival, = wait_until(host.arriving, "the arrival")
    assert (arrival["since"], arrival["revision"]) == (since, revision)
    assert host.daemon.get("k") == 1
    host.sleep(1 * HOURS - 60)
    next_answer(host)
    assert host.daemon.get("k") == 1
    host.sleep(1 * HOURS + 60)
    host.daemon.wait_value("k", 2)
    host.daemon.expected_status = 0


def test_a_clock_that_is_set_makes_it_neither_sooner_nor_later(waiting):
    """Its times are told by the clock as it is now, also to the next process."""
    host, _ = waiting
    since = host.arriving()[0]["since"]
    host.host.set_clock(24 * HOURS)
    for _ in range(2):
        arrival, = wait_until(host.arriving, "the arrival")
        assert (arrival["since"], arrival["until"]) == (since + 24 * HOURS, since + 26 * HOURS)
        next_answer(host)
        assert host.daemon.get("k") == 1
        host.daemon.stop()
        host.daemon.start()


def test_a_host_that_was_off_for_all_the_time_takes_it_when_it_asks(waiting):
    host, _ = waiting
    host.daemon.stop()
    host.host.set_clock(3 * HOURS)
    host.daemon.start()
    host.daemon.wait_value("k", 2)


def test_it_is_taken_though_the_server_is_away_by_then(make, server):
    host, = make(1, FAST + "[change]\nstage = 0.01 % for 3s\n")
    set_vault(server, 2)
    wait_until(host.arriving, "the arrival")
    server.fail("drop")
    host.daemon.wait_state("offline")
    assert host.daemon.get("k") == 1
    host.daemon.wait_value("k", 2)


def test_a_removal_waits_as_an_edit_does(make, server):
    host, = make(1, FAST + "[change]\nstage = 0.01 % for 2h\n")
    server.state.set_vaults([])
    arrival, = wait_until(host.arriving, "the arrival")
    assert [each["kind"] for each in arrival["vaults"]] == ["removed"]
    assert host.daemon.get("k") == 1
    host.sleep(2 * HOURS)
    host.daemon.wait_value("k", None)


def test_what_the_author_takes_back_never_comes(waiting, server):
    host, _ = waiting
    set_vault(server, 1)
    wait_until(lambda: not host.arriving(), "the end of the wait")
    host.sleep(3 * HOURS)
    next_answer(host)
    assert host.daemon.get("k") == 1


def test_a_name_alone_waits_for_nothing(waiting, server):
    host, _ = waiting
    set_vault(server, 1, description="renamed")
    wait_until(lambda: host.daemon.layer("v").get("description") == "renamed", "the name")
    assert not host.arriving()


def test_monitoring_vaults_wait_by_themselves(make, server):
    host, = make(1)
    server.state.add_vault({"id": "m", "type": "monitoring", "data": "m: 1",
                            "last_update": edited_so_that([host], "m", 0)[0]})
    arrival, = wait_until(host.arriving, "the arrival")
    assert arrival["layer"] == "monitoring"
    assert [each["kind"] for each in arrival["vaults"]] == ["added"]
    host.sleep(2 * HOURS)
    host.daemon.wait_value("m", 1)


def test_the_vaults_of_another_login_come_at_once(waiting, server, conf):
    host, _ = waiting
    other = server.state.add_company("other")
    server.state.set_vaults([{"id": "o", "data": "k: 7"}], company=other)
    key = server.state.add_credentials(server.state.add_user("stranger", company=other))
    host.home.conf(conf().replace(ACCESS_KEY, key["access_key"]).replace(SECRET_KEY, key["secret_key"]))
    host.daemon.wait_value("k", 7)
    assert not host.arriving()


def test_switched_off_what_waits_is_taken(waiting):
    host, _ = waiting
    host.home.settings(FAST)
    host.daemon.reload()
    host.daemon.wait_value("k", 2)


def test_a_broken_vault_in_force_is_not_taken_for_another_after_a_restart(make, server):
    host, = make(1, FAST + "[change]\nstage = 100 % for 2h\n[resolve]\ntypes = refuse\n")
    set_vault(server, 2, data="k: {")
    host.daemon.wait_layer("v", "broken")
    host.home.settings(STAGED)
    host.daemon.reload()
    next_answer(host)
    host.daemon.stop()
    host.daemon.start()
    host.daemon.wait_layer("v", "broken")
    assert host.daemon.get("k") == 1 and not host.arriving()


def test_print_shows_what_is_served(waiting):
    host, _ = waiting
    done = host.home.daemon("--print", env=host.host.env)
    assert done.returncode == 0 and '"k": 1' in done.stdout


def test_nothing_waits_without_the_setting(home, daemon, server, conf):
    home.settings(FAST)
    home.conf(conf())
    for number in (1, 2, 3):
        set_vault(server, number)
        if not daemon.process:
            daemon.start()
        daemon.wait_value("k", number)


@pytest.mark.parametrize("text, column", [
    ("10%for", 9), ("110 % for 10m", 9), ("0 % for 10m", 9), ("10 for 10m", 9),
    ("10 % for 10", 9), ("10 % for", 9), ("0.001 % for 10m", 9), ("10 % for 31d", 9), ("yes", 9)])
def test_check_names_line_and_column(home, text, column):
    home.settings(f"[poll]\ninterval = 1m\n\n[change]\nstage = {text}\n")
    done = home.daemon("--check")
    assert done.returncode == 1
    assert f"clearconfd.conf:5:{column}: stage: expected off, or a share and a time" in done.stdout
    assert "0.01 % to 100 % and 100ms to 30d" in done.stdout


@pytest.mark.parametrize("text, reason", [
    (None, "there is no such file"), ("", "it is empty"), ("uninitialized\n", "it is not initialized yet")])
def test_without_a_machine_id_it_keeps_one_of_its_own(make, server, text, reason):
    host, = make(1)
    host.daemon.stop()
    if text is None:
        (host.host.folder / "machine-id").unlink()
    else:
        host.host.set_machine_id(text)
    host.daemon.start()
    assert f'event=no-machine-id file=/etc/machine-id reason="{reason}"' in host.daemon.log()
    own = (host.home.path / "state/clearconf/machine-id").read_text().strip()
    host.machine = own
    host.daemon.stop()
    host.daemon.start()
    assert (host.home.path / "state/clearconf/machine-id").read_text().strip() == own
    host.daemon.wait_value("k", 1)
    edited, revision = edited_so_that([host], "v", 0)
    set_vault(server, 2, edited)
    arrival, = wait_until(host.arriving, "the arrival")
    assert arrival["revision"] == revision


# --- clearconf change ---------------------------------------------------------

def change(host, *words, check=0):
    return host.home.client("change", *words, check=check)


def kill_and_start(host):
    host.daemon.stop(signal.SIGKILL)
    host.daemon.start()


def test_it_shows_what_waits_and_what_that_would_change(make, server):
    host, = make(1)
    assert change(host).stdout == "nothing waits\n"
    edited, revision = edited_so_that([host], "v", 0)
    set_vault(server, 2, edited, data="k: 2\nagent.git_pass: sw0rdfish-and-more\nurl: \"http://u:sw0rdfish-and-more@h\"")
    wait_until(host.arriving, "the arrival")
    shown = change(host).stdout
    assert shown.startswith(f"{revision} of the vaults, seen ") and ", edited 2026-11-" in shown
    assert "changed k 1 -> 2" in shown and "added agent.git_pass \"****\"" in shown
    assert "sw0rdfish" not in shown
    assert "sw0rdfish-and-more" in change(host, "--reveal").stdout
    assert "comes" in host.home.client("status").stdout
    assert "see 'clearconf -w default change'" in host.home.client("reload").stdout
    assert f"does not serve {revision} of the vaults" in host.home.client("doctor").stdout
    assert 'workspace_arriving_timestamp_seconds{workspace="default",layer="vault",state="waiting"}' \
        in host.home.client("status", "--openmetrics").stdout
    assert host.daemon.get("k") == 1


def test_what_is_broken_in_it_is_told_before_it_comes(make, server):
    host, = make(1)
    set_vault(server, 2, edited_so_that([host], "v", 0)[0], data="k: 2\nl: {\n", description="gpu\npool")
    wait_until(host.arriving, "the arrival")
    shown = change(host).stdout
    assert "broken gpu?pool: " in shown and "    changed  gpu?pool, edited" in shown and "(line 3, column 1)" in shown
    assert "it would change nothing" in shown


def test_now_takes_it_and_that_is_on_disk_when_it_answers(waiting, server):
    host, revision = waiting
    assert change(host, "now").stdout.startswith(f"taken {revision} (generation ")
    server.fail("drop")
    kill_and_start(host)
    assert host.daemon.get("k") == 2
    server.clear_failures()
    next_answer(host)
    assert host.daemon.get("k") == 2 and not host.arriving()
    assert change(host, "now", check=1).stderr == "clearconf: nothing waits\n"


def test_skip_never_takes_it_and_that_is_on_disk_when_it_answers(waiting, server):
    host, revision = waiting
    assert change(host, "skip").stdout.startswith(f"skipped {revision} (generation ")
    kill_and_start(host)
    arrival, = wait_until(host.arriving, "the arrival")
    assert "until" not in arrival and arrival["revision"] == revision
    host.sleep(3 * HOURS)
    next_answer(host)
    assert host.daemon.get("k") == 1
    assert ", skipped" in change(host).stdout
    edited, other = edited_so_that([host], "v", 0)
    set_vault(server, 3, edited.replace("2026-11-29", "2026-11-30"))
    wait_until(lambda: host.arriving() == [] or "until" in host.arriving()[0], "the next one")
    change(host, "now")
    host.daemon.wait_value("k", 3)


@pytest.mark.parametrize("skipped", [True, False])
def test_nobody_is_told_that_nothing_waits_while_the_texts_are_not_known(waiting, server, skipped):
    """It waits, but the server is away since the start."""
    host, revision = waiting
    change(host, *(["skip"] if skipped else []))
    server.close_door()
    host.daemon.stop()
    host.daemon.start()
    host.daemon.wait_state("offline")
    for words in ((), ("now",), ("skip",), ("now", revision)):
        done = change(host, *words, check=6)
        assert "has not heard from the server" in done.stderr and not done.stdout
    server.open_door()
    wait_until(host.arriving, "the arrival")
    change(host, "now", "0123456789ab", check=1)
    assert revision in change(host).stdout


def test_who_skipped_it_may_take_it_all_the_same(waiting):
    host, revision = waiting
    change(host, "skip", revision)
    assert change(host, "now", revision).stdout.startswith(f"taken {revision} ")
    assert host.daemon.get("k") == 2


def test_what_was_looked_at_is_what_is_taken(waiting):
    host, revision = waiting
    done = change(host, "now", "0123456789ab", check=1)
    assert "no revision 0123456789ab waits" in done.stderr
    change(host, "skip", "0123456789ab", check=1)
    assert host.daemon.get("k") == 1 and "until" in host.arriving()[0]


def test_a_full_disk_is_told(waiting):
    host, _ = waiting
    host.host.fail("write", errno.ENOSPC)
    done = change(host, "skip")
    assert "a restart of clearconfd forgets it" in done.stderr and done.stdout.startswith("skipped")
    host.host.heal()
    assert "forgets" not in change(host, "skip").stderr
    kill_and_start(host)
    wait_until(lambda: host.arriving() and "until" not in host.arriving()[0], "that it is skipped")


def test_only_an_administrator_decides(make, server, strangers):
    host, = make(1, STAGED + f"[daemon]\nsocket = {strangers.socket}\n"
                 f"[access]\nread = {STRANGER}\n", socket=strangers.socket)
    set_vault(server, 2, edited_so_that([host], "v", 0)[0])
    wait_until(host.arriving, "the arrival")
    assert "changed k 1 -> 2" in strangers.client(STRANGER, "change")[1]
    for words in (["change", "now"], ["change", "skip"], ["change", "--reveal"]):
        assert strangers.client(STRANGER, *words)[0] == 5
    assert host.daemon.get("k") == 1


def test_what_is_taken_under_a_hold_waits_for_the_release(waiting):
    host, revision = waiting
    host.home.client("hold", "--reason", "an incident", check=0)
    assert "changed k 1 -> 2" in change(host).stdout
    taken, held, waits = change(host, "now", revision).stdout.splitlines()
    assert taken.startswith(f"taken {revision} ") and "is held" in held and "an incident" in held
    assert "clearconf diff" in waits
    assert host.daemon.get("k") == 1 and not host.arriving()
    kill_and_start(host)
    next_answer(host)
    assert host.daemon.get("k") == 1 and not host.arriving()
    host.home.client("release", check=0)
    assert host.daemon.get("k") == 2
