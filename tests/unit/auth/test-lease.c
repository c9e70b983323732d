/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-lease.h"
#include "tests/unit/auth/bawn-auth-fixture.h"

#include <string.h>

static BawnLease *
make_lease (const char *id, const char *token, gint64 expire_us)
{
  BawnLease *lease = bawn_lease_new ();

  lease->id = g_strdup (id);
  lease->token = g_strdup (token);
  lease->expire_us = expire_us;

  return lease;
}

static void
put_lease (AuthFixture *f, const char *id, const char *token, gint64 expire_us)
{
  g_autoptr (BawnLease) lease = make_lease (id, token, expire_us);
  BawnTxn *txn = auth_begin (f);

  assert_works (bawn_lease_put (txn, lease, &error));
  auth_commit (txn);
}

static char *
due_ids (AuthFixture *f, gint64 now_us, guint limit, gint64 *out_next_us)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_auto (GStrv) ids = NULL;

  assert_works (bawn_lease_due (txn, now_us, limit, &ids, out_next_us, &error));
  return g_strjoinv (" ", ids);
}

static void
assert_due (AuthFixture *f, gint64 now_us, guint limit, const char *ids, gint64 next_us)
{
  gint64 next = -1;
  g_autofree char *joined = due_ids (f, now_us, limit, &next);

  g_assert_cmpstr (joined, ==, ids);
  g_assert_cmpint (next, ==, next_us);
}

static void
test_a_lease_comes_back_as_it_was (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnLease) lease = make_lease ("secret/a/xyz", "t0", AUTH_S (100));
  BawnTxn *txn = auth_begin (f);

  lease->renewable = TRUE;
  lease->issue_us = AUTH_S (1) + 7;
  lease->last_renewal_us = AUTH_S (2);
  lease->ttl_us = AUTH_S (99);
  lease->max_ttl_us = AUTH_S (1000);
  lease->internal = g_bytes_new_static ("{\"user\":\"a\\nb\"}", strlen ("{\"user\":\"a\\nb\"}"));
  lease->revoke_attempts = 3;
  lease->revoke_error = g_strdup ("refused");
  assert_works (bawn_lease_put (txn, lease, &error));
  auth_commit (txn);

  g_autoptr (BawnTxn) reading = auth_begin (f);
  g_autoptr (BawnLease) found = NULL;

  assert_works (bawn_lease_get (reading, "secret/a/xyz", &found, &error));
  g_assert_cmpstr (found->id, ==, lease->id);
  g_assert_cmpstr (found->token, ==, "t0");
  g_assert_true (found->renewable);
  g_assert_false (found->is_auth);
  g_assert_cmpint (found->issue_us, ==, lease->issue_us);
  g_assert_cmpint (found->expire_us, ==, lease->expire_us);
  g_assert_cmpint (found->last_renewal_us, ==, lease->last_renewal_us);
  g_assert_cmpint (found->ttl_us, ==, lease->ttl_us);
  g_assert_cmpint (found->max_ttl_us, ==, lease->max_ttl_us);
  g_assert_true (g_bytes_equal (found->internal, lease->internal));
  g_assert_cmpuint (found->revoke_attempts, ==, 3);
  g_assert_cmpstr (found->revoke_error, ==, "refused");
}

static void
test_ids_that_cannot_be_are_absent (AuthFixture *f, gconstpointer data)
{
  g_autofree char *too_long = g_strnfill (2000, 'x');
  const char *const ids[] = { "", "/", "a//b", "a/", too_long, "../x", "no/such" };
  g_autoptr (BawnTxn) txn = auth_begin (f);

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      g_autoptr (BawnLease) lease = NULL;

      assert_works (bawn_lease_get (txn, ids[i], &lease, &error));
      g_assert_null (lease);
      assert_works (bawn_lease_delete (txn, ids[i], &error));
    }
}

static void
test_an_impossible_id_is_refused (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnLease) lease = make_lease ("a//b", NULL, 0);
  g_autoptr (BawnTxn) txn = auth_begin (f);

  assert_fails (bawn_lease_put (txn, lease, &error), BAWN_ERROR_INVALID, "invalid lease id");
}

