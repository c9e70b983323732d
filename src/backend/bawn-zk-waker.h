/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnZkWaker:
 *
 * Lets a cancellable end a wait on a condition. Lives on the stack, between bawn_zk_waker_begin()
 * and bawn_zk_waker_end(), both of which are called without the lock.
 */
typedef struct
{
  /*< private >*/
  GMutex *lock;
  GCond *cond;
  GCancellable *cancellable;
  gulong handler;
} BawnZkWaker;

/* @cancellable (nullable): when it is cancelled, @cond is signalled to all. */
void bawn_zk_waker_begin (BawnZkWaker *waker, GCancellable *cancellable, GMutex *lock, GCond *cond);
void bawn_zk_waker_end (BawnZkWaker *waker);

G_END_DECLS
