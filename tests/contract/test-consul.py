#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Consul does to the storage that is kept in it: seen through storage-driver, provoked at a real server."""

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
from bawn_servers import PATIENCE, Consul, Folder, Network, NotInstalled, wait_for  # noqa: E402


def Driver(settings, opened=True):
    return driver.Driver("consul", settings, opened)


class WideConsul(Consul):
    """One that takes more than it does by default."""
    common = Consul.common.replace("limits {", "limits { kv_max_value_size = 2000000 txn_max_req_len = 4000000")


class NarrowConsul(Consul):
    """One that takes less."""
    common = Consul.common.replace("limits {", "limits { kv_max_value_size = 10000 txn_max_req_len = 10000")


def admin(servers, path, fields):
    return servers.put(1, path, json.dumps(fields), servers.manager)


class RuledConsul(Consul):
    """One that asks for tokens; the manager's is kept."""

    def __init__(self):
        super().__init__(auth=True)

    def put(self, node, path, body="", token=None):
        answer = super().put(node, path, body, token)
        if path == "/v1/acl/bootstrap":
            self.manager = answer["SecretID"]
        return answer

    def token(self, name, rules):
        policy = admin(self, "/v1/acl/policy", {"Name": name, "Rules": rules})
        token = admin(self, "/v1/acl/token", {"Policies": [{"Name": name}]})
        return token["SecretID"], token["AccessorID"], policy["ID"]

    def anonymous(self):
        return [s for s in self.settings if s[0] != "token"]


def test_a_token_that_may_not_write_is_refused_at_the_start():
    with RuledConsul() as servers:
        reader, _, _ = servers.token("reader", 'key_prefix "bawn/" { policy = "read" }')
        stranger, _, _ = servers.token("stranger", 'key_prefix "other/" { policy = "write" }')
        pedant, _, _ = servers.token("pedant", 'key "bawn/" { policy = "write" }')
        writer, _, _ = servers.token("writer", 'key_prefix "bawn/" { policy = "write" }')
        base = servers.anonymous()
        for settings in (base, base + [("token", reader)], base + [("token", stranger)], base + [("token", pedant)]):
            with Driver(settings, opened=False) as storage:
                answer = storage.fails("INVALID", "open")
                assert 'key_prefix "bawn/"' in answer and "Permission denied" in answer, answer
        with Driver(base + [("token", "11111111-2222-3333-4444-555555555555")], opened=False) as storage:
            answer = storage.fails("INVALID", "open")
            assert "ACL not found" in answer and "11111111" not in answer, answer
        with Driver(base + [("token", writer)]) as storage:
            storage.ok("put", "a", "v")
            status, body = servers.call(1, "GET", "/v1/kv/bawn/?keys", headers={"X-Consul-Token": servers.manager})
            assert json.loads(body) == ["bawn/a"], "the question whether it may write has left something: %s" % body


def test_what_a_token_may_not_see_is_not_missing():
    with RuledConsul() as servers:
        token, _, policy = servers.token("shrinking", 'key_prefix "bawn/" { policy = "write" }')
        with Driver(servers.anonymous() + [("token", token)]) as storage:
            storage.ok("put", "folder/a", "v")
            assert storage.ok("list", "folder/") == "1 a a"
            admin(servers, "/v1/acl/policy/" + policy,
                  {"ID": policy, "Name": "shrinking",
                   "Rules": 'key_prefix "bawn/" { policy = "write" } key_prefix "bawn/folder/" { policy = "deny" }'})
            answer = storage.fails("UPSTREAM", "list", "folder/")
            assert "Permission denied" in answer, answer
            storage.fails("UPSTREAM", "get", "folder/a")
            storage.fails("UPSTREAM", "put", "folder/a", "w")
            storage.fails("UPSTREAM", "put", "folder/a", "w", "folder/a@1")
            storage.ok("put", "elsewhere", "v")


def test_a_new_token_is_found_in_its_file():
    with RuledConsul() as servers, contextlib.ExitStack() as stack:
        rules = 'key_prefix "bawn/" { policy = "write" }'
        first, accessor, _ = servers.token("first", rules)
        second, _, _ = servers.token("second", rules)
        folder = Folder("token")
        stack.callback(folder.remove)
        path = os.path.join(folder.path, "token")
        with open(path, "w") as f:
            f.write(first + "\n")
        storage = stack.enter_context(Driver(servers.anonymous() + [("token-file", path)]))
        storage.ok("put", "a", "v")
        with open(path + ".new", "w") as f:
            f.write(second + "\n")
        os.rename(path + ".new", path)
        status, _ = servers.call(1, "DELETE", "/v1/acl/token/" + accessor, headers={"X-Consul-Token": servers.manager})
        assert status == 200
        storage.ok("put", "a", "w")
        assert storage.ok("get", "a").endswith(" w")


