"""clearconf site: documents of etcd are listed, put, taken back, by whom and why; a real etcd."""

import json
import os
import re
import threading

import pytest
from etcd import BASE, Node, coded
from proxy import Proxy

REVISIONS = BASE + ".revisions/"


@pytest.fixture
def site(etcd, home):
    """clearconf site WORD..., of that etcd."""
    def run(*words, check=0, **options):
        return home.client("site", *words, "--etcd", etcd.url, check=check, **options)
    return run


def put(site, home, name, text, *words, **options):
    return site("put", name, home.write("text.conf", text), *words, **options)


def log(site, name):
    return json.loads(site("log", name, "--json").stdout)


def test_a_document_is_put_listed_got_and_removed(site, etcd, home):
    assert site("list").stdout == ""
    done = put(site, home, "10-a.conf", 'a { b = 1 }\nsdk.aws.s3.secret = "hidden-secret-1"\n', "-m", "the first")
    assert done.stdout == 'added a.b 1\nadded sdk.aws.s3.secret "****"\n10-a.conf is put as revision 1\n'
    done = put(site, home, "10-a.conf", 'a { b = 2 }\nsdk.aws.s3.secret = "hidden-secret-2"\n')
    assert "changed a.b 1 -> 2\n" in done.stdout and "hidden" not in done.stdout
    assert etcd.get("10-a.conf").startswith("a { b = 2 }") and site("get", "10-a.conf").stdout == etcd.get("10-a.conf")
    (listed,) = json.loads(site("list", "--json").stdout)
    assert listed["name"] == "10-a.conf" and listed["revision"] == 2 and "@" in listed["by"]
    assert "10-a.conf" in site("list").stdout
    assert "removed a.b 2" in site("rm", "10-a.conf", "--reason", "not needed").stdout
    assert etcd.get("10-a.conf") is None and site("list").stdout == ""
    newest = log(site, "10-a.conf")[0]
    assert newest["removed"] and newest["reason"] == "not needed" and newest["revision"] == 3
    site("get", "10-a.conf", check=3)
    site("rm", "10-a.conf", check=3)
    site("log", "never.conf", check=3)


def test_the_log_keeps_who_why_and_the_newest(site, etcd, home):
    for number in range(40):
        put(site, home, "many.conf", f"n = {number}\n", "-m", f"change {number}")
    kept = log(site, "many.conf")
    assert [each["revision"] for each in kept] == list(range(40, 8, -1))
    assert kept[0]["reason"] == "change 39" and all(each["by"] for each in kept)
    assert site("get", "many.conf", "--revision", 9).stdout == "n = 8\n"
    site("get", "many.conf", "--revision", 8, check=3)
    keys = etcd.call("kv/range", key=coded(REVISIONS), range_end=coded(REVISIONS + "\x7f"), count_only=True)
    assert keys["count"] == "32"
    # etcd's own revisions are of no use for that: they are gone.
    etcd.compact()
    assert "changed n 39 -> 8" in site("revert", "many.conf", 9).stdout
    assert etcd.get("many.conf") == "n = 8\n" and log(site, "many.conf")[0]["reverts"] == 9


def test_what_is_broken_is_refused_with_its_place(site, etcd, home):
    put(site, home, "good.conf", "x = 1\n")
    done = put(site, home, "good.conf", "x = [1\n", check=1)
    assert "text.conf:2:1: expected ']'" in done.stdout and "it is not put" in done.stderr
    assert etcd.get("good.conf") == "x = 1\n" and len(log(site, "good.conf")) == 1
    done = put(site, home, "good.yaml", "x: 1\n  y: 2\n", check=1)  # by the name's suffix, not the file's
    assert "it is not put" in done.stderr and etcd.get("good.yaml") is None
    done = put(site, home, "near.conf", "agent.worker_nam = a\n")
    assert "is worker_name meant?" in done.stdout
    refusing = home.write("refusing.conf", f"[resolve]\ntypes = refuse\n[site]\netcd = {etcd.url}\n")
    ill = home.write("ill.conf", "agent.force_git_ssh_port = [1]\n")
    done = home.client("site", "put", "ill.conf", ill, "--config", refusing, check=1)
    assert "types = refuse" in done.stdout and etcd.get("ill.conf") is None


def test_what_only_hosts_can_read_is_put_by_force(site, etcd, home):
    needs = "x = ${agent.of_the_host}\n"
    assert "in a lower layer" in put(site, home, "a.conf", needs, check=1).stdout
    assert "--force is for what needs a value of the hosts' own" in put(site, home, "a.conf", needs, check=1).stderr
    done = put(site, home, "a.conf", needs, "--force")
    assert "in a lower layer" in done.stdout and "put as revision 1" in done.stdout
    assert etcd.get("a.conf") == needs
    put(site, home, "a.conf", b"x = \xff", "--force", check=1)  # no text at all
    site("put", "a.conf", "nowhere", "--force", check=1)
    assert etcd.get("a.conf") == needs and "added x 1" in put(site, home, "a.conf", "x = 1\n").stdout
    assert "it is not put: --force" in site("revert", "a.conf", 1, check=1).stderr
    assert "in a lower layer" in site("revert", "a.conf", 1, "--force").stdout and etcd.get("a.conf") == needs


