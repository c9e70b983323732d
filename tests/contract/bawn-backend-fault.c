/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-backend-fault.h"

#define N_CALLS 4

typedef struct
{
  guint skip;
  guint times;
  BawnErrorCode code;
} Plan;

typedef enum
{
  GATE_OPEN,
  GATE_ARMED,
  GATE_HELD,
} Gate;

struct _BawnBackendFault
{
  GObject parent_instance;

  BawnBackend *inner;
  GMutex lock;
  GCond changed;
  guint counts[N_CALLS];
  guint last_n_writes;
  Plan fail[N_CALLS];
  Plan lose;
  gboolean lose_applied;
  Plan postpone;
  GArray *postponed_writes;
  GArray *postponed_conditions;
  Gate gate;
  BawnFaultCall gate_call;
  gboolean gate_after;
  BawnBackendLimits limits;
  gboolean has_limits;
};

static void bawn_backend_fault_backend_init (BawnBackendInterface *iface);
static void bawn_backend_fault_ha_init (BawnHaBackendInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnBackendFault,
                               bawn_backend_fault,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND,
                                                      bawn_backend_fault_backend_init)
                                   G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND,
                                                          bawn_backend_fault_ha_init))

static gboolean
strikes (Plan *plan)
{
  if (plan->times == 0)
    return FALSE;
  if (plan->skip > 0)
    {
      plan->skip--;
      return FALSE;
    }

  plan->times--;
  return TRUE;
}

static void
pass_gate_locked (BawnBackendFault *self, BawnFaultCall call, gboolean after)
{
  if (self->gate != GATE_ARMED || self->gate_call != call || self->gate_after != after)
    return;

  self->gate = GATE_HELD;
  g_cond_broadcast (&self->changed);
  while (self->gate == GATE_HELD)
    g_cond_wait (&self->changed, &self->lock);
}

static gboolean
enter (BawnBackendFault *self, BawnFaultCall call, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  self->counts[call]++;
  pass_gate_locked (self, call, FALSE);
  if (strikes (&self->fail[call]))
    return bawn_fail (error, self->fail[call].code, "a failure that was asked for");

  return TRUE;
}

static void
leave (BawnBackendFault *self, BawnFaultCall call)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  pass_gate_locked (self, call, TRUE);
}

static gboolean
fault_get (BawnBackend *backend,
           const char *key,
           GBytes **out_value,
           guint64 *out_version,
           GCancellable *cancellable,
           GError **error)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  if (!enter (self, BAWN_FAULT_GET, error))
    return FALSE;

  gboolean ok = bawn_backend_get (self->inner, key, out_value, out_version, cancellable, error);

  leave (self, BAWN_FAULT_GET);
  return ok;
}

static gboolean
fault_list (BawnBackend *backend,
            const char *prefix,
            const char *after,
            guint limit,
            GStrv *out_names,
            GCancellable *cancellable,
            GError **error)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  if (!enter (self, BAWN_FAULT_LIST, error))
    return FALSE;

  gboolean ok =
      bawn_backend_list (self->inner, prefix, after, limit, out_names, cancellable, error);

  leave (self, BAWN_FAULT_LIST);
  return ok;
}

static void
keep_postponed_locked (BawnBackendFault *self,
                       const BawnWrite *writes,
                       guint n_writes,
                       const BawnCondition *conditions,
                       guint n_conditions)
{
  for (guint i = 0; i < n_writes; i++)
    {
      const BawnWrite copy = { writes[i].kind, g_strdup (writes[i].key),
                               writes[i].value != NULL ? g_bytes_ref (writes[i].value) : NULL };

      g_array_append_val (self->postponed_writes, copy);
    }
  for (guint i = 0; i < n_conditions; i++)
    {
      const BawnCondition copy = { g_strdup (conditions[i].key), conditions[i].version };

      g_array_append_val (self->postponed_conditions, copy);
    }
}

static gboolean
fault_commit (BawnBackend *backend,
              const BawnWrite *writes,
              guint n_writes,
              const BawnCondition *conditions,
              guint n_conditions,
              guint64 *out_version,
              GCancellable *cancellable,
              GError **error)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  if (!enter (self, BAWN_FAULT_COMMIT, error))
    return FALSE;

  g_mutex_lock (&self->lock);

  gboolean late = strikes (&self->postpone);
  gboolean lost = !late && strikes (&self->lose);
  gboolean applied = self->lose_applied;

  self->last_n_writes = n_writes;
  if (late)
    keep_postponed_locked (self, writes, n_writes, conditions, n_conditions);
  g_mutex_unlock (&self->lock);

  if (late || (lost && !applied))
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "lost on the way there");

  gboolean ok = bawn_backend_commit (self->inner, writes, n_writes, conditions, n_conditions,
                                     out_version, cancellable, lost ? NULL : error);

  leave (self, BAWN_FAULT_COMMIT);
  if (lost)
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "lost on the way back");

  return ok;
}

