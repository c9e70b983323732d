/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"
#include "crypto/bawn-crypto.h"
#include "storage/bawn-fence.h"
#include "util/bawn-log.h"

#include <string.h>

/* Three nodes in one process on one storage in memory, with real elections. */

#define N_NODES 3
#define THRESHOLD 2

typedef struct
{
  BawnBackend *backend;
  CoreFixture nodes[N_NODES];
} Cluster;

static const char *const addresses[N_NODES] = { "https://127.0.0.1:8200", "https://127.0.0.1:8210",
                                                "https://127.0.0.1:8220" };

static void
set_up (Cluster *c, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  c->backend = core_fixture_new_backend ();
  for (guint i = 0; i < N_NODES; i++)
    core_fixture_open_node (&c->nodes[i], c->backend, BAWN_HA_BACKEND (c->backend), addresses[i]);

  g_assert_true (bawn_core_initialize (c->nodes[0].core, 3, THRESHOLD, &c->nodes[0].shares, &c->nodes[0].root, &error));
  g_assert_no_error (error);
  for (guint i = 1; i < N_NODES; i++)
    core_fixture_adopt_keys (&c->nodes[i], &c->nodes[0]);
}

static void
tear_down (Cluster *c, gconstpointer data)
{
  for (guint i = 0; i < N_NODES; i++)
    core_fixture_close (&c->nodes[i]);
  g_object_unref (c->backend);
}

static void
unseal_all (Cluster *c)
{
  for (guint i = 0; i < N_NODES; i++)
    core_fixture_unseal (&c->nodes[i], THRESHOLD);
}

static gboolean
is_active (CoreFixture *node)
{
  g_autoptr(BawnStatus) status = bawn_core_ref_status (node->core);

  return !status->sealed && !status->standby;
}

/* Waits until somebody other than @but is active and all unsealed nodes know who. */
static CoreFixture *
await_active (Cluster *c, const CoreFixture *but)
{
  for (;; g_usleep (1000))
    {
      CoreFixture *active = NULL;
      guint n_agree = 0;
      guint n_unsealed = 0;

      for (guint i = 0; i < N_NODES; i++)
        if (&c->nodes[i] != but && is_active (&c->nodes[i]))
          active = &c->nodes[i];
      if (active == NULL)
        continue;

      for (guint i = 0; i < N_NODES; i++)
        {
          g_autoptr(BawnStatus) status = bawn_core_ref_status (c->nodes[i].core);

          n_unsealed += status->sealed ? 0 : 1;
          n_agree += status->leader != NULL
                             && g_str_equal (status->leader->node_id, bawn_core_get_node_id (active->core))
                         ? 1
                         : 0;
        }
      if (n_agree == n_unsealed)
        return active;
    }
}

static CoreFixture *
other_than (Cluster *c, const CoreFixture *node)
{
  return node == &c->nodes[0] ? &c->nodes[1] : &c->nodes[0];
}

static guint64
epoch_of (CoreFixture *node)
{
  g_autoptr(BawnStatus) status = bawn_core_ref_status (node->core);

  return status->epoch;
}

static void
test_one_is_active_and_all_know_it (Cluster *c, gconstpointer data)
{
  guint n_active = 0;

  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);
  g_autoptr(BawnStatus) status = bawn_core_ref_status (standby->core);
  g_autoptr(BawnClusterIdentity) one = bawn_core_ref_cluster_identity (active->core);
  g_autoptr(BawnClusterIdentity) other = bawn_core_ref_cluster_identity (standby->core);

  for (guint i = 0; i < N_NODES; i++)
    n_active += is_active (&c->nodes[i]) ? 1 : 0;
  g_assert_cmpuint (n_active, ==, 1);
  g_assert_true (status->ha_enabled);
  g_assert_true (status->standby);
  g_assert_false (status->leader->is_self);
  g_assert_cmpstr (status->leader->api_addr, ==, addresses[active - c->nodes]);
  g_assert_nonnull (status->cluster_name);
  g_assert_true (g_bytes_equal (one->certificate, other->certificate));
  g_assert_true (bawn_secret_equal (one->key, other->key));
}

