/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-kv.h"

#include "cli/bawn-cli-terminal.h"

#include <glib/gi18n.h>
#include <string.h>

/* What stands behind the keys of a table: the gap and the word "Value". */
#define VALUE_COLUMN 9

const BawnCliCommand bawn_cli_command_kv = {
  .name = "kv",
  .summary = N_ ("Work with secrets of a key/value engine"),
  .help =
      N_ ("Paths start with the mount of the engine, or are below it if -mount names that. Whether "
          "the engine keeps versions is found out by asking the server."),
};

const BawnCliCommand bawn_cli_command_kv_metadata = {
  .name = "kv metadata",
  .summary = N_ ("Work with what a versioned engine keeps about a secret"),
};

const BawnCliFlag bawn_cli_flags_kv[] = {
  { "mount", BAWN_CLI_FLAG_STRING, "PATH",
    N_ ("Where the engine is mounted. With it, the operand is the path below; without it, the "
        "operand starts with the mount.") },
  { NULL },
};

/**
 * bawn_cli_kv_place_free:
 * @place: (nullable) (transfer full): a place
 */
void
bawn_cli_kv_place_free (BawnCliKvPlace *place)
{
  if (place == NULL)
    return;

  g_free (place->mount);
  g_free (place->path);
  g_free (place);
}

/* @path without @mount in front; NULL if it is not below. */
static const char *
below_mount (const char *path, const char *mount)
{
  gsize size = strlen (mount);

  if (strncmp (path, mount, size) != 0)
    return NULL;
  if (path[size] == '\0')
    return path + size;

  return path[size] == '/' ? path + size + 1 : NULL;
}

/* What the server says of the engine that @path belongs to. A server too old to know has no
 * versions. */
static gboolean
preflight (
    BawnCli *cli, const char *path, char **out_mount, gboolean *out_versioned, GError **error)
{
  g_autofree char *url = bawn_cli_api_join ("sys/internal/ui/mounts", path);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_call (cli, "GET", url, NULL, NULL, FALSE, &reply, error))
    return FALSE;
  *out_mount = NULL;
  *out_versioned = FALSE;
  if (reply->status == 404)
    return TRUE;
  if (!bawn_cli_reply_check (reply, error))
    return FALSE;

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const char *mount = bawn_json_get_string (data, "path", NULL);
  const BawnJsonNode *version = bawn_json_get (bawn_json_get (data, "options"), "version");
  g_autofree char *text = bawn_cli_render_value_dup (version);
  *out_mount = mount != NULL ? bawn_cli_api_clean_path (mount) : NULL;
  *out_versioned = strcmp (text, "2") == 0;
  return TRUE;
}

/**
 * bawn_cli_kv_locate:
 * @cli: surroundings
 * @args: a command line that knows -mount
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: (transfer full): where the secret is that the first operand names
 */
BawnCliKvPlace *
bawn_cli_kv_locate (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  const char *first = bawn_cli_args_operand (args, 0);
  g_autofree char *operand = bawn_cli_api_clean_path (first != NULL ? first : "");
  const char *flag = bawn_cli_args_string (args, "mount", NULL);
  g_autofree char *given = flag != NULL ? bawn_cli_api_clean_path (flag) : NULL;
  g_autofree char *found = NULL;
  gboolean versioned = FALSE;

  if (!preflight (cli, given != NULL ? given : operand, &found, &versioned, error))
    return NULL;

  g_autoptr (BawnCliKvPlace) place = g_new0 (BawnCliKvPlace, 1);
  place->versioned = versioned;
  if (given != NULL)
    {
      place->mount = g_steal_pointer (&given);
      place->path = g_steal_pointer (&operand);
      return g_steal_pointer (&place);
    }

  const char *rest = found != NULL ? below_mount (operand, found) : NULL;
  place->mount = g_strdup (rest != NULL ? found : "");
  place->path = g_strdup (rest != NULL ? rest : operand);
  return g_steal_pointer (&place);
}

/**
 * bawn_cli_kv_path:
 * @place: where a secret is
 * @prefix: what is wanted of it
 *
 * Returns: (transfer full): the path of the API
 */
char *
bawn_cli_kv_path (const BawnCliKvPlace *place, const char *prefix)
{
  if (!place->versioned)
    return bawn_cli_api_join (place->mount, place->path);

  g_autofree char *front = bawn_cli_api_join (place->mount, prefix);
  return bawn_cli_api_join (front, place->path);
}

/**
 * bawn_cli_kv_need_versions:
 * @place: where a secret is
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Returns: %FALSE with @error set if the engine keeps no versions
 */
gboolean
bawn_cli_kv_need_versions (const BawnCliKvPlace *place, GError **error)
{
  if (place->versioned)
    return TRUE;

  return bawn_cli_fail (
      error, BAWN_CLI_ERROR_LOCAL,
      _ ("The engine at this path is a key/value engine of version 1, which keeps no "
         "versions, or is none at all"));
}

