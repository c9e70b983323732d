/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/seal-status and sys/unseal */

static void
add_cluster (BawnJsonWriter *w, const BawnStatus *status)
{
  if (status->sealed || status->cluster_name == NULL)
    return;

  bawn_json_writer_add_string (w, "cluster_name", status->cluster_name);
  bawn_json_writer_add_string (w, "cluster_id",
                               status->cluster_id != NULL ? status->cluster_id : "");
}

static BawnResponse *
show_status (BawnCore *core)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "type",
                               status->seal_type != NULL ? status->seal_type : "shamir");
  bawn_json_writer_add_bool (&w, "initialized", status->initialized);
  bawn_json_writer_add_bool (&w, "sealed", status->sealed);
  bawn_json_writer_add_int (&w, "t", status->initialized ? status->threshold : 0);
  bawn_json_writer_add_int (&w, "n", status->initialized ? status->shares : 0);
  bawn_json_writer_add_int (&w, "progress", status->progress);
  bawn_json_writer_add_string (&w, "nonce", status->nonce != NULL ? status->nonce : "");
  bawn_json_writer_add_string (&w, "version", BAWN_API_VERSION);
  bawn_json_writer_add_string (&w, "build_date", "");
  bawn_json_writer_add_bool (&w, "migration", FALSE);
  add_cluster (&w, status);
  bawn_json_writer_add_bool (&w, "recovery_seal", status->recovery_seal);
  bawn_json_writer_add_string (&w, "storage_type",
                               status->storage_type != NULL ? status->storage_type : "");
  bawn_json_writer_add_string (&w, "bawn_version", PACKAGE_VERSION);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

BawnResponse *
bawn_sys_seal_status (BawnCore *core,
                      BawnRequest *request G_GNUC_UNUSED,
                      gboolean may_block G_GNUC_UNUSED,
                      GError **error G_GNUC_UNUSED)
{
  return show_status (core);
}

static BawnResponse *
give_share (BawnCore *core, BawnRequest *fields, gboolean may_block, GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  g_autoptr (BawnSecret) share = NULL;

  if (!bawn_sys_read_share (
          fields, "'key' must be specified in request body as JSON, or 'reset' set to true", &share,
          error))
    return NULL;
  if (!status->sealed)
    return show_status (core);
  if (!may_block)
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "unsealing reads the storage");
  if (!bawn_core_unseal_share (core, share, error))
    return NULL;

  return show_status (core);
}

BawnResponse *
bawn_sys_unseal (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  g_autoptr (BawnRequest) fields = bawn_sys_fold_fields (request, error);
  gboolean reset = FALSE;
  gboolean migrate = FALSE;

  if (fields == NULL || !bawn_field_bool (fields, "reset", &reset, error)
      || !bawn_field_bool (fields, "migrate", &migrate, error))
    return NULL;
  if (migrate)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "can't perform a seal migration: no migration is configured");
  if (!reset)
    return give_share (core, fields, may_block, error);

  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);
  if (!status->sealed)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "vault is unsealed");

  bawn_core_unseal_reset (core);
  return show_status (core);
}
