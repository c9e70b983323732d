/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-cluster.h"

#include "http/bawn-http-socket.h"
#include "util/bawn-error.h"
#include "util/bawn-log.h"

#include <string.h>
#include <unistd.h>

#define MODULE "cluster"
/* Nodes that are remembered for comparison; beyond this something else is wrong. */
#define MAX_NODES 1000

/* Order of the configuration's choice. */
static const char *const forwarding_names[] = { "forward", "redirect", NULL };

typedef struct
{
  BawnPeer *peer; /* what it has said last */
  gint64 first_us;
  gint64 last_us;
} Node;

static void
node_free (gpointer data)
{
  Node *node = data;

  bawn_peer_free (node->peer);
  g_free (node);
}

static void
read_config (BawnConfig *config, BawnHttpParkConfig *park, gboolean *out_redirect)
{
  g_autoptr (BawnConfigGroup) server = bawn_config_get_group (config, "server");
  g_autoptr (BawnConfigGroup) ha = bawn_config_get_group (config, "ha");

  *out_redirect = bawn_config_get_choice (server, "forwarding", forwarding_names, 0) == 1;
  park->timeout_us = bawn_config_get_duration_us (ha, "park-timeout", BAWN_HTTP_PARK_TIMEOUT_US, 0,
                                                  BAWN_HTTP_PARK_TIMEOUT_CEILING_US);
  park->max_requests = (guint) bawn_config_get_int (ha, "park-max-requests",
                                                    BAWN_HTTP_PARK_MAX_REQUESTS, 0, G_MAXINT);
  park->max_bytes = (gsize) bawn_config_get_size (ha, "park-max-bytes", BAWN_HTTP_PARK_MAX_BYTES, 0,
                                                  G_MAXINT64 / 2);
}

/* Reads what this part of the configuration says, so that it knows what is wrong with it. */
void
bawn_http_cluster_check_config (BawnConfig *config)
{
  BawnHttpParkConfig park = { 0 };
  gboolean redirect = FALSE;

  read_config (config, &park, &redirect);
}

/* What other nodes may ask is what clients may ask of them. */
static void
take_limits (BawnHttpCluster *cluster, GPtrArray *listeners)
{
  for (guint i = 0; i < listeners->len; i++)
    {
      const BawnHttpLimits *limits =
          &((BawnHttpListener *) g_ptr_array_index (listeners, i))->config->limits;

      cluster->limits.max_size = MAX (cluster->limits.max_size, limits->max_request_size);
      cluster->limits.max_buffered = MAX (cluster->limits.max_buffered, limits->max_buffered_size);
      cluster->limits.json.max_depth = MAX (cluster->limits.json.max_depth, limits->json.max_depth);
      cluster->limits.json.max_nodes = MAX (cluster->limits.json.max_nodes, limits->json.max_nodes);
    }
}

static gboolean
open_port (BawnHttpCluster *cluster, const char *address, GError **error)
{
  BawnHttpAddress bound = { 0 };
  g_autoptr (GError) failure = NULL;

  if (!bawn_http_socket_open_inet (address, 1, cluster->fds, &failure))
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&failure),
                                  "[listener] cluster-address: ");
      return FALSE;
    }
  if (cluster->url != NULL
      || !bawn_http_socket_address (g_array_index (cluster->fds, int, 0), &bound))
    return TRUE;

  g_autofree char *host = bawn_http_address_host (&bound);
  cluster->url = g_strdup_printf (strchr (host, ':') != NULL ? "https://[%s]:%u" : "https://%s:%u",
                                  host, bawn_http_address_port (&bound));
  return TRUE;
}

/* The TCP listener that others can reach, or the first at all: the same that the API's address is
 * taken from. */
static BawnHttpListener *
find_listener (GPtrArray *listeners, BawnHttpAddress *out_bound)
{
  BawnHttpListener *found = NULL;

  for (guint i = 0; i < listeners->len; i++)
    {
      BawnHttpListener *listener = g_ptr_array_index (listeners, i);
      BawnHttpAddress bound = { 0 };

      if (!bawn_http_socket_address (g_array_index (listener->fds, int, 0), &bound)
          || bound.any.sa_family == AF_UNIX
          || (found != NULL && bawn_http_address_is_local (&bound)))
        continue;
      found = listener;
      *out_bound = bound;
      if (!bawn_http_address_is_local (&bound))
        break;
    }

  return found;
}

/* Its host, and the port after its own. NULL: there is none. */
static char *
default_address (GPtrArray *listeners)
{
  BawnHttpAddress bound = { 0 };
  const BawnHttpListener *listener = find_listener (listeners, &bound);

  if (listener == NULL)
    return NULL;

  g_autofree char *host = bawn_http_address_host (&bound);
  guint port = bawn_http_address_port (&bound) + 1;
  /* One that was left to the kernel says nothing about its neighbour. */
  if (g_str_has_suffix (listener->config->address, ":0") || port > G_MAXUINT16)
    port = 0;
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
}

static gboolean
open_ports (BawnHttpCluster *cluster, GPtrArray *listeners, GError **error)
{
  for (guint i = 0; i < listeners->len; i++)
    {
      const char *address =
          ((BawnHttpListener *) g_ptr_array_index (listeners, i))->config->cluster_address;

      if (address != NULL && !open_port (cluster, address, error))
        return FALSE;
    }
  if (cluster->fds->len > 0)
    return TRUE;

  g_autofree char *address = default_address (listeners);
  if (address != NULL)
    return open_port (cluster, address, error);
  bawn_log_warn (MODULE, "there is no TCP listener, so other nodes cannot reach this one: set "
                         "[listener] cluster-address");

  return TRUE;
}

