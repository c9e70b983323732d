#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawnd with somebody who plays the service manager: what it is told, what it passes, what it keeps."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from bawn_server import BAWND, PATIENCE, Server, run_all, wait_for  # noqa: E402

KEPT = "bawn-stored-root-key"


class Manager:
    """Listens to a server, and starts it as a service manager would."""

    def __init__(self, tmp, seal="", server="", ha=""):
        self.server = Server(tls=False, extra="[seal]\n%s\n[ha]\n%s\n" % (seal, ha), server=server, start=False)
        self.server.write_config()
        home = tempfile.mkdtemp(dir=tmp)
        self.path = os.path.join(home, "notify")
        self.credentials = os.path.join(home, "credentials")
        os.mkdir(self.credentials)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.said = []
        self.kept = {}

    def start(self, **environment):
        fds = list(self.kept.values())
        names = ":".join(self.kept)
        command = ["sh", "-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$@\"", "sh", BAWND, "--config", self.server.config]

        def hand_over():
            for i, fd in enumerate(fds):
                os.dup2(fd, 3 + i)

        self.said = []
        environment = dict(os.environ, NOTIFY_SOCKET=self.path, CREDENTIALS_DIRECTORY=self.credentials, **environment)
        if fds:
            environment.update(LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
        self.server.log = open(os.path.join(self.server.home, "log"), "ab")
        self.server.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.server.log, stderr=self.server.log,
                                               env=environment, preexec_fn=hand_over if fds else None, close_fds=not fds)
        self.wait_for("READY=1")

    def listen(self):
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
            except BlockingIOError:
                return
            lines = text.decode().splitlines()
            self.said += lines
            name = dict(line.split("=", 1) for line in lines).get("FDNAME")
            if "FDSTOREREMOVE=1" in lines and name in self.kept:
                os.close(self.kept.pop(name))
            if "FDSTORE=1" in lines:
                self.kept[name] = self.away(fds[0])
                os.close(fds[0])

    @staticmethod
    def away(fd):
        """A copy that is far from the numbers that a process is handed."""
        return fcntl.fcntl(fd, fcntl.F_DUPFD, 10)

    def wait_for(self, beginning):
        def heard():
            self.listen()
            if self.server.process.poll() is not None and not any(line.startswith(beginning) for line in self.said):
                raise AssertionError("bawnd has ended:\n" + self.server.read_log())
            return next((line for line in self.said if line.startswith(beginning)), None)

        return wait_for(beginning, heard)

    def wait_status(self, beginning):
        """The newest status line, once it begins so."""
        def newest():
            self.listen()
            lines = [line for line in self.said if line.startswith("STATUS=")]
            return lines and lines[-1].startswith("STATUS=" + beginning)

        wait_for("the status " + beginning, newest)

    def is_sealed(self):
        return self.server.call("GET", "sys/seal-status").json["sealed"]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.__exit__(*exc)
        self.socket.close()
        for fd in self.kept.values():
            os.close(fd)


def test_a_life_is_told(tmp):
    with Manager(tmp, server="shutdown-timeout=90s") as manager:
        manager.start()
        manager.wait_status("not initialized")
        manager.server.init(3, 2)
        manager.wait_status("sealed, 0 of 2 shares")
        manager.server.call("PUT", "sys/unseal", {"key": manager.server.shares[0]})
        manager.wait_status("sealed, 1 of 2 shares")
        manager.server.call("PUT", "sys/unseal", {"key": manager.server.shares[1]})
        manager.wait_status("active since ")
        manager.said = []
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        manager.server.process.send_signal(signal.SIGHUP)
        manager.wait_for("READY=1")
        assert manager.said.index("RELOADING=1") < manager.said.index("READY=1"), manager.said
        when = int(manager.wait_for("MONOTONIC_USEC=").split("=")[1])
        assert before <= when <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        manager.server.process.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert int(manager.wait_for("EXTEND_TIMEOUT_USEC=").split("=")[1]) > 90 * 1000000
        assert manager.server.process.wait(timeout=PATIENCE) == 0
        manager.server.process = None


def test_the_watchdog_is_answered_while_it_turns(tmp):
    with Manager(tmp) as manager:
        manager.start(WATCHDOG_USEC="400000")
        for _ in range(3):
            manager.said = []
            manager.wait_for("WATCHDOG=1")
        manager.server.process.send_signal(signal.SIGSTOP)
        wait_for("it to stand still", lambda: open("/proc/%d/stat" % manager.server.pid).read().rsplit(")", 1)[1].split()[0] == "T")
        manager.listen()
        manager.said = []
        time.sleep(0.5)
        manager.listen()
        assert manager.said == [], manager.said
        manager.server.process.send_signal(signal.SIGCONT)
        manager.wait_for("WATCHDOG=1")


