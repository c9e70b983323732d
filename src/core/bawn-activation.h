/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"

G_BEGIN_DECLS

/* Through the barrier: who is active. One record, overwritten by each new active node before it serves. */
#define BAWN_LEADER_KEY "core/leader"

/**
 * BawnPromotionTimes:
 * @fence_us: until the storage was ours alone
 * @load_us: until what a node serves with was read
 * @publish_us: until the others could know
 *
 * How long the phases of the last promotion took.
 */
typedef struct
{
  gint64 fence_us;
  gint64 load_us;
  gint64 publish_us;
} BawnPromotionTimes;

gboolean bawn_core_promote (BawnCore *core, guint64 epoch, GCancellable *cancellable, GError **error);
void bawn_core_withdraw (BawnCore *core, const char *reason);
void bawn_core_get_promotion_times (BawnCore *core, BawnPromotionTimes *out_times);

BawnLeader *bawn_leader_parse (GBytes *text, const char *own_node_id, GError **error);
GBytes *bawn_leader_format (const BawnLeader *leader);

G_END_DECLS
