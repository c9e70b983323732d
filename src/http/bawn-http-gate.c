/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-gate.h"

#include "http/bawn-http-channel.h"
#include "http/bawn-http-cluster.h"
#include "http/bawn-http-exchange.h"
#include "http/bawn-http-forward.h"
#include "http/bawn-http-parking.h"
#include "http/bawn-http-reception.h"
#include "util/bawn-log.h"

#define MODULE "cluster"
/* For a 503: a failover takes less. */
#define RETRY_AFTER_S 1

/**
 * BawnHttpGate:
 * @leader: (nullable): the active node, as last told
 * @tls: (nullable): the cluster's certificate; %NULL: sealed
 * @self: this node
 * @serial: counts what it was told
 * @parking: requests that wait for an active node
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
  BawnHttpParking *parking;
};

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
give_up (gpointer owner, BawnHttpPassage *passage)
{
  BawnHttpGate *gate = owner;
  const char *trouble = bawn_http_channel_get_trouble (gate->channel);
  g_autofree char *text = NULL;

  bawn_http_count (gate->worker->stats.park_timeouts);
  if (gate->leader == NULL && bawn_http_exchange_get_request (passage->exchange)->authorize_only)
    text = g_strdup ("no node of the cluster is active, and only that one can say who may ask this "
                     "node for this");
  else if (gate->leader == NULL)
    text = g_strdup ("no node of the cluster is active");
  else if (gate->leader->is_self)
    text =
        g_strdup ("this node holds the lease, and is not ready yet, or could not renew it in time");
  else if (!bawn_http_channel_is_connected (gate->channel))
    text =
        g_strdup_printf ("the active node cannot be reached at %s: %s", gate->leader->cluster_addr,
                         trouble != NULL ? trouble : "no connection yet");
  else
    text = g_strdup_printf (
        "the node at %s holds the lease, and is not ready yet, or could not renew it in time",
        gate->leader->cluster_addr);
  refuse (passage, text);
}

/* Has it wait for an active node. */
static void
park (BawnHttpGate *gate, BawnHttpPassage *passage)
{
  gboolean full = FALSE;

  if (bawn_http_parking_enter (gate->parking, passage, &full))
    return;
  if (full)
    refuse (passage, "no node of the cluster is active, and too many requests wait for one");
  else
    give_up (gate, passage);
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
route (gpointer owner, BawnHttpPassage *passage)
{
  BawnHttpGate *gate = owner;
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
  bawn_http_parking_leave (gate->parking, passage);
}

static const BawnHttpParkingEvents parking_events = { .go_on = route, .give_up = give_up };

static BawnHttpPassage *
passage_of (BawnHttpErrand *errand)
{
  return (BawnHttpPassage *) ((char *) errand - G_STRUCT_OFFSET (BawnHttpPassage, errand));
}

static void
on_ready (gpointer owner)
{
  bawn_http_parking_run (((BawnHttpGate *) owner)->parking);
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
  bawn_http_exchange_get_request (passage->exchange)->repeated |= sent;
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
  bawn_http_exchange_get_request (passage->exchange)->repeated = TRUE;
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
  bawn_http_parking_run (gate->parking);
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
 * @tls: what it was known by
 *
 * Lets another node in.
 */
void
bawn_http_gate_admit (BawnHttpGate *gate, BawnHttpWire *wire, BawnHttpPeerTls *tls)
{
  g_autoptr (GError) error = NULL;

  /* The thread that has made the handshake may have known more than this one, or less than is the
   * case by now. */
  refresh (gate);
  if (gate->tls == NULL || !bawn_http_peer_tls_equal (gate->tls, tls) || gate->worker->stopping)
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
  gate->visitors = g_ptr_array_new ();
  gate->host = (BawnHttpVisitorHost){
    .worker = worker,
    .limits = &worker->cluster->limits,
    .buffered = &worker->cluster->buffered,
    .hello = on_peer,
    .closed = on_visitor_closed,
    .owner = gate,
  };
  gate->parking = bawn_http_parking_new (worker, &parking_events, gate);
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
  bawn_http_parking_free (gate->parking);
  g_clear_pointer (&gate->leader, bawn_leader_unref);
  g_clear_pointer (&gate->tls, bawn_http_peer_tls_unref);
  bawn_peer_free (gate->self);
  g_free (gate);
}
