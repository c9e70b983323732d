/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"
#include "crypto/bawn-shamir.h"
#include "util/bawn-error.h"

#include <string.h>

/* Made apart from this code, with tables of logarithms to the base 3: the secret is the bytes 0…31,
 * the coefficients of x and x^2 are SHA-256 of "coefficient 1" and of "coefficient 2"; the points
 * are 1, 2, 77, 200, 255. */
static const char *const known_shares[] = {
  "85f5b9be6f1fdc4baf2185976e896e4485bfb93fee55dc146a0b3a1b2010f48801",
  "c70c56a009020354c9dbc558db268370e1a7cf918b2544912162157ef231ff1802",
  "1666180b056479d88547e891a0d56acf486b34979e0219de01d6d5ff5e597a6e4d",
  "91b9026f2cceb795a269ff6a724ad66e906488ea4bf69cd86fc48c16fec458ffc8",
  "3c7a0763a56700a0d237b632ed1a07f0b655e11d747313f57a4301c3c4471a54ff",
};

static GPtrArray *
shares_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
}

static void
add_hex (GPtrArray *shares, const char *hex)
{
  g_autoptr (GBytes) raw = bawn_hex_decode (hex, NULL);

  g_assert_nonnull (raw);
  g_ptr_array_add (shares,
                   bawn_secret_new_copy (g_bytes_get_data (raw, NULL), g_bytes_get_size (raw)));
}

static void
add_share (GPtrArray *to, GPtrArray *from, guint index)
{
  g_ptr_array_add (to, bawn_secret_ref (g_ptr_array_index (from, index)));
}

static BawnSecret *
known_secret (void)
{
  guint8 *data = NULL;
  BawnSecret *secret = bawn_secret_new (32, &data);

  for (guint i = 0; i < 32; i++)
    data[i] = (guint8) i;

  return secret;
}

static void
test_known_shares_combine (void)
{
  g_autoptr (BawnSecret) expected = known_secret ();

  for (guint a = 0; a < 5; a++)
    for (guint b = 0; b < 5; b++)
      for (guint c = 0; c < 5; c++)
        {
          if (a == b || b == c || a == c)
            continue;
          g_autoptr (GPtrArray) shares = shares_new ();
          add_hex (shares, known_shares[a]);
          add_hex (shares, known_shares[b]);
          add_hex (shares, known_shares[c]);
          g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, NULL);
          g_assert_true (bawn_secret_equal (secret, expected));
        }
}

static void
test_more_shares_than_needed_combine (void)
{
  g_autoptr (BawnSecret) expected = known_secret ();
  g_autoptr (GPtrArray) shares = shares_new ();

  for (guint i = 0; i < 5; i++)
    add_hex (shares, known_shares[i]);
  g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, NULL);

  g_assert_true (bawn_secret_equal (secret, expected));
}

static void
test_fewer_shares_than_needed_do_not_combine (void)
{
  g_autoptr (BawnSecret) expected = known_secret ();
  g_autoptr (GPtrArray) shares = shares_new ();

  add_hex (shares, known_shares[0]);
  add_hex (shares, known_shares[1]);
  g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, NULL);

  g_assert_nonnull (secret);
  g_assert_false (bawn_secret_equal (secret, expected));
}

static void
assert_splits (guint n, guint threshold, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) secret = bawn_secret_new_random (size);
  g_autoptr (GPtrArray) shares = bawn_shamir_split (secret, n, threshold, &error);
  gboolean seen[256] = { FALSE };

  g_assert_no_error (error);
  g_assert_cmpuint (shares->len, ==, n);
  for (guint i = 0; i < n; i++)
    {
      const BawnSecret *share = g_ptr_array_index (shares, i);
      g_assert_cmpuint (bawn_secret_size (share), ==, size + BAWN_SHAMIR_OVERHEAD);
      guint8 x = bawn_secret_data (share)[size];
      g_assert_cmpuint (x, !=, 0);
      g_assert_false (seen[x]);
      seen[x] = TRUE;
    }

  g_autoptr (GPtrArray) last = shares_new ();
  for (guint i = n - threshold; i < n; i++)
    add_share (last, shares, i);
  g_autoptr (BawnSecret) combined = bawn_shamir_combine (last, &error);
  g_assert_no_error (error);
  g_assert_true (bawn_secret_equal (combined, secret));

  g_ptr_array_remove_index (last, 0);
  if (last->len < 2)
    return;
  g_autoptr (BawnSecret) too_few = bawn_shamir_combine (last, &error);
  g_assert_no_error (error);
  g_assert_false (bawn_secret_equal (too_few, secret));
}

static void
test_any_shape_splits_and_combines (void)
{
  assert_splits (2, 2, 32);
  assert_splits (3, 2, 16);
  assert_splits (5, 3, 32);
  assert_splits (10, 10, 32);
  assert_splits (255, 2, 32);
  assert_splits (255, 255, 32);
  assert_splits (7, 4, 100);
}

static void
test_splitting_twice_gives_other_shares (void)
{
  g_autoptr (BawnSecret) secret = known_secret ();
  g_autoptr (GPtrArray) a = bawn_shamir_split (secret, 5, 3, NULL);
  g_autoptr (GPtrArray) b = bawn_shamir_split (secret, 5, 3, NULL);

  for (guint i = 0; i < 5; i++)
    for (guint j = 0; j < 5; j++)
      g_assert_false (bawn_secret_equal (g_ptr_array_index (a, i), g_ptr_array_index (b, j)));
}

