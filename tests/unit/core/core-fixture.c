/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"

GType bawn_backend_memory_get_type (void);
GType bawn_engine_kv_get_type (void);
GType bawn_engine_cubbyhole_get_type (void);
GType bawn_engine_example_get_type (void);
GType bawn_auth_userpass_get_type (void);

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean done;
  BawnResponse *response;
  GError *error;
} Call;

BawnBackend *
core_fixture_new_backend (void)
{
  g_autoptr(GError) error = NULL;
  BawnBackend *backend = g_initable_new (bawn_backend_memory_get_type (), NULL, &error, NULL);

  g_assert_no_error (error);
  return backend;
}

static void
open_core (CoreFixture *f, const BawnCoreOptions *options)
{
  g_autoptr(GError) error = NULL;

  f->store = bawn_store_new (f->backend, BAWN_STORE_CACHE_DEFAULT);
  f->core = bawn_core_new (f->store, options);
  bawn_core_add_engine (f->core, g_object_new (bawn_engine_kv_get_type (), NULL), FALSE);
  bawn_core_add_engine (f->core, g_object_new (bawn_engine_cubbyhole_get_type (), NULL), FALSE);
  bawn_core_add_engine (f->core, g_object_new (bawn_engine_example_get_type (), NULL), FALSE);
  bawn_core_add_engine (f->core, g_object_new (bawn_auth_userpass_get_type (), NULL), TRUE);
  g_assert_true (bawn_core_load (f->core, &error));
  g_assert_no_error (error);
}

void
core_fixture_open (CoreFixture *f, BawnBackend *backend)
{
  f->backend = backend != NULL ? g_object_ref (backend) : core_fixture_new_backend ();
  f->clock = bawn_clock_new_fake (G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC);

  BawnCoreOptions options = {
    .clock = f->clock,
    .storage_type = "memory",
    .pool_threads = 4,
    .version = "0",
  };
  open_core (f, &options);
}

void
core_fixture_open_node (CoreFixture *f, BawnBackend *backend, BawnHaBackend *elections, const char *api_addr)
{
  const BawnCoreOptions options = {
    .storage_type = "memory",
    .pool_threads = 4,
    .version = "0",
    .ha_backend = elections,
    .api_addr = api_addr,
    .cluster_addr = api_addr,
    .lease_ttl_us = G_USEC_PER_SEC,
    .patience_us = f->patience_us,
  };

  f->backend = g_object_ref (backend);
  open_core (f, &options);
}

void
core_fixture_unseal (CoreFixture *f, guint threshold)
{
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < threshold; i++)
    {
      g_assert_true (bawn_core_unseal_share (f->core, g_ptr_array_index (f->shares, i), &error));
      g_assert_no_error (error);
    }
}

void
core_fixture_ready (CoreFixture *f, guint shares, guint threshold)
{
  g_autoptr(GError) error = NULL;

  g_assert_true (bawn_core_initialize (f->core, shares, threshold, &f->shares, &f->root, &error));
  g_assert_no_error (error);
  core_fixture_unseal (f, threshold);
}

void
core_fixture_adopt_keys (CoreFixture *f, const CoreFixture *other)
{
  f->shares = g_ptr_array_ref (other->shares);
  f->root = g_strdup (other->root);
}

static void
on_reply (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  Call *call = user_data;

  g_mutex_lock (&call->lock);
  call->response = response;
  call->error = error;
  call->done = TRUE;
  g_cond_signal (&call->cond);
  g_mutex_unlock (&call->lock);
}

static gboolean
is_done (Call *call)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&call->lock);

  return call->done;
}

