"""`credentials rotate`: one whole pair gives way to another, and nobody fails."""

import base64
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from harness import FAST, Daemon, Held, wait_until
from varlink import VarlinkError

FILE = "config/clearconf/pair.conf"
SECTION = "[workspace red]\napi_server = {url}\ncredentials_file = pair.conf\n"


def pair_text(key, secret):
    return f"api {{ credentials {{ access_key: {key}, secret_key: \"{secret}\" }} }}\n"


@pytest.fixture
def rotating(home, daemon, server):
    server.state.set_vaults(["team: 1"])
    home.settings(FAST.replace("timeout = 10s", "timeout = 3s") + SECTION.format(url=server.url))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    home.conf("")
    daemon.start()
    daemon.wait_state("ready")
    daemon.wait_value("team", 1)
    return daemon


def in_file(home):
    """The pair as anybody reads it, at one go."""
    text = (home.path / FILE).read_text()
    if text.startswith("{"):
        pair = json.loads(text)["api"]["credentials"]
        return pair["access_key"], pair["secret_key"]
    return ACCESS_KEY, SECRET_KEY


def log_in(server, pair):
    """The status of a login with a pair, as any client of the server makes it."""
    request = urllib.request.Request(server.url + "/auth.login")
    request.add_header("Authorization", "Basic " + base64.b64encode(":".join(pair).encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def keys(server):
    """{access key: label} of the user."""
    return {pair.access_key: pair.label for pair in server.state.user().credentials}


def rotate(home, *more, check=0):
    return home.client("credentials", "rotate", *more, check=check)


def journal(home):
    return home.path / "state/clearconf/red.rotation"


def wait_done(daemon, home):
    wait_until(lambda: "rotation" not in daemon.workspace(), "the end of the rotation")
    assert not journal(home).exists()


def test_a_new_pair_takes_the_place_of_the_old_one(home, rotating, server):
    server.state.user().credentials[0].label = "box"
    answer = json.loads(rotate(home, "--grace", "6", "--json").stdout)
    assert answer["old_access_key"] == ACCESS_KEY and answer["file"] == str(home.path / FILE)
    new = in_file(home)
    assert new[0] == answer["access_key"] != ACCESS_KEY
    assert (home.path / FILE).stat().st_mode & 0o777 == 0o600
    assert rotating.workspace()["access_key"] == new[0]
    assert rotating.get("api.credentials.access_key") == new[0]
    assert rotating.get("team") == 1
    assert log_in(server, (ACCESS_KEY, SECRET_KEY)) == log_in(server, new) == 200
    wait_done(rotating, home)
    assert log_in(server, (ACCESS_KEY, SECRET_KEY)) == 401 and log_in(server, new) == 200
    assert keys(server) == {new[0]: "box"}
    assert rotating.status()["state"] == "ready"
    assert "rotated workspace=red" in rotating.log() or "event=rotated" in rotating.log()


class Logins:
    """Ten logins a second with whatever is in the file."""

    def __init__(self, home, server):
        self.home, self.server = home, server
        self.statuses, self.threads = [], []
        self.over = threading.Event()
        self.clock = threading.Thread(target=self._go_on)

    def __enter__(self):
        self.clock.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.clock.join()
        for thread in self.threads:
            thread.join()

    def _go_on(self):
        while not self.over.wait(0.1):
            self.threads.append(threading.Thread(target=self._log_in))
            self.threads[-1].start()

    def _log_in(self):
        self.statuses.append(log_in(self.server, in_file(self.home)))


def test_ten_logins_a_second_and_none_fails(home, rotating, server):
    """Whoever reads the file gets a whole pair that works until the grace is over."""
    seen = {in_file(home)[0]}
    with Logins(home, server) as logins:
        for _ in range(3):
            rotate(home, "--grace", "3")
            seen.add(in_file(home)[0])
            wait_done(rotating, home)
    assert logins.statuses and set(logins.statuses) == {200}
    assert len(seen) == 4 and keys(server).keys() == {in_file(home)[0]}


def test_while_it_waits_it_is_told_and_can_be_hurried(home, rotating, server):
    out = rotate(home).stdout
    assert "is in force" in out and f"{ACCESS_KEY} is revoked at" in out
    told = rotating.workspace()["rotation"]
    assert told["state"] == "waiting" and told["old_access_key"] == ACCESS_KEY
    assert abs(told["revoke_at"] - time.time() - 3600) < 30
    assert "waiting" in home.client("status", check=0).stdout
    new = in_file(home)
    assert "is revoked at" in rotate(home).stdout
    assert rotating.workspace()["rotation"]["revoke_at"] == told["revoke_at"]
    assert "end that with --grace 0" in rotate(home, "--expires", "1h", check=6).stderr
    rotate(home, "--grace", "0")
    wait_done(rotating, home)
    assert in_file(home) == new and keys(server).keys() == {new[0]}


def test_the_life_of_the_old_pair_is_that_of_the_new_one(home, daemon, server):
    pair = server.state.add_credentials(expiration_sec=100_000)
    home.settings(FAST + SECTION.format(url=server.url))
    home.write(FILE, pair_text(pair["access_key"], pair["secret_key"])).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    answer = json.loads(rotate(home, "--json").stdout)
    assert abs(answer["expires"] - time.time() - 100_000) < 30
    rotate(home, "--grace", "0")
    wait_done(daemon, home)
    answer = json.loads(rotate(home, "--json", "--expires", "1h").stdout)
    assert abs(answer["expires"] - time.time() - 3600) < 30


# -- what it does not do ------------------------------------------------------------------------

def test_keys_that_stand_elsewhere_are_not_rewritten(home, conf, daemon, server):
    home.settings(FAST)
    home.conf(conf())
    daemon.start()
    daemon.wait_state("ready")
    done = rotate(home, check=6)
    assert "clearml.conf, where clearconf rewrites nothing" in done.stderr
    assert "credentials_file" in done.stderr and server.count("auth.create_credentials") == 0


def more_in_it(home):
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY) + "a: 1\n").chmod(0o600)


