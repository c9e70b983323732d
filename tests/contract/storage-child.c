/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* The process that test-processes has killed: storage-child MODE FILE MORE */

#include "storage/bawn-backend-registry.h"
#include "tests/contract/bawn-contract.h"

GType bawn_backend_sqlite_get_type (void);

int
main (int argc, char **argv)
{
  static const BawnContractTarget target = { .type = "sqlite", .is_file = TRUE };

  if (argc != 4)
    return 1;

  bawn_backend_register ("sqlite", bawn_backend_sqlite_get_type, TRUE);
  return bawn_contract_child (&target, (const char *const *) argv + 1);
}
