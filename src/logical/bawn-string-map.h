/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* String to string tables: options, metadata. Values are wiped when they go. */
GHashTable *bawn_string_map_new (void);
/* A deep copy, or NULL for NULL. */
GHashTable *bawn_string_map_copy (GHashTable *map);
/* The string members of an object; NULL for a node that is none. */
GHashTable *bawn_string_map_read (const BawnJsonNode *object);
/* An object, keys in bytewise order; null for NULL. */
void bawn_string_map_write (BawnJsonWriter *w, GHashTable *map);

G_END_DECLS
