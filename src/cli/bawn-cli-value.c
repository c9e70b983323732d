/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-render.h"

#include "util/bawn-clock.h"

#include <string.h>

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const BawnJsonNode *const *left = a;
  const BawnJsonNode *const *right = b;

  return strcmp ((*left)->name, (*right)->name);
}

GPtrArray *
bawn_cli_sort_members (const BawnJsonNode *object)
{
  GPtrArray *members = g_ptr_array_new ();

  for (const BawnJsonNode *node = object != NULL ? object->children : NULL; node != NULL;
       node = node->next)
    g_ptr_array_add (members, (gpointer) node);
  g_ptr_array_sort (members, compare_names);
  return members;
}

static void
render_map (BawnBuffer *out, const BawnJsonNode *object)
{
  g_autoptr (GPtrArray) members = bawn_cli_sort_members (object);

  bawn_buffer_append_string (out, "map[");
  for (guint i = 0; i < members->len; i++)
    {
      const BawnJsonNode *node = g_ptr_array_index (members, i);

      if (i > 0)
        bawn_buffer_append_byte (out, ' ');
      bawn_buffer_append_string (out, node->name);
      bawn_buffer_append_byte (out, ':');
      bawn_cli_render_value (out, node);
    }
  bawn_buffer_append_byte (out, ']');
}

static void
render_list (BawnBuffer *out, const BawnJsonNode *array)
{
  bawn_buffer_append_byte (out, '[');
  for (const BawnJsonNode *node = array->children; node != NULL; node = node->next)
    {
      if (node != array->children)
        bawn_buffer_append_byte (out, ' ');
      bawn_cli_render_value (out, node);
    }
  bawn_buffer_append_byte (out, ']');
}

/**
 * bawn_cli_render_value:
 * @out: what to append to
 * @node: (nullable): a value
 *
 * The recursion is as deep as the document, which its parser bounds.
 */
void
bawn_cli_render_value (BawnBuffer *out, const BawnJsonNode *node)
{
  if (node == NULL)
    {
      bawn_buffer_append_string (out, "<nil>");
      return;
    }

  switch (node->kind)
    {
    case BAWN_JSON_NULL:
      bawn_buffer_append_string (out, "<nil>");
      return;
    case BAWN_JSON_STRING:
      bawn_buffer_append (out, node->string, node->string_size);
      return;
    case BAWN_JSON_FALSE:
    case BAWN_JSON_TRUE:
    case BAWN_JSON_NUMBER:
      bawn_buffer_append (out, node->raw, node->raw_size);
      return;
    case BAWN_JSON_ARRAY:
      render_list (out, node);
      return;
    case BAWN_JSON_OBJECT:
      render_map (out, node);
      return;
    }
}

/**
 * bawn_cli_render_value_dup:
 * @node: (nullable): a value
 *
 * Returns: (transfer full): it, on one line; free with bawn_string_wipe_free()
 */
char *
bawn_cli_render_value_dup (const BawnJsonNode *node)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_cli_render_value (&buffer, node);
  return buffer.size > 0 ? g_strndup ((const char *) buffer.data, buffer.size) : g_strdup ("");
}

/**
 * bawn_cli_render_quoted_list:
 * @array: (nullable): a list of strings
 *
 * Returns: (transfer full): them, each in quotes
 */
char *
bawn_cli_render_quoted_list (const BawnJsonNode *array)
{
  g_autoptr (GString) text = g_string_new ("[");

  if (bawn_json_is (array, BAWN_JSON_ARRAY))
    for (const BawnJsonNode *node = array->children; node != NULL; node = node->next)
      {
        if (node != array->children)
          g_string_append_c (text, ' ');
        g_string_append_len (text, node->raw, (gssize) node->raw_size);
      }
  g_string_append_c (text, ']');

  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * bawn_cli_name_means_duration:
 * @name: of a member of an answer
 *
 * Returns: %TRUE if its value is a number of seconds by custom
 */
gboolean
bawn_cli_name_means_duration (const char *name)
{
  static const char *const words[] = { "period", "ttl", "duration" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    {
      if (!g_str_has_suffix (name, words[i]))
        continue;

      gsize before = strlen (name) - strlen (words[i]);
      if (before == 0 || name[before - 1] == '_')
        return TRUE;
    }

  return strcmp (name, "lease_max") == 0 || strcmp (name, "ttl_max") == 0;
}

/**
 * bawn_cli_render_seconds:
 * @seconds: a duration
 *
 * Returns: (transfer full): such as "768h", "1h30m", "45s"
 */
char *
bawn_cli_render_seconds (gint64 seconds)
{
  /* The largest number of seconds whose microseconds fit. */
  const gint64 limit = G_MAXINT64 / G_USEC_PER_SEC;

  if (seconds > limit || seconds < -limit)
    return g_strdup_printf ("%" G_GINT64_FORMAT "s", seconds);

  g_autofree char *text = bawn_duration_format (seconds * G_USEC_PER_SEC);
  if (g_str_has_suffix (text, "m0s"))
    text[strlen (text) - 2] = '\0';
  char *no_minutes = strstr (text, "h0m");
  if (no_minutes != NULL)
    memmove (no_minutes + 1, no_minutes + 3, strlen (no_minutes + 3) + 1);

  return g_steal_pointer (&text);
}
