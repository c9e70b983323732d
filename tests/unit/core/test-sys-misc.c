/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#include "core/bawn-metrics.h"

#include <glib/gstdio.h>

GType bawn_audit_file_get_type (void);

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE
#define LIST BAWN_OP_LIST
#define DELETE BAWN_OP_DELETE
#define HELP BAWN_OP_HELP

static void
ready (CoreFixture *f)
{
  core_fixture_open (f, NULL);
  core_fixture_ready (f, 1, 1);
}

static void
test_tools_make_random_bytes_and_hashes (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/tools/random", NULL,
      SYS_OK (200, "=\"}") }, /* 32 bytes are 43 digits and a filler */
    { WRITE, "sys/tools/random/131072", NULL, SYS_OK (200, "random_bytes") },
    { WRITE, "sys/tools/random/131073", NULL,
      SYS_INVALID ("\"bytes\" should be less than 131072") },
    { WRITE, "sys/tools/random", "{\"bytes\":0}", SYS_INVALID ("\"bytes\" cannot be less than 1") },
    { WRITE, "sys/tools/random/4", "{\"format\":\"z\"}",
      SYS_INVALID ("unsupported encoding format \"z\"; must be \"hex\" or \"base64\"") },
    { WRITE, "sys/tools/hash", "{\"input\":\"aGVsbG8=\"}",
      SYS_OK (200,
              "\"sum\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"") },
    { WRITE, "sys/tools/hash/sha2-224", "{\"input\":\"aGVsbG8=\"}",
      SYS_OK (200, "\"sum\":\"ea09ae9cc6768c50fcee903ed054556e5bfc8347907f12598aa24193\"") },
    { WRITE, "sys/tools/hash",
      "{\"input\":\"aGVsbG8=\",\"algorithm\":\"sha2-256\",\"format\":\"base64\"}",
      SYS_OK (200, "\"sum\":\"LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=\"") },
    { WRITE, "sys/tools/hash/zz", "{\"input\":\"aGVsbG8=\"}",
      SYS_INVALID ("unsupported algorithm zz") },
  };
  int code = 0;

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
  g_autofree char *bad =
      sys_check_call (&f, f.root, WRITE, "sys/tools/hash", "{\"input\":\"!\"}", &code, NULL);
  g_assert_cmpint (code, ==, BAWN_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (bad, "unable to decode input as base64: "));

  g_autoptr (BawnJson) hex =
      sys_check_json (&f, f.root, WRITE, "sys/tools/random/8", "{\"format\":\"hex\"}");
  g_assert_cmpuint (strlen (bawn_json_get_string (bawn_json_get (bawn_json_root (hex), "data"),
                                                  "random_bytes", "")),
                    ==, 16);
}

