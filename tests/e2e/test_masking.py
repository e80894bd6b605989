"""Who has only `read` obtains no secret: not one that is or was in any document of any workspace,
winner or loser, by any method, by watching, by an environment of its own, by errors, or by a vault
that it may write. Each secret is searched for in every byte that such a peer is sent."""

import itertools
import json
import time

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST, SANITIZED, Daemon, wait_until

STRANGER = 65533
URIS = ["s3://bucket/x", "s3://minio.local:9000/x", "s3://other/x", "gs://b/x", "azure://a.b/c",
        "file:///x", "nonsense"]
PATHS = ["", "api", "api.credentials.secret_key", "sdk.aws.s3", "sdk.aws.s3.credentials.0",
         "sdk.aws.s3.credentials.0.secret", "agent", "agent.git_pass", "team", "team.copies.0",
         "mine", "mine.pin", "nowhere", "a..b"]
ENVIRONMENTS = [
    {},
    {"CLEARML_AGENT__MINE__SEEN": "${agent.git_pass}"},
    {"CLEARML_AGENT__MINE__SEEN": "${?api.credentials.secret_key} ${?VAULT_SECRET}"},
    {"CLEARML_AGENT__MINE": "{a: ${team.deep.token}, b: [${sdk.aws.s3.secret}]}"},
    {"SPLIT": "here", "HOME": "/home/x"},
    {"CLEARML_AGENT__AGENT": "not an object"},
    {"CLEARML_AGENT__AGENT__GIT_PASS": "of-the-caller-1"},
    {"SPLIT": "\" } broken {"},
]


class Secrets:
    """New ones, all remembered."""

    def __init__(self):
        self.all, self.number = {SECRET_KEY, ACCESS_KEY}, itertools.count(1)

    def __call__(self, what):
        made = f"zq-{what}-{next(self.number):04d}"
        self.all.add(made)
        return made

    def pin(self):
        made = 7_700_000_000 + next(self.number)
        self.all.add(str(made))
        return made


def local(conf, new):
    split = f"{new('before')}${{?SPLIT}}{new('behind')}"
    return conf(f"""
agent {{ git_pass: {new("loser")}, note: "pass: {new("loser")}" }}
agent {{ git_pass: "{new("file")}", pin_secret: {new.pin()}, split_secret: "{split}" }}
agent.environment {{ A: {new("environment")} }}
sdk.aws.s3 {{ key: "{new("s3key")}", secret: "{new("s3secret")}", region: here
  credentials: [{{ bucket: bucket, key: "{new("bucket")}", secret: "{new("bucket")}" }},
                {{ host: "minio.local:9000", key: "{new("minio")}", secret: "{new("minio")}" }}] }}
sdk.azure.storage.containers: [{{ account_name: a, account_key: {new("azure")}, container_name: c }}]
team {{ deep.token: "{new("token")}", url: "http://me:{new("url")}@host/x"
  copies: [${{agent.git_pass}}, "${{team.deep.token}}", "so ${{agent.git_pass}} it is"] }}
by_split: ${{agent.split_secret}}
""").replace("note: \"pass: ", "pass_note: \"")


def vaults_of_a_peer():
    """What somebody who may write a vault, and only that, may try."""
    ways = ["pin: ${agent.pin_secret}", "text: ${agent.git_pass}", "copies: ${team.copies}",
            "joined: \"x\"${sdk.aws.s3.secret}\"y\"", "twice: ${agent.git_pass}${agent.git_pass}",
            "list: [${team.deep.token}, [${sdk.aws.s3.key}]]", "object: ${sdk.aws.s3}",
            "all: ${api.credentials}", "containers: ${sdk.azure.storage.containers}",
            "environment_of: ${agent.environment}", "pinned: ${agent.pin_secret}\"000\"",
            "split: ${agent.split_secret}", "whole: ${agent}", "by_split: ${by_split}",
            "url: ${team.url}", "again: ${team.copies}", "variable: ${HOME} ${?VAULT_SECRET}"]
    ways = [f"mine.{way}" for way in ways]
    ways += ["agent.sanitize_config_printout { hide_secrets: [\"(\"], dont_hide_secrets: [\".*\"] }",
             "agent.sanitize_config_printout.hide_secrets: [${agent.git_pass}\"[\"]",
             "agent.git_pass: null", "sdk.aws.s3: gone", "team.copies += ${agent.git_pass}"]
    return [{"id": f"way-{i}", "data": way} for i, way in enumerate(ways)]


