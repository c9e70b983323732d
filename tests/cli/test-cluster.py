# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawn against two nodes that share one file: who leads, and handing over."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

from bawn_server import Server, wait_for  # noqa: E402
from harness import Home, contains, equal, main, test  # noqa: E402

first = Server(start=False)
second = Server(home=first.home, start=False)
second.config = os.path.join(first.home, "second.conf")
home = Home(BAWN_CACERT=first.cert)


def begin():
    first.start()
    first.init(2, 2)
    first.unseal()
    second.start()
    second.shares, second.root = first.shares, first.root
    home.environment["BAWN_TOKEN"] = first.root


def run(node, *words, **environment):
    return home.run(*words, BAWN_ADDR=node.url, **environment)


def status(node, code=0):
    """The rows that tell of the cluster, in their order."""
    rows = [re.split(r"\s{2,}", line, maxsplit=1) for line in run(node, "status").fails(code).out.splitlines()]
    names = [row[0] for row in rows]
    return [tuple(row) for row in rows[names.index("HA Enabled"):]]


def cluster_address(node):
    return "https://127.0.0.1:%d" % (node.port + 1)


def leads(node):
    return node.call("GET", "sys/leader").json.get("is_self", False)


def assert_roles(active, standby):
    rows = status(active)
    equal(rows[:3], [("HA Enabled", "true"), ("HA Cluster", cluster_address(active)), ("HA Mode", "active")])
    equal([name for name, _ in rows[3:]], ["Active Since"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", rows[3][1]), rows
    equal(status(standby), [("HA Enabled", "true"), ("HA Cluster", cluster_address(active)), ("HA Mode", "standby"),
                            ("Active Node Address", active.url)])


@test("a sealed node is one of several, and more it does not know")
def _():
    equal(status(second, 2), [("HA Enabled", "true"), ("HA Mode", "sealed")])
    said = run(second, "status", "-format=json")
    equal(said.status, 2)
    contains(said.out, '"ha_enabled": true')


@test("a standby tells who is active")
def _():
    second.unseal()
    wait_for("the standby to know", lambda: second.call("GET", "sys/leader").json.get("leader_address") == first.url)
    assert_roles(first, second)
    equal(run(second, "status", "-format=json").json()["leader_address"], first.url)


@test("the members are listed, the active one among them")
def _():
    lines = run(first, "operator", "members").ok().out.splitlines()
    equal(re.split(r"\s{2,}", lines[0]),
          ["Host Name", "API Address", "Cluster Address", "Active Node", "Version", "Last Echo"])
    active, = [re.split(r"\s{2,}", line) for line in lines[2:] if "true" in line]
    equal(active[1:4], [first.url, cluster_address(first), "true"])
    equal(active[5], "n/a")
    nodes = run(first, "operator", "members", "-format=json").json()["nodes"]
    equal([node["api_address"] for node in nodes if node["active_node"]], [first.url])
    run(first, "operator", "members", BAWN_TOKEN="nobody").fails(2, "permission denied")


@test("a standby lists the same members")
def _():
    wait_for("the active node to have heard of the other",
             lambda: len(first.call("GET", "sys/ha-status").data["nodes"]) == 2)
    lines = run(second, "operator", "members").ok().out.splitlines()
    equal(len(lines), 4)
    standby, = [re.split(r"\s{2,}", line) for line in lines[2:] if "false" in line]
    equal(standby[1:4], [second.url, cluster_address(second), "false"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT.*Z", standby[5]), standby


@test("only a member can be named as successor")
def _():
    run(first, "operator", "step-down", "-successor=https://nobody:1").fails(2, "https://nobody:1")
    run(first, "operator", "step-down", "https://nobody:1").fails(1)
    assert leads(first)


@test("the active node hands over when it is told to")
def _():
    equal(run(first, "operator", "step-down").ok().out, f"Success! Stepped down: {first.url}\n")
    wait_for("the other to lead", lambda: leads(second))
    wait_for("the first to know", lambda: first.call("GET", "sys/leader").json.get("leader_address") == second.url)
    assert_roles(second, first)


@test("a standby can be asked to become the successor")
def _():
    wait_for("the active node to have heard of the other",
             lambda: len(second.call("GET", "sys/ha-status").data["nodes"]) == 2)
    said = run(first, "operator", "step-down", f"-successor={first.url}").ok().out
    equal(said, f"Success! Stepped down: {second.url}\n")
    wait_for("the first to lead", lambda: leads(first))
    wait_for("the other to know", lambda: second.call("GET", "sys/leader").json.get("leader_address") == first.url)
    assert_roles(first, second)


def begin_what_gets_lost(command):
    """Its nonce; the operation goes with the active node."""
    nonce = json.loads(run(first, "operator", command, "-init", "-format=json").ok().out)["nonce"]
    assert nonce
    run(first, "operator", command, f"-nonce={nonce}", first.shares[0]).ok()
    return nonce


@test("who has the nonce of an operation that is lost is told so by the server")
def _():
    lost = {command: begin_what_gets_lost(command) for command in ("rekey", "generate-root")}
    run(first, "operator", "step-down").ok()
    wait_for("the other to lead", lambda: leads(second))
    for command, nonce in lost.items():
        said = run(second, "operator", command, f"-nonce={nonce}", first.shares[0]).fails(2, nonce)
        contains(said.err, "was lost when another node became active")
        run(second, "operator", command, first.shares[0]).fails(1, "is in progress")


try:
    with first, second:
        begin()
        main(lambda: first.read_log()[-8000:])
finally:
    home.close()