static void
test_a_sealed_node_hears_of_the_initialisation (Cluster *c, gconstpointer data)
{
  for (guint i = 0; i < N_NODES; i++)
    for (gboolean known = FALSE; !known; g_usleep (1000))
      {
        g_autoptr(BawnStatus) status = bawn_core_ref_status (c->nodes[i].core);

        g_assert_true (status->sealed);
        known = status->initialized;
      }
}

static void
test_a_standby_says_so_before_anything_happens (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);

  g_assert_cmpint (core_fixture_call (standby, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", standby->root), ==,
                   BAWN_ERROR_STANDBY);
  g_assert_cmpint (core_fixture_call (standby, BAWN_OP_READ, "sys/mounts", NULL, standby->root), ==, BAWN_ERROR_STANDBY);
  g_assert_cmpint (core_fixture_call (standby, BAWN_OP_READ, "sys/rekey/init", NULL, NULL), ==, BAWN_ERROR_STANDBY);
  core_fixture_expect (standby, BAWN_OP_READ, "sys/seal-status", NULL, NULL);
  core_fixture_expect (standby, BAWN_OP_READ, "sys/leader", NULL, NULL);
  core_fixture_expect (active, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", active->root);
}

static void
test_what_was_written_outlives_a_step_down (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *first = await_active (c, NULL);
  guint64 epoch = epoch_of (first);

  core_fixture_expect (first, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", first->root);
  core_fixture_expect (first, BAWN_OP_UPDATE, "sys/step-down", NULL, first->root);

  CoreFixture *second = await_active (c, first);
  g_autoptr(BawnResponse) response = NULL;

  g_assert_cmpuint (epoch_of (second), >, epoch);
  g_assert_false (is_active (first));
  g_assert_cmpint (core_fixture_ask (second, BAWN_OP_READ, "cubbyhole/a", NULL, second->root, &response, NULL), ==,
                   CORE_FIXTURE_OK);
  g_assert_nonnull (response->data);
}

static void
test_a_standby_catches_up_with_many_rotations (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *first = await_active (c, NULL);

  for (guint i = 0; i < 5; i++)
    core_fixture_expect (first, BAWN_OP_UPDATE, "sys/rotate", NULL, first->root);
  core_fixture_expect (first, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", first->root);
  core_fixture_expect (first, BAWN_OP_UPDATE, "sys/step-down", NULL, first->root);

  CoreFixture *second = await_active (c, first);

  core_fixture_expect (second, BAWN_OP_READ, "cubbyhole/a", NULL, second->root);
  core_fixture_expect (second, BAWN_OP_UPDATE, "sys/rotate", NULL, second->root);
}

static void
test_the_last_unsealed_node_takes_the_lease_back (Cluster *c, gconstpointer data)
{
  core_fixture_unseal (&c->nodes[0], THRESHOLD);
  CoreFixture *only = await_active (c, NULL);
  guint64 epoch = epoch_of (only);

  core_fixture_expect (only, BAWN_OP_UPDATE, "sys/step-down", NULL, only->root);
  while (!is_active (only) || epoch_of (only) == epoch)
    g_usleep (1000);
}

static void
test_sealing_hands_over (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *first = await_active (c, NULL);

  core_fixture_expect (first, BAWN_OP_UPDATE, "sys/seal", NULL, first->root);

  CoreFixture *second = await_active (c, first);
  g_autoptr(BawnStatus) status = bawn_core_ref_status (first->core);
  g_autoptr(BawnClusterIdentity) identity = bawn_core_ref_cluster_identity (first->core);

  g_assert_true (status->sealed);
  g_assert_null (status->leader);
  g_assert_null (identity);
  core_fixture_expect (second, BAWN_OP_READ, "sys/mounts", NULL, second->root);
}

static void
test_a_standby_can_be_sealed (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);
  guint64 epoch = epoch_of (active);

  bawn_core_seal (standby->core, "test");
  core_fixture_wait_sealed (standby);
  core_fixture_expect (active, BAWN_OP_READ, "sys/mounts", NULL, active->root);
  g_assert_cmpuint (epoch_of (active), ==, epoch);
}

static void
test_a_refused_fence_ends_in_another_term (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  guint64 epoch = epoch_of (active);
  BawnFence fence = { 0 };
  g_autoptr(GError) error = NULL;

  g_assert_true (bawn_fence_take (c->backend, 0, &fence, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (core_fixture_call (active, BAWN_OP_UPDATE, "cubbyhole/a", "{\"a\":1}", active->root), ==,
                   BAWN_ERROR_STANDBY);

  for (CoreFixture *next = NULL; next == NULL; g_usleep (1000))
    {
      next = await_active (c, NULL);
      if (epoch_of (next) <= fence.epoch)
        next = NULL;
    }
  g_assert_cmpuint (fence.epoch, >, epoch);
}

static char *
begin_rekey (CoreFixture *node)
{
  g_autoptr(BawnResponse) response = NULL;

  g_assert_cmpint (core_fixture_ask (node, BAWN_OP_UPDATE, "sys/rekey/init",
                                     "{\"secret_shares\":1,\"secret_threshold\":1}", NULL, &response, NULL), ==,
                   CORE_FIXTURE_OK);

  g_autoptr(BawnJson) json = bawn_json_parse (response->data, NULL, NULL);

  return g_strdup (bawn_json_get_string (bawn_json_root (json), "nonce", ""));
}

static void
test_a_rekey_lost_with_its_node_says_so (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *first = await_active (c, NULL);
  g_autofree char *nonce = begin_rekey (first);
  g_autofree char *share = NULL;
  g_autofree char *message = NULL;
  g_autofree char *other = NULL;

  core_fixture_expect (first, BAWN_OP_UPDATE, "sys/step-down", NULL, first->root);

  CoreFixture *second = await_active (c, first);
  const BawnSecret *secret = g_ptr_array_index (second->shares, 0);
  g_autofree char *hex = bawn_hex_encode (bawn_secret_data (secret), bawn_secret_size (secret));

  share = g_strdup_printf ("{\"nonce\":\"%s\",\"key\":\"%s\"}", nonce, hex);
  g_assert_cmpint (core_fixture_ask (second, BAWN_OP_UPDATE, "sys/rekey/update", share, NULL, NULL, &message), ==,
                   BAWN_ERROR_INVALID);
  g_assert_nonnull (strstr (message, nonce));
  g_assert_nonnull (strstr (message, "begin it again"));

  g_clear_pointer (&share, g_free);
  g_clear_pointer (&message, g_free);
  share = g_strdup_printf ("{\"nonce\":\"nobodys\",\"key\":\"%s\"}", hex);
  g_assert_cmpint (core_fixture_ask (second, BAWN_OP_UPDATE, "sys/rekey/update", share, NULL, NULL, &message), ==,
                   BAWN_ERROR_INVALID);
  g_assert_cmpstr (message, ==, "no barrier rekey in progress");
}

static void
test_asking_may_be_all_that_is_wanted (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  g_autoptr(BawnRequest) seal = bawn_request_new (BAWN_OP_UPDATE, "sys/seal");
  g_autoptr(BawnRequest) mounts = bawn_request_new (BAWN_OP_READ, "sys/mounts");

  g_assert_true (bawn_core_concerns_node (active->core, seal));
  g_assert_false (bawn_core_concerns_node (active->core, mounts));
  g_assert_true (is_active (active));
}

/* Help is for everyone who has a token: it must not open what it is about. */
static void
test_help_entitles_to_nothing (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);
  static const char *const paths[] = { "sys/seal", "sys/host-info", "sys/metrics" };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr(BawnRequest) help = bawn_request_new (BAWN_OP_HELP, paths[i]);

      g_assert_false (bawn_core_concerns_node (standby->core, help));
      core_fixture_expect (active, BAWN_OP_HELP, paths[i], NULL, active->root);
      g_assert_cmpint (core_fixture_authorize (active, BAWN_OP_HELP, paths[i], active->root), ==, BAWN_ERROR_INVALID);
    }
  g_assert_cmpint (core_fixture_authorize (active, BAWN_OP_UPDATE, "sys/seal", active->root), ==, CORE_FIXTURE_OK);
  g_assert_true (is_active (active));
}

static void
take_answer (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  g_assert_no_error (error);
  *(BawnResponse **) user_data = response;
}

/* As Prometheus asks for them where anybody may: answered before the call returns, so nothing was waited for. */
static char *
open_metrics_of (CoreFixture *node)
{
  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_READ, "sys/metrics");
  g_autoptr(BawnResponse) response = NULL;

  request->open_metrics = TRUE;
  request->data = bawn_json_parse_string ("{\"format\":\"prometheus\"}", NULL);
  bawn_core_dispatch (node->core, request, take_answer, &response);
  g_assert_nonnull (response);
  g_assert_cmpuint (response->status, ==, 200);

  return g_strndup (g_bytes_get_data (response->data, NULL), g_bytes_get_size (response->data));
}

/* What the election has to say may come a moment after requests are served. */
static char *
await_metrics_of (CoreFixture *node, const char *what)
{
  for (guint tries = 0;; tries++)
    {
      g_autofree char *text = open_metrics_of (node);

      if (strstr (text, what) != NULL)
        return g_steal_pointer (&text);
      if (tries == 30000)
        g_error ("\"%s\" is missing in:\n%s", what, text);
      g_usleep (1000);
    }
}

static void
assert_shows (const char *text, const char *what)
{
  if (strstr (text, what) == NULL)
    g_error ("\"%s\" is missing in:\n%s", what, text);
}

static void
test_metrics_tell_of_the_election (Cluster *c, gconstpointer data)
{
  static const char *const names[] = {
    "\nbawn_ha_epoch ",          "\nbawn_ha_lease_left_us ",        "\nbawn_ha_renewal_us ",
    "\nbawn_ha_renewals_total ", "\nbawn_ha_promotion_fence_us ",   "\nbawn_ha_promotion_load_us ",
    "\nbawn_ha_changes_total ",  "\nbawn_ha_promotion_publish_us ", "\nbawn_ha_promotions_total ",
  };
  g_autofree char *sealed = open_metrics_of (&c->nodes[0]);

  assert_shows (sealed, "\nvault_core_unsealed 0\n");
  assert_shows (sealed, "\nbawn_ha_state 0\n");
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);
  g_autofree char *of_active = await_metrics_of (active, "\nbawn_ha_state 4\n");
  g_autofree char *of_standby = open_metrics_of (standby);
  g_autofree char *epoch = g_strdup_printf ("\nbawn_ha_epoch %" G_GUINT64_FORMAT "\n", epoch_of (active));

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      assert_shows (of_active, names[i]);
      assert_shows (of_standby, names[i]);
    }
  assert_shows (of_active, epoch);
  assert_shows (of_active, "\nbawn_ha_last_change{reason=\"this node can serve\"} 1\n");
  assert_shows (of_standby, "\nvault_core_active 0\n");
  assert_shows (of_standby, "\nbawn_ha_last_change{reason=\"");
}

