/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fixture.h"
#include "http/bawn-http-frame.h"

/**
 * Node:
 * A server with a toy behind it that is active, standby or sealed. When active, the toy answers by
 * path: later     from another thread parked    not before node_release() nothing   204 big one MiB
 *   size      the length of "text" in data
 *   headers   with headers of its own and 202
 *   raw       text/plain
 *   error/N   the BawnErrorCode of that number
 *   else      what it was asked, and which node this is
 * Whether active or not, "local" is answered by it, and "guarded" if the active one allows it,
 * which it does for the token "root".
 */
typedef enum
{
  NODE_SEALED,
  NODE_STANDBY,
  NODE_ACTIVE,
} NodeState;

typedef struct
{
  char *name;
  BawnHttpServer *server;
  guint port;
  char *api_addr;
  char *cluster_addr;
  GMutex mutex;
  GCond cond;
  NodeState state;
  BawnLeader *leader;
  BawnClusterIdentity *identity;
  GPtrArray *parked;
  GPtrArray *peers; /* node ids that were noted */
  guint n_seen;     /* requests that were done */
  GPtrArray *threads;
} Node;

/* @lines: of [listener], and perhaps other groups; @identity: NULL: sealed */
Node *node_new (const char *name, const char *lines, BawnClusterIdentity *identity);
void node_free (Node *node);
void node_set (Node *node, NodeState state, BawnLeader *leader);
void node_set_identity (Node *node, BawnClusterIdentity *identity);
/* As others know it. */
BawnLeader *node_leader (Node *node, Node *observer);
BawnHttpStats node_stats (Node *node);
guint node_n_seen (Node *node);
guint node_n_peers (Node *node);
void node_wait_parked (Node *node, guint n);
void node_release (Node *node);
guint node_cluster_port (Node *node);

BawnClusterIdentity *nodes_identity (const char *name);

/* Makes @active the active one of all nodes, NULL at the end. */
void nodes_elect (Node *active, ...) G_GNUC_NULL_TERMINATED;

/* A raw connection to a cluster port. NULL identity: without a certificate. */
Client *peer_connect (Node *node, BawnClusterIdentity *identity);
void peer_say_hello (Client *peer, const char *node_id);
void
peer_send (Client *peer, BawnHttpFrameType type, guint32 id, gconstpointer payload, gsize size);
/* The next frame that is no heartbeat; its payload is kept in @out_payload. FALSE: hung up. */
gboolean peer_receive (Client *peer, BawnHttpFrame *out_frame, GBytes **out_payload);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Node, node_free)
