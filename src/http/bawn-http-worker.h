/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-guard.h"
#include "http/bawn-http-listener.h"
#include "http/bawn-http-poller.h"
#include "http/bawn-http.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _BawnHttpWorker BawnHttpWorker;
typedef struct _BawnHttpGate BawnHttpGate;
typedef struct _BawnHttpCluster BawnHttpCluster;

/**
 * BawnHttpPort:
 * @conns: (element-type BawnHttpConn): open, linked by their own nodes
 *
 * A listener as one worker sees it. Belongs to the worker's thread.
 */
typedef struct
{
  BawnHttpWorker *worker;
  BawnHttpListener *listener;
  GPtrArray *accepters; /* (element-type GSource) */
  BawnHttpGuard *guard;
  GQueue conns;
} BawnHttpPort;

/**
 * BawnHttpWorker:
 * @stats: written by this thread only, read by any
 * @stopping: no new requests are taken
 * @n_conns: open on all ports, and those of other nodes
 * @cluster: (nullable): what all workers share of it; none if this node is alone
 * @gate: (nullable): where requests go that this node does not answer; from start to end of the thread
 * @siblings: (element-type BawnHttpWorker): all workers, itself among them; not owned
 * @n_visitors: links of other nodes; atomic
 * @posts: what other threads want done here; @post_source runs it
 *
 * One thread with its main context and its SoupServer. Everything that a connection does happens in one of these.
 */
struct _BawnHttpWorker
{
  gatomicrefcount refs;
  guint index;
  BawnHttpHandler handler;
  GPtrArray *listeners; /* (element-type BawnHttpListener), not owned */
  BawnHttpCluster *cluster;
  GPtrArray *siblings;
  BawnHttpStats stats;

  GThread *thread; /* nullable: not started; of whoever starts and joins it */
  GThread *self;   /* atomic; set by the thread itself */
  GMainContext *context;
  SoupServer *server;
  BawnHttpPoller *poller;
  int keep_alive_fd;
  GPtrArray *ports; /* (element-type BawnHttpPort) */
  gboolean stopping;
  gboolean finished;
  guint n_conns;
  BawnHttpGate *gate;
  gint n_visitors;
  gint woken; /* atomic: a wake-up is on its way */

  GMutex mutex;
  GQueue posts;    /* under the mutex */
  gboolean gone;   /* under the mutex: nothing can be posted any more */
  GSource *post_source;
};

typedef void (*BawnHttpPostFunc) (gpointer data);

BawnHttpWorker *bawn_http_worker_new (guint index, const BawnHttpHandler *handler, GPtrArray *listeners,
                                      BawnHttpCluster *cluster, GPtrArray *siblings);
BawnHttpWorker *bawn_http_worker_ref (BawnHttpWorker *worker);
void bawn_http_worker_unref (BawnHttpWorker *worker);
void bawn_http_worker_start (BawnHttpWorker *worker);
void bawn_http_worker_stop (BawnHttpWorker *worker, gint64 deadline_us);
void bawn_http_worker_join (BawnHttpWorker *worker);
void bawn_http_worker_wake (BawnHttpWorker *worker);
void bawn_http_worker_conn_gone (BawnHttpWorker *worker);
gboolean bawn_http_worker_is_current (BawnHttpWorker *worker);
gboolean bawn_http_worker_post (BawnHttpWorker *worker, BawnHttpPostFunc func, gpointer data);

/* Counts one up; by the worker's thread. */
#define bawn_http_count(counter) __atomic_store_n (&(counter), (counter) + 1, __ATOMIC_RELAXED)
#define bawn_http_uncount(counter) __atomic_store_n (&(counter), (counter) - 1, __ATOMIC_RELAXED)

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpWorker, bawn_http_worker_unref)

G_END_DECLS
