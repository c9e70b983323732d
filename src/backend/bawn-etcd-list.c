/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-etcd-private.h"

#include <string.h>

/*
 * A listing is a walk over the keys below a folder which skips what is in its subfolders.
 *
 * What makes it more than a loop is that etcd (3.4, and all later ones that we know of) counts all
 * keys of the range that it is asked for, whatever the limit: with 100,000 keys that are 28 ms for
 * each question, and to skip from folder to folder in such a range is quadratic. So where the count
 * shows that a range is large, we ask for a part of it: the window, all that shares the first bytes
 * of where we are. Windows become narrower while they hold many keys, and wider when they hold
 * none.
 */

/* Keys asked for at a time: first, at least, and at most (some 150 bytes of JSON each). */
#define FIRST_CHUNK 256
#define MIN_CHUNK 16
#define MAX_CHUNK 10000
/* Counting fewer keys than this takes less than a round trip. */
#define LARGE_RANGE 4096
/* A count may be this many times what is fetched before it is worth to narrow the window. */
#define COUNT_FACTOR 8
/* The revision of a page lives for the minutes of auto-compaction; to lose it twice is no accident.
 */
#define MAX_TRIES 3

typedef struct
{
  BawnEtcd *etcd;
  GCancellable *cancellable;
  char *base; /* prefix and folder: begins every key */
  gsize base_size;
  guint limit;
  GPtrArray *names;

  guint64 revision; /* of the page; 0 until the first answer */
  GString *at;      /* the first key that is still of interest */
  GString *end;     /* the first one behind the window */
  gsize
      level; /* how many bytes behind the base the keys of the window share; 0: all of the folder */
  gsize stride; /* how much wider the next window will be if this one is empty */
  guint chunk;
} Walk;

