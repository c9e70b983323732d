/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/bawn-json.h"

G_BEGIN_DECLS

/**
 * BawnHttpTargetKind:
 * @BAWN_HTTP_TARGET_GOOD: a clean path
 * @BAWN_HTTP_TARGET_MOVED: the clean form is elsewhere
 * @BAWN_HTTP_TARGET_UNPRINTABLE: holds what is not printable UTF-8
 * @BAWN_HTTP_TARGET_BAD: not a path at all
 */
typedef enum
{
  BAWN_HTTP_TARGET_GOOD,
  BAWN_HTTP_TARGET_MOVED,
  BAWN_HTTP_TARGET_UNPRINTABLE,
  BAWN_HTTP_TARGET_BAD,
} BawnHttpTargetKind;

BawnHttpTargetKind bawn_http_target_read (const char *target, char **out_path, const char **out_query);
const char *bawn_http_target_local (const char *target);
char *bawn_http_path_clean (const char *path);
char *bawn_http_path_location (const char *path, const char *query);

/**
 * BawnHttpPairs:
 *
 * The names of a query or form in the order of their coming, each with its values. Wiped when freed.
 */
typedef struct _BawnHttpPairs BawnHttpPairs;

BawnHttpPairs *bawn_http_pairs_parse (const char *text, gsize size, GError **error);
void bawn_http_pairs_free (BawnHttpPairs *pairs);
gboolean bawn_http_pairs_is_empty (const BawnHttpPairs *pairs);
const char *bawn_http_pairs_get (const BawnHttpPairs *pairs, const char *name);
void bawn_http_pairs_remove (BawnHttpPairs *pairs, const char *name);
GBytes *bawn_http_pairs_to_json (const BawnHttpPairs *pairs, gboolean join);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpPairs, bawn_http_pairs_free)

G_END_DECLS
