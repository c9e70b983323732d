/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-intake.h"
#include "http/bawn-http-poller.h"
#include "http/bawn-http-wire.h"

G_BEGIN_DECLS

/**
 * BawnHttpStreamOwner:
 * @began: the first byte of a request has come
 * @body: its head is complete, its body is not
 * @refused: it cannot be read; the client has been told
 * @closed: nobody reads or writes any more; the wire is the owner's again
 *
 * What a stream tells its owner, always from within a read or a close.
 */
typedef struct
{
  void (*began) (gpointer owner);
  void (*body) (gpointer owner);
  void (*refused) (gpointer owner, guint status);
  void (*closed) (gpointer owner);
} BawnHttpStreamOwner;

/**
 * BawnHttpStream:
 *
 * A client's connection as libsoup sees it. It reads each request itself, strictly and within the limits, body and all
 * into wiping memory, and shows libsoup in its place the head of an empty request: libsoup's own lenient parser never sees
 * a stranger's byte, and no secret gets into its buffers. Pipelined requests wait here for their turn.
 *
 * On the way out, the head of an answer waits for the body, so that both leave in one packet.
 */
#define BAWN_TYPE_HTTP_STREAM (bawn_http_stream_get_type ())
G_DECLARE_FINAL_TYPE (BawnHttpStream, bawn_http_stream, BAWN, HTTP_STREAM, GIOStream)

BawnHttpStream *bawn_http_stream_new (BawnHttpWire *wire, BawnHttpPoller *poller, const BawnHttpLimits *limits,
                                      gssize *buffered, const BawnHttpStreamOwner *events, gpointer owner);
BawnHttpHead *bawn_http_stream_get_head (BawnHttpStream *stream);
BawnBuffer *bawn_http_stream_get_body (BawnHttpStream *stream);
void bawn_http_stream_hold (BawnHttpStream *stream);
void bawn_http_stream_next (BawnHttpStream *stream);

G_END_DECLS
