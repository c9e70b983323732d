/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-share.h"

#include "crypto/bawn-crypto.h"
#include "crypto/bawn-shamir.h"
#include "util/bawn-error.h"

#include <string.h>

/* More than any share in hex takes: longer input need not be decoded to be refused. */
#define MAX_TEXT 1024

static gboolean
fits (GBytes *raw)
{
  return raw != NULL && g_bytes_get_size (raw) >= BAWN_SHARE_MIN_SIZE
         && g_bytes_get_size (raw) <= BAWN_SHARE_MAX_SIZE;
}

/**
 * bawn_share_parse:
 * @text: as people hand it in
 * @error: (out) (optional): INVALID, in the words of the API, without the text
 *
 * Hex goes first; if the text is none, or of a length that cannot be, base64 is tried.
 *
 * Returns: (transfer full) (nullable): 16 to 33 bytes
 */
BawnSecret *
bawn_share_parse (const char *text, GError **error)
{
  if (text == NULL || *text == '\0' || strlen (text) > MAX_TEXT)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "'key' must be a valid hex or base64 string");

  g_autoptr (GBytes) hex = bawn_hex_decode (text, NULL);
  g_autoptr (GBytes) base64 = fits (hex) ? NULL : bawn_base64_decode (text, FALSE, NULL);
  GBytes *raw = fits (hex) || base64 == NULL ? hex : base64;
  if (raw == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "'key' must be a valid hex or base64 string");

  gsize size = g_bytes_get_size (raw);
  if (size < BAWN_SHARE_MIN_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "key is shorter than minimum %d bytes",
                           BAWN_SHARE_MIN_SIZE);
  if (size > BAWN_SHARE_MAX_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "key is longer than maximum %d bytes",
                           BAWN_SHARE_MAX_SIZE);

  return bawn_secret_new_copy (g_bytes_get_data (raw, NULL), size);
}

/**
 * bawn_share_make:
 * @shares: how many, as checked
 * @threshold: how many of them are needed, as checked
 * @out_kek: (out): a new key for a seal
 * @out_shares: (out) (element-type BawnSecret): its shares; a single one is the key itself
 * @error: (out) (optional): where to put the error
 *
 * Returns: %TRUE if the outputs are set
 */
gboolean
bawn_share_make (
    guint shares, guint threshold, BawnSecret **out_kek, GPtrArray **out_shares, GError **error)
{
  g_autoptr (BawnSecret) kek = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (GPtrArray) parts = NULL;

  if (shares == 1)
    {
      parts = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
      g_ptr_array_add (parts, bawn_secret_ref (kek));
    }
  else
    {
      parts = bawn_shamir_split (kek, shares, threshold, error);
      if (parts == NULL)
        return FALSE;
    }

  *out_kek = g_steal_pointer (&kek);
  *out_shares = g_steal_pointer (&parts);
  return TRUE;
}
