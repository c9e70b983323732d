/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* Applies a JSON merge patch (RFC 7386). Values that stay are copied byte by byte. @target (nullable). */
GBytes *bawn_kv_merge_patch (const BawnJsonNode *target, const BawnJsonNode *patch);
/* The names without the values: what is not an object becomes null, and so does what lies deeper than @depth levels; 0 is
 * all of them. */
GBytes *bawn_kv_subkeys (const BawnJsonNode *value, guint depth);

G_END_DECLS
