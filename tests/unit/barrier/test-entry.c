/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-entry.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

#define PATH "logical/7f3a/secret"
#define PLAIN "{\"value\":\"hidden\"}"

/* Made apart from this code, with python3-cryptography: key 00…1f, nonce 40…4b, term 0x01020304. */
#define KNOWN                                                                                      \
  "0101020304404142434445464748494a4b999bd8424a49e221f7e67f5fff0076355bbbfb14d016490e7fe929ebc410" \
  "b272164c"
#define KNOWN_EMPTY "0101020304404142434445464748494a4b1bba14740085883a83d65394c6177749"

static BawnSecret *
known_key (void)
{
  guint8 *data = NULL;
  BawnSecret *key = bawn_secret_new (BAWN_KEY_SIZE, &data);

  for (guint i = 0; i < BAWN_KEY_SIZE; i++)
    data[i] = (guint8) i;

  return key;
}

static BawnAead *
known_aead (void)
{
  g_autoptr (BawnSecret) key = known_key ();

  return bawn_aead_new (key);
}

static void
assert_sealed (const char *plain, const char *expected)
{
  const guint8 nonce[BAWN_NONCE_SIZE] = { 0x40, 0x41, 0x42, 0x43, 0x44, 0x45,
                                          0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b };
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) bytes = bawn_bytes_new_string (plain);
  g_autoptr (GBytes) box = bawn_entry_seal_with_nonce (aead, 0x01020304, PATH, bytes, nonce);
  g_autofree char *hex = bawn_hex_encode (g_bytes_get_data (box, NULL), g_bytes_get_size (box));

  g_assert_cmpstr (hex, ==, expected);
}

static void
test_the_format_is_known (void)
{
  assert_sealed (PLAIN, KNOWN);
  assert_sealed ("", KNOWN_EMPTY);
}

static void
test_known_entries_open (void)
{
  g_autoptr (GError) error = NULL;
  guint32 term = 0;
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN, NULL);
  g_autoptr (GBytes) empty_box = bawn_hex_decode (KNOWN_EMPTY, NULL);
  g_autoptr (GBytes) plain = bawn_entry_open (aead, PATH, box, &error);
  g_autoptr (GBytes) empty = bawn_entry_open (aead, PATH, empty_box, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), PLAIN, strlen (PLAIN));
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
  g_assert_true (bawn_entry_peek_term (PATH, box, &term, &error));
  g_assert_cmpuint (term, ==, 0x01020304);
}

/* The error says where, and nothing of what. */
static void
assert_corrupt (GBytes *plain, const GError *error, const char *path, const char *why)
{
  g_assert_null (plain);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, path));
  g_assert_null (strstr (error->message, "hidden"));
  if (why != NULL)
    g_assert_nonnull (strstr (error->message, why));
}

static void
test_every_flipped_bit_is_refused (void)
{
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN, NULL);
  gsize size = g_bytes_get_size (box);

  for (gsize bit = 0; bit < size * 8; bit++)
    {
      guint8 *changed = NULL;
      g_autoptr (GBytes) bad = bawn_bytes_alloc (size, &changed);
      memcpy (changed, g_bytes_get_data (box, NULL), size);
      changed[bit / 8] ^= (guint8) (1 << bit % 8);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) plain = bawn_entry_open (aead, PATH, bad, &error);
      assert_corrupt (plain, error, PATH, bit < 8 ? "unknown format" : "does not authenticate");
    }
}

static void
test_every_truncation_is_refused (void)
{
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN, NULL);
  gsize whole = g_bytes_get_size (box);

  for (gsize size = 0; size < whole; size++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) front = g_bytes_new_from_bytes (box, 0, size);
      g_autoptr (GBytes) plain = bawn_entry_open (aead, PATH, front, &error);
      assert_corrupt (plain, error, PATH,
                      size < BAWN_ENTRY_OVERHEAD ? "truncated" : "does not authenticate");

      g_autoptr (GError) rear_error = NULL;
      g_autoptr (GBytes) rear = g_bytes_new_from_bytes (box, whole - size, size);
      g_autoptr (GBytes) rear_plain = bawn_entry_open (aead, PATH, rear, &rear_error);
      assert_corrupt (rear_plain, rear_error, PATH, NULL);
    }
}

