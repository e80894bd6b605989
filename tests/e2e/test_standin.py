"""The stand-in ClearML server keeps the state it is given, and fails as told."""

import gzip
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import zlib

import clearml_token
import pytest
from asking import BASIC, basic, call, result
from clearml_failures import FAILURES, FLOODS, Wire
from clearml_server import ACCESS_KEY, COMPANY_ID, USER_ID, ClearMLServer

SUPPORT = pathlib.Path(__file__).resolve().parents[1] / "support"


def bearer(server, **options):
    return "Bearer " + server.state.make_token(**options)


@pytest.fixture
def server():
    with ClearMLServer() as running:
        yield running


# -- vaults and workspaces ----------------------------------------------------------------------

def get_vaults(server, query="enabled=true&types=config&types=config", auth=BASIC):
    status, _, data = result(call(server, f"/users.get_vaults?{query}", auth=auth))
    assert status == 200
    return data["vaults"]


def test_vaults_come_in_the_order_given_and_filtered(server):
    server.state.set_vaults([
        {"data": "a: 1", "description": "first"},
        {"data": "a: 2", "enabled": False},
        {"data": "a: 3", "type": "monitoring"},
        {"data": "a: 4", "scope": "user", "user": "another"},
        {"data": "a: 5", "scope": "organization", "user": "another"},
    ])
    assert [vault["data"] for vault in get_vaults(server)] == ["a: 1", "a: 5"]
    assert [vault["data"] for vault in get_vaults(server, "types[]=monitoring")] == ["a: 3"]
    assert [vault["data"] for vault in get_vaults(server, "")] == ["a: 1", "a: 2", "a: 3", "a: 5"]
    first = get_vaults(server)[0]
    assert (first["description"], first["format"], first["type"], first["enabled"]) == \
        ("first", "hocon", "config", True)


def test_an_unchanged_vault_keeps_its_last_update(server):
    server.state.set_vaults(["a: 1", "b: 1"])
    before = get_vaults(server)
    server.state.clock_offset = 60
    server.state.set_vaults(["a: 1", "b: 2"])
    after = get_vaults(server)
    assert after[0] == before[0]
    assert after[1]["last_update"] > before[1]["last_update"]


def test_raw_vaults_are_served_as_they_are(server):
    odd = [{"id": "v1", "data": None}, {"data": "\u65e5\u672c \U0001f642 \\u00eb"}, {}]
    server.state.set_vaults(odd, raw=True)
    assert get_vaults(server) == odd


def test_one_type_in_the_query_is_no_list(server):
    reply = call(server, "/users.get_vaults?enabled=true&types=config")
    assert result(reply) == (400, 12, {})
    assert 'expected type "list"' in reply.json["meta"]["result_msg"]


@pytest.mark.parametrize("options", [{"edition": "open"}, {"api_version": "2.14"}])
def test_no_vaults_in_the_open_edition_and_before_2_15(options):
    with ClearMLServer(**options) as server:
        assert result(call(server, "/users.get_vaults", auth=None)) == (404, 0, {})


def test_vaults_by_the_api(server):
    _, _, made = result(call(server, "/users.add_or_update_vault", "POST", {"vault": {"data": "a: 1"}}))
    call(server, "/users.add_or_update_vault", "POST", {"vault": {"id": made["vault"], "data": "a: 2"}})
    assert [vault["data"] for vault in get_vaults(server)] == ["a: 2"]
    gone = call(server, "/users.delete_vaults", "POST", {"vaults": [made["vault"]]})
    assert result(gone)[2] == {"deleted": 1}
    assert get_vaults(server) == []


def test_a_key_pair_selects_the_workspace(server):
    other = server.state.add_company("other")
    pair = server.state.add_credentials(company=other, label="two")
    server.state.set_vaults(["a: own"])
    server.state.set_vaults(["a: other"], company="other")
    auth = basic(**pair)
    token = result(call(server, "/auth.login", auth=auth))[2]["token"]
    assert clearml_token.peek(token)[1]["tenant"] == other
    assert get_vaults(server, auth=f"Bearer {token}")[0]["data"] == "a: other"
    assert get_vaults(server)[0]["data"] == "a: own"

    user = result(call(server, "/users.get_current_user"))[2]["user"]
    assert [each["name"] for each in user["companies"]] == ["stand-in", "other"]
    assert user["company"]["id"] == COMPANY_ID and user["id"] == USER_ID
    lists = result(call(server, "/auth.get_credentials"))[2]
    assert [each["access_key"] for each in lists["credentials"]] == [ACCESS_KEY]
    assert [each["label"] for each in lists["additional_credentials"][other]] == ["two"]


