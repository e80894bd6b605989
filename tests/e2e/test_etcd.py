"""The layer `site` by etcd: one real node, and everything that one host may see of it."""

import http.server
import signal
import socket
import subprocess
import threading
import time

import pytest
from etcd import PREFIX, Node
from harness import SANITIZED, Daemon, wait_until
from host import host, library, needs_shim  # noqa: F401

HOST = socket.gethostname()
SETTINGS = """\
[poll]
timeout = 3s
[site]
etcd = {etcd}
probe = 100ms
{more}
"""


def settings(home, etcd, more=""):
    home.settings(SETTINGS.format(etcd=etcd if isinstance(etcd, str) else etcd.url, more=more))


@pytest.fixture
def serve(home, ending):
    """Start a daemon with these settings."""
    def start(etcd, more="", *arguments, **options):
        settings(home, etcd, more)
        return ending.enter_context(Daemon(home, *arguments, **options))
    return start


def site(daemon):
    return daemon.status()["site"]


def wait_site(daemon, state, words=""):
    """Until status says this of etcd; what it says."""
    def there():
        told = site(daemon)
        return told["state"] == state and words in told.get("last_error", "") and told
    return wait_until(there, f"site {state} {words!r}")


# --- what is served -----------------------------------------------------------

def test_documents_are_served_explained_watched_and_masked(etcd, serve, home):
    etcd.put("10-base.conf", 'a { b = 1 }\nsdk.aws.s3.secret = "hidden-in-etcd-1"\n')
    daemon = serve(etcd)
    daemon.wait_value("a.b", 1)
    assert wait_site(daemon, "ready") == {"endpoint": etcd.url, "revision": etcd.revision(),
                                          "state": "ready"}
    with daemon.connect() as watcher:
        watcher.send("io.clearconf.Watch", {"paths": ["a"], "values": True}, more=True)
        watcher.receive()
        revision = etcd.put("20-gpu.yaml", "a:\n  b: 2\n  c: 3\n")
        changes = watcher.receive()["changes"]
    assert [(each["path"], each["kind"], each["new"]) for each in changes] == [
        ("a.b", "changed", 2), ("a.c", "added", 3)]
    leaf, = daemon.call("Explain", path="a.b")["leaves"]
    assert leaf["origin"] == {"layer": "site", "source": PREFIX + "20-gpu.yaml", "line": 2,
                              "column": 6}
    assert leaf["overridden"][0]["origin"]["source"] == PREFIX + "10-base.conf"
    assert daemon.call("History", limit=1)["generations"][0]["cause"] == "site"
    assert daemon.get(mask=True)["sdk"]["aws"]["s3"]["secret"] == "****"
    assert site(daemon)["revision"] == revision
    assert f"site: etcd at {etcd.url} is watched, at revision {revision}" in home.client(
        "doctor").stdout
    assert daemon.status()["counters"]["site_lag"] == 0
    etcd.delete("20-gpu.yaml")
    daemon.wait_value("a", {"b": 1})
    assert not daemon.layer("20-gpu.yaml")


def test_the_more_special_wins_and_the_name_gives_the_order(etcd, serve, home):
    home.write("config/clearconf/site.d/99.conf", "who: file\nfile: here")
    home.conf("mine: yes\nwho2: file")
    daemon = serve(etcd, "groups = gpu lab gpu\n[local]\nsite = site.d")
    daemon.wait_value("who", "file")
    for name in ("10.conf", "z.conf", "groups/gpu/1.conf", "groups/lab/0.conf",
                 f"hosts/{HOST}/0.conf"):
        etcd.put(name, f'who: "{name}", all."{name}": 1')
        daemon.wait_value("who", name)
    for name in ("zz.conf", "groups/gpu/2.conf", "groups/none/3.conf", "hosts/other/4.conf",
                 "team/a.conf", "hosts/", "groups/x", "folder/"):
        etcd.put(name, f'who: "{name}", all."{name}": 1')
    etcd.put("elsewhere.conf", "all.elsewhere: 1", prefix="/clearconf/site")
    etcd.put(f"hosts/{HOST}/last.yaml", "all: {last: 1}")
    daemon.wait_value("all.last", 1)
    value = daemon.get()
    assert value["who"] == f"hosts/{HOST}/0.conf" and value["mine"] == "yes"
    assert set(value["all"]) == {
        "10.conf", "z.conf", "zz.conf", "team/a.conf", "groups/gpu/1.conf", "groups/gpu/2.conf",
        "groups/lab/0.conf", f"hosts/{HOST}/0.conf", "last"}
    sources = [x["source"].removeprefix(PREFIX) for x in daemon.layers() if x["layer"] == "site"]
    assert sources[0].endswith("/site.d/99.conf")
    assert sources[1:] == ["10.conf", "team/a.conf", "z.conf", "zz.conf", "groups/gpu/1.conf",
                           "groups/gpu/2.conf", "groups/lab/0.conf", f"hosts/{HOST}/0.conf",
                           f"hosts/{HOST}/last.yaml"]


