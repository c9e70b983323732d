/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-lease.h"

#include <string.h>

#include "util/bawn-log.h"

static GBytes *
format (const BawnHaLease *lease, gboolean held, const char *successor)
{
  const BawnHaLock lock = {
    .epoch = lease->epoch,
    .renewal = lease->renewal + (held && lease->hold == BAWN_HA_HOLD_HELD ? 1 : 0),
    .held = held,
    .ttl_us = lease->ttl_us,
    .holder = (char *) lease->node_id,
    .name = (char *) lease->node_name,
    .successor = (char *) successor,
  };

  return bawn_ha_lock_format (&lock);
}

/* A call that was sent then is in. What counts is when it was sent, not when the answer came:
 * whoever waits for our silence may have seen the record a moment after that. */
static void
extend (BawnHaLease *lease, gint64 sent, gint64 now)
{
  gboolean lapsed = lease->valid_until != 0 && now >= lease->valid_until;

  if (lapsed)
    lease->lapses++;
  if (lapsed && lease->lapsed_at == 0)
    lease->lapsed_at = lease->valid_until;
  lease->valid_until = sent + lease->ttl_us - BAWN_HA_MARGIN (lease->ttl_us);
  lease->due = MAX (sent + lease->renew_us, now);
  lease->first_sent = 0;
  if (lease->lapsed_at == 0 || lease->valid_until <= now)
    return;

  bawn_log_info ("ha",
                 "the lease of epoch %" G_GUINT64_FORMAT
                 " is good again, after %.1f s; no other node has taken over",
                 lease->epoch, (double) (now - lease->lapsed_at) / G_USEC_PER_SEC);
  lease->lapsed_at = 0;
}

static void
count_failure (BawnHaLease *lease, gint64 now)
{
  lease->failures++;
  lease->due = now + BAWN_HA_RETRY (lease->ttl_us);
  (void) bawn_ha_lease_note_lapse (lease, now);
}

/* The record stands as our last renewal, or the one that was in doubt, has written it. */
static void
resume (BawnHaLease *lease, const BawnHaLock *lock, guint64 version, gint64 now)
{
  gboolean is_in = lock->renewal > lease->renewal;

  lease->version = version;
  lease->must_read = FALSE;
  if (!is_in)
    {
      /* It is not, or not yet: sent again under the same condition, so that one of the two is
       * refused. */
      lease->due = now;
      return;
    }

  lease->renewal = lock->renewal;
  lease->renewals++;
  if (lease->first_sent != 0 && lease->hold == BAWN_HA_HOLD_HELD && lease->valid_until != 0)
    extend (lease, lease->first_sent, now);
  else
    lease->due = now;
}

/**
 * bawn_ha_lease_init:
 * @lease: (out caller-allocates): the lease
 * @node_id: of its holder; not copied
 * @node_name: of its holder; not copied
 * @ttl_us: how long it lasts
 * @renew_us: between renewals
 *
 * Begins without one.
 */
void
bawn_ha_lease_init (
    BawnHaLease *lease, const char *node_id, const char *node_name, gint64 ttl_us, gint64 renew_us)
{
  *lease = (BawnHaLease){
    .node_id = node_id, .node_name = node_name, .ttl_us = ttl_us, .renew_us = renew_us
  };
}

/**
 * bawn_ha_lease_take:
 * @lease: a lease that is not held
 * @epoch: the one to begin
 * @now: the boot time; the call is sent after this
 *
 * Returns: (transfer full): the record to write
 */
GBytes *
bawn_ha_lease_take (BawnHaLease *lease, guint64 epoch, gint64 now)
{
  lease->hold = BAWN_HA_HOLD_TAKING;
  lease->epoch = epoch;
  lease->version = 0;
  lease->renewal = 0;
  lease->valid_until = 0;
  lease->must_read = FALSE;
  lease->first_sent = now;
  lease->lapsed_at = 0;
  return format (lease, TRUE, NULL);
}

/**
 * bawn_ha_lease_taken:
 * @lease: a lease being taken
 * @outcome: how the call ended
 * @version: of the record, if it is done
 * @sent: when it was sent
 * @now: the boot time
 *
 * Takes the end of a take. If it is in doubt, or refused, the record must be read: a refusal may be
 * of the second copy of a call of which the first one got in.
 */
void
bawn_ha_lease_taken (
    BawnHaLease *lease, BawnHaOutcome outcome, guint64 version, gint64 sent, gint64 now)
{
  switch (outcome)
    {
    case BAWN_HA_DONE:
      lease->hold = BAWN_HA_HOLD_HELD;
      lease->version = version;
      extend (lease, sent, now);
      break;
    case BAWN_HA_REFUSED:
    case BAWN_HA_IN_DOUBT:
      lease->must_read = TRUE;
      lease->due = now;
      break;
    case BAWN_HA_FAILED:
      bawn_ha_lease_forget (lease);
      break;
    }
}

/**
 * bawn_ha_lease_renew:
 * @lease: a lease that is held
 * @now: the boot time; the call is sent after this
 *
 * Returns: (transfer full): the record to write
 */
GBytes *
bawn_ha_lease_renew (BawnHaLease *lease, gint64 now)
{
  if (lease->first_sent == 0)
    lease->first_sent = now;
  return format (lease, TRUE, NULL);
}

