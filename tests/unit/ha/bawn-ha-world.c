/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/ha/bawn-ha-world.h"

GType bawn_backend_memory_get_type (void);

typedef struct _World World;
typedef struct _Peer Peer;
typedef struct _Event Event;
typedef void (*EventFunc) (World *world, Peer *peer, Event *event);

/**
 * Call: one call to the storage of the lease, on its way. It may reach the storage after the node
 * has given it up.
 */
typedef struct
{
  grefcount refs;
  BawnHaJob job;
  BawnHaResult result;
  gboolean over; /* for the node */
  gboolean lost_back;
  guint life; /* of who has sent it */
} Call;

struct _Event
{
  gint64 at;
  guint64 number;
  EventFunc func;
  guint peer;
  guint life; /* of the peer; 0: not its business whether it lives */
  Call *call;
  guint64 epoch;
};

struct _Peer
{
  guint index;
  guint life;
  gboolean alive;
  BawnHaNode node;
  guint64 steps;
  double rate;
  gint64 offset;
  gint64 paused_until;
  Call *call;
  guint64 naps; /* which sleep is the current one */
  gboolean client_busy;
  gboolean serving;
  gboolean leaving;
  guint64 epoch;
};

struct _World
{
  const BawnWorldOptions *options;
  BawnWorldReport *report;
  BawnBackend *backend;
  GRand *random;
  GPtrArray *events;
  guint64 n_events;
  gint64 now;
  gint64 down_until; /* the storage */
  gint64 slow_until;
  guint64 lock_epoch;
  guint64 fence_epoch;
  Peer peers[BAWN_WORLD_MAX_NODES];
};

static void poll_storage (World *world, Peer *peer, Event *event);
static void poll_client (World *world, Peer *peer, Event *event);

static gboolean
chance (World *world, double probability)
{
  return g_rand_double (world->random) < probability;
}

static gint64
between (World *world, gint64 min, gint64 max)
{
  return min + (gint64) (g_rand_double (world->random) * (double) (max - min));
}

static gboolean
is_troubled (World *world)
{
  return world->now < world->options->troubled_us;
}

static gint64
local (World *world, Peer *peer)
{
  return peer->offset + (gint64) ((double) world->now * peer->rate);
}

static void
call_unref (Call *call)
{
  if (!g_ref_count_dec (&call->refs))
    return;

  bawn_ha_job_clear (&call->job);
  bawn_ha_result_clear (&call->result);
  g_free (call);
}

static Call *
call_ref (Call *call)
{
  g_ref_count_inc (&call->refs);
  return call;
}

static void
event_free (Event *event)
{
  g_clear_pointer (&event->call, call_unref);
  g_free (event);
}

static Event *
at (World *world, gint64 when, EventFunc func, Peer *peer)
{
  Event *event = g_new0 (Event, 1);

  event->at = MAX (when, world->now);
  event->number = ++world->n_events;
  event->func = func;
  event->peer = peer->index;
  event->life = peer->life;
  g_ptr_array_add (world->events, event);
  return event;
}

static gboolean
trusts (World *world, Peer *peer)
{
  return peer->alive && local (world, peer) < bawn_ha_node_valid_until (&peer->node);
}

static void
check (World *world)
{
  guint valid = 0;

  for (guint i = 0; i < world->options->n_nodes; i++)
    valid += trusts (world, &world->peers[i]) ? 1 : 0;
  if (valid > 1)
    world->report->two_valid++;
}

/* Something was said to the node: its workers look at it again, as the threads of an elector do. */
static void
told (World *world, Peer *peer)
{
  if (peer->steps == peer->node.machine.steps)
    return;

  peer->steps = peer->node.machine.steps;
  at (world, world->now, poll_storage, peer);
  at (world, world->now, poll_client, peer);
}

/* ---- the storage of the lease ---- */

static gint64
travel (World *world)
{
  gint64 ttl = world->options->ttl_us;

  if (!is_troubled (world))
    return between (world, 100, 2000);
  if (world->now < world->slow_until)
    return between (world, 0, ttl);

  return chance (world, 0.02) ? between (world, 0, 3 * ttl) : between (world, 100, ttl / 50);
}

