/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* In a file of its own so that the program of the tests can have another place; the one that is
 * installed has this. */

#include "daemon/bawn-modules.h"

#define ROOT 0

const BawnModulesPlace *
bawn_modules_place (void)
{
  static const BawnModulesPlace place = { .folder = BACKENDDIR, .owner = ROOT };

  return &place;
}
