/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-node.h"

#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"
#include "util/bawn-log.h"

/* One node, step by step: each test is an order of events that matters. */

#define MS G_GINT64_CONSTANT (1000)
#define TTL (3000 * MS)
#define NAME "https://a:8200"

typedef struct
{
  BawnHaNode node;
  BawnHaJob job;
  gint64 now;
  guint64 version; /* of the record in the storage */
  GBytes *record;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const BawnElectorOptions options = { .node_id = "a", .node_name = NAME, .ttl_us = TTL };

  bawn_ha_node_init (&f->node, &options, 1);
  f->now = 1000000 * MS;
  f->version = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_ha_job_clear (&f->job);
  g_clear_pointer (&f->record, g_bytes_unref);
  bawn_ha_node_clear (&f->node);
}

/* ---- what the storage and the client do ---- */

static void
expect (Fixture *f, BawnHaJobKind kind)
{
  bawn_ha_job_clear (&f->job);
  bawn_ha_node_next_job (&f->node, f->now, &f->job);
  g_assert_cmpint (f->job.kind, ==, kind);
}

static void
finish (Fixture *f, gint64 takes, BawnHaOutcome outcome, guint64 floor)
{
  BawnHaResult result = { .outcome = outcome, .sent = f->now, .floor = floor };

  f->now += takes;
  result.now = f->now;
  if (f->job.kind == BAWN_HA_JOB_READ && outcome == BAWN_HA_DONE)
    {
      result.version = f->version;
      result.text = f->record != NULL ? g_bytes_ref (f->record) : NULL;
    }
  else
    result.version = f->version;
  bawn_ha_node_job_done (&f->node, &f->job, &result);
  bawn_ha_result_clear (&result);
}

static void
store (Fixture *f, GBytes *record)
{
  g_clear_pointer (&f->record, g_bytes_unref);
  f->record = record != NULL ? g_bytes_ref (record) : NULL;
  f->version = record != NULL ? f->version + 10 : 0;
}

static void
store_text (Fixture *f, const char *text)
{
  g_autoptr (GBytes) record = bawn_bytes_new_string (text);

  store (f, record);
}

static void
store_lock (Fixture *f, guint64 epoch, gboolean held, const char *holder, const char *successor)
{
  const BawnHaLock lock = { .epoch = epoch,
                            .held = held,
                            .ttl_us = TTL,
                            .holder = (char *) holder,
                            .name = (char *) holder,
                            .successor = (char *) successor };
  g_autoptr (GBytes) record = bawn_ha_lock_format (&lock);

  store (f, record);
}

/* The commit that was asked for reaches the storage. */
static void
apply (Fixture *f)
{
  g_assert_cmpuint (f->job.version, ==, f->version);
  store (f, f->job.value);
}

static void
read_ok (Fixture *f, gint64 takes)
{
  expect (f, BAWN_HA_JOB_READ);
  finish (f, takes, BAWN_HA_DONE, 0);
}

/* The watch ends by itself. */
static void
watch (Fixture *f)
{
  expect (f, BAWN_HA_JOB_WATCH);
  finish (f, f->job.for_us, BAWN_HA_DONE, 0);
}

static void
expect_sleep (Fixture *f, gint64 for_us)
{
  expect (f, BAWN_HA_JOB_SLEEP);
  g_assert_cmpint (f->job.for_us, ==, for_us);
}

static void
expect_state (Fixture *f, BawnHaState state)
{
  g_assert_cmpint (f->node.machine.state, ==, state);
}

static void
expect_action (Fixture *f, BawnHaAction action)
{
  g_assert_cmpint (bawn_ha_node_next_action (&f->node, f->now), ==, action);
}

static void
act (Fixture *f, BawnHaAction action, gboolean ok)
{
  bawn_ha_node_action_done (&f->node, action, ok, f->now);
}

static gboolean
is_valid (Fixture *f)
{
  return f->now < bawn_ha_node_valid_until (&f->node);
}

static void
floor_ok (Fixture *f, guint64 floor)
{
  expect (f, BAWN_HA_JOB_FLOOR);
  finish (f, 0, BAWN_HA_DONE, floor);
}

static void
take_ok (Fixture *f, gint64 takes)
{
  expect (f, BAWN_HA_JOB_TAKE);
  apply (f);
  finish (f, takes, BAWN_HA_DONE, 0);
  expect_state (f, BAWN_HA_PROMOTING);
}

static void
become_promoting (Fixture *f)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  take_ok (f, 0);
}

static void
become_active (Fixture *f)
{
  become_promoting (f);
  expect_action (f, BAWN_HA_DO_PROMOTE);
  act (f, BAWN_HA_DO_PROMOTE, TRUE);
  expect_state (f, BAWN_HA_ACTIVE);
  expect_action (f, BAWN_HA_DO_NOTHING);
}

static void
become_standby (Fixture *f, guint64 epoch)
{
  store_lock (f, epoch, TRUE, "b", NULL);
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
}

