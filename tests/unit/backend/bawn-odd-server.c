/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "tests/unit/backend/bawn-odd-server.h"

#include <stdlib.h>
#include <string.h>

struct _BawnOddServer
{
  GSocketListener *listener;
  GTlsCertificate *certificate;
  GTlsDatabase *authority;
  BawnOddFunc func;
  gpointer data;
  char *address;
  GThread *thread;
  GCancellable *stop;

  GMutex lock;
  GCond changed;
  guint n_requests;
  guint n_connections;
  guint n_open;
  GPtrArray *open; /* of GSocket */
};

typedef struct
{
  BawnOddServer *server;
  GSocketConnection *connection;
  guint number;
} Link;

static gboolean
read_head (GInputStream *input, GString *text)
{
  char c = 0;

  while (!g_str_has_suffix (text->str, "\r\n\r\n"))
    {
      if (g_input_stream_read (input, &c, 1, NULL, NULL) != 1)
        return FALSE;
      g_string_append_c (text, c);
    }

  return TRUE;
}

static gboolean
read_request (Link *link, GInputStream *input, BawnOddRequest *request)
{
  BawnOddServer *server = link->server;
  g_autoptr (GString) head = g_string_new (NULL);

  if (!read_head (input, head))
    return FALSE;

  const char *length = strcasestr (head->str, "\r\ncontent-length:");
  gsize n = 0;

  request->body_size = length != NULL ? (gsize) strtoul (strchr (length, ':') + 1, NULL, 10) : 0;
  request->body = g_malloc0 (request->body_size + 1);
  if (!g_input_stream_read_all (input, request->body, request->body_size, &n, NULL, NULL)
      || n < request->body_size)
    return FALSE;

  request->head = g_string_free (g_steal_pointer (&head), FALSE);
  request->connection = link->number;
  g_mutex_lock (&server->lock);
  request->number = server->n_requests++;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
  return TRUE;
}

/* A server of GIO's leaves the decision to us, also about a certificate without a fault. */
static gboolean
accept_sound (GTlsConnection *connection,
              GTlsCertificate *certificate,
              GTlsCertificateFlags faults,
              gpointer data)
{
  return faults == 0;
}

static GIOStream *
wrap (Link *link)
{
  BawnOddServer *server = link->server;

  if (server->certificate == NULL)
    return g_object_ref (G_IO_STREAM (link->connection));

  GIOStream *stream =
      g_tls_server_connection_new (G_IO_STREAM (link->connection), server->certificate, NULL);

  if (server->authority != NULL)
    {
      g_tls_connection_set_database (G_TLS_CONNECTION (stream), server->authority);
      g_signal_connect (stream, "accept-certificate", G_CALLBACK (accept_sound), NULL);
      g_object_set (stream, "authentication-mode", G_TLS_AUTHENTICATION_REQUIRED, NULL);
    }
  return stream;
}

static gpointer
serve (gpointer data)
{
  Link *link = data;
  BawnOddServer *server = link->server;
  GSocket *socket = g_socket_connection_get_socket (link->connection);
  g_autoptr (GIOStream) stream = wrap (link);

  for (gboolean goes_on = TRUE; goes_on;)
    {
      BawnOddRequest request = { 0 };

      goes_on = read_request (link, g_io_stream_get_input_stream (stream), &request)
                && server->func (server, &request, stream, server->data);
      g_free (request.head);
      g_free (request.body);
    }

  g_io_stream_close (stream, NULL, NULL);
  g_mutex_lock (&server->lock);
  g_ptr_array_remove_fast (server->open, socket);
  server->n_open--;
  g_cond_broadcast (&server->changed);
  g_mutex_unlock (&server->lock);
  g_clear_object (&stream);
  g_object_unref (link->connection);
  g_free (link);
  return NULL;
}

static gpointer
listen_to_all (gpointer data)
{
  BawnOddServer *server = data;

  for (;;)
    {
      GSocketConnection *connection =
          g_socket_listener_accept (server->listener, NULL, server->stop, NULL);

      if (connection == NULL)
        return NULL;

      Link *link = g_new0 (Link, 1);

      link->server = server;
      link->connection = connection;
      g_mutex_lock (&server->lock);
      link->number = server->n_connections++;
      server->n_open++;
      g_ptr_array_add (server->open, g_socket_connection_get_socket (connection));
      g_mutex_unlock (&server->lock);
      g_thread_unref (g_thread_new ("odd", serve, link));
    }
}

BawnOddServer *
bawn_odd_server_new (GTlsCertificate *certificate,
                     GTlsDatabase *authority,
                     BawnOddFunc func,
                     gpointer data)
{
  BawnOddServer *server = g_new0 (BawnOddServer, 1);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new_from_string ("127.0.0.1", 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_init (&server->lock);
  g_cond_init (&server->changed);
  server->open = g_ptr_array_new ();
  server->certificate = certificate;
  server->authority = authority;
  server->func = func;
  server->data = data;
  server->stop = g_cancellable_new ();
  server->listener = g_socket_listener_new ();
  g_socket_listener_add_address (server->listener, any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                 NULL, &got, &error);
  g_assert_no_error (error);
  server->address = g_strdup_printf ("127.0.0.1:%u",
                                     g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got)));
  server->thread = g_thread_new ("odd-listener", listen_to_all, server);
  return server;
}

void
bawn_odd_server_hang_up (BawnOddServer *server)
{
  g_mutex_lock (&server->lock);
  for (guint i = 0; i < server->open->len; i++)
    g_socket_shutdown (server->open->pdata[i], TRUE, TRUE, NULL);
  while (server->n_open > 0)
    g_cond_wait (&server->changed, &server->lock);
  g_mutex_unlock (&server->lock);
}

void
bawn_odd_server_free (BawnOddServer *server)
{
  g_cancellable_cancel (server->stop);
  g_thread_join (server->thread);
  g_socket_listener_close (server->listener);
  bawn_odd_server_hang_up (server);
  g_object_unref (server->listener);
  g_object_unref (server->stop);
  g_ptr_array_unref (server->open);
  g_free (server->address);
  g_cond_clear (&server->changed);
  g_mutex_clear (&server->lock);
  g_free (server);
}

const char *
bawn_odd_server_get_address (BawnOddServer *server)
{
  return server->address;
}

guint
bawn_odd_server_count_requests (BawnOddServer *server)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&server->lock);

  return server->n_requests;
}

guint
bawn_odd_server_count_connections (BawnOddServer *server)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&server->lock);

  return server->n_connections;
}

void
bawn_odd_server_await (BawnOddServer *server, guint n_requests)
{
  g_mutex_lock (&server->lock);
  while (server->n_requests < n_requests)
    g_cond_wait (&server->changed, &server->lock);
  g_mutex_unlock (&server->lock);
}

gboolean
bawn_odd_write (GIOStream *stream, const char *text)
{
  return g_output_stream_write_all (g_io_stream_get_output_stream (stream), text, strlen (text),
                                    NULL, NULL, NULL);
}

gboolean
bawn_odd_answer (GIOStream *stream, guint status, const char *body)
{
  g_autofree char *text =
      g_strdup_printf ("HTTP/1.1 %u Odd\r\nContent-Length: %zu\r\nX-Odd: Yes\r\n\r\n%s", status,
                       strlen (body), body);

  return bawn_odd_write (stream, text);
}
