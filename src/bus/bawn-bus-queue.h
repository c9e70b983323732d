/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Calls that one connection may have waiting. The bus itself allows 128 that want an answer; a
 * person has one. */
#define BAWN_BUS_MAX_WAITING_OF_ONE 32
/* And all of them together. */
#define BAWN_BUS_MAX_WAITING 512
/* File descriptors that come with a call: one method takes one. The bus allows 16, and all that wait
 * could have as many as a process may. */
#define BAWN_BUS_MAX_FDS 1

/**
 * BawnBusQueue:
 *
 * Counts the calls that have come and were not begun yet, and turns away who has too many. GDBus
 * reads as fast as the bus sends and puts every call into a queue without an end, so somebody who
 * waits for no answers could fill the memory.
 */
typedef struct _BawnBusQueue BawnBusQueue;

/* @context: where calls are begun. */
BawnBusQueue *bawn_bus_queue_new (GMainContext *context);
BawnBusQueue *bawn_bus_queue_ref (BawnBusQueue *queue);
void bawn_bus_queue_unref (BawnBusQueue *queue);
/* Before calls come in on @connection. */
void bawn_bus_queue_watch (BawnBusQueue *queue, GDBusConnection *connection);

/* A call of @sender has come; FALSE: it is one too many. Any thread. */
gboolean bawn_bus_queue_enter (BawnBusQueue *queue, const char *sender);
/* It is begun. */
void bawn_bus_queue_leave (BawnBusQueue *queue, const char *sender);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBusQueue, bawn_bus_queue_unref)

G_END_DECLS