/* Looks at the record until the lease is to be taken; gives back how long that was. */
static gint64
wait_for_take (Fixture *f)
{
  gint64 begin = f->now;

  for (;;)
    {
      bawn_ha_job_clear (&f->job);
      bawn_ha_node_next_job (&f->node, f->now, &f->job);
      switch (f->job.kind)
        {
        case BAWN_HA_JOB_FLOOR:
          return f->now - begin;
        case BAWN_HA_JOB_WATCH:
        case BAWN_HA_JOB_SLEEP:
          g_assert_cmpint (f->job.for_us, >, 0);
          finish (f, f->job.for_us, BAWN_HA_DONE, 0);
          break;
        case BAWN_HA_JOB_READ:
          finish (f, 0, BAWN_HA_DONE, 0);
          break;
        case BAWN_HA_JOB_END:
        case BAWN_HA_JOB_TAKE:
        case BAWN_HA_JOB_RENEW:
        case BAWN_HA_JOB_RELEASE:
          g_assert_not_reached ();
        }
      g_assert_cmpint (f->now - begin, <, 100 * TTL);
    }
}

static guint64
epoch_of (GBytes *record, gboolean *out_held)
{
  g_auto (BawnHaLock) lock = { 0 };

  assert_works (bawn_ha_lock_parse (record, &lock, &error));
  *out_held = lock.held;
  return lock.epoch;
}

static void
expect_record (Fixture *f, guint64 epoch, gboolean held)
{
  gboolean is_held = FALSE;

  g_assert_cmpuint (epoch_of (f->record, &is_held), ==, epoch);
  g_assert_cmpint (is_held, ==, held);
}

static void
release_ok (Fixture *f)
{
  expect (f, BAWN_HA_JOB_RELEASE);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
}

/* ---- watching ---- */

static void
test_silence (Fixture *f, gconstpointer data)
{
  store_lock (f, 5, TRUE, "b", NULL);
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 400 * MS);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
  finish (f, 0, BAWN_HA_DONE, 3);
  expect (f, BAWN_HA_JOB_TAKE);
  apply (f);
  expect_record (f, 6, TRUE);
}

static void
test_renewal_seen (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  for (guint i = 0; i < 20; i++)
    {
      watch (f);
      store_lock (f, 5, TRUE, "b", NULL);
      read_ok (f, 0);
    }
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

/* A storage was restored from a copy, and its versions with it. */
static void
test_same_version (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  watch (f);

  guint64 version = f->version;

  store_lock (f, 4, TRUE, "c", NULL);
  f->version = version;
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_slow_read (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  watch (f);
  read_ok (f, TTL / 4 + 1);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_quick_enough_read (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  watch (f);
  read_ok (f, TTL / 4);
  g_assert_cmpint (wait_for_take (f), ==, TTL - TTL / 4 - TTL / 4);
}

static void
test_failed_read (Fixture *f, gconstpointer data)
{
  g_auto (BawnElectorInfo) info = { 0 };

  become_standby (f, 5);
  watch (f);
  expect (f, BAWN_HA_JOB_READ);
  finish (f, 10 * MS, BAWN_HA_FAILED, 0);
  bawn_ha_node_get_info (&f->node, f->now, &info);
  g_assert_false (info.storage_answers);
  expect_sleep (f, BAWN_HA_RETRY (TTL));
  finish (f, f->job.for_us, BAWN_HA_DONE, 0);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_failed_watch (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  expect (f, BAWN_HA_JOB_WATCH);
  finish (f, 0, BAWN_HA_FAILED, 0);
  expect_sleep (f, BAWN_HA_RETRY (TTL));
  finish (f, f->job.for_us, BAWN_HA_DONE, 0);
  read_ok (f, 0);

  /* Reads were good all the time. */
  g_assert_cmpint (wait_for_take (f), ==, TTL - BAWN_HA_RETRY (TTL));
}

static void
test_looked_away (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  expect (f, BAWN_HA_JOB_WATCH);
  finish (f, 100 * TTL, BAWN_HA_DONE, 0);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_hasty_watch (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  expect (f, BAWN_HA_JOB_WATCH);
  finish (f, 0, BAWN_HA_DONE, 0);
  read_ok (f, 0);
  expect_sleep (f, BAWN_HA_WATCH_MIN_US);
  finish (f, f->job.for_us, BAWN_HA_DONE, 0);
  expect (f, BAWN_HA_JOB_WATCH);

  /* With news it is not slowed down. */
  finish (f, 0, BAWN_HA_DONE, 0);
  store_lock (f, 5, FALSE, "b", NULL);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_FLOOR);
}

static void
test_own_ttl (Fixture *f, gconstpointer data)
{
  store_text (f, "{\"epoch\":5,\"renewal\":0,\"state\":\"held\",\"holder\":\"b\",\"name\":\"b\","
                 "\"ttl_ms\":20000}");
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, 20000 * MS);
}

static void
test_absent (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 41);
  take_ok (f, 0);
  expect_record (f, 42, TRUE);
}

static void
test_vanished (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  watch (f);
  store (f, NULL);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_garbage (Fixture *f, gconstpointer data)
{
  store_text (f, "a session of another program");
  bawn_ha_node_start (&f->node, f->now);
  for (guint i = 0; i < 100; i++)
    {
      read_ok (f, 0);
      watch (f);
    }
  expect_state (f, BAWN_HA_STANDBY);
  store (f, NULL);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

static void
test_released (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  watch (f);
  store_lock (f, 5, FALSE, "b", NULL);
  read_ok (f, 0);
  floor_ok (f, 0);
  take_ok (f, 0);
  expect_record (f, 6, TRUE);
}

static void
test_named (Fixture *f, gconstpointer data)
{
  store_lock (f, 5, FALSE, "b", NAME);
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_FLOOR);
}

static void
test_not_named (Fixture *f, gconstpointer data)
{
  store_lock (f, 5, FALSE, "b", "c");
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, BAWN_HA_SUCCESSOR_HOLD (TTL));
}

/* ---- taking ---- */

static void
test_floor_fails (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  for (guint i = 0; i < 50; i++)
    {
      read_ok (f, 0);
      expect (f, BAWN_HA_JOB_FLOOR);
      finish (f, 0, BAWN_HA_FAILED, 0);
      expect_state (f, BAWN_HA_STANDBY);
      expect_sleep (f, BAWN_HA_RETRY (TTL));
      finish (f, f->job.for_us, BAWN_HA_DONE, 0);
    }
  read_ok (f, 0);
  floor_ok (f, 1);
  take_ok (f, 0);
}

static void
test_no_epoch_left (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, G_MAXUINT64);
  expect_sleep (f, BAWN_HA_BACK_OFF_MAX_US);
  expect_state (f, BAWN_HA_STANDBY);
}

static void
test_take_counts_from_send (Fixture *f, gconstpointer data)
{
  gint64 sent = f->now;

  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  take_ok (f, 900 * MS);
  g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, sent + TTL - TTL / 10);
}

