/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus/bawn-bus-generated.h"
#include "core/bawn-core.h"

G_BEGIN_DECLS

/* "uninitialized", "sealed", "standby" or "active", as StateChanged tells it. */
const char *bawn_bus_state_name (const BawnStatus *status);
/* The property HaState. */
const char *bawn_bus_ha_state_name (const BawnStatus *status);
/* The property Epoch: of whoever is active, as far as is known; 0 if it is not. */
guint64 bawn_bus_epoch (const BawnStatus *status);

/* The property Peers, of type aa{sv}, floating. @peers: of #BawnPeer; @own_id: who is left out. */
GVariant *bawn_bus_peers_to_variant (GPtrArray *peers, const char *own_id);
/* Whether only times of contact differ. */
gboolean bawn_bus_peers_equal (GPtrArray *a, GPtrArray *b);

/* Sets every property that follows from @status. */
void bawn_bus_state_show (BawnDbusBawn1 *object, const BawnStatus *status);

G_END_DECLS
