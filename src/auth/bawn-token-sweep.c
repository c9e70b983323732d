/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-store-private.h"
#include "util/bawn-error.h"
#include "util/bawn-json.h"

#include <string.h>

/* Writes that each kind of thing takes, at most. */
#define WRITES_CHILD 6 /* record, accessor, lease, due time, child of its parent, sweep entry */
#define WRITES_LEASE 4 /* record, old and new due time, lease of its token */
#define WRITES_LAST 2  /* the stub and the sweep entry itself */

static void
put_sweep (BawnTxn *txn, const BawnToken *token)
{
  g_autofree char *key = g_strconcat (BAWN_TOKEN_SWEEP_PREFIX, token->hash, NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  if (token->cubbyhole != NULL)
    bawn_json_writer_add_string (&w, "cubbyhole", token->cubbyhole);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, key, value);
}

static void
delete_child_entry (BawnTxn *txn, const char *parent, const char *child)
{
  g_autofree char *key = g_strconcat (BAWN_TOKEN_PARENT_PREFIX, parent, "/", child, NULL);

  bawn_txn_delete (txn, key);
}

/* All that makes it a token goes at once; what hangs below it is left to sweeping. */
static gboolean
remove_token (BawnTokenStore *store,
              BawnTxn *txn,
              const BawnToken *token,
              gboolean leave_stub,
              GError **error)
{
  g_autofree char *id_key = g_strconcat (BAWN_TOKEN_ID_PREFIX, token->hash, NULL);
  g_autofree char *lease_id = bawn_token_store_lease_id (token);

  if (!bawn_lease_delete (txn, lease_id, error))
    return FALSE;
  if (leave_stub)
    {
      g_autoptr (GBytes) stub = bawn_token_record_write_stub ();
      bawn_txn_put (txn, id_key, stub);
    }
  else
    bawn_txn_delete (txn, id_key);
  if (token->accessor != NULL)
    {
      g_autofree char *name = bawn_token_store_hash_accessor (store, token->accessor);
      g_autofree char *key = g_strconcat (BAWN_TOKEN_ACCESSOR_PREFIX, name, NULL);
      bawn_txn_delete (txn, key);
    }
  if (token->parent != NULL)
    delete_child_entry (txn, token->parent, token->hash);

  put_sweep (txn, token);
  return TRUE;
}

static gboolean
revoke_token (
    BawnTokenStore *store, BawnTxn *txn, const char *hash, gboolean leave_stub, GError **error)
{
  g_autoptr (BawnTokenRecord) record = NULL;

  if (!bawn_token_store_get_record (txn, hash, &record, error))
    return FALSE;
  if (record == NULL || record->token == NULL)
    return TRUE;

  return remove_token (store, txn, record->token, leave_stub, error);
}

/**
 * bawn_token_store_revoke:
 * @store: a store
 * @txn: an unscoped transaction
 * @hash: names the token; one that is not stored is no error
 * @error: why it could not be read
 *
 * Ends a token, spent and expired ones too, and in the same commit all below it. Its own lease goes
 * with it.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_revoke (BawnTokenStore *store, BawnTxn *txn, const char *hash, GError **error)
{
  return revoke_token (store, txn, hash, FALSE, error);
}

/**
 * bawn_token_store_revoke_orphan:
 * @store: a store
 * @txn: an unscoped transaction
 * @hash: names the token; one that is not stored is no error
 * @error: why it could not be read
 *
 * Ends a token; its children live on without a parent, which the stub in its place says until
 * sweeping has told them.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_revoke_orphan (BawnTokenStore *store,
                                BawnTxn *txn,
                                const char *hash,
                                GError **error)
{
  return revoke_token (store, txn, hash, TRUE, error);
}

static gboolean
free_child (BawnTxn *txn, const BawnToken *child)
{
  g_autoptr (BawnToken) orphan = bawn_token_copy (child);
  g_autofree char *key = g_strconcat (BAWN_TOKEN_ID_PREFIX, child->hash, NULL);

  g_clear_pointer (&orphan->parent, g_free);

  g_autoptr (GBytes) value = bawn_token_record_write (orphan);

  bawn_txn_put (txn, key, value);
  return TRUE;
}

static gboolean
sweep_children (BawnTokenStore *store,
                BawnTxn *txn,
                const char *hash,
                gboolean set_free,
                guint *budget,
                gboolean *out_done,
                GError **error)
{
  g_autofree char *folder = g_strconcat (BAWN_TOKEN_PARENT_PREFIX, hash, "/", NULL);
  g_auto (GStrv) children = NULL;

  *out_done = FALSE;
  if (!bawn_txn_list (txn, folder, NULL, *budget / WRITES_CHILD + 1, &children, error))
    return FALSE;

  for (char **child = children; *child != NULL; child++)
    {
      g_autoptr (BawnTokenRecord) record = NULL;

      if (*budget < WRITES_CHILD)
        return TRUE;
      if (!bawn_token_store_get_record (txn, *child, &record, error))
        return FALSE;
      /* An id that was used again has a parent of its own by now. */
      gboolean ours =
          record != NULL && record->token != NULL && g_strcmp0 (record->token->parent, hash) == 0;

      if (ours && set_free)
        free_child (txn, record->token);
      else if (ours && !remove_token (store, txn, record->token, FALSE, error))
        return FALSE;
      delete_child_entry (txn, hash, *child);
      *budget -= WRITES_CHILD;
    }

  *out_done = TRUE;
  return TRUE;
}

