/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-seal-records.h"
#include "barrier/bawn-seal-shamir.h"
#include "barrier/bawn-share.h"
#include "storage/bawn-store.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"
#include "tests/support/unref-last.h"

#include <string.h>

#define NOW_US G_GINT64_CONSTANT (1700000000000000)

GType bawn_backend_memory_get_type (void);

typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->backend = g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_store_close_term (f->store);
  unref_last (f->store);
  unref_last (f->backend);
}

static void
put_text (BawnTxn *txn, const char *key, const char *text)
{
  g_autoptr (GBytes) value = bawn_bytes_new_string (text);

  bawn_txn_put (txn, key, value);
}

/* Initialises, and writes one entry through the barrier in the same commit. */
static GPtrArray *
init_store (Fixture *f, gint64 shares, gint64 threshold)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (barrier), TRUE);
  GPtrArray *parts = bawn_barrier_init_store (barrier, txn, shares, threshold, NOW_US, &error);

  g_assert_no_error (error);
  put_text (txn, "core/mounts", "first mounts");
  bawn_txn_commit (txn, &error);
  g_assert_no_error (error);

  return parts;
}

static void
load_records (Fixture *f, BawnSealRecords *records)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);

  bawn_seal_records_load (txn, records, &error);
  g_assert_no_error (error);
}

static gboolean
give (
    Fixture *f, BawnSealShamir *seal, BawnSecret *share, BawnKeyring **out_keyring, GError **error)
{
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;

  load_records (f, &records);

  return bawn_seal_shamir_give (seal, &records, share, out_keyring, error);
}

static BawnKeyring *
unseal (Fixture *f, GPtrArray *shares, guint first, guint n)
{
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  BawnKeyring *keyring = NULL;

  for (guint i = first; i < first + n; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (keyring);
      g_assert_true (give (f, seal, g_ptr_array_index (shares, i), &keyring, &error));
      g_assert_no_error (error);
    }

  return keyring;
}

static void
assert_entry (Fixture *f, BawnBarrier *barrier, const char *key, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) value = NULL;
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (barrier), TRUE);

  g_assert_true (bawn_txn_get (txn, key, &value, &error));
  g_assert_no_error (error);
  g_assert_nonnull (value);
  g_assert_cmpmem (g_bytes_get_data (value, NULL), g_bytes_get_size (value), text, strlen (text));
}

static void
test_init_and_unseal (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 5, 3);
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;

  g_assert_cmpuint (shares->len, ==, 5);
  for (guint i = 0; i < shares->len; i++)
    g_assert_cmpuint (bawn_secret_size (g_ptr_array_index (shares, i)), ==, 33);
  load_records (f, &records);
  g_assert_cmpstr (records.config.type, ==, "shamir");
  g_assert_cmpuint (records.config.shares, ==, 5);
  g_assert_cmpuint (records.config.threshold, ==, 3);

  for (guint first = 0; first <= 2; first++)
    {
      g_autoptr (BawnKeyring) keyring = unseal (f, shares, first, 3);
      g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
      g_assert_nonnull (keyring);
      g_assert_cmpint (bawn_keyring_get_active (keyring)->install_us, ==, NOW_US);
      bawn_barrier_adopt (barrier, keyring);
      assert_entry (f, barrier, "core/mounts", "first mounts");
    }
}

static void
test_a_single_share_is_the_key (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 1, 1);
  g_autoptr (BawnKeyring) keyring = unseal (f, shares, 0, 1);

  g_assert_cmpuint (shares->len, ==, 1);
  g_assert_cmpuint (bawn_secret_size (g_ptr_array_index (shares, 0)), ==, 32);
  g_assert_nonnull (keyring);
}

