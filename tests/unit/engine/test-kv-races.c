/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/engine/engine-fixture.h"

#include <string.h>

GType bawn_engine_kv_get_type (void);

#define N_THREADS 8
#define N_ROUNDS 20
#define CAS_MISMATCH "INVALID check-and-set parameter did not match the current version"

typedef struct
{
  EngineFixture *f;
  guint index;
  gint *winners; /* of each round */
  gint *arrived; /* of each round */
} Racer;

static void
set_up (EngineFixture *f, gconstpointer data)
{
  engine_fixture_set_up (f, bawn_engine_kv_get_type (), "version=2");
}

static void
tear_down (EngineFixture *f, gconstpointer data)
{
  engine_fixture_tear_down (f);
}

static void
race (EngineFixture *f, GThreadFunc func, gint *winners, gint *arrived)
{
  GThread *threads[N_THREADS] = { NULL };
  Racer racers[N_THREADS] = { { NULL } };

  for (guint i = 0; i < N_THREADS; i++)
    {
      racers[i] = (Racer){ f, i, winners, arrived };
      threads[i] = g_thread_new ("racer", func, &racers[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

/* Nobody starts a round before all are there. */
static void
wait_for_all (gint *arrived)
{
  g_atomic_int_inc (arrived);
  while (g_atomic_int_get (arrived) < N_THREADS)
    g_thread_yield ();
}

static gpointer
write_with_cas (gpointer data)
{
  Racer *racer = data;

  for (gint round = 0; round < N_ROUNDS; round++)
    {
      g_autofree char *body =
          g_strdup_printf ("{\"data\":{\"by\":%u},\"options\":{\"cas\":%d}}", racer->index, round);

      wait_for_all (&racer->arrived[round]);

      g_autofree char *answer = engine_fixture_answer (racer->f, BAWN_OP_UPDATE, "data/a", body);

      if (g_str_has_prefix (answer, "200 "))
        g_atomic_int_inc (&racer->winners[round]);
      else
        g_assert_cmpstr (answer, ==, CAS_MISMATCH);
    }

  return NULL;
}

static void
test_of_all_writers_with_one_cas_exactly_one_wins (EngineFixture *f, gconstpointer data)
{
  gint winners[N_ROUNDS] = { 0 };
  gint arrived[N_ROUNDS] = { 0 };

  race (f, write_with_cas, winners, arrived);
  for (guint i = 0; i < N_ROUNDS; i++)
    g_assert_cmpint (winners[i], ==, 1);

  g_autofree char *answer = engine_fixture_answer (f, BAWN_OP_READ, "data/a", NULL);
  g_autofree char *version = g_strdup_printf ("\"version\":%d}", N_ROUNDS);

  g_assert_nonnull (strstr (answer, version));
}

static gpointer
write_blindly (gpointer data)
{
  Racer *racer = data;

  for (guint round = 0; round < N_ROUNDS; round++)
    {
      g_autofree char *answer =
          engine_fixture_answer (racer->f, BAWN_OP_UPDATE, "data/a", "{\"data\":{\"x\":1}}");

      g_assert_true (g_str_has_prefix (answer, "200 "));
    }

  return NULL;
}

static void
test_no_version_is_lost_or_given_twice (EngineFixture *f, gconstpointer data)
{
  race (f, write_blindly, NULL, NULL);

  g_autofree char *answer = engine_fixture_answer (f, BAWN_OP_READ, "data/a", NULL);
  g_autofree char *version = g_strdup_printf ("\"version\":%d}", N_ROUNDS * N_THREADS);

  g_assert_nonnull (strstr (answer, version));
  g_assert_cmpuint (engine_fixture_count (f, "v/"), ==, 10);
}

static gpointer
patch_own_member (gpointer data)
{
  Racer *racer = data;

  for (guint round = 1; round <= N_ROUNDS; round++)
    {
      g_autofree char *body = g_strdup_printf ("{\"data\":{\"m%u\":%u}}", racer->index, round);
      g_autofree char *answer = engine_fixture_answer (racer->f, BAWN_OP_PATCH, "data/a", body);

      g_assert_true (g_str_has_prefix (answer, "200 "));
    }

  return NULL;
}

static void
test_patches_of_different_members_all_stay (EngineFixture *f, gconstpointer data)
{
  g_autofree char *made = engine_fixture_answer (f, BAWN_OP_UPDATE, "data/a", "{\"data\":{}}");

  g_assert_true (g_str_has_prefix (made, "200 "));
  race (f, patch_own_member, NULL, NULL);

  g_autofree char *answer = engine_fixture_answer (f, BAWN_OP_READ, "data/a", NULL);

  for (guint i = 0; i < N_THREADS; i++)
    {
      g_autofree char *member = g_strdup_printf ("\"m%u\":%d", i, N_ROUNDS);

      g_assert_nonnull (strstr (answer, member));
    }
}

/* Another writer gets in between the run and its commit: the run is repeated and sees it. */
static void
write_once_between (EngineFixture *f)
{
  f->before_commit = NULL;

  g_autofree char *answer =
      engine_fixture_answer (f, BAWN_OP_UPDATE, "data/a", "{\"data\":{\"late\":1}}");

  g_assert_true (g_str_has_prefix (answer, "200 "));
}

static void
test_a_refused_commit_is_run_again (EngineFixture *f, gconstpointer data)
{
  f->before_commit = write_once_between;

  g_autofree char *answer =
      engine_fixture_answer (f, BAWN_OP_UPDATE, "data/a", "{\"data\":{},\"options\":{\"cas\":0}}");

  g_assert_cmpstr (answer, ==, CAS_MISMATCH);
  g_assert_cmpuint (f->runs, ==, 3);
}

static void
test_a_read_that_raced_is_run_again (EngineFixture *f, gconstpointer data)
{
  g_autofree char *made =
      engine_fixture_answer (f, BAWN_OP_UPDATE, "data/a", "{\"data\":{\"early\":1}}");

  g_assert_true (g_str_has_prefix (made, "200 "));
  f->before_commit = write_once_between;

  g_autofree char *answer = engine_fixture_answer (f, BAWN_OP_READ, "data/a", NULL);

  g_assert_true (g_str_has_prefix (answer, "200 {\"data\":{\"late\":1}"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func)                                                                            \
  g_test_add ("/engine/kv-races/" name, EngineFixture, NULL, set_up, func, tear_down)
  add ("of-all-writers-with-one-cas-exactly-one-wins",
       test_of_all_writers_with_one_cas_exactly_one_wins);
  add ("no-version-is-lost-or-given-twice", test_no_version_is_lost_or_given_twice);
  add ("patches-of-different-members-all-stay", test_patches_of_different_members_all_stay);
  add ("a-refused-commit-is-run-again", test_a_refused_commit_is_run_again);
  add ("a-read-that-raced-is-run-again", test_a_read_that_raced_is_run_again);
#undef add

  return g_test_run ();
}
