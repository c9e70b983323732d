/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-fence.h"
#include "storage/bawn-txn-private.h"

static gboolean
seal_value (BawnTxnCore *core,
            const char *key,
            const BawnPending *pending,
            GBytes **out_box,
            GError **error)
{
  if (pending->kind == BAWN_WRITE_DELETE)
    {
      *out_box = NULL;
      return TRUE;
    }

  *out_box =
      core->codec != NULL
          ? BAWN_CODEC_GET_IFACE (core->codec)->seal (core->codec, key, pending->value, error)
          : g_bytes_ref (pending->value);
  return *out_box != NULL;
}

/* A listing changes unless the transaction knows that the key stays present, or stays absent. */
static gboolean
changes_listing (GHashTable *reads, const char *key, BawnWriteKind kind)
{
  const BawnRead *read = g_hash_table_lookup (reads, key);

  return read == NULL || read->present != (kind == BAWN_WRITE_PUT);
}

static gboolean
check_value (const char *key, GBytes *box, gsize max_value, GError **error)
{
  gsize size = box != NULL ? g_bytes_get_size (box) : 0;

  if (size > max_value)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "an entry of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
                      " that the storage takes (max_value)",
                      size, max_value);

  return TRUE;
}

static gboolean
check_room (const BawnJob *job, const BawnBackendLimits *limits, GError **error)
{
  /* One write and some bytes are the fence's. */
  guint max_writes = limits->max_writes - 1;
  gsize max_bytes = limits->max_commit - BAWN_FENCE_MAX_BYTES;

  if (job->writes->len > max_writes)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "the request writes %u entries, more than the %u that the storage takes in "
                      "one commit (max_writes)",
                      job->writes->len, max_writes);
  if (job->bytes > max_bytes)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "the request writes %" G_GSIZE_FORMAT " bytes, more than the %" G_GSIZE_FORMAT
                      " that the storage takes in one commit (max_commit)",
                      job->bytes, max_bytes);

  return TRUE;
}

static BawnJob *
make_job (BawnTxn *txn, GError **error)
{
  BawnTxnCore *core = txn->core;
  g_autoptr (BawnJob) job = bawn_job_new (txn, &core->reads);
  g_autoptr (GHashTable) reads = bawn_readset_index (&core->reads);
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (bawn_store_get_backend (core->store), &limits);
  for (GTreeNode *node = g_tree_node_first (core->writes); node != NULL;
       node = g_tree_node_next (node))
    {
      const char *key = g_tree_node_key (node);
      const BawnPending *pending = g_tree_node_value (node);
      g_autoptr (GBytes) box = NULL;

      if (!seal_value (core, key, pending, &box, error)
          || !check_value (key, box, limits.max_value, error))
        return NULL;
      bawn_job_add (job, pending->kind, key, box, changes_listing (reads, key, pending->kind));
    }

  return check_room (job, &limits, error) ? g_steal_pointer (&job) : NULL;
}

/* TRUE with a job to be committed, or with none if there is nothing to wait for. */
static gboolean
prepare (BawnTxn *txn, BawnJob **out_job, GError **error)
{
  BawnTxnCore *core = txn->core;

  if (core->ended)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "the transaction was committed already");

  core->ended = TRUE;
  if (core->error != NULL)
    {
      g_propagate_error (error, g_error_copy (core->error));
      return FALSE;
    }
  if (!bawn_txn_has_writes (txn))
    return bawn_txn_validate (txn, error);

  *out_job = make_job (txn, error);
  return *out_job != NULL;
}

/**
 * bawn_txn_validate:
 * @txn: a transaction or scope
 * @error: (out) (optional): CONFLICT: run the request again on a new transaction; STANDBY: there is
 * no term, so that reads cannot be compared with one another
 *
 * Judges what was read. A single read belongs to one moment by itself, whatever was committed
 * since. But that it was the truth at that moment follows from the lease only if the lease, asked
 * about between the reading and this, was of the term whose memory was read: so it is refused if a
 * term has ended since. Never blocks.
 *
 * Returns: %TRUE if all that was read belongs to one moment
 */
