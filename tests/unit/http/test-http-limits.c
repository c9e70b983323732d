/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "fixture.h"

#include <string.h>
#include <sys/socket.h>

/* Each limit of a listener, and each deadline: what is over it, and that others go on. */

#define GET(path) "GET /v1/" path " HTTP/1.1\r\nHost: h\r\n\r\n"

/* A refused client can still read why, then the connection ends. */
static void
assert_refused (Client *client, guint status, const char *part)
{
  guint got = 0;
  g_autofree char *answer = client_answer (client, &got);

  g_assert_cmpuint (got, ==, status);
  fixture_assert_has (answer, part);
  fixture_assert_has (answer, "\r\nConnection: close\r\n");
  g_assert_true (client_at_end (client));
}

static void
assert_served (Fixture *fixture)
{
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, GET ("echo"));

  g_assert_cmpuint (status, ==, 200);
}

static void
test_body_length (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("max-request-size=20\n");
  guint status = 0;

  g_autoptr(Client) good = client_connect (fixture);
  g_autofree char *answer
    = client_ask (good, &status, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\n{\"a\":\"012345678901\"}");
  g_assert_cmpuint (status, ==, 200);

  g_autoptr(Client) bad = client_connect (fixture);
  client_send (bad, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 21\r\n\r\n{\"a\":\"0123456789012\"}", -1);
  assert_refused (bad, 413, "error parsing JSON");

  g_autoptr(Client) huge = client_connect (fixture);
  client_send (huge, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", -1);
  assert_refused (huge, 413, "error parsing JSON");
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 1);
  fixture_until (fixture_stats (fixture).refused == 2);
}

static void
test_body_chunks (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("max-request-size=20\n");
  g_autoptr(Client) client = client_connect (fixture);

  client_send (client, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", -1);
  for (guint i = 0; i < 3; i++)
    client_send (client, "8\r\n12345678\r\n", -1);
  assert_refused (client, 413, "error parsing JSON");
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

/* A client that sends all of it before it reads gets the answer and not a reset. */
static void
test_refusal_is_readable (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("max-request-size=1M\n");
  g_autoptr(Client) client = client_connect (fixture);
  g_autofree char *body = g_strnfill (8 * 1024 * 1024, 'x');

  client_send (client, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n", -1);
  g_assert_true (client_send (client, body, -1));
  shutdown (client->fd, SHUT_WR);
  assert_refused (client, 413, "error parsing JSON");
}

static void
test_head_size (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("max-header-size=2K\n");
  g_autofree char *fill = g_strnfill (1900, 'x');
  g_autofree char *more = g_strnfill (2048, 'x');
  g_autofree char *good_text = g_strconcat ("GET /v1/x HTTP/1.1\r\nHost: h\r\nA: ", fill, "\r\n\r\n", NULL);
  g_autofree char *long_head = g_strconcat ("GET /v1/x HTTP/1.1\r\nHost: h\r\nA: ", more, "\r\n\r\n", NULL);
  g_autofree char *long_line = g_strconcat ("GET /v1/", more, " HTTP/1.1\r\nHost: h\r\n\r\n", NULL);
  guint status = 0;

  g_autoptr(Client) good = client_connect (fixture);
  g_autofree char *answer = client_ask (good, &status, good_text);
  g_assert_cmpuint (status, ==, 200);

  g_autoptr(Client) head = client_connect (fixture);
  client_send (head, long_head, -1);
  assert_refused (head, 431, "request headers too large");

  g_autoptr(Client) line = client_connect (fixture);
  client_send (line, long_line, -1);
  assert_refused (line, 414, "request line too long");
}

/* Names of a MiB, which nobody has room for. */
static void
test_endless_names (void)
{
  static const char *const starts[] = { "", "GET /v1/", "GET /v1/x HTTP/1.1\r\nHost: h\r\n", "GET /v1/x HTTP/1.1\r\nA: " };
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autofree char *name = g_strnfill (1024 * 1024, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      client_send (client, starts[i], -1);
      client_send (client, name, -1);
      shutdown (client->fd, SHUT_WR);
      assert_refused (client, i < 2 ? 414 : 431, "too l");
    }
}

static void
test_json (void)
{
  static const struct
  {
    const char *body;
    guint status;
  } cases[] = {
    { "{\"a\":[[1]]}", 200 },
    { "{\"a\":[[[1]]]}", 400 },
    { "{\"a\":[1,2,3]}", 200 },
    { "{\"a\":[1,2,3,4,5,6,7]}", 400 },
  };
  g_autoptr(Fixture) fixture = fixture_new ("json-max-depth=3\njson-max-members=6\n");
  g_autoptr(Client) client = client_connect (fixture);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strdup_printf ("PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
                                               strlen (cases[i].body), cases[i].body);
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, text);

      g_assert_cmpuint (status, ==, cases[i].status);
    }
}

static void
test_connections (void)
{
  enum { N = 10 };
  g_autoptr(Fixture) fixture = fixture_new ("max-connections=10\n");
  g_autoptr(GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < N; i++)
    g_ptr_array_add (clients, client_connect (fixture));
  fixture_until (fixture_stats (fixture).open_connections == N);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      g_assert_true (client_at_end (client));
    }
  g_assert_cmpuint (fixture_stats (fixture).turned_away, ==, 200);

  for (guint i = 0; i < N; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_ask (g_ptr_array_index (clients, i), &status, GET ("echo"));
      g_assert_cmpuint (status, ==, 200);
    }
  g_ptr_array_set_size (clients, 0);
  fixture_until (fixture_stats (fixture).open_connections == 0);
  assert_served (fixture);
}

static void
test_buffered (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("max-buffered-size=100K\nbody-timeout=20s\n");
  g_autofree char *part = g_strnfill (60 * 1024, ' ');
  static const char head[] = "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n";

  g_autoptr(Client) first = client_connect (fixture);
  client_send (first, head, -1);
  client_send (first, part, -1);
  g_autoptr(Client) second = client_connect (fixture);
  client_send (second, head, -1);
  client_send (second, part, -1);
  /* Which of them is too much depends on the network. */
  g_autoptr(GString) rest = g_string_new (NULL);
  g_string_set_size (rest, 70000 - 60 * 1024);
  memset (rest->str, ' ', rest->len);
  fixture_until (fixture_stats (fixture).refused == 1);
  client_send (first, rest->str, (gssize) rest->len);
  client_send (second, rest->str, (gssize) rest->len);
  guint status[2] = { 0, 0 };
  g_autofree char *one = client_answer (first, &status[0]);
  g_autofree char *two = client_answer (second, &status[1]);
  g_assert_cmpuint (status[0] + status[1], ==, 200 + 503);

  /* And what was counted is given back. */
  for (guint i = 0; i < 5; i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      guint got = 0;

      fixture_until (fixture_stats (fixture).in_flight == 0);
      client_send (client, head, -1);
      client_send (client, part, -1);
      client_send (client, rest->str, (gssize) rest->len);
      g_autofree char *answer = client_answer (client, &got);
      g_assert_cmpuint (got, ==, 200);
    }
}

static void
test_slow_head (void)
{
  static const char *const starts[] = { "", "GET /v1/x HTTP/1.1\r\nHo", "\r\n", "GET /v1/x HTTP/1.1\r\nHost: h\r\n\r" };
  g_autoptr(Fixture) fixture = fixture_new ("header-timeout=300ms\n");

  for (gsize i = 0; i < G_N_ELEMENTS (starts); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      client_send (client, starts[i], -1);
      g_assert_true (client_at_end (client));
    }
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, G_N_ELEMENTS (starts));
  assert_served (fixture);
}

/* A byte now and then does not put the deadline off; not even one that means nothing. */
static void
test_dripping_head (void)
{
  static const char *const drips[] = { "\r\n", "x" };
  g_autoptr(Fixture) fixture = fixture_new ("header-timeout=200ms\nidle-timeout=20s\n");

  for (gsize i = 0; i < G_N_ELEMENTS (drips); i++)
    {
      g_autoptr(Client) client = client_connect (fixture);
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, GET ("echo"));

      g_assert_cmpuint (status, ==, 200);
      fixture_until (!client_send (client, drips[i], -1));
    }
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, G_N_ELEMENTS (drips));
}

