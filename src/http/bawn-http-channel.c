/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-channel.h"

#include "util/bawn-log.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>

#define MODULE "cluster"
/* An address is to have a port; this one, if not. */
#define DEFAULT_PORT 8201

/* A connection being made. Knows nobody any more once it has been given up. */
typedef struct
{
  BawnHttpChannel *channel; /* nullable */
  GCancellable *cancellable;
} Attempt;

/**
 * BawnHttpChannel:
 * @leader: (nullable): whom to reach; never this node
 * @caller: (nullable): the link to it
 * @former: (element-type BawnHttpCaller): links that finish what is under way
 * @met: the one at the other end of @caller is the leader
 * @doubting: it has declined, and nothing has been answered since
 * @probe: (nullable): the one request that finds out
 * @trouble: (nullable): why there is no link
 */
struct _BawnHttpChannel
{
  GMainContext *context;
  BawnHttpPoller *poller;
  gboolean quiet; /* others log the same */
  const BawnHttpChannelEvents *events;
  gpointer owner;
  GSocketClient *client;

  BawnLeader *leader;
  BawnHttpPeerTls *tls;
  BawnPeer *self;
  Attempt *attempt;             /* nullable */
  BawnHttpHandshake *handshake; /* nullable */
  GSource *retry;               /* nullable */
  guint retry_ms;
  char *trouble;
  BawnHttpCaller *caller;
  gboolean met;
  GPtrArray *former;

  gboolean doubting;
  GSource *hold; /* nullable */
  guint hold_ms;
  BawnHttpErrand *probe;
};

static void connect_now (BawnHttpChannel *channel);

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
set_timer (BawnHttpChannel *channel, GSource **source, guint after_ms, GSourceFunc func)
{
  drop_source (source);
  *source = g_timeout_source_new (after_ms);
  g_source_set_callback (*source, func, channel, NULL);
  g_source_attach (*source, channel->context);
}

static void
give_up_attempt (BawnHttpChannel *channel)
{
  if (channel->attempt != NULL)
    {
      channel->attempt->channel = NULL;
      g_cancellable_cancel (channel->attempt->cancellable);
      channel->attempt = NULL;
    }
  g_clear_pointer (&channel->handshake, bawn_http_handshake_cancel);
  drop_source (&channel->retry);
}

static gboolean
on_retry (gpointer user_data)
{
  BawnHttpChannel *channel = user_data;

  drop_source (&channel->retry);
  connect_now (channel);
  return G_SOURCE_REMOVE;
}

/* There is no link, because of @why. Says so once, and tries again. */
static void
fail (BawnHttpChannel *channel, const char *why)
{
  if (!channel->quiet && g_strcmp0 (channel->trouble, why) != 0)
    bawn_log_warn (MODULE, "the active node at %s: %s", channel->leader->cluster_addr, why);
  g_free (channel->trouble);
  channel->trouble = g_strdup (why);
  set_timer (channel, &channel->retry, channel->retry_ms, on_retry);
  channel->retry_ms = MIN (channel->retry_ms * 2, BAWN_HTTP_CHANNEL_MAX_RETRY_MS);
}

static void
trust (BawnHttpChannel *channel)
{
  channel->doubting = FALSE;
  channel->hold_ms = BAWN_HTTP_CHANNEL_MIN_HOLD_MS;
  channel->probe = NULL;
  drop_source (&channel->hold);
}

static gboolean
on_hold_over (gpointer user_data)
{
  BawnHttpChannel *channel = user_data;

  drop_source (&channel->hold);
  channel->events->ready (channel->owner);
  return G_SOURCE_REMOVE;
}

/* It is not what it is said to be, for now: one request at a time finds out when it is. */
static void
doubt (BawnHttpChannel *channel)
{
  channel->doubting = TRUE;
  channel->probe = NULL;
  if (channel->hold != NULL)
    return;
  set_timer (channel, &channel->hold, channel->hold_ms, on_hold_over);
  channel->hold_ms = MIN (channel->hold_ms * 2, BAWN_HTTP_CHANNEL_MAX_HOLD_MS);
}

/* The node at the other end has said who it is. */
static void
meet (BawnHttpChannel *channel, BawnHttpCaller *caller)
{
  const BawnPeer *peer = bawn_http_caller_get_peer (caller);
  g_autofree char *why = NULL;

  if (g_strcmp0 (peer->node_id, channel->self->node_id) == 0)
    why = g_strdup (
        "the address leads to this node itself: every node needs a cluster-addr of its own");
  else if (g_strcmp0 (peer->node_id, channel->leader->node_id) != 0)
    why = g_strdup_printf (
        "another node is there (%s, %s): every node needs a cluster-addr of its own",
        peer->hostname, peer->api_addr);
  if (why != NULL)
    {
      bawn_http_caller_close (caller, why);
      return;
    }

  channel->met = TRUE;
  channel->retry_ms = BAWN_HTTP_CHANNEL_MIN_RETRY_MS;
  g_clear_pointer (&channel->trouble, g_free);
  if (!channel->quiet)
    bawn_log_info (MODULE, "connected to the active node %s (%s) at %s", peer->hostname,
                   peer->api_addr, channel->leader->cluster_addr);
  trust (channel);
  channel->events->ready (channel->owner);
}

