/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bawn-bus-generated.h"
#include "core/bawn-core.h"

G_BEGIN_DECLS

/**
 * BawnBusNode:
 *
 * The object on the bus: shows what the core says of itself. It is made, refreshed and asked on one
 * thread, by that thread's context.
 */
#define BAWN_TYPE_BUS_NODE (bawn_bus_node_get_type ())
G_DECLARE_FINAL_TYPE (BawnBusNode, bawn_bus_node, BAWN, BUS_NODE, BawnDbusBawn1Skeleton)

/* @listeners: URLs. */
BawnBusNode *bawn_bus_node_new (BawnCore *core, const char *const *listeners);
/* Looks at the core, and tells the bus what has changed before it returns. */
void bawn_bus_node_refresh (BawnBusNode *node);
/* Looks no more. */
void bawn_bus_node_close (BawnBusNode *node);

G_END_DECLS
