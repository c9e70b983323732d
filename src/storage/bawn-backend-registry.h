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
#define BAWN_BACKEND_DEFAULT "sqlite"
BawnBackend *bawn_backend_open (BawnConfigGroup *group, GCancellable *cancellable, GError **error);

/* Has the backend that [storage] asks for read its keys, without opening the storage; what is wrong is noted in the group. */
gboolean bawn_backend_check_config (BawnConfigGroup *group);

G_END_DECLS
