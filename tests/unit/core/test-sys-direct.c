/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#include "crypto/bawn-crypto.h"

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE
#define DELETE BAWN_OP_DELETE

/* Shares that are well formed and open nothing. */
#define WRONG_SHARE "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f01"
#define WRONG_SHARE_2 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f02"

static char *
share_text (CoreFixture *f, guint index)
{
  const BawnSecret *share = g_ptr_array_index (f->shares, index);

  return bawn_hex_encode (bawn_secret_data (share), bawn_secret_size (share));
}

static BawnJson *
give (CoreFixture *f, const char *path, const char *share, const char *nonce)
{
  g_autofree char *body = g_strdup_printf ("{\"key\":\"%s\",\"nonce\":\"%s\"}", share, nonce);

  return sys_check_json (f, NULL, WRITE, path, body);
}

static void
test_a_new_storage_is_initialised_once (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep before[] = {
    { READ, "sys/init", NULL, SYS_OK (200, "{\"initialized\":false}") },
    { READ, "sys/seal-status", NULL,
      SYS_OK (
          200,
          "\"initialized\":false,\"sealed\":true,\"t\":0,\"n\":0,\"progress\":0,\"nonce\":\"\"") },
    { READ, "sys/health", NULL, SYS_OK (501, "\"initialized\":false") },
    { READ, "sys/health", "{\"uninitcode\":\"299\"}", SYS_OK (299, "\"standby\":true") },
    { WRITE, "sys/unseal", "{\"key\":\"" WRONG_SHARE "\"}",
      SYS_INVALID ("Vault is not initialized") },
    { WRITE, "sys/init", "{}",
      SYS_INVALID ("invalid seal configuration: shares must be at least one") },
    { WRITE, "sys/init", "{\"secret_shares\":-1,\"secret_threshold\":1}",
      SYS_INVALID ("invalid seal configuration: shares must be at least one") },
    { WRITE, "sys/init", "{\"secret_shares\":3}",
      SYS_INVALID ("invalid seal configuration: threshold must be at least one") },
    { WRITE, "sys/init", "{\"secret_shares\":3,\"secret_threshold\":1}",
      SYS_INVALID (
          "invalid seal configuration: threshold must be greater than one for multiple shares") },
    { WRITE, "sys/init", "{\"secret_shares\":3,\"secret_threshold\":4}",
      SYS_INVALID ("invalid seal configuration: threshold cannot be larger than shares") },
    { WRITE, "sys/init", "{\"secret_shares\":99999999999,\"secret_threshold\":3}",
      SYS_INVALID ("invalid seal configuration: shares must be less than 256") },
    { WRITE, "sys/init", "{\"secret_shares\":1,\"secret_threshold\":1,\"pgp_keys\":[\"x\"]}",
      SYS_INVALID ("PGP keys are not supported by this server") },
    { WRITE, "sys/init",
      "{\"secret_shares\":1,\"secret_threshold\":1,\"root_token_pgp_key\":\"x\"}",
      SYS_INVALID ("PGP keys are not supported by this server") },
    { DELETE, "sys/init", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
  };
  static const SysStep after[] = {
    { READ, "sys/init", NULL, SYS_OK (200, "{\"initialized\":true}") },
    { WRITE, "sys/init", "{\"secret_shares\":1,\"secret_threshold\":1}",
      SYS_INVALID ("Vault is already initialized") },
    { READ, "sys/seal-status", NULL, SYS_OK (200, "\"sealed\":true,\"t\":2,\"n\":3") },
    { READ, "sys/health", NULL, SYS_OK (503, "\"replication_dr_mode\":\"unknown\"") },
  };

  core_fixture_open (&f, NULL);
  sys_check_steps (&f, NULL, before, G_N_ELEMENTS (before));

  g_autoptr (BawnJson) json = sys_check_json (&f, NULL, WRITE, "sys/init",
                                              "{\"Secret_Shares\":3,\"secret_threshold\":2,\"root_"
                                              "token_pgp_key\":null,\"recovery_shares\":5}");
  const BawnJsonNode *root = bawn_json_root (json);
  g_auto (GStrv) keys = bawn_json_get_strv (root, "keys");
  g_auto (GStrv) keys_base64 = bawn_json_get_strv (root, "keys_base64");
  g_assert_cmpuint (g_strv_length (keys), ==, 3);
  g_assert_cmpuint (g_strv_length (keys_base64), ==, 3);
  g_assert_cmpuint (strlen (keys[0]), ==, 66);
  g_assert_cmpuint (strlen (bawn_json_get_string (root, "root_token", "")), ==, 28);
  sys_check_steps (&f, NULL, after, G_N_ELEMENTS (after));

  g_autoptr (BawnJson) first = give (&f, "sys/unseal", keys[2], "");
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (first), "progress", -1), ==, 1);
  g_autoptr (BawnJson) second = give (&f, "sys/unseal", keys_base64[0], "");
  g_assert_false (bawn_json_get_bool (bawn_json_root (second), "sealed", TRUE));
  g_assert_nonnull (bawn_json_get_string (bawn_json_root (second), "cluster_name", NULL));
}

