/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Measures the store: durable commits on SQLite with 1 and with 32 writers, conflicts, and reads
 * out of the cache. bench-store [DIRECTORY] [SECONDS]: the file is made in DIRECTORY, which decides
 * what a sync costs. */

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "storage/bawn-backend-registry.h"
#include "storage/bawn-store.h"
#include "util/bawn-bytes.h"

GType bawn_backend_memory_get_type (void);
GType bawn_backend_sqlite_get_type (void);

#define MAX_WRITERS 32
#define VALUE_SIZE 200
/* Of one writer and of many, in turns. */
#define ROUNDS 7
#define N_READ_KEYS 1000
#define N_READS 2000000
/* What one request reads: token, policies, mount, entry. */
#define READS_PER_TXN 4

typedef struct
{
  BawnStore *store;
  guint number;
  gboolean contended;
  gint64 until;
  guint64 commits;
  guint64 conflicts;
  GArray *latencies; /* of gint64, microseconds */
} Writer;

static BawnStore *
open_store (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnConfig) config = bawn_config_load_data ("bench", text, strlen (text), &error);

  if (config == NULL)
    g_error ("%s", error->message);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnBackend) backend = bawn_backend_open (group, NULL, &error);
  BawnStore *store = backend != NULL ? bawn_store_new (backend, BAWN_STORE_CACHE_DEFAULT) : NULL;

  if (store == NULL || !bawn_store_open_term (store, 0, NULL, &error))
    g_error ("%s", error->message);

  return store;
}

static void
put (BawnTxn *txn, const char *key, guint64 number)
{
  guint8 *data = NULL;
  g_autoptr (GBytes) value = bawn_bytes_alloc (VALUE_SIZE, &data);

  for (gsize i = 0; i < VALUE_SIZE; i++)
    data[i] = (guint8) (number * 7 + i);
  bawn_txn_put (txn, key, value);
}

static gpointer
writer_thread (gpointer data)
{
  Writer *writer = data;

  while (g_get_monotonic_time () < writer->until)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (writer->store, NULL, TRUE);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) before = NULL;
      g_autofree char *key = writer->contended ? g_strdup ("bench/counter")
                                               : g_strdup_printf ("bench/%u/%u", writer->number,
                                                                  (guint) writer->commits % 1000);
      gint64 begin = g_get_monotonic_time ();

      if (!bawn_txn_get (txn, key, &before, &error))
        g_error ("%s", error->message);
      put (txn, key, writer->commits);
      if (bawn_txn_commit (txn, &error))
        {
          gint64 took = g_get_monotonic_time () - begin;

          writer->commits++;
          g_array_append_val (writer->latencies, took);
        }
      else if (bawn_error_is (error, BAWN_ERROR_CONFLICT))
        writer->conflicts++;
      else
        g_error ("%s", error->message);
    }
  return NULL;
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
cpu_seconds (void)
{
  struct rusage usage = { 0 };

  getrusage (RUSAGE_SELF, &usage);
  return (double) usage.ru_utime.tv_sec + (double) usage.ru_stime.tv_sec
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double
bench_writers (
    BawnStore *store, const char *name, guint n_writers, gboolean contended, guint seconds)
{
  Writer writers[MAX_WRITERS];
  GThread *threads[MAX_WRITERS];
  BawnStoreStats before = { 0 };
  BawnStoreStats after = { 0 };
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (gint64));
  guint64 conflicts = 0;
  gint64 begin = g_get_monotonic_time ();
  double cpu = cpu_seconds ();

  bawn_store_get_stats (store, &before);
  for (guint i = 0; i < n_writers; i++)
    {
      writers[i] = (Writer){ store,
                             i,
                             contended,
                             begin + seconds * G_TIME_SPAN_SECOND,
                             0,
                             0,
                             g_array_new (FALSE, FALSE, sizeof (gint64)) };
      threads[i] = g_thread_new ("writer", writer_thread, &writers[i]);
    }
  for (guint i = 0; i < n_writers; i++)
    {
      g_thread_join (threads[i]);
      conflicts += writers[i].conflicts;
      g_array_append_vals (all, writers[i].latencies->data, writers[i].latencies->len);
      g_array_unref (writers[i].latencies);
    }
  bawn_store_get_stats (store, &after);
  g_array_sort (all, compare_times);

  double took = (double) (g_get_monotonic_time () - begin) / 1e6;
  double rate = all->len / took;

  cpu = cpu_seconds () - cpu;
  printf ("%-28s %9.0f/s  %6.1f per batch  %7.0f conflicts/s  p50 %6" G_GINT64_FORMAT
          " us  p99 %6" G_GINT64_FORMAT " us  cpu %5.1f us each\n",
          name, rate,
          (double) (after.transactions - before.transactions)
              / (double) MAX (after.commits - before.commits, 1),
          (double) conflicts / took, g_array_index (all, gint64, all->len / 2),
          g_array_index (all, gint64, all->len * 99 / 100), cpu * 1e6 / all->len);
  return rate;
}

