/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What crypto and barrier cost per call, in nanoseconds of CPU time, with one and more threads:
 * time spent waiting for a processor does not count, time spent in each other's way does. */
#include "config.h"

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-entry.h"
#include "crypto/bawn-shamir.h"
#include "util/bawn-bytes.h"

#include <string.h>
#include <time.h>

#define PAYLOAD 200
#define PATH "logical/0e1f6e0c-9d1f/metadata/app/production/database"
#define MAX_THREADS 4

typedef struct
{
  BawnAead *aead;
  BawnBarrier *barrier;
  GBytes *plain;
  GBytes *box;
  GPtrArray *shares;
} Things;

typedef void (*Step) (Things *things);

static void
aead_seal (Things *things)
{
  const guint8 nonce[BAWN_NONCE_SIZE] = { 0 };
  guint8 box[PAYLOAD + BAWN_TAG_SIZE];

  bawn_aead_seal (things->aead, nonce, PATH, sizeof PATH, g_bytes_get_data (things->plain, NULL),
                  PAYLOAD, box);
}

static void
nonce (Things *things)
{
  guint8 bytes[BAWN_NONCE_SIZE];

  bawn_random_nonce (bytes);
}

static void
sha256 (Things *things)
{
  guint8 digest[BAWN_SHA256_SIZE];

  bawn_sha256 (g_bytes_get_data (things->plain, NULL), PAYLOAD, digest);
}

static void
barrier_seal (Things *things)
{
  g_autoptr (GBytes) box = BAWN_CODEC_GET_IFACE (things->barrier)
                               ->seal (BAWN_CODEC (things->barrier), PATH, things->plain, NULL);

  g_assert_nonnull (box);
}

static void
barrier_open (Things *things)
{
  g_autoptr (GBytes) plain = BAWN_CODEC_GET_IFACE (things->barrier)
                                 ->open (BAWN_CODEC (things->barrier), PATH, things->box, NULL);

  g_assert_nonnull (plain);
}

static void
secret (Things *things)
{
  bawn_secret_unref (bawn_secret_new (BAWN_KEY_SIZE, NULL));
}

static void
combine (Things *things)
{
  bawn_secret_unref (bawn_shamir_combine (things->shares, NULL));
}

typedef struct
{
  Things *things;
  Step step;
  guint n;
} Work;

static gpointer
run (gpointer user_data)
{
  const Work *work = user_data;

  for (guint i = 0; i < work->n; i++)
    work->step (work->things);

  return NULL;
}

static double
measure (Things *things, Step step, guint n, guint n_threads)
{
  GThread *threads[MAX_THREADS] = { NULL };
  Work work = { things, step, n };
  clock_t start = clock ();

  for (guint i = 0; i < n_threads; i++)
    threads[i] = g_thread_new ("bench", run, &work);
  for (guint i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);

  return (double) (clock () - start) * 1e9 / CLOCKS_PER_SEC / n / n_threads;
}

int
main (void)
{
  static const struct
  {
    const char *name;
    Step step;
    guint n;
  } rows[] = {
    { "aead seal, 200 bytes", aead_seal, 500000 },
    { "random nonce", nonce, 500000 },
    { "SHA-256, 200 bytes", sha256, 500000 },
    { "barrier seal, 200 bytes", barrier_seal, 500000 },
    { "barrier open, 200 bytes", barrier_open, 500000 },
    { "secret new and unref", secret, 500000 },
    { "combine 3 shares", combine, 5000 },
  };
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (0);
  guint8 *data = NULL;
  Things things = { .aead = bawn_aead_new (key), .barrier = bawn_barrier_new () };

  things.plain = bawn_bytes_alloc (PAYLOAD, &data);
  bawn_random_bytes (data, PAYLOAD);
  things.shares = bawn_shamir_split (key, 3, 3, NULL);
  bawn_barrier_adopt (things.barrier, keyring);
  things.box = BAWN_CODEC_GET_IFACE (things.barrier)
                   ->seal (BAWN_CODEC (things.barrier), PATH, things.plain, NULL);

  g_print ("%-26s %10s %10s %10s\n", "CPU ns per call", "1 thread", "2", "4");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_print ("%-26s %10.0f %10.0f %10.0f\n", rows[i].name,
             measure (&things, rows[i].step, rows[i].n, 1),
             measure (&things, rows[i].step, rows[i].n, 2),
             measure (&things, rows[i].step, rows[i].n, 4));

  g_bytes_unref (things.box);
  g_bytes_unref (things.plain);
  g_ptr_array_unref (things.shares);
  g_object_unref (things.barrier);
  bawn_aead_unref (things.aead);

  return 0;
}
