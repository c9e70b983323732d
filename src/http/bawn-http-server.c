/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-cluster.h"
#include "http/bawn-http-worker.h"
#include "http/bawn-http.h"
#include "util/bawn-clock.h"
#include "util/bawn-error.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/resource.h>

#define FAMILY "listener"
/* Descriptors that the rest of the process may need beside the connections. */
#define OTHER_FDS 256
/* For the last segment of a connection that is being made: as long as one takes between distant machines. */
#define ARRIVAL_US (100 * 1000)
/* The same on this machine, where it is done at once, unless the processor was given to somebody else just then: they would be reset. */
#define LOCAL_ARRIVAL_US (10 * 1000)

struct _BawnHttpServer
{
  GPtrArray *listeners; /* (element-type BawnHttpListener) */
  GPtrArray *workers;   /* (element-type BawnHttpWorker) */
  BawnHttpCluster *cluster; /* nullable */
  gboolean running;
};

/* A configuration without a listener has one with all defaults. */
static GPtrArray *
listener_groups (BawnConfig *config)
{
  g_autoptr(GPtrArray) groups = bawn_config_get_family (config, FAMILY);

  if (groups->len == 0)
    g_ptr_array_add (groups, bawn_config_get_group (config, FAMILY));

  return g_steal_pointer (&groups);
}

/**
 * bawn_http_check_tls:
 * @error: INVALID, naming the package that is missing
 *
 * Whether libsoup can speak TLS as a client. The listeners do without (see BawnHttpWire); everything that this process asks
 * of others over https does not.
 *
 * Returns: whether GIO has a TLS backend
 */
gboolean
bawn_http_check_tls (GError **error)
{
  if (g_tls_backend_supports_tls (g_tls_backend_get_default ()))
    return TRUE;
  return bawn_fail (error, BAWN_ERROR_INVALID, "GIO has no TLS: install the package glib-networking");
}

/**
 * bawn_http_check_config:
 * @config: a configuration
 *
 * Reads every [listener] so that the configuration knows what is wrong with them, and opens nothing.
 */
void
bawn_http_check_config (BawnConfig *config)
{
  g_autoptr(GPtrArray) groups = listener_groups (config);

  for (guint i = 0; i < groups->len; i++)
    bawn_http_listener_config_free (bawn_http_listener_config_read (g_ptr_array_index (groups, i)));
  bawn_http_cluster_check_config (config);
}

/* Each connection is a descriptor: takes as many as the hard limit allows, and says so if that is too few. */
static void
raise_fd_limit (GPtrArray *listeners)
{
  struct rlimit limit = { 0 };
  rlim_t wanted = OTHER_FDS;

  for (guint i = 0; i < listeners->len; i++)
    wanted += ((BawnHttpListener *) g_ptr_array_index (listeners, i))->config->limits.max_connections;
  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return;
  limit.rlim_cur = MIN (wanted, limit.rlim_max);
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
    g_message ("only %lu of the %lu descriptors that max-connections asks for are allowed (LimitNOFILE=)",
               (unsigned long) limit.rlim_cur, (unsigned long) wanted);
}

/**
 * bawn_http_server_open:
 * @config: a configuration
 * @handler: answers the requests; copied. If it has ref_leader(), this node may be one of several, and the port for other
 *   nodes is opened too
 * @n_workers: how many threads; 0: one for each processor
 * @error: INVALID, or BUSY where another try may help, in words for an operator
 *
 * Opens all listeners. Clients can connect from now on, and are answered after bawn_http_server_start().
 *
 * Returns: (transfer full): a server
 */
BawnHttpServer *
bawn_http_server_open (BawnConfig *config, const BawnHttpHandler *handler, guint n_workers, GError **error)
{
  g_autoptr(BawnHttpServer) server = g_new0 (BawnHttpServer, 1);
  g_autoptr(GPtrArray) groups = listener_groups (config);
  guint n = n_workers > 0 ? n_workers : g_get_num_processors ();

  server->listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_http_listener_free);
  server->workers = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_http_worker_unref);
  for (guint i = 0; i < groups->len; i++)
    {
      BawnHttpListenerConfig *wanted = bawn_http_listener_config_read (g_ptr_array_index (groups, i));
      BawnHttpListener *listener = bawn_http_listener_open (wanted, n, error);

      if (listener == NULL)
        return NULL;
      g_ptr_array_add (server->listeners, listener);
    }
  raise_fd_limit (server->listeners);
  if (handler->ref_leader != NULL)
    {
      server->cluster = bawn_http_cluster_open (config, server->listeners, error);
      if (server->cluster == NULL)
        return NULL;
    }
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (server->workers,
                     bawn_http_worker_new (i, handler, server->listeners, server->cluster, server->workers));

  return g_steal_pointer (&server);
}

/* Starts the threads. */
void
bawn_http_server_start (BawnHttpServer *server)
{
  g_return_if_fail (!server->running);

  server->running = TRUE;
  for (guint i = 0; i < server->workers->len; i++)
    bawn_http_worker_start (g_ptr_array_index (server->workers, i));
}

/**
 * bawn_http_server_reload:
 * @server: a server
 * @error: INVALID: the first certificate that is not fit; its listener goes on with the old one, and the others are read
 *   all the same
 *
 * Reads all certificates again. No connection notices.
 *
 * Returns: whether all were fit
 */
