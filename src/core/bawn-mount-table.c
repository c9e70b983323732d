/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-mount-table.h"

#include <string.h>

#include "crypto/bawn-crypto.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

struct _BawnMountTable
{
  gatomicrefcount refs;
  GPtrArray *mounts; /* of BawnMount, sorted by path */
  GPtrArray *doomed; /* of BawnMount, unmounted and being cleared away */
};

BawnMountTable *
bawn_mount_table_new (void)
{
  BawnMountTable *table = g_new0 (BawnMountTable, 1);

  g_atomic_ref_count_init (&table->refs);
  table->mounts = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_mount_unref);
  table->doomed = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_mount_unref);

  return table;
}

BawnMountTable *
bawn_mount_table_ref (BawnMountTable *table)
{
  g_atomic_ref_count_inc (&table->refs);
  return table;
}

void
bawn_mount_table_unref (BawnMountTable *table)
{
  if (!g_atomic_ref_count_dec (&table->refs))
    return;

  g_ptr_array_unref (table->mounts);
  g_ptr_array_unref (table->doomed);
  g_free (table);
}

static int
compare_mounts (gconstpointer a, gconstpointer b)
{
  const BawnMount *const *left = a;
  const BawnMount *const *right = b;

  return strcmp ((*left)->path, (*right)->path);
}

/* The record: {"mounts":[{…}],"doomed":[{…}]} */

static GHashTable *
read_options (const BawnJsonNode *node)
{
  if (!bawn_json_is (node, BAWN_JSON_OBJECT))
    return NULL;

  g_autoptr(GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (const BawnJsonNode *child = node->children; child != NULL; child = child->next)
    if (child->kind == BAWN_JSON_STRING)
      g_hash_table_insert (options, g_strdup (child->name), g_strdup (child->string));

  return g_steal_pointer (&options);
}

static void
set_string (char **place, const char *value)
{
  g_free (*place);
  *place = g_strdup (value);
}

static void
set_strv (GStrv *place, GStrv value)
{
  g_strfreev (*place);
  *place = value;
}

static BawnMount *
read_mount (const BawnJsonNode *node, const char *key, GError **error)
{
  const char *path = bawn_json_get_string (node, "path", NULL);
  const char *type = bawn_json_get_string (node, "type", NULL);
  const char *view = bawn_json_get_string (node, "view", NULL);

  if (path == NULL || type == NULL || view == NULL || !g_str_has_suffix (path, "/"))
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: a mount without path, type or view", key);

  BawnMount *mount = bawn_mount_new ();
  set_string (&mount->path, path);
  set_string (&mount->type, type);
  set_string (&mount->view, view);
  set_string (&mount->description, bawn_json_get_string (node, "description", ""));
  set_string (&mount->accessor, bawn_json_get_string (node, "accessor", ""));
  set_string (&mount->uuid, bawn_json_get_string (node, "uuid", ""));
  set_string (&mount->listing_visibility, bawn_json_get_string (node, "listing_visibility", ""));
  set_string (&mount->token_type, bawn_json_get_string (node, "token_type", ""));
  mount->options = read_options (bawn_json_get (node, "options"));
  mount->local = bawn_json_get_bool (node, "local", FALSE);
  mount->seal_wrap = bawn_json_get_bool (node, "seal_wrap", FALSE);
  mount->external_entropy_access = bawn_json_get_bool (node, "external_entropy_access", FALSE);
  mount->force_no_cache = bawn_json_get_bool (node, "force_no_cache", FALSE);
  mount->default_ttl_us = bawn_json_get_int (node, "default_ttl_us", 0);
  mount->max_ttl_us = bawn_json_get_int (node, "max_ttl_us", 0);
  set_strv (&mount->audit_non_hmac_request_keys, bawn_json_get_strv (node, "audit_non_hmac_request_keys"));
  set_strv (&mount->audit_non_hmac_response_keys, bawn_json_get_strv (node, "audit_non_hmac_response_keys"));
  set_strv (&mount->passthrough_request_headers, bawn_json_get_strv (node, "passthrough_request_headers"));
  set_strv (&mount->allowed_response_headers, bawn_json_get_strv (node, "allowed_response_headers"));

  return mount;
}

static void
write_optional_strv (BawnJsonWriter *w, const char *name, GStrv strings)
{
  if (strings != NULL)
    bawn_json_writer_add_strv (w, name, (const char *const *) strings);
}

static void
write_mount (BawnJsonWriter *w, const BawnMount *mount)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "path", mount->path);
  bawn_json_writer_add_string (w, "type", mount->type);
  bawn_json_writer_add_string (w, "view", mount->view);
  bawn_json_writer_add_string (w, "description", mount->description != NULL ? mount->description : "");
  bawn_json_writer_add_string (w, "accessor", mount->accessor);
  bawn_json_writer_add_string (w, "uuid", mount->uuid);
  if (mount->listing_visibility != NULL && *mount->listing_visibility != '\0')
    bawn_json_writer_add_string (w, "listing_visibility", mount->listing_visibility);
  if (mount->token_type != NULL && *mount->token_type != '\0')
    bawn_json_writer_add_string (w, "token_type", mount->token_type);
  bawn_json_writer_add_bool (w, "local", mount->local);
  bawn_json_writer_add_bool (w, "seal_wrap", mount->seal_wrap);
  bawn_json_writer_add_bool (w, "external_entropy_access", mount->external_entropy_access);
  bawn_json_writer_add_bool (w, "force_no_cache", mount->force_no_cache);
  bawn_json_writer_add_int (w, "default_ttl_us", mount->default_ttl_us);
  bawn_json_writer_add_int (w, "max_ttl_us", mount->max_ttl_us);
  write_optional_strv (w, "audit_non_hmac_request_keys", mount->audit_non_hmac_request_keys);
  write_optional_strv (w, "audit_non_hmac_response_keys", mount->audit_non_hmac_response_keys);
  write_optional_strv (w, "passthrough_request_headers", mount->passthrough_request_headers);
  write_optional_strv (w, "allowed_response_headers", mount->allowed_response_headers);
  if (mount->options != NULL)
    {
      GHashTableIter iter;
      gpointer name;
      gpointer value;

      bawn_json_writer_name (w, "options");
      bawn_json_writer_begin_object (w);
      g_hash_table_iter_init (&iter, mount->options);
      while (g_hash_table_iter_next (&iter, &name, &value))
        bawn_json_writer_add_string (w, name, value);
      bawn_json_writer_end_object (w);
    }
  bawn_json_writer_end_object (w);
}

