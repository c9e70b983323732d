# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a cluster must live through, on each storage. Each scenario leaves the cluster whole for the next.

While clients read and write on each node something happens, on conditions, never after a time; then all goes on until each client has
had more good answers. In the end nothing acknowledged may be missing, and what the clients of each key saw must have an order
(history.py).
"""

import contextlib
import os
import random
import re
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_servers import NotInstalled, wait_for  # noqa: E402
from cluster import Cluster, FenceWatch  # noqa: E402
from history import check_fence_history  # noqa: E402
from storages import open_storage  # noqa: E402
from workload import Burst, Workload  # noqa: E402

# How often a thing that needs luck is tried again.
ATTEMPTS = 6
# What a node writes to its log when the storage has refused its fence.
REFUSAL = re.compile(r"the storage refused the fence of epoch \d+: [^\n]*was not written")


class Run:
    """A cluster on a storage, with a watch on its fence."""

    def __init__(self, kind, servers=1):
        self.storage = open_storage(kind, servers)
        try:
            extra = {"ha-storage": self.storage.election_settings()} if kind == "split" else None
            self.cluster = Cluster(self.storage, extra=extra)
            self.watch = FenceWatch(self.storage)
        except BaseException:
            self.storage.close()
            raise

    @contextlib.contextmanager
    def clients(self, name, roamers=0):
        """A workload that is under way on entry; on exit it must get on everywhere, and then what it saw is checked."""
        with Workload(self.cluster, name, roamers=roamers) as work:
            work.wait_progress()
            yield work
            active = self.cluster.heal()
            work.away.clear()
            if not work.over.is_set():
                work.wait_progress()
            work.stop()
            # Whoever is active now may have it all in memory; the next one has what is stored.
            active.step_down()
            self.cluster.wait_active(besides=[active])
            work.verify()
        self.watch.check()
        self.cluster.check_logs()

    def check_every_commit(self):
        history = self.storage.fence_history()
        if history is not None:
            check_fence_history(history)
            print("# the fence: %d commits in %d terms, in order" % (len(history), len({f["term"] for f in history})))

    def close(self, check):
        try:
            self.watch.close()
            if check:
                self.check_every_commit()
            self.cluster.close(check)
        finally:
            self.storage.close()


def take_over(run, work, old):
    """Waits until another node is active, and what is asked from now on is done, there and at all that are left.

    What was asked before may be at work in the old one, which lives and may still find out what became of it.
    """
    new = run.cluster.wait_active(besides=[old])
    work.touch(new)
    for node in run.cluster.running():
        if node not in (old, new):
            work.touch(node)


def take_over_from_the_dead(run, work, old):
    """The same; and nobody waits for what was asked before."""
    take_over(run, work, old)
    work.wait_progress(work.besides(old))


def step_down(run):
    with run.clients("step-down") as work:
        old = run.cluster.wait_active()
        old.step_down()
        take_over(run, work, old)
        work.wait_progress()
        work.expect_no_failure(work.clients, "a step-down")


def sigterm(run):
    with run.clients("sigterm") as work:
        old = run.cluster.wait_active()
        old.terminate()
        old.end()
        take_over_from_the_dead(run, work, old)
        work.expect_no_failure(work.besides(old), "SIGTERM of the active node")


def sigterm_with_a_slow_client(run):
    """Who takes his time over a request keeps the node from ending, but not another from taking over."""
    with run.clients("slow") as work:
        old = run.cluster.wait_active()
        with old.begin_request() as slow:
            old.terminate()
            take_over(run, work, old)
            assert not old.process.ended(), "%s has not waited for a request that was under way" % old
            status = slow.finish()
        old.end()
        assert status == 200, "the slow request was answered with %d" % status
        work.expect_no_failure(work.besides(old), "SIGTERM of the active node")


def sigkill(run):
    with run.clients("sigkill") as work:
        old = run.cluster.wait_active()
        old.kill()
        take_over_from_the_dead(run, work, old)


def sigkill_and_release(run):
    """What the service manager does after a death; it may come too late only if everything is slower than a lease."""
    for attempt in range(ATTEMPTS):
        with run.clients("release-%d" % attempt) as work:
            old = run.cluster.wait_active()
            old.kill()
            said = old.release_lease()
            take_over_from_the_dead(run, work, old)
        if said == "the lease of the process that died is free":
            return
    raise AssertionError("the lease of a node that died was never released: %s" % said)


def stop_without_the_file(run, node):
    """SIGSTOP at a moment when the node does not hold SQLite's file, as with it nobody could go on."""
    for _ in range(300):
        node.pause()
        if run.storage.can_write():
            return
        node.resume()
    raise AssertionError("%s always holds the file" % node)


