/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-seal.h"

G_BEGIN_DECLS

/*
 * The root key once more, wrapped by a seal that opens without people: what is in core/root-key stays, so that shares open the
 * storage whatever happens to the seal. It goes through the barrier unchanged. Reads first, then puts, like the other records
 * (bawn-seal-records.h).
 */
#define BAWN_AUTO_RECORD_KEY "core/auto-root-key"

/* Wraps the root key of @barrier, which is unsealed. */
gboolean bawn_auto_record_put (BawnBarrier *barrier, BawnSeal *seal, BawnTxn *txn, GError **error);
/* The same if @seal does not open the record that is there; *out_put tells. */
gboolean bawn_auto_record_enrol (BawnBarrier *barrier, BawnSeal *seal, BawnTxn *txn, gboolean *out_put, GError **error);
/* The root key. NOT_FOUND if nothing was enrolled yet; else as bawn_seal_unwrap(). */
BawnSecret *bawn_auto_record_open (BawnSeal *seal, BawnTxn *txn, GError **error);

G_END_DECLS
