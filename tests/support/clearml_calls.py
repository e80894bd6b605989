"""The calls of the stand-in ClearML server: one function per endpoint, registered in CALLS.

A function gets a Call and returns the `data` of the answer. Objects are written with their keys in
the order the real server writes them.
"""

import dataclasses
from datetime import datetime, timedelta, timezone

import clearml_token
from clearml_errors import api_error
from clearml_state import SERVER_VERSION

COOKIE = "clearml_token_basic"
COOKIE_AGE = 99999999999
MAX_LIFETIME = 365 * 24 * 3600


@dataclasses.dataclass(frozen=True)
class Field:
    """What validation demands of one argument."""

    type: type
    required: bool = False
    maximum: int = None


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One version of one endpoint."""

    name: str
    function: callable
    since: tuple             # lowest API version
    auth: bool
    roles: tuple             # who may; empty: everybody
    edition: str             # None: both
    fields: dict


@dataclasses.dataclass
class Call:
    """One call at work."""

    state: object
    request: object
    identity: dict           # claim `identity` of the caller, None without authentication
    session: str = None      # session_id of the token, None with Basic
    tenant: str = None       # company the caller acts in
    data: dict = dataclasses.field(default_factory=dict)
    cookies: list = dataclasses.field(default_factory=list)    # to set with the answer
    result: dict = None      # `data` of the answer

    @property
    def account(self):
        """The caller's user, also one without a backend record."""
        user = self.state.users.get(self.identity["user"])
        if user is None:
            raise api_error("invalid_user", "failed loading user")
        return user

    @property
    def user(self):
        """The caller's user, who has a backend record."""
        if not self.account.backend:
            raise api_error("invalid_user", "failed loading user")
        return self.account

    def set_cookie(self, value, age):
        """Set or (age 0) clear the token cookie."""
        expires = datetime.fromtimestamp(0, timezone.utc)
        if age:
            expires += timedelta(seconds=int(self.state.now()) + age)
        text = expires.strftime("%a, %d %b %Y %H:%M:%S GMT")
        self.cookies.append(f"{COOKIE}={value}; Expires={text}; Max-Age={age}; HttpOnly; Path=/; "
                            "SameSite=Lax")


CALLS = {}                   # name -> endpoints, newest first


def endpoint(name, /, since="1.0", auth=True, roles=(), edition=None, **fields):
    """Register a function as one version of an endpoint."""
    def register(function):
        version = tuple(int(part) for part in since.split("."))
        entry = Endpoint(name, function, version, auth, roles, edition, fields)
        CALLS.setdefault(name, []).append(entry)
        CALLS[name].sort(key=lambda each: each.since, reverse=True)
        return function
    return register


def find(name, version, edition):
    """The newest endpoint of that name up to that version in that edition, or None."""
    for entry in CALLS.get(name, ()):
        if entry.since <= version and entry.edition in (None, edition):
            return entry
    return None


def present(**members):
    """A dict without the members that are None: the server leaves those out."""
    return {key: value for key, value in members.items() if value is not None}


# -- server, debug, login -----------------------------------------------------------------------

def _server_version():
    return {"version": SERVER_VERSION, "build": "", "commit": ""}


@endpoint("server.info", auth=False)
def server_info(call):
    return _server_version()


@endpoint("server.info", since="2.8", auth=False)
def server_info_2_8(call):
    return {**_server_version(), "uid": call.state.uid}


@endpoint("server.info", since="2.12", auth=False)
def server_info_2_12(call):
    return {**_server_version(), "api_version": call.state.api_version}


@endpoint("debug.ping", auth=False)
def ping(call):
    return {"msg": "ClearML server", **call.data}


@endpoint("login.supported_modes", auth=False)
def supported_modes(call):
    fixed, guest = _fixed_users(call.state)
    return {"authenticated": call.identity is not None,
            "basic": {"enabled": fixed, "guest": dict(sorted(guest.items()))},
            "server_errors": {"es_connection_error": False, "missed_es_upgrade": False},
            "sso": {}, "sso_providers": []}


@endpoint("auth.fixed_users_mode", auth=False)
def fixed_users_mode(call):
    fixed, guest = _fixed_users(call.state)
    return {"enabled": fixed, "guest": guest, "server_errors": {}}


def _fixed_users(state):
    """(whether there are users with passwords, what is said of the guest among them)."""
    fixed = [user for user in state.users.values() if user.password is not None]
    guest = next((user for user in fixed if user.role == "guest"), None)
    if guest is None:
        return bool(fixed), {"enabled": False}
    return True, {"enabled": True, "name": guest.name, "username": guest.username,
                  "password": guest.password}


