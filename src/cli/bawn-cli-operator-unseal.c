/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-operator.h"
#include "cli/bawn-cli-seal-status.h"
#include "util/bawn-bytes.h"

#include <glib/gi18n.h>

static const BawnCliFlag unseal_flags[] = {
  { "reset", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Forget the key shares entered so far.") },
  { "migrate", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Take part in a change to another kind of seal.") },
  { NULL },
};

static GBytes *
reset_body (void)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "reset", TRUE);
  bawn_json_writer_end_object (&w);
  return bawn_json_writer_finish (&w);
}

static GBytes *
unseal_body (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnWipedString) share =
      bawn_cli_ask_share (cli, args, _ ("Unseal Key (will be hidden): "), error);

  if (share == NULL)
    return NULL;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "key", share);
  if (bawn_cli_args_bool (args, "migrate", FALSE))
    bawn_json_writer_add_bool (&w, "migrate", TRUE);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
run_unseal (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;
  g_autoptr (GBytes) body =
      bawn_cli_args_bool (args, "reset", FALSE) ? reset_body () : unseal_body (cli, args, error);

  if (body == NULL)
    return FALSE;
  if (!bawn_cli_api_write (cli, "sys/unseal", body, &reply, error))
    {
      g_prefix_error (error, _ ("Error unsealing: "));
      return FALSE;
    }

  return bawn_cli_output_seal_status (cli, reply, error);
}

const BawnCliCommand bawn_cli_command_operator_unseal = {
  .name = "operator unseal",
  .operands = "[KEY]",
  .summary = N_ ("Enter a key share to unseal the server"),
  .help = N_ (
      "To be run once by each of enough holders of key shares; the shares meet in the memory of "
      "the server only. Without an operand, asks for the share without showing it, or reads a "
      "line of the standard input."),
  .examples = "bawn operator unseal\nbawn operator unseal -reset",
  .flags = unseal_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 1,
  .run = run_unseal,
};
