/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Stands between SQLite and the system's calls, for tests: writes and syncs fail on demand, and what a power cut
 * would leave of a file can be had. Installed once, before any file is opened. */
void bawn_vfs_fault_install (void);

/* The next @times writes find the disk full. */
void bawn_vfs_fault_fill (guint times);
/* The next @times syncs fail; whether the data is on the disk then, nobody knows. */
void bawn_vfs_fault_break_sync (guint times);
/* After each sync of a file, a copy of it as @directory/NAME; %NULL: no more. */
void bawn_vfs_fault_mirror (const char *directory);

G_END_DECLS
