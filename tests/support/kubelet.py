"""Runs the pods of a manifest as a kubelet would, for who is root, without images: each container is
a chroot of its own mount and PID namespaces, with its volumes, uid and groups, and no capability.

Volumes of a node (hostPath) lie in a folder of the test. A container of another image than ours
does nothing.
"""

import base64
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

OURS = "registry.example.com/clearconf:"
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, CAPABILITIES = 24, 38, 64

# In its namespaces: the mounts, then what containerd does last.
ENTER = """
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/dev"
mkdir "$1/dev/shm"; chmod 1777 "$1/dev/shm"
touch "$1/dev/null"; mount --bind /dev/null "$1/dev/null"
root=$1; plan=$2; shift 2
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
done
mount -o remount,bind,ro "$root"
exec /usr/bin/python3 "$0" "$root" "$plan"
"""


def become(root, plan):
    """In the container's namespaces: its root, its user, its program."""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    os.chroot(root)
    os.chdir("/")
    for number in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.setgroups(plan["groups"])
    os.setresgid(plan["gid"], plan["gid"], plan["gid"])
    os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    os.execve(plan["words"][0], plan["words"], plan["env"])


class Pod:
    """`spec` is a pod's; `image` a folder with ENTRYPOINT and ENV of ours in `entry`, `env`."""

    def __init__(self, spec, image, entry, env, node):
        self.spec, self.image, self.entry, self.env = spec, image, entry, env
        self.node = pathlib.Path(node)
        self.folders = {}
        self.running = {}

    def __enter__(self):
        for volume in self.spec["volumes"]:
            self.folders[volume["name"]] = self.make_volume(volume)
        return self

    def __exit__(self, *_):
        for name in list(self.running):
            self.kill(self.running.pop(name))

    def make_volume(self, volume):
        security = self.spec["securityContext"]
        if "hostPath" in volume:
            path = self.node / volume["hostPath"]["path"].strip("/")
            assert volume["hostPath"]["type"] == "DirectoryOrCreate" or path.is_dir()
            path.mkdir(parents=True, exist_ok=True, mode=0o755)
            return path
        path = self.node / "pods" / str(id(self)) / volume["name"]
        path.mkdir(parents=True)
        path.chmod(0o777)
        if "emptyDir" in volume and "fsGroup" in security:
            os.chown(path, 0, security["fsGroup"])
            path.chmod(0o2777)
        return path

    def fill(self, name, files, mode=0o644):
        """A ConfigMap or Secret: links to a folder of the day, as the kubelet makes them."""
        folder = self.folders[name]
        (folder / "..day").mkdir()
        for file, text in files.items():
            path = folder / "..day" / file
            path.write_text(text)
            path.chmod(mode)
            os.chown(path, 0, self.spec["securityContext"].get("fsGroup", 0))
            (folder / file).symlink_to(f"..day/{file}")

    def start(self, container, words=None, **options):
        """The container, or `words` in one like it; a process."""
        security = self.spec["securityContext"]
        words = words or container.get("command") or self.entry + container["args"]
        plan = {"uid": security["runAsUser"], "gid": security["runAsGroup"], "words": words, "env": self.env_of(container),
                "groups": [security[key] for key in ("fsGroup",) if key in security]}
        mounts = []
        for mount in container["volumeMounts"]:
            mounts += [str(self.folders[mount["name"]]), mount["mountPath"],
                       "ro" if mount.get("readOnly") else "rw"]
        return subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-ec", ENTER, __file__,
             str(self.image), base64.b64encode(json.dumps(plan).encode()).decode(), *mounts, "--"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    @staticmethod
    def kill(process):
        """With the first process of its PID namespace goes all that is in there."""
        if process.poll() is None:
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            for child in children.split():
                os.kill(int(child), signal.SIGKILL)
        return process.communicate(timeout=30)

    def run(self, container, words=None, timeout=30):
        process = self.start(container, words)
        try:
            out, errors = process.communicate(timeout=timeout)
        finally:
            self.kill(process)
        return subprocess.CompletedProcess(words, process.returncode, out, errors)

    def probe(self, name, probe, deadline=30):
        """In the namespaces of the container that runs, until it says yes."""
        end = time.monotonic() + deadline
        process, container = self.running[name], self.container(name)
        security = self.spec["securityContext"]
        first = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while True:
            done = subprocess.run(
                ["nsenter", "--target", first.read_text().strip(), "--mount", "--pid", "--root", "--wd",
                 "--setuid", str(security["runAsUser"]), "--setgid", str(security["runAsGroup"]),
                 *container[probe]["exec"]["command"]],
                env=self.env_of(container), capture_output=True, text=True, timeout=30)
            if done.returncode == 0:
                return
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end, done.stdout + done.stderr
            time.sleep(0.2)

    def env_of(self, container):
        return dict(self.env, PATH="/usr/sbin:/usr/bin",
                    **{each["name"]: each["value"] for each in container.get("env", [])})

    def container(self, name):
        return next(each for each in (*self.spec.get("initContainers", []), *self.spec["containers"])
                    if each["name"] == name)

    def start_sidecar(self, name):
        container = self.container(name)
        self.running[name] = self.start(container)
        for probe in ("startupProbe", "readinessProbe"):
            if probe in container:
                self.probe(name, probe)


if __name__ == "__main__":
    become(sys.argv[1], json.loads(base64.b64decode(sys.argv[2])))