static void
test_slow_body (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("body-timeout=100ms\n");
  g_autoptr(Client) client = client_connect (fixture);

  client_send (client, "PUT /v1/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{", -1);
  g_assert_true (client_at_end (client));
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, 1);
  g_assert_cmpuint (fixture_n_seen (fixture), ==, 0);
}

static void
test_idle (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("idle-timeout=100ms\n");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, GET ("echo"));

  g_assert_cmpuint (status, ==, 200);
  g_assert_true (client_at_end (client));
  fixture_until (fixture_stats (fixture).open_connections == 0);
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, 0);
}

static void
test_slow_request (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("request-timeout=1s\n");
  g_autoptr(Client) client = client_connect (fixture);
  guint status = 0;
  g_autofree char *answer = client_ask (client, &status, GET ("parked"));

  g_assert_cmpuint (status, ==, 504);
  fixture_assert_has (answer, "the request took too long");
  fixture_until (fixture_stats (fixture).in_flight == 0);

  /* The connection lives on, and the answer that comes too late disturbs nobody. */
  client_send (client, GET ("parked"), -1);
  fixture_wait_parked (fixture, 2);
  fixture_release (fixture);
  g_autofree char *next = client_answer (client, &status);
  g_assert_cmpuint (status, ==, 200);
  g_assert_cmpuint (fixture_stats (fixture).expired, ==, 1);
}

