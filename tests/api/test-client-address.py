# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whom a request is from, when proxies and other nodes pass it on."""

import json
import os
import socket

from bawn_server import Server, run_all, wait_for

LINES = "\n".join(["x-forwarded-for-authorized-addrs=127.0.0.1",
                   "x-forwarded-for-reject-not-present=false",
                   "proxy-protocol-behavior=allow-authorized",
                   "proxy-protocol-authorized-addrs=127.0.0.1"])

first = Server(tls=False, listener=LINES, start=False)
second = Server(tls=False, listener=LINES, home=first.home, start=False)
second.config = os.path.join(first.home, "second.conf")
token = None


def begin():
    global token
    first.start()
    first.ready()
    second.start()
    second.shares, second.root = first.shares, first.root
    second.unseal()
    wait_for("the other node to be known", lambda: len(first.call("GET", "sys/ha-status").data["nodes"]) == 2)
    assert first.call("POST", "auth/token/roles/near", {"token_bound_cidrs": ["192.0.2.0/24"]}).status == 204
    reply = first.call("POST", "auth/token/create/near", {"policies": ["default"]})
    assert reply.status == 200, reply.body
    token = reply.json["auth"]["client_token"]


def look_up(node, forwarded_for=None):
    """What comes of a token that is good from 192.0.2.0/24 only."""
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    return node.call("GET", "auth/token/lookup-self", token=token, headers=headers).status


def look_up_behind(node, line):
    """The same, behind a proxy that begins with this line."""
    with socket.create_connection(("127.0.0.1", node.port)) as connection:
        connection.sendall(line + b"GET /v1/auth/token/lookup-self HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                           b"X-Vault-Token: " + token.encode() + b"\r\n\r\n")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return int(answer.split(b" ", 2)[1])


def test_the_active_node_believes_a_header():
    assert look_up(first) == 403
    assert look_up(first, "192.0.2.7") == 200
    assert look_up(first, "192.0.2.7, 198.51.100.1") == 403


def test_the_active_node_believes_the_proxy_protocol():
    assert look_up_behind(first, b"") == 403
    assert look_up_behind(first, b"PROXY TCP4 192.0.2.7 127.0.0.1 1000 8200\r\n") == 200
    assert look_up_behind(first, b"PROXY TCP4 198.51.100.1 127.0.0.1 1000 8200\r\n") == 403


def test_a_standby_passes_on_whom_it_believes():
    assert second.call("GET", "sys/leader").json["is_self"] is False
    assert look_up(second) == 403
    assert look_up(second, "192.0.2.7") == 200
    assert look_up(second, "192.0.2.7, 198.51.100.1") == 403
    assert look_up_behind(second, b"PROXY TCP4 192.0.2.7 127.0.0.1 1000 8200\r\n") == 200
    assert look_up_behind(second, b"PROXY TCP4 198.51.100.1 127.0.0.1 1000 8200\r\n") == 403


def test_the_audit_names_the_client():
    path = os.path.join(first.home, "audit.log")
    assert first.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": path}}).status == 204
    assert look_up(second, "192.0.2.9") == 200
    with open(path) as f:
        records = [json.loads(line) for line in f]
    assert records[-1]["request"]["remote_address"] == "192.0.2.9", records[-1]


if __name__ == "__main__":
    with first, second:
        begin()
        run_all(globals())
