# SPDX-License-Identifier: LGPL-2.1-or-later
"""How bawn speaks HTTP: against a server that says what the test wants, above all what no sound server says."""
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading

from harness import Home, Skip, contains, equal, main, test

home = Home()


class Script:
    """A server on loopback; answer(request) gives (status, headers, body). Requests are kept."""

    def __init__(self, answer, context=None, path=None):
        self.requests = []
        script = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self):
                return "client"

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                script.requests.append(self)
                status, headers, body = answer(self)
                if status == 0:
                    self.wfile.write(body)
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *unused):
                pass

        if path is None:
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            scheme = "https" if context else "http"
            self.address = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"
        else:
            class UnixServer(http.server.ThreadingHTTPServer):
                address_family = socket.AF_UNIX

                def server_bind(self):
                    self.socket.bind(path)
            self.server = UnixServer(path, Handler)
            self.address = f"unix:{path}"
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.handle_error = lambda *unused: None
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def run(self, *words, **more):
        return home.run(*words, BAWN_ADDR=self.address, **more)


def says(status, document, **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return lambda request: (status, headers, body)


def envelope(data):
    return {"request_id": "r", "lease_id": "", "renewable": False, "lease_duration": 0, "data": data,
            "wrap_info": None, "warnings": None, "auth": None}


@test("a read is a GET with the token and the marks of a client")
def _():
    with Script(says(200, envelope({"b": "2", "a": 1.50}))) as server:
        result = server.run("read", "/secret/ä b/", "x=1 2", BAWN_TOKEN="s.token", BAWN_NAMESPACE="ns").ok()
        request, = server.requests
        equal(request.path, "/v1/secret/%C3%A4%20b?x=1%202")
        equal(request.command, "GET")
        equal(request.headers["X-Vault-Token"], "s.token")
        equal(request.headers["X-Vault-Request"], "true")
        equal(request.headers["X-Vault-Namespace"], "ns")
        equal(request.headers["X-Vault-Wrap-TTL"], None)
        equal(result.out, "Key    Value\n---    -----\na      1.5\nb      2\n")


@test("numbers are printed as the server wrote them")
def _():
    with Script(says(200, b'{"request_id":"r","data":{"n":12345678901234567890,"f":1.50}}')) as server:
        equal(server.run("read", "x", "-format=json").ok().out,
              '{\n  "request_id": "r",\n  "data": {\n    "n": 12345678901234567890,\n    "f": 1.50\n  }\n}\n')
        equal(server.run("read", "-field=f", "x").ok().out, "1.50")
        equal(server.run("read", "-field=n", "-format=json", "x").ok().out, "12345678901234567890\n")
        equal(server.run("read", "x", BAWN_FORMAT="yaml").ok().out,
              "request_id: r\ndata:\n  \"n\": 12345678901234567890\n  f: 1.50\n")


@test("a write is a PUT of JSON")
def _():
    with Script(says(204, b"")) as server:
        result = server.run("write", "a/b", "k=v", "k=w", "p=-", "-wrap-ttl=5m", stdin="pass\n").ok()
        request, = server.requests
        equal(request.command, "PUT")
        equal(request.headers["Content-Type"], "application/json")
        equal(request.headers["X-Vault-Wrap-TTL"], "5m")
        equal(json.loads(request.body), {"k": ["v", "w"], "p": "pass\n"})
        equal(result.out, "Success! Data written to: a/b\n")
        equal(server.run("write", "-f", "a/b", "-format=json").ok().out, "")


@test("shares that were handed out in doubt come with the warning")
def _():
    keys = {"keys": ["00ff"], "keys_base64": ["AP8="], "warnings": ["nobody knows"]}
    with Script(says(200, dict(keys, root_token="s.root"))) as server:
        result = server.run("operator", "init", "-key-shares=1", "-key-threshold=1").ok()
        contains(result.out, "Unseal Key 1: AP8=")
        contains(result.err, "nobody knows")
        result = server.run("operator", "init", "-key-shares=1", "-key-threshold=1", "-format=json").ok()
        equal(result.json()["unseal_keys_b64"], ["AP8="])
        contains(result.err, "nobody knows")
    with Script(says(200, dict(keys, started=True, complete=True, nonce="n"))) as server:
        result = server.run("operator", "rekey", "-nonce=n", "-", stdin="share").ok()
        contains(result.out, "Key 1: AP8=")
        contains(result.err, "nobody knows")
        assert "in force" not in result.out, result.out


@test("a list asks with list=true and prints keys")
def _():
    with Script(says(200, envelope({"keys": ["a", "b/"]}))) as server:
        equal(server.run("list", "secret").ok().out, "Keys\n----\na\nb/\n")
        equal(server.requests[0].path, "/v1/secret/?list=true")
        equal(server.run("list", "secret", "-format=json").json(), ["a", "b/"])


@test("a refusal is told in full, with exit status 2")
def _():
    with Script(says(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n", "two"]})) as server:
        result = server.run("read", "secret/x")
        equal(result.status, 2)
        equal(result.out, "")
        equal(result.err, f"Error reading secret/x: Error making API request.\n\nURL: GET {server.address}/v1/secret/x\n"
                          "Code: 403. Errors:\n\n* 1 error occurred:\n\t* permission denied\n\n\n* two\n")


@test("an answer of something else than the server is told as it is")
def _():
    with Script(says(502, b"<html>\x1b[31mproxy \xff</html>")) as server:
        result = server.run("read", "secret/x").fails(2, "Code: 502. Raw Message:", "<html>")
        assert "\x1b" not in result.err


@test("nothing there is exit status 2")
def _():
    with Script(says(404, {"errors": []})) as server:
        server.run("read", "secret/x").fails(2, "No value found at secret/x")
        result = server.run("list", "secret/x", "-format=json").fails(2)
        equal(result.out, "{}\n")


@test("a 404 with data is an answer")
def _():
    with Script(says(404, envelope({"a": "b"}))) as server:
        contains(server.run("read", "secret/x").ok().out, "a      b")


@test("warnings go to the standard error")
def _():
    with Script(says(200, {**envelope({"a": "b"}), "warnings": ["careful\x1b[2J"]})) as server:
        result = server.run("read", "x").ok()
        equal(result.err, "Warning: careful\\x1b[2J\n")


def in_turn(*answers):
    rest = list(answers)
    return lambda request: (rest.pop(0) if len(rest) > 1 else rest[0])(request)


@test("a read is tried again after a passing fault")
def _():
    fault = says(500, {"errors": ["oops"]})
    with Script(in_turn(fault, fault, says(200, envelope({"a": "b"})))) as server:
        server.run("read", "x", BAWN_MAX_RETRIES="2").ok()
        equal(len(server.requests), 3)
    with Script(fault) as server:
        server.run("read", "x", BAWN_MAX_RETRIES="1").fails(2, "oops")
        equal(len(server.requests), 2)


@test("what may have been done is not tried again")
def _():
    with Script(says(500, {"errors": ["oops"]})) as server:
        server.run("write", "x", "a=b", BAWN_MAX_RETRIES="2").fails(2, "oops")
        equal(len(server.requests), 1)
    with Script(says(501, {"errors": ["no"]})) as server:
        server.run("read", "x", BAWN_MAX_RETRIES="2").fails(2)
        equal(len(server.requests), 1)
    with Script(says(503, {"errors": ["Vault is sealed"]})) as server:
        server.run("read", "x", BAWN_MAX_RETRIES="2").fails(2, "sealed")
        equal(len(server.requests), 1)


@test("a write that was refused for a precondition is tried again")
def _():
    with Script(in_turn(says(412, {"errors": []}), says(204, b""))) as server:
        server.run("write", "x", "a=b", BAWN_MAX_RETRIES="1").ok()
        equal(len(server.requests), 2)
        equal(server.requests[1].body, b'{"a":"b"}')


@test("one redirection is followed, with method, body and token")
def _():
    with Script(says(204, b"")) as leader:
        with Script(says(307, b"", Location=leader.address + "/v1/a?b=c")) as standby:
            standby.run("write", "a", "k=v", BAWN_TOKEN="t").ok()
            request, = leader.requests
            equal((request.command, request.path, request.body), ("PUT", "/v1/a?b=c", b'{"k":"v"}'))
            equal(request.headers["X-Vault-Token"], "t")
            standby.run("write", "a", "k=v", "-disable-redirects")
            equal(len(leader.requests), 1)
    with Script(lambda request: (307, {"Location": request.path}, b"")) as loop:
        loop.run("read", "x")
        equal(len(loop.requests), 2)
    with Script(says(307, b"")) as nowhere:
        nowhere.run("read", "x").fails(2, "nowhere")


@test("a unix socket serves as well")
def _():
    path = os.path.join(home.path, "socket")
    with Script(says(200, envelope({"a": "b"})), path=path) as server:
        contains(server.run("read", "x").ok().out, "a      b")
        contains(server.run("read", "x", "-output-curl-string").ok().out, f"--unix-socket '{path}'")


@test("a request can be shown instead of sent, without the token")
def _():
    with Script(says(200, envelope({"path": "secret/", "options": {"version": "2"}}))) as server:
        result = server.run("kv", "put", "-output-curl-string", "secret/x", "a=b", BAWN_TOKEN="s3cret").ok()
        contains(result.out, "curl -X 'PUT'")
        contains(result.out, "/v1/secret/data/x")
        assert "s3cret" not in result.out
        equal([request.path for request in server.requests], ["/v1/sys/internal/ui/mounts/secret/x"])


@test("values are not left in the process list")
def _():
    seen = threading.Event()
    go = threading.Event()

    def answer(request):
        seen.set()
        go.wait(60)
        return 204, {}, b""
    with Script(answer) as server:
        process = home.start("write", "secret/x", "password=hunter2", "-header=A=hunter2", BAWN_ADDR=server.address)
        assert seen.wait(60)
        with open(f"/proc/{process.pid}/cmdline", "rb") as stream:
            line = stream.read()
        go.set()
        process.communicate()
        equal(process.returncode, 0)
        assert b"hunter2" not in line, line
        contains(line, b"write")


@test("a token file that others can read is not used, and that is said")
def _():
    path = home.file(".bawn-token", "s3cret", 0o644)
    with Script(says(200, envelope({"a": "b"}))) as server:
        result = server.run("read", "x").ok()
        contains(result.err, "chmod 600")
        assert "s3cret" not in result.err
        equal(server.requests[0].headers["X-Vault-Token"], None)
        os.chmod(path, 0o600)
        server.run("read", "x").ok()
        equal(server.requests[1].headers["X-Vault-Token"], "s3cret")
    os.unlink(path)


@test("a token with a line end in it is not sent")
def _():
    with Script(says(200, envelope({}))) as server:
        result = server.run("read", "x", BAWN_TOKEN="a\r\nX-Evil: b").fails(1, "token")
        assert "Evil" not in result.err
        equal(server.requests, [])


@test("a full disk is noticed")
def _():
    with Script(says(200, envelope({"a": "b"}))) as server:
        with open("/dev/full", "wb") as full:
            process = subprocess.run(home.command("read", "x"), stdout=full, stderr=subprocess.PIPE,
                                     env={**home.environment, "BAWN_ADDR": server.address})
        equal(process.returncode, 1)
        contains(process.stderr.decode(), "No space left")


@test("no server is exit status 2, and 1 for status")
def _():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        home.run("read", "x", BAWN_ADDR=address).fails(2, address)
        home.run("status", BAWN_ADDR=address).fails(1, address)
        home.run("operator", "init", "-status", BAWN_ADDR=address).fails(1, address)


@test("a server that breaks off is an error")
def _():
    for raw in [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", b"SSH-2.0-x\r\n", b"HTTP/1.1 200"]:
        with Script(lambda request: (0, {}, raw)) as server:
            server.run("read", "x").fails(2)


def certificates():
    """A server's key and certificate for the name "bawn.test" and no address, signed by itself."""
    if shutil.which("openssl") is None:
        raise Skip("openssl is not here to make certificates")
    folder = os.path.join(home.path, "ca")
    key, cert = os.path.join(home.path, "key.pem"), os.path.join(folder, "cert.pem")
    if not os.path.exists(folder):
        os.mkdir(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=bawn.test", "-addext",
                        "subjectAltName=DNS:bawn.test"], check=True, capture_output=True)
    return key, cert, folder


def tls_context(client_authority=None):
    key, cert, _ = certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    if client_authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    return context


@test("over TLS the server must prove who it is")
def _():
    _, cert, folder = certificates()
    with Script(says(200, envelope({"a": "b"})), tls_context()) as server:
        server.run("read", "x").fails(2, "not signed by a known authority")
        server.run("read", "x", f"-ca-cert={cert}").fails(2, "for another name")
        server.run("read", "x", f"-ca-cert={cert}", "-tls-server-name=bawn.test").ok()
        server.run("read", "x", BAWN_CAPATH=folder, VAULT_TLS_SERVER_NAME="bawn.test").ok()
        server.run("read", "x", "-tls-skip-verify").ok()
        equal(len(server.requests), 3)


@test("a client certificate is shown to a server that asks")
def _():
    key, cert, _ = certificates()
    with Script(says(200, envelope({"a": "b"})), tls_context(cert)) as server:
        server.run("read", "x", "-tls-skip-verify").fails(2)
        server.run("read", "x", "-tls-skip-verify", f"-client-cert={cert}", f"-client-key={key}").ok()


@test("a redirection from TLS to the open is not followed")
def _():
    with Script(says(204, b"")) as plain:
        with Script(says(307, b"", Location=plain.address + "/v1/x"), tls_context()) as server:
            server.run("read", "x", "-tls-skip-verify", BAWN_TOKEN="t").fails(2, "not protected by TLS")
            equal(plain.requests, [])


@test("secrets are asked for without showing them")
def _():
    with Script(says(200, envelope({"policies": ["root"], "ttl": 0}))) as server:
        result = home.on_terminal("s3cret\n", "login", BAWN_ADDR=server.address, TERM="dumb")
        equal(result.status, 0)
        contains(result.out, "Token (will be hidden): ")
        equal(server.requests[0].headers["X-Vault-Token"], "s3cret")
        # Shown once, in the result; not where it was typed.
        equal(result.out.count("s3cret"), 1)
        result = home.on_terminal(None, "login", "-non-interactive", BAWN_ADDR=server.address, TERM="dumb")
        equal(result.status, 1)
        os.unlink(os.path.join(home.path, ".bawn-token"))


@test("breaking off at a prompt ends the program")
def _():
    result = home.on_terminal("\x03", "operator", "unseal", BAWN_ADDR="http://127.0.0.1:1")
    equal(result.status, -2)


@test("colours are for terminals whose owners want them")
def _():
    with Script(says(403, {"errors": ["no"]})) as server:
        where = {"BAWN_ADDR": server.address}
        contains(home.on_terminal(None, "read", "x", TERM="xterm", **where).out, "\x1b[31m")
        assert "\x1b" not in home.on_terminal(None, "read", "x", TERM="xterm", NO_COLOR="1", **where).out
        assert "\x1b" not in home.on_terminal(None, "read", "x", TERM="dumb", **where).out
        assert "\x1b" not in home.run("read", "x", TERM="xterm", **where).err


@test("escape sequences in values do not reach a terminal")
def _():
    with Script(says(200, envelope({"a": "\x1b]0;evil\x07"}))) as server:
        contains(home.on_terminal(None, "read", "x", TERM="dumb", BAWN_ADDR=server.address).out, "\\x1b]0;evil\\x07")
        contains(server.run("read", "-field=a", "x").ok().out, "\x1b]0;evil\x07")


main()
