/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

/*
 * A secret that the service manager keeps for the next process of this service: over a restart and a crash, and gone when
 * the service is stopped, or the machine (FileDescriptorStoreMax= in systemd.service(5)). It lies in memory that even the kernel does
 * not read, where there is such memory, else in memory that has no name.
 */

/* What was kept as @name by an earlier process; NULL if nothing was, or it is of no use. */
BawnSecret *bawn_fdstore_take (const char *name);
/* In place of what was kept before. FALSE if it cannot be kept. */
gboolean bawn_fdstore_keep (const char *name, const BawnSecret *secret, GError **error);
void bawn_fdstore_forget (const char *name);

G_END_DECLS