def test_the_life_of_a_key_pair(server):
    made = result(call(server, "/auth.create_credentials", "POST", {"label": "mine"}))[2]["credentials"]
    auth = basic(made["access_key"], made["secret_key"])
    key = {"access_key": made["access_key"]}
    token = result(call(server, "/auth.login", auth=auth, headers={"X-ClearML-Worker": "w"}))[2]["token"]
    call(server, "/auth.edit_credentials", "POST", {**key, "label": "yours"})
    entry = result(call(server, "/auth.get_credentials"))[2]["credentials"][1]
    assert (entry["label"], entry["last_used_from"]) == ("yours", "w")
    assert result(call(server, "/auth.revoke_credentials", "POST", key))[2] == {"revoked": 1}
    assert result(call(server, "/auth.login", auth=auth))[:2] == (401, 22)
    assert result(call(server, "/auth.login", auth=f"Bearer {token}"))[:2] == (200, 0)


def test_a_pair_is_revoked_and_reinstated(server):
    assert server.state.revoke_credentials(ACCESS_KEY)
    assert result(call(server, "/auth.login"))[:2] == (401, 22)
    assert result(call(server, "/users.get_vaults", auth=bearer(server)))[0] == 200
    assert server.state.reinstate_credentials(ACCESS_KEY)
    assert not server.state.reinstate_credentials(ACCESS_KEY)
    assert result(call(server, "/auth.login"))[0] == 200


def test_a_workspace_that_was_left_is_forbidden_and_the_others_are_not(server):
    other = server.state.add_company("other")
    away = basic(**server.state.add_credentials(company=other))
    token = bearer(server, company=other)
    server.state.leave_company("other")
    for auth in (away, token):
        for path in ("/auth.login", "/users.get_vaults"):
            assert result(call(server, path, auth=auth)) == (403, 1, {})
    lists = result(call(server, "/auth.get_credentials"))[2]
    assert lists["additional_credentials"] == {} and len(lists["credentials"]) == 1
    user = result(call(server, "/users.get_current_user"))[2]["user"]
    assert [each["name"] for each in user["companies"]] == ["stand-in"]
    companies = result(call(server, "/organization.get_user_companies"))[2]["companies"]
    assert [each["name"] for each in companies] == ["stand-in"]
    server.state.rejoin_company("other")
    assert result(call(server, "/auth.login", auth=away))[0] == 200


def test_pairs_of_other_workspaces_may_come_as_one_entry_each(server):
    for name in ("two", "three"):
        server.state.add_company(name)
    pair = server.state.add_credentials(company="two")
    server.state.add_credentials(company="two")
    server.state.single_additional_credentials = True
    additional = result(call(server, "/auth.get_credentials"))[2]["additional_credentials"]
    assert [each["access_key"] for each in additional.values()] == [pair["access_key"]]


def test_claims_of_tokens_can_be_changed_and_left_out(server):
    server.state.token_claims = {"exp": None, "feature_set": "basic"}
    token = result(call(server, "/auth.login"))[2]["token"]
    claims = clearml_token.peek(token)[1]
    assert "exp" not in claims and claims["feature_set"] == "basic" and claims["identity"]
    assert result(call(server, "/users.get_vaults", auth=f"Bearer {token}"))[0] == 200
    server.state.token_claims = {}
    server.state.token_lifetime = -1
    token = result(call(server, "/auth.login"))[2]["token"]
    assert result(call(server, "/users.get_vaults", auth=f"Bearer {token}"))[:2] == (401, 30)


def test_an_admin_makes_users_and_everybody_lists_them(server):
    made = {"name": "Joe", "company": COMPANY_ID, "email": "joe@example.com"}
    assert result(call(server, "/auth.create_user", "POST", made))[:2] == (403, 20)
    server.state.user().role = "admin"
    assert result(call(server, "/auth.create_user", "POST", {**made, "company": "x"}))[:2] == (400, 10)
    joe = result(call(server, "/auth.create_user", "POST", made))[2]["id"]
    users = result(call(server, "/users.get_all"))[2]["users"]
    assert [(each["id"], each["company"]) for each in users] == [(USER_ID, COMPANY_ID), (joe, COMPANY_ID)]


def test_tokens_end(server):
    server.state.token_lifetime = 100
    auth = bearer(server)
    assert result(call(server, "/users.get_preferences", auth=auth))[0] == 200
    server.state.clock_offset = 101
    assert result(call(server, "/users.get_preferences", auth=auth))[:2] == (401, 30)
    auth = bearer(server)
    server.state.invalidate_tokens()
    reply = call(server, "/users.get_preferences", auth=auth)
    assert reply.json["meta"]["result_msg"].endswith("Signature verification failed")


