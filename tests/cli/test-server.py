# SPDX-License-Identifier: LGPL-2.1-or-later
"""bawn against a real bawnd over TLS: the story of a server, from its first day on."""
import base64
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

from bawn_server import Server  # noqa: E402
from harness import Home, contains, equal, main, test  # noqa: E402

server = Server()
home = Home(BAWN_ADDR=server.url, BAWN_CACERT=server.cert)
run = home.run
keys = []


def rows(text):
    """A table of two columns as a dictionary."""
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in text.splitlines() if re.search(r"\S\s{2,}\S", line))


@test("a new server is not initialised, and sealed")
def _():
    equal(run("operator", "init", "-status").fails(2).out, "The server is not initialized\n")
    status = rows(run("status").fails(2).out)
    equal((status["Initialized"], status["Sealed"], status["Total Shares"]), ("false", "true", "0"))


@test("init prints shares and a root token once")
def _():
    result = run("operator", "init", "-key-shares=3", "-key-threshold=2").ok()
    keys.extend(re.findall(r"^Unseal Key \d: (\S+)$", result.out, re.M))
    equal(len(keys), 3)
    root, = re.findall(r"^Initial Root Token: (\S+)$", result.out, re.M)
    home.environment["BAWN_TOKEN"] = root
    run("operator", "init").fails(2, "already initialized")
    run("operator", "init", "-status").ok()


@test("unsealing takes as many shares as were said, from operand or input")
def _():
    status = rows(run("operator", "unseal", keys[0]).ok().out)
    equal((status["Sealed"], status["Unseal Progress"]), ("true", "1/2"))
    equal(run("operator", "unseal", "-reset", "-format=json").json()["progress"], 0)
    run("operator", "unseal", stdin=keys[0] + "\n").ok()
    status = rows(run("operator", "unseal", "-", stdin=keys[2]).ok().out)
    equal(status["Sealed"], "false")
    equal(run("status", "-format=json").json()["sealed"], False)


@test("a share typed at a terminal is not shown")
def _():
    run("operator", "seal").ok()
    run("status").fails(2)
    run("operator", "unseal", keys[0]).ok()
    result = home.on_terminal(keys[1] + "\n", "operator", "unseal", TERM="dumb")
    equal(result.status, 0)
    assert keys[1] not in result.out, result.out
    contains(result.out, "Unseal Key (will be hidden): ")
    run("status").ok()


@test("a versioned engine keeps versions, and every verb does its part")
def _():
    contains(run("secrets", "enable", "-path=secret", "-version=2", "-description=the keep", "kv").ok().out,
             "Enabled the kv secrets engine at: secret/")
    out = run("kv", "put", "secret/app", "user=app", "password=one").ok().out
    contains(out, "======= Metadata =======\nKey")
    contains(out, "version")
    run("kv", "put", "-cas=1", "secret/app", "user=app", "password=-", stdin="two").ok()
    run("kv", "put", "-cas=1", "secret/app", "a=b").fails(2, "check-and-set parameter did not match the current version")
    equal(run("kv", "get", "-field=password", "secret/app").ok().out, "two")
    equal(run("kv", "get", "-field=password", "-version=1", "-mount=secret", "app").ok().out, "one")
    out = run("kv", "get", "secret/app").ok().out
    contains(out, "= Secret Path =\nsecret/data/app\n\n")
    contains(out, "====== Data ======\nKey         Value\n---         -----\npassword    two\nuser        app\n")
    equal(run("kv", "get", "-format=json", "secret/app").json()["data"]["data"], {"user": "app", "password": "two"})
    run("kv", "patch", "secret/app", "more=x").ok()
    run("kv", "patch", "-remove-data=user", "secret/app").ok()
    run("kv", "patch", "-method=rw", "-remove-data=more", "secret/app", "rw=y").ok()
    equal(run("kv", "get", "-format=json", "secret/app").json()["data"]["data"], {"password": "two", "rw": "y"})
    run("kv", "patch", "-method=rw", "secret/absent", "a=b").fails(2, "No value found at secret/data/absent")
    run("kv", "patch", "secret/absent", "a=b").fails(2)
    run("kv", "rollback", "-version=1", "secret/app").ok()
    equal(run("kv", "get", "-field=password", "secret/app").ok().out, "one")
    run("kv", "delete", "secret/app").ok()
    contains(run("kv", "get", "secret/app").ok().out, "deletion_time")
    run("kv", "get", "-field=password", "secret/app").fails(2, "No data found at secret/data/app")
    run("kv", "undelete", "-versions=6", "secret/app").ok()
    run("kv", "get", "secret/app").ok()
    run("kv", "delete", "-versions=1,2", "secret/app").ok()
    run("kv", "destroy", "-versions=1", "secret/app").ok()
    versions = run("kv", "metadata", "get", "-format=json", "secret/app").json()["data"]["versions"]
    equal([versions[n]["destroyed"] for n in "12"], [True, False])
    assert versions["2"]["deletion_time"]
    run("kv", "rollback", "-version=1", "secret/app").fails(2, "does not exist, or is deleted")
    equal(run("kv", "list", "secret").ok().out, "Keys\n----\napp\n")
    equal(run("kv", "list", "-mount=secret").ok().out, "Keys\n----\napp\n")
    run("kv", "list", "secret/nowhere").fails(2, "No value found at secret/metadata/nowhere")
    run("kv", "get", "secret/nowhere").fails(2, "No value found at secret/data/nowhere")


