/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE
#define LIST BAWN_OP_LIST

/* More than are noted at a time would take too long to make here; more than one commit ends is
 * enough. */
#define MANY 50

static void
ready (CoreFixture *f)
{
  static const SysStep steps[] = {
    { WRITE, "sys/mounts/ex", "{\"type\":\"example\"}", SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/ex2", "{\"type\":\"example\"}", SYS_OK (204, NULL) },
  };

  core_fixture_open (f, NULL);
  core_fixture_ready (f, 1, 1);
  sys_check_steps (f, f->root, steps, G_N_ELEMENTS (steps));
}

static char *
make_lease (CoreFixture *f, const char *path)
{
  g_autoptr (BawnJson) json = sys_check_json (f, f->root, READ, path, NULL);

  return g_strdup (bawn_json_get_string (bawn_json_root (json), "lease_id", NULL));
}

static guint
count_accounts (CoreFixture *f, const char *path)
{
  int code = 0;
  guint status = 0;
  g_autofree char *text = sys_check_call (f, f->root, LIST, path, NULL, &code, &status);
  g_autoptr (BawnJson) json = bawn_json_parse_string (text, NULL);
  g_auto (GStrv) keys = bawn_json_get_strv (bawn_json_get (bawn_json_root (json), "data"), "keys");

  return keys != NULL ? g_strv_length (keys) : 0;
}

static void
test_a_lease_is_shown_renewed_and_revoked (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *id = make_lease (&f, "ex/account");
  g_assert_true (g_str_has_prefix (id, "ex/account/"));
  g_autofree char *body = g_strdup_printf ("{\"lease_id\":\"%s\"}", id);
  g_autofree char *renew_path = g_strconcat ("sys/leases/renew/", id, NULL);
  g_autofree char *old_path = g_strconcat ("sys/revoke/", id, NULL);
  const SysStep steps[] = {
    { WRITE, "sys/leases/lookup", body,
      SYS_OK (200, "\"last_renewal\":null,\"renewable\":true,\"ttl\":") },
    { LIST, "sys/leases/lookup/", NULL, SYS_OK (200, "\"ex/\"") },
    { LIST, "sys/leases/lookup/ex/", NULL, SYS_OK (200, "[\"account/\"]") },
    { LIST, "sys/leases/lookup/none/", NULL, SYS_OK (404, NULL) },
    { WRITE, "sys/leases/renew", body, SYS_OK (200, "\"renewable\":true") },
    { WRITE, "sys/renew", body, SYS_OK (200, "\"lease_id\":\"ex/account/") },
    { WRITE, renew_path, "{\"increment\":\"1m\"}", SYS_OK (200, "\"lease_duration\":60") },
    { WRITE, "sys/leases/lookup", body, SYS_OK (200, "\"last_renewal\":\"2023-") },
    { WRITE, old_path, NULL, SYS_OK (204, NULL) },
    { WRITE, "sys/leases/lookup", body, SYS_INVALID ("invalid lease") },
    { WRITE, "sys/leases/renew", body, SYS_INVALID ("lease not found") },
    { WRITE, "sys/leases/revoke", body, SYS_OK (204, NULL) },
    { WRITE, "sys/leases/revoke", "{\"lease_id\":\"ex/none\",\"sync\":false}", SYS_OK (202, NULL) },
    { WRITE, "sys/leases/lookup", "{}", SYS_INVALID ("lease_id must be specified") },
    { WRITE, "sys/leases/renew", "{}", SYS_INVALID ("lease_id must be specified") },
    { WRITE, "sys/leases/revoke", "{}", SYS_INVALID ("lease_id must be specified") },
  };
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  g_assert_cmpuint (count_accounts (&f, "ex/account/"), ==, 0);
}

static void
test_a_prefix_takes_all_below_it_and_nothing_beside_it (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/leases/revoke-prefix/ex", NULL, SYS_OK (204, NULL) },
    { LIST, "sys/leases/lookup/ex/account/", NULL, SYS_OK (404, NULL) },
    { LIST, "sys/leases/lookup/ex2/account/", NULL, SYS_OK (200, NULL) },
    { WRITE, "sys/leases/revoke-force/ex2/account", NULL, SYS_OK (204, NULL) },
    { WRITE, "sys/revoke-prefix/ex2", "{\"sync\":false}", SYS_OK (202, NULL) },
    { LIST, "sys/leases/lookup/ex2/account/", NULL, SYS_OK (404, NULL) },
    { WRITE, "sys/leases/revoke-prefix/", NULL, BAWN_ERROR_UNSUPPORTED, 0,
      "unsupported operation" },
    { WRITE, "sys/leases/tidy", NULL, SYS_OK (202, "Tidy operation successfully started.") },
    { READ, "sys/leases/count", "{\"type\":\"irrevocable\"}",
      SYS_OK (200, "\"data\":{\"counts\":{},\"lease_count\":0}") },
    { READ, "sys/leases", "{\"type\":\"irrevocable\"}",
      SYS_OK (200, "\"data\":{\"lease_count\":0,\"leases\":[]}") },
  };

  ready (&f);
  for (guint i = 0; i < MANY; i++)
    g_free (make_lease (&f, "ex/account"));
  g_free (make_lease (&f, "ex2/account"));
  g_assert_cmpuint (count_accounts (&f, "ex/account/"), ==, MANY);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  g_assert_cmpuint (count_accounts (&f, "ex/account/"), ==, 0);
  g_assert_cmpuint (count_accounts (&f, "ex2/account/"), ==, 0);
}

static void
test_a_prefix_needs_sudo (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/leases/revoke-prefix/ex", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/leases/revoke-force/ex", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/revoke-prefix/ex", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/leases/revoke-prefix", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { LIST, "sys/leases/lookup/", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/leases/lookup", "{\"lease_id\":\"x\"}", SYS_INVALID ("invalid lease") },
  };

  ready (&f);
  g_autofree char *token =
      sys_check_token (&f, "ops", "path \"sys/*\" { capabilities = [\"update\", \"list\"] }");
  sys_check_steps (&f, token, steps, G_N_ELEMENTS (steps));
}

static void
test_a_moved_mount_leaves_no_lease_behind (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  for (guint i = 0; i < 20; i++)
    g_free (make_lease (&f, "ex/account"));
  g_autoptr (BawnJson) moved =
      sys_check_json (&f, f.root, WRITE, "sys/remount", "{\"from\":\"ex\",\"to\":\"moved\"}");
  static const SysStep after[] = { { LIST, "sys/leases/lookup/ex/account/", NULL,
                                     SYS_OK (404, NULL) } };

  sys_check_steps (&f, f.root, after, G_N_ELEMENTS (after));
  g_assert_cmpuint (count_accounts (&f, "moved/account/"), ==, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/sys/leases/one-is-shown-renewed-and-revoked",
                   test_a_lease_is_shown_renewed_and_revoked);
  g_test_add_func ("/core/sys/leases/a-prefix-takes-all-below-it",
                   test_a_prefix_takes_all_below_it_and_nothing_beside_it);
  g_test_add_func ("/core/sys/leases/a-prefix-needs-sudo", test_a_prefix_needs_sudo);
  g_test_add_func ("/core/sys/leases/a-moved-mount-leaves-none-behind",
                   test_a_moved_mount_leaves_no_lease_behind);
  return g_test_run ();
}
