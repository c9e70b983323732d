/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-store-private.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <string.h>

#define RANDOM_CHARS 24 /* 142 bits */

/* For a token whose path is too long to be in a key beside the hash. */
#define LEASE_PATH_FALLBACK "auth/token/create"

char *
bawn_token_store_lease_id (const BawnToken *token)
{
  const char *path =
      token->path != NULL && *token->path != '\0' ? token->path : LEASE_PATH_FALLBACK;
  gsize size = strlen (path);

  while (size > 0 && path[size - 1] == '/')
    size--;

  g_autofree char *id = g_strdup_printf ("%.*s/%s", (int) size, path, token->hash);
  g_autofree char *key = g_strconcat (BAWN_LEASE_ID_PREFIX, id, NULL);

  if (bawn_backend_key_is_valid (key))
    return g_steal_pointer (&id);

  return g_strconcat (LEASE_PATH_FALLBACK, "/", token->hash, NULL);
}

static BawnLease *
make_lease (const BawnToken *token)
{
  BawnLease *lease = bawn_lease_new ();

  lease->id = bawn_token_store_lease_id (token);
  lease->token = g_strdup (token->hash);
  if (token->internal != NULL)
    lease->mount = g_strdup (g_hash_table_lookup (token->internal, BAWN_TOKEN_MOUNT));
  lease->is_auth = TRUE;
  lease->renewable = token->renewable;
  lease->issue_us = token->creation_us;
  lease->expire_us = token->expire_us;
  lease->last_renewal_us = token->last_renewal_us;
  lease->ttl_us = token->ttl_us;
  lease->max_ttl_us = token->max_ttl_us;

  return lease;
}

/* The id is as new as the token: what went by a chosen id before is gone. */
static gboolean
put_new_lease (BawnTxn *txn, const BawnToken *token, GError **error)
{
  g_autoptr (BawnLease) lease = make_lease (token);

  return token->expire_us == 0 || bawn_lease_put_new (txn, lease, error);
}

static gboolean
put_lease (BawnTxn *txn, const BawnToken *token, GError **error)
{
  g_autoptr (BawnLease) lease = make_lease (token);

  if (token->expire_us == 0)
    return bawn_lease_delete (txn, lease->id, error);

  return bawn_lease_put (txn, lease, error);
}

static void
put_record (BawnTxn *txn, const BawnToken *token)
{
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ID_PREFIX, token->hash, NULL);
  g_autoptr (GBytes) value = bawn_token_record_write (token);

  bawn_txn_put (txn, key, value);
}

static void
put_accessor (BawnTokenStore *store, BawnTxn *txn, const BawnToken *token)
{
  g_autofree char *name = bawn_token_store_hash_accessor (store, token->accessor);
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ACCESSOR_PREFIX, name, NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "accessor", token->accessor);
  bawn_json_writer_add_string (&w, "hash", token->hash);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, key, value);
}

static void
put_child (BawnTxn *txn, const BawnToken *token)
{
  if (token->parent == NULL)
    return;

  g_autofree char *key =
      g_strconcat (BAWN_TOKEN_PARENT_PREFIX, token->parent, "/", token->hash, NULL);
  g_autoptr (GBytes) nothing = bawn_bytes_new ("", 0);

  bawn_txn_put (txn, key, nothing);
}

static gboolean
check_parent (BawnTokenStore *store, BawnTxn *txn, const BawnToken *token, GError **error)
{
  gboolean alive = FALSE;
  guint depth = 0;

  if (token->parent == NULL)
    return TRUE;
  if (!bawn_token_store_check_line (txn, token->parent, bawn_clock_real_us (store->clock), &alive,
                                    &depth, error))
    return FALSE;
  if (!alive)
    return bawn_fail (error, BAWN_ERROR_INVALID, "parent token lookup failed: no parent found");
  if (depth >= BAWN_TOKEN_MAX_DEPTH)
    return bawn_fail (error, BAWN_ERROR_INVALID, "tokens cannot be nested deeper than %d",
                      BAWN_TOKEN_MAX_DEPTH);

  return TRUE;
}

/* A chosen id may have been used before. What the former token leaves behind must be gone, or the
 * new one would inherit its children and leases. */
static gboolean
claim_id (BawnTokenStore *store, BawnTxn *txn, const char *hash, GError **error)
{
  g_autoptr (BawnTokenRecord) record = NULL;
  gboolean done = FALSE;

  if (!bawn_token_store_get_record (txn, hash, &record, error))
    return FALSE;

  gboolean ended = record != NULL && record->token != NULL && record->token->expire_us != 0
                   && record->token->expire_us <= bawn_clock_real_us (store->clock);

  if (ended && !bawn_token_store_revoke (store, txn, hash, error))
    return FALSE;
  if (record == NULL || ended || record->token == NULL)
    {
      if (!bawn_token_store_sweep_one (store, txn, hash, &done, error))
        return FALSE;
    }
  if (!done)
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot create a token with a duplicate ID");

  return TRUE;
}

