/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-client-private.h"
#include "backend/bawn-zk-waker.h"

static gboolean
turn_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

/* It is ready by its time only. */
static GSourceFuncs turn_funcs = { NULL, NULL, turn_dispatch, NULL, NULL, NULL };

void
bawn_zk_client_wake_locked (BawnZkClient *self)
{
  g_source_set_ready_time (self->turn, 0);
}

void
bawn_zk_watch_free (gpointer data)
{
  BawnZkWatch *watch = data;

  g_cond_clear (&watch->changed);
  g_free (watch->path);
  g_free (watch);
}

/* So that the nodes of a cluster do not all sit on the same server. */
static guint *
shuffle (guint n)
{
  guint *order = g_new (guint, n);

  for (guint i = 0; i < n; i++)
    {
      guint j = (guint) g_random_int_range (0, (gint32) i + 1);

      order[i] = order[j];
      order[j] = i;
    }
  return order;
}

/**
 * bawn_zk_client_new:
 * @options: the settings, with at least one address; must outlive it
 *
 * Starts to connect.
 *
 * Returns: (transfer full): the client
 */
BawnZkClient *
bawn_zk_client_new (const BawnZkOptions *options)
{
  BawnZkClient *self = g_new0 (BawnZkClient, 1);

  self->options = options;
  self->context = g_main_context_new ();
  self->turn = g_source_new (&turn_funcs, sizeof (GSource));
  g_source_set_callback (self->turn, bawn_zk_client_on_turn, self, NULL);
  g_source_set_ready_time (self->turn, 0);
  g_source_attach (self->turn, self->context);
  g_mutex_init (&self->lock);
  self->watches = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, bawn_zk_watch_free);
  self->order = shuffle (options->addresses->len);
  self->next_xid = 1;
  self->thread = g_thread_new ("bawn-zk", bawn_zk_client_thread, self);
  return self;
}

/**
 * bawn_zk_client_free:
 * @self: (transfer full): a client in which nobody waits
 *
 * Ends the session and the thread. Blocks for a moment.
 */
void
bawn_zk_client_free (BawnZkClient *self)
{
  g_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  bawn_zk_client_wake_locked (self);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);

  g_source_destroy (self->turn);
  g_source_unref (self->turn);
  g_main_context_unref (self->context);
  g_hash_table_unref (self->watches);
  g_mutex_clear (&self->lock);
  bawn_wipe (&self->session, sizeof self->session);
  g_free (self->order);
  g_free (self->trouble);
  g_free (self->anchor);
  g_free (self);
}

void
bawn_zk_client_set_anchor (BawnZkClient *self, const char *path)
{
  g_mutex_lock (&self->lock);
  g_free (self->anchor);
  self->anchor = g_strdup (path);
  g_mutex_unlock (&self->lock);
}

/* The caller stops waiting for @call. */
static void
give_up_locked (BawnZkClient *self, BawnZkCall *call, gboolean was_cancelled, GError **error)
{
  gboolean was_sent = call->state == BAWN_ZK_CALL_SENT;

  if (was_sent)
    {
      /* Its answer may still come, and nobody will look at it. */
      call->is_abandoned = TRUE;
    }
  else
    {
      g_queue_unlink (&self->waiting, &call->link);
      bawn_zk_call_unref (call);
    }

  if (was_sent && (call->flags & BAWN_ZK_CALL_REPEATABLE) == 0)
    bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "ZooKeeper has not answered %s",
               was_cancelled ? "before it was given up" : "in time");
  else if (was_cancelled)
    bawn_fail (error, BAWN_ERROR_TIMEOUT, "ZooKeeper was given no more time");
  else
    bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s",
               self->trouble != NULL ? self->trouble : "ZooKeeper has not answered in time");
}

/* What a call is worth whose barrier was answered with something else than success. */
static gboolean
check_barrier (BawnZkCall *call, const char *anchor, GError **error)
{
  GBytes *body = NULL;

  if (call->barrier == NULL)
    return TRUE;

  gint32 code = bawn_zk_call_get (call->barrier, 0, &body);
  g_autoptr (GArray) results = code == BAWN_ZK_OK ? bawn_zk_parse_multi (body, error) : NULL;

  if (code == BAWN_ZK_OK && results == NULL)
    return FALSE;
  if (results != NULL && results->len == 1)
    code = g_array_index (results, BawnZkResult, 0).error;
  if (code == BAWN_ZK_NO_NODE)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "ZooKeeper has lost the node %s", anchor);

  return code == BAWN_ZK_OK
         || bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper does not let us read %s: %s", anchor,
                       bawn_zk_error_name (code));
}

gboolean
bawn_zk_client_run_until (BawnZkClient *self,
                          BawnZkCall *call,
                          gint64 until_us,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnZkWaker waker;
  gboolean ok = TRUE;

  if (call->largest > self->options->max_request)
    return bawn_fail (error, BAWN_ERROR_TOO_LARGE,
                      "a request of %" G_GSIZE_FORMAT " bytes is larger than the %" G_GSIZE_FORMAT
                      " of jute-maxbuffer",
                      call->largest, self->options->max_request);

  bawn_zk_waker_begin (&waker, cancellable, &self->lock, &call->changed);
  g_mutex_lock (&self->lock);
  call->state = BAWN_ZK_CALL_WAITING;
  bawn_zk_call_ref (call);
  g_queue_push_tail_link (&self->waiting, &call->link);
  bawn_zk_client_wake_locked (self);

  gboolean in_time = TRUE;

  while (call->state != BAWN_ZK_CALL_DONE && in_time && !g_cancellable_is_cancelled (cancellable))
    in_time = g_cond_wait_until (&call->changed, &self->lock, until_us);

  if (call->state != BAWN_ZK_CALL_DONE)
    {
      give_up_locked (self, call, g_cancellable_is_cancelled (cancellable), error);
      ok = FALSE;
    }
  else if (call->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&call->error));
      ok = FALSE;
    }
  g_mutex_unlock (&self->lock);
  bawn_zk_waker_end (&waker);

  return ok && check_barrier (call, self->anchor, error);
}

/**
 * bawn_zk_client_run:
 * @self: a client
 * @call: a call that was not run before
 * @cancellable: (nullable): ends the wait
 * @error: (out) (optional): see the header
 *
 * Sends @call as soon as there is a connection, and waits for its replies, for at most
 * request-timeout. Blocks.
 *
 * Returns: %TRUE if all requests were answered, with whatever codes
 */
gboolean
bawn_zk_client_run (BawnZkClient *self, BawnZkCall *call, GCancellable *cancellable, GError **error)
{
  return bawn_zk_client_run_until (
      self, call, g_get_monotonic_time () + self->options->request_timeout_us, cancellable, error);
}
