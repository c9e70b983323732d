/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/engine/engine-fixture.h"

GType bawn_engine_example_get_type (void);

#define R BAWN_OP_READ
#define W BAWN_OP_UPDATE
#define L BAWN_OP_LIST

static void
set_up (EngineFixture *f, gconstpointer data)
{
  engine_fixture_set_up (f, bawn_engine_example_get_type (), NULL);
}

static void
tear_down (EngineFixture *f, gconstpointer data)
{
  engine_fixture_tear_down (f);
}

static const EngineStep settings[] = {
  { R, "config", NULL, "200 {\"max_ttl\":0,\"ttl\":3600}" },
  { W, "config", "{\"ttl\":\"10m\",\"max_ttl\":\"1h\"}", "204" },
  { R, "config", NULL, "200 {\"max_ttl\":3600,\"ttl\":600}" },
  { W, "config", "{\"ttl\":\"2h\"}", "INVALID ttl must not be above max_ttl" },
  { L, "account", NULL, "404" },
};

static void
test_settings_are_kept (EngineFixture *f, gconstpointer data)
{
  engine_fixture_steps (f, settings, G_N_ELEMENTS (settings));
}

static void
test_an_account_ends_with_its_lease (EngineFixture *f, gconstpointer data)
{
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnResponse) made = engine_fixture_run (f, R, "account", NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (made->secret_ttl_us, ==, 3600 * (gint64) G_USEC_PER_SEC);
  g_assert_true (made->renewable);
  g_assert_cmpuint (engine_fixture_count (f, "account/"), ==, 1);

  g_autoptr (BawnJson) internal = bawn_json_parse (made->secret_internal, NULL, &error);
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_UPDATE, "sys/leases/revoke");
  g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (BawnTxn) txn = bawn_txn_scope (root, f->mount->view);
  g_autoptr (BawnResponse) renewed =
      klass->renew (f->engine, request, bawn_json_root (internal), txn, &error);

  g_assert_no_error (error);
  g_assert_cmpint (renewed->secret_ttl_us, ==, 3600 * (gint64) G_USEC_PER_SEC);
  g_assert_true (klass->revoke (f->engine, request, bawn_json_root (internal), txn, &error));
  g_assert_true (klass->revoke (f->engine, request, bawn_json_root (internal), txn, &error));
  g_assert_null (klass->renew (f->engine, request, bawn_json_root (internal), txn, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_true (bawn_txn_commit (root, NULL));
  g_assert_cmpuint (engine_fixture_count (f, "account/"), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/engine/example/settings-are-kept", EngineFixture, NULL, set_up,
              test_settings_are_kept, tear_down);
  g_test_add ("/engine/example/an-account-ends-with-its-lease", EngineFixture, NULL, set_up,
              test_an_account_ends_with_its_lease, tear_down);

  return g_test_run ();
}
