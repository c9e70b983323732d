/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/contract/bawn-contract.h"

#include <glib/gstdio.h>

#include "storage/bawn-backend-registry.h"
#include "util/bawn-bytes.h"
#include "tests/support/unref-last.h"

typedef struct
{
  const BawnContractTarget *target;
  BawnContractFunc func;
} Case;

/* @path is left out where every handle has a storage of its own. */
static BawnConfig *
make_config (const BawnContractTarget *target, const char *path, GError **error)
{
  const char *more = target->variable != NULL ? g_getenv (target->variable) : target->lines;
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "[storage]\ntype=%s\n", target->type);
  if (!target->is_private)
    g_string_append_printf (text, "path=%s\n", path);
  g_string_append_printf (text, "%s\n", more != NULL ? more : "");

  return bawn_config_load_data ("contract", text->str, text->len, error);
}

/**
 * bawn_contract_check_config:
 * @target: a registered storage
 * @error: (out) (optional): all that is wrong with its keys
 *
 * Returns: %TRUE if its backend is content with the keys it would get
 */
gboolean
bawn_contract_check_config (const BawnContractTarget *target, GError **error)
{
  g_autoptr (BawnConfig) config = make_config (target, "/check", error);

  if (config == NULL)
    return FALSE;

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");

  bawn_backend_check_config (group);
  return bawn_config_check (config, error);
}

BawnBackend *
bawn_contract_open_path (const BawnContractTarget *target, const char *path, GError **error)
{
  g_autoptr (BawnConfig) config = make_config (target, path, error);

  if (config == NULL)
    return NULL;

  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (config, "storage");
  g_autoptr (BawnBackend) backend = bawn_backend_open (group, NULL, error);

  if (backend == NULL || !bawn_config_check (config, error))
    return NULL;

  return g_steal_pointer (&backend);
}

static BawnBackend *
open_handle (BawnContract *contract)
{
  g_autoptr (GError) error = NULL;
  BawnBackend *backend = bawn_contract_open_path (contract->target, contract->path, &error);

  g_assert_no_error (error);
  g_assert_true (BAWN_IS_BACKEND (backend));
  return backend;
}

/* A storage may be a folder, too. */
static void
remove_directory (const char *directory)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);

  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        remove_directory (path);
      else
        g_assert_cmpint (g_unlink (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (directory), ==, 0);
}

static void
run_case (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (GError) error = NULL;
  BawnContract contract = { .target = test->target };

  if (test->target->variable != NULL && g_getenv (test->target->variable) == NULL)
    {
      g_autofree char *reason = g_strdup_printf ("%s is not set", test->target->variable);

      g_test_skip (reason);
      return;
    }

  contract.directory = g_dir_make_tmp ("bawn-contract-XXXXXX", &error);
  g_assert_no_error (error);
  contract.path = test->target->is_file ? g_build_filename (contract.directory, "storage.db", NULL)
                                        : g_path_get_basename (contract.directory);
  contract.backend = open_handle (&contract);
  test->func (&contract);
  unref_last (contract.backend);
  remove_directory (contract.directory);
  g_free (contract.path);
  g_free (contract.directory);
}

void
bawn_contract_add (const BawnContractTarget *target, const char *name, BawnContractFunc func)
{
  g_autofree char *path = g_strdup_printf ("/contract/%s/%s", target->type, name);
  Case *test = g_new0 (Case, 1);

  test->target = target;
  test->func = func;
  g_test_add_data_func_full (path, test, run_case, g_free);
}

/**
 * bawn_contract_add_tests:
 * @target: a registered storage; must stay
 *
 * Adds all tests of the suite for it. g_test_init() must have been called.
 */
void
bawn_contract_add_tests (const BawnContractTarget *target)
{
  bawn_contract_add_basic (target);
  bawn_contract_add_listing (target);
  bawn_contract_add_commit (target);
  bawn_contract_add_model (target);
  bawn_contract_add_threads (target);
  bawn_contract_add_store (target);
  bawn_contract_add_wait (target);
  bawn_contract_add_serial (target);
  bawn_contract_add_processes (target);
}

BawnBackend *
bawn_contract_open (BawnContract *contract)
{
  return contract->target->is_private ? g_object_ref (contract->backend) : open_handle (contract);
}

gboolean
bawn_contract_reopen (BawnContract *contract)
{
  if (contract->target->is_private)
    return FALSE;

  unref_last (contract->backend);
  contract->backend = open_handle (contract);
  return TRUE;
}

void
bawn_contract_put (BawnBackend *backend, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);
  const BawnWrite write = { BAWN_WRITE_PUT, key, value };

  assert_works (bawn_backend_commit (backend, &write, 1, NULL, 0, NULL, NULL, &error));
}

void
bawn_contract_delete (BawnBackend *backend, const char *key)
{
  const BawnWrite write = { BAWN_WRITE_DELETE, key, NULL };

  assert_works (bawn_backend_commit (backend, &write, 1, NULL, 0, NULL, NULL, &error));
}

char *
bawn_contract_get (BawnBackend *backend, const char *key)
{
  g_autoptr (GBytes) value = NULL;
  guint64 version = 0;

  assert_works (bawn_backend_get (backend, key, &value, &version, NULL, &error));
  g_assert_cmpint (value != NULL, ==, version != 0);
  return value != NULL ? g_strndup (g_bytes_get_data (value, NULL), g_bytes_get_size (value))
                       : g_strdup ("-");
}

guint64
bawn_contract_version (BawnBackend *backend, const char *key)
{
  guint64 version = 0;

  assert_works (bawn_backend_get (backend, key, NULL, &version, NULL, &error));
  return version;
}

char *
bawn_contract_list (BawnBackend *backend, const char *prefix, const char *after, guint limit)
{
  g_auto (GStrv) names = NULL;

  assert_works (bawn_backend_list (backend, prefix, after, limit, &names, NULL, &error));
  return g_strjoinv (" ", names);
}

guint
bawn_contract_scale (const char *variable, guint fallback)
{
  const char *text = g_getenv (variable);

  return text != NULL ? (guint) g_ascii_strtoull (text, NULL, 10) : fallback;
}
