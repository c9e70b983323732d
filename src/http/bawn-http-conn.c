/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-conn.h"

#include "http/bawn-http-exchange.h"
#include "http/bawn-http-proxy.h"
#include "http/bawn-http-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How often a header of the PROXY protocol that came in parts is looked at again: what is there stays in the socket, which
 * therefore cannot be waited for. Proxies send it at once. */
#define PROXY_RETRY_MS 50

/* Hangs on the address that libsoup keeps for each message. */
static G_DEFINE_QUARK (bawn-http-conn, conn)

static BawnHttpWorker *
worker_of (BawnHttpConn *conn)
{
  return conn->port->worker;
}

static void
drop_source (BawnHttpConn *conn)
{
  if (conn->source == NULL)
    return;
  g_source_destroy (conn->source);
  g_clear_pointer (&conn->source, g_source_unref);
}

/* Waits for the socket, while the wire is ours and not libsoup's. */
static void
watch (BawnHttpConn *conn, GIOCondition condition, GUnixFDSourceFunc func)
{
  drop_source (conn);
  conn->source = g_unix_fd_source_new (conn->wire.fd, condition);
  g_source_set_callback (conn->source, G_SOURCE_FUNC (func), conn, NULL);
  g_source_attach (conn->source, worker_of (conn)->context);
}

BawnHttpConn *
bawn_http_conn_ref (BawnHttpConn *conn)
{
  conn->refs++;
  return conn;
}

void
bawn_http_conn_unref (BawnHttpConn *conn)
{
  if (--conn->refs > 0)
    return;
  g_clear_pointer (&conn->peer_chain, g_ptr_array_unref);
  g_clear_object (&conn->remote);
  g_free (conn->remote_host);
  g_free (conn);
}

/* The end: the socket goes, and with it the reference that it stood for. */
static void
destroy (BawnHttpConn *conn)
{
  drop_source (conn);
  bawn_http_guard_leave (conn->port->guard, &conn->ticket);
  g_queue_unlink (&conn->port->conns, &conn->link);
  bawn_http_wire_close (&conn->wire);
  g_atomic_int_add (&conn->port->listener->n_connections, -1);
  bawn_http_uncount (worker_of (conn)->stats.open_connections);
  bawn_http_worker_conn_gone (worker_of (conn));
  bawn_http_conn_unref (conn);
}

/* Reads on until the client has hung up: a close with bytes unread would take the answer back from it. */
static gboolean
on_lingering (gint fd, GIOCondition condition, gpointer user_data)
{
  BawnHttpConn *conn = user_data;
  guint8 data[16384];

  gssize n = recv (fd, data, sizeof data, MSG_DONTWAIT);
  if (n > 0 || (n < 0 && errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  destroy (conn);

  return G_SOURCE_REMOVE;
}

static void
on_began (gpointer owner)
{
  BawnHttpConn *conn = owner;

  /* Of the first request, the clock runs since the connection came. */
  if (conn->ticket.phase != BAWN_HTTP_PHASE_HEADERS)
    bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_HEADERS);
}

static void
on_body (gpointer owner)
{
  bawn_http_conn_enter (owner, BAWN_HTTP_PHASE_BODY);
}

static void
on_refused (gpointer owner, guint status)
{
  BawnHttpConn *conn = owner;
  BawnHttpStats *stats = &worker_of (conn)->stats;

  conn->refused = TRUE;
  bawn_http_count (stats->refused);
  bawn_http_count (stats->requests[BAWN_HTTP_N_OPS - 1][MIN (status / 100, 5)]);
}

static void
on_closed (gpointer owner)
{
  BawnHttpConn *conn = owner;

  /* libsoup may keep the address longer than there is a connection. */
  g_object_set_qdata (G_OBJECT (conn->remote), conn_quark (), NULL);
  g_clear_object (&conn->stream);
  if (conn->exchange != NULL)
    bawn_http_exchange_end (conn->exchange);
  if (!conn->refused || worker_of (conn)->stopping)
    {
      destroy (conn);
      return;
    }
  bawn_http_wire_shutdown (&conn->wire, SHUT_WR);
  bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_LINGER);
  watch (conn, G_IO_IN, on_lingering);
}

static const BawnHttpStreamOwner stream_events = {
  .began = on_began,
  .body = on_body,
  .refused = on_refused,
  .closed = on_closed,
};

