/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-committer.h"
#include "storage/bawn-store.h"

#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"
#include "tests/support/unref-last.h"

#include <string.h>

GType bawn_backend_memory_get_type (void);

typedef struct
{
  BawnBackend *memory;
  BawnBackendFault *fault;
  BawnStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->memory = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->fault = bawn_backend_fault_new (f->memory);
  f->store = bawn_store_new (BAWN_BACKEND (f->fault), BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  /* Ends the thread, which may still hold the last commit's task. */
  bawn_store_close_term (f->store);
  unref_last (f->store);
  unref_last (f->fault);
  unref_last (f->memory);
}

static void
put (BawnTxn *txn, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

/* "-" for absent. */
static char *
get (BawnTxn *txn, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) value = NULL;

  g_assert_true (bawn_txn_get (txn, key, &value, &error));
  g_assert_no_error (error);
  return value != NULL ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value))
                       : g_strdup ("-");
}

#define assert_value(txn, key, text)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *value_ = get (txn, key);                                                      \
    g_assert_cmpstr (value_, ==, text);                                                            \
  }                                                                                                \
  G_STMT_END

static char *
list (BawnTxn *txn, const char *prefix)
{
  g_auto (GStrv) names = NULL;

  assert_works (bawn_txn_list (txn, prefix, NULL, 0, &names, &error));
  return g_strjoinv (" ", names);
}

#define assert_names(txn, prefix, text)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autofree char *names_ = list (txn, prefix);                                                  \
    g_assert_cmpstr (names_, ==, text);                                                            \
  }                                                                                                \
  G_STMT_END

static BawnTxn *
begin (Fixture *f)
{
  return bawn_store_begin (f->store, NULL, TRUE);
}

static void
write_one (Fixture *f, const char *key, const char *text)
{
  g_autoptr (BawnTxn) txn = begin (f);

  put (txn, key, text);
  assert_works (bawn_txn_commit (txn, &error));
}

static void
delete_one (Fixture *f, const char *key)
{
  g_autoptr (BawnTxn) txn = begin (f);

  bawn_txn_delete (txn, key);
  assert_works (bawn_txn_commit (txn, &error));
}

/* A commit on its way in another thread. */
typedef struct
{
  BawnTxn *txn;
  GThread *thread;
  GError *error;
} Sending;

static gpointer
send_thread (gpointer data)
{
  Sending *sending = data;

  (void) bawn_txn_commit (sending->txn, &sending->error);
  return NULL;
}

static void
send (Sending *sending, BawnTxn *txn)
{
  *sending = (Sending){ .txn = txn };
  sending->thread = g_thread_new ("send", send_thread, sending);
}

static void
arrive (Sending *sending)
{
  g_thread_join (sending->thread);
  g_assert_no_error (sending->error);
  bawn_txn_unref (sending->txn);
}

/* --- reading and writing --- */

static void
test_a_write_is_read_back (Fixture *f, gconstpointer data)
{
  write_one (f, "a/b", "one");

  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (GBytes) stored = NULL;

  assert_value (txn, "a/b", "one");
  assert_value (txn, "a/c", "-");
  assert_works (bawn_backend_get (f->memory, "a/b", &stored, NULL, NULL, &error));
  g_assert_cmpmem (g_bytes_get_data (stored, NULL), g_bytes_get_size (stored), "one", 3);
}

static void
test_empty_is_not_absent (Fixture *f, gconstpointer data)
{
  write_one (f, "empty", "");

  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (GBytes) value = NULL;

  assert_works (bawn_txn_get (txn, "empty", &value, &error));
  g_assert_nonnull (value);
  g_assert_cmpuint (g_bytes_get_size (value), ==, 0);
}

static void
test_own_writes_are_seen (Fixture *f, gconstpointer data)
{
  write_one (f, "k", "old");

  g_autoptr (BawnTxn) txn = begin (f);

  put (txn, "k", "new");
  assert_value (txn, "k", "new");
  bawn_txn_delete (txn, "k");
  assert_value (txn, "k", "-");
  g_assert_true (bawn_txn_has_writes (txn));
  bawn_txn_drop_writes (txn);
  g_assert_false (bawn_txn_has_writes (txn));
  assert_value (txn, "k", "old");
}

static void
test_a_scope_is_the_same_transaction (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (BawnTxn) mount = bawn_txn_scope (txn, "mount/1/");
  g_autoptr (BawnTxn) deeper = bawn_txn_scope (mount, "x/");

  put (deeper, "k", "v");
  assert_value (txn, "mount/1/x/k", "v");
  assert_value (mount, "x/k", "v");
  assert_names (mount, "", "x/");
  assert_names (deeper, "", "k");
  bawn_txn_drop_writes (txn);
  g_assert_false (bawn_txn_has_writes (deeper));
}

static void
test_a_cold_read_would_block (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) warm = begin (f);
  g_autoptr (BawnTxn) quick = bawn_store_begin (f->store, NULL, FALSE);
  g_autoptr (GBytes) value = NULL;
  g_auto (GStrv) names = NULL;

  assert_fails (bawn_txn_get (quick, "k", &value, &error), BAWN_ERROR_WOULD_BLOCK);
  assert_fails (bawn_txn_list (quick, "", NULL, 0, &names, &error), BAWN_ERROR_WOULD_BLOCK);
  assert_value (warm, "k", "-");
  assert_value (quick, "k", "-");
  write_one (f, "k", "v");
  assert_value (quick, "k", "v");
}

