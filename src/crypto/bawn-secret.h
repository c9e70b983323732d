/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * BawnSecret:
 *
 * Key material: a fixed number of bytes in pages that are locked, kept out of core dumps and out of
 * forked children, fenced by guard pages, and wiped when the last owner lets go. Reference-counted
 * and immutable once filled; thread-safe.
 */
typedef struct _BawnSecret BawnSecret;

/* Must run before the first secret is made; FALSE with words for an operator when memory cannot be
 * locked and @require_lock is set. Without a call, secrets work and locking is best effort. */
gboolean bawn_secret_arena_open (gboolean require_lock, GError **error);

/* What key material takes now, in bytes of whole pages. */
void bawn_secret_get_usage (gsize *out_locked, gsize *out_unlocked);

/* bawn_secret_new() ends the process when memory of the required kind runs out; bawn_secret_try_new() fails. */
BawnSecret *bawn_secret_new (gsize size, guint8 **out_data);
BawnSecret *bawn_secret_try_new (gsize size, guint8 **out_data, GError **error);
BawnSecret *bawn_secret_new_copy (gconstpointer data, gsize size);
BawnSecret *bawn_secret_new_random (gsize size);
BawnSecret *bawn_secret_ref (BawnSecret *secret);
void bawn_secret_unref (BawnSecret *secret);
const guint8 *bawn_secret_data (const BawnSecret *secret);
gsize bawn_secret_size (const BawnSecret *secret);
gboolean bawn_secret_equal (const BawnSecret *a, const BawnSecret *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSecret, bawn_secret_unref)

G_END_DECLS
