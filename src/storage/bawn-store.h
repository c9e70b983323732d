/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-txn.h"

G_BEGIN_DECLS

#define BAWN_STORE_CACHE_DEFAULT (8 * 1024 * 1024)
#define BAWN_STORE_FENCE_KEY "core/fence"

/**
 * BawnStore:
 *
 * A backend with its cache and its committer. Thread-safe.
 *
 * Reads may begin at any time. Commits need a term: bawn_store_open_term() takes the fence in the storage and
 * starts the committer, after which no commit of any earlier term, here or in another process, can succeed.
 */
#define BAWN_TYPE_STORE (bawn_store_get_type ())
G_DECLARE_FINAL_TYPE (BawnStore, bawn_store, BAWN, STORE, GObject)

BawnStore *bawn_store_new (BawnBackend *backend, gsize cache_bytes);
BawnBackend *bawn_store_get_backend (BawnStore *store);

/* @epoch 0 takes one more than the fence shows (a node alone); otherwise it must be greater than that. Blocks.
 * The cache is emptied between taking the fence and returning. */
gboolean bawn_store_open_term (BawnStore *store, guint64 epoch, GCancellable *cancellable, GError **error);
/* Waits for the batch in flight, refuses the rest with STANDBY, empties the cache. Blocks. */
void bawn_store_close_term (BawnStore *store);
guint64 bawn_store_get_epoch (BawnStore *store);
/* Asks the storage itself whether the open term is still the latest: then what memory knows was true up to this call. For a node
 * whose lease does not say so. Blocks. */
gboolean bawn_store_check_fence (BawnStore *store, GError **error);
/* Lets nobody wait any longer for a commit that the storage does not answer: see bawn_committer_give_up(). */
void bawn_store_give_up (BawnStore *store, gint64 patience_us);

/* "deposed": emitted once, on the committer's thread, when the storage refuses the fence, or answers a commit that was
 * given up. */

/* @codec (nullable) is kept until the transaction ends. */
BawnTxn *bawn_store_begin (BawnStore *store, BawnCodec *codec, gboolean may_block);

/* Validates what was read and commits what was written; without writes it only validates, at once. CONFLICT: run
 * the request again on a new transaction. The callback comes in the caller's thread-default main context. */
void bawn_txn_commit_async (BawnTxn *txn, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean bawn_txn_commit_finish (BawnTxn *txn, GAsyncResult *result, GError **error);
/* The same, blocking: for workers. */
gboolean bawn_txn_commit (BawnTxn *txn, GError **error);
/* The same, but no longer than that: TIMEOUT if it was not sent, and never will be; UNKNOWN_OUTCOME if it was. */
gboolean bawn_txn_commit_within (BawnTxn *txn, gint64 patience_us, GError **error);
/* For a transaction without writes: TRUE if all it has read still belongs to one moment. Never blocks. */
gboolean bawn_txn_validate (BawnTxn *txn, GError **error);

/**
 * BawnStoreStats: counters since the start, for metrics
 */
typedef struct
{
  guint64 commits;         /* batches sent */
  guint64 transactions;    /* transactions in them */
  guint64 conflicts;       /* transactions sent back */
  guint64 unknown;         /* batches whose answer was lost */
  guint64 cache_hits;
  guint64 cache_misses;
  guint64 cache_bytes;
  guint64 cache_entries;
} BawnStoreStats;

void bawn_store_get_stats (BawnStore *store, BawnStoreStats *out_stats);

G_END_DECLS
