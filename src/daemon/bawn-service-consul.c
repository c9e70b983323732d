/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-service-consul-private.h"

#include "util/bawn-log.h"

#define HTTP_OK 200
#define HTTP_NOT_FOUND 404

/* How often within the check's time to live its state is told: one may be late without harm. */
#define TOLD_PER_TTL 3
/* After a failure, growing: the agent is on this machine, and may be back in a moment. */
#define FIRST_RETRY_US (G_USEC_PER_SEC / 10)
#define LAST_RETRY_US (5 * G_USEC_PER_SEC)
/* At the end, for the call that may be under way and the last one. */
#define STOP_WAIT_US (2 * G_USEC_PER_SEC)

struct _BawnServiceConsul
{
  gatomicrefcount refs;
  BawnServiceConsulOptions *options;
  BawnConsul *consul;
  GCancellable *cancellable;
  BawnServiceStatusFunc ref_status;
  gpointer user_data;
  GThread *thread;

  GMutex lock;
  GCond changed;
  guint n_changes;
  gboolean stopping;
  gboolean ended;

  /* Of the thread only. */
  char *registered_id; /* nullable */
  char *last_fault;    /* nullable: what was said of it, so that it is not said again */
};

static gboolean
call_put (BawnServiceConsul *self, const char *verb, const char *id, GBytes *body, BawnRestReply *out_reply, GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (id, NULL, FALSE);
  g_autofree char *path = g_strconcat ("/v1/agent/", verb, escaped, NULL);
  const BawnConsulCall call = { .method = "PUT", .path = path, .body = body };

  return bawn_consul_call (self->consul, &call, out_reply, self->cancellable, error);
}

static gboolean
put (BawnServiceConsul *self, const char *verb, const char *id, GBytes *body, GError **error)
{
  g_auto(BawnRestReply) reply = { 0 };

  if (!call_put (self, verb, id, body, &reply, error))
    return FALSE;

  return reply.status == HTTP_OK || bawn_consul_fail_reply (&reply, error);
}

/* Whether the agent knows the service as it is: it may have been restarted, or told otherwise by somebody else, or by a call of
 * ours whose answer was lost. */
static gboolean
look_up (BawnServiceConsul *self, const BawnServiceRecord *record, gboolean *out_matches, GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (record->id, NULL, FALSE);
  g_autofree char *path = g_strconcat ("/v1/agent/service/", escaped, NULL);
  g_auto(BawnRestReply) reply = { 0 };
  const BawnConsulCall call = { .method = "GET", .path = path, .is_repeatable = TRUE };

  if (!bawn_consul_call (self->consul, &call, &reply, self->cancellable, error))
    return FALSE;
  if (reply.status != HTTP_OK && reply.status != HTTP_NOT_FOUND)
    return bawn_consul_fail_reply (&reply, error);

  *out_matches = reply.status == HTTP_OK && bawn_service_record_matches (record, reply.body);
  return TRUE;
}

static gboolean
deregister (BawnServiceConsul *self, GError **error)
{
  if (self->registered_id == NULL)
    return TRUE;
  if (!put (self, "service/deregister/", self->registered_id, NULL, error))
    return FALSE;

  g_clear_pointer (&self->registered_id, g_free);
  return TRUE;
}

static gboolean
register_service (BawnServiceConsul *self, const BawnServiceRecord *record, GError **error)
{
  g_autoptr(GBytes) body = bawn_service_record_write (record);

  /* From here on it may be there. */
  g_free (self->registered_id);
  self->registered_id = g_strdup (record->id);
  if (!put (self, "service/register", "", body, error))
    return FALSE;

  bawn_log_info ("service", "registered in Consul as %s, %s", record->id, record->note);
  return TRUE;
}

/* An agent that knows the service may have lost its check all the same; then it is told of both again. */
static gboolean
tell_check (BawnServiceConsul *self, const BawnServiceRecord *record, GError **error)
{
  g_autoptr(GBytes) body = bawn_service_record_write_check (record);
  g_auto(BawnRestReply) reply = { 0 };

  if (!call_put (self, "check/update/", record->check_id, body, &reply, error))
    return FALSE;
  if (reply.status == HTTP_OK)
    return TRUE;

  return register_service (self, record, error) && put (self, "check/update/", record->check_id, body, error);
}

/* Of help to those who look, and no more: what a dead node left fails its check soon, and the token may not be for it. */
static void
retire_rivals (BawnServiceConsul *self, const BawnServiceRecord *record)
{
  g_autoptr(GError) error = NULL;

  if (record->epoch != NULL && !bawn_service_rivals_retire (self->consul, record, self->cancellable, &error))
    bawn_log_debug ("service", "nobody knows whether Consul still shows another node as active: %s", error->message);
}

/* Makes the agent agree with the node. */
static gboolean
agree (BawnServiceConsul *self, GError **error)
{
  g_autoptr(BawnStatus) status = self->ref_status (self->user_data);
  g_autoptr(BawnServiceRecord) record = bawn_service_record_new (self->options, status, error);
  gboolean matches = FALSE;

  if (record == NULL)
    return FALSE;
  if (self->registered_id != NULL && !g_str_equal (self->registered_id, record->id) && !deregister (self, error))
    return FALSE;
  if (!look_up (self, record, &matches, error) || (!matches && !register_service (self, record, error)))
    return FALSE;

  g_free (self->registered_id);
  self->registered_id = g_strdup (record->id);
  if (!tell_check (self, record, error))
    return FALSE;

  retire_rivals (self, record);
  return TRUE;
}

