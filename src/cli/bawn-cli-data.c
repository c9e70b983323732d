/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-data.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-terminal.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* One member: its name and its value as JSON text. */
typedef struct
{
  char *name;
  GBytes *json;
} Member;

struct _BawnCliData
{
  GPtrArray *members; /* of Member, in order */
  GHashTable *index;  /* name, owned by the member → Member */
  gboolean input_used;
};

static void
member_free (Member *member)
{
  g_free (member->name);
  g_bytes_unref (member->json);
  g_free (member);
}

/**
 * bawn_cli_data_new:
 *
 * Returns: (transfer full): an empty object
 */
BawnCliData *
bawn_cli_data_new (void)
{
  BawnCliData *data = g_new0 (BawnCliData, 1);

  data->members = g_ptr_array_new_with_free_func ((GDestroyNotify) member_free);
  data->index = g_hash_table_new (g_str_hash, g_str_equal);
  return data;
}

/**
 * bawn_cli_data_free:
 * @data: (nullable) (transfer full): an object
 */
void
bawn_cli_data_free (BawnCliData *data)
{
  if (data == NULL)
    return;

  g_hash_table_unref (data->index);
  g_ptr_array_unref (data->members);
  g_free (data);
}

static Member *
data_lookup (BawnCliData *data, const char *name)
{
  return g_hash_table_lookup (data->index, name);
}

/* Takes @json. An earlier value of that name gives way. */
static void
data_set (BawnCliData *data, const char *name, GBytes *json)
{
  Member *member = data_lookup (data, name);

  if (member == NULL)
    {
      member = g_new0 (Member, 1);
      member->name = g_strdup (name);
      g_ptr_array_add (data->members, member);
      g_hash_table_insert (data->index, member->name, member);
    }
  g_clear_pointer (&member->json, g_bytes_unref);
  member->json = json;
}

/* The earlier value, as an array, with @text behind it: what a repeated key means. */
static GBytes *
array_with (GBytes *earlier, const char *text, gsize size)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnJson) json = bawn_json_parse (earlier, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;

  bawn_json_writer_begin_array (&w);
  if (bawn_json_is (root, BAWN_JSON_ARRAY))
    for (const BawnJsonNode *node = root->children; node != NULL; node = node->next)
      bawn_json_writer_node (&w, node);
  else
    bawn_json_writer_node (&w, root);
  bawn_json_writer_string_n (&w, text, size);
  bawn_json_writer_end_array (&w);

  return bawn_json_writer_finish (&w);
}

static void
data_append_text (BawnCliData *data, const char *name, const char *text, gsize size)
{
  Member *member = data_lookup (data, name);

  if (member != NULL)
    {
      g_autoptr (GBytes) earlier = g_steal_pointer (&member->json);

      member->json = array_with (earlier, text, size);
      return;
    }

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_string_n (&w, text, size);
  data_set (data, name, bawn_json_writer_finish (&w));
}

/**
 * bawn_cli_data_add_string:
 * @data: an object
 * @name: a member
 * @value: its text; a name that is there already becomes an array
 */
void
bawn_cli_data_add_string (BawnCliData *data, const char *name, const char *value)
{
  data_append_text (data, name, value, strlen (value));
}

/**
 * bawn_cli_data_add_json:
 * @data: an object
 * @text: JSON text of an object, whose members replace those of the same name
 * @error: (out) (optional): %BAWN_CLI_ERROR_LOCAL
 *
 * Values keep their spelling: numbers above all.
 *
 * Returns: %FALSE with @error set if it is not the text of an object
 */
gboolean
bawn_cli_data_add_json (BawnCliData *data, GBytes *text, GError **error)
{
  g_autoptr (GError) cause = NULL;
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, &cause);

  if (json == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("not JSON: %s"), cause->message);

  const BawnJsonNode *root = bawn_json_root (json);
  if (!bawn_json_is (root, BAWN_JSON_OBJECT))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("the JSON is not an object"));
  /* Cut at the NUL, two names could become one. */
  for (const BawnJsonNode *node = root->children; node != NULL; node = node->next)
    if (strlen (node->name) != node->name_size)
      return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL, _ ("a key of the JSON holds a NUL"));
  for (const BawnJsonNode *node = root->children; node != NULL; node = node->next)
    data_set (data, node->name, bawn_bytes_new (node->raw, node->raw_size));

  return TRUE;
}

