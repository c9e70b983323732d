/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-settings.h"

#include "core/bawn-core.h"
#include "storage/bawn-backend-registry.h"
#include "storage/bawn-store.h"
#include "util/bawn-log.h"

#include <string.h>

#define MAX_CACHE_SIZE (G_GINT64_CONSTANT (64) * 1024 * 1024 * 1024)
#define MAX_POOL_THREADS 1024
#define MAX_HTTP_WORKERS 256
#define SHUTDOWN_TIMEOUT_US (10 * G_USEC_PER_SEC)
#define MAX_SHUTDOWN_TIMEOUT_US (G_GINT64_CONSTANT (600) * G_USEC_PER_SEC)
#define MAX_CLUSTER_NAME 128

/* An address others are told: scheme and host, no path, nothing that only this machine understands. */
static void
check_address (BawnConfigGroup *group, const char *key, const char *address)
{
  g_autoptr(GError) error = NULL;

  if (address == NULL)
    return;

  g_autoptr(GUri) uri = g_uri_parse (address, G_URI_FLAGS_NONE, &error);
  if (uri == NULL)
    {
      bawn_config_complain (group, key, "not an address: %s", error->message);
      return;
    }

  const char *scheme = g_uri_get_scheme (uri);
  const char *host = g_uri_get_host (uri);
  if (!g_str_equal (scheme, "https") && !g_str_equal (scheme, "http"))
    bawn_config_complain (group, key, "an address must begin with https:// or http://");
  else if (host == NULL || *host == '\0')
    bawn_config_complain (group, key, "an address needs a host");
  else if (g_str_equal (host, "0.0.0.0") || g_str_equal (host, "::"))
    bawn_config_complain (group, key, "%s is every address of this machine; others need one that leads to it", host);
}

static void
read_storage (BawnSettings *settings, BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "storage");

  settings->storage_type = bawn_config_get_string (group, "type", BAWN_BACKEND_DEFAULT);
  settings->cache_size
      = (gsize) bawn_config_get_size (group, "cache-size", BAWN_STORE_CACHE_DEFAULT, 0, MAX_CACHE_SIZE);
}

BawnSettings *
bawn_settings_read (BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "server");
  BawnSettings *settings = g_new0 (BawnSettings, 1);

  read_storage (settings, config);
  settings->cluster_name = bawn_config_get_string (group, "cluster-name", NULL);
  if (settings->cluster_name != NULL && strlen (settings->cluster_name) > MAX_CLUSTER_NAME)
    bawn_config_complain (group, "cluster-name", "longer than %d bytes", MAX_CLUSTER_NAME);
  settings->api_addr = bawn_config_get_string (group, "api-addr", NULL);
  check_address (group, "api-addr", settings->api_addr);
  settings->cluster_addr = bawn_config_get_string (group, "cluster-addr", NULL);
  check_address (group, "cluster-addr", settings->cluster_addr);
  settings->log_level
      = g_strdup (bawn_log_level_names ()[bawn_config_get_choice (group, "log-level", bawn_log_level_names (),
                                                                  BAWN_LOG_INFO)]);
  settings->disable_mlock = bawn_config_get_bool (group, "disable-mlock", FALSE);
  settings->pool_threads
      = (guint) bawn_config_get_int (group, "pool-threads", BAWN_CORE_POOL_THREADS, 1, MAX_POOL_THREADS);
  settings->http_workers
      = (guint) bawn_config_get_int (group, "http-workers", g_get_num_processors (), 1, MAX_HTTP_WORKERS);
  settings->shutdown_timeout_us = bawn_config_get_duration_us (group, "shutdown-timeout", SHUTDOWN_TIMEOUT_US, 0,
                                                               MAX_SHUTDOWN_TIMEOUT_US);

  return settings;
}

void
bawn_settings_free (BawnSettings *settings)
{
  g_free (settings->storage_type);
  g_free (settings->cluster_name);
  g_free (settings->api_addr);
  g_free (settings->cluster_addr);
  g_free (settings->log_level);
  g_free (settings);
}
