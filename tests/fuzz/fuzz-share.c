/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines are shares as people hand them in: each parses or is refused without being repeated, and
 * those that parse combine to the same secret in any order, or not at all. */
#include "config.h"

#include "barrier/bawn-quorum.h"
#include "barrier/bawn-share.h"
#include "crypto/bawn-crypto.h"
#include "crypto/bawn-shamir.h"
#include "util/bawn-error.h"

#include <string.h>

#include "fuzz.h"

/* Enough to find what is wrong with many, and quick. */
#define MAX_LINES 20

static void
parse_line (GPtrArray *shares, const char *line)
{
  g_autoptr (GError) error = NULL;
  BawnSecret *share = bawn_share_parse (line, &error);

  if (share == NULL)
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_true (strlen (line) < 8 || strstr (error->message, line) == NULL);
      return;
    }

  gsize size = bawn_secret_size (share);
  g_assert_cmpuint (size, >=, BAWN_SHARE_MIN_SIZE);
  g_assert_cmpuint (size, <=, BAWN_SHARE_MAX_SIZE);
  /* What was read reads the same from its usual form. */
  g_autofree char *hex = bawn_hex_encode (bawn_secret_data (share), size);
  g_autoptr (BawnSecret) again = bawn_share_parse (hex, &error);
  g_assert_no_error (error);
  g_assert_true (bawn_secret_equal (again, share));
  g_ptr_array_add (shares, share);
}

static void
combine (GPtrArray *shares)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) reversed = g_ptr_array_new ();
  g_autoptr (BawnSecret) secret = bawn_shamir_combine (shares, &error);

  for (guint i = shares->len; i > 0; i--)
    g_ptr_array_add (reversed, g_ptr_array_index (shares, i - 1));
  g_autoptr (BawnSecret) other_way = bawn_shamir_combine (reversed, NULL);

  if (secret == NULL)
    {
      g_assert_error (error, BAWN_ERROR, BAWN_ERROR_INVALID);
      g_assert_null (other_way);
      return;
    }
  g_assert_true (bawn_secret_equal (secret, other_way));
}

static void
gather (GPtrArray *shares)
{
  g_auto (BawnQuorum) quorum = { .given = NULL };

  bawn_quorum_begin (&quorum);
  for (guint i = 0; i < shares->len; i++)
    if (!bawn_quorum_has (&quorum, g_ptr_array_index (shares, i)))
      bawn_quorum_add (&quorum, g_ptr_array_index (shares, i));
  if (bawn_quorum_get_progress (&quorum) == 0)
    return;

  guint given = bawn_quorum_get_progress (&quorum);
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) key = bawn_quorum_combine (&quorum, given, &error);
  g_assert_true (key == NULL || bawn_secret_size (key) == BAWN_KEY_SIZE);
  g_assert_true (key != NULL || bawn_error_is (error, BAWN_ERROR_INVALID));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", MAX_LINES);
  g_autoptr (GPtrArray) shares =
      g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_secret_unref);

  for (guint i = 0; lines[i] != NULL; i++)
    parse_line (shares, lines[i]);
  combine (shares);
  gather (shares);

  return 0;
}
