/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

/**
 * BawnClusterView:
 *
 * What a node knows of its cluster: who leads, what all show each other, who was heard of lately. Thread-safe; its lock is
 * never held while waiting.
 */
typedef struct _BawnClusterView BawnClusterView;

BawnClusterView *bawn_cluster_view_new (void);
void bawn_cluster_view_free (BawnClusterView *view);
BawnLeader *bawn_cluster_view_ref_leader (BawnClusterView *view);

BawnClusterView *bawn_core_get_cluster_view (BawnCore *core);

G_END_DECLS
