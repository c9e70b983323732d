/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

#include "logical/bawn-string-map.h"

#include <string.h>

/* HMAC-SHA256 of the named texts under SALT, by another implementation. */
#define SALT "0123456789abcdef0123456789abcdef"
#define H_TOKEN                                                                                    \
  "hmac-sha256:924b6295a30856aaeb316142f06cecf439c62190d1f52db32440638305f5674c" /* hvs.token */
#define H_ACC                                                                                      \
  "hmac-sha256:1712ed6795a3545f40ba5dce6dfbd91fad3ce266ec319fc711ba5930474c21dc" /* acc */
#define H_HUNTER                                                                                   \
  "hmac-sha256:3920d54ec70f500ee54e1da041d2364a8e57dd252f7a81ed8acd58ad6cf3b6d0" /* hunter2 */
#define H_DEEP                                                                                     \
  "hmac-sha256:e094ee38e8ba0673b4c0dea4f6ae1c38427fb8596202a6a30461fb5fe838bbc8" /* deep */
#define H_X1 "hmac-sha256:0709410a38d99e5c81daec49978b629bd442d9ebf2ebb805e785cb2ef07dd029" /* x1  \
                                                                                             */
#define H_BODY                                                                                     \
  "hmac-sha256:c5af0ed662fa50beae41489ec5c0cbbf99c615c39810f9dea60b7a1a1d7c7094" /* plain body */
#define H_WRAP                                                                                     \
  "hmac-sha256:5a19aa176261c5885572addcaf6b8683d138ee515a6d97a554d8592507130dd2" /* wrap */
#define H_NEW                                                                                      \
  "hmac-sha256:d098172f34f9fc55d3140f83d7e81fafb965e40ef974d64e730b73f8b31596cb" /* hvs.new */

/* 2026-01-02T03:04:05.5Z */
#define NOW_US G_GINT64_CONSTANT (1767323045500000)

#define AUTH_CALLER                                                                                \
  "\"auth\":{\"client_token\":\"" H_TOKEN "\",\"accessor\":\"" H_ACC                               \
  "\",\"display_name\":\"token\","                                                                 \
  "\"policies\":[\"default\",\"p\"],\"token_policies\":[\"default\",\"p\"],"                       \
  "\"metadata\":{\"team\":\"a\"},\"token_type\":\"service\",\"token_ttl\":60,"                     \
  "\"token_issue_time\":\"2026-01-02T03:04:05.5Z\"}"
#define REQUEST_HEAD                                                                               \
  "\"request\":{\"id\":\"r1\",\"operation\":\"update\",\"mount_type\":\"kv\",\"client_token\":"    \
  "\"" H_TOKEN "\",\"client_token_accessor\":\"" H_ACC                                             \
  "\",\"namespace\":{\"id\":\"root\"},\"path\":\"secret/a\""

typedef struct
{
  BawnSecret *key;
  BawnRequest *request;
  BawnAuditStyle style;
  BawnAuditFacts facts;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const char *const policies[] = { "default", "p", NULL };
  BawnToken *caller = bawn_token_new ();
  BawnRequest *request = bawn_request_new (BAWN_OP_UPDATE, "secret/a");

  caller->accessor = g_strdup ("acc");
  caller->display_name = g_strdup ("token");
  caller->policies = g_strdupv ((GStrv) policies);
  caller->meta = bawn_string_map_new ();
  g_hash_table_insert (caller->meta, g_strdup ("team"), g_strdup ("a"));
  caller->ttl_us = 60 * G_USEC_PER_SEC;
  caller->creation_us = NOW_US;
  request->id = g_strdup ("r1");
  request->token = g_strdup ("hvs.token");
  request->remote_address = g_strdup ("10.0.0.1");
  request->caller = caller;
  request->mount = bawn_mount_new ();
  request->mount->type = g_strdup ("kv");
  f->request = request;
  f->key = bawn_secret_new_copy (SALT, strlen (SALT));
  f->style = (BawnAuditStyle){ .key = f->key, .hmac_accessor = TRUE };
  f->facts = (BawnAuditFacts){ .request = request, .time_us = NOW_US };
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  bawn_request_unref (f->request);
  bawn_secret_unref (f->key);
}

