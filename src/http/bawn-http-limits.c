/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-limits.h"

/**
 * bawn_http_limits_init:
 * @limits: to be filled
 *
 * Sets every limit to its default.
 */
void
bawn_http_limits_init (BawnHttpLimits *limits)
{
  *limits = (BawnHttpLimits) {
    .max_request_size = BAWN_HTTP_MAX_REQUEST_SIZE,
    .max_header_size = BAWN_HTTP_MAX_HEADER_SIZE,
    .max_buffered_size = BAWN_HTTP_MAX_BUFFERED_SIZE,
    .max_connections = BAWN_HTTP_MAX_CONNECTIONS,
    .timeouts_us = {
      [BAWN_HTTP_PHASE_HANDSHAKE] = BAWN_HTTP_HANDSHAKE_TIMEOUT_US,
      [BAWN_HTTP_PHASE_HEADERS] = BAWN_HTTP_HEADER_TIMEOUT_US,
      [BAWN_HTTP_PHASE_BODY] = BAWN_HTTP_BODY_TIMEOUT_US,
      [BAWN_HTTP_PHASE_REQUEST] = BAWN_HTTP_REQUEST_TIMEOUT_US,
      [BAWN_HTTP_PHASE_WRITE] = BAWN_HTTP_WRITE_TIMEOUT_US,
      [BAWN_HTTP_PHASE_IDLE] = BAWN_HTTP_IDLE_TIMEOUT_US,
      [BAWN_HTTP_PHASE_LINGER] = BAWN_HTTP_LINGER_TIMEOUT_US,
    },
    .json = { .max_depth = BAWN_JSON_MAX_DEPTH, .max_nodes = BAWN_JSON_MAX_NODES },
  };
}
