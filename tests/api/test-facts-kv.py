# SPDX-License-Identifier: LGPL-2.1-or-later
"""Key-value stores of both versions and cubbyholes, line by line."""

import re

from api_facts import (Each, MERGE, NANO, Only, by, check, enveloped, good, has, keys, prepare, raw, server,
                       token_with, warned)
from bawn_server import run_all

NO_LIST = "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. " \
          "If using the Vault CLI, use 'vault kv %s' for this operation."


# Kv, version 1.


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


# Kv, version 2.

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


# Cubbyhole.


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
    with server:
        prepare()
        run_all(globals())
