# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawnd as a program: configuration, start-up, signals, and what survives them."""

import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import threading

from bawn_server import BAWND, PATIENCE, Server, free_port, run_all, wait_for


def run(*args, text=None, env=None, **kwargs):
    return subprocess.run([BAWND] + list(args), capture_output=True, text=True, timeout=PATIENCE, env=env, **kwargs)


def check(tmp, text, env=None):
    path = os.path.join(tmp, "check.conf")
    with open(path, "w") as f:
        f.write(text)
    return run("--config", path, "--check-config", env=dict(os.environ, **(env or {}))), path


def test_check_config_names_file_line_group_and_key(tmp):
    result, path = check(tmp, "[listener]\naddress=127.0.0.1:8200\ntls-disable=maybe\n\n[storage]\ntype=sqlite\n"
                              "path=/tmp/x.db\ncach-size=1M\n\n[serverr]\nx=y\n")
    assert result.returncode == 78, result
    assert "%s:3: [listener] tls-disable" % path in result.stderr, result.stderr
    assert "%s:8: [storage] cach-size" % path in result.stderr, result.stderr
    assert "%s:10: [serverr]" % path in result.stderr, result.stderr


def test_check_config_accepts_a_good_one(tmp):
    result, _ = check(tmp, "[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n[storage]\ntype=sqlite\npath=/tmp/x.db\n")
    assert result.returncode == 0, result


def test_drop_ins_and_the_environment_override(tmp):
    os.makedirs(os.path.join(tmp, "check.conf.d"), exist_ok=True)
    drop_in = os.path.join(tmp, "check.conf.d", "10-level.conf")
    with open(drop_in, "w") as f:
        f.write("[server]\nlog-level=loud\n")
    base = "[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n[storage]\ntype=memory\n"
    result, _ = check(tmp, base)
    assert result.returncode == 78 and drop_in + ":2: [server] log-level" in result.stderr, result.stderr
    os.unlink(drop_in)
    result, _ = check(tmp, base, {"BAWN_SERVER_LOG_LEVEL": "louder"})
    assert result.returncode == 78 and "BAWN_SERVER_LOG_LEVEL" in result.stderr, result.stderr
    result, _ = check(tmp, base, {"BAWN_ADDR": "https://x", "BAWN_TOKEN": "y"})
    assert result.returncode == 0, result


def test_a_wildcard_is_no_address_for_others(tmp):
    result, _ = check(tmp, "[server]\napi-addr=https://0.0.0.0:8200\n[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n"
                           "[storage]\ntype=memory\n")
    assert result.returncode == 78 and "[server] api-addr" in result.stderr, result.stderr


def test_plain_http_beyond_loopback_must_be_wanted(tmp):
    result, _ = check(tmp, "[listener]\naddress=0.0.0.0:8200\n[storage]\ntype=memory\n")
    assert result.returncode == 78 and "tls" in result.stderr, result.stderr


def test_check_config_finds_files_that_a_start_would_miss(tmp):
    result, path = check(tmp, """[listener]
address=127.0.0.1:8200
tls-cert-file=/nowhere/cert.pem
tls-key-file=/nowhere/key.pem
[storage]
type=etcd
scheme=https
tls-ca-file=/nowhere/ca.pem
username=bawn
password-file=/nowhere/password
[ha-storage]
type=consul
token-file=/nowhere/token
[service-registration]
type=consul
token-file=/nowhere/other
""")
    assert result.returncode == 78, result
    for line, key in ((3, "[listener] tls-cert-file"), (8, "[storage] tls-ca-file"), (13, "[ha-storage] token-file"),
                      (16, "[service-registration] token-file")):
        assert result.stderr.count("%s:%d: %s: " % (path, line, key)) == 1, (key, result)
    result, path = check(tmp, "[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n[storage]\ntype=etcd\nusername=bawn\n"
                              "password-file=/nowhere/password\n")
    assert result.returncode == 78 and "%s:7: [storage] password-file: " % path in result.stderr, result
    result, path = check(tmp, "[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n[storage]\ntype=zookeeper\n"
                              "tls-enabled=true\ntls-ca-file=/nowhere/ca.pem\n")
    assert result.returncode == 78 and "%s:7: [storage] tls-ca-file: " % path in result.stderr, result


def test_check_config_accepts_files_that_are_there(tmp):
    server = Server(start=False, home=tmp)
    server.write_config()
    result = run("--config", server.config, "--check-config")
    assert result.returncode == 0 and result.stderr == "", result


