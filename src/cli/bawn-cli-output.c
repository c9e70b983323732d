/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-output.h"

#include "cli/bawn-cli-terminal.h"

#include <glib/gi18n.h>
#include <string.h>

/* A token without an end. */
#define FOREVER "∞"

static const char *const key_value[] = { "Key", "Value", NULL };

static void
add_members (BawnCliTable *table, const BawnJsonNode *object)
{
  g_autoptr (GPtrArray) members = bawn_cli_sort_members (object);

  for (guint i = 0; i < members->len; i++)
    {
      const BawnJsonNode *node = g_ptr_array_index (members, i);
      bawn_cli_table_add_value (table, node->name, node);
    }
}

/**
 * bawn_cli_output_table:
 * @cli: surroundings
 * @table: what to print
 */
void
bawn_cli_output_table (BawnCli *cli, BawnCliTable *table)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_cli_table_render (table, bawn_cli_output_is_terminal (cli), &buffer);
  bawn_cli_put (cli, buffer.data, buffer.size);
}

static void
output_as_table (BawnCli *cli, const BawnJsonNode *node)
{
  if (node->kind == BAWN_JSON_OBJECT)
    {
      g_autoptr (BawnCliTable) table = bawn_cli_table_new (key_value);

      add_members (table, node);
      bawn_cli_output_table (cli, table);
      return;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (NULL);
  g_autoptr (BawnWipedString) text = bawn_cli_render_value_dup (node);
  bawn_cli_table_add (table, text, NULL);
  bawn_cli_output_table (cli, table);
}

/**
 * bawn_cli_output_node:
 * @cli: surroundings
 * @node: what to print
 */
void
bawn_cli_output_node (BawnCli *cli, const BawnJsonNode *node)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  switch (bawn_cli_settings (cli)->format)
    {
    case BAWN_CLI_FORMAT_TABLE:
      output_as_table (cli, node);
      return;
    case BAWN_CLI_FORMAT_JSON:
      bawn_cli_render_json (&buffer, node);
      break;
    case BAWN_CLI_FORMAT_YAML:
      bawn_cli_render_yaml (&buffer, node);
      break;
    }
  bawn_cli_put (cli, buffer.data, buffer.size);
}

/**
 * bawn_cli_output_writer:
 * @cli: surroundings
 * @w: a writer that has written one value; it is finished
 */
void
bawn_cli_output_writer (BawnCli *cli, BawnJsonWriter *w)
{
  g_autoptr (GBytes) text = bawn_json_writer_finish (w);
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, NULL);

  g_return_if_fail (json != NULL);
  bawn_cli_output_node (cli, bawn_json_root (json));
}

/**
 * bawn_cli_output_raw:
 * @cli: surroundings
 * @text: what to print
 * @size: its length
 */
void
bawn_cli_output_raw (BawnCli *cli, const char *text, gsize size)
{
  bawn_cli_put (cli, text, size);
  if (bawn_cli_output_is_terminal (cli))
    bawn_cli_put (cli, "\n", 1);
}

/**
 * bawn_cli_output_warnings:
 * @reply: (nullable): an answer
 *
 * Prints what the server warns of, on the standard error.
 */
void
bawn_cli_output_warnings (const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *list =
      bawn_json_is (root, BAWN_JSON_OBJECT) ? bawn_json_get (root, "warnings") : NULL;

  if (!bawn_json_is (list, BAWN_JSON_ARRAY))
    return;
  for (const BawnJsonNode *node = list->children; node != NULL; node = node->next)
    if (node->kind == BAWN_JSON_STRING)
      {
        g_autofree char *text = bawn_cli_make_harmless (node->string, node->string_size);
        bawn_cli_warn ("%s", text);
      }
}

/**
 * bawn_cli_reply_is_wrapped:
 * @reply: (nullable): an answer
 *
 * Returns: %TRUE if the answer proper waits to be unwrapped
 */
gboolean
bawn_cli_reply_is_wrapped (const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);

  return bawn_json_is (root, BAWN_JSON_OBJECT)
         && bawn_json_is (bawn_json_get (root, "wrap_info"), BAWN_JSON_OBJECT);
}

static void
add_lease (BawnCliTable *table, const BawnJsonNode *root)
{
  gint64 seconds = bawn_json_get_int (root, "lease_duration", 0);
  const char *id = bawn_json_get_string (root, "lease_id", "");
  g_autofree char *duration = bawn_cli_render_seconds (seconds);

  if (seconds <= 0)
    return;
  if (id[0] == '\0')
    {
      bawn_cli_table_add (table, "refresh_interval", duration, NULL);
      return;
    }
  bawn_cli_table_add (table, "lease_id", id, NULL);
  bawn_cli_table_add (table, "lease_duration", duration, NULL);
  bawn_cli_table_add_value (table, "lease_renewable", bawn_json_get (root, "renewable"));
}