def test_logging_out_ends_one_token(server):
    gone, kept = bearer(server), bearer(server)
    assert result(call(server, "/auth.logout", "POST", auth=gone))[0] == 200
    assert result(call(server, "/users.get_preferences", auth=gone))[:2] == (401, 30)
    assert result(call(server, "/users.get_preferences", auth=kept))[:2] == (200, 0)


def test_a_key_pair_may_expire(server):
    pair = server.state.add_credentials(expiration_sec=100)
    auth = basic(**pair)
    assert result(call(server, "/auth.login", auth=auth))[0] == 200
    server.state.clock_offset = 101
    assert result(call(server, "/auth.login", auth=auth))[:2] == (401, 22)


def test_bodies_of_500_bytes_are_gzipped(server):
    def ping(filler, **headers):
        return call(server, f"/debug.ping?x={'y' * filler}", headers=headers, auth=None)
    filler = 500 - len(ping(1).body) + 1
    gzipped = {"Accept-Encoding": "deflate, gzip"}
    assert ping(filler - 1, **gzipped).header("Content-Encoding") is None
    reply = ping(filler, **gzipped)
    assert (reply.header("Content-Encoding"), reply.header("Vary")) == ("gzip", "Accept-Encoding")
    assert len(reply.text) == len(ping(filler).body) == 500


def test_the_tenant_header_needs_membership(server):
    other = server.state.add_company("other")
    refused = call(server, "/auth.login", headers={"X-Clearml-Tenant": other})
    assert result(refused)[:2] == (400, 10)


def test_a_chunked_body_is_read(server):
    body = "7\r\n{\"a\": 1\r\n1\r\n}\r\n0\r\n\r\n"
    lines = ["POST /debug.ping HTTP/1.1", "Host: x", "Transfer-Encoding: chunked", "", body]
    assert b'"msg":"ClearML server","a":1' in exchange(server, "\r\n".join(lines))


def test_behind_a_web_server():
    with ClearMLServer(prefix="/api/") as server:
        assert server.url.endswith("/api")
        assert result(call(server, "/api/v2.30/debug.ping"))[0] == 200
        page = call(server, "/debug.ping")
        assert (page.status, page.header("Content-Type")) == (200, "text/html")
        assert server.count("debug.ping") == 1 and server.count() == 2


# -- failures -----------------------------------------------------------------------------------

def exchange(server, text="GET /debug.ping HTTP/1.1\r\nHost: x\r\n\r\n", timeout=5):
    """All bytes the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as connection:
        connection.sendall(text.encode())
        return b"".join(iter(lambda: connection.recv(1 << 20), b""))


def body_of(raw):
    """(promised length, body) of raw bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(re.search(rb"Content-Length: (\d+)", head)[1]), body


def check_envelope(server):
    server.fail("envelope", code=503, subcode=102, msg="busy", headers={"Retry-After": "7"})
    reply = call(server, "/users.get_vaults")
    assert result(reply) == (503, 102, {}) and reply.header("Retry-After") == "7"
    assert reply.json["meta"]["endpoint"]["name"] == "users.get_vaults"
    server.clear_failures()
    server.fail("envelope", stack="Traceback (most recent call last):\n")
    assert call(server, "/users.get_vaults").json["meta"]["error_stack"].startswith("Traceback")


def check_data(server):
    server.fail("data")
    assert result(call(server, "/users.get_vaults")) == (200, 0, None)


def check_page(server):
    server.fail("page", status=429, body="slow down", content_type="text/plain")
    reply = call(server, "/auth.login")
    assert (reply.status, reply.text, reply.header("Content-Type")) == (429, "slow down", "text/plain")


def check_no_monitoring(server):
    server.fail("no_monitoring", endpoint="users.get_vaults")
    asked = [call(server, f"/users.get_vaults?types={kind}&types={kind}", auth=BASIC).status
             for kind in ("config", "monitoring")]
    assert asked == [200, 502]


def check_mixed_types(server):
    server.state.set_vaults(["a: 1", {"data": "a: 2", "type": "monitoring"}])
    server.fail("mixed_types", brings="last")
    assert [x["data"] for x in get_vaults(server)] == ["a: 1"]
    assert [x["data"] for x in get_vaults(server, "types=config&types=monitoring")] == ["a: 2"]


