/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

/* RFC 4648, section 10, with the padding cut off for the second form. */
static const char *const rfc_4648[][4] = {
  { "", "", "", "" },
  { "f", "Zg==", "Zg", "66" },
  { "fo", "Zm8=", "Zm8", "666f" },
  { "foo", "Zm9v", "Zm9v", "666f6f" },
  { "foob", "Zm9vYg==", "Zm9vYg", "666f6f62" },
  { "fooba", "Zm9vYmE=", "Zm9vYmE", "666f6f6261" },
  { "foobar", "Zm9vYmFy", "Zm9vYmFy", "666f6f626172" },
};

static void
assert_decoded (GBytes *actual, const char *expected)
{
  g_assert_nonnull (actual);
  g_assert_cmpmem (g_bytes_get_data (actual, NULL), g_bytes_get_size (actual), expected,
                   strlen (expected));
}

static void
test_rfc_4648 (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rfc_4648); i++)
    {
      const char *plain = rfc_4648[i][0];
      g_autofree char *padded = bawn_base64_encode (plain, strlen (plain), FALSE, TRUE);
      g_autofree char *bare = bawn_base64_encode (plain, strlen (plain), FALSE, FALSE);
      g_autofree char *hex = bawn_hex_encode (plain, strlen (plain));
      g_autoptr (GBytes) from_padded = bawn_base64_decode (padded, FALSE, NULL);
      g_autoptr (GBytes) from_bare = bawn_base64_decode (bare, TRUE, NULL);
      g_autoptr (GBytes) from_hex = bawn_hex_decode (hex, NULL);

      g_assert_cmpstr (padded, ==, rfc_4648[i][1]);
      g_assert_cmpstr (bare, ==, rfc_4648[i][2]);
      g_assert_cmpstr (hex, ==, rfc_4648[i][3]);
      assert_decoded (from_padded, plain);
      assert_decoded (from_bare, plain);
      assert_decoded (from_hex, plain);
    }
}

/* Against GLib's own, over every byte value and length modulo 3. */
static void
test_every_byte_survives (void)
{
  guint8 all[258];

  for (guint i = 0; i < sizeof all; i++)
    all[i] = (guint8) i;
  for (gsize size = sizeof all - 3; size <= sizeof all; size++)
    {
      g_autofree char *expected = g_base64_encode (all, size);
      g_autofree char *standard = bawn_base64_encode (all, size, FALSE, TRUE);
      g_autofree char *url = bawn_base64_encode (all, size, TRUE, FALSE);
      g_autofree char *hex = bawn_hex_encode (all, size);
      g_autofree char *upper = g_ascii_strup (hex, -1);
      g_autoptr (GBytes) back = bawn_base64_decode (standard, FALSE, NULL);
      g_autoptr (GBytes) url_back = bawn_base64_decode (url, TRUE, NULL);
      g_autoptr (GBytes) hex_back = bawn_hex_decode (upper, NULL);

      g_assert_cmpstr (standard, ==, expected);
      g_assert_null (strpbrk (url, "+/="));
      g_assert_nonnull (strpbrk (url, "-"));
      g_assert_nonnull (strpbrk (url, "_"));
      g_assert_cmpmem (g_bytes_get_data (back, NULL), g_bytes_get_size (back), all, size);
      g_assert_cmpmem (g_bytes_get_data (url_back, NULL), g_bytes_get_size (url_back), all, size);
      g_assert_cmpmem (g_bytes_get_data (hex_back, NULL), g_bytes_get_size (hex_back), all, size);
    }
}

static void
assert_refused (GBytes *decoded, const GError *error, const char *text)
{
  g_assert_null (decoded);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  if (strlen (text) > 3)
    g_assert_null (strstr (error->message, text));
}

static void
test_wrong_base64_is_refused (void)
{
  const char *const wrong[] = { "Z",        "Zg=",      "Zg===",   "=",     "==",     "====",
                                "Zm9vY",    "Zm9v=",    "Zm9v==",  "Zm 9v", "Zm9v\n", " Zm9v",
                                "Zm9-",     "Zm9_",     "Zh==",    "Zm9=",  "Z=g=",   "Zg==Zg==",
                                "Zm9v\x80", "Zm9v\xff", "Zm9vYg=", "Zm9.",  "Zm9@",   "Zm9[abc",
                                "Zm9`",     "Zm9{" };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) decoded = bawn_base64_decode (wrong[i], FALSE, &error);
      assert_refused (decoded, error, wrong[i]);
    }
}

static void
test_the_url_alphabet_is_its_own (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) url = bawn_base64_decode ("-_-_", TRUE, NULL);
  g_autoptr (GBytes) standard = bawn_base64_decode ("+/+/", FALSE, NULL);
  g_autoptr (GBytes) mixed = bawn_base64_decode ("+/+/", TRUE, &error);

  g_assert_true (g_bytes_equal (url, standard));
  assert_refused (mixed, error, "+/+/");
}

static void
test_wrong_hex_is_refused (void)
{
  for (guint c = 1; c < 256; c++)
    {
      if (g_ascii_isxdigit ((char) c))
        continue;
      char first[3] = { (char) c, '0', '\0' };
      char second[3] = { '0', (char) c, '\0' };
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) second_error = NULL;
      g_autoptr (GBytes) decoded = bawn_hex_decode (first, &error);
      g_autoptr (GBytes) second_decoded = bawn_hex_decode (second, &second_error);
      assert_refused (decoded, error, first);
      assert_refused (second_decoded, second_error, second);
    }

  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) odd = bawn_hex_decode ("abcde", &error);
  assert_refused (odd, error, "abcde");
}