static void
add_quoted_list (BawnCliTable *table, const char *name, const BawnJsonNode *list)
{
  g_autofree char *text = bawn_cli_render_quoted_list (list);

  bawn_cli_table_add (table, name, text, NULL);
}

static void
add_auth (BawnCliTable *table, const BawnJsonNode *auth)
{
  gint64 seconds = bawn_json_get_int (auth, "lease_duration", 0);
  g_autofree char *duration = seconds == 0 ? g_strdup (FOREVER) : bawn_cli_render_seconds (seconds);
  const BawnJsonNode *metadata = bawn_json_get (auth, "metadata");

  bawn_cli_table_add_value (table, "token", bawn_json_get (auth, "client_token"));
  bawn_cli_table_add_value (table, "token_accessor", bawn_json_get (auth, "accessor"));
  bawn_cli_table_add (table, "token_duration", duration, NULL);
  bawn_cli_table_add_value (table, "token_renewable", bawn_json_get (auth, "renewable"));
  add_quoted_list (table, "token_policies", bawn_json_get (auth, "token_policies"));
  add_quoted_list (table, "identity_policies", bawn_json_get (auth, "identity_policies"));
  add_quoted_list (table, "policies", bawn_json_get (auth, "policies"));
  if (!bawn_json_is (metadata, BAWN_JSON_OBJECT))
    return;
  for (const BawnJsonNode *node = metadata->children; node != NULL; node = node->next)
    {
      g_autofree char *name = g_strconcat ("token_meta_", node->name, NULL);
      bawn_cli_table_add_value (table, name, node);
    }
}

static void
add_wrapping (BawnCliTable *table, const BawnJsonNode *wrap)
{
  const char *inner = bawn_json_get_string (wrap, "wrapped_accessor", "");
  g_autofree char *ttl = bawn_cli_render_seconds (bawn_json_get_int (wrap, "ttl", 0));

  bawn_cli_table_add_value (table, "wrapping_token:", bawn_json_get (wrap, "token"));
  bawn_cli_table_add_value (table, "wrapping_accessor:", bawn_json_get (wrap, "accessor"));
  bawn_cli_table_add (table, "wrapping_token_ttl:", ttl, NULL);
  bawn_cli_table_add_value (table,
                            "wrapping_token_creation_time:", bawn_json_get (wrap, "creation_time"));
  bawn_cli_table_add_value (table,
                            "wrapping_token_creation_path:", bawn_json_get (wrap, "creation_path"));
  if (inner[0] != '\0')
    bawn_cli_table_add (table, "wrapped_accessor:", inner, NULL);
}

static void
output_reply_as_table (BawnCli *cli, const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *auth = bawn_json_get (root, "auth");
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (key_value);

  bawn_cli_output_warnings (reply);
  add_lease (table, root);
  if (bawn_json_is (auth, BAWN_JSON_OBJECT))
    add_auth (table, auth);
  if (bawn_cli_reply_is_wrapped (reply))
    add_wrapping (table, bawn_json_get (root, "wrap_info"));
  if (data != NULL)
    add_members (table, data);
  /* A document without the usual envelope is all data. */
  if (data == NULL && bawn_json_get (root, "request_id") == NULL)
    add_members (table, root);

  if (bawn_cli_table_n_rows (table) > 0)
    bawn_cli_output_table (cli, table);
}

/**
 * bawn_cli_output_reply:
 * @cli: surroundings
 * @reply: (nullable): an answer
 *
 * Prints it as a whole, or as a table what a person wants to know of it.
 */
void
bawn_cli_output_reply (BawnCli *cli, const BawnCliReply *reply)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);

  if (root == NULL && reply != NULL && g_bytes_get_size (reply->body) > 0)
    {
      gsize size = 0;
      const char *text = g_bytes_get_data (reply->body, &size);
      bawn_cli_output_raw (cli, text, size);
      return;
    }
  if (root == NULL)
    return;
  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE
      && bawn_json_is (root, BAWN_JSON_OBJECT))
    output_reply_as_table (cli, reply);
  else
    bawn_cli_output_node (cli, root);
}

