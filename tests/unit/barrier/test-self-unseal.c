/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-auto-record.h"
#include "barrier/bawn-keyring.h"
#include "barrier/bawn-seal-credential.h"
#include "barrier/bawn-seal-records.h"
#include "storage/bawn-store.h"
#include "tests/support/unref-last.h"
#include "util/bawn-error.h"

#include <glib/gstdio.h>
#include <string.h>

#define NOW_US G_GINT64_CONSTANT (1700000000000000)

GType bawn_backend_memory_get_type (void);

/* A storage that was initialised, and its barrier with the keys. */
typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnBarrier *barrier;
  BawnSecret *root_key;
} Fixture;

static BawnTxn *
begin (Fixture *f)
{
  return bawn_store_begin (f->store, BAWN_CODEC (f->barrier), TRUE);
}

static void
commit (BawnTxn *txn)
{
  g_autoptr(GError) error = NULL;

  bawn_txn_commit (txn, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;

  f->backend = g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  f->barrier = bawn_barrier_new ();
  g_autoptr(BawnTxn) txn = begin (f);
  g_autoptr(GPtrArray) shares = bawn_barrier_init_store (f->barrier, txn, 3, 2, NOW_US, &error);
  g_assert_no_error (error);
  commit (txn);
  g_autoptr(BawnKeyring) keyring = bawn_barrier_dup_keyring (f->barrier);
  f->root_key = bawn_secret_ref (bawn_keyring_get_root_key (keyring));
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_secret_unref (f->root_key);
  unref_last (f->barrier);
  bawn_store_close_term (f->store);
  unref_last (f->store);
  unref_last (f->backend);
}

static BawnSeal *
seal_new (void)
{
  g_autoptr(BawnSecret) key = bawn_secret_new_random (BAWN_SEAL_CREDENTIAL_SIZE);

  return BAWN_SEAL (bawn_seal_credential_new (key));
}

static gboolean
enrol (Fixture *f, BawnSeal *seal)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnTxn) txn = begin (f);
  gboolean put = FALSE;

  g_assert_true (bawn_auto_record_enrol (f->barrier, seal, txn, &put, &error));
  g_assert_no_error (error);
  commit (txn);

  return put;
}

/* As a sealed node would: without a codec. The error's code, or -1 if the root key came out. */
static int
open_code (Fixture *f, BawnSeal *seal)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr(BawnSecret) root_key = bawn_auto_record_open (seal, txn, &error);

  if (root_key == NULL)
    return error->code;
  g_assert_true (bawn_secret_equal (root_key, f->root_key));
  return -1;
}

static void
test_opens (Fixture *f, gconstpointer data)
{
  g_autoptr(BawnSeal) seal = seal_new ();

  g_assert_cmpstr (bawn_seal_get_type_name (seal), ==, "credential");
  g_assert_true (bawn_seal_is_automatic (seal));
  g_assert_cmpint (open_code (f, seal), ==, BAWN_ERROR_NOT_FOUND);
  g_assert_true (enrol (f, seal));
  g_assert_cmpint (open_code (f, seal), ==, -1);
  /* Nothing is written when nothing changes. */
  g_assert_false (enrol (f, seal));
}

static void
test_another_key (Fixture *f, gconstpointer data)
{
  g_autoptr(BawnSeal) first = seal_new ();
  g_autoptr(BawnSeal) second = seal_new ();

  g_assert_true (enrol (f, first));
  g_assert_cmpint (open_code (f, second), ==, BAWN_ERROR_DENIED);
  g_assert_true (enrol (f, second));
  g_assert_cmpint (open_code (f, second), ==, -1);
  g_assert_cmpint (open_code (f, first), ==, BAWN_ERROR_DENIED);
}

static void
test_no_key (Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnSeal) first = seal_new ();
  g_autoptr(BawnSeal) none = BAWN_SEAL (bawn_seal_credential_new (NULL));
  g_autoptr(BawnTxn) txn = begin (f);
  gboolean put = FALSE;

  g_assert_true (enrol (f, first));
  g_assert_cmpint (open_code (f, none), ==, BAWN_ERROR_SEALED);
  /* It takes the record of others away from nobody. */
  g_assert_false (bawn_auto_record_enrol (f->barrier, none, txn, &put, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
  g_assert_cmpint (open_code (f, first), ==, -1);
}

static void
test_sealed_barrier (Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnSeal) seal = seal_new ();
  g_autoptr(BawnTxn) txn = begin (f);
  gboolean put = FALSE;

  bawn_barrier_seal (f->barrier);
  g_assert_false (bawn_auto_record_put (f->barrier, seal, txn, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
  g_clear_error (&error);
  g_assert_false (bawn_auto_record_enrol (f->barrier, seal, txn, &put, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
}

/* What is in the record opens nothing in another place, and nothing else opens in this one. */
static void
test_bad_record (Fixture *f, gconstpointer data)
{
  static const char *const keys[] = { BAWN_ROOT_KEY_KEY, BAWN_KEYRING_KEY, BAWN_SEAL_CONFIG_KEY, NULL };
  g_autoptr(BawnSeal) seal = seal_new ();

  for (guint i = 0; keys[i] != NULL; i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(BawnTxn) txn = begin (f);
      g_autoptr(GBytes) bytes = NULL;

      g_assert_true (bawn_txn_get (txn, keys[i], &bytes, &error));
      bawn_txn_put (txn, BAWN_AUTO_RECORD_KEY, bytes);
      commit (txn);
      int code = open_code (f, seal);
      g_assert_true (code == BAWN_ERROR_DENIED || code == BAWN_ERROR_CORRUPT);
    }
  g_assert_true (enrol (f, seal));
  g_assert_cmpint (open_code (f, seal), ==, -1);
}

static void
test_file (void)
{
  static const gsize sizes[] = { 0, 1, 31, 32, 33, 64, 4096 };
  g_autofree char *folder = g_dir_make_tmp ("bawn-credential-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "unseal-key", NULL);
  char bytes[4096];

  memset (bytes, 'k', sizeof bytes);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_true (g_file_set_contents (path, bytes, (gssize) sizes[i], NULL));
      g_autoptr(BawnSecret) key = bawn_seal_credential_read (path, &error);
      g_assert_cmpint (key != NULL, ==, sizes[i] == BAWN_SEAL_CREDENTIAL_SIZE);
      if (key == NULL)
        g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      else
        g_assert_cmpmem (bawn_secret_data (key), bawn_secret_size (key), bytes, BAWN_SEAL_CREDENTIAL_SIZE);
      g_assert_true (error == NULL || strstr (error->message, "kkk") == NULL);
    }

  g_autoptr(GError) absent = NULL;
  g_autoptr(GError) unfit = NULL;
  g_unlink (path);
  g_assert_null (bawn_seal_credential_read (path, &absent));
  g_assert_error (absent, BAWN_ERROR, BAWN_ERROR_NOT_FOUND);
  g_assert_null (bawn_seal_credential_read (folder, &unfit));
  g_assert_error (unfit, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/barrier/self-unseal/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("a-key-that-was-enrolled-opens", test_opens);
  ADD ("another-key-does-not-open-before-it-is-enrolled", test_another_key);
  ADD ("without-a-key-nothing-opens-and-nothing-is-lost", test_no_key);
  ADD ("a-sealed-barrier-enrols-nothing", test_sealed_barrier);
  ADD ("a-bad-record-opens-nothing-and-is-mended", test_bad_record);
#undef ADD
  g_test_add_func ("/barrier/self-unseal/a-key-has-its-size", test_file);

  return g_test_run ();
}
