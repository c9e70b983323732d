/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input as what the storage gives back: an entry of the barrier, the keyring, the seal's
 * configuration. */
#include "config.h"

#include "barrier/bawn-barrier.h"
#include "barrier/bawn-entry.h"
#include "barrier/bawn-seal.h"
#include "util/bawn-bytes.h"
#include "util/bawn-error.h"

#include <string.h>

#include "fuzz.h"

#define PATH "logical/7f3a/secret"
#define TERM 0x01020304

/* The key and the term of the known answers in tests/unit/barrier/test-entry.c. */
static BawnKeyring *
known_keyring (void)
{
  const guint8 head[] = { 1, 0, 0, 0, 1, 1, 2, 3, 4 };
  guint8 *data = NULL;
  g_autoptr (BawnSecret) serialised = bawn_secret_new (57, &data);
  g_autoptr (BawnSecret) root_key = bawn_secret_new (BAWN_KEY_SIZE, NULL);

  memcpy (data, head, sizeof head);
  for (guint i = 0; i < BAWN_KEY_SIZE; i++)
    data[25 + i] = (guint8) i;

  return bawn_keyring_parse (serialised, root_key, NULL);
}

/* What opens is what that key sealed: sealed again it is the same. */
static void
check_entry (BawnBarrier *barrier, BawnKeyring *keyring, GBytes *box)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) plain =
      BAWN_CODEC_GET_IFACE (barrier)->open (BAWN_CODEC (barrier), PATH, box, &error);

  if (plain == NULL)
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
      g_assert_nonnull (strstr (error->message, PATH));
      return;
    }

  const guint8 *nonce = (const guint8 *) g_bytes_get_data (box, NULL) + 5;
  g_autoptr (BawnAead) aead = bawn_aead_new (bawn_keyring_lookup (keyring, TERM)->key);
  g_autoptr (GBytes) again = bawn_entry_seal_with_nonce (aead, TERM, PATH, plain, nonce);
  g_assert_true (g_bytes_equal (again, box));
}

/* Any bytes can be sealed, and come back; cut by one or put elsewhere they do not. */
static void
check_payload (BawnBarrier *barrier, GBytes *plain)
{
  const BawnCodecInterface *iface = BAWN_CODEC_GET_IFACE (barrier);
  g_autoptr (GBytes) box = iface->seal (BAWN_CODEC (barrier), PATH, plain, NULL);
  g_autoptr (GBytes) opened = iface->open (BAWN_CODEC (barrier), PATH, box, NULL);
  g_autoptr (GBytes) cut = g_bytes_new_from_bytes (box, 0, g_bytes_get_size (box) - 1);

  g_assert_cmpuint (g_bytes_get_size (box), ==, g_bytes_get_size (plain) + iface->overhead);
  g_assert_true (bawn_bytes_equal (opened, plain));
  g_assert_null (iface->open (BAWN_CODEC (barrier), PATH, cut, NULL));
  g_assert_null (iface->open (BAWN_CODEC (barrier), "logical/7f3a", box, NULL));
}

static void
check_keyring (BawnKeyring *known, const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) serialised = bawn_secret_new_copy (data, size);
  g_autoptr (BawnKeyring) keyring =
      bawn_keyring_parse (serialised, bawn_keyring_get_root_key (known), &error);

  if (keyring == NULL)
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
      return;
    }

  g_autoptr (BawnSecret) again = bawn_keyring_serialise (keyring);
  g_assert_true (bawn_secret_equal (again, serialised));
  for (guint i = 0; i < bawn_keyring_get_n_terms (keyring); i++)
    {
      const BawnTerm *term = bawn_keyring_get_term (keyring, i);
      g_assert_true (bawn_keyring_lookup (keyring, term->number) == term);
    }
}

static void
check_config (GBytes *text)
{
  g_autoptr (GError) error = NULL;
  BawnSealConfig config = { .type = NULL };
  BawnSealConfig again = { .type = NULL };

  if (!bawn_seal_config_parse (text, &config, &error))
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_CORRUPT);
      return;
    }

  g_autoptr (GBytes) written = bawn_seal_config_serialise (&config);
  g_assert_true (bawn_seal_config_parse (written, &again, &error));
  g_assert_cmpuint (again.shares, ==, config.shares);
  g_assert_cmpuint (again.threshold, ==, config.threshold);
  g_assert_cmpstr (again.id, ==, config.id);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) bytes = bawn_bytes_new (data, size);
  g_autoptr (BawnKeyring) keyring = known_keyring ();
  g_autoptr (BawnBarrier) barrier = bawn_barrier_new ();

  g_assert_nonnull (keyring);
  bawn_barrier_adopt (barrier, keyring);
  check_entry (barrier, keyring, bytes);
  check_payload (barrier, bytes);
  check_keyring (keyring, data, size);
  check_config (bytes);

  return 0;
}
