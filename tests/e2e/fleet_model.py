"""A fleet that lives at random, and a model that says what there must be in the end.

A `World` is three nodes of etcd, some hosts (real daemons, each with a name, a machine id and a line of
its own to every node), and an administrator who puts, removes, reverts and rolls out. Hosts are killed,
stopped, started, cut off, held; nodes are killed; answers of etcd are lost. The model knows what was put from
what the commands said, and nothing else. In the end every daemon serves what etcd holds for it, `clearconf
fleet` says just that, each put that was told to be done is in the log, whole, and what was stopped has
reached nobody whom it could not have reached before. `run` plays one seed."""

import json
import random
import re
import signal

import pytest
from etcd import Cluster, EtcdError, coded
from harness import Daemon, Home, wait_until
from host import Host
from proxy import Proxy
from share import share_of

SETTINGS = """\
[poll]
timeout = 2s
backoff_max = 200ms
[site]
etcd = {urls}
prefix = {prefix}
probe = 200ms
groups = {groups}
report = yes
report_lease = 5s
"""
GROUPS = ("", "gpu", "cpu gpu")
BROKEN = "{"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("etcd")) as cluster:
        yield cluster


class FleetHost:
    """One daemon, on a machine of its own."""

    def __init__(self, world, number):
        self.world, self.name, self.groups = world, f"host-{number}", GROUPS[number % 3].split()
        folder = world.folder / self.name
        self.home = Home(folder)
        shim = folder / "shim"
        shim.mkdir(parents=True)
        self.machine = Host(shim, world.library)
        self.machine.set_name(self.name)
        self.machine.set_machine_id(f"{number + 1:032x}\n")
        self.lines = [Proxy(node.port).__enter__() for node in world.cluster.nodes]
        self.home.settings(SETTINGS.format(urls=" ".join(line.url for line in self.lines), prefix=world.prefix,
                                           groups=" ".join(self.groups)))
        self.daemon = Daemon(self.home, env=self.machine.env)
        self.cut = False
        self.held = None  # what it serves while it is held

    def is_up(self):
        return self.daemon.process is not None and self.daemon.process.poll() is None

    def is_reachable(self):
        return self.is_up() and not self.cut

    def start(self):
        if not self.is_up():
            self.daemon.start()

    def end(self, number):
        if self.is_up():
            self.daemon.process.send_signal(number)
            self.daemon.process.wait()

    def cut_off(self):
        self.cut = True
        for line in self.lines:
            line.silence()

    def heal(self):
        self.cut = False
        for line in self.lines:
            line.heal()

    def hold(self):
        if self.is_up() and self.held is None:
            self.home.client("hold", "--reason", "a look", check=0)
            self.held = self.serves()

    def release(self):
        if self.is_up() and self.held is not None:
            self.home.client("release", check=0)
            self.held = None

    def close(self):
        self.end(signal.SIGKILL)
        for line in self.lines:
            line.__exit__()

    def is_for(self, name):
        kind, _, rest = name.partition("/")
        owner = rest.partition("/")[0]
        return owner in self.groups if kind == "groups" else owner == self.name if kind == "hosts" else True

    def serves(self):
        """{key: value} of the documents, as the daemon answers."""
        return {key: value for key, value in self.daemon.get().items() if key.startswith("doc_")}


class Document:
    """What the model knows of one."""

    def __init__(self, name):
        self.name = name
        self.key = "doc_" + re.sub(r"\W", "_", name)
        self.value = None  # as the commands said
        self.rollout = None
        self.log = {}  # {revision: value} of what was told to be done

    def text(self, value):
        return f'{self.key} = "{value}"\n'


class Rollout:
    def __init__(self, held, value):
        self.id, self.share, self.value, self.stopped = held["id"], held["share"], value, False
        self.could = set()  # hosts that it reached while they could hear of it
        self.bad = value is BROKEN


