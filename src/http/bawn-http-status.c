/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-status.h"

/* A failover takes less. */
#define RETRY_AFTER_S 1

/**
 * bawn_http_rule:
 * @error: an error
 *
 * Errors of other domains should have been translated where they came in; they count as defects.
 *
 * Returns: how to show it
 */
BawnHttpRule
bawn_http_rule (const GError *error)
{
  BawnErrorCode code = error->domain == BAWN_ERROR ? (BawnErrorCode) error->code : BAWN_ERROR_INTERNAL;

  switch (code)
    {
    case BAWN_ERROR_INVALID:
      return (BawnHttpRule) { .status = 400 };
    case BAWN_ERROR_DENIED:
      return (BawnHttpRule) { .status = 403, .text = "permission denied" };
    case BAWN_ERROR_NOT_FOUND:
      return (BawnHttpRule) { .status = 404 };
    case BAWN_ERROR_UNSUPPORTED:
      return (BawnHttpRule) { .status = 405 };
    case BAWN_ERROR_TOO_LARGE:
      return (BawnHttpRule) { .status = 413 };
    case BAWN_ERROR_LIMITED:
      return (BawnHttpRule) { .status = 429, .retry_after_s = RETRY_AFTER_S };
    case BAWN_ERROR_SEALED:
      return (BawnHttpRule) { .status = 503 };
    case BAWN_ERROR_STANDBY:
    case BAWN_ERROR_BUSY:
      return (BawnHttpRule) { .status = 503, .retry_after_s = RETRY_AFTER_S };
    case BAWN_ERROR_DEPOSED:
      return (BawnHttpRule) { .status = 503, .text = "node is not active", .retry_after_s = RETRY_AFTER_S };
    case BAWN_ERROR_UNKNOWN_OUTCOME:
      return (BawnHttpRule) { .status = 503,
                              .text = "it is not known whether this was done: look before trying again" };
    /* The storage tells the log why, once for each outage: storage/bawn-outage.h. */
    case BAWN_ERROR_UPSTREAM:
      return (BawnHttpRule) { .status = 503,
                              .text = "the storage is not available at the moment: try again later",
                              .retry_after_s = RETRY_AFTER_S };
    case BAWN_ERROR_TIMEOUT:
      return (BawnHttpRule) { .status = 504 };
    case BAWN_ERROR_INTERNAL:
    case BAWN_ERROR_CORRUPT:
    /* These two drive the pipeline and are not meant to come so far. */
    case BAWN_ERROR_WOULD_BLOCK:
    case BAWN_ERROR_CONFLICT:
      break;
    }

  return (BawnHttpRule) { .status = 500, .hidden = TRUE };
}
