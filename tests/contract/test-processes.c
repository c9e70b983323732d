/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* A writer that is killed at random moments, and two processes that share one file. */

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/bawn-backend-registry.h"
#include "storage/bawn-fence.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_sqlite_get_type (void);

/* BAWN_KILL_ROUNDS makes it more. */
#define KILL_ROUNDS 30
/* Killed after so many acknowledged writes at the latest. */
#define MAX_ACKS 200
#define N_THREADS 4
#define LAST_EPOCH 40U

typedef struct
{
  char *directory;
  char *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->directory = g_dir_make_tmp ("bawn-processes-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = g_build_filename (f->directory, "bawn.db", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "bawn.db", "bawn.db-wal", "bawn.db-shm" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->directory, names[i], NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (f->directory), ==, 0);
  g_free (f->path);
  g_free (f->directory);
}

static GPid
spawn (const char *mode, const char *path, const char *more, int *out_fd)
{
  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "storage-child", NULL);
  const char *const argv[] = { program, mode, path, more, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid = 0;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                            NULL, out_fd, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

static BawnBackend *
open_file (const char *path)
{
  g_autofree char *text = g_strdup_printf ("[storage]\ntype=sqlite\npath=%s\n", path);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("test", text, strlen (text), NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  BawnBackend *backend = bawn_backend_open (group, NULL, &error);

  g_assert_no_error (error);
  return backend;
}

static void
assert_integrity (const char *path)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA integrity_check", -1, &stmt, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (stmt, 0), ==, "ok");
  sqlite3_finalize (stmt);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static gsize
read_some (int fd, GString *into)
{
  char buffer[4096];
  gssize n = 0;

  do
    n = read (fd, buffer, sizeof buffer);
  while (n < 0 && errno == EINTR);
  g_assert_cmpint (n, >=, 0);
  g_string_append_len (into, buffer, n);
  return (gsize) n;
}

static guint
count_lines (const GString *text)
{
  guint n = 0;

  for (gsize i = 0; i < text->len; i++)
    n += text->str[i] == '\n' ? 1 : 0;
  return n;
}

/* --- killed --- */

static char *
get (BawnBackend *backend, guint round, guint thread, const char *name)
{
  g_autofree char *key = g_strdup_printf ("%u/%u/%s", round, thread, name);

  return bawn_contract_get (backend, key);
}

static gint64
get_last (BawnBackend *backend, guint round, guint thread)
{
  g_autofree char *text = get (backend, round, thread, "last");

  return g_str_equal (text, "-") ? -1 : g_ascii_strtoll (text, NULL, 10);
}

/* What was acknowledged is there; what is there is whole: a number and the note that it is the
 * last. */
static void
check_round (BawnBackend *backend, guint round, const gint64 *acked)
{
  for (guint thread = 0; thread < N_THREADS; thread++)
    {
      gint64 last = get_last (backend, round, thread);

      g_assert_cmpint (last, >=, acked[thread]);
      g_assert_cmpint (last, <=, acked[thread] + 1);
      for (gint64 i = 0; i <= last + 1; i++)
        {
          g_autofree char *name = g_strdup_printf ("%" G_GINT64_FORMAT, i);
          g_autofree char *expected = g_strdup_printf ("%u/%u/%" G_GINT64_FORMAT, round, thread, i);
          g_autofree char *value = get (backend, round, thread, name);

          g_assert_cmpstr (value, ==, i <= last ? expected : "-");
        }
    }
}

static void
parse_acks (const GString *text, gint64 *out_acked)
{
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);

  for (guint i = 0; i < N_THREADS; i++)
    out_acked[i] = -1;
  for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++)
    {
      char *rest = NULL;
      guint64 thread = g_ascii_strtoull (lines[i], &rest, 10);
      gint64 number = g_ascii_strtoll (rest, NULL, 10);

      g_assert_cmpuint (thread, <, N_THREADS);
      g_assert_cmpint (number, ==, out_acked[thread] + 1);
      out_acked[thread] = number;
    }
}

static guint
kill_one (Fixture *f, guint round)
{
  g_autofree char *name = g_strdup_printf ("%u", round);
  g_autoptr (GString) told = g_string_new (NULL);
  guint enough = (guint) g_test_rand_int_range (0, MAX_ACKS);
  gint64 acked[N_THREADS];
  int fd = -1;
  int status = 0;
  GPid pid = spawn ("write", f->path, name, &fd);

  while (count_lines (told) < enough)
    g_assert_cmpuint (read_some (fd, told), >, 0);

  /* Somewhere within the next commit, or, with nothing to wait for, within the start. */
  g_usleep ((gulong) g_test_rand_int_range (0, enough > 0 ? 1000 : 20000));
  g_assert_cmpint (kill (pid, SIGKILL), ==, 0);
  while (read_some (fd, told) > 0)
    ;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  close (fd);
  parse_acks (told, acked);

  g_autoptr (BawnBackend) backend = open_file (f->path);

  check_round (backend, round, acked);
  return count_lines (told);
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  guint rounds = bawn_contract_scale ("BAWN_KILL_ROUNDS", KILL_ROUNDS);
  guint acked = 0;

  for (guint i = 0; i < rounds; i++)
    acked += kill_one (f, i);
  assert_integrity (f->path);
  g_test_message ("killed %u times, %u acknowledged writes, none lost", rounds, acked);
  g_assert_cmpuint (acked, >, rounds);
}

/* --- two at a time --- */

typedef struct
{
  int fd;
  GString *told;
} Listener;

static gpointer
listen_thread (gpointer data)
{
  Listener *listener = data;

  while (read_some (listener->fd, listener->told) > 0)
    ;
  return NULL;
}

/* Every acknowledged write is there, and as its writer left it. */
static guint
check_acks (BawnBackend *backend, const GString *told, GPid pid)
{
  g_auto (GStrv) lines = g_strsplit (told->str, "\n", -1);
  g_autofree char *process = g_strdup_printf ("%d", (int) pid);
  guint n = 0;

  for (; lines[n] != NULL && *lines[n] != '\0'; n++)
    {
      g_autofree char *key = g_strdelimit (g_strdup (lines[n]), " ", '/');

      assert_entry (backend, key, process);
    }
  return n;
}

/* No epoch was written by both. */
static void
check_epoch (BawnBackend *backend, guint epoch)
{
  g_autofree char *folder = g_strdup_printf ("%u/", epoch);
  g_auto (GStrv) names = NULL;
  g_autofree char *owner = NULL;

  assert_works (bawn_backend_list (backend, folder, NULL, 0, &names, NULL, &error));
  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *key = g_strconcat (folder, names[i], NULL);
      g_autofree char *writer = bawn_contract_get (backend, key);

      if (owner == NULL)
        owner = g_strdup (writer);
      g_assert_cmpstr (writer, ==, owner);
    }
}

