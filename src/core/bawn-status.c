/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-status.h"

typedef struct
{
  BawnStatus status;
  gatomicrefcount refs;
} BawnStatusBlock;

/**
 * bawn_status_new:
 *
 * Returns: (transfer full): a snapshot to be filled in before it is shown to anybody
 */
BawnStatus *
bawn_status_new (void)
{
  BawnStatusBlock *block = g_new0 (BawnStatusBlock, 1);

  g_atomic_ref_count_init (&block->refs);
  return &block->status;
}

BawnStatus *
bawn_status_ref (BawnStatus *status)
{
  g_atomic_ref_count_inc (&((BawnStatusBlock *) status)->refs);
  return status;
}

void
bawn_status_unref (BawnStatus *status)
{
  if (!g_atomic_ref_count_dec (&((BawnStatusBlock *) status)->refs))
    return;

  g_free (status->seal_type);
  g_free (status->nonce);
  g_free (status->cluster_name);
  g_free (status->cluster_id);
  g_free (status->storage_type);
  g_free (status->version);
  g_free (status->api_addr);
  g_free (status->cluster_addr);
  g_free (status->last_reason);
  g_clear_pointer (&status->leader, bawn_leader_unref);
  g_free (status);
}
