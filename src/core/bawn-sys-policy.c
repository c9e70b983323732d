/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"
#include "crypto/bawn-crypto.h"

/* sys/policy, its newer twin sys/policies/acl, and the capabilities endpoints. */

/* How the two spellings call the text. */
static const char *
text_field (BawnRequest *request)
{
  return g_str_has_prefix (request->rest, "policies/") ? "policy" : "rules";
}

static gboolean
list_names (BawnTxn *txn, GStrv *out_names, GError **error)
{
  g_auto (GStrv) stored = NULL;

  if (!bawn_sys_walk (txn, BAWN_POLICY_PREFIX, BAWN_SYS_WALK_MAX, &stored, error))
    return FALSE;

  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  gboolean root_out = FALSE;
  for (guint i = 0; stored[i] != NULL; i++)
    {
      if (g_str_equal (stored[i], "root") || g_str_equal (stored[i], "response-wrapping"))
        continue;
      if (!root_out && strcmp (stored[i], "root") > 0)
        {
          g_strv_builder_add (names, "root");
          root_out = TRUE;
        }
      g_strv_builder_add (names, stored[i]);
    }
  if (!root_out)
    g_strv_builder_add (names, "root");

  *out_names = g_strv_builder_end (names);
  return TRUE;
}

static BawnResponse *
policy_list (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!list_names (txn, &names, error))
    return NULL;
  if (g_str_has_prefix (request->rest, "policies/"))
    return bawn_response_new_keys ((const char *const *) names);

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_strv (&w, "keys", (const char *const *) names);
  bawn_json_writer_add_strv (&w, "policies", (const char *const *) names);
  bawn_json_writer_end_object (&w);
  return bawn_sys_injected (&w);
}

static char *
policy_name (BawnRequest *request, GError **error)
{
  const char *given = bawn_sys_need_rest (request, "name", error);

  return given != NULL ? g_ascii_strdown (given, -1) : NULL;
}

static BawnResponse *
policy_read (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *name = policy_name (request, error);
  g_autoptr (BawnPolicy) policy = NULL;
  gboolean is_root = g_strcmp0 (name, "root") == 0;

  if (name == NULL)
    return NULL;
  if (!is_root && !bawn_policy_get (txn, name, &policy, error))
    return NULL;
  if (!is_root && policy == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "name", name);
  bawn_json_writer_add_string (&w, text_field (request),
                               is_root ? "" : bawn_policy_get_text (policy));
  bawn_json_writer_end_object (&w);

  if (g_str_has_prefix (request->rest, "policies/"))
    return bawn_response_new_writer (&w);
  return bawn_sys_injected (&w);
}

/* Texts may come as base64. A real policy never looks like that: it has blanks or braces. */
char *
bawn_sys_decode_policy (const char *given)
{
  g_autoptr (GBytes) decoded = bawn_base64_decode (given, FALSE, NULL);
  gsize size = 0;
  const char *text = decoded != NULL ? g_bytes_get_data (decoded, &size) : NULL;

  if (text == NULL || size == 0 || strlen (given) % 4 != 0
      || !g_utf8_validate (text, (gssize) size, NULL))
    return g_strdup (given);

  return g_strndup (text, size);
}

static BawnResponse *
policy_write (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  static const char *const fixed[] = { "root", "response-wrapping", "control-group", NULL };
  g_autofree char *name = policy_name (request, error);
  g_autofree char *given = NULL;
  gboolean old_field = FALSE;

  if (name == NULL || !bawn_field_string (request, "policy", &given, error))
    return NULL;
  if (given == NULL && g_str_has_prefix (request->rest, "policy/"))
    {
      if (!bawn_field_string (request, "rules", &given, error))
        return NULL;
      old_field = given != NULL;
    }
  if (given == NULL || *given == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "'policy' parameter not supplied or empty");
  if (g_strv_contains (fixed, name))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot update \"%s\" policy", name);

  g_autofree char *text = bawn_sys_decode_policy (given);
  if (!bawn_policy_put (txn, name, text, error))
    return NULL;

  BawnResponse *response = bawn_response_new_empty ();
  if (old_field)
    bawn_response_warn (response, "'rules' is deprecated, please use 'policy' instead");
  return response;
}

