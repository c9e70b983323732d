/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* All properties of the server on the system bus, of type a{sv}. @instance (nullable): which of
 * several on this machine. */
GVariant *bawn_cli_bus_read (const char *instance, GError **error);
/* The same as sys/seal-status and sys/leader would say it, with what only the bus tells. */
BawnJson *bawn_cli_bus_to_seal_status (GVariant *properties, GError **error);
BawnJson *bawn_cli_bus_to_leader (GVariant *properties, GError **error);

G_END_DECLS