static void
test_shapes_are_checked (Fixture *f, gconstpointer data)
{
  static const struct
  {
    gint64 shares;
    gint64 threshold;
    const char *message;
  } shapes[] = {
    { 0, 0, "invalid seal configuration: shares must be at least one" },
    { -1, 1, "invalid seal configuration: shares must be at least one" },
    { 5, 0, "invalid seal configuration: threshold must be at least one" },
    { 5, 1, "invalid seal configuration: threshold must be greater than one for multiple shares" },
    { 3, 5, "invalid seal configuration: threshold cannot be larger than shares" },
    { 256, 3, "invalid seal configuration: shares must be less than 256" },
    { 255, 256, "invalid seal configuration: threshold must be less than 256" },
    { G_MAXINT64, G_MAXINT64, "invalid seal configuration: shares must be less than 256" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
      g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (barrier), TRUE);
      g_assert_null (bawn_barrier_init_store (barrier, txn, shapes[i].shares, shapes[i].threshold,
                                              NOW_US, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, shapes[i].message);
      g_assert_false (bawn_txn_has_writes (txn));
      g_assert_true (bawn_barrier_is_sealed (barrier));
    }
}

static void
test_of_two_racing_inits_one_succeeds (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBarrier) one = bawn_barrier_new ();
  g_autoptr (BawnBarrier) two = bawn_barrier_new ();
  g_autoptr (BawnTxn) txn_one = bawn_store_begin (f->store, BAWN_CODEC (one), TRUE);
  g_autoptr (BawnTxn) txn_two = bawn_store_begin (f->store, BAWN_CODEC (two), TRUE);
  g_autoptr (GPtrArray) shares_one = bawn_barrier_init_store (one, txn_one, 5, 3, NOW_US, &error);
  g_autoptr (GPtrArray) shares_two = bawn_barrier_init_store (two, txn_two, 3, 2, NOW_US, &error);

  g_assert_no_error (error);
  g_assert_true (bawn_txn_commit (txn_two, &error));
  g_assert_no_error (error);
  g_assert_false (bawn_txn_commit (txn_one, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
  g_clear_error (&error);

  g_autoptr (BawnTxn) again = bawn_store_begin (f->store, BAWN_CODEC (one), TRUE);
  g_assert_null (bawn_barrier_init_store (one, again, 5, 3, NOW_US, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "Vault is already initialized");
  g_autoptr (BawnKeyring) keyring = unseal (f, shares_two, 0, 2);
  g_assert_nonnull (keyring);
}

/* The same barrier may be used for a second run: it then holds what the second run made. */
static void
test_init_may_be_run_again (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
  g_autoptr (BawnTxn) dropped = bawn_store_begin (f->store, BAWN_CODEC (barrier), TRUE);
  g_autoptr (GPtrArray) worthless =
      bawn_barrier_init_store (barrier, dropped, 5, 3, NOW_US, &error);
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (barrier), TRUE);
  g_autoptr (GPtrArray) shares = bawn_barrier_init_store (barrier, txn, 5, 3, NOW_US, &error);

  put_text (txn, "core/mounts", "of the second run");
  g_assert_true (bawn_txn_commit (txn, &error));
  g_assert_no_error (error);
  g_autoptr (BawnBarrier) later = bawn_barrier_new ();
  g_autoptr (BawnKeyring) keyring = unseal (f, shares, 0, 3);
  bawn_barrier_adopt (later, keyring);
  assert_entry (f, later, "core/mounts", "of the second run");
}

static void
test_before_init_there_is_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  BawnSealConfig config;
  gboolean present = TRUE;
  gboolean exist = TRUE;
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);

  g_assert_true (bawn_seal_records_exist (txn, &exist, &error));
  g_assert_true (bawn_seal_records_load_config (txn, &present, &config, &error));
  g_assert_no_error (error);
  g_assert_false (exist);
  g_assert_false (present);
  g_assert_false (bawn_seal_records_load (txn, &records, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "Vault is not initialized");
}

/* The HTTP thread must not wait, and nothing may have happened when it is told so. */
static void
test_what_would_block_changes_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (barrier), FALSE);

  g_assert_null (bawn_barrier_init_store (barrier, txn, 5, 3, NOW_US, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_WOULD_BLOCK);
  g_assert_true (bawn_barrier_is_sealed (barrier));
  g_assert_false (bawn_txn_has_writes (txn));
}

