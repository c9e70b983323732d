/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Private to this folder: the memory below BawnSecret. One arena per process, thread-safe. */
typedef struct _BawnArenaChunk BawnArenaChunk;

gboolean bawn_arena_open (gboolean require_lock, GError **error);
guint8 *bawn_arena_alloc (gsize size, BawnArenaChunk **out_chunk, GError **error);
void bawn_arena_free (BawnArenaChunk *chunk, guint8 *data, gsize size);
void bawn_arena_get_usage (gsize *out_locked, gsize *out_unlocked);

G_END_DECLS
