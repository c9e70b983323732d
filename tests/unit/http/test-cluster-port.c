/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "nodes.h"

#include <string.h>

#define GET "GET /v1/a HTTP/1.1\r\nHost: x\r\n\r\n"

/* A node at whose cluster port the test knocks. */
typedef struct
{
  BawnClusterIdentity *identity;
  Node *node;
} Port;

static void
set_up (Port *port, gconstpointer data)
{
  port->identity = nodes_identity ("cluster");
  port->node = node_new ("node", "max-request-size=100000\n", port->identity);
  nodes_elect (port->node, port->node, NULL);
}

static void
tear_down (Port *port, gconstpointer data)
{
  g_clear_pointer (&port->node, node_free);
  g_clear_pointer (&port->identity, bawn_cluster_identity_unref);
}

/* Everything is well: another node has something answered by this one. */
static void
assert_alive (Port *port)
{
  g_autoptr (Node) standby = node_new ("standby", "", port->identity);
  g_autoptr (Client) client = NULL;
  guint status = 0;

  nodes_elect (port->node, port->node, standby, NULL);
  client = client_connect_port (standby->port);
  g_autofree char *answer = client_ask (client, &status, GET);
  g_assert_cmpuint (status, ==, 200);
  fixture_assert_has (answer, "X-Node: node");
}

/* A peer that has said who it is. */
static Client *
guest (Port *port)
{
  Client *peer = peer_connect (port->node, port->identity);

  peer_say_hello (peer, "guest");
  return peer;
}

/* The payload of a REQUEST. */
static GBytes *
call (const char *head, gsize body_size, const char *body)
{
  const BawnHttpCall fields = { .id = (char *) "id",
                                .remote_address = (char *) "10.1.2.3",
                                .remote_port = 7,
                                .deadline_ms = 60000,
                                .head = (const guint8 *) head,
                                .head_size = strlen (head) };
  g_auto (BawnBuffer) out = BAWN_BUFFER_INIT;
  static const guint8 prefix[BAWN_HTTP_FRAME_MESSAGE_PREFIX] = { 0 };

  bawn_buffer_append (&out, prefix, sizeof prefix);
  bawn_http_call_write (&fields, &out);
  bawn_http_message_prefix (out.data, out.size - sizeof prefix, body_size);
  bawn_buffer_append_string (&out, body);

  return bawn_buffer_steal (&out);
}

static void
ask (Client *peer, guint32 id, const char *head, gsize body_size, const char *body)
{
  g_autoptr (GBytes) payload = call (head, body_size, body);

  peer_send (peer, BAWN_HTTP_FRAME_REQUEST, id, g_bytes_get_data (payload, NULL),
             g_bytes_get_size (payload));
}

/* The next frame is a whole answer with this status, or, if that is 0, NOT_ACTIVE. */
static void
assert_answer (Client *peer, guint32 id, guint expected_status)
{
  BawnHttpFrame frame = { 0 };
  g_autoptr (GBytes) payload = NULL;
  g_auto (BawnHttpMessage) message = BAWN_HTTP_MESSAGE_INIT;
  g_auto (BawnHttpReply) reply = { 0 };

  g_assert_true (peer_receive (peer, &frame, &payload));
  g_assert_cmpuint (frame.id, ==, id);
  if (expected_status == 0)
    {
      g_assert_cmpint (frame.type, ==, BAWN_HTTP_FRAME_NOT_ACTIVE);
      return;
    }
  g_assert_cmpint (frame.type, ==, BAWN_HTTP_FRAME_ANSWER);
  frame.payload = g_bytes_get_data (payload, NULL);
  g_assert_true (bawn_http_message_begin (&message, &frame, NULL));
  g_assert_true (bawn_http_message_is_complete (&message));
  g_assert_true (bawn_http_answer_read (&reply, message.head.data, message.head.size, NULL));
  g_assert_cmpuint (reply.status, ==, expected_status);
}

static void
assert_thrown_out (Client *peer)
{
  BawnHttpFrame frame = { 0 };
  g_autoptr (GBytes) payload = NULL;

  g_assert_false (peer_receive (peer, &frame, &payload));
}

static void
silent_crowd (Port *port, gconstpointer data)
{
  enum
  {
    N = 300
  };
  g_autoptr (GPtrArray) crowd = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (guint i = 0; i < N; i++)
    g_ptr_array_add (crowd, client_connect_port (node_cluster_port (port->node)));
  assert_alive (port);

  /* All are gone after a while: those who had to make room, and those whose time was over. */
  for (guint i = 0; i < N; i++)
    g_assert_true (client_at_end (g_ptr_array_index (crowd, i)));
  fixture_until (node_stats (port->node).peer_handshake_failures == N);
}

