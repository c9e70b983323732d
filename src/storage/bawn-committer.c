/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-committer.h"

#include "storage/bawn-batch.h"
#include "util/bawn-log.h"

#include <string.h>

static const char does_not_answer[] = "the storage does not answer";

/* Between two questions to a storage that does not answer. */
#define BACK_OFF_MIN_MS 10
#define BACK_OFF_MAX_MS 1000

typedef enum
{
  OUTCOME_IN,
  OUTCOME_IN_AND_OVER, /* and another node has taken the fence since */
  OUTCOME_REFUSED,     /* nothing was written; the error says why */
  OUTCOME_DEPOSED,     /* nothing was written and never will be */
  OUTCOME_LOST,        /* other nodes have taken the fence since, and it cannot be told any more */
  OUTCOME_TOO_LATE,    /* it is known, but whoever waited was told that it is not */
  OUTCOME_UNKNOWN,     /* the term was closed before the storage said */
} Outcome;

static gboolean
is_over (Outcome outcome)
{
  return outcome == OUTCOME_IN_AND_OVER || outcome == OUTCOME_DEPOSED || outcome == OUTCOME_LOST
         || outcome == OUTCOME_TOO_LATE;
}

struct _BawnCommitter
{
  gatomicrefcount refs;
  BawnBackend *backend;
  BawnMirror *mirror;
  BawnBackendLimits limits;
  BawnFence taken; /* as the term began */
  BawnFence fence; /* the thread's own */
  GWeakRef owner;
  BawnDeposedFunc deposed;
  GThread *thread;
  GCancellable *cancellable;

  GMutex lock;
  GCond changed;
  GQueue queue;
  gboolean closing;
  gboolean finished;
  BawnBatch *under_way; /* nullable */
  gint64 sent_at;       /* monotonic time */
  gint given_up; /* atomic: nobody waits for the batch under way, and the term ends with it */
  BawnStoreStats stats;
};

/* What a job's cancellable calls back with. The job may be gone by then, this not. */
struct _BawnRecall
{
  BawnCommitter *committer;
  BawnJob *job; /* (nullable): only while it is in the queue; under the committer's lock */
};

static void
recall_free (BawnRecall *recall)
{
  bawn_committer_unref (recall->committer);
  g_free (recall);
}

static void
unqueue_locked (BawnCommitter *self, BawnJob *job)
{
  g_queue_unlink (&self->queue, &job->link);
  if (job->recall != NULL)
    job->recall->job = NULL;
}

static void
on_cancelled (GCancellable *cancellable, BawnRecall *recall)
{
  BawnCommitter *self = recall->committer;

  g_mutex_lock (&self->lock);

  BawnJob *job = recall->job;

  if (job != NULL)
    unqueue_locked (self, job);
  g_mutex_unlock (&self->lock);

  if (job != NULL)
    bawn_job_answer (job, g_error_new_literal (BAWN_ERROR, BAWN_ERROR_TIMEOUT,
                                               "given up before it was committed"));
}

/* Before the job is queued, since it may be gone right after. */
static void
heed_cancellable (BawnCommitter *self, BawnJob *job)
{
  if (job->cancellable == NULL)
    return;

  BawnRecall *recall = g_new0 (BawnRecall, 1);

  recall->committer = bawn_committer_ref (self);
  job->recall = recall;
  job->recall_id = g_cancellable_connect (job->cancellable, G_CALLBACK (on_cancelled), recall,
                                          (GDestroyNotify) recall_free);
  if (job->recall_id == 0)
    job->recall = NULL;
}

static void
answer_all (GQueue *jobs, BawnErrorCode code, const char *text)
{
  GList *link = NULL;

  while ((link = g_queue_pop_head_link (jobs)) != NULL)
    bawn_job_answer (link->data, g_error_new_literal (BAWN_ERROR, (gint) code, text));
}