static void
test_a_warm_read_asks_nobody (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "-");

  guint asked = bawn_backend_fault_count (f->fault, BAWN_FAULT_GET);

  for (guint i = 0; i < 10; i++)
    assert_value (txn, "k", "-");
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_GET), ==, asked);
}

static void
test_bad_keys_are_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *longest = g_strnfill (BAWN_BACKEND_MAX_KEY, 'k');
  g_autofree char *too_long = g_strnfill (BAWN_BACKEND_MAX_KEY + 1, 'k');
  const char *const bad[] = { "", "/", "/a", "a/", "a//b", "\xff", too_long, BAWN_STORE_FENCE_KEY };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (BawnTxn) txn = begin (f);

      put (txn, bad[i], "v");
      g_assert_true (bawn_txn_has_writes (txn));
      assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_INVALID);
    }
  for (guint i = 0; i + 1 < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (BawnTxn) txn = begin (f);
      g_autoptr (GBytes) value = NULL;

      assert_fails (bawn_txn_get (txn, bad[i], &value, &error), BAWN_ERROR_INVALID);
    }

  write_one (f, longest, "v");

  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, "x/");
  g_autoptr (GBytes) value = NULL;

  assert_value (txn, longest, "v");
  assert_fails (bawn_txn_get (scope, longest, &value, &error), BAWN_ERROR_INVALID);
}

static void
test_dropping_a_bad_write_forgives_it (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  put (txn, "a//b", "v");
  bawn_txn_drop_writes (txn);
  put (txn, "good", "v");
  assert_works (bawn_txn_commit (txn, &error));
}

static void
test_a_transaction_ends_with_its_commit (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (GBytes) value = NULL;

  put (txn, "k", "v");
  assert_works (bawn_txn_commit (txn, &error));
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_INTERNAL);
  assert_fails (bawn_txn_get (txn, "k", &value, &error), BAWN_ERROR_INTERNAL);
}

static void
test_a_failing_storage_is_not_remembered (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (GBytes) value = NULL;

  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);
  assert_fails (bawn_txn_get (txn, "k", &value, &error), BAWN_ERROR_UPSTREAM);
  assert_value (txn, "k", "-");
}

/* --- conflicts --- */

static void
test_a_stale_read_conflicts (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "-");
  write_one (f, "k", "other");
  put (txn, "l", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_CONFLICT);

  g_autoptr (BawnTxn) again = begin (f);

  assert_value (again, "l", "-");
}

static void
test_a_read_of_another_key_does_not_conflict (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "-");
  write_one (f, "l", "other");
  put (txn, "l", "v");
  assert_works (bawn_txn_commit (txn, &error));
}

static void
test_a_blind_write_never_conflicts (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  put (txn, "k", "mine");
  write_one (f, "k", "other");
  assert_works (bawn_txn_commit (txn, &error));

  g_autoptr (BawnTxn) again = begin (f);

  assert_value (again, "k", "mine");
}

static void
test_a_listing_conflicts_with_a_new_key (Fixture *f, gconstpointer data)
{
  write_one (f, "d/a", "v");

  g_autoptr (BawnTxn) created = begin (f);
  g_autoptr (BawnTxn) deleted = begin (f);
  g_autoptr (BawnTxn) elsewhere = begin (f);

  assert_names (created, "d/", "a");
  assert_names (elsewhere, "e/", "");
  write_one (f, "d/x/y", "v");
  put (created, "o", "v");
  assert_fails (bawn_txn_commit (created, &error), BAWN_ERROR_CONFLICT);

  assert_names (deleted, "d/", "a x/");
  delete_one (f, "d/a");
  put (deleted, "o", "v");
  assert_fails (bawn_txn_commit (deleted, &error), BAWN_ERROR_CONFLICT);

  put (elsewhere, "o", "v");
  assert_works (bawn_txn_commit (elsewhere, &error));
}

static void
test_a_listing_stands_when_a_known_key_changes (Fixture *f, gconstpointer data)
{
  write_one (f, "d/a", "v");

  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (BawnTxn) update = begin (f);

  assert_names (txn, "d/", "a");
  assert_value (update, "d/a", "v");
  put (update, "d/a", "w");
  assert_works (bawn_txn_commit (update, &error));
  put (txn, "o", "v");
  assert_works (bawn_txn_commit (txn, &error));
}

static void
test_reads_alone_are_judged_too (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) one = begin (f);
  g_autoptr (BawnTxn) two = begin (f);
  g_autoptr (BawnTxn) still = begin (f);

  assert_value (one, "k", "-");
  assert_value (two, "k", "-");
  assert_value (still, "m", "-");
  write_one (f, "k", "other");
  assert_value (two, "l", "-");
  assert_value (still, "l", "-");
  assert_works (bawn_txn_validate (one, &error));
  assert_fails (bawn_txn_validate (two, &error), BAWN_ERROR_CONFLICT);
  assert_fails (bawn_txn_commit (two, &error), BAWN_ERROR_CONFLICT);
  assert_works (bawn_txn_commit (still, &error));
}

