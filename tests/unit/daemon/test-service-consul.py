#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The node as a service in Consul: whatever becomes of the agent, it comes to know what the node does now."""

import contextlib
import http.server
import json
import os
import signal
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../..", folder) for folder in ("api", "cluster", "servers")]

from bawn_server import BUILD, run_all  # noqa: E402
from bawn_servers import Consul, Keeper, Network, NotInstalled, wait_for  # noqa: E402
from cluster import Cluster  # noqa: E402
from proxy import Proxy  # noqa: E402
from storages import open_storage  # noqa: E402

PATIENCE = 120
PASSING = {"active": "passing", "standby": "passing", "sealed": "critical", "uninitialized": "critical"}


class Driver:
    def __init__(self, lines, *more):
        argv = [os.path.join(BUILD, "tests/unit/daemon/service-driver"), "[service-registration]"]
        argv += ["%s=%s" % line for line in list(lines) + list(more)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        Keeper.tell("child %d\n" % self.process.pid)
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", answer

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "ok"

    def stop(self):
        self.process.stdin.write("stop\n")
        self.process.stdin.flush()
        assert self.process.wait(PATIENCE) == 0
        Keeper.tell("ended %d\n" % self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            Keeper.tell("ended %d\n" % self.process.pid)


def lines(servers, endpoints=None):
    return [("type", "consul"), ("check-timeout", "2s")] + servers.settings_for(endpoints or servers.endpoints())


def look(servers, service="bawn"):
    """{id: (tags, address, port, state, version)} as the catalogue has it, which is what DNS answers from."""
    token = servers.credentials[0][1] if servers.credentials else None
    status, body = servers.call(1, "GET", "/v1/health/service/" + service, headers={"X-Consul-Token": token} if token else {})
    assert status == 200, (status, body)
    found = {}
    for entry in json.loads(body):
        own = [c for c in entry["Checks"] if c["ServiceID"]]
        s = entry["Service"]
        found[s["ID"]] = (sorted(s["Tags"]), s["Address"], s["Port"], own[0]["Status"] if own else None,
                          (s["Meta"] or {}).get("version"), own[0]["Output"] if own else None)
    return found


def tags(state):
    return sorted((["active"] if state == "active" else ["standby"]) + ([] if state == "uninitialized" else ["initialized"]))


def shows(servers, state, address="127.0.0.9", port=8200, more=(), service="bawn"):
    identity = "%s:%s:%d" % (service, address, port)
    try:
        found = look(servers, service)
    except (OSError, AssertionError, ValueError):
        return False
    return list(found) == [identity] and found[identity][:5] == (sorted(tags(state) + list(more)), address, port,
                                                                 PASSING[state], "1.2.3")


def see(servers, state, **more):
    try:
        wait_for(state, lambda: shows(servers, state, **more), patience=60)
    except AssertionError:
        raise AssertionError("%s is not shown but %s" % (state, look(servers))) from None


def test_each_state_is_shown():
    with Consul() as servers, Driver(lines(servers), ("service-tags", "blue,Green,blue")) as driver:
        see(servers, "uninitialized", more=("blue", "green"))
        for state in ("sealed", "standby", "active", "standby", "active", "sealed", "active"):
            driver.ask("state " + state)
            see(servers, state, more=("blue", "green"))
        assert "unsealed" in list(look(servers).values())[0][5]
        driver.stop()
        wait_for("the service to be gone", lambda: look(servers) == {})


def test_it_is_shown_over_tls_with_a_token():
    with Consul(tls=True, auth=True) as servers, Driver(lines(servers), ("service", "vault")) as driver:
        driver.ask("state active")
        see(servers, "active", service="vault")
        driver.stop()
        wait_for("the service to be gone", lambda: look(servers, "vault") == {})


def test_of_many_changes_the_last_one_stays():
    with Consul() as servers, Driver(lines(servers)) as driver:
        for state in ("active", "sealed", "standby"):
            driver.ask("stir %s 500" % state)
            see(servers, state)


def test_an_agent_that_was_away_learns_what_has_become_of_the_node():
    with Consul() as servers, Driver(lines(servers)) as driver:
        driver.ask("state active")
        see(servers, "active")
        servers.kill(1)
        driver.ask("state sealed")
        driver.ask("state standby")
        servers.start(1)
        see(servers, "standby")


def test_an_agent_that_hangs_learns_it_too():
    with Consul() as servers, Driver(lines(servers), ("request-timeout", "1s")) as driver:
        driver.ask("state active")
        see(servers, "active")
        servers.pause(1)
        driver.ask("state sealed")
        driver.ask("state standby")
        servers.resume(1)
        see(servers, "standby")


def agent_knows(servers):
    """Of the active node, in the agent's own memory, which is changed before a call returns."""
    status, body = servers.call(1, "GET", "/v1/agent/service/bawn:127.0.0.9:8200")
    service = json.loads(body) if status == 200 else {"Tags": []}
    check = json.loads(servers.call(1, "GET", "/v1/agent/checks")[1]).get("bawn:127.0.0.9:8200:bawn-sealed-check", {})
    return sorted(service["Tags"]) == tags("active") and check.get("Status") == "passing"


def test_an_agent_that_has_forgotten_is_told_again():
    wrong = {"ID": "bawn:127.0.0.9:8200", "Name": "bawn", "Address": "127.0.0.9", "Port": 8200, "Tags": ["standby"]}
    with Consul() as servers, Driver(lines(servers)) as driver:
        driver.ask("state active")
        see(servers, "active")
        for path, body in (("service/deregister/bawn:127.0.0.9:8200", ""),
                           ("check/deregister/bawn:127.0.0.9:8200:bawn-sealed-check", ""),
                           ("service/register", json.dumps(wrong))):
            status, _ = servers.call(1, "PUT", "/v1/agent/" + path, body)
            assert status == 200
            wait_for("the agent to be told again", lambda: agent_knows(servers))
            see(servers, "active")


def test_answers_that_are_lost_do_no_harm():
    with Consul() as servers, contextlib.ExitStack() as stack:
        network = Network()
        stack.callback(network.release)
        proxy = Proxy(lambda process: Keeper.tell("child %d\n" % process.pid))
        stack.callback(proxy.close)
        front = (network.address(1), 8500)
        proxy.link("way", front, servers.endpoint(1))
        driver = stack.enter_context(Driver(lines(servers, [front]), ("request-timeout", "1s")))
        driver.ask("state active")
        see(servers, "active")
        for mode, state in (("cut", "sealed"), ("hold", "standby"), ("drop", "active")):
            proxy.set("way", mode)
            driver.ask("state active")
            driver.ask("state " + state)
            proxy.set("way", "pass")
            see(servers, state)


def test_a_node_that_moves_leaves_nothing_behind():
    with Consul() as servers, Driver(lines(servers)) as driver:
        driver.ask("state active")
        see(servers, "active")
        driver.ask("state active https://[fd00::1]:8300")
        see(servers, "active", address="fd00::1", port=8300)
        driver.ask("state active nowhere")
        driver.ask("state standby http://127.0.0.8")
        see(servers, "standby", address="127.0.0.8", port=80)


def test_a_node_that_dies_does_not_pass():
    with Consul() as servers, Driver(lines(servers)) as driver:
        driver.ask("state active")
        see(servers, "active")
        driver.process.send_signal(signal.SIGKILL)
        wait_for("the check to fail", lambda: list(look(servers).values())[0][3] == "critical")


def tags_of(servers, address):
    return look(servers).get("bawn:%s:8200" % address, ([],))[0]


def test_who_was_active_in_an_earlier_epoch_is_shown_as_such_no_more():
    # Nobody's check fails in this time, a third of which it takes to look again: the agent that all of them share here may have
    # told the catalogue once more of the first one, just when its tag had been taken.
    with Consul() as servers, contextlib.ExitStack() as stack:
        slow = [(key, "60s" if key == "check-timeout" else value) for key, value in lines(servers)]
        first, second, other, late = [stack.enter_context(Driver(slow)) for _ in range(4)]
        first.ask("state active http://127.0.0.1:8200 9 one")
        other.ask("state active http://127.0.0.3:8200 1 another")
        for address in ("127.0.0.1", "127.0.0.3"):
            wait_for("both to be shown", lambda: "active" in tags_of(servers, address))
        first.process.kill()
        second.ask("state active http://127.0.0.2:8200 10 one")
        wait_for("the second to be shown", lambda: "active" in tags_of(servers, "127.0.0.2"))
        wait_for("the first to be active no more", lambda: tags_of(servers, "127.0.0.1") == ["initialized", "standby"])
        assert look(servers)["bawn:127.0.0.1:8200"][3] == "passing"
        # Who believes that it is active still, takes nothing from anybody.
        late.ask("state active http://127.0.0.4:8200 9 one")
        wait_for("the late one to be shown", lambda: "bawn:127.0.0.4:8200" in look(servers))
        late.stop()
        assert "active" in tags_of(servers, "127.0.0.2"), look(servers)
        second.stop()
        assert "active" in tags_of(servers, "127.0.0.3"), look(servers)


class Agent(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told, and knows nothing."""

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        self.answer(404)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/service/register"):
            self.server.registered.append(json.loads(body))
        self.answer(200)

    def log_message(self, *args):
        pass


def registration(*more):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Agent) as agent:
        agent.registered = []
        thread = threading.Thread(target=agent.serve_forever)
        thread.start()
        try:
            with Driver([("type", "consul"), ("address", "127.0.0.1:%d" % agent.server_port)], *more) as driver:
                wait_for("the service to be registered", lambda: agent.registered)
                driver.stop()
        finally:
            agent.shutdown()
            thread.join()
        return agent.registered[0]


def test_the_check_lasts_as_long_as_the_lease_but_for_what_is_set():
    assert registration()["Check"]["TTL"] == "3000ms"
    assert registration(("check-timeout", "7s"))["Check"]["TTL"] == "7000ms"


def test_an_agent_that_hangs_does_not_hold_up_the_end():
    with Consul() as servers, Driver(lines(servers)) as driver:
        driver.ask("state active")
        see(servers, "active")
        servers.pause(1)
        driver.ask("state standby")
        driver.stop()
        servers.resume(1)


def test_what_is_wrong_is_said():
    for wrong, words in ((["[service-registration]", "type=consul", "address=a:1,b:2"], "one address"),
                         (["[service-registration]", "type=consul", "service=a.b"], "DNS"),
                         (["[service-registration]", "type=consul", "service-tags=active"], "active"),
                         (["[service-registration]", "type=consul", "datacenter=x"], "datacenter"),
                         (["[service-registration]", "service=vault"], "missing"),
                         (["[storage]", "type=consul", "address=a:1,b:2", "[service-registration]", "type=consul"], "several"),
                         (["[service-registration]", "type=consul", "check-timeout=10ms"], "check-timeout")):
        done = subprocess.run([os.path.join(BUILD, "tests/unit/daemon/service-driver")] + wrong, capture_output=True, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 1 and done.stdout.startswith("fail ") and words in done.stdout, (wrong, done)
    for none in (["[storage]", "type=sqlite"], ["[storage]", "type=consul", "[service-registration]", "type=none"],
                 ["[storage]", "type=consul", "address=a:1,b:2"]):
        done = subprocess.run([os.path.join(BUILD, "tests/unit/daemon/service-driver")] + none, capture_output=True, text=True,
                              timeout=PATIENCE)
        assert "none" in done.stdout or "unknown" in done.stdout, (none, done)


def test_a_storage_in_consul_is_enough_to_be_registered():
    with Consul() as servers:
        argv = [os.path.join(BUILD, "tests/unit/daemon/service-driver"), "[storage]", "type=consul",
                "address=%s:%d" % servers.endpoint(1)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ok\n"
            see(servers, "uninitialized")
            process.stdin.write("stop\n")
            process.stdin.flush()
            process.wait(PATIENCE)


def roles(servers):
    """{address: "active", "standby" or "sealed"} of what the catalogue has; None if something in it is neither."""
    found = {}
    for entry in look(servers).values():
        role = [tag for tag in entry[0] if tag in ("active", "standby")]
        if len(role) != 1 or (entry[3], role) == ("critical", ["active"]):
            return None
        found[entry[1]] = role[0] if entry[3] == "passing" else "sealed"
    return found


def test_a_cluster_shows_who_is_active():
    with Consul() as servers, contextlib.ExitStack() as stack:
        storage = open_storage("sqlite")
        stack.callback(storage.close)
        cluster = stack.enter_context(Cluster(storage, extra={"service-registration": lines(servers)}, mount=False))

        def agrees():
            active = cluster.active()
            wanted = {n.host: "active" if n is active else "standby" for n in cluster.nodes if n.runs}
            return active is not None and roles(servers) == wanted

        wait_for("the catalogue to agree", agrees)
        for _ in range(3):
            before = cluster.wait_active()
            before.step_down()
            cluster.wait_active(besides=[before])
            wait_for("the catalogue to follow a step-down", agrees)
        sealed = cluster.standbys()[0]
        assert sealed.call("PUT", "sys/seal").status == 204
        wait_for("the catalogue to show a seal", lambda: (roles(servers) or {}).get(sealed.host) == "sealed")
        sealed.unseal()
        wait_for("the catalogue to show that it is unsealed", agrees)
        gone = cluster.wait_active()
        gone.terminate()
        gone.end()
        wait_for("the catalogue to forget who has ended", agrees)
        dead = cluster.wait_active()
        dead.kill()
        new = cluster.wait_active(besides=[dead])
        wait_for("the catalogue to name the new one alone",
                 lambda: [entry[1] for entry in look(servers).values() if "active" in entry[0]] == [new.host])
        wait_for("the catalogue to show a death", lambda: (look(servers).get("bawn:%s:8200" % dead.host) or [0] * 4)[3] == "critical")


try:
    Consul.check_installed()
except NotInstalled as e:
    print("1..0 # SKIP %s" % e)
    sys.exit(0)
run_all(globals())
