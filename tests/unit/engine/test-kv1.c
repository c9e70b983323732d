/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/engine/engine-fixture.h"

#include <string.h>

GType bawn_engine_kv_get_type (void);

#define R BAWN_OP_READ
#define W BAWN_OP_UPDATE
#define L BAWN_OP_LIST
#define D BAWN_OP_DELETE
#define P BAWN_OP_PATCH
#define TIME 0

static const EngineStep version_1[] = {
  { R, "a", NULL, "NOT_FOUND" },
  { D, "a", NULL, "204" },
  { W, "a", NULL, "INVALID missing data fields" },
  { W, "a", "{}", "INVALID missing data fields" },
  { W, "a", "{\"n\": 1.50, \"big\":12345678901234567890}", "204" },
  { R, "a", NULL, "200 {\"n\": 1.50, \"big\":12345678901234567890}" },
  { W, "a", "{\"x\":1}", "204" },
  { R, "a", NULL, "200 {\"x\":1}" },
  { W, "a/b", "{\"x\":2}", "204" },
  { W, "B", "{\"x\":3}", "204" },
  { L, "", NULL, "200 {\"keys\":[\"B\",\"a\",\"a/\"]}" },
  { L, "a/", NULL, "200 {\"keys\":[\"b\"]}" },
  { L, "none/", NULL, "404" },
  { W, "data/a", "{\"data\":{}}", "204" },
  { R, "data/a", NULL, "200 {\"data\":{}}" },
  { P, "a", "{\"x\":1}", "UNSUPPORTED unsupported operation" },
  { R, "", NULL, "NOT_FOUND" },
  { W, "", "{\"x\":1}", "INVALID missing path" },
  { D, "a", NULL, "204" },
  { R, "a", NULL, "NOT_FOUND" },
  { R, "a/b", NULL, "200 {\"x\":2}" },
};

static void
set_up (EngineFixture *f, gconstpointer data)
{
  engine_fixture_set_up (f, bawn_engine_kv_get_type (), NULL);
}

static void
tear_down (EngineFixture *f, gconstpointer data)
{
  engine_fixture_tear_down (f);
}

static void
test_version_1_stores_what_it_gets (EngineFixture *f, gconstpointer data)
{
  engine_fixture_steps (f, version_1, G_N_ELEMENTS (version_1));
  g_assert_cmpuint (engine_fixture_count (f, ""), ==, 3);
}

static void
test_a_secret_may_tell_its_time_to_live (EngineFixture *f, gconstpointer data)
{
  const struct
  {
    const char *body;
    gint64 seconds;
  } rows[] = {
    { "{\"x\":1}", 2764800 },
    { "{\"ttl\":\"1h\"}", 3600 },
    { "{\"ttl\":30}", 30 },
    { "{\"lease\":\"90\"}", 90 },
    { "{\"tt\\u006c\":\"5m\"}", 300 },
    { "{\"ttl\":\"bad\"}", 2764800 },
    { "{\"ttl\":[]}", 2764800 },
    { "{\"in\":{\"ttl\":5}}", 2764800 },
    { "{\"ttl\":-5}", 0 },
    { "{\"ttl\":9223372036854775807}", 2764800 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *wrote = engine_fixture_answer (f, W, "a", rows[i].body);
      g_autoptr (BawnResponse) response = engine_fixture_run (f, R, "a", NULL, NULL);

      g_test_message ("%s", rows[i].body);
      g_assert_cmpstr (wrote, ==, "204");
      g_assert_cmpint (response->lease_ttl_us / (gint64) G_USEC_PER_SEC, ==, rows[i].seconds);
      g_assert_false (response->renewable);
      g_assert_null (response->lease_id);
      g_assert_cmpint (response->secret_ttl_us, ==, 0);
    }
}

static void
test_the_mount_may_tell_the_time_to_live (EngineFixture *f, gconstpointer data)
{
  g_autofree char *wrote = engine_fixture_answer (f, W, "a", "{\"x\":1}");

  f->mount->default_ttl_us = 60 * (gint64) G_USEC_PER_SEC;

  g_autoptr (BawnResponse) response = engine_fixture_run (f, R, "a", NULL, NULL);

  g_assert_cmpstr (wrote, ==, "204");
  g_assert_cmpint (response->lease_ttl_us, ==, 60 * (gint64) G_USEC_PER_SEC);
}

#define T0 "2026-01-02T03:04:05Z"

static const EngineStep before_upgrade[] = {
  { W, "a", "{\"x\": 1.50}", "204" },
  { W, "a/b", "{\"x\":2}", "204" },
  { W, "c", "{\"x\":3}", "204" },
};

/* The time of the upgrade is real time; it shows as created_time, which these do not look at. */
static const EngineStep after_upgrade[] = {
  { L, "metadata/", NULL, "200 {\"keys\":[\"a\",\"a/\",\"c\"]}" },
  { R, "a", NULL,
    "404 null !Invalid path for a versioned K/V secrets engine. See the API docs for the "
    "appropriate API endpoints to use. "
    "If using the Vault CLI, use 'vault kv get' for this operation." },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":0}}",
    "INVALID check-and-set parameter did not match the current version" },
  { W, "data/a", "{\"data\":{\"y\":1},\"options\":{\"cas\":1}}",
    "200 {\"created_time\":\"" T0
    "\",\"custom_metadata\":null,\"deletion_time\":\"\",\"destroyed\":false,\"version\":2}" },
  { L, "metadata/", NULL, "200 {\"keys\":[\"a\",\"a/\",\"c\"]}" },
  { W, "data/b", "{\"data\":{}}",
    "200 {\"created_time\":\"" T0
    "\",\"custom_metadata\":null,\"deletion_time\":\"\",\"destroyed\":false,\"version\":1}" },
  { L, "metadata/", NULL, "200 {\"keys\":[\"a\",\"a/\",\"b\",\"c\"]}" },
  { L, "metadata/", "{\"limit\":2}", "200 {\"keys\":[\"a\",\"a/\"]}" },
  { W, "destroy/c", "{\"versions\":[1]}", "204" },
  { D, "metadata/a/b", NULL, "204" },
  { L, "metadata/", NULL, "200 {\"keys\":[\"a\",\"b\",\"c\"]}" },
  { R, "data/a/b", NULL, "NOT_FOUND" },
};