static gboolean
read_mounts (const BawnJsonNode *array, const char *key, GPtrArray *into, GError **error)
{
  if (!bawn_json_is (array, BAWN_JSON_ARRAY))
    return TRUE;

  for (const BawnJsonNode *child = array->children; child != NULL; child = child->next)
    {
      BawnMount *mount = read_mount (child, key, error);

      if (mount == NULL)
        return FALSE;
      g_ptr_array_add (into, mount);
    }

  return TRUE;
}

static gpointer
parse_table (const char *key, GBytes *plain, GError **error)
{
  g_autoptr(BawnJson) json = bawn_json_parse (plain, NULL, error);
  g_autoptr(BawnMountTable) table = bawn_mount_table_new ();

  if (json == NULL)
    return NULL;
  if (!read_mounts (bawn_json_get (bawn_json_root (json), "mounts"), key, table->mounts, error)
      || !read_mounts (bawn_json_get (bawn_json_root (json), "doomed"), key, table->doomed, error))
    return NULL;
  g_ptr_array_sort (table->mounts, compare_mounts);

  return g_steal_pointer (&table);
}

static const BawnObjectKind table_kind = {
  .name = "mount table",
  .parse = parse_table,
  .ref = (gpointer (*) (gpointer)) bawn_mount_table_ref,
  .unref = (void (*) (gpointer)) bawn_mount_table_unref,
};

/**
 * bawn_mount_table_get:
 * @txn: an unscoped transaction
 * @out_table: (out) (transfer full): the table; an empty one if there is no record
 * @error: return location
 *
 * Returns: %FALSE if the record could not be read
 */
gboolean
bawn_mount_table_get (BawnTxn *txn, BawnMountTable **out_table, GError **error)
{
  gpointer table = NULL;

  if (!bawn_txn_get_object (txn, BAWN_MOUNT_TABLE_KEY, &table_kind, &table, error))
    return FALSE;

  *out_table = table != NULL ? table : bawn_mount_table_new ();
  return TRUE;
}

/**
 * bawn_mount_table_put:
 * @txn: an unscoped transaction
 * @table: the new table
 *
 * Leaves the record behind to be committed.
 */
void
bawn_mount_table_put (BawnTxn *txn, const BawnMountTable *table)
{
  g_auto(BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "mounts");
  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < table->mounts->len; i++)
    write_mount (&w, g_ptr_array_index (table->mounts, i));
  bawn_json_writer_end_array (&w);
  bawn_json_writer_name (&w, "doomed");
  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < table->doomed->len; i++)
    write_mount (&w, g_ptr_array_index (table->doomed, i));
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr(GBytes) bytes = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, BAWN_MOUNT_TABLE_KEY, bytes);
}

/**
 * bawn_mount_table_route:
 * @table: the table
 * @path: a request's path
 *
 * A path that is a mount's without the last '/' belongs to it too.
 *
 * Returns: (transfer none) (nullable): the mount with the longest path that @path begins with
 */
