/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/types.h>

#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnModulesPlace:
 * @folder: the absolute path of the folder that modules are in
 * @owner: who may own it besides root; root: nobody else
 *
 * Where modules come from, and whom they must belong to.
 */
typedef struct
{
  const char *folder;
  uid_t owner;
} BawnModulesPlace;

/* The folder that the program was configured with, and root's alone. Nothing can change it at run time: what the server
 * runs must not depend on who may set its environment or write its configuration. */
const BawnModulesPlace *bawn_modules_place (void);

/* Loads the module of the storage that @group asks for, if it is not built in. What is wrong is noted in the group, by its key
 * "type". At start-up only: before threads, and before any key is in memory. */
void bawn_modules_load (const BawnModulesPlace *place, BawnConfigGroup *group);

G_END_DECLS