static gboolean
fault_wait (BawnHaBackend *backend,
            const char *key,
            guint64 version,
            gint64 timeout_us,
            GCancellable *cancellable,
            GError **error)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  if (!enter (self, BAWN_FAULT_WAIT, error))
    return FALSE;

  gboolean ok = bawn_ha_backend_wait (BAWN_HA_BACKEND (self->inner), key, version, timeout_us,
                                      cancellable, error);

  leave (self, BAWN_FAULT_WAIT);
  return ok;
}

static gboolean
fault_is_enabled (BawnHaBackend *backend)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  return BAWN_IS_HA_BACKEND (self->inner)
         && bawn_ha_backend_is_enabled (BAWN_HA_BACKEND (self->inner));
}

static void
fault_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (backend);

  if (self->has_limits)
    *out_limits = self->limits;
  else
    bawn_backend_get_limits (self->inner, out_limits);
}

static void
bawn_backend_fault_finalize (GObject *object)
{
  BawnBackendFault *self = BAWN_BACKEND_FAULT (object);

  g_array_unref (self->postponed_writes);
  g_array_unref (self->postponed_conditions);
  g_object_unref (self->inner);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (bawn_backend_fault_parent_class)->finalize (object);
}

static void
bawn_backend_fault_backend_init (BawnBackendInterface *iface)
{
  iface->get = fault_get;
  iface->list = fault_list;
  iface->commit = fault_commit;
  iface->get_limits = fault_get_limits;
}

static void
bawn_backend_fault_ha_init (BawnHaBackendInterface *iface)
{
  iface->wait = fault_wait;
  iface->is_enabled = fault_is_enabled;
}

static void
bawn_backend_fault_class_init (BawnBackendFaultClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bawn_backend_fault_finalize;
}

static void
write_clear (BawnWrite *write)
{
  g_free ((gpointer) write->key);
  g_clear_pointer (&write->value, g_bytes_unref);
}

static void
condition_clear (BawnCondition *condition)
{
  g_free ((gpointer) condition->key);
}

static void
bawn_backend_fault_init (BawnBackendFault *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->postponed_writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  g_array_set_clear_func (self->postponed_writes, (GDestroyNotify) write_clear);
  self->postponed_conditions = g_array_new (FALSE, FALSE, sizeof (BawnCondition));
  g_array_set_clear_func (self->postponed_conditions, (GDestroyNotify) condition_clear);
}

/**
 * bawn_backend_fault_new:
 * @inner: the backend that does the work
 *
 * Returns: (transfer full): a backend that behaves, until told otherwise
 */
BawnBackendFault *
bawn_backend_fault_new (BawnBackend *inner)
{
  BawnBackendFault *self = g_object_new (BAWN_TYPE_BACKEND_FAULT, NULL);

  self->inner = g_object_ref (inner);
  return self;
}

void
bawn_backend_fault_fail (
    BawnBackendFault *self, BawnFaultCall call, guint skip, guint times, BawnErrorCode code)
{
  g_mutex_lock (&self->lock);
  self->fail[call] = (Plan){ skip, times, code };
  g_mutex_unlock (&self->lock);
}

void
bawn_backend_fault_lose (BawnBackendFault *self, guint skip, guint times, gboolean applied)
{
  g_mutex_lock (&self->lock);
  self->lose = (Plan){ skip, times, BAWN_ERROR_UNKNOWN_OUTCOME };
  self->lose_applied = applied;
  g_mutex_unlock (&self->lock);
}

void
bawn_backend_fault_postpone (BawnBackendFault *self, guint skip)
{
  g_mutex_lock (&self->lock);
  self->postpone = (Plan){ skip, 1, BAWN_ERROR_UNKNOWN_OUTCOME };
  g_mutex_unlock (&self->lock);
}

gboolean
bawn_backend_fault_deliver (BawnBackendFault *self, GError **error)
{
  g_return_val_if_fail (self->postponed_writes->len > 0, FALSE);

  return bawn_backend_commit (self->inner,
                              (const BawnWrite *) (gpointer) self->postponed_writes->data,
                              self->postponed_writes->len,
                              (const BawnCondition *) (gpointer) self->postponed_conditions->data,
                              self->postponed_conditions->len, NULL, NULL, error);
}

void
bawn_backend_fault_hold (BawnBackendFault *self, BawnFaultCall call, gboolean after)
{
  g_mutex_lock (&self->lock);
  self->gate = GATE_ARMED;
  self->gate_call = call;
  self->gate_after = after;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
bawn_backend_fault_await_held (BawnBackendFault *self)
{
  g_mutex_lock (&self->lock);
  while (self->gate == GATE_ARMED)
    g_cond_wait (&self->changed, &self->lock);
  g_mutex_unlock (&self->lock);
}

void
bawn_backend_fault_release (BawnBackendFault *self)
{
  g_mutex_lock (&self->lock);
  self->gate = GATE_OPEN;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->lock);
}

void
bawn_backend_fault_set_limits (BawnBackendFault *self, const BawnBackendLimits *limits)
{
  self->limits = *limits;
  self->has_limits = TRUE;
}

guint
bawn_backend_fault_count (BawnBackendFault *self, BawnFaultCall call)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return self->counts[call];
}

guint
bawn_backend_fault_last_n_writes (BawnBackendFault *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return self->last_n_writes;
}
