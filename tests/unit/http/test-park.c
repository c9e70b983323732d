/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-metrics.h"
#include "nodes.h"

#include <string.h>

#define GET "GET /v1/a HTTP/1.1\r\nHost: x\r\n\r\n"
#define PUT "PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
#define REDIRECT_ME                                                                                \
  "GET /v1/a%20b?x=1&y= HTTP/1.1\r\nHost: x\r\nX-Vault-No-Request-Forwarding: yes\r\n\r\n"

typedef struct
{
  BawnClusterIdentity *identity;
  Node *a;
  Node *b;
} Pair;

/* @data: lines of the configuration of both. Nobody is active. */
static void
set_up (Pair *pair, gconstpointer data)
{
  pair->identity = nodes_identity ("cluster");
  pair->a = node_new ("a", data, pair->identity);
  pair->b = node_new ("b", data, pair->identity);
}

static void
tear_down (Pair *pair, gconstpointer data)
{
  g_clear_pointer (&pair->b, node_free);
  g_clear_pointer (&pair->a, node_free);
  g_clear_pointer (&pair->identity, bawn_cluster_identity_unref);
}

static void
assert_answer_of (Client *client, const char *node)
{
  guint status = 0;
  g_autofree char *answer = client_answer (client, &status);
  g_autofree char *header = g_strdup_printf ("X-Node: %s\r\n", node);

  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, header);
}

static void
until_there_is_one (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) get = client_connect_port (pair->b->port);
  g_autoptr (Client) put = client_connect_port (pair->b->port);

  client_send (get, GET, -1);
  client_send (put, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 2);
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  assert_answer_of (get, "a");
  assert_answer_of (put, "a");
  g_assert_cmpuint (node_stats (pair->b).parked, ==, 0);
  g_assert_cmpuint (node_stats (pair->b).parked_total, ==, 2);
  g_assert_cmpuint (node_n_seen (pair->a), ==, 2);
}

static void
until_it_is_this_node (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 1);
  nodes_elect (pair->b, pair->a, pair->b, NULL);
  assert_answer_of (client, "b");
  g_assert_cmpuint (node_stats (pair->b).forwarded, ==, 0);
}

static void
while_this_node_is_becoming_active (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  node_set (pair->b, NODE_STANDBY, node_leader (pair->b, pair->b));
  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 1);
  node_set (pair->b, NODE_ACTIVE, node_leader (pair->b, pair->b));
  assert_answer_of (client, "b");
}

static void
until_the_holder_can_be_reached (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);
  g_autoptr (Node) later = NULL;

  /* Nobody is there: the port was free a moment ago. */
  Node *gone = node_new ("gone", "", pair->identity);
  node_set (pair->b, NODE_STANDBY, node_leader (gone, pair->b));
  node_free (gone);
  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 1);

  later = node_new ("later", "", pair->identity);
  nodes_elect (later, later, pair->b, NULL);
  assert_answer_of (client, "later");
}

static void
after_the_active_node_declines (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  /* It holds the lease, and does not serve yet: nobody tells the other when it does. */
  node_set (pair->a, NODE_STANDBY, NULL);
  node_set (pair->b, NODE_STANDBY, node_leader (pair->a, pair->b));
  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).forwarded >= 3);
  g_assert_cmpuint (node_n_seen (pair->a), ==, 0);
  node_set (pair->a, NODE_ACTIVE, node_leader (pair->a, pair->a));
  assert_answer_of (client, "a");
  g_assert_cmpuint (node_n_seen (pair->a), ==, 1);
}

static void
many_after_it_declines (Pair *pair, gconstpointer data)
{
  enum
  {
    N = 200
  };
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  node_set (pair->b, NODE_STANDBY, node_leader (pair->a, pair->b));
  for (guint i = 0; i < N; i++)
    {
      g_ptr_array_add (clients, client_connect_port (pair->b->port));
      client_send (g_ptr_array_index (clients, i), PUT, -1);
    }
  fixture_until (node_stats (pair->b).parked >= N - 2);
  node_set (pair->a, NODE_ACTIVE, node_leader (pair->a, pair->a));
  for (guint i = 0; i < N; i++)
    assert_answer_of (g_ptr_array_index (clients, i), "a");
  g_assert_cmpuint (node_n_seen (pair->a), ==, N);
}

static void
assert_refused (Client *client, const char *why)
{
  guint status = 0;
  g_autofree char *answer = client_answer (client, &status);

  g_assert_cmpuint (status, ==, 503);
  fixture_assert_has (answer, "Retry-After: 1\r\n");
  fixture_assert_has (answer, why);
}

