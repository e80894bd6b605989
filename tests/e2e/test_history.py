"""What a daemon has served, over restarts: History, Watch since, and what lies on the disk."""

import os
import re
import shutil
import signal
import stat

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY, USER_ID
from harness import FAST, Daemon, wait_until


@pytest.fixture
def folder(home):
    return home.path / "state/clearconf/history/default.history"


def records(folder):
    return sorted(int(path.stem) for path in folder.glob("*.generation"))


def documents(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.document")}


def history(daemon, **parameters):
    return daemon.call("History", **parameters)["generations"]


def generation(daemon):
    return daemon.call("Get", path="")["generation"]


def wait_kept(folder, daemon):
    """Until the generation that is served is on disk."""
    wait_until(lambda: generation(daemon) in records(folder), "the history on disk")


def wait_history(daemon, count):
    return wait_until(lambda: len(history(daemon)) >= count and history(daemon), f"{count} generations")


@pytest.fixture
def lived(home, server, conf, folder):
    """A home whose daemon has served three generations; what History said of them."""
    def live(*texts, settings=FAST, kill=False):
        home.settings(settings)
        server.state.set_vaults([{"id": "v", "description": "team", "data": "turn: 1\nvault_pass: first-swordfish"}])
        home.conf(conf("a = 1"))
        with Daemon(home) as daemon:
            daemon.wait_value("turn", 1)
            for turn in (2, 3):
                server.state.set_vaults([{"id": "v", "description": "team",
                                          "data": f"turn: {turn}\nvault_pass: other-swordfish"}])
                daemon.wait_value("turn", turn)
            wait_kept(folder, daemon)
            told, number = history(daemon, reveal=True), generation(daemon)
            if kill:
                daemon.stop(signal.SIGKILL)
        return told, number
    return live


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_served_is_told_after_a_restart(lived, home, folder, kill):
    told, number = lived(kill=kill)
    with Daemon(home) as daemon:
        now = wait_history(daemon, len(told) + 1)
        assert history(daemon, reveal=True)[1:] == told
        assert now[0]["cause"] == "start" and now[0]["changes"] == []
        assert daemon.workspace()["history"] == len(now)
        assert daemon.workspace()["history_since"] == told[-1]["time"]
        assert "first-swordfish" not in str(now)
        wait_kept(folder, daemon)
    # Nothing came of that start: it takes no place.
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 1)
        assert history(daemon, reveal=True)[1:] == told


def missed(daemon, since):
    """What a watcher is told at first."""
    with daemon.connect() as connection:
        return connection.watch(since=since)


def test_who_watched_is_told_what_changed_meanwhile(lived, home, conf, server):
    told, number = lived()
    earlier = told[1]["generation"]
    home.conf(conf("a = 2"))
    server.fail("drop")
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 1)
        reply = missed(daemon, number)
        assert [(change["path"], change["kind"]) for change in reply["changes"]] == [("a", "changed")]
        reply = missed(daemon, earlier)
        assert [change["path"] for change in reply["changes"]] == ["a", "turn"]
        # What nobody knows: it may have served that before it was killed.
        reply = missed(daemon, number + 1)
        assert reply.get("resync")


# --- who, when, why ---


@pytest.fixture
def told(home, server, conf, daemon):
    """A daemon that has been told of a vault and of its edit."""
    vault = {"id": "v", "description": "team", "scope": "group", "group_name": "gpu",
             "last_update": "2026-11-24T07:48:56+00:00"}
    server.state.set_vaults([{**vault, "data": "a { b: 1, c: 1 }"}])
    home.settings(FAST)
    home.conf(conf("a.d = 1"))
    daemon.start().wait_value("a.b", 1)
    server.state.set_vaults([{**vault, "data": "a { b: 2, c: 1 }", "last_update": "2026-11-25T07:48:56+00:00"}])
    daemon.wait_value("a.b", 2)
    home.conf(conf("a.d = 2"))
    daemon.wait_value("a.d", 2)
    return daemon


def test_a_change_says_whose_text_it_is(told):
    [change] = history(told, limit=2)[1]["changes"]
    assert {key: change[key] for key in ("path", "scope", "owner", "last_update")} == {
        "path": "a.b", "scope": "group", "owner": "gpu", "last_update": "2026-11-25T07:48:56+00:00"}
    [change] = history(told, limit=1)[0]["changes"]
    assert "owner" not in change and "scope" not in change


def test_the_log_is_of_a_time_and_a_path(home, told):
    lines = home.client("log", "--path", "a.b", check=0).stdout.splitlines()
    assert re.search(r"vault changed a\.b \(vault:team:1:8\) \[group gpu, edited 2026-11-2\d \d\d:\d\d:56\]$", lines[0])
    assert all(" a.b " in line for line in lines)
    assert home.client("log", "--since", "0", "--path", "x", check=0).stdout == ""
    everything = home.client("log", "--json", check=0).stdout
    assert home.client("log", "--since", "2d", "--json", check=0).stdout == everything
    assert len(home.client("log", "--path", "a", "-n", "1", check=0).stdout.splitlines()) == 1
    wrong = home.client("log", "--path", "a..b", check=2).stderr
    assert wrong.startswith("clearconf: --path: 'a..b' is no path: ")
    assert "--since takes a number" in home.client("log", "--since", "yesterday", check=2).stderr


