/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "ha/bawn-ha-file.h"
#include "ha/bawn-ha-lock.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/contract/bawn-backend-fault.h"
#include "tests/contract/bawn-contract.h"
#include "tests/unit/ha/bawn-ha-client.h"

/* The file in which a process writes down its lease, and who may release it. */

GType bawn_backend_memory_get_type (void);

typedef struct
{
  BawnBackend *storage;
  BawnBackendFault *fault;
  char *directory;
  char *path;
} Place;

static void
place_init (Place *place)
{
  place->storage = g_initable_new (bawn_backend_memory_get_type (), NULL, NULL, NULL);
  place->fault = bawn_backend_fault_new (place->storage);
  place->directory = g_dir_make_tmp ("bawn-ha-XXXXXX", NULL);
  place->path = g_build_filename (place->directory, "lease", NULL);
}

static void
place_clear (Place *place)
{
  g_unlink (place->path);
  /* Nothing else may be left there. */
  g_assert_cmpint (g_rmdir (place->directory), ==, 0);
  g_object_unref (place->fault);
  g_object_unref (place->storage);
  g_free (place->path);
  g_free (place->directory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)

static void
write_lock (Place *place, guint64 epoch, gboolean held, const char *holder)
{
  const BawnHaLock lock = { epoch, 3, held, 3000000, (char *) holder, (char *) "name", NULL };
  g_autoptr (GBytes) value = bawn_ha_lock_format (&lock);
  const BawnWrite write = { BAWN_WRITE_PUT, BAWN_ELECTOR_LOCK_KEY, value };

  assert_works (bawn_backend_commit (place->storage, &write, 1, NULL, 0, NULL, NULL, &error));
}

static void
assert_lock (Place *place, guint64 epoch, gboolean held, const char *holder)
{
  g_autoptr (GBytes) text = NULL;
  g_auto (BawnHaLock) lock = { 0 };
  guint64 version = 0;

  assert_works (
      bawn_backend_get (place->storage, BAWN_ELECTOR_LOCK_KEY, &text, &version, NULL, &error));
  assert_works (bawn_ha_lock_parse (text, &lock, &error));
  g_assert_cmpuint (lock.epoch, ==, epoch);
  g_assert_cmpint (lock.held, ==, held);
  g_assert_cmpstr (lock.holder, ==, holder);
}

/* As a process leaves it that is killed. */
static void
leave_file (Place *place, const char *node_id)
{
  g_autoptr (BawnHaFile) file = bawn_ha_file_new (place->path, node_id);

  assert_works (bawn_ha_file_write (file, 7, &error));
}

static gboolean
release (Place *place)
{
  gboolean released = FALSE;

  assert_works (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place->fault), place->path, &released, &error));
  return released;
}

static gboolean
file_is_there (Place *place)
{
  return g_file_test (place->path, G_FILE_TEST_EXISTS);
}

static void
test_dead (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place);
  write_lock (&place, 7, TRUE, "dead");
  leave_file (&place, "dead");
  g_assert_true (release (&place));
  assert_lock (&place, 7, FALSE, "dead");
  g_assert_false (file_is_there (&place));
  g_assert_false (release (&place));
}

static void
test_alive (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place);

  g_autoptr (BawnHaFile) file = bawn_ha_file_new (place.path, "alive");

  write_lock (&place, 7, TRUE, "alive");
  assert_works (bawn_ha_file_write (file, 7, &error));
  assert_works (bawn_ha_file_write (file, 8, &error));

  gboolean released = FALSE;

  assert_fails (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place.fault), place.path, &released, &error),
      BAWN_ERROR_INVALID);
  assert_lock (&place, 7, TRUE, "alive");
  g_assert_true (file_is_there (&place));
  bawn_ha_file_remove (file);
  g_assert_false (file_is_there (&place));
}

static void
test_nothing (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place);
  g_assert_false (release (&place));
  leave_file (&place, "dead");
  g_assert_false (release (&place));
  g_assert_false (file_is_there (&place));
}

