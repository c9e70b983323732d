/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include "logical/bawn-string-map.h"

/* Members of a version in the record's "versions": [number, created, deletion, destroyed]. */
#define VERSION_FIELDS 4

static char *
key_of (const char *place, const char *path)
{
  return g_strconcat (place, path, NULL);
}

static char *
data_key (const char *path, gint64 number)
{
  return g_strdup_printf (BAWN_KV_DATA "%s/%" G_GINT64_FORMAT, path, number);
}

static void
meta_clear (gpointer data)
{
  BawnKvMeta *meta = data;

  g_clear_pointer (&meta->custom, g_hash_table_unref);
  g_array_unref (meta->versions);
}

/**
 * bawn_kv_meta_new:
 * @now_us: real time
 *
 * Returns: (transfer full): a key without versions
 */
BawnKvMeta *
bawn_kv_meta_new (gint64 now_us)
{
  BawnKvMeta *meta = g_atomic_rc_box_new0 (BawnKvMeta);

  meta->created_us = now_us;
  meta->updated_us = now_us;
  meta->versions = g_array_new (FALSE, TRUE, sizeof (BawnKvVersion));

  return meta;
}

/**
 * bawn_kv_meta_copy:
 * @meta: a record
 *
 * Returns: (transfer full): a deep copy, to be changed and stored
 */
BawnKvMeta *
bawn_kv_meta_copy (const BawnKvMeta *meta)
{
  BawnKvMeta *copy = g_atomic_rc_box_new0 (BawnKvMeta);

  *copy = *meta;
  copy->custom = bawn_string_map_copy (meta->custom);
  copy->versions = g_array_copy (meta->versions);

  return copy;
}

static gpointer
meta_ref (gpointer meta)
{
  return g_atomic_rc_box_acquire (meta);
}

static void
meta_unref (gpointer meta)
{
  g_atomic_rc_box_release_full (meta, meta_clear);
}

/**
 * bawn_kv_meta_unref:
 * @meta: (transfer full): a record
 */
void
bawn_kv_meta_unref (BawnKvMeta *meta)
{
  meta_unref (meta);
}

static gboolean
parse_version (const BawnJsonNode *node, BawnKvVersion *out_version)
{
  return bawn_json_is (node, BAWN_JSON_ARRAY) && node->n_children == VERSION_FIELDS
         && bawn_json_node_int (bawn_json_index (node, 0), &out_version->number)
         && bawn_json_node_int (bawn_json_index (node, 1), &out_version->created_us)
         && bawn_json_node_int (bawn_json_index (node, 2), &out_version->deletion_us)
         && bawn_json_node_bool (bawn_json_index (node, 3), &out_version->destroyed);
}

static gpointer
meta_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, error);

  if (json == NULL)
    return NULL;

  const BawnJsonNode *root = bawn_json_root (json);
  const BawnJsonNode *versions = bawn_json_get (root, "versions");
  g_autoptr (BawnKvMeta) meta = bawn_kv_meta_new (bawn_json_get_int (root, "created", 0));

  meta->updated_us = bawn_json_get_int (root, "updated", 0);
  meta->current = bawn_json_get_int (root, "current", 0);
  meta->oldest = bawn_json_get_int (root, "oldest", 0);
  meta->max_versions = bawn_json_get_int (root, "max_versions", 0);
  meta->delete_after_us = bawn_json_get_int (root, "delete_after", 0);
  meta->cas_required = bawn_json_get_bool (root, "cas_required", FALSE);
  meta->custom = bawn_string_map_read (bawn_json_get (root, "custom"));
  if (!bawn_json_is (versions, BAWN_JSON_ARRAY))
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: no record of a key's versions", key);
  for (const BawnJsonNode *node = versions->children; node != NULL; node = node->next)
    {
      BawnKvVersion version = { 0 };

      if (!parse_version (node, &version))
        return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: bad record of a version", key);
      g_array_append_val (meta->versions, version);
    }

  return g_steal_pointer (&meta);
}

static const BawnObjectKind meta_kind = { "kv metadata", meta_parse, meta_ref, meta_unref };

static void
write_versions (BawnJsonWriter *w, const BawnKvMeta *meta)
{
  bawn_json_writer_name (w, "versions");
  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < meta->versions->len; i++)
    {
      const BawnKvVersion *version = &g_array_index (meta->versions, BawnKvVersion, i);

      bawn_json_writer_begin_array (w);
      bawn_json_writer_int (w, version->number);
      bawn_json_writer_int (w, version->created_us);
      bawn_json_writer_int (w, version->deletion_us);
      bawn_json_writer_bool (w, version->destroyed);
      bawn_json_writer_end_array (w);
    }
  bawn_json_writer_end_array (w);
}

