# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian's python3-hvac against a bawnd with TLS."""

import json
import os

import hvac
import hvac.exceptions

from bawn_server import Server, run_all

server = None
root = None
keys = None


def client(token=None):
    return hvac.Client(url=server.url, token=token, verify=server.cert)


def raises(kind, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except kind as e:
        return e
    raise AssertionError("%s was not raised" % kind.__name__)


def test_a_new_server_is_initialised_once():
    global keys
    c = client()
    assert not c.sys.is_initialized()
    result = c.sys.initialize(secret_shares=5, secret_threshold=3)
    keys = result["keys"]
    assert len(keys) == 5 and all(len(k) == 66 for k in keys)
    assert len(result["keys_base64"]) == 5
    server.root = result["root_token"]
    assert c.sys.is_initialized()
    assert "Vault is already initialized" in str(raises(hvac.exceptions.InvalidRequest, c.sys.initialize, 1, 1))


def test_unsealing_takes_three_shares():
    c = client()
    assert c.sys.is_sealed()
    assert c.sys.submit_unseal_key(keys[0])["progress"] == 1
    assert c.sys.submit_unseal_key(keys[0])["progress"] == 1
    assert c.sys.submit_unseal_key(reset=True)["progress"] == 0
    c.sys.submit_unseal_keys(keys[:3])
    assert not c.sys.is_sealed()
    assert c.sys.read_health_status(method="GET")["sealed"] is False
    assert c.sys.read_leader_status()["is_self"] in (True, False)


def test_sealing_and_unsealing_again():
    c = client(server.root)
    c.sys.seal()
    assert c.sys.is_sealed()
    raises(hvac.exceptions.VaultDown, c.secrets.kv.v1.read_secret, "a", mount_point="secret")
    c.sys.submit_unseal_keys(keys[2:])
    assert not c.sys.is_sealed()


def test_mounts():
    c = client(server.root)
    c.sys.enable_secrets_engine("kv", path="kv1", description="first", options={"version": "1"})
    c.sys.enable_secrets_engine("kv", path="deep/kv2", options={"version": "2"})
    mounts = c.sys.list_mounted_secrets_engines()
    for where in (mounts, mounts["data"]):
        assert "sys/" in where and "cubbyhole/" in where
        assert where["kv1/"]["type"] == "kv" and where["kv1/"]["description"] == "first"
        assert where["deep/kv2/"]["options"] == {"version": "2"}
    raises(hvac.exceptions.InvalidRequest, c.sys.enable_secrets_engine, "kv", path="kv1")
    c.sys.tune_mount_configuration("kv1", default_lease_ttl="1h", max_lease_ttl="2h", description="second")
    tuned = c.sys.read_mount_configuration("kv1")["data"]
    assert tuned["default_lease_ttl"] == 3600 and tuned["max_lease_ttl"] == 7200
    c.sys.move_backend("kv1", "moved/kv1")
    assert "moved/kv1/" in c.sys.list_mounted_secrets_engines()["data"]
    c.sys.move_backend("moved/kv1", "kv1")
    c.sys.enable_secrets_engine("kv", path="gone")
    c.sys.disable_secrets_engine("gone")
    assert "gone/" not in c.sys.list_mounted_secrets_engines()["data"]


def test_policies():
    c = client(server.root)
    text = 'path "kv1/*" {\n  capabilities = ["read", "list"]\n}\n'
    c.sys.create_or_update_policy("Reader", text)
    assert c.sys.read_policy("reader")["data"]["rules"] == text
    assert set(c.sys.list_policies()["data"]["policies"]) >= {"default", "reader", "root"}
    c.sys.create_or_update_policy("asdict", {"path": {"kv1/x": {"capabilities": ["create", "update"]}}})
    assert json.loads(c.sys.read_policy("asdict")["data"]["rules"])["path"]["kv1/x"]
    raises(hvac.exceptions.InvalidRequest, c.sys.create_or_update_policy, "bad", 'path "a" { nonsense')
    c.sys.delete_policy("asdict")
    raises(hvac.exceptions.InvalidPath, c.sys.read_policy, "asdict")
    assert c.sys.get_capabilities(["kv1/a"], token=server.root)["data"]["capabilities"] == ["root"]


def test_kv_version_1():
    kv = client(server.root).secrets.kv.v1
    secret = {"a": "1", "n": 12345678901234567890, "f": 1.5, "deep": {"x": [1, 2, {"y": None}]}, "ü": "ß\u2028"}
    kv.create_or_update_secret("some/path", secret, mount_point="kv1")
    assert kv.read_secret("some/path", mount_point="kv1")["data"] == secret
    kv.create_or_update_secret("some/other", {"b": "2"}, mount_point="kv1")
    kv.create_or_update_secret("some", {"c": "3"}, mount_point="kv1")
    assert kv.list_secrets("some", mount_point="kv1")["data"]["keys"] == ["other", "path"]
    assert kv.list_secrets("", mount_point="kv1")["data"]["keys"] == ["some", "some/"]
    kv.delete_secret("some/path", mount_point="kv1")
    raises(hvac.exceptions.InvalidPath, kv.read_secret, "some/path", mount_point="kv1")


def test_kv_version_2():
    kv = client(server.root).secrets.kv.v2
    mount = {"mount_point": "deep/kv2"}
    first = kv.create_or_update_secret("app", {"v": "1"}, cas=0, **mount)
    assert first["data"]["version"] == 1
    assert "check-and-set parameter did not match the current version" in str(
        raises(hvac.exceptions.InvalidRequest, kv.create_or_update_secret, "app", {"v": "x"}, cas=0, **mount))
    kv.create_or_update_secret("app", {"v": "2"}, cas=1, **mount)
    assert kv.read_secret_version("app", **mount)["data"]["data"] == {"v": "2"}
    assert kv.read_secret_version("app", version=1, **mount)["data"]["data"] == {"v": "1"}
    kv.patch("app", {"w": "3"}, **mount)
    assert kv.read_secret_version("app", **mount)["data"]["data"] == {"v": "2", "w": "3"}
    kv.delete_latest_version_of_secret("app", **mount)
    raises(hvac.exceptions.InvalidPath, kv.read_secret_version, "app", **mount)
    kv.undelete_secret_versions("app", versions=[3], **mount)
    assert kv.read_secret_version("app", **mount)["data"]["metadata"]["version"] == 3
    kv.delete_secret_versions("app", versions=[1], **mount)
    kv.destroy_secret_versions("app", versions=[2], **mount)
    meta = kv.read_secret_metadata("app", **mount)["data"]
    assert meta["versions"]["2"]["destroyed"] is True and meta["versions"]["1"]["deletion_time"] != ""
    kv.update_metadata("app", max_versions=2, cas_required=True, **mount)
    raises(hvac.exceptions.InvalidRequest, kv.create_or_update_secret, "app", {"v": "x"}, **mount)
    kv.configure(max_versions=7, **mount)
    assert kv.read_configuration(**mount)["data"]["max_versions"] == 7
    assert kv.list_secrets("", **mount)["data"]["keys"] == ["app"]
    kv.delete_metadata_and_all_versions("app", **mount)
    raises(hvac.exceptions.InvalidPath, kv.read_secret_metadata, "app", **mount)


def test_tokens():
    c = client(server.root)
    made = c.auth.token.create(policies=["reader"], ttl="1h", meta={"who": "me"}, display_name="d")
    auth = made["auth"]
    assert auth["policies"] == ["default", "reader"] and auth["lease_duration"] == 3600
    assert auth["client_token"].startswith("hvs.")
    mine = client(auth["client_token"])
    looked = mine.auth.token.lookup_self()["data"]
    assert looked["meta"] == {"who": "me"} and looked["display_name"] == "token-d" and 0 < looked["ttl"] <= 3600
    assert c.auth.token.lookup_accessor(auth["accessor"])["data"]["id"] == ""
    assert mine.auth.token.renew_self(increment="2h")["auth"]["lease_duration"] == 7200
    mine.secrets.kv.v1.list_secrets("", mount_point="kv1")
    raises(hvac.exceptions.Forbidden, mine.secrets.kv.v1.create_or_update_secret, "x", {"a": "b"}, mount_point="kv1")
    child = c.auth.token.create(policies=["default"])["auth"]["client_token"]
    c.auth.token.revoke(child)
    raises(hvac.exceptions.Forbidden, client(child).auth.token.lookup_self)
    c.auth.token.revoke_accessor(auth["accessor"])
    raises(hvac.exceptions.Forbidden, mine.auth.token.lookup_self)


def test_a_token_tree_dies_with_its_root():
    c = client(server.root)
    c.sys.create_or_update_policy("maker", 'path "auth/token/create" { capabilities = ["create", "update", "sudo"] }')
    parent = c.auth.token.create(policies=["maker"])["auth"]["client_token"]
    child = client(parent).auth.token.create(policies=["maker"])["auth"]["client_token"]
    grandchild = client(child).auth.token.create(policies=["default"])["auth"]["client_token"]
    orphan = client(child).auth.token.create(policies=["default"], no_parent=True)["auth"]["client_token"]
    client(grandchild).auth.token.lookup_self()
    c.auth.token.revoke(parent)
    for dead in (parent, child, grandchild):
        raises(hvac.exceptions.Forbidden, client(dead).auth.token.lookup_self)
    client(orphan).auth.token.lookup_self()


def test_token_roles_and_uses():
    c = client(server.root)
    c.auth.token.create_or_update_role("deploy", allowed_policies="reader", orphan=True, renewable=False)
    assert "deploy" in c.auth.token.list_roles()["data"]["keys"]
    assert c.auth.token.read_role("deploy")["data"]["orphan"] is True
    made = c.auth.token.create(role_name="deploy")["auth"]
    assert made["renewable"] is False
    once = c.auth.token.create(policies=["default"], num_uses=2)["auth"]["client_token"]
    client(once).auth.token.lookup_self()
    client(once).auth.token.lookup_self()
    raises(hvac.exceptions.Forbidden, client(once).auth.token.lookup_self)
    c.auth.token.delete_role("deploy")


def test_userpass():
    c = client(server.root)
    c.sys.enable_auth_method("userpass")
    c.auth.userpass.create_or_update_user("Bob", "sesame", policies="reader")
    login = client().auth.userpass.login("bob", "sesame")["auth"]
    assert login["policies"] == ["default", "reader"] and login["metadata"] == {"username": "bob"}
    logged_in = client(login["client_token"])
    assert logged_in.auth.token.lookup_self()["data"]["display_name"] == "userpass-bob"
    raises(hvac.exceptions.InvalidRequest, client().auth.userpass.login, "bob", "wrong")
    raises(hvac.exceptions.InvalidRequest, client().auth.userpass.login, "nobody", "wrong")
    c.auth.userpass.update_password_on_user("bob", "other")
    client().auth.userpass.login("bob", "other")
    assert c.auth.userpass.list_user()["data"]["keys"] == ["bob"]
    c.auth.userpass.delete_user("bob")
    raises(hvac.exceptions.InvalidRequest, client().auth.userpass.login, "bob", "other")
    c.sys.disable_auth_method("userpass")
    raises(hvac.exceptions.Forbidden, logged_in.auth.token.lookup_self)


def test_wrapping():
    c = client(server.root)
    c.secrets.kv.v1.create_or_update_secret("wrapped", {"a": "b"}, mount_point="kv1")
    wrapped = c._adapter.get("/v1/kv1/wrapped", wrap_ttl="60s")
    token = wrapped["wrap_info"]["token"]
    assert wrapped["wrap_info"]["ttl"] == 60 and wrapped["wrap_info"]["creation_path"] == "kv1/wrapped"
    looked = c._adapter.post("/v1/sys/wrapping/lookup", json={"token": token})
    assert looked["data"]["creation_ttl"] == 60
    assert c.sys.unwrap(token)["data"] == {"a": "b"}
    assert "wrapping token is not valid or does not exist" in str(
        raises(hvac.exceptions.InvalidRequest, c.sys.unwrap, token))
    again = c._adapter.post("/v1/sys/wrapping/wrap", json={"x": "y"}, wrap_ttl=120)["wrap_info"]["token"]
    assert client(again).sys.unwrap()["data"] == {"x": "y"}


def test_audit():
    c = client(server.root)
    path = os.path.join(server.home, "audit.log")
    c.sys.enable_audit_device("file", options={"file_path": path}, path="file")
    assert "file/" in c.sys.list_enabled_audit_devices()["data"]
    c.secrets.kv.v1.create_or_update_secret("audited", {"password": "plain-text-secret"}, mount_point="kv1")
    c.secrets.kv.v1.read_secret("audited", mount_point="kv1")
    lines = [json.loads(line) for line in open(path)]
    text = open(path).read()
    assert "plain-text-secret" not in text and server.root not in text
    written = [l for l in lines if l["request"]["path"] == "kv1/audited" and l["request"]["operation"] in ("create", "update")]
    assert [l["type"] for l in written] == ["request", "response"]
    expected = c.sys.calculate_hash("file", "plain-text-secret")["data"]["hash"]
    assert written[0]["request"]["data"]["password"] == expected
    c.sys.disable_audit_device("file")


def test_leases():
    c = client(server.root)
    token = c.auth.token.create(policies=["default"], ttl="1h")["auth"]["client_token"]
    listed = c.sys.list_leases("auth/token/create")["data"]["keys"]
    assert listed
    assert c.sys.read_lease("auth/token/create/" + listed[0])["data"]["ttl"] > 0
    c.sys.revoke_prefix("auth/token/create")
    raises(hvac.exceptions.Forbidden, client(token).auth.token.lookup_self)


def test_keys():
    c = client(server.root)
    before = c._adapter.get("/v1/sys/key-status")["data"]["term"]
    c.sys.rotate_encryption_key()
    status = c._adapter.get("/v1/sys/key-status")
    assert status["data"]["term"] == before + 1
    attempt = c.sys.start_root_token_generation(otp="a" * 28)
    for key in keys[:3]:
        result = c.sys.generate_root(key, attempt["nonce"])
    assert result["complete"] is True
    nonce = c.sys.start_rekey(secret_shares=2, secret_threshold=2)["nonce"]
    for key in keys[:3]:
        result = c.sys.rekey(key, nonce=nonce)
    assert result["complete"] is True and len(result["keys"]) == 2
    c.sys.seal()
    assert c.sys.submit_unseal_keys(result["keys"])["sealed"] is False
    assert c.secrets.kv.v1.read_secret("wrapped", mount_point="kv1")["data"] == {"a": "b"}


if __name__ == "__main__":
    with Server() as server:
        run_all(globals())
