/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Measures a storage itself, below all caches: bench-backend type=consul address=… with the lines
 * of [storage]. tests/servers/run starts a server to try it on. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/bawn-backend-registry.h"
#include "storage/bawn-ha-backend.h"
#include "util/bawn-bytes.h"

GType bawn_backend_consul_get_type (void);
GType bawn_backend_etcd_get_type (void);
GType bawn_backend_memory_get_type (void);
GType bawn_backend_sqlite_get_type (void);
GType bawn_backend_zookeeper_get_type (void);

#define VALUE_SIZE 200
#define N_CALLS 1000
#define N_WAITS 50
#define N_BATCH 40
#define MAX_THREADS 32

typedef struct
{
  BawnBackend *backend;
  guint64 version; /* of the fence */
  GBytes *value;
} Bench;

static void
check (gboolean ok, const GError *error)
{
  if (!ok)
    g_error ("%s", error->message);
}

static void
step_get (Bench *bench, guint i)
{
  g_autoptr (GError) error = NULL;

  check (bawn_backend_get (bench->backend, "bench/key", NULL, NULL, NULL, &error), error);
}

/* What a write of the server is to a storage: the fence, and one entry or more. */
static void
commit (Bench *bench, guint n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) keys = g_ptr_array_new_with_free_func (g_free);
  BawnWrite writes[N_BATCH + 1] = { { BAWN_WRITE_PUT, "bench/fence", bench->value } };
  const BawnCondition fence = { "bench/fence", bench->version };

  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_add (keys, g_strdup_printf ("bench/key%u", i));
      writes[i + 1] = (BawnWrite){ BAWN_WRITE_PUT, g_ptr_array_index (keys, i), bench->value };
    }
  check (
      bawn_backend_commit (bench->backend, writes, n + 1, &fence, 1, &bench->version, NULL, &error),
      error);
}

static void
step_commit (Bench *bench, guint i)
{
  commit (bench, 1);
}

static void
step_batch (Bench *bench, guint i)
{
  commit (bench, N_BATCH);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a;
  gint64 y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
show (const char *what, GArray *times)
{
  g_array_sort (times, compare);
  printf ("%-40s p50 %7.2f ms   p99 %7.2f ms\n", what,
          (double) g_array_index (times, gint64, times->len / 2) / 1000,
          (double) g_array_index (times, gint64, times->len * 99 / 100) / 1000);
  fflush (stdout);
}

static void
measure (Bench *bench, const char *what, void (*step) (Bench *bench, guint i), guint n)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < n; i++)
    {
      gint64 start = g_get_monotonic_time ();

      step (bench, i);

      gint64 took = g_get_monotonic_time () - start;

      g_array_append_val (times, took);
    }
  show (what, times);
}

static gpointer
reader_thread (gpointer data)
{
  for (guint i = 0; i < N_CALLS; i++)
    step_get (data, i);
  return NULL;
}

static void
measure_readers (Bench *bench)
{
  GThread *threads[MAX_THREADS];
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < MAX_THREADS; i++)
    threads[i] = g_thread_new ("reader", reader_thread, bench);
  for (guint i = 0; i < MAX_THREADS; i++)
    g_thread_join (threads[i]);
  printf ("%-40s %.0f a second\n", "get, 32 threads",
          MAX_THREADS * N_CALLS * 1e6 / (double) (g_get_monotonic_time () - start));
}

typedef struct
{
  BawnHaBackend *backend;
  guint64 version;
  gint64 woke_us;
} Waiter;

static gpointer
waiter_thread (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GError) error = NULL;
  guint64 now = waiter->version;

  while (now == waiter->version)
    {
      check (bawn_ha_backend_wait (waiter->backend, "bench/fence", waiter->version,
                                   G_USEC_PER_SEC * 10, NULL, &error),
             error);
      check (bawn_backend_get (BAWN_BACKEND (waiter->backend), "bench/fence", NULL, &now, NULL,
                               &error),
             error);
    }
  waiter->woke_us = g_get_monotonic_time ();
  return NULL;
}

/* From the beginning of a commit until somebody who waited for it has read it. */
static void
measure_wait (Bench *bench)
{
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < N_WAITS; i++)
    {
      Waiter waiter = { BAWN_HA_BACKEND (bench->backend), bench->version, 0 };
      GThread *thread = g_thread_new ("waiter", waiter_thread, &waiter);

      g_usleep (20000);

      gint64 start = g_get_monotonic_time ();

      step_commit (bench, i);
      g_thread_join (thread);

      gint64 took = waiter.woke_us - start;

      g_array_append_val (times, took);
    }
  show ("a change, until it was waited for and read", times);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) text = g_string_new ("[storage]\n");

  for (int i = 1; i < argc; i++)
    g_string_append_printf (text, "%s\n", argv[i]);
  bawn_backend_register ("consul", bawn_backend_consul_get_type, TRUE);
  bawn_backend_register ("etcd", bawn_backend_etcd_get_type, TRUE);
  bawn_backend_register ("memory", bawn_backend_memory_get_type, TRUE);
  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);
  bawn_backend_register ("zookeeper", bawn_backend_zookeeper_get_type, TRUE);

  g_autoptr (BawnConfig) config = bawn_config_load_data ("bench", text->str, text->len, &error);

  check (config != NULL, error);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnBackend) backend = bawn_backend_open (group, NULL, &error);

  check (backend != NULL, error);

  g_autofree char *filler = g_strnfill (VALUE_SIZE, 'v');
  g_autoptr (GBytes) value = bawn_bytes_new_string (filler);
  Bench bench = { backend, 0, value };

  check (bawn_backend_get (backend, "bench/fence", NULL, &bench.version, NULL, &error), error);
  measure (&bench, "get", step_get, N_CALLS);
  measure (&bench, "commit, fenced, 1 entry", step_commit, N_CALLS);
  measure (&bench, "commit, fenced, 40 entries", step_batch, N_CALLS / 4);
  measure_readers (&bench);
  if (BAWN_IS_HA_BACKEND (backend))
    measure_wait (&bench);
  return 0;
}