static void
take_queue_locked (BawnCommitter *self, GQueue *out_jobs)
{
  while (self->queue.head != NULL)
    {
      BawnJob *job = self->queue.head->data;

      unqueue_locked (self, job);
      g_queue_push_tail_link (out_jobs, &job->link);
    }
}

/* Sorts the waiting jobs: into the batch, back to their owners, or to the next batch. */
static void
gather_locked (BawnCommitter *self, BawnBatch *batch, GQueue *stale)
{
  for (GList *l = self->queue.head, *next = NULL; l != NULL; l = next)
    {
      BawnJob *job = l->data;

      next = l->next;
      if (!bawn_batch_has_room (batch, job, &self->limits))
        return;
      if (!bawn_mirror_judge (self->mirror, job->reads))
        {
          unqueue_locked (self, job);
          g_queue_push_tail_link (stale, l);
        }
      else if (bawn_batch_agrees (batch, job))
        {
          unqueue_locked (self, job);
          bawn_batch_add (batch, job);
        }
    }
}

/* Waits for work; FALSE when the term is over. */
static gboolean
next_batch (BawnCommitter *self, BawnBatch *batch)
{
  GQueue stale = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  while (!self->closing && self->queue.head == NULL)
    g_cond_wait (&self->changed, &self->lock);

  gboolean closing = self->closing;

  if (!closing)
    gather_locked (self, batch, &stale);
  self->stats.conflicts += stale.length;
  g_mutex_unlock (&self->lock);

  if (batch->jobs->len > 0)
    bawn_mirror_depart (self->mirror, batch->touched);
  answer_all (&stale, BAWN_ERROR_CONFLICT, "what was read has changed; the request must run again");
  return !closing;
}

static gboolean
commit (BawnCommitter *self, const BawnBatch *batch, guint64 *out_version, GError **error)
{
  const BawnCondition unfenced = { BAWN_STORE_FENCE_KEY, self->fence.version };

  return bawn_backend_commit (self->backend, (const BawnWrite *) (gpointer) batch->writes->data,
                              batch->writes->len, &unfenced, 1, out_version, self->cancellable,
                              error);
}

/* Sleeps a little longer each time; FALSE if the term's end does not wait any longer. */
static gboolean
back_off (BawnCommitter *self, guint attempt)
{
  guint delay_ms = MIN (BACK_OFF_MIN_MS << MIN (attempt, 10), BACK_OFF_MAX_MS);
  gint64 until = g_get_monotonic_time () + delay_ms * G_TIME_SPAN_MILLISECOND;

  g_mutex_lock (&self->lock);
  while (!g_cancellable_is_cancelled (self->cancellable)
         && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);

  return !g_cancellable_is_cancelled (self->cancellable);
}

/* Another node has the fence. Whoever took it from us wrote down how far we had come. */
static Outcome
judge_from_outside (const BawnFence *seen, const BawnFence *next, gboolean was_lost)
{
  if (!was_lost)
    return OUTCOME_DEPOSED;
  if (strcmp (seen->previous, next->term) != 0)
    return OUTCOME_LOST;

  return seen->previous_sequence >= next->sequence ? OUTCOME_IN_AND_OVER : OUTCOME_DEPOSED;
}

/* The storage did not say plainly whether the batch is in. The fence does: it carries the number of
 * the last batch that got in. If ours did not, it can be sent again as it is, since at most one of
 * the two copies can find the fence at its version. */
