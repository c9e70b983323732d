/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-activation.h"

G_BEGIN_DECLS

/* Through the barrier: the key that tokens are hashed with, who the cluster is, and what its nodes show each other. */
#define BAWN_TOKEN_KEY_KEY "core/token-key"
#define BAWN_CLUSTER_KEY "core/cluster"
#define BAWN_CLUSTER_IDENTITY_KEY "core/cluster-identity"

/* bawn_core_initialize(); @out_doubtful: the storage did not say whether it is in, and the shares may open nothing. */
gboolean bawn_lifecycle_initialize (BawnCore *core, guint shares, guint threshold, GPtrArray **out_shares, char **out_root_token,
                                    gboolean *out_doubtful, GError **error);

/* Whether the storage is initialised, and how it is sealed. Blocks. */
gboolean bawn_lifecycle_look (BawnCore *core, GError **error);

/* With the keys in memory the node serves, or stands by for it; or it is as sealed as before. Under the lifecycle's lock. */
gboolean bawn_lifecycle_open_up (BawnCore *core, BawnKeyring *keyring, GError **error);

/* Has the node withdraw, or seal itself if it is alone, when the storage refuses its fence. */
void bawn_lifecycle_watch (BawnCore *core);

/* What only the lifecycle may do to a core. */
GMutex *bawn_core_get_lifecycle_lock (BawnCore *core);
/* (element-type BawnSecret): the shares that count for the unseal under way; under the lock of the lifecycle. */
GPtrArray *bawn_core_get_given_shares (BawnCore *core);
/* Somebody has it sealed, and may have even while it was: from now on only people unseal it. Under the same lock. */
void bawn_core_keep_sealed (BawnCore *core);
gboolean bawn_core_stays_sealed (BawnCore *core);
BawnActive *bawn_core_new_active (BawnCore *core, BawnSecret *token_key);
/* Unsealed: the keys are there, and the names of the cluster. */
void bawn_core_set_unsealed (BawnCore *core, const char *cluster_name, const char *cluster_id, BawnClusterIdentity *identity);
/* Sealed: whatever a node knows only while it is unsealed is forgotten. */
void bawn_core_set_sealed (BawnCore *core);
gboolean bawn_core_is_unsealed (BawnCore *core);
void bawn_core_set_promotion_times (BawnCore *core, const BawnPromotionTimes *times);
void bawn_core_set_active (BawnCore *core, BawnActive *active);
void bawn_core_set_seal_config (BawnCore *core, gboolean initialized, const BawnSealConfig *config);

G_END_DECLS
