/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-doubt.h"
#include "core/bawn-sys-private.h"

/* Endpoints outside the pipeline: they need no token, have no envelope, and most of them live while
 * sealed. */

gboolean
bawn_sys_check_active (BawnCore *core, GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);

  if (status->sealed)
    return bawn_fail (error, BAWN_ERROR_SEALED, "node is not active");
  if (status->standby)
    return bawn_fail (error, BAWN_ERROR_STANDBY, "node is not active");

  return TRUE;
}

gboolean
bawn_sys_read_share (BawnRequest *fields,
                     const char *missing,
                     BawnSecret **out_share,
                     GError **error)
{
  g_autoptr (BawnWipedString) key = NULL;

  if (!bawn_field_string (fields, "key", &key, error))
    return FALSE;
  if (key == NULL || *key == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s", missing);

  BawnSecret *share = bawn_share_parse (key, error);
  if (share == NULL)
    return FALSE;

  *out_share = share;
  return TRUE;
}

void
bawn_sys_write_doubt (BawnJsonWriter *w)
{
  bawn_json_writer_name (w, "warnings");
  bawn_json_writer_begin_array (w);
  bawn_json_writer_string (w, BAWN_DOUBT_WARNING);
  bawn_json_writer_end_array (w);
}

void
bawn_sys_write_shares (BawnJsonWriter *w,
                       const char *hex_name,
                       const char *base64_name,
                       GPtrArray *shares)
{
  bawn_json_writer_name (w, hex_name);
  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < shares->len; i++)
    {
      const BawnSecret *share = g_ptr_array_index (shares, i);
      g_autoptr (BawnWipedString) text =
          bawn_hex_encode (bawn_secret_data (share), bawn_secret_size (share));

      bawn_json_writer_string (w, text);
    }
  bawn_json_writer_end_array (w);

  bawn_json_writer_name (w, base64_name);
  bawn_json_writer_begin_array (w);
  for (guint i = 0; i < shares->len; i++)
    {
      const BawnSecret *share = g_ptr_array_index (shares, i);
      g_autoptr (BawnWipedString) text =
          bawn_base64_encode (bawn_secret_data (share), bawn_secret_size (share), FALSE, TRUE);

      bawn_json_writer_string (w, text);
    }
  bawn_json_writer_end_array (w);
}

static BawnResponse *
init (BawnCore *core, BawnRequest *request, gboolean may_block, GError **error)
{
  if (request->op == BAWN_OP_READ)
    return bawn_sys_init_read (core, request, may_block, error);

  return bawn_sys_init_write (core, request, may_block, error);
}

/* HEAD comes as a read: the door drops the body. */
const BawnDirectRoute bawn_sys_direct_routes[] = {
  { "sys/health", BAWN_OP_READ, bawn_sys_health },
  { "sys/seal-status", BAWN_OP_READ, bawn_sys_seal_status },
  { "sys/leader", BAWN_OP_READ, bawn_sys_leader },
  { "sys/init", BAWN_OP_READ | BAWN_OP_WRITE, init },
  { "sys/unseal", BAWN_OP_WRITE, bawn_sys_unseal },
  { "sys/generate-root/attempt", BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE,
    bawn_sys_generate_root_attempt },
  { "sys/generate-root/update", BAWN_OP_WRITE, bawn_sys_generate_root_update },
  { "sys/rekey/init", BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE, bawn_sys_rekey_init },
  { "sys/rekey/update", BAWN_OP_WRITE, bawn_sys_rekey_update },
  { "sys/rekey/verify", BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE, bawn_sys_rekey_verify },
  { "sys/rekey-recovery-key/init", BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE,
    bawn_sys_rekey_recovery },
  { "sys/rekey-recovery-key/update", BAWN_OP_WRITE, bawn_sys_rekey_recovery },
  { "sys/rekey-recovery-key/verify", BAWN_OP_READ | BAWN_OP_WRITE | BAWN_OP_DELETE,
    bawn_sys_rekey_recovery },
  { 0 },
};
