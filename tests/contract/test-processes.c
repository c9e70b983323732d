/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Processes that share one SQLite file, and what SQLite says of it when they have been killed. */

#include <sqlite3.h>

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_sqlite_get_type (void);

static void
assert_integrity (const char *path)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *stmt = NULL;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA integrity_check", -1, &stmt, NULL), ==,
                   SQLITE_OK);
  g_assert_cmpint (sqlite3_step (stmt), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (stmt, 0), ==, "ok");
  sqlite3_finalize (stmt);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);

  g_autofree char *program = g_test_build_filename (G_TEST_BUILT, "storage-child", NULL);
  const char *const child[] = { program, NULL };
  const BawnContractTarget target = {
    .type = "sqlite",
    .is_file = TRUE,
    .child = child,
    .check = assert_integrity,
  };

  bawn_contract_add_processes (&target);
  return g_test_run ();
}
