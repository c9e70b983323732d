/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-gate.h"

#include "http/bawn-http-channel.h"
#include "http/bawn-http-cluster.h"
#include "http/bawn-http-exchange.h"
#include "http/bawn-http-forward.h"
#include "http/bawn-http-reception.h"
#include "util/bawn-log.h"

#include <string.h>

#define MODULE "cluster"
/* Waiting requests that go on in one round of the main loop, so that those of others get their
 * turn. */
#define RUN_BATCH 64
/* For a 503: a failover takes less. */
#define RETRY_AFTER_S 1

typedef struct
{
  GSource source;
  BawnHttpGate *gate;
} GateSource;

/**
 * BawnHttpGate:
 * @leader: (nullable): the active node, as last told
 * @tls: (nullable): the cluster's certificate; %NULL: sealed
 * @self: this node
 * @serial: counts what it was told
 * @parked: (element-type BawnHttpPassage): wait for an active node, in order of deadline
 * @due: (element-type BawnHttpPassage): have waited, and go on as soon as may be
 * @visitors: (element-type BawnHttpVisitor): links of other nodes
 */
struct _BawnHttpGate
{
  BawnHttpWorker *worker;
  BawnHttpCluster *cluster;
  BawnLeader *leader;
  BawnHttpPeerTls *tls;
  BawnPeer *self;
  guint serial;
  BawnHttpChannel *channel;
  BawnHttpReception *reception; /* nullable: of the first worker only */
  BawnHttpVisitorHost host;
  GPtrArray *visitors;
  GQueue parked;
  GQueue due;
  GSource *runner;
  GSource *timer;
  gint64 timer_us; /* what it is set to; -1: off */
};

static void
set_timer (BawnHttpGate *gate)
{
  BawnHttpPassage *first = gate->parked.head != NULL ? gate->parked.head->data : NULL;
  gint64 wanted_us = first != NULL ? first->park_deadline_us : -1;

  /* Put forward when it must be, and back only when it has rung. */
  if (wanted_us < 0 || (gate->timer_us >= 0 && gate->timer_us <= wanted_us))
    return;
  gate->timer_us = wanted_us;
  g_source_set_ready_time (gate->timer, wanted_us);
}

/* Takes it out of whichever queue it waits in. */
static void
unpark (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  if (passage->queue == NULL)
    return;
  g_queue_unlink (passage->queue, &passage->link);
  passage->queue = NULL;
  g_atomic_int_add (&gate->cluster->n_parked, -1);
  g_atomic_pointer_add (&gate->cluster->parked_bytes, -(gssize) passage->size);
  bawn_http_uncount (gate->worker->stats.parked);
}

static void
refuse (BawnHttpPassage *passage, const char *text)
{
  g_auto (BawnHttpReply) reply = { 0 };

  bawn_http_reply_from_text (&reply, 503, text);
  reply.retry_after_s = RETRY_AFTER_S;
  bawn_http_exchange_answer (passage->exchange, &reply);
}

/* It has waited long enough: says for what. */
static void
give_up (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  const char *trouble = bawn_http_channel_get_trouble (gate->channel);
  g_autofree char *text = NULL;

  bawn_http_count (gate->worker->stats.park_timeouts);
  if (gate->leader == NULL)
    text = g_strdup ("no node of the cluster is active");
  else if (gate->leader->is_self)
    text = g_strdup ("this node is becoming active, and not ready yet");
  else if (!bawn_http_channel_is_connected (gate->channel))
    text =
        g_strdup_printf ("the active node cannot be reached at %s: %s", gate->leader->cluster_addr,
                         trouble != NULL ? trouble : "no connection yet");
  else
    text = g_strdup_printf ("the node at %s holds the lock, and is not active yet",
                            gate->leader->cluster_addr);
  refuse (passage, text);
}

/* In order of deadline; nearly always that is at the end. */
static void
insert_parked (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  GList *after = gate->parked.tail;

  while (after != NULL
         && ((BawnHttpPassage *) after->data)->park_deadline_us > passage->park_deadline_us)
    after = after->prev;
  passage->queue = &gate->parked;
  g_queue_insert_after_link (&gate->parked, after, &passage->link);
}

