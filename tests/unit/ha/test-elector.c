/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-lock.h"
#include "ha/bawn-ha-lease.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-contract.h"
#include "tests/unit/ha/bawn-ha-client.h"

#include <glib/gstdio.h>

/* The elector with its threads, real time and a storage in memory. What depends on the order of
 * things is tested without threads, in test-ha-node and test-ha-schedule. */

GType bawn_backend_memory_get_type (void);

/* Long enough for a machine under valgrind to renew in time, short enough to wait for its end now
 * and then. */
#define TTL_US (G_USEC_PER_SEC)
#define LONG_TTL_US (30 * G_USEC_PER_SEC)

typedef struct
{
  BawnBackend *storage;
  BawnBackendFault *fault;
  BawnTestClient *client;
  BawnElector *elector;
} Node;

static void
node_init (Node *node, BawnBackend *storage, const char *name, gint64 ttl_us, const char *file)
{
  g_autofree char *id = g_uuid_string_random ();
  const BawnElectorOptions options = {
    .node_id = id, .node_name = name, .ttl_us = ttl_us, .lease_file = file
  };

  node->storage = g_object_ref (storage);
  node->fault = bawn_backend_fault_new (storage);
  node->client = bawn_test_client_new ();
  node->elector =
      bawn_elector_new (BAWN_HA_BACKEND (node->fault), &options, &bawn_test_client, node->client);
}

static void
node_clear (Node *node)
{
  bawn_elector_stop (node->elector, "the test is over");
  g_clear_object (&node->elector);
  g_clear_object (&node->fault);
  g_clear_object (&node->storage);
  g_clear_pointer (&node->client, bawn_test_client_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Node, node_clear)

static BawnBackend *
make_storage (void)
{
  return g_initable_new (bawn_backend_memory_get_type (), NULL, NULL, NULL);
}

static void
start (Node *node)
{
  bawn_elector_start (node->elector);
}

static BawnHaState
state_of (Node *node)
{
  g_auto (BawnElectorInfo) info = { 0 };

  bawn_elector_get_info (node->elector, &info);
  return info.state;
}

/* By its own account, which comes a moment after what the client was asked for. */
static void
await_state (Node *node, BawnHaState state)
{
  gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

  while (state_of (node) != state)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (500);
    }
}

static void
read_lock (BawnBackend *storage, BawnHaLock *out_lock)
{
  g_autoptr (GBytes) text = NULL;
  guint64 version = 0;

  assert_works (bawn_backend_get (storage, BAWN_ELECTOR_LOCK_KEY, &text, &version, NULL, &error));
  g_assert_nonnull (text);
  assert_works (bawn_ha_lock_parse (text, out_lock, &error));
}

static void
assert_lock (BawnBackend *storage, guint64 epoch, gboolean held, const char *name)
{
  g_auto (BawnHaLock) lock = { 0 };

  read_lock (storage, &lock);
  g_assert_cmpuint (lock.epoch, ==, epoch);
  g_assert_cmpint (lock.held, ==, held);
  g_assert_cmpstr (lock.name, ==, name);
}

static void
test_alone (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (BawnElectorInfo) info = { 0 };

  node_init (&a, storage, "https://a:8200", LONG_TTL_US, NULL);
  g_assert_false (bawn_elector_lease_is_valid (a.elector));
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  g_assert_true (a.client->serving);
  g_assert_true (bawn_elector_lease_is_valid (a.elector));
  assert_lock (storage, 1, TRUE, "https://a:8200");
  bawn_elector_get_info (a.elector, &info);
  g_assert_cmpuint (info.epoch, ==, 1);
  g_assert_cmpuint (info.promotions, ==, 1);
  g_assert_cmpstr (info.lock_name, ==, "https://a:8200");
  g_assert_true (info.storage_answers);

  bawn_elector_stop (a.elector, "enough");
  g_assert_cmpint (state_of (&a), ==, BAWN_HA_STOPPED);
  g_assert_cmpstr (a.client->reason, ==, "enough");
  g_assert_false (bawn_elector_lease_is_valid (a.elector));
  assert_lock (storage, 1, FALSE, "https://a:8200");
}

