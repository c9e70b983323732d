/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * BawnRead:
 * @name: where its name begins, see bawn_readset_name()
 * @since: the commit after which it was read
 * @present: for a key, whether it was there
 */
typedef struct
{
  gsize name;
  guint64 since;
  gboolean present;
} BawnRead;

/**
 * BawnReadset:
 * @reads: (element-type BawnRead): in the order they were made
 * @names: their names, each with its NUL
 *
 * What a transaction has seen: keys, and folders for listings.
 */
typedef struct
{
  GArray *reads;
  GString *names;
} BawnReadset;

void bawn_readset_init (BawnReadset *set);
void bawn_readset_clear (BawnReadset *set);
void bawn_readset_add (BawnReadset *set, const char *name, guint64 since, gboolean present);
guint bawn_readset_get_size (const BawnReadset *set);
const BawnRead *bawn_readset_get (const BawnReadset *set, guint i);
const char *bawn_readset_name (const BawnReadset *set, const BawnRead *read);
/* By name; the set must not grow while the index is in use. */
GHashTable *bawn_readset_index (const BawnReadset *set);

G_END_DECLS
