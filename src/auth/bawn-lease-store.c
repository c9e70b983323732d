/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-lease-private.h"
#include "crypto/bawn-crypto.h"
#include "util/bawn-error.h"

#include <string.h>

#define DUE_PREFIX "sys/lease/due/"
#define TOKEN_PREFIX "sys/lease/token/"

#define BUCKET_US (BAWN_LEASE_BUCKET_S * G_USEC_PER_SEC)

/* A time as 16 hex digits sorts as the number does; times before 1970 count as 1970. */
#define TIME_DIGITS 16

/* How many due buckets are looked at in one call: idle buckets are empty folders and not listed, so
 * a step that finds nothing in this many has at least as many leases behind it. */
#define MAX_BUCKETS 256

static char *
hash_id (const char *id)
{
  guint8 digest[BAWN_SHA256_SIZE];

  bawn_sha256 (id, strlen (id), digest);
  return bawn_hex_encode (digest, sizeof digest);
}

/* Names in a bucket begin with the exact time, so that those due stand in front. */
static char *
due_key (const BawnLease *lease)
{
  g_autofree char *hash = hash_id (lease->id);
  guint64 expire = (guint64) MAX (lease->expire_us, 0);

  return g_strdup_printf (DUE_PREFIX "%016" G_GINT64_MODIFIER "x/%016" G_GINT64_MODIFIER "x-%s",
                          expire / BUCKET_US, expire, hash);
}

static char *
token_key (const char *token_hash, const char *id)
{
  g_autofree char *hash = hash_id (id);

  return g_strconcat (TOKEN_PREFIX, token_hash, "/", hash, NULL);
}

/* What is given to a token dies with it; its own lease is found by its record. */
static gboolean
has_token_key (const BawnLease *lease)
{
  return lease->token != NULL && !lease->is_auth;
}

/* %NULL for an id that cannot be one, since ids come from callers too. */
static char *
id_key (const char *id)
{
  g_autofree char *key = g_strconcat (BAWN_LEASE_ID_PREFIX, id, NULL);

  if (*id == '\0' || !bawn_backend_key_is_valid (key))
    return NULL;

  return g_steal_pointer (&key);
}

/**
 * bawn_lease_get:
 * @txn: an unscoped transaction
 * @id: any text
 * @out_lease: (out) (nullable): the lease; %NULL if there is none of that id
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_get (BawnTxn *txn, const char *id, BawnLease **out_lease, GError **error)
{
  g_autofree char *key = id_key (id);
  gpointer object = NULL;

  if (key != NULL && !bawn_txn_get_object (txn, key, &bawn_lease_kind, &object, error))
    return FALSE;

  *out_lease = object;
  return TRUE;
}

static gboolean
drop_indexes (BawnTxn *txn, const char *id, GError **error)
{
  g_autoptr (BawnLease) old = NULL;

  if (!bawn_lease_get (txn, id, &old, error))
    return FALSE;
  if (old == NULL)
    return TRUE;

  g_autofree char *due = due_key (old);

  if (old->expire_us > 0)
    bawn_txn_delete (txn, due);
  if (has_token_key (old))
    {
      g_autofree char *by_token = token_key (old->token, old->id);
      bawn_txn_delete (txn, by_token);
    }

  return TRUE;
}

/**
 * bawn_lease_put_new:
 * @txn: an unscoped transaction
 * @lease: what to store; it is shared from now on
 * @error: INVALID for an id that is no key
 *
 * bawn_lease_put() for an id that was made up just now: it looks for no old one, and so never waits
 * for the storage.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_put_new (BawnTxn *txn, BawnLease *lease, GError **error)
{
  g_autofree char *key = id_key (lease->id);

  if (key == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid lease id");

  g_autoptr (GBytes) record = bawn_lease_write (lease);
  g_autoptr (GBytes) id = bawn_bytes_new_string (lease->id);

  bawn_txn_put (txn, key, record);
  if (lease->expire_us > 0)
    {
      g_autofree char *due = due_key (lease);
      bawn_txn_put (txn, due, id);
    }
  if (has_token_key (lease))
    {
      g_autofree char *by_token = token_key (lease->token, lease->id);
      bawn_txn_put (txn, by_token, id);
    }

  return TRUE;
}

/**
 * bawn_lease_put:
 * @txn: an unscoped transaction
 * @lease: what to store; it is shared from now on
 * @error: INVALID for an id that is no key; else why the old one could not be read
 *
 * Stores @lease in the place of the one with its id, if any, with its entries in the indexes. One
 * that has no end
 * (@expire_us 0) is never due.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_put (BawnTxn *txn, BawnLease *lease, GError **error)
{
  return drop_indexes (txn, lease->id, error) && bawn_lease_put_new (txn, lease, error);
}

/**
 * bawn_lease_delete:
 * @txn: an unscoped transaction
 * @id: any text; deleting what is absent succeeds
 * @error: why the old one could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_delete (BawnTxn *txn, const char *id, GError **error)
{
  g_autofree char *key = id_key (id);

  if (key == NULL)
    return TRUE;
  if (!drop_indexes (txn, id, error))
    return FALSE;

  bawn_txn_delete (txn, key);
  return TRUE;
}

/**
 * bawn_lease_list:
 * @txn: an unscoped transaction
 * @prefix: "" or the beginning of ids up to a '/', which is added if it is missing
 * @out_names: (out): one level, sorted, folders with '/' at their end
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_list (BawnTxn *txn, const char *prefix, GStrv *out_names, GError **error)
{
  gboolean open = *prefix == '\0' || g_str_has_suffix (prefix, "/");
  g_autofree char *folder = g_strconcat (BAWN_LEASE_ID_PREFIX, prefix, open ? NULL : "/", NULL);
  g_autofree char *probe = g_strconcat (folder, "x", NULL);
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  guint n = 0;

  if (!bawn_backend_key_is_valid (probe))
    {
      *out_names = g_new0 (char *, 1);
      return TRUE;
    }

  do
    {
      g_auto (GStrv) page = NULL;
      const char *after = all->len > 0 ? g_ptr_array_index (all, all->len - 1) : NULL;

      if (!bawn_txn_list (txn, folder, after, BAWN_BACKEND_MAX_LIST, &page, error))
        return FALSE;
      n = g_strv_length (page);
      for (guint i = 0; i < n; i++)
        g_ptr_array_add (all, g_steal_pointer (&page[i]));
    }
  while (n == BAWN_BACKEND_MAX_LIST);

  g_ptr_array_add (all, NULL);
  *out_names = (GStrv) g_ptr_array_steal (all, NULL);
  return TRUE;
}

static gboolean
add_id_at (BawnTxn *txn, const char *folder, const char *name, GPtrArray *ids, GError **error)
{
  g_autofree char *key = g_strconcat (folder, name, NULL);
  g_autoptr (GBytes) value = NULL;

  if (!bawn_txn_get (txn, key, &value, error))
    return FALSE;
  if (value != NULL)
    g_ptr_array_add (ids, g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value)));

  return TRUE;
}

static gint64
parse_time (const char *name)
{
  g_autofree char *digits = g_strndup (name, TIME_DIGITS);

  return (gint64) g_ascii_strtoull (digits, NULL, 16);
}

/* Takes what is due out of one bucket. @out_next_us: when its first one that stays is due; 0: none
 * stays. */
