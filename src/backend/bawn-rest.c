/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-private.h"

/* Whoever gives up a call after this long had reason to expect an answer. */
#define SUSPICIOUS_US (500 * G_TIME_SPAN_MILLISECOND)

/**
 * bawn_rest_reply_clear:
 * @reply: a reply, or zeroes
 */
void
bawn_rest_reply_clear (BawnRestReply *reply)
{
  g_clear_pointer (&reply->body, g_bytes_unref);
  g_clear_pointer (&reply->headers, g_hash_table_unref);
  reply->status = 0;
  reply->address = NULL;
}

static gboolean
load_authorities (BawnRest *self, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (self->options->ca_file == NULL)
    return TRUE;

  g_autofree char *path = g_canonicalize_filename (self->options->ca_file, NULL);
  g_autolist (GTlsCertificate) list = g_tls_certificate_list_new_from_file (path, &why);

  if (list != NULL)
    self->authorities = g_tls_file_database_new (path, &why);
  if (self->authorities == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "tls-ca-file %s: %s", path,
                      why != NULL ? why->message : "there is no certificate in it");

  return TRUE;
}

static gboolean
load_identity (BawnRest *self, GError **error)
{
  g_autoptr (GError) why = NULL;

  if (self->options->cert_file == NULL || self->options->key_file == NULL)
    return TRUE;

  self->identity =
      g_tls_certificate_new_from_files (self->options->cert_file, self->options->key_file, &why);
  return self->identity != NULL
         || bawn_fail (error, BAWN_ERROR_INVALID, "tls-cert-file %s: %s", self->options->cert_file,
                       why->message);
}

/**
 * bawn_rest_new:
 * @options: where the servers are
 * @try_next: (nullable): tells of an answer whether another server should be asked instead
 * @error: (out) (optional): INVALID, naming the file that cannot be used
 *
 * Reads the certificates; connects to nobody yet.
 *
 * Returns: (transfer full): a client
 */
BawnRest *
bawn_rest_new (const BawnRestOptions *options, BawnRestTryNext try_next, GError **error)
{
  g_autoptr (BawnRest) self = g_new0 (BawnRest, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->place_free);
  self->options = bawn_rest_options_ref (options);
  self->try_next = try_next;
  self->alarms = bawn_rest_alarms_new ();

  if (options->addresses->len == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "address names no server");
  if (!load_authorities (self, error) || !load_identity (self, error))
    return NULL;

  return g_steal_pointer (&self);
}

BawnRest *
bawn_rest_ref (BawnRest *rest)
{
  g_atomic_ref_count_inc (&rest->refs);
  return rest;
}

/**
 * bawn_rest_unref:
 * @rest: (nullable) (transfer full): a client without calls or streams under way
 */
void
bawn_rest_unref (BawnRest *rest)
{
  if (rest == NULL || !g_atomic_ref_count_dec (&rest->refs))
    return;

  g_queue_clear_full (&rest->idle, (GDestroyNotify) bawn_rest_lane_free);
  bawn_rest_alarms_free (rest->alarms);
  g_clear_object (&rest->authorities);
  g_clear_object (&rest->identity);
  bawn_rest_options_free (rest->options);
  g_cond_clear (&rest->place_free);
  g_mutex_clear (&rest->lock);
  g_free (rest);
}

guint
bawn_rest_get_current (BawnRest *rest)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rest->lock);

  return rest->current;
}

void
bawn_rest_leave_address (BawnRest *rest, guint address)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rest->lock);

  if (rest->current == address)
    rest->current = (address + 1) % rest->options->addresses->len;
}

const BawnRestAddress *
bawn_rest_get_address (BawnRest *rest, guint address)
{
  return rest->options->addresses->pdata[address];
}

static void
on_alarm (GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
  BawnRest *self = data;

  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->place_free);
  g_mutex_unlock (&self->lock);
}

/* Takes one of the places of max-parallel. */
static gboolean
enter (BawnRest *self, gint64 deadline_us, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->lock);

  gboolean is_free = self->n_calls < self->options->max_parallel;

  if (is_free)
    self->n_calls++;
  g_mutex_unlock (&self->lock);
  if (is_free)
    return TRUE;

  g_auto (BawnRestAlarm) alarm = { 0 };

  bawn_rest_alarm_start (&alarm, self->alarms, deadline_us, cancellable);

  gulong handler = g_cancellable_connect (alarm.cancellable, G_CALLBACK (on_alarm), self, NULL);

  g_mutex_lock (&self->lock);
  while (self->n_calls >= self->options->max_parallel
         && !g_cancellable_is_cancelled (alarm.cancellable))
    g_cond_wait (&self->place_free, &self->lock);
  is_free = self->n_calls < self->options->max_parallel;
  if (is_free)
    self->n_calls++;
  g_mutex_unlock (&self->lock);
  g_cancellable_disconnect (alarm.cancellable, handler);

  if (is_free)
    return TRUE;
  if (bawn_rest_alarm_rang (&alarm))
    return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                      "all %u calls of max-parallel were taken for too long",
                      self->options->max_parallel);

  return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");
}