/* Has it wait for an active node. */
static void
park (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  BawnHttpCluster *cluster = gate->cluster;
  gint64 now_us = g_get_monotonic_time ();
  gboolean again = passage->park_deadline_us > 0;

  if (!again)
    passage->park_deadline_us = now_us + cluster->park.timeout_us;
  if (passage->park_deadline_us <= now_us)
    {
      give_up (gate, passage);
      return;
    }

  passage->size = bawn_http_exchange_get_size (passage->exchange);
  guint n = (guint) g_atomic_int_add (&cluster->n_parked, 1) + 1;
  gsize bytes =
      (gsize) g_atomic_pointer_add (&cluster->parked_bytes, (gssize) passage->size) + passage->size;
  bawn_http_count (gate->worker->stats.parked);
  insert_parked (gate, passage);
  if (n > cluster->park.max_requests || bytes > cluster->park.max_bytes)
    {
      unpark (gate, passage);
      bawn_http_count (gate->worker->stats.park_refusals);
      refuse (passage, "no node of the cluster is active, and too many requests wait for one");
      return;
    }
  if (!again)
    bawn_http_count (gate->worker->stats.parked_total);
  set_timer (gate);
}

static gboolean
wants_redirect (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  const char *header = bawn_http_head_get (bawn_http_exchange_get_head (passage->exchange),
                                           "X-Vault-No-Request-Forwarding");

  /* What concerns this node must not be done to another. */
  if (bawn_http_exchange_get_request (passage->exchange)->authorize_only)
    return FALSE;
  return gate->cluster->redirect || (header != NULL && *header != '\0');
}

static void
redirect (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  g_auto (BawnHttpReply) reply = { 0 };
  const BawnHttpHead *head = bawn_http_exchange_get_head (passage->exchange);

  if (!bawn_http_forward_redirect (gate->leader->api_addr, head, &reply))
    {
      refuse (passage, "the active node does not say where clients can reach it");
      return;
    }
  bawn_http_count (gate->worker->stats.redirects);
  bawn_http_exchange_answer (passage->exchange, &reply);
}

static void
forward (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  g_auto (BawnBuffer) head = BAWN_BUFFER_INIT;

  bawn_http_forward_write (passage->exchange, &head);
  bawn_http_count (gate->worker->stats.forwarded);
  bawn_http_channel_send (gate->channel, &passage->errand, &head,
                          bawn_http_exchange_get_body (passage->exchange));
}

static void
route (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  gboolean here = gate->tls == NULL || (gate->leader != NULL && gate->leader->is_self);

  if (here && passage->serial != gate->serial)
    bawn_http_exchange_retry (passage->exchange);
  else if (here || gate->leader == NULL)
    park (gate, passage);
  else if (wants_redirect (gate, passage))
    redirect (gate, passage);
  else if (bawn_http_channel_is_ready (gate->channel))
    forward (gate, passage);
  else
    park (gate, passage);
}

/**
 * bawn_http_gate_route:
 * @gate: a gate
 * @passage: of a request that this node has not answered since it is not active
 *
 * Finds somebody who does, or an answer.
 */
void
bawn_http_gate_route (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  passage->link.data = passage;
  if (passage->authorized)
    refuse (passage, "node is not active");
  else
    route (gate, passage);
}

/* Nobody waits for the answer any more. */
void
bawn_http_gate_forget (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  bawn_http_channel_cancel (gate->channel, &passage->errand);
  unpark (gate, passage);
}

static gboolean
runner_prepare (GSource *source, gint *timeout)
{
  return ((GateSource *) source)->gate->due.length > 0;
}

static gboolean
runner_check (GSource *source)
{
  return runner_prepare (source, NULL);
}

static gboolean
runner_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpGate *gate = ((GateSource *) source)->gate;

  for (guint i = 0; i < RUN_BATCH && gate->due.head != NULL; i++)
    {
      BawnHttpPassage *passage = gate->due.head->data;

      unpark (gate, passage);
      route (gate, passage);
    }

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs runner_funcs = { .prepare = runner_prepare,
                                     .check = runner_check,
                                     .dispatch = runner_dispatch };

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  BawnHttpGate *gate = ((GateSource *) source)->gate;
  gint64 now_us = g_get_monotonic_time ();

  gate->timer_us = -1;
  g_source_set_ready_time (source, -1);
  while (gate->parked.head != NULL)
    {
      BawnHttpPassage *passage = gate->parked.head->data;

      if (passage->park_deadline_us > now_us)
        break;
      unpark (gate, passage);
      give_up (gate, passage);
    }
  set_timer (gate);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

/* Something has changed: everybody who waits tries again, in turn. */
static void
run_parked (BawnHttpGate *gate)
{
  while (gate->parked.head != NULL)
    {
      BawnHttpPassage *passage = gate->parked.head->data;

      g_queue_unlink (&gate->parked, &passage->link);
      passage->queue = &gate->due;
      g_queue_push_tail_link (&gate->due, &passage->link);
    }
}

static BawnHttpPassage *
passage_of (BawnHttpErrand *errand)
{
  return (BawnHttpPassage *) ((char *) errand - G_STRUCT_OFFSET (BawnHttpPassage, errand));
}

