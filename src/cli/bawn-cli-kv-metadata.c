/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-kv.h"

#include <glib/gi18n.h>
#include <string.h>

/* What put and patch take. */
static const BawnCliFlag settings_flags[] = {
  { "max-versions", BAWN_CLI_FLAG_INT, "N",
    N_ ("How many versions to keep; 0: as many as the engine's setting says.") },
  { "cas-required", BAWN_CLI_FLAG_BOOL, NULL,
    N_ ("Whether every write must name the version before it with -cas.") },
  { "delete-version-after", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("Delete versions when they are this old.") },
  { "custom-metadata", BAWN_CLI_FLAG_MAP, "KEY=VALUE",
    N_ ("Keep this with the secret; whoever may read metadata sees it. May be repeated.") },
  { "mount", BAWN_CLI_FLAG_STRING, "PATH",
    N_ ("Where the engine is mounted. With it, the operand is the path below; without it, the "
        "operand starts with the mount.") },
  { NULL },
};

static const BawnCliFlag patch_flags[] = {
  { "remove-custom-metadata", BAWN_CLI_FLAG_LIST, "KEY",
    N_ ("Remove this key of the custom metadata. May be repeated.") },
  { NULL },
};

static char *
locate_metadata (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autoptr (BawnCliKvPlace) place = bawn_cli_kv_locate (cli, args, error);

  if (place == NULL || !bawn_cli_kv_need_versions (place, error))
    return NULL;

  return bawn_cli_kv_path (place, "metadata");
}

static int
compare_versions (gconstpointer a, gconstpointer b)
{
  const BawnJsonNode *const *left = a;
  const BawnJsonNode *const *right = b;
  guint64 x = g_ascii_strtoull ((*left)->name, NULL, 10);
  guint64 y = g_ascii_strtoull ((*right)->name, NULL, 10);

  return x < y ? -1 : x > y;
}

static void
output_versions (BawnCli *cli, const BawnJsonNode *versions)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  for (const BawnJsonNode *node = versions->children; node != NULL; node = node->next)
    if (node->kind == BAWN_JSON_OBJECT)
      g_ptr_array_add (sorted, (gpointer) node);
  g_ptr_array_sort (sorted, compare_versions);
  for (guint i = 0; i < sorted->len; i++)
    {
      const BawnJsonNode *node = g_ptr_array_index (sorted, i);
      g_autofree char *title = g_strdup_printf ("Version %s", node->name);

      bawn_cli_put (cli, "\n", 1);
      bawn_cli_kv_title (cli, title, node);
      bawn_cli_output_node (cli, node);
    }
}

static void
output_as_tables (BawnCli *cli, const char *path, const BawnCliReply *reply)
{
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *versions = bawn_json_get (data, "versions");
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (const BawnJsonNode *node = data->children; node != NULL; node = node->next)
    if (node != versions)
      {
        bawn_json_writer_name (&w, node->name);
        bawn_json_writer_node (&w, node);
      }
  bawn_json_writer_end_object (&w);

  bawn_cli_output_warnings (reply);
  bawn_cli_kv_title (cli, "Metadata Path", NULL);
  bawn_cli_put (cli, path, strlen (path));
  bawn_cli_put (cli, "\n\n", 2);
  bawn_cli_kv_title (cli, "Metadata", data);
  bawn_cli_output_writer (cli, &w);
  if (bawn_json_is (versions, BAWN_JSON_OBJECT))
    output_versions (cli, versions);
}

