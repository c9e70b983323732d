/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <string.h>

#include "storage/bawn-store.h"
#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-expect.h"
#include "util/bawn-bytes.h"

GType bawn_backend_memory_get_type (void);

#define N_RANDOM 400

typedef struct
{
  BawnBackend *memory;
  BawnStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->memory = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, NULL, NULL);
  f->store = bawn_store_new (f->memory, BAWN_STORE_CACHE_DEFAULT);
  assert_works (bawn_store_open_term (f->store, 0, NULL, &error));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);
  g_assert_finalize_object (f->store);
  g_assert_finalize_object (f->memory);
}

static void
put_all (BawnTxn *txn, const char *keys)
{
  g_auto (GStrv) split = g_strsplit (keys, " ", -1);
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");

  for (guint i = 0; split[i] != NULL; i++)
    bawn_txn_put (txn, split[i], value);
}

static void
delete_all (BawnTxn *txn, const char *keys)
{
  g_auto (GStrv) split = g_strsplit (keys, " ", -1);

  for (guint i = 0; split[i] != NULL; i++)
    bawn_txn_delete (txn, split[i]);
}

static BawnTxn *
begin_on (Fixture *f, const char *keys)
{
  g_autoptr (BawnTxn) before = bawn_store_begin (f->store, NULL, TRUE);

  put_all (before, keys);
  assert_works (bawn_txn_commit (before, &error));
  return bawn_store_begin (f->store, NULL, TRUE);
}

static void
assert_names (
    BawnTxn *txn, const char *prefix, const char *after, guint limit, const char *expected)
{
  g_auto (GStrv) names = NULL;

  assert_works (bawn_txn_list (txn, prefix, after, limit, &names, &error));

  g_autofree char *joined = g_strjoinv (" ", names);

  g_assert_cmpstr (joined, ==, expected);
}

static void
test_own_puts (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin_on (f, "d/b d/d/x d/f");

  put_all (txn, "d/a d/b d/c/1 d/c/2 d/d/y d/g other");
  assert_names (txn, "d/", NULL, 0, "a b c/ d/ f g");
  assert_names (txn, "d/", NULL, 2, "a b");
  assert_names (txn, "d/", "b", 2, "c/ d/");
  assert_names (txn, "d/", "d/", 5, "f g");
  assert_names (txn, "d/c/", NULL, 0, "1 2");
  assert_names (txn, "e/", NULL, 0, "");
}

static void
test_own_deletes (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin_on (f, "d/a d/b d/c/1 d/c/2/x d/e/1 d/e/2");

  delete_all (txn, "d/a d/c/1 d/e/1 d/never");
  assert_names (txn, "d/", NULL, 0, "b c/ e/");
  delete_all (txn, "d/c/2/x d/e/2");
  assert_names (txn, "d/", NULL, 0, "b");
  put_all (txn, "d/e/3/deep");
  assert_names (txn, "d/", NULL, 0, "b e/");
  assert_names (txn, "d/", NULL, 1, "b");
}

static void
test_key_and_folder (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin_on (f, "d/a d/a/1");

  delete_all (txn, "d/a");
  assert_names (txn, "d/", NULL, 0, "a/");
  put_all (txn, "d/a");
  delete_all (txn, "d/a/1");
  assert_names (txn, "d/", NULL, 0, "a");
}

static void
test_pages_are_full (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = begin_on (f, "d/1 d/2 d/3 d/4 d/5 d/6 d/7 d/8");

  delete_all (txn, "d/1 d/2 d/3 d/4 d/5");
  assert_names (txn, "d/", NULL, 2, "6 7");
  assert_names (txn, "d/", "6", 2, "7 8");
  assert_names (txn, "d/", "7", 2, "8");
}

static char *
random_key (void)
{
  static const char *const segments[] = { "a", "b", "a!", "a0", "c" };
  GString *key = g_string_new ("r");
  guint depth = (guint) g_test_rand_int_range (1, 4);

  for (guint i = 0; i < depth; i++)
    g_string_append_printf (key, "/%s",
                            segments[g_test_rand_int_range (0, G_N_ELEMENTS (segments))]);
  return g_string_free (key, FALSE);
}

/* What a transaction lists before its commit is what everybody lists after it. */
static void
test_listing_foretells_the_commit (Fixture *f, gconstpointer data)
{
  static const char *const folders[] = { "", "r/", "r/a/", "r/a/b/", "r/a!/" };

  for (guint i = 0; i < N_RANDOM; i++)
    {
      g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
      const char *folder = folders[g_test_rand_int_range (0, G_N_ELEMENTS (folders))];
      guint limit = (guint) g_test_rand_int_range (0, 4);
      g_auto (GStrv) foretold = NULL;

      for (guint j = 0; j < 6; j++)
        {
          g_autofree char *key = random_key ();

          if (g_test_rand_bit ())
            put_all (txn, key);
          else
            bawn_txn_delete (txn, key);
        }
      assert_works (bawn_txn_list (txn, folder, NULL, limit, &foretold, &error));
      assert_works (bawn_txn_commit (txn, &error));

      g_autofree char *expected = g_strjoinv (" ", foretold);
      g_autoptr (BawnTxn) after = bawn_store_begin (f->store, NULL, TRUE);

      assert_names (after, folder, NULL, limit, expected);
    }
}

static void
test_bad_folders_are_refused (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = { "d", "/", "d//", "\xff/" };
  g_autoptr (BawnTxn) txn = begin_on (f, "d/a");
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_fails (bawn_txn_list (txn, bad[i], NULL, 0, &names, &error), BAWN_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

#define ADD(name, func)                                                                            \
  g_test_add ("/storage/txn-list/" name, Fixture, NULL, set_up, func, tear_down)

  ADD ("own-puts-are-listed", test_own_puts);
  ADD ("own-deletes-are-not", test_own_deletes);
  ADD ("a-name-may-be-key-and-folder", test_key_and_folder);
  ADD ("pages-are-full-in-spite-of-deletes", test_pages_are_full);
  ADD ("a-listing-foretells-the-commit", test_listing_foretells_the_commit);
  ADD ("bad-folders-are-refused", test_bad_folders_are_refused);
  return g_test_run ();
}
