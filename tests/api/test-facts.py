# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the API answers, line by line: status, text of errors, shape of bodies, headers.

A row is (request, body, status, wanted[, more arguments of call]). What is wanted: a string is the one error, a list is
the errors, None is no body at all, and everything else is compared with like().
"""

import base64
import http.client
import json
import re

from bawn_server import Server, run_all

ENVELOPE = ["request_id", "lease_id", "renewable", "lease_duration", "data", "wrap_info", "warnings", "auth"]
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NANO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z")
BASE62 = re.compile("[0-9A-Za-z]{24}")
TOKEN = re.compile(r"hvs\.[0-9A-Za-z_-]{24,}")
SYSTEM_TTL = 2764800
MERGE = dict(headers={"Content-Type": "application/merge-patch+json"})
NO_LIST = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. " \
          "If using the Vault CLI, use 'vault kv %s' for this operation."

server = None


class Only(dict):
    """A body with these keys and no others."""


class Optional:
    """A value that may be null."""

    def __init__(self, shape):
        self.shape = shape


class Each:
    """An object or array each of whose values looks like this."""

    def __init__(self, shape):
        self.shape = shape


def like(shape, value, where="body"):
    """What is wrong with the value, as a list of lines."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return ["%s is %r and not an object" % (where, value)]
        wrong = ["%s has no %s" % (where, k) for k in shape if k not in value]
        if isinstance(shape, Only):
            wrong += ["%s has %s too" % (where, k) for k in value if k not in shape]
        for k in shape:
            if k in value:
                wrong += like(shape[k], value[k], where + "." + k)
        return wrong
    if isinstance(shape, Optional):
        return [] if value is None else like(shape.shape, value, where)
    if isinstance(shape, Each):
        if not isinstance(value, (dict, list)):
            return ["%s is %r" % (where, value)]
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [line for k, v in items for line in like(shape.shape, v, "%s[%s]" % (where, k))]
    if isinstance(shape, re.Pattern):
        good = isinstance(value, str) and shape.fullmatch(value)
    elif isinstance(shape, type):
        good = type(value) is shape
    elif callable(shape):
        good = shape(value)
    else:
        good = value == shape and type(value) is type(shape)
    return [] if good else ["%s is %r, wanted %r" % (where, value, getattr(shape, "pattern", shape))]


def headers_of(reply, status):
    """Every answer says what it is, exactly, and is not for keeping."""
    wrong = []
    if reply.headers.get("Content-Type") != "application/json":
        wrong.append("Content-Type is %r" % reply.headers.get("Content-Type"))
    if reply.headers.get("Cache-Control") != "no-store":
        wrong.append("Cache-Control is %r" % reply.headers.get("Cache-Control"))
    if status == 204 and reply.body:
        wrong.append("204 with a body")
    return wrong


def one(row):
    request, body, status, wanted = row[:4]
    more = row[4] if len(row) > 4 else {}
    method, path = request.split(" ", 1)
    reply = server.call(method, path, body, **more)
    wrong = headers_of(reply, status)
    if reply.status != status:
        wrong = ["status %d, wanted %d" % (reply.status, status)]
    elif wanted is None:
        wrong += ["a body: %r" % reply.body] if reply.body else []
    elif not reply.body:
        wrong.append("no body")
    elif isinstance(wanted, (str, list)):
        wrong += like(Only(errors=[wanted] if isinstance(wanted, str) else wanted), reply.json)
    elif isinstance(wanted, re.Pattern):
        wrong += like(Only(errors=Each(wanted)), reply.json)
    else:
        wrong += like(wanted, reply.json)
    said = reply.body[:300] if wrong else b""
    return ["%s %s: %s (%r)" % (request, "" if body is None else json.dumps(body)[:100], line, said) for line in wrong]


def check(*rows):
    wrong = []
    for row in rows:
        wrong += one(row)
    assert not wrong, "\n" + "\n".join(wrong)


def enveloped(data, **more):
    shape = Only(request_id=UUID, lease_id="", renewable=False, lease_duration=0, data=data, wrap_info=None,
                 warnings=None, auth=None)
    shape.update(more)
    return shape


def injected(data, **more):
    """The old form: what is in data stands beside it too."""
    shape = enveloped(data, **more)
    shape.update({k: v for k, v in data.items() if k not in shape})
    return shape


def keys(*names):
    return enveloped(Only(keys=list(names)))


def has(**data):
    return enveloped(dict(data))


def warned(text, data=None):
    return enveloped(data, warnings=[text])


def good(method, path, body=None, **more):
    reply = server.call(method, path, body, **more)
    assert reply.status in (200, 204), (method, path, reply.status, reply.body)
    return reply.json


def token_with(policy=None, **fields):
    if policy is not None:
        good("PUT", "sys/policy/for-test", {"policy": policy})
        fields["policies"] = ["for-test"]
    return good("POST", "auth/token/create", fields)["auth"]["client_token"]


def raw(text, **more):
    return dict(raw=text.encode(), **more)


def by(token, **more):
    return dict(token=token, headers=more)


def b64(text):
    return base64.b64encode(text.encode()).decode()


# Section 8: before there is a key.

STATUS = Only(type="shamir", initialized=bool, sealed=bool, t=int, n=int, progress=int, nonce=str, version=str,
              migration=False, recovery_seal=False, storage_type=str, build_date=str, bawn_version=str)
OPEN_STATUS = Only(STATUS, cluster_name=re.compile("bawn-cluster-[0-9a-f]{8}"), cluster_id=UUID, sealed=False)
SEMVER = re.compile(r"1\.11\.\d+([-+].*)?")


def test_before_init():
    sealed = Only(initialized=False, sealed=True, standby=True, performance_standby=False,
                  replication_performance_mode="unknown", replication_dr_mode="unknown", server_time_utc=int, version=SEMVER,
                  bawn_version=str)
    check(
        ("GET sys/init", None, 200, Only(initialized=False)),
        ("GET sys/seal-status", None, 200, Only(STATUS, initialized=False, sealed=True, t=0, n=0, progress=0, nonce="")),
        ("GET sys/health", None, 501, sealed),
        ("GET sys/health?uninitcode=299&sealedcode=299&standbycode=299&drsecondarycode=299&performancestandbycode=299",
         None, 299, sealed),
        ("HEAD sys/health", None, 501, None),
        ("POST sys/health", {}, 405, re.compile("unsupported operation")),
        ("GET sys/leader", None, 200, dict(ha_enabled=False, is_self=False, leader_address="", leader_cluster_address="",
                                           performance_standby=False, performance_standby_last_remote_wal=0)),
        ("GET sys/mounts", None, 503, "Vault is sealed"),
        ("PUT sys/unseal", {"key": "00" * 33}, 400, re.compile(".+")),
        ("GET sys/generate-root/attempt", None, 503, re.compile(".+")),
    )


def test_init_says_what_is_wrong_with_its_shape():
    prefix = "invalid seal configuration: "
    check(
        ("PUT sys/init", {"secret_shares": 0, "secret_threshold": 1}, 400, prefix + "shares must be at least one"),
        ("PUT sys/init", {"secret_shares": 1, "secret_threshold": 0}, 400, prefix + "threshold must be at least one"),
        ("PUT sys/init", {"secret_shares": 2, "secret_threshold": 1}, 400,
         prefix + "threshold must be greater than one for multiple shares"),
        ("PUT sys/init", {"secret_shares": 2, "secret_threshold": 3}, 400, prefix + "threshold cannot be larger than shares"),
        ("PUT sys/init", {"secret_shares": 256, "secret_threshold": 3}, 400, prefix + "shares must be less than 256"),
        ("POST sys/init", {"secret_shares": 300, "secret_threshold": 299}, 400, prefix + "shares must be less than 256"),
        ("PUT sys/init", None, 400, "error parsing JSON", raw("[1]")),
        ("PUT sys/init", None, 400, "error parsing JSON", raw('{"a":')),
        ("DELETE sys/init", None, 405, re.compile("unsupported operation")),
    )


def test_init_and_unseal():
    answer = good("PUT", "sys/init", {"Secret_Shares": 5, "secret_THRESHOLD": 3, "root_token_pgp_key": None,
                                      "recovery_shares": 7, "pgp_keys": None, "stored_shares": 1})
    share = re.compile("[0-9a-f]{66}")
    wrong = like(Only(keys=Each(share), keys_base64=Each(str), root_token=TOKEN), answer)
    assert not wrong and len(answer["keys"]) == len(answer["keys_base64"]) == 5, wrong
    assert [base64.b64decode(k).hex() for k in answer["keys_base64"]] == answer["keys"]
    server.shares, server.root = answer["keys"], answer["root_token"]
    need = "'key' must be specified in request body as JSON, or 'reset' set to true"
    sealed = Only(STATUS, initialized=True, sealed=True, t=3, n=5)
    check(
        ("PUT sys/init", {"secret_shares": 1, "secret_threshold": 1}, 400, "Vault is already initialized"),
        ("GET sys/health", None, 503, dict(initialized=True, sealed=True, standby=True)),
        ("GET sys/health?sealedcode=418", None, 418, dict(sealed=True)),
        ("GET sys/health?sealedcode=zz", None, 400, re.compile(".*")),
        ("PUT sys/unseal", {}, 400, need),
        ("PUT sys/unseal", None, 400, need),
        ("PUT sys/unseal", {"key": "zz!"}, 400, "'key' must be a valid hex or base64 string"),
        ("PUT sys/unseal", {"key": server.shares[0]}, 200, Only(sealed, progress=1, nonce=UUID)),
        ("POST sys/unseal", {"Key": server.shares[0]}, 200, Only(sealed, progress=1)),
        ("PUT sys/unseal", {"key": answer["keys_base64"][1]}, 200, Only(sealed, progress=2)),
        ("GET sys/seal-status", None, 200, Only(sealed, progress=2)),
        ("PUT sys/unseal", {"reset": True}, 200, Only(sealed, progress=0, nonce="")),
        ("PUT sys/unseal", {"key": server.shares[0]}, 200, Only(sealed, progress=1)),
        ("PUT sys/unseal", {"key": server.shares[1]}, 200, Only(sealed, progress=2)),
        ("PUT sys/unseal", {"key": "01" * 33}, 400, re.compile("(?s).+")),
        ("GET sys/seal-status", None, 200, Only(sealed, progress=0)),
        ("PUT sys/generate-root/attempt", {}, 503, re.compile(".+")),
        ("GET sys/mounts", None, 503, re.compile("(error performing token check: )?Vault is sealed")),
        ("PUT sys/unseal", {"key": server.shares[4]}, 200, Only(sealed, progress=1)),
        ("PUT sys/unseal", {"key": server.shares[3]}, 200, Only(sealed, progress=2)),
        ("PUT sys/unseal", {"key": server.shares[2]}, 200, Only(OPEN_STATUS, t=3, n=5, progress=0, nonce="")),
        ("PUT sys/unseal", {"key": server.shares[2]}, 200, Only(OPEN_STATUS)),
        ("PUT sys/unseal", {"reset": True}, 400, "vault is unsealed"),
    )


def test_health_and_leader_when_unsealed():
    check(
        ("GET sys/init", None, 200, Only(initialized=True)),
        ("GET sys/seal-status", None, 200, Only(OPEN_STATUS, version=SEMVER)),
        ("GET sys/health", None, 200,
         Only(initialized=True, sealed=False, standby=False, performance_standby=False,
              replication_performance_mode="disabled", replication_dr_mode="disabled", server_time_utc=int,
              version=SEMVER, bawn_version=str, cluster_name=str, cluster_id=UUID)),
        ("HEAD sys/health", None, 200, None),
        ("GET sys/health?activecode=299", None, 299, dict(sealed=False)),
        ("GET sys/health?standbyok=true&perfstandbyok=1", None, 200, dict(sealed=False)),
        ("GET sys/leader", None, 200,
         Only(ha_enabled=False, is_self=False, active_time="0001-01-01T00:00:00Z", leader_address="",
              leader_cluster_address="", performance_standby=False, performance_standby_last_remote_wal=0)),
    )


# Section 1: requests.


def test_methods():
    check(
        ("PROPFIND secret/a", None, 405, []),
        ("PROPFIND sys/mounts", None, 405, []),
        ("GET auth/userpass/login/bob", None, 404, "no handler for route 'auth/userpass/login/bob'"),
        ("DELETE sys/mounts", None, 405, "unsupported operation"),
        ("OPTIONS sys/mounts", None, 405, re.compile("unsupported operation")),
        ("LIST sys/seal", None, 405, "unsupported operation"),
        ("GET nope/x/y", None, 404, "no handler for route 'nope/x/y'"),
        ("LIST nope/x", None, 404, "no handler for route 'nope/x/'"),
        ("GET sys/nope", None, 404, "unsupported path"),
        ("GET sys/nope", None, 403, "permission denied", by("")),
    )