@test("metadata of a secret can be set and changed")
def _():
    run("kv", "metadata", "put", "-max-versions=7", "-cas-required", "-delete-version-after=3h25m19s",
        "-custom-metadata=owner=ops", "-custom-metadata=tier=1", "secret/meta").ok()
    data = run("kv", "metadata", "get", "-format=json", "secret/meta").json()["data"]
    equal((data["max_versions"], data["cas_required"], data["delete_version_after"]), (7, True, "3h25m19s"))
    equal(data["custom_metadata"], {"owner": "ops", "tier": "1"})
    run("kv", "metadata", "patch", "-custom-metadata=owner=dev", "-remove-custom-metadata=tier", "secret/meta").ok()
    data = run("kv", "metadata", "get", "-format=json", "secret/meta").json()["data"]
    equal((data["max_versions"], data["custom_metadata"]), (7, {"owner": "dev"}))
    out = run("kv", "metadata", "get", "secret/app").ok().out
    contains(out, "====== Version 2 ======")
    assert out.index("Version 2 ") < out.index("Version 6 ")
    run("kv", "metadata", "delete", "secret/meta").ok()
    run("kv", "metadata", "get", "secret/meta").fails(2, "No value found")


@test("an engine without versions works by the same verbs, and can get versions")
def _():
    run("secrets", "enable", "-path=old", "kv").ok()
    equal(run("kv", "put", "old/a/b", "k=v").ok().out, "Success! Data written to: old/a/b\n")
    equal(run("kv", "get", "old/a/b").ok().out, "== Data ==\nKey    Value\n---    -----\nk      v\n")
    equal(run("kv", "list", "old/a").ok().out, "Keys\n----\nb\n")
    run("kv", "undelete", "-versions=1", "old/a/b").fails(1, "version 1")
    run("kv", "get", "-version=1", "old/a/b").fails(1, "version 1")
    run("kv", "put", "-cas=1", "old/a/b", "k=v").fails(1, "version 1")
    run("kv", "delete", "old/a/b").ok()
    run("kv", "get", "old/a/b").fails(2, "No value found at old/a/b")
    run("kv", "put", "old/n", "-", stdin='{"n": 12345678901234567890, "f": 1.50}').ok()
    contains(run("read", "-format=json", "old/n").ok().out, '"n": 12345678901234567890,\n    "f": 1.50\n')
    contains(run("kv", "enable-versioning", "old").ok().out, "Tuned the secrets engine at: old/")
    run("kv", "put", "old/c", "k=v").ok()
    contains(run("kv", "get", "old/c").ok().out, "old/data/c")