static void
note_record (World *world, GBytes *value)
{
  g_auto (BawnHaLock) lock = { 0 };

  g_assert_true (bawn_ha_lock_parse (value, &lock, NULL));
  if (lock.epoch < world->lock_epoch)
    world->report->backwards++;
  world->lock_epoch = lock.epoch;
  for (guint i = 0; i < world->options->n_nodes; i++)
    if (!lock.held && world->peers[i].serving && world->peers[i].epoch == lock.epoch)
      world->report->early++;
}

static void watch_ends (World *world, Peer *peer, Event *event);

static void
wake_watchers (World *world)
{
  for (guint i = 0; i < world->options->n_nodes; i++)
    {
      Peer *peer = &world->peers[i];

      if (peer->call == NULL || peer->call->job.kind != BAWN_HA_JOB_WATCH
          || (is_troubled (world) && chance (world, 0.1)))
        continue;
      at (world, world->now + between (world, 0, 20000), watch_ends, peer)->call =
          call_ref (peer->call);
    }
}

static void
reach_commit (World *world, Call *call)
{
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_ELECTOR_LOCK_KEY, call->job.value };
  const BawnCondition condition = { BAWN_ELECTOR_LOCK_KEY, call->job.version };
  gboolean ok = bawn_backend_commit (world->backend, &write, 1, &condition, 1,
                                     &call->result.version, NULL, NULL);

  call->result.outcome = ok ? BAWN_HA_DONE : BAWN_HA_REFUSED;
  if (!ok)
    return;

  note_record (world, call->job.value);
  wake_watchers (world);
}

static void
answer (World *world, Peer *peer, Event *event)
{
  Call *call = event->call;

  if (call->over)
    return;

  call->over = TRUE;
  call->result.now = local (world, peer);
  if (world->options->trust_answers)
    call->result.sent = call->result.now;
  g_clear_pointer (&peer->call, call_unref);
  bawn_ha_node_job_done (&peer->node, &call->job, &call->result);
  at (world, world->now, poll_storage, peer);
  told (world, peer);
}

static void
give_up (World *world, Peer *peer, Event *event)
{
  Call *call = event->call;
  gboolean is_commit = call->job.value != NULL;

  if (call->over)
    return;

  g_clear_pointer (&call->result.text, g_bytes_unref);
  call->result.outcome = is_commit ? BAWN_HA_IN_DOUBT : BAWN_HA_FAILED;
  answer (world, peer, event);
}

static void
watch_ends (World *world, Peer *peer, Event *event)
{
  event->call->result.outcome = BAWN_HA_DONE;
  answer (world, peer, event);
}

/* At the storage. What it says afterwards is not heard by one that has given up. */
static void
reach (World *world, Peer *peer, Event *event)
{
  Call *call = event->call;
  BawnHaResult *result = &call->result;
  gboolean over = call->over || call->life != peer->life || !peer->alive;

  if (world->now < world->down_until && over)
    return;
  if (world->now < world->down_until)
    {
      result->outcome = BAWN_HA_FAILED;
      at (world, world->now + travel (world), answer, peer)->call = call_ref (call);
      return;
    }

  if (call->job.kind == BAWN_HA_JOB_READ)
    {
      g_assert_true (bawn_backend_get (world->backend, BAWN_ELECTOR_LOCK_KEY, &result->text,
                                       &result->version, NULL, NULL));
      result->outcome = BAWN_HA_DONE;
    }
  else if (call->job.kind == BAWN_HA_JOB_FLOOR)
    {
      result->floor = world->fence_epoch;
      result->outcome = is_troubled (world) && chance (world, 0.05) ? BAWN_HA_FAILED : BAWN_HA_DONE;
    }
  else
    reach_commit (world, call);

  if (!over && !call->lost_back)
    at (world, world->now + travel (world), answer, peer)->call = call_ref (call);
}

