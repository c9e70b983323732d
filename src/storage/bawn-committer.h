/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-fence.h"
#include "storage/bawn-job.h"
#include "storage/bawn-mirror.h"

G_BEGIN_DECLS

/* More waiting transactions than this are refused: whoever sends so many does not wait for answers. */
#define BAWN_COMMITTER_MAX_QUEUE 16384
/* How long a closing term waits for a batch whose answer the storage owes, before its outcome stays unknown. */
#define BAWN_COMMITTER_GRACE_MS 5000
/* The same for one that was given up, so that the log can tell what has become of it. */
#define BAWN_COMMITTER_LAST_WORD_MS 500

/**
 * BawnCommitter:
 *
 * The only writer of a term: a queue and a thread. While one batch is with the storage, the next one gathers.
 * Reference-counted, thread-safe.
 */
typedef struct _BawnCommitter BawnCommitter;

/* On the committer's thread, once, when the storage refuses the fence, or answers a batch that was given up. */
typedef void (*BawnDeposedFunc) (gpointer owner);

BawnCommitter *bawn_committer_new (BawnBackend *backend, BawnMirror *mirror, const BawnFence *fence,
                                   GObject *owner, BawnDeposedFunc deposed);
BawnCommitter *bawn_committer_ref (BawnCommitter *self);
void bawn_committer_unref (BawnCommitter *self);

void bawn_committer_submit (BawnCommitter *self, BawnJob *job);
/* Answers a batch that has been under way for longer than @patience_us, and what waits behind it. */
void bawn_committer_give_up (BawnCommitter *self, gint64 patience_us);
void bawn_committer_close (BawnCommitter *self);
/* The fence as it was when the term began. */
void bawn_committer_get_taken (BawnCommitter *self, BawnFence *out_fence);
guint64 bawn_committer_get_epoch (BawnCommitter *self);
void bawn_committer_add_stats (BawnCommitter *self, BawnStoreStats *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnCommitter, bawn_committer_unref)

G_END_DECLS
