/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-ha.h"

#include "barrier/bawn-seal-records.h"
#include "core/bawn-activation.h"
#include "core/bawn-lifecycle.h"
#include "storage/bawn-fence.h"
#include "util/bawn-log.h"

/* A watch that has nothing to tell is begun anew after so long. */
#define WATCH_US (30 * G_USEC_PER_SEC)
/* Between two looks at a storage that does not answer. */
#define RETRY_MIN_US (20 * 1000)
#define RETRY_MAX_US (G_USEC_PER_SEC)
/* How long whoever has unsealed the node waits to find it at work. Elections among the living take milliseconds. */
#define SETTLE_US (G_USEC_PER_SEC)

/* How long the storage may owe the answer to a commit, once the lease has run out. */
#define PATIENCE_US (G_USEC_PER_SEC)

struct _BawnHa
{
  BawnCore *core; /* not owned: the core owns this */
  BawnElector *elector; /* nullable before the watch */
  BawnHaBackend *data; /* nullable: the data's storage cannot be watched */

  BawnHaBackend *election;

  GMutex show; /* who is shown, one after another; taken before the other one */
  GMutex lock;
  GCond changed;
  GThread *thread;       /* nullable */
  gboolean stopping;
  GCancellable *nudge;   /* ends the wait under way */
  BawnLeader *record;    /* nullable: as read last */
  guint64 own_epoch;     /* the last one in which this node was active */

  GMutex fence;          /* guards what follows */
  GCond answered;
  gboolean asking;
  guint64 n_asked;       /* questions about the fence, begun */
  guint64 n_answered;
  GError *verdict;       /* nullable: of the last one */
};

/* The elector's client */

static gboolean
on_floor (gpointer data, guint64 *out_epoch, GCancellable *cancellable, GError **error)
{
  BawnHa *ha = data;
  BawnFence fence = { 0 };

  if (!bawn_fence_read (bawn_store_get_backend (bawn_core_get_store (ha->core)), &fence, cancellable, error))
    return FALSE;

  *out_epoch = fence.epoch;
  return TRUE;
}

static gboolean
on_promote (gpointer data, guint64 epoch, GCancellable *cancellable, GError **error)
{
  BawnHa *ha = data;

  /* Before it: the fence may be refused while the promotion is still on its way. */
  g_mutex_lock (&ha->lock);
  ha->own_epoch = epoch;
  g_mutex_unlock (&ha->lock);
  return bawn_core_promote (ha->core, epoch, cancellable, error);
}

static void
on_withdraw (gpointer data, const char *reason)
{
  BawnHa *ha = data;

  bawn_core_withdraw (ha->core, reason);
}

/* A record is good while its author holds the lease. A node that has left the election does not see the lock any more; for
 * it the record of a later term than its own is good. */
static gboolean
is_current (BawnHa *ha, const BawnLeader *record, gboolean is_active)
{
  g_auto(BawnElectorInfo) info = { 0 };

  if (record->is_self)
    return is_active;

  bawn_elector_get_info (ha->elector, &info);
  if (info.state == BAWN_HA_STOPPED)
    return record->epoch > ha->own_epoch && record->epoch >= info.lock_epoch;

  return info.lock_held && info.lock_epoch == record->epoch && g_strcmp0 (info.lock_holder, record->node_id) == 0;
}

/* Several threads come here when something has changed, and what the last of them saw must be what stays. */
static void
show_leader (BawnHa *ha)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&ha->show);
  g_autoptr(BawnActive) active = bawn_core_ref_active (ha->core);
  g_autoptr(BawnLeader) shown = NULL;

  g_mutex_lock (&ha->lock);
  if (ha->record != NULL && is_current (ha, ha->record, active != NULL))
    shown = bawn_leader_ref (ha->record);
  g_mutex_unlock (&ha->lock);

  bawn_core_set_leader (ha->core, shown);
  g_mutex_lock (&ha->lock);
  g_cond_broadcast (&ha->changed);
  g_mutex_unlock (&ha->lock);
}

static void nudge_watch (BawnHa *ha);

/* The lock has another holder than the record that was read last. */
static gboolean
is_behind (BawnHa *ha)
{
  g_auto(BawnElectorInfo) info = { 0 };

  bawn_elector_get_info (ha->elector, &info);
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&ha->lock);
  return info.state == BAWN_HA_STANDBY && info.lock_held
         && (ha->record == NULL || ha->record->epoch != info.lock_epoch);
}

