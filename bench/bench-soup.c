/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

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
  if (argc > 1 && strcmp (argv[1], "--door") == 0)
    serve_door (loop, argc > 2 ? (guint) g_ascii_strtoull (argv[2], NULL, 10) : 1);
  else
    serve_bare (loop);
  g_bytes_unref (answer);

  return 0;
}
