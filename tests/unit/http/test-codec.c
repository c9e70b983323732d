/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-codec.h"
#include "http/bawn-http-target.h"

#include <string.h>

static const BawnJsonLimits limits = { 0, 0 };

/* Decodes; frees nothing that the outputs need. */
static BawnRequest *
decode (const char *method, const char *target, const char *headers, const char *body, BawnHttpReply *out_reply)
{
  g_autofree char *text = g_strdup_printf ("%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target, headers);
  g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
  BawnHttpRefusal why = { 0, NULL };

  g_assert_true (bawn_http_head_parse (head, (const guint8 *) text, strlen (text), &why));
  g_autoptr(GBytes) bytes = *body != '\0' ? bawn_bytes_new_string (body) : NULL;
  BawnRequest *request = bawn_http_codec_decode (head, bytes, &limits, out_reply);
  bawn_http_head_clear (head);

  return request;
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define MERGE "Content-Type: application/merge-patch+json\r\n"

static const struct
{
  const char *method;
  const char *target;
  const char *headers;
  const char *body;
  const char *expected; /* "operation path data" */
} good[] = {
  { "GET", "/v1/secret/a", "", "", "read secret/a -" },
  { "GET", "/v1/", "", "", "read  -" },
  { "GET", "/v1/secret/a?x=1&y=two", "", "", "read secret/a {\"x\":\"1\",\"y\":\"two\"}" },
  { "GET", "/v1/a?x=1&y=2&x=3", "", "", "read a {\"x\":[\"1\",\"3\"],\"y\":\"2\"}" },
  { "GET", "/v1/a?x&&y=", "", "", "read a {\"x\":\"\",\"y\":\"\"}" },
  { "GET", "/v1/a?x=%41+b%2B=", "", "", "read a {\"x\":\"A b+=\"}" },
  { "GET", "/v1/a?=1", "", "", "read a {\"\":\"1\"}" },
  { "GET", "/v1/a?", "", "", "read a -" },
  { "GET", "/v1/a?help=&x=1", "", "", "read a {\"x\":\"1\"}" },
  { "GET", "/v1/a?help=1&x=1", "", "", "help a -" },
  { "HELP", "/v1/a", "", "", "help a -" },
  { "GET", "/v1/a?list=true&x=1", "", "", "list a/ -" },
  { "GET", "/v1/a/?list=T", "", "", "list a/ -" },
  { "GET", "/v1/a?list=1", "", "", "list a/ -" },
  { "GET", "/v1/a?list=false", "", "", "read a {\"list\":\"false\"}" },
  { "GET", "/v1/a?list=", "", "", "read a {\"list\":\"\"}" },
  { "GET", "/v1/a/", "", "", "read a/ -" },
  { "GET", "/v1/a", "", "{\"ignored\":1}", "read a -" },
  { "LIST", "/v1/a", "", "", "list a/ -" },
  { "LIST", "/v1/a/", "", "", "list a/ -" },
  { "DELETE", "/v1/a?versions=1", "", "{\"ignored\":1}", "delete a {\"versions\":\"1\"}" },
  { "HEAD", "/v1/sys/health?sealedcode=299", "", "", "read sys/health {\"sealedcode\":\"299\"}" },
  { "GET", "/v1/a%2Fb%20c", "", "", "read a/b c -" },
  { "GET", "/v1/%C3%A4", "", "", "read \xc3\xa4 -" },
  { "GET", "/v1/\xc3\xa4", "", "", "read \xc3\xa4 -" },
  { "GET", "/v1/a%3Fb%23", "", "", "read a?b# -" },
  { "GET", "/v1/a#b?c=d", "", "", "read a -" },
  { "GET", "http://elsewhere:1/v1/a?x=1", "", "", "read a {\"x\":\"1\"}" },
  { "POST", "/v1/a", "", "{\"b\":1.50}", "update a {\"b\":1.50}" },
  { "PUT", "/v1/a", "", "  {\"b\":12345678901234567890}\n", "update a {\"b\":12345678901234567890}" },
  { "PUT", "/v1/a", "Content-Type: text/html\r\n", "{\"b\":1}", "update a {\"b\":1}" },
  { "PUT", "/v1/a?x=1", "", "", "update a -" },
  { "PUT", "/v1/a", "", " \r\n\t", "update a -" },
  { "PUT", "/v1/a", "", "null", "update a -" },
  { "POST", "/v1/a", FORM, "{\"b\":1}", "update a {\"b\":1}" },
  { "POST", "/v1/a", FORM, "b=1&c=x+y%21&b=2", "update a {\"b\":\"1,2\",\"c\":\"x y!\"}" },
  { "POST", "/v1/a", FORM, " b=1", "update a {\" b\":\"1\"}" },
  { "POST", "/v1/a", "Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n", "b=1", "update a {\"b\":\"1\"}" },
  { "PATCH", "/v1/a", MERGE, "{\"b\":null}", "patch a {\"b\":null}" },
  { "PATCH", "/v1/a", "Content-Type: application/merge-patch+json; charset=utf-8\r\n", "{}", "patch a {}" },
};

static void
test_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_auto(BawnHttpReply) reply = { 0 };
      g_autoptr(BawnRequest) request = decode (good[i].method, good[i].target, good[i].headers, good[i].body, &reply);

      if (request == NULL)
        g_error ("%s %s: %u", good[i].method, good[i].target, reply.status);
      const BawnJsonNode *root = request->data != NULL ? bawn_json_root (request->data) : NULL;
      g_autofree char *got = g_strdup_printf ("%s %s %.*s", bawn_op_name (request->op), request->path,
                                              root != NULL ? (int) root->raw_size : 1, root != NULL ? root->raw : "-");
      g_assert_cmpstr (got, ==, good[i].expected);
      g_assert_cmpuint (strlen (request->id), ==, 36);
      g_assert_cmpint (request->started_us, >, 0);
    }
}