def sigstop(run):
    with run.clients("sigstop") as work:
        old = run.cluster.wait_active()
        burst = Burst(work, old)
        stop_without_the_file(run, old)
        take_over_from_the_dead(run, work, old)
        burst.send()
        old.resume()
        burst.join()
        work.wait_progress()


def cut_off_from_the_storage(run, mode, seconds=0.0):
    with run.clients("storage-" + mode) as work:
        old = run.cluster.wait_active()
        burst = Burst(work, old)
        run.storage.cut(old.number, mode, seconds)
        take_over(run, work, old)
        burst.send()
        run.storage.heal(old.number)
        burst.join()
        work.wait_progress()


def storage_drops(run):
    cut_off_from_the_storage(run, "drop")


def storage_delays(run):
    # More than any lease that the tests use.
    cut_off_from_the_storage(run, "delay", 4.0)


def storage_resets(run):
    cut_off_from_the_storage(run, "reset")


def peers(run, mode):
    """The active node goes on, and so do its clients; the others follow when they reach it again."""
    with run.clients("peers-" + mode) as work:
        active = run.cluster.wait_active()
        active.cut_off_from_peers(mode)
        work.wait_stuck(work.besides(active))
        work.wait_progress(work.on([active]))
        active.cut_off_from_peers("pass")
        work.wait_progress()


def peers_drop(run):
    peers(run, "drop")


def peers_refuse(run):
    peers(run, "refuse")


def storage_restarts(run):
    with run.clients("storage-restart") as work:
        run.storage.restart()
        work.wait_progress()


def storage_is_locked(run):
    """Another process holds the file for longer than a lease."""
    with run.clients("storage-locked") as work:
        other = run.storage.open()
        wait_for("the file", lambda: begin(other))
        active = run.cluster.active()
        # Nobody can write now, so it is the lease that says how long this takes.
        wait_for("the active node to serve no longer", lambda: active is None or active.health() != 200)
        other.execute("ROLLBACK")
        other.close()
        work.wait_progress()


def begin(connection):
    try:
        connection.execute("BEGIN IMMEDIATE")
        return True
    except Exception:  # noqa: somebody else has it
        return False


def rolling_restart(run):
    with run.clients("rolling", roamers=3) as work:
        for node in run.cluster.nodes:
            node.terminate()
            node.end()
            # Nobody sends anything to a node that has come back before somebody has unsealed it.
            work.away.add(node.number)
            node.start()
            node.unseal()
            run.cluster.wait_whole()
            work.away.discard(node.number)
            work.wait_progress()
        work.expect_no_failure(work.roamers, "a rolling restart")


def refusals(node, since):
    return REFUSAL.findall(node.read_log()[since:])


def late_write(run):
    """A commit of the active node is on its way to the storage when the link is cut; it arrives when another node is active."""
    for attempt in range(ATTEMPTS):
        with run.clients("late-write-%d" % attempt) as work:
            old = run.cluster.wait_active()
            since = len(old.read_log())
            run.storage.cut(old.number, "halt")
            work.wait_stuck(work.on([old]))
            take_over(run, work, old)
            # So that nothing writes over what may arrive now.
            work.over.set()
            run.storage.heal(old.number)
            run.cluster.wait_whole()
            seen = refusals(old, since)
        if seen:
            print("# %s: %s" % (old, seen[-1]))
            return
    raise AssertionError("no write of a deposed node was ever refused by the storage")


def late_write_sqlite(run):
    """The active node is stopped while it waits for the file, and goes on when another node is active."""
    for attempt in range(ATTEMPTS):
        with run.clients("late-write-%d" % attempt) as work:
            old = run.cluster.wait_active()
            since = len(old.read_log())
            other = run.storage.open()
            wait_for("the file", lambda: begin(other))
            work.wait_stuck(work.on([old]))
            old.pause()
            other.execute("ROLLBACK")
            other.close()
            take_over(run, work, old)
            work.over.set()
            old.resume()
            run.cluster.wait_whole()
            seen = refusals(old, since)
        if seen:
            print("# %s: %s" % (old, seen[-1]))
            return
    raise AssertionError("no write of a deposed node was ever refused by the storage")


def member_dies(run):
    """Each of the storage's servers in turn, its leader among them."""
    with run.clients("member") as work:
        for member in run.storage.servers.nodes:
            run.storage.servers.kill(member)
            work.wait_progress()
            run.storage.servers.start(member)
            work.wait_progress()


def elections_restart(run):
    """Without [ha-storage] nobody can be elected, but nobody is deposed either."""
    with run.clients("elections-restart") as work:
        elections = run.storage.elections
        for member in elections.nodes:
            elections.kill(member)
        elections.start()
        work.wait_progress()


