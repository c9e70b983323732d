/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Users count themselves in and out on a cache line of their own thread's. As many as threads that
 * may be busy at once. */
#define BAWN_USE_LOCK_STRIPES 16
#define BAWN_USE_LOCK_LINE 64

/**
 * BawnUseLock:
 *
 * For something that is used all the time, briefly and by many threads, and changed hardly ever.
 * Using costs two atomic operations that no other thread is in the way of; and unlike with a plain
 * reader-writer lock, whoever wants to change is not kept waiting by users that go on coming.
 *
 * Not recursive. Users must not block.
 */
typedef struct
{
  union
  {
    gint users;
    guint8 padding[BAWN_USE_LOCK_LINE];
  } stripes[BAWN_USE_LOCK_STRIPES];
  gint changing;
  GMutex owner;
} BawnUseLock;

void bawn_use_lock_init (BawnUseLock *lock);
void bawn_use_lock_clear (BawnUseLock *lock);
/* Gives what bawn_use_lock_leave() takes. */
guint bawn_use_lock_enter (BawnUseLock *lock);
void bawn_use_lock_leave (BawnUseLock *lock, guint stripe);
void bawn_use_lock_begin_change (BawnUseLock *lock);
void bawn_use_lock_end_change (BawnUseLock *lock);

/**
 * BawnUser:
 *
 * `g_auto(BawnUser) user = bawn_user_enter (&lock);` holds the lock for using until the end of the
 * block.
 */
typedef struct
{
  BawnUseLock *lock;
  guint stripe;
} BawnUser;

static inline BawnUser
bawn_user_enter (BawnUseLock *lock)
{
  return (BawnUser){ lock, bawn_use_lock_enter (lock) };
}

static inline void
bawn_user_leave (BawnUser *user)
{
  bawn_use_lock_leave (user->lock, user->stripe);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnUser, bawn_user_leave)

G_END_DECLS
