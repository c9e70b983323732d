/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include <string.h>

#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

/* Bounds of custom_metadata, as the API has them. */
#define CUSTOM_KEYS_MAX 64
#define CUSTOM_KEY_SIZE_MAX 128
#define CUSTOM_VALUE_SIZE_MAX 512

#define CUSTOM_FAILED "custom_metadata validation failed: "

static void
write_versions (BawnJsonWriter *w, const BawnKvMeta *meta)
{
  bawn_json_writer_begin_object (w);
  for (guint i = 0; i < meta->versions->len; i++)
    {
      const BawnKvVersion *version = &g_array_index (meta->versions, BawnKvVersion, i);
      char name[24];

      g_snprintf (name, sizeof name, "%" G_GINT64_FORMAT, version->number);
      bawn_json_writer_name (w, name);
      bawn_json_writer_begin_object (w);
      bawn_kv_add_time (w, "created_time", version->created_us);
      bawn_kv_add_time (w, "deletion_time", version->deletion_us);
      bawn_json_writer_add_bool (w, "destroyed", version->destroyed);
      bawn_json_writer_end_object (w);
    }
  bawn_json_writer_end_object (w);
}

BawnResponse *
bawn_kv2_meta_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvMeta) meta = NULL;

  if (!bawn_kv_check_path (request, path, error) || !bawn_kv_meta_get (txn, path, &meta, error))
    return NULL;
  if (meta == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *after = bawn_duration_format (meta->delete_after_us);

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "cas_required", meta->cas_required);
  bawn_kv_add_time (&w, "created_time", meta->created_us);
  bawn_json_writer_add_int (&w, "current_version", meta->current);
  bawn_json_writer_name (&w, "custom_metadata");
  bawn_string_map_write (&w, meta->custom);
  bawn_json_writer_add_string (&w, "delete_version_after", after);
  bawn_json_writer_add_int (&w, "max_versions", meta->max_versions);
  bawn_json_writer_add_int (&w, "oldest_version", meta->oldest);
  bawn_kv_add_time (&w, "updated_time", meta->updated_us);
  bawn_json_writer_name (&w, "versions");
  write_versions (&w, meta);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

BawnResponse *
bawn_kv2_meta_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  static const char *const places[] = { BAWN_KV_META, NULL };
  static const char *const upgraded[] = { BAWN_KV_META, BAWN_KV_V1, NULL };
  g_autoptr (BawnKvConfig) config = NULL;

  if (!bawn_kv_config_get (txn, &config, error))
    return NULL;

  return bawn_kv_list (request, txn, config->upgraded_us != 0 ? upgraded : places,
                       bawn_request_param (request, "path"), error);
}

static gboolean
is_printable (const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      if (!g_unichar_isprint (g_utf8_get_char (at)))
        return FALSE;
    }

  return TRUE;
}

static gboolean
check_custom (GHashTable *custom, GError **error)
{
  GHashTableIter iter;
  gpointer key = NULL;
  gpointer value = NULL;

  if (g_hash_table_size (custom) > CUSTOM_KEYS_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      CUSTOM_FAILED "payload must contain at most %d keys, provided %u",
                      CUSTOM_KEYS_MAX, g_hash_table_size (custom));

  g_hash_table_iter_init (&iter, custom);
  while (g_hash_table_iter_next (&iter, &key, &value))
    {
      gsize key_size = strlen (key);
      gsize value_size = strlen (value);

      if (key_size < 1 || key_size > CUSTOM_KEY_SIZE_MAX)
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          CUSTOM_FAILED "length of key is %" G_GSIZE_FORMAT
                                        " but must be 0 < len(key) <= %d",
                          key_size, CUSTOM_KEY_SIZE_MAX);
      if (value_size < 1 || value_size > CUSTOM_VALUE_SIZE_MAX)
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          CUSTOM_FAILED "length of value for key \"%s\" is %" G_GSIZE_FORMAT
                                        " but must be 0 < len(value) <= %d",
                          (const char *) key, value_size, CUSTOM_VALUE_SIZE_MAX);
      if (!is_printable (key))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          CUSTOM_FAILED "a key contains unprintable characters");
      if (!is_printable (value))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          CUSTOM_FAILED "value for key \"%s\" contains unprintable characters",
                          (const char *) key);
    }

  return TRUE;
}

