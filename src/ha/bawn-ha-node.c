/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-node-private.h"

#include <string.h>

#include "util/bawn-log.h"

/* Between half of the whole and the whole. */
static gint64
jitter (BawnHaNode *node, gint64 whole)
{
  return whole / 2 + (gint64) (g_rand_double (node->random) * (double) (whole / 2));
}

static void
back_off (BawnHaNode *node, gint64 now)
{
  gint64 whole = BAWN_HA_BACK_OFF_MIN_US << MIN (node->failures, 10);

  node->failures++;
  node->back_off_until = now + jitter (node, MIN (whole, BAWN_HA_BACK_OFF_MAX_US));
}

static void
begin_release (BawnHaNode *node, gint64 now)
{
  node->releasing = TRUE;
  node->release_until = now + BAWN_HA_RELEASE_FOR (node->lease.ttl_us);
  node->lease.due = now;
}

/* A term is over, with or without a client that served in it. */
static void
come_home (BawnHaNode *node, gint64 now)
{
  gboolean named = node->successor != NULL;

  if (node->stepped_down)
    node->hold_until = now + BAWN_HA_STEP_DOWN_HOLD (node->lease.ttl_us, named);
  node->stepped_down = FALSE;
  node->releasing = FALSE;
  node->cancel = FALSE;
  node->promoted_at = 0;
  g_clear_pointer (&node->successor, g_free);
  bawn_ha_lease_forget (&node->lease);
}

static void
perform (BawnHaNode *node, BawnHaAction action, gint64 now)
{
  switch (action)
    {
    case BAWN_HA_DO_NOTHING:
      break;
    case BAWN_HA_DO_WATCH:
    case BAWN_HA_DO_END:
      come_home (node, now);
      node->watch.fresh = FALSE;
      break;
    case BAWN_HA_DO_TAKE:
      node->taking = TRUE;
      node->floor_known = FALSE;
      break;
    case BAWN_HA_DO_PROMOTE:
      node->promote = TRUE;
      node->cancel = FALSE;
      break;
    case BAWN_HA_DO_CANCEL:
      node->cancel = TRUE;
      break;
    case BAWN_HA_DO_WITHDRAW:
      node->withdraw = TRUE;
      break;
    case BAWN_HA_DO_RELEASE:
      begin_release (node, now);
      break;
    }
}

/* The one way in for events. */
BawnHaVerdict
bawn_ha_node_step (BawnHaNode *node, BawnHaEvent event, const char *reason, gint64 now)
{
  BawnHaAction action = BAWN_HA_DO_NOTHING;
  BawnHaVerdict verdict = bawn_ha_machine_step (&node->machine, event, reason, &action);

  perform (node, action, now);
  return verdict;
}

/**
 * bawn_ha_node_init:
 * @node: (out caller-allocates): the node
 * @options: who it is; the clock and the file are not its business
 * @seed: for what is done at random
 *
 * Begins as %BAWN_HA_STOPPED.
 */
void
bawn_ha_node_init (BawnHaNode *node, const BawnElectorOptions *options, guint32 seed)
{
  gint64 renew_us = options->renew_us != 0 ? options->renew_us : BAWN_HA_RENEW (options->ttl_us);

  *node = (BawnHaNode){ .node_id = g_strdup (options->node_id),
                        .node_name = g_strdup (options->node_name),
                        .random = g_rand_new_with_seed (seed) };
  bawn_ha_watch_init (&node->watch, node->node_id, node->node_name, options->ttl_us);
  bawn_ha_lease_init (&node->lease, node->node_id, node->node_name, options->ttl_us, renew_us);
}

/**
 * bawn_ha_node_clear:
 * @node: a node that was initialised
 */
void
bawn_ha_node_clear (BawnHaNode *node)
{
  bawn_ha_machine_clear (&node->machine);
  bawn_ha_watch_clear (&node->watch);
  g_clear_pointer (&node->random, g_rand_free);
  g_clear_pointer (&node->successor, g_free);
  g_clear_pointer (&node->node_id, g_free);
  g_clear_pointer (&node->node_name, g_free);
}

/**
 * bawn_ha_node_start:
 * @node: a node
 * @now: the boot time
 *
 * Begins to take part.
 */
