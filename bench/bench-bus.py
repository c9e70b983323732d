#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What clients of the API see of a flood on the bus.

    bench/bench-bus.py [--seconds N] [--clients N] [--rounds N]

One client of the API reads and writes a secret without a pause, on a kept connection, while so many others on a bus of their
own do nothing, call the bus itself (which loads the machine as much, and bawnd not at all), or call for all properties of bawnd; with
and without waiting for answers. Prints percentiles of the time that the API took, and how many calls a second the bus had.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../tests", folder) for folder in ("bus", "api", "servers")]

from bus import NAME, PATH, PROPERTIES, Bus, Client, Gio, GLib, missing  # noqa: E402
from bawn_server import Server, wait_for  # noqa: E402

BUS = "org.freedesktop.DBus"
KINDS = ("idle", "bus", "bawnd", "bus, no answer", "bawnd, no answer")


def hammer(kind, seconds):
    """The others: one of them, a process of its own. Prints how often it called."""
    client = Client(type("Address", (), {"address": os.environ["DBUS_SYSTEM_BUS_ADDRESS"]}))
    everything = GLib.Variant("(s)", (NAME,))
    end, n = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        n += 1
        if kind == "bus":
            client.has_owner()
        elif kind == "bawnd":
            client.call("GetAll", everything, interface=PROPERTIES)
        else:
            name, method, what = (NAME, "GetAll", everything) if kind.startswith("bawnd") else (BUS, "NameHasOwner", everything)
            client.send(method, what, interface=PROPERTIES if name == NAME else BUS, name=name)
            if n % 1000 == 0:
                client.connection.flush_sync(None)
    print(n)


def measure(server, seconds):
    """Times of the API in ms, sorted: reads and writes."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    times = {"GET": [], "POST": []}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for method, body in (("GET", None), ("POST", json.dumps({"a": "b"}))):
            began = time.monotonic()
            connection.request(method, "/v1/secret/bench", body, {"X-Vault-Token": server.root})
            answer = connection.getresponse()
            answer.read()
            assert answer.status in (200, 204), answer.status
            times[method].append((time.monotonic() - began) * 1000)
    return {method: sorted(t) for method, t in times.items()}


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentiles(times):
    return "p50 %6.2f  p99 %6.2f  max %7.2f" % (times[len(times) // 2], times[len(times) * 99 // 100], times[-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hammer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if missing():
        sys.exit(missing())
    if arguments.hammer:
        hammer(arguments.hammer, arguments.seconds)
        return
    with Bus() as bus, Server(tls=False) as server, Client(bus) as client:
        wait_for("the server to be on the bus", client.has_owner)
        server.ready()
        assert server.call("POST", "sys/mounts/secret", {"type": "kv"}).status == 204
        assert server.call("POST", "secret/bench", {"a": "b"}).status == 204
        print("%s of bawnd at %s, %d clients on the bus" % (PATH, NAME, arguments.clients))
        for _ in range(arguments.rounds):
            for kind in KINDS:
                others = [] if kind == "idle" else [
                    subprocess.Popen([sys.executable, __file__, "--hammer", kind, "--seconds", str(arguments.seconds + 1)],
                                     stdout=subprocess.PIPE, text=True) for _ in range(arguments.clients)]
                time.sleep(1)
                before = cpu_seconds(server.pid)
                times = measure(server, arguments.seconds)
                cpu = cpu_seconds(server.pid) - before
                calls = sum(int(other.communicate()[0]) for other in others) / (arguments.seconds + 1)
                for method, name in (("GET", "read"), ("POST", "write")):
                    print("  %-17s %-5s ms: %s   calls/s on the bus %7d   API calls/s %6d   bawnd's CPU %.0f %%" % (
                        kind, name, percentiles(times[method]), calls, len(times[method]) / arguments.seconds,
                        cpu / arguments.seconds * 100))


if __name__ == "__main__":
    main()
