/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

#define BAWN_SHARE_MIN_SIZE 16
#define BAWN_SHARE_MAX_SIZE 33

/* As people hand it in: hex, or else base64. INVALID with the API's words. */
BawnSecret *bawn_share_parse (const char *text, GError **error);

/* A new key of a seal with its shares; see bawn_barrier_init_store() for their form. */
gboolean bawn_share_make (guint shares, guint threshold, BawnSecret **out_kek, GPtrArray **out_shares, GError **error);

G_END_DECLS
