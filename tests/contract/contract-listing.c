/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"
#include "util/bawn-bytes.h"

/* Above the bound of one page, by a bit. */
#define MANY (BAWN_BACKEND_MAX_LIST + 50)

static void
put_all (BawnBackend *backend, const char *const *keys)
{
  for (guint i = 0; keys[i] != NULL; i++)
    bawn_contract_put (backend, keys[i], "v");
}

static void
test_one_level (BawnContract *c)
{
  static const char *const keys[] = { "a/1", "a/2/x", "a/2/y", "a/2/z/deep",
                                      "ab",  "b/1",   "a/3",   NULL };

  put_all (c->backend, keys);
  assert_listing (c->backend, "", NULL, 0, "a/ ab b/");
  assert_listing (c->backend, "a/", NULL, 0, "1 2/ 3");
  assert_listing (c->backend, "a/2/", NULL, 0, "x y z/");
  assert_listing (c->backend, "a/2/z/", NULL, 0, "deep");
}

static void
test_nothing_there (BawnContract *c)
{
  assert_listing (c->backend, "", NULL, 0, "");
  bawn_contract_put (c->backend, "ab/c", "v");
  bawn_contract_put (c->backend, "a", "v");
  assert_listing (c->backend, "a/", NULL, 0, "");
  assert_listing (c->backend, "ab/c/", NULL, 0, "");
  assert_listing (c->backend, "x/", NULL, 0, "");
}

static void
test_key_and_folder (BawnContract *c)
{
  static const char *const keys[] = { "a", "a/b", "a/b/c", "a!", "a0", NULL };

  put_all (c->backend, keys);
  assert_listing (c->backend, "", NULL, 0, "a a! a/ a0");
  assert_listing (c->backend, "a/", NULL, 0, "b b/");
  assert_listing (c->backend, "", "a", 0, "a! a/ a0");
  assert_listing (c->backend, "", "a/", 0, "a0");
  bawn_contract_delete (c->backend, "a");
  assert_listing (c->backend, "", NULL, 0, "a! a/ a0");
  bawn_contract_delete (c->backend, "a/b");
  bawn_contract_delete (c->backend, "a/b/c");
  assert_listing (c->backend, "", NULL, 0, "a! a0");
}

static void
test_bytewise (BawnContract *c)
{
  /* In the order of their bytes, which is neither that of a dictionary nor that of the characters'
   * signedness. */
  static const char *const keys[] = {
    "d/a",  "d/B", "d/\xc3\xa4", "d/Z", "d/z/1", "d/_", "d/\xf0\x9f\x94\x91", "d/\xe2\x82\xac",
    "d/10", "d/9", "d/-",        "d/.", NULL
  };

  put_all (c->backend, keys);
  assert_listing (c->backend, "d/", NULL, 0,
                  "- . 10 9 B Z _ a z/ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x94\x91");
}

/* All pages of @limit names, joined. */
static char *
list_by_pages (BawnBackend *backend, const char *prefix, guint limit)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  guint n = limit;

  while (n == limit)
    {
      g_auto (GStrv) names = NULL;
      const char *after = all->len > 0 ? g_ptr_array_index (all, all->len - 1) : NULL;

      assert_works (bawn_backend_list (backend, prefix, after, limit, &names, NULL, &error));
      n = g_strv_length (names);
      g_assert_cmpuint (n, <=, limit);
      for (guint i = 0; i < n; i++)
        g_ptr_array_add (all, g_strdup (names[i]));
    }

  g_ptr_array_add (all, NULL);
  return g_strjoinv (" ", (GStrv) all->pdata);
}

static void
test_pages (BawnContract *c)
{
  static const char *const keys[] = { "p/a",   "p/a/1", "p/a/2", "p/b",          "p/c/1",
                                      "p/c/2", "p/c/3", "p/d",   "p/e/1",        "p/e!",
                                      "p/f",   "p0",    "p!",    "p/\xc3\xa4/1", NULL };
  g_autofree char *whole = NULL;

  put_all (c->backend, keys);
  whole = bawn_contract_list (c->backend, "p/", NULL, 0);
  g_assert_cmpstr (whole, ==, "a a/ b c/ d e! e/ f \xc3\xa4/");
  for (guint limit = 1; limit < 12; limit++)
    {
      g_autofree char *pages = list_by_pages (c->backend, "p/", limit);

      g_assert_cmpstr (pages, ==, whole);
    }
}

