/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-conn.h"
#include "http/bawn-http-reply.h"

G_BEGIN_DECLS

/* A request on its way through the house, from libsoup's message and back to it. */
void bawn_http_exchange_begin (BawnHttpConn *conn, SoupServerMessage *message);
void bawn_http_exchange_expire (BawnHttpExchange *exchange);
void bawn_http_exchange_end (BawnHttpExchange *exchange);

G_END_DECLS