static void
test_a_single_share_is_the_key_itself (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  core_fixture_open (&f, NULL);
  g_autoptr (BawnJson) json =
      sys_check_json (&f, NULL, WRITE, "sys/init", "{\"secret_shares\":1,\"secret_threshold\":1}");
  g_auto (GStrv) keys = bawn_json_get_strv (bawn_json_root (json), "keys");

  g_assert_cmpuint (strlen (keys[0]), ==, 64);
}

static void
test_unsealing_tells_how_far_it_is (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep bad[] = {
    { WRITE, "sys/unseal", "{}",
      SYS_INVALID ("'key' must be specified in request body as JSON, or 'reset' set to true") },
    { WRITE, "sys/unseal", "{\"key\":\"!\"}",
      SYS_INVALID ("'key' must be a valid hex or base64 string") },
    { WRITE, "sys/unseal", "{\"KEY\":\"" WRONG_SHARE "\"}", SYS_OK (200, "\"progress\":1") },
    { WRITE, "sys/unseal", "{\"Key\":\"" WRONG_SHARE "\"}", SYS_OK (200, "\"progress\":1") },
    { WRITE, "sys/unseal", "{\"reset\":true}", SYS_OK (200, "\"progress\":0,\"nonce\":\"\"") },
  };
  static const SysStep open[] = {
    { WRITE, "sys/unseal", "{\"reset\":true}", SYS_INVALID ("vault is unsealed") },
    { WRITE, "sys/unseal", "{\"key\":\"" WRONG_SHARE "\"}", SYS_OK (200, "\"sealed\":false") },
    { READ, "sys/seal-status", NULL, SYS_OK (200, "\"version\":\"" BAWN_API_VERSION "\"") },
    { READ, "sys/leader", NULL,
      SYS_OK (200, "{\"ha_enabled\":false,\"is_self\":false,\"active_time\":\"0001-01-01T00:00:"
                   "00Z\",\"leader_address\":\"\"") },
  };
  static const SysStep sealed[] = {
    { READ, "sys/leader", NULL, SYS_OK (200, "\"ha_enabled\":false") },
    { READ, "sys/generate-root/attempt", NULL, BAWN_ERROR_SEALED, 0, "node is not active" },
    { READ, "sys/rekey/init", NULL, BAWN_ERROR_SEALED, 0, "node is not active" },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 3, 2);
  bawn_core_seal (f.core, "test");
  sys_check_steps (&f, NULL, bad, G_N_ELEMENTS (bad));
  sys_check_steps (&f, NULL, sealed, G_N_ELEMENTS (sealed));

  int code = 0;
  guint status = 0;
  g_autofree char *one = sys_check_call (&f, NULL, WRITE, "sys/unseal",
                                         "{\"key\":\"" WRONG_SHARE "\"}", &code, &status);
  g_assert_cmpint (code, ==, CORE_FIXTURE_OK);
  g_autofree char *two = sys_check_call (&f, NULL, WRITE, "sys/unseal",
                                         "{\"key\":\"" WRONG_SHARE_2 "\"}", &code, &status);
  g_assert_cmpint (code, ==, BAWN_ERROR_INVALID);
  g_autoptr (BawnJson) json = sys_check_json (&f, NULL, READ, "sys/seal-status", NULL);
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (json), "progress", -1), ==, 0);

  core_fixture_unseal (&f, 2);
  sys_check_steps (&f, NULL, open, G_N_ELEMENTS (open));
}

