/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-guard.h"

typedef struct
{
  GSource source;
  BawnHttpGuard *guard;
} GuardSource;

struct _BawnHttpGuard
{
  GSource *source;
  BawnHttpExpired expired;
  gint64 durations_us[BAWN_HTTP_N_PHASES];
  GQueue queues[BAWN_HTTP_N_PHASES];
  gint64 ready_us; /* what the timer is set to; -1: off */
};

static BawnHttpTicket *
ticket_of_link (GList *link)
{
  return (BawnHttpTicket *) ((char *) link - G_STRUCT_OFFSET (BawnHttpTicket, link));
}

/* Tells the owners of what is overdue. An owner may leave, enter another phase, or take others along. */
static void
expire (BawnHttpGuard *guard, BawnHttpPhase phase, gint64 now_us)
{
  GQueue *queue = &guard->queues[phase];

  while (queue->head != NULL)
    {
      BawnHttpTicket *ticket = ticket_of_link (queue->head);

      if (ticket->deadline_us > now_us)
        return;
      gpointer owner = ticket->link.data;
      bawn_http_guard_leave (guard, ticket);
      guard->expired (owner, phase);
    }
}

static gint64
earliest (const BawnHttpGuard *guard)
{
  gint64 earliest_us = -1;

  for (guint i = 0; i < BAWN_HTTP_N_PHASES; i++)
    {
      if (guard->queues[i].head == NULL)
        continue;
      gint64 deadline_us = ticket_of_link (guard->queues[i].head)->deadline_us;
      if (earliest_us < 0 || deadline_us < earliest_us)
        earliest_us = deadline_us;
    }

  return earliest_us;
}

static void
set_timer (BawnHttpGuard *guard, gint64 ready_us)
{
  guard->ready_us = ready_us;
  g_source_set_ready_time (guard->source, ready_us);
}

static gboolean
guard_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpGuard *guard = ((GuardSource *) source)->guard;
  gint64 now_us = g_get_monotonic_time ();

  for (guint i = 0; i < BAWN_HTTP_N_PHASES; i++)
    expire (guard, (BawnHttpPhase) i, now_us);
  set_timer (guard, earliest (guard));

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs guard_funcs = { .dispatch = guard_dispatch };

/**
 * bawn_http_guard_new:
 * @context: where it runs
 * @durations_us: (array fixed-size=7): the time for each #BawnHttpPhase
 * @expired: told of an owner whose time is over; its ticket has left then
 *
 * Returns: (transfer full): a guard, to be used in the thread of @context only
 */
BawnHttpGuard *
bawn_http_guard_new (GMainContext *context, const gint64 *durations_us, BawnHttpExpired expired)
{
  BawnHttpGuard *guard = g_new0 (BawnHttpGuard, 1);

  guard->source = g_source_new (&guard_funcs, sizeof (GuardSource));
  ((GuardSource *) guard->source)->guard = guard;
  g_source_set_static_name (guard->source, "bawn-http-guard");
  guard->expired = expired;
  guard->ready_us = -1;
  for (guint i = 0; i < BAWN_HTTP_N_PHASES; i++)
    {
      guard->durations_us[i] = durations_us[i];
      g_queue_init (&guard->queues[i]);
    }
  g_source_attach (guard->source, context);

  return guard;
}

void
bawn_http_guard_free (BawnHttpGuard *guard)
{
  g_source_destroy (guard->source);
  g_source_unref (guard->source);
  g_free (guard);
}

/**
 * bawn_http_guard_enter:
 * @guard: a guard
 * @ticket: whose owner begins to wait
 * @phase: for what
 * @owner: told when the time is over
 *
 * Starts the clock of @phase, and stops the one of the phase before.
 */
void
bawn_http_guard_enter (BawnHttpGuard *guard, BawnHttpTicket *ticket, BawnHttpPhase phase, gpointer owner)
{
  bawn_http_guard_leave (guard, ticket);

  ticket->phase = phase;
  ticket->deadline_us = g_get_monotonic_time () + guard->durations_us[phase];
  ticket->link.data = owner;
  ticket->queued = TRUE;
  g_queue_push_tail_link (&guard->queues[phase], &ticket->link);

  /* Setting the timer costs a system call. It is put forward when it must be, and back only when it has rung. */
  if (guard->ready_us < 0 || ticket->deadline_us < guard->ready_us)
    set_timer (guard, ticket->deadline_us);
}

/* Stops the clock. */
void
bawn_http_guard_leave (BawnHttpGuard *guard, BawnHttpTicket *ticket)
{
  if (!ticket->queued)
    return;
  g_queue_unlink (&guard->queues[ticket->phase], &ticket->link);
  ticket->queued = FALSE;
}
