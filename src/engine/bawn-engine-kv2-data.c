/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include "engine/bawn-kv-json.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-clock.h"

#define STATUS_NOT_FOUND 404

/**
 * bawn_kv_add_time:
 * @w: a writer within an object
 * @name: a member's name
 * @us: a time; 0 for none
 *
 * Writes a time as version 2 shows it: "" for none.
 */
void
bawn_kv_add_time (BawnJsonWriter *w, const char *name, gint64 us)
{
  if (us == 0)
    {
      bawn_json_writer_add_string (w, name, "");
      return;
    }

  g_autofree char *text = bawn_time_format (us);

  bawn_json_writer_add_string (w, name, text);
}

/**
 * bawn_kv_add_version:
 * @w: a writer within an object
 * @meta: a key's record
 * @version: one of its versions
 *
 * Writes the members that answers about one version have.
 */
void
bawn_kv_add_version (BawnJsonWriter *w, const BawnKvMeta *meta, const BawnKvVersion *version)
{
  bawn_kv_add_time (w, "created_time", version->created_us);
  bawn_json_writer_name (w, "custom_metadata");
  bawn_string_map_write (w, meta->custom);
  bawn_kv_add_time (w, "deletion_time", version->deletion_us);
  bawn_json_writer_add_bool (w, "destroyed", version->destroyed);
  bawn_json_writer_add_int (w, "version", version->number);
}

static BawnResponse *
version_response (const BawnKvMeta *meta, const BawnKvVersion *version)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_kv_add_version (&w, meta, version);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* What a version holds, under @name, beside what is known of it. Without a value the version is
 * gone: such an answer is a 404 that has a body. */
static BawnResponse *
content_response (const char *name,
                  GBytes *content,
                  const BawnKvMeta *meta,
                  const BawnKvVersion *version)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  gsize size = 0;
  const char *text = content != NULL ? g_bytes_get_data (content, &size) : NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, name);
  if (text != NULL)
    bawn_json_writer_raw (&w, text, size);
  else
    bawn_json_writer_null (&w);
  bawn_json_writer_name (&w, "metadata");
  bawn_json_writer_begin_object (&w);
  bawn_kv_add_version (&w, meta, version);
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);

  if (text == NULL)
    response->status = STATUS_NOT_FOUND;

  return response;
}

static gboolean
is_gone (const BawnKvVersion *version, BawnRequest *request)
{
  return version->destroyed || bawn_kv_version_is_deleted (version, request->started_us);
}

/* The version that the request names: NOT_FOUND if there is none. */
static gboolean
find_version (BawnRequest *request,
              BawnTxn *txn,
              const char *path,
              BawnKvMeta **out_meta,
              BawnKvVersion **out_version,
              GError **error)
{
  g_autoptr (BawnKvMeta) meta = NULL;
  gint64 number = 0;

  if (!bawn_kv_check_path (request, path, error)
      || !bawn_field_int (request, "version", &number, error)
      || !bawn_kv_meta_get (txn, path, &meta, error))
    return FALSE;

  BawnKvVersion *version = meta != NULL ? bawn_kv_meta_version (meta, number) : NULL;

  if (version == NULL)
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "%s", "");
  *out_version = version;
  *out_meta = g_steal_pointer (&meta);

  return TRUE;
}

BawnResponse *
bawn_kv2_data_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvMeta) meta = NULL;
  g_autoptr (GBytes) data = NULL;
  BawnKvVersion *version = NULL;

  if (!find_version (request, txn, path, &meta, &version, error))
    return NULL;
  if (!is_gone (version, request)
      && !bawn_kv_data_get (txn, path, meta, version->number, &data, error))
    return NULL;

  return content_response ("data", data, meta, version);
}

BawnResponse *
bawn_kv2_subkeys (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvMeta) meta = NULL;
  g_autoptr (GBytes) data = NULL;
  BawnKvVersion *version = NULL;
  gint64 depth = 0;

  if (!bawn_field_int (request, "depth", &depth, error)
      || !find_version (request, txn, path, &meta, &version, error))
    return NULL;
  if (is_gone (version, request))
    return content_response ("subkeys", NULL, meta, version);
  if (!bawn_kv_data_get (txn, path, meta, version->number, &data, error))
    return NULL;

  g_autoptr (BawnJson) json = bawn_json_parse (data, NULL, error);

  if (json == NULL)
    return NULL;

  g_autoptr (GBytes) subkeys =
      bawn_kv_subkeys (bawn_json_root (json), (guint) CLAMP (depth, 0, BAWN_JSON_MAX_DEPTH));

  return content_response ("subkeys", subkeys, meta, version);
}

