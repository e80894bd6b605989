"""The whole way once, for people: `make demo`.

A stand-in ClearML server and a daemon in a temporary home; a value from the
file, a vault that is enabled while a watcher looks, the new value, status.
Everything is cleaned up, also on Ctrl-C.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from harness import CLIENT, Daemon, Home  # noqa: E402

CONF = """\
# ~/clearml.conf, as clearml-init writes it
api {{
    web_server: http://127.0.0.1:8080
    api_server: {url}
    files_server: http://127.0.0.1:8081
    credentials {{
        access_key: "{key}"
        secret_key: "{secret}"
    }}
}}
sdk {{
    storage {{ cache {{ default_base_dir: "~/.clearml/cache" }} }}
    aws {{ s3 {{ region: "eu-west-1", credentials: [] }} }}
    development {{ default_output_uri: "http://127.0.0.1:8081" }}
}}
agent {{
    default_docker {{ image: "nvidia/cuda:12.2.0-runtime-ubuntu22.04" }}
    package_manager {{ type: pip, pip_version: ["<23"] }}
}}
"""

VAULT = """\
# what an administrator keeps for the whole team
sdk.development.default_output_uri: "s3://team-bucket/models"
agent.default_docker.image: "registry.example.com/team/train:2026.11"
"""

SETTINGS = "[poll]\ninterval = 1s\n"


def say(text):
    print(f"\n\033[1m# {text}\033[0m" if sys.stdout.isatty() else f"\n# {text}",
          flush=True)


def show(home, *arguments):
    print("$ clearconf " + " ".join(arguments), flush=True)
    done = home.client(*arguments)
    sys.stdout.write(done.stdout + done.stderr)
    sys.stdout.flush()
    if done.returncode:
        raise SystemExit(f"clearconf {arguments[0]}: exit {done.returncode}")
    return done.stdout


class Watcher:
    """`clearconf watch --values` in the background, its lines shown."""

    def __init__(self, home):
        self.process = subprocess.Popen(
            [CLIENT, "watch", "--values", "sdk", "agent"], env=home.env,
            stdout=subprocess.PIPE, text=True)
        self.changed = threading.Event()
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            print("  watcher: " + line, end="", flush=True)
            if "team-bucket" in line:
                self.changed.set()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run(home, server, watcher_of):
    say("A value from ~/clearml.conf")
    show(home, "get", "sdk.development.default_output_uri")
    say("A watcher looks; an administrator enables a vault on the server")
    watcher = watcher_of(home)
    try:
        server.state.set_vaults([{"description": "team", "data": VAULT}])
        if not watcher.changed.wait(10):
            raise SystemExit("the change did not arrive")
    finally:
        watcher.stop()
    say("The new value, from the vault")
    value = show(home, "get", "sdk.development.default_output_uri")
    assert value == "s3://team-bucket/models\n", value
    say("How it stands")
    show(home, "status")


def main():
    folder = tempfile.mkdtemp(prefix="clearconf-demo.")
    try:
        home = Home(os.path.join(folder, "home"))
        with ClearMLServer(port=0, edition="enterprise") as server:
            home.conf(CONF.format(url=server.url, key=ACCESS_KEY, secret=SECRET_KEY))
            home.settings(SETTINGS)
            with Daemon(home) as daemon:
                daemon.wait_state("ready")
                run(home, server, Watcher)
    finally:
        shutil.rmtree(folder)
    say("Done; nothing is left behind")


if __name__ == "__main__":
    main()
