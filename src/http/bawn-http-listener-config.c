/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "http/bawn-http-listener.h"

#include <gio/gio.h>
#include <string.h>

#define DEFAULT_ADDRESS "127.0.0.1:8200"
#define DEFAULT_SOCKET_MODE 0660

/* Order of #BawnHttpTlsVersion. */
static const char *const version_names[] = { "tls12", "tls13", NULL };

static const struct
{
  const char *key;
  BawnHttpPhase phase;
} timeout_keys[] = {
  { "handshake-timeout", BAWN_HTTP_PHASE_HANDSHAKE }, { "header-timeout", BAWN_HTTP_PHASE_HEADERS },
  { "body-timeout", BAWN_HTTP_PHASE_BODY },           { "request-timeout", BAWN_HTTP_PHASE_REQUEST },
  { "write-timeout", BAWN_HTTP_PHASE_WRITE },         { "idle-timeout", BAWN_HTTP_PHASE_IDLE },
};

static void
read_limits (BawnConfigGroup *group, BawnHttpLimits *limits)
{
  bawn_http_limits_init (limits);
  limits->max_request_size = (gsize) bawn_config_get_size (group, "max-request-size", (gint64) limits->max_request_size, 1,
                                                           BAWN_HTTP_MAX_REQUEST_SIZE_CEILING);
  limits->max_header_size
    = (gsize) bawn_config_get_size (group, "max-header-size", (gint64) limits->max_header_size,
                                    BAWN_HTTP_MAX_HEADER_SIZE_FLOOR, BAWN_HTTP_MAX_HEADER_SIZE_CEILING);
  limits->max_buffered_size = (gsize) bawn_config_get_size (group, "max-buffered-size", (gint64) limits->max_buffered_size,
                                                            1, G_MAXINT64 / 2);
  limits->max_connections = (guint) bawn_config_get_int (group, "max-connections", limits->max_connections, 1,
                                                         BAWN_HTTP_MAX_CONNECTIONS_CEILING);
  limits->json.max_depth
    = (guint) bawn_config_get_int (group, "json-max-depth", limits->json.max_depth, 1, BAWN_JSON_MAX_DEPTH);
  limits->json.max_nodes
    = (guint) bawn_config_get_int (group, "json-max-members", limits->json.max_nodes, 1, BAWN_JSON_MAX_NODES);
  for (gsize i = 0; i < G_N_ELEMENTS (timeout_keys); i++)
    {
      gint64 *timeout_us = &limits->timeouts_us[timeout_keys[i].phase];

      *timeout_us = bawn_config_get_duration_us (group, timeout_keys[i].key, *timeout_us, BAWN_HTTP_TIMEOUT_FLOOR_US,
                                                 BAWN_HTTP_TIMEOUT_CEILING_US);
    }
}

static void
read_tls (BawnConfigGroup *group, BawnHttpListenerConfig *config)
{
  BawnHttpTlsFiles *tls = &config->tls;

  config->allow_plain = bawn_config_get_bool (group, "tls-disable", FALSE);
  tls->certificate = bawn_config_get_string (group, "tls-cert-file", NULL);
  tls->key = bawn_config_get_string (group, "tls-key-file", NULL);
  tls->client_ca = bawn_config_get_string (group, "tls-client-ca-file", NULL);
  tls->require_client = bawn_config_get_bool (group, "tls-require-client-cert", FALSE);
  tls->min_version = (BawnHttpTlsVersion) bawn_config_get_choice (group, "tls-min-version", version_names, BAWN_HTTP_TLS_1_2);

  if ((tls->certificate == NULL) != (tls->key == NULL))
    bawn_config_complain (group, tls->certificate != NULL ? "tls-cert-file" : "tls-key-file",
                          "tls-cert-file and tls-key-file go together");
  if (tls->require_client && tls->client_ca == NULL)
    bawn_config_complain (group, "tls-require-client-cert", "needs tls-client-ca-file");
  if (config->allow_plain)
    {
      g_clear_pointer (&tls->certificate, g_free);
      g_clear_pointer (&tls->key, g_free);
    }
}

