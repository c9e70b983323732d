/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-seal-records.h"

#include "barrier/bawn-entry.h"
#include "barrier/bawn-seal-shamir.h"
#include "barrier/bawn-share.h"
#include "util/bawn-error.h"

/**
 * bawn_seal_records_clear:
 * @records: what was loaded
 */
void
bawn_seal_records_clear (BawnSealRecords *records)
{
  g_clear_pointer (&records->root_key_box, g_bytes_unref);
  g_clear_pointer (&records->keyring_box, g_bytes_unref);
}

/* All three, or none: (TRUE, absent). */
static gboolean
read_records (BawnTxn *txn, gboolean *out_present, BawnSealRecords *out_records, GError **error)
{
  g_autoptr (GBytes) config = NULL;
  g_autoptr (GBytes) root_key = NULL;
  g_autoptr (GBytes) keyring = NULL;

  if (!bawn_txn_get (txn, BAWN_SEAL_CONFIG_KEY, &config, error)
      || !bawn_txn_get (txn, BAWN_ROOT_KEY_KEY, &root_key, error)
      || !bawn_txn_get (txn, BAWN_KEYRING_KEY, &keyring, error))
    return FALSE;

  if (config == NULL && root_key == NULL && keyring == NULL)
    {
      *out_present = FALSE;
      return TRUE;
    }
  if (config == NULL || root_key == NULL || keyring == NULL)
    return bawn_fail (error, BAWN_ERROR_CORRUPT,
                      "the entry at “%s” is missing, though others that belong to it exist",
                      config == NULL     ? BAWN_SEAL_CONFIG_KEY
                      : root_key == NULL ? BAWN_ROOT_KEY_KEY
                                         : BAWN_KEYRING_KEY);
  if (!bawn_seal_config_parse (config, &out_records->config, error))
    return FALSE;

  out_records->root_key_box = g_steal_pointer (&root_key);
  out_records->keyring_box = g_steal_pointer (&keyring);
  *out_present = TRUE;
  return TRUE;
}

/**
 * bawn_seal_records_load:
 * @txn: a transaction
 * @out_records: (out caller-allocates): %BAWN_SEAL_RECORDS_INIT before
 * @error: (out) (optional): where to put the error
 *
 * Returns: %TRUE if the store is initialised and its records were read
 */
gboolean
bawn_seal_records_load (BawnTxn *txn, BawnSealRecords *out_records, GError **error)
{
  gboolean present = FALSE;

  if (!read_records (txn, &present, out_records, error))
    return FALSE;
  if (!present)
    return bawn_fail (error, BAWN_ERROR_INVALID, "Vault is not initialized");

  return TRUE;
}

/**
 * bawn_seal_records_exist:
 * @txn: a transaction
 * @out_exist: (out): whether the store is initialised
 * @error: (out) (optional): where to put the error
 *
 * Returns: %TRUE if that could be found out
 */
gboolean
bawn_seal_records_exist (BawnTxn *txn, gboolean *out_exist, GError **error)
{
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;

  return read_records (txn, out_exist, &records, error);
}

/**
 * bawn_seal_records_load_config:
 * @txn: a transaction
 * @out_present: (out): whether there is one
 * @out_config: (out caller-allocates): the configuration, if so
 * @error: (out) (optional): where to put the error
 *
 * For seal-status, which needs no more than this.
 *
 * Returns: %TRUE if that could be found out
 */
gboolean
bawn_seal_records_load_config (BawnTxn *txn,
                               gboolean *out_present,
                               BawnSealConfig *out_config,
                               GError **error)
{
  g_autoptr (GBytes) text = NULL;

  if (!bawn_txn_get (txn, BAWN_SEAL_CONFIG_KEY, &text, error))
    return FALSE;
  if (text != NULL && !bawn_seal_config_parse (text, out_config, error))
    return FALSE;

  *out_present = text != NULL;
  return TRUE;
}

/**
 * bawn_seal_records_open_root_key:
 * @records: what was loaded
 * @kek: what may be the seal's key
 * @error: (out) (optional): DENIED if it is not
 *
 * Returns: (transfer full) (nullable): the root key
 */
