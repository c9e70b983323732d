/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bawn-bus.h"
#include "bus/bawn-bus-node.h"

G_BEGIN_DECLS

/**
 * BawnBusMethods:
 *
 * What the object's methods do: ask whether the caller may, have it done on a thread that may wait,
 * show what came of it, answer. All its functions are for the bus's thread.
 */
typedef struct _BawnBusMethods BawnBusMethods;

BawnBusMethods *bawn_bus_methods_new (BawnBusNode *node,
                                      BawnCore *core,
                                      BawnBusReload reload,
                                      gpointer reload_data);
/* Calls come over @connection (nullable) from now on. */
void bawn_bus_methods_set_connection (BawnBusMethods *methods, GDBusConnection *connection);
/* Lets nobody in any more, and waits for what is under way; its answers are in the context's line
 * then. */
void bawn_bus_methods_close (BawnBusMethods *methods);
void bawn_bus_methods_unref (BawnBusMethods *methods);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBusMethods, bawn_bus_methods_unref)

G_END_DECLS
