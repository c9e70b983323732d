/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-client-private.h"

#include <string.h>

/* Between two rounds through all addresses: from here, doubled each time, up to there. An ensemble
 * that has elected its leader shall not be found out late: leases are a matter of seconds. */
#define RETRY_MIN_US (50 * G_TIME_SPAN_MILLISECOND)
#define RETRY_MAX_US (400 * G_TIME_SPAN_MILLISECOND)
#define RETRY_DOUBLINGS 3
/* How long the farewell may take; without one the server keeps the session until it expires, which
 * does no harm. */
#define FAREWELL_US (300 * G_TIME_SPAN_MILLISECOND)
/* Of the session's timeout: with a ping after a third of it, silence for two thirds means that the
 * server does not answer. */
#define PING_PART 3
#define SILENCE_NUM 2
#define SILENCE_DEN 3

static void
go_on_later (BawnZkClient *self)
{
  guint n = self->options->addresses->len;
  gint64 now = g_get_monotonic_time ();

  self->at = (self->at + 1) % n;
  self->n_failed++;
  if (self->n_failed % n != 0)
    {
      self->next_try_us = now;
      return;
    }

  guint doublings = MIN (self->n_failed / n - 1, RETRY_DOUBLINGS);
  gint64 pause = MIN (RETRY_MIN_US << doublings, RETRY_MAX_US);

  /* Not all nodes of a cluster at once. */
  self->next_try_us = now + pause / 2 + g_random_int_range (0, (gint32) pause);
}

/* The connection is gone already. */
static void
lose (BawnZkClient *self, const GError *why)
{
  self->connection = NULL;
  self->has_session = FALSE;
  self->is_open = FALSE;
  g_debug ("%s", why->message);

  g_mutex_lock (&self->lock);
  g_free (self->trouble);
  self->trouble = g_strdup (why->message);
  bawn_zk_client_lose_locked (self);
  go_on_later (self);
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static void
drop (BawnZkClient *self, const GError *why)
{
  bawn_zk_connection_close (g_steal_pointer (&self->connection));
  lose (self, why);
}

static void
drop_text (BawnZkClient *self, const char *what)
{
  g_autoptr (GError) why = g_error_new (BAWN_ERROR, BAWN_ERROR_UPSTREAM, "ZooKeeper at %s: %s",
                                        bawn_zk_connection_get_address (self->connection), what);

  drop (self, why);
}

static void
on_closed (gpointer owner, const GError *why)
{
  lose (owner, why);
}

static void
on_expired (gpointer owner)
{
  BawnZkClient *self = owner;

  if (self->session.id == 0)
    {
      g_autoptr (GError) why = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UPSTREAM,
                                                    "ZooKeeper does not open a session");

      lose (self, why);
      return;
    }

  g_debug ("the session with ZooKeeper has expired");
  bawn_wipe (&self->session, sizeof self->session);
  self->connection = NULL;
  g_mutex_lock (&self->lock);
  self->next_try_us = g_get_monotonic_time ();
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

/* Each connection proves anew who we are: a session that moves to another server does not take that
 * along. */
static void
authenticate (BawnZkClient *self)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;
  gsize size = 0;
  gconstpointer auth = g_bytes_get_data (self->options->auth, &size);

  bawn_zk_write_int (&buffer, 0);
  bawn_zk_write_int (&buffer, BAWN_ZK_XID_AUTH);
  bawn_zk_write_int (&buffer, BAWN_ZK_AUTH);
  bawn_zk_write_int (&buffer, 0);
  bawn_zk_write_string (&buffer, self->options->auth_scheme);
  bawn_zk_write_buffer (&buffer, auth, size);
  bawn_zk_patch_int (&buffer, 0, (gint32) buffer.size - 4);
  bawn_zk_connection_send (self->connection, buffer.data, buffer.size);
  bawn_zk_connection_flush (self->connection);
}