void
bawn_ha_node_start (BawnHaNode *node, gint64 now)
{
  if (node->machine.state == BAWN_HA_STOPPED)
    {
      node->failures = 0;
      node->back_off_until = 0;
      node->hold_until = 0;
      node->retry_at = 0;
    }
  bawn_ha_node_step (node, BAWN_HA_START, "the node can take part", now);
}

/**
 * bawn_ha_node_stop:
 * @node: a node
 * @reason: why, in words
 * @now: the boot time
 *
 * Begins to end; it has ended when its state is %BAWN_HA_STOPPED.
 */
void
bawn_ha_node_stop (BawnHaNode *node, const char *reason, gint64 now)
{
  bawn_ha_node_step (node, BAWN_HA_STOP, reason, now);
}

/**
 * bawn_ha_node_step_down:
 * @node: a node
 * @successor: (nullable): node_name of who should take over
 * @reason: why, in words
 * @now: the boot time
 * @error: (out) (optional): INVALID for a successor that cannot be one, STANDBY if the node is not
 * active
 *
 * Begins to hand over.
 *
 * Returns: %TRUE if it does
 */
gboolean
bawn_ha_node_step_down (
    BawnHaNode *node, const char *successor, const char *reason, gint64 now, GError **error)
{
  if (successor != NULL && !bawn_ha_lock_name_is_valid (successor))
    return bawn_fail (error, BAWN_ERROR_INVALID, "this cannot be the address of a node");
  if (successor != NULL && strcmp (successor, node->node_name) == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "a node cannot succeed itself");
  if (bawn_ha_node_step (node, BAWN_HA_STEP_DOWN, reason, now) != BAWN_HA_GO)
    return bawn_fail (error, BAWN_ERROR_STANDBY, "this node is not active");

  node->stepped_down = TRUE;
  g_free (node->successor);
  node->successor = g_strdup (successor);
  return TRUE;
}

/**
 * bawn_ha_node_deposed:
 * @node: a node
 * @epoch: of the fence that was refused
 * @now: the boot time
 *
 * Takes the storage's word that another node has written with a newer fence.
 */
void
bawn_ha_node_deposed (BawnHaNode *node, guint64 epoch, gint64 now)
{
  if (node->lease.hold != BAWN_HA_HOLD_HELD || node->lease.epoch != epoch)
    return;

  bawn_ha_lease_refuse (&node->lease);
  node->depositions++;
  back_off (node, now);
  bawn_ha_node_step (node, BAWN_HA_LOST, "the storage has ended the term of this node's epoch",
                     now);
}

/**
 * bawn_ha_node_next_action:
 * @node: a node
 * @now: the boot time
 *
 * Returns: what is to be asked of the client now; each is returned once
 */
BawnHaAction
bawn_ha_node_next_action (BawnHaNode *node, gint64 now)
{
  if (node->promote && node->cancel)
    {
      node->promote = FALSE;
      bawn_ha_node_step (node, BAWN_HA_PROMOTE_FAILED, "it was given up before it had begun", now);
    }
  if (node->promote)
    {
      node->promote = FALSE;
      return BAWN_HA_DO_PROMOTE;
    }
  if (node->withdraw)
    {
      node->withdraw = FALSE;
      return BAWN_HA_DO_WITHDRAW;
    }

  return node->machine.state == BAWN_HA_STOPPED ? BAWN_HA_DO_END : BAWN_HA_DO_NOTHING;
}

static void
promoted (BawnHaNode *node, gint64 now)
{
  node->promotions++;
  node->promoted_at = now;
  bawn_ha_node_step (node, BAWN_HA_PROMOTED, "this node can serve", now);
}

static void
not_promoted (BawnHaNode *node, gint64 now)
{
  /* One that was told to give up has not failed. */
  if (node->machine.state == BAWN_HA_PROMOTING)
    {
      node->promotion_failures++;
      back_off (node, now);
    }
  bawn_ha_node_step (node, BAWN_HA_PROMOTE_FAILED, "this node could not begin to serve", now);
}

/**
 * bawn_ha_node_action_done:
 * @node: a node
 * @action: what the client was asked for
 * @ok: whether it was able to
 * @now: the boot time
 *
 * Takes the client's answer.
 */
