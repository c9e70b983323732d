# SPDX-License-Identifier: LGPL-2.1-or-later
"""Init, unseal, health, root generation, rekey and rotation, line by line."""

import base64
import re

from api_facts import (Each, NANO, Only, SEMVER, TOKEN, UUID, by, check, enveloped, good, has, injected, keys, like,
                       raw, server, token_with)
from bawn_server import run_all

# Before there is a key.

STATUS = Only(type="shamir", initialized=bool, sealed=bool, t=int, n=int, progress=int, nonce=str, version=str,
              migration=False, recovery_seal=False, storage_type=str, build_date=str, bawn_version=str)
OPEN_STATUS = Only(STATUS, cluster_name=re.compile("bawn-cluster-[0-9a-f]{8}"), cluster_id=UUID, sealed=False)


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
        ("GET sys/leader", None, 503, "Vault is sealed"),
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
         Only(ha_enabled=True, is_self=True, active_time=re.compile(r"^20[0-9-]+T[0-9:.]+Z$"),
              leader_address=re.compile("^http://127.0.0.1:[0-9]+$"),
              leader_cluster_address=re.compile("^https://127.0.0.1:[0-9]+$"),
              performance_standby=False, performance_standby_last_remote_wal=0, ha_state="active", epoch=int,
              last_change_reason=str)),
    )


# Root generation, rekey, rotation.

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


if __name__ == "__main__":
    with server:
        server.start()
        run_all(globals())
