/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-client.h"
#include "backend/bawn-zk-tree.h"
#include "tests/contract/bawn-expect.h"
#include "tests/unit/backend/bawn-zk-fake.h"

#include <string.h>

/* A session that no test outlives, where pings do not matter. */
#define LONG_MS 120000
/* One whose pings come within a second, and one that is given up as soon. */
#define PINGS_MS 3000
#define SHORT_MS 300
#define ANCHOR "/bawn/clock"
#define N_CALLERS 12
#define FOREVER_US (60 * G_USEC_PER_SEC)

typedef struct
{
  BawnZkFake *fake;
  BawnConfig *config;
  BawnZkOptions *options;
  BawnZkClient *client;
} Fixture;

/* A client of @addresses (nullable: the fake's). */
static void
begin_at (Fixture *f, gint32 timeout_ms, const char *addresses, const char *more)
{
  g_autoptr (GError) error = NULL;

  if (f->fake == NULL)
    f->fake = bawn_zk_fake_new (timeout_ms);

  g_autofree char *text = g_strdup_printf (
      "[storage]\naddress=%s\n%s%s",
      addresses != NULL ? addresses : bawn_zk_fake_get_address (f->fake),
      strstr (more, "request-timeout") == NULL ? "request-timeout=60s\n" : "", more);

  f->config = bawn_config_load_data ("test", text, strlen (text), &error);
  g_assert_no_error (error);

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (f->config, "storage");

  f->options = bawn_zk_options_read (group);
  g_assert_true (bawn_config_check (f->config, &error));
  f->client = bawn_zk_client_new (f->options);
  bawn_zk_client_set_anchor (f->client, ANCHOR);
}

static void
begin (Fixture *f, gint32 timeout_ms, const char *more)
{
  begin_at (f, timeout_ms, NULL, more);
}

static void
end (Fixture *f)
{
  bawn_zk_client_free (f->client);
  g_clear_pointer (&f->fake, bawn_zk_fake_free);
  bawn_zk_options_free (f->options);
  bawn_config_unref (f->config);
}

#define wait_for(condition)                                                                        \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 until_ = g_get_monotonic_time () + FOREVER_US;                                          \
    while (!(condition))                                                                           \
      {                                                                                            \
        g_assert_cmpint (g_get_monotonic_time (), <, until_);                                      \
        g_usleep (500);                                                                            \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

#define count(f, what) (bawn_zk_fake_get_counts ((f)->fake).what)

static BawnZkCall *
call_get (BawnZkCallFlags flags)
{
  BawnZkCall *call = bawn_zk_call_new (flags);

  bawn_zk_call_add (call, BAWN_ZK_GET_DATA, "/bawn/tree/_a");
  return call;
}

static BawnZkCall *
call_set (void)
{
  BawnZkCall *call = bawn_zk_call_new (0);
  g_autoptr (GBytes) value = bawn_bytes_new_string ("w");
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_MULTI);

  bawn_zk_multi_set (buffer, "/bawn/tree/_a", value, -1);
  bawn_zk_multi_end (buffer);
  bawn_zk_call_end (call);
  return call;
}

static void
expect_get (Fixture *f)
{
  g_autoptr (BawnZkCall) call = call_get (BAWN_ZK_CALL_REPEATABLE);
  g_autoptr (GBytes) value = NULL;
  BawnZkStat stat = { 0 };
  GBytes *body = NULL;

  assert_works (bawn_zk_client_run (f->client, call, NULL, &error));
  g_assert_cmpint (bawn_zk_call_get (call, 0, &body), ==, BAWN_ZK_OK);
  assert_works (bawn_zk_parse_data (body, &value, &stat, &error));
  g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), "v", 1);
}

static void
test_call (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), ==, 1);
  g_assert_cmpint (count (&f, session), ==, 0);
  bawn_zk_client_free (f.client);
  wait_for (count (&f, farewells) == 1);
  f.client = bawn_zk_client_new (f.options);
  end (&f);
}

