/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* Leases that could not be ended: how many there are, and which. Nobody counts them as they come,
 * since they are rare and the question is rarer; so all leases are looked at, up to a bound. */

#define LOOK_MAX 10000

typedef struct
{
  GPtrArray *ids;
  GHashTable *per_mount; /* path to count, as a pointer */
} Irrevocable;

static void
irrevocable_clear (Irrevocable *found)
{
  g_clear_pointer (&found->ids, g_ptr_array_unref);
  g_clear_pointer (&found->per_mount, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Irrevocable, irrevocable_clear)

static gboolean
note_lease (
    BawnTxn *txn, const BawnMountTable *table, const char *id, Irrevocable *found, GError **error)
{
  g_autoptr (BawnLease) lease = NULL;

  if (!bawn_lease_get (txn, id, &lease, error))
    return FALSE;
  if (lease == NULL || lease->revoke_attempts < BAWN_LEASE_IRREVOCABLE_ATTEMPTS)
    return TRUE;

  const BawnMount *mount = bawn_mount_table_route (table, id);
  const char *path = mount != NULL ? mount->path : "";
  guint before = GPOINTER_TO_UINT (g_hash_table_lookup (found->per_mount, path));
  g_hash_table_replace (found->per_mount, g_strdup (path), GUINT_TO_POINTER (before + 1));
  g_ptr_array_add (found->ids, g_strdup (id));
  return TRUE;
}

static gboolean
look (BawnTxn *txn,
      const BawnMountTable *table,
      const char *prefix,
      guint *inout_left,
      Irrevocable *found,
      GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!bawn_lease_list (txn, prefix, &names, error))
    return FALSE;

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *id = g_strconcat (prefix, names[i], NULL);

      if (*inout_left == 0)
        return bawn_fail (error, BAWN_ERROR_LIMITED, "more than %d leases: too many to look at",
                          LOOK_MAX);
      if (g_str_has_suffix (id, "/"))
        {
          if (!look (txn, table, id, inout_left, found, error))
            return FALSE;
          continue;
        }
      (*inout_left)--;
      if (!note_lease (txn, table, id, found, error))
        return FALSE;
    }

  return TRUE;
}

static gboolean
find_irrevocable (BawnRequest *request, BawnTxn *txn, Irrevocable *found, GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  g_autofree char *type = NULL;
  g_autofree char *limit = NULL;
  gboolean children = FALSE;
  guint left = LOOK_MAX;

  if (!bawn_field_string (request, "type", &type, error)
      || !bawn_field_bool (request, "include_child_namespaces", &children, error)
      || !bawn_field_string (request, "limit", &limit, error))
    return FALSE;
  if (g_strcmp0 (type, "irrevocable") != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "\"type\" must be \"irrevocable\"");
  if (!bawn_mount_table_get (txn, &table, error))
    return FALSE;

  found->ids = g_ptr_array_new_with_free_func (g_free);
  found->per_mount = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return look (txn, table, "", &left, found, error);
}

static BawnResponse *
lease_count (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto (Irrevocable) found = { NULL, NULL };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!find_irrevocable (request, txn, &found, error))
    return NULL;

  g_autoptr (GList) paths =
      g_list_sort (g_hash_table_get_keys (found.per_mount), (GCompareFunc) strcmp);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "counts");
  bawn_json_writer_begin_object (&w);
  for (const GList *l = paths; l != NULL; l = l->next)
    bawn_json_writer_add_int (&w, l->data,
                              GPOINTER_TO_UINT (g_hash_table_lookup (found.per_mount, l->data)));
  bawn_json_writer_end_object (&w);
  bawn_json_writer_add_int (&w, "lease_count", found.ids->len);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
leases (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto (Irrevocable) found = { NULL, NULL };
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!find_irrevocable (request, txn, &found, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "lease_count", found.ids->len);
  bawn_json_writer_name (&w, "leases");
  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < found.ids->len; i++)
    {
      g_autoptr (BawnLease) lease = NULL;

      if (!bawn_lease_get (txn, g_ptr_array_index (found.ids, i), &lease, error))
        return NULL;
      if (lease == NULL)
        continue;
      bawn_json_writer_begin_object (&w);
      bawn_json_writer_add_string (&w, "error",
                                   lease->revoke_error != NULL ? lease->revoke_error : "");
      bawn_json_writer_add_string (&w, "lease_id", lease->id);
      bawn_json_writer_end_object (&w);
    }
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

const BawnRoute bawn_sys_count_routes[] = {
  { "leases", BAWN_OP_READ, leases, BAWN_ROUTE_SUDO, "Lists leases that could not be revoked." },
  { "leases/count", BAWN_OP_READ, lease_count, BAWN_ROUTE_NONE,
    "Counts leases that could not be revoked." },
  { 0 },
};
