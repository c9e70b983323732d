/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-shamir.h"

#include "crypto/bawn-crypto.h"
#include "util/bawn-error.h"

#include <string.h>

/* x^8 + x^4 + x^3 + x + 1, the polynomial of AES, without its highest term. */
#define REDUCTION 0x1b

/* Product in GF(2^8): eight steps, whatever the operands are. */
static guint8
gf_multiply (guint8 a, guint8 b)
{
  guint product = 0;
  guint left = a;

  for (guint i = 0; i < 8; i++)
    {
      product ^= left & (0u - ((guint) b >> i & 1));
      left = (left << 1 & 0xff) ^ (REDUCTION & (0u - (left >> 7)));
    }

  return (guint8) product;
}

/* a^254, which is 1/a for all but 0; always the same thirteen multiplications. */
static guint8
gf_invert (guint8 a)
{
  guint8 power = a;
  guint8 result = 1;

  for (guint i = 1; i < 8; i++)
    {
      power = gf_multiply (power, power);
      result = gf_multiply (result, power);
    }

  return result;
}

/* 1…255 in random order: Fisher and Yates, with bytes thrown away that would favour some. */
static void
shuffle_points (guint8 points[BAWN_SHAMIR_MAX_SHARES])
{
  for (guint i = 0; i < BAWN_SHAMIR_MAX_SHARES; i++)
    points[i] = (guint8) (i + 1);

  for (guint i = BAWN_SHAMIR_MAX_SHARES - 1; i > 0; i--)
    {
      guint ceiling = 256 / (i + 1) * (i + 1);
      guint8 byte = 0;
      do
        bawn_random_bytes (&byte, 1);
      while (byte >= ceiling);

      guint other = byte % (i + 1);
      guint8 moved = points[i];
      points[i] = points[other];
      points[other] = moved;
    }
}

/* @coefficients: for each byte of the secret those of x^1 … x^(threshold-1). */
static BawnSecret *
evaluate (const BawnSecret *secret, const guint8 *coefficients, guint threshold, guint8 x)
{
  gsize size = bawn_secret_size (secret);
  const guint8 *constant = bawn_secret_data (secret);
  guint8 *y = NULL;
  BawnSecret *share = bawn_secret_new (size + BAWN_SHAMIR_OVERHEAD, &y);

  for (gsize i = 0; i < size; i++)
    {
      const guint8 *row = coefficients + i * (threshold - 1);
      guint8 value = 0;
      for (guint degree = threshold - 1; degree > 0; degree--)
        value = gf_multiply (value, x) ^ row[degree - 1];
      y[i] = gf_multiply (value, x) ^ constant[i];
    }
  y[size] = x;

  return share;
}

/**
 * bawn_shamir_split:
 * @secret: at least one byte
 * @shares: how many, 2 to %BAWN_SHAMIR_MAX_SHARES
 * @threshold: how many of them are needed, 2 to @shares
 * @error: (out) (optional): where to put the error
 *
 * Shamir, "How to share a secret" (1979), over GF(2^8), byte by byte.
 *
 * Returns: (transfer full) (element-type BawnSecret) (nullable): the shares, each a byte longer than the secret
 */
GPtrArray *
bawn_shamir_split (const BawnSecret *secret, guint shares, guint threshold, GError **error)
{
  gsize size = bawn_secret_size (secret);

  if (size == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "an empty secret cannot be split");
  if (threshold < 2)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "threshold must be at least two");
  if (shares > BAWN_SHAMIR_MAX_SHARES)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "shares cannot exceed %d", BAWN_SHAMIR_MAX_SHARES);
  if (shares < threshold)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "shares cannot be fewer than threshold");

  guint8 points[BAWN_SHAMIR_MAX_SHARES];
  shuffle_points (points);
  g_autoptr(BawnSecret) coefficients = bawn_secret_new_random (size * (threshold - 1));
  g_autoptr(GPtrArray) result = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
  for (guint i = 0; i < shares; i++)
    g_ptr_array_add (result, evaluate (secret, bawn_secret_data (coefficients), threshold, points[i]));

  return g_steal_pointer (&result);
}

static guint8
share_point (GPtrArray *shares, guint index)
{
  const BawnSecret *share = g_ptr_array_index (shares, index);

  return bawn_secret_data (share)[bawn_secret_size (share) - 1];
}

/* Points are not secret, so this may branch on them. */
static gboolean
check_shares (GPtrArray *shares, GError **error)
{
  gboolean seen[BAWN_SHAMIR_MAX_SHARES + 1] = { TRUE };

  if (shares->len < 2 || shares->len > BAWN_SHAMIR_MAX_SHARES)
    return bawn_fail (error, BAWN_ERROR_INVALID, "a secret is put together from 2 to %d shares",
                      BAWN_SHAMIR_MAX_SHARES);

  gsize size = bawn_secret_size (g_ptr_array_index (shares, 0));
  if (size < 1 + BAWN_SHAMIR_OVERHEAD)
    return bawn_fail (error, BAWN_ERROR_INVALID, "a share is too short");
  for (guint i = 0; i < shares->len; i++)
    {
      if (bawn_secret_size (g_ptr_array_index (shares, i)) != size)
        return bawn_fail (error, BAWN_ERROR_INVALID, "shares are of different lengths");
      guint8 x = share_point (shares, i);
      if (x == 0)
        return bawn_fail (error, BAWN_ERROR_INVALID, "a share has no valid number");
      if (seen[x])
        return bawn_fail (error, BAWN_ERROR_INVALID, "a share was given twice");
      seen[x] = TRUE;
    }

  return TRUE;
}

/**
 * bawn_shamir_combine:
 * @shares: (element-type BawnSecret): as many as the threshold, or more
 * @error: (out) (optional): where to put the error
 *
 * Lagrange's interpolation at 0. Too few or wrong shares give a wrong secret, not an error: only who knows what
 * the secret opens can tell.
 *
 * Returns: (transfer full) (nullable): the secret; %NULL if the shares cannot be of one splitting
 */
BawnSecret *
bawn_shamir_combine (GPtrArray *shares, GError **error)
{
  if (!check_shares (shares, error))
    return NULL;

  gsize size = bawn_secret_size (g_ptr_array_index (shares, 0)) - BAWN_SHAMIR_OVERHEAD;
  guint8 *data = NULL;
  BawnSecret *secret = bawn_secret_new (size, &data);
  for (guint i = 0; i < shares->len; i++)
    {
      guint8 numerator = 1;
      guint8 denominator = 1;
      for (guint j = 0; j < shares->len; j++)
        {
          if (j == i)
            continue;
          numerator = gf_multiply (numerator, share_point (shares, j));
          denominator = gf_multiply (denominator, share_point (shares, j) ^ share_point (shares, i));
        }
      guint8 weight = gf_multiply (numerator, gf_invert (denominator));
      const guint8 *y = bawn_secret_data (g_ptr_array_index (shares, i));
      for (gsize k = 0; k < size; k++)
        data[k] ^= gf_multiply (y[k], weight);
    }

  return secret;
}
