# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starting while the storage is not there yet, or does not want us."""

import http.server
import os
import signal
import subprocess
import threading

from bawn_server import BAWND, PATIENCE, Server, free_port, run_all, wait_for


class Storage(http.server.BaseHTTPRequestHandler):
    """As much of Consul as a server asks for before it is initialised."""
    refusal = None

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("X-Consul-Index", "5")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(404, b"")

    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.refusal:
            self.answer(403, self.refusal)
        else:
            self.answer(409, b'{"Results":null,"Errors":[{"OpIndex":0,"What":"key \\"x\\" doesn\'t exist"}]}')

    def log_message(self, *args):
        pass


class Refusing(Storage):
    refusal = b"ACL not found"


class Running:
    """A storage that is there."""

    def __init__(self, handler, port):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        # Whoever is killed does not wait for the answer.
        self.server.handle_error = lambda *_: None
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Starting:
    """bawnd that need not come to serving."""

    def __init__(self, tmp, storage, extra=""):
        self.tmp = tmp
        self.port = free_port()
        self.config = os.path.join(tmp, "start.conf")
        self.log = os.path.join(tmp, "start.log")
        with open(self.config, "w") as f:
            f.write("[server]\ndisable-mlock=true\n[listener]\naddress=127.0.0.1:%d\ntls-disable=true\n"
                    "[storage]\ntype=consul\naddress=127.0.0.1:%d\n[service-registration]\ntype=none\n%s" % (
                        self.port, storage, extra))

    def __enter__(self):
        self.out = open(self.log, "wb")
        self.process = subprocess.Popen([BAWND, "--config", self.config], stdout=self.out, stderr=self.out,
                                        stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()
        self.out.close()

    def read_log(self):
        with open(self.log) as f:
            return f.read()

    def wait_until_it_waits(self):
        def waits():
            assert self.process.poll() is None, self.read_log()
            return "cannot be reached yet" in self.read_log()
        wait_for("bawnd to say that it waits", waits)

    def wait_until_it_serves(self):
        client = Server(tls=False, start=False)
        client.port = self.port

        def answers():
            assert self.process.poll() is None, self.read_log()
            try:
                return client.call("GET", "sys/health").status
            except OSError:
                return None
        return wait_for("bawnd to answer", answers)


def test_a_storage_that_is_not_there_yet_is_waited_for(tmp):
    storage = free_port()
    with Starting(tmp, storage) as node:
        node.wait_until_it_waits()
        assert "storage consul of [storage] at 127.0.0.1:%d" % storage in node.read_log(), node.read_log()
        node.process.send_signal(signal.SIGHUP)
        with Running(Storage, storage):
            assert node.wait_until_it_serves() == 501
            assert "is reached" in node.read_log(), node.read_log()


def test_a_storage_for_elections_is_waited_for_too(tmp):
    data, elections = free_port(), free_port()
    with Running(Storage, data), Starting(tmp, data, "[ha-storage]\ntype=consul\naddress=127.0.0.1:%d\n" % elections) as node:
        node.wait_until_it_waits()
        assert "of [ha-storage] at 127.0.0.1:%d" % elections in node.read_log(), node.read_log()
        with Running(Storage, elections):
            assert node.wait_until_it_serves() == 501


def test_who_waits_can_be_ended(tmp):
    for end in (signal.SIGTERM, signal.SIGINT):
        with Starting(tmp, free_port()) as node:
            node.wait_until_it_waits()
            node.process.send_signal(end)
            assert node.process.wait(timeout=PATIENCE) == 0


def test_who_is_refused_does_not_wait(tmp):
    storage = free_port()
    with Running(Refusing, storage), Starting(tmp, storage) as node:
        assert node.process.wait(timeout=PATIENCE) == 78
        assert node.read_log().count("ACL not found") == 1, node.read_log()


def test_a_mistake_is_told_once_and_before_any_wait(tmp):
    with Starting(tmp, free_port(), "[ha-storage]\ntype=consul\nadress=x\n[ha]\nlease-tll=3s\n") as node:
        assert node.process.wait(timeout=PATIENCE) == 78
        log = node.read_log()
        assert log.count("adress") == 1 and log.count("lease-tll") == 1 and "reached" not in log, log


def test_an_address_that_is_taken_is_told_once(tmp):
    storage = free_port()
    with Running(Storage, storage), Starting(tmp, storage) as first:
        first.wait_until_it_serves()
        second = subprocess.run([BAWND, "--config", first.config], capture_output=True, text=True, timeout=PATIENCE)
        # Not 78: a service manager should try again.
        assert second.returncode == 1 and (second.stdout + second.stderr).count("127.0.0.1:%d" % first.port) == 1, second


def test_a_file_that_cannot_be_opened_is_not_waited_for(tmp):
    with Starting(tmp, free_port()) as node:
        node.process.kill()
        with open(node.config, "w") as f:
            f.write("[server]\ndisable-mlock=true\n[listener]\naddress=127.0.0.1:%d\ntls-disable=true\n"
                    "[storage]\ntype=sqlite\npath=%s/nowhere/bawn.db\n" % (node.port, tmp))
        result = subprocess.run([BAWND, "--config", node.config], capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 78 and "nowhere" in result.stderr, result


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="bawn-test-") as folder:
        run_all(globals(), folder)
