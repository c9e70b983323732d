/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-cluster-setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bawn-storage-wait.h"
#include "ha/bawn-elector.h"
#include "storage/bawn-backend-registry.h"
#include "util/bawn-log.h"

#define MIN_RENEW_US (50 * 1000)
/* How long a node that ends goes on passing requests to others before it knows who is active. */
#define HAND_OVER_US (3 * G_USEC_PER_SEC)
/* Without anybody left who could take over, it is waited no longer than this. */
#define ALONE_US (G_USEC_PER_SEC)
#define LOOK_US (10 * 1000)

/* The service manager's folder for what should not outlive a boot. */
static char *
default_lease_file (void)
{
  const char *folders = g_getenv ("RUNTIME_DIRECTORY");

  if (folders == NULL || *folders == '\0')
    return NULL;

  g_auto(GStrv) all = g_strsplit (folders, ":", -1);
  return g_build_filename (all[0], "lease", NULL);
}

/* Several nodes on a storage that each has for itself would all be active. */
static void
check_data_storage (const BawnClusterSettings *settings, BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) data = bawn_config_get_group (config, "storage");
  g_autoptr(BawnConfigGroup) elections = bawn_config_get_group (config, "ha-storage");
  g_autofree char *type = bawn_config_get_string (data, "type", BAWN_BACKEND_DEFAULT);

  if (settings->ha_storage_type == NULL)
    return;
  if (!bawn_backend_is_ha_capable (type))
    bawn_config_complain (elections, NULL, "of no use: nodes cannot share a [storage] of type \"%s\"", type);
  if (bawn_config_group_has (elections, "ha-enabled") && !bawn_config_get_bool (elections, "ha-enabled", TRUE))
    bawn_config_complain (elections, "ha-enabled", "it is for elections only, so they cannot be turned off");
}

BawnClusterSettings *
bawn_cluster_settings_read (BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "ha");
  g_autoptr(BawnConfigGroup) storage = bawn_config_get_group (config, "ha-storage");
  g_autofree char *lease_file = default_lease_file ();
  BawnClusterSettings *settings = g_new0 (BawnClusterSettings, 1);

  settings->lease_ttl_us = bawn_config_get_duration_us (group, "lease-ttl", BAWN_HA_LEASE_TTL_DEFAULT_US,
                                                        BAWN_HA_LEASE_TTL_MIN_US, BAWN_HA_LEASE_TTL_MAX_US);
  settings->renew_us = bawn_config_get_duration_us (group, "renew-interval", settings->lease_ttl_us / 4, MIN_RENEW_US,
                                                    BAWN_HA_LEASE_TTL_MAX_US);
  if (settings->renew_us > settings->lease_ttl_us / 2)
    bawn_config_complain (group, "renew-interval", "more than half of lease-ttl: one lost renewal would end the lease");
  settings->lease_file = bawn_config_get_string (group, "lease-file", lease_file);
  if (settings->lease_file != NULL && !g_path_is_absolute (settings->lease_file))
    bawn_config_complain (group, "lease-file", "not an absolute path");

  settings->ha_storage_type = bawn_config_get_string (storage, "type", NULL);
  if (settings->ha_storage_type != NULL && !bawn_backend_is_ha_capable (settings->ha_storage_type))
    bawn_config_complain (storage, "type", "nodes cannot elect through a storage of type \"%s\"", settings->ha_storage_type);
  check_data_storage (settings, config);

  return settings;
}

void
bawn_cluster_settings_free (BawnClusterSettings *settings)
{
  g_free (settings->ha_storage_type);
  g_free (settings->lease_file);
  g_free (settings);
}

gboolean
bawn_cluster_open_storage (const BawnClusterSettings *settings, BawnConfig *config, const char *data_type, BawnBackend *data,
                           BawnHaBackend **out_backend, GError **error)
{
  *out_backend = NULL;
  if (settings->ha_storage_type == NULL)
    {
      if (bawn_backend_is_ha_capable (data_type) && BAWN_IS_HA_BACKEND (data)
          && bawn_ha_backend_is_enabled (BAWN_HA_BACKEND (data)))
        *out_backend = g_object_ref (BAWN_HA_BACKEND (data));
      return TRUE;
    }
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (config, "ha-storage");
  g_autoptr(BawnBackend) backend = bawn_storage_wait_open (group, error);
  if (backend == NULL)
    return FALSE;
  if (!BAWN_IS_HA_BACKEND (backend) || !bawn_ha_backend_is_enabled (BAWN_HA_BACKEND (backend)))
    return bawn_fail (error, BAWN_ERROR_INVALID, "[ha-storage] has its elections turned off");

  *out_backend = BAWN_HA_BACKEND (g_steal_pointer (&backend));
  return TRUE;
}

