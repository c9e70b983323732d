/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where keys are in the tree of nodes. A key "a/b/c" is the data of the node "a/b/_c" below the
 * root, and "a" and "a/b" are nodes without data: so a name can be both key and folder. What
 * ZooKeeper does not take in a name, and what would be mistaken, is written as %XX, byte by byte;
 * each name has exactly one form. */

/* Names of folders are hidden by this from names of keys. */
#define BAWN_ZK_LEAF_MARK '_'

gboolean bawn_zk_path_is_valid (const char *path);
char *bawn_zk_path_of_key (const char *root, const char *key);
/* @prefix: "" or ending in '/'. */
char *bawn_zk_path_of_folder (const char *root, const char *prefix);
/* (nullable): "name" or "name/"; %NULL for a node that we did not make. */
char *bawn_zk_name_of_child (const char *child);

G_END_DECLS
