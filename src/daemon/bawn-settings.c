/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-settings.h"

#include "core/bawn-core.h"
#include "storage/bawn-backend-registry.h"
#include "storage/bawn-store.h"
#include "util/bawn-advertise.h"
#include "util/bawn-error.h"
#include "util/bawn-log.h"

#include <string.h>

#define MAX_CACHE_SIZE (G_GINT64_CONSTANT (64) * 1024 * 1024 * 1024)
#define MAX_POOL_THREADS 1024
#define MAX_HTTP_WORKERS 256
#define SHUTDOWN_TIMEOUT_US (10 * G_USEC_PER_SEC)
#define MAX_SHUTDOWN_TIMEOUT_US (G_GINT64_CONSTANT (600) * G_USEC_PER_SEC)
#define MAX_CLUSTER_NAME 128

/* The short names first; Vault's last, since they may stand in an environment for a client's sake. */
static const char *const api_addr_variables[] = { "BAWN_API_ADDR", "BAWN_SERVER_API_ADDR", "VAULT_API_ADDR", NULL };
static const char *const cluster_addr_variables[]
    = { "BAWN_CLUSTER_ADDR", "BAWN_SERVER_CLUSTER_ADDR", "VAULT_CLUSTER_ADDR", NULL };

/* Addresses that others are told. What stands in place of a template is known only when the server starts. */
static void
read_addresses (BawnSettings *settings, BawnConfigGroup *group)
{
  g_autoptr(GError) api_error = NULL;
  g_autoptr(GError) cluster_error = NULL;

  bawn_config_set_variables (group, "api-addr", api_addr_variables);
  bawn_config_set_variables (group, "cluster-addr", cluster_addr_variables);
  settings->api_addr = bawn_config_get_string (group, "api-addr", NULL);
  settings->cluster_addr = bawn_config_get_string (group, "cluster-addr", NULL);
  if (settings->api_addr != NULL && !bawn_advertise_check (settings->api_addr, &api_error))
    bawn_config_complain (group, "api-addr", "%s", api_error->message);
  if (settings->cluster_addr != NULL && !bawn_advertise_check (settings->cluster_addr, &cluster_error))
    bawn_config_complain (group, "cluster-addr", "%s", cluster_error->message);
  if (bawn_advertise_same (settings->api_addr, settings->cluster_addr))
    bawn_config_complain (group, "cluster-addr", "%s is the address of the API too", settings->cluster_addr);
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
  read_addresses (settings, group);
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

/* Takes what has been found in place of what was set, or complains. */
static gboolean
settle (BawnConfig *config, const char *key, char **inout_address, char *found, GError *cause, GError **error)
{
  if (found == NULL)
    {
      g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "server");

      bawn_config_complain (group, key, "%s", cause->message);
      g_propagate_prefixed_error (error, cause, "%s: ", key);
      return FALSE;
    }
  g_free (*inout_address);
  *inout_address = found;

  return TRUE;
}

/**
 * bawn_settings_advertise:
 * @settings: what has been read
 * @config: whence
 * @listeners: (array zero-terminated=1): where the API is listened for, as URLs
 * @cluster_listener: (nullable): where nodes are listened for
 * @needed: the node may be one of several, so that it must have addresses
 * @error: INVALID, or NOT_FOUND if this machine has no address that would do, which may change
 *
 * Puts what others are told in place of what was set. Unless they are @needed, what is neither set nor found stays %NULL.
 *
 * Returns: whether the addresses are good
 */
gboolean
bawn_settings_advertise (BawnSettings *settings, BawnConfig *config, const char *const *listeners,
                         const char *cluster_listener, gboolean needed, GError **error)
{
  g_autoptr(BawnNetMachine) machine = bawn_net_machine_read ();
  GError *cause = NULL;
  char *found = bawn_advertise_api (settings->api_addr, listeners, machine, &cause);

  if (found == NULL && settings->api_addr == NULL && !needed)
    {
      bawn_log_info ("daemon", "api-addr: %s before others can be told where this server is", cause->message);
      g_error_free (cause);
      return TRUE;
    }
  if (!settle (config, "api-addr", &settings->api_addr, found, cause, error))
    return FALSE;
  if (settings->cluster_addr == NULL && !needed)
    return TRUE;

  /* Where it is at the next port, that is so as well where addresses are translated, or names lead to this machine. */
  if (bawn_advertise_follows (listeners, cluster_listener))
    cluster_listener = NULL;
  found = bawn_advertise_cluster (settings->cluster_addr, settings->api_addr, cluster_listener, machine, &cause);
  return settle (config, "cluster-addr", &settings->cluster_addr, found, cause, error);
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