static void
test_what_is_due_comes_in_order (AuthFixture *f, gconstpointer data)
{
  put_lease (f, "c", "t", AUTH_S (1000) + 1);
  put_lease (f, "a", "t", AUTH_S (1000));
  put_lease (f, "b", "t", AUTH_S (900));
  put_lease (f, "d", "t", AUTH_S (5000));
  put_lease (f, "never", "t", 0);

  assert_due (f, AUTH_S (1), 10, "", AUTH_S (900) / AUTH_S (16) * AUTH_S (16));
  assert_due (f, AUTH_S (900) - 1, 10, "", AUTH_S (900));
  assert_due (f, AUTH_S (900), 10, "b", AUTH_S (1000) / AUTH_S (16) * AUTH_S (16));
  assert_due (f, AUTH_S (1000), 10, "b a", AUTH_S (1000) + 1);
  assert_due (f, AUTH_S (9000), 10, "b a c d", 0);
}

static void
test_a_limit_leaves_the_rest_for_now (AuthFixture *f, gconstpointer data)
{
  for (gint64 i = 0; i < 7; i++)
    {
      g_autofree char *id = g_strdup_printf ("l%d", (int) i);
      put_lease (f, id, "t", AUTH_S (100 + 10 * i));
    }

  assert_due (f, AUTH_S (1000), 1, "l0", AUTH_S (110));
  assert_due (f, AUTH_S (1000), 3, "l0 l1 l2", AUTH_S (130));
  assert_due (f, AUTH_S (1000), 7, "l0 l1 l2 l3 l4 l5 l6", 0);
}

static void
test_many_old_buckets_are_passed_in_steps (AuthFixture *f, gconstpointer data)
{
  guint taken = 0;
  gint64 next = 1;

  for (gint64 i = 0; i < 300; i++)
    {
      g_autofree char *id = g_strdup_printf ("l%d", (int) i);
      put_lease (f, id, "t", AUTH_S (100 + 16 * i));
    }

  while (next != 0)
    {
      g_autofree char *joined = due_ids (f, AUTH_S (100000), 1000, &next);
      g_auto (GStrv) ids = g_strsplit (joined, " ", -1);
      BawnTxn *txn = auth_begin (f);

      for (char **id = ids; *id != NULL; id++, taken++)
        assert_works (bawn_lease_delete (txn, *id, &error));
      auth_commit (txn);
    }

  g_assert_cmpuint (taken, ==, 300);
  g_assert_cmpuint (auth_count (f, "sys/lease/"), ==, 0);
}

static void
test_putting_again_moves_the_due_time (AuthFixture *f, gconstpointer data)
{
  put_lease (f, "a", "t", AUTH_S (100));
  put_lease (f, "a", "t", AUTH_S (5000));

  g_assert_cmpuint (auth_count (f, "sys/lease/due/"), ==, 1);
  assert_due (f, AUTH_S (4000), 10, "", AUTH_S (5000) / AUTH_S (16) * AUTH_S (16));
  assert_due (f, AUTH_S (5000), 10, "a", 0);
}

static void
test_deleting_leaves_nothing (AuthFixture *f, gconstpointer data)
{
  BawnTxn *txn = NULL;

  put_lease (f, "a/b", "t", AUTH_S (100));
  g_assert_cmpuint (auth_count (f, "sys/lease/"), ==, 3);
  txn = auth_begin (f);
  assert_works (bawn_lease_delete (txn, "a/b", &error));
  auth_commit (txn);

  g_assert_cmpuint (auth_count (f, "sys/lease/"), ==, 0);
}

static void
test_a_token_knows_what_was_given_to_it (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnLease) own = make_lease ("auth/token/create/t1", "t1", AUTH_S (100));
  g_auto (GStrv) ids = NULL;
  BawnTxn *txn = auth_begin (f);

  own->is_auth = TRUE;
  assert_works (bawn_lease_put (txn, own, &error));
  auth_commit (txn);
  put_lease (f, "a", "t1", AUTH_S (100));
  put_lease (f, "b", "t2", AUTH_S (100));

  txn = auth_begin (f);
  assert_works (bawn_lease_of_token (txn, "t1", 10, &ids, &error));
  g_assert_cmpuint (g_strv_length (ids), ==, 1);
  g_assert_cmpstr (ids[0], ==, "a");
  bawn_lease_forget_token (txn, "t1", "a");
  auth_commit (txn);

  g_autoptr (BawnTxn) after = auth_begin (f);
  g_auto (GStrv) none = NULL;
  g_autoptr (BawnLease) still = NULL;

  assert_works (bawn_lease_of_token (after, "t1", 10, &none, &error));
  g_assert_null (none[0]);
  assert_works (bawn_lease_get (after, "a", &still, &error));
  g_assert_nonnull (still);
}

