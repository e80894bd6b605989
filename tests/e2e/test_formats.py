"""Formats: whoever they are for reads back what was there."""

import json
import random

import pytest
import yaml
from harness import ROOT

PIECES = ["a", "b", "Z", "0", "1", "-", ".", " ", "\t", "\n", "\r", '"', "'", "\\", "$", "{", "}",
          "[", "]", ":", "=", ",", "+", "#", "`", "^", "?", "!", "@", "*", "&", "|", ">", "%",
          "~", "<<", "//", "${a}", '"""', "10s", "true", "null", "include", "yes", "é", "\x85",
          "\xa0", "\u2028", "\u2029", "\ufeff", "\ufffe", "\uffff", "\x01", "\x7f", "\f", "\v",
          "\x1b", "😀", ": ", " #", "- "]
WORDS = ["", "yes", "No", "ON", "off", "y", "n", "true", "False", "NULL", "null", "~", "1", "-1",
         "012", "0x1F", "0b1", "1_000", "1:30", "190:20:30", "1.5", "1e3", "1.0e+3", ".5", ".inf",
         "-.INF", ".nan", "=", "<<", "2001-12-14", "2001-12-14T21:59:43.10-05:00", "---", "...",
         "- a", "a: b", "a #b", "#", "?", "!x", "&a", "*a", "%TAG", "@", "`", "{}", "[]", "\"\"",
         "''", " lead", "trail ", "10s", "5m", "include", "true.x", "nullable", "//x", "/usr/bin",
         "https://a.example/b?c=d", "s3://bucket/p", "a\nb\n", "\n", "\t", "a\tb", "host:8008"]
NUMBERS = [0, -7, 10 ** 40, -10 ** 30, 1.0, -0.0, 1e16, 2.5e-07, 1e300, 0.1, 5e-324, 1e22, 123456.789]


def text(dice):
    if dice.random() < 0.4:
        return dice.choice(WORDS)
    return "".join(dice.choice(PIECES) for _ in range(dice.randrange(6)))


def tree(dice, depth, key):
    kind = dice.randrange(8) if depth else dice.randrange(4)
    if kind == 0:
        return dice.choice(NUMBERS)
    if kind == 1:
        return dice.choice([None, True, False, {}, []])
    if kind < 4:
        return text(dice)
    if kind < 6:
        return [tree(dice, depth - 1, key) for _ in range(dice.randrange(4))]
    return {key(dice): tree(dice, depth - 1, key) for _ in range(dice.randrange(4))}


def random_trees(count, key=text):
    dice = random.Random(20261124)
    return {f"t{i}": tree(dice, 4, key) for i in range(count)}


def corpus():
    """Trees that others wrote: what is expected of ClearML's files and of YAML."""
    trees = {path.stem: json.loads(path.read_text())
             for path in sorted((ROOT / "tests/corpus/official").glob("*.json"))}
    for case in json.loads((ROOT / "tests/corpus/yaml_vectors.json").read_text()):
        trees["yaml " + case["name"]] = case["expect"].get("value")
        trees["text " + case["name"]] = case["text"]
    assert len(trees) > 100
    return trees


def same(a, b):
    """Equal, types and the sign of zero included."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def rendered(home, value, form):
    """(text, warnings) of a tree that a JSON file brought in."""
    home.write("tree.json", json.dumps(value))
    home.settings("[local]\nfiles = ~/tree.json\n")
    done = home.daemon("--print", "--mode", "sdk", "--offline", "--format", form)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


# --- yaml ---------------------------------------------------------------------


@pytest.mark.parametrize("trees", [random_trees(3000), corpus(), {}], ids=["random", "corpus", "{}"])
def test_yaml_is_read_back_by_pyyaml(home, trees):
    written, _ = rendered(home, trees, "yaml")
    assert written.startswith("# written by clearconf\n")
    assert same(yaml.safe_load(written), trees)
    assert same(yaml.load(written, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), trees)


def test_yaml_takes_any_key(home):
    keys = {"k" * 2000: 1, "é" * 600: {"x": [1]}, "": 2, "<<": {"a": 1}, "=": 3, "1": 4, "a: b": 5}
    written, _ = rendered(home, {"keys": keys, "list": [{"k" * 2000: {"a": "b"}}]}, "yaml")
    assert same(yaml.safe_load(written)["keys"], keys)


def test_yaml_is_for_people_too(home):
    written, _ = rendered(home, {"sdk": {"aws": {"region": "eu-west-1", "on": True, "port": "80"},
                                         "list": [{"a": 1, "b": []}, [1.5, None]]}}, "yaml")
    assert written == """\
