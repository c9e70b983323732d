/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-machine.h"

#include <string.h>

#include "util/bawn-log.h"

static const char *const verdicts[] = { "bug", "late", "refuse", NULL, "home" };
static const char *const actions[] = { "",       "watch",    "take",    "promote",
                                       "cancel", "withdraw", "release", "end" };

static guint n_defects;

/* What is critical ends a test unless somebody takes it. */
static GLogWriterOutput
count_defects (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & G_LOG_LEVEL_CRITICAL) == 0)
    return g_log_writer_default (level, fields, n_fields, user_data);

  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, "MESSAGE") == 0 && strstr (fields[i].value, "has a defect") != NULL)
      n_defects++;
  return G_LOG_WRITER_HANDLED;
}

static char *
describe (BawnHaState state, BawnHaEvent event)
{
  const BawnHaCell *cell = bawn_ha_machine_cell (state, event);

  if (cell->verdict != BAWN_HA_GO)
    return g_strdup (verdicts[cell->verdict]);

  return g_strconcat (bawn_ha_state_name (cell->next),
                      cell->action != BAWN_HA_DO_NOTHING ? ", " : "", actions[cell->action], NULL);
}

static char *
load_page (void)
{
  const char *srcdir = g_getenv ("srcdir");
  g_autofree char *path =
      g_build_filename (srcdir != NULL ? srcdir : "..", "doc", "high-availability.md", NULL);
  g_autoptr (GError) error = NULL;
  char *page = NULL;

  g_file_get_contents (path, &page, NULL, &error);
  g_assert_no_error (error);
  return page;
}

/* Every cell, as the page for people has it. */
static void
test_table (void)
{
  g_autofree char *page = load_page ();

  for (guint event = 0; event < BAWN_HA_N_EVENTS; event++)
    {
      g_autoptr (GString) row = g_string_new (NULL);

      g_string_printf (row, "\n| %s |", bawn_ha_event_name (event));
      for (guint state = 0; state < BAWN_HA_N_STATES; state++)
        {
          g_autofree char *cell = describe (state, event);

          g_string_append_printf (row, " %s |", cell);
        }
      g_string_append_c (row, '\n');
      if (strstr (page, row->str) == NULL)
        g_error ("the page has no row%s", row->str);
    }
}

static void
test_head (void)
{
  g_autofree char *page = load_page ();
  g_autoptr (GString) row = g_string_new ("\n| event \\ state |");

  for (guint state = 0; state < BAWN_HA_N_STATES; state++)
    g_string_append_printf (row, " %s |", bawn_ha_state_name (state));
  g_string_append_c (row, '\n');
  g_assert_nonnull (strstr (page, row->str));
}

static void
machine_at (BawnHaMachine *machine, BawnHaState state)
{
  *machine = (BawnHaMachine){ .state = state };
}

/* What an operator wants to know is why a node let go, not that it has. */
static void
test_the_end_of_a_withdrawal_keeps_its_reason (void)
{
  g_auto (BawnHaMachine) machine = { 0 };
  BawnHaAction action = BAWN_HA_DO_END;

  machine_at (&machine, BAWN_HA_ACTIVE);
  bawn_ha_machine_step (&machine, BAWN_HA_STEP_DOWN, "somebody asked for it", &action);
  bawn_ha_machine_step (&machine, BAWN_HA_WITHDRAWN, "no more", &action);
  bawn_ha_machine_step (&machine, BAWN_HA_RELEASED, "let go of", &action);
  g_assert_cmpint (machine.state, ==, BAWN_HA_STANDBY);
  g_assert_cmpstr (machine.reason, ==, "somebody asked for it");
}

/* What is not a bug, step by step: the state, the action, the counts. */
static void
test_steps (void)
{
  for (guint state = 0; state < BAWN_HA_N_STATES; state++)
    for (guint event = 0; event < BAWN_HA_N_EVENTS; event++)
      {
        const BawnHaCell *cell = bawn_ha_machine_cell (state, event);
        g_auto (BawnHaMachine) machine = { 0 };
        BawnHaAction action = BAWN_HA_DO_END;

        if (cell->verdict == BAWN_HA_BUG)
          continue;

        machine_at (&machine, state);
        g_assert_cmpint (bawn_ha_machine_step (&machine, event, "why", &action), ==, cell->verdict);
        g_assert_cmpuint (machine.counts[state][event], ==, 1);
        g_assert_cmpuint (machine.changes, ==, machine.state != state ? 1 : 0);
        g_assert_cmpstr (machine.reason, ==, machine.state != state ? "why" : NULL);
        if (cell->verdict == BAWN_HA_GO)
          {
            g_assert_cmpint (machine.state, ==, cell->next);
            g_assert_cmpint (action, ==, cell->action);
          }
        else if (cell->verdict == BAWN_HA_HOME)
          {
            g_assert_cmpint (machine.state, ==, BAWN_HA_STANDBY);
            g_assert_cmpint (action, ==, BAWN_HA_DO_WATCH);
          }
        else
          {
            g_assert_cmpint (machine.state, ==, state);
            g_assert_cmpint (action, ==, BAWN_HA_DO_NOTHING);
          }
      }
}

