"""Any sequence of bad days, refusals, changes, reloads, switches and calls of the server: at its end the daemon
serves what the servers say, and has told no secret (conftest.py)."""

import random

import pytest
from clearml_failures import FLOODS
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID
from harness import FAST, TURN_MS, wait_until
from varlink import VarlinkError

# So many that work which should not be done for each of them shows.
TEN_THOUSAND = "".join(f"many.section_{i // 100}.key_{i} = value_{i}\n" for i in range(10_000))
ERRANDS = ("GetProfile", "ListCredentials", "GetToken", "Reload", "CreateCredentials")
ENDPOINTS = (None, "users.get_vaults", "auth.login", "users.get_current_user")
SECRETS = {"one": SECRET_KEY, "two": "secret-of-two-0123456789"}
FAULTS = [("drop", {}), ("drop", {"reset": True}), ("half", {}), ("half_chunk", {}),
          ("bad_chunk", {}), ("cut_gzip", {}), ("bad_gzip", {}), ("hang", {}),
          ("slow", {"interval": .2}), ("huge", {"size": 2 << 20}),
          ("gzip_bomb", {"size": 32 << 20}), ("redirect", {"location": "/auth.login"}),
          ("page", {"status": 502}), ("page", {"status": 403}), ("page", {"status": 200}),
          ("page", {"status": 429, "headers": {"Retry-After": "1"}}), ("data", {"data": None}),
          ("data", {"data": {}}), ("envelope", {"code": 401, "subcode": 30}),
          ("envelope", {"code": 401, "subcode": 22}), ("envelope", {"code": 403, "subcode": 20}),
          ("envelope", {"code": 404}), ("envelope", {"code": 500}),
          *(("flood", {"kind": kind}) for kind in FLOODS)]


class Chaos:
    """Two workspaces of two companies of one server, and what may happen to them."""

    def __init__(self, seed, home, server, daemon):
        self.random = random.Random(seed)
        self.home, self.server, self.daemon = home, server, daemon
        self.turn = 0
        other = server.state.add_company("second")
        server.state.users[USER_ID].tenants.append(other)
        server.state.add_credentials(access_key="KEYOFTWO", secret_key=SECRETS["two"], company=other)
        self.companies = {"one": COMPANY_ID, "two": other}
        for name in self.companies:
            self.change(name)
            self.write_secret(name, SECRETS[name])
        home.conf(TEN_THOUSAND)
        home.settings(FAST.replace("10s", "500ms") + "revoked_grace = 500ms\n" + "".join(
            f"[workspace {name}]\napi_server = {server.url}\naccess_key = {key}\n"
            f"secret_key_file = {name}.secret\n"
            for name, key in (("one", ACCESS_KEY), ("two", "KEYOFTWO"))) + "[limits]\nresponse = 1M\n")

    def write_secret(self, name, secret):
        self.home.write(f"config/clearconf/{name}.secret", secret).chmod(0o600)

    def change(self, name):
        self.turn += 1
        self.server.state.set_vaults([{"id": "v", "data": f"company: {name}, turn: {self.turn}"},
                                      {"id": "m", "type": "monitoring", "data": f"seen: {self.turn}"}],
                                     company=self.companies[name])

    def any(self, some):
        return self.random.choice(list(some))

    def fail(self):
        name, options = self.any(FAULTS)
        self.server.fail(name, endpoint=self.any(ENDPOINTS), **options)

    def ask(self):
        """Whatever comes of it: it ends, and nobody else waits."""
        try:
            self.daemon.call(self.any(ERRANDS))
        except VarlinkError as error:
            assert error.name in ("io.clearconf.ServerError", "io.clearconf.NotReady")

    def switch(self):
        try:
            self.daemon.call("UseWorkspace", name=self.any(self.companies))
        except VarlinkError as error:
            assert error.name in ("io.clearconf.ServerError", "io.clearconf.NotReady")

    def step(self):
        self.any([self.fail, self.fail, self.server.clear_failures, self.ask, self.ask, self.switch,
                  self.server.state.invalidate_tokens, self.daemon.reload,
                  lambda: self.change(self.any(self.companies)),
                  lambda: self.server.state.revoke_credentials("KEYOFTWO"),
                  lambda: self.server.state.reinstate_credentials("KEYOFTWO"),
                  lambda: self.write_secret("two", self.any(["wrong-0123456789", SECRETS["two"]])),
                  ])()
        for name in self.companies:
            served = self.daemon.get(workspace=name)
            assert served.get("company", name) == name, "another company's vaults"

    def end(self):
        self.server.clear_failures()
        self.server.state.reinstate_credentials("KEYOFTWO")
        self.write_secret("two", SECRETS["two"])
        for name in self.companies:
            self.change(name)
            turn = self.turn
            for key in ("turn", "seen"):
                self.daemon.wait_value(key, turn, workspace=name)
            wait_until(lambda: self.daemon.workspace(name)["state"] == "ready", f"{name} ready")


@pytest.mark.parametrize("seed", range(20))
def test_what_is_served_in_the_end_is_what_the_server_says(seed, home, server, daemon):
    chaos = Chaos(seed, home, server, daemon)
    daemon.start()
    for _ in range(60):
        chaos.step()
    chaos.end()
    assert daemon.longest_turn_ms() < TURN_MS