static void
test_others (void)
{
  g_auto (Place) place = { 0 };

  place_init (&place);
  write_lock (&place, 8, TRUE, "another");
  leave_file (&place, "dead");
  g_assert_false (release (&place));
  assert_lock (&place, 8, TRUE, "another");

  write_lock (&place, 9, FALSE, "dead");
  leave_file (&place, "dead");
  g_assert_false (release (&place));
  g_assert_cmpuint (bawn_backend_fault_count (place.fault, BAWN_FAULT_COMMIT), ==, 0);
}

typedef struct
{
  Place *place;
  gboolean released;
} Overtaken;

static gpointer
release_in_thread (gpointer data)
{
  Overtaken *overtaken = data;

  overtaken->released = release (overtaken->place);
  return NULL;
}

/* Between the read and the write somebody else takes it. */
static void
test_overtaken (void)
{
  g_auto (Place) place = { 0 };
  Overtaken overtaken = { &place, TRUE };

  place_init (&place);
  write_lock (&place, 7, TRUE, "dead");
  leave_file (&place, "dead");
  bawn_backend_fault_hold (place.fault, BAWN_FAULT_COMMIT, FALSE);

  GThread *thread = g_thread_new ("release", release_in_thread, &overtaken);

  bawn_backend_fault_await_held (place.fault);
  write_lock (&place, 8, TRUE, "another");
  bawn_backend_fault_release (place.fault);
  g_thread_join (thread);
  g_assert_false (overtaken.released);
  assert_lock (&place, 8, TRUE, "another");
}

static void
test_unknown (gconstpointer data)
{
  gboolean applied = GPOINTER_TO_INT (data);
  g_auto (Place) place = { 0 };

  place_init (&place);
  write_lock (&place, 7, TRUE, "dead");
  leave_file (&place, "dead");
  bawn_backend_fault_lose (place.fault, 0, 1, applied);
  g_assert_true (release (&place));
  assert_lock (&place, 7, FALSE, "dead");
}

static void
test_storage_fails (void)
{
  g_auto (Place) place = { 0 };
  gboolean released = FALSE;

  place_init (&place);
  write_lock (&place, 7, TRUE, "dead");
  leave_file (&place, "dead");
  bawn_backend_fault_fail (place.fault, BAWN_FAULT_GET, 0, 1, BAWN_ERROR_UPSTREAM);
  assert_fails (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place.fault), place.path, &released, &error),
      BAWN_ERROR_UPSTREAM);
  g_assert_true (file_is_there (&place));
  g_assert_true (release (&place));
}

static void
refuse_file (Place *place)
{
  gboolean released = FALSE;

  assert_fails (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place->fault), place->path, &released, &error),
      BAWN_ERROR_INVALID);
  assert_lock (place, 7, TRUE, "dead");
}

static void
test_odd_files (void)
{
  const char *const texts[] = { "",          "{}", "dead", "{\"node_id\":\"\"}", "{\"node_id\":7}",
                                "[\"dead\"]" };
  g_auto (Place) place = { 0 };

  place_init (&place);
  write_lock (&place, 7, TRUE, "dead");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_assert_true (g_file_set_contents (place.path, texts[i], -1, NULL));
      refuse_file (&place);
    }

  g_unlink (place.path);
  g_assert_cmpint (mkfifo (place.path, 0600), ==, 0);
  refuse_file (&place);

  g_autofree char *target = g_strconcat (place.path, ".target", NULL);

  g_unlink (place.path);
  g_assert_true (g_file_set_contents (target, "{\"node_id\":\"dead\"}", -1, NULL));
  g_assert_cmpint (symlink (target, place.path), ==, 0);

  gboolean released = FALSE;

  assert_fails (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place.fault), place.path, &released, &error),
      BAWN_ERROR_UPSTREAM);
  assert_lock (&place, 7, TRUE, "dead");
  g_unlink (target);
}