def raw_call(method, target, body=None, headers=None, length=None):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None or length is not None:
            connection.putheader("Content-Length", str(len(body) if length is None else length))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_paths():
    token = {"X-Vault-Token": server.root}
    for path in ("/", "/nope", "/v2/sys/mounts", "/ui", "/ui/"):
        status, headers, body = raw_call("GET", path, headers=token)
        assert (status, json.loads(body)) == (404, {"errors": []}), (path, status, body)
        assert headers["Content-Type"] == "application/json", path
    for dirty, clean in (("/v1/sys//mounts", "/v1/sys/mounts"), ("/v1/secret/../sys/mounts", "/v1/sys/mounts"),
                         ("/v1/./sys/mounts", "/v1/sys/mounts"), ("/v1/secret/..%2fsys/mounts", "/v1/sys/mounts"),
                         ("/v1//sys/mounts/?a=b", "/v1/sys/mounts/?a=b")):
        for method in ("GET", "LIST", "PUT"):
            status, headers, body = raw_call(method, dirty, headers=token)
            assert (status, headers["Location"]) == (301, clean), (method, dirty, status, headers["Location"])
    status, headers, body = raw_call("GET", "/v1/sys%2Fmounts", headers=token)
    assert status == 200 and "sys/" in json.loads(body)["data"]
    status, headers, body = raw_call("GET", "/v1/secret/a%01b", headers=token)
    assert (status, body) == (400, b""), (status, body)
    status, headers, body = raw_call("GET", "/v1/SYS/mounts", headers=token)
    assert status == 404, status


def test_bodies():
    good("POST", "sys/mounts/one", {"type": "kv", "options": {"version": "1"}})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    plain = {"Content-Type": "text/plain"}
    check(
        ("PUT one/a", {"k": "v"}, 204, None),
        ("POST one/", {"k": "v"}, 400, "cannot write to a path ending in '/'"),
        ("PUT one/a/", {"k": "v"}, 400, "cannot write to a path ending in '/'"),
        ("PUT one/a", None, 400, "error parsing JSON", raw("[1]")),
        ("PUT one/a", None, 400, "error parsing JSON", raw('{"a":')),
        ("PUT one/a", None, 400, "error parsing JSON", raw("{'a': 1}")),
        ("PUT one/a", None, 400, "error parsing JSON", raw('{"a":1}x', headers=plain)),
        ("PUT one/form", None, 204, None, raw("a=1&b=x%20y&a=2", headers=form)),
        ("GET one/form", None, 200, enveloped(Only(a="1,2", b="x y"), lease_duration=SYSTEM_TTL)),
        ("PUT one/json", None, 204, None, raw(' {"a":"b"}', headers=form)),
        ("GET one/json", None, 200, enveloped(Only(a="b"), lease_duration=SYSTEM_TTL)),
        ("PUT one/text", None, 204, None, raw('{"a":"c"}', headers=plain)),
        ("PUT sys/tools/random", None, 200, has(random_bytes=str), raw("null", headers=plain)),
        ("PUT sys/tools/random", None, 200, has(random_bytes=str), raw("")),
        ("PUT one/a", None, 400, "missing data fields", raw("null", headers=plain)),
        ("PUT sys/tools/random", {"zeta": 1, "alpha": 2}, 200,
         warned("Endpoint ignored these unrecognized parameters: [alpha zeta]", Only(random_bytes=str))),
        ("POST sys/mounts/two", {"type": "kv", "what": 1}, 204, None),
        ("DELETE sys/mounts/two", None, 204, None),
    )
    number = b'{"a":1.50,"b":12345678901234567890,"c":1e3}'
    good("PUT", "one/numbers", raw=number)
    body = server.call("GET", "one/numbers").body
    for text in (b"1.50", b"12345678901234567890", b"1e3"):
        assert text in body, body
    assert body.endswith(b"\n") and not body.endswith(b"\n\n")
    assert list(json.loads(body)) == ENVELOPE


def test_a_body_is_bounded():
    for length in (33554433, 99999999999):
        status, headers, body = raw_call("PUT", "/v1/one/big", length=length, headers={"X-Vault-Token": server.root})
        assert (status, json.loads(body)) == (413, {"errors": ["error parsing JSON"]}), (status, body)
    deep = b'{"a":' * 100000 + b"1" + b"}" * 100000
    reply = server.call("PUT", "one/deep", raw=deep)
    assert reply.status == 400, reply.status


def test_headers_and_tokens():
    root = server.root
    check(
        ("GET sys/mounts", None, 403, "permission denied", by("")),
        ("GET sys/mounts", None, 403, "permission denied", by("hvs.nope")),
        ("GET sys/mounts", None, 200, dict(data=dict), by("", Authorization="Bearer " + root)),
        ("GET sys/mounts", None, 403, "permission denied", by("", Authorization="Basic " + root)),
        ("GET sys/mounts", None, 403, "permission denied", by("nope", Authorization="Bearer " + root)),
        ("GET sys/mounts", None, 200, dict(data=dict), dict(headers={"X-Vault-Request": "true", "X-Vault-Namespace": ""})),
        ("GET sys/mounts", None, 200, dict(data=dict), dict(headers={"X-Vault-Policy-Override": "false"})),
        ("GET sys/mounts", None, 400, re.compile(".*"), dict(headers={"X-Vault-Policy-Override": "zz"})),
        ("GET nope/x", None, 403, "permission denied", by("")),
        ("GET nope/x", None, 403, "permission denied", by(token_with(policies=["default"]))),
    )


def test_lists():
    for path in ("bar/x", "bar/y", "foo", "B", "foo/z"):
        good("PUT", "one/dir/" + path, {"k": "v"})
    names = keys("B", "bar/", "foo", "foo/")
    check(
        ("LIST one/dir", None, 200, names),
        ("LIST one/dir/", None, 200, names),
        ("GET one/dir?list=true", None, 200, names),
        ("GET one/dir/?list=1", None, 200, names),
        ("GET one/dir?list=T&x=y", None, 200, names),
        ("GET one/dir/foo?list=false", None, 200, dict(data=Only(k="v"))),
        ("GET one/dir/foo?list=0", None, 200, dict(data=Only(k="v"))),
        ("GET one/dir?list=yes", None, 400, []),
        ("GET one/dir?list=tRue", None, 400, []),
        ("LIST one/empty", None, 404, []),
        ("GET one/absent", None, 404, []),
        ("LIST one/empty", None, 404, [], dict(headers={"X-Vault-Wrap-TTL": "60"})),
    )
    reader = token_with('path "one/dir/" { capabilities = ["list"] }')
    check(
        ("LIST one/dir", None, 200, names, by(reader)),
        ("GET one/dir?list=true", None, 200, names, by(reader)),
        ("LIST one", None, 403, "permission denied", by(reader)),
        ("GET one/dir/foo", None, 403, "permission denied", by(reader)),
    )


def test_help():
    for reply in (server.call("GET", "one/a?help=1"), server.call("HELP", "one/a"), server.call("GET", "sys/mounts?help=yes"),
                  server.call("GET", "sys?help=1"), server.call("GET", "auth/token/create?help=1")):
        assert reply.status == 200, reply.status
        wrong = like(Only(help=str, see_also=None, openapi=dict), reply.json)
        assert not wrong and reply.json["help"], wrong
    check(
        ("GET one/a?help=1", None, 403, "permission denied", by("")),
        ("GET one/a?help=1", None, 200, dict(help=str), by(token_with(policies=["default"]))),
        ("GET nope/a?help=1", None, 404, "no handler for route 'nope/a'"),
    )


# Section 4: fields.


def test_durations_and_ints():
    def ttl(text):
        return good("POST", "auth/token/create", {"policies": "default", "ttl": text})["auth"]["lease_duration"]

    for text, seconds in ((60, 60), ("60", 60), ("60s", 60), ("1h", 3600), ("90m", 5400), ("1h30m", 5400), ("", SYSTEM_TTL),
                          ("1d", 86400), ("1.5h", 5400), (0, SYSTEM_TTL)):
        assert ttl(text) == seconds, (text, ttl(text))
    check(
        ("POST auth/token/create", {"policies": "default", "ttl": "zz"}, 400, re.compile("(?s).*zz.*")),
        ("POST auth/token/create", {"policies": "default", "ttl": "-1s"}, 400, "ttl must be positive"),
        ("POST auth/token/create", {"policies": "default", "num_uses": -1}, 400, "number of uses cannot be negative"),
        ("POST auth/token/create", {"policies": "default", "num_uses": "5"}, 200, dict(auth=dict(num_uses=5))),
        ("POST auth/token/create", {"policies": "default", "renewable": "false"}, 200, dict(auth=dict(renewable=False))),
        ("POST auth/token/create", {"policies": "default", "renewable": 0}, 200, dict(auth=dict(renewable=False))),
        ("POST auth/token/create", {"policies": "b,a,default", "no_default_policy": True}, 200,
         dict(auth=dict(policies=["a", "b"]))),
    )


# Section 2: shapes.


def test_injected_endpoints():
    check(
        ("GET sys/policy", None, 200, injected(dict(keys=list, policies=list))),
        ("LIST sys/policy", None, 200, injected(dict(keys=list, policies=list))),
        ("GET sys/policy/default", None, 200, injected(Only(name="default", rules=str))),
        ("GET sys/key-status", None, 200, injected(Only(term=int, install_time=NANO, encryptions=int))),
        ("POST sys/capabilities-self", {"path": "a"}, 200, injected(Only(a=["root"], capabilities=["root"]))),
        ("GET sys/config/auditing/request-headers", None, 200, injected(dict(headers=dict))),
        ("GET sys/audit", None, 200, injected(Only())),
        ("GET sys/ha-status", None, 200, dict(data=dict(nodes=list))),
    )
    for path, mount in (("sys/mounts", "sys/"), ("sys/auth", "token/")):
        for slash in ("", "/"):
            body = good("GET", path + slash)
            assert body[mount] == body["data"][mount], path
            assert set(ENVELOPE) <= set(body), path
    good("GET", "sys/config/cors")
    assert "enabled" in good("GET", "sys/config/cors")


def test_auth_block():
    auth = Only(client_token=TOKEN, accessor=BASE62, policies=["default"], token_policies=["default"], metadata=None,
                lease_duration=3600, renewable=True, entity_id="", token_type="service", orphan=False,
                mfa_requirement=None, num_uses=0)
    check(
        ("POST auth/token/create", {"policies": ["default"], "ttl": "1h"}, 200, enveloped(None, auth=auth)),
        ("POST auth/token/create", {"policies": ["Default", "DEFAULT", "default"], "ttl": "1h", "meta": {"a": "b"}}, 200,
         enveloped(None, auth=Only(auth, metadata={"a": "b"}))),
        ("POST auth/token/create-orphan", {"policies": ["default"], "ttl": "1h", "num_uses": 3}, 200,
         enveloped(None, auth=Only(auth, orphan=True, num_uses=3))),
        ("POST auth/token/create", {}, 200,
         enveloped(None, auth=Only(auth, policies=["root"], token_policies=["root"], lease_duration=0, renewable=False))),
        ("POST auth/token/create", {"policies": ["default"], "ttl": "1h", "type": "batch"}, 200,
         enveloped(None, auth=Only(auth, client_token=re.compile(r"hvb\..+"), accessor="", renewable=False, orphan=False,
                                   token_type="batch"))),
    )


# Section 5: who may do what.


def test_some_paths_need_sudo():
    everything = '"create", "read", "update", "delete", "list", "patch"'
    token = token_with('path "*" { capabilities = [%s] }' % everything)
    check(*[(request, body, 403, "permission denied", by(token)) for request, body in (
        ("GET sys/auth/token", None), ("POST sys/auth/x", {"type": "userpass"}), ("DELETE sys/auth/x", None),
        ("GET sys/auth/token/tune", None), ("POST sys/auth/token/tune", {"description": ""}),
        ("POST sys/remount", {"from": "one", "to": "two"}), ("GET sys/audit", None),
        ("PUT sys/audit/x", {"type": "file", "options": {"file_path": "discard"}}), ("DELETE sys/audit/x", None),
        ("PUT sys/rotate", None), ("PUT sys/seal", None), ("GET sys/config/cors", None), ("DELETE sys/config/cors", None),
        ("GET sys/config/auditing/request-headers", None), ("GET sys/config/auditing/request-headers/x", None),
        ("PUT sys/config/auditing/request-headers/x", {"hmac": True}), ("GET sys/plugins/catalog/secret/kv", None),
        ("LIST sys/plugins/catalog/secret", None), ("PUT sys/revoke-prefix/nope", None),
        ("PUT sys/revoke-force/nope", None), ("PUT sys/leases/revoke-prefix/nope", None),
        ("PUT sys/leases/revoke-force/nope", None), ("LIST sys/leases/lookup/auth", None),
        ("POST auth/token/revoke-orphan", {"token": "x"}), ("LIST auth/token/accessors", None))])
    check(
        ("GET sys/auth", None, 200, dict(data=dict), by(token)),
        ("GET sys/mounts/auth/token/tune", None, 200, dict(data=dict), by(token)),
        ("GET sys/mounts", None, 200, dict(data=dict), by(token)),
        ("GET sys/plugins/catalog", None, 200, dict(data=dict), by(token)),
        ("GET sys/host-info", None, 200, dict(data=dict), by(token)),
        ("GET sys/metrics", None, 200, dict(Gauges=list), by(token)),
        ("PUT sys/leases/revoke", {"lease_id": "nope"}, 204, None, by(token)),
        ("POST auth/token/create-orphan", {"policies": "default"}, 200, dict(auth=dict(orphan=True)), by(token)),
    )


