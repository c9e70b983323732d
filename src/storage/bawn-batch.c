/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-batch.h"

#include "storage/bawn-fence.h"

/**
 * bawn_batch_new:
 *
 * Returns: (transfer full): a batch that only touches the fence
 */
BawnBatch *
bawn_batch_new (void)
{
  BawnBatch *batch = g_new0 (BawnBatch, 1);
  const BawnWrite fence = { BAWN_WRITE_PUT, BAWN_STORE_FENCE_KEY, NULL };

  batch->jobs = g_ptr_array_new ();
  batch->writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_array_append_val (batch->writes, fence);
  batch->touched = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_add (batch->touched, (gpointer) BAWN_STORE_FENCE_KEY);
  batch->index = g_hash_table_new (g_str_hash, g_str_equal);
  batch->bytes = BAWN_FENCE_MAX_BYTES;
  return batch;
}

/**
 * bawn_batch_free:
 * @batch: (transfer full): a batch; its jobs must be answered afterwards, since their names are in
 * it
 */
void
bawn_batch_free (BawnBatch *batch)
{
  g_hash_table_unref (batch->index);
  g_hash_table_unref (batch->touched);
  g_array_unref (batch->writes);
  g_ptr_array_unref (batch->jobs);
  g_clear_pointer (&batch->fence, g_bytes_unref);
  g_free (batch);
}

/**
 * bawn_batch_has_room:
 * @batch: a batch
 * @job: a job
 * @limits: what one commit may hold
 *
 * Returns: %TRUE if @job still fits in; it is always so for a batch without jobs
 */
gboolean
bawn_batch_has_room (const BawnBatch *batch, const BawnJob *job, const BawnBackendLimits *limits)
{
  return batch->jobs->len == 0
         || (batch->writes->len + job->writes->len <= limits->max_writes
             && batch->bytes + job->bytes <= limits->max_commit);
}

/**
 * bawn_batch_agrees:
 * @batch: a batch
 * @job: a job
 *
 * Returns: %TRUE if @job has read nothing that the batch changes
 */
gboolean
bawn_batch_agrees (const BawnBatch *batch, const BawnJob *job)
{
  for (guint i = 0; i < bawn_readset_get_size (job->reads); i++)
    {
      const char *name = bawn_readset_name (job->reads, bawn_readset_get (job->reads, i));

      if (g_hash_table_contains (batch->touched, name))
        return FALSE;
    }

  return TRUE;
}

/**
 * bawn_batch_add:
 * @batch: a batch
 * @job: a job that it has room for and agrees with; it must outlive the batch
 *
 * Puts @job behind the others. Where an earlier one writes the same key, that write is never seen
 * and left out.
 */
void
bawn_batch_add (BawnBatch *batch, BawnJob *job)
{
  GHashTableIter iter;
  gpointer name = NULL;

  for (guint i = 0; i < job->writes->len; i++)
    {
      const BawnWrite *write = &g_array_index (job->writes, BawnWrite, i);
      guint at = GPOINTER_TO_UINT (g_hash_table_lookup (batch->index, write->key));

      if (at != 0)
        {
          g_array_index (batch->writes, BawnWrite, at) = *write;
          continue;
        }
      g_hash_table_insert (batch->index, (gpointer) write->key,
                           GUINT_TO_POINTER (batch->writes->len));
      g_array_append_vals (batch->writes, write, 1);
    }

  g_hash_table_iter_init (&iter, job->touched);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (batch->touched, name);
  batch->bytes += job->bytes;
  g_ptr_array_add (batch->jobs, job);
}

/**
 * bawn_batch_set_fence:
 * @batch: a batch
 * @fence: the record that is written with it
 */
void
bawn_batch_set_fence (BawnBatch *batch, GBytes *fence)
{
  g_clear_pointer (&batch->fence, g_bytes_unref);
  batch->fence = g_bytes_ref (fence);
  g_array_index (batch->writes, BawnWrite, 0).value = batch->fence;
}
