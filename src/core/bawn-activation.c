/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-activation.h"

#include "barrier/bawn-seal-records.h"
#include "core/bawn-ha.h"
#include "core/bawn-lifecycle.h"
#include "core/bawn-self-unseal.h"
#include "util/bawn-log.h"
#include "util/bawn-message-id.h"

/* How a node becomes active, and stops being it: the same for one that is alone and for one that was elected. */

/**
 * bawn_leader_parse:
 * @text: a leader record
 * @own_node_id: this node's
 * @error: (out) (optional): CORRUPT if it is none
 *
 * Returns: (transfer full): what it says
 */
BawnLeader *
bawn_leader_parse (GBytes *text, const char *own_node_id, GError **error)
{
  g_autoptr(BawnJson) json = bawn_json_parse (text, NULL, error);

  if (json == NULL)
    return NULL;

  const BawnJsonNode *root = bawn_json_root (json);
  gint64 epoch = bawn_json_get_int (root, "epoch", 0);
  const char *node_id = bawn_json_get_string (root, "node", "");

  if (epoch <= 0 || *node_id == '\0')
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "the record %s in the storage cannot be read", BAWN_LEADER_KEY);

  return bawn_leader_new ((guint64) epoch, node_id, bawn_json_get_string (root, "api_addr", ""),
                          bawn_json_get_string (root, "cluster_addr", ""), g_str_equal (node_id, own_node_id));
}

/**
 * bawn_leader_format:
 * @leader: who is active
 *
 * Returns: (transfer full): the record's text
 */
GBytes *
bawn_leader_format (const BawnLeader *leader)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "epoch", (gint64) leader->epoch);
  bawn_json_writer_add_string (&w, "node", leader->node_id);
  bawn_json_writer_add_string (&w, "api_addr", leader->api_addr);
  bawn_json_writer_add_string (&w, "cluster_addr", leader->cluster_addr);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
put_leader (BawnCore *core G_GNUC_UNUSED, BawnTxn *txn, gpointer leader, GError **error G_GNUC_UNUSED)
{
  g_autoptr(GBytes) text = bawn_leader_format (leader);

  bawn_txn_put (txn, BAWN_LEADER_KEY, text);
  return TRUE;
}

/* The term is open: keys may have been rotated while this node only watched. */
static BawnActive *
load (BawnCore *core, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (core);
  BawnStore *store = bawn_core_get_store (core);
  g_autoptr(BawnTxn) keys = bawn_store_begin (store, NULL, TRUE);

  if (!bawn_barrier_reload (barrier, keys, error))
    return NULL;

  g_autoptr(BawnTxn) txn = bawn_store_begin (store, BAWN_CODEC (barrier), TRUE);
  g_autoptr(GBytes) key = NULL;

  if (!bawn_txn_get (txn, BAWN_TOKEN_KEY_KEY, &key, error))
    return NULL;
  if (key == NULL || g_bytes_get_size (key) != BAWN_KEY_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s is missing or of the wrong size", BAWN_TOKEN_KEY_KEY);

  g_autoptr(BawnSecret) secret = bawn_secret_new_copy (g_bytes_get_data (key, NULL), BAWN_KEY_SIZE);
  return bawn_core_new_active (core, secret);
}

static gboolean
publish (BawnCore *core, BawnActive *active, guint64 epoch, GError **error)
{
  const BawnCoreOptions *options = bawn_core_get_options (core);
  g_autoptr(BawnLeader) leader
      = bawn_leader_new (epoch, bawn_core_get_node_id (core), options->api_addr, options->cluster_addr, TRUE);

  if (!bawn_sys_note_version (core, error) || !bawn_core_transact (core, put_leader, leader, error))
    return FALSE;

  bawn_core_set_active (core, bawn_active_ref (active));
  bawn_ha_note_leader (bawn_core_get_ha (core), leader);
  return TRUE;
}

static void
tell_active (guint64 epoch, gint64 took_us)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, epoch);

  bawn_log_with (BAWN_LOG_INFO, "core", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_ACTIVE }, { "EPOCH", text }),
                 "active in epoch %s after %" G_GINT64_FORMAT " ms", text, took_us / 1000);
}

/**
 * bawn_core_promote:
 * @core: an unsealed node that is not active
 * @epoch: the epoch it was elected for; 0: it is alone, and takes the next one
 * @cancellable: (nullable): given up
 * @error: return location
 *
 * Takes the fence, reads what a node serves with, tells the others, and serves. Costs nothing that grows with the number
 * of secrets, tokens or leases. Blocks.
 *
 * Returns: %FALSE if that was not possible; everything is as before then
 */
gboolean
bawn_core_promote (BawnCore *core, guint64 epoch, GCancellable *cancellable, GError **error)
{
  BawnStore *store = bawn_core_get_store (core);
  BawnPromotionTimes times = { 0 };
  gint64 begun = g_get_monotonic_time ();

  if (!bawn_store_open_term (store, epoch, cancellable, error))
    return FALSE;

  times.fence_us = g_get_monotonic_time () - begun;
  guint64 held = bawn_store_get_epoch (store);
  g_autoptr(BawnActive) active = load (core, error);
  times.load_us = g_get_monotonic_time () - begun - times.fence_us;
  gboolean given_up = g_cancellable_is_cancelled (cancellable);
  if (active != NULL && given_up)
    (void) bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");
  if (active == NULL || given_up || !publish (core, active, held, error))
    {
      bawn_store_close_term (store);
      return FALSE;
    }

  times.publish_us = g_get_monotonic_time () - begun - times.fence_us - times.load_us;
  bawn_core_set_promotion_times (core, &times);
  bawn_core_enrol_self (core);
  bawn_core_kick_expiry (core);
  tell_active (held, g_get_monotonic_time () - begun);
  return TRUE;
}

/**
 * bawn_core_withdraw:
 * @core: an active node
 * @reason: for the log
 *
 * New requests are told at once that this node is not active; the commit on its way is waited for, what waits behind it is
 * given back unwritten, to be asked of another node. The node stays unsealed. Blocks.
 */
void
bawn_core_withdraw (BawnCore *core, const char *reason)
{
  bawn_core_set_active (core, NULL);
  bawn_store_close_term (bawn_core_get_store (core));
  bawn_rekey_cancel (bawn_core_get_rekey (core));
  bawn_generate_root_cancel (bawn_core_get_generate_root (core));
  bawn_core_refresh_status (core);
  bawn_log_with (BAWN_LOG_INFO, "core", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_NOT_ACTIVE }), "not active any more: %s", reason);
}
