#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The proxy does to connections what its modes say."""

import contextlib
import os
import socket
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_server import run_all  # noqa: E402
from bawn_servers import Keeper, Network, wait_for  # noqa: E402
from proxy import Proxy  # noqa: E402

PATIENCE = 60


class Echo:
    """Answers each line, and remembers all it got."""

    def __init__(self, address):
        self.got = []
        self.listener = socket.create_server(address)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                self.got.append(line)
                client.sendall(line)


class Bench:
    def __init__(self):
        self.network = Network((7000,))
        self.echo = Echo((self.network.address(1), 7000))
        self.front = (self.network.address(2), 7000)
        self.proxy = Proxy(lambda process: Keeper.tell("child %d\n" % process.pid))
        self.proxy.link("l", self.front, (self.network.address(1), 7000))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.close()
        self.echo.listener.close()
        self.network.release()

    def connect(self):
        s = socket.create_connection(self.front, timeout=PATIENCE)
        s.settimeout(PATIENCE)
        return s


def say(s, line):
    s.sendall(line)


def hear(s, length):
    got = b""
    while len(got) < length:
        more = s.recv(length - len(got))
        assert more, "the connection ended"
        got += more
    return got


def is_reset(s):
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True


def is_silent(s):
    """Nothing is there to read now: a look, not a wait."""
    s.setblocking(False)
    try:
        return not s.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    finally:
        s.settimeout(PATIENCE)


def test_bytes_go_through():
    with Bench() as b, b.connect() as s:
        big = b"x" * 1000000 + b"\n"
        say(s, big)
        assert hear(s, len(big)) == big


def test_the_end_of_one_side_goes_through():
    with Bench() as b, b.connect() as s:
        say(s, b"a\n")
        assert hear(s, 2) == b"a\n"
        s.shutdown(socket.SHUT_WR)
        assert s.recv(1) == b""


def test_held_bytes_arrive_in_the_end():
    with Bench() as b, b.connect() as s:
        say(s, b"a\n")
        hear(s, 2)
        b.proxy.set("l", "hold")
        say(s, b"b\n")
        wait_for("the proxy to hold it", lambda: b.proxy.counts("l")["held"] == 2)
        with b.connect() as late:
            say(late, b"c\n")
            wait_for("the proxy to have it", lambda: b.proxy.counts("l")["connections"] == 2)
            assert b.echo.got == [b"a\n"] and is_silent(s)
            b.proxy.set("l", "pass")
            assert hear(s, 2) == b"b\n" and hear(late, 2) == b"c\n"


def test_a_halted_request_arrives_in_the_end():
    with Bench() as b, b.connect() as s:
        say(s, b"a\n")
        hear(s, 2)
        b.proxy.set("l", "halt")
        say(s, b"b\n")
        wait_for("the proxy to hold it", lambda: b.proxy.counts("l")["held"] == 2)
        assert b.echo.got == [b"a\n"]
        b.proxy.set("l", "pass")
        assert hear(s, 2) == b"b\n"


def test_a_held_connection_that_its_client_gave_up_still_carries_what_was_sent():
    with Bench() as b:
        with b.connect() as s:
            say(s, b"a\n")
            hear(s, 2)
            b.proxy.set("l", "hold")
            say(s, b"late\n")
            wait_for("the proxy to hold it", lambda: b.proxy.counts("l")["held"] == 5)
        b.proxy.set("l", "pass")
        wait_for("the late line to arrive", lambda: b"late\n" in b.echo.got)


def test_dropped_bytes_do_not_arrive():
    with Bench() as b, b.connect() as s:
        b.proxy.set("l", "drop")
        say(s, b"a\n")
        wait_for("the proxy to drop it", lambda: b.proxy.counts("l")["dropped"] == 2)
        b.proxy.set("l", "pass")
        assert is_reset(s)
        with b.connect() as t:
            say(t, b"b\n")
            hear(t, 2)
        assert b.echo.got == [b"b\n"]


def test_reset_resets_what_is_and_what_comes():
    with Bench() as b, b.connect() as s:
        say(s, b"a\n")
        hear(s, 2)
        b.proxy.set("l", "reset")
        assert is_reset(s)
        try:
            with b.connect() as t:
                assert is_reset(t)
        except ConnectionResetError:
            pass


def test_refused_connections_are_refused_until_it_is_over():
    with Bench() as b, b.connect() as s:
        say(s, b"a\n")
        hear(s, 2)
        b.proxy.set("l", "refuse")
        assert is_reset(s)
        try:
            b.connect().close()
            raise AssertionError("it was not refused")
        except ConnectionRefusedError:
            pass
        b.proxy.set("l", "pass")
        with b.connect() as t:
            say(t, b"b\n")
            hear(t, 2)


def test_a_cut_comes_after_the_request():
    with Bench() as b, b.connect() as s:
        b.proxy.set("l", "cut")
        say(s, b"a\n")
        assert is_reset(s)
        assert b.echo.got == [b"a\n"] and b.proxy.counts("l")["cut"] == 1


def test_delayed_bytes_keep_their_order():
    with Bench() as b, b.connect() as s:
        b.proxy.set("l", "delay", 0.05)
        lines = [b"%d\n" % i for i in range(10)]
        for line in lines:
            say(s, line)
        b.proxy.set("l", "delay", 0.0)
        assert hear(s, 20) == b"".join(lines)


run_all(globals())
