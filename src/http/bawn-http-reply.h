/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-request.h"
#include "logical/bawn-response.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * BawnHttpReply:
 * @status: HTTP
 * @body: (nullable): in wiping memory if it is secret
 * @content_type: (nullable): default: application/json
 * @location: (nullable): for a redirect
 * @retry_after_s: 0: none
 * @headers: (nullable): name, value, name, value …
 *
 * An answer as it goes out.
 */
typedef struct
{
  guint status;
  GBytes *body;
  char *content_type;
  char *location;
  guint retry_after_s;
  GPtrArray *headers;
} BawnHttpReply;

void bawn_http_reply_clear (BawnHttpReply *reply);
void bawn_http_reply_from_text (BawnHttpReply *reply, guint status, const char *message);
void bawn_http_reply_from_error (BawnHttpReply *reply, const GError *error, const BawnRequest *request);
void bawn_http_reply_from_response (BawnHttpReply *reply, BawnResponse *response, const BawnRequest *request);
void bawn_http_reply_write (const BawnHttpReply *reply, SoupServerMessage *message, gboolean secure, gboolean keep_alive);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHttpReply, bawn_http_reply_clear)

G_END_DECLS