static void
test_mode (void)
{
  g_auto (Place) place = { 0 };
  GStatBuf st = { 0 };

  place_init (&place);
  leave_file (&place, "dead");
  g_assert_cmpint (g_stat (place.path, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0600);
  /* A second time, over what is there. */
  leave_file (&place, "dead");
}

static void
test_no_place (void)
{
  g_autoptr (BawnHaFile) file = bawn_ha_file_new ("/nonexistent/lease", "id");

  assert_fails (bawn_ha_file_write (file, 1, &error), BAWN_ERROR_UPSTREAM);
  bawn_ha_file_remove (file);
}

/* The elector writes it before it takes the lease, and removes it when it has let go. */
static void
test_elector (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (BawnTestClient) client = bawn_test_client_new ();
  const BawnElectorOptions options = {
    .node_id = "id", .node_name = "a", .ttl_us = 30 * G_USEC_PER_SEC, .lease_file = NULL
  };
  BawnElectorOptions with_file = options;

  place_init (&place);
  with_file.lease_file = place.path;

  g_autoptr (BawnElector) elector =
      bawn_elector_new (BAWN_HA_BACKEND (place.fault), &with_file, &bawn_test_client, client);

  bawn_backend_fault_hold (place.fault, BAWN_FAULT_COMMIT, FALSE);
  bawn_elector_start (elector);
  bawn_backend_fault_await_held (place.fault);
  g_assert_true (file_is_there (&place));
  bawn_backend_fault_release (place.fault);
  bawn_test_client_await_count (client, &client->promotions, 1);

  gboolean released = FALSE;

  assert_fails (
      bawn_elector_release_dead (BAWN_HA_BACKEND (place.storage), place.path, &released, &error),
      BAWN_ERROR_INVALID);
  bawn_elector_stop (elector, "sealed");
  g_assert_false (file_is_there (&place));
}

/* A file that cannot be written is a pity, no more. */
static void
test_elector_without_place (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (BawnTestClient) client = bawn_test_client_new ();
  const BawnElectorOptions options = { .node_id = "id",
                                       .node_name = "a",
                                       .ttl_us = 30 * G_USEC_PER_SEC,
                                       .lease_file = "/nonexistent/lease" };

  place_init (&place);

  g_autoptr (BawnElector) elector =
      bawn_elector_new (BAWN_HA_BACKEND (place.fault), &options, &bawn_test_client, client);

  bawn_elector_start (elector);
  bawn_test_client_await_count (client, &client->promotions, 1);
  bawn_elector_stop (elector, "sealed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/ha/release/the-lease-of-a-dead-process-is-freed", test_dead);
  g_test_add_func ("/ha/release/a-process-that-lives-keeps-its-lease", test_alive);
  g_test_add_func ("/ha/release/nothing-to-release-is-fine", test_nothing);
  g_test_add_func ("/ha/release/the-lease-of-another-stays", test_others);
  g_test_add_func ("/ha/release/a-lease-taken-meanwhile-stays", test_overtaken);
  g_test_add_data_func ("/ha/release/a-lost-answer-is-looked-up", GINT_TO_POINTER (TRUE),
                        test_unknown);
  g_test_add_data_func ("/ha/release/a-lost-write-is-repeated", GINT_TO_POINTER (FALSE),
                        test_unknown);
  g_test_add_func ("/ha/release/a-storage-that-fails-can-be-asked-again", test_storage_fails);
  g_test_add_func ("/ha/release/odd-files-release-nothing", test_odd_files);
  g_test_add_func ("/ha/release/the-file-is-for-its-owner-only", test_mode);
  g_test_add_func ("/ha/release/a-file-without-a-place-is-an-error", test_no_place);
  g_test_add_func ("/ha/release/the-file-lives-as-long-as-the-lease", test_elector);
  g_test_add_func ("/ha/release/the-election-does-not-depend-on-the-file",
                   test_elector_without_place);
  return g_test_run ();
}
