/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#include "core/bawn-core-private.h"

typedef struct
{
  GMainContext *context;
  gint done;
  BawnResponse *response;
  GError *error;
} Call;

static void
on_reply (BawnRequest *request G_GNUC_UNUSED,
          BawnResponse *response,
          GError *error,
          gpointer user_data)
{
  Call *call = user_data;

  call->response = response;
  call->error = error;
  g_atomic_int_set (&call->done, TRUE);
  g_main_context_wakeup (call->context);
}

static void
run (CoreFixture *f, BawnRequest *request, Call *call)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  call->context = context;
  g_main_context_push_thread_default (context);
  bawn_core_dispatch (f->core, request, on_reply, call);
  while (!g_atomic_int_get (&call->done))
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);
}

char *
sys_check_ask (CoreFixture *f, BawnRequest *request, int *out_code, guint *out_status)
{
  Call call = { .done = FALSE };
  guint status = 0;

  run (f, request, &call);
  g_autoptr (BawnResponse) response = call.response;
  g_autoptr (GError) error = call.error;
  g_assert_true ((response == NULL) != (error == NULL));
  if (error != NULL)
    {
      g_assert_cmpuint (error->domain, ==, BAWN_ERROR);
      *out_code = error->code;
      return g_strdup (error->message);
    }

  g_autoptr (GBytes) body = bawn_response_encode (response, "the-id", &status);
  *out_code = CORE_FIXTURE_OK;
  if (out_status != NULL)
    *out_status = status;
  return body != NULL ? g_strndup (g_bytes_get_data (body, NULL), g_bytes_get_size (body)) : NULL;
}

char *
sys_check_call (CoreFixture *f,
                const char *token,
                BawnOp op,
                const char *path,
                const char *body,
                int *out_code,
                guint *out_status)
{
  g_autoptr (BawnRequest) request = bawn_request_new (op, path);
  g_autoptr (GError) error = NULL;

  if (body != NULL)
    {
      request->data = bawn_json_parse_string (body, &error);
      g_assert_no_error (error);
    }
  request->token = g_strdup (token);
  return sys_check_ask (f, request, out_code, out_status);
}

BawnJson *
sys_check_json (CoreFixture *f, const char *token, BawnOp op, const char *path, const char *body)
{
  int code = 0;
  guint status = 0;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = sys_check_call (f, token, op, path, body, &code, &status);

  if (code != CORE_FIXTURE_OK || text == NULL)
    g_error ("%s: code %d, status %u: %s", path, code, status, text);

  BawnJson *json = bawn_json_parse_string (text, &error);
  g_assert_no_error (error);
  return json;
}

void
sys_check_steps (CoreFixture *f, const char *token, const SysStep *steps, guint n_steps)
{
  for (guint i = 0; i < n_steps; i++)
    {
      const SysStep *step = &steps[i];
      int code = 0;
      guint status = 0;
      g_autofree char *text =
          sys_check_call (f, token, step->op, step->path, step->body, &code, &status);

      g_test_message ("%s %s %s -> %d %u %s", bawn_op_name (step->op), step->path, step->body, code,
                      status, text);
      g_assert_cmpint (code, ==, step->code);
      if (code != CORE_FIXTURE_OK)
        {
          g_assert_cmpstr (text, ==, step->expect);
          continue;
        }
      g_assert_cmpuint (status, ==, step->status);
      if (status == 204)
        g_assert_null (text);
      if (step->expect != NULL)
        g_assert_nonnull (strstr (text, step->expect));
    }
}

typedef struct
{
  BawnActive *active;
  const char *policy;
  char *id;
} Wish;

static gboolean
make_token (BawnCore *core G_GNUC_UNUSED, BawnTxn *txn, gpointer user_data, GError **error)
{
  Wish *wish = user_data;
  g_autoptr (BawnToken) token = bawn_token_new ();

  g_strfreev (token->policies);
  token->policies = g_strsplit (wish->policy, ",", -1);
  token->ttl_us = G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC;
  g_clear_pointer (&wish->id, g_free);
  return bawn_token_store_create (wish->active->tokens, txn, token, NULL, "auth/token/create",
                                  &wish->id, error);
}

char *
sys_check_token (CoreFixture *f, const char *policy, const char *text)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnActive) active = bawn_core_ref_active (f->core);
  g_autofree char *path = g_strconcat ("sys/policy/", policy, NULL);
  g_autoptr (GError) error = NULL;
  Wish wish = { active, policy, NULL };
  int code = 0;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "policy", text);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) bytes = bawn_json_writer_finish (&w);
  g_autofree char *body = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autofree char *answer = sys_check_call (f, f->root, BAWN_OP_UPDATE, path, body, &code, NULL);
  g_assert_cmpstr (answer, ==, NULL);
  g_assert_cmpint (code, ==, CORE_FIXTURE_OK);

  g_assert_true (bawn_core_transact (f->core, make_token, &wish, &error));
  g_assert_no_error (error);
  return wish.id;
}