def test_the_lease_of_a_dead_predecessor_is_freed(tmp):
    """Nobody has run bawnd --release-lease; and the lease lasts longer than anybody here waits."""
    with Manager(tmp, ha="lease-ttl=60s") as manager:
        runtime = tempfile.mkdtemp(dir=tmp)
        manager.start(RUNTIME_DIRECTORY=runtime)
        manager.server.ready()
        manager.wait_status("active since ")
        manager.server.stop(signal.SIGKILL)
        assert os.listdir(runtime) == ["lease"]
        manager.start(RUNTIME_DIRECTORY=runtime)
        manager.server.unseal()
        manager.wait_status("active since ")
        log = manager.server.read_log()
        assert "the lease of the process before this one, which died, is free" in log, log


def test_the_key_is_kept_and_forgotten(tmp):
    with Manager(tmp, seal="keep-over-restart=true") as manager:
        manager.start()
        manager.server.ready()
        wait_for("the key to be kept", lambda: manager.listen() or KEPT in manager.kept)
        manager.server.stop(signal.SIGKILL)
        manager.start()
        assert manager.is_sealed() is False
        assert manager.server.stop() == 0
        manager.listen()
        assert KEPT in manager.kept
        manager.start()
        assert manager.is_sealed() is False
        manager.server.call("PUT", "sys/seal")
        wait_for("the key to be forgotten", lambda: manager.listen() or KEPT not in manager.kept)
        assert manager.server.stop() == 0
        manager.start()
        assert manager.is_sealed() is True


def test_a_key_of_another_storage_is_of_no_use(tmp):
    with Manager(tmp, seal="keep-over-restart=true") as first:
        first.start()
        first.server.ready()
        wait_for("the key to be kept", lambda: first.listen() or KEPT in first.kept)
        with Manager(tmp, seal="keep-over-restart=true") as second:
            second.start()
            second.server.init()
            assert second.server.stop() == 0
            second.kept[KEPT] = Manager.away(first.kept[KEPT])
            second.start()
            assert second.is_sealed() is True
            wait_for("the key to be forgotten", lambda: second.listen() or KEPT not in second.kept)


def test_a_node_unseals_itself(tmp):
    with Manager(tmp, seal="type=credential\n") as manager:
        key = os.path.join(manager.credentials, "unseal-key")
        # Without a key it waits for people, of whom there are none.
        manager.start()
        assert manager.server.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).status == 503
        assert manager.server.stop() == 0
        with open(key, "wb") as f:
            f.write(bytes(32))
        manager.start()
        made = manager.server.call("PUT", "sys/init", {"recovery_shares": 3, "recovery_threshold": 2}).json
        assert made["keys"] == [] and len(made["recovery_keys"]) == len(made["recovery_keys_base64"]) == 3, made
        manager.server.root = made["root_token"]
        wait_for("the node to unseal itself", lambda: not manager.is_sealed())
        status = manager.server.call("GET", "sys/seal-status").json
        assert (status["type"], status["recovery_seal"], status["t"], status["n"]) == ("credential", True, 2, 3), status
        rekey_recovery(manager.server, made["recovery_keys"])
        assert manager.server.stop() == 0
        manager.start()
        assert manager.is_sealed() is False
        assert manager.server.stop() == 0
        os.unlink(key)
        manager.start()
        assert manager.is_sealed() is True
        for share in manager.server.shares[:2]:
            manager.server.call("PUT", "sys/unseal", {"key": share})
        assert manager.is_sealed() is False


def rekey_recovery(server, shares):
    """New recovery shares, which the server has then."""
    begun = server.call("PUT", "sys/rekey-recovery-key/init", {"secret_shares": 2, "secret_threshold": 2})
    assert begun.status == 200, begun.body
    for share in shares[:2]:
        done = server.call("PUT", "sys/rekey-recovery-key/update", {"key": share, "nonce": begun.json["nonce"]})
        assert done.status == 200, done.body
    server.shares = done.json["keys"]
    assert len(server.shares) == 2, done.json


def test_what_makes_no_sense_is_refused(tmp):
    for lines, complaint in [("type=magic", "type"), ("credential=a/b\ntype=credential", "not the name of a credential"),
                             ("credential=x", "of use only with type=credential"), ("keep-over-restart=maybe", "keep-over-restart")]:
        server = Server(tls=False, extra="[seal]\n" + lines, start=False)
        server.write_config()
        done = subprocess.run([BAWND, "--check-config", "--config", server.config], capture_output=True, text=True, timeout=PATIENCE)
        shutil.rmtree(server.home)
        assert done.returncode == 78 and complaint in done.stderr, (lines, done.returncode, done.stderr)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="bawn-test-") as folder:
        run_all(globals(), folder)