static void
test_take_fails (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  finish (f, 0, BAWN_HA_FAILED, 0);
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_false (is_valid (f));
  expect_sleep (f, BAWN_HA_RETRY (TTL));
}

static void
test_take_overtaken (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  store_lock (f, 1, TRUE, "b", NULL);
  finish (f, 0, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_cmpint (wait_for_take (f), ==, TTL);
}

/* Refused or unknown: the first copy of it got in. */
static void
test_take_is_in (Fixture *f, gconstpointer data)
{
  BawnHaOutcome outcome = GPOINTER_TO_INT (data);

  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);

  gint64 sent = f->now;

  expect (f, BAWN_HA_JOB_TAKE);
  apply (f);
  finish (f, 500 * MS, outcome, 0);
  expect_state (f, BAWN_HA_ACQUIRING);
  g_assert_false (is_valid (f));
  expect (f, BAWN_HA_JOB_READ);
  finish (f, 0, BAWN_HA_FAILED, 0);
  expect_sleep (f, BAWN_HA_RETRY (TTL));
  finish (f, f->job.for_us, BAWN_HA_DONE, 0);
  read_ok (f, 100 * MS);
  expect_state (f, BAWN_HA_PROMOTING);
  g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, sent + TTL - TTL / 10);
}

static void
test_take_never_known (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  finish (f, 0, BAWN_HA_IN_DOUBT, 0);
  while (f->node.machine.state == BAWN_HA_ACQUIRING)
    {
      bawn_ha_job_clear (&f->job);
      bawn_ha_node_next_job (&f->node, f->now, &f->job);
      if (f->job.kind == BAWN_HA_JOB_READ)
        finish (f, 300 * MS, BAWN_HA_FAILED, 0);
      else
        finish (f, f->job.for_us, BAWN_HA_DONE, 0);
    }
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_false (bawn_ha_node_is_clean (&f->node));
}

/* A take that was given up gets in late: nobody serves under it, and it need not be waited for. */
static void
test_take_lands_late (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  finish (f, 0, BAWN_HA_IN_DOUBT, 0);
  read_ok (f, 0);
  expect_state (f, BAWN_HA_STANDBY);
  store_lock (f, 1, TRUE, "a", NULL);
  read_ok (f, 0);
  floor_ok (f, 0);
  take_ok (f, 0);
  expect_record (f, 2, TRUE);
}

/* The same, but between the read that has not shown it and the next take. Others have waited since it got in, which was before
 * the second one was sent: the lease must not count from that. */
static void
test_take_lands_before_the_next (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);

  g_autoptr (GBytes) late = g_bytes_ref (f->job.value);

  finish (f, 0, BAWN_HA_IN_DOUBT, 0);
  read_ok (f, 0);
  expect_state (f, BAWN_HA_STANDBY);
  read_ok (f, 0);
  store (f, late);
  expect (f, BAWN_HA_JOB_FLOOR);
  finish (f, 500 * MS, BAWN_HA_DONE, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  finish (f, 0, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
  g_assert_false (is_valid (f));
  expect_state (f, BAWN_HA_STANDBY);

  /* It is our own, so it is taken at once, in a later epoch. */
  read_ok (f, 0);
  floor_ok (f, 0);
  take_ok (f, 0);
  g_assert_true (is_valid (f));
  expect_record (f, 3, TRUE);
}

/* ---- renewing ---- */

static void
test_renewal (Fixture *f, gconstpointer data)
{
  become_active (f);
  for (guint i = 1; i < 10; i++)
    {
      gint64 sent = 0;

      expect_sleep (f, TTL / 4);
      finish (f, f->job.for_us, BAWN_HA_DONE, 0);
      expect (f, BAWN_HA_JOB_RENEW);
      sent = f->now;
      apply (f);
      finish (f, 0, BAWN_HA_DONE, 0);
      g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, sent + TTL - TTL / 10);
      expect_record (f, 1, TRUE);
      g_assert_cmpuint (f->node.lease.renewals, ==, i);
    }
}