static Outcome
find_out (BawnCommitter *self,
          const BawnBatch *batch,
          const BawnFence *next,
          gboolean was_lost,
          guint64 *out_version)
{
  for (guint attempt = 0; attempt == 0 || back_off (self, attempt - 1); attempt++)
    {
      g_autoptr (GError) local = NULL;
      BawnFence seen = { 0 };

      if (!bawn_fence_read (self->backend, &seen, self->cancellable, &local))
        {
          if (bawn_error_is (local, BAWN_ERROR_CORRUPT))
            return was_lost ? OUTCOME_LOST : OUTCOME_DEPOSED;
          continue;
        }
      if (!bawn_fence_same_term (&seen, next))
        return judge_from_outside (&seen, next, was_lost);
      if (seen.sequence == next->sequence)
        {
          *out_version = seen.version;
          return OUTCOME_IN;
        }
      if (seen.version != self->fence.version)
        return was_lost ? OUTCOME_LOST : OUTCOME_DEPOSED;
      /* Whoever was told that nobody knows has looked since, and gone on from what there was. */
      if (g_atomic_int_get (&self->given_up))
        return OUTCOME_TOO_LATE;
      if (commit (self, batch, out_version, &local))
        return OUTCOME_IN;
      was_lost |= bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME);
    }

  return OUTCOME_UNKNOWN;
}

static Outcome
send (BawnCommitter *self, BawnBatch *batch, guint64 *out_version, GError **error)
{
  g_autoptr (GError) local = NULL;
  BawnFence next = self->fence;

  next.sequence++;

  g_autoptr (GBytes) record = bawn_fence_format (&next);
  Outcome outcome = OUTCOME_IN;

  bawn_batch_set_fence (batch, record);
  if (!commit (self, batch, out_version, &local))
    {
      gboolean lost = bawn_error_is (local, BAWN_ERROR_UNKNOWN_OUTCOME);

      g_mutex_lock (&self->lock);
      self->stats.unknown += lost ? 1 : 0;
      g_mutex_unlock (&self->lock);
      outcome = lost || bawn_error_is (local, BAWN_ERROR_CONFLICT)
                    ? find_out (self, batch, &next, lost, out_version)
                    : OUTCOME_REFUSED;
    }

  if (outcome == OUTCOME_REFUSED)
    g_propagate_error (error, g_steal_pointer (&local));
  if (outcome == OUTCOME_IN)
    {
      self->fence = next;
      self->fence.version = *out_version;
    }
  return outcome;
}

static GError *
explain (Outcome outcome, const GError *refusal)
{
  switch (outcome)
    {
    case OUTCOME_IN:
    case OUTCOME_IN_AND_OVER:
      return NULL;
    case OUTCOME_REFUSED:
      return g_error_copy (refusal);
    case OUTCOME_DEPOSED:
      return g_error_new_literal (BAWN_ERROR, BAWN_ERROR_DEPOSED, "another node is active now");
    case OUTCOME_LOST:
    case OUTCOME_TOO_LATE:
    case OUTCOME_UNKNOWN:
      return g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME,
                                  "the storage did not say whether the write is in");
    }

  g_assert_not_reached ();
}

/* The one moment in which a fence shows its worth: somebody will want to know. */
static void
tell_end (BawnCommitter *self, Outcome outcome, guint n_jobs)
{
  const char *fate = outcome == OUTCOME_IN_AND_OVER ? "got in before that"
                     : outcome == OUTCOME_DEPOSED   ? "was not written"
                                                    : "may have got in before that";

  if (outcome == OUTCOME_TOO_LATE)
    bawn_log_warn ("storage",
                   "the storage has answered a batch of %u transactions that were given up "
                   "meanwhile: the term of epoch %" G_GUINT64_FORMAT " ends",
                   n_jobs, self->taken.epoch);
  else if (is_over (outcome))
    bawn_log_warn ("storage",
                   "the storage refused the fence of epoch %" G_GUINT64_FORMAT
                   ": another node is active; the last batch, of %u transactions, %s",
                   self->taken.epoch, n_jobs, fate);
}

/* From send() on, whoever waits may be given another answer, after which memory cannot follow the
 * storage any more: what was to happen after the commit will not. */
