/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-parking.h"

#include "http/bawn-http-cluster.h"
#include "http/bawn-http-exchange.h"

/* Requests that go on in one round of the main loop, so that those of others get their turn. */
#define RUN_BATCH 64

typedef struct
{
  GSource source;
  BawnHttpParking *parking;
} ParkingSource;

/**
 * BawnHttpParking:
 * @waiting: (element-type BawnHttpPassage): in order of deadline
 * @due: (element-type BawnHttpPassage): go on as soon as may be
 * @timer_us: what the timer is set to; -1: off
 */
struct _BawnHttpParking
{
  BawnHttpWorker *worker;
  BawnHttpCluster *cluster;
  const BawnHttpParkingEvents *events;
  gpointer owner;
  GQueue waiting;
  GQueue due;
  GSource *runner;
  GSource *timer;
  gint64 timer_us;
};

static void
set_timer (BawnHttpParking *parking)
{
  const BawnHttpPassage *first = g_queue_peek_head (&parking->waiting);

  /* Put forward when it must be, and back only when it has rung. */
  if (first == NULL || (parking->timer_us >= 0 && parking->timer_us <= first->park_deadline_us))
    return;
  parking->timer_us = first->park_deadline_us;
  g_source_set_ready_time (parking->timer, parking->timer_us);
}

static gboolean
runner_prepare (GSource *source, gint *timeout)
{
  return ((ParkingSource *) source)->parking->due.length > 0;
}

static gboolean
runner_check (GSource *source)
{
  return runner_prepare (source, NULL);
}

static gboolean
runner_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpParking *parking = ((ParkingSource *) source)->parking;

  for (guint i = 0; i < RUN_BATCH && parking->due.length > 0; i++)
    {
      BawnHttpPassage *passage = g_queue_peek_head (&parking->due);

      bawn_http_parking_leave (parking, passage);
      parking->events->go_on (parking->owner, passage);
    }

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs runner_funcs = { .prepare = runner_prepare,
                                     .check = runner_check,
                                     .dispatch = runner_dispatch };

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpParking *parking = ((ParkingSource *) source)->parking;
  gint64 now_us = g_get_monotonic_time ();

  parking->timer_us = -1;
  g_source_set_ready_time (source, -1);
  while (parking->waiting.length > 0)
    {
      BawnHttpPassage *passage = g_queue_peek_head (&parking->waiting);

      if (passage->park_deadline_us > now_us)
        break;
      bawn_http_parking_leave (parking, passage);
      parking->events->give_up (parking->owner, passage);
    }
  set_timer (parking);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static GSource *
add_source (BawnHttpParking *parking, GSourceFuncs *funcs, const char *name)
{
  GSource *source = g_source_new (funcs, sizeof (ParkingSource));

  ((ParkingSource *) source)->parking = parking;
  g_source_set_name (source, name);
  g_source_attach (source, parking->worker->context);
  return source;
}

static void
drop_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/**
 * bawn_http_parking_new:
 * @worker: whose; it has a cluster
 * @events: told to @owner
 * @owner: outlives it
 *
 * Returns: (transfer full): an empty parking
 */
BawnHttpParking *
bawn_http_parking_new (BawnHttpWorker *worker, const BawnHttpParkingEvents *events, gpointer owner)
{
  BawnHttpParking *parking = g_new0 (BawnHttpParking, 1);

  parking->worker = worker;
  parking->cluster = worker->cluster;
  parking->events = events;
  parking->owner = owner;
  parking->timer_us = -1;
  parking->runner = add_source (parking, &runner_funcs, "bawn-http-parking");
  parking->timer = add_source (parking, &timer_funcs, "bawn-http-park-timer");

  return parking;
}

/* It must be empty. */
void
bawn_http_parking_free (BawnHttpParking *parking)
{
  drop_source (parking->runner);
  drop_source (parking->timer);
  g_free (parking);
}

/* In order of deadline; nearly always that is at the end. */
static void
insert (BawnHttpParking *parking, BawnHttpPassage *passage)
{
  GList *after = parking->waiting.tail;

  while (after != NULL
         && ((BawnHttpPassage *) after->data)->park_deadline_us > passage->park_deadline_us)
    after = after->prev;
  passage->queue = &parking->waiting;
  g_queue_insert_after_link (&parking->waiting, after, &passage->link);
}

/**
 * bawn_http_parking_enter:
 * @parking: a parking
 * @passage: in none
 * @out_full: (out): if it may not: whether too many wait; else it has waited long enough before
 *
 * Lets it wait. It may do so several times; its time runs from the first.
 *
 * Returns: whether it waits now
 */
gboolean
bawn_http_parking_enter (BawnHttpParking *parking, BawnHttpPassage *passage, gboolean *out_full)
{
  BawnHttpCluster *cluster = parking->cluster;
  gint64 now_us = g_get_monotonic_time ();
  gboolean again = passage->park_deadline_us > 0;

  *out_full = FALSE;
  if (!again)
    passage->park_deadline_us = now_us + cluster->park.timeout_us;
  if (passage->park_deadline_us <= now_us)
    return FALSE;

  passage->size = bawn_http_exchange_get_size (passage->exchange);
  guint n = (guint) g_atomic_int_add (&cluster->n_parked, 1) + 1;
  gsize before = (gsize) g_atomic_pointer_add (&cluster->parked_bytes, (gssize) passage->size);
  bawn_http_count (parking->worker->stats.parked);
  insert (parking, passage);
  if (n > cluster->park.max_requests || before + passage->size > cluster->park.max_bytes)
    {
      bawn_http_parking_leave (parking, passage);
      bawn_http_count (parking->worker->stats.park_refusals);
      *out_full = TRUE;
      return FALSE;
    }
  if (!again)
    bawn_http_count (parking->worker->stats.parked_total);
  set_timer (parking);

  return TRUE;
}

/* Harmless for one that does not wait. */
void
bawn_http_parking_leave (BawnHttpParking *parking, BawnHttpPassage *passage)
{
  if (passage->queue == NULL)
    return;
  g_queue_unlink (passage->queue, &passage->link);
  passage->queue = NULL;
  g_atomic_int_add (&parking->cluster->n_parked, -1);
  g_atomic_pointer_add (&parking->cluster->parked_bytes, -(gssize) passage->size);
  bawn_http_uncount (parking->worker->stats.parked);
}

/* Something has changed: all try again, in turn. */
void
bawn_http_parking_run (BawnHttpParking *parking)
{
  while (parking->waiting.length > 0)
    {
      BawnHttpPassage *passage = g_queue_peek_head (&parking->waiting);

      g_queue_unlink (&parking->waiting, &passage->link);
      passage->queue = &parking->due;
      g_queue_push_tail_link (&parking->due, &passage->link);
    }
}