static void
test_reads_without_a_term_cannot_be_judged (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "-");
  assert_works (bawn_txn_validate (txn, &error));
  assert_value (txn, "l", "-");
  assert_fails (bawn_txn_validate (txn, &error), BAWN_ERROR_STANDBY);
}

/* Another node was active between two terms of this one, and has written. */
static void
test_one_read_from_memory_ends_with_its_term (Fixture *f, gconstpointer data)
{
  write_one (f, "k", "old");

  g_autoptr (BawnTxn) warm = begin (f);

  assert_value (warm, "k", "old");
  assert_works (bawn_txn_validate (warm, &error));
  bawn_store_close_term (f->store);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
  assert_fails (bawn_txn_validate (warm, &error), BAWN_ERROR_CONFLICT);

  g_autoptr (BawnTxn) again = begin (f);

  assert_value (again, "k", "old");
  assert_works (bawn_txn_validate (again, &error));
}

static void
test_reads_before_a_term_are_stale_in_it (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "-");
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
  put (txn, "l", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_CONFLICT);
}

/* --- group commit --- */

/* Holds one batch in the storage, so that whatever is sent meanwhile gathers. */
static void
hold_a_batch (Fixture *f, Sending *sending)
{
  BawnTxn *txn = begin (f);

  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, FALSE);
  put (txn, "held", "v");
  send (sending, txn);
  bawn_backend_fault_await_held (f->fault);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **out_result = user_data;

  *out_result = g_object_ref (result);
}

static void
await (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
}

#define N_GATHERED 20

static void
test_waiting_writes_go_together (Fixture *f, gconstpointer data)
{
  Sending held;
  BawnTxn *txns[N_GATHERED];
  GAsyncResult *results[N_GATHERED] = { NULL };
  BawnStoreStats stats = { 0 };

  hold_a_batch (f, &held);
  for (guint i = 0; i < N_GATHERED; i++)
    {
      g_autofree char *key = g_strdup_printf ("d/%u", i);

      txns[i] = begin (f);
      put (txns[i], key, "v");
      bawn_txn_commit_async (txns[i], NULL, on_committed, &results[i]);
    }
  bawn_backend_fault_release (f->fault);
  for (guint i = 0; i < N_GATHERED; i++)
    {
      await (&results[i]);
      assert_works (bawn_txn_commit_finish (txns[i], results[i], &error));
      bawn_txn_unref (txns[i]);
      g_object_unref (results[i]);
    }
  arrive (&held);

  bawn_store_get_stats (f->store, &stats);
  g_assert_cmpuint (stats.commits, ==, 2);
  g_assert_cmpuint (stats.transactions, ==, N_GATHERED + 1);
  g_assert_cmpuint (bawn_backend_fault_last_n_writes (f->fault), ==, N_GATHERED + 1);
}

static void
test_the_later_of_two_blind_writes_wins (Fixture *f, gconstpointer data)
{
  Sending held;
  g_autoptr (BawnTxn) first = begin (f);
  g_autoptr (BawnTxn) second = begin (f);
  GAsyncResult *results[2] = { NULL };

  hold_a_batch (f, &held);
  put (first, "k", "first");
  put (first, "l", "first");
  put (second, "k", "second");
  bawn_txn_delete (second, "l");
  bawn_txn_commit_async (first, NULL, on_committed, &results[0]);
  bawn_txn_commit_async (second, NULL, on_committed, &results[1]);
  bawn_backend_fault_release (f->fault);
  for (guint i = 0; i < 2; i++)
    {
      await (&results[i]);
      g_object_unref (results[i]);
    }
  arrive (&held);

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "second");
  assert_value (txn, "l", "-");
  g_assert_cmpuint (bawn_backend_fault_last_n_writes (f->fault), ==, 3);
}

static void
test_a_reader_of_the_batch_waits_and_conflicts (Fixture *f, gconstpointer data)
{
  Sending held;
  g_autoptr (BawnTxn) writer = begin (f);
  g_autoptr (BawnTxn) reader = begin (f);
  g_autoptr (BawnTxn) lister = begin (f);
  GAsyncResult *results[3] = { NULL };

  assert_value (reader, "k", "-");
  assert_names (lister, "d/", "");
  hold_a_batch (f, &held);
  put (writer, "k", "v");
  put (writer, "d/new", "v");
  put (reader, "r", "v");
  put (lister, "s", "v");
  bawn_txn_commit_async (writer, NULL, on_committed, &results[0]);
  bawn_txn_commit_async (reader, NULL, on_committed, &results[1]);
  bawn_txn_commit_async (lister, NULL, on_committed, &results[2]);
  bawn_backend_fault_release (f->fault);
  for (guint i = 0; i < 3; i++)
    await (&results[i]);
  assert_works (bawn_txn_commit_finish (writer, results[0], &error));
  assert_fails (bawn_txn_commit_finish (reader, results[1], &error), BAWN_ERROR_CONFLICT);
  assert_fails (bawn_txn_commit_finish (lister, results[2], &error), BAWN_ERROR_CONFLICT);
  for (guint i = 0; i < 3; i++)
    g_object_unref (results[i]);
  arrive (&held);
}