def test_a_server_that_takes_more_is_used_to_its_limits():
    with WideConsul() as servers:
        with Driver(servers.settings) as storage:
            size = int(storage.ok("limits").split()[0])
            storage.fails("TOO_LARGE", "fill", "a", size + 1)
        with Driver(servers.settings + [("max-value-size", "1500K"), ("max-txn-size", "3M"), ("max-txn-ops", "64")]) as storage:
            size = int(storage.ok("limits").split()[0])
            assert size == 1500 * 1024, size
            storage.ok("fill", "a", size)
            storage.fails("TOO_LARGE", "fill", "a", size + 1)


def test_a_server_that_takes_less_says_so():
    with NarrowConsul() as servers, Driver(servers.settings) as storage:
        answer = storage.fails("TOO_LARGE", "fill", "a", 100000)
        assert "max-txn-size" in answer and "txn_max_req_len" in answer, answer
        assert storage.ok("get", "a") == "absent"


def test_a_lost_answer_is_an_unknown_outcome():
    with Consul() as servers, driver.proxied(servers) as (front, proxy), \
            Driver(servers.settings_for([front]) + [("request-timeout", "2s")]) as storage:
        storage.at_last("put", "a", "before")
        for mode, is_in in (("cut", True), ("drop", False)):
            proxy.set("way", mode)
            storage.fails("UNKNOWN_OUTCOME", "put", "a", mode)
            storage.fails("UPSTREAM", "get", "a")
            storage.fails("UPSTREAM", "list", ".")
            storage.fails("UPSTREAM", "wait", "a", 0, 1000)
            proxy.set("way", "pass")
            value = storage.at_last("get", "a").split()[1]
            assert value == (mode if is_in else "cut"), value
        proxy.set("way", "refuse")
        # The connection that was kept may not be known to be dead; after this there is none.
        storage.fails("UPSTREAM", "get", "a")
        storage.fails("UPSTREAM", "put", "a", "refused")
        proxy.set("way", "pass")
        # What is held arrives when the network is back, long after it was given up.
        version = storage.at_last("put", "a", "held-before")
        proxy.set("way", "hold")
        storage.fails("UNKNOWN_OUTCOME", "put", "a", "late", "a@" + version)
        proxy.set("way", "pass")
        wait_for("the held commit", lambda: storage.ask("get", "a").endswith(" late"))


def patient(servers):
    return Driver(servers.settings + [("request-timeout", "5s")])


def test_no_step_is_lost_nor_done_twice_while_the_server_restarts():
    with Consul() as servers, patient(servers) as storage:
        driver.count_while_the_server_restarts(servers, storage, 5000)


def test_no_step_is_lost_nor_done_twice_while_leaders_go():
    with Consul(nodes=3) as servers, patient(servers) as storage:
        def leader():
            def find():
                status, body = servers.call(next(n for n in servers.nodes if n in servers.processes), "GET", "/v1/status/leader")
                return status == 200 and body != b'""' and int(json.loads(body).split(":")[0].rsplit(".", 1)[1])
            return wait_for("a leader", find)

        driver.count_while_leaders_go(servers, storage, lambda: patient(servers), leader, 300)


def test_a_cluster_without_a_majority_is_upstream_and_nothing_is_done():
    with Consul(nodes=3) as servers:
        with Driver(servers.settings_for([servers.endpoint(1)]) + [("request-timeout", "15s")]) as storage:
            storage.ok("put", "a", "before")
            servers.kill(2)
            servers.kill(3)

            def no_leader():
                answer = storage.ask("put", "a", "nobody")
                assert answer.startswith("fail "), answer
                return "No cluster leader" in answer and answer.startswith("fail UPSTREAM")

            wait_for("the leader to step down", no_leader)
            storage.fails("UPSTREAM", "get", "a")
            storage.fails("UPSTREAM", "wait", "a", 1, 1000)


def test_waiting_ends_when_the_server_does():
    with Consul() as servers, Driver(servers.settings + [("request-timeout", "2s"), ("connect-timeout", "1s")]) as storage:
        version = storage.at_last("put", "a", "v")
        storage.spawn("wait", "wait", "a", version, 600000)
        storage.spawn("absent", "wait", "b", 0, 600000)
        wait_for("the waits to begin", lambda: servers_wait(servers) >= 2)
        servers.kill(1)
        for name in ("wait", "absent"):
            assert storage.collect(name).startswith(("fail UPSTREAM", "ok")), name
        servers.start(1)
        # An index from before a restore is none to wait for.
        assert storage.at_last("wait", "a", 99999999, 300) == ""


