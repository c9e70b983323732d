/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "auth/bawn-policy.h"
#include "tests/unit/auth/bawn-auth-fixture.h"

#define READ_A "path \"a\" { capabilities = [\"read\"] }"
#define READ_B "path \"b\" { capabilities = [\"read\"] }"

static void
put_policy (AuthFixture *f, const char *name, const char *text)
{
  BawnTxn *txn = auth_begin (f);

  assert_works (bawn_policy_put (txn, name, text, &error));
  auth_commit (txn);
}

static BawnAcl *
get_acl (AuthFixture *f, BawnAclCache *cache, const char *names)
{
  g_auto (GStrv) split = g_strsplit (names, " ", -1);
  g_autoptr (BawnTxn) txn = auth_begin (f);
  BawnAcl *acl = NULL;

  assert_works (bawn_acl_cache_get (cache, txn, (const char *const *) split, &acl, &error));
  return acl;
}

static gboolean
reads (BawnAcl *acl, const char *path)
{
  g_autoptr (BawnRequest) request = bawn_request_new (BAWN_OP_READ, path);

  return bawn_acl_allows (acl, request, NULL);
}

static void
test_a_policy_is_kept_word_for_word (AuthFixture *f, gconstpointer data)
{
  static const char text[] = "# ä\r\n" READ_A "\n\n";
  g_autoptr (BawnTxn) txn = NULL;
  g_autoptr (BawnPolicy) policy = NULL;

  put_policy (f, "p/q", text);
  txn = auth_begin (f);
  assert_works (bawn_policy_get (txn, "p/q", &policy, &error));
  g_assert_cmpstr (bawn_policy_get_text (policy), ==, text);
  g_assert_cmpstr (bawn_policy_get_name (policy), ==, "p/q");
}

static void
test_what_is_not_there_is_absent (AuthFixture *f, gconstpointer data)
{
  const char *const names[] = { "", "none", "a//b", "a/" };
  g_autoptr (BawnTxn) txn = auth_begin (f);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (BawnPolicy) policy = NULL;

      assert_works (bawn_policy_get (txn, names[i], &policy, &error));
      g_assert_null (policy);
    }
}

static void
test_bad_policies_are_not_stored (AuthFixture *f, gconstpointer data)
{
  g_autoptr (BawnTxn) txn = auth_begin (f);

  assert_fails (bawn_policy_put (txn, "p", "path {", &error), BAWN_ERROR_INVALID,
                "failed to parse policy: At 1:8: object expected closing RBRACE got: EOF");
  assert_fails (bawn_policy_put (txn, "root", READ_A, &error), BAWN_ERROR_INVALID,
                "cannot update \"root\" policy");
  assert_fails (bawn_policy_put (txn, "a//b", READ_A, &error), BAWN_ERROR_INVALID,
                "invalid policy name");
  g_assert_false (bawn_txn_has_writes (txn));
}

typedef struct
{
  BawnOp op;
  const char *path;
  gboolean allowed;
} DefaultRow;

static void
test_the_default_policy_lets_a_token_look_after_itself (AuthFixture *f, gconstpointer data)
{
  static const DefaultRow rows[] = {
    { BAWN_OP_READ, "auth/token/lookup-self", TRUE },
    { BAWN_OP_UPDATE, "auth/token/renew-self", TRUE },
    { BAWN_OP_UPDATE, "auth/token/revoke-self", TRUE },
    { BAWN_OP_UPDATE, "sys/capabilities-self", TRUE },
    { BAWN_OP_UPDATE, "sys/leases/renew", TRUE },
    { BAWN_OP_UPDATE, "sys/leases/lookup", TRUE },
    { BAWN_OP_UPDATE, "sys/wrapping/wrap", TRUE },
    { BAWN_OP_UPDATE, "sys/wrapping/lookup", TRUE },
    { BAWN_OP_UPDATE, "sys/wrapping/unwrap", TRUE },
    { BAWN_OP_UPDATE, "sys/tools/hash/sha2-256", TRUE },
    { BAWN_OP_READ, "sys/internal/ui/resultant-acl", TRUE },
    { BAWN_OP_CREATE, "cubbyhole/a/b", TRUE },
    { BAWN_OP_LIST, "cubbyhole/", TRUE },
    { BAWN_OP_DELETE, "cubbyhole/a", TRUE },
    { BAWN_OP_UPDATE, "auth/token/create", FALSE },
    { BAWN_OP_READ, "sys/mounts", FALSE },
    { BAWN_OP_READ, "secret/a", FALSE },
    { BAWN_OP_UPDATE, "sys/leases/revoke", FALSE },
    { BAWN_OP_READ, "identity/entity/id/x", FALSE },
    { BAWN_OP_READ, "sys/policy/default", FALSE },
  };
  BawnAclCache *cache = bawn_acl_cache_new (10);
  BawnTxn *txn = auth_begin (f);
  g_autoptr (BawnAcl) acl = NULL;

  bawn_policy_put_defaults (txn);
  auth_commit (txn);
  acl = get_acl (f, cache, "default");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (BawnRequest) request = bawn_request_new (rows[i].op, rows[i].path);
      gboolean sudo = TRUE;

      if (bawn_acl_allows (acl, request, &sudo) != rows[i].allowed || sudo)
        g_error ("wrong for %s", rows[i].path);
    }
  bawn_acl_cache_free (cache);
}

