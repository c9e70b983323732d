/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-guard.h"
#include "util/bawn-json.h"

G_BEGIN_DECLS

/* The API's own default; a KV value with its escapes and a CRL fit well. */
#define BAWN_HTTP_MAX_REQUEST_SIZE (32 * 1024 * 1024)
#define BAWN_HTTP_MAX_REQUEST_SIZE_CEILING ((gint64) 1024 * 1024 * 1024)
/* A token, a long path and a proxy's additions need a few KiB. */
#define BAWN_HTTP_MAX_HEADER_SIZE (64 * 1024)
#define BAWN_HTTP_MAX_HEADER_SIZE_FLOOR 1024
#define BAWN_HTTP_MAX_HEADER_SIZE_CEILING (1024 * 1024)
/* Bodies of all connections together: what strangers can make the server hold before anybody has seen their token. */
#define BAWN_HTTP_MAX_BUFFERED_SIZE (256 * 1024 * 1024)
/* Ten thousand idle connections are some 40 MB; systemd's default limit on descriptors is far above. */
#define BAWN_HTTP_MAX_CONNECTIONS 10000
#define BAWN_HTTP_MAX_CONNECTIONS_CEILING 1000000

#define BAWN_HTTP_HANDSHAKE_TIMEOUT_US (10 * G_USEC_PER_SEC)
#define BAWN_HTTP_HEADER_TIMEOUT_US (10 * G_USEC_PER_SEC)
#define BAWN_HTTP_BODY_TIMEOUT_US (30 * G_USEC_PER_SEC)
#define BAWN_HTTP_REQUEST_TIMEOUT_US (90 * G_USEC_PER_SEC)
#define BAWN_HTTP_WRITE_TIMEOUT_US (30 * G_USEC_PER_SEC)
#define BAWN_HTTP_IDLE_TIMEOUT_US (300 * G_USEC_PER_SEC)
/* After a refusal: long enough for a client to read why, short enough not to be worth an attack. */
#define BAWN_HTTP_LINGER_TIMEOUT_US (2 * G_USEC_PER_SEC)
#define BAWN_HTTP_TIMEOUT_FLOOR_US (10 * 1000)
#define BAWN_HTTP_TIMEOUT_CEILING_US ((gint64) 24 * 3600 * G_USEC_PER_SEC)

/**
 * BawnHttpLimits:
 * @max_request_size: of a body, in bytes
 * @max_header_size: of a request line with its headers, in bytes
 * @max_buffered_size: of all bodies being received, in bytes
 * @max_connections: at a time
 * @timeouts_us: for each #BawnHttpPhase
 * @json: of a body
 *
 * What a listener puts up with.
 */
typedef struct
{
  gsize max_request_size;
  gsize max_header_size;
  gsize max_buffered_size;
  guint max_connections;
  gint64 timeouts_us[BAWN_HTTP_N_PHASES];
  BawnJsonLimits json;
} BawnHttpLimits;

void bawn_http_limits_init (BawnHttpLimits *limits);

G_END_DECLS
