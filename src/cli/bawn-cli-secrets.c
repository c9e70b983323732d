/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-mount.h"

#include <glib/gi18n.h>
#include <string.h>

/* How often a move that takes its time is looked after. */
#define MOVE_POLL_MS 500

const BawnCliCommand bawn_cli_command_secrets = {
  .name = "secrets",
  .summary = N_ ("Mount and unmount secrets engines"),
};

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return bawn_cli_mount_list (cli, args, &bawn_cli_mount_engine, error);
}

const BawnCliCommand bawn_cli_command_secrets_list = {
  .name = "secrets list",
  .summary = N_ ("List the mounted engines"),
  .flags = bawn_cli_flags_detailed,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_list,
};

static gboolean
run_enable (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_cli_mount_enable (cli, args, &bawn_cli_mount_engine, &path, error))
    {
      g_prefix_error (error, _ ("Error enabling: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Enabled the %s secrets engine at: %s"),
                bawn_cli_args_operand (args, 0), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_secrets_enable = {
  .name = "secrets enable",
  .operands = "TYPE",
  .summary = N_ ("Mount an engine"),
  .examples =
      "bawn secrets enable -version=2 -path=secret kv\nbawn secrets enable -max-lease-ttl=1h kv",
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

  if (!bawn_cli_mount_disable (cli, args, &bawn_cli_mount_engine, &path, error))
    {
      g_prefix_error (error, _ ("Error disabling secrets engine at %s: "),
                      bawn_cli_args_operand (args, 0));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Disabled the secrets engine (if it existed) at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_secrets_disable = {
  .name = "secrets disable",
  .operands = "PATH",
  .summary = N_ ("Unmount an engine, and delete all it holds"),
  .examples = "bawn secrets disable secret/",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_disable,
};

static gboolean
run_tune (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_cli_mount_tune (cli, args, &bawn_cli_mount_engine, &path, error))
    {
      g_prefix_error (error, _ ("Error tuning secrets engine %s: "),
                      bawn_cli_args_operand (args, 0));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Tuned the secrets engine at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_secrets_tune = {
  .name = "secrets tune",
  .operands = "PATH",
  .summary = N_ ("Change the settings of a mounted engine"),
  .examples = "bawn secrets tune -default-lease-ttl=72h secret/",
  .more_flags = bawn_cli_flags_mount_config,
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_tune,
};

/* Servers that move in the background tell how far they are. */
static gboolean
wait_for_move (BawnCli *cli, const char *id, GError **error)
{
  g_autofree char *path = g_strconcat ("sys/remount/status/", id, NULL);

  while (TRUE)
    {
      g_autoptr (BawnCliReply) reply = NULL;

      if (!bawn_cli_api_call (cli, "GET", path, NULL, NULL, FALSE, &reply, error)
          || !bawn_cli_reply_check (reply, error))
        return FALSE;

      const BawnJsonNode *info = bawn_json_get (bawn_cli_reply_data (reply), "migration_info");
      const char *status = bawn_json_get_string (info, "status", "failure");
      if (strcmp (status, "success") == 0)
        return TRUE;
      if (strcmp (status, "in-progress") != 0)
        return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("the server gave up: %s"), status);
      g_usleep (MOVE_POLL_MS * 1000);
    }
}

static gboolean
move (BawnCli *cli, const char *from, const char *to, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnCliReply) reply = NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "from", from);
  bawn_json_writer_add_string (&w, "to", to);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, "sys/remount", body, &reply, error))
    return FALSE;

  bawn_cli_output_warnings (reply);
  const char *id = bawn_json_get_string (bawn_cli_reply_data (reply), "migration_id", NULL);
  return id == NULL || wait_for_move (cli, id, error);
}

static gboolean
run_move (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *from = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 0));
  g_autofree char *to = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 1));

  if (!move (cli, from, to, error))
    {
      g_prefix_error (error, _ ("Error moving secrets engine %s/ to %s/: "), from, to);
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Moved secrets engine %s/ to: %s/"), from, to);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_secrets_move = {
  .name = "secrets move",
  .operands = "FROM TO",
  .summary = N_ ("Mount an engine elsewhere, with all it holds"),
  .help = N_ ("All its leases are revoked, and policies that name the old path do not follow."),
  .examples = "bawn secrets move secret/ generic/",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 2,
  .max_operands = 2,
  .run = run_move,
};
