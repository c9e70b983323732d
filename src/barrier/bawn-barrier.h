/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-keyring.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

/* When a term must be replaced: 90 % of the 2^32 random nonces that NIST SP 800-38D, 8.3, allows for a key. */
#define BAWN_BARRIER_MAX_OPERATIONS G_GUINT64_CONSTANT (3865470566)
/* Encryptions after which the counts should be written down again; see bawn_barrier_counts_due(). */
#define BAWN_BARRIER_COUNT_STEP G_GUINT64_CONSTANT (1000000)

/**
 * BawnBarrier:
 *
 * Above it plaintext, below it ciphertext: the codec of transactions. It is sealed, and then every call fails with
 * BAWN_ERROR_SEALED, or it holds a keyring. Thread-safe; seal and open of the codec never block for long.
 *
 * The records it is opened with (bawn_barrier_is_outside()) go through it unchanged, since they are sealed with
 * other keys or not at all: so one transaction can write them together with anything else.
 */
#define BAWN_TYPE_BARRIER (bawn_barrier_get_type ())
G_DECLARE_FINAL_TYPE (BawnBarrier, bawn_barrier, BAWN, BARRIER, GObject)

/* A sealed one. */
BawnBarrier *bawn_barrier_new (void);

gboolean bawn_barrier_is_sealed (BawnBarrier *barrier);
/* Unseals, or swaps the keyring after a rotation; counts go on from what is known here or there, whichever is more. */
void bawn_barrier_adopt (BawnBarrier *barrier, BawnKeyring *keyring);
/* When this returns nobody is using a key any more, and all are wiped but those that others hold. */
void bawn_barrier_seal (BawnBarrier *barrier);

/* The keyring with the counts of this moment; NULL when sealed. */
BawnKeyring *bawn_barrier_dup_keyring (BawnBarrier *barrier);
/* The active term, when it was installed and how often it was used; FALSE when sealed. */
gboolean bawn_barrier_get_key_status (BawnBarrier *barrier, guint32 *out_term, gint64 *out_install_us,
                                      guint64 *out_encryptions);
/* TRUE if the active term was used BAWN_BARRIER_COUNT_STEP times since its count was last adopted. */
gboolean bawn_barrier_counts_due (BawnBarrier *barrier);
/* The highest term that an entry was sealed with and that the keyring lacks, 0 if there was none: the keyring was
 * rotated elsewhere, bawn_barrier_reload() may help. */
guint32 bawn_barrier_get_missing_term (BawnBarrier *barrier);

/* TRUE for the keys that the codec leaves as they are. */
gboolean bawn_barrier_is_outside (const char *key);

G_END_DECLS
