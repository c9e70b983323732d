/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-entry.h"
#include "barrier/bawn-seal-records.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <pthread.h>
#include <string.h>

#define NOW_US G_GINT64_CONSTANT (1700000000000000)

static GBytes *
codec_seal (BawnBarrier *barrier, const char *key, const char *text, GError **error)
{
  g_autoptr (GBytes) plain = bawn_bytes_new_string (text);

  return BAWN_CODEC_GET_IFACE (barrier)->seal (BAWN_CODEC (barrier), key, plain, error);
}

static GBytes *
codec_open (BawnBarrier *barrier, const char *key, GBytes *box, GError **error)
{
  return BAWN_CODEC_GET_IFACE (barrier)->open (BAWN_CODEC (barrier), key, box, error);
}

static void
assert_opens (BawnBarrier *barrier, const char *key, GBytes *box, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain = codec_open (barrier, key, box, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), text, strlen (text));
}

static BawnBarrier *
unsealed_barrier (BawnKeyring *keyring)
{
  BawnBarrier *barrier = bawn_barrier_new ();

  bawn_barrier_adopt (barrier, keyring);

  return barrier;
}

static void
test_a_keyring_survives_storage (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnKeyring) first = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) second = bawn_keyring_rotate (first, NOW_US + 5, &error);
  g_autoptr (BawnKeyring) counted =
      bawn_keyring_with_encryptions (second, 1, G_GUINT64_CONSTANT (3865470567));
  g_autoptr (BawnSecret) serialised = bawn_keyring_serialise (counted);
  g_autoptr (BawnKeyring) parsed =
      bawn_keyring_parse (serialised, bawn_keyring_get_root_key (first), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (bawn_keyring_get_n_terms (parsed), ==, 2);
  g_assert_cmpuint (bawn_keyring_get_active (parsed)->number, ==, 2);
  g_assert_cmpint (bawn_keyring_get_active (parsed)->install_us, ==, NOW_US + 5);
  g_assert_cmpuint (bawn_keyring_lookup (parsed, 1)->encryptions, ==,
                    G_GUINT64_CONSTANT (3865470567));
  g_assert_cmpuint (bawn_keyring_lookup (parsed, 2)->encryptions, ==, 0);
  g_assert_null (bawn_keyring_lookup (parsed, 0));
  g_assert_null (bawn_keyring_lookup (parsed, 3));
  g_assert_true (bawn_keyring_extends (parsed, first));
  g_assert_true (bawn_keyring_extends (parsed, second));
  g_assert_false (bawn_keyring_extends (first, parsed));
  g_assert_false (bawn_secret_equal (bawn_keyring_lookup (parsed, 1)->key,
                                     bawn_keyring_lookup (parsed, 2)->key));
}

static void
test_a_broken_keyring_is_refused (void)
{
  g_autoptr (BawnKeyring) first = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) keyring = bawn_keyring_rotate (first, NOW_US, NULL);
  g_autoptr (BawnSecret) serialised = bawn_keyring_serialise (keyring);
  BawnSecret *root_key = bawn_keyring_get_root_key (keyring);
  gsize whole = bawn_secret_size (serialised);

  for (gsize size = 0; size < whole; size++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnSecret) part = bawn_secret_new_copy (bawn_secret_data (serialised), size);
      g_assert_null (bawn_keyring_parse (part, root_key, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
    }
  /* Format, number of terms, and terms that do not ascend. */
  const gsize offsets[] = { 0, 1, 4, 5 + 3 };
  const guint8 values[] = { 2, 0x80, 0, 2 };
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GError) error = NULL;
      guint8 *data = NULL;
      g_autoptr (BawnSecret) changed = bawn_secret_new (whole, &data);
      memcpy (data, bawn_secret_data (serialised), whole);
      data[offsets[i]] = values[i];
      g_assert_null (bawn_keyring_parse (changed, root_key, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
    }
}

