"""The daemon as a client of HTTP: TLS, proxies, ClearML's own settings, and how
much one server can hear of it."""

import base64
import contextlib
import shutil
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse

import pytest
from clearml_server import ACCESS_KEY, COMPANY_ID, SECRET_KEY, USER_ID, ClearMLServer
from harness import FAST, Daemon, wait_until

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"),
                                   reason="no openssl to make certificates with")


def conf_for(url, more=""):
    return (f"api {{ api_server: \"{url}\"\n  credentials {{ access_key: {ACCESS_KEY}, "
            f"secret_key: \"{SECRET_KEY}\" }} }}\n{more}\n")


# --- TLS ---


def make_certificate(folder, address="127.0.0.1", days=1):
    """A self-signed certificate, its own CA, and its key."""
    folder.mkdir()
    cert, key, request = folder / "cert.pem", folder / "key.pem", folder / "request.pem"
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName=IP:{address}")
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={address}",
                    "-keyout", key, "-out", request],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-days",
                    str(days), "-extfile", extensions, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path / "tls")


@pytest.fixture
def secure(certificate):
    """A stand-in that speaks TLS, with a certificate that nobody knows."""
    with ClearMLServer(tls=certificate) as running:
        running.state.set_vaults(["team.name: reindeer"])
        yield running


def wait_error(daemon, words):
    return wait_until(lambda: words in (daemon.last_error() or "") and daemon.last_error(), words)


@needs_openssl
def test_an_untrusted_certificate_says_what_to_do_and_recovers(home, daemon, secure, certificate):
    home.settings(FAST)
    home.conf(conf_for(secure.url))
    daemon.start()
    error = wait_error(daemon, "is not trusted")
    assert "name its CA in api.verify_certificate" in error
    daemon.wait_state("offline")
    assert secure.count() == 0  # nothing was said to it
    home.conf(conf_for(secure.url, f"api.verify_certificate: \"{certificate[0]}\""))
    daemon.wait_value("team.name", "reindeer")
    daemon.wait_state("ready")


def hashed_folder(tmp_path, cert):
    folder = tmp_path / "cas"
    folder.mkdir()
    shutil.copy(cert, folder)
    subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
    return folder


@needs_openssl
@pytest.mark.parametrize("way", ["file", "folder", "false", "\"no\"", "variable of ClearML",
                                 "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_ways_to_trust_a_certificate(home, secure, certificate, tmp_path, way):
    cert = certificate[0]
    setting = {"file": f"\"{cert}\"", "folder": f"\"{hashed_folder(tmp_path, cert)}\"",
               "false": "false", "\"no\"": "\"no\""}.get(way)
    env = {}
    if way.endswith("BUNDLE"):
        env[way] = str(cert)
    elif setting is None:
        env["CLEARML_API_HOST_VERIFY_CERT"] = str(cert)
    home.settings(FAST)
    home.conf(conf_for(secure.url, f"api.verify_certificate: {setting}" if setting else ""))
    with Daemon(home, env=env) as daemon:
        daemon.wait_state("ready")
        assert daemon.get("team.name") == "reindeer"


@needs_openssl
def test_a_bundle_does_not_overrule_false(home, secure, tmp_path):
    home.settings(FAST)
    home.conf(conf_for(secure.url, "api.verify_certificate: false"))
    with Daemon(home, env={"REQUESTS_CA_BUNDLE": str(tmp_path / "absent.pem")}) as daemon:
        daemon.wait_state("ready")


@needs_openssl
@pytest.mark.parametrize("name", ["verify_certificate", "REQUESTS_CA_BUNDLE"])
def test_a_ca_that_is_not_there_is_named(home, secure, tmp_path, name):
    absent = tmp_path / "absent.pem"
    setting = f"api.verify_certificate: \"{absent}\"" if name.islower() else ""
    home.settings(FAST)
    home.conf(conf_for(secure.url, setting))
    with Daemon(home, env={name: str(absent)}) as daemon:
        error = wait_error(daemon, "cannot be used")
        assert f"the CA file {absent} cannot be used (No such file or directory)" in error
        assert f"correct {name}" in error


@needs_openssl
@pytest.mark.parametrize("address, days, words", [
    ("127.0.0.1", -1, "has expired"),
    ("127.0.0.2", 1, "is for another host: correct api_server"),
])
def test_a_certificate_says_what_is_wrong_with_it(home, daemon, tmp_path, address, days, words):
    cert, key = make_certificate(tmp_path / "tls", address, days)
    with ClearMLServer(tls=(cert, key)) as server:
        home.settings(FAST)
        home.conf(conf_for(server.url, f"api.verify_certificate: \"{cert}\"\nlocal: 1"))
        daemon.start()
        wait_error(daemon, words)
        assert daemon.get("local") == 1


# --- proxies ---


class ProxyHandler(socketserver.StreamRequestHandler):
    """One request: a tunnel, a request passed on, or the error that was asked for."""

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        self.server.heads.append(head.decode())
        if self.server.status:
            page = b"<html>no</html>"
            self.wfile.write(b"HTTP/1.1 %d NO\r\nContent-Length: %d\r\n"
                             b"Connection: close\r\n\r\n" % (self.server.status, len(page)) + page)
            return
        method, target, _ = head.split(b" ", 2)
        if method == b"CONNECT":
            self._tunnel(target.decode(), b"")
        else:
            self._tunnel(urllib.parse.urlsplit(target.decode()).netloc, head)

    def _tunnel(self, netloc, first):
        host, _, port = netloc.rpartition(":")
        with socket.create_connection((host, int(port))) as server:
            if first:
                server.sendall(first)
            else:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, self.connection))
            back.start()
            _pump(self.connection, server)
            back.join()


