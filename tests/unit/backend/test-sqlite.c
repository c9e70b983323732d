/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/bawn-backend-registry.h"
#include "storage/bawn-store.h"
#include "tests/contract/bawn-expect.h"
#include "tests/unit/backend/bawn-vfs-fault.h"
#include "util/bawn-bytes.h"
#include "util/bawn-config.h"

GType bawn_backend_sqlite_get_type (void);

/* Somebody without rights, to meet a file that may not be written even when the tests run as root.
 */
#define NOBODY 65534
#define MAX_CONNECTIONS 64

typedef struct
{
  char *directory;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->directory = g_dir_make_tmp ("bawn-sqlite-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->directory, "bawn.db", NULL);
}

static void
remove_tree (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        remove_tree (path);
      else
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  remove_tree (f->directory);
  g_free (f->path);
  g_free (f->directory);
}

static BawnBackend *
try_open (const char *path, const char *more, GError **error)
{
  g_autofree char *text = g_strdup_printf ("[storage]\ntype=sqlite\npath=%s\n%s\n", path, more);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), error);

  g_assert_nonnull (config);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");

  return (BawnBackend *) g_initable_new (bawn_backend_sqlite_get_type (), NULL, error, "config",
                                         group, NULL);
}

static BawnBackend *
open_with (Fixture *f, const char *more)
{
  g_autoptr (GError) error = NULL;
  BawnBackend *backend = try_open (f->path, more, &error);

  g_assert_no_error (error);
  return backend;
}

/* It must name the file and say @what. */
static void
assert_refused (const char *path, const char *more, BawnErrorCode code, const char *what)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBackend) backend = try_open (path, more, &error);

  g_assert_error (error, BAWN_ERROR, (gint) code);
  g_assert_null (backend);
  if (strstr (error->message, what) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, what);
}

static gboolean
put (BawnBackend *backend, const char *key, gsize size, GCancellable *cancellable, GError **error)
{
  guint8 *data = NULL;
  g_autoptr (GBytes) value = bawn_bytes_alloc (size, &data);
  const BawnWrite write = { BAWN_WRITE_PUT, key, value };

  memset (data, 'x', size);
  return bawn_backend_commit (backend, &write, 1, NULL, 0, NULL, cancellable, error);
}

static gboolean
has (BawnBackend *backend, const char *key)
{
  guint64 version = 0;

  assert_works (bawn_backend_get (backend, key, NULL, &version, NULL, &error));
  return version != 0;
}

static void
run_sql (const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  char *message = NULL;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  sqlite3_exec (db, sql, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static guint
mode_of (const char *path)
{
  GStatBuf st;

  g_assert_cmpint (g_stat (path, &st), ==, 0);
  return st.st_mode & 07777;
}

/* --- the file --- */

static void
test_new_file_is_ours_alone (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "");
  g_autofree char *log = g_strconcat (f->path, "-wal", NULL);

  assert_works (put (backend, "k", 10, NULL, &error));
  g_assert_cmphex (mode_of (f->path), ==, 0600);
  g_assert_cmphex (mode_of (log), ==, 0600);
}

static void
test_file_is_closed_to_others (Fixture *f, gconstpointer data)
{
  g_clear_object (&(BawnBackend *){ open_with (f, "") });
  g_assert_cmpint (g_chmod (f->path, 0644), ==, 0);

  g_autoptr (BawnBackend) backend = open_with (f, "");

  g_assert_cmphex (mode_of (f->path), ==, 0600);
}

static void
test_path_is_checked (Fixture *f, gconstpointer data)
{
  g_autofree char *nowhere = g_build_filename (f->directory, "no", "bawn.db", NULL);
  g_autofree char *below = g_build_filename (f->path, "bawn.db", NULL);

  assert_refused ("", "", BAWN_ERROR_INVALID, "path");
  assert_refused (nowhere, "", BAWN_ERROR_INVALID, "/no,");
  assert_refused (f->directory, "", BAWN_ERROR_INVALID, "not a regular file");
  g_clear_object (&(BawnBackend *){ open_with (f, "") });
  assert_refused (below, "", BAWN_ERROR_INVALID, "not a directory");
  g_assert_cmpint (g_chmod (f->directory, 0777), ==, 0);
  assert_refused (f->path, "", BAWN_ERROR_INVALID, "written by everyone");
  g_assert_cmpint (g_chmod (f->directory, 01777), ==, 0);
  g_clear_object (&(BawnBackend *){ open_with (f, "") });
}

static void
assert_untouched (const char *path, const char *content, gsize size)
{
  g_autofree char *now = NULL;
  gsize now_size = 0;

  g_assert_true (g_file_get_contents (path, &now, &now_size, NULL));
  g_assert_cmpmem (now, now_size, content, size);
}

static void
assert_refused_untouched (const char *path, BawnErrorCode code, const char *what)
{
  g_autofree char *before = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (path, &before, &size, NULL));
  assert_refused (path, "", code, what);
  assert_untouched (path, before, size);
}

