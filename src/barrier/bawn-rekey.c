/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-rekey.h"

#include "barrier/bawn-quorum.h"
#include "barrier/bawn-share.h"
#include "util/bawn-error.h"

/**
 * RekeyState:
 * @started: everything else is empty if not
 * @config: what is going to hold
 * @require_verification: the new shares must be proven before that
 * @given: the present shares
 * @kek: (nullable): the new key, once there was a quorum
 * @shares: (nullable): its shares, until they were handed out for good
 * @proof: the new shares, given back
 * @proven: there were enough of those
 *
 * All that a rekey knows; plain, so that it can be kept elsewhere.
 */
typedef struct
{
  gboolean started;
  BawnSealConfig config;
  gboolean require_verification;
  BawnQuorum given;
  BawnSecret *kek;
  GPtrArray *shares;
  BawnQuorum proof;
  gboolean proven;
} RekeyState;

struct _BawnRekey
{
  gint refs;
  GMutex lock;
  RekeyState state;
};

static void
rekey_state_clear (RekeyState *state)
{
  bawn_quorum_clear (&state->given);
  bawn_quorum_clear (&state->proof);
  g_clear_pointer (&state->kek, bawn_secret_unref);
  g_clear_pointer (&state->shares, g_ptr_array_unref);
  *state = (RekeyState){ .started = FALSE };
}

/**
 * bawn_rekey_new:
 *
 * Returns: (transfer full): a rekey that has not begun
 */
BawnRekey *
bawn_rekey_new (void)
{
  BawnRekey *rekey = g_new0 (BawnRekey, 1);

  rekey->refs = 1;
  g_mutex_init (&rekey->lock);

  return rekey;
}

/**
 * bawn_rekey_ref:
 * @rekey: a rekey
 *
 * Returns: (transfer full): @rekey
 */
BawnRekey *
bawn_rekey_ref (BawnRekey *rekey)
{
  g_return_val_if_fail (rekey != NULL, NULL);

  g_atomic_int_inc (&rekey->refs);

  return rekey;
}

/**
 * bawn_rekey_unref:
 * @rekey: (transfer full): a rekey
 */
void
bawn_rekey_unref (BawnRekey *rekey)
{
  g_return_if_fail (rekey != NULL);

  if (!g_atomic_int_dec_and_test (&rekey->refs))
    return;

  rekey_state_clear (&rekey->state);
  g_mutex_clear (&rekey->lock);
  g_free (rekey);
}

/**
 * bawn_rekey_outcome_clear:
 * @outcome: an outcome
 */
void
bawn_rekey_outcome_clear (BawnRekeyOutcome *outcome)
{
  g_clear_pointer (&outcome->shares, g_ptr_array_unref);
  g_clear_pointer (&outcome->kek, bawn_secret_unref);
}

static gboolean
check_request (const BawnRekeyRequest *request, GError **error)
{
  if (request->backup && request->n_pgp_keys == 0)
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "cannot request a backup of the new keys without providing PGP keys for encryption");
  if (request->n_pgp_keys > 0 && (gint64) request->n_pgp_keys != request->shares)
    return bawn_fail (error, BAWN_ERROR_INVALID, "incorrect number of PGP keys for rekey");
  if (request->n_pgp_keys > 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "PGP encryption of shares is not supported");
  if (!bawn_seal_config_check_shape (request->shares, request->threshold, error))
    {
      g_prefix_error (error, "invalid rekey seal configuration: ");
      return FALSE;
    }

  return TRUE;
}

/**
 * bawn_rekey_begin:
 * @rekey: a rekey
 * @request: what is wished
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Returns: %TRUE if it has begun
 */
gboolean
bawn_rekey_begin (BawnRekey *rekey, const BawnRekeyRequest *request, GError **error)
{
  if (!check_request (request, error))
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);
  if (rekey->state.started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "rekey already in progress");

  rekey->state.started = TRUE;
  rekey->state.require_verification = request->require_verification;
  bawn_seal_config_init (&rekey->state.config, request->shares, request->threshold);
  bawn_quorum_begin (&rekey->state.given);

  return TRUE;
}

