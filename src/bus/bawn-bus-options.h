/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-config.h"

G_BEGIN_DECLS

#define BAWN_BUS_NAME "org.bawn.Bawn1"
#define BAWN_BUS_PATH "/org/bawn/Bawn1"
/* Of a name on the bus, 255 bytes at most, this leaves room for the rest. */
#define BAWN_BUS_MAX_INSTANCE 128

/* The name of an instance: "org.bawn.Bawn1.node_NAME", or without an @instance, or an empty one,
 * the plain one. NULL if the instance is too long. */
char *bawn_bus_make_name (const char *instance);

/* Reads [dbus]; what is wrong is noted in @config. The name to ask the bus for; NULL: the server
 * keeps off the bus. */
char *bawn_bus_options_read (BawnConfig *config);

G_END_DECLS
