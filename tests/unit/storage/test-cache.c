/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-cache.h"
#include "storage/bawn-history.h"
#include "util/bawn-bytes.h"

typedef struct
{
  gatomicrefcount refs;
} Thing;

static gint living = 0;

static gpointer
thing_parse (const char *key, GBytes *plain, GError **error)
{
  Thing *thing = g_new0 (Thing, 1);

  g_atomic_ref_count_init (&thing->refs);
  g_atomic_int_inc (&living);
  return thing;
}

static gpointer
thing_ref (gpointer thing)
{
  g_atomic_ref_count_inc (&((Thing *) thing)->refs);
  return thing;
}

static void
thing_unref (gpointer thing)
{
  if (!g_atomic_ref_count_dec (&((Thing *) thing)->refs))
    return;

  g_atomic_int_add (&living, -1);
  g_free (thing);
}

static const BawnObjectKind thing_kind = { "thing", thing_parse, thing_ref, thing_unref };

static void
insert (BawnCache *cache, const char *key, gsize size)
{
  guint8 *data = NULL;
  g_autoptr (GBytes) value = bawn_bytes_alloc (size, &data);

  bawn_cache_insert (cache, key, value, 1);
}

static void
test_least_recently_used_goes_first (void)
{
  g_autoptr (BawnCache) cache = bawn_cache_new (9000);

  insert (cache, "a", 3000);
  insert (cache, "b", 3000);
  g_assert_nonnull (bawn_cache_lookup (cache, "a"));
  insert (cache, "c", 3000);
  g_assert_null (bawn_cache_lookup (cache, "b"));
  g_assert_nonnull (bawn_cache_lookup (cache, "a"));
  g_assert_nonnull (bawn_cache_lookup (cache, "c"));
  g_assert_cmpuint (bawn_cache_get_bytes (cache), <=, 9000);
  g_assert_cmpuint (bawn_cache_get_entries (cache), ==, 2);
}

static void
test_too_large_is_not_kept (void)
{
  g_autoptr (BawnCache) cache = bawn_cache_new (1000);
  g_autoptr (BawnCache) none = bawn_cache_new (0);

  insert (cache, "small", 10);
  insert (cache, "large", 2000);
  g_assert_null (bawn_cache_lookup (cache, "large"));
  insert (none, "small", 10);
  g_assert_null (bawn_cache_lookup (none, "small"));
  g_assert_cmpuint (bawn_cache_get_bytes (none), ==, 0);
}

static void
test_absence_is_kept (void)
{
  g_autoptr (BawnCache) cache = bawn_cache_new (1000);

  bawn_cache_insert (cache, "k", NULL, 0);
  g_assert_nonnull (bawn_cache_lookup (cache, "k"));
  g_assert_null (bawn_cache_lookup (cache, "k")->value);
}

static void
test_bytes_add_up (void)
{
  g_autoptr (BawnCache) cache = bawn_cache_new (100000);

  insert (cache, "k", 100);

  gsize one = bawn_cache_get_bytes (cache);

  insert (cache, "k", 100);
  g_assert_cmpuint (bawn_cache_get_bytes (cache), ==, one);
  insert (cache, "l", 100);
  g_assert_cmpuint (bawn_cache_get_bytes (cache), ==, 2 * one);
  bawn_cache_remove (cache, "k");
  bawn_cache_remove (cache, "k");
  g_assert_cmpuint (bawn_cache_get_bytes (cache), ==, one);
  bawn_cache_clear (cache);
  g_assert_cmpuint (bawn_cache_get_bytes (cache), ==, 0);
}

static void
attach (BawnCache *cache, const char *key)
{
  gpointer thing = thing_parse (key, NULL, NULL);

  bawn_cache_attach (cache, bawn_cache_lookup (cache, key), &thing_kind, thing);
  thing_unref (thing);
}

static void
test_objects_go_with_their_entries (void)
{
  g_autoptr (BawnCache) cache = bawn_cache_new (10000);

  insert (cache, "a", 2000);
  attach (cache, "a");
  attach (cache, "a");
  g_assert_cmpint (living, ==, 1);

  /* The object counts like the entry. */
  insert (cache, "b", 2000);
  insert (cache, "c", 2000);
  insert (cache, "d", 2000);
  g_assert_null (bawn_cache_lookup (cache, "a"));

  /* Nothing is freed before the trash is, since that may happen under a lock. */
  g_assert_cmpint (living, ==, 1);
  bawn_cache_free_trash (bawn_cache_take_trash (cache));
  g_assert_cmpint (living, ==, 0);

  attach (cache, "b");
  insert (cache, "b", 10);
  bawn_cache_free_trash (bawn_cache_take_trash (cache));
  g_assert_cmpint (living, ==, 0);
}

