/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/bawn-store.h"
#include "util/bawn-bytes.h"

#define N_THREADS 4

typedef struct
{
  BawnStore *store;
  const char *round;
  guint thread;
} Writer;

/* One write(2), so that lines of several threads do not mix and none is lost in a buffer. */
static void G_GNUC_PRINTF (1, 2) tell (const char *format, ...)
{
  va_list args;

  va_start (args, format);

  g_autofree char *line = g_strdup_vprintf (format, args);

  va_end (args);
  if (write (STDOUT_FILENO, line, strlen (line)) != (gssize) strlen (line))
    exit (3);
}

static void G_GNUC_NORETURN
give_up (const GError *error)
{
  fprintf (stderr, "%s\n", error->message);
  exit (2);
}

static void
put (BawnTxn *txn, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

static gpointer
writer_thread (gpointer data)
{
  const Writer *writer = data;

  for (guint i = 0;; i++)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (writer->store, NULL, TRUE);
      g_autoptr (GError) error = NULL;
      g_autofree char *key = g_strdup_printf ("%s/%u/%u", writer->round, writer->thread, i);
      g_autofree char *last = g_strdup_printf ("%s/%u/last", writer->round, writer->thread);
      g_autofree char *number = g_strdup_printf ("%u", i);

      put (txn, key, key);
      put (txn, last, number);
      if (!bawn_txn_commit (txn, &error))
        give_up (error);
      tell ("%u %u\n", writer->thread, i);
    }
  return NULL;
}

static void
run_writers (BawnStore *store, const char *round)
{
  Writer writers[N_THREADS];
  GThread *threads[N_THREADS];
  g_autoptr (GError) error = NULL;

  if (!bawn_store_open_term (store, 0, NULL, &error))
    give_up (error);
  for (guint i = 0; i < N_THREADS; i++)
    {
      writers[i] = (Writer){ store, round, i };
      threads[i] = g_thread_new ("writer", writer_thread, &writers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

/* Writes EPOCH/NUMBER until somebody else has taken over. */
static void
rule (BawnStore *store, guint64 epoch)
{
  for (guint i = 0;; i++)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (store, NULL, TRUE);
      g_autoptr (GError) error = NULL;
      g_autofree char *key = g_strdup_printf ("%" G_GUINT64_FORMAT "/%u", epoch, i);
      g_autofree char *process = g_strdup_printf ("%d", (int) getpid ());

      put (txn, key, process);
      if (bawn_txn_commit (txn, &error))
        tell ("%" G_GUINT64_FORMAT " %u\n", epoch, i);
      else if (bawn_error_is (error, BAWN_ERROR_DEPOSED))
        return;
      else
        give_up (error);
    }
}

static void
run_rival (BawnStore *store, guint64 last)
{
  for (guint64 epoch = 0; epoch < last;)
    {
      g_autoptr (GError) error = NULL;

      bawn_store_close_term (store);
      if (!bawn_store_open_term (store, 0, NULL, &error))
        give_up (error);
      epoch = bawn_store_get_epoch (store);
      if (epoch < last)
        rule (store, epoch);
    }
}

/**
 * bawn_contract_child:
 * @target: a registered storage
 * @argv: (array length=3): what to do, the storage's `path`, and how long
 *
 * What a process of the tests with several processes does: it writes to a storage and tells on its
 * standard output, a line each, what was acknowledged. It is made to be killed.
 *
 * - write PATH ROUND: threads, each of which writes ROUND/THREAD/NUMBER and ROUND/THREAD/last at
 * once
 * - rival PATH LAST: takes term after term, up to the epoch LAST, and writes until it is deposed
 *
 * Returns: an exit status
 */
int
bawn_contract_child (const BawnContractTarget *target, const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBackend) backend = bawn_contract_open_path (target, argv[1], &error);

  if (backend == NULL)
    give_up (error);

  g_autoptr (BawnStore) store = bawn_store_new (backend, BAWN_STORE_CACHE_DEFAULT);

  if (g_str_equal (argv[0], "write"))
    run_writers (store, argv[2]);
  else
    run_rival (store, g_ascii_strtoull (argv[2], NULL, 10));
  return 0;
}
