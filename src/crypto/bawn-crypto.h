/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"

G_BEGIN_DECLS

#define BAWN_KEY_SIZE 32
#define BAWN_NONCE_SIZE 12
#define BAWN_TAG_SIZE 16
#define BAWN_SHA256_SIZE 32

/* Randomness: aborts the process if the system has none, since nothing safe can be done then. */
void bawn_random_bytes (gpointer data, gsize size);
/* For nonces, which need not be secret: quicker, and from a generator of its own. */
void bawn_random_nonce (guint8 nonce[BAWN_NONCE_SIZE]);
/* Unbiased characters of 0-9A-Za-z; free with bawn_string_wipe_free(). */
char *bawn_random_base62 (gsize length);
/* 8-4-4-4-12 hex digits. */
char *bawn_random_uuid (void);

/* AES-256-GCM. A handle is prepared once per key and may be used by several threads at a time. */
typedef struct _BawnAead BawnAead;
BawnAead *bawn_aead_new (BawnSecret *key);
BawnAead *bawn_aead_ref (BawnAead *aead);
void bawn_aead_unref (BawnAead *aead);
/* @out_box has room for @size + BAWN_TAG_SIZE; @out_plain for @size - BAWN_TAG_SIZE. */
void bawn_aead_seal (BawnAead *aead, const guint8 nonce[BAWN_NONCE_SIZE], gconstpointer aad, gsize aad_size,
                     gconstpointer plain, gsize size, guint8 *out_box);
gboolean bawn_aead_open (BawnAead *aead, const guint8 nonce[BAWN_NONCE_SIZE], gconstpointer aad, gsize aad_size,
                         gconstpointer box, gsize size, guint8 *out_plain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAead, bawn_aead_unref)

void bawn_sha256 (gconstpointer data, gsize size, guint8 out_digest[BAWN_SHA256_SIZE]);
void bawn_hmac_sha256 (const BawnSecret *key, gconstpointer data, gsize size, guint8 out_mac[BAWN_SHA256_SIZE]);
/* HKDF (RFC 5869) with SHA-256. */
BawnSecret *bawn_hkdf (const BawnSecret *key, const char *info, gsize size);
BawnSecret *bawn_hkdf_salted (const BawnSecret *key, gconstpointer salt, gsize salt_size, const char *info,
                              gsize size);

typedef enum { BAWN_HASH_SHA2_224, BAWN_HASH_SHA2_256, BAWN_HASH_SHA2_384, BAWN_HASH_SHA2_512,
               BAWN_HASH_SHA3_224, BAWN_HASH_SHA3_256, BAWN_HASH_SHA3_384, BAWN_HASH_SHA3_512 } BawnHashKind;
gboolean bawn_hash_kind_from_name (const char *name, BawnHashKind *out_kind); /* "sha2-256" … */
GBytes *bawn_hash (BawnHashKind kind, gconstpointer data, gsize size);

/* Constant time in the content. */
gboolean bawn_constant_equal (gconstpointer a, gconstpointer b, gsize size);

/* Text forms. The decoders are strict, constant time in the content, and give wiping memory; NULL with an
 * error that does not repeat the input. base64 takes padded and unpadded standard, and url-safe with @url. */
char *bawn_hex_encode (gconstpointer data, gsize size);
GBytes *bawn_hex_decode (const char *text, GError **error);
char *bawn_base64_encode (gconstpointer data, gsize size, gboolean url, gboolean pad);
GBytes *bawn_base64_decode (const char *text, gboolean url, GError **error);

/* bcrypt through libxcrypt; verify with a NULL hash does the same work and is FALSE. */
#define BAWN_PASSWORD_COST 10
char *bawn_password_hash (const char *password, GError **error);
gboolean bawn_password_verify (const char *password, const char *hash);

G_END_DECLS
