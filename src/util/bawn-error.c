/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-error.h"

G_DEFINE_QUARK (bawn-error-quark, bawn_error)

/**
 * bawn_fail:
 * @error: (out) (optional): where to put the error
 * @code: what kind of failure
 * @format: printf-style message
 *
 * Sets @error in our domain, so that a code can never be taken for a domain.
 *
 * Returns: %FALSE, always, so that a failing function can `return bawn_fail (…)`
 */
gboolean
bawn_fail (GError **error, BawnErrorCode code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    {
      g_return_val_if_fail (*error == NULL, FALSE);
      *error = g_error_new_valist (BAWN_ERROR, (int) code, format, args);
    }
  va_end (args);

  return FALSE;
}

/**
 * bawn_fail_null:
 * @error: (out) (optional): where to put the error
 * @code: what kind of failure
 * @format: printf-style message
 *
 * bawn_fail() for functions that return a pointer.
 *
 * Returns: %NULL, always
 */
gpointer
bawn_fail_null (GError **error, BawnErrorCode code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    {
      g_return_val_if_fail (*error == NULL, NULL);
      *error = g_error_new_valist (BAWN_ERROR, (int) code, format, args);
    }
  va_end (args);

  return NULL;
}

/**
 * bawn_error_is:
 * @error: (nullable): an error
 * @code: a code of our domain
 *
 * Returns: %TRUE if @error is set, of our domain, and of that code
 */
gboolean
bawn_error_is (const GError *error, BawnErrorCode code)
{
  return g_error_matches (error, BAWN_ERROR, (int) code);
}
