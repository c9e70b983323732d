/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-output.h"

#include <glib/gi18n.h>

/* How the data can be given is the same for all commands that take some. */
#define DATA_HELP                                                                                  \
  N_ ("Data is given as key=value. A value that starts with @ is read from the file of that name " \
      "(\\@ for a literal @), and the value - from the standard input, which keeps it out of the " \
      "process list and of the shell's history. @FILE alone, or - alone, is a JSON object to "     \
      "send. "                                                                                     \
      "A key given twice becomes a list.")

static const BawnCliFlag write_flags[] = {
  { "force", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Write even without data; some paths want none.") },
  { "f", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Short for -force.") },
  { NULL },
};

static gboolean
is_forced (BawnCliArgs *args)
{
  return bawn_cli_args_bool (args, "force", FALSE) || bawn_cli_args_bool (args, "f", FALSE);
}

typedef gboolean (*Send) (
    BawnCli *cli, const char *path, GBytes *body, BawnCliReply **out_reply, GError **error);

static gboolean
write_with (BawnCli *cli, BawnCliArgs *args, Send send, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_data_add (data, bawn_cli_args_operands (args, 1), bawn_cli_input (cli),
                          bawn_cli_may_ask (cli), error))
    return FALSE;
  if (bawn_cli_args_n_operands (args) < 2 && !is_forced (args))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Must supply data or use -force"));

  g_autoptr (GBytes) body = bawn_cli_data_to_json (data);
  if (!send (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }
  if (bawn_cli_reply_root (reply) != NULL)
    return bawn_cli_output_secret (cli, args, reply, error);

  bawn_cli_say (cli, _ ("Success! Data written to: %s"), path);
  return TRUE;
}

static gboolean
run_write (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return write_with (cli, args, bawn_cli_api_write, error);
}

const BawnCliCommand bawn_cli_command_write = {
  .name = "write",
  .operands = "PATH DATA…",
  .summary = N_ ("Write data to a path"),
  .help = DATA_HELP,
  .examples = "bawn write auth/userpass/users/alice password=- policies=readers\n"
              "bawn write sys/tools/hash/sha2-256 @request.json\n"
              "bawn write -force sys/rotate",
  .flags = write_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_write,
};

static gboolean
run_patch (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return write_with (cli, args, bawn_cli_api_patch, error);
}

const BawnCliCommand bawn_cli_command_patch = {
  .name = "patch",
  .operands = "PATH DATA…",
  .summary = N_ ("Change part of what is at a path"),
  .help = DATA_HELP,
  .examples = "bawn patch secret/metadata/app max_versions=5",
  .flags = write_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_patch,
};
