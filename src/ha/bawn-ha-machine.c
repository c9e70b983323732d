/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-machine.h"

#include "util/bawn-log.h"

#define GO(next, action)                                                                           \
  {                                                                                                \
    BAWN_HA_GO, BAWN_HA_##next, BAWN_HA_DO_##action                                                \
  }
#define HOME                                                                                       \
  {                                                                                                \
    BAWN_HA_HOME, BAWN_HA_STOPPED, BAWN_HA_DO_NOTHING                                              \
  }
#define LATE                                                                                       \
  {                                                                                                \
    BAWN_HA_LATE, BAWN_HA_STOPPED, BAWN_HA_DO_NOTHING                                              \
  }
#define REFUSE                                                                                     \
  {                                                                                                \
    BAWN_HA_REFUSE, BAWN_HA_STOPPED, BAWN_HA_DO_NOTHING                                            \
  }

/* All that a node ever does. What is not here is a bug. The lease is released in one place only,
 * behind withdrawing; and what was begun, a take or a promotion, is waited for there: it may have
 * succeeded. */
static const BawnHaCell table[BAWN_HA_N_STATES][BAWN_HA_N_EVENTS] = {
  [BAWN_HA_STOPPED] = {
    [BAWN_HA_START] = GO (STANDBY, WATCH),
    [BAWN_HA_FREE] = LATE,
    [BAWN_HA_LOST] = LATE,
    [BAWN_HA_STEP_DOWN] = REFUSE,
    [BAWN_HA_STOP] = LATE,
  },
  [BAWN_HA_STANDBY] = {
    [BAWN_HA_START] = LATE,
    [BAWN_HA_FREE] = GO (ACQUIRING, TAKE),
    [BAWN_HA_LOST] = LATE,
    [BAWN_HA_STEP_DOWN] = REFUSE,
    [BAWN_HA_STOP] = GO (STOPPED, END),
  },
  [BAWN_HA_ACQUIRING] = {
    [BAWN_HA_START] = LATE,
    [BAWN_HA_TAKEN] = GO (PROMOTING, PROMOTE),
    [BAWN_HA_NOT_TAKEN] = GO (STANDBY, WATCH),
    [BAWN_HA_LOST] = LATE,
    [BAWN_HA_STEP_DOWN] = REFUSE,
    [BAWN_HA_STOP] = GO (WITHDRAWING, CANCEL),
  },
  [BAWN_HA_PROMOTING] = {
    [BAWN_HA_START] = LATE,
    [BAWN_HA_PROMOTED] = GO (ACTIVE, NOTHING),
    [BAWN_HA_PROMOTE_FAILED] = GO (WITHDRAWING, RELEASE),
    [BAWN_HA_LOST] = GO (WITHDRAWING, CANCEL),
    [BAWN_HA_STEP_DOWN] = GO (WITHDRAWING, CANCEL),
    [BAWN_HA_STOP] = GO (WITHDRAWING, CANCEL),
  },
  [BAWN_HA_ACTIVE] = {
    [BAWN_HA_START] = LATE,
    [BAWN_HA_LOST] = GO (WITHDRAWING, WITHDRAW),
    [BAWN_HA_STEP_DOWN] = GO (WITHDRAWING, WITHDRAW),
    [BAWN_HA_STOP] = GO (WITHDRAWING, WITHDRAW),
  },
  [BAWN_HA_WITHDRAWING] = {
    [BAWN_HA_START] = LATE,
    [BAWN_HA_TAKEN] = GO (WITHDRAWING, RELEASE),
    [BAWN_HA_NOT_TAKEN] = HOME,
    [BAWN_HA_PROMOTED] = GO (WITHDRAWING, WITHDRAW),
    [BAWN_HA_PROMOTE_FAILED] = GO (WITHDRAWING, RELEASE),
    [BAWN_HA_LOST] = LATE,
    [BAWN_HA_STEP_DOWN] = REFUSE,
    [BAWN_HA_STOP] = GO (WITHDRAWING, NOTHING),
    [BAWN_HA_WITHDRAWN] = GO (WITHDRAWING, RELEASE),
    [BAWN_HA_RELEASED] = HOME,
  },
};

