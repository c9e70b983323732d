/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-txn-private.h"

#include <string.h>

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static void
pending_free (BawnPending *pending)
{
  g_clear_pointer (&pending->value, g_bytes_unref);
  g_free (pending);
}

static void
core_unref (BawnTxnCore *core)
{
  if (!g_atomic_ref_count_dec (&core->refs))
    return;

  bawn_mirror_leave (core->mirror, &core->presence);
  bawn_readset_clear (&core->reads);
  g_clear_pointer (&core->writes, g_tree_unref);
  g_clear_error (&core->error);
  g_clear_object (&core->codec);
  g_object_unref (core->store);
  g_free (core);
}

static BawnTxn *
txn_new (BawnTxnCore *core, const char *above, const char *prefix)
{
  BawnTxn *txn = g_new0 (BawnTxn, 1);

  g_atomic_ref_count_init (&txn->refs);
  txn->core = core;
  txn->prefix = g_strconcat (above, prefix, NULL);
  txn->prefix_size = strlen (txn->prefix);
  return txn;
}

static const BawnPending *
find_pending (BawnTxnCore *core, const char *key)
{
  return core->writes != NULL ? g_tree_lookup (core->writes, key) : NULL;
}

static gboolean
check_open (BawnTxnCore *core, GError **error)
{
  if (core->ended)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "the transaction was committed already");

  return TRUE;
}

static void
fail_later (BawnTxnCore *core, GError *error)
{
  if (core->error == NULL)
    core->error = error;
  else
    g_error_free (error);
}

static void
add_pending (BawnTxn *txn, BawnWriteKind kind, const char *key, GBytes *value)
{
  BawnTxnCore *core = txn->core;
  BawnFullKey buffer;
  GError *error = NULL;
  const char *full = bawn_txn_full_key (txn, key, buffer, &error);

  if (full != NULL && !bawn_backend_key_is_valid (full))
    bawn_fail (&error, BAWN_ERROR_INVALID,
               "a storage key must be 1 to %d bytes of UTF-8 without empty segments",
               BAWN_BACKEND_MAX_KEY);
  else if (full != NULL && g_str_equal (full, BAWN_STORE_FENCE_KEY))
    bawn_fail (&error, BAWN_ERROR_INVALID, "%s is written by the committer only", full);
  if (error != NULL)
    {
      fail_later (core, error);
      return;
    }

  BawnPending *pending = g_new0 (BawnPending, 1);

  pending->kind = kind;
  pending->value = value != NULL ? g_bytes_ref (value) : NULL;
  if (core->writes == NULL)
    core->writes = g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) pending_free);
  g_tree_insert (core->writes, g_strdup (full), pending);
}

static GBytes *
open_value (BawnTxnCore *core, const char *key, GBytes *box, GError **error)
{
  if (core->codec == NULL)
    return g_bytes_ref (box);

  return BAWN_CODEC_GET_IFACE (core->codec)->open (core->codec, key, box, error);
}

/* Looks past the transaction's own writes, and remembers what it saw. */
static gboolean
look (BawnTxnCore *core,
      const char *key,
      const BawnObjectKind *kind,
      BawnGlimpse *out_glimpse,
      GError **error)
{
  if (!bawn_mirror_get (core->mirror, key, kind, core->may_block, out_glimpse, error))
    return FALSE;

  bawn_readset_add (&core->reads, key, out_glimpse->since,
                    out_glimpse->value != NULL || out_glimpse->object != NULL);
  return TRUE;
}

/**
 * bawn_txn_full_key:
 * @txn: a transaction or scope
 * @key: a key or folder relative to it
 * @buffer: room for the result
 * @error: (out) (optional): INVALID if it is too long
 *
 * Returns: (transfer none): the key as the storage knows it, in @buffer or @key itself; %NULL with
 * @error set
 */