static void
send_bare (BawnZkClient *self, gint32 xid, BawnZkOp op)
{
  g_auto (BawnBuffer) buffer = BAWN_BUFFER_INIT;

  bawn_zk_write_int (&buffer, 2 * sizeof (gint32));
  bawn_zk_write_int (&buffer, xid);
  bawn_zk_write_int (&buffer, op);
  bawn_zk_connection_send (self->connection, buffer.data, buffer.size);
}

static void
begin_calls (BawnZkClient *self)
{
  self->is_open = TRUE;
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->trouble, g_free);
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static void
on_opened (gpointer owner, gint32 timeout_ms, const BawnZkSession *session)
{
  BawnZkClient *self = owner;

  g_debug ("connected to ZooKeeper at %s, session timeout %d ms",
           bawn_zk_connection_get_address (self->connection), timeout_ms);
  self->session = *session;
  /* A server may grant more than was asked for; that makes its silence no better. */
  self->timeout_us = MIN (timeout_ms * G_TIME_SPAN_MILLISECOND, self->options->session_timeout_us);
  self->has_session = TRUE;
  if (self->options->auth == NULL)
    {
      begin_calls (self);
      return;
    }

  /* What is sent before that is known to be taken would have an unknown outcome if it is not. */
  authenticate (self);
  g_mutex_lock (&self->lock);
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static gboolean
take_verdict (BawnZkClient *self, gint32 code, GError **error)
{
  if (code != BAWN_ZK_OK)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "refuses auth-info: %s",
                      bawn_zk_error_name (code));

  begin_calls (self);
  return TRUE;
}

/* Takes @body. */
static gboolean
take_reply (BawnZkClient *self, const BawnZkReplyHeader *header, GBytes *body, GError **error)
{
  g_autoptr (GBytes) owned = body;

  /* What the server did not do for this reason, it will do in the session that comes next. */
  if (header->error == BAWN_ZK_SESSION_EXPIRED || header->error == BAWN_ZK_SESSION_MOVED)
    {
      if (header->error == BAWN_ZK_SESSION_EXPIRED)
        bawn_wipe (&self->session, sizeof self->session);
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s", bawn_zk_error_name (header->error));
    }

  g_mutex_lock (&self->lock);

  gboolean ok = bawn_zk_client_reply_locked (self, header, g_steal_pointer (&owned), error);

  if (self->waiting.length > 0)
    bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);

  self->n_failed = 0;
  return ok;
}