/* Each fault is told once, and so is its end. */
static void
tell (BawnServiceConsul *self, const GError *error)
{
  /* The end is no fault. */
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (error == NULL && self->last_fault != NULL)
    bawn_log_info ("service", "Consul knows of this node again");
  else if (error != NULL && g_strcmp0 (error->message, self->last_fault) != 0)
    bawn_log_warn ("service", "Consul cannot be told of this node, and will be asked again: %s", error->message);

  g_free (self->last_fault);
  self->last_fault = error != NULL ? g_strdup (error->message) : NULL;
}

/* Until something has changed since @seen, or the time is up. FALSE: the end. */
static gboolean
wait_for_change (BawnServiceConsul *self, guint seen, gint64 until_us)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  while (!self->stopping && self->n_changes == seen)
    if (!g_cond_wait_until (&self->changed, &self->lock, until_us))
      break;

  return !self->stopping;
}

static guint
get_changes (BawnServiceConsul *self)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  return self->n_changes;
}

static gpointer
run (gpointer data)
{
  BawnServiceConsul *self = data;
  gint64 retry_us = FIRST_RETRY_US;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      g_autoptr(GError) error = NULL;
      /* Before the state is looked at: what changes meanwhile is seen in the next round. */
      guint seen = get_changes (self);
      gboolean ok = agree (self, &error);
      gint64 pause_us = ok ? self->options->ttl_us / TOLD_PER_TTL : retry_us;

      tell (self, error);
      retry_us = ok ? FIRST_RETRY_US : MIN (retry_us * 2, LAST_RETRY_US);
      goes_on = wait_for_change (self, seen, g_get_monotonic_time () + pause_us);
    }

  g_autoptr(GError) error = NULL;

  if (!deregister (self, &error))
    bawn_log_warn ("service", "Consul could not be told that this node has gone: %s", error->message);

  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  self->ended = TRUE;
  g_cond_broadcast (&self->changed);
  return NULL;
}

/**
 * bawn_service_consul_new:
 * @options: (transfer full): what the configuration says
 * @error: (out) (optional): INVALID for a token or certificate that cannot be read
 *
 * Returns: (transfer full): a service that is not told of yet
 */
BawnServiceConsul *
bawn_service_consul_new (BawnServiceConsulOptions *options, GError **error)
{
  g_autoptr(BawnServiceConsul) self = g_new0 (BawnServiceConsul, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->options = options;
  self->cancellable = g_cancellable_new ();
  self->consul = bawn_consul_new (g_steal_pointer (&options->consul), error);
  return self->consul != NULL ? g_steal_pointer (&self) : NULL;
}

BawnServiceConsul *
bawn_service_consul_ref (BawnServiceConsul *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
bawn_service_consul_unref (BawnServiceConsul *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;

  g_assert (self->thread == NULL);
  g_clear_pointer (&self->consul, bawn_consul_free);
  g_clear_pointer (&self->options, bawn_service_consul_options_free);
  g_object_unref (self->cancellable);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);
  g_free (self->registered_id);
  g_free (self->last_fault);
  g_free (self);
}

void
bawn_service_consul_start (BawnServiceConsul *self, BawnServiceStatusFunc ref_status, gpointer user_data)
{
  g_return_if_fail (self->thread == NULL && !self->stopping);

  self->ref_status = ref_status;
  self->user_data = user_data;
  self->thread = g_thread_new ("bawn-service", run, self);
}

static BawnStatus *
ref_core_status (gpointer core)
{
  return bawn_core_ref_status (core);
}

static void
on_status_changed (BawnCore *core, gpointer user_data)
{
  bawn_service_consul_kick (user_data);
}

static void
drop_service (gpointer data, GClosure *closure)
{
  bawn_service_consul_unref (data);
}

/* The signal comes on any thread, so the handler has a reference of its own. */
void
bawn_service_consul_follow (BawnServiceConsul *self, BawnCore *core)
{
  g_signal_connect_data (core, "status-changed", G_CALLBACK (on_status_changed), bawn_service_consul_ref (self), drop_service,
                         0);
  bawn_service_consul_start (self, ref_core_status, core);
}

void
bawn_service_consul_kick (BawnServiceConsul *self)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  self->n_changes++;
  g_cond_broadcast (&self->changed);
}

/**
 * bawn_service_consul_stop:
 * @self: a service
 *
 * Has the agent forget this node. If the agent takes too long, its check will tell soon enough. May be called again, and without
 * a start.
 */
void
bawn_service_consul_stop (BawnServiceConsul *self)
{
  gint64 until_us = g_get_monotonic_time () + STOP_WAIT_US;

  if (self->thread == NULL)
    return;

  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_broadcast (&self->changed);
  while (!self->ended)
    if (!g_cond_wait_until (&self->changed, &self->lock, until_us))
      break;
  g_mutex_unlock (&self->lock);

  g_cancellable_cancel (self->cancellable);
  g_thread_join (g_steal_pointer (&self->thread));
}
