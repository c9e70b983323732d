#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ZooKeeper does to the storage that is kept in it: seen through storage-driver, provoked at a real server."""

import contextlib
import os
import random
import socket
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../api"), os.path.join(HERE, "../cluster"), os.path.join(HERE, "../servers")]

import driver  # noqa: E402
from bawn_server import run_all  # noqa: E402
from bawn_servers import PATIENCE, Certificates, Folder, Network, NotInstalled, Zookeeper, wait_for  # noqa: E402

# What the driver's paths below "path" look like.
TREE = "/bawn/tree"
MULTI = 14


def zookeeper(settings, *more, opened=True):
    return driver.Driver("zookeeper", settings + list(more), opened)


def frame(body):
    return struct.pack(">i", len(body)) + body


def read_exactly(s, size):
    data = b""
    while len(data) < size:
        more = s.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_frame(s):
    return read_exactly(s, struct.unpack(">i", read_exactly(s, 4))[0])


def text(value):
    return struct.pack(">i", len(value)) + value


class Raw:
    """A session that does what no backend does."""

    def __init__(self, endpoint):
        self.s = socket.create_connection(endpoint, timeout=PATIENCE)
        self.xid = 0
        self.s.sendall(frame(struct.pack(">iqiq", 0, 0, 30000, 0) + text(b"\0" * 16) + b"\0"))
        read_frame(self.s)

    def send(self, op, body):
        self.xid += 1
        self.s.sendall(frame(struct.pack(">ii", self.xid, op) + body))

    def answer(self):
        reply = read_frame(self.s)
        return struct.unpack(">iqi", reply[:16])[2], reply[16:]

    def call(self, op, body):
        self.send(op, body)
        return self.answer()

    def create(self, path, data=b""):
        everyone = struct.pack(">ii", 1, 31) + text(b"world") + text(b"anyone")
        return self.call(1, text(path.encode()) + text(data) + everyone + struct.pack(">i", 0))[0]

    def delete(self, path):
        return self.call(2, text(path.encode()) + struct.pack(">i", -1))[0]

    def get(self, path):
        error, body = self.call(4, text(path.encode()) + b"\0")
        return None if error else body[4:4 + struct.unpack(">i", body[:4])[0]]

    def children(self, path):
        error, body = self.call(8, text(path.encode()) + b"\0")
        assert error == 0, error
        count, at, names = struct.unpack(">i", body[:4])[0], 4, []
        for _ in range(count):
            size = struct.unpack(">i", body[at:at + 4])[0]
            names.append(body[at + 4:at + 4 + size].decode())
            at += 4 + size
        return sorted(names)

    def close(self):
        self.s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Saboteur:
    """Between a client and a server; each multi that does something is passed, or lost on the way there or back, as choose() says:
    "pass", "lose-request", "lose-answer". Losing means that the connection is closed."""

    def __init__(self, endpoint, choose):
        self.endpoint, self.choose = endpoint, choose
        self.network = Network((2181,))
        self.front = (self.network.address(1), 2181)
        self.listener = socket.create_server(self.front)
        self.lost = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        doomed = threading.Event()
        try:
            server = socket.create_connection(self.endpoint)
        except OSError:
            client.close()
            return
        threading.Thread(target=self.back, args=(client, server, doomed), daemon=True).start()
        try:
            server.sendall(frame(read_frame(client)))
            while True:
                request = read_frame(client)
                # A barrier is a multi of a check only; a commit begins with a set.
                verdict = "pass"
                if request[4:12] == struct.pack(">ii", MULTI, 5):
                    verdict = self.choose()
                    self.lost += verdict != "pass"
                if verdict == "lose-request":
                    break
                if verdict == "lose-answer":
                    doomed.xid = request[:4]
                    doomed.set()
                server.sendall(frame(request))
        except (OSError, EOFError):
            pass
        self.shut(client, server)

    def back(self, client, server, doomed):
        try:
            while True:
                reply = read_frame(server)
                if doomed.is_set() and reply[:4] == doomed.xid:
                    break
                client.sendall(frame(reply))
        except (OSError, EOFError):
            pass
        self.shut(client, server)

    @staticmethod
    def shut(*sockets):
        for s in sockets:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        self.network.release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_a_lost_answer_is_an_unknown_outcome():
    choice = ["pass"]
    with Zookeeper() as servers, Saboteur(servers.endpoint(1), lambda: choice[0]) as saboteur:
        with zookeeper(servers.settings_for([saboteur.front])) as store:
            store.ok("put", "a", "before")
            choice[0] = "lose-answer"
            store.fails("UNKNOWN_OUTCOME", "put", "a", "in")
            assert store.ok("get", "a").split()[1] == "in"
            choice[0] = "lose-request"
            store.fails("UNKNOWN_OUTCOME", "put", "a", "out")
            assert store.ok("get", "a").split()[1] == "in"
            choice[0] = "pass"
            store.ok("put", "a", "after")
            assert store.ok("get", "a").split()[1] == "after"


