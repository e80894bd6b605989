"""Requests and answers as bytes: what the ClearML server reads from HTTP and writes to it."""

import dataclasses
import gzip
import http
import json
import re
import urllib.parse
from email.utils import formatdate

from clearml_errors import api_error

GZIP_MINIMUM = 500
SERVER = "Werkzeug/2.2.2 Python/3.11.2"
FORM = "application/x-www-form-urlencoded"
JSON_LINES = "application/json-lines"
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclasses.dataclass
class Request:
    """One request as it came. `endpoint` is "" until the path has been understood."""

    method: str
    target: str
    headers: list            # (name, value) pairs in order
    body: bytes
    peer: str
    time: float              # seconds since 1970 by the machine's own clock
    endpoint: str = ""
    status: int = None       # of the answer; None while there is none, or when a failure replaced it

    @property
    def path(self):
        """The path of the target, percent-decoded, without the query."""
        return urllib.parse.unquote(urllib.parse.urlsplit(self.target).path)

    @property
    def query(self):
        """The query as (key, value) pairs in order."""
        query = urllib.parse.urlsplit(self.target).query
        return urllib.parse.parse_qsl(query, keep_blank_values=True)

    def header(self, *names):
        """Value of the first of these headers that is there, duplicates joined by a comma; or None."""
        for name in names:
            values = [value for key, value in self.headers if key.lower() == name.lower()]
            if values:
                return ",".join(values)
        return None

    def cookie(self, name):
        """Value of a cookie, or None."""
        pairs = (pair.strip().partition("=") for pair in (self.header("Cookie") or "").split(";"))
        return next((value for key, _, value in pairs if key == name), None)

    def as_dict(self):
        """For the control path: JSON-able."""
        return {"method": self.method, "path": self.path, "endpoint": self.endpoint,
                "target": self.target, "query": self.query, "headers": self.headers,
                "body": self.body.decode("utf-8", "replace"), "time": self.time,
                "status": self.status}


@dataclasses.dataclass
class Answer:
    """One answer before it is bytes; headers are those beyond the ones every answer has.

    The real server writes cookies before and other headers after its second `server` header.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: list = dataclasses.field(default_factory=list)
    cookies: list = dataclasses.field(default_factory=list)

    def render(self, now, length=None):
        """(head, body) as bytes; length overrides Content-Length, False leaves it out."""
        fields = [("Server", SERVER), ("Date", formatdate(now, usegmt=True)),
                  ("Content-Type", self.content_type)]
        if length is not False:
            fields.append(("Content-Length", len(self.body) if length is None else length))
        fields += [("Set-Cookie", cookie) for cookie in self.cookies]
        fields += [("server", "clearml"), *self.headers, ("Connection", "close")]
        lines = [f"HTTP/1.1 {self.status} {reason(self.status)}"]
        lines += [f"{name}: {value}" for name, value in fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"), self.body

    def compressed_for(self, request):
        """This answer gzipped if it is long enough and the client takes it (q values are ignored)."""
        accepted = (request.header("Accept-Encoding") or "").lower()
        if len(self.body) < GZIP_MINIMUM or "gzip" not in accepted:
            return self
        headers = [*self.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return dataclasses.replace(self, body=gzip.compress(self.body, 6), headers=headers)


def reason(status):
    """The reason phrase in the server's upper case."""
    try:
        return http.HTTPStatus(status).phrase.upper()
    except ValueError:
        return "UNKNOWN"


def encode_json(value):
    """Compact ASCII JSON with upper-case hex in its escapes, as the server's encoder writes it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return re.sub(r"\\(u[0-9a-f]{4}|.)", _upper_escape, text).encode("ascii")


def _upper_escape(match):
    escape = match.group(1)
    return "\\u" + escape[1:].upper() if len(escape) > 1 else match.group(0)


def arguments(request):
    """The call's arguments: JSON body, form and query merged, later over earlier."""
    kind = (request.header("Content-Type") or "").partition(";")[0].strip()
    data = {}
    if kind == JSON_LINES:
        json_lines(request)
    elif kind == FORM:
        form = request.body.decode("utf-8", "replace")
        _apply(data, urllib.parse.parse_qsl(form, keep_blank_values=True))
    elif request.body:
        data = _parse_body(request.body)
    _apply(data, request.query)
    return data


def _parse_body(body):
    value = parse_json(body) or {}
    if not isinstance(value, dict):
        raise api_error("not_a_dict")
    return value


def json_lines(request):
    """The values of a batch, one a line; what is no batch has none."""
    return [parse_json(line) for line in request.body.splitlines() if line.strip()]


def parse_json(text):
    """The value of a JSON text; 400/0 as the server says it when it is none."""
    try:
        return json.loads(text)
    except (ValueError, UnicodeDecodeError):
        raise api_error("bad_request") from None


def _apply(data, pairs):
    """Lay key=value pairs over data: a key twice or `key[]` is an array, dots make objects."""
    lists = {}
    for key, value in pairs:
        lists.setdefault(key, []).append(_convert(value))
    for key, values in lists.items():
        value = values if len(values) > 1 or key.endswith("[]") else values[0]
        _set_nested(data, key.rstrip("[]").split("."), value)


def _set_nested(data, path, value):
    for key in path[:-1]:
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    data[path[-1]] = value


def _convert(text):
    if text.replace(".", "", 1).isdigit() and text.isascii():
        return float(text) if "." in text else int(text)
    return BOOLEANS.get(text, text)
