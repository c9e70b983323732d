/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-auth-token-private.h"

#define STATUS_ACCEPTED 202

static BawnResponse *
revoke_token (
    BawnEngine *engine, BawnTxn *txn, const BawnToken *token, gboolean orphan, GError **error)
{
  g_autoptr (BawnTokenStore) store = bawn_auth_token_ref_store (engine, error);
  BawnResponse *response = NULL;

  if (store == NULL)
    return NULL;
  if (token->type == BAWN_TOKEN_BATCH)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "batch tokens cannot be revoked");
  if (orphan ? !bawn_token_store_revoke_orphan (store, txn, token->hash, error)
             : !bawn_token_store_revoke (store, txn, token->hash, error))
    return NULL;

  response = bawn_response_new_empty ();
  bawn_auth_token_sweep_after (engine, response);
  return response;
}

static gboolean
find_named (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnToken **out_token, GError **error)
{
  g_autoptr (BawnWipedString) id = g_strdup ("");

  if (!bawn_field_string (request, "token", &id, error))
    return FALSE;
  if (*id == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing token ID");

  return bawn_auth_token_find (engine, request, txn, id, out_token, error);
}

BawnResponse *
bawn_auth_token_revoke (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnToken) token = NULL;

  if (!find_named (engine, request, txn, &token, error))
    return NULL;
  if (token == NULL)
    return bawn_response_new_empty ();

  return revoke_token (engine, txn, token, FALSE, error);
}

BawnResponse *
bawn_auth_token_revoke_orphan (BawnEngine *engine,
                               BawnRequest *request,
                               BawnTxn *txn,
                               GError **error)
{
  g_autoptr (BawnToken) token = NULL;

  if (!find_named (engine, request, txn, &token, error))
    return NULL;
  if (token == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "token to revoke not found");

  return revoke_token (engine, txn, token, TRUE, error);
}

BawnResponse *
bawn_auth_token_revoke_self (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return revoke_token (engine, txn, request->caller, FALSE, error);
}

BawnResponse *
bawn_auth_token_revoke_accessor (BawnEngine *engine,
                                 BawnRequest *request,
                                 BawnTxn *txn,
                                 GError **error)
{
  g_autoptr (BawnToken) token = NULL;

  if (!bawn_auth_token_find_accessor (engine, request, txn, &token, error))
    return NULL;

  return revoke_token (engine, txn, token, FALSE, error);
}

BawnResponse *
bawn_auth_token_tidy (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnResponse *response = bawn_response_new_empty ();

  response->status = STATUS_ACCEPTED;
  bawn_response_warn (response, "Tidy operation successfully started. Any information from the "
                                "operation will be printed to Vault's server logs.");
  bawn_auth_token_sweep_after (engine, response);

  return response;
}
