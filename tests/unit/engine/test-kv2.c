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

#define T0 "2026-01-02T03:04:05Z"
#define T1 "2026-01-02T03:04:06Z"
#define T2 "2026-01-02T03:04:07Z"

/* What a version shows. */
#define V(n, created, deleted, destroyed)                                                          \
  "{\"created_time\":\"" created "\",\"custom_metadata\":null,\"deletion_time\":\"" deleted        \
  "\",\"destroyed\":" destroyed ",\"version\":" #n "}"
#define WROTE(n, created) "200 " V (n, created, "", "false")
#define HAS(data, n, created) "200 {\"data\":" data ",\"metadata\":" V (n, created, "", "false") "}"
#define GONE(n, created, deleted, destroyed)                                                       \
  "404 {\"data\":null,\"metadata\":" V (n, created, deleted, destroyed) "}"

#define CAS_MISMATCH "INVALID check-and-set parameter did not match the current version"
#define CAS_REQUIRED "INVALID check-and-set parameter required for this call"

static const EngineStep read_and_write[] = {
  { R, "data/a", NULL, "NOT_FOUND" },
  { W, "data/a", "{\"data\":{\"x\": 1.50, \"n\":12345678901234567890}}", WROTE (1, T0) },
  { R, "data/a", NULL, HAS ("{\"x\": 1.50, \"n\":12345678901234567890}", 1, T0) },
  { TIME, "1", NULL, NULL },
  { W, "data/a", "{\"data\":{\"x\":2}}", WROTE (2, T1) },
  { R, "data/a", NULL, HAS ("{\"x\":2}", 2, T1) },
  { R, "data/a", "{\"version\":\"1\"}", HAS ("{\"x\": 1.50, \"n\":12345678901234567890}", 1, T0) },
  { R, "data/a", "{\"version\":0}", HAS ("{\"x\":2}", 2, T1) },
  { R, "data/a", "{\"version\":-3}", HAS ("{\"x\":2}", 2, T1) },
  { R, "data/a", "{\"version\":3}", "NOT_FOUND" },
  { R, "data/a", "{\"version\":\"abc\"}",
    "INVALID Field validation failed: error converting input for field \"version\": cannot parse "
    "'' as int: "
    "strconv.ParseInt: parsing \"abc\": invalid syntax" },
  { R, "data/a/b", NULL, "NOT_FOUND" },
  { W, "data/a/b", "{\"data\":{}}", WROTE (1, T1) },
  { R, "data/a/b", NULL, HAS ("{}", 1, T1) },
  { R, "data/a/1", NULL, "NOT_FOUND" },
  { W, "data/a/1", "{\"data\":{\"one\":1}}", WROTE (1, T1) },
  { R, "data/a", "{\"version\":1}", HAS ("{\"x\": 1.50, \"n\":12345678901234567890}", 1, T0) },
  { R, "data/a/1", NULL, HAS ("{\"one\":1}", 1, T1) },
};

static const EngineStep bad_writes[] = {
  { W, "data/a", NULL, "INVALID no data provided" },
  { W, "data/a", "{}", "INVALID no data provided" },
  { W, "data/a", "{\"data\":\"str\"}",
    "INVALID Field validation failed: error converting input for field \"data\": '' expected a "
    "map, got 'string'" },
  { W, "data/a", "{\"data\":[]}",
    "INVALID Field validation failed: error converting input for field \"data\": '' expected a "
    "map, got 'slice'" },
  { W, "data/", "{\"data\":{}}", "INVALID missing path" },
  { W, "data/a//b", "{\"data\":{}}", "INVALID the path has an empty part" },
  { R, "data/", NULL, "NOT_FOUND" },
  { R, "data/a/", NULL, "NOT_FOUND" },
  { W, "data/n", "{\"data\":null}", WROTE (1, T0) },
  { R, "data/n", NULL, HAS ("null", 1, T0) },
};