#define NO_ERRORS "{\"errors\":[]}\n"

static const struct
{
  const char *method;
  const char *target;
  const char *headers;
  const char *body;
  guint status;
  const char *expected; /* the body's beginning, or the Location */
} bad[] = {
  { "GET", "/", "", "", 404, NO_ERRORS },
  { "GET", "/ui/", "", "", 404, NO_ERRORS },
  { "GET", "/v2/a", "", "", 404, NO_ERRORS },
  { "GET", "/V1/a", "", "", 404, NO_ERRORS },
  { "GET", "/v1", "", "", 301, "/v1/" },
  { "GET", "/v1//a", "", "", 301, "/v1/a" },
  { "PUT", "//v1/a", "", "{}", 301, "/v1/a" },
  { "GET", "/v1/./a?x=1", "", "", 301, "/v1/a?x=1" },
  { "GET", "/v1/a/../b", "", "", 301, "/v1/b" },
  { "GET", "/v1/a/..%2fb", "", "", 301, "/v1/b" },
  { "GET", "/v1/a%2F%2Fb", "", "", 301, "/v1/a/b" },
  { "GET", "/v1/a/..", "", "", 301, "/v1/" },
  { "GET", "/v1/../../../etc/passwd", "", "", 301, "/etc/passwd" },
  { "GET", "/v1/a%20%3F//b/", "", "", 301, "/v1/a%20%3F/b/" },
  { "GET", "//evil.example/v1/..", "", "", 301, "/evil.example" },
  { "GET", "/v1/a%00b", "", "", 400, "" },
  { "GET", "/v1/a%0ab", "", "", 400, "" },
  { "GET", "/v1/a%7f", "", "", 400, "" },
  { "GET", "/v1/a%e9", "", "", 400, "" },
  { "GET", "/v1/a\xe9", "", "", 400, "" },
  { "GET", "/v1/a%c2%a0", "", "", 400, "" },
  { "GET", "/v1/a%e2%80%ae", "", "", 400, "" },
  { "GET", "/v1/a%ed%a0%80", "", "", 400, "" },
  { "GET", "/v1/a%zz", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "GET", "/v1/a%4", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "GET", "v1/a", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "GET", "ftp://h/v1/a", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "OPTIONS", "*", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "CONNECT", "h:443", "", "", 400, "{\"errors\":[\"malformed request target\"]}\n" },
  { "GET", "/v1/a?x=%", "", "", 400, "{\"errors\":[\"malformed parameters\"]}\n" },
  { "GET", "/v1/a?x=%ff", "", "", 400, "{\"errors\":[\"malformed parameters\"]}\n" },
  { "GET", "/v1/a?x%00=1", "", "", 400, "{\"errors\":[\"malformed parameters\"]}\n" },
  { "GET", "/v1/a?list=maybe", "", "", 400, NO_ERRORS },
  { "HEAD", "/v1/a", "", "", 405, "{\"errors\":[\"unsupported operation\"]}\n" },
  { "OPTIONS", "/v1/a", "", "", 405, "{\"errors\":[\"unsupported operation\"]}\n" },
  { "PROPFIND", "/v1/a", "", "", 405, NO_ERRORS },
  { "SCAN", "/v1/a", "", "", 405, NO_ERRORS },
  { "get", "/v1/a", "", "", 405, NO_ERRORS },
  { "PUT", "/v1/a/", "", "{}", 400, "{\"errors\":[\"cannot write to a path ending in '/'\"]}\n" },
  { "POST", "/v1/", "", "{}", 400, "{\"errors\":[\"cannot write to a path ending in '/'\"]}\n" },
  { "PUT", "/v1/a", "", "[1]", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "\"a\"", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "1", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "{\"a\":", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "{'a':1}", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "{\"a\":01}", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "{\"a\":1} x", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "{\"a\":\"\xff\"}", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", "", "a=1", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "PUT", "/v1/a", FORM, "[1]", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "POST", "/v1/a", FORM, "a=%x", 400, "{\"errors\":[\"error parsing form data: malformed parameters\"]}\n" },
  { "PATCH", "/v1/a", "", "{}", 415, "{\"errors\":[\"PATCH requires Content-Type of application/merge-patch+json, " },
  { "PATCH", "/v1/a", "Content-Type: application/json\r\n", "{}", 415, "{\"errors\":[\"PATCH requires " },
  { "PATCH", "/v1/a", MERGE, "[]", 400, "{\"errors\":[\"error parsing JSON\"]}\n" },
  { "GET", "/v1/a", "X-Vault-Wrap-TTL: -5\r\n", "", 400,
    "{\"errors\":[\"error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative\"]}\n" },
  { "GET", "/v1/a", "X-Vault-Wrap-TTL: soon\r\n", "", 400, "{\"errors\":[\"error parsing X-Vault-Wrap-TTL header: " },
  { "GET", "/v1/a", "X-Vault-Policy-Override: perhaps\r\n", "", 400, "{\"errors\":[\"error parsing X-Vault-Policy-Over" },
};

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_auto(BawnHttpReply) reply = { 0 };
      g_autoptr(BawnRequest) request = decode (bad[i].method, bad[i].target, bad[i].headers, bad[i].body, &reply);

      if (request != NULL || reply.status != bad[i].status)
        g_error ("%s %s %s: %u", bad[i].method, bad[i].target, bad[i].body, reply.status);
      if (reply.status == 301)
        {
          g_assert_cmpstr (reply.location, ==, bad[i].expected);
          continue;
        }
      gsize size = 0;
      const char *data = reply.body != NULL ? g_bytes_get_data (reply.body, &size) : "";
      g_autofree char *body = g_strndup (data, size);
      if (!g_str_has_prefix (body, bad[i].expected) || (*bad[i].expected == '\0') != (*body == '\0'))
        g_error ("%s %s: «%s»", bad[i].method, bad[i].target, body);
    }
}