def servers_wait(servers):
    """How many connections are open to the server."""
    host, port = servers.endpoint(1)
    place = "%08X:%04X" % (int.from_bytes(bytes(int(x) for x in host.split(".")), "little"), port)
    with open("/proc/net/tcp") as f:
        return sum(1 for line in f if line.split()[1] == place and line.split()[3] == "01")


def test_a_hundred_thousand_names_are_listed():
    with Consul() as servers, Driver(servers.settings) as storage:
        storage.ok("many", "folder", 100000)
        assert storage.ok("list", "folder/") == "100000 0000000 0099999"
        assert storage.ok("list", ".") == "1 folder/ folder/"


def test_what_others_keep_beside_it_does_no_harm():
    with Consul() as servers, Driver(servers.settings + [("path", "/shared/bawn")]) as storage:
        for key in ("shared/other", "shared/bawn", "shared/bawn/%zz", "shared/bawn/a%41", "shared/bawnx/y", "shared/bawn/%25"):
            quoted = key.replace("%", "%25")
            assert servers.put(1, "/v1/kv/" + quoted, "x") is True
        storage.ok("put", "own", "v")
        storage.ok("delete", "own")
        storage.ok("put", "last", "v")
        assert storage.ok("list", ".") == "2 % last"


class Slow(http.server.BaseHTTPRequestHandler):
    """Somebody who says what Consul says, and counts how many ask at a time."""
    protocol_version = "HTTP/1.1"
    lock = threading.Condition()
    now = most = waits = 0
    wanted = 2

    def answer(self):
        cls = type(self)
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        if "index=" in self.path:
            with cls.lock:
                cls.waits += 1
                cls.lock.notify_all()
                cls.lock.wait_for(lambda: cls.waits < 0, PATIENCE)
        else:
            with cls.lock:
                cls.now += 1
                cls.most = max(cls.most, cls.now)
                cls.lock.notify_all()
                # Until as many are there as may be, so that all those that may come together do.
                cls.lock.wait_for(lambda: cls.most >= cls.wanted, 10 if length == 0 else 0)
                cls.now -= 1
        body = b'{"Results":null,"Errors":[{"OpIndex":1,"What":"key exists"}]}' if length else b""
        self.send_response(409 if length else 404)
        self.send_header("X-Consul-Index", "7")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = answer

    def log_message(self, *_):
        pass


def test_max_parallel_is_honoured_and_waits_are_not_counted():
    network = Network()
    server = http.server.ThreadingHTTPServer((network.address(1), 8500), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Driver([("address", "http://%s:8500" % network.address(1)), ("max-parallel", "2")]) as storage:
            for i in range(6):
                storage.spawn("w%d" % i, "wait", "k", 5, 60000)
            with Slow.lock:
                assert Slow.lock.wait_for(lambda: Slow.waits == 6, PATIENCE), Slow.waits
            for i in range(10):
                storage.spawn("g%d" % i, "get", "k")
            for i in range(10):
                assert storage.collect("g%d" % i) == "ok absent"
            assert Slow.most == 2, Slow.most
            with Slow.lock:
                Slow.waits = -1
                Slow.lock.notify_all()
            for i in range(6):
                assert storage.collect("w%d" % i).startswith("ok")
    finally:
        server.shutdown()
        server.server_close()
        network.release()


def test_who_is_not_consul_does_not_say_that_a_key_is_absent():
    class Stranger(Slow):
        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            body = b'{"Results":null,"Errors":[{"OpIndex":1,"What":"key exists"}]}' if length else b"404 page not found"
            self.send_response(409 if length else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = answer

    network = Network()
    server = http.server.ThreadingHTTPServer((network.address(1), 8500), Stranger)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Driver([("address", "http://%s:8500" % network.address(1))]) as storage:
            storage.fails("UPSTREAM", "get", "k")
            storage.fails("UPSTREAM", "list", ".")
            storage.fails("UPSTREAM", "wait", "k", 0, 1000)
    finally:
        server.shutdown()
        server.server_close()
        network.release()


try:
    Consul.check_installed()
except NotInstalled as e:
    print("1..0 # SKIP %s" % e)
    sys.exit(0)
run_all(globals())
