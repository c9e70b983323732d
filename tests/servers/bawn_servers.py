# SPDX-License-Identifier: LGPL-2.1-or-later
"""Storage servers of one's own for a test: etcd, Consul, ZooKeeper; one node or several, on loopback.

    with Etcd(nodes=3) as servers:
        servers.settings            # [("address", "http://127.100.7.1:2379,…"), …]: lines for [storage]
        servers.kill(2)             # SIGKILL; nodes count from 1
        servers.start(2)            # comes back with its data; returns when a write works there
        servers.pause(1); servers.resume(1); servers.restart(3)

Everything that is started ends with the program that started it, however that ends.
"""

import base64
import contextlib
import glob
import http.client
import json
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

# How long a condition is waited for before it counts as never; a slow machine is not a failure.
PATIENCE = 120
# How long one question to a server may take before it is asked again, by whoever asks again: a busy machine needs its time.
ANSWER = 30


class NotInstalled(Exception):
    """The program of a server is not on this machine."""


def wait_for(what, condition, patience=PATIENCE, pause=0.03):
    deadline = time.monotonic() + patience
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(pause)


class Keeper:
    """Kills what it was told of as soon as this program has ended, even if by SIGKILL.

    A process of its own, which has the other end of a pipe. It holds each child by a descriptor, so that a number that was given
    to another process meanwhile does no harm.
    """

    lock = threading.Lock()
    pipe = None

    @classmethod
    def tell(cls, line):
        with cls.lock:
            if cls.pipe is None:
                ours, theirs = os.pipe()
                if os.fork() == 0:
                    os.close(theirs)
                    cls.watch(ours)
                os.close(ours)
                cls.pipe = theirs
            os.write(cls.pipe, line.encode())

    @classmethod
    def watch(cls, pipe):
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_IGN)
            # Nothing of the program that was copied here may stay open because of us.
            os.dup2(pipe, 3)
            os.closerange(4, os.sysconf("SC_OPEN_MAX"))
            pipe = 3
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            children, folders = {}, set()
            with os.fdopen(pipe, "r") as lines:
                for line in lines:
                    verb, what = line.rstrip("\n").split(" ", 1)
                    if verb == "child":
                        # One that lived for a moment may have ended, and been waited for, before we come to read of it.
                        with contextlib.suppress(ProcessLookupError):
                            children[what] = os.pidfd_open(int(what))
                    elif verb == "ended" and what in children:
                        os.close(children.pop(what))
                    elif verb == "folder":
                        folders.add(what)
            for child in children.values():
                try:
                    signal.pidfd_send_signal(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os._exit(0)


class Process:
    """A program that ends when we do, with its output in a file."""

    def __init__(self, argv, log, env=None):
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                          start_new_session=True)
        Keeper.tell("child %d\n" % self.popen.pid)

    @property
    def pid(self):
        return self.popen.pid

    def ended(self):
        return self.popen.poll() is not None

    def signal(self, number):
        if self.popen.poll() is None:
            self.popen.send_signal(number)

    def stand_still(self):
        """SIGSTOP; returns when no thread of it runs any more, which the signal alone does not say."""
        self.signal(signal.SIGSTOP)
        wait_for("process %d to stop" % self.pid, lambda: all(state in "TtZX" for state in self.thread_states()))

    def thread_states(self):
        states = []
        for path in glob.glob("/proc/%d/task/*/stat" % self.pid):
            try:
                with open(path) as f:
                    states.append(f.read().rpartition(")")[2].split()[0])
            except OSError:
                pass
        return states

    def wait(self, patience=PATIENCE):
        """Returns the exit status, -N for signal N; kills what does not end in time, and says so."""
        try:
            code = self.popen.wait(timeout=patience)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            Keeper.tell("ended %d\n" % self.popen.pid)
            raise AssertionError("process %d did not end" % self.popen.pid) from None
        Keeper.tell("ended %d\n" % self.popen.pid)
        return code

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()


