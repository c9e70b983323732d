/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-output.h"

#include <glib/gi18n.h>

/* The operands behind the path as a query string; NULL when there are none. */
static gboolean
query_from_operands (BawnCli *cli, BawnCliArgs *args, char **out_query, GError **error)
{
  g_autoptr (BawnCliData) data = bawn_cli_data_new ();

  if (!bawn_cli_data_add (data, bawn_cli_args_operands (args, 1), bawn_cli_input (cli),
                          bawn_cli_may_ask (cli), error))
    return FALSE;

  *out_query = bawn_cli_data_to_query (data);
  return TRUE;
}

static gboolean
run_read (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (BawnCliReply) reply = NULL;
  g_autofree char *query = NULL;

  if (!query_from_operands (cli, args, &query, error))
    return FALSE;
  if (!bawn_cli_api_read (cli, path, query, &reply, error))
    {
      g_prefix_error (error, _ ("Error reading %s: "), path);
      return FALSE;
    }
  if (reply == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), path);

  return bawn_cli_output_secret (cli, args, reply, error);
}

const BawnCliCommand bawn_cli_command_read = {
  .name = "read",
  .operands = "PATH [KEY=VALUE…]",
  .summary = N_ ("Read what is at a path"),
  .help =
      N_ ("Prints the answer of the server. What stands behind the path becomes parameters of the "
          "request. For values in a key/value engine, “bawn kv get” is more convenient."),
  .examples = "bawn read sys/mounts\nbawn read -field=ttl auth/token/lookup-self",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_read,
};

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_list (cli, path, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing %s: "), path);
      return FALSE;
    }

  return bawn_cli_output_keys (cli, reply, path, error);
}

const BawnCliCommand bawn_cli_command_list = {
  .name = "list",
  .operands = "PATH",
  .summary = N_ ("List the names below a path"),
  .help = N_ ("Names that end in a slash have names below them."),
  .examples = "bawn list auth/userpass/users",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_list,
};

static gboolean
run_delete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (BawnCliReply) reply = NULL;
  g_autofree char *query = NULL;

  if (!query_from_operands (cli, args, &query, error))
    return FALSE;
  if (!bawn_cli_api_delete (cli, path, query, &reply, error))
    {
      g_prefix_error (error, _ ("Error deleting %s: "), path);
      return FALSE;
    }
  if (bawn_cli_reply_root (reply) != NULL)
    return bawn_cli_output_secret (cli, args, reply, error);

  bawn_cli_say (cli, _ ("Success! Data deleted (if it existed) at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_delete = {
  .name = "delete",
  .operands = "PATH [KEY=VALUE…]",
  .summary = N_ ("Delete what is at a path"),
  .help =
      N_ ("What that means is up to the engine: a value goes, a role goes, a user goes. Deleting "
          "what is not there succeeds."),
  .examples = "bawn delete auth/userpass/users/alice",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_delete,
};