def test_what_needs_no_token():
    nobody = by("")
    check(*[(request, body, status, wanted, nobody) for request, body, status, wanted in (
        ("GET sys/init", None, 200, dict), ("GET sys/seal-status", None, 200, dict), ("GET sys/leader", None, 200, dict),
        ("GET sys/health", None, 200, dict), ("GET sys/generate-root/attempt", None, 200, dict),
        ("GET sys/rekey/init", None, 200, dict), ("GET sys/internal/ui/mounts", None, 200, dict),
        ("GET sys/replication/status", None, 200, dict), ("POST sys/wrapping/lookup", {"token": "x"}, 400, DEAD),
        ("GET sys/internal/specs/openapi", None, 200, dict))])
    check(*[(request, None, 403, "permission denied", nobody) for request in (
        "GET sys/mounts", "GET sys/policy", "GET sys/rekey/backup", "GET sys/ha-status", "GET sys/host-info",
        "GET sys/metrics", "GET sys/key-status", "PUT sys/rotate", "GET sys/internal/ui/resultant-acl", "PUT sys/step-down",
        "GET auth/token/lookup-self", "GET one/a", "GET nope", "GET sys/rotate/root/init",
        "GET sys/generate-root-token/attempt", "POST sys/wrapping/wrap")])


def test_what_the_default_policy_grants():
    token = token_with(policies=["default"])
    check(*[row + (by(token),) for row in (
        ("GET auth/token/lookup-self", None, 200, dict), ("POST auth/token/renew-self", {}, 200, dict(auth=dict)),
        ("POST sys/capabilities-self", {"path": "a"}, 200, dict(capabilities=["deny"])),
        ("PUT sys/leases/renew", {"lease_id": "nope"}, 400, "lease not found"),
        ("PUT sys/leases/lookup", {"lease_id": "nope"}, 400, "invalid lease"),
        ("PUT sys/renew", {"lease_id": "nope"}, 400, "lease not found"),
        ("POST sys/tools/hash/sha2-256", {"input": ""}, 200, dict), ("GET sys/internal/ui/resultant-acl", None, 200, dict),
        ("PUT cubbyhole/a", {"x": 1}, 204, None), ("GET sys/mounts", None, 403, "permission denied"),
        ("POST sys/tools/random", {}, 403, "permission denied"), ("GET sys/policy", None, 403, "permission denied"),
        ("POST sys/wrapping/wrap", {"a": 1}, 400, "endpoint requires response wrapping to be used"),
        ("POST auth/token/create", {}, 403, "permission denied"), ("POST auth/token/revoke-self", {}, 204, None),
        ("GET auth/token/lookup-self", None, 403, "permission denied"))])


# Section 6: wrapping.

DEAD = "wrapping token is not valid or does not exist"
HEADER = "error parsing X-Vault-Wrap-TTL header: "


def wrap(ttl="60"):
    return dict(headers={"X-Vault-Wrap-TTL": ttl})


def test_wrapping():
    info = Only(token=re.compile(r"hvs\..+"), accessor=BASE62, ttl=60, creation_time=NANO, creation_path="one/a")
    wrapped = enveloped(None, request_id="", wrap_info=info)
    check(
        ("GET one/a", None, 200, wrapped, wrap()),
        ("GET one/a", None, 200, wrapped, wrap("1m")),
        ("GET one/a", None, 200, wrapped, wrap("60s")),
        ("GET one/a", None, 200, dict(data=Only(k="v"), wrap_info=None), wrap("0")),
        ("GET one/a", None, 400, HEADER + "requested wrap ttl cannot be negative", wrap("-1")),
        ("GET one/a", None, 400, HEADER + "requested wrap ttl cannot be negative", wrap("-5s")),
        ("GET one/a", None, 400, re.compile(HEADER + 'time: invalid duration "zz"'), wrap("zz")),
        ("PUT one/a", {"k": "v"}, 204, None, wrap()),
        ("GET one/absent", None, 404, [], wrap()),
        ("POST auth/token/create", {}, 200,
         enveloped(None, request_id="", wrap_info=Only(info, creation_path="auth/token/create", wrapped_accessor=BASE62)),
         wrap()),
        ("POST auth/token/lookup", {"token": "nope"}, 403, "bad token", wrap()),
        ("DELETE one/absent", None, 204, None, wrap()),
        ("GET sys/nope", None, 404, "unsupported path", wrap()),
        ("GET sys/health", None, 200, dict(sealed=False), wrap()),
        ("POST sys/wrapping/wrap", {"a": 1}, 400, "endpoint requires response wrapping to be used"),
        ("POST sys/wrapping/wrap", {"a": 1}, 200, dict(wrap_info=dict(creation_path="sys/wrapping/wrap")), wrap()),
        ("POST sys/wrapping/unwrap", {"token": "nope"}, 400, DEAD),
        ("POST sys/wrapping/unwrap", {"token": server.root}, 400, DEAD),
        ("POST sys/wrapping/unwrap", None, 400, DEAD, by("nope")),
        ("POST sys/wrapping/unwrap", None, 400, DEAD, by("")),
        ("POST sys/wrapping/lookup", {"token": "nope"}, 400, DEAD),
        ("POST sys/wrapping/rewrap", {"token": "nope"}, 400, DEAD),
    )


def test_unwrapping():
    def fresh():
        return good("GET", "one/a", headers={"X-Vault-Wrap-TTL": "60"})["wrap_info"]["token"]

    look = has(creation_path="one/a", creation_time=NANO, creation_ttl=60)
    secret = enveloped(Only(k="v"), lease_duration=SYSTEM_TTL)
    first, second, third, fourth, fifth = (fresh() for i in range(5))
    check(
        ("POST sys/wrapping/lookup", {"token": first}, 200, look, by("")),
        ("POST sys/wrapping/lookup", {"token": first}, 200, look),
        ("GET sys/wrapping/lookup", None, 200, look, by(first)),
        ("POST sys/wrapping/lookup", None, 200, look, by(first)),
        ("POST sys/wrapping/unwrap", {"token": first}, 200, secret),
        ("POST sys/wrapping/unwrap", {"token": first}, 400, DEAD),
        ("PUT sys/wrapping/unwrap", None, 200, secret, by(second)),
        ("PUT sys/wrapping/unwrap", None, 400, DEAD, by(second)),
        ("GET cubbyhole/response", None, 200,
         dict(data=Only(response=str), warnings=Each(re.compile(".*deprecated.*"))), by(third)),
        ("GET cubbyhole/response", None, 403, "permission denied", by(third)),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(fifth)),
    )
    again = good("POST", "sys/wrapping/rewrap", {"token": fourth})["wrap_info"]
    wrong = like(dict(ttl=60, creation_path="one/a"), again)
    assert not wrong, wrong
    check(
        ("POST sys/wrapping/unwrap", {"token": fourth}, 400, DEAD),
        ("POST sys/wrapping/unwrap", {"token": again["token"]}, 200, secret),
    )
    reply = server.call("POST", "auth/token/create", {}, headers={"X-Vault-Wrap-TTL": "60"}).json["wrap_info"]
    looked = good("POST", "auth/token/lookup-accessor", {"accessor": reply["accessor"]})["data"]
    wrong = like(dict(policies=["response-wrapping"], num_uses=1, ttl=lambda t: 0 < t <= 60, explicit_max_ttl=60, orphan=True,
                      path="auth/token/create", renewable=False), looked)
    assert not wrong, wrong


# Section 9: root generation, rekey, rotation.

ATTEMPT = Only(nonce=str, started=bool, progress=int, required=3, complete=False, encoded_token="", encoded_root_token="",
               pgp_fingerprint="", otp=str, otp_length=28)


def test_generate_root():
    path = "sys/generate-root/"
    check(
        ("GET " + path + "attempt", None, 200, Only(ATTEMPT, nonce="", started=False, progress=0, otp="")),
        ("PUT " + path + "update", {"key": server.shares[0], "nonce": "x"}, 400, "no root generation in progress"),
        ("DELETE " + path + "attempt", None, 204, None),
        ("PUT " + path + "attempt", {"otp": "short"}, 400, "OTP string is wrong length"),
        ("PUT " + path + "attempt", {}, 200, Only(ATTEMPT, nonce=UUID, started=True, otp=re.compile(".{28}"))),
        ("PUT " + path + "attempt", {}, 400, "root generation already in progress"),
        ("DELETE " + path + "attempt", None, 204, None),
        ("PUT " + path + "attempt", {"otp": "a" * 28}, 200, Only(ATTEMPT, nonce=UUID, started=True, otp="")),
    )
    nonce = good("GET", path + "attempt")["nonce"]
    update = "PUT " + path + "update"
    step = Only(ATTEMPT, nonce=nonce, started=True, otp="", otp_length=0)
    check(
        (update, {"nonce": nonce}, 400, "'key' must be specified in request body as JSON"),
        (update, {"key": server.shares[0], "nonce": "x"}, 400,
         'incorrect nonce supplied; nonce for this root generation operation is "%s"' % nonce),
        (update, {"key": "zz!", "nonce": nonce}, 400, "'key' must be a valid hex or base64 string"),
        (update, {"key": server.shares[0], "nonce": nonce}, 200, Only(step, progress=1)),
        (update, {"key": server.shares[0], "nonce": nonce}, 400,
         "given key has already been provided during this generation operation"),
        (update, {"key": server.shares[1], "nonce": nonce}, 200, Only(step, progress=2)),
        (update, {"key": "01" * 33, "nonce": nonce}, 400, re.compile("(?s)root generation aborted: .*")),
        ("GET " + path + "attempt", None, 200, Only(ATTEMPT, nonce=str, started=True, progress=0, otp="")),
    )
    nonce = good("GET", path + "attempt")["nonce"]
    for share in server.shares[:2]:
        good("PUT", path + "update", {"key": share, "nonce": nonce})
    last = good("PUT", path + "update", {"key": server.shares[2], "nonce": nonce})
    assert last["complete"] is True and last["encoded_token"] == last["encoded_root_token"], last
    assert "=" not in last["encoded_token"]
    secret = base64.b64decode(last["encoded_token"] + "=" * (-len(last["encoded_token"]) % 4))
    token = bytes(a ^ b for a, b in zip(secret, b"a" * 28)).decode()
    assert token.startswith("hvs.") and len(token) == 28, token
    check(("GET auth/token/lookup-self", None, 200, dict(data=dict(policies=["root"], path="auth/token/root")), by(token)),
          ("GET " + path + "attempt", None, 200, Only(ATTEMPT, nonce="", started=False, progress=0, otp="")))


REKEY = Only(nonce=str, started=bool, t=int, n=int, progress=int, required=3, pgp_fingerprints=None, backup=False,
             verification_required=bool)


