/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* Names asked for at a time, so that a walk over a large folder stays within what one listing may
 * give. */
#define WALK_PAGE 1000

BawnResponse *
bawn_sys_injected (BawnJsonWriter *w)
{
  BawnResponse *response = bawn_response_new_writer (w);

  response->form = BAWN_RESPONSE_INJECTED;
  return response;
}

const char *
bawn_sys_need_rest (BawnRequest *request, const char *name, GError **error)
{
  const char *rest = bawn_request_param (request, name);

  if (*rest == '\0')
    return bawn_fail_null (error, BAWN_ERROR_UNSUPPORTED, "unsupported operation");

  return rest;
}

static gboolean walk_folder (BawnTxn *txn,
                             const char *prefix,
                             const char *below,
                             guint limit,
                             GPtrArray *names,
                             GError **error);

static gboolean
walk_page (BawnTxn *txn,
           const char *prefix,
           const char *below,
           const char *const *page,
           guint limit,
           GPtrArray *names,
           GError **error)
{
  for (guint i = 0; page[i] != NULL; i++)
    {
      g_autofree char *name = g_strconcat (below, page[i], NULL);

      if (names->len >= limit)
        return bawn_fail (error, BAWN_ERROR_LIMITED, "more than %u entries", limit);
      if (!g_str_has_suffix (name, "/"))
        g_ptr_array_add (names, g_steal_pointer (&name));
      else if (!walk_folder (txn, prefix, name, limit, names, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
walk_folder (BawnTxn *txn,
             const char *prefix,
             const char *below,
             guint limit,
             GPtrArray *names,
             GError **error)
{
  g_autofree char *folder = g_strconcat (prefix, below, NULL);
  g_autofree char *after = NULL;

  for (;;)
    {
      g_auto (GStrv) page = NULL;

      if (!bawn_txn_list (txn, folder, after, WALK_PAGE, &page, error)
          || !walk_page (txn, prefix, below, (const char *const *) page, limit, names, error))
        return FALSE;

      guint n = g_strv_length (page);
      if (n < WALK_PAGE)
        return TRUE;

      g_free (after);
      after = g_strdup (page[n - 1]);
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
bawn_sys_walk (BawnTxn *txn, const char *prefix, guint limit, GStrv *out_names, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (!walk_folder (txn, prefix, "", limit, names, error))
    return FALSE;

  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  *out_names = (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

gboolean
bawn_sys_sub_request (BawnRequest *request,
                      const char *name,
                      BawnRequest **out_fields,
                      GError **error)
{
  const BawnJsonNode *node = bawn_field_node (request, name);

  if (node == NULL || bawn_json_is (node, BAWN_JSON_NULL))
    {
      *out_fields = NULL;
      return TRUE;
    }
  if (!bawn_json_is (node, BAWN_JSON_OBJECT))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "error converting input for field \"%s\": expected a map", name);

  g_autoptr (GBytes) text = bawn_json_node_bytes (request->data, node);
  g_autoptr (BawnJson) json = bawn_json_parse (text, NULL, error);
  if (json == NULL)
    return FALSE;

  g_autoptr (BawnRequest) fields = bawn_request_new (request->op, request->path);
  fields->data = g_steal_pointer (&json);
  *out_fields = g_steal_pointer (&fields);
  return TRUE;
}

gboolean
bawn_sys_caller_acl (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnAcl **out_acl, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);

  if (active == NULL)
    return FALSE;
  if (request->caller != NULL)
    return bawn_core_get_acl (active, txn, request->caller, out_acl, error);

  *out_acl = NULL;
  return TRUE;
}

BawnRequest *
bawn_sys_fold_fields (BawnRequest *request, GError **error)
{
  const BawnJsonNode *root = request->data != NULL ? bawn_json_root (request->data) : NULL;
  g_autoptr (BawnRequest) folded = bawn_request_new (request->op, request->path);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (const BawnJsonNode *field = bawn_json_is (root, BAWN_JSON_OBJECT) ? root->children : NULL;
       field != NULL; field = field->next)
    {
      g_autofree char *name = g_ascii_strdown (field->name, -1);

      bawn_json_writer_name (&w, name);
      bawn_json_writer_node (&w, field);
    }
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
  folded->data = bawn_json_parse (text, NULL, error);
  if (folded->data == NULL)
    return NULL;

  return g_steal_pointer (&folded);
}

void
bawn_sys_write_map (BawnJsonWriter *w, GHashTable *map)
{
  if (map == NULL)
    {
      bawn_json_writer_null (w);
      return;
    }

  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (map), (GCompareFunc) strcmp);

  bawn_json_writer_begin_object (w);
  for (const GList *l = names; l != NULL; l = l->next)
    bawn_json_writer_add_string (w, l->data, g_hash_table_lookup (map, l->data));
  bawn_json_writer_end_object (w);
}
