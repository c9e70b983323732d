/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-watch.h"

#include <string.h>

#include "util/bawn-log.h"

/* A wait that is over at once all the time would be a loop. */
#define LOOK_MIN_US 1000

/* What it takes for the record's silence to mean that its holder has gone. */
static gint64
silence_of (const BawnHaWatch *watch)
{
  return watch->sight == BAWN_HA_SIGHT_HELD ? watch->lock.ttl_us : watch->ttl_us;
}

static BawnHaSight
classify (BawnHaWatch *watch, GBytes *text)
{
  g_autoptr (GError) local = NULL;

  bawn_ha_lock_clear (&watch->lock);
  if (text == NULL)
    return BAWN_HA_SIGHT_ABSENT;
  if (!bawn_ha_lock_parse (text, &watch->lock, &local))
    return BAWN_HA_SIGHT_GARBAGE;
  if (!watch->lock.held)
    return BAWN_HA_SIGHT_FREE;

  return strcmp (watch->lock.holder, watch->node_id) == 0 ? BAWN_HA_SIGHT_OWN : BAWN_HA_SIGHT_HELD;
}

/* A record that vanishes says nothing about its holder, who may still answer from memory. */
static void
note_fear (BawnHaWatch *watch)
{
  switch (watch->sight)
    {
    case BAWN_HA_SIGHT_HELD:
    case BAWN_HA_SIGHT_GARBAGE:
      watch->feared_us = silence_of (watch);
      break;
    case BAWN_HA_SIGHT_FREE:
    case BAWN_HA_SIGHT_OWN:
      watch->feared_us = 0;
      break;
    case BAWN_HA_SIGHT_UNKNOWN:
    case BAWN_HA_SIGHT_ABSENT:
      break;
    }
}

static void
complain (void)
{
  bawn_log_error ("ha",
                  "the record %s in the storage cannot be read, so no node can become active: make "
                  "sure that no "
                  "other program uses this place, then delete it",
                  BAWN_ELECTOR_LOCK_KEY);
}

static gboolean
bytes_equal (GBytes *a, GBytes *b)
{
  return a == b || (a != NULL && b != NULL && g_bytes_equal (a, b));
}

static void
take_in (BawnHaWatch *watch, GBytes *text, guint64 version)
{
  g_clear_pointer (&watch->text, g_bytes_unref);
  watch->text = text != NULL ? g_bytes_ref (text) : NULL;
  watch->version = version;
  watch->sight = classify (watch, text);
  note_fear (watch);
  if (watch->sight == BAWN_HA_SIGHT_GARBAGE)
    complain ();
}

/* Without this nobody would see why the lease is never taken over. */
static void
note_pace (BawnHaWatch *watch, gint64 took_us, gint64 bound_us)
{
  gboolean slow = took_us > bound_us;

  if (slow && !watch->slow)
    bawn_log_warn ("ha",
                   "the storage took %" G_GINT64_FORMAT
                   " ms to answer; as long as it takes more than %" G_GINT64_FORMAT
                   " ms, a holder of the lease that has gone is not noticed",
                   took_us / 1000, bound_us / 1000);
  watch->slow = slow;
}

/**
 * bawn_ha_watch_init:
 * @watch: (out caller-allocates): what to begin with
 * @node_id: who watches; not copied
 * @node_name: its name; not copied
 * @ttl_us: of its own leases
 *
 * Begins without knowing anything.
 */
void
bawn_ha_watch_init (BawnHaWatch *watch, const char *node_id, const char *node_name, gint64 ttl_us)
{
  *watch = (BawnHaWatch){ .node_id = node_id, .node_name = node_name, .ttl_us = ttl_us };
}

/**
 * bawn_ha_watch_clear:
 * @watch: what is not needed any more
 */
void
bawn_ha_watch_clear (BawnHaWatch *watch)
{
  g_clear_pointer (&watch->text, g_bytes_unref);
  bawn_ha_lock_clear (&watch->lock);
}

/**
 * bawn_ha_watch_saw:
 * @watch: what is known
 * @text: (nullable): the record as read
 * @version: its version; 0: it is absent
 * @sent: when the read was sent
 * @now: when its answer was here
 *
 * Takes a read of the record. Silence counts only while the storage answers: a slow read, or having
 * looked away, begins it anew.
 */
void
bawn_ha_watch_saw (BawnHaWatch *watch, GBytes *text, guint64 version, gint64 sent, gint64 now)
{
  gboolean same = watch->sight != BAWN_HA_SIGHT_UNKNOWN && watch->version == version
                  && bytes_equal (watch->text, text);

  if (!same)
    take_in (watch, text, version);

  gint64 ttl_us = silence_of (watch);

  note_pace (watch, now - sent, BAWN_HA_SLOW_READ (ttl_us));
  if (!same || watch->last_read == 0 || watch->slow
      || now - watch->last_read > BAWN_HA_LOOKED_AWAY (ttl_us))
    watch->since = now;
  watch->last_read = now;
  watch->fresh = TRUE;
}

/**
 * bawn_ha_watch_failed:
 * @watch: what is known
 *
 * Takes a read that failed: silence begins anew.
 */
void
bawn_ha_watch_failed (BawnHaWatch *watch)
{
  watch->last_read = 0;
  watch->fresh = FALSE;
}

/**
 * bawn_ha_watch_forget:
 * @watch: what is known
 *
 * Begins anew, without knowing anything.
 */
void
bawn_ha_watch_forget (BawnHaWatch *watch)
{
  bawn_ha_watch_clear (watch);
  bawn_ha_watch_init (watch, watch->node_id, watch->node_name, watch->ttl_us);
}

/**
 * bawn_ha_watch_ready_at:
 * @watch: what is known
 *
 * Returns: the boot time from which on the lease may be taken, %G_MAXINT64 for never
 */
gint64
bawn_ha_watch_ready_at (const BawnHaWatch *watch)
{
  switch (watch->sight)
    {
    case BAWN_HA_SIGHT_OWN:
      return watch->since;
    case BAWN_HA_SIGHT_ABSENT:
      return watch->since + watch->feared_us;
    case BAWN_HA_SIGHT_FREE:
      if (watch->lock.successor == NULL || strcmp (watch->lock.successor, watch->node_name) == 0)
        return watch->since;
      return watch->since + BAWN_HA_SUCCESSOR_HOLD (watch->lock.ttl_us);
    case BAWN_HA_SIGHT_HELD:
      return watch->since + watch->lock.ttl_us;
    case BAWN_HA_SIGHT_UNKNOWN:
    case BAWN_HA_SIGHT_GARBAGE:
      break;
    }

  return G_MAXINT64;
}

/**
 * bawn_ha_watch_look_us:
 * @watch: what is known
 * @now: the boot time
 *
 * Returns: how long to wait for a change before the next read
 */
gint64
bawn_ha_watch_look_us (const BawnHaWatch *watch, gint64 now)
{
  gint64 look = BAWN_HA_LOOK (silence_of (watch));
  gint64 ready = bawn_ha_watch_ready_at (watch);

  if (ready > now && ready - now < look)
    look = ready - now;
  return MAX (look, LOOK_MIN_US);
}
