# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clients that read and write while things happen to the cluster, and remember what they were answered."""

import collections
import http.client
import json
import random
import sys
import threading
import time

from bawn_servers import wait_for
from cluster import API_PORT
from history import CAS, MISMATCH, NOTHING, OK, READ, WRITE, History

# Between two requests of a client: what is tested is order, not speed.
PACE = 0.005
# After a request that went wrong, so that there are not thousands of these.
PAUSE = 0.05
# Longer than any node waits before it answers in one way or the other.
ANSWER = 180


class Failure:
    def __init__(self, client, node, operation, what):
        self.client, self.node, self.operation, self.what = client, node, operation, what

    def __str__(self):
        return "%s at %s: %s: %s" % (self.client, self.node, self.operation, self.what)


class Client(threading.Thread):
    """One that talks to one node, come what may, over a connection that it keeps."""

    def __init__(self, workload, name, node):
        super().__init__(name=name, daemon=True)
        self.workload, self.node = workload, node
        self.random = random.Random(name)
        self.versions = {}
        self.connection = None
        self.made = 0
        self.sent = False
        self.successes = 0
        self.last_write = None
        self.silence = 0.0

    def run(self):
        while not self.workload.over.is_set():
            operation = self.choose()
            good = self.perform(operation)
            self.workload.over.wait(PACE if good else PAUSE)
        self.disconnect()

    def choose(self):
        dice = self.random.random()
        if dice < 0.15:
            self.made += 1
            return self.begin("%s/made/%s-%d" % (self.workload.name, self.name, self.made), CAS, 0)
        key = "%s/shared/%d" % (self.workload.name, self.random.randrange(self.workload.keys))
        if dice < 0.50:
            return self.begin(key, READ)
        if dice < 0.70:
            return self.begin(key, WRITE)
        return self.begin(key, CAS, self.versions.get(key, 0))

    def begin(self, key, kind, expected=None):
        value = None if kind == READ else "%s-%d" % (self.name, self.workload.next_value())
        return self.workload.history.begin(key, kind, value, expected, self.name)

    def perform(self, operation):
        """Returns whether the answer was a good one."""
        try:
            status, body = self.ask(operation)
            wrong = self.finish(operation, status, body)
            if operation.outcome == MISMATCH:
                # Whoever lost looks before the next attempt.
                self.versions.pop(operation.key, None)
                operation = self.begin(operation.key, READ)
                wrong = self.finish(operation, *self.ask(operation))
        except ConnectionRefusedError as e:
            self.disconnect()
            operation.finish(NOTHING)
            wrong = str(e)
        except (OSError, http.client.HTTPException) as e:
            self.disconnect()
            wrong = "%s: %s" % (type(e).__name__, e)
        if wrong is not None:
            self.workload.failures.append(Failure(self.name, self.node, operation, wrong))
            return False
        self.successes += 1
        if operation.kind != READ:
            now = time.monotonic()
            self.silence = max(self.silence, now - (self.last_write or now))
            self.last_write = now
        return True

    def ask(self, operation):
        path = "/v1/kv/data/" + operation.key
        if operation.kind == READ:
            return self.exchange("GET", path, None)
        body = {"data": {"v": operation.value}}
        if operation.kind == CAS:
            body["options"] = {"cas": operation.expected}
        return self.exchange("POST", path, json.dumps(body))

    def exchange(self, method, path, body):
        if self.connection is not None and self.connection.sock is None:
            self.disconnect()  # as the last answer asked for
        if self.connection is None:
            self.connect()
        self.connection.request(method, path, body=body, headers={"X-Vault-Token": self.workload.cluster.root})
        self.sent = True
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def connect(self):
        self.connection = http.client.HTTPConnection(self.node.host, API_PORT, timeout=ANSWER)
        self.connection.connect()

    def disconnect(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def finish(self, operation, status, body):
        """Returns what was wrong with the answer, None if nothing was."""
        if operation.kind == READ and status == 404:
            operation.finish(OK, 0, None)
        elif status == 200:
            data = json.loads(body)["data"]
            if operation.kind == READ:
                operation.finish(OK, data["metadata"]["version"], data["data"]["v"])
            else:
                operation.finish(OK, data["version"])
            self.versions[operation.key] = operation.version
        elif operation.kind == CAS and status == 400 and b"check-and-set" in body:
            operation.finish(MISMATCH)
        else:
            return "%d %s" % (status, body[:300].decode(errors="replace"))
        return None


class Roamer(Client):
    """One that goes to the next node when a connection is refused, as a load balancer does, and counts a request as failed only
    if anything else goes wrong. A node that refused is left alone until it is said to be back."""

    def exchange(self, method, path, body):
        while True:
            nodes = [n for n in self.workload.cluster.nodes if n.number not in self.workload.away]
            if not nodes:
                raise ConnectionRefusedError("no node is left to talk to")
            if self.node not in nodes:
                self.node = self.random.choice(nodes)
            # Not kept: of what is sent on a connection that the other side closes at this moment nobody knows what became.
            connection = http.client.HTTPConnection(self.node.host, API_PORT, timeout=ANSWER)
            try:
                connection.connect()
                connection.request(method, path, body=body, headers={"X-Vault-Token": self.workload.cluster.root,
                                                                     "Connection": "close"})
                answer = connection.getresponse()
                return answer.status, answer.read()
            except ConnectionRefusedError:
                self.workload.away.add(self.node.number)
            finally:
                connection.close()


class Burst:
    """Requests to a node that cannot answer: they wait in its sockets, and are the first that it sees when it goes on.

    To be made while it can, since its connections are used once; send() and join() come later. What is sent begins after all
    that was acknowledged elsewhere, so an answer from a memory that is not up to date shows.
    """

    def __init__(self, workload, node):
        self.workload = workload
        self.clients = [Client(workload, "burst%d.%d" % (node.number, i), node) for i in range(2 * workload.keys)]
        self.threads = []
        for place, client in enumerate(self.clients):
            assert client.perform(client.begin(self.key(place), READ)), workload.failures[-1]

    def key(self, place):
        return "%s/shared/%d" % (self.workload.name, place % self.workload.keys)

    def send(self):
        for place, client in enumerate(self.clients):
            client.sent = False
            operation = client.begin(self.key(place), READ if place < self.workload.keys else WRITE)
            self.threads.append(threading.Thread(target=client.perform, args=(operation,), daemon=True))
            self.threads[-1].start()
        wait_for("the requests to be sent", lambda: all(client.sent for client in self.clients))

    def join(self):
        for thread, client in zip(self.threads, self.clients):
            thread.join()
            client.disconnect()


class Workload:
    """Clients on each node of a cluster, from entry to exit."""

    def __init__(self, cluster, name, keys=4, each=2, roamers=0):
        self.cluster, self.name, self.keys = cluster, name, keys
        self.history = History()
        self.failures = []
        self.away = set()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.values = 0
        self.clients = [Client(self, "c%d.%d" % (node.number, i), node) for node in cluster.nodes for i in range(1, each + 1)]
        self.roamers = [Roamer(self, "r%d" % i, cluster.nodes[i % len(cluster.nodes)]) for i in range(roamers)]

    def next_value(self):
        with self.lock:
            self.values += 1
            return self.values

    def __enter__(self):
        for client in self.clients + self.roamers:
            client.start()
        return self

    def __exit__(self, *exc):
        self.stop()
        if exc[0] is not None:
            for failure in self.failures[-20:]:
                print("# failed: %s" % failure)

    def stop(self):
        """No client begins anything more; waits for the answers that are still to come."""
        self.over.set()
        for client in self.clients + self.roamers:
            if client.ident is not None:
                client.join()

    def on(self, nodes):
        return [client for client in self.clients if client.node in nodes]

    def besides(self, *nodes):
        return [client for client in self.clients if client.node not in nodes]

    def wait_progress(self, clients=None, requests=8):
        """Until each of them has had so many more good answers."""
        clients = self.clients + self.roamers if clients is None else clients
        before = {client: client.successes for client in clients}

        def gone_on():
            dead = [client.name for client in clients if not client.is_alive()]
            assert not dead, "clients have ended: %s" % dead
            return all(client.successes >= before[client] + requests for client in clients)

        try:
            wait_for("clients to get on", gone_on)
        except AssertionError as e:
            slow = ["%s at %s" % (c.name, c.node) for c in clients if c.successes < before[c] + requests]
            raise AssertionError("%s: %s" % (e, ", ".join(slow))) from None

    def touch(self, node):
        """Reads and writes each key through a node; all of it must work."""
        client = Client(self, "touch%d" % node.number, node)
        for place in range(self.keys):
            for kind in (READ, WRITE):
                operation = client.begin("%s/shared/%d" % (self.name, place), kind)
                assert client.perform(operation), "after a take-over: %s" % self.failures[-1]
        client.disconnect()

    def wait_stuck(self, clients, seconds=0.3):
        """Until none of them has had an answer to its last request for a while, and one of those is a write."""
        since, before = 0.0, None

        def stuck():
            nonlocal since, before
            now = self.unanswered(clients)
            if now != before:
                since, before = time.monotonic(), now
            return now and any(o.kind != READ for o in now) and time.monotonic() - since > seconds

        wait_for("clients to be without an answer", stuck)

    def unanswered(self, clients):
        """The last operations of all of them, if none has ended, in whatever way."""
        last = {}
        with self.history.lock:
            for operation in self.history.operations:
                last[operation.client] = operation
        failed = {failure.operation for failure in self.failures}
        found = [last[client.name] for client in clients]
        return found if all(o.ended is None and o not in failed for o in found) else None

    def expect_no_failure(self, clients, doing):
        names = {client.name for client in clients}
        bad = [str(f) for f in self.failures if f.client in names]
        assert not bad, "%d requests failed across %s:\n%s" % (len(bad), doing, "\n".join(bad[:10]))

    def verify(self):
        """To be called after the end, with the cluster whole: nothing acknowledged is lost, and each history makes sense."""
        names = {}
        operations = self.history.by_key()
        for place, key in enumerate(sorted(operations)):
            nodes = self.cluster.nodes
            for node in nodes if "/shared/" in key else [nodes[place % len(nodes)]]:
                reader = names.setdefault(node.number, Client(self, "last%d" % node.number, node))
                assert reader.perform(reader.begin(key, READ)), "reading %s at the end: %s" % (key, self.failures[-1])
        for reader in names.values():
            reader.disconnect()
        self.verify_list(operations)
        count = self.history.check()
        silence = max([client.silence for client in self.clients + self.roamers] or [0.0])
        print("# %s: %d requests, %d failed; the longest that a client was without a write: %.2f s"
              % (self.name, count, len(self.failures), silence))
        kinds = collections.Counter((str(f.node), f.what[:120]) for f in self.failures)
        for (node, what), times in sorted(kinds.items()):
            print("#   %s, %d times: %s" % (node, times, what))
        sys.stdout.flush()

    def verify_list(self, operations):
        made = {key.rsplit("/", 1)[1] for key, all_of_it in operations.items()
                if "/made/" in key and any(o.outcome == OK and o.kind == CAS for o in all_of_it)}
        reply = self.cluster.nodes[0].call("LIST", "kv/metadata/%s/made" % self.name)
        listed = set(reply.data["keys"]) if reply.status == 200 else set()
        assert made <= listed, "not listed: %s" % sorted(made - listed)[:10]
