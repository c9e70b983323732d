/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-readset.h"

#include <string.h>

/* What a common request reads: token, policies, mount, entry. */
#define COMMON_READS 8
#define COMMON_NAMES 512

/**
 * bawn_readset_init:
 * @set: (out): becomes an empty set
 */
void
bawn_readset_init (BawnReadset *set)
{
  set->reads = g_array_sized_new (FALSE, FALSE, sizeof (BawnRead), COMMON_READS);
  set->names = g_string_sized_new (COMMON_NAMES);
}

/**
 * bawn_readset_clear:
 * @set: a set
 */
void
bawn_readset_clear (BawnReadset *set)
{
  g_clear_pointer (&set->reads, g_array_unref);
  g_string_free (g_steal_pointer (&set->names), TRUE);
}

/**
 * bawn_readset_add:
 * @set: a set
 * @name: the key or folder that was read
 * @since: the commit after which it was read; 0: it cannot be told
 * @present: for a key, whether it was there
 */
void
bawn_readset_add (BawnReadset *set, const char *name, guint64 since, gboolean present)
{
  BawnRead read = { set->names->len, since, present };

  g_array_append_val (set->reads, read);
  g_string_append_len (set->names, name, (gssize) strlen (name) + 1);
}

/**
 * bawn_readset_get_size:
 * @set: a set
 *
 * Returns: how many reads were made
 */
guint
bawn_readset_get_size (const BawnReadset *set)
{
  return set->reads->len;
}

/**
 * bawn_readset_get:
 * @set: a set
 * @i: less than its size
 *
 * Returns: (transfer none): a read, until the next one is added
 */
const BawnRead *
bawn_readset_get (const BawnReadset *set, guint i)
{
  return &g_array_index (set->reads, BawnRead, i);
}

/**
 * bawn_readset_name:
 * @set: a set
 * @read: a read of it
 *
 * Returns: (transfer none): its name, until the next one is added
 */
const char *
bawn_readset_name (const BawnReadset *set, const BawnRead *read)
{
  return set->names->str + read->name;
}

/**
 * bawn_readset_index:
 * @set: a set
 *
 * Returns: (transfer full): a table from name to #BawnRead
 */
GHashTable *
bawn_readset_index (const BawnReadset *set)
{
  GHashTable *index = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < bawn_readset_get_size (set); i++)
    {
      const BawnRead *read = bawn_readset_get (set, i);

      g_hash_table_insert (index, (gpointer) bawn_readset_name (set, read), (gpointer) read);
    }

  return index;
}
