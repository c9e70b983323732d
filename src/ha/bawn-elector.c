/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-elector.h"

#include "ha/bawn-ha-file.h"
#include "ha/bawn-ha-node.h"
#include "util/bawn-log.h"

/* While the lease has run out, the client hears of it this often. */
#define TELL_LAPSE_EVERY_US (G_USEC_PER_SEC / 4)

/* The thin shell around BawnHaNode: a thread that asks the storage, one that asks the client, and
 * one that gives up calls to the storage that take too long. None of them decides anything. */
struct _BawnElector
{
  GObject parent_instance;

  BawnHaBackend *backend;
  BawnClock *clock;
  BawnElectorClient client;
  gpointer user_data;
  BawnHaFile *file;
  gboolean file_failed;

  gint64 valid_until; /* atomic: boot time */

  GMutex control; /* start and stop, one at a time; taken before the other one */
  GThread *threads[3];

  GMutex lock;
  GCond changed;
  BawnHaNode node;
  guint64 steps; /* of the node, that the threads know of */
  guint64 facts; /* of the node, that the client knows of */
  GCancellable *promotion;

  GCond call_changed;
  GCancellable *call;
  BawnHaJobKind call_kind;
  gint64 call_deadline; /* monotonic time */
  gint64 lapse_told;    /* the same: when the client was told last; 0: all is well */
  gboolean no_more_calls;
};

G_DEFINE_FINAL_TYPE (BawnElector, bawn_elector, G_TYPE_OBJECT)

/* What is looked for or asked has become needless. A commit is never cut short: that only makes its
 * outcome unknown. */
static gboolean
call_is_needless_locked (BawnElector *self)
{
  if (self->call == NULL)
    return FALSE;
  if (self->node.machine.state == BAWN_HA_STOPPED)
    return self->call_kind == BAWN_HA_JOB_WATCH || self->call_kind == BAWN_HA_JOB_READ;

  return self->node.machine.state == BAWN_HA_WITHDRAWING && self->call_kind == BAWN_HA_JOB_FLOOR;
}

static void
enter (BawnElector *self)
{
  g_mutex_lock (&self->lock);
}

/* Publishes what the node has become, and lets go of it. Cancellables are told without the lock. */
static void
leave_quietly (BawnElector *self)
{
  g_autoptr (GCancellable) promotion = NULL;
  g_autoptr (GCancellable) call = NULL;

  __atomic_store_n (&self->valid_until, bawn_ha_node_valid_until (&self->node), __ATOMIC_RELEASE);
  if (self->steps != self->node.machine.steps)
    g_cond_broadcast (&self->changed);
  self->steps = self->node.machine.steps;
  if (self->promotion != NULL && bawn_ha_node_is_cancelled (&self->node))
    promotion = g_object_ref (self->promotion);
  if (call_is_needless_locked (self))
    call = g_object_ref (self->call);
  g_mutex_unlock (&self->lock);

  if (promotion != NULL)
    g_cancellable_cancel (promotion);
  if (call != NULL)
    g_cancellable_cancel (call);
}

/* The same, and the client is told, without a lock either. start() and stop() leave that to the
 * threads, which look at the node once more in any case. */
static void
leave (BawnElector *self)
{
  guint64 facts = bawn_ha_node_facts (&self->node);
  gboolean tell = facts != self->facts;

  self->facts = facts;
  leave_quietly (self);
  if (tell && self->client.changed != NULL)
    self->client.changed (self->user_data);
}

static gint64
now_of (BawnElector *self)
{
  return bawn_clock_boot_us (self->clock);
}

static void
begin_call (BawnElector *self, const BawnHaJob *job)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  self->call = g_cancellable_new ();
  self->call_kind = job->kind;
  self->call_deadline = g_get_monotonic_time () + job->deadline_us;
  if (call_is_needless_locked (self))
    g_cancellable_cancel (self->call);
  g_cond_signal (&self->call_changed);
}

static void
end_call_locked (BawnElector *self)
{
  g_clear_object (&self->call);
}

