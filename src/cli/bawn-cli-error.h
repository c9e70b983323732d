/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define BAWN_CLI_ERROR (bawn_cli_error_quark ())

/**
 * BawnCliErrorCode:
 * @BAWN_CLI_ERROR_LOCAL: something on this side: a file, a value, the terminal; exit status 1
 * @BAWN_CLI_ERROR_REMOTE: the server said no, or could not be reached; exit status 2
 * @BAWN_CLI_ERROR_USAGE: the command line makes no sense; exit status 1, and the help is pointed to
 * @BAWN_CLI_ERROR_DONE: nothing is wrong, but there is nothing left to do; exit status 0, no
 * message
 *
 * How a command ends when it does not simply succeed. Errors of any other domain are local ones.
 */
typedef enum
{
  BAWN_CLI_ERROR_LOCAL,
  BAWN_CLI_ERROR_REMOTE,
  BAWN_CLI_ERROR_USAGE,
  BAWN_CLI_ERROR_DONE,
} BawnCliErrorCode;

/* What the process returns. A sealed server makes `status` return BAWN_CLI_EXIT_REMOTE too. */
#define BAWN_CLI_EXIT_OK 0
#define BAWN_CLI_EXIT_LOCAL 1
#define BAWN_CLI_EXIT_REMOTE 2

GQuark bawn_cli_error_quark (void);

gboolean bawn_cli_fail (GError **error, BawnCliErrorCode code, const char *format,
                        ...) G_GNUC_PRINTF (3, 4);
gpointer bawn_cli_fail_null (GError **error, BawnCliErrorCode code, const char *format,
                             ...) G_GNUC_PRINTF (3, 4);
int bawn_cli_error_exit_status (const GError *error);

G_END_DECLS
