/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnClusterSettings:
 * @ha_storage_type: (nullable): of [ha-storage]; %NULL: nodes elect through [storage]
 * @lease_ttl_us: how long a lease lasts
 * @renew_us: between its renewals
 * @lease_file: (nullable): where a lease is written down
 *
 * What [ha] and [ha-storage] say.
 */
typedef struct
{
  char *ha_storage_type;
  gint64 lease_ttl_us;
  gint64 renew_us;
  char *lease_file;
} BawnClusterSettings;

/* Reads; what is wrong is noted in @config. */
BawnClusterSettings *bawn_cluster_settings_read (BawnConfig *config);
void bawn_cluster_settings_free (BawnClusterSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnClusterSettings, bawn_cluster_settings_free)

/* Where nodes elect: [ha-storage], or the data's own storage if it can. TRUE with %NULL: this node is alone. */
gboolean bawn_cluster_open_storage (const BawnClusterSettings *settings, BawnConfig *config, const char *data_type,
                                    BawnBackend *data, BawnHaBackend **out_backend, GError **error);

/* `bawnd --release-lease`: what its exit code says. */
int bawn_cluster_release_lease (const BawnClusterSettings *settings, BawnConfig *config, const char *data_type);

/* What `bawnd --release-lease` would have done after the process before this one: nobody else may have, or could. @elections: nullable. */
void bawn_cluster_release_former (const BawnClusterSettings *settings, BawnHaBackend *elections);

/* Hands over to another node, waits until it is known, and then calls @done in the main context. */
void bawn_cluster_hand_over_async (BawnCore *core, GSourceFunc done, gpointer user_data);

G_END_DECLS