static void
test_rivals (Fixture *f, gconstpointer data)
{
  g_autofree char *last = g_strdup_printf ("%u", LAST_EPOCH);
  Listener listeners[2];
  GThread *threads[2];
  GPid pids[2];
  guint acked = 0;
  BawnFence fence = { 0 };

  for (guint i = 0; i < 2; i++)
    {
      listeners[i].told = g_string_new (NULL);
      pids[i] = spawn ("rival", f->path, last, &listeners[i].fd);
      threads[i] = g_thread_new ("listen", listen_thread, &listeners[i]);
    }
  for (guint i = 0; i < 2; i++)
    {
      int status = 0;

      g_assert_cmpint (waitpid (pids[i], &status, 0), ==, pids[i]);
      g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
      g_thread_join (threads[i]);
      close (listeners[i].fd);
    }

  g_autoptr (BawnBackend) backend = open_file (f->path);

  for (guint i = 0; i < 2; i++)
    {
      acked += check_acks (backend, listeners[i].told, pids[i]);
      g_string_free (listeners[i].told, TRUE);
    }
  for (guint epoch = 1; epoch <= LAST_EPOCH + 1; epoch++)
    check_epoch (backend, epoch);
  assert_works (bawn_fence_read (backend, &fence, NULL, &error));
  g_assert_cmpuint (fence.epoch, >=, LAST_EPOCH);
  g_test_message ("%u epochs, %u acknowledged writes", (guint) fence.epoch, acked);
  g_assert_cmpuint (acked, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);

  g_test_add ("/contract/processes/what-is-acknowledged-survives-being-killed", Fixture, NULL,
              set_up, test_killed, tear_down);
  g_test_add ("/contract/processes/two-processes-fence-each-other", Fixture, NULL, set_up,
              test_rivals, tear_down);
  return g_test_run ();
}
