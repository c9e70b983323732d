# SPDX-License-Identifier: LGPL-2.1-or-later
"""The token store and userpass, line by line."""

import re

from api_facts import (BASE62, Each, NANO, Only, Optional, SYSTEM_TTL, by, check, enveloped, good, has, keys,
                       prepare, server)
from bawn_server import run_all

# Tokens.


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


# Userpass.


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


if __name__ == "__main__":
    with server:
        prepare()
        run_all(globals())