/* "options": {"cas": N}. As in the API, a cas of null is one of 0. */
static gboolean
read_cas (BawnRequest *request, gboolean *out_given, gint64 *out_cas, GError **error)
{
  const BawnJsonNode *options = NULL;

  if (!bawn_field_object (request, "options", &options, error))
    return FALSE;

  const BawnJsonNode *cas = bawn_json_get (options, "cas");
  gint64 value = 0;

  if (cas != NULL && cas->kind != BAWN_JSON_NULL && !bawn_json_node_int (cas, &value)
      && (cas->kind != BAWN_JSON_STRING
          || !g_ascii_string_to_signed (cas->string, 10, G_MININT64, G_MAXINT64, &value, NULL)))
    return bawn_fail (error, BAWN_ERROR_INVALID, "error parsing check-and-set parameter");
  *out_given = cas != NULL;
  *out_cas = value;

  return TRUE;
}

static gboolean
check_cas (BawnRequest *request, const BawnKvMeta *meta, const BawnKvConfig *config, GError **error)
{
  gboolean given = FALSE;
  gint64 cas = 0;
  gint64 current = meta != NULL ? meta->current : 0;
  gboolean required = config->cas_required || (meta != NULL && meta->cas_required);

  if (!read_cas (request, &given, &cas, error))
    return FALSE;
  if (required && !given)
    return bawn_fail (error, BAWN_ERROR_INVALID, "check-and-set parameter required for this call");
  if (given && cas != current)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "check-and-set parameter did not match the current version");

  return TRUE;
}

static BawnResponse *
add_version (BawnRequest *request,
             BawnTxn *txn,
             const char *path,
             const BawnKvMeta *old,
             const BawnKvConfig *config,
             GBytes *data,
             GError **error)
{
  g_autoptr (BawnKvMeta) meta =
      old != NULL ? bawn_kv_meta_copy (old) : bawn_kv_meta_new (request->started_us);
  const BawnKvVersion *version =
      bawn_kv_meta_add (txn, path, meta, config, data, request->started_us);

  if (!bawn_kv_meta_put (txn, path, meta, error))
    return NULL;

  return version_response (meta, version);
}

/* The "data" of a write: an object, or null. */
static const BawnJsonNode *
read_data (BawnRequest *request, GError **error)
{
  const BawnJsonNode *node = bawn_field_node (request, "data");
  const BawnJsonNode *object = NULL;

  if (node == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "no data provided");
  if (!bawn_field_object (request, "data", &object, error))
    return NULL;

  return node;
}

BawnResponse *
bawn_kv2_data_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvConfig) config = NULL;
  g_autoptr (BawnKvMeta) old = NULL;

  if (!bawn_kv_check_write (request, path, error))
    return NULL;

  const BawnJsonNode *node = read_data (request, error);

  if (node == NULL || !bawn_kv_config_get (txn, &config, error)
      || !bawn_kv_meta_get (txn, path, &old, error) || !check_cas (request, old, config, error))
    return NULL;

  g_autoptr (GBytes) data = bawn_json_node_bytes (request->data, node);

  return add_version (request, txn, path, old, config, data, error);
}

BawnResponse *
bawn_kv2_data_patch (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvConfig) config = NULL;
  g_autoptr (BawnKvMeta) old = NULL;
  g_autoptr (GBytes) data = NULL;

  if (!bawn_kv_check_write (request, path, error))
    return NULL;

  const BawnJsonNode *patch = read_data (request, error);

  if (patch == NULL)
    return NULL;
  if (patch->kind != BAWN_JSON_OBJECT)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "no data provided");
  if (!bawn_kv_config_get (txn, &config, error) || !bawn_kv_meta_get (txn, path, &old, error))
    return NULL;

  const BawnKvVersion *current = old != NULL ? bawn_kv_meta_version (old, 0) : NULL;

  if (current == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");
  if (!check_cas (request, old, config, error))
    return NULL;
  if (is_gone (current, request))
    return content_response ("data", NULL, old, current);
  if (!bawn_kv_data_get (txn, path, old, current->number, &data, error))
    return NULL;

  g_autoptr (BawnJson) json = bawn_json_parse (data, NULL, error);

  if (json == NULL)
    return NULL;

  g_autoptr (GBytes) merged = bawn_kv_merge_patch (bawn_json_root (json), patch);

  return add_version (request, txn, path, old, config, merged, error);
}

BawnResponse *
bawn_kv2_data_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnKvMeta) old = NULL;

  if (!bawn_kv_check_write (request, path, error) || !bawn_kv_meta_get (txn, path, &old, error))
    return NULL;

  const BawnKvVersion *current = old != NULL ? bawn_kv_meta_version (old, 0) : NULL;

  if (current == NULL || is_gone (current, request))
    return bawn_response_new_empty ();

  g_autoptr (BawnKvMeta) meta = bawn_kv_meta_copy (old);

  bawn_kv_meta_version (meta, 0)->deletion_us = request->started_us;
  if (!bawn_kv_meta_put (txn, path, meta, error))
    return NULL;

  return bawn_response_new_empty ();
}
