/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-store-private.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <string.h>

/**
 * bawn_token_store_new:
 * @key: the key of this store, 32 bytes or more; not kept: only keys derived from it are
 * @clock: (nullable): where the time comes from; the system's if %NULL
 *
 * Returns: (transfer full): a store
 */
BawnTokenStore *
bawn_token_store_new (BawnSecret *key, BawnClock *clock)
{
  BawnTokenStore *store = g_new0 (BawnTokenStore, 1);

  g_atomic_ref_count_init (&store->refs);
  store->clock = clock != NULL ? bawn_clock_ref (clock) : NULL;
  store->id_key = bawn_hkdf (key, "bawn token id", BAWN_KEY_SIZE);
  store->accessor_key = bawn_hkdf (key, "bawn token accessor", BAWN_KEY_SIZE);
  store->batch_key = bawn_hkdf (key, "bawn token batch", BAWN_KEY_SIZE);

  return store;
}

/**
 * bawn_token_store_ref:
 * @store: a store
 *
 * Returns: (transfer full): @store
 */
BawnTokenStore *
bawn_token_store_ref (BawnTokenStore *store)
{
  g_atomic_ref_count_inc (&store->refs);
  return store;
}

/**
 * bawn_token_store_unref:
 * @store: (transfer full): a store
 */
void
bawn_token_store_unref (BawnTokenStore *store)
{
  if (!g_atomic_ref_count_dec (&store->refs))
    return;

  g_clear_pointer (&store->clock, bawn_clock_unref);
  bawn_secret_unref (store->id_key);
  bawn_secret_unref (store->accessor_key);
  bawn_secret_unref (store->batch_key);
  g_free (store);
}

static char *
keyed_hash (const BawnSecret *key, const char *text)
{
  guint8 mac[BAWN_SHA256_SIZE];

  bawn_hmac_sha256 (key, text, strlen (text), mac);
  return bawn_hex_encode (mac, sizeof mac);
}

/**
 * bawn_token_store_hash:
 * @store: a store
 * @id: a client token
 *
 * Returns: (transfer full): the name under which such a token is stored, if it is: 64 hex digits
 */
char *
bawn_token_store_hash (BawnTokenStore *store, const char *id)
{
  return keyed_hash (store->id_key, id);
}

char *
bawn_token_store_hash_accessor (BawnTokenStore *store, const char *accessor)
{
  return keyed_hash (store->accessor_key, accessor);
}

gboolean
bawn_token_store_get_record (BawnTxn *txn,
                             const char *hash,
                             BawnTokenRecord **out_record,
                             GError **error)
{
  char key[sizeof BAWN_TOKEN_ID_PREFIX + BAWN_TOKEN_HASH_SIZE];
  gpointer object = NULL;

  *out_record = NULL;
  if (strlen (hash) != BAWN_TOKEN_HASH_SIZE)
    return TRUE;

  memcpy (key, BAWN_TOKEN_ID_PREFIX, strlen (BAWN_TOKEN_ID_PREFIX));
  memcpy (key + strlen (BAWN_TOKEN_ID_PREFIX), hash, BAWN_TOKEN_HASH_SIZE + 1);
  if (!bawn_txn_get_object (txn, key, &bawn_token_record_kind, &object, error))
    return FALSE;

  *out_record = object;
  return TRUE;
}

static gboolean
has_ended (const BawnToken *token, gint64 now_us)
{
  return token->expire_us != 0 && token->expire_us <= now_us;
}

gboolean
bawn_token_store_check_line (BawnTxn *txn,
                             const char *parent,
                             gint64 now_us,
                             gboolean *out_alive,
                             guint *out_depth,
                             GError **error)
{
  g_autoptr (BawnTokenRecord) current = NULL;
  const char *next = parent;
  guint depth = 0;

  *out_alive = FALSE;
  *out_depth = 0;
  while (next != NULL)
    {
      g_autoptr (BawnTokenRecord) record = NULL;

      if (depth == BAWN_TOKEN_MAX_DEPTH)
        return TRUE;
      if (!bawn_token_store_get_record (txn, next, &record, error))
        return FALSE;
      if (record == NULL)
        return TRUE;
      /* Its children were set free. */
      if (record->token == NULL)
        break;
      if (has_ended (record->token, now_us))
        return TRUE;

      depth++;
      g_clear_pointer (&current, bawn_token_record_unref);
      current = g_steal_pointer (&record);
      next = current->token->parent;
    }

  *out_alive = TRUE;
  *out_depth = depth;
  return TRUE;
}