static void
test_constant_equal_sees_every_bit (void)
{
  guint8 a[40];
  guint8 b[40];

  bawn_random_bytes (a, sizeof a);
  memcpy (b, a, sizeof b);
  g_assert_true (bawn_constant_equal (a, b, sizeof a));
  g_assert_true (bawn_constant_equal (a, b, 0));
  for (guint bit = 0; bit < sizeof b * 8; bit++)
    {
      b[bit / 8] ^= (guint8) (1 << bit % 8);
      g_assert_false (bawn_constant_equal (a, b, sizeof a));
      b[bit / 8] ^= (guint8) (1 << bit % 8);
    }
}

static void
test_base62_uses_its_whole_alphabet_evenly (void)
{
  gsize counts[256] = { 0 };
  gsize length = 62 * 1000;
  g_autoptr (BawnWipedString) text = bawn_random_base62 (length);

  g_assert_cmpuint (strlen (text), ==, length);
  for (gsize i = 0; i < length; i++)
    {
      g_assert_true (g_ascii_isalnum (text[i]));
      counts[(guint8) text[i]]++;
    }
  /* 1000 expected for each; the standard deviation is 31: six of them as good as never happen. A plain modulo
   * would give the first eight characters 1213. */
  for (guint c = 0; c < 256; c++)
    if (g_ascii_isalnum ((char) c))
      {
        g_assert_cmpuint (counts[c], >, 1000 - 200);
        g_assert_cmpuint (counts[c], <, 1000 + 200);
      }
}

static void
test_base62_has_the_length_asked_for (void)
{
  for (gsize length = 0; length < 200; length += 13)
    {
      g_autoptr (BawnWipedString) text = bawn_random_base62 (length);
      g_assert_cmpuint (strlen (text), ==, length);
    }
}

static void
test_a_uuid_has_its_form (void)
{
  g_autofree char *a = bawn_random_uuid ();
  g_autofree char *b = bawn_random_uuid ();

  g_assert_true (g_regex_match_simple (
      "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", a, 0, 0));
  g_assert_cmpstr (a, !=, b);
}

static void
test_passwords_verify (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = bawn_password_hash ("correct horse", &error);
  g_autofree char *again = bawn_password_hash ("correct horse", &error);

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (hash, "$2b$10$"));
  g_assert_cmpstr (hash, !=, again);
  g_assert_true (bawn_password_verify ("correct horse", hash));
  g_assert_false (bawn_password_verify ("correct horsf", hash));
  g_assert_false (bawn_password_verify ("", hash));
}

/* The vector of the bcrypt authors' test suite for "$2a$", and the same as "$2b$". */
static void
test_passwords_hashed_elsewhere_verify (void)
{
  g_assert_true (
      bawn_password_verify ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  g_assert_true (
      bawn_password_verify ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
  g_assert_false (
      bawn_password_verify ("U*V", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

static void
test_a_useless_hash_never_verifies (void)
{
  g_assert_false (bawn_password_verify ("x", NULL));
  g_assert_false (bawn_password_verify ("x", ""));
  g_assert_false (bawn_password_verify ("x", "x"));
  g_assert_false (bawn_password_verify ("*0", "*0"));
  g_assert_false (bawn_password_verify ("x", "$2b$10$"));
  g_assert_false (bawn_password_verify ("x", "$1$abc$"));
}

static void
test_a_long_password_is_refused_not_cut (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *longest = g_strnfill (72, 'p');
  g_autofree char *longer = g_strnfill (73, 'p');
  g_autofree char *hash = bawn_password_hash (longest, NULL);
  g_autofree char *none = bawn_password_hash (longer, &error);

  g_assert_true (bawn_password_verify (longest, hash));
  g_assert_false (bawn_password_verify (longer, hash));
  g_assert_null (none);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/crypto/text/rfc-4648", test_rfc_4648);
  g_test_add_func ("/crypto/text/every-byte-survives", test_every_byte_survives);
  g_test_add_func ("/crypto/text/wrong-base64-is-refused", test_wrong_base64_is_refused);
  g_test_add_func ("/crypto/text/the-url-alphabet-is-its-own", test_the_url_alphabet_is_its_own);
  g_test_add_func ("/crypto/text/wrong-hex-is-refused", test_wrong_hex_is_refused);
  g_test_add_func ("/crypto/text/constant-equal-sees-every-bit",
                   test_constant_equal_sees_every_bit);
  g_test_add_func ("/crypto/random/base62-uses-its-whole-alphabet-evenly",
                   test_base62_uses_its_whole_alphabet_evenly);
  g_test_add_func ("/crypto/random/base62-has-the-length-asked-for",
                   test_base62_has_the_length_asked_for);
  g_test_add_func ("/crypto/random/a-uuid-has-its-form", test_a_uuid_has_its_form);
  g_test_add_func ("/crypto/password/passwords-verify", test_passwords_verify);
  g_test_add_func ("/crypto/password/passwords-hashed-elsewhere-verify",
                   test_passwords_hashed_elsewhere_verify);
  g_test_add_func ("/crypto/password/a-useless-hash-never-verifies",
                   test_a_useless_hash_never_verifies);
  g_test_add_func ("/crypto/password/a-long-password-is-refused-not-cut",
                   test_a_long_password_is_refused_not_cut);

  return g_test_run ();
}