static BawnHaOutcome
outcome_of (gboolean ok, const GError *error)
{
  if (ok)
    return BAWN_HA_DONE;
  if (bawn_error_is (error, BAWN_ERROR_CONFLICT))
    return BAWN_HA_REFUSED;

  return bawn_error_is (error, BAWN_ERROR_UNKNOWN_OUTCOME) ? BAWN_HA_IN_DOUBT : BAWN_HA_FAILED;
}

static gboolean
commit (BawnElector *self, const BawnHaJob *job, guint64 *out_version, GError **error)
{
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_ELECTOR_LOCK_KEY, job->value };
  const BawnCondition condition = { BAWN_ELECTOR_LOCK_KEY, job->version };

  return bawn_backend_commit (BAWN_BACKEND (self->backend), &write, 1, &condition, 1, out_version,
                              self->call, error);
}

/* Before the take, so that there is no moment at which the lease is in the storage and not in the
 * file. */
static void
write_down (BawnElector *self, guint64 epoch)
{
  g_autoptr (GError) local = NULL;

  if (self->file == NULL)
    return;

  gboolean ok = bawn_ha_file_write (self->file, epoch, &local);

  if (!ok && !self->file_failed)
    bawn_log_warn ("ha", "%s; if this process is killed, its lease has to expire", local->message);
  self->file_failed = !ok;
}

static gboolean
run_call (BawnElector *self, const BawnHaJob *job, BawnHaResult *result, GError **error)
{
  switch (job->kind)
    {
    case BAWN_HA_JOB_WATCH:
      return bawn_ha_backend_wait (self->backend, BAWN_ELECTOR_LOCK_KEY, job->version, job->for_us,
                                   self->call, error);
    case BAWN_HA_JOB_READ:
      return bawn_backend_get (BAWN_BACKEND (self->backend), BAWN_ELECTOR_LOCK_KEY, &result->text,
                               &result->version, self->call, error);
    case BAWN_HA_JOB_FLOOR:
      return self->client.floor (self->user_data, &result->floor, self->call, error);
    case BAWN_HA_JOB_TAKE:
    case BAWN_HA_JOB_RENEW:
    case BAWN_HA_JOB_RELEASE:
      return commit (self, job, &result->version, error);
    case BAWN_HA_JOB_END:
    case BAWN_HA_JOB_SLEEP:
      break;
    }

  return TRUE;
}

static void
run_job (BawnElector *self, const BawnHaJob *job, BawnHaResult *result)
{
  g_autoptr (GError) local = NULL;

  if (job->kind == BAWN_HA_JOB_TAKE)
    write_down (self, job->epoch);
  begin_call (self, job);
  result->sent = now_of (self);

  gboolean ok = run_call (self, job, result, &local);

  result->now = now_of (self);
  result->outcome = outcome_of (ok, local);
  result->message = local != NULL ? g_strdup (local->message) : NULL;
}

/* Until the time is over, or anything has happened to the node. */
static void
sleep_locked (BawnElector *self, const BawnHaJob *job, guint64 steps)
{
  gint64 end = job->for_us == G_MAXINT64 ? 0 : g_get_monotonic_time () + job->for_us;

  while (steps == self->node.machine.steps)
    {
      if (end == 0)
        g_cond_wait (&self->changed, &self->lock);
      else if (!g_cond_wait_until (&self->changed, &self->lock, end))
        return;
    }
}

static gpointer
storage_thread (gpointer data)
{
  BawnElector *self = data;

  for (;;)
    {
      g_auto (BawnHaJob) job = { 0 };
      g_auto (BawnHaResult) result = { 0 };

      enter (self);
      bawn_ha_node_next_job (&self->node, now_of (self), &job);

      gboolean clean = bawn_ha_node_is_clean (&self->node);
      guint64 steps = self->node.machine.steps;

      leave (self);
      if (clean && self->file != NULL)
        bawn_ha_file_remove (self->file);
      if (job.kind == BAWN_HA_JOB_END)
        return NULL;

      if (job.kind == BAWN_HA_JOB_SLEEP)
        {
          enter (self);
          sleep_locked (self, &job, steps);
          g_mutex_unlock (&self->lock);
          continue;
        }

      run_job (self, &job, &result);
      enter (self);
      end_call_locked (self);
      bawn_ha_node_job_done (&self->node, &job, &result);
      leave (self);
    }
}

