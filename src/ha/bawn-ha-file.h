/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ha/bawn-elector.h"

G_BEGIN_DECLS

/**
 * BawnHaFile:
 *
 * Where the lease of a process is written down, so that it can be released when the process has died: its id and the epoch, as
 * JSON. The file is locked for as long as the process lives. Used by one thread.
 */
typedef struct _BawnHaFile BawnHaFile;

BawnHaFile *bawn_ha_file_new (const char *path, const char *node_id);
void bawn_ha_file_free (BawnHaFile *file);

gboolean bawn_ha_file_write (BawnHaFile *file, guint64 epoch, GError **error);
void bawn_ha_file_remove (BawnHaFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHaFile, bawn_ha_file_free)

/* Opens and locks the file of a process that is dead. TRUE with -1: there is none. */
gboolean bawn_ha_file_open_dead (const char *path, int *out_fd, char **out_node_id, GError **error);
void bawn_ha_file_close_dead (const char *path, int fd, gboolean remove);

G_END_DECLS
