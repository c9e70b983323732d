/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-zk-tree-private.h"

#include "backend/bawn-zk-path.h"

#include <string.h>

/* What the clock's node holds, so that one tree is not taken for another. */
#define MARK "bawn storage, layout 1\n"
/* Listings worth keeping for the next page, and how many of them. */
#define LISTING_MIN_NAMES 500
#define LISTING_MAX_NAMES 500000
#define LISTINGS 2

/* One folder as it was when its set of children had changed last. */
typedef struct
{
  char *path;
  BawnZkStat stat;
  GPtrArray *names; /* sorted */
} Listing;

void
bawn_zk_listing_free (gpointer data)
{
  Listing *listing = data;

  g_free (listing->path);
  g_ptr_array_unref (listing->names);
  g_free (listing);
}

static gboolean
fail_refused (BawnErrorCode kind, gint32 code, const char *what, const char *path, GError **error)
{
  return bawn_fail (error, kind, "ZooKeeper does not %s %s: %s", what, path,
                    bawn_zk_error_name (code));
}

/* At the start: whoever may not do this now will not be allowed to later. */
static gboolean
refuse_start (gint32 code, const char *what, const char *path, GError **error)
{
  gboolean is_ours = code == BAWN_ZK_NO_AUTH || code == BAWN_ZK_AUTH_FAILED;

  return fail_refused (is_ours ? BAWN_ERROR_INVALID : BAWN_ERROR_UPSTREAM, code, what, path, error);
}

static gboolean
refuse (gint32 code, const char *what, const char *path, GError **error)
{
  return fail_refused (BAWN_ERROR_UPSTREAM, code, what, path, error);
}

gboolean
bawn_zk_tree_get (BawnZkTree *self,
                  const char *key,
                  GBytes **out_value,
                  guint64 *out_version,
                  GCancellable *cancellable,
                  GError **error)
{
  g_autofree char *path = bawn_zk_path_of_key (self->root, key);
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_FRESH);
  GBytes *body = NULL;
  BawnZkStat stat = { 0 };

  bawn_zk_call_add (call, BAWN_ZK_GET_DATA, path);
  if (!bawn_zk_client_run (self->client, call, cancellable, error))
    return FALSE;

  gint32 code = bawn_zk_call_get (call, 0, &body);

  if (code == BAWN_ZK_NO_NODE)
    {
      *out_value = NULL;
      *out_version = 0;
      return TRUE;
    }
  if (code != BAWN_ZK_OK)
    return refuse (code, "let us read", path, error);
  if (!bawn_zk_parse_data (body, out_value, &stat, error))
    return FALSE;

  *out_version = (guint64) stat.mzxid;
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* As they stand in a listing, sorted. */
static GPtrArray *
read_names (const char *path, GPtrArray *children, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_full (children->len, g_free);

  for (guint i = 0; i < children->len; i++)
    {
      char *name = bawn_zk_name_of_child (children->pdata[i]);

      if (name == NULL)
        return bawn_fail_null (error, BAWN_ERROR_CORRUPT,
                               "the node %s/%s in ZooKeeper was not made by bawn", path,
                               (const char *) children->pdata[i]);
      g_ptr_array_add (names, name);
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

static GStrv
cut_page (GPtrArray *names, const char *after, guint limit)
{
  g_autoptr (GPtrArray) page = g_ptr_array_new ();
  guint low = 0;
  guint high = after != NULL ? names->len : 0;

  /* The first name behind @after. */
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (strcmp (names->pdata[middle], after) > 0)
        high = middle;
      else
        low = middle + 1;
    }
  for (guint i = low; i < names->len && page->len < limit; i++)
    g_ptr_array_add (page, g_strdup (names->pdata[i]));
  g_ptr_array_add (page, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&page), FALSE);
}

/* (transfer full) (nullable): the names that were read when the folder was as @stat says; any if
 * that is NULL. */
static GPtrArray *
recall (BawnZkTree *self, const char *path, const BawnZkStat *stat)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  for (GList *link = self->listings.head; link != NULL; link = link->next)
    {
      const Listing *listing = link->data;

      if (strcmp (listing->path, path) != 0)
        continue;
      if (stat == NULL
          || (listing->stat.czxid == stat->czxid && listing->stat.pzxid == stat->pzxid
              && listing->stat.cversion == stat->cversion))
        return g_ptr_array_ref (listing->names);
    }
  return NULL;
}

