/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-entry.h"

#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

#define TERM_OFFSET 1
#define NONCE_OFFSET (TERM_OFFSET + 4)
/* Longer than any path that a storage takes (1024), so that this never allocates in practice. */
#define AAD_ON_STACK 1100

static void
write_header (guint8 *box, guint32 term, const guint8 nonce[BAWN_NONCE_SIZE])
{
  guint32 big_endian = GUINT32_TO_BE (term);

  box[0] = BAWN_ENTRY_FORMAT;
  memcpy (box + TERM_OFFSET, &big_endian, sizeof big_endian);
  memcpy (box + NONCE_OFFSET, nonce, BAWN_NONCE_SIZE);
}

/* Format and term, then the path. Returns what to free, if anything. */
static guint8 *
make_aad (const guint8 *box, const char *path, guint8 on_stack[AAD_ON_STACK], gsize *out_size)
{
  gsize path_size = strlen (path);
  gsize size = NONCE_OFFSET + path_size;
  guint8 *allocated = size > AAD_ON_STACK ? g_malloc (size) : NULL;
  guint8 *aad = allocated != NULL ? allocated : on_stack;

  memcpy (aad, box, NONCE_OFFSET);
  memcpy (aad + NONCE_OFFSET, path, path_size);
  *out_size = size;

  return allocated;
}

static void
seal_into (BawnAead *aead,
           guint32 term,
           const char *path,
           gconstpointer plain,
           gsize size,
           const guint8 nonce[BAWN_NONCE_SIZE],
           guint8 *box)
{
  guint8 on_stack[AAD_ON_STACK];
  gsize aad_size = 0;

  write_header (box, term, nonce);
  g_autofree guint8 *allocated = make_aad (box, path, on_stack, &aad_size);
  bawn_aead_seal (aead, nonce, allocated != NULL ? allocated : on_stack, aad_size, plain, size,
                  box + BAWN_ENTRY_HEADER_SIZE);
}

/* @box has been looked at by bawn_entry_peek_term(). */
static gboolean
open_into (BawnAead *aead,
           const char *path,
           const guint8 *box,
           gsize size,
           guint8 *out_plain,
           GError **error)
{
  guint8 on_stack[AAD_ON_STACK];
  gsize aad_size = 0;
  g_autofree guint8 *allocated = make_aad (box, path, on_stack, &aad_size);

  if (!bawn_aead_open (aead, box + NONCE_OFFSET, allocated != NULL ? allocated : on_stack, aad_size,
                       box + BAWN_ENTRY_HEADER_SIZE, size - BAWN_ENTRY_HEADER_SIZE, out_plain))
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” does not authenticate", path);

  return TRUE;
}

/**
 * bawn_entry_peek_term:
 * @path: where the entry is stored
 * @box: the entry
 * @out_term: (out): the term it says it was sealed in
 * @error: (out) (optional): CORRUPT if it is too short or of an unknown format
 *
 * Looks at the head of an entry. What it says is not authenticated until the entry is opened.
 *
 * Returns: %TRUE if the entry may be opened with that term's key
 */
gboolean
bawn_entry_peek_term (const char *path, GBytes *box, guint32 *out_term, GError **error)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (box, &size);

  if (size < BAWN_ENTRY_OVERHEAD)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is truncated", path);
  if (data[0] != BAWN_ENTRY_FORMAT)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "the entry at “%s” is of an unknown format", path);

  guint32 big_endian = 0;
  memcpy (&big_endian, data + TERM_OFFSET, sizeof big_endian);
  *out_term = GUINT32_FROM_BE (big_endian);

  return TRUE;
}

/**
 * bawn_entry_seal:
 * @aead: the key of @term
 * @term: its number
 * @path: where the entry is going to be stored
 * @plain: what to seal
 *
 * Returns: (transfer full): the entry, with a random nonce
 */
