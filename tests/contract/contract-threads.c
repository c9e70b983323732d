/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

#define N_WORKERS 4
#define N_ROUNDS 40

typedef struct
{
  BawnContract *contract;
  BawnBackend *backend;
  guint number;
  gint *stop;
} Worker;

/* Each worker has a handle of its own, where the storage allows that. */
static void
run_workers (BawnContract *c, GThreadFunc func, gint *stop, Worker *workers, GThread **threads)
{
  for (guint i = 0; i < N_WORKERS; i++)
    {
      workers[i] = (Worker){ c, bawn_contract_open (c), i, stop };
      threads[i] = g_thread_new ("worker", func, &workers[i]);
    }
}

static void
join_workers (Worker *workers, GThread **threads)
{
  for (guint i = 0; i < N_WORKERS; i++)
    {
      g_thread_join (threads[i]);
      g_object_unref (workers[i].backend);
    }
}

static guint64
read_number (BawnBackend *backend, const char *key, guint64 *out_version)
{
  g_autoptr (GBytes) value = NULL;

  assert_works (bawn_backend_get (backend, key, &value, out_version, NULL, &error));
  if (value == NULL)
    return 0;

  g_autofree char *text = g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value));

  return g_ascii_strtoull (text, NULL, 10);
}

static gpointer
count_up (gpointer data)
{
  Worker *worker = data;

  for (guint i = 0; i < N_ROUNDS;)
    {
      g_autoptr (GError) error = NULL;
      BawnCondition condition = { "counter", 0 };
      guint64 number = read_number (worker->backend, "counter", &condition.version);
      g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number + 1);
      g_autoptr (GBytes) value = bawn_bytes_new_string (text);
      const BawnWrite write = { BAWN_WRITE_PUT, "counter", value };

      if (bawn_backend_commit (worker->backend, &write, 1, &condition, 1, NULL, NULL, &error))
        i++;
      else
        g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
    }
  return NULL;
}

static void
test_counter (BawnContract *c)
{
  Worker workers[N_WORKERS];
  GThread *threads[N_WORKERS];

  run_workers (c, count_up, NULL, workers, threads);
  join_workers (workers, threads);
  g_assert_cmpuint (read_number (c->backend, "counter", NULL), ==, N_WORKERS * N_ROUNDS);
}

static gpointer
watch_pair (gpointer data)
{
  Worker *worker = data;

  while (!g_atomic_int_get (worker->stop))
    {
      guint64 first = 0;
      guint64 second = 0;
      guint64 x = read_number (worker->backend, "x", &first);
      guint64 y = read_number (worker->backend, "y", &second);

      g_assert_cmpuint (second, >=, first);
      g_assert_cmpuint (y, >=, x);
    }
  return NULL;
}

static void
test_pair (BawnContract *c)
{
  Worker workers[N_WORKERS];
  GThread *threads[N_WORKERS];
  gint stop = 0;

  run_workers (c, watch_pair, &stop, workers, threads);
  for (guint i = 1; i <= N_ROUNDS * 2; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      g_autoptr (GBytes) value = bawn_bytes_new_string (text);
      const BawnWrite writes[] = { { BAWN_WRITE_PUT, "x", value }, { BAWN_WRITE_PUT, "y", value } };

      assert_works (bawn_backend_commit (c->backend, writes, 2, NULL, 0, NULL, NULL, &error));
    }
  g_atomic_int_set (&stop, 1);
  join_workers (workers, threads);
}

static gpointer
watch_listing (gpointer data)
{
  Worker *worker = data;

  while (!g_atomic_int_get (worker->stop))
    {
      g_auto (GStrv) names = NULL;

      assert_works (bawn_backend_list (worker->backend, "moving/", NULL, 0, &names, NULL, &error));
      g_assert_cmpuint (g_strv_length (names), ==, 1);
    }
  return NULL;
}

