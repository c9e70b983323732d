/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-head.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_HTTP_BODY_DONE,
  BAWN_HTTP_BODY_LENGTH,
  BAWN_HTTP_BODY_CHUNK_SIZE,
  BAWN_HTTP_BODY_CHUNK_DATA,
  BAWN_HTTP_BODY_CHUNK_END,
  BAWN_HTTP_BODY_TRAILER,
} BawnHttpBodyState;

/**
 * BawnHttpBody:
 * @state: where the reader stands; %BAWN_HTTP_BODY_DONE: the request is complete
 * @left: bytes still to come, of the body or of the chunk
 * @data: what has been read, without its framing
 *
 * Takes a request's body out of its framing, in wiping memory.
 */
typedef struct
{
  BawnHttpBodyState state;
  guint64 left;
  BawnBuffer data;
  /*< private >*/
  char line[20]; /* of a chunk's size */
  guint line_size;
  gboolean after_cr;
  gsize overhead;
} BawnHttpBody;

gboolean bawn_http_body_begin (BawnHttpBody *body, const BawnHttpHead *head, gsize max_size, BawnHttpRefusal *out_refusal);
gboolean bawn_http_body_feed (BawnHttpBody *body, const guint8 *data, gsize size, gsize max_size, gsize *out_used,
                              BawnHttpRefusal *out_refusal);
void bawn_http_body_clear (BawnHttpBody *body);

G_END_DECLS
