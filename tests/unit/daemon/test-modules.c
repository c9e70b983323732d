/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-modules.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/bawn-backend-registry.h"
#include "util/bawn-error.h"

/* Nobody's on the machines that tests run on. */
#define STRANGER 54321

typedef struct
{
  char *top;
  char *folder;
  BawnModulesPlace place;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->top = g_dir_make_tmp ("bawn-modules-XXXXXX", &error);
  g_assert_no_error (error);
  f->folder = g_build_filename (f->top, "backends", NULL);
  g_assert_cmpint (g_mkdir (f->folder, 0755), ==, 0);
  f->place = (BawnModulesPlace){ f->folder, geteuid () };
}

static void
remove_all (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);

      for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
        {
          g_autofree char *child = g_build_filename (path, name, NULL);

          remove_all (child);
        }
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  remove_all (f->top);
  g_free (f->top);
  g_free (f->folder);
}

/* The module built as @kind, with the name it must have. */
static char *
install (Fixture *f, const char *kind)
{
  g_autofree char *file = g_strdup_printf ("libbawn-backend-%s.so", kind);
  g_autofree char *built = g_test_build_filename (G_TEST_BUILT, file, NULL);
  char *path = g_build_filename (f->folder, file, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *data = NULL;
  gsize size = 0;

  g_file_get_contents (built, &data, &size, &error);
  g_assert_no_error (error);
  g_file_set_contents (path, data, (gssize) size, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  return path;
}

/* What is complained about, or "". */
static char *
load (Fixture *f, const char *type)
{
  g_autofree char *text = g_strdup_printf ("[storage]\ntype=%s\n", type);
  g_autoptr (BawnConfig) config = bawn_config_load_data ("t", text, strlen (text), NULL);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");

  bawn_modules_load (&f->place, group);

  g_auto (GStrv) problems = bawn_config_dup_problems (config);

  return g_strjoinv ("\n", problems);
}

static void
assert_refused (Fixture *f, const char *type, const char *why)
{
  g_autofree char *problems = load (f, type);

  if (strstr (problems, why) == NULL)
    g_test_message ("not \"%s\" but: %s", why, problems);
  g_assert_true (g_str_has_prefix (problems, "t:2: [storage] type: "));
  g_assert_nonnull (strstr (problems, why));
  g_assert_null (strchr (problems, '\n'));
  g_assert_false (g_strv_contains (bawn_backend_names (), type));
}

static void
test_good (Fixture *f, gconstpointer data)
{
  g_autofree char *path G_GNUC_UNUSED = install (f, "good");
  g_autofree char *problems = load (f, "good");
  g_autofree char *again = load (f, "good");
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (problems, ==, "");
  g_assert_cmpstr (again, ==, "");
  g_assert_true (g_strv_contains (bawn_backend_names (), "good"));
  g_assert_false (bawn_backend_is_ha_capable ("good"));

  g_autoptr (BawnConfig) config = bawn_config_load_data ("t", "[storage]\ntype=good\n", 20, NULL);
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnBackend) backend = bawn_backend_open (group, NULL, &error);
  g_autoptr (GBytes) value = NULL;

  g_assert_no_error (error);
  g_assert_true (bawn_backend_get (backend, "k", &value, NULL, NULL, &error));
  g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), "k", 1);
}

static void
test_built_in (Fixture *f, gconstpointer data)
{
  f->place.folder = "/nowhere";

  g_autofree char *problems = load (f, "builtin");

  g_assert_cmpstr (problems, ==, "");
}

static void
test_names (Fixture *f, gconstpointer data)
{
  static const char *const bad[] = {
    "../good", "a/b", "Good", "good.so", "a b", "g\xc3\xb6", "abcdefghijklmnopqrstuvwxyz0123456789"
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (f, bad[i], "a storage is named by small letters");
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  assert_refused (f, "nothing", "unknown storage \"nothing\"");
  assert_refused (f, "nothing", "libbawn-backend-nothing.so");
  remove_all (f->folder);
  assert_refused (f, "nothing", "unknown storage \"nothing\"");
  g_assert_cmpint (g_mkdir (f->folder, 0755), ==, 0);
}

static void
test_writable_file (Fixture *f, gconstpointer data)
{
  g_autofree char *path = install (f, "bad");
  const mode_t modes[] = { 0664, 0646, 0777 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (path, modes[i]), ==, 0);
      assert_refused (f, "bad", "libbawn-backend-bad.so can be written to by others");
    }
}