def test_a_document_that_cannot_be_read_keeps_its_predecessor(etcd, serve, home):
    etcd.put("10.conf", "a: 1\n")
    daemon = serve(etcd)
    daemon.wait_value("a", 1)
    etcd.put("10.conf", "a: 2\nb: [1, 2\n")
    layer = daemon.wait_layer("10.conf", "broken")
    assert (layer["line"], layer["column"]) == (3, 1) and layer["error"]
    assert daemon.get("a") == 1 and daemon.status()["state"] == "degraded"
    assert site(daemon)["state"] == "ready"
    shown = home.daemon("--check")
    assert shown.returncode == 1
    assert f"etcd {PREFIX}10.conf:3:1: " in shown.stdout and "^" in shown.stdout
    etcd.put("20.conf", "b: 1\n")
    daemon.wait_value("b", 1)
    wait_until(lambda: any(b"b: 1" in file.read_bytes() for file in
                           (home.path / "state").glob("**/etcd*.cache")), "the file")
    daemon.stop(signal.SIGKILL)
    daemon.start()  # the good text of before was kept on disk
    daemon.wait_value("b", 1)
    assert daemon.get("a") == 1
    daemon.wait_layer("10.conf", "broken")
    etcd.put("10.conf", "a: 3")
    daemon.wait_value("a", 3)
    daemon.wait_state("ready")


def test_they_read_what_vaults_may_read_and_no_files(etcd, serve, home):
    home.write("secret.conf", "stolen: yes")
    etcd.put("10.conf", "a: ${SEEN}\nb: ${?HIDDEN_ONE}\n")
    etcd.put("20.conf", f'include "{home.path}/secret.conf"\n')
    daemon = serve(etcd, "[local]\nvault_environment = SEEN", env={"SEEN": "1", "HIDDEN_ONE": "2"})
    daemon.wait_value("a", "1")
    assert daemon.get() == {"a": "1"}
    assert "include" in daemon.wait_layer("20.conf", "broken")["error"]


def test_print_waits_for_them_and_check_tells_of_etcd(etcd, home):
    etcd.put("10.conf", "a: 1")
    settings(home, etcd)
    assert home.resolve() == {"a": 1}
    settings(home, "http://127.0.0.1:1")
    assert home.resolve() == {}
    shown = home.daemon("--check")
    assert shown.returncode == 0 and "site: warning: connection refused" in shown.stdout


def test_a_reload_takes_other_settings(etcd, serve, home):
    etcd.put("10.conf", "a: 1")
    etcd.put("groups/gpu/10.conf", "gpu: 1")
    etcd.put("10.conf", "other: 1", prefix="/other/")
    daemon = serve(etcd)
    daemon.wait_value("a", 1)
    settings(home, etcd, "groups = gpu")
    daemon.call("Reload")
    assert daemon.get() == {"a": 1, "gpu": 1}
    settings(home, etcd, "prefix = /other")
    daemon.call("Reload")
    assert daemon.get() == {"other": 1}
    home.settings("[daemon]\nmode = agent\n")
    daemon.reload()
    assert daemon.get() == {} and "site" not in daemon.status()
    wait_until(lambda: not list((home.path / "state").glob("**/etcd*.cache")), "no file")


# --- bad days -----------------------------------------------------------------