def test_rekey():
    init, update, verify = "sys/rekey/init", "sys/rekey/update", "sys/rekey/verify"
    check(
        ("GET " + init, None, 200, Only(REKEY, nonce="", started=False, t=0, n=0, progress=0, verification_required=False)),
        ("DELETE " + init, None, 204, None),
        ("PUT " + init, {"secret_shares": 3, "secret_threshold": 2, "Backup": True}, 400,
         "cannot request a backup of the new keys without providing PGP keys for encryption"),
        ("PUT " + init, {"secret_shares": 3, "secret_threshold": 2, "pgp_keys": ["a"]}, 400,
         "incorrect number of PGP keys for rekey"),
        ("PUT " + init, {"secret_shares": 2, "secret_threshold": 3}, 400,
         re.compile(".*threshold cannot be larger than shares")),
        ("GET " + verify, None, 400, "no rekey configuration found"),
        ("PUT " + verify, {"key": server.shares[0], "nonce": "x"}, 400, "no rekey configuration found"),
        ("PUT " + update, {"key": server.shares[0], "nonce": "x"}, 400, re.compile("no barrier rekey in progress|.+")),
        ("PUT " + init, {"secret_shares": 3, "secret_threshold": 2, "require_verification": True, "Backup": False}, 200,
         Only(REKEY, nonce=UUID, started=True, t=2, n=3, progress=0, verification_required=True)),
        ("PUT " + init, {"secret_shares": 3, "secret_threshold": 2}, 400, "rekey already in progress"),
    )
    nonce = good("GET", init)["nonce"]
    check(
        ("PUT " + update, {"nonce": nonce}, 400, "'key' must be specified in request body as JSON"),
        ("PUT " + update, {"key": server.shares[0], "nonce": "x"}, 400, re.compile("incorrect nonce supplied; .*" + nonce + ".*")),
        ("PUT " + update, {"key": server.shares[0], "nonce": nonce}, 200, Only(REKEY, progress=1, started=True)),
        ("PUT " + update, {"key": server.shares[0], "nonce": nonce}, 400,
         "given key has already been provided during this generation operation"),
        ("PUT " + update, {"key": server.shares[1], "nonce": nonce}, 200, Only(REKEY, progress=2, started=True)),
    )
    done = good("PUT", update, {"key": server.shares[2], "nonce": nonce})
    wrong = like(Only(nonce=nonce, complete=True, keys=Each(re.compile("[0-9a-f]{66}")), keys_base64=list,
                      pgp_fingerprints=None, backup=False, verification_required=True, verification_nonce=UUID), done)
    assert not wrong, wrong
    check_nonce = done["verification_nonce"]
    status = Only(nonce=check_nonce, started=True, t=2, n=3, progress=0)
    check(
        ("GET " + verify, None, 200, status),
        ("GET " + init, None, 200, Only(REKEY, verification_required=True, verification_nonce=check_nonce)),
        ("PUT " + verify, {"key": done["keys"][0], "nonce": "x"}, 400, re.compile("incorrect nonce supplied; .*")),
        ("PUT " + verify, {"key": done["keys"][0], "nonce": check_nonce}, 200, Only(status, progress=1)),
        ("DELETE " + verify, None, 200, Only(status, nonce=UUID, progress=0)),
    )
    check_nonce = good("GET", verify)["nonce"]
    assert check_nonce != done["verification_nonce"]
    good("PUT", verify, {"key": done["keys"][0], "nonce": check_nonce})
    check(
        ("PUT " + verify, {"key": done["keys"][1], "nonce": check_nonce}, 200, Only(nonce=check_nonce, complete=True)),
        ("GET " + init, None, 200, Only(REKEY, nonce="", started=False, required=2)),
        ("GET sys/rekey/backup", None, 400, "no backed-up keys found"),
        ("DELETE sys/rekey/backup", None, 204, None),
        ("GET sys/rekey-recovery-key/init", None, 400, "recovery rekeying not supported"),
        ("PUT sys/rekey-recovery-key/update", {"key": "00", "nonce": "x"}, 400, "recovery rekeying not supported"),
    )
    server.shares = done["keys"]
    check(
        ("PUT sys/seal", None, 403, "permission denied", by("")),
        ("PUT sys/seal", None, 403, "permission denied", by("nope")),
        ("PUT sys/seal", None, 204, None),
        ("GET sys/mounts", None, 503, re.compile("(error performing token check: )?Vault is sealed")),
        ("PUT sys/unseal", {"key": server.shares[0]}, 200, dict(sealed=True, progress=1, t=2, n=3)),
        ("PUT sys/unseal", {"key": server.shares[2]}, 200, dict(sealed=False)),
    )


def test_rotation():
    term = good("GET", "sys/key-status")["data"]["term"]
    check(
        ("PUT sys/rotate", None, 204, None),
        ("GET sys/key-status", None, 200, injected(Only(term=term + 1, install_time=NANO, encryptions=int))),
        ("POST sys/rotate/keyring", {}, 204, None),
        ("GET sys/rotate/config", None, 200, enveloped(Only(enabled=True, interval=0, max_operations=3865470566))),
        ("POST sys/rotate/config", {"interval": "1h"}, 400, re.compile("interval must be greater or equal to 24h0m0s")),
        ("POST sys/rotate/config", {"max_operations": 5}, 400,
         re.compile(r"max_operations must be in the range \[1000000,3865470566\]")),
        ("POST sys/rotate/config", {"interval": "24h", "max_operations": 2000000}, 204, None),
        ("GET sys/rotate/config", None, 200, has(enabled=True, interval="24h0m0s", max_operations=2000000)),
        ("GET sys/rotate/root/init", None, 200, dict(data=dict(started=False, nonce=""))),
        ("GET sys/generate-root-token/attempt", None, 200, dict(started=False, otp_length=28)),
        ("PUT sys/rotate", None, 403, "permission denied", by(token_with('path "sys/rotate" { capabilities = ["update"] }'))),
    )


# Section 10: mounts.

CONFIG = dict(default_lease_ttl=0, max_lease_ttl=0, force_no_cache=False)


def mount(kind, prefix="", **more):
    shape = dict(type=kind, description=str, accessor=re.compile(prefix + kind + "_[0-9a-f]{8}"), local=bool, seal_wrap=bool,
                 external_entropy_access=False, options=Optional(dict), uuid=UUID, config=CONFIG)
    shape.update(more)
    return shape


def test_mounts():
    new = "POST sys/mounts/"
    check(
        ("GET sys/mounts", None, 200,
         {"data": {"cubbyhole/": mount("cubbyhole", local=True), "sys/": mount("system"),
                   "one/": mount("kv", options={"version": "1"})}}),
        (new + "deep/er/kv", {"type": "kv", "description": "d", "config": {"default_lease_ttl": "1h", "max_lease_ttl": "2h",
                                                                          "options": None, "force_no_cache": True}}, 204, None),
        (new + "a2", {"type": "kv-v2"}, 204, None),
        ("PUT sys/mounts/a1", {"type": "kv-v1", "config": {"default_lease_ttl": "system", "max_lease_ttl": ""}}, 204, None),
        (new + "a0", {"type": "generic"}, 204, None),
        (new + "hid", {"type": "kv", "config": {"listing_visibility": "unauth", "audit_non_hmac_request_keys": ["a"]}},
         204, None),
        ("GET sys/mounts", None, 200,
         {"data": {"deep/er/kv/": mount("kv", description="d", config=dict(CONFIG, default_lease_ttl=3600,
                                                                            max_lease_ttl=7200, force_no_cache=True)),
                   "a2/": mount("kv", options={"version": "2"}), "a1/": mount("kv", options={"version": "1"}),
                   "hid/": mount("kv", config=dict(CONFIG, listing_visibility="unauth",
                                                   audit_non_hmac_request_keys=["a"]))}}),
        ("GET sys/mounts/a2", None, 200, dict(data=mount("kv", options={"version": "2"}))),
        ("GET sys/mounts/nope", None, 400, re.compile(".+")),
        (new + "one", {"type": "kv"}, 400, "path is already in use at one/"),
        (new + "one/more", {"type": "kv"}, 400, "path is already in use at one/"),
        (new + "deep", {"type": "kv"}, 400, "path is already in use at deep/er/kv/"),
        (new + "sys/x", {"type": "kv"}, 400, 'cannot mount "sys/x/"'),
        (new + "auth/x", {"type": "kv"}, 400, 'cannot mount "auth/x/"'),
        (new + "cubbyhole/x", {"type": "kv"}, 400, 'cannot mount "cubbyhole/x/"'),
        (new + "audit", {"type": "kv"}, 400, 'cannot mount "audit/"'),
        (new + "x", {"type": "nope"}, 400, "plugin not found in the catalog: nope"),
        (new + "x", {}, 400, "backend type must be specified as a string"),
        (new + "x", {"type": "kv", "options": {"version": "3"}}, 400, re.compile(".+")),
        (new + "x", {"type": "kv", "config": {"default_lease_ttl": "2h", "max_lease_ttl": "1h"}}, 400,
         "given default lease TTL greater than given max lease TTL"),
        (new + "x/", {"type": "kv"}, 400, "cannot write to a path ending in '/'"),
        (new + "x", {"type": "kv", "config": {"default_lease_ttl": "zz"}}, 400, re.compile(".*zz.*")),
        (new + "x", {"type": "kv", "config": {"listing_visibility": "zz"}}, 400, re.compile(".+")),
        ("DELETE sys/mounts/nope", None, 204, None),
        ("DELETE sys/mounts/a0", None, 204, None),
        ("DELETE sys/mounts/sys", None, 400, 'cannot unmount "sys/"'),
        ("DELETE sys/mounts/cubbyhole", None, 400, 'cannot unmount "cubbyhole/"'),
        ("GET a0/x", None, 404, "no handler for route 'a0/x'"),
    )


def test_tune():
    path = "sys/mounts/deep/er/kv/tune"
    check(
        ("GET sys/mounts/one/tune", None, 200,
         dict(data=dict(default_lease_ttl=SYSTEM_TTL, max_lease_ttl=SYSTEM_TTL, description="", force_no_cache=False,
                        options={"version": "1"}))),
        ("GET " + path, None, 200, dict(data=dict(default_lease_ttl=3600, max_lease_ttl=7200, description="d"))),
        ("GET sys/mounts/nope/tune", None, 400, 'cannot fetch sysview for path "nope/"'),
        ("POST sys/mounts/nope/tune", {"default_lease_ttl": "1h"}, 400, 'tune of path "nope/" failed: no mount entry found'),
        ("POST sys/mounts/cubbyhole/tune", {"default_lease_ttl": "1h"}, 400, 'cannot tune "cubbyhole/"'),
        ("POST " + path, {"default_lease_ttl": "1h", "max_lease_ttl": "10m"}, 400,
         "backend max lease TTL of 600 would be less than backend default lease TTL of 3600"),
        ("POST " + path, {"default_lease_ttl": "", "description": "e", "listing_visibility": "hidden",
                          "audit_non_hmac_response_keys": ["x"], "allowed_response_headers": ["y"]}, 204, None),
        ("GET " + path, None, 200,
         dict(data=dict(default_lease_ttl=3600, max_lease_ttl=7200, description="e", listing_visibility="hidden",
                        audit_non_hmac_response_keys=["x"], allowed_response_headers=["y"]))),
        ("POST " + path, {"default_lease_ttl": "system", "max_lease_ttl": "system"}, 204, None),
        ("GET " + path, None, 200, dict(data=dict(default_lease_ttl=SYSTEM_TTL, max_lease_ttl=SYSTEM_TTL))),
        ("POST " + path, {"options": {"version": "3"}}, 400, "invalid version provided: 3"),
        ("POST " + path, {"options": {"version": "2"}}, 200, dict(data=None, warnings=list)),
        ("POST " + path, {"options": {"version": "1"}}, 400, "cannot downgrade mount from version 2"),
        ("GET sys/auth/token/tune", None, 200,
         dict(data=dict(default_lease_ttl=SYSTEM_TTL, token_type="default-service", force_no_cache=False))),
        ("GET sys/mounts/auth/token/tune", None, 200, dict(data=dict(token_type="default-service"))),
    )


def test_remount():
    check(
        ("POST sys/remount", {"from": "nope", "to": "x"}, 400, 'no matching mount at "nope/"'),
        ("POST sys/remount", {"from": "a1", "to": "a2"}, 400, 'existing mount at "a2/"'),
        ("POST sys/remount", {"from": "a1"}, 400, "both 'from' and 'to' path must be specified as a string"),
        ("POST sys/remount", {"to": "a1"}, 400, "both 'from' and 'to' path must be specified as a string"),
        ("POST sys/remount", {"from": "sys", "to": "x"}, 400, 'cannot remount "sys/"'),
        ("POST sys/remount", {"from": "a1/", "to": "b/1/"}, 200, dict(data=Only(migration_id=UUID), migration_id=UUID)),
    )
    reply = good("POST", "sys/remount", {"from": "b/1", "to": "a1"})
    info = Only(migration_id=reply["data"]["migration_id"],
                migration_info=Only(source_mount="b/1/", target_mount="a1/", status="success"))
    check(("GET sys/remount/status/" + reply["data"]["migration_id"], None, 200, enveloped(info)),
          ("GET sys/remount/status/nope", None, 404, []),
          ("GET sys/mounts", None, 200, {"data": {"a1/": dict(type="kv")}}))


def test_auth_mounts():
    new = "POST sys/auth/"
    check(
        ("GET sys/auth", None, 200,
         {"data": {"token/": mount("token", "auth_", config=dict(CONFIG, token_type="default-service"))}}),
        (new + "up", {"type": "userpass", "description": "u", "config": {"token_type": "batch"}}, 204, None),
        ("GET sys/auth", None, 200,
         {"data": {"up/": mount("userpass", "auth_", description="u", config=dict(CONFIG, token_type="batch"))}}),
        ("GET sys/auth/up", None, 200, dict(data=dict(type="userpass"))),
        (new + "up", {"type": "userpass"}, 400, re.compile("path is already in use at (auth/)?up/")),
        (new + "x", {"type": "nope"}, 400, "plugin not found in the catalog: nope"),
        (new + "x", {}, 400, "backend type must be specified as a string"),
        (new + "x", {"type": "userpass", "config": {"token_type": "zz"}}, 400, re.compile("invalid value for 'token_type'.*")),
        ("POST sys/auth/token/tune", {"token_type": "batch"}, 400,
         "'token_type' cannot be set for 'token' or 'ns_token' auth mounts"),
        ("POST sys/mounts/one/tune", {"token_type": "batch"}, 400, "'token_type' can only be modified on auth mounts"),
        ("POST sys/auth/up/tune", {"token_type": "default-batch", "description": "w"}, 204, None),
        ("GET sys/auth/up/tune", None, 200, dict(data=dict(token_type="default-batch", description="w"))),
        ("POST sys/mounts/auth/up/tune", {"default_lease_ttl": 60}, 204, None),
        ("GET sys/mounts/auth/up/tune", None, 200, dict(data=dict(default_lease_ttl=60))),
        ("DELETE sys/auth/up", None, 204, None),
        ("DELETE sys/auth/up", None, 204, None),
        ("DELETE sys/auth/token", None, 400, "token credential backend cannot be disabled"),
        ("GET sys/auth/token", None, 403, "permission denied",
         by(token_with('path "sys/auth/*" { capabilities = ["read"] }'))),
    )