static void
print_title (BawnCli *cli, const char *title, gsize width)
{
  gsize taken = bawn_cli_text_width (title) + 2;
  gsize signs = width > taken ? (width - taken + 1) / 2 : 2;
  g_autofree char *line = g_strnfill (signs, '=');
  g_autofree char *text = g_strdup_printf ("%s %s %s\n", line, title, line);

  bawn_cli_put (cli, text, strlen (text));
}

/**
 * bawn_cli_kv_title:
 * @cli: surroundings
 * @title: what the table below it shows
 * @object: (nullable): what the table is made of
 */
void
bawn_cli_kv_title (BawnCli *cli, const char *title, const BawnJsonNode *object)
{
  gsize widest = 0;

  for (const BawnJsonNode *node = object != NULL ? object->children : NULL; node != NULL;
       node = node->next)
    widest = MAX (widest, bawn_cli_text_width (node->name));
  print_title (cli, title, widest + VALUE_COLUMN);
}

/**
 * bawn_cli_kv_title_path:
 * @cli: surroundings
 * @path: of the API
 */
void
bawn_cli_kv_title_path (BawnCli *cli, const char *path)
{
  print_title (cli, "Secret Path", strlen (path));
  bawn_cli_put (cli, path, strlen (path));
  bawn_cli_put (cli, "\n\n", 2);
}

/**
 * bawn_cli_kv_output_written:
 * @cli: surroundings
 * @args: a command line that knows -field
 * @path: of the API
 * @reply: the answer to a write
 * @error: (out) (optional): if there is no such field
 *
 * Returns: %FALSE with @error set if there is no such field
 */
gboolean
bawn_cli_kv_output_written (
    BawnCli *cli, BawnCliArgs *args, const char *path, const BawnCliReply *reply, GError **error)
{
  const BawnJsonNode *data = bawn_cli_reply_data (reply);

  if (bawn_cli_reply_root (reply) == NULL)
    {
      bawn_cli_say (cli, _ ("Success! Data written to: %s"), path);
      return TRUE;
    }
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE || data == NULL
      || bawn_cli_args_has (args, "field"))
    return bawn_cli_output_secret (cli, args, reply, error);

  bawn_cli_output_warnings (reply);
  bawn_cli_kv_title_path (cli, path);
  bawn_cli_kv_title (cli, "Metadata", data);
  bawn_cli_output_node (cli, data);
  return TRUE;
}

/**
 * bawn_cli_kv_write_versions:
 * @w: where to write them, as one value
 * @args: a command line that knows -versions
 * @error: (out) (optional): %BAWN_CLI_ERROR_USAGE
 *
 * Returns: %FALSE with @error set if there is none, or one that is no number
 */
gboolean
bawn_cli_kv_write_versions (BawnJsonWriter *w, BawnCliArgs *args, GError **error)
{
  g_auto (GStrv) versions = bawn_cli_args_dup_split (args, "versions");

  if (versions[0] == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                          _ ("No versions provided, use the “-versions” flag to name some"));

  bawn_json_writer_begin_array (w);
  for (guint i = 0; versions[i] != NULL; i++)
    {
      guint64 version = 0;

      if (!g_ascii_string_to_unsigned (versions[i], 10, 1, G_MAXINT64, &version, NULL))
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                              _ ("Flag -%s wants numbers, separated by commas"), "versions");
      bawn_json_writer_uint (w, version);
    }
  bawn_json_writer_end_array (w);

  return TRUE;
}

static gboolean
run_enable_versioning (BawnCli *cli, BawnCliArgs *args, GError **error)
{
  g_autofree char *mount = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 0));
  g_autofree char *path = g_strconcat ("sys/mounts/", mount, "/tune", NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnCliReply) reply = NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "options");
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "version", "2");
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, path, body, &reply, error))
    {
      g_prefix_error (error, _ ("Error tuning secrets engine %s: "), mount);
      return FALSE;
    }

  bawn_cli_output_warnings (reply);
  bawn_cli_say (cli, _ ("Success! Tuned the secrets engine at: %s/"), mount);
  return TRUE;
}

const BawnCliCommand bawn_cli_command_kv_enable_versioning = {
  .name = "kv enable-versioning",
  .operands = "MOUNT",
  .summary = N_ ("Have a key/value engine keep versions from now on"),
  .help =
      N_ ("There is no way back. Policies must then name paths with data/ or metadata/ behind the "
          "mount."),
  .examples = "bawn kv enable-versioning secret",
  .scope = BAWN_CLI_REMOTE | BAWN_CLI_FORMATTED,
  .min_operands = 1,
  .max_operands = 1,
  .run = run_enable_versioning,
};
