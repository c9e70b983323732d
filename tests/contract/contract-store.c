/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-store.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

#define N_ACCOUNTS 6
#define START_BALANCE 100
#define N_TELLERS 4
#define N_TRANSFERS 60
#define N_LOSSES 40

static BawnStore *
open_store (BawnBackend *backend)
{
  BawnStore *store = bawn_store_new (backend, BAWN_STORE_CACHE_DEFAULT);

  assert_works (bawn_store_open_term (store, 0, NULL, &error));
  return store;
}

static gboolean
get_number (BawnTxn *txn, const char *key, gint64 *out_number, GError **error)
{
  g_autoptr (GBytes) value = NULL;

  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;

  g_autofree char *text = value != NULL
                              ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value))
                              : g_strdup ("0");

  *out_number = g_ascii_strtoll (text, NULL, 10);
  return TRUE;
}

static void
put_number (BawnTxn *txn, const char *key, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

static char *
account (guint i)
{
  return g_strdup_printf ("account/%u", i);
}

typedef struct
{
  BawnStore *store;
  GRand *rand;
  gint *stop;
} Teller;

static gboolean
transfer (BawnTxn *txn, GRand *rand, GError **error)
{
  guint first = (guint) g_rand_int_range (rand, 0, N_ACCOUNTS);
  g_autofree char *from = account (first);
  g_autofree char *to =
      account ((first + 1 + (guint) g_rand_int_range (rand, 0, N_ACCOUNTS - 1)) % N_ACCOUNTS);
  gint64 amount = g_rand_int_range (rand, 1, 30);
  gint64 has = 0;
  gint64 gets = 0;

  if (!get_number (txn, from, &has, error) || !get_number (txn, to, &gets, error))
    return FALSE;
  if (has < amount)
    return bawn_fail (error, BAWN_ERROR_CONFLICT, "not enough");

  put_number (txn, from, has - amount);
  put_number (txn, to, gets + amount);
  return bawn_txn_commit (txn, error);
}

static gpointer
teller_thread (gpointer data)
{
  Teller *teller = data;

  for (guint done = 0; done < N_TRANSFERS;)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (teller->store, NULL, TRUE);
      g_autoptr (GError) error = NULL;

      if (transfer (txn, teller->rand, &error))
        done++;
      else
        g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
    }
  return NULL;
}

/* TRUE if the books could be read at one moment; then they must be right. */
static gboolean
audit (BawnStore *store)
{
  g_autoptr (BawnTxn) txn = bawn_store_begin (store, NULL, TRUE);
  g_autoptr (GError) stale = NULL;
  gint64 sum = 0;

  for (guint i = 0; i < N_ACCOUNTS; i++)
    {
      g_autofree char *name = account (i);
      gint64 balance = 0;

      assert_works (get_number (txn, name, &balance, &error));
      sum += balance;
    }
  if (!bawn_txn_validate (txn, &stale))
    {
      g_assert_error (stale, BAWN_ERROR, BAWN_ERROR_CONFLICT);
      return FALSE;
    }

  g_assert_cmpint (sum, ==, N_ACCOUNTS * START_BALANCE);
  return TRUE;
}

static gpointer
auditor_thread (gpointer data)
{
  Teller *auditor = data;

  while (!g_atomic_int_get (auditor->stop))
    audit (auditor->store);
  return NULL;
}

static void
test_bank (BawnContract *c)
{
  g_autoptr (BawnStore) store = open_store (c->backend);
  g_autoptr (BawnTxn) opening = bawn_store_begin (store, NULL, TRUE);
  Teller tellers[N_TELLERS];
  GThread *threads[N_TELLERS];
  gint stop = 0;
  Teller auditor = { store, NULL, &stop };

  for (guint i = 0; i < N_ACCOUNTS; i++)
    {
      g_autofree char *name = account (i);

      put_number (opening, name, START_BALANCE);
    }
  assert_works (bawn_txn_commit (opening, &error));
  for (guint i = 0; i < N_TELLERS; i++)
    {
      tellers[i] = (Teller){ store, g_rand_new_with_seed ((guint32) g_test_rand_int ()), NULL };
      threads[i] = g_thread_new ("teller", teller_thread, &tellers[i]);
    }

  GThread *watching = g_thread_new ("auditor", auditor_thread, &auditor);

  for (guint i = 0; i < N_TELLERS; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (tellers[i].rand);
    }
  g_atomic_int_set (&stop, 1);
  g_thread_join (watching);
  g_assert_true (audit (store));
}