/* Asks until that is the reason: a connection takes its time. */
static void
until_refused (Client *client, const char *why)
{
  gint64 until_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  for (;;)
    {
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, PUT);

      g_assert_cmpuint (status, ==, 503);
      fixture_assert_has (answer, "Retry-After: 1\r\n");
      if (strstr (answer, why) != NULL)
        return;
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    }
}

static void
not_for_ever (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  client_send (client, PUT, -1);
  assert_refused (client, "no node of the cluster is active");
  g_assert_cmpuint (node_stats (pair->b).park_timeouts, ==, 1);

  node_set (pair->b, NODE_STANDBY, node_leader (pair->b, pair->b));
  until_refused (client, "this node holds the lease, and is not ready yet");
  node_set (pair->b, NODE_STANDBY, node_leader (pair->a, pair->b));
  until_refused (client, "holds the lease, and is not ready yet");
  bawn_http_server_stop (pair->a->server, 0);
  until_refused (client, "cannot be reached at");
  g_assert_cmpuint (node_stats (pair->b).parked, ==, 0);
}

/* What concerns one node needs the active one too: it says who may. */
static void
not_for_ever_at_an_endpoint_of_one_node (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  client_send (client, "GET /v1/guarded HTTP/1.1\r\nHost: x\r\nX-Vault-Token: root\r\n\r\n", -1);
  assert_refused (client, "only that one can say who may ask this node");
  g_assert_cmpuint (node_stats (pair->b).park_timeouts, ==, 1);
}

static gint64
metric_of (Node *node, const char *name)
{
  g_autoptr (GArray) rows = bawn_metric_rows_new ();

  bawn_http_server_append_metrics (rows, node->server);
  for (guint i = 0; i < rows->len; i++)
    if (strcmp (g_array_index (rows, BawnMetricRow, i).name, name) == 0)
      return g_array_index (rows, BawnMetricRow, i).value;
  g_error ("there is no %s", name);
}

static void
metrics_count_them (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  g_assert_cmpint (metric_of (pair->b, "bawn.ha.parked"), ==, 0);
  client_send (client, PUT, -1);
  fixture_until (metric_of (pair->b, "bawn.ha.parked") == 1);
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  assert_answer_of (client, "a");
  g_assert_cmpint (metric_of (pair->b, "bawn.ha.parked"), ==, 0);
  g_assert_cmpint (metric_of (pair->b, "bawn.ha.parked_requests"), ==, 1);
  g_assert_cmpint (metric_of (pair->b, "bawn.ha.forwarded"), ==, 1);
  g_assert_cmpint (metric_of (pair->b, "bawn.ha.forward_errors"), ==, 0);
  g_assert_cmpint (metric_of (pair->b, "bawn.ha.park_timeouts"), ==, 0);
  g_assert_cmpint (metric_of (pair->a, "bawn.ha.answered_for_peers"), ==, 1);
}

static void
limits_are_shown (Pair *pair, gconstpointer data)
{
  g_autofree char *of_a = bawn_http_server_describe_parking (pair->a->server);

  g_assert_cmpstr (of_a, ==, "up to 7 requests, 64M in all, for 1.5s");
}

static void
not_too_many (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) first = client_connect_port (pair->b->port);
  g_autoptr (Client) second = client_connect_port (pair->b->port);
  g_autoptr (Client) third = client_connect_port (pair->b->port);

  client_send (first, PUT, -1);
  client_send (second, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 2);
  client_send (third, PUT, -1);
  assert_refused (third, "too many requests wait");
  g_assert_cmpuint (node_stats (pair->b).park_refusals, ==, 1);
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  assert_answer_of (first, "a");
  assert_answer_of (second, "a");
}

static void
not_too_much (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) small = client_connect_port (pair->b->port);
  g_autoptr (Client) large = client_connect_port (pair->b->port);
  g_autofree char *filler = g_strnfill (2000, 'x');
  g_autofree char *text = g_strdup_printf (
      "PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2008\r\n\r\n{\"a\":\"%s\"}", filler);

  client_send (small, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 1);
  client_send (large, text, -1);
  assert_refused (large, "too many requests wait");
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  assert_answer_of (small, "a");
}

static void
a_sealed_node_lets_nobody_wait (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);
  guint status = 0;

  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).parked == 1);
  node_set_identity (pair->b, NULL);
  g_autofree char *answer = client_answer (client, &status);
  g_assert_cmpuint (status, ==, 503);
  fixture_assert_has (answer, "not here");
}