static void
garbage (Port *port, gconstpointer data)
{
  g_autoptr (Client) http = client_connect_port (node_cluster_port (port->node));
  g_autoptr (Client) noise = client_connect_port (node_cluster_port (port->node));

  client_send (http, GET, -1);
  g_assert_false (client_fill (http) && client_fill (http) && client_fill (http));
  client_send (noise, "\x16\x03\x01\xff\xff\x01", 6);
  client_send (noise, "\x16\x03\x01\x00\x05hello\x16\x03\x01\x00\x05hello", 20);
  g_assert_false (client_fill (noise) && client_fill (noise) && client_fill (noise));
  fixture_until (node_stats (port->node).peer_handshake_failures == 2);
  assert_alive (port);
}

static void
wrong_certificate (Port *port, gconstpointer data)
{
  /* Of the same name, as an attacker would take. */
  g_autoptr (BawnClusterIdentity) other = nodes_identity ("cluster");
  g_autoptr (Client) stranger = peer_connect (port->node, other);
  g_autoptr (Client) nobody = peer_connect (port->node, NULL);

  peer_say_hello (stranger, "stranger");
  peer_say_hello (nobody, "nobody");
  assert_thrown_out (stranger);
  assert_thrown_out (nobody);
  fixture_until (node_stats (port->node).peer_handshake_failures == 2);
  g_assert_cmpuint (node_n_peers (port->node), ==, 0);
}

static void
sealed (Port *port, gconstpointer data)
{
  g_autoptr (Client) before = guest (port);

  ask (before, 1, GET, 0, "");
  assert_answer (before, 1, 200);
  node_set_identity (port->node, NULL);

  BawnHttpFrame frame = { 0 };
  g_autoptr (GBytes) payload = NULL;
  g_assert_true (peer_receive (before, &frame, &payload));
  g_assert_cmpint (frame.type, ==, BAWN_HTTP_FRAME_GOODBYE);
  ask (before, 2, GET, 0, "");
  assert_answer (before, 2, 0);

  g_autoptr (Client) after = client_connect_port (node_cluster_port (port->node));
  g_assert_true (client_at_end (after));
}