# -- auth ---------------------------------------------------------------------------------------

_LIFETIME = Field(int, maximum=MAX_LIFETIME)


@endpoint("auth.login", expiration_sec=_LIFETIME, set_cookie=Field(bool))
def login(call):
    token = call.state.make_token(call.identity["user"], call.data.get("expiration_sec"),
                                  call.tenant, call.identity["role"])
    if call.data.get("set_cookie", True):
        call.set_cookie(token, COOKIE_AGE)
    return {"token": token}


@endpoint("auth.logout", since="2.2")
@endpoint("login.logout", since="2.2")
def logout(call):
    call.state.revoked_sessions.add(call.session)
    call.set_cookie("", 0)
    return {}


_SYSTEM_ONLY = ("system", "root")


@endpoint("auth.get_token_for_user", roles=_SYSTEM_ONLY, user=Field(str, required=True),
          company=Field(str), expiration_sec=_LIFETIME)
def get_token_for_user(call):
    if call.data["user"] not in call.state.users:
        raise api_error("invalid_user_id", id=call.data["user"])
    return {"token": call.state.make_token(call.data["user"], call.data.get("expiration_sec"))}


@endpoint("auth.validate_token", roles=_SYSTEM_ONLY, token=Field(str, required=True))
def validate_token(call):
    state = call.state
    try:
        claims = clearml_token.decode(call.data["token"], state.signing_key, state.now())
    except clearml_token.TokenError as error:
        return {"msg": error.reason, "valid": False}
    identity = claims["identity"]
    return {"company": identity["company"], "user": identity["user"], "valid": True}


@endpoint("auth.create_user", roles=("system", "root", "admin"), name=Field(str, required=True),
          company=Field(str, required=True), email=Field(str, required=True),
          given_name=Field(str), family_name=Field(str))
def create_user(call):
    if call.data["company"] not in call.state.companies:
        raise api_error("invalid_id", company=call.data["company"])
    fields = {key: call.data.get(key) for key in ("email", "given_name", "family_name")}
    return {"id": call.state.add_user(call.data["name"], call.data["company"], **fields)}


@endpoint("auth.get_credentials")
def get_credentials(call):
    account = call.account
    lists = {company: [] for company in account.companies}
    for pair in account.credentials:
        lists.get(pair.company, []).append(_credential(pair, call.state.edition))
    answer = {"credentials": lists.pop(account.company, [])}
    if call.state.edition == "enterprise":
        answer = {"additional_credentials": _additional(call.state, lists), **answer,
                  "default_expiration_sec": None, "max_credentials": 10,
                  "max_expiration_sec": None}
    return present(**answer)


def _additional(state, lists):
    """The pairs of joined companies; some releases are said to give one entry for each company."""
    if not state.single_additional_credentials:
        return lists
    return {company: pairs[0] for company, pairs in lists.items() if pairs}


def _credential(pair, edition):
    entry = present(access_key=pair.access_key, label=pair.label, last_used=pair.last_used,
                    last_used_from=pair.last_used_from)
    if edition == "enterprise":
        entry.update(present(created=pair.created, expire=time_text(pair.expire)))
    return entry


def time_text(seconds):
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="microseconds")


@endpoint("auth.create_credentials", label=Field(str), expiration_sec=Field(int))
def create_credentials(call):
    account = call.account
    if account.protected or not account.backend:
        raise api_error("invalid_user_id", "protected identity")
    lifetime = call.data.get("expiration_sec") if call.state.edition == "enterprise" else None
    made = call.state.add_credentials(account.id, call.tenant, label=call.data.get("label"),
                                      expiration_sec=lifetime)
    pair = account.credentials[-1]
    return {"credentials": present(access_key=made["access_key"], expire=time_text(pair.expire),
                                   label=pair.label, secret_key=made["secret_key"])}


@endpoint("auth.edit_credentials", access_key=Field(str, required=True), label=Field(str))
def edit_credentials(call):
    pair = _own_pair(call)
    if pair is None:
        raise api_error("no_access_key", "invalid user or invalid access key",
                        user=call.account.id, access_key=call.data["access_key"],
                        company=call.account.company)
    pair.label = call.data.get("label")
    return {"updated": 1}


@endpoint("auth.revoke_credentials", access_key=Field(str, required=True))
def revoke_credentials(call):
    pair = _own_pair(call)
    if pair is None:
        raise api_error("invalid_user", "invalid user or invalid access key", id=call.account.id,
                        company=call.account.company, credentials__key=call.data["access_key"])
    call.account.credentials.remove(pair)
    return {"revoked": 1}


