/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "storage/bawn-store-private.h"

G_BEGIN_DECLS

/**
 * BawnPending:
 * @kind: put or delete
 * @value: (nullable): the plaintext of a put
 *
 * A write that waits for its commit.
 */
typedef struct
{
  BawnWriteKind kind;
  GBytes *value;
} BawnPending;

/**
 * BawnTxnCore:
 * @writes: (nullable) (element-type utf8 BawnPending): sorted bytewise
 * @error: (nullable): why it cannot be committed
 * @ended: it was committed, or refused
 *
 * What all scopes of a transaction share.
 */
typedef struct
{
  gatomicrefcount refs;
  BawnStore *store;
  BawnMirror *mirror;
  BawnCodec *codec;
  BawnPresence presence;
  BawnReadset reads;
  GTree *writes;
  GError *error;
  gboolean may_block;
  gboolean ended;
} BawnTxnCore;

struct _BawnTxn
{
  gatomicrefcount refs;
  BawnTxnCore *core;
  gsize prefix_size;
  char *prefix;
};

/* Room for a key or folder in full, with its NUL. */
typedef char BawnFullKey[BAWN_BACKEND_MAX_KEY + 1];

const char *bawn_txn_full_key (BawnTxn *txn, const char *key, BawnFullKey buffer, GError **error);

G_END_DECLS