static void
test_foreign_file (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (5000, 'x');

  g_assert_true (g_file_set_contents (f->path, text, -1, NULL));
  assert_refused_untouched (f->path, BAWN_ERROR_CORRUPT, "not a database");
  g_assert_cmpint (g_unlink (f->path), ==, 0);

  run_sql (f->path, "CREATE TABLE entry (key, value)");
  assert_refused_untouched (f->path, BAWN_ERROR_INVALID, "another program");
  g_assert_cmpint (g_unlink (f->path), ==, 0);

  run_sql (f->path, "PRAGMA application_id = 77");
  assert_refused_untouched (f->path, BAWN_ERROR_INVALID, "another program");
}

static void
test_newer_layout (Fixture *f, gconstpointer data)
{
  g_clear_object (&(BawnBackend *){ open_with (f, "") });
  run_sql (f->path, "PRAGMA user_version = 99");
  assert_refused (f->path, "", BAWN_ERROR_INVALID, "another version of bawn");
}

static void
test_empty_file (Fixture *f, gconstpointer data)
{
  g_assert_true (g_file_set_contents (f->path, "", 0, NULL));

  g_autoptr (BawnBackend) backend = open_with (f, "");

  assert_works (put (backend, "k", 10, NULL, &error));
}

/* Writes over the middle of the file. */
static void
damage (const char *path)
{
  g_autofree char *content = NULL;
  gsize size = 0;

  g_assert_true (g_file_get_contents (path, &content, &size, NULL));
  g_assert_cmpuint (size, >, 100000);
  memset (content + size / 2, 0xa5, size / 4);
  g_assert_true (g_file_set_contents (path, content, (gssize) size, NULL));
}

static void
fill (BawnBackend *backend, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *key = g_strdup_printf ("fill/%04u", i);

      assert_works (put (backend, key, 1000, NULL, &error));
    }
}

static void
test_damaged_file (Fixture *f, gconstpointer data)
{
  BawnBackend *backend = open_with (f, "");
  gboolean found = FALSE;

  fill (backend, 300);
  g_clear_object (&backend);
  damage (f->path);
  assert_refused (f->path, "", BAWN_ERROR_CORRUPT, "is damaged");

  /* Unchecked, it shows when the damaged part is read. */
  backend = open_with (f, "check-at-start=false");
  for (guint i = 0; i < 300 && !found; i++)
    {
      g_autofree char *key = g_strdup_printf ("fill/%04u", i);
      g_autoptr (GError) error = NULL;

      found = !bawn_backend_get (backend, key, NULL, NULL, NULL, &error);
      if (found)
        g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
    }
  g_assert_true (found);
  g_clear_object (&backend);
}

static void
test_lost_clock (Fixture *f, gconstpointer data)
{
  g_clear_object (&(BawnBackend *){ open_with (f, "") });
  run_sql (f->path, "DELETE FROM clock");

  g_autoptr (BawnBackend) backend = open_with (f, "");

  assert_fails (put (backend, "k", 10, NULL, &error), BAWN_ERROR_CORRUPT);
}

static void
test_read_only (Fixture *f, gconstpointer data)
{
  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
      g_test_trap_assert_passed ();
      return;
    }

  g_clear_object (&(BawnBackend *){ open_with (f, "") });
  g_assert_cmpint (g_chmod (f->path, 0400), ==, 0);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (f->path, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (chown (f->directory, NOBODY, NOBODY), ==, 0);
      g_assert_cmpint (seteuid (NOBODY), ==, 0);
    }
  assert_refused (f->path, "", BAWN_ERROR_UPSTREAM, "is read-only");

  g_assert_cmpint (g_unlink (f->path), ==, 0);
  g_assert_cmpint (g_chmod (f->directory, 0500), ==, 0);
  assert_refused (f->path, "", BAWN_ERROR_UPSTREAM, "cannot be made");
  g_assert_cmpint (g_chmod (f->directory, 0700), ==, 0);

  /* Or else the leak checker may not look at its own process. */
  g_assert_cmpint (seteuid (getuid ()), ==, 0);
  g_assert_cmpint (prctl (PR_SET_DUMPABLE, 1), ==, 0);
}

static gpointer
open_thread (gpointer data)
{
  Fixture *f = data;
  BawnBackend *backend = open_with (f, "");

  assert_works (put (backend, "k", 10, NULL, &error));
  return backend;
}

