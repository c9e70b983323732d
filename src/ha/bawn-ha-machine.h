/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-elector.h"

G_BEGIN_DECLS

/**
 * BawnHaEvent:
 * @BAWN_HA_START: the node is able to take part: it was unsealed
 * @BAWN_HA_FREE: the lease can be taken, as far as was seen
 * @BAWN_HA_TAKEN: it was taken
 * @BAWN_HA_NOT_TAKEN: it was not: somebody was quicker, or the storage did not answer
 * @BAWN_HA_PROMOTED: the client is ready to serve
 * @BAWN_HA_PROMOTE_FAILED: it is not, and has rolled back
 * @BAWN_HA_LOST: the record is another's, or the storage has refused the fence
 * @BAWN_HA_STEP_DOWN: somebody asked for another node to be active
 * @BAWN_HA_STOP: the node is sealed, or ends
 * @BAWN_HA_WITHDRAWN: the client serves no more
 * @BAWN_HA_RELEASED: the lease was let go of, or there was nothing to let go of
 *
 * What happens to a node.
 */
typedef enum
{
  BAWN_HA_START,
  BAWN_HA_FREE,
  BAWN_HA_TAKEN,
  BAWN_HA_NOT_TAKEN,
  BAWN_HA_PROMOTED,
  BAWN_HA_PROMOTE_FAILED,
  BAWN_HA_LOST,
  BAWN_HA_STEP_DOWN,
  BAWN_HA_STOP,
  BAWN_HA_WITHDRAWN,
  BAWN_HA_RELEASED,
} BawnHaEvent;
#define BAWN_HA_N_EVENTS 11

/**
 * BawnHaAction:
 * @BAWN_HA_DO_NOTHING: the state is all
 * @BAWN_HA_DO_WATCH: look at the record until the lease can be taken
 * @BAWN_HA_DO_TAKE: try to take it
 * @BAWN_HA_DO_PROMOTE: ask the client to serve
 * @BAWN_HA_DO_CANCEL: give up what is under way, a take or a promotion; how it ends is the next event
 * @BAWN_HA_DO_WITHDRAW: ask the client to stop serving
 * @BAWN_HA_DO_RELEASE: let go of the lease, if it is still ours
 * @BAWN_HA_DO_END: nothing is left to do
 *
 * What follows.
 */
typedef enum
{
  BAWN_HA_DO_NOTHING,
  BAWN_HA_DO_WATCH,
  BAWN_HA_DO_TAKE,
  BAWN_HA_DO_PROMOTE,
  BAWN_HA_DO_CANCEL,
  BAWN_HA_DO_WITHDRAW,
  BAWN_HA_DO_RELEASE,
  BAWN_HA_DO_END,
} BawnHaAction;

/**
 * BawnHaVerdict:
 * @BAWN_HA_BUG: it cannot happen in this state
 * @BAWN_HA_LATE: a straggler: it does not matter any more
 * @BAWN_HA_REFUSE: whoever asked for it gets an error
 * @BAWN_HA_GO: the state changes, or stays, and something is to be done
 * @BAWN_HA_HOME: the same, but where it goes depends on whether the node was stopped
 *
 * How a state takes an event.
 */
typedef enum
{
  BAWN_HA_BUG,
  BAWN_HA_LATE,
  BAWN_HA_REFUSE,
  BAWN_HA_GO,
  BAWN_HA_HOME,
} BawnHaVerdict;

/**
 * BawnHaCell:
 * @verdict: how the event is taken
 * @next: the state that follows, for %BAWN_HA_GO
 * @action: what is to be done, for %BAWN_HA_GO
 */
typedef struct
{
  BawnHaVerdict verdict;
  BawnHaState next;
  BawnHaAction action;
} BawnHaCell;

/**
 * BawnHaMachine:
 * @state: where the node is
 * @stopping: whether it is on its way out: where a withdrawal ends
 * @changes: how often the state has changed
 * @steps: how many events it has taken
 * @counts: how often each cell was used
 * @reason: (owned): why the state last changed
 *
 * The states of a node and what leads from one to another. Without threads, clocks and storages. All zero at the
 * beginning, which is %BAWN_HA_STOPPED.
 */
typedef struct
{
  BawnHaState state;
  gboolean stopping;
  guint64 changes;
  guint64 steps;
  guint64 counts[BAWN_HA_N_STATES][BAWN_HA_N_EVENTS];
  char *reason;
} BawnHaMachine;

const BawnHaCell *bawn_ha_machine_cell (BawnHaState state, BawnHaEvent event);
const char *bawn_ha_event_name (BawnHaEvent event);

BawnHaVerdict bawn_ha_machine_step (BawnHaMachine *machine, BawnHaEvent event, const char *reason,
                                    BawnHaAction *out_action);
void bawn_ha_machine_clear (BawnHaMachine *machine);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaMachine, bawn_ha_machine_clear)

G_END_DECLS
