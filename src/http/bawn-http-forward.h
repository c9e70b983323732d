/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-exchange.h"

G_BEGIN_DECLS

/* A client's request as another node gets it, or as the client itself is to ask it there. */
void bawn_http_forward_write (BawnHttpExchange *exchange, BawnBuffer *out);
gboolean bawn_http_forward_redirect (const char *api_addr,
                                     const BawnHttpHead *head,
                                     BawnHttpReply *out_reply);
gboolean bawn_http_forward_is_repeatable (const BawnHttpHead *head);

G_END_DECLS