/* The engines take their secrets back when the leases are due, so they are made due now. */
static gboolean
sweep_leases (BawnTokenStore *store,
              BawnTxn *txn,
              const char *hash,
              guint *budget,
              gboolean *out_done,
              GError **error)
{
  gint64 now_us = bawn_clock_real_us (store->clock);
  g_auto (GStrv) ids = NULL;

  *out_done = FALSE;
  if (!bawn_lease_of_token (txn, hash, *budget / WRITES_LEASE + 1, &ids, error))
    return FALSE;

  for (char **id = ids; *id != NULL; id++)
    {
      g_autoptr (BawnLease) lease = NULL;

      if (*budget < WRITES_LEASE)
        return TRUE;
      if (!bawn_lease_get (txn, *id, &lease, error))
        return FALSE;
      if (lease != NULL)
        {
          g_autoptr (BawnLease) ended = bawn_lease_copy (lease);

          ended->expire_us = lease->expire_us > 0 ? MIN (lease->expire_us, now_us) : now_us;
          if (!bawn_lease_put (txn, ended, error))
            return FALSE;
        }
      bawn_lease_forget_token (txn, hash, *id);
      *budget -= WRITES_LEASE;
    }

  *out_done = TRUE;
  return TRUE;
}

/* @prefix ends in '/'. As deep as keys can be. */
static gboolean
sweep_folder (BawnTxn *txn, const char *prefix, guint *budget, gboolean *out_done, GError **error)
{
  g_auto (GStrv) names = NULL;

  *out_done = FALSE;
  if (!bawn_txn_list (txn, prefix, NULL, *budget + 1, &names, error))
    return FALSE;

  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *key = g_strconcat (prefix, *name, NULL);
      gboolean done = TRUE;

      if (*budget == 0)
        return TRUE;
      if (g_str_has_suffix (key, "/"))
        {
          if (!sweep_folder (txn, key, budget, &done, error))
            return FALSE;
          if (!done)
            return TRUE;
        }
      else
        {
          bawn_txn_delete (txn, key);
          *budget -= 1;
        }
    }

  *out_done = TRUE;
  return TRUE;
}

static gboolean
sweep_cubbyhole (BawnTxn *txn,
                 const char *sweep_key,
                 GBytes *entry,
                 guint *budget,
                 gboolean *out_done,
                 GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (entry, NULL, NULL);

  if (json == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s: not a sweep entry", sweep_key);

  const char *cubbyhole = bawn_json_get_string (bawn_json_root (json), "cubbyhole", NULL);

  *out_done = TRUE;
  if (cubbyhole == NULL)
    return TRUE;

  g_autofree char *prefix = g_strconcat (BAWN_CUBBYHOLE_PREFIX, cubbyhole, "/", NULL);

  return sweep_folder (txn, prefix, budget, out_done, error);
}

gboolean
bawn_token_store_sweep_one (
    BawnTokenStore *store, BawnTxn *txn, const char *hash, gboolean *out_done, GError **error)
{
  g_autofree char *sweep_key = g_strconcat (BAWN_TOKEN_SWEEP_PREFIX, hash, NULL);
  g_autofree char *id_key = g_strconcat (BAWN_TOKEN_ID_PREFIX, hash, NULL);
  g_autoptr (GBytes) entry = NULL;
  g_autoptr (BawnTokenRecord) record = NULL;
  guint budget = BAWN_TOKEN_SWEEP_WRITES - WRITES_LAST;
  gboolean children_done = FALSE;
  gboolean leases_done = FALSE;
  gboolean cubbyhole_done = FALSE;

  *out_done = TRUE;
  if (!bawn_txn_get (txn, sweep_key, &entry, error))
    return FALSE;
  if (entry == NULL)
    return TRUE;

  if (!bawn_token_store_get_record (txn, hash, &record, error))
    return FALSE;

  gboolean stub = record != NULL;

  if (!sweep_children (store, txn, hash, stub, &budget, &children_done, error)
      || !sweep_leases (store, txn, hash, &budget, &leases_done, error)
      || !sweep_cubbyhole (txn, sweep_key, entry, &budget, &cubbyhole_done, error))
    return FALSE;

  *out_done = children_done && leases_done && cubbyhole_done;
  if (!*out_done)
    return TRUE;

  if (stub)
    bawn_txn_delete (txn, id_key);
  bawn_txn_delete (txn, sweep_key);
  return TRUE;
}

/**
 * bawn_token_store_sweep:
 * @store: a store
 * @txn: an unscoped transaction
 * @out_more: (out): whether there is more to do, in a new transaction
 * @error: why it could not be read
 *
 * One step, of at most %BAWN_TOKEN_SWEEP_WRITES writes, for the first token that waits.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_token_store_sweep (BawnTokenStore *store, BawnTxn *txn, gboolean *out_more, GError **error)
{
  g_auto (GStrv) waiting = NULL;
  gboolean done = FALSE;

  if (!bawn_txn_list (txn, BAWN_TOKEN_SWEEP_PREFIX, NULL, 2, &waiting, error))
    return FALSE;

  *out_more = FALSE;
  if (waiting[0] == NULL)
    return TRUE;
  if (!bawn_token_store_sweep_one (store, txn, waiting[0], &done, error))
    return FALSE;

  /* Sweeping a child may have put a new entry in front. */
  if (!done || waiting[1] != NULL)
    {
      *out_more = TRUE;
      return TRUE;
    }

  g_auto (GStrv) left = NULL;

  if (!bawn_txn_list (txn, BAWN_TOKEN_SWEEP_PREFIX, NULL, 1, &left, error))
    return FALSE;

  *out_more = left[0] != NULL;
  return TRUE;
}