static void
test_a_share_of_another_secret_gives_a_wrong_one (void)
{
  g_autoptr (BawnSecret) secret = known_secret ();
  g_autoptr (BawnSecret) foreign = bawn_secret_new_random (32);
  g_autoptr (GPtrArray) shares = bawn_shamir_split (secret, 3, 2, NULL);
  g_autoptr (GPtrArray) foreign_shares = bawn_shamir_split (foreign, 255, 2, NULL);
  g_autoptr (GPtrArray) mixed = shares_new ();
  guint8 x = bawn_secret_data (g_ptr_array_index (shares, 0))[32];

  add_share (mixed, shares, 0);
  for (guint i = 0; i < 255 && mixed->len < 2; i++)
    if (bawn_secret_data (g_ptr_array_index (foreign_shares, i))[32] != x)
      add_share (mixed, foreign_shares, i);
  g_autoptr (BawnSecret) combined = bawn_shamir_combine (mixed, NULL);

  g_assert_nonnull (combined);
  g_assert_false (bawn_secret_equal (combined, secret));
  g_assert_false (bawn_secret_equal (combined, foreign));
}

static void
test_a_share_with_a_flipped_bit_gives_a_wrong_secret (void)
{
  g_autoptr (BawnSecret) expected = known_secret ();

  for (guint bit = 0; bit < 32 * 8; bit++)
    {
      g_autoptr (GBytes) raw = bawn_hex_decode (known_shares[0], NULL);
      g_autoptr (GPtrArray) shares = shares_new ();
      guint8 changed[33];
      memcpy (changed, g_bytes_get_data (raw, NULL), sizeof changed);
      changed[bit / 8] ^= (guint8) (1 << bit % 8);
      g_ptr_array_add (shares, bawn_secret_new_copy (changed, sizeof changed));
      add_hex (shares, known_shares[1]);
      add_hex (shares, known_shares[2]);
      g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, NULL);
      g_assert_false (bawn_secret_equal (secret, expected));
    }
}

static void
assert_refused (GPtrArray *shares)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, &error);

  g_assert_null (secret);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

static void
test_shares_that_cannot_be_are_refused (void)
{
  g_autoptr (GPtrArray) none = shares_new ();
  g_autoptr (GPtrArray) one = shares_new ();
  g_autoptr (GPtrArray) twice = shares_new ();
  g_autoptr (GPtrArray) same_point = shares_new ();
  g_autoptr (GPtrArray) other_length = shares_new ();
  g_autoptr (GPtrArray) point_zero = shares_new ();
  g_autoptr (GPtrArray) too_short = shares_new ();

  add_hex (one, known_shares[0]);
  add_hex (twice, known_shares[0]);
  add_hex (twice, known_shares[1]);
  add_hex (twice, known_shares[0]);
  add_hex (same_point, "aa01");
  add_hex (same_point, "bb01");
  add_hex (other_length, known_shares[0]);
  add_hex (other_length, "aabb02");
  add_hex (point_zero, "aa01");
  add_hex (point_zero, "bb00");
  add_hex (too_short, "01");
  add_hex (too_short, "02");

  assert_refused (none);
  assert_refused (one);
  assert_refused (twice);
  assert_refused (same_point);
  assert_refused (other_length);
  assert_refused (point_zero);
  assert_refused (too_short);
}

static void
assert_cannot_split (const BawnSecret *secret, guint shares, guint threshold)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) result = bawn_shamir_split (secret, shares, threshold, &error);

  g_assert_null (result);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

static void
test_wrong_shapes_are_refused (void)
{
  g_autoptr (BawnSecret) secret = known_secret ();
  g_autoptr (BawnSecret) empty = bawn_secret_new (0, NULL);

  assert_cannot_split (secret, 0, 0);
  assert_cannot_split (secret, 1, 1);
  assert_cannot_split (secret, 5, 1);
  assert_cannot_split (secret, 2, 3);
  assert_cannot_split (secret, 256, 3);
  assert_cannot_split (secret, 256, 256);
  assert_cannot_split (empty, 5, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/crypto/shamir/known-shares-combine", test_known_shares_combine);
  g_test_add_func ("/crypto/shamir/more-shares-than-needed-combine",
                   test_more_shares_than_needed_combine);
  g_test_add_func ("/crypto/shamir/fewer-shares-than-needed-do-not-combine",
                   test_fewer_shares_than_needed_do_not_combine);
  g_test_add_func ("/crypto/shamir/any-shape-splits-and-combines",
                   test_any_shape_splits_and_combines);
  g_test_add_func ("/crypto/shamir/splitting-twice-gives-other-shares",
                   test_splitting_twice_gives_other_shares);
  g_test_add_func ("/crypto/shamir/a-share-of-another-secret-gives-a-wrong-one",
                   test_a_share_of_another_secret_gives_a_wrong_one);
  g_test_add_func ("/crypto/shamir/a-share-with-a-flipped-bit-gives-a-wrong-secret",
                   test_a_share_with_a_flipped_bit_gives_a_wrong_secret);
  g_test_add_func ("/crypto/shamir/shares-that-cannot-be-are-refused",
                   test_shares_that_cannot_be_are_refused);
  g_test_add_func ("/crypto/shamir/wrong-shapes-are-refused", test_wrong_shapes_are_refused);

  return g_test_run ();
}
