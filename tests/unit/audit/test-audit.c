/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit.h"

#include "storage/bawn-store.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

GType bawn_backend_memory_get_type (void);
GType bawn_audit_file_get_type (void);

/* A device that fails when told so. */
#define TEST_TYPE_BROKEN (test_broken_get_type ())
G_DECLARE_FINAL_TYPE (TestBroken, test_broken, TEST, BROKEN, BawnAuditDevice)

struct _TestBroken
{
  BawnAuditDevice parent_instance;
};

G_DEFINE_FINAL_TYPE (TestBroken, test_broken, BAWN_TYPE_AUDIT_DEVICE)

static gboolean broken_now = FALSE;
static guint broken_lines = 0;

static gboolean
broken_open (BawnAuditDevice *device, GHashTable *options, GError **error)
{
  return TRUE;
}

static gboolean
broken_write (BawnAuditDevice *device, const char *line, gsize size, GError **error)
{
  if (broken_now)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "broken");
  broken_lines++;

  return TRUE;
}

static void
test_broken_class_init (TestBrokenClass *klass)
{
  BAWN_AUDIT_DEVICE_CLASS (klass)->open = broken_open;
  BAWN_AUDIT_DEVICE_CLASS (klass)->write = broken_write;
}

static void
test_broken_init (TestBroken *self)
{
}

typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnAuditBroker *broker;
  char *folder;
  char *file;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->backend = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
  f->broker = bawn_audit_broker_new ();
  f->folder = g_dir_make_tmp ("bawn-audit-XXXXXX", &error);
  g_assert_no_error (error);
  f->file = g_build_filename (f->folder, "audit.log", NULL);
  broken_now = FALSE;
  broken_lines = 0;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *below = g_build_filename (path, name, NULL);

      if (g_file_test (below, G_FILE_TEST_IS_DIR) && !g_file_test (below, G_FILE_TEST_IS_SYMLINK))
        remove_tree (below);
      else
        g_unlink (below);
    }
  g_rmdir (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_audit_broker_free (f->broker);
  g_object_unref (f->store);
  g_object_unref (f->backend);
  remove_tree (f->folder);
  g_free (f->folder);
  g_free (f->file);
}

/* "204", "200 {…}" or the error's message; then the broker follows the table. */
static char *
call (Fixture *f, BawnOp op, const char *path, const char *body)
{
  g_autoptr (BawnRequest) request = bawn_request_new (op, path);
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (GError) error = NULL;

  request->rest = request->path;
  if (body != NULL)
    request->data = bawn_json_parse_string (body, &error);
  g_assert_no_error (error);

  const BawnRoute *route = bawn_route_match (bawn_audit_routes, request, &error);

  if (route == NULL)
    return g_strdup (error->message);

  g_autoptr (BawnResponse) response = route->handler (NULL, request, txn, &error);

  if (response == NULL)
    {
      g_assert_true (bawn_error_is (error, BAWN_ERROR_INVALID));
      return g_strdup (error->message);
    }
  g_assert_true (bawn_txn_commit (txn, &error));
  g_assert_no_error (error);

  g_autoptr (BawnTxn) after = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (BawnAuditTable) table = NULL;

  g_assert_true (bawn_audit_table_get (after, &table, &error));
  bawn_audit_broker_sync (f->broker, table);
  if (response->data == NULL)
    return g_strdup ("204");

  g_assert_cmpint (response->form, ==, BAWN_RESPONSE_INJECTED);

  gsize size = 0;
  const char *text = g_bytes_get_data (response->data, &size);

  return g_strdup_printf ("200 %.*s", (int) size, text);
}

#define assert_call(f, op, path, body, expected)                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *answer_ = call (f, op, path, body);                                           \
    g_assert_cmpstr (answer_, ==, expected);                                                       \
  }                                                                                                \
  G_STMT_END

static void
enable_file (Fixture *f, const char *path, const char *file, const char *more)
{
  g_autofree char *body =
      g_strdup_printf ("{\"type\":\"file\",\"options\":{\"file_path\":\"%s\"%s}}", file, more);
  g_autofree char *full = g_strconcat ("audit/", path, NULL);

  assert_call (f, BAWN_OP_UPDATE, full, body, "204");
}