typedef struct
{
  BawnStore *store;
  char **keys;
  const BawnObjectKind *kind;
} Reader;

static gpointer
parse_length (const char *key, GBytes *plain, GError **error)
{
  return g_bytes_ref (plain);
}

static const BawnObjectKind bytes_kind = { "bytes", parse_length,
                                           (gpointer (*) (gpointer)) g_bytes_ref,
                                           (void (*) (gpointer)) g_bytes_unref };

static gpointer
reader_thread (gpointer data)
{
  Reader *reader = data;

  for (guint i = 0; i < N_READS / READS_PER_TXN; i++)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (reader->store, NULL, FALSE);

      for (guint j = 0; j < READS_PER_TXN; j++)
        {
          const char *key = reader->keys[(i * 7 + j * 131) % N_READ_KEYS];
          GBytes *value = NULL;
          gboolean ok = reader->kind != NULL ? bawn_txn_get_object (txn, key, reader->kind,
                                                                    (gpointer *) &value, NULL)
                                             : bawn_txn_get (txn, key, &value, NULL);

          if (!ok || value == NULL)
            g_error ("a read missed the cache");
          g_bytes_unref (value);
        }
      if (!bawn_txn_validate (txn, NULL))
        g_error ("nobody writes");
    }
  return NULL;
}

static void
bench_reads (const char *name, guint n_threads, const BawnObjectKind *kind)
{
  g_autoptr (BawnStore) store = open_store ("[storage]\ntype=memory\n");
  g_autoptr (BawnTxn) txn = bawn_store_begin (store, NULL, TRUE);
  g_auto (GStrv) keys = g_new0 (char *, N_READ_KEYS + 1);
  Reader reader = { store, keys, kind };
  GThread *threads[MAX_WRITERS];

  for (guint i = 0; i < N_READ_KEYS; i++)
    {
      keys[i] = g_strdup_printf ("logical/6b1e9d4c-2f0a-4d1e-9a57/secret/%u", i);
      put (txn, keys[i], i);
    }
  if (!bawn_txn_commit (txn, NULL))
    g_error ("the keys cannot be written");

  gint64 begin = g_get_monotonic_time ();
  double cpu = cpu_seconds ();

  for (guint i = 0; i < n_threads; i++)
    threads[i] = g_thread_new ("reader", reader_thread, &reader);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);

  double reads = (double) N_READS * n_threads;

  printf ("%-28s %6.0f ns wall, %6.0f ns cpu a read (a quarter of a transaction included)\n", name,
          (double) (g_get_monotonic_time () - begin) * 1e3 / reads,
          (cpu_seconds () - cpu) * 1e9 / reads);
}

int
main (int argc, char **argv)
{
  const char *directory = argc > 1 ? argv[1] : g_get_tmp_dir ();
  guint seconds = argc > 2 ? (guint) g_ascii_strtoull (argv[2], NULL, 10) : 1;
  g_autofree char *path = g_build_filename (directory, "bench-store.db", NULL);
  g_autofree char *text = g_strdup_printf ("[storage]\ntype=sqlite\npath=%s\n", path);

  setvbuf (stdout, NULL, _IOLBF, 0);
  bawn_backend_register ("memory", bawn_backend_memory_get_type, FALSE);
  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);

  bench_reads ("cached reads, 1 thread", 1, NULL);
  bench_reads ("cached reads, 2 threads", 2, NULL);
  bench_reads ("cached objects, 1 thread", 1, &bytes_kind);
  bench_reads ("cached objects, 2 threads", 2, &bytes_kind);

  BawnStore *store = open_store (text);
  double ratios[ROUNDS];

  /* In turns, since what a sync costs here may change from one second to the next. */
  for (guint i = 0; i < ROUNDS; i++)
    {
      double one = bench_writers (store, "durable commits, 1 writer", 1, FALSE, seconds);
      double many = bench_writers (store, "durable commits, 32 writers", 32, FALSE, seconds);

      ratios[i] = many / one;
    }
  qsort (ratios, ROUNDS, sizeof (double), compare_doubles);
  printf ("%-28s %9.1f (median; %.1f to %.1f)\n", "32 writers against 1", ratios[ROUNDS / 2],
          ratios[0], ratios[ROUNDS - 1]);
  bench_writers (store, "one counter, 2 writers", 2, TRUE, seconds);
  bench_writers (store, "one counter, 32 writers", 32, TRUE, seconds);

  g_object_unref (store);
  g_unlink (path);
  return 0;
}