void
bawn_ha_node_action_done (BawnHaNode *node, BawnHaAction action, gboolean ok, gint64 now)
{
  if (action == BAWN_HA_DO_WITHDRAW)
    {
      /* Who has served for long enough has not failed for some time. */
      if (node->lease.hold != BAWN_HA_HOLD_REFUSED && node->promoted_at != 0
          && now - node->promoted_at >= BAWN_HA_BACK_OFF_MAX_US)
        node->failures = 0;
      bawn_ha_node_step (node, BAWN_HA_WITHDRAWN, "this node serves no more", now);
      return;
    }

  g_return_if_fail (action == BAWN_HA_DO_PROMOTE);

  if (ok)
    promoted (node, now);
  else
    not_promoted (node, now);
}

/**
 * bawn_ha_node_is_cancelled:
 * @node: a node
 *
 * Returns: %TRUE if a promotion under way is to be given up
 */
gboolean
bawn_ha_node_is_cancelled (const BawnHaNode *node)
{
  return node->cancel;
}

/**
 * bawn_ha_node_is_clean:
 * @node: a node
 *
 * Returns: %TRUE if no record of this process' can be left in the storage
 */
gboolean
bawn_ha_node_is_clean (const BawnHaNode *node)
{
  return node->lease.hold == BAWN_HA_HOLD_NONE && !node->unclean;
}

/**
 * bawn_ha_node_valid_until:
 * @node: a node
 *
 * Returns: the boot time up to which no other node can have taken the lease; 0 for never. It is so
 * from the take on, and while the node withdraws, so that what is in flight can be answered; no
 * longer when the release is about to be sent.
 */
gint64
bawn_ha_node_valid_until (const BawnHaNode *node)
{
  return node->lease.hold == BAWN_HA_HOLD_HELD && !node->releasing ? node->lease.valid_until : 0;
}

/**
 * bawn_ha_node_get_info:
 * @node: a node
 * @now: the boot time
 * @out_info: (out caller-allocates): what is to be known of it
 */
void
bawn_ha_node_get_info (const BawnHaNode *node, gint64 now, BawnElectorInfo *out_info)
{
  gboolean holds = node->lease.hold == BAWN_HA_HOLD_HELD;
  const BawnHaLock *lock = &node->watch.lock;
  gboolean held = holds || lock->held;

  *out_info = (BawnElectorInfo){
    .state = node->machine.state,
    .epoch = holds ? node->lease.epoch : 0,
    .lease_left_us = MAX (bawn_ha_node_valid_until (node) - now, 0),
    .lock_epoch = holds ? node->lease.epoch : MAX (node->last_epoch, lock->epoch),
    .lock_held = held,
    .lock_holder = held ? g_strdup (holds ? node->node_id : lock->holder) : NULL,
    .lock_name = held ? g_strdup (holds ? node->node_name : lock->name) : NULL,
    .storage_answers = node->storage_answers,
    .renewal_us = node->lease.took_us,
    .renewals = node->lease.renewals,
    .renewal_failures = node->lease.failures,
    .promotions = node->promotions,
    .promotion_failures = node->promotion_failures,
    .depositions = node->depositions,
    .changes = node->machine.changes,
    .last_reason = g_strdup (node->machine.reason),
  };
}

/**
 * bawn_ha_node_facts:
 * @node: a node
 *
 * Returns: a number that is another one after each change of what bawn_ha_node_get_info() shows,
 * but for times and renewals
 */
guint64
bawn_ha_node_facts (const BawnHaNode *node)
{
  gboolean holds = node->lease.hold == BAWN_HA_HOLD_HELD;
  const BawnHaLock *lock = &node->watch.lock;
  guint64 sum = holds ? node->lease.epoch : lock->epoch;

  sum = sum * 31 + node->machine.changes;
  sum = sum * 31 + node->promotions + node->promotion_failures + node->depositions;
  /* Who was told that the lease had run out waits to hear that it is good again. */
  sum = sum * 31 + node->lease.lapses;
  sum = sum * 31 + (node->storage_answers ? 2 : 0) + (holds || lock->held ? 1 : 0);
  return sum * 31 + (holds || lock->holder == NULL ? 0 : g_str_hash (lock->holder));
}