@test("engines are listed, tuned, moved and disabled")
def _():
    out = run("secrets", "list").ok().out
    contains(out, "the keep")
    contains(out, "Path")
    contains(run("secrets", "list", "-detailed").ok().out, "Default TTL")
    run("secrets", "tune", "-default-lease-ttl=72h", "-description=tuned", "secret/").ok()
    entry = run("secrets", "list", "-format=json").json()["secret/"]
    equal((entry["config"]["default_lease_ttl"], entry["description"], entry["options"]), (259200, "tuned", {"version": "2"}))
    contains(run("secrets", "move", "old", "older/").ok().out, "Moved secrets engine old/ to: older/")
    run("kv", "get", "older/c").ok()
    run("secrets", "disable", "older").ok()
    assert "older/" not in run("secrets", "list", "-format=json").json()
    run("secrets", "enable", "nonsense").fails(2, "nonsense")


@test("policies are written, read, formatted and deleted")
def _():
    path = home.file("p.hcl", 'path "secret/data/*" {capabilities=["read","list"]}\n')
    contains(run("policy", "fmt", path).ok().out, "Formatted policy")
    equal(open(path).read(), 'path "secret/data/*" {\n  capabilities = ["read", "list"]\n}\n')
    run("policy", "write", "Readers", path).ok()
    run("policy", "write", "typed", "-", stdin='path "x" { policy = "read" }').ok()
    equal(run("policy", "read", "readers").ok().out, open(path).read())
    equal(run("policy", "read", "-format=json", "typed").json(), {"policy": 'path "x" { policy = "read" }'})
    names = run("policy", "list").ok().out.split()
    assert {"default", "readers", "typed", "root"} <= set(names), names
    run("policy", "delete", "typed").ok()
    run("policy", "read", "typed").fails(2, "No policy named: typed")
    run("policy", "write", "bad", "-", stdin="path {").fails(2, "failed to parse policy")


@test("tokens are made, looked up, renewed and revoked")
def _():
    made = run("token", "create", "-policy=readers", "-ttl=1h", "-metadata=a=b", "-display-name=t", "-format=json").json()
    token, accessor = made["auth"]["client_token"], made["auth"]["accessor"]
    equal((made["auth"]["lease_duration"], made["auth"]["metadata"]), (3600, {"a": "b"}))
    contains(run("token", "create", "-policy=readers").ok().out, 'token_policies       ["default" "readers"]')
    looked = run("token", "lookup", "-format=json", token).json()["data"]
    equal((looked["display_name"], looked["policies"]), ("token-t", ["default", "readers"]))
    equal(run("token", "lookup", "-accessor", "-field=id", accessor).ok().out, "")
    equal(rows(run("token", "lookup", "-", stdin=token).ok().out)["creation_ttl"], "1h")
    equal(run("token", "renew", "-increment=30m", "-format=json", token).json()["auth"]["lease_duration"], 1800)
    run("token", "renew", "-accessor", accessor).ok()
    run("token", "renew", BAWN_TOKEN=token).ok()
    equal(run("token", "capabilities", token, "secret/data/x").ok().out, "list, read\n")
    equal(run("token", "capabilities", "-accessor", accessor, "secret/data/x").ok().out, "list, read\n")
    equal(run("token", "capabilities", "secret/data/x").ok().out, "root\n")
    run("kv", "get", "secret/app", BAWN_TOKEN=token).ok()
    run("kv", "put", "secret/app", "a=b", BAWN_TOKEN=token).fails(2, "Code: 403. Errors:", "permission denied")
    run("token", "revoke", "-accessor", accessor).ok()
    run("token", "lookup", BAWN_TOKEN=token).fails(2, "403")
    own = run("token", "create", "-field=token").ok().out
    run("token", "revoke", "-self", BAWN_TOKEN=own).ok()
    run("token", "lookup", own).fails(2)
    run("token", "revoke").fails(1, "-self")


