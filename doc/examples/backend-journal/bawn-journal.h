/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <bawn-backend.h>

G_BEGIN_DECLS

/**
 * BawnJournal:
 *
 * A folder with a journal of commits, and what the journal says so far, in memory. Any number of processes of one machine can
 * have it open. One thread at a time.
 */
typedef struct _BawnJournal BawnJournal;

typedef struct
{
  GBytes *value;
  guint64 version;
} BawnJournalEntry;

BawnJournal *bawn_journal_open (const char *folder, gint64 lock_timeout_us, goffset compact_size, GError **error);
void bawn_journal_close (BawnJournal *self);

/* Brings memory up to what had been committed, by anybody, when the call began. */
gboolean bawn_journal_catch_up (BawnJournal *self, GCancellable *cancellable, GError **error);
/* What memory has; changes with the next call. */
GTree *bawn_journal_peek_entries (BawnJournal *self);
const BawnJournalEntry *bawn_journal_lookup (BawnJournal *self, const char *key);

gboolean bawn_journal_commit (BawnJournal *self, const BawnWrite *writes, guint n_writes, const BawnCondition *conditions,
                              guint n_conditions, guint64 *out_version, GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnJournal, bawn_journal_close)

G_END_DECLS