static GBytes *
read_input_once (BawnCliData *data, int input_fd, GError **error)
{
  if (data->input_used)
    return bawn_cli_fail_null (error, BAWN_CLI_ERROR_USAGE,
                               _ ("The standard input can be read only once"));

  data->input_used = TRUE;
  return bawn_cli_read_source ("-", input_fd, error);
}

static gboolean
add_content (BawnCliData *data, const char *name, GBytes *content, GError **error)
{
  gsize size = 0;
  const char *text = g_bytes_get_data (content, &size);

  if (size > 0 && !g_utf8_validate_len (text, size, NULL))
    return bawn_cli_fail (error, BAWN_CLI_ERROR_LOCAL,
                          _ ("The value of “%s” is not UTF-8 text; encode it first, with base64 "
                             "for example"),
                          name);

  data_append_text (data, name, size > 0 ? text : "", size);
  return TRUE;
}

/* A person at a terminal types a line, which is not shown; anything else is read to its end. */
static GBytes *
read_value_once (
    BawnCliData *data, const char *name, int input_fd, gboolean may_ask, GError **error)
{
  if (data->input_used || !isatty (input_fd))
    return read_input_once (data, input_fd, error);

  g_autofree char *prompt = g_strdup_printf (_ ("%s (will be hidden): "), name);
  g_autoptr (BawnWipedString) line = bawn_cli_ask_secret (input_fd, prompt, may_ask, error);
  return line != NULL ? bawn_bytes_new_string (line) : NULL;
}

static gboolean
add_pair (BawnCliData *data,
          const char *name,
          const char *value,
          int input_fd,
          gboolean may_ask,
          GError **error)
{
  if (value[0] == '@')
    {
      g_autoptr (GBytes) content = bawn_cli_read_file (value + 1, error);
      return content != NULL && add_content (data, name, content, error);
    }
  if (strcmp (value, "-") == 0)
    {
      g_autoptr (GBytes) content = read_value_once (data, name, input_fd, may_ask, error);
      return content != NULL && add_content (data, name, content, error);
    }
  /* A backslash before the @ says that it is meant literally. */
  if (g_str_has_prefix (value, "\\@"))
    value++;

  g_autoptr (GBytes) content = bawn_bytes_new_string (value);
  return add_content (data, name, content, error);
}

static gboolean
add_object (BawnCliData *data, const char *operand, int input_fd, GError **error)
{
  g_autoptr (GBytes) text = operand[0] == '@' ? bawn_cli_read_file (operand + 1, error)
                                              : read_input_once (data, input_fd, error);

  if (text == NULL)
    return FALSE;
  if (!bawn_cli_data_add_json (data, text, error))
    {
      g_prefix_error (error, "%s: ", operand[0] == '@' ? operand + 1 : _ ("standard input"));
      return FALSE;
    }

  return TRUE;
}

/**
 * bawn_cli_data_add:
 * @data: an object
 * @operands: (array zero-terminated=1): `key=value`, `key=@file`, `key=-`, `@file.json` or `-`
 * @input_fd: where `-` reads from; at most once, unless it is a terminal
 * @may_ask: whether a person may be asked, if it is one
 * @error: (out) (optional): local or usage
 *
 * All values of `key=` are strings; a key given twice becomes an array of strings. A backslash
 * before a leading `@` takes its meaning away. The rules are those of the Vault command line.
 *
 * Returns: %FALSE with @error set, which does not repeat values
 */
