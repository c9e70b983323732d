#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A TCP proxy that misbehaves on request, as a process of its own so that it does not share an interpreter with the clients.

    proxy = Proxy(log)
    proxy.link("n1-storage", ("127.100.7.31", 2379), ("127.100.9.1", 2379))
    proxy.set("n1-storage", "hold")

  pass      bytes go through
  delay     bytes go through, SECONDS late
  hold      nothing goes through, nor does the end of a connection; what was sent arrives when the link is set to another
            mode, as it does when a network comes back and TCP sends again
  halt      the same for what clients send only; answers come
  drop      what is sent is gone; when the link is set to another mode its connections are reset
  reset     connections are reset, new ones as soon as they are made
  refuse    connections are reset, new ones refused
  cut       requests go through; when an answer comes it is thrown away and the connection reset: the client does not learn
            what became of it
"""

import asyncio
import collections
import json
import os
import resource
import socket
import struct
import subprocess
import sys
import threading

MODES = ("pass", "delay", "hold", "halt", "drop", "reset", "refuse", "cut")
# What one side may send ahead of the other.
AHEAD = 4 << 20


class Proxy:
    """The handle, for the program that runs the test."""

    def __init__(self, keep):
        """keep: called with the process, so that it ends when we do."""
        self.lock = threading.Lock()
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, start_new_session=True)
        keep(self.process)

    def ask(self, **request):
        with self.lock:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        assert answer, "the proxy ended"
        answer = json.loads(answer)
        assert "error" not in answer, answer["error"]
        return answer

    def link(self, name, listen, target):
        self.ask(do="link", name=name, listen=listen, target=target)

    def set(self, name, mode, seconds=0.0):
        """Returns once the mode is in force."""
        assert mode in MODES
        self.ask(do="set", name=name, mode=mode, seconds=seconds)

    def counts(self, name):
        """{"connections", "held", "dropped", "cut"}; held and dropped in bytes from the client's side."""
        return self.ask(do="counts", name=name)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Side(asyncio.Protocol):
    """One of the two ends of a connection; what it receives is for its twin."""

    def __init__(self, link, is_client):
        self.link, self.is_client = link, is_client
        self.twin = self.transport = None
        self.queue = collections.deque()  # of (when, bytes), in the order of arrival; None for the end
        self.lost = False
        self.ends = set()  # of "in" and "out"
        self.closed = False

    def connection_made(self, transport):
        self.transport = transport
        self.link.sides.add(self)
        if self.is_client:
            self.link.arrived(self)

    def data_received(self, data):
        self.link.received(self, data)

    def eof_received(self):
        self.link.received(self, None)
        self.end("in")
        return True

    def end(self, way):
        self.ends.add(way)
        if len(self.ends) == 2:
            self.transport.close()

    def connection_lost(self, error):
        self.closed = True
        self.link.ended(self, error)

    def abort(self):
        """With a reset, not an end."""
        if self.transport is not None and not self.closed:
            s = self.transport.get_extra_info("socket")
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
            self.transport.abort()

    def deliver(self, data):
        """To this side."""
        if self.closed or self.transport is None:
            return
        if data is None:
            try:
                self.transport.write_eof()
                self.end("out")
            except OSError:
                self.abort()  # it is gone already
        else:
            self.transport.write(data)
            if self.transport.get_write_buffer_size() > AHEAD:
                self.twin.abort()
                self.abort()


class Link:
    def __init__(self, loop, name, listen, target):
        self.loop, self.name, self.listen, self.target = loop, name, tuple(listen), tuple(target)
        self.mode, self.seconds = "pass", 0.0
        self.sides = set()
        self.server = None
        self.count = {"connections": 0, "held": 0, "dropped": 0, "cut": 0}

    async def open(self):
        if self.server is None:
            self.server = await self.loop.create_server(lambda: Side(self, True), *self.listen, reuse_address=True, backlog=256)

    async def set(self, mode, seconds):
        self.mode, self.seconds = mode, seconds
        if mode == "refuse" and self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None
        elif mode != "refuse":
            await self.open()
        for side in list(self.sides):
            if mode in ("reset", "refuse") or side.lost and mode != "drop":
                self.reset(side)
            elif mode == "drop":
                side.lost = side.lost or bool(side.queue)
                side.queue.clear()
            elif mode not in ("hold", "halt"):
                if side.is_client and side.twin is None:
                    self.connect(side)
                self.pump(side)

    def reset(self, side):
        for each in (side, side.twin):
            if each is not None:
                each.abort()

    def arrived(self, side):
        self.count["connections"] += 1
        if self.mode == "reset":
            side.abort()
        elif self.mode not in ("hold", "halt", "drop"):
            self.connect(side)
        elif self.mode == "drop":
            side.lost = True

    def connect(self, side):
        other = side.twin = Side(self, False)
        other.twin = side

        async def go():
            try:
                await self.loop.create_connection(lambda: other, *self.target)
            except OSError:
                side.abort()
                return
            if side.closed:
                other.abort()
            self.pump(side)

        self.loop.create_task(go())

    def received(self, side, data):
        size = len(data) if data else 0
        if self.mode == "drop":
            side.lost = True
            self.count["dropped"] += size * side.is_client
            return
        if self.mode == "cut" and not side.is_client and data:
            self.count["cut"] += 1
            self.reset(side)
            return
        if self.mode in ("hold", "halt"):
            self.count["held"] += size * side.is_client
        late = self.seconds if self.mode == "delay" else 0.0
        side.queue.append((self.loop.time() + late, data))
        self.pump(side)

    def lets_through(self, side):
        return self.mode not in ("hold", "drop") and not (self.mode == "halt" and side.is_client)

    def pump(self, side):
        """Hands on what is due."""
        while side.queue and self.lets_through(side):
            if side.twin is None or side.twin.transport is None:
                return
            when, data = side.queue[0]
            wait = when - self.loop.time()
            if wait > 0 and self.mode == "delay":
                self.loop.call_later(wait, self.pump, side)
                return
            side.queue.popleft()
            side.twin.deliver(data)

    def ended(self, side, error):
        self.sides.discard(side)
        twin = side.twin
        if twin is None or twin.closed:
            return
        if error is not None and self.mode not in ("hold", "halt", "drop"):
            twin.abort()
        elif error is not None:
            # The other side does not learn of it before the link is back.
            twin.lost = True


async def serve():
    loop = asyncio.get_running_loop()
    links = {}
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while True:
        line = await reader.readline()
        if not line:
            return
        try:
            request = json.loads(line)
            answer = {}
            if request["do"] == "link":
                link = Link(loop, request["name"], request["listen"], request["target"])
                await link.open()
                links[request["name"]] = link
            elif request["do"] == "set":
                await links[request["name"]].set(request["mode"], request["seconds"])
            else:
                answer = links[request["name"]].count
        except (OSError, KeyError, ValueError) as e:
            answer = {"error": "%s: %s" % (type(e).__name__, e)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    # Connections that are held stay open though their clients have given them up.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(serve())