static Outcome
send_patiently (BawnCommitter *self, BawnBatch *batch, guint64 *out_version, GError **error)
{
  g_mutex_lock (&self->lock);
  self->under_way = batch;
  self->sent_at = g_get_monotonic_time ();
  g_mutex_unlock (&self->lock);

  Outcome outcome = send (self, batch, out_version, error);

  g_mutex_lock (&self->lock);
  self->under_way = NULL;
  if (self->given_up && (outcome == OUTCOME_IN || outcome == OUTCOME_REFUSED))
    outcome = OUTCOME_TOO_LATE;
  g_mutex_unlock (&self->lock);
  return outcome;
}

static Outcome run_batch (BawnCommitter *self, BawnBatch *batch);

/* What fits by the limits may still be too large together, where the storage has to add to it, such
 * as folders to deep keys. Nobody is to suffer for what others write, so each transaction is judged
 * for itself. None of them reads what an earlier one changes, so that none has become stale. */
static Outcome
run_one_by_one (BawnCommitter *self, GPtrArray *jobs)
{
  Outcome outcome = OUTCOME_IN;

  for (guint i = 0; i < jobs->len; i++)
    {
      BawnJob *job = g_ptr_array_index (jobs, i);

      if (is_over (outcome) || outcome == OUTCOME_UNKNOWN)
        {
          bawn_job_answer (job, is_over (outcome)
                                    ? explain (OUTCOME_DEPOSED, NULL)
                                    : g_error_new_literal (BAWN_ERROR, BAWN_ERROR_STANDBY,
                                                           "this node is not active any more"));
          continue;
        }

      BawnBatch *batch = bawn_batch_new ();

      bawn_batch_add (batch, job);
      bawn_mirror_depart (self->mirror, batch->touched);
      outcome = run_batch (self, batch);
    }
  return outcome;
}

/* Takes @batch. */
static Outcome
run_batch (BawnCommitter *self, BawnBatch *batch)
{
  g_autoptr (GError) refusal = NULL;
  guint64 version = 0;
  Outcome outcome = send_patiently (self, batch, &version, &refusal);
  g_autoptr (GPtrArray) jobs = g_ptr_array_ref (batch->jobs);

  tell_end (self, outcome, jobs->len);

  /* What memory knows may be wrong now, so it must be gone before anyone waiting looks at it. */
  if (is_over (outcome) || outcome == OUTCOME_UNKNOWN)
    {
      g_mutex_lock (&self->lock);
      self->closing = TRUE;
      g_mutex_unlock (&self->lock);
      bawn_mirror_close (self->mirror);
    }
  bawn_mirror_land (self->mirror, (const BawnWrite *) (gpointer) batch->writes->data,
                    batch->writes->len, outcome == OUTCOME_IN ? version : 0);
  bawn_batch_free (batch);
  if (outcome == OUTCOME_REFUSED && jobs->len > 1 && bawn_error_is (refusal, BAWN_ERROR_TOO_LARGE))
    return run_one_by_one (self, jobs);

  if (outcome == OUTCOME_IN || outcome == OUTCOME_IN_AND_OVER)
    {
      g_mutex_lock (&self->lock);
      self->stats.commits++;
      self->stats.transactions += jobs->len;
      g_mutex_unlock (&self->lock);
    }
  for (guint i = 0; i < jobs->len; i++)
    bawn_job_answer (g_ptr_array_index (jobs, i), explain (outcome, refusal));
  return outcome;
}

static void
finish (BawnCommitter *self, gboolean was_deposed)
{
  GQueue rest = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  self->closing = TRUE;
  self->finished = TRUE;
  take_queue_locked (self, &rest);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);

  if (was_deposed)
    answer_all (&rest, BAWN_ERROR_DEPOSED, "another node is active now");
  else
    answer_all (&rest, BAWN_ERROR_STANDBY, "this node is not active any more");

  g_autoptr (GObject) owner = was_deposed ? g_weak_ref_get (&self->owner) : NULL;

  if (owner != NULL)
    self->deposed (owner);
}

