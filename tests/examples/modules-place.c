/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-modules.h"

#include <unistd.h>

/* For the bawnd of the tests, which is never installed: modules come from where the test has put
 * them, and may belong to whoever runs it. */
const BawnModulesPlace *
bawn_modules_place (void)
{
  static BawnModulesPlace place = { .folder = NULL };

  place.folder =
      g_getenv ("BAWN_TEST_MODULES") != NULL ? g_getenv ("BAWN_TEST_MODULES") : "/nowhere";
  place.owner = geteuid ();
  return &place;
}
