#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How long nobody could write, seen by clients of nodes that live.

    bench/bench-failover.py [--rounds N] [--lease 3s] [--leases 50000] [STORAGE...]

Starts three nodes on each storage (sqlite, etcd, consul, zookeeper), has a client write through each standby without a pause, and
makes the active node step down, end (SIGTERM), and die (SIGKILL) with and without `bawnd --release-lease` after it, as
systemd would run it. A line shows the longest time between two acknowledged writes in each round, in milliseconds. With --leases
it also compares the promotion of a storage with few tokens with that of one with so many.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../tests", folder) for folder in ("cluster", "servers", "api")]

from bawn_server import BAWND  # noqa: E402
from bawn_servers import NotInstalled, wait_for  # noqa: E402
import cluster as cluster_module  # noqa: E402
from cluster import API_PORT, Cluster  # noqa: E402
from storages import open_storage  # noqa: E402

SETTLE = 20  # writes that a client must have acknowledged before and after


class Writer:
    """One client on one kept connection; notes when its writes were acknowledged."""

    def __init__(self, node, token):
        self.node, self.token = node, token
        self.times = []
        self.failures = 0
        self.over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        connection = None
        n = 0
        while not self.over:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(self.node.host, API_PORT, timeout=30)
                n += 1
                connection.request("POST", "/v1/kv/data/bench%d" % self.node.number, json.dumps({"data": {"n": n}}),
                                   {"X-Vault-Token": self.token})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    self.times.append(time.monotonic())
                else:
                    self.failures += 1
            except (OSError, http.client.HTTPException):
                self.failures += 1
                connection = None

    def wait_for(self, more):
        wanted = len(self.times) + more
        wait_for("writes at %s" % self.node, lambda: len(self.times) >= wanted)

    def gap_ms(self, since):
        times = [t for t in self.times if t >= since - 1]
        return 1000 * max(b - a for a, b in zip(times, times[1:]) if b >= since)

    def stop(self):
        self.over = True
        self.thread.join()


def release_lease(cluster, node):
    subprocess.run([BAWND, "--config", node.config, "--release-lease"], check=True, stdout=subprocess.DEVNULL)


def step_down(cluster, node):
    node.step_down()


def sigterm(cluster, node):
    node.terminate()


def sigkill(cluster, node):
    node.kill()


def sigkill_released(cluster, node):
    node.kill()
    release_lease(cluster, node)


EVENTS = (("step-down", step_down), ("SIGTERM", sigterm), ("SIGKILL, lease released", sigkill_released), ("SIGKILL", sigkill))


def one_round(cluster, event):
    active = cluster.wait_whole()
    writers = [Writer(node, cluster.root) for node in cluster.standbys()]
    try:
        for writer in writers:
            writer.wait_for(SETTLE)
        began = time.monotonic()
        event(cluster, active)
        cluster.wait_active(besides=[active])
        for writer in writers:
            writer.wait_for(SETTLE)
    finally:
        for writer in writers:
            writer.stop()
    if active.process is not None and event is sigterm:
        active.end()
    cluster.heal()
    return max(w.gap_ms(began) for w in writers), sum(w.failures for w in writers)


def metrics(node):
    answer = node.call("GET", "sys/metrics")
    return {row["Name"]: row["Value"] for row in answer.json["Gauges"]}


def promotion(cluster):
    """Milliseconds of each phase of a promotion, provoked by a step-down."""
    old = cluster.wait_whole()
    old.step_down()
    new = cluster.wait_active(besides=[old])
    cluster.wait_whole()
    gauges = metrics(new)
    return {phase: gauges["bawn.ha.promotion_%s_us" % phase] / 1000 for phase in ("fence", "load", "publish")}


def make_tokens(cluster, count):
    node = cluster.wait_whole()
    left = [count]
    lock = threading.Lock()

    def work():
        connection = http.client.HTTPConnection(node.host, API_PORT, timeout=60)
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            connection.request("POST", "/v1/auth/token/create", '{"ttl":"100h","policies":["default"]}',
                               {"X-Vault-Token": cluster.root})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def show_promotions(cluster, tokens):
    for count in (10, tokens - 10):
        make_tokens(cluster, count)
        rounds = [promotion(cluster) for _ in range(3)]
        print("  promotion with %6d tokens and leases, ms: %s" % (
            count if count == 10 else tokens,
            "; ".join("fence %.1f, load %.1f, publish %.1f" % (r["fence"], r["load"], r["publish"]) for r in rounds)), flush=True)


def bench(kind, args):
    cluster_module.LEASE = args.lease
    storage = open_storage(kind)
    try:
        with Cluster(storage) as cluster:
            print("%s, lease %s" % (kind, args.lease), flush=True)
            for name, event in EVENTS:
                rounds = [one_round(cluster, event) for _ in range(args.rounds)]
                gaps = sorted(gap for gap, _ in rounds)
                print("  %-24s longest gap, ms: min %5.0f  median %5.0f  max %5.0f   failed writes: %d" % (
                    name, gaps[0], gaps[len(gaps) // 2], gaps[-1], sum(f for _, f in rounds)), flush=True)
            if args.leases:
                show_promotions(cluster, args.leases)
    finally:
        storage.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("storages", nargs="*", default=["sqlite", "etcd", "consul", "zookeeper"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lease", default="3s")
    parser.add_argument("--leases", type=int, default=0)
    args = parser.parse_args()
    for kind in args.storages:
        try:
            bench(kind, args)
        except NotInstalled as e:
            print("%s: %s" % (kind, e))


if __name__ == "__main__":
    main()