static void
test_listing_goes_one_level (AuthFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *prefix;
    const char *names;
  } cases[] = {
    { "", "a/ d" }, { "a", "b c/" }, { "a/", "b c/" }, { "a/c/", "x" }, { "no", "" }, { "a//", "" },
  };
  g_autoptr (BawnTxn) txn = NULL;

  put_lease (f, "a/b", "t", AUTH_S (100));
  put_lease (f, "a/c/x", "t", AUTH_S (100));
  put_lease (f, "d", "t", AUTH_S (100));
  txn = auth_begin (f);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) names = NULL;
      g_autofree char *joined = NULL;

      assert_works (bawn_lease_list (txn, cases[i].prefix, &names, &error));
      joined = g_strjoinv (" ", names);
      g_assert_cmpstr (joined, ==, cases[i].names);
    }
}

#define H (3600)

typedef struct
{
  const char *name;
  /* in seconds; since issue is how long ago it was issued */
  gint64 since_issue;
  gint64 increment;
  gint64 backend_ttl;
  gint64 period;
  gint64 backend_max;
  gint64 explicit_max;
  gint64 mount_default;
  gint64 mount_max;
  gint64 ttl; /* 0: refused */
  const char *warning;
} TtlRow;

static const TtlRow ttl_rows[] = {
  { "the-mounts-default-is-last", 0, 0, 0, 0, 0, 0, H, 10 * H, H, NULL },
  { "the-backend-comes-before-the-mount", 0, 0, 60, 0, 0, 0, H, 10 * H, 60, NULL },
  { "the-increment-comes-first", 0, 30, 60, 0, 0, 0, H, 10 * H, 30, NULL },
  { "the-mounts-max-caps", 0, 100000 * H, 0, 0, 0, 0, H, 768 * H, 768 * H,
    "TTL of \"100000h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped "
    "accordingly" },
  { "the-backends-max-caps", 0, 2 * H, 0, 0, 90, 0, H, 768 * H, 90,
    "TTL of \"2h\" exceeded the effective max_ttl of \"1m30s\"; TTL value is capped accordingly" },
  { "a-backends-max-beyond-the-mounts-is-none", 0, 0, 2 * H, 0, 9 * H, 0, H, H, H,
    "TTL of \"2h\" exceeded the effective max_ttl of \"1h\"; TTL value is capped accordingly" },
  { "the-explicit-max-caps", 0, 0, 2 * H, 0, 0, 20 * 60, H, 768 * H, 20 * 60,
    "TTL of \"2h\" exceeded the effective max_ttl of \"20m\"; TTL value is capped accordingly" },
  { "time-that-has-passed-counts", 50 * 60, H, 0, 0, 0, 0, H, H, 10 * 60,
    "TTL of \"1h\" exceeded the effective max_ttl of \"10m\"; TTL value is capped accordingly" },
  { "just-enough-is-not-capped", 30 * 60, 30 * 60, 0, 0, 0, 0, H, H, 30 * 60, NULL },
  { "at-the-max-is-too-late", H, 1, 0, 0, 0, 0, H, H, 0, NULL },
  { "past-the-max-is-too-late", 2 * H, 1, 0, 0, 0, 0, H, H, 0, NULL },
  { "a-period-ignores-the-increment", 0, 5, 6, 60, 0, 0, H, 768 * H, 60, NULL },
  { "a-period-ignores-the-age", 1000 * H, 0, 0, 60, 0, 0, H, H, 60, NULL },
  { "a-period-is-capped-by-the-max", 0, 0, 0, 2 * H, 0, 0, H, H, H,
    "period of \"2h\" exceeded the effective max_ttl of \"1h\"; period value is capped "
    "accordingly" },
  { "a-period-ends-at-the-explicit-max", 50, 0, 0, 60, 0, 100, H, H, 50,
    "TTL of \"1m\" exceeded the effective max_ttl of \"50s\"; TTL value is capped accordingly" },
  { "a-period-past-the-explicit-max-is-too-late", 100, 0, 0, 60, 0, 100, H, H, 0, NULL },
};

