/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-secret.h"

#include "crypto/bawn-arena.h"
#include "crypto/bawn-crypto.h"

#include <string.h>

struct _BawnSecret
{
  gint refs;
  gsize size;
  guint8 *data;
  BawnArenaChunk *chunk;
};

/**
 * bawn_secret_arena_open:
 * @require_lock: %FALSE for `disable-mlock`
 * @error: (out) (optional): where to put the error
 *
 * Says whether key material may ever be in memory that is not locked, and tries to lock some. To be called
 * once at start, before the first secret.
 *
 * With @require_lock, running out of lockable memory later makes bawn_secret_try_new() fail and bawn_secret_new()
 * end the process: keys are never put elsewhere in silence. Without it, further secrets get memory that
 * is guarded, wiped and kept out of dumps and children, but not locked.
 *
 * Returns: %FALSE with words for an operator (the limit, its value, what to do) if too little can be locked
 */
gboolean
bawn_secret_arena_open (gboolean require_lock, GError **error)
{
  return bawn_arena_open (require_lock, error);
}

/**
 * bawn_secret_get_usage:
 * @out_locked: (out): bytes of locked pages held
 * @out_unlocked: (out): bytes of pages held that could not be locked
 *
 * What key material takes now, in whole pages, for start-up messages and metrics.
 */
void
bawn_secret_get_usage (gsize *out_locked, gsize *out_unlocked)
{
  bawn_arena_get_usage (out_locked, out_unlocked);
}

/**
 * bawn_secret_try_new:
 * @size: how many bytes; 0 is allowed
 * @out_data: (out) (optional): where to write them, before anybody else gets to see the secret
 * @error: (out) (optional): where to put the error
 *
 * bawn_secret_new() for sizes and numbers that depend on what clients do.
 *
 * Returns: (transfer full) (nullable): zeroed memory; %NULL with LIMITED if there is none of the required kind
 */
BawnSecret *
bawn_secret_try_new (gsize size, guint8 **out_data, GError **error)
{
  BawnArenaChunk *chunk = NULL;
  guint8 *data = bawn_arena_alloc (size, &chunk, error);

  if (data == NULL)
    return NULL;

  BawnSecret *secret = g_new (BawnSecret, 1);
  secret->refs = 1;
  secret->size = size;
  secret->data = data;
  secret->chunk = chunk;
  if (out_data != NULL)
    *out_data = data;

  return secret;
}

/**
 * bawn_secret_new:
 * @size: how many bytes; 0 is allowed
 * @out_data: (out) (optional): where to write them, before anybody else gets to see the secret
 *
 * Like g_malloc(), ends the process if there is no memory of the required kind; see bawn_secret_arena_open().
 *
 * Returns: (transfer full): zeroed memory
 */
BawnSecret *
bawn_secret_new (gsize size, guint8 **out_data)
{
  g_autoptr(GError) error = NULL;
  BawnSecret *secret = bawn_secret_try_new (size, out_data, &error);

  if (secret == NULL)
    g_error ("%s", error->message);

  return secret;
}

/**
 * bawn_secret_new_copy:
 * @data: (array length=size) (nullable): bytes; wiping them where they come from is the caller's business
 * @size: how many
 *
 * Returns: (transfer full): a copy of them
 */
BawnSecret *
bawn_secret_new_copy (gconstpointer data, gsize size)
{
  guint8 *copy = NULL;
  BawnSecret *secret = bawn_secret_new (size, &copy);

  if (size > 0)
    memcpy (copy, data, size);

  return secret;
}

/**
 * bawn_secret_new_random:
 * @size: how many bytes
 *
 * Returns: (transfer full): random bytes
 */
BawnSecret *
bawn_secret_new_random (gsize size)
{
  guint8 *data = NULL;
  BawnSecret *secret = bawn_secret_new (size, &data);

  bawn_random_bytes (data, size);

  return secret;
}

/**
 * bawn_secret_ref:
 * @secret: a secret
 *
 * Returns: (transfer full): @secret
 */
BawnSecret *
bawn_secret_ref (BawnSecret *secret)
{
  g_return_val_if_fail (secret != NULL, NULL);

  g_atomic_int_inc (&secret->refs);

  return secret;
}

/**
 * bawn_secret_unref:
 * @secret: (transfer full): a secret
 *
 * The last owner's call wipes the bytes.
 */
void
bawn_secret_unref (BawnSecret *secret)
{
  g_return_if_fail (secret != NULL);

  if (!g_atomic_int_dec_and_test (&secret->refs))
    return;

  bawn_arena_free (secret->chunk, secret->data, secret->size);
  g_free (secret);
}

/**
 * bawn_secret_data:
 * @secret: a secret
 *
 * Returns: (transfer none): its bytes, to be read only; small ones are aligned to 16
 */
const guint8 *
bawn_secret_data (const BawnSecret *secret)
{
  g_return_val_if_fail (secret != NULL, NULL);

  return secret->data;
}

/**
 * bawn_secret_size:
 * @secret: a secret
 *
 * Returns: how many bytes it has
 */
gsize
bawn_secret_size (const BawnSecret *secret)
{
  g_return_val_if_fail (secret != NULL, 0);

  return secret->size;
}

/**
 * bawn_secret_equal:
 * @a: a secret
 * @b: another
 *
 * Compares in a time that depends on nothing but the sizes.
 *
 * Returns: %TRUE if they hold the same bytes
 */
gboolean
bawn_secret_equal (const BawnSecret *a, const BawnSecret *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  return a->size == b->size && bawn_constant_equal (a->data, b->data, a->size);
}
