/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-crypto.h"

G_BEGIN_DECLS

/*
 * A sealed entry as the storage holds it:
 *
 *     format 1 byte | term 4 bytes, big-endian | nonce 12 bytes | ciphertext | tag 16 bytes
 *
 * AES-256-GCM; authenticated with it are format, term and the path it is stored at, so that an entry is good for
 * nothing in another place. Term 0 stands for a key outside of the keyring: the root key or the seal's key.
 */
#define BAWN_ENTRY_FORMAT 1
#define BAWN_ENTRY_HEADER_SIZE (1 + 4 + BAWN_NONCE_SIZE)
#define BAWN_ENTRY_OVERHEAD (BAWN_ENTRY_HEADER_SIZE + BAWN_TAG_SIZE)
#define BAWN_ENTRY_TERM_NONE 0

/* Errors are CORRUPT and name the path and nothing else of the entry. */
GBytes *bawn_entry_seal (BawnAead *aead, guint32 term, const char *path, GBytes *plain);
gboolean bawn_entry_peek_term (const char *path, GBytes *box, guint32 *out_term, GError **error);
GBytes *bawn_entry_open (BawnAead *aead, const char *path, GBytes *box, GError **error);

/* Keys inside of entries never leave locked memory. */
GBytes *bawn_entry_seal_secret (BawnSecret *key, const char *path, BawnSecret *plain);
BawnSecret *bawn_entry_open_secret (BawnSecret *key, const char *path, GBytes *box, GError **error);

/* With a given nonce: for known-answer tests only, since a nonce must never be used twice. */
GBytes *bawn_entry_seal_with_nonce (BawnAead *aead, guint32 term, const char *path, GBytes *plain,
                                    const guint8 nonce[BAWN_NONCE_SIZE]);

G_END_DECLS
