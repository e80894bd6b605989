"""The man pages as HTML: all of them are made, and their links lead somewhere."""

import re
import shutil
import subprocess

import pytest
from harness import BUILD, ROOT


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
def test_the_pages_lead_to_one_another():
    subprocess.run(["make", "-s", "html", f"B={BUILD}"], cwd=ROOT, check=True, capture_output=True, timeout=120)
    names = {path.name for folder in ("client", "daemon") for path in (ROOT / folder).glob("**/*.[1-8]")}
    made = {path.name.removesuffix(".html"): path.read_text() for path in (BUILD / "html").glob("*.html")}
    assert names <= made.keys() and {"clearconf.1", "clearconf-exec.1", "clearconfd.8"} <= names
    for name in names:
        ours = {link for link in re.findall(r'href="([^"#]+)\.html"', made[name]) if "clearconf" in link}
        assert ours and ours <= names, f"{name}: {ours - names}"
    assert 'href="clearconf-exec.1.html"' in made["clearconf.1"]