static void
test_after_what_is_gone (BawnContract *c)
{
  static const char *const keys[] = { "d/a", "d/c/1", "d/e", NULL };

  put_all (c->backend, keys);
  assert_listing (c->backend, "d/", "b", 0, "c/ e");
  assert_listing (c->backend, "d/", "b/", 0, "c/ e");
  assert_listing (c->backend, "d/", "c", 0, "c/ e");
  assert_listing (c->backend, "d/", "c/", 0, "e");
  assert_listing (c->backend, "d/", "c0", 0, "e");
  assert_listing (c->backend, "d/", "e", 0, "");
  assert_listing (c->backend, "d/", "\xf4\x8f\xbf\xbf", 0, "");
}

static void
test_bad_listings (BawnContract *c)
{
  static const char *const prefixes[] = { "a", "/", "/a/", "a//", "a/b", "\xff/" };
  static const char *const afters[] = { "", "/", "a/b", "/a", "\xff" };
  g_auto (GStrv) names = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    assert_fails (bawn_backend_list (c->backend, prefixes[i], NULL, 0, &names, NULL, &error),
                  BAWN_ERROR_INVALID);
  for (guint i = 0; i < G_N_ELEMENTS (afters); i++)
    assert_fails (bawn_backend_list (c->backend, "a/", afters[i], 0, &names, NULL, &error),
                  BAWN_ERROR_INVALID);
  g_assert_null (names);
}

static void
put_many (BawnBackend *backend, guint n)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string ("v");
  g_autoptr (GStringChunk) names = g_string_chunk_new (4096);
  g_autoptr (GArray) writes = g_array_new (FALSE, FALSE, sizeof (BawnWrite));
  BawnBackendLimits limits = { 0 };

  bawn_backend_get_limits (backend, &limits);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("many/%05u%s", i, i % 3 == 0 ? "/x" : "");
      const BawnWrite write = { BAWN_WRITE_PUT, g_string_chunk_insert (names, name), value };

      g_array_append_val (writes, write);
      if (writes->len < limits.max_writes && i + 1 < n)
        continue;
      assert_works (bawn_backend_commit (backend, (const BawnWrite *) (gpointer) writes->data,
                                         writes->len, NULL, 0, NULL, NULL, &error));
      g_array_set_size (writes, 0);
    }
}

static void
test_many_names (BawnContract *c)
{
  g_auto (GStrv) first = NULL;
  g_auto (GStrv) second = NULL;

  put_many (c->backend, MANY);
  assert_works (bawn_backend_list (c->backend, "many/", NULL, 0, &first, NULL, &error));
  g_assert_cmpuint (g_strv_length (first), ==, BAWN_BACKEND_MAX_LIST);
  assert_works (bawn_backend_list (c->backend, "many/", first[BAWN_BACKEND_MAX_LIST - 1],
                                   2 * BAWN_BACKEND_MAX_LIST, &second, NULL, &error));
  g_assert_cmpuint (g_strv_length (second), ==, MANY - BAWN_BACKEND_MAX_LIST);
  g_assert_cmpstr (first[0], ==, "00000/");
  g_assert_cmpstr (second[0], ==, "10000");
}

static void
test_crowded_folder (BawnContract *c)
{
  /* Whoever walks instead of skipping shows here as slow, though not as wrong. */
  put_many (c->backend, 3000);
  bawn_contract_put (c->backend, "nest", "v");
  assert_listing (c->backend, "", NULL, 0, "many/ nest");
  assert_listing (c->backend, "", "many/", 1, "nest");
}

void
bawn_contract_add_listing (const BawnContractTarget *target)
{
  bawn_contract_add (target, "a-listing-is-one-level", test_one_level);
  bawn_contract_add (target, "a-listing-of-nothing-is-empty", test_nothing_there);
  bawn_contract_add (target, "a-name-may-be-key-and-folder", test_key_and_folder);
  bawn_contract_add (target, "names-are-sorted-bytewise", test_bytewise);
  bawn_contract_add (target, "pages-add-up-to-the-whole", test_pages);
  bawn_contract_add (target, "a-page-begins-after-what-is-gone", test_after_what_is_gone);
  bawn_contract_add (target, "bad-listings-are-refused", test_bad_listings);
  bawn_contract_add (target, "a-page-has-a-bound", test_many_names);
  bawn_contract_add (target, "a-crowded-folder-is-one-name", test_crowded_folder);
}