def test_no_step_is_lost_nor_done_twice_on_a_bad_connection():
    seed = int.from_bytes(os.urandom(4), "big")
    print("# seed %d" % seed)
    rng = random.Random(seed)
    fates = ["pass"] * 4 + ["lose-request", "lose-answer"]
    with Zookeeper() as servers, Saboteur(servers.endpoint(1), lambda: rng.choice(fates)) as saboteur:
        with zookeeper(servers.settings_for([saboteur.front])) as store:
            store.spawn("count", "count", "n", 200)
            answer = store.collect("count").split()
            assert answer[:2] == ["ok", "200"] and int(answer[2]) > 0, answer


def test_a_server_out_of_reach_is_upstream():
    with Zookeeper() as servers, driver.proxied(servers) as (front, proxy), \
            zookeeper(servers.settings_for([front]), ("request-timeout", "1s")) as store:
        store.at_last("put", "a", "before")
        for mode in ("refuse", "reset"):
            proxy.set("way", mode)
            store.fails("UPSTREAM", "put", "a", mode)
            store.fails("UPSTREAM", "get", "a")
            store.fails("UPSTREAM", "list", ".")
            store.fails("UPSTREAM", "wait", "a", 1, 60000)
            proxy.set("way", "pass")
            assert store.at_last("get", "a").split()[1] == "before"
        # What is held arrives when the network is back, long after it was given up.
        proxy.set("way", "hold")
        store.fails("UPSTREAM", "put", "a", "held")
        store.fails("UPSTREAM", "get", "a")
        proxy.set("way", "pass")
        wait_for("an answer", lambda: store.ask("get", "a").startswith("ok"))
        store.at_last("put", "a", "after")
        assert store.at_last("get", "a").split()[1] == "after"


def four_letters(servers, word, node=1):
    with socket.create_connection(servers.endpoint(node), timeout=PATIENCE) as s:
        s.sendall(word)
        data = b""
        while True:
            more = s.recv(65536)
            if not more:
                return data.decode()
            data += more


def test_an_expired_session_is_replaced():
    with Zookeeper() as servers, driver.proxied(servers) as (front, proxy), \
            zookeeper(servers.settings_for([front]), ("session-timeout", "1s")) as store:
        store.ok("put", "a", "v")
        version = store.ok("get", "a").split()[0]
        store.spawn("wait", "wait", "a", version, 600000)
        proxy.set("way", "refuse")
        wait_for("the session to expire", lambda: sessions(servers) == 0)
        proxy.set("way", "pass")
        assert store.ok("get", "a") == version + " v"
        assert "wait" not in store.late, store.late
        store.ok("put", "a", "w")
        assert store.collect("wait").startswith("ok")


