/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/wrapping. A wrapping token is worth what it wraps, whoever brings it; so it is looked at
 * before the caller's own rights. The rows are open, and the caller of another's token is checked
 * here. */

#define WRAPPING_POLICY "response-wrapping"
#define RESPONSE_NAME "response"
#define WRAPINFO_NAME "wrapinfo"

static BawnResponse *
wrap (BawnEngine *engine G_GNUC_UNUSED,
      BawnRequest *request,
      BawnTxn *txn G_GNUC_UNUSED,
      GError **error)
{
  const BawnJsonNode *all = bawn_field_all (request);

  if (request->wrap_ttl_us <= 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "endpoint requires response wrapping to be used");

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  if (all != NULL)
    bawn_json_writer_node (&w, all);
  else
    {
      bawn_json_writer_begin_object (&w);
      bawn_json_writer_end_object (&w);
    }
  return bawn_response_new_writer (&w);
}

static gboolean
is_wrapping (const BawnToken *token)
{
  return token != NULL && token->policies != NULL && token->policies[0] != NULL
         && token->policies[1] == NULL && g_str_equal (token->policies[0], WRAPPING_POLICY);
}

/* The token in the body, else the caller's own. */
static gboolean
find_wrapping_token (BawnActive *active,
                     BawnRequest *request,
                     BawnTxn *txn,
                     BawnToken **out_token,
                     GError **error)
{
  g_autoptr (BawnWipedString) id = NULL;
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_field_string (request, "token", &id, error))
    return FALSE;
  if (id != NULL && *id != '\0')
    {
      if (!bawn_token_store_lookup (active->tokens, txn, id, &token, error))
        return FALSE;
    }
  else if (request->caller != NULL)
    token = bawn_token_ref (request->caller);
  if (!is_wrapping (token))
    return bawn_fail (error, BAWN_ERROR_INVALID, "wrapping token is not valid or does not exist");

  *out_token = g_steal_pointer (&token);
  return TRUE;
}

/* Whoever brings another's token must be allowed to, and it costs a use of their own. */
static gboolean
check_caller (BawnActive *active,
              BawnRequest *request,
              BawnTxn *txn,
              const BawnToken *wrapping,
              GError **error)
{
  g_autoptr (BawnAcl) acl = NULL;
  gboolean sudo = FALSE;
  gboolean last = FALSE;

  if (request->caller == NULL)
    return bawn_fail (error, BAWN_ERROR_DENIED, "permission denied");
  if (g_str_equal (request->caller->hash, wrapping->hash))
    return TRUE;
  if (!bawn_core_get_acl (active, txn, request->caller, &acl, error))
    return FALSE;
  if (!bawn_acl_allows (acl, request, &sudo))
    return bawn_fail (error, BAWN_ERROR_DENIED, "permission denied");
  if (request->caller->num_uses == 0)
    return TRUE;
  if (!bawn_token_store_use (active->tokens, txn, request->caller, &last, error))
    return FALSE;

  return !last || bawn_token_store_revoke (active->tokens, txn, request->caller->hash, error);
}

static gboolean
load (BawnTxn *txn, const BawnToken *token, const char *name, BawnJson **out_json, GError **error)
{
  g_autofree char *key = g_strconcat (BAWN_CUBBYHOLE_PREFIX, token->cubbyhole, "/", name, NULL);
  g_autoptr (GBytes) stored = NULL;

  if (!bawn_txn_get (txn, key, &stored, error))
    return FALSE;
  if (stored == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "wrapping token is not valid or does not exist");

  *out_json = bawn_json_parse (stored, NULL, error);
  return *out_json != NULL;
}

static BawnResponse *
lookup (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnJson) info = NULL;

  if (active == NULL || !find_wrapping_token (active, request, txn, &token, error)
      || !load (txn, token, WRAPINFO_NAME, &info, error))
    return NULL;

  return bawn_response_new_data (bawn_json_node_bytes (info, bawn_json_root (info)));
}

static void
kick_expiry (gpointer core, gpointer unused G_GNUC_UNUSED)
{
  bawn_core_kick_expiry (BAWN_CORE (core));
}

static GBytes *
wrapped_text (const BawnJsonNode *stored)
{
  const BawnJsonNode *text = bawn_json_get (stored, RESPONSE_NAME);

  return text != NULL && bawn_json_is (text, BAWN_JSON_STRING)
             ? bawn_bytes_new (text->string, text->string_size)
             : bawn_bytes_new_string ("");
}

static BawnResponse *
unwrap (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnJson) stored = NULL;

  if (active == NULL || !find_wrapping_token (active, request, txn, &token, error)
      || !check_caller (active, request, txn, token, error)
      || !load (txn, token, RESPONSE_NAME, &stored, error)
      || !bawn_token_store_revoke (active->tokens, txn, token->hash, error))
    return NULL;

  const BawnJsonNode *root = bawn_json_root (stored);
  guint status = (guint) bawn_json_get_int (root, "status", 200);
  g_autoptr (BawnResponse) response = bawn_response_new_bare (status, wrapped_text (root));
  bawn_response_after_commit (response, kick_expiry, g_object_ref (core), g_object_unref);

  return g_steal_pointer (&response);
}

/* The wrapped answer moves to a new token, with the time and path of the first. */
static BawnResponse *
rewrap (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnJson) info = NULL;
  g_autoptr (BawnJson) stored = NULL;

  if (active == NULL || !find_wrapping_token (active, request, txn, &token, error)
      || !check_caller (active, request, txn, token, error)
      || !load (txn, token, WRAPINFO_NAME, &info, error)
      || !load (txn, token, RESPONSE_NAME, &stored, error)
      || !bawn_token_store_revoke (active->tokens, txn, token->hash, error))
    return NULL;

  const BawnJsonNode *root = bawn_json_root (stored);
  gint64 ttl_us = bawn_json_get_int (bawn_json_root (info), "creation_ttl", 0) * G_USEC_PER_SEC;
  const char *path = bawn_json_get_string (bawn_json_root (info), "creation_path", request->path);
  g_autoptr (BawnRequest) original = bawn_request_new (request->op, path);
  g_autoptr (BawnResponse) response =
      bawn_response_new_bare ((guint) bawn_json_get_int (root, "status", 200), wrapped_text (root));
  if (!bawn_wrapping_wrap (active, original, txn, ttl_us, &response, error))
    return NULL;

  bawn_response_after_commit (response, kick_expiry, g_object_ref (core), g_object_unref);
  return g_steal_pointer (&response);
}

const BawnRoute bawn_sys_wrapping_routes[] = {
  { "wrapping/wrap", BAWN_OP_WRITE, wrap, BAWN_ROUTE_ANY_FIELD,
    "Response-wraps an arbitrary JSON object." },
  { "wrapping/lookup", BAWN_OP_READ | BAWN_OP_WRITE, lookup, BAWN_ROUTE_OPEN,
    "Looks up the properties of a response-wrapped token." },
  { "wrapping/unwrap", BAWN_OP_WRITE, unwrap, BAWN_ROUTE_OPEN,
    "Unwraps a response-wrapped token." },
  { "wrapping/rewrap", BAWN_OP_WRITE, rewrap, BAWN_ROUTE_OPEN,
    "Rotates a response-wrapped token." },
  { 0 },
};
