/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-mount.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

#define BAWN_MOUNT_TABLE_KEY "core/mounts"

/**
 * BawnMountTable:
 *
 * All mounts, secrets engines and login methods ("auth/…/") alike, and those that were unmounted and are still being
 * cleared away. One record in the storage; immutable, reference-counted.
 */
typedef struct _BawnMountTable BawnMountTable;

BawnMountTable *bawn_mount_table_new (void);
BawnMountTable *bawn_mount_table_ref (BawnMountTable *table);
void bawn_mount_table_unref (BawnMountTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnMountTable, bawn_mount_table_unref)

/* Never NULL: empty if there is no record. */
gboolean bawn_mount_table_get (BawnTxn *txn, BawnMountTable **out_table, GError **error);
void bawn_mount_table_put (BawnTxn *txn, const BawnMountTable *table);

/* The mount whose path is the longest prefix of @path; borrowed; NULL if there is none. */
BawnMount *bawn_mount_table_route (const BawnMountTable *table, const char *path);
BawnMount *bawn_mount_table_lookup (const BawnMountTable *table, const char *mount_path);
BawnMount *bawn_mount_table_lookup_accessor (const BawnMountTable *table, const char *accessor);
/* A mount at, above or below @mount_path, that stands in the way of a new one. */
BawnMount *bawn_mount_table_conflict (const BawnMountTable *table, const char *mount_path);
guint bawn_mount_table_size (const BawnMountTable *table);
BawnMount *bawn_mount_table_index (const BawnMountTable *table, guint index); /* sorted by path */
guint bawn_mount_table_doomed_size (const BawnMountTable *table);
BawnMount *bawn_mount_table_doomed_index (const BawnMountTable *table, guint index);

/* Each gives a new table. add takes @mount and replaces one of the same path; remove moves the mount to the doomed, from
 * where forget drops it when its leases and entries are gone. */
BawnMountTable *bawn_mount_table_add (const BawnMountTable *table, BawnMount *mount);
BawnMountTable *bawn_mount_table_remove (const BawnMountTable *table, const char *mount_path);
BawnMountTable *bawn_mount_table_forget (const BawnMountTable *table, const char *uuid);

/* A new row: uuid, accessor and view are made up here. @path must end in '/'. */
BawnMount *bawn_mount_table_make (const char *path, const char *type);

G_END_DECLS