static const EngineStep check_and_set[] = {
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":1}}", CAS_MISMATCH },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":0}}", WROTE (1, T0) },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":0}}", CAS_MISMATCH },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":null}}", CAS_MISMATCH },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":\"1\"}}", WROTE (2, T0) },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":\"x\"}}",
    "INVALID error parsing check-and-set parameter" },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":[]}}",
    "INVALID error parsing check-and-set parameter" },
  { W, "data/a", "{\"data\":{},\"options\":{}}", WROTE (3, T0) },
  { W, "metadata/a", "{\"cas_required\":true}", "204" },
  { W, "data/a", "{\"data\":{}}", CAS_REQUIRED },
  { W, "data/a", "{\"data\":{},\"options\":{\"cas\":3}}", WROTE (4, T0) },
  { W, "data/b", "{\"data\":{}}", WROTE (1, T0) },
  { W, "config", "{\"cas_required\":\"true\"}", "204" },
  { W, "data/b", "{\"data\":{}}", CAS_REQUIRED },
  { W, "metadata/b", "{\"cas_required\":false}",
    "200 null !\"cas_required\" set to false, but is mandated by backend config. This value will "
    "be ignored." },
  { W, "data/b", "{\"data\":{}}", CAS_REQUIRED },
};

static const EngineStep deletion[] = {
  { D, "data/a", NULL, "204" },
  { W, "data/a", "{\"data\":{\"x\":1}}", WROTE (1, T0) },
  { W, "data/a", "{\"data\":{\"x\":2}}", WROTE (2, T0) },
  { TIME, "1", NULL, NULL },
  { D, "data/a", NULL, "204" },
  { R, "data/a", NULL, GONE (2, T0, T1, "false") },
  { R, "data/a", "{\"version\":1}", HAS ("{\"x\":1}", 1, T0) },
  { TIME, "1", NULL, NULL },
  { D, "data/a", NULL, "204" },
  { R, "data/a", NULL, GONE (2, T0, T1, "false") },
  { W, "undelete/a", "{\"versions\":[2]}", "204" },
  { R, "data/a", NULL, HAS ("{\"x\":2}", 2, T0) },
  { W, "delete/a", "{\"versions\":\"1,2\"}", "204" },
  { R, "data/a", NULL, GONE (2, T0, T2, "false") },
  { R, "data/a", "{\"version\":1}", GONE (1, T0, T2, "false") },
  { W, "undelete/a", "{\"versions\":[\"1\",\"2\",\"77\",0,-1]}", "204" },
  { R, "data/a", NULL, HAS ("{\"x\":2}", 2, T0) },
  { W, "destroy/a", "{\"versions\":[2,9]}", "204" },
  { R, "data/a", NULL, GONE (2, T0, "", "true") },
  { W, "undelete/a", "{\"versions\":[2]}", "204" },
  { R, "data/a", NULL, GONE (2, T0, "", "true") },
  { R, "data/a", "{\"version\":1}", HAS ("{\"x\":1}", 1, T0) },
  { W, "delete/a", NULL, "INVALID No version number provided" },
  { W, "destroy/a", "{\"versions\":[]}", "INVALID No version number provided" },
  { W, "undelete/a", "{\"versions\":\"x\"}",
    "INVALID Field validation failed: error converting input for field \"versions\": a version "
    "must be a number" },
  { W, "delete/none", "{\"versions\":[1]}", "204" },
  { W, "destroy/none", "{\"versions\":[1]}", "204" },
  { R, "metadata/none", NULL, "NOT_FOUND" },
};

#define META(cas, created, current, custom, after, max, oldest, updated, versions)                 \
  "200 {\"cas_required\":" cas ",\"created_time\":\"" created "\",\"current_version\":" #current   \
  ",\"custom_metadata\":" custom ",\"delete_version_after\":\"" after "\",\"max_versions\":" #max  \
  ",\"oldest_version\":" #oldest ",\"updated_time\":\"" updated "\",\"versions\":{" versions "}}"
#define META_VERSION(n, created, deleted, destroyed)                                               \
  "\"" #n "\":{\"created_time\":\"" created "\",\"deletion_time\":\"" deleted                      \
  "\",\"destroyed\":" destroyed "}"