/* Runs @request, filled but for its time. */
int
core_fixture_run (CoreFixture *f, BawnRequest *request, BawnResponse **out_response, char **out_message)
{
  g_autoptr(GMainContext) context = g_main_context_new ();
  Call call = { .done = FALSE };
  int code = CORE_FIXTURE_OK;

  request->started_us = bawn_clock_real_us (f->clock);
  g_mutex_init (&call.lock);
  g_cond_init (&call.cond);
  g_main_context_push_thread_default (context);
  bawn_core_dispatch (f->core, request, on_reply, &call);
  while (!is_done (&call))
    {
      g_main_context_iteration (context, FALSE);
      g_mutex_lock (&call.lock);
      if (!call.done)
        g_cond_wait_until (&call.cond, &call.lock, g_get_monotonic_time () + 500);
      g_mutex_unlock (&call.lock);
    }
  g_main_context_pop_thread_default (context);
  g_mutex_clear (&call.lock);
  g_cond_clear (&call.cond);

  if (call.error != NULL)
    {
      g_test_message ("%s: %s", request->path, call.error->message);
      g_assert_cmpstr (g_quark_to_string (call.error->domain), ==, g_quark_to_string (BAWN_ERROR));
      code = call.error->code;
      if (out_message != NULL)
        *out_message = g_strdup (call.error->message);
    }
  g_clear_error (&call.error);
  if (out_response != NULL)
    *out_response = g_steal_pointer (&call.response);
  g_clear_pointer (&call.response, bawn_response_free);

  return code;
}

int
core_fixture_ask (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token,
                  BawnResponse **out_response, char **out_message)
{
  g_autoptr(BawnRequest) request = bawn_request_new (op, path);
  g_autoptr(GError) error = NULL;

  if (body != NULL)
    {
      request->data = bawn_json_parse_string (body, &error);
      g_assert_no_error (error);
    }
  request->token = g_strdup (token);
  return core_fixture_run (f, request, out_response, out_message);
}

int
core_fixture_authorize (CoreFixture *f, BawnOp op, const char *path, const char *token)
{
  g_autoptr(BawnRequest) request = bawn_request_new (op, path);

  request->token = g_strdup (token);
  request->forwarded = TRUE;
  request->authorize_only = TRUE;
  return core_fixture_run (f, request, NULL, NULL);
}

int
core_fixture_call (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token)
{
  return core_fixture_ask (f, op, path, body, token, NULL, NULL);
}

void
core_fixture_expect (CoreFixture *f, BawnOp op, const char *path, const char *body, const char *token)
{
  g_autofree char *message = NULL;
  int code = core_fixture_ask (f, op, path, body, token, NULL, &message);

  g_assert_cmpstr (message, ==, NULL);
  g_assert_cmpint (code, ==, CORE_FIXTURE_OK);
}

char *
core_fixture_token (CoreFixture *f, const char *body)
{
  g_autoptr(BawnResponse) response = NULL;
  g_autofree char *message = NULL;

  core_fixture_ask (f, BAWN_OP_UPDATE, "auth/token/create", body, f->root, &response, &message);
  g_assert_cmpstr (message, ==, NULL);
  g_assert_nonnull (response->auth);

  return g_strdup (response->auth->client_token);
}

void
core_fixture_wait_sealed (CoreFixture *f)
{
  for (;;)
    {
      g_autoptr(BawnStatus) status = bawn_core_ref_status (f->core);

      if (status->sealed)
        return;
      g_usleep (1000);
    }
}

static gboolean
is_empty (CoreFixture *f, const char *prefix)
{
  g_auto(GStrv) names = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_true (bawn_backend_list (f->backend, prefix, NULL, 1, &names, NULL, &error));
  g_assert_no_error (error);
  return names[0] == NULL;
}

void
core_fixture_wait_empty (CoreFixture *f, const char *prefix)
{
  while (!is_empty (f, prefix))
    g_usleep (1000);
}

void
core_fixture_close (CoreFixture *f)
{
  if (f->core != NULL)
    bawn_core_stop (f->core);
  g_clear_object (&f->core);
  g_clear_object (&f->store);
  g_clear_object (&f->backend);
  g_clear_pointer (&f->clock, bawn_clock_unref);
  g_clear_pointer (&f->shares, g_ptr_array_unref);
  g_clear_pointer (&f->root, bawn_string_wipe_free);
}
