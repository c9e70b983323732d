/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-spec.h"
#include "core/bawn-sys-private.h"

/* sys/internal/specs/openapi: every mount that the caller may touch; without a token, this engine
 * alone. */
static BawnResponse *
openapi (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnMountTable) table = NULL;
  g_autoptr (BawnAcl) acl = NULL;
  gboolean generic = FALSE;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_field_bool (request, "generic_mount_paths", &generic, error)
      || !bawn_mount_table_get (txn, &table, error)
      || !bawn_sys_caller_acl (engine, request, txn, &acl, error))
    return NULL;

  bawn_spec_begin (&w);
  for (guint i = 0; i < bawn_mount_table_size (table); i++)
    {
      const BawnMount *mount = bawn_mount_table_index (table, i);
      BawnEngine *other =
          bawn_core_lookup_engine (core, mount->type, bawn_sys_mount_is_auth (mount));

      if (other == NULL
          || (other != engine && (acl == NULL || !bawn_acl_touches (acl, mount->path))))
        continue;
      bawn_spec_add_routes (&w, mount->path, bawn_engine_get_routes (other, mount), NULL);
    }
  bawn_spec_end (&w);

  return bawn_response_new_bare (200, bawn_json_writer_finish (&w));
}

const BawnRoute bawn_sys_spec_routes[] = {
  { "internal/specs/openapi", BAWN_OP_READ | BAWN_OP_WRITE, openapi, BAWN_ROUTE_OPEN,
    "Generate an OpenAPI 3 document of all mounted paths." },
  { 0 },
};
