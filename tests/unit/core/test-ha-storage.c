/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"
#include "core/bawn-ha.h"
#include "crypto/bawn-crypto.h"
#include "storage/bawn-fence.h"
#include "tests/contract/bawn-backend-fault.h"
#include "util/bawn-log.h"

#include <string.h>

/* One of several nodes whose storages fail: that of the data, that of the lease, or both. */

/* Longer than a commit can take, and short enough to be waited for. */
#define PATIENCE_US (3 * G_USEC_PER_SEC)
#define ADDRESS "https://127.0.0.1:8200"

typedef struct
{
  BawnBackend *data;
  BawnBackend *elections;
  BawnBackendFault *data_fault;
  BawnBackendFault *lease_fault;
  CoreFixture node;
} Place;

static void
set_up (Place *p, gconstpointer data)
{
  p->data = core_fixture_new_backend ();
  p->node.patience_us = PATIENCE_US;
  p->elections = core_fixture_new_backend ();
  p->data_fault = bawn_backend_fault_new (p->data);
  p->lease_fault = bawn_backend_fault_new (p->elections);
  core_fixture_open_node (&p->node, BAWN_BACKEND (p->data_fault), BAWN_HA_BACKEND (p->lease_fault),
                          ADDRESS);
}

static void
tear_down (Place *p, gconstpointer data)
{
  core_fixture_close (&p->node);
  g_clear_object (&p->data_fault);
  g_clear_object (&p->lease_fault);
  g_clear_object (&p->data);
  g_clear_object (&p->elections);
}

static guint64
active_epoch (Place *p)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (p->node.core);

  return status->sealed || status->standby ? 0 : status->epoch;
}

static guint64
await_epoch_after (Place *p, guint64 epoch)
{
  while (active_epoch (p) <= epoch)
    g_usleep (1000);
  return active_epoch (p);
}

static void
set_lease_storage (Place *p, gboolean answers)
{
  guint times = answers ? 0 : G_MAXUINT;

  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_GET, 0, times, BAWN_ERROR_UPSTREAM);
  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_COMMIT, 0, times, BAWN_ERROR_UPSTREAM);
  bawn_backend_fault_fail (p->lease_fault, BAWN_FAULT_WAIT, 0, times, BAWN_ERROR_UPSTREAM);
}

static int
write_one (Place *p)
{
  return core_fixture_call (&p->node, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", p->node.root);
}

static int
read_one (Place *p)
{
  return core_fixture_call (&p->node, BAWN_OP_READ, "cubbyhole/a", NULL, p->node.root);
}

static void
test_a_write_in_doubt_ends_with_the_lease (Place *p, gconstpointer data)
{
  core_fixture_ready (&p->node, 1, 1);

  guint64 epoch = await_epoch_after (p, 0);

  bawn_backend_fault_hold (p->data_fault, BAWN_FAULT_COMMIT, FALSE);
  set_lease_storage (p, FALSE);
  g_assert_cmpint (write_one (p), ==, BAWN_ERROR_UNKNOWN_OUTCOME);
  /* Another node may be able to. */
  g_assert_cmpint (write_one (p), ==, BAWN_ERROR_STANDBY);

  /* It was written after all, and memory begins anew. */
  set_lease_storage (p, TRUE);
  bawn_backend_fault_release (p->data_fault);
  await_epoch_after (p, epoch);
  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (write_one (p), ==, CORE_FIXTURE_OK);
}

/* One share opens the node, before and after. */
static char *
begin_rekey (Place *p)
{
  g_autoptr (BawnResponse) response = NULL;

  g_assert_cmpint (core_fixture_ask (&p->node, BAWN_OP_UPDATE, "sys/rekey/init",
                                     "{\"secret_shares\":1,\"secret_threshold\":1}", NULL,
                                     &response, NULL),
                   ==, CORE_FIXTURE_OK);

  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);
  g_autoptr (BawnWipedString) share =
      bawn_hex_encode (bawn_secret_data (g_ptr_array_index (p->node.shares, 0)),
                       bawn_secret_size (g_ptr_array_index (p->node.shares, 0)));

  return g_strdup_printf ("{\"key\":\"%s\",\"nonce\":\"%s\"}", share,
                          bawn_json_get_string (bawn_json_root (json), "nonce", ""));
}

/* Unseals with what the answer hands out. */
static void
assert_opens (Place *p, BawnResponse *response)
{
  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);
  const BawnJsonNode *keys = bawn_json_get (bawn_json_root (json), "keys");
  g_autofree char *body = NULL;

  g_assert_nonnull (keys);
  body = g_strdup_printf ("{\"key\":\"%s\"}", bawn_json_index (keys, 0)->string);
  bawn_core_seal (p->node.core, "test");
  core_fixture_expect (&p->node, BAWN_OP_UPDATE, "sys/unseal", body, NULL);
  await_epoch_after (p, 0);
}

static gboolean
is_doubtful (BawnResponse *response)
{
  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);

  return bawn_json_get (bawn_json_root (json), "warnings") != NULL;
}

/* The node loses the lease, its term and its memory of the rekey while the storage keeps silent,
 * for so many questions. */
