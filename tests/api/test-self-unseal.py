# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server that unseals itself at the start, by a credential of its service manager."""

import contextlib
import os
import signal
import sqlite3
import subprocess

from bawn_server import BAWND, PATIENCE, Server, run_all, wait_for

SEAL = "[seal]\ntype=credential\n[dbus]\nenabled=false\n"


def is_active(server):
    return server.call("GET", "sys/health").status == 200


@contextlib.contextmanager
def with_credential():
    """A server whose storage its key opens."""
    with Server(tls=False, extra=SEAL, start=False) as server:
        with open(os.path.join(server.home, "unseal-key"), "wb") as f:
            f.write(os.urandom(32))
        os.environ["CREDENTIALS_DIRECTORY"] = server.home
        server.start()
        made = server.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        assert made.status == 200
        server.share, server.root = made.json["recovery_keys_base64"][0], made.json["root_token"]
        wait_for("the server to unseal itself", lambda: is_active(server))
        yield server


def test_a_server_that_unseals_itself_is_unsealed_after_a_restart():
    with with_credential() as server:
        assert server.stop() == 0
        server.start()
        wait_for("the server to be active", lambda: is_active(server))


def keys_of(server):
    with sqlite3.connect(os.path.join(server.home, "bawn.db")) as file:
        return file.execute("SELECT count(*) FROM entry WHERE key = 'core/auto-root-key'").fetchone()[0]


def test_a_key_that_is_not_wanted_any_more_goes_with_the_old_shares():
    with with_credential() as server:
        assert server.stop() == 0
        server.extra = SEAL.replace("type=credential", "type=shamir")
        server.start()
        assert server.call("PUT", "sys/unseal", {"key": server.share}).status == 200
        wait_for("the server to be active", lambda: is_active(server))
        assert keys_of(server) == 1
        begun = server.call("PUT", "sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1}, token=server.root)
        assert begun.status == 200, begun.body
        done = server.call("PUT", "sys/rekey/update", {"key": server.share, "nonce": begun.json["nonce"]}, token=server.root)
        assert done.status == 200 and done.json["complete"], done.body
        assert keys_of(server) == 0


def test_a_server_that_is_told_to_stop_before_it_serves_gives_back_what_it_has():
    with with_credential() as server:
        assert server.stop() == 0
        before = len(server.read_log())
        # Nobody can be elected as long as somebody else writes, and the start waits for a moment whether that happens.
        with open(os.path.join(server.home, "log"), "ab") as log, \
             sqlite3.connect(os.path.join(server.home, "bawn.db"), isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            process = subprocess.Popen([BAWND, "--config", server.config], stdout=log, stderr=log)
            wait_for("the keys to be in memory", lambda: "core: unsealed" in server.read_log()[before:])
            process.send_signal(signal.SIGTERM)
            # What the signal ends at once has ended by then.
            wait_for("the server to go on, or end", lambda: "bawn server started" in server.read_log()[before:] or process.poll() is not None)
            other.execute("ROLLBACK")
            assert process.wait(timeout=PATIENCE) == 0
        assert "core: sealed: the server stops" in server.read_log()[before:], server.read_log()[before:]


if __name__ == "__main__":
    run_all(globals())
