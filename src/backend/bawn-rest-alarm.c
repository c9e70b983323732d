/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-rest-private.h"

struct _BawnRestAlarms
{
  GMutex lock;
  GCond changed;
  GThread *thread;
  GPtrArray *armed; /* of BawnRestAlarm, none of them rang */
  gboolean is_over;
};

/* Takes one whose time has come out of the list; otherwise says when the next is due. */
static GCancellable *
take_due_locked (BawnRestAlarms *alarms, gint64 *out_next_us)
{
  gint64 now_us = g_get_monotonic_time ();
  gint64 next_us = G_MAXINT64;

  for (guint i = 0; i < alarms->armed->len; i++)
    {
      BawnRestAlarm *alarm = alarms->armed->pdata[i];

      if (alarm->at_us <= now_us)
        {
          g_ptr_array_remove_index_fast (alarms->armed, i);
          alarm->rang = TRUE;
          return g_object_ref (alarm->cancellable);
        }
      next_us = MIN (next_us, alarm->at_us);
    }

  *out_next_us = next_us;
  return NULL;
}

static gpointer
watch_the_time (gpointer data)
{
  BawnRestAlarms *alarms = data;

  g_mutex_lock (&alarms->lock);
  while (!alarms->is_over)
    {
      gint64 next_us = G_MAXINT64;
      g_autoptr (GCancellable) due = take_due_locked (alarms, &next_us);

      if (due != NULL)
        {
          /* Whoever listens to it may need locks of their own. */
          g_mutex_unlock (&alarms->lock);
          g_cancellable_cancel (due);
          g_mutex_lock (&alarms->lock);
        }
      else if (next_us == G_MAXINT64)
        g_cond_wait (&alarms->changed, &alarms->lock);
      else
        g_cond_wait_until (&alarms->changed, &alarms->lock, next_us);
    }
  g_mutex_unlock (&alarms->lock);

  return NULL;
}

BawnRestAlarms *
bawn_rest_alarms_new (void)
{
  BawnRestAlarms *alarms = g_new0 (BawnRestAlarms, 1);

  g_mutex_init (&alarms->lock);
  g_cond_init (&alarms->changed);
  alarms->armed = g_ptr_array_new ();
  alarms->thread = g_thread_new ("rest-alarms", watch_the_time, alarms);
  return alarms;
}

void
bawn_rest_alarms_free (BawnRestAlarms *alarms)
{
  g_mutex_lock (&alarms->lock);
  g_warn_if_fail (alarms->armed->len == 0);
  alarms->is_over = TRUE;
  g_cond_signal (&alarms->changed);
  g_mutex_unlock (&alarms->lock);

  g_thread_join (alarms->thread);
  g_ptr_array_unref (alarms->armed);
  g_cond_clear (&alarms->changed);
  g_mutex_clear (&alarms->lock);
  g_free (alarms);
}

static void
on_caller_cancelled (GCancellable *caller G_GNUC_UNUSED, gpointer data)
{
  g_cancellable_cancel (G_CANCELLABLE (data));
}

/* The thread has to be told only if it would sleep too long. */
static gboolean
is_first_locked (BawnRestAlarms *alarms, gint64 at_us)
{
  for (guint i = 0; i < alarms->armed->len; i++)
    if (((BawnRestAlarm *) alarms->armed->pdata[i])->at_us <= at_us)
      return FALSE;

  return TRUE;
}

void
bawn_rest_alarm_start (BawnRestAlarm *alarm,
                       BawnRestAlarms *alarms,
                       gint64 at_us,
                       GCancellable *caller)
{
  *alarm = (BawnRestAlarm){ .cancellable = g_cancellable_new (), .alarms = alarms, .at_us = at_us };

  g_mutex_lock (&alarms->lock);
  if (is_first_locked (alarms, at_us))
    g_cond_signal (&alarms->changed);
  g_ptr_array_add (alarms->armed, alarm);
  g_mutex_unlock (&alarms->lock);

  if (caller == NULL)
    return;

  alarm->caller = g_object_ref (caller);
  alarm->caller_handler = g_cancellable_connect (caller, G_CALLBACK (on_caller_cancelled),
                                                 g_object_ref (alarm->cancellable), g_object_unref);
}

void
bawn_rest_alarm_move (BawnRestAlarm *alarm, gint64 at_us)
{
  g_mutex_lock (&alarm->alarms->lock);
  alarm->at_us = at_us;
  g_cond_signal (&alarm->alarms->changed);
  g_mutex_unlock (&alarm->alarms->lock);
}

gboolean
bawn_rest_alarm_rang (BawnRestAlarm *alarm)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&alarm->alarms->lock);

  return alarm->rang && !g_cancellable_is_cancelled (alarm->caller);
}

void
bawn_rest_alarm_disarm (BawnRestAlarm *alarm)
{
  g_mutex_lock (&alarm->alarms->lock);
  g_ptr_array_remove_fast (alarm->alarms->armed, alarm);
  g_mutex_unlock (&alarm->alarms->lock);

  /* Waits for a handler that is running. */
  if (alarm->caller != NULL)
    g_cancellable_disconnect (alarm->caller, alarm->caller_handler);
  g_clear_object (&alarm->caller);
}

void
bawn_rest_alarm_clear (BawnRestAlarm *alarm)
{
  if (alarm->alarms == NULL)
    return;

  bawn_rest_alarm_disarm (alarm);
  g_clear_object (&alarm->cancellable);
  alarm->alarms = NULL;
}
