/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* The conformance suite over etcd: tests/servers/run etcd -- tests/contract/contract-etcd */

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_etcd_get_type (void);

static const BawnContractTarget target = {
  .type = "etcd",
  .variable = "BAWN_TEST_ETCD",
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("etcd", bawn_backend_etcd_get_type, TRUE);
  bawn_contract_add_tests (&target);
  return g_test_run ();
}
