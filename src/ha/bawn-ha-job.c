/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-node-private.h"

#include "util/bawn-log.h"

/* A watch is not bound by the lease; this is for one whose storage does not end it. */
#define WATCH_DEADLINE(for_us, ttl_us) ((for_us) + BAWN_HA_CALL_DEADLINE (ttl_us))

/**
 * bawn_ha_job_clear:
 * @job: a job
 */
void
bawn_ha_job_clear (BawnHaJob *job)
{
  g_clear_pointer (&job->value, g_bytes_unref);
}

/**
 * bawn_ha_result_clear:
 * @result: a result
 */
void
bawn_ha_result_clear (BawnHaResult *result)
{
  g_clear_pointer (&result->text, g_bytes_unref);
  g_clear_pointer (&result->message, g_free);
}

static BawnHaJob
sleep_until (gint64 at, gint64 now)
{
  return (BawnHaJob){ .kind = BAWN_HA_JOB_SLEEP,
                      .for_us = at == G_MAXINT64 ? G_MAXINT64 : at - now };
}

static BawnHaJob
call (const BawnHaNode *node, BawnHaJobKind kind)
{
  return (BawnHaJob){ .kind = kind, .deadline_us = BAWN_HA_CALL_DEADLINE (node->lease.ttl_us) };
}

static BawnHaJob
commit (const BawnHaNode *node, BawnHaJobKind kind, guint64 version, GBytes *value)
{
  BawnHaJob job = call (node, kind);

  job.version = version;
  job.value = value;
  return job;
}

static BawnHaJob
watch_for (const BawnHaNode *node, gint64 for_us)
{
  return (BawnHaJob){
    .kind = BAWN_HA_JOB_WATCH,
    .for_us = for_us,
    .deadline_us = WATCH_DEADLINE (for_us, node->lease.ttl_us),
    .version = node->watch.version,
  };
}

static void
end_take (BawnHaNode *node, const char *reason, gint64 now)
{
  bawn_ha_lease_forget (&node->lease);
  node->taking = FALSE;
  bawn_ha_node_step (node, BAWN_HA_NOT_TAKEN, reason, now);
}

static const char *
why_free (const BawnHaNode *node)
{
  switch (node->watch.sight)
    {
    case BAWN_HA_SIGHT_ABSENT:
      return "there is no lease yet";
    case BAWN_HA_SIGHT_FREE:
      return "the lease is free";
    case BAWN_HA_SIGHT_OWN:
      return "the lease is a forgotten one of this node's";
    case BAWN_HA_SIGHT_HELD:
      return "the lease has expired";
    case BAWN_HA_SIGHT_UNKNOWN:
    case BAWN_HA_SIGHT_GARBAGE:
      break;
    }

  return "the lease can be taken";
}

/* FALSE if something has changed and must be looked at again. */
static gboolean
next_watch (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  if (node->retry_at > now)
    {
      *out_job = sleep_until (node->retry_at, now);
      return TRUE;
    }
  if (!node->watch.fresh)
    {
      *out_job = call (node, BAWN_HA_JOB_READ);
      return TRUE;
    }

  gint64 ready =
      MAX (bawn_ha_watch_ready_at (&node->watch), MAX (node->back_off_until, node->hold_until));

  if (ready <= now)
    {
      bawn_ha_node_step (node, BAWN_HA_FREE, why_free (node), now);
      return FALSE;
    }

  *out_job = watch_for (node, MIN (bawn_ha_watch_look_us (&node->watch, now), ready - now));
  return TRUE;
}

/* What was sent may still get in: the record says so, or it does not matter any more. */
static gboolean
next_doubtful_take (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  if (now - node->lease.first_sent > node->lease.ttl_us)
    {
      node->unclean = TRUE;
      end_take (node, "whether the lease was taken could not be found out in time", now);
      return FALSE;
    }

  *out_job =
      node->lease.due > now ? sleep_until (node->lease.due, now) : call (node, BAWN_HA_JOB_READ);
  return TRUE;
}

static gboolean
next_take (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  guint64 last = MAX (MAX (node->watch.lock.epoch, node->floor), node->tried_epoch);

  if (node->lease.hold == BAWN_HA_HOLD_TAKING)
    return next_doubtful_take (node, now, out_job);
  if (node->machine.state != BAWN_HA_ACQUIRING)
    {
      end_take (node, "the take was given up", now);
      return FALSE;
    }
  if (!node->floor_known)
    {
      *out_job = call (node, BAWN_HA_JOB_FLOOR);
      return TRUE;
    }
  if (last >= BAWN_HA_EPOCH_MAX)
    {
      bawn_log_error ("ha", "no epoch is left after %" G_GUINT64_FORMAT, last);
      node->retry_at = now + BAWN_HA_BACK_OFF_MAX_US;
      end_take (node, "there is no epoch left", now);
      return FALSE;
    }

  *out_job = commit (node, BAWN_HA_JOB_TAKE, node->watch.version,
                     bawn_ha_lease_take (&node->lease, last + 1, now));
  out_job->epoch = last + 1;

  /* No two takes are of the same epoch: one that was given up and gets in late, before the next one
   * was sent, would pass for that, and others have waited since then. */
  node->tried_epoch = last + 1;
  return TRUE;
}

