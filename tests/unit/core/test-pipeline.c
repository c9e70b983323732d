/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core-fixture.h"

#include "../../contract/bawn-backend-fault.h"
#include "core/bawn-core-private.h"

/* More reads than any request here makes. */
#define MANY_READS 40

static BawnBackendFault *
ready (CoreFixture *f)
{
  g_autoptr(BawnBackend) memory = core_fixture_new_backend ();
  BawnBackendFault *fault = bawn_backend_fault_new (memory);

  core_fixture_open (f, BAWN_BACKEND (fault));
  core_fixture_ready (f, 1, 1);
  core_fixture_expect (f, BAWN_OP_UPDATE, "sys/mounts/kv", "{\"type\":\"kv\"}", f->root);
  return fault;
}

static gint64
read_value (CoreFixture *f)
{
  g_autoptr(BawnResponse) response = NULL;
  g_autoptr(GError) error = NULL;

  g_assert_cmpint (core_fixture_ask (f, BAWN_OP_READ, "kv/a", NULL, f->root, &response, NULL), ==, CORE_FIXTURE_OK);
  g_autoptr(BawnJson) json = bawn_json_parse (response->data, NULL, &error);
  g_assert_no_error (error);
  return bawn_json_get_int (bawn_json_root (json), "x", -1);
}

/* Wherever the storage fails, what is answered with an error has written nothing. The last use of a token reads most. */
static void
test_a_failed_request_leaves_nothing_behind (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(BawnBackendFault) fault = ready (&f);
  guint n_failed = 0;

  for (guint skip = 0; skip < MANY_READS; skip++)
    {
      g_autofree char *token = core_fixture_token (&f, "{\"policies\":[\"root\"],\"num_uses\":1,\"ttl\":\"1h\"}");
      g_autofree char *body = g_strdup_printf ("{\"x\":%u}", skip + 1);

      core_fixture_expect (&f, BAWN_OP_UPDATE, "kv/a", "{\"x\":0}", f.root);
      bawn_core_seal (f.core, "so that nothing is in memory");
      core_fixture_unseal (&f, 1);
      bawn_backend_fault_fail (fault, BAWN_FAULT_GET, skip, G_MAXUINT, BAWN_ERROR_UPSTREAM);
      gboolean fine = core_fixture_call (&f, BAWN_OP_UPDATE, "kv/a", body, token) == CORE_FIXTURE_OK;
      bawn_backend_fault_fail (fault, BAWN_FAULT_GET, 0, 0, BAWN_ERROR_UPSTREAM);
      n_failed += !fine;
      g_assert_cmpint (read_value (&f), ==, fine ? skip + 1 : 0);
    }
  g_assert_cmpuint (n_failed, >, 0);
  g_assert_cmpuint (n_failed, <, MANY_READS);
}

typedef struct
{
  gboolean done;
  BawnResponse *response;
  GError *error;
} Late;

static void
on_reply (BawnRequest *request, BawnResponse *response, GError *error, gpointer user_data)
{
  Late *late = user_data;

  late->done = TRUE;
  late->response = response;
  late->error = error;
}

static void
test_a_commit_under_way_is_answered_after_a_stop (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(BawnBackendFault) fault = ready (&f);
  g_autoptr(GMainContext) context = g_main_context_new ();
  g_autoptr(BawnRequest) request = bawn_request_new (BAWN_OP_DELETE, "sys/mounts/kv");
  Late late = { .done = FALSE };

  request->token = g_strdup (f.root);
  core_fixture_expect (&f, BAWN_OP_READ, "sys/mounts", NULL, f.root);
  g_main_context_push_thread_default (context);
  bawn_core_dispatch (f.core, request, on_reply, &late);
  bawn_core_stop (f.core);
  bawn_core_kick_expiry (f.core);
  g_clear_object (&f.core);
  while (!late.done)
    g_main_context_iteration (context, TRUE);
  g_main_context_pop_thread_default (context);

  g_assert_true ((late.response != NULL) != (late.error != NULL));
  g_clear_pointer (&late.response, bawn_response_free);
  g_clear_error (&late.error);
}

static void
test_a_stopped_core_answers_that_it_is_sealed (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(BawnBackendFault) fault = ready (&f);

  bawn_core_stop (f.core);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "sys/mounts", NULL, f.root), ==, BAWN_ERROR_SEALED);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_UPDATE, "sys/unseal", "{\"key\":\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\"}", NULL), ==, BAWN_ERROR_SEALED);
}

/* Wherever the storage fails: shares get out, or the storage is as empty as before. */
static void
test_shares_of_what_is_initialised_get_out (void)
{
  for (guint skip = 0, n_gets = 1; skip < n_gets; skip++)
    {
      g_autoptr(BawnBackend) memory = core_fixture_new_backend ();
      g_autoptr(BawnBackendFault) fault = bawn_backend_fault_new (memory);
      g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
      g_autoptr(GPtrArray) shares = NULL;
      g_autoptr(BawnWipedString) root = NULL;
      g_autoptr(GBytes) config = NULL;
      guint64 version = 0;

      core_fixture_open (&f, BAWN_BACKEND (fault));
      guint before = bawn_backend_fault_count (fault, BAWN_FAULT_GET);
      bawn_backend_fault_fail (fault, BAWN_FAULT_GET, skip, 1, BAWN_ERROR_UPSTREAM);

      gboolean done = bawn_core_initialize (f.core, 1, 1, &shares, &root, NULL);

      n_gets = bawn_backend_fault_count (fault, BAWN_FAULT_GET) - before;
      g_assert_true (bawn_backend_get (memory, "core/seal-config", &config, &version, NULL, NULL));
      g_assert_true (done == (config != NULL));
      g_assert_true (done == (shares != NULL && root != NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/pipeline/a-failed-request-leaves-nothing-behind", test_a_failed_request_leaves_nothing_behind);
  g_test_add_func ("/core/pipeline/a-commit-under-way-is-answered-after-a-stop",
                   test_a_commit_under_way_is_answered_after_a_stop);
  g_test_add_func ("/core/pipeline/a-stopped-core-answers-that-it-is-sealed",
                   test_a_stopped_core_answers_that_it_is_sealed);
  g_test_add_func ("/core/pipeline/shares-of-what-is-initialised-get-out", test_shares_of_what_is_initialised_get_out);

  return g_test_run ();
}
