/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-client-private.h"

/* Before each request: length, xid, kind. */
#define XID_AT 4
#define FRAME_HEAD 4

static void
reply_clear (gpointer data)
{
  BawnZkReply *reply = data;

  g_clear_pointer (&reply->body, g_bytes_unref);
}

/**
 * bawn_zk_call_new:
 * @flags: how it may be treated
 *
 * Returns: (transfer full): a call without requests
 */
BawnZkCall *
bawn_zk_call_new (BawnZkCallFlags flags)
{
  BawnZkCall *call = g_new0 (BawnZkCall, 1);

  g_atomic_ref_count_init (&call->refs);
  g_cond_init (&call->changed);
  call->flags = flags;
  call->link.data = call;
  call->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  call->replies = g_array_new (FALSE, FALSE, sizeof (BawnZkReply));
  g_array_set_clear_func (call->replies, reply_clear);
  return call;
}

BawnZkCall *
bawn_zk_call_ref (BawnZkCall *call)
{
  g_atomic_ref_count_inc (&call->refs);
  return call;
}

/**
 * bawn_zk_call_unref:
 * @call: (transfer full): a call
 */
void
bawn_zk_call_unref (BawnZkCall *call)
{
  if (!g_atomic_ref_count_dec (&call->refs))
    return;

  bawn_buffer_clear (&call->frames);
  g_array_unref (call->starts);
  g_array_unref (call->replies);
  g_clear_error (&call->error);
  g_clear_pointer (&call->barrier, bawn_zk_call_unref);
  g_free (call->watch);
  g_cond_clear (&call->changed);
  g_free (call);
}

/**
 * bawn_zk_call_begin:
 * @call: a call that was not run yet
 * @op: what is asked for
 *
 * Begins a request.
 *
 * Returns: (transfer none): where its fields go
 */
BawnBuffer *
bawn_zk_call_begin (BawnZkCall *call, BawnZkOp op)
{
  gsize start = call->frames.size;

  g_array_append_val (call->starts, start);
  bawn_zk_write_int (&call->frames, 0);
  bawn_zk_write_int (&call->frames, 0);
  bawn_zk_write_int (&call->frames, op);
  return &call->frames;
}

void
bawn_zk_call_end (BawnZkCall *call)
{
  gsize start = g_array_index (call->starts, gsize, call->starts->len - 1);
  gsize size = call->frames.size - start - FRAME_HEAD;

  call->largest = MAX (call->largest, size);
  /* One that is too large for its length is never sent. */
  bawn_zk_patch_int (&call->frames, start, (gint32) MIN (size, G_MAXINT32));
}

/**
 * bawn_zk_call_add:
 * @call: a call that was not run yet
 * @op: EXISTS, GET_DATA or GET_CHILDREN2
 * @path: of which node
 *
 * Adds a whole request, without a watch.
 */
void
bawn_zk_call_add (BawnZkCall *call, BawnZkOp op, const char *path)
{
  BawnBuffer *buffer = bawn_zk_call_begin (call, op);

  bawn_zk_write_string (buffer, path);
  bawn_zk_write_bool (buffer, FALSE);
  bawn_zk_call_end (call);
}

gsize
bawn_zk_call_largest (BawnZkCall *call)
{
  return call->largest;
}

guint
bawn_zk_call_n_requests (BawnZkCall *call)
{
  return call->starts->len;
}

/**
 * bawn_zk_call_get:
 * @call: a call that has been answered
 * @index: which of its requests
 * @out_body: (out) (optional) (transfer none): what came with the code
 *
 * Returns: the error code of the reply
 */
gint32
bawn_zk_call_get (BawnZkCall *call, guint index, GBytes **out_body)
{
  const BawnZkReply *reply = &g_array_index (call->replies, BawnZkReply, index);

  if (out_body != NULL)
    *out_body = reply->body;
  return reply->error;
}

/* @call as it goes out. */
static void
send_call (BawnZkClient *self, BawnZkCall *call)
{
  call->first_xid = self->next_xid;
  for (guint i = 0; i < call->starts->len; i++)
    {
      gsize start = g_array_index (call->starts, gsize, i);

      bawn_zk_patch_int (&call->frames, start + XID_AT, self->next_xid);
      self->next_xid = self->next_xid == G_MAXINT32 ? 1 : self->next_xid + 1;
    }

  call->state = BAWN_ZK_CALL_SENT;
  call->n_sent++;
  g_queue_push_tail_link (&self->sent, &call->link);
  bawn_zk_connection_send (self->connection, call->frames.data, call->frames.size);
}

/* A commit that changes nothing: it takes a majority, so what is read behind it on the same
 * connection is not older than it. A `sync` is answered by a leader that does not ask whether it
 * still is one. */
static BawnZkCall *
send_barrier (BawnZkClient *self)
{
  BawnZkCall *call = bawn_zk_call_new (BAWN_ZK_CALL_URGENT);
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_MULTI);

  bawn_zk_multi_check (buffer, self->anchor, -1);
  bawn_zk_multi_end (buffer);
  bawn_zk_call_end (call);
  call->is_abandoned = TRUE;
  call->is_barrier = TRUE;
  self->n_barriers++;
  send_call (self, bawn_zk_call_ref (call));
  return call;
}

/* So many barriers may be on their way: more would only make more work for the servers, while those
 * who wait for the next one share it. */