static gboolean
is_loopback (const char *host)
{
  g_autoptr(GInetAddress) address = g_inet_address_new_from_string (host);

  /* What a name leads to is seen when the socket is open. */
  return address == NULL || g_inet_address_get_is_loopback (address);
}

/* As far as it can be told without opening anything. */
static void
check_address (BawnConfigGroup *group, const BawnHttpListenerConfig *config)
{
  if (g_str_has_prefix (config->address, "unix:") || g_str_has_prefix (config->address, "systemd"))
    return;

  g_autoptr(GError) error = NULL;
  g_autoptr(GSocketConnectable) parsed = g_network_address_parse (config->address, 0, &error);
  if (parsed == NULL)
    bawn_config_complain (group, "address", "not host:port: %s", error->message);
  else if (g_network_address_get_port (G_NETWORK_ADDRESS (parsed)) == 0 && !g_str_has_suffix (config->address, ":0"))
    bawn_config_complain (group, "address", "the port is missing");
  else if (config->tls.certificate == NULL && !config->allow_plain
           && !is_loopback (g_network_address_get_hostname (G_NETWORK_ADDRESS (parsed))))
    bawn_config_complain (group, "address", "not on loopback, so it needs tls-cert-file and tls-key-file, or tls-disable=true");
}

static void
check_cluster_address (BawnConfigGroup *group, const BawnHttpListenerConfig *config)
{
  g_autoptr(GError) error = NULL;

  if (config->cluster_address == NULL)
    return;

  g_autoptr(GSocketConnectable) parsed = g_network_address_parse (config->cluster_address, 0, &error);
  if (parsed == NULL)
    bawn_config_complain (group, "cluster-address", "not host:port: %s", error->message);
  else if (g_network_address_get_port (G_NETWORK_ADDRESS (parsed)) == 0 && !g_str_has_suffix (config->cluster_address, ":0"))
    bawn_config_complain (group, "cluster-address", "the port is missing");
}

static guint
read_mode (BawnConfigGroup *group)
{
  g_autofree char *text = bawn_config_get_string (group, "socket-mode", NULL);
  guint64 mode = DEFAULT_SOCKET_MODE;

  if (text != NULL && !g_ascii_string_to_unsigned (text, 8, 0, 0777, &mode, NULL))
    bawn_config_complain (group, "socket-mode", "wants octal digits such as 0660");

  return (guint) mode;
}

/**
 * bawn_http_listener_config_read:
 * @group: a [listener]
 *
 * Reads it; what is wrong is complained of in the configuration.
 *
 * Returns: (transfer full): what it says
 */
BawnHttpListenerConfig *
bawn_http_listener_config_read (BawnConfigGroup *group)
{
  BawnHttpListenerConfig *config = g_new0 (BawnHttpListenerConfig, 1);

  config->name = g_strdup (bawn_config_group_get_name (group));
  config->address = bawn_config_get_string (group, "address", DEFAULT_ADDRESS);
  config->cluster_address = bawn_config_get_string (group, "cluster-address", NULL);
  config->socket_mode = read_mode (group);
  config->socket_user = bawn_config_get_string (group, "socket-user", NULL);
  config->socket_group = bawn_config_get_string (group, "socket-group", NULL);
  read_tls (group, config);
  config->open_metrics = bawn_config_get_bool (group, "unauthenticated-metrics", FALSE);
  read_limits (group, &config->limits);
  bawn_http_origin_read (&config->origin, group);
  check_address (group, config);
  check_cluster_address (group, config);

  return config;
}

void
bawn_http_listener_config_free (BawnHttpListenerConfig *config)
{
  g_free (config->name);
  g_free (config->address);
  g_free (config->cluster_address);
  g_free (config->tls.certificate);
  g_free (config->tls.key);
  g_free (config->tls.client_ca);
  g_free (config->socket_user);
  g_free (config->socket_group);
  bawn_http_origin_clear (&config->origin);
  g_free (config);
}