static gboolean
release (const BawnClusterSettings *settings, BawnConfig *config, const char *data_type, gboolean *out_released,
         GError **error)
{
  g_autoptr(BawnConfigGroup) group
      = bawn_config_get_group (config, settings->ha_storage_type != NULL ? "ha-storage" : "storage");
  g_autoptr(BawnHaBackend) elections = NULL;

  if (settings->lease_file == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "[ha] lease-file is not set: nobody wrote down whose lease this is");
  if (!g_file_test (settings->lease_file, G_FILE_TEST_EXISTS))
    return TRUE;

  g_autoptr(BawnBackend) backend = bawn_backend_open (group, NULL, error);
  if (backend == NULL)
    return FALSE;
  if (!bawn_backend_is_ha_capable (settings->ha_storage_type != NULL ? settings->ha_storage_type : data_type)
      || !BAWN_IS_HA_BACKEND (backend))
    return TRUE;

  elections = g_object_ref (BAWN_HA_BACKEND (backend));
  return bawn_elector_release_dead (elections, settings->lease_file, out_released, error);
}

int
bawn_cluster_release_lease (const BawnClusterSettings *settings, BawnConfig *config, const char *data_type)
{
  g_autoptr(GError) error = NULL;
  gboolean released = FALSE;

  if (!release (settings, config, data_type, &released, &error))
    {
      fprintf (stderr, "bawnd: %s\n", error->message);
      return EXIT_FAILURE;
    }

  printf (released ? "the lease of the process that died is free\n" : "there is no lease to release\n");
  return EXIT_SUCCESS;
}

/* The service manager's hook may lack what opens the storage: credentials are passed to the server alone. */
void
bawn_cluster_release_former (const BawnClusterSettings *settings, BawnHaBackend *elections)
{
  g_autoptr(GError) error = NULL;
  gboolean released = FALSE;

  if (elections == NULL || settings->lease_file == NULL)
    return;
  if (!bawn_elector_release_dead (elections, settings->lease_file, &released, &error))
    bawn_log_warn ("ha", "the lease of the process before this one was not freed: %s", error->message);
  else if (released)
    bawn_log_info ("ha", "the lease of the process before this one, which died, is free");
}

typedef struct
{
  BawnCore *core;
  GSourceFunc done;
  gpointer user_data;
} HandOver;

static gboolean
is_followed (BawnCore *core)
{
  g_autoptr(BawnLeader) leader = bawn_core_ref_leader (core);

  return leader != NULL;
}

/* Whoever takes over closes its connection to this node, a moment before it is known to be active. */
static gboolean
is_alone (BawnCore *core, gint64 *inout_alone_since)
{
  gint64 now = g_get_monotonic_time ();

  if (bawn_core_count_candidates (core) > 0)
    *inout_alone_since = now;
  return now - *inout_alone_since >= ALONE_US;
}

static void
await_successor (BawnCore *core, guint n_candidates)
{
  gint64 alone_since = g_get_monotonic_time ();
  gint64 until = alone_since + HAND_OVER_US;

  if (n_candidates == 0)
    {
      bawn_log_warn ("daemon", "no other node is unsealed and answers: nobody takes over from this one");
      return;
    }

  while (!is_followed (core) && !is_alone (core, &alone_since) && g_get_monotonic_time () < until)
    g_usleep (LOOK_US);
  if (is_followed (core))
    bawn_log_info ("daemon", "another node is active: this one can stop");
  else
    bawn_log_warn ("daemon", "none of the other nodes (%u were unsealed) has taken over: this one stops all the same",
                   n_candidates);
}

static gpointer
hand_over_thread (gpointer data)
{
  HandOver *wish = data;
  g_autoptr(BawnStatus) before = bawn_core_ref_status (wish->core);
  guint n_candidates = bawn_core_count_candidates (wish->core);

  bawn_core_hand_over (wish->core, "the server stops");
  if (!before->standby)
    await_successor (wish->core, n_candidates);

  g_object_unref (wish->core);
  g_main_context_invoke (NULL, wish->done, wish->user_data);
  g_free (wish);
  return NULL;
}

void
bawn_cluster_hand_over_async (BawnCore *core, GSourceFunc done, gpointer user_data)
{
  HandOver *wish = g_new0 (HandOver, 1);

  wish->core = g_object_ref (core);
  wish->done = done;
  wish->user_data = user_data;
  g_thread_unref (g_thread_new ("bawn-hand-over", hand_over_thread, wish));
}