static gboolean
promote (BawnElector *self, guint64 epoch, GCancellable *cancellable)
{
  g_autoptr (GError) local = NULL;

  if (self->client.promote (self->user_data, epoch, cancellable, &local))
    return TRUE;

  bawn_log_warn ("ha", "this node could not begin to serve in epoch %" G_GUINT64_FORMAT ": %s",
                 epoch, local != NULL ? local->message : "no reason was given");
  return FALSE;
}

static gpointer
client_thread (gpointer data)
{
  BawnElector *self = data;

  for (;;)
    {
      enter (self);

      BawnHaAction action = bawn_ha_node_next_action (&self->node, now_of (self));
      guint64 steps = self->node.machine.steps;
      guint64 epoch = self->node.lease.epoch;
      g_autofree char *reason = g_strdup (self->node.machine.reason);
      g_autoptr (GCancellable) promotion = NULL;
      gboolean ok = TRUE;

      if (action == BAWN_HA_DO_PROMOTE)
        {
          promotion = g_cancellable_new ();
          self->promotion = promotion;
        }
      leave (self);

      switch (action)
        {
        case BAWN_HA_DO_END:
          return NULL;
        case BAWN_HA_DO_PROMOTE:
          ok = promote (self, epoch, promotion);
          break;
        case BAWN_HA_DO_WITHDRAW:
          self->client.withdraw (self->user_data, reason);
          break;
        case BAWN_HA_DO_NOTHING:
        case BAWN_HA_DO_WATCH:
        case BAWN_HA_DO_TAKE:
        case BAWN_HA_DO_CANCEL:
        case BAWN_HA_DO_RELEASE:
          g_mutex_lock (&self->lock);
          while (steps == self->node.machine.steps)
            g_cond_wait (&self->changed, &self->lock);
          g_mutex_unlock (&self->lock);
          continue;
        }

      enter (self);
      self->promotion = NULL;
      bawn_ha_node_action_done (&self->node, action, ok, now_of (self));
      leave (self);
    }
}

/* Each of these two lets go of the lock meanwhile. */
static void
end_late_call_locked (BawnElector *self)
{
  g_autoptr (GCancellable) call = g_object_ref (self->call);

  g_mutex_unlock (&self->lock);
  g_cancellable_cancel (call);
  g_mutex_lock (&self->lock);
}

static void
tell_lapse_locked (BawnElector *self)
{
  g_mutex_unlock (&self->lock);
  self->client.lapsed (self->user_data);
  g_mutex_lock (&self->lock);
}

/* When to look next, in monotonic time; 0: not before a call begins, which is said. */
static gint64
next_look_locked (BawnElector *self, gint64 now)
{
  gint64 left = bawn_ha_node_valid_until (&self->node) - now_of (self);
  gint64 at = 0;

  if (self->call != NULL && !g_cancellable_is_cancelled (self->call))
    at = self->call_deadline;
  if (left > 0)
    at = at != 0 ? MIN (at, now + left) : now + left;
  if (self->lapse_told != 0)
    at = MIN (at != 0 ? at : G_MAXINT64, self->lapse_told + TELL_LAPSE_EVERY_US);
  return at;
}

static void
look_at_lapse_locked (BawnElector *self, gint64 now)
{
  if (self->node.releasing || !bawn_ha_lease_note_lapse (&self->node.lease, now_of (self)))
    {
      self->lapse_told = 0;
      return;
    }
  if (self->lapse_told != 0 && now < self->lapse_told + TELL_LAPSE_EVERY_US)
    return;

  self->lapse_told = now;
  if (self->client.lapsed != NULL)
    tell_lapse_locked (self);
}

/* Ends what takes too long, and tells when the lease has run out: both must be seen while a call
 * hangs. */
