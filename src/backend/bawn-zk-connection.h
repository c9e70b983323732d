/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-messages.h"
#include "backend/bawn-zk-options.h"

G_BEGIN_DECLS

/**
 * BawnZkConnection:
 *
 * One connection to one server: TCP, TLS if wanted, the greeting that opens or takes up a session,
 * then frames in both directions. Lives in the main context that was the thread's default when it
 * was opened, and calls back there.
 */
typedef struct _BawnZkConnection BawnZkConnection;

/**
 * BawnZkConnectionEvents:
 * @opened: the session is there
 * @expired: the server does not know the session any more; the connection is closed
 * @received: (transfer full): a frame, without its length
 * @closed: it has failed, at whatever stage
 *
 * Nothing is called after @expired, @closed or bawn_zk_connection_close().
 */
typedef struct
{
  void (*opened) (gpointer owner, gint32 timeout_ms, const BawnZkSession *session);
  void (*expired) (gpointer owner);
  void (*received) (gpointer owner, GBytes *frame);
  void (*closed) (gpointer owner, const GError *why);
} BawnZkConnectionEvents;

/* @session all zero: a new one. @options and @address must outlive it. @alive counts connections
 * that are not gone entirely. */
BawnZkConnection *bawn_zk_connection_open (const BawnZkOptions *options,
                                           const BawnZkAddress *address,
                                           const BawnZkSession *session,
                                           gint64 last_zxid,
                                           const BawnZkConnectionEvents *events,
                                           gpointer owner,
                                           guint *alive);
/* (transfer full) */
void bawn_zk_connection_close (BawnZkConnection *self);
/* Frames, each with its length before it; they leave with the next bawn_zk_connection_flush(). */
void bawn_zk_connection_send (BawnZkConnection *self, gconstpointer data, gsize size);
void bawn_zk_connection_flush (BawnZkConnection *self);
gint64 bawn_zk_connection_last_sent_us (BawnZkConnection *self);
gint64 bawn_zk_connection_last_received_us (BawnZkConnection *self);
/* Nothing waits to be sent. */
gboolean bawn_zk_connection_is_flushed (BawnZkConnection *self);
const char *bawn_zk_connection_get_address (BawnZkConnection *self);

G_END_DECLS