gboolean
bawn_cli_data_add (
    BawnCliData *data, const char *const *operands, int input_fd, gboolean may_ask, GError **error)
{
  for (guint i = 0; operands[i] != NULL; i++)
    {
      const char *operand = operands[i];
      const char *equals = strchr (operand, '=');

      if (operand[0] == '\0')
        continue;
      if (equals == NULL && (operand[0] == '@' || strcmp (operand, "-") == 0))
        {
          if (!add_object (data, operand, input_fd, error))
            return FALSE;
          continue;
        }
      if (equals == NULL || equals == operand)
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE,
                              _ ("Data word %u has not the form key=value"), i + 1);

      g_autofree char *name = g_strndup (operand, (gsize) (equals - operand));
      if (!g_utf8_validate (name, -1, NULL))
        return bawn_cli_fail (error, BAWN_CLI_ERROR_USAGE, _ ("Key %u is not UTF-8 text"), i + 1);
      if (!add_pair (data, name, equals + 1, input_fd, may_ask, error))
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_cli_data_has:
 * @data: an object
 * @name: a member
 *
 * Returns: %TRUE if it is there
 */
gboolean
bawn_cli_data_has (BawnCliData *data, const char *name)
{
  return data_lookup (data, name) != NULL;
}

/**
 * bawn_cli_data_dup_string:
 * @data: an object
 * @name: a member
 *
 * Returns: (transfer full) (nullable): its text, to be freed with bawn_string_wipe_free(); %NULL
 * when absent or no string
 */
char *
bawn_cli_data_dup_string (BawnCliData *data, const char *name)
{
  Member *member = data_lookup (data, name);
  g_autoptr (BawnJson) json = member != NULL ? bawn_json_parse (member->json, NULL, NULL) : NULL;
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;

  return bawn_json_is (root, BAWN_JSON_STRING) ? g_strdup (root->string) : NULL;
}

/**
 * bawn_cli_data_remove:
 * @data: an object
 * @name: a member that shall be there no longer
 */
void
bawn_cli_data_remove (BawnCliData *data, const char *name)
{
  Member *member = data_lookup (data, name);

  if (member == NULL)
    return;

  g_hash_table_remove (data->index, name);
  g_ptr_array_remove (data->members, member);
}

/**
 * bawn_cli_data_size:
 * @data: an object
 *
 * Returns: how many members it has
 */
guint
bawn_cli_data_size (BawnCliData *data)
{
  return data->members->len;
}

/**
 * bawn_cli_data_write:
 * @data: an object
 * @w: where to write it, as one value
 */
void
bawn_cli_data_write (BawnCliData *data, BawnJsonWriter *w)
{
  bawn_json_writer_begin_object (w);
  for (guint i = 0; i < data->members->len; i++)
    {
      Member *member = g_ptr_array_index (data->members, i);
      gsize size = 0;
      const char *text = g_bytes_get_data (member->json, &size);

      bawn_json_writer_name (w, member->name);
      bawn_json_writer_raw (w, text, size);
    }
  bawn_json_writer_end_object (w);
}

/**
 * bawn_cli_data_to_json:
 * @data: an object
 *
 * Returns: (transfer full): its JSON text
 */
GBytes *
bawn_cli_data_to_json (BawnCliData *data)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_cli_data_write (data, &w);
  return bawn_json_writer_finish (&w);
}

static void
query_add (GString *query, const char *name, const BawnJsonNode *value)
{
  if (bawn_json_is (value, BAWN_JSON_ARRAY))
    {
      for (const BawnJsonNode *node = value->children; node != NULL; node = node->next)
        query_add (query, name, node);
      return;
    }

  if (query->len > 0)
    g_string_append_c (query, '&');
  g_string_append_uri_escaped (query, name, NULL, FALSE);
  g_string_append_c (query, '=');
  if (bawn_json_is (value, BAWN_JSON_STRING))
    g_string_append_uri_escaped (query, value->string, NULL, FALSE);
  else
    {
      g_autofree char *raw = g_strndup (value->raw, value->raw_size);
      g_string_append_uri_escaped (query, raw, NULL, FALSE);
    }
}

/**
 * bawn_cli_data_to_query:
 * @data: an object
 *
 * Returns: (transfer full) (nullable): the members as a query string, arrays as repeated names;
 * %NULL when there is none
 */
char *
bawn_cli_data_to_query (BawnCliData *data)
{
  g_autoptr (GString) query = g_string_new (NULL);

  for (guint i = 0; i < data->members->len; i++)
    {
      Member *member = g_ptr_array_index (data->members, i);
      g_autoptr (BawnJson) json = bawn_json_parse (member->json, NULL, NULL);

      if (json != NULL)
        query_add (query, member->name, bawn_json_root (json));
    }

  return query->len > 0 ? g_string_free (g_steal_pointer (&query), FALSE) : NULL;
}