static void
keep (BawnZkTree *self, const char *path, const BawnZkStat *stat, GPtrArray *names)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  GList *next = NULL;

  for (GList *link = self->listings.head; link != NULL; link = next)
    {
      Listing *listing = link->data;

      next = link->next;
      if (strcmp (listing->path, path) == 0)
        {
          g_queue_delete_link (&self->listings, link);
          bawn_zk_listing_free (listing);
        }
    }
  if (names->len < LISTING_MIN_NAMES || names->len > LISTING_MAX_NAMES)
    return;

  Listing *listing = g_new0 (Listing, 1);

  listing->path = g_strdup (path);
  listing->stat = *stat;
  listing->names = g_ptr_array_ref (names);
  g_queue_push_head (&self->listings, listing);
  if (self->listings.length > LISTINGS)
    bawn_zk_listing_free (g_queue_pop_tail (&self->listings));
}

/* TRUE with NULL if there is no such folder. */
static gboolean
read_folder (BawnZkTree *self,
             const char *path,
             GPtrArray **out_names,
             GCancellable *cancellable,
             GError **error)
{
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_FRESH);
  g_autoptr (GPtrArray) children = NULL;
  GBytes *body = NULL;
  BawnZkStat stat = { 0 };

  bawn_zk_call_add (call, BAWN_ZK_GET_CHILDREN2, path);
  if (!bawn_zk_client_run (self->client, call, cancellable, error))
    return FALSE;

  gint32 code = bawn_zk_call_get (call, 0, &body);

  if (code == BAWN_ZK_NO_NODE)
    return TRUE;
  if (code != BAWN_ZK_OK)
    return refuse (code, "let us list", path, error);
  if (!bawn_zk_parse_children (body, &children, &stat, error))
    return FALSE;

  g_autoptr (GPtrArray) names = read_names (path, children, error);

  if (names == NULL)
    return FALSE;

  keep (self, path, &stat, names);
  *out_names = g_steal_pointer (&names);
  return TRUE;
}

/* The listing that was read for another page, if the folder still is what it was. */
static gboolean
revive (BawnZkTree *self,
        const char *path,
        GPtrArray **out_names,
        GCancellable *cancellable,
        GError **error)
{
  g_autoptr (GPtrArray) old = recall (self, path, NULL);
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE | BAWN_ZK_CALL_FRESH);
  GBytes *body = NULL;
  BawnZkStat stat = { 0 };

  if (old == NULL)
    return TRUE;

  bawn_zk_call_add (call, BAWN_ZK_EXISTS, path);
  if (!bawn_zk_client_run (self->client, call, cancellable, error))
    return FALSE;
  if (bawn_zk_call_get (call, 0, &body) == BAWN_ZK_OK && bawn_zk_parse_stat (body, &stat, NULL))
    *out_names = recall (self, path, &stat);
  return TRUE;
}

gboolean
bawn_zk_tree_list (BawnZkTree *self,
                   const char *prefix,
                   const char *after,
                   guint limit,
                   GStrv *out_names,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autofree char *path = bawn_zk_path_of_folder (self->root, prefix);
  g_autoptr (GPtrArray) names = NULL;

  if (!revive (self, path, &names, cancellable, error)
      || (names == NULL && !read_folder (self, path, &names, cancellable, error)))
    return FALSE;

  *out_names = names != NULL ? cut_page (names, after, limit) : g_new0 (char *, 1);
  return TRUE;
}

gboolean
bawn_zk_tree_wait (BawnZkTree *self,
                   const char *key,
                   guint64 version,
                   gint64 timeout_us,
                   GCancellable *cancellable,
                   GError **error)
{
  g_autofree char *path = bawn_zk_path_of_key (self->root, key);

  return bawn_zk_client_wait (self->client, path, (gint64) version, timeout_us, cancellable, error);
}

