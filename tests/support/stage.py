"""A stage for faults: a daemon that serves a vault it has fetched, and the faults that are switched
on around it.

A fault is a function of the stage that returns a context manager: inside it the fault is on, and at
its end the fault is over. What a fault must never bring about is asserted as it ends.
"""

import contextlib
import json
import pathlib
import re
import socket
import subprocess

from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer
from clearml_state import DEFAULT_LIFETIME
from harness import Daemon, wait_until

VAULTS, LOGIN = "users.get_vaults", "auth.login"
VAULT_SECRET = "vault-secret-98765"

# Mode sdk asks for one kind of vault only: once a failure is told, nothing is under way that was
# asked before it.
SETTINGS = """\
[daemon]
mode = sdk
[poll]
interval = 100ms
jitter = 0%
timeout = 1s
backoff_max = 200ms
{poll}
[limits]
response = 1M
[workspace table]
access_key = {access_key}
secret_key_file = table.secret
inject = no
api_server = {api_server}
{workspace}
"""


class Stage:
    """One daemon and the stand-in it is logged in to; plays any number of faults, one by one."""

    def __init__(self, home, server, workspace="", poll="", **options):
        """workspace, poll: further lines of those sections; options: the daemon's."""
        self.home, self.server = home, server
        self.workspace, self.poll = workspace, poll
        self.turn = 0
        self.daemon = Daemon(home, **options)
        home.write("config/clearconf/table.secret", SECRET_KEY + "\n")
        home.conf("local: 1")
        self.settle(server.url)

    def settle(self, api_server):
        """Write settings that name this server."""
        self.home.settings(SETTINGS.format(access_key=ACCESS_KEY, api_server=api_server,
                                           workspace=self.workspace, poll=self.poll))

    def change_vault(self):
        """The server has another vault from now on; its turn tells them apart."""
        self.turn += 1
        self.server.state.set_vaults([f'team.name: reindeer\nteam.token: "{VAULT_SECRET}"\n'
                                      f"turn: {self.turn}"])

    def wait_turn(self):
        """Until the vault of this turn is served and all is well, as the client tells it."""
        self.daemon.wait_value("turn", self.turn)
        return self.wait_told("ready", None)

    def wait_told(self, state, words):
        """Until `clearconf status --json` says this of the workspace; what it says of it.

        words: a regular expression that last_error must match, that of the login in force or of
        one that is to follow it; None: there is none.
        """
        said = {}

        def told():
            said.clear()
            said.update(self.told())
            new = said.get("new_login") or {}
            error = said["server"].get("last_error") or new.get("last_error")
            if said["state"] != state or (words is None) != (error is None):
                return None
            return error is None or re.search(words, error)
        try:
            wait_until(told, f"state {state}")
        except AssertionError as late:
            raise AssertionError(f"{late}, error {words}; it says {json.dumps(said)}") from None
        return said

    def told(self):
        """What the client says of the workspace."""
        text = self.home.client("--socket", self.daemon.socket, "status", "--json", check=0).stdout
        status = json.loads(text)
        [workspace] = status["workspaces"]
        whole = "degraded" if workspace["state"] == "refused" else workspace["state"]
        assert status["state"] == whole
        return workspace

    def served(self):
        """What must not change: (generation, value)."""
        answer = self.daemon.call("Get")
        return answer["generation"], answer["value"]

    def wait_tries(self, count=2):
        """Until the daemon has asked the server again."""
        before = self.server.count()
        wait_until(lambda: self.server.count() >= before + count, f"{count} more requests")

    def peak_memory(self):
        """Kilobytes of memory the daemon ever had; 0 where that is not ours to read."""
        try:
            text = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        except PermissionError:
            return 0
        return int(text.partition("VmHWM:")[2].split()[0])


# -- faults of the stand-in ---------------------------------------------------------------------

def switch(on, off):
    """A fault that on(stage) begins and off(stage) ends."""
    @contextlib.contextmanager
    def fault(stage):
        on(stage)
        try:
            yield
        finally:
            off(stage)
    return fault


def set_state(**attributes):
    """Set attributes of the stand-in's state; tokens of before count no more."""
    def setter(stage):
        for name, value in attributes.items():
            setattr(stage.server.state, name, value)
        stage.server.state.invalidate_tokens()
    return setter


