/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <string.h>
#include <sys/socket.h>

/* Serving: answers now, later and never; connections that live on, and that end. */

#define GET(path) "GET /v1/" path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path, length, body) "POST /v1/" path " HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\n\r\n" body

static void
expect (Client *client, const char *text, guint status, const char *part)
{
  guint got = 0;
  g_autofree char *answer = client_ask (client, &got, text);

  fixture_assert_has (answer, part);
  g_assert_cmpuint (got, ==, status);
}

static void
test_in_place (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, GET ("echo?a=1"));

  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "\r\nContent-Type: application/json\r\n");
  fixture_assert_has (answer, "\r\nCache-Control: no-store\r\n");
  fixture_assert_has (answer, "\"op\":\"read\",\"path\":\"echo\"");
  fixture_assert_has (answer, "\"data\":{\"a\":\"1\"}");
  fixture_assert_has (answer, "\"remote\":\"127.0.0.1\"");
  g_assert_true (g_str_has_suffix (answer, "}\n"));
  g_assert_null (strstr (answer, "Strict-Transport"));
}

static void
test_from_thread (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  for (guint i = 0; i < 200; i++)
    expect (client, POST ("later", "7", "{\"a\":1}"), 200, "\"data\":{\"a\":1}");
}

static void
test_from_threads_at_once (void)
{
  enum { N = 50 };
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < N; i++)
    {
      g_ptr_array_add (clients, client_connect (fixture));
      client_send (g_ptr_array_index (clients, i), GET ("parked"), -1);
    }
  fixture_wait_parked (fixture, N);
  g_assert_cmpuint (fixture_stats (fixture).in_flight, ==, N);
  fixture_release (fixture);
  for (guint i = 0; i < N; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_answer (g_ptr_array_index (clients, i), &status);
      g_assert_cmpuint (status, ==, 200);
    }
  fixture_until (fixture_stats (fixture).in_flight == 0);
}

static void
test_nothing_to_say (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, POST ("nothing", "0", ""));

  g_assert_cmpuint (status, ==, 204);
  fixture_assert_has (answer, "\r\nContent-Type: application/json\r\n");
  g_assert_null (strstr (answer, "Content-Length"));
  g_assert_true (g_str_has_suffix (answer, "\r\n\r\n"));
  expect (client, GET ("echo"), 200, "echo");
}

static void
test_big_answer (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  for (guint i = 0; i < 3; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, GET ("big"));
      g_assert_cmpuint (status, ==, 200);
      g_assert_cmpuint (strlen (answer), >, 1024 * 1024);
    }
}

static void
test_errors (void)
{
  static const struct
  {
    BawnErrorCode code;
    guint status;
    const char *text;
  } cases[] = {
    { BAWN_ERROR_INVALID, 400, "{\"errors\":[\"the inner truth\"]}\n" },
    { BAWN_ERROR_DENIED, 403, "{\"errors\":[\"permission denied\"]}\n" },
    { BAWN_ERROR_NOT_FOUND, 404, "the inner truth" },
    { BAWN_ERROR_UNSUPPORTED, 405, "the inner truth" },
    { BAWN_ERROR_TOO_LARGE, 413, "the inner truth" },
    { BAWN_ERROR_LIMITED, 429, "\r\nRetry-After: 1\r\n" },
    { BAWN_ERROR_INTERNAL, 500, "internal error (request " },
    { BAWN_ERROR_UPSTREAM, 503, "\r\nRetry-After: 1\r\n" },
    { BAWN_ERROR_UPSTREAM, 503, "{\"errors\":[\"the storage is not available at the moment: try again later\"]}\n" },
    { BAWN_ERROR_CORRUPT, 500, "internal error (request " },
    { BAWN_ERROR_WOULD_BLOCK, 500, "internal error (request " },
    { BAWN_ERROR_CONFLICT, 500, "internal error (request " },
    { BAWN_ERROR_SEALED, 503, "the inner truth" },
    { BAWN_ERROR_STANDBY, 503, "\r\nRetry-After: 1\r\n" },
    { BAWN_ERROR_BUSY, 503, "\r\nRetry-After: 1\r\n" },
    { BAWN_ERROR_TIMEOUT, 504, "the inner truth" },
    { BAWN_ERROR_UNKNOWN_OUTCOME, 503, "it is not known" },
    { BAWN_ERROR_DEPOSED, 503, "node is not active" },
  };
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf (GET ("error/%u"), cases[i].code);
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, text);

      g_assert_cmpuint (status, ==, cases[i].status);
      fixture_assert_has (answer, cases[i].text);
      if (status == 500)
        g_assert_null (strstr (answer, "truth"));
    }
  g_assert_cmpuint (fixture_stats (fixture).requests[0][5], >=, 10);
}

static void
test_pipelining (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  static const char *const paths[] = { "one", "\"a\":2", "three", "later", "four" };

  client_send (client, GET ("one") POST ("two", "7", "{\"a\":2}") GET ("three") GET ("later") GET ("four"), -1);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      guint status = 0;
      g_autofree char *answer = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 200);
      fixture_assert_has (answer, paths[i]);
    }
}

/* Each byte on its own: the worst that a network can do to a request. */
static void
test_dripping (void)
{
  static const char text[] = "\r\n" POST ("echo", "7", "{\"a\":1}");
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;

  for (gsize i = 0; i + 1 < sizeof text; i++)
    client_send (client, text + i, 1);
  g_autofree char *answer = client_answer (client, &status);
  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "\"data\":{\"a\":1}");
}

