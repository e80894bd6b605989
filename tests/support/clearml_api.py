"""From a request to its answer: the checks of the ClearML server in the order it makes them.

Path syntax (400), endpoint (404), authentication (401), role (403), impersonation (400/5, 400/6),
body (400/0), arguments (400/12), the call. No sockets here: `answer(state, request)` is a function.
"""

import base64
import contextlib
import re
import traceback
import uuid

import clearml_calls
import clearml_token
import clearml_work_calls  # noqa: F401  it enters its calls into the table
from clearml_errors import ApiError, api_error
from clearml_message import Answer, arguments, encode_json

PATH = re.compile(r"/(?:v(\d+)\.(\d+)/)?(\w+\.\w+)/?")
METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
IMPERSONATORS = ("system", "root", "admin")
WORKER = ("X-ClearML-Worker", "X-Trains-Worker", "X-Forwarded-For", "X-Real-IP")
IMPERSONATE = ("X-Clearml-Impersonate-As", "X-Trains-Impersonate-As")
ACT_AS = ("X-Clearml-Act-As", "X-Trains-Act-As")


class Meta:
    """The member `meta` of an envelope, filled in as the request is understood."""

    def __init__(self, request):
        self.id = uuid.uuid4().hex
        self.trx = request.header("X-Clearml-Trx", "X-Trains-Trx") or self.id
        self.name = ""
        self.requested = (1, 0)
        self.actual = None

    def envelope(self, code, subcode, message, stack, data):
        """The whole body, keys in the server's order."""
        where = {"name": self.name, "requested_version": self._version(self.requested),
                 "actual_version": self.actual and self._version(self.actual)}
        meta = {"id": self.id, "trx": self.trx, "endpoint": where, "result_code": code,
                "result_subcode": subcode, "result_msg": message, "error_stack": stack,
                "error_data": {}}
        return Answer(code, encode_json({"meta": meta, "data": data}))

    def _version(self, version):
        """Below 2.1 the server writes versions as numbers, else as strings."""
        text = f"{version[0]}.{version[1]}"
        return text if self.requested >= (2, 1) else float(text)


def answer(state, request):
    """Run a request; always an Answer."""
    if request.method == "OPTIONS":
        return Answer(200, b"", "text/html; charset=utf-8", _cors(request))
    coding = request.header("Content-Encoding")
    if coding:
        text = f"Content encoding is not supported ({coding})"
        return Answer(415, text.encode(), "text/html; charset=utf-8")
    meta = Meta(request)
    result = _run_guarded(state, request, meta)
    result.headers += _cors(request)
    return result


def envelope(state, request, code, subcode, message, data, stack=None):
    """An envelope for a request, whatever it asked and may ask."""
    meta = Meta(request)
    with contextlib.suppress(ApiError):
        _route(state, request, meta)
    return meta.envelope(code, subcode, message, "" if code == 200 else stack, data)


def endpoint_name(path):
    """The `service.action` of a path, "" if it has none."""
    match = PATH.fullmatch(path)
    return match.group(3) if match else ""


def _run_guarded(state, request, meta):
    try:
        with state.lock:
            call = _run(state, request, meta)
            result = meta.envelope(200, 0, "OK", "", call.result)
        result.cookies = call.cookies
        return result
    except ApiError as error:
        return meta.envelope(error.code, error.subcode, error.message, None, {})
    except Exception as error:        # as the server: unexpected ones are 500/0 with a traceback
        return meta.envelope(500, 0, str(error), traceback.format_exc(), {})


def _run(state, request, meta):
    endpoint = _route(state, request, meta)
    call = _authenticated(state, request, endpoint)
    if endpoint.roles and call.identity["role"] not in endpoint.roles:
        raise api_error("role", role=call.identity["role"], allowed=endpoint.roles)
    if call.identity is not None:
        _impersonate(call)
        _choose_tenant(call)
        _check_membership(call)
    call.data = _validated(arguments(request), endpoint.fields)
    call.result = endpoint.function(call)
    return call


def _route(state, request, meta):
    match = PATH.fullmatch(request.path)
    if match is None:
        raise ApiError(400, 0, f"Invalid request path {request.path}")
    major, minor, meta.name = match.groups()
    meta.requested = (int(major), int(minor)) if major else _highest(state)
    endpoint = clearml_calls.find(meta.name, meta.requested, state.edition)
    if endpoint is None or endpoint.since > _highest(state):
        version = "{}.{}".format(*meta.requested)
        raise ApiError(404, 0, f"Unable to find endpoint for name {meta.name} and version {version}")
    meta.actual = endpoint.since
    return endpoint


def _highest(state):
    return tuple(int(part) for part in state.api_version.split(".")[:2])


def _cors(request):
    origin = request.header("Origin")
    if origin is None:
        return []
    headers = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
    if request.method == "OPTIONS":
        asked = request.header("Access-Control-Request-Headers")
        headers += [("Access-Control-Allow-Headers", asked)] if asked else []
        headers += [("Access-Control-Allow-Methods", METHODS)]
    return [*headers, ("Vary", "Origin")]