static void
fill_status_locked (BawnRekey *rekey, BawnRekeyStatus *out_status)
{
  const RekeyState *state = &rekey->state;

  *out_status = (BawnRekeyStatus){
    .started = state->started,
    .shares = state->config.shares,
    .threshold = state->config.threshold,
    .progress = bawn_quorum_get_progress (&state->given),
    .verification_required = state->require_verification,
    .verification_progress = bawn_quorum_get_progress (&state->proof),
  };
  g_strlcpy (out_status->nonce, state->given.nonce, sizeof out_status->nonce);
  g_strlcpy (out_status->verification_nonce, state->proof.nonce,
             sizeof out_status->verification_nonce);
}

/**
 * bawn_rekey_get_status:
 * @rekey: a rekey
 * @out_status: (out caller-allocates): how far it is; all zero if it has not begun
 */
void
bawn_rekey_get_status (BawnRekey *rekey, BawnRekeyStatus *out_status)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);

  fill_status_locked (rekey, out_status);
}

/**
 * bawn_rekey_cancel:
 * @rekey: a rekey
 *
 * Forgets everything, begun or not. New shares that were handed out open nothing.
 */
void
bawn_rekey_cancel (BawnRekey *rekey)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);

  rekey_state_clear (&rekey->state);
}

/**
 * bawn_rekey_finish:
 * @rekey: a rekey
 *
 * To be called after the commit.
 */
void
bawn_rekey_finish (BawnRekey *rekey)
{
  bawn_rekey_cancel (rekey);
}

static void
fill_outcome_locked (BawnRekey *rekey,
                     const char *nonce,
                     gboolean complete,
                     gboolean commit,
                     BawnRekeyOutcome *out_outcome)
{
  const RekeyState *state = &rekey->state;

  *out_outcome = (BawnRekeyOutcome){
    .complete = complete,
    .verification_required = state->require_verification,
    .commit = commit,
    .config = state->config,
    .kek = commit ? bawn_secret_ref (state->kek) : NULL,
  };
  g_strlcpy (out_outcome->nonce, nonce, sizeof out_outcome->nonce);
  g_strlcpy (out_outcome->verification_nonce, state->proof.nonce,
             sizeof out_outcome->verification_nonce);
}

/* The present shares, all given, must lead to the root key. */
static gboolean
check_quorum_locked (BawnRekey *rekey,
                     const BawnSealRecords *records,
                     BawnSecret *root_key,
                     GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (BawnSecret) kek =
      bawn_quorum_combine (&rekey->state.given, records->config.threshold, &reason);
  g_autoptr (BawnSecret) found =
      kek != NULL ? bawn_seal_records_open_root_key (records, kek, &reason) : NULL;

  if (found != NULL && bawn_secret_equal (found, root_key))
    return TRUE;

  bawn_quorum_restart (&rekey->state.given);
  return bawn_fail (error, BAWN_ERROR_INVALID, "master key verification failed: %s",
                    reason != NULL ? reason->message : "it is the key of another store");
}

