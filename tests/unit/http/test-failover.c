/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "nodes.h"
#include "cable.h"

#include <string.h>

#define GET_PARKED "GET /v1/parked HTTP/1.1\r\nHost: x\r\n\r\n"
#define PUT_PARKED "PUT /v1/parked HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
#define PUT "PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"a\":1}"

/* The standby reaches the active node through the cable. */
typedef struct
{
  BawnClusterIdentity *identity;
  Node *active;
  Node *standby;
  Cable *cable;
} Trio;

static void
set_up (Trio *trio, gconstpointer data)
{
  trio->identity = nodes_identity ("cluster");
  trio->active = node_new ("active", "", trio->identity);
  trio->standby = node_new ("standby", data != NULL ? data : "", trio->identity);
  trio->cable = cable_new (node_cluster_port (trio->active));
  node_set (trio->active, NODE_ACTIVE, node_leader (trio->active, trio->active));
  g_autofree char *address = g_strdup_printf ("https://127.0.0.1:%u", cable_port (trio->cable));
  node_set (trio->standby, NODE_STANDBY,
            bawn_leader_new (1, "active", trio->active->api_addr, address, FALSE));
}

static void
tear_down (Trio *trio, gconstpointer data)
{
  g_clear_pointer (&trio->standby, node_free);
  g_clear_pointer (&trio->cable, cable_free);
  g_clear_pointer (&trio->active, node_free);
  g_clear_pointer (&trio->identity, bawn_cluster_identity_unref);
}

static char *
answer_of (Client *client, guint expected_status)
{
  guint status = 0;
  g_autofree char *answer = client_answer (client, &status);

  if (status != expected_status)
    g_error ("%u instead of %u: %s", status, expected_status,
             answer != NULL ? answer : "(nothing)");
  return g_steal_pointer (&answer);
}

/* Whether the node knew that it was asked once more. */
static void
assert_done (Client *client, const char *node, gboolean repeated)
{
  g_autofree char *header = g_strdup_printf ("X-Node: %s\r\n", node);
  g_autofree char *answer = answer_of (client, 200);

  fixture_assert_has (answer, header);
  fixture_assert_has (answer, repeated ? "\"repeated\":true" : "\"repeated\":false");
}

static void
assert_ok (Client *client, const char *node)
{
  assert_done (client, node, FALSE);
}

static void
a_read (Trio *trio, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  client_send (client, GET_PARKED, -1);
  node_wait_parked (trio->active, 1);
  cable_cut (trio->cable);
  node_wait_parked (trio->active, 2);
  node_release (trio->active);
  assert_done (client, "active", TRUE);
  g_assert_cmpuint (node_stats (trio->standby).forward_errors, ==, 1);
}

static void
a_write (Trio *trio, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  client_send (client, PUT_PARKED, -1);
  node_wait_parked (trio->active, 1);
  cable_cut (trio->cable);
  g_autofree char *answer = answer_of (client, 503);
  fixture_assert_has (answer, "not known");
  g_assert_null (strstr (answer, "Retry-After"));

  /* The next one finds its way. */
  client_send (client, PUT, -1);
  assert_ok (client, "active");
  g_assert_cmpuint (node_n_seen (trio->active), ==, 2);
  node_release (trio->active);
}

static void
a_write_that_was_not_sent (Trio *trio, gconstpointer data)
{
  const gsize size = 24 * 1024 * 1024;
  g_autofree char *filler = g_strnfill (size, 'x');
  g_autofree char *head = g_strdup_printf (
      "PUT /v1/size HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n{\"text\":\"", size + 11);
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  /* The way is open from both ends. */
  client_send (client, PUT, -1);
  assert_ok (client, "active");
  cable_set (trio->cable, CABLE_STALL);
  client_send (client, head, -1);
  client_send (client, filler, (gssize) size);
  client_send (client, "\"}", -1);
  fixture_until (node_stats (trio->standby).forwarded >= 2);
  cable_cut (trio->cable);
  g_autofree char *answer = answer_of (client, 200);
  fixture_assert_has (answer, "\"size\":25165824");
  g_assert_cmpuint (node_n_seen (trio->active), ==, 2);
}

static void
a_peer_that_falls_silent (Trio *trio, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  client_send (client, GET_PARKED, -1);
  node_wait_parked (trio->active, 1);
  cable_set (trio->cable, CABLE_DROP);
  fixture_until (node_stats (trio->standby).forward_errors == 1);
  cable_set (trio->cable, CABLE_PASS);
  node_wait_parked (trio->active, 2);
  node_release (trio->active);
  assert_done (client, "active", TRUE);
}

static void
a_read_at_a_former_active_node (Trio *trio, gconstpointer data)
{
  g_autoptr (Node) next = node_new ("next", "", trio->identity);
  g_autoptr (Client) client = client_connect_port (trio->standby->port);
  g_autoptr (Client) writer = client_connect_port (trio->standby->port);

  client_send (client, GET_PARKED, -1);
  client_send (writer, PUT_PARKED, -1);
  node_wait_parked (trio->active, 2);
  nodes_elect (next, next, trio->standby, NULL);
  node_wait_parked (next, 1);
  node_release (next);
  assert_done (client, "next", TRUE);

  /* The write is still there, and answered if the former active node lives. */
  node_release (trio->active);
  assert_ok (writer, "active");
  g_assert_cmpuint (node_n_seen (next), ==, 1);
}

static void
a_read_that_this_node_can_answer_by_now (Trio *trio, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  client_send (client, GET_PARKED, -1);
  node_wait_parked (trio->active, 1);
  node_set (trio->standby, NODE_ACTIVE, node_leader (trio->standby, trio->standby));
  cable_cut (trio->cable);
  node_wait_parked (trio->standby, 1);
  node_release (trio->standby);
  assert_done (client, "standby", TRUE);
  node_release (trio->active);
}

