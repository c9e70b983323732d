/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-string-map.h"

/**
 * bawn_string_map_new:
 *
 * Returns: (transfer full): an empty table, which owns its keys and values
 */
GHashTable *
bawn_string_map_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                (GDestroyNotify) bawn_string_wipe_free);
}

/**
 * bawn_string_map_copy:
 * @map: (nullable): a string to string table
 *
 * Returns: (transfer full) (nullable): a deep copy
 */
GHashTable *
bawn_string_map_copy (GHashTable *map)
{
  if (map == NULL)
    return NULL;

  GHashTable *copy = bawn_string_map_new ();
  GHashTableIter iter;
  gpointer key = NULL;
  gpointer value = NULL;

  g_hash_table_iter_init (&iter, map);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (copy, g_strdup (key), g_strdup (value));

  return copy;
}

/**
 * bawn_string_map_read:
 * @object: (nullable): a JSON object
 *
 * For what we have stored ourselves; bawn_field_map() is for what clients send.
 *
 * Returns: (transfer full) (nullable): its string members; %NULL if @object is not an object
 */
GHashTable *
bawn_string_map_read (const BawnJsonNode *object)
{
  if (!bawn_json_is (object, BAWN_JSON_OBJECT))
    return NULL;

  GHashTable *map = bawn_string_map_new ();

  for (const BawnJsonNode *node = object->children; node != NULL; node = node->next)
    {
      if (node->kind == BAWN_JSON_STRING)
        g_hash_table_insert (map, g_strdup (node->name), g_strdup (node->string));
    }

  return map;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * bawn_string_map_write:
 * @w: a writer that expects a value
 * @map: (nullable): a string to string table
 *
 * Writes @map as an object, sorted, so that the same table always gives the same text.
 */
void
bawn_string_map_write (BawnJsonWriter *w, GHashTable *map)
{
  if (map == NULL)
    {
      bawn_json_writer_null (w);
      return;
    }

  guint n = 0;
  g_autofree const char **names = (const char **) g_hash_table_get_keys_as_array (map, &n);

  if (n > 1)
    qsort (names, n, sizeof *names, compare_names);

  bawn_json_writer_begin_object (w);
  for (guint i = 0; i < n; i++)
    bawn_json_writer_add_string (w, names[i], g_hash_table_lookup (map, names[i]));
  bawn_json_writer_end_object (w);
}