static const EngineStep metadata[] = {
  { R, "metadata/a", NULL, "NOT_FOUND" },
  { D, "metadata/a", NULL, "204" },
  { W, "metadata/a",
    "{\"max_versions\":\"3\",\"delete_version_after\":\"1h30m\",\"custom_metadata\":{\"k\":\"v\","
    "\"b\":5}}",
    "204" },
  { R, "metadata/a", NULL,
    META ("false", T0, 0, "{\"b\":\"5\",\"k\":\"v\"}", "1h30m0s", 3, 0, T0, "") },
  { R, "data/a", NULL, "NOT_FOUND" },
  { TIME, "1", NULL, NULL },
  { W, "data/a", "{\"data\":{}}",
    "200 {\"created_time\":\"" T1 "\",\"custom_metadata\":{\"b\":\"5\",\"k\":\"v\"},"
    "\"deletion_time\":\"2026-01-02T04:34:06Z\",\"destroyed\":false,\"version\":1}" },
  { W, "metadata/a", "{\"custom_metadata\":{\"z\":\"1\"},\"delete_version_after\":0}", "204" },
  { R, "metadata/a", NULL,
    META ("false",
          T0,
          1,
          "{\"z\":\"1\"}",
          "0s",
          3,
          0,
          T1,
          META_VERSION (1, T1, "2026-01-02T04:34:06Z", "false")) },
  { P, "metadata/a",
    "{\"custom_metadata\":{\"y\":\"2\",\"z\":null},\"max_versions\":null,\"cas_required\":true}",
    "204" },
  { R, "metadata/a", NULL,
    META ("true",
          T0,
          1,
          "{\"y\":\"2\"}",
          "0s",
          0,
          0,
          T1,
          META_VERSION (1, T1, "2026-01-02T04:34:06Z", "false")) },
  { P, "metadata/a", "{\"custom_metadata\":null}", "204" },
  { R, "metadata/a", NULL,
    META ("true",
          T0,
          1,
          "null",
          "0s",
          0,
          0,
          T1,
          META_VERSION (1, T1, "2026-01-02T04:34:06Z", "false")) },
  { P, "metadata/none", "{\"max_versions\":1}", "NOT_FOUND" },
  { W, "metadata/a", "{\"delete_version_after\":\"-1s\"}",
    "INVALID Field validation failed: error converting input for field \"delete_version_after\": "
    "cannot provide negative value '-1'" },
  { W, "metadata/a", "{\"max_versions\":101}", "INVALID max_versions must not be above 100" },
  { W, "metadata/a", "{\"max_versions\":-1}", "INVALID max_versions must not be negative" },
  { W, "metadata/a", "{\"custom_metadata\":{\"a\":\"\"}}",
    "INVALID custom_metadata validation failed: length of value for key \"a\" is 0 but must be 0 < "
    "len(value) <= 512" },
  { W, "metadata/a", "{\"custom_metadata\":{\"a\":\"x\\u0007\"}}",
    "INVALID custom_metadata validation failed: value for key \"a\" contains unprintable "
    "characters" },
  { D, "metadata/a", NULL, "204" },
  { R, "metadata/a", NULL, "NOT_FOUND" },
  { R, "data/a", NULL, "NOT_FOUND" },
};

static const EngineStep mount_config[] = {
  { R, "config", NULL,
    "200 {\"cas_required\":false,\"delete_version_after\":\"0s\",\"max_versions\":0}" },
  { W, "config", "{\"unknown\":1}", "204" },
  { W, "config", "{\"max_versions\":2,\"delete_version_after\":\"10s\"}", "204" },
  { R, "config", NULL,
    "200 {\"cas_required\":false,\"delete_version_after\":\"10s\",\"max_versions\":2}" },
  { W, "data/a", "{\"data\":{}}", "200 " V (1, T0, "2026-01-02T03:04:15Z", "false") },
  { W, "metadata/b", "{\"delete_version_after\":\"5s\"}", "204" },
  { W, "data/b", "{\"data\":{}}", "200 " V (1, T0, "2026-01-02T03:04:10Z", "false") },
  { R, "data/a", NULL,
    "200 {\"data\":{},\"metadata\":" V (1, T0, "2026-01-02T03:04:15Z", "false") "}" },
  { TIME, "10", NULL, NULL },
  { R, "data/a", NULL, GONE (1, T0, "2026-01-02T03:04:15Z", "false") },
  { W, "config", "{\"delete_version_after\":\"-1s\"}", "204" },
  { R, "config", NULL,
    "200 {\"cas_required\":false,\"delete_version_after\":\"0s\",\"max_versions\":2}" },
  { W, "data/b", "{\"data\":{}}", WROTE (2, "2026-01-02T03:04:15Z") },
  { W, "config", "{\"max_versions\":1000}", "INVALID max_versions must not be above 100" },
  { D, "config", NULL, "UNSUPPORTED unsupported operation" },
};

