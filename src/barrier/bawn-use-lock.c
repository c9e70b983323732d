/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-use-lock.h"

/* Users are gone in microseconds: so often whoever waits for them only yields, and then sleeps a
 * little each time. */
#define YIELDS 64
#define NAP_US 50

static guint
own_stripe (void)
{
  static gint n_threads;
  static __thread guint stripe;

  if (stripe == 0)
    stripe = 1 + (guint) g_atomic_int_add (&n_threads, 1) % BAWN_USE_LOCK_STRIPES;

  return stripe - 1;
}

/**
 * bawn_use_lock_init:
 * @lock: zeroed memory
 */
void
bawn_use_lock_init (BawnUseLock *lock)
{
  g_mutex_init (&lock->owner);
}

/**
 * bawn_use_lock_clear:
 * @lock: a lock that nobody holds
 */
void
bawn_use_lock_clear (BawnUseLock *lock)
{
  g_mutex_clear (&lock->owner);
}

/**
 * bawn_use_lock_enter:
 * @lock: a lock
 *
 * Waits while somebody changes what @lock guards. Together with the other side this is Dekker's:
 * each first says that it is there, then looks for the other, in an order that all threads agree
 * on.
 *
 * Returns: what bawn_use_lock_leave() takes
 */
guint
bawn_use_lock_enter (BawnUseLock *lock)
{
  guint stripe = own_stripe ();

  g_atomic_int_inc (&lock->stripes[stripe].users);
  while (g_atomic_int_get (&lock->changing))
    {
      g_atomic_int_add (&lock->stripes[stripe].users, -1);
      g_mutex_lock (&lock->owner);
      g_mutex_unlock (&lock->owner);
      g_atomic_int_inc (&lock->stripes[stripe].users);
    }

  return stripe;
}

/**
 * bawn_use_lock_leave:
 * @lock: a lock
 * @stripe: what bawn_use_lock_enter() gave
 */
void
bawn_use_lock_leave (BawnUseLock *lock, guint stripe)
{
  g_atomic_int_add (&lock->stripes[stripe].users, -1);
}

/**
 * bawn_use_lock_begin_change:
 * @lock: a lock
 *
 * Keeps further users out, and waits until those inside have left.
 */
void
bawn_use_lock_begin_change (BawnUseLock *lock)
{
  g_mutex_lock (&lock->owner);
  g_atomic_int_set (&lock->changing, TRUE);

  for (guint i = 0; i < BAWN_USE_LOCK_STRIPES; i++)
    for (guint tries = 0; g_atomic_int_get (&lock->stripes[i].users) > 0; tries++)
      {
        if (tries < YIELDS)
          g_thread_yield ();
        else
          g_usleep (NAP_US);
      }
}

/**
 * bawn_use_lock_end_change:
 * @lock: a lock held by bawn_use_lock_begin_change()
 */
void
bawn_use_lock_end_change (BawnUseLock *lock)
{
  g_atomic_int_set (&lock->changing, FALSE);
  g_mutex_unlock (&lock->owner);
}