static void
test_an_entry_with_more_behind_it_is_refused (void)
{
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN "00", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = bawn_entry_open (aead, PATH, box, &error);

  assert_corrupt (plain, error, PATH, "does not authenticate");
}

static void
test_another_path_is_refused (void)
{
  const char *const paths[] = { "logical/7f3a/secreT", "logical/7f3a/secre", "logical/7f3a/secrets",
                                "", "secret" };
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) plain = bawn_entry_open (aead, paths[i], box, &error);
      assert_corrupt (plain, error, paths[i], "does not authenticate");
    }
}

static void
test_another_key_is_refused (void)
{
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnAead) aead = bawn_aead_new (key);
  g_autoptr (GBytes) box = bawn_hex_decode (KNOWN, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = bawn_entry_open (aead, PATH, box, &error);

  assert_corrupt (plain, error, PATH, "does not authenticate");
}

static void
test_paths_of_any_length_work (void)
{
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) plain = bawn_bytes_new_string (PLAIN);

  for (gsize length = 1; length < 3000; length += 131)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = g_strnfill (length, 'p');
      g_autofree char *other = g_strnfill (length, 'p');
      other[length - 1] = 'q';
      g_autoptr (GBytes) box = bawn_entry_seal (aead, 1, path, plain);
      g_autoptr (GBytes) opened = bawn_entry_open (aead, path, box, &error);
      g_assert_no_error (error);
      g_assert_true (bawn_bytes_equal (opened, plain));
      g_autoptr (GBytes) swapped = bawn_entry_open (aead, other, box, &error);
      assert_corrupt (swapped, error, other, "does not authenticate");
    }
}

static void
test_nonces_are_not_used_twice (void)
{
  g_autoptr (BawnAead) aead = known_aead ();
  g_autoptr (GBytes) plain = bawn_bytes_new_string (PLAIN);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);

  for (guint i = 0; i < 10000; i++)
    {
      g_autoptr (GBytes) box = bawn_entry_seal (aead, 1, PATH, plain);
      g_assert_true (g_hash_table_add (seen, g_bytes_new_from_bytes (box, 5, BAWN_NONCE_SIZE)));
    }
}

static void
test_secrets_are_sealed_too (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) key = known_key ();
  g_autoptr (BawnSecret) plain = bawn_secret_new_random (100);
  g_autoptr (GBytes) box = bawn_entry_seal_secret (key, PATH, plain);
  g_autoptr (BawnSecret) opened = bawn_entry_open_secret (key, PATH, box, &error);

  g_assert_no_error (error);
  g_assert_true (bawn_secret_equal (opened, plain));

  g_autoptr (BawnSecret) elsewhere = bawn_entry_open_secret (key, "core/other", box, &error);
  g_assert_null (elsewhere);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/barrier/entry/the-format-is-known", test_the_format_is_known);
  g_test_add_func ("/barrier/entry/known-entries-open", test_known_entries_open);
  g_test_add_func ("/barrier/entry/every-flipped-bit-is-refused",
                   test_every_flipped_bit_is_refused);
  g_test_add_func ("/barrier/entry/every-truncation-is-refused", test_every_truncation_is_refused);
  g_test_add_func ("/barrier/entry/an-entry-with-more-behind-it-is-refused",
                   test_an_entry_with_more_behind_it_is_refused);
  g_test_add_func ("/barrier/entry/another-path-is-refused", test_another_path_is_refused);
  g_test_add_func ("/barrier/entry/another-key-is-refused", test_another_key_is_refused);
  g_test_add_func ("/barrier/entry/paths-of-any-length-work", test_paths_of_any_length_work);
  g_test_add_func ("/barrier/entry/nonces-are-not-used-twice", test_nonces_are_not_used_twice);
  g_test_add_func ("/barrier/entry/secrets-are-sealed-too", test_secrets_are_sealed_too);

  return g_test_run ();
}