class Folder:
    """A temporary folder that goes away even if we are killed."""

    def __init__(self, name):
        self.path = tempfile.mkdtemp(prefix="bawn-%s-" % name)
        Keeper.tell("folder %s\n" % self.path)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Network:
    """127.a.b.0/24, for as long as this object lives: nobody else who asks in this way has it."""

    def __init__(self, ports=()):
        rng = random.Random(os.urandom(8))
        for _ in range(2000):
            base = "127.%d.%d" % (rng.randrange(100, 200), rng.randrange(1, 255))
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind("\0bawn-test-" + base)
            except OSError:
                claim.close()
                continue
            if all(self.is_free(base + ".1", port) for port in ports):
                self.base, self.claim = base, claim
                return
            claim.close()
        raise AssertionError("no network of loopback is free for ports %s" % (ports,))

    @staticmethod
    def is_free(address, port):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((address, port))
            except OSError:
                return False
        return True

    def address(self, node):
        return "%s.%d" % (self.base, node)

    def release(self):
        self.claim.close()


class Certificates:
    """An authority, a certificate for servers (which are clients of each other too) and one for a client."""

    def __init__(self, folder, addresses):
        self.folder = folder
        self.ca = os.path.join(folder, "ca.pem")
        self.ca_key = os.path.join(folder, "ca-key.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.ca_key,
                     "-out", self.ca, "-subj", "/CN=bawn test authority", "-days", "30",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "basicConstraints=critical,CA:TRUE")
        names = ["DNS:localhost", "DNS:server.dc1.consul"] + ["IP:" + a for a in addresses]
        self.server, self.server_key = self.make("server", "/CN=localhost", "serverAuth,clientAuth", names)
        # Without a common name: etcd's gateway refuses clients that have one once it knows users.
        self.client, self.client_key = self.make("client", "/O=bawn test", "clientAuth", [])

    @staticmethod
    def openssl(*args):
        done = subprocess.run(("openssl",) + args, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def make(self, name, subject, usage, names):
        base = os.path.join(self.folder, name)
        with open(base + ".ext", "w") as f:
            f.write("basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=%s\n" % usage)
            if names:
                f.write("subjectAltName=%s\n" % ",".join(names))
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + "-key.pem",
                     "-out", base + ".csr", "-subj", subject)
        self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial",
                     "-days", "30", "-extfile", base + ".ext", "-out", base + ".pem")
        return base + ".pem", base + "-key.pem"

    @property
    def server_bundle(self):
        bundle = os.path.join(self.folder, "server-bundle.pem")
        with open(bundle, "w") as out:
            for part in (self.server_key, self.server):
                with open(part) as f:
                    out.write(f.read())
        return bundle

    def context(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.client, self.client_key)
        return context


