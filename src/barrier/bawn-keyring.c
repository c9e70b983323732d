/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "barrier/bawn-keyring.h"

#include "util/bawn-error.h"

#include <string.h>

/*
 * As serialised, numbers big-endian:
 *
 *     format 1 byte | number of terms 4 bytes | for each: number 4, install time 8, encryptions 8,
 * key 32
 *
 * The terms come in ascending order, and the last is the active one.
 */
#define FORMAT 1
#define HEAD_SIZE 5
#define TERM_SIZE (4 + 8 + 8 + BAWN_KEY_SIZE)

struct _BawnKeyring
{
  gint refs;
  BawnSecret *root_key;
  guint n_terms;
  BawnTerm terms[];
};

static BawnKeyring *
keyring_alloc (BawnSecret *root_key, guint n_terms)
{
  BawnKeyring *keyring = g_malloc0 (sizeof (BawnKeyring) + n_terms * sizeof (BawnTerm));

  keyring->refs = 1;
  keyring->root_key = bawn_secret_ref (root_key);
  keyring->n_terms = n_terms;

  return keyring;
}

static void
copy_terms (BawnKeyring *to, const BawnKeyring *from)
{
  for (guint i = 0; i < from->n_terms; i++)
    {
      to->terms[i] = from->terms[i];
      bawn_secret_ref (to->terms[i].key);
    }
}

/**
 * bawn_keyring_new:
 * @now_us: the time, in microseconds since 1970
 *
 * Returns: (transfer full): a keyring with a random root key and term 1
 */
BawnKeyring *
bawn_keyring_new (gint64 now_us)
{
  g_autoptr (BawnSecret) root_key = bawn_secret_new_random (BAWN_KEY_SIZE);
  BawnKeyring *keyring = keyring_alloc (root_key, 1);

  keyring->terms[0] = (BawnTerm){
    .number = 1,
    .key = bawn_secret_new_random (BAWN_KEY_SIZE),
    .install_us = now_us,
  };

  return keyring;
}

/**
 * bawn_keyring_rotate:
 * @keyring: a keyring
 * @now_us: the time, in microseconds since 1970
 * @error: (out) (optional): LIMITED if it has %BAWN_KEYRING_MAX_TERMS
 *
 * Returns: (transfer full) (nullable): the same with one more term, which is the active one
 */
BawnKeyring *
bawn_keyring_rotate (BawnKeyring *keyring, gint64 now_us, GError **error)
{
  if (keyring->n_terms >= BAWN_KEYRING_MAX_TERMS)
    return bawn_fail_null (error, BAWN_ERROR_LIMITED, "the keyring is full: it has %u terms",
                           keyring->n_terms);

  BawnKeyring *rotated = keyring_alloc (keyring->root_key, keyring->n_terms + 1);
  copy_terms (rotated, keyring);
  rotated->terms[keyring->n_terms] = (BawnTerm){
    .number = bawn_keyring_get_active (keyring)->number + 1,
    .key = bawn_secret_new_random (BAWN_KEY_SIZE),
    .install_us = now_us,
  };

  return rotated;
}

/**
 * bawn_keyring_with_encryptions:
 * @keyring: a keyring
 * @number: of one of its terms
 * @encryptions: how often that was used
 *
 * Returns: (transfer full): the same with that count
 */
BawnKeyring *
bawn_keyring_with_encryptions (BawnKeyring *keyring, guint32 number, guint64 encryptions)
{
  BawnKeyring *changed = keyring_alloc (keyring->root_key, keyring->n_terms);

  copy_terms (changed, keyring);
  for (guint i = 0; i < changed->n_terms; i++)
    if (changed->terms[i].number == number)
      changed->terms[i].encryptions = encryptions;

  return changed;
}

/**
 * bawn_keyring_ref:
 * @keyring: a keyring
 *
 * Returns: (transfer full): @keyring
 */
BawnKeyring *
bawn_keyring_ref (BawnKeyring *keyring)
{
  g_return_val_if_fail (keyring != NULL, NULL);

  g_atomic_int_inc (&keyring->refs);

  return keyring;
}

/**
 * bawn_keyring_unref:
 * @keyring: (transfer full): a keyring
 */
void
bawn_keyring_unref (BawnKeyring *keyring)
{
  g_return_if_fail (keyring != NULL);

  if (!g_atomic_int_dec_and_test (&keyring->refs))
    return;

  for (guint i = 0; i < keyring->n_terms; i++)
    g_clear_pointer (&keyring->terms[i].key, bawn_secret_unref);
  bawn_secret_unref (keyring->root_key);
  g_free (keyring);
}

/**
 * bawn_keyring_get_active:
 * @keyring: a keyring
 *
 * Returns: (transfer none): the term that new entries are sealed in
 */
const BawnTerm *
bawn_keyring_get_active (const BawnKeyring *keyring)
{
  return &keyring->terms[keyring->n_terms - 1];
}

/**
 * bawn_keyring_lookup:
 * @keyring: a keyring
 * @number: of a term
 *
 * Returns: (transfer none) (nullable): the term; %NULL if it has none of that number
 */
const BawnTerm *
bawn_keyring_lookup (const BawnKeyring *keyring, guint32 number)
{
  guint low = 0;
  guint high = keyring->n_terms;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      if (keyring->terms[middle].number == number)
        return &keyring->terms[middle];
      if (keyring->terms[middle].number < number)
        low = middle + 1;
      else
        high = middle;
    }

  return NULL;
}

