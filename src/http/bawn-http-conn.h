/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-stream.h"
#include "http/bawn-http-worker.h"

G_BEGIN_DECLS

typedef struct _BawnHttpExchange BawnHttpExchange;

/**
 * BawnHttpConn:
 * @stream: (nullable): what libsoup talks to; set from the end of the handshake to the close
 * @ticket: its deadline
 * @exchange: (nullable): the request being answered
 * @peer_chain: (nullable): the certificates that the client has shown
 *
 * One client's connection. Reference-counted, but used by the worker's thread only.
 */
typedef struct
{
  guint refs;
  BawnHttpPort *port;
  GList link;
  BawnHttpWire wire;
  BawnHttpStream *stream;
  BawnHttpTicket ticket;
  GSource *source; /* nullable: while the wire is ours */
  GSocketAddress *remote;
  char *remote_host;
  guint remote_port;
  GPtrArray *peer_chain;
  BawnHttpExchange *exchange;
  gboolean refused;
} BawnHttpConn;

void bawn_http_conn_accept (BawnHttpPort *port, int fd);
BawnHttpConn *bawn_http_conn_of_message (SoupServerMessage *message);
BawnHttpConn *bawn_http_conn_ref (BawnHttpConn *conn);
void bawn_http_conn_unref (BawnHttpConn *conn);
void bawn_http_conn_enter (BawnHttpConn *conn, BawnHttpPhase phase);
void bawn_http_conn_finished (BawnHttpConn *conn);
void bawn_http_conn_expired (gpointer owner, BawnHttpPhase phase);
void bawn_http_conn_wind_down (BawnHttpConn *conn);
void bawn_http_conn_hang_up (BawnHttpConn *conn);
void bawn_http_conn_abort (BawnHttpConn *conn);

G_END_DECLS
