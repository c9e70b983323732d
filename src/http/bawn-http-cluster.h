/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-listener.h"
#include "http/bawn-http-visitor.h"

G_BEGIN_DECLS

/* A failover takes a lease and a little more; clients' own patience begins at some ten seconds. */
#define BAWN_HTTP_PARK_TIMEOUT_US (10 * G_USEC_PER_SEC)
#define BAWN_HTTP_PARK_TIMEOUT_CEILING_US ((gint64) 3600 * G_USEC_PER_SEC)
/* As many as there may be connections. */
#define BAWN_HTTP_PARK_MAX_REQUESTS BAWN_HTTP_MAX_CONNECTIONS
#define BAWN_HTTP_PARK_MAX_BYTES (64 * 1024 * 1024)
/* Links that other nodes may have to this one: each of them has one for each of its threads. */
#define BAWN_HTTP_MAX_VISITORS 4096

/**
 * BawnHttpParkConfig:
 * @timeout_us: how long a request waits for an active node
 * @max_requests: that wait at a time
 * @max_bytes: of heads and bodies that wait
 */
typedef struct
{
  gint64 timeout_us;
  guint max_requests;
  gsize max_bytes;
} BawnHttpParkConfig;

/**
 * BawnHttpCluster:
 * @redirect: clients are told to go to the active node
 * @fds: (element-type gint): where other nodes connect; all in the first worker
 * @url: (nullable): likewise
 * @limits: of what other nodes ask
 * @buffered: bytes of bodies being received from them; atomic
 * @n_parked: requests that wait for an active node; atomic
 * @parked_bytes: what they hold; atomic
 * @n_visitors: links of other nodes; atomic
 * @closed: nobody is let in any more; atomic
 *
 * What all threads of a node share of the cluster.
 */
struct _BawnHttpCluster
{
  gboolean redirect;
  BawnHttpParkConfig park;
  GArray *fds;
  char *url;
  BawnHttpVisitorLimits limits;
  gssize buffered;
  gint n_parked;
  gssize parked_bytes;
  gint n_visitors;
  gint closed;
  /*< private >*/
  GMutex mutex;
  GHashTable *nodes;  /* node id to what is known of it */
  GHashTable *warned; /* what was complained of */
};

void bawn_http_cluster_check_config (BawnConfig *config);
BawnHttpCluster *bawn_http_cluster_open (BawnConfig *config, GPtrArray *listeners, GError **error);
void bawn_http_cluster_close (BawnHttpCluster *cluster);
void bawn_http_cluster_free (BawnHttpCluster *cluster);
void bawn_http_cluster_meet (BawnHttpCluster *cluster, const BawnPeer *self, const BawnPeer *peer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpCluster, bawn_http_cluster_free)

G_END_DECLS
