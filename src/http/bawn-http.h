/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

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
 * @core: its first argument
 *
 * What the door needs of the house. @request is borrowed: whoever goes on with it after returning takes a reference.
 */
typedef struct
{
  void (*dispatch) (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data);
  gpointer core;
} BawnHttpHandler;

/**
 * BawnHttpStats:
 * @connections: accepted since the start
 * @open_connections: now
 * @turned_away: closed at once, because there were too many
 * @failed_handshakes: of TLS
 * @refused: requests that could not be read: malformed or too large
 * @expired: connections ended, or requests answered, by a deadline
 * @in_flight: requests being answered now
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
void bawn_http_server_get_stats (BawnHttpServer *server, BawnHttpStats *out_stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpServer, bawn_http_server_free)

G_END_DECLS