def sessions(servers):
    """How many the server keeps, with or without a connection."""
    for line in four_letters(servers, b"mntr").splitlines():
        name, _, value = line.partition("\t")
        if name == "zk_global_sessions":
            return int(value)
    raise AssertionError("the server does not tell of its sessions")


def test_a_paused_server_is_waited_for():
    with Zookeeper() as servers, zookeeper(servers.settings, ("session-timeout", "1s"), ("request-timeout", "1s")) as store:
        store.at_last("put", "a", "v")
        servers.pause(1)
        store.fails("UPSTREAM", "get", "a")
        answer = store.ask("put", "a", "w")
        assert answer.startswith(("fail UPSTREAM", "fail UNKNOWN_OUTCOME")), answer
        servers.resume(1)
        wait_for("the server to answer", lambda: store.ask("get", "a").startswith("ok"))
        store.at_last("put", "a", "x")
        assert store.at_last("get", "a").endswith(" x")


def test_no_step_is_lost_nor_done_twice_while_the_server_restarts():
    with Zookeeper() as servers, zookeeper(servers.settings, ("request-timeout", "5s")) as store:
        steps = 2000
        for i in range(3):
            store.spawn("count", "count", "n", steps)
            wait_for("progress", lambda done=i * steps: driver.counted(store) > done)
            servers.restart(1)
            answer = store.collect("count").split()
            assert answer[:2] == ["ok", str((i + 1) * steps)], answer


def leader(servers):
    def find():
        for node in servers.nodes:
            if node in servers.processes and node not in servers.paused:
                with contextlib.suppress(OSError):
                    if "Mode: leader" in four_letters(servers, b"srvr", node):
                        return node
        return None

    return wait_for("a leader", find)


def test_no_step_is_lost_nor_done_twice_while_leaders_go():
    def another():
        return zookeeper(servers.settings, ("request-timeout", "5s"))

    with Zookeeper(nodes=3) as servers, another() as store:
        driver.count_while_leaders_go(servers, store, another, lambda: leader(servers), 600)


def test_an_ensemble_without_a_majority_is_upstream():
    with Zookeeper(nodes=3) as servers:
        with zookeeper(servers.settings, ("request-timeout", "2s"), ("session-timeout", "1s")) as store:
            store.at_last("put", "a", "before")
            servers.kill(2)
            servers.kill(3)
            wait_for("the last one to notice", lambda: store.ask("get", "a").startswith("fail UPSTREAM"))
            store.fails("UPSTREAM", "put", "a", "nobody")
            store.fails("UPSTREAM", "wait", "a", 1, 60000)
            servers.start(2)
            assert store.at_last("get", "a").endswith(" before")


def test_a_deposed_leader_gives_no_old_answer():
    with Zookeeper(nodes=3) as servers:
        old = leader(servers)
        others = [servers.endpoint(i) for i in servers.nodes if i != old]
        with zookeeper(servers.settings_for([servers.endpoint(old)]), ("session-timeout", "10s"), ("request-timeout", "60s")) \
                as behind, zookeeper(servers.settings_for(others), ("request-timeout", "60s")) as ahead, \
                Raw(servers.endpoint(old)) as control:
            ahead.ok("put", "a", "old")
            ahead.ok("put", "folder/a", "v")
            version = behind.ok("get", "a").split()[0]
            servers.pause(old)
            # These lie before the old leader's door when it comes to itself.
            behind.spawn("read", "get", "a")
            behind.spawn("list", "list", "folder/")
            behind.spawn("commit", "put", "b", "stale", "a@" + version)
            control.send(9, text((TREE + "/_a").encode()))
            control.send(4, text((TREE + "/_a").encode()) + b"\0")
            # Whoever is elected meanwhile answers at some time.
            for words in (("put", "a", "new"), ("put", "folder/b", "v")):
                wait_for("the new leader", lambda words=words: ahead.ask(*words).startswith("ok"))
            servers.resume(old)
            try:
                control.answer()
                print("# sync and get from the deposed leader: %s" % (b"old" in control.answer()[1] and "old" or "new"))
            except (OSError, EOFError):
                print("# sync and get from the deposed leader: no answer")
            assert behind.collect("read").endswith(" new")
            assert behind.collect("list") == "ok 2 a b"
            answer = behind.collect("commit")
            assert answer.startswith(("fail CONFLICT", "fail UNKNOWN_OUTCOME")), answer
            assert ahead.ok("get", "b") == "absent"


