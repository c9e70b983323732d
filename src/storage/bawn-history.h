/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most names remembered. A transaction older than what had to be forgotten is sent back. */
#define BAWN_HISTORY_MAX_NAMES 262144

/**
 * BawnHistory:
 *
 * Commits are numbered; this says at which one a name last changed. A name is a key, or a folder ("" or ending
 * in '/') standing for the listing below it. Remembered is only what a living transaction may ask about. Not
 * thread-safe: its owner locks.
 */
typedef struct _BawnHistory BawnHistory;

/**
 * BawnPresence: a living transaction's place in the history
 */
typedef struct
{
  /*< private >*/
  guint64 since;
  GList link;
} BawnPresence;

BawnHistory *bawn_history_new (void);
void bawn_history_free (BawnHistory *history);

void bawn_history_enter (BawnHistory *history, BawnPresence *presence);
void bawn_history_leave (BawnHistory *history, BawnPresence *presence);

guint64 bawn_history_get_now (BawnHistory *history);
void bawn_history_advance (BawnHistory *history);
void bawn_history_note (BawnHistory *history, const char *name);
void bawn_history_break (BawnHistory *history);
gboolean bawn_history_knows (BawnHistory *history, guint64 since);
gboolean bawn_history_is_unchanged (BawnHistory *history, const char *name, guint64 since);
guint bawn_history_get_size (BawnHistory *history);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHistory, bawn_history_free)

G_END_DECLS
