/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "logical/bawn-token.h"
#include "storage/bawn-txn.h"

G_BEGIN_DECLS

/**
 * BawnTokenRecord:
 * @token: (nullable): the token; %NULL for the stub of one that was revoked while its children live
 * on
 *
 * An entry below sys/token/id/ in parsed form. Immutable, reference-counted.
 */
typedef struct
{
  BawnToken *token;
} BawnTokenRecord;

extern const BawnObjectKind bawn_token_record_kind;

void bawn_token_record_unref (BawnTokenRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnTokenRecord, bawn_token_record_unref)

/* JSON; without the hash for a batch token, whose hash is made from it. */
GBytes *bawn_token_record_write (const BawnToken *token);
GBytes *bawn_token_record_write_stub (void);
/* CORRUPT if it is neither a token nor a stub; @key is for the message. */
BawnTokenRecord *bawn_token_record_parse (const char *key, GBytes *plain, GError **error);

G_END_DECLS
