import contextlib
import os
import pathlib
import sys
import tempfile

import pytest

SUPPORT = pathlib.Path(__file__).resolve().parent / "support"
sys.path.insert(0, str(SUPPORT))

from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from etcd import BASE, Node  # noqa: E402
from harness import Daemon, Home, Strangers  # noqa: E402
from ledger import LEDGER  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_is_given_away():
    """No log, status, error or file of the state folder tells a secret that any test has used."""
    LEDGER.begin()
    yield
    assert LEDGER.given_away() == []


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def server():
    """A stand-in ClearML Enterprise server."""
    with ClearMLServer(port=0, edition="enterprise") as running:
        yield running


@pytest.fixture
def conf(server):
    """A clearml.conf that logs in to the stand-in server."""
    def text(more=""):
        return (f"api {{ api_server: {server.url}\n"
                f"  credentials {{ access_key: {ACCESS_KEY}, "
                f"secret_key: \"{SECRET_KEY}\" }} }}\n{more}\n")
    return text


@pytest.fixture
def daemon(home):
    """A daemon without server or settings; start() it when the home is ready."""
    with_home = Daemon(home)
    yield with_home
    with_home.__exit__(None)


@pytest.fixture
def ending():
    """What is entered here ends with the test, the last one first."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def short_folder():
    """For daemons beside each other: a socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="clearconf-") as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def etcd_node(tmp_path_factory):
    with Node(tmp_path_factory.mktemp("etcd")) as node:
        yield node


@pytest.fixture
def etcd(etcd_node):
    """A real node, without documents, reports and revisions."""
    etcd_node.clear(BASE)
    return etcd_node


@pytest.fixture
def strangers():
    """Other users: serve at strangers.socket."""
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    with Strangers() as others:
        yield others