static void
test_a_full_keyring_does_not_rotate (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  guint8 *data = NULL;
  g_autoptr (BawnSecret) serialised = bawn_secret_new (5 + BAWN_KEYRING_MAX_TERMS * 52, &data);

  data[0] = 1;
  data[3] = BAWN_KEYRING_MAX_TERMS >> 8;
  for (guint i = 0; i < BAWN_KEYRING_MAX_TERMS; i++)
    {
      data[5 + i * 52 + 2] = (guint8) ((i + 1) >> 8);
      data[5 + i * 52 + 3] = (guint8) (i + 1);
    }
  g_autoptr (BawnKeyring) full =
      bawn_keyring_parse (serialised, bawn_keyring_get_root_key (keyring), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (bawn_keyring_get_active (full)->number, ==, BAWN_KEYRING_MAX_TERMS);
  g_assert_nonnull (bawn_keyring_lookup (full, 4097));

  g_assert_null (bawn_keyring_rotate (full, NOW_US, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_LIMITED);
}

static void
test_what_is_sealed_opens (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (keyring);
  g_autoptr (GBytes) box = codec_seal (barrier, "sys/x", "text", &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (box), ==, 4 + BAWN_CODEC_GET_IFACE (barrier)->overhead);
  assert_opens (barrier, "sys/x", box, "text");

  g_autoptr (GBytes) elsewhere = codec_open (barrier, "sys/y", box, &error);
  g_assert_null (elsewhere);
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "sys/y"));
}

