/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-elector.h"

G_BEGIN_DECLS

/* Of a node's name in the record: an address with a host name and a port is far below. */
#define BAWN_HA_LOCK_MAX_NAME 1024
/* Of the whole record: three names, each byte of them as "\u00xx", and the rest. */
#define BAWN_HA_LOCK_MAX_BYTES (20 * 1024)
/* An epoch that leaves room to go on; JSON has no larger integers for us. */
#define BAWN_HA_EPOCH_MAX (G_MAXINT64 - 1)

/**
 * BawnHaLock:
 * @epoch: which term of office it is
 * @renewal: how often it was renewed
 * @held: whether somebody holds it; otherwise @holder has let go of it
 * @ttl_us: for how long it must be silent before somebody else may take it
 * @holder: node_id of who holds it, or has let go of it
 * @name: node_name of that node
 * @successor: (nullable): node_name of who should take it, if it is free
 *
 * The record at %BAWN_ELECTOR_LOCK_KEY, as JSON in the open: nothing in it is secret.
 */
typedef struct
{
  guint64 epoch;
  guint64 renewal;
  gboolean held;
  gint64 ttl_us;
  char *holder;
  char *name;
  char *successor;
} BawnHaLock;

gboolean bawn_ha_lock_parse (GBytes *text, BawnHaLock *out_lock, GError **error);
GBytes *bawn_ha_lock_format (const BawnHaLock *lock);
void bawn_ha_lock_clear (BawnHaLock *lock);
/* Whether a text may be a name in the record. */
gboolean bawn_ha_lock_name_is_valid (const char *name);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnHaLock, bawn_ha_lock_clear)

G_END_DECLS