/* TRUE with *out_exists; the data of an existing node in *out_data. */
static gboolean
look (BawnZkTree *self,
      const char *path,
      GBytes **out_data,
      GCancellable *cancellable,
      GError **error)
{
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE);
  GBytes *body = NULL;
  BawnZkStat stat = { 0 };

  bawn_zk_call_add (call, BAWN_ZK_GET_DATA, path);
  if (!bawn_zk_client_run (self->client, call, cancellable, error))
    return FALSE;

  gint32 code = bawn_zk_call_get (call, 0, &body);

  if (code == BAWN_ZK_NO_NODE)
    return TRUE;

  return code == BAWN_ZK_OK ? bawn_zk_parse_data (body, out_data, &stat, error)
                            : refuse_start (code, "let us read", path, error);
}

/* All of @paths or none; that somebody else was quicker is no error. */
static gboolean
make (BawnZkTree *self,
      const char *const *paths,
      GBytes *data,
      GCancellable *cancellable,
      GError **error)
{
  /* Nothing can be made twice, so it may be sent twice. */
  g_autoptr (BawnZkCall) call = bawn_zk_call_new (BAWN_ZK_CALL_REPEATABLE);
  BawnBuffer *buffer = bawn_zk_call_begin (call, BAWN_ZK_MULTI);
  GBytes *body = NULL;

  for (guint i = 0; paths[i] != NULL; i++)
    bawn_zk_multi_create (buffer, paths[i], data, self->options->acl);
  bawn_zk_multi_end (buffer);
  bawn_zk_call_end (call);
  if (!bawn_zk_client_run (self->client, call, cancellable, error))
    return FALSE;

  gint32 code = bawn_zk_call_get (call, 0, &body);
  g_autoptr (GArray) results = code == BAWN_ZK_OK ? bawn_zk_parse_multi (body, error) : NULL;

  if (code == BAWN_ZK_OK && results == NULL)
    return FALSE;
  for (guint i = 0; results != NULL && i < results->len && code == BAWN_ZK_OK; i++)
    code = g_array_index (results, BawnZkResult, i).error;

  return code == BAWN_ZK_OK || code == BAWN_ZK_NODE_EXISTS
         || refuse_start (code, "let us make", paths[0], error);
}

static gboolean
make_path (BawnZkTree *self, GCancellable *cancellable, GError **error)
{
  const char *path = self->options->path;
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);

  for (const char *slash = path; slash != NULL;)
    {
      slash = strchr (slash + 1, '/');

      g_autofree char *part =
          slash != NULL ? g_strndup (path, (gsize) (slash - path)) : g_strdup (path);
      const char *const parts[] = { part, NULL };
      g_autoptr (GBytes) data = NULL;

      /* One may exist where we are not allowed to make one. */
      if (!look (self, part, &data, cancellable, error)
          || (data == NULL && !make (self, parts, nothing, cancellable, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
lay_out (BawnZkTree *self, GCancellable *cancellable, GError **error)
{
  const char *const paths[] = { self->clock, self->root, NULL };
  g_autoptr (GBytes) found = NULL;

  if (!look (self, self->clock, &found, cancellable, error))
    return FALSE;
  if (found == NULL
      && (!make_path (self, cancellable, error)
          || !make (self, paths, self->mark, cancellable, error)
          || !look (self, self->clock, &found, cancellable, error)))
    return FALSE;
  if (found == NULL || !g_bytes_equal (found, self->mark))
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "the node %s in ZooKeeper was made by another program, or by another version of bawn",
        self->clock);

  bawn_zk_client_set_anchor (self->client, self->clock);
  return TRUE;
}

BawnZkTree *
bawn_zk_tree_open (const BawnZkOptions *options, GCancellable *cancellable, GError **error)
{
  g_autoptr (BawnZkTree) self = g_new0 (BawnZkTree, 1);

  self->options = options;
  g_mutex_init (&self->lock);
  self->clock = g_strconcat (options->path, "/clock", NULL);
  self->root = g_strconcat (options->path, "/tree", NULL);
  self->mark = g_bytes_new_static (MARK, strlen (MARK));
  self->client = bawn_zk_client_new (options);

  return lay_out (self, cancellable, error) ? g_steal_pointer (&self) : NULL;
}

void
bawn_zk_tree_free (BawnZkTree *self)
{
  bawn_zk_client_free (self->client);
  g_queue_clear_full (&self->listings, bawn_zk_listing_free);
  g_bytes_unref (self->mark);
  g_free (self->clock);
  g_free (self->root);
  g_mutex_clear (&self->lock);
  g_free (self);
}
