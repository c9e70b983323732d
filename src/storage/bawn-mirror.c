/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-mirror.h"

#include "storage/bawn-cache.h"

/* How often a read that raced with a commit is made again before it is taken as it is: right at the
 * moment it was made, but not to be compared with other reads. */
#define MAX_TRIES 4

/* A read that is waiting for the storage. */
typedef struct
{
  const char *name;
  gboolean overtaken; /* a batch that changes the name was sent meanwhile */
  GList link;
} Flight;

struct _BawnMirror
{
  gatomicrefcount refs;
  BawnBackend *backend;
  GMutex lock;
  GCond landed;
  BawnCache *cache;
  BawnHistory *history;
  GQueue flights;
  GHashTable *departed; /* (nullable) */
  guint64 landings;
  gboolean open;
  guint64 hits;
  guint64 misses;
};

static gboolean
is_departed (BawnMirror *mirror, const char *name)
{
  return mirror->departed != NULL && g_hash_table_contains (mirror->departed, name);
}

static void
unlock_and_free_trash (BawnMirror *mirror)
{
  GList *trash = bawn_cache_take_trash (mirror->cache);

  g_mutex_unlock (&mirror->lock);
  bawn_cache_free_trash (trash);
}

static void
overtake_all (BawnMirror *mirror)
{
  for (GList *l = mirror->flights.head; l != NULL; l = l->next)
    ((Flight *) l->data)->overtaken = TRUE;
}

/* While the name is on its way to the storage, the storage may answer with what is not committed
 * yet as far as memory knows. What was read then must not be shown before the batch has landed, or
 * the reader's next look at the cache would take it back in time. */
static gboolean
wait_for_landing_locked (BawnMirror *mirror, const char *name)
{
  gboolean waited = FALSE;

  for (; is_departed (mirror, name); waited = TRUE)
    g_cond_wait (&mirror->landed, &mirror->lock);
  return waited;
}

static void
take_off_locked (BawnMirror *mirror, Flight *flight, const char *name)
{
  *flight = (Flight){ .name = name };
  flight->link.data = flight;
  g_queue_push_tail_link (&mirror->flights, &flight->link);
}

/* TRUE if what the storage said may be used. */
static gboolean
touch_down_locked (BawnMirror *mirror, Flight *flight, guint try, guint64 *out_since)
{
  g_queue_unlink (&mirror->flights, &flight->link);
  if (!flight->overtaken)
    {
      *out_since = bawn_history_get_now (mirror->history);
      return TRUE;
    }

  wait_for_landing_locked (mirror, flight->name);
  *out_since = 0;
  return try + 1 == MAX_TRIES;
}

static gboolean
get_cached_locked (BawnMirror *mirror,
                   const char *key,
                   const BawnObjectKind *kind,
                   BawnGlimpse *out_glimpse)
{
  BawnCacheEntry *entry = bawn_cache_lookup (mirror->cache, key);

  if (entry == NULL)
    return FALSE;

  *out_glimpse =
      (BawnGlimpse){ .version = entry->version, .since = bawn_history_get_now (mirror->history) };
  if (kind != NULL && entry->object != NULL && entry->kind == kind)
    out_glimpse->object = kind->ref (entry->object);
  else if (entry->value != NULL)
    out_glimpse->value = g_bytes_ref (entry->value);
  mirror->hits++;
  return TRUE;
}

/* Of two readers who asked at the same time, the second must not throw away what the first has
 * parsed. */
static void
keep_locked (BawnMirror *mirror, const char *key, GBytes *value, guint64 version)
{
  const BawnCacheEntry *entry = bawn_cache_lookup (mirror->cache, key);

  if (entry == NULL || entry->version != version)
    bawn_cache_insert (mirror->cache, key, value, version);
}

