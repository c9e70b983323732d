/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-core-private.h"

#include <string.h>

#include "util/bawn-log.h"

/* How many leases one transaction may end: small enough for every backend's commit. */
#define BATCH_LEASES 20
#define BATCH_ENTRIES 50
/* How often it looks when nothing is known to be due. */
#define LOOK_EVERY_US (5 * G_USEC_PER_SEC)
#define RETRY_US (2 * G_USEC_PER_SEC)
/* An irrevocable lease is left to an operator, and looked at this rarely. */
#define IRREVOCABLE_RETRY_US (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)

/* The worker that ends what is due, sweeps up after revoked tokens, clears away unmounted engines and rotates the key
 * when it is time: each in small transactions of its own, so that it may stop and go on elsewhere at any point. */
struct _BawnExpiry
{
  BawnCore *core; /* not owned */
  GThread *thread;
  GMutex lock;
  GCond changed;
  gboolean stopping;
  gboolean kicked;
  gint64 failing_since; /* the thread's own; monotonic; 0: all is well */
};

typedef struct
{
  BawnActive *active;
  gboolean more;
  gint64 next_us;
} BawnExpiryStep;

static gboolean
engine_revoke (BawnActive *active, BawnTxn *txn, const BawnMount *mount, const BawnLease *lease, GError **error)
{
  BawnEngine *engine = bawn_core_lookup_engine (active->core, mount->type, g_str_has_prefix (mount->path, "auth/"));

  if (engine == NULL || BAWN_ENGINE_GET_CLASS (engine)->revoke == NULL)
    return TRUE;

  g_autoptr(BawnJson) internal = NULL;
  if (lease->internal != NULL)
    {
      internal = bawn_json_parse (lease->internal, NULL, error);
      if (internal == NULL)
        return FALSE;
    }

  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_DELETE, lease->id);
  g_autoptr(BawnTxn) scope = bawn_txn_scope (txn, mount->view);
  request->mount = bawn_mount_ref ((BawnMount *) mount);
  request->rest = request->path + MIN (strlen (mount->path), strlen (request->path));
  request->started_us = bawn_clock_real_us (bawn_core_get_clock (active->core));

  return BAWN_ENGINE_GET_CLASS (engine)->revoke (engine, request, internal != NULL ? bawn_json_root (internal) : NULL,
                                                 scope, error);
}

static BawnMount *
find_doomed (const BawnMountTable *table, const char *uuid)
{
  for (guint i = 0; i < bawn_mount_table_doomed_size (table); i++)
    {
      BawnMount *mount = bawn_mount_table_doomed_index (table, i);

      if (g_strcmp0 (mount->uuid, uuid) == 0)
        return mount;
    }

  return NULL;
}

/* The mount a lease came from, if it is still there: its path may be another one's by now. */
static BawnMount *
find_live (const BawnMountTable *table, const BawnLease *lease)
{
  BawnMount *mount = bawn_mount_table_route (table, lease->id);

  return mount != NULL && (lease->mount == NULL || g_str_equal (mount->uuid, lease->mount)) ? mount : NULL;
}

/**
 * bawn_expiry_revoke:
 * @active: the node
 * @txn: an unscoped transaction that may block
 * @lease_id: the lease
 * @force: delete it even if the engine can not take the secret back
 * @error: return location
 *
 * Returns: %TRUE if the lease is gone, or was not there
 */
gboolean
bawn_expiry_revoke (BawnActive *active, BawnTxn *txn, const char *lease_id, gboolean force, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;
  g_autoptr(BawnMountTable) table = NULL;
  g_autoptr(GError) failure = NULL;

  if (!bawn_lease_get (txn, lease_id, &lease, error))
    return FALSE;
  if (lease == NULL)
    return TRUE;
  if (lease->is_auth)
    return bawn_token_store_revoke (active->tokens, txn, lease->token, error)
           && bawn_lease_delete (txn, lease_id, error);
  if (!bawn_mount_table_get (txn, &table, error))
    return FALSE;

  BawnMount *mount = find_live (table, lease);
  if (mount == NULL)
    mount = find_doomed (table, lease->mount);
  if (mount != NULL && !engine_revoke (active, txn, mount, lease, &failure))
    {
      if (!force || bawn_error_is (failure, BAWN_ERROR_WOULD_BLOCK) || bawn_error_is (failure, BAWN_ERROR_CONFLICT))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }

  return bawn_lease_delete (txn, lease_id, error);
}