static GBytes *
meta_format (const BawnKvMeta *meta)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "created", meta->created_us);
  bawn_json_writer_add_int (&w, "updated", meta->updated_us);
  bawn_json_writer_add_int (&w, "current", meta->current);
  bawn_json_writer_add_int (&w, "oldest", meta->oldest);
  bawn_json_writer_add_int (&w, "max_versions", meta->max_versions);
  bawn_json_writer_add_int (&w, "delete_after", meta->delete_after_us);
  bawn_json_writer_add_bool (&w, "cas_required", meta->cas_required);
  bawn_json_writer_name (&w, "custom");
  bawn_string_map_write (&w, meta->custom);
  write_versions (&w, meta);
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/* A secret from before the upgrade, seen as version 1 of its key. */
static gboolean
get_from_v1 (BawnTxn *txn, const char *path, BawnKvMeta **out_meta, GError **error)
{
  g_autoptr (BawnKvConfig) config = NULL;
  g_autofree char *key = key_of (BAWN_KV_V1, path);
  g_autoptr (GBytes) value = NULL;

  *out_meta = NULL;
  if (!bawn_kv_config_get (txn, &config, error))
    return FALSE;
  if (config->upgraded_us == 0)
    return TRUE;
  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;
  if (value == NULL)
    return TRUE;

  BawnKvMeta *meta = bawn_kv_meta_new (config->upgraded_us);
  BawnKvVersion version = { .number = 1, .created_us = config->upgraded_us };

  g_array_append_val (meta->versions, version);
  meta->current = 1;
  meta->is_v1 = TRUE;
  *out_meta = meta;

  return TRUE;
}

/**
 * bawn_kv_meta_get:
 * @txn: scoped to the mount
 * @path: a key
 * @out_meta: (out) (transfer full) (nullable): its record; %NULL if there is none
 * @error: of the storage
 *
 * Returns: whether the storage could say
 */
gboolean
bawn_kv_meta_get (BawnTxn *txn, const char *path, BawnKvMeta **out_meta, GError **error)
{
  g_autofree char *key = key_of (BAWN_KV_META, path);
  gpointer meta = NULL;

  if (!bawn_txn_get_object (txn, key, &meta_kind, &meta, error))
    return FALSE;
  if (meta == NULL)
    return get_from_v1 (txn, path, out_meta, error);
  *out_meta = meta;

  return TRUE;
}

/**
 * bawn_kv_meta_put:
 * @txn: scoped to the mount
 * @path: a key
 * @meta: its new record
 * @error: of the storage
 *
 * Stores a record. If the key was still stored as version 1 its data moves to where version 2 has
 * it.
 *
 * Returns: whether the old data could be read
 */
gboolean
bawn_kv_meta_put (BawnTxn *txn, const char *path, BawnKvMeta *meta, GError **error)
{
  g_autofree char *key = key_of (BAWN_KV_META, path);

  if (meta->is_v1)
    {
      g_autofree char *old_key = key_of (BAWN_KV_V1, path);
      g_autofree char *new_key = data_key (path, 1);
      const BawnKvVersion *version = bawn_kv_meta_version (meta, 1);
      g_autoptr (GBytes) data = NULL;

      if (!bawn_txn_get (txn, old_key, &data, error))
        return FALSE;
      if (data != NULL && version != NULL && !version->destroyed)
        bawn_txn_put (txn, new_key, data);
      bawn_txn_delete (txn, old_key);
      meta->is_v1 = FALSE;
    }

  g_autoptr (GBytes) value = meta_format (meta);

  bawn_txn_put (txn, key, value);

  return TRUE;
}

/**
 * bawn_kv_meta_delete:
 * @txn: scoped to the mount
 * @path: a key
 * @meta: its record
 *
 * Deletes a key with all its versions.
 */
void
bawn_kv_meta_delete (BawnTxn *txn, const char *path, const BawnKvMeta *meta)
{
  g_autofree char *key = key_of (meta->is_v1 ? BAWN_KV_V1 : BAWN_KV_META, path);

  bawn_txn_delete (txn, key);
  if (meta->is_v1)
    return;

  for (guint i = 0; i < meta->versions->len; i++)
    {
      const BawnKvVersion *version = &g_array_index (meta->versions, BawnKvVersion, i);
      g_autofree char *value_key = data_key (path, version->number);

      if (!version->destroyed)
        bawn_txn_delete (txn, value_key);
    }
}

/**
 * bawn_kv_meta_version:
 * @meta: a record
 * @number: of a version; 0 or less is the current one
 *
 * Returns: (nullable): that version; belongs to @meta
 */