static void
a_client_that_has_gone_is_forgotten (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);
  guint status = 0;

  client_send (client, PUT, -1);
  fixture_until (node_stats (pair->b).parked_total == 1);
  g_autofree char *answer = client_answer (client, &status);
  g_assert_cmpuint (status, ==, 504);
  g_assert_cmpuint (node_stats (pair->b).parked, ==, 0);
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  fixture_until (node_n_peers (pair->a) == 1);
  g_assert_cmpuint (node_n_seen (pair->a), ==, 0);
}

static void
assert_redirected (Client *client, Node *to, const char *target)
{
  guint status = 0;
  g_autofree char *answer = client_answer (client, &status);
  g_autofree char *location = g_strdup_printf ("Location: %s%s\r\n", to->api_addr, target);

  g_assert_cmpuint (status, ==, 307);
  fixture_assert_has (answer, location);
  fixture_assert_has (answer, "Content-Length: 0\r\n");
}

static void
redirect_when_asked_to (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  nodes_elect (pair->a, pair->a, pair->b, NULL);
  client_send (client, REDIRECT_ME, -1);
  assert_redirected (client, pair->a, "/v1/a%20b?x=1&y=");
  g_assert_cmpuint (node_stats (pair->b).redirects, ==, 1);
}

static void
redirect_when_there_is_one (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  client_send (client, REDIRECT_ME, -1);
  fixture_until (node_stats (pair->b).parked == 1);
  nodes_elect (pair->a, pair->a, pair->b, NULL);
  assert_redirected (client, pair->a, "/v1/a%20b?x=1&y=");
}

static void
redirect_when_configured (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  nodes_elect (pair->a, pair->a, pair->b, NULL);
  client_send (client, GET, -1);
  assert_redirected (client, pair->a, "/v1/a");
  client_send (client, "GET http://elsewhere/v1/b?c HTTP/1.1\r\nHost: x\r\n\r\n", -1);
  assert_redirected (client, pair->a, "/v1/b?c");
}

static void
no_redirect_to_nowhere (Pair *pair, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (pair->b->port);

  node_set (pair->b, NODE_STANDBY,
            bawn_leader_new (1, "x", "nonsense", pair->a->cluster_addr, FALSE));
  client_send (client, REDIRECT_ME, -1);
  assert_refused (client, "does not say where");
}

#define ADD(name, lines, func) g_test_add ("/http/park/" name, Pair, lines, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("requests-wait-until-a-node-is-active", "", until_there_is_one);
  ADD ("requests-wait-until-this-node-is-active", "", until_it_is_this_node);
  ADD ("requests-wait-while-this-node-is-becoming-active", "", while_this_node_is_becoming_active);
  ADD ("requests-wait-until-the-holder-can-be-reached", "", until_the_holder_can_be_reached);
  ADD ("requests-wait-when-the-active-node-declines", "", after_the_active_node_declines);
  ADD ("many-requests-wait-when-the-active-node-declines", "", many_after_it_declines);
  ADD ("requests-do-not-wait-for-ever", "[ha]\npark-timeout=200ms\n", not_for_ever);
  ADD ("requests-about-one-node-do-not-wait-for-ever", "[ha]\npark-timeout=200ms\n",
       not_for_ever_at_an_endpoint_of_one_node);
  ADD ("metrics-count-those-that-wait", "", metrics_count_them);
  ADD ("the-limits-are-shown-as-they-are-configured",
       "[ha]\npark-max-requests=7\npark-timeout=1500ms\n", limits_are_shown);
  ADD ("only-so-many-requests-wait", "[ha]\npark-max-requests=2\n", not_too_many);
  ADD ("only-so-much-waits", "[ha]\npark-max-bytes=1000\n", not_too_much);
  ADD ("requests-do-not-wait-at-a-sealed-node", "", a_sealed_node_lets_nobody_wait);
  ADD ("requests-do-not-wait-beyond-their-own-deadline", "request-timeout=200ms\n",
       a_client_that_has_gone_is_forgotten);
  ADD ("a-client-that-asks-for-it-is-redirected", "", redirect_when_asked_to);
  ADD ("a-client-waits-to-be-redirected", "", redirect_when_there_is_one);
  ADD ("all-clients-are-redirected-where-that-is-configured", "[server]\nforwarding=redirect\n",
       redirect_when_configured);
  ADD ("nobody-is-redirected-to-what-is-no-address", "", no_redirect_to_nowhere);

  return g_test_run ();
}