static void
test_home (void)
{
  const BawnHaEvent ends[] = { BAWN_HA_RELEASED, BAWN_HA_NOT_TAKEN };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_auto (BawnHaMachine) machine = { .state = BAWN_HA_WITHDRAWING };
      BawnHaAction action = BAWN_HA_DO_NOTHING;

      bawn_ha_machine_step (&machine, BAWN_HA_STOP, "sealed", &action);
      g_assert_cmpint (machine.state, ==, BAWN_HA_WITHDRAWING);
      bawn_ha_machine_step (&machine, ends[i], "done", &action);
      g_assert_cmpint (machine.state, ==, BAWN_HA_STOPPED);
      g_assert_cmpint (action, ==, BAWN_HA_DO_END);
      g_assert_false (machine.stopping);
    }
}

/* A defect must never leave a node serving. */
static void
test_bugs (void)
{
  for (guint state = 0; state < BAWN_HA_N_STATES; state++)
    for (guint event = 0; event < BAWN_HA_N_EVENTS; event++)
      {
        g_auto (BawnHaMachine) machine = { 0 };
        BawnHaAction action = BAWN_HA_DO_NOTHING;
        gboolean holds = state == BAWN_HA_PROMOTING || state == BAWN_HA_ACTIVE;

        if (bawn_ha_machine_cell (state, event)->verdict != BAWN_HA_BUG)
          continue;

        machine_at (&machine, state);
        n_defects = 0;
        g_assert_cmpint (bawn_ha_machine_step (&machine, event, "why", &action), ==, BAWN_HA_BUG);
        g_assert_cmpuint (n_defects, ==, 1);
        g_assert_cmpint (machine.state, ==, holds ? BAWN_HA_WITHDRAWING : state);
        g_assert_cmpint (action, ==,
                         state == BAWN_HA_ACTIVE      ? BAWN_HA_DO_WITHDRAW
                         : state == BAWN_HA_PROMOTING ? BAWN_HA_DO_CANCEL
                                                      : BAWN_HA_DO_NOTHING);
      }
}

/* Whatever comes in whatever order, as long as it can: what the client was asked for fits together.
 */
static void
test_walk (void)
{
  g_auto (BawnHaMachine) machine = { 0 };
  gboolean promoted = FALSE;

  for (guint i = 0; i < 200000; i++)
    {
      BawnHaEvent event = (BawnHaEvent) g_test_rand_int_range (0, BAWN_HA_N_EVENTS);
      BawnHaState before = machine.state;
      BawnHaAction action = BAWN_HA_DO_NOTHING;

      if (bawn_ha_machine_cell (before, event)->verdict == BAWN_HA_BUG)
        continue;

      bawn_ha_machine_step (&machine, event, "walking", &action);
      if (event == BAWN_HA_PROMOTED)
        promoted = TRUE;
      if (event == BAWN_HA_WITHDRAWN)
        promoted = FALSE;
      if (machine.state == BAWN_HA_ACTIVE && before != BAWN_HA_ACTIVE)
        g_assert_cmpint (before, ==, BAWN_HA_PROMOTING);
      if (machine.state == BAWN_HA_ACTIVE)
        g_assert_true (promoted);
      if (event == BAWN_HA_LOST || event == BAWN_HA_STOP)
        g_assert_cmpint (machine.state, !=, BAWN_HA_ACTIVE);
      if (action == BAWN_HA_DO_WITHDRAW)
        g_assert_true (promoted);
      if (action == BAWN_HA_DO_PROMOTE)
        promoted = FALSE;
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_log_set_level (BAWN_LOG_ERROR);
  g_log_set_writer_func (count_defects, NULL, NULL);

  g_test_add_func ("/ha/machine/the-end-of-a-withdrawal-keeps-its-reason",
                   test_the_end_of_a_withdrawal_keeps_its_reason);
  g_test_add_func ("/ha/machine/the-table-is-the-one-of-the-page", test_table);
  g_test_add_func ("/ha/machine/the-states-are-those-of-the-page", test_head);
  g_test_add_func ("/ha/machine/each-step-goes-where-the-table-says", test_steps);
  g_test_add_func ("/ha/machine/a-stopped-node-does-not-go-back-to-standby", test_home);
  g_test_add_func ("/ha/machine/a-defect-ends-serving", test_bugs);
  g_test_add_func ("/ha/machine/active-comes-from-promoting-only", test_walk);
  return g_test_run ();
}
