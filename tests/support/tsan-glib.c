/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GLib as distributions build it is not instrumented, and its GMutex is not pthread's: the thread
 * sanitizer sees neither that a lock was taken nor that a reference count was the last one. These
 * functions stand before GLib's in programs built with -fsanitize=thread, tell the sanitizer, and
 * call GLib's.
 *
 * Linked by way of libbawn-util.a; in other builds there is nothing of it.
 */
#include "config.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)

#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

/* GLib's own, found once; asking again does no harm. */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&name) real_;                                                               \
    __typeof__ (&name) found_ = __atomic_load_n (&real_, __ATOMIC_ACQUIRE);                        \
    if (found_ == NULL)                                                                            \
      {                                                                                            \
        found_ = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name);                                    \
        __atomic_store_n (&real_, found_, __ATOMIC_RELEASE);                                       \
      }                                                                                            \
    found_;                                                                                        \
  })

/* Everything that one thread did before it lets go is seen by who lets go after it. */
static void
meet (gpointer address)
{
  __tsan_release (address);
  __tsan_acquire (address);
}

/* Locks */

void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  gboolean locked = REAL (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex,
                          __tsan_mutex_try_lock | (locked ? 0 : __tsan_mutex_try_lock_failed), 0);

  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  REAL (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

void
g_mutex_clear (GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  REAL (g_mutex_clear) (mutex);
}

static void
let_go (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
hold_again (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  let_go (mutex);
  REAL (g_cond_wait) (cond, mutex);
  hold_again (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  let_go (mutex);
  gboolean woken = REAL (g_cond_wait_until) (cond, mutex, end_time);
  hold_again (mutex);

  return woken;
}

void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  REAL (g_once_init_leave) (location, result);
}

/* The last reference */

void
g_bytes_unref (GBytes *bytes)
{
  if (bytes != NULL)
    meet (bytes);
  REAL (g_bytes_unref) (bytes);
}

void (g_object_unref) (gpointer object)
{
  meet (object);
  REAL (g_object_unref) (object);
}

void
g_ptr_array_unref (GPtrArray *array)
{
  meet (array);
  REAL (g_ptr_array_unref) (array);
}

void
g_hash_table_unref (GHashTable *table)
{
  meet (table);
  REAL (g_hash_table_unref) (table);
}

/* Who is the last is known only after the counting, and somebody may have let go just before it. */
gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  __tsan_release (count);

  gboolean last = REAL (g_atomic_ref_count_dec) (count);

  if (last)
    __tsan_acquire (count);
  return last;
}

void
g_atomic_rc_box_release_full (gpointer box, GDestroyNotify clear)
{
  meet (box);
  REAL (g_atomic_rc_box_release_full) (box, clear);
}

/* Handing over */

void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  __tsan_release (data);
  REAL (g_async_queue_push) (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_pop) (queue);

  __tsan_acquire (data);

  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data = REAL (g_async_queue_try_pop) (queue);

  if (data != NULL)
    __tsan_acquire (data);

  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout)
{
  gpointer data = REAL (g_async_queue_timeout_pop) (queue, timeout);

  if (data != NULL)
    __tsan_acquire (data);

  return data;
}

/* What a pool calls; never freed, like most pools. */
typedef struct
{
  GFunc func;
  gpointer user_data;
} PoolCall;

/* Where those that wait for a pool's end meet its threads. */
static char pools;

static void
call_in_pool (gpointer data, gpointer user_data)
{
  const PoolCall *call = user_data;

  __tsan_acquire (data);
  call->func (data, call->user_data);
  __tsan_release (&pools);
}

GThreadPool *
g_thread_pool_new (
    GFunc func, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
  PoolCall *call = g_new (PoolCall, 1);

  *call = (PoolCall){ func, user_data };
  __tsan_release (call);

  return REAL (g_thread_pool_new) (call_in_pool, call, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  __tsan_release (data);

  return REAL (g_thread_pool_push) (pool, data, error);
}

void
g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  REAL (g_thread_pool_free) (pool, immediate, wait);
  __tsan_acquire (&pools);
}

#endif