/* The watch may hang on a server of the storage that died with the former active node: it looks anew then. */
static void
on_changed (gpointer data)
{
  BawnHa *ha = data;

  show_leader (ha);
  if (is_behind (ha))
    nudge_watch (ha);
}

/* Another node may be active by now, or become it: nobody is to wait here for a storage that does not answer. */
static void
on_lapsed (gpointer data)
{
  BawnHa *ha = data;

  /* When another storage has the lease, this one may still be good, only slow. */
  bawn_store_give_up (bawn_core_get_store (ha->core),
                      bawn_ha_can_confirm (ha) ? bawn_core_get_patience_us (ha->core) : PATIENCE_US);
}

/* The watch */

/* A lower epoch than before is believed: the storage may have been restored from a copy. */
static void
take_record (BawnHa *ha, BawnLeader *record)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&ha->lock);

  g_clear_pointer (&ha->record, bawn_leader_unref);
  ha->record = record != NULL ? bawn_leader_ref (record) : NULL;
}

/* Keys may have been rotated, once or often, since this node last looked. */
static GBytes *
open_box (BawnHa *ha, GBytes *box, GError **error)
{
  BawnBarrier *barrier = bawn_core_get_barrier (ha->core);
  BawnCodec *codec = BAWN_CODEC (barrier);
  g_autoptr(GError) failure = NULL;
  GBytes *plain = BAWN_CODEC_GET_IFACE (codec)->open (codec, BAWN_LEADER_KEY, box, &failure);

  if (plain != NULL)
    return plain;
  if (bawn_barrier_get_missing_term (barrier) == 0)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }

  g_autoptr(BawnTxn) txn = bawn_store_begin (bawn_core_get_store (ha->core), NULL, TRUE);
  if (!bawn_barrier_reload (barrier, txn, error))
    return NULL;

  bawn_log_info ("core", "the keys that were rotated meanwhile are here");
  return BAWN_CODEC_GET_IFACE (codec)->open (codec, BAWN_LEADER_KEY, box, error);
}

/* A sealed node cannot read who leads, but whether the storage has been initialised is no secret. */
static gboolean
look_sealed (BawnHa *ha, guint64 *out_version, GError **error)
{
  BawnBackend *backend = bawn_store_get_backend (bawn_core_get_store (ha->core));
  g_autoptr(GBytes) config = NULL;

  return bawn_backend_get (backend, BAWN_SEAL_CONFIG_KEY, &config, out_version, NULL, error)
         && bawn_lifecycle_look (ha->core, error);
}

static gboolean
look_unsealed (BawnHa *ha, guint64 *out_version, GError **error)
{
  BawnBackend *backend = bawn_store_get_backend (bawn_core_get_store (ha->core));
  g_autoptr(GBytes) box = NULL;
  g_autoptr(BawnLeader) record = NULL;

  if (!bawn_backend_get (backend, BAWN_LEADER_KEY, &box, out_version, NULL, error))
    return FALSE;
  if (box != NULL)
    {
      g_autoptr(GBytes) plain = open_box (ha, box, error);

      record = plain != NULL ? bawn_leader_parse (plain, bawn_core_get_node_id (ha->core), error) : NULL;
      if (record == NULL)
        return FALSE;
    }

  take_record (ha, record);
  show_leader (ha);
  return bawn_lifecycle_look (ha->core, error);
}

static gboolean
wait_for_change (BawnHa *ha, const char *key, guint64 version, GCancellable *nudge, GError **error)
{
  if (ha->data != NULL)
    return bawn_ha_backend_wait (ha->data, key, version, WATCH_US, nudge, error);

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "the storage cannot be watched");
}

/* Sleeps, unless there is something to do. */
static void
pause_watch (BawnHa *ha, GCancellable *nudge, gint64 delay_us)
{
  gint64 until = g_get_monotonic_time () + delay_us;

  g_mutex_lock (&ha->lock);
  while (!ha->stopping && !g_cancellable_is_cancelled (nudge) && g_cond_wait_until (&ha->changed, &ha->lock, until))
    ;
  g_mutex_unlock (&ha->lock);
}

static GCancellable *
renew_nudge (BawnHa *ha)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&ha->lock);

  if (ha->stopping)
    return NULL;
  g_clear_object (&ha->nudge);
  ha->nudge = g_cancellable_new ();
  return g_object_ref (ha->nudge);
}