class World:
    def __init__(self, seed, cluster, folder, library):
        self.rng = random.Random(seed)
        self.cluster, self.folder, self.library = cluster, folder, library
        self.prefix = f"/s{seed}/site/"
        self.admin = Home(folder / "admin")
        self.lossy = Proxy(cluster.nodes[0].port).__enter__()
        self.down = None  # the node that is
        self.hosts = [FleetHost(self, number) for number in range(3)]
        names = ["10-all.conf", "20-more.conf", "groups/gpu/30.conf", f"hosts/{self.hosts[1].name}/40.conf"]
        self.documents = [Document(name) for name in names]
        self.count = 0

    def close(self):
        for host in self.hosts:
            host.close()
        self.lossy.__exit__()
        self.revive()

    # --- the administrator ---

    def run(self, *words, **options):
        urls = [self.lossy.url, *(node.url for node in self.cluster.nodes[1:])]
        self.rng.shuffle(urls)
        return self.admin.client(*words, "--etcd", " ".join(urls), "--prefix", self.prefix, **options)

    def fresh(self):
        self.count += 1
        return f"value {self.count}"

    def pick(self, rolling=None):
        """A document; rolling: one with, or without, a rollout. None: there is none."""
        fit = [each for each in self.documents if rolling is None or (each.rollout is not None) == rolling]
        return self.rng.choice(fit) if fit else None

    def done(self, document, result, value):
        """What a command that changes a document has said."""
        assert result.returncode == 0, result.stderr + result.stdout
        number = int(re.search(r"as revision (\d+)", result.stdout)[1])
        assert number not in document.log, f"{document.name}: revision {number} was told twice"
        document.log[number] = document.value = value

    def put(self):
        document, value = self.pick(rolling=False), self.fresh()
        if document:
            text = document.text(value)
            self.done(document, self.run("site", "put", document.name, "-", input=text), value)

    def put_twice(self):
        """At the same time, by two who have looked at the same."""
        document = self.pick(rolling=False)
        if not document:
            return
        newest = max(document.log, default=0)
        values = [self.fresh(), self.fresh()]
        results = [self.run("site", "put", document.name, "-", "--if-revision", str(newest), input=document.text(value))
                   for value in values] if document.value is not None else []
        won = [(value, result) for value, result in zip(values, results) if result.returncode == 0]
        assert not results or len(won) == 1, [result.stderr for result in results]
        for value, result in won:
            self.done(document, result, value)

    def remove(self):
        document = self.pick(rolling=False)
        if document and document.value is not None:
            self.done(document, self.run("site", "rm", document.name), None)

    def revert(self):
        document = self.pick(rolling=False)
        if document and document.log:
            number = self.rng.choice(sorted(document.log))
            self.done(document, self.run("site", "revert", document.name, str(number)), document.log[number])

    def lose_an_answer(self):
        """The next transaction that goes this way is done, and nobody is told."""
        self.lossy.cut_answer_to, self.lossy.cuts = b"/v3/kv/txn", 0

    # --- rollouts ---

    def held(self, document):
        """What etcd has as its rollout."""
        text = self.get(f"{document.name}.rollout/")
        return text and json.loads(text)

    def get(self, name):
        for _ in range(200):
            for node in self.cluster.nodes:
                try:
                    return node.get(name, prefix=self.prefix)
                except (OSError, EtcdError):
                    continue
        raise AssertionError("no node answers")

    def roll_out(self):
        document, value = self.pick(rolling=False), self.fresh()
        if not document:
            return
        result = self.run("site", "put", document.name, "-", "--stage", "30%,60%,100%", "--every", "0",
                          input=document.text(value))
        assert result.returncode == 0, result.stderr
        document.rollout = Rollout(self.held(document), value)

    def roll_out_rubbish(self):
        """By other means than ours, which would refuse it."""
        document = self.pick(rolling=False)
        if not document:
            return
        held = {"format": 1, "id": f"{self.rng.getrandbits(64):016x}", "state": "running", "share": 7000,
                "text": BROKEN, "of": 0, "stages": [7000, 10000], "every": 0, "stop_when": "broken>0",
                "stepped": 1, "started": 1}
        self.cluster.any_put(document.name + ".rollout/", json.dumps(held), prefix=self.prefix)
        document.rollout = Rollout(held, BROKEN)

    def step(self):
        document = self.pick(rolling=True)
        if not document:
            return
        rollout = document.rollout
        self.note()
        if rollout.bad and not self.is_found_bad(document):
            return
        result = self.run("rollout", document.name, "--once")
        held = self.held(document)
        assert result.returncode == (1 if held and held["state"] == "stopped" else 0), result.stderr + result.stdout
        if held:
            assert held["share"] >= rollout.share
            rollout.share = held["share"]
            rollout.stopped = held["state"] == "stopped"
        else:
            assert rollout.share == 10000 and not rollout.bad
            self.done(document, result, rollout.value)
            document.rollout = None

    def is_found_bad(self, document):
        """Once a host that it reaches says that it is bad, no step goes on with it. False: nobody can say so."""
        if document.rollout.stopped:
            return True
        if not [host for host in self.reached(document) if host.is_reachable()]:
            return False

        def bad():
            told = json.loads(self.run("rollout", "show", document.name, "--json").stdout)
            return told and told[0]["broken"]
        wait_until(bad, f"a host to find {document.name} bad")
        result = self.run("rollout", document.name, "--once")
        assert result.returncode == 1 and "stopped: " in result.stdout, result.stdout + result.stderr
        document.rollout.stopped = True
        return True

    def stop(self):
        document = self.pick(rolling=True)
        if not document:
            return
        self.note()
        assert self.run("rollout", "stop", document.name).returncode == 0
        document.rollout.stopped = True

    def resume(self):
        document = self.pick(rolling=True)
        if document:
            assert self.run("rollout", "resume", document.name).returncode == 0
            document.rollout.stopped = False

    def finish(self):
        document = self.pick(rolling=True)
        if not document or document.rollout.bad:
            return
        assert self.run("rollout", "finish", document.name).returncode == 0
        document.log[max(document.log, default=0) + 1] = document.value = document.rollout.value
        document.rollout = None

    def take_back(self):
        document = self.pick(rolling=True)
        if document:
            assert self.run("rollout", "revert", document.name).returncode == 0
            document.rollout = None

    def reached(self, document):
        rollout = document.rollout
        return [host for host in self.hosts if host.is_for(document.name) and
                share_of(self.machines[host.name], rollout.id) < rollout.share]

    def note(self):
        """Who can have heard of a running rollout by now."""
        for document in self.documents:
            if document.rollout and not document.rollout.stopped:
                document.rollout.could |= {host.name for host in self.reached(document) if host.is_reachable()}

    # --- what happens to machines ---

    def start_host(self):
        self.rng.choice(self.hosts).start()

    def kill_host(self):
        self.rng.choice(self.hosts).end(signal.SIGKILL)

    def stop_host(self):
        self.rng.choice(self.hosts).end(signal.SIGTERM)

    def cut_host_off(self):
        self.rng.choice(self.hosts).cut_off()

    def heal_host(self):
        self.rng.choice(self.hosts).heal()

    def hold_host(self):
        self.rng.choice(self.hosts).hold()

    def release_host(self):
        self.rng.choice(self.hosts).release()

    def kill_node(self):
        if self.down is None:
            self.down = self.rng.choice(self.cluster.nodes)
            self.down.end()

    def revive(self):
        if self.down is not None:
            self.down.start().wait(60)
            self.down = None

    # --- what must be -------------------------------------------------------

    def begin(self):
        """All hosts are there, and known."""
        for host in self.hosts:
            host.start()
        self.machines = {}

        def known():
            self.machines = {each["host"]: each["machine"] for each in self.fleet() if each.get("machine")}
            return len(self.machines) == len(self.hosts)
        wait_until(known, "every host to report")
        assert len(set(self.machines.values())) == len(self.hosts)

    def fleet(self):
        result = self.run("fleet", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)["hosts"]

    def settle(self):
        """Everybody who lives is reached again, and has what is to be had."""
        self.revive()
        for host in self.hosts:
            host.heal()
        self.note()
        wait_until(self.is_settled, "the fleet to be what the daemons serve", deadline=60)
        for document in self.documents:
            self.judge_log(document)

    def expected(self, host, document):
        """The values that it may have for a document. Of rubbish the last good text stays, if there was one."""
        base, rollout = document.value, document.rollout
        if not rollout or host not in self.reached(document):
            return {base}
        if rollout.bad:
            return {base, None} if host.name in rollout.could else {base}
        if not rollout.stopped:
            return {rollout.value}
        return {base, rollout.value} if host.name in rollout.could else {base}

    def is_settled(self):
        """Does `fleet` say of every host what it serves, and is that what it should?"""
        stated = {each["host"]: each for each in self.fleet()}
        return all(self.is_right(host, stated.get(host.name, {})) for host in self.hosts)

    def is_right(self, host, stated):
        if not host.is_up():
            return stated.get("status") == "offline"
        shown = json.loads(self.run("fleet", "show", host.name, "--json").stdout)
        listed = {each["name"]: each for each in shown["documents"]}
        served = host.serves()
        broken = stated.get("status") == "broken"
        if host.held is not None:
            return (stated.get("status") in ("held", "broken") and broken in self.may_be_broken(host)
                    and served == host.held)
        return (stated.get("status") in ("ready", "broken", "drifting") and broken in self.may_be_broken(host)
                and all(self.is_shown(host, document, listed.get(document.name), served.get(document.key))
                        for document in self.documents))

    def may_be_broken(self, host):
        """The answers that are right to: has it taken a text that is rubbish?"""
        answers = set()
        for document in self.documents:
            if document.rollout and document.rollout.bad:
                reached = host in self.reached(document)
                answers.add("must" if reached and not document.rollout.stopped
                            else "may" if host.name in document.rollout.could else "no")
        return {True} if "must" in answers else {True, False} if "may" in answers else {False}

    def is_shown(self, host, document, listed, value):
        rollout = document.rollout
        if not host.is_for(document.name):
            return listed is None and value is None
        if value not in self.expected(host, document):
            return False
        if rollout and rollout.bad and host.name in rollout.could:
            return True  # what it lists it could not read
        if not listed or value is None:
            return not listed and value is None
        if rollout and value == rollout.value:
            return listed.get("rollout") == rollout.id
        return not listed.get("rollout") and listed["revision"] == self.revision(document.name)

    def revision(self, name):
        for node in self.cluster.nodes:
            kvs = node.call("kv/range", key=coded(self.prefix + name)).get("kvs")
            return int(kvs[0]["mod_revision"]) if kvs else 0

    def judge_log(self, document):
        result = self.run("site", "log", document.name, "--json")
        if not document.log:
            return
        logged = {each["revision"]: each for each in json.loads(result.stdout)}
        assert set(logged) == set(document.log), (document.name, set(logged), set(document.log))
        for number, value in document.log.items():
            assert logged[number]["removed"] == (value is None)
            if value is not None:
                text = self.run("site", "get", document.name, "--revision", str(number)).stdout
                assert text == document.text(value)
        now = self.get(document.name)
        assert now == (None if document.value is None else document.text(document.value))


