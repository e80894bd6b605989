"""What programs of ClearML get of the vaults: merged into their file, or live."""

import subprocess

import pytest
from harness import CLIENT, FAST, wait_until

VAULT = {"id": "v", "data": 'a: vault, b: vault, api.api_server: "http://127.0.0.1:9"'}


@pytest.fixture
def vaulted(home, conf, daemon, server):
    server.state.add_vault(VAULT)
    home.settings(FAST)
    home.conf(conf("a: mine, c: mine"))
    return daemon.start()


class Keeping:
    """A dump --watch; its file is in .text()."""

    def __init__(self, home, *options, env=None):
        self.path = home.path / "kept.conf"
        self.process = subprocess.Popen(
            [CLIENT, "dump", "--watch", "--format", "hocon", "--output", self.path, *options],
            env=dict(home.env, **(env or {})), stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        wait_until(self.path.exists, "the dump")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def wait_for(self, part):
        wait_until(lambda: part in self.path.read_text(), part)


def dump(home, *options, check=0):
    return home.client("dump", "--format=hocon", *options, check=check).stdout


def test_a_dump_has_the_vaults_but_not_where_they_lock_nothing_in(home, vaulted, server):
    text = dump(home)
    assert 'a = "vault"\n' in text and 'c = "mine"\n' in text
    assert f'api_server = "{server.url}"\n' in text
    assert dump(home, "--vaults=merged") == text
    assert home.client("dump", "api.api_server", check=0).stdout == f"{server.url}\n"
    assert home.client("get", "api.api_server", check=0).stdout == "http://127.0.0.1:9\n"


def test_a_dump_may_leave_the_vaults_to_clearml(home, vaulted, server):
    text = dump(home, "--vaults=live")
    assert 'a = "mine"\n' in text and "b =" not in text and 'c = "mine"\n' in text
    assert home.client("dump", "b", "--vaults=live", check=3).stdout == ""
    assert "merged or live" in home.client("dump", "--vaults=x", check=2).stderr


def test_what_a_vault_hides_is_kept_current(home, conf, vaulted, server):
    """What is resolved stays as it is: only the documents behind it change."""
    with Keeping(home, "--vaults=live") as kept:
        home.conf(conf("a: other, c: mine"))
        kept.wait_for('a = "other"\n')
        assert home.client("get", "a", check=0).stdout == "vault\n"


def test_a_locked_key_that_a_vault_hides_is_kept_current(home, conf, vaulted):
    with Keeping(home) as kept:
        home.settings(FAST + "[lock]\nkeys = a\n")
        vaulted.reload()
        kept.wait_for('a = "mine"\n')
        home.conf(conf("a: other, c: mine"))
        kept.wait_for('a = "other"\n')
        assert home.client("get", "a", check=0).stdout == "vault\n"


def test_what_the_daemons_variables_hide_is_kept_current_for_others(home, daemon):
    daemon.env["CLEARML_AGENT__A"] = "daemon"
    home.conf("a: 1")
    daemon.start()
    with Keeping(home, "--env") as kept:
        kept.wait_for("a = 1\n")
        home.conf("a: 2")
        kept.wait_for("a = 2\n")


def test_the_file_of_exec_is_kept_current_in_what_a_vault_hides(home, conf, vaulted):
    seen = home.path / "seen"
    script = f'cat "$CLEARML_CONFIG_FILE" > {seen}.new; mv {seen}.new {seen}; exec sleep 60'
    process = subprocess.Popen([CLIENT, "exec", "--vaults=live", "--on-change=restart", "--",
                                "sh", "-c", script], env=home.env)
    try:
        wait_until(seen.exists, "the command")
        home.conf(conf("a: other, c: mine"))
        wait_until(lambda: 'a = "other"\n' in seen.read_text(), "the change")
    finally:
        process.terminate()
        process.wait()