static void
test_a_reader_before_its_writer_may_go_with_it (Fixture *f, gconstpointer data)
{
  Sending held;
  g_autoptr (BawnTxn) reader = begin (f);
  g_autoptr (BawnTxn) writer = begin (f);
  GAsyncResult *results[2] = { NULL };

  assert_value (reader, "k", "-");
  hold_a_batch (f, &held);
  put (reader, "r", "v");
  put (writer, "k", "v");
  bawn_txn_commit_async (reader, NULL, on_committed, &results[0]);
  bawn_txn_commit_async (writer, NULL, on_committed, &results[1]);
  bawn_backend_fault_release (f->fault);
  await (&results[0]);
  await (&results[1]);
  assert_works (bawn_txn_commit_finish (reader, results[0], &error));
  assert_works (bawn_txn_commit_finish (writer, results[1], &error));
  g_object_unref (results[0]);
  g_object_unref (results[1]);
  arrive (&held);
}

static void
test_a_batch_stays_within_the_limits (Fixture *f, gconstpointer data)
{
  const BawnBackendLimits limits = { 1000, 4, 1000 };
  g_autoptr (BawnBackendFault) fault = bawn_backend_fault_new (f->memory);
  g_autoptr (BawnStore) store = NULL;
  BawnTxn *txns[6];
  GAsyncResult *results[6] = { NULL };

  bawn_backend_fault_set_limits (fault, &limits);
  store = bawn_store_new (BAWN_BACKEND (fault), 0);
  assert_works (bawn_store_open_term (store, 0, NULL, &error));
  bawn_backend_fault_hold (fault, BAWN_FAULT_COMMIT, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (txns); i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      txns[i] = bawn_store_begin (store, NULL, TRUE);
      put (txns[i], key, "v");
      bawn_txn_commit_async (txns[i], NULL, on_committed, &results[i]);
      bawn_backend_fault_await_held (fault);
    }
  bawn_backend_fault_release (fault);
  for (guint i = 0; i < G_N_ELEMENTS (txns); i++)
    {
      await (&results[i]);
      assert_works (bawn_txn_commit_finish (txns[i], results[i], &error));
      bawn_txn_unref (txns[i]);
      g_object_unref (results[i]);
    }

  BawnStoreStats stats = { 0 };

  /* One alone, then three and two: the fence takes a place in each. */
  bawn_store_get_stats (store, &stats);
  g_assert_cmpuint (stats.commits, ==, 3);
}

static void
assert_names_limit (BawnTxn *txn, const char *limit)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (bawn_txn_commit (txn, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, limit));
}

static void
test_too_much_for_the_storage_is_refused_unsent (Fixture *f, gconstpointer data)
{
  const BawnBackendLimits limits = { 200, 3, 700 };
  g_autoptr (BawnBackendFault) fault = bawn_backend_fault_new (f->memory);
  g_autoptr (BawnStore) store = NULL;
  g_autofree char *large = g_strnfill (201, 'x');
  g_autofree char *full = g_strnfill (200, 'x');
  g_autofree char *long_key = g_strnfill (300, 'k');

  bawn_backend_fault_set_limits (fault, &limits);
  store = bawn_store_new (BAWN_BACKEND (fault), 0);
  assert_works (bawn_store_open_term (store, 0, NULL, &error));

  guint sent = bawn_backend_fault_count (fault, BAWN_FAULT_COMMIT);
  g_autoptr (BawnTxn) value = bawn_store_begin (store, NULL, TRUE);
  g_autoptr (BawnTxn) writes = bawn_store_begin (store, NULL, TRUE);
  g_autoptr (BawnTxn) bytes = bawn_store_begin (store, NULL, TRUE);
  g_autoptr (BawnTxn) fits = bawn_store_begin (store, NULL, TRUE);

  put (value, "k", large);
  assert_names_limit (value, "max_value");
  put (writes, "k1", "");
  put (writes, "k2", "");
  bawn_txn_delete (writes, "k3");
  assert_names_limit (writes, "max_writes");
  put (bytes, long_key, full);
  assert_names_limit (bytes, "max_commit");
  g_assert_cmpuint (bawn_backend_fault_count (fault, BAWN_FAULT_COMMIT), ==, sent);
  put (fits, "k1", full);
  put (fits, "k2", full);
  assert_works (bawn_txn_commit (fits, &error));
}

static void
test_a_waiting_commit_can_be_taken_back (Fixture *f, gconstpointer data)
{
  Sending held;
  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GAsyncResult *result = NULL;

  hold_a_batch (f, &held);
  put (txn, "k", "v");
  bawn_txn_commit_async (txn, cancellable, on_committed, &result);
  g_cancellable_cancel (cancellable);
  await (&result);
  assert_fails (bawn_txn_commit_finish (txn, result, &error), BAWN_ERROR_TIMEOUT);
  g_object_unref (result);
  bawn_backend_fault_release (f->fault);
  arrive (&held);

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "k", "-");
}

static void
on_counted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  guint *counts = user_data;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    counts[0]++;
  else if (bawn_error_is (error, BAWN_ERROR_BUSY))
    counts[1]++;
  else
    g_assert_no_error (error);
}

