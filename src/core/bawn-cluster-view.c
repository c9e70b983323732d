/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-cluster-view.h"

struct _BawnClusterView
{
  char *node_id;
  GMutex lock;
  BawnLeader *leader;            /* nullable */
  BawnClusterIdentity *identity; /* nullable */
  GHashTable *peers;             /* node id to BawnPeer */
};

BawnClusterView *
bawn_cluster_view_new (void)
{
  BawnClusterView *view = g_new0 (BawnClusterView, 1);

  view->node_id = bawn_random_uuid ();
  g_mutex_init (&view->lock);
  view->peers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) bawn_peer_free);
  return view;
}

void
bawn_cluster_view_free (BawnClusterView *view)
{
  g_clear_pointer (&view->leader, bawn_leader_unref);
  g_clear_pointer (&view->identity, bawn_cluster_identity_unref);
  g_hash_table_unref (view->peers);
  g_mutex_clear (&view->lock);
  g_free (view->node_id);
  g_free (view);
}

BawnLeader *
bawn_cluster_view_ref_leader (BawnClusterView *view)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&view->lock);

  return view->leader != NULL ? bawn_leader_ref (view->leader) : NULL;
}

/**
 * bawn_core_get_node_id:
 * @core: the core
 *
 * Returns: (transfer none): a uuid, new for each process
 */
const char *
bawn_core_get_node_id (BawnCore *core)
{
  return bawn_core_get_cluster_view (core)->node_id;
}

/**
 * bawn_core_ref_leader:
 * @core: the core
 *
 * Any thread; never waits.
 *
 * Returns: (transfer full) (nullable): who is active, as far as this node knows
 */
BawnLeader *
bawn_core_ref_leader (BawnCore *core)
{
  return bawn_cluster_view_ref_leader (bawn_core_get_cluster_view (core));
}

void
bawn_core_set_leader (BawnCore *core, BawnLeader *leader)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);
  BawnLeader *old = NULL;

  g_mutex_lock (&view->lock);
  old = view->leader;
  view->leader = leader != NULL ? bawn_leader_ref (leader) : NULL;
  g_mutex_unlock (&view->lock);

  g_clear_pointer (&old, bawn_leader_unref);
  bawn_core_refresh_status (core);
}

/**
 * bawn_core_ref_cluster_identity:
 * @core: the core
 *
 * Any thread; never waits.
 *
 * Returns: (transfer full) (nullable): what to show at the cluster port; %NULL while sealed
 */
BawnClusterIdentity *
bawn_core_ref_cluster_identity (BawnCore *core)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&view->lock);

  return view->identity != NULL ? bawn_cluster_identity_ref (view->identity) : NULL;
}

void
bawn_core_set_cluster_identity (BawnCore *core, BawnClusterIdentity *identity)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);
  BawnClusterIdentity *old = NULL;

  g_mutex_lock (&view->lock);
  old = view->identity;
  view->identity = identity != NULL ? bawn_cluster_identity_ref (identity) : NULL;
  g_mutex_unlock (&view->lock);

  g_clear_pointer (&old, bawn_cluster_identity_unref);
  bawn_core_refresh_status (core);
}

/**
 * bawn_core_note_peer:
 * @core: the core
 * @peer: (transfer full): what a heartbeat said
 *
 * Any thread.
 */
void
bawn_core_note_peer (BawnCore *core, BawnPeer *peer)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);

  g_mutex_lock (&view->lock);
  g_hash_table_replace (view->peers, peer->node_id, peer);
  g_mutex_unlock (&view->lock);
}

/**
 * bawn_core_forget_peer:
 * @core: the core
 * @node_id: whose connection has ended
 *
 * Any thread.
 */
void
bawn_core_forget_peer (BawnCore *core, const char *node_id)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);

  g_mutex_lock (&view->lock);
  g_hash_table_remove (view->peers, node_id);
  g_mutex_unlock (&view->lock);
}

static gboolean
is_forgotten (gpointer key G_GNUC_UNUSED, gpointer value, gpointer now_us)
{
  const BawnPeer *peer = value;

  return *(gint64 *) now_us - peer->last_contact_us > BAWN_PEER_FORGET_US;
}

static gint
compare_peers (gconstpointer a, gconstpointer b)
{
  const BawnPeer *one = *(BawnPeer *const *) a;
  const BawnPeer *other = *(BawnPeer *const *) b;
  int order = g_strcmp0 (one->api_addr, other->api_addr);

  return order != 0 ? order : g_strcmp0 (one->node_id, other->node_id);
}

/**
 * bawn_core_dup_peers:
 * @core: the core
 *
 * Any thread.
 *
 * Returns: (transfer full) (element-type BawnPeer): who was heard of lately, sorted by address
 */
GPtrArray *
bawn_core_dup_peers (BawnCore *core)
{
  BawnClusterView *view = bawn_core_get_cluster_view (core);
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&view->lock);
  GPtrArray *peers = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_peer_free);
  gint64 now_us = bawn_clock_real_us (bawn_core_get_clock (core));
  GHashTableIter iter;
  gpointer peer = NULL;

  g_hash_table_foreach_remove (view->peers, is_forgotten, &now_us);
  g_hash_table_iter_init (&iter, view->peers);
  while (g_hash_table_iter_next (&iter, NULL, &peer))
    g_ptr_array_add (peers, bawn_peer_copy (peer));
  g_ptr_array_sort (peers, compare_peers);

  return peers;
}

static gboolean
is_candidate (const BawnPeer *peer, gint64 now_us)
{
  static const char *const unable[] = { "stopped", "withdrawing", NULL };

  return now_us - peer->last_contact_us <= BAWN_PEER_LIVE_US && peer->state != NULL
         && !g_strv_contains (unable, peer->state);
}

/**
 * bawn_core_count_candidates:
 * @core: the core
 *
 * Any thread. A node that is sealed has no connection, and one that is stopped sends no heartbeats.
 *
 * Returns: how many other nodes could become active
 */
guint
bawn_core_count_candidates (BawnCore *core)
{
  g_autoptr(GPtrArray) peers = bawn_core_dup_peers (core);
  gint64 now_us = bawn_clock_real_us (bawn_core_get_clock (core));
  guint n = 0;

  for (guint i = 0; i < peers->len; i++)
    n += is_candidate (g_ptr_array_index (peers, i), now_us) ? 1 : 0;

  return n;
}
