/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-kv.h"

#include <glib/gi18n.h>
#include <string.h>

static const BawnCliFlag delete_flags[] = {
  { "versions", BAWN_CLI_FLAG_LIST, "N,N…",
    N_ ("Which versions, if not the newest, separated by commas.") },
  { NULL },
};

static const BawnCliFlag versions_flags[] = {
  { "versions", BAWN_CLI_FLAG_LIST, "N,N…", N_ ("Which versions, separated by commas.") },
  { NULL },
};

static GBytes *
versions_body (BawnCliArgs *args, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "versions");
  if (!bawn_cli_kv_write_versions (&w, args, error))
    return NULL;
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/* @body NULL: the newest version, or in an engine without versions the secret. */
static gboolean
delete_at (
    BawnCli *cli, BawnCliArgs *args, const BawnCliKvPlace *place, GBytes *body, GError **error)
{
  g_autofree char *path = bawn_cli_kv_path (place, body != NULL ? "delete" : "data");
  g_autoptr (BawnCliReply) reply = NULL;
  gboolean done = body != NULL ? bawn_cli_api_write (cli, path, body, &reply, error)
                               : bawn_cli_api_delete (cli, path, NULL, &reply, error);

  if (!done)
    {
      g_prefix_error (error, _ ("Error deleting %s: "), path);
      return FALSE;
    }
  if (bawn_cli_reply_root (reply) != NULL)
    return bawn_cli_output_secret (cli, args, reply, error);

  g_autofree char *shown = bawn_cli_kv_path (place, "data");
  bawn_cli_say (cli, _ ("Success! Data deleted (if it existed) at: %s"), shown);
  return TRUE;
}

static gboolean
run_delete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (GBytes) body = NULL;

  if (bawn_cli_args_has (args, "versions"))
    {
      body = versions_body (args, error);
      if (body == NULL)
        return FALSE;
    }

  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL || (body != NULL && !bawn_cli_kv_need_versions (place, error)))
    return FALSE;

  return delete_at (cli, args, place, body, error);
}

const BawnCliCommand bawn_cli_command_kv_delete = {
  .name = "kv delete",
  .operands = "PATH",
  .summary = N_ ("Delete a secret, or versions of it"),
  .help = N_ (
      "In a versioned engine the versions are only hidden: “bawn kv undelete” brings them back, "
      "“bawn kv destroy” removes them for good, and “bawn kv metadata delete” all there is."),
  .examples = "bawn kv delete secret/app\nbawn kv delete -versions=2,3 secret/app",
  .flags = delete_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_delete,
};

static gboolean
change_versions (BawnCli *cli, BawnCliArgs *args, const char *prefix, GError **error)
{
  g_autoptr (GBytes) body = versions_body (args, error);
  g_autoptr (BawnCliReply) reply = NULL;

  if (body == NULL)
    return FALSE;

  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL || !bawn_cli_kv_need_versions (place, error))
    return FALSE;

  g_autofree char *path = bawn_cli_kv_path (place, prefix);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
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
run_undelete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return change_versions (cli, args, "undelete", error);
}

const BawnCliCommand bawn_cli_command_kv_undelete = {
  .name = "kv undelete",
  .operands = "PATH",
  .summary = N_ ("Bring back deleted versions of a secret"),
  .examples = "bawn kv undelete -versions=3 secret/app",
  .flags = versions_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_undelete,
};

static gboolean
run_destroy (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  return change_versions (cli, args, "destroy", error);
}

const BawnCliCommand bawn_cli_command_kv_destroy = {
  .name = "kv destroy",
  .operands = "PATH",
  .summary = N_ ("Remove versions of a secret for good"),
  .examples = "bawn kv destroy -versions=1,2 secret/app",
  .flags = versions_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_destroy,
};
