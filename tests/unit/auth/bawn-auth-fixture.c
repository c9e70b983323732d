/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/auth/bawn-auth-fixture.h"

#include "auth/bawn-auth-token.h"
#include "auth/bawn-policy.h"
#include "tests/support/unref-last.h"

#include <string.h>

GType bawn_backend_memory_get_type (void);

void
auth_set_up (AuthFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnSecret) key = bawn_secret_new_random (BAWN_KEY_SIZE);

  f->backend = (BawnBackend *) g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);
  g_assert_no_error (error);
  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  g_assert_true (bawn_store_open_term (f->store, 0, NULL, &error));
  g_assert_no_error (error);
  f->clock = bawn_clock_new_fake (AUTH_START_US);
  f->tokens = bawn_token_store_new (key, f->clock);
}

void
auth_tear_down (AuthFixture *f, gconstpointer data)
{
  g_clear_object (&f->engine);
  g_clear_pointer (&f->mount, bawn_mount_unref);
  g_clear_pointer (&f->login_mount, bawn_mount_unref);
  g_clear_pointer (&f->caller, g_free);
  g_clear_pointer (&f->made, g_free);
  g_clear_pointer (&f->accessor, g_free);
  bawn_token_store_unref (f->tokens);
  bawn_clock_unref (f->clock);
  unref_last (f->store);
  unref_last (f->backend);
}

BawnTxn *
auth_begin (AuthFixture *f)
{
  return bawn_store_begin (f->store, NULL, TRUE);
}

void
auth_commit (BawnTxn *txn)
{
  assert_works (bawn_txn_commit (txn, &error));
  bawn_txn_unref (txn);
}

static guint
count_below (BawnTxn *txn, const char *prefix)
{
  g_auto (GStrv) names = NULL;
  guint n = 0;

  assert_works (bawn_txn_list (txn, prefix, NULL, BAWN_BACKEND_MAX_LIST, &names, &error));
  for (char **name = names; *name != NULL; name++)
    {
      g_autofree char *key = g_strconcat (prefix, *name, NULL);

      n += g_str_has_suffix (key, "/") ? count_below (txn, key) : 1;
    }

  return n;
}

guint
auth_count (AuthFixture *f, const char *prefix)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);

  return count_below (txn, prefix);
}

static BawnTokenStore *
ref_store (gpointer core)
{
  return bawn_token_store_ref (((AuthFixture *) core)->tokens);
}

static void
kick (gpointer core)
{
  ((AuthFixture *) core)->kicks++;
}