static gboolean
run_get (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = locate_metadata (cli, args, error);
  g_autoptr (BawnCliReply) reply = NULL;

  if (path == NULL)
    return FALSE;
  if (!bawn_cli_api_read (cli, path, NULL, &reply, error))
    {
      g_prefix_error (error, _ ("Error reading %s: "), path);
      return FALSE;
    }
  if (reply == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), path);
  if (bawn_cli_args_has (args, "field") || bawn_cli_reply_data (reply) == NULL
      || bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    return bawn_cli_output_secret (cli, args, reply, error);

  output_as_tables (cli, path, reply);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_metadata_get = {
  .name = "kv metadata get",
  .operands = "PATH",
  .summary = N_ ("Print the versions and settings of a secret"),
  .examples = "bawn kv metadata get secret/app",
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED | BAWN_CLI_FIELDED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_get,
};

static void
write_custom_metadata (BawnJsonWriter *w, const char *const *pairs, const char *const *removed)
{
  bawn_json_writer_name (w, "custom_metadata");
  bawn_json_writer_begin_object (w);
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (pairs[i], "=", 2);
      bawn_json_writer_add_string (w, parts[0], parts[1]);
    }
  for (guint i = 0; removed != NULL && removed[i] != NULL; i++)
    bawn_json_writer_add_null (w, removed[i]);
  bawn_json_writer_end_object (w);
}

static GBytes *
settings_body (BawnCliArgs *args, const char *const *removed)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *after = bawn_cli_args_dup_duration (args, "delete-version-after");
  const char *const *pairs = bawn_cli_args_list (args, "custom-metadata");

  bawn_json_writer_begin_object (&w);
  if (bawn_cli_args_has (args, "max-versions"))
    bawn_json_writer_add_int (&w, "max_versions", bawn_cli_args_int (args, "max-versions", 0));
  if (bawn_cli_args_has (args, "cas-required"))
    bawn_json_writer_add_bool (&w, "cas_required",
                               bawn_cli_args_bool (args, "cas-required", FALSE));
  if (after != NULL)
    bawn_json_writer_add_string (&w, "delete_version_after", after);
  if (pairs[0] != NULL || (removed != NULL && removed[0] != NULL))
    write_custom_metadata (&w, pairs, removed);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

static gboolean
run_put (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = locate_metadata (cli, args, error);
  g_autoptr (GBytes) body = settings_body (args, NULL);
  g_autoptr (BawnCliReply) reply = NULL;

  if (path == NULL)
    return FALSE;
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }

  bawn_cli_output_warnings (reply);
  bawn_cli_say (cli, _ ("Success! Data written to: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_metadata_put = {
  .name = "kv metadata put",
  .operands = "PATH",
  .summary = N_ ("Set the settings of a secret"),
  .help = N_ ("A secret that does not exist yet is made, with settings and no version."),
  .examples = "bawn kv metadata put -max-versions=5 -custom-metadata=owner=ops secret/app",
  .more_flags = settings_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_put,
};

static gboolean
run_patch (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = locate_metadata (cli, args, error);
  g_autoptr (GBytes) body =
      settings_body (args, bawn_cli_args_list (args, "remove-custom-metadata"));
  g_autoptr (BawnCliReply) reply = NULL;

  if (path == NULL)
    return FALSE;
  if (!bawn_cli_api_patch (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error writing data to %s: "), path);
      return FALSE;
    }

  bawn_cli_output_warnings (reply);
  bawn_cli_say (cli, _ ("Success! Data written to: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_metadata_patch = {
  .name = "kv metadata patch",
  .operands = "PATH",
  .summary = N_ ("Change some settings of a secret"),
  .help = N_ ("What is not named stays as it is, custom metadata too."),
  .examples = "bawn kv metadata patch -custom-metadata=owner=dev secret/app",
  .flags = patch_flags,
  .more_flags = settings_flags,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_patch,
};

static gboolean
run_delete (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *path = locate_metadata (cli, args, error);

  if (path == NULL)
    return FALSE;
  if (!bawn_cli_api_delete (cli, path, NULL, NULL, error))
    {
      g_prefix_error (error, _ ("Error deleting %s: "), path);
      return FALSE;
    }

  bawn_cli_say (cli, _ ("Success! Data deleted (if it existed) at: %s"), path);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_metadata_delete = {
  .name = "kv metadata delete",
  .operands = "PATH",
  .summary = N_ ("Remove a secret with all its versions for good"),
  .examples = "bawn kv metadata delete secret/app",
  .more_flags = bawn_cli_flags_kv,
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_delete,
};
