/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-api.h"
#include "cli/bawn-cli-output.h"

#include <glib/gi18n.h>
#include <string.h>

const BawnCliCommand bawn_cli_command_print = {
  .name = "print",
  .summary = N_ ("Print what this command line goes by"),
};

static gboolean
run_print_token (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *token = bawn_cli_token (cli);

  if (token == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("There is no token: neither BAWN_TOKEN nor a token file"));

  bawn_cli_put (cli, token, strlen (token));
  bawn_cli_put (cli, "\n", 1);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_print_token = {
  .name = "print token",
  .summary = N_ ("Print the token in use"),
  .help = N_ ("That of BAWN_TOKEN, else that of the token file."),
  .max_operands = 0,
  .run = run_print_token,
};

static gboolean
run_path_help (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *path = bawn_cli_args_operand (args, 0);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, path, "help=1", &reply, error))
    {
      g_prefix_error (error, _ ("Error retrieving help: "));
      return FALSE;
    }

  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const char *text = bawn_json_get_string (root, "help", NULL);
  if (text == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("There is no help for %s"), path);
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, root);
      return TRUE;
    }

  bawn_cli_put (cli, text, strlen (text));
  if (!g_str_has_suffix (text, "\n"))
    bawn_cli_put (cli, "\n", 1);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_path_help = {
  .name = "path-help",
  .operands = "PATH",
  .summary = N_ ("Ask the server what a path is for"),
  .examples = "bawn path-help secret/",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_path_help,
};

static gboolean
run_version (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  bawn_cli_say (cli, "bawn v%s", PACKAGE_VERSION);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_version = {
  .name = "version",
  .summary = N_ ("Print the version of this command line"),
  .help = N_ ("That of the server is among what “bawn status” prints."),
  .max_operands = 0,
  .run = run_version,
};

static gboolean
run_version_history (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  static const char *const header[] = { "Version", "Installation Time", "Build Date", NULL };
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_list (cli, "sys/version-history", &reply, error))
    {
      g_prefix_error (error, _ ("Error reading the version history: "));
      return FALSE;
    }

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *keys = bawn_json_get (data, "keys");
  if (bawn_json_is (keys, BAWN_JSON_ARRAY)
      && bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    {
      g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);

      for (const BawnJsonNode *key = keys->children; key != NULL; key = key->next)
        {
          const char *name = key->string != NULL ? key->string : "";
          const BawnJsonNode *info = bawn_json_get (bawn_json_get (data, "key_info"), name);

          bawn_cli_table_add (table, name, bawn_json_get_string (info, "timestamp_installed", ""),
                              bawn_json_get_string (info, "build_date", ""), NULL);
        }
      bawn_cli_output_table (cli, table);
      return TRUE;
    }
  if (data == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("The server keeps no version history"));

  bawn_cli_output_reply (cli, reply);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_version_history = {
  .name = "version-history",
  .summary = N_ ("List the versions the server has had"),
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_version_history,
};
