/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-auto-record.h"

#include "barrier/bawn-keyring.h"
#include "util/bawn-error.h"

/**
 * bawn_auto_record_put:
 * @barrier: an unsealed barrier
 * @seal: a seal that has what it needs
 * @txn: a transaction
 * @error: return location
 *
 * May block, depending on the seal.
 *
 * Returns: whether the put was added to @txn
 */
gboolean
bawn_auto_record_put (BawnBarrier *barrier, BawnSeal *seal, BawnTxn *txn, GError **error)
{
  g_autoptr(BawnKeyring) keyring = bawn_barrier_dup_keyring (barrier);

  if (keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autoptr(GBytes) box = bawn_seal_wrap (seal, bawn_keyring_get_root_key (keyring), NULL, error);
  if (box == NULL)
    return FALSE;

  bawn_txn_put (txn, BAWN_AUTO_RECORD_KEY, box);
  return TRUE;
}

/**
 * bawn_auto_record_open:
 * @seal: a seal
 * @txn: a transaction
 * @error: return location
 *
 * May block, depending on the seal.
 *
 * Returns: (transfer full) (nullable): the root key
 */
BawnSecret *
bawn_auto_record_open (BawnSeal *seal, BawnTxn *txn, GError **error)
{
  g_autoptr(GBytes) box = NULL;

  if (!bawn_txn_get (txn, BAWN_AUTO_RECORD_KEY, &box, error))
    return NULL;
  if (box == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND,
                           "this storage was never unsealed by a server with such a key: it takes its shares once");

  return bawn_seal_unwrap (seal, box, NULL, error);
}

/**
 * bawn_auto_record_enrol:
 * @barrier: an unsealed barrier
 * @seal: a seal
 * @txn: a transaction
 * @out_put: (out): whether there is something to commit
 * @error: return location
 *
 * Has the storage opened by @seal from now on, unless it is already.
 *
 * Returns: whether that was found out, and done if need be
 */
gboolean
bawn_auto_record_enrol (BawnBarrier *barrier, BawnSeal *seal, BawnTxn *txn, gboolean *out_put, GError **error)
{
  g_autoptr(GError) reason = NULL;
  g_autoptr(BawnKeyring) keyring = bawn_barrier_dup_keyring (barrier);

  if (keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autoptr(BawnSecret) root_key = bawn_auto_record_open (seal, txn, &reason);
  if (root_key != NULL && bawn_secret_equal (root_key, bawn_keyring_get_root_key (keyring)))
    {
      *out_put = FALSE;
      return TRUE;
    }
  /* What a storage that was restored, or another key, has left behind is of no use to anybody. */
  if (root_key == NULL && !bawn_error_is (reason, BAWN_ERROR_NOT_FOUND) && !bawn_error_is (reason, BAWN_ERROR_DENIED)
      && !bawn_error_is (reason, BAWN_ERROR_CORRUPT))
    {
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (!bawn_auto_record_put (barrier, seal, txn, error))
    return FALSE;

  *out_put = TRUE;
  return TRUE;
}
