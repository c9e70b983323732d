/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "backend/bawn-consul.h"
#include "storage/bawn-backend.h"

G_BEGIN_DECLS

/* Names that no key encodes to, since no hexadecimal digits follow the '%'. */
#define BAWN_CONSUL_CLOCK "%clock"
#define BAWN_CONSUL_PROBE "%probe"

/* The most that one operation takes in a body beside its key and value: names, the longest numbers,
 * the rounding of base64. */
#define BAWN_CONSUL_TXN_OP_SIZE 128
/* What one byte of a key can become. */
#define BAWN_CONSUL_KEY_FACTOR 3

/**
 * BawnConsulTxn:
 * @body: for /v1/txn
 * @mark: the flags of each entry that it puts
 * @n_puts: how many these are; at least one, since a commit that only deletes puts
 * %BAWN_CONSUL_CLOCK to learn its version
 *
 * A commit.
 */
typedef struct
{
  GBytes *body;
  guint64 mark;
  guint n_puts;
} BawnConsulTxn;

void bawn_consul_txn_init (BawnConsulTxn *txn,
                           const char *prefix,
                           const BawnWrite *writes,
                           guint n_writes,
                           const BawnCondition *conditions,
                           guint n_conditions);
void bawn_consul_txn_clear (BawnConsulTxn *txn);
/* How many operations that is. */
guint bawn_consul_txn_count (const BawnWrite *writes, guint n_writes, guint n_conditions);

/* A commit that cannot get in, for two conditions of it contradict each other, but is refused
 * otherwise to whom may not write. */
void bawn_consul_txn_init_probe (BawnConsulTxn *txn, const char *prefix);
/* A read that is refused to whom may not read @folder, an encoded key or folder. */
GBytes *bawn_consul_txn_new_check (const char *folder);

/* What became of a commit. */
gboolean bawn_consul_txn_finish (const BawnConsulTxn *txn,
                                 const BawnRestReply *reply,
                                 guint64 *out_version,
                                 GError **error);
/* TRUE if the answer says that the token may not do this; @out_complaint: in Consul's words. */
gboolean bawn_consul_txn_is_denied (const BawnRestReply *reply, char **out_complaint);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnConsulTxn, bawn_consul_txn_clear)

G_END_DECLS