static void
test_writable_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *path G_GNUC_UNUSED = install (f, "bad");
  const mode_t modes[] = { 0775, 0757, 01777 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (g_chmod (f->folder, modes[i]), ==, 0);
      assert_refused (f, "bad", "/backends can be written to by others");
    }
}

static void
test_writable_parent (Fixture *f, gconstpointer data)
{
  g_autofree char *path G_GNUC_UNUSED = install (f, "sticky");

  g_assert_cmpint (g_chmod (f->top, 0777), ==, 0);
  assert_refused (f, "sticky", "can be written to by others");
  g_assert_cmpint (g_chmod (f->top, 01777), ==, 0);

  g_autofree char *problems = load (f, "sticky");

  g_assert_cmpstr (problems, ==, "");
}

/* Root can give files away; others see that theirs are not enough where only root's are. */
static void
give_away (Fixture *f, const char *path)
{
  if (geteuid () == 0)
    g_assert_cmpint (chown (path, STRANGER, (gid_t) -1), ==, 0);
  else
    f->place.owner = 0;
}

static void
test_owner (Fixture *f, gconstpointer data)
{
  g_autofree char *path = install (f, "bad");

  give_away (f, path);
  assert_refused (f, "bad", " belongs to the user ");
}

static void
test_owner_above (Fixture *f, gconstpointer data)
{
  g_autofree char *path G_GNUC_UNUSED = install (f, "bad");

  give_away (f, f->top);
  assert_refused (f, "bad", " belongs to the user ");
}

static void
test_links (Fixture *f, gconstpointer data)
{
  g_autofree char *path = install (f, "bad");
  g_autofree char *link = g_build_filename (f->folder, "libbawn-backend-link.so", NULL);
  g_autofree char *other = g_build_filename (f->top, "other", NULL);

  g_assert_cmpint (symlink (path, link), ==, 0);
  assert_refused (f, "link", "is a symbolic link");
  g_assert_cmpint (symlink (f->folder, other), ==, 0);
  f->place.folder = other;
  assert_refused (f, "bad", "is a symbolic link");
}

static void
test_no_file (Fixture *f, gconstpointer data)
{
  g_autofree char *pipe = g_build_filename (f->folder, "libbawn-backend-pipe.so", NULL);
  g_autofree char *folder = g_build_filename (f->folder, "libbawn-backend-folder.so", NULL);
  g_autofree char *text = g_build_filename (f->folder, "libbawn-backend-text.so", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  assert_refused (f, "pipe", "is not a regular file");
  g_assert_cmpint (g_mkdir (folder, 0755), ==, 0);
  assert_refused (f, "folder", "is not a regular file");
  g_file_set_contents (text, "not a program\n", -1, &error);
  g_assert_no_error (error);
  assert_refused (f, "text", "libbawn-backend-text.so cannot be loaded: ");
}

typedef struct
{
  const char *kind;
  const char *why;
} Fault;

/* Each a module built with that fault; see module.c. */
static const Fault faults[] = {
  { "fault-abi", "was built for version 77 of the backend interface" },
  { "fault-revision", "was built for a newer bawn: revision 77" },
  { "fault-name", "is the storage \"another\", not \"fault-name\"" },
  { "fault-symbol", "has no symbol bawn_backend_module" },
  { "fault-class", "is not a BawnBackend and GInitable" },
  { "fault-property", "has no writable property \"config\"" },
  { "fault-function", "bawn_backend_of_tomorrow" },
};

static void
test_faults (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autofree char *path = install (f, faults[i].kind);

      assert_refused (f, faults[i].kind, faults[i].why);
      assert_refused (f, faults[i].kind, path);
    }
}

static GType
no_type (void)
{
  return G_TYPE_INVALID;
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/daemon/modules/", name, NULL);

  g_test_add (path, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("builtin", no_type, FALSE);

  add ("a-module-makes-its-storage-known", test_good);
  add ("what-is-built-in-needs-no-module", test_built_in);
  add ("a-name-leads-nowhere-else", test_names);
  add ("without-a-module-the-storage-is-unknown", test_missing);
  add ("a-file-that-others-can-write-to-is-refused", test_writable_file);
  add ("a-folder-that-others-can-write-to-is-refused", test_writable_folder);
  add ("so-is-one-above-it-unless-it-is-sticky", test_writable_parent);
  add ("a-file-of-somebody-else-is-refused", test_owner);
  add ("so-is-a-folder-above-it", test_owner_above);
  add ("links-are-not-followed", test_links);
  add ("what-is-no-module-is-refused", test_no_file);
  add ("each-fault-of-a-module-is-named", test_faults);
  return g_test_run ();
}
