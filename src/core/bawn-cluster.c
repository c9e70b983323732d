/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-core.h"

/* What nodes know of each other: plain values. */

/**
 * bawn_leader_new:
 * @epoch: in which it is active
 * @node_id: of its process
 * @api_addr: (nullable): where clients reach it
 * @cluster_addr: (nullable): where nodes reach it
 * @is_self: whether it is this node
 *
 * Returns: (transfer full): the active node as others should know it
 */
BawnLeader *
bawn_leader_new (guint64 epoch, const char *node_id, const char *api_addr, const char *cluster_addr, gboolean is_self)
{
  BawnLeader *leader = g_new0 (BawnLeader, 1);

  g_atomic_ref_count_init (&leader->refs);
  leader->epoch = epoch;
  leader->node_id = g_strdup (node_id);
  leader->api_addr = g_strdup (api_addr != NULL ? api_addr : "");
  leader->cluster_addr = g_strdup (cluster_addr != NULL ? cluster_addr : "");
  leader->is_self = is_self;
  return leader;
}

BawnLeader *
bawn_leader_ref (BawnLeader *leader)
{
  g_atomic_ref_count_inc (&leader->refs);
  return leader;
}

void
bawn_leader_unref (BawnLeader *leader)
{
  if (!g_atomic_ref_count_dec (&leader->refs))
    return;

  g_free (leader->node_id);
  g_free (leader->api_addr);
  g_free (leader->cluster_addr);
  g_free (leader);
}

/**
 * bawn_cluster_identity_new:
 * @certificate: PEM
 * @key: its key, PEM
 *
 * Returns: (transfer full): both together
 */
BawnClusterIdentity *
bawn_cluster_identity_new (GBytes *certificate, BawnSecret *key)
{
  BawnClusterIdentity *identity = g_new0 (BawnClusterIdentity, 1);

  g_atomic_ref_count_init (&identity->refs);
  identity->certificate = g_bytes_ref (certificate);
  identity->key = bawn_secret_ref (key);
  return identity;
}

BawnClusterIdentity *
bawn_cluster_identity_ref (BawnClusterIdentity *identity)
{
  g_atomic_ref_count_inc (&identity->refs);
  return identity;
}

void
bawn_cluster_identity_unref (BawnClusterIdentity *identity)
{
  if (!g_atomic_ref_count_dec (&identity->refs))
    return;

  g_bytes_unref (identity->certificate);
  bawn_secret_unref (identity->key);
  g_free (identity);
}

BawnPeer *
bawn_peer_copy (const BawnPeer *peer)
{
  BawnPeer *copy = g_new0 (BawnPeer, 1);

  copy->node_id = g_strdup (peer->node_id);
  copy->hostname = g_strdup (peer->hostname);
  copy->api_addr = g_strdup (peer->api_addr);
  copy->cluster_addr = g_strdup (peer->cluster_addr);
  copy->version = g_strdup (peer->version);
  copy->state = g_strdup (peer->state);
  copy->last_contact_us = peer->last_contact_us;
  return copy;
}

void
bawn_peer_free (BawnPeer *peer)
{
  if (peer == NULL)
    return;

  g_free (peer->node_id);
  g_free (peer->hostname);
  g_free (peer->api_addr);
  g_free (peer->cluster_addr);
  g_free (peer->version);
  g_free (peer->state);
  g_free (peer);
}
