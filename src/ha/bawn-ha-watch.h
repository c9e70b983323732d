/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-ha-lock.h"

G_BEGIN_DECLS

/* All of these are parts of a lease: what is long for a lease of a second is short for one of a minute. */

/* Between two looks at a record that does not change; as often as its holder renews it. */
#define BAWN_HA_LOOK(ttl_us) ((ttl_us) / 4)
/* A read that takes longer comes from a storage that has trouble of its own, and then the holder has it too. */
#define BAWN_HA_SLOW_READ(ttl_us) ((ttl_us) / 4)
/* Between two good reads: who has looked away for longer does not know whether the storage answered meanwhile. A look, a
 * slow read, and some time to get going. */
#define BAWN_HA_LOOKED_AWAY(ttl_us) ((ttl_us) / 8 * 5)
/* How long those who were not named leave a free lease to the named successor, which takes it in a moment if it lives. */
#define BAWN_HA_SUCCESSOR_HOLD(ttl_us) MIN ((ttl_us), BAWN_HA_HOLD_MAX_US)
#define BAWN_HA_HOLD_MAX_US (5 * G_USEC_PER_SEC)

/**
 * BawnHaSight:
 * @BAWN_HA_SIGHT_UNKNOWN: not read yet
 * @BAWN_HA_SIGHT_ABSENT: there is no record
 * @BAWN_HA_SIGHT_FREE: nobody holds it
 * @BAWN_HA_SIGHT_OWN: this process holds it, of a term that is over: a release did not get through, or a take
 *   whose answer was lost got through late
 * @BAWN_HA_SIGHT_HELD: another holds it
 * @BAWN_HA_SIGHT_GARBAGE: it cannot be read
 *
 * What the record looks like for one that does not hold it.
 */
typedef enum
{
  BAWN_HA_SIGHT_UNKNOWN,
  BAWN_HA_SIGHT_ABSENT,
  BAWN_HA_SIGHT_FREE,
  BAWN_HA_SIGHT_OWN,
  BAWN_HA_SIGHT_HELD,
  BAWN_HA_SIGHT_GARBAGE,
} BawnHaSight;

/**
 * BawnHaWatch:
 * @node_id: who watches
 * @node_name: its name, in which it may be named as successor
 * @ttl_us: of its own leases, where the record does not say
 * @sight: what is seen
 * @version: the record's; 0: absent
 * @lock: the record, if it could be read
 * @since: when the first read that returned it had completed, and since when it and the storage were watched without a
 *   break: what silence counts from
 * @fresh: whether nothing was waited for since the last read
 *
 * What one that wants the lease knows of it. Without threads, clocks and storages: times are boot times that are told to it.
 */
typedef struct
{
  const char *node_id;
  const char *node_name;
  gint64 ttl_us;
  BawnHaSight sight;
  guint64 version;
  BawnHaLock lock;
  gint64 since;
  gboolean fresh;
  /*< private >*/
  GBytes *text;
  gint64 last_read;
  gint64 feared_us; /* the ttl of a holder who may live though the record is gone */
  gboolean slow;
} BawnHaWatch;

void bawn_ha_watch_init (BawnHaWatch *watch, const char *node_id, const char *node_name, gint64 ttl_us);
void bawn_ha_watch_clear (BawnHaWatch *watch);

void bawn_ha_watch_saw (BawnHaWatch *watch, GBytes *text, guint64 version, gint64 sent, gint64 now);
void bawn_ha_watch_failed (BawnHaWatch *watch);
/* What was seen is over: the lease was taken. */
void bawn_ha_watch_forget (BawnHaWatch *watch);
/* When the lease may be taken if nothing changes until then; %G_MAXINT64: not at all. */
gint64 bawn_ha_watch_ready_at (const BawnHaWatch *watch);
/* How long a wait for a change may last from @now on. */
gint64 bawn_ha_watch_look_us (const BawnHaWatch *watch, gint64 now);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaWatch, bawn_ha_watch_clear)

G_END_DECLS