#define MAX_BARRIERS 2

/**
 * bawn_zk_client_pump_locked:
 * @self: a client whose session is open
 *
 * Sends the calls that wait, as far as there are places.
 */
void
bawn_zk_client_pump_locked (BawnZkClient *self)
{
  g_autoptr (BawnZkCall) barrier = NULL;
  GList *next = NULL;

  for (GList *link = self->waiting.head; link != NULL; link = next)
    {
      BawnZkCall *call = link->data;
      gboolean takes_place = (call->flags & BAWN_ZK_CALL_URGENT) == 0;
      gboolean is_fresh = (call->flags & BAWN_ZK_CALL_FRESH) != 0;

      next = link->next;
      if (takes_place && self->n_places >= self->options->max_parallel)
        continue;
      if (is_fresh && barrier == NULL && self->n_barriers >= MAX_BARRIERS)
        continue;
      if (is_fresh && barrier == NULL)
        barrier = send_barrier (self);

      g_queue_unlink (&self->waiting, link);
      self->n_places += takes_place ? 1 : 0;
      if (is_fresh)
        {
          g_clear_pointer (&call->barrier, bawn_zk_call_unref);
          call->barrier = bawn_zk_call_ref (barrier);
        }
      send_call (self, call);
    }
}

/* Takes @call, which is in no queue any more. */
static void
finish_locked (BawnZkClient *self, BawnZkCall *call, GError *error)
{
  call->state = BAWN_ZK_CALL_DONE;
  call->error = error;
  g_cond_signal (&call->changed);
  bawn_zk_call_unref (call);
}

/* How often a call is sent at most: one that makes each server close its connection shall not take
 * all others with it. */
#define MAX_SENT 6

/**
 * bawn_zk_client_lose_locked:
 * @self: a client that has lost its connection
 *
 * Ends the calls whose answers are lost, or puts them back in front of those that wait.
 */
void
bawn_zk_client_lose_locked (BawnZkClient *self)
{
  GList *link = NULL;
  GHashTableIter iter;
  gpointer value = NULL;

  self->n_places = 0;
  self->n_barriers = 0;
  while ((link = g_queue_pop_tail_link (&self->sent)) != NULL)
    {
      BawnZkCall *call = link->data;
      gboolean repeatable = (call->flags & BAWN_ZK_CALL_REPEATABLE) != 0;

      g_array_set_size (call->replies, 0);
      if (call->is_abandoned)
        finish_locked (self, call, NULL);
      else if (!repeatable)
        finish_locked (self, call,
                       g_error_new (BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME,
                                    "the answer is lost: %s", self->trouble));
      else if (call->n_sent >= MAX_SENT)
        finish_locked (self, call,
                       g_error_new_literal (BAWN_ERROR, BAWN_ERROR_UPSTREAM, self->trouble));
      else
        {
          call->state = BAWN_ZK_CALL_WAITING;
          g_queue_push_head_link (&self->waiting, link);
        }
    }

  g_hash_table_iter_init (&iter, self->watches);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      BawnZkWatch *watch = value;

      watch->is_armed = FALSE;
      g_cond_broadcast (&watch->changed);
    }
}

static void
arm_locked (BawnZkClient *self, BawnZkCall *call)
{
  BawnZkWatch *watch = g_hash_table_lookup (self->watches, call->watch);
  const BawnZkReply *reply = &g_array_index (call->replies, BawnZkReply, 0);
  BawnZkStat stat = { 0 };

  if (watch == NULL || (reply->error != BAWN_ZK_NO_NODE && reply->error != BAWN_ZK_OK)
      || (reply->error == BAWN_ZK_OK && !bawn_zk_parse_stat (reply->body, &stat, NULL)))
    return;

  watch->is_armed = TRUE;
  watch->mzxid = stat.mzxid;
  g_cond_broadcast (&watch->changed);
}

/**
 * bawn_zk_client_reply_locked:
 * @self: a client
 * @header: of a reply to a call
 * @body: (transfer full): the rest of it
 * @error: (out) (optional): UPSTREAM if nobody has asked for it
 *
 * Gives the reply to the first call on its way, since servers answer in order.
 *
 * Returns: %TRUE if it was awaited
 */
gboolean
bawn_zk_client_reply_locked (BawnZkClient *self,
                             const BawnZkReplyHeader *header,
                             GBytes *body,
                             GError **error)
{
  g_autoptr (GBytes) owned = body;
  BawnZkCall *call = g_queue_peek_head (&self->sent);
  guint n = call != NULL ? call->replies->len : 0;
  gint32 expected = call != NULL ? call->first_xid : 0;

  for (guint i = 0; i < n; i++)
    expected = expected == G_MAXINT32 ? 1 : expected + 1;
  if (call == NULL || header->xid != expected)
    return bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper answered what it was not asked");

  BawnZkReply reply = { header->error, g_steal_pointer (&owned) };

  g_array_append_val (call->replies, reply);
  if (call->replies->len < call->starts->len)
    return TRUE;

  g_queue_unlink (&self->sent, &call->link);
  self->n_barriers -= call->is_barrier ? 1 : 0;
  self->n_places -= (call->flags & BAWN_ZK_CALL_URGENT) == 0 ? 1 : 0;
  if (call->watch != NULL)
    arm_locked (self, call);
  finish_locked (self, call, NULL);
  return TRUE;
}
