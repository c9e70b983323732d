/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-body.h"

#include <string.h>

#define H "Host: h\r\n"

static const struct
{
  const char *text;
  guint status; /* 0: good */
} heads[] = {
  { "GET / HTTP/1.1\r\n" H "\r\n", 0 },
  { "GET / HTTP/1.1\n" "Host: h\n\n", 0 },
  { "GET / HTTP/1.0\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\nHost:h\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\nHost:\t h \t\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\nhOST: [::1]:8200\r\n\r\n", 0 },
  { "X-!#$%&'*+-.^_`|~ / HTTP/1.1\r\n" H "\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "A: \xc3\xa4\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "A:\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 9223372036854775807\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0 },
  { "GET / HTTP/1.1\r\n" H "Expect: 100-Continue\r\n\r\n", 0 },

  { "\r\n\r\n", 400 },
  { "GET\r\n\r\n", 400 },
  { "GET /\r\n\r\n", 400 },
  { "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
  { " GET / HTTP/1.1\r\n" H "\r\n", 400 },
  { "GET / HTTP/1.1 \r\n" H "\r\n", 400 },
  { "GET / x HTTP/1.1\r\n" H "\r\n", 400 },
  { "GET\t/ HTTP/1.1\r\n" H "\r\n", 400 },
  { "G(T / HTTP/1.1\r\n" H "\r\n", 400 },
  { "GET /\x7f HTTP/1.1\r\n" H "\r\n", 400 },
  { "GET /\rx HTTP/1.1\r\n" H "\r\n", 400 },
  { "GET / http/1.1\r\n" H "\r\n", 400 },
  { "GET / HTTP/1\r\n" H "\r\n", 400 },
  { "GET / HTTP/1.10\r\n" H "\r\n", 400 },
  { "GET / HTTP/1.2\r\n" H "\r\n", 505 },
  { "GET / HTTP/0.9\r\n" H "\r\n", 505 },
  { "PRI * HTTP/2.0\r\n\r\n", 505 },

  { "GET / HTTP/1.1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H H "\r\n", 400 },
  { "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "A\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H ": a\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "A : b\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "A: b\r\n c\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n A: b\r\n" H "\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "A: b\rc\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "A: \x01\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "\xc3\xa4: b\r\n\r\n", 400 },

  { "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 1,1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 0x1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\ncontent-length: 2\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
  { "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501 },
  { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501 },
  { "GET / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n\r\n", 400 },
  { "GET / HTTP/1.1\r\n" H "Expect: miracles\r\n\r\n", 417 },
};

static void
test_heads (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
      BawnHttpRefusal why = { 0, NULL };
      gboolean good = bawn_http_head_parse (head, (const guint8 *) heads[i].text, strlen (heads[i].text), &why);

      if ((good ? 0 : why.status) != heads[i].status)
        g_error ("%u for %s", why.status, heads[i].text);
      g_assert_true (good || (why.text != NULL && *why.text != '\0'));
      bawn_http_head_clear (head);
    }
}

static void
test_fields (void)
{
  static const char text[] = "PUT /v1/a%20b?c HTTP/1.1\r\nHost: h\r\nX-Vault-Token: \t t o \t\r\nB: 1\r\nb: 2\r\n"
                             "Connection: keep-alive, close\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
  BawnHttpRefusal why = { 0, NULL };

  g_assert_true (bawn_http_head_parse (head, (const guint8 *) text, strlen (text), &why));
  g_assert_cmpstr (head->method, ==, "PUT");
  g_assert_cmpstr (head->target, ==, "/v1/a%20b?c");
  g_assert_cmpuint (head->minor, ==, 1);
  g_assert_cmpstr (bawn_http_head_get (head, "x-vault-TOKEN"), ==, "t o");
  g_assert_cmpstr (bawn_http_head_get (head, "B"), ==, "1");
  g_assert_null (bawn_http_head_get (head, "C"));
  g_assert_cmpuint (head->n_fields, ==, 7);
  g_assert_cmpuint (head->length, ==, 5);
  g_assert_false (head->keep_alive);
  g_assert_true (head->expects_continue);
  bawn_http_head_clear (head);
}

static void
test_nul (void)
{
  static const char text[] = "GET / HTTP/1.1\r\nHost: h\0\r\n\r\n";
  g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
  BawnHttpRefusal why = { 0, NULL };

  g_assert_false (bawn_http_head_parse (head, (const guint8 *) text, sizeof text - 1, &why));
  g_assert_cmpuint (why.status, ==, 400);
  bawn_http_head_clear (head);
}

static void
test_too_many_fields (void)
{
  g_autoptr(GString) text = g_string_new ("GET / HTTP/1.1\r\nHost: h\r\n");
  g_autofree BawnHttpHead *head = g_new0 (BawnHttpHead, 1);
  BawnHttpRefusal why = { 0, NULL };

  for (guint i = 0; i < BAWN_HTTP_MAX_FIELDS; i++)
    g_string_append (text, "A: b\r\n");
  g_string_append (text, "\r\n");
  g_assert_false (bawn_http_head_parse (head, (const guint8 *) text->str, text->len, &why));
  g_assert_cmpuint (why.status, ==, 431);
  bawn_http_head_clear (head);
}

/* However the bytes are cut, the end is found where it is, and not before. */
static void
test_end (void)
{
  static const char *const texts[] = { "GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / HTTP/1.1\nA: b\n\n", "a\r\n\n", "a\n\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = g_strconcat (texts[i], "\r\n\r\nrest\n\n", NULL);
      gsize size = strlen (texts[i]);
      gsize scanned = 0;

      for (gsize n = 0; n < size; n++)
        g_assert_cmpuint (bawn_http_head_end ((guint8 *) text, n, &scanned), ==, 0);
      g_assert_cmpuint (bawn_http_head_end ((guint8 *) text, size, &scanned), ==, size);
      scanned = 0;
      g_assert_cmpuint (bawn_http_head_end ((guint8 *) text, strlen (text), &scanned), ==, size);
    }
}

static const struct
{
  const char *text;
  guint status;
  const char *data; /* of a good one */
  const char *rest;
} bodies[] = {
  { "0\r\n\r\n", 0, "", "" },
  { "3\r\nabc\r\n0\r\n\r\n", 0, "abc", "" },
  { "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", 0, "abcde", "GET" },
  { "0003\r\nabc\r\n000\r\n\r\n", 0, "abc", "" },
  { "A;a=b\r\n0123456789\r\n0\r\n\r\n", 0, "0123456789", "" },
  { "a ;a=\"x y\"\r\n0123456789\r\n0;z\r\nT: u\r\nV: w\r\n\r\nX", 0, "0123456789", "X" },
  { "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n", 0, "0123456701234567", "" },
  { "8\r\n01234567\r\n9\r\n", 413, NULL, NULL },
  { "11\r\n", 413, NULL, NULL },
  { "7fffffffffffffff\r\n", 413, NULL, NULL },
  { "8000000000000000\r\n", 400, NULL, NULL },
  { "ffffffffffffffffffffff\r\n", 400, NULL, NULL },
  { "-1\r\n", 400, NULL, NULL },
  { "0x1\r\n", 400, NULL, NULL },
  { "\r\n", 400, NULL, NULL },
  { ";a\r\n", 400, NULL, NULL },
  { "3\nabc\r\n", 400, NULL, NULL },
  { "3\r\r\n", 400, NULL, NULL },
  { "3\rx\n", 400, NULL, NULL },
  { "3;a\nb\r\n", 400, NULL, NULL },
  { "3\r\nabcd\r\n", 400, NULL, NULL },
  { "3\r\nabc\n0\r\n\r\n", 400, NULL, NULL },
  { "0\r\nT: u\n\r\n", 400, NULL, NULL },
};

/* The same, fed in pieces of @step bytes. */
static void
check_body (gsize i, gsize step)
{
  static const gsize max_size = 16;
  const BawnHttpHead head = { .chunked = TRUE };
  BawnHttpBody body = { .data = BAWN_BUFFER_INIT };
  BawnHttpRefusal why = { 0, NULL };
  gsize size = strlen (bodies[i].text);
  gsize at = 0;
  gboolean good = bawn_http_body_begin (&body, &head, max_size, &why);

  while (good && at < size && body.state != BAWN_HTTP_BODY_DONE)
    {
      gsize used = 0;

      good = bawn_http_body_feed (&body, (const guint8 *) bodies[i].text + at, MIN (step, size - at), max_size, &used, &why);
      at += used;
    }
  if ((good ? 0 : why.status) != bodies[i].status)
    g_error ("%u for %s in steps of %zu", why.status, bodies[i].text, step);
  if (good)
    {
      g_assert_cmpint (body.state, ==, BAWN_HTTP_BODY_DONE);
      g_assert_cmpmem (body.data.data, body.data.size, bodies[i].data, strlen (bodies[i].data));
      g_assert_cmpstr (bodies[i].text + at, ==, bodies[i].rest);
    }
  bawn_http_body_clear (&body);
}

static void
test_chunks (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++)
    for (gsize step = 1; step < 40; step++)
      check_body (i, step);
}

static void
test_endless_extension (void)
{
  const BawnHttpHead head = { .chunked = TRUE };
  BawnHttpBody body = { .data = BAWN_BUFFER_INIT };
  BawnHttpRefusal why = { 0, NULL };
  gsize used = 0;

  g_assert_true (bawn_http_body_begin (&body, &head, 16, &why));
  g_assert_true (bawn_http_body_feed (&body, (const guint8 *) "1;", 2, 16, &used, &why));
  for (guint i = 0; why.status == 0; i++)
    {
      g_assert_cmpuint (i, <, 10000);
      bawn_http_body_feed (&body, (const guint8 *) "x", 1, 16, &used, &why);
    }
  g_assert_cmpuint (why.status, ==, 400);
  bawn_http_body_clear (&body);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/head/good-and-bad-heads-are-told-apart", test_heads);
  g_test_add_func ("/http/head/fields-are-found-without-their-blanks", test_fields);
  g_test_add_func ("/http/head/a-nul-is-refused", test_nul);
  g_test_add_func ("/http/head/too-many-fields-are-refused", test_too_many_fields);
  g_test_add_func ("/http/head/its-end-is-found-however-it-is-cut", test_end);
  g_test_add_func ("/http/body/good-and-bad-chunks-are-told-apart-however-they-are-cut", test_chunks);
  g_test_add_func ("/http/body/an-endless-extension-is-refused", test_endless_extension);

  return g_test_run ();
}
