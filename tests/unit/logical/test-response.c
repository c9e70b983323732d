/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "logical/bawn-response.h"

#include <string.h>

#define ID "5a3b1a9c-0000-4000-8000-000000000001"

static void
assert_encodes (BawnResponse *response, guint status, const char *expected)
{
  guint got = 0;
  g_autoptr (GBytes) body = bawn_response_encode (response, ID, &got);

  g_assert_cmpuint (got, ==, status);
  if (expected == NULL)
    {
      g_assert_null (body);
      return;
    }
  g_assert_nonnull (body);

  gsize size = 0;
  const char *text = g_bytes_get_data (body, &size);
  g_autofree char *copy = g_strndup (text, size);

  g_assert_cmpstr (copy, ==, expected);
}

static BawnResponse *
response_with (const char *data)
{
  return bawn_response_new_data (bawn_bytes_new_string (data));
}

static void
test_data_is_spliced_into_the_envelope (void)
{
  g_autoptr (BawnResponse) response = response_with ("{\"a\": 1.50}");

  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":{\"a\": 1.50},\"wrap_info\":null,"
                  "\"warnings\":null,\"auth\":null}\n");
}

static void
test_nothing_to_say_is_204 (void)
{
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();

  assert_encodes (response, 204, NULL);
}

static void
test_a_warning_alone_makes_a_body (void)
{
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();

  bawn_response_warn (response, "mind \"%s\"", "this");
  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":null,\"wrap_info\":null,"
                  "\"warnings\":[\"mind \\\"this\\\"\"],\"auth\":null}\n");
}

static void
test_a_404_may_carry_an_envelope (void)
{
  g_autoptr (BawnResponse) response = response_with ("{\"data\":null}");

  response->status = 404;
  assert_encodes (response, 404,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":{\"data\":null},\"wrap_info\":null,"
                  "\"warnings\":null,\"auth\":null}");
}

static void
test_a_lease_shows_in_seconds (void)
{
  g_autoptr (BawnResponse) response = response_with ("{}");

  response->lease_id = g_strdup ("a/b");
  response->lease_ttl_us = 61500000;
  response->renewable = TRUE;
  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"a/b\",\"renewable\":true,"
                  "\"lease_duration\":61,\"data\":{},\"wrap_info\":null,\"warnings\":null,"
                  "\"auth\":null}\n");
}

static void
test_injected_members_come_before_the_envelope (void)
{
  g_autoptr (BawnResponse) response = response_with ("{ \"keys\":[\"a\"], \"x\":2 }");

  response->form = BAWN_RESPONSE_INJECTED;
  assert_encodes (response, 200,
                  "{\"keys\":[\"a\"],\"x\":2,\"request_id\":\"" ID "\",\"lease_id\":\"\","
                  "\"renewable\":false,\"lease_duration\":0,\"data\":{ \"keys\":[\"a\"], \"x\":2 },"
                  "\"wrap_info\":null,\"warnings\":null,\"auth\":null}\n");
}

static void
test_a_list_without_names_is_404 (void)
{
  const char *const none[] = { NULL };
  g_autoptr (BawnResponse) response = bawn_response_new_keys (none);

  assert_encodes (response, 404, "{\"errors\":[]}\n");
  bawn_response_warn (response, "hello");
  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":{\"keys\":[]},\"wrap_info\":null,"
                  "\"warnings\":[\"hello\"],\"auth\":null}\n");
}

static void
test_a_list_with_names_is_200 (void)
{
  const char *const some[] = { "a", "b/", NULL };
  g_autoptr (BawnResponse) response = bawn_response_new_keys (some);

  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":{\"keys\":[\"a\",\"b/\"]},\"wrap_info\":null,"
                  "\"warnings\":null,\"auth\":null}\n");
}

static void
test_bare_and_raw_bodies_are_the_data (void)
{
  g_autoptr (BawnResponse) bare =
      bawn_response_new_bare (0, bawn_bytes_new_string ("{\"sealed\":true}"));
  g_autoptr (BawnResponse) nothing = bawn_response_new_bare (204, NULL);
  g_autoptr (BawnResponse) raw = response_with ("plain");

  raw->form = BAWN_RESPONSE_RAW;
  assert_encodes (bare, 200, "{\"sealed\":true}\n");
  assert_encodes (nothing, 204, NULL);
  assert_encodes (raw, 200, "plain");
}