static gpointer
deadline_thread (gpointer data)
{
  BawnElector *self = data;

  g_mutex_lock (&self->lock);
  while (!self->no_more_calls)
    {
      gint64 now = g_get_monotonic_time ();

      look_at_lapse_locked (self, now);
      if (self->no_more_calls)
        break;

      gint64 at = next_look_locked (self, now);

      if (at == 0)
        g_cond_wait (&self->call_changed, &self->lock);
      else if (at > now)
        g_cond_wait_until (&self->call_changed, &self->lock, at);
      else if (self->call != NULL && self->call_deadline <= now)
        end_late_call_locked (self);
    }
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
bawn_elector_dispose (GObject *object)
{
  bawn_elector_stop (BAWN_ELECTOR (object), "nobody needs the election any more");

  G_OBJECT_CLASS (bawn_elector_parent_class)->dispose (object);
}

static void
bawn_elector_finalize (GObject *object)
{
  BawnElector *self = BAWN_ELECTOR (object);

  bawn_ha_node_clear (&self->node);
  g_clear_pointer (&self->file, bawn_ha_file_free);
  g_clear_pointer (&self->clock, bawn_clock_unref);
  g_clear_object (&self->backend);
  g_cond_clear (&self->call_changed);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_mutex_clear (&self->control);

  G_OBJECT_CLASS (bawn_elector_parent_class)->finalize (object);
}

static void
bawn_elector_class_init (BawnElectorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = bawn_elector_dispose;
  object_class->finalize = bawn_elector_finalize;
}

static void
bawn_elector_init (BawnElector *self)
{
  g_mutex_init (&self->control);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  g_cond_init (&self->call_changed);
}

const char *
bawn_ha_state_name (BawnHaState state)
{
  static const char *const names[BAWN_HA_N_STATES] = { "stopped",   "standby", "acquiring",
                                                       "promoting", "active",  "withdrawing" };

  g_return_val_if_fail (state < BAWN_HA_N_STATES, "unknown");

  return names[state];
}

/**
 * bawn_elector_info_clear:
 * @info: what bawn_elector_get_info() has filled
 */
void
bawn_elector_info_clear (BawnElectorInfo *info)
{
  g_clear_pointer (&info->lock_holder, g_free);
  g_clear_pointer (&info->lock_name, g_free);
  g_clear_pointer (&info->last_reason, g_free);
}

/**
 * bawn_elector_new:
 * @backend: where the lease is
 * @options: who this node is, and how long its leases last
 * @client: what is asked of the node; copied
 * @user_data: for @client
 *
 * Makes an elector that takes no part yet. The names must be valid UTF-8 of 1 to 1024 bytes.
 *
 * Returns: (transfer full): the elector
 */
BawnElector *
bawn_elector_new (BawnHaBackend *backend,
                  const BawnElectorOptions *options,
                  const BawnElectorClient *client,
                  gpointer user_data)
{
  g_return_val_if_fail (BAWN_IS_HA_BACKEND (backend), NULL);
  g_return_val_if_fail (options->ttl_us > 0 && options->ttl_us <= BAWN_HA_LEASE_TTL_MAX_US, NULL);
  g_return_val_if_fail (options->renew_us >= 0 && options->renew_us <= options->ttl_us / 2, NULL);
  g_return_val_if_fail (bawn_ha_lock_name_is_valid (options->node_id), NULL);
  g_return_val_if_fail (bawn_ha_lock_name_is_valid (options->node_name), NULL);

  BawnElector *self = g_object_new (BAWN_TYPE_ELECTOR, NULL);

  self->backend = g_object_ref (backend);
  self->clock = bawn_clock_ref (options->clock);
  self->client = *client;
  self->user_data = user_data;
  bawn_ha_node_init (&self->node, options, g_random_int ());
  if (options->lease_file != NULL)
    self->file = bawn_ha_file_new (options->lease_file, options->node_id);
  return self;
}

/**
 * bawn_elector_start:
 * @elector: an elector
 *
 * Begins to take part. Nothing happens if it does already. Waits for a bawn_elector_stop() under
 * way, and for nothing else.
 */
void
bawn_elector_start (BawnElector *elector)
{
  g_return_if_fail (BAWN_IS_ELECTOR (elector));

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&elector->control);

  if (elector->threads[0] != NULL)
    return;

  elector->no_more_calls = FALSE;
  enter (elector);
  bawn_ha_node_start (&elector->node, now_of (elector));
  leave_quietly (elector);
  elector->threads[0] = g_thread_new ("bawn-lease", storage_thread, elector);
  elector->threads[1] = g_thread_new ("bawn-elect", client_thread, elector);
  elector->threads[2] = g_thread_new ("bawn-lease-end", deadline_thread, elector);
}