def test_nodes_of_others_are_told_apart():
    with Zookeeper() as servers, zookeeper(servers.settings) as store, Raw(servers.endpoint(1)) as raw:
        store.ok("put", "folder/a", "v")
        assert raw.create(TREE + "/folder/%zz") == 0
        answer = store.fails("CORRUPT", "list", "folder/")
        assert TREE + "/folder/%zz" in answer, answer
        # It does not get lost with the folder.
        store.ok("delete", "folder/a")
        assert raw.children(TREE + "/folder") == ["%zz"]
        assert raw.delete(TREE + "/folder/%zz") == 0
        store.ok("put", "folder/b", "v")
        store.ok("delete", "folder/b")
        assert raw.children(TREE) == []
        assert raw.create("/other") == 0
        assert raw.create("/other/clock", b"of another program") == 0
        with zookeeper(servers.settings, ("path", "/other"), opened=False) as other:
            assert "/other/clock" in other.fails("INVALID", "open")
        # Whose clock is gone says so, and makes no new one.
        assert raw.delete("/bawn/clock") == 0
        assert "/bawn/clock" in store.fails("CORRUPT", "get", "folder/a")
        store.fails("CORRUPT", "put", "folder/a", "v")


def test_a_path_keeps_storages_apart():
    with Zookeeper() as servers, Raw(servers.endpoint(1)) as raw:
        with zookeeper(servers.settings, ("path", "deep/in/the/tree/")) as one, zookeeper(servers.settings, ("path", "/deep/in")) as two:
            one.ok("put", "k", "one")
            two.ok("put", "k", "two")
            assert one.ok("get", "k").endswith(" one") and two.ok("get", "k").endswith(" two")
            assert raw.children("/deep/in") == ["clock", "the", "tree"]
            assert raw.get("/deep/in/tree/_k") == b"two"


def test_limits_are_kept_before_anything_is_sent():
    with Zookeeper() as servers, zookeeper(servers.settings) as store:
        size = int(store.ok("limits").split()[0])
        store.ok("fill", "a", size)
        store.fails("TOO_LARGE", "fill", "a", size + 1)
        # Few bytes by themselves, but the folders do not fit.
        deep = "/".join("d" for _ in range(500))
        keys = ["%s/%d" % (deep, i) for i in range(3)]
        for key in keys:
            store.ok("put", key, "v")
        # A server that was not told of it closes the connection; we know nothing then, and go on.
        with zookeeper(servers.settings, ("jute-maxbuffer", "4M"), ("request-timeout", "5s")) as larger:
            larger.fails("UNKNOWN_OUTCOME", "fill", "b", 2000000)
            assert larger.ok("get", "b") == "absent"
            larger.ok("put", "b", "v")


class WideZookeeper(Zookeeper):
    """One that takes more than it does by default."""

    def command(self, node):
        argv = super().command(node)
        return argv[:1] + ["-Djute.maxbuffer=%d" % (8 << 20)] + argv[1:]


def test_a_server_that_takes_more_is_used_to_its_limits():
    with WideZookeeper() as servers, zookeeper(servers.settings, ("jute-maxbuffer", "4M")) as store:
        size = int(store.ok("limits").split()[0])
        assert size > 3000000, size
        store.ok("fill", "a", size)
        store.fails("TOO_LARGE", "fill", "a", size + 1)


