/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* <installed> */
#define BAWN_ERROR (bawn_error_quark ())

/**
 * BawnErrorCode:
 * @BAWN_ERROR_INVALID: the input is wrong; the message tells the caller why
 * @BAWN_ERROR_DENIED: not allowed; missing, unknown and unauthorised look the same from outside
 * @BAWN_ERROR_NOT_FOUND: nothing is there
 * @BAWN_ERROR_UNSUPPORTED: the path exists, the operation does not
 * @BAWN_ERROR_TOO_LARGE: a named limit on a size was passed
 * @BAWN_ERROR_LIMITED: a quota was passed
 * @BAWN_ERROR_INTERNAL: a defect or a broken part; the message is for the log only
 * @BAWN_ERROR_UPSTREAM: the storage or another server did not do what it should; for the log only
 * @BAWN_ERROR_SEALED: the node is sealed
 * @BAWN_ERROR_STANDBY: the node is not active
 * @BAWN_ERROR_BUSY: a bound on waiting work was reached
 * @BAWN_ERROR_TIMEOUT: a deadline passed
 * @BAWN_ERROR_CORRUPT: stored data did not authenticate or parse; names the key; for the log only
 * @BAWN_ERROR_WOULD_BLOCK: the storage must be asked, and this run may not wait; run it again on the pool
 * @BAWN_ERROR_CONFLICT: a condition of a commit did not hold; nothing was written
 * @BAWN_ERROR_UNKNOWN_OUTCOME: a commit was sent and the answer lost
 * @BAWN_ERROR_DEPOSED: the fence was refused: another node is active now
 *
 * What went wrong, by meaning and not by place. Errors of other libraries are translated where they
 * enter our code.
 */
typedef enum
{
  BAWN_ERROR_INVALID,
  BAWN_ERROR_DENIED,
  BAWN_ERROR_NOT_FOUND,
  BAWN_ERROR_UNSUPPORTED,
  BAWN_ERROR_TOO_LARGE,
  BAWN_ERROR_LIMITED,
  BAWN_ERROR_INTERNAL,
  BAWN_ERROR_UPSTREAM,
  BAWN_ERROR_SEALED,
  BAWN_ERROR_STANDBY,
  BAWN_ERROR_BUSY,
  BAWN_ERROR_TIMEOUT,
  BAWN_ERROR_CORRUPT,
  BAWN_ERROR_WOULD_BLOCK,
  BAWN_ERROR_CONFLICT,
  BAWN_ERROR_UNKNOWN_OUTCOME,
  BAWN_ERROR_DEPOSED,
} BawnErrorCode;

GQuark bawn_error_quark (void);

gboolean bawn_fail (GError **error, BawnErrorCode code, const char *format, ...) G_GNUC_PRINTF (3, 4);
gpointer bawn_fail_null (GError **error, BawnErrorCode code, const char *format, ...) G_GNUC_PRINTF (3, 4);
gboolean bawn_error_is (const GError *error, BawnErrorCode code);
/* </installed> */

G_END_DECLS