/* Whatever becomes of an answer, what was acknowledged is in once, and nothing else. */
static void
test_lost_answers (BawnContract *c)
{
  g_autoptr (BawnBackendFault) fault = bawn_backend_fault_new (c->backend);
  g_autoptr (BawnStore) store = open_store (BAWN_BACKEND (fault));
  BawnStoreStats stats = { 0 };

  for (gint64 i = 0; i < N_LOSSES; i++)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (store, NULL, TRUE);
      gint64 number = 0;

      assert_works (get_number (txn, "counter", &number, &error));
      g_assert_cmpint (number, ==, i);
      put_number (txn, "counter", number + 1);
      bawn_backend_fault_lose (fault, 0, (guint) g_test_rand_int_range (1, 3), g_test_rand_bit ());
      if (g_test_rand_bit ())
        bawn_backend_fault_fail (fault, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);
      assert_works (bawn_txn_commit (txn, &error));
      bawn_backend_fault_fail (fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
    }

  bawn_store_get_stats (store, &stats);
  g_assert_cmpuint (stats.unknown, ==, N_LOSSES);
  g_assert_cmpuint (stats.commits, ==, N_LOSSES);
}

static void
test_fence (BawnContract *c)
{
  g_autoptr (BawnBackend) other = bawn_contract_open (c);
  g_autoptr (BawnStore) old = open_store (c->backend);
  g_autoptr (BawnTxn) warm = bawn_store_begin (old, NULL, TRUE);
  g_autoptr (BawnTxn) late = bawn_store_begin (old, NULL, TRUE);
  g_autoptr (BawnStore) fresh = NULL;

  put_number (warm, "k", 1);
  assert_works (bawn_txn_commit (warm, &error));
  put_number (late, "k", 2);
  fresh = open_store (other);
  g_assert_cmpuint (bawn_store_get_epoch (fresh), ==, bawn_store_get_epoch (old) + 1);
  assert_fails (bawn_txn_commit (late, &error), BAWN_ERROR_DEPOSED);
  assert_entry (c->backend, "k", "1");
}

/* Two that take the fence at once never hold the same epoch. */
typedef struct
{
  BawnStore *store;
  guint64 epoch;
} Rival;

static gpointer
rival_thread (gpointer data)
{
  Rival *rival = data;

  assert_works (bawn_store_open_term (rival->store, 0, NULL, &error));
  rival->epoch = bawn_store_get_epoch (rival->store);
  return NULL;
}

static void
test_rivals (BawnContract *c)
{
  g_autoptr (BawnBackend) other = bawn_contract_open (c);

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (BawnStore) a = bawn_store_new (c->backend, 0);
      g_autoptr (BawnStore) b = bawn_store_new (other, 0);
      Rival rivals[] = { { a, 0 }, { b, 0 } };
      GThread *threads[] = { g_thread_new ("rival", rival_thread, &rivals[0]),
                             g_thread_new ("rival", rival_thread, &rivals[1]) };

      g_thread_join (threads[0]);
      g_thread_join (threads[1]);
      g_assert_cmpuint (rivals[0].epoch + rivals[1].epoch, ==, (2 * i + 1) + (2 * i + 2));
      g_assert_cmpuint (rivals[0].epoch, !=, rivals[1].epoch);
    }
}

void
bawn_contract_add_store (const BawnContractTarget *target)
{
  bawn_contract_add (target, "money-is-neither-made-nor-lost", test_bank);
  bawn_contract_add (target, "a-lost-answer-is-found-out", test_lost_answers);
  bawn_contract_add (target, "a-new-term-fences-the-old-one-off", test_fence);
  bawn_contract_add (target, "two-who-take-the-fence-get-two-epochs", test_rivals);
}
