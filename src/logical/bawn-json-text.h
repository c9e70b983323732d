/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/* For those who rewrite a caller's document: it may be nested deeper than a #BawnJsonWriter keeps account of, so
 * they write its brackets themselves. */
void bawn_json_append_quoted (BawnBuffer *out, const char *text, gsize size);
/* A member's name and its colon, after a comma unless it is the first. */
void bawn_json_append_name (BawnBuffer *out, const BawnJsonNode *member, gboolean *inout_first);

G_END_DECLS
