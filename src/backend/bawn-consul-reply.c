/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-consul.h"

#include "backend/bawn-rest-json.h"

#include <string.h>

/**
 * bawn_consul_read_entry:
 * @reply: to a GET of a key
 * @encoded: the key
 * @out_value: (out) (transfer full): its value
 * @out_version: (out): its version
 *
 * Returns: %TRUE if the answer is that key's one entry
 */
gboolean
bawn_consul_read_entry (const BawnRestReply *reply,
                        const char *encoded,
                        GBytes **out_value,
                        guint64 *out_version)
{
  g_autoptr (BawnJson) json = bawn_json_parse (reply->body, NULL, NULL);
  const BawnJsonNode *entry = json != NULL ? bawn_json_index (bawn_json_root (json), 0) : NULL;
  const char *key = bawn_rest_json_get_string (entry, BAWN_REST_CONSUL_KEY, NULL);
  guint64 version = 0;

  /* The value of an empty entry is null. */
  if (g_strcmp0 (key, encoded) != 0
      || !bawn_rest_json_get_uint64 (entry, BAWN_REST_CONSUL_MODIFY_INDEX, &version) || version == 0
      || !bawn_rest_json_get_base64 (entry, BAWN_REST_CONSUL_VALUE, out_value))
    return FALSE;

  *out_version = version;
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * bawn_consul_read_names:
 * @reply: to a GET of the names below @folder
 * @folder: encoded
 * @after: (nullable): a name to begin behind
 * @error: (out) (optional): UPSTREAM
 *
 * Names that stand for no key are somebody else's, and left out.
 *
 * Returns: (transfer container) (element-type utf8): the names, sorted bytewise; %NULL with @error
 * set
 */
GPtrArray *
bawn_consul_read_names (const BawnRestReply *reply,
                        const char *folder,
                        const char *after,
                        GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (BawnJson) json = bawn_json_parse (reply->body, NULL, &why);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const BawnJsonNode *array = json != NULL ? bawn_json_root (json) : NULL;
  gsize skip = strlen (folder);

  if (!bawn_json_is (array, BAWN_JSON_ARRAY))
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM,
                           "the list that Consul at %s sent is none: %s", reply->address,
                           why != NULL ? why->message : "not an array");

  for (const BawnJsonNode *node = array->children; node != NULL; node = node->next)
    {
      if (!bawn_json_is (node, BAWN_JSON_STRING) || !g_str_has_prefix (node->string, folder))
        return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "Consul at %s lists what is not in %s",
                               reply->address, folder);

      g_autofree char *name =
          bawn_consul_name_decode (node->string + skip, node->string_size - skip);

      if (name != NULL && (after == NULL || strcmp (name, after) > 0))
        g_ptr_array_add (names, g_steal_pointer (&name));
    }

  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}
