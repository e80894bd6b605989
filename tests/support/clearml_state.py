"""What the stand-in ClearML server knows: companies (workspaces), users, key pairs, vaults, work.

All methods may be called while the server runs, from any thread: they take `State.lock`, which the
server also holds while it runs a call.
"""

import dataclasses
import secrets
import threading
import time
import uuid
from datetime import datetime, timezone

import clearml_token
from clearml_work import Work
from ledger import LEDGER
from locking import locked

ACCESS_KEY = "STANDINACCESSKEY00000000000001"
SECRET_KEY = "stand-in-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH1"
COMPANY_ID = "c0000000000000000000000000000001"
USER_ID = "a0000000000000000000000000000001"

FEATURE_SETS = {"enterprise": "advanced", "open": "basic"}
DEFAULT_LIFETIME = 30 * 24 * 3600
SERVER_VERSION = "2.0.0"
_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclasses.dataclass
class Company:
    """A workspace."""

    id: str
    name: str
    tier: str = "paid"
    active: bool = True
    vaults: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Credential:
    """A key pair: one user in one company."""

    access_key: str
    secret_key: str
    company: str
    label: str = None
    created: str = None
    expire: float = None     # seconds since 1970
    last_used: str = None
    last_used_from: str = None


@dataclasses.dataclass
class User:
    """A user of one company, possibly a guest (tenant) in others."""

    id: str
    name: str
    company: str
    role: str = "user"
    given_name: str = None
    family_name: str = None
    email: str = None
    created: str = None
    created_in_version: str = SERVER_VERSION
    auth_name: str = None    # `user_name` in tokens, when it is not the name
    username: str = None     # a fixed user logs in with username and password
    password: str = None
    protected: bool = False  # built-in: may not make key pairs
    backend: bool = True     # False: no backend record, as the system user
    tenants: list = dataclasses.field(default_factory=list)       # ids of joined companies
    left: list = dataclasses.field(default_factory=list)          # ids of companies left again
    credentials: list = dataclasses.field(default_factory=list)
    preferences: dict = dataclasses.field(default_factory=dict)

    @property
    def companies(self):
        """Ids of all companies, the own one first."""
        return [each for each in (self.company, *self.tenants) if each not in self.left]