static void
assert_sealed_barrier (BawnBarrier *barrier, GBytes *box)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) open_error = NULL;
  guint32 term = 0;
  gint64 install_us = 0;
  guint64 encryptions = 0;

  g_assert_true (bawn_barrier_is_sealed (barrier));
  g_assert_null (codec_seal (barrier, "sys/x", "text", &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
  g_assert_null (codec_open (barrier, "sys/x", box, &open_error));
  g_assert_error (open_error, BAWN_ERROR, BAWN_ERROR_SEALED);
  g_assert_null (bawn_barrier_dup_keyring (barrier));
  g_assert_false (bawn_barrier_get_key_status (barrier, &term, &install_us, &encryptions));
}

static void
test_a_sealed_barrier_does_nothing (void)
{
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (keyring);
  g_autoptr (BawnBarrier) fresh = bawn_barrier_new ();
  g_autoptr (GBytes) box = codec_seal (barrier, "sys/x", "text", NULL);

  assert_sealed_barrier (fresh, box);
  bawn_barrier_seal (barrier);
  assert_sealed_barrier (barrier, box);
  g_assert_false (bawn_barrier_replace (barrier, keyring));
  assert_sealed_barrier (barrier, box);
  bawn_barrier_seal (barrier);
  bawn_barrier_adopt (barrier, keyring);
  assert_opens (barrier, "sys/x", box, "text");
}

static void
test_records_of_the_seal_pass_unchanged (void)
{
  const char *const outside[] = { BAWN_SEAL_CONFIG_KEY, BAWN_ROOT_KEY_KEY, BAWN_KEYRING_KEY };
  const char *const inside[] = { "core/keyring2", "core/keyrin", "core/mounts",
                                 "logical/core/keyring", "core/" };
  g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();

  for (guint i = 0; i < G_N_ELEMENTS (outside); i++)
    {
      g_autoptr (GBytes) box = codec_seal (barrier, outside[i], "as it is", NULL);
      g_assert_true (bawn_barrier_is_outside (outside[i]));
      assert_opens (barrier, outside[i], box, "as it is");
      g_assert_cmpmem (g_bytes_get_data (box, NULL), g_bytes_get_size (box), "as it is", 8);
    }
  for (guint i = 0; i < G_N_ELEMENTS (inside); i++)
    g_assert_false (bawn_barrier_is_outside (inside[i]));
}

static void
test_rotation_keeps_what_was_sealed_before (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (keyring, NOW_US, &error);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (keyring);
  g_autoptr (GBytes) old_box = codec_seal (barrier, "sys/x", "old", &error);
  guint32 term = 0;

  g_assert_true (bawn_barrier_replace (barrier, rotated));
  g_autoptr (GBytes) new_box = codec_seal (barrier, "sys/x", "new", &error);

  g_assert_true (bawn_entry_peek_term ("sys/x", old_box, &term, NULL));
  g_assert_cmpuint (term, ==, 1);
  g_assert_true (bawn_entry_peek_term ("sys/x", new_box, &term, NULL));
  g_assert_cmpuint (term, ==, 2);
  assert_opens (barrier, "sys/x", old_box, "old");
  assert_opens (barrier, "sys/x", new_box, "new");

  /* Rotations that finish in another order than they began do not take terms away. */
  g_assert_true (bawn_barrier_replace (barrier, keyring));
  bawn_barrier_adopt (barrier, keyring);
  assert_opens (barrier, "sys/x", new_box, "new");
}

static void
test_an_unknown_term_is_told_apart (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (keyring, NOW_US, &error);
  g_autoptr (BawnBarrier) ahead = unsealed_barrier (rotated);
  g_autoptr (BawnBarrier) behind = unsealed_barrier (keyring);
  g_autoptr (GBytes) box = codec_seal (ahead, "sys/x", "new", &error);

  g_assert_cmpuint (bawn_barrier_get_missing_term (behind), ==, 0);
  g_assert_null (codec_open (behind, "sys/x", box, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "sys/x"));
  g_assert_nonnull (strstr (error->message, "term 2"));
  g_assert_cmpuint (bawn_barrier_get_missing_term (behind), ==, 2);

  bawn_barrier_adopt (behind, rotated);
  g_assert_cmpuint (bawn_barrier_get_missing_term (behind), ==, 0);
  assert_opens (behind, "sys/x", box, "new");
}

static guint64
count_encryptions (BawnBarrier *barrier)
{
  guint32 term = 0;
  gint64 install_us = 0;
  guint64 encryptions = 0;

  g_assert_true (bawn_barrier_get_key_status (barrier, &term, &install_us, &encryptions));

  return encryptions;
}

static void
test_encryptions_are_counted (void)
{
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) used = bawn_keyring_with_encryptions (keyring, 1, 1000);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (used);

  for (guint i = 0; i < 10; i++)
    {
      g_autoptr (GBytes) box = codec_seal (barrier, "sys/x", "text", NULL);
      assert_opens (barrier, "sys/x", box, "text");
    }
  g_assert_cmpuint (count_encryptions (barrier), ==, 1010);

  g_autoptr (BawnKeyring) now = bawn_barrier_dup_keyring (barrier);
  g_assert_cmpuint (bawn_keyring_get_active (now)->encryptions, ==, 1010);

  /* An older count does not set it back; a count made elsewhere moves it on. */
  bawn_barrier_replace (barrier, used);
  g_assert_cmpuint (count_encryptions (barrier), ==, 1010);
  g_autoptr (BawnKeyring) elsewhere = bawn_keyring_with_encryptions (keyring, 1, 5000);
  bawn_barrier_replace (barrier, elsewhere);
  g_assert_cmpuint (count_encryptions (barrier), ==, 5000);

  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (elsewhere, NOW_US, NULL);
  bawn_barrier_replace (barrier, rotated);
  g_assert_cmpuint (count_encryptions (barrier), ==, 0);
}

static void
test_limits_ask_for_a_rotation (void)
{
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnKeyring) worn =
      bawn_keyring_with_encryptions (keyring, 1, BAWN_BARRIER_MAX_OPERATIONS - 1);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (worn);

  g_assert_false (bawn_barrier_rotation_due (barrier, BAWN_BARRIER_MAX_OPERATIONS, 0, NOW_US));
  g_assert_false (bawn_barrier_rotation_due (barrier, 0, 100, NOW_US + 99));
  g_assert_true (bawn_barrier_rotation_due (barrier, 0, 100, NOW_US + 100));
  g_autoptr (GBytes) box = codec_seal (barrier, "sys/x", "text", NULL);
  g_assert_true (bawn_barrier_rotation_due (barrier, BAWN_BARRIER_MAX_OPERATIONS, 0, NOW_US));
  g_assert_false (bawn_barrier_counts_due (barrier));
  bawn_barrier_seal (barrier);
  g_assert_false (bawn_barrier_rotation_due (barrier, 1, 1, NOW_US + 100));
}

