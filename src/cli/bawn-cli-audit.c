/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-data.h"
#include "cli/bawn-cli-mount.h"

#include <glib/gi18n.h>

const BawnCliCommand bawn_cli_command_audit = {
  .name = "audit",
  .summary = N_ ("Enable and disable audit devices"),
  .help = N_ (
      "An audit device gets a line about each request and each answer. When none of the enabled "
      "ones can be written, the server refuses all requests."),
};

static void
output_list (BawnCli *cli, const BawnJsonNode *data, gboolean detailed)
{
  static const char *const brief[] = { "Path", "Type", "Description", NULL };
  static const char *const full[] = {
    "Path", "Type", "Description", "Replication", "Options", NULL
  };
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (detailed ? full : brief);
  g_autoptr (GPtrArray) entries = bawn_cli_mount_entries (data);

  for (guint i = 0; i < entries->len; i++)
    {
      const BawnJsonNode *entry = g_ptr_array_index (entries, i);
      g_autofree char *options = bawn_cli_render_value_dup (bawn_json_get (entry, "options"));

      bawn_cli_table_add (table, entry->name, bawn_json_get_string (entry, "type", ""),
                          bawn_json_get_string (entry, "description", ""),
                          !detailed                                    ? NULL
                          : bawn_json_get_bool (entry, "local", FALSE) ? "local"
                                                                       : "replicated",
                          options, NULL);
    }
  bawn_cli_output_table (cli, table);
}

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, "sys/audit", NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing audits: "));
      return FALSE;
    }

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE && data != NULL)
    {
      bawn_cli_output_node (cli, data);
      return TRUE;
    }
  if (data == NULL || data->n_children == 0)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No audit devices are enabled."));

  output_list (cli, data, bawn_cli_args_bool (args, "detailed", FALSE));
  return TRUE;
}

const BawnCliCommand bawn_cli_command_audit_list = {
  .name = "audit list",
  .summary = N_ ("List the enabled audit devices"),
  .flags = bawn_cli_flags_detailed,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .max_operands = 0,
  .run = run_list,
};

static const BawnCliFlag enable_flags[] = {
  { "path", BAWN_CLI_FLAG_STRING, "PATH", N_ ("What to call it; by default by its type.") },
  { "description", BAWN_CLI_FLAG_STRING, "TEXT", N_ ("What it is for, for people.") },
  { "local", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Keep it out of replication.") },
  { NULL },
};

static gboolean
run_enable (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *type = bawn_cli_args_operand (args, 0);
  g_autofree char *path = bawn_cli_api_clean_path (bawn_cli_args_string (args, "path", type));
  g_autofree char *url = bawn_cli_api_join ("sys/audit", path);
  g_autoptr (BawnCliData) options = bawn_cli_data_new ();
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_cli_data_add (options, bawn_cli_args_operands (args, 1), bawn_cli_input (cli),
                          bawn_cli_may_ask (cli), error))
    return FALSE;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "type", type);
  bawn_json_writer_add_string (&w, "description", bawn_cli_args_string (args, "description", ""));
  bawn_json_writer_name (&w, "options");
  bawn_cli_data_write (options, &w);
  bawn_json_writer_add_bool (&w, "local", bawn_cli_args_bool (args, "local", FALSE));
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, url, body, NULL, error))
    {
      g_prefix_error (error, _ ("Error enabling audit device: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Enabled the %s audit device at: %s/"), type, path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_audit_enable = {
  .name = "audit enable",
  .operands = "TYPE [KEY=VALUE…]",
  .summary = N_ ("Enable an audit device"),
  .help = N_ ("What stands behind the type are options of the device."),
  .examples = "bawn audit enable file file_path=/var/log/bawn/audit.log",
  .flags = enable_flags,
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = BAWN_CLI_ANY,
  .run = run_enable,
};

static gboolean
run_disable (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 0));
  g_autofree char *url = bawn_cli_api_join ("sys/audit", path);

  if (!bawn_cli_api_delete (cli, url, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error disabling audit device: "));
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Disabled audit device (if it was enabled) at: %s/"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_audit_disable = {
  .name = "audit disable",
  .operands = "PATH",
  .summary = N_ ("Disable an audit device"),
  .examples = "bawn audit disable file/",
  .scope = BAWN_CLI_REMOTE,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_disable,
};
