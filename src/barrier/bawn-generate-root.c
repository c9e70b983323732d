/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-generate-root.h"

#include "barrier/bawn-quorum.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

/**
 * AttemptState:
 * @started: everything else is empty if not
 * @otp: what the token will be hidden with
 * @given: the shares
 * @complete: there were enough, and they were right
 *
 * All that an attempt knows; plain, so that it can be kept elsewhere.
 */
typedef struct
{
  gboolean started;
  BawnSecret *otp;
  BawnQuorum given;
  gboolean complete;
} AttemptState;

struct _BawnGenerateRoot
{
  gint refs;
  guint otp_length;
  GMutex lock;
  AttemptState state;
};

static void
attempt_state_clear (AttemptState *state)
{
  g_clear_pointer (&state->otp, bawn_secret_unref);
  bawn_quorum_clear (&state->given);
  *state = (AttemptState){ .started = FALSE };
}

/**
 * bawn_generate_root_new:
 * @otp_length: length of a root token in bytes, its prefix included
 *
 * Returns: (transfer full): an attempt that has not begun
 */
BawnGenerateRoot *
bawn_generate_root_new (guint otp_length)
{
  BawnGenerateRoot *attempt = g_new0 (BawnGenerateRoot, 1);

  attempt->refs = 1;
  attempt->otp_length = otp_length;
  g_mutex_init (&attempt->lock);

  return attempt;
}

/**
 * bawn_generate_root_ref:
 * @attempt: an attempt
 *
 * Returns: (transfer full): @attempt
 */
BawnGenerateRoot *
bawn_generate_root_ref (BawnGenerateRoot *attempt)
{
  g_return_val_if_fail (attempt != NULL, NULL);

  g_atomic_int_inc (&attempt->refs);

  return attempt;
}

/**
 * bawn_generate_root_unref:
 * @attempt: (transfer full): an attempt
 */
void
bawn_generate_root_unref (BawnGenerateRoot *attempt)
{
  g_return_if_fail (attempt != NULL);

  if (!g_atomic_int_dec_and_test (&attempt->refs))
    return;

  attempt_state_clear (&attempt->state);
  g_mutex_clear (&attempt->lock);
  g_free (attempt);
}

/**
 * bawn_generate_root_begin:
 * @attempt: an attempt
 * @otp: (nullable): as many bytes as a token has; %NULL or "" to have one made
 * @pgp_key: (nullable): refused unless %NULL or ""
 * @out_otp: (out) (nullable): the one that was made, to be shown once; free with
 * bawn_string_wipe_free()
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Returns: %TRUE if the attempt has begun
 */
gboolean
bawn_generate_root_begin (
    BawnGenerateRoot *attempt, const char *otp, const char *pgp_key, char **out_otp, GError **error)
{
  gboolean given = otp != NULL && *otp != '\0';

  if (pgp_key != NULL && *pgp_key != '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "PGP encryption of the root token is not supported");
  if (given && strlen (otp) != attempt->otp_length)
    return bawn_fail (error, BAWN_ERROR_INVALID, "OTP string is wrong length");

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&attempt->lock);
  AttemptState *state = &attempt->state;
  if (state->started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "root generation already in progress");

  g_autoptr (BawnWipedString) made = given ? NULL : bawn_random_base62 (attempt->otp_length);
  state->started = TRUE;
  state->otp = bawn_secret_new_copy (given ? otp : made, attempt->otp_length);
  bawn_quorum_begin (&state->given);
  *out_otp = g_steal_pointer (&made);

  return TRUE;
}

/**
 * bawn_generate_root_get_status:
 * @attempt: an attempt
 * @out_status: (out caller-allocates): how far it is
 */
void
bawn_generate_root_get_status (BawnGenerateRoot *attempt, BawnGenerateRootStatus *out_status)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&attempt->lock);

  *out_status = (BawnGenerateRootStatus){
    .started = attempt->state.started,
    .progress = bawn_quorum_get_progress (&attempt->state.given),
    .otp_length = attempt->otp_length,
  };
  g_strlcpy (out_status->nonce, attempt->state.given.nonce, sizeof out_status->nonce);
}

