"""Every example of the documentation, run: of the README and its pages, and of the man pages.

In Markdown the lines of each block that is marked `sh` are a shell's; in a man page
those that begin with "$ ", and what they go on with. Each block runs in a home of its
own, as its user would type it, with a stand-in server and a daemon that is ready
(unless the block starts one). A line that ends in `&` goes on in the background until
the block is done.

What cannot run here is in NOT_RUN, with the reason; a test fails when such a line is in
no page any more.
"""

import contextlib
import re
import subprocess

import fleet
import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from etcd import Node
from harness import CLIENT, DAEMON, FAST, ROOT, Daemon

# The beginning of a line, and why it is not run.
NOT_RUN = {
    "make": "builds, tests and installs the project: that is what runs this test",
    "sudo ": "changes the machine",
    "systemctl ": "changes the machine",
    "docker ": "there is no container engine to rely on",
    "varlinkctl ": "is of systemd 255 and later; tests/system runs it",
    ".ci/run": "runs all tests, this one too",
    "podman ": "there is no container engine to rely on; tests/system builds the image's root",
    "B=build ": "runs tests",
}

# These go on until they are interrupted: each must be running still after a moment.
ENDLESS = re.compile(r"clearconf (.*)?(watch|dump --watch|exec .*daemon|exec .*serve|rollout \S+$)(\b|$)")

CONF = """
sdk {
    aws.s3 {
        region: eu-west-1
        credentials: [{ host: "minio.local:9000", key: ab12, secret: cd34 }]
    }
    development.default_output_uri: "http://127.0.0.1:8081"
}
agent { worker_id: box-7, package_manager.type: pip }
"""
WORKSPACE = """
[workspace {name}]
api_server = {url}
credentials_file = pair.conf
"""
# What the examples run, in the place of programs that are not ours.
PROGRAMS = {
    "clearml-agent": "exec sleep 60",
    "serve.sh": "exec sleep 60",
    "clearconf": f'exec "{CLIENT}" "$@"',
    "clearconfd": f'exec "{DAEMON}" --user "$@"',  # root would be the system's
}
TRAIN = "import os\nassert 'credentials' in open(os.environ['CLEARML_CONFIG_FILE']).read()\n"


def commands_of(text):
    """Lines, those that a backslash continues joined."""
    return [line for line in text.replace("\\\n", " ").splitlines()
            if line.strip() and not line.lstrip().startswith("#")]


def pages():
    """Those that the README leads to."""
    return sorted((*ROOT.glob("*.md"), *ROOT.glob("client/doc/*.md"), *ROOT.glob("daemon/doc/*.md")))


def blocks_of_markdown(path):
    return [commands_of(block)
            for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.M | re.S)]


def blocks_of_page(path):
    text = path.read_text().replace("\\e", "\\").replace("\\&", "")
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S):
        lines = re.sub(r"\\\n *", "", block).splitlines()
        commands = [line[2:] for line in lines if line.startswith("$ ")]
        if commands:
            yield commands


def blocks():
    for path in pages():
        for number, block in enumerate(blocks_of_markdown(path)):
            yield pytest.param(block, id=f"{path.stem}-{number}-{block[0].split()[0]}")
    for path in sorted((*ROOT.glob("client/**/*.[1-8]"), *ROOT.glob("daemon/*.[1-8]"))):
        for number, block in enumerate(blocks_of_page(path)):
            yield pytest.param(block, id=f"{path.name}-{number}")


def is_run(line):
    return not line.startswith(tuple(NOT_RUN))


def script_of(block):
    """Stops at the first line that fails."""
    lines = ["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT"]
    for line in filter(is_run, block):
        line = re.sub(r"\s+#.*", "", line)
        if ENDLESS.search(line) and not line.endswith("&"):
            line += " &"
        lines.append(line)
        if ENDLESS.search(line):
            lines += ["sleep 0.7", "kill -0 $!"]
    return "\n".join(lines)


