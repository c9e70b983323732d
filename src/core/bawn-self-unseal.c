/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-self-unseal.h"

#include "barrier/bawn-auto-record.h"
#include "core/bawn-core-private.h"
#include "core/bawn-ha.h"
#include "core/bawn-lifecycle.h"
#include "util/bawn-log.h"

gboolean
bawn_core_is_self_unsealing (BawnCore *core)
{
  return bawn_core_get_options (core)->auto_seal != NULL;
}

/* @root_key NULL: the seal has it. */
static gboolean
open_locked (BawnCore *core, BawnSecret *given, GError **error)
{
  g_auto(BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core), NULL, TRUE);

  if (bawn_core_is_unsealed (core))
    return TRUE;
  if (bawn_core_stays_sealed (core))
    return bawn_fail (error, BAWN_ERROR_SEALED, "this node was sealed, and stays so until people unseal it or it is restarted");
  if (!bawn_seal_records_load (txn, &records, error))
    return FALSE;

  g_autoptr(BawnSecret) root_key = given != NULL
                                       ? bawn_secret_ref (given)
                                       : bawn_auto_record_open (bawn_core_get_options (core)->auto_seal, txn, error);
  if (root_key == NULL)
    return FALSE;

  bawn_core_set_seal_config (core, TRUE, &records.config);
  g_autoptr(BawnKeyring) keyring = bawn_seal_records_open_keyring (&records, root_key, error);
  return keyring != NULL && bawn_lifecycle_open_up (core, keyring, error);
}

static gboolean
open_core (BawnCore *core, BawnSecret *root_key, GError **error)
{
  {
    g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (bawn_core_get_lifecycle_lock (core));

    if (!open_locked (core, root_key, error))
      return FALSE;
  }

  bawn_ha_settle (bawn_core_get_ha (core));
  return TRUE;
}

/**
 * bawn_core_unseal_self:
 * @core: a node whose options have a seal that opens by itself
 * @error: return location
 *
 * Returns: whether the node is unsealed now
 */
gboolean
bawn_core_unseal_self (BawnCore *core, GError **error)
{
  g_return_val_if_fail (bawn_core_is_self_unsealing (core), FALSE);

  return open_core (core, NULL, error);
}

/**
 * bawn_core_unseal_with_root_key:
 * @core: a node
 * @root_key: of its storage
 * @error: return location
 *
 * Returns: whether the node is unsealed now
 */
gboolean
bawn_core_unseal_with_root_key (BawnCore *core, BawnSecret *root_key, GError **error)
{
  return open_core (core, root_key, error);
}

BawnSecret *
bawn_core_dup_root_key (BawnCore *core)
{
  g_autoptr(BawnKeyring) keyring = bawn_barrier_dup_keyring (bawn_core_get_barrier (core));

  return keyring != NULL ? bawn_secret_ref (bawn_keyring_get_root_key (keyring)) : NULL;
}

static gboolean
enrol (BawnCore *core, BawnTxn *txn, gpointer out_put, GError **error)
{
  return bawn_auto_record_enrol (bawn_core_get_barrier (core), bawn_core_get_options (core)->auto_seal, txn, out_put, error);
}

void
bawn_core_enrol_self (BawnCore *core)
{
  g_autoptr(GError) error = NULL;
  gboolean put = FALSE;

  if (!bawn_core_is_self_unsealing (core))
    return;
  if (!bawn_core_transact (core, enrol, &put, &error))
    bawn_log_warn ("core", "this storage cannot be opened by the unseal key of this node: %s", error->message);
  else if (put)
    bawn_log_info ("core", "from now on the unseal key of this node opens this storage");
}