static BawnResponse *
policy_delete (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  static const char *const fixed[] = { "root", "response-wrapping", "control-group", NULL };
  g_autofree char *name = policy_name (request, error);

  if (name == NULL)
    return NULL;
  if (g_strv_contains (fixed, name))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot delete \"%s\" policy", name);
  if (g_str_equal (name, "default"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot delete default policy");

  g_autofree char *key = g_strconcat (BAWN_POLICY_PREFIX, name, NULL);
  if (bawn_backend_key_is_valid (key))
    bawn_txn_delete (txn, key);
  return bawn_response_new_empty ();
}

static gboolean
read_paths (BawnRequest *request, GStrv *out_paths, GError **error)
{
  g_auto (GStrv) paths = NULL;

  if (!bawn_field_strv (request, "paths", &paths, error)
      || ((paths == NULL || paths[0] == NULL) && !bawn_field_strv (request, "path", &paths, error)))
    return FALSE;
  if (paths == NULL || paths[0] == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "paths must be supplied");

  *out_paths = g_steal_pointer (&paths);
  return TRUE;
}

static BawnResponse *
show_capabilities (
    BawnActive *active, BawnTxn *txn, const BawnToken *token, GStrv paths, GError **error)
{
  g_autoptr (BawnAcl) acl = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_core_get_acl (active, txn, token, &acl, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; paths[i] != NULL; i++)
    {
      const char *path = *paths[i] == '/' ? paths[i] + 1 : paths[i];
      g_auto (GStrv) capabilities = bawn_acl_capabilities (acl, path);

      if (!g_hash_table_add (seen, paths[i]))
        continue;
      bawn_json_writer_add_strv (&w, paths[i], (const char *const *) capabilities);
      if (paths[1] == NULL && !g_str_equal (paths[i], "capabilities"))
        bawn_json_writer_add_strv (&w, "capabilities", (const char *const *) capabilities);
    }
  bawn_json_writer_end_object (&w);

  return bawn_sys_injected (&w);
}

/* Of the token itself, of one by its id, or of one by its accessor. */
static BawnResponse *
capabilities (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnWipedString) id = NULL;
  g_autofree char *accessor = NULL;
  g_auto (GStrv) paths = NULL;
  gboolean by_accessor = g_str_has_prefix (request->rest, "capabilities-accessor");
  gboolean self = g_str_has_prefix (request->rest, "capabilities-self");

  if (active == NULL || !read_paths (request, &paths, error)
      || !bawn_field_string (request, "token", &id, error)
      || (by_accessor && !bawn_field_string (request, "accessor", &accessor, error)))
    return NULL;

  if (self)
    token = bawn_token_ref (request->caller);
  else if (by_accessor && accessor != NULL
           && !bawn_token_store_lookup_accessor (active->tokens, txn, accessor, &token, error))
    return NULL;
  else if (!by_accessor && id != NULL
           && !bawn_token_store_lookup (active->tokens, txn, id, &token, error))
    return NULL;
  if (token == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           by_accessor ? "invalid accessor" : "invalid token");

  return show_capabilities (active, txn, token, paths, error);
}

const BawnRoute bawn_sys_policy_routes[] = {
  { "policy", BAWN_OP_READ | BAWN_OP_LIST, policy_list, BAWN_ROUTE_NONE,
    "List the configured access control policies." },
  { "policy/{name...}", BAWN_OP_READ, policy_read, BAWN_ROUTE_NONE, "Retrieve a named policy." },
  { "policy/{name...}", BAWN_OP_WRITE, policy_write, BAWN_ROUTE_NONE,
    "Add a new or update an existing policy." },
  { "policy/{name...}", BAWN_OP_DELETE, policy_delete, BAWN_ROUTE_NONE, "Delete a policy." },
  { "policies/acl", BAWN_OP_READ | BAWN_OP_LIST, policy_list, BAWN_ROUTE_NONE,
    "List the configured access control policies." },
  { "policies/acl/{name...}", BAWN_OP_READ, policy_read, BAWN_ROUTE_NONE,
    "Retrieve a named policy." },
  { "policies/acl/{name...}", BAWN_OP_WRITE, policy_write, BAWN_ROUTE_NONE,
    "Add a new or update an existing policy." },
  { "policies/acl/{name...}", BAWN_OP_DELETE, policy_delete, BAWN_ROUTE_NONE, "Delete a policy." },
  { "capabilities", BAWN_OP_WRITE, capabilities, BAWN_ROUTE_NONE,
    "Fetches the capabilities of the given token on the given path." },
  { "capabilities-accessor", BAWN_OP_WRITE, capabilities, BAWN_ROUTE_NONE,
    "Fetches the capabilities of the token associated with the given accessor." },
  { "capabilities-self", BAWN_OP_WRITE, capabilities, BAWN_ROUTE_NONE,
    "Fetches the capabilities of the caller's token on the given path." },
  { 0 },
};
