/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-frame.h"
#include "http/bawn-http-peer-tls.h"
#include "http/bawn-http-poller.h"

G_BEGIN_DECLS

/* How often a node says that it is there. */
#define BAWN_HTTP_HEARTBEAT_US (1 * G_USEC_PER_SEC)
/* A peer that says nothing for longer, or reads nothing of what waits for it, is dead: three
 * heartbeats missed. */
#define BAWN_HTTP_LINK_DEAD_US (3500 * G_TIME_SPAN_MILLISECOND)
/* What may wait to be sent on a link that was accepted before no more requests are read from it. */
#define BAWN_HTTP_LINK_MAX_QUEUED (64 * 1024 * 1024)

typedef struct _BawnHttpLink BawnHttpLink;

/**
 * BawnHttpParcel:
 * @slot: (nullable): where its owner keeps it; set to %NULL when all of it has been sent
 *
 * A message on its way out.
 */
typedef struct _BawnHttpParcel BawnHttpParcel;
struct _BawnHttpParcel
{
  /*< private >*/
  GList link;
  BawnHttpParcel **slot;
  BawnHttpFrameType type;
  guint32 id;
  BawnBuffer head; /* its prefix included */
  GBytes *body;    /* nullable */
  gsize done;
};

/**
 * BawnHttpLinkEvents:
 * @hello: the peer has said who it is: at first, and then again and again
 * @frame: anything else but a heartbeat; FALSE: against the rules, the link is to be closed
 * @closed: it is over; parcels that have not gone out still stand in their slots; the owner lets go
 * of its reference
 *
 * What a link tells its owner, from its main context.
 */
typedef struct
{
  void (*hello) (gpointer owner);
  gboolean (*frame) (gpointer owner, const BawnHttpFrame *frame, GError **error);
  void (*closed) (gpointer owner, const char *why);
} BawnHttpLinkEvents;

/**
 * BawnHttpLink:
 *
 * A connection between two nodes after its handshake: frames in and out, many messages at a time,
 * heartbeats. All that is said in one round of the main loop leaves together, in as few TLS records
 * as it fits in. A long message goes out a record at a time, in turn with all others. Belongs to
 * the thread of its context.
 */
BawnHttpLink *bawn_http_link_new (BawnHttpWire *wire,
                                  gboolean accepted,
                                  GMainContext *context,
                                  BawnHttpPoller *poller,
                                  const BawnPeer *self,
                                  const BawnHttpLinkEvents *events,
                                  gpointer owner,
                                  GError **error);
void bawn_http_link_unref (BawnHttpLink *link);
void bawn_http_link_say_hello (BawnHttpLink *link, const BawnPeer *self);
void bawn_http_link_say (BawnHttpLink *link, BawnHttpFrameType type, guint32 id);
void bawn_http_link_post (BawnHttpLink *link,
                          BawnHttpFrameType type,
                          guint32 id,
                          BawnBuffer *head,
                          GBytes *body,
                          BawnHttpParcel **slot);
void bawn_http_link_withdraw (BawnHttpLink *link, BawnHttpParcel *parcel);
void bawn_http_link_close (BawnHttpLink *link, const char *why);
const BawnPeer *bawn_http_link_get_peer (BawnHttpLink *link);
GPtrArray *bawn_http_table_values (GHashTable *table);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpLink, bawn_http_link_unref)

G_END_DECLS