@pytest.fixture
def told(strangers):
    """Every byte that the peer was sent, by what it asked."""
    said = {}
    yield said


class Peer:
    """A stranger who asks everything there is, several ways, and keeps what it is told."""

    def __init__(self, strangers, said):
        self.strangers, self.said = strangers, said

    def ask(self, method, **parameters):
        process = self.strangers.send(STRANGER, method, parameters)
        output, problem = process.communicate(timeout=30)
        assert output, problem
        self.said[f"{method} {json.dumps(parameters)} #{len(self.said)}"] = output

    def ask_all(self):
        """One process for all calls: a pipeline, so that it is quick."""
        calls = [("Get", {"path": path}) for path in PATHS]
        calls += [("Explain", {"path": path}) for path in PATHS]
        calls += [("Get", {"environment": each, "path": path}) for each in ENVIRONMENTS
                  for path in ("", "mine")]
        calls += [("Get", {"mask": False}), ("Explain", {"reveal": True}),
                  ("Watch", {"reveal": True}), ("History", {"reveal": True})]
        calls += [("ResolveStorage", {"uri": uri}) for uri in URIS]
        for name in (None, "default", "other"):
            calls += [("History", {"workspace": name}), ("Watch", {"workspace": name, "since": 0}),
                      ("Get", {"workspace": name}), ("Explain", {"workspace": name}),
                      ("Watch", {"workspace": name, "paths": PATHS[:-1], "since": 0,
                                 "values": True}),
                      ("ListCredentials", {"workspace": name}), ("GetProfile", {"workspace": name}),
                      ("GetToken", {"workspace": name}), ("CreateCredentials", {"workspace": name}),
                      ("RevokeCredentials", {"access_key": "K", "workspace": name})]
        calls += [(name, {}) for name in ("GetStatus", "ListWorkspaces", "Reload")]
        calls += [("UseWorkspace", {"name": "other"})]
        output = self.strangers.ask_in_turn(STRANGER, calls)
        assert len(output) == len(calls)
        for (method, parameters), reply in zip(calls, output):
            self.said[f"{method} {json.dumps(parameters)} #{len(self.said)}"] = reply


def test_who_may_only_read_obtains_no_secret(home, server, conf, strangers, told):
    new = Secrets()
    shared = "of-both-" + new("shared")
    home.write("config/clearconf/other.secret", new("declared")).chmod(0o600)
    home.settings(FAST + f"[limits]\nenvironment_calls = 1000\n[access]\nread = {STRANGER}\n"
                  "[workspace default]\n"
                  f"api_server = {server.url}\naccess_key = {ACCESS_KEY}\nsecret_key_file = d.secret\n"
                  "active = yes\n[workspace other]\napi_server = http://127.0.0.1:9\n"
                  f"access_key = {new('otherkey')}\nsecret_key_file = other.secret\n")
    home.write("config/clearconf/d.secret", SECRET_KEY).chmod(0o600)
    home.conf(local(conf, new) + f"open.text: \"{shared}\"\n")
    with Daemon(home, "--socket", strangers.socket) as daemon:
        peer = Peer(strangers, told)
        daemon.wait_state("ready")
        watchers = [strangers.send(STRANGER, "Watch", parameters, more=True) for parameters in (
            {}, {"values": True}, {"paths": ["team", "mine", "agent"], "values": True})]
        new.all.remove(shared.removeprefix("of-both-"))
        peer.ask_all()
        new.all.add(shared.removeprefix("of-both-"))
        # The secret of a vault has been in clear elsewhere: it is masked there from now on.
        server.state.set_vaults([
            *vaults_of_a_peer(), {"id": "theirs", "description": f"has {shared}", "data": "x: ${y"},
            f"sdk.aws.s3.key: \"{new('vault')}\", vault.token: \"{shared}\"\n"])
        daemon.wait_value("vault.token", shared)
        told.clear()
        peer.ask_all()
        # Some ways are refused at once; not all of them.
        assert {layer["state"] for layer in daemon.layers()
                if layer["source"].startswith("way-")} == {"ok", "broken"}
        home.conf(local(conf, new))
        daemon.wait_value("open.text", None)
        peer.ask_all()
        server.state.set_vaults([{"id": "theirs", "data": f"team.token: {new('broken')}, x: ${{y"}])
        daemon.wait_layer("theirs", "broken")
        peer.ask_all()
        home.conf(f"git_pass: {new('broken')} }}")
        daemon.wait_layer("clearml.conf", "broken")
        peer.ask_all()
        for watcher in watchers:
            watcher.terminate()
            told[f"watcher {watcher.pid}"] = watcher.communicate()[0]
        leaks = sorted((asked, secret) for asked, reply in told.items()
                       for secret in new.all - {shared} if secret in reply and "watcher" not in asked)
        assert leaks == []
        seen = {secret for asked, reply in told.items() if "watcher" in asked
                for secret in new.all if secret in reply}
        # What was in clear when it was told, and only became a secret after.
        assert seen <= {shared.removeprefix("of-both-"), shared}
        assert "****" in "".join(told.values())
        assert [secret for secret in new.all if secret in daemon.log()] == []