class Servers:
    """What the kinds have in common. Nodes are numbered from 1."""

    kind = None
    ports = ()

    def __init__(self, nodes=1, tls=False, auth=False, start=True):
        self.check_installed()
        self.count, self.tls, self.auth = nodes, tls, auth
        self.network = Network(self.ports)
        self.folder = Folder(self.kind)
        self.processes = {}
        self.paused = set()
        self.certificates = None
        self.credentials = []
        if tls:
            self.certificates = Certificates(self.folder.path, [self.network.address(i) for i in self.nodes])
        if start:
            self.start()

    @classmethod
    def check_installed(cls):
        raise NotImplementedError

    @property
    def nodes(self):
        return range(1, self.count + 1)

    def address(self, node):
        return self.network.address(node)

    def endpoint(self, node):
        """(host, port) of the port for clients."""
        raise NotImplementedError

    def endpoints(self):
        return [self.endpoint(i) for i in self.nodes]

    def location(self, host, port):
        """An endpoint as it is written into the configuration."""
        return "%s://%s:%d" % ("https" if self.tls else "http", host, port)

    def settings_for(self, endpoints):
        """Lines for [storage], with other endpoints (a proxy's) in place of the real ones."""
        lines = [("address", ",".join(self.location(h, p) for h, p in endpoints))]
        if self.tls:
            lines += [("tls-ca-file", self.certificates.ca), ("tls-cert-file", self.certificates.client),
                      ("tls-key-file", self.certificates.client_key)]
        return lines + self.credentials

    @property
    def settings(self):
        return self.settings_for(self.endpoints())

    def log(self, node):
        return os.path.join(self.folder.path, "%s%d.log" % (self.kind, node))

    def data(self, node):
        path = os.path.join(self.folder.path, "%s%d" % (self.kind, node))
        os.makedirs(path, exist_ok=True)
        return path

    def command(self, node):
        raise NotImplementedError

    def answers(self, node):
        """Whether a write works on this node now."""
        raise NotImplementedError

    def set_up(self):
        """Users and the like, once, when the servers run for the first time."""

    def launch(self, node):
        assert node not in self.processes, "node %d runs already" % node
        self.processes[node] = Process(self.command(node), self.log(node))

    def start(self, node=None):
        first = node is None and not self.processes and not self.credentials
        wanted = list(self.nodes) if node is None else [node]
        try:
            for each in wanted:
                if each not in self.processes:
                    self.launch(each)
            for each in wanted:
                self.wait_ready(each)
            if first and self.auth:
                self.set_up()
        except BaseException:
            self.tell()
            self.stop()
            raise

    def wait_ready(self, node):
        def ready():
            if self.processes[node].ended():
                raise AssertionError("%s node %d ended" % (self.kind, node))
            try:
                return self.answers(node)
            except (OSError, EOFError, http.client.HTTPException, ValueError, KeyError, struct.error):
                return False

        wait_for("%s node %d to take a write" % (self.kind, node), ready)

    def kill(self, node):
        self.resume(node)
        self.processes.pop(node).kill()

    def terminate(self, node):
        self.resume(node)
        process = self.processes.pop(node)
        process.signal(signal.SIGTERM)
        process.wait()

    def restart(self, node):
        self.kill(node)
        self.start(node)

    def pause(self, node):
        self.processes[node].stand_still()
        self.paused.add(node)

    def resume(self, node):
        if node in self.paused:
            self.paused.discard(node)
            self.processes[node].signal(signal.SIGCONT)

    def stop(self):
        """Kills all nodes; data and addresses are kept."""
        for node in list(self.processes):
            self.kill(node)

    def close(self):
        self.stop()
        self.folder.remove()
        self.network.release()

    def tell(self):
        """Shows the ends of the logs."""
        for node in self.nodes:
            try:
                with open(self.log(node), errors="replace") as f:
                    for line in f.read().splitlines()[-12:]:
                        print("# %s %d: %s" % (self.kind, node, line[:240]))
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if exc[0] is not None:
            self.tell()
        self.close()

    # HTTP, for those that speak it.

    def call(self, node, method, path, body=None, headers=None):
        host, port = self.endpoint(node)
        if self.tls:
            connection = http.client.HTTPSConnection(host, port, timeout=ANSWER, context=self.certificates.context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=ANSWER)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


