/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"

G_BEGIN_DECLS

/*
 * Unsealing without people: by the seal of BawnCoreOptions, or with a root key that was kept over a restart. Every function
 * blocks; any thread.
 */

/* Whether a share may unseal this node alone, or a seal does it as well. */
gboolean bawn_core_is_self_unsealing (BawnCore *core);
/* By the seal. INVALID if the storage is not initialised, NOT_FOUND if its root key was not wrapped by the seal yet, SEALED if the seal
 * has no key, or the node was sealed since it was started, DENIED if its key is another one. */
gboolean bawn_core_unseal_self (BawnCore *core, GError **error);
/* With the root key itself; DENIED or CORRUPT if it is not that of the storage, SEALED if the node was sealed since it was started. */
gboolean bawn_core_unseal_with_root_key (BawnCore *core, BawnSecret *root_key, GError **error);
/* NULL while sealed. */
BawnSecret *bawn_core_dup_root_key (BawnCore *core);
/* For the active node: has the seal open the storage from now on. Only logs what goes wrong. */
void bawn_core_enrol_self (BawnCore *core);

G_END_DECLS
