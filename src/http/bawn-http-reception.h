/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-gate.h"

G_BEGIN_DECLS

/* Strangers at the cluster port: all, and those of one address. Whoever comes beyond this takes the
 * place of the one who has waited longest, so that a crowd of silent ones keeps nobody out: a node
 * needs its place for milliseconds only. */
#define BAWN_HTTP_MAX_HANDSHAKES 256
#define BAWN_HTTP_MAX_HANDSHAKES_PER_HOST 64

/**
 * BawnHttpReception:
 *
 * Accepts connections at the cluster port and finds out whether they are of nodes. Those that are
 * go to the worker that has the fewest of them. Belongs to the first worker's thread.
 */
typedef struct _BawnHttpReception BawnHttpReception;

BawnHttpReception *bawn_http_reception_new (BawnHttpWorker *worker);
void bawn_http_reception_free (BawnHttpReception *reception);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpReception, bawn_http_reception_free)

G_END_DECLS