static gboolean
next_hold (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  BawnHaLease *lease = &node->lease;

  if (lease->hold != BAWN_HA_HOLD_HELD)
    *out_job = sleep_until (G_MAXINT64, now);
  else if (lease->due > now)
    *out_job = sleep_until (lease->due, now);
  else if (lease->must_read)
    *out_job = call (node, BAWN_HA_JOB_READ);
  else
    *out_job = commit (node, BAWN_HA_JOB_RENEW, lease->version, bawn_ha_lease_renew (lease, now));

  return TRUE;
}

static gboolean
next_release (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  BawnHaLease *lease = &node->lease;

  if (lease->hold == BAWN_HA_HOLD_NONE)
    {
      bawn_ha_node_step (node, BAWN_HA_RELEASED, "the lease is not this node's any more", now);
      return FALSE;
    }
  if (now >= node->release_until)
    {
      bawn_log_warn ("ha",
                     "the lease of epoch %" G_GUINT64_FORMAT
                     " could not be released and is left to expire",
                     lease->epoch);
      node->unclean = TRUE;
      bawn_ha_node_step (node, BAWN_HA_RELEASED, "the lease is left to expire", now);
      return FALSE;
    }

  if (lease->due > now)
    *out_job = sleep_until (MIN (lease->due, node->release_until), now);
  else if (lease->must_read)
    *out_job = call (node, BAWN_HA_JOB_READ);
  else
    *out_job = commit (node, BAWN_HA_JOB_RELEASE, lease->version,
                       bawn_ha_lease_release (lease, node->successor));
  return TRUE;
}

static gboolean
try_next_job (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  if (node->taking)
    return next_take (node, now, out_job);

  switch (node->machine.state)
    {
    case BAWN_HA_STOPPED:
      *out_job = (BawnHaJob){ .kind = BAWN_HA_JOB_END };
      return TRUE;
    case BAWN_HA_STANDBY:
      return next_watch (node, now, out_job);
    case BAWN_HA_ACQUIRING:
    case BAWN_HA_PROMOTING:
    case BAWN_HA_ACTIVE:
      return next_hold (node, now, out_job);
    case BAWN_HA_WITHDRAWING:
      break;
    }

  return node->releasing ? next_release (node, now, out_job) : next_hold (node, now, out_job);
}

/**
 * bawn_ha_node_next_job:
 * @node: a node
 * @now: the boot time
 * @out_job: (out caller-allocates): what to do
 *
 * Asks what is to be done with the storage. A commit must be sent at once: its lease counts from
 * @now on.
 */
void
bawn_ha_node_next_job (BawnHaNode *node, gint64 now, BawnHaJob *out_job)
{
  while (!try_next_job (node, now, out_job))
    continue;
}

static void
note_answer (BawnHaNode *node, const BawnHaJob *job, const BawnHaResult *result)
{
  gboolean answers = result->outcome == BAWN_HA_DONE || result->outcome == BAWN_HA_REFUSED;

  /* A watch may fail where reads do not; a read follows in any case. */
  if (job->kind == BAWN_HA_JOB_SLEEP || job->kind == BAWN_HA_JOB_FLOOR
      || job->kind == BAWN_HA_JOB_WATCH)
    return;
  if (node->storage_answers && !answers)
    {
      node->silent_since = result->sent;
      bawn_log_warn ("ha",
                     "the storage of the lease does not answer: %s; it is asked again and again, and "
                     "the log hears when it does",
                     result->message != NULL ? result->message : "no reason was given");
    }
  if (answers && node->silent_since != 0)
    {
      bawn_log_info ("ha", "the storage of the lease answers again, after %.1f s",
                     (double) (result->now - node->silent_since) / G_USEC_PER_SEC);
      node->silent_since = 0;
    }
  node->storage_answers = answers;
}

static void
lose (BawnHaNode *node, gint64 now)
{
  g_autofree char *reason = NULL;

  node->depositions++;
  if (node->watch.sight == BAWN_HA_SIGHT_HELD)
    reason = g_strdup_printf ("%s has the lease, of epoch %" G_GUINT64_FORMAT,
                              node->watch.lock.name, node->watch.lock.epoch);
  bawn_ha_node_step (node, BAWN_HA_LOST,
                     reason != NULL ? reason : "the lease is not this node's any more", now);
}

static void
taken (BawnHaNode *node, gint64 now)
{
  g_autofree char *reason =
      g_strdup_printf ("this node has the lease, of epoch %" G_GUINT64_FORMAT, node->lease.epoch);

  node->taking = FALSE;
  node->unclean = FALSE;
  bawn_ha_watch_forget (&node->watch);
  node->last_epoch = node->lease.epoch;
  bawn_ha_node_step (node, BAWN_HA_TAKEN, reason, now);
}

