#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawnd whose credentials a real storage refuses ends at once, and says whose; with the right ones it serves."""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../api"), os.path.join(HERE, "../servers")]

from bawn_server import BAWND, PATIENCE, Server, run_all  # noqa: E402
from bawn_servers import Consul, Etcd, NotInstalled, Zookeeper  # noqa: E402

WRONG = {"password": "wrong", "token": "00000000-0000-4000-8000-000000000000", "auth-info": "digest:bawn:wrong"}
# Without it everybody owns what we make.
OWNER = {"zookeeper": [("znode-owner", "auth:")]}


def settings(servers, wrong):
    """The lines of [storage]."""
    lines = [(key, WRONG[key] if wrong and key in WRONG else value) for key, value in servers.settings]
    lines += [("request-timeout", "60s"), ("connect-timeout", "30s"), *OWNER.get(servers.kind, ())]
    return "".join("%s=%s\n" % line for line in lines)


def ends_refused(servers):
    with tempfile.TemporaryDirectory(prefix="bawn-test-") as tmp:
        path = os.path.join(tmp, "bawn.conf")
        with open(path, "w") as f:
            f.write("[server]\ndisable-mlock=true\n[listener]\naddress=127.0.0.1:1\ntls-disable=true\n"
                    "[service-registration]\ntype=none\n[storage]\ntype=%s\n%s" % (servers.kind, settings(servers, True)))
        result = subprocess.run([BAWND, "--config", path], capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 78 and "the storage %s of [storage]" % servers.kind in result.stderr, result
        assert "cannot be reached" not in result.stdout + result.stderr, result
        assert not any(value in result.stderr for value in WRONG.values()), result


def serves(servers):
    extra = "[service-registration]\ntype=none\n"
    with Server(tls=False, storage=servers.kind, extra=settings(servers, False) + extra) as server:
        assert server.call("GET", "sys/health").status == 501


def test_a_wrong_password_for_etcd(_tmp):
    with Etcd(auth=True) as servers:
        ends_refused(servers)
        serves(servers)


def test_a_wrong_token_for_consul(_tmp):
    with Consul(auth=True) as servers:
        ends_refused(servers)
        serves(servers)


def test_a_wrong_user_of_zookeeper(_tmp):
    with Zookeeper(auth=True) as servers:
        # Whoever comes first makes the nodes, and says whose they are.
        serves(servers)
        ends_refused(servers)


if __name__ == "__main__":
    try:
        for servers in (Etcd, Consul, Zookeeper):
            servers.check_installed()
    except NotInstalled as e:
        print("1..0 # SKIP %s" % e)
        sys.exit(0)
    run_all(globals(), None)
