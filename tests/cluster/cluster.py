# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several bawnd on one storage, and what a test may do to them."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_server import BAWND, Reply  # noqa: E402
from bawn_servers import PATIENCE, Folder, Keeper, Network, Process, wait_for  # noqa: E402
from proxy import Proxy  # noqa: E402

API_PORT, CLUSTER_PORT = 8200, 8201
# Short, so that failovers are; long enough for a machine that has other things to do. BAWN_TEST_LEASE changes it.
LEASE = os.environ.get("BAWN_TEST_LEASE", "2s")
# What no log may have.
BAD = ("CRITICAL", "WARNING **", "ERROR: AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer")


class SlowRequest:
    """A write whose body comes in two parts."""

    BODY = b'{"data":{"slow":"yes"}}'

    def __init__(self, node):
        self.connection = http.client.HTTPConnection(node.host, API_PORT, timeout=PATIENCE)
        self.connection.putrequest("POST", "/v1/kv/data/slow")
        self.connection.putheader("X-Vault-Token", node.cluster.root)
        self.connection.putheader("Content-Length", str(len(self.BODY)))
        self.connection.endheaders(self.BODY[:5])

    def finish(self):
        """Returns the status of the answer."""
        self.connection.send(self.BODY[5:])
        answer = self.connection.getresponse()
        answer.read()
        return answer.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class Node:
    """One bawnd; numbered from 1."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.name = "node %d" % number
        self.host = cluster.network.address(10 + number)
        self.cluster_front = (cluster.network.address(20 + number), CLUSTER_PORT)
        self.link = "peers-%d" % number
        cluster.proxy.link(self.link, self.cluster_front, (self.host, CLUSTER_PORT))
        self.config = os.path.join(cluster.folder.path, "node%d.conf" % number)
        self.log = os.path.join(cluster.folder.path, "node%d.log" % number)
        self.lease = os.path.join(cluster.folder.path, "node%d.lease" % number)
        self.process = None
        self.paused = False

    @property
    def url(self):
        return "http://%s:%d" % (self.host, API_PORT)

    @property
    def runs(self):
        return self.process is not None

    def write_config(self):
        groups = {
            "server": [("api-addr", self.url), ("cluster-addr", "https://%s:%d" % self.cluster_front),
                       # Never on a slow machine before the test has done its part.
                       ("shutdown-timeout", "5m")],
            "listener": [("address", "%s:%d" % (self.host, API_PORT)), ("cluster-address", "%s:%d" % (self.host, CLUSTER_PORT)),
                         ("body-timeout", "5m")],
            "storage": self.cluster.storage.settings(self.number),
            # Nor has anybody waited long enough there because a take-over is slow.
            "ha": [("lease-ttl", LEASE), ("park-timeout", "90s"), ("lease-file", os.path.join(self.cluster.folder.path, "node%d.lease" % self.number))],
        }
        for group, lines in self.cluster.extra.items():
            groups.setdefault(group, []).extend(lines)
        with open(self.config, "w") as f:
            for group, lines in groups.items():
                f.write("[%s]\n%s\n" % (group, "".join("%s=%s\n" % line for line in lines)))

    def start(self):
        """Returns when it answers; it is sealed then."""
        assert not self.runs
        self.write_config()
        wrapper = os.environ.get("BAWND_WRAPPER", "").split()
        self.process = Process(wrapper + [BAWND, "--config", self.config, "--log-level",
                                          os.environ.get("BAWN_TEST_LOG_LEVEL", "info")], self.log)
        wait_for(self.name + " to answer", self.answers)

    def answers(self):
        if self.process.ended():
            raise AssertionError("%s ended with %d" % (self.name, self.process.wait()))
        return self.health() is not None

    def call(self, method, path, body=None, token=None, headers=None, timeout=PATIENCE):
        """On a connection of its own. An OSError or http.client.HTTPException if there is no answer."""
        connection = http.client.HTTPConnection(self.host, API_PORT, timeout=timeout)
        try:
            fields = {"Connection": "close"}
            if token or self.cluster.root:
                fields["X-Vault-Token"] = token or self.cluster.root
            fields.update(headers or {})
            connection.request(method, "/v1/" + path, body=None if body is None else json.dumps(body), headers=fields)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def health(self):
        """The status code, or None if there is none to be had."""
        if not self.runs or self.paused:
            return None
        try:
            return self.call("GET", "sys/health", timeout=5).status
        except (OSError, http.client.HTTPException):
            return None

    def leader(self):
        """What it takes for the active node's address; "" if there is none."""
        try:
            reply = self.call("GET", "sys/leader", timeout=5)
        except (OSError, http.client.HTTPException):
            return ""
        return reply.json.get("leader_address", "") if reply.status == 200 else ""

    def unseal(self):
        for share in self.cluster.shares:
            reply = self.call("PUT", "sys/unseal", {"key": share})
            assert reply.status == 200, reply.body
        wait_for(self.name + " to be unsealed", lambda: self.health() in (200, 429))

    def kill(self):
        self.resume()
        process, self.process = self.process, None
        process.kill()

    def terminate(self):
        """Asks it to end; end() waits for that."""
        self.process.signal(signal.SIGTERM)

    def end(self):
        process, self.process = self.process, None
        code = process.wait()
        assert code == 0, "%s ended with %d after SIGTERM" % (self.name, code)

    def begin_request(self):
        request = SlowRequest(self)
        # Whoever answers this has seen the beginning of that, unless another thread has it, which sees it in a moment.
        self.call("GET", "sys/health")
        return request

    def release_lease(self):
        """As ExecStopPost= of the unit. Returns what it says."""
        done = subprocess.run([BAWND, "--config", self.config, "--release-lease"], capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def pause(self):
        self.process.stand_still()
        self.paused = True

    def resume(self):
        if self.paused:
            self.process.signal(signal.SIGCONT)
            self.paused = False

    def cut_off_from_peers(self, mode):
        """Its cluster port, that is."""
        self.cluster.proxy.set(self.link, mode)

    def step_down(self):
        reply = self.call("PUT", "sys/step-down")
        assert reply.status == 204, (reply.status, reply.body)

    def read_log(self):
        try:
            with open(self.log, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def __str__(self):
        return self.name


class Cluster:
    """With them: all nodes run, one was used to initialise, all are unsealed, one is active, and there is a kv at kv/."""

    def __init__(self, storage, count=3, extra=None, mount=True):
        """extra: {group: [(key, value), …]} for the configuration of each node."""
        self.storage, self.extra = storage, extra or {}
        self.root = None
        self.shares = []
        self.folder = Folder("cluster")
        self.network = Network((API_PORT, CLUSTER_PORT))
        self.proxy = Proxy(lambda process: Keeper.tell("child %d\n" % process.pid))
        self.nodes = [Node(self, i) for i in range(1, count + 1)]
        self.started = False
        try:
            storage.connect(self.network, self.proxy, [node.number for node in self.nodes])
            for node in self.nodes:
                node.start()
            reply = self.nodes[0].call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
            assert reply.status == 200, reply.body
            self.shares, self.root = reply.json["keys"], reply.json["root_token"]
            for node in self.nodes:
                node.unseal()
            active = self.wait_whole()
            if mount:
                reply = active.call("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
                assert reply.status == 204, reply.body
            self.started = True
        except BaseException:
            self.tell()
            self.close(check=False)
            raise

    def running(self):
        return [node for node in self.nodes if node.runs and not node.paused]

    def active(self):
        """The node that says so; None if none does, or two do, as it may be for a moment."""
        found = [node for node in self.running() if node.health() == 200]
        return found[0] if len(found) == 1 else None

    def wait_active(self, besides=()):
        return wait_for("a node to be active", lambda: (lambda node: node not in besides and node)(self.active()))

    def standbys(self):
        active = self.wait_active()
        return [node for node in self.running() if node is not active]

    def wait_whole(self):
        """All that run are unsealed, one is active, the others know it. Returns that one."""
        def whole():
            active = self.active()
            if active is None:
                return None
            others = [node for node in self.running() if node is not active]
            return active if all(n.health() == 429 and n.leader() == active.url for n in others) else None

        return wait_for("one node to be active and all others to know it", whole)

    def heal(self):
        """Everything runs, unsealed, and reaches everything."""
        for node in self.nodes:
            node.cut_off_from_peers("pass")
            if self.storage.servers is not None:
                self.storage.heal(node.number)
            node.resume()
        for node in self.nodes:
            if not node.runs:
                node.start()
                node.unseal()
            assert not node.process.ended(), "%s has ended" % node
        return self.wait_whole()

    def check_logs(self):
        for node in self.nodes:
            log = node.read_log()
            for bad in BAD:
                assert bad not in log, "the log of %s has %s" % (node, bad)

    def tell(self, lines=60):
        for node in self.nodes:
            for line in node.read_log().splitlines()[-lines:]:
                print("# %s: %s" % (node, line))
        self.storage.tell()

    def close(self, check=True):
        """Ends all nodes, as a service manager would, and looks at how they ended and what they wrote."""
        problems = []
        try:
            for node in self.nodes:
                if node.runs:
                    node.resume()
                    node.terminate()
            for node in self.nodes:
                if node.runs:
                    try:
                        node.end()
                    except AssertionError as e:
                        problems.append(str(e))
            if check:
                self.check_logs()
                assert not problems, problems
        except BaseException:
            if check:
                self.tell()
            raise
        finally:
            self.proxy.close()
            self.folder.remove()
            self.network.release()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is not None:
            self.tell()
        self.close(check=exc[0] is None)


class FenceWatch:
    """Looks at the fence in the storage all the time: it must only ever go forward, and an epoch belong to one term."""

    def __init__(self, storage):
        self.storage = storage
        self.terms = {}
        self.last = (0, 0)
        self.looks = 0
        self.problems = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.02):
            try:
                fence = self.storage.fence()
            except Exception:  # noqa: a storage that is away is what these tests are about
                continue
            try:
                if fence is not None:
                    self.look(fence)
            except (KeyError, TypeError) as e:
                self.problems.append("the fence is not one: %r, %s" % (fence, e))

    def look(self, fence):
        now = (fence["epoch"], fence["sequence"])
        self.looks += 1
        if now < self.last:
            self.problems.append("the fence went back from %s to %s" % (self.last, now))
        if self.terms.setdefault(fence["epoch"], fence["term"]) != fence["term"]:
            self.problems.append("epoch %d has two terms" % fence["epoch"])
        before = self.terms.get(self.last[0])
        end = fence.get("previous_sequence", 0)
        if fence["epoch"] > self.last[0] and fence.get("previous") == before is not None and end < self.last[1]:
            self.problems.append("epoch %d begins after commit %d of an epoch that had come to %d"
                                 % (fence["epoch"], end, self.last[1]))
        self.last = now

    def check(self):
        assert not self.problems, self.problems
        assert self.looks > 0, "the fence was never seen"

    def close(self):
        self.over.set()
        self.thread.join()