@pytest.mark.parametrize("name", ["", "/a.conf", "a/", "groups/x.conf", "hosts//x", "a\nb", "x.rollout", "a/0123456789/b"])
def test_a_name_that_no_host_would_take_is_refused(site, home, name):
    assert "is no document's name" in put(site, home, name, "x = 1\n", check=2).stderr


def test_standard_input_groups_and_hosts(site, etcd):
    site("put", "groups/gpu/10.conf", "-", input="x = 1\n")
    site("put", "hosts/h1/10.conf", "-", input="x = 2\n")
    assert etcd.get("groups/gpu/10.conf") == "x = 1\n" and etcd.get("hosts/h1/10.conf") == "x = 2\n"
    assert "standard input:1:" in site("put", "a.conf", "-", input="x = {", check=1).stdout


def test_a_look_changes_nothing(site, etcd, home):
    put(site, home, "a.conf", "x = 1\n")
    revision = etcd.revision()
    assert put(site, home, "a.conf", "x = 1\n").stdout == "a.conf says that already: nothing is put\n"
    assert "changed x 1 -> 2" in put(site, home, "a.conf", "x = 2\n", "--dry-run").stdout
    assert "removed x 1" in site("rm", "a.conf", "-n").stdout
    for words in ["list"], ["log", "a.conf"], ["get", "a.conf"]:
        site(*words)
    assert etcd.revision() == revision


def test_what_was_put_by_other_means_is_told_and_kept(site, etcd, home):
    put(site, home, "a.conf", "x = 1\n")
    etcd.put("a.conf", "x = 'by etcdctl'\n")
    assert "was put by other means" in site("log", "a.conf").stdout
    assert "revision" not in json.loads(site("list", "--json").stdout)[0]
    done = put(site, home, "a.conf", "x = 2\n", "--if-revision", "1", check=1)
    assert "was put by other means since" in done.stderr
    put(site, home, "a.conf", "x = 2\n")
    assert [each["by"] == "" for each in log(site, "a.conf")] == [False, True, False]
    assert site("get", "a.conf", "--revision", 2).stdout == "x = 'by etcdctl'\n"


def test_if_revision_is_what_was_looked_at(site, etcd, home):
    put(site, home, "a.conf", "x = 1\n", "--if-revision", "0")
    assert "nothing is overwritten" in put(site, home, "a.conf", "x = 2\n", "--if-revision", "0", check=1).stderr
    put(site, home, "a.conf", "x = 2\n", "--if-revision", "1")
    assert "is at revision 2 and not at 1" in put(site, home, "a.conf", "x = 3\n", "--if-revision", "1", check=1).stderr
    assert etcd.get("a.conf") == "x = 2\n"


def test_of_puts_at_once_none_is_lost_or_overwritten(site, etcd, home):
    """Each that says it was done is in the log, in one piece, and each that was too late says so."""
    done = []

    def work(number):
        for turn in range(6):
            result = site("put", "raced.conf", "-", check=None, input=f"n = {number}\nturn = {turn}\n")
            done.append((number, turn, result))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = {}
    for number, turn, result in done:
        if result.returncode == 0:
            took[int(re.search(r"put as revision (\d+)", result.stdout)[1])] = f"n = {number}\nturn = {turn}\n"
        else:
            assert "changed meanwhile" in result.stderr, result.stderr
    assert sorted(took) == list(range(1, len(took) + 1)) and len(took) >= 6
    for number, text in took.items():
        assert site("get", "raced.conf", "--revision", number).stdout == text
    assert etcd.get("raced.conf") == took[len(took)]


def test_an_answer_that_is_lost_is_no_put_that_is_lost(site, etcd, home):
    """The connection ends when etcd has done it, and before it says so."""
    put(site, home, "a.conf", "x = 1\n")
    with Proxy(etcd.port, cut_answer_to=b"/v3/kv/txn") as proxy:
        done = home.client("site", "put", "a.conf", home.write("text.conf", "x = 2\n"),
                           "--etcd", f"http://127.0.0.1:{proxy.port}", check=0)
    assert "put as revision 2" in done.stdout and proxy.cuts
    assert len(log(site, "a.conf")) == 2 and etcd.get("a.conf") == "x = 2\n"


