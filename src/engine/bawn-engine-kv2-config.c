/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include "util/bawn-clock.h"

static gpointer
config_ref (gpointer config)
{
  return g_atomic_rc_box_acquire (config);
}

static void
config_unref (gpointer config)
{
  g_atomic_rc_box_release (config);
}

/**
 * bawn_kv_config_unref:
 * @config: (transfer full): settings
 */
void
bawn_kv_config_unref (BawnKvConfig *config)
{
  config_unref (config);
}

/**
 * bawn_kv_config_copy:
 * @config: settings
 *
 * Returns: (transfer full): a copy, to be changed and stored
 */
BawnKvConfig *
bawn_kv_config_copy (const BawnKvConfig *config)
{
  BawnKvConfig *copy = g_atomic_rc_box_new0 (BawnKvConfig);

  *copy = *config;

  return copy;
}

static gpointer
config_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, error);

  if (json == NULL)
    return NULL;

  const BawnJsonNode *root = bawn_json_root (json);
  BawnKvConfig *config = g_atomic_rc_box_new0 (BawnKvConfig);

  config->max_versions = bawn_json_get_int (root, "max_versions", 0);
  config->cas_required = bawn_json_get_bool (root, "cas_required", FALSE);
  config->delete_after_us = bawn_json_get_int (root, "delete_after", 0);
  config->upgraded_us = bawn_json_get_int (root, "upgraded", 0);

  return config;
}

static const BawnObjectKind config_kind = { "kv settings", config_parse, config_ref, config_unref };

/**
 * bawn_kv_config_get:
 * @txn: scoped to the mount
 * @out_config: (out) (transfer full): the mount's settings, or the defaults
 * @error: of the storage
 *
 * Returns: whether the storage could say
 */
gboolean
bawn_kv_config_get (BawnTxn *txn, BawnKvConfig **out_config, GError **error)
{
  gpointer config = NULL;

  if (!bawn_txn_get_object (txn, BAWN_KV_CONFIG, &config_kind, &config, error))
    return FALSE;
  *out_config = config != NULL ? config : g_atomic_rc_box_new0 (BawnKvConfig);

  return TRUE;
}

/**
 * bawn_kv_config_put:
 * @txn: scoped to the mount
 * @config: the new settings
 */
void
bawn_kv_config_put (BawnTxn *txn, const BawnKvConfig *config)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "max_versions", config->max_versions);
  bawn_json_writer_add_bool (&w, "cas_required", config->cas_required);
  bawn_json_writer_add_int (&w, "delete_after", config->delete_after_us);
  bawn_json_writer_add_int (&w, "upgraded", config->upgraded_us);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, BAWN_KV_CONFIG, value);
}

/**
 * bawn_kv_check_max_versions:
 * @value: what was asked for; 0 is "as elsewhere"
 * @error: INVALID
 *
 * Returns: whether a key may have so many versions
 */
gboolean
bawn_kv_check_max_versions (gint64 value, GError **error)
{
  if (value < 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "max_versions must not be negative");
  if (value > BAWN_KV_VERSIONS_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "max_versions must not be above %d",
                      BAWN_KV_VERSIONS_MAX);

  return TRUE;
}

BawnResponse *
bawn_kv2_config_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnKvConfig) config = NULL;

  if (!bawn_kv_config_get (txn, &config, error))
    return NULL;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autofree char *after = bawn_duration_format (MAX (config->delete_after_us, 0));

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "cas_required", config->cas_required);
  bawn_json_writer_add_string (&w, "delete_version_after", after);
  bawn_json_writer_add_int (&w, "max_versions", config->max_versions);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

BawnResponse *
bawn_kv2_config_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnKvConfig) old = NULL;

  if (!bawn_kv_config_get (txn, &old, error))
    return NULL;

  g_autoptr (BawnKvConfig) config = bawn_kv_config_copy (old);

  if (!bawn_field_int (request, "max_versions", &config->max_versions, error)
      || !bawn_field_bool (request, "cas_required", &config->cas_required, error)
      || !bawn_field_duration_signed (request, "delete_version_after", &config->delete_after_us,
                                      error)
      || !bawn_kv_check_max_versions (config->max_versions, error))
    return NULL;
  bawn_kv_config_put (txn, config);

  return bawn_response_new_empty ();
}
