"""The examples of systemd/container/: of the right shape, whole in themselves, and their settings
and commands what the programs take. tests/system runs their pods."""

import re
import subprocess

import etcd
import pytest
import yaml
from harness import CLIENT, DAEMON, ROOT
from manifest_schema import CLOUD_INIT, KINDS

jsonschema = pytest.importorskip("jsonschema", "4.0")

FOLDER = ROOT / "systemd" / "container"
MANIFESTS = {path.name: list(yaml.safe_load_all(path.read_text()))
             for path in sorted(FOLDER.glob("*.yaml")) if path.name != "cloud-init.yaml"}
DOCUMENTS = {f"{name}-{each['kind']}-{each['metadata']['name']}": each
             for name, documents in MANIFESTS.items() for each in documents}
OURS = "registry.example.com/clearconf:"


def claims_of(document):
    return document.get("spec", {}).get("volumeClaimTemplates", [])


def pod_of(document):
    spec = document.get("spec", {})
    if document["kind"] == "Service" or not spec:
        return None
    return spec.get("template", document)["spec"]


def containers():
    for name, document in DOCUMENTS.items():
        pod = pod_of(document)
        for each in (*pod.get("initContainers", []), *pod["containers"]) if pod else ():
            yield pytest.param(document, each, id=f"{name}-{each['name']}")


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_it_has_the_shape_of_its_kind(document):
    jsonschema.validate(document, KINDS[document["kind"]])


def test_a_misspelt_key_would_be_found():
    pod = next(pod_of(each) for each in DOCUMENTS.values() if each["kind"] == "Pod")
    broken = {**pod, "initContainer": pod["containers"]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
                             "spec": broken}, KINDS["Pod"])


@pytest.mark.parametrize("name", MANIFESTS)
def test_whatever_it_names_is_there(name):
    documents = MANIFESTS[name]
    there = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
             for each in documents}
    for document in documents:
        namespace = document["metadata"].get("namespace")
        assert not namespace or ("Namespace", None, namespace) in there
        for volume in (pod_of(document) or {}).get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
            if "secret" in volume:
                assert ("Secret", namespace, volume["secret"]["secretName"]) in there
        if document["kind"] == "Service":
            assert any(document["spec"]["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
                       for each in documents if "template" in each.get("spec", {}))
        if document["kind"] in ("DaemonSet", "StatefulSet"):
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("document, container", containers())
def test_a_container_mounts_volumes_of_its_pod(document, container):
    volumes = {each["name"] for each in pod_of(document)["volumes"]}
    volumes |= {each["metadata"]["name"] for each in claims_of(document)}
    assert {each["name"] for each in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("document, container", containers())
def test_only_the_daemon_may_write_to_the_sockets_folder(document, container):
    for mount in container["volumeMounts"]:
        if mount["mountPath"].startswith("/run/clearconf"):
            assert container["name"] == "clearconfd" or mount.get("readOnly")


def words_of(container):
    """What the container runs, by the image's entry point, with programs of this build."""
    text = (FOLDER / "Containerfile").read_text()
    entry = yaml.safe_load(re.search(r"^ENTRYPOINT (.*)$", text, re.M)[1])
    words = container.get("command") or entry + container["args"]
    programs = {"/usr/bin/clearconf": CLIENT, "/usr/sbin/clearconfd": DAEMON}
    return [str(programs[words[0]]), *words[1:]]


@pytest.mark.parametrize("document, container", [
    param for param in containers() if param.values[1]["image"].startswith(OURS)])
def test_the_programs_know_its_options(document, container):
    probes = [each["exec"]["command"] for name in ("startupProbe", "readinessProbe")
              if (each := container.get(name))]
    for words in (words_of(container), *(words_of({"command": each}) for each in probes)):
        done = subprocess.run([*words, "--help"], capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, ""), words


def test_etcd_knows_its_options():
    etcd.require()
    container, = pod_of(DOCUMENTS["etcd.yaml-StatefulSet-etcd"])["containers"]
    helped = subprocess.run(["etcd", "--help"], capture_output=True, text=True, timeout=30)
    known = set(re.findall(r"--[a-z-]+", helped.stdout + helped.stderr))
    assert {word.partition("=")[0] for word in container["command"][1:]} <= known


def settings():
    for name, documents in MANIFESTS.items():
        for each in documents:
            if each["kind"] == "ConfigMap":
                yield pytest.param(each["data"]["clearconfd.conf"], id=name)
    for each in yaml.safe_load((FOLDER / "cloud-init.yaml").read_text())["write_files"]:
        if each["path"].endswith("clearconfd.conf"):
            yield pytest.param(each["content"], id="cloud-init.yaml")


@pytest.mark.parametrize("text", settings())
def test_its_settings_are_right(home, text):
    secret = home.write("secret_key", "of a manifest's test")
    secret.chmod(0o600)
    home.settings(re.sub(r"(?m)^((?:secret_key_file|ca|password_file|report_key) = ).*", rf"\1{secret}",
                         text.replace("group:clearml-secrets", "root")))
    done = home.daemon("--check", "--offline")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_cloud_init_has_its_shape():
    text = (FOLDER / "cloud-init.yaml").read_text()
    assert text.startswith("#cloud-config\n")
    config = yaml.safe_load(text)
    jsonschema.validate(config, CLOUD_INIT)
    files = {each["path"]: each for each in config["write_files"]}
    key = re.search(r"LoadCredential=secret_(\w+):(\S+)", "".join(x["content"] for x in files.values()))
    assert files[key[2]]["permissions"] == "0600"
    assert f"secret_key_file = {key[1]}" in files["/etc/clearconf/clearconfd.conf"]["content"]


def image_of(job):
    container = job["container"]
    return container["image"] if isinstance(container, dict) else container


def test_ci_has_every_distribution_that_is_promised():
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    images = {image for job in jobs.values()
              for image in job.get("strategy", {}).get("matrix", {}).get("image", [image_of(job)])}
    assert images == {"debian:11", "debian:12", "debian:13", "ubuntu:20.04", "ubuntu:22.04",
                      "ubuntu:24.04", "almalinux:8", "almalinux:9"}
    assert [step for step in jobs["whole"]["steps"] if step.get("run") == ".ci/run"]


def test_who_has_a_problem_is_asked_for_doctor():
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/problem.yml").read_text())
    asked = {each["id"]: each for each in form["body"]}
    assert "clearconf doctor" in asked["doctor"]["attributes"]["label"]
    assert asked["doctor"]["validations"]["required"]


def test_cloud_inits_unit_is_understood(tmp_path):
    config = yaml.safe_load((FOLDER / "cloud-init.yaml").read_text())
    unit = next(x["content"] for x in config["write_files"] if x["path"].endswith("agent.service"))
    command = re.search(r"^ExecStart=(.*?[^\\])$", unit, re.M | re.S)[1].replace("\\\n", " ").split()
    assert command[0] == "/usr/bin/clearconf"
    before = command[1:command.index("--")]
    done = subprocess.run([CLIENT, *before, "--help"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