/* What the record, or the end of a call, has made of the lease. */
static void
settle (BawnHaNode *node, BawnHaHold before, gint64 now)
{
  BawnHaHold after = node->lease.hold;

  if (before == after)
    return;
  if (after == BAWN_HA_HOLD_HELD)
    taken (node, now);
  else if (before == BAWN_HA_HOLD_TAKING)
    end_take (node, "somebody was quicker", now);
  else if (node->releasing)
    bawn_ha_node_step (node, BAWN_HA_RELEASED, "the lease is free", now);
  else if (before == BAWN_HA_HOLD_HELD)
    lose (node, now);
}

static void
look_at_record (BawnHaNode *node, const BawnHaResult *result)
{
  BawnHaWatch *watch = &node->watch;
  guint64 version = watch->version;

  bawn_ha_watch_saw (watch, result->text, result->version, result->sent, result->now);
  if (watch->lock.epoch > node->last_epoch)
    {
      /* Somebody has taken over: that is all that a stepping down node has waited for. */
      node->last_epoch = watch->lock.epoch;
      if (watch->sight == BAWN_HA_SIGHT_HELD)
        node->hold_until = 0;
    }
  if (node->hasty && watch->version == version)
    node->retry_at = result->now + BAWN_HA_WATCH_MIN_US;
  node->hasty = FALSE;
}

static void
read_done (BawnHaNode *node, const BawnHaResult *result)
{
  BawnHaHold before = node->lease.hold;

  if (result->outcome != BAWN_HA_DONE)
    {
      bawn_ha_watch_failed (&node->watch);
      node->retry_at = result->now + BAWN_HA_RETRY (node->lease.ttl_us);
      bawn_ha_lease_read_failed (&node->lease, result->now);
      return;
    }

  look_at_record (node, result);
  if (before == BAWN_HA_HOLD_NONE)
    return;

  const BawnHaLock *lock = node->watch.lock.holder != NULL ? &node->watch.lock : NULL;

  bawn_ha_lease_saw (&node->lease, lock, result->version, result->now);
  settle (node, before, result->now);
}

static void
floor_done (BawnHaNode *node, const BawnHaResult *result)
{
  if (result->outcome == BAWN_HA_DONE)
    {
      node->floor_known = TRUE;
      node->floor_failed = FALSE;
      node->floor = result->floor;
      return;
    }

  if (!node->floor_failed)
    bawn_log_warn (
        "ha", "the lease is not taken, since the storage of the data does not say its epoch: %s",
        result->message != NULL ? result->message : "no reason was given");
  node->floor_failed = TRUE;
  node->retry_at = result->now + BAWN_HA_RETRY (node->lease.ttl_us);
  end_take (node, "the epoch of the data could not be read", result->now);
}

static void
take_done (BawnHaNode *node, const BawnHaJob *job, const BawnHaResult *result)
{
  BawnHaHold before = node->lease.hold;

  bawn_ha_lease_taken (&node->lease, result->outcome, result->version, result->sent, result->now);
  if (node->lease.hold == BAWN_HA_HOLD_NONE)
    {
      /* It is not in, and never will be. */
      node->tried_epoch = job->epoch - 1;
      bawn_ha_watch_failed (&node->watch);
      node->retry_at = result->now + BAWN_HA_RETRY (node->lease.ttl_us);
      end_take (node, "the storage did not take it", result->now);
    }
  else
    settle (node, before, result->now);
}

static void
renew_done (BawnHaNode *node, const BawnHaResult *result)
{
  bawn_ha_lease_renewed (&node->lease, result->outcome, result->version, result->sent, result->now);

  /* Others wait for the release that has been decided on meanwhile, not for the time of the next
   * renewal. */
  if (node->releasing && result->outcome != BAWN_HA_FAILED)
    node->lease.due = result->now;
}

static void
watch_done (BawnHaNode *node, const BawnHaResult *result)
{
  node->watch.fresh = FALSE;
  node->hasty = result->now - result->sent < BAWN_HA_WATCH_MIN_US;
  if (result->outcome != BAWN_HA_DONE)
    node->retry_at = result->now + BAWN_HA_RETRY (node->lease.ttl_us);
}

/**
 * bawn_ha_node_job_done:
 * @node: a node
 * @job: what was to be done
 * @result: how it ended
 *
 * Takes the end of a job.
 */
void
bawn_ha_node_job_done (BawnHaNode *node, const BawnHaJob *job, const BawnHaResult *result)
{
  BawnHaHold before = node->lease.hold;

  note_answer (node, job, result);
  switch (job->kind)
    {
    case BAWN_HA_JOB_END:
    case BAWN_HA_JOB_SLEEP:
      break;
    case BAWN_HA_JOB_WATCH:
      watch_done (node, result);
      break;
    case BAWN_HA_JOB_READ:
      read_done (node, result);
      break;
    case BAWN_HA_JOB_FLOOR:
      floor_done (node, result);
      break;
    case BAWN_HA_JOB_TAKE:
      take_done (node, job, result);
      break;
    case BAWN_HA_JOB_RENEW:
      renew_done (node, result);
      break;
    case BAWN_HA_JOB_RELEASE:
      bawn_ha_lease_released (&node->lease, result->outcome, result->now);
      settle (node, before, result->now);
      break;
    }
}