/**
 * bawn_ha_lease_renewed:
 * @lease: a lease
 * @outcome: how the call ended
 * @version: of the record, if it is done
 * @sent: when it was sent
 * @now: the boot time
 *
 * Takes the end of a renewal.
 */
void
bawn_ha_lease_renewed (
    BawnHaLease *lease, BawnHaOutcome outcome, guint64 version, gint64 sent, gint64 now)
{
  switch (outcome)
    {
    case BAWN_HA_DONE:
      lease->version = version;
      lease->renewal++;
      lease->renewals++;
      lease->took_us = now - sent;
      /* A fence that was refused meanwhile is not made good by it. */
      if (lease->hold == BAWN_HA_HOLD_HELD)
        extend (lease, sent, now);
      break;
    case BAWN_HA_REFUSED:
    case BAWN_HA_IN_DOUBT:
      count_failure (lease, now);
      lease->must_read = TRUE;
      lease->due = now;
      break;
    case BAWN_HA_FAILED:
      count_failure (lease, now);
      break;
    }
}

/**
 * bawn_ha_lease_release:
 * @lease: a lease that is held, or may be
 * @successor: (nullable): node_name of who should take it
 *
 * Returns: (transfer full): the record to write
 */
GBytes *
bawn_ha_lease_release (BawnHaLease *lease, const char *successor)
{
  lease->valid_until = 0;
  return format (lease, FALSE, successor);
}

/**
 * bawn_ha_lease_released:
 * @lease: a lease
 * @outcome: how the call ended
 * @now: the boot time
 *
 * Takes the end of a release.
 */
void
bawn_ha_lease_released (BawnHaLease *lease, BawnHaOutcome outcome, gint64 now)
{
  switch (outcome)
    {
    case BAWN_HA_DONE:
      bawn_ha_lease_forget (lease);
      break;
    case BAWN_HA_REFUSED:
    case BAWN_HA_IN_DOUBT:
      lease->must_read = TRUE;
      lease->due = now;
      break;
    case BAWN_HA_FAILED:
      lease->due = now + BAWN_HA_RETRY (lease->ttl_us);
      break;
    }
}

/**
 * bawn_ha_lease_saw:
 * @lease: a lease of which something was in doubt
 * @lock: (nullable): the record; %NULL if there is none, or it cannot be read
 * @version: its version
 * @now: the boot time
 *
 * Takes a read of the record: it settles what was in doubt. If the record is not ours, neither is
 * the lease.
 */
void
bawn_ha_lease_saw (BawnHaLease *lease, const BawnHaLock *lock, guint64 version, gint64 now)
{
  gboolean ours = lock != NULL && lock->held && lock->epoch == lease->epoch
                  && strcmp (lock->holder, lease->node_id) == 0;

  if (!ours)
    {
      bawn_ha_lease_forget (lease);
      return;
    }
  if (lease->hold == BAWN_HA_HOLD_TAKING)
    {
      lease->must_read = FALSE;
      bawn_ha_lease_taken (lease, BAWN_HA_DONE, version, lease->first_sent, now);
      return;
    }

  resume (lease, lock, version, now);
}

/**
 * bawn_ha_lease_read_failed:
 * @lease: a lease of which something is in doubt
 * @now: the boot time
 *
 * Takes a read that failed: what was in doubt stays so.
 */
void
bawn_ha_lease_read_failed (BawnHaLease *lease, gint64 now)
{
  lease->due = now + BAWN_HA_RETRY (lease->ttl_us);
}

/**
 * bawn_ha_lease_refuse:
 * @lease: a lease that is held
 *
 * Notes that the storage has refused the fence: another node has written with a newer one.
 */
void
bawn_ha_lease_refuse (BawnHaLease *lease)
{
  lease->hold = BAWN_HA_HOLD_REFUSED;
  lease->valid_until = 0;
}

/**
 * bawn_ha_lease_note_lapse:
 * @lease: a lease
 * @now: the boot time
 *
 * Looks whether it has run out, and tells the log once if so: a renewal may hang for long.
 *
 * Returns: %TRUE if it is held and has run out
 */
gboolean
bawn_ha_lease_note_lapse (BawnHaLease *lease, gint64 now)
{
  if (lease->hold != BAWN_HA_HOLD_HELD || lease->valid_until == 0 || now < lease->valid_until)
    return FALSE;
  if (lease->lapsed_at != 0)
    return TRUE;

  lease->lapsed_at = lease->valid_until;
  bawn_log_warn ("ha",
                 "the lease of epoch %" G_GUINT64_FORMAT
                 " could not be renewed in time: nothing is answered from memory until it is, or "
                 "another node takes over",
                 lease->epoch);
  return TRUE;
}

/**
 * bawn_ha_lease_forget:
 * @lease: a lease
 *
 * Ends it on this side.
 */
void
bawn_ha_lease_forget (BawnHaLease *lease)
{
  lease->hold = BAWN_HA_HOLD_NONE;
  lease->valid_until = 0;
  lease->version = 0;
  lease->must_read = FALSE;
  lease->first_sent = 0;
  lease->lapsed_at = 0;
}