static void
test_made_by_several_at_once (Fixture *f, gconstpointer data)
{
  enum
  {
    ROUNDS = 20
  };
  GThread *threads[6];

  /* A fresh file each round: the race is for its first transaction. */
  for (guint round = 0; round < ROUNDS; round++)
    {
      guint n = G_N_ELEMENTS (threads);

      g_free (f->path);
      f->path = g_strdup_printf ("%s/bawn-%u.db", f->directory, round);

      for (guint i = 0; i < n; i++)
        threads[i] = g_thread_new ("open", open_thread, f);
      for (guint i = 0; i < n; i++)
        {
          BawnBackend *backend = g_thread_join (threads[i]);
          guint64 version = 0;

          assert_works (bawn_backend_get (backend, "k", NULL, &version, NULL, &error));
          g_assert_cmpuint (version, >=, i == n - 1 ? n : 1);
          g_object_unref (backend);
        }
    }
}

/* --- no room, no sync, no lock --- */

static void
test_size_is_bounded (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "max-size=256K");
  g_autoptr (GError) refusal = NULL;
  guint n = 0;

  for (gboolean ok = TRUE; ok; n += ok ? 1 : 0)
    {
      g_autofree char *key = g_strdup_printf ("%04u", n);

      ok = put (backend, key, 2000, NULL, &refusal);
    }
  g_assert_error (refusal, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (refusal->message, "max-size"));
  g_assert_nonnull (strstr (refusal->message, f->path));
  g_assert_cmpuint (n, >, 50);
  g_assert_cmpuint (n, <, 256 * 1024 / 2000);

  /* What is there stays, and room can be made. */
  const BawnWrite removal = { BAWN_WRITE_DELETE, "0000", NULL };

  g_assert_true (has (backend, "0001"));
  assert_works (bawn_backend_commit (backend, &removal, 1, NULL, 0, NULL, NULL, &error));
  assert_works (put (backend, "new", 1000, NULL, &error));
}

static void
test_full_disk (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "");
  g_autoptr (GError) refusal = NULL;

  assert_works (put (backend, "before", 1000, NULL, &error));
  bawn_vfs_fault_fill (1);
  g_assert_false (put (backend, "full", 1000, NULL, &refusal));
  g_assert_error (refusal, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (refusal->message, "full"));
  g_assert_true (has (backend, "before"));
  g_assert_false (has (backend, "full"));
  assert_works (put (backend, "after", 1000, NULL, &error));
  g_clear_object (&backend);

  g_autoptr (BawnBackend) again = open_with (f, "");

  g_assert_false (has (again, "full"));
  g_assert_true (has (again, "after"));
}

static void
test_failed_sync_is_an_unknown_outcome (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "");

  assert_works (put (backend, "before", 1000, NULL, &error));
  bawn_vfs_fault_break_sync (1);
  assert_fails (put (backend, "k", 1000, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  assert_works (put (backend, "after", 1000, NULL, &error));
  g_assert_true (has (backend, "before"));
  g_assert_true (has (backend, "after"));
}

static void
test_store_survives_failed_syncs (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "");
  g_autoptr (BawnStore) store = bawn_store_new (backend, 0);
  BawnStoreStats stats = { 0 };

  assert_works (bawn_store_open_term (store, 0, NULL, &error));
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);
      g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
      g_autoptr (BawnTxn) txn = bawn_store_begin (store, NULL, TRUE);

      bawn_txn_put (txn, key, value);
      bawn_vfs_fault_break_sync (i);
      assert_works (bawn_txn_commit (txn, &error));
      g_assert_true (has (backend, key));
    }
  bawn_store_get_stats (store, &stats);
  g_assert_cmpuint (stats.unknown, ==, 4);
}

