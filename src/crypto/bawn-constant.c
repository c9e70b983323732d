/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

/* Whatever depends on the content is arithmetic here: no branch, no table. Lengths are not secret. */

/* 0xff if low <= value <= high, else 0; all below 256. */
static guint
in_range (guint value, guint low, guint high)
{
  return (((low - value - 1) & (value - high - 1)) >> 8) & 0xff;
}

/**
 * bawn_constant_equal:
 * @a: (array length=size): bytes
 * @b: (array length=size): as many
 * @size: how many
 *
 * Compares in a time that depends on @size only.
 *
 * Returns: %TRUE if they are the same
 */
gboolean
bawn_constant_equal (gconstpointer a, gconstpointer b, gsize size)
{
  const volatile guint8 *left = a;
  const volatile guint8 *right = b;
  guint8 differing = 0;

  for (gsize i = 0; i < size; i++)
    differing |= left[i] ^ right[i];

  return differing == 0;
}

static char
hex_digit (guint value)
{
  return (char) ('0' + value + (in_range (value, 10, 15) & ('a' - '0' - 10)));
}

/**
 * bawn_hex_encode:
 * @data: (array length=size) (nullable): bytes
 * @size: how many
 *
 * Returns: (transfer full): lower-case hex digits; to be freed with bawn_string_wipe_free() if secret
 */
char *
bawn_hex_encode (gconstpointer data, gsize size)
{
  const guint8 *bytes = data;
  char *text = g_malloc (2 * size + 1);

  for (gsize i = 0; i < size; i++)
    {
      text[2 * i] = hex_digit (bytes[i] >> 4);
      text[2 * i + 1] = hex_digit (bytes[i] & 0x0f);
    }
  text[2 * size] = '\0';

  return text;
}

static guint
hex_value (guint8 c, guint *bad)
{
  guint digit = in_range (c, '0', '9');
  guint lower = in_range (c, 'a', 'f');
  guint upper = in_range (c, 'A', 'F');

  *bad |= ~(digit | lower | upper) & 0xff;

  return (digit & (c - '0')) | (lower & (c - 'a' + 10u)) | (upper & (c - 'A' + 10u));
}

/**
 * bawn_hex_decode:
 * @text: hex digits of either case, two for each byte, and nothing else
 * @error: (out) (optional): where to put the error, which does not repeat the text
 *
 * Returns: (transfer full) (nullable): the bytes in wiping memory
 */
GBytes *
bawn_hex_decode (const char *text, GError **error)
{
  gsize length = strlen (text);
  if (length % 2 != 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "hex text has an odd number of digits");

  guint8 *data = NULL;
  g_autoptr(GBytes) bytes = bawn_bytes_alloc (length / 2, &data);
  guint bad = 0;
  for (gsize i = 0; i < length / 2; i++)
    {
      guint high = hex_value ((guint8) text[2 * i], &bad);
      guint low = hex_value ((guint8) text[2 * i + 1], &bad);
      data[i] = (guint8) (high << 4 | low);
    }
  if (bad != 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "hex text holds something else than hex digits");

  return g_steal_pointer (&bytes);
}

static char
base64_digit (guint value, gboolean url)
{
  guint upper = in_range (value, 0, 25) & (value + 'A');
  guint lower = in_range (value, 26, 51) & (value - 26 + 'a');
  guint digit = in_range (value, 52, 61) & (value - 52 + '0');
  guint plus = in_range (value, 62, 62) & (guint) (url ? '-' : '+');
  guint slash = in_range (value, 63, 63) & (guint) (url ? '_' : '/');

  return (char) (upper | lower | digit | plus | slash);
}

/**
 * bawn_base64_encode:
 * @data: (array length=size) (nullable): bytes
 * @size: how many
 * @url: the alphabet for URLs and file names instead of the standard one
 * @pad: whether to fill up with '='
 *
 * RFC 4648, sections 4 and 5.
 *
 * Returns: (transfer full): the text; to be freed with bawn_string_wipe_free() if secret
 */
char *
bawn_base64_encode (gconstpointer data, gsize size, gboolean url, gboolean pad)
{
  const guint8 *bytes = data;
  char *text = g_malloc ((size / 3 + 1) * 4 + 1);
  gsize n = 0;

  for (gsize i = 0; i < size; i += 3)
    {
      gsize here = MIN (size - i, 3);
      guint group = (guint) bytes[i] << 16;
      if (here > 1)
        group |= (guint) bytes[i + 1] << 8;
      if (here > 2)
        group |= bytes[i + 2];
      for (gsize digit = 0; digit < 4; digit++)
        {
          if (digit <= here)
            text[n++] = base64_digit (group >> (18 - 6 * digit) & 0x3f, url);
          else if (pad)
            text[n++] = '=';
        }
    }
  text[n] = '\0';

  return text;
}

static guint
base64_value (guint8 c, guint plus, guint slash, guint *bad)
{
  guint upper = in_range (c, 'A', 'Z');
  guint lower = in_range (c, 'a', 'z');
  guint digit = in_range (c, '0', '9');
  guint is_plus = in_range (c, plus, plus);
  guint is_slash = in_range (c, slash, slash);

  *bad |= ~(upper | lower | digit | is_plus | is_slash) & 0xff;

  return (upper & (c - 'A')) | (lower & (c - 'a' + 26u)) | (digit & (c - '0' + 52u)) | (is_plus & 62) | (is_slash & 63);
}

/* The length without padding; padding must be right or absent. */
static gboolean
base64_strip (const char *text, gsize *out_length)
{
  gsize length = strlen (text);
  gsize stripped = length;

  while (stripped > 0 && length - stripped < 2 && text[stripped - 1] == '=')
    stripped--;
  if (stripped % 4 == 1 || (stripped < length && length % 4 != 0))
    return FALSE;

  *out_length = stripped;
  return TRUE;
}

/**
 * bawn_base64_decode:
 * @text: base64 with its padding or without any
 * @url: whether it is in the alphabet for URLs and file names
 * @error: (out) (optional): where to put the error, which does not repeat the text
 *
 * Strict: no blanks, no line ends, no other alphabet, and the bits that no byte uses must be zero.
 *
 * Returns: (transfer full) (nullable): the bytes in wiping memory
 */
GBytes *
bawn_base64_decode (const char *text, gboolean url, GError **error)
{
  gsize length = 0;
  if (!base64_strip (text, &length))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "base64 text has a wrong length or padding");

  guint8 *data = NULL;
  gsize size = length * 3 / 4;
  g_autoptr(GBytes) bytes = bawn_bytes_alloc (size, &data);
  guint plus = url ? '-' : '+';
  guint slash = url ? '_' : '/';
  guint bad = 0;
  guint bits = 0;
  guint n_bits = 0;
  gsize n = 0;
  for (gsize i = 0; i < length; i++)
    {
      bits = bits << 6 | base64_value ((guint8) text[i], plus, slash, &bad);
      n_bits += 6;
      if (n_bits < 8)
        continue;
      n_bits -= 8;
      data[n++] = (guint8) (bits >> n_bits);
    }
  bad |= bits & ((1u << n_bits) - 1);
  if (bad != 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "base64 text holds something that does not belong there");

  return g_steal_pointer (&bytes);
}