static gboolean
renew_with_engine (BawnActive *active, BawnRequest *request, BawnTxn *txn, BawnMount *mount, BawnLease *lease,
                   gint64 *out_ttl_us, GError **error)
{
  BawnEngine *engine = bawn_core_lookup_engine (active->core, mount->type, FALSE);

  *out_ttl_us = 0;
  if (engine == NULL || BAWN_ENGINE_GET_CLASS (engine)->renew == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "lease is not renewable");

  g_autoptr(BawnJson) internal = lease->internal != NULL ? bawn_json_parse (lease->internal, NULL, error) : NULL;
  if (lease->internal != NULL && internal == NULL)
    return FALSE;

  g_autoptr(BawnRequest) inner = bawn_request_new (BAWN_OP_UPDATE, lease->id);
  g_autoptr(BawnTxn) scope = bawn_txn_scope (txn, mount->view);
  inner->mount = bawn_mount_ref (mount);
  inner->rest = inner->path + MIN (strlen (mount->path), strlen (inner->path));
  inner->started_us = request->started_us;
  g_autoptr(BawnResponse) answer = BAWN_ENGINE_GET_CLASS (engine)->renew (
      engine, inner, internal != NULL ? bawn_json_root (internal) : NULL, scope, error);
  if (answer == NULL)
    return FALSE;

  *out_ttl_us = answer->secret_ttl_us;
  return TRUE;
}

/**
 * bawn_expiry_renew:
 * @active: the node
 * @request: the request that asks for it
 * @txn: an unscoped transaction
 * @lease_id: a secret's lease (a token's is renewed by its own endpoints)
 * @increment_us: what is asked for; 0: the engine's
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the answer with the lease's new time to live
 */