BawnKvVersion *
bawn_kv_meta_version (const BawnKvMeta *meta, gint64 number)
{
  gint64 wanted = number > 0 ? number : meta->current;

  for (guint i = meta->versions->len; i > 0; i--)
    {
      BawnKvVersion *version = &g_array_index (meta->versions, BawnKvVersion, i - 1);

      if (version->number == wanted)
        return version;
    }

  return NULL;
}

/**
 * bawn_kv_version_is_deleted:
 * @version: a version
 * @now_us: real time
 *
 * Returns: whether its time of deletion has come
 */
gboolean
bawn_kv_version_is_deleted (const BawnKvVersion *version, gint64 now_us)
{
  return version->deletion_us != 0 && version->deletion_us <= now_us;
}

/**
 * bawn_kv_data_get:
 * @txn: scoped to the mount
 * @path: a key
 * @meta: its record
 * @number: of a version that is not destroyed
 * @out_data: (out) (transfer full): the JSON text
 * @error: of the storage; CORRUPT if the data is missing
 *
 * Returns: whether there is data
 */
gboolean
bawn_kv_data_get (BawnTxn *txn,
                  const char *path,
                  const BawnKvMeta *meta,
                  gint64 number,
                  GBytes **out_data,
                  GError **error)
{
  g_autofree char *key = meta->is_v1 ? key_of (BAWN_KV_V1, path) : data_key (path, number);
  GBytes *data = NULL;

  if (!bawn_txn_get (txn, key, &data, error))
    return FALSE;
  if (data == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s: the data of a version is missing", key);
  *out_data = data;

  return TRUE;
}

/* Whichever of key and mount keeps more, else the default. */
static gint64
max_versions (const BawnKvMeta *meta, const BawnKvConfig *config)
{
  gint64 wanted = MAX (meta->max_versions, config->max_versions);

  return wanted > 0 ? wanted : BAWN_KV_VERSIONS_DEFAULT;
}

static gint64
deletion_time (const BawnKvMeta *meta, const BawnKvConfig *config, gint64 now_us)
{
  gint64 of_key = meta->delete_after_us;
  gint64 of_mount = config->delete_after_us;

  if (of_mount < 0)
    return 0;
  if (of_key > 0 && of_mount > 0)
    return now_us + MIN (of_key, of_mount);
  if (of_key > 0 || of_mount > 0)
    return now_us + MAX (of_key, of_mount);

  return 0;
}

static void
drop_versions (BawnTxn *txn, const char *path, BawnKvMeta *meta, gint64 keep)
{
  if (meta->current - meta->oldest < keep)
    return;

  gint64 last_to_drop = meta->current - keep;

  while (meta->versions->len > 0)
    {
      const BawnKvVersion *version = &g_array_index (meta->versions, BawnKvVersion, 0);

      if (version->number > last_to_drop)
        break;

      g_autofree char *key = data_key (path, version->number);

      if (!version->destroyed)
        bawn_txn_delete (txn, key);
      g_array_remove_index (meta->versions, 0);
    }
  meta->oldest = last_to_drop + 1;
}

/**
 * bawn_kv_meta_add:
 * @txn: scoped to the mount
 * @path: a key
 * @meta: its record, which is changed but not stored
 * @config: the mount's settings
 * @data: the new data
 * @now_us: real time
 *
 * Adds a version and puts its data; the oldest ones go when they are too many.
 *
 * Returns: the new version; belongs to @meta
 */
const BawnKvVersion *
bawn_kv_meta_add (BawnTxn *txn,
                  const char *path,
                  BawnKvMeta *meta,
                  const BawnKvConfig *config,
                  GBytes *data,
                  gint64 now_us)
{
  BawnKvVersion version = {
    .number = meta->current + 1,
    .created_us = now_us,
    .deletion_us = deletion_time (meta, config, now_us),
  };
  g_autofree char *key = data_key (path, version.number);

  bawn_txn_put (txn, key, data);
  g_array_append_val (meta->versions, version);
  meta->current = version.number;
  meta->updated_us = now_us;
  drop_versions (txn, path, meta, max_versions (meta, config));

  return bawn_kv_meta_version (meta, version.number);
}

/**
 * bawn_kv_meta_destroy:
 * @txn: scoped to the mount
 * @path: a key
 * @meta: its record, which is changed but not stored
 * @version: one of its versions
 *
 * Deletes a version's data for good.
 */
void
bawn_kv_meta_destroy (BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version)
{
  g_autofree char *key = data_key (path, version->number);

  version->destroyed = TRUE;
  bawn_txn_delete (txn, key);
}
