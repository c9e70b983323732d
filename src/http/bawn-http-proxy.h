/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-socket.h"

G_BEGIN_DECLS

/* What the specification asks of a receiver: the longest line of version 1 with its end, and a
 * version 2 with a good deal of what proxies add to it. */
#define BAWN_HTTP_PROXY_V1_MAX 107
#define BAWN_HTTP_PROXY_V2_MAX 536

/**
 * BawnHttpProxyVerdict:
 * @BAWN_HTTP_PROXY_NONE: this is no header of the PROXY protocol
 * @BAWN_HTTP_PROXY_MORE: it may become one
 * @BAWN_HTTP_PROXY_HEADER: it begins with one
 * @BAWN_HTTP_PROXY_BAD: it begins like one, and is none
 *
 * What the beginning of a connection is.
 */
typedef enum
{
  BAWN_HTTP_PROXY_NONE,
  BAWN_HTTP_PROXY_MORE,
  BAWN_HTTP_PROXY_HEADER,
  BAWN_HTTP_PROXY_BAD,
} BawnHttpProxyVerdict;

/**
 * BawnHttpProxyHeader:
 * @source: the client; AF_UNSPEC if the header does not tell, so that the connection's address
 * stands
 * @size: of the header; if more is needed, of what is there
 *
 * What a proxy says of the connection that it relays.
 */
typedef struct
{
  BawnHttpAddress source;
  gsize size;
} BawnHttpProxyHeader;

BawnHttpProxyVerdict
bawn_http_proxy_parse (const guint8 *data, gsize size, BawnHttpProxyHeader *out_header);
BawnHttpProxyVerdict bawn_http_proxy_receive (int fd, BawnHttpProxyHeader *out_header);

G_END_DECLS