static void
test_health_answers_with_the_code_that_was_asked_for (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep active[] = {
    { READ, "sys/health", NULL,
      SYS_OK (200, "\"sealed\":false,\"standby\":false,\"performance_standby\":false,\"replication_"
                   "performance_mode\":\"disabled\"") },
    { READ, "sys/health", "{\"activecode\":\"205\"}", SYS_OK (205, "\"cluster_name\":") },
    { READ, "sys/health", "{\"standbyok\":\"true\",\"perfstandbyok\":\"\"}", SYS_OK (200, NULL) },
    { READ, "sys/health", "{\"standbyok\":\"maybe\"}", BAWN_ERROR_INVALID, 0,
      "Field validation failed: error converting input for field \"standbyok\": cannot parse '' as "
      "bool: strconv.ParseBool: parsing \"maybe\": invalid syntax" },
    { READ, "sys/health", "{\"activecode\":\"zip\"}", SYS_INVALID ("") },
    { READ, "sys/health", "{\"sealedcode\":\"\"}", SYS_INVALID ("") },
    { READ, "sys/health", "{\"standbycode\":\"99\"}", SYS_INVALID ("") },
    { WRITE, "sys/health", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
  };
  static const SysStep sealed[] = {
    { READ, "sys/health", NULL, SYS_OK (503, "\"sealed\":true,\"standby\":true") },
    { READ, "sys/health", "{\"sealedcode\":\"299\",\"uninitcode\":\"298\",\"standbycode\":\"297\"}",
      SYS_OK (299, NULL) },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, NULL, active, G_N_ELEMENTS (active));
  bawn_core_seal (f.core, "test");
  sys_check_steps (&f, NULL, sealed, G_N_ELEMENTS (sealed));
}

static void
test_sealing_is_done_when_it_is_answered (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep refused[] = {
    { WRITE, "sys/seal", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
  };
  static const SysStep steps[] = {
    { WRITE, "sys/seal", NULL, SYS_OK (204, NULL) },
    { READ, "sys/health", NULL, SYS_OK (503, NULL) },
    { READ, "sys/mounts", NULL, BAWN_ERROR_SEALED, 0, "Vault is sealed" },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  g_autofree char *token =
      sys_check_token (&f, "ops", "path \"sys/*\" { capabilities = [\"update\"] }");
  sys_check_steps (&f, token, refused, G_N_ELEMENTS (refused));
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  core_fixture_unseal (&f, 1);
}

static void
test_a_quorum_generates_a_root_token (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep idle[] = {
    { READ, "sys/generate-root/attempt", NULL,
      SYS_OK (
          200,
          "\"nonce\":\"\",\"started\":false,\"progress\":0,\"required\":2,\"complete\":false") },
    { READ, "sys/generate-root/attempt", NULL, SYS_OK (200, "\"otp\":\"\",\"otp_length\":28") },
    { WRITE, "sys/generate-root/update", "{}",
      SYS_INVALID ("'key' must be specified in request body as JSON") },
    { WRITE, "sys/generate-root/update", "{\"key\":\"" WRONG_SHARE "\"}",
      SYS_INVALID ("no root generation in progress") },
    { WRITE, "sys/generate-root/attempt", "{\"otp\":\"short\"}",
      SYS_INVALID ("OTP string is wrong length") },
    { DELETE, "sys/generate-root/attempt", NULL, SYS_OK (204, NULL) },
  };
  static const SysStep begun[] = {
    { WRITE, "sys/generate-root/attempt", "{}",
      SYS_INVALID ("root generation already in progress") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 3, 2);
  sys_check_steps (&f, NULL, idle, G_N_ELEMENTS (idle));

  g_autoptr (BawnJson) attempt =
      sys_check_json (&f, NULL, WRITE, "sys/generate-root/attempt", NULL);
  const char *nonce = bawn_json_get_string (bawn_json_root (attempt), "nonce", "");
  const char *otp = bawn_json_get_string (bawn_json_root (attempt), "otp", "");
  g_assert_cmpuint (strlen (otp), ==, 28);
  sys_check_steps (&f, NULL, begun, G_N_ELEMENTS (begun));

  g_autofree char *share_0 = share_text (&f, 0);
  g_autofree char *share_1 = share_text (&f, 1);
  g_autoptr (BawnJson) first = give (&f, "sys/generate-root/update", share_0, nonce);
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (first), "progress", -1), ==, 1);
  g_assert_false (bawn_json_get_bool (bawn_json_root (first), "complete", TRUE));

  int code = 0;
  g_autofree char *again = g_strdup_printf ("{\"key\":\"%s\",\"nonce\":\"%s\"}", share_0, nonce);
  g_autofree char *refusal =
      sys_check_call (&f, NULL, WRITE, "sys/generate-root/update", again, &code, NULL);
  g_assert_cmpstr (refusal, ==,
                   "given key has already been provided during this generation operation");

  g_autoptr (BawnJson) last = give (&f, "sys/generate-root/update", share_1, nonce);
  const BawnJsonNode *done = bawn_json_root (last);
  g_assert_true (bawn_json_get_bool (done, "complete", FALSE));
  g_assert_cmpint (bawn_json_get_int (done, "otp_length", -1), ==, 0);
  const char *encoded = bawn_json_get_string (done, "encoded_root_token", "");
  g_assert_cmpstr (encoded, ==, bawn_json_get_string (done, "encoded_token", NULL));

  g_autoptr (GBytes) box = bawn_base64_decode (encoded, FALSE, NULL);
  g_assert_cmpuint (g_bytes_get_size (box), ==, 28);
  char token[29] = "";
  for (guint i = 0; i < 28; i++)
    token[i] = (char) (((const char *) g_bytes_get_data (box, NULL))[i] ^ otp[i]);
  g_assert_true (g_str_has_prefix (token, "hvs."));
  g_autoptr (BawnJson) mounts = sys_check_json (&f, token, READ, "sys/mounts", NULL);
  sys_check_steps (&f, NULL, idle, 1);
}

static void
test_rekeying_replaces_the_shares (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep idle[] = {
    { READ, "sys/rekey/init", NULL,
      SYS_OK (200,
              "{\"nonce\":\"\",\"started\":false,\"t\":0,\"n\":0,\"progress\":0,\"required\":2,"
              "\"pgp_fingerprints\":null,\"backup\":false,\"verification_required\":false}") },
    { READ, "sys/rekey/verify", NULL, SYS_INVALID ("no rekey configuration found") },
    { WRITE, "sys/rekey/init", "{\"secret_shares\":5,\"secret_threshold\":3,\"Backup\":true}",
      SYS_INVALID (
          "cannot request a backup of the new keys without providing PGP keys for encryption") },
    { READ, "sys/rekey-recovery-key/init", NULL, SYS_INVALID ("recovery rekeying not supported") },
    { WRITE, "sys/rekey/init", "{\"secret_shares\":5,\"secret_threshold\":3}",
      SYS_OK (200, "\"started\":true,\"t\":3,\"n\":5") },
    { WRITE, "sys/rekey/init", "{\"secret_shares\":5,\"secret_threshold\":3}",
      SYS_INVALID ("rekey already in progress") },
    { DELETE, "sys/rekey/init", NULL, SYS_OK (204, NULL) },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 3, 2);
  sys_check_steps (&f, NULL, idle, G_N_ELEMENTS (idle));

  g_autoptr (BawnJson) begun = sys_check_json (&f, NULL, WRITE, "sys/rekey/init",
                                               "{\"secret_shares\":1,\"secret_threshold\":1}");
  const char *nonce = bawn_json_get_string (bawn_json_root (begun), "nonce", "");
  g_autofree char *share_0 = share_text (&f, 0);
  g_autofree char *share_1 = share_text (&f, 1);
  g_autoptr (BawnJson) first = give (&f, "sys/rekey/update", share_0, nonce);
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (first), "progress", -1), ==, 1);
  g_autoptr (BawnJson) last = give (&f, "sys/rekey/update", share_1, nonce);
  g_assert_true (bawn_json_get_bool (bawn_json_root (last), "complete", FALSE));
  g_auto (GStrv) keys = bawn_json_get_strv (bawn_json_root (last), "keys");
  g_assert_cmpuint (g_strv_length (keys), ==, 1);

  g_autoptr (BawnStatus) status = bawn_core_ref_status (f.core);
  g_assert_cmpuint (status->shares, ==, 1);
  g_assert_false (status->sealed);
  bawn_core_seal (f.core, "test");
  g_autoptr (BawnJson) opened = give (&f, "sys/unseal", keys[0], "");
  g_assert_false (bawn_json_get_bool (bawn_json_root (opened), "sealed", TRUE));
}