def test_a_hundred_thousand_names_are_listed():
    with Zookeeper() as servers, zookeeper(servers.settings) as store:
        store.ok("many", "folder", 100000)
        assert store.ok("list", "folder/") == "100000 0000000 0099999"
        # What was kept for the next page is not taken for what is there now.
        store.ok("put", "folder/0000000x", "v")
        store.ok("delete", "folder/0099999")
        assert store.ok("list", "folder/") == "100000 0000000 0099998"
        assert store.ok("list", ".") == "1 folder/ folder/"


def test_only_who_made_a_node_may_see_it():
    with Zookeeper() as servers, contextlib.ExitStack() as stack:
        folder = Folder("auth")
        stack.callback(folder.remove)
        path = os.path.join(folder.path, "auth")
        with open(path, "w") as f:
            f.write("digest:bawn:right\n")
        owner = stack.enter_context(zookeeper(servers.settings, ("znode-owner", "auth:"), ("auth-info-file", path)))
        owner.ok("put", "a", "v")
        owner.ok("put", "b/c", "v")
        for more in ((), (("auth-info", "digest:bawn:wrong"),)):
            with zookeeper(servers.settings, *more, opened=False) as stranger:
                answer = stranger.fails("INVALID", "open")
                assert "ACL" in answer and "wrong" not in answer, answer
        with Raw(servers.endpoint(1)) as raw:
            assert raw.get(TREE + "/_a") is None
        servers.restart(1)
        assert owner.ok("get", "a").endswith(" v")
        owner.ok("delete", "b/c")
        # The hash of bawn:right, as `znode-owner` of Vault has it.
        hashed = "digest:bawn:" + digest("bawn:right")
        with zookeeper(servers.settings, ("path", "/hashed"), ("znode-owner", hashed), ("auth-info", "digest:bawn:right")) as other:
            other.ok("put", "a", "v")
            assert other.ok("get", "a").endswith(" v")
            with Raw(servers.endpoint(1)) as raw:
                assert raw.get("/hashed/tree/_a") is None


def digest(pair):
    import base64
    import hashlib
    return base64.b64encode(hashlib.sha1(pair.encode()).digest()).decode()


def without(settings, *names):
    return [s for s in settings if s[0] not in names]


def test_tls_trusts_whom_it_is_told_to():
    with Zookeeper(tls=True) as servers, contextlib.ExitStack() as stack:
        folder = Folder("papers")
        stack.callback(folder.remove)
        papers = Certificates(folder.path, ["127.0.0.1"])
        base = without(servers.settings, "tls-enabled") + [("tls-enabled", "true"), ("request-timeout", "1s")]
        with zookeeper(base) as store:
            store.at_last("put", "a", "v")
        refused = (
            without(base, "tls-ca-file") + [("tls-ca-file", papers.ca)],
            base + [("tls-server-name", "elsewhere.example")],
            without(base, "tls-cert-file", "tls-key-file"),
            without(base, "tls-cert-file", "tls-key-file") + [("tls-cert-file", papers.client), ("tls-key-file", papers.client_key)],
            without(base, "tls-enabled", "tls-ca-file", "tls-cert-file", "tls-key-file"),
        )
        for settings in refused:
            with zookeeper(settings, opened=False) as store:
                store.fails("UPSTREAM", "open")
        taken = (base + [("tls-server-name", "localhost")], without(base, "tls-ca-file") + [("tls-skip-verify", "true")])
        for settings in taken:
            with zookeeper(settings) as store:
                assert store.at_last("get", "a").endswith(" v")
        # Debian's server speaks 1.2 only.
        with zookeeper(base, ("tls-min-version", "tls13"), opened=False) as store:
            assert "tls-min-version" in store.fails("UPSTREAM", "open")
        with zookeeper(without(base, "tls-ca-file") + [("tls-ca-file", "/nonexistent")], opened=False) as store:
            assert "/nonexistent" in store.fails("INVALID", "open")


try:
    Zookeeper.check_installed()
except NotInstalled as e:
    print("1..0 # SKIP %s" % e)
    sys.exit(0)
run_all(globals())
