/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "util/bawn-path.h"

#include <string.h>

static void
test_printable_is_what_go_prints (void)
{
  static const struct
  {
    const char *path;
    gsize size;
    gboolean printable;
  } cases[] = {
    { "", 0, TRUE },
    { "a/b c-~", 7, TRUE },
    { "\xc3\xa4/\xe2\x82\xac/\xf0\x9f\x98\x80", 11, TRUE },
    { "a\0b", 3, FALSE },
    { "a\nb", 3, FALSE },
    { "\x7f", 1, FALSE },
    { "\xc2\x85", 2, FALSE },
    { "\xc2\xa0", 2, FALSE },
    { "\xe2\x80\x8b", 3, FALSE },
    { "\xee\x80\x80", 3, FALSE },
    { "\xff", 1, FALSE },
    { "\xc3", 1, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    if (bawn_path_is_printable (cases[i].path, cases[i].size) != cases[i].printable)
      g_error ("\"%s\": wrong answer", cases[i].path);
}

static void
test_paths_are_cleaned_as_go_does (void)
{
  static const struct
  {
    const char *path;
    const char *clean;
  } cases[] = {
    { "", "" },
    { "/", "/" },
    { "a/b", "a/b" },
    { "/v1/secret/a/", "/v1/secret/a/" },
    { "/v1//secret", "/v1/secret" },
    { "//", "/" },
    { "/a/./b", "/a/b" },
    { "/a/../b/", "/b/" },
    { "/../../a", "/a" },
    { "a/..", "" },
    { "/a/..", "/" },
    { "/a/.../b", "/a/.../b" },
    { "/a/..b", "/a/..b" },
    { "./a", "a" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *clean = bawn_path_clean (cases[i].path);

      g_assert_cmpstr (clean, ==, cases[i].clean);
      g_assert_true (bawn_path_is_clean (clean));
      g_assert_cmpint (bawn_path_is_clean (cases[i].path), ==,
                       strcmp (cases[i].path, cases[i].clean) == 0);
    }
}

static void
test_prefixes_and_slashes (void)
{
  g_autofree char *with = bawn_path_with_slash ("a/b");
  g_autofree char *same = bawn_path_with_slash ("a/b/");
  g_autofree char *empty = bawn_path_with_slash ("");
  g_autofree char *without = bawn_path_without_slash ("a/b//");
  g_autofree char *nothing = bawn_path_without_slash ("/");

  g_assert_cmpstr (bawn_path_after_prefix ("sys/mounts", "sys/"), ==, "mounts");
  g_assert_cmpstr (bawn_path_after_prefix ("sys/", "sys/"), ==, "");
  g_assert_null (bawn_path_after_prefix ("sys", "sys/"));
  g_assert_cmpstr (with, ==, "a/b/");
  g_assert_cmpstr (same, ==, "a/b/");
  g_assert_cmpstr (empty, ==, "");
  g_assert_cmpstr (without, ==, "a/b");
  g_assert_cmpstr (nothing, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/util/path/printable-is-what-go-prints", test_printable_is_what_go_prints);
  g_test_add_func ("/util/path/is-cleaned-as-go-does", test_paths_are_cleaned_as_go_does);
  g_test_add_func ("/util/path/prefixes-and-slashes", test_prefixes_and_slashes);

  return g_test_run ();
}