static void
test_waiting_for_a_lock (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) backend = open_with (f, "busy-timeout=50ms");
  g_autoptr (BawnBackend) patient = open_with (f, "busy-timeout=10m");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) refusal = NULL;
  sqlite3 *other = NULL;

  assert_works (put (backend, "k", 10, NULL, &error));
  g_assert_cmpint (sqlite3_open (f->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);

  g_assert_false (put (backend, "l", 10, NULL, &refusal));
  g_assert_error (refusal, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (refusal->message, "busy-timeout"));
  g_assert_true (has (backend, "k"));

  g_autoptr (GThread) thread =
      g_thread_new ("cancel", (GThreadFunc) (gpointer) g_cancellable_cancel, cancellable);

  assert_fails (put (patient, "l", 10, cancellable, &error), BAWN_ERROR_TIMEOUT);
  g_thread_join (g_steal_pointer (&thread));

  g_assert_cmpint (sqlite3_exec (other, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  assert_works (put (backend, "l", 10, NULL, &error));
}

typedef struct
{
  BawnBackend *backend;
  GCancellable *cancellable;
} Putting;

static gpointer
put_in_vain (gpointer data)
{
  Putting *putting = data;

  assert_fails (put (putting->backend, "l", 10, putting->cancellable, &error), BAWN_ERROR_TIMEOUT);
  return NULL;
}

static gpointer
cancel_soon (gpointer data)
{
  g_usleep (5000);
  g_cancellable_cancel (data);
  return NULL;
}

/* One commit waits for another process, and further ones wait for that: they can be cancelled all the same. */
static void
test_waiting_behind_a_lock (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnBackend) patient = open_with (f, "busy-timeout=10m");
  g_autoptr (GCancellable) first = g_cancellable_new ();
  Putting putting = { patient, first };
  sqlite3 *other = NULL;

  g_assert_cmpint (sqlite3_open (f->path, &other), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (other, "BEGIN IMMEDIATE", NULL, NULL, NULL), ==, SQLITE_OK);

  GThread *thread = g_thread_new ("first", put_in_vain, &putting);

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      GThread *ender = g_thread_new ("cancel", cancel_soon, cancellable);

      assert_fails (put (patient, "m", 10, cancellable, &error), BAWN_ERROR_TIMEOUT);
      g_thread_join (ender);
    }
  g_cancellable_cancel (first);
  g_thread_join (thread);

  g_assert_cmpint (sqlite3_exec (other, "ROLLBACK", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_close (other), ==, SQLITE_OK);
  assert_works (put (patient, "n", 10, NULL, &error));
}

/* --- what the connections are told --- */

static GMutex connections_lock;
static sqlite3 *connections[MAX_CONNECTIONS];
static guint n_connections = 0;

static int
note_connection (sqlite3 *db, const char **message, const struct sqlite3_api_routines *api)
{
  g_mutex_lock (&connections_lock);
  g_assert_cmpuint (n_connections, <, MAX_CONNECTIONS);
  connections[n_connections++] = db;
  g_mutex_unlock (&connections_lock);
  return SQLITE_OK;
}

static void
note_connections (void)
{
  n_connections = 0;
  sqlite3_auto_extension ((void (*) (void)) (gpointer) note_connection);
}

static void
assert_pragma (sqlite3 *db, const char *name, const char *expected)
{
  g_autofree char *sql = g_strdup_printf ("PRAGMA %s", name);
  sqlite3_stmt *stmt = NULL;

  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &stmt, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (stmt, 0), ==, expected);
  sqlite3_finalize (stmt);
}

static void
test_connections_are_set_up (Fixture *f, gconstpointer data)
{
  note_connections ();

  g_autoptr (BawnBackend) backend = open_with (f, "page-cache=512K\nmax-size=4M");

  g_assert_false (has (backend, "k"));
  sqlite3_cancel_auto_extension ((void (*) (void)) (gpointer) note_connection);

  /* The first one checked the file and is gone; then the writer, then a reader. */
  g_assert_cmpuint (n_connections, ==, 3);
  for (guint i = 1; i < 3; i++)
    {
      assert_pragma (connections[i], "journal_mode", "wal");
      assert_pragma (connections[i], "synchronous", "2");
      assert_pragma (connections[i], "secure_delete", "1");
      assert_pragma (connections[i], "cache_size", "-512");
      assert_pragma (connections[i], "max_page_count", "1024");
    }
}

static gpointer
read_often (gpointer data)
{
  for (guint i = 0; i < 300; i++)
    g_assert_true (has (data, "k"));
  return NULL;
}

static void
test_readers_are_bounded (Fixture *f, gconstpointer data)
{
  GThread *threads[8];

  note_connections ();

  g_autoptr (BawnBackend) backend = open_with (f, "readers=2");

  assert_works (put (backend, "k", 10, NULL, &error));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_often, backend);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  sqlite3_cancel_auto_extension ((void (*) (void)) (gpointer) note_connection);
  g_assert_cmpuint (n_connections, <=, 2 + 2);
}

static void
test_bad_settings_are_named (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "busy-timeout=soon",      "page-cache=1", "max-size=-1",
                                     "check-at-start=perhaps", "readers=0",    "readers=1000" };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = g_strdup_printf ("[storage]\npath=%s\n%s\n", f->path, bad[i]);
      g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
      g_autoptr (BawnBackend) backend = (BawnBackend *) g_initable_new (
          bawn_backend_sqlite_get_type (), NULL, &error, "config", group, NULL);
      g_autofree char *key = g_strndup (bad[i], strcspn (bad[i], "="));

      g_assert_no_error (error);
      g_assert_false (bawn_config_check (config, &error));
      g_assert_nonnull (strstr (error->message, key));
    }
}

