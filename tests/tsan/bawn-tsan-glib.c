/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* GLib's locks on those of pthreads, for ThreadSanitizer only. A distribution's GLib is not
 * instrumented: its locks are made of futexes, whose order the sanitizer does not see, so that it
 * takes every correct use of one for a race. Defined in the program, these stand before the
 * library's own, and the sanitizer understands them. */

#include <errno.h>
#include <glib.h>
#include <pthread.h>
#include <time.h>

#ifdef __SANITIZE_THREAD__

const char *__tsan_default_options (void);
const char *__tsan_default_suppressions (void);

/* What GLib and SQLite read and free for us is ordered by their own atomic counters, which are not
 * seen either. */
const char *
__tsan_default_options (void)
{
  return "ignore_noninstrumented_modules=1 halt_on_error=1 second_deadlock_stack=1";
}

const char *
__tsan_default_suppressions (void)
{
  return "called_from_lib:libglib-2.0.so.0\n"
         "called_from_lib:libgobject-2.0.so.0\n"
         "called_from_lib:libgio-2.0.so.0\n"
         "called_from_lib:libsqlite3.so.0\n";
}

static gpointer
make_mutex (void)
{
  pthread_mutex_t *mutex = g_new0 (pthread_mutex_t, 1);

  pthread_mutex_init (mutex, NULL);
  return mutex;
}

static gpointer
make_cond (void)
{
  pthread_cond_t *cond = g_new0 (pthread_cond_t, 1);
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attributes);
  pthread_condattr_destroy (&attributes);
  return cond;
}

/* A static lock is made at its first use, by whoever is first. */
static gpointer
get (gpointer *slot, gpointer (*make) (void), int (*destroy) (gpointer))
{
  gpointer made = __atomic_load_n (slot, __ATOMIC_ACQUIRE);

  if (made != NULL)
    return made;

  gpointer fresh = make ();

  if (__atomic_compare_exchange_n (slot, &made, fresh, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return fresh;

  destroy (fresh);
  g_free (fresh);
  return made;
}

static pthread_mutex_t *
get_mutex (GMutex *mutex)
{
  return get (&mutex->p, make_mutex, (int (*) (gpointer)) pthread_mutex_destroy);
}

static pthread_cond_t *
get_cond (GCond *cond)
{
  return get (&cond->p, make_cond, (int (*) (gpointer)) pthread_cond_destroy);
}

void
g_mutex_init (GMutex *mutex)
{
  mutex->p = make_mutex ();
}

void
g_mutex_clear (GMutex *mutex)
{
  if (mutex->p == NULL)
    return;

  pthread_mutex_destroy (mutex->p);
  g_free (mutex->p);
}

void
g_mutex_lock (GMutex *mutex)
{
  pthread_mutex_lock (get_mutex (mutex));
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  return pthread_mutex_trylock (get_mutex (mutex)) == 0;
}

void
g_mutex_unlock (GMutex *mutex)
{
  pthread_mutex_unlock (get_mutex (mutex));
}

void
g_cond_init (GCond *cond)
{
  cond->p = make_cond ();
}

void
g_cond_clear (GCond *cond)
{
  if (cond->p == NULL)
    return;

  pthread_cond_destroy (cond->p);
  g_free (cond->p);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  pthread_cond_wait (get_cond (cond), get_mutex (mutex));
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  const struct timespec until = { end_time / G_USEC_PER_SEC, (end_time % G_USEC_PER_SEC) * 1000 };

  return pthread_cond_timedwait (get_cond (cond), get_mutex (mutex), &until) != ETIMEDOUT;
}

void
g_cond_signal (GCond *cond)
{
  pthread_cond_signal (get_cond (cond));
}

void
g_cond_broadcast (GCond *cond)
{
  pthread_cond_broadcast (get_cond (cond));
}

/* Functions that take these by a macro in GLib's headers. */
#undef g_atomic_ref_count_init
#undef g_atomic_ref_count_inc
#undef g_atomic_ref_count_dec

void
g_atomic_ref_count_init (gatomicrefcount *count)
{
  *count = 1;
}

void
g_atomic_ref_count_inc (gatomicrefcount *count)
{
  __atomic_fetch_add (count, 1, __ATOMIC_SEQ_CST);
}

gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  return __atomic_fetch_sub (count, 1, __ATOMIC_SEQ_CST) == 1;
}

#else

/* Nothing to do, and a file must have something in it. */
typedef int BawnTsanUnused;

#endif