/**
 * bawn_elector_stop:
 * @elector: an elector
 * @reason: why, in words
 *
 * Withdraws, releases the lease, and ends. Nothing happens if it takes no part. Blocks: for as long
 * as the client needs, and then for the lease's time at most. Not from a callback of the client.
 */
void
bawn_elector_stop (BawnElector *elector, const char *reason)
{
  g_return_if_fail (BAWN_IS_ELECTOR (elector));

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&elector->control);

  if (elector->threads[0] == NULL)
    return;

  enter (elector);
  bawn_ha_node_stop (&elector->node, reason, now_of (elector));
  leave_quietly (elector);
  for (guint i = 0; i < 2; i++)
    g_thread_join (g_steal_pointer (&elector->threads[i]));

  g_mutex_lock (&elector->lock);
  elector->no_more_calls = TRUE;
  g_cond_signal (&elector->call_changed);
  g_mutex_unlock (&elector->lock);
  g_thread_join (g_steal_pointer (&elector->threads[2]));
}

/**
 * bawn_elector_step_down:
 * @elector: an elector
 * @successor: (nullable): node_name of who should take over
 * @reason: why, in words
 * @error: (out) (optional): STANDBY if this node is not active; INVALID if @successor cannot be
 * one, or is this node
 *
 * Begins to hand over, and returns. Any thread.
 *
 * Returns: %TRUE if it does
 */
gboolean
bawn_elector_step_down (BawnElector *elector,
                        const char *successor,
                        const char *reason,
                        GError **error)
{
  g_return_val_if_fail (BAWN_IS_ELECTOR (elector), FALSE);

  enter (elector);

  gboolean ok = bawn_ha_node_step_down (&elector->node, successor, reason, now_of (elector), error);

  leave (elector);
  return ok;
}

/**
 * bawn_elector_deposed:
 * @elector: an elector
 * @epoch: of the fence that was refused
 *
 * Says that the storage has refused the fence: withdraws, if that is the epoch of the lease. Never
 * waits. Any thread.
 */
void
bawn_elector_deposed (BawnElector *elector, guint64 epoch)
{
  g_return_if_fail (BAWN_IS_ELECTOR (elector));

  enter (elector);
  bawn_ha_node_deposed (&elector->node, epoch, now_of (elector));
  leave (elector);
}

/**
 * bawn_elector_lease_is_valid:
 * @elector: an elector
 *
 * To be asked after a read from memory and before its answer. It says nothing before promote() has
 * taken the fence: until then, the node before can still write. Any thread, without a lock.
 *
 * Returns: %TRUE if no other node can have taken the lease up to now
 */
gboolean
bawn_elector_lease_is_valid (BawnElector *elector)
{
  return now_of (elector) < __atomic_load_n (&elector->valid_until, __ATOMIC_ACQUIRE);
}

/**
 * bawn_elector_get_info:
 * @elector: an elector
 * @out_info: (out caller-allocates): what is to be known; bawn_elector_info_clear() it
 *
 * Any thread; waits for no storage.
 */
void
bawn_elector_get_info (BawnElector *elector, BawnElectorInfo *out_info)
{
  g_return_if_fail (BAWN_IS_ELECTOR (elector));

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&elector->lock);

  bawn_ha_node_get_info (&elector->node, now_of (elector), out_info);
}