def a_link(home):
    (home.path / FILE).rename(home.path / "elsewhere.conf")
    (home.path / FILE).symlink_to(home.path / "elsewhere.conf")


def two_names(home):
    os.link(home.path / FILE, home.path / "other.conf")


@pytest.mark.parametrize("spoil, problem", [
    (more_in_it, "which would be lost"), (a_link, "symbolic link"), (two_names, "several names")])
def test_a_file_that_would_lose_something_is_left_alone(home, rotating, server, spoil, problem):
    spoil(home)
    assert problem in rotate(home, check=6).stderr
    assert server.count("auth.create_credentials") == 0


def test_a_key_that_others_here_use_from_elsewhere_is_not_rotated(home, daemon, server):
    home.settings(FAST + SECTION.format(url=server.url) + "active = yes\n"
                  f"[workspace blue]\napi_server = {server.url}\naccess_key = {ACCESS_KEY}\n"
                  "secret_key_file = blue.secret\n")
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    home.write("config/clearconf/blue.secret", SECRET_KEY).chmod(0o600)
    daemon.start()
    wait_until(lambda: all(x["state"] == "ready" for x in daemon.status()["workspaces"]), "ready")
    assert "another workspace logs in with the same key" in rotate(home, check=6).stderr


def test_two_workspaces_of_one_file_move_together(home, daemon, server):
    home.settings(FAST + SECTION.format(url=server.url) + "active = yes\n" +
                  SECTION.format(url=server.url).replace("workspace red", "workspace blue"))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    daemon.start()
    wait_until(lambda: all(x["state"] == "ready" for x in daemon.status()["workspaces"]), "ready")
    rotate(home, "--grace", "0")
    wait_done(daemon, home)
    assert {x["access_key"] for x in daemon.status()["workspaces"]} == {in_file(home)[0]}


def test_an_open_source_server_can_be_rotated_at(home, daemon):
    with ClearMLServer(edition="open") as server:
        home.settings(FAST + SECTION.format(url=server.url))
        home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
        daemon.start()
        daemon.wait_state("ready")
        assert "knows no expiry" in rotate(home, "--expires", "1h", check=6).stderr
        rotate(home, "--grace", "0")
        wait_done(daemon, home)
        assert keys(server).keys() == {in_file(home)[0]}


# -- what goes wrong on the way -----------------------------------------------------------------

def untouched(home, daemon, server):
    """The old pair is in the file, in force and alone."""
    wait_done(daemon, home)
    assert in_file(home) == (ACCESS_KEY, SECRET_KEY) and keys(server).keys() == {ACCESS_KEY}
    assert daemon.workspace()["access_key"] == ACCESS_KEY
    assert daemon.status()["state"] == "ready"


@pytest.mark.parametrize("failure", [
    {"endpoint": "auth.get_credentials", "status": 500},
    {"endpoint": "auth.create_credentials", "status": 502},
    {"endpoint": "auth.login", "status": 500}])
def test_what_fails_leaves_the_old_pair_alone(home, rotating, server, failure):
    server.fail("page", **failure, times=1)
    assert "the old key pair stays in force" in rotate(home, check=6).stderr
    untouched(home, rotating, server)
    rotate(home, "--grace", "0")
    wait_done(rotating, home)
    assert keys(server).keys() == {in_file(home)[0]} != {ACCESS_KEY}


def test_a_pair_that_was_made_without_an_answer_is_found_and_discarded(home, daemon, server):
    home.settings(FAST.replace("timeout = 10s", "timeout = 500ms") + SECTION.format(url=server.url))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, "auth.create_credentials") as held:
        done = rotate(home, check=6)
        held.let_go()
    assert "the old key pair stays in force" in done.stderr
    untouched(home, daemon, server)
    assert server.count("auth.revoke_credentials") >= 1


def test_a_file_that_cannot_be_written_is_told_before_anything_is_made(home, rotating, server):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (home.path / FILE).parent.chmod(0o500)
    try:
        assert "cannot write" in rotate(home, check=6).stderr
    finally:
        (home.path / FILE).parent.chmod(0o700)
    assert server.count("auth.create_credentials") == 0