def test_what_another_workspace_learns_is_masked_in_all(home, strangers, server, conf):
    home.settings(FAST + f"[access]\nread = {STRANGER}\n")
    home.conf(conf("open: \"the later-secret of all\""))
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        assert strangers.call(STRANGER, "Get", path="open")["value"] == "the later-secret of all"
        server.state.set_vaults(["a.token: later-secret"])
        daemon.wait_value("a.token", "later-secret")
        wait_until(lambda: strangers.call(STRANGER, "Get", path="open")["value"]
                   == "the **** of all", "the mask")
        assert daemon.get("open") == "the later-secret of all"


def test_a_vault_may_hide_more_keys(home, strangers, server, conf):
    home.settings(FAST + f"[access]\nread = {STRANGER}\n[mask]\nadd = ^(crew|staff)$\n")
    home.conf(conf("crew: ann\nteam.host: box\nteam.ghost: boo\nteam.git_pass: x"))
    server.state.set_vaults(["agent.sanitize_config_printout { hide_secrets: [\"^h(os)t$\", \"(\"], "
                             "dont_hide_secrets: [\"git_pass\"] }"])
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        seen = strangers.call(STRANGER, "Get")["value"]
        assert seen["crew"] == "****"
        assert seen["team"] == {"host": "****", "ghost": "boo", "git_pass": "****"}
        assert daemon.log().count("event=mask-pattern-ignored") == 1


def test_what_a_caller_brings_is_hidden_by_its_key_only(home, strangers):
    """Else it could be used to find out what others have."""
    home.settings(f"[access]\nread = {STRANGER}\n")
    home.conf("git_pass: of-the-host-1\nplain: ${?PLAIN}")
    with Daemon(home, "--socket", strangers.socket):
        seen = strangers.call(STRANGER, "Get", environment={
            "CLEARML_AGENT__GUESS": "of-the-host-1", "CLEARML_AGENT__MY_TOKEN": "of-the-host-1"})
        assert seen["value"]["guess"] == "of-the-host-1"
        assert seen["value"]["my_token"] == "****" and seen["value"]["git_pass"] == "****"


def test_a_secret_that_a_caller_may_cut_in_two_is_not_shown_in_parts(home, strangers):
    home.settings(f"[access]\nread = {STRANGER}\n")
    home.conf("secret: \"first-half-\"${?CUT}\"-second-half\"\ncopy: ${secret}")
    with Daemon(home, "--socket", strangers.socket):
        seen = strangers.call(STRANGER, "Get", environment={"CUT": "x"})["value"]
        assert seen == {"secret": "****", "copy": "****"}


