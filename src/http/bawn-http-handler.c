/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http.h"

static void
on_dispatch (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  bawn_core_dispatch (core, request, reply, user_data);
}

static BawnLeader *
on_ref_leader (gpointer core)
{
  return bawn_core_ref_leader (core);
}

static BawnClusterIdentity *
on_ref_cluster_identity (gpointer core)
{
  return bawn_core_ref_cluster_identity (core);
}

static BawnPeer *
on_dup_self (gpointer core)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  const char *state = status->sealed ? "sealed" : status->standby ? "standby" : "active";
  const BawnPeer self = {
    .node_id = (char *) bawn_core_get_node_id (core),
    .hostname = (char *) g_get_host_name (),
    .api_addr = status->api_addr,
    .cluster_addr = status->cluster_addr,
    .version = status->version,
    .state = (char *) state,
  };

  return bawn_peer_copy (&self);
}

static void
on_note_peer (gpointer core, BawnPeer *peer)
{
  bawn_core_note_peer (core, peer);
}

static void
on_forget_peer (gpointer core, const char *node_id)
{
  bawn_core_forget_peer (core, node_id);
}

/**
 * bawn_http_handler_init:
 * @handler: to be filled
 * @core: answers; borrowed
 * @ha: whether there may be other nodes; if so, bawn_http_server_wake() is to follow each
 * "status-changed" of @core
 */
void
bawn_http_handler_init (BawnHttpHandler *handler, BawnCore *core, gboolean ha)
{
  *handler = (BawnHttpHandler){ .dispatch = on_dispatch, .core = core };
  if (!ha)
    return;
  handler->ref_leader = on_ref_leader;
  handler->ref_cluster_identity = on_ref_cluster_identity;
  handler->dup_self = on_dup_self;
  handler->note_peer = on_note_peer;
  handler->forget_peer = on_forget_peer;
}