static gboolean
may_update_locked (BawnRekey *rekey, BawnSecret *share, const char *nonce, GError **error)
{
  const RekeyState *state = &rekey->state;

  if (!state->started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no barrier rekey in progress");
  if (state->kek != NULL && state->require_verification)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "rekey operation already finished; verification must be performed; nonce for "
                      "the verification "
                      "operation is \"%s\"",
                      state->proof.nonce);
  if (g_strcmp0 (nonce, state->given.nonce) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "incorrect nonce supplied; nonce for this rekey operation is \"%s\"",
                      state->given.nonce);
  if (state->kek != NULL && !bawn_quorum_has (&state->given, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "rekey operation already finished; give the last key again to store it");
  if (state->kek == NULL && bawn_quorum_has (&state->given, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given key has already been provided during this generation operation");

  return TRUE;
}

/**
 * bawn_rekey_update:
 * @rekey: a rekey
 * @records: as stored now
 * @root_key: the one in memory
 * @share: one of the present shares
 * @nonce: that of the rekey
 * @out_outcome: (out caller-allocates): what follows; %BAWN_REKEY_OUTCOME_INIT before
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Takes one of the present shares. Wrong shares show when there are enough, and all must be given
 * again then.
 *
 * Returns: %TRUE if it was taken
 */
gboolean
bawn_rekey_update (BawnRekey *rekey,
                   const BawnSealRecords *records,
                   BawnSecret *root_key,
                   BawnSecret *share,
                   const char *nonce,
                   BawnRekeyOutcome *out_outcome,
                   GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);
  RekeyState *state = &rekey->state;

  if (!may_update_locked (rekey, share, nonce, error))
    return FALSE;

  if (state->kek == NULL)
    {
      bawn_quorum_add (&state->given, share);
      if (bawn_quorum_get_progress (&state->given) < records->config.threshold)
        {
          fill_outcome_locked (rekey, nonce, FALSE, FALSE, out_outcome);
          return TRUE;
        }
      if (!check_quorum_locked (rekey, records, root_key, error)
          || !bawn_share_make (state->config.shares, state->config.threshold, &state->kek,
                               &state->shares, error))
        return FALSE;
      if (state->require_verification)
        {
          bawn_quorum_restart (&state->given);
          bawn_quorum_begin (&state->proof);
        }
    }

  fill_outcome_locked (rekey, nonce, TRUE, !state->require_verification, out_outcome);
  out_outcome->shares = g_ptr_array_ref (state->shares);
  if (state->require_verification)
    g_clear_pointer (&state->shares, g_ptr_array_unref);

  return TRUE;
}

/**
 * bawn_rekey_get_verify_status:
 * @rekey: a rekey
 * @out_status: (out caller-allocates): how far it is
 * @error: (out) (optional): INVALID if no rekey goes on
 *
 * Returns: %TRUE if one does
 */
gboolean
bawn_rekey_get_verify_status (BawnRekey *rekey, BawnRekeyStatus *out_status, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);

  if (!rekey->state.started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no rekey configuration found");

  fill_status_locked (rekey, out_status);
  return TRUE;
}

static gboolean
may_verify_locked (BawnRekey *rekey, BawnSecret *share, const char *nonce, GError **error)
{
  const RekeyState *state = &rekey->state;

  if (!state->started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no rekey configuration found");
  if (!state->require_verification || state->kek == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no rekey verification in progress");
  if (g_strcmp0 (nonce, state->proof.nonce) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "incorrect nonce supplied; nonce for this verify operation is \"%s\"",
                      state->proof.nonce);
  if (state->proven && !bawn_quorum_has (&state->proof, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "rekey operation already finished; give the last key again to store it");
  if (!state->proven && bawn_quorum_has (&state->proof, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given key has already been provided during this verify operation");

  return TRUE;
}

/* The new shares, given back, must lead to the new key. If not they are to be given again, under
 * another nonce. */
static gboolean
check_proof_locked (BawnRekey *rekey, GError **error)
{
  RekeyState *state = &rekey->state;
  g_autoptr (BawnSecret) kek = bawn_quorum_combine (&state->proof, state->config.threshold, NULL);

  if (kek != NULL && bawn_secret_equal (kek, state->kek))
    return TRUE;

  bawn_quorum_begin (&state->proof);
  return bawn_fail (error, BAWN_ERROR_INVALID,
                    "rekey verification failed; incorrect key shares supplied");
}

/**
 * bawn_rekey_verify:
 * @rekey: a rekey whose new shares were handed out
 * @share: one of the new shares
 * @nonce: that of the verification
 * @out_outcome: (out caller-allocates): what follows; %BAWN_REKEY_OUTCOME_INIT before
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Returns: %TRUE if it was taken
 */
gboolean
bawn_rekey_verify (BawnRekey *rekey,
                   BawnSecret *share,
                   const char *nonce,
                   BawnRekeyOutcome *out_outcome,
                   GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);
  RekeyState *state = &rekey->state;

  if (!may_verify_locked (rekey, share, nonce, error))
    return FALSE;

  if (!state->proven)
    {
      bawn_quorum_add (&state->proof, share);
      if (bawn_quorum_get_progress (&state->proof) < state->config.threshold)
        {
          fill_outcome_locked (rekey, nonce, FALSE, FALSE, out_outcome);
          return TRUE;
        }
      if (!check_proof_locked (rekey, error))
        return FALSE;
      state->proven = TRUE;
    }

  fill_outcome_locked (rekey, nonce, TRUE, TRUE, out_outcome);
  return TRUE;
}

/**
 * bawn_rekey_restart_verification:
 * @rekey: a rekey
 * @error: (out) (optional): INVALID if no rekey goes on
 *
 * Forgets which of the new shares were given back, and takes another nonce.
 *
 * Returns: %TRUE if a rekey goes on
 */
gboolean
bawn_rekey_restart_verification (BawnRekey *rekey, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&rekey->lock);
  RekeyState *state = &rekey->state;

  if (!state->started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no rekey configuration found");

  if (state->kek != NULL && state->require_verification)
    {
      state->proven = FALSE;
      bawn_quorum_begin (&state->proof);
    }

  return TRUE;
}