class Etcd(Servers):
    kind = "etcd"
    ports = (2379, 2380)

    @classmethod
    def check_installed(cls):
        if shutil.which("etcd") is None:
            raise NotInstalled("etcd is not installed")

    def endpoint(self, node):
        return self.address(node), 2379

    def command(self, node):
        scheme = "https" if self.tls else "http"

        def url(i, port):
            return "%s://%s:%d" % (scheme, self.address(i), port)

        argv = ["etcd", "--name", "e%d" % node, "--data-dir", self.data(node),
                "--listen-client-urls", url(node, 2379), "--advertise-client-urls", url(node, 2379),
                "--listen-peer-urls", url(node, 2380), "--initial-advertise-peer-urls", url(node, 2380),
                "--initial-cluster", ",".join("e%d=%s" % (i, url(i, 2380)) for i in self.nodes),
                "--initial-cluster-token", self.network.base, "--logger=zap",
                "--heartbeat-interval", "50", "--election-timeout", "500", "--pre-vote=true"]
        if self.tls:
            c = self.certificates
            argv += ["--cert-file", c.server, "--key-file", c.server_key, "--trusted-ca-file", c.ca, "--client-cert-auth",
                     "--peer-cert-file", c.server, "--peer-key-file", c.server_key, "--peer-trusted-ca-file", c.ca,
                     "--peer-client-cert-auth"]
        return argv

    def post(self, node, path, fields, token=None):
        headers = {"Authorization": token} if token else {}
        status, body = self.call(node, "POST", "/v3/" + path, json.dumps(fields), headers)
        if status != 200:
            raise ValueError("%s: %d %r" % (path, status, body))
        return json.loads(body)

    def watch(self, node, request):
        """Gives the events of a watch, without end."""
        connection = http.client.HTTPConnection(*self.endpoint(node), timeout=PATIENCE)
        try:
            connection.request("POST", "/v3/watch", json.dumps({"create_request": request}))
            answer = connection.getresponse()
            while True:
                result = json.loads(answer.readline())["result"]
                assert not result.get("canceled"), result
                yield from result.get("events", [])
        finally:
            connection.close()

    def token(self, node):
        if not self.credentials:
            return None
        return self.post(node, "auth/authenticate", {"name": "root", "password": "root-pw"})["token"]

    def answers(self, node):
        key = base64.b64encode(b"bawn-test-ready").decode()
        token = self.token(node)
        self.post(node, "kv/put", {"key": key, "value": key}, token)
        self.post(node, "kv/deleterange", {"key": key}, token)
        return True

    def set_up(self):
        def b64(text):
            return base64.b64encode(text).decode()

        everything = {"permType": "READWRITE", "key": b64(b"\0"), "range_end": b64(b"\0")}
        for path, fields in (("auth/user/add", {"name": "root", "password": "root-pw"}), ("auth/role/add", {"name": "root"}),
                             ("auth/user/grant", {"user": "root", "role": "root"}),
                             ("auth/user/add", {"name": "bawn", "password": "bawn-pw"}), ("auth/role/add", {"name": "bawn"}),
                             ("auth/role/grant", {"name": "bawn", "perm": everything}),
                             ("auth/user/grant", {"user": "bawn", "role": "bawn"}), ("auth/enable", {})):
            self.post(1, path, fields)
        self.credentials = [("username", "bawn"), ("password", "bawn-pw")]


