/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-auth-token-private.h"

#include "util/bawn-clock.h"

gboolean
bawn_auth_token_renew_own (BawnTxn *txn, BawnToken *token, GError **error)
{
  g_autoptr (BawnTokenRole) role = NULL;

  if (token->role == NULL || *token->role == '\0')
    return TRUE;
  if (!bawn_token_role_get (txn, token->role, &role, error))
    return FALSE;
  if (role == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "original token role \"%s\" could not be found, not renewing", token->role);

  /* What the role says by now, together with what was asked for when the token was made. */
  token->period_us =
      bawn_auth_token_join_periods (bawn_auth_token_own_period (token), role->params.period_us);
  return TRUE;
}

/* The login method that gave the token has a say in how long it goes on. */
static gboolean
ask_method (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnToken *token, GError **error)
{
  const BawnTokenServices *services = bawn_auth_token_get_services (engine);

  if (token->path == NULL || g_str_has_prefix (token->path, request->mount->path))
    {
      g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, request->mount->view);
      return bawn_auth_token_renew_own (scope, token, error);
    }
  if (services->renew_auth == NULL)
    return TRUE;

  return services->renew_auth (services->core, txn, token, error);
}

static BawnMount *
ref_mount_of (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, const BawnToken *token)
{
  const BawnTokenServices *services = bawn_auth_token_get_services (engine);
  BawnMount *mount = services->ref_mount != NULL && token->path != NULL
                         ? services->ref_mount (services->core, txn, token->path)
                         : NULL;

  return mount != NULL ? mount : bawn_mount_ref (request->mount);
}

static gboolean
extend (BawnEngine *engine,
        BawnRequest *request,
        BawnTxn *txn,
        BawnToken *token,
        char **out_warning,
        GError **error)
{
  gint64 now_us = bawn_clock_real_us (bawn_auth_token_get_services (engine)->clock);
  g_autoptr (BawnMount) mount = NULL;
  gint64 increment_us = 0;

  if (!bawn_field_duration (request, "increment", &increment_us, error)
      || !ask_method (engine, request, txn, token, error))
    return FALSE;

  mount = ref_mount_of (engine, request, txn, token);

  BawnTtlInput input = {
    .now_us = now_us,
    .issue_us = token->creation_us,
    .increment_us = increment_us,
    .backend_ttl_us = token->ttl_us,
    .period_us = token->period_us,
    .backend_max_us = token->max_ttl_us,
    .explicit_max_us = token->explicit_max_ttl_us,
    .mount_default_us = bawn_mount_default_ttl_us (mount),
    .mount_max_us = bawn_mount_max_ttl_us (mount),
  };

  if (!bawn_ttl_calculate (&input, &token->ttl_us, out_warning, error))
    return FALSE;

  token->expire_us = now_us + token->ttl_us;
  token->last_renewal_us = now_us;
  return TRUE;
}

/* @id: what the answer shows as the client token. */
static BawnResponse *
renew_token (BawnEngine *engine,
             BawnRequest *request,
             BawnTxn *txn,
             const BawnToken *token,
             const char *id,
             GError **error)
{
  g_autoptr (BawnTokenStore) store = NULL;
  g_autoptr (BawnToken) renewed = NULL;
  g_autofree char *warning = NULL;
  BawnResponse *response = NULL;
  BawnAuth *auth = NULL;

  if (token->type == BAWN_TOKEN_BATCH)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "batch tokens cannot be renewed");
  if (token->expire_us == 0)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "invalid lease ID");
  if (!token->renewable)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "lease is not renewable");

  store = bawn_auth_token_ref_store (engine, error);
  renewed = bawn_token_copy (token);
  if (store == NULL || !extend (engine, request, txn, renewed, &warning, error)
      || !bawn_token_store_update (store, txn, renewed, error))
    return NULL;

  auth = bawn_auth_new (g_steal_pointer (&renewed));
  auth->client_token = g_strdup (id);
  response = bawn_response_new_auth (auth);
  if (warning != NULL)
    bawn_response_warn (response, "%s", warning);

  return response;
}

BawnResponse *
bawn_auth_token_renew (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnWipedString) id = g_strdup ("");
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_field_string (request, "token", &id, error))
    return NULL;
  if (*id == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing token ID");
  if (!bawn_auth_token_find (engine, request, txn, id, &token, error))
    return NULL;
  if (token == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "token not found");

  return renew_token (engine, request, txn, token, id, error);
}

BawnResponse *
bawn_auth_token_renew_self (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return renew_token (engine, request, txn, request->caller, request->token, error);
}

BawnResponse *
bawn_auth_token_renew_accessor (BawnEngine *engine,
                                BawnRequest *request,
                                BawnTxn *txn,
                                GError **error)
{
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_auth_token_find_accessor (engine, request, txn, &token, error))
    return NULL;

  return renew_token (engine, request, txn, token, "", error);
}