static void
test_the_queue_is_bounded (Fixture *f, gconstpointer data)
{
  Sending held;
  guint counts[] = { 0, 0 };

  hold_a_batch (f, &held);
  for (guint i = 0; i < BAWN_COMMITTER_MAX_QUEUE + 3; i++)
    {
      g_autoptr (BawnTxn) txn = begin (f);

      put (txn, "k", "v");
      bawn_txn_commit_async (txn, NULL, on_counted, counts);
    }
  bawn_backend_fault_release (f->fault);
  while (counts[0] + counts[1] < BAWN_COMMITTER_MAX_QUEUE + 3)
    g_main_context_iteration (NULL, TRUE);
  arrive (&held);
  g_assert_cmpuint (counts[0], ==, BAWN_COMMITTER_MAX_QUEUE);
  g_assert_cmpuint (counts[1], ==, 3);
}

static void
test_a_refusal_reaches_all_of_the_batch (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);

  bawn_backend_fault_fail (f->fault, BAWN_FAULT_COMMIT, 0, 1, BAWN_ERROR_UPSTREAM);
  put (txn, "k", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_UPSTREAM);
  write_one (f, "l", "v");

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "k", "-");
  assert_value (after, "l", "v");
}

static void
test_too_large_together_is_not_too_large (Fixture *f, gconstpointer data)
{
  Sending held;
  BawnTxn *txns[3];
  GAsyncResult *results[3] = { NULL };

  hold_a_batch (f, &held);
  for (guint i = 0; i < G_N_ELEMENTS (txns); i++)
    {
      g_autofree char *key = g_strdup_printf ("k%u", i);

      txns[i] = begin (f);
      put (txns[i], key, "v");
      bawn_txn_commit_async (txns[i], NULL, on_committed, &results[i]);
    }
  /* Not the one that is held; all three, and then the first of them. */
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_COMMIT, 1, 2, BAWN_ERROR_TOO_LARGE);
  bawn_backend_fault_release (f->fault);
  for (guint i = 0; i < G_N_ELEMENTS (txns); i++)
    {
      await (&results[i]);
      if (i == 0)
        assert_fails (bawn_txn_commit_finish (txns[i], results[i], &error), BAWN_ERROR_TOO_LARGE);
      else
        assert_works (bawn_txn_commit_finish (txns[i], results[i], &error));
      bawn_txn_unref (txns[i]);
      g_object_unref (results[i]);
    }
  arrive (&held);

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "k0", "-");
  assert_value (after, "k1", "v");
  assert_value (after, "k2", "v");
}

/* --- answers that get lost --- */

static void
test_a_lost_answer_of_a_commit_that_got_in (Fixture *f, gconstpointer data)
{
  BawnStoreStats stats = { 0 };

  bawn_backend_fault_lose (f->fault, 0, 1, TRUE);
  write_one (f, "k", "v");
  write_one (f, "l", "v");

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "v");
  bawn_store_get_stats (f->store, &stats);
  g_assert_cmpuint (stats.unknown, ==, 1);
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_COMMIT), ==, 3);
}

static void
test_a_lost_commit_is_sent_again (Fixture *f, gconstpointer data)
{
  bawn_backend_fault_lose (f->fault, 0, 3, FALSE);
  write_one (f, "k", "v");
  write_one (f, "l", "v");
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_COMMIT), ==, 1 + 4 + 1);
}

static void
test_a_silent_storage_is_asked_until_it_answers (Fixture *f, gconstpointer data)
{
  bawn_backend_fault_lose (f->fault, 0, 1, TRUE);
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 3, BAWN_ERROR_UPSTREAM);
  write_one (f, "k", "v");
  write_one (f, "l", "v");
}

static void
test_a_late_copy_of_a_resent_commit_changes_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) stored = NULL;

  bawn_backend_fault_postpone (f->fault, 0);
  write_one (f, "k", "first");
  write_one (f, "k", "second");
  assert_fails (bawn_backend_fault_deliver (f->fault, &error), BAWN_ERROR_CONFLICT);
  assert_works (bawn_backend_get (f->memory, "k", &stored, NULL, NULL, &error));
  g_assert_cmpmem (g_bytes_get_data (stored, NULL), g_bytes_get_size (stored), "second", 6);
}

static void
test_a_conflict_with_itself_is_no_deposition (Fixture *f, gconstpointer data)
{
  /* The answer is lost; before the fence is read, the copy on the way gets in. */
  Sending sending;
  BawnTxn *txn = begin (f);

  bawn_backend_fault_postpone (f->fault, 0);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_GET, TRUE);
  put (txn, "k", "v");
  send (&sending, txn);
  bawn_backend_fault_await_held (f->fault);
  assert_works (bawn_backend_fault_deliver (f->fault, &error));
  bawn_backend_fault_release (f->fault);
  arrive (&sending);
  write_one (f, "l", "v");
}

/* The answer to a write is lost; before it can be asked for, others take over @n_terms times. */
static GError *
lose_and_be_taken_over (Fixture *f, gboolean applied, guint n_terms)
{
  Sending sending = { .txn = begin (f) };

  bawn_backend_fault_lose (f->fault, 0, 1, applied);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_GET, FALSE);
  put (sending.txn, "k", "v");
  send (&sending, sending.txn);
  bawn_backend_fault_await_held (f->fault);
  for (guint i = 0; i < n_terms; i++)
    {
      BawnFence fence = { 0 };

      assert_works (bawn_fence_take (f->memory, 0, &fence, NULL, &error));
    }
  bawn_backend_fault_release (f->fault);
  g_thread_join (sending.thread);
  bawn_txn_unref (sending.txn);
  return sending.error;
}

