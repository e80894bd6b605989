"""clearconf report: all of it for a ticket, as text, as JSON, and as a page for who would rather look."""

import html.parser
import json
import re
import shutil
import stat
import struct
import subprocess
import zlib

import pytest
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import FAST

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'"
SECRET = "s3cret-that-nobody-sees"
CHROMIUM = shutil.which("chromium")


@pytest.fixture
def ready(home, conf, server, daemon):
    home.settings(FAST)
    home.conf(conf(f'sdk.aws.s3 {{ region: eu, secret: "{SECRET}" }}')).chmod(0o600)
    server.state.set_vaults([
        {"description": f"team {EVIL}", "data": f"sdk.aws.s3.region: {json.dumps(EVIL)}\nlong: {'x' * 1000}"},
        {"description": "bad", "data": "x: ["}])
    daemon.start()
    daemon.wait_state("degraded")
    return daemon


class Page(html.parser.HTMLParser):
    """What is on a page: its text, its tags, their attributes."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.attributes = "", set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def page(home, *words):
    home.client("report", "--html", "report.html", *words, check=0)
    path = home.path / "cwd" / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path


def told(home):
    """The report in its three forms."""
    return {"text": home.client("report", check=0).stdout, "html": page(home).read_text(),
            "json": home.client("report", "--json", check=0).stdout}


def test_it_has_all_of_it_and_no_secret(home, ready, server):
    for form, text in told(home).items():
        assert SECRET not in text and SECRET_KEY not in text and ACCESS_KEY not in text, form
        assert f"{ACCESS_KEY[:4]}****" in text and server.url in text, form
        for word in ("is broken at line 1", "sdk.aws.s3.secret", "degraded", "stand-in", "Jane Doe"):
            assert word in text, f"{form}: {word}"
    parts = json.loads(told(home)["json"])
    assert parts["doctor"]["problems"] == 1 and parts["status"]["state"] == "degraded"
    assert {x["path"] for x in parts["explain"]["leaves"]} >= {"sdk.aws.s3.region", "long"}
    assert parts["history"]["generations"][-1]["cause"] == "start"


def test_without_a_daemon_it_is_what_doctor_finds(home):
    for form, text in told(home).items():
        assert "daemon: " in text or '"subject":"daemon"' in text, form
    assert "No daemon answers" in Page(page(home).read_text()).text


def test_the_page_needs_nothing_and_nothing_in_it_is_markup(home, ready):
    text = page(home).read_text()
    seen = Page(text)
    assert seen.tags <= {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "div", "span",
                         "strong", "table", "tr", "th", "td", "code", "details", "summary"}
    assert seen.attributes <= {"lang", "charset", "name", "content", "http-equiv", "class", "colspan", "scope", "open"}
    assert EVIL in seen.text and "default-src 'none'" in text and "url(" not in text
    assert "x" * 399 in seen.text and "x" * 401 not in seen.text  # cut
    for word in ("Layers, weakest first", "What changed", "overrides", "clearml.conf"):
        assert word in seen.text


def test_a_page_may_not_be_written_through_a_link(home, ready):
    target = home.write("cwd/elsewhere", "mine")
    (home.path / "cwd" / "link").symlink_to(target)
    assert "symbolic link" in home.client("report", "--html", "link", check=1).stderr
    assert target.read_text() == "mine"
    assert "not both" in home.client("report", "--html", "x", "--json", check=2).stderr


# --- as a browser shows it ---


def chromium(path, *words):
    return subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=800,600",
         f"--user-data-dir={path.parent}/browser", *words, path.as_uri()],
        capture_output=True, text=True, timeout=120)


def first_pixel(path):
    """Of a PNG; whatever the filter of its first row, it stands there as it is."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    return tuple(zlib.decompress(packed)[1:4])


@pytest.mark.skipif(not CHROMIUM, reason="no chromium, which is too large for who only builds: apt-get install chromium")
def test_a_browser_shows_it_light_and_dark(home, ready):
    path = page(home)
    dom = chromium(path, "--dump-dom").stdout
    assert EVIL in Page(dom).text and not {"script", "img"} & Page(dom).tags
    colours = {}
    for name, scheme in (("light", 1), ("dark", 0)):
        picture = path.parent / f"{name}.png"
        chromium(path, f"--blink-settings=preferredColorScheme={scheme}", f"--screenshot={picture}")
        colours[name] = first_pixel(picture)
    assert min(colours["light"]) > 200 and max(colours["dark"]) < 60, colours


def test_the_colours_can_be_read(home, ready):
    """4.5 : 1 at least between any ink and what it stands on, as WCAG wants it."""
    style = re.search("<style>(.*?)</style>", page(home).read_text(), re.S)[1]

    def light(colour):
        digits = colour if len(colour) == 6 else "".join(x * 2 for x in colour)
        parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    schemes = [dict(re.findall(r"--(\w+):#([0-9a-f]+)", each)) for each in re.findall(r":root\{(.*?)\}", style, re.S)]
    assert len(schemes) == 2
    for scheme in schemes:
        for ink in ("ink", "dim", "good", "warn", "bad"):
            for ground in ("page", "card"):
                dark, bright = sorted((light(scheme[ink]), light(scheme[ground])))
                assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, ground, scheme)