static gboolean
record (Fixture *f, GError **error)
{
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_READ, "secret/a");
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);

  request->token = g_strdup ("hvs.secret");

  return bawn_audit_broker_request (f->broker, request, txn, NULL, error);
}

static guint
count_lines (const char *file)
{
  g_autofree char *text = NULL;
  gsize size = 0;
  guint n = 0;

  if (!g_file_get_contents (file, &text, &size, NULL))
    return 0;
  for (gsize i = 0; i < size; i++)
    n += text[i] == '\n';

  return n;
}

static void
test_without_devices_everything_passes (Fixture *f, gconstpointer data)
{
  g_assert_false (bawn_audit_broker_is_enabled (f->broker));
  g_assert_true (record (f, NULL));
  assert_call (f, BAWN_OP_READ, "audit", NULL, "200 {}");
}

static void
test_an_enabled_device_gets_records (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *expected =
      g_strdup_printf ("200 {\"log/\":{\"description\":\"\",\"local\":false,\"options\":"
                       "{\"file_path\":\"%s\",\"prefix\":\"P: \"},\"path\":\"log/\","
                       "\"type\":\"file\"}}",
                       f->file);
  struct stat info = { 0 };

  enable_file (f, "log", f->file, ",\"prefix\":\"P: \"");
  assert_call (f, BAWN_OP_READ, "audit", NULL, expected);
  g_assert_true (bawn_audit_broker_is_enabled (f->broker));
  g_assert_true (record (f, NULL));
  g_assert_true (g_file_get_contents (f->file, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "P: {\"time\":"));
  g_assert_null (strstr (text, "hvs.secret"));
  g_assert_cmpint (g_stat (f->file, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
}

static void
test_a_disabled_device_gets_no_more (Fixture *f, gconstpointer data)
{
  enable_file (f, "log", f->file, "");
  g_assert_true (record (f, NULL));
  assert_call (f, BAWN_OP_DELETE, "audit/log/", NULL, "204");
  assert_call (f, BAWN_OP_DELETE, "audit/log/", NULL, "204");
  g_assert_false (bawn_audit_broker_is_enabled (f->broker));
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (f->file), ==, 1);
}

static void
test_closing_leaves_the_devices_enabled (Fixture *f, gconstpointer data)
{
  enable_file (f, "log", f->file, "");
  bawn_audit_broker_close (f->broker);
  g_assert_false (bawn_audit_broker_is_enabled (f->broker));
  assert_call (f, BAWN_OP_DELETE, "audit/other", NULL, "204");
  g_assert_true (bawn_audit_broker_is_enabled (f->broker));
}

static void
test_bad_devices_are_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *program = g_build_filename (f->folder, "program", NULL);
  g_autofree char *target = g_build_filename (f->folder, "target", NULL);
  g_autofree char *link = g_build_filename (f->folder, "link", NULL);
  g_autofree char *fifo = g_build_filename (f->folder, "fifo", NULL);
  const struct
  {
    const char *file_path;
    const char *more;
    const char *expected; /* the beginning */
  } rows[] = {
    { "", "", "file_path is required" },
    { "relative.log", "", "file_path must be an absolute path" },
    { "/tmp/../etc/x", "", "file_path must be an absolute path" },
    { "/tmp//x", "", "file_path must be an absolute path" },
    { "/tmp/x/", "", "file_path must be an absolute path" },
    { "/", "", "file_path must be an absolute path" },
    { "/tmp/a\\nb", "", "file_path is not a sane path" },
    { "/dev/sda", "", "file_path must not be below /dev/" },
    { "/proc/self/x", "", "file_path must not be below /proc/" },
    { f->folder, "", "could not open" },
    { program, "", NULL }, /* is executable */
    { link, "", "could not open" },
    { fifo, "", "could not open" },
    { f->file, ",\"mode\":\"0755\"", "mode must not make the file executable" },
    { f->file, ",\"mode\":\"4600\"", "mode must not make the file executable" },
    { f->file, ",\"mode\":\"rw\"", "mode must be a number in octal" },
    { f->file, ",\"log_raw\":\"maybe\"", "log_raw must be true or false" },
    { f->file, ",\"format\":\"jsonx\"", "unknown format type \"jsonx\"" },
    { f->file, ",\"prefix\":\"#!/bin/sh\\n\"", "prefix must not hold control characters" },
  };

  g_assert_true (g_file_set_contents_full (program, "", 0, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
  g_assert_true (g_file_set_contents (target, "", 0, NULL));
  g_assert_cmpint (symlink (target, link), ==, 0);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *body =
          g_strdup_printf ("{\"type\":\"file\",\"options\":{\"file_path\":\"%s\"%s}}",
                           rows[i].file_path, rows[i].more);
      g_autofree char *answer = call (f, BAWN_OP_UPDATE, "audit/log", body);

      g_test_message ("%s: %s", body, answer);
      g_assert_cmpstr (answer, !=, "204");
      if (rows[i].expected != NULL)
        g_assert_true (g_str_has_prefix (answer, rows[i].expected));
      else
        g_assert_true (g_str_has_suffix (answer, " is executable"));
    }
  assert_call (f, BAWN_OP_UPDATE, "audit/log", "{\"type\":\"nope\"}",
               "unknown backend type: \"nope\"");
  assert_call (f, BAWN_OP_UPDATE, "audit/", "{\"type\":\"broken\"}", "missing path");
  assert_call (f, BAWN_OP_READ, "audit", NULL, "200 {}");
}

static void
test_a_path_is_used_once (Fixture *f, gconstpointer data)
{
  assert_call (f, BAWN_OP_UPDATE, "audit/a/b", "{\"type\":\"broken\"}", "204");
  assert_call (f, BAWN_OP_UPDATE, "audit/a/b/", "{\"type\":\"broken\"}", "path already in use");
  assert_call (f, BAWN_OP_UPDATE, "audit/a", "{\"type\":\"broken\"}", "path already in use");
  assert_call (f, BAWN_OP_UPDATE, "audit/a/b/c", "{\"type\":\"broken\"}", "path already in use");
  assert_call (f, BAWN_OP_UPDATE, "audit/ab", "{\"type\":\"broken\"}", "204");
}

/* A request that began before the device was enabled still has the old table. */
static void
test_an_old_table_closes_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (BawnAuditTable) old = NULL;

  g_assert_true (bawn_audit_table_get (txn, &old, NULL));
  enable_file (f, "log", f->file, "");
  bawn_audit_broker_sync (f->broker, old);
  g_assert_true (bawn_audit_broker_is_enabled (f->broker));
  bawn_audit_broker_close (f->broker);
  bawn_audit_broker_sync (f->broker, old);
  g_assert_false (bawn_audit_broker_is_enabled (f->broker));
}

