/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-history.h"
#include "storage/bawn-readset.h"
#include "storage/bawn-store.h"

G_BEGIN_DECLS

/**
 * BawnMirror:
 *
 * What memory knows of the storage, and so the one place where reads and commits meet: the cache, the history of
 * changes, the reads that are waiting for the storage, and the batch that is on its way to it. Thread-safe.
 *
 * Only while a term is open is this process the storage's only writer; only then are entries kept, and only
 * then can reads be judged. Reference-counted. Commits are sent one at a time: bawn_mirror_depart(), the backend, bawn_mirror_land().
 */
typedef struct _BawnMirror BawnMirror;

BawnMirror *bawn_mirror_new (BawnBackend *backend, gsize cache_bytes);
BawnMirror *bawn_mirror_ref (BawnMirror *mirror);
void bawn_mirror_unref (BawnMirror *mirror);

void bawn_mirror_enter (BawnMirror *mirror, BawnPresence *presence);
void bawn_mirror_leave (BawnMirror *mirror, BawnPresence *presence);

/**
 * BawnGlimpse:
 * @value: (nullable): the stored bytes, unless @object is set; %NULL: absent
 * @object: (nullable): a reference to the parsed form, if that kind was asked for and is at hand
 * @version: the version in the storage
 * @since: the commit after which this holds; 0 if it cannot be told
 *
 * What bawn_mirror_get() has seen. The caller owns @value and @object.
 */
typedef struct
{
  GBytes *value;
  gpointer object;
  guint64 version;
  guint64 since;
} BawnGlimpse;

gboolean bawn_mirror_get (BawnMirror *mirror, const char *key, const BawnObjectKind *kind,
                          gboolean may_block, BawnGlimpse *out_glimpse, GError **error);
void bawn_mirror_attach (BawnMirror *mirror, const char *key, GBytes *value,
                         const BawnObjectKind *kind, gpointer object);
gboolean bawn_mirror_list (BawnMirror *mirror, const char *prefix, const char *after, guint limit,
                           gboolean may_block, GStrv *out_names, guint64 *out_since,
                           GError **error);

/* TRUE if all that was read still belongs to one moment: now. */
gboolean bawn_mirror_judge (BawnMirror *mirror, const BawnReadset *reads);

/* TRUE if a single thing that was read at @since was so at that time: it came from the storage itself, or from the memory of a
 * term that still lasts. */
gboolean bawn_mirror_trusts (BawnMirror *mirror, guint64 since);

/* Between taking the fence and the first commit; and when the term is over. */
void bawn_mirror_open (BawnMirror *mirror);
void bawn_mirror_close (BawnMirror *mirror);

/* @touched: the set of names that the batch changes: keys, and folders whose listing does. It must stay until
 * the landing. */
void bawn_mirror_depart (BawnMirror *mirror, GHashTable *touched);
/* @version 0: the batch did not get in. */
void bawn_mirror_land (BawnMirror *mirror, const BawnWrite *writes, guint n_writes,
                       guint64 version);

void bawn_mirror_add_stats (BawnMirror *mirror, BawnStoreStats *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnMirror, bawn_mirror_unref)

G_END_DECLS