static void
a_request (Port *port, gconstpointer data)
{
  g_autoptr (Client) peer = guest (port);

  ask (peer, 1, GET, 0, "");
  assert_answer (peer, 1, 200);
  ask (peer, 2, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 7, "{\"a\":1}");
  assert_answer (peer, 2, 200);
  ask (peer, 1, "GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", 0, "");
  assert_answer (peer, 1, 204);
  ask (peer, 3, "nonsense\r\n\r\n", 0, "");
  assert_answer (peer, 3, 400);
  ask (peer, 4, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 3, "{\"a");
  assert_answer (peer, 4, 400);
  ask (peer, 5, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 100001, "{");
  assert_answer (peer, 5, 413);
  ask (peer, 6, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", G_MAXUINT32, "{");
  assert_answer (peer, 6, 413);

  /* What is left of it is not heard. */
  peer_send (peer, BAWN_HTTP_FRAME_MORE, 6, "more", 4);
  peer_send (peer, BAWN_HTTP_FRAME_CANCEL, 6, NULL, 0);
  ask (peer, 7, GET, 0, "");
  assert_answer (peer, 7, 200);
}

static void
a_request_in_parts (Port *port, gconstpointer data)
{
  g_autoptr (Client) peer = guest (port);

  ask (peer, 1, "PUT /v1/size HTTP/1.1\r\nHost: x\r\n\r\n", 15, "{\"text\"");
  ask (peer, 2, "PUT /v1/size HTTP/1.1\r\nHost: x\r\n\r\n", 15, "");
  peer_send (peer, BAWN_HTTP_FRAME_MORE, 1, ":\"abc", 5);
  peer_send (peer, BAWN_HTTP_FRAME_MORE, 2, "{\"text\":\"abcd\"}", 15);
  assert_answer (peer, 2, 200);
  peer_send (peer, BAWN_HTTP_FRAME_MORE, 1, "d\"}", 3);
  assert_answer (peer, 1, 200);
}

static void
a_cancelled_request (Port *port, gconstpointer data)
{
  g_autoptr (Client) peer = guest (port);

  ask (peer, 1, "GET /v1/parked HTTP/1.1\r\nHost: x\r\n\r\n", 0, "");
  ask (peer, 2, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 7, "{");
  node_wait_parked (port->node, 1);
  peer_send (peer, BAWN_HTTP_FRAME_CANCEL, 1, NULL, 0);
  peer_send (peer, BAWN_HTTP_FRAME_CANCEL, 2, NULL, 0);
  ask (peer, 3, GET, 0, "");
  assert_answer (peer, 3, 200);
  node_release (port->node);
  ask (peer, 1, GET, 0, "");
  assert_answer (peer, 1, 200);
}

static void
a_standby (Port *port, gconstpointer data)
{
  g_autoptr (Node) other = node_new ("other", "", port->identity);
  g_autoptr (Client) peer = guest (port);

  nodes_elect (other, other, port->node, NULL);
  ask (peer, 1, "PUT /v1/a HTTP/1.1\r\nHost: x\r\n\r\n", 7, "{\"a\":1}");
  assert_answer (peer, 1, 0);
  g_assert_cmpuint (node_n_seen (other), ==, 0);
}

static void
send_raw (Client *peer, const char *bytes, gsize size)
{
  client_send (peer, bytes, (gssize) size);
}

#define RAW(text) text, sizeof text - 1

static void
rule_breakers (Port *port, gconstpointer data)
{
  static const struct
  {
    const char *what;
    const char *bytes;
    gsize size;
  } rows[] = {
    { "unknown type", RAW ("\0\0\0\0\x63\0\0\0\0\0\0\0") },
    { "type 0", RAW ("\0\0\0\0\0\0\0\0\0\0\0\0") },
    { "reserved bytes", RAW ("\0\0\0\0\6\1\0\0\0\0\0\0") },
    { "too long", RAW ("\0\1\0\1\2\0\0\0\0\0\0\1") },
    { "far too long", RAW ("\xff\xff\xff\xff\2\0\0\0\0\0\0\1") },
    { "no prefix", RAW ("\0\0\0\4\2\0\0\0\0\0\0\1abcd") },
    { "head too long", RAW ("\0\0\0\x8\2\0\0\0\0\0\0\1\x7f\0\0\0\0\0\0\0") },
    { "no head", RAW ("\0\0\0\x8\2\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0") },
    { "more than promised", RAW ("\0\0\0\xa\2\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0ab") },
    { "an answer", RAW ("\0\0\0\x8\3\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0") },
    { "not active", RAW ("\0\0\0\0\5\0\0\0\0\0\0\1") },
    { "a bad hello", RAW ("\0\0\0\4\1\0\0\0\0\0\0\0\0\0\0\1") },
    { "a number twice",
      RAW ("\0\0\0\x8\2\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\x8\2\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (Client) peer = guest (port);

      g_test_message ("%s", rows[i].what);
      send_raw (peer, rows[i].bytes, rows[i].size);
      assert_thrown_out (peer);
    }
  fixture_until (node_stats (port->node).peer_connections == 0);
  assert_alive (port);
}

static void
no_hello (Port *port, gconstpointer data)
{
  g_autoptr (Client) rude = peer_connect (port->node, port->identity);
  g_autoptr (Client) changed = guest (port);
  g_autoptr (Client) silent = peer_connect (port->node, port->identity);
  g_autoptr (GBytes) payload = call (GET, 0, "");
  const guint8 stranger[] = { 0, 0, 0, 9, 0, 0, 0, 9 };

  peer_send (rude, BAWN_HTTP_FRAME_REQUEST, 1, g_bytes_get_data (payload, NULL),
             g_bytes_get_size (payload));
  assert_thrown_out (rude);
  peer_say_hello (changed, "somebody else");
  assert_thrown_out (changed);

  g_autoptr (Client) foreign = peer_connect (port->node, port->identity);
  peer_send (foreign, BAWN_HTTP_FRAME_HELLO, 0, stranger, sizeof stranger);
  assert_thrown_out (foreign);

  /* Heartbeats come, and none goes. */
  assert_thrown_out (silent);
}

/* It asks for much and reads nothing: that must end by itself, and harm nobody else. */
static void
one_that_never_reads (Port *port, gconstpointer data)
{
  enum
  {
    N = 150
  };
  g_autoptr (Client) peer = guest (port);

  for (guint i = 0; i < N; i++)
    ask (peer, i + 1, "GET /v1/big HTTP/1.1\r\nHost: x\r\n\r\n", 0, "");
  fixture_until (node_n_seen (port->node) >= 64);
  assert_alive (port);
  g_assert_cmpuint (node_n_seen (port->node), <, N);
  fixture_until (node_stats (port->node).peer_connections == 0);
}

#define ADD(name, func) g_test_add ("/http/cluster-port/" name, Port, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-silent-crowd-keeps-nobody-out", silent_crowd);
  ADD ("garbage-is-hung-up-on", garbage);
  ADD ("who-has-another-certificate-is-no-node", wrong_certificate);
  ADD ("a-sealed-node-hangs-up", sealed);
  ADD ("requests-are-answered", a_request);
  ADD ("requests-may-come-in-parts-side-by-side", a_request_in_parts);
  ADD ("cancelled-requests-are-not-answered", a_cancelled_request);
  ADD ("a-standby-does-not-forward-what-was-forwarded", a_standby);
  ADD ("who-breaks-the-rules-is-thrown-out", rule_breakers);
  ADD ("who-does-not-say-who-he-is-is-thrown-out", no_hello);
  ADD ("who-never-reads-harms-nobody", one_that_never_reads);

  return g_test_run ();
}