static void
move_to (BawnHaMachine *machine, BawnHaState next, BawnHaEvent event, const char *reason)
{
  if (next == machine->state)
    {
      bawn_log_debug ("ha", "%s goes on after %s: %s", bawn_ha_state_name (next),
                      bawn_ha_event_name (event), reason);
      return;
    }

  bawn_log_set_ha_state (bawn_ha_state_name (next));
  bawn_log_info ("ha", "%s, was %s (%s): %s", bawn_ha_state_name (next),
                 bawn_ha_state_name (machine->state), bawn_ha_event_name (event), reason);
  machine->state = next;
  machine->changes++;
  /* The end of a withdrawal: why it began is what matters. */
  if (event == BAWN_HA_RELEASED && machine->reason != NULL)
    return;
  g_free (machine->reason);
  machine->reason = g_strdup (reason);
}

/* Whatever led here: a node that serves serves no more. */
static BawnHaAction
after_bug (BawnHaMachine *machine, BawnHaEvent event)
{
  g_critical ("the election has a defect: %s while %s", bawn_ha_event_name (event),
              bawn_ha_state_name (machine->state));
  if (machine->state != BAWN_HA_PROMOTING && machine->state != BAWN_HA_ACTIVE)
    return BAWN_HA_DO_NOTHING;

  BawnHaAction action = machine->state == BAWN_HA_ACTIVE ? BAWN_HA_DO_WITHDRAW : BAWN_HA_DO_CANCEL;

  move_to (machine, BAWN_HA_WITHDRAWING, event, "a defect");
  return action;
}

static BawnHaAction
go_home (BawnHaMachine *machine, BawnHaEvent event, const char *reason)
{
  gboolean stopping = machine->stopping;

  move_to (machine, stopping ? BAWN_HA_STOPPED : BAWN_HA_STANDBY, event, reason);
  machine->stopping = FALSE;
  return stopping ? BAWN_HA_DO_END : BAWN_HA_DO_WATCH;
}

/**
 * bawn_ha_event_name:
 * @event: an event
 *
 * Returns: its name, for logs
 */
const char *
bawn_ha_event_name (BawnHaEvent event)
{
  static const char *const names[BAWN_HA_N_EVENTS] = {
    "start",      "lease free", "lease taken", "lease not taken", "promoted", "promotion failed",
    "lease lost", "step down",  "stop",        "withdrawn",       "released"
  };

  g_return_val_if_fail (event < BAWN_HA_N_EVENTS, "unknown");

  return names[event];
}

/**
 * bawn_ha_machine_cell:
 * @state: a state
 * @event: an event
 *
 * Returns: (transfer none): how @event is taken in @state
 */
const BawnHaCell *
bawn_ha_machine_cell (BawnHaState state, BawnHaEvent event)
{
  g_return_val_if_fail (state < BAWN_HA_N_STATES && event < BAWN_HA_N_EVENTS, NULL);

  return &table[state][event];
}

/**
 * bawn_ha_machine_step:
 * @machine: a machine
 * @event: what has happened
 * @reason: why, in words for an operator
 * @out_action: (out): what is to be done now
 *
 * Takes an event: looks it up, counts it, logs it, and changes the state.
 *
 * Returns: how it was taken. Only after %BAWN_HA_REFUSE has the caller something to say.
 */
BawnHaVerdict
bawn_ha_machine_step (BawnHaMachine *machine,
                      BawnHaEvent event,
                      const char *reason,
                      BawnHaAction *out_action)
{
  const BawnHaCell *cell = bawn_ha_machine_cell (machine->state, event);

  machine->counts[machine->state][event]++;
  machine->steps++;
  *out_action = BAWN_HA_DO_NOTHING;
  switch (cell->verdict)
    {
    case BAWN_HA_BUG:
      *out_action = after_bug (machine, event);
      break;
    case BAWN_HA_LATE:
    case BAWN_HA_REFUSE:
      bawn_log_debug ("ha", "%s came too late or too early while %s: %s",
                      bawn_ha_event_name (event), bawn_ha_state_name (machine->state), reason);
      break;
    case BAWN_HA_GO:
      machine->stopping |= event == BAWN_HA_STOP && cell->next == BAWN_HA_WITHDRAWING;
      *out_action = cell->action;
      move_to (machine, cell->next, event, reason);
      break;
    case BAWN_HA_HOME:
      *out_action = go_home (machine, event, reason);
      break;
    }

  return cell->verdict;
}

/**
 * bawn_ha_machine_clear:
 * @machine: a machine
 */
void
bawn_ha_machine_clear (BawnHaMachine *machine)
{
  g_clear_pointer (&machine->reason, g_free);
}