static const EngineStep few_versions[] = {
  { W, "metadata/a", "{\"max_versions\":2}", "204" },
  { W, "data/a", "{\"data\":{\"x\":1}}", WROTE (1, T0) },
  { W, "data/a", "{\"data\":{\"x\":2}}", WROTE (2, T0) },
  { R, "metadata/a", NULL,
    META ("false",
          T0,
          2,
          "null",
          "0s",
          2,
          1,
          T0,
          META_VERSION (1, T0, "", "false") "," META_VERSION (2, T0, "", "false")) },
  { W, "data/a", "{\"data\":{\"x\":3}}", WROTE (3, T0) },
  { R, "data/a", "{\"version\":1}", "NOT_FOUND" },
  { R, "data/a", "{\"version\":2}", HAS ("{\"x\":2}", 2, T0) },
  { R, "metadata/a", NULL,
    META ("false",
          T0,
          3,
          "null",
          "0s",
          2,
          2,
          T0,
          META_VERSION (2, T0, "", "false") "," META_VERSION (3, T0, "", "false")) },
};

static const EngineStep patching[] = {
  { P, "data/a", "{\"data\":{\"x\":1}}", "NOT_FOUND" },
  { W, "data/a", "{\"data\":{\"keep\": 1.50,\"drop\":1,\"in\":{\"a\":1,\"b\":2}}}", WROTE (1, T0) },
  { P, "data/a", "{\"data\":{\"drop\":null,\"in\":{\"b\":null,\"c\":[1, 2]},\"new\":\"\\u00e4\"}}",
    WROTE (2, T0) },
  { R, "data/a", NULL,
    HAS ("{\"keep\":1.50,\"in\":{\"a\":1,\"c\":[1, 2]},\"new\":\"\\u00e4\"}", 2, T0) },
  { P, "data/a", "{\"data\":{},\"options\":{\"cas\":1}}", CAS_MISMATCH },
  { P, "data/a", "{\"data\":{},\"options\":{\"cas\":2}}", WROTE (3, T0) },
  { P, "data/a", "{}", "INVALID no data provided" },
  { P, "data/a", "{\"data\":null}", "INVALID no data provided" },
  { D, "data/a", NULL, "204" },
  { P, "data/a", "{\"data\":{}}", GONE (3, T0, T0, "false") },
  { W, "metadata/m", "{}", "204" },
  { P, "data/m", "{\"data\":{}}", "NOT_FOUND" },
};

static const EngineStep subkeys[] = {
  { W, "data/a", "{\"data\":{\"a\":1,\"b\":{\"c\":[{\"no\":1}],\"d\":{\"e\":\"x\"}},\"f\":{}}}",
    WROTE (1, T0) },
  { R, "subkeys/a", NULL,
    "200 "
    "{\"subkeys\":{\"a\":null,\"b\":{\"c\":null,\"d\":{\"e\":null}},\"f\":{}},"
    "\"metadata\":" V (1, T0, "", "false") "}" },
  { R, "subkeys/a", "{\"depth\":\"1\"}",
    "200 {\"subkeys\":{\"a\":null,\"b\":null,\"f\":null},\"metadata\":" V (
        1, T0, "", "false") "}" },
  { R, "subkeys/a", "{\"depth\":2,\"version\":1}",
    "200 {\"subkeys\":{\"a\":null,\"b\":{\"c\":null,\"d\":null},\"f\":{}},\"metadata\":" V (
        1, T0, "", "false") "}" },
  { R, "subkeys/none", NULL, "NOT_FOUND" },
  { D, "data/a", NULL, "204" },
  { R, "subkeys/a", NULL, "404 {\"subkeys\":null,\"metadata\":" V (1, T0, T0, "false") "}" },
};

static const EngineStep listing[] = {
  { L, "metadata/", NULL, "404" },
  { W, "data/b", "{\"data\":{}}", WROTE (1, T0) },
  { W, "data/a", "{\"data\":{}}", WROTE (1, T0) },
  { W, "data/a/x", "{\"data\":{}}", WROTE (1, T0) },
  { W, "metadata/a-b/y", "{}", "204" },
  { L, "metadata/", NULL, "200 {\"keys\":[\"a\",\"a-b/\",\"a/\",\"b\"]}" },
  { L, "metadata", NULL, "200 {\"keys\":[\"a\",\"a-b/\",\"a/\",\"b\"]}" },
  { L, "metadata/a/", NULL, "200 {\"keys\":[\"x\"]}" },
  { L, "metadata/none/", NULL, "404" },
  { L, "metadata/", "{\"after\":\"a\",\"limit\":\"2\"}", "200 {\"keys\":[\"a-b/\",\"a/\"]}" },
  { L, "data/", NULL, "UNSUPPORTED unsupported operation" },
  { L, "data/a/", NULL, "UNSUPPORTED unsupported operation" },
};

