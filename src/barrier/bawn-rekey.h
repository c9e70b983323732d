/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-seal-records.h"

G_BEGIN_DECLS

/**
 * BawnRekey:
 *
 * Replacing the shares (sys/rekey): gathers a quorum of the present shares, makes new ones, and if so wished has
 * them proven before they count. In memory only. Thread-safe.
 *
 * A step never blocks and never commits. When a step says that it is time (@commit), the caller puts and commits
 *
 *     bawn_barrier_put_seal (barrier, &outcome.config, outcome.kek, txn, …)
 *
 * and then calls bawn_rekey_finish(). Until then the same step with the same share gives the same outcome again,
 * so a request may be run again after a conflict, and a failed commit may be repeated by sending the last share again.
 */
typedef struct _BawnRekey BawnRekey;

BawnRekey *bawn_rekey_new (void);
BawnRekey *bawn_rekey_ref (BawnRekey *rekey);
void bawn_rekey_unref (BawnRekey *rekey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnRekey, bawn_rekey_unref)

/**
 * BawnRekeyRequest:
 * @shares: how many new shares
 * @threshold: how many of them will be needed
 * @n_pgp_keys: how many PGP keys were given; anything but 0 is refused
 * @backup: whether a copy of the encrypted shares is wished; refused without PGP keys
 * @require_verification: whether the new shares must be proven first
 */
typedef struct
{
  gint64 shares;
  gint64 threshold;
  guint n_pgp_keys;
  gboolean backup;
  gboolean require_verification;
} BawnRekeyRequest;

/**
 * BawnRekeyStatus:
 *
 * The fields of the answers of sys/rekey/init; @verification_nonce is "" if there is none.
 */
typedef struct
{
  gboolean started;
  char nonce[BAWN_UUID_SIZE];
  guint shares;
  guint threshold;
  guint progress;
  gboolean verification_required;
  char verification_nonce[BAWN_UUID_SIZE];
  guint verification_progress;
} BawnRekeyStatus;

/**
 * BawnRekeyOutcome:
 * @complete: the step was the last of its kind
 * @nonce: of the operation: that of the rekey, or of its verification
 * @shares: (element-type BawnSecret) (nullable): the new shares, after the last share of an update
 * @verification_required: the new shares must now be proven
 * @verification_nonce: what for, or ""
 * @commit: it is time to commit
 * @config: what to commit
 * @kek: (nullable): what to commit
 */
typedef struct
{
  gboolean complete;
  char nonce[BAWN_UUID_SIZE];
  GPtrArray *shares;
  gboolean verification_required;
  char verification_nonce[BAWN_UUID_SIZE];
  gboolean commit;
  BawnSealConfig config;
  BawnSecret *kek;
} BawnRekeyOutcome;

#define BAWN_REKEY_OUTCOME_INIT { .complete = FALSE, .shares = NULL, .kek = NULL }

void bawn_rekey_outcome_clear (BawnRekeyOutcome *outcome);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnRekeyOutcome, bawn_rekey_outcome_clear)

gboolean bawn_rekey_begin (BawnRekey *rekey, const BawnRekeyRequest *request, GError **error);
void bawn_rekey_get_status (BawnRekey *rekey, BawnRekeyStatus *out_status);
void bawn_rekey_cancel (BawnRekey *rekey);
/* sys/rekey/update. @records: as stored now; @root_key: the one in memory, which the shares must lead to. */
gboolean bawn_rekey_update (BawnRekey *rekey, const BawnSealRecords *records, BawnSecret *root_key, BawnSecret *share,
                            const char *nonce, BawnRekeyOutcome *out_outcome, GError **error);
/* sys/rekey/verify: GET (INVALID "no rekey configuration found"), PUT, DELETE (a new nonce). */
gboolean bawn_rekey_get_verify_status (BawnRekey *rekey, BawnRekeyStatus *out_status, GError **error);
gboolean bawn_rekey_verify (BawnRekey *rekey, BawnSecret *share, const char *nonce, BawnRekeyOutcome *out_outcome,
                            GError **error);
gboolean bawn_rekey_restart_verification (BawnRekey *rekey, GError **error);
/* After the commit: forgets everything. */
void bawn_rekey_finish (BawnRekey *rekey);

G_END_DECLS
