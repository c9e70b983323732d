/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-store.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-contract.h"
#include "tests/contract/bawn-serial.h"
#include "util/bawn-bytes.h"

/* BAWN_CONTRACT_TXNS makes the histories longer; judging takes the square of it. */
#define TXNS 800
#define N_THREADS 6
#define N_LISTS 5
#define MAX_STEPS 4
/* Small enough that entries fall out all the time. */
#define TINY_CACHE 2048

typedef struct
{
  BawnStore *store;
  BawnBackendFault *fault;
  BawnSerial *history;
  gint numbers;
  guint n_txns;
  gint conflicts;
} Run;

typedef struct
{
  Run *run;
  GRand *rand;
} Client;

/* What a client may meet and must be able to run again after. */
static gboolean
is_passing (const GError *error)
{
  return bawn_error_is (error, BAWN_ERROR_CONFLICT) || bawn_error_is (error, BAWN_ERROR_UPSTREAM)
         || bawn_error_is (error, BAWN_ERROR_WOULD_BLOCK);
}

static gboolean
read_list (BawnTxn *txn, const char *key, char **out_text, GError **error)
{
  g_autoptr (GBytes) value = NULL;

  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;

  *out_text = value != NULL ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value))
                            : g_strdup ("");
  return TRUE;
}

static gboolean
step_list (
    BawnTxn *txn, BawnSerialTxn *record, guint number, guint which, gboolean append, GError **error)
{
  g_autofree char *key = g_strdup_printf ("list/%u", which);
  g_autofree char *text = NULL;

  if (!read_list (txn, key, &text, error))
    return FALSE;

  bawn_serial_txn_read_list (record, key, text);
  if (!append)
    return TRUE;

  g_autofree char *longer = g_strdup_printf ("%s%s%u", text, *text != '\0' ? " " : "", number);
  g_autoptr (GBytes) value = bawn_bytes_new_string (longer);

  bawn_txn_put (txn, key, value);
  bawn_serial_txn_append (record, key);
  return TRUE;
}

static gboolean
step_set (BawnTxn *txn, BawnSerialTxn *record, guint number, gboolean insert, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (insert)
    {
      g_autofree char *key = g_strdup_printf ("set/%u", number);
      g_autoptr (GBytes) value = bawn_bytes_new_string ("");

      bawn_txn_put (txn, key, value);
      bawn_serial_txn_insert (record, "set/");
      return TRUE;
    }
  if (!bawn_txn_list (txn, "set/", NULL, 0, &names, error))
    return FALSE;

  bawn_serial_txn_read_set (record, "set/", (const char *const *) names);
  return TRUE;
}

/* One transaction of random steps. Each list is used once at most, and the set is read or added to,
 * so that every observation is of the state before the transaction. */
static gboolean
run_txn (Client *client, BawnSerialTxn *record, guint number, GError **error)
{
  gboolean may_block = g_rand_boolean (client->rand);
  g_autoptr (BawnTxn) txn = bawn_store_begin (client->run->store, NULL, may_block);
  guint steps = (guint) g_rand_int_range (client->rand, 1, MAX_STEPS + 1);
  guint first = (guint) g_rand_int_range (client->rand, 0, N_LISTS);
  gboolean read_only = g_rand_int_range (client->rand, 0, 3) == 0;
  guint set_step = (guint) g_rand_int_range (client->rand, 0, 3 * MAX_STEPS);

  for (guint i = 0; i < steps; i++)
    {
      gboolean writes = !read_only && g_rand_boolean (client->rand);
      gboolean ok = i == set_step
                        ? step_set (txn, record, number, writes, error)
                        : step_list (txn, record, number, (first + i) % N_LISTS, writes, error);

      if (!ok)
        return FALSE;
    }
  return bawn_txn_commit (txn, error);
}

static gpointer
client_thread (gpointer data)
{
  Client *client = data;
  Run *run = client->run;

  while (bawn_serial_get_size (run->history) < run->n_txns)
    {
      guint number = (guint) g_atomic_int_add (&run->numbers, 1);
      g_autoptr (BawnSerialTxn) record =
          bawn_serial_txn_new (number, bawn_serial_tick (run->history));
      g_autoptr (GError) error = NULL;

      if (run_txn (client, record, number, &error))
        {
          bawn_serial_add (run->history, g_steal_pointer (&record),
                           bawn_serial_tick (run->history));
          continue;
        }
      g_assert_true (is_passing (error));
      if (bawn_error_is (error, BAWN_ERROR_CONFLICT))
        g_atomic_int_inc (&run->conflicts);
    }
  return NULL;
}