def test_a_node_that_restarts_loses_nothing(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10.conf", "a: 1")
        daemon = serve(etcd)
        daemon.wait_value("a", 1)
        etcd.end()
        told = wait_site(daemon, "offline", "connection refused")
        assert "is the etcd server running there?" in told["last_error"]
        assert daemon.get("a") == 1 and daemon.status()["state"] == "degraded"
        etcd.start().wait()
        etcd.put("10.conf", "a: 2")
        etcd.delete("10.conf")
        etcd.put("20.conf", "b: 1")
        daemon.wait_value("b", 1)
        assert daemon.get() == {"b": 1}
        wait_site(daemon, "ready")


def test_what_was_compacted_meanwhile_is_read_anew(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10.conf", "a: 1")
        etcd.put("20.conf", "b: 1")
        daemon = serve(etcd)
        daemon.wait_value("b", 1)
        daemon.process.send_signal(signal.SIGSTOP)
        etcd.end()
        etcd.start().wait()
        etcd.delete("20.conf")
        etcd.put("10.conf", "a: 2")
        etcd.compact()
        daemon.process.send_signal(signal.SIGCONT)
        daemon.wait_value("a", 2)
        assert daemon.get() == {"a": 2}


def test_another_cluster_at_the_same_place_is_read_anew(tmp_path, serve):
    with Node(tmp_path) as etcd:
        for number in range(20):
            etcd.put("10.conf", f"a: {number}")
        etcd.put("20.conf", "b: 1")
        daemon = serve(etcd)
        daemon.wait_value("b", 1)
    with Node(tmp_path, "two", client_port=etcd.port) as other:
        other.put("10.conf", "a: new")
        daemon.wait_value("a", "new")
        assert daemon.get() == {"a": "new"}


def test_a_frozen_node_is_noticed_and_heals(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10.conf", "a: 1")
        daemon = serve(etcd)
        daemon.wait_value("a", 1)
        etcd.freeze()
        wait_site(daemon, "offline", "no whole answer")
        etcd.thaw()
        etcd.put("10.conf", "a: 2")
        daemon.wait_value("a", 2)
        wait_site(daemon, "ready")


# --- rights -------------------------------------------------------------------

def test_a_login_with_rights_on_the_prefix_is_enough(tmp_path, serve, home):
    password = home.write("config/clearconf/etcd.password", "host-password-12345\n")
    with Node(tmp_path, options=["--bcrypt-cost", "4", "--auth-token-ttl", "1"]) as etcd:
        etcd.put("10.conf", "a: 1")
        etcd.guard()
        more = "user = host\npassword_file = etcd.password"
        daemon = serve(etcd, more)
        daemon.wait_value("a", 1)
        time.sleep(1.5)  # the token is over
        daemon.reload()
        etcd.log_in("root", "root-password")
        etcd.put("10.conf", "a: 2")
        daemon.wait_value("a", 2)
        wait_site(daemon, "ready")
        password.write_text("wrong")
        time.sleep(1.5)
        daemon.reload()
        wait_site(daemon, "degraded", "authentication failed")
        assert "password_file" in site(daemon)["last_error"] and daemon.get("a") == 2
        password.write_text("host-password-12345")
        wait_site(daemon, "ready")
        home.settings(SETTINGS.format(etcd=etcd.url, more=more + "\nprefix = /secret/"))
        daemon.reload()
        assert "grant the role" in wait_site(daemon, "degraded", "permission denied")["last_error"]
        home.settings(SETTINGS.format(etcd=etcd.url, more=""))
        daemon.reload()
        assert "set user" in wait_site(daemon, "degraded", "user name is empty")["last_error"]


def test_refused_documents_go_after_the_grace(tmp_path, serve, home):
    home.write("config/clearconf/etcd.password", "host-password-12345\n")
    with Node(tmp_path, options=["--bcrypt-cost", "4"]) as etcd:
        etcd.put("10.conf", "a: 1")
        etcd.guard()
        daemon = serve(etcd, "user = host\npassword_file = etcd.password\n"
                             "[poll]\nrevoked_grace = 1s")
        daemon.wait_value("a", 1)
        etcd.call("auth/user/delete", name="host")
        etcd.end()
        etcd.start()
        wait_site(daemon, "degraded")
        daemon.wait_value("a", None)
        assert daemon.call("History", limit=1)["generations"][0]["cause"] == "revoked"


# --- bad input ----------------------------------------------------------------

def test_large_values_are_served(etcd, serve):
    """etcd's limit is 1.5 MiB a request."""
    large = 1_500_000
    for number in range(6):
        etcd.put(f"{number}.conf", f'x{number}: "{str(number) * large}"', timeout=30)
    daemon = serve(etcd)
    daemon.wait_value("x5", "5" * large)
    etcd.put("3.conf", f'x3: "{"y" * large}"', timeout=30)
    daemon.wait_value("x3", "y" * large)
    assert all(len(value) == large for value in daemon.get().values())


def test_more_than_may_be_is_told_and_what_was_stays(etcd, serve):
    etcd.put("10.conf", "a: 1")
    daemon = serve(etcd, "[limits]\nresponse = 100K")
    daemon.wait_value("a", 1)
    etcd.put("20.conf", "#" * 110_000)
    told = wait_site(daemon, "degraded", "bytes under the prefix")
    assert "[limits]" in told["last_error"] and daemon.get("a") == 1
    etcd.delete("20.conf")
    etcd.put("10.conf", "a: 2")
    daemon.wait_value("a", 2)
    wait_site(daemon, "ready")


def test_a_reload_takes_a_lower_limit_at_once(etcd, serve, home):
    """Else it is the limit of one side only, and all of it is read again for ever."""
    etcd.put("10.conf", "a: 1\n" + "#" * 110_000)
    daemon = serve(etcd)
    daemon.wait_value("a", 1)
    wait_site(daemon, "ready")
    settings(home, etcd, "[limits]\nresponse = 100K")
    daemon.reload()
    wait_site(daemon, "degraded", "bytes under the prefix")
    assert daemon.get("a") == 1
    reads = daemon.log().count("etcd-watched")
    etcd.put("10.conf", "a: 2")
    daemon.wait_value("a", 2)
    wait_site(daemon, "ready")
    assert daemon.log().count("etcd-watched") == reads + 1


def test_ten_thousand_documents_are_served(etcd, serve):
    end = PREFIX[:-1] + "0"
    count = 2_000 if SANITIZED else 10_000
    batch = [{"request_put": {"key": None, "value": None}} for _ in range(100)]
    from etcd import coded
    for start in range(0, count, 100):
        for number, put in enumerate(batch, start):
            put["request_put"] = {"key": coded(f"{PREFIX}{number:05d}.conf"),
                                  "value": coded(f"k{number}: {number}")}
        etcd.call("kv/txn", success=batch, timeout=30)
    daemon = serve(etcd)
    wait_until(lambda: len(daemon.get()) == count, "all of them", 60)
    etcd.put("01000.conf", "k1000: new")
    daemon.wait_value("k1000", "new")
    etcd.call("kv/deleterange", key=coded(PREFIX), range_end=coded(end), timeout=30)
    wait_until(lambda: daemon.get() == {}, "none of them", 60)


def test_what_is_no_text_is_broken_and_kept_out_of_the_way(etcd, serve):
    etcd.put("10.conf", b"a: \xff\xfe")
    etcd.put("20.conf", "b: 1")
    etcd.put("bad\nname\t.conf", "c: 1")
    etcd.call("kv/put", key="/////w==", value="YTogMQ==")
    daemon = serve(etcd)
    daemon.wait_value("b", 1)
    assert "UTF-8" in daemon.wait_layer("10.conf", "broken")["error"]
    etcd.put("10.conf", "a: 1")
    etcd.put("20.conf", b"\x80")
    daemon.wait_value("a", 1)
    daemon.wait_layer("20.conf", "broken")
    assert daemon.get("b") == 1


class NoEtcd(http.server.BaseHTTPRequestHandler):
    """What answers, and is no etcd."""

    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>\n" * 1000)

    do_GET = do_POST

    def log_message(self, *_):
        pass


def test_what_is_no_etcd_is_told(serve, home):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NoEtcd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        daemon = serve(f"http://127.0.0.1:{server.server_port}")
        told = wait_site(daemon, "degraded", "no answer of etcd's")
        assert "HTTP 200" in told["last_error"]
        server.shutdown()


# --- TLS ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """{name: (certificate, key)} of one CA and of a stranger; (folder, names)."""
    folder = tmp_path_factory.mktemp("pki")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    for ca in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={ca}", "-days", "2", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1")
    for name, ca in (("server", "ca"), ("host", "ca"), ("foreign", "stranger")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl("x509", "-req", "-in", f"{name}.csr", "-extfile", "extensions", "-days", "2",
                "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
                "-out", f"{name}.pem")
    return folder


def test_certificates_both_ways(tmp_path, serve, home, certificates):
    from etcd import trusting
    pki = certificates
    options = ["--cert-file", pki / "server.pem", "--key-file", pki / "server.key",
               "--client-cert-auth", "--trusted-ca-file", pki / "ca.pem"]
    tls = trusting(pki / "ca.pem", pki / "host.pem", pki / "host.key")
    with Node(tmp_path, options=list(map(str, options)), tls=tls) as etcd:
        etcd.put("10.conf", "a: 1")

        def shown(ca, name=None):
            own = f"cert = {pki}/{name}.pem\nkey = {pki}/{name}.key\n" if name else ""
            return f"ca = {pki}/{ca}.pem\n{own}"
        daemon = serve(etcd, shown("ca", "host") + "report = yes\n")
        daemon.wait_value("a", 1)
        wait_until(lambda: site(daemon)["report"]["state"] == "kept", "the report")
        shows = ["--etcd", etcd.url, "--ca", pki / "ca.pem", "--cert", pki / "host.pem", "--key", pki / "host.key"]
        for by in [], shows:  # the settings, the options
            assert home.client("site", "get", "10.conf", *by, check=0).stdout == "a: 1"
        assert "--ca" in home.client("site", "get", "10.conf", "--etcd", etcd.url, check=6).stderr
        assert "--cert and --key" in home.client("fleet", *shows[:4], check=6).stderr
        for more, words in ((shown("stranger", "host"), "correct `ca` in [site]"),
                            (shown("ca", "foreign"), "correct `cert` and `key` in [site]"),
                            (shown("ca"), "correct `cert` and `key` in [site]")):
            settings(home, etcd, more)
            daemon.reload()
            wait_site(daemon, "offline", words)
            assert daemon.get("a") == 1
        settings(home, etcd, shown("ca", "host"))
        daemon.reload()
        etcd.put("10.conf", "a: 2")
        daemon.wait_value("a", 2)


# --- an hour without etcd -----------------------------------------------------

@needs_shim
def test_down_at_the_start_and_for_an_hour(tmp_path, serve, home, host):  # noqa: F811
    """Both clocks go on, as they do on a host that sleeps."""
    with Node(tmp_path) as etcd:
        etcd.put("10.conf", "a: 1")
        daemon = serve(etcd, env=host.env)
        daemon.wait_value("a", 1)
        wait_site(daemon, "ready")
    daemon.stop()
    daemon.start()  # etcd is down
    assert daemon.get("a") == 1
    wait_site(daemon, "offline", "connection refused")
    assert daemon.layer("10.conf")["state"] == "ok"
    host.sleep(3600)
    layer = daemon.wait_layer("10.conf", "stale")
    assert 3600 <= layer["age"] < 3700
    assert daemon.get("a") == 1 and daemon.status()["state"] == "degraded"
    assert 3600 <= daemon.status()["counters"]["site_lag"] < 3700
    shown = home.client("status", check=0).stdout
    assert "site layer   offline" in shown and "stale" in shown
    daemon.stop()
    daemon.start()  # an hour later, and etcd is still down
    assert daemon.get("a") == 1
    assert daemon.wait_layer("10.conf", "stale")["age"] >= 3600
    with Node(tmp_path, "two", client_port=etcd.port) as again:
        again.put("10.conf", "a: 2")
        daemon.wait_value("a", 2)
        assert wait_site(daemon, "ready") and daemon.layer("10.conf")["state"] == "ok"


def test_documents_that_nobody_confirms_are_dropped_at_the_stale_limit(tmp_path, serve):
    with Node(tmp_path) as etcd:
        etcd.put("10.conf", "a: 1")
        daemon = serve(etcd, "[poll]\nstale_limit = 1s")
        daemon.wait_value("a", 1)
        time.sleep(1.5)
        assert daemon.get("a") == 1  # as long as etcd is there
        etcd.end()
        daemon.wait_value("a", None)
        assert daemon.call("History", limit=1)["generations"][0]["cause"] == "stale_limit"