/* A child whose parent left a stub is an orphan already, though its record does not say so yet. */
static gboolean
set_free (BawnTxn *txn, BawnToken **inout_token, GError **error)
{
  g_autoptr (BawnTokenRecord) parent = NULL;

  if ((*inout_token)->parent == NULL)
    return TRUE;
  if (!bawn_token_store_get_record (txn, (*inout_token)->parent, &parent, error))
    return FALSE;
  if (parent == NULL || parent->token != NULL)
    return TRUE;

  BawnToken *orphan = bawn_token_copy (*inout_token);

  g_clear_pointer (&orphan->parent, g_free);
  bawn_token_unref (*inout_token);
  *inout_token = orphan;
  return TRUE;
}

/* Takes @token; gives it back if it is good. */
static gboolean
check_token (
    BawnTokenStore *store, BawnTxn *txn, BawnToken *token, BawnToken **out_token, GError **error)
{
  g_autoptr (BawnToken) mine = token;
  gint64 now_us = bawn_clock_real_us (store->clock);
  gboolean alive = FALSE;
  guint depth = 0;

  *out_token = NULL;
  if (has_ended (mine, now_us) || mine->num_uses == BAWN_TOKEN_SPENT)
    return TRUE;
  if (!bawn_token_store_check_line (txn, mine->parent, now_us, &alive, &depth, error))
    return FALSE;
  if (!alive)
    return TRUE;
  if (!set_free (txn, &mine, error))
    return FALSE;

  *out_token = g_steal_pointer (&mine);
  return TRUE;
}