/* Called and left with the lock held; asks the storage without it. */
static gboolean
get_stored_locked (BawnMirror *mirror,
                   const char *key,
                   const BawnObjectKind *kind,
                   BawnGlimpse *out_glimpse,
                   GError **error)
{
  mirror->misses++;
  for (guint try = 0; try < MAX_TRIES; try++)
    {
      g_autoptr (GBytes) value = NULL;
      guint64 version = 0;
      guint64 since = 0;
      Flight flight;

      /* What has landed meanwhile has left its value in the cache. */
      if ((wait_for_landing_locked (mirror, key) || try > 0)
          && get_cached_locked (mirror, key, kind, out_glimpse))
        return TRUE;

      take_off_locked (mirror, &flight, key);
      g_mutex_unlock (&mirror->lock);

      gboolean ok = bawn_backend_get (mirror->backend, key, &value, &version, NULL, error);

      g_mutex_lock (&mirror->lock);

      gboolean settled = touch_down_locked (mirror, &flight, try, &since);

      if (!ok)
        return FALSE;
      if (!settled)
        continue;
      if (since != 0 && mirror->open)
        keep_locked (mirror, key, value, version);
      *out_glimpse =
          (BawnGlimpse){ .value = g_steal_pointer (&value), .version = version, .since = since };
      return TRUE;
    }

  g_assert_not_reached ();
}

/**
 * bawn_mirror_new:
 * @backend: the storage
 * @cache_bytes: how much to keep of it
 *
 * Returns: (transfer full): a mirror without a term
 */
BawnMirror *
bawn_mirror_new (BawnBackend *backend, gsize cache_bytes)
{
  BawnMirror *mirror = g_new0 (BawnMirror, 1);

  g_atomic_ref_count_init (&mirror->refs);
  mirror->backend = g_object_ref (backend);
  g_mutex_init (&mirror->lock);
  g_cond_init (&mirror->landed);
  mirror->cache = bawn_cache_new (cache_bytes);
  mirror->history = bawn_history_new ();
  return mirror;
}

/**
 * bawn_mirror_ref:
 * @mirror: a mirror
 *
 * Returns: (transfer full): @mirror
 */
BawnMirror *
bawn_mirror_ref (BawnMirror *mirror)
{
  g_atomic_ref_count_inc (&mirror->refs);
  return mirror;
}

/**
 * bawn_mirror_unref:
 * @mirror: (transfer full): a mirror
 */
void
bawn_mirror_unref (BawnMirror *mirror)
{
  if (!g_atomic_ref_count_dec (&mirror->refs))
    return;

  bawn_cache_free (mirror->cache);
  bawn_history_free (mirror->history);
  g_cond_clear (&mirror->landed);
  g_mutex_clear (&mirror->lock);
  g_object_unref (mirror->backend);
  g_free (mirror);
}

/**
 * bawn_mirror_enter:
 * @mirror: a mirror
 * @presence: a transaction's place in the history
 */
void
bawn_mirror_enter (BawnMirror *mirror, BawnPresence *presence)
{
  g_mutex_lock (&mirror->lock);
  bawn_history_enter (mirror->history, presence);
  g_mutex_unlock (&mirror->lock);
}

/**
 * bawn_mirror_leave:
 * @mirror: a mirror
 * @presence: what bawn_mirror_enter() was given
 */
void
bawn_mirror_leave (BawnMirror *mirror, BawnPresence *presence)
{
  g_mutex_lock (&mirror->lock);
  bawn_history_leave (mirror->history, presence);
  g_mutex_unlock (&mirror->lock);
}

/**
 * bawn_mirror_get:
 * @mirror: a mirror
 * @key: the key
 * @kind: (nullable): the parsed form that would be taken instead of the bytes
 * @may_block: whether the storage may be asked
 * @out_glimpse: (out): what was seen
 * @error: (out) (optional): WOULD_BLOCK, or what the storage says
 *
 * Returns: %TRUE, also if the key is absent
 */