class State:
    """Everything the server knows. Plain attributes may be set at any time:

    edition         "enterprise" or "open"
    api_version     highest API version, "2.31"
    token_lifetime  seconds, when a login does not ask for one
    clock_offset    seconds the server's clock is ahead of the machine's
    token_claims    laid over the claims of coming tokens; a claim that is None is left out
    single_additional_credentials
                    auth.get_credentials gives one key pair, not a list, for each joined company

    work            queues, tasks and workers: see clearml_work.Work
    """

    def __init__(self, edition="enterprise", api_version="2.31", populate=True):
        if edition not in FEATURE_SETS:
            raise ValueError(f"edition must be one of {', '.join(FEATURE_SETS)}")
        self.lock = threading.RLock()
        self.edition = edition
        self.api_version = api_version
        self.token_lifetime = DEFAULT_LIFETIME
        self.clock_offset = 0.0
        self.token_claims = {}
        self.single_additional_credentials = False
        self.signing_key = secrets.token_hex(32)
        self.uid = str(uuid.uuid4())
        self.companies = {}
        self.users = {}
        self.revoked_sessions = set()
        self._revoked = {}   # access key -> (user, key pair)
        self.work = Work(self)
        if populate:
            self.add_company("stand-in", id=COMPANY_ID)
            self.add_user("Jane Doe", id=USER_ID, given_name="Jane", family_name="Doe",
                          email="jane@example.com")
            self.add_credentials(access_key=ACCESS_KEY, secret_key=SECRET_KEY)

    # -- time -----------------------------------------------------------------------------------

    def now(self):
        """The server's time, seconds since 1970."""
        return time.time() + self.clock_offset

    def timestamp(self):
        """Now as `2026-11-24T02:31:14.843000`, milliseconds, UTC without a zone."""
        now = datetime.fromtimestamp(self.now(), timezone.utc).replace(tzinfo=None)
        return now.replace(microsecond=now.microsecond // 1000 * 1000).isoformat("T", "microseconds")

    # -- companies, users, key pairs ------------------------------------------------------------

    @locked
    def add_company(self, name, id=None, tier="paid", active=True):
        """A further workspace; returns its id."""
        company = Company(id or uuid.uuid4().hex, name, tier, active)
        self.companies[company.id] = company
        return company.id

    @locked
    def add_user(self, name, company=None, id=None, **fields):
        """A further user (fields: see User); returns its id. Without company: of the first one."""
        user = User(id or uuid.uuid4().hex, name, self.company(company).id, **fields)
        user.created = user.created or self.timestamp() + "+00:00"
        self.users[user.id] = user
        return user.id

    @locked
    def add_credentials(self, user=None, company=None, access_key=None, secret_key=None, label=None,
                        expiration_sec=None):
        """A key pair for a user (the first one) in a company (the user's own); returns a dict.

        The user joins the company if need be.
        """
        owner = self.user(user)
        company = self.company(company).id if company else owner.company
        if company not in owner.companies:
            owner.tenants.append(company)
        pair = Credential(access_key or _random_key(), secret_key or secrets.token_urlsafe(50),
                          company, label, created=self.timestamp())
        if expiration_sec:
            pair.expire = self.now() + expiration_sec
        owner.credentials.append(pair)
        LEDGER.learn(pair.secret_key)
        return {"access_key": pair.access_key, "secret_key": pair.secret_key}

    @locked
    def revoke_credentials(self, access_key):
        """Remove a key pair, whoever owns it; True if it was there.

        Logins are 401/22 from now on; a token made from it lives on, see invalidate_tokens.
        """
        user, pair = self.find_credentials(access_key)
        if pair is not None:
            user.credentials.remove(pair)
            self._revoked[access_key] = user, pair
        return pair is not None

    @locked
    def reinstate_credentials(self, access_key):
        """Take back what revoke_credentials did; True if it had."""
        user, pair = self._revoked.pop(access_key, (None, None))
        if pair is not None:
            user.credentials.append(pair)
        return pair is not None

    @locked
    def leave_company(self, company=None, user=None):
        """A user leaves a workspace: 403 for who acts in it with a key pair or token of the user's."""
        self.user(user).left.append(self.company(company).id)

    @locked
    def rejoin_company(self, company=None, user=None):
        """The user is back, with key pairs and vaults as they were."""
        gone = self.company(company).id
        self.user(user).left = [each for each in self.user(user).left if each != gone]

    @locked
    def find_credentials(self, access_key):
        """(user, key pair) of an access key, or (None, None)."""
        for user in self.users.values():
            for pair in user.credentials:
                if pair.access_key == access_key:
                    return user, pair
        return None, None

    def user(self, id=None):
        """A user by id; without: the first one."""
        return self.users[id] if id is not None else next(iter(self.users.values()))

    def company(self, id=None):
        """A company by id or by name; without: the first one."""
        if id is None:
            return next(iter(self.companies.values()))
        if id in self.companies:
            return self.companies[id]
        named = [company for company in self.companies.values() if company.name == id]
        if not named:
            raise KeyError(f"no company {id}")
        return named[0]

    # -- tokens ---------------------------------------------------------------------------------

    @locked
    def make_token(self, user=None, lifetime=None, company=None, role=None):
        """A token as auth.login would answer it; lifetime in seconds, 0 or None the default."""
        owner = self.user(user)
        now = int(self.now())
        claims = {"auth_type": "Bearer", "env": "<unknown>", "session_id": uuid.uuid4().hex,
                  "identity": self.identity_of(owner, role)}
        if lifetime or owner.role != "system":
            claims["exp"] = now + (lifetime or self.token_lifetime)
        claims.update(iat=now, api_version=self.api_version, server_version=SERVER_VERSION,
                      server_build="", feature_set=FEATURE_SETS[self.edition])
        if self.edition == "enterprise":
            claims["tenant"] = company or owner.company
        claims = {key: value for key, value in {**claims, **self.token_claims}.items()
                  if value is not None}
        token = clearml_token.encode(claims, self.signing_key)
        LEDGER.learn(token)
        return token

    def identity_of(self, user, role=None):
        """The claim `identity`."""
        return {"user_name": user.auth_name or user.name, "company": user.company,
                "company_name": self.companies[user.company].name,
                "role": role or user.role, "user": user.id}

    @locked
    def invalidate_tokens(self):
        """From now on every token made so far is refused (401/30)."""
        self.signing_key = secrets.token_hex(32)

    # -- vaults ---------------------------------------------------------------------------------

    @locked
    def set_vaults(self, vaults, company=None, raw=False):
        """Replace a company's vaults, in the order they shall be served; returns their ids.

        A vault is a dict; what it leaves out is filled in (id, type "config", format "hocon",
        scope, enabled, user, last_update, ...) unless raw. A text alone is `{"data": text}`. An
        unchanged vault keeps its last_update.
        """
        target = self.company(company)
        old = {vault.get("id"): vault for vault in target.vaults}
        target.vaults = []
        for number, given in enumerate(vaults, 1):
            given = {"data": given} if isinstance(given, str) else dict(given)
            vault = given if raw else self._complete_vault(given, number, target.id, old)
            target.vaults.append(vault)
            LEDGER.learn_text(vault.get("data") or "")
        return [vault.get("id") for vault in target.vaults]

    def _complete_vault(self, given, number, company, old):
        owner = next((user.id for user in self.users.values() if user.company == company), None)
        defaults = {"id": f"{number:032x}", "description": f"vault {number}", "data": "",
                    "format": "hocon", "type": "config", "scope": "user", "enabled": True,
                    "user": owner, "last_update": self.timestamp() + "+00:00", "editable": True}
        vault = {**defaults, **given}
        before = old.get(vault["id"], {})
        if "last_update" not in given and before == {**vault, "last_update": before.get("last_update")}:
            vault["last_update"] = before["last_update"]
        return vault

    @locked
    def add_vault(self, given, company=None):
        """Add one vault, or change the one with its id; returns the id."""
        target = self.company(company)
        vaults = {vault.get("id"): vault for vault in target.vaults}
        if given.get("id") in vaults:
            vaults[given["id"]].update(given)
            return given["id"]
        given = {"id": uuid.uuid4().hex, **given}
        LEDGER.learn_text(given.get("data") or "")
        target.vaults.append(self._complete_vault(given, len(vaults) + 1, target.id, {}))
        return given["id"]

    @locked
    def vaults_for(self, user, company, enabled=False, types=None):
        """What users.get_vaults answers a user who acts in a company."""
        def wanted(vault):
            return ((not enabled or vault.get("enabled", True))
                    and (not types or vault.get("type", "config") in types)
                    and (vault.get("scope") != "user" or vault.get("user") in (None, user)))
        return [dict(vault) for vault in self.companies[company].vaults if wanted(vault)]


def _random_key():
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(30))
