#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What etcd does to the storage that is kept in it: seen through storage-driver, provoked at a real server.

BAWN_TEST_ETCD_NAMES: how many names the long listings have, 20000 by default.
"""

import base64
import contextlib
import http.server
import json
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../api"), os.path.join(HERE, "../cluster"), os.path.join(HERE, "../servers")]

import driver  # noqa: E402
from bawn_server import run_all  # noqa: E402
from bawn_servers import Etcd, Folder, Network, NotInstalled, wait_for  # noqa: E402

NAMES = int(os.environ.get("BAWN_TEST_ETCD_NAMES", "20000"))
# So that a test of what takes too long does not.
HASTE = [("request-timeout", "2s"), ("connect-timeout", "500ms")]


def Driver(settings, opened=True):
    return driver.Driver("etcd", settings, opened)


def b64(text):
    return base64.b64encode(text.encode()).decode()


def put(servers, key, value="x", node=1):
    servers.post(node, "kv/put", {"key": b64(key), "value": b64(value)})


class Spoiler:
    def __init__(self, proxy):
        self.proxy = proxy

    def __call__(self, mode):
        self.proxy.set("way", mode)

    def held(self):
        return self.proxy.counts("way")["held"]


@contextlib.contextmanager
def proxied(servers):
    """A way to the first server that can be spoilt: its settings, and how to spoil it."""
    with driver.proxied(servers) as (front, proxy):
        yield servers.settings_for([front]), Spoiler(proxy)


class OwnEtcd(Etcd):
    """One with options of its own."""

    options = []

    def command(self, node):
        return super().command(node) + self.options


class SmallEtcd(OwnEtcd):
    options = ["--quota-backend-bytes", str(4 << 20)]


class NarrowEtcd(OwnEtcd):
    options = ["--max-txn-ops", "10", "--max-request-bytes", "100000"]


class WideEtcd(OwnEtcd):
    options = ["--max-txn-ops", "1000", "--max-request-bytes", str(4 << 20)]


class RuledEtcd(Etcd):
    """One with users; ours has a right to bawn/ only."""

    def __init__(self, nodes=1):
        super().__init__(nodes=nodes, auth=True)

    def set_up(self):
        perm = {"permType": "READWRITE", "key": b64("bawn/"), "range_end": b64("bawn0")}
        for path, fields in (("auth/user/add", {"name": "root", "password": "root-pw"}), ("auth/role/add", {"name": "root"}),
                             ("auth/user/grant", {"user": "root", "role": "root"}),
                             ("auth/user/add", {"name": "bawn", "password": "bawn-pw"}), ("auth/role/add", {"name": "bawn"}),
                             ("auth/role/grant", {"name": "bawn", "perm": perm}),
                             ("auth/user/grant", {"user": "bawn", "role": "bawn"}), ("auth/enable", {})):
            self.post(1, path, fields)
        self.credentials = [("username", "bawn"), ("password", "bawn-pw")]

    def manage(self, path, fields):
        return self.post(1, path, fields, self.token(1))

    def forget_tokens(self):
        self.manage("auth/disable", {})
        self.post(1, "auth/enable", {})


def test_a_lost_answer_is_an_unknown_outcome():
    with Etcd() as servers, proxied(servers) as (settings, spoil), Driver(settings + HASTE) as storage:
        storage.at_last("put", "a", "before")
        for mode, is_in in (("cut", True), ("drop", False)):
            spoil(mode)
            storage.fails("UNKNOWN_OUTCOME", "put", "a", mode)
            storage.fails("UPSTREAM", "get", "a")
            storage.fails("UPSTREAM", "list", ".")
            storage.fails("UPSTREAM", "wait", "a", 0, 1000)
            spoil("pass")
            value = storage.at_last("get", "a").split()[1]
            assert value == (mode if is_in else "cut"), value
        # Who cannot connect has sent nothing.
        spoil("refuse")
        with Driver(settings + HASTE) as newcomer:
            newcomer.fails("UPSTREAM", "put", "a", "refused")
        spoil("pass")
        assert storage.at_last("get", "a").endswith(" cut")


def test_a_late_commit_of_somebody_deposed_is_refused():
    with Etcd() as servers, proxied(servers) as (settings, spoil):
        with Driver(settings + [("request-timeout", "1m")]) as old, Driver(servers.settings) as new:
            version = old.ok("put", "fence", "old")
            # It is on its way while another one takes over, and arrives when the network is back.
            spoil("hold")
            old.spawn("late", "put", "fence", "stale", "fence@" + version)
            wait_for("the request to be on its way", lambda: spoil.held() > 0)
            taken = new.ok("put", "fence", "new", "fence@" + version)
            spoil("pass")
            assert old.collect("late").startswith("fail CONFLICT "), old.late
            assert new.ok("get", "fence") == taken + " new"


def patient(servers):
    return Driver(servers.settings + [("request-timeout", "5s")])


def test_no_step_is_lost_nor_done_twice_while_the_server_restarts():
    with Etcd() as servers, patient(servers) as storage:
        driver.count_while_the_server_restarts(servers, storage, 3000)


def leader_of(servers, node):
    status = servers.post(node, "maintenance/status", {})
    members = servers.post(node, "cluster/member/list", {})["members"]
    return next(int(m["name"][1:]) for m in members if m["ID"] == status["leader"])


def test_no_step_is_lost_nor_done_twice_while_leaders_go():
    with Etcd(nodes=3) as servers, patient(servers) as storage:
        driver.count_while_leaders_go(servers, storage, lambda: patient(servers), lambda: leader_of(servers, 1), 300)


def test_a_cluster_without_a_majority_does_nothing_that_it_denies():
    with Etcd(nodes=3) as servers:
        with Driver(servers.settings_for([servers.endpoint(1)]) + HASTE) as storage:
            version = storage.at_last("put", "a", "before")
            servers.kill(2)
            servers.kill(3)
            # It was proposed to nobody, or to members who will yet hear of it.
            storage.fails("UNKNOWN_OUTCOME", "put", "a", "after", "a@" + version)
            storage.fails("UPSTREAM", "get", "a")
            storage.fails("UPSTREAM", "list", ".")
            storage.fails("UPSTREAM", "wait", "a", 1, 1000)
            servers.start()
            assert wait_for("the majority", lambda: storage.ask("get", "a").startswith("ok"))


def test_waiting_goes_on_at_another_member():
    with Etcd(nodes=3) as servers, Driver(servers.settings + HASTE) as storage, Driver(servers.settings) as other:
        version = storage.at_last("put", "a", "v")
        storage.spawn("wait", "wait", "a", version, 600000)
        wait_for("the watch to begin", lambda: connections(servers, 1) >= 2)
        servers.kill(1)
        wait_for("the watch to begin again", lambda: sum(connections(servers, i) for i in (2, 3)) >= 1)
        assert "wait" not in storage.late, storage.late
        wait_for("a write", lambda: other.ask("put", "a", "w").startswith("ok"))
        assert storage.collect("wait").startswith("ok")


def connections(servers, node):
    """How many are open to a server, but from other members."""
    host, port = servers.endpoint(node)
    place = "%08X:%04X" % (int.from_bytes(bytes(int(x) for x in host.split(".")), "little"), port)
    own = "%08X" % int.from_bytes(bytes(int(x) for x in host.split(".")), "little")
    with open("/proc/net/tcp") as f:
        rows = [line.split() for line in f]
    return sum(1 for row in rows if row[1] == place and row[3] == "01" and not row[2].startswith(own))


def test_waiting_ends_when_the_server_does():
    with Etcd() as servers, Driver(servers.settings + HASTE) as storage:
        version = storage.at_last("put", "a", "v")
        storage.spawn("wait", "wait", "a", version, 600000)
        storage.spawn("absent", "wait", "b", 0, 600000)
        wait_for("the waits to begin", lambda: connections(servers, 1) >= 3)
        servers.kill(1)
        for name in ("wait", "absent"):
            assert storage.collect(name).startswith("fail UPSTREAM"), name
        servers.start(1)
        # A revision from before a restore is none to wait for.
        assert storage.at_last("wait", "a", 99999999, 300) == ""
        # And history that was compacted is not needed.
        for i in range(20):
            storage.at_last("put", "b", i)
        revision = servers.post(1, "kv/range", {"key": b64("bawn/b")})["header"]["revision"]
        servers.post(1, "kv/compaction", {"revision": revision, "physical": True})
        assert storage.at_last("wait", "a", version, 300) == ""
        storage.spawn("wait", "wait", "a", version, 600000)
        storage.at_last("put", "a", "w")
        assert storage.collect("wait").startswith("ok")


def test_a_watch_stays_open_for_the_next_wait():
    with Etcd() as servers, Driver(servers.settings) as storage:
        version = storage.ok("put", "a", "0")
        for i in range(1, 30):
            assert storage.ok("wait", "a", version, 20) == ""
            storage.spawn("wait", "wait", "a", version, 600000)
            version = storage.ok("put", "a", i)
            assert storage.collect("wait").startswith("ok")
            # Waiting with what was seen before comes back at once.
            assert storage.ok("wait", "a", int(version) - 1, 600000) == ""
        storage.spawn("wait", "wait", "a", version, 600000)
        storage.ok("delete", "a")
        assert storage.collect("wait").startswith("ok")
        assert storage.ok("wait", "a", version, 600000) == ""
        storage.spawn("wait", "wait", "a", 0, 600000)
        storage.ok("put", "a", "again")
        assert storage.collect("wait").startswith("ok")
        assert connections(servers, 1) < 8, connections(servers, 1)


def test_a_new_token_comes_when_the_old_one_is_gone():
    with RuledEtcd() as servers, Driver(servers.settings) as storage:
        version = storage.ok("put", "a", "v")
        for _ in range(2):
            servers.restart(1)
            version = storage.ok("put", "a", "v", "a@" + version)
        servers.restart(1)
        assert storage.ok("wait", "a", version, 50) == ""
        storage.spawn("wait", "wait", "a", version, 600000)
        servers.restart(1)
        version = storage.ok("put", "a", "u")
        storage.collect("wait")
        assert storage.ok("list", ".") == "1 a a"
        # Whoever changes what users may do makes every token too old.
        servers.manage("auth/role/add", {"name": "another"})
        version = storage.ok("put", "a", "w", "a@" + version)
        servers.forget_tokens()
        version = storage.ok("put", "a", "x", "a@" + version)
        servers.forget_tokens()
        assert storage.ok("wait", "a", version, 50) == ""


def test_a_password_may_be_changed_in_its_file():
    with RuledEtcd() as servers, contextlib.ExitStack() as stack:
        folder = Folder("password")
        stack.callback(folder.remove)
        path = os.path.join(folder.path, "password")
        base = [s for s in servers.settings if s[0] != "password"] + [("password-file", path)]

        def write(text):
            with open(path + ".new", "w") as f:
                f.write(text)
            os.rename(path + ".new", path)

        def refused(answer):
            assert "does not let bawn in" in answer and "wrong" not in answer, answer

        write("wrong\n")
        storage = stack.enter_context(Driver(base, opened=False))
        refused(storage.fails("INVALID", "open"))
        write("bawn-pw\n")
        storage.ok("open")
        storage.ok("put", "a", "v")
        write("wrong\n")
        servers.forget_tokens()
        refused(storage.fails("UPSTREAM", "get", "a"))
        servers.manage("auth/user/changepw", {"name": "bawn", "password": "new-pw"})
        write("new-pw")
        storage.ok("put", "a", "w")
        assert storage.ok("get", "a").endswith(" w")
        os.unlink(path)
        servers.forget_tokens()
        assert path in storage.fails("UPSTREAM", "get", "a")


def test_rights_that_are_missing_are_named():
    with RuledEtcd() as servers:
        nobody = [s for s in servers.settings if s[0] not in ("username", "password")]
        with Driver(nobody, opened=False) as storage:
            answer = storage.fails("INVALID", "open")
            assert "username is not set" in answer, answer
        with Driver(servers.settings + [("path", "elsewhere")], opened=False) as storage:
            answer = storage.fails("INVALID", "open")
            assert "permission denied" in answer, answer
        # Rights that are lost later come back, it is to be hoped.
        with Driver(servers.settings) as storage:
            servers.manage("auth/user/revoke", {"name": "bawn", "role": "bawn"})
            for words in (("get", "a"), ("put", "a", "v"), ("list", "."), ("wait", "a", 0, 1000)):
                answer = storage.fails("UPSTREAM", *words)
                assert "permission denied" in answer, answer
            servers.manage("auth/user/grant", {"user": "bawn", "role": "bawn"})
        # A right to the prefix is all that is needed.
        with Driver(servers.settings) as storage:
            version = storage.ok("put", "a", "v")
            storage.ok("delete", "a", "a@" + version)
            storage.ok("delete", "a")
            assert storage.ok("list", ".") == "0 - -"
            assert storage.ok("wait", "a", 0, 50) == ""


def test_a_full_storage_says_so_and_nothing_is_unknown():
    with SmallEtcd() as servers, Driver(servers.settings) as storage:
        storage.ok("put", "a", "v")

        def is_full():
            answer = storage.ask("fill", "b", 900000)
            assert answer.startswith(("ok", "fail UPSTREAM ")), answer
            return answer.startswith("fail") and answer

        assert "database space exceeded" in wait_for("the storage to be full", is_full)
        assert storage.ok("get", "a").endswith(" v")
        storage.fails("UPSTREAM", "put", "a", "w")
        assert storage.ok("get", "a").endswith(" v")


def test_a_server_that_takes_more_is_used_to_its_limits():
    with WideEtcd() as servers:
        with Driver(servers.settings) as storage:
            size, ops, _ = (int(x) for x in storage.ok("limits").split())
            assert size > 1 << 20 and ops > 100, (size, ops)
            storage.fails("TOO_LARGE", "fill", "a", size + 1)
        with Driver(servers.settings + [("max-request-size", "4M"), ("max-txn-ops", "1000")]) as storage:
            size, ops, _ = (int(x) for x in storage.ok("limits").split())
            assert size > 2 << 20 and ops == 999, (size, ops)
            storage.ok("fill", "a", size)
            storage.ok("many", "folder", 999)
            storage.fails("TOO_LARGE", "fill", "a", size + 1)


def test_a_server_that_takes_less_says_so():
    with NarrowEtcd() as servers, Driver(servers.settings) as storage:
        answer = storage.fails("UPSTREAM", "fill", "a", 500000)
        assert "too large" in answer, answer
        answer = storage.fails("UPSTREAM", "many", "folder", 20)
        assert "too many operations" in answer, answer
        assert storage.ok("get", "a") == "absent"
        with Driver(servers.settings + [("max-txn-ops", "10")]) as other:
            other.ok("many", "folder", 20)
            assert other.ok("list", "folder/").startswith("20 ")


def test_many_names_are_listed():
    with Etcd() as servers, Driver(servers.settings) as storage:
        storage.ok("many", "folder", NAMES)
        assert storage.ok("list", "folder/") == "%d 0000000 %07d" % (NAMES, NAMES - 1)
        # Folders of which some hold much, between keys.
        names = ["f%02d" % i for i in range(40)]
        for i, name in enumerate(names):
            storage.ok("many", "tree/" + name, NAMES // 20 if i % 8 == 0 else 3)
            storage.ok("put", "tree/%s+" % name, "v")
        assert storage.ok("list", "tree/") == "80 f00+ f39/"
        assert storage.ok("list", "tree/f08/").startswith("%d " % (NAMES // 20))
        # Names that share long beginnings, and some that share none.
        for name in ("a" * 300, "a" * 299 + "b", "a" * 150, "z", "\u00e4\u00f6", "zz"):
            storage.ok("many", "odd/" + name, 3)
        storage.ok("many", "odd/m", NAMES // 2)
        assert storage.ok("list", "odd/") == "7 %s/ \u00e4\u00f6/" % ("a" * 150)
        assert storage.ok("list", ".") == "3 folder/ tree/"


def test_what_others_keep_beside_it_does_no_harm():
    with Etcd() as servers, Driver(servers.settings + [("path", "/shared/bawn")]) as storage:
        for key in ("/shared/other", "/shared/bawn", "/shared/bawn/", "/shared/bawn//x", "/shared/bawn/a\0b", "/shared/bawn0",
                    "/shared/bawn/z\0/c", "zzz"):
            put(servers, key)
        key = base64.b64encode(b"/shared/bawn/\xff\xfe").decode()
        servers.post(1, "kv/put", {"key": key, "value": ""})
        storage.ok("put", "own", "v")
        storage.ok("delete", "own")
        storage.ok("put", "last", "v")
        assert storage.ok("list", ".") == "1 last last"
        found = servers.post(1, "kv/range", {"key": b64("/shared/bawn/last")})
        assert found["kvs"][0]["value"] == b64("v"), found


class Careless(http.server.BaseHTTPRequestHandler):
    """A gateway that reads everything but conditions, as one does that does not know their name."""
    protocol_version = "HTTP/1.1"
    commits = 0

    def do_POST(self):
        fields = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        answer = {"header": {"revision": "7"}}
        if self.path == "/v3/kv/txn":
            answer["succeeded"] = True
            answer["responses"] = [{} for _ in fields["success"]]
            type(self).commits += len(fields["success"])
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Stranger(Careless):
    """Who is not etcd at all."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@contextlib.contextmanager
def served(handler):
    network = Network()
    server = http.server.ThreadingHTTPServer((network.address(1), 2379), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield [("address", "http://%s:2379" % network.address(1))]
    finally:
        server.shutdown()
        server.server_close()
        network.release()


def test_a_server_that_heeds_no_conditions_gets_no_commit():
    with served(Careless) as settings, Driver(settings) as storage:
        for _ in range(2):
            answer = storage.fails("UPSTREAM", "put", "a", "v", "a@5")
            assert "does not heed conditions" in answer, answer
        assert Careless.commits == 0


def test_who_is_not_etcd_does_not_say_that_a_key_is_absent():
    with served(Stranger) as settings, Driver(settings + HASTE) as storage:
        storage.fails("UPSTREAM", "get", "k")
        storage.fails("UPSTREAM", "list", ".")
        storage.fails("UPSTREAM", "put", "k", "v")
        storage.fails("UPSTREAM", "wait", "k", 0, 1000)


try:
    Etcd.check_installed()
except NotInstalled as e:
    print("1..0 # SKIP %s" % e)
    sys.exit(0)
run_all(globals())