static void
test_half_a_set_of_records_is_corrupt (Fixture *f, gconstpointer data)
{
  const char *const keys[] = { BAWN_SEAL_CONFIG_KEY, BAWN_ROOT_KEY_KEY, BAWN_KEYRING_KEY };
  g_autoptr (GPtrArray) shares = init_store (f, 3, 2);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
      g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();
      g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
      bawn_txn_delete (txn, keys[i]);
      g_assert_false (bawn_seal_records_load (txn, &records, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
      g_assert_nonnull (strstr (error->message, keys[i]));
      g_clear_error (&error);
      g_assert_null (bawn_barrier_init_store (barrier, txn, 5, 3, NOW_US, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
    }
}

/* Every bit of the sealed two, with the right shares at hand. */
static void
test_tampered_records_do_not_open (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 1, 1);
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  load_records (f, &records);

  for (guint which = 0; which < 2; which++)
    {
      GBytes *box = which == 0 ? records.root_key_box : records.keyring_box;
      gsize size = g_bytes_get_size (box);
      for (gsize bit = 0; bit < size * 8; bit++)
        {
          guint8 *changed = NULL;
          g_autoptr (GError) error = NULL;
          g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
          BawnKeyring *keyring = NULL;
          BawnSealRecords bad = records;
          g_autoptr (GBytes) bad_box = bawn_bytes_alloc (size, &changed);
          memcpy (changed, g_bytes_get_data (box, NULL), size);
          changed[bit / 8] ^= (guint8) (1 << bit % 8);
          *(which == 0 ? &bad.root_key_box : &bad.keyring_box) = bad_box;
          g_assert_false (
              bawn_seal_shamir_give (seal, &bad, g_ptr_array_index (shares, 0), &keyring, &error));
          g_assert_null (keyring);
          g_assert_true (bawn_error_is (error, BAWN_ERROR_CORRUPT)
                         || (which == 0 && bawn_error_is (error, BAWN_ERROR_INVALID)));
        }
    }
}

static void
test_swapped_records_do_not_open (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) shares = init_store (f, 1, 1);
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  load_records (f, &records);
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  BawnSealRecords swapped = records;
  BawnKeyring *keyring = NULL;

  swapped.root_key_box = records.keyring_box;
  swapped.keyring_box = records.root_key_box;
  g_assert_false (
      bawn_seal_shamir_give (seal, &swapped, g_ptr_array_index (shares, 0), &keyring, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

static void
test_progress_is_kept_and_reset (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 5, 3);
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  BawnKeyring *keyring = NULL;

  g_autofree char *no_nonce = bawn_seal_shamir_dup_nonce (seal);
  g_assert_cmpstr (no_nonce, ==, "");
  g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 0);

  g_assert_true (give (f, seal, g_ptr_array_index (shares, 4), &keyring, NULL));
  g_autofree char *nonce = bawn_seal_shamir_dup_nonce (seal);
  g_assert_cmpuint (strlen (nonce), ==, 36);
  g_assert_true (give (f, seal, g_ptr_array_index (shares, 4), &keyring, NULL));
  g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 1);
  g_assert_true (give (f, seal, g_ptr_array_index (shares, 1), &keyring, NULL));
  g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 2);
  g_autofree char *same_nonce = bawn_seal_shamir_dup_nonce (seal);
  g_assert_cmpstr (same_nonce, ==, nonce);
  g_assert_null (keyring);

  bawn_seal_shamir_reset (seal);
  g_autofree char *gone = bawn_seal_shamir_dup_nonce (seal);
  g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 0);
  g_assert_cmpstr (gone, ==, "");
}

static void
test_wrong_shares_reset_the_progress (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 5, 3);
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  g_autoptr (BawnSecret) wrong = bawn_secret_new_random (33);
  g_autoptr (BawnSecret) odd = bawn_secret_new_random (16);
  BawnSecret *last[] = { wrong, odd };

  for (guint i = 0; i < G_N_ELEMENTS (last); i++)
    {
      g_autoptr (GError) error = NULL;
      BawnKeyring *keyring = NULL;
      g_assert_true (give (f, seal, g_ptr_array_index (shares, 0), &keyring, &error));
      g_assert_true (give (f, seal, g_ptr_array_index (shares, 1), &keyring, &error));
      g_assert_false (give (f, seal, last[i], &keyring, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_null (keyring);
      g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 0);
    }

  g_autoptr (BawnKeyring) keyring = unseal (f, shares, 2, 3);
  g_assert_nonnull (keyring);
}