#define WRONG(command)                                                                             \
  "404 null !Invalid path for a versioned K/V secrets engine. See the API docs for the "           \
  "appropriate API endpoints to use. "                                                             \
  "If using the Vault CLI, use 'vault kv " command "' for this operation."

static const EngineStep wrong_paths[] = {
  { R, "a", NULL, WRONG ("get") },
  { W, "a/b", "{\"x\":1}", WRONG ("put") },
  { D, "a", NULL, WRONG ("delete") },
  { L, "", NULL, WRONG ("list") },
  { R, "destroy/a", NULL, "UNSUPPORTED unsupported operation" },
  { D, "subkeys/a", NULL, "UNSUPPORTED unsupported operation" },
};

static const struct
{
  const char *name;
  const EngineStep *steps;
  gsize n;
} tables[] = {
  { "what-was-written-is-read-byte-by-byte", read_and_write, G_N_ELEMENTS (read_and_write) },
  { "bad-writes-are-told-why", bad_writes, G_N_ELEMENTS (bad_writes) },
  { "check-and-set-guards-writes", check_and_set, G_N_ELEMENTS (check_and_set) },
  { "versions-are-deleted-undeleted-and-destroyed", deletion, G_N_ELEMENTS (deletion) },
  { "metadata-is-kept-beside-versions", metadata, G_N_ELEMENTS (metadata) },
  { "the-mount-has-settings", mount_config, G_N_ELEMENTS (mount_config) },
  { "old-versions-go", few_versions, G_N_ELEMENTS (few_versions) },
  { "a-patch-merges", patching, G_N_ELEMENTS (patching) },
  { "subkeys-show-no-values", subkeys, G_N_ELEMENTS (subkeys) },
  { "a-folder-is-listed", listing, G_N_ELEMENTS (listing) },
  { "a-wrong-path-is-explained", wrong_paths, G_N_ELEMENTS (wrong_paths) },
};

static void
set_up (EngineFixture *f, gconstpointer data)
{
  engine_fixture_set_up (f, bawn_engine_kv_get_type (), "version=2");
}

static void
tear_down (EngineFixture *f, gconstpointer data)
{
  engine_fixture_tear_down (f);
}

static void
test_table (EngineFixture *f, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);

  engine_fixture_steps (f, tables[i].steps, tables[i].n);
}

static void
test_deleting_a_key_leaves_nothing (EngineFixture *f, gconstpointer data)
{
  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *answer = engine_fixture_answer (f, W, "data/a/b", "{\"data\":{\"x\":1}}");

      g_assert_true (g_str_has_prefix (answer, "200 "));
    }
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 10);

  g_autofree char *destroyed =
      engine_fixture_answer (f, W, "destroy/a/b", "{\"versions\":[5,6,7]}");

  g_assert_cmpstr (destroyed, ==, "204");
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 7);

  g_autofree char *deleted = engine_fixture_answer (f, D, "metadata/a/b", NULL);

  g_assert_cmpstr (deleted, ==, "204");
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 0);
  g_assert_cmpuint (engine_fixture_count (f, "m/"), ==, 0);
}

static void
test_a_hundred_versions_fit_and_go (EngineFixture *f, gconstpointer data)
{
  g_autofree char *set = engine_fixture_answer (f, W, "metadata/a", "{\"max_versions\":100}");

  g_assert_cmpstr (set, ==, "204");
  for (guint i = 0; i < 103; i++)
    {
      g_autofree char *answer = engine_fixture_answer (f, W, "data/a", "{\"data\":{\"x\":1}}");

      g_assert_true (g_str_has_prefix (answer, "200 "));
    }
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 100);

  g_autofree char *fewer = engine_fixture_answer (f, W, "metadata/a", "{\"max_versions\":1}");
  g_autofree char *again = engine_fixture_answer (f, W, "data/a", "{\"data\":{\"x\":1}}");

  g_assert_cmpstr (fewer, ==, "204");
  g_assert_true (g_str_has_prefix (again, "200 "));
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 1);
}

