# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the API makes of requests: paths, methods, bodies, headers, fields, envelopes, wrapping."""

import http.client
import json
import re

from api_facts import (BASE62, ENVELOPE, Each, NANO, Only, SYSTEM_TTL, TOKEN, by, check, enveloped, good, has,
                       injected, keys, like, prepare, raw, server, token_with, warned, wrap)
from bawn_server import run_all

# Requests.


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


# Fields.


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


# Shapes.


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


# Who may do what.


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


# Wrapping.

DEAD = "wrapping token is not valid or does not exist"
HEADER = "error parsing X-Vault-Wrap-TTL header: "


def test_wrapping():
    good("PUT", "one/a", {"k": "v"})
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


if __name__ == "__main__":
    with server:
        prepare()
        run_all(globals())
