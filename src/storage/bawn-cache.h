/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-txn.h"

G_BEGIN_DECLS

/**
 * BawnCacheEntry:
 * @key: the key
 * @value: (nullable): the stored bytes; %NULL: known to be absent
 * @version: the version in the storage
 * @kind: (nullable): of what kind @object is
 * @object: (nullable): the entry in parsed form
 *
 * What the cache knows of a key.
 */
typedef struct
{
  char *key;
  GBytes *value;
  guint64 version;
  const BawnObjectKind *kind;
  gpointer object;
  /*< private >*/
  gsize bytes;
  GList link;
} BawnCacheEntry;

/**
 * BawnCache:
 *
 * Entries by key, bounded in bytes; the one that was not used for longest goes first. Not thread-safe: its owner
 * locks. What falls out is kept aside until bawn_cache_take_trash(), so that nothing is freed under that lock.
 */
typedef struct _BawnCache BawnCache;

BawnCache *bawn_cache_new (gsize max_bytes);
void bawn_cache_free (BawnCache *cache);

BawnCacheEntry *bawn_cache_lookup (BawnCache *cache, const char *key);
void bawn_cache_insert (BawnCache *cache, const char *key, GBytes *value, guint64 version);
void bawn_cache_attach (BawnCache *cache, BawnCacheEntry *entry, const BawnObjectKind *kind,
                        gpointer object);
void bawn_cache_remove (BawnCache *cache, const char *key);
void bawn_cache_clear (BawnCache *cache);
gsize bawn_cache_get_bytes (BawnCache *cache);
guint bawn_cache_get_entries (BawnCache *cache);

/* A chain of what fell out; %NULL if nothing did. */
GList *bawn_cache_take_trash (BawnCache *cache);
void bawn_cache_free_trash (GList *trash);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCache, bawn_cache_free)

G_END_DECLS