@test("users log in by name and password, and the token is kept")
def _():
    run("auth", "enable", "-description=people", "userpass").ok()
    run("write", "auth/userpass/users/alice", "password=-", "policies=readers", stdin="wonder land").ok()
    without = {"BAWN_TOKEN": ""}
    result = run("login", "-method=userpass", "username=alice", stdin="wonder land\n", **without).ok()
    contains(result.out, "Success! You are now authenticated.")
    contains(result.out, "token_meta_username")
    path = os.path.join(home.path, ".bawn-token")
    equal(os.stat(path).st_mode & 0o777, 0o600)
    equal(run("print", "token", **without).ok().out.strip(), open(path).read())
    run("kv", "get", "secret/app", **without).ok()
    equal(run("token", "lookup", "-field=display_name", **without).ok().out, "userpass-alice")
    run("login", "-method=userpass", "username=alice", "password=wrong", **without).fails(2, "invalid username or password")
    token = run("login", "-method=userpass", "-token-only", "username=alice", "password=-", stdin="wonder land\n", **without).ok().out
    assert token and token != open(path).read()
    contains(run("login", token, **without).ok().out, token)
    equal(open(path).read(), token)
    run("login", "-no-store", "-", stdin=home.environment["BAWN_TOKEN"], **without).ok()
    equal(open(path).read(), token)
    contains(run("login", token).ok().err, "BAWN_TOKEN")
    run("login", "nonsense", **without).fails(2, "403")
    os.unlink(path)
    run("print", "token", **without).fails(1, "no token")
    result = home.on_terminal("wonder land\n", "login", "-method=userpass", "username=alice", TERM="dumb", **without)
    equal(result.status, 0)
    assert "wonder" not in result.out
    os.unlink(path)


@test("login methods are listed, tuned, explained and disabled")
def _():
    contains(run("auth", "list").ok().out, "people")
    run("auth", "tune", "-max-lease-ttl=24h", "userpass").ok()
    equal(run("auth", "list", "-format=json").json()["userpass/"]["config"]["max_lease_ttl"], 86400)
    contains(run("auth", "help", "userpass").ok().out, "-method=userpass")
    run("auth", "enable", "-path=staff", "userpass").ok()
    contains(run("auth", "help", "staff/").ok().out, "-method=userpass")
    run("auth", "help", "nowhere").fails(1, "nowhere")
    run("auth", "disable", "staff").ok()


@test("paths are read, written, listed and deleted by their name")
def _():
    contains(run("write", "sys/tools/hash/sha2-256", "input=" + base64.b64encode(b"x").decode()).ok().out, "sum")
    equal(run("list", "auth/userpass/users").ok().out, "Keys\n----\nalice\n")
    contains(run("read", "auth/userpass/users/alice").ok().out, "token_policies")
    run("write", "cubbyhole/x", "a=1", "a=2").ok()
    equal(run("read", "-field=a", "cubbyhole/x").ok().out, "[1 2]")
    contains(run("delete", "cubbyhole/x").ok().out, "Data deleted (if it existed) at: cubbyhole/x")
    run("read", "cubbyhole/x").fails(2, "No value found at cubbyhole/x")
    run("read", "nowhere/x").fails(2, "no handler for route")
    run("write", "cubbyhole/x").fails(1, "Must supply data or use -force")
    contains(run("path-help", "cubbyhole").ok().out, "cubbyhole")


@test("answers are wrapped and unwrapped once")
def _():
    wrapped = run("kv", "get", "-wrap-ttl=60s", "-format=json", "secret/app").json()["wrap_info"]
    equal(wrapped["ttl"], 60)
    equal(run("unwrap", "-format=json", wrapped["token"]).json()["data"]["data"]["password"], "one")
    run("unwrap", wrapped["token"]).fails(2, "wrapping token is not valid or does not exist")
    token = run("kv", "get", "-wrap-ttl=60", "-field=wrapping_token", "secret/app").ok().out
    contains(run("unwrap", BAWN_TOKEN=token).ok().out, "password")
    token = run("token", "create", "-wrap-ttl=60", "-field=wrapping_token").ok().out
    contains(run("unwrap", "-", stdin=token, BAWN_TOKEN="").ok().out, "token_accessor")
    out = run("read", "-wrap-ttl=1m", "auth/token/lookup-self").ok().out
    contains(out, "wrapping_token_ttl:              1m")


@test("leases are looked up and revoked")
def _():
    run("lease", "lookup", "no/such/lease").fails(2, "invalid lease")
    run("lease", "renew", "no/such/lease").fails(2, "lease not found")
    contains(run("lease", "revoke", "-sync", "no/such/lease").ok().out, "Revoked lease: no/such/lease")
    token = run("login", "-method=userpass", "-token-only", "username=alice", "password=wonder land").ok().out
    contains(run("lease", "revoke", "-prefix", "-sync", "auth/userpass").ok().out, "prefix: auth/userpass")
    run("token", "lookup", token).fails(2)
    run("lease", "revoke", "-force", "x").fails(1, "-prefix")


