/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-readset.h"
#include "storage/bawn-store.h"

G_BEGIN_DECLS

typedef struct _BawnRecall BawnRecall;

/**
 * BawnJob:
 * @txn: keeps the transaction's place in the history until the answer
 * @reads: what it has read; lives in @txn
 * @writes: (element-type BawnWrite): what it writes, sealed; each key once; owned
 * @touched: (element-type utf8): the names it changes: keys, and folders whose listing does
 * @bytes: the size of all keys and values
 * @cancellable: (nullable): takes it back as long as it was not sent
 *
 * A transaction that waits to be committed. Whoever made it is answered exactly once.
 */
typedef struct
{
  BawnTxn *txn;
  const BawnReadset *reads;
  GArray *writes;
  GHashTable *touched;
  gsize bytes;
  GCancellable *cancellable;
  /*< private >*/
  gatomicrefcount refs;
  BawnRecall *recall;
  gulong recall_id;
  GTask *task;
  GMutex lock;
  GCond answered;
  gboolean done;
  GError *error;
  GList link;
} BawnJob;

BawnJob *bawn_job_new (BawnTxn *txn, const BawnReadset *reads);
BawnJob *bawn_job_ref (BawnJob *job);
void bawn_job_unref (BawnJob *job);
void bawn_job_add (BawnJob *job, BawnWriteKind kind, const char *key, GBytes *value,
                   gboolean changes_listing);

/* With a task, the answer goes to that; without one, to whoever waits, with a reference of his own. */
void bawn_job_set_task (BawnJob *job, GTask *task);
/* Takes a reference. Only the first answer counts. */
void bawn_job_answer (BawnJob *job, GError *error);
gboolean bawn_job_wait (BawnJob *job, GError **error);
/* FALSE if there is no answer by then (monotonic time). */
gboolean bawn_job_wait_until (BawnJob *job, gint64 until);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnJob, bawn_job_unref)

G_END_DECLS