def fails(name, endpoint=VAULTS, **options):
    """The stand-in fails so: see clearml_failures. A login is made to happen."""
    def begin(stage):
        stage.server.fail(name, endpoint=endpoint, **options)
        if endpoint == LOGIN:
            stage.server.state.invalidate_tokens()
    return switch(begin, lambda stage: stage.server.clear_failures())


def tokens(lifetime=DEFAULT_LIFETIME, **claims):
    """Tokens are of this lifetime and with these claims (None: without), and one is needed."""
    return switch(set_state(token_claims=claims, token_lifetime=lifetime),
                  set_state(token_claims={}, token_lifetime=DEFAULT_LIFETIME))


def server_clock(seconds):
    """The server's clock is so far ahead of this machine's, and a token is needed."""
    return switch(set_state(clock_offset=seconds), set_state(clock_offset=0))


def _revoke(stage):
    stage.server.state.revoke_credentials(ACCESS_KEY)
    stage.server.state.invalidate_tokens()


# The key pair is taken back, and with it its tokens; the workspace is left, the token lives on.
revoked = switch(_revoke, lambda stage: stage.server.state.reinstate_credentials(ACCESS_KEY))
left = switch(lambda stage: stage.server.state.leave_company(),
              lambda stage: stage.server.state.rejoin_company())


def bounded(fault, kilobytes):
    """A fault that must not make the daemon take much more memory than it had."""
    @contextlib.contextmanager
    def measured(stage):
        before = stage.peak_memory()
        with fault(stage):
            yield
        assert stage.peak_memory() - before < kilobytes
    return measured


def one_login_each(fault):
    """A fault that may make the daemon log in once for each question, and no more."""
    @contextlib.contextmanager
    def counted(stage):
        logins, asked = stage.server.count(LOGIN), stage.server.count(VAULTS)
        with fault(stage):
            yield
        logins, asked = stage.server.count(LOGIN) - logins, stage.server.count(VAULTS) - asked
        assert 1 <= logins <= asked / 2 + 1
    return counted


@contextlib.contextmanager
def sent_elsewhere(stage):
    """Redirected to another host, which must not even be asked."""
    with ClearMLServer() as other:
        address = other.url.replace("127.0.0.1", "localhost") + "/users.get_vaults"
        with fails("redirect", status=301, location=address)(stage):
            yield
        assert not [each.headers for each in other.requests()]


# -- faults of the way there --------------------------------------------------------------------

# Nobody listens.
refused_connection = switch(lambda stage: stage.server.close_door(),
                            lambda stage: stage.server.open_door())


@contextlib.contextmanager
def unreachable(stage):
    """Whoever knocks hears nothing: a queue of connections that is full, and nobody takes one."""
    with refused_connection(stage), contextlib.ExitStack() as sockets:
        deaf = sockets.enter_context(socket.socket())
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", stage.server.port))
        deaf.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", stage.server.port))
        yield


def shows(certificate):
    """The server shows this certificate of the stage's (see make_certificates)."""
    def show(name):
        return lambda stage: stage.server.use_certificate(*stage.certificates[name])
    return switch(show(certificate), show("good"))


def make_certificates(folder):
    """{name: (certificate, key)}, and the path of the CA that all but "stranger" are signed by."""
    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True,
                       capture_output=True)

    def sign(name, extension, *by):
        (folder / f"{name}.ext").write_text(extension)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out",
                f"{name}.pem", *by)

    sign("ca", "basicConstraints=critical,CA:TRUE", "-signkey", "ca.key", "-days", 2)
    leaves = {"good": ("IP:127.0.0.1", 2), "expired": ("IP:127.0.0.1", -1),
              "elsewhere": ("DNS:elsewhere.invalid", 2), "stranger": ("IP:127.0.0.1", 2)}
    for name, (address, days) in leaves.items():
        by = ("-signkey", "stranger.key") if name == "stranger" else \
             ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
        sign(name, f"subjectAltName={address}", *by, "-days", days)
    return {name: (folder / f"{name}.pem", folder / f"{name}.key") for name in leaves}, folder / "ca.pem"