def test_preflight():
    def refused(path):
        return "preflight capability check returned 403, please ensure client's policies grant access to path \"%s\"" % path

    path = "sys/internal/ui/mounts"
    narrow = token_with('path "a2/data/x/+" { capabilities = ["read"] }')
    check(
        ("GET " + path, None, 200, has(auth=Only(), secret=Only({"hid/": dict(type="kv", description="", options=None)})),
         by("")),
        ("GET " + path, None, 200, has(auth={"token/": dict(type="token")}, secret={"a2/": dict(type="kv", accessor=str)})),
        ("GET " + path, None, 200, has(auth=dict, secret=Only({"a2/": dict, "hid/": dict, "cubbyhole/": dict, "sys/": dict})), by(narrow)),
        ("GET " + path + "/a2/foo/bar", None, 200,
         enveloped(dict(path="a2/", type="kv", options={"version": "2"}, accessor=str, config=dict, uuid=str))),
        ("GET " + path + "/a2", None, 200, has(path="a2/")),
        ("GET " + path + "/a2/anything", None, 200, has(path="a2/"), by(narrow)),
        ("GET " + path + "/one/foo", None, 403, refused("one/foo/"), by(narrow)),
        ("GET " + path + "/nope/foo", None, 403, refused("nope/foo/")),
        ("GET " + path + "/one/foo", None, 403, refused("one/foo/"), dict(wrap(), token=narrow)),
        ("PUT " + path, {}, 405, "unsupported operation", by("")),
        ("GET " + path + "/a2/foo", None, 403, re.compile("preflight.*|permission denied"), by("")),
        ("GET sys/internal/ui/resultant-acl", None, 200, has(root=True)),
        ("GET sys/internal/ui/resultant-acl", None, 200,
         has(root=False, exact_paths=dict, glob_paths=dict), by(narrow)),
    )
    assert good("GET", "sys/internal/specs/openapi", token="")["openapi"].startswith("3.")


# Section 11: policies.


POLICIES = ["b64", "default", "for-test", "json", "mine", "old", "root"]


def test_policies():
    text = '# Mine\npath "secret/*" {\n  capabilities = ["read"]\n}\n'
    old = "'rules' is deprecated, please use 'policy' instead"
    check(
        ("PUT sys/policy/Mine", {"policy": text}, 204, None),
        ("GET sys/policy/mine", None, 200, injected(Only(name="mine", rules=text))),
        ("GET sys/policies/acl/MINE", None, 200, enveloped(Only(name="mine", policy=text))),
        ("POST sys/policies/acl/b64", {"policy": b64(text)}, 204, None),
        ("GET sys/policies/acl/b64", None, 200, enveloped(Only(name="b64", policy=text))),
        ("PUT sys/policy/old", {"rules": text}, 200, dict(data=None, warnings=[old])),
        ("PUT sys/policy/json", {"policy": '{"path":{"a":{"capabilities":["read"]}}}'}, 204, None),
        ("GET sys/policy", None, 200, injected(Only(keys=POLICIES, policies=POLICIES))),
        ("LIST sys/policies/acl", None, 200, dict(data=dict(keys=POLICIES))),
        ("GET sys/policy/root", None, 200, injected(Only(name="root", rules=""))),
        ("GET sys/policies/acl/root", None, 200, enveloped(Only(name="root", policy=""))),
        ("GET sys/policy/nope", None, 404, []),
        ("GET sys/policies/acl/nope", None, 404, []),
        ("DELETE sys/policy/old", None, 204, None),
        ("DELETE sys/policy/old", None, 204, None),
        ("PUT sys/policy/x", {}, 400, "'policy' parameter not supplied or empty"),
        ("PUT sys/policies/acl/x", {"policy": ""}, 400, "'policy' parameter not supplied or empty"),
        ("PUT sys/policy/root", {"policy": text}, 400, 'cannot update "root" policy'),
        ("PUT sys/policy/response-wrapping", {"policy": text}, 400, 'cannot update "response-wrapping" policy'),
        ("PUT sys/policy/control-group", {"policy": text}, 400, 'cannot update "control-group" policy'),
        ("DELETE sys/policy/root", None, 400, 'cannot delete "root" policy'),
        ("DELETE sys/policy/default", None, 400, "cannot delete default policy"),
    )


def test_policy_errors():
    start = "failed to parse policy: "

    def row(text, said):
        return ("PUT sys/policy/bad", {"policy": text}, 400, said if isinstance(said, re.Pattern) else start + said)

    check(
        row('path "a" { capabilities = ["zip"] }', 'path "a": invalid capability "zip"'),
        row('path "a" { policy = "zip" }', 'path "a": invalid policy "zip"'),
        row('path "a" { capabilites = ["read"] }',
            '1 error occurred:\n\t* path "a": invalid key "capabilites" on line 1\n\n'),
        row("foo = 1", re.compile(r"(?s)failed to parse policy: 1 error occurred:\n\t\* invalid key \"foo\" on line \d+\n\n")),
        row('path "a" {', "At 1:12: object expected closing RBRACE got: EOF"),
        row('path "a/+*" { capabilities = ["read"] }', 'path "a/+*": invalid use of wildcards (\'+*\' is forbidden)'),
        row('path "a" { capabilities = ["read"] min_wrapping_ttl = "2h" max_wrapping_ttl = "1h" }',
            re.compile(".*max_wrapping_ttl cannot be less than min_wrapping_ttl")),
        row('path "{{identity.entity.id" { capabilities = ["read"] }',
            re.compile(".*failed to validate policy templating: unbalanced templating characters")),
    )


def test_capabilities():
    limited = token_with('path "one/a" { capabilities = ["update", "read", "create", "sudo"] }\n'
                         'path "one/no" { capabilities = ["read", "deny"] }\n'
                         'path "one/w" { policy = "write" }\npath "one/p" { capabilities = ["patch", "list", "delete"] }')
    accessor = good("GET", "auth/token/lookup-self", token=limited)["data"]["accessor"]
    three = dict(paths=["one/a", "one/no", "one/x"])
    wanted = {"one/a": ["create", "read", "sudo", "update"], "one/no": ["deny"], "one/x": ["deny"]}
    check(
        ("POST sys/capabilities", dict(three, token=limited), 200, injected(Only(wanted))),
        ("POST sys/capabilities-accessor", dict(three, accessor=accessor), 200, injected(Only(wanted))),
        ("POST sys/capabilities-self", three, 200, injected(Only(wanted)), by(limited)),
        ("POST sys/capabilities-self", {"path": "one/a"}, 200,
         injected(Only({"one/a": wanted["one/a"], "capabilities": wanted["one/a"]})), by(limited)),
        ("POST sys/capabilities-self", {"paths": ["one/w"]}, 200,
         injected(Only({"one/w": ["create", "delete", "list", "read", "update"], "capabilities": list})), by(limited)),
        ("POST sys/capabilities-self", {"paths": "one/p"}, 200,
         injected(Only({"one/p": ["delete", "list", "patch"], "capabilities": list})), by(limited)),
        ("POST sys/capabilities-self", {}, 400, "paths must be supplied"),
        ("POST sys/capabilities", {"token": "nope", "path": "a"}, 400, "invalid token"),
        ("POST sys/capabilities-accessor", {"accessor": "nope", "path": "a"}, 400, "invalid accessor"),
    )


def test_policies_decide():
    token = token_with('path "one/exact" { capabilities = ["read"] }\npath "one/ex*" { capabilities = ["update"] }\n'
                       'path "one/new/*" { capabilities = ["create"] }\npath "one/+/up" { capabilities = ["update"] }\n'
                       'path "one/req" { capabilities = ["create", "update"] required_parameters = ["must"] '
                       'allowed_parameters = { "must" = ["a*"] "other" = [] } denied_parameters = { "no" = [] } }\n'
                       'path "one/wr" { capabilities = ["read"] min_wrapping_ttl = "10s" max_wrapping_ttl = "1m" }')
    good("PUT", "one/exact", {"k": "v"})
    good("PUT", "one/exist/up", {"k": "v"})
    good("PUT", "one/also/up", {"k": "v"})
    good("PUT", "one/wr", {"k": "v"})
    refused = "permission denied"
    check(
        ("GET one/exact", None, 200, dict(data=dict), by(token)),
        ("PUT one/exact", {"k": "v"}, 403, refused, by(token)),
        ("PUT one/new/x", {"k": "v"}, 204, None, by(token)),
        ("PUT one/new/x", {"k": "v"}, 403, refused, by(token)),
        ("PUT one/fresh/up", {"k": "v"}, 403, refused, by(token)),
        ("PUT one/exist/up", {"k": "v"}, 204, None, by(token)),
        ("PUT one/also/up", {"k": "v"}, 204, None, by(token)),
        ("PUT one/req", {"must": "abc"}, 204, None, by(token)),
        ("PUT one/req", {"must": "abc", "other": 1}, 204, None, by(token)),
        ("PUT one/req", {"must": "xbc"}, 403, refused, by(token)),
        ("PUT one/req", {"other": 1}, 403, refused, by(token)),
        ("PUT one/req", {"must": "abc", "no": 1}, 403, refused, by(token)),
        ("PUT one/req", {"must": "abc", "else": 1}, 403, refused, by(token)),
        ("GET one/wr", None, 403, refused, by(token)),
        ("GET one/wr", None, 200, dict(wrap_info=dict), by(token, **{"X-Vault-Wrap-TTL": "30"})),
        ("GET one/wr", None, 403, refused, by(token, **{"X-Vault-Wrap-TTL": "5"})),
        ("GET one/wr", None, 403, refused, by(token, **{"X-Vault-Wrap-TTL": "2m"})),
    )


def test_password_policies():
    rules = 'length = 20\nrule "charset" {\n  charset = "abc"\n  min-chars = 1\n}\n'
    check(
        ("POST sys/policies/password/p", {"policy": rules}, 204, None),
        ("GET sys/policies/password/p", None, 200, enveloped(Only(policy=rules))),
        ("GET sys/policies/password/p/generate", None, 200, enveloped(Only(password=re.compile("[abc]{20}")))),
        ("LIST sys/policies/password", None, 200, keys("p")),
        ("POST sys/policies/password/q", {"policy": rules.replace("20", "3")}, 400, re.compile("(?s).+")),
        ("POST sys/policies/password/q", {"policy": rules.replace("20", "101")}, 400, re.compile("(?s).+")),
        ("GET sys/policies/password/q/generate", None, 404, "policy does not exist"),
        ("GET sys/policies/password/q", None, 404, re.compile(".*")),
        ("DELETE sys/policies/password/p", None, 204, None),
        ("LIST sys/policies/password", None, 404, []),
    )


# Section 12: leases.


def test_leases():
    check(
        ("PUT sys/leases/lookup", {"lease_id": "nope"}, 400, "invalid lease"),
        ("PUT sys/leases/lookup", {}, 400, "lease_id must be specified"),
        ("PUT sys/leases/renew", {"lease_id": "nope"}, 400, "lease not found"),
        ("PUT sys/leases/renew", {}, 400, re.compile("lease_id must be specified|lease not found")),
        ("PUT sys/renew", {"lease_id": "nope"}, 400, "lease not found"),
        ("PUT sys/leases/renew/nope", None, 400, "lease not found"),
        ("PUT sys/leases/revoke", {"lease_id": "nope"}, 204, None),
        ("PUT sys/leases/revoke", {"lease_id": "nope", "sync": False}, 202, enveloped(None)),
        ("PUT sys/leases/revoke/nope", None, 204, None),
        ("PUT sys/revoke", {"lease_id": "nope"}, 204, None),
        ("PUT sys/leases/revoke-prefix/nope", None, 204, None),
        ("PUT sys/leases/revoke-prefix/nope", {"sync": False}, 202, enveloped(None)),
        ("PUT sys/leases/revoke-force/nope", None, 204, None),
        ("PUT sys/revoke-prefix/nope", None, 204, None),
        ("PUT sys/revoke-force/nope", None, 204, None),
        ("POST sys/leases/tidy", None, 202,
         dict(data=None, warnings=["Tidy operation successfully started. Any information from the operation will be printed "
                                   "to Vault's server logs."])),
        ("GET sys/leases/count?type=irrevocable", None, 200, has(lease_count=0, counts=Only())),
        ("GET sys/leases?type=irrevocable", None, 200, has(lease_count=0)),
        ("LIST sys/leases/lookup/nope", None, 404, []),
        ("LIST sys/leases/lookup", None, 200, has(keys=lambda k: "auth/" in k)),
        ("LIST sys/leases/lookup/auth/token", None, 200, has(keys=lambda k: "create/" in k)),
    )
    capped = good("POST", "auth/token/create", {"policies": "default", "ttl": "100000h"})
    assert capped["warnings"] == ['TTL of "100000h" exceeded the effective max_ttl of "768h"; TTL value is capped '
                                  'accordingly'], capped["warnings"]
    assert capped["auth"]["lease_duration"] == SYSTEM_TTL


