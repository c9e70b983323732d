/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-store-private.h"

#include "storage/bawn-committer.h"

struct _BawnStore
{
  GObject parent_instance;

  BawnBackend *backend;
  BawnMirror *mirror;

  GMutex lock;
  BawnCommitter *committer; /* (nullable): the term, open or deposed */
  BawnStoreStats past;      /* of earlier terms */
};

G_DEFINE_FINAL_TYPE (BawnStore, bawn_store, G_TYPE_OBJECT)

static guint deposed_signal = 0;

static BawnCommitter *
ref_committer (BawnStore *store)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&store->lock);

  return store->committer != NULL ? bawn_committer_ref (store->committer) : NULL;
}

static void
on_deposed (gpointer owner)
{
  g_signal_emit (owner, deposed_signal, 0);
}

static void
bawn_store_dispose (GObject *object)
{
  bawn_store_close_term (BAWN_STORE (object));

  G_OBJECT_CLASS (bawn_store_parent_class)->dispose (object);
}

static void
bawn_store_finalize (GObject *object)
{
  BawnStore *store = BAWN_STORE (object);

  g_clear_pointer (&store->mirror, bawn_mirror_unref);
  g_clear_object (&store->backend);
  g_mutex_clear (&store->lock);

  G_OBJECT_CLASS (bawn_store_parent_class)->finalize (object);
}

