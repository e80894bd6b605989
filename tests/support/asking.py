"""Ask the stand-in ClearML server one thing over HTTP, as a test of the server does."""

import base64
import gzip
import http.client
import json

from clearml_server import ACCESS_KEY, SECRET_KEY


def basic(access_key, secret_key):
    """The Authorization header of a key pair."""
    return "Basic " + base64.b64encode(f"{access_key}:{secret_key}".encode()).decode()


BASIC = basic(ACCESS_KEY, SECRET_KEY)


class Reply:
    """An HTTP answer: status, header pairs, raw body, text."""

    def __init__(self, response):
        self.status, self.reason = response.status, response.reason
        self.headers = response.getheaders()
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def text(self):
        packed = self.header("Content-Encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()

    def header(self, name):
        return next((value for key, value in self.headers if key == name), None)


def call(server, path, method="GET", body=None, headers=None, auth=BASIC, timeout=5):
    """Send one request; headers is a dict whose values may be lists, body a text or an object."""
    headers = dict(headers or {})
    if auth is not None:
        headers.setdefault("Authorization", auth)
    if isinstance(body, dict):
        body = json.dumps(body)
    data = (body or "").encode("latin-1")
    if data:
        headers.setdefault("Content-Length", str(len(data)))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            for each in value if isinstance(value, list) else [value]:
                connection.putheader(name, each)
        connection.endheaders(data)
        return Reply(connection.getresponse())
    finally:
        connection.close()


def result(reply):
    """(HTTP status, subcode, data) of an envelope."""
    meta = reply.json["meta"]
    assert meta["result_code"] == reply.status
    return reply.status, meta["result_subcode"], reply.json["data"]
