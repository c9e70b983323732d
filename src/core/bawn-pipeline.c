/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-core-private.h"

#include <string.h>

#include "core/bawn-help.h"
#include "core/bawn-login.h"
#include "util/bawn-net.h"

/* What the steps of one attempt hand to each other. */
typedef struct
{
  BawnActive *active;
  BawnRequest *request;
  BawnTxn *txn;
  BawnMountTable *table;
  BawnEngine *engine;      /* not owned; NULL: nothing is mounted there */
  const BawnRoute *route;  /* NULL: see route_error */
  GError *route_error;
  gboolean open;           /* nobody needs a token there */
  gboolean last_use;
} BawnAttempt;

static void
bawn_attempt_clear (BawnAttempt *attempt)
{
  g_clear_error (&attempt->route_error);
  g_clear_pointer (&attempt->table, bawn_mount_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnAttempt, bawn_attempt_clear)

/* Finds mount, engine and row. That something is missing is told only to those who may know, so it is kept for later. */
static gboolean
find_route (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;

  if (!bawn_mount_table_get (attempt->txn, &attempt->table, error))
    return FALSE;

  BawnMount *mount = bawn_mount_table_route (attempt->table, request->path);
  if (mount == NULL)
    {
      (void) bawn_fail (&attempt->route_error, BAWN_ERROR_NOT_FOUND, "no handler for route '%s'", request->path);
      return TRUE;
    }

  gboolean is_auth = g_str_has_prefix (mount->path, "auth/");
  gsize size = strlen (mount->path);

  g_clear_pointer (&request->mount, bawn_mount_unref);
  request->mount = bawn_mount_ref (mount);
  request->rest = strlen (request->path) >= size ? request->path + size : "";
  attempt->engine = bawn_core_lookup_engine (attempt->active->core, mount->type, is_auth);
  if (attempt->engine == NULL)
    {
      (void) bawn_fail (&attempt->route_error, BAWN_ERROR_NOT_FOUND, "no handler for route '%s'", request->path);
      return TRUE;
    }

  if (request->op == BAWN_OP_HELP)
    return TRUE;

  const BawnRoute *routes = bawn_engine_get_routes (attempt->engine, mount);
  attempt->route = bawn_route_match (routes, request, &attempt->route_error);
  attempt->open = attempt->route != NULL ? (attempt->route->flags & BAWN_ROUTE_OPEN) != 0
                                         : bawn_route_is_open_path (routes, request->rest);

  return TRUE;
}

static gboolean
refuse (GError **error)
{
  return bawn_fail (error, BAWN_ERROR_DENIED, "permission denied");
}

static gboolean
address_fits (const BawnToken *token, const BawnRequest *request)
{
  if (token->bound_cidrs == NULL || token->bound_cidrs[0] == NULL || bawn_token_is_root (token))
    return TRUE;

  return request->remote_address != NULL
         && bawn_cidrs_match ((const char *const *) token->bound_cidrs, request->remote_address);
}

/* A token of a login method ends with its mount, though its record is swept up only a moment later. */
static gboolean
mount_is_there (const BawnAttempt *attempt, const BawnToken *token)
{
  const char *uuid
      = token->internal != NULL ? g_hash_table_lookup (token->internal, BAWN_TOKEN_MOUNT) : NULL;

  if (uuid == NULL)
    return TRUE;

  BawnMount *mount = bawn_mount_table_route (attempt->table, token->path);
  return mount != NULL && g_str_equal (mount->uuid, uuid);
}

static gboolean
find_caller (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;
  gboolean open = attempt->open;
  gboolean login = attempt->route != NULL && (attempt->route->flags & BAWN_ROUTE_LOGIN) != 0;
  g_autoptr(BawnToken) token = NULL;

  if (request->token == NULL || (open && login))
    return open || refuse (error);
  if (!bawn_token_store_lookup (attempt->active->tokens, attempt->txn, request->token, &token, error))
    return FALSE;
  if (token == NULL || !address_fits (token, request) || !mount_is_there (attempt, token))
    return open || refuse (error);

  request->caller = g_steal_pointer (&token);
  return TRUE;
}

/* Counted even if the request then fails. */
static gboolean
count_use (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;

  attempt->last_use = FALSE;
  if (request->caller == NULL || request->caller->num_uses == 0 || attempt->open)
    return TRUE;

  return bawn_token_store_use (attempt->active->tokens, attempt->txn, request->caller, &attempt->last_use, error);
}

static BawnTxn *
scope_for (const BawnAttempt *attempt)
{
  if (attempt->route != NULL && (attempt->route->flags & BAWN_ROUTE_ROOT_TXN) != 0)
    return bawn_txn_ref (attempt->txn);

  return bawn_txn_scope (attempt->txn, attempt->request->mount->view);
}

/* A write to what is not there yet is a creation, which policies tell apart. */
static gboolean
tell_create_from_update (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;
  gboolean exists = TRUE;

  if (request->op != BAWN_OP_UPDATE || attempt->route == NULL)
    return TRUE;

  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (attempt->engine);
  if (klass->exists == NULL)
    return TRUE;

  g_autoptr(BawnTxn) scope = scope_for (attempt);
  if (!klass->exists (attempt->engine, request, scope, &exists, error))
    return FALSE;
  if (!exists)
    request->op = BAWN_OP_CREATE;

  return TRUE;
}

static gboolean
check_policies (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;
  gboolean needs_sudo = attempt->route != NULL && (attempt->route->flags & BAWN_ROUTE_SUDO) != 0;
  g_autoptr(BawnAcl) acl = NULL;

  if (attempt->open)
    return TRUE;
  if (request->op == BAWN_OP_HELP)
    return TRUE;
  if (!bawn_core_get_acl (attempt->active, attempt->txn, request->caller, &acl, error))
    return FALSE;

  if (!bawn_acl_allows (acl, request, &request->caller_sudo))
    return refuse (error);
  if (needs_sudo && !request->caller_sudo)
    return refuse (error);

  return TRUE;
}

static void
warn_of_unknown_fields (BawnRequest *request, BawnResponse *response, const BawnRoute *route)
{
  gboolean has_body = response->data != NULL || response->auth != NULL || response->wrap != NULL;

  if (!has_body || (route->flags & BAWN_ROUTE_ANY_FIELD) != 0
      || (request->op & (BAWN_OP_CREATE | BAWN_OP_UPDATE)) == 0)
    return;

  g_auto(GStrv) unknown = bawn_request_unknown_fields (request);
  if (unknown == NULL)
    return;

  g_autofree char *names = g_strjoinv (" ", unknown);
  bawn_response_warn (response, "Endpoint ignored these unrecognized parameters: [%s]", names);
}

/* A batch token is nowhere to be revoked; what it was given ends with its parent. */
static const char *
lease_holder (const BawnToken *caller)
{
  return caller->type == BAWN_TOKEN_BATCH && caller->parent != NULL ? caller->parent : caller->hash;
}

/* An engine's wish for a lease on what it answers. */
static gboolean
grant_lease (BawnAttempt *attempt, BawnResponse *response, GError **error)
{
  BawnRequest *request = attempt->request;
  g_autoptr(BawnLease) lease = NULL;
  g_autofree char *warning = NULL;
  g_autofree char *suffix = NULL;
  gint64 now = bawn_clock_real_us (bawn_core_get_clock (attempt->active->core));

  if (response->secret_ttl_us <= 0 || request->caller == NULL)
    return TRUE;
  if (request->caller->type == BAWN_TOKEN_BATCH && request->caller->expire_us != 0)
    response->secret_ttl_us = MIN (response->secret_ttl_us, request->caller->expire_us - now);

  BawnTtlInput input = {
    .now_us = now,
    .issue_us = now,
    .backend_ttl_us = response->secret_ttl_us,
    .backend_max_us = response->secret_max_ttl_us,
    .mount_default_us = bawn_mount_default_ttl_us (request->mount),
    .mount_max_us = bawn_mount_max_ttl_us (request->mount),
  };
  lease = bawn_lease_new ();
  if (!bawn_ttl_calculate (&input, &lease->ttl_us, &warning, error))
    return FALSE;
  if (warning != NULL)
    bawn_response_warn (response, "%s", warning);

  suffix = bawn_random_base62 (24);
  lease->id = g_strdup_printf ("%s/%s", request->path, suffix);
  lease->token = g_strdup (lease_holder (request->caller));
  lease->mount = g_strdup (request->mount->uuid);
  lease->renewable = response->renewable;
  lease->issue_us = now;
  lease->expire_us = now + lease->ttl_us;
  lease->max_ttl_us = response->secret_max_ttl_us;
  lease->internal = response->secret_internal != NULL ? g_bytes_ref (response->secret_internal) : NULL;
  if (!bawn_lease_put_new (attempt->txn, lease, error))
    return FALSE;

  bawn_metrics_add (bawn_core_get_metrics (attempt->active->core), BAWN_METRIC_LEASES_GRANTED, 1);
  response->lease_id = g_strdup (lease->id);
  response->lease_ttl_us = lease->ttl_us;
  return TRUE;
}

static gboolean
finish_response (BawnAttempt *attempt, BawnResponse **inout_response, GError **error)
{
  BawnRequest *request = attempt->request;
  BawnResponse *response = *inout_response;

  if (attempt->route != NULL)
    warn_of_unknown_fields (request, response, attempt->route);
  if (response->auth != NULL && response->auth->client_token == NULL
      && !bawn_login_finish (attempt->active, request, attempt->txn, response, error))
    return FALSE;
  if (!grant_lease (attempt, response, error))
    return FALSE;
  if (response->auth != NULL && request->op != BAWN_OP_READ && response->auth->token->last_renewal_us == 0)
    bawn_metrics_add (bawn_core_get_metrics (attempt->active->core), BAWN_METRIC_TOKENS_CREATED, 1);
  if (attempt->last_use && response->lease_id != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.");
  if (request->wrap_ttl_us > 0)
    return bawn_wrapping_wrap (attempt->active, request, attempt->txn, request->wrap_ttl_us, inout_response, error);

  return TRUE;
}

static BawnResponse *
run_handler (BawnAttempt *attempt, GError **error)
{
  BawnRequest *request = attempt->request;
  g_autoptr(BawnResponse) response = NULL;

  /* Whoever asks for help may read it, and no more. */
  if (request->op == BAWN_OP_HELP && request->authorize_only)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "this is not about one node");
  if (request->op == BAWN_OP_HELP && attempt->engine != NULL)
    return bawn_help_response (attempt->engine, request, error);
  if (attempt->route == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&attempt->route_error));
      return NULL;
    }

  if (request->authorize_only)
    return (attempt->route->flags & BAWN_ROUTE_NODE) != 0
               ? bawn_response_new_empty ()
               : bawn_fail_null (error, BAWN_ERROR_INVALID, "this is not about one node");

  g_autoptr(BawnTxn) scope = scope_for (attempt);
  response = attempt->route->handler (attempt->engine, request, scope, error);
  if (response == NULL || !finish_response (attempt, &response, error))
    return NULL;

  return g_steal_pointer (&response);
}

