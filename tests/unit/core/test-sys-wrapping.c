/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "sys-check.h"

#define READ BAWN_OP_READ
#define WRITE BAWN_OP_UPDATE

#define GONE "wrapping token is not valid or does not exist"

static char *
wrap_for (CoreFixture *f, BawnOp op, const char *path, const char *body, gint64 ttl_us)
{
  g_autoptr (BawnRequest) request = bawn_request_new (op, path);
  g_autoptr (GError) error = NULL;
  int code = 0;

  if (body != NULL)
    request->data = bawn_json_parse_string (body, &error);
  g_assert_no_error (error);
  request->token = g_strdup (f->root);
  request->wrap_ttl_us = ttl_us;
  g_autofree char *text = sys_check_ask (f, request, &code, NULL);
  g_assert_cmpint (code, ==, CORE_FIXTURE_OK);

  g_autoptr (BawnJson) json = bawn_json_parse_string (text, &error);
  g_assert_no_error (error);
  const BawnJsonNode *info = bawn_json_get (bawn_json_root (json), "wrap_info");
  g_assert_cmpint (bawn_json_get_int (info, "ttl", 0), ==, MAX (ttl_us / G_USEC_PER_SEC, 1));
  g_assert_cmpstr (bawn_json_get_string (info, "creation_path", NULL), ==, path);
  return g_strdup (bawn_json_get_string (info, "token", NULL));
}

static char *
wrap_with (CoreFixture *f, BawnOp op, const char *path, const char *body)
{
  return wrap_for (f, op, path, body, 60 * G_USEC_PER_SEC);
}

static char *
token_body (const char *token)
{
  return g_strdup_printf ("{\"token\":\"%s\"}", token);
}

static void
ready (CoreFixture *f)
{
  core_fixture_open (f, NULL);
  core_fixture_ready (f, 1, 1);
}

static void
test_a_wrapping_token_opens_its_answer_once (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *token =
      wrap_with (&f, WRITE, "sys/wrapping/wrap", "{\"zip\":\"zap\",\"n\":1.50}");
  static const SysStep steps[] = {
    { WRITE, "sys/wrapping/lookup", NULL,
      SYS_OK (200, "\"creation_path\":\"sys/wrapping/wrap\",\"creation_time\":\"2023-") },
    { READ, "sys/wrapping/lookup", NULL, SYS_OK (200, "\"creation_ttl\":60") },
    { WRITE, "sys/wrapping/unwrap", NULL, SYS_OK (200, "\"data\":{\"zip\":\"zap\",\"n\":1.50}") },
    { WRITE, "sys/wrapping/unwrap", NULL, SYS_INVALID (GONE) },
    { WRITE, "sys/wrapping/lookup", NULL, SYS_INVALID (GONE) },
  };
  sys_check_steps (&f, token, steps, G_N_ELEMENTS (steps));
}

static void
test_a_third_party_needs_a_token_of_its_own (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *token = wrap_with (&f, READ, "sys/mounts", NULL);
  g_autofree char *body = token_body (token);
  g_autofree char *weak = sys_check_token (&f, "weak", "path \"a\" { capabilities = [\"read\"] }");
  const SysStep nobody[] = {
    { WRITE, "sys/wrapping/lookup", body, SYS_OK (200, "\"creation_path\":\"sys/mounts\"") },
    { WRITE, "sys/wrapping/unwrap", body, BAWN_ERROR_DENIED, 0, "permission denied" },
    { WRITE, "sys/wrapping/unwrap", "{\"token\":\"nope\"}", SYS_INVALID (GONE) },
    { WRITE, "sys/wrapping/unwrap", NULL, SYS_INVALID (GONE) },
  };
  const SysStep root[] = {
    { WRITE, "sys/wrapping/unwrap", NULL, SYS_INVALID (GONE) },
    { WRITE, "sys/wrapping/unwrap", body, SYS_OK (200, "\"sys/\":{") },
    { WRITE, "sys/wrapping/unwrap", body, SYS_INVALID (GONE) },
  };
  sys_check_steps (&f, NULL, nobody, G_N_ELEMENTS (nobody));
  sys_check_steps (&f, weak, nobody, 2);
  sys_check_steps (&f, f.root, root, G_N_ELEMENTS (root));
}

