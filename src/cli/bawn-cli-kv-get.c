/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-kv.h"

#include <glib/gi18n.h>
#include <string.h>

static const BawnCliFlag get_flags[] = {
  { "version", BAWN_CLI_FLAG_INT, "N", N_ ("Which version, if not the newest.") },
  { NULL },
};

/* The secret proper: in a versioned engine one level down. NULL when deleted. */
static const BawnJsonNode *
secret_of (const BawnCliKvPlace *place, const BawnCliReply *reply)
{
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *inner = place->versioned ? bawn_json_get (data, "data") : data;

  return bawn_json_is (inner, BAWN_JSON_OBJECT) ? inner : NULL;
}

static gboolean
output_field (BawnCli *cli,
              const BawnCliKvPlace *place,
              const char *path,
              const char *field,
              const BawnCliReply *reply,
              GError **error)
{
  const BawnJsonNode *secret = secret_of (place, reply);

  if (secret == NULL && !bawn_cli_reply_is_wrapped (reply))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No data found at %s"), path);
  /* "data" is the whole of it, unless there is a field of that name. */
  if (place->versioned && strcmp (field, "data") == 0 && bawn_json_get (secret, "data") == NULL)
    secret = bawn_cli_reply_data (reply);

  return bawn_cli_output_field (cli, reply, secret, field, error);
}

static void
output_as_tables (BawnCli *cli,
                  const BawnCliKvPlace *place,
                  const char *path,
                  const BawnCliReply *reply)
{
  const BawnJsonNode *metadata =
      place->versioned ? bawn_json_get (bawn_cli_reply_data (reply), "metadata") : NULL;
  const BawnJsonNode *secret = secret_of (place, reply);

  bawn_cli_output_warnings (reply);
  if (place->versioned)
    bawn_cli_kv_title_path (cli, path);
  if (bawn_json_is (metadata, BAWN_JSON_OBJECT))
    {
      bawn_cli_kv_title (cli, "Metadata", metadata);
      bawn_cli_output_node (cli, metadata);
      if (secret != NULL)
        bawn_cli_put (cli, "\n", 1);
    }
  if (secret != NULL)
    {
      bawn_cli_kv_title (cli, "Data", secret);
      bawn_cli_output_node (cli, secret);
    }
}

static gboolean
run_get (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);
  const char *field = bawn_cli_args_string (args, "field", NULL);
  g_autoptr (BawnCliReply) reply = NULL;
  g_autofree char *query = NULL;

  if (place == NULL)
    return FALSE;
  if (bawn_cli_args_has (args, "version"))
    {
      if (!bawn_cli_kv_need_versions (place, error))
        return FALSE;
      query = g_strdup_printf ("version=%" G_GINT64_FORMAT, bawn_cli_args_int (args, "version", 0));
    }

  g_autofree char *path = bawn_cli_kv_path (place, "data");
  if (!bawn_cli_api_read (cli, path, query, &reply, error))
    {
      g_prefix_error (error, _ ("Error reading %s: "), path);
      return FALSE;
    }
  if (reply == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), path);
  if (field != NULL)
    return output_field (cli, place, path, field, reply, error);
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE || bawn_cli_reply_is_wrapped (reply))
    bawn_cli_output_reply (cli, reply);
  else
    output_as_tables (cli, place, path, reply);

  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_get = {
  .name = "kv get",
  .operands = "PATH",
  .summary = N_ ("Print a secret"),
  .examples = "bawn kv get secret/app\nbawn kv get -field=password secret/app\n"
              "bawn kv get -mount=secret -version=2 app",
  .flags = get_flags,
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_get,
};

static gboolean
run_list (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliKvPlace) place = NULL;
  g_autoptr (BawnCliReply) reply = NULL;

  if (bawn_cli_args_n_operands (args) == 0 && !bawn_cli_args_has (args, "mount"))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("Not enough arguments (expected %u, got %u)"), 1u, 0u);
  place = bawn_cli_kv_locate (cli, args, error);
  if (place == NULL)
    return FALSE;

  g_autofree char *path = bawn_cli_kv_path (place, "metadata");
  if (!bawn_cli_api_list (cli, path, &reply, error))
    {
      g_prefix_error (error, _ ("Error listing %s: "), path);
      return FALSE;
    }

  return bawn_cli_output_keys (cli, reply, path, error);
}

const BawnCliCommand bawn_cli_command_kv_list = {
  .name = "kv list",
  .operands = "PATH",
  .summary = N_ ("List the names of secrets"),
  .help = N_ ("Names that end in a slash have names below them."),
  .examples = "bawn kv list secret/\nbawn kv list -mount=secret app",
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 0,
  .max_operands = 1,
  .run = run_list,
};