/* A name that moves from the front to the back of a folder is neither missed nor seen twice. */
static void
test_listing_of_one_moment (BawnContract *c)
{
  static const char *const places[] = { "moving/a/x", "moving/z" };
  Worker workers[N_WORKERS];
  GThread *threads[N_WORKERS];
  gint stop = 0;

  bawn_contract_put (c->backend, places[0], "v");
  run_workers (c, watch_listing, &stop, workers, threads);
  for (guint i = 0; i < N_ROUNDS * 2; i++)
    {
      g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
      const BawnWrite writes[] = { { BAWN_WRITE_DELETE, places[i % 2], NULL },
                                   { BAWN_WRITE_PUT, places[(i + 1) % 2], value } };

      assert_works (bawn_backend_commit (c->backend, writes, 2, NULL, 0, NULL, NULL, &error));
    }
  g_atomic_int_set (&stop, 1);
  join_workers (workers, threads);
}

typedef struct
{
  GMutex lock;
  GCancellable *current; /* (nullable) */
  gint stop;
} Canceller;

static gpointer
cancel_often (gpointer data)
{
  Canceller *canceller = data;

  while (!g_atomic_int_get (&canceller->stop))
    {
      g_mutex_lock (&canceller->lock);

      g_autoptr (GCancellable) current =
          canceller->current != NULL ? g_object_ref (canceller->current) : NULL;

      g_mutex_unlock (&canceller->lock);
      if (current != NULL)
        g_cancellable_cancel (current);
      g_thread_yield ();
    }
  return NULL;
}

static void
set_current (Canceller *canceller, GCancellable *current)
{
  g_mutex_lock (&canceller->lock);
  canceller->current = current;
  g_mutex_unlock (&canceller->lock);
}

static gboolean
put_pair (BawnBackend *backend,
          const char *text,
          guint64 version,
          GCancellable *cancellable,
          GError **error)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  const BawnWrite writes[] = { { BAWN_WRITE_PUT, "x", value }, { BAWN_WRITE_PUT, "y", value } };
  const BawnCondition condition = { "x", version };

  return bawn_backend_commit (backend, writes, 2, &condition, 1, NULL, cancellable, error);
}

/* What was sent may get in later: once another commit has taken its condition away, it cannot. */
static void
settle (BawnBackend *backend)
{
  for (;;)
    {
      g_autoptr (GError) error = NULL;
      guint64 version = bawn_contract_version (backend, "x");

      if (put_pair (backend, "0", version, NULL, &error))
        return;
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
    }
}

/* Cancelled at whatever moment, a commit is in if it says so and is not if it says that; in any
 * case both keys are. */
static void
test_cancelled_at_work (BawnContract *c)
{
  Canceller canceller = { .stop = 0 };

  g_mutex_init (&canceller.lock);

  GThread *thread = g_thread_new ("cancel", cancel_often, &canceller);

  for (guint i = 1; i <= N_ROUNDS * 5; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autofree char *text = g_strdup_printf ("%u", i);
      guint64 version = bawn_contract_version (c->backend, "x");

      set_current (&canceller, cancellable);

      gboolean ok = put_pair (c->backend, text, version, cancellable, &error);

      set_current (&canceller, NULL);

      if (!ok && bawn_error_is (error, BAWN_ERROR_UNKNOWN_OUTCOME))
        settle (c->backend);
      else
        {
          if (!ok)
            g_assert_error (error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
          g_assert_cmpint (read_number (c->backend, "x", NULL) == i, ==, ok);
        }
      g_assert_cmpuint (read_number (c->backend, "y", NULL), ==,
                        read_number (c->backend, "x", NULL));
    }

  g_atomic_int_set (&canceller.stop, 1);
  g_thread_join (thread);
  g_mutex_clear (&canceller.lock);
}

void
bawn_contract_add_threads (const BawnContractTarget *target)
{
  bawn_contract_add (target, "concurrent-writers-lose-no-update", test_counter);
  bawn_contract_add (target, "a-later-read-is-never-of-an-earlier-commit", test_pair);
  bawn_contract_add (target, "a-listing-is-of-one-moment", test_listing_of_one_moment);
  bawn_contract_add (target, "a-commit-cancelled-at-work-is-in-or-not", test_cancelled_at_work);
}
