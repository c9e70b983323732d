/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-local.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Questions about one user's calls that polkit may be thinking about: a person has one dialog
 * before them. */
#define BAWN_BUS_MAX_ASKED_OF_ONE 4
/* And about everybody's. */
#define BAWN_BUS_MAX_ASKED 64

/**
 * BawnBusGuard:
 *
 * Says whether a caller may do what they call for. Root may; about anybody else polkit is asked,
 * through the bus and without waiting. Everything on the thread of the connection's context.
 */
typedef struct _BawnBusGuard BawnBusGuard;

BawnBusGuard *bawn_bus_guard_new (GDBusConnection *connection);
/* Ends what is under way: nobody is let in any more. */
void bawn_bus_guard_close (BawnBusGuard *guard);
BawnBusGuard *bawn_bus_guard_ref (BawnBusGuard *guard);
void bawn_bus_guard_unref (BawnBusGuard *guard);

/* @caller (nullable): who was let in; %NULL with @error set, which says why not. Exactly once. */
typedef void (*BawnBusGuardDone) (const BawnLocalCaller *caller,
                                  const GError *error,
                                  gpointer user_data);
/* @action: one of data/polkit/org.bawn.Bawn1.policy.in */
void bawn_bus_guard_ask (BawnBusGuard *guard,
                         GDBusMessage *call,
                         const char *action,
                         BawnBusGuardDone done,
                         gpointer user_data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBusGuard, bawn_bus_guard_unref)

G_END_DECLS