static void
test_lost_read (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HANGING_UP_ONCE);
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), ==, 2);
  g_assert_cmpuint (count (&f, requests), ==, 3);
  end (&f);
}

static void
test_lost_write (void)
{
  Fixture f = { 0 };
  g_autoptr (BawnZkCall) call = call_set ();

  begin (&f, LONG_MS, "");
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HANGING_UP_ONCE);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  expect_get (&f);
  g_assert_cmpuint (count (&f, multis), ==, 1);
  end (&f);
}

/* A request that makes every server hang up does not go on for ever. */
static void
test_poison (void)
{
  Fixture f = { 0 };
  g_autoptr (BawnZkCall) call = call_get (BAWN_ZK_CALL_REPEATABLE);

  begin (&f, LONG_MS, "");
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HANGING_UP);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UPSTREAM);
  g_assert_cmpuint (count (&f, requests), <, 20);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_KIND);
  expect_get (&f);
  end (&f);
}

static void
test_session (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  expect_get (&f);
  bawn_zk_fake_hang_up (f.fake);
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), ==, 2);
  g_assert_cmpint (count (&f, session), !=, 0);
  g_assert_true (count (&f, is_password_ours));
  g_assert_cmpint (count (&f, last_zxid), ==, 99);
  end (&f);
}

static void
test_expiry (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_FORGETFUL);
  bawn_zk_fake_hang_up (f.fake);
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), ==, 3);
  g_assert_cmpint (count (&f, session), ==, 0);
  g_assert_false (count (&f, is_password_ours));

  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_EXPIRING_ONCE);
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), ==, 4);
  g_assert_cmpint (count (&f, session), ==, 0);

  g_autoptr (BawnZkCall) call = call_set ();

  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_EXPIRING_ONCE);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  expect_get (&f);
  end (&f);
}

static void
test_auth (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "auth-info=digest:bawn:secret\n");
  expect_get (&f);
  bawn_zk_fake_hang_up (f.fake);
  expect_get (&f);
  g_assert_cmpuint (count (&f, auths), ==, 2);
  g_assert_true (count (&f, auth_first));
  end (&f);
}

static void
test_auth_refused (void)
{
  Fixture f = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnZkCall) call = call_get (BAWN_ZK_CALL_REPEATABLE);

  f.fake = bawn_zk_fake_new (LONG_MS);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_DISTRUSTFUL);
  begin (&f, LONG_MS, "auth-info=digest:bawn:secret\nrequest-timeout=500ms\n");
  g_assert_false (bawn_zk_client_run (f.client, call, NULL, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (error->message, "auth-info"));
  g_assert_cmpuint (count (&f, requests), ==, 0);
  g_assert_null (strstr (error->message, "secret"));
  end (&f);
}

static void
test_pings (void)
{
  Fixture f = { 0 };

  begin (&f, PINGS_MS, "");
  expect_get (&f);
  wait_for (count (&f, pings) >= 2);
  g_assert_cmpuint (count (&f, greetings), ==, 1);
  end (&f);
}

static void
test_silence (void)
{
  Fixture f = { 0 };
  g_autoptr (BawnZkCall) call = call_set ();

  begin (&f, SHORT_MS, "");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_SILENT);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_KIND);
  expect_get (&f);
  g_assert_cmpuint (count (&f, greetings), >=, 2);
  end (&f);
}