def test_tokens_have_leases():
    token = good("POST", "auth/token/create", {"policies": "default", "ttl": "1h"})["auth"]["client_token"]
    others = set(good("LIST", "sys/leases/lookup/auth/token/create")["data"]["keys"])
    second = good("POST", "auth/token/create", {"policies": "default", "ttl": "1h"})["auth"]["client_token"]
    fresh = set(good("LIST", "sys/leases/lookup/auth/token/create")["data"]["keys"]) - others
    assert len(fresh) == 1, fresh
    lease = "auth/token/create/" + fresh.pop()
    check(
        ("PUT sys/leases/lookup", {"lease_id": lease}, 200,
         enveloped(Only(id=lease, issue_time=NANO, expire_time=NANO, last_renewal=None, renewable=True,
                        ttl=lambda t: 3590 <= t <= 3600))),
        ("PUT sys/leases/revoke", {"lease_id": lease}, 204, None),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(second)),
        ("PUT sys/leases/lookup", {"lease_id": lease}, 400, "invalid lease"),
        ("GET auth/token/lookup-self", None, 200, dict, by(token)),
    )
    good("POST", "sys/auth/short", {"type": "userpass"})
    good("POST", "auth/short/users/a", {"password": "p"})
    login = good("POST", "auth/short/login/a", {"password": "p"}, token="")["auth"]["client_token"]
    check(
        ("LIST sys/leases/lookup/auth/short/login", None, 200, has(keys=["a/"])),
        ("PUT sys/leases/revoke-prefix/auth/short/login", {}, 204, None),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(login)),
        ("DELETE sys/auth/short", None, 204, None),
    )


# Section 13: audit.


def test_audit(path="/audit"):
    where = server.home + path
    check(
        ("PUT sys/audit/f", {"type": "file", "description": "d", "options": {"file_path": where}}, 204, None),
        ("PUT sys/audit/f", {"type": "file", "options": {"file_path": where}}, 400, "path already in use"),
        ("GET sys/audit", None, 200,
         injected(Only({"f/": dict(path="f/", type="file", description="d", options={"file_path": where}, local=False)}))),
        ("PUT sys/audit/g", {"type": "nope"}, 400, re.compile('unknown backend type: "nope"')),
        ("PUT sys/audit/g", {"type": "file", "options": {}}, 400, "file_path is required"),
        ("PUT sys/audit/g", {"type": "file"}, 400, "file_path is required"),
        ("POST sys/audit-hash/f", {"input": "hello"}, 200, injected(Only(hash=re.compile("hmac-sha256:[0-9a-f]{64}")))),
        ("POST sys/audit-hash/x", {"input": "hello"}, 400, 'unknown audit backend "x/"'),
        ("POST sys/audit-hash/f", {}, 400, 'the "input" parameter is empty'),
        ("DELETE sys/audit/nope", None, 204, None),
        ("PUT sys/config/auditing/request-headers/X-Mine", {"hmac": True}, 204, None),
        ("GET sys/config/auditing/request-headers/X-Mine", None, 200, dict(data={"X-Mine": Only(hmac=True)})),
        ("GET sys/config/auditing/request-headers/nope", None, 400, "Could not find header in config"),
        ("DELETE sys/config/auditing/request-headers/X-Mine", None, 204, None),
        ("GET sys/audit", None, 403, "permission denied", by(token_with('path "sys/audit" { capabilities = ["read"] }'))),
    )


def test_audit_records():
    where = server.home + "/records"
    good("PUT", "sys/audit/r", {"type": "file", "options": {"file_path": where}})
    good("PUT", "one/audited", {"password": "topsecret", "count": 5})
    assert server.call("GET", "one/a", token="nope").status == 403
    hashed = good("POST", "sys/audit-hash/r", {"input": "topsecret"})["data"]["hash"]
    good("DELETE", "sys/audit/r")
    with open(where) as f:
        text = f.read()
    lines = [json.loads(line) for line in text.splitlines()]
    assert "topsecret" not in text and server.root not in text
    asked, told = [line for line in lines if line["request"]["path"] == "one/audited"]
    wrong = like(dict(time=NANO, type="request",
                      auth=dict(client_token=str, accessor=str, display_name="root", policies=["root"],
                                token_policies=["root"], token_type="service"),
                      request=dict(id=UUID, operation="create", mount_type="kv", client_token=re.compile("hmac-sha256:.*"),
                                   client_token_accessor=str, namespace=dict(id="root"), path="one/audited",
                                   data=Only(password=hashed, count=5), remote_address="127.0.0.1")), asked)
    wrong += like(dict(type="response", request=dict(id=asked["request"]["id"]), response=dict(mount_type="kv")), told)
    refused = [line for line in lines if line["request"]["path"] == "one/a"]
    wrong += like(dict(type="response", error=re.compile("permission denied|.*permission denied.*")), refused[-1])
    assert not wrong, "\n".join(wrong)


# Section 14: the rest of sys.


def test_tools():
    check(
        ("POST sys/tools/random", {}, 200, enveloped(Only(random_bytes=lambda s: len(base64.b64decode(s)) == 32))),
        ("POST sys/tools/random/16", {"format": "hex"}, 200, enveloped(Only(random_bytes=re.compile("[0-9a-f]{32}")))),
        ("POST sys/tools/random", {"bytes": "8", "format": "hex"}, 200, has(random_bytes=re.compile("[0-9a-f]{16}"))),
        ("POST sys/tools/random", {"bytes": 131073}, 400, '"bytes" should be less than 131072'),
        ("POST sys/tools/random", {"format": "z"}, 400, 'unsupported encoding format "z"; must be "hex" or "base64"'),
        ("POST sys/tools/random/abc", {}, 400,
         'error parsing url-set byte count: strconv.Atoi: parsing "abc": invalid syntax'),
        ("POST sys/tools/random/x/8", {}, 400,
         'unsupported entropy source "x"; must be "platform" or "seal", or "all"'),
        ("POST sys/tools/random/platform/8", {"format": "hex"}, 200, has(random_bytes=re.compile("[0-9a-f]{16}"))),
        ("POST sys/tools/random/all", {"bytes": 4, "format": "hex"}, 200, has(random_bytes=re.compile("[0-9a-f]{8}"))),
        ("POST sys/tools/random/0", {}, 400, '"bytes" cannot be less than 1'),
        ("POST sys/tools/hash", {"input": b64("abc")}, 200,
         enveloped(Only(sum="ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))),
        ("POST sys/tools/hash/sha2-512", {"input": b64("abc"), "format": "base64"}, 200, has(sum=re.compile("3a81oZNherrMQX.*"))),
        ("POST sys/tools/hash", {"input": "!!"}, 400, re.compile("unable to decode input as base64: .*")),
        ("POST sys/tools/hash/zz", {"input": ""}, 400, "unsupported algorithm zz"),
        ("POST sys/tools/hash", {"input": "", "format": "z"}, 400,
         'unsupported encoding format z; must be "hex" or "base64"'),
    )


def test_the_rest_of_sys():
    names = re.compile(".+")
    check(
        ("GET sys/host-info", None, 200, enveloped(dict(timestamp=str))),
        ("GET sys/ha-status", None, 200,
         dict(data=dict(nodes=Each(dict(hostname=str, api_address=str, cluster_address=str, active_node=True,
                                        last_echo=None, version=SEMVER))))),
        ("LIST sys/version-history", None, 200,
         enveloped(Only(keys=Each(SEMVER),
                        key_info=Each(Only(timestamp_installed=str, previous_version=None, build_date=str))))),
        ("GET sys/plugins/catalog", None, 200, has(auth=Each(names), database=list, secret=Each(names))),
        ("LIST sys/plugins/catalog/secret", None, 200, has(keys=Each(names))),
        ("GET sys/plugins/catalog/secret/kv", None, 200,
         enveloped(Only(name="kv", command="", args=Optional(list), builtin=True, sha256=""))),
        ("GET sys/plugins/catalog/secret/nope", None, 404, []),
        ("GET sys/replication/status", None, 200, dict(data=dict(mode="disabled")), by("")),
        ("GET sys/config/state/sanitized", None, 200, dict(data=dict)),
        ("GET sys/config/cors", None, 200, dict(data=dict(enabled=False))),
        ("POST sys/config/cors", {"allowed_origins": "http://a.example"}, 204, None),
        ("GET sys/config/cors", None, 200, dict(data=dict(enabled=True, allowed_origins=["http://a.example"]))),
        ("DELETE sys/config/cors", None, 204, None),
        ("GET sys/license", None, 404, re.compile("unsupported path")),
        ("GET sys/storage/raft/configuration", None, 404, re.compile("unsupported path")),
        ("GET sys/loggers", None, 200, dict(data=dict)),
        ("POST sys/loggers", {"level": "info"}, 204, None),
        ("POST sys/loggers", {"level": "zz"}, 400, re.compile(".*zz.*")),
        ("DELETE sys/loggers", None, 204, None),
        ("GET sys/metrics", None, 200, dict(Timestamp=str, Gauges=list, Points=list, Counters=list, Samples=list)),
    )
    reply = server.call("GET", "sys/metrics?format=prometheus")
    assert reply.status == 200 and reply.headers["Content-Type"].startswith("text/plain"), reply.body[:200]


# Section 15: tokens.


def test_token_rules():
    new = "POST auth/token/create"
    sudo = "root or sudo privileges required to "
    good("PUT", "sys/policy/maker", {"policy": 'path "auth/token/create*" { capabilities = ["create", "update"] }'})
    good("PUT", "sys/policy/other", {"policy": 'path "other" { capabilities = ["read"] }'})
    maker = good("POST", "auth/token/create", {"policies": "maker"})["auth"]["client_token"]
    bare = good("POST", "auth/token/create", {"policies": "maker", "no_default_policy": True})["auth"]["client_token"]
    once = good("POST", "auth/token/create", {"policies": "maker", "num_uses": 9})["auth"]["client_token"]
    batch = good("POST", "auth/token/create", {"policies": "maker", "type": "batch"})["auth"]["client_token"]
    brief_root = good("POST", "auth/token/create", {"ttl": "1h"})["auth"]["client_token"]
    check(
        (new, {}, 200, dict(auth=dict(policies=["default", "maker"])), by(maker)),
        (new, {}, 200, dict(auth=dict(policies=["maker"])), by(bare)),
        (new, {"policies": ["maker"]}, 200, dict(auth=dict(policies=["default", "maker"])), by(maker)),
        (new, {"policies": ["maker"]}, 200, dict(auth=dict(policies=["maker"])), by(bare)),
        (new, {"policies": ["other"]}, 400, "child policies must be subset of parent", by(maker)),
        (new, {"policies": ["root"]}, 400, re.compile("child policies must be subset of parent|root tokens may not.*"),
         by(maker)),
        (new, {"policies": ["response-wrapping"]}, 400, 'cannot assign policy "response-wrapping"'),
        (new, {"policies": ["control-group"]}, 400, 'cannot assign policy "control-group"'),
        (new, {"id": "mine"}, 400, sudo + "specify token id", by(maker)),
        (new, {"no_parent": True}, 400, sudo + "create orphan token", by(maker)),
        (new, {"period": "1h"}, 400, sudo + "create periodic token", by(maker)),
        (new, {"id": "s.mine"}, 400, "custom token ID cannot have the 's.' prefix"),
        (new, {"id": "mine", "policies": "default"}, 200, dict(auth=dict(client_token="mine"))),
        (new, {"id": "mine"}, 400, "cannot create a token with a duplicate ID"),
        (new, {}, 400, "restricted use token cannot generate child tokens", by(once)),
        (new, {}, 400, "batch tokens cannot create more tokens", by(batch)),
        (new, {"type": "batch", "policies": "default", "period": "1h"}, 400, 'batch tokens cannot have "period" set'),
        (new, {"type": "batch", "policies": "default", "explicit_max_ttl": "1h"}, 400,
         'batch tokens cannot have "explicit_max_ttl" set'),
        (new, {"type": "batch", "policies": "default", "num_uses": 1}, 400, 'batch tokens cannot have "num_uses" set'),
        (new, {"type": "batch"}, 400, "batch tokens cannot be root tokens"),
        (new, {"type": "zip"}, 400, "invalid 'token_type' value"),
        (new, {"policies": "root"}, 400, "expiring root tokens cannot create non-expiring root tokens", by(brief_root)),
        (new, {"policies": "ghost"}, 200,
         dict(auth=dict(policies=["default", "ghost"]), warnings=['Policy "ghost" does not exist'])),
        (new, {"ttl": "1h0m0s", "explicit_max_ttl": "0s", "period": "0s", "display_name": "", "num_uses": 0,
               "renewable": True, "type": "service", "entity_alias": "", "no_parent": False, "policies": None,
               "meta": None, "id": None}, 200, dict(auth=dict(policies=["root"], lease_duration=3600), warnings=None)),
        (new, {"meta": {"n": 5}, "policies": "default"}, 200, dict(auth=dict(metadata={"n": "5"}))),
        (new, None, 200, dict(auth=dict(policies=["root"]))),
    )


LOOKUP = dict(accessor=BASE62, creation_time=int, creation_ttl=int, display_name=str, entity_id="", expire_time=Optional(NANO),
              explicit_max_ttl=int, id=str, meta=Optional(dict), num_uses=int, orphan=bool, path=str, policies=list, ttl=int,
              type="service")


def test_token_lookup():
    auth = good("POST", "auth/token/create", {"policies": "default", "ttl": "1h", "display_name": "a b", "meta": {"x": "y"},
                                              "explicit_max_ttl": "2h"})["auth"]
    token, accessor = auth["client_token"], auth["accessor"]
    full = Only(LOOKUP, id=token, display_name="token-a-b", creation_ttl=3600, explicit_max_ttl=7200, issue_time=NANO,
                renewable=True, meta={"x": "y"}, path="auth/token/create", orphan=False, expire_time=NANO,
                policies=["default"])
    periodic = good("POST", "auth/token/create", {"policies": "default", "period": "1h"})["auth"]["client_token"]
    check(
        ("POST auth/token/lookup", {"token": token}, 200, enveloped(full)),
        ("GET auth/token/lookup-self", None, 200, enveloped(full), by(token)),
        ("POST auth/token/lookup-self", None, 403, "permission denied", by(token)),
        ("POST auth/token/lookup-self", None, 200, dict(data=dict(policies=["root"]))),
        ("PUT auth/token/lookup-self", {"token": token}, 200, dict(data=dict(policies=["root"]))),
        ("GET auth/token/lookup?token=" + token, None, 200, enveloped(full)),
        ("POST auth/token/lookup", None, 200, dict(data=dict(LOOKUP, policies=["root"], path="auth/token/root"))),
        ("GET auth/token/lookup-self", None, 200,
         enveloped(Only(LOOKUP, expire_time=None, meta=None, display_name="root", creation_ttl=0, ttl=0, orphan=True))),
        ("POST auth/token/lookup-accessor", {"accessor": accessor}, 200, enveloped(Only(full, id=""))),
        ("GET auth/token/lookup-self", None, 200, dict(data=dict(period=3600)), by(periodic)),
        ("POST auth/token/lookup", {"token": "nope"}, 403, "bad token"),
        ("POST auth/token/lookup-accessor", {"accessor": "nope"}, 400, "invalid accessor"),
        ("POST auth/token/lookup-accessor", {}, 400, "missing accessor"),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by("nope")),
    )
    check(
        ("POST auth/token/renew", {"token": token, "increment": "30m"}, 200,
         enveloped(None, auth=dict(client_token=token, accessor=accessor, lease_duration=1800, renewable=True))),
        ("POST auth/token/renew-self", {"increment": 600}, 200, dict(auth=dict(client_token=token, lease_duration=600)),
         by(token)),
        ("POST auth/token/renew-self", None, 200, dict(auth=dict(lease_duration=3600)), by(periodic)),
        ("POST auth/token/renew-accessor", {"accessor": accessor}, 200, dict(auth=dict(client_token="", accessor=accessor))),
        ("POST auth/token/renew", {"token": "nope"}, 400, "token not found"),
        ("POST auth/token/renew-self", None, 400, re.compile("invalid lease ID|lease is not renewable")),
        ("GET auth/token/lookup-self", None, 200, dict(data=dict(last_renewal=NANO, last_renewal_time=int)), by(token)),
    )
    fixed = good("POST", "auth/token/create", {"policies": "default", "renewable": False})["auth"]["client_token"]
    batch = good("POST", "auth/token/create", {"policies": "default", "type": "batch"})["auth"]["client_token"]
    check(
        ("POST auth/token/renew", {"token": fixed}, 400, "lease is not renewable"),
        ("POST auth/token/renew", {"token": batch}, 400, "batch tokens cannot be renewed"),
        ("POST auth/token/renew-self", None, 400, "batch tokens cannot be renewed", by(batch)),
        ("GET auth/token/lookup-self", None, 200,
         dict(data=dict(LOOKUP, accessor="", type="batch", id=batch, renewable=False)), by(batch)),
    )


def test_token_revocation():
    def child(parent=None):
        return good("POST", "auth/token/create", {}, token=parent)["auth"]

    one_, two = child(), child()
    under_one, under_two = child(one_["client_token"]), child(two["client_token"])
    third = child()
    check(
        ("POST auth/token/revoke", {"token": "nope"}, 204, None),
        ("POST auth/token/revoke", {}, 400, "missing token ID"),
        ("POST auth/token/revoke", {"token": one_["client_token"]}, 204, None),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(under_one["client_token"])),
        ("POST auth/token/revoke-orphan", {"token": "nope"}, 400, "token to revoke not found"),
        ("POST auth/token/revoke-orphan", {"token": two["client_token"]}, 204, None),
        ("GET auth/token/lookup-self", None, 200, dict(data=dict(orphan=True)), by(under_two["client_token"])),
        ("POST auth/token/revoke-self", None, 204, None, by(under_two["client_token"])),
        ("POST auth/token/revoke-accessor", {"accessor": "nope"}, 400, "invalid accessor"),
        ("POST auth/token/revoke-accessor", {"accessor": third["accessor"]}, 204, None),
        ("GET sys/mounts", None, 403, "permission denied", by(third["client_token"])),
        ("LIST auth/token/accessors", None, 200, has(keys=Each(BASE62))),
        ("GET auth/token/accessors?list=true", None, 200, has(keys=Each(BASE62))),
        ("POST auth/token/tidy", None, 202, dict(warnings=list)),
    )
    twice = good("POST", "auth/token/create", {"policies": "default", "num_uses": 2})["auth"]["client_token"]
    check(
        ("GET nope/a", None, 403, "permission denied", by(twice)),
        ("GET auth/token/lookup-self", None, 200, dict(data=dict), by(twice)),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(twice)),
    )


