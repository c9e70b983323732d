/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include "util/bawn-error.h"

#include <crypt.h>
#include <errno.h>
#include <string.h>

/* bcrypt looks at no more than this; a longer password would be cut in silence. */
#define PASSWORD_MAX 72

/* The hash of nobody's password, at BAWN_PASSWORD_COST: what is worked on where there is no user.
 */
#define NOBODYS_HASH "$2b$10$......................eO2CR1YwRUCIpMZ0oS3m0Oy3bWcTvku"

typedef char CryptScratch;

static void
crypt_scratch_free (CryptScratch *scratch)
{
  explicit_bzero (scratch, sizeof (struct crypt_data));
  g_free (scratch);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CryptScratch, crypt_scratch_free)

/* 32 KiB, too much for the stack of a worker, and it holds the password. */
static CryptScratch *
crypt_scratch_new (void)
{
  return g_malloc0 (sizeof (struct crypt_data));
}

static gboolean
is_bcrypt (const char *hash)
{
  return g_str_has_prefix (hash, "$2a$") || g_str_has_prefix (hash, "$2b$")
         || g_str_has_prefix (hash, "$2y$");
}

/**
 * bawn_password_hash:
 * @password: at most 72 bytes, for bcrypt sees no more
 * @error: (out) (optional): where to put the error
 *
 * bcrypt ("$2b$") at %BAWN_PASSWORD_COST with a random salt. Takes about 50 ms: for worker threads.
 *
 * Returns: (transfer full) (nullable): the hash
 */
char *
bawn_password_hash (const char *password, GError **error)
{
  if (strlen (password) > PASSWORD_MAX)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "password length exceeds %d bytes",
                           PASSWORD_MAX);

  char salt[16] = "";
  char setting[CRYPT_GENSALT_OUTPUT_SIZE] = "";
  bawn_random_bytes (salt, sizeof salt);
  if (crypt_gensalt_rn ("$2b$", BAWN_PASSWORD_COST, salt, sizeof salt, setting, sizeof setting)
      == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "bcrypt cannot be had: %s",
                           g_strerror (errno));

  g_autoptr (CryptScratch) scratch = crypt_scratch_new ();
  const char *hash = crypt_r (password, setting, (struct crypt_data *) (gpointer) scratch);
  if (hash == NULL || !is_bcrypt (hash))
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "bcrypt cannot be had: %s",
                           g_strerror (errno));

  return g_strdup (hash);
}

/**
 * bawn_password_verify:
 * @password: what somebody claims
 * @hash: (nullable): a bcrypt hash; %NULL does the same work for nothing
 *
 * Does the work for a wrong password, a user that does not exist and a hash it cannot read alike.
 * Takes about 50 ms: for worker threads.
 *
 * Returns: %TRUE if @hash is one of @password
 */
gboolean
bawn_password_verify (const char *password, const char *hash)
{
  gboolean usable = hash != NULL && is_bcrypt (hash) && strlen (password) <= PASSWORD_MAX;
  const char *setting = usable ? hash : NOBODYS_HASH;

  g_autoptr (CryptScratch) scratch = crypt_scratch_new ();
  const char *result = crypt_r (password, setting, (struct crypt_data *) (gpointer) scratch);
  g_warn_if_fail (usable || (result != NULL && is_bcrypt (result)));
  if (result == NULL || !usable || strlen (result) != strlen (hash))
    return FALSE;

  return bawn_constant_equal (result, hash, strlen (hash));
}
