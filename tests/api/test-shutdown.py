#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that ends on SIGTERM answers whoever has got in, and lets the kernel refuse everybody else: nobody is cut off."""

import http.client
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bawn_server import PATIENCE, Server, run_all, wait_for  # noqa: E402

CLIENTS = 6
RESTARTS = 5


class Crowd:
    """Clients that make a connection for each request, and begin the next one at once."""

    def __init__(self, server):
        self.server, self.over = server, threading.Event()
        self.answers = [0] * CLIENTS
        self.cut_off = []
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def connect(self):
        if self.server.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.server.port, timeout=PATIENCE, context=self.server.context())
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)

    def run(self, place):
        while not self.over.is_set():
            connection = self.connect()
            try:
                connection.request("GET", "/v1/sys/seal-status", headers={"Connection": "close"})
                connection.getresponse().read()
                self.answers[place] += 1
            except ConnectionRefusedError:
                self.over.wait(0.005)
            except (OSError, http.client.HTTPException) as e:
                self.cut_off.append(repr(e))
            finally:
                connection.close()

    def wait_busy(self):
        before = list(self.answers)
        wait_for("answers", lambda: all(now > then + 3 for now, then in zip(self.answers, before)))

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def check_restarts(server):
    crowd = Crowd(server)
    try:
        for _ in range(RESTARTS):
            crowd.wait_busy()
            assert server.stop() == 0
            server.start()
    finally:
        crowd.stop()
    assert not crowd.cut_off, "%d were cut off: %s" % (len(crowd.cut_off), crowd.cut_off[:5])


def test_nobody_is_cut_off_when_the_server_ends():
    with Server(tls=False) as server:
        check_restarts(server)


def test_nobody_is_cut_off_when_the_server_ends_in_the_middle_of_handshakes():
    with Server(tls=True) as server:
        check_restarts(server)


def is_over(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_server_does_not_wait_for_those_who_have_nothing_to_say():
    # Neither deadline would come while this test runs.
    with Server(tls=False, listener="header-timeout=1h", server="shutdown-timeout=10m") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as silent, \
                socket.create_connection(("127.0.0.1", server.port)) as half:
            half.sendall(b"GET /v1/sys/health HTTP/1.1\r\n")
            # The server has seen both once it has answered a third.
            server.call("GET", "sys/health")
            assert server.stop() == 0
            assert is_over(silent) and is_over(half)


run_all(globals())