static void
assert_not_open (CoreFixture *node, BawnOp op, const char *path, int code)
{
  g_autoptr(BawnRequest) request = bawn_request_new (op, path);

  request->open_metrics = TRUE;
  g_assert_cmpint (core_fixture_run (node, request, NULL, NULL), ==, code);
}

static void
test_open_metrics_open_nothing_else (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  CoreFixture *standby = other_than (c, active);

  assert_not_open (active, BAWN_OP_READ, "sys/host-info", BAWN_ERROR_DENIED);
  assert_not_open (standby, BAWN_OP_READ, "sys/host-info", BAWN_ERROR_STANDBY);
  assert_not_open (active, BAWN_OP_UPDATE, "sys/seal", BAWN_ERROR_DENIED);
  assert_not_open (active, BAWN_OP_UPDATE, "sys/metrics", BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (active, BAWN_OP_READ, "sys/metrics", NULL, NULL), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (standby, BAWN_OP_READ, "sys/metrics", NULL, NULL), ==, BAWN_ERROR_STANDBY);
}

static int
read_again (CoreFixture *node, const char *path, const char *token)
{
  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_READ, path);

  request->token = g_strdup (token);
  request->forwarded = TRUE;
  request->repeated = TRUE;
  return core_fixture_run (node, request, NULL, NULL);
}