def test_masks_tell_no_guess_from_another(home, strangers, server, conf):
    """What a caller brings into a value is hidden by its key alone; what else is in it, whatever he
    brings."""
    home.settings(FAST + f"[access]\nread = {STRANGER}\n")
    home.conf(conf("""
agent.git_pass: swordfish-1
home_dir = ${HOME}"/x"
list: [{ dir: ${HOME} }]
again = ${home_dir}"/y"
mixed = "swordfish-1 "${HOME}
split = "sword"${HOME}
url = "https://u:"${HOME}"@host/x"
plain = "swordfish-1 too"
by_key.token = ${HOME}
sdk.aws.s3.credentials: [{ bucket: b, key: "k", secret: "s", region: ${HOME} }]
"""))
    server.state.set_vaults(["of_vault.dir: ${HOME}\"/v\""])
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        for guess in ("nothing", "swordfish-1", "a swordfish-1 b", "fish-1", "****"):
            seen = strangers.call(STRANGER, "Get", environment={"HOME": guess})["value"]
            assert seen["home_dir"] == f"{guess}/x" and seen["again"] == f"{guess}/x/y"
            assert seen["list"] == [{"dir": guess}] and seen["of_vault"]["dir"] == f"{guess}/v"
            assert seen["split"] == f"sword{guess}"
            assert seen["mixed"] == seen["url"] == seen["by_key"]["token"] == "****"
            assert seen["plain"] == "**** too"
            storage = strangers.call(STRANGER, "ResolveStorage", uri="s3://b/x",
                                     environment={"HOME": guess})["storage"]
            assert storage["settings"]["region"] == guess
            assert storage["settings"]["secret"] == "****"
            assert storage["origin"]["line"] > 1


# What a secret looks like where no key says that it is one, or an odd key does. {} is the secret.
SHAPES = [
    'a.url: "https://user:{}@host/x"', 'a.url: "https://user:pa/{}@host/x"',
    'a.url: "https://user:pa?{}@host/x"', 'a.url: "https://user:pa {}@host/x"',
    'a.url: "https://user:it\'s-{}@host/x"', 'a.url: "https://{}@host/x"',
    'a.url: "git+https://{}@github.com/x.git"', 'a.url: "redis://:{}@h:1/0"',
    'a.url: "postgres://u:{}@h/db?x=y@z"', 'a.url: ["see https://a:{}@b and more"]',
    'a.url: "https://h/c?sv=1&sig={}&se=2"', 'a.url: "https://h/c?token={}"',
    'a.url: "https://h/c?x=1&access_token={}#end"', 'a.url: "https://h/c?api_key={}"',
    'a.text: "DefaultEndpointsProtocol=https;AccountName=n;AccountKey={};EndpointSuffix=x"',
    'a.text: "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey={}"',
    'a.text: "BlobEndpoint=https://h/;SharedAccessSignature={}"',
    'a.text: "Server=h;Uid=me;Pwd={};"', 'a.text: "host=h user=me password={} dbname=x"',
    'a.text: "Authorization: Bearer {}"', 'a.text: "curl -H \'Authorization: Basic {}\' https://h"',
    'a.text: "use Bearer {} for it"', 'a.text: "X-Header: 1; api_key={}"',
    'a.text: """-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"""',
    'a.text: """pre\n-----BEGIN OPENSSH PRIVATE KEY-----\n{}"""',
    'a.args: ["-e", "CLEARML_AGENT_GIT_PASS={}"]', 'a.args: ["--env=CLEARML_API_SECRET_KEY={}"]',
    'a.args: ["-e AWS_SECRET_ACCESS_KEY={} -it"]', 'a.args: ["-e", "AZURE_STORAGE_KEY={}"]',
    'a.args: ["-e", "CLEARML_AUTH_TOKEN={}", "-v", "/a:/b"]', 'a.args: ["-e", "MINE={} more"]',
    'a.args: ["-e", "CLEARML_DOCKER_IMAGE=img -e CLEARML_API_SECRET_KEY={} -it"]',
    "a.container_sas: {}", "a.api_key: {}", "a.private_key: {}", "a.apikey: [{}]",
    "a.sdk.aws.s3.credentials: [{ extra_args: { SSECustomerKey: {} } }]",
    'a.token: """{}\n""", b.copy: {}', 'a.token: {}, b: { "{}": 1 }',
    'a.token: {}, b: { "x {} y".deep: 1 }', "a.environment.ANY: {}", "a.files.f.contents: {}",
]


