/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-ha-lock.h"

G_BEGIN_DECLS

/* What is subtracted from a lease by its holder: two clocks may differ in speed by this much before two nodes can both
 * believe in theirs. Real ones differ by less than a thousandth. */
#define BAWN_HA_MARGIN(ttl_us) ((ttl_us) / 10)
/* Four renewals in a lease: three may be lost. */
#define BAWN_HA_RENEW(ttl_us) ((ttl_us) / 4)
/* How long a call to the storage may take before it is given up: then there is time for another one in the same lease. */
#define BAWN_HA_CALL_DEADLINE(ttl_us) ((ttl_us) / 3)
/* After a call that failed at once. */
#define BAWN_HA_RETRY(ttl_us) CLAMP ((ttl_us) / 16, 10000, 500000)
/* How long a release that fails is tried again: others wait no longer than the ttl for it to expire. */
#define BAWN_HA_RELEASE_FOR(ttl_us) MIN ((ttl_us), 5 * G_USEC_PER_SEC)

/**
 * BawnHaOutcome:
 * @BAWN_HA_DONE: it has worked
 * @BAWN_HA_REFUSED: the record was another than expected
 * @BAWN_HA_IN_DOUBT: the answer was lost: it may have worked, or may do so later
 * @BAWN_HA_FAILED: it has not worked, and will not
 *
 * How a call to the storage has ended.
 */
typedef enum
{
  BAWN_HA_DONE,
  BAWN_HA_REFUSED,
  BAWN_HA_IN_DOUBT,
  BAWN_HA_FAILED,
} BawnHaOutcome;

/**
 * BawnHaHold:
 * @BAWN_HA_HOLD_NONE: nothing
 * @BAWN_HA_HOLD_TAKING: a take was sent, and how it ended is not known
 * @BAWN_HA_HOLD_HELD: the record is ours, as far as is known
 * @BAWN_HA_HOLD_REFUSED: the record may be ours, but the fence is not: it is not renewed any more
 *
 * What a node has of the lease.
 */
typedef enum
{
  BAWN_HA_HOLD_NONE,
  BAWN_HA_HOLD_TAKING,
  BAWN_HA_HOLD_HELD,
  BAWN_HA_HOLD_REFUSED,
} BawnHaHold;

/**
 * BawnHaLease:
 * @node_id: who holds it
 * @node_name: its name
 * @ttl_us: how long it lasts
 * @renew_us: between renewals
 * @hold: what there is of it
 * @epoch: of it
 * @version: of the record
 * @valid_until: up to when no other node can have taken it; 0: it is not valid
 * @due: when the next renewal, or attempt at one, is to be sent
 * @must_read: whether the record must be read before anything else is sent
 * @renewals: that succeeded
 * @failures: renewals that did not
 * @took_us: how long the last renewal that succeeded has taken
 * @lapses: how often it was renewed only after it had run out, by a failing storage or by a pause of this process
 *
 * The holder's side of the protocol. Without threads, clocks and storages: times are boot times that are told to it.
 */
typedef struct
{
  const char *node_id;
  const char *node_name;
  gint64 ttl_us;
  gint64 renew_us;
  BawnHaHold hold;
  guint64 epoch;
  guint64 version;
  gint64 valid_until;
  gint64 due;
  gboolean must_read;
  guint64 renewals;
  guint64 failures;
  gint64 took_us;
  guint64 lapses;
  /*< private >*/
  guint64 renewal;
  gint64 first_sent; /* of the take or the renewal that is not known to be in */
  gint64 lapsed_at; /* since when it has run out, as was told; 0: it was not */
} BawnHaLease;

void bawn_ha_lease_init (BawnHaLease *lease, const char *node_id, const char *node_name, gint64 ttl_us, gint64 renew_us);

/* What to send. The condition is @version of the watch for a take, and @version of the lease otherwise. */
GBytes *bawn_ha_lease_take (BawnHaLease *lease, guint64 epoch, gint64 now);
GBytes *bawn_ha_lease_renew (BawnHaLease *lease, gint64 now);
GBytes *bawn_ha_lease_release (BawnHaLease *lease, const char *successor);

/* How it has ended. */
void bawn_ha_lease_taken (BawnHaLease *lease, BawnHaOutcome outcome, guint64 version, gint64 sent, gint64 now);
void bawn_ha_lease_renewed (BawnHaLease *lease, BawnHaOutcome outcome, guint64 version, gint64 sent, gint64 now);
void bawn_ha_lease_released (BawnHaLease *lease, BawnHaOutcome outcome, gint64 now);
/* The record was read. @lock (nullable): there is none, or it cannot be read. */
void bawn_ha_lease_saw (BawnHaLease *lease, const BawnHaLock *lock, guint64 version, gint64 now);
void bawn_ha_lease_read_failed (BawnHaLease *lease, gint64 now);

/* The storage refused the fence: no more answers, no more renewals; what is left is to let go. */
void bawn_ha_lease_refuse (BawnHaLease *lease);
/* It is not ours, or is left to expire. */
/* TRUE if the lease has run out and is not good again. The log is told the first time. */
gboolean bawn_ha_lease_note_lapse (BawnHaLease *lease, gint64 now);
void bawn_ha_lease_forget (BawnHaLease *lease);

G_END_DECLS
