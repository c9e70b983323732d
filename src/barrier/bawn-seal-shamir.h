/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-seal-records.h"
#include "barrier/bawn-seal.h"

G_BEGIN_DECLS

/**
 * BawnSealShamir:
 *
 * The seal that people open by shares, and how far this node has got with it. Thread-safe.
 */
#define BAWN_TYPE_SEAL_SHAMIR (bawn_seal_shamir_get_type ())
G_DECLARE_FINAL_TYPE (BawnSealShamir, bawn_seal_shamir, BAWN, SEAL_SHAMIR, GObject)

BawnSealShamir *bawn_seal_shamir_new (void);

/* One share for an unseal. TRUE with *out_keyring NULL: more are needed; a share given before changes nothing. At the
 * threshold the progress starts anew, and either *out_keyring is set, for bawn_barrier_adopt(), or the error is
 * INVALID. */
gboolean bawn_seal_shamir_give (BawnSealShamir *seal, const BawnSealRecords *records, BawnSecret *share,
                                BawnKeyring **out_keyring, GError **error);
void bawn_seal_shamir_reset (BawnSealShamir *seal);
/* For seal-status: how many shares were given, and the nonce ("" if none). */
guint bawn_seal_shamir_get_progress (BawnSealShamir *seal);
char *bawn_seal_shamir_dup_nonce (BawnSealShamir *seal);

/* The key itself, for those who have it: then bawn_seal_wrap() and bawn_seal_unwrap() work. */
void bawn_seal_shamir_set_key (BawnSealShamir *seal, BawnSecret *kek);

G_END_DECLS