static gpointer
committer_thread (gpointer data)
{
  BawnCommitter *self = data;
  gboolean was_deposed = FALSE;

  while (!was_deposed)
    {
      BawnBatch *batch = bawn_batch_new ();

      if (!next_batch (self, batch))
        {
          bawn_batch_free (batch);
          break;
        }
      if (batch->jobs->len == 0)
        bawn_batch_free (batch);
      else
        was_deposed = is_over (run_batch (self, batch));
    }

  finish (self, was_deposed);
  bawn_committer_unref (self);
  return NULL;
}

/**
 * bawn_committer_new:
 * @backend: the storage
 * @mirror: what memory knows of it
 * @fence: the fence, taken
 * @owner: who is told when it is lost, if still there; not kept
 * @deposed: called with @owner then
 *
 * Starts the committer's thread, which lives until bawn_committer_close() or until it is deposed.
 *
 * Returns: (transfer full): the committer
 */
BawnCommitter *
bawn_committer_new (BawnBackend *backend,
                    BawnMirror *mirror,
                    const BawnFence *fence,
                    GObject *owner,
                    BawnDeposedFunc deposed)
{
  BawnCommitter *self = g_new0 (BawnCommitter, 1);

  g_atomic_ref_count_init (&self->refs);
  self->backend = g_object_ref (backend);
  self->mirror = bawn_mirror_ref (mirror);
  self->taken = *fence;
  self->fence = *fence;
  g_weak_ref_init (&self->owner, owner);
  self->deposed = deposed;
  self->cancellable = g_cancellable_new ();
  bawn_backend_get_limits (backend, &self->limits);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_queue_init (&self->queue);
  self->thread = g_thread_new ("bawn-commit", committer_thread, bawn_committer_ref (self));
  return self;
}

/**
 * bawn_committer_ref:
 * @self: a committer
 *
 * Returns: (transfer full): @self
 */
BawnCommitter *
bawn_committer_ref (BawnCommitter *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * bawn_committer_unref:
 * @self: (transfer full): a committer
 */
void
bawn_committer_unref (BawnCommitter *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_clear_pointer (&self->thread, g_thread_unref);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_weak_ref_clear (&self->owner);
  bawn_mirror_unref (self->mirror);
  g_object_unref (self->cancellable);
  g_object_unref (self->backend);
  g_free (self);
}

/**
 * bawn_committer_submit:
 * @self: a committer
 * @job: (transfer full): a job that a batch without other jobs has room for
 *
 * Puts @job in the queue. It is answered in any case: STANDBY if the term is over, BUSY if too many
 * wait, UPSTREAM if the batch before it was given up, TIMEOUT as soon as it is cancelled, unless it is on its way to the storage by then.
 */
void
bawn_committer_submit (BawnCommitter *self, BawnJob *job)
{
  heed_cancellable (self, job);
  g_mutex_lock (&self->lock);

  gboolean over = self->closing;
  gboolean stuck = self->given_up;
  gboolean full = self->queue.length >= BAWN_COMMITTER_MAX_QUEUE;
  gboolean cancelled = g_cancellable_is_cancelled (job->cancellable);

  if (!over && !stuck && !full && !cancelled)
    {
      g_queue_push_tail_link (&self->queue, &job->link);
      if (job->recall != NULL)
        job->recall->job = job;
      g_cond_signal (&self->changed);
    }
  g_mutex_unlock (&self->lock);

  if (over)
    bawn_job_answer (job, g_error_new_literal (BAWN_ERROR, BAWN_ERROR_STANDBY,
                                               "this node is not active any more"));
  else if (stuck)
    bawn_job_answer (job,
                     g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UPSTREAM, does_not_answer));
  else if (cancelled)
    bawn_job_answer (job, g_error_new_literal (BAWN_ERROR, BAWN_ERROR_TIMEOUT,
                                               "given up before it was committed"));
  else if (full)
    bawn_job_answer (job, g_error_new (BAWN_ERROR, BAWN_ERROR_BUSY,
                                       "more than %d writes are waiting for the storage",
                                       BAWN_COMMITTER_MAX_QUEUE));
}

