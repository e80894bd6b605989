"""What a person waits for, beside what he would use else: U1 `clearconf get`, U2 `clearconf exec`
until the child runs, U3 `clearconf dump` of ClearML's sample, U4 the daemon's start on a cold cache.

The programs take turns; each figure is the median of the ratios of the turns. Those that are not
there are left out: Debian's git, redis-tools, daemontools (envdir), runit (chpst), gettext-base
(envsubst). None of them asks anybody but redis-cli; Debian has no envconsul, consul-template or confd.

    users.py [ROW...]     B=build PAIRS=15 in the environment
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import serve
from harness import CLIENT, DAEMON, Daemon, Home

serve.PAIRS = int(os.environ.get("PAIRS", "15"))
CHILD = ["date", "+%s%N"]  # says when it runs
DISK = os.environ.get("TMPDIR", "/var/tmp")


def waited(command, env, **options):
    """Milliseconds until it has ended."""
    began = time.perf_counter()
    subprocess.run(list(map(str, command)), env=env, check=True, stdout=subprocess.DEVNULL, **options)
    return {"ms": (time.perf_counter() - began) * 1e3}


def until_child(command, env):
    """Milliseconds until the child that it runs has told the time."""
    began = time.time_ns()
    done = subprocess.run([*map(str, command), *CHILD], env=env, check=True, stdout=subprocess.PIPE)
    return {"ms": (int(done.stdout) - began) / 1e6}


def against(name, work, measure, commands, targets):
    """commands: ours first, then the peers by name, of which targets name some."""
    there = {peer: command for peer, command in commands.items()
             if peer == "ours" or shutil.which(str(command[0]))}
    for command in there.values():
        measure(command)  # the first of each finds a cold cache
    ours, *peers = serve.in_turn(measure, *there.values())
    for peer, theirs in zip(list(there)[1:], peers):
        times = f"{serve.median(ours, 'ms'):.2f} ms to {serve.median(theirs, 'ms'):.2f}"
        serve.judge(name, work, f"{targets[peer]} {peer}",
                    serve.ratio(ours, theirs, "ms"), times)
    for peer in commands.keys() - there.keys():
        serve.left_out(name, f"{peer}, which is not there")


def bench_get(home, folder):
    git = home.write("gitconfig", '[aws "s3"]\n\tregion = eu\n')
    commands = {"ours": [CLIENT, "get", "sdk.aws.s3.region"],
                "true": ["true"],
                "git": ["git", "config", "--file", git, "aws.s3.region"]}
    if not serve.redis_program():
        against("U1", "clearconf get", lambda one: waited(one, home.env), commands, GET)
        return
    with serve.Redis(folder, serve.redis_program(), 64) as redis:
        commands["redis"] = ["redis-cli", "-s", redis.socket, "GET", "k"]
        against("U1", "clearconf get", lambda one: waited(one, home.env), commands, GET)


def bench_exec(home, folder):
    variables = folder / "variables"
    variables.mkdir()
    for i in range(150):
        (variables / f"KEY{i}").write_text(f"value {i}\n")
    commands = {"ours": [CLIENT, "exec", "--"], "env": ["env"],
                "envdir": ["envdir", variables], "chpst": ["chpst", "-e", variables]}
    against("U2", "exec until the child runs", lambda one: until_child(one, home.env), commands,
            {"env": "<= 3 x", "envdir": "<= 2 x", "chpst": "<= 2 x"})


def bench_dump(home, folder):
    text, out = home.path / "clearml.conf", folder / "out"
    commands = {"ours": [CLIENT, "dump", "--format", "hocon", "--output", out],
                "envsubst": ["sh", "-c", f"exec envsubst <{text} >{out}"]}
    against("U3", "dump of ClearML's sample to a file", lambda one: waited(one, home.env), commands,
            {"envsubst": "<= 1 x"})


def libraries(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    return re.findall(r"=> (/\S+)", done.stdout)


def copied(program, folder):
    """The program and its libraries, in files that nobody has in memory."""
    folder.mkdir()
    for file in [program, *libraries(program)]:
        shutil.copy(file, folder)
    return folder / pathlib.Path(program).name


def forget(folder):
    for file in folder.iterdir():
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def bench_cold_start(home, folder):
    request = folder / "get"
    request.write_bytes(b'{"method":"io.clearconf.Get","parameters":{"path":"sdk.aws.s3.region"}}')
    (folder / "ping").write_bytes(b"PING\r\n")
    with tempfile.TemporaryDirectory(prefix="clearconf-bench.", dir=DISK) as disk:
        disk = pathlib.Path(disk)
        ours = copied(DAEMON, disk / "ours")
        commands = {"ours": [request, ours, "--offline", "--user", "--socket"],
                    "bare": [request, copied(serve.LOAD / "bare_program", disk / "bare")]}
        if serve.redis_program():
            commands["redis"] = [folder / "ping", copied(serve.redis_program(), disk / "redis"),
                                 "--port", "0", "--save", "", "--unixsocket"]

        def start(name):
            ask, program, *arguments = commands[name]
            forget(program.parent)
            path = folder / f"{name}.sock"
            return serve.run("first_answer", path, ask, program, *arguments, path,
                             env={**home.env, "LD_LIBRARY_PATH": str(program.parent)})
        told, *peers = serve.in_turn(start, *commands)
    for (name, target), theirs in zip((("bare", "<= 1.5 x bare"), ("redis", "<= 1.0 x redis")), peers):
        serve.judge("U4", "the daemon's start with nothing in memory", target,
                    serve.ratio(told, theirs, "ms"),
                    f"{serve.median(told, 'ms'):.1f} ms to {serve.median(theirs, 'ms'):.1f}")


GET = {"true": "<= 2 x", "git": "<= 1 x", "redis": "<= 1 x"}
BENCHES = {"U1": bench_get, "U2": bench_exec, "U3": bench_dump, "U4": bench_cold_start}


def main():
    if not serve.OFFICIAL.exists():
        serve.left_out("U1-4", f"for there is no {serve.OFFICIAL.name}")
        return
    for name in sys.argv[1:] or BENCHES:
        with tempfile.TemporaryDirectory(prefix="clearconf-bench.", dir=serve.QUIET) as folder:
            folder = pathlib.Path(folder)
            home = Home(folder / "home")
            home.settings("[workspace none]\napi_server = http://127.0.0.1:1\ninject = no\n")
            home.conf(serve.OFFICIAL.read_text())
            with Daemon(home, "--offline"):
                BENCHES[name](home, folder)


if __name__ == "__main__":
    main()
