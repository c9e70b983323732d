/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-local.h"

#include "barrier/bawn-share.h"
#include "core/bawn-ha.h"
#include "core/bawn-sys-private.h"
#include "logical/bawn-string-map.h"
#include "util/bawn-log.h"

#include <string.h>

/* A caller without a token is written down as one that has a name for a token, and nothing else. */
static BawnToken *
describe_caller (const BawnLocalCaller *caller)
{
  BawnToken *token = bawn_token_new ();

  token->display_name = g_strdup_printf ("%s-uid-%u", caller->door, caller->uid);
  token->meta = bawn_string_map_new ();
  g_hash_table_insert (token->meta, g_strdup ("uid"), g_strdup_printf ("%u", caller->uid));
  if (caller->pid != 0)
    g_hash_table_insert (token->meta, g_strdup ("pid"), g_strdup_printf ("%u", caller->pid));

  return token;
}

static BawnRequest *
describe_request (BawnCore *core,
                  const BawnLocalCaller *caller,
                  const char *path,
                  const char *successor)
{
  BawnRequest *request = bawn_request_new (BAWN_OP_UPDATE, path);

  request->id = bawn_random_uuid ();
  request->started_us = bawn_clock_real_us (bawn_core_get_clock (core));
  request->caller = describe_caller (caller);
  if (successor != NULL)
    {
      g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

      bawn_json_writer_begin_object (&w);
      bawn_json_writer_add_string (&w, "successor", successor);
      bawn_json_writer_end_object (&w);

      g_autoptr (GBytes) text = bawn_json_writer_finish (&w);
      request->data = bawn_json_parse (text, NULL, NULL);
    }

  return request;
}

/* Only the active node knows which devices there are. */
static gboolean
audit (BawnCore *core, BawnRequest *request, const char *refusal, GError **error)
{
  g_autoptr (BawnActive) active = bawn_core_ref_active (core);
  BawnAuditBroker *broker = bawn_core_get_audit (core);
  g_autoptr (BawnAuditTable) table = NULL;

  if (active == NULL)
    return TRUE;

  g_autoptr (BawnTxn) txn = bawn_store_begin (bawn_core_get_store (core),
                                              BAWN_CODEC (bawn_core_get_barrier (core)), TRUE);
  if (!bawn_audit_table_get (txn, &table, error))
    return FALSE;

  bawn_audit_broker_sync (broker, table);
  return bawn_audit_broker_request (broker, request, txn, refusal, error)
         && bawn_audit_broker_response (broker, request, NULL, txn, refusal, error);
}

/* @refusal (nullable): why nothing comes of it. */
static gboolean
write_down (BawnCore *core,
            const BawnLocalCaller *caller,
            const char *path,
            const char *successor,
            const GError *refusal,
            GError **error)
{
  g_autoptr (BawnRequest) request = describe_request (core, caller, path, successor);
  g_autofree char *uid = g_strdup_printf ("%u", caller->uid);
  const BawnLogField *fields =
      BAWN_LOG_FIELDS ({ "REQUEST_ID", request->id }, { "CALLER_UID", uid });

  bawn_log_with (BAWN_LOG_INFO, "core", fields, "%s asked for through %s by uid %u%s%s", path,
                 caller->door, caller->uid, refusal != NULL ? ", refused: " : "",
                 refusal != NULL ? refusal->message : "");
  return audit (core, request, refusal != NULL ? refusal->message : NULL, error);
}

static char *
make_reason (const BawnLocalCaller *caller)
{
  return g_strdup_printf ("asked for through %s by uid %u", caller->door, caller->uid);
}

/* The one that writes down also a refusal, and then gives it back. */
static gboolean
refuse (BawnCore *core,
        const BawnLocalCaller *caller,
        const char *path,
        const char *successor,
        GError *refusal,
        GError **error)
{
  g_autoptr (GError) owned = refusal;

  if (!write_down (core, caller, path, successor, owned, error))
    return FALSE;

  g_propagate_error (error, g_steal_pointer (&owned));
  return FALSE;
}

/**
 * bawn_core_seal_locally:
 * @core: the core
 * @caller: who asks
 * @error: return location
 *
 * Seals this node. One that is sealed stays so. Blocks.
 *
 * Returns: %FALSE with INTERNAL if no audit device took it down; nothing has happened then
 */
gboolean
bawn_core_seal_locally (BawnCore *core, const BawnLocalCaller *caller, GError **error)
{
  g_autofree char *reason = make_reason (caller);

  if (!write_down (core, caller, "sys/seal", NULL, NULL, error))
    return FALSE;

  bawn_core_seal (core, reason);
  return TRUE;
}

/* Whether there is anything to hand over, and somebody to take it. */
static gboolean
check_step_down (BawnCore *core, const char *successor, GError **error)
{
  g_autoptr (BawnStatus) status = bawn_core_ref_status (core);

  if (!status->ha_enabled)
    return bawn_fail (error, BAWN_ERROR_UNSUPPORTED,
                      "this server is alone: there is none to hand over to");
  if (status->sealed)
    return bawn_fail (error, BAWN_ERROR_SEALED, "Vault is sealed");
  if (status->standby)
    return bawn_fail (error, BAWN_ERROR_STANDBY, "node is not active");
  if (successor != NULL && !bawn_core_knows_peer (core, successor))
    return bawn_fail (error, BAWN_ERROR_INVALID, "no standby is known by the address \"%s\"",
                      successor);

  return TRUE;
}

/**
 * bawn_core_step_down_locally:
 * @core: the core
 * @caller: who asks
 * @successor: (nullable): the API address of who should become active
 * @error: return location
 *
 * Begins to hand over. Blocks only for writing down who asked.
 *
 * Returns: %FALSE with STANDBY, SEALED or UNSUPPORTED if this node is not active, or is alone;
 * INVALID for a successor that is not known
 */
gboolean
bawn_core_step_down_locally (BawnCore *core,
                             const BawnLocalCaller *caller,
                             const char *successor,
                             GError **error)
{
  g_autofree char *reason = make_reason (caller);
  GError *refusal = NULL;

  if (!check_step_down (core, successor, &refusal))
    return refuse (core, caller, "sys/step-down", successor, refusal, error);
  if (!write_down (core, caller, "sys/step-down", successor, NULL, error))
    return FALSE;

  return bawn_ha_step_down (bawn_core_get_ha (core), successor, reason, error);
}

/**
 * bawn_core_unseal_locally:
 * @core: the core
 * @caller: who asks
 * @text: a share, in hex or base64, with a NUL behind it
 * @error: return location
 *
 * Gives a share, as bawn_core_unseal_share() does. Blocks.
 *
 * Returns: %FALSE with INVALID for what is no share, or is a wrong one
 */
gboolean
bawn_core_unseal_locally (BawnCore *core,
                          const BawnLocalCaller *caller,
                          BawnSecret *text,
                          GError **error)
{
  const char *string = (const char *) bawn_secret_data (text);

  g_return_val_if_fail (memchr (string, '\0', bawn_secret_size (text)) != NULL, FALSE);

  g_autoptr (BawnSecret) share = bawn_share_parse (string, error);
  if (share == NULL || !write_down (core, caller, "sys/unseal", NULL, NULL, error))
    return FALSE;

  return bawn_core_unseal_share (core, share, error);
}

gint64
bawn_core_get_lease_left_us (BawnCore *core)
{
  g_auto (BawnElectorInfo) info = { 0 };

  bawn_ha_get_info (bawn_core_get_ha (core), &info);
  return info.lease_left_us;
}
