/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

/* What one endpoint does to one version; whether it changed anything. */
typedef gboolean (*VersionFunc) (
    BawnRequest *request, BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version);

static gboolean
delete_version (
    BawnRequest *request, BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version)
{
  if (version->destroyed || bawn_kv_version_is_deleted (version, request->started_us))
    return FALSE;
  version->deletion_us = request->started_us;

  return TRUE;
}

static gboolean
undelete_version (
    BawnRequest *request, BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version)
{
  if (version->destroyed || version->deletion_us == 0)
    return FALSE;
  version->deletion_us = 0;

  return TRUE;
}

static gboolean
destroy_version (
    BawnRequest *request, BawnTxn *txn, const char *path, BawnKvMeta *meta, BawnKvVersion *version)
{
  if (version->destroyed)
    return FALSE;
  bawn_kv_meta_destroy (txn, path, meta, version);

  return TRUE;
}

static gboolean
parse_numbers (GStrv texts, GArray *numbers, GError **error)
{
  for (guint i = 0; texts[i] != NULL; i++)
    {
      gint64 number = 0;

      if (!g_ascii_string_to_signed (texts[i], 10, G_MININT64, G_MAXINT64, &number, NULL))
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "Field validation failed: error converting input for field \"versions\": "
                          "a version must be a number");
      g_array_append_val (numbers, number);
    }

  return TRUE;
}

static BawnResponse *
change_versions (BawnRequest *request, BawnTxn *txn, VersionFunc func, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_auto (GStrv) texts = NULL;
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (BawnKvMeta) old = NULL;
  gboolean changed = FALSE;

  if (!bawn_kv_check_write (request, path, error)
      || !bawn_field_strv (request, "versions", &texts, error))
    return NULL;
  if (texts == NULL || texts[0] == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "No version number provided");
  if (!parse_numbers (texts, numbers, error) || !bawn_kv_meta_get (txn, path, &old, error))
    return NULL;
  if (old == NULL)
    return bawn_response_new_empty ();

  g_autoptr (BawnKvMeta) meta = bawn_kv_meta_copy (old);

  for (guint i = 0; i < numbers->len; i++)
    {
      gint64 number = g_array_index (numbers, gint64, i);
      BawnKvVersion *version = number > 0 ? bawn_kv_meta_version (meta, number) : NULL;

      if (version != NULL)
        changed |= func (request, txn, path, meta, version);
    }
  if (changed && !bawn_kv_meta_put (txn, path, meta, error))
    return NULL;

  return bawn_response_new_empty ();
}

BawnResponse *
bawn_kv2_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return change_versions (request, txn, delete_version, error);
}

BawnResponse *
bawn_kv2_undelete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return change_versions (request, txn, undelete_version, error);
}

BawnResponse *
bawn_kv2_destroy (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return change_versions (request, txn, destroy_version, error);
}