/* Names that people know for what stands elsewhere in an answer. */
static const BawnJsonNode *
lookup_special (const BawnJsonNode *root, const char *field)
{
  static const struct
  {
    const char *field;
    const char *part; /* NULL: the top */
    const char *name;
  } table[] = {
    { "refresh_interval", NULL, "lease_duration" },
    { "lease_id", NULL, "lease_id" },
    { "lease_duration", NULL, "lease_duration" },
    { "lease_renewable", NULL, "renewable" },
    { "token", "auth", "client_token" },
    { "token_accessor", "auth", "accessor" },
    { "token_duration", "auth", "lease_duration" },
    { "token_renewable", "auth", "renewable" },
    { "token_policies", "auth", "token_policies" },
    { "identity_policies", "auth", "identity_policies" },
    { "policies", "auth", "policies" },
    { "wrapping_token", "wrap_info", "token" },
    { "wrapping_accessor", "wrap_info", "accessor" },
    { "wrapping_token_ttl", "wrap_info", "ttl" },
    { "wrapping_token_creation_time", "wrap_info", "creation_time" },
    { "wrapping_token_creation_path", "wrap_info", "creation_path" },
    { "wrapped_accessor", "wrap_info", "wrapped_accessor" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    {
      if (strcmp (table[i].field, field) != 0)
        continue;

      const BawnJsonNode *part = table[i].part != NULL ? bawn_json_get (root, table[i].part) : root;
      if (bawn_json_is (part, BAWN_JSON_OBJECT))
        return bawn_json_get (part, table[i].name);
    }

  return NULL;
}

static const BawnJsonNode *
lookup_field (const BawnCliReply *reply, const BawnJsonNode *data, const char *field)
{
  const BawnJsonNode *root = bawn_cli_reply_root (reply);
  const BawnJsonNode *node = data != NULL ? bawn_json_get (data, field) : NULL;

  if (!bawn_json_is (root, BAWN_JSON_OBJECT))
    return node;
  /* A secret's own field wins over what the envelope calls by that name. */
  if (node == NULL)
    node = lookup_special (root, field);
  if (node == NULL && (strcmp (field, "data") == 0 || bawn_json_get (root, "request_id") == NULL))
    node = bawn_json_get (root, field);
  if (node == NULL && strcmp (field, "metadata") == 0
      && bawn_json_is (bawn_json_get (root, "auth"), BAWN_JSON_OBJECT))
    node = bawn_json_get (bawn_json_get (root, "auth"), "metadata");

  return node;
}

/**
 * bawn_cli_output_field:
 * @cli: surroundings
 * @reply: (nullable): an answer
 * @data: (nullable): where in it the fields are
 * @field: the name of one
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL if there is none
 *
 * Returns: %FALSE with @error set if there is no such field
 */
gboolean
bawn_cli_output_field (BawnCli *cli,
                       const BawnCliReply *reply,
                       const BawnJsonNode *data,
                       const char *field,
                       GError **error)
{
  const BawnJsonNode *node = lookup_field (reply, data, field);

  if (node == NULL || node->kind == BAWN_JSON_NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("Field \"%s\" not present in secret"),
                          field);
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, node);
      return TRUE;
    }

  g_auto (BawnBuffer) text = BAWN_BUFFER_INIT;
  bawn_cli_render_value (&text, node);
  bawn_cli_output_raw (cli, (const char *) text.data, text.size);
  return TRUE;
}

/**
 * bawn_cli_output_secret:
 * @cli: surroundings
 * @args: a command line that knows -field
 * @reply: (nullable): an answer
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL if there is no such field
 *
 * Returns: %FALSE with @error set if there is no such field
 */
gboolean
bawn_cli_output_secret (BawnCli *cli, BawnCliArgs *args, const BawnCliReply *reply, GError **error)
{
  const char *field = bawn_cli_args_string (args, "field", NULL);

  if (field != NULL)
    return bawn_cli_output_field (cli, reply, bawn_cli_reply_data (reply), field, error);

  bawn_cli_output_reply (cli, reply);
  return TRUE;
}

/**
 * bawn_cli_output_keys:
 * @cli: surroundings
 * @reply: (nullable): the answer to a listing
 * @path: what was listed, for people
 * @error: (out) (optional): %BAWN_CLI_ERROR_REMOTE
 *
 * Returns: %FALSE with @error set if there is nothing
 */
gboolean
bawn_cli_output_keys (BawnCli *cli, const BawnCliReply *reply, const char *path, GError **error)
{
  static const char *const header[] = { "Keys", NULL };
  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  const BawnJsonNode *keys = data != NULL ? bawn_json_get (data, "keys") : NULL;

  if (bawn_cli_reply_is_wrapped (reply))
    {
      bawn_cli_output_reply (cli, reply);
      return TRUE;
    }
  bawn_cli_output_warnings (reply);
  if (!bawn_json_is (keys, BAWN_JSON_ARRAY) || keys->n_children == 0)
    {
      if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
        bawn_cli_put (cli, "{}\n", 3);
      return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), path);
    }
  if (bawn_cli_settings (cli)->format != BAWN_CLI_FORMAT_TABLE)
    {
      bawn_cli_output_node (cli, keys);
      return TRUE;
    }

  g_autoptr (BawnCliTable) table = bawn_cli_table_new (header);
  for (const BawnJsonNode *node = keys->children; node != NULL; node = node->next)
    {
      g_autofree char *name = bawn_cli_render_value_dup (node);
      bawn_cli_table_add (table, name, NULL);
    }
  bawn_cli_output_table (cli, table);
  return TRUE;
}