static void
leave (BawnRest *self)
{
  g_mutex_lock (&self->lock);
  self->n_calls--;
  g_cond_signal (&self->place_free);
  g_mutex_unlock (&self->lock);
}

/* Those that lead elsewhere are of no more use: a change of address is rare, and comes after
 * trouble. */
static BawnRestLane *
take_lane (BawnRest *self, guint address)
{
  g_auto (GQueue) others = G_QUEUE_INIT;

  g_mutex_lock (&self->lock);

  BawnRestLane *lane = g_queue_pop_head (&self->idle);

  while (lane != NULL && lane->address != address)
    {
      g_queue_push_tail (&others, lane);
      lane = g_queue_pop_head (&self->idle);
    }
  g_mutex_unlock (&self->lock);

  g_queue_clear_full (&others, (GDestroyNotify) bawn_rest_lane_free);
  return lane != NULL ? lane : bawn_rest_lane_new (address, self->authorities);
}

static void
give_lane (BawnRest *self, BawnRestLane *lane)
{
  g_mutex_lock (&self->lock);
  g_queue_push_head (&self->idle, lane);
  g_mutex_unlock (&self->lock);
}

/* When one of them was found dead, the others most likely are too. */
static void
drop_lanes (BawnRest *self)
{
  g_mutex_lock (&self->lock);

  GQueue idle = self->idle;

  g_queue_init (&self->idle);
  g_mutex_unlock (&self->lock);
  g_queue_clear_full (&idle, (GDestroyNotify) bawn_rest_lane_free);
}

static void
add_header (const char *name, const char *value, gpointer data)
{
  g_hash_table_insert (data, g_ascii_strdown (name, -1), g_strdup (value));
}

static void
fill_reply (BawnRestExchange *exchange, GBytes *body, BawnRestReply *out_reply)
{
  *out_reply = (BawnRestReply){
    .status = soup_message_get_status (exchange->message),
    .body = body,
    .headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
    .address = exchange->address->shown,
  };
  soup_message_headers_foreach (soup_message_get_response_headers (exchange->message), add_header,
                                out_reply->headers);
}

/* One call, and how far it got. */
typedef struct
{
  BawnRest *rest;
  const BawnRestRequest *request;
  GCancellable *cancellable; /* nullable */
  gint64 begin_us;
  gint64 deadline_us;
} Call;

static BawnRestOutcome
ask_once (Call *call,
          guint address,
          gint64 deadline_us,
          gboolean *out_fresh,
          BawnRestReply *out_reply,
          GError **error)
{
  BawnRest *self = call->rest;
  const BawnRestOptions *options = self->options;
  gint64 connect_us = MIN (deadline_us, g_get_monotonic_time () + options->connect_timeout_us);
  g_autoptr (BawnRestLane) lane = take_lane (self, address);
  g_auto (BawnRestAlarm) alarm = { 0 };
  g_auto (BawnRestExchange) exchange = {
    .options = options,
    .address = bawn_rest_get_address (self, address),
    .identity = self->identity,
    .lane = lane,
    .alarm = &alarm,
    .deadline_us = deadline_us,
  };
  GBytes *body = NULL;

  bawn_rest_alarm_start (&alarm, self->alarms, connect_us, call->cancellable);

  BawnRestOutcome outcome = bawn_rest_exchange_run (&exchange, call->request, error);

  *out_fresh = exchange.is_fresh;
  if (outcome != BAWN_REST_ANSWERED)
    return outcome;
  if (!bawn_rest_exchange_read_body (&exchange, &body, error))
    return BAWN_REST_LOST;

  fill_reply (&exchange, body, out_reply);
  bawn_rest_exchange_clear (&exchange);
  give_lane (self, g_steal_pointer (&lane));
  return BAWN_REST_ANSWERED;
}

/* A connection that was kept may have died unnoticed, which says nothing of the server. */
static BawnRestOutcome
ask (Call *call, guint address, gint64 deadline_us, BawnRestReply *out_reply, GError **error)
{
  g_autoptr (GError) why = NULL;
  gboolean is_fresh = FALSE;
  BawnRestOutcome outcome = ask_once (call, address, deadline_us, &is_fresh, out_reply, &why);
  gboolean may_ask_again =
      outcome == BAWN_REST_NOT_SENT || (outcome == BAWN_REST_LOST && call->request->is_repeatable);

  if (may_ask_again && !is_fresh && g_get_monotonic_time () < deadline_us
      && !g_cancellable_is_cancelled (call->cancellable))
    {
      drop_lanes (call->rest);
      g_clear_error (&why);
      outcome = ask_once (call, address, deadline_us, &is_fresh, out_reply, &why);
    }
  if (why != NULL)
    g_propagate_error (error, g_steal_pointer (&why));
  return outcome;
}