/* The newer spelling, with a token and an envelope. */
static void
test_an_operator_rekeys_with_a_token_too (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep nobody[] = {
    { READ, "sys/rotate/root/init", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/generate-root-token/attempt", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
  };
  static const SysStep steps[] = {
    { WRITE, "sys/rotate/root/init", "{\"secret_shares\":2,\"secret_threshold\":2}",
      SYS_OK (200, "\"data\":{\"nonce\":\"") },
    { READ, "sys/rekey/init", NULL, SYS_OK (200, "\"started\":true,\"t\":2,\"n\":2") },
    { READ, "sys/rotate/root/verify", NULL, SYS_OK (200, "\"started\":false,\"t\":2,\"n\":2") },
    { DELETE, "sys/rotate/root/init", NULL, SYS_OK (204, NULL) },
    { WRITE, "sys/generate-root-token/attempt", NULL, SYS_OK (200, "\"otp_length\":28") },
    { DELETE, "sys/generate-root-token/attempt", NULL, SYS_OK (204, NULL) },
    { READ, "sys/rotate/root/backup", NULL, SYS_INVALID ("no backed-up keys found") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, NULL, nobody, G_N_ELEMENTS (nobody));
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));

  g_autoptr (BawnJson) begun = sys_check_json (&f, f.root, WRITE, "sys/rotate/root/init",
                                               "{\"secret_shares\":2,\"secret_threshold\":2}");
  g_autofree char *share = share_text (&f, 0);
  g_autofree char *body =
      g_strdup_printf ("{\"key\":\"%s\",\"nonce\":\"%s\"}", share,
                       bawn_json_get_string (bawn_json_root (begun), "nonce", ""));
  g_autoptr (BawnJson) done = sys_check_json (&f, f.root, WRITE, "sys/rotate/root/update", body);
  g_auto (GStrv) keys = bawn_json_get_strv (bawn_json_get (bawn_json_root (done), "data"), "keys");
  g_assert_cmpuint (g_strv_length (keys), ==, 2);
}

