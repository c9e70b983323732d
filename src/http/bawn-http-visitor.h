/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-link.h"
#include "http/bawn-http-limits.h"
#include "http/bawn-http-worker.h"

G_BEGIN_DECLS

/* Requests of one link that are being received or answered. A node has as many clients as all its
 * listeners allow; who goes beyond this is told to come back. */
#define BAWN_HTTP_VISITOR_MAX_REQUESTS 20000

typedef struct _BawnHttpVisitor BawnHttpVisitor;

/**
 * BawnHttpVisitorLimits:
 * @max_size: of a body
 * @max_buffered: of all bodies being received by all visitors
 * @json: of a body
 */
typedef struct
{
  gsize max_size;
  gsize max_buffered;
  BawnJsonLimits json;
} BawnHttpVisitorLimits;

/**
 * BawnHttpVisitorHost:
 * @worker: answers the requests
 * @limits: of them
 * @buffered: counts bytes of bodies being received; atomic
 * @hello: somebody has said who he is
 * @closed: (@peer is %NULL if it never said who it is) a visitor has gone; it is freed afterwards
 *
 * Whom visitors come to.
 */
typedef struct
{
  BawnHttpWorker *worker;
  const BawnHttpVisitorLimits *limits;
  gssize *buffered;
  void (*hello) (gpointer owner, const BawnPeer *peer);
  void (*closed) (gpointer owner, BawnHttpVisitor *visitor, const BawnPeer *peer, const char *why);
  gpointer owner;
} BawnHttpVisitorHost;

/* The end of a link that answers: takes requests of another node's clients, and has them answered
 * as if they had been asked here. */
BawnHttpVisitor *bawn_http_visitor_new (BawnHttpWire *wire,
                                        const BawnPeer *self,
                                        const BawnHttpVisitorHost *host,
                                        GError **error);
void bawn_http_visitor_close (BawnHttpVisitor *visitor, const char *why);
void bawn_http_visitor_say_hello (BawnHttpVisitor *visitor, const BawnPeer *self);
void bawn_http_visitor_say_goodbye (BawnHttpVisitor *visitor);

G_END_DECLS