static void
test_ttl (gconstpointer data)
{
  const TtlRow *row = data;
  BawnTtlInput input = {
    .now_us = AUTH_START_US,
    .issue_us = AUTH_START_US - AUTH_S (row->since_issue),
    .increment_us = AUTH_S (row->increment),
    .backend_ttl_us = AUTH_S (row->backend_ttl),
    .period_us = AUTH_S (row->period),
    .backend_max_us = AUTH_S (row->backend_max),
    .explicit_max_us = AUTH_S (row->explicit_max),
    .mount_default_us = AUTH_S (row->mount_default),
    .mount_max_us = AUTH_S (row->mount_max),
  };
  gint64 ttl = -1;
  g_autofree char *warning = NULL;

  if (row->ttl == 0)
    {
      assert_fails (bawn_ttl_calculate (&input, &ttl, &warning, &error), BAWN_ERROR_INVALID,
                    "past the max TTL, cannot renew");
      g_assert_cmpint (ttl, ==, -1);
      return;
    }

  assert_works (bawn_ttl_calculate (&input, &ttl, &warning, &error));
  g_assert_cmpint (ttl, ==, AUTH_S (row->ttl));
  g_assert_cmpstr (warning, ==, row->warning);
}

static void
test_times_are_cut_to_seconds (void)
{
  BawnTtlInput input = {
    .now_us = AUTH_S (1000) + 999999,
    .issue_us = AUTH_S (1000) + 1,
    .increment_us = 1500000,
    .mount_default_us = AUTH_S (60),
    .mount_max_us = AUTH_S (60),
  };
  gint64 ttl = 0;

  assert_works (bawn_ttl_calculate (&input, &ttl, NULL, &error));
  g_assert_cmpint (ttl, ==, AUTH_S (1));
  input.increment_us = 1;
  assert_works (bawn_ttl_calculate (&input, &ttl, NULL, &error));
  g_assert_cmpint (ttl, ==, AUTH_S (1));
}

static void
test_times_without_measure_are_borne (void)
{
  BawnTtlInput input = {
    .now_us = AUTH_START_US,
    .issue_us = AUTH_START_US,
    .increment_us = G_MAXINT64,
    .backend_ttl_us = G_MAXINT64,
    .backend_max_us = G_MAXINT64,
    .explicit_max_us = G_MAXINT64,
    .mount_default_us = G_MAXINT64,
    .mount_max_us = G_MAXINT64,
  };
  gint64 ttl = 0;

  assert_works (bawn_ttl_calculate (&input, &ttl, NULL, &error));
  g_assert_cmpint (ttl, >, AUTH_S (1000000000));
  g_assert_cmpint (ttl, <, G_MAXINT64 - AUTH_START_US);
  input.period_us = G_MAXINT64;
  assert_works (bawn_ttl_calculate (&input, &ttl, NULL, &error));
  g_assert_cmpint (ttl, <, G_MAXINT64 - AUTH_START_US);
}

#define add(name, func)                                                                            \
  g_test_add ("/auth/lease/" name, AuthFixture, NULL, auth_set_up, func, auth_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-lease-comes-back-as-it-was", test_a_lease_comes_back_as_it_was);
  add ("ids-that-cannot-be-are-absent", test_ids_that_cannot_be_are_absent);
  add ("an-impossible-id-is-refused", test_an_impossible_id_is_refused);
  add ("what-is-due-comes-in-order", test_what_is_due_comes_in_order);
  add ("a-limit-leaves-the-rest-for-now", test_a_limit_leaves_the_rest_for_now);
  add ("many-old-buckets-are-passed-in-steps", test_many_old_buckets_are_passed_in_steps);
  add ("putting-again-moves-the-due-time", test_putting_again_moves_the_due_time);
  add ("deleting-leaves-nothing", test_deleting_leaves_nothing);
  add ("a-token-knows-what-was-given-to-it", test_a_token_knows_what_was_given_to_it);
  add ("listing-goes-one-level", test_listing_goes_one_level);
  for (guint i = 0; i < G_N_ELEMENTS (ttl_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/auth/ttl/", ttl_rows[i].name, NULL);
      g_test_add_data_func (path, &ttl_rows[i], test_ttl);
    }
  g_test_add_func ("/auth/ttl/times-are-cut-to-seconds", test_times_are_cut_to_seconds);
  g_test_add_func ("/auth/ttl/times-without-measure-are-borne",
                   test_times_without_measure_are_borne);

  return g_test_run ();
}
