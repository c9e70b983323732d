/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-head.h"
#include "http/bawn-http-reply.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnHttpProxyBehavior:
 * @BAWN_HTTP_PROXY_USE_ALWAYS: whoever connects may say whom he relays
 * @BAWN_HTTP_PROXY_ALLOW_AUTHORIZED: of others, what they say is passed over
 * @BAWN_HTTP_PROXY_DENY_UNAUTHORIZED: others are hung up on
 * @BAWN_HTTP_PROXY_OFF: the PROXY protocol is not spoken
 */
typedef enum
{
  BAWN_HTTP_PROXY_USE_ALWAYS,
  BAWN_HTTP_PROXY_ALLOW_AUTHORIZED,
  BAWN_HTTP_PROXY_DENY_UNAUTHORIZED,
  BAWN_HTTP_PROXY_OFF,
} BawnHttpProxyBehavior;

/**
 * BawnHttpOrigin:
 * @proxy: what is done about the PROXY protocol
 * @proxy_addrs: (nullable): networks of proxies that speak it
 * @forwarded_addrs: (nullable): networks of proxies whose X-Forwarded-For is believed; %NULL: it is
 * not looked at
 * @hop_skips: how many of its last addresses are those of proxies
 * @reject_not_authorized: others that send one are refused, not passed over
 * @reject_not_present: a request without one is refused
 *
 * Whom to believe that he speaks for somebody else. "unix" stands for all clients of a Unix socket.
 * Immutable.
 */
typedef struct
{
  BawnHttpProxyBehavior proxy;
  GStrv proxy_addrs;
  GStrv forwarded_addrs;
  guint hop_skips;
  gboolean reject_not_authorized;
  gboolean reject_not_present;
} BawnHttpOrigin;

void bawn_http_origin_read (BawnHttpOrigin *origin, BawnConfigGroup *group);
void bawn_http_origin_clear (BawnHttpOrigin *origin);

gboolean bawn_http_origin_believes_proxy (const BawnHttpOrigin *origin, const char *host);
gboolean bawn_http_origin_resolve (const BawnHttpOrigin *origin,
                                   BawnHttpHead *head,
                                   const char *host,
                                   char **out_client,
                                   BawnHttpReply *out_refusal);

G_END_DECLS
