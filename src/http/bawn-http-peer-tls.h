/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "http/bawn-http-wire.h"

G_BEGIN_DECLS

/* A handshake between nodes takes milliseconds; whoever needs longer is no node, or of no use. */
#define BAWN_HTTP_PEER_HANDSHAKE_TIMEOUT_US (5 * G_USEC_PER_SEC)

/**
 * BawnHttpPeerTls:
 *
 * The cluster's one certificate with its key, ready for use at the cluster port. Both ends show
 * this certificate and accept no other: to have it is to be a node of this cluster that has been
 * unsealed. Nobody looks at its names and dates, so a wrong clock locks no node out. Immutable and
 * reference-counted.
 */
typedef struct _BawnHttpPeerTls BawnHttpPeerTls;

BawnHttpPeerTls *bawn_http_peer_tls_new (BawnClusterIdentity *identity, GError **error);
BawnHttpPeerTls *bawn_http_peer_tls_ref (BawnHttpPeerTls *tls);
void bawn_http_peer_tls_unref (BawnHttpPeerTls *tls);
gboolean bawn_http_peer_tls_is_of (BawnHttpPeerTls *tls, BawnClusterIdentity *identity);
gboolean bawn_http_peer_tls_equal (BawnHttpPeerTls *a, BawnHttpPeerTls *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpPeerTls, bawn_http_peer_tls_unref)

/**
 * BawnHttpHandshake:
 *
 * A connection between nodes that is not yet one. Belongs to the thread of its main context.
 */
typedef struct _BawnHttpHandshake BawnHttpHandshake;

/**
 * BawnHttpHandshakeDone:
 * @handshake: freed after this call
 * @wire: (nullable): open, to be copied and owned; %NULL if nothing has come of it
 * @error: (nullable): why not
 */
typedef void (*BawnHttpHandshakeDone) (BawnHttpHandshake *handshake,
                                       BawnHttpWire *wire,
                                       const GError *error,
                                       gpointer user_data);

BawnHttpHandshake *bawn_http_handshake_new (GMainContext *context,
                                            int fd,
                                            BawnHttpPeerTls *tls,
                                            gboolean accepted,
                                            BawnHttpHandshakeDone done,
                                            gpointer user_data);
void bawn_http_handshake_cancel (BawnHttpHandshake *handshake);

G_END_DECLS
