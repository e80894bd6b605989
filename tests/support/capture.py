"""A picture of a real terminal: `make capture`.

capture.py FILE runs commands of clearconf on a pseudo-terminal, against a daemon and a
stand-in ClearML server in a temporary home, and draws what the terminal was told. Only
names that nobody else has are put in the place of others: the home's and the server's.
"""

import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from xml.sax.saxutils import escape

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from clearml_server import ACCESS_KEY, SECRET_KEY, ClearMLServer  # noqa: E402
from harness import CLIENT, Daemon, Home, wait_until  # noqa: E402

CONF = """\
api {{
    api_server: {url}
    credentials {{ access_key: "{key}", secret_key: "{secret}" }}
}}
agent {{ worker_id: box-7, package_manager.type: pip }}
sdk.aws.s3 {{
    region: us-east-1
    credentials: [{{ host: "minio.local:9000", key: ab12, secret: cd34, secure: false }}]
}}
"""
VAULT = "sdk.aws.s3.region: eu-west-1\nagent.worker_id: pool\n"
COMMANDS = [
    ["status"],
    ["get", "sdk.aws.s3.region"],
    ["explain", "agent"],
    ["log", "-n", "1"],
    ["storage", "s3://minio.local:9000/models/"],
    ["get", "sdk.aws.s3.regoin"],
]

# --- what a terminal is told ------------------------------------------------------


def on_terminal(home, words):
    """stdout and stderr of a command, colours included."""
    master, end = pty.openpty()
    process = subprocess.Popen([CLIENT, *words], env=home.env, stdout=end, stderr=end)
    os.close(end)
    text = b""
    try:
        while data := os.read(master, 1 << 16):
            text += data
    except OSError:  # EIO: all is said
        pass
    os.close(master)
    process.wait()
    return text.decode().replace("\r\n", "\n")


def session():
    """Lines of the terminal."""
    folder = tempfile.mkdtemp(prefix="clearconf-capture.")
    try:
        home = Home(os.path.join(folder, "home"))
        with ClearMLServer(port=0, edition="enterprise") as server:
            home.conf(CONF.format(url=server.url, key=ACCESS_KEY, secret=SECRET_KEY)).chmod(0o600)
            home.settings("[poll]\ninterval = 1s\n")
            with Daemon(home) as daemon:
                daemon.wait_state("ready")
                server.state.set_vaults([{"description": "team", "data": VAULT}])
                daemon.wait_value("sdk.aws.s3.region", "eu-west-1")
                wait_until(lambda: daemon.workspace("default").get("company_name"), "its name")
                text = "".join(f"$ clearconf {' '.join(words)}\n{on_terminal(home, words)}\n"
                               for words in COMMANDS)
        text = text.replace(str(home.path), "/home/jane").replace(server.url, "http://clearml:8008")
        return text.rstrip("\n").split("\n")
    finally:
        shutil.rmtree(folder)


# --- the picture -------------------------------------------------------------------

COLOURS = {"1": 'font-weight="bold"', "2": 'fill="#8b949e"', "31": 'fill="#ff7b72"',
           "32": 'fill="#7ee787"', "33": 'fill="#e3b341"'}
CHARACTER, LINE, MARGIN = 7.8, 18, 16


def spans(line):
    """A line with its colours as <tspan>s."""
    out, style = [], ""
    for piece in re.split(r"(\x1b\[\d+m)", line):
        if piece.startswith("\x1b"):
            style = COLOURS.get(piece[2:-1], "")
        elif piece:
            out.append(f"<tspan {style}>{escape(piece)}</tspan>" if style else escape(piece))
    return "".join(out)


def plain(line):
    return re.sub(r"\x1b\[\d+m", "", line)


def draw(lines):
    width = max(len(plain(line)) for line in lines) * CHARACTER + 2 * MARGIN
    height = len(lines) * LINE + 2 * MARGIN
    rows = [f'<text x="{MARGIN}" y="{MARGIN + (i + 0.75) * LINE:g}">'
            + (f'<tspan fill="#79c0ff">{escape(line)}</tspan>' if line.startswith("$ ")
               else spans(line)) + "</text>" for i, line in enumerate(lines)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#e6edf3" '
            'xml:space="preserve">\n<!-- Written by tests/support/capture.py (make capture). -->\n'
            f'<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n' + "\n".join(rows)
            + "\n</svg>\n")


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(draw(session()))
