/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-lifecycle.h"
#include "core/bawn-self-unseal.h"
#include "core/bawn-sys-private.h"
#include "crypto/bawn-shamir.h"

/* sys/init */

/* One more than the most that is allowed, for numbers that do not fit what takes them. */
#define TOO_MANY (BAWN_SHAMIR_MAX_SHARES + 1)

/* Another process may have initialised the storage meanwhile; what is initialised stays so. */
static gboolean
look_again (BawnCore *core, gboolean may_block, GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);

  if (status->initialized)
    return TRUE;
  if (!may_block)
    return bawn_fail (error, BAWN_ERROR_WOULD_BLOCK, "the storage must be asked");

  return bawn_core_load (core, error);
}

BawnResponse *
bawn_sys_init_read (BawnCore *core,
                    BawnRequest *request G_GNUC_UNUSED,
                    gboolean may_block,
                    GError **error)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!look_again (core, may_block, error))
    return NULL;

  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "initialized", status->initialized);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

static gboolean
refuse_pgp (BawnRequest *fields, GError **error)
{
  static const char *const lists[] = { "pgp_keys", "recovery_pgp_keys", NULL };
  g_autofree char *root_key = NULL;

  for (guint i = 0; lists[i] != NULL; i++)
    {
      g_auto (GStrv) keys = NULL;

      if (!bawn_field_strv (fields, lists[i], &keys, error))
        return FALSE;
      if (keys != NULL && keys[0] != NULL)
        return bawn_fail (error, BAWN_ERROR_INVALID, "PGP keys are not supported by this server");
    }
  if (!bawn_field_string (fields, "root_token_pgp_key", &root_key, error))
    return FALSE;
  if (root_key != NULL && *root_key != '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "PGP keys are not supported by this server");

  return TRUE;
}

/* Who asks for recovery shares of a server that unseals itself may have left the others at their defaults. */
static gboolean
read_recovery (BawnRequest *fields, gint64 *out_shares, gint64 *out_threshold, GError **error)
{
  gint64 shares = 0;
  gint64 threshold = 0;

  if (!bawn_field_int (fields, "recovery_shares", &shares, error)
      || !bawn_field_int (fields, "recovery_threshold", &threshold, error))
    return FALSE;
  if (shares != 0)
    *out_shares = shares;
  if (threshold != 0)
    *out_threshold = threshold;

  return TRUE;
}

/* No recovery shares with people's shares: those fields are left alone. */
static gboolean
read_shape (BawnCore *core, BawnRequest *fields, guint *out_shares, guint *out_threshold, GError **error)
{
  gint64 shares = 0;
  gint64 threshold = 0;
  gint64 stored = 0;

  if (!bawn_field_int (fields, "secret_shares", &shares, error)
      || !bawn_field_int (fields, "secret_threshold", &threshold, error)
      || !bawn_field_int (fields, "stored_shares", &stored, error)
      || (bawn_core_is_self_unsealing (core) && !read_recovery (fields, &shares, &threshold, error)))
    return FALSE;

  *out_shares = (guint) CLAMP (shares, 0, TOO_MANY);
  *out_threshold = (guint) CLAMP (threshold, 0, TOO_MANY);
  return TRUE;
}

BawnResponse *
bawn_sys_init_write (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);
  g_autoptr (GPtrArray) shares = NULL;
  g_autoptr (BawnWipedString) root_token = NULL;
  guint n = 0;
  guint threshold = 0;
  gboolean doubtful = FALSE;

  if (fields == NULL || !refuse_pgp (fields, error) || !read_shape (core, fields, &n, &threshold, error))
    return NULL;
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "init writes");
  if (!bawn_lifecycle_initialize (core, n, threshold, &shares, &root_token, &doubtful, error))
    return NULL;

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  if (bawn_core_is_self_unsealing (core))
    {
      g_autoptr (GPtrArray) none = g_ptr_array_new ();

      bawn_sys_write_shares (&w, "keys", "keys_base64", none);
      bawn_sys_write_shares (&w, "recovery_keys", "recovery_keys_base64", shares);
    }
  else
    bawn_sys_write_shares (&w, "keys", "keys_base64", shares);
  bawn_json_writer_add_string (&w, "root_token", root_token);
  if (doubtful)
    bawn_sys_write_doubt (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}
