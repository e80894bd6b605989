"""Texts that try to hurt: each ends with a clear error and within bounds, and
what was served before is served on."""

import time

import pytest

MB = 1 << 20


def bomb():
    lines = ["a = ${b0}${b0}"]
    lines += [f"b{i} = ${{b{i + 1}}}${{b{i + 1}}}" for i in range(60)]
    return "\n".join(lines) + "\nb60 = x\n"


def alias_bomb():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 12):
        refs = ", ".join([f"*a{i - 1}"] * 10)
        lines.append(f"a{i}: &a{i} [{refs}]")
    return "\n".join(lines) + "\n"


# What is written to the local file, and a word of the error.
LOCAL = {
    "deep braces": ("a { " * 100_000, "deep"),
    "deep brackets": ("a = " + "[" * 100_000, "deep"),
    "deep values": ("a = {" * 100_000, "deep"),
    "dotted key": ("k" + ".k" * 5_000 + " = 1\n", "parts"),
    "substitution bomb": (bomb(), "substitution"),
    "long chain": ("\n".join(f"k{i} = ${{k{i + 1}}}" for i in range(100_000))
                   + "\nk100000 = 1\n", ""),
    "cycle": ("a = ${b}\nb = ${c}\nc = ${a}\n", "itself"),
    "includes itself": ('include "clearml.conf"\n', "include"),
    "too large": ("# " + "x" * (17 * MB), "larger"),
}

VAULTS = {
    "alias bomb": ({"format": "yaml", "data": alias_bomb()}, "alias"),
    "deep yaml": ({"format": "yaml", "data": "a: " + "[" * 100_000}, "deep"),
    "deep json": ({"format": "json", "data": '{"a":' * 100_000}, "deep"),
    "large vault": ({"data": "# " + "x" * (20 * MB)}, "larger"),
    "bomb": ({"data": bomb()}, "substitution"),
}


def peak_mb(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    return 0


def cpu_seconds(daemon):
    with open(f"/proc/{daemon.process.pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_a_local_file_that_tries_to_hurt(name, home, daemon, record_property):
    text, word = LOCAL[name]
    home.conf("good = 1\n")
    daemon.start()
    spent = cpu_seconds(daemon)
    home.conf(text)
    layer = daemon.wait_layer("clearml.conf", state="broken")
    record_property("cpu", round(cpu_seconds(daemon) - spent, 3))
    assert word in layer["error"] and len(layer["error"]) < 400, layer["error"]
    assert daemon.get("good") == 1
    assert peak_mb(daemon) < 400
    home.conf("good = 2\n")
    daemon.wait_value("good", 2)


@pytest.mark.parametrize("name", sorted(VAULTS))
def test_a_vault_that_tries_to_hurt(name, home, daemon, conf, server):
    vault, word = VAULTS[name]
    home.settings("[poll]\ninterval = 300ms\n")
    home.conf(conf("good = 1"))
    server.state.set_vaults([{"id": "v", "data": "vault: 1"}])
    daemon.start()
    daemon.wait_value("vault", 1)
    server.state.set_vaults([{"id": "v", **vault}])
    layer = daemon.wait_layer("v", state="broken")
    assert word in layer["error"], layer["error"]
    assert daemon.get("vault") == 1 and daemon.get("good") == 1
    server.state.set_vaults([{"id": "v", "data": "vault: 2"}])
    daemon.wait_value("vault", 2)


def test_a_vault_beyond_the_response_is_a_failed_poll(home, daemon, conf, server):
    home.settings("[poll]\ninterval = 300ms\nbackoff_max = 500ms\n")
    home.conf(conf())
    server.state.set_vaults([{"id": "v", "data": "vault: 1"}])
    daemon.start()
    daemon.wait_value("vault", 1)
    server.state.set_vaults([{"id": "v", "data": "x" * (66 * MB)}])
    daemon.wait_state("degraded", "offline")
    assert daemon.get("vault") == 1
    assert peak_mb(daemon) < 600
    server.state.set_vaults([{"id": "v", "data": "vault: 2"}])
    daemon.wait_value("vault", 2)


def test_settings_move_the_limits(home):
    home.conf("a { b { c { d = 1 } } }\n")
    home.settings("[limits]\ndepth = 2\n")
    assert "deep" in home.daemon("--print").stderr
    home.settings("[limits]\ndocument = 1K\n")
    home.conf("# " + "x" * 2000)
    assert "larger" in home.daemon("--print").stderr


def test_many_substitutions_take_linear_time(home):
    """A megabyte of them; quadratic would take minutes."""
    home.conf("base = x\n" + "\n".join(f"k{i} = ${{base}}/${{k{i // 2}x}}\nk{i}x = y"
                                       for i in range(28_000)))
    start = time.monotonic()
    tree = home.resolve()
    assert tree["k9"] == "x/y" and len(tree) == 56_001
    assert time.monotonic() - start < 30
