/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-rest-json.h"
#include "backend/bawn-rest.h"
#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/**
 * BawnEtcd:
 *
 * A client of etcd's v3 API over its JSON gateway, as one storage needs it. Thread-safe once it is
 * open; calls block.
 *
 * A key of ours is a key of etcd with the configured prefix before it, so that rights can be given
 * to the range of that prefix, and people see with `etcdctl get --prefix bawn/` what they expect.
 * Versions are etcd's revisions.
 */
typedef struct _BawnEtcd BawnEtcd;

/* Reads all keys of etcd's in @group; what is wrong is noted there. */
BawnEtcd *bawn_etcd_new (BawnConfigGroup *group);
/* Reads files; connects to nobody. */
gboolean bawn_etcd_open (BawnEtcd *etcd, GError **error);
/* Asks for @key; FALSE with INVALID only if the server answers and refuses us: TRUE as well if it
 * cannot be reached. */
gboolean
bawn_etcd_check_access (BawnEtcd *etcd, const char *key, GCancellable *cancellable, GError **error);
void bawn_etcd_free (BawnEtcd *etcd);

gboolean bawn_etcd_is_ha_enabled (BawnEtcd *etcd);
void bawn_etcd_get_limits (BawnEtcd *etcd, BawnBackendLimits *out_limits);

gboolean bawn_etcd_get (BawnEtcd *etcd,
                        const char *key,
                        GBytes **out_value,
                        guint64 *out_version,
                        GCancellable *cancellable,
                        GError **error);
gboolean bawn_etcd_list (BawnEtcd *etcd,
                         const char *prefix,
                         const char *after,
                         guint limit,
                         GStrv *out_names,
                         GCancellable *cancellable,
                         GError **error);
gboolean bawn_etcd_commit (BawnEtcd *etcd,
                           const BawnWrite *writes,
                           guint n_writes,
                           const BawnCondition *conditions,
                           guint n_conditions,
                           guint64 *out_version,
                           GCancellable *cancellable,
                           GError **error);
gboolean bawn_etcd_wait (BawnEtcd *etcd,
                         const char *key,
                         guint64 version,
                         gint64 timeout_us,
                         GCancellable *cancellable,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnEtcd, bawn_etcd_free)

G_END_DECLS
