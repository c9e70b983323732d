/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE
#define DELETE BAWN_OP_DELETE

static void
test_mounts_are_enabled_and_disabled (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/mounts", NULL, SYS_OK (200, "\"sys/\":{") },
    { READ, "sys/mounts", NULL, SYS_OK (200, "\"cubbyhole/\":{") },
    { WRITE, "sys/mounts/secret", "{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts/secret", NULL, SYS_OK (200, "\"options\":{\"version\":\"2\"}") },
    { WRITE, "sys/mounts/a/b/c/", "{\"type\":\"kv\",\"description\":\"deep\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts", NULL, SYS_OK (200, "\"a/b/c/\":{") },
    { READ, "sys/mounts/a/b/c", NULL, SYS_OK (200, "\"options\":null") },
    { WRITE, "sys/mounts/old", "{\"type\":\"kv-v1\"}", SYS_OK (204, NULL) },
    { READ, "sys/mounts/old", NULL, SYS_OK (200, "\"options\":{\"version\":\"1\"}") },
    { WRITE, "sys/mounts/new", "{\"type\":\"kv-v2\"}", SYS_OK (204, NULL) },
    { READ, "sys/mounts/new", NULL, SYS_OK (200, "\"type\":\"kv\"") },
    { WRITE, "sys/mounts/older", "{\"type\":\"generic\"}", SYS_OK (204, NULL) },
    { READ, "sys/mounts/older", NULL, SYS_OK (200, "\"type\":\"kv\"") },
    { WRITE, "sys/mounts/viaplugin", "{\"type\":\"plugin\",\"plugin_name\":\"kv\"}",
      SYS_OK (204, NULL) },
    { DELETE, "sys/mounts/secret", NULL, SYS_OK (204, NULL) },
    { DELETE, "sys/mounts/secret", NULL, SYS_OK (204, NULL) },
    { READ, "sys/mounts/secret", NULL, SYS_INVALID ("No secret engine mount at secret/") },
    { WRITE, "sys/mounts/secret", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_bad_mounts_are_refused_in_the_api_s_words (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/mounts/a/b", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/a/b", "{\"type\":\"kv\"}",
      SYS_INVALID ("path is already in use at a/b/") },
    { WRITE, "sys/mounts/a", "{\"type\":\"kv\"}", SYS_INVALID ("path is already in use at a/b/") },
    { WRITE, "sys/mounts/a/b/c", "{\"type\":\"kv\"}",
      SYS_INVALID ("path is already in use at a/b/") },
    { WRITE, "sys/mounts/ab", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/sys/x", "{\"type\":\"kv\"}", SYS_INVALID ("cannot mount \"sys/x/\"") },
    { WRITE, "sys/mounts/auth/x", "{\"type\":\"kv\"}", SYS_INVALID ("cannot mount \"auth/x/\"") },
    { WRITE, "sys/mounts/cubbyhole", "{\"type\":\"kv\"}",
      SYS_INVALID ("cannot mount \"cubbyhole/\"") },
    { WRITE, "sys/mounts/identity", "{\"type\":\"kv\"}",
      SYS_INVALID ("cannot mount \"identity/\"") },
    { WRITE, "sys/mounts/audit/y", "{\"type\":\"kv\"}", SYS_INVALID ("cannot mount \"audit/y/\"") },
    { WRITE, "sys/mounts/x", "{\"type\":\"cubbyhole\"}",
      SYS_INVALID ("mount type of \"cubbyhole\" is not mountable") },
    { WRITE, "sys/mounts/x", "{\"type\":\"nope\"}",
      SYS_INVALID ("plugin not found in the catalog: nope") },
    { WRITE, "sys/mounts/x", "{}", SYS_INVALID ("backend type must be specified as a string") },
    { WRITE, "sys/mounts/x", "{\"type\":\"plugin\"}",
      SYS_INVALID ("plugin_name must be provided for plugin backend") },
    { WRITE, "sys/mounts/x", "{\"type\":\"example\",\"options\":{\"version\":\"2\"}}",
      SYS_INVALID ("secrets engine \"example\" does not allow setting a version") },
    { WRITE, "sys/mounts/x",
      "{\"type\":\"kv\",\"config\":{\"default_lease_ttl\":\"2h\",\"max_lease_ttl\":\"1h\"}}",
      SYS_INVALID ("given default lease TTL greater than given max lease TTL") },
    { WRITE, "sys/mounts/x", "{\"type\":\"kv\",\"config\":{\"default_lease_ttl\":\"1000h\"}}",
      SYS_INVALID ("given default lease TTL greater than system max lease TTL of 2764800") },
    { WRITE, "sys/mounts/x", "{\"type\":\"kv\",\"config\":{\"default_lease_ttl\":\"zz\"}}",
      BAWN_ERROR_INVALID, 0,
      "unable to parse default TTL of zz: Field validation failed: error converting input for "
      "field "
      "\"default_lease_ttl\": time: invalid duration \"zz\"" },
    { WRITE, "sys/mounts", "{\"type\":\"kv\"}", BAWN_ERROR_UNSUPPORTED, 0,
      "unsupported operation" },
    { DELETE, "sys/mounts", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
    { DELETE, "sys/auth", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
    { DELETE, "sys/mounts/sys", NULL, SYS_INVALID ("cannot unmount \"sys/\"") },
    { DELETE, "sys/mounts/cubbyhole", NULL, SYS_INVALID ("cannot unmount \"cubbyhole/\"") },
    { WRITE, "sys/auth/token2", "{\"type\":\"token\"}",
      SYS_INVALID ("token credential backend cannot be instantiated") },
    { WRITE, "sys/auth/up", "{\"type\":\"nope\"}",
      SYS_INVALID ("plugin not found in the catalog: nope") },
    { WRITE, "sys/auth/up", "{\"type\":\"userpass\",\"config\":{\"token_type\":\"zip\"}}",
      SYS_INVALID ("invalid value for 'token_type'") },
    { DELETE, "sys/auth/token", NULL, SYS_INVALID ("token credential backend cannot be disabled") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_login_methods_have_their_own_window (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/auth", NULL, SYS_OK (200, "\"token/\":{") },
    { WRITE, "sys/auth/up",
      "{\"type\":\"userpass\",\"config\":{\"default_lease_ttl\":\"1h\",\"options\":null}}",
      SYS_OK (204, NULL) },
    { READ, "sys/auth", NULL, SYS_OK (200, "\"up/\":{\"accessor\":\"auth_userpass_") },
    { READ, "sys/auth/up", NULL, SYS_OK (200, "\"token_type\":\"default-service\"") },
    { READ, "sys/auth/up/tune", NULL, SYS_OK (200, "\"default_lease_ttl\":3600") },
    { READ, "sys/mounts/auth/up/tune", NULL, SYS_OK (200, "\"token_type\":\"default-service\"") },
    { WRITE, "sys/mounts/auth/up/tune", "{\"token_type\":\"batch\",\"description\":\"d\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/auth/up/tune", NULL, SYS_OK (200, "\"token_type\":\"batch\"") },
    { WRITE, "sys/auth/token/tune", "{\"token_type\":\"batch\"}",
      SYS_INVALID ("'token_type' cannot be set for 'token' or 'ns_token' auth mounts") },
    { WRITE, "sys/mounts/sys-less/tune", "{\"token_type\":\"batch\"}",
      SYS_INVALID ("tune of path \"sys-less/\" failed: no mount entry found") },
    { READ, "sys/auth/up/tune", NULL, SYS_OK (200, "\"description\":\"d\"") },
    { WRITE, "sys/auth/up", "{\"type\":\"userpass\"}",
      SYS_INVALID ("path is already in use at auth/up/") },
    { DELETE, "sys/auth/up", NULL, SYS_OK (204, NULL) },
    { DELETE, "sys/auth/up", NULL, SYS_OK (204, NULL) },
    { READ, "sys/auth/up", NULL, SYS_INVALID ("No auth engine at auth/up/") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_tuning_keeps_its_rules (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/mounts/s", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { READ, "sys/mounts/s/tune", NULL,
      SYS_OK (200, "\"default_lease_ttl\":2764800,\"description\":\"\",\"force_no_cache\":false,"
                   "\"max_lease_ttl\":2764800}") },
    { WRITE, "sys/mounts/s/tune", "{\"default_lease_ttl\":\"1h\",\"max_lease_ttl\":7200}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts/s/tune", NULL, SYS_OK (200, "\"max_lease_ttl\":7200") },
    { WRITE, "sys/mounts/s/tune", "{\"default_lease_ttl\":\"\",\"description\":\"x\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts/s/tune", NULL,
      SYS_OK (200, "\"default_lease_ttl\":3600,\"description\":\"x\"") },
    { WRITE, "sys/mounts/s/tune", "{\"max_lease_ttl\":\"600s\"}",
      SYS_INVALID (
          "backend max lease TTL of 600 would be less than backend default lease TTL of 3600") },
    { WRITE, "sys/mounts/s/tune", "{\"default_lease_ttl\":\"system\",\"max_lease_ttl\":\"system\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts/s/tune", NULL, SYS_OK (200, "\"default_lease_ttl\":2764800") },
    { WRITE, "sys/mounts/s/tune",
      "{\"listing_visibility\":\"unauth\",\"audit_non_hmac_request_keys\":\"a,b\"}",
      SYS_OK (204, NULL) },
    { READ, "sys/mounts/s/tune", NULL,
      SYS_OK (200,
              "\"audit_non_hmac_request_keys\":[\"a\",\"b\"],\"listing_visibility\":\"unauth\"") },
    { WRITE, "sys/mounts/s/tune", "{\"options\":{\"version\":\"3\"}}",
      SYS_INVALID ("invalid version provided: 3") },
    { WRITE, "sys/mounts/s/tune", "{\"options\":{\"version\":\"2\"}}",
      SYS_OK (200, "Upgrading mount from version 1 to version 2") },
    { WRITE, "sys/mounts/s/tune", "{\"options\":{\"version\":\"1\"}}",
      SYS_INVALID ("cannot downgrade mount from version 2") },
    { READ, "sys/mounts/s/tune", NULL, SYS_OK (200, "\"options\":{\"version\":\"2\"}") },
    { WRITE, "sys/mounts/nope/tune", "{\"max_lease_ttl\":\"1h\"}",
      SYS_INVALID ("tune of path \"nope/\" failed: no mount entry found") },
    { READ, "sys/mounts/nope/tune", NULL, SYS_INVALID ("cannot fetch sysview for path \"nope/\"") },
    { WRITE, "sys/mounts/cubbyhole/tune", "{\"max_lease_ttl\":\"1h\"}",
      SYS_INVALID ("cannot tune \"cubbyhole/\"") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_a_mount_moves_with_what_it_holds (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep before[] = {
    { WRITE, "sys/mounts/from", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/a/b/c", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { WRITE, "from/x", "{\"k\":\"v\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/remount", "{\"from\":\"nope\",\"to\":\"x\"}",
      SYS_INVALID ("no matching mount at \"nope/\"") },
    { WRITE, "sys/remount", "{\"from\":\"from\",\"to\":\"a/b/c\"}",
      SYS_INVALID ("existing mount at \"a/b/c/\"") },
    { WRITE, "sys/remount", "{\"from\":\"from\"}",
      SYS_INVALID ("both 'from' and 'to' path must be specified as a string") },
    { WRITE, "sys/remount", "{\"from\":\"sys\",\"to\":\"x\"}",
      SYS_INVALID ("cannot remount \"sys/\"") },
    { WRITE, "sys/remount", "{\"from\":\"from\",\"to\":\"auth/x\"}",
      SYS_INVALID ("cannot remount non-auth mount to auth mount \"auth/x/\"") },
  };
  static const SysStep after[] = {
    { READ, "to/y/x", NULL, SYS_OK (200, "\"k\":\"v\"") },
    { READ, "from/x", NULL, BAWN_ERROR_NOT_FOUND, 0, "no handler for route 'from/x'" },
    { READ, "sys/remount/status/00000000-0000-0000-0000-000000000000", NULL, BAWN_ERROR_NOT_FOUND,
      0, "" },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  sys_check_steps (&f, f.root, before, G_N_ELEMENTS (before));

  g_autoptr (BawnJson) moved =
      sys_check_json (&f, f.root, WRITE, "sys/remount", "{\"from\":\"from/\",\"to\":\"/to/y\"}");
  const char *id = bawn_json_get_string (bawn_json_root (moved), "migration_id", NULL);
  g_assert_nonnull (id);
  g_autofree char *path = g_strconcat ("sys/remount/status/", id, NULL);
  g_autoptr (BawnJson) told = sys_check_json (&f, f.root, READ, path, NULL);
  const BawnJsonNode *info =
      bawn_json_get (bawn_json_get (bawn_json_root (told), "data"), "migration_info");
  g_assert_cmpstr (bawn_json_get_string (info, "status", NULL), ==, "success");
  g_assert_cmpstr (bawn_json_get_string (info, "source_mount", NULL), ==, "from/");
  g_assert_cmpstr (bawn_json_get_string (info, "target_mount", NULL), ==, "to/y/");
  sys_check_steps (&f, f.root, after, G_N_ELEMENTS (after));
}

static void
test_login_methods_need_sudo_and_their_tuning_has_a_way_round (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/auth/up", "{\"type\":\"userpass\"}", BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/mounts/auth/token/tune", "{\"description\":\"x\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/m", "{\"type\":\"kv\"}", SYS_OK (204, NULL) },
    { READ, "sys/auth", NULL, SYS_OK (200, "\"token/\"") },
  };

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  g_autofree char *token = sys_check_token (
      &f, "ops",
      "path \"sys/*\" { capabilities = [\"create\", \"read\", \"update\", \"delete\"] }");
  sys_check_steps (&f, token, steps, G_N_ELEMENTS (steps));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/sys/mounts/are-enabled-and-disabled",
                   test_mounts_are_enabled_and_disabled);
  g_test_add_func ("/core/sys/mounts/bad-ones-are-refused-in-the-api-s-words",
                   test_bad_mounts_are_refused_in_the_api_s_words);
  g_test_add_func ("/core/sys/mounts/login-methods-have-their-own-window",
                   test_login_methods_have_their_own_window);
  g_test_add_func ("/core/sys/mounts/tuning-keeps-its-rules", test_tuning_keeps_its_rules);
  g_test_add_func ("/core/sys/mounts/a-mount-moves-with-what-it-holds",
                   test_a_mount_moves_with_what_it_holds);
  g_test_add_func ("/core/sys/mounts/login-methods-need-sudo",
                   test_login_methods_need_sudo_and_their_tuning_has_a_way_round);
  return g_test_run ();
}
