/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-tls.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnHttpWire:
 * @fd: the socket, non-blocking; -1 once closed
 * @tls: (nullable): what the session was opened with; none between nodes (see BawnHttpPeerTls)
 * @session: (nullable): the TLS session
 *
 * One client's socket, plain or TLS. Never blocks. Belongs to one thread.
 *
 * TLS is spoken by GnuTLS right here and not through GTlsServerConnection, whose handshakes each occupy a thread of GTask's
 * small pool until the client deigns to answer: a dozen silent clients would keep everyone else out.
 */
typedef struct
{
  int fd;
  BawnHttpTls *tls;
  gnutls_session_t session;
} BawnHttpWire;

gboolean bawn_http_wire_open (BawnHttpWire *wire, int fd, BawnHttpTls *tls, GError **error);
gboolean bawn_http_wire_handshake (BawnHttpWire *wire, GIOCondition *out_wants, GError **error);
gssize bawn_http_wire_receive (BawnHttpWire *wire, gpointer data, gsize size, GError **error);
gssize bawn_http_wire_send (BawnHttpWire *wire, gconstpointer data, gsize size, GError **error);
gssize bawn_http_wire_send_two (BawnHttpWire *wire, gconstpointer first, gsize first_size, gconstpointer second,
                                gsize second_size, GError **error);
gboolean bawn_http_wire_pending (BawnHttpWire *wire);
GPtrArray *bawn_http_wire_peer_chain (BawnHttpWire *wire);
void bawn_http_wire_shutdown (BawnHttpWire *wire, int how);
void bawn_http_wire_close (BawnHttpWire *wire);

G_END_DECLS
