/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-error.h"
#include "cli/bawn-cli-token-file.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *home;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->home = g_dir_make_tmp ("bawn-test-XXXXXX", NULL);
  g_assert_nonnull (fixture->home);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->home, 0, NULL);
  const char *name = NULL;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->home, name, NULL);
      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (fixture->home), ==, 0);
  g_free (fixture->home);
}

static void
put_file (Fixture *fixture, const char *name, const char *content, int mode)
{
  g_autofree char *path = g_build_filename (fixture->home, name, NULL);

  g_assert_true (g_file_set_contents (path, content, -1, NULL));
  g_assert_cmpint (g_chmod (path, mode), ==, 0);
}

static void
test_absent (Fixture *fixture, gconstpointer unused)
{
  char *token = (char *) "untouched";

  g_assert_true (bawn_cli_token_file_load (fixture->home, &token, NULL));
  g_assert_null (token);
}

static void
test_store (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (fixture->home, ".bawn-token", NULL);
  g_autofree char *token = NULL;
  struct stat info;

  g_assert_true (bawn_cli_token_file_store (fixture->home, "hvs.first", NULL));
  g_assert_true (bawn_cli_token_file_store (fixture->home, "hvs.second", NULL));
  g_assert_true (bawn_cli_token_file_load (fixture->home, &token, NULL));
  g_assert_cmpstr (token, ==, "hvs.second");
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
}

static void
test_store_replaces_open_file (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (fixture->home, ".bawn-token", NULL);
  struct stat info;

  put_file (fixture, ".bawn-token", "old", 0644);
  g_assert_true (bawn_cli_token_file_store (fixture->home, "new", NULL));
  g_assert_cmpint (stat (path, &info), ==, 0);
  g_assert_cmpint (info.st_mode & 07777, ==, 0600);
}

static void
test_fallback (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *fallback = NULL;
  g_autofree char *own = NULL;

  put_file (fixture, ".vault-token", "s.vault\n", 0600);
  g_assert_true (bawn_cli_token_file_load (fixture->home, &fallback, NULL));
  g_assert_cmpstr (fallback, ==, "s.vault");

  put_file (fixture, ".bawn-token", " s.bawn \n", 0600);
  g_assert_true (bawn_cli_token_file_load (fixture->home, &own, NULL));
  g_assert_cmpstr (own, ==, "s.bawn");
}

static void
test_empty (Fixture *fixture, gconstpointer unused)
{
  char *token = NULL;

  put_file (fixture, ".bawn-token", "\n", 0600);
  g_assert_true (bawn_cli_token_file_load (fixture->home, &token, NULL));
  g_assert_null (token);
}

static void
test_readable_by_others (Fixture *fixture, gconstpointer unused)
{
  static const int modes[] = { 0640, 0604, 0620, 0602, 0644, 0777 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (GError) error = NULL;
      char *token = (char *) "untouched";

      put_file (fixture, ".bawn-token", "s3cret", modes[i]);
      g_assert_false (bawn_cli_token_file_load (fixture->home, &token, &error));
      g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_LOCAL);
      g_assert_cmpstr (token, ==, "untouched");
      g_assert_nonnull (strstr (error->message, ".bawn-token"));
      g_assert_null (strstr (error->message, "s3cret"));
    }
}

static void
test_not_a_file (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (fixture->home, ".bawn-token", NULL);
  g_autoptr (GError) error = NULL;
  char *token = NULL;

  /* One that nobody writes to would make us wait for ever. */
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_false (bawn_cli_token_file_load (fixture->home, &token, &error));
  g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_LOCAL);
}

static void
test_erase (Fixture *fixture, gconstpointer unused)
{
  char *token = NULL;

  g_assert_true (bawn_cli_token_file_store (fixture->home, "t", NULL));
  g_assert_true (bawn_cli_token_file_erase (fixture->home, NULL));
  g_assert_true (bawn_cli_token_file_erase (fixture->home, NULL));
  g_assert_true (bawn_cli_token_file_load (fixture->home, &token, NULL));
  g_assert_null (token);
}

static void
test_no_home (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *nowhere = g_build_filename (fixture->home, "absent", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (bawn_cli_token_file_store (nowhere, "s3cret", &error));
  g_assert_error (error, BAWN_CLI_ERROR, BAWN_CLI_ERROR_LOCAL);
  g_assert_null (strstr (error->message, "s3cret"));
}

#define ADD(name, func) g_test_add (name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  ADD ("/cli/token-file/absent-is-no-token", test_absent);
  ADD ("/cli/token-file/what-is-stored-is-loaded-and-private", test_store);
  ADD ("/cli/token-file/a-file-open-to-others-is-replaced-by-a-private-one",
       test_store_replaces_open_file);
  ADD ("/cli/token-file/vaults-file-is-read-when-there-is-no-own", test_fallback);
  ADD ("/cli/token-file/an-empty-file-is-no-token", test_empty);
  ADD ("/cli/token-file/a-file-open-to-others-is-not-used", test_readable_by_others);
  ADD ("/cli/token-file/a-pipe-in-its-place-is-refused", test_not_a_file);
  ADD ("/cli/token-file/erasing-twice-is-fine", test_erase);
  ADD ("/cli/token-file/a-missing-home-is-an-error", test_no_home);

  return g_test_run ();
}