gboolean
bawn_txn_validate (BawnTxn *txn, GError **error)
{
  g_return_val_if_fail (txn != NULL, FALSE);

  BawnTxnCore *core = txn->core;

  guint n_reads = bawn_readset_get_size (&core->reads);

  if (n_reads == 0)
    return TRUE;
  if (n_reads == 1 && bawn_mirror_trusts (core->mirror, bawn_readset_get (&core->reads, 0)->since))
    return TRUE;
  if (n_reads > 1 && bawn_store_get_epoch (core->store) == 0)
    return bawn_fail (error, BAWN_ERROR_STANDBY, "this node is not active");
  if (n_reads > 1 && bawn_mirror_judge (core->mirror, &core->reads))
    return TRUE;

  bawn_store_count_conflict (core->store);
  return bawn_fail (error, BAWN_ERROR_CONFLICT,
                    "what was read has changed; the request must run again");
}

/**
 * bawn_txn_commit:
 * @txn: a transaction or scope; it cannot be used any more
 * @error: (out) (optional): CONFLICT: run the request again on a new transaction; TOO_LARGE: the
 * storage cannot take that much at once; STANDBY, DEPOSED: this node is not active; BUSY;
 * UNKNOWN_OUTCOME; or what the storage says
 *
 * Commits what was written, if what was read still holds. Blocks if anything was written.
 *
 * Returns: %TRUE if it is durable
 */
gboolean
bawn_txn_commit (BawnTxn *txn, GError **error)
{
  g_return_val_if_fail (txn != NULL, FALSE);

  g_autoptr (BawnJob) job = NULL;

  if (!prepare (txn, &job, error))
    return FALSE;
  if (job == NULL)
    return TRUE;

  bawn_store_submit (txn->core->store, bawn_job_ref (job));
  return bawn_job_wait (job, error);
}

/**
 * bawn_txn_commit_within:
 * @txn: a transaction or scope; it cannot be used any more
 * @patience_us: how long to wait
 * @error: (out) (optional): as for bawn_txn_commit(); TIMEOUT if it was not sent by then, and never
 * will be; UNKNOWN_OUTCOME if it was, and may get in yet
 *
 * bawn_txn_commit() for those whose own caller does not wait for ever.
 *
 * Returns: %TRUE if it is durable
 */
gboolean
bawn_txn_commit_within (BawnTxn *txn, gint64 patience_us, GError **error)
{
  g_return_val_if_fail (txn != NULL, FALSE);

  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (BawnJob) job = NULL;

  if (!prepare (txn, &job, error))
    return FALSE;
  if (job == NULL)
    return TRUE;

  job->cancellable = g_object_ref (cancellable);
  bawn_store_submit (txn->core->store, bawn_job_ref (job));
  if (!bawn_job_wait_until (job, g_get_monotonic_time () + patience_us))
    g_cancellable_cancel (cancellable);
  if (!bawn_job_wait_until (job, 0))
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME,
                      "the storage did not say whether the write is in");

  return bawn_job_wait (job, error);
}

/**
 * bawn_txn_commit_async:
 * @txn: a transaction or scope; it cannot be used any more
 * @cancellable: (nullable): takes it back as long as it was not sent; the error is then TIMEOUT
 * @callback: called in the caller's thread-default main context; its source object is the store
 * @user_data: for @callback
 *
 * bawn_txn_commit() without the wait.
 */
void
bawn_txn_commit_async (BawnTxn *txn,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  g_return_if_fail (txn != NULL);

  g_autoptr (GTask) task = g_task_new (txn->core->store, NULL, callback, user_data);
  BawnJob *job = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, bawn_txn_commit_async);
  if (!prepare (txn, &job, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  if (job == NULL)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  job->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  bawn_job_set_task (job, task);
  bawn_store_submit (txn->core->store, job);
}

/**
 * bawn_txn_commit_finish:
 * @txn: the transaction
 * @result: what the callback was given
 * @error: (out) (optional): as for bawn_txn_commit()
 *
 * Returns: %TRUE if it is durable
 */
gboolean
bawn_txn_commit_finish (BawnTxn *txn, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, bawn_txn_commit_async), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
