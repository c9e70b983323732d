/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-clock.h"

#include <time.h>

/* A fake clock has been up for this long when it is made, so that looking back a while is possible.
 */
#define FAKE_BOOT_US (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

struct _BawnClock
{
  gatomicrefcount refs;
  GMutex mutex;
  gint64 real_us;
  gint64 boot_us;
};

/**
 * bawn_clock_new_fake:
 * @real_us: the time to begin with, in microseconds since 1970
 *
 * Makes a clock that stands still until it is told to move.
 *
 * Returns: (transfer full): the clock
 */
BawnClock *
bawn_clock_new_fake (gint64 real_us)
{
  BawnClock *clock = g_new0 (BawnClock, 1);

  g_atomic_ref_count_init (&clock->refs);
  g_mutex_init (&clock->mutex);
  clock->real_us = real_us;
  clock->boot_us = FAKE_BOOT_US;

  return clock;
}

/**
 * bawn_clock_advance:
 * @clock: a fake clock
 * @by_us: microseconds, not negative
 *
 * Lets time pass on both scales.
 */
void
bawn_clock_advance (BawnClock *clock, gint64 by_us)
{
  g_return_if_fail (clock != NULL && by_us >= 0);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&clock->mutex);

  clock->real_us += by_us;
  clock->boot_us += by_us;
}

/**
 * bawn_clock_set_real:
 * @clock: a fake clock
 * @real_us: microseconds since 1970
 *
 * Makes the time of day jump, as when somebody sets it; the other scale does not notice.
 */
void
bawn_clock_set_real (BawnClock *clock, gint64 real_us)
{
  g_return_if_fail (clock != NULL);

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&clock->mutex);

  clock->real_us = real_us;
}

/**
 * bawn_clock_ref:
 * @clock: (nullable): a clock
 *
 * Returns: (transfer full) (nullable): @clock
 */
BawnClock *
bawn_clock_ref (BawnClock *clock)
{
  if (clock != NULL)
    g_atomic_ref_count_inc (&clock->refs);

  return clock;
}

/**
 * bawn_clock_unref:
 * @clock: (transfer full) (nullable): a clock
 */
void
bawn_clock_unref (BawnClock *clock)
{
  if (clock == NULL || !g_atomic_ref_count_dec (&clock->refs))
    return;

  g_mutex_clear (&clock->mutex);
  g_free (clock);
}

/**
 * bawn_clock_real_us:
 * @clock: (nullable): a clock; %NULL is the system's
 *
 * Returns: the time of day in microseconds since 1970; it may jump
 */
gint64
bawn_clock_real_us (BawnClock *clock)
{
  if (clock == NULL)
    return g_get_real_time ();

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&clock->mutex);

  return clock->real_us;
}

/**
 * bawn_clock_boot_us:
 * @clock: (nullable): a clock; %NULL is the system's
 *
 * Returns: microseconds since some moment, never jumping, time asleep included
 */
gint64
bawn_clock_boot_us (BawnClock *clock)
{
  if (clock == NULL)
    {
      struct timespec now = { 0 };

      if (clock_gettime (CLOCK_BOOTTIME, &now) != 0)
        return g_get_monotonic_time ();
      return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
    }

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&clock->mutex);

  return clock->boot_us;
}