STEPS = {"auth.get_credentials": 0, "auth.create_credentials": 0, "auth.login": 0,
         "auth.edit_credentials": 1, "auth.revoke_credentials": 1}


@pytest.mark.parametrize("step", STEPS)
def test_after_a_crash_at_any_step_one_whole_pair_is_good(home, daemon, server, step):
    """Killed while the server works at the step, which it does all the same."""
    home.settings(FAST + SECTION.format(url=server.url))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    daemon.start()
    daemon.wait_state("ready")
    with Held(server, step) as held:
        asked = server.count(step)
        daemon_call = threading.Thread(target=home.client, args=("credentials", "rotate", "--grace", "0"))
        daemon_call.start()
        wait_until(lambda: server.count(step) > asked, step)
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        held.let_go()
    daemon_call.join()
    assert log_in(server, in_file(home)) == 200
    with Daemon(home) as again:
        again.wait_state("ready")
        wait_done(again, home)
        assert keys(server).keys() == {in_file(home)[0]}
        assert (in_file(home)[0] != ACCESS_KEY) == bool(STEPS[step])
        assert again.workspace()["access_key"] == in_file(home)[0]


def test_killed_at_any_moment(home, server):
    """A few milliseconds later each time, from before the first question to after the last."""
    home.settings(FAST + SECTION.format(url=server.url))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    with Logins(home, server) as logins:
        for delay in range(0, 120, 12):
            daemon = Daemon(home).start()
            daemon.wait_state("ready")
            wait_done(daemon, home)
            assert keys(server).keys() == {in_file(home)[0]}
            call = threading.Thread(target=home.client, args=("credentials", "rotate", "--grace", "2"))
            call.start()
            time.sleep(delay / 1000)
            daemon.process.kill()
            daemon.process.wait()
            call.join()
            assert log_in(server, in_file(home)) == 200
    assert logins.statuses and set(logins.statuses) == {200}


def test_a_grace_outlives_the_daemon(home, rotating, server):
    rotate(home, "--grace", "3")
    new = in_file(home)
    rotating.stop()
    with Daemon(home) as again:
        again.wait_state("ready")
        wait_until(lambda: again.workspace().get("rotation", {}).get("state") == "waiting"
                   or "rotation" not in again.workspace(), "it is taken up")
        wait_done(again, home)
    assert keys(server).keys() == {new[0]}


def test_who_puts_a_third_pair_there_decides(home, rotating, server):
    rotate(home)
    new = in_file(home)
    rotating.stop()
    third = server.state.add_credentials()
    home.write(FILE, pair_text(third["access_key"], third["secret_key"])).chmod(0o600)
    with Daemon(home) as again:
        again.wait_state("ready")
        wait_done(again, home)
        assert "rotation-given-up" in again.log()
    assert keys(server).keys() == {ACCESS_KEY, new[0], third["access_key"]}


def test_the_vaults_are_kept_for_the_new_pair(home, rotating, server):
    rotate(home, "--grace", "0")
    wait_done(rotating, home)
    rotating.stop()
    server.fail("drop")
    with Daemon(home) as again:
        again.wait_state("offline")
        assert again.get("team") == 1


def test_who_may_only_read_sees_that_it_goes_on_and_no_key(home, server, strangers):
    home.settings(FAST + "[access]\nread = 4242\n" + SECTION.format(url=server.url))
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        with pytest.raises(VarlinkError) as caught:
            strangers.call(4242, "RotateCredentials")
        assert caught.value.name == "io.clearconf.AccessDenied"
        daemon.call("RotateCredentials")
        told = strangers.call(4242, "GetStatus")["status"]["workspaces"][0]["rotation"]
        assert (told["state"], told["old_access_key"], told["access_key"]) == ("waiting", "****", "****")


# -- the file by itself -------------------------------------------------------------------------

def test_another_pair_in_the_file_is_taken_up_without_a_signal(home, rotating, server):
    other = server.state.add_credentials()
    home.write(FILE, pair_text(other["access_key"], other["secret_key"])).chmod(0o600)
    wait_until(lambda: rotating.workspace()["access_key"] == other["access_key"], "the other pair")


def test_half_a_pair_changes_nothing(home, rotating):
    home.write(FILE, f"api.credentials.access_key: {ACCESS_KEY}\n").chmod(0o600)
    wait_until(lambda: "no whole key pair" in (rotating.last_error() or ""), "the problem")
    assert rotating.get("api.credentials.access_key") == ACCESS_KEY and rotating.get("team") == 1


@pytest.mark.parametrize("more, problem", [
    ("access_key = K\nsecret_key_file = s\n", "holds both keys"), ("", None)])
def test_both_ways_are_one_too_many(home, more, problem):
    home.settings("[workspace red]\napi_server = http://127.0.0.1:9\ncredentials_file = pair.conf\n" + more)
    home.write(FILE, pair_text(ACCESS_KEY, SECRET_KEY)).chmod(0o600)
    done = home.daemon("--check")
    assert (problem in done.stdout) if problem else "holds both" not in done.stdout
