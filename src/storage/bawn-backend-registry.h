/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/* The storages that this process knows, by the name used in `type=`. Filled once at start-up, before threads. */
typedef GType (*BawnTypeFunc) (void);
void bawn_backend_register (const char *name, BawnTypeFunc get_type, gboolean ha_capable);
const char *const *bawn_backend_names (void);
gboolean bawn_backend_is_ha_capable (const char *name);

/* Makes the backend that [storage] asks for. Classes are GInitable with a construct-only boxed property
 * "config" of BAWN_TYPE_CONFIG_GROUP. */
BawnBackend *bawn_backend_open (BawnConfigGroup *group, GCancellable *cancellable, GError **error);

G_END_DECLS