/* Whatever the first server does instead of opening a session, the second one is asked. */
static void
test_odd_servers (void)
{
  static const BawnZkFakeMood moods[] = { BAWN_ZK_FAKE_REFUSING, BAWN_ZK_FAKE_MUTE,
                                          BAWN_ZK_FAKE_BABBLING, BAWN_ZK_FAKE_HUGE,
                                          BAWN_ZK_FAKE_HANGING_UP };

  for (guint i = 0; i < G_N_ELEMENTS (moods); i++)
    {
      g_autoptr (BawnZkFake) odd = bawn_zk_fake_new (LONG_MS);
      Fixture f = { .fake = bawn_zk_fake_new (LONG_MS) };
      g_autofree char *addresses = g_strdup_printf (
          "127.0.0.1:1,%s,%s", bawn_zk_fake_get_address (odd), bawn_zk_fake_get_address (f.fake));

      bawn_zk_fake_set_mood (odd, moods[i]);
      begin_at (&f, LONG_MS, addresses, "connect-timeout=100ms\nsession-timeout=1s\n");
      expect_get (&f);
      /* It may have begun with the good one. */
      bawn_zk_fake_hang_up (f.fake);
      expect_get (&f);
      bawn_zk_fake_hang_up (f.fake);
      expect_get (&f);
      g_assert_cmpuint (bawn_zk_fake_get_counts (odd).greetings, >=, 1);
      end (&f);
    }
}

static void
test_odd_replies (void)
{
  static const BawnZkFakeMood moods[] = { BAWN_ZK_FAKE_CONFUSED, BAWN_ZK_FAKE_BOASTING_ONCE };
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  for (guint i = 0; i < G_N_ELEMENTS (moods); i++)
    {
      g_autoptr (BawnZkCall) call = call_set ();

      expect_get (&f);
      bawn_zk_fake_set_mood (f.fake, moods[i]);
      expect_get (&f);
      bawn_zk_fake_set_mood (f.fake, moods[i]);
      assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UNKNOWN_OUTCOME);
    }
  /* News of what nobody waits for. */
  bawn_zk_fake_fire (f.fake, "/somewhere");
  expect_get (&f);
  end (&f);
}

static void
test_nobody_there (void)
{
  Fixture f = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnZkCall) call = call_set ();

  begin_at (&f, LONG_MS, "127.0.0.1:1", "request-timeout=50ms\n");
  g_assert_false (bawn_zk_client_run (f.client, call, NULL, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_UPSTREAM);
  g_assert_nonnull (strstr (error->message, "127.0.0.1:1"));
  end (&f);
}

static void
test_too_large (void)
{
  Fixture f = { 0 };
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (0);
  g_autofree char *text = g_strnfill (0xfffff, 'x');
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_MULTI);

  begin (&f, LONG_MS, "");
  bawn_zk_multi_set (buffer, "/a", value, -1);
  bawn_zk_multi_end (buffer);
  bawn_zk_call_end (call);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_TOO_LARGE);
  expect_get (&f);
  g_assert_cmpuint (count (&f, multis), ==, 0);
  end (&f);
}

typedef struct
{
  Fixture *f;
  BawnZkCall *call;
  GCancellable *cancellable;
  GError *error;
  gboolean ok;
  gint ended;
} Caller;

static gpointer
run_caller (gpointer data)
{
  Caller *caller = data;

  caller->ok =
      bawn_zk_client_run (caller->f->client, caller->call, caller->cancellable, &caller->error);
  g_atomic_int_set (&caller->ended, 1);
  return NULL;
}

static void
caller_clear (Caller *caller)
{
  bawn_zk_call_unref (caller->call);
  g_clear_object (&caller->cancellable);
  g_clear_error (&caller->error);
}

static void
test_max_parallel (void)
{
  Fixture f = { 0 };
  Caller callers[N_CALLERS] = { 0 };
  GThread *threads[N_CALLERS];

  begin (&f, LONG_MS, "max-parallel=3\n");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HOLDING);
  for (guint i = 0; i < N_CALLERS; i++)
    {
      callers[i] = (Caller){ .f = &f, .call = call_get (BAWN_ZK_CALL_REPEATABLE) };
      threads[i] = g_thread_new ("caller", run_caller, &callers[i]);
    }
  wait_for (count (&f, held) == 3);

  /* Those that only wait come through. */
  Caller urgent = { .f = &f, .call = call_get (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_URGENT) };
  GThread *urgent_thread = g_thread_new ("urgent", run_caller, &urgent);

  wait_for (count (&f, held) == 4);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_KIND);
  for (guint i = 0; i < N_CALLERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (callers[i].error);
      caller_clear (&callers[i]);
    }
  g_thread_join (urgent_thread);
  g_assert_true (urgent.ok);
  g_assert_cmpuint (count (&f, most_held), ==, 4);
  caller_clear (&urgent);
  end (&f);
}