static void
bawn_store_class_init (BawnStoreClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = bawn_store_dispose;
  object_class->finalize = bawn_store_finalize;

  /**
   * BawnStore::deposed:
   *
   * The storage refused the fence: another node is active, and the term here is over. Or it has
   * answered a commit that was given up, and the term is over because of that. On the committer's
   * thread; a handler hands over to its own and does not open a term by itself.
   */
  deposed_signal = g_signal_new ("deposed", BAWN_TYPE_STORE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
}

static void
bawn_store_init (BawnStore *store)
{
  g_mutex_init (&store->lock);
}

/**
 * bawn_store_new:
 * @backend: the storage
 * @cache_bytes: how much of it to keep in memory
 *
 * Returns: (transfer full): a store without a term
 */
BawnStore *
bawn_store_new (BawnBackend *backend, gsize cache_bytes)
{
  g_return_val_if_fail (BAWN_IS_BACKEND (backend), NULL);

  BawnStore *store = g_object_new (BAWN_TYPE_STORE, NULL);

  store->backend = g_object_ref (backend);
  store->mirror = bawn_mirror_new (backend, cache_bytes);
  return store;
}

/**
 * bawn_store_get_backend:
 * @store: a store
 *
 * Returns: (transfer none): its storage
 */
BawnBackend *
bawn_store_get_backend (BawnStore *store)
{
  g_return_val_if_fail (BAWN_IS_STORE (store), NULL);

  return store->backend;
}

/**
 * bawn_store_open_term:
 * @store: a store without an open term
 * @epoch: the epoch to begin; 0 takes one more than the storage shows
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): DEPOSED if the storage shows @epoch or a later one, or what the storage
 * says
 *
 * Takes the fence and starts to commit. Blocks; not from a handler of #BawnStore::deposed.
 *
 * Returns: %TRUE if the term is open
 */
gboolean
bawn_store_open_term (BawnStore *store, guint64 epoch, GCancellable *cancellable, GError **error)
{
  BawnFence fence = { 0 };

  g_return_val_if_fail (BAWN_IS_STORE (store), FALSE);
  g_return_val_if_fail (bawn_store_get_epoch (store) == 0, FALSE);

  bawn_store_close_term (store);
  if (!bawn_fence_take (store->backend, epoch, &fence, cancellable, error))
    return FALSE;

  bawn_mirror_open (store->mirror);
  g_mutex_lock (&store->lock);
  store->committer =
      bawn_committer_new (store->backend, store->mirror, &fence, G_OBJECT (store), on_deposed);
  g_mutex_unlock (&store->lock);
  return TRUE;
}

/**
 * bawn_store_close_term:
 * @store: a store
 *
 * Ends the term, if there is one: see bawn_committer_close(). Blocks, except in a handler of
 * #BawnStore::deposed.
 */
void
bawn_store_close_term (BawnStore *store)
{
  g_return_if_fail (BAWN_IS_STORE (store));

  g_mutex_lock (&store->lock);

  g_autoptr (BawnCommitter) committer = g_steal_pointer (&store->committer);

  g_mutex_unlock (&store->lock);
  if (committer == NULL)
    return;

  bawn_committer_close (committer);
  bawn_mirror_close (store->mirror);
  g_mutex_lock (&store->lock);
  bawn_committer_add_stats (committer, &store->past);
  g_mutex_unlock (&store->lock);
}

/**
 * bawn_store_check_fence:
 * @store: a store
 * @error: (out) (optional): STANDBY if there is no term; DEPOSED if another node has begun one since;
 * or what the storage says
 *
 * Every later term begins with the fence, before it writes anything else. Blocks; any thread.
 *
 * Returns: %TRUE if no other node had written anything when this was called
 */
gboolean
bawn_store_check_fence (BawnStore *store, GError **error)
{
  g_return_val_if_fail (BAWN_IS_STORE (store), FALSE);

  g_autoptr (BawnCommitter) committer = ref_committer (store);

  BawnFence taken = { 0 };
  BawnFence seen = { 0 };

  if (committer == NULL || bawn_committer_get_epoch (committer) == 0)
    return bawn_fail (error, BAWN_ERROR_STANDBY, "this node is not active");

  bawn_committer_get_taken (committer, &taken);
  if (!bawn_fence_read (store->backend, &seen, NULL, error))
    return FALSE;
  if (!bawn_fence_same_term (&seen, &taken))
    return bawn_fail (error, BAWN_ERROR_DEPOSED, "another node is active now");

  return TRUE;
}

/**
 * bawn_store_give_up:
 * @store: a store
 * @patience_us: how long a commit may have been under way
 *
 * For a node that cannot say that it is still active: see bawn_committer_give_up(). Never waits; any
 * thread.
 */
void
bawn_store_give_up (BawnStore *store, gint64 patience_us)
{
  g_return_if_fail (BAWN_IS_STORE (store));

  g_autoptr (BawnCommitter) committer = ref_committer (store);

  if (committer != NULL)
    bawn_committer_give_up (committer, patience_us);
}

/**
 * bawn_store_get_epoch:
 * @store: a store
 *
 * Returns: the epoch of the open term; 0 if there is none
 */
guint64
bawn_store_get_epoch (BawnStore *store)
{
  g_return_val_if_fail (BAWN_IS_STORE (store), 0);

  g_autoptr (BawnCommitter) committer = ref_committer (store);

  return committer != NULL ? bawn_committer_get_epoch (committer) : 0;
}

/**
 * bawn_store_get_stats:
 * @store: a store
 * @out_stats: (out): counters since it was made
 */
void
bawn_store_get_stats (BawnStore *store, BawnStoreStats *out_stats)
{
  g_return_if_fail (BAWN_IS_STORE (store));

  g_mutex_lock (&store->lock);
  *out_stats = store->past;
  if (store->committer != NULL)
    bawn_committer_add_stats (store->committer, out_stats);
  g_mutex_unlock (&store->lock);
  bawn_mirror_add_stats (store->mirror, out_stats);
}

/*< private >*/
BawnMirror *
bawn_store_peek_mirror (BawnStore *store)
{
  return store->mirror;
}

void
bawn_store_submit (BawnStore *store, BawnJob *job)
{
  g_autoptr (BawnCommitter) committer = ref_committer (store);

  if (committer != NULL)
    bawn_committer_submit (committer, job);
  else
    bawn_job_answer (
        job, g_error_new_literal (BAWN_ERROR, BAWN_ERROR_STANDBY, "this node is not active"));
}

void
bawn_store_count_conflict (BawnStore *store)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&store->lock);

  store->past.conflicts++;
}