/* The wire is good: from here on it is libsoup's. */
static void
hand_over (BawnHttpConn *conn)
{
  BawnHttpListener *listener = conn->port->listener;
  g_autoptr(BawnHttpStream) stream
    = bawn_http_stream_new (&conn->wire, worker_of (conn)->poller, &listener->config->limits, &listener->buffered,
                            &stream_events, conn);

  drop_source (conn);
  if (stream == NULL)
    {
      g_message ("[%s] cannot watch a connection: %s", listener->config->name, g_strerror (errno));
      destroy (conn);
      return;
    }
  conn->peer_chain = bawn_http_wire_peer_chain (&conn->wire);
  bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_HEADERS);
  conn->stream = g_object_ref (stream);
  soup_server_accept_iostream (worker_of (conn)->server, G_IO_STREAM (stream), conn->remote, conn->remote, NULL);
}

static gboolean on_handshake (gint fd, GIOCondition condition, gpointer user_data);

static void
go_on_with_handshake (BawnHttpConn *conn)
{
  g_autoptr(GError) error = NULL;
  GIOCondition wants = 0;

  if (!bawn_http_wire_handshake (&conn->wire, &wants, &error))
    {
      g_debug ("%s: %s", conn->remote_host, error->message);
      bawn_http_count (worker_of (conn)->stats.failed_handshakes);
      destroy (conn);
    }
  else if (wants != 0)
    watch (conn, wants, on_handshake);
  else
    hand_over (conn);
}

static gboolean
on_handshake (gint fd, GIOCondition condition, gpointer user_data)
{
  BawnHttpConn *conn = user_data;

  drop_source (conn);
  go_on_with_handshake (conn);

  return G_SOURCE_REMOVE;
}

static void go_on_with_proxy (BawnHttpConn *conn);

static gboolean
on_proxy_readable (gint fd, GIOCondition condition, gpointer user_data)
{
  BawnHttpConn *conn = user_data;

  drop_source (conn);
  go_on_with_proxy (conn);

  return G_SOURCE_REMOVE;
}

static gboolean
on_proxy_retry (gpointer user_data)
{
  return on_proxy_readable (-1, 0, user_data);
}

/* Waits for the rest of a header, until the deadline of the handshake. */
static void
await_proxy (BawnHttpConn *conn, gsize have)
{
  if (have == 0)
    {
      watch (conn, G_IO_IN, on_proxy_readable);
      return;
    }
  conn->source = g_timeout_source_new (PROXY_RETRY_MS);
  g_source_set_callback (conn->source, on_proxy_retry, conn, NULL);
  g_source_attach (conn->source, worker_of (conn)->context);
}

static void
turn_away (BawnHttpConn *conn, const char *why)
{
  g_debug ("%s: %s", conn->remote_host, why);
  bawn_http_count (worker_of (conn)->stats.refused);
  destroy (conn);
}

/* Before anything else, a proxy may say whom it speaks for. Nobody has to: what is no header is left to who comes next. */
static void
go_on_with_proxy (BawnHttpConn *conn)
{
  const BawnHttpOrigin *origin = &conn->port->listener->config->origin;
  gboolean believed = bawn_http_origin_believes_proxy (origin, conn->remote_host);
  BawnHttpProxyHeader header = { 0 };

  if (!believed && origin->proxy == BAWN_HTTP_PROXY_DENY_UNAUTHORIZED)
    {
      turn_away (conn, "not in proxy-protocol-authorized-addrs");
      return;
    }
  switch (bawn_http_proxy_receive (conn->wire.fd, &header))
    {
    case BAWN_HTTP_PROXY_MORE:
      await_proxy (conn, header.size);
      return;
    case BAWN_HTTP_PROXY_BAD:
      turn_away (conn, "malformed header of the PROXY protocol");
      return;
    case BAWN_HTTP_PROXY_HEADER:
      if (!believed || header.source.any.sa_family == AF_UNSPEC)
        break;
      g_free (conn->remote_host);
      conn->remote_host = bawn_http_address_host (&header.source);
      conn->remote_port = bawn_http_address_port (&header.source);
      break;
    case BAWN_HTTP_PROXY_NONE:
      break;
    }

  go_on_with_handshake (conn);
}

/* Who is there. libsoup wants a GInetSocketAddress of everybody, and one of its own for each connection carries it. */
static void
set_remote (BawnHttpConn *conn)
{
  BawnHttpAddress address = { 0 };
  socklen_t size = sizeof address;
  g_autoptr(GInetAddress) any = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);

  if (getpeername (conn->wire.fd, &address.any, &size) == 0)
    {
      conn->remote_host = bawn_http_address_host (&address);
      conn->remote_port = bawn_http_address_port (&address);
    }
  else
    conn->remote_host = g_strdup ("");
  conn->remote = g_inet_socket_address_new (any, 0);
  g_object_set_qdata (G_OBJECT (conn->remote), conn_quark (), conn);
}