def test_check_config_finds_storages_that_do_not_fit(tmp):
    base = "[listener]\naddress=127.0.0.1:8200\ntls-disable=true\n"
    result, path = check(tmp, base + "[storage]\ntype=memory\n[ha-storage]\ntype=etcd\n")
    assert result.returncode == 78 and "[ha-storage]: of no use" in result.stderr, result
    result, path = check(tmp, base + "[storage]\ntype=etcd\n[ha-storage]\ntype=etcd\nha-enabled=false\n")
    assert result.returncode == 78 and "%s:8: [ha-storage] ha-enabled: " % path in result.stderr, result


def test_check_config_warns_of_what_may_be_right_at_the_start(tmp):
    result, _ = check(tmp, """[server]
api-addr=http://{{ GetInterfaceIP "bawn-nowhere0" }}:8200
cluster-addr=https://{{ GetInterfaceIP "lo" }}:8201
[listener]
address=127.0.0.1:8200
tls-disable=true
[listener local]
address=unix:/nowhere/listener/bawn.sock
[storage]
type=sqlite
path=/nowhere/storage/bawn.db
[ha]
lease-file=/nowhere/lease/lease
""")
    assert result.returncode == 0 and "see the warnings" in result.stdout, result
    for warning in ('[server] api-addr: there is no interface "bawn-nowhere0"', "[listener local] address: there is no folder /nowhere/listener",
                    "[storage] path: there is no folder /nowhere/storage", "[ha] lease-file: there is no folder /nowhere/lease"):
        assert result.stderr.count("warning: " + warning) == 1, (warning, result)
    assert "cluster-addr" not in result.stderr, result


