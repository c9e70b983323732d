/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-job.h"

G_BEGIN_DECLS

/**
 * BawnBatch:
 * @jobs: (element-type BawnJob): the transactions, in their serial order
 * @writes: (element-type BawnWrite): the fence first, then each key once, the latest job's; borrowed of the jobs
 * @touched: (element-type utf8): the names it changes; borrowed of the jobs
 *
 * Transactions that go to the storage as one commit. They take effect one after the other, so none may have read
 * what an earlier one of them changes.
 */
typedef struct
{
  GPtrArray *jobs;
  GArray *writes;
  GHashTable *touched;
  /*< private >*/
  GHashTable *index;
  gsize bytes;
  GBytes *fence;
} BawnBatch;

BawnBatch *bawn_batch_new (void);
void bawn_batch_free (BawnBatch *batch);
gboolean bawn_batch_has_room (const BawnBatch *batch, const BawnJob *job,
                              const BawnBackendLimits *limits);
gboolean bawn_batch_agrees (const BawnBatch *batch, const BawnJob *job);
void bawn_batch_add (BawnBatch *batch, BawnJob *job);
void bawn_batch_set_fence (BawnBatch *batch, GBytes *fence);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnBatch, bawn_batch_free)

G_END_DECLS