const char *
bawn_txn_full_key (BawnTxn *txn, const char *key, BawnFullKey buffer, GError **error)
{
  if (txn->prefix_size == 0)
    return key;

  gsize size = strlen (key);

  if (txn->prefix_size + size > BAWN_BACKEND_MAX_KEY)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "a path is too long: a storage key has at most %d bytes",
                           BAWN_BACKEND_MAX_KEY);

  memcpy (buffer, txn->prefix, txn->prefix_size);
  memcpy (buffer + txn->prefix_size, key, size + 1);
  return buffer;
}

/**
 * bawn_store_begin:
 * @store: a store
 * @codec: (nullable): what stands between plaintext and storage; %NULL: nothing
 * @may_block: whether reads may ask the storage
 *
 * Returns: (transfer full): a transaction that has read and written nothing
 */
BawnTxn *
bawn_store_begin (BawnStore *store, BawnCodec *codec, gboolean may_block)
{
  g_return_val_if_fail (BAWN_IS_STORE (store), NULL);

  BawnTxnCore *core = g_new0 (BawnTxnCore, 1);

  g_atomic_ref_count_init (&core->refs);
  core->store = g_object_ref (store);
  core->mirror = bawn_store_peek_mirror (store);
  core->codec = codec != NULL ? g_object_ref (codec) : NULL;
  core->may_block = may_block;
  bawn_readset_init (&core->reads);
  bawn_mirror_enter (core->mirror, &core->presence);
  return txn_new (core, "", "");
}

/**
 * bawn_txn_ref:
 * @txn: a transaction or scope
 *
 * Returns: (transfer full): @txn
 */
BawnTxn *
bawn_txn_ref (BawnTxn *txn)
{
  g_return_val_if_fail (txn != NULL, NULL);

  g_atomic_ref_count_inc (&txn->refs);
  return txn;
}

/**
 * bawn_txn_unref:
 * @txn: (transfer full): a transaction or scope
 *
 * With the last reference, scopes included, what was not committed is dropped.
 */
void
bawn_txn_unref (BawnTxn *txn)
{
  g_return_if_fail (txn != NULL);

  if (!g_atomic_ref_count_dec (&txn->refs))
    return;

  core_unref (txn->core);
  g_free (txn->prefix);
  g_free (txn);
}

/**
 * bawn_txn_scope:
 * @txn: a transaction or scope
 * @prefix: a folder relative to it, ending in '/', or ""
 *
 * Returns: (transfer full): the same transaction, seen from @prefix
 */
BawnTxn *
bawn_txn_scope (BawnTxn *txn, const char *prefix)
{
  g_return_val_if_fail (txn != NULL, NULL);
  g_return_val_if_fail (prefix != NULL && (*prefix == '\0' || g_str_has_suffix (prefix, "/")),
                        NULL);

  g_atomic_ref_count_inc (&txn->core->refs);
  return txn_new (txn->core, txn->prefix, prefix);
}

/**
 * bawn_txn_get:
 * @txn: a transaction or scope
 * @key: the key, relative to it
 * @out_value: (out) (nullable) (transfer full): the plaintext; %NULL if the key is absent
 * @error: (out) (optional): WOULD_BLOCK if the storage must be asked and may not; CORRUPT if the
 * codec refuses the entry; INVALID for what is not a key; or what the storage says
 *
 * Reads one key; the transaction's own writes are seen.
 *
 * Returns: %TRUE, also if the key is absent
 */
gboolean
bawn_txn_get (BawnTxn *txn, const char *key, GBytes **out_value, GError **error)
{
  g_return_val_if_fail (txn != NULL && key != NULL && out_value != NULL, FALSE);

  BawnFullKey buffer;
  BawnGlimpse glimpse = { NULL };
  const char *full = bawn_txn_full_key (txn, key, buffer, error);

  if (full == NULL || !check_open (txn->core, error))
    return FALSE;

  const BawnPending *pending = find_pending (txn->core, full);

  if (pending != NULL)
    {
      *out_value = pending->value != NULL ? g_bytes_ref (pending->value) : NULL;
      return TRUE;
    }
  if (!look (txn->core, full, NULL, &glimpse, error))
    return FALSE;
  if (glimpse.value == NULL)
    {
      *out_value = NULL;
      return TRUE;
    }

  g_autoptr (GBytes) box = glimpse.value;
  GBytes *plain = open_value (txn->core, full, box, error);

  if (plain == NULL)
    return FALSE;

  *out_value = plain;
  return TRUE;
}