def test_check_config_warns_of_credentials_that_only_the_service_gets(tmp):
    shell = {k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"}
    server = Server(start=False, home=tmp)
    server.write_config()
    with open(server.config) as f:
        text = f.read()
    listener = text.replace("tls-key-file=", "tls-key-file=credential:listener-key\n#")
    assert listener != text
    path = os.path.join(tmp, "check.conf")
    for lines, key in ((listener, "[listener] tls-key-file: "),
                       ("[listener]\naddress=127.0.0.1:8200\n[storage]\ntype=consul\ntoken-file=credential:storage-token\n",
                        "[storage] token-file: ")):
        with open(path, "w") as f:
            f.write(lines)
        result = run("--config", path, "--check-config", env=shell)
        assert result.returncode == 0 and "see the warnings" in result.stdout, result
        assert result.stderr.startswith("warning: ") and key in result.stderr, result
        assert result.stderr.count("\n") == 1 and result.stderr.endswith(": only the service gets its credentials\n"), result
        with open(path, "a") as f:
            f.write("[nonsense]\nx=y\n")
        result = run("--config", path, "--check-config", env=shell)
        assert result.returncode == 78 and "[nonsense]" in result.stderr and key in result.stderr, result
        result = run("--config", path, "--check-config", env=dict(shell, CREDENTIALS_DIRECTORY=tmp))
        assert result.returncode == 78 and "warning" not in result.stderr, result


def test_a_missing_configuration_is_a_clear_error(tmp):
    result = run("--config", os.path.join(tmp, "nothing.conf"))
    assert result.returncode != 0 and "nothing.conf" in result.stderr, result


def test_version_and_unknown_options(tmp):
    assert run("--version").stdout.startswith("bawnd ")
    assert run("--nonsense").returncode == 1


def test_too_little_lockable_memory_is_said_clearly(tmp):
    path = os.path.join(tmp, "mlock.conf")
    with open(path, "w") as f:
        f.write("[listener]\naddress=127.0.0.1:%d\ntls-disable=true\n[storage]\ntype=memory\n" % free_port())

    def limit():
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

    os.chmod(tmp, 0o755)
    os.chmod(path, 0o644)
    # A build in a folder of root's is out of reach for others.
    program = shutil.copy(BAWND, tmp)
    result = subprocess.run([program, "--config", path], capture_output=True, text=True, timeout=PATIENCE, preexec_fn=limit)
    assert result.returncode != 0 and "RLIMIT_MEMLOCK" in result.stderr, result


def test_the_banner(tmp):
    with Server(tls=False) as server:
        log = server.read_log()
        for part in ("Api Address", "Listener 1", "Storage: sqlite", "Log Level: ", "Version: bawn "):
            assert part in log, log


def test_dev_serves_at_once(tmp):
    port = free_port()
    process = subprocess.Popen([BAWND, "--dev", "--dev-root-token-id", "root", "--dev-listen-address", "127.0.0.1:%d" % port],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        server = Server(tls=False, start=False)
        server.port, server.root = port, "root"

        def ready():
            assert process.poll() is None, process.stdout.read()
            try:
                return server.call("GET", "sys/health").status == 200
            except OSError:
                return False

        wait_for("--dev", ready)
        assert server.call("POST", "secret/data/a", {"data": {"b": "c"}}).status == 200
        assert server.call("GET", "secret/data/a").data["data"] == {"b": "c"}
    finally:
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0 and "Root Token: root" in out, out


def test_sigterm_seals_and_ends(tmp):
    with Server(tls=False) as server:
        server.ready()
        server.call("POST", "sys/mounts/kv", {"type": "kv"})
        server.call("POST", "kv/a", {"x": 1})
        assert server.stop(signal.SIGTERM) == 0
        assert "sealed" in server.read_log()
        server.start()
        assert server.call("GET", "kv/a").status == 503
        server.unseal()
        assert server.call("GET", "kv/a").data == {"x": 1}


def test_sighup_reloads_certificates(tmp):
    with Server() as server:
        server.ready()
        old = open(server.cert).read()
        server.make_certificate()
        assert open(server.cert).read() != old
        server.process.send_signal(signal.SIGHUP)

        def with_new():
            try:
                return server.call("GET", "sys/health").status == 200
            except OSError:
                return False

        wait_for("the new certificate", with_new)
        with open(server.cert, "w") as f:
            f.write("nonsense")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the complaint", lambda: "certificate" in server.read_log().split("opened again")[-2] + server.read_log())


def test_a_unix_socket(tmp):
    home = os.path.join(tmp, "unix")
    os.makedirs(home)
    path = os.path.join(home, "s")
    with Server(tls=False, home=home, listener="[listener local]\naddress=unix:%s" % path) as server:
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        s.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while chunk := s.recv(4096):
            answer += chunk
        assert b" 501 " in answer.split(b"\r\n")[0], answer


def test_every_acknowledged_write_survives_sigkill(tmp):
    with Server(tls=False) as server:
        server.ready()
        server.call("POST", "sys/mounts/kv", {"type": "kv"})
        acknowledged = {}
        rng = random.Random(7)
        for round_number in range(6):
            stop = threading.Event()

            def write(worker):
                n = 0
                while not stop.is_set():
                    key, value = "kv/w%d-%d" % (worker, n % 50), "%d/%d" % (round_number, n)
                    try:
                        reply = server.call("POST", key, {"v": value})
                    except OSError:
                        return
                    if reply.status == 204:
                        acknowledged[key] = value
                    n += 1

            before = len(acknowledged)
            threads = [threading.Thread(target=write, args=(i,)) for i in range(4)]
            for t in threads:
                t.start()
            wanted = 10 + rng.randrange(100)
            wait_for("some writes", lambda: len(acknowledged) >= min(before + wanted, 150) or stop.is_set())
            server.stop(signal.SIGKILL)
            stop.set()
            for t in threads:
                t.join()
            server.start()
            server.unseal()
            # The lease of the one that was killed has to run out.
            wait_for("it to be active", lambda: server.call("GET", "sys/health").status == 200)
            for key, value in acknowledged.items():
                stored = server.call("GET", key).data["v"]
                # A write that was sent and never acknowledged may be there instead: a later one of the same worker.
                assert tuple(map(int, stored.split("/"))) >= tuple(map(int, value.split("/"))), (key, value, stored)
                acknowledged[key] = stored


def test_a_second_server_on_the_same_file_stands_by(tmp):
    with Server(tls=False) as first:
        first.ready()
        first.call("POST", "sys/mounts/kv", {"type": "kv"})
        first.call("POST", "kv/a", {"x": 1})
        second = Server(tls=False, home=first.home, start=False)
        second.config = os.path.join(first.home, "second.conf")
        with second:
            second.start()
            second.shares, second.root = first.shares, first.root
            second.unseal()
            leader = second.call("GET", "sys/leader").json
            assert not leader["is_self"] and leader["leader_address"] == first.url, leader
            assert second.call("GET", "sys/health").status == 429
            first.stop(signal.SIGKILL)
            wait_for("the second to take over", lambda: second.call("GET", "sys/leader").json["is_self"])
            assert second.call("GET", "kv/a").data == {"x": 1}
            assert second.call("POST", "kv/a", {"x": 2}).status == 204


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="bawn-test-") as folder:
        run_all(globals(), folder)
