"""The container's root, built and started: the pods of systemd/container/ with nothing but what the
image holds, as a kubelet would run them."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from clearml_server import ACCESS_KEY, SECRET_KEY
from harness import BUILD, FAST, ROOT, wait_until
from kubelet import Pod

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"),
                                reason="needs root and unshare(1)")
FOLDER = ROOT / "systemd" / "container"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the Containerfile copies into the image."""
    folder = tmp_path_factory.mktemp("image")
    folder.chmod(0o755)
    subprocess.run(["make", "-s", f"B={BUILD}", "install", f"DESTDIR={folder}/stage", "PREFIX=/usr"],
                   cwd=ROOT, check=True, capture_output=True)
    subprocess.run([FOLDER / "root.sh", folder / "stage", folder / "root"], check=True,
                   capture_output=True)
    return folder / "root"


@pytest.fixture
def node(tmp_path):
    """A node's own folders; open as / is."""
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and str(path).startswith("/tmp/"):
            path.chmod(0o755)
    return tmp_path


def said(keyword):
    text = (FOLDER / "Containerfile").read_text().replace("\\\n", " ")
    return re.search(rf"^{keyword} (.*)$", text, re.M)[1]


def pods(name, image, node, server):
    """The manifest's pods by name, with what it says of our server in the place of an example's."""
    documents = list(yaml.safe_load_all((FOLDER / name).read_text()))
    files = {(each["kind"], each["metadata"]["name"]): each.get("data") or each.get("stringData")
             for each in documents}
    env = dict(each.split("=", 1) for each in said("ENV").split())
    made = {}
    for each in documents:
        spec = each.get("spec", {}).get("template", each).get("spec")
        if not spec:
            continue
        made[each["metadata"]["name"]] = pod = Pod(spec, image, yaml.safe_load(said("ENTRYPOINT")), env, node)
        pod.files = {
            "settings": {"clearconfd.conf": re.sub(
                r"(?m)^(access_key = ).*", rf"\g<1>{ACCESS_KEY}", files["ConfigMap", "clearconf-settings"][
                    "clearconfd.conf"].replace("https://api.example.com", server.url)) + FAST},
            "secret": {"secret_key": SECRET_KEY}}
    return made


def fill(pod):
    for volume in pod.spec["volumes"]:
        if volume["name"] in pod.files:
            pod.fill(volume["name"], pod.files[volume["name"]], volume.get("secret", {}).get("defaultMode", 0o644))


def test_the_image_has_programs_and_libraries_and_no_more(image):
    found = {str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()}
    libraries = {each for each in found if re.match(r"(usr/)?lib", each)}
    assert {each for each in found - libraries} == {
        "usr/sbin/clearconfd", "usr/bin/clearconf", "usr/bin/clearconf-fleet", "etc/ssl/certs/ca-certificates.crt",
        "etc/passwd", "etc/group", "etc/nsswitch.conf"}
    assert not [path for path in image.rglob("*") if path.is_file() and path.stat().st_mode & 0o6000]
    size = sum(path.stat().st_size for path in image.rglob("*") if path.is_file())
    assert size < 60 << 20


def test_a_pod_with_the_daemon_beside_its_job(image, node, server):
    server.state.set_vaults(["sdk.team: of the vault"])
    server.fail("page", status=500)
    with pods("sidecar.yaml", image, node, server)["train"] as pod:
        fill(pod)
        pod.start_sidecar("clearconfd")
        waiting = pod.running["wait-for-vaults"] = pod.start(pod.container("wait-for-vaults"))
        conf = pod.folders["conf"] / "clearml.conf"
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
        assert not conf.exists()
        server.clear_failures()
        assert waiting.wait(timeout=30) == 0, waiting.stderr.read()
        text = conf.read_text()
        assert 'team = "of the vault"' in text and f'access_key = "{ACCESS_KEY}"' in text
        info = conf.stat()
        assert (info.st_uid, info.st_mode & 0o777) == (1000, 0o600)
        pod.start_sidecar("keep-current")
        server.state.set_vaults(["sdk.team: another"])
        wait_until(lambda: 'team = "another"' in conf.read_text(), "the change")
        # The daemon starts again, as the kubelet would have it; its vaults are there at once.
        pod.kill(pod.running.pop("clearconfd"))
        server.fail("page", status=500)
        pod.start_sidecar("clearconfd")
        assert pod.run(pod.container("wait-for-vaults")).returncode == 0
        server.clear_failures()
        server.state.set_vaults(["sdk.team: a third"])
        wait_until(lambda: 'team = "a third"' in conf.read_text(), "the change after the restart")


def test_a_job_without_vaults_ends(image, node, server):
    server.fail("page", status=500)
    with pods("sidecar.yaml", image, node, server)["train"] as pod:
        fill(pod)
        pod.start_sidecar("clearconfd")
        words = list(pod.container("wait-for-vaults")["command"])
        words[words.index("300")] = "1"
        done = pod.run(pod.container("wait-for-vaults"), words)
        assert (done.returncode, list(pod.folders["conf"].iterdir())) == (6, [])
        assert "the vaults are not in: " in done.stderr and "500" in done.stderr


def test_a_node_with_a_daemon_and_pods_that_ask_it(image, node, server):
    server.state.set_vaults(["sdk.team: of the vault"])
    of = pods("daemonset.yaml", image, node, server)
    with of["clearconfd"] as daemon:
        fill(daemon)
        daemon.start_sidecar("clearconfd")
        with of["train"] as pod:
            done = pod.run(pod.container("wait-for-vaults"))
            assert done.returncode == 0, done.stderr
            assert 'team = "of the vault"' in (pod.folders["conf"] / "clearml.conf").read_text()
            # Root of a pod has no right; nor has a uid that is in no list.
            for uid, status in ((0, 5), (1001, 5), (1000, 0)):
                pod.spec["securityContext"]["runAsUser"] = uid
                done = pod.run(pod.container("wait-for-vaults"), ["/usr/bin/clearconf", "get", "sdk.team"])
                assert done.returncode == status, (uid, done.stderr)
            assert done.stdout == "of the vault\n"
    assert (node / "var/lib/clearconf/state/cache").is_dir()