/* What may be repeated leaves time for the other servers, as one that hangs says nothing. */
static gint64
next_deadline (Call *call, guint n_left)
{
  gint64 now_us = g_get_monotonic_time ();

  if (!call->request->is_repeatable || call->request->is_wait)
    return call->deadline_us;

  return now_us + MAX (call->deadline_us - now_us, 0) / n_left;
}

/* A call that somebody gives up at once says nothing of the server; one that was given up after a
 * while says that it is slow. */
static gboolean
is_suspicious (Call *call)
{
  return !g_cancellable_is_cancelled (call->cancellable)
         || g_get_monotonic_time () - call->begin_us >= SUSPICIOUS_US;
}

static gboolean
should_stop (Call *call)
{
  return g_cancellable_is_cancelled (call->cancellable)
         || g_get_monotonic_time () >= call->deadline_us;
}

static gboolean
fail_call (Call *call, const GString *faults, GError **error)
{
  if (g_cancellable_is_cancelled (call->cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");

  return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s", faults->str);
}

static gboolean
ask_each (Call *call, BawnRestReply *out_reply, GError **error)
{
  BawnRest *self = call->rest;
  BawnRestTryNext try_next =
      call->request->try_next != NULL ? call->request->try_next : self->try_next;
  guint n = self->options->addresses->len;
  guint address = bawn_rest_get_current (self);
  g_auto (BawnRestReply) refusal = { 0 };
  g_autoptr (GString) faults = g_string_new (NULL);

  for (guint i = 0; i < n && (i == 0 || !should_stop (call)); i++, address = (address + 1) % n)
    {
      g_auto (BawnRestReply) reply = { 0 };
      g_autoptr (GError) why = NULL;
      BawnRestOutcome outcome = ask (call, address, next_deadline (call, n - i), &reply, &why);

      if (outcome == BAWN_REST_ANSWERED && (try_next == NULL || !try_next (&reply)))
        {
          *out_reply = reply;
          reply = (BawnRestReply){ 0 };
          return TRUE;
        }

      if (is_suspicious (call))
        bawn_rest_leave_address (self, address);
      if (outcome == BAWN_REST_LOST && !call->request->is_repeatable)
        return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "%s", why->message);
      if (outcome == BAWN_REST_ANSWERED)
        {
          bawn_rest_reply_clear (&refusal);
          refusal = reply;
          reply = (BawnRestReply){ 0 };
        }
      else
        g_string_append_printf (faults, "%s%s", faults->len > 0 ? "; " : "", why->message);
    }

  /* All of them said that they cannot: that is an answer too. */
  if (refusal.headers == NULL)
    return fail_call (call, faults, error);

  *out_reply = refusal;
  refusal = (BawnRestReply){ 0 };
  return TRUE;
}

/**
 * bawn_rest_call:
 * @rest: a client
 * @request: what to ask
 * @out_reply: (out): the answer, whatever its status; to be cleared
 * @cancellable: (nullable): gives the call up
 * @error: (out) (optional): see below; names addresses, and nothing of what was sent
 *
 * Sends a request to the server that answered last, or to the next ones when it certainly got
 * nothing, and waits for the answer. What is not repeatable never leaves twice: a connection that
 * is closed after anything may have been written, also one that was kept, makes it
 * %BAWN_ERROR_UNKNOWN_OUTCOME. Redirects are answers. Blocks; from any thread.
 *
 * Errors: UPSTREAM: no answer, and nothing was done or the request is repeatable. UNKNOWN_OUTCOME:
 * sent, and not repeatable. TIMEOUT: cancelled, before it was sent if it is not repeatable.
 *
 * Returns: %TRUE with an answer
 */
gboolean
bawn_rest_call (BawnRest *rest,
                const BawnRestRequest *request,
                BawnRestReply *out_reply,
                GCancellable *cancellable,
                GError **error)
{
  gint64 timeout_us =
      request->timeout_us > 0 ? request->timeout_us : rest->options->request_timeout_us;
  gint64 begin_us = g_get_monotonic_time ();
  Call call = {
    .rest = rest,
    .request = request,
    .cancellable = cancellable,
    .begin_us = begin_us,
    .deadline_us = begin_us + timeout_us,
  };

  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");
  if (request->is_wait)
    return ask_each (&call, out_reply, error);
  if (!enter (rest, call.deadline_us, cancellable, error))
    return FALSE;

  gboolean ok = ask_each (&call, out_reply, error);

  leave (rest);
  return ok;
}