static void
assert_data (EngineFixture *f, const char *path, const char *query, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnResponse) response = engine_fixture_run (f, R, path, query, &error);

  g_assert_no_error (error);

  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, &error);
  const BawnJsonNode *data = bawn_json_get (bawn_json_root (json), "data");

  g_assert_no_error (error);
  g_assert_cmpmem (data->raw, data->raw_size, expected, strlen (expected));
}

static void
test_an_upgrade_keeps_every_secret (EngineFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  engine_fixture_steps (f, before_upgrade, G_N_ELEMENTS (before_upgrade));
  g_assert_true (engine_fixture_tune (f, "version=2", &error));
  g_assert_no_error (error);
  assert_data (f, "data/a", NULL, "{\"x\": 1.50}");
  assert_data (f, "data/a/b", "{\"version\":1}", "{\"x\":2}");
  engine_fixture_steps (f, after_upgrade, G_N_ELEMENTS (after_upgrade));
  assert_data (f, "data/a", "{\"version\":1}", "{\"x\": 1.50}");
  assert_data (f, "data/a", NULL, "{\"y\":1}");
  g_assert_cmpuint (engine_fixture_count (f, "d/"), ==, 0);
}

static void
test_an_upgraded_secret_can_be_deleted_and_come_back (EngineFixture *f, gconstpointer data)
{
  static const EngineStep steps[] = {
    { D, "data/c", NULL, "204" },
    { W, "undelete/c", "{\"versions\":[1]}", "204" },
  };

  engine_fixture_steps (f, before_upgrade, G_N_ELEMENTS (before_upgrade));
  g_assert_true (engine_fixture_tune (f, "version=2", NULL));
  engine_fixture_steps (f, steps, G_N_ELEMENTS (steps));
  assert_data (f, "data/c", NULL, "{\"x\":3}");
}

static void
test_an_empty_mount_needs_no_upgrade (EngineFixture *f, gconstpointer data)
{
  g_assert_true (engine_fixture_tune (f, "version=2", NULL));
  g_assert_cmpuint (engine_fixture_count (f, ""), ==, 0);
}

static void
test_there_is_no_way_back (EngineFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (engine_fixture_tune (f, "version=2", NULL));
  g_assert_false (engine_fixture_tune (f, "version=1", &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "cannot downgrade mount from version 2");
}

static void
test_there_is_no_version_3 (EngineFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);

  g_assert_false (engine_fixture_tune (f, "version=3", &error));
  g_assert_cmpstr (error->message, ==, "invalid version provided: 3");
  engine_fixture_set_option (f, "version=3");

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);

  g_assert_false (klass->mounted (f->engine, f->mount, txn, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func)                                                                            \
  g_test_add ("/engine/kv1/" name, EngineFixture, NULL, set_up, func, tear_down)
  add ("version-1-stores-what-it-gets", test_version_1_stores_what_it_gets);
  add ("a-secret-may-tell-its-time-to-live", test_a_secret_may_tell_its_time_to_live);
  add ("the-mount-may-tell-the-time-to-live", test_the_mount_may_tell_the_time_to_live);
  add ("an-upgrade-keeps-every-secret", test_an_upgrade_keeps_every_secret);
  add ("an-upgraded-secret-can-be-deleted-and-come-back",
       test_an_upgraded_secret_can_be_deleted_and_come_back);
  add ("an-empty-mount-needs-no-upgrade", test_an_empty_mount_needs_no_upgrade);
  add ("there-is-no-way-back", test_there_is_no_way_back);
  add ("there-is-no-version-3", test_there_is_no_version_3);
#undef add

  return g_test_run ();
}
