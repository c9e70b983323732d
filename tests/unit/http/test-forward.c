/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "nodes.h"

#include <string.h>

/* Two nodes: what the standby says is what the active node says. */
typedef struct
{
  BawnClusterIdentity *identity;
  Node *active;
  Node *standby;
} Pair;

static void
set_up (Pair *pair, gconstpointer data)
{
  pair->identity = nodes_identity ("cluster");
  pair->active = node_new ("active", "", pair->identity);
  pair->standby = node_new ("standby", "", pair->identity);
  nodes_elect (pair->active, pair->active, pair->standby, NULL);
}

static void
tear_down (Pair *pair, gconstpointer data)
{
  g_clear_pointer (&pair->standby, node_free);
  g_clear_pointer (&pair->active, node_free);
  g_clear_pointer (&pair->identity, bawn_cluster_identity_unref);
}

/* What may differ between two answers to the same question. */
static char *
normalize (const char *answer)
{
  g_autoptr (GRegex) regex = g_regex_new (
      "(\"request_id\":\"[^\"]*\"|Date: [^\r]*\r\n|request [0-9a-f-]{36})", 0, 0, NULL);

  return answer != NULL ? g_regex_replace_literal (regex, answer, -1, 0, "", 0, NULL)
                        : g_strdup ("(none)");
}

static void
assert_same (Pair *pair, const char *text)
{
  g_autoptr (Client) direct = client_connect_port (pair->active->port);
  g_autoptr (Client) indirect = client_connect_port (pair->standby->port);
  guint direct_status = 0;
  guint indirect_status = 0;
  g_autofree char *expected = client_ask (direct, &direct_status, text);
  g_autofree char *answer = client_ask (indirect, &indirect_status, text);
  g_autofree char *expected_normal = normalize (expected);
  g_autofree char *answer_normal = normalize (answer);

  g_assert_cmpuint (direct_status, !=, 0);
  g_assert_cmpuint (indirect_status, ==, direct_status);
  g_assert_cmpstr (answer_normal, ==, expected_normal);
}

static void
every_method (Pair *pair, gconstpointer data)
{
  static const char *const texts[] = {
    "GET /v1/a/b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/a/b?x=1&y=2 HTTP/1.1\r\nHost: x\r\nX-Vault-Token: t\r\n\r\n",
    "GET /v1/a/b?list=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\n\r\n",
    "GET /v1/a%20b/%c3%a4 HTTP/1.1\r\nHost: x\r\n\r\n",
    "LIST /v1/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "HELP /v1/a HTTP/1.1\r\nHost: x\r\n\r\n",
    "DELETE /v1/a?versions=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    "POST /v1/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
    "chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n",
    "POST /v1/a HTTP/1.1\r\nHost: x\r\nContent-Type: "
    "application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b",
    "PATCH /v1/a HTTP/1.1\r\nHost: x\r\nContent-Type: "
    "application/merge-patch+json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    "GET http://x/v1/a?b=c HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /v1/a HTTP/1.0\r\n\r\n",
    "GET /v1/a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    "GET /v1/wrapped HTTP/1.1\r\nHost: x\r\nX-Vault-Wrap-TTL: 5m\r\n\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    assert_same (pair, texts[i]);
}

static void
every_answer (Pair *pair, gconstpointer data)
{
  static const char *const paths[] = { "nothing", "big", "headers", "raw", "later" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *text = g_strdup_printf ("GET /v1/%s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
      assert_same (pair, text);
    }
  for (guint code = 0; code <= BAWN_ERROR_DEPOSED; code++)
    {
      g_autofree char *text =
          g_strdup_printf ("GET /v1/error/%u HTTP/1.1\r\nHost: x\r\n\r\n", code);

      /* Of these, the standby looks for another node. */
      if (code != BAWN_ERROR_STANDBY && code != BAWN_ERROR_SEALED)
        assert_same (pair, text);
    }
}

static void
a_body_of_32_mib (Pair *pair, gconstpointer data)
{
  const gsize overhead = strlen ("{\"text\":\"\"}");
  const gsize size = 32 * 1024 * 1024 - overhead;
  g_autofree char *text = g_strnfill (size, 'x');
  g_autofree char *head = g_strdup_printf (
      "POST /v1/size HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n{\"text\":\"",
      size + overhead);
  g_autoptr (Client) client = client_connect_port (pair->standby->port);
  g_autofree char *expected = g_strdup_printf ("\"size\":%zu", size);
  guint status = 0;

  g_assert_true (client_send (client, head, -1));
  g_assert_true (client_send (client, text, (gssize) size));
  g_autofree char *answer = client_ask (client, &status, "\"}");
  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, expected);
}

static void
who_asks (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->standby->port);
  guint status = 0;
  g_autofree char *answer =
      client_ask (client, &status,
                  "GET /v1/a HTTP/1.1\r\nHost: x\r\nX-Bawn-Test: evil\r\nX-Other: kept\r\n"
                  "Connection: keep-alive, x-other\r\n\r\n");

  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "X-Node: active");
  fixture_assert_has (answer, "\"remote\":\"127.0.0.1\"");
  fixture_assert_has (answer, "\"internal\":\"none\"");
  fixture_assert_has (answer, "\"other\":\"kept\"");
  g_assert_cmpuint (node_stats (pair->standby).forwarded, ==, 1);
  g_assert_cmpuint (node_stats (pair->active).answered_for_peers, ==, 1);
}