@pytest.fixture
def ready(home, server):
    """A home as the examples take it for granted, and a daemon that is not started."""
    (home.path / "bin").mkdir()
    for name, text in PROGRAMS.items():
        home.write(f"bin/{name}", f"#!/bin/sh\n{text}\n").chmod(0o755)
    home.env["PATH"] = f"{home.path}/bin:{home.env['PATH']}"
    home.write("cwd/train.py", TRAIN)
    (home.path / "conf").mkdir()
    home.conf(f"api {{ api_server: {server.url}\n  credentials {{ access_key: {ACCESS_KEY}, "
              f'secret_key: "{SECRET_KEY}" }} }}\n{CONF}').chmod(0o600)
    settings = FAST
    home.write("config/clearconf/pair.conf", f'api {{ credentials {{ access_key: {ACCESS_KEY}, '
               f'secret_key: "{SECRET_KEY}" }} }}').chmod(0o600)
    for name in ("research", "production"):
        settings += WORKSPACE.format(name=name, url=server.url)
    home.settings(settings)
    server.state.set_vaults([{"description": "team", "data": "agent.worker_id: pool, sdk.aws.s3.region: eu-west-2"}])
    return Daemon(home)


@pytest.fixture
def etcds():
    with contextlib.ExitStack() as stack:
        yield stack


def give_a_fleet(home, etcd):
    """Two hosts that report, and documents as the examples take them for granted."""
    path = home.path / "config/clearconf/clearconfd.conf"
    home.settings(f"{path.read_text()}[site]\netcd = {etcd.url}\n")
    for number in range(2):
        home.client("site", "put", "20-gpu.yaml", "-", input=f"number: {number}\n", check=0)
    home.write("cwd/new.yaml", "number: 12\n")
    for name in ("gpu-07", "gpu-08"):
        fleet.put_report(etcd, name)


@pytest.mark.parametrize("block", [param for param in blocks() if any(map(is_run, param.values[0]))])
def test_an_example_does_what_it_says(home, ready, etcds, block):
    if any("etcdctl" in line for line in block):
        etcd = etcds.enter_context(Node(home.path, options=["--bcrypt-cost", "4"]))
        home.env.update(ETCDCTL_API="3", ETCDCTL_ENDPOINTS=etcd.url)
        home.write("cwd/20-gpu.yaml", "agent:\n  default_docker:\n    image: nvidia/cuda:12.4\n")
    elif any(re.match(r"clearconf (site|fleet|rollout) ", line) for line in block):
        give_a_fleet(home, etcds.enter_context(Node(home.path)))
    own = any(re.match(r"clearconfd\b.*&$", re.sub(r"\s+#.*", "", line)) for line in block)
    if not own:
        ready.start()
        ready.wait_state("ready")
    try:
        done = subprocess.run(["bash", "-c", script_of(block)], env=home.env, cwd=home.path / "cwd",
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{script_of(block)}\n{done.stdout}{done.stderr}"
    finally:
        if not own:
            ready.__exit__(None)


def test_the_file_that_variables_move_to_has_no_login_of_a_vault(home, ready, server):
    block = next(param.values[0] for param in blocks()
                 if any("--env --format hocon api" in line for line in param.values[0]))
    server.state.set_vaults([{"data": 'api { credentials { access_key: "OF-A-VAULT" }\n'
                                      "api_server: \"http://of-a-vault:1\", token: of-a-vault }"}])
    with ready:
        ready.wait_value("api.credentials.access_key", "OF-A-VAULT", mask=False)
        subprocess.run(["bash", "-c", script_of(block)], env=home.env, cwd=home.path / "cwd",
                       check=True, capture_output=True, timeout=60)
    text = (home.path / "clearml.conf").read_text()
    assert "http://127.0.0.1:8008" in text and "vault" not in text.lower().replace(CONF.lower(), "")


def test_there_are_examples_of_every_command():
    told = "\n".join(line for param in blocks() for line in param.values[0])
    commands = re.findall(r"^  ([a-z]+) ", subprocess.run(
        [CLIENT, "--help"], capture_output=True, text=True, check=True).stdout, re.M)
    missing = [name for name in commands
               if not re.search(rf"clearconf (--\w+ \w+ )?{name}\b", told)]
    assert not missing


@pytest.mark.parametrize("begin", NOT_RUN)
def test_what_is_not_run_is_there(begin):
    assert any(line.startswith(begin) for param in blocks() for line in param.values[0])


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_no_command_hides_outside_the_blocks(path):
    """A block that is indented, or of another kind, holds no line of a shell."""
    text = re.sub(r"^```sh\n.*?^```", "", path.read_text(), flags=re.M | re.S)
    hidden = re.findall(r"^(?: {4}|\$ ).*\b(?:clearconf|clearconfd|make) .*$", text, re.M)
    assert not hidden
