/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-crypto.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

/* A GnuTLS handle carries the state of the message it works on, and so serves one thread at a time. Idle handles
 * wait in slots, a cache line each; a thread starts looking at a slot of its own. As many slots as threads that
 * may be busy at once on a usual machine; more threads work too, and then pay for making a handle. */
#define N_SLOTS 16
#define CACHE_LINE 64

typedef union
{
  gpointer handle; /* gnutls_aead_cipher_hd_t; NULL: taken, or not made yet */
  guint8 padding[CACHE_LINE];
} HandleSlot;

struct _BawnAead
{
  gint refs;
  BawnSecret *key;
  HandleSlot slots[N_SLOTS];
};

static guint
own_slot (void)
{
  static gint n_threads;
  static __thread guint slot;

  if (slot == 0)
    slot = 1 + (guint) g_atomic_int_add (&n_threads, 1) % N_SLOTS;

  return slot - 1;
}

static gnutls_aead_cipher_hd_t
handle_new (BawnSecret *key)
{
  gnutls_datum_t datum = { (unsigned char *) bawn_secret_data (key), (unsigned int) bawn_secret_size (key) };
  gnutls_aead_cipher_hd_t handle = NULL;
  int status = gnutls_aead_cipher_init (&handle, GNUTLS_CIPHER_AES_256_GCM, &datum);

  if (status != 0)
    g_error ("AES-256-GCM cannot be had: %s", gnutls_strerror (status));

  return handle;
}

static gnutls_aead_cipher_hd_t
handle_take (BawnAead *aead)
{
  guint first = own_slot ();

  for (guint i = 0; i < N_SLOTS; i++)
    {
      gpointer *slot = &aead->slots[(first + i) % N_SLOTS].handle;
      gpointer handle = g_atomic_pointer_get (slot);
      if (handle != NULL && g_atomic_pointer_compare_and_exchange (slot, handle, NULL))
        return handle;
      /* An empty slot of its own is filled rather than going round. */
      if (i == 0 && handle == NULL)
        return handle_new (aead->key);
    }

  return handle_new (aead->key);
}

static void
handle_give (BawnAead *aead, gnutls_aead_cipher_hd_t handle)
{
  guint first = own_slot ();

  for (guint i = 0; i < N_SLOTS; i++)
    {
      gpointer *slot = &aead->slots[(first + i) % N_SLOTS].handle;
      if (g_atomic_pointer_compare_and_exchange (slot, NULL, (gpointer) handle))
        return;
    }

  gnutls_aead_cipher_deinit (handle);
}

/**
 * bawn_aead_new:
 * @key: a key of %BAWN_KEY_SIZE bytes
 *
 * Prepares AES-256-GCM (NIST SP 800-38D). What GnuTLS expands from the key lies in its own memory, which it
 * wipes when the last owner lets go.
 *
 * Returns: (transfer full): a handle that any number of threads may use at a time
 */
BawnAead *
bawn_aead_new (BawnSecret *key)
{
  g_return_val_if_fail (key != NULL && bawn_secret_size (key) == BAWN_KEY_SIZE, NULL);

  BawnAead *aead = g_new0 (BawnAead, 1);
  aead->refs = 1;
  aead->key = bawn_secret_ref (key);

  return aead;
}

/**
 * bawn_aead_ref:
 * @aead: a handle
 *
 * Returns: (transfer full): @aead
 */
BawnAead *
bawn_aead_ref (BawnAead *aead)
{
  g_return_val_if_fail (aead != NULL, NULL);

  g_atomic_int_inc (&aead->refs);

  return aead;
}

/**
 * bawn_aead_unref:
 * @aead: (transfer full): a handle
 */
void
bawn_aead_unref (BawnAead *aead)
{
  g_return_if_fail (aead != NULL);

  if (!g_atomic_int_dec_and_test (&aead->refs))
    return;

  for (guint i = 0; i < N_SLOTS; i++)
    if (aead->slots[i].handle != NULL)
      gnutls_aead_cipher_deinit (aead->slots[i].handle);
  bawn_secret_unref (aead->key);
  g_free (aead);
}

/**
 * bawn_aead_seal:
 * @aead: a handle
 * @nonce: must never be used twice with this key
 * @aad: (array length=aad_size) (nullable): what is authenticated but not kept
 * @aad_size: how much
 * @plain: (array length=size) (nullable): what to encrypt
 * @size: how much
 * @out_box: (out caller-allocates): room for @size + %BAWN_TAG_SIZE: the ciphertext, then the tag
 */
void
bawn_aead_seal (BawnAead *aead, const guint8 nonce[BAWN_NONCE_SIZE], gconstpointer aad, gsize aad_size,
                gconstpointer plain, gsize size, guint8 *out_box)
{
  gnutls_aead_cipher_hd_t handle = handle_take (aead);
  gsize box_size = size + BAWN_TAG_SIZE;
  int status = gnutls_aead_cipher_encrypt (handle, nonce, BAWN_NONCE_SIZE, aad, aad_size, BAWN_TAG_SIZE, plain, size,
                                           out_box, &box_size);

  handle_give (aead, handle);
  if (status != 0 || box_size != size + BAWN_TAG_SIZE)
    g_error ("AES-256-GCM does not encrypt: %s", gnutls_strerror (status));
}

/**
 * bawn_aead_open:
 * @aead: a handle
 * @nonce: the one that was used to seal
 * @aad: (array length=aad_size) (nullable): the same as when sealing
 * @aad_size: how much
 * @box: (array length=size): the ciphertext, then the tag
 * @size: how much
 * @out_plain: (out caller-allocates): room for @size - %BAWN_TAG_SIZE
 *
 * Returns: %FALSE if the box is not what was sealed; @out_plain holds zeroes then
 */
gboolean
bawn_aead_open (BawnAead *aead, const guint8 nonce[BAWN_NONCE_SIZE], gconstpointer aad, gsize aad_size,
                gconstpointer box, gsize size, guint8 *out_plain)
{
  if (size < BAWN_TAG_SIZE)
    return FALSE;

  gnutls_aead_cipher_hd_t handle = handle_take (aead);
  gsize plain_size = size - BAWN_TAG_SIZE;
  int status = gnutls_aead_cipher_decrypt (handle, nonce, BAWN_NONCE_SIZE, aad, aad_size, BAWN_TAG_SIZE, box, size,
                                           out_plain, &plain_size);

  handle_give (aead, handle);
  if (status == 0 && plain_size == size - BAWN_TAG_SIZE)
    return TRUE;

  explicit_bzero (out_plain, size - BAWN_TAG_SIZE);
  return FALSE;
}