static void
test_chunked (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  expect (client,
          "PUT /v1/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
          "3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nTrailer: t\r\n\r\n" GET ("next"),
          200, "\"data\":{\"a\":1}");
  guint status = 0;
  g_autofree char *answer = client_answer (client, &status);
  fixture_assert_has (answer, "\"path\":\"next\"");
}

static void
test_continue (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  expect (client, "PUT /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\nExpect: 100-continue\r\n\r\n", 100, "Continue");
  expect (client, "{\"a\":1}", 200, "\"data\":{\"a\":1}");
  expect (client, GET ("next"), 200, "\"path\":\"next\"");
}

static void
test_end_of_connection (void)
{
  static const char *const texts[] = {
    "GET /v1/echo HTTP/1.0\r\n\r\n",
    "GET /v1/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    "GET /v1/echo HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n",
  };
  g_autoptr(Fixture) fixture = fixture_new ("");

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      expect (client, texts[i], 200, "echo");
      g_assert_true (client_at_end (client));
    }

  g_autoptr(Client) client = client_connect (fixture);
  expect (client, "GET /v1/echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, "echo");
  expect (client, GET ("echo"), 200, "echo");
}

/* A client that has said all closes its half, and reads the answer. */
static void
test_half_close (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;

  client_send (client, GET ("later"), -1);
  shutdown (client->fd, SHUT_WR);
  g_autofree char *answer = client_answer (client, &status);
  g_assert_cmpuint (status, ==, 200);
  g_assert_true (client_at_end (client));
}

static void
test_keep_alive_after_error (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  expect (client, POST ("echo", "3", "{a}"), 400, "error parsing JSON");
  expect (client, GET ("../x"), 301, "\r\nLocation: /x\r\n");
  expect (client, "GET /elsewhere HTTP/1.1\r\nHost: h\r\n\r\n", 404, "{\"errors\":[]}");
  expect (client, "BREW /v1/pot HTTP/1.1\r\nHost: h\r\n\r\n", 405, "{\"errors\":[]}");
  expect (client, GET ("echo"), 200, "echo");
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 1);
}

static void
test_health_by_head (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  /* Of an answer to HEAD only the head comes, whatever length it tells. */
  client_send (client, "HEAD /v1/sys/health HTTP/1.1\r\nHost: h\r\n\r\n" "HEAD /v1/x HTTP/1.1\r\nHost: h\r\n\r\n", -1);
  shutdown (client->fd, SHUT_WR);
  while (client->in->len == 0 || !client_at_end (client))
    {
      char data[4096];
      gssize n = recv (client->fd, data, sizeof data, 0);
      if (n <= 0)
        break;
      g_string_append_len (client->in, data, n);
    }
  fixture_assert_has (client->in->str, "HTTP/1.1 200 OK\r\n");
  fixture_assert_has (client->in->str, "HTTP/1.1 405 Method Not Allowed\r\n");
  g_assert_null (strchr (client->in->str, '{'));
}

static void
test_hang_up_while_paused (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");

  for (guint i = 0; i < 20; i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      client_send (client, GET ("parked"), -1);
    }
  fixture_wait_parked (fixture, 20);
  fixture_release (fixture);
  fixture_until (fixture_stats (fixture).open_connections == 0 && fixture_stats (fixture).in_flight == 0);
}

static guint
count_fds (void)
{
  g_autoptr(GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

static void
come_and_go (Fixture *fixture, guint times)
{
  for (guint i = 0; i < times; i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      expect (client, GET ("echo"), 200, "echo");
    }
  fixture_until (fixture_stats (fixture).open_connections == 0);
}

static void
test_no_descriptor_stays (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("");

  come_and_go (fixture, 100);
  guint before = count_fds ();
  come_and_go (fixture, 10000);
  g_assert_cmpuint (fixture_stats (fixture).connections, ==, 10100);
  g_assert_cmpuint (count_fds (), <=, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/serving/a-request-is-answered-in-place", test_in_place);
  g_test_add_func ("/http/serving/another-thread-may-answer-later", test_from_thread);
  g_test_add_func ("/http/serving/many-requests-wait-at-once", test_from_threads_at_once);
  g_test_add_func ("/http/serving/an-empty-answer-is-204-without-a-body", test_nothing_to_say);
  g_test_add_func ("/http/serving/a-big-answer-arrives-whole", test_big_answer);
  g_test_add_func ("/http/serving/each-error-has-its-status-and-hides-what-it-must", test_errors);
  g_test_add_func ("/http/serving/pipelined-requests-are-answered-in-order", test_pipelining);
  g_test_add_func ("/http/serving/a-request-may-come-byte-by-byte", test_dripping);
  g_test_add_func ("/http/serving/a-chunked-body-is-put-together", test_chunked);
  g_test_add_func ("/http/serving/a-client-is-told-to-continue", test_continue);
  g_test_add_func ("/http/serving/a-connection-ends-when-the-client-wants-it", test_end_of_connection);
  g_test_add_func ("/http/serving/a-half-closed-connection-gets-its-answer", test_half_close);
  g_test_add_func ("/http/serving/a-connection-survives-errors-in-requests", test_keep_alive_after_error);
  g_test_add_func ("/http/serving/head-is-for-health-only-and-has-no-body", test_health_by_head);
  g_test_add_func ("/http/serving/a-client-may-hang-up-while-it-waits", test_hang_up_while_paused);
  g_test_add_func ("/http/serving/no-descriptor-stays-behind", test_no_descriptor_stays);

  return g_test_run ();
}
