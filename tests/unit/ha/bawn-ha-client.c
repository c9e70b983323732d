/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/ha/bawn-ha-client.h"

static gboolean
test_floor (gpointer data, guint64 *out_epoch, GCancellable *cancellable, GError **error)
{
  BawnTestClient *client = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  if (client->fail_floor > 0)
    {
      client->fail_floor--;
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "a failure that was asked for");
    }

  *out_epoch = client->floor;
  return TRUE;
}

static void
on_cancelled (GCancellable *cancellable, BawnTestClient *client)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  client->was_cancelled = TRUE;
  g_cond_broadcast (&client->changed);
}

static gboolean
finish_promotion (BawnTestClient *client, guint64 epoch, GCancellable *cancellable)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  while (client->hold_promote
         && (client->ignore_cancel || !g_cancellable_is_cancelled (cancellable)))
    g_cond_wait (&client->changed, &client->lock);

  client->promoting = FALSE;
  if (client->fail_promote > 0)
    client->fail_promote--;
  else if (client->ignore_cancel || !g_cancellable_is_cancelled (cancellable))
    {
      client->serving = TRUE;
      client->promotions++;
      client->floor = MAX (client->floor, epoch);
    }
  g_cond_broadcast (&client->changed);
  return client->serving;
}

static gboolean
test_promote (gpointer data, guint64 epoch, GCancellable *cancellable, GError **error)
{
  BawnTestClient *client = data;

  g_mutex_lock (&client->lock);
  g_assert_false (client->promoting || client->serving || client->withdrawing);
  g_assert_cmpuint (epoch, >, client->epoch);
  g_assert_cmpuint (epoch, >, client->floor);
  client->epoch = epoch;
  client->was_cancelled = FALSE;
  client->promoting = TRUE;
  g_cond_broadcast (&client->changed);
  g_mutex_unlock (&client->lock);

  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), client, NULL);
  gboolean ok = finish_promotion (client, epoch, cancellable);

  g_cancellable_disconnect (cancellable, handler);
  return ok || bawn_fail (error, BAWN_ERROR_UPSTREAM, "a failure that was asked for");
}

static void
test_withdraw (gpointer data, const char *reason)
{
  BawnTestClient *client = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  g_assert_true (client->serving);
  g_assert_false (client->withdrawing);
  g_assert_nonnull (reason);
  g_free (client->reason);
  client->reason = g_strdup (reason);
  client->withdrawing = TRUE;
  g_cond_broadcast (&client->changed);
  while (client->hold_withdraw)
    g_cond_wait (&client->changed, &client->lock);

  client->withdrawing = FALSE;
  client->serving = FALSE;
  client->withdrawals++;
  g_cond_broadcast (&client->changed);
}

static void
test_changed (gpointer data)
{
  BawnTestClient *client = data;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  client->changes++;
  g_cond_broadcast (&client->changed);
}

const BawnElectorClient bawn_test_client = { test_floor, test_promote, test_withdraw,
                                             test_changed };

BawnTestClient *
bawn_test_client_new (void)
{
  BawnTestClient *client = g_new0 (BawnTestClient, 1);

  g_mutex_init (&client->lock);
  g_cond_init (&client->changed);
  return client;
}

void
bawn_test_client_free (BawnTestClient *client)
{
  g_assert_false (client->promoting || client->serving || client->withdrawing);
  g_assert_cmpuint (client->promotions, ==, client->withdrawals);
  g_cond_clear (&client->changed);
  g_mutex_clear (&client->lock);
  g_free (client->reason);
  g_free (client);
}

void
bawn_test_client_set (BawnTestClient *client, gboolean *what, gboolean value)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);

  *what = value;
  g_cond_broadcast (&client->changed);
}

void
bawn_test_client_await (BawnTestClient *client, const gboolean *what, gboolean value)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);
  gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

  while (*what != value)
    g_assert_true (g_cond_wait_until (&client->changed, &client->lock, end));
}

void
bawn_test_client_await_count (BawnTestClient *client, const guint *what, guint at_least)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->lock);
  gint64 end = g_get_monotonic_time () + BAWN_TEST_PATIENCE_US;

  while (*what < at_least)
    g_assert_true (g_cond_wait_until (&client->changed, &client->lock, end));
}
