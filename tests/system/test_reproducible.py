"""The same source gives the same packages, to the bit, wherever and whenever it is built."""

import hashlib
import os
import shutil
import subprocess

import pytest
from harness import ROOT

# Two builders with nothing in common but the commit.
BUILDERS = {
    "a": {"TZ": "UTC", "LC_ALL": "C.UTF-8", "umask": 0o022},
    "another/and/deeper": {"TZ": "Asia/Kolkata", "LC_ALL": "C", "umask": 0o027},
}


def built(folder, target, suffix, how):
    """{name: hash} of the packages of a fresh checkout."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    env = {key: value for key, value in os.environ.items()
           if key not in ("SOURCE_DATE_EPOCH", "MAKEFLAGS", "B", "SAN")}
    done = subprocess.run(["make", "-C", folder, target], env={**env, **how[0]}, umask=how[1],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest()
            for each in (folder / "build").glob(f"*.{suffix}")}


@pytest.mark.parametrize("target, tool, count", [("deb", "dpkg-buildpackage", 6),
                                                 ("rpm", "rpmbuild", 4)])
def test_two_builds_are_one(tmp_path, target, tool, count):
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    if not shutil.which(tool):
        pytest.skip(f"{tool} is needed to build a package")
    one, two = (built(tmp_path / folder, target, target,
                      ({k: v for k, v in how.items() if k != "umask"}, how["umask"]))
                for folder, how in BUILDERS.items())
    assert len(one) == count and one == two