/* A last look, so that nothing acknowledged can be missing unseen. */
static void
read_everything (Run *run)
{
  g_autoptr (BawnTxn) txn = bawn_store_begin (run->store, NULL, TRUE);
  BawnSerialTxn *record = bawn_serial_txn_new ((guint) g_atomic_int_add (&run->numbers, 1),
                                               bawn_serial_tick (run->history));

  for (guint i = 0; i < N_LISTS; i++)
    assert_works (step_list (txn, record, 0, i, FALSE, &error));
  assert_works (step_set (txn, record, 0, FALSE, &error));
  assert_works (bawn_txn_commit (txn, &error));
  bawn_serial_add (run->history, record, bawn_serial_tick (run->history));
}

/* Loses answers and commits, and fails reads, over and over. */
static void
trouble (Run *run)
{
  while (bawn_serial_get_size (run->history) < run->n_txns)
    {
      guint commits = bawn_backend_fault_count (run->fault, BAWN_FAULT_COMMIT);

      bawn_backend_fault_lose (run->fault, (guint) g_test_rand_int_range (0, 5), 1,
                               g_test_rand_bit ());
      bawn_backend_fault_fail (run->fault, BAWN_FAULT_GET, (guint) g_test_rand_int_range (0, 5), 1,
                               BAWN_ERROR_UPSTREAM);
      bawn_backend_fault_fail (run->fault, BAWN_FAULT_COMMIT, (guint) g_test_rand_int_range (0, 9),
                               1, BAWN_ERROR_UPSTREAM);
      while (bawn_backend_fault_count (run->fault, BAWN_FAULT_COMMIT) < commits + 10
             && bawn_serial_get_size (run->history) < run->n_txns)
        g_usleep (100);
    }
}

static void
run_history (BawnContract *c, gsize cache_bytes, gboolean in_trouble)
{
  g_autoptr (BawnBackendFault) fault = bawn_backend_fault_new (c->backend);
  g_autoptr (BawnStore) store = bawn_store_new (BAWN_BACKEND (fault), cache_bytes);
  g_autoptr (BawnSerial) history = bawn_serial_new ();
  Run run = { store, fault, history, 1, bawn_contract_scale ("BAWN_CONTRACT_TXNS", TXNS), 0 };
  Client clients[N_THREADS];
  GThread *threads[N_THREADS];
  g_autofree char *why = NULL;

  assert_works (bawn_store_open_term (store, 0, NULL, &error));
  for (guint i = 0; i < N_THREADS; i++)
    {
      clients[i] = (Client){ &run, g_rand_new_with_seed ((guint32) g_test_rand_int ()) };
      threads[i] = g_thread_new ("client", client_thread, &clients[i]);
    }
  if (in_trouble)
    trouble (&run);
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (clients[i].rand);
    }

  bawn_backend_fault_fail (fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  read_everything (&run);
  if (!bawn_serial_judge (history, &why))
    g_error ("not serializable: %s", why);

  BawnStoreStats stats = { 0 };

  bawn_store_get_stats (store, &stats);
  g_test_message ("%u transactions, %d conflicts, %u batches, %u answers lost",
                  bawn_serial_get_size (history), run.conflicts, (guint) stats.commits,
                  (guint) stats.unknown);
  g_assert_true (!in_trouble || stats.unknown > 0);
}

static void
test_calm (BawnContract *c)
{
  run_history (c, BAWN_STORE_CACHE_DEFAULT, FALSE);
}

static void
test_without_cache (BawnContract *c)
{
  run_history (c, 0, FALSE);
}

static void
test_tiny_cache (BawnContract *c)
{
  run_history (c, TINY_CACHE, FALSE);
}

static void
test_in_trouble (BawnContract *c)
{
  run_history (c, TINY_CACHE, TRUE);
}

void
bawn_contract_add_serial (const BawnContractTarget *target)
{
  bawn_contract_add (target, "histories-are-serializable", test_calm);
  bawn_contract_add (target, "histories-without-a-cache-are-serializable", test_without_cache);
  bawn_contract_add (target, "histories-with-a-tiny-cache-are-serializable", test_tiny_cache);
  bawn_contract_add (target, "histories-in-trouble-are-serializable", test_in_trouble);
}
