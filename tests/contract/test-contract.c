/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_memory_get_type (void);
GType bawn_backend_sqlite_get_type (void);

static const BawnContractTarget targets[] = {
  { "memory", TRUE, FALSE, NULL },
  { "sqlite", FALSE, TRUE, NULL },
};

static void
test_all_are_known (void)
{
  guint n = g_strv_length ((GStrv) bawn_backend_names ());

  g_assert_cmpuint (n, ==, G_N_ELEMENTS (targets));
  for (guint i = 0; i < n; i++)
    g_assert_true (g_strv_contains (bawn_backend_names (), targets[i].type));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("memory", bawn_backend_memory_get_type, FALSE);
  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);

  g_test_add_func ("/contract/every-registered-storage-is-tested", test_all_are_known);
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    bawn_contract_add_tests (&targets[i]);
  return g_test_run ();
}