static void
on_ready (gpointer owner)
{
  run_parked (owner);
}

static void
on_answered (gpointer owner, BawnHttpErrand *errand, BawnHttpReply *reply)
{
  BawnHttpPassage *passage = passage_of (errand);

  if (!bawn_http_exchange_get_request (passage->exchange)->authorize_only || reply->status >= 300)
    {
      bawn_http_exchange_answer (passage->exchange, reply);
      return;
    }
  passage->authorized = TRUE;
  bawn_http_exchange_retry (passage->exchange);
}

static void
on_declined (gpointer owner, BawnHttpErrand *errand)
{
  route (owner, passage_of (errand));
}

static void
on_lost (gpointer owner, BawnHttpErrand *errand, gboolean sent)
{
  BawnHttpGate *gate = owner;
  BawnHttpPassage *passage = passage_of (errand);
  g_auto (BawnHttpReply) reply = { 0 };

  bawn_http_count (gate->worker->stats.forward_errors);
  if (!sent || bawn_http_forward_is_repeatable (bawn_http_exchange_get_head (passage->exchange)))
    {
      route (gate, passage);
      return;
    }
  bawn_http_reply_from_text (
      &reply, 503,
      "the connection to the active node broke while it was at work on this request, so whether "
      "that was done is not known: look before trying again");
  bawn_http_exchange_answer (passage->exchange, &reply);
}

/* The former active node may be dead. What may be done twice need not wait until that is certain.
 */
static void
on_passed (gpointer owner, BawnHttpErrand *errand)
{
  BawnHttpGate *gate = owner;
  BawnHttpPassage *passage = passage_of (errand);

  if (errand->caller == NULL
      || !bawn_http_forward_is_repeatable (bawn_http_exchange_get_head (passage->exchange)))
    return;
  bawn_http_channel_cancel (gate->channel, errand);
  route (gate, passage);
}

static void
on_peer (gpointer owner, const BawnPeer *peer)
{
  BawnHttpGate *gate = owner;
  const BawnHttpHandler *handler = &gate->worker->handler;

  bawn_http_cluster_meet (gate->cluster, gate->self, peer);
  if (handler->note_peer != NULL && g_strcmp0 (peer->node_id, gate->self->node_id) != 0)
    handler->note_peer (handler->core, bawn_peer_copy (peer));
}

/* One link of several has ended; if the node lives, the next heartbeat brings it back. */
static void
on_gone (gpointer owner, const char *node_id)
{
  const BawnHttpHandler *handler = &((BawnHttpGate *) owner)->worker->handler;

  if (handler->forget_peer != NULL)
    handler->forget_peer (handler->core, node_id);
}

static const BawnHttpChannelEvents channel_events = {
  .ready = on_ready,
  .answered = on_answered,
  .declined = on_declined,
  .lost = on_lost,
  .passed = on_passed,
  .peer = on_peer,
  .gone = on_gone,
};

/* Asks the core what is the case now. */
static void
refresh (BawnHttpGate *gate)
{
  const BawnHttpHandler *handler = &gate->worker->handler;
  g_autoptr (BawnClusterIdentity) identity = handler->ref_cluster_identity (handler->core);
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&gate->leader, bawn_leader_unref);
  gate->leader = handler->ref_leader (handler->core);
  bawn_peer_free (gate->self);
  gate->self = handler->dup_self (handler->core);
  if (gate->tls != NULL && identity != NULL && bawn_http_peer_tls_is_of (gate->tls, identity))
    return;

  /* Who has come in with the former certificate is to come again. */
  for (guint i = 0; i < gate->visitors->len; i++)
    bawn_http_visitor_say_goodbye (g_ptr_array_index (gate->visitors, i));
  g_clear_pointer (&gate->tls, bawn_http_peer_tls_unref);
  if (identity != NULL)
    gate->tls = bawn_http_peer_tls_new (identity, &error);
  if (error != NULL)
    bawn_log_error (MODULE, "%s", error->message);
}

/**
 * bawn_http_gate_wake:
 * @gate: a gate
 *
 * Another node has become active, or this one, or none; or this one was sealed or unsealed.
 */
void
bawn_http_gate_wake (BawnHttpGate *gate)
{
  gate->serial++;
  refresh (gate);
  bawn_http_channel_aim (gate->channel,
                         gate->leader != NULL && !gate->leader->is_self ? gate->leader : NULL,
                         gate->tls, gate->self);
  for (guint i = 0; i < gate->visitors->len; i++)
    bawn_http_visitor_say_hello (g_ptr_array_index (gate->visitors, i), gate->self);
  run_parked (gate);
}

guint
bawn_http_gate_get_serial (BawnHttpGate *gate)
{
  return gate->serial;
}

