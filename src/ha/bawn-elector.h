/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-ha-backend.h"
#include "util/bawn-clock.h"

G_BEGIN_DECLS

/* The lock record, in the HA storage, in the open. */
#define BAWN_ELECTOR_LOCK_KEY "core/lock"

#define BAWN_HA_LEASE_TTL_DEFAULT_US (3 * G_USEC_PER_SEC)
#define BAWN_HA_LEASE_TTL_MIN_US (G_USEC_PER_SEC)
#define BAWN_HA_LEASE_TTL_MAX_US (60 * G_USEC_PER_SEC)

/**
 * BawnHaState:
 * @BAWN_HA_STOPPED: takes no part: sealed, or ending
 * @BAWN_HA_STANDBY: watches the lease and wants it
 * @BAWN_HA_ACQUIRING: tries to take the lease
 * @BAWN_HA_PROMOTING: holds the lease, and is on its way to serve
 * @BAWN_HA_ACTIVE: serves
 * @BAWN_HA_WITHDRAWING: lets go of what it served with, then of the lease
 *
 * What a node is in the election.
 */
typedef enum
{
  BAWN_HA_STOPPED,
  BAWN_HA_STANDBY,
  BAWN_HA_ACQUIRING,
  BAWN_HA_PROMOTING,
  BAWN_HA_ACTIVE,
  BAWN_HA_WITHDRAWING,
} BawnHaState;
#define BAWN_HA_N_STATES 6

const char *bawn_ha_state_name (BawnHaState state); /* "standby" … */

/**
 * BawnElectorOptions:
 * @clock: (nullable): the system's if %NULL
 * @node_id: uuid of this process, new at each start
 * @node_name: the API address, for people and for step-down's successor; not secret
 * @ttl_us: how long the lease lasts without a renewal
 * @renew_us: between renewals; 0: a quarter of @ttl_us
 * @lease_file: (nullable): where the lease is written down for `bawnd --release-lease`
 *
 * Strings are copied.
 */
typedef struct
{
  BawnClock *clock;
  const char *node_id;
  const char *node_name;
  gint64 ttl_us;
  gint64 renew_us;
  const char *lease_file;
} BawnElectorOptions;

/**
 * BawnElectorClient:
 * @floor: gives the highest epoch that the data storage has seen (its fence), so that the epoch taken is above it even if the lock
 *   record was lost or lives elsewhere; asked right before the lease is taken, may block
 * @promote: this node holds the lease of @epoch: take the fence of that epoch and become able to serve. FALSE: not possible
 *   now; everything must be rolled back then, and the elector lets go of the lease and tries again later. The cancellable is cancelled
 *   when the lease is lost meanwhile, or the elector is told to stop.
 * @withdraw: stop serving: end what is in flight, close the term. The lease is released only after this has returned. Always called
 *   once after a promote() that returned TRUE, never otherwise.
 * @lapsed: (nullable): this node's lease has run out and could not be renewed; no other node is known to have taken over. Said again
 *   and again for as long as that is so, and must not wait.
 * @changed: something of bawn_elector_get_info() has changed, other than times
 *
 * What the elector needs of the node. floor(), promote() and withdraw() may block; the latter two are called one at a time on a thread of the
 * elector's, on which renewals do not depend. changed() may come from any thread, with no lock of the elector's held.
 */
typedef struct
{
  gboolean (*floor) (gpointer user_data, guint64 *out_epoch, GCancellable *cancellable, GError **error);
  gboolean (*promote) (gpointer user_data, guint64 epoch, GCancellable *cancellable, GError **error);
  void (*withdraw) (gpointer user_data, const char *reason);
  void (*changed) (gpointer user_data);
  void (*lapsed) (gpointer user_data);
} BawnElectorClient;

/**
 * BawnElectorInfo:
 * @state: this node's
 * @epoch: of the lease this node holds; 0: none
 * @lease_left_us: how long the lease can be trusted from now on; 0: not at all
 * @lock_epoch: of the lock record as last seen
 * @lock_held: whether that record is held, and not free
 * @lock_holder: (nullable): node_id of its holder
 * @lock_name: (nullable): node_name of its holder
 * @storage_answers: whether the HA storage answered last time
 * @renewal_us: how long the last renewal took
 * @renewals: that succeeded, since the start
 * @renewal_failures: that did not
 * @promotions: that succeeded
 * @promotion_failures: that did not
 * @depositions: leases lost to another node, or fences refused
 * @changes: state changes
 * @last_reason: (nullable): why the state last changed
 *
 * A copy, for whoever shows it.
 */
typedef struct
{
  BawnHaState state;
  guint64 epoch;
  gint64 lease_left_us;
  guint64 lock_epoch;
  gboolean lock_held;
  char *lock_holder;
  char *lock_name;
  gboolean storage_answers;
  gint64 renewal_us;
  guint64 renewals;
  guint64 renewal_failures;
  guint64 promotions;
  guint64 promotion_failures;
  guint64 depositions;
  guint64 changes;
  char *last_reason;
} BawnElectorInfo;

void bawn_elector_info_clear (BawnElectorInfo *info);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnElectorInfo, bawn_elector_info_clear)

/**
 * BawnElector:
 *
 * One node's part in the election: watches, takes, renews and releases the lease. Thread-safe.
 */
#define BAWN_TYPE_ELECTOR (bawn_elector_get_type ())
G_DECLARE_FINAL_TYPE (BawnElector, bawn_elector, BAWN, ELECTOR, GObject)

BawnElector *bawn_elector_new (BawnHaBackend *backend, const BawnElectorOptions *options, const BawnElectorClient *client,
                               gpointer user_data);
/* Begins to take part. Does not block. */
void bawn_elector_start (BawnElector *elector);
/* Withdraws, releases the lease, and ends: for seal and shutdown. Blocks; not from a callback. It can be started again. */
void bawn_elector_stop (BawnElector *elector, const char *reason);
/* Begins to hand over, and returns; STANDBY if this node is not active. This node does not contend again for some time, unless
 * nobody else has taken over by then. @successor (nullable): the node_name of who should; the others hold back for a while. */
gboolean bawn_elector_step_down (BawnElector *elector, const char *successor, const char *reason, GError **error);
/* The storage has refused the fence of @epoch. Never blocks, any thread. */
void bawn_elector_deposed (BawnElector *elector, guint64 epoch);
/* TRUE if no other node can have committed anything up to this moment: for reads from memory, asked after the reading. Lock-free. */
gboolean bawn_elector_lease_is_valid (BawnElector *elector);
void bawn_elector_get_info (BawnElector *elector, BawnElectorInfo *out_info);

/* For `bawnd --release-lease`: frees the record if it is still held by the process that wrote @lease_file and is dead. A file that
 * is not there, or a record that is another's by now, is TRUE with *out_released FALSE; a process that lives is INVALID. */
gboolean bawn_elector_release_dead (BawnHaBackend *backend, const char *lease_file, gboolean *out_released, GError **error);

G_END_DECLS