/* The request's line comes out once, however often the request is run again. */
static gboolean
audit_request (BawnAttempt *attempt, const GError *failure, GError **error)
{
  BawnAuditBroker *audit = bawn_core_get_audit (attempt->active->core);

  if (attempt->request->audited)
    return TRUE;
  if (!bawn_audit_broker_request (audit, attempt->request, attempt->txn, failure != NULL ? failure->message : NULL, error))
    return FALSE;

  attempt->request->audited = TRUE;
  return TRUE;
}

static gboolean
sync_audit (BawnAttempt *attempt, GError **error)
{
  g_autoptr(BawnAuditTable) table = NULL;

  if (!bawn_audit_table_get (attempt->txn, &table, error))
    return FALSE;

  bawn_audit_broker_sync (bawn_core_get_audit (attempt->active->core), table);
  return TRUE;
}

static gboolean
must_run_again (const GError *error)
{
  return bawn_error_is (error, BAWN_ERROR_WOULD_BLOCK) || bawn_error_is (error, BAWN_ERROR_CONFLICT);
}

/* Everything before the handler: who asks for what, and may they. */
static gboolean
admit (BawnAttempt *attempt, GError **error)
{
  return find_route (attempt, error)
         && find_caller (attempt, error)
         && count_use (attempt, error)
         && tell_create_from_update (attempt, error)
         && check_policies (attempt, error);
}

