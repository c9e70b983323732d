/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-client.h"
#include "backend/bawn-zk-connection.h"

G_BEGIN_DECLS

typedef enum
{
  BAWN_ZK_CALL_WAITING,
  BAWN_ZK_CALL_SENT,
  BAWN_ZK_CALL_DONE,
} BawnZkCallState;

typedef struct
{
  gint32 error;
  GBytes *body;
} BawnZkReply;

/**
 * BawnZkWatch:
 *
 * A node that somebody waits for. The server keeps a watch while it is armed, and says once that
 * the node has changed.
 */
typedef struct
{
  char *path;
  GCond changed;
  gboolean is_armed;
  gboolean is_being_armed;
  gint64 mzxid; /* while it is armed */
  guint n_fired;
  guint n_waiting;
} BawnZkWatch;

struct _BawnZkCall
{
  gatomicrefcount refs;
  BawnZkCallFlags flags;
  BawnBuffer frames;
  GArray *starts; /* of gsize: where each frame begins */
  gsize largest;
  char *watch; /* (nullable): the path of a BawnZkWatch that it arms */

  /* Under the client's lock, once it has been handed over; replies and barrier are for whoever has
   * the call. */
  GList link;
  GCond changed;
  BawnZkCallState state;
  gboolean is_abandoned;
  gboolean is_barrier;
  GError *error;
  guint n_sent;
  gint32 first_xid;
  GArray *replies; /* of BawnZkReply */
  BawnZkCall *barrier;
};

BawnZkCall *bawn_zk_call_ref (BawnZkCall *call);

struct _BawnZkClient
{
  const BawnZkOptions *options;
  GThread *thread;
  GMainContext *context;
  GSource *turn; /* becomes ready when there is something to do */

  GMutex lock;
  GQueue waiting; /* of BawnZkCall, by its link */
  guint n_places;
  char *trouble; /* (nullable): why there is no connection */
  char *anchor;
  GHashTable *watches; /* path to BawnZkWatch */
  gboolean is_stopping;

  /* The thread's own. */
  GQueue sent; /* of BawnZkCall, by its link */
  guint n_barriers;
  BawnZkConnection *connection;
  gboolean has_session; /* the greeting is done */
  gboolean is_open;     /* and so is authentication: calls may be sent */
  guint alive;
  BawnZkSession session;
  gint64 last_zxid;
  gint64 timeout_us;
  guint *order; /* of the addresses */
  guint at;
  guint n_failed;
  gint64 next_try_us;
  gint64 looked_us;
  gint64 excused_us;
  gint64 closing_until_us; /* 0: not closing */
  gint32 next_xid;
  gboolean has_ended;
};

gpointer bawn_zk_client_thread (gpointer data);
gboolean bawn_zk_client_on_turn (gpointer data);

/* Calls on their way; all with the lock held. */
void bawn_zk_client_pump_locked (BawnZkClient *self);
void bawn_zk_client_lose_locked (BawnZkClient *self);
gboolean bawn_zk_client_reply_locked (BawnZkClient *self,
                                      const BawnZkReplyHeader *header,
                                      GBytes *body,
                                      GError **error);
void bawn_zk_client_fire_locked (BawnZkClient *self, const char *path);
/* @until_us: on the monotonic clock. */
gboolean bawn_zk_client_run_until (BawnZkClient *self,
                                   BawnZkCall *call,
                                   gint64 until_us,
                                   GCancellable *cancellable,
                                   GError **error);
void bawn_zk_client_wake_locked (BawnZkClient *self);
void bawn_zk_watch_free (gpointer data);

G_END_DECLS