BawnSecret *
bawn_seal_records_open_root_key (const BawnSealRecords *records, BawnSecret *kek, GError **error)
{
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();

  bawn_seal_shamir_set_key (seal, kek);

  return bawn_seal_unwrap (BAWN_SEAL (seal), records->root_key_box, NULL, error);
}

static BawnKeyring *
open_keyring (GBytes *box, BawnSecret *root_key, GError **error)
{
  g_autoptr (BawnSecret) serialised =
      bawn_entry_open_secret (root_key, BAWN_KEYRING_KEY, box, error);

  if (serialised == NULL)
    return NULL;

  BawnKeyring *keyring = bawn_keyring_parse (serialised, root_key, error);
  if (keyring == NULL)
    g_prefix_error (error, "the entry at “%s”: ", BAWN_KEYRING_KEY);

  return keyring;
}

/**
 * bawn_seal_records_open_keyring:
 * @records: what was loaded
 * @root_key: the root key
 * @error: (out) (optional): CORRUPT
 *
 * Returns: (transfer full) (nullable): the keyring
 */
BawnKeyring *
bawn_seal_records_open_keyring (const BawnSealRecords *records,
                                BawnSecret *root_key,
                                GError **error)
{
  return open_keyring (records->keyring_box, root_key, error);
}

/**
 * bawn_seal_records_open:
 * @records: what was loaded
 * @seal: a seal that has what it needs
 * @cancellable: (nullable): a cancellable
 * @error: (out) (optional): where to put the error
 *
 * May block, depending on the seal.
 *
 * Returns: (transfer full) (nullable): the keyring
 */
BawnKeyring *
bawn_seal_records_open (const BawnSealRecords *records,
                        BawnSeal *seal,
                        GCancellable *cancellable,
                        GError **error)
{
  g_autoptr (BawnSecret) root_key =
      bawn_seal_unwrap (seal, records->root_key_box, cancellable, error);

  return root_key != NULL ? open_keyring (records->keyring_box, root_key, error) : NULL;
}

static void
put_keyring (BawnKeyring *keyring, BawnTxn *txn)
{
  g_autoptr (BawnSecret) serialised = bawn_keyring_serialise (keyring);
  g_autoptr (GBytes) box =
      bawn_entry_seal_secret (bawn_keyring_get_root_key (keyring), BAWN_KEYRING_KEY, serialised);

  bawn_txn_put (txn, BAWN_KEYRING_KEY, box);
}

static gboolean
put_seal (BawnKeyring *keyring,
          const BawnSealConfig *config,
          BawnSecret *kek,
          BawnTxn *txn,
          GError **error)
{
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  g_autoptr (GBytes) text = bawn_seal_config_serialise (config);

  bawn_seal_shamir_set_key (seal, kek);
  g_autoptr (GBytes) box =
      bawn_seal_wrap (BAWN_SEAL (seal), bawn_keyring_get_root_key (keyring), NULL, error);
  if (box == NULL)
    return FALSE;

  bawn_txn_put (txn, BAWN_SEAL_CONFIG_KEY, text);
  bawn_txn_put (txn, BAWN_ROOT_KEY_KEY, box);
  return TRUE;
}

/**
 * bawn_barrier_init_store:
 * @barrier: a sealed barrier, made for this
 * @txn: a transaction, whose codec may be @barrier
 * @shares: how many shares to make
 * @threshold: how many of them will be needed
 * @now_us: the time, in microseconds since 1970
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Makes all keys of a new store. See the header for how it fits with the rest of an initialisation.
 *
 * Returns: (transfer full) (element-type BawnSecret) (nullable): the shares; worth nothing until
 * the commit
 */
GPtrArray *
bawn_barrier_init_store (BawnBarrier *barrier,
                         BawnTxn *txn,
                         gint64 shares,
                         gint64 threshold,
                         gint64 now_us,
                         GError **error)
{
  gboolean exist = FALSE;
  if (!bawn_seal_records_exist (txn, &exist, error))
    return NULL;
  if (exist)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "Vault is already initialized");
  if (!bawn_seal_config_check_shape (shares, threshold, error))
    {
      g_prefix_error (error, "invalid seal configuration: ");
      return NULL;
    }

  BawnSealConfig config;
  g_autoptr (BawnSecret) kek = NULL;
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (now_us);
  bawn_seal_config_init (&config, shares, threshold);
  if (!bawn_share_make (config.shares, config.threshold, &kek, &parts, error)
      || !put_seal (keyring, &config, kek, txn, error))
    return NULL;
  put_keyring (keyring, txn);
  /* What an earlier run of the same request made is worth nothing. */
  bawn_barrier_seal (barrier);
  bawn_barrier_adopt (barrier, keyring);

  return g_steal_pointer (&parts);
}

