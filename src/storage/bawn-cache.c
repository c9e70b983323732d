/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-cache.h"

#include <string.h>

/* What an entry costs beside its key and value: the struct, the GBytes, a slot of the table,
 * malloc's own. */
#define ENTRY_OVERHEAD (sizeof (BawnCacheEntry) + 128)

struct _BawnCache
{
  GHashTable *entries;
  GQueue recent;
  GQueue trash;
  gsize bytes;
  gsize max_bytes;
};

static void
entry_free (BawnCacheEntry *entry)
{
  if (entry->object != NULL)
    entry->kind->unref (entry->object);
  g_clear_pointer (&entry->value, g_bytes_unref);
  g_free (entry->key);
  g_free (entry);
}

static void
discard (BawnCache *cache, BawnCacheEntry *entry)
{
  g_hash_table_remove (cache->entries, entry->key);
  g_queue_unlink (&cache->recent, &entry->link);
  g_queue_push_tail_link (&cache->trash, &entry->link);
  cache->bytes -= entry->bytes;
}

static void
shrink (BawnCache *cache)
{
  while (cache->bytes > cache->max_bytes)
    discard (cache, cache->recent.tail->data);
}

/**
 * bawn_cache_new:
 * @max_bytes: how much it may hold; 0 makes a cache that keeps nothing
 *
 * Returns: (transfer full): an empty cache
 */
BawnCache *
bawn_cache_new (gsize max_bytes)
{
  BawnCache *cache = g_new0 (BawnCache, 1);

  cache->entries = g_hash_table_new (g_str_hash, g_str_equal);
  cache->max_bytes = max_bytes;
  return cache;
}

/**
 * bawn_cache_free:
 * @cache: (transfer full): a cache
 */
void
bawn_cache_free (BawnCache *cache)
{
  bawn_cache_clear (cache);
  bawn_cache_free_trash (bawn_cache_take_trash (cache));
  g_hash_table_unref (cache->entries);
  g_free (cache);
}

/**
 * bawn_cache_lookup:
 * @cache: a cache
 * @key: a key
 *
 * Returns: (transfer none) (nullable): what is known, until the lock is given up; %NULL if nothing
 * is
 */
BawnCacheEntry *
bawn_cache_lookup (BawnCache *cache, const char *key)
{
  BawnCacheEntry *entry = g_hash_table_lookup (cache->entries, key);

  if (entry != NULL && cache->recent.head != &entry->link)
    {
      g_queue_unlink (&cache->recent, &entry->link);
      g_queue_push_head_link (&cache->recent, &entry->link);
    }

  return entry;
}

/**
 * bawn_cache_insert:
 * @cache: a cache
 * @key: a key
 * @value: (nullable): its stored bytes; %NULL: it is absent
 * @version: its version
 *
 * Replaces what was known, its parsed form included.
 */
void
bawn_cache_insert (BawnCache *cache, const char *key, GBytes *value, guint64 version)
{
  BawnCacheEntry *entry = g_new0 (BawnCacheEntry, 1);

  bawn_cache_remove (cache, key);
  entry->key = g_strdup (key);
  entry->value = value != NULL ? g_bytes_ref (value) : NULL;
  entry->version = version;
  entry->bytes = ENTRY_OVERHEAD + strlen (key) + (value != NULL ? g_bytes_get_size (value) : 0);
  entry->link.data = entry;
  g_hash_table_insert (cache->entries, entry->key, entry);
  g_queue_push_head_link (&cache->recent, &entry->link);
  cache->bytes += entry->bytes;
  shrink (cache);
}

/**
 * bawn_cache_attach:
 * @cache: a cache
 * @entry: an entry of it, present
 * @kind: of what kind @object is
 * @object: the entry in parsed form; a reference is taken
 *
 * Keeps @object beside @entry. It is counted as if it were as large as the stored bytes. @entry may
 * be gone afterwards.
 */
void
bawn_cache_attach (BawnCache *cache,
                   BawnCacheEntry *entry,
                   const BawnObjectKind *kind,
                   gpointer object)
{
  if (entry->object != NULL)
    return;

  entry->kind = kind;
  entry->object = kind->ref (object);
  entry->bytes += g_bytes_get_size (entry->value);
  cache->bytes += g_bytes_get_size (entry->value);
  shrink (cache);
}

/**
 * bawn_cache_remove:
 * @cache: a cache
 * @key: a key, known or not
 */
void
bawn_cache_remove (BawnCache *cache, const char *key)
{
  BawnCacheEntry *entry = g_hash_table_lookup (cache->entries, key);

  if (entry != NULL)
    discard (cache, entry);
}

/**
 * bawn_cache_clear:
 * @cache: a cache
 *
 * Forgets everything.
 */
void
bawn_cache_clear (BawnCache *cache)
{
  while (cache->recent.head != NULL)
    discard (cache, cache->recent.head->data);
}

/**
 * bawn_cache_get_bytes:
 * @cache: a cache
 *
 * Returns: how many bytes it holds
 */
gsize
bawn_cache_get_bytes (BawnCache *cache)
{
  return cache->bytes;
}

/**
 * bawn_cache_get_entries:
 * @cache: a cache
 *
 * Returns: how many keys it knows
 */
guint
bawn_cache_get_entries (BawnCache *cache)
{
  return g_hash_table_size (cache->entries);
}

/**
 * bawn_cache_take_trash:
 * @cache: a cache
 *
 * Returns: (transfer full) (nullable): what fell out since, for bawn_cache_free_trash() without the
 * lock
 */
GList *
bawn_cache_take_trash (BawnCache *cache)
{
  GList *trash = cache->trash.head;

  g_queue_init (&cache->trash);
  return trash;
}

/**
 * bawn_cache_free_trash:
 * @trash: (transfer full) (nullable): from bawn_cache_take_trash()
 */
void
bawn_cache_free_trash (GList *trash)
{
  while (trash != NULL)
    {
      BawnCacheEntry *entry = trash->data;

      trash = trash->next;
      entry_free (entry);
    }
}