static void
test_rewrapping_keeps_content_path_and_time (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *old = wrap_with (&f, WRITE, "sys/wrapping/wrap", "{\"a\":\"b\"}");
  g_autoptr (BawnJson) json = sys_check_json (&f, old, WRITE, "sys/wrapping/rewrap", NULL);
  const BawnJsonNode *info = bawn_json_get (bawn_json_root (json), "wrap_info");
  const char *token = bawn_json_get_string (info, "token", NULL);
  static const SysStep gone[] = { { WRITE, "sys/wrapping/unwrap", NULL, SYS_INVALID (GONE) } };
  static const SysStep there[] = { { WRITE, "sys/wrapping/unwrap", NULL,
                                     SYS_OK (200, "\"data\":{\"a\":\"b\"}") } };

  g_assert_cmpstr (bawn_json_get_string (info, "creation_path", NULL), ==, "sys/wrapping/wrap");
  g_assert_cmpint (bawn_json_get_int (info, "ttl", 0), ==, 60);
  sys_check_steps (&f, old, gone, G_N_ELEMENTS (gone));
  sys_check_steps (&f, token, there, G_N_ELEMENTS (there));
}

static void
test_a_part_of_a_second_is_not_for_ever (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *old =
      wrap_for (&f, WRITE, "sys/wrapping/wrap", "{\"a\":\"b\"}", G_USEC_PER_SEC / 2);
  g_autoptr (BawnJson) json = sys_check_json (&f, old, WRITE, "sys/wrapping/rewrap", NULL);
  const BawnJsonNode *info = bawn_json_get (bawn_json_root (json), "wrap_info");
  const char *token = bawn_json_get_string (info, "token", NULL);
  static const SysStep gone[] = { { WRITE, "sys/wrapping/unwrap", NULL, SYS_INVALID (GONE) } };

  g_assert_cmpint (bawn_json_get_int (info, "ttl", 0), ==, 1);
  bawn_clock_advance (f.clock, 2 * G_USEC_PER_SEC);
  sys_check_steps (&f, token, gone, G_N_ELEMENTS (gone));
}

static void
test_no_login_makes_a_wrapping_token (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/auth/userpass", "{\"type\":\"userpass\"}", SYS_OK (204, NULL) },
    { WRITE, "auth/userpass/users/eve",
      "{\"password\":\"x\",\"token_policies\":\"response-wrapping\","
      "\"token_no_default_policy\":true}",
      SYS_OK (204, NULL) },
    { WRITE, "auth/userpass/login/eve", "{\"password\":\"x\"}",
      SYS_INVALID ("cannot assign policy \"response-wrapping\"") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_wrapping_must_be_asked_for (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;
  static const SysStep steps[] = {
    { WRITE, "sys/wrapping/wrap", "{\"a\":\"b\"}",
      SYS_INVALID ("endpoint requires response wrapping to be used") },
  };

  ready (&f);
  sys_check_steps (&f, f.root, steps, G_N_ELEMENTS (steps));
}

static void
test_the_cubbyhole_holds_the_answer_for_older_clients (void)
{
  g_auto (CoreFixture) f = CORE_FIXTURE_INIT;

  ready (&f);
  g_autofree char *token = wrap_with (&f, WRITE, "sys/wrapping/wrap", "{\"a\":\"b\"}");
  static const SysStep steps[] = { { READ, "cubbyhole/response", NULL,
                                     SYS_OK (200, "{\"response\":\"{\\\"request_id\\\":") } };
  sys_check_steps (&f, token, steps, G_N_ELEMENTS (steps));
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/sys/wrapping/a-token-opens-its-answer-once",
                   test_a_wrapping_token_opens_its_answer_once);
  g_test_add_func ("/core/sys/wrapping/a-third-party-needs-a-token",
                   test_a_third_party_needs_a_token_of_its_own);
  g_test_add_func ("/core/sys/wrapping/rewrapping-keeps-content-path-and-time",
                   test_rewrapping_keeps_content_path_and_time);
  g_test_add_func ("/core/sys/wrapping/a-part-of-a-second-is-not-for-ever",
                   test_a_part_of_a_second_is_not_for_ever);
  g_test_add_func ("/core/sys/wrapping/no-login-makes-a-wrapping-token",
                   test_no_login_makes_a_wrapping_token);
  g_test_add_func ("/core/sys/wrapping/must-be-asked-for", test_wrapping_must_be_asked_for);
  g_test_add_func ("/core/sys/wrapping/the-cubbyhole-holds-the-answer",
                   test_the_cubbyhole_holds_the_answer_for_older_clients);
  return g_test_run ();
}