/**
 * bawn_committer_give_up:
 * @self: a committer
 * @patience_us: how long a batch may have been under way
 *
 * If the storage has owed an answer for that long, nobody waits for it any more: the batch is
 * answered UNKNOWN_OUTCOME, what waits behind it and what comes is answered UPSTREAM, and is not
 * written. The batch is not sent again, either, though what was sent may get in yet. When the
 * storage answers at last, the term ends as if deposed, and the next one shuts out what is still on
 * its way. Never waits; any thread.
 */
void
bawn_committer_give_up (BawnCommitter *self, gint64 patience_us)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new ();
  GQueue rest = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);
  if (self->under_way != NULL && !self->given_up
      && g_get_monotonic_time () - self->sent_at >= patience_us)
    {
      g_atomic_int_set (&self->given_up, TRUE);
      for (guint i = 0; i < self->under_way->jobs->len; i++)
        g_ptr_array_add (jobs, bawn_job_ref (g_ptr_array_index (self->under_way->jobs, i)));
      take_queue_locked (self, &rest);
    }
  g_mutex_unlock (&self->lock);
  if (jobs->len == 0)
    return;

  bawn_log_warn ("storage",
                 "the storage does not say whether a batch of %u transactions is in: they are "
                 "given up, and %u that waited behind it",
                 jobs->len, rest.length);
  for (guint i = 0; i < jobs->len; i++)
    bawn_job_answer (g_ptr_array_index (jobs, i), explain (OUTCOME_UNKNOWN, NULL));
  answer_all (&rest, BAWN_ERROR_UPSTREAM, does_not_answer);
}

/**
 * bawn_committer_close:
 * @self: a committer
 *
 * Lets the batch under way end, answers the rest STANDBY and waits for the thread. If the storage
 * does not say within %BAWN_COMMITTER_GRACE_MS whether the batch is in, that stays unknown. On its
 * own thread, which cannot wait for itself, this only sees to it that the thread ends.
 */
void
bawn_committer_close (BawnCommitter *self)
{
  gboolean own_thread = self->thread == g_thread_self ();

  g_mutex_lock (&self->lock);
  /* Nobody waits for it. But a storage that has come back, as it has when another node is found to be active, says in a moment
   * what it thinks of the batch, and somebody will want to know. */
  gint64 grace_ms = self->given_up ? BAWN_COMMITTER_LAST_WORD_MS : BAWN_COMMITTER_GRACE_MS;
  gint64 until = g_get_monotonic_time () + grace_ms * G_TIME_SPAN_MILLISECOND;

  self->closing = TRUE;
  g_cond_broadcast (&self->changed);
  while (!own_thread && !self->finished && g_cond_wait_until (&self->changed, &self->lock, until))
    ;
  g_mutex_unlock (&self->lock);
  if (own_thread)
    return;

  g_cancellable_cancel (self->cancellable);
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
bawn_committer_get_taken (BawnCommitter *self, BawnFence *out_fence)
{
  *out_fence = self->taken;
}

/**
 * bawn_committer_get_epoch:
 * @self: a committer
 *
 * Returns: the epoch of its term; 0 if that is over
 */
guint64
bawn_committer_get_epoch (BawnCommitter *self)
{
  g_mutex_lock (&self->lock);

  guint64 epoch = self->closing ? 0 : self->taken.epoch;

  g_mutex_unlock (&self->lock);
  return epoch;
}

/**
 * bawn_committer_add_stats:
 * @self: a committer
 * @stats: where its numbers are added
 */
void
bawn_committer_add_stats (BawnCommitter *self, BawnStoreStats *stats)
{
  g_mutex_lock (&self->lock);
  stats->commits += self->stats.commits;
  stats->transactions += self->stats.transactions;
  stats->conflicts += self->stats.conflicts;
  stats->unknown += self->stats.unknown;
  g_mutex_unlock (&self->lock);
}
