/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-token-store-private.h"
#include "util/bawn-json.h"

#include <string.h>

/* Every token gets a key of its own, derived with this salt, so that the number of tokens does not
 * come near what one key of AES-GCM with random nonces bears (2^32). */
#define SALT_SIZE 16

#define PURPOSE "bawn batch token v1"
#define HEAD_SIZE (SALT_SIZE + BAWN_NONCE_SIZE)

/* More than any record in a token that we gave out can have: the door takes no longer headers. */
#define MAX_ID 65536

static BawnAead *
derive_aead (const BawnSecret *key, const guint8 *salt)
{
  g_autoptr (BawnSecret) derived = bawn_hkdf_salted (key, salt, SALT_SIZE, PURPOSE, BAWN_KEY_SIZE);

  return bawn_aead_new (derived);
}

/**
 * bawn_token_batch_seal:
 * @key: the store's key for batch tokens
 * @token: what to seal
 *
 * "hvb." and, in url-safe base64, a salt, a nonce, and the record sealed by AES-256-GCM under a key
 * derived with the salt.
 *
 * Returns: (transfer full): the client token; bawn_string_wipe_free()
 */
char *
bawn_token_batch_seal (const BawnSecret *key, const BawnToken *token)
{
  g_autoptr (GBytes) record = bawn_token_record_write (token);
  gsize size = 0;
  const guint8 *plain = g_bytes_get_data (record, &size);
  g_autofree guint8 *box = g_malloc (HEAD_SIZE + size + BAWN_TAG_SIZE);

  bawn_random_bytes (box, HEAD_SIZE);

  g_autoptr (BawnAead) aead = derive_aead (key, box);

  bawn_aead_seal (aead, box + SALT_SIZE, PURPOSE, strlen (PURPOSE), plain, size, box + HEAD_SIZE);

  g_autoptr (BawnWipedString) text =
      bawn_base64_encode (box, HEAD_SIZE + size + BAWN_TAG_SIZE, TRUE, FALSE);

  return g_strconcat (BAWN_TOKEN_PREFIX_BATCH, text, NULL);
}

/**
 * bawn_token_batch_open:
 * @key: the store's key for batch tokens
 * @id: what a caller claims
 *
 * Returns: (transfer full) (nullable): the token; %NULL if @id was not sealed with @key
 */
BawnToken *
bawn_token_batch_open (const BawnSecret *key, const char *id)
{
  if (!g_str_has_prefix (id, BAWN_TOKEN_PREFIX_BATCH) || strlen (id) > MAX_ID)
    return NULL;

  g_autoptr (GBytes) box = bawn_base64_decode (id + strlen (BAWN_TOKEN_PREFIX_BATCH), TRUE, NULL);
  gsize size = 0;
  const guint8 *data = box != NULL ? g_bytes_get_data (box, &size) : NULL;

  if (size < HEAD_SIZE + BAWN_TAG_SIZE)
    return NULL;

  g_autoptr (BawnAead) aead = derive_aead (key, data);
  guint8 *plain = NULL;
  g_autoptr (GBytes) record = bawn_bytes_alloc (size - HEAD_SIZE - BAWN_TAG_SIZE, &plain);

  if (!bawn_aead_open (aead, data + SALT_SIZE, PURPOSE, strlen (PURPOSE), data + HEAD_SIZE,
                       size - HEAD_SIZE, plain))
    return NULL;

  g_autoptr (BawnTokenRecord) parsed = bawn_token_record_parse ("a batch token", record, NULL);

  if (parsed == NULL || parsed->token == NULL || parsed->token->type != BAWN_TOKEN_BATCH)
    return NULL;

  return bawn_token_ref (parsed->token);
}
