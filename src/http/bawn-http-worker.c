/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-worker.h"

#include "http/bawn-http-exchange.h"
#include "http/bawn-http-gate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections taken in one go, so that a flood of them does not starve those that are there. */
#define ACCEPT_BATCH 32
/* How long to leave the kernel's queue alone when there are no descriptors left. */
#define ACCEPT_PAUSE_US (100 * 1000)
/* Of those that wait in the kernel at the end; it keeps no more for us. */
#define MAX_LAST_ONES 4096
/* Whoever has connected right before the end has so long to say what he wants. */
#define NEWCOMER_PATIENCE_MS 1000

/* Polls a listening socket; able to pause. */
typedef struct
{
  GSource source;
  BawnHttpPort *port;
  int fd;
  gpointer tag;
} Accepter;

static void
pause_accepting (Accepter *accepter)
{
  g_source_modify_unix_fd (&accepter->source, accepter->tag, 0);
  g_source_set_ready_time (&accepter->source, g_get_monotonic_time () + ACCEPT_PAUSE_US);
}

/* One connection. FALSE: no more for now. */
static gboolean
accept_one (Accepter *accepter)
{
  BawnHttpPort *port = accepter->port;
  guint max = port->listener->config->limits.max_connections;
  int fd = accept4 (accepter->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

  if (fd < 0)
    {
      if (errno == ECONNABORTED || errno == EINTR)
        return TRUE;
      if (errno != EAGAIN)
        {
          if (!g_atomic_int_get (&port->listener->closed))
            g_message ("[%s] cannot accept a connection: %s", port->listener->config->name, g_strerror (errno));
          pause_accepting (accepter);
        }
      return FALSE;
    }
  if ((guint) g_atomic_int_get (&port->listener->n_connections) >= max)
    {
      bawn_http_count (port->worker->stats.turned_away);
      close (fd);
      return TRUE;
    }
  bawn_http_conn_accept (port, fd);

  return TRUE;
}

static gboolean
accepter_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Accepter *accepter = (Accepter *) source;

  if (g_source_get_ready_time (source) >= 0)
    {
      g_source_set_ready_time (source, -1);
      g_source_modify_unix_fd (source, accepter->tag, G_IO_IN);
    }
  for (guint i = 0; i < ACCEPT_BATCH; i++)
    if (!accept_one (accepter))
      break;

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs accepter_funcs = { .dispatch = accepter_dispatch };

static void
accepter_free (gpointer data)
{
  GSource *source = data;

  g_source_destroy (source);
  g_source_unref (source);
}

static void
add_accepter (BawnHttpPort *port, int fd)
{
  GSource *source = g_source_new (&accepter_funcs, sizeof (Accepter));
  Accepter *accepter = (Accepter *) source;

  accepter->port = port;
  accepter->fd = fd;
  accepter->tag = g_source_add_unix_fd (source, fd, G_IO_IN);
  g_source_set_static_name (source, "bawn-http-accept");
  g_source_attach (source, port->worker->context);
  g_ptr_array_add (port->accepters, source);
}

static void
port_free (gpointer data)
{
  BawnHttpPort *port = data;

  g_ptr_array_unref (port->accepters);
  bawn_http_guard_free (port->guard);
  g_free (port);
}

static BawnHttpPort *
port_new (BawnHttpWorker *worker, BawnHttpListener *listener)
{
  BawnHttpPort *port = g_new0 (BawnHttpPort, 1);

  port->worker = worker;
  port->listener = listener;
  port->guard = bawn_http_guard_new (worker->context, listener->config->limits.timeouts_us, bawn_http_conn_expired);
  port->accepters = g_ptr_array_new_with_free_func (accepter_free);
  g_queue_init (&port->conns);
  if (!listener->shared)
    add_accepter (port, g_array_index (listener->fds, int, worker->index));
  for (guint i = 0; listener->shared && i < listener->fds->len; i++)
    add_accepter (port, g_array_index (listener->fds, int, i));

  return port;
}

typedef struct
{
  BawnHttpPostFunc func;
  gpointer data;
} Post;

typedef struct
{
  GSource source;
  BawnHttpWorker *worker;
} PostSource;

static void
run_posts (BawnHttpWorker *worker)
{
  g_mutex_lock (&worker->mutex);
  GQueue posts = worker->posts;
  g_queue_init (&worker->posts);
  g_mutex_unlock (&worker->mutex);

  for (Post *post = g_queue_pop_head (&posts); post != NULL; post = g_queue_pop_head (&posts))
    {
      post->func (post->data);
      g_free (post);
    }
}

static gboolean
post_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  run_posts (((PostSource *) source)->worker);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs post_funcs = { .dispatch = post_dispatch };

/* The request is complete: libsoup has read all of its stand-in. */
static void
on_request_read (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  BawnHttpConn *conn = bawn_http_conn_of_message (message);

  if (conn != NULL && conn->stream != NULL && bawn_http_stream_get_head (conn->stream) != NULL)
    bawn_http_exchange_begin (conn, message);
}

static void
on_request_over (SoupServer *server, SoupServerMessage *message, gpointer user_data)
{
  BawnHttpConn *conn = bawn_http_conn_of_message (message);

  /* Of a 204, libsoup takes the Content-Length out, then thinks that the end of the connection has to show the end of the
   * body, and closes it (seen in 3.2.3). It looks at this right after us. */
  if (soup_server_message_get_status (message) == SOUP_STATUS_NO_CONTENT)
    soup_message_headers_set_encoding (soup_server_message_get_response_headers (message), SOUP_ENCODING_NONE);
  if (conn != NULL)
    bawn_http_conn_finished (conn);
}

/* libsoup closes a connection after each request unless its server listens somewhere (seen in 3.2.3). All that it wants
 * is a socket on its list: one end of a pair does, on which nothing will ever come in. Connections of clients must never
 * get there: 3.2.3 does not close them when their client has gone. */
static void
allow_keep_alive (BawnHttpWorker *worker)
{
  g_autoptr(GError) error = NULL;
  int fds[2] = { -1, -1 };

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
    g_error ("cannot make a socket pair: %s", g_strerror (errno));
  worker->keep_alive_fd = fds[0];

  g_autoptr(GSocket) socket = g_socket_new_from_fd (fds[1], &error);
  if (socket == NULL || !soup_server_listen_socket (worker->server, socket, 0, &error))
    g_error ("libsoup does not take a socket: %s", error->message);
}

static void
set_up (BawnHttpWorker *worker)
{
  worker->poller = bawn_http_poller_new (worker->context);
  worker->server = soup_server_new ("raw-paths", TRUE, NULL);
  allow_keep_alive (worker);
  g_signal_connect (worker->server, "request-read", G_CALLBACK (on_request_read), worker);
  g_signal_connect (worker->server, "request-finished", G_CALLBACK (on_request_over), worker);
  g_signal_connect (worker->server, "request-aborted", G_CALLBACK (on_request_over), worker);
  for (guint i = 0; i < worker->listeners->len; i++)
    g_ptr_array_add (worker->ports, port_new (worker, g_ptr_array_index (worker->listeners, i)));
  if (worker->cluster != NULL)
    bawn_http_gate_new (worker);
}

static void
each_conn (BawnHttpWorker *worker, void (*func) (BawnHttpConn *conn))
{
  for (guint i = 0; i < worker->ports->len; i++)
    {
      BawnHttpPort *port = g_ptr_array_index (worker->ports, i);

      for (GList *l = port->conns.head, *next = NULL; l != NULL; l = next)
        {
          next = l->next;
          func (l->data);
        }
    }
}

/* Nothing can be posted from here on; what was posted before is run. */
static void
tear_down (BawnHttpWorker *worker)
{
  g_mutex_lock (&worker->mutex);
  worker->gone = TRUE;
  g_mutex_unlock (&worker->mutex);
  run_posts (worker);

  each_conn (worker, bawn_http_conn_abort);
  while (g_main_context_iteration (worker->context, FALSE))
    ;
  soup_server_disconnect (worker->server);
  g_clear_object (&worker->server);
  while (g_main_context_iteration (worker->context, FALSE))
    ;
  if (worker->gate != NULL)
    bawn_http_gate_free (worker->gate);
  while (g_main_context_iteration (worker->context, FALSE))
    ;
  g_ptr_array_set_size (worker->ports, 0);
  g_clear_pointer (&worker->poller, bawn_http_poller_free);
  close (worker->keep_alive_fd);
}

static gpointer
worker_run (gpointer data)
{
  BawnHttpWorker *worker = data;

  /* Held to the end, so that no g_main_context_invoke() elsewhere ever takes it for idle and runs there. */
  g_atomic_pointer_set (&worker->self, g_thread_self ());
  g_main_context_acquire (worker->context);
  g_main_context_push_thread_default (worker->context);
  set_up (worker);
  while (!worker->finished)
    g_main_context_iteration (worker->context, TRUE);
  tear_down (worker);
  g_main_context_pop_thread_default (worker->context);
  g_main_context_release (worker->context);

  return NULL;
}

/**
 * bawn_http_worker_new:
 * @index: of all workers
 * @handler: answers the requests
 * @listeners: (element-type BawnHttpListener): where they come from
 * @cluster: (nullable): for a node that may not be alone
 * @siblings: (element-type BawnHttpWorker): all workers; like all others it outlives the thread
 *
 * Returns: (transfer full): a worker, not yet started
 */
BawnHttpWorker *
bawn_http_worker_new (guint index, const BawnHttpHandler *handler, GPtrArray *listeners, BawnHttpCluster *cluster,
                      GPtrArray *siblings)
{
  BawnHttpWorker *worker = g_new0 (BawnHttpWorker, 1);

  g_atomic_ref_count_init (&worker->refs);
  g_mutex_init (&worker->mutex);
  worker->index = index;
  worker->handler = *handler;
  worker->listeners = listeners;
  worker->cluster = cluster;
  worker->siblings = siblings;
  worker->context = g_main_context_new ();
  worker->ports = g_ptr_array_new_with_free_func (port_free);
  g_queue_init (&worker->posts);
  worker->post_source = g_source_new (&post_funcs, sizeof (PostSource));
  ((PostSource *) worker->post_source)->worker = worker;
  g_source_set_static_name (worker->post_source, "bawn-http-post");
  g_source_attach (worker->post_source, worker->context);

  return worker;
}

BawnHttpWorker *
bawn_http_worker_ref (BawnHttpWorker *worker)
{
  g_atomic_ref_count_inc (&worker->refs);
  return worker;
}

void
bawn_http_worker_unref (BawnHttpWorker *worker)
{
  if (!g_atomic_ref_count_dec (&worker->refs))
    return;
  g_ptr_array_unref (worker->ports);
  g_source_destroy (worker->post_source);
  g_source_unref (worker->post_source);
  g_main_context_unref (worker->context);
  g_mutex_clear (&worker->mutex);
  g_free (worker);
}

void
bawn_http_worker_start (BawnHttpWorker *worker)
{
  g_autofree char *name = g_strdup_printf ("http-%u", worker->index);

  worker->thread = g_thread_new (name, worker_run, worker);
}

static gboolean
on_grace_over (gpointer user_data)
{
  BawnHttpWorker *worker = user_data;

  worker->finished = TRUE;
  return G_SOURCE_REMOVE;
}

/* Takes who waits to be let in, unless the next server does, and then nobody any more. */
static void
close_port (BawnHttpPort *port)
{
  for (guint i = 0; !port->listener->activated && i < port->accepters->len; i++)
    for (guint n = 0; n < MAX_LAST_ONES && accept_one (g_ptr_array_index (port->accepters, i)); n++)
      ;
  g_ptr_array_set_size (port->accepters, 0);
  bawn_http_listener_leave (port->listener);
}

static gboolean
on_patience_over (gpointer user_data)
{
  BawnHttpWorker *worker = user_data;

  each_conn (worker, bawn_http_conn_hang_up);
  return G_SOURCE_REMOVE;
}

static gboolean
on_stop (gpointer user_data)
{
  BawnHttpWorker *worker = user_data;
  g_autoptr(GSource) patience = g_timeout_source_new (NEWCOMER_PATIENCE_MS);

  worker->stopping = TRUE;
  for (guint i = 0; i < worker->ports->len; i++)
    close_port (g_ptr_array_index (worker->ports, i));
  each_conn (worker, bawn_http_conn_wind_down);
  g_source_set_callback (patience, on_patience_over, worker, NULL);
  g_source_attach (patience, worker->context);
  if (worker->gate != NULL)
    bawn_http_gate_wind_down (worker->gate);
  if (worker->n_conns == 0)
    worker->finished = TRUE;

  return G_SOURCE_REMOVE;
}

/**
 * bawn_http_worker_stop:
 * @worker: a running worker
 * @deadline_us: when to end it whatever is still going on (monotonic)
 *
 * Asks it to end: requests under way are answered, everything else goes. Does not wait.
 */
void
bawn_http_worker_stop (BawnHttpWorker *worker, gint64 deadline_us)
{
  g_autoptr(GSource) stop = g_timeout_source_new (0);
  g_autoptr(GSource) grace = g_timeout_source_new (0);

  g_source_set_callback (stop, on_stop, worker, NULL);
  g_source_attach (stop, worker->context);
  g_source_set_callback (grace, on_grace_over, worker, NULL);
  g_source_set_ready_time (grace, deadline_us);
  g_source_attach (grace, worker->context);
}

/* Waits until it has ended. */
void
bawn_http_worker_join (BawnHttpWorker *worker)
{
  g_thread_join (worker->thread);
  worker->thread = NULL;
}

static void
on_wake (gpointer data)
{
  g_autoptr(BawnHttpWorker) worker = data;

  /* Before it looks: whatever changes from now on wakes it again. */
  g_atomic_int_set (&worker->woken, FALSE);
  if (worker->gate != NULL)
    bawn_http_gate_wake (worker->gate);
}

/* Has its gate look at what has changed. Any thread. */
void
bawn_http_worker_wake (BawnHttpWorker *worker)
{
  if (!g_atomic_int_compare_and_exchange (&worker->woken, FALSE, TRUE))
    return;
  if (!bawn_http_worker_post (worker, on_wake, bawn_http_worker_ref (worker)))
    bawn_http_worker_unref (worker);
}

/* By a connection, as the last thing that it does. */
void
bawn_http_worker_conn_gone (BawnHttpWorker *worker)
{
  worker->n_conns--;
  if (worker->stopping && worker->n_conns == 0)
    worker->finished = TRUE;
}

gboolean
bawn_http_worker_is_current (BawnHttpWorker *worker)
{
  return g_atomic_pointer_get (&worker->self) == g_thread_self ();
}

/**
 * bawn_http_worker_post:
 * @worker: a worker
 * @func: what to do in its thread
 * @data: for @func
 *
 * Any thread.
 *
 * Returns: whether it will be done; not if the worker has ended
 */
gboolean
bawn_http_worker_post (BawnHttpWorker *worker, BawnHttpPostFunc func, gpointer data)
{
  g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&worker->mutex);

  if (worker->gone)
    return FALSE;

  Post *post = g_new (Post, 1);
  *post = (Post) { func, data };
  g_queue_push_tail (&worker->posts, post);
  if (worker->posts.length == 1)
    g_source_set_ready_time (worker->post_source, 0);

  return TRUE;
}
