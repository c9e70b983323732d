/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Measures a storage as the committer and a cache miss see it: fenced commits of one and of many
 * entries, one after the other; linearizable reads, alone and by 32 threads. bench-backend
 * [--seconds N] TYPE [NAME=VALUE…], where each NAME=VALUE is a line of [storage]; others come from
 * BAWN_TEST_TYPE, which tests/servers/run sets. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/bawn-backend-registry.h"
#include "util/bawn-bytes.h"

#define BAWN_BUILTIN_BACKEND(name, prefix, ha) GType prefix##_get_type (void);
#define BAWN_BUILTIN_ENGINE(prefix)
#define BAWN_BUILTIN_METHOD(prefix)
#define BAWN_BUILTIN_AUDIT(name, prefix)
#include "daemon/bawn-builtins.def"
#undef BAWN_BUILTIN_BACKEND

#define FENCE "core/fence"
#define VALUE_SIZE 1024
#define MAX_BATCH 200
#define N_READERS 32
/* Commits write over these, so that a long run does not fill the storage. */
#define N_KEYS 1000

static BawnBackend *backend;
static gint64 duration_us = 3 * G_USEC_PER_SEC;

static void
check (gboolean ok, const GError *error)
{
  if (!ok)
    g_error ("%s", error->message);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 one = *(const gint64 *) a;
  gint64 other = *(const gint64 *) b;

  return one < other ? -1 : one > other ? 1 : 0;
}

/* Sorts @latencies, which are microseconds. */
static double
percentile (GArray *latencies, double part)
{
  g_array_sort (latencies, compare);
  return (double) g_array_index (latencies, gint64,
                                 MIN ((guint) (part * latencies->len), latencies->len - 1))
         / 1000;
}

static void
report (const char *what, GArray *latencies, guint64 n, gint64 took_us)
{
  printf ("%-28s %8.0f/s   p50 %7.2f ms   p99 %7.2f ms\n", what,
          (double) n * G_USEC_PER_SEC / (double) took_us, percentile (latencies, 0.5),
          percentile (latencies, 0.99));
  fflush (stdout);
}

/* The fence is version-checked and rewritten, as the committer does. */
static void
bench_commits (guint batch, guint64 *version)
{
  g_autofree char *text = g_strnfill (VALUE_SIZE, 'v');
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  g_autoptr (GArray) latencies = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *what = g_strdup_printf ("fenced commit of %u", batch);
  BawnWrite writes[MAX_BATCH + 1] = { { BAWN_WRITE_PUT, FENCE, value } };
  gint64 start = g_get_monotonic_time ();
  guint next = 0;

  while (g_get_monotonic_time () < start + duration_us)
    {
      g_autoptr (GStringChunk) names = g_string_chunk_new (4096);
      g_autoptr (GError) error = NULL;
      const BawnCondition fence = { FENCE, *version };

      for (guint i = 1; i <= batch; i++)
        {
          g_autofree char *key = g_strdup_printf ("bench/%u/%04u", next % 10, next % N_KEYS);

          next++;
          writes[i] = (BawnWrite){ BAWN_WRITE_PUT, g_string_chunk_insert (names, key), value };
        }

      gint64 began = g_get_monotonic_time ();

      check (bawn_backend_commit (backend, writes, batch + 1, &fence, 1, version, NULL, &error),
             error);

      gint64 took = g_get_monotonic_time () - began;

      g_array_append_val (latencies, took);
    }
  report (what, latencies, latencies->len, g_get_monotonic_time () - start);
}

static gpointer
read_on (gpointer data)
{
  GArray *latencies = data;
  gint64 until = g_get_monotonic_time () + duration_us;

  for (gint64 began = g_get_monotonic_time (); began < until;)
    {
      g_autoptr (GError) error = NULL;

      check (bawn_backend_get (backend, FENCE, NULL, NULL, NULL, &error), error);

      gint64 now = g_get_monotonic_time ();
      gint64 took = now - began;

      g_array_append_val (latencies, took);
      began = now;
    }
  return NULL;
}

static void
bench_reads (guint n_readers)
{
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autofree char *what = g_strdup_printf ("read by %u", n_readers);
  GArray *latencies[N_READERS];
  GThread *threads[N_READERS];
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < n_readers; i++)
    {
      latencies[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
      threads[i] = g_thread_new ("reader", read_on, latencies[i]);
    }
  for (guint i = 0; i < n_readers; i++)
    {
      g_thread_join (threads[i]);
      g_array_append_vals (all, latencies[i]->data, latencies[i]->len);
      g_array_unref (latencies[i]);
    }
  report (what, all, all->len, g_get_monotonic_time () - start);
}

int
main (int argc, char **argv)
{
  g_autoptr (GString) text = g_string_new ("[storage]\n");
  g_autoptr (GError) error = NULL;
  guint64 version = 0;
  const char *type = NULL;

  for (int i = 1; i < argc; i++)
    if (strcmp (argv[i], "--seconds") == 0 && i + 1 < argc)
      duration_us = (gint64) (g_ascii_strtod (argv[++i], NULL) * G_USEC_PER_SEC);
    else if (type == NULL)
      type = argv[i];
    else
      g_string_append_printf (text, "%s\n", argv[i]);
  if (type == NULL)
    g_error ("a type is needed");

  g_autofree char *upper = g_ascii_strup (type, -1);
  g_autofree char *variable = g_strconcat ("BAWN_TEST_", upper, NULL);
  const char *more = g_getenv (variable);

  g_string_append_printf (text, "type=%s\n%s", type, more != NULL ? more : "");

#define BAWN_BUILTIN_BACKEND(name, prefix, ha) bawn_backend_register (name, prefix##_get_type, ha);
#include "daemon/bawn-builtins.def"

  g_autoptr (BawnConfig) config = bawn_config_load_data ("bench", text->str, text->len, &error);

  check (config != NULL, error);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");

  backend = bawn_backend_open (group, NULL, &error);
  check (backend != NULL, error);
  check (bawn_backend_get (backend, FENCE, NULL, &version, NULL, &error), error);

  static const guint batches[] = { 1, 10, 50, MAX_BATCH };

  for (guint i = 0; i < G_N_ELEMENTS (batches); i++)
    bench_commits (batches[i], &version);
  bench_reads (1);
  bench_reads (N_READERS);
  g_clear_object (&backend);
  return 0;
}
