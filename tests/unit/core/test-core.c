/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <string.h>

#include "core-fixture.h"
#include "core/bawn-core-private.h"
#include "core/bawn-lifecycle.h"
#include "core/bawn-self-unseal.h"

static void
test_init_unseal_and_seal (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;

  core_fixture_open (&f, NULL);
  g_assert_cmpuint (core_fixture_call (&f, BAWN_OP_READ, "sys/mounts", NULL, "none"), ==, BAWN_ERROR_SEALED);
  core_fixture_ready (&f, 5, 3);
  g_autoptr(BawnStatus) status = bawn_core_ref_status (f.core);
  g_assert_false (status->sealed);
  g_assert_cmpuint (status->shares, ==, 5);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "sys/mounts", NULL, f.root), ==, CORE_FIXTURE_OK);

  bawn_core_seal (f.core, "test");
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "sys/mounts", NULL, f.root), ==, BAWN_ERROR_SEALED);
  core_fixture_unseal (&f, 3);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "sys/mounts", NULL, f.root), ==, CORE_FIXTURE_OK);
}

typedef struct
{
  BawnBackend *backend;
  gint *n_winners;
  gint *n_refused;
} Racer;

static gpointer
race_to_init (gpointer data)
{
  Racer *racer = data;
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(GPtrArray) shares = NULL;
  g_autoptr(BawnWipedString) root = NULL;
  g_autoptr(GError) error = NULL;

  core_fixture_open (&f, racer->backend);
  if (bawn_core_initialize (f.core, 1, 1, &shares, &root, &error))
    g_atomic_int_inc (racer->n_winners);
  else if (bawn_error_is (error, BAWN_ERROR_INVALID) && strstr (error->message, "already initialized") != NULL)
    g_atomic_int_inc (racer->n_refused);
  else
    g_test_message ("neither won nor refused: %s", error->message);

  return NULL;
}

/* Nodes of their own, as processes would be, over one storage. */
static void
test_of_racing_inits_one_succeeds (void)
{
  for (guint round = 0; round < 20; round++)
    {
      g_autoptr(BawnBackend) backend = core_fixture_new_backend ();
      gint n_winners = 0;
      gint n_refused = 0;
      Racer racer = { backend, &n_winners, &n_refused };
      GThread *threads[4];

      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("racer", race_to_init, &racer);
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);

      /* The last to take the fence may have been overtaken by nobody, so at least one of them has it. */
      g_assert_cmpint (n_winners, ==, 1);
      g_assert_cmpint (n_refused, ==, (gint) G_N_ELEMENTS (threads) - 1);
    }
}

static void
test_a_deposed_node_seals_itself (void)
{
  g_autoptr(BawnBackend) backend = core_fixture_new_backend ();
  g_auto(CoreFixture) first = CORE_FIXTURE_INIT;
  g_auto(CoreFixture) second = CORE_FIXTURE_INIT;

  core_fixture_open (&first, backend);
  core_fixture_ready (&first, 1, 1);
  core_fixture_open (&second, backend);
  core_fixture_adopt_keys (&second, &first);
  core_fixture_unseal (&second, 1);

  g_assert_cmpint (core_fixture_call (&first, BAWN_OP_UPDATE, "sys/policy/late", "{\"policy\":\"path \\\"a\\\" {}\"}", first.root),
                   ==, BAWN_ERROR_STANDBY);
  core_fixture_wait_sealed (&first);
  g_assert_cmpint (core_fixture_call (&second, BAWN_OP_READ, "sys/policy/late", NULL, first.root), ==, BAWN_ERROR_NOT_FOUND);
}

static void
test_tokens_and_policies_decide (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autofree char *token = NULL;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/mounts/kv", "{\"type\":\"kv\"}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/policy/reader",
                       "{\"policy\":\"path \\\"kv/a\\\" { capabilities = [\\\"read\\\"] }\"}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "kv/a", "{\"x\":1}", f.root);
  token = core_fixture_token (&f, "{\"policies\":[\"reader\"],\"ttl\":\"1h\"}");

  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "kv/a", NULL, token), ==, CORE_FIXTURE_OK);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "kv/b", NULL, token), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_UPDATE, "kv/a", "{\"x\":2}", token), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "kv/a", NULL, NULL), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "kv/a", NULL, "hvs.nobody"), ==, BAWN_ERROR_DENIED);
}

static void
test_a_slash_at_the_end_evades_no_policy (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autofree char *token = NULL;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/auth/userpass", "{\"type\":\"userpass\"}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "auth/userpass/users/bob", "{\"password\":\"x\"}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/policy/most",
                       "{\"policy\":\"path \\\"auth/userpass/*\\\" { capabilities = [\\\"read\\\", \\\"delete\\\"] }"
                       " path \\\"auth/userpass/users/bob\\\" { capabilities = [\\\"deny\\\"] }\"}",
                       f.root);
  token = core_fixture_token (&f, "{\"policies\":[\"most\"]}");

  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "auth/userpass/users/bob", NULL, token), ==, BAWN_ERROR_DENIED);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "auth/userpass/users/bob/", NULL, token), ==, BAWN_ERROR_NOT_FOUND);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_DELETE, "auth/userpass/users/bob/", NULL, token), ==, BAWN_ERROR_NOT_FOUND);
  core_fixture_expect (&f, BAWN_OP_READ, "auth/userpass/users/bob", NULL, f.root);
}

