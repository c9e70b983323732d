/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/engine/engine-fixture.h"

GType bawn_engine_cubbyhole_get_type (void);

#define R BAWN_OP_READ
#define W BAWN_OP_UPDATE
#define L BAWN_OP_LIST
#define D BAWN_OP_DELETE

static const EngineStep own_place[] = {
  { R, "a", NULL, "NOT_FOUND" },
  { L, "", NULL, "404" },
  { W, "a", "{\"n\": 1.50}", "204" },
  { W, "a/b", "{\"n\":2}", "204" },
  { R, "a", NULL, "200 {\"n\": 1.50}" },
  { L, "", NULL, "200 {\"keys\":[\"a\",\"a/\"]}" },
  { L, "a/", NULL, "200 {\"keys\":[\"b\"]}" },
  { W, "c", NULL, "INVALID missing data fields" },
  { W, "c", "{}", "INVALID missing data fields" },
  { R, "", NULL, "INVALID missing path" },
  { W, "a//b", "{\"n\":2}", "INVALID the path is too long or has an empty part" },
  { D, "a", NULL, "204" },
  { D, "a", NULL, "204" },
  { R, "a", NULL, "NOT_FOUND" },
};

static const EngineStep nothing_here[] = {
  { R, "a/b", NULL, "NOT_FOUND" },
  { L, "", NULL, "404" },
  { D, "a/b", NULL, "204" },
};

static const EngineStep not_for_batch[] = {
  { R, "a", NULL, "INVALID cubbyhole operations are only supported by \"service\" type tokens" },
  { W, "a", "{\"n\":1}",
    "INVALID cubbyhole operations are only supported by \"service\" type tokens" },
  { L, "", NULL, "INVALID cubbyhole operations are only supported by \"service\" type tokens" },
  { D, "a", NULL, "INVALID cubbyhole operations are only supported by \"service\" type tokens" },
};

static void
set_up (EngineFixture *f, gconstpointer data)
{
  engine_fixture_set_up (f, bawn_engine_cubbyhole_get_type (), NULL);
}

static void
tear_down (EngineFixture *f, gconstpointer data)
{
  engine_fixture_tear_down (f);
}

static void
test_a_token_has_its_own_place (EngineFixture *f, gconstpointer data)
{
  engine_fixture_steps (f, own_place, G_N_ELEMENTS (own_place));

  bawn_token_unref (f->caller);
  f->caller = bawn_token_new ();
  f->caller->cubbyhole = g_strdup ("c2");
  engine_fixture_steps (f, nothing_here, G_N_ELEMENTS (nothing_here));

  g_autoptr (BawnTxn) txn = bawn_store_begin (f->store, NULL, TRUE);
  g_autoptr (GBytes) value = NULL;

  g_assert_true (bawn_txn_get (txn, BAWN_CUBBYHOLE_PREFIX "c1/a/b", &value, NULL));
  g_assert_nonnull (value);
}

static void
test_batch_tokens_have_none (EngineFixture *f, gconstpointer data)
{
  f->caller->type = BAWN_TOKEN_BATCH;
  engine_fixture_steps (f, not_for_batch, G_N_ELEMENTS (not_for_batch));
  f->caller->type = BAWN_TOKEN_SERVICE;
  g_clear_pointer (&f->caller->cubbyhole, g_free);
  engine_fixture_steps (f, not_for_batch, G_N_ELEMENTS (not_for_batch));
}

static void
test_fetching_a_wrapped_answer_here_is_deprecated (EngineFixture *f, gconstpointer data)
{
  static const EngineStep steps[] = {
    { W, "response", "{\"response\":\"{}\"}", "204" },
    { R, "response", NULL,
      "200 {\"response\":\"{}\"} !Reading from 'cubbyhole/response' is deprecated. Please use "
      "sys/wrapping/unwrap to "
      "unwrap responses, as it provides additional security checks and other benefits." },
  };
  const char *const policies[] = { "response-wrapping", NULL };

  f->caller->policies = g_strdupv ((GStrv) policies);
  engine_fixture_steps (f, steps, G_N_ELEMENTS (steps));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func)                                                                            \
  g_test_add ("/engine/cubbyhole/" name, EngineFixture, NULL, set_up, func, tear_down)
  add ("a-token-has-its-own-place", test_a_token_has_its_own_place);
  add ("batch-tokens-have-none", test_batch_tokens_have_none);
  add ("fetching-a-wrapped-answer-here-is-deprecated",
       test_fetching_a_wrapped_answer_here_is_deprecated);
#undef add

  return g_test_run ();
}
