/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include <string.h>

#include "util/bawn-clock.h"

static char *
key_of (const char *path)
{
  return g_strconcat (BAWN_KV_V1, path, NULL);
}

static gboolean
holds (const char *text, gsize size, const char *word)
{
  return memmem (text, size, word, strlen (word)) != NULL;
}

static gboolean
parse_ttl (const BawnJsonNode *node, gint64 *out_us)
{
  gint64 seconds = 0;

  if (bawn_json_is (node, BAWN_JSON_STRING))
    return bawn_duration_parse (node->string, out_us, NULL);
  if (!bawn_json_is (node, BAWN_JSON_NUMBER) || !bawn_json_node_int (node, &seconds)
      || seconds > G_MAXINT64 / G_USEC_PER_SEC)
    return FALSE;
  *out_us = seconds * G_USEC_PER_SEC;

  return TRUE;
}

/* A secret may say how long readers should keep it, in "ttl" or "lease". Most do not, and are not
 * parsed for it: without these words, and without escapes that could spell them, it can not. */
static gint64
ttl_of (GBytes *value, const BawnMount *mount)
{
  gint64 fallback_us = bawn_mount_default_ttl_us (mount);
  gsize size = 0;
  const char *text = g_bytes_get_data (value, &size);

  if (!holds (text, size, "\"ttl\"") && !holds (text, size, "\"lease\"")
      && !holds (text, size, "\\u"))
    return fallback_us;

  g_autoptr (BawnJson) json = bawn_json_parse (value, NULL, NULL);
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;
  gint64 ttl_us = 0;

  if (parse_ttl (bawn_json_get (root, "ttl"), &ttl_us)
      || parse_ttl (bawn_json_get (root, "lease"), &ttl_us))
    return MAX (ttl_us, 0);

  return fallback_us;
}

static BawnResponse *
kv1_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autofree char *key = key_of (path);
  g_autoptr (GBytes) value = NULL;

  if (!bawn_kv_check_path (request, path, error) || !bawn_txn_get (txn, key, &value, error))
    return NULL;
  if (value == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  BawnResponse *response = bawn_response_new_data (g_bytes_ref (value));

  response->lease_ttl_us = ttl_of (value, request->mount);

  return response;
}

static BawnResponse *
kv1_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  const BawnJsonNode *all = bawn_field_all (request);

  if (!bawn_kv_check_write (request, path, error))
    return NULL;
  if (!bawn_json_is (all, BAWN_JSON_OBJECT) || all->n_children == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing data fields");

  g_autofree char *key = key_of (path);
  g_autoptr (GBytes) value = bawn_json_node_bytes (request->data, all);

  bawn_txn_put (txn, key, value);

  return bawn_response_new_empty ();
}

static BawnResponse *
kv1_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autofree char *key = key_of (path);

  if (!bawn_kv_check_write (request, path, error))
    return NULL;
  bawn_txn_delete (txn, key);

  return bawn_response_new_empty ();
}

static BawnResponse *
kv1_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  static const char *const places[] = { BAWN_KV_V1, NULL };

  return bawn_kv_list (request, txn, places, bawn_request_param (request, "path"), error);
}

gboolean
bawn_kv1_exists (BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error)
{
  g_autofree char *key = key_of (request->rest);
  g_autoptr (GBytes) value = NULL;

  if (!bawn_kv_path_is_valid (request, request->rest))
    {
      *out_exists = FALSE;
      return TRUE;
    }
  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;
  *out_exists = value != NULL;

  return TRUE;
}

const BawnRoute bawn_kv1_routes[] = {
  { "{path...}", BAWN_OP_LIST, kv1_list, BAWN_ROUTE_NONE, "Lists the names below a folder." },
  { "{path...}", BAWN_OP_READ, kv1_read, BAWN_ROUTE_ANY_FIELD, "Reads a secret." },
  { "{path...}", BAWN_OP_WRITE, kv1_write, BAWN_ROUTE_ANY_FIELD, "Stores a secret." },
  { "{path...}", BAWN_OP_DELETE, kv1_delete, BAWN_ROUTE_ANY_FIELD, "Deletes a secret." },
  { NULL },
};