static void
on_hello (gpointer owner, BawnHttpCaller *caller)
{
  BawnHttpChannel *channel = owner;

  if (caller != channel->caller)
    return;
  channel->events->peer (channel->owner, bawn_http_caller_get_peer (caller));
  if (!channel->met)
    meet (channel, caller);
}

static void
on_answered (gpointer owner, BawnHttpCaller *caller, BawnHttpErrand *errand, BawnHttpReply *reply)
{
  BawnHttpChannel *channel = owner;
  gboolean relieved = channel->doubting && errand == channel->probe;

  if (relieved)
    trust (channel);
  channel->events->answered (channel->owner, errand, reply);
  if (relieved)
    channel->events->ready (channel->owner);
}

static void
on_declined (gpointer owner, BawnHttpCaller *caller, BawnHttpErrand *errand)
{
  BawnHttpChannel *channel = owner;

  /* What a former one says is known already. */
  if (caller == channel->caller)
    doubt (channel);
  channel->events->declined (channel->owner, errand);
}

static void
on_lost (gpointer owner, BawnHttpCaller *caller, BawnHttpErrand *errand, gboolean sent)
{
  BawnHttpChannel *channel = owner;

  if (errand == channel->probe)
    doubt (channel);
  channel->events->lost (channel->owner, errand, sent);
}

/* It finishes what is under way, and gets no more. */
static void
retire (BawnHttpChannel *channel)
{
  BawnHttpCaller *caller = g_steal_pointer (&channel->caller);

  channel->met = FALSE;
  if (caller == NULL)
    return;
  g_ptr_array_add (channel->former, caller);
  bawn_http_caller_retire (caller);
}

static void
on_goodbye (gpointer owner, BawnHttpCaller *caller)
{
  BawnHttpChannel *channel = owner;

  if (caller != channel->caller)
    return;
  retire (channel);
  channel->events->gone (channel->owner, channel->leader->node_id);
  fail (channel, "it is going away");
}

static void
on_closed (gpointer owner, BawnHttpCaller *caller, const char *why)
{
  BawnHttpChannel *channel = owner;

  g_ptr_array_remove_fast (channel->former, caller);
  if (caller != channel->caller)
    return;
  channel->caller = NULL;
  channel->met = FALSE;
  channel->events->gone (channel->owner, channel->leader->node_id);
  fail (channel, why);
}

static const BawnHttpCallerEvents caller_events = {
  .hello = on_hello,
  .answered = on_answered,
  .declined = on_declined,
  .lost = on_lost,
  .goodbye = on_goodbye,
  .closed = on_closed,
};

static void
on_handshake (BawnHttpHandshake *handshake,
              BawnHttpWire *wire,
              const GError *error,
              gpointer user_data)
{
  BawnHttpChannel *channel = user_data;
  g_autoptr (GError) failure = NULL;

  channel->handshake = NULL;
  if (wire == NULL)
    {
      fail (channel, error->message);
      return;
    }
  channel->caller = bawn_http_caller_new (wire, channel->context, channel->poller, channel->self,
                                          &caller_events, channel, &failure);
  if (channel->caller == NULL)
    {
      bawn_http_wire_close (wire);
      fail (channel, failure->message);
    }
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attempt *attempt = user_data;
  BawnHttpChannel *channel = attempt->channel;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  g_object_unref (attempt->cancellable);
  g_free (attempt);
  if (channel == NULL)
    return;
  channel->attempt = NULL;
  if (connection == NULL)
    {
      fail (channel, error->message);
      return;
    }

  /* GIO has no use for it any more; its file description stays non-blocking. */
  int fd =
      fcntl (g_socket_get_fd (g_socket_connection_get_socket (connection)), F_DUPFD_CLOEXEC, 0);
  if (fd < 0)
    fail (channel, "there are no file descriptors left");
  else
    channel->handshake =
        bawn_http_handshake_new (channel->context, fd, channel->tls, FALSE, on_handshake, channel);
}

static void
connect_now (BawnHttpChannel *channel)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) where =
      g_network_address_parse_uri (channel->leader->cluster_addr, DEFAULT_PORT, &error);

  if (where == NULL)
    {
      fail (channel, error->message);
      return;
    }

  channel->attempt = g_new0 (Attempt, 1);
  channel->attempt->channel = channel;
  channel->attempt->cancellable = g_cancellable_new ();
  g_socket_client_connect_async (channel->client, where, channel->attempt->cancellable,
                                 on_connected, channel->attempt);
}

/**
 * bawn_http_channel_new:
 * @context: where it lives; the thread's default
 * @poller: of that thread
 * @quiet: do not log what others log too
 * @events: told to @owner
 * @owner: outlives it
 *
 * Returns: (transfer full): a channel that leads nowhere yet
 */
