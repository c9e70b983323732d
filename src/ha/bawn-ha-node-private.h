/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-ha-node.h"

G_BEGIN_DECLS

BawnHaVerdict bawn_ha_node_step (BawnHaNode *node, BawnHaEvent event, const char *reason, gint64 now);

G_END_DECLS