GBytes *
bawn_entry_seal (BawnAead *aead, guint32 term, const char *path, GBytes *plain)
{
  guint8 nonce[BAWN_NONCE_SIZE];

  bawn_random_nonce (nonce);

  return bawn_entry_seal_with_nonce (aead, term, path, plain, nonce);
}

/**
 * bawn_entry_seal_with_nonce:
 * @aead: the key of @term
 * @term: its number
 * @path: where the entry is going to be stored
 * @plain: what to seal
 * @nonce: never used before with this key
 *
 * bawn_entry_seal() for known-answer tests.
 *
 * Returns: (transfer full): the entry
 */
GBytes *
bawn_entry_seal_with_nonce (BawnAead *aead,
                            guint32 term,
                            const char *path,
                            GBytes *plain,
                            const guint8 nonce[BAWN_NONCE_SIZE])
{
  gsize size = 0;
  gconstpointer data = g_bytes_get_data (plain, &size);
  guint8 *box = g_malloc (size + BAWN_ENTRY_OVERHEAD);

  seal_into (aead, term, path, data, size, nonce, box);

  return g_bytes_new_take (box, size + BAWN_ENTRY_OVERHEAD);
}

/**
 * bawn_entry_open:
 * @aead: the key of the term that bawn_entry_peek_term() found
 * @path: where the entry is stored
 * @box: the entry
 * @error: (out) (optional): CORRUPT, telling apart truncated, unknown format and not authentic
 *
 * Returns: (transfer full) (nullable): what was sealed, in wiping memory
 */
GBytes *
bawn_entry_open (BawnAead *aead, const char *path, GBytes *box, GError **error)
{
  guint32 term = 0;
  if (!bawn_entry_peek_term (path, box, &term, error))
    return NULL;

  gsize size = 0;
  const guint8 *data = g_bytes_get_data (box, &size);
  guint8 *plain = NULL;
  g_autoptr (GBytes) bytes = bawn_bytes_alloc (size - BAWN_ENTRY_OVERHEAD, &plain);
  if (!open_into (aead, path, data, size, plain, error))
    return NULL;

  return g_steal_pointer (&bytes);
}

/**
 * bawn_entry_seal_secret:
 * @key: a key outside of the keyring
 * @path: where the entry is going to be stored
 * @plain: what to seal
 *
 * Returns: (transfer full): the entry, of term %BAWN_ENTRY_TERM_NONE
 */
GBytes *
bawn_entry_seal_secret (BawnSecret *key, const char *path, BawnSecret *plain)
{
  g_autoptr (BawnAead) aead = bawn_aead_new (key);
  guint8 nonce[BAWN_NONCE_SIZE];
  gsize size = bawn_secret_size (plain);
  guint8 *box = g_malloc (size + BAWN_ENTRY_OVERHEAD);

  bawn_random_nonce (nonce);
  seal_into (aead, BAWN_ENTRY_TERM_NONE, path, bawn_secret_data (plain), size, nonce, box);

  return g_bytes_new_take (box, size + BAWN_ENTRY_OVERHEAD);
}

/**
 * bawn_entry_open_secret:
 * @key: a key outside of the keyring
 * @path: where the entry is stored
 * @box: the entry
 * @error: (out) (optional): CORRUPT; an entry that does not authenticate may as well mean a wrong
 * key
 *
 * Returns: (transfer full) (nullable): what was sealed
 */
BawnSecret *
bawn_entry_open_secret (BawnSecret *key, const char *path, GBytes *box, GError **error)
{
  guint32 term = 0;
  if (!bawn_entry_peek_term (path, box, &term, error))
    return NULL;

  gsize size = 0;
  const guint8 *data = g_bytes_get_data (box, &size);
  guint8 *plain = NULL;
  g_autoptr (BawnAead) aead = bawn_aead_new (key);
  g_autoptr (BawnSecret) secret = bawn_secret_try_new (size - BAWN_ENTRY_OVERHEAD, &plain, error);
  if (secret == NULL || !open_into (aead, path, data, size, plain, error))
    return NULL;

  return g_steal_pointer (&secret);
}