/* What a failed request still writes: the use of its token, and its end if it was the last. */
static gboolean
settle_token (BawnAttempt *attempt, gboolean failed, GError **error)
{
  if (failed)
    {
      bawn_txn_drop_writes (attempt->txn);
      if (!count_use (attempt, error))
        return FALSE;
    }
  if (!attempt->last_use)
    return TRUE;

  return bawn_token_store_revoke (attempt->active->tokens, attempt->txn, attempt->request->caller->hash, error);
}

/**
 * bawn_pipeline_run:
 * @active: the node
 * @request: the request; what the pipeline fills in is made anew
 * @txn: an unscoped transaction
 * @error: return location
 *
 * One attempt at a request. Both a response and an error may leave writes in @txn that belong to it. WOULD_BLOCK and
 * CONFLICT ask for another attempt.
 *
 * Returns: (transfer full) (nullable): the response
 */
BawnResponse *
bawn_pipeline_run (BawnActive *active, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto(BawnAttempt) attempt = { .active = active, .request = request, .txn = txn };
  g_autoptr(GError) failure = NULL;
  g_autoptr(BawnResponse) response = NULL;

  bawn_request_reset (request);
  if (!sync_audit (&attempt, error))
    return NULL;

  gboolean admitted = admit (&attempt, &failure);
  if (!admitted && must_run_again (failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (admitted && attempt.route != NULL && (attempt.route->flags & BAWN_ROUTE_SLOW) != 0 && !bawn_txn_may_block (txn))
    return bawn_fail_null (error, BAWN_ERROR_WOULD_BLOCK, "not on a listener's thread");
  if (!audit_request (&attempt, failure, error))
    return NULL;
  if (admitted)
    response = run_handler (&attempt, &failure);
  if (response == NULL && must_run_again (failure))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }

  if (!settle_token (&attempt, response == NULL, error))
    {
      bawn_txn_drop_writes (txn);
      return NULL;
    }
  if (response == NULL)
    g_propagate_error (error, g_steal_pointer (&failure));

  return g_steal_pointer (&response);
}
