/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

#include <string.h>

/* Shares that are being gathered live in the memory of the node that is active, and nowhere else. What survives it is that
 * a gathering had begun, so that whoever goes on giving shares hears what has become of it. */

#define PROGRESS_PREFIX "core/gathering/"

typedef struct
{
  const char *kind;
  const char *nonce; /* nullable: it is over */
} Note;

static gboolean
write_note (BawnCore *core G_GNUC_UNUSED, BawnTxn *txn, gpointer user_data, GError **error G_GNUC_UNUSED)
{
  const Note *note = user_data;
  g_autofree char *key = g_strconcat (PROGRESS_PREFIX, note->kind, NULL);

  if (note->nonce == NULL)
    {
      bawn_txn_delete (txn, key);
      return TRUE;
    }

  g_autoptr(GBytes) value = bawn_bytes_new_string (note->nonce);
  bawn_txn_put (txn, key, value);
  return TRUE;
}

gboolean
bawn_sys_note_gathering (BawnCore *core, const char *kind, const char *nonce, GError **error)
{
  Note note = { kind, nonce };

  return bawn_core_transact (core, write_note, &note, error);
}

void
bawn_sys_explain_gathering (BawnCore *core, const char *kind, const char *nonce, GError **inout_error)
{
  g_autofree char *key = g_strconcat (PROGRESS_PREFIX, kind, NULL);
  g_autoptr(BawnTxn) txn
      = bawn_store_begin (bawn_core_get_store (core), BAWN_CODEC (bawn_core_get_barrier (core)), TRUE);
  g_autoptr(GBytes) noted = NULL;
  gsize length = strlen (nonce);

  if (!bawn_error_is (*inout_error, BAWN_ERROR_INVALID) || length == 0 || !bawn_txn_get (txn, key, &noted, NULL)
      || noted == NULL || g_bytes_get_size (noted) != length
      || memcmp (g_bytes_get_data (noted, NULL), nonce, length) != 0)
    return;

  g_clear_error (inout_error);
  (void) bawn_fail (inout_error, BAWN_ERROR_INVALID,
                    "the operation with nonce \"%s\" was lost when another node became active, or the server was "
                    "restarted; begin it again", nonce);
}
