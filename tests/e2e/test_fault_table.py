"""The fault table: whatever is wrong with the server or on the way to it, what is served stays as
it is, status tells the truth, and when the fault is over the daemon takes a changed vault without
a restart."""

import contextlib
import shutil

import pytest
from clearml_server import ACCESS_KEY, ClearMLServer
from harness import Home, wait_until
from stage import (LOGIN, Stage, bounded, fails, left, make_certificates, one_login_each,
                   refused_connection, revoked, sent_elsewhere, server_clock, shows, tokens,
                   unreachable)

TRACEBACK = 'Traceback (most recent call last):\n  File "/opt/clearml/apiserver/x.py", line 1\n'
HTML = "<html><head><title>502 Bad Gateway</title></head></html>"
MAINTENANCE = {"Retry-After": "1"}
A_DATE_AHEAD = {"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}
BIG = "123456789012345678901234567890"


def page(status, **options):
    return fails("page", status=status, **options)


def envelope(code, subcode, msg="odd", **options):
    return fails("envelope", code=code, subcode=subcode, msg=msg, **options)


# what: (fault, state, what last_error says)
ROWS = {
    # no connection
    "refused connection": (refused_connection, "offline", "connection refused by 127.0.0.1:"),
    "unreachable": (unreachable, "offline", "no whole answer from 127.0.0.1:.* within 1 s"),
    "closed unanswered": (fails("drop"), "offline", "closed the connection unanswered"),
    "reset": (fails("drop", reset=True), "offline", "lost|unanswered"),
    # half an answer
    "half a body": (fails("half"), "offline", "only a part"),
    "reset mid-body": (fails("half", reset=True), "offline", "lost|only a part"),
    "half a chunked body": (fails("half_chunk"), "offline", "only a part"),
    "broken chunk": (fails("bad_chunk"), "offline", "no answer|lost"),
    "half a gzip": (fails("cut_gzip"), "degraded", "HTTP 200 with broken JSON.*cut short"),
    "gzip garbage": (fails("bad_gzip"), "offline", "cannot be decompressed"),
    "silence": (fails("hang"), "offline", "no whole answer .* within 1 s"),
    "a byte a second": (fails("slow", interval=1), "offline", "no whole answer .* within 1 s"),
    "a byte a second of the head": (fails("slow", interval=1, head=True), "offline",
                                    "no whole answer .* within 1 s"),
    # too much of an answer
    "64 MB": (bounded(fails("huge", size=64 << 20), 16 << 10), "offline", "more than 1048576 bytes"),
    "gzip bomb": (bounded(fails("gzip_bomb", size=256 << 20), 16 << 10), "offline",
                  "more than 1048576 bytes"),
    # elsewhere
    "redirect loop": (fails("redirect", location="/users.get_vaults"), "offline",
                      "redirects more than 5 times"),
    "301 to another host": (sent_elsewhere, "offline",
                            "redirects to localhost:.* correct api_server"),
    # no envelope: not the ClearML server speaks
    "HTML": (page(200, body=HTML), "degraded", "HTTP 200 with HTML"),
    "an empty body": (page(200, body=""), "degraded", "HTTP 200 with an empty body"),
    "a list": (page(200, body="[]"), "degraded", "HTTP 200 with other JSON"),
    "401 without an envelope": (page(401), "degraded", "HTTP 401 with HTML.*proxy"),
    "403 without an envelope": (page(403), "degraded", "HTTP 403 with HTML.*proxy"),
    "404 without an envelope": (page(404), "degraded", "HTTP 404 with HTML"),
    "429 for seconds": (page(429, headers=MAINTENANCE), "degraded", "HTTP 429 .*limits requests"),
    "429 until a date": (page(429, headers=A_DATE_AHEAD), "degraded", "HTTP 429 .*limits requests"),
    "500 page": (page(500), "degraded", "HTTP 500 with HTML"),
    "502 page": (page(502, body=HTML), "degraded", "HTTP 502 with HTML"),
    "503 for a while": (page(503, headers=MAINTENANCE), "degraded", "HTTP 503 with HTML"),
    "504 page": (page(504), "degraded", "HTTP 504"),
    # an envelope: the ClearML server has its bad day
    "a body that is not UTF-8": (page(200, body=b'{"meta":{"result_code":200},"data":'
                                      b'{"vaults":[{"data":"turn: \xff"}]}}'),
                                 "degraded", "HTTP 200 with broken JSON"),
    "half a surrogate pair": (fails("data", data={"vaults": [{"id": "a", "data": "turn: \ud800"}]}),
                              "degraded", "HTTP 200 with broken JSON"),
    "null data": (fails("data", data=None), "degraded", "HTTP 200"),
    "400": (envelope(400, 12), "degraded", r"odd \(400/12\)"),
    "401/10": (envelope(401, 10), "degraded", r"odd \(401/10\)"),
    "401/30 twice": (one_login_each(envelope(401, 30, "Invalid token")), "degraded",
                     r"Invalid token \(401/30\)"),
    "500 with a traceback": (envelope(500, 0, "tuple index out of range", stack=TRACEBACK),
                             "degraded", r"^(?!.*(Traceback|/opt/)).*out of range \(500/0\)"),
    "503 envelope": (envelope(503, 102, "database is temporarily unavailable"), "degraded",
                     r"temporarily unavailable \(503/102\)"),
    # no vaults where there were some
    "404 after vaults": (envelope(404, 0), "degraded", "no longer offers vaults"),
    "no list of vaults": (fails("data", data={}), "degraded", "holds no list of vaults"),
    # refused, within the grace
    "401/22": (envelope(401, 22, "invalid credentials"), "refused", "401/22"),
    "403 envelope": (envelope(403, 20, "not allowed"), "refused", "403/20"),
    "the key pair is revoked": (revoked, "refused", "401/22"),
    "the workspace is left": (left, "refused", "403/1"),
    # a login that fails, or gives a token that is odd
    "login 401/22": (envelope(401, 22, "no such pair", endpoint=LOGIN), "refused", "401/22"),
    "login 403 envelope": (envelope(403, 20, "not allowed", endpoint=LOGIN), "refused", "403/20"),
    "login 403 page": (page(403, endpoint=LOGIN), "degraded", "HTTP 403 with HTML.*proxy"),
    "login 401/30": (envelope(401, 30, "Invalid token", endpoint=LOGIN), "degraded", "401/30"),
    "login 404": (envelope(404, 0, endpoint=LOGIN), "degraded", "404/0"),
    "login 500": (envelope(500, 0, "boom", endpoint=LOGIN), "degraded", r"boom \(500/0\)"),
    "login 502": (page(502, endpoint=LOGIN), "degraded", "HTTP 502"),
    "login silence": (fails("hang", endpoint=LOGIN), "offline", "within 1 s"),
    "login reset": (fails("drop", reset=True, endpoint=LOGIN), "offline", "lost|unanswered"),
    "login without a token": (fails("data", data={}, endpoint=LOGIN), "degraded", "holds no token"),
    "login with a number for a token": (fails("data", data={"token": 7}, endpoint=LOGIN), "degraded",
                                        "holds no token"),
    "a token that is none": (fails("data", data={"token": "no.token"}, endpoint=LOGIN), "degraded",
                             "no longer offers vaults"),
    "a token that has expired": (one_login_each(tokens(lifetime=-1)), "degraded",
                                 r"has expired \(401/30\)"),
    "a token without claims": (tokens(api_version=None, feature_set=None, exp=None, iat=None,
                                      server_version=None, env=None), "degraded",
                               "no longer offers vaults"),
    "a token without an identity": (tokens(identity=None), "degraded", "500/0"),
}

# What is odd and no fault: all goes on. what: what is odd
ODD = {
    "a token without exp": tokens(exp=None),
    "a token without iat": tokens(iat=None),
    "a token with exp over 64 bits": tokens(exp=int(BIG)),
    "a token with numbers for versions": tokens(api_version=2.31, server_version=2),
    "the server's clock is an hour behind": server_clock(-3600),
    "the server's clock is an hour ahead": server_clock(3600),
    "one request in two fails": fails("page", status=503, after=1, times=1),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for a home; short, because a socket's path is."""
    return tmp_path_factory.mktemp("table")


@pytest.fixture(scope="module")
def stage(folder):
    """The stage of all rows but those that need another start."""
    with ClearMLServer() as server:
        stage = Stage(Home(folder / "home"), server)
        stage.change_vault()
        with stage.daemon:
            yield stage


@pytest.fixture(scope="module")
def secure_stage(folder):
    """A stage whose server speaks TLS."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make certificates with")
    certificates, ca = make_certificates(folder)
    with ClearMLServer(tls=certificates["good"]) as server:
        stage = Stage(Home(folder / "secure"), server, f"verify_certificate = {ca}")
        stage.certificates = certificates
        stage.change_vault()
        with stage.daemon:
            yield stage


def play(stage, fault, state, words):
    """A row of the table."""
    stage.wait_turn()
    before = stage.served()
    with fault(stage):
        stage.wait_told(state, words)
        assert stage.served() == before
        stage.change_vault()
        stage.wait_told(state, words)
        assert stage.served() == before
        assert stage.daemon.call("Get")["state"] == stage.daemon.status()["state"]
    stage.wait_turn()


@pytest.mark.parametrize("what", ROWS)
def test_fault(stage, what):
    play(stage, *ROWS[what])


@pytest.mark.parametrize("what, words", [
    ("stranger", "is not trusted.*self.signed"),
    ("expired", "has expired: renew it"),
    ("elsewhere", "127.0.0.1:[0-9]+ is for another host"),
])
def test_certificate(secure_stage, what, words):
    play(secure_stage, shows(what), "offline", words)


@pytest.mark.parametrize("what", ODD)
def test_what_is_odd_and_no_fault(stage, what):
    stage.wait_turn()
    with ODD[what](stage):
        stage.wait_tries()
        stage.change_vault()
        stage.wait_turn()
    stage.change_vault()
    stage.wait_turn()


# --- lists of vaults that are odd ---


def vault(id, data, **more):
    return {"id": id, "data": data, "enabled": True, "type": "config", **more}


# what: (vaults as they are served, what is served beside local: 1)
VAULTS_THAT_ARE_ODD = {
    "null": ([vault("a", "k: 1"), vault("b", None), vault("c", "l: 2")], {"k": 1, "l": 2}),
    "nothing but nulls": ([None, {}, vault("a", None), 7, "text", []], {}),
    "one id twice": ([vault("a", "k: 1, l: 1"), vault("a", "k: 2")], {"k": 2, "l": 1}),
    "no ids": ([vault(None, "k: 1"), vault(None, "l: 2")], {"k": 1, "l": 2}),
    "ids that are numbers": ([vault(int(BIG), "k: 1"), vault(7, "l: 2")], {"k": 1, "l": 2}),
    "integers over 64 bits": (
        [vault("a", f"k: {BIG}", last_update=int(BIG), editable=-int(BIG))], {"k": int(BIG)}),
    "a thousand": ([vault(str(n), f"k{n}: {n}, last: {n}") for n in range(1000)],
                   {**{f"k{n}": n for n in range(1000)}, "last": 999}),
    "members nobody knows": ([vault("a", "k: 1", colour={"deep": [1, {"x": None}]})], {"k": 1}),
}


@pytest.mark.parametrize("what", VAULTS_THAT_ARE_ODD)
def test_vaults_that_are_odd(stage, what):
    vaults, served = VAULTS_THAT_ARE_ODD[what]
    stage.wait_turn()
    with fails("data", data={"vaults": vaults})(stage):
        wait_until(lambda: stage.daemon.get() == {"local": 1, **served}, f"{what} to be served")
        stage.wait_told("ready", None)
    stage.wait_turn()
    assert set(stage.daemon.get()) == {"local", "team", "turn"}


def test_a_broken_vault_keeps_its_last_good_text_and_hides_no_other(stage):
    stage.wait_turn()
    good = [vault("a", "k: 1"), vault("b", "l: 1")]
    stage.server.state.set_vaults(good)
    wait_until(lambda: stage.daemon.get() == {"local": 1, "k": 1, "l": 1}, "both vaults")
    stage.server.state.set_vaults([vault("a", "k: {"), vault("b", "l: 2")])
    wait_until(lambda: stage.daemon.get() == {"local": 1, "k": 1, "l": 2}, "the other's change")
    told = stage.wait_told("degraded", None)
    assert [each["state"] for each in told["layers"] if each["layer"] == "vault"] == ["broken", "ok"]
    stage.change_vault()
    stage.wait_turn()


# --- a server that the settings name, and that does not prove itself ---


@contextlib.contextmanager
def web_server():
    """The web server's port in place of the API's."""
    with ClearMLServer(prefix="/api") as server:
        yield server.url.removesuffix("/api")


@contextlib.contextmanager
def other_server():
    """A server that does not know the key pair."""
    with ClearMLServer() as server:
        server.state.revoke_credentials(ACCESS_KEY)
        yield server.url


def at(url):
    return lambda: contextlib.nullcontext(url)


# what: (the server that is named, what last_error says). A resolver that is
# slow to say no meets the deadline first.
MOVES = {
    "a name that nobody has": (at("http://clearml.invalid:8008"), "cannot be resolved|within 1 s"),
    "a closed port": (at("http://127.0.0.1:1"), "connection refused by 127.0.0.1:1"),
    "the web server": (web_server, "HTTP 200 with HTML.*port is usually 8008"),
    "a server that refuses": (other_server, "401/22"),
}


@pytest.mark.parametrize("what", MOVES)
def test_a_move_to_a_server_that_fails_leaves_the_old_one_at_work(stage, what):
    target, words = MOVES[what]
    stage.wait_turn()
    before = stage.served()
    with target() as url:
        stage.settle(url)
        stage.daemon.reload()
        stage.wait_told("degraded", words)
        assert stage.served() == before
        stage.change_vault()
        stage.daemon.wait_value("turn", stage.turn)
        stage.wait_told("degraded", words)
    stage.settle(stage.server.url)
    stage.daemon.reload()
    stage.wait_turn()


# --- the first login ---


FIRST = {what: row for what, row in ROWS.items()
         if what.startswith("login ") or what in ("refused connection", "the key pair is revoked",
                                                  "the workspace is left")}


@pytest.mark.parametrize("what", FIRST)
def test_a_fault_at_the_start_is_survived(tmp_path, what):
    fault, state, words = FIRST[what]
    with ClearMLServer() as server:
        stage = Stage(Home(tmp_path / "home"), server)
        stage.change_vault()
        with contextlib.ExitStack() as running:
            with fault(stage):
                running.enter_context(stage.daemon)
                stage.wait_told(state, words)
                assert stage.daemon.get() == {"local": 1}
            stage.wait_turn()


# --- beyond the grace ---


def hear(watcher, path, kind):
    """Until the watcher is told that this path was so changed."""
    watcher.receive_until(lambda reply: any(each["path"] == path and each["kind"] == kind
                                            for each in reply["changes"]))


@pytest.mark.parametrize("fault", [revoked, left], ids=["revoked", "left"])
def test_beyond_the_grace_vaults_are_dropped_and_taken_up_again(tmp_path, fault):
    with ClearMLServer() as server:
        stage = Stage(Home(tmp_path / "home"), server, poll="revoked_grace = 300ms")
        stage.change_vault()
        with stage.daemon, stage.daemon.connect() as watcher:
            stage.wait_turn()
            watcher.watch()
            with fault(stage):
                stage.wait_told("refused", "40[13]/")
                wait_until(lambda: stage.daemon.get() == {"local": 1}, "the vaults to be gone", 5)
                hear(watcher, "turn", "removed")
                stage.wait_told("refused", "40[13]/")
            stage.change_vault()
            stage.wait_turn()
            hear(watcher, "turn", "added")
