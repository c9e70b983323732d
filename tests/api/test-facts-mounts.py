# SPDX-License-Identifier: LGPL-2.1-or-later
"""Mounts, auth methods, tuning, remounting and the preflight, line by line."""

import re

from api_facts import (Only, Optional, SYSTEM_TTL, UUID, by, check, enveloped, good, has, prepare, server,
                       token_with, wrap)
from bawn_server import run_all

# Mounts.

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
        (new + "b2", {"type": "kv-v2"}, 204, None),
        ("PUT sys/mounts/a1", {"type": "kv-v1", "config": {"default_lease_ttl": "system", "max_lease_ttl": ""}}, 204, None),
        (new + "a0", {"type": "generic"}, 204, None),
        (new + "hid", {"type": "kv", "config": {"listing_visibility": "unauth", "audit_non_hmac_request_keys": ["a"]}},
         204, None),
        ("GET sys/mounts", None, 200,
         {"data": {"deep/er/kv/": mount("kv", description="d", config=dict(CONFIG, default_lease_ttl=3600,
                                                                            max_lease_ttl=7200, force_no_cache=True)),
                   "b2/": mount("kv", options={"version": "2"}), "a1/": mount("kv", options={"version": "1"}),
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


if __name__ == "__main__":
    with server:
        prepare()
        run_all(globals())
