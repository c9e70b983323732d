/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "barrier/bawn-seal-records.h"

G_BEGIN_DECLS

/**
 * BawnGenerateRoot:
 *
 * Making a root token by a quorum of shares (sys/generate-root). In memory only. Thread-safe.
 *
 * When bawn_generate_root_update() says complete, the caller makes a token in its transaction, encodes it by
 * bawn_generate_root_encode(), commits, and calls bawn_generate_root_finish(). Until then the same update with the
 * same share gives the same answer again, so the request may be run again after a conflict.
 */
typedef struct _BawnGenerateRoot BawnGenerateRoot;

/* @otp_length: the length of a root token, its prefix included. */
BawnGenerateRoot *bawn_generate_root_new (guint otp_length);
BawnGenerateRoot *bawn_generate_root_ref (BawnGenerateRoot *attempt);
void bawn_generate_root_unref (BawnGenerateRoot *attempt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnGenerateRoot, bawn_generate_root_unref)

/**
 * BawnGenerateRootStatus:
 *
 * The fields of the answers of sys/generate-root/attempt that are not constant.
 */
typedef struct
{
  gboolean started;
  char nonce[BAWN_UUID_SIZE];
  guint progress;
  guint otp_length;
} BawnGenerateRootStatus;

/* @otp: NULL or "": one is made and returned in @out_otp (else that is NULL), once, to be freed with
 * bawn_string_wipe_free(). @pgp_key is refused unless NULL or "". */
gboolean bawn_generate_root_begin (BawnGenerateRoot *attempt, const char *otp, const char *pgp_key, char **out_otp,
                                   GError **error);
void bawn_generate_root_get_status (BawnGenerateRoot *attempt, BawnGenerateRootStatus *out_status);
void bawn_generate_root_cancel (BawnGenerateRoot *attempt);
/* @records: as stored now; @root_key: the one in memory, which the shares must lead to. */
gboolean bawn_generate_root_update (BawnGenerateRoot *attempt, const BawnSealRecords *records, BawnSecret *root_key,
                                    BawnSecret *share, const char *nonce, gboolean *out_complete, GError **error);
/* Unpadded base64 of token XOR otp, for whoever knows the otp; only while complete. */
char *bawn_generate_root_encode (BawnGenerateRoot *attempt, const char *token, GError **error);
void bawn_generate_root_finish (BawnGenerateRoot *attempt);

G_END_DECLS
