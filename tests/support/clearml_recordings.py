"""Recordings of the real ClearML server: requests, answers, and the state that lies behind them.

They are the folder api of the shared material beside the checkout, or of CLEARCONF_SHARED.
"""

import base64
import json
import os
import pathlib
import re
import time
import urllib.parse
from email.utils import parsedate_to_datetime

import clearml_token
from clearml_api import endpoint_name
from clearml_state import State

_BESIDE = pathlib.Path(__file__).resolve().parents[3] / "shared"
FOLDER = pathlib.Path(os.environ.get("CLEARCONF_SHARED") or _BESIDE) / "api"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if not path.stem.startswith("jwt_"))
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")

CLEARML, GUESTS = "d1bd92a3b039400cbafc60a7a5b1e52b", "025315a9321f49f8be07f5ac48fbcf92"
TESTS, SYSTEM = "__tests__", "__apiserver__"
JANE, ZOE = "2534116a298b4a24825fd4530a79c640", "b1827c18b3b7412492379e06eb43604b"
FIXED_JANE, JOHN = "3cd2831cdf07aede577ec69d4671c92c", "9ae3c1654caac4add3c64e408c70b93b"
GUEST = "79b8badf3cc8180ffaa2e98d493f3bf9"
USERS = {
    TESTS: dict(name="Default User", given_name="Default", family_name="User", auth_name="tests",
                created="2026-11-24T02:29:43.567000+00:00", created_in_version=None, protected=True),
    SYSTEM: dict(name="apiserver", role="system", backend=False),
    JANE: dict(name="Jane Doe", given_name="Jane", family_name="Doe",
               created="2026-11-24T02:31:14.843000+00:00"),
    ZOE: dict(name='Zo\u00eb \u65e5\u672c \U0001f642 "q" \\ /',
              created="2026-11-24T02:41:27.136000+00:00"),
    FIXED_JANE: dict(name="Jane Doe", given_name="Jane", family_name="Doe", username="jane",
                     password="12345678", created="2026-11-24T02:38:01.331000+00:00",
                     created_in_version=None),
    JOHN: dict(name="John Smith"),
    GUEST: dict(name="Guest", company=GUESTS, role="guest", given_name="Guest", family_name="",
                username="guest", password="guest", created="2026-11-24T02:38:01.330000+00:00",
                created_in_version=None),
}
FIXED = (TESTS, FIXED_JANE, JOHN, GUEST)
PAIR_OWNERS = {"EGRTCO8J": TESTS, "62T8CP7H": SYSTEM, "Q54AMSLQ": JANE, "DUY7GI03": ZOE,
               "1Y2NSCQ6": FIXED_JANE}


