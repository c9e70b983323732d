/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include <pthread.h>
#include <string.h>

typedef struct
{
  const char *name;
  const char *key;
  const char *nonce;
  const char *plain;
  const char *aad;
  const char *box;
} Vector;

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16; submitted to NIST.
 */
static const Vector vectors[] = {
  { "13", "0000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
  { "14", "0000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000", "00000000000000000000000000000000", "",
    "cea7403d4d606b6e074ec5d3baf39d18"
    "d0d1c8a799996bf0265b98b5d48ab919" },
  { "15", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    "cafebabefacedbaddecaf888",
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    "",
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
    "b094dac5d93471bdec1a502270e3cc6c" },
  { "16", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    "cafebabefacedbaddecaf888",
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static GBytes *
unhex (const char *text)
{
  g_autoptr (GError) error = NULL;
  GBytes *bytes = bawn_hex_decode (text, &error);

  g_assert_no_error (error);

  return bytes;
}

static BawnAead *
aead_from_hex (const char *text)
{
  g_autoptr (GBytes) raw = unhex (text);
  g_autoptr (BawnSecret) key =
      bawn_secret_new_copy (g_bytes_get_data (raw, NULL), g_bytes_get_size (raw));

  return bawn_aead_new (key);
}

static void
test_vector (gconstpointer user_data)
{
  const Vector *vector = user_data;
  g_autoptr (BawnAead) aead = aead_from_hex (vector->key);
  g_autoptr (GBytes) nonce = unhex (vector->nonce);
  g_autoptr (GBytes) plain = unhex (vector->plain);
  g_autoptr (GBytes) aad = unhex (vector->aad);
  g_autoptr (GBytes) box = unhex (vector->box);
  gsize size = g_bytes_get_size (plain);
  g_autofree guint8 *sealed = g_malloc (size + BAWN_TAG_SIZE);
  g_autofree guint8 *opened = g_malloc (size + 1);

  bawn_aead_seal (aead, g_bytes_get_data (nonce, NULL), g_bytes_get_data (aad, NULL),
                  g_bytes_get_size (aad), g_bytes_get_data (plain, NULL), size, sealed);
  g_assert_cmpmem (sealed, size + BAWN_TAG_SIZE, g_bytes_get_data (box, NULL),
                   g_bytes_get_size (box));

  g_assert_true (bawn_aead_open (aead, g_bytes_get_data (nonce, NULL), g_bytes_get_data (aad, NULL),
                                 g_bytes_get_size (aad), sealed, size + BAWN_TAG_SIZE, opened));
  g_assert_cmpmem (opened, size, g_bytes_get_data (plain, NULL), size);
}

static void
test_a_box_that_was_changed_does_not_open (void)
{
  const guint8 nonce[BAWN_NONCE_SIZE] = { 1, 2, 3 };
  const guint8 zero[7] = { 0 };
  guint8 box[7 + BAWN_TAG_SIZE];
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnAead) aead = bawn_aead_new (key);

  bawn_aead_seal (aead, nonce, "aad", 3, "payload", 7, box);

  for (gsize bit = 0; bit < sizeof box * 8; bit++)
    {
      guint8 plain[7];
      memset (plain, 0xee, sizeof plain);
      box[bit / 8] ^= (guint8) (1 << bit % 8);
      g_assert_false (bawn_aead_open (aead, nonce, "aad", 3, box, sizeof box, plain));
      g_assert_cmpmem (plain, sizeof plain, zero, sizeof zero);
      box[bit / 8] ^= (guint8) (1 << bit % 8);
    }
  for (gsize size = 0; size < sizeof box; size++)
    {
      guint8 plain[7];
      g_assert_false (bawn_aead_open (aead, nonce, "aad", 3, box, size, plain));
    }
}

static void
test_another_key_nonce_or_context_does_not_open (void)
{
  const guint8 nonce[BAWN_NONCE_SIZE] = { 1, 2, 3 };
  const guint8 other_nonce[BAWN_NONCE_SIZE] = { 1, 2, 4 };
  guint8 box[7 + BAWN_TAG_SIZE];
  guint8 plain[7];
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnSecret) other_key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnAead) aead = bawn_aead_new (key);
  g_autoptr (BawnAead) other_aead = bawn_aead_new (other_key);

  bawn_aead_seal (aead, nonce, "aad", 3, "payload", 7, box);

  g_assert_true (bawn_aead_open (aead, nonce, "aad", 3, box, sizeof box, plain));
  g_assert_false (bawn_aead_open (other_aead, nonce, "aad", 3, box, sizeof box, plain));
  g_assert_false (bawn_aead_open (aead, other_nonce, "aad", 3, box, sizeof box, plain));
  g_assert_false (bawn_aead_open (aead, nonce, "aae", 3, box, sizeof box, plain));
  g_assert_false (bawn_aead_open (aead, nonce, "aad", 2, box, sizeof box, plain));
  g_assert_false (bawn_aead_open (aead, nonce, NULL, 0, box, sizeof box, plain));
}

typedef struct
{
  BawnAead *aead;
  guint8 number;
} Worker;

static void *
seal_and_open (void *user_data)
{
  const Worker *worker = user_data;
  guint8 plain[300];
  guint8 box[sizeof plain + BAWN_TAG_SIZE];
  guint8 opened[sizeof plain];

  memset (plain, worker->number, sizeof plain);
  for (guint i = 0; i < 2000; i++)
    {
      guint8 nonce[BAWN_NONCE_SIZE] = { worker->number, (guint8) i, (guint8) (i >> 8) };
      gsize size = i % sizeof plain;
      bawn_aead_seal (worker->aead, nonce, "aad", 3, plain, size, box);
      g_assert_true (
          bawn_aead_open (worker->aead, nonce, "aad", 3, box, size + BAWN_TAG_SIZE, opened));
      g_assert_cmpmem (opened, size, plain, size);
    }

  return NULL;
}

/* More threads than handles are kept. */
static void
test_threads_share_a_handle (void)
{
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_autoptr (BawnAead) aead = bawn_aead_new (key);
  pthread_t threads[20];
  Worker workers[20];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      workers[i] = (Worker){ aead, (guint8) i };
      g_assert_cmpint (pthread_create (&threads[i], NULL, seal_and_open, &workers[i]), ==, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/crypto/aead/gcm-test-case-", vectors[i].name, NULL);
      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  g_test_add_func ("/crypto/aead/a-box-that-was-changed-does-not-open",
                   test_a_box_that_was_changed_does_not_open);
  g_test_add_func ("/crypto/aead/another-key-nonce-or-context-does-not-open",
                   test_another_key_nonce_or_context_does_not_open);
  g_test_add_func ("/crypto/aead/threads-share-a-handle", test_threads_share_a_handle);

  return g_test_run ();
}