/* All who come while two barriers are on their way share the third. */
static void
test_barriers (void)
{
  Fixture f = { 0 };
  Caller callers[N_CALLERS] = { 0 };
  GThread *threads[N_CALLERS];
  const BawnZkCallFlags flags = BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_FRESH;

  begin (&f, LONG_MS, "");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HOLDING);
  for (guint i = 0; i < N_CALLERS; i++)
    {
      callers[i] = (Caller){ .f = &f, .call = call_get (flags) };
      threads[i] = g_thread_new ("caller", run_caller, &callers[i]);
      if (i < 2)
        wait_for (count (&f, multis) == i + 1);
    }
  /* A barrier and a read of each of the first two, and nothing else. */
  wait_for (count (&f, held) == 4);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_KIND);
  for (guint i = 0; i < N_CALLERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_no_error (callers[i].error);
      caller_clear (&callers[i]);
    }
  g_assert_cmpuint (count (&f, multis), <, N_CALLERS);
  end (&f);
}

static void
test_garbled_barrier (void)
{
  Fixture f = { 0 };
  g_autoptr (BawnZkCall) call = call_get (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_FRESH);

  begin (&f, LONG_MS, "");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_GARBLING_ONCE);
  assert_fails (bawn_zk_client_run (f.client, call, NULL, &error), BAWN_ERROR_UPSTREAM);
  end (&f);
}

static void
test_cancel (void)
{
  Fixture f = { 0 };
  Caller sent = { .f = &f, .call = call_set (), .cancellable = g_cancellable_new () };
  Caller read = { .f = &f,
                  .call = call_get (BAWN_ZK_CALL_REPEATABLE),
                  .cancellable = g_cancellable_new () };
  Caller unsent = { .f = &f, .call = call_set (), .cancellable = g_cancellable_new () };

  begin (&f, LONG_MS, "max-parallel=2\n");
  expect_get (&f);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_HOLDING);

  GThread *sent_thread = g_thread_new ("sent", run_caller, &sent);
  GThread *read_thread = g_thread_new ("read", run_caller, &read);

  wait_for (count (&f, held) == 2);

  GThread *unsent_thread = g_thread_new ("unsent", run_caller, &unsent);

  g_cancellable_cancel (unsent.cancellable);
  g_cancellable_cancel (sent.cancellable);
  g_cancellable_cancel (read.cancellable);
  g_thread_join (sent_thread);
  g_thread_join (read_thread);
  g_thread_join (unsent_thread);
  g_assert_error (sent.error, BAWN_ERROR, BAWN_ERROR_UNKNOWN_OUTCOME);
  g_assert_error (read.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_assert_error (unsent.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_assert_cmpuint (count (&f, multis), ==, 1);

  /* What nobody waits for any more is answered all the same, and does not disturb. */
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_KIND);
  expect_get (&f);
  caller_clear (&sent);
  caller_clear (&read);
  caller_clear (&unsent);
  end (&f);
}

typedef struct
{
  Fixture *f;
  gint64 mzxid;
  GCancellable *cancellable;
  GError *error;
  gboolean ok;
  gint ended;
} Waiter;

static gpointer
run_waiter (gpointer data)
{
  Waiter *waiter = data;

  waiter->ok = bawn_zk_client_wait (waiter->f->client, "/bawn/tree/_a", waiter->mzxid, FOREVER_US,
                                    waiter->cancellable, &waiter->error);
  g_atomic_int_set (&waiter->ended, 1);
  return NULL;
}