# written by clearconf
sdk:
  aws:
    region: eu-west-1
    "on": true
    port: "80"
  list:
    - a: 1
      b: []
    - - 1.5
      - null
"""


# --- env ----------------------------------------------------------------------


def variables(written):
    """What docker --env-file makes of it: a line each, at the first '='."""
    return dict(line.split("=", 1) for line in written.split("\n") if line)


def plain_key(dice):
    return dice.choice(["a", "b_c", "d-e", "_f", "x1", "10", "copy"])


def fit(value):
    """Without what no variable can hold: NUL, and keys ClearML cannot write."""
    if isinstance(value, dict):
        return {key: fit(each) for key, each in value.items()}
    if isinstance(value, list):
        return [fit(each) for each in value if each not in ("", None)]
    return value


def test_env_reads_back_the_same(home):
    trees = fit(random_trees(800, plain_key))
    written, warnings = rendered(home, trees, "env")
    assert "left out" not in warnings
    home.settings("[local]\nfiles = ~/none\n")
    done = home.daemon("--print", "--offline", env=variables(written))
    assert done.returncode == 0, done.stderr
    read = {key: each for key, each in json.loads(done.stdout).items() if key in trees}
    assert same(read, trees)


def test_env_is_bare_where_it_can_be(home):
    written, _ = rendered(home, {"agent": {
        "worker": "gpu-1:0", "port": "8080", "n": 8080, "ok": True, "word": "true", "none": None,
        "empty": "", "lines": "a\nb", "space": "a b", "list": ["a", {"b": 1, "c": ""}],
        "url": "https://x.example/y", "hash": "a#b"}}, "env")
    assert written.splitlines() == [
        "CLEARML_AGENT__AGENT__WORKER=gpu-1:0", 'CLEARML_AGENT__AGENT__PORT="8080"',
        "CLEARML_AGENT__AGENT__N=8080", "CLEARML_AGENT__AGENT__OK=true",
        'CLEARML_AGENT__AGENT__WORD="true"', "CLEARML_AGENT__AGENT__NONE=null",
        "CLEARML_AGENT__AGENT__EMPTY=", 'CLEARML_AGENT__AGENT__LINES="a\\nb"',
        'CLEARML_AGENT__AGENT__SPACE="a b"',
        'CLEARML_AGENT__AGENT__LIST=["a",{b = 1,c = ""}]',
        "CLEARML_AGENT__AGENT__URL=https://x.example/y", 'CLEARML_AGENT__AGENT__HASH="a#b"']


@pytest.mark.parametrize("value, path", [
    ({"Upper": 1}, "Upper"), ({"a__b": 1}, "a__b"), ({"a.b": 1}, '"a.b"'), ({"a b": 1}, '"a b"'),
    ({"a_": {"b": 1}}, "a_"), ({"é": 1}, "é"), ({"": 1}, '""'), ({"include": 1}, "include"),
    ({"x": "a\0b"}, "x"), ({"x": [{'"': 1}]}, "x"), ({"x": "y" * 70000}, "x"),
    ({"Up": {"x": {"y": 1}}}, "Up"), ({"a=b": 1}, '"a=b"')])
def test_env_leaves_out_what_it_cannot_carry(home, value, path):
    written, warnings = rendered(home, dict(value, kept=1), "env")
    assert written == "CLEARML_AGENT__KEPT=1\n"
    assert "left out" in warnings and path in warnings


def test_env_of_a_path_names_it_whole(home, daemon):
    """What is set so is read back at its own place."""
    home.conf('agent { default_docker { image: "a/b:1", arguments: [x] }, Name: 1 }, list: [{ a: 1 }]')
    daemon.start()
    image = "CLEARML_AGENT__AGENT__DEFAULT_DOCKER__IMAGE=a/b:1\n"
    arguments = 'CLEARML_AGENT__AGENT__DEFAULT_DOCKER__ARGUMENTS=["x"]\n'
    for command in ("dump", "get"):
        def written(path):
            return home.client(command, path, "--format", "env", check=0)
        assert written("agent.default_docker").stdout == image + arguments
        assert written("agent.default_docker.image").stdout == image
        assert written("agent.default_docker.arguments").stdout == arguments
        for path, why in (("agent.Name", "cannot name this key"), ("list.0", "an element of a list")):
            assert written(path).stdout == ""
            assert f"{path}" in written(path).stderr and why in written(path).stderr


def test_env_keeps_an_underscore_at_an_end(home):
    value = {"a_": 1, "b": {"_c": 2, "d_": 3}}
    written, warnings = rendered(home, value, "env")
    home.settings("[local]\nfiles = ~/none\n")
    read = json.loads(home.daemon("--print", "--offline", env=variables(written)).stdout)
    assert {key: read[key] for key in value} == value and warnings == ""


# --- properties ---------------------------------------------------------------


def load(written):
    """Java's Properties.load, on a file as this: a line each, ` = ` after the key."""
    def unescape(part):
        out, at = "", 0
        while at < len(part):
            if part[at] != "\\":
                out, at = out + part[at], at + 1
            elif part[at + 1] == "u":
                out, at = out + chr(int(part[at + 2:at + 6], 16)), at + 6
            else:
                out += {"n": "\n", "r": "\r", "t": "\t", "f": "\f"}.get(part[at + 1], part[at + 1])
                at += 2
        return out.encode("utf-16", "surrogatepass").decode("utf-16")

    found = {}
    for line in written.split("\n")[:-1]:
        assert line.isascii() and line[0] not in "#! "
        end = 0
        while line[end] not in " :=":
            end += 2 if line[end] == "\\" else 1
        assert line[end:].startswith(" = ")
        value = line[end + 3:]
        assert value.lstrip(" \t\f") == value
        found[unescape(line[:end])] = unescape(value)
    return found