/**
 * bawn_generate_root_cancel:
 * @attempt: an attempt
 *
 * Forgets everything, begun or not.
 */
void
bawn_generate_root_cancel (BawnGenerateRoot *attempt)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&attempt->lock);

  attempt_state_clear (&attempt->state);
}

/**
 * bawn_generate_root_finish:
 * @attempt: an attempt
 *
 * To be called after the commit of the token.
 */
void
bawn_generate_root_finish (BawnGenerateRoot *attempt)
{
  bawn_generate_root_cancel (attempt);
}

static gboolean
may_update_locked (BawnGenerateRoot *attempt, BawnSecret *share, const char *nonce, GError **error)
{
  const AttemptState *state = &attempt->state;

  if (!state->started)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no root generation in progress");
  if (g_strcmp0 (nonce, state->given.nonce) != 0)
    return bawn_fail (
        error, BAWN_ERROR_INVALID,
        "incorrect nonce supplied; nonce for this root generation operation is \"%s\"",
        state->given.nonce);
  if (state->complete && !bawn_quorum_has (&state->given, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "root generation already finished; give the last key again");
  if (!state->complete && bawn_quorum_has (&state->given, share))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given key has already been provided during this generation operation");

  return TRUE;
}

static gboolean
check_quorum_locked (BawnGenerateRoot *attempt,
                     const BawnSealRecords *records,
                     BawnSecret *root_key,
                     GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (BawnSecret) kek =
      bawn_quorum_combine (&attempt->state.given, records->config.threshold, &reason);
  g_autoptr (BawnSecret) found =
      kek != NULL ? bawn_seal_records_open_root_key (records, kek, &reason) : NULL;

  if (found != NULL && bawn_secret_equal (found, root_key))
    return TRUE;

  bawn_quorum_restart (&attempt->state.given);
  return bawn_fail (error, BAWN_ERROR_INVALID,
                    "root generation aborted: master key verification failed: %s",
                    reason != NULL ? reason->message : "it is the key of another store");
}

/**
 * bawn_generate_root_update:
 * @attempt: an attempt
 * @records: as stored now
 * @root_key: the one in memory
 * @share: one of the present shares
 * @nonce: that of the attempt
 * @out_complete: (out): whether a token is to be made now
 * @error: (out) (optional): INVALID in the words of the API
 *
 * Takes one share. Wrong shares show when there are enough, and all must be given again then.
 *
 * Returns: %TRUE if it was taken
 */
gboolean
bawn_generate_root_update (BawnGenerateRoot *attempt,
                           const BawnSealRecords *records,
                           BawnSecret *root_key,
                           BawnSecret *share,
                           const char *nonce,
                           gboolean *out_complete,
                           GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&attempt->lock);
  AttemptState *state = &attempt->state;

  if (!may_update_locked (attempt, share, nonce, error))
    return FALSE;

  if (!state->complete)
    {
      bawn_quorum_add (&state->given, share);
      if (bawn_quorum_get_progress (&state->given) < records->config.threshold)
        {
          *out_complete = FALSE;
          return TRUE;
        }
      if (!check_quorum_locked (attempt, records, root_key, error))
        return FALSE;
      state->complete = TRUE;
    }

  *out_complete = TRUE;
  return TRUE;
}

/**
 * bawn_generate_root_encode:
 * @attempt: an attempt that is complete
 * @token: a root token
 * @error: (out) (optional): INTERNAL if the token is not as long as the otp
 *
 * Returns: (transfer full) (nullable): the token, readable only with the otp
 */
char *
bawn_generate_root_encode (BawnGenerateRoot *attempt, const char *token, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&attempt->lock);
  const AttemptState *state = &attempt->state;

  if (!state->complete)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "no root generation in progress");
  if (strlen (token) != bawn_secret_size (state->otp))
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "a root token is not as long as the OTP");

  gsize size = strlen (token);
  guint8 *mixed = NULL;
  g_autoptr (BawnSecret) hidden = bawn_secret_new (size, &mixed);
  for (gsize i = 0; i < size; i++)
    mixed[i] = (guint8) token[i] ^ bawn_secret_data (state->otp)[i];

  return bawn_base64_encode (mixed, size, FALSE, FALSE);
}
