/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-quorum.h"

#include "crypto/bawn-crypto.h"
#include "crypto/bawn-shamir.h"
#include "util/bawn-error.h"

/**
 * bawn_quorum_begin:
 * @quorum: a quorum
 *
 * Starts gathering, under a new nonce.
 */
void
bawn_quorum_begin (BawnQuorum *quorum)
{
  g_autofree char *nonce = bawn_random_uuid ();

  bawn_quorum_clear (quorum);
  quorum->given = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);
  g_strlcpy (quorum->nonce, nonce, sizeof quorum->nonce);
}

/**
 * bawn_quorum_clear:
 * @quorum: a quorum
 *
 * Forgets shares and nonce.
 */
void
bawn_quorum_clear (BawnQuorum *quorum)
{
  g_clear_pointer (&quorum->given, g_ptr_array_unref);
  quorum->nonce[0] = '\0';
}

/**
 * bawn_quorum_restart:
 * @quorum: a quorum
 *
 * Forgets the shares; the nonce stays.
 */
void
bawn_quorum_restart (BawnQuorum *quorum)
{
  if (quorum->given != NULL)
    g_ptr_array_set_size (quorum->given, 0);
}

/**
 * bawn_quorum_get_progress:
 * @quorum: a quorum
 *
 * Returns: how many shares were given
 */
guint
bawn_quorum_get_progress (const BawnQuorum *quorum)
{
  return quorum->given != NULL ? quorum->given->len : 0;
}

/**
 * bawn_quorum_has:
 * @quorum: a quorum
 * @share: a share
 *
 * Returns: %TRUE if that share was given
 */
gboolean
bawn_quorum_has (const BawnQuorum *quorum, const BawnSecret *share)
{
  for (guint i = 0; i < bawn_quorum_get_progress (quorum); i++)
    if (bawn_secret_equal (g_ptr_array_index (quorum->given, i), share))
      return TRUE;

  return FALSE;
}

/**
 * bawn_quorum_add:
 * @quorum: one that has begun
 * @share: one it does not have
 */
void
bawn_quorum_add (BawnQuorum *quorum, BawnSecret *share)
{
  g_return_if_fail (quorum->given != NULL);

  g_ptr_array_add (quorum->given, bawn_secret_ref (share));
}

/**
 * bawn_quorum_combine:
 * @quorum: a quorum with as many shares as are needed
 * @threshold: how many are needed; a single share is the key
 * @error: (out) (optional): INVALID if the shares do not belong together
 *
 * Returns: (transfer full) (nullable): the key, or a wrong one of the right length
 */
BawnSecret *
bawn_quorum_combine (const BawnQuorum *quorum, guint threshold, GError **error)
{
  g_return_val_if_fail (bawn_quorum_get_progress (quorum) > 0, NULL);

  g_autoptr (BawnSecret) key = threshold == 1
                                   ? bawn_secret_ref (g_ptr_array_index (quorum->given, 0))
                                   : bawn_shamir_combine (quorum->given, error);
  if (key == NULL)
    return NULL;
  if (bawn_secret_size (key) != BAWN_KEY_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "shares are of a wrong length");

  return g_steal_pointer (&key);
}