static void
test_again (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  a.client->floor = 41;
  for (guint64 epoch = 42; epoch < 45; epoch++)
    {
      start (&a);
      start (&a);
      await_state (&a, BAWN_HA_ACTIVE);
      assert_lock (storage, epoch, TRUE, "a");
      bawn_elector_stop (a.elector, "for now");
      bawn_elector_stop (a.elector, "for now");
      assert_lock (storage, epoch, FALSE, "a");
    }
}

static void
test_hand_over (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (Node) b = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  node_init (&b, storage, "b", LONG_TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  start (&b);
  await_state (&b, BAWN_HA_STANDBY);
  assert_fails (bawn_elector_step_down (b.elector, NULL, "no", &error), BAWN_ERROR_STANDBY);
  assert_fails (bawn_elector_step_down (a.elector, "a", "no", &error), BAWN_ERROR_INVALID);
  assert_fails (bawn_elector_step_down (a.elector, "", "no", &error), BAWN_ERROR_INVALID);

  assert_works (bawn_elector_step_down (a.elector, NULL, "asked for", &error));
  await_state (&b, BAWN_HA_ACTIVE);
  g_assert_false (bawn_elector_lease_is_valid (a.elector));
  await_state (&a, BAWN_HA_STANDBY);
  assert_lock (storage, 2, TRUE, "b");

  /* a sees that somebody else has taken over, and does not hold back when it is needed. */
  assert_works (bawn_elector_step_down (b.elector, "a", "asked for", &error));
  await_state (&a, BAWN_HA_ACTIVE);
  assert_lock (storage, 3, TRUE, "a");
}

static void
test_expiry (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (Node) b = { 0 };

  node_init (&a, storage, "a", TTL_US, NULL);
  node_init (&b, storage, "b", TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);

  /* Its renewals hang in the storage; nothing else of it does. */
  bawn_backend_fault_hold (a.fault, BAWN_FAULT_COMMIT, FALSE);
  start (&b);
  bawn_backend_fault_await_held (a.fault);
  await_state (&b, BAWN_HA_ACTIVE);
  g_assert_false (bawn_elector_lease_is_valid (a.elector));
  g_assert_true (a.client->serving);

  bawn_backend_fault_release (a.fault);
  bawn_test_client_await_count (a.client, &a.client->withdrawals, 1);
  await_state (&a, BAWN_HA_STANDBY);
  assert_lock (storage, 2, TRUE, "b");
}

static void
test_resume (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

  node_init (&a, storage, "a", TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  bawn_backend_fault_hold (a.fault, BAWN_FAULT_COMMIT, FALSE);
  bawn_backend_fault_await_held (a.fault);
  while (bawn_elector_lease_is_valid (a.elector))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  g_assert_cmpint (state_of (&a), ==, BAWN_HA_ACTIVE);

  bawn_backend_fault_release (a.fault);
  while (!bawn_elector_lease_is_valid (a.elector))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  g_assert_cmpint (state_of (&a), ==, BAWN_HA_ACTIVE);
  g_assert_cmpuint (a.client->promotions, ==, 1);
  assert_lock (storage, 1, TRUE, "a");
}

static void
test_renewals_do_not_wait (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  guint commits = 0;
  gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

  node_init (&a, storage, "a", TTL_US, NULL);
  a.client->hold_promote = TRUE;
  a.client->hold_withdraw = TRUE;
  start (&a);
  bawn_test_client_await (a.client, &a.client->promoting, TRUE);
  for (commits = bawn_backend_fault_count (a.fault, BAWN_FAULT_COMMIT) + 3;
       bawn_backend_fault_count (a.fault, BAWN_FAULT_COMMIT) < commits;)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  g_assert_cmpint (state_of (&a), ==, BAWN_HA_PROMOTING);

  bawn_test_client_set (a.client, &a.client->hold_promote, FALSE);
  await_state (&a, BAWN_HA_ACTIVE);
  assert_works (bawn_elector_step_down (a.elector, NULL, "asked for", &error));
  bawn_test_client_await (a.client, &a.client->withdrawing, TRUE);
  for (commits = bawn_backend_fault_count (a.fault, BAWN_FAULT_COMMIT) + 3;
       bawn_backend_fault_count (a.fault, BAWN_FAULT_COMMIT) < commits;)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_usleep (1000);
    }
  assert_lock (storage, 1, TRUE, "a");
  bawn_test_client_set (a.client, &a.client->hold_withdraw, FALSE);
  await_state (&a, BAWN_HA_STANDBY);
}

static void
test_cancelled_promotion (gconstpointer data)
{
  gboolean ignores = GPOINTER_TO_INT (data);
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  a.client->hold_promote = TRUE;
  a.client->ignore_cancel = ignores;
  start (&a);
  bawn_test_client_await (a.client, &a.client->promoting, TRUE);
  assert_works (bawn_elector_step_down (a.elector, NULL, "asked for", &error));
  bawn_test_client_await (a.client, &a.client->was_cancelled, TRUE);
  assert_fails (bawn_elector_step_down (a.elector, NULL, "again", &error), BAWN_ERROR_STANDBY);

  /* One that succeeds all the same is withdrawn. */
  bawn_test_client_set (a.client, &a.client->hold_promote, FALSE);
  await_state (&a, BAWN_HA_STANDBY);
  g_assert_cmpuint (a.client->withdrawals, ==, ignores ? 1 : 0);
  assert_lock (storage, 1, FALSE, "a");
}

static void
test_stop_while_promoting (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  a.client->hold_promote = TRUE;
  start (&a);
  bawn_test_client_await (a.client, &a.client->promoting, TRUE);
  bawn_elector_stop (a.elector, "sealed");
  g_assert_true (a.client->was_cancelled);
  assert_lock (storage, 1, FALSE, "a");
}

static void
test_stop_while_waiting (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (Node) b = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  node_init (&b, storage, "b", LONG_TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  start (&b);
  await_state (&b, BAWN_HA_STANDBY);
  bawn_elector_stop (b.elector, "sealed");
  g_assert_cmpint (state_of (&b), ==, BAWN_HA_STOPPED);
  assert_lock (storage, 1, TRUE, "a");
}

static void
test_failed_promotion (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (Node) b = { 0 };
  g_auto (BawnElectorInfo) info = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  node_init (&b, storage, "b", LONG_TTL_US, NULL);
  a.client->fail_promote = 1;
  a.client->hold_promote = TRUE;
  start (&a);
  bawn_test_client_await (a.client, &a.client->promoting, TRUE);
  start (&b);
  await_state (&b, BAWN_HA_STANDBY);
  bawn_test_client_set (a.client, &a.client->hold_promote, FALSE);
  await_state (&b, BAWN_HA_ACTIVE);
  bawn_elector_get_info (a.elector, &info);
  g_assert_cmpuint (info.promotion_failures, ==, 1);
  g_assert_cmpuint (a.client->withdrawals, ==, 0);

  bawn_elector_stop (b.elector, "sealed");
  await_state (&a, BAWN_HA_ACTIVE);
  assert_lock (storage, 3, TRUE, "a");
}

static void
test_alone_after_failures (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  a.client->fail_promote = 2;
  a.client->fail_floor = 2;
  bawn_backend_fault_fail (a.fault, BAWN_FAULT_GET, 0, 2, BAWN_ERROR_UPSTREAM);
  bawn_backend_fault_fail (a.fault, BAWN_FAULT_COMMIT, 0, 2, BAWN_ERROR_UPSTREAM);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  assert_lock (storage, 3, TRUE, "a");
}

static void
test_unknown_take (gconstpointer data)
{
  gboolean applied = GPOINTER_TO_INT (data);
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  bawn_backend_fault_lose (a.fault, 0, 1, applied);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);

  /* No two takes are of the same epoch. */
  assert_lock (storage, applied ? 1 : 2, TRUE, "a");
}

static void
test_unknown_release (gconstpointer data)
{
  gboolean applied = GPOINTER_TO_INT (data);
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  bawn_backend_fault_lose (a.fault, 0, 1, applied);
  bawn_elector_stop (a.elector, "sealed");
  assert_lock (storage, 1, FALSE, "a");
}

static void
test_deposed (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };
  g_auto (BawnElectorInfo) info = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  bawn_elector_deposed (a.elector, 7);
  g_assert_cmpint (state_of (&a), ==, BAWN_HA_ACTIVE);

  /* Another node has written with a later fence; the lock's storage does not know of it. */
  g_mutex_lock (&a.client->lock);
  a.client->floor = 7;
  g_mutex_unlock (&a.client->lock);
  bawn_elector_deposed (a.elector, 1);
  g_assert_false (bawn_elector_lease_is_valid (a.elector));
  bawn_test_client_await_count (a.client, &a.client->promotions, 2);
  await_state (&a, BAWN_HA_ACTIVE);
  g_assert_cmpuint (a.client->withdrawals, ==, 1);
  assert_lock (storage, 8, TRUE, "a");
  bawn_elector_get_info (a.elector, &info);
  g_assert_cmpuint (info.depositions, ==, 1);
}