static void
test_slow_renewal (Fixture *f, gconstpointer data)
{
  become_active (f);
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);

  gint64 sent = f->now;

  apply (f);
  finish (f, TTL, BAWN_HA_DONE, 0);
  g_assert_false (is_valid (f));
  g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, sent + TTL - TTL / 10);

  /* It is in, and the next one is due. */
  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  g_assert_true (is_valid (f));
}

static void
test_resume (Fixture *f, gconstpointer data)
{
  become_active (f);
  f->now += TTL / 4;
  while (is_valid (f))
    {
      expect (f, BAWN_HA_JOB_RENEW);
      finish (f, 100 * MS, BAWN_HA_FAILED, 0);
      expect_sleep (f, BAWN_HA_RETRY (TTL));
      finish (f, f->job.for_us, BAWN_HA_DONE, 0);
    }
  f->now += 50 * TTL;
  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  expect_state (f, BAWN_HA_ACTIVE);
  g_assert_true (is_valid (f));
  expect_record (f, 1, TRUE);
  expect_action (f, BAWN_HA_DO_NOTHING);
}

static void
test_renewal_is_in (Fixture *f, gconstpointer data)
{
  BawnHaOutcome outcome = GPOINTER_TO_INT (data);

  become_active (f);
  f->now += TTL / 4;

  gint64 sent = f->now;

  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 500 * MS, outcome, 0);
  read_ok (f, 0);
  g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, sent + TTL - TTL / 10);
  g_assert_cmpuint (f->node.lease.renewals, ==, 1);
}

/* It was lost, or is late: it is sent again under the same condition, and counts from the first
 * time if it was the first copy that got in. */
static void
test_renewal_lands_late (Fixture *f, gconstpointer data)
{
  become_active (f);
  f->now += TTL / 4;

  gint64 first = f->now;

  expect (f, BAWN_HA_JOB_RENEW);

  guint64 condition = f->job.version;

  finish (f, 500 * MS, BAWN_HA_IN_DOUBT, 0);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_RENEW);
  g_assert_cmpuint (f->job.version, ==, condition);
  apply (f);
  finish (f, 200 * MS, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
  g_assert_cmpint (bawn_ha_node_valid_until (&f->node), ==, first + TTL - TTL / 10);
  expect_state (f, BAWN_HA_ACTIVE);
}

static void
lose_to (Fixture *f, GBytes *record)
{
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  store (f, record);
  finish (f, 0, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
}

static void
test_lost (Fixture *f, gconstpointer data)
{
  become_active (f);
  store_lock (f, 2, TRUE, "b", NULL);

  g_autoptr (GBytes) record = g_bytes_ref (f->record);

  lose_to (f, record);
  expect_state (f, BAWN_HA_WITHDRAWING);
  g_assert_false (is_valid (f));
  g_assert_cmpstr (f->node.machine.reason, ==, "b has the lease, of epoch 2");
  expect_sleep (f, G_MAXINT64);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);

  /* Nothing is released: it is b's. */
  expect (f, BAWN_HA_JOB_READ);
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_cmpuint (f->node.depositions, ==, 1);
}

static void
test_deleted (Fixture *f, gconstpointer data)
{
  become_active (f);
  lose_to (f, NULL);
  expect_state (f, BAWN_HA_WITHDRAWING);
  g_assert_false (is_valid (f));
}

static void
test_overwritten (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) record = bawn_bytes_new_string ("a session of another program");

  become_active (f);
  lose_to (f, record);
  expect_state (f, BAWN_HA_WITHDRAWING);
}

/* ---- letting go ---- */

static void
test_release (Fixture *f, gconstpointer data)
{
  become_active (f);
  assert_works (bawn_ha_node_step_down (&f->node, "c", "asked for", f->now, &error));
  expect_action (f, BAWN_HA_DO_WITHDRAW);

  /* What is in flight may be answered, and the lease is renewed meanwhile. */
  g_assert_true (is_valid (f));
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  g_assert_false (is_valid (f));
  release_ok (f);
  expect_record (f, 1, FALSE);

  g_auto (BawnHaLock) lock = { 0 };

  assert_works (bawn_ha_lock_parse (f->record, &lock, &error));
  g_assert_cmpstr (lock.successor, ==, "c");
  g_assert_cmpstr (lock.holder, ==, "a");
  expect_state (f, BAWN_HA_STANDBY);
}

/* The client is done while a renewal is on its way: what that says does not make the lease good
 * again. */
static void
test_release_behind_renewal (Fixture *f, gconstpointer data)
{
  become_active (f);
  assert_works (bawn_ha_node_step_down (&f->node, NULL, "asked for", f->now, &error));
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  g_assert_false (is_valid (f));
  release_ok (f);
  expect_record (f, 1, FALSE);
}

static void
test_release_unknown (Fixture *f, gconstpointer data)
{
  become_active (f);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  expect (f, BAWN_HA_JOB_RELEASE);
  if (GPOINTER_TO_INT (data))
    apply (f);
  finish (f, 0, BAWN_HA_IN_DOUBT, 0);
  read_ok (f, 0);
  if (!GPOINTER_TO_INT (data))
    release_ok (f);
  expect_record (f, 1, FALSE);
  expect_state (f, BAWN_HA_STOPPED);
  g_assert_true (bawn_ha_node_is_clean (&f->node));
  expect (f, BAWN_HA_JOB_END);
  expect_action (f, BAWN_HA_DO_END);
}