static void
test_new_shares_count_only_when_proven (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  g_autoptr (BawnJson) begun =
      sys_check_json (&f, NULL, WRITE, "sys/rekey/init",
                      "{\"secret_shares\":2,\"secret_threshold\":2,\"require_verification\":true}");
  g_autofree char *share = share_text (&f, 0);
  g_autoptr (BawnJson) made = give (&f, "sys/rekey/update", share,
                                    bawn_json_get_string (bawn_json_root (begun), "nonce", ""));
  g_assert_true (bawn_json_get_bool (bawn_json_root (made), "verification_required", FALSE));
  g_auto (GStrv) keys = bawn_json_get_strv (bawn_json_root (made), "keys");
  g_autoptr (BawnStatus) before = bawn_core_ref_status (f.core);
  g_assert_cmpuint (before->shares, ==, 1);

  g_autoptr (BawnJson) restarted = sys_check_json (&f, NULL, DELETE, "sys/rekey/verify", NULL);
  const char *nonce = bawn_json_get_string (bawn_json_root (restarted), "nonce", "");
  g_assert_cmpstr (nonce, !=,
                   bawn_json_get_string (bawn_json_root (made), "verification_nonce", ""));
  g_autoptr (BawnJson) first = give (&f, "sys/rekey/verify", keys[0], nonce);
  g_assert_cmpint (bawn_json_get_int (bawn_json_root (first), "progress", -1), ==, 1);
  g_autoptr (BawnJson) proven = give (&f, "sys/rekey/verify", keys[1], nonce);
  g_assert_true (bawn_json_get_bool (bawn_json_root (proven), "complete", FALSE));
  g_autoptr (BawnStatus) after = bawn_core_ref_status (f.core);
  g_assert_cmpuint (after->shares, ==, 2);
}

