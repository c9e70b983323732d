/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <string.h>
#include <sys/socket.h>

/* What a socket can be fed. Each piece gets the right answer, and the server goes on. */

#define HOST "Host: h\r\n"
#define PUT "PUT /v1/x HTTP/1.1\r\n" HOST

static const struct
{
  const char *text;
  guint status; /* 0: hung up without an answer */
} cases[] = {
  /* request lines */
  { "\r\n\r\n\r\n", 0 },
  { "GET\r\n\r\n", 400 },
  { "GET /v1/x\r\n\r\n", 400 },
  { "GET  /v1/x HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /v1/x y HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /v1/x HTTP/9.9\r\n" HOST "\r\n", 505 },
  { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505 },
  { "\x16\x03\x01\x02\xfc\x03\x03\n\n", 400 },
  { "BREW /v1/x HTTP/1.1\r\n" HOST "\r\n", 405 },
  { "get /v1/x HTTP/1.1\r\n" HOST "\r\n", 405 },
  { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "TRACE /v1/x HTTP/1.1\r\n" HOST "\r\n", 405 },
  /* targets */
  { "GET /v1/a/../x HTTP/1.1\r\n" HOST "\r\n", 301 },
  { "GET /v1//x HTTP/1.1\r\n" HOST "\r\n", 301 },
  { "PUT /v1//x HTTP/1.1\r\n" HOST "\r\n", 301 },
  { "GET /v1/%2e%2e/x HTTP/1.1\r\n" HOST "\r\n", 301 },
  { "GET /v1/a%00 HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /v1/a%zz HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /v1/a%e9 HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /v1/a%0d%0aX:%20y HTTP/1.1\r\n" HOST "\r\n", 400 },
  { "GET /other HTTP/1.1\r\n" HOST "\r\n", 404 },
  { "GET http:///v1/x HTTP/1.1\r\n" HOST "\r\n", 200 },
  { "GET ://h/v1/x HTTP/1.1\r\n" HOST "\r\n", 400 },
  /* headers */
  { "GET /v1/x HTTP/1.1\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400 },
  { "GET /v1/x HTTP/1.1\r\n" HOST "Range: bytes=0-0\r\n\r\n", 200 },
  { "GET /v1/x HTTP/1.1\r\n" HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 200 },
  { PUT "Expect: the worst\r\n\r\n", 417 },
  /* lengths */
  { PUT "Content-Length: -1\r\n\r\n", 400 },
  { PUT "Content-Length: x\r\n\r\n", 400 },
  { PUT "Content-Length: 99999999999999999999\r\n\r\n", 400 },
  { PUT "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400 },
  { PUT "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
  { PUT "Content-Length: 34359738368\r\n\r\n{}", 413 },
  { PUT "Content-Length: 9\r\n\r\n{}", 0 },
  /* chunks and encodings */
  { PUT "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400 },
  { PUT "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 400 },
  { PUT "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", 400 },
  { PUT "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n", 400 },
  { PUT "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n", 400 },
  { PUT "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", 413 },
  { PUT "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0 },
  { PUT "Transfer-Encoding: gzip\r\n\r\n", 501 },
  { PUT "Transfer-Encoding: chunked, identity\r\n\r\n", 501 },
  { "PUT /v1/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
  /* bodies */
  { PUT "Content-Length: 1\r\n\r\n{", 400 },
  { PUT "Content-Length: 3\r\n\r\n[1]", 400 },
  { PUT "Content-Length: 4\r\n\r\ntrue", 400 },
  { PUT "Content-Length: 9\r\n\r\n{\"a\":NaN}", 400 },
  { PUT "Content-Length: 9\r\n\r\n{\"a\":\"\x01\"}", 400 },
  { PUT "Content-Length: 7\r\n\r\n{\"a\":1,", 400 },
  { PUT "Content-Length: 13\r\n\r\n{\"a\":1,\"a\":2}", 200 },
  { PUT "Content-Length: 14\r\n\r\n{\"a\":\"\\u0000\"}", 200 },
  { PUT "Content-Length: 14\r\n\r\n{\"a\":\"\\ud800\"}", 200 },
};

static void
test_table (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      guint status = 0;

      client_send (client, cases[i].text, -1);
      shutdown (client->fd, SHUT_WR);
      g_autofree char *answer = client_answer (client, &status);
      if (status != cases[i].status)
        g_error ("%u in place of %u for «%s»", status, cases[i].status, cases[i].text);
      if (strstr (cases[i].text, "{\"a\":1,\"a\":2}") != NULL)
        fixture_assert_has (answer, "\"a\":2");
    }
  fixture_until (fixture_stats (fixture).open_connections == 0);
}

static void
test_nul (void)
{
  static const char texts[][64] = { "GET /v1/\0x HTTP/1.1\r\nHost: h\r\n\r\n", "GET /v1/x HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n",
                                    "\0" };
  g_autoptr(Fixture) fixture = fixture_new ("");

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      guint status = 0;

      client_send (client, texts[i], sizeof texts[i]);
      client_send (client, "\r\n\r\n", -1);
      g_autofree char *answer = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 400);
      g_assert_true (client_at_end (client));
    }
}

static void
test_deep_json (void)
{
  static const char *const units[] = { "[", "{\"a\":", "[{\"a\":" };
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    {
      g_autoptr(GString) body = g_string_new ("{\"a\":");
      guint status = 0;

      for (guint j = 0; j < 100000; j++)
        g_string_append (body, units[i]);
      g_autofree char *head = g_strdup_printf (PUT "Content-Length: %zu\r\n\r\n", body->len);
      client_send (client, head, -1);
      g_autofree char *answer = client_ask (client, &status, body->str);
      g_assert_cmpuint (status, ==, 400);
    }
}

/* One request of two: what a careless reader would take for a second one is a body, or refused. */
static void
test_smuggling (void)
{
#define INNER "GET /v1/inner HTTP/1.1\r\nHost: h\r\n\r\n"
  static const char *const texts[] = {
    PUT "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" INNER,
    PUT "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" INNER,
    PUT "Transfer-Encoding:\x0b" "chunked\r\n\r\n0\r\n\r\n" INNER,
    PUT "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" INNER,
    PUT "Transfer-Encoding: chunked\r\n\r\n1;\n" INNER "\r\n0\r\n\r\n",
    PUT "Content-Length: 0\r\nContent-Length: 34\r\n\r\n" INNER,
    PUT "Content-Length: +0\r\n\r\n" INNER,
  };
  g_autoptr(Fixture) fixture = fixture_new ("");

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      guint status = 0;

      client_send (client, texts[i], -1);
      g_autofree char *answer = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 400);
      shutdown (client->fd, SHUT_WR);
      g_assert_true (client_at_end (client));
    }
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

/* Any bytes at all, the same in each run: good requests with some of their bytes changed. */
static void
test_random (void)
{
  static const char good[] = PUT "Content-Length: 7\r\nTransfer: x\r\nA: b\r\n\r\n{\"a\":1}GET /v1/y HTTP/1.1\r\n" HOST "\r\n";
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      char text[sizeof good];
      guint status = 0;

      memcpy (text, good, sizeof good);
      for (gint32 n = g_rand_int_range (random, 1, 6); n > 0; n--)
        text[g_rand_int_range (random, 0, sizeof good - 1)] = (char) g_rand_int_range (random, 0, 256);
      client_send (client, text, sizeof good - 1);
      shutdown (client->fd, SHUT_WR);
      do
        {
          g_autofree char *answer = client_answer (client, &status);
          g_assert_cmpuint (status, <, 506);
          g_assert_cmpuint (status, !=, 500);
        }
      while (status != 0);
    }
  fixture_until (fixture_stats (fixture).open_connections == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/malformed/each-gets-its-answer", test_table);
  g_test_add_func ("/http/malformed/nul-is-refused", test_nul);
  g_test_add_func ("/http/malformed/deep-json-is-refused", test_deep_json);
  g_test_add_func ("/http/malformed/nothing-is-smuggled", test_smuggling);
  g_test_add_func ("/http/malformed/random-changes-do-no-harm", test_random);

  return g_test_run ();
}