BawnMount *
bawn_mount_table_route (const BawnMountTable *table, const char *path)
{
  BawnMount *best = NULL;

  /* Mounts never nest (bawn_mount_table_conflict()), but auth/ ones stand beside each other at any depth. */
  for (guint i = 0; i < table->mounts->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->mounts, i);
      gsize size = strlen (mount->path);

      if (strncmp (path, mount->path, size - 1) == 0 && (path[size - 1] == '/' || path[size - 1] == '\0'))
        best = mount;
    }

  return best;
}

BawnMount *
bawn_mount_table_lookup (const BawnMountTable *table, const char *mount_path)
{
  for (guint i = 0; i < table->mounts->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->mounts, i);

      if (g_str_equal (mount->path, mount_path))
        return mount;
    }

  return NULL;
}

BawnMount *
bawn_mount_table_lookup_accessor (const BawnMountTable *table, const char *accessor)
{
  for (guint i = 0; i < table->mounts->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->mounts, i);

      if (g_str_equal (mount->accessor, accessor))
        return mount;
    }

  return NULL;
}

BawnMount *
bawn_mount_table_conflict (const BawnMountTable *table, const char *mount_path)
{
  for (guint i = 0; i < table->mounts->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->mounts, i);

      if (g_str_has_prefix (mount_path, mount->path) || g_str_has_prefix (mount->path, mount_path))
        return mount;
    }

  return NULL;
}

guint
bawn_mount_table_size (const BawnMountTable *table)
{
  return table->mounts->len;
}

BawnMount *
bawn_mount_table_index (const BawnMountTable *table, guint index)
{
  return g_ptr_array_index (table->mounts, index);
}

guint
bawn_mount_table_doomed_size (const BawnMountTable *table)
{
  return table->doomed->len;
}

BawnMount *
bawn_mount_table_doomed_index (const BawnMountTable *table, guint index)
{
  return g_ptr_array_index (table->doomed, index);
}

static BawnMountTable *
copy_table (const BawnMountTable *table, const char *without_path, const char *without_doomed)
{
  BawnMountTable *copy = bawn_mount_table_new ();

  for (guint i = 0; i < table->mounts->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->mounts, i);

      if (g_strcmp0 (mount->path, without_path) != 0)
        g_ptr_array_add (copy->mounts, bawn_mount_ref (mount));
    }
  for (guint i = 0; i < table->doomed->len; i++)
    {
      BawnMount *mount = g_ptr_array_index (table->doomed, i);

      if (g_strcmp0 (mount->uuid, without_doomed) != 0)
        g_ptr_array_add (copy->doomed, bawn_mount_ref (mount));
    }

  return copy;
}

BawnMountTable *
bawn_mount_table_add (const BawnMountTable *table, BawnMount *mount)
{
  BawnMountTable *copy = copy_table (table, mount->path, NULL);

  g_ptr_array_add (copy->mounts, mount);
  g_ptr_array_sort (copy->mounts, compare_mounts);

  return copy;
}

BawnMountTable *
bawn_mount_table_remove (const BawnMountTable *table, const char *mount_path)
{
  BawnMountTable *copy = copy_table (table, mount_path, NULL);
  BawnMount *mount = bawn_mount_table_lookup (table, mount_path);

  if (mount != NULL)
    g_ptr_array_add (copy->doomed, bawn_mount_ref (mount));

  return copy;
}

BawnMountTable *
bawn_mount_table_forget (const BawnMountTable *table, const char *uuid)
{
  return copy_table (table, NULL, uuid);
}

/**
 * bawn_mount_table_make:
 * @path: where, ending in '/'; of a login method with "auth/" before it
 * @type: the engine's name
 *
 * Returns: (transfer full): a row with a fresh uuid, accessor and view, to be filled in and added
 */
BawnMount *
bawn_mount_table_make (const char *path, const char *type)
{
  gboolean is_auth = g_str_has_prefix (path, "auth/");
  BawnMount *mount = bawn_mount_new ();
  guint8 salt[4];
  g_autofree char *hex = NULL;

  bawn_random_bytes (salt, sizeof salt);
  hex = bawn_hex_encode (salt, sizeof salt);
  set_string (&mount->path, path);
  set_string (&mount->type, type);
  set_string (&mount->description, "");
  g_free (mount->uuid);
  mount->uuid = bawn_random_uuid ();
  g_free (mount->accessor);
  mount->accessor = g_strdup_printf ("%s%s_%s", is_auth ? "auth_" : "", type, hex);
  g_free (mount->view);
  mount->view = g_strdup_printf ("%s/%s/", is_auth ? "auth" : "logical", mount->uuid);

  return mount;
}