static void
test_history_remembers_for_the_living (void)
{
  g_autoptr (BawnHistory) history = bawn_history_new ();
  BawnPresence early;
  BawnPresence late;

  bawn_history_advance (history);
  bawn_history_note (history, "unseen");
  g_assert_cmpuint (bawn_history_get_size (history), ==, 0);

  bawn_history_enter (history, &early);

  guint64 before = bawn_history_get_now (history);

  bawn_history_advance (history);
  bawn_history_note (history, "a");
  bawn_history_enter (history, &late);
  bawn_history_advance (history);
  bawn_history_note (history, "b");
  bawn_history_note (history, "folder/");
  g_assert_false (bawn_history_is_unchanged (history, "a", before));
  g_assert_true (bawn_history_is_unchanged (history, "a", before + 1));
  g_assert_false (bawn_history_is_unchanged (history, "b", before + 1));
  g_assert_true (bawn_history_is_unchanged (history, "c", before));
  g_assert_false (bawn_history_is_unchanged (history, "folder/", before));
  g_assert_false (bawn_history_is_unchanged (history, "c", 0));

  bawn_history_leave (history, &early);
  g_assert_cmpuint (bawn_history_get_size (history), ==, 2);
  g_assert_false (bawn_history_is_unchanged (history, "b", before + 1));
  bawn_history_leave (history, &late);
  g_assert_cmpuint (bawn_history_get_size (history), ==, 0);
}

static void
test_history_leaves_in_any_order (void)
{
  g_autoptr (BawnHistory) history = bawn_history_new ();
  BawnPresence places[3];

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      bawn_history_enter (history, &places[i]);
      bawn_history_advance (history);
      bawn_history_note (history, "k");
    }
  bawn_history_leave (history, &places[1]);
  bawn_history_leave (history, &places[2]);
  g_assert_false (bawn_history_is_unchanged (history, "k", places[0].since));
  bawn_history_leave (history, &places[0]);
  g_assert_cmpuint (bawn_history_get_size (history), ==, 0);
}

static void
test_history_is_bounded (void)
{
  g_autoptr (BawnHistory) history = bawn_history_new ();
  BawnPresence idler;
  guint64 begun = bawn_history_get_now (history);

  bawn_history_enter (history, &idler);
  for (guint i = 0; i < BAWN_HISTORY_MAX_NAMES + 100; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      bawn_history_advance (history);
      bawn_history_note (history, name);
    }
  g_assert_cmpuint (bawn_history_get_size (history), ==, BAWN_HISTORY_MAX_NAMES);

  /* What it cannot tell any more counts as changed. */
  g_assert_false (bawn_history_is_unchanged (history, "never written", begun));
  g_assert_true (bawn_history_is_unchanged (history, "never written", begun + 100));
  bawn_history_leave (history, &idler);
}

static void
test_history_breaks (void)
{
  g_autoptr (BawnHistory) history = bawn_history_new ();
  BawnPresence presence;

  bawn_history_enter (history, &presence);

  guint64 before = bawn_history_get_now (history);

  bawn_history_advance (history);
  bawn_history_note (history, "k");
  bawn_history_break (history);
  g_assert_false (bawn_history_is_unchanged (history, "other", before));
  g_assert_false (bawn_history_is_unchanged (history, "other", before + 1));
  g_assert_true (bawn_history_is_unchanged (history, "k", bawn_history_get_now (history)));
  bawn_history_leave (history, &presence);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/storage/cache/the-least-recently-used-goes-first",
                   test_least_recently_used_goes_first);
  g_test_add_func ("/storage/cache/what-is-too-large-is-not-kept", test_too_large_is_not_kept);
  g_test_add_func ("/storage/cache/absence-is-kept-too", test_absence_is_kept);
  g_test_add_func ("/storage/cache/bytes-add-up", test_bytes_add_up);
  g_test_add_func ("/storage/cache/objects-go-with-their-entries",
                   test_objects_go_with_their_entries);
  g_test_add_func ("/storage/history/remembers-for-the-living",
                   test_history_remembers_for_the_living);
  g_test_add_func ("/storage/history/may-be-left-in-any-order", test_history_leaves_in_any_order);
  g_test_add_func ("/storage/history/is-bounded", test_history_is_bounded);
  g_test_add_func ("/storage/history/breaks-with-a-term", test_history_breaks);
  return g_test_run ();
}