/**
 * bawn_keyring_get_n_terms:
 * @keyring: a keyring
 *
 * Returns: how many terms it has, at least one
 */
guint
bawn_keyring_get_n_terms (const BawnKeyring *keyring)
{
  return keyring->n_terms;
}

/**
 * bawn_keyring_get_term:
 * @keyring: a keyring
 * @index: less than bawn_keyring_get_n_terms()
 *
 * Returns: (transfer none): one term; they ascend
 */
const BawnTerm *
bawn_keyring_get_term (const BawnKeyring *keyring, guint index)
{
  g_return_val_if_fail (index < keyring->n_terms, NULL);

  return &keyring->terms[index];
}

/**
 * bawn_keyring_get_root_key:
 * @keyring: a keyring
 *
 * Returns: (transfer none): the key that it is stored under
 */
BawnSecret *
bawn_keyring_get_root_key (const BawnKeyring *keyring)
{
  return keyring->root_key;
}

/**
 * bawn_keyring_extends:
 * @keyring: a keyring
 * @older: maybe one that it came from
 *
 * Returns: %TRUE if nothing that @older opens is lost with @keyring
 */
gboolean
bawn_keyring_extends (const BawnKeyring *keyring, const BawnKeyring *older)
{
  for (guint i = 0; i < older->n_terms; i++)
    {
      const BawnTerm *term = bawn_keyring_lookup (keyring, older->terms[i].number);
      if (term == NULL || !bawn_secret_equal (term->key, older->terms[i].key))
        return FALSE;
    }

  return TRUE;
}

static guint8 *
write_number (guint8 *at, guint64 number, guint size)
{
  for (guint i = 0; i < size; i++)
    at[i] = (guint8) (number >> (8 * (size - 1 - i)));

  return at + size;
}

static const guint8 *
read_number (const guint8 *at, guint size, guint64 *out_number)
{
  guint64 number = 0;

  for (guint i = 0; i < size; i++)
    number = number << 8 | at[i];
  *out_number = number;

  return at + size;
}

/**
 * bawn_keyring_serialise:
 * @keyring: a keyring
 *
 * Returns: (transfer full): its terms in the form described at the top of this file
 */
BawnSecret *
bawn_keyring_serialise (const BawnKeyring *keyring)
{
  guint8 *at = NULL;
  BawnSecret *serialised = bawn_secret_new (HEAD_SIZE + keyring->n_terms * TERM_SIZE, &at);

  at = write_number (at, FORMAT, 1);
  at = write_number (at, keyring->n_terms, 4);
  for (guint i = 0; i < keyring->n_terms; i++)
    {
      const BawnTerm *term = &keyring->terms[i];
      at = write_number (at, term->number, 4);
      at = write_number (at, (guint64) term->install_us, 8);
      at = write_number (at, term->encryptions, 8);
      memcpy (at, bawn_secret_data (term->key), BAWN_KEY_SIZE);
      at += BAWN_KEY_SIZE;
    }

  return serialised;
}

static const guint8 *
read_term (const guint8 *at, BawnTerm *out_term, GError **error)
{
  guint64 number = 0;
  guint64 install_us = 0;
  at = read_number (at, 4, &number);
  at = read_number (at, 8, &install_us);
  at = read_number (at, 8, &out_term->encryptions);
  out_term->number = (guint32) number;
  out_term->install_us = (gint64) install_us;

  guint8 *key = NULL;
  out_term->key = bawn_secret_try_new (BAWN_KEY_SIZE, &key, error);
  if (out_term->key == NULL)
    return NULL;
  memcpy (key, at, BAWN_KEY_SIZE);

  return at + BAWN_KEY_SIZE;
}

/**
 * bawn_keyring_parse:
 * @serialised: what bawn_keyring_serialise() gave
 * @root_key: the key that it was stored under
 * @error: (out) (optional): CORRUPT
 *
 * Returns: (transfer full) (nullable): the keyring
 */
BawnKeyring *
bawn_keyring_parse (const BawnSecret *serialised, BawnSecret *root_key, GError **error)
{
  const guint8 *at = bawn_secret_data (serialised);
  gsize size = bawn_secret_size (serialised);
  guint64 format = 0;
  guint64 n_terms = 0;

  if (size < HEAD_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "the keyring is truncated");
  at = read_number (at, 1, &format);
  at = read_number (at, 4, &n_terms);
  if (format != FORMAT)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "the keyring is of an unknown format");
  if (n_terms == 0 || n_terms > BAWN_KEYRING_MAX_TERMS || size != HEAD_SIZE + n_terms * TERM_SIZE)
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "the keyring is of a wrong length");

  g_autoptr (BawnKeyring) keyring = keyring_alloc (root_key, (guint) n_terms);
  guint32 previous = 0;
  for (guint i = 0; i < keyring->n_terms; i++)
    {
      at = read_term (at, &keyring->terms[i], error);
      if (at == NULL)
        return NULL;
      if (keyring->terms[i].number <= previous)
        return bawn_fail_null (error, BAWN_ERROR_CORRUPT,
                               "the terms of the keyring are out of order");
      previous = keyring->terms[i].number;
    }

  return g_steal_pointer (&keyring);
}
