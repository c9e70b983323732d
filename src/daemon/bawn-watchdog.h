/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnWatchdogPing:
 * @pong: to be called once by each of the loops that must turn, from that loop
 * @pong_data: for @pong
 * @user_data: of bawn_watchdog_new()
 *
 * Does not wait. Returns: how many loops will call @pong
 */
typedef guint (*BawnWatchdogPing) (void (*pong) (gpointer data), gpointer pong_data, gpointer user_data);

/**
 * BawnWatchdog:
 *
 * Tells the service manager that this process is well: only while the main loop turns, and all others answer it.
 */
typedef struct _BawnWatchdog BawnWatchdog;

/* NULL if the service manager does not want to know. On the main thread, whose loop is watched from now on. */
BawnWatchdog *bawn_watchdog_new (BawnWatchdogPing ping, gpointer user_data);
/* When no loop can call back any more. */
void bawn_watchdog_free (BawnWatchdog *watchdog);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnWatchdog, bawn_watchdog_free)

G_END_DECLS
