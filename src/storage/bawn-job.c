/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-job.h"

#include <string.h>

static void
write_clear (BawnWrite *write)
{
  g_free ((gpointer) write->key);
  g_clear_pointer (&write->value, g_bytes_unref);
}

/* Every folder above the key: its listing may gain or lose a name. */
static void
touch_folders (BawnJob *job, const char *key)
{
  for (const char *slash = strrchr (key, '/'); slash != NULL;
       slash = g_strrstr_len (key, slash - key, "/"))
    if (!g_hash_table_add (job->touched, g_strndup (key, (gsize) (slash - key) + 1)))
      return;

  g_hash_table_add (job->touched, g_strdup (""));
}

/**
 * bawn_job_new:
 * @txn: the transaction
 * @reads: what it has read, which lives as long as @txn
 *
 * Returns: (transfer full): a job that writes nothing yet
 */
BawnJob *
bawn_job_new (BawnTxn *txn, const BawnReadset *reads)
{
  BawnJob *job = g_new0 (BawnJob, 1);

  g_atomic_ref_count_init (&job->refs);
  job->txn = bawn_txn_ref (txn);
  job->reads = reads;
  job->writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_array_set_clear_func (job->writes, (GDestroyNotify) write_clear);
  job->touched = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init (&job->lock);
  g_cond_init (&job->answered);
  job->link.data = job;
  return job;
}

/**
 * bawn_job_ref:
 * @job: a job
 *
 * Returns: (transfer full): @job
 */
BawnJob *
bawn_job_ref (BawnJob *job)
{
  g_atomic_ref_count_inc (&job->refs);
  return job;
}

/**
 * bawn_job_unref:
 * @job: (transfer full): a job
 */
void
bawn_job_unref (BawnJob *job)
{
  if (!g_atomic_ref_count_dec (&job->refs))
    return;

  /* Not g_cancellable_disconnect(), which would wait for itself when the cancellation is what ends
   * the job. */
  if (job->recall_id != 0)
    g_signal_handler_disconnect (job->cancellable, job->recall_id);
  g_clear_error (&job->error);
  g_clear_object (&job->task);
  g_clear_object (&job->cancellable);
  g_cond_clear (&job->answered);
  g_mutex_clear (&job->lock);
  g_hash_table_unref (job->touched);
  g_array_unref (job->writes);
  bawn_txn_unref (job->txn);
  g_free (job);
}

/**
 * bawn_job_add:
 * @job: a job
 * @kind: put or delete
 * @key: a key that the job does not write yet
 * @value: (nullable): the sealed bytes of a put
 * @changes_listing: whether the folders above may look different afterwards
 */
void
bawn_job_add (
    BawnJob *job, BawnWriteKind kind, const char *key, GBytes *value, gboolean changes_listing)
{
  const BawnWrite write = { kind, g_strdup (key), value != NULL ? g_bytes_ref (value) : NULL };

  g_array_append_val (job->writes, write);
  g_hash_table_add (job->touched, g_strdup (key));
  if (changes_listing)
    touch_folders (job, key);
  job->bytes += strlen (key) + (value != NULL ? g_bytes_get_size (value) : 0);
}

/**
 * bawn_job_set_task:
 * @job: a job
 * @task: the task that gets the answer
 */
void
bawn_job_set_task (BawnJob *job, GTask *task)
{
  job->task = g_object_ref (task);
}

/**
 * bawn_job_answer:
 * @job: (transfer full): a job
 * @error: (transfer full) (nullable): why it was not committed; %NULL if it was
 *
 * Tells whoever waits. Nobody does any more if there was an answer already.
 */
void
bawn_job_answer (BawnJob *job, GError *error)
{
  g_mutex_lock (&job->lock);

  gboolean heard = !job->done && job->task == NULL;
  g_autoptr (GTask) task = g_steal_pointer (&job->task);

  if (heard)
    job->error = error;
  job->done = TRUE;
  g_cond_signal (&job->answered);
  g_mutex_unlock (&job->lock);

  bawn_job_unref (job);
  if (task == NULL && !heard)
    g_clear_error (&error);
  else if (task != NULL && error != NULL)
    g_task_return_error (task, error);
  else if (task != NULL)
    g_task_return_boolean (task, TRUE);
}

/**
 * bawn_job_wait_until:
 * @job: a job without a task
 * @until: in monotonic time
 *
 * Waits for the answer, which bawn_job_wait() has then.
 *
 * Returns: %TRUE if there is one
 */
gboolean
bawn_job_wait_until (BawnJob *job, gint64 until)
{
  g_mutex_lock (&job->lock);
  while (!job->done && g_cond_wait_until (&job->answered, &job->lock, until))
    ;

  gboolean done = job->done;

  g_mutex_unlock (&job->lock);
  return done;
}

/**
 * bawn_job_wait:
 * @job: a job without a task
 * @error: (out) (optional): why it was not committed
 *
 * Waits for the answer.
 *
 * Returns: %TRUE if it was committed
 */
gboolean
bawn_job_wait (BawnJob *job, GError **error)
{
  g_mutex_lock (&job->lock);
  while (!job->done)
    g_cond_wait (&job->answered, &job->lock);
  g_mutex_unlock (&job->lock);

  if (job->error == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&job->error));
  return FALSE;
}
