/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/auth/bawn-auth-fixture.h"

#include <string.h>

#define READ BAWN_OP_READ
#define LIST BAWN_OP_LIST
#define WRITE BAWN_OP_UPDATE
#define DELETE BAWN_OP_DELETE

GType bawn_auth_userpass_get_type (void);

static const char wrong[] = "INVALID invalid username or password";

static void
set_up (AuthFixture *f, gconstpointer data)
{
  auth_set_up (f, data);
  auth_mount (f, bawn_auth_userpass_get_type (), "auth/userpass/");
}

static void
test_a_user_is_kept_without_its_password (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, LIST, "users/", NULL, "200 {\"keys\":[]}");
  assert_answer (f, READ, "users/bob", NULL, "NOT_FOUND ");
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\"}", "204");
  assert_answer (f, READ, "users/bob", NULL,
                 "200 {\"token_bound_cidrs\":[],\"token_explicit_max_ttl\":0,\"token_max_ttl\":0,"
                 "\"token_no_default_policy\":false,\"token_num_uses\":0,\"token_period\":0,"
                 "\"token_policies\":[],\"token_ttl\":0,\"token_type\":\"default\"}");
  assert_answer (f, LIST, "users/", NULL, "200 {\"keys\":[\"bob\"]}");
  assert_answer (f, DELETE, "users/bob", NULL, "204");
  assert_answer (f, DELETE, "users/bob", NULL, "204");
  assert_answer (f, READ, "users/bob", NULL, "NOT_FOUND ");
}

static void
test_all_of_a_user_is_kept (AuthFixture *f, gconstpointer data)
{
  assert_answer (
      f, WRITE, "users/bob",
      "{\"password\":\"pw\",\"token_bound_cidrs\":\"10.0.0.0/8,::1\","
      "\"token_explicit_max_ttl\":\"3h\",\"token_max_ttl\":\"2h\","
      "\"token_no_default_policy\":true,\"token_num_uses\":3,\"token_period\":5,"
      "\"token_policies\":[\"B\",\"a\"],\"token_ttl\":\"1h\",\"token_type\":\"service\"}",
      "204");
  /* What is not given stays. */
  assert_answer (f, WRITE, "users/bob", "{\"token_ttl\":60}", "204");
  assert_answer (f, READ, "users/bob", NULL,
                 "200 {\"token_bound_cidrs\":[\"10.0.0.0/8\",\"::1\"],"
                 "\"token_explicit_max_ttl\":10800,\"token_max_ttl\":7200,"
                 "\"token_no_default_policy\":true,\"token_num_uses\":3,\"token_period\":5,"
                 "\"token_policies\":[\"a\",\"b\"],\"token_ttl\":60,\"token_type\":\"service\"}");
}

static void
test_older_spellings_are_shown_where_used (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob",
                 "{\"password\":\"pw\",\"policies\":\"a\",\"ttl\":60,\"max_ttl\":120,"
                 "\"bound_cidrs\":\"10.0.0.1\"}",
                 "204");
  assert_answer (f, READ, "users/bob", NULL,
                 "200 {\"token_bound_cidrs\":[\"10.0.0.1\"],\"bound_cidrs\":[\"10.0.0.1\"],"
                 "\"token_explicit_max_ttl\":0,\"token_max_ttl\":120,\"max_ttl\":120,"
                 "\"token_no_default_policy\":false,\"token_num_uses\":0,\"token_period\":0,"
                 "\"token_policies\":[\"a\"],\"policies\":[\"a\"],\"token_ttl\":60,\"ttl\":60,"
                 "\"token_type\":\"default\"}");
  assert_answer (f, WRITE, "users/bob",
                 "{\"token_policies\":\"b\",\"token_ttl\":61,\"token_max_ttl\":121,"
                 "\"token_bound_cidrs\":[]}",
                 "204");
  assert_answer (f, READ, "users/bob", NULL,
                 "200 {\"token_bound_cidrs\":[],\"token_explicit_max_ttl\":0,\"token_max_ttl\":121,"
                 "\"token_no_default_policy\":false,\"token_num_uses\":0,\"token_period\":0,"
                 "\"token_policies\":[\"b\"],\"token_ttl\":61,\"token_type\":\"default\"}");
}

