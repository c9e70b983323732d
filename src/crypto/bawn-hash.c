/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include "util/bawn-bytes.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* RFC 5869, section 2.3: the length is counted in one byte. */
#define HKDF_MAX (255 * BAWN_SHA256_SIZE)

typedef struct
{
  const char *name;
  gnutls_digest_algorithm_t algorithm;
} HashRow;

static const HashRow hashes[] = {
  [BAWN_HASH_SHA2_224] = { "sha2-224", GNUTLS_DIG_SHA224 },
  [BAWN_HASH_SHA2_256] = { "sha2-256", GNUTLS_DIG_SHA256 },
  [BAWN_HASH_SHA2_384] = { "sha2-384", GNUTLS_DIG_SHA384 },
  [BAWN_HASH_SHA2_512] = { "sha2-512", GNUTLS_DIG_SHA512 },
  [BAWN_HASH_SHA3_224] = { "sha3-224", GNUTLS_DIG_SHA3_224 },
  [BAWN_HASH_SHA3_256] = { "sha3-256", GNUTLS_DIG_SHA3_256 },
  [BAWN_HASH_SHA3_384] = { "sha3-384", GNUTLS_DIG_SHA3_384 },
  [BAWN_HASH_SHA3_512] = { "sha3-512", GNUTLS_DIG_SHA3_512 },
};

static void
must_succeed (int status, const char *what)
{
  if (status != 0)
    g_error ("%s cannot be had: %s", what, gnutls_strerror (status));
}

/**
 * bawn_sha256:
 * @data: (array length=size) (nullable): input
 * @size: its length
 * @out_digest: (out caller-allocates): the digest
 */
void
bawn_sha256 (gconstpointer data, gsize size, guint8 out_digest[BAWN_SHA256_SIZE])
{
  must_succeed (gnutls_hash_fast (GNUTLS_DIG_SHA256, data, size, out_digest), "SHA-256");
}

/**
 * bawn_hmac_sha256:
 * @key: a key of any length
 * @data: (array length=size) (nullable): input
 * @size: its length
 * @out_mac: (out caller-allocates): the code
 *
 * HMAC (RFC 2104) with SHA-256.
 */
void
bawn_hmac_sha256 (const BawnSecret *key, gconstpointer data, gsize size, guint8 out_mac[BAWN_SHA256_SIZE])
{
  must_succeed (
      gnutls_hmac_fast (GNUTLS_MAC_SHA256, bawn_secret_data (key), bawn_secret_size (key), data, size, out_mac),
      "HMAC-SHA256");
}

/**
 * bawn_hkdf:
 * @key: input key material
 * @info: what the derived key is for; different texts give independent keys
 * @size: length of the derived key, at most 8160
 *
 * HKDF (RFC 5869) with SHA-256 and without salt.
 *
 * Returns: (transfer full): the derived key
 */
BawnSecret *
bawn_hkdf (const BawnSecret *key, const char *info, gsize size)
{
  return bawn_hkdf_salted (key, NULL, 0, info, size);
}

/**
 * bawn_hkdf_salted:
 * @key: input key material
 * @salt: (array length=salt_size) (nullable): bytes that need not be secret
 * @salt_size: how many
 * @info: what the derived key is for
 * @size: length of the derived key, at most 8160
 *
 * bawn_hkdf() with a salt.
 *
 * Returns: (transfer full): the derived key
 */
BawnSecret *
bawn_hkdf_salted (const BawnSecret *key, gconstpointer salt, gsize salt_size, const char *info, gsize size)
{
  g_return_val_if_fail (size <= HKDF_MAX, NULL);

  /* RFC 5869, section 2.2: no salt is as many zeroes as the hash is long. */
  const guint8 no_salt[BAWN_SHA256_SIZE] = { 0 };
  gnutls_datum_t key_datum = { (unsigned char *) bawn_secret_data (key), (unsigned int) bawn_secret_size (key) };
  gnutls_datum_t salt_datum = { (unsigned char *) (salt_size > 0 ? salt : no_salt),
                                (unsigned int) (salt_size > 0 ? salt_size : sizeof no_salt) };
  gnutls_datum_t info_datum = { (unsigned char *) info, (unsigned int) strlen (info) };

  guint8 *extracted = NULL;
  g_autoptr(BawnSecret) middle = bawn_secret_new (BAWN_SHA256_SIZE, &extracted);
  must_succeed (gnutls_hkdf_extract (GNUTLS_MAC_SHA256, &key_datum, &salt_datum, extracted), "HKDF");

  gnutls_datum_t middle_datum = { extracted, BAWN_SHA256_SIZE };
  guint8 *expanded = NULL;
  BawnSecret *derived = bawn_secret_new (size, &expanded);
  if (size > 0)
    must_succeed (gnutls_hkdf_expand (GNUTLS_MAC_SHA256, &middle_datum, &info_datum, expanded, size), "HKDF");

  return derived;
}

/**
 * bawn_hash_kind_from_name:
 * @name: such as "sha2-256"
 * @out_kind: (out): the kind
 *
 * Returns: %FALSE if there is none of that name
 */
gboolean
bawn_hash_kind_from_name (const char *name, BawnHashKind *out_kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (g_strcmp0 (name, hashes[i].name) == 0)
      {
        *out_kind = (BawnHashKind) i;
        return TRUE;
      }

  return FALSE;
}

/**
 * bawn_hash:
 * @kind: which one
 * @data: (array length=size) (nullable): input
 * @size: its length
 *
 * Returns: (transfer full): the digest (FIPS 180-4, FIPS 202)
 */
GBytes *
bawn_hash (BawnHashKind kind, gconstpointer data, gsize size)
{
  const HashRow *row = &hashes[kind];
  guint8 *digest = NULL;
  GBytes *bytes = bawn_bytes_alloc (gnutls_hash_get_len (row->algorithm), &digest);

  must_succeed (gnutls_hash_fast (row->algorithm, data, size, digest), row->name);

  return bytes;
}