def _own_pair(call):
    pairs = (pair for pair in call.account.credentials
             if pair.access_key == call.data["access_key"])
    return next(pairs, None)


# -- users, organization ------------------------------------------------------------------------

@endpoint("users.get_current_user", get_supported_features=Field(bool),
          return_inactive_companies=Field(bool))
def get_current_user(call):
    user = call.user
    company = call.state.companies[user.company]
    record = {"company": {"id": company.id, "name": company.name}, "created": user.created,
              "created_in_version": user.created_in_version, "family_name": user.family_name,
              "given_name": user.given_name, "id": user.id, "name": user.name,
              "role": call.identity["role"]}
    answer = {"user": record, "getting_started": _GETTING_STARTED,
              "settings": {"max_download_items": 50000}}
    if call.state.edition == "enterprise":
        record["company"]["tier"] = company.tier
        record.update(companies=_workspaces(call), email=user.email, preferences=user.preferences)
        answer.update(_features(call))
    answer["user"] = dict(sorted(present(**record).items()))
    return answer


_GETTING_STARTED = {"agentName": "clearml", "configure": "clearml-init",
                    "install": "pip install clearml", "packageName": "clearml"}


def _workspaces(call):
    companies = [call.state.companies[id] for id in call.user.companies]
    return [{"id": each.id, "name": each.name, "tier": each.tier, "active": each.active}
            for each in companies
            if each.active or call.data.get("return_inactive_companies")]


def _features(call):
    if not call.data.get("get_supported_features"):
        return {}
    return {"supported_features": ["config_vault", "service_users"], "trial_features": []}


@endpoint("organization.get_user_companies")
def get_user_companies(call):
    ids = call.user.companies if call.state.edition == "enterprise" else [call.user.company]
    return {"companies": [_company(call.state, call.state.companies[id]) for id in ids]}


def _company(state, company):
    owners = [{"id": user.id, "name": user.name, "avatar": None}
              for user in sorted(state.users.values(), key=lambda each: each.name)
              if user.backend and company.id in user.companies]
    return {"id": company.id, "name": company.name, "allocated": len(owners), "owners": owners}


_USER_FIELDS = ("id", "company", "name", "family_name", "given_name", "created_in_version", "created")


@endpoint("users.get_all")
def get_all_users(call):
    return {"users": [present(**{key: getattr(user, key) for key in _USER_FIELDS})
                      for user in call.state.users.values()
                      if user.backend and user.company == call.account.company]}


@endpoint("users.get_all_ex", since="2.8")
def get_all_users_ex(call):
    return {"users": [{**user, "company": {"id": user["company"]}}
                      for user in get_all_users(call)["users"]]}


@endpoint("users.get_preferences")
def get_preferences(call):
    return {"preferences": call.user.preferences}


@endpoint("users.set_preferences", preferences=Field(dict, required=True))
def set_preferences(call):
    changes = call.data["preferences"]
    _check_keys(changes)
    merged = {**call.user.preferences, **changes}
    if merged == call.user.preferences:
        return {"updated": 0, "fields": {}}
    call.user.preferences = merged
    return {"updated": 1, "fields": {"preferences": merged}}


def _check_keys(value):
    """No key at any depth may start with `$` or hold a dot."""
    if isinstance(value, list):
        for item in value:
            _check_keys(item)
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith("$") or "." in key:
                raise api_error("invalid_fields", f"Key {key} is invalid. Keys cannot start with "
                                                  "'$' or contain '.'.")
            _check_keys(item)


# -- vaults (Enterprise) ------------------------------------------------------------------------

_VAULTS = {"since": "2.15", "edition": "enterprise"}


@endpoint("users.get_vaults", **_VAULTS, enabled=Field(bool), types=Field(list),
          preview_data=Field(bool))
def get_vaults(call):
    vaults = call.state.vaults_for(call.user.id, call.tenant, call.data.get("enabled"),
                                   call.data.get("types"))
    return {"vaults": vaults}


@endpoint("users.add_or_update_vault", **_VAULTS, vault=Field(dict, required=True))
def add_or_update_vault(call):
    given = {**call.data["vault"], "user": call.user.id,
             "last_update": call.state.timestamp() + "+00:00"}
    return {"vault": call.state.add_vault(given, call.tenant)}


@endpoint("users.delete_vaults", **_VAULTS, vaults=Field(list, required=True))
def delete_vaults(call):
    company = call.state.companies[call.tenant]
    before = len(company.vaults)
    company.vaults = [each for each in company.vaults if each.get("id") not in call.data["vaults"]]
    return {"deleted": before - len(company.vaults)}