static void
set_data (Fixture *f, const char *json)
{
  g_autoptr (GError) error = NULL;

  f->request->data = bawn_json_parse_string (json, &error);
  g_assert_no_error (error);
}

static void
assert_record (Fixture *f, const char *expected)
{
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  bawn_audit_record_write (&out, &f->style, &f->facts);
  bawn_buffer_append_byte (&out, '\0');
  g_assert_cmpstr ((const char *) out.data, ==, expected);
}

static void
test_strings_are_hashed_and_numbers_stay (Fixture *f, gconstpointer data)
{
  set_data (f, "{\"password\":\"hunter2\", \"n\": "
               "1.50,\n\"b\":true,\"z\":null,\"in\":[\"deep\",{\"a\":\"deep\"}]}");
  assert_record (f, "{\"time\":\"2026-01-02T03:04:05.5Z\",\"type\":\"request\"," AUTH_CALLER
                    "," REQUEST_HEAD ",\"data\":{\"password\":\"" H_HUNTER
                    "\",\"n\":1.50,\"b\":true,\"z\":null,\"in\":[\"" H_DEEP "\",{\"a\":\"" H_DEEP
                    "\"}]},\"remote_address\":\"10.0.0.1\"}}\n");
}

static void
test_listed_keys_stay_clear (Fixture *f, gconstpointer data)
{
  const char *const keys[] = { "user", NULL };

  f->request->mount->audit_non_hmac_request_keys = g_strdupv ((GStrv) keys);
  set_data (f, "{\"user\":\"bob\",\"in\":{\"user\":\"deep\"}}");
  assert_record (f,
                 "{\"time\":\"2026-01-02T03:04:05.5Z\",\"type\":\"request\"," AUTH_CALLER
                 "," REQUEST_HEAD ",\"data\":{\"user\":\"bob\",\"in\":{\"user\":\"" H_DEEP "\"}},"
                 "\"remote_address\":\"10.0.0.1\"}}\n");
}

static void
test_raw_records_are_clear (Fixture *f, gconstpointer data)
{
  f->style.key = NULL;
  g_clear_pointer (&f->request->caller, bawn_token_unref);
  f->facts.error_message = "permission denied";
  f->request->wrap_ttl_us = 60 * G_USEC_PER_SEC;
  set_data (f, "{\"password\":\"hunter2\"}");
  assert_record (
      f, "{\"time\":\"2026-01-02T03:04:05.5Z\",\"type\":\"request\",\"auth\":{\"token_type\":"
         "\"default\"},"
         "\"request\":{\"id\":\"r1\",\"operation\":\"update\",\"mount_type\":\"kv\","
         "\"client_token\":\"hvs.token\",\"namespace\":{\"id\":\"root\"},\"path\":\"secret/a\","
         "\"data\":{\"password\":\"hunter2\"},\"remote_address\":\"10.0.0.1\",\"wrap_ttl\":60},"
         "\"error\":\"permission denied\"}\n");
}

static void
test_accessors_may_stay_clear (Fixture *f, gconstpointer data)
{
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  f->style.hmac_accessor = FALSE;
  bawn_audit_record_write (&out, &f->style, &f->facts);
  bawn_buffer_append_byte (&out, '\0');
  g_assert_nonnull (strstr ((const char *) out.data, "\"accessor\":\"acc\""));
  g_assert_nonnull (strstr ((const char *) out.data, "\"client_token_accessor\":\"acc\""));
  g_assert_null (strstr ((const char *) out.data, "hvs.token"));
}