static void
test_release_too_late (Fixture *f, gconstpointer data)
{
  become_active (f);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  f->now += 10 * TTL;
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  expect (f, BAWN_HA_JOB_RELEASE);
  store_lock (f, 2, TRUE, "b", NULL);
  finish (f, 0, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
  expect_record (f, 2, TRUE);
  expect_state (f, BAWN_HA_STOPPED);
}

static void
test_release_fails (Fixture *f, gconstpointer data)
{
  gint64 begin = 0;

  become_active (f);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  begin = f->now;
  while (f->node.machine.state == BAWN_HA_WITHDRAWING)
    {
      bawn_ha_job_clear (&f->job);
      bawn_ha_node_next_job (&f->node, f->now, &f->job);
      if (f->job.kind == BAWN_HA_JOB_RELEASE)
        finish (f, 10 * MS, BAWN_HA_FAILED, 0);
      else if (f->job.kind == BAWN_HA_JOB_SLEEP)
        finish (f, f->job.for_us, BAWN_HA_DONE, 0);
    }
  g_assert_cmpint (f->now - begin, ==, BAWN_HA_RELEASE_FOR (TTL));
  expect_state (f, BAWN_HA_STOPPED);
  g_assert_false (bawn_ha_node_is_clean (&f->node));
}

static void
step_down (Fixture *f, const char *successor)
{
  become_active (f);
  assert_works (bawn_ha_node_step_down (&f->node, successor, "asked for", f->now, &error));
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  release_ok (f);
}

static void
test_hold_back (Fixture *f, gconstpointer data)
{
  step_down (f, data);
  read_ok (f, 0);
  g_assert_cmpint (wait_for_take (f), ==, BAWN_HA_STEP_DOWN_HOLD (TTL, data != NULL));
}

static void
test_hold_back_ends (Fixture *f, gconstpointer data)
{
  step_down (f, NULL);
  store_lock (f, 2, TRUE, "b", NULL);
  read_ok (f, 0);
  watch (f);
  store_lock (f, 2, FALSE, "b", NULL);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_FLOOR);
}

/* ---- promoting ---- */

static void
test_promotion_fails (Fixture *f, gconstpointer data)
{
  gint64 longest = 0;
  gint64 pause = 0;

  bawn_ha_node_start (&f->node, f->now);
  for (guint64 i = 1; i < 30; i++)
    {
      pause = wait_for_take (f);
      g_assert_cmpint (pause, <=, BAWN_HA_BACK_OFF_MAX_US);
      if (i > 1)
        g_assert_cmpint (pause, >=, BAWN_HA_BACK_OFF_MIN_US / 2);
      longest = MAX (longest, pause);
      finish (f, 0, BAWN_HA_DONE, 0);
      take_ok (f, 0);
      expect_record (f, i, TRUE);
      expect_action (f, BAWN_HA_DO_PROMOTE);
      act (f, BAWN_HA_DO_PROMOTE, FALSE);
      expect_action (f, BAWN_HA_DO_NOTHING);
      release_ok (f);
      expect_state (f, BAWN_HA_STANDBY);
    }
  g_assert_cmpint (longest, >=, BAWN_HA_BACK_OFF_MAX_US / 2);
  g_assert_cmpuint (f->node.promotion_failures, ==, 29);
}