gboolean
bawn_http_server_reload (BawnHttpServer *server, GError **error)
{
  g_autoptr(GError) first = NULL;

  for (guint i = 0; i < server->listeners->len; i++)
    bawn_http_listener_reload (g_ptr_array_index (server->listeners, i), first == NULL ? &first : NULL);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));

  return FALSE;
}

/**
 * bawn_http_server_stop:
 * @server: a server
 * @grace_us: how long requests under way may take
 *
 * Lets nobody in any more, has answered what is under way and what those who have just come ask, and ends all threads. Blocks. Harmless when done already.
 */
void
bawn_http_server_stop (BawnHttpServer *server, gint64 grace_us)
{
  gint64 deadline_us = g_get_monotonic_time () + grace_us;
  gboolean remote = FALSE;

  if (!server->running)
    return;
  for (guint i = 0; i < server->listeners->len; i++)
    remote |= bawn_http_listener_turn_away (g_ptr_array_index (server->listeners, i), server->workers->len);
  if (grace_us > 0)
    g_usleep (MIN (remote ? ARRIVAL_US : LOCAL_ARRIVAL_US, (gulong) grace_us));
  if (server->cluster != NULL)
    bawn_http_cluster_close (server->cluster);
  for (guint i = 0; i < server->workers->len; i++)
    bawn_http_worker_stop (g_ptr_array_index (server->workers, i), deadline_us);
  for (guint i = 0; i < server->workers->len; i++)
    bawn_http_worker_join (g_ptr_array_index (server->workers, i));
  server->running = FALSE;
}

/* Requests whose handler has not answered yet may still be answered: nobody will listen. */
void
bawn_http_server_free (BawnHttpServer *server)
{
  bawn_http_server_stop (server, 0);
  g_ptr_array_unref (server->workers);
  g_ptr_array_unref (server->listeners);
  g_clear_pointer (&server->cluster, bawn_http_cluster_free);
  g_free (server);
}

/**
 * bawn_http_server_dup_addresses:
 * @server: a server
 *
 * Returns: (transfer full): where it listens, as URLs; "unix:/path" for a Unix socket
 */
GStrv
bawn_http_server_dup_addresses (BawnHttpServer *server)
{
  GStrv urls = g_new0 (char *, server->listeners->len + 1);

  for (guint i = 0; i < server->listeners->len; i++)
    urls[i] = g_strdup (((BawnHttpListener *) g_ptr_array_index (server->listeners, i))->url);

  return urls;
}

/**
 * bawn_http_server_dup_cluster_address:
 * @server: a server
 *
 * Returns: (transfer full) (nullable): where other nodes connect, as a URL; %NULL if nowhere
 */
char *
bawn_http_server_dup_cluster_address (BawnHttpServer *server)
{
  return server->cluster != NULL ? g_strdup (server->cluster->url) : NULL;
}

/**
 * bawn_http_server_describe_parking:
 * @server: a server
 *
 * Returns: (transfer full) (nullable): how many requests wait how long for an active node, for people; %NULL if none ever does
 */
char *
bawn_http_server_describe_parking (BawnHttpServer *server)
{
  if (server->cluster == NULL)
    return NULL;

  const BawnHttpParkConfig *park = &server->cluster->park;
  g_autofree char *timeout = bawn_duration_format (park->timeout_us);

  g_autofree char *size = bawn_config_format_size ((gint64) park->max_bytes);

  return g_strdup_printf ("up to %u requests, %s in all, for %s", park->max_requests, size, timeout);
}

/**
 * bawn_http_server_wake:
 * @server: a server
 *
 * The handler would give another answer than before: another node is active, or this one can answer now what it could not
 * before, or it was sealed or unsealed. Requests that wait go on. Any thread, under any lock; does not wait.
 */
void
bawn_http_server_wake (BawnHttpServer *server)
{
  for (guint i = 0; i < server->workers->len; i++)
    bawn_http_worker_wake (g_ptr_array_index (server->workers, i));
}

/**
 * bawn_http_server_ping:
 * @server: a server
 * @pong: called by each thread as soon as its main loop comes to it, at the latest when that ends
 * @data: for @pong
 *
 * Finds out whether the threads turn. Any thread; does not wait.
 *
 * Returns: how many of them will answer
 */
guint
bawn_http_server_ping (BawnHttpServer *server, void (*pong) (gpointer data), gpointer data)
{
  guint n = 0;

  for (guint i = 0; i < server->workers->len; i++)
    if (bawn_http_worker_post (g_ptr_array_index (server->workers, i), pong, data))
      n++;

  return n;
}

/**
 * bawn_http_server_get_stats:
 * @server: a server
 * @out_stats: (out): sums over all threads; each number is true, though not all of the same moment
 */
void
bawn_http_server_get_stats (BawnHttpServer *server, BawnHttpStats *out_stats)
{
  guint64 sums[sizeof (BawnHttpStats) / sizeof (guint64)] = { 0 };

  G_STATIC_ASSERT (sizeof (BawnHttpStats) % sizeof (guint64) == 0);
  for (guint i = 0; i < server->workers->len; i++)
    {
      BawnHttpWorker *worker = g_ptr_array_index (server->workers, i);
      const guint64 *counters = (gconstpointer) &worker->stats;

      for (gsize j = 0; j < G_N_ELEMENTS (sums); j++)
        sums[j] += __atomic_load_n (&counters[j], __ATOMIC_RELAXED);
    }
  memcpy (out_stats, sums, sizeof sums);
}