typedef struct
{
  const char *body;
  const char *expected;
} BadUser;

static void
test_bad_users_are_refused (AuthFixture *f, gconstpointer data)
{
  static const BadUser cases[] = {
    { "{}", "INVALID missing password" },
    { "{\"password\":\"\"}", "INVALID missing password" },
    { "{\"password\":\"x\",\"token_ttl\":2,\"token_max_ttl\":1}",
      "INVALID 'token_ttl' cannot be greater than 'token_max_ttl'" },
    { "{\"password\":\"x\",\"ttl\":2,\"max_ttl\":1}",
      "INVALID 'token_ttl' cannot be greater than 'token_max_ttl'" },
    { "{\"password\":\"x\",\"token_type\":\"batch\",\"token_period\":1}",
      "INVALID 'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic "
      "tokens" },
    { "{\"password\":\"x\",\"token_type\":\"zip\"}", "INVALID invalid 'token_type' value \"zip\"" },
    { "{\"password\":\"x\",\"token_ttl\":-2}", "INVALID 'token_ttl' cannot be negative" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_answer (f, WRITE, "users/bob", cases[i].body, cases[i].expected);
  assert_answer (f, LIST, "users/", NULL, "200 {\"keys\":[]}");
}

static void
test_a_login_gives_a_token (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnTxn) txn = NULL;

  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\",\"policies\":\"a\",\"ttl\":\"1h\"}",
                 "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth a,default userpass-bob ttl=3600 renewable orphan uses=0");
  txn = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, txn, f->made, &token, &error));
  g_assert_cmpstr (g_hash_table_lookup (token->meta, "username"), ==, "bob");
  g_assert_cmpstr (token->path, ==, "auth/userpass/login/bob");
}

static void
test_names_are_the_same_in_any_case (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/Bob", "{\"password\":\"pw\"}", "204");
  assert_answer (f, LIST, "users/", NULL, "200 {\"keys\":[\"bob\"]}");
  assert_answer (f, WRITE, "login/bOB", "{\"password\":\"pw\"}",
                 "auth default userpass-bob ttl=0 renewable orphan uses=0");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"PW\"}", wrong);
}

static void
test_a_wrong_login_does_not_tell_why (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"no\"}", wrong);
  assert_answer (f, WRITE, "login/alice", "{\"password\":\"pw\"}", wrong);
  assert_answer (f, WRITE, "login/bob", "{}", "INVALID missing password");
  assert_answer (f, WRITE, "login/alice", "{}", "INVALID missing password");
  assert_answer (f, READ, "login/bob", NULL, "UNSUPPORTED unsupported operation");
}

static void
test_a_password_is_changed (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"one\",\"policies\":\"a\"}", "204");
  assert_answer (f, WRITE, "users/bob/password", "{\"password\":\"two\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"one\"}", wrong);
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"two\"}",
                 "auth a,default userpass-bob ttl=0 renewable orphan uses=0");
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"three\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"three\"}",
                 "auth a,default userpass-bob ttl=0 renewable orphan uses=0");
  assert_answer (f, WRITE, "users/bob/password", "{}", "INVALID missing password");
  assert_answer (f, WRITE, "users/alice/password", "{\"password\":\"x\"}",
                 "INVALID username does not exist");
}

static void
test_policies_are_changed (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\",\"policies\":\"a\"}", "204");
  assert_answer (f, WRITE, "users/bob/policies", "{\"token_policies\":\"b,c\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth b,c,default userpass-bob ttl=0 renewable orphan uses=0");
  assert_answer (f, WRITE, "users/bob/policies", "{\"policies\":[]}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth default userpass-bob ttl=0 renewable orphan uses=0");
  assert_answer (f, WRITE, "users/alice/policies", "{\"policies\":\"a\"}",
                 "INVALID username does not exist");
}

