/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-generate-root.h"
#include "barrier/bawn-rekey.h"
#include "barrier/bawn-seal-shamir.h"
#include "storage/bawn-store.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"
#include "tests/support/unref-last.h"

#include <string.h>

#define NOW_US G_GINT64_CONSTANT (1700000000000000)
#define OTP "abcdefghijklmnopqrstuvwxyz"

GType bawn_backend_memory_get_type (void);

/* An initialised store of five shares, three needed, and an unsealed barrier. */
typedef struct
{
  BawnBackend *backend;
  BawnStore *store;
  BawnBarrier *barrier;
  BawnSecret *root_key;
  GPtrArray *shares;
  BawnSealRecords records;
  BawnRekey *rekey;
  BawnGenerateRoot *attempt;
} Fixture;

static void
reload_records (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);

  bawn_seal_records_clear (&f->records);
  bawn_seal_records_load (txn, &f->records, &error);
  g_assert_no_error (error);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->backend = g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  f->barrier = bawn_barrier_new ();
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (f->barrier), TRUE);
  f->shares = bawn_barrier_init_store (f->barrier, txn, 5, 3, NOW_US, &error);
  g_assert_true (bawn_txn_commit (txn, &error));
  g_assert_no_error (error);
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (f->barrier);
  f->root_key = bawn_secret_ref (bawn_keyring_get_root_key (keyring));
  f->rekey = bawn_rekey_new ();
  f->attempt = bawn_generate_root_new (strlen (OTP));
  reload_records (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_generate_root_unref (f->attempt);
  bawn_rekey_unref (f->rekey);
  bawn_seal_records_clear (&f->records);
  g_ptr_array_unref (f->shares);
  bawn_secret_unref (f->root_key);
  unref_last (f->barrier);
  bawn_store_close_term (f->store);
  unref_last (f->store);
  unref_last (f->backend);
}

static void
assert_message (GError **error, const char *message)
{
  g_assert_error (*error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_cmpstr ((*error)->message, ==, message);
  g_clear_error (error);
}

/* For messages that end in a nonce. */
static void
assert_message_with (GError **error, const char *head, const char *nonce)
{
  g_autofree char *message = g_strdup_printf ("%s\"%s\"", head, nonce);

  assert_message (error, message);
}

static char *
begin (Fixture *f, gint64 shares, gint64 threshold, gboolean verification)
{
  g_autoptr (GError) error = NULL;
  BawnRekeyRequest request = { .shares = shares,
                               .threshold = threshold,
                               .require_verification = verification };
  BawnRekeyStatus status;

  g_assert_true (bawn_rekey_begin (f->rekey, &request, &error));
  g_assert_no_error (error);
  bawn_rekey_get_status (f->rekey, &status);

  return g_strdup (status.nonce);
}

static gboolean
update (Fixture *f, guint share, const char *nonce, BawnRekeyOutcome *outcome, GError **error)
{
  bawn_rekey_outcome_clear (outcome);

  return bawn_rekey_update (f->rekey, &f->records, f->root_key,
                            g_ptr_array_index (f->shares, share), nonce, outcome, error);
}

static void
update_all (Fixture *f, const char *nonce, BawnRekeyOutcome *outcome)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 3; i++)
    {
      g_assert_true (update (f, i, nonce, outcome, &error));
      g_assert_no_error (error);
      g_assert_cmpint (outcome->complete, ==, i == 2);
    }
}

static void
commit (Fixture *f, const BawnRekeyOutcome *outcome)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (f->barrier), TRUE);

  g_assert_true (outcome->commit);
  g_assert_true (bawn_barrier_put_seal (f->barrier, &outcome->config, outcome->kek, txn, &error));
  g_assert_true (bawn_txn_commit (txn, &error));
  g_assert_no_error (error);
  bawn_rekey_finish (f->rekey);
  reload_records (f);
}

