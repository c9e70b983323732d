/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-engine.h"

#include <string.h>

/* Where wrapped answers wait, and the policy of the tokens that may fetch them. */
#define WRAPPED_PATH "response"
#define WRAPPING_POLICY "response-wrapping"

#define WRAPPED_WARNING                                                                            \
  "Reading from 'cubbyhole/response' is deprecated. Please use sys/wrapping/unwrap to unwrap "     \
  "responses, as it provides additional security checks and other benefits."

#define BAWN_TYPE_ENGINE_CUBBYHOLE (bawn_engine_cubbyhole_get_type ())
G_DECLARE_FINAL_TYPE (
    BawnEngineCubbyhole, bawn_engine_cubbyhole, BAWN, ENGINE_CUBBYHOLE, BawnEngine)

struct _BawnEngineCubbyhole
{
  BawnEngine parent_instance;
};

G_DEFINE_FINAL_TYPE (BawnEngineCubbyhole, bawn_engine_cubbyhole, BAWN_TYPE_ENGINE)

/* The caller's own part of the storage, so that the token store can sweep it when the token is
 * gone. */
static BawnTxn *
scope_to_caller (BawnRequest *request, BawnTxn *txn, GError **error)
{
  const BawnToken *caller = request->caller;

  if (caller == NULL || caller->type != BAWN_TOKEN_SERVICE || caller->cubbyhole == NULL
      || *caller->cubbyhole == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "cubbyhole operations are only supported by \"service\" type tokens");

  g_autofree char *prefix = g_strconcat (BAWN_CUBBYHOLE_PREFIX, caller->cubbyhole, "/", NULL);

  return bawn_txn_scope (txn, prefix);
}

static gboolean
check_path (BawnRequest *request, const char *path, GError **error)
{
  gsize prefix_size = strlen (BAWN_CUBBYHOLE_PREFIX) + strlen (request->caller->cubbyhole) + 1;

  if (*path == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing path");
  if (!bawn_backend_key_is_valid (path) || prefix_size + strlen (path) > BAWN_BACKEND_MAX_KEY)
    return bawn_fail (error, BAWN_ERROR_INVALID, "the path is too long or has an empty part");

  return TRUE;
}

static BawnResponse *
cubbyhole_read (BawnEngine *engine, BawnRequest *request, BawnTxn *root, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnTxn) txn = scope_to_caller (request, root, error);
  g_autoptr (GBytes) value = NULL;

  if (txn == NULL || !check_path (request, path, error) || !bawn_txn_get (txn, path, &value, error))
    return NULL;
  if (value == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  BawnResponse *response = bawn_response_new_data (g_steal_pointer (&value));

  if (g_str_equal (path, WRAPPED_PATH) && bawn_token_has_policy (request->caller, WRAPPING_POLICY))
    bawn_response_warn (response, WRAPPED_WARNING);

  return response;
}

static BawnResponse *
cubbyhole_write (BawnEngine *engine, BawnRequest *request, BawnTxn *root, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  const BawnJsonNode *all = bawn_field_all (request);
  g_autoptr (BawnTxn) txn = scope_to_caller (request, root, error);

  if (txn == NULL || !check_path (request, path, error))
    return NULL;
  if (!bawn_json_is (all, BAWN_JSON_OBJECT) || all->n_children == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing data fields");

  g_autoptr (GBytes) value = bawn_json_node_bytes (request->data, all);

  bawn_txn_put (txn, path, value);

  return bawn_response_new_empty ();
}

static BawnResponse *
cubbyhole_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *root, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnTxn) txn = scope_to_caller (request, root, error);

  if (txn == NULL || !check_path (request, path, error))
    return NULL;
  bawn_txn_delete (txn, path);

  return bawn_response_new_empty ();
}

/* A cubbyhole is small: the storage's own page is all that is shown. */
static BawnResponse *
cubbyhole_list (BawnEngine *engine, BawnRequest *request, BawnTxn *root, GError **error)
{
  const char *path = bawn_request_param (request, "path");
  g_autoptr (BawnTxn) txn = scope_to_caller (request, root, error);
  g_auto (GStrv) names = NULL;

  if (txn == NULL)
    return NULL;

  const char *slash = *path == '\0' || g_str_has_suffix (path, "/") ? "" : "/";
  g_autofree char *prefix = g_strconcat (path, slash, NULL);

  if (!bawn_txn_list (txn, prefix, NULL, 0, &names, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) names);
}

static gboolean
cubbyhole_exists (
    BawnEngine *engine, BawnRequest *request, BawnTxn *root, gboolean *out_exists, GError **error)
{
  g_autoptr (BawnTxn) txn = scope_to_caller (request, root, NULL);
  g_autoptr (GBytes) value = NULL;

  if (txn == NULL || !check_path (request, request->rest, NULL))
    {
      *out_exists = FALSE;
      return TRUE;
    }
  if (!bawn_txn_get (txn, request->rest, &value, error))
    return FALSE;
  *out_exists = value != NULL;

  return TRUE;
}

static const BawnRoute cubbyhole_routes[] = {
  { "{path...}", BAWN_OP_LIST, cubbyhole_list, BAWN_ROUTE_ROOT_TXN,
    "Lists names in the token's cubbyhole." },
  { "{path...}", BAWN_OP_READ, cubbyhole_read, BAWN_ROUTE_ROOT_TXN | BAWN_ROUTE_ANY_FIELD,
    "Reads from the token's cubbyhole." },
  { "{path...}", BAWN_OP_WRITE, cubbyhole_write, BAWN_ROUTE_ROOT_TXN | BAWN_ROUTE_ANY_FIELD,
    "Stores in the token's cubbyhole, which ends with the token." },
  { "{path...}", BAWN_OP_DELETE, cubbyhole_delete, BAWN_ROUTE_ROOT_TXN | BAWN_ROUTE_ANY_FIELD,
    "Deletes from the token's cubbyhole." },
  { NULL },
};

static void
bawn_engine_cubbyhole_class_init (BawnEngineCubbyholeClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "cubbyhole";
  engine_class->help = "A place of its own for each token; it ends with the token.";
  engine_class->routes = cubbyhole_routes;
  engine_class->exists = cubbyhole_exists;
}

static void
bawn_engine_cubbyhole_init (BawnEngineCubbyhole *self)
{
}
