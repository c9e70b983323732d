/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-zk-client.h"
#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/**
 * BawnZkTree:
 *
 * The keys of a storage in a tree of nodes: what the backend does, apart from being one.
 * Thread-safe; calls block.
 */
typedef struct _BawnZkTree BawnZkTree;

/* Makes what is missing at the path of @options, which must outlive it. */
BawnZkTree *
bawn_zk_tree_open (const BawnZkOptions *options, GCancellable *cancellable, GError **error);
void bawn_zk_tree_free (BawnZkTree *self);

gboolean bawn_zk_tree_get (BawnZkTree *self,
                           const char *key,
                           GBytes **out_value,
                           guint64 *out_version,
                           GCancellable *cancellable,
                           GError **error);
gboolean bawn_zk_tree_list (BawnZkTree *self,
                            const char *prefix,
                            const char *after,
                            guint limit,
                            GStrv *out_names,
                            GCancellable *cancellable,
                            GError **error);
gboolean bawn_zk_tree_commit (BawnZkTree *self,
                              const BawnWrite *writes,
                              guint n_writes,
                              const BawnCondition *conditions,
                              guint n_conditions,
                              guint64 *out_version,
                              GCancellable *cancellable,
                              GError **error);
gboolean bawn_zk_tree_wait (BawnZkTree *self,
                            const char *key,
                            guint64 version,
                            gint64 timeout_us,
                            GCancellable *cancellable,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnZkTree, bawn_zk_tree_free)

G_END_DECLS