static gpointer
watch_thread (gpointer data)
{
  BawnHa *ha = data;
  gint64 delay_us = RETRY_MIN_US;
  gboolean complained = FALSE;
  gboolean told = FALSE;

  for (GCancellable *next = renew_nudge (ha); next != NULL; next = renew_nudge (ha))
    {
      g_autoptr(GCancellable) nudge = next;
      g_autoptr(GError) error = NULL;
      gboolean sealed = bawn_barrier_is_sealed (bawn_core_get_barrier (ha->core));
      guint64 version = 0;

      if ((sealed ? look_sealed (ha, &version, &error) : look_unsealed (ha, &version, &error))
          && wait_for_change (ha, sealed ? BAWN_SEAL_CONFIG_KEY : BAWN_LEADER_KEY, version, nudge, &error))
        {
          if (told)
            bawn_log_info ("core", "the storage says again who is active");
          delay_us = RETRY_MIN_US;
          complained = FALSE;
          told = FALSE;
          continue;
        }
      if (g_cancellable_is_cancelled (nudge))
        continue;

      /* A node that is sealed under our hands is no fault of the storage. */
      if (!complained && !bawn_error_is (error, BAWN_ERROR_SEALED) && ha->data != NULL)
        {
          bawn_log_warn ("core", "the storage does not say who is active: %s; it is asked again and again", error->message);
          told = TRUE;
        }
      complained = TRUE;
      pause_watch (ha, nudge, delay_us);
      delay_us = MIN (delay_us * 2, RETRY_MAX_US);
    }

  return NULL;
}

static void
nudge_watch (BawnHa *ha)
{
  g_autoptr(GCancellable) nudge = NULL;

  g_mutex_lock (&ha->lock);
  nudge = ha->nudge != NULL ? g_object_ref (ha->nudge) : NULL;
  g_mutex_unlock (&ha->lock);
  if (nudge == NULL)
    return;

  g_cancellable_cancel (nudge);
  g_mutex_lock (&ha->lock);
  g_cond_broadcast (&ha->changed);
  g_mutex_unlock (&ha->lock);
}

/* Only now is it known where this node can be reached. */
static void
make_elector (BawnHa *ha)
{
  static const BawnElectorClient client = { on_floor, on_promote, on_withdraw, on_changed, on_lapsed };
  const BawnCoreOptions *options = bawn_core_get_options (ha->core);
  const BawnElectorOptions elector = {
    .clock = options->clock,
    .node_id = bawn_core_get_node_id (ha->core),
    .node_name = options->api_addr != NULL ? options->api_addr : "",
    .ttl_us = options->lease_ttl_us != 0 ? options->lease_ttl_us : BAWN_HA_LEASE_TTL_DEFAULT_US,
    .renew_us = options->lease_renew_us,
    .lease_file = options->lease_file,
  };

  ha->elector = bawn_elector_new (ha->election, &elector, &client, ha);
}

void
bawn_ha_watch (BawnHa *ha)
{
  if (ha == NULL || ha->thread != NULL)
    return;

  make_elector (ha);
  ha->thread = g_thread_new ("bawn-watch", watch_thread, ha);
}

void
bawn_ha_join (BawnHa *ha)
{
  if (ha == NULL)
    return;

  bawn_elector_start (ha->elector);
  nudge_watch (ha);
}

static gboolean
is_settled (BawnHa *ha)
{
  g_autoptr(BawnLeader) leader = bawn_core_ref_leader (ha->core);

  return leader != NULL;
}

void
bawn_ha_settle (BawnHa *ha)
{
  gint64 until = g_get_monotonic_time () + SETTLE_US;

  if (ha == NULL)
    return;

  g_mutex_lock (&ha->lock);
  while (!is_settled (ha) && g_cond_wait_until (&ha->changed, &ha->lock, until))
    ;
  g_mutex_unlock (&ha->lock);
}

void
bawn_ha_leave (BawnHa *ha, const char *reason)
{
  if (ha == NULL || ha->elector == NULL)
    return;

  bawn_elector_stop (ha->elector, reason);
  show_leader (ha);
}

void
bawn_ha_forget (BawnHa *ha)
{
  if (ha == NULL)
    return;

  take_record (ha, NULL);
  show_leader (ha);
  nudge_watch (ha);
}

void
bawn_ha_deposed (BawnHa *ha)
{
  g_mutex_lock (&ha->lock);
  guint64 epoch = ha->own_epoch;
  g_mutex_unlock (&ha->lock);

  bawn_elector_deposed (ha->elector, epoch);
}