/* The stored keyring, opened with the root key in memory. */
static BawnKeyring *
read_keyring (BawnKeyring *own, BawnTxn *txn, GError **error)
{
  g_autoptr (GBytes) box = NULL;

  if (!bawn_txn_get (txn, BAWN_KEYRING_KEY, &box, error))
    return NULL;
  if (box == NULL)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is missing",
                           BAWN_KEYRING_KEY);

  return open_keyring (box, bawn_keyring_get_root_key (own), error);
}

/**
 * bawn_barrier_put_keyring:
 * @barrier: a barrier
 * @keyring: what to store
 * @txn: a transaction
 * @error: (out) (optional): SEALED; CONFLICT if the storage has terms that @keyring lacks, which
 * are known here then, so that the next try goes on from them
 *
 * Returns: %TRUE if the put was added to @txn. After its commit comes bawn_barrier_replace()
 */
gboolean
bawn_barrier_put_keyring (BawnBarrier *barrier, BawnKeyring *keyring, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnKeyring) own = bawn_barrier_dup_keyring (barrier);
  if (own == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autoptr (BawnKeyring) stored = read_keyring (own, txn, error);
  if (stored == NULL)
    return FALSE;
  if (!bawn_keyring_extends (keyring, stored))
    {
      if (!bawn_keyring_extends (stored, own))
        return bawn_fail (error, BAWN_ERROR_CORRUPT,
                          "the keyring at “%s” has grown apart from the one in memory",
                          BAWN_KEYRING_KEY);
      bawn_barrier_replace (barrier, stored);
      return bawn_fail (error, BAWN_ERROR_CONFLICT,
                        "the stored keyring had terms that were not known here");
    }

  put_keyring (keyring, txn);
  return TRUE;
}

/**
 * bawn_barrier_reload:
 * @barrier: a barrier
 * @txn: a transaction
 * @error: (out) (optional): SEALED; CORRUPT if the stored keyring does not open, or lacks terms
 * that are known here
 *
 * Returns: %TRUE if the barrier now has the keyring that is stored
 */
gboolean
bawn_barrier_reload (BawnBarrier *barrier, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnKeyring) own = bawn_barrier_dup_keyring (barrier);
  if (own == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  g_autoptr (BawnKeyring) stored = read_keyring (own, txn, error);
  if (stored == NULL)
    return FALSE;
  if (!bawn_keyring_extends (stored, own))
    return bawn_fail (error, BAWN_ERROR_CORRUPT,
                      "the entry at “%s” lacks terms that were there before", BAWN_KEYRING_KEY);

  if (!bawn_barrier_replace (barrier, stored))
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  return TRUE;
}

/**
 * bawn_barrier_put_seal:
 * @barrier: an unsealed barrier
 * @config: the new configuration, with an id of its own
 * @kek: the new key of the seal
 * @txn: a transaction
 * @error: (out) (optional): SEALED; CONFLICT if the store is of another root key
 *
 * Returns: %TRUE if the puts were added to @txn. After its commit only the new shares open the
 * store
 */
gboolean
bawn_barrier_put_seal (BawnBarrier *barrier,
                       const BawnSealConfig *config,
                       BawnSecret *kek,
                       BawnTxn *txn,
                       GError **error)
{
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  g_autoptr (BawnKeyring) own = bawn_barrier_dup_keyring (barrier);
  if (own == NULL)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");

  if (!bawn_seal_records_load (txn, &records, error))
    return FALSE;
  g_autoptr (BawnKeyring) stored =
      bawn_seal_records_open_keyring (&records, bawn_keyring_get_root_key (own), error);
  if (stored == NULL)
    return FALSE;

  return put_seal (stored, config, kek, txn, error);
}