def test_token_roles():
    role = dict(name="r1", orphan=False, renewable=True, path_suffix="", period=0, token_period=0, explicit_max_ttl=0,
                token_explicit_max_ttl=0, allowed_policies=["a", "default"], disallowed_policies=["x"],
                allowed_entity_aliases=Optional(list), token_type="default-service")
    check(
        ("LIST auth/token/roles", None, 404, []),
        ("POST auth/token/roles/r1", {"allowed_policies": "a,default", "disallowed_policies": ["x"]}, 204, None),
        ("GET auth/token/roles/r1", None, 200, has(**role)),
        ("LIST auth/token/roles", None, 200, keys("r1")),
        ("POST auth/token/roles/r2", {"period": 60, "token_period": 60}, 200, dict(warnings=list)),
        ("GET auth/token/roles/r2", None, 200, has(period=0, token_period=60)),
        ("POST auth/token/roles/r3", {"path_suffix": "happenin", "orphan": True, "token_num_uses": 4,
                                      "token_bound_cidrs": "127.0.0.0/8"}, 204, None),
        ("GET auth/token/roles/r3", None, 200, has(path_suffix="happenin", token_num_uses=4,
                                                   token_bound_cidrs=["127.0.0.0/8"])),
        ("POST auth/token/roles/r4", {"path_suffix": "a"}, 400, re.compile(".+")),
        ("GET auth/token/roles/nope", None, 404, []),
        ("POST auth/token/create/nope", {}, 400, "unknown role nope"),
        ("POST auth/token/create/r1", {"policies": ["c"]}, 400,
         'token policies (["c" "default"]) must be subset of the role\'s allowed policies (["a" "default"]) or glob policies ([])'),
        ("POST auth/token/create/r1", {"policies": ["a"]}, 200, dict(auth=dict(policies=["a", "default"]))),
        ("POST auth/token/create/r1", {}, 200, dict(auth=dict(policies=["a", "default"]))),
        ("POST auth/token/create/r3", {"policies": "default"}, 200, dict(auth=dict(orphan=True, num_uses=4))),
        ("DELETE auth/token/roles/r2", None, 204, None),
        ("DELETE auth/token/roles/r2", None, 204, None),
        ("POST auth/token/roles/d", {"disallowed_policies": ["x"]}, 204, None),
        ("POST auth/token/create/d", {"policies": ["x"]}, 400, 'token policy "x" is disallowed by this role'),
        ("POST auth/token/roles/bad", {"token_type": "zip"}, 400, re.compile(".+")),
        ("POST auth/token/roles/b@d", {}, 404, "unsupported path"),
    )
    made = good("POST", "auth/token/create/r3", {"policies": "default"})["auth"]["client_token"]
    check(("POST auth/token/lookup", {"token": made}, 200,
           has(path="auth/token/create/r3/happenin", role="r3", bound_cidrs=["127.0.0.0/8"], orphan=True)))


# Section 16: userpass.


def test_userpass():
    good("POST", "sys/auth/userpass", {"type": "userpass"})
    users, login = "auth/userpass/users/", "auth/userpass/login/"
    fields = dict(token_bound_cidrs=[], token_explicit_max_ttl=0, token_max_ttl=0, token_no_default_policy=False,
                  token_num_uses=0, token_period=0, token_policies=["zip"], token_ttl=0, token_type="default")
    wrong = "invalid username or password"
    check(
        ("LIST auth/userpass/users", None, 404, []),
        ("POST " + users + "bob", {}, 400, "missing password"),
        ("POST " + users + "Bob", {"password": "pw", "token_policies": "zip"}, 204, None),
        ("GET " + users + "bob", None, 200, enveloped(Only(fields))),
        ("POST " + users + "old", {"password": "pw", "policies": ["zip"], "ttl": "1h", "max_ttl": "2h"}, 204, None),
        ("GET " + users + "old", None, 200,
         enveloped(Only(fields, token_ttl=3600, token_max_ttl=7200, policies=["zip"], ttl=3600, max_ttl=7200))),
        ("LIST auth/userpass/users", None, 200, keys("bob", "old")),
        ("GET " + users + "nope", None, 404, []),
        ("POST " + users + "-bob", {"password": "pw"}, 404, "unsupported path"),
        ("POST " + users + "a.b-c_d", {"password": "pw"}, 204, None),
        ("DELETE " + users + "a.b-c_d", None, 204, None),
        ("PUT " + login + "BOB", {"password": "pw"}, 200,
         enveloped(None, auth=dict(metadata={"username": "bob"}, policies=["default", "zip"], orphan=True, renewable=True,
                                   lease_duration=SYSTEM_TTL, token_type="service")), by("")),
        ("POST " + login + "old", {"password": "pw"}, 200, dict(auth=dict(lease_duration=3600)), by("")),
        ("POST " + login + "old", {"password": "pw"}, 200, dict(auth=dict(lease_duration=3600)), by("stale-token")),
        ("POST " + login + "nope", {"password": "pw"}, 400, wrong, by("")),
        ("POST " + login + "bob", {"password": "no"}, 400, wrong, by("")),
        ("POST " + login + "bob", {}, 400, "missing password", by("")),
        ("GET " + login + "bob", None, 405, "unsupported operation", by("")),
        ("POST " + users + "bob/password", {"password": "new"}, 204, None),
        ("POST " + login + "bob", {"password": "pw"}, 400, wrong, by("")),
        ("POST " + users + "bob/policies", {"policies": "zap"}, 204, None),
        ("POST " + login + "bob", {"password": "new"}, 200, dict(auth=dict(policies=["default", "zap"])), by("")),
        ("POST " + users + "nope/password", {"password": "new"}, 400, "username does not exist"),
        ("POST " + users + "nope/policies", {"policies": "new"}, 400, "username does not exist"),
        ("POST " + users + "r", {"password": "pw", "token_policies": "root"}, 204, None),
        ("POST " + login + "r", {"password": "pw"}, 400, "auth methods cannot create root tokens", by("")),
        ("POST " + users + "t", {"password": "pw", "token_ttl": "2h", "token_max_ttl": "1h"}, 400,
         "'token_ttl' cannot be greater than 'token_max_ttl'"),
        ("POST " + users + "t", {"password": "pw", "token_type": "batch", "token_period": "1h"}, 400,
         "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens"),
        ("POST " + login + "old", {"password": "pw"}, 200,
         dict(wrap_info=dict(wrapped_accessor=BASE62, creation_path=login + "old")),
         dict(token="", headers={"X-Vault-Wrap-TTL": "60"})),
    )
    token = good("POST", login + "bob", {"password": "new"}, token="")["auth"]["client_token"]
    check(("GET auth/token/lookup-self", None, 200,
           has(display_name="userpass-bob", path=login + "bob", meta={"username": "bob"}, orphan=True), by(token)))
    good("POST", users + "bob/policies", {"policies": "zup"})
    check(
        ("POST auth/token/renew-self", {}, 400, "policies have changed, not renewing", by(token)),
        ("DELETE " + users + "bob", None, 204, None),
        ("DELETE " + users + "bob", None, 204, None),
        ("DELETE sys/auth/userpass", None, 204, None),
        ("GET auth/token/lookup-self", None, 403, "permission denied", by(token)),
    )