static void
test_shares_of_an_earlier_seal_do_not_count (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) shares = init_store (f, 5, 3);
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  g_auto (BawnSealRecords) records = BAWN_SEAL_RECORDS_INIT;
  BawnKeyring *keyring = NULL;

  load_records (f, &records);
  g_assert_true (
      bawn_seal_shamir_give (seal, &records, g_ptr_array_index (shares, 0), &keyring, NULL));
  g_assert_true (
      bawn_seal_shamir_give (seal, &records, g_ptr_array_index (shares, 1), &keyring, NULL));
  bawn_seal_config_init (&records.config, 5, 3);
  g_assert_true (
      bawn_seal_shamir_give (seal, &records, g_ptr_array_index (shares, 2), &keyring, NULL));
  g_assert_cmpuint (bawn_seal_shamir_get_progress (seal), ==, 1);
}

static void
test_rotation_is_stored_then_used (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) shares = init_store (f, 3, 2);
  g_autoptr (BawnKeyring) keyring = unseal (f, shares, 0, 2);
  g_autoptr (BawnBarrier) active = bawn_barrier_new ();
  g_autoptr (BawnBarrier) standby = bawn_barrier_new ();
  bawn_barrier_adopt (active, keyring);
  bawn_barrier_adopt (standby, keyring);

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (active), TRUE);
  g_autoptr (BawnKeyring) current = bawn_barrier_dup_keyring (active);
  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (current, NOW_US + 1, &error);
  g_assert_true (bawn_barrier_put_keyring (active, rotated, txn, &error));
  g_assert_true (bawn_txn_commit (txn, &error));
  g_assert_true (bawn_barrier_replace (active, rotated));
  g_autoptr (BawnTxn) write = bawn_store_begin (f->store, BAWN_CODEC (active), TRUE);
  put_text (write, "sys/after", "rotated");
  g_assert_true (bawn_txn_commit (write, &error));
  g_assert_no_error (error);

  /* A standby that missed it is told, reloads, and goes on. */
  g_autoptr (BawnTxn) read = bawn_store_begin (f->store, BAWN_CODEC (standby), TRUE);
  g_autoptr (GBytes) value = NULL;
  g_assert_false (bawn_txn_get (read, "sys/after", &value, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
  g_assert_cmpuint (bawn_barrier_get_missing_term (standby), ==, 2);
  g_clear_error (&error);
  g_assert_true (bawn_barrier_reload (standby, read, &error));
  g_assert_no_error (error);
  assert_entry (f, standby, "sys/after", "rotated");

  g_autoptr (BawnKeyring) unsealed = unseal (f, shares, 1, 2);
  g_assert_cmpuint (bawn_keyring_get_active (unsealed)->number, ==, 2);
}

static void
test_a_stale_rotation_is_refused_and_caught_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) shares = init_store (f, 3, 2);
  g_autoptr (BawnKeyring) keyring = unseal (f, shares, 0, 2);
  g_autoptr (BawnBarrier) one = bawn_barrier_new ();
  g_autoptr (BawnBarrier) two = bawn_barrier_new ();
  g_autoptr (BawnKeyring) by_one = bawn_keyring_rotate (keyring, NOW_US, &error);
  g_autoptr (BawnKeyring) by_two = bawn_keyring_rotate (keyring, NOW_US, &error);
  bawn_barrier_adopt (one, keyring);
  bawn_barrier_adopt (two, keyring);

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (one), TRUE);
  g_assert_true (bawn_barrier_put_keyring (one, by_one, txn, &error));
  g_assert_true (bawn_txn_commit (txn, &error));
  g_autoptr (BawnTxn) stale = bawn_store_begin (f->store, BAWN_CODEC (two), TRUE);
  g_assert_false (bawn_barrier_put_keyring (two, by_two, stale, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CONFLICT);
  g_assert_false (bawn_txn_has_writes (stale));
  g_clear_error (&error);

  g_autoptr (BawnTxn) again = bawn_store_begin (f->store, BAWN_CODEC (two), TRUE);
  g_autoptr (BawnKeyring) current = bawn_barrier_dup_keyring (two);
  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (current, NOW_US, &error);
  g_assert_true (bawn_barrier_put_keyring (two, rotated, again, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (bawn_keyring_get_active (rotated)->number, ==, 3);

  bawn_barrier_seal (two);
  g_assert_false (bawn_barrier_put_keyring (two, rotated, again, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_SEALED);
}

static void
test_shares_are_read_as_hex_or_base64 (void)
{
  guint8 raw[33];

  for (gsize size = BAWN_SHARE_MIN_SIZE; size <= BAWN_SHARE_MAX_SIZE; size++)
    {
      bawn_random_bytes (raw, sizeof raw);
      raw[0] = 0xff; /* so that its base64 is never hex */
      g_autoptr (GError) error = NULL;
      g_autofree char *hex = bawn_hex_encode (raw, size);
      g_autofree char *base64 = bawn_base64_encode (raw, size, FALSE, TRUE);
      g_autoptr (BawnSecret) from_hex = bawn_share_parse (hex, &error);
      g_autoptr (BawnSecret) from_base64 = bawn_share_parse (base64, &error);
      g_assert_no_error (error);
      g_assert_cmpmem (bawn_secret_data (from_hex), bawn_secret_size (from_hex), raw, size);
      g_assert_cmpmem (bawn_secret_data (from_base64), bawn_secret_size (from_base64), raw, size);
    }

  /* 44 characters that are hex, but of 22 bytes only; and 24 that are hex of 12 bytes, and so
   * base64 of 18. */
  g_autoptr (BawnSecret) hex_first =
      bawn_share_parse ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
  g_autoptr (BawnSecret) base64_then = bawn_share_parse ("aaaaaaaaaaaaaaaaaaaaaaaa", NULL);
  g_assert_cmpuint (bawn_secret_size (hex_first), ==, 22);
  g_assert_cmpuint (bawn_secret_size (base64_then), ==, 18);
}

static void
test_what_is_no_share_is_refused (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { NULL, "'key' must be a valid hex or base64 string" },
    { "", "'key' must be a valid hex or base64 string" },
    { "not a key", "'key' must be a valid hex or base64 string" },
    { "abc-def", "'key' must be a valid hex or base64 string" },
    { "abcd", "key is shorter than minimum 16 bytes" },
    { "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
      "key is longer than maximum 33 bytes" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (bawn_share_parse (cases[i].text, &error));
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
}

#define add(name, function)                                                                        \
  g_test_add ("/barrier/seal/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add ("init-and-unseal", test_init_and_unseal);
  add ("a-single-share-is-the-key", test_a_single_share_is_the_key);
  add ("shapes-are-checked", test_shapes_are_checked);
  add ("of-two-racing-inits-one-succeeds", test_of_two_racing_inits_one_succeeds);
  add ("init-may-be-run-again", test_init_may_be_run_again);
  add ("before-init-there-is-nothing", test_before_init_there_is_nothing);
  add ("what-would-block-changes-nothing", test_what_would_block_changes_nothing);
  add ("half-a-set-of-records-is-corrupt", test_half_a_set_of_records_is_corrupt);
  add ("tampered-records-do-not-open", test_tampered_records_do_not_open);
  add ("swapped-records-do-not-open", test_swapped_records_do_not_open);
  add ("progress-is-kept-and-reset", test_progress_is_kept_and_reset);
  add ("wrong-shares-reset-the-progress", test_wrong_shares_reset_the_progress);
  add ("shares-of-an-earlier-seal-do-not-count", test_shares_of_an_earlier_seal_do_not_count);
  add ("rotation-is-stored-then-used", test_rotation_is_stored_then_used);
  add ("a-stale-rotation-is-refused-and-caught-up", test_a_stale_rotation_is_refused_and_caught_up);
  g_test_add_func ("/barrier/share/shares-are-read-as-hex-or-base64",
                   test_shares_are_read_as_hex_or_base64);
  g_test_add_func ("/barrier/share/what-is-no-share-is-refused", test_what_is_no_share_is_refused);

  return g_test_run ();
}
