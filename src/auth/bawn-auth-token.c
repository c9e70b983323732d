/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-auth-token-private.h"

struct _BawnAuthToken
{
  BawnEngine parent_instance;
  BawnTokenServices services;
};

G_DEFINE_FINAL_TYPE (BawnAuthToken, bawn_auth_token, BAWN_TYPE_ENGINE)

const BawnTokenServices *
bawn_auth_token_get_services (BawnEngine *engine)
{
  return &BAWN_AUTH_TOKEN (engine)->services;
}

BawnTokenStore *
bawn_auth_token_ref_store (BawnEngine *engine, GError **error)
{
  const BawnTokenServices *services = bawn_auth_token_get_services (engine);
  BawnTokenStore *store = services->ref_store (services->core);

  if (store == NULL)
    return bawn_fail_null (error, BAWN_ERROR_SEALED, "Vault is sealed");

  return store;
}

static void
kick (gpointer data, gpointer unused)
{
  BawnEngine *engine = data;
  const BawnTokenServices *services = bawn_auth_token_get_services (engine);

  if (services->kick_sweeper != NULL)
    services->kick_sweeper (services->core);
}

void
bawn_auth_token_sweep_after (BawnEngine *engine, BawnResponse *response)
{
  bawn_response_after_commit (response, kick, g_object_ref (engine), g_object_unref);
}

gboolean
bawn_auth_token_get_role (
    BawnRequest *request, BawnTxn *txn, const char *name, BawnTokenRole **out_role, GError **error)
{
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, request->mount->view);

  return bawn_token_role_get (scope, name, out_role, error);
}

gboolean
bawn_auth_token_find (BawnEngine *engine,
                      BawnRequest *request,
                      BawnTxn *txn,
                      const char *id,
                      BawnToken **out_token,
                      GError **error)
{
  g_autoptr (BawnTokenStore) store = bawn_auth_token_ref_store (engine, error);
  g_autofree char *hash = store != NULL ? bawn_token_store_hash (store, id) : NULL;

  if (store == NULL || !bawn_token_store_lookup (store, txn, id, out_token, error))
    return FALSE;

  /* A look-up does not find the caller's own token any more if this request is its last use. */
  if (*out_token == NULL && request->caller != NULL && g_str_equal (hash, request->caller->hash))
    *out_token = bawn_token_ref (request->caller);

  return TRUE;
}

gboolean
bawn_auth_token_find_accessor (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, BawnToken **out_token, GError **error)
{
  g_autofree char *accessor = g_strdup ("");
  g_autoptr (BawnTokenStore) store = NULL;

  if (!bawn_field_string (request, "accessor", &accessor, error))
    return FALSE;
  if (*accessor == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing accessor");

  store = bawn_auth_token_ref_store (engine, error);
  if (store == NULL || !bawn_token_store_lookup_accessor (store, txn, accessor, out_token, error))
    return FALSE;
  if (*out_token == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid accessor");

  return TRUE;
}

static gboolean
token_exists (
    BawnEngine *engine, BawnRequest *request, BawnTxn *txn, gboolean *out_exists, GError **error)
{
  g_autoptr (BawnTokenRole) role = NULL;

  *out_exists = TRUE;
  if (!g_str_has_prefix (request->rest, "roles/"))
    return TRUE;
  if (!bawn_auth_token_get_role (request, txn, bawn_request_param (request, "name"), &role, error))
    return FALSE;

  *out_exists = role != NULL;
  return TRUE;
}

static gboolean
token_renew_auth (
    BawnEngine *engine, BawnRequest *request, BawnToken *token, BawnTxn *txn, GError **error)
{
  return bawn_auth_token_renew_own (txn, token, error);
}

#define ROOT_TXN BAWN_ROUTE_ROOT_TXN
#define SUDO BAWN_ROUTE_SUDO

static const BawnRoute routes[] = {
  { "create", BAWN_OP_WRITE, bawn_auth_token_create, ROOT_TXN, "Makes a token." },
  { "create-orphan", BAWN_OP_WRITE, bawn_auth_token_create_orphan, ROOT_TXN,
    "Makes a token without a parent." },
  { "create/{role}", BAWN_OP_WRITE, bawn_auth_token_create_by_role, ROOT_TXN,
    "Makes a token as a role says." },
  { "lookup", BAWN_OP_READ | BAWN_OP_WRITE, bawn_auth_token_lookup, ROOT_TXN,
    "Tells about a token." },
  { "lookup-self", BAWN_OP_READ | BAWN_OP_WRITE, bawn_auth_token_lookup_self, ROOT_TXN,
    "Tells about the caller's token." },
  { "lookup-accessor", BAWN_OP_WRITE, bawn_auth_token_lookup_accessor, ROOT_TXN,
    "Tells about the token of an accessor." },
  { "accessors", BAWN_OP_LIST, bawn_auth_token_list_accessors, ROOT_TXN | SUDO,
    "Lists the accessors of all tokens." },
  { "renew", BAWN_OP_WRITE, bawn_auth_token_renew, ROOT_TXN, "Extends a token's life." },
  { "renew-self", BAWN_OP_WRITE, bawn_auth_token_renew_self, ROOT_TXN,
    "Extends the life of the caller's token." },
  { "renew-accessor", BAWN_OP_WRITE, bawn_auth_token_renew_accessor, ROOT_TXN,
    "Extends the life of the token of an accessor." },
  { "revoke", BAWN_OP_WRITE, bawn_auth_token_revoke, ROOT_TXN,
    "Ends a token and all that were made with it." },
  { "revoke-self", BAWN_OP_WRITE, bawn_auth_token_revoke_self, ROOT_TXN,
    "Ends the caller's token and all that were made with it." },
  { "revoke-accessor", BAWN_OP_WRITE, bawn_auth_token_revoke_accessor, ROOT_TXN,
    "Ends the token of an accessor and all that were made with it." },
  { "revoke-orphan", BAWN_OP_WRITE, bawn_auth_token_revoke_orphan, ROOT_TXN | SUDO,
    "Ends a token; those made with it live on." },
  { "tidy", BAWN_OP_WRITE, bawn_auth_token_tidy, ROOT_TXN, "Clears away what tokens left behind." },
  { "roles", BAWN_OP_LIST, bawn_auth_token_list_roles, ROOT_TXN, "Lists the roles." },
  { "roles/{name}", BAWN_OP_READ, bawn_auth_token_read_role, ROOT_TXN, "Reads a role." },
  { "roles/{name}", BAWN_OP_WRITE, bawn_auth_token_write_role, ROOT_TXN,
    "Makes or changes a role." },
  { "roles/{name}", BAWN_OP_DELETE, bawn_auth_token_delete_role, ROOT_TXN, "Deletes a role." },
  { NULL },
};

static void
bawn_auth_token_class_init (BawnAuthTokenClass *klass)
{
  BawnEngineClass *engine_class = BAWN_ENGINE_CLASS (klass);

  engine_class->name = "token";
  engine_class->help = "Makes, shows, renews and revokes tokens.";
  engine_class->routes = routes;
  engine_class->exists = token_exists;
  engine_class->renew_auth = token_renew_auth;
}

static void
bawn_auth_token_init (BawnAuthToken *self)
{
}

/**
 * bawn_auth_token_new:
 * @services: what it needs of the core; copied, what it points to must outlive the engine
 *
 * Returns: (transfer full): the engine
 */
BawnEngine *
bawn_auth_token_new (const BawnTokenServices *services)
{
  BawnAuthToken *self = g_object_new (BAWN_TYPE_AUTH_TOKEN, NULL);

  self->services = *services;
  return BAWN_ENGINE (self);
}