gboolean
bawn_mirror_get (BawnMirror *mirror,
                 const char *key,
                 const BawnObjectKind *kind,
                 gboolean may_block,
                 BawnGlimpse *out_glimpse,
                 GError **error)
{
  g_mutex_lock (&mirror->lock);
  if (get_cached_locked (mirror, key, kind, out_glimpse))
    {
      g_mutex_unlock (&mirror->lock);
      return TRUE;
    }
  if (!may_block)
    {
      g_mutex_unlock (&mirror->lock);
      return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "the storage must be asked");
    }

  gboolean ok = get_stored_locked (mirror, key, kind, out_glimpse, error);

  unlock_and_free_trash (mirror);
  return ok;
}

/**
 * bawn_mirror_attach:
 * @mirror: a mirror
 * @key: a key that was seen
 * @value: with these bytes, the very same that bawn_mirror_get() gave
 * @kind: of what kind @object is
 * @object: what was parsed out of them
 *
 * Keeps @object beside the entry, unless that is gone or has changed.
 */
void
bawn_mirror_attach (
    BawnMirror *mirror, const char *key, GBytes *value, const BawnObjectKind *kind, gpointer object)
{
  g_mutex_lock (&mirror->lock);

  BawnCacheEntry *entry = bawn_cache_lookup (mirror->cache, key);

  if (entry != NULL && entry->value == value)
    bawn_cache_attach (mirror->cache, entry, kind, object);
  unlock_and_free_trash (mirror);
}

/**
 * bawn_mirror_list:
 * @mirror: a mirror
 * @prefix: "" or a folder
 * @after: (nullable): the last name of the page before
 * @limit: as for bawn_backend_list()
 * @may_block: whether the storage may be asked: listings are not kept
 * @out_names: (out) (transfer full): the names
 * @out_since: (out): the commit after which this holds; 0 if it cannot be told
 * @error: (out) (optional): WOULD_BLOCK, or what the storage says
 *
 * Returns: %TRUE, also if there is none
 */
gboolean
bawn_mirror_list (BawnMirror *mirror,
                  const char *prefix,
                  const char *after,
                  guint limit,
                  gboolean may_block,
                  GStrv *out_names,
                  guint64 *out_since,
                  GError **error)
{
  if (!may_block)
    return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "the storage must be asked");

  for (guint try = 0; try < MAX_TRIES; try++)
    {
      g_auto (GStrv) names = NULL;
      guint64 since = 0;
      Flight flight;

      g_mutex_lock (&mirror->lock);
      wait_for_landing_locked (mirror, prefix);
      take_off_locked (mirror, &flight, prefix);
      g_mutex_unlock (&mirror->lock);

      gboolean ok = bawn_backend_list (mirror->backend, prefix, after, limit, &names, NULL, error);

      g_mutex_lock (&mirror->lock);

      gboolean settled = touch_down_locked (mirror, &flight, try, &since);

      g_mutex_unlock (&mirror->lock);
      if (!ok)
        return FALSE;
      if (!settled)
        continue;
      *out_names = g_steal_pointer (&names);
      *out_since = since;
      return TRUE;
    }

  g_assert_not_reached ();
}

/**
 * bawn_mirror_judge:
 * @mirror: a mirror
 * @reads: what a transaction has read
 *
 * Returns: %TRUE if it would read the same now
 */
gboolean
bawn_mirror_judge (BawnMirror *mirror, const BawnReadset *reads)
{
  gboolean valid = TRUE;

  g_mutex_lock (&mirror->lock);
  for (guint i = 0; valid && i < bawn_readset_get_size (reads); i++)
    {
      const BawnRead *read = bawn_readset_get (reads, i);

      valid =
          bawn_history_is_unchanged (mirror->history, bawn_readset_name (reads, read), read->since);
    }
  g_mutex_unlock (&mirror->lock);

  return valid;
}