def lines_of(daemon, event):
    return [line for line in daemon.log().splitlines() if f"event={event} " in line]


def test_the_journal_has_a_line_for_each_path(home, told):
    wait_until(lambda: any("path=a.d" in line for line in lines_of(told, "changed")), "the line")
    [line] = [line for line in lines_of(told, "changed") if "path=a.b" in line and "kind=changed" in line]
    assert ("layer=vault source=v description=team line=1 column=8 owner=gpu "
            "edited=2026-11-25T07:48:56+00:00") in line
    assert "generation=" in line and "workspace=default" in line


def test_the_journal_is_not_flooded(home, server, conf, daemon):
    home.conf(conf("a = 1"))
    home.settings(FAST)
    daemon.start().wait_state("ready")
    home.write("clearml.conf", conf("\n".join(f"k{n} = 1" for n in range(3000))))
    daemon.wait_value("k2999", 1)
    wait_until(lambda: lines_of(daemon, "changed-more"), "the count")
    assert len(lines_of(daemon, "changed")) == 20
    assert "paths=2981" in lines_of(daemon, "changed-more")[0]
    for turn in range(20):
        home.conf(conf("\n".join(f"k{n} = x{turn}" for n in range(100))))
        daemon.wait_value("k99", f"x{turn}")
    assert len(lines_of(daemon, "changed")) <= 150


def test_no_value_and_no_secret_path_is_in_the_journal(home, server, conf, daemon):
    server.state.set_vaults(["vault_pass: swordfish-swordfish\n\"say swordfish-swordfish\": 1"])
    home.settings(FAST)
    home.conf(conf("text = value-that-nobody-logs"))
    daemon.start().wait_value("vault_pass", "swordfish-swordfish")
    server.state.set_vaults(["vault_pass: swordfish-swordfish\n\"say swordfish-swordfish\": 2"])
    home.conf(conf("text = other-value-that-nobody-logs"))
    wait_until(lambda: any("say" in line for line in lines_of(daemon, "changed")), "the line")
    assert "swordfish" not in daemon.log() and "nobody-logs" not in daemon.log()


# --- what is not to be served ---


def test_another_login_is_shown_nothing_of_it(lived, home, conf, folder, server, daemon):
    told, number = lived()
    server.state.add_credentials(access_key="ANOTHERKEY", secret_key="another-secret-0123456789")
    server.fail("drop")
    home.conf(conf("a = 1").replace(ACCESS_KEY, "ANOTHERKEY").replace(SECRET_KEY, "another-secret-0123456789"))
    daemon.start()
    wait_until(lambda: "event=history-not-used" in daemon.log(), "the warning")
    assert "was made for another server, company or key" in daemon.log()
    assert "swordfish" not in str(history(daemon, reveal=True)) and len(history(daemon)) == 1
    assert missed(daemon, number).get("resync")
    assert folder.with_name("default.history.bad").is_dir()
    wait_kept(folder, daemon)


def test_another_company_that_turns_out_is_shown_nothing_of_it(lived, home, server, folder):
    told, _ = lived()
    other = server.state.add_company("other")
    server.state.users[USER_ID].tenants.append(other)
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.add_credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY, company=other)
    with Daemon(home) as daemon:
        daemon.wait_value("turn", None)
        wait_until(lambda: {each["generation"] for each in history(daemon)}.isdisjoint(
            {each["generation"] for each in told}), "it to go")
        wait_until(lambda: set(records(folder)).isdisjoint({each["generation"] for each in told}), "the files to go")
    assert "vaults-of-another-login" in daemon.log()


def test_what_the_server_takes_back_is_gone_from_the_disk(lived, home, server, folder, daemon):
    told, _ = lived(settings=FAST + "revoked_grace = 10ms\n")
    daemon.start()
    daemon.wait_state("ready")
    server.state.revoke_credentials(ACCESS_KEY)
    server.state.invalidate_tokens()
    daemon.wait_value("turn", None)
    wait_until(lambda: records(folder) and set(records(folder)).isdisjoint(
        {each["generation"] for each in told}), "the files to go")
    assert all(b"swordfish" not in path.read_bytes() for path in folder.iterdir())


def test_a_rotated_key_keeps_it(lived, home, server, folder):
    told, _ = lived()
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 1)
        home.client("reload", check=0)  # it knows whose the old key is
        server.state.add_credentials(access_key="ROTATEDKEY", secret_key="rotated-secret-0123456789")
        home.conf((home.path / "clearml.conf").read_text().replace(ACCESS_KEY, "ROTATEDKEY").replace(
            SECRET_KEY, "rotated-secret-0123456789"))
        wait_until(lambda: daemon.workspace()["access_key"].startswith("ROTATEDKEY"), "the new key")
        wait_until(lambda: b"ROTATEDKEY" in (folder / "owner").read_bytes(), "the owner")
    with Daemon(home) as daemon:
        wait_history(daemon, len(told) + 2)


