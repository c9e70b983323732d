# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies, capabilities, leases, audit, tools and the rest of sys, line by line."""

import base64
import json
import re

from api_facts import (Each, NANO, Only, SEMVER, Optional, SYSTEM_TTL, UUID, b64, by, check, enveloped, good, has,
                       injected, keys, like, prepare, server, token_with)
from bawn_server import run_all

# Policies.


POLICIES = ["b64", "default", "json", "mine", "old", "root"]


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


# Leases.


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


# Audit.


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


# The rest of sys.


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


if __name__ == "__main__":
    with server:
        prepare()
        run_all(globals())