/**
 * bawn_txn_get_object:
 * @txn: a transaction or scope
 * @key: the key, relative to it
 * @kind: how the entry is parsed
 * @out_object: (out) (nullable) (transfer full): the entry in parsed form, to be given up with
 * @kind's unref; %NULL if the key is absent
 * @error: (out) (optional): as for bawn_txn_get(), or what the parser says
 *
 * Reads one key in parsed form, which is parsed once for as long as the entry stays as it is.
 *
 * Returns: %TRUE, also if the key is absent
 */
gboolean
bawn_txn_get_object (
    BawnTxn *txn, const char *key, const BawnObjectKind *kind, gpointer *out_object, GError **error)
{
  g_return_val_if_fail (txn != NULL && key != NULL && kind != NULL && out_object != NULL, FALSE);

  BawnFullKey buffer;
  BawnGlimpse glimpse = { NULL };
  const char *full = bawn_txn_full_key (txn, key, buffer, error);

  if (full == NULL || !check_open (txn->core, error))
    return FALSE;

  const BawnPending *pending = find_pending (txn->core, full);

  if (pending == NULL && !look (txn->core, full, kind, &glimpse, error))
    return FALSE;
  if (glimpse.object != NULL || (pending != NULL ? pending->value : glimpse.value) == NULL)
    {
      *out_object = glimpse.object;
      return TRUE;
    }

  g_autoptr (GBytes) box = glimpse.value;
  g_autoptr (GBytes) plain =
      pending != NULL ? g_bytes_ref (pending->value) : open_value (txn->core, full, box, error);
  gpointer object = plain != NULL ? kind->parse (full, plain, error) : NULL;

  if (object == NULL)
    return FALSE;

  if (pending == NULL)
    bawn_mirror_attach (txn->core->mirror, full, box, kind, object);
  *out_object = object;
  return TRUE;
}

/**
 * bawn_txn_put:
 * @txn: a transaction or scope
 * @key: the key, relative to it
 * @value: the plaintext
 *
 * Gathers a write. A key that cannot be one is reported when the transaction is committed.
 */
void
bawn_txn_put (BawnTxn *txn, const char *key, GBytes *value)
{
  g_return_if_fail (txn != NULL && key != NULL && value != NULL);
  g_return_if_fail (!txn->core->ended);

  add_pending (txn, BAWN_WRITE_PUT, key, value);
}

/**
 * bawn_txn_delete:
 * @txn: a transaction or scope
 * @key: the key, relative to it; it may be absent
 *
 * Gathers a deletion.
 */
void
bawn_txn_delete (BawnTxn *txn, const char *key)
{
  g_return_if_fail (txn != NULL && key != NULL);
  g_return_if_fail (!txn->core->ended);

  add_pending (txn, BAWN_WRITE_DELETE, key, NULL);
}

/**
 * bawn_txn_may_block:
 * @txn: a transaction or scope
 *
 * Returns: %TRUE if reads may ask the storage
 */
gboolean
bawn_txn_may_block (BawnTxn *txn)
{
  g_return_val_if_fail (txn != NULL, FALSE);

  return txn->core->may_block;
}

/**
 * bawn_txn_has_writes:
 * @txn: a transaction or scope
 *
 * Returns: %TRUE if there is something to commit
 */
gboolean
bawn_txn_has_writes (BawnTxn *txn)
{
  g_return_val_if_fail (txn != NULL, FALSE);

  return txn->core->error != NULL
         || (txn->core->writes != NULL && g_tree_nnodes (txn->core->writes) > 0);
}

/**
 * bawn_txn_drop_writes:
 * @txn: a transaction or scope
 *
 * Forgets all writes gathered so far, through whatever scope. What was read stays noted.
 */
void
bawn_txn_drop_writes (BawnTxn *txn)
{
  g_return_if_fail (txn != NULL);

  g_clear_pointer (&txn->core->writes, g_tree_unref);
  g_clear_error (&txn->core->error);
}
