/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-login.h"

#include <string.h>

/* The mount may insist on a type of token, or say what a role without an opinion gets. */
static void
choose_type (const BawnMount *mount, BawnToken *token)
{
  if (g_strcmp0 (mount->token_type, "batch") == 0)
    token->type = BAWN_TOKEN_BATCH;
  else if (g_strcmp0 (mount->token_type, "service") == 0)
    token->type = BAWN_TOKEN_SERVICE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, lower case, each once, with "default" unless it is not wanted. */
static GStrv
clean_policies (const BawnToken *token)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr(GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (!token->no_default_policy)
    g_ptr_array_add (names, g_strdup ("default"));
  for (guint i = 0; token->policies != NULL && token->policies[i] != NULL; i++)
    g_ptr_array_add (names, g_ascii_strdown (token->policies[i], -1));
  g_ptr_array_sort (names, compare_names);

  g_autoptr(GStrvBuilder) builder = g_strv_builder_new ();
  for (guint i = 0; i < names->len; i++)
    {
      char *name = g_ptr_array_index (names, i);

      if (*name != '\0' && g_hash_table_add (seen, name))
        g_strv_builder_add (builder, name);
    }

  return g_strv_builder_end (builder);
}

gboolean
bawn_login_finish (BawnActive *active, BawnRequest *request, BawnTxn *txn, BawnResponse *response, GError **error)
{
  BawnToken *token = response->auth->token;
  g_autofree char *warning = NULL;
  gint64 now = bawn_clock_real_us (bawn_core_get_clock (active->core));

  if (bawn_token_has_policy (token, "root"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "auth methods cannot create root tokens");

  /* Whoever had it could fill a cubbyhole, and have it unwrapped as the server's own word. */
  if (bawn_token_has_policy (token, BAWN_POLICY_RESPONSE_WRAPPING))
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot assign policy \"%s\"", BAWN_POLICY_RESPONSE_WRAPPING);

  choose_type (request->mount, token);
  if (token->internal == NULL)
    token->internal = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_insert (token->internal, g_strdup (BAWN_TOKEN_MOUNT), g_strdup (request->mount->uuid));
  GStrv policies = clean_policies (token);
  g_strfreev (token->policies);
  token->policies = policies;
  g_free (token->path);
  token->path = g_strdup (request->path);

  BawnTtlInput input = {
    .now_us = now,
    .issue_us = now,
    .backend_ttl_us = token->ttl_us,
    .period_us = token->period_us,
    .backend_max_us = token->max_ttl_us,
    .explicit_max_us = token->explicit_max_ttl_us,
    .mount_default_us = bawn_mount_default_ttl_us (request->mount),
    .mount_max_us = bawn_mount_max_ttl_us (request->mount),
  };
  if (!bawn_ttl_calculate (&input, &token->ttl_us, &warning, error))
    return FALSE;
  if (warning != NULL)
    bawn_response_warn (response, "%s", warning);
  token->creation_ttl_us = token->ttl_us;
  token->expire_us = token->ttl_us > 0 ? now + token->ttl_us : 0;
  if (token->type == BAWN_TOKEN_BATCH)
    token->renewable = FALSE;

  bawn_metrics_add (bawn_core_get_metrics (active->core), BAWN_METRIC_LOGINS, 1);
  return bawn_token_store_create (active->tokens, txn, token, NULL, request->path, &response->auth->client_token, error);
}

gboolean
bawn_login_renew (BawnActive *active, BawnTxn *txn, BawnToken *token, GError **error)
{
  g_autoptr(BawnMountTable) table = NULL;

  if (token->path == NULL || g_str_has_prefix (token->path, "auth/token/"))
    return TRUE;
  if (!bawn_mount_table_get (txn, &table, error))
    return FALSE;

  BawnMount *mount = bawn_mount_table_route (table, token->path);
  BawnEngine *engine = mount != NULL ? bawn_core_lookup_engine (active->core, mount->type, TRUE) : NULL;
  if (engine == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "no login method at the token's path any more");
  if (BAWN_ENGINE_GET_CLASS (engine)->renew_auth == NULL)
    return TRUE;

  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_UPDATE, token->path);
  g_autoptr(BawnTxn) scope = bawn_txn_scope (txn, mount->view);
  request->mount = bawn_mount_ref (mount);
  request->rest = request->path + strlen (mount->path);
  request->started_us = bawn_clock_real_us (bawn_core_get_clock (active->core));

  return BAWN_ENGINE_GET_CLASS (engine)->renew_auth (engine, request, token, scope, error);
}
