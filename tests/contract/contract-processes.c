/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* A writer that is killed at random moments, and two processes that share one storage. */

#include "tests/contract/bawn-contract.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/bawn-fence.h"

/* BAWN_KILL_ROUNDS makes it more. */
#define KILL_ROUNDS 30
/* Killed after so many acknowledged writes at the latest. */
#define MAX_ACKS 200
#define N_THREADS 4
#define LAST_EPOCH 40U

static GPid
spawn (BawnContract *c, const char *mode, const char *more, int *out_fd)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GError) error = NULL;
  GPid pid = 0;

  g_strv_builder_addv (builder, (const char **) c->target->child);
  g_strv_builder_add_many (builder, mode, c->path, more, NULL);

  g_auto (GStrv) argv = g_strv_builder_end (builder);

  g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                            out_fd, NULL, &error);
  g_assert_no_error (error);
  return pid;
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
kill_one (BawnContract *c, guint round)
{
  g_autofree char *name = g_strdup_printf ("%u", round);
  g_autoptr (GString) told = g_string_new (NULL);
  guint enough = (guint) g_test_rand_int_range (0, MAX_ACKS);
  gint64 acked[N_THREADS];
  int fd = -1;
  int status = 0;
  GPid pid = spawn (c, "write", name, &fd);

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

  g_assert_true (bawn_contract_reopen (c));
  check_round (c->backend, round, acked);
  return count_lines (told);
}

static void
test_killed (BawnContract *c)
{
  guint rounds = bawn_contract_scale ("BAWN_KILL_ROUNDS", KILL_ROUNDS);
  guint acked = 0;

  for (guint i = 0; i < rounds; i++)
    acked += kill_one (c, i);
  if (c->target->check != NULL)
    c->target->check (c->path);
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
test_rivals (BawnContract *c)
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
      pids[i] = spawn (c, "rival", last, &listeners[i].fd);
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

  for (guint i = 0; i < 2; i++)
    {
      acked += check_acks (c->backend, listeners[i].told, pids[i]);
      g_string_free (listeners[i].told, TRUE);
    }
  for (guint epoch = 1; epoch <= LAST_EPOCH + 1; epoch++)
    check_epoch (c->backend, epoch);
  assert_works (bawn_fence_read (c->backend, &fence, NULL, &error));
  g_assert_cmpuint (fence.epoch, >=, LAST_EPOCH);
  g_test_message ("%u epochs, %u acknowledged writes", (guint) fence.epoch, acked);
  g_assert_cmpuint (acked, >, 0);
}

/* For storages that processes share, and where there is a program to be one of them. */
void
bawn_contract_add_processes (const BawnContractTarget *target)
{
  if (target->child == NULL || target->is_private)
    return;

  bawn_contract_add (target, "processes/what-is-acknowledged-survives-being-killed", test_killed);
  bawn_contract_add (target, "processes/two-processes-fence-each-other", test_rivals);
}
