/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

static gpointer
headers_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, error);

  if (json == NULL)
    return NULL;

  GHashTable *headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const BawnJsonNode *root = bawn_json_root (json);

  for (const BawnJsonNode *node = root->children; node != NULL; node = node->next)
    {
      gboolean hmac = bawn_json_get_bool (node, "hmac", TRUE);

      g_hash_table_replace (headers, g_strdup (node->name), GINT_TO_POINTER (hmac));
    }

  return headers;
}

static gpointer
headers_ref (gpointer headers)
{
  return g_hash_table_ref (headers);
}

static void
headers_unref (gpointer headers)
{
  g_hash_table_unref (headers);
}

static const BawnObjectKind headers_kind = { "audited headers", headers_parse, headers_ref,
                                             headers_unref };

/**
 * bawn_audit_headers_get:
 * @txn: unscoped
 * @out_headers: (out) (transfer full): lower-case names to whether values are hashed; not to be
 * changed
 * @error: of the storage
 *
 * Returns: whether the storage could say
 */
gboolean
bawn_audit_headers_get (BawnTxn *txn, GHashTable **out_headers, GError **error)
{
  gpointer headers = NULL;

  if (!bawn_txn_get_object (txn, BAWN_AUDIT_HEADERS_KEY, &headers_kind, &headers, error))
    return FALSE;
  *out_headers =
      headers != NULL ? headers : g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  return TRUE;
}