static void
test_watch (void)
{
  Fixture f = { 0 };
  Waiter waiters[N_CALLERS] = { 0 };
  GThread *threads[N_CALLERS];

  begin (&f, LONG_MS, "");
  /* Known to be newer: nothing to wait for. */
  assert_works (bawn_zk_client_wait (f.client, "/bawn/tree/_a", 6, FOREVER_US, NULL, &error));
  assert_works (bawn_zk_client_wait (f.client, "/bawn/tree/_a", 0, FOREVER_US, NULL, &error));
  for (guint i = 0; i < N_CALLERS; i++)
    {
      waiters[i] = (Waiter){ .f = &f, .mzxid = 7 };
      threads[i] = g_thread_new ("waiter", run_waiter, &waiters[i]);
    }
  /* The watch of the first one does for all; a lost connection arms it anew. */
  bawn_zk_fake_hang_up (f.fake);
  wait_for (count (&f, watches) == 2);
  expect_get (&f);
  for (guint i = 0; i < N_CALLERS; i++)
    g_assert_false (g_atomic_int_get (&waiters[i].ended));
  g_assert_cmpuint (count (&f, watches), ==, 2);
  bawn_zk_fake_fire (f.fake, "/bawn/tree/_b");
  expect_get (&f);
  g_assert_false (g_atomic_int_get (&waiters[0].ended));
  bawn_zk_fake_fire (f.fake, "/bawn/tree/_a");
  for (guint i = 0; i < N_CALLERS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (waiters[i].ok);
    }
  end (&f);
}

static void
test_watch_behind (void)
{
  Fixture f = { 0 };

  begin (&f, LONG_MS, "");
  /* The server is behind what was read elsewhere: its news is still to come. */
  Waiter waiter = { .f = &f, .mzxid = 8 };
  GThread *thread = g_thread_new ("waiter", run_waiter, &waiter);

  wait_for (count (&f, watches) == 1);
  expect_get (&f);
  g_assert_false (g_atomic_int_get (&waiter.ended));
  bawn_zk_fake_fire (f.fake, "/bawn/tree/_a");
  g_thread_join (thread);
  g_assert_true (waiter.ok);
  end (&f);
}

static void
test_watch_ends (void)
{
  Fixture f = { 0 };
  Waiter waiter = { .f = &f, .mzxid = 7, .cancellable = g_cancellable_new () };

  begin (&f, LONG_MS, "");

  GThread *thread = g_thread_new ("waiter", run_waiter, &waiter);

  wait_for (count (&f, watches) == 1);
  /* With its answer the one to the watch has come, too. */
  expect_get (&f);
  g_cancellable_cancel (waiter.cancellable);
  g_thread_join (thread);
  g_assert_error (waiter.error, BAWN_ERROR, BAWN_ERROR_TIMEOUT);
  g_error_free (waiter.error);
  g_object_unref (waiter.cancellable);
  assert_works (bawn_zk_client_wait (f.client, "/bawn/tree/_a", 7, 1000, NULL, &error));
  /* The watch that was armed has done for all three. */
  g_assert_cmpuint (count (&f, watches), ==, 1);
  bawn_zk_fake_set_mood (f.fake, BAWN_ZK_FAKE_GARBLING_ONCE);
  assert_fails (bawn_zk_client_wait (f.client, "/bawn/tree/_c", 7, FOREVER_US, NULL, &error),
                BAWN_ERROR_UPSTREAM);
  end (&f);
}

static void
test_watch_nobody (void)
{
  Fixture f = { 0 };

  begin_at (&f, LONG_MS, "127.0.0.1:1", "request-timeout=50ms\n");
  assert_fails (bawn_zk_client_wait (f.client, "/bawn/tree/_a", 7, FOREVER_US, NULL, &error),
                BAWN_ERROR_UPSTREAM);
  end (&f);
}

