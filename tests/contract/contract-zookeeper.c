/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* The conformance suite over ZooKeeper: tests/servers/run zookeeper --
 * tests/contract/contract-zookeeper */

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_zookeeper_get_type (void);

static const BawnContractTarget target = {
  .type = "zookeeper",
  .variable = "BAWN_TEST_ZOOKEEPER",
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("zookeeper", bawn_backend_zookeeper_get_type, TRUE);
  bawn_contract_add_tests (&target);
  return g_test_run ();
}
