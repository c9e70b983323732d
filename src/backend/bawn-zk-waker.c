/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-waker.h"

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  BawnZkWaker *waker = data;

  g_mutex_lock (waker->lock);
  g_cond_broadcast (waker->cond);
  g_mutex_unlock (waker->lock);
}

void
bawn_zk_waker_begin (BawnZkWaker *waker, GCancellable *cancellable, GMutex *lock, GCond *cond)
{
  *waker = (BawnZkWaker){ lock, cond, cancellable, 0 };
  if (cancellable != NULL)
    waker->handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), waker, NULL);
}

void
bawn_zk_waker_end (BawnZkWaker *waker)
{
  g_cancellable_disconnect (waker->cancellable, waker->handler);
}
