/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>
#include <string.h>

/* The wrapping token: the operand, `-` for a line of the standard input; NULL for the caller's own.
 */
static gboolean
wrapping_token (BawnCli *cli, BawnCliArgs *args, char **out_token, GError **error)
{
  const char *operand = bawn_cli_args_operand (args, 0);

  *out_token = NULL;
  if (operand == NULL)
    return TRUE;
  if (strcmp (operand, "-") != 0)
    {
      *out_token = g_strdup (operand);
      return TRUE;
    }

  *out_token = bawn_cli_ask (cli, _ ("Wrapping token (will be hidden): "), error);
  return *out_token != NULL;
}

static gboolean
run_unwrap (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnWipedString) token = NULL;
  g_autoptr (BawnCliReply) reply = NULL;
  g_autoptr (GBytes) body = NULL;

  if (!wrapping_token (cli, args, &token, error))
    return FALSE;
  if (token != NULL && bawn_cli_token (cli) != NULL)
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      bawn_json_writer_begin_object (&w);
      bawn_json_writer_add_string (&w, "token", token);
      bawn_json_writer_end_object (&w);
      body = bawn_json_writer_finish (&w);
    }
  else if (token != NULL)
    bawn_cli_set_token (cli, token);

  if (!bawn_cli_api_write (cli, "sys/wrapping/unwrap", body, &reply, error))
    {
      g_prefix_error (error, _ ("Error unwrapping: "));
      return FALSE;
    }
  if (g_bytes_get_size (reply->body) == 0)
    bawn_cli_say (cli, _ ("Successfully unwrapped. There was no data in the wrapped secret."));

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_unwrap = {
  .name = "unwrap",
  .operands = "[TOKEN]",
  .summary = N_ ("Unwrap a wrapped answer"),
  .help = N_ (
      "The answer behind a wrapping token can be had once. Without an operand, the token in use "
      "is the wrapping token; - reads it from the standard input.\n\n"
      "If that fails although nobody should have seen the token: somebody has. Treat the secret "
      "as known to others."),
  .examples = "bawn unwrap -\nbawn unwrap -field=password s.Fnl0b3yGJRJo5TbAiA4c2mZt",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 0,
  .max_operands = 1,
  .run = run_unwrap,
};