# -- authentication -----------------------------------------------------------------------------

def _authenticated(state, request, endpoint):
    """A Call with the caller's identity; endpoints without authentication take bad ones for none."""
    try:
        return _authenticate(state, request, endpoint)
    except ApiError:
        if endpoint.auth:
            raise
        return clearml_calls.Call(state, request, None)


def _authenticate(state, request, endpoint):
    header = request.header("Authorization")
    cookie = request.cookie(clearml_calls.COOKIE)
    if header:
        scheme, _, value = header.partition(" ")
    elif cookie:
        scheme, value = "Bearer", cookie
    else:
        raise api_error("no_credentials")
    if scheme not in SCHEMES:
        raise api_error("bad_scheme")
    return SCHEMES[scheme](state, request, endpoint, value.strip())


def _basic(state, request, endpoint, value):
    try:
        key, secret = base64.b64decode(value).decode("latin-1").split(":", 1)
    except ValueError as error:
        raise api_error("malformed_credentials", str(error)) from None
    user = next((each for each in state.users.values()
                 if each.username is not None and each.username == key), None)
    if user is not None:
        return _by_password(state, request, endpoint, user, secret)
    user, pair = state.find_credentials(key)
    expired = pair is not None and pair.expire is not None and pair.expire <= state.now()
    if pair is None or pair.secret_key != secret or expired:
        raise api_error("bad_credentials", "failed to locate provided credentials")
    pair.last_used = state.timestamp()
    pair.last_used_from = request.header(*WORKER) or request.peer
    return clearml_calls.Call(state, request, state.identity_of(user), tenant=pair.company)


def _by_password(state, request, endpoint, user, password):
    if user.password != password:
        raise api_error("bad_credentials", "bad username or password")
    if user.role == "guest" and endpoint.name != "auth.login":
        raise api_error("bad_credentials", "endpoint not allowed for guest")
    return clearml_calls.Call(state, request, state.identity_of(user), tenant=user.company)


def _bearer(state, request, endpoint, value):
    try:
        claims = clearml_token.decode(value, state.signing_key, state.now())
    except clearml_token.TokenError as error:
        raise api_error("invalid_token", error.family, reason=error.reason) from None
    identity = claims.get("identity")
    if not identity:
        raise IndexError("tuple index out of range")     # sic: a bug of the server
    if claims.get("session_id") in state.revoked_sessions:
        raise api_error("invalid_token", "revoked token")
    tenant = claims.get("tenant") if state.edition == "enterprise" else None
    return clearml_calls.Call(state, request, identity, claims.get("session_id"),
                              tenant or identity.get("company"))


SCHEMES = {"Basic": _basic, "Bearer": _bearer}


def _impersonate(call):
    """Swap the identity for that of the user a header names: with the user's role, or the caller's."""
    target, act_as = call.request.header(*IMPERSONATE), call.request.header(*ACT_AS)
    if target and act_as:
        raise api_error("bad_headers", "only one allowed", headers=(IMPERSONATE[0], ACT_AS[0]))
    if not (target or act_as):
        return
    caller = call.identity
    if caller["role"] not in IMPERSONATORS:
        raise api_error("impersonation", "impersonation not allowed", role=caller["role"])
    user = call.state.users.get(target or act_as)
    if user is None or (user.company != caller["company"] and caller["role"] != "root"):
        raise api_error("impersonation", "unknown user", id=target or act_as,
                        company=caller["company"])
    call.identity = call.state.identity_of(user, caller["role"] if act_as else None)
    call.tenant = user.company


def _choose_tenant(call):
    """Enterprise: the tenant header acts in another company of the user's. (Refusal: a guess.)"""
    wanted = call.request.header("X-Clearml-Tenant", "X-Allegro-Tenant")
    if not wanted or call.state.edition != "enterprise":
        return
    if wanted not in call.account.companies:
        raise api_error("invalid_id", company=wanted)
    call.tenant = wanted


def _check_membership(call):
    """Nobody acts in a company that he has left, whatever his token says."""
    user = call.state.users.get(call.identity.get("user"))
    if user is not None and call.tenant in user.left:
        raise api_error("no_member", company=call.tenant)


# -- arguments ----------------------------------------------------------------------------------

def _validated(data, fields):
    for name, field in fields.items():
        if data.get(name) is None:
            if field.required:
                raise _field_error(name, ". field is required!")
            data.pop(name, None)
        else:
            data[name] = _checked(name, data[name], field)
    return data


def _checked(name, value, field):
    if field.type is int:
        value = _to_int(value)
    elif not isinstance(value, field.type):
        wrong = (f'value is wrong, expected type "{field.type.__name__}"', value)
        raise _field_error(name, f": {wrong}.")
    if field.maximum is not None and value > field.maximum:
        raise _field_error(name, f": '{value}' is bigger than maximum ('{field.maximum}')..")
    return value


def _to_int(value):
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise api_error("validation", str(error)) from None


def _field_error(name, text):
    return api_error("validation", f"error for field '{name}'{text}")
