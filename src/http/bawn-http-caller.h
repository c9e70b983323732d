/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-link.h"

G_BEGIN_DECLS

typedef struct _BawnHttpCaller BawnHttpCaller;

/**
 * BawnHttpErrand:
 * @caller: (nullable): with whom it is now; %NULL: at home
 * @parcel: (nullable): while a part of it has not been sent
 * @answer: what has come back so far
 *
 * A request that another node is asked to answer. Zeroed at first; a part of whatever it is that
 * waits.
 */
typedef struct
{
  BawnHttpCaller *caller;
  /*< private >*/
  guint32 id;
  BawnHttpParcel *parcel;
  BawnHttpMessage answer;
} BawnHttpErrand;

/**
 * BawnHttpCallerEvents:
 * @hello: the peer has said who it is, at first or again
 * @answered: @reply is the answer, to be stolen from
 * @declined: the peer is not active and has done nothing
 * @goodbye: it wants no more requests
 * @closed: the link is over; errands that are not home are lost next, then the caller is freed
 * @lost: the link broke first. @sent: the peer may have had all of it
 *
 * What a caller tells its owner. An errand that is told of is home.
 */
typedef struct
{
  void (*hello) (gpointer owner, BawnHttpCaller *caller);
  void (*answered) (gpointer owner,
                    BawnHttpCaller *caller,
                    BawnHttpErrand *errand,
                    BawnHttpReply *reply);
  void (*declined) (gpointer owner, BawnHttpCaller *caller, BawnHttpErrand *errand);
  void (*lost) (gpointer owner, BawnHttpCaller *caller, BawnHttpErrand *errand, gboolean sent);
  void (*goodbye) (gpointer owner, BawnHttpCaller *caller);
  void (*closed) (gpointer owner, BawnHttpCaller *caller, const char *why);
} BawnHttpCallerEvents;

/* The end of a link that asks. */
BawnHttpCaller *bawn_http_caller_new (BawnHttpWire *wire,
                                      GMainContext *context,
                                      BawnHttpPoller *poller,
                                      const BawnPeer *self,
                                      const BawnHttpCallerEvents *events,
                                      gpointer owner,
                                      GError **error);
void bawn_http_caller_close (BawnHttpCaller *caller, const char *why);
void bawn_http_caller_retire (BawnHttpCaller *caller);
void bawn_http_caller_say_hello (BawnHttpCaller *caller, const BawnPeer *self);
const BawnPeer *bawn_http_caller_get_peer (BawnHttpCaller *caller);
GPtrArray *bawn_http_caller_dup_errands (BawnHttpCaller *caller);
void bawn_http_caller_send (BawnHttpCaller *caller,
                            BawnHttpErrand *errand,
                            BawnBuffer *head,
                            GBytes *body);
void bawn_http_errand_cancel (BawnHttpErrand *errand);

G_END_DECLS
