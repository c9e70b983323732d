# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bawnd of one's own for a test, and a few lines of TAP."""

import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

BUILD = os.environ.get("builddir", os.path.join(os.path.dirname(__file__), "../../build"))
SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "../.."))
BAWND = os.environ.get("BAWND", os.path.join(BUILD, "bawnd"))
BAWN = os.environ.get("BAWN", os.path.join(BUILD, "src/cli/bawn"))
# How long a condition is waited for before it counts as never; a slow machine is not a failure.
PATIENCE = 120


# Below those that the kernel gives to whoever connects.
PORTS = range(15000, 32000, 2)


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    """A port that nobody has, nor the next one, where other nodes connect."""
    return wait_for("two free ports", lambda: next(
        (port for port in random.sample(PORTS, 100) if is_free(port) and is_free(port + 1)), None))


def wait_for(what, condition):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError("waited in vain for " + what)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    @property
    def data(self):
        return self.json["data"]

    @property
    def errors(self):
        return self.json["errors"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


class Server:
    """bawnd on a file, with TLS, on a free port. Use as a context manager."""

    def __init__(self, tls=True, storage="sqlite", extra="", listener="", server="", home=None, start=True):
        self.own_home = home is None
        self.home = home or tempfile.mkdtemp(prefix="bawn-test-")
        self.tls, self.storage, self.extra, self.listener, self.server = tls, storage, extra, listener, server
        self.port = free_port()
        self.process = None
        self.root = None
        self.shares = []
        self.cert = os.path.join(self.home, "cert.pem")
        self.key = os.path.join(self.home, "key.pem")
        self.config = os.path.join(self.home, "bawn.conf")
        if tls and not os.path.exists(self.cert):
            self.make_certificate()
        if start:
            self.start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % ("https" if self.tls else "http", self.port)

    @property
    def pid(self):
        return self.process.pid

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.key, "-out", self.cert], check=True, capture_output=True)

    def write_config(self):
        lines = ["[server]", self.server, "[listener]", "address=127.0.0.1:%d" % self.port]
        if self.tls:
            lines += ["tls-cert-file=" + self.cert, "tls-key-file=" + self.key]
        else:
            lines += ["tls-disable=true"]
        lines += [self.listener, "[storage]", "type=" + self.storage]
        if self.storage == "sqlite":
            lines += ["path=" + os.path.join(self.home, "bawn.db")]
        lines += [self.extra, ""]
        with open(self.config, "w") as f:
            f.write("\n".join(lines))

    def start(self):
        self.write_config()
        self.log = open(os.path.join(self.home, "log"), "ab")
        wrapper = os.environ.get("BAWND_WRAPPER", "").split()
        self.process = subprocess.Popen(wrapper + [BAWND, "--config", self.config, "--log-level", "debug"],
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)

        def answers():
            if self.process.poll() is not None:
                raise AssertionError("bawnd ended with %d:\n%s" % (self.process.returncode, self.read_log()))
            try:
                return self.call("GET", "sys/health").status
            except (OSError, urllib.error.URLError):
                return None

        wait_for("bawnd to answer", answers)

    def stop(self, signum=signal.SIGTERM):
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signum)
        code = self.process.wait(timeout=PATIENCE)
        self.process = None
        self.log.close()
        return code

    def read_log(self):
        with open(os.path.join(self.home, "log"), errors="replace") as f:
            return f.read()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        code = self.stop()
        log = self.read_log()
        # A list of tests that all went well ends the program: its server must have ended well too.
        good = exc[0] is None or (exc[0] is SystemExit and not exc[1].code)
        if not good:
            for line in log.splitlines()[-60:]:
                print("# bawnd: " + line)
        if self.own_home:
            shutil.rmtree(self.home, ignore_errors=True)
        if good:
            for bad in ("CRITICAL", "WARNING **", "ERROR: AddressSanitizer", "LeakSanitizer", "runtime error:"):
                assert bad not in log, "the log has %s:\n%s" % (bad, log)
            assert code == 0, "bawnd ended with %d:\n%s" % (code, log)

    def context(self):
        return ssl.create_default_context(cafile=self.cert) if self.tls else None

    def call(self, method, path, body=None, token=None, headers=None, raw=None):
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(self.url + "/v1/" + path, data=data, method=method)
        token = token if token is not None else self.root
        if token:
            request.add_header("X-Vault-Token", token)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        handlers = [NoRedirect]
        if self.tls:
            handlers.append(urllib.request.HTTPSHandler(context=self.context()))
        opener = urllib.request.build_opener(*handlers)
        try:
            with opener.open(request, timeout=PATIENCE) as answer:
                return Reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as e:
            with e:
                return Reply(e.code, e.headers, e.read())

    def init(self, shares=1, threshold=1):
        reply = self.call("PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold})
        assert reply.status == 200, reply.body
        self.shares = reply.json["keys"]
        self.root = reply.json["root_token"]
        return reply.json

    def unseal(self):
        status = None
        for share in self.shares:
            status = self.call("PUT", "sys/unseal", {"key": share}).json
            if not status["sealed"]:
                break
        return status

    def ready(self):
        self.init()
        self.unseal()
        return self

    def cli(self, *args, stdin=None, env=None):
        environment = dict(os.environ, BAWN_ADDR=self.url, HOME=self.home)
        if self.tls:
            environment["BAWN_CACERT"] = self.cert
        if self.root:
            environment["BAWN_TOKEN"] = self.root
        environment.update(env or {})
        return subprocess.run([BAWN] + list(args), input=stdin, capture_output=True, text=True, env=environment,
                              timeout=PATIENCE)


class Tap:
    """Runs functions whose names begin with test_ and says how they went."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def run(self, name, function, *args):
        self.count += 1
        try:
            function(*args)
            print("ok %d - %s" % (self.count, name), flush=True)
        except BaseException as e:  # noqa: a test that ends the program has failed too
            self.failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (self.count, name), flush=True)
            if isinstance(e, KeyboardInterrupt):
                raise

    def done(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.failed else 0)


def run_all(namespace, *args):
    tap = Tap()
    for name, function in list(namespace.items()):
        if name.startswith("test_") and callable(function):
            tap.run(name[5:].replace("_", " "), function, *args)
    tap.done()