static void
test_an_answer_shows_the_headers_of_its_request (Fixture *f, gconstpointer data)
{
  const char *const values[] = { "abc", NULL };
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_READ, "secret/a");
  g_autoptr (BawnTxn) txn = NULL;
  g_autofree char *text = NULL;

  enable_file (f, "log", f->file, "");
  assert_call (f, BAWN_OP_UPDATE, "config/auditing/request-headers/X-Trace", NULL, "204");
  request->headers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  g_hash_table_insert (request->headers, g_strdup ("x-trace"), g_strdupv ((GStrv) values));
  txn = bawn_store_begin (f->store, NULL, TRUE);
  g_assert_true (bawn_audit_broker_request (f->broker, request, txn, NULL, NULL));
  g_assert_true (bawn_audit_broker_response (f->broker, request, NULL, NULL, "gone", NULL));
  g_assert_true (g_file_get_contents (f->file, &text, NULL, NULL));

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  g_assert_nonnull (strstr (lines[0], "\"headers\":{\"x-trace\":[\"abc\"]}"));
  g_assert_nonnull (strstr (lines[1], "\"headers\":{\"x-trace\":[\"abc\"]}"));
}

static void
test_folders_are_made (Fixture *f, gconstpointer data)
{
  g_autofree char *deep = g_build_filename (f->folder, "x", "y", "audit.log", NULL);
  struct stat info = { 0 };

  enable_file (f, "log", deep, ",\"mode\":\"0640\"");
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (deep), ==, 1);
  g_assert_cmpint (g_stat (deep, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0640);
}

