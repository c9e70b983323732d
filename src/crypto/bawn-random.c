/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include "util/bawn-bytes.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

static const char base62[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* The largest multiple of 62 in a byte: what is not below it is thrown away, so that no character
 * is favoured. */
#define BASE62_CEILING (256 / 62 * 62)

#define UUID_LENGTH 36

/**
 * bawn_random_bytes:
 * @data: (out caller-allocates) (array length=size): where to write them
 * @size: how many
 *
 * Random bytes fit for keys, from GnuTLS's generator, which is seeded by getrandom() and safe
 * across fork(). Ends the process if there is no randomness, since nothing safe can be done then.
 * Any thread.
 */
void
bawn_random_bytes (gpointer data, gsize size)
{
  if (size == 0)
    return;

  int status = gnutls_rnd (GNUTLS_RND_KEY, data, size);
  if (status != 0)
    g_error ("no random numbers can be had: %s", gnutls_strerror (status));
}

/**
 * bawn_random_nonce:
 * @nonce: (out caller-allocates): where to write it
 *
 * Random bytes that will be seen by others. GnuTLS makes them apart from those for keys, and in a
 * quarter of the time, since it need not change its own key after each.
 */
void
bawn_random_nonce (guint8 nonce[BAWN_NONCE_SIZE])
{
  int status = gnutls_rnd (GNUTLS_RND_NONCE, nonce, BAWN_NONCE_SIZE);

  if (status != 0)
    g_error ("no random numbers can be had: %s", gnutls_strerror (status));
}

/**
 * bawn_random_base62:
 * @length: how many characters
 *
 * Returns: (transfer full): that many characters, each of the 62 with the same likelihood; to be
 * freed with bawn_string_wipe_free()
 */
char *
bawn_random_base62 (gsize length)
{
  char *text = g_malloc (length + 1);
  guint8 pool[64] = { 0 };
  gsize idle = 0;
  gsize n = 0;

  while (n < length)
    {
      if (idle == 0)
        {
          bawn_random_bytes (pool, sizeof pool);
          idle = sizeof pool;
        }
      guint8 byte = pool[--idle];
      if (byte < BASE62_CEILING)
        text[n++] = base62[byte % 62];
    }
  text[length] = '\0';
  explicit_bzero (pool, sizeof pool);

  return text;
}

/**
 * bawn_random_uuid:
 *
 * Returns: (transfer full): 128 random bits as 8-4-4-4-12 lower-case hex digits, without a version
 * in them
 */
char *
bawn_random_uuid (void)
{
  guint8 raw[16] = { 0 };

  bawn_random_bytes (raw, sizeof raw);
  g_autofree char *digits = bawn_hex_encode (raw, sizeof raw);
  char *uuid = g_malloc (UUID_LENGTH + 1);
  gsize from = 0;
  for (gsize i = 0; i < UUID_LENGTH; i++)
    uuid[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : digits[from++];
  uuid[UUID_LENGTH] = '\0';

  return uuid;
}