static void
test_a_write_is_a_create_where_nothing_was (EngineFixture *f, gconstpointer data)
{
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);
  const struct
  {
    const char *rest;
    gboolean exists;
  } rows[] = {
    { "data/there", TRUE },     { "data/none", FALSE },  { "metadata/there", TRUE },
    { "metadata/none", FALSE }, { "delete/none", TRUE }, { "destroy/none", TRUE },
    { "config", TRUE },         { "data/", TRUE },       { "undelete/none", TRUE },
    { "other", TRUE },
  };
  g_autofree char *wrote = engine_fixture_answer (f, W, "data/there", "{\"data\":{}}");

  g_assert_true (g_str_has_prefix (wrote, "200"));
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (BawnRequest) request = bawn_request_new (W, rows[i].rest);
      g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
      g_autoptr (BawnTxn) txn = bawn_txn_scope (root, f->mount->view);
      gboolean exists = !rows[i].exists;

      g_test_message ("%s", rows[i].rest);
      request->mount = bawn_mount_ref (f->mount);
      request->rest = request->path;
      g_assert_true (klass->exists (f->engine, request, txn, &exists, NULL));
      g_assert_cmpint (exists, ==, rows[i].exists);
    }
}

static void
test_too_long_a_path_is_refused (EngineFixture *f, gconstpointer data)
{
  g_autofree char *name = g_strnfill (BAWN_BACKEND_MAX_KEY, 'x');
  g_autofree char *path = g_strconcat ("data/", name, NULL);
  g_autofree char *wrote = engine_fixture_answer (f, W, path, "{\"data\":{}}");
  g_autofree char *read = engine_fixture_answer (f, R, path, NULL);

  g_assert_cmpstr (wrote, ==, "INVALID the path is too long");
  g_assert_cmpstr (read, ==, "NOT_FOUND");
}

/* The longest path that is accepted must fit with every number a version can get. */
static void
test_the_longest_path_works (EngineFixture *f, gconstpointer data)
{
  g_autofree char *name = g_strnfill (BAWN_BACKEND_MAX_KEY - strlen (f->mount->view) - 23, 'x');
  g_autofree char *path = g_strconcat ("data/", name, NULL);

  for (guint i = 0; i < 12; i++)
    {
      g_autofree char *wrote = engine_fixture_answer (f, W, path, "{\"data\":{}}");

      g_assert_true (g_str_has_prefix (wrote, "200 "));
    }
}

static void
test_a_big_folder_is_listed_whole (EngineFixture *f, gconstpointer data)
{
  const guint n_names = 25000;
  const guint per_commit = 1000;

  for (guint i = 0; i < n_names; i += per_commit)
    {
      g_autoptr (BawnTxn) root = bawn_store_begin (f->store, NULL, TRUE);
      g_autoptr (BawnTxn) txn = bawn_txn_scope (root, f->mount->view);
      g_autoptr (GBytes) value = bawn_bytes_new_string ("{}");
      g_autoptr (GError) error = NULL;

      for (guint j = i; j < i + per_commit; j++)
        {
          g_autofree char *key = g_strdup_printf ("m/big/%06u", j);

          bawn_txn_put (txn, key, value);
        }
      g_assert_true (bawn_txn_commit (root, &error));
      g_assert_no_error (error);
    }

  g_autoptr (GError) error = NULL;
  g_autoptr (BawnResponse) response = engine_fixture_run (f, L, "metadata/big/", NULL, &error);

  g_assert_no_error (error);

  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, &error);
  const BawnJsonNode *keys = bawn_json_get (bawn_json_root (json), "keys");

  g_assert_no_error (error);
  g_assert_cmpuint (keys->n_children, ==, n_names);

  guint i = 0;

  for (const BawnJsonNode *key = keys->children; key != NULL; key = key->next)
    {
      g_autofree char *expected = g_strdup_printf ("%06u", i++);

      g_assert_cmpstr (key->string, ==, expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, data, func)                                                                      \
  g_test_add ("/engine/kv2/" name, EngineFixture, data, set_up, func, tear_down)
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autofree char *name = g_strconcat ("/engine/kv2/", tables[i].name, NULL);

      g_test_add (name, EngineFixture, GUINT_TO_POINTER (i), set_up, test_table, tear_down);
    }
  add ("deleting-a-key-leaves-nothing", NULL, test_deleting_a_key_leaves_nothing);
  add ("a-hundred-versions-fit-and-go", NULL, test_a_hundred_versions_fit_and_go);
  add ("a-write-is-a-create-where-nothing-was", NULL, test_a_write_is_a_create_where_nothing_was);
  add ("too-long-a-path-is-refused", NULL, test_too_long_a_path_is_refused);
  add ("the-longest-path-works", NULL, test_the_longest_path_works);
  add ("a-big-folder-is-listed-whole", NULL, test_a_big_folder_is_listed_whole);
#undef add

  return g_test_run ();
}
