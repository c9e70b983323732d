/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "http/bawn-http-limits.h"
#include "http/bawn-http-origin.h"
#include "http/bawn-http-tls.h"
#include "util/bawn-config.h"

G_BEGIN_DECLS

/**
 * BawnHttpListenerConfig:
 * @name: the group's, for messages
 * @address: "host:port", "unix:/path", or "systemd[:NAME]" for sockets handed over
 * @cluster_address: (nullable): "host:port" for other nodes
 * @tls: with @certificate %NULL for plain HTTP
 * @allow_plain: plain HTTP to strangers is what the operator wants
 * @origin: whom to believe that he speaks for others
 * @open_metrics: who comes in here needs no token for this node's metrics
 *
 * One [listener] of the configuration.
 */
typedef struct
{
  char *name;
  char *address;
  char *cluster_address;
  BawnHttpTlsFiles tls;
  gboolean allow_plain;
  guint socket_mode;
  char *socket_user;  /* nullable */
  char *socket_group; /* nullable */
  BawnHttpLimits limits;
  BawnHttpOrigin origin;
  gboolean open_metrics;
} BawnHttpListenerConfig;

/**
 * BawnHttpListener:
 * @config: as read
 * @fds: (element-type gint): sockets: one for each worker, or some that all of them share
 * @shared: which of the two
 * @activated: systemd has them too, and keeps them when we end
 * @closed: nobody is let in any more; atomic
 * @n_leaving: workers that still have to take who has come; atomic
 * @n_connections: open now; atomic
 * @buffered: bytes of bodies being received; atomic
 *
 * Sockets on which connections come in, and what goes for these. The certificate may change at any time; everything
 * else is set before the first thread starts.
 */
typedef struct
{
  BawnHttpListenerConfig *config;
  GArray *fds;
  gboolean shared;
  gboolean activated;
  gint closed;
  gint n_leaving;
  char *url; /* "https://127.0.0.1:8200" */
  char *unlink_path; /* nullable */
  gint n_connections;
  gssize buffered;
  /*< private >*/
  GMutex mutex;
  BawnHttpTls *tls; /* nullable */
} BawnHttpListener;

BawnHttpListenerConfig *bawn_http_listener_config_read (BawnConfigGroup *group);
void bawn_http_listener_config_free (BawnHttpListenerConfig *config);

BawnHttpListener *bawn_http_listener_open (BawnHttpListenerConfig *config, guint n_workers, GError **error);
gboolean bawn_http_listener_turn_away (BawnHttpListener *listener, guint n_workers);
void bawn_http_listener_leave (BawnHttpListener *listener);
void bawn_http_listener_close (BawnHttpListener *listener);
void bawn_http_listener_free (BawnHttpListener *listener);
gboolean bawn_http_listener_reload (BawnHttpListener *listener, GError **error);
BawnHttpTls *bawn_http_listener_dup_tls (BawnHttpListener *listener);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpListenerConfig, bawn_http_listener_config_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnHttpListener, bawn_http_listener_free)

G_END_DECLS
