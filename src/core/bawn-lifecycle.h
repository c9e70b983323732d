/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

/* Has the node seal itself when the storage refuses its fence. */
void bawn_lifecycle_watch (BawnCore *core);

/* What only the lifecycle may do to a core. */
GMutex *bawn_core_get_lifecycle_lock (BawnCore *core);
BawnActive *bawn_core_new_active (BawnCore *core, BawnSecret *token_key, const char *cluster_name,
                                      const char *cluster_id);
void bawn_core_set_active (BawnCore *core, BawnActive *active);
void bawn_core_set_seal_config (BawnCore *core, gboolean initialized, const BawnSealConfig *config);

G_END_DECLS
