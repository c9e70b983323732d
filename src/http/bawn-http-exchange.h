/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-conn.h"
#include "http/bawn-http-reply.h"

G_BEGIN_DECLS

/* A request on its way through the house, from libsoup's message and back to it. */
void bawn_http_exchange_begin (BawnHttpConn *conn, SoupServerMessage *message);
void bawn_http_exchange_expire (BawnHttpExchange *exchange);
void bawn_http_exchange_end (BawnHttpExchange *exchange);

/* For those who find an answer elsewhere. */
const BawnHttpHead *bawn_http_exchange_get_head (BawnHttpExchange *exchange);
GBytes *bawn_http_exchange_get_body (BawnHttpExchange *exchange);
BawnRequest *bawn_http_exchange_get_request (BawnHttpExchange *exchange);
gsize bawn_http_exchange_get_size (BawnHttpExchange *exchange);
gint64 bawn_http_exchange_get_deadline (BawnHttpExchange *exchange);
void bawn_http_exchange_answer (BawnHttpExchange *exchange, const BawnHttpReply *reply);
void bawn_http_exchange_retry (BawnHttpExchange *exchange);

G_END_DECLS