/* A method that gave the tokens at auth/login/, and lets them go on for an hour at a time. */
static gboolean
renew_auth (gpointer core, BawnTxn *txn, BawnToken *token, GError **error)
{
  if (g_str_has_suffix (token->path, "/gone"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "policies have changed, not renewing");

  token->ttl_us = AUTH_S (3600);
  return TRUE;
}

static BawnMount *
ref_mount (gpointer core, BawnTxn *txn, const char *path)
{
  AuthFixture *f = core;

  if (f->login_mount == NULL || !g_str_has_prefix (path, f->login_mount->path))
    return NULL;

  return bawn_mount_ref (f->login_mount);
}

static void
set_mount (AuthFixture *f, const char *path)
{
  f->mount = bawn_mount_new ();
  f->mount->path = g_strdup (path);
  f->mount->view = g_strdup ("mount/m/");
  f->mount->token_type = g_strdup ("default-service");
}

void
auth_mount_token (AuthFixture *f)
{
  BawnTxn *txn = auth_begin (f);
  BawnTokenServices services = {
    .ref_store = ref_store,
    .core = f,
    .clock = f->clock,
    .renew_auth = renew_auth,
    .kick_sweeper = kick,
    .ref_mount = ref_mount,
  };

  f->engine = bawn_auth_token_new (&services);
  set_mount (f, "auth/token/");
  bawn_policy_put_defaults (txn);
  for (const char *name = "abcd"; *name != '\0'; name++)
    {
      char text[] = { *name, '\0' };
      assert_works (bawn_policy_put (txn, text, "", &error));
    }
  auth_commit (txn);
}

void
auth_mount (AuthFixture *f, GType type, const char *path)
{
  f->engine = g_object_new (type, NULL);
  set_mount (f, path);
}

void
auth_become_token (AuthFixture *f, const char *id, gboolean sudo)
{
  char *caller = g_strdup (id);

  g_free (f->caller);
  f->caller = caller;
  f->sudo = sudo;
}

void
auth_become (AuthFixture *f, const char *policies, gint64 ttl_s, gboolean sudo)
{
  g_autoptr (BawnToken) token = bawn_token_new ();
  g_autoptr (BawnWipedString) id = NULL;
  BawnTxn *txn = auth_begin (f);

  token->policies = g_strsplit (policies, " ", -1);
  token->ttl_us = AUTH_S (ttl_s);
  token->renewable = ttl_s != 0;
  assert_works (
      bawn_token_store_create (f->tokens, txn, token, NULL, "auth/token/create", &id, &error));
  auth_commit (txn);
  auth_become_token (f, id, sudo);
}

static gboolean
find_caller (AuthFixture *f, BawnRequest *request, BawnTxn *txn, gboolean *out_last)
{
  *out_last = FALSE;
  if (f->caller == NULL)
    return TRUE;

  assert_works (bawn_token_store_lookup (f->tokens, txn, f->caller, &request->caller, &error));
  if (request->caller == NULL)
    return FALSE;
  assert_works (bawn_token_store_use (f->tokens, txn, request->caller, out_last, &error));
  request->token = g_strdup (f->caller);
  request->caller_sudo = f->sudo;

  return TRUE;
}

static void
finish_login (AuthFixture *f, BawnRequest *request, BawnTxn *txn, BawnResponse *response)
{
  if (response->auth != NULL && response->auth->client_token == NULL)
    assert_works (bawn_token_store_create (f->tokens, txn, response->auth->token, NULL,
                                           request->path, &response->auth->client_token, &error));
  if (response->auth == NULL)
    return;

  g_free (f->made);
  f->made = g_strdup (response->auth->client_token);
  g_free (f->accessor);
  f->accessor = g_strdup (response->auth->token->accessor);
}

static BawnResponse *
run_handler (AuthFixture *f, BawnRequest *request, BawnTxn *txn, GError **error)
{
  BawnEngineClass *klass = BAWN_ENGINE_GET_CLASS (f->engine);
  const BawnRoute *route =
      bawn_route_match (bawn_engine_get_routes (f->engine, f->mount), request, error);

  if (route == NULL)
    return NULL;

  gboolean root = (route->flags & BAWN_ROUTE_ROOT_TXN) != 0;
  g_autoptr (BawnTxn) scope = root ? bawn_txn_ref (txn) : bawn_txn_scope (txn, f->mount->view);
  gboolean exists = TRUE;

  if ((route->flags & BAWN_ROUTE_SUDO) != 0 && !f->sudo)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");
  if (request->op == BAWN_OP_UPDATE && !klass->exists (f->engine, request, scope, &exists, error))
    return NULL;
  if (!exists)
    request->op = BAWN_OP_CREATE;

  return route->handler (f->engine, request, scope, error);
}

BawnResponse *
auth_ask (AuthFixture *f, BawnOp op, const char *path, const char *body, GError **error)
{
  g_autofree char *whole = g_strconcat (f->mount->path, path, NULL);
  g_autoptr (BawnRequest) request = bawn_request_new (op, whole);
  BawnTxn *txn = auth_begin (f);
  BawnResponse *response = NULL;
  gboolean last = FALSE;

  request->mount = bawn_mount_ref (f->mount);
  request->rest = request->path + strlen (f->mount->path);
  request->remote_address = g_strdup (f->address);
  if (body != NULL)
    request->data = bawn_json_parse_string (body, NULL);
  g_assert_true (body == NULL || request->data != NULL);
  if (!find_caller (f, request, txn, &last))
    {
      bawn_txn_unref (txn);
      return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");
    }

  response = run_handler (f, request, txn, error);
  if (response == NULL)
    {
      bawn_txn_unref (txn);
      return NULL;
    }
  finish_login (f, request, txn, response);
  if (last && !bawn_token_store_revoke (f->tokens, txn, request->caller->hash, error))
    g_assert_not_reached ();
  auth_commit (txn);
  bawn_response_run_after_commit (response);

  return response;
}

static const char *
code_name (int code)
{
  return code == BAWN_ERROR_INVALID       ? "INVALID"
         : code == BAWN_ERROR_DENIED      ? "DENIED"
         : code == BAWN_ERROR_NOT_FOUND   ? "NOT_FOUND"
         : code == BAWN_ERROR_UNSUPPORTED ? "UNSUPPORTED"
                                          : "OTHER";
}

static void
append_auth (GString *text, const BawnToken *token)
{
  g_autofree char *policies = g_strjoinv (",", token->policies);

  g_string_append_printf (text, "auth %s %s ttl=%d%s%s uses=%d", policies, token->display_name,
                          (int) (token->ttl_us / G_USEC_PER_SEC),
                          token->renewable ? " renewable" : "",
                          token->parent == NULL ? " orphan" : "", (int) token->num_uses);
  if (token->type == BAWN_TOKEN_BATCH)
    g_string_append (text, " batch");
}

char *
auth_answer (AuthFixture *f, BawnOp op, const char *path, const char *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnResponse) response = auth_ask (f, op, path, body, &error);
  GString *text = g_string_new (NULL);

  if (response == NULL)
    {
      g_assert_nonnull (error);
      g_string_printf (text, "%s %s", code_name (error->code), error->message);
      return g_string_free (text, FALSE);
    }

  g_assert_no_error (error);
  if (response->auth != NULL)
    append_auth (text, response->auth->token);
  else if (response->data != NULL)
    {
      g_string_append_printf (text, "%u ", response->status != 0 ? response->status : 200);
      g_string_append_len (text, g_bytes_get_data (response->data, NULL),
                           (gssize) g_bytes_get_size (response->data));
    }
  else
    g_string_append_printf (text, "%u", response->status != 0 ? response->status : 204);
  for (guint i = 0; response->warnings != NULL && i < response->warnings->len; i++)
    g_string_append_printf (text, " !%s", (char *) g_ptr_array_index (response->warnings, i));

  return g_string_free (text, FALSE);
}