/**
 * bawn_http_cluster_open:
 * @config: a configuration
 * @listeners: (element-type BawnHttpListener): open ones
 * @error: INVALID, or BUSY where another try may help, in words for an operator
 *
 * Reads what concerns the cluster, and opens the port for other nodes.
 *
 * Returns: (transfer full): what all threads share
 */
BawnHttpCluster *
bawn_http_cluster_open (BawnConfig *config, GPtrArray *listeners, GError **error)
{
  g_autoptr (BawnHttpCluster) cluster = g_new0 (BawnHttpCluster, 1);

  g_mutex_init (&cluster->mutex);
  cluster->nodes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, node_free);
  cluster->warned = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  cluster->fds = g_array_new (FALSE, FALSE, sizeof (int));
  read_config (config, &cluster->park, &cluster->redirect);
  take_limits (cluster, listeners);
  if (!open_ports (cluster, listeners, error))
    return NULL;

  return g_steal_pointer (&cluster);
}

/* Lets no other node in any more. Any thread; harmless when done already. */
void
bawn_http_cluster_close (BawnHttpCluster *cluster)
{
  if (!g_atomic_int_compare_and_exchange (&cluster->closed, FALSE, TRUE))
    return;
  for (guint i = 0; i < cluster->fds->len; i++)
    shutdown (g_array_index (cluster->fds, int, i), SHUT_RDWR);
}

void
bawn_http_cluster_free (BawnHttpCluster *cluster)
{
  bawn_http_cluster_close (cluster);
  for (guint i = 0; i < cluster->fds->len; i++)
    close (g_array_index (cluster->fds, int, i));
  g_array_unref (cluster->fds);
  g_hash_table_unref (cluster->nodes);
  g_hash_table_unref (cluster->warned);
  g_mutex_clear (&cluster->mutex);
  g_free (cluster->url);
  g_free (cluster);
}

/* As an operator can find it. */
static char *
describe (const BawnPeer *peer)
{
  return g_strdup_printf ("%s (api-addr %s, cluster-addr %s, node %s)",
                          peer->hostname != NULL ? peer->hostname : "a node",
                          peer->api_addr != NULL ? peer->api_addr : "none",
                          peer->cluster_addr != NULL ? peer->cluster_addr : "none", peer->node_id);
}

/* Says once that two nodes cannot both be at @address. */
static void
warn (BawnHttpCluster *cluster,
      const char *key,
      const char *address,
      const BawnPeer *one,
      const BawnPeer *other)
{
  const BawnPeer *first = strcmp (one->node_id, other->node_id) < 0 ? one : other;
  const BawnPeer *second = first == one ? other : one;
  g_autofree char *what =
      g_strdup_printf ("%s %s %s %s", key, address, first->node_id, second->node_id);

  if (g_hash_table_size (cluster->warned) >= MAX_NODES
      || !g_hash_table_add (cluster->warned, g_strdup (what)))
    return;

  g_autofree char *of_first = describe (first);
  g_autofree char *of_second = describe (second);
  bawn_log_warn (MODULE, "two nodes advertise the same %s, %s: %s and %s: give each its own", key,
                 address, of_first, of_second);
}

static gboolean
same (const char *a, const char *b)
{
  return a != NULL && b != NULL && *a != '\0' && strcmp (a, b) == 0;
}

static void
compare (BawnHttpCluster *cluster, const BawnPeer *one, const BawnPeer *other)
{
  if (same (one->api_addr, other->api_addr))
    warn (cluster, "api-addr", one->api_addr, one, other);
  if (same (one->cluster_addr, other->cluster_addr))
    warn (cluster, "cluster-addr", one->cluster_addr, one, other);
}

static Node *
remember (BawnHttpCluster *cluster, const BawnPeer *peer)
{
  Node *node = g_hash_table_lookup (cluster->nodes, peer->node_id);

  if (node == NULL)
    {
      if (g_hash_table_size (cluster->nodes) >= MAX_NODES)
        g_hash_table_remove_all (cluster->nodes);
      node = g_new0 (Node, 1);
      node->first_us = g_get_monotonic_time ();
      g_hash_table_insert (cluster->nodes, g_strdup (peer->node_id), node);
    }
  node->last_us = g_get_monotonic_time ();
  bawn_peer_free (node->peer);
  node->peer = bawn_peer_copy (peer);

  return node;
}

/**
 * bawn_http_cluster_meet:
 * @cluster: shared
 * @self: this node
 * @peer: another one, which has just said so
 *
 * Complains, once, if two living nodes advertise the same address. Any thread.
 */
void
bawn_http_cluster_meet (BawnHttpCluster *cluster, const BawnPeer *self, const BawnPeer *peer)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cluster->mutex);
  GHashTableIter iter;
  gpointer value = NULL;

  if (g_strcmp0 (self->node_id, peer->node_id) == 0)
    return;

  Node *node = remember (cluster, peer);
  compare (cluster, peer, self);
  g_hash_table_iter_init (&iter, cluster->nodes);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const Node *other = value;

      /* One that was not heard of since this one came has been restarted as this one. */
      if (other != node && other->last_us > node->first_us && node->last_us > other->first_us)
        compare (cluster, peer, other->peer);
    }
}