class Consul(Servers):
    kind = "consul"
    ports = (8300, 8301, 8500, 8501)
    common = """
server = true
disable_update_check = true
leave_on_terminate = false
skip_leave_on_interrupt = true
retry_interval = "1s"
log_level = "INFO"
performance { raft_multiplier = 1 }
# All nodes of a test come from one address.
limits { http_max_conns_per_client = 4000 }
"""

    @staticmethod
    def program():
        found = shutil.which("consul")
        if found is None:
            cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME") or "/var/tmp", ".cache")
            found = os.path.join(cache, "bawn/bin/consul")
        return found if os.access(found, os.X_OK) else None

    @classmethod
    def check_installed(cls):
        if cls.program() is None:
            raise NotInstalled("consul is neither in PATH nor where tests/servers/fetch-consul puts it")

    def endpoint(self, node):
        return self.address(node), 8501 if self.tls else 8500

    def command(self, node):
        config = os.path.join(self.folder.path, "consul.hcl")
        if not os.path.exists(config):
            with open(config, "w") as f:
                f.write(self.common + "bootstrap_expect = %d\n" % self.count)
                f.write("ports { dns = -1 serf_wan = -1 grpc = -1 %s }\n" % ("http = -1 https = 8501" if self.tls else ""))
                if self.tls:
                    c = self.certificates
                    f.write('verify_incoming = true\nverify_outgoing = true\nverify_server_hostname = true\n'
                            'ca_file = "%s"\ncert_file = "%s"\nkey_file = "%s"\n' % (c.ca, c.server, c.server_key))
                if self.auth:
                    f.write('acl { enabled = true default_policy = "deny" }\n')
        argv = [self.program(), "agent", "-node=c%d" % node, "-data-dir=" + self.data(node), "-config-file=" + config,
                "-bind=" + self.address(node), "-client=" + self.address(node)]
        if self.count > 1:
            argv += ["-retry-join=" + self.address(i) for i in self.nodes]
        return argv

    def put(self, node, path, body="", token=None):
        status, answer = self.call(node, "PUT", path, body, {"X-Consul-Token": token} if token else {})
        if status != 200:
            raise ValueError("%s: %d %r" % (path, status, answer))
        return json.loads(answer)

    def answers(self, node):
        status, leader = self.call(node, "GET", "/v1/status/leader")
        if status != 200 or leader == b'""':
            return False
        token = self.credentials[0][1] if self.credentials else None
        if self.auth and token is None:
            return True
        key = "/v1/kv/bawn-test-ready"
        if not self.put(node, key, "x", token):
            return False
        self.call(node, "DELETE", key, headers={"X-Consul-Token": token} if token else {})
        return True

    def set_up(self):
        # The servers' tables of rights come a moment after their leader.
        def bootstrap():
            try:
                return self.put(1, "/v1/acl/bootstrap")["SecretID"]
            except ValueError:
                return None

        manager = wait_for("consul's access control to begin", bootstrap)
        rules = 'key_prefix "" { policy = "write" } session_prefix "" { policy = "write" } ' \
                'service_prefix "" { policy = "write" } agent_prefix "" { policy = "read" } node_prefix "" { policy = "read" }'
        self.put(1, "/v1/acl/policy", json.dumps({"Name": "bawn", "Rules": rules}), manager)
        token = self.put(1, "/v1/acl/token", json.dumps({"Policies": [{"Name": "bawn"}]}), manager)["SecretID"]
        self.credentials = [("token", token)]
        for node in self.nodes:
            self.wait_ready(node)


class Zookeeper(Servers):
    kind = "zookeeper"
    ports = (2181, 2281, 2888, 3888)
    # The manifest of Debian's jar names neither of the latter two: without them there are no logs and no TLS.
    jars = ("zookeeper.jar", "netty-codec.jar", "slf4j-simple.jar")

    @classmethod
    def class_path(cls):
        for folder in ("/usr/share/java", "/usr/share/java/zookeeper", "/usr/share/zookeeper"):
            paths = [os.path.join(folder, jar) for jar in cls.jars]
            if all(os.path.exists(path) for path in paths):
                return ":".join(paths)
        return None

    @classmethod
    def check_installed(cls):
        if shutil.which("java") is None:
            raise NotInstalled("java is not installed")
        if cls.class_path() is None:
            raise NotInstalled("the jars of zookeeper, netty and slf4j are not installed")

    def endpoint(self, node):
        return self.address(node), 2281 if self.tls else 2181

    def location(self, host, port):
        return "%s:%d" % (host, port)

    def settings_for(self, endpoints):
        lines = super().settings_for(endpoints) + ([("tls-enabled", "true")] if self.tls else [])
        return lines + ([("auth-info", "digest:bawn:bawn-pw")] if self.auth else [])

    def command(self, node):
        config = os.path.join(self.data(node), "zoo.cfg")
        lines = ["tickTime=500", "initLimit=40", "syncLimit=8", "dataDir=" + self.data(node), "admin.enableServer=false",
                 "maxClientCnxns=0", "4lw.commands.whitelist=*"]
        if self.tls:
            c = self.certificates
            lines += ["secureClientPortAddress=" + self.address(node), "secureClientPort=2281",
                      "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
                      "ssl.keyStore.location=" + c.server_bundle, "ssl.keyStore.type=PEM",
                      "ssl.trustStore.location=" + c.ca, "ssl.trustStore.type=PEM", "ssl.clientAuth=need"]
        else:
            lines += ["clientPortAddress=" + self.address(node), "clientPort=2181"]
        if self.count > 1:
            lines += ["server.%d=%s:2888:3888" % (i, self.address(i)) for i in self.nodes]
        with open(config, "w") as f:
            f.write("\n".join(lines) + "\n")
        with open(os.path.join(self.data(node), "myid"), "w") as f:
            f.write("%d\n" % node)
        return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", self.class_path(),
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", config]

    def session(self, node):
        return ZookeeperSession(self, node)

    def answers(self, node):
        """A node that goes with its session can be made."""
        with self.session(node) as session:
            return session.create_ephemeral("/bawn-test-ready-")


