/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "logical/bawn-request.h"
#include "logical/bawn-response.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnHttpReplyFunc:
 * @request: what was asked
 * @response: (transfer full) (nullable): the answer
 * @error: (transfer full) (nullable): why there is none
 * @user_data: as given to dispatch()
 *
 * Answers a request, exactly once, from any thread.
 */
typedef void (*BawnHttpReplyFunc) (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data);

/**
 * BawnHttpHandler:
 * @dispatch: called on a listener's thread, which it must not block. May call @reply before it returns, or later from any
 *   thread; a later reply on the same thread, from its main context, is the cheapest of these
 * @core: the first argument of all
 * @ref_leader: (nullable): the active node, or %NULL while none is known or this node is sealed; if this function is %NULL,
 *   this node is alone, and the others are not called
 * @ref_cluster_identity: what nodes of this cluster know each other by, or %NULL while this node is sealed
 * @dup_self: what this node tells others about itself
 * @note_peer: (nullable): another node has told about itself; takes it
 * @forget_peer: (nullable): a connection with it has ended
 *
 * What the door needs of the house. @request is borrowed: whoever goes on with it after returning takes a reference.
 *
 * A reply of %BAWN_ERROR_STANDBY means that nothing was done here and another node may do it: the door asks the active one,
 * or waits until there is one (see bawn_http_server_wake()). If the handler has set @request->authorize_only by then, the
 * active node is asked only whether its caller may; if he may, the handler gets the request once more, with
 * @authorized set, and does it. With @authorize_only and @forwarded set, it is the active node that is asked.
 */
typedef struct
{
  void (*dispatch) (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data);
  gpointer core;
  BawnLeader *(*ref_leader) (gpointer core);
  BawnClusterIdentity *(*ref_cluster_identity) (gpointer core);
  BawnPeer *(*dup_self) (gpointer core);
  void (*note_peer) (gpointer core, BawnPeer *peer);
  void (*forget_peer) (gpointer core, const char *node_id);
} BawnHttpHandler;

void bawn_http_handler_init (BawnHttpHandler *handler, BawnCore *core, gboolean ha);

/**
 * BawnHttpStats:
 * @connections: accepted since the start
 * @open_connections: now
 * @turned_away: closed at once, because there were too many
 * @failed_handshakes: of TLS
 * @refused: requests that could not be read: malformed or too large
 * @expired: connections ended, or requests answered, by a deadline
 * @in_flight: requests being answered now
 * @forwarded: requests sent to the active node, repetitions counted
 * @forward_errors: that were lost on the way
 * @answered_for_peers: requests of other nodes' clients answered here
 * @redirects: clients sent to the active node
 * @parked: requests that wait for an active node now
 * @parked_total: requests that had to wait
 * @park_timeouts: that waited in vain
 * @park_refusals: that could not even wait, because too many did
 * @peer_connections: of other nodes to this one, now
 * @peer_handshake_failures: connections at the cluster port that were not of nodes of this cluster
 * @requests: by the bit of #BawnOp (the last column: no operation) and the first digit of the status
 *
 * Counters, for metrics.
 */
#define BAWN_HTTP_N_OPS 8
typedef struct
{
  guint64 connections;
  guint64 open_connections;
  guint64 turned_away;
  guint64 failed_handshakes;
  guint64 refused;
  guint64 expired;
  guint64 in_flight;
  guint64 forwarded;
  guint64 forward_errors;
  guint64 answered_for_peers;
  guint64 redirects;
  guint64 parked;
  guint64 parked_total;
  guint64 park_timeouts;
  guint64 park_refusals;
  guint64 peer_connections;
  guint64 peer_handshake_failures;
  guint64 requests[BAWN_HTTP_N_OPS][6];
} BawnHttpStats;

/**
 * BawnHttpServer:
 *
 * The door: listeners, and a thread per processor that serves them.
 */
typedef struct _BawnHttpServer BawnHttpServer;

gboolean bawn_http_check_tls (GError **error);
void bawn_http_check_config (BawnConfig *config);
BawnHttpServer *bawn_http_server_open (BawnConfig *config, const BawnHttpHandler *handler, guint n_workers, GError **error);
void bawn_http_server_start (BawnHttpServer *server);
gboolean bawn_http_server_reload (BawnHttpServer *server, GError **error);
void bawn_http_server_stop (BawnHttpServer *server, gint64 grace_us);
void bawn_http_server_free (BawnHttpServer *server);
GStrv bawn_http_server_dup_addresses (BawnHttpServer *server);
char *bawn_http_server_describe_parking (BawnHttpServer *server);
char *bawn_http_server_dup_cluster_address (BawnHttpServer *server);
void bawn_http_server_wake (BawnHttpServer *server);
guint bawn_http_server_ping (BawnHttpServer *server, void (*pong) (gpointer data), gpointer data);
void bawn_http_server_append_metrics (GArray *rows, gpointer server);
void bawn_http_server_get_stats (BawnHttpServer *server, BawnHttpStats *out_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpServer, bawn_http_server_free)

G_END_DECLS
