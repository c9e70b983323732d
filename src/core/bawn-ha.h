/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/bawn-core-private.h"
#include "ha/bawn-elector.h"

G_BEGIN_DECLS

/**
 * BawnHa:
 *
 * The node's part in its cluster: the elector's client, and a thread that watches who is active. Every function takes %NULL for a
 * node that is alone.
 */
BawnHa *bawn_ha_new (BawnCore *core, const BawnCoreOptions *options);
void bawn_ha_free (BawnHa *ha);

/* Watches the storage, sealed or not. Does not block. */
void bawn_ha_watch (BawnHa *ha);
/* The node was unsealed: it stands for election. Does not block. */
void bawn_ha_join (BawnHa *ha);
/* Waits until this node is active or knows who is; but not for long. */
void bawn_ha_settle (BawnHa *ha);
/* Withdraws and gives the lease back; goes on watching. Blocks. */
void bawn_ha_leave (BawnHa *ha, const char *reason);
/* Ends the watch; the node must have left. Blocks. */
void bawn_ha_stop (BawnHa *ha);
/* The node was sealed: forgets what it knew of others. */
void bawn_ha_forget (BawnHa *ha);
/* The fence was refused. Any thread. */
void bawn_ha_deposed (BawnHa *ha);
/* This node is active now. */
void bawn_ha_note_leader (BawnHa *ha, BawnLeader *leader);
/* TRUE if what was just read from memory may be answered. Lock-free. */
gboolean bawn_ha_may_serve (BawnHa *ha);
/* The same, for one that may wait: when the lease does not say so, the fence may, where it is kept in another storage than the lease.
 * Asks it once for all who come meanwhile. */
gboolean bawn_ha_confirm (BawnHa *ha, GError **error);
/* TRUE if bawn_ha_confirm() may say more than bawn_ha_may_serve(). */
gboolean bawn_ha_can_confirm (BawnHa *ha);
/* All zero for a node that is alone. */
void bawn_ha_get_info (BawnHa *ha, BawnElectorInfo *out_info);
gboolean bawn_ha_step_down (BawnHa *ha, const char *successor, const char *reason, GError **error);

G_END_DECLS