static void
test_one_device_that_works_is_enough (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  enable_file (f, "log", f->file, "");
  assert_call (f, BAWN_OP_UPDATE, "audit/broken", "{\"type\":\"broken\"}", "204");
  broken_now = TRUE;
  g_assert_true (record (f, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (count_lines (f->file), ==, 1);
  g_assert_cmpuint (broken_lines, ==, 0);
}

static void
test_when_all_fail_the_request_fails (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  assert_call (f, BAWN_OP_UPDATE, "audit/b1", "{\"type\":\"broken\"}", "204");
  assert_call (f, BAWN_OP_UPDATE, "audit/b2", "{\"type\":\"broken\"}", "204");
  broken_now = TRUE;
  g_assert_false (record (f, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INTERNAL);
  broken_now = FALSE;
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (broken_lines, ==, 2);
}

static void
test_reopening_begins_a_new_file (Fixture *f, gconstpointer data)
{
  g_autofree char *moved = g_strconcat (f->file, ".1", NULL);

  enable_file (f, "log", f->file, "");
  g_assert_true (record (f, NULL));
  g_assert_cmpint (g_rename (f->file, moved), ==, 0);
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (moved), ==, 2);

  bawn_audit_broker_reopen (f->broker);
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (moved), ==, 2);
  g_assert_cmpuint (count_lines (f->file), ==, 1);
}

static void
test_a_failed_reopen_keeps_the_old_file (Fixture *f, gconstpointer data)
{
  g_autofree char *moved = g_strconcat (f->file, ".1", NULL);

  enable_file (f, "log", f->file, "");
  g_assert_cmpint (g_rename (f->file, moved), ==, 0);
  g_assert_cmpint (g_mkdir (f->file, 0700), ==, 0);
  bawn_audit_broker_reopen (f->broker);
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (moved), ==, 1);
}

/* A file that may grow no further takes a part of a record; that part must go again. */
static void
test_half_a_record_is_taken_back (Fixture *f, gconstpointer data)
{
  struct rlimit old = { 0 };
  struct stat before = { 0 };
  struct stat after = { 0 };
  g_autoptr (GError) error = NULL;

  signal (SIGXFSZ, SIG_IGN);
  enable_file (f, "log", f->file, "");
  g_assert_true (record (f, NULL));
  g_assert_cmpint (g_stat (f->file, &before), ==, 0);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);

  struct rlimit small = { (rlim_t) before.st_size + 20, old.rlim_max };

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);

  gboolean written = record (f, &error);

  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  g_assert_false (written);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INTERNAL);
  g_assert_cmpint (g_stat (f->file, &after), ==, 0);
  g_assert_cmpint (after.st_size, ==, before.st_size);
  g_assert_true (record (f, NULL));
  g_assert_cmpuint (count_lines (f->file), ==, 2);
}

/* In a child, since this program's own standard output is its report. */
static void
test_standard_output_is_a_device (Fixture *f, gconstpointer data)
{
  if (g_test_subprocess ())
    {
      enable_file (f, "log", "stdout", ",\"prefix\":\"@cee: \"");
      g_assert_true (record (f, NULL));
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*@cee: {\"time\":\"*\"type\":\"request\"*}\n*");
}

static void
test_what_is_discarded_counts_as_written (Fixture *f, gconstpointer data)
{
  enable_file (f, "log", "discard", "");
  g_assert_true (record (f, NULL));
  bawn_audit_broker_reopen (f->broker);
  g_assert_true (record (f, NULL));
}

static gpointer
write_many (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    g_assert_true (record (data, NULL));

  return NULL;
}

static void
test_records_of_threads_do_not_mix (Fixture *f, gconstpointer data)
{
  GThread *threads[4] = { NULL };
  g_autofree char *text = NULL;

  enable_file (f, "log", f->file, "");
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("writer", write_many, f);
  for (gsize i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_true (g_file_get_contents (f->file, &text, NULL, NULL));

  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = 0;

  for (; *lines[n] != '\0'; n++)
    {
      g_autoptr (BawnJson) json = bawn_json_parse_string (lines[n], NULL);

      g_assert_nonnull (json);
    }
  g_assert_cmpuint (n, ==, 800);
}

static void
test_a_hash_finds_its_record (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  enable_file (f, "log", f->file, "");
  g_assert_true (record (f, NULL));
  g_assert_true (g_file_get_contents (f->file, &text, NULL, NULL));

  g_autofree char *answer =
      call (f, BAWN_OP_UPDATE, "audit-hash/log", "{\"input\":\"hvs.secret\"}");
  g_autofree char *hash = bawn_audit_broker_hash (f->broker, "log", "hvs.secret", &error);
  g_autofree char *expected = g_strdup_printf ("200 {\"hash\":\"%s\"}", hash);

  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, hash));
  g_assert_cmpstr (answer, ==, expected);
  assert_call (f, BAWN_OP_UPDATE, "audit-hash/x", "{\"input\":\"a\"}",
               "unknown audit backend \"x/\"");
  assert_call (f, BAWN_OP_UPDATE, "audit-hash/log", "{}", "the \"input\" parameter is empty");
}

