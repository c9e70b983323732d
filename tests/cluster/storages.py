# SPDX-License-Identifier: LGPL-2.1-or-later
"""The storages that a cluster is tested on, and how to look into them past bawnd."""

import base64
import http.client
import json
import os
import sqlite3
import struct
import threading

from bawn_servers import KINDS, Folder

FENCE = "core/fence"


class StorageSqlite:
    """One file for all nodes; there is no connection to cut."""

    kind = "sqlite"
    servers = None

    def __init__(self, count=1):
        assert count == 1
        self.folder = Folder("sqlite")
        self.path = os.path.join(self.folder.path, "bawn.db")

    def connect(self, network, proxy, nodes):
        pass

    def settings(self, node):
        return [("type", "sqlite"), ("path", self.path), ("check-at-start", "false")]

    def open(self):
        return sqlite3.connect("file:%s?mode=rw" % self.path, uri=True, isolation_level=None, timeout=0.05)

    def fence(self):
        connection = self.open()
        try:
            row = connection.execute("SELECT value FROM entry WHERE key = ?", (FENCE,)).fetchone()
        finally:
            connection.close()
        return json.loads(row[0]) if row else None

    def fence_history(self):
        return None

    def can_write(self):
        """Whether no process holds the file, which a stopped one may do for as long as it is stopped."""
        connection = self.open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return True
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()

    def tell(self):
        pass

    def close(self):
        self.folder.remove()


class StorageSplit(StorageSqlite):
    """The data in one file, the elections in etcd."""

    kind = "split"

    def __init__(self, count=1):
        self.elections = KINDS["etcd"](nodes=1)
        super().__init__(count)

    def election_settings(self):
        return [("type", "etcd")] + self.elections.settings

    def tell(self):
        self.elections.tell()

    def close(self):
        self.elections.close()
        super().close()


class StorageServed:
    """Servers, each node with its own way to them."""

    def __init__(self, kind, count=1):
        self.kind, self.servers = kind, KINDS[kind](nodes=count)
        self.proxy = None
        self.links = {}
        self.session = None
        self.lock = threading.Lock()

    def connect(self, network, proxy, nodes):
        self.proxy = proxy
        for node in nodes:
            self.links[node] = []
            for server, (host, port) in zip(self.servers.nodes, self.servers.endpoints()):
                name = "storage-%d-%d" % (node, server)
                front = (network.address(100 + 10 * node + server), port)
                proxy.link(name, front, (host, port))
                self.links[node].append((name, front))

    def settings(self, node):
        return [("type", self.kind)] + self.servers.settings_for([front for _, front in self.links[node]])

    def cut(self, node, mode, seconds=0.0):
        for name, _ in self.links[node]:
            self.proxy.set(name, mode, seconds)

    def heal(self, node):
        self.cut(node, "pass")

    def held(self, node):
        return sum(self.proxy.counts(name)["held"] for name, _ in self.links[node])

    def restart(self):
        for node in self.servers.nodes:
            self.servers.kill(node)
        self.servers.start()

    def can_write(self):
        return True

    def fence(self):
        """As one of the servers has it."""
        problem = None
        for node in list(self.servers.processes):
            try:
                with self.lock:
                    return getattr(self, "fence_" + self.kind)(node)
            except (OSError, EOFError, ValueError, KeyError, http.client.HTTPException, struct.error) as e:
                problem = e
        raise ConnectionError("no server answers: %s" % problem)

    def fence_entry(self, node):
        def b64(text):
            return base64.b64encode(text).decode()

        answer = self.servers.post(node, "kv/range", {"key": b64(b"bawn/core"), "range_end": b64(b"bawn/corf"), "limit": "100"})
        for entry in answer.get("kvs", []):
            if base64.b64decode(entry["key"]).replace(b"\0", b"/") == b"bawn/" + FENCE.encode():
                return entry
        return None

    def fence_etcd(self, node):
        entry = self.fence_entry(node)
        return json.loads(base64.b64decode(entry["value"])) if entry else None

    def fence_history(self):
        """Every state that the fence ever had, in order; None if this storage does not remember."""
        if self.kind != "etcd":
            return None
        last = self.fence_entry(1)
        history = []
        for event in self.servers.watch(1, {"key": last["key"], "start_revision": "1"}):
            assert event.get("type", "PUT") == "PUT", "the fence was removed"
            history.append(json.loads(base64.b64decode(event["kv"]["value"])))
            if event["kv"]["mod_revision"] == last["mod_revision"]:
                return history

    def fence_consul(self, node):
        status, body = self.servers.call(node, "GET", "/v1/kv/bawn/" + FENCE + "?raw&consistent")
        if status == 404:
            return None
        if status != 200:
            raise ValueError("consul answers %d" % status)
        return json.loads(body)

    def fence_zookeeper(self, node):
        if self.session is None or self.session[0] != node:
            self.session = (node, self.servers.session(node))
        try:
            value = self.session[1].get("/bawn/tree/core/_fence")
        except (OSError, EOFError, struct.error):
            self.session = None
            raise
        return json.loads(value) if value else None

    def tell(self):
        self.servers.tell()

    def close(self):
        if self.session is not None:
            self.session[1].socket.close()
        self.servers.close()


def open_storage(kind, count=1):
    if kind == "split":
        return StorageSplit(count)
    return StorageSqlite(count) if kind == "sqlite" else StorageServed(kind, count)
