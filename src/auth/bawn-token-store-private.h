/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-token-record.h"
#include "auth/bawn-token-store.h"

G_BEGIN_DECLS

#define BAWN_TOKEN_ID_PREFIX "sys/token/id/"
#define BAWN_TOKEN_ACCESSOR_PREFIX "sys/token/accessor/"
#define BAWN_TOKEN_PARENT_PREFIX "sys/token/parent/"
#define BAWN_TOKEN_SWEEP_PREFIX "sys/token/sweep/"

/* Bounds what a look-up costs: every ancestor is read. Nobody is known to nest tokens deeper than a
 * few. */
#define BAWN_TOKEN_MAX_DEPTH 100

/* Characters of a hash in hex. */
#define BAWN_TOKEN_HASH_SIZE (2 * BAWN_SHA256_SIZE)

/* What @num_uses says after the last use. */
#define BAWN_TOKEN_SPENT (-1)

/* Writes of one step of sweeping: with those of creating a token in the same commit it stays below
 * 64, the smallest limit that a storage we know of puts on a commit (Consul's). */
#define BAWN_TOKEN_SWEEP_WRITES 48

struct _BawnTokenStore
{
  gatomicrefcount refs;
  BawnClock *clock;
  BawnSecret *id_key;
  BawnSecret *accessor_key;
  BawnSecret *batch_key;
};

char *bawn_token_store_hash_accessor (BawnTokenStore *store, const char *accessor);
/* What is stored, valid or not; the stub of a token too. NULL if nothing is. */
gboolean bawn_token_store_get_record (BawnTxn *txn,
                                      const char *hash,
                                      BawnTokenRecord **out_record,
                                      GError **error);
/* Whether a child of @parent may live: its ancestors are there and have not ended. @out_depth: how
 * many they are. */
gboolean bawn_token_store_check_line (BawnTxn *txn,
                                      const char *parent,
                                      gint64 now_us,
                                      gboolean *out_alive,
                                      guint *out_depth,
                                      GError **error);
/* The id of the lease of a token itself. */
char *bawn_token_store_lease_id (const BawnToken *token);
/* One bounded step for one token. @out_done: nothing is left of it. */
gboolean bawn_token_store_sweep_one (
    BawnTokenStore *store, BawnTxn *txn, const char *hash, gboolean *out_done, GError **error);

/* Batch tokens: all there is to know is sealed into the id. NULL for an id that was not sealed with
 * this key. */
char *bawn_token_batch_seal (const BawnSecret *key, const BawnToken *token);
BawnToken *bawn_token_batch_open (const BawnSecret *key, const char *id);

G_END_DECLS