static void
send_call (World *world, Peer *peer)
{
  Call *call = peer->call;
  gboolean lost = is_troubled (world) && chance (world, 0.04);
  gint64 deadline = (gint64) ((double) call->job.deadline_us / peer->rate);

  call->result.sent = local (world, peer);
  call->lost_back = is_troubled (world) && chance (world, 0.04);
  at (world, world->now + deadline, give_up, peer)->call = call_ref (call);
  if (lost)
    return;

  Event *event = at (world, world->now + travel (world), reach, peer);

  event->call = call_ref (call);
  event->life = 0;
}

static void
poll_storage (World *world, Peer *peer, Event *event)
{
  if (peer->call != NULL || (event->epoch != 0 && event->epoch != peer->naps))
    return;

  Call *call = g_new0 (Call, 1);

  g_ref_count_init (&call->refs);
  call->life = peer->life;
  peer->naps++;
  bawn_ha_node_next_job (&peer->node, local (world, peer), &call->job);
  told (world, peer);
  switch (call->job.kind)
    {
    case BAWN_HA_JOB_END:
      call_unref (call);
      return;
    case BAWN_HA_JOB_SLEEP:
      if (call->job.for_us != G_MAXINT64)
        at (world, world->now + (gint64) ((double) call->job.for_us / peer->rate) + 1, poll_storage,
            peer)
            ->epoch = peer->naps;
      call_unref (call);
      return;
    case BAWN_HA_JOB_WATCH:
      peer->call = call;
      call->result.sent = local (world, peer);
      at (world, world->now + (gint64) ((double) call->job.for_us / peer->rate) + 1, watch_ends,
          peer)
          ->call = call_ref (call);
      return;
    case BAWN_HA_JOB_READ:
    case BAWN_HA_JOB_FLOOR:
    case BAWN_HA_JOB_TAKE:
    case BAWN_HA_JOB_RENEW:
    case BAWN_HA_JOB_RELEASE:
      peer->call = call;
      send_call (world, peer);
      return;
    }
}

/* ---- the client, with a fence in the storage of the data ---- */

static void
promoted (World *world, Peer *peer, Event *event)
{
  gboolean gives_up = bawn_ha_node_is_cancelled (&peer->node) && chance (world, 0.5);
  gboolean ok = event->epoch != 0 && !gives_up;

  peer->client_busy = FALSE;
  peer->serving = ok;
  peer->leaving = FALSE;
  bawn_ha_node_action_done (&peer->node, BAWN_HA_DO_PROMOTE, ok, local (world, peer));
  told (world, peer);
  at (world, world->now, poll_client, peer);
}

static void
take_fence (World *world, Peer *peer, Event *event)
{
  gboolean fails = is_troubled (world) && chance (world, 0.1);
  gboolean ok = event->epoch > world->fence_epoch || world->options->no_fence;

  if (ok)
    {
      if (event->epoch <= world->fence_epoch)
        world->report->stolen++;
      world->fence_epoch = MAX (event->epoch, world->fence_epoch);
      world->report->terms++;
    }

  gint64 ready = is_troubled (world) && chance (world, 0.2)
                     ? between (world, 0, 3 * world->options->ttl_us)
                     : travel (world);

  at (world, world->now + ready, promoted, peer)->epoch = ok && !fails ? event->epoch : 0;
}

static void
withdrawn (World *world, Peer *peer, Event *event)
{
  peer->client_busy = FALSE;
  peer->serving = FALSE;
  bawn_ha_node_action_done (&peer->node, BAWN_HA_DO_WITHDRAW, TRUE, local (world, peer));
  told (world, peer);
  at (world, world->now, poll_client, peer);
}

static void
poll_client (World *world, Peer *peer, Event *event)
{
  if (peer->client_busy)
    return;

  BawnHaAction action = bawn_ha_node_next_action (&peer->node, local (world, peer));

  told (world, peer);
  if (action == BAWN_HA_DO_PROMOTE)
    {
      g_assert_false (peer->serving);
      peer->client_busy = TRUE;
      peer->epoch = peer->node.lease.epoch;

      Event *fence = at (world, world->now + travel (world), take_fence, peer);

      /* It is taken even if the node dies, as its message may be on its way. */
      fence->epoch = peer->epoch;
    }
  else if (action == BAWN_HA_DO_WITHDRAW)
    {
      g_assert_true (peer->serving);
      peer->client_busy = TRUE;
      peer->leaving = TRUE;
      at (world, world->now + travel (world), withdrawn, peer);
    }
}