static gboolean
opens (Fixture *f, GPtrArray *shares, guint n)
{
  g_autoptr (BawnSealShamir) seal = bawn_seal_shamir_new ();
  g_autoptr (BawnKeyring) keyring = NULL;

  for (guint i = 0; i < n; i++)
    if (!bawn_seal_shamir_give (seal, &f->records, g_ptr_array_index (shares, i), &keyring, NULL))
      return FALSE;

  return keyring != NULL;
}

static void
test_rekey_replaces_the_shares (Fixture *f, gconstpointer data)
{
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  g_autofree char *nonce = begin (f, 4, 2, FALSE);
  BawnRekeyStatus status;

  update_all (f, nonce, &outcome);
  g_assert_cmpstr (outcome.nonce, ==, nonce);
  g_assert_false (outcome.verification_required);
  g_assert_cmpstr (outcome.verification_nonce, ==, "");
  g_assert_cmpuint (outcome.shares->len, ==, 4);
  g_autoptr (GPtrArray) fresh = g_ptr_array_ref (outcome.shares);
  g_assert_true (opens (f, f->shares, 3));
  commit (f, &outcome);

  bawn_rekey_get_status (f->rekey, &status);
  g_assert_false (status.started);
  g_assert_cmpuint (f->records.config.shares, ==, 4);
  g_assert_cmpuint (f->records.config.threshold, ==, 2);
  g_assert_true (opens (f, fresh, 2));
  g_assert_false (opens (f, f->shares, 2));
  g_assert_false (opens (f, f->shares, 3));
}

/* Whoever was unsealed before a rekey can still read the keyring after it, and the rotations that
 * follow. */
static void
test_an_unsealed_node_follows_a_rekey (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  g_autoptr (BawnBarrier) standby = bawn_barrier_new ();
  g_autoptr (BawnKeyring) keyring = bawn_barrier_dup_keyring (f->barrier);
  bawn_barrier_adopt (standby, keyring);
  g_autofree char *nonce = begin (f, 1, 1, FALSE);
  update_all (f, nonce, &outcome);
  commit (f, &outcome);

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, BAWN_CODEC (f->barrier), TRUE);
  g_autoptr (BawnKeyring) rotated = bawn_keyring_rotate (keyring, NOW_US, &error);
  g_assert_true (bawn_barrier_put_keyring (f->barrier, rotated, txn, &error));
  g_assert_true (bawn_txn_commit (txn, &error));
  g_autoptr (BawnTxn) read = bawn_store_begin (f->store, BAWN_CODEC (standby), TRUE);
  g_assert_true (bawn_barrier_reload (standby, read, &error));
  g_assert_no_error (error);

  g_autoptr (BawnKeyring) now = bawn_barrier_dup_keyring (standby);
  g_assert_cmpuint (bawn_keyring_get_n_terms (now), ==, 2);
}

static void
test_rekey_status_tells_the_progress (Fixture *f, gconstpointer data)
{
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  BawnRekeyStatus status;

  bawn_rekey_get_status (f->rekey, &status);
  g_assert_false (status.started);
  g_assert_cmpstr (status.nonce, ==, "");
  g_assert_cmpuint (status.shares, ==, 0);
  g_assert_cmpuint (status.threshold, ==, 0);

  g_autofree char *nonce = begin (f, 7, 4, TRUE);
  g_assert_true (update (f, 0, nonce, &outcome, NULL));
  bawn_rekey_get_status (f->rekey, &status);
  g_assert_true (status.started);
  g_assert_cmpstr (status.nonce, ==, nonce);
  g_assert_cmpuint (status.shares, ==, 7);
  g_assert_cmpuint (status.threshold, ==, 4);
  g_assert_cmpuint (status.progress, ==, 1);
  g_assert_true (status.verification_required);
  g_assert_cmpstr (status.verification_nonce, ==, "");

  bawn_rekey_cancel (f->rekey);
  bawn_rekey_get_status (f->rekey, &status);
  g_assert_false (status.started);
  g_assert_cmpuint (status.progress, ==, 0);
}