static void
test_a_login_is_not_renewed_past_its_mounts_maximum (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autoptr(BawnResponse) login = NULL;
  g_autoptr(BawnResponse) renewed = NULL;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/auth/userpass",
                       "{\"type\":\"userpass\",\"config\":{\"default_lease_ttl\":\"30s\",\"max_lease_ttl\":\"60s\"}}", f.root);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "auth/userpass/users/bob", "{\"password\":\"x\"}", f.root);
  g_assert_cmpint (core_fixture_ask (&f, BAWN_OP_UPDATE, "auth/userpass/login/bob", "{\"password\":\"x\"}", NULL, &login, NULL),
                   ==, CORE_FIXTURE_OK);
  g_assert_cmpint (login->auth->token->ttl_us, ==, 30 * G_USEC_PER_SEC);

  g_assert_cmpint (core_fixture_ask (&f, BAWN_OP_UPDATE, "auth/token/renew-self", "{\"increment\":\"700h\"}",
                                     login->auth->client_token, &renewed, NULL),
                   ==, CORE_FIXTURE_OK);
  g_assert_cmpint (renewed->auth->token->ttl_us, ==, 60 * G_USEC_PER_SEC);
}

static void
test_what_is_due_ends_by_itself (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;
  g_autofree char *token = NULL;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  token = core_fixture_token (&f, "{\"policies\":[\"default\"],\"ttl\":\"60s\"}");
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "auth/token/lookup-self", NULL, token), ==, CORE_FIXTURE_OK);

  bawn_clock_advance (f.clock, 120 * G_USEC_PER_SEC);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "auth/token/lookup-self", NULL, token), ==, BAWN_ERROR_DENIED);
  core_fixture_wait_empty (&f, "sys/lease/id/auth/token/create/");
}

static void
test_an_unmounted_engine_leaves_nothing_behind (void)
{
  g_auto(CoreFixture) f = CORE_FIXTURE_INIT;

  core_fixture_open (&f, NULL);
  core_fixture_ready (&f, 1, 1);
  core_fixture_expect (&f, BAWN_OP_UPDATE, "sys/mounts/kv", "{\"type\":\"kv\"}", f.root);
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *path = g_strdup_printf ("kv/folder%u/key%u", i % 7, i);
      core_fixture_expect (&f, BAWN_OP_UPDATE, path, "{\"x\":1}", f.root);
    }
  core_fixture_expect (&f, BAWN_OP_DELETE, "sys/mounts/kv", NULL, f.root);
  g_assert_cmpint (core_fixture_call (&f, BAWN_OP_READ, "kv/folder1/key1", NULL, f.root), ==, BAWN_ERROR_NOT_FOUND);
  core_fixture_wait_empty (&f, "logical/");
}

/* A node that people had begun to unseal, and that was opened by a key. */
static void
test_shares_that_are_not_needed_any_more_are_dropped (void)
{
  g_auto(CoreFixture) first = CORE_FIXTURE_INIT;
  g_auto(CoreFixture) second = CORE_FIXTURE_INIT;
  g_autoptr(GError) error = NULL;

  core_fixture_open (&first, NULL);
  core_fixture_ready (&first, 2, 2);
  g_autoptr(BawnSecret) root_key = bawn_core_dup_root_key (first.core);
  bawn_core_seal (first.core, "test");
  core_fixture_open (&second, first.backend);
  core_fixture_adopt_keys (&second, &first);

  core_fixture_unseal (&second, 1);
  g_assert_cmpuint (bawn_core_get_given_shares (second.core)->len, ==, 1);
  g_assert_true (bawn_core_unseal_with_root_key (second.core, root_key, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (bawn_core_get_given_shares (second.core)->len, ==, 0);
  g_autoptr(BawnStatus) status = bawn_core_ref_status (second.core);
  g_assert_false (status->sealed);
  g_assert_cmpuint (status->progress, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/init-unseal-and-seal", test_init_unseal_and_seal);
  g_test_add_func ("/core/shares-that-are-not-needed-any-more-are-dropped", test_shares_that_are_not_needed_any_more_are_dropped);
  g_test_add_func ("/core/of-racing-inits-one-succeeds", test_of_racing_inits_one_succeeds);
  g_test_add_func ("/core/a-deposed-node-seals-itself", test_a_deposed_node_seals_itself);
  g_test_add_func ("/core/tokens-and-policies-decide", test_tokens_and_policies_decide);
  g_test_add_func ("/core/a-slash-at-the-end-evades-no-policy", test_a_slash_at_the_end_evades_no_policy);
  g_test_add_func ("/core/a-login-is-not-renewed-past-its-mounts-maximum",
                   test_a_login_is_not_renewed_past_its_mounts_maximum);
  g_test_add_func ("/core/what-is-due-ends-by-itself", test_what_is_due_ends_by_itself);
  g_test_add_func ("/core/an-unmounted-engine-leaves-nothing-behind", test_an_unmounted_engine_leaves_nothing_behind);

  return g_test_run ();
}