/**
 * bawn_http_conn_accept:
 * @port: where it came in
 * @fd: a non-blocking socket, which is taken over
 *
 * Begins to serve a client.
 */
void
bawn_http_conn_accept (BawnHttpPort *port, int fd)
{
  static const int on = 1;
  g_autoptr(BawnHttpTls) tls = bawn_http_listener_dup_tls (port->listener);
  g_autoptr(GError) error = NULL;
  BawnHttpConn *conn = g_new0 (BawnHttpConn, 1);

  if (!bawn_http_wire_open (&conn->wire, fd, tls, &error))
    {
      g_message ("%s", error->message);
      close (fd);
      g_free (conn);
      return;
    }
  conn->refs = 1;
  conn->port = port;
  conn->link.data = conn;
  g_queue_push_tail_link (&port->conns, &conn->link);
  g_atomic_int_inc (&port->listener->n_connections);
  port->worker->n_conns++;
  bawn_http_count (port->worker->stats.connections);
  bawn_http_count (port->worker->stats.open_connections);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* of no use, and no harm, on a Unix socket */
  set_remote (conn);

  bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_HANDSHAKE);
  if (port->listener->config->origin.proxy != BAWN_HTTP_PROXY_OFF)
    go_on_with_proxy (conn);
  else
    go_on_with_handshake (conn);
}

/**
 * bawn_http_conn_of_message:
 * @message: one of libsoup's
 *
 * Returns: (nullable): the connection that it came in on
 */
BawnHttpConn *
bawn_http_conn_of_message (SoupServerMessage *message)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);

  return remote != NULL ? g_object_get_qdata (G_OBJECT (remote), conn_quark ()) : NULL;
}

/* Starts the clock of a phase. */
void
bawn_http_conn_enter (BawnHttpConn *conn, BawnHttpPhase phase)
{
  bawn_http_guard_enter (conn->port->guard, &conn->ticket, phase, conn);
}

/**
 * bawn_http_conn_finished:
 * @conn: a connection whose request has been answered, or has failed
 *
 * Makes it ready for the next one.
 */
void
bawn_http_conn_finished (BawnHttpConn *conn)
{
  if (conn->stream != NULL)
    {
      bawn_http_stream_next (conn->stream);
      bawn_http_conn_enter (conn, BAWN_HTTP_PHASE_IDLE);
    }
  if (conn->exchange != NULL)
    bawn_http_exchange_end (conn->exchange);
}

/**
 * bawn_http_conn_expired:
 * @owner: a connection
 * @phase: which deadline has passed
 *
 * Ends what took too long. libsoup learns of it by polling the socket.
 */
void
bawn_http_conn_expired (gpointer owner, BawnHttpPhase phase)
{
  BawnHttpConn *conn = owner;

  if (phase != BAWN_HTTP_PHASE_IDLE && phase != BAWN_HTTP_PHASE_LINGER)
    bawn_http_count (worker_of (conn)->stats.expired);
  switch (phase)
    {
    case BAWN_HTTP_PHASE_HANDSHAKE:
    case BAWN_HTTP_PHASE_LINGER:
      destroy (conn);
      return;
    case BAWN_HTTP_PHASE_REQUEST:
      bawn_http_exchange_expire (conn->exchange);
      return;
    case BAWN_HTTP_PHASE_HEADERS:
    case BAWN_HTTP_PHASE_BODY:
    case BAWN_HTTP_PHASE_WRITE:
    case BAWN_HTTP_PHASE_IDLE:
      bawn_http_wire_shutdown (&conn->wire, SHUT_RDWR);
      return;
    }
}

/* The server stops: whoever waits between requests goes now, the others after the one that is under way, or on its way. */
void
bawn_http_conn_wind_down (BawnHttpConn *conn)
{
  int unread = 0;

  if (conn->ticket.phase == BAWN_HTTP_PHASE_IDLE && (ioctl (conn->wire.fd, FIONREAD, &unread) != 0 || unread == 0))
    bawn_http_wire_shutdown (&conn->wire, SHUT_RDWR);
}

/* The server stops: whoever has not said yet what he wants has had his chance. */
void
bawn_http_conn_hang_up (BawnHttpConn *conn)
{
  if (conn->stream == NULL)
    destroy (conn);
  else if (conn->ticket.phase == BAWN_HTTP_PHASE_IDLE || conn->ticket.phase == BAWN_HTTP_PHASE_HEADERS)
    bawn_http_wire_shutdown (&conn->wire, SHUT_RDWR);
}

/* The server stops for good. */
void
bawn_http_conn_abort (BawnHttpConn *conn)
{
  if (conn->stream == NULL)
    destroy (conn);
  else
    g_io_stream_close (G_IO_STREAM (conn->stream), NULL, NULL);
}
