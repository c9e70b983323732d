/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* After a loss the bus is looked for at once, and then ever more rarely. */
#define BAWN_BUS_RETRY_MIN_MS 100
#define BAWN_BUS_RETRY_MAX_MS (10 * 1000)
/* A name that the bus refuses: at a first installation it has not read yet who may have it. */
#define BAWN_BUS_NAME_RETRY_MS 2000

/**
 * BawnBusLink:
 *
 * A connection to the system bus and a name on it, and whatever it takes to have them again. All on
 * one thread, by its context.
 */
typedef struct _BawnBusLink BawnBusLink;

/* @connection (nullable): there is a connection now, which has no name yet; or there is none any
 * more. */
typedef void (*BawnBusLinkFunc) (GDBusConnection *connection, gpointer user_data);

BawnBusLink *bawn_bus_link_open (const char *name, BawnBusLinkFunc func, gpointer user_data);
/* Leaves, when all that was sent is out; but a bus that hangs is not waited for. */
void bawn_bus_link_close (BawnBusLink *link);

G_END_DECLS