static void
test_the_wrapping_policy_opens_one_answer (AuthFixture *f, gconstpointer data)
{
  BawnAclCache *cache = bawn_acl_cache_new (10);
  BawnTxn *txn = auth_begin (f);
  g_autoptr (BawnAcl) acl = NULL;

  bawn_policy_put_defaults (txn);
  auth_commit (txn);
  acl = get_acl (f, cache, "response-wrapping");
  g_assert_true (reads (acl, "cubbyhole/response"));
  g_assert_false (reads (acl, "cubbyhole/other"));
  g_assert_false (reads (acl, "auth/token/lookup-self"));
  bawn_acl_cache_free (cache);
}

static void
test_the_same_policies_are_the_same_acl (AuthFixture *f, gconstpointer data)
{
  BawnAclCache *cache = bawn_acl_cache_new (10);

  put_policy (f, "pa", READ_A);
  put_policy (f, "pb", READ_B);

  g_autoptr (BawnAcl) one = get_acl (f, cache, "pa pb");
  g_autoptr (BawnAcl) two = get_acl (f, cache, "pa pb none");
  g_autoptr (BawnAcl) less = get_acl (f, cache, "pa");
  g_autoptr (BawnAcl) nothing = get_acl (f, cache, "none");

  g_assert_true (one == two);
  g_assert_true (one != less);
  g_assert_true (reads (one, "a") && reads (one, "b"));
  g_assert_false (reads (less, "b"));
  g_assert_false (reads (nothing, "a"));
  bawn_acl_cache_free (cache);
}

static void
test_a_changed_policy_counts_at_once (AuthFixture *f, gconstpointer data)
{
  BawnAclCache *cache = bawn_acl_cache_new (10);

  put_policy (f, "p", READ_A);

  g_autoptr (BawnAcl) before = get_acl (f, cache, "p");

  put_policy (f, "p", READ_B);

  g_autoptr (BawnAcl) after = get_acl (f, cache, "p");

  g_assert_true (reads (before, "a"));
  g_assert_false (reads (after, "a"));
  g_assert_true (reads (after, "b"));

  BawnTxn *txn = auth_begin (f);

  bawn_txn_delete (txn, BAWN_POLICY_PREFIX "p");
  auth_commit (txn);

  g_autoptr (BawnAcl) gone = get_acl (f, cache, "p");

  g_assert_false (reads (gone, "b"));
  bawn_acl_cache_free (cache);
}

static void
test_root_counts_only_alone (AuthFixture *f, gconstpointer data)
{
  BawnAclCache *cache = bawn_acl_cache_new (10);

  put_policy (f, "p", READ_A);

  g_autoptr (BawnAcl) root = get_acl (f, cache, "root");
  g_autoptr (BawnAcl) beside = get_acl (f, cache, "p root");
  g_autoptr (BawnAcl) beside_nothing = get_acl (f, cache, "none root");

  g_assert_true (bawn_acl_is_root (root));
  g_assert_false (bawn_acl_is_root (beside));
  g_assert_false (bawn_acl_is_root (beside_nothing));
  g_assert_true (reads (beside, "a"));
  g_assert_false (reads (beside, "b"));
  bawn_acl_cache_free (cache);
}

static void
test_a_full_cache_still_answers (AuthFixture *f, gconstpointer data)
{
  BawnAclCache *cache = bawn_acl_cache_new (2);
  static const char *const sets[] = { "pa", "pb", "pa pb", "none", "root" };

  put_policy (f, "pa", READ_A);
  put_policy (f, "pb", READ_B);
  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (BawnAcl) acl = get_acl (f, cache, sets[i % G_N_ELEMENTS (sets)]);
      guint set = i % G_N_ELEMENTS (sets);

      g_assert_cmpint (reads (acl, "a"), ==, set == 0 || set == 2 || set == 4);
      g_assert_cmpint (reads (acl, "b"), ==, set == 1 || set == 2 || set == 4);
    }
  bawn_acl_cache_clear (cache);
  bawn_acl_cache_free (cache);
}

typedef struct
{
  AuthFixture *f;
  BawnAclCache *cache;
} Shared;

static gpointer
ask_often (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < 300; i++)
    {
      g_autoptr (BawnAcl) acl = get_acl (shared->f, shared->cache, i % 2 == 0 ? "pa" : "pa pb");

      g_assert_true (reads (acl, "a"));
      g_assert_cmpint (reads (acl, "b"), ==, i % 2 != 0);
      if (i % 50 == 0)
        bawn_acl_cache_clear (shared->cache);
    }

  return NULL;
}

static void
test_threads_share_a_cache (AuthFixture *f, gconstpointer data)
{
  Shared shared = { f, bawn_acl_cache_new (1) };
  GThread *threads[4] = { NULL };

  put_policy (f, "pa", READ_A);
  put_policy (f, "pb", READ_B);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("ask", ask_often, &shared);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  bawn_acl_cache_free (shared.cache);
}

#define add(name, func)                                                                            \
  g_test_add ("/auth/policy-store/" name, AuthFixture, NULL, auth_set_up, func, auth_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-policy-is-kept-word-for-word", test_a_policy_is_kept_word_for_word);
  add ("what-is-not-there-is-absent", test_what_is_not_there_is_absent);
  add ("bad-policies-are-not-stored", test_bad_policies_are_not_stored);
  add ("the-default-policy-lets-a-token-look-after-itself",
       test_the_default_policy_lets_a_token_look_after_itself);
  add ("the-wrapping-policy-opens-one-answer", test_the_wrapping_policy_opens_one_answer);
  add ("the-same-policies-are-the-same-acl", test_the_same_policies_are_the_same_acl);
  add ("a-changed-policy-counts-at-once", test_a_changed_policy_counts_at_once);
  add ("root-counts-only-alone", test_root_counts_only_alone);
  add ("a-full-cache-still-answers", test_a_full_cache_still_answers);
  add ("threads-share-a-cache", test_threads_share_a_cache);

  return g_test_run ();
}