def chaos(run):
    """Not part of any test: as many rounds of faults as BAWN_TEST_CHAOS says, from the seed BAWN_TEST_SEED."""
    seed = int(os.environ.get("BAWN_TEST_SEED") or time.time())
    for place in range(int(os.environ["BAWN_TEST_CHAOS"])):
        rng = random.Random("%d-%d" % (seed, place))
        with run.clients("chaos-%d-%d" % (seed, place), roamers=1) as work:
            for _ in range(rng.randrange(1, 5)):
                print("#   " + fault(run, work, rng), flush=True)
                time.sleep(rng.choice((0, 0.1, 1, 3)))


def fault(run, work, rng):
    """Does one thing; Run.clients() puts all in order again. Returns what it was."""
    running = run.cluster.running()
    cluster = rng.choice(("pause", "kill", "terminate", "step down", "start", "peers"))
    what = rng.choice((cluster, "storage") if run.storage.servers is not None else (cluster,))
    node = rng.choice(run.cluster.nodes)
    if what == "peers":
        mode = rng.choice(("hold", "drop", "reset", "refuse", "cut", "pass"))
        node.cut_off_from_peers(mode)
        return "%s: peers: %s" % (node, mode)
    if what == "storage" and rng.random() < 0.3:
        server = rng.choice(list(run.storage.servers.nodes))
        run.storage.servers.restart(server)
        return "storage server %d: restart" % server
    if what == "storage":
        mode = rng.choice(("hold", "halt", "drop", "delay", "reset", "refuse", "cut", "pass"))
        run.storage.cut(node.number, mode, rng.choice((0.05, 0.5, 3)))
        return "%s: storage: %s" % (node, mode)
    if what == "start" or not node.runs:
        for each in run.cluster.nodes:
            each.resume()
            if not each.runs:
                each.start()
                each.unseal()
        return "all: start"
    if what == "step down" and not node.paused:
        return "%s: step down: %s" % (node, node.call("PUT", "sys/step-down").status)
    if len(running) > 1 and node in running:
        if what == "pause":
            stop_without_the_file(run, node)
        elif what == "kill":
            node.kill()
        else:
            node.terminate()
            node.end()
        return "%s: %s" % (node, what)
    return "nothing"


LOCAL = [step_down, sigterm, sigterm_with_a_slow_client, sigkill, sigkill_and_release, sigstop, late_write_sqlite,
         storage_is_locked, peers_drop, peers_refuse, rolling_restart]
SERVED = [step_down, sigterm, sigterm_with_a_slow_client, sigkill, sigkill_and_release, sigstop, late_write,
          storage_drops, storage_delays, storage_resets, storage_restarts, peers_drop, peers_refuse, rolling_restart]
MEMBERS = [member_dies]
# With [ha-storage] the fence still stands where the data does.
SPLIT = [step_down, sigterm, sigkill, sigstop, late_write_sqlite, elections_restart]


def tell_exception():
    for line in traceback.format_exc().splitlines():
        print("# " + line)


def run_scenarios(kind, scenarios, servers, count):
    """Returns whether all went well. After the first that did not, the cluster is in no state to go on with."""
    run, good = None, True
    try:
        run = Run(kind, servers)
    except NotInstalled as e:
        for place, scenario in enumerate(scenarios, count):
            print("ok %d - %s # SKIP %s" % (place, scenario.__name__.replace("_", " "), e))
        return True
    except Exception:  # noqa: whatever it is, it is told
        tell_exception()
        good = False
    for place, scenario in enumerate(scenarios, count):
        name = scenario.__name__.replace("_", " ")
        begun = time.monotonic()
        if good:
            try:
                scenario(run)
            except Exception:  # noqa: the same
                tell_exception()
                run.cluster.tell()
                good = False
        print("%s %d - %s\n# after %.1f s" % ("ok" if good else "not ok", place, name, time.monotonic() - begun), flush=True)
    if run is not None:
        try:
            run.close(check=good)
        except Exception:  # noqa: the same
            tell_exception()
            good = False
    return good


def main(kind):
    wanted = sys.argv[1:]

    def chosen(scenarios):
        return [s for s in scenarios if not wanted or s.__name__ in wanted]

    alone = chosen({"sqlite": LOCAL, "split": SPLIT}.get(kind, SERVED))
    members = chosen([] if kind in ("sqlite", "split") else MEMBERS)
    if wanted == ["chaos"]:
        alone = [chaos]
    print("1..%d" % (len(alone) + len(members)), flush=True)
    good = run_scenarios(kind, alone, 1, 1) if alone else True
    good = run_scenarios(kind, members, 3, len(alone) + 1) and good if members else good
    sys.exit(0 if good else 1)