def test_a_login_that_cannot_be_read_yet_costs_nothing(lived, home, folder, daemon):
    told, _ = lived()
    text = (home.path / "clearml.conf").read_text()
    home.conf("a = 1")
    daemon.start()
    daemon.wait_value("a", 1)
    assert len(history(daemon)) == 1
    home.conf(text)
    wait_history(daemon, len(told) + 1)


# --- what lies on the disk ---


def test_all_of_it_is_private(lived, folder):
    lived()
    for path in (folder.parent, folder, *folder.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_change_rewrites_no_other_document(home, server, conf, folder, daemon):
    home.settings(FAST)
    server.state.set_vaults([{"id": "v", "data": "\n".join(f"k{n} = value{n}" for n in range(2000))}])
    home.conf(conf("a = 1"))
    daemon.start().wait_value("k1999", "value1999")
    wait_kept(folder, daemon)
    before = documents(folder)
    home.conf(conf("a = 2"))
    daemon.wait_value("a", 2)
    wait_kept(folder, daemon)
    after = documents(folder)
    assert all(after[name] == time for name, time in before.items())
    [new] = set(after) - set(before)
    assert (folder / new).stat().st_size < 1500


def test_the_limit_holds_on_disk(home, conf, server, folder, daemon):
    home.settings(FAST + "[limits]\nhistory = 3\n")
    home.conf(conf("a = 0"))
    daemon.start().wait_state("ready")
    for turn in range(1, 8):
        home.conf(conf(f"a = {turn}"))
        daemon.wait_value("a", turn)
    wait_kept(folder, daemon)
    wait_until(lambda: len(records(folder)) == 3, "three generations")
    wait_until(lambda: len(documents(folder)) == 3, "three documents")
    daemon.stop()
    daemon.start()
    # Of the oldest nobody knows what it changed.
    wait_history(daemon, 2)
    assert history(daemon)[1]["changes"][0]["path"] == "a"


def test_a_history_of_one_leaves_nothing_on_disk(lived, home, folder, daemon):
    lived()
    home.settings(FAST + "[limits]\nhistory = 1\n")
    daemon.start()
    wait_until(lambda: not folder.exists(), "the folder to go")
    assert len(history(daemon)) == 1


def test_print_and_check_write_none(home, server, conf, folder):
    home.conf(conf("a = 1"))
    home.resolve()
    home.daemon("--check")
    assert not folder.exists()


def test_a_damaged_one_is_set_aside(lived, home, folder):
    told, number = lived()
    newest = folder / f"{number:020}.generation"
    newest.write_bytes(newest.read_bytes()[:-1])
    os.truncate(next(folder.glob("*.document")), 0)
    with Daemon(home) as daemon:
        daemon.wait_value("turn", 3)
        wait_until(lambda: "event=history-not-used" in daemon.log(), "the warning")
        wait_kept(folder, daemon)
        assert missed(daemon, number).get("resync")
    assert list(folder.glob("*.bad"))


def test_a_file_in_its_place_loses_nothing(home, server, conf, folder, daemon):
    home.settings(FAST)
    home.conf(conf("a = 1"))
    folder.parent.parent.mkdir(parents=True, mode=0o700)
    folder.parent.write_text("a file")
    daemon.start().wait_value("a", 1)
    problem = wait_until(lambda: daemon.workspace().get("history_problem"), "the problem")
    assert "event=history-not-written" in daemon.log()
    assert f"not all of it is on the disk: {problem}" in home.client("status", check=0).stdout
    assert f"warning  history: workspace default: not all of it is on the disk ({problem})" in home.client("doctor").stdout
    assert 'clearconf_workspace_history_unwritten{workspace="default"} 1' in home.client(
        "status", "--openmetrics").stdout
    home.conf(conf("a = 2"))
    daemon.wait_value("a", 2)
    assert daemon.log().count("event=history-not-written") == 1
    folder.parent.unlink()
    home.conf(conf("a = 3"))
    wait_until(lambda: len(records(folder)) == 3, "all three")
    wait_until(lambda: "event=history-recovered" in daemon.log(), "what the log says of it")
    assert "history_problem" not in daemon.workspace()
    assert 'clearconf_workspace_history_unwritten{workspace="default"} 0' in home.client(
        "status", "--openmetrics").stdout


def test_the_folder_of_a_workspace_that_is_gone_goes(lived, home, folder, daemon):
    lived()
    old = folder.with_name("gone.history")
    shutil.copytree(folder, old)
    for path in (old, *old.iterdir()):
        os.utime(path, (1, 1))
    daemon.start()
    wait_until(lambda: not old.exists(), "the folder to go")
    assert folder.exists()
