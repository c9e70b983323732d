/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-caller.h"

G_BEGIN_DECLS

/* Between attempts to reach the active node: at first, and at most. */
#define BAWN_HTTP_CHANNEL_MIN_RETRY_MS 20
#define BAWN_HTTP_CHANNEL_MAX_RETRY_MS 1000
/* After the active node has said that it is not active: between attempts to ask it one request
 * again. */
#define BAWN_HTTP_CHANNEL_MIN_HOLD_MS 20
#define BAWN_HTTP_CHANNEL_MAX_HOLD_MS 500

typedef struct _BawnHttpChannel BawnHttpChannel;

/**
 * BawnHttpChannelEvents:
 * @ready: requests can be sent (again)
 * @answered: @reply is the answer, to be stolen from
 * @declined: nothing was done
 * @lost: the link broke first. @sent: the request may have arrived
 * @passed: another node has become the active one while this was under way; it still is
 * @peer: the active node has said who it is
 * @gone: the link to it has ended
 *
 * What a channel tells its owner.
 */
typedef struct
{
  void (*ready) (gpointer owner);
  void (*answered) (gpointer owner, BawnHttpErrand *errand, BawnHttpReply *reply);
  void (*declined) (gpointer owner, BawnHttpErrand *errand);
  void (*lost) (gpointer owner, BawnHttpErrand *errand, gboolean sent);
  void (*passed) (gpointer owner, BawnHttpErrand *errand);
  void (*peer) (gpointer owner, const BawnPeer *peer);
  void (*gone) (gpointer owner, const char *node_id);
} BawnHttpChannelEvents;

/**
 * BawnHttpChannel:
 *
 * The way to the active node, whoever that is: connects as soon as one is known, again when that
 * fails or breaks, and to another one when it changes. What is under way to the former one is
 * waited for. Belongs to one thread.
 */
BawnHttpChannel *bawn_http_channel_new (GMainContext *context,
                                        BawnHttpPoller *poller,
                                        gboolean quiet,
                                        const BawnHttpChannelEvents *events,
                                        gpointer owner);
void bawn_http_channel_free (BawnHttpChannel *channel);
void bawn_http_channel_aim (BawnHttpChannel *channel,
                            BawnLeader *leader,
                            BawnHttpPeerTls *tls,
                            const BawnPeer *self);
gboolean bawn_http_channel_is_ready (BawnHttpChannel *channel);
gboolean bawn_http_channel_is_connected (BawnHttpChannel *channel);
const char *bawn_http_channel_get_trouble (BawnHttpChannel *channel);
void bawn_http_channel_send (BawnHttpChannel *channel,
                             BawnHttpErrand *errand,
                             BawnBuffer *head,
                             GBytes *body);
void bawn_http_channel_cancel (BawnHttpChannel *channel, BawnHttpErrand *errand);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpChannel, bawn_http_channel_free)

G_END_DECLS
