/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-auth-token-private.h"

#include "auth/bawn-policy.h"

#include <string.h>

/* As the API's \w[\w-.]+\w. */
#define SUFFIX_PATTERN "\\w[\\w-.]+\\w"
#define SUFFIX_MIN 3

static gboolean
suffix_fits (const char *suffix)
{
  gsize size = strlen (suffix);

  if (size < SUFFIX_MIN)
    return FALSE;
  for (gsize i = 0; i < size; i++)
    {
      gboolean edge = i == 0 || i == size - 1;

      if (!g_ascii_isalnum (suffix[i]) && suffix[i] != '_'
          && (edge || (suffix[i] != '-' && suffix[i] != '.')))
        return FALSE;
    }

  return strstr (suffix, "..") == NULL;
}

static gboolean
parse_suffix (BawnTokenRole *role, BawnRequest *request, GError **error)
{
  g_autofree char *suffix = g_strdup (role->path_suffix);

  if (!bawn_field_string (request, "path_suffix", &suffix, error))
    return FALSE;
  if (suffix != NULL && *suffix != '\0' && !suffix_fits (suffix))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given role path suffix contains invalid characters; must match %s",
                      SUFFIX_PATTERN);

  g_free (role->path_suffix);
  role->path_suffix = suffix != NULL && *suffix != '\0' ? g_steal_pointer (&suffix) : NULL;
  return TRUE;
}

static gboolean
parse_names (BawnRequest *request, const char *field, GStrv *inout_names, GError **error)
{
  g_auto (GStrv) names = NULL;

  if (!bawn_field_strv (request, field, &names, error))
    return FALSE;
  if (names == NULL)
    return TRUE;

  g_strfreev (*inout_names);
  *inout_names = bawn_policy_names_clean ((const char *const *) names, FALSE);
  return TRUE;
}

static gboolean
check_batch (const BawnTokenRole *role, GError **error)
{
  if (role->params.type == BAWN_TOKEN_WISH_BATCH && role->params.explicit_max_ttl_us != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "'token_type' cannot be 'batch' when role is set to generate tokens with an "
                      "explicit max TTL");

  return TRUE;
}

static gboolean
parse_role (BawnTokenRole *role, BawnRequest *request, GPtrArray *warnings, GError **error)
{
  BawnTokenParams *params = &role->params;

  if (!bawn_field_bool (request, "orphan", &role->orphan, error)
      || !bawn_field_bool (request, "renewable", &role->renewable, error)
      || !parse_suffix (role, request, error)
      || !parse_names (request, "allowed_policies", &role->allowed_policies, error)
      || !parse_names (request, "disallowed_policies", &role->disallowed_policies, error)
      || !parse_names (request, "allowed_policies_glob", &role->allowed_globs, error)
      || !parse_names (request, "disallowed_policies_glob", &role->disallowed_globs, error)
      || !bawn_field_strv (request, "allowed_entity_aliases", &role->allowed_entity_aliases, error)
      || !bawn_token_params_parse (params, request, BAWN_TOKEN_ROLE_PARAMS, BAWN_TOKEN_ROLE_LEGACY,
                                   warnings, error))
    return FALSE;

  if (params->type == BAWN_TOKEN_WISH_DEFAULT)
    params->type = BAWN_TOKEN_WISH_DEFAULT_SERVICE;

  return check_batch (role, error);
}

static void
warn_of_long_max (const BawnTokenRole *role, BawnRequest *request, GPtrArray *warnings)
{
  gint64 max_us = bawn_mount_max_ttl_us (request->mount);

  if (role->params.explicit_max_ttl_us > max_us)
    g_ptr_array_add (
        warnings, g_strdup_printf (
                      "Given explicit max TTL of %" G_GINT64_FORMAT
                      " is greater than system/mount allowed value of %" G_GINT64_FORMAT
                      " seconds; until this is fixed attempting to create tokens against this "
                      "role will result in an error",
                      role->params.explicit_max_ttl_us / G_USEC_PER_SEC, max_us / G_USEC_PER_SEC));
}

BawnResponse *
bawn_auth_token_write_role (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *name = bawn_request_param (request, "name");
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, request->mount->view);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (BawnTokenRole) before = NULL;
  g_autoptr (BawnTokenRole) role = NULL;
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();

  if (!bawn_token_role_get (scope, name, &before, error))
    return NULL;
  role = before != NULL ? bawn_token_role_copy (before) : bawn_token_role_new (name);
  if (!parse_role (role, request, warnings, error))
    return NULL;

  warn_of_long_max (role, request, warnings);
  bawn_token_role_put (scope, role);
  for (guint i = 0; i < warnings->len; i++)
    bawn_response_warn (response, "%s", (const char *) g_ptr_array_index (warnings, i));

  return g_steal_pointer (&response);
}

BawnResponse *
bawn_auth_token_read_role (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnTokenRole) role = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_auth_token_get_role (request, txn, bawn_request_param (request, "name"), &role, error))
    return NULL;
  if (role == NULL)
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  bawn_token_role_show (role, &w);
  return bawn_response_new_writer (&w);
}

BawnResponse *
bawn_auth_token_delete_role (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, request->mount->view);
  g_autofree char *key =
      g_strconcat (BAWN_TOKEN_ROLE_PREFIX, bawn_request_param (request, "name"), NULL);

  bawn_txn_delete (scope, key);
  return bawn_response_new_empty ();
}

BawnResponse *
bawn_auth_token_list_roles (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, request->mount->view);
  g_auto (GStrv) names = NULL;

  if (!bawn_txn_list (scope, BAWN_TOKEN_ROLE_PREFIX, NULL, 0, &names, error))
    return NULL;

  return bawn_response_new_keys ((const char *const *) names);
}