static void
commit_once (Fixture *f, BawnZkTree *tree)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("w");
  const BawnWrite write = { BAWN_WRITE_PUT, "a", value };
  guint64 version = 0;

  assert_works (bawn_zk_tree_commit (tree, &write, 1, NULL, 0, &version, NULL, &error));
  g_assert_cmpuint (version, ==, 7);
}

/* The version that would mean "any" is never compared with. */
static void
test_clock_goes_round (void)
{
  Fixture f = { 0 };
  g_autoptr (GError) error = NULL;

  begin (&f, LONG_MS, "");
  bawn_zk_fake_set_node (f.fake, "bawn storage, layout 1\n", G_MAXINT32);

  g_autoptr (BawnZkTree) tree = bawn_zk_tree_open (f.options, NULL, &error);

  g_assert_no_error (error);
  commit_once (&f, tree);
  g_assert_cmpuint (count (&f, n_parts), ==, 2);
  g_assert_cmpint (count (&f, versions[0]), ==, G_MAXINT32);
  bawn_zk_fake_set_node (f.fake, "bawn storage, layout 1\n", -2);
  commit_once (&f, tree);
  g_assert_cmpuint (count (&f, n_parts), ==, 2);
  commit_once (&f, tree);
  g_assert_cmpuint (count (&f, n_parts), ==, 3);
  g_assert_cmpint (count (&f, versions[0]), ==, -2);
  g_assert_cmpint (count (&f, versions[1]), ==, -1);
  g_clear_pointer (&tree, bawn_zk_tree_free);
  end (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/zk-client/a-call-is-answered", test_call);
  g_test_add_func ("/zk-client/a-read-whose-answer-is-lost-is-repeated", test_lost_read);
  g_test_add_func ("/zk-client/a-write-whose-answer-is-lost-is-not-repeated", test_lost_write);
  g_test_add_func ("/zk-client/a-read-that-breaks-connections-is-given-up", test_poison);
  g_test_add_func ("/zk-client/a-session-outlives-its-connection", test_session);
  g_test_add_func ("/zk-client/an-expired-session-is-followed-by-a-new-one", test_expiry);
  g_test_add_func ("/zk-client/each-connection-authenticates-first", test_auth);
  g_test_add_func ("/zk-client/a-refused-authentication-is-named", test_auth_refused);
  g_test_add_func ("/zk-client/pings-keep-a-session-alive", test_pings);
  g_test_add_func ("/zk-client/a-silent-server-is-left", test_silence);
  g_test_add_func ("/zk-client/an-odd-server-is-left-for-the-next", test_odd_servers);
  g_test_add_func ("/zk-client/an-odd-reply-ends-the-connection", test_odd_replies);
  g_test_add_func ("/zk-client/what-nobody-takes-is-not-done", test_nobody_there);
  g_test_add_func ("/zk-client/what-no-server-would-take-is-not-sent", test_too_large);
  g_test_add_func ("/zk-client/so-many-calls-are-on-their-way-at-a-time", test_max_parallel);
  g_test_add_func ("/zk-client/fresh-reads-share-barriers", test_barriers);
  g_test_add_func ("/zk-client/a-barrier-that-failed-fails-its-reads", test_garbled_barrier);
  g_test_add_func ("/zk-client/a-cancelled-call-ends-at-once", test_cancel);
  g_test_add_func ("/zk-client/one-watch-does-for-all-who-wait", test_watch);
  g_test_add_func ("/zk-client/a-server-that-is-behind-tells-nothing-new", test_watch_behind);
  g_test_add_func ("/zk-client/a-wait-ends", test_watch_ends);
  g_test_add_func ("/zk-client/a-wait-without-a-server-fails", test_watch_nobody);
  g_test_add_func ("/zk-tree/the-clock-passes-over-what-means-any", test_clock_goes_round);
  return g_test_run ();
}