static void
start_life (BawnTokenStore *store, BawnToken *token, const char *lease_path)
{
  token->creation_us = bawn_clock_real_us (store->clock);
  token->creation_ttl_us = token->ttl_us;
  token->expire_us = token->ttl_us > 0 ? token->creation_us + token->ttl_us : 0;
  if (token->path == NULL)
    token->path = g_strdup (lease_path);
}

static gboolean
create_batch (BawnTokenStore *store, BawnToken *token, char **out_id, GError **error)
{
  if (token->expire_us == 0 || token->num_uses != 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL,
                      "a batch token must have an end and no limit of uses");

  g_clear_pointer (&token->accessor, g_free);
  g_clear_pointer (&token->cubbyhole, g_free);
  token->renewable = FALSE;

  char *id = bawn_token_batch_seal (store->batch_key, token);

  g_free (token->hash);
  token->hash = bawn_token_store_hash (store, id);
  *out_id = id;
  return TRUE;
}

/**
 * bawn_token_store_create:
 * @store: a store
 * @txn: an unscoped transaction
 * @token: what the token is to be, not shared yet; hash, accessor, cubbyhole, times and (if %NULL)
 * path are filled in
 * @want_id: (nullable): a chosen client token
 * @lease_path: what the token's path, and so its lease's id, is if @token does not say
 * @out_id: (out): the client token; bawn_string_wipe_free()
 * @error: INVALID for an id in use, or a parent that is gone or too deep down
 *
 * Five writes at most: record, accessor, child of its parent, lease, due time. A token with @ttl_us
 * 0 does not end.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_create (BawnTokenStore *store,
                         BawnTxn *txn,
                         BawnToken *token,
                         const char *want_id,
                         const char *lease_path,
                         char **out_id,
                         GError **error)
{
  if (!check_parent (store, txn, token, error))
    return FALSE;

  start_life (store, token, lease_path);
  if (token->type == BAWN_TOKEN_BATCH)
    return create_batch (store, token, out_id, error);

  g_autoptr (BawnWipedString) random = bawn_random_base62 (RANDOM_CHARS);
  g_autoptr (BawnWipedString) id =
      want_id != NULL ? g_strdup (want_id) : g_strconcat (BAWN_TOKEN_PREFIX_SERVICE, random, NULL);

  g_free (token->hash);
  token->hash = bawn_token_store_hash (store, id);
  if (want_id != NULL && !claim_id (store, txn, token->hash, error))
    return FALSE;

  g_free (token->accessor);
  token->accessor = bawn_random_base62 (RANDOM_CHARS);
  g_free (token->cubbyhole);
  token->cubbyhole = bawn_random_uuid ();
  if (!put_new_lease (txn, token, error))
    return FALSE;

  put_record (txn, token);
  put_accessor (store, txn, token);
  put_child (txn, token);
  *out_id = g_steal_pointer (&id);
  return TRUE;
}

/**
 * bawn_token_store_update:
 * @store: a store
 * @txn: an unscoped transaction
 * @token: a changed copy of a token of a look-up in @txn
 * @error: NOT_FOUND if it is gone
 *
 * Renewal: stores the token's new times with its lease. What others may have changed meanwhile in
 * this very transaction (uses left, the parent) is taken from what is stored, and what never
 * changes (accessor, cubbyhole) too.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_update (BawnTokenStore *store, BawnTxn *txn, BawnToken *token, GError **error)
{
  g_autoptr (BawnTokenRecord) record = NULL;

  if (!bawn_token_store_get_record (txn, token->hash, &record, error))
    return FALSE;
  if (record == NULL || record->token == NULL)
    return bawn_fail (error, BAWN_ERROR_NOT_FOUND, "token not found");

  const BawnToken *stored = record->token;
  g_autoptr (BawnToken) merged = bawn_token_copy (token);

  merged->num_uses = stored->num_uses;
  g_free (merged->parent);
  merged->parent = g_strdup (stored->parent);
  g_free (merged->path);
  merged->path = g_strdup (stored->path);
  g_free (merged->accessor);
  merged->accessor = g_strdup (stored->accessor);
  g_free (merged->cubbyhole);
  merged->cubbyhole = g_strdup (stored->cubbyhole);
  if (!put_lease (txn, merged, error))
    return FALSE;

  put_record (txn, merged);
  return TRUE;
}