static void
test_settings_are_known_unopened (Fixture *f, gconstpointer data)
{
  g_autofree char *text =
      g_strdup_printf ("[storage]\ntype=sqlite\npath=%s\nbusy-timeout=1s\npage-cache=1M\n"
                       "max-size=1G\ncheck-at-start=false\nreaders=2\n",
                       f->path);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  static const char *const families[] = { "storage", NULL };

  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);
  bawn_config_expect (config, families);
  bawn_backend_check_config (group);
  assert_works (bawn_config_check (config, &error));
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
}

/* --- power cuts --- */

static void
copy_file (const char *from, const char *to, const char *name)
{
  g_autofree char *source = g_build_filename (from, name, NULL);
  g_autofree char *target = g_build_filename (to, name, NULL);
  g_autofree char *content = NULL;
  gsize size = 0;

  if (g_file_get_contents (source, &content, &size, NULL))
    g_assert_true (g_file_set_contents (target, content, (gssize) size, NULL));
}

/* Opens what had been synced, and nothing else, as one would find it after a power cut. */
static void
assert_survives (Fixture *f, const char *durable, guint n)
{
  g_autofree char *cut = g_build_filename (f->directory, "cut", NULL);
  g_autofree char *path = g_build_filename (cut, "bawn.db", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (cut, 0700), ==, 0);
  copy_file (durable, cut, "bawn.db");
  copy_file (durable, cut, "bawn.db-wal");
  copy_file (durable, cut, "bawn.db-journal");

  g_autoptr (BawnBackend) survivor = try_open (path, "", &error);

  g_assert_no_error (error);
  for (guint i = 0; i <= n; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      g_assert_true (has (survivor, key));
    }
  g_clear_object (&survivor);
  remove_tree (cut);
}

static void
test_power_cut (Fixture *f, gconstpointer data)
{
  g_autofree char *durable = g_build_filename (f->directory, "durable", NULL);

  g_assert_cmpint (g_mkdir (durable, 0700), ==, 0);
  bawn_vfs_fault_mirror (durable);

  g_autoptr (BawnBackend) backend = open_with (f, "");

  /* Enough to fill the log and have it carried over into the file several times. */
  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      assert_works (put (backend, key, 100000, NULL, &error));
      if (i % 30 != 0)
        continue;
      bawn_vfs_fault_mirror (NULL);
      assert_survives (f, durable, i);
      bawn_vfs_fault_mirror (durable);
    }
  bawn_vfs_fault_mirror (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_vfs_fault_install ();

#define ADD(name, func) g_test_add ("/backend/sqlite/" name, Fixture, NULL, set_up, func, tear_down)

  ADD ("a-new-file-is-ours-alone", test_new_file_is_ours_alone);
  ADD ("a-file-is-closed-to-others", test_file_is_closed_to_others);
  ADD ("the-path-is-checked", test_path_is_checked);
  ADD ("a-foreign-file-is-refused-and-left-alone", test_foreign_file);
  ADD ("a-newer-layout-is-refused", test_newer_layout);
  ADD ("an-empty-file-is-taken", test_empty_file);
  ADD ("a-damaged-file-is-refused", test_damaged_file);
  ADD ("a-lost-clock-is-noticed", test_lost_clock);
  ADD ("a-read-only-file-is-refused", test_read_only);
  ADD ("a-file-may-be-made-by-several-at-once", test_made_by_several_at_once);
  ADD ("the-size-can-be-bounded", test_size_is_bounded);
  ADD ("a-full-disk-is-named-and-survived", test_full_disk);
  ADD ("a-failed-sync-is-an-unknown-outcome", test_failed_sync_is_an_unknown_outcome);
  ADD ("the-store-survives-failed-syncs", test_store_survives_failed_syncs);
  ADD ("the-wait-for-a-lock-ends", test_waiting_for_a_lock);
  ADD ("the-wait-behind-one-that-waits-ends", test_waiting_behind_a_lock);
  ADD ("connections-are-set-up", test_connections_are_set_up);
  ADD ("readers-are-bounded", test_readers_are_bounded);
  ADD ("bad-settings-are-named", test_bad_settings_are_named);
  ADD ("settings-are-known-without-opening-it", test_settings_are_known_unopened);
  ADD ("what-is-acknowledged-survives-a-power-cut", test_power_cut);
  return g_test_run ();
}