static void
test_what_a_user_says_of_its_tokens_is_kept (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob",
                 "{\"password\":\"pw\",\"token_num_uses\":2,\"token_no_default_policy\":true,"
                 "\"token_policies\":\"a\"}",
                 "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth a userpass-bob ttl=0 renewable orphan uses=2");
}

static void
test_the_kind_of_token_is_the_mounts_or_the_users (AuthFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *mount;
    const char *user;
    gboolean batch;
  } cases[] = {
    { "default-service", "default", FALSE },
    { "default-service", "batch", TRUE },
    { "default-service", "default-batch", TRUE },
    { "default-batch", "default", TRUE },
    { "default-batch", "service", FALSE },
    { "service", "batch", FALSE },
    { "batch", "service", TRUE },
    { "default-batch", "default-service", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *body = g_strdup_printf (
          "{\"password\":\"pw\",\"token_ttl\":60,\"token_type\":\"%s\"}", cases[i].user);

      g_free (f->mount->token_type);
      f->mount->token_type = g_strdup (cases[i].mount);
      assert_answer (f, WRITE, "users/bob", body, "204");
      assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                     cases[i].batch ? "auth default userpass-bob ttl=60 orphan uses=0 batch"
                                    : "auth default userpass-bob ttl=60 renewable orphan uses=0");
    }
}

static void
test_a_login_comes_from_where_it_may (AuthFixture *f, gconstpointer data)
{
  assert_answer (f, WRITE, "users/bob",
                 "{\"password\":\"pw\",\"token_bound_cidrs\":\"10.0.0.0/8\"}", "204");
  f->address = "10.1.2.3";
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth default userpass-bob ttl=0 renewable orphan uses=0");
  f->address = "11.1.2.3";
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}", "DENIED permission denied");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"no\"}", wrong);
  f->address = NULL;
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}", "DENIED permission denied");
}

static void
test_a_mount_deeper_down_shows_in_names (AuthFixture *f, gconstpointer data)
{
  g_free (f->mount->path);
  f->mount->path = g_strdup ("auth/team/a/");
  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth default team-a-bob ttl=0 renewable orphan uses=0");
}

static gboolean
renew (AuthFixture *f, BawnToken *token, GError **error)
{
  g_autoptr (BawnRequest) request = bawn_request_new (WRITE, token->path);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  g_autoptr (BawnTxn) scope = bawn_txn_scope (txn, f->mount->view);

  request->mount = bawn_mount_ref (f->mount);

  return BAWN_ENGINE_GET_CLASS (f->engine)->renew_auth (f->engine, request, token, scope, error);
}

static void
test_renewal_looks_at_the_user_again (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnTxn) txn = NULL;

  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\",\"policies\":\"a,b\",\"ttl\":60}",
                 "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth a,b,default userpass-bob ttl=60 renewable orphan uses=0");
  txn = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, txn, f->made, &found, &error));
  token = bawn_token_copy (found);

  assert_answer (f, WRITE, "users/bob",
                 "{\"ttl\":70,\"max_ttl\":90,\"token_period\":80,\"token_no_default_policy\":true}",
                 "204");
  assert_works (renew (f, token, &error));
  g_assert_cmpint (token->ttl_us, ==, AUTH_S (70));
  g_assert_cmpint (token->max_ttl_us, ==, AUTH_S (90));
  g_assert_cmpint (token->period_us, ==, AUTH_S (80));

  assert_answer (f, WRITE, "users/bob/policies", "{\"policies\":\"a\"}", "204");
  assert_fails (renew (f, token, &error), BAWN_ERROR_INVALID,
                "policies have changed, not renewing");
  assert_answer (f, WRITE, "users/bob/policies", "{\"policies\":\"a,b,c\"}", "204");
  assert_fails (renew (f, token, &error), BAWN_ERROR_INVALID,
                "policies have changed, not renewing");
  assert_answer (f, WRITE, "users/bob/policies", "{\"policies\":\"b,a,default\"}", "204");
  assert_works (renew (f, token, &error));
  assert_answer (f, DELETE, "users/bob", NULL, "204");
  assert_fails (renew (f, token, &error), BAWN_ERROR_INVALID,
                "user no longer exists, not renewing");
}