static BawnResponse *
rekey_in_silence (Place *p, guint n_questions)
{
  BawnResponse *response = NULL;

  core_fixture_ready (&p->node, 1, 1);
  await_epoch_after (p, 0);

  g_autofree char *body = begin_rekey (p);

  /* Has the seal's records read. */
  g_autofree char *wrong = g_strdup (body);
  memset (wrong + strlen ("{\"key\":\""), 'a', 8);
  g_assert_cmpint (core_fixture_call (&p->node, BAWN_OP_UPDATE, "sys/rekey/update", wrong, NULL),
                   ==, BAWN_ERROR_INVALID);

  bawn_backend_fault_lose (p->data_fault, 0, G_MAXUINT, TRUE);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, n_questions, BAWN_ERROR_UPSTREAM);
  set_lease_storage (p, FALSE);
  g_assert_cmpint (
      core_fixture_ask (&p->node, BAWN_OP_UPDATE, "sys/rekey/update", body, NULL, &response, NULL),
      ==, CORE_FIXTURE_OK);
  bawn_backend_fault_lose (p->data_fault, 0, 0, TRUE);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  set_lease_storage (p, TRUE);
  return response;
}

static void
test_a_rekey_finds_out_what_was_not_answered (Place *p, gconstpointer data)
{
  g_autoptr (BawnResponse) response = rekey_in_silence (p, 16);

  g_assert_false (is_doubtful (response));
  assert_opens (p, response);
}

static void
test_a_rekey_in_doubt_hands_out_its_shares (Place *p, gconstpointer data)
{
  g_autoptr (BawnResponse) response = rekey_in_silence (p, G_MAXUINT);

  g_assert_true (is_doubtful (response));
  assert_opens (p, response);
}

/* Init reads so much before its commit. */
#define READS_OF_INIT 5

/* The storage takes what init writes, and then fails to answer so many questions. */
static BawnResponse *
init_in_silence (Place *p, guint n_questions)
{
  g_autoptr (GError) error = NULL;
  BawnResponse *response = NULL;

  /* Until the node watches the storage, it asks at times of its own. */
  g_assert_true (bawn_core_load (p->node.core, &error));
  g_assert_no_error (error);
  while (bawn_backend_fault_count (p->data_fault, BAWN_FAULT_WAIT) == 0)
    g_usleep (1000);

  /* The first commit takes the fence. */
  bawn_backend_fault_lose (p->data_fault, 1, G_MAXUINT, TRUE);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, READS_OF_INIT, n_questions,
                           BAWN_ERROR_UPSTREAM);
  g_assert_cmpint (core_fixture_ask (&p->node, BAWN_OP_UPDATE, "sys/init",
                                     "{\"secret_shares\":1,\"secret_threshold\":1}", NULL,
                                     &response, NULL),
                   ==, CORE_FIXTURE_OK);
  bawn_backend_fault_lose (p->data_fault, 0, 0, TRUE);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  return response;
}

static void
test_init_finds_out_what_was_not_answered (Place *p, gconstpointer data)
{
  g_autoptr (BawnResponse) response = init_in_silence (p, 24);

  g_assert_false (is_doubtful (response));
  assert_opens (p, response);
}

static void
test_init_in_doubt_hands_out_its_shares (Place *p, gconstpointer data)
{
  g_autoptr (BawnResponse) response = init_in_silence (p, G_MAXUINT);

  g_assert_true (is_doubtful (response));
  assert_opens (p, response);
}

static int
give_share (Place *p, guint which)
{
  const BawnSecret *share = g_ptr_array_index (p->node.shares, which);
  g_autoptr (BawnWipedString) text =
      bawn_hex_encode (bawn_secret_data (share), bawn_secret_size (share));
  g_autofree char *body = g_strdup_printf ("{\"key\":\"%s\"}", text);

  return core_fixture_call (&p->node, BAWN_OP_UPDATE, "sys/unseal", body, NULL);
}

static guint
progress_of (Place *p)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (p->node.core);

  return status->progress;
}

/* The node's watch asks the storage at times of its own; here it has begun to wait, and asks no
 * more. */
static void
await_quiet (Place *p, guint n_waits)
{
  guint n_reads = 0;

  while (bawn_backend_fault_count (p->data_fault, BAWN_FAULT_WAIT) <= n_waits
         || bawn_backend_fault_count (p->data_fault, BAWN_FAULT_GET) != n_reads)
    {
      n_reads = bawn_backend_fault_count (p->data_fault, BAWN_FAULT_GET);
      g_usleep (100 * 1000);
    }
}

static void
begin_unseal (Place *p)
{
  core_fixture_ready (&p->node, 3, 3);
  await_epoch_after (p, 0);

  guint n_waits = bawn_backend_fault_count (p->data_fault, BAWN_FAULT_WAIT);

  bawn_core_seal (p->node.core, "test");
  await_quiet (p, n_waits);
  g_assert_cmpint (give_share (p, 0), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (give_share (p, 1), ==, CORE_FIXTURE_OK);
  g_assert_cmpuint (progress_of (p), ==, 2);
}

/* The three records are read, what comes after them is not. */
static void
test_an_unseal_outlasts_a_hiccup (Place *p, gconstpointer data)
{
  begin_unseal (p);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 3, 2, BAWN_ERROR_UPSTREAM);
  g_assert_cmpint (give_share (p, 2), ==, CORE_FIXTURE_OK);

  await_epoch_after (p, 0);
}

