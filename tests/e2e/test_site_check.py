"""clearconf site check: a document as every daemon would read it, without a daemon."""

import pytest

GOOD = {
    "10-base.conf": "a { b = 1, c = ${a.b} }\nhome = ${HOME}\n",
    "20-gpu.yaml": "gpu:\n  memory: 80\n",
    "30-more.json": '{"x": [1, 2]}',
    "empty.conf": "",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_passes_in_silence(home, name):
    done = home.client("site", "check", home.write(name, GOOD[name]), check=0)
    assert done.stdout == done.stderr == ""


BAD = {
    "10.conf": ("a {\n  b = [1, 2\n", "10.conf:3:1: "),
    "20.yaml": ("a: [1, 2", "20.yaml:1:"),
    "30.json": ("a = 1", "30.json:1:1: "),
    "include.conf": ('include "/etc/hosts"\n', "include.conf:1:"),
    "variable.conf": ("x = ${PATH}", "variable.conf:1:5: ${PATH} is not defined"),
    "latin1.conf": (b"x = \xe9", "UTF-8"),
    "large.conf": ("#" * 1_600_000, "large.conf: "),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_told_with_its_place(home, name):
    text, words = BAD[name]
    done = home.client("site", "check", home.write(name, text), check=1)
    assert words in done.stdout and done.stderr == ""


def test_a_warning_is_no_failure(home):
    done = home.client("site", "check", home.write("w.conf", 'path: "a\\/b"\n'), check=0)
    assert "w.conf:1:" in done.stdout and "warning: " in done.stdout


def test_what_is_no_file_is_told(home):
    assert "is not there" in home.client("site", "check", "nowhere.conf", check=1).stdout
    home.client("site", "check", check=2)
    home.client("site", "burn", "x", check=2)