static void
test_rotation_makes_a_new_term_and_keeps_what_is_stored (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/key-status", NULL, SYS_OK (200, "\"term\":1") },
    { WRITE, "sys/rotate", NULL, SYS_OK (204, NULL) },
    { READ, "sys/key-status", NULL, SYS_OK (200, "\"term\":2") },
    { READ, "sys/mounts", NULL, SYS_OK (200, "\"sys/\"") },
    { READ, "sys/rotate/config", NULL,
      SYS_OK (200, "\"data\":{\"enabled\":true,\"interval\":0,\"max_operations\":3865470566}") },
    { WRITE, "sys/rotate/config", "{\"interval\":\"1h\"}",
      SYS_INVALID ("interval must be greater or equal to 24h0m0s") },
    { WRITE, "sys/rotate/config", "{\"max_operations\":5}",
      SYS_INVALID ("max_operations must be in the range [1000000,3865470566]") },
    { WRITE, "sys/rotate/config", "{\"interval\":\"24h\",\"max_operations\":1000000}",
      SYS_OK (204, NULL) },
    { READ, "sys/rotate/config", NULL,
      SYS_OK (200, "\"interval\":\"24h0m0s\",\"max_operations\":1000000") },
    { READ, "sys/rekey/backup", NULL, SYS_INVALID ("no backed-up keys found") },
    { DELETE, "sys/rekey/backup", NULL, SYS_OK (204, NULL) },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  bawn_core_seal (f.core, "test");
  core_fixture_unseal (&f, 1);
  static const SysStep kept[] = { { READ, "sys/key-status", NULL, SYS_OK (200, "\"term\":2") } };
  sys_check_steps (&f, f.root, kept, G_N_ELEMENTS (kept));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/sys/direct/a-new-storage-is-initialised-once",
                   test_a_new_storage_is_initialised_once);
  g_test_add_func ("/core/sys/direct/a-single-share-is-the-key-itself",
                   test_a_single_share_is_the_key_itself);
  g_test_add_func ("/core/sys/direct/unsealing-tells-how-far-it-is",
                   test_unsealing_tells_how_far_it_is);
  g_test_add_func ("/core/sys/direct/health-answers-with-the-code-asked-for",
                   test_health_answers_with_the_code_that_was_asked_for);
  g_test_add_func ("/core/sys/direct/sealing-is-done-when-it-is-answered",
                   test_sealing_is_done_when_it_is_answered);
  g_test_add_func ("/core/sys/direct/a-quorum-generates-a-root-token",
                   test_a_quorum_generates_a_root_token);
  g_test_add_func ("/core/sys/direct/rekeying-replaces-the-shares",
                   test_rekeying_replaces_the_shares);
  g_test_add_func ("/core/sys/direct/an-operator-rekeys-with-a-token-too",
                   test_an_operator_rekeys_with_a_token_too);
  g_test_add_func ("/core/sys/direct/new-shares-count-only-when-proven",
                   test_new_shares_count_only_when_proven);
  g_test_add_func ("/core/sys/direct/rotation-makes-a-new-term",
                   test_rotation_makes_a_new_term_and_keeps_what_is_stored);
  return g_test_run ();
}