static void
test_chosen_headers_are_shown (Fixture *f, gconstpointer data)
{
  const char *const agent[] = { "x1", "deep", NULL };
  const char *const other[] = { "clear", NULL };
  g_autoptr (GHashTable) shown = g_hash_table_new (g_str_hash, g_str_equal);

  f->request->headers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  g_hash_table_insert (f->request->headers, g_strdup ("user-agent"), g_strdupv ((GStrv) agent));
  g_hash_table_insert (f->request->headers, g_strdup ("x-other"), g_strdupv ((GStrv) other));
  g_hash_table_insert (f->request->headers, g_strdup ("x-hidden"), g_strdupv ((GStrv) other));
  g_hash_table_insert (shown, (gpointer) "user-agent", GINT_TO_POINTER (TRUE));
  g_hash_table_insert (shown, (gpointer) "x-other", GINT_TO_POINTER (FALSE));
  g_hash_table_insert (shown, (gpointer) "x-absent", GINT_TO_POINTER (FALSE));
  f->facts.headers = shown;
  assert_record (f, "{\"time\":\"2026-01-02T03:04:05.5Z\",\"type\":\"request\"," AUTH_CALLER
                    "," REQUEST_HEAD
                    ",\"remote_address\":\"10.0.0.1\",\"headers\":{\"user-agent\":[\"" H_X1
                    "\",\"" H_DEEP "\"],\"x-other\":[\"clear\"]}}}\n");
}

/* The part of a response's record after the request. */
static void
assert_response (Fixture *f, const BawnResponse *response, const char *expected)
{
  g_autoptr (BawnJson) json = NULL;
  g_autofree char *line =
      g_strdup_printf ("{\"time\":\"2026-01-02T03:04:05.5Z\",\"type\":\"response\"," AUTH_CALLER
                       "," REQUEST_HEAD ",\"remote_address\":\"10.0.0.1\"},%s}\n",
                       expected);

  if (response != NULL && response->data != NULL && response->form != BAWN_RESPONSE_RAW)
    json = bawn_json_parse (response->data, NULL, NULL);
  f->facts.is_response = TRUE;
  f->facts.response = response;
  f->facts.response_data = json;
  assert_record (f, line);
}

static void
test_a_response_is_hashed_too (Fixture *f, gconstpointer data)
{
  const char *const keys[] = { "open", NULL };
  g_autoptr (BawnResponse) response = bawn_response_new_data (
      bawn_bytes_new_string ("{\"data\":{\"p\":\"hunter2\"},\"open\":\"x\",\"v\":3}"));

  f->request->mount->audit_non_hmac_response_keys = g_strdupv ((GStrv) keys);
  response->lease_id = g_strdup ("secret/a/1");
  bawn_response_warn (response, "mind");
  assert_response (f, response,
                   "\"response\":{\"mount_type\":\"kv\",\"secret\":{\"lease_id\":\"secret/a/1\"},"
                   "\"data\":{\"data\":{\"p\":\"" H_HUNTER
                   "\"},\"open\":\"x\",\"v\":3},\"warnings\":[\"mind\"]}");
}

static void
test_tokens_in_a_response_are_hashed (Fixture *f, gconstpointer data)
{
  BawnToken *token = bawn_token_new ();
  BawnAuth *auth = bawn_auth_new (token);
  g_autoptr (BawnResponse) response = bawn_response_new_auth (auth);
  BawnWrapInfo *wrap = g_new0 (BawnWrapInfo, 1);

  auth->client_token = g_strdup ("hvs.new");
  wrap->token = g_strdup ("wrap");
  wrap->accessor = g_strdup ("acc");
  wrap->creation_path = g_strdup ("secret/a");
  wrap->creation_us = NOW_US;
  wrap->ttl_us = 30 * G_USEC_PER_SEC;
  response->wrap = wrap;
  assert_response (f, response,
                   "\"response\":{\"mount_type\":\"kv\",\"auth\":{\"client_token\":\"" H_NEW
                   "\",\"token_type\":\"service\"},\"wrap_info\":{\"ttl\":30,\"token\":\"" H_WRAP
                   "\",\"accessor\":\"" H_ACC "\",\"creation_time\":\"2026-01-02T03:04:05.5Z\","
                   "\"creation_path\":\"secret/a\"}}");
}