static void
test_the_last_share_can_be_given_again (Place *p, gconstpointer data)
{
  begin_unseal (p);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 3, G_MAXUINT, BAWN_ERROR_UPSTREAM);
  g_assert_cmpint (give_share (p, 2), ==, BAWN_ERROR_BUSY);
  g_assert_cmpuint (progress_of (p), ==, 2);

  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  g_assert_cmpint (give_share (p, 2), ==, CORE_FIXTURE_OK);
  await_epoch_after (p, 0);
}

/* Active, with something in memory, and without the lease. */
static void
lose_lease_storage (Place *p)
{
  core_fixture_ready (&p->node, 1, 1);
  await_epoch_after (p, 0);
  g_assert_cmpint (write_one (p), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
  set_lease_storage (p, FALSE);
  while (bawn_ha_may_serve (bawn_core_get_ha (p->node.core)))
    g_usleep (1000);
}

static void
test_the_fence_proves_reads_without_a_lease (Place *p, gconstpointer data)
{
  lose_lease_storage (p);

  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (write_one (p), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
  g_assert_false (bawn_ha_may_serve (bawn_core_get_ha (p->node.core)));
}

static void
test_the_fence_of_another_ends_reads (Place *p, gconstpointer data)
{
  BawnFence fence = { 0 };
  g_autoptr (GError) error = NULL;

  lose_lease_storage (p);
  g_assert_true (bawn_fence_take (p->data, 0, &fence, NULL, &error));
  g_assert_no_error (error);

  g_assert_cmpint (read_one (p), ==, BAWN_ERROR_STANDBY);
}

static void
test_no_storage_proves_nothing (Place *p, gconstpointer data)
{
  lose_lease_storage (p);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, G_MAXUINT, BAWN_ERROR_UPSTREAM);

  g_assert_cmpint (read_one (p), ==, BAWN_ERROR_STANDBY);
  bawn_backend_fault_fail (p->data_fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
  g_assert_cmpint (read_one (p), ==, CORE_FIXTURE_OK);
}

/* Each question serves all who were there when it began, and nobody who came later. */
static gpointer
read_many (gpointer data)
{
  for (guint i = 0; i < 200; i++)
    g_assert_cmpint (read_one (data), ==, CORE_FIXTURE_OK);
  return NULL;
}

static void
test_many_reads_share_a_question (Place *p, gconstpointer data)
{
  GThread *threads[4] = { NULL };

  lose_lease_storage (p);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("read", read_many, p);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
test_the_epoch_is_known_between_terms (Place *p, gconstpointer data)
{
  g_autoptr (BawnResponse) response = NULL;

  core_fixture_ready (&p->node, 1, 1);

  guint64 epoch = await_epoch_after (p, 0);

  bawn_core_hand_over (p->node.core, "test");
  g_assert_cmpuint (active_epoch (p), ==, 0);
  g_assert_cmpint (
      core_fixture_ask (&p->node, BAWN_OP_READ, "sys/leader", NULL, NULL, &response, NULL), ==,
      CORE_FIXTURE_OK);

  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);

  g_assert_cmpint (bawn_json_get_int (bawn_json_root (json), "epoch", 0), ==, (gint64) epoch);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The default writer of GLib asks for the local time without a lock. */
  bawn_log_set_level (BAWN_LOG_ERROR);

#define ADD(name, func) g_test_add ("/core/ha-storage/" name, Place, NULL, set_up, func, tear_down)
  ADD ("a-write-in-doubt-ends-with-the-lease", test_a_write_in_doubt_ends_with_the_lease);
  ADD ("a-rekey-finds-out-what-was-not-answered", test_a_rekey_finds_out_what_was_not_answered);
  ADD ("a-rekey-in-doubt-hands-out-its-shares", test_a_rekey_in_doubt_hands_out_its_shares);
  ADD ("init-finds-out-what-was-not-answered", test_init_finds_out_what_was_not_answered);
  ADD ("init-in-doubt-hands-out-its-shares", test_init_in_doubt_hands_out_its_shares);
  ADD ("an-unseal-outlasts-a-hiccup", test_an_unseal_outlasts_a_hiccup);
  ADD ("the-last-share-can-be-given-again", test_the_last_share_can_be_given_again);
  ADD ("the-fence-proves-reads-without-a-lease", test_the_fence_proves_reads_without_a_lease);
  ADD ("the-fence-of-another-ends-reads", test_the_fence_of_another_ends_reads);
  ADD ("no-storage-proves-nothing", test_no_storage_proves_nothing);
  ADD ("many-reads-share-a-question", test_many_reads_share_a_question);
  ADD ("the-epoch-is-known-between-terms", test_the_epoch_is_known_between_terms);
#undef ADD

  return g_test_run ();
}