STEPS = (
    (6, World.put), (2, World.put_twice), (1, World.remove), (2, World.revert), (1, World.lose_an_answer),
    (3, World.roll_out), (1, World.roll_out_rubbish), (5, World.step), (1, World.stop), (1, World.resume),
    (1, World.finish), (2, World.take_back),
    (4, World.start_host), (1, World.kill_host), (1, World.stop_host), (2, World.cut_host_off), (3, World.heal_host),
    (1, World.hold_host), (2, World.release_host),
    (1, World.kill_node), (2, World.revive),
)


def run(seed, cluster, folder, library, steps=30):
    world = World(seed, cluster, folder, library)
    played = []
    try:
        world.begin()
        for number in range(steps):
            step, = world.rng.choices([step for _, step in STEPS], [weight for weight, _ in STEPS])
            played.append(step.__name__)
            world.note()
            step(world)
            world.note()
            if number == steps // 2:
                world.settle()
        world.settle()
    except BaseException:
        print(f"seed {seed}: {played}")
        for document in world.documents:
            print(vars(document), document.rollout and vars(document.rollout))
        for host in world.hosts:
            print(host.name, host.is_up(), host.cut, host.is_up() and (host.serves(), host.daemon.status()["site"]))
        print(world.run("fleet").stdout)
        raise
    finally:
        world.close()