BawnHttpChannel *
bawn_http_channel_new (GMainContext *context,
                       BawnHttpPoller *poller,
                       gboolean quiet,
                       const BawnHttpChannelEvents *events,
                       gpointer owner)
{
  BawnHttpChannel *channel = g_new0 (BawnHttpChannel, 1);

  channel->context = context;
  channel->poller = poller;
  channel->quiet = quiet;
  channel->events = events;
  channel->owner = owner;
  channel->former = g_ptr_array_new ();
  channel->retry_ms = BAWN_HTTP_CHANNEL_MIN_RETRY_MS;
  channel->hold_ms = BAWN_HTTP_CHANNEL_MIN_HOLD_MS;
  channel->client = g_socket_client_new ();
  g_socket_client_set_enable_proxy (channel->client, FALSE);
  g_socket_client_set_timeout (channel->client,
                               BAWN_HTTP_PEER_HANDSHAKE_TIMEOUT_US / G_USEC_PER_SEC);

  return channel;
}

static void
forget_target (BawnHttpChannel *channel)
{
  give_up_attempt (channel);
  trust (channel);
  retire (channel);
  g_clear_pointer (&channel->leader, bawn_leader_unref);
  g_clear_pointer (&channel->tls, bawn_http_peer_tls_unref);
  g_clear_pointer (&channel->trouble, g_free);
}

/* Closes everything; what is under way is lost. */
void
bawn_http_channel_free (BawnHttpChannel *channel)
{
  forget_target (channel);
  while (channel->former->len > 0)
    bawn_http_caller_close (g_ptr_array_index (channel->former, 0), "this node stops");
  g_ptr_array_unref (channel->former);
  g_object_unref (channel->client);
  bawn_peer_free (channel->self);
  g_free (channel);
}

static gboolean
leads_to (BawnHttpChannel *channel, BawnLeader *leader, BawnHttpPeerTls *tls)
{
  return channel->leader != NULL && channel->tls == tls
         && strcmp (channel->leader->node_id, leader->node_id) == 0
         && strcmp (channel->leader->cluster_addr, leader->cluster_addr) == 0;
}

/* Another node is active now: what is under way to the former one may never be answered. */
static void
tell_passed (BawnHttpChannel *channel)
{
  g_autoptr (GPtrArray) former = g_ptr_array_copy (channel->former, NULL, NULL);

  for (guint i = 0; i < former->len; i++)
    {
      BawnHttpCaller *caller = g_ptr_array_index (former, i);

      /* Told of one link, somebody may have ended another. */
      if (!g_ptr_array_find (channel->former, caller, NULL))
        continue;
      g_autoptr (GPtrArray) errands = bawn_http_caller_dup_errands (caller);
      for (guint j = 0; j < errands->len; j++)
        channel->events->passed (channel->owner, g_ptr_array_index (errands, j));
    }
}

/**
 * bawn_http_channel_aim:
 * @channel: a channel
 * @leader: (nullable): the active node; %NULL: none that could be reached
 * @tls: (nullable): the cluster's certificate; %NULL: likewise
 * @self: this node, as it is now
 *
 * Makes it lead to @leader. If it does already, it is taken for active again.
 */
void
bawn_http_channel_aim (BawnHttpChannel *channel,
                       BawnLeader *leader,
                       BawnHttpPeerTls *tls,
                       const BawnPeer *self)
{
  bawn_peer_free (channel->self);
  channel->self = bawn_peer_copy (self);
  if (leader == NULL || tls == NULL)
    {
      forget_target (channel);
      return;
    }
  if (leads_to (channel, leader, tls))
    {
      if (channel->caller != NULL)
        bawn_http_caller_say_hello (channel->caller, self);
      trust (channel);
      return;
    }

  forget_target (channel);
  channel->leader = bawn_leader_ref (leader);
  channel->tls = bawn_http_peer_tls_ref (tls);
  channel->retry_ms = BAWN_HTTP_CHANNEL_MIN_RETRY_MS;
  connect_now (channel);
  tell_passed (channel);
}

/* Whether a request can be sent now. */
gboolean
bawn_http_channel_is_ready (BawnHttpChannel *channel)
{
  return channel->met && (!channel->doubting || (channel->hold == NULL && channel->probe == NULL));
}

gboolean
bawn_http_channel_is_connected (BawnHttpChannel *channel)
{
  return channel->met;
}

/* NULL: none that is known of. */
const char *
bawn_http_channel_get_trouble (BawnHttpChannel *channel)
{
  return channel->trouble;
}

/**
 * bawn_http_channel_send:
 * @channel: a channel that is ready
 * @errand: at home
 * @head: taken: as bawn_http_link_post() wants it
 * @body: (nullable): not copied
 *
 * Asks the active node.
 */
void
bawn_http_channel_send (BawnHttpChannel *channel,
                        BawnHttpErrand *errand,
                        BawnBuffer *head,
                        GBytes *body)
{
  if (channel->doubting)
    channel->probe = errand;
  bawn_http_caller_send (channel->caller, errand, head, body);
}

/* Nobody waits for the answer any more. Harmless at home. */
void
bawn_http_channel_cancel (BawnHttpChannel *channel, BawnHttpErrand *errand)
{
  if (errand == channel->probe)
    doubt (channel);
  bawn_http_errand_cancel (errand);
}
