/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"

#include "storage/bawn-ha-backend.h"

/* What only those storages promise that can be elected through; the others pass. */

/* More than any storage's parallel calls in a test. */
#define N_WAITERS 16
#define LONG_US (G_USEC_PER_SEC * 60)
/* How often an asked wait may return for no reason before we call that polling. */
#define FOR_NO_REASON 100

typedef struct
{
  BawnHaBackend *backend;
  GCancellable *cancellable;
  const char *key;
  guint64 version;
  gint ended;
} Waiter;

/* Until the key has another version; a storage may return earlier. */
static gpointer
wait_for_change (gpointer data)
{
  Waiter *waiter = data;
  guint rounds = 0;

  do
    {
      assert_works (bawn_ha_backend_wait (waiter->backend, waiter->key, waiter->version, LONG_US,
                                          waiter->cancellable, &error));
      g_assert_cmpuint (rounds++, <, FOR_NO_REASON);
    }
  while (bawn_contract_version (BAWN_BACKEND (waiter->backend), waiter->key) == waiter->version);

  g_atomic_int_set (&waiter->ended, 1);
  return NULL;
}

static gpointer
wait_for_end (gpointer data)
{
  Waiter *waiter = data;
  g_autoptr (GError) local = NULL;

  while (bawn_ha_backend_wait (waiter->backend, waiter->key, waiter->version, LONG_US,
                               waiter->cancellable, &local))
    continue;

  g_assert_error (local, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  return NULL;
}

/* @change is seen by somebody who waits through another handle. */
static void
expect_wake (BawnContract *c, void (*change) (BawnBackend *backend, const char *key))
{
  if (!BAWN_IS_HA_BACKEND (c->backend))
    return;

  g_autoptr (BawnBackend) other = bawn_contract_open (c);
  Waiter waiter = { .backend = BAWN_HA_BACKEND (other), .key = "core/lock" };

  waiter.version = bawn_contract_version (c->backend, waiter.key);

  GThread *thread = g_thread_new ("waiter", wait_for_change, &waiter);

  bawn_contract_put (c->backend, "another", "does not matter");
  g_assert_false (g_atomic_int_get (&waiter.ended));
  change (c->backend, waiter.key);
  g_thread_join (thread);
}

static void
write_once (BawnBackend *backend, const char *key)
{
  bawn_contract_put (backend, key, "new");
}

static void
test_created (BawnContract *c)
{
  expect_wake (c, write_once);
}

static void
test_changed (BawnContract *c)
{
  bawn_contract_put (c->backend, "core/lock", "old");
  expect_wake (c, write_once);
}

static void
test_same_value (BawnContract *c)
{
  bawn_contract_put (c->backend, "core/lock", "new");
  expect_wake (c, write_once);
}

static void
test_deleted (BawnContract *c)
{
  bawn_contract_put (c->backend, "core/lock", "old");
  expect_wake (c, bawn_contract_delete);
}

static void
test_late (BawnContract *c)
{
  if (!BAWN_IS_HA_BACKEND (c->backend))
    return;

  Waiter waiter = { .backend = BAWN_HA_BACKEND (c->backend), .key = "core/lock" };

  bawn_contract_put (c->backend, waiter.key, "old");
  waiter.version = bawn_contract_version (c->backend, waiter.key);
  bawn_contract_put (c->backend, waiter.key, "new");
  wait_for_change (&waiter);

  bawn_contract_delete (c->backend, waiter.key);
  wait_for_change (&waiter);
}

static void
test_timeout (BawnContract *c)
{
  if (!BAWN_IS_HA_BACKEND (c->backend))
    return;

  BawnHaBackend *backend = BAWN_HA_BACKEND (c->backend);

  assert_works (bawn_ha_backend_wait (backend, "core/lock", 0, 0, NULL, &error));
  assert_works (bawn_ha_backend_wait (backend, "core/lock", 0, 1000, NULL, &error));
  bawn_contract_put (c->backend, "core/lock", "old");

  guint64 version = bawn_contract_version (c->backend, "core/lock");

  assert_works (bawn_ha_backend_wait (backend, "core/lock", version, 20000, NULL, &error));
}

static void
test_cancel (BawnContract *c)
{
  if (!BAWN_IS_HA_BACKEND (c->backend))
    return;

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Waiter waiter = { BAWN_HA_BACKEND (c->backend), cancellable, "core/lock", 0, 0 };
  GThread *thread = g_thread_new ("waiter", wait_for_end, &waiter);

  g_thread_yield ();
  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
}

/* Waits take nothing away from calls, however many they are. */
static void
test_many (BawnContract *c)
{
  if (!BAWN_IS_HA_BACKEND (c->backend))
    return;

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Waiter waiters[N_WAITERS];
  GThread *threads[N_WAITERS];

  for (guint i = 0; i < N_WAITERS; i++)
    {
      waiters[i] = (Waiter){ BAWN_HA_BACKEND (c->backend), cancellable, "core/lock", 0, 0 };
      threads[i] = g_thread_new ("waiter", wait_for_change, &waiters[i]);
    }
  for (guint i = 0; i < N_WAITERS; i++)
    {
      bawn_contract_put (c->backend, "another", "value");
      assert_entry (c->backend, "another", "value");
    }
  bawn_contract_put (c->backend, "core/lock", "new");
  for (guint i = 0; i < N_WAITERS; i++)
    g_thread_join (threads[i]);
}

void
bawn_contract_add_wait (const BawnContractTarget *target)
{
  bawn_contract_add (target, "wait/ends-when-the-key-is-made", test_created);
  bawn_contract_add (target, "wait/ends-when-the-key-is-written", test_changed);
  bawn_contract_add (target, "wait/ends-when-the-same-value-is-written", test_same_value);
  bawn_contract_add (target, "wait/ends-when-the-key-is-deleted", test_deleted);
  bawn_contract_add (target, "wait/sees-a-change-from-before-it-began", test_late);
  bawn_contract_add (target, "wait/ends-with-its-time", test_timeout);
  bawn_contract_add (target, "wait/ends-when-it-is-cancelled", test_cancel);
  bawn_contract_add (target, "wait/of-many-leaves-room-for-calls", test_many);
}