static void
test_a_write_before_a_takeover_is_acknowledged (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = lose_and_be_taken_over (f, TRUE, 1);

  g_assert_no_error (error);
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 0);
}

static void
test_a_write_behind_a_takeover_is_not_in (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = lose_and_be_taken_over (f, FALSE, 1);

  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_DEPOSED);
}

static void
test_after_two_takeovers_nobody_can_tell (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = lose_and_be_taken_over (f, TRUE, 2);

  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME);
}

/* --- terms --- */

static void
on_deposed (BawnStore *store, gint *count)
{
  g_atomic_int_inc (count);
}

static void
test_an_older_term_can_write_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnStore) other = bawn_store_new (f->memory, BAWN_STORE_CACHE_DEFAULT);
  g_autoptr (BawnTxn) txn = begin (f);
  g_autoptr (BawnTxn) later = begin (f);
  gint count = 0;

  g_signal_connect (f->store, "deposed", G_CALLBACK (on_deposed), &count);
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 1);
  assert_works (bawn_store_open_term (other, 0, NULL, &error));
  g_assert_cmpuint (bawn_store_get_epoch (other), ==, 2);

  put (txn, "k", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_DEPOSED);
  put (later, "k", "v");
  assert_fails (bawn_txn_commit (later, &error), BAWN_ERROR_STANDBY);
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 0);
  bawn_store_close_term (f->store);
  g_assert_cmpint (g_atomic_int_get (&count), ==, 1);

  g_autoptr (BawnTxn) look = bawn_store_begin (other, NULL, TRUE);

  assert_value (look, "k", "-");
}

static void
test_a_deposed_node_can_come_back (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnStore) other = bawn_store_new (f->memory, BAWN_STORE_CACHE_DEFAULT);

  write_one (f, "k", "mine");
  assert_works (bawn_store_open_term (other, 0, NULL, &error));

  g_autoptr (BawnTxn) theirs = bawn_store_begin (other, NULL, TRUE);

  put (theirs, "k", "theirs");
  assert_works (bawn_txn_commit (theirs, &error));
  bawn_store_close_term (f->store);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 3);

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "k", "theirs");
}

static void
test_a_term_needs_a_later_epoch (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);
  assert_fails (bawn_store_open_term (f->store, 1, NULL, &error), BAWN_ERROR_DEPOSED);
  assert_works (bawn_store_open_term (f->store, 7, NULL, &error));
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 7);
  write_one (f, "k", "v");
}

static void
test_a_lost_answer_does_not_lose_the_fence (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);
  bawn_backend_fault_lose (f->fault, 0, 1, TRUE);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 2);
  write_one (f, "k", "v");

  bawn_store_close_term (f->store);
  bawn_backend_fault_lose (f->fault, 0, 2, FALSE);
  assert_works (bawn_store_open_term (f->store, 9, NULL, &error));
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 9);
}

static void
test_a_damaged_fence_is_not_taken (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) junk = bawn_bytes_new_string ("{\"epoch\":\"x\"}");
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_STORE_FENCE_KEY, junk };
  g_autoptr (BawnTxn) txn = begin (f);

  assert_works (bawn_backend_commit (f->memory, &write, 1, NULL, 0, NULL, NULL, &error));
  put (txn, "k", "v");
  assert_fails (bawn_txn_commit (txn, &error), BAWN_ERROR_DEPOSED);
  bawn_store_close_term (f->store);
  assert_fails (bawn_store_open_term (f->store, 0, NULL, &error), BAWN_ERROR_CORRUPT);
}

static void
test_closing_lets_the_batch_end_and_refuses_the_rest (Fixture *f, gconstpointer data)
{
  Sending held;
  g_autoptr (BawnTxn) waiting = begin (f);
  g_autoptr (BawnTxn) late = begin (f);
  GAsyncResult *result = NULL;

  hold_a_batch (f, &held);
  put (waiting, "k", "v");
  bawn_txn_commit_async (waiting, NULL, on_committed, &result);

  g_autoptr (GThread) closing =
      g_thread_new ("close", (GThreadFunc) (gpointer) bawn_store_close_term, f->store);

  while (bawn_store_get_epoch (f->store) != 0)
    g_thread_yield ();
  bawn_backend_fault_release (f->fault);
  g_thread_join (g_steal_pointer (&closing));
  arrive (&held);
  await (&result);
  assert_fails (bawn_txn_commit_finish (waiting, result, &error), BAWN_ERROR_STANDBY);
  g_object_unref (result);
  put (late, "k", "v");
  assert_fails (bawn_txn_commit (late, &error), BAWN_ERROR_STANDBY);

  g_autoptr (BawnTxn) txn = begin (f);

  assert_value (txn, "held", "v");
  assert_value (txn, "k", "-");
}