@test("audit devices are enabled, listed and disabled")
def _():
    run("audit", "list").fails(2, "No audit devices are enabled.")
    path = os.path.join(home.path, "audit.log")
    contains(run("audit", "enable", "-description=all", "file", f"file_path={path}").ok().out,
             "Enabled the file audit device at: file/")
    contains(run("audit", "list").ok().out, "all")
    contains(run("audit", "list", "-detailed").ok().out, f"map[file_path:{path}]")
    run("kv", "get", "secret/app").ok()
    contains(open(path).read(), "secret/data/app")
    run("audit", "disable", "file").ok()
    equal(run("audit", "list", "-format=json").json(), {})


@test("the encryption key is rotated")
def _():
    before = rows(run("operator", "key-status").ok().out)
    equal(before["Key Term"], "1")
    out = run("operator", "rotate").ok().out
    contains(out, "Success! Rotated key")
    equal(rows(out)["Key Term"], "2")


@test("a root token is generated with the shares, and decoded")
def _():
    started = rows(run("operator", "generate-root", "-init").ok().out)
    otp, nonce = started["OTP"], started["Nonce"]
    equal(rows(run("operator", "generate-root", "-status").ok().out)["Started"], "true")
    run("operator", "generate-root", f"-nonce={nonce}", keys[0]).ok()
    done = rows(run("operator", "generate-root", stdin=keys[1]).ok().out)
    token = run("operator", "generate-root", "-decode=" + done["Encoded Token"], "-otp=-", stdin=otp).ok().out
    equal(run("token", "lookup", "-field=policies", BAWN_TOKEN=token).ok().out, "[root]")
    run("token", "revoke", token).ok()
    run("operator", "generate-root", "-decode=" + done["Encoded Token"], "-otp=short").fails(1, "do not belong together")
    run("operator", "generate-root", keys[0]).fails(1, "No root generation is in progress")
    otp = run("operator", "generate-root", "-generate-otp").ok().out
    run("operator", "generate-root", "-init", f"-otp={otp}").ok()
    run("operator", "generate-root", "-cancel").ok()
    equal(rows(run("operator", "generate-root", "-status").ok().out)["Started"], "false")


@test("the shares are replaced, with a check that the new ones are there")
def _():
    run("operator", "rekey", keys[0]).fails(1, "No rekey is in progress")
    result = run("operator", "rekey", "-init", "-key-shares=2", "-key-threshold=2", "-verify").ok()
    contains(result.err, "-pgp-keys")
    equal(rows(result.out)["New Shares"], "2")
    equal(rows(run("operator", "rekey", "-status").ok().out)["Rekey Progress"], "0/2")
    equal(rows(run("operator", "rekey", keys[0]).ok().out)["Rekey Progress"], "1/2")
    out = run("operator", "rekey", "-", stdin=keys[1]).ok().out
    fresh = re.findall(r"^Key \d: (\S+)$", out, re.M)
    equal(len(fresh), 2)
    contains(out, "-verify")
    run("operator", "rekey", "-verify", fresh[0]).ok()
    contains(run("operator", "rekey", "-verify", fresh[1]).ok().out, "The verification is complete")
    keys[:] = fresh
    run("operator", "rekey", "-init").ok()
    run("operator", "rekey", "-cancel").ok()
    run("operator", "rekey", "-init", "-cancel").fails(1, "cannot be used together")
    run("operator", "seal").ok()
    run("kv", "get", "secret/app").fails(2, "Code: 503. Errors:", "Vault is sealed")
    for key in keys:
        run("operator", "unseal", key).ok()
    equal(run("kv", "get", "-field=password", "secret/app").ok().out, "one")


@test("what the server is can be asked")
def _():
    status = run("status", "-format=json").json()
    equal(status["storage_type"], "sqlite")
    contains(run("status", "-format=yaml").ok().out, "storage_type: sqlite\n")
    contains(rows(run("status").ok().out)["Version"], ".")


@test("the server ends in good order")
def _():
    server.__exit__(None, None, None)
    home.close()


main()