static void
test_renewal_keeps_to_the_mounts_limits (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnToken) found = NULL;
  g_autoptr (BawnToken) token = NULL;
  g_autoptr (BawnTxn) txn = NULL;

  assert_answer (f, WRITE, "users/bob", "{\"password\":\"pw\"}", "204");
  assert_answer (f, WRITE, "login/bob", "{\"password\":\"pw\"}",
                 "auth default userpass-bob ttl=0 renewable orphan uses=0");
  txn = auth_begin (f);
  assert_works (bawn_token_store_lookup (f->tokens, txn, f->made, &found, &error));
  token = bawn_token_copy (found);
  f->mount->default_ttl_us = AUTH_S (100);
  f->mount->max_ttl_us = AUTH_S (200);

  assert_works (renew (f, token, &error));
  g_assert_cmpint (token->ttl_us, ==, AUTH_S (100));
  g_assert_cmpint (token->max_ttl_us, ==, AUTH_S (200));
  assert_answer (f, WRITE, "users/bob", "{\"token_max_ttl\":150,\"token_ttl\":50}", "204");
  assert_works (renew (f, token, &error));
  g_assert_cmpint (token->ttl_us, ==, AUTH_S (50));
  g_assert_cmpint (token->max_ttl_us, ==, AUTH_S (150));
  assert_answer (f, WRITE, "users/bob", "{\"token_max_ttl\":250}", "204");
  assert_works (renew (f, token, &error));
  g_assert_cmpint (token->max_ttl_us, ==, AUTH_S (200));
}

static void
test_logins_are_slow_open_and_logins (AuthFixture *f, gconstpointer data)
{
  guint wanted = BAWN_ROUTE_OPEN | BAWN_ROUTE_LOGIN | BAWN_ROUTE_SLOW;
  guint open = 0;

  for (const BawnRoute *route = bawn_engine_get_routes (f->engine, f->mount);
       route->pattern != NULL; route++)
    if ((route->flags & BAWN_ROUTE_OPEN) != 0)
      {
        g_assert_cmpstr (route->pattern, ==, "login/{name}");
        g_assert_cmpuint (route->flags & wanted, ==, wanted);
        open++;
      }

  g_assert_cmpuint (open, ==, 1);
}

#define add(name, func)                                                                            \
  g_test_add ("/auth/userpass/" name, AuthFixture, NULL, set_up, func, auth_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-user-is-kept-without-its-password", test_a_user_is_kept_without_its_password);
  add ("all-of-a-user-is-kept", test_all_of_a_user_is_kept);
  add ("older-spellings-are-shown-where-used", test_older_spellings_are_shown_where_used);
  add ("bad-users-are-refused", test_bad_users_are_refused);
  add ("a-login-gives-a-token", test_a_login_gives_a_token);
  add ("names-are-the-same-in-any-case", test_names_are_the_same_in_any_case);
  add ("a-wrong-login-does-not-tell-why", test_a_wrong_login_does_not_tell_why);
  add ("a-password-is-changed", test_a_password_is_changed);
  add ("policies-are-changed", test_policies_are_changed);
  add ("what-a-user-says-of-its-tokens-is-kept", test_what_a_user_says_of_its_tokens_is_kept);
  add ("the-kind-of-token-is-the-mounts-or-the-users",
       test_the_kind_of_token_is_the_mounts_or_the_users);
  add ("a-login-comes-from-where-it-may", test_a_login_comes_from_where_it_may);
  add ("a-mount-deeper-down-shows-in-names", test_a_mount_deeper_down_shows_in_names);
  add ("renewal-looks-at-the-user-again", test_renewal_looks_at_the_user_again);
  add ("renewal-keeps-to-the-mounts-limits", test_renewal_keeps_to_the_mounts_limits);
  add ("logins-are-slow-open-and-logins", test_logins_are_slow_open_and_logins);

  return g_test_run ();
}
