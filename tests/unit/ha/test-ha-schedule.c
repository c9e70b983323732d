/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "tests/unit/ha/bawn-ha-world.h"
#include "util/bawn-log.h"

/* Random schedules of nodes without threads; BAWN_HA_SCHEDULES makes a run longer, --seed repeats
 * it. */

#define SCHEDULES 400
#define TTL_US (3 * G_USEC_PER_SEC)
/* Two clocks of which one is 5 % too fast and the other 5 % too slow are what the margin is for. */
#define ALLOWED_DRIFT 0.05
/* How many worlds a mutant may survive. */
#define MUTANT_SCHEDULES 1000

static guint32
seed_of (guint i)
{
  return (guint32) g_test_rand_int () + i;
}

static void
add_counts (BawnWorldReport *sum, const BawnWorldReport *report)
{
  for (guint i = 0; i < BAWN_HA_N_STATES; i++)
    for (guint j = 0; j < BAWN_HA_N_EVENTS; j++)
      sum->counts[i][j] += report->counts[i][j];

  sum->commits += report->commits;
  sum->refused += report->refused;
  sum->reads += report->reads;
  sum->terms += report->terms;
}

static void
run_safely (guint n_nodes, guint schedules, BawnWorldReport *sum)
{
  for (guint i = 0; i < schedules; i++)
    {
      const BawnWorldOptions options = { .seed = seed_of (i),
                                         .n_nodes = n_nodes,
                                         .ttl_us = TTL_US,
                                         .drift = ALLOWED_DRIFT,
                                         .troubled_us = 40 * TTL_US };
      BawnWorldReport report;

      bawn_world_run (&options, &report);
      if (report.two_valid + report.stale + report.stolen + report.early + report.backwards != 0
          || !report.settled)
        g_error ("seed %u, %u nodes: two valid %u, stale %u, stolen %u, early %u, backwards %u, "
                 "settled %d",
                 options.seed, n_nodes, report.two_valid, report.stale, report.stolen, report.early,
                 report.backwards, report.settled);
      add_counts (sum, &report);
    }
}

static void
test_safe (void)
{
  guint schedules = bawn_contract_scale ("BAWN_HA_SCHEDULES", SCHEDULES);
  BawnWorldReport sum = { 0 };

  run_safely (2, schedules, &sum);
  run_safely (3, schedules, &sum);
  run_safely (5, schedules / 3, &sum);
  g_test_message ("%u terms, %u commits, %u refused, %u reads", sum.terms, sum.commits, sum.refused,
                  sum.reads);

  /* A schedule that never came to the point would show nothing. */
  g_assert_cmpuint (sum.refused, >, 0);
  g_assert_cmpuint (sum.reads, >, 0);
  for (guint i = 0; i < BAWN_HA_N_STATES; i++)
    for (guint j = 0; j < BAWN_HA_N_EVENTS; j++)
      {
        BawnHaVerdict verdict = bawn_ha_machine_cell (i, j)->verdict;

        if (verdict == BAWN_HA_BUG)
          g_assert_cmpuint (sum.counts[i][j], ==, 0);
        if ((verdict == BAWN_HA_GO || verdict == BAWN_HA_HOME) && sum.counts[i][j] == 0)
          g_error ("%s never came while %s", bawn_ha_event_name (j), bawn_ha_state_name (i));
      }
}

static void
test_alone (void)
{
  BawnWorldReport sum = { 0 };

  run_safely (1, 20, &sum);
}

/* Each of these must be found out, or the schedules are too tame to find anything. Always with the same schedules: what is looked
 * for is rare in some. */
static void
expect_found (BawnWorldOptions options)
{
  options.n_nodes = 3;
  options.ttl_us = TTL_US;
  options.troubled_us = 40 * TTL_US;
  for (guint i = 0; i < MUTANT_SCHEDULES; i++)
    {
      BawnWorldReport report;

      options.seed = i + 1;
      bawn_world_run (&options, &report);
      if (report.two_valid + report.stale + report.stolen > 0)
        {
          g_test_message ("found in world %u", i + 1);
          return;
        }
    }
  g_assert_not_reached ();
}

static void
test_mutant_clocks (void)
{
  expect_found ((BawnWorldOptions){ .drift = 6 * ALLOWED_DRIFT });
}

static void
test_mutant_answers (void)
{
  expect_found ((BawnWorldOptions){ .drift = ALLOWED_DRIFT, .trust_answers = TRUE });
}

static void
test_mutant_fence (void)
{
  expect_found ((BawnWorldOptions){ .drift = ALLOWED_DRIFT, .no_fence = TRUE });
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_log_set_level (BAWN_LOG_ERROR);

  g_test_add_func ("/ha/schedule/no-two-nodes-serve-and-one-does-in-the-end", test_safe);
  g_test_add_func ("/ha/schedule/a-node-alone-always-comes-back", test_alone);
  g_test_add_func ("/ha/schedule/clocks-beyond-the-margin-are-found-out", test_mutant_clocks);
  g_test_add_func ("/ha/schedule/leases-that-count-from-the-answer-are-found-out",
                   test_mutant_answers);
  g_test_add_func ("/ha/schedule/a-missing-fence-is-found-out", test_mutant_fence);
  return g_test_run ();
}
