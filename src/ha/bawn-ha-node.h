/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-ha-lease.h"
#include "ha/bawn-ha-machine.h"
#include "ha/bawn-ha-watch.h"

G_BEGIN_DECLS

/* After a promotion that failed, so that others have their chance and a storage in trouble is left in peace: from the first to
 * the second, doubled each time, and at random between half of it and all. The cluster is never without candidates for longer. */
#define BAWN_HA_BACK_OFF_MIN_US (250 * 1000)
#define BAWN_HA_BACK_OFF_MAX_US (8 * G_USEC_PER_SEC)
/* How long one that has stepped down leaves the lease to others; with a named successor the others hold back as long, so
 * it comes after them. */
#define BAWN_HA_STEP_DOWN_HOLD(ttl_us, named) (BAWN_HA_SUCCESSOR_HOLD (ttl_us) * ((named) ? 2 : 1))
/* A wait of a storage may end for no reason; if it ends sooner than this, we wait ourselves. */
#define BAWN_HA_WATCH_MIN_US 10000

/**
 * BawnHaJobKind:
 * @BAWN_HA_JOB_END: there will be none any more
 * @BAWN_HA_JOB_SLEEP: none for some time, or until something happens
 * @BAWN_HA_JOB_WATCH: wait for another version of the record
 * @BAWN_HA_JOB_READ: read it
 * @BAWN_HA_JOB_FLOOR: ask the client for the highest epoch of its data
 * @BAWN_HA_JOB_TAKE: write the record, on condition
 * @BAWN_HA_JOB_RENEW: the same
 * @BAWN_HA_JOB_RELEASE: the same
 *
 * What is to be done with the storage: one at a time, each to its end.
 */
typedef enum
{
  BAWN_HA_JOB_END,
  BAWN_HA_JOB_SLEEP,
  BAWN_HA_JOB_WATCH,
  BAWN_HA_JOB_READ,
  BAWN_HA_JOB_FLOOR,
  BAWN_HA_JOB_TAKE,
  BAWN_HA_JOB_RENEW,
  BAWN_HA_JOB_RELEASE,
} BawnHaJobKind;

/**
 * BawnHaJob:
 * @kind: what to do
 * @for_us: how long to sleep or watch at most; %G_MAXINT64: until something happens
 * @deadline_us: after how much time a call is to be cancelled
 * @version: what a watch knows, or the condition of a commit
 * @epoch: of a take
 * @value: (nullable) (owned): what a commit writes
 */
typedef struct
{
  BawnHaJobKind kind;
  gint64 for_us;
  gint64 deadline_us;
  guint64 version;
  guint64 epoch;
  GBytes *value;
} BawnHaJob;

void bawn_ha_job_clear (BawnHaJob *job);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaJob, bawn_ha_job_clear)

/**
 * BawnHaResult:
 * @outcome: how it ended
 * @version: of what was read or written; 0 for a read: absent
 * @text: (nullable) (owned): what was read
 * @floor: what the client said
 * @sent: boot time before the call
 * @now: boot time after it
 * @message: (nullable) (owned): what went wrong
 */
typedef struct
{
  BawnHaOutcome outcome;
  guint64 version;
  GBytes *text;
  guint64 floor;
  gint64 sent;
  gint64 now;
  char *message;
} BawnHaResult;

void bawn_ha_result_clear (BawnHaResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaResult, bawn_ha_result_clear)

/**
 * BawnHaNode:
 * @machine: its state
 * @watch: what it sees of the lease
 * @lease: what it has of it
 *
 * One node in the election, without threads, clocks and storages: it is asked what to do and told how that ended, by two
 * workers, one for the storage and one for the client. Whoever has it sees to it that only one of them talks to it at a time.
 */
typedef struct
{
  BawnHaMachine machine;
  BawnHaWatch watch;
  BawnHaLease lease;
  gboolean storage_answers;
  gint64 silent_since; /* of the storage; 0: the log was not told that it is silent */
  guint64 promotions;
  guint64 promotion_failures;
  guint64 depositions;
  /*< private >*/
  char *node_id;
  char *node_name;
  GRand *random;
  gboolean taking;
  gboolean floor_known;
  guint64 floor;
  gboolean promote;
  gboolean withdraw;
  gboolean cancel;
  gboolean releasing;
  gint64 release_until;
  gboolean stepped_down;
  char *successor;
  guint64 last_epoch;
  guint64 tried_epoch; /* of the last take that may be in, or get in */
  gint64 retry_at;
  gint64 back_off_until;
  gint64 hold_until;
  guint failures;
  gint64 promoted_at;
  gboolean hasty;
  gboolean floor_failed;
  gboolean unclean; /* the record may still be ours, though we have given it up */
} BawnHaNode;

void bawn_ha_node_init (BawnHaNode *node, const BawnElectorOptions *options, guint32 seed);
void bawn_ha_node_clear (BawnHaNode *node);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaNode, bawn_ha_node_clear)

void bawn_ha_node_start (BawnHaNode *node, gint64 now);
void bawn_ha_node_stop (BawnHaNode *node, const char *reason, gint64 now);
gboolean bawn_ha_node_step_down (BawnHaNode *node, const char *successor, const char *reason, gint64 now, GError **error);
void bawn_ha_node_deposed (BawnHaNode *node, guint64 epoch, gint64 now);

/* For the one who asks the storage. */
void bawn_ha_node_next_job (BawnHaNode *node, gint64 now, BawnHaJob *out_job);
void bawn_ha_node_job_done (BawnHaNode *node, const BawnHaJob *job, const BawnHaResult *result);
/* For the one who asks the client: PROMOTE, WITHDRAW, NOTHING (for now) or END. */
BawnHaAction bawn_ha_node_next_action (BawnHaNode *node, gint64 now);
void bawn_ha_node_action_done (BawnHaNode *node, BawnHaAction action, gboolean ok, gint64 now);
/* Whether no record of this process' can be left in the storage. */
gboolean bawn_ha_node_is_clean (const BawnHaNode *node);
/* Whether a promotion under way is to be given up. */
gboolean bawn_ha_node_is_cancelled (const BawnHaNode *node);

/* Up to when no other node can have committed anything; 0: it can. */
gint64 bawn_ha_node_valid_until (const BawnHaNode *node);
void bawn_ha_node_get_info (const BawnHaNode *node, gint64 now, BawnElectorInfo *out_info);
/* Another number after each change that others care about. */
guint64 bawn_ha_node_facts (const BawnHaNode *node);

G_END_DECLS
