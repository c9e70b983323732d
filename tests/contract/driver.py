# SPDX-License-Identifier: LGPL-2.1-or-later
"""storage-driver, held by a test: a storage in a process of its own, which does and answers one line at a time."""

import contextlib
import os
import queue
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../api"), os.path.join(HERE, "../cluster"), os.path.join(HERE, "../servers")]

from bawn_server import BUILD  # noqa: E402
from bawn_servers import PATIENCE, Keeper, Network, wait_for  # noqa: E402
from proxy import Proxy  # noqa: E402


class Driver:
    """With [storage] as given: pairs of name and value, all but type."""

    def __init__(self, kind, settings, opened=True):
        argv = [os.path.join(BUILD, "tests/contract/storage-driver"), "type=" + kind] + ["%s=%s" % s for s in settings]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        Keeper.tell("child %d\n" % self.process.pid)
        self.lock = threading.Lock()
        self.answers = queue.Queue()
        self.late = {}
        threading.Thread(target=self.listen, daemon=True).start()
        if opened:
            self.at_last("open")

    def listen(self):
        for line in self.process.stdout:
            line = line.rstrip("\n")
            name, colon, rest = line.partition(": ")
            if colon and " " not in name:
                self.late[name] = rest
            else:
                self.answers.put(line)
        self.answers.put("ended")

    def ask(self, *words):
        with self.lock:
            self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
            self.process.stdin.flush()
            return self.answers.get(timeout=PATIENCE)

    def ok(self, *words):
        answer = self.ask(*words)
        assert answer.split(" ")[0] == "ok", "%s: %s" % (words, answer)
        return answer[3:]

    def at_last(self, *words):
        """As ok(), for what a busy machine may not get done within a timeout that the test has made short. It may be done twice."""
        def done():
            answer = self.ask(*words)
            assert answer.startswith(("ok", "fail UPSTREAM", "fail UNKNOWN_OUTCOME")), "%s: %s" % (words, answer)
            return answer if answer.startswith("ok") else None

        return wait_for("%s to be done" % (words,), done)[3:]

    def fails(self, code, *words):
        answer = self.ask(*words)
        assert answer.startswith("fail %s " % code), "%s: %s" % (words, answer)
        return answer

    def spawn(self, name, *words):
        """Does it on a thread of its own; collect() has the answer."""
        self.late.pop(name, None)
        self.ok("spawn", name, *words)

    def collect(self, name):
        return wait_for(name, lambda: self.late.get(name))

    def close(self):
        self.process.kill()
        self.process.wait()
        Keeper.tell("ended %d\n" % self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def proxied(servers):
    """A way to the first server that can be spoilt: where it begins, and the proxy, which knows it as "way"."""
    with contextlib.ExitStack() as stack:
        port = servers.endpoint(1)[1]
        network = Network((port,))
        stack.callback(network.release)
        proxy = Proxy(lambda process: Keeper.tell("child %d\n" % process.pid))
        stack.callback(proxy.close)
        front = (network.address(1), port)
        proxy.link("way", front, servers.endpoint(1))
        yield front, proxy


def counted(storage):
    """How far the driver's command "count" on the key "n" is."""
    words = storage.ask("get", "n").split()
    return int(words[2]) if words[0] == "ok" and words[1] != "absent" else 0


def count_while_the_server_restarts(servers, storage, steps):
    before = 0
    storage.spawn("count", "count", "n", steps)
    for _ in range(3):
        before = wait_for("progress", lambda: counted(storage) > before and counted(storage))
        assert before < steps, "it was over too soon"
        servers.restart(1)
    answer = storage.collect("count").split()
    assert answer[:2] == ["ok", str(steps)], answer


def count_while_leaders_go(servers, storage, another, choose, steps):
    """One of three dies, and one is stopped, which says nothing at all. @another opens the storage once more; @choose gives the
    number of the one to go."""
    storage.spawn("count", "count", "n", steps)
    wait_for("progress", lambda: counted(storage))
    dead = choose()
    servers.kill(dead)
    answer = storage.collect("count").split()
    assert answer[:2] == ["ok", str(steps)], answer
    # Two are enough, also for who comes new.
    with another() as other:
        assert other.ok("get", "n").endswith(" %d" % steps)
    servers.start(dead)
    storage.spawn("count", "count", "n", steps)
    wait_for("progress", lambda: counted(storage) > steps)
    stopped = choose()
    servers.pause(stopped)
    answer = storage.collect("count").split()
    servers.resume(stopped)
    assert answer[:2] == ["ok", str(2 * steps)], answer
