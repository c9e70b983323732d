/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-messages.h"
#include "backend/bawn-zk-options.h"

G_BEGIN_DECLS

/**
 * BawnZkCallFlags:
 * @BAWN_ZK_CALL_REPEATABLE: it may reach servers more than once, so it is sent again when its
 * connection is lost
 * @BAWN_ZK_CALL_FRESH: it must see everything that was acknowledged to anybody before it was begun;
 * see bawn_zk_client_set_anchor()
 * @BAWN_ZK_CALL_URGENT: it takes no place of max-parallel
 */
typedef enum
{
  BAWN_ZK_CALL_REPEATABLE = 1 << 0,
  BAWN_ZK_CALL_FRESH = 1 << 1,
  BAWN_ZK_CALL_URGENT = 1 << 2,
} BawnZkCallFlags;

/**
 * BawnZkCall:
 *
 * Requests that go out one right behind the other on one connection, and their replies. The server
 * answers in this order, and each sees at least what the ones before it saw. Belongs to the thread
 * that makes it; reference-counted.
 */
typedef struct _BawnZkCall BawnZkCall;

BawnZkCall *bawn_zk_call_new (BawnZkCallFlags flags);
void bawn_zk_call_unref (BawnZkCall *call);
/* (transfer none): where the request's fields are appended, until bawn_zk_call_end(). */
BawnBuffer *bawn_zk_call_begin (BawnZkCall *call, BawnZkOp op);
void bawn_zk_call_end (BawnZkCall *call);
/* A request that consists of a path, and for some of whether to watch it. */
void bawn_zk_call_add (BawnZkCall *call, BawnZkOp op, const char *path);
/* How large the largest request is. */
gsize bawn_zk_call_largest (BawnZkCall *call);
guint bawn_zk_call_n_requests (BawnZkCall *call);
/* After bawn_zk_client_run() returned TRUE: an error code, and what came with it if that is 0. */
gint32 bawn_zk_call_get (BawnZkCall *call, guint index, GBytes **out_body);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkCall, bawn_zk_call_unref)

/**
 * BawnZkClient:
 *
 * A client of a ZooKeeper ensemble: a thread with a connection to one of its servers, to another
 * one when that is lost, and with a session, to a new one when that has expired. All functions may
 * be called from any thread.
 */
typedef struct _BawnZkClient BawnZkClient;

/* @options must outlive it. Returns before there is a connection. */
BawnZkClient *bawn_zk_client_new (const BawnZkOptions *options);
/* Nobody may be waiting in it any more. */
void bawn_zk_client_free (BawnZkClient *self);
/* @path: of a node that always exists; needed before the first fresh call. */
void bawn_zk_client_set_anchor (BawnZkClient *self, const char *path);

/* UPSTREAM: no server took it, it was not done. UNKNOWN_OUTCOME: it was sent, is not repeatable,
 * and the answer is lost. TIMEOUT: cancelled before it was sent, or it is repeatable. TOO_LARGE: no
 * server would take it. */
gboolean bawn_zk_client_run (BawnZkClient *self,
                             BawnZkCall *call,
                             GCancellable *cancellable,
                             GError **error);
/* TRUE: the node's last change may be another one than @mzxid (0: there was no node), or the time
 * is over. UPSTREAM: no server could be asked. TIMEOUT: cancelled. */
gboolean bawn_zk_client_wait (BawnZkClient *self,
                              const char *path,
                              gint64 mzxid,
                              gint64 timeout_us,
                              GCancellable *cancellable,
                              GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkClient, bawn_zk_client_free)

G_END_DECLS