/**
 * bawn_token_store_lookup_hash:
 * @store: a store
 * @txn: an unscoped transaction
 * @hash: what bawn_token_store_hash() gives; any other text is absent
 * @out_token: (out) (nullable): the token, shared; %NULL if it is absent, has ended, is spent, or
 * has an ancestor that is gone
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_lookup_hash (
    BawnTokenStore *store, BawnTxn *txn, const char *hash, BawnToken **out_token, GError **error)
{
  g_autoptr (BawnTokenRecord) record = NULL;

  *out_token = NULL;
  if (!bawn_token_store_get_record (txn, hash, &record, error))
    return FALSE;
  if (record == NULL || record->token == NULL)
    return TRUE;

  return check_token (store, txn, bawn_token_ref (record->token), out_token, error);
}

/**
 * bawn_token_store_lookup:
 * @store: a store
 * @txn: an unscoped transaction
 * @id: what a caller claims to be a token
 * @out_token: (out) (nullable): as of bawn_token_store_lookup_hash()
 * @error: why it could not be read
 *
 * @id is only ever hashed under a key or opened as a sealed box, so that the time this takes tells
 * nothing about tokens that exist.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_lookup (
    BawnTokenStore *store, BawnTxn *txn, const char *id, BawnToken **out_token, GError **error)
{
  g_autofree char *hash = bawn_token_store_hash (store, id);

  if (!g_str_has_prefix (id, BAWN_TOKEN_PREFIX_BATCH))
    return bawn_token_store_lookup_hash (store, txn, hash, out_token, error);

  BawnToken *token = bawn_token_batch_open (store->batch_key, id);

  *out_token = NULL;
  if (token == NULL)
    return TRUE;

  token->hash = g_steal_pointer (&hash);
  return check_token (store, txn, token, out_token, error);
}

static gboolean
read_accessor (BawnTxn *txn, const char *key, char **out_accessor, char **out_hash, GError **error)
{
  g_autoptr (GBytes) value = NULL;

  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;

  g_autoptr (BawnJson) json = value != NULL ? bawn_json_parse (value, NULL, NULL) : NULL;
  const BawnJsonNode *root = json != NULL ? bawn_json_root (json) : NULL;

  if (value != NULL && bawn_json_get_string (root, "hash", NULL) == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s: not an accessor", key);

  *out_accessor = g_strdup (bawn_json_get_string (root, "accessor", NULL));
  *out_hash = g_strdup (bawn_json_get_string (root, "hash", NULL));
  return TRUE;
}

/**
 * bawn_token_store_lookup_accessor:
 * @store: a store
 * @txn: an unscoped transaction
 * @accessor: any text
 * @out_token: (out) (nullable): as of bawn_token_store_lookup_hash()
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_lookup_accessor (BawnTokenStore *store,
                                  BawnTxn *txn,
                                  const char *accessor,
                                  BawnToken **out_token,
                                  GError **error)
{
  g_autofree char *name = bawn_token_store_hash_accessor (store, accessor);
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ACCESSOR_PREFIX, name, NULL);
  g_autofree char *same = NULL;
  g_autofree char *hash = NULL;

  *out_token = NULL;
  if (!read_accessor (txn, key, &same, &hash, error))
    return FALSE;
  if (hash == NULL)
    return TRUE;

  return bawn_token_store_lookup_hash (store, txn, hash, out_token, error);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * bawn_token_store_list_accessors:
 * @store: a store
 * @txn: an unscoped transaction
 * @out_accessors: (out): those of all stored tokens, sorted
 * @error: why they could not be read
 *
 * Reads an entry per token.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_list_accessors (BawnTokenStore *store,
                                 BawnTxn *txn,
                                 GStrv *out_accessors,
                                 GError **error)
{
  g_autoptr (GPtrArray) accessors = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *after = NULL;
  guint n = 0;

  do
    {
      g_auto (GStrv) names = NULL;

      if (!bawn_txn_list (txn, BAWN_TOKEN_ACCESSOR_PREFIX, after, BAWN_BACKEND_MAX_LIST, &names,
                          error))
        return FALSE;

      n = g_strv_length (names);
      for (guint i = 0; i < n; i++)
        {
          g_autofree char *key = g_strconcat (BAWN_TOKEN_ACCESSOR_PREFIX, names[i], NULL);
          g_autofree char *accessor = NULL;
          g_autofree char *hash = NULL;

          if (!read_accessor (txn, key, &accessor, &hash, error))
            return FALSE;
          if (accessor != NULL)
            g_ptr_array_add (accessors, g_steal_pointer (&accessor));
        }
      g_free (after);
      after = n > 0 ? g_strdup (names[n - 1]) : NULL;
    }
  while (n == BAWN_BACKEND_MAX_LIST);

  g_ptr_array_sort (accessors, compare_strings);
  g_ptr_array_add (accessors, NULL);
  *out_accessors = (GStrv) g_ptr_array_steal (accessors, NULL);
  return TRUE;
}

/**
 * bawn_token_store_use:
 * @store: a store
 * @txn: an unscoped transaction
 * @token: a token of a look-up in @txn
 * @out_last: (out): whether this was the last use: it is now marked as spent, and no look-up finds
 * it again
 * @error: DENIED if it is gone or spent by now
 *
 * Counts what is stored, not what @token says.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_use (
    BawnTokenStore *store, BawnTxn *txn, BawnToken *token, gboolean *out_last, GError **error)
{
  g_autoptr (BawnTokenRecord) record = NULL;

  *out_last = FALSE;
  if (token->num_uses == 0)
    return TRUE;
  if (!bawn_token_store_get_record (txn, token->hash, &record, error))
    return FALSE;
  if (record == NULL || record->token == NULL || record->token->num_uses < 0)
    return bawn_fail (error, BAWN_ERROR_DENIED, "permission denied");
  if (record->token->num_uses == 0)
    return TRUE;

  g_autoptr (BawnToken) used = bawn_token_copy (record->token);
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ID_PREFIX, used->hash, NULL);

  *out_last = used->num_uses == 1;
  used->num_uses = *out_last ? BAWN_TOKEN_SPENT : used->num_uses - 1;

  g_autoptr (GBytes) value = bawn_token_record_write (used);

  bawn_txn_put (txn, key, value);
  return TRUE;
}