def path_of(keys):
    return ".".join(key if key and key.replace("_", "a").replace("-", "a").isalnum()
                    else json.dumps(key, ensure_ascii=False) for key in keys)


def flat(value, keys=()):
    if value in ({}, []):
        return {}
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {name: each for key, child in pairs
                for name, each in flat(child, (*keys, str(key))).items()}
    return {path_of(keys): "" if value is None else
            value if isinstance(value, str) else json.dumps(value)}


def test_properties_are_read_back(home):
    trees = random_trees(800, plain_key)
    written, _ = rendered(home, trees, "properties")
    assert load(written) == flat(trees)


def test_properties_escape_what_java_would_eat(home):
    written, warnings = rendered(home, {"a": {"b c": " x", "d": ["1", 2], "e": {}, "é": "😀\\"},
                                        "k=v": "#!=:"}, "properties")
    assert written == ('a."b\\ c" = \\ x\na.d.0 = 1\na.d.1 = 2\na.\\u00E9 = \\uD83D\\uDE00\\\\\n'
                       '"k\\=v" = #!=:\n')
    assert "a.e: left out" in warnings


def test_a_scalar_is_no_file_of_names(home, daemon):
    home.conf("a: 1")
    daemon.start()
    assert "properties is for" in home.client("get", "a", "--format", "properties", check=2).stderr
    assert home.client("get", "a", "--format", "yaml", check=0).stdout.endswith("\n1\n")