static void
test_token (void)
{
  static const struct
  {
    const char *headers;
    const char *token;
  } cases[] = {
    { "", NULL },
    { "X-Vault-Token: s.1\r\n", "s.1" },
    { "x-vault-token:s.1\r\nX-Vault-Token: s.2\r\n", "s.1" },
    { "Authorization: Bearer s.1\r\n", "s.1" },
    { "Authorization: Bearer s.1\r\nX-Vault-Token: s.2\r\n", "s.2" },
    { "Authorization: Bearer s.1\r\nX-Vault-Token:\r\n", "s.1" },
    { "Authorization: Basic s.1\r\n", NULL },
    { "Authorization: Bearer \r\n", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto(BawnHttpReply) reply = { 0 };
      g_autoptr(BawnRequest) request = decode ("GET", "/v1/a", cases[i].headers, "", &reply);

      g_assert_cmpstr (request->token, ==, cases[i].token);
      g_assert_null (bawn_request_header (request, "x-vault-token"));
    }
}

static void
test_headers (void)
{
  g_auto(BawnHttpReply) reply = { 0 };
  g_autoptr(BawnRequest) request
    = decode ("GET", "/v1/a", "X-B: 1\r\nx-b: 2\r\nAuthorization: Basic c\r\nX-Bad: \xff\r\nX-Vault-Wrap-TTL: 5m\r\n", "", &reply);
  const char *const *values = g_hash_table_lookup (request->headers, "x-b");

  g_assert_cmpstr (values[0], ==, "1");
  g_assert_cmpstr (values[1], ==, "2");
  g_assert_null (values[2]);
  g_assert_cmpstr (bawn_request_header (request, "authorization"), ==, "Basic c");
  g_assert_true (g_utf8_validate (bawn_request_header (request, "x-bad"), -1, NULL));
  g_assert_cmpint (request->wrap_ttl_us, ==, 300 * G_USEC_PER_SEC);
}

/* Every deep or wide document ends in an answer. */
static void
test_deep (void)
{
  g_autofree char *open = g_strnfill (200000, '[');
  g_autofree char *deep = g_strconcat ("{\"a\":", open, NULL);
  g_auto(BawnHttpReply) reply = { 0 };
  g_autoptr(BawnRequest) request = decode ("PUT", "/v1/a", "", deep, &reply);

  g_assert_null (request);
  g_assert_cmpuint (reply.status, ==, 400);
}

/* A query of very many names takes no time that matters. */
static void
test_many_parameters (void)
{
  g_autoptr(GString) target = g_string_new ("/v1/a?");
  g_auto(BawnHttpReply) reply = { 0 };

  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (target, "%x&", i);
  g_autoptr(BawnRequest) request = decode ("GET", target->str, "", "", &reply);
  g_assert_nonnull (request);
  g_assert_cmpuint (bawn_json_root (request->data)->n_children, ==, 100000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/codec/requests-are-understood", test_good);
  g_test_add_func ("/http/codec/bad-requests-get-their-answers", test_bad);
  g_test_add_func ("/http/codec/a-token-comes-in-either-header", test_token);
  g_test_add_func ("/http/codec/headers-keep-all-values", test_headers);
  g_test_add_func ("/http/codec/deep-json-is-refused", test_deep);
  g_test_add_func ("/http/codec/many-parameters-are-read", test_many_parameters);

  return g_test_run ();
}