def _pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


class Proxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy that remembers what it was asked."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.heads, self.status = [], None
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.name = f"127.0.0.1:{self.server_address[1]}"
        self.url = f"http://proxy-user:proxy-password@{self.name}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


@pytest.fixture
def proxy():
    with Proxy() as running:
        yield running


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(home, server, proxy, name):
    home.settings(FAST)
    home.conf(conf_for(server.url))
    with Daemon(home, env={name: proxy.url}) as daemon:
        daemon.wait_state("ready")
    assert proxy.heads[0].startswith(f"GET {server.url}/auth.login HTTP/1.1")
    login = base64.b64encode(b"proxy-user:proxy-password").decode()
    assert f"Proxy-Authorization: Basic {login}" in proxy.heads[0]


@needs_openssl
def test_tls_goes_through_a_tunnel(home, secure, certificate, proxy):
    home.settings(FAST)
    home.conf(conf_for(secure.url, f"api.verify_certificate: \"{certificate[0]}\""))
    with Daemon(home, env={"https_proxy": proxy.url, "http_proxy": "http://127.0.0.1:1"}) as daemon:
        daemon.wait_state("ready")
        assert daemon.get("team.name") == "reindeer"
    assert all(head.startswith("CONNECT 127.0.0.1:") for head in proxy.heads)
    assert not any("\r\nAuthorization:" in head for head in proxy.heads)


def test_no_proxy_is_heeded(home, server, proxy):
    home.settings(FAST)
    home.conf(conf_for(server.url))
    with Daemon(home, env={"http_proxy": proxy.url, "NO_PROXY": "127.0.0.1"}) as daemon:
        daemon.wait_state("ready")
    assert proxy.heads == []


@pytest.mark.parametrize("status, words", [(407, "wants a login"), (502, "HTTP 502 with HTML")])
def test_a_proxy_that_fails_is_named_without_its_password(home, server, proxy, status, words):
    home.settings(FAST)
    home.conf(conf_for(server.url))
    proxy.status = status
    with Daemon(home, env={"http_proxy": proxy.url}) as daemon:
        error = wait_error(daemon, words)
        assert f"the proxy {proxy.name}" in error
        assert "proxy-password" not in error + daemon.log()
        proxy.status = None
        daemon.wait_state("ready")


# --- ClearML's own settings ---


def test_reads_go_by_the_method_of_the_configuration(home, server, daemon):
    home.settings(FAST)
    home.conf(conf_for(server.url, "api.http.default_method: post\n"
                                   "api.auth.request_token_expiration_sec: 7200"))
    daemon.start()
    daemon.wait_state("ready")
    assert {each.method for each in server.requests()} == {"POST"}
    login = server.requests("auth.login")[0]
    assert login.query == [("expiration_sec", "7200")]


def test_a_method_that_there_is_not_is_a_warning_and_get(home, server, daemon):
    home.settings(FAST)
    home.conf(conf_for(server.url, "api.http.default_method: fetch"))
    daemon.start()
    daemon.wait_state("ready")
    assert {each.method for each in server.requests()} == {"GET"}
    assert "event=unknown-method method=fetch" in daemon.log()


# --- how much a server hears ---


def test_a_storm_of_reloads_is_held_to_a_bucket(home, server, daemon):
    """Sixty at once and one a second, and a little more that the settings ask for."""
    home.conf(conf_for(server.url))
    daemon.start()
    daemon.wait_state("ready")
    begin = time.monotonic()
    while time.monotonic() < begin + 3:
        daemon.reload()
    seconds = time.monotonic() - begin
    assert 60 < server.count() <= 75 + 1.5 * seconds
    assert "event=calls-held-back" in daemon.log()
    assert daemon.status()["state"] == "ready"


@pytest.mark.parametrize("claims", [{"user": USER_ID, "company": COMPANY_ID}, None],
                         ids=["no names", "no identity"])
def test_who_we_are_is_asked_once(home, server, daemon, claims):
    """Not with every poll, when neither the token nor the server says."""
    home.settings(FAST)
    home.conf(conf_for(server.url))
    server.state.token_claims = {"identity": claims}
    for endpoint in ("users.get_current_user", "organization.get_user_companies"):
        server.fail("envelope", endpoint=endpoint, code=400, subcode=300)
    server.fail("data", endpoint="users.get_vaults", data={"vaults": []})
    daemon.start()
    daemon.wait_state("ready")
    asked = server.count("users.get_vaults")
    wait_until(lambda: server.count("users.get_vaults") >= asked + 8, "polls")
    assert server.count("users.get_current_user") == 1