static void
test_the_preflight_tells_only_what_one_may_touch (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep mounts[] = {
    { WRITE, "sys/mounts/secret", "{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}",
      SYS_OK (204, NULL) },
    { WRITE, "sys/mounts/open", "{\"type\":\"kv\",\"config\":{\"listing_visibility\":\"unauth\"}}",
      SYS_OK (204, NULL) },
    { READ, "sys/internal/ui/mounts", NULL, SYS_OK (200, "\"uuid\"") },
    { READ, "sys/internal/ui/mounts/secret/foo", NULL,
      SYS_OK (200, "\"options\":{\"version\":\"2\"},\"path\":\"secret/\"") },
    { READ, "sys/internal/ui/resultant-acl", NULL, SYS_OK (200, "\"root\":true") },
  };
  static const SysStep nobody[] = {
    { READ, "sys/internal/ui/mounts", NULL,
      SYS_OK (200, "\"data\":{\"auth\":{},\"secret\":{\"open/"
                   "\":{\"description\":\"\",\"options\":null,\"type\":\"kv\"}}}") },
    { READ, "sys/internal/ui/mounts/secret/foo", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { READ, "sys/internal/ui/resultant-acl", NULL, BAWN_ERROR_DENIED, 0, "permission denied" },
    { READ, "sys/replication/status", NULL, SYS_OK (200, "\"mode\":\"disabled\"") },
  };
  static const SysStep some[] = {
    { READ, "sys/internal/ui/mounts/secret/a/b", NULL, SYS_OK (200, "\"path\":\"secret/\"") },
    { READ, "sys/internal/ui/mounts/open/x", NULL,
      SYS_OK (403, "preflight capability check returned 403, please ensure client's policies grant "
                   "access to path \\\"open/x/\\\"") },
    { READ, "sys/internal/ui/mounts/nope/x", NULL,
      SYS_OK (403, "preflight capability check returned 403, please ensure client's policies grant "
                   "access to path \\\"nope/x/\\\"") },
    { READ, "sys/internal/ui/mounts", NULL, SYS_OK (200, "\"secret/\":{\"accessor\"") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, mounts, G_N_ELEMENTS (mounts));
  sys_check_steps (&f, NULL, nobody, G_N_ELEMENTS (nobody));
  g_autofree char *token =
      sys_check_token (&f, "a", "path \"secret/data/a/*\" { capabilities = [\"read\"] }");
  sys_check_steps (&f, token, some, G_N_ELEMENTS (some));
}

static void
test_what_the_server_is_made_of_is_told (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/plugins/catalog", NULL,
      SYS_OK (
          200,
          "\"data\":{\"auth\":[\"userpass\"],\"database\":[],\"secret\":[\"example\",\"kv\"]}") },
    { LIST, "sys/plugins/catalog/secret/", NULL, SYS_OK (200, "[\"example\",\"kv\"]") },
    { LIST, "sys/plugins/catalog/database/", NULL, SYS_OK (404, NULL) },
    { LIST, "sys/plugins/catalog/zip/", NULL, SYS_INVALID ("missing plugin type") },
    { READ, "sys/plugins/catalog/secret/kv", NULL,
      SYS_OK (200, "\"builtin\":true,\"command\":\"\",\"name\":\"kv\"") },
    { READ, "sys/plugins/catalog/secret/zip", NULL, BAWN_ERROR_NOT_FOUND, 0, "" },
    { READ, "sys/config/state/sanitized", NULL,
      SYS_OK (200, "\"storage\":{\"disable_clustering\":true,\"type\":\"memory\"}") },
    { READ, "sys/ha-status", NULL,
      SYS_OK (200,
              "\"active_node\":true,\"last_echo\":null,\"version\":\"" BAWN_API_VERSION "\"") },
    { READ, "sys/host-info", NULL, SYS_OK (200, "\"kernelVersion\":") },
    { READ, "sys/internal/counters/entities", NULL,
      SYS_OK (200, "\"data\":{\"counters\":{\"entities\":{\"total\":0}}}") },
    { READ, "sys/internal/counters/tokens", NULL,
      SYS_OK (200, "\"data\":{\"counters\":{\"service_tokens\":{\"total\":1}}}") },
    { READ, "sys/internal/counters/activity", NULL, SYS_OK (204, NULL) },
    { READ, "sys/license", NULL, BAWN_ERROR_NOT_FOUND, 0, "unsupported path" },
    { DELETE, "sys/host-info", NULL, BAWN_ERROR_UNSUPPORTED, 0, "unsupported operation" },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_cors_settings_are_kept (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/config/cors", NULL, SYS_OK (200, "{\"enabled\":false,\"request_id\"") },
    { WRITE, "sys/config/cors", "{}",
      SYS_INVALID ("at least one origin or the wildcard must be provided") },
    { WRITE, "sys/config/cors", "{\"allowed_origins\":\"*,https://x\"}",
      SYS_INVALID ("to allow all origins the '*' must be the only value for allowed_origins") },
    { WRITE, "sys/config/cors",
      "{\"allowed_origins\":[\"https://x\"],\"allowed_headers\":\"X-Mine\"}", SYS_OK (204, NULL) },
    { READ, "sys/config/cors", NULL,
      SYS_OK (200, "\"X-Mine\"],\"allowed_origins\":[\"https://x\"],\"enabled\":true") },
    { DELETE, "sys/config/cors", NULL, SYS_OK (204, NULL) },
    { READ, "sys/config/cors", NULL, SYS_OK (200, "\"data\":{\"enabled\":false}") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_metrics_come_in_both_forms (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/metrics", NULL,
      SYS_OK (200, "{\"Name\":\"vault.core.unsealed\",\"Value\":1,\"Labels\":{}}") },
    { READ, "sys/metrics", "{\"format\":\"prometheus\"}",
      SYS_OK (200, "# TYPE vault_core_unsealed gauge\nvault_core_unsealed 1\n") },
    { READ, "sys/metrics", "{\"format\":\"prometheus\"}",
      SYS_OK (200, "# TYPE bawn_storage_commits_total counter\n") },
    { READ, "sys/metrics", "{\"format\":\"zip\"}",
      SYS_INVALID ("metric response format \"zip\" unknown") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_labels_are_quoted (void)
{
  g_autoptr (GArray) rows = bawn_metric_rows_new ();
  BawnMetricRow row = { .name = "a.b", .kind = BAWN_METRIC_GAUGE, .help = "Help", .value = 1 };

  row.label = "why";
  row.label_value = g_strdup ("it said \"no\" \\\nand went");
  g_array_append_val (rows, row);
  g_autofree char *text = bawn_metrics_format_prometheus (rows);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_metrics_write_json (&w, rows, 0, 1);
  g_autoptr (GBytes) json = bawn_json_writer_finish (&w);

  g_assert_cmpstr (text, ==,
                   "# HELP a_b Help\n# TYPE a_b gauge\n"
                   "a_b{why=\"it said \\\"no\\\" \\\\\\nand went\"} 1\n");
  g_assert_nonnull (g_strstr_len (g_bytes_get_data (json, NULL), (gssize) g_bytes_get_size (json),
                                  "\"Labels\":{\"why\":\"it said \\\"no\\\" \\\\\\nand went\"}"));
}

static gpointer
count_up (gpointer data)
{
  for (guint i = 0; i < 10000; i++)
    bawn_metrics_add (data, BAWN_METRIC_REQUESTS, 1);

  return NULL;
}

static void
test_counters_lose_nothing_between_threads (void)
{
  g_autoptr (BawnMetrics) metrics = bawn_metrics_new ();
  GThread *threads[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("count", count_up, metrics);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  g_assert_cmpint (bawn_metrics_get (metrics, BAWN_METRIC_REQUESTS), ==, 40000);
  g_assert_cmpint (bawn_metrics_get (metrics, BAWN_METRIC_LOGINS), ==, 0);
}

static guint
count_paths (CoreFixture *f, const char *token)
{
  g_autoptr (BawnJson) json = sys_check_json (f, token, READ, "sys/internal/specs/openapi", NULL);
  const BawnJsonNode *root = bawn_json_root (json);
  const BawnJsonNode *paths = bawn_json_get (root, "paths");
  guint n = 0;

  g_assert_cmpstr (bawn_json_get_string (root, "openapi", NULL), ==, "3.0.2");
  g_assert_nonnull (bawn_json_get (bawn_json_get (paths, "/sys/mounts/{path}"), "post"));
  g_assert_nonnull (bawn_json_get (bawn_json_get (paths, "/sys/mounts/{path}"), "delete"));
  g_assert_null (bawn_json_get (bawn_json_get (paths, "/sys/host-info"), "post"));
  for (const BawnJsonNode *path = paths->children; path != NULL; path = path->next)
    {
      g_autoptr (BawnJson) copy = NULL;

      g_assert_null (strstr (path->name, "..."));
      for (const BawnJsonNode *other = path->next; other != NULL; other = other->next)
        g_assert_cmpstr (path->name, !=, other->name);
      n++;
    }

  return n;
}

static void
test_the_description_of_the_api_comes_out_of_the_tables (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_assert_cmpuint (count_paths (&f, NULL), <, count_paths (&f, f.root));
}

static void
test_the_log_level_is_set_and_taken_back (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { READ, "sys/loggers", NULL, SYS_OK (200, "\"data\":{\"bawn\":\"info\"}") },
    { WRITE, "sys/loggers", "{\"level\":\"warning\"}", SYS_OK (204, NULL) },
    { READ, "sys/loggers/bawn", NULL, SYS_OK (200, "\"data\":{\"bawn\":\"warn\"}") },
    { WRITE, "sys/loggers/bawn", "{\"level\":\"zip\"}",
      SYS_INVALID ("invalid level provided: zip") },
    { WRITE, "sys/loggers/bawn", "{}", SYS_INVALID ("level is required") },
    { READ, "sys/loggers/other", NULL, BAWN_ERROR_NOT_FOUND, 0, "logger \"other\" not found" },
    { DELETE, "sys/loggers", NULL, SYS_OK (204, NULL) },
    { READ, "sys/loggers", NULL, SYS_OK (200, "\"data\":{\"bawn\":\"info\"}") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_audit_devices_are_managed_through_the_same_table (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  g_autofree char *folder = g_dir_make_tmp ("bawn-sys-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "audit.log", NULL);
  g_autofree char *body =
      g_strdup_printf ("{\"type\":\"file\",\"options\":{\"file_path\":\"%s\"}}", file);
  const SysStep steps[] = {
    { WRITE, "sys/audit/f", body, SYS_OK (204, NULL) },
    { READ, "sys/audit", NULL, SYS_OK (200, "\"f/\":{") },
    { WRITE, "sys/audit-hash/f", "{\"input\":\"x\"}", SYS_OK (200, "\"hash\":\"hmac-sha256:") },
    { WRITE, "sys/audit-hash/x", "{\"input\":\"x\"}",
      SYS_INVALID ("unknown audit backend \"x/\"") },
    { WRITE, "sys/seal", NULL, SYS_OK (204, NULL) },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));

  g_autofree char *log = NULL;
  g_assert_true (g_file_get_contents (file, &log, NULL, NULL));
  const char *last = g_strrstr (log, "\"type\":\"response\"");
  g_assert_nonnull (last);
  g_assert_nonnull (strstr (last, "\"path\":\"sys/seal\""));
  g_unlink (file);
  g_rmdir (folder);
}

static void
test_every_path_has_help (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { HELP, "sys/mounts/x", NULL, SYS_OK (200, "{\"help\":\"") },
    { HELP, "sys/", NULL, SYS_OK (200, "capabilities-self") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  bawn_audit_register ("file", bawn_audit_file_get_type);
  g_test_add_func ("/core/sys/tools/random-bytes-and-hashes",
                   test_tools_make_random_bytes_and_hashes);
  g_test_add_func ("/core/sys/internal/the-preflight-tells-only-what-one-may-touch",
                   test_the_preflight_tells_only_what_one_may_touch);
  g_test_add_func ("/core/sys/config/what-the-server-is-made-of-is-told",
                   test_what_the_server_is_made_of_is_told);
  g_test_add_func ("/core/sys/config/cors-settings-are-kept", test_cors_settings_are_kept);
  g_test_add_func ("/core/sys/metrics/come-in-both-forms", test_metrics_come_in_both_forms);
  g_test_add_func ("/core/sys/metrics/labels-are-quoted", test_labels_are_quoted);
  g_test_add_func ("/core/sys/metrics/lose-nothing-between-threads",
                   test_counters_lose_nothing_between_threads);
  g_test_add_func ("/core/sys/spec/comes-out-of-the-tables",
                   test_the_description_of_the_api_comes_out_of_the_tables);
  g_test_add_func ("/core/sys/loggers/the-level-is-set-and-taken-back",
                   test_the_log_level_is_set_and_taken_back);
  g_test_add_func ("/core/sys/audit/devices-are-managed-through-the-same-table",
                   test_audit_devices_are_managed_through_the_same_table);
  g_test_add_func ("/core/sys/spec/every-path-has-help", test_every_path_has_help);
  return g_test_run ();
}