static void
test_a_raw_body_is_one_value (Fixture *f, gconstpointer data)
{
  g_autoptr (BawnResponse) response = bawn_response_new_data (bawn_bytes_new_string ("plain body"));

  response->form = BAWN_RESPONSE_RAW;
  response->content_type = g_strdup ("text/plain");
  assert_response (
      f, response,
      "\"response\":{\"mount_type\":\"kv\",\"data\":{\"http_content_type\":\"text/plain\","
      "\"http_raw_body\":\"" H_BODY "\"}}");
}

static void
test_an_error_has_no_answer (Fixture *f, gconstpointer data)
{
  f->facts.error_message = "no \"data\"";
  assert_response (f, NULL, "\"response\":{\"mount_type\":\"kv\"},\"error\":\"no \\\"data\\\"\"");
}

static void
test_long_lists_may_be_counted_only (Fixture *f, gconstpointer data)
{
  const char *const keys[] = { "deep", "x1", NULL };
  g_autoptr (BawnResponse) response = bawn_response_new_keys (keys);

  assert_response (f, response,
                   "\"response\":{\"mount_type\":\"kv\",\"data\":{\"keys\":[\"" H_DEEP "\",\"" H_X1
                   "\"]}}");

  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;
  g_autoptr (BawnJson) json = bawn_json_parse (response->data, NULL, NULL);

  f->style.elide = TRUE;
  f->request->op = BAWN_OP_LIST;
  f->facts.response_data = json;
  bawn_audit_record_write (&out, &f->style, &f->facts);
  bawn_buffer_append_byte (&out, '\0');
  g_assert_nonnull (strstr ((const char *) out.data, "\"data\":{\"keys\":2}"));
}

/* As deep as a body may be: deeper than a writer counts. */
static void
test_a_deep_body_is_one_line_of_json (Fixture *f, gconstpointer data)
{
  const guint depth = BAWN_JSON_MAX_DEPTH - 2;
  g_autoptr (GString) text = g_string_new ("{\"a\":");
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;

  for (guint i = 0; i < depth; i++)
    g_string_append (text, "[\n");
  g_string_append (text, "\"deep\"");
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "]");
  g_string_append (text, "}");
  set_data (f, text->str);
  bawn_audit_record_write (&out, &f->style, &f->facts);

  g_assert_true (memchr (out.data, '\n', out.size) == out.data + out.size - 1);
  bawn_buffer_append_byte (&out, '\0');
  g_assert_nonnull (strstr ((const char *) out.data, "[[[[\"" H_DEEP "\"]]]]"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define add(name, func) g_test_add ("/audit/record/" name, Fixture, NULL, set_up, func, tear_down)
  add ("strings-are-hashed-and-numbers-stay", test_strings_are_hashed_and_numbers_stay);
  add ("listed-keys-stay-clear", test_listed_keys_stay_clear);
  add ("raw-records-are-clear", test_raw_records_are_clear);
  add ("accessors-may-stay-clear", test_accessors_may_stay_clear);
  add ("chosen-headers-are-shown", test_chosen_headers_are_shown);
  add ("a-response-is-hashed-too", test_a_response_is_hashed_too);
  add ("tokens-in-a-response-are-hashed", test_tokens_in_a_response_are_hashed);
  add ("a-raw-body-is-one-value", test_a_raw_body_is_one_value);
  add ("an-error-has-no-answer", test_an_error_has_no_answer);
  add ("long-lists-may-be-counted-only", test_long_lists_may_be_counted_only);
  add ("a-deep-body-is-one-line-of-json", test_a_deep_body_is_one_line_of_json);
#undef add

  return g_test_run ();
}
