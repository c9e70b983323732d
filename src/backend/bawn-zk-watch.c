/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-client-private.h"
#include "backend/bawn-zk-waker.h"

/* Watches are the one-shot ones that every server has. A recursive one for the whole tree would
 * tell each node of a cluster of each write of the active one, while only few keys are ever waited
 * for; and asking whether the node exists arms the watch and tells the version in one step, so
 * nothing that happens between the two can be missed. */

static BawnZkWatch *
ensure_locked (BawnZkClient *self, const char *path)
{
  BawnZkWatch *watch = g_hash_table_lookup (self->watches, path);

  if (watch != NULL)
    return watch;

  watch = g_new0 (BawnZkWatch, 1);
  watch->path = g_strdup (path);
  g_cond_init (&watch->changed);
  g_hash_table_insert (self->watches, watch->path, watch);
  return watch;
}

/* An armed one is kept, for whoever waits next: the server has it anyway. */
static void
leave_locked (BawnZkClient *self, BawnZkWatch *watch)
{
  watch->n_waiting--;
  if (watch->n_waiting == 0 && !watch->is_armed)
    g_hash_table_remove (self->watches, watch->path);
}

/**
 * bawn_zk_client_fire_locked:
 * @self: a client
 * @path: of a node that has changed
 */
void
bawn_zk_client_fire_locked (BawnZkClient *self, const char *path)
{
  BawnZkWatch *watch = g_hash_table_lookup (self->watches, path);

  if (watch == NULL)
    return;

  watch->is_armed = FALSE;
  watch->n_fired++;
  g_cond_broadcast (&watch->changed);
  if (watch->n_waiting == 0)
    g_hash_table_remove (self->watches, path);
}

/* Drops the lock while it asks. */
static gboolean
arm_unlocking (BawnZkClient *self,
               BawnZkWatch *watch,
               gint64 until_us,
               GCancellable *cancellable,
               GError **error)
{
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_URGENT);
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_EXISTS);

  bawn_zk_write_string (buffer, watch->path);
  bawn_zk_write_bool (buffer, TRUE);
  bawn_zk_call_end (call);
  call->watch = g_strdup (watch->path);

  watch->is_being_armed = TRUE;
  g_mutex_unlock (&self->lock);

  GBytes *body = NULL;
  BawnZkStat stat = { 0 };
  gboolean ok = bawn_zk_client_run_until (self, call, until_us, cancellable, error);
  gint32 code = ok ? bawn_zk_call_get (call, 0, &body) : BAWN_ZK_NO_NODE;

  if (code == BAWN_ZK_OK)
    ok = bawn_zk_parse_stat (body, &stat, error);
  else if (code != BAWN_ZK_NO_NODE)
    ok = bawn_fail (error, BAWN_ERROR_UPSTREAM, "ZooKeeper does not let us watch %s: %s",
                    watch->path, bawn_zk_error_name (code));

  g_mutex_lock (&self->lock);
  watch->is_being_armed = FALSE;
  g_cond_broadcast (&watch->changed);
  return ok;
}

/* A server that is behind what the caller has read says nothing new: its news is still to come. */
static gboolean
tells_of_change (const BawnZkWatch *watch, gint64 mzxid)
{
  return watch->is_armed && watch->mzxid != mzxid && (watch->mzxid == 0 || watch->mzxid > mzxid);
}

static gboolean
wait_locked (BawnZkClient *self,
             BawnZkWatch *watch,
             gint64 mzxid,
             gint64 until_us,
             GCancellable *cancellable,
             GError **error)
{
  g_autoptr (GError) local = NULL;
  guint n_fired = watch->n_fired;
  gint64 asking_us = MIN (until_us, g_get_monotonic_time () + self->options->request_timeout_us);

  while (watch->n_fired == n_fired && !tells_of_change (watch, mzxid))
    {
      if (g_cancellable_is_cancelled (cancellable))
        return bawn_fail (error, BAWN_ERROR_TIMEOUT, "given up");

      if (watch->is_armed || watch->is_being_armed)
        {
          if (!g_cond_wait_until (&watch->changed, &self->lock, until_us))
            return TRUE;
          asking_us = MIN (until_us, g_get_monotonic_time () + self->options->request_timeout_us);
        }
      else if (!arm_unlocking (self, watch, asking_us, cancellable, &local))
        {
          /* It was only slower than the caller had time. */
          if (self->trouble == NULL && bawn_error_is (local, BAWN_ERROR_UPSTREAM)
              && g_get_monotonic_time () >= until_us)
            return TRUE;
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
bawn_zk_client_wait (BawnZkClient *self,
                     const char *path,
                     gint64 mzxid,
                     gint64 timeout_us,
                     GCancellable *cancellable,
                     GError **error)
{
  gint64 until_us = g_get_monotonic_time () + timeout_us;
  BawnZkWaker waker;

  g_mutex_lock (&self->lock);

  BawnZkWatch *watch = ensure_locked (self, path);

  watch->n_waiting++;
  g_mutex_unlock (&self->lock);

  bawn_zk_waker_begin (&waker, cancellable, &self->lock, &watch->changed);
  g_mutex_lock (&self->lock);

  gboolean ok = wait_locked (self, watch, mzxid, until_us, cancellable, error);

  g_mutex_unlock (&self->lock);
  bawn_zk_waker_end (&waker);

  g_mutex_lock (&self->lock);
  leave_locked (self, watch);
  g_mutex_unlock (&self->lock);
  return ok;
}
