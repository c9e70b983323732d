/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bawn-bus-share.h"

G_BEGIN_DECLS

/* Threads that read: what is on the other end of a descriptor may be a file system that never
 * answers. */
#define BAWN_BUS_MAX_READERS 4

/**
 * BawnBusReaders:
 *
 * Counts the threads that read descriptors. One that does not come back is left behind, and counts
 * on.
 */
typedef struct _BawnBusReaders BawnBusReaders;

BawnBusReaders *bawn_bus_readers_new (void);
void bawn_bus_readers_unref (BawnBusReaders *readers);

/* As bawn_bus_share_read(), on a thread of its own; takes @fd. Answers in time, whatever becomes of
 * the thread; BUSY if too many read already. */
void bawn_bus_share_read_async (BawnBusReaders *readers,
                                int fd,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
BawnSecret *bawn_bus_share_read_finish (GAsyncResult *result, GError **error);

G_END_DECLS