/**
 * bawn_mirror_trusts:
 * @mirror: a mirror
 * @since: of a read
 *
 * Returns: %TRUE if what was read was so at the moment of its reading
 */
gboolean
bawn_mirror_trusts (BawnMirror *mirror, guint64 since)
{
  /* It raced with a commit, and came from the storage for that reason. */
  if (since == 0)
    return TRUE;

  g_mutex_lock (&mirror->lock);

  gboolean known = bawn_history_knows (mirror->history, since);

  g_mutex_unlock (&mirror->lock);
  return known;
}

/**
 * bawn_mirror_open:
 * @mirror: a mirror
 *
 * This process is the only writer from now on: entries are kept. What was read before counts for
 * nothing.
 */
void
bawn_mirror_open (BawnMirror *mirror)
{
  g_mutex_lock (&mirror->lock);
  overtake_all (mirror);
  bawn_cache_clear (mirror->cache);
  bawn_history_break (mirror->history);
  mirror->open = TRUE;
  unlock_and_free_trash (mirror);
}

/**
 * bawn_mirror_close:
 * @mirror: a mirror
 *
 * The opposite: nothing is kept, parsed forms included.
 */
void
bawn_mirror_close (BawnMirror *mirror)
{
  g_mutex_lock (&mirror->lock);
  overtake_all (mirror);
  bawn_cache_clear (mirror->cache);
  bawn_history_break (mirror->history);
  mirror->open = FALSE;
  unlock_and_free_trash (mirror);
}

/**
 * bawn_mirror_depart:
 * @mirror: a mirror without a batch under way
 * @touched: the names it changes
 *
 * To be called before a batch is sent.
 */
void
bawn_mirror_depart (BawnMirror *mirror, GHashTable *touched)
{
  g_mutex_lock (&mirror->lock);
  g_assert (mirror->departed == NULL);
  mirror->departed = touched;
  for (GList *l = mirror->flights.head; l != NULL; l = l->next)
    {
      Flight *flight = l->data;

      flight->overtaken = flight->overtaken || g_hash_table_contains (touched, flight->name);
    }
  g_mutex_unlock (&mirror->lock);
}

/**
 * bawn_mirror_land:
 * @mirror: a mirror with a batch under way
 * @writes: (array length=n_writes): what the batch wrote
 * @n_writes: how many
 * @version: the version they have got; 0 if the batch did not get in
 *
 * To be called when the batch's outcome is known, before anybody is told of it.
 */
void
bawn_mirror_land (BawnMirror *mirror, const BawnWrite *writes, guint n_writes, guint64 version)
{
  GHashTableIter iter;
  gpointer name = NULL;

  g_mutex_lock (&mirror->lock);
  if (version != 0)
    {
      bawn_history_advance (mirror->history);
      g_hash_table_iter_init (&iter, mirror->departed);
      while (g_hash_table_iter_next (&iter, &name, NULL))
        bawn_history_note (mirror->history, name);
      for (guint i = 0; mirror->open && i < n_writes; i++)
        bawn_cache_insert (mirror->cache, writes[i].key,
                           writes[i].kind == BAWN_WRITE_PUT ? writes[i].value : NULL,
                           writes[i].kind == BAWN_WRITE_PUT ? version : 0);
    }
  mirror->departed = NULL;
  g_cond_broadcast (&mirror->landed);
  unlock_and_free_trash (mirror);
}

/**
 * bawn_mirror_add_stats:
 * @mirror: a mirror
 * @stats: where the cache's numbers are set
 */
void
bawn_mirror_add_stats (BawnMirror *mirror, BawnStoreStats *stats)
{
  g_mutex_lock (&mirror->lock);
  stats->cache_hits = mirror->hits;
  stats->cache_misses = mirror->misses;
  stats->cache_bytes = bawn_cache_get_bytes (mirror->cache);
  stats->cache_entries = bawn_cache_get_entries (mirror->cache);
  g_mutex_unlock (&mirror->lock);
}