/* A client that asks and asks and reads nothing. */
static void
test_slow_reader (void)
{
  g_autoptr(Fixture) fixture = fixture_new ("write-timeout=200ms\n");
  g_autoptr(Client) client = client_connect (fixture);

  for (guint i = 0; i < 50; i++)
    client_send (client, GET ("big"), -1);
  fixture_until (fixture_stats (fixture).expired == 1);
  fixture_until (fixture_stats (fixture).open_connections == 0);
  assert_served (fixture);
}

/* And one that takes its time but does read gets everything. */
static void
test_patient_reader (void)
{
  enum { N = 30 };
  g_autoptr(Fixture) fixture = fixture_new ("");
  g_autoptr(Client) client = client_connect (fixture);

  for (guint i = 0; i < N; i++)
    client_send (client, GET ("big") GET ("nothing"), -1);
  for (guint i = 0; i < N; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 200);
      g_autofree char *nothing = client_answer (client, &status);
      g_assert_cmpuint (status, ==, 204);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/http/limits/a-body-may-be-as-long-as-allowed", test_body_length);
  g_test_add_func ("/http/limits/chunks-are-counted-together", test_body_chunks);
  g_test_add_func ("/http/limits/a-client-that-sends-too-much-can-read-why", test_refusal_is_readable);
  g_test_add_func ("/http/limits/a-head-may-be-as-long-as-allowed", test_head_size);
  g_test_add_func ("/http/limits/endless-names-are-cut-off", test_endless_names);
  g_test_add_func ("/http/limits/json-has-a-depth-and-a-number-of-members", test_json);
  g_test_add_func ("/http/limits/too-many-connections-are-turned-away", test_connections);
  g_test_add_func ("/http/limits/all-bodies-together-are-bounded", test_buffered);
  g_test_add_func ("/http/deadlines/of-a-head-that-does-not-come", test_slow_head);
  g_test_add_func ("/http/deadlines/of-a-head-that-drips", test_dripping_head);
  g_test_add_func ("/http/deadlines/of-a-body", test_slow_body);
  g_test_add_func ("/http/deadlines/of-an-idle-connection", test_idle);
  g_test_add_func ("/http/deadlines/of-a-request", test_slow_request);
  g_test_add_func ("/http/deadlines/of-a-client-that-does-not-read", test_slow_reader);
  g_test_add_func ("/http/limits/a-client-that-reads-late-gets-everything", test_patient_reader);

  return g_test_run ();
}