class Recording:
    """One recorded exchange, and the state the real server must have been in before it."""

    def __init__(self, name):
        document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.name, self.request, self.response = name, document["request"], document["response"]
        self.endpoint = endpoint_name(urllib.parse.urlsplit(self.request["path"]).path)
        self.data = (self.response.get("body_json") or {}).get("data", {})
        authorization = self.request["headers"].get("Authorization", "")
        self.basic = authorization[6:] if str(authorization).startswith("Basic ") else None

    def state(self):
        """A server state in which the recorded answer is the right one."""
        state = State("open", populate=False)
        date = next(value for key, value in self.response["headers"] if key == "Date")
        state.clock_offset = parsedate_to_datetime(date).timestamp() - time.time()
        state.add_company("clearml", CLEARML)
        state.add_company("guests", GUESTS)
        for user in self._users():
            state.add_user(id=user, **USERS[user])
        self._give_pairs(state)
        self._give_rest(state)
        return state

    def _users(self):
        if self.name.startswith(("fixed_", "guest_")):
            return FIXED
        seen = JWT.sub(lambda token: json.dumps(clearml_token.peek(token[0])[1]), json.dumps(self.request))
        return [TESTS, SYSTEM, *(user for user in (JANE, ZOE) if user in seen or self._owner() == user)]

    def _owner(self):
        """Who holds the key pair the request logs in with."""
        try:
            key = base64.b64decode(self.basic or "").decode("latin-1").partition(":")[0]
        except ValueError:
            return None
        return PAIR_OWNERS.get(key[:8])

    def _give_pairs(self, state):
        if self._owner() and self.response["status"] != 401:
            key, secret = base64.b64decode(self.basic).decode("latin-1").split(":", 1)
            state.add_credentials(self._owner(), access_key=key, secret_key=secret)
        for entry in self.data.get("credentials", []) if self.endpoint == "auth.get_credentials" else []:
            state.add_credentials(self._caller(), access_key=entry["access_key"], label=entry.get("label"))
            pair = state.user(self._caller()).credentials[-1]
            pair.last_used, pair.last_used_from = entry.get("last_used"), entry.get("last_used_from")
        if {"updated", "revoked"} & set(self.data) and "credentials" in self.endpoint:
            state.add_credentials(self._caller(), access_key=self._argument("access_key"))

    def _give_rest(self, state):
        if self.name == "current_user_revoked_token":
            state.revoked_sessions.add(self._claims()["session_id"])
        if self.endpoint == "server.info":
            state.uid = self.data.get("uid", state.uid)
        if self.endpoint == "users.get_preferences" and self.data:
            state.user(self._caller()).preferences = self.data["preferences"]
        if self.data.get("updated") == 0:
            state.user(self._caller()).preferences = json.loads(self.request["body"])["preferences"]

    def _claims(self):
        token = JWT.search(str(self.request["headers"]))
        return clearml_token.peek(token[0])[1] if token else {}

    def _caller(self):
        return self._claims()["identity"]["user"] if self._claims() else self._owner()

    def _argument(self, name):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.request["path"]).query))
        return query.get(name) or json.loads(self.request["body"])[name]

    def again(self, signing_key):
        """(path, method, body, headers) of the request, its tokens signed anew with this key."""
        def renew(token):
            signed = token[0].rpartition(".")[0]
            algorithm = clearml_token.peek(token[0])[0]["alg"]
            if algorithm == "none" or self.name == "current_user_bad_signature":
                return token[0]
            return clearml_token.sign(signed, signing_key, algorithm)
        headers = json.loads(JWT.sub(renew, json.dumps(self.request["headers"])))
        body = JWT.sub(renew, self.request["body"] or "")
        return self.request["path"], self.request["method"], body, headers


VOLATILE = [
    (r'^\{"meta":\{"id":"([0-9a-f]{32})","trx":"\1"', '{"meta":{"id":"ID","trx":"ID"'),
    (r'^\{"meta":\{"id":"[0-9a-f]{32}","trx"', '{"meta":{"id":"ID","trx"'),
    (r'"access_key":"[A-Z0-9]{30}",("label":"[^"]*",)?"secret_key":"[\w-]{67}"', r'\1PAIR'),
    (r'"data":\{"id":"[0-9a-f]{32}"\}', '"data":{"id":"ID"}'),
    (r'"error_stack":"Traceback.*?\\n",', '"error_stack":"TRACEBACK",'),
    (r"Expires=\w{3}, \d\d \w{3} 5195 \d\d:\d\d:\d\d GMT", "Expires=5195"),
]


def stable(text):
    """The text without what differs from run to run: ids, new keys, times and signatures in tokens."""
    def claims(token):
        if '"none"' in json.dumps(clearml_token.peek(token[0])[0]):
            return token[0]
        header, payload = clearml_token.peek(token[0])
        assert re.fullmatch(r"[0-9a-f]{32}", payload.pop("session_id"))
        payload["exp"] = payload["exp"] - payload["iat"] if "exp" in payload else None
        del payload["iat"]
        return json.dumps([header, payload], sort_keys=True)
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text, flags=re.S)
    return JWT.sub(claims, text)


def stable_headers(headers, packed):
    """Header pairs in order, without Date, and without the length of what was compressed."""
    drop = {"Date"} | ({"Content-Length"} if packed else set())
    return [(key, stable(value)) for key, value in headers if key not in drop]
