/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-store.h"

G_BEGIN_DECLS

/* A UUID in its text form, with the NUL. */
#define BAWN_FENCE_TERM_SIZE 37
/* The most that the record and its key take in a commit: three 20-digit numbers, two UUIDs, names, the key. */
#define BAWN_FENCE_MAX_BYTES 256

/**
 * BawnFence:
 * @epoch: which term of office this is; grows with every term, wherever it is held
 * @term: whose; new for each
 * @sequence: how many batches were committed in it
 * @previous: the term before; "" if there was none
 * @previous_sequence: how many batches were committed in that, for good
 * @version: the record's version in the storage; 0: there is none
 *
 * The record at %BAWN_STORE_FENCE_KEY. Every batch is committed on condition of its version and rewrites it, so
 * that two writers can never both go on, and a writer can tell whether a batch whose answer was lost is in.
 */
typedef struct
{
  guint64 epoch;
  char term[BAWN_FENCE_TERM_SIZE];
  guint64 sequence;
  char previous[BAWN_FENCE_TERM_SIZE];
  guint64 previous_sequence;
  guint64 version;
} BawnFence;

gboolean bawn_fence_read (BawnBackend *backend, BawnFence *out_fence, GCancellable *cancellable,
                          GError **error);
gboolean bawn_fence_take (BawnBackend *backend, guint64 epoch, BawnFence *out_fence,
                          GCancellable *cancellable, GError **error);
GBytes *bawn_fence_format (const BawnFence *fence);
gboolean bawn_fence_same_term (const BawnFence *a, const BawnFence *b);

G_END_DECLS
