# SPDX-License-Identifier: LGPL-2.1-or-later
"""Malformed HTTP through a raw socket against bawnd itself, sealed and unsealed, plain and over TLS: each request gets the
right answer, none ends the server, none leaves a descriptor behind."""

import os
import socket
import ssl

from bawn_server import PATIENCE, Server, run_all, wait_for

HOST = b"Host: h\r\n"
PUT = b"PUT /v1/secret/x HTTP/1.1\r\n" + HOST


def with_length(body):
    return PUT + b"Content-Length: %d\r\n\r\n" % len(body) + body


# What is sent, and the statuses that are right: of a request that can be read, a sealed server's, an unsealed one's.
CASES = [
    (b"GET\r\n\r\n", 400),
    (b"GET /v1/sys/health\r\n\r\n", 400),
    (b"GET  /v1/sys/health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v1/sys/health HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    (b"BREW /v1/sys/health HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"OPTIONS /v1/sys/health HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"HEAD /v1/secret/x HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"GET /v1/sys/../sys/health HTTP/1.1\r\n" + HOST + b"\r\n", 301),
    (b"GET /v1//sys/health HTTP/1.1\r\n" + HOST + b"\r\n", 301),
    (b"PUT /v1/sys%2f%2e%2e%2fsys/init HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n", 301),
    (b"GET /v1/sys/%00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v1/sys/\0 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v1/sys/%zz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v1/sys/%e9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /elsewhere HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    (b"GET /v1/sys/health HTTP/1.1\r\n\r\n", 400),
    (b"GET /v1/sys/health HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    (b"GET /v1/sys/health HTTP/1.1\r\n" + HOST + b"nonsense\r\n\r\n", 400),
    (b"GET /v1/sys/health HTTP/1.1\r\n" + HOST + b"A : b\r\n\r\n", 400),
    (b"GET /v1/" + b"x" * 1048576 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    (b"GET /v1/x HTTP/1.1\r\n" + HOST + b"A: " + b"x" * 1048576 + b"\r\n\r\n", 431),
    (b"GET /v1/x HTTP/1.1\r\n" + HOST + b"x" * 1048576 + b": a\r\n\r\n", 431),
    (b"GET /v1/x HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 1000 + b"\r\n", 431),
    (PUT + b"Content-Length: -1\r\n\r\n", 400),
    (PUT + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n{", 400),
    (PUT + b"Content-Length: 99999999999\r\n\r\n{}", 413),
    (PUT + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    (PUT + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    (PUT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
    (PUT + b"Transfer-Encoding: chunked\r\n\r\n3fffffff\r\n", 413),
    (PUT + b"Expect: miracles\r\n\r\n", 417),
    (with_length(b"{"), 400),
    (with_length(b"[1]"), 400),
    (with_length(b'"a"'), 400),
    (with_length(b"{'a':1}"), 400),
    (with_length(b'{"a":01}'), 400),
    (with_length(b'{"a":"\xff"}'), 400),
    (with_length(b'{"a":1}{}'), 400),
    (with_length(b'{"a":' * 100000), 400),
    (with_length(b'{"a":' + b"[" * 100000), 400),
    (PUT.replace(b"PUT", b"PATCH") + b"Content-Length: 2\r\n\r\n{}", 415),
    (b"PUT /v1/secret/ HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}", 400),
    (b"GET /v1/x?list=perhaps HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v1/x HTTP/1.1\r\n" + HOST + b"X-Vault-Wrap-TTL: -1\r\n\r\n", 400),
]


def ask(server, data):
    """The status of the answer, and the answer; 0 if there is none."""
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
    sock = server.context().wrap_socket(plain, server_hostname="localhost") if server.tls else plain
    with sock:
        answer = b""
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass
        while b"\r\n\r\n" not in answer:
            more = sock.recv(65536)
            if not more:
                return 0, answer
            answer += more
        return int(answer.split(b" ", 2)[1]), answer


def check_all(server):
    for data, status in CASES:
        got, answer = ask(server, data)
        assert got == status, "%d in place of %d for %r: %r" % (got, status, data[:80], answer[:200])
    reply = server.call("GET", "sys/health?sealedcode=200&uninitcode=200")
    assert reply.status == 200, reply.body


def count_fds(server):
    return len(os.listdir("/proc/%d/fd" % server.pid))


def test_a_server_that_is_not_initialised():
    with Server(tls=False) as server:
        check_all(server)


def test_an_unsealed_server():
    with Server(tls=False) as server:
        server.ready()
        check_all(server)


def test_over_tls():
    with Server() as server:
        server.ready()
        check_all(server)


def test_wrong_types_are_the_callers_fault():
    with Server(tls=False) as server:
        server.ready()
        for path, body in [
                ("sys/mounts/x", {"type": 5}), ("sys/mounts/x", {"type": {}}), ("sys/mounts/x", {"type": "kv", "options": 5}),
                ("sys/policy/x", {"policy": []}), ("sys/policies/acl/x", {"policy": {}}), ("auth/token/create", {"ttl": []}),
                ("auth/token/create", {"policies": {}}), ("auth/token/create", {"num_uses": "many"}),
                ("auth/token/lookup", {"token": {}}), ("sys/leases/lookup", {"lease_id": {}}),
                ("sys/unseal", {"key": {}}), ("sys/init", {"secret_shares": "many"})]:
            reply = server.call("PUT", path, body)
            assert 400 <= reply.status < 500, "%d for %s %s: %s" % (reply.status, path, body, reply.body)


def test_no_descriptor_stays():
    with Server(tls=False) as server:
        check_all(server)
        before = count_fds(server)
        for _ in range(5):
            check_all(server)
        wait_for("the connections to go", lambda: count_fds(server) <= before)


run_all(globals())
