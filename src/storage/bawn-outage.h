/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/* A storage that has failed is called good again when it has answered without a failure for so
 * long, so that one that wavers does not fill the log. */
#define BAWN_OUTAGE_CALM_US (G_USEC_PER_SEC)

typedef enum
{
  BAWN_OUTAGE_READS,
  BAWN_OUTAGE_WRITES,
} BawnOutageSide;
#define BAWN_OUTAGE_N_SIDES 2

/* From now on the log tells when this storage fails, and when it is good again: once for each
 * outage. @name: what operators know it by. Before the backend is used by several threads. */
void bawn_outage_watch (BawnBackend *backend, const char *name);
/* A call to the storage has ended; @error (nullable): how. Nothing happens for a backend that is
 * not watched. */
void bawn_outage_note (BawnBackend *backend, BawnOutageSide side, const GError *error);

G_END_DECLS