class ZookeeperSession:
    """As much of the protocol as tests need: a length, then the fields one after another, big-endian."""

    CREATE, GET, CLOSE = 1, 4, -11

    def __init__(self, servers, node):
        self.xid = 0
        self.socket = socket.create_connection(servers.endpoint(node), timeout=ANSWER)
        try:
            if servers.tls:
                self.socket = servers.certificates.context().wrap_socket(self.socket, server_hostname=servers.address(node))
            self.exchange(struct.pack(">iqiq", 0, 0, 4000, 0) + self.text(b"\0" * 16) + b"\0")
        except BaseException:
            self.socket.close()
            raise

    @staticmethod
    def text(value):
        return struct.pack(">i", len(value)) + value

    def read(self, length):
        got = b""
        while len(got) < length:
            more = self.socket.recv(length - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def exchange(self, message):
        self.socket.sendall(struct.pack(">i", len(message)) + message)
        return self.read(struct.unpack(">i", self.read(4))[0])

    def call(self, operation, body):
        """Returns the error, 0 for none, and what came with the answer."""
        self.xid += 1
        answer = self.exchange(struct.pack(">ii", self.xid, operation) + body)
        return struct.unpack(">iqi", answer[:16])[2], answer[16:]

    def create_ephemeral(self, path):
        everyone = struct.pack(">ii", 1, 31) + self.text(b"world") + self.text(b"anyone")
        ephemeral_sequential = struct.pack(">i", 3)
        return self.call(self.CREATE, self.text(path.encode()) + self.text(b"") + everyone + ephemeral_sequential)[0] == 0

    def get(self, path):
        """None if there is none."""
        error, answer = self.call(self.GET, self.text(path.encode()) + b"\0")
        if error == -101:
            return None
        if error != 0:
            raise ValueError("%s: error %d" % (path, error))
        length = struct.unpack(">i", answer[:4])[0]
        return answer[4:4 + max(length, 0)]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        with self.socket:
            if exc[0] is None:
                self.call(self.CLOSE, b"")


KINDS = {cls.kind: cls for cls in (Etcd, Consul, Zookeeper)}


class Control:
    """A socket through which the program under test may kill, pause and restart nodes: a line in, a line out.

    "kill 2", "start 2", "restart 2", "pause 1", "resume 1", "terminate 3" are answered with "ok" or "failed: REASON".
    """

    verbs = ("kill", "start", "restart", "pause", "resume", "terminate")

    def __init__(self, servers):
        self.servers = servers
        self.path = os.path.join(servers.folder.path, "control")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, client.makefile("rw") as stream:
                for line in stream:
                    stream.write(self.obey(line.split()) + "\n")
                    stream.flush()

    def obey(self, words):
        if len(words) != 2 or words[0] not in self.verbs or not words[1].isdigit():
            return "failed: VERB NODE is wanted, with a verb of " + " ".join(self.verbs)
        try:
            getattr(self.servers, words[0])(int(words[1]))
        except Exception as e:  # noqa: whatever it was, the other side wants to know
            return "failed: %s: %s" % (type(e).__name__, e)
        return "ok"
