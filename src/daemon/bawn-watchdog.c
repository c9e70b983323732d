/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-watchdog.h"

#include <unistd.h>

#include "daemon/bawn-notify.h"
#include "util/bawn-log.h"

/* How often within the time that the manager allows: a round of pings has to be answered before the next one, and a machine
 * that is busy for a moment shall not cost a server. */
#define ROUNDS 4
/* No more often than this, however little time is allowed. */
#define MIN_INTERVAL_MS 10

struct _BawnWatchdog
{
  BawnWatchdogPing ping;
  gpointer user_data;
  GSource *source;
  guint expected; /* of the round that goes on */
  gint answered;  /* atomic */
  gboolean late;  /* was told */
};

static gboolean
read_interval (guint *out_ms)
{
  const char *pid = g_getenv ("WATCHDOG_PID");
  const char *text = g_getenv ("WATCHDOG_USEC");
  guint64 whose = 0;
  guint64 allowed_us = 0;

  if (pid != NULL
      && (!g_ascii_string_to_unsigned (pid, 10, 1, G_MAXINT, &whose, NULL) || whose != (guint64) getpid ()))
    return FALSE;
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 1, G_MAXINT64, &allowed_us, NULL))
    return FALSE;

  *out_ms = (guint) CLAMP (allowed_us / 1000 / ROUNDS, MIN_INTERVAL_MS, G_MAXINT);
  return TRUE;
}

static void
on_pong (gpointer data)
{
  BawnWatchdog *watchdog = data;

  g_atomic_int_inc (&watchdog->answered);
}

static gboolean
on_round (gpointer user_data)
{
  BawnWatchdog *watchdog = user_data;
  guint answered = (guint) g_atomic_int_get (&watchdog->answered);

  if (answered < watchdog->expected)
    {
      if (!watchdog->late)
        bawn_log_warn ("daemon", "%u of %u threads that serve connections do not answer; if they stay silent, the service manager "
                       "restarts this server", watchdog->expected - answered, watchdog->expected);
      watchdog->late = TRUE;
      return G_SOURCE_CONTINUE;
    }

  bawn_notify ("WATCHDOG=1");
  watchdog->late = FALSE;
  /* All have answered, so nobody counts here now. */
  g_atomic_int_set (&watchdog->answered, 0);
  watchdog->expected = watchdog->ping (on_pong, watchdog, watchdog->user_data);
  return G_SOURCE_CONTINUE;
}

BawnWatchdog *
bawn_watchdog_new (BawnWatchdogPing ping, gpointer user_data)
{
  guint interval_ms = 0;

  if (!read_interval (&interval_ms))
    return NULL;

  BawnWatchdog *watchdog = g_new0 (BawnWatchdog, 1);
  watchdog->ping = ping;
  watchdog->user_data = user_data;
  watchdog->source = g_timeout_source_new (interval_ms);
  g_source_set_static_name (watchdog->source, "bawn-watchdog");
  g_source_set_callback (watchdog->source, on_round, watchdog, NULL);
  g_source_attach (watchdog->source, NULL);
  return watchdog;
}

void
bawn_watchdog_free (BawnWatchdog *watchdog)
{
  g_source_destroy (watchdog->source);
  g_source_unref (watchdog->source);
  g_free (watchdog);
}
