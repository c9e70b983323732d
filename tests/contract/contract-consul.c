/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* The conformance suite over Consul: tests/servers/run consul -- tests/contract/contract-consul */

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_consul_get_type (void);

static const BawnContractTarget target = {
  .type = "consul",
  .variable = "BAWN_TEST_CONSUL",
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  bawn_backend_register ("consul", bawn_backend_consul_get_type, TRUE);
  bawn_contract_add_tests (&target);
  return g_test_run ();
}
