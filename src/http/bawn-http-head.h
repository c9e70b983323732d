/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-bytes.h"

G_BEGIN_DECLS

/* Clients send about ten fields; beyond this it is an attack on whoever walks the list. */
#define BAWN_HTTP_MAX_FIELDS 100

/**
 * BawnHttpRefusal:
 * @status: what to answer, or 0
 * @text: (nullable): for the "errors" of the answer
 *
 * Why a request cannot even be read. What follows on the connection is not to be trusted, so it ends.
 */
typedef struct
{
  guint status;
  const char *text;
} BawnHttpRefusal;

typedef struct
{
  const char *name;
  const char *value;
} BawnHttpField;

/**
 * BawnHttpHead:
 * @method: as sent
 * @target: as sent, still percent-encoded
 * @minor: of HTTP/1.x
 * @fields: names as sent; all of it points into @text
 * @length: the body's, if not @chunked; 0: none
 * @keep_alive: the client expects the connection to live on
 * @expects_continue: it waits for "100 Continue" before it sends the body
 *
 * The head of one request, strictly read. Wiped when cleared, since it carries a token.
 */
typedef struct
{
  const char *method;
  const char *target;
  guint minor;
  guint n_fields;
  BawnHttpField fields[BAWN_HTTP_MAX_FIELDS];
  gboolean chunked;
  guint64 length;
  gboolean keep_alive;
  gboolean expects_continue;
  /*< private >*/
  BawnBuffer text;
} BawnHttpHead;

gsize bawn_http_head_end (const guint8 *data, gsize size, gsize *inout_scanned);
gboolean bawn_http_head_parse (BawnHttpHead *head, const guint8 *data, gsize size, BawnHttpRefusal *out_refusal);
const char *bawn_http_head_get (const BawnHttpHead *head, const char *name);
void bawn_http_head_clear (BawnHttpHead *head);

G_END_DECLS