static gpointer
stop (gpointer server)
{
  bawn_http_server_stop (server, 20 * G_USEC_PER_SEC);
  return NULL;
}

static void
the_active_node_stops (Trio *trio, gconstpointer data)
{
  g_autoptr (Node) next = node_new ("next", "", trio->identity);
  g_autoptr (Client) before = client_connect_port (trio->standby->port);
  g_autoptr (Client) after = client_connect_port (trio->standby->port);

  client_send (before, PUT_PARKED, -1);
  node_wait_parked (trio->active, 1);

  /* As the daemon does: it hands over first, then lets what is under way end. */
  node_set (trio->active, NODE_STANDBY, NULL);
  GThread *stopper = g_thread_new ("stop", stop, trio->active->server);
  fixture_until (node_stats (trio->standby).forwarded == 1);
  client_send (after, PUT, -1);
  fixture_until (node_stats (trio->standby).parked == 1);
  node_release (trio->active);
  assert_ok (before, "active");
  nodes_elect (next, next, trio->standby, NULL);
  assert_ok (after, "next");
  g_thread_join (stopper);
  g_assert_cmpuint (node_stats (trio->standby).forward_errors, ==, 0);
}

/* The way is open: what is asked now is not too late before it has arrived. */
static void
until_answered (Client *client)
{
  guint status = 0;

  do
    {
      g_autofree char *answer = client_ask (client, &status, PUT);
      g_assert_true (status == 200 || status == 504);
    }
  while (status != 200);
}

static void
a_client_that_goes (Trio *trio, gconstpointer data)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  until_answered (client);
  client_send (client, PUT_PARKED, -1);
  node_wait_parked (trio->active, 1);
  g_autofree char *answer = answer_of (client, 504);
  node_release (trio->active);

  /* Its late answer disturbs nobody. */
  client_send (client, PUT, -1);
  assert_ok (client, "active");
}

/* The node has heard of it when that is the reason why nothing is answered; from then on nothing is
 * forwarded. */
static void
assert_nothing_is_forwarded (Trio *trio, const char *why)
{
  g_autoptr (Client) client = client_connect_port (trio->standby->port);
  gint64 until_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  gboolean found = FALSE;

  while (!found)
    {
      guint status = 0;
      g_autofree char *answer = client_ask (client, &status, PUT);

      g_assert_true (status == 200 || status == 503);
      found = status == 503 && strstr (answer, why) != NULL;
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    }

  guint64 forwarded = node_stats (trio->standby).forwarded;
  client_send (client, PUT, -1);
  g_autofree char *answer = answer_of (client, 503);
  g_assert_cmpuint (node_stats (trio->standby).forwarded, ==, forwarded);
}

static void
an_address_that_leads_back (Trio *trio, gconstpointer data)
{
  node_set (
      trio->standby, NODE_STANDBY,
      bawn_leader_new (1, "active", trio->active->api_addr, trio->standby->cluster_addr, FALSE));
  assert_nothing_is_forwarded (trio, "leads to this node itself");
}

static void
an_address_that_leads_elsewhere (Trio *trio, gconstpointer data)
{
  node_set (
      trio->standby, NODE_STANDBY,
      bawn_leader_new (1, "somebody", trio->active->api_addr, trio->active->cluster_addr, FALSE));
  assert_nothing_is_forwarded (trio, "another node is there");
}

static void
a_new_identity (Trio *trio, gconstpointer data)
{
  g_autoptr (BawnClusterIdentity) fresh = nodes_identity ("fresh");
  g_autoptr (Client) client = client_connect_port (trio->standby->port);

  client_send (client, PUT, -1);
  assert_ok (client, "active");
  node_set_identity (trio->active, fresh);
  node_set (trio->active, NODE_ACTIVE, node_leader (trio->active, trio->active));
  fixture_until (node_stats (trio->active).peer_connections == 0);
  client_send (client, PUT, -1);
  fixture_until (node_stats (trio->standby).parked == 1);
  node_set_identity (trio->standby, fresh);
  assert_ok (client, "active");
}

#define ADD(name, lines, func)                                                                     \
  g_test_add ("/http/failover/" name, Trio, lines, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-read-is-repeated-when-the-connection-breaks", NULL, a_read);
  ADD ("a-write-is-not-repeated-when-the-connection-breaks", NULL, a_write);
  ADD ("a-write-is-repeated-if-it-was-not-sent-whole", NULL, a_write_that_was_not_sent);
  ADD ("a-silent-peer-is-given-up", NULL, a_peer_that_falls_silent);
  ADD ("a-read-at-a-former-active-node-is-repeated-at-the-new-one", NULL,
       a_read_at_a_former_active_node);
  ADD ("a-read-is-repeated-here-once-this-node-is-active", NULL,
       a_read_that_this_node_can_answer_by_now);
  ADD ("an-active-node-that-stops-loses-nothing", NULL, the_active_node_stops);
  ADD ("an-answer-that-comes-too-late-is-dropped", "request-timeout=2s\n", a_client_that_goes);
  ADD ("nothing-is-forwarded-to-this-node-itself", "[ha]\npark-timeout=200ms\n",
       an_address_that_leads_back);
  ADD ("nothing-is-forwarded-to-the-wrong-node", "[ha]\npark-timeout=200ms\n",
       an_address_that_leads_elsewhere);
  ADD ("a-new-certificate-is-taken-up", NULL, a_new_identity);

  return g_test_run ();
}