static void
test_rekey_requests_are_checked (Fixture *f, gconstpointer data)
{
  static const struct
  {
    BawnRekeyRequest request;
    const char *message;
  } cases[] = {
    { { .shares = 0, .threshold = 0 },
      "invalid rekey seal configuration: shares must be at least one" },
    { { .shares = 3, .threshold = 4 },
      "invalid rekey seal configuration: threshold cannot be larger than shares" },
    { { .shares = 3, .threshold = 2, .backup = TRUE },
      "cannot request a backup of the new keys without providing PGP keys for encryption" },
    { { .shares = 3, .threshold = 2, .n_pgp_keys = 2 }, "incorrect number of PGP keys for rekey" },
    { { .shares = 3, .threshold = 2, .n_pgp_keys = 3, .backup = TRUE },
      "PGP encryption of shares is not supported" },
  };
  const BawnRekeyRequest good = { .shares = 3, .threshold = 2 };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_assert_false (bawn_rekey_begin (f->rekey, &cases[i].request, &error));
      assert_message (&error, cases[i].message);
    }
  g_assert_true (bawn_rekey_begin (f->rekey, &good, &error));
  g_assert_false (bawn_rekey_begin (f->rekey, &good, &error));
  assert_message (&error, "rekey already in progress");
}

static void
test_rekey_updates_are_checked (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;

  g_assert_false (update (f, 0, "", &outcome, &error));
  assert_message (&error, "no barrier rekey in progress");

  g_autofree char *nonce = begin (f, 3, 2, FALSE);
  g_assert_false (update (f, 0, "", &outcome, &error));
  assert_message_with (&error, "incorrect nonce supplied; nonce for this rekey operation is ",
                       nonce);
  g_assert_false (update (f, 0, NULL, &outcome, &error));
  assert_message_with (&error, "incorrect nonce supplied; nonce for this rekey operation is ",
                       nonce);
  g_assert_true (update (f, 0, nonce, &outcome, &error));
  g_assert_false (update (f, 0, nonce, &outcome, &error));
  assert_message (&error, "given key has already been provided during this generation operation");
}

