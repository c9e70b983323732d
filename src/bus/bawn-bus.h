/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bawn-bus-options.h"
#include "core/bawn-core.h"

G_BEGIN_DECLS

/* Reads again what can change while the server runs. Called on the main thread. */
typedef gboolean (*BawnBusReload) (gpointer user_data, GError **error);

/**
 * BawnBusSetup:
 * @core: what to show
 * @name: on the bus; see bawn_bus_options_read()
 * @listeners: (array zero-terminated=1): where clients are listened for, as URLs
 * @reload: what Reload() does, on the main thread
 * @reload_data: for @reload
 *
 * What is to be on the bus.
 */
typedef struct
{
  BawnCore *core;
  const char *name;
  const char *const *listeners;
  BawnBusReload reload;
  gpointer reload_data;
} BawnBusSetup;

/**
 * BawnBus:
 *
 * The server on the system bus. Has a thread of its own, which nobody else waits for; whether there
 * is a bus makes no difference to the rest of the server.
 */
typedef struct _BawnBus BawnBus;

/* Copies what it is given. Does not block. */
BawnBus *bawn_bus_start (const BawnBusSetup *setup);
/* Main thread. Waits for calls that are under way. */
void bawn_bus_stop (BawnBus *bus);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBus, bawn_bus_stop)

G_END_DECLS