static void
what_is_local_stays (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->standby->port);
  guint status = 0;
  g_autofree char *answer =
      client_ask (client, &status, "GET /v1/local HTTP/1.1\r\nHost: x\r\n\r\n");

  fixture_assert_has (answer, "X-Node: standby");
  g_assert_cmpuint (node_stats (pair->standby).forwarded, ==, 0);
}

static void
many_at_once (Pair *pair, gconstpointer data)
{
  enum
  {
    N = 1000
  };
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < N; i++)
    {
      Client *client = client_connect_port (pair->standby->port);

      g_ptr_array_add (clients, client);
      client_send (client, "GET /v1/parked HTTP/1.1\r\nHost: x\r\n\r\n", -1);
    }
  node_wait_parked (pair->active, N);
  g_assert_cmpuint (node_stats (pair->active).peer_connections, <=, 2);
  node_release (pair->active);
  for (guint i = 0; i < N; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_answer (g_ptr_array_index (clients, i), &status);

      g_assert_cmpuint (status, ==, 200);
    }
}

/* A long answer on its way must not keep short ones waiting: see that both arrive whole, side by
 * side. */
static void
long_and_short_side_by_side (Pair *pair, gconstpointer data)
{
  enum
  {
    N = 20
  };
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < N; i++)
    {
      Client *client = client_connect_port (pair->standby->port);

      g_ptr_array_add (clients, client);
      client_send (client,
                   i % 2 == 0 ? "GET /v1/big HTTP/1.1\r\nHost: x\r\n\r\n"
                              : "GET /v1/a HTTP/1.1\r\nHost: x\r\n\r\n",
                   -1);
    }
  for (guint i = 0; i < N; i++)
    {
      guint status = 0;
      g_autofree char *answer = client_answer (g_ptr_array_index (clients, i), &status);

      g_assert_cmpuint (status, ==, 200);
      g_assert_cmpuint (strlen (answer) > 1000 * 1000, ==, i % 2 == 0);
    }
}

static void
nodes_know_each_other (Pair *pair, gconstpointer data)
{
  fixture_until (node_n_peers (pair->active) == 1 && node_n_peers (pair->standby) == 1);
  g_assert_cmpstr (g_ptr_array_index (pair->active->peers, 0), ==, "standby");
  g_assert_cmpstr (g_ptr_array_index (pair->standby->peers, 0), ==, "active");
}

static void
an_endpoint_of_one_node_asks_the_active_one_who_may (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->standby->port);
  guint status = 0;
  g_autofree char *denied = client_ask (
      client, &status, "PUT /v1/guarded HTTP/1.1\r\nHost: x\r\nX-Vault-Token: wrong\r\n\r\n");
  g_assert_cmpuint (status, ==, 403);
  g_autofree char *allowed = client_ask (client, &status,
                                         "PUT /v1/guarded HTTP/1.1\r\nHost: x\r\nX-Vault-Token: "
                                         "root\r\nX-Vault-No-Request-Forwarding: 1\r\n\r\n");

  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (allowed, "X-Node: standby");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/http/forward/every-method-is-answered-as-by-the-active-node", Pair, NULL, set_up,
              every_method, tear_down);
  g_test_add ("/http/forward/every-answer-comes-through-untouched", Pair, NULL, set_up,
              every_answer, tear_down);
  g_test_add ("/http/forward/a-body-of-32-mib-comes-through", Pair, NULL, set_up, a_body_of_32_mib,
              tear_down);
  g_test_add ("/http/forward/the-active-node-learns-who-asks", Pair, NULL, set_up, who_asks,
              tear_down);
  g_test_add ("/http/forward/what-is-local-is-not-forwarded", Pair, NULL, set_up,
              what_is_local_stays, tear_down);
  g_test_add ("/http/forward/a-thousand-requests-share-a-connection", Pair, NULL, set_up,
              many_at_once, tear_down);
  g_test_add ("/http/forward/long-and-short-answers-come-side-by-side", Pair, NULL, set_up,
              long_and_short_side_by_side, tear_down);
  g_test_add ("/http/forward/nodes-know-each-other", Pair, NULL, set_up, nodes_know_each_other,
              tear_down);
  g_test_add ("/http/forward/an-endpoint-of-one-node-asks-the-active-one-who-may", Pair, NULL,
              set_up, an_endpoint_of_one_node_asks_the_active_one_who_may, tear_down);

  return g_test_run ();
}
