/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *digest;
} HashVector;

/* The three bytes "abc": FIPS 180-4 and FIPS 202, NIST's example values. */
static const HashVector hash_vectors[] = {
  { "sha2-224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
  { "sha2-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
  { "sha2-384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358"
                "baeca134c825a7" },
  { "sha2-512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
  { "sha3-224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf" },
  { "sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
  { "sha3-384", "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539"
                "f1edf228376d25" },
  { "sha3-512", "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
                "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0" },
};

static BawnSecret *
secret_from_hex (const char *text)
{
  g_autoptr (GBytes) raw = bawn_hex_decode (text, NULL);

  g_assert_nonnull (raw);

  return bawn_secret_new_copy (g_bytes_get_data (raw, NULL), g_bytes_get_size (raw));
}

static void
assert_hex (gconstpointer data, gsize size, const char *expected)
{
  g_autofree char *actual = bawn_hex_encode (data, size);

  g_assert_cmpstr (actual, ==, expected);
}

static void
test_hashes_by_name (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hash_vectors); i++)
    {
      BawnHashKind kind = 0;
      g_assert_true (bawn_hash_kind_from_name (hash_vectors[i].name, &kind));
      g_autoptr (GBytes) digest = bawn_hash (kind, "abc", 3);
      assert_hex (g_bytes_get_data (digest, NULL), g_bytes_get_size (digest),
                  hash_vectors[i].digest);
    }
}

static void
test_an_unknown_hash_is_refused (void)
{
  BawnHashKind kind = BAWN_HASH_SHA3_512;

  g_assert_false (bawn_hash_kind_from_name ("md5", &kind));
  g_assert_false (bawn_hash_kind_from_name ("", &kind));
  g_assert_false (bawn_hash_kind_from_name (NULL, &kind));
  g_assert_cmpint (kind, ==, BAWN_HASH_SHA3_512);
}

static void
test_sha256 (void)
{
  guint8 digest[BAWN_SHA256_SIZE];

  bawn_sha256 ("abc", 3, digest);
  assert_hex (digest, sizeof digest,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  bawn_sha256 (NULL, 0, digest);
  assert_hex (digest, sizeof digest,
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void
assert_hmac (const char *key_hex, gconstpointer data, gsize size, const char *expected)
{
  guint8 mac[BAWN_SHA256_SIZE];
  g_autoptr (BawnSecret) key = secret_from_hex (key_hex);

  bawn_hmac_sha256 (key, data, size, mac);
  assert_hex (mac, sizeof mac, expected);
}

/* RFC 4231, test cases 1 to 4, 6 and 7; 5 is about truncation. */
static void
test_hmac_of_rfc_4231 (void)
{
  guint8 dd[50];
  guint8 cd[50];
  g_autofree char *long_key = g_strnfill (2 * 131, 'a');
  const char *larger = "Test Using Larger Than Block-Size Key - Hash Key First";
  const char *both = "This is a test using a larger than block-size key and a larger than "
                     "block-size data. The key "
                     "needs to be hashed before being used by the HMAC algorithm.";

  memset (dd, 0xdd, sizeof dd);
  memset (cd, 0xcd, sizeof cd);
  assert_hmac ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There", 8,
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  assert_hmac ("4a656665", "what do ya want for nothing?", 28,
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  assert_hmac ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", dd, sizeof dd,
               "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  assert_hmac ("0102030405060708090a0b0c0d0e0f10111213141516171819", cd, sizeof cd,
               "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  assert_hmac (long_key, larger, strlen (larger),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  assert_hmac (long_key, both, strlen (both),
               "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

/* RFC 5869, test cases 1 to 3. */
static void
test_hkdf_of_rfc_5869 (void)
{
  g_autoptr (BawnSecret) short_key =
      secret_from_hex ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  guint8 salt[80];
  guint8 long_raw[80];
  char info[81] = "";

  for (guint i = 0; i < 80; i++)
    {
      long_raw[i] = (guint8) i;
      info[i] = (char) (0xb0 + i);
    }
  for (guint i = 0; i < 13; i++)
    salt[i] = (guint8) i;
  g_autoptr (BawnSecret) one =
      bawn_hkdf_salted (short_key, salt, 13, "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", 42);
  for (guint i = 0; i < 80; i++)
    salt[i] = (guint8) (0x60 + i);
  g_autoptr (BawnSecret) long_key = bawn_secret_new_copy (long_raw, sizeof long_raw);
  g_autoptr (BawnSecret) two = bawn_hkdf_salted (long_key, salt, 80, info, 82);
  g_autoptr (BawnSecret) three = bawn_hkdf (short_key, "", 42);

  assert_hex (
      bawn_secret_data (one), bawn_secret_size (one),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  assert_hex (bawn_secret_data (two), bawn_secret_size (two),
              "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb"
              "41c65e590e09da3275"
              "600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  assert_hex (
      bawn_secret_data (three), bawn_secret_size (three),
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

static void
test_hkdf_gives_the_length_asked_for (void)
{
  g_autoptr (BawnSecret) key = bawn_secret_new_random (32);
  g_autoptr (BawnSecret) none = bawn_hkdf (key, "none", 0);
  g_autoptr (BawnSecret) most = bawn_hkdf (key, "most", 255 * 32);

  g_assert_cmpuint (bawn_secret_size (none), ==, 0);
  g_assert_cmpuint (bawn_secret_size (most), ==, 255 * 32);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/crypto/hash/hashes-by-name", test_hashes_by_name);
  g_test_add_func ("/crypto/hash/an-unknown-hash-is-refused", test_an_unknown_hash_is_refused);
  g_test_add_func ("/crypto/hash/sha256", test_sha256);
  g_test_add_func ("/crypto/hash/hmac-of-rfc-4231", test_hmac_of_rfc_4231);
  g_test_add_func ("/crypto/hash/hkdf-of-rfc-5869", test_hkdf_of_rfc_5869);
  g_test_add_func ("/crypto/hash/hkdf-gives-the-length-asked-for",
                   test_hkdf_gives_the_length_asked_for);

  return g_test_run ();
}