static void
test_headers_are_set_read_and_forgotten (Fixture *f, gconstpointer data)
{
#define HEADERS "config/auditing/request-headers"
  assert_call (f, BAWN_OP_READ, HEADERS, NULL, "200 {\"headers\":{}}");
  assert_call (f, BAWN_OP_UPDATE, HEADERS "/X-Trace", "{\"hmac\":true}", "204");
  assert_call (f, BAWN_OP_UPDATE, HEADERS "/user-agent", NULL, "204");
  assert_call (f, BAWN_OP_READ, HEADERS, NULL,
               "200 {\"headers\":{\"user-agent\":{\"hmac\":false},\"x-trace\":{\"hmac\":true}}}");
  assert_call (f, BAWN_OP_READ, HEADERS "/X-Trace", NULL, "200 {\"X-Trace\":{\"hmac\":true}}");
  assert_call (f, BAWN_OP_READ, HEADERS "/none", NULL, "Could not find header in config");
  assert_call (f, BAWN_OP_DELETE, HEADERS "/x-trace", NULL, "204");
  assert_call (f, BAWN_OP_READ, HEADERS, NULL,
               "200 {\"headers\":{\"user-agent\":{\"hmac\":false}}}");
#undef HEADERS
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_audit_register ("file", bawn_audit_file_get_type);
  bawn_audit_register ("broken", test_broken_get_type);
#define add(name, func) g_test_add ("/audit/" name, Fixture, NULL, set_up, func, tear_down)
  add ("without-devices-everything-passes", test_without_devices_everything_passes);
  add ("an-enabled-device-gets-records", test_an_enabled_device_gets_records);
  add ("a-disabled-device-gets-no-more", test_a_disabled_device_gets_no_more);
  add ("closing-leaves-the-devices-enabled", test_closing_leaves_the_devices_enabled);
  add ("bad-devices-are-refused", test_bad_devices_are_refused);
  add ("a-path-is-used-once", test_a_path_is_used_once);
  add ("an-old-table-closes-nothing", test_an_old_table_closes_nothing);
  add ("an-answer-shows-the-headers-of-its-request",
       test_an_answer_shows_the_headers_of_its_request);
  add ("folders-are-made", test_folders_are_made);
  add ("one-device-that-works-is-enough", test_one_device_that_works_is_enough);
  add ("when-all-fail-the-request-fails", test_when_all_fail_the_request_fails);
  add ("reopening-begins-a-new-file", test_reopening_begins_a_new_file);
  add ("a-failed-reopen-keeps-the-old-file", test_a_failed_reopen_keeps_the_old_file);
  add ("half-a-record-is-taken-back", test_half_a_record_is_taken_back);
  add ("standard-output-is-a-device", test_standard_output_is_a_device);
  add ("what-is-discarded-counts-as-written", test_what_is_discarded_counts_as_written);
  add ("records-of-threads-do-not-mix", test_records_of_threads_do_not_mix);
  add ("a-hash-finds-its-record", test_a_hash_finds_its_record);
  add ("headers-are-set-read-and-forgotten", test_headers_are_set_read_and_forgotten);
#undef add

  return g_test_run ();
}