static gboolean
take_bucket (BawnTxn *txn,
             const char *bucket,
             gint64 now_us,
             guint limit,
             GPtrArray *ids,
             gint64 *out_next_us,
             GError **error)
{
  g_autofree char *folder = g_strconcat (DUE_PREFIX, bucket, NULL);
  g_auto (GStrv) names = NULL;

  /* One more than is wanted tells whether there is more. */
  if (!bawn_txn_list (txn, folder, NULL, limit - ids->len + 1, &names, error))
    return FALSE;

  *out_next_us = 0;
  for (char **name = names; *name != NULL; name++)
    {
      gint64 due = parse_time (*name);

      if (due > now_us || ids->len == limit)
        {
          *out_next_us = due;
          return TRUE;
        }
      if (!add_id_at (txn, folder, *name, ids, error))
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_lease_due:
 * @txn: an unscoped transaction
 * @now_us: the real time
 * @limit: how many at most, above 0
 * @out_ids: (out): ids of leases that have ended, the oldest first
 * @out_next_us: (out) (optional): when to ask again: a time that has come already if @limit cut the
 * answer short; 0 if there is nothing to wait for
 * @error: why it could not be read
 *
 * Looks only at buckets that have begun, so that the work does not grow with the number of leases.
 * The times that are given for later ones are those of their buckets, hence up to
 * %BAWN_LEASE_BUCKET_S early.
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_due (
    BawnTxn *txn, gint64 now_us, guint limit, GStrv *out_ids, gint64 *out_next_us, GError **error)
{
  g_return_val_if_fail (limit > 0, FALSE);

  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) buckets = NULL;
  gint64 next_us = 0;

  if (!bawn_txn_list (txn, DUE_PREFIX, NULL, MAX_BUCKETS, &buckets, error))
    return FALSE;

  for (char **bucket = buckets; *bucket != NULL && next_us == 0; bucket++)
    {
      gint64 begin_us = parse_time (*bucket) * BUCKET_US;

      if (begin_us > now_us)
        next_us = begin_us;
      else if (!take_bucket (txn, *bucket, now_us, limit, ids, &next_us, error))
        return FALSE;
    }
  if (next_us == 0 && g_strv_length (buckets) == MAX_BUCKETS)
    next_us = now_us;

  g_ptr_array_add (ids, NULL);
  *out_ids = (GStrv) g_ptr_array_steal (ids, NULL);
  if (out_next_us != NULL)
    *out_next_us = next_us;
  return TRUE;
}

/**
 * bawn_lease_of_token:
 * @txn: an unscoped transaction
 * @token_hash: a token's hash
 * @limit: how many at most, above 0
 * @out_ids: (out): ids of leases that were given to the token; its own one is not among them
 * @error: why it could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_lease_of_token (
    BawnTxn *txn, const char *token_hash, guint limit, GStrv *out_ids, GError **error)
{
  g_autofree char *folder = g_strconcat (TOKEN_PREFIX, token_hash, "/", NULL);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) names = NULL;

  if (!bawn_txn_list (txn, folder, NULL, limit, &names, error))
    return FALSE;
  for (char **name = names; *name != NULL; name++)
    if (!add_id_at (txn, folder, *name, ids, error))
      return FALSE;

  g_ptr_array_add (ids, NULL);
  *out_ids = (GStrv) g_ptr_array_steal (ids, NULL);
  return TRUE;
}

/**
 * bawn_lease_forget_token:
 * @txn: an unscoped transaction
 * @token_hash: a token's hash
 * @id: a lease's id
 *
 * Drops @id from what bawn_lease_of_token() gives, for a token that is gone; the lease stays.
 */
void
bawn_lease_forget_token (BawnTxn *txn, const char *token_hash, const char *id)
{
  g_autofree char *key = token_key (token_hash, id);

  bawn_txn_delete (txn, key);
}