/* Takes the whole grace. */
static void
test_closing_does_not_wait_for_ever (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin (f);
  GAsyncResult *result = NULL;

  bawn_backend_fault_lose (f->fault, 0, G_MAXUINT, TRUE);
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, G_MAXUINT, BAWN_ERROR_UPSTREAM);
  put (txn, "k", "v");
  bawn_txn_commit_async (txn, NULL, on_committed, &result);
  while (bawn_backend_fault_count (f->fault, BAWN_FAULT_GET) < 3)
    g_thread_yield ();
  bawn_store_close_term (f->store);
  await (&result);
  assert_fails (bawn_txn_commit_finish (txn, result, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  g_object_unref (result);

  /* It was in, as a node that comes back finds. */
  bawn_backend_fault_lose (f->fault, 0, 0, TRUE);
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "k", "v");
}

static void
count_deposed (BawnStore *store G_GNUC_UNUSED, gint *n)
{
  g_atomic_int_inc (n);
}

/* Waits until the storage has owed the answer for long enough. */
static void
give_up (Fixture *f, GAsyncResult **result)
{
  for (; *result == NULL; g_main_context_iteration (NULL, FALSE))
    {
      bawn_store_give_up (f->store, 10 * 1000);
      g_usleep (1000);
    }
}

/* What waits behind it goes the same way, and so does whoever comes later. */
static void
test_a_commit_that_is_not_answered_can_be_given_up (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) held = begin (f);
  g_autoptr (BawnTxn) waiting = begin (f);
  g_autoptr (BawnTxn) late = begin (f);
  GAsyncResult *result = NULL;
  GAsyncResult *other = NULL;
  gint n_deposed = 0;

  g_signal_connect (f->store, "deposed", G_CALLBACK (count_deposed), &n_deposed);
  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, FALSE);
  put (held, "held", "v");
  bawn_txn_commit_async (held, NULL, on_committed, &result);
  bawn_backend_fault_await_held (f->fault);
  put (waiting, "k", "v");
  bawn_txn_commit_async (waiting, NULL, on_committed, &other);

  give_up (f, &result);
  assert_fails (bawn_txn_commit_finish (held, result, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  await (&other);
  assert_fails (bawn_txn_commit_finish (waiting, other, &error), BAWN_ERROR_UPSTREAM);
  put (late, "k", "v");
  assert_fails (bawn_txn_commit (late, &error), BAWN_ERROR_UPSTREAM);
  g_object_unref (result);
  g_object_unref (other);

  /* It gets in after all, and the term is over: nothing was done that belongs to it. */
  bawn_backend_fault_release (f->fault);
  while (g_atomic_int_get (&n_deposed) == 0)
    g_thread_yield ();
  g_assert_cmpuint (bawn_store_get_epoch (f->store), ==, 0);
  g_signal_handlers_disconnect_by_data (f->store, &n_deposed);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "held", "v");
  assert_value (after, "k", "-");
}

