/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy.h"

/**
 * SECTION: what it keys by
 *
 * An ACL depends on the policies' texts only, and a policy that is stored anew is parsed anew. So
 * the addresses of the parsed policies are the key: an entry holds its policies, and no address is
 * used again while it is in the table. Nothing need be told when a policy changes; what is no
 * longer asked for falls out when the table is full.
 */
typedef struct
{
  guint n;
  BawnPolicy **policies;
  BawnAcl *acl;
} Entry;

struct _BawnAclCache
{
  GMutex mutex;
  GHashTable *entries; /* Entry, its own key */
  guint max_entries;
};

static guint
entry_hash (gconstpointer data)
{
  const Entry *entry = data;
  guint hash = entry->n;

  for (guint i = 0; i < entry->n; i++)
    hash = hash * 31 + g_direct_hash (entry->policies[i]);

  return hash;
}

static gboolean
entry_equal (gconstpointer a, gconstpointer b)
{
  const Entry *one = a;
  const Entry *other = b;

  if (one->n != other->n)
    return FALSE;
  for (guint i = 0; i < one->n; i++)
    if (one->policies[i] != other->policies[i])
      return FALSE;

  return TRUE;
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  for (guint i = 0; i < entry->n; i++)
    bawn_policy_unref (entry->policies[i]);
  g_free (entry->policies);
  bawn_acl_unref (entry->acl);
  g_free (entry);
}

static Entry *
entry_new (const Entry *like, BawnAcl *acl)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->n = like->n;
  entry->policies = g_new0 (BawnPolicy *, MAX (like->n, 1));
  for (guint i = 0; i < like->n; i++)
    entry->policies[i] = bawn_policy_ref (like->policies[i]);
  entry->acl = bawn_acl_ref (acl);

  return entry;
}

/**
 * bawn_acl_cache_new:
 * @max_entries: how many sets of policies are kept; above 0
 *
 * Returns: (transfer full): an empty cache
 */
BawnAclCache *
bawn_acl_cache_new (guint max_entries)
{
  g_return_val_if_fail (max_entries > 0, NULL);

  BawnAclCache *cache = g_new0 (BawnAclCache, 1);

  g_mutex_init (&cache->mutex);
  cache->entries = g_hash_table_new_full (entry_hash, entry_equal, entry_free, NULL);
  cache->max_entries = max_entries;

  return cache;
}

/**
 * bawn_acl_cache_free:
 * @cache: (transfer full): a cache that nobody uses any more
 */
void
bawn_acl_cache_free (BawnAclCache *cache)
{
  g_hash_table_unref (cache->entries);
  g_mutex_clear (&cache->mutex);
  g_free (cache);
}

/**
 * bawn_acl_cache_clear:
 * @cache: a cache
 *
 * Lets go of all that it holds; ACLs handed out live on.
 */
void
bawn_acl_cache_clear (BawnAclCache *cache)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cache->mutex);

  g_hash_table_remove_all (cache->entries);
}

static BawnAcl *
find_acl (BawnAclCache *cache, const Entry *probe)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cache->mutex);
  const Entry *entry = g_hash_table_lookup (cache->entries, probe);

  return entry != NULL ? bawn_acl_ref (entry->acl) : NULL;
}

/* A full table is emptied: those in use are back after one request each, and there is no order to
 * keep on every hit. */
static void
keep_acl (BawnAclCache *cache, const Entry *probe, BawnAcl *acl)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cache->mutex);

  if (g_hash_table_size (cache->entries) >= cache->max_entries)
    g_hash_table_remove_all (cache->entries);
  g_hash_table_add (cache->entries, entry_new (probe, acl));
}

/**
 * bawn_acl_cache_get:
 * @cache: a cache
 * @txn: an unscoped transaction
 * @names: names of policies
 * @out_acl: (out): what they allow together, as they are stored now
 * @error: why they could not be read
 *
 * Returns: %FALSE with @error
 */
gboolean
bawn_acl_cache_get (
    BawnAclCache *cache, BawnTxn *txn, const char *const *names, BawnAcl **out_acl, GError **error)
{
  g_autoptr (GPtrArray) policies =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_policy_unref);
  gboolean alone = names != NULL && names[0] != NULL && names[1] == NULL;

  for (; names != NULL && *names != NULL; names++)
    {
      BawnPolicy *policy = NULL;

      /* Beside others "root" grants nothing, nor may what is missing leave it alone. */
      if (!alone && g_str_equal (*names, BAWN_POLICY_ROOT))
        continue;
      if (!bawn_policy_get (txn, *names, &policy, error))
        return FALSE;
      if (policy != NULL)
        g_ptr_array_add (policies, policy);
    }

  Entry probe = { policies->len, (BawnPolicy **) policies->pdata, NULL };
  BawnAcl *acl = find_acl (cache, &probe);

  if (acl == NULL)
    {
      acl = bawn_acl_new (probe.policies, probe.n);
      keep_acl (cache, &probe, acl);
    }

  *out_acl = acl;
  return TRUE;
}