static void
refused (World *world, Peer *peer, Event *event)
{
  bawn_ha_node_deposed (&peer->node, event->epoch, local (world, peer));
  told (world, peer);
}

/* A commit of data at the storage, in the epoch of whoever has sent it, dead or alive. */
static void
reach_data (World *world, Peer *peer, Event *event)
{
  if (world->fence_epoch == event->epoch || world->options->no_fence)
    {
      world->report->commits++;
      if (event->epoch < world->fence_epoch)
        world->report->stolen++;
      return;
    }

  world->report->refused++;
  if (peer->alive && peer->serving && peer->epoch == event->epoch)
    at (world, world->now + travel (world), refused, peer)->epoch = event->epoch;
}

static void
serve (World *world, Peer *peer, Event *event)
{
  at (world, world->now + between (world, 0, world->options->ttl_us / 20), serve, peer);
  if (!peer->serving)
    return;

  if (trusts (world, peer))
    {
      world->report->reads++;
      if (world->fence_epoch != peer->epoch)
        world->report->stale++;
    }
  if (!peer->leaving && chance (world, 0.3))
    {
      Event *data = at (world, world->now + travel (world), reach_data, peer);

      data->epoch = peer->epoch;
      data->life = 0;
    }
}

/* ---- trouble ---- */

static void
begin_life (World *world, Peer *peer)
{
  g_autofree char *id = g_strdup_printf ("id-%u-%u", peer->index, peer->life + 1);
  g_autofree char *name = g_strdup_printf ("node-%u", peer->index);
  const BawnElectorOptions options = { .node_id = id,
                                       .node_name = name,
                                       .ttl_us = world->options->ttl_us };

  peer->life++;
  peer->alive = TRUE;
  peer->steps = 0;
  peer->paused_until = 0;
  bawn_ha_node_init (&peer->node, &options, g_rand_int (world->random));
  bawn_ha_node_start (&peer->node, local (world, peer));
  told (world, peer);
  at (world, world->now, serve, peer);
}

static void
end_life (World *world, Peer *peer)
{
  for (guint i = 0; i < BAWN_HA_N_STATES; i++)
    for (guint j = 0; j < BAWN_HA_N_EVENTS; j++)
      world->report->counts[i][j] += peer->node.machine.counts[i][j];

  peer->alive = FALSE;
  peer->client_busy = FALSE;
  peer->serving = FALSE;
  g_clear_pointer (&peer->call, call_unref);
  bawn_ha_node_clear (&peer->node);
}

static void
restart (World *world, Peer *peer, Event *event)
{
  if (!peer->alive)
    begin_life (world, peer);
  if (peer->node.machine.stopping)
    {
      /* As bawn_elector_start() waits for bawn_elector_stop(). */
      at (world, world->now + world->options->ttl_us / 4, restart, peer)->life = 0;
      return;
    }

  bawn_ha_node_start (&peer->node, local (world, peer));
  told (world, peer);
}

static void
step_down (World *world, Peer *peer)
{
  g_autofree char *name = g_strdup_printf ("node-%d", g_rand_int_range (world->random, 0, 7));
  gboolean named = chance (world, 0.5);

  bawn_ha_node_step_down (&peer->node, named ? name : NULL, "trouble", local (world, peer), NULL);
  told (world, peer);
}

static void
trouble (World *world, Peer *any, Event *event)
{
  gint64 ttl = world->options->ttl_us;
  Peer *peer = &world->peers[g_rand_int_range (world->random, 0, (gint32) world->options->n_nodes)];
  gint64 soon = world->now + between (world, 0, 2 * ttl);

  if (!is_troubled (world))
    return;

  Event *next = at (world, world->now + between (world, 0, 3 * ttl), trouble, any);

  next->life = 0;
  switch (g_rand_int_range (world->random, 0, 8))
    {
    case 0:
    case 1:
      peer->paused_until = world->now + between (world, 0, 3 * ttl);
      break;
    case 2:
      if (peer->alive)
        end_life (world, peer);
      at (world, soon, restart, peer)->life = 0;
      break;
    case 3:
      if (peer->alive)
        bawn_ha_node_stop (&peer->node, "trouble", local (world, peer));
      told (world, peer);
      at (world, soon, restart, peer)->life = 0;
      break;
    case 4:
    case 5:
      if (peer->alive)
        step_down (world, peer);
      break;
    case 6:
      world->down_until = soon;
      break;
    case 7:
      world->slow_until = soon;
      break;
    default:
      break;
    }
}

