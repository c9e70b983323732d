/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "engine/bawn-engine-kv-private.h"

#include <string.h>

#define STATUS_NOT_FOUND 404

static const char *
command_of (BawnOp op)
{
  switch (op)
    {
    case BAWN_OP_READ:
    case BAWN_OP_HELP:
      return "get";
    case BAWN_OP_LIST:
      return "list";
    case BAWN_OP_DELETE:
      return "delete";
    case BAWN_OP_PATCH:
      return "patch";
    case BAWN_OP_CREATE:
    case BAWN_OP_UPDATE:
    case BAWN_OP_WRITE:
      return "put";
    }

  g_return_val_if_reached ("get");
}

/* Who forgets that the mount is of version 2 is told so. */
static BawnResponse *
wrong_path (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnResponse *response = bawn_response_new_empty ();

  bawn_response_warn (response,
                      "Invalid path for a versioned K/V secrets engine. See the API docs for the "
                      "appropriate API endpoints to use. If using the Vault CLI, use 'vault kv %s' "
                      "for this operation.",
                      command_of (request->op));
  response->status = STATUS_NOT_FOUND;

  return response;
}

static BawnResponse *
wrong_operation (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return bawn_fail_null (error, BAWN_ERROR_UNSUPPORTED, "unsupported operation");
}

/**
 * bawn_kv2_exists:
 * @request: a write; its route need not be matched yet
 * @txn: scoped to the mount
 * @out_exists: (out): whether the key is there
 * @error: of the storage
 *
 * Only data and metadata can be created; whatever else is written is there already.
 *
 * Returns: whether the storage could say
 */
gboolean
bawn_kv2_exists (BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error)
{
  const char *slash = strchr (request->rest, '/');
  gboolean has_key =
      g_str_has_prefix (request->rest, "data/") || g_str_has_prefix (request->rest, "metadata/");
  g_autoptr (BawnKvMeta) meta = NULL;

  if (!has_key || !bawn_kv_path_is_valid (request, slash + 1))
    {
      *out_exists = TRUE;
      return TRUE;
    }
  if (!bawn_kv_meta_get (txn, slash + 1, &meta, error))
    return FALSE;
  *out_exists = meta != NULL;

  return TRUE;
}

#define ANY_OP                                                                                     \
  (BAWN_OP_READ | BAWN_OP_LIST | BAWN_OP_CREATE | BAWN_OP_UPDATE | BAWN_OP_DELETE | BAWN_OP_PATCH)

/* For each path the last row refuses what the others do not do, lest the very last row takes it for
 * a wrong path. */
const BawnRoute bawn_kv2_routes[] = {
  { "data/{path...}", BAWN_OP_READ, bawn_kv2_data_read, BAWN_ROUTE_NONE,
    "Reads a secret: its newest version, or ?version=." },
  { "data/{path...}", BAWN_OP_WRITE, bawn_kv2_data_write, BAWN_ROUTE_NONE,
    "Stores a new version of a secret: data, options.cas." },
  { "data/{path...}", BAWN_OP_PATCH, bawn_kv2_data_patch, BAWN_ROUTE_NONE,
    "Merges a JSON merge patch into a secret." },
  { "data/{path...}", BAWN_OP_DELETE, bawn_kv2_data_delete, BAWN_ROUTE_NONE,
    "Deletes the newest version of a secret; it can be undeleted." },
  { "data/{path...}", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "metadata/{path...}", BAWN_OP_READ, bawn_kv2_meta_read, BAWN_ROUTE_NONE,
    "Reads what is known of a secret and its versions." },
  { "metadata/{path...}", BAWN_OP_LIST, bawn_kv2_meta_list, BAWN_ROUTE_NONE,
    "Lists the names below a folder." },
  { "metadata/{path...}", BAWN_OP_WRITE, bawn_kv2_meta_write, BAWN_ROUTE_NONE,
    "Sets max_versions, cas_required, delete_version_after, custom_metadata." },
  { "metadata/{path...}", BAWN_OP_PATCH, bawn_kv2_meta_patch, BAWN_ROUTE_NONE,
    "Changes some of the settings of a secret." },
  { "metadata/{path...}", BAWN_OP_DELETE, bawn_kv2_meta_delete, BAWN_ROUTE_NONE,
    "Deletes a secret with all its versions, for good." },
  { "delete/{path...}", BAWN_OP_WRITE, bawn_kv2_delete, BAWN_ROUTE_NONE,
    "Deletes versions of a secret; they can be undeleted." },
  { "delete/{path...}", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "undelete/{path...}", BAWN_OP_WRITE, bawn_kv2_undelete, BAWN_ROUTE_NONE,
    "Takes the deletion of versions back." },
  { "undelete/{path...}", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "destroy/{path...}", BAWN_OP_WRITE, bawn_kv2_destroy, BAWN_ROUTE_NONE,
    "Deletes the data of versions for good." },
  { "destroy/{path...}", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "subkeys/{path...}", BAWN_OP_READ, bawn_kv2_subkeys, BAWN_ROUTE_NONE,
    "Reads the names within a secret, without the values." },
  { "subkeys/{path...}", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "config", BAWN_OP_READ, bawn_kv2_config_read, BAWN_ROUTE_NONE, "Reads the mount's settings." },
  { "config", BAWN_OP_WRITE, bawn_kv2_config_write, BAWN_ROUTE_NONE,
    "Sets max_versions, cas_required, delete_version_after for all secrets." },
  { "config", ANY_OP, wrong_operation, BAWN_ROUTE_NONE, NULL },
  { "{path...}", ANY_OP, wrong_path, BAWN_ROUTE_ANY_FIELD, NULL },
  { NULL },
};