static void
test_wrong_shares_fail_the_rekey_but_keep_it (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  g_autoptr (BawnSecret) wrong = bawn_secret_new_random (33);
  g_autofree char *nonce = begin (f, 3, 2, FALSE);
  BawnRekeyStatus status;

  g_assert_true (update (f, 0, nonce, &outcome, &error));
  g_assert_true (update (f, 1, nonce, &outcome, &error));
  g_assert_false (
      bawn_rekey_update (f->rekey, &f->records, f->root_key, wrong, nonce, &outcome, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (error->message, "master key verification failed: "));
  bawn_rekey_get_status (f->rekey, &status);
  g_assert_true (status.started);
  g_assert_cmpuint (status.progress, ==, 0);

  update_all (f, nonce, &outcome);
  g_assert_true (outcome.commit);
}

static void
test_another_root_key_is_not_rekeyed (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  g_autofree char *nonce = begin (f, 3, 2, FALSE);

  bawn_secret_unref (f->root_key);
  f->root_key = bawn_secret_new_random (BAWN_KEY_SIZE);
  g_assert_true (update (f, 0, nonce, &outcome, &error));
  g_assert_true (update (f, 1, nonce, &outcome, &error));
  g_assert_false (update (f, 2, nonce, &outcome, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
}

/* A request may be run again after a conflict, or its last step given again after a failed commit.
 */
static void
test_the_last_step_can_be_repeated (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  g_autofree char *nonce = begin (f, 3, 2, FALSE);

  update_all (f, nonce, &outcome);
  g_autoptr (GPtrArray) fresh = g_ptr_array_ref (outcome.shares);
  g_autoptr (BawnSecret) kek = bawn_secret_ref (outcome.kek);
  g_assert_true (update (f, 2, nonce, &outcome, &error));
  g_assert_no_error (error);
  g_assert_true (outcome.commit);
  g_assert_true (bawn_secret_equal (outcome.kek, kek));
  g_assert_true (outcome.shares == fresh);
  g_assert_false (update (f, 4, nonce, &outcome, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_clear_error (&error);

  g_assert_true (update (f, 2, nonce, &outcome, &error));
  commit (f, &outcome);
  g_assert_true (opens (f, fresh, 2));
}

static gboolean
verify (Fixture *f,
        GPtrArray *shares,
        guint index,
        const char *nonce,
        BawnRekeyOutcome *outcome,
        GError **error)
{
  bawn_rekey_outcome_clear (outcome);

  return bawn_rekey_verify (f->rekey, g_ptr_array_index (shares, index), nonce, outcome, error);
}

static void
test_a_rekey_with_verification (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  BawnRekeyStatus status;
  g_autofree char *nonce = begin (f, 3, 2, TRUE);

  update_all (f, nonce, &outcome);
  g_assert_true (outcome.verification_required);
  g_assert_false (outcome.commit);
  g_assert_null (outcome.kek);
  g_autoptr (GPtrArray) fresh = g_ptr_array_ref (outcome.shares);
  g_autofree char *proof_nonce = g_strdup (outcome.verification_nonce);
  g_assert_cmpuint (strlen (proof_nonce), ==, 36);
  g_assert_cmpstr (proof_nonce, !=, nonce);
  g_assert_true (opens (f, f->shares, 3));

  g_assert_false (update (f, 2, nonce, &outcome, &error));
  assert_message_with (&error,
                       "rekey operation already finished; verification must be performed; nonce "
                       "for the verification "
                       "operation is ",
                       proof_nonce);
  g_assert_false (verify (f, fresh, 0, nonce, &outcome, &error));
  assert_message_with (&error, "incorrect nonce supplied; nonce for this verify operation is ",
                       proof_nonce);
  g_assert_true (verify (f, fresh, 0, proof_nonce, &outcome, &error));
  g_assert_false (outcome.complete);
  g_assert_false (verify (f, fresh, 0, proof_nonce, &outcome, &error));
  assert_message (&error, "given key has already been provided during this verify operation");
  g_assert_true (bawn_rekey_get_verify_status (f->rekey, &status, &error));
  g_assert_cmpstr (status.verification_nonce, ==, proof_nonce);
  g_assert_cmpuint (status.verification_progress, ==, 1);
  g_assert_cmpuint (status.threshold, ==, 2);

  g_assert_true (verify (f, fresh, 2, proof_nonce, &outcome, &error));
  g_assert_true (outcome.complete);
  g_assert_null (outcome.shares);
  g_assert_cmpstr (outcome.nonce, ==, proof_nonce);
  g_assert_true (verify (f, fresh, 2, proof_nonce, &outcome, &error));
  commit (f, &outcome);
  g_assert_true (opens (f, fresh, 2));
  g_assert_false (opens (f, f->shares, 2));
}

static void
test_a_failed_verification_takes_another_nonce (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  BawnRekeyStatus status;
  g_autofree char *nonce = begin (f, 3, 2, TRUE);
  update_all (f, nonce, &outcome);
  g_autoptr (GPtrArray) fresh = g_ptr_array_ref (outcome.shares);
  g_autofree char *proof_nonce = g_strdup (outcome.verification_nonce);

  g_assert_true (verify (f, fresh, 0, proof_nonce, &outcome, &error));
  g_assert_false (verify (f, f->shares, 0, proof_nonce, &outcome, &error));
  assert_message (&error, "rekey verification failed; incorrect key shares supplied");
  bawn_rekey_get_status (f->rekey, &status);
  g_assert_cmpstr (status.verification_nonce, !=, proof_nonce);
  g_assert_cmpuint (status.verification_progress, ==, 0);

  g_assert_true (verify (f, fresh, 0, status.verification_nonce, &outcome, &error));
  g_assert_true (bawn_rekey_restart_verification (f->rekey, &error));
  BawnRekeyStatus restarted;
  bawn_rekey_get_status (f->rekey, &restarted);
  g_assert_cmpstr (restarted.verification_nonce, !=, status.verification_nonce);
  g_assert_cmpuint (restarted.verification_progress, ==, 0);
  g_assert_true (verify (f, fresh, 1, restarted.verification_nonce, &outcome, &error));
  g_assert_true (verify (f, fresh, 2, restarted.verification_nonce, &outcome, &error));
  g_assert_true (outcome.commit);
}

static void
test_verification_needs_a_rekey (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (BawnRekeyOutcome) outcome = BAWN_REKEY_OUTCOME_INIT;
  BawnRekeyStatus status;

  g_assert_false (bawn_rekey_get_verify_status (f->rekey, &status, &error));
  assert_message (&error, "no rekey configuration found");
  g_assert_false (bawn_rekey_restart_verification (f->rekey, &error));
  assert_message (&error, "no rekey configuration found");
  g_assert_false (verify (f, f->shares, 0, "", &outcome, &error));
  assert_message (&error, "no rekey configuration found");
  g_autofree char *nonce = begin (f, 3, 2, TRUE);
  g_assert_false (verify (f, f->shares, 0, "", &outcome, &error));
  assert_message (&error, "no rekey verification in progress");
}

static gboolean
generate (Fixture *f, guint share, const char *nonce, gboolean *complete, GError **error)
{
  return bawn_generate_root_update (f->attempt, &f->records, f->root_key,
                                    g_ptr_array_index (f->shares, share), nonce, complete, error);
}

static char *
begin_attempt (Fixture *f, const char *otp)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnWipedString) made = NULL;
  BawnGenerateRootStatus status;

  g_assert_true (bawn_generate_root_begin (f->attempt, otp, NULL, &made, &error));
  g_assert_no_error (error);
  bawn_generate_root_get_status (f->attempt, &status);
  g_assert_true (status.started);

  return g_strdup (status.nonce);
}

static void
test_a_root_token_is_hidden_by_the_otp (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const char *token = "s.0123456789ABCDEFGHIJKLMN";
  gboolean complete = TRUE;
  BawnGenerateRootStatus status;
  g_autofree char *nonce = begin_attempt (f, OTP);

  for (guint i = 0; i < 3; i++)
    {
      g_assert_null (bawn_generate_root_encode (f->attempt, token, NULL));
      g_assert_true (generate (f, i, nonce, &complete, &error));
      g_assert_cmpint (complete, ==, i == 2);
      bawn_generate_root_get_status (f->attempt, &status);
      g_assert_cmpuint (status.progress, ==, i + 1);
      g_assert_cmpuint (status.otp_length, ==, 26);
    }
  g_assert_true (generate (f, 2, nonce, &complete, &error));
  g_assert_true (complete);
  g_autofree char *encoded = bawn_generate_root_encode (f->attempt, token, &error);
  g_assert_no_error (error);
  g_assert_null (strchr (encoded, '='));
  g_autoptr (GBytes) mixed = bawn_base64_decode (encoded, FALSE, NULL);
  g_assert_cmpuint (g_bytes_get_size (mixed), ==, strlen (token));
  for (gsize i = 0; i < strlen (token); i++)
    g_assert_cmpint (((const guint8 *) g_bytes_get_data (mixed, NULL))[i] ^ (guint8) OTP[i], ==,
                     token[i]);
  g_assert_null (bawn_generate_root_encode (f->attempt, "s.short", &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INTERNAL);

  bawn_generate_root_finish (f->attempt);
  bawn_generate_root_get_status (f->attempt, &status);
  g_assert_false (status.started);
  g_assert_cmpstr (status.nonce, ==, "");
}

static void
test_an_otp_is_made_if_none_is_given (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnWipedString) made = NULL;
  char *none = NULL;

  g_assert_true (bawn_generate_root_begin (f->attempt, "", "", &made, &error));
  g_assert_cmpuint (strlen (made), ==, 26);
  bawn_generate_root_cancel (f->attempt);
  g_assert_true (bawn_generate_root_begin (f->attempt, OTP, NULL, &none, &error));
  g_assert_null (none);
}

static void
test_root_generation_is_checked (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean complete = FALSE;
  char *made = NULL;

  g_assert_false (generate (f, 0, "", &complete, &error));
  assert_message (&error, "no root generation in progress");
  g_assert_false (bawn_generate_root_begin (f->attempt, "short", NULL, &made, &error));
  assert_message (&error, "OTP string is wrong length");
  g_assert_false (bawn_generate_root_begin (f->attempt, NULL, "pgp", &made, &error));
  assert_message (&error, "PGP encryption of the root token is not supported");
  g_autofree char *nonce = begin_attempt (f, OTP);
  g_assert_false (bawn_generate_root_begin (f->attempt, OTP, NULL, &made, &error));
  assert_message (&error, "root generation already in progress");
  g_assert_null (made);
  g_assert_false (generate (f, 0, "x", &complete, &error));
  assert_message_with (
      &error, "incorrect nonce supplied; nonce for this root generation operation is ", nonce);
  g_assert_true (generate (f, 0, nonce, &complete, &error));
  g_assert_false (generate (f, 0, nonce, &complete, &error));
  assert_message (&error, "given key has already been provided during this generation operation");
}

static void
test_wrong_shares_abort_the_root_generation (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean complete = FALSE;
  g_autoptr (BawnSecret) wrong = bawn_secret_new_random (33);
  g_autofree char *nonce = begin_attempt (f, OTP);
  BawnGenerateRootStatus status;

  g_assert_true (generate (f, 0, nonce, &complete, &error));
  g_assert_true (generate (f, 1, nonce, &complete, &error));
  g_assert_false (bawn_generate_root_update (f->attempt, &f->records, f->root_key, wrong, nonce,
                                             &complete, &error));
  g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (error->message, "root generation aborted: "));
  g_assert_false (complete);
  bawn_generate_root_get_status (f->attempt, &status);
  g_assert_true (status.started);
  g_assert_cmpuint (status.progress, ==, 0);
  g_assert_cmpstr (status.nonce, ==, nonce);
}

#define add(name, function)                                                                        \
  g_test_add ("/barrier/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add ("rekey/rekey-replaces-the-shares", test_rekey_replaces_the_shares);
  add ("rekey/an-unsealed-node-follows-a-rekey", test_an_unsealed_node_follows_a_rekey);
  add ("rekey/status-tells-the-progress", test_rekey_status_tells_the_progress);
  add ("rekey/requests-are-checked", test_rekey_requests_are_checked);
  add ("rekey/updates-are-checked", test_rekey_updates_are_checked);
  add ("rekey/wrong-shares-fail-the-rekey-but-keep-it",
       test_wrong_shares_fail_the_rekey_but_keep_it);
  add ("rekey/another-root-key-is-not-rekeyed", test_another_root_key_is_not_rekeyed);
  add ("rekey/the-last-step-can-be-repeated", test_the_last_step_can_be_repeated);
  add ("rekey/a-rekey-with-verification", test_a_rekey_with_verification);
  add ("rekey/a-failed-verification-takes-another-nonce",
       test_a_failed_verification_takes_another_nonce);
  add ("rekey/verification-needs-a-rekey", test_verification_needs_a_rekey);
  add ("generate-root/a-root-token-is-hidden-by-the-otp", test_a_root_token_is_hidden_by_the_otp);
  add ("generate-root/an-otp-is-made-if-none-is-given", test_an_otp_is_made_if_none_is_given);
  add ("generate-root/root-generation-is-checked", test_root_generation_is_checked);
  add ("generate-root/wrong-shares-abort-the-root-generation",
       test_wrong_shares_abort_the_root_generation);

  return g_test_run ();
}