typedef struct
{
  BawnBarrier *barrier;
  gint stop;
  gint opened;
  gint refused;
} Race;

static void *
seal_and_open (void *user_data)
{
  Race *race = user_data;

  while (!g_atomic_int_get (&race->stop))
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) box = codec_seal (race->barrier, "sys/x", "payload", &error);
      g_autoptr (GBytes) plain =
          box != NULL ? codec_open (race->barrier, "sys/x", box, &error) : NULL;
      if (plain == NULL)
        {
          g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
          g_atomic_int_inc (&race->refused);
          continue;
        }
      g_assert_cmpmem (g_bytes_get_data (plain, NULL), g_bytes_get_size (plain), "payload", 7);
      g_atomic_int_inc (&race->opened);
    }

  return NULL;
}

/* Rotating and sealing while others use the keys: they get what they sealed, or are told that it is
 * sealed. */
static void
test_threads_rotate_seal_and_use (void)
{
  g_autoptr (BawnKeyring) keyring = bawn_keyring_new (NOW_US);
  g_autoptr (BawnBarrier) barrier = unsealed_barrier (keyring);
  Race race = { .barrier = barrier };
  pthread_t threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL, seal_and_open, &race), ==, 0);
  for (guint round = 0; round < 30; round++)
    {
      gint opened = g_atomic_int_get (&race.opened);
      gint refused = g_atomic_int_get (&race.refused);
      g_autoptr (BawnKeyring) current = bawn_barrier_dup_keyring (barrier);
      g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (current, NOW_US, NULL);
      g_assert_true (bawn_barrier_replace (barrier, rotated));
      while (g_atomic_int_get (&race.opened) - opened < 20)
        g_thread_yield ();
      bawn_barrier_seal (barrier);
      while (g_atomic_int_get (&race.refused) == refused)
        g_thread_yield ();
      bawn_barrier_adopt (barrier, rotated);
    }
  g_atomic_int_set (&race.stop, 1);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);

  g_autoptr (BawnKeyring) last = bawn_barrier_dup_keyring (barrier);
  g_assert_cmpuint (bawn_keyring_get_n_terms (last), ==, 31);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/barrier/keyring/a-keyring-survives-storage", test_a_keyring_survives_storage);
  g_test_add_func ("/barrier/keyring/a-broken-keyring-is-refused",
                   test_a_broken_keyring_is_refused);
  g_test_add_func ("/barrier/keyring/a-full-keyring-does-not-rotate",
                   test_a_full_keyring_does_not_rotate);
  g_test_add_func ("/barrier/barrier/what-is-sealed-opens", test_what_is_sealed_opens);
  g_test_add_func ("/barrier/barrier/a-sealed-barrier-does-nothing",
                   test_a_sealed_barrier_does_nothing);
  g_test_add_func ("/barrier/barrier/records-of-the-seal-pass-unchanged",
                   test_records_of_the_seal_pass_unchanged);
  g_test_add_func ("/barrier/barrier/rotation-keeps-what-was-sealed-before",
                   test_rotation_keeps_what_was_sealed_before);
  g_test_add_func ("/barrier/barrier/an-unknown-term-is-told-apart",
                   test_an_unknown_term_is_told_apart);
  g_test_add_func ("/barrier/barrier/encryptions-are-counted", test_encryptions_are_counted);
  g_test_add_func ("/barrier/barrier/limits-ask-for-a-rotation", test_limits_ask_for_a_rotation);
  g_test_add_func ("/barrier/barrier/threads-rotate-seal-and-use",
                   test_threads_rotate_seal_and_use);

  return g_test_run ();
}