/* NULL: this node is sealed. */
BawnHttpPeerTls *
bawn_http_gate_peek_tls (BawnHttpGate *gate)
{
  return gate->tls;
}

static void
on_visitor_closed (gpointer owner, BawnHttpVisitor *visitor, const BawnPeer *peer, const char *why)
{
  BawnHttpGate *gate = owner;

  if (peer != NULL)
    on_gone (gate, peer->node_id);

  g_debug ("cluster port: a node has gone: %s", why);
  g_ptr_array_remove_fast (gate->visitors, visitor);
  g_atomic_int_add (&gate->worker->n_visitors, -1);
  g_atomic_int_add (&gate->cluster->n_visitors, -1);
  bawn_http_uncount (gate->worker->stats.peer_connections);
  bawn_http_worker_conn_gone (gate->worker);
}

/**
 * bawn_http_gate_admit:
 * @gate: a gate
 * @wire: of a node of this cluster; taken over
 *
 * Lets another node in.
 */
void
bawn_http_gate_admit (BawnHttpGate *gate, BawnHttpWire *wire)
{
  g_autoptr (GError) error = NULL;

  /* The thread that has made the handshake may know more. */
  refresh (gate);
  if (gate->tls == NULL || gate->worker->stopping)
    {
      bawn_http_wire_close (wire);
      return;
    }

  BawnHttpVisitor *visitor = bawn_http_visitor_new (wire, gate->self, &gate->host, &error);
  if (visitor == NULL)
    {
      g_message ("cluster port: %s", error->message);
      bawn_http_wire_close (wire);
      return;
    }
  g_ptr_array_add (gate->visitors, visitor);
  g_atomic_int_inc (&gate->worker->n_visitors);
  g_atomic_int_inc (&gate->cluster->n_visitors);
  gate->worker->n_conns++;
  bawn_http_count (gate->worker->stats.peer_connections);
}

static GSource *
add_source (BawnHttpGate *gate, GSourceFuncs *funcs, const char *name)
{
  GSource *source = g_source_new (funcs, sizeof (GateSource));

  ((GateSource *) source)->gate = gate;
  g_source_set_name (source, name);
  g_source_attach (source, gate->worker->context);
  return source;
}

/**
 * bawn_http_gate_new:
 * @worker: whose; it has a cluster, a poller and a handler for it
 *
 * Returns: (transfer full): a gate
 */
BawnHttpGate *
bawn_http_gate_new (BawnHttpWorker *worker)
{
  BawnHttpGate *gate = g_new0 (BawnHttpGate, 1);

  gate->worker = worker;
  gate->cluster = worker->cluster;
  gate->timer_us = -1;
  gate->visitors = g_ptr_array_new ();
  gate->host = (BawnHttpVisitorHost){
    .worker = worker,
    .limits = &worker->cluster->limits,
    .buffered = &worker->cluster->buffered,
    .hello = on_peer,
    .closed = on_visitor_closed,
    .owner = gate,
  };
  gate->runner = add_source (gate, &runner_funcs, "bawn-http-gate");
  gate->timer = add_source (gate, &timer_funcs, "bawn-http-park");
  gate->channel = bawn_http_channel_new (worker->context, worker->poller, worker->index > 0,
                                         &channel_events, gate);
  worker->gate = gate;
  bawn_http_gate_wake (gate);
  if (worker->index == 0)
    gate->reception = bawn_http_reception_new (worker);

  return gate;
}

/* The server stops: other nodes are told, and go when they have their answers. */
void
bawn_http_gate_wind_down (BawnHttpGate *gate)
{
  g_clear_pointer (&gate->reception, bawn_http_reception_free);
  for (guint i = 0; i < gate->visitors->len; i++)
    bawn_http_visitor_say_goodbye (g_ptr_array_index (gate->visitors, i));
}

/* After all connections of clients have gone. */
void
bawn_http_gate_free (BawnHttpGate *gate)
{
  gate->worker->gate = NULL;
  g_clear_pointer (&gate->reception, bawn_http_reception_free);
  while (gate->visitors->len > 0)
    bawn_http_visitor_close (g_ptr_array_index (gate->visitors, 0), "this node stops");
  g_ptr_array_unref (gate->visitors);
  bawn_http_channel_free (gate->channel);
  g_source_destroy (gate->runner);
  g_source_unref (gate->runner);
  g_source_destroy (gate->timer);
  g_source_unref (gate->timer);
  g_clear_pointer (&gate->leader, bawn_leader_unref);
  g_clear_pointer (&gate->tls, bawn_http_peer_tls_unref);
  bawn_peer_free (gate->self);
  g_free (gate);
}