/* Whoever was told that nobody knows has looked since, and gone on from what there was. */
static void
test_what_was_given_up_is_not_sent_again (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) lost = begin (f);
  GAsyncResult *result = NULL;
  gint n_deposed = 0;

  g_signal_connect (f->store, "deposed", G_CALLBACK (count_deposed), &n_deposed);
  bawn_backend_fault_lose (f->fault, 0, 1, FALSE);
  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, G_MAXUINT, BAWN_ERROR_UPSTREAM);
  put (lost, "k", "v");
  bawn_txn_commit_async (lost, NULL, on_committed, &result);
  give_up (f, &result);
  assert_fails (bawn_txn_commit_finish (lost, result, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  g_object_unref (result);

  bawn_backend_fault_fail (f->fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  while (g_atomic_int_get (&n_deposed) == 0)
    g_thread_yield ();
  g_signal_handlers_disconnect_by_data (f->store, &n_deposed);
  g_assert_cmpuint (bawn_backend_fault_count (f->fault, BAWN_FAULT_COMMIT), ==, 2);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "k", "-");
}

static void
test_a_commit_can_be_waited_for_within_bounds (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) sent = begin (f);
  g_autoptr (BawnTxn) waiting = begin (f);

  bawn_backend_fault_hold (f->fault, BAWN_FAULT_COMMIT, FALSE);
  put (sent, "sent", "v");
  assert_fails (bawn_txn_commit_within (sent, 20 * 1000, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  put (waiting, "k", "v");
  assert_fails (bawn_txn_commit_within (waiting, 20 * 1000, &error), BAWN_ERROR_TIMEOUT);
  bawn_backend_fault_release (f->fault);

  g_autoptr (BawnTxn) quick = begin (f);

  put (quick, "quick", "v");
  assert_works (bawn_txn_commit_within (quick, G_TIME_SPAN_MINUTE, &error));

  g_autoptr (BawnTxn) after = begin (f);

  assert_value (after, "sent", "v");
  assert_value (after, "k", "-");
  assert_value (after, "quick", "v");
}

static void
test_a_commit_is_not_given_up_at_once (Fixture *f, gconstpointer data)
{
  Sending held;

  hold_a_batch (f, &held);
  bawn_store_give_up (f->store, G_TIME_SPAN_HOUR);
  bawn_backend_fault_release (f->fault);
  arrive (&held);

  g_assert_cmpuint (bawn_store_get_epoch (f->store), !=, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func) g_test_add ("/storage/store/" name, Fixture, NULL, set_up, func, tear_down)

  ADD ("a-write-is-read-back", test_a_write_is_read_back);
  ADD ("empty-is-not-absent", test_empty_is_not_absent);
  ADD ("own-writes-are-seen", test_own_writes_are_seen);
  ADD ("a-scope-is-the-same-transaction", test_a_scope_is_the_same_transaction);
  ADD ("a-cold-read-would-block", test_a_cold_read_would_block);
  ADD ("a-warm-read-asks-nobody", test_a_warm_read_asks_nobody);
  ADD ("bad-keys-are-refused", test_bad_keys_are_refused);
  ADD ("dropping-a-bad-write-forgives-it", test_dropping_a_bad_write_forgives_it);
  ADD ("a-transaction-ends-with-its-commit", test_a_transaction_ends_with_its_commit);
  ADD ("a-failing-storage-is-not-remembered", test_a_failing_storage_is_not_remembered);
  ADD ("a-stale-read-conflicts", test_a_stale_read_conflicts);
  ADD ("a-read-of-another-key-does-not-conflict", test_a_read_of_another_key_does_not_conflict);
  ADD ("a-blind-write-never-conflicts", test_a_blind_write_never_conflicts);
  ADD ("a-listing-conflicts-with-a-new-key", test_a_listing_conflicts_with_a_new_key);
  ADD ("a-listing-stands-when-a-known-key-changes", test_a_listing_stands_when_a_known_key_changes);
  ADD ("reads-alone-are-judged-too", test_reads_alone_are_judged_too);
  ADD ("reads-without-a-term-cannot-be-judged", test_reads_without_a_term_cannot_be_judged);
  ADD ("reads-before-a-term-are-stale-in-it", test_reads_before_a_term_are_stale_in_it);
  ADD ("waiting-writes-go-together", test_waiting_writes_go_together);
  ADD ("the-later-of-two-blind-writes-wins", test_the_later_of_two_blind_writes_wins);
  ADD ("a-reader-of-the-batch-waits-and-conflicts", test_a_reader_of_the_batch_waits_and_conflicts);
  ADD ("a-reader-before-its-writer-may-go-with-it", test_a_reader_before_its_writer_may_go_with_it);
  ADD ("a-batch-stays-within-the-limits", test_a_batch_stays_within_the_limits);
  ADD ("too-much-for-the-storage-is-refused-unsent",
       test_too_much_for_the_storage_is_refused_unsent);
  ADD ("a-waiting-commit-can-be-taken-back", test_a_waiting_commit_can_be_taken_back);
  ADD ("the-queue-is-bounded", test_the_queue_is_bounded);
  ADD ("a-refusal-reaches-all-of-the-batch", test_a_refusal_reaches_all_of_the_batch);
  ADD ("what-is-too-large-together-is-committed-one-by-one",
       test_too_large_together_is_not_too_large);
  ADD ("a-lost-answer-of-a-commit-that-got-in", test_a_lost_answer_of_a_commit_that_got_in);
  ADD ("a-lost-commit-is-sent-again", test_a_lost_commit_is_sent_again);
  ADD ("a-silent-storage-is-asked-until-it-answers",
       test_a_silent_storage_is_asked_until_it_answers);
  ADD ("a-late-copy-of-a-resent-commit-changes-nothing",
       test_a_late_copy_of_a_resent_commit_changes_nothing);
  ADD ("a-conflict-with-itself-is-no-deposition", test_a_conflict_with_itself_is_no_deposition);
  ADD ("a-write-before-a-takeover-is-acknowledged", test_a_write_before_a_takeover_is_acknowledged);
  ADD ("a-write-behind-a-takeover-is-not-in", test_a_write_behind_a_takeover_is_not_in);
  ADD ("after-two-takeovers-nobody-can-tell", test_after_two_takeovers_nobody_can_tell);
  ADD ("an-older-term-can-write-nothing", test_an_older_term_can_write_nothing);
  ADD ("a-deposed-node-can-come-back", test_a_deposed_node_can_come_back);
  ADD ("a-term-needs-a-later-epoch", test_a_term_needs_a_later_epoch);
  ADD ("a-lost-answer-does-not-lose-the-fence", test_a_lost_answer_does_not_lose_the_fence);
  ADD ("a-damaged-fence-is-not-taken", test_a_damaged_fence_is_not_taken);
  ADD ("closing-lets-the-batch-end-and-refuses-the-rest",
       test_closing_lets_the_batch_end_and_refuses_the_rest);
  ADD ("closing-does-not-wait-for-ever", test_closing_does_not_wait_for_ever);
  ADD ("a-commit-that-is-not-answered-can-be-given-up",
       test_a_commit_that_is_not_answered_can_be_given_up);
  ADD ("one-read-from-memory-ends-with-its-term", test_one_read_from_memory_ends_with_its_term);
  ADD ("what-was-given-up-is-not-sent-again", test_what_was_given_up_is_not_sent_again);
  ADD ("a-commit-can-be-waited-for-within-bounds", test_a_commit_can_be_waited_for_within_bounds);
  ADD ("a-commit-is-not-given-up-at-once", test_a_commit_is_not_given_up_at_once);
  return g_test_run ();
}
