# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may see a node's metrics, and when."""

import contextlib
import urllib.error
import urllib.request

from bawn_server import PATIENCE, Server, free_port, run_all

PROMETHEUS = "text/plain; version=0.0.4"


@contextlib.contextmanager
def two_listeners():
    """A server whose second listener shows its metrics to anybody: the server, and a function that asks there."""
    port = free_port()
    with Server(extra="[listener open]\naddress=127.0.0.1:%d\nunauthenticated-metrics=true" % port) as server:
        def ask(path, token=None):
            request = urllib.request.Request("http://127.0.0.1:%d/v1/%s" % (port, path))
            if token:
                request.add_header("X-Vault-Token", token)
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                    return answer.status, answer.headers["Content-Type"], answer.read().decode()
            except urllib.error.HTTPError as e:
                with e:
                    return e.code, e.headers["Content-Type"], e.read().decode()

        yield server, ask


def test_they_are_open_before_there_is_anything():
    with two_listeners() as (_, ask):
        status, kind, text = ask("sys/metrics?format=prometheus")
        assert status == 200 and kind.startswith(PROMETHEUS), (status, kind)
        assert "\nvault_core_unsealed 0\n" in text, text


def test_they_are_open_on_their_listener_only():
    with two_listeners() as (server, ask):
        server.ready()
        assert "\nvault_core_active 1\n" in ask("sys/metrics?format=prometheus")[2]
        assert server.call("GET", "sys/metrics", token="nobody").status == 403
        assert server.call("GET", "sys/metrics").status == 200


def test_they_are_open_on_a_sealed_node():
    with two_listeners() as (server, ask):
        server.ready()
        assert server.call("PUT", "sys/seal").status == 204
        status, _, text = ask("sys/metrics?format=prometheus")
        assert status == 200 and "\nvault_core_unsealed 0\n" in text, text
        assert 'bawn_ha_last_change{reason="' in text, text
        assert server.call("GET", "sys/metrics").status == 503


def test_a_token_makes_no_difference():
    with two_listeners() as (server, ask):
        server.ready()
        assert ask("sys/metrics", token="nobody")[0] == 200


def test_nothing_else_is_open():
    with two_listeners() as (server, ask):
        server.ready()
        assert ask("sys/host-info")[0] == 403
        assert ask("sys/mounts")[0] == 403
        assert ask("sys/metrics/more")[0] in (403, 404)


if __name__ == "__main__":
    run_all(globals())