void
bawn_ha_note_leader (BawnHa *ha, BawnLeader *leader)
{
  if (ha == NULL)
    return;

  g_mutex_lock (&ha->lock);
  ha->own_epoch = leader->epoch;
  g_mutex_unlock (&ha->lock);
  take_record (ha, leader);
  show_leader (ha);
}

gboolean
bawn_ha_may_serve (BawnHa *ha)
{
  return ha == NULL || bawn_elector_lease_is_valid (ha->elector);
}

gboolean
bawn_ha_can_confirm (BawnHa *ha)
{
  return ha != NULL && BAWN_BACKEND (ha->election) != bawn_store_get_backend (bawn_core_get_store (ha->core));
}

/* With the lock; without it while the storage is asked. */
static void
ask_fence_locked (BawnHa *ha)
{
  GError *verdict = NULL;
  guint64 number = ++ha->n_asked;

  ha->asking = TRUE;
  g_mutex_unlock (&ha->fence);
  (void) bawn_store_check_fence (bawn_core_get_store (ha->core), &verdict);
  g_mutex_lock (&ha->fence);
  ha->asking = FALSE;
  ha->n_answered = number;
  g_clear_error (&ha->verdict);
  ha->verdict = verdict;
  g_cond_broadcast (&ha->answered);
}

/* A question that was begun before this call proves nothing for it. */
gboolean
bawn_ha_confirm (BawnHa *ha, GError **error)
{
  if (bawn_ha_may_serve (ha))
    return TRUE;
  if (!bawn_ha_can_confirm (ha))
    return bawn_fail (error, BAWN_ERROR_STANDBY, "the lease of this node has run out");

  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&ha->fence);
  guint64 needed = ha->n_asked + 1;

  while (ha->n_answered < needed)
    if (ha->asking)
      g_cond_wait (&ha->answered, &ha->fence);
    else
      ask_fence_locked (ha);

  if (ha->verdict == NULL)
    return TRUE;
  return bawn_fail (error, BAWN_ERROR_STANDBY, "the lease of this node has run out, and the fence does not help: %s",
                    ha->verdict->message);
}

void
bawn_ha_get_info (BawnHa *ha, BawnElectorInfo *out_info)
{
  if (ha == NULL || ha->elector == NULL)
    *out_info = (BawnElectorInfo){ 0 };
  else
    bawn_elector_get_info (ha->elector, out_info);
}

gboolean
bawn_ha_step_down (BawnHa *ha, const char *successor, const char *reason, GError **error)
{
  return ha == NULL || bawn_elector_step_down (ha->elector, successor, reason, error);
}

/**
 * bawn_ha_new:
 * @core: the core, which owns what is returned
 * @options: the core's
 *
 * Returns: (transfer full) (nullable): %NULL if the node is alone
 */
BawnHa *
bawn_ha_new (BawnCore *core, const BawnCoreOptions *options)
{
  BawnBackend *data = bawn_store_get_backend (bawn_core_get_store (core));

  if (options->ha_backend == NULL)
    return NULL;

  BawnHa *ha = g_new0 (BawnHa, 1);

  ha->core = core;
  ha->data = BAWN_IS_HA_BACKEND (data) ? g_object_ref (BAWN_HA_BACKEND (data)) : NULL;
  g_mutex_init (&ha->fence);
  g_cond_init (&ha->answered);
  g_mutex_init (&ha->show);
  g_mutex_init (&ha->lock);
  g_cond_init (&ha->changed);
  ha->election = g_object_ref (options->ha_backend);
  return ha;
}

void
bawn_ha_stop (BawnHa *ha)
{
  if (ha == NULL || ha->thread == NULL)
    return;

  g_mutex_lock (&ha->lock);
  ha->stopping = TRUE;
  g_mutex_unlock (&ha->lock);
  nudge_watch (ha);
  g_thread_join (g_steal_pointer (&ha->thread));
}

void
bawn_ha_free (BawnHa *ha)
{
  if (ha == NULL)
    return;

  bawn_ha_stop (ha);
  g_clear_object (&ha->elector);
  g_clear_object (&ha->election);
  g_clear_object (&ha->nudge);
  g_clear_object (&ha->data);
  g_clear_pointer (&ha->record, bawn_leader_unref);
  g_clear_error (&ha->verdict);
  g_cond_clear (&ha->answered);
  g_mutex_clear (&ha->fence);
  g_cond_clear (&ha->changed);
  g_mutex_clear (&ha->lock);
  g_mutex_clear (&ha->show);
  g_free (ha);
}