static void
test_back_off_is_forgotten (Fixture *f, gconstpointer data)
{
  test_promotion_fails (f, NULL);
  wait_for_take (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  take_ok (f, 0);
  expect_action (f, BAWN_HA_DO_PROMOTE);
  act (f, BAWN_HA_DO_PROMOTE, TRUE);
  f->now += BAWN_HA_BACK_OFF_MAX_US;
  assert_works (bawn_ha_node_step_down (&f->node, NULL, "asked for", f->now, &error));
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  release_ok (f);
  read_ok (f, 0);
  wait_for_take (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  take_ok (f, 0);
  expect_action (f, BAWN_HA_DO_PROMOTE);
  act (f, BAWN_HA_DO_PROMOTE, FALSE);
  release_ok (f);
  g_assert_cmpint (wait_for_take (f), <=, BAWN_HA_BACK_OFF_MIN_US);
}

static void
test_lost_while_promoting (Fixture *f, gconstpointer data)
{
  gboolean succeeds = GPOINTER_TO_INT (data);

  become_promoting (f);
  expect_action (f, BAWN_HA_DO_PROMOTE);
  store_lock (f, 2, TRUE, "b", NULL);

  g_autoptr (GBytes) record = g_bytes_ref (f->record);

  g_assert_false (bawn_ha_node_is_cancelled (&f->node));
  lose_to (f, record);
  g_assert_true (bawn_ha_node_is_cancelled (&f->node));
  expect_state (f, BAWN_HA_WITHDRAWING);
  expect_action (f, BAWN_HA_DO_NOTHING);
  expect_sleep (f, G_MAXINT64);
  act (f, BAWN_HA_DO_PROMOTE, succeeds);
  if (succeeds)
    {
      expect_action (f, BAWN_HA_DO_WITHDRAW);
      act (f, BAWN_HA_DO_WITHDRAW, TRUE);
    }
  expect_action (f, BAWN_HA_DO_NOTHING);
  expect (f, BAWN_HA_JOB_READ);
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_false (bawn_ha_node_is_cancelled (&f->node));
}

static void
test_renewed_while_promoting (Fixture *f, gconstpointer data)
{
  become_promoting (f);
  expect_action (f, BAWN_HA_DO_PROMOTE);
  for (guint i = 0; i < 20; i++)
    {
      f->now += TTL / 4;
      expect (f, BAWN_HA_JOB_RENEW);
      apply (f);
      finish (f, 0, BAWN_HA_DONE, 0);
      g_assert_true (is_valid (f));
    }
  expect_state (f, BAWN_HA_PROMOTING);
}

static void
test_step_down_before_promotion (Fixture *f, gconstpointer data)
{
  become_promoting (f);
  assert_works (bawn_ha_node_step_down (&f->node, NULL, "asked for", f->now, &error));

  /* The client was not asked yet, and is not. */
  expect_action (f, BAWN_HA_DO_NOTHING);
  release_ok (f);
  expect_state (f, BAWN_HA_STANDBY);
  g_assert_cmpuint (f->node.promotion_failures, ==, 0);
}

/* ---- stops, and a refused fence ---- */

static void
test_stop_in_standby (Fixture *f, gconstpointer data)
{
  become_standby (f, 5);
  expect (f, BAWN_HA_JOB_WATCH);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_state (f, BAWN_HA_STOPPED);
  finish (f, 0, BAWN_HA_FAILED, 0);
  expect (f, BAWN_HA_JOB_END);
  expect_action (f, BAWN_HA_DO_END);
  bawn_ha_node_stop (&f->node, "again", f->now);
  expect_state (f, BAWN_HA_STOPPED);
}

static void
test_stop_before_take (Fixture *f, gconstpointer data)
{
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_FLOOR);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  finish (f, 0, GPOINTER_TO_INT (data), 0);
  expect (f, BAWN_HA_JOB_END);
  expect_state (f, BAWN_HA_STOPPED);
}

static void
test_stop_during_take (Fixture *f, gconstpointer data)
{
  BawnHaOutcome outcome = GPOINTER_TO_INT (data);

  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  floor_ok (f, 0);
  expect (f, BAWN_HA_JOB_TAKE);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_state (f, BAWN_HA_WITHDRAWING);
  apply (f);
  finish (f, 0, outcome, 0);
  if (outcome != BAWN_HA_DONE)
    read_ok (f, 0);
  expect_action (f, BAWN_HA_DO_NOTHING);
  release_ok (f);
  expect (f, BAWN_HA_JOB_END);
  expect_record (f, 1, FALSE);
}

static void
test_stop_while_withdrawing (Fixture *f, gconstpointer data)
{
  become_active (f);
  assert_works (bawn_ha_node_step_down (&f->node, NULL, "asked for", f->now, &error));
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_action (f, BAWN_HA_DO_NOTHING);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  release_ok (f);
  expect (f, BAWN_HA_JOB_END);

  /* What held it back is forgotten with the stop. */
  bawn_ha_node_start (&f->node, f->now);
  read_ok (f, 0);
  expect (f, BAWN_HA_JOB_FLOOR);
}

static void
test_deposed (Fixture *f, gconstpointer data)
{
  become_active (f);
  bawn_ha_node_deposed (&f->node, 2, f->now);
  expect_state (f, BAWN_HA_ACTIVE);
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  bawn_ha_node_deposed (&f->node, 1, f->now);
  bawn_ha_node_deposed (&f->node, 1, f->now);
  g_assert_false (is_valid (f));
  expect_state (f, BAWN_HA_WITHDRAWING);
  g_assert_cmpuint (f->node.depositions, ==, 1);

  /* A renewal that succeeds does not make that good, and there is no other one. */
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  g_assert_false (is_valid (f));
  f->now += TTL;
  expect_sleep (f, G_MAXINT64);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  release_ok (f);
  expect_record (f, 1, FALSE);
}

static void
test_deposed_by_new_holder (Fixture *f, gconstpointer data)
{
  become_active (f);
  bawn_ha_node_deposed (&f->node, 1, f->now);
  expect_action (f, BAWN_HA_DO_WITHDRAW);
  act (f, BAWN_HA_DO_WITHDRAW, TRUE);
  expect (f, BAWN_HA_JOB_RELEASE);
  store_lock (f, 2, TRUE, "b", NULL);
  finish (f, 0, BAWN_HA_REFUSED, 0);
  read_ok (f, 0);
  expect_state (f, BAWN_HA_STANDBY);
  expect_record (f, 2, TRUE);
  g_assert_cmpuint (f->node.depositions, ==, 1);
}

/* Somebody uses our data under a lock of his own: we do not fight him at full speed. */
static void
test_deposed_again_and_again (Fixture *f, gconstpointer data)
{
  gint64 longest = 0;

  bawn_ha_node_start (&f->node, f->now);
  for (guint64 i = 0; i < 20; i++)
    {
      gint64 pause = wait_for_take (f);

      longest = MAX (longest, pause);
      finish (f, 0, BAWN_HA_DONE, 2 * i);
      take_ok (f, 0);
      expect_action (f, BAWN_HA_DO_PROMOTE);
      act (f, BAWN_HA_DO_PROMOTE, TRUE);
      bawn_ha_node_deposed (&f->node, f->node.lease.epoch, f->now);
      expect_action (f, BAWN_HA_DO_WITHDRAW);
      act (f, BAWN_HA_DO_WITHDRAW, TRUE);
      release_ok (f);
    }
  g_assert_cmpint (longest, >=, BAWN_HA_BACK_OFF_MAX_US / 2);
}

/* ---- what is shown ---- */

static void
test_info (Fixture *f, gconstpointer data)
{
  g_auto (BawnElectorInfo) standby = { 0 };
  g_auto (BawnElectorInfo) active = { 0 };
  g_auto (BawnElectorInfo) after = { 0 };

  become_standby (f, 5);
  bawn_ha_node_get_info (&f->node, f->now, &standby);
  g_assert_cmpuint (standby.epoch, ==, 0);
  g_assert_cmpuint (standby.lock_epoch, ==, 5);
  g_assert_true (standby.lock_held);
  g_assert_cmpstr (standby.lock_holder, ==, "b");
  g_assert_cmpint (standby.lease_left_us, ==, 0);

  guint64 facts = bawn_ha_node_facts (&f->node);

  wait_for_take (f);
  g_assert_cmpuint (bawn_ha_node_facts (&f->node), !=, facts);
  finish (f, 0, BAWN_HA_DONE, 0);
  take_ok (f, 0);
  bawn_ha_node_get_info (&f->node, f->now, &active);
  g_assert_cmpuint (active.epoch, ==, 6);
  g_assert_cmpuint (active.lock_epoch, ==, 6);
  g_assert_cmpstr (active.lock_holder, ==, "a");
  g_assert_cmpstr (active.lock_name, ==, NAME);
  g_assert_cmpint (active.lease_left_us, ==, TTL - TTL / 10);
  g_assert_cmpstr (active.last_reason, ==, "this node has the lease, of epoch 6");

  bawn_ha_node_stop (&f->node, "sealed", f->now);
  expect_action (f, BAWN_HA_DO_NOTHING);
  release_ok (f);
  bawn_ha_node_get_info (&f->node, f->now, &after);
  g_assert_cmpint (after.state, ==, BAWN_HA_STOPPED);
  g_assert_cmpuint (after.epoch, ==, 0);
  g_assert_cmpuint (after.lock_epoch, ==, 6);
  g_assert_false (after.lock_held);
  g_assert_null (after.lock_holder);
}

/* What others care about changes its number, and renewals do not. */
static void
test_facts (Fixture *f, gconstpointer data)
{
  become_active (f);

  guint64 facts = bawn_ha_node_facts (&f->node);

  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  g_assert_cmpuint (bawn_ha_node_facts (&f->node), ==, facts);
  f->now += TTL / 4;
  expect (f, BAWN_HA_JOB_RENEW);
  finish (f, 0, BAWN_HA_FAILED, 0);
  g_assert_cmpuint (bawn_ha_node_facts (&f->node), !=, facts);
}

/* After a pause nothing had failed, and still everybody must hear that the lease is good again: what
 * was asked meanwhile waits for that. */
static void
test_facts_after_a_pause (Fixture *f, gconstpointer data)
{
  become_active (f);

  guint64 facts = bawn_ha_node_facts (&f->node);

  f->now += 2 * TTL;
  g_assert_false (is_valid (f));
  expect (f, BAWN_HA_JOB_RENEW);
  apply (f);
  finish (f, 0, BAWN_HA_DONE, 0);
  g_assert_true (is_valid (f));
  expect_state (f, BAWN_HA_ACTIVE);
  g_assert_cmpuint (bawn_ha_node_facts (&f->node), !=, facts);
}

#define ADD(path, data, func) g_test_add ("/ha/node/" path, Fixture, data, set_up, func, tear_down)

static void
add_watching (void)
{
  ADD ("silence-counts-from-the-end-of-the-first-read", NULL, test_silence);
  ADD ("a-renewal-that-is-seen-begins-silence-anew", NULL, test_renewal_seen);
  ADD ("another-record-of-the-same-version-begins-it-anew", NULL, test_same_version);
  ADD ("a-slow-read-begins-it-anew", NULL, test_slow_read);
  ADD ("a-read-that-is-quick-enough-does-not", NULL, test_quick_enough_read);
  ADD ("a-failed-read-begins-it-anew", NULL, test_failed_read);
  ADD ("a-failed-watch-does-not", NULL, test_failed_watch);
  ADD ("having-looked-away-begins-it-anew", NULL, test_looked_away);
  ADD ("a-watch-that-ends-at-once-is-no-loop", NULL, test_hasty_watch);
  ADD ("it-lasts-as-long-as-the-record-says", NULL, test_own_ttl);
  ADD ("a-lease-that-never-was-is-taken-at-once", NULL, test_absent);
  ADD ("a-record-that-vanishes-is-waited-for", NULL, test_vanished);
  ADD ("a-record-that-cannot-be-read-is-left-alone", NULL, test_garbage);
  ADD ("a-released-lease-is-taken-at-once", NULL, test_released);
  ADD ("the-named-successor-takes-it-at-once", NULL, test_named);
  ADD ("the-others-leave-it-to-him-for-a-while", NULL, test_not_named);
}

static void
add_taking (void)
{
  ADD ("an-unknown-epoch-of-the-data-is-asked-for-again", NULL, test_floor_fails);
  ADD ("without-an-epoch-nothing-is-taken", NULL, test_no_epoch_left);
  ADD ("a-take-counts-from-when-it-was-sent", NULL, test_take_counts_from_send);
  ADD ("a-failed-take-is-repeated-later", NULL, test_take_fails);
  ADD ("a-quicker-node-has-it", NULL, test_take_overtaken);
  ADD ("an-unknown-take-that-is-in-counts", GINT_TO_POINTER (BAWN_HA_IN_DOUBT), test_take_is_in);
  ADD ("a-refused-take-that-is-in-counts", GINT_TO_POINTER (BAWN_HA_REFUSED), test_take_is_in);
  ADD ("a-take-that-stays-unknown-is-given-up", NULL, test_take_never_known);
  ADD ("a-take-that-lands-late-is-no-hindrance", NULL, test_take_lands_late);
  ADD ("a-take-that-lands-late-is-not-the-next-one", NULL, test_take_lands_before_the_next);
}

static void
add_renewing (void)
{
  ADD ("renewals-come-four-in-a-lease", NULL, test_renewal);
  ADD ("a-slow-renewal-counts-from-when-it-was-sent", NULL, test_slow_renewal);
  ADD ("an-expired-lease-that-nobody-took-goes-on", NULL, test_resume);
  ADD ("an-unknown-renewal-that-is-in-counts", GINT_TO_POINTER (BAWN_HA_IN_DOUBT),
       test_renewal_is_in);
  ADD ("a-refused-renewal-that-is-in-counts", GINT_TO_POINTER (BAWN_HA_REFUSED),
       test_renewal_is_in);
  ADD ("a-renewal-that-lands-late-counts-from-the-first-time", NULL, test_renewal_lands_late);
  ADD ("a-lease-that-is-another-s-is-withdrawn-from", NULL, test_lost);
  ADD ("a-deleted-lease-is-lost", NULL, test_deleted);
  ADD ("an-overwritten-lease-is-lost", NULL, test_overwritten);
}

static void
add_releasing (void)
{
  ADD ("the-client-withdraws-before-the-release", NULL, test_release);
  ADD ("a-renewal-under-way-does-not-outlive-the-release", NULL, test_release_behind_renewal);
  ADD ("an-unknown-release-that-is-in-counts", GINT_TO_POINTER (TRUE), test_release_unknown);
  ADD ("an-unknown-release-that-is-not-is-repeated", GINT_TO_POINTER (FALSE), test_release_unknown);
  ADD ("a-release-that-comes-too-late-changes-nothing", NULL, test_release_too_late);
  ADD ("a-release-that-fails-ends-with-the-lease", NULL, test_release_fails);
  ADD ("who-steps-down-holds-back", NULL, test_hold_back);
  ADD ("who-steps-down-for-another-holds-back-longer", "c", test_hold_back);
  ADD ("holding-back-ends-when-another-had-it", NULL, test_hold_back_ends);
}

static void
add_promoting (void)
{
  ADD ("a-failed-promotion-is-repeated-ever-later", NULL, test_promotion_fails);
  ADD ("that-is-forgotten-after-a-good-term", NULL, test_back_off_is_forgotten);
  ADD ("a-lease-lost-while-promoting-is-withdrawn-from", GINT_TO_POINTER (TRUE),
       test_lost_while_promoting);
  ADD ("a-lease-lost-while-promoting-cancels-it", GINT_TO_POINTER (FALSE),
       test_lost_while_promoting);
  ADD ("a-long-promotion-keeps-its-lease", NULL, test_renewed_while_promoting);
  ADD ("a-step-down-comes-before-the-promotion", NULL, test_step_down_before_promotion);
}

static void
add_ends (void)
{
  ADD ("a-stop-ends-watching", NULL, test_stop_in_standby);
  ADD ("a-stop-comes-before-the-take", GINT_TO_POINTER (BAWN_HA_DONE), test_stop_before_take);
  ADD ("a-stop-comes-before-a-take-that-could-not-be", GINT_TO_POINTER (BAWN_HA_FAILED),
       test_stop_before_take);
  ADD ("a-take-under-way-is-released-by-a-stop", GINT_TO_POINTER (BAWN_HA_DONE),
       test_stop_during_take);
  ADD ("an-unknown-take-is-released-by-a-stop", GINT_TO_POINTER (BAWN_HA_IN_DOUBT),
       test_stop_during_take);
  ADD ("a-stop-turns-a-step-down-into-an-end", NULL, test_stop_while_withdrawing);
  ADD ("a-refused-fence-ends-trust-and-renewals", NULL, test_deposed);
  ADD ("a-refused-fence-releases-nothing-of-another-s", NULL, test_deposed_by_new_holder);
  ADD ("refused-fences-are-no-race", NULL, test_deposed_again_and_again);
  ADD ("it-shows-what-it-is-and-sees", NULL, test_info);
  ADD ("changes-are-noticed-and-renewals-are-none", NULL, test_facts);
  ADD ("a-lease-that-is-good-again-is-noticed", NULL, test_facts_after_a_pause);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_log_set_level (BAWN_LOG_ERROR);

  add_watching ();
  add_taking ();
  add_renewing ();
  add_releasing ();
  add_promoting ();
  add_ends ();
  return g_test_run ();
}
