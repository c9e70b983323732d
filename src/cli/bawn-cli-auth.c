/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-mount.h"

#include <glib/gi18n.h>
#include <string.h>

const BawnCliCommand bawn_cli_command_auth = {
  .name = "auth",
  .summary = N_ ("Enable and disable methods to log in"),
};

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return bawn_cli_mount_list (cli, args, &bawn_cli_mount_auth, error);
}

const BawnCliCommand bawn_cli_command_auth_list = {
  .name = "auth list",
  .summary = N_ ("List the enabled methods"),
  .flags = bawn_cli_flags_detailed,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_list,
};

static gboolean
run_enable (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_cli_mount_enable (cli, args, &bawn_cli_mount_auth, &path, error))
    {
      g_prefix_error (error, _ ("Error enabling %s auth: "), bawn_cli_args_operand (args, 0));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Enabled %s auth method at: %s"), bawn_cli_args_operand (args, 0),
                path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_auth_enable = {
  .name = "auth enable",
  .operands = "TYPE",
  .summary = N_ ("Enable a method"),
  .examples = "bawn auth enable userpass\nbawn auth enable -path=staff userpass",
  .flags = bawn_cli_flags_mount_enable,
  .more_flags = bawn_cli_flags_mount_config,
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_enable,
};

static gboolean
run_disable (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_cli_mount_disable (cli, args, &bawn_cli_mount_auth, &path, error))
    {
      g_prefix_error (error, _ ("Error disabling auth method at %s: "),
                      bawn_cli_args_operand (args, 0));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Disabled the auth method (if it existed) at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_auth_disable = {
  .name = "auth disable",
  .operands = "PATH",
  .summary = N_ ("Disable a method, and revoke all its tokens"),
  .examples = "bawn auth disable userpass/",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_disable,
};

static gboolean
run_tune (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_cli_mount_tune (cli, args, &bawn_cli_mount_auth, &path, error))
    {
      g_prefix_error (error, _ ("Error tuning auth method %s: "), bawn_cli_args_operand (args, 0));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Tuned the auth method at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_auth_tune = {
  .name = "auth tune",
  .operands = "PATH",
  .summary = N_ ("Change the settings of an enabled method"),
  .examples = "bawn auth tune -max-lease-ttl=24h userpass/",
  .more_flags = bawn_cli_flags_mount_config,
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_tune,
};

/* How to log in, by what this command line itself knows of a method. */
static const struct
{
  const char *type;
  const char *help;
} methods[] = {
  { "token",
    N_ ("Usage: bawn login [TOKEN]\n\n"
        "  Log in with a token. Without an operand, asks for it without showing it; - reads it\n"
        "  from the standard input.") },
  { "userpass",
    N_ ("Usage: bawn login -method=userpass username=NAME [password=PASSWORD]\n\n"
        "  Log in with a name and a password. Without password=, asks for it without showing\n"
        "  it; password=- reads it from the standard input.") },
};

static gboolean
print_method (BawnCli *cli, const char *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    if (strcmp (methods[i].type, type) == 0)
      {
        bawn_cli_say (cli, "%s", _ (methods[i].help));
        return TRUE;
      }

  return FALSE;
}

/* The type of the method enabled at @path, by the server's table. */
static char *
type_at (BawnCli *cli, const char *path, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;
  g_autofree char *clean = bawn_cli_api_clean_path (path);
  g_autofree char *name = g_strconcat (clean, "/", NULL);

  if (!bawn_cli_api_read (cli, "sys/auth", NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing enabled auth methods: "));
      return NULL;
    }

  const BawnJsonNode *entry = bawn_json_get (bawn_cli_reply_data (reply), name);
  if (entry == NULL)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_LOCAL,
                               _ ("“%s” is neither a method nor the path of an enabled one"), path);

  return g_strdup (bawn_json_get_string (entry, "type", ""));
}

static gboolean
run_help (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *operand = bawn_cli_args_operand (args, 0);

  if (print_method (cli, operand))
    return TRUE;

  g_autofree char *type = type_at (cli, operand, error);
  if (type == NULL)
    return FALSE;
  if (!print_method (cli, type))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("This command line has no “login” for the method %s; “bawn write "
                             "auth/%s/login …” may do"),
                          type, type);

  return TRUE;
}

const BawnCliCommand bawn_cli_command_auth_help = {
  .name = "auth help",
  .operands = "TYPE | PATH",
  .summary = N_ ("Tell how to log in by a method"),
  .examples = "bawn auth help userpass",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_help,
};
