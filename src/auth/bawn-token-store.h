/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "auth/bawn-lease.h"
#include "crypto/bawn-crypto.h"
#include "logical/bawn-mount.h"
#include "logical/bawn-token.h"
#include "storage/bawn-txn.h"
#include "util/bawn-clock.h"

G_BEGIN_DECLS

/**
 * BawnTokenStore:
 *
 * Tokens, in unscoped transactions. Stored under a keyed hash: sys/token/id/<hash>, sys/token/accessor/<hash of the
 * accessor>, sys/token/parent/<parent>/<child>. Stateless but for its keys; thread-safe.
 *
 * Revoking a token is one commit, whatever hangs below it: a token is good only if its ancestors are there, so a whole
 * tree dies at once, and what it leaves behind is swept later in bounded steps (bawn_token_store_sweep()). A token that
 * is revoked while its children live on leaves a stub in its place.
 */
typedef struct _BawnTokenStore BawnTokenStore;

/* @key: keys the hashes and (by derivation) seals batch tokens. @clock (nullable). */
BawnTokenStore *bawn_token_store_new (BawnSecret *key, BawnClock *clock);
BawnTokenStore *bawn_token_store_ref (BawnTokenStore *store);
void bawn_token_store_unref (BawnTokenStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnTokenStore, bawn_token_store_unref)

/* What client tokens begin with. A chosen id may not. */
#define BAWN_TOKEN_PREFIX_SERVICE "hvs."
#define BAWN_TOKEN_PREFIX_BATCH "hvb."

char *bawn_token_store_hash (BawnTokenStore *store, const char *id);

/* Stores @token (hash, accessor, cubbyhole and creation time are filled in here), with its lease if it expires and an
 * index of its parent; for a batch token nothing is stored. @want_id (nullable): a chosen id. @lease_path: what the
 * lease's id starts with, e.g. "auth/token/create". @out_id: the client token, to be wiped. */
gboolean bawn_token_store_create (BawnTokenStore *store, BawnTxn *txn, BawnToken *token, const char *want_id,
                                  const char *lease_path, char **out_id, GError **error);
/* Absent, expired, revoked, or with a revoked ancestor: TRUE with NULL. */
gboolean bawn_token_store_lookup (BawnTokenStore *store, BawnTxn *txn, const char *id, BawnToken **out_token, GError **error);
gboolean bawn_token_store_lookup_hash (BawnTokenStore *store, BawnTxn *txn, const char *hash, BawnToken **out_token, GError **error);
gboolean bawn_token_store_lookup_accessor (BawnTokenStore *store, BawnTxn *txn, const char *accessor, BawnToken **out_token, GError **error);
/* Counts one use of a token with limited uses: writes what is left; @out_last: this was the last one, and the token is
 * now marked as spent, to be revoked after the request. */
gboolean bawn_token_store_use (BawnTokenStore *store, BawnTxn *txn, BawnToken *token, gboolean *out_last, GError **error);
/* Replaces a token's record and its lease (renewal). */
gboolean bawn_token_store_update (BawnTokenStore *store, BawnTxn *txn, BawnToken *token, GError **error);
gboolean bawn_token_store_revoke (BawnTokenStore *store, BawnTxn *txn, const char *hash, GError **error);
gboolean bawn_token_store_revoke_orphan (BawnTokenStore *store, BawnTxn *txn, const char *hash, GError **error);
gboolean bawn_token_store_list_accessors (BawnTokenStore *store, BawnTxn *txn, GStrv *out_accessors, GError **error);
/* One bounded step of cleaning after revocations: children, their leases (ids of secret leases that an engine must take
 * back are made due at once), cubbyholes, indexes. @out_more: call again with a new transaction. */
gboolean bawn_token_store_sweep (BawnTokenStore *store, BawnTxn *txn, gboolean *out_more, GError **error);

/* Where cubbyholes live: the entries of one are at BAWN_CUBBYHOLE_PREFIX, the token's @cubbyhole, "/", and their path. */
#define BAWN_CUBBYHOLE_PREFIX "cubbyhole/"

/* In a token's internal map: the uuid of the login method's mount that gave it. */
#define BAWN_TOKEN_MOUNT "core.mount"

/**
 * BawnTokenServices:
 *
 * What the token engine needs of the core, given to its constructor.
 */
typedef struct
{
  /* The store of this unsealed node; ref'd; NULL when sealed. */
  BawnTokenStore *(*ref_store) (gpointer core);
  gpointer core;
  BawnClock *clock;
  /* Asks the mount's login method about renewal; @token may be changed. */
  gboolean (*renew_auth) (gpointer core, BawnTxn *txn, BawnToken *token, GError **error);
  /* There is something to sweep. */
  void (*kick_sweeper) (gpointer core);
  /* (nullable): the mount that serves a path, ref'd, for the limits of tokens that it gave; NULL: none */
  BawnMount *(*ref_mount) (gpointer core, BawnTxn *txn, const char *path);
} BawnTokenServices;

G_END_DECLS
