/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-seal.h"

G_BEGIN_DECLS

/*
 * The records a sealed node is opened with:
 *
 *     core/seal-config   JSON in the open: BawnSealConfig
 *     core/root-key      the root key, wrapped by the seal
 *     core/keyring       the keyring, sealed with the root key
 *
 * All of these functions read first and only then put, through the transaction they are given, whose codec may be the
 * barrier or NULL. BAWN_ERROR_WOULD_BLOCK comes before anything has changed. Committing is the caller's.
 */
#define BAWN_SEAL_CONFIG_KEY "core/seal-config"
#define BAWN_ROOT_KEY_KEY "core/root-key"
#define BAWN_KEYRING_KEY "core/keyring"

/**
 * BawnSealRecords:
 *
 * What a transaction read of them, to be looked at later. Immutable once loaded.
 */
typedef struct
{
  BawnSealConfig config;
  GBytes *root_key_box;
  GBytes *keyring_box;
} BawnSealRecords;

#define BAWN_SEAL_RECORDS_INIT { .root_key_box = NULL, .keyring_box = NULL }

/* INVALID "Vault is not initialized" if they are absent; CORRUPT if only some are there. */
gboolean bawn_seal_records_load (BawnTxn *txn, BawnSealRecords *out_records, GError **error);
void bawn_seal_records_clear (BawnSealRecords *records);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnSealRecords, bawn_seal_records_clear)

/* Whether the storage holds them. */
gboolean bawn_seal_records_exist (BawnTxn *txn, gboolean *out_exist, GError **error);
/* Only the configuration; absent is TRUE with *out_present FALSE. */
gboolean bawn_seal_records_load_config (BawnTxn *txn, gboolean *out_present, BawnSealConfig *out_config, GError **error);

/* The root key if @kek opens it; DENIED if not. */
BawnSecret *bawn_seal_records_open_root_key (const BawnSealRecords *records, BawnSecret *kek, GError **error);
BawnKeyring *bawn_seal_records_open_keyring (const BawnSealRecords *records, BawnSecret *root_key, GError **error);
/* For seals that open without people. May block. */
BawnKeyring *bawn_seal_records_open (const BawnSealRecords *records, BawnSeal *seal, GCancellable *cancellable,
                                     GError **error);

/*
 * Init. Makes root key, term 1, and the seal's key in shares; puts the three records, on condition (by having read
 * them) that none existed; and unseals @barrier with the new keyring, so that the same transaction, begun with that
 * barrier as codec, can write the first mounts and the root token. @barrier should be one made for this and thrown
 * away when the commit failed. INVALID "Vault is already initialized"; shape errors carry the prefix
 * "invalid seal configuration: ".
 *
 * Shares are the raw bytes to hand out: 33 each, or one of 32 when @shares is 1. (element-type BawnSecret)
 */
GPtrArray *bawn_barrier_init_store (BawnBarrier *barrier, BawnTxn *txn, gint64 shares, gint64 threshold, gint64 now_us,
                                    GError **error);

/*
 * Rotation: prepare → put → commit → adopt. @keyring comes from bawn_barrier_dup_keyring(), by way of
 * bawn_keyring_rotate() for a new term or as it is to write down its counts. CONFLICT if the storage holds terms
 * that it lacks.
 */
gboolean bawn_barrier_put_keyring (BawnBarrier *barrier, BawnKeyring *keyring, BawnTxn *txn, GError **error);

/* Reads the keyring again with the root key that is in memory, and adopts it: how a standby catches up, however many
 * rotations and rekeys it missed. */
gboolean bawn_barrier_reload (BawnBarrier *barrier, BawnTxn *txn, GError **error);

/* Rekey: wraps the root key with another seal's key and writes the configuration that goes with it. The root key
 * itself stays, so that nodes which are unsealed meanwhile can follow. */
gboolean bawn_barrier_put_seal (BawnBarrier *barrier, const BawnSealConfig *config, BawnSecret *kek, BawnTxn *txn,
                                GError **error);

G_END_DECLS