static void
test_changed (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  g_auto (Node) a = { 0 };

  node_init (&a, storage, "a", LONG_TTL_US, NULL);
  start (&a);
  await_state (&a, BAWN_HA_ACTIVE);
  bawn_test_client_await_count (a.client, &a.client->changes, 1);
  bawn_elector_stop (a.elector, "sealed");

  guint before = a.client->changes;

  start (&a);
  bawn_test_client_await_count (a.client, &a.client->changes, before + 1);
}

static void
test_three (void)
{
  g_autoptr (BawnBackend) storage = make_storage ();
  Node nodes[3] = { 0 };
  guint64 rounds = bawn_contract_scale ("BAWN_HA_ROUNDS", 20);

  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *name = g_strdup_printf ("node-%u", i);

      node_init (&nodes[i], storage, name, LONG_TTL_US, NULL);
      start (&nodes[i]);
    }
  for (guint64 round = 1; round <= rounds; round++)
    {
      guint active = 0;
      gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

      while (state_of (&nodes[active]) != BAWN_HA_ACTIVE)
        {
          g_assert_cmpint (g_get_monotonic_time (), <, end);
          active = (active + 1) % 3;
        }
      for (guint i = 0; i < 3; i++)
        g_assert_cmpint (bawn_elector_lease_is_valid (nodes[i].elector), ==, i == active);

      g_auto (BawnHaLock) lock = { 0 };

      read_lock (storage, &lock);
      g_assert_cmpuint (lock.epoch, ==, round);
      assert_works (bawn_elector_step_down (nodes[active].elector, NULL, "the next", &error));
    }
  for (guint i = 0; i < 3; i++)
    node_clear (&nodes[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ha/elector/a-node-alone-becomes-active-and-lets-go", test_alone);
  g_test_add_func ("/ha/elector/it-can-be-started-again-in-a-later-epoch", test_again);
  g_test_add_func ("/ha/elector/a-step-down-hands-over", test_hand_over);
  g_test_add_func ("/ha/elector/a-lease-that-is-not-renewed-is-taken-over", test_expiry);
  g_test_add_func ("/ha/elector/a-late-renewal-goes-on-in-the-same-epoch", test_resume);
  g_test_add_func ("/ha/elector/renewals-do-not-wait-for-the-client", test_renewals_do_not_wait);
  g_test_add_data_func ("/ha/elector/a-promotion-is-given-up-for-a-step-down",
                        GINT_TO_POINTER (FALSE), test_cancelled_promotion);
  g_test_add_data_func ("/ha/elector/a-promotion-that-was-not-given-up-is-withdrawn",
                        GINT_TO_POINTER (TRUE), test_cancelled_promotion);
  g_test_add_func ("/ha/elector/a-stop-gives-up-a-promotion", test_stop_while_promoting);
  g_test_add_func ("/ha/elector/a-stop-ends-a-wait", test_stop_while_waiting);
  g_test_add_func ("/ha/elector/a-failed-promotion-gives-others-their-chance",
                   test_failed_promotion);
  g_test_add_func ("/ha/elector/failures-do-not-end-a-candidacy", test_alone_after_failures);
  g_test_add_data_func ("/ha/elector/a-take-whose-answer-was-lost-counts", GINT_TO_POINTER (TRUE),
                        test_unknown_take);
  g_test_add_data_func ("/ha/elector/a-take-that-was-lost-is-repeated", GINT_TO_POINTER (FALSE),
                        test_unknown_take);
  g_test_add_data_func ("/ha/elector/a-release-whose-answer-was-lost-counts",
                        GINT_TO_POINTER (TRUE), test_unknown_release);
  g_test_add_data_func ("/ha/elector/a-release-that-was-lost-is-repeated", GINT_TO_POINTER (FALSE),
                        test_unknown_release);
  g_test_add_func ("/ha/elector/a-refused-fence-ends-the-term", test_deposed);
  g_test_add_func ("/ha/elector/changes-are-told", test_changed);
  g_test_add_func ("/ha/elector/three-nodes-hand-the-lease-round", test_three);
  return g_test_run ();
}