static gboolean
take_event (BawnZkClient *self, GBytes *body, GError **error)
{
  g_autofree char *path = NULL;

  if (!bawn_zk_parse_event (body, &path, error))
    return FALSE;

  g_mutex_lock (&self->lock);
  bawn_zk_client_fire_locked (self, path);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* Takes @frame, so that whoever gets its content is the last to let go of it. */
static gboolean
take_frame (BawnZkClient *self, GBytes *frame, GError **error)
{
  BawnZkReplyHeader header = { 0 };
  g_autoptr (GBytes) body = NULL;
  gboolean ok = bawn_zk_parse_reply (frame, &header, &body, error);

  g_bytes_unref (frame);
  if (!ok)
    return FALSE;

  self->last_zxid = MAX (self->last_zxid, header.zxid);
  switch (header.xid)
    {
    case BAWN_ZK_XID_EVENT:
      return take_event (self, body, error);
    case BAWN_ZK_XID_PING:
      self->n_failed = 0;
      return TRUE;
    case BAWN_ZK_XID_AUTH:
      return take_verdict (self, header.error, error);
    default:
      return take_reply (self, &header, g_steal_pointer (&body), error);
    }
}

static void
on_received (gpointer owner, GBytes *frame)
{
  BawnZkClient *self = owner;
  g_autoptr (GError) error = NULL;

  /* Whatever comes after the farewell is its echo. */
  if (self->closing_until_us == 0)
    {
      if (!take_frame (self, frame, &error))
        drop_text (self, error->message);
      return;
    }

  g_bytes_unref (frame);
  self->closing_until_us = 1;
  g_mutex_lock (&self->lock);
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
}

static const BawnZkConnectionEvents events = { on_opened, on_expired, on_received, on_closed };

static void
connect_to_next (BawnZkClient *self)
{
  const BawnZkAddress *address = self->options->addresses->pdata[self->order[self->at]];

  self->connection = bawn_zk_connection_open (self->options, address, &self->session,
                                              self->last_zxid, &events, self, &self->alive);
}

/* Returns when to look again. */
static gint64
look_after_connection (BawnZkClient *self, gint64 now)
{
  if (self->connection == NULL && now < self->next_try_us)
    return self->next_try_us;
  if (self->connection == NULL)
    connect_to_next (self);
  /* The connection has its own deadlines until it is open. */
  if (!self->has_session)
    return -1;

  /* If it was us who slept, what the server said meanwhile is still to be read. */
  if (now - self->looked_us > self->timeout_us / 2)
    self->excused_us = now;
  self->looked_us = now;

  gint64 heard = MAX (bawn_zk_connection_last_received_us (self->connection), self->excused_us);
  gint64 silent_at = heard + self->timeout_us * SILENCE_NUM / SILENCE_DEN;

  if (now >= silent_at)
    {
      drop_text (self, "has not answered for two thirds of the session timeout");
      return now;
    }
  if (now >= bawn_zk_connection_last_sent_us (self->connection) + self->timeout_us / PING_PART)
    send_bare (self, BAWN_ZK_XID_PING, BAWN_ZK_PING);
  bawn_zk_connection_flush (self->connection);

  gint64 ping_at =
      bawn_zk_connection_last_sent_us (self->connection) + self->timeout_us / PING_PART;

  return MIN (silent_at, MAX (ping_at, now + 1));
}

/* Returns when to look again. */
static gint64
take_leave (BawnZkClient *self, gint64 now)
{
  if (self->closing_until_us == 0)
    {
      self->closing_until_us = now + FAREWELL_US;
      if (self->has_session)
        send_bare (self, self->next_xid, BAWN_ZK_CLOSE);
      if (self->has_session)
        bawn_zk_connection_flush (self->connection);
    }
  if (self->has_session && now < self->closing_until_us)
    return self->closing_until_us;

  if (self->connection != NULL)
    bawn_zk_connection_close (g_steal_pointer (&self->connection));
  self->has_session = FALSE;
  self->is_open = FALSE;
  self->has_ended = TRUE;
  return -1;
}

/**
 * bawn_zk_client_on_turn:
 * @data: a client
 *
 * Does what is due: on its thread, whenever it was woken or a time has come.
 *
 * Returns: %G_SOURCE_CONTINUE
 */
gboolean
bawn_zk_client_on_turn (gpointer data)
{
  BawnZkClient *self = data;
  gint64 now = g_get_monotonic_time ();
  gint64 next = -1;

  g_mutex_lock (&self->lock);

  gboolean is_stopping = self->is_stopping;

  /* From here on whoever wakes us is heard. */
  g_source_set_ready_time (self->turn, -1);
  if (self->is_open && !is_stopping)
    bawn_zk_client_pump_locked (self);
  g_mutex_unlock (&self->lock);

  next = is_stopping ? take_leave (self, now) : look_after_connection (self, now);

  g_mutex_lock (&self->lock);

  gint64 set = g_source_get_ready_time (self->turn);

  if (next >= 0 && (set < 0 || next < set))
    g_source_set_ready_time (self->turn, next);
  g_mutex_unlock (&self->lock);
  return G_SOURCE_CONTINUE;
}

static void
abandon_rest (BawnZkClient *self)
{
  g_autoptr (GError) why = g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UPSTREAM, "ended");

  lose (self, why);
}

/**
 * bawn_zk_client_thread:
 * @data: a client
 *
 * Its thread, until the client ends.
 *
 * Returns: %NULL
 */
gpointer
bawn_zk_client_thread (gpointer data)
{
  BawnZkClient *self = data;

  g_main_context_push_thread_default (self->context);
  while (!self->has_ended || self->alive > 0)
    g_main_context_iteration (self->context, TRUE);
  abandon_rest (self);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}