def test_too_large_for_one_transaction_is_told(site, etcd, home):
    large = "#" * 900_000 + "\nx = 1\n"
    done = put(site, home, "large.conf", large, check=1)
    assert "too large: etcd takes 1.5 MiB in one transaction" in done.stderr
    assert etcd.get("large.conf") is None


@pytest.mark.parametrize("words", [["--dry-run"], ["--stage", "50%,100%"]])
def test_too_large_is_told_before_anything_begins(site, etcd, home, words):
    """A rollout would come to all hosts, and could not end."""
    done = put(site, home, "large.conf", f'x = "{"y" * 900_000}"\n', *words, check=1)
    assert "too large" in done.stderr and done.stdout == ""
    assert etcd.get("large.conf.rollout/") is None


# --- where etcd is ------------------------------------------------------------

def test_where_etcd_is_by_the_settings(etcd, home):
    home.settings(f"[site]\netcd = {etcd.url}\nprefix = /elsewhere/docs\n")
    home.client("site", "put", "a.conf", home.write("a.conf", "x = 1\n"), check=0)
    assert etcd.get("a.conf", prefix="/elsewhere/docs/") == "x = 1\n"
    assert json.loads(home.client("site", "list", "--json", check=0).stdout)[0]["name"] == "a.conf"
    assert home.client("site", "list", "--prefix", "/other/", check=0).stdout == ""
    home.settings("[site]\nnonsense = 1\n")
    done = home.client("site", "list", check=2)
    assert ":2:1: unknown key: nonsense" in done.stderr and "--etcd" in done.stderr
    assert home.client("site", "list", "--config", "nowhere", check=2).stderr.startswith(
        "clearconf: nowhere: is not there, or is no file: say by --etcd")
    assert home.client("site", "list", "--etcd", etcd.url, "--prefix", "/elsewhere/docs", check=0).stdout
    home.settings("")
    assert "where is etcd?" in home.client("site", "list", check=2).stderr


@pytest.mark.parametrize("words, told", [
    (["--etcd", "ftp://x"], "expected http:// or https://"),
    (["--etcd", "http://u:p@x"], "belong into"),
    (["--user", "x"], "--user needs --password-file"),
    (["--cert", "x"], "--cert needs --key"),
    (["--user", "x", "--password-file", "nowhere"], "--password-file: nowhere: No such file"),
    (["--ca", "nowhere"], "--ca: nowhere: No such file"),
    (["--prefix", ""], "--prefix takes a path"),
    (["--force"], "--force is for 'site put' and 'revert': see"),
    (["--dry-run"], "--dry-run is for 'site put', 'rm' and 'revert': see"),
])
def test_half_of_what_it_takes_is_wrong_usage(home, words, told):
    etcd = [] if "--etcd" in words else ["--etcd", "http://127.0.0.1:1"]
    assert told in home.client("site", "list", *etcd, *words, check=2).stderr


def test_etcd_that_is_away_or_something_else(home, server):
    done = home.client("site", "list", "--etcd", "http://127.0.0.1:1", check=6)
    assert "is the etcd server running there?" in done.stderr
    done = home.client("site", "list", "--etcd", server.url, check=6)
    assert "is no answer of etcd's (v3)" in done.stderr


def test_etcd_without_room_is_told_with_what_helps(tmp_path, home):
    with Node(tmp_path, options=["--quota-backend-bytes", "100000"]) as etcd:
        text = home.write("text.conf", f'x = "{"y" * 300_000}"\n')
        for name in "a.conf", "b.conf":
            done = home.client("site", "put", name, text, "--etcd", etcd.url)
        assert done.returncode == 6 and "space exceeded: compact and defragment it" in done.stderr


def test_rights_are_etcds(tmp_path, home):
    with Node(tmp_path) as etcd:
        etcd.guard()
        home.write("host", "host-password-12345\n")
        os.chmod(home.write("root", "root-password\n"), 0o600)
        text = home.write("a.conf", "x = 1\n")
        words = ["site", "put", "a.conf", text, "--etcd", etcd.url]
        done = home.client(*words, check=5)
        assert "set --user and --password-file" in done.stderr
        done = home.client(*words, "--user", "host", "--password-file", home.path / "host", check=5)
        assert f"to read {BASE}.revisions/a.conf/: " in done.stderr and "permission denied" in done.stderr
        home.client(*words, "--user", "root", "--password-file", home.path / "root", check=0)
        assert etcd.get("a.conf") == "x = 1\n"


def test_help_and_usage(home):
    assert "put NAME FILE" in home.client("site", "--help", check=0).stdout
    for words in ["put", "x"], ["put"], ["revert", "x"], ["burn"], ["list", "x"], ["put", "a", "b", "c"]:
        home.client("site", *words, "--etcd", "http://127.0.0.1:1", check=2)
    home.client("site", "put", "a", "b", "--every", "5s", "--etcd", "http://127.0.0.1:1", check=2)