BawnResponse *
bawn_expiry_renew (BawnActive *active, BawnRequest *request, BawnTxn *txn, const char *lease_id,
                   gint64 increment_us, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;
  g_autoptr(BawnMountTable) table = NULL;
  g_autofree char *warning = NULL;
  gint64 now = bawn_clock_real_us (bawn_core_get_clock (active->core));

  if (!bawn_lease_get (txn, lease_id, &lease, error))
    return NULL;
  if (lease == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease not found");
  if (lease->expire_us != 0 && lease->expire_us <= now)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease expired");
  if (!lease->renewable || lease->is_auth)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease is not renewable");
  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  BawnMount *mount = find_live (table, lease);
  if (mount == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease not found");

  g_autoptr(BawnLease) renewed = bawn_lease_copy (lease);
  gint64 engine_ttl = 0;
  if (!renew_with_engine (active, request, txn, mount, lease, &engine_ttl, error))
    return NULL;

  BawnTtlInput input = {
    .now_us = now,
    .issue_us = lease->issue_us,
    .increment_us = increment_us,
    .backend_ttl_us = engine_ttl,
    .backend_max_us = lease->max_ttl_us,
    .mount_default_us = bawn_mount_default_ttl_us (mount),
    .mount_max_us = bawn_mount_max_ttl_us (mount),
  };
  if (!bawn_ttl_calculate (&input, &renewed->ttl_us, &warning, error))
    return NULL;
  renewed->expire_us = now + renewed->ttl_us;
  renewed->last_renewal_us = now;
  if (!bawn_lease_put (txn, renewed, error))
    return NULL;

  BawnResponse *response = bawn_response_new_empty ();
  response->status = 200;
  response->lease_id = g_strdup (lease_id);
  response->lease_ttl_us = renewed->ttl_us;
  response->renewable = TRUE;
  if (warning != NULL)
    bawn_response_warn (response, "%s", warning);

  return response;
}

/* Notes on the lease that it could not be ended, and when to try again. */
static gboolean
postpone (BawnTxn *txn, const char *id, gint64 now_us, const char *reason, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;

  if (!bawn_lease_get (txn, id, &lease, error))
    return FALSE;
  if (lease == NULL)
    return TRUE;

  g_autoptr(BawnLease) later = bawn_lease_copy (lease);
  later->revoke_attempts++;
  g_free (later->revoke_error);
  later->revoke_error = g_strdup (reason);
  later->expire_us = now_us
                     + (later->revoke_attempts < BAWN_LEASE_IRREVOCABLE_ATTEMPTS
                            ? (G_GINT64_CONSTANT (1) << later->revoke_attempts) * 10 * G_USEC_PER_SEC
                            : IRREVOCABLE_RETRY_US);

  return bawn_lease_put (txn, later, error);
}

typedef struct
{
  BawnActive *active;
  const char *id;
  gint64 due_us;      /* only if it is due by then, since it may have been renewed; 0: in any case */
  const char *reason; /* nullable: postpone instead */
} BawnExpiryLease;

static gboolean
is_over (BawnTxn *txn, const BawnExpiryLease *job, gboolean *out_over, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;

  if (!bawn_lease_get (txn, job->id, &lease, error))
    return FALSE;

  *out_over = lease != NULL && (job->due_us == 0 || lease->expire_us <= job->due_us);
  return TRUE;
}

static gboolean
end_lease (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  BawnExpiryLease *job = user_data;
  gboolean over = FALSE;

  if (!is_over (txn, job, &over, error))
    return FALSE;
  if (!over)
    return TRUE;
  if (job->reason != NULL)
    return postpone (txn, job->id, bawn_clock_real_us (bawn_core_get_clock (core)), job->reason, error);

  return bawn_expiry_revoke (job->active, txn, job->id, FALSE, error);
}

/* One by one, so that an engine that fails holds up nobody else's. */
static gboolean
end_leases (BawnExpiry *expiry, BawnActive *active, GStrv ids, gint64 due_us, GError **error)
{
  for (guint i = 0; ids[i] != NULL; i++)
    {
      BawnExpiryLease job = { .active = active, .id = ids[i], .due_us = due_us };
      g_autoptr(GError) failure = NULL;

      if (bawn_core_transact (expiry->core, end_lease, &job, &failure))
        {
          bawn_metrics_add (bawn_core_get_metrics (expiry->core), BAWN_METRIC_LEASES_ENDED, 1);
          continue;
        }
      if (bawn_error_is (failure, BAWN_ERROR_SEALED) || bawn_error_is (failure, BAWN_ERROR_STANDBY)
          || bawn_error_is (failure, BAWN_ERROR_DEPOSED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }

      bawn_log_warn ("expiry", "lease %s could not be revoked: %s", ids[i], failure->message);
      job.reason = failure->message;
      if (!bawn_core_transact (expiry->core, end_lease, &job, error))
        return FALSE;
    }

  return TRUE;
}

typedef struct
{
  GStrv ids;
  gint64 now_us;
  gint64 next_us;
} BawnExpiryDue;

static gboolean
read_due (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  BawnExpiryDue *due = user_data;

  g_clear_pointer (&due->ids, g_strfreev);
  return bawn_lease_due (txn, due->now_us, BATCH_LEASES, &due->ids, &due->next_us, error);
}

static gboolean
end_due (BawnExpiry *expiry, BawnExpiryStep *step, GError **error)
{
  BawnExpiryDue due = { .now_us = bawn_clock_real_us (bawn_core_get_clock (expiry->core)) };

  if (!bawn_core_transact (expiry->core, read_due, &due, error))
    {
      g_strfreev (due.ids);
      return FALSE;
    }

  g_auto(GStrv) ids = due.ids;
  step->next_us = due.next_us;
  step->more |= g_strv_length (ids) == BATCH_LEASES;

  return end_leases (expiry, step->active, ids, due.now_us, error);
}

static gboolean
sweep_tokens (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  BawnExpiryStep *step = user_data;
  gboolean more = FALSE;

  if (!bawn_token_store_sweep (step->active->tokens, txn, &more, error))
    return FALSE;

  step->more |= more;
  return TRUE;
}

/* The leases of a mount that is being cleared away. */
typedef struct
{
  const BawnMount *mount;
  gint64 now_us;
  GPtrArray *ids;   /* some that can be ended now */
  gboolean waiting; /* there are others, which could not be ended and are to be tried later */
} BawnExpiryHarvest;

static gboolean
collect_lease (BawnTxn *txn, const char *id, BawnExpiryHarvest *harvest, GError **error)
{
  g_autoptr(BawnLease) lease = NULL;

  if (!bawn_lease_get (txn, id, &lease, error))
    return FALSE;
  if (lease == NULL || g_strcmp0 (lease->mount, harvest->mount->uuid) != 0)
    return TRUE;

  if (lease->revoke_attempts > 0 && lease->expire_us > harvest->now_us)
    harvest->waiting = TRUE;
  else
    g_ptr_array_add (harvest->ids, g_strdup (id));
  return TRUE;
}

static gboolean
collect_leases (BawnTxn *txn, const char *prefix, BawnExpiryHarvest *harvest, GError **error)
{
  g_auto(GStrv) names = NULL;

  if (!bawn_lease_list (txn, prefix, &names, error))
    return FALSE;

  for (guint i = 0; names[i] != NULL && harvest->ids->len < BATCH_LEASES; i++)
    {
      g_autofree char *path = g_strconcat (prefix, names[i], NULL);
      gboolean folder = g_str_has_suffix (path, "/");

      if (folder ? !collect_leases (txn, path, harvest, error) : !collect_lease (txn, path, harvest, error))
        return FALSE;
    }

  return TRUE;
}

/* Deletes some entries below a prefix, depth first; @inout_left counts down. */
static gboolean
clear_entries (BawnTxn *txn, const char *prefix, guint *inout_left, GError **error)
{
  g_auto(GStrv) names = NULL;

  if (!bawn_txn_list (txn, prefix, NULL, BATCH_ENTRIES, &names, error))
    return FALSE;

  for (guint i = 0; names[i] != NULL && *inout_left > 0; i++)
    {
      g_autofree char *key = g_strconcat (prefix, names[i], NULL);

      if (g_str_has_suffix (key, "/"))
        {
          if (!clear_entries (txn, key, inout_left, error))
            return FALSE;
        }
      else
        {
          bawn_txn_delete (txn, key);
          (*inout_left)--;
        }
    }

  return TRUE;
}

typedef struct
{
  BawnExpiryStep *step;
  GPtrArray *leases; /* of a doomed mount: to be ended before its entries go */
} BawnExpiryClearing;

/* @out_busy: there was something to do. A mount with a lease that could not be ended waits until it is. */
static gboolean
clear_mount (BawnCore *core, BawnTxn *txn, const BawnMountTable *table, const BawnMount *mount, GPtrArray *leases,
             gboolean *out_busy, GError **error)
{
  BawnExpiryHarvest harvest = {
    .mount = mount,
    .now_us = bawn_clock_real_us (bawn_core_get_clock (core)),
    .ids = leases,
  };
  guint left = BATCH_ENTRIES;

  if (!collect_leases (txn, mount->path, &harvest, error))
    return FALSE;
  *out_busy = leases->len > 0 || !harvest.waiting;
  if (leases->len > 0 || harvest.waiting)
    return TRUE;

  if (!clear_entries (txn, mount->view, &left, error))
    return FALSE;
  if (left == BATCH_ENTRIES)
    {
      g_autoptr(BawnMountTable) without = bawn_mount_table_forget (table, mount->uuid);
      bawn_mount_table_put (txn, without);
    }

  return TRUE;
}

static gboolean
clear_doomed (BawnCore *core, BawnTxn *txn, gpointer user_data, GError **error)
{
  BawnExpiryClearing *clearing = user_data;
  g_autoptr(BawnMountTable) table = NULL;
  gboolean busy = FALSE;

  g_ptr_array_set_size (clearing->leases, 0);
  if (!bawn_mount_table_get (txn, &table, error))
    return FALSE;

  for (guint i = 0; !busy && i < bawn_mount_table_doomed_size (table); i++)
    if (!clear_mount (core, txn, table, bawn_mount_table_doomed_index (table, i), clearing->leases, &busy, error))
      return FALSE;
  clearing->step->more |= busy;

  return TRUE;
}

static gboolean
clear_mounts (BawnExpiry *expiry, BawnExpiryStep *step, GError **error)
{
  g_autoptr(GPtrArray) leases = g_ptr_array_new_with_free_func (g_free);
  BawnExpiryClearing clearing = { .step = step, .leases = leases };

  if (!bawn_core_transact (expiry->core, clear_doomed, &clearing, error))
    return FALSE;

  g_ptr_array_add (leases, NULL);
  return end_leases (expiry, step->active, (GStrv) leases->pdata, 0, error);
}

/* Once for each trouble, however often it is tried. */
static void
tell_trouble (BawnExpiry *expiry, const GError *error)
{
  /* Another node does it. */
  if (bawn_error_is (error, BAWN_ERROR_SEALED) || bawn_error_is (error, BAWN_ERROR_STANDBY)
      || bawn_error_is (error, BAWN_ERROR_DEPOSED))
    return;

  if (expiry->failing_since != 0)
    {
      bawn_log_debug ("expiry", "still failing: %s", error->message);
      return;
    }
  expiry->failing_since = g_get_monotonic_time ();
  bawn_log_warn ("expiry",
                 "leases and tokens that are due cannot be ended now: %s; it is tried again every %d s, and the log hears "
                 "when it works", error->message, (int) (RETRY_US / G_USEC_PER_SEC));
}

static void
tell_recovery (BawnExpiry *expiry)
{
  if (expiry->failing_since == 0)
    return;

  bawn_log_info ("expiry", "what is due is ended again, after %.1f s",
                 (double) (g_get_monotonic_time () - expiry->failing_since) / G_USEC_PER_SEC);
  expiry->failing_since = 0;
}

/* One round; FALSE: something is wrong, wait before the next. */
static gboolean
run_round (BawnExpiry *expiry, BawnExpiryStep *step)
{
  g_autoptr(GError) error = NULL;

  if (end_due (expiry, step, &error) && bawn_core_transact (expiry->core, sweep_tokens, step, &error)
      && clear_mounts (expiry, step, &error) && bawn_sys_rotate_if_due (expiry->core, &error))
    {
      tell_recovery (expiry);
      return TRUE;
    }

  tell_trouble (expiry, error);
  return FALSE;
}

static gint64
next_wake (BawnExpiry *expiry, const BawnExpiryStep *step, gboolean fine)
{
  gint64 wait = LOOK_EVERY_US;

  if (!fine)
    wait = RETRY_US;
  else if (step->next_us != 0)
    wait = CLAMP (step->next_us - bawn_clock_real_us (bawn_core_get_clock (expiry->core)), 0, LOOK_EVERY_US);

  return g_get_monotonic_time () + wait;
}

static gpointer
run_expiry (gpointer data)
{
  BawnExpiry *expiry = data;

  for (;;)
    {
      g_autoptr(BawnActive) active = bawn_core_ref_active (expiry->core);
      BawnExpiryStep step = { .active = active };
      gboolean fine = active == NULL || run_round (expiry, &step);
      gint64 wake = next_wake (expiry, &step, fine);

      g_clear_pointer (&active, bawn_active_unref);
      g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&expiry->lock);
      while (!expiry->stopping && !expiry->kicked && !(fine && step.more)
             && g_cond_wait_until (&expiry->changed, &expiry->lock, wake))
        ;
      expiry->kicked = FALSE;
      if (expiry->stopping)
        return NULL;
    }
}

BawnExpiry *
bawn_expiry_new (BawnCore *core)
{
  BawnExpiry *expiry = g_new0 (BawnExpiry, 1);

  expiry->core = core;
  g_mutex_init (&expiry->lock);
  g_cond_init (&expiry->changed);
  expiry->thread = g_thread_new ("bawn-expiry", run_expiry, expiry);

  return expiry;
}

void
bawn_expiry_kick (BawnExpiry *expiry)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&expiry->lock);

  expiry->kicked = TRUE;
  g_cond_signal (&expiry->changed);
}

/* Whoever still kicks it after this does no harm. */
void
bawn_expiry_stop (BawnExpiry *expiry)
{
  if (expiry->thread == NULL)
    return;

  g_mutex_lock (&expiry->lock);
  expiry->stopping = TRUE;
  g_cond_signal (&expiry->changed);
  g_mutex_unlock (&expiry->lock);
  g_thread_join (g_steal_pointer (&expiry->thread));
}

void
bawn_expiry_free (BawnExpiry *expiry)
{
  bawn_expiry_stop (expiry);
  g_mutex_clear (&expiry->lock);
  g_cond_clear (&expiry->changed);
  g_free (expiry);
}
