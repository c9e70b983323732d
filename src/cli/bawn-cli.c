/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli.h"

#include "cli/bawn-cli-terminal.h"
#include "cli/bawn-cli-token-file.h"
#include "util/bawn-bytes.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

struct _BawnCli
{
  BawnCliSettings *settings;
  BawnCliClient *client; /* made when first needed */
  char *home;
  char *token; /* wiped; meaningful once token_known */
  gboolean token_known;
  int input_fd;
  int output_fd;
  int exit_status;
  int output_errno; /* of the first write that failed; 0: none */
};

/**
 * bawn_cli_new:
 * @settings: (transfer full): what the command line and the environment say
 * @home: where the token file is
 * @input_fd: the standard input
 * @output_fd: the standard output
 *
 * Returns: (transfer full): surroundings for a command
 */
BawnCli *
bawn_cli_new (BawnCliSettings *settings, const char *home, int input_fd, int output_fd)
{
  BawnCli *cli = g_new0 (BawnCli, 1);

  cli->settings = settings;
  cli->home = g_strdup (home);
  cli->input_fd = input_fd;
  cli->output_fd = output_fd;
  return cli;
}

/**
 * bawn_cli_free:
 * @cli: (nullable) (transfer full): surroundings
 */
void
bawn_cli_free (BawnCli *cli)
{
  if (cli == NULL)
    return;

  g_clear_pointer (&cli->client, bawn_cli_client_free);
  g_clear_pointer (&cli->settings, bawn_cli_settings_free);
  g_clear_pointer (&cli->token, bawn_string_wipe_free);
  g_free (cli->home);
  g_free (cli);
}

/**
 * bawn_cli_settings:
 * @cli: surroundings
 *
 * Returns: what the command line and the environment say
 */
const BawnCliSettings *
bawn_cli_settings (BawnCli *cli)
{
  return cli->settings;
}

/**
 * bawn_cli_home:
 * @cli: surroundings
 *
 * Returns: where the token file is
 */
const char *
bawn_cli_home (BawnCli *cli)
{
  return cli->home;
}

/**
 * bawn_cli_input:
 * @cli: surroundings
 *
 * Returns: the standard input
 */
int
bawn_cli_input (BawnCli *cli)
{
  return cli->input_fd;
}

/**
 * bawn_cli_may_ask:
 * @cli: surroundings
 *
 * Returns: whether a person may be asked, if the standard input is a terminal
 */
gboolean
bawn_cli_may_ask (BawnCli *cli)
{
  return !cli->settings->non_interactive;
}

/**
 * bawn_cli_set_exit_status:
 * @cli: surroundings
 * @status: what the process shall return if the command succeeds
 */
void
bawn_cli_set_exit_status (BawnCli *cli, int status)
{
  cli->exit_status = status;
}

/**
 * bawn_cli_exit_status:
 * @cli: surroundings
 *
 * Returns: what the process shall return if the command succeeds
 */
int
bawn_cli_exit_status (BawnCli *cli)
{
  return cli->exit_status;
}

/**
 * bawn_cli_token:
 * @cli: surroundings
 *
 * A token file that others can read is not used, and that is said once.
 *
 * Returns: (nullable): the token to send
 */
const char *
bawn_cli_token (BawnCli *cli)
{
  g_autoptr (GError) error = NULL;

  if (cli->token_known)
    return cli->token;

  cli->token_known = TRUE;
  if (cli->settings->token != NULL)
    cli->token = g_strdup (cli->settings->token);
  else if (!bawn_cli_token_file_load (cli->home, &cli->token, &error))
    bawn_cli_warn ("%s", error->message);

  return cli->token;
}

/**
 * bawn_cli_set_token:
 * @cli: surroundings
 * @token: (nullable): what to send from now on
 */
void
bawn_cli_set_token (BawnCli *cli, const char *token)
{
  char *copy = g_strdup (token);

  g_clear_pointer (&cli->token, bawn_string_wipe_free);
  cli->token = copy;
  cli->token_known = TRUE;
}

/**
 * bawn_cli_client:
 * @cli: surroundings
 * @out_client: (out) (transfer none): the server
 * @error: (out) (optional): if its address or a certificate makes no sense
 *
 * Returns: %FALSE with @error set if there is no way to ask it anything
 */
gboolean
bawn_cli_client (BawnCli *cli, BawnCliClient **out_client, GError **error)
{
  if (cli->client == NULL)
    cli->client = bawn_cli_client_open (cli->settings, error);
  if (cli->client == NULL)
    return FALSE;

  *out_client = cli->client;
  return TRUE;
}

/**
 * bawn_cli_put:
 * @cli: surroundings
 * @data: what to print
 * @size: its length
 *
 * That it failed is told by bawn_cli_flush().
 */
void
bawn_cli_put (BawnCli *cli, gconstpointer data, gsize size)
{
  const char *rest = data;

  while (size > 0 && cli->output_errno == 0)
    {
      gssize n = write (cli->output_fd, rest, size);

      if (n < 0 && errno != EINTR)
        cli->output_errno = errno;
      if (n > 0)
        {
          rest += n;
          size -= (gsize) n;
        }
    }
}

/**
 * bawn_cli_say:
 * @cli: surroundings
 * @format: printf-style message, translated; a line end is added
 */
void
bawn_cli_say (BawnCli *cli, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autoptr (BawnWipedString) text = g_strdup_vprintf (format, args);
  va_end (args);

  if (cli->settings->format != BAWN_CLI_FORMAT_TABLE)
    {
      g_printerr ("%s\n", text);
      return;
    }
  bawn_cli_put (cli, text, strlen (text));
  bawn_cli_put (cli, "\n", 1);
}

/**
 * bawn_cli_warn:
 * @format: printf-style message, translated; a line end is added
 */
void
bawn_cli_warn (const char *format, ...)
{
  gboolean colour = bawn_cli_wants_colour (STDERR_FILENO);
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  g_printerr ("%s%s%s %s\n", colour ? YELLOW : "", _ ("Warning:"), colour ? PLAIN : "", text);
}

/**
 * bawn_cli_flush:
 * @cli: surroundings
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: %FALSE with @error set if not all could be printed, to a full disk for example
 */
gboolean
bawn_cli_flush (BawnCli *cli, GError **error)
{
  if (cli->output_errno == 0)
    return TRUE;

  return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Cannot write the standard output: %s"),
                        g_strerror (cli->output_errno));
}

/**
 * bawn_cli_output_is_terminal:
 * @cli: surroundings
 *
 * Returns: %TRUE if results are shown to a person right away
 */
gboolean
bawn_cli_output_is_terminal (BawnCli *cli)
{
  return isatty (cli->output_fd) != 0;
}

/**
 * bawn_cli_ask:
 * @cli: surroundings
 * @prompt: what to print before, on a terminal
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: (transfer full): a line of the standard input; free with bawn_string_wipe_free()
 */
char *
bawn_cli_ask (BawnCli *cli, const char *prompt, GError **error)
{
  return bawn_cli_ask_secret (cli->input_fd, prompt, bawn_cli_may_ask (cli), error);
}