/* Everything but custom_metadata, which writing replaces and patching merges. */
static gboolean
read_settings (BawnRequest *request, BawnKvMeta *meta, GError **error)
{
  return bawn_field_int (request, "max_versions", &meta->max_versions, error)
         && bawn_kv_check_max_versions (meta->max_versions, error)
         && bawn_field_bool (request, "cas_required", &meta->cas_required, error)
         && bawn_field_duration (request, "delete_version_after", &meta->delete_after_us, error);
}

static BawnResponse *
settings_response (BawnRequest *request, const BawnKvMeta *meta, const BawnKvConfig *config)
{
  BawnResponse *response = bawn_response_new_empty ();

  if (config->cas_required && bawn_field_present (request, "cas_required") && !meta->cas_required)
    bawn_response_warn (response,
                        "\"cas_required\" set to false, but is mandated by backend config. "
                        "This value will be ignored.");

  return response;
}

BawnResponse *
bawn_kv2_meta_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvConfig) config = NULL;
  g_autoptr (BawnKvMeta) old = NULL;

  if (!bawn_kv_check_write (request, path, error) || !bawn_kv_config_get (txn, &config, error)
      || !bawn_kv_meta_get (txn, path, &old, error))
    return NULL;

  g_autoptr (BawnKvMeta) meta =
      old != NULL ? bawn_kv_meta_copy (old) : bawn_kv_meta_new (request->started_us);

  if (!read_settings (request, meta, error)
      || !bawn_field_map (request, "custom_metadata", &meta->custom, error)
      || (meta->custom != NULL && !check_custom (meta->custom, error)))
    return NULL;
  meta->updated_us = request->started_us;
  if (!bawn_kv_meta_put (txn, path, meta, error))
    return NULL;

  return settings_response (request, meta, config);
}

/* null takes a setting back to its default. */
static void
reset_nulls (BawnRequest *request, BawnKvMeta *meta)
{
  if (bawn_json_is (bawn_field_node (request, "max_versions"), BAWN_JSON_NULL))
    meta->max_versions = 0;
  if (bawn_json_is (bawn_field_node (request, "cas_required"), BAWN_JSON_NULL))
    meta->cas_required = FALSE;
  if (bawn_json_is (bawn_field_node (request, "delete_version_after"), BAWN_JSON_NULL))
    meta->delete_after_us = 0;
  if (bawn_json_is (bawn_field_node (request, "custom_metadata"), BAWN_JSON_NULL))
    g_clear_pointer (&meta->custom, g_hash_table_unref);
}

static gboolean
patch_custom (BawnRequest *request, BawnKvMeta *meta, GError **error)
{
  const BawnJsonNode *patch = NULL;
  g_autoptr (GHashTable) changes = NULL;

  if (!bawn_field_object (request, "custom_metadata", &patch, error))
    return FALSE;
  if (patch == NULL)
    return TRUE;
  if (!bawn_field_map (request, "custom_metadata", &changes, error))
    return FALSE;
  if (meta->custom == NULL)
    meta->custom = bawn_string_map_new ();

  for (const BawnJsonNode *node = patch->children; node != NULL; node = node->next)
    {
      if (node->kind == BAWN_JSON_NULL)
        g_hash_table_remove (meta->custom, node->name);
      else
        g_hash_table_replace (meta->custom, g_strdup (node->name),
                              g_strdup (g_hash_table_lookup (changes, node->name)));
    }

  return check_custom (meta->custom, error);
}

BawnResponse *
bawn_kv2_meta_patch (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvConfig) config = NULL;
  g_autoptr (BawnKvMeta) old = NULL;

  if (!bawn_kv_check_write (request, path, error) || !bawn_kv_config_get (txn, &config, error)
      || !bawn_kv_meta_get (txn, path, &old, error))
    return NULL;
  if (old == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  g_autoptr (BawnKvMeta) meta = bawn_kv_meta_copy (old);

  reset_nulls (request, meta);
  if (!read_settings (request, meta, error) || !patch_custom (request, meta, error))
    return NULL;
  meta->updated_us = request->started_us;
  if (!bawn_kv_meta_put (txn, path, meta, error))
    return NULL;

  return settings_response (request, meta, config);
}

BawnResponse *
bawn_kv2_meta_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvMeta) meta = NULL;

  if (!bawn_kv_check_write (request, path, error) || !bawn_kv_meta_get (txn, path, &meta, error))
    return NULL;
  if (meta != NULL)
    bawn_kv_meta_delete (txn, path, meta);

  return bawn_response_new_empty ();
}