def check_redirect(server):
    server.fail("redirect", status=307, location="/elsewhere")
    reply = call(server, "/auth.login")
    assert (reply.status, reply.header("Location")) == (307, "/elsewhere")


def check_huge(server):
    server.fail("huge", size=(3 << 20) + 5)
    reply = call(server, "/auth.login")
    assert reply.json["data"]["token"] == "A" * ((3 << 20) + 5)


def check_gzip_bomb(server):
    server.fail("gzip_bomb", size=32 << 20)
    reply = call(server, "/auth.login")
    assert len(reply.body) < 100000
    assert len(reply.json["data"]["token"]) == 32 << 20


def check_half(server):
    server.fail("half")
    length, body = body_of(exchange(server))
    assert len(body) == length // 2 > 0
    server.clear_failures()
    server.fail("half", reset=True)
    with pytest.raises(ConnectionResetError):
        exchange(server)


def check_half_chunk(server):
    server.fail("half_chunk")
    head, _, body = exchange(server).partition(b"\r\n\r\n")
    size, _, chunk = body.partition(b"\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert len(chunk) == int(size, 16) // 2 > 0


def check_bad_chunk(server):
    server.fail("bad_chunk")
    raw = exchange(server)
    assert b"Transfer-Encoding: chunked" in raw and b"\r\nnot-a-size\r\n" in raw
    assert b"Content-Length" not in raw


def check_bad_gzip(server):
    server.fail("bad_gzip")
    reply = call(server, "/debug.ping")
    assert reply.header("Content-Encoding") == "gzip"
    with pytest.raises((OSError, EOFError, zlib.error)):
        gzip.decompress(reply.body)


def check_cut_gzip(server):
    server.fail("cut_gzip")
    reply = call(server, "/debug.ping")
    assert reply.header("Content-Length") == str(len(reply.body))
    with pytest.raises(EOFError):
        gzip.decompress(reply.body)


def check_raw(server):
    server.fail("raw", data="SSH-2.0-x\r\n\xff")
    assert exchange(server) == b"SSH-2.0-x\r\n\xff"


def check_drop(server):
    server.fail("drop", times=1)
    server.fail("drop", times=1, reset=True)
    assert exchange(server) == b""
    with pytest.raises(ConnectionResetError):
        exchange(server)


def check_hang(server):
    server.fail("hang", seconds=30)
    with pytest.raises(socket.timeout):
        exchange(server, timeout=0.1)


def check_delay(server):
    server.fail("delay", seconds=0.2)
    start = time.monotonic()
    assert result(call(server, "/debug.ping"))[0] == 200
    assert time.monotonic() - start >= 0.2


def check_late(server):
    server.fail("late", endpoint="auth.login", seconds=0.2)
    start = time.monotonic()
    assert result(call(server, "/auth.login"))[0] == 200
    assert time.monotonic() - start >= 0.2


def check_flood(server):
    server.fail("flood", kind=next(iter(FLOODS)))
    before = Wire.flooded
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /debug.ping HTTP/1.1\r\n\r\n")
        received = 0
        while received < 1 << 20:
            received += len(connection.recv(1 << 16))
    assert Wire.flooded > before


def check_slow(server):
    server.fail("slow", interval=0.05)
    start = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /debug.ping HTTP/1.1\r\n\r\n")
        with connection.makefile("rb", buffering=0) as stream:
            head = b"".join(iter(stream.readline, b"\r\n"))
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"".join(stream.read(1) for _ in range(4)) == b'{"me'
    assert time.monotonic() - start >= 0.15


CHECKS = {name[6:]: check for name, check in globals().items() if name.startswith("check_")}


@pytest.mark.parametrize("name", sorted(set(FAILURES) | set(CHECKS)))
def test_failure(server, name):
    CHECKS[name](server)
    server.clear_failures()
    assert result(call(server, "/debug.ping"))[0] == 200


def test_failures_are_for_an_endpoint_a_number_of_times_and_after_some(server):
    server.fail("page", endpoint="debug.ping", times=2, after=1)
    pings = [call(server, "/debug.ping").status for _ in range(4)]
    assert pings == [200, 502, 502, 200]
    server.fail("page", endpoint="debug.ping")
    assert call(server, "/auth.login").status == 200
    kept = server.fail("page", endpoint="auth.login", status=504)
    server.clear_failures("debug.ping")
    assert [call(server, path).status for path in ("/debug.ping", "/auth.login")] == [200, 504]
    server.clear_failures(id=kept)
    assert call(server, "/auth.login").status == 200


@pytest.mark.parametrize("wrong", [{"name": "nosuch"}, {"name": "page", "colour": "red"}])
def test_a_wrong_failure_is_refused_at_once(server, wrong):
    with pytest.raises(ValueError):
        server.fail(**wrong)


def test_a_closed_door_refuses_and_opens_again(server):
    server.close_door()
    with pytest.raises(ConnectionRefusedError):
        call(server, "/debug.ping")
    server.open_door()
    assert result(call(server, "/debug.ping"))[0] == 200


def test_a_dropped_call_does_not_run_and_a_halved_one_does(server):
    pairs = server.state.user().credentials
    for failure, count in (("drop", 1), ("half", 2)):
        server.fail(failure, endpoint="auth.create_credentials", times=1)
        with pytest.raises((http.client.HTTPException, OSError)):
            call(server, "/auth.create_credentials", "POST", {})
        assert len(pairs) == count


# -- the log and the control path ---------------------------------------------------------------

def test_requests_are_logged(server):
    call(server, "/v2.30/debug.ping?a=1&a=2", "POST", {"b": 3}, {"X-Mine": "yes"})
    server.wait_for("debug.ping")
    [request] = server.requests("debug.ping")
    assert (request.method, request.path, request.status) == ("POST", "/v2.30/debug.ping", 200)
    assert request.query == [("a", "1"), ("a", "2")]
    assert request.header("x-mine") == "yes" and json.loads(request.body) == {"b": 3}
    assert abs(request.time - time.time()) < 60
    with pytest.raises(AssertionError):
        server.wait_for("auth.login", timeout=0.01)
    server.clear_requests()
    assert server.count() == 0


def control(server, **orders):
    reply = call(server, "/_control", "POST", orders, auth=None)
    return reply.status, reply.json


def test_control(server):
    status, answer = control(server, set_vaults=["a: 1"], add_company={"name": "two"},
                             fail={"name": "page", "endpoint": "auth.login", "times": 1})
    assert status == 200 and len(answer["set_vaults"]) == 1 and answer["add_company"]
    assert call(server, "/auth.login").status == 502
    assert get_vaults(server)[0]["data"] == "a: 1"
    control(server, set_vaults={"vaults": [{"id": None}], "company": "two", "raw": True})
    assert server.state.company("two").vaults == [{"id": None}]
    _, answer = control(server, count=None, requests="auth.login", set={"api_version": "2.9"})
    assert answer["count"] == {"auth.login": 1, "users.get_vaults": 1}
    assert answer["requests"][0]["status"] == 502
    assert call(server, "/users.get_vaults").status == 404
    assert call(server, "/_control").json["state"]["api_version"] == "2.9"
    assert control(server, clear_requests=True)[0] == 200 and server.count() == 0


@pytest.mark.parametrize("orders", [{"nosuch": 1}, {"set": {"port": 1}}, {"fail": {"name": "nosuch"}},
                                    {"set_vaults": {"company": "nosuch"}}, {"count": [1, 2, 3], "fail": 1}])
def test_control_refuses_what_it_does_not_know(server, orders):
    status, answer = control(server, **orders)
    assert status == 400 and answer["error"]


# -- the program --------------------------------------------------------------------------------

@pytest.fixture
def program(tmp_path):
    """Start the program with arguments; (process, URL). Ended by SIGTERM, which must be clean."""
    started = []

    def start(*arguments):
        command = [sys.executable, str(SUPPORT / "clearml_server.py"), *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1].stdout.readline().strip()
    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        process.stdout.close()


def test_the_program_serves_until_sigterm(program, tmp_path):
    vaults = tmp_path / "vaults.json"
    vaults.write_text(json.dumps({"stand-in": ["a: 1"], "extra": ["a: 2"]}))
    url = urllib.parse.urlsplit(program("--vaults", vaults, "--port-file", tmp_path / "port"))
    assert (url.scheme, url.hostname) == ("http", "127.0.0.1")
    assert int((tmp_path / "port").read_text()) == url.port
    assert get_vaults(url)[0]["data"] == "a: 1"
    assert control(url, set_vaults=["a: 3"])[0] == 200
    assert get_vaults(url)[0]["data"] == "a: 3"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_the_program_serves_tls(program, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    url = urllib.parse.urlsplit(program("--edition", "open", "--tls", cert, key))
    assert url.scheme == "https"
    context = ssl.create_default_context(cafile=str(cert))
    with socket.create_connection((url.hostname, url.port)):       # says nothing: must not block others
        connection = http.client.HTTPSConnection(url.netloc, context=context, timeout=5)
        connection.request("GET", "/users.get_vaults")
        assert connection.getresponse().status == 404
        connection.close()