static void
walk_clear (Walk *walk)
{
  g_free (walk->base);
  g_ptr_array_unref (walk->names);
  g_string_free (walk->at, TRUE);
  g_string_free (walk->end, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Walk, walk_clear)

/* Everything that shares @level bytes with where we are. */
static void
set_window (Walk *walk, gsize level)
{
  /* Not ours, but there is no byte behind 0xff. */
  while (level > 0 && (guchar) walk->at->str[walk->base_size + level - 1] == 0xff)
    level--;

  walk->level = level;
  g_string_truncate (walk->end, 0);
  g_string_append_len (walk->end, walk->at->str, (gssize) (walk->base_size + level));
  /* The base ends in '/', which makes the end of the folder of it too. */
  walk->end->str[walk->end->len - 1]++;
}

static void
set_place (Walk *walk, const char *name, gsize size)
{
  gboolean is_folder = size > 0 && name[size - 1] == '/';

  g_string_truncate (walk->at, walk->base_size);
  g_string_append_len (walk->at, name, (gssize) (is_folder ? size - 1 : size));
  /* The first key behind a key is that with a NUL; behind a folder, that with the byte behind '/'.
   */
  g_string_append_c (walk->at, is_folder ? '/' + 1 : '\0');
}

static int
compare_bytes (const char *a, gsize a_size, const char *b, gsize b_size)
{
  int order = memcmp (a, b, MIN (a_size, b_size));

  return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static BawnJson *
ask (Walk *walk, guint n, GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_rest_json_base64 (&w, BAWN_REST_ETCD_KEY, walk->at->str, walk->at->len);
  bawn_rest_json_base64 (&w, BAWN_REST_ETCD_RANGE_END, walk->end->str, walk->end->len);
  bawn_rest_json_int (&w, BAWN_REST_ETCD_LIMIT, n);
  bawn_rest_json_bool (&w, BAWN_REST_ETCD_KEYS_ONLY, TRUE);
  if (walk->revision != 0)
    bawn_rest_json_uint64 (&w, BAWN_REST_ETCD_REVISION, walk->revision);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);

  return bawn_etcd_call (walk->etcd, BAWN_ETCD_READ, 0, "/v3/kv/range", body, walk->cancellable,
                         error);
}

/* Somebody else's keys may be below our prefix: what cannot be ours has no name. */
static void
take_name (Walk *walk, const char *name, gsize size)
{
  gsize check = size > 0 && name[size - 1] == '/' ? size - 1 : size;

  if (check == 0 || !g_utf8_validate_len (name, check, NULL) || memchr (name, '\0', check) != NULL)
    return;

  g_ptr_array_add (walk->names, g_strndup (name, size));
}

/* Moves on over one key. FALSE: it is not what was asked for. */
static gboolean
take_key (Walk *walk, GBytes *key, gboolean is_first)
{
  gsize size = 0;
  const char *data = g_bytes_get_data (key, &size);

  if (size < walk->base_size || memcmp (data, walk->base, walk->base_size) != 0)
    return FALSE;
  /* In a folder that an earlier key of this answer was in. */
  if (compare_bytes (data, size, walk->at->str, walk->at->len) < 0)
    return !is_first;

  const char *rest = data + walk->base_size;
  gsize rest_size = size - walk->base_size;
  const char *slash = memchr (rest, '/', rest_size);
  gsize name_size = slash != NULL ? (gsize) (slash - rest) + 1 : rest_size;

  take_name (walk, rest, name_size);
  set_place (walk, rest, name_size);
  return TRUE;
}

static gboolean
take_keys (Walk *walk, const BawnJsonNode *kvs, GError **error)
{
  for (const BawnJsonNode *kv = kvs != NULL ? kvs->children : NULL;
       kv != NULL && walk->names->len < walk->limit; kv = kv->next)
    {
      g_autoptr (GBytes) key = NULL;

      if (!bawn_rest_json_get_base64 (kv, BAWN_REST_ETCD_KEY, &key)
          || !take_key (walk, key, kv == kvs->children))
        return bawn_fail (error, BAWN_ERROR_UPSTREAM, "etcd's answer for a listing cannot be read");
    }

  return TRUE;
}

/* Of many keys that gave few names we fetch fewer, since most of what comes is skipped. */
static void
adapt_chunk (Walk *walk, guint n_keys, guint n_names)
{
  if (n_keys == 0)
    return;

  walk->chunk =
      n_names * 2 > n_keys ? MIN (walk->chunk * 4, MAX_CHUNK) : MAX (n_names * 4, MIN_CHUNK);
}

/* Where to look next. FALSE: there is nothing left. */
static gboolean
move_window (Walk *walk, gboolean has_more, guint n_keys, guint64 count)
{
  if (has_more)
    {
      gboolean is_large = count > LARGE_RANGE && count > (guint64) walk->chunk * COUNT_FACTOR;
      gboolean is_inside =
          compare_bytes (walk->at->str, walk->at->len, walk->end->str, walk->end->len) < 0;

      walk->stride = 1;
      /* Skipping a folder may have led out of the window. */
      if (!is_inside || (is_large && walk->base_size + walk->level + 1 < walk->at->len))
        set_window (walk, is_inside ? walk->level + 1
                                    : MIN (walk->level, walk->at->len - walk->base_size));
      return TRUE;
    }
  if (walk->level == 0)
    return FALSE;

  if (compare_bytes (walk->at->str, walk->at->len, walk->end->str, walk->end->len) < 0)
    {
      g_string_truncate (walk->at, 0);
      g_string_append_len (walk->at, walk->end->str, (gssize) walk->end->len);
    }

  gsize level = walk->level;

  if (n_keys == 0)
    {
      level -= MIN (level, walk->stride);
      walk->stride *= 2;
    }
  else
    walk->stride = 1;
  set_window (walk, MIN (level, walk->at->len - walk->base_size));
  return TRUE;
}

static gboolean
take_page (Walk *walk, GError **error)
{
  for (gboolean has_more = TRUE; has_more && walk->names->len < walk->limit;)
    {
      guint n_before = walk->names->len;
      guint n = MIN (walk->chunk, walk->limit - n_before);
      g_autoptr (BawnJson) json = ask (walk, n, error);

      if (json == NULL)
        return FALSE;

      const BawnJsonNode *root = bawn_json_root (json);
      const BawnJsonNode *kvs = bawn_rest_json_get (root, BAWN_REST_ETCD_KVS);
      guint n_keys = kvs != NULL ? kvs->n_children : 0;
      guint64 count = 0;

      if ((walk->revision == 0 && !bawn_etcd_read_revision (root, &walk->revision))
          || !bawn_rest_json_get_uint64 (root, BAWN_REST_ETCD_COUNT, &count))
        return bawn_fail (error, BAWN_ERROR_UPSTREAM, "etcd's answer for a listing cannot be read");
      if (!take_keys (walk, kvs, error))
        return FALSE;

      adapt_chunk (walk, n_keys, walk->names->len - n_before);
      has_more = move_window (
          walk, n_keys > 0 && bawn_rest_json_get_bool (root, BAWN_REST_ETCD_MORE, FALSE), n_keys,
          count);
    }

  return TRUE;
}

gboolean
bawn_etcd_list (BawnEtcd *etcd,
                const char *prefix,
                const char *after,
                guint limit,
                GStrv *out_names,
                GCancellable *cancellable,
                GError **error)
{
  for (guint tries = 1;; tries++)
    {
      g_autoptr (GError) why = NULL;
      g_auto (Walk) walk = {
        .etcd = etcd,
        .cancellable = cancellable,
        .base = g_strconcat (etcd->prefix, prefix, NULL),
        .limit = limit,
        .names = g_ptr_array_new_with_free_func (g_free),
        .end = g_string_new (NULL),
        .stride = 1,
        .chunk = FIRST_CHUNK,
      };

      walk.base_size = strlen (walk.base);
      walk.at = g_string_new (walk.base);
      if (after != NULL)
        set_place (&walk, after, strlen (after));
      set_window (&walk, 0);

      if (take_page (&walk, &why))
        {
          g_ptr_array_add (walk.names, NULL);
          *out_names = (GStrv) g_ptr_array_steal (walk.names, NULL);
          return TRUE;
        }
      /* All names are of one moment, which etcd has forgotten: from the start, with another. */
      if (!bawn_error_is (why, BAWN_ERROR_CONFLICT) || tries == MAX_TRIES)
        {
          if (bawn_error_is (why, BAWN_ERROR_CONFLICT))
            return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s", why->message);
          g_propagate_error (error, g_steal_pointer (&why));
          return FALSE;
        }
    }
}
