# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a server tells others about where it is."""

import os
import subprocess
from unittest import mock

from bawn_server import BAWND, PATIENCE, Server, free_port, run_all

VARIABLES = ("BAWN_API_ADDR", "BAWN_SERVER_API_ADDR", "VAULT_API_ADDR",
             "BAWN_CLUSTER_ADDR", "BAWN_SERVER_CLUSTER_ADDR", "VAULT_CLUSTER_ADDR")


def banner(server="", listener="", **env):
    """The rows of a server's banner."""
    with mock.patch.dict(os.environ, dict({name: "" for name in VARIABLES}, **env)):
        with Server(tls=False, server=server, listener=listener) as node:
            rows = [line.split(": ", 1) for line in node.read_log().splitlines() if ": " in line]
            return node, {row[0].strip(): row[1] for row in rows}


def refuse(tmp, server, *args, **env):
    """What is said about a configuration that will not do."""
    path = os.path.join(tmp, "bad.conf")
    with open(path, "w") as f:
        f.write("[server]\ndisable-mlock=true\n%s\n[listener]\naddress=127.0.0.1:0\n[storage]\ntype=memory\n" % server)
    environment = dict(os.environ, **dict({name: "" for name in VARIABLES}, **env))
    result = subprocess.run([BAWND, "--config", path] + list(args), capture_output=True, text=True, env=environment,
                            timeout=PATIENCE)
    return result.returncode, result.stderr.replace(path, "FILE")


def test_without_a_word_it_is_the_listener(tmp):
    node, rows = banner()
    assert rows["Api Address"] == node.url, rows


def test_other_nodes_are_told_the_next_port(tmp):
    node, rows = banner()
    assert rows["Cluster Address"] == "https://127.0.0.1:%d" % (node.port + 1), rows
    _, rows = banner("api-addr=https://node.example.org:1000")
    assert rows["Cluster Address"] == "https://node.example.org:1001", rows


def test_other_nodes_are_told_a_port_that_was_set(tmp):
    port = free_port()
    _, rows = banner("api-addr=https://node.example.org:1000", "cluster-address=127.0.0.2:%d" % port)
    assert rows["Cluster Address"] == "https://127.0.0.2:%d" % port, rows


def test_the_environment_comes_before_the_file(tmp):
    said = "api-addr=https://file:1\ncluster-addr=https://file:2"
    assert banner(said)[1]["Api Address"] == "https://file:1"
    assert banner(said)[1]["Cluster Address"] == "https://file:2"
    _, rows = banner(said, VAULT_API_ADDR="https://vault:1", VAULT_CLUSTER_ADDR="https://vault:2")
    assert (rows["Api Address"], rows["Cluster Address"]) == ("https://vault:1", "https://vault:2"), rows
    _, rows = banner(said, VAULT_API_ADDR="https://vault:1", BAWN_SERVER_API_ADDR="https://long:1")
    assert rows["Api Address"] == "https://long:1", rows
    _, rows = banner(said, BAWN_SERVER_API_ADDR="https://long:1", BAWN_API_ADDR="https://short:1")
    assert rows["Api Address"] == "https://short:1", rows


def test_an_interface_can_be_named(tmp):
    _, rows = banner('api-addr=https://{{ GetInterfaceIP "lo" }}:1\ncluster-addr=http://{{ GetInterfaceIP "lo" }}')
    assert rows["Api Address"] == "https://127.0.0.1:1", rows
    assert rows["Cluster Address"] == "https://127.0.0.1:443", rows


def test_a_mistake_is_told_with_its_place(tmp):
    code, said = refuse(tmp, "api-addr=10.0.0.5:8200\ncluster-addr=https://[::]:1", "--check-config")
    assert code == 78, said
    assert "FILE:3: [server] api-addr: an address must begin with https:// or http://" in said, said
    assert "FILE:4: [server] cluster-addr: :: is every address of this machine" in said, said
    code, said = refuse(tmp, "", "--check-config", VAULT_CLUSTER_ADDR="https://a:0")
    assert code == 78 and "VAULT_CLUSTER_ADDR: [server] cluster-addr: expected a port from 1" in said, said
    code, said = refuse(tmp, "api-addr=https://a:1\ncluster-addr=https://A:1/", "--check-config")
    assert code == 78 and "FILE:4: [server] cluster-addr: https://A:1/ is the address of the API too" in said, said


def test_an_interface_that_is_not_there_may_come(tmp):
    said = 'api-addr=https://{{ GetInterfaceIP "nosuch0" }}:1'
    assert refuse(tmp, said, "--check-config")[0] == 0
    code, said = refuse(tmp, said)
    assert code == 1, (code, said)
    assert 'FILE:3: [server] api-addr: there is no interface "nosuch0"' in said, said


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="bawn-test-") as folder:
        run_all(globals(), folder)
