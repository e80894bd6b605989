"""Whose root has every right: that of this host, none of a container's, or nobody's."""

import os
import shutil
import subprocess

import pytest
from harness import CLIENT, Daemon, wait_until

pytestmark = [pytest.mark.skipif(os.geteuid() != 0, reason="only root can be root"),
              pytest.mark.skipif(not shutil.which("unshare"), reason="unshare(1) is not installed")]

# Each is uid 0 to the kernel, as it tells the daemon.
CONTAINERS = {
    "users": ["unshare", "--user", "--map-root-user"],
    "processes": ["unshare", "--pid", "--fork"],
}


@pytest.fixture
def serve(home, daemon):
    def started(access=""):
        home.settings(f"[access]\n{access}")
        home.conf("k: 1\npassword: hidden-from-some")
        return daemon.start()
    return started


def get(home, *before):
    done = subprocess.run([*before, CLIENT, "get", "password"], env=home.env, capture_output=True,
                          text=True, timeout=30)
    if before and done.returncode == 1 and "unshare" in done.stderr:
        pytest.skip(f"unshare(1) may not do that here: {done.stderr.strip()}")
    return done


def test_root_of_this_host_has_every_right(home, serve):
    serve()
    assert get(home).stdout == "hidden-from-some\n"


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_root_of_a_container_has_none(home, serve, container):
    serve()
    done = get(home, *container)
    assert (done.returncode, done.stdout) == (5, "")
    assert "root has every right on the host itself only" in done.stderr


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_it_has_what_the_lists_give(home, serve, container):
    serve("read = root\n")
    done = get(home, *container)
    assert done.returncode == 5 and "--mask" in done.stderr
    assert get(home).stdout == "hidden-from-some\n"


def test_root_may_be_given_nothing(home, serve):
    serve("root = none\n")
    assert get(home).returncode == 5


def test_a_reload_asks_again(home, serve):
    running = serve("root = none\nread = root\n")
    with running.connect() as connection:
        assert connection.call("Get", path="password")["value"] == "****"
        home.settings("[access]\nroot = host\n")
        running.reload()
        wait_until(lambda: connection.call("Get", path="password")["value"] == "hidden-from-some",
                   "the real value")


def test_another_word_is_an_error(home):
    home.settings("[access]\nroot = container\n")
    home.conf("k: 1")
    done = home.daemon("--print")
    assert done.returncode == 1 and "host or none" in done.stderr


def test_the_log_says_why(home, serve):
    running = Daemon(home, "--log-level", "debug")
    home.conf("k: 1")
    with running:
        get(home, *CONTAINERS["processes"])
        assert "event=root-from-elsewhere" in running.log()
        assert 'reason="another PID namespace"' in running.log()