def test_no_secret_of_any_shape_leaves(home, server, conf, strangers, told):
    new = Secrets()
    home.settings(FAST + f"[limits]\nenvironment_calls = 1000\n[access]\nread = {STRANGER}\n")
    home.conf(conf("agent.hide_docker_command_env_vars.extra_keys: [MINE]\nagent.git_pass: x"))
    with Daemon(home, "--socket", strangers.socket) as daemon:
        daemon.wait_state("ready")
        watcher = strangers.send(STRANGER, "Watch", {"values": True}, more=True)
        server.state.set_vaults([
            {"id": f"shape-{number}", "description": text[:6],
             "data": f"shape{number} {{ {text.replace('{}', new('shape'))} }}"}
            for number, text in enumerate(SHAPES)])
        daemon.wait_value(f"shape{len(SHAPES) - 1}.a.files.f.contents", f"zq-shape-{len(SHAPES):04d}")
        assert [layer for layer in daemon.layers() if layer["state"] != "ok"
                and layer["source"].startswith("shape")] == []
        Peer(strangers, told).ask_all()
        server.state.set_vaults([])
        daemon.wait_value("shape0", None)
        Peer(strangers, told).ask_all()
        watcher.terminate()
        told["watcher"] = watcher.communicate()[0]
        shown = "".join(told.values()) + daemon.log()
        assert sorted(secret for secret in new.all if secret in shown) == []
        assert "shape0.a.url" in shown


DEEP = "(" * 40 + "a" + ")+" * 40


def hostile_vault():
    """What once took the memory, minutes of the loop, or both: patterns, and secrets with a common
    beginning; and texts that look like them."""
    patterns = json.dumps([DEEP, "[ab]*a[ab]{200}c", "(a*)*\\1", *(f"[ab]*a[ab]*c{n}" for n in range(80))])
    secrets = ", ".join(f'"common-beginning-{n}"' for n in range(100_000))
    texts = "\n".join(f'ab{"ab" * 20}{n}: "common-beginning common-beginnin {n}"' for n in range(1000))
    return (f"agent.sanitize_config_printout.hide_secrets: {patterns}\nsecrets: [{secrets}]\n"
            f'{"ab" * 500}: x\nlong.secret: {"a" * 4000}b\nlong.text: "{"a" * 100_000}"\n{texts}\n')


def test_hostile_patterns_and_secrets_hold_up_nobody(home, daemon, conf, server):
    home.conf(conf("k: 1, note: common-beginning-7"))
    server.state.set_vaults([hostile_vault()])
    daemon.start()
    daemon.wait_value("long.text", "a" * 100_000)
    with daemon.connect() as line:
        times = []
        for _ in range(5):
            begun = time.monotonic()
            assert line.call("Get", path="note", mask=True)["value"] == "****"
            times.append(time.monotonic() - begun)
    assert SANITIZED or min(times) < 0.02
    assert daemon.get("note", environment={"X": "y"}, mask=True) == "****"
    assert daemon.log().count("not one of the expressions") >= 2 and "too many patterns" in daemon.log()


def test_a_key_that_is_a_secret_with_quotes_is_hidden(home, server, daemon, conf):
    def set_to(value):
        server.state.set_vaults([{"format": "json", "data": json.dumps(
            {"agent": {"git_pass": secret}, secret: {"x": value}})}])
    secret = 'my"word\\4711'
    set_to(1)
    home.settings(FAST)
    home.conf(conf(""))
    daemon.start()
    daemon.wait_state("ready")
    with daemon.connect() as watch:
        watch.send("io.clearconf.Watch", more=True)
        watch.receive()
        set_to(2)
        told = watch.receive(), daemon.call("Explain"), daemon.call("History")
    assert "4711" not in json.dumps(told) and "changes" in told[0]
