/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/**
 * BawnCodec:
 *
 * What stands between a transaction's plaintext and the storage's bytes. The barrier implements it; %NULL is
 * the identity. Both calls are quick, thread-safe and never block.
 */
#define BAWN_TYPE_CODEC (bawn_codec_get_type ())
G_DECLARE_INTERFACE (BawnCodec, bawn_codec, BAWN, CODEC, GObject)

struct _BawnCodecInterface
{
  GTypeInterface parent;

  GBytes *(*open) (BawnCodec *self, const char *key, GBytes *box, GError **error);
  GBytes *(*seal) (BawnCodec *self, const char *key, GBytes *plain, GError **error);
  /* How many bytes seal adds. */
  gsize overhead;
};

/**
 * BawnTxn:
 *
 * One request's view of the storage: reads through the cache, remembers what it has read (absences and
 * listings too), and gathers puts and deletes, which are committed all together or not at all. Reads see the
 * transaction's own writes. Reference-counted; used by one thread at a time; commit it at most once.
 *
 * A scope is the same transaction seen from below a prefix: an engine gets one of its own mount, and keys are
 * relative to it.
 */
typedef struct _BawnTxn BawnTxn;

BawnTxn *bawn_txn_ref (BawnTxn *txn);
void bawn_txn_unref (BawnTxn *txn);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnTxn, bawn_txn_unref)

BawnTxn *bawn_txn_scope (BawnTxn *txn, const char *prefix);

/* absent is TRUE with NULL. BAWN_ERROR_WOULD_BLOCK if the storage must be asked and the transaction may not. */
gboolean bawn_txn_get (BawnTxn *txn, const char *key, GBytes **out_value, GError **error);
gboolean bawn_txn_list (BawnTxn *txn, const char *prefix, const char *after, guint limit, GStrv *out_names,
                        GError **error);
void bawn_txn_put (BawnTxn *txn, const char *key, GBytes *value);
void bawn_txn_delete (BawnTxn *txn, const char *key);

/**
 * BawnObjectKind:
 * @name: for messages
 * @parse: makes the object from an entry's plaintext; %NULL with an error if it cannot
 * @ref: takes a reference
 * @unref: drops one
 *
 * How an entry is held in parsed form: immutable, reference-counted, usable from any thread. The cache keeps
 * it beside the entry for as long as the entry is current.
 */
typedef struct
{
  const char *name;
  gpointer (*parse) (const char *key, GBytes *plain, GError **error);
  gpointer (*ref) (gpointer object);
  void (*unref) (gpointer object);
} BawnObjectKind;

/* Like bawn_txn_get(), parsed: absent is TRUE with NULL; the caller drops the reference it gets. */
gboolean bawn_txn_get_object (BawnTxn *txn, const char *key, const BawnObjectKind *kind, gpointer *out_object,
                              GError **error);

gboolean bawn_txn_may_block (BawnTxn *txn);
gboolean bawn_txn_has_writes (BawnTxn *txn);
/* Forgets the writes gathered since, to answer an error without committing half a thought. */
void bawn_txn_drop_writes (BawnTxn *txn);

G_END_DECLS
