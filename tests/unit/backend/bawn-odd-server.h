/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnOddServer:
 *
 * An HTTP server that does to each request what it is told, on an address of its own on loopback,
 * for tests.
 */
typedef struct _BawnOddServer BawnOddServer;

typedef struct
{
  guint number;     /* of all requests, from 0 */
  guint connection; /* which one it came by, from 0 */
  char *head;       /* its first line and headers */
  char *body;
  gsize body_size;
} BawnOddRequest;

/* Answers on @stream, or not. FALSE: the connection is closed then. */
typedef gboolean (*BawnOddFunc) (BawnOddServer *server,
                                 const BawnOddRequest *request,
                                 GIOStream *stream,
                                 gpointer data);

/* @certificate: (nullable): speaks TLS; @authority: (nullable): whose client certificates it
 * demands */
BawnOddServer *bawn_odd_server_new (GTlsCertificate *certificate,
                                    GTlsDatabase *authority,
                                    BawnOddFunc func,
                                    gpointer data);
void bawn_odd_server_free (BawnOddServer *server);
/* "127.0.0.1:PORT" */
const char *bawn_odd_server_get_address (BawnOddServer *server);
guint bawn_odd_server_count_requests (BawnOddServer *server);
guint bawn_odd_server_count_connections (BawnOddServer *server);
/* Waits until that many requests have come. */
void bawn_odd_server_await (BawnOddServer *server, guint n_requests);
/* Closes all connections, and waits until that is done. */
void bawn_odd_server_hang_up (BawnOddServer *server);

gboolean bawn_odd_answer (GIOStream *stream, guint status, const char *body);
gboolean bawn_odd_write (GIOStream *stream, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnOddServer, bawn_odd_server_free)

G_END_DECLS
