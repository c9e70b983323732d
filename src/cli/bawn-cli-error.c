/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-error.h"

G_DEFINE_QUARK (bawn-cli-error-quark, bawn_cli_error)

/**
 * bawn_cli_fail:
 * @error: (out) (optional): where to put the error
 * @code: how the command ends
 * @format: printf-style message, translated
 *
 * Returns: %FALSE, always, so that a failing function can `return bawn_cli_fail (…)`
 */
gboolean
bawn_cli_fail (GError **error, BawnCliErrorCode code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (BAWN_CLI_ERROR, (int) code, format, args);
  va_end (args);

  return FALSE;
}

/**
 * bawn_cli_fail_null:
 * @error: (out) (optional): where to put the error
 * @code: how the command ends
 * @format: printf-style message, translated
 *
 * bawn_cli_fail() for functions that return a pointer.
 *
 * Returns: %NULL, always
 */
gpointer
bawn_cli_fail_null (GError **error, BawnCliErrorCode code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (BAWN_CLI_ERROR, (int) code, format, args);
  va_end (args);

  return NULL;
}

/**
 * bawn_cli_error_exit_status:
 * @error: an error of any domain
 *
 * Returns: the exit status that tells a script the same as @error tells a person
 */
int
bawn_cli_error_exit_status (const GError *error)
{
  if (error->domain != BAWN_CLI_ERROR)
    return BAWN_CLI_EXIT_LOCAL;

  switch ((BawnCliErrorCode) error->code)
    {
    case BAWN_CLI_ERROR_REMOTE:
      return BAWN_CLI_EXIT_REMOTE;
    case BAWN_CLI_ERROR_DONE:
      return BAWN_CLI_EXIT_OK;
    case BAWN_CLI_ERROR_LOCAL:
    case BAWN_CLI_ERROR_USAGE:
      break;
    }

  return BAWN_CLI_EXIT_LOCAL;
}
