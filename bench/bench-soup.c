/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crypto/bawn-certificate.h"
#include "http/bawn-http.h"

#include <glib-unix.h>
#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The yardstick for bawn-bench: answers every request with the same 180 bytes.
 *   bench-soup        a bare SoupServer on plain sockets
 *   bench-soup --door the door, with a handler that does nothing
 *   bench-soup --forward
 *                     two doors, of which the first has the second answer: bench it with --address of either
 * Prints its address and its process id, and serves until it is interrupted. */

#define ANSWER_SIZE 180

static GBytes *answer;

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);

  soup_server_message_set_status (message, SOUP_STATUS_OK, NULL);
  soup_message_headers_append (headers, "Cache-Control", "no-store");
  soup_message_headers_append (headers, "Content-Type", "application/json");
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), answer);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  g_autoptr(GSocketAddress) local = g_socket_connection_get_local_address (connection, NULL);
  g_autoptr(GSocketAddress) remote = g_socket_connection_get_remote_address (connection, NULL);
  g_autoptr(GError) error = NULL;

  /* As libsoup does for its own; else the client's delayed acknowledgements are measured. */
  g_socket_set_option (g_socket_connection_get_socket (connection), IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  if (!soup_server_accept_iostream (user_data, G_IO_STREAM (connection), local, remote, &error))
    g_warning ("%s", error->message);

  return TRUE;
}

/* See allow_keep_alive() of the door. */
static void
allow_keep_alive (SoupServer *server)
{
  g_autoptr(GError) error = NULL;
  int fds[2] = { -1, -1 };

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
    g_error ("no socket pair");
  g_autoptr(GSocket) socket = g_socket_new_from_fd (fds[1], &error);
  if (socket == NULL || !soup_server_listen_socket (server, socket, 0, &error))
    g_error ("%s", error->message);
}

static void
serve_bare (GMainLoop *loop)
{
  g_autoptr(SoupServer) server = soup_server_new (NULL, NULL);
  g_autoptr(GSocketService) service = g_socket_service_new ();
  g_autoptr(GError) error = NULL;
  guint16 port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (service), NULL, &error);

  if (port == 0)
    g_error ("%s", error->message);
  allow_keep_alive (server);
  soup_server_add_handler (server, NULL, on_request, NULL, NULL);
  g_signal_connect (service, "incoming", G_CALLBACK (on_incoming), server);
  g_print ("--address 127.0.0.1:%u --pid %d\n", port, getpid ());
  g_main_loop_run (loop);
}

static void
dispatch (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  reply (request, bawn_response_new_bare (200, g_bytes_ref (answer)), NULL, user_data);
}

static void
serve_door (GMainLoop *loop, guint workers)
{
  static const char text[] = "[listener]\naddress=127.0.0.1:0\n";
  const BawnHttpHandler handler = { .dispatch = dispatch };
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnConfig) config = bawn_config_load_data ("bench", text, strlen (text), &error);
  g_autoptr(BawnHttpServer) server = bawn_http_server_open (config, &handler, workers, &error);

  if (server == NULL)
    g_error ("%s", error->message);
  g_auto(GStrv) urls = bawn_http_server_dup_addresses (server);
  bawn_http_server_start (server);
  g_print ("--address %s --pid %d\n", urls[0] + strlen ("http://"), getpid ());
  g_main_loop_run (loop);
}

/* One of two nodes of a cluster. */
typedef struct
{
  const char *name;
  gboolean active;
  BawnHttpServer *server;
  BawnLeader *leader;
  BawnClusterIdentity *identity;
} Node;

static void
dispatch_node (gpointer core, BawnRequest *request, BawnHttpReplyFunc reply, gpointer user_data)
{
  if (((Node *) core)->active)
    dispatch (core, request, reply, user_data);
  else
    reply (request, NULL, g_error_new_literal (BAWN_ERROR, BAWN_ERROR_STANDBY, "node is not active"), user_data);
}

static BawnLeader *
ref_leader (gpointer core)
{
  return bawn_leader_ref (((Node *) core)->leader);
}

static BawnClusterIdentity *
ref_identity (gpointer core)
{
  return bawn_cluster_identity_ref (((Node *) core)->identity);
}

static BawnPeer *
dup_self (gpointer core)
{
  const BawnPeer self = { .node_id = (char *) ((Node *) core)->name };

  return bawn_peer_copy (&self);
}

static void
open_node (Node *node, BawnConfig *config, guint workers)
{
  const BawnHttpHandler handler = { .dispatch = dispatch_node, .core = node, .ref_leader = ref_leader,
                                    .ref_cluster_identity = ref_identity, .dup_self = dup_self };
  g_autoptr(GError) error = NULL;

  node->server = bawn_http_server_open (config, &handler, workers, &error);
  if (node->server == NULL)
    g_error ("%s", error->message);
}

static void
serve_two (GMainLoop *loop, guint workers)
{
  static const char text[] = "[listener]\naddress=127.0.0.1:0\ncluster-address=127.0.0.1:0\n";
  g_autoptr(GError) error = NULL;
  g_autoptr(BawnConfig) config = bawn_config_load_data ("bench", text, strlen (text), &error);
  g_autoptr(GBytes) certificate = NULL;
  g_autoptr(BawnSecret) key = NULL;
  Node nodes[2] = { { .name = "standby" }, { .name = "active", .active = TRUE } };

  if (!bawn_certificate_new_self_signed ("bench", &certificate, &key, &error))
    g_error ("%s", error->message);
  g_autoptr(BawnClusterIdentity) identity = bawn_cluster_identity_new (certificate, key);
  for (guint i = 0; i < 2; i++)
    {
      nodes[i].identity = identity;
      open_node (&nodes[i], config, workers);
    }
  g_autofree char *address = bawn_http_server_dup_cluster_address (nodes[1].server);
  for (guint i = 0; i < 2; i++)
    {
      g_auto(GStrv) urls = bawn_http_server_dup_addresses (nodes[i].server);

      nodes[i].leader = bawn_leader_new (1, nodes[1].name, "http://127.0.0.1:1", address, nodes[i].active);
      bawn_http_server_start (nodes[i].server);
      g_print ("--address %s --pid %d (%s)\n", urls[0] + strlen ("http://"), getpid (), nodes[i].name);
    }
  g_main_loop_run (loop);
  for (guint i = 0; i < 2; i++)
    {
      bawn_http_server_free (nodes[i].server);
      bawn_leader_unref (nodes[i].leader);
    }
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

int
main (int argc, char **argv)
{
  g_autoptr(GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autofree char *filler = g_strnfill (ANSWER_SIZE - 12, 'x');
  g_autofree char *text = g_strdup_printf ("{\"filler\":\"%s\"}", filler);

  answer = g_bytes_new_take (g_strndup (text, ANSWER_SIZE), ANSWER_SIZE);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  guint workers = argc > 2 ? (guint) g_ascii_strtoull (argv[2], NULL, 10) : 1;
  if (argc > 1 && strcmp (argv[1], "--door") == 0)
    serve_door (loop, workers);
  else if (argc > 1 && strcmp (argv[1], "--forward") == 0)
    serve_two (loop, workers);
  else
    serve_bare (loop);
  g_bytes_unref (answer);

  return 0;
}