static void
test_what_may_have_been_done_is_not_done_again (Cluster *c, gconstpointer data)
{
  unseal_all (c);

  CoreFixture *active = await_active (c, NULL);
  g_autofree char *token = core_fixture_token (active, "{\"num_uses\":2,\"policies\":[\"default\"]}");
  static const char path[] = "auth/token/lookup-self";

  /* Reading is harmless; using up a token is not. */
  g_assert_cmpint (read_again (active, path, active->root), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (read_again (active, path, token), ==, BAWN_ERROR_UNKNOWN_OUTCOME);
  g_assert_cmpint (read_again (active, path, token), ==, BAWN_ERROR_UNKNOWN_OUTCOME);
  g_assert_cmpint (core_fixture_call (active, BAWN_OP_READ, path, NULL, token), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (core_fixture_call (active, BAWN_OP_READ, path, NULL, token), ==, CORE_FIXTURE_OK);

  /* Perhaps it was the lost one that has used it up. */
  g_assert_cmpint (core_fixture_call (active, BAWN_OP_READ, path, NULL, token), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (read_again (active, path, token), ==, BAWN_ERROR_UNKNOWN_OUTCOME);
}

static void
note_peer (CoreFixture *node, const char *id, const char *state, gint64 age_us)
{
  const BawnPeer peer = {
    .node_id = (char *) id,
    .state = (char *) state,
    .last_contact_us = bawn_clock_real_us (node->clock) - age_us,
  };

  bawn_core_note_peer (node->core, bawn_peer_copy (&peer));
}

static void
test_only_the_living_can_take_over (Cluster *c, gconstpointer data)
{
  CoreFixture *node = &c->nodes[0];

  g_assert_cmpuint (bawn_core_count_candidates (node->core), ==, 0);
  note_peer (node, "silent", "standby", BAWN_PEER_LIVE_US + G_USEC_PER_SEC);
  note_peer (node, "leaving", "withdrawing", 0);
  note_peer (node, "gone", "stopped", 0);
  g_assert_cmpuint (bawn_core_count_candidates (node->core), ==, 0);
  note_peer (node, "waiting", "standby", -BAWN_PEER_LIVE_US);
  g_assert_cmpuint (bawn_core_count_candidates (node->core), ==, 1);
}

#define ADD(name, func) g_test_add ("/core/ha/" name, Cluster, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* The default writer of GLib asks for the local time without a lock. */
  bawn_log_set_level (BAWN_LOG_ERROR);
  ADD ("only-the-living-can-take-over", test_only_the_living_can_take_over);
  ADD ("one-is-active-and-all-know-it", test_one_is_active_and_all_know_it);
  ADD ("a-sealed-node-hears-of-the-initialisation", test_a_sealed_node_hears_of_the_initialisation);
  ADD ("a-standby-says-so-before-anything-happens", test_a_standby_says_so_before_anything_happens);
  ADD ("what-was-written-outlives-a-step-down", test_what_was_written_outlives_a_step_down);
  ADD ("a-standby-catches-up-with-many-rotations", test_a_standby_catches_up_with_many_rotations);
  ADD ("the-last-unsealed-node-takes-the-lease-back", test_the_last_unsealed_node_takes_the_lease_back);
  ADD ("sealing-hands-over", test_sealing_hands_over);
  ADD ("a-standby-can-be-sealed", test_a_standby_can_be_sealed);
  ADD ("a-refused-fence-ends-in-another-term", test_a_refused_fence_ends_in_another_term);
  ADD ("a-rekey-lost-with-its-node-says-so", test_a_rekey_lost_with_its_node_says_so);
  ADD ("what-may-have-been-done-is-not-done-again", test_what_may_have_been_done_is_not_done_again);
  ADD ("metrics-tell-of-the-election", test_metrics_tell_of_the_election);
  ADD ("open-metrics-open-nothing-else", test_open_metrics_open_nothing_else);
  ADD ("help-entitles-to-nothing", test_help_entitles_to_nothing);
  ADD ("asking-may-be-all-that-is-wanted", test_asking_may_be_all_that_is_wanted);
  return g_test_run ();
}