/* ---- time ---- */

static Event *
pop_next (World *world)
{
  guint best = 0;

  for (guint i = 1; i < world->events->len; i++)
    {
      const Event *a = g_ptr_array_index (world->events, i);
      const Event *b = g_ptr_array_index (world->events, best);

      if (a->at < b->at || (a->at == b->at && a->number < b->number))
        best = i;
    }
  return g_ptr_array_steal_index_fast (world->events, best);
}

static void
run_until (World *world, gint64 end)
{
  while (world->now < end)
    {
      Event *event = pop_next (world);
      Peer *peer = &world->peers[event->peer];

      world->now = event->at;
      if (event->life != 0 && event->life == peer->life && peer->alive
          && peer->paused_until > world->now)
        {
          /* In any order, as threads wake up: an answer may come before the deadline that has
           * passed meanwhile. */
          event->at = peer->paused_until + between (world, 0, 1000);
          g_ptr_array_add (world->events, event);
          continue;
        }
      if (event->life == 0 || (event->life == peer->life && peer->alive))
        event->func (world, peer, event);
      check (world);
      event_free (event);
    }
}

static guint
count_serving (World *world, guint64 *out_epoch)
{
  guint serving = 0;

  for (guint i = 0; i < world->options->n_nodes; i++)
    {
      Peer *peer = &world->peers[i];

      if (peer->alive && peer->node.machine.state == BAWN_HA_ACTIVE && trusts (world, peer))
        {
          serving++;
          *out_epoch = peer->epoch;
        }
    }
  return serving;
}

static void
settle (World *world)
{
  gint64 ttl = world->options->ttl_us;
  gint64 patience = 8 * ttl + 3 * BAWN_HA_BACK_OFF_MAX_US + 2 * BAWN_HA_STEP_DOWN_HOLD (ttl, TRUE);
  guint64 first = 0;
  guint64 second = 0;

  run_until (world, world->options->troubled_us + patience);

  gboolean one = count_serving (world, &first) == 1;

  run_until (world, world->now + 10 * ttl);
  world->report->settled = one && count_serving (world, &second) == 1 && first == second;
}

/**
 * bawn_world_run:
 * @options: what the world is like
 * @out_report: (out): what has happened
 */
void
bawn_world_run (const BawnWorldOptions *options, BawnWorldReport *out_report)
{
  g_autoptr (BawnBackend) backend =
      g_initable_new (bawn_backend_memory_get_type (), NULL, NULL, NULL);
  World world = { .options = options, .report = out_report, .backend = backend };

  g_assert_cmpuint (options->n_nodes, <=, BAWN_WORLD_MAX_NODES);
  *out_report = (BawnWorldReport){ 0 };
  world.random = g_rand_new_with_seed (options->seed);
  world.events = g_ptr_array_new_with_free_func ((GDestroyNotify) event_free);
  for (guint i = 0; i < options->n_nodes; i++)
    {
      Peer *peer = &world.peers[i];

      peer->index = i;
      peer->rate = 1 + options->drift * (2 * g_rand_double (world.random) - 1);
      peer->offset = between (&world, 1, 1000 * options->ttl_us);
      begin_life (&world, peer);
    }
  at (&world, 0, trouble, &world.peers[0])->life = 0;
  run_until (&world, options->troubled_us);
  settle (&world);

  for (guint i = 0; i < options->n_nodes; i++)
    if (world.peers[i].alive)
      end_life (&world, &world.peers[i]);
  g_ptr_array_unref (world.events);
  g_rand_free (world.random);
}