static void
test_an_auth_has_all_members (void)
{
  BawnToken *token = bawn_token_new ();
  const char *const policies[] = { "default", "p", NULL };
  BawnAuth *auth = bawn_auth_new (token);
  g_autoptr (BawnResponse) response = bawn_response_new_auth (auth);

  token->accessor = g_strdup ("acc");
  token->policies = g_strdupv ((GStrv) policies);
  token->ttl_us = 60 * G_USEC_PER_SEC;
  token->renewable = TRUE;
  token->num_uses = 3;
  auth->client_token = g_strdup ("hvs.x");
  assert_encodes (response, 200,
                  "{\"request_id\":\"" ID "\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":null,\"wrap_info\":null,\"warnings\":null,"
                  "\"auth\":{\"client_token\":\"hvs.x\",\"accessor\":\"acc\","
                  "\"policies\":[\"default\",\"p\"],\"token_policies\":[\"default\",\"p\"],"
                  "\"metadata\":null,\"lease_duration\":60,\"renewable\":true,\"entity_id\":\"\","
                  "\"token_type\":\"service\",\"orphan\":true,\"mfa_requirement\":null,"
                  "\"num_uses\":3}}\n");
}

static void
test_a_wrapped_answer_shows_only_the_wrapping (void)
{
  g_autoptr (BawnResponse) response = response_with ("{\"secret\":1}");
  BawnWrapInfo *wrap = g_new0 (BawnWrapInfo, 1);

  wrap->token = g_strdup ("hvs.w");
  wrap->accessor = g_strdup ("acc");
  wrap->creation_path = g_strdup ("secret/a");
  wrap->ttl_us = 60 * G_USEC_PER_SEC;
  wrap->creation_us = G_GINT64_CONSTANT (1600000000500000);
  response->wrap = wrap;
  assert_encodes (response, 200,
                  "{\"request_id\":\"\",\"lease_id\":\"\",\"renewable\":false,"
                  "\"lease_duration\":0,\"data\":null,\"wrap_info\":{\"token\":\"hvs.w\","
                  "\"accessor\":\"acc\",\"ttl\":60,\"creation_time\":\"2020-09-13T12:26:40.5Z\","
                  "\"creation_path\":\"secret/a\"},\"warnings\":null,\"auth\":null}\n");
}

static void
test_errors_have_a_list (void)
{
  g_autoptr (GBytes) none = bawn_errors_encode (NULL);
  g_autoptr (GBytes) empty = bawn_errors_encode ("");
  g_autoptr (GBytes) one = bawn_errors_encode ("no \"way\"\n");
  const char expected[] = "{\"errors\":[\"no \\\"way\\\"\\n\"]}\n";

  g_assert_cmpmem (g_bytes_get_data (none, NULL), g_bytes_get_size (none), "{\"errors\":[]}\n", 14);
  g_assert_true (g_bytes_equal (none, empty));
  g_assert_cmpmem (g_bytes_get_data (one, NULL), g_bytes_get_size (one), expected,
                   strlen (expected));
}

static void
count (gpointer data, gpointer unused)
{
  (*(guint *) data)++;
}

static void
destroyed (gpointer data)
{
  *(guint *) data += 100;
}

static void
test_after_commit_runs_once_and_always_frees (void)
{
  g_autoptr (BawnResponse) response = bawn_response_new_empty ();
  BawnResponse *dropped = bawn_response_new_empty ();
  guint ran = 0;
  guint unran = 0;

  bawn_response_after_commit (response, count, &ran, destroyed);
  bawn_response_after_commit (dropped, count, &unran, destroyed);
  bawn_response_run_after_commit (response);
  bawn_response_run_after_commit (response);
  bawn_response_free (dropped);

  g_assert_cmpuint (ran, ==, 101);
  g_assert_cmpuint (unran, ==, 100);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func) g_test_add_func ("/logical/response/" name, func)
  add ("data-is-spliced-into-the-envelope", test_data_is_spliced_into_the_envelope);
  add ("nothing-to-say-is-204", test_nothing_to_say_is_204);
  add ("a-warning-alone-makes-a-body", test_a_warning_alone_makes_a_body);
  add ("a-404-may-carry-an-envelope", test_a_404_may_carry_an_envelope);
  add ("a-lease-shows-in-seconds", test_a_lease_shows_in_seconds);
  add ("injected-members-come-before-the-envelope", test_injected_members_come_before_the_envelope);
  add ("a-list-without-names-is-404", test_a_list_without_names_is_404);
  add ("a-list-with-names-is-200", test_a_list_with_names_is_200);
  add ("bare-and-raw-bodies-are-the-data", test_bare_and_raw_bodies_are_the_data);
  add ("an-auth-has-all-members", test_an_auth_has_all_members);
  add ("a-wrapped-answer-shows-only-the-wrapping", test_a_wrapped_answer_shows_only_the_wrapping);
  add ("errors-have-a-list", test_errors_have_a_list);
  add ("after-commit-runs-once-and-always-frees", test_after_commit_runs_once_and_always_frees);
#undef add

  return g_test_run ();
}