# Section 19: kv, version 1.


def test_kv1():
    check(
        ("PUT one/x/y", {"ttl": "1h", "a": {"b": [1, None]}}, 204, None),
        ("GET one/x/y", None, 200, enveloped(Only(ttl="1h", a={"b": [1, None]}), lease_duration=3600)),
        ("PUT one/x/y", {"lease": 90}, 204, None),
        ("GET one/x/y", None, 200, enveloped(Only(lease=90), lease_duration=90)),
        ("PUT one/x/y", {}, 400, "missing data fields"),
        ("PUT one/x/y", None, 400, "missing data fields"),
        ("LIST one/x", None, 200, keys("y")),
        ("DELETE one/x/y", None, 204, None),
        ("DELETE one/x/y", None, 204, None),
        ("GET one/x/y", None, 404, []),
        ("LIST one/x", None, 404, []),
        ("PATCH one/x/y", {"a": 1}, 405, "unsupported operation", MERGE),
    )


# Section 20: kv, version 2.

VERSION = Only(created_time=NANO, deletion_time="", destroyed=False, version=int, custom_metadata=None)


def test_kv2_data():
    path = "a2/data/d/x"
    cas = "check-and-set parameter did not match the current version"
    gone = Only(VERSION, deletion_time=NANO)
    check(
        ("GET a2/config", None, 200, enveloped(Only(cas_required=False, delete_version_after="0s", max_versions=0))),
        ("GET " + path, None, 404, []),
        ("POST " + path, {"data": {"a": 1}, "options": {"cas": 1}}, 400, cas),
        ("POST " + path, {"data": {"a": 1}, "options": {"cas": 0}}, 200, enveloped(Only(VERSION, version=1))),
        ("POST " + path, {"data": {"a": 1}, "options": {"cas": 0}}, 400, cas),
        ("PUT " + path, {"data": {"a": 2}, "options": {"cas": "1"}}, 200, enveloped(Only(VERSION, version=2))),
        ("POST " + path, {"data": {}, "options": {"cas": "zz"}}, 400, "error parsing check-and-set parameter"),
        ("POST " + path, {"options": {}}, 400, "no data provided"),
        ("POST " + path, {"a": 1}, 400, "no data provided"),
        ("POST " + path, {"data": "str"}, 400, re.compile("(?s).*data.*")),
        ("POST a2/data/null", {"data": None}, 200, dict(data=dict(version=1))),
        ("GET a2/data/null", None, 200, dict(data=dict(data=None))),
        ("GET " + path, None, 200, enveloped(Only(data={"a": 2}, metadata=Only(VERSION, version=2)))),
        ("GET " + path + "?version=1", None, 200, has(data={"a": 1}, metadata=Only(VERSION, version=1))),
        ("GET " + path + "?version=0", None, 200, has(data={"a": 2})),
        ("GET " + path + "?version=-1", None, 200, has(data={"a": 2})),
        ("GET " + path + "?version=9", None, 404, []),
        ("GET " + path + "?version=abc", None, 400, re.compile("(?s).*abc.*")),
        ("DELETE " + path, None, 204, None),
        ("GET " + path, None, 404, enveloped(Only(data=None, metadata=Only(gone, version=2)))),
        ("GET " + path + "?version=1", None, 200, has(data={"a": 1})),
        ("POST a2/undelete/d/x", {"versions": [2]}, 204, None),
        ("GET " + path, None, 200, has(data={"a": 2})),
        ("POST a2/delete/d/x", {"versions": "1,2"}, 204, None),
        ("GET " + path + "?version=1", None, 404, has(data=None, metadata=Only(gone, version=1))),
        ("POST a2/undelete/d/x", {"versions": ["1", 2, 77]}, 204, None),
        ("PUT a2/destroy/d/x", {"versions": [1]}, 204, None),
        ("GET " + path + "?version=1", None, 404,
         enveloped(Only(data=None, metadata=Only(VERSION, version=1, destroyed=True)))),
        ("POST a2/delete/d/x", {}, 400, "No version number provided"),
        ("POST a2/undelete/d/x", {"versions": []}, 400, "No version number provided"),
        ("POST a2/destroy/d/x", None, 400, "No version number provided"),
        ("POST a2/delete/d/nope", {"versions": [1]}, 204, None),
        ("POST a2/destroy/d/nope", {"versions": [1]}, 204, None),
        ("DELETE a2/data/nope", None, 204, None),
        ("LIST a2/data/d", None, 405, "unsupported operation"),
        ("GET a2/other", None, 404, enveloped(None, warnings=[NO_LIST % "get"])),
        ("PUT a2/other", {"a": 1}, 404, enveloped(None, warnings=[NO_LIST % "put"])),
        ("DELETE a2/other", None, 404, enveloped(None, warnings=[NO_LIST % "delete"])),
        ("LIST a2/other", None, 404, enveloped(None, warnings=[NO_LIST % "list"])),
    )
    good("PUT", "a2/data/n", raw=b'{"data":{"a":1.50,"b":12345678901234567890}}')
    assert good("GET", "a2/data/n")["data"]["data"]["a"] == 1.5


def test_kv2_metadata():
    path = "a2/metadata/d/x"
    one_version = Only(created_time=NANO, deletion_time=str, destroyed=bool)
    meta = Only(cas_required=False, created_time=NANO, current_version=2, delete_version_after="0s", max_versions=0,
                oldest_version=int, updated_time=NANO, custom_metadata=None, versions=Each(one_version))
    check(
        ("GET " + path, None, 200, enveloped(Only(meta))),
        ("POST " + path, {"max_versions": 3, "cas_required": True, "delete_version_after": "3h25m19s",
                          "custom_metadata": {"k": "v"}}, 204, None),
        ("GET " + path, None, 200, enveloped(Only(meta, max_versions=3, cas_required=True, delete_version_after="3h25m19s",
                                                  custom_metadata={"k": "v"}))),
        ("POST a2/data/d/x", {"data": {"a": 3}}, 400, "check-and-set parameter required for this call"),
        ("POST a2/data/d/x", {"data": {"a": 3}, "options": {"cas": 2}}, 200,
         enveloped(Only(VERSION, version=3, custom_metadata={"k": "v"}, deletion_time=NANO))),
        ("GET a2/data/d/x", None, 200, has(metadata=Only(VERSION, custom_metadata={"k": "v"}, deletion_time=NANO))),
        ("POST " + path, {"custom_metadata": {"l": "w"}, "cas_required": False, "delete_version_after": 0}, 204, None),
        ("GET " + path, None, 200, has(custom_metadata={"l": "w"}, cas_required=False, max_versions=3)),
        ("PATCH " + path, {"custom_metadata": {"m": "x", "l": None}}, 204, None, MERGE),
        ("GET " + path, None, 200, has(custom_metadata={"m": "x"})),
        ("PATCH a2/metadata/nope", {"custom_metadata": {"m": "x"}}, 404, re.compile(".*"), MERGE),
        ("PATCH " + path, {"custom_metadata": {"m": "x"}}, 415, re.compile(".*"),
         dict(headers={"Content-Type": "application/json"})),
        ("POST " + path, {"delete_version_after": "-1s"}, 400, re.compile("(?s).*cannot provide negative value.*")),
        ("POST " + path, {"custom_metadata": {"k" * 129: "v"}}, 400, re.compile("(?s).*custom_metadata validation failed: .*")),
        ("POST " + path, {"custom_metadata": {"k": "v" * 513}}, 400, re.compile("(?s).*custom_metadata validation failed: .*")),
        ("POST " + path, {"custom_metadata": {str(i): "v" for i in range(65)}}, 400,
         re.compile("(?s).*custom_metadata validation failed: .*")),
        ("POST " + path, {"custom_metadata": {"k": "a\nb"}}, 400, re.compile("(?s).*custom_metadata validation failed: .*")),
        ("POST a2/metadata/empty", {"max_versions": 5}, 204, None),
        ("GET a2/metadata/empty", None, 200, has(current_version=0, oldest_version=0, versions=Only(), max_versions=5)),
        ("GET a2/data/empty", None, 404, []),
        ("GET a2/metadata/nope", None, 404, []),
        ("LIST a2/metadata", None, 200, keys("d/", "empty", "n", "null")),
        ("LIST a2/metadata/d", None, 200, keys("x")),
        ("LIST a2/metadata/nope", None, 404, []),
        ("DELETE a2/metadata/empty", None, 204, None),
        ("DELETE a2/metadata/empty", None, 204, None),
    )
    for i in range(4):
        good("POST", "a2/data/d/x", {"data": {"i": i}})
    body = good("GET", path)["data"]
    assert sorted(body["versions"]) == ["5", "6", "7"] and body["oldest_version"] == 5, body


def test_kv2_config_and_patch():
    ignored = '"cas_required" set to false, but is mandated by backend config. This value will be ignored.'
    check(
        ("POST a2/config", {"what": 1}, 204, None),
        ("POST a2/config", {"max_versions": 4, "cas_required": True, "delete_version_after": "1h"}, 204, None),
        ("GET a2/config", None, 200, enveloped(Only(cas_required=True, delete_version_after="1h0m0s", max_versions=4))),
        ("POST a2/data/c", {"data": {}}, 400, "check-and-set parameter required for this call"),
        ("POST a2/metadata/c", {"cas_required": False}, 200, warned(ignored)),
        ("POST a2/config", {"max_versions": 0, "cas_required": False, "delete_version_after": "-1s"}, 204, None),
        ("GET a2/config", None, 200, has(cas_required=False)),
        ("POST a2/data/p", {"data": {"a": {"b": 1, "c": [2]}, "d": 3}}, 200, has(version=1)),
        ("PATCH a2/data/p", {"data": {"a": {"b": None, "e": 4}}, "options": {"cas": 1}}, 200,
         enveloped(Only(VERSION, version=2)), MERGE),
        ("GET a2/data/p", None, 200, has(data={"a": {"c": [2], "e": 4}, "d": 3})),
        ("PATCH a2/data/p", {"data": {}, "options": {"cas": 1}}, 400,
         "check-and-set parameter did not match the current version", MERGE),
        ("PATCH a2/data/p", {"data": {}}, 415, re.compile(".*"), dict(headers={"Content-Type": "application/json"})),
        ("PATCH a2/data/nope", {"data": {}}, 404, [], MERGE),
        ("PATCH a2/data/p", {}, 400, "no data provided", MERGE),
        ("GET a2/subkeys/p", None, 200,
         enveloped(Only(subkeys={"a": {"c": None, "e": None}, "d": None}, metadata=Only(VERSION, version=2)))),
        ("GET a2/subkeys/p?depth=1", None, 200, has(subkeys={"a": None, "d": None})),
        ("GET a2/subkeys/p?version=1", None, 200, has(subkeys={"a": {"b": None, "c": None}, "d": None})),
        ("GET a2/subkeys/nope", None, 404, []),
        ("DELETE a2/data/p", None, 204, None),
        ("GET a2/subkeys/p", None, 404, enveloped(Only(subkeys=None, metadata=Only(VERSION, deletion_time=NANO)))),
        ("PATCH a2/data/p", {"data": {"x": 1}}, 404, dict(data=dict(metadata=dict(version=2))), MERGE),
    )
    token = token_with('path "a2/data/*" { capabilities = ["read", "update", "create"] }')
    check(("PATCH a2/data/null", {"data": {}}, 403, "permission denied", dict(MERGE, token=token)))


# Section 21: cubbyhole.


def test_cubbyhole():
    token = token_with(policies=["default"])
    batch = token_with(policies=["default"], type="batch")
    check(
        ("POST cubbyhole/a/b", {"x": 1}, 204, None, by(token)),
        ("GET cubbyhole/a/b", None, 200, enveloped(Only(x=1)), by(token)),
        ("LIST cubbyhole/a", None, 200, keys("b"), by(token)),
        ("LIST cubbyhole", None, 200, keys("a/"), by(token)),
        ("GET cubbyhole/a/b", None, 404, []),
        ("LIST cubbyhole", None, 404, []),
        ("POST cubbyhole/a/b", {}, 400, "missing data fields", by(token)),
        ("DELETE cubbyhole/a/b", None, 204, None, by(token)),
        ("DELETE cubbyhole/a/b", None, 204, None, by(token)),
        ("GET cubbyhole/a/b", None, 404, [], by(token)),
        ("GET cubbyhole/", None, 400, "missing path"),
        ("GET cubbyhole/a", None, 400, 'cubbyhole operations are only supported by "service" type tokens', by(batch)),
    )


if __name__ == "__main__":
    with Server(tls=False) as server:
        run_all(globals())
