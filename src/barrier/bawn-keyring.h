/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-crypto.h"

G_BEGIN_DECLS

/* 8192 terms serialise to 416 KiB, below the smallest value limit of a storage (512 KiB, Consul). */
#define BAWN_KEYRING_MAX_TERMS 8192

/**
 * BawnKeyring:
 *
 * The keys of all terms and the root key that guards them. Immutable and reference-counted: rotation makes another
 * one. Thread-safe.
 */
typedef struct _BawnKeyring BawnKeyring;

/**
 * BawnTerm:
 * @number: 1 or more
 * @key: its AES-256 key
 * @install_us: when it was made, microseconds since 1970
 * @encryptions: how often it had been used to seal when this was written; an estimate
 *
 * One term. New entries are sealed with the newest; the others open what was sealed before.
 */
typedef struct
{
  guint32 number;
  BawnSecret *key;
  gint64 install_us;
  guint64 encryptions;
} BawnTerm;

/* A new root key, and term 1 with a new key. */
BawnKeyring *bawn_keyring_new (gint64 now_us);
/* The same with one more term, which is the active one. LIMITED at BAWN_KEYRING_MAX_TERMS. */
BawnKeyring *bawn_keyring_rotate (BawnKeyring *keyring, gint64 now_us, GError **error);
/* The same with another count for one term. */
BawnKeyring *bawn_keyring_with_encryptions (BawnKeyring *keyring, guint32 number, guint64 encryptions);
BawnKeyring *bawn_keyring_ref (BawnKeyring *keyring);
void bawn_keyring_unref (BawnKeyring *keyring);

const BawnTerm *bawn_keyring_get_active (const BawnKeyring *keyring);
const BawnTerm *bawn_keyring_lookup (const BawnKeyring *keyring, guint32 number);
guint bawn_keyring_get_n_terms (const BawnKeyring *keyring);
const BawnTerm *bawn_keyring_get_term (const BawnKeyring *keyring, guint index);
BawnSecret *bawn_keyring_get_root_key (const BawnKeyring *keyring);
/* TRUE if all terms of @older are in @keyring, with the same keys. */
gboolean bawn_keyring_extends (const BawnKeyring *keyring, const BawnKeyring *older);

/* As it is stored, in locked memory; the root key is not in it. */
BawnSecret *bawn_keyring_serialise (const BawnKeyring *keyring);
BawnKeyring *bawn_keyring_parse (const BawnSecret *serialised, BawnSecret *root_key, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnKeyring, bawn_keyring_unref)

G_END_DECLS
