/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "daemon/bawn-check.h"

#include <string.h>
#include <unistd.h>

#include "http/bawn-http-listener.h"
#include "storage/bawn-backend-registry.h"
#include "util/bawn-advertise.h"
#include "util/bawn-error.h"

#define UNIX_PREFIX "unix:"

/* What a start on this machine would find beyond the text. Mistakes go to the configuration; what a
 * service manager, or the network, may have put right by then is warned of. */
typedef struct
{
  BawnConfig *config;
  GPtrArray *warnings;
} Check;

static void G_GNUC_PRINTF (4, 5)
    warn (Check *check, const char *group, const char *key, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);

  g_ptr_array_add (check->warnings, g_strdup_printf ("[%s] %s: %s", group, key, text));
}

/* A file is to be made there. */
static void
check_folder (Check *check, const char *group, const char *key, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (!g_file_test (folder, G_FILE_TEST_EXISTS))
    warn (check, group, key, "there is no folder %s", folder);
  else if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    warn (check, group, key, "%s is not a folder", folder);
  else if (access (folder, W_OK) != 0)
    warn (check, group, key, "the user who checks cannot write to the folder %s", folder);
}

static const char *const tls_keys[] = { "tls-cert-file", "tls-key-file", "tls-client-ca-file" };

/* The key whose file the message names. */
static const char *
find_key (BawnConfigGroup *group, const char *message)
{
  for (gsize i = 1; i < G_N_ELEMENTS (tls_keys); i++)
    {
      g_autofree char *path = bawn_config_get_string (group, tls_keys[i], NULL);

      if (path != NULL && strstr (message, path) != NULL)
        return tls_keys[i];
    }

  return tls_keys[0];
}

static void
check_listener (Check *check, BawnConfigGroup *group, GPtrArray *urls)
{
  g_autoptr (BawnHttpListenerConfig) listener = bawn_http_listener_config_read (group);
  gboolean is_tls = listener->tls.certificate != NULL && listener->tls.key != NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (BawnHttpTls) tls = is_tls ? bawn_http_tls_load (&listener->tls, &error) : NULL;

  if (is_tls && tls == NULL)
    bawn_config_complain (group, find_key (group, error->message), "%s", error->message);
  if (g_str_has_prefix (listener->address, UNIX_PREFIX))
    check_folder (check, listener->name, "address", listener->address + strlen (UNIX_PREFIX));
  else if (!g_str_has_prefix (listener->address, "systemd"))
    g_ptr_array_add (urls,
                     g_strdup_printf ("%s://%s", is_tls ? "https" : "http", listener->address));
}

/* Where the API is listened for, as far as that is known before it is. */
static GStrv
check_listeners (Check *check)
{
  g_autoptr (GPtrArray) groups = bawn_config_get_family (check->config, "listener");
  g_autoptr (GPtrArray) urls = g_ptr_array_new ();

  for (guint i = 0; i < groups->len; i++)
    check_listener (check, g_ptr_array_index (groups, i), urls);

  g_ptr_array_add (urls, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&urls), FALSE);
}

/* @text: as set. The form of both keys is known to be good, so that it is the machine that is
 * looked at. */
static void
check_address (Check *check,
               const char *key,
               const char *text,
               const char *const *urls,
               const BawnNetMachine *machine)
{
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (check->config, "server");
  g_autoptr (GError) error = NULL;
  g_autofree char *found = bawn_advertise_api (text, urls, machine, &error);

  if (found != NULL)
    return;
  if (bawn_error_is (error, BAWN_ERROR_NOT_FOUND))
    warn (check, "server", key, "%s", error->message);
  else
    bawn_config_complain (group, key, "%s", error->message);
}

static void
check_addresses (Check *check,
                 const BawnSettings *settings,
                 gboolean is_needed,
                 const char *const *urls)
{
  g_autoptr (BawnNetMachine) machine = bawn_net_machine_read ();

  /* Sockets that others hand over are where they are. */
  if (settings->api_addr != NULL || (is_needed && urls[0] != NULL))
    check_address (check, "api-addr", settings->api_addr, urls, machine);
  if (settings->cluster_addr != NULL)
    check_address (check, "cluster-addr", settings->cluster_addr, urls, machine);
}

static void
check_storage (Check *check, const char *type)
{
  g_autoptr (BawnConfigGroup) group = bawn_config_get_group (check->config, "storage");
  g_autofree char *path =
      bawn_config_group_has (group, "path") ? bawn_config_get_string (group, "path", NULL) : NULL;

  if (g_str_equal (type, "sqlite") && path != NULL)
    check_folder (check, "storage", "path", path);
}

/**
 * bawn_check_machine:
 * @config: a configuration that everybody has read
 * @settings: what it says
 * @cluster: the same of other nodes
 *
 * Looks for what the start of a server would stumble over on this machine, and opens nothing.
 * Mistakes are noted in @config.
 *
 * Returns: (transfer full): what is amiss now, but may be right when the server starts
 */
GStrv
bawn_check_machine (BawnConfig *config,
                    const BawnSettings *settings,
                    const BawnClusterSettings *cluster)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();
  Check check = { config, warnings };
  g_auto (GStrv) urls = check_listeners (&check);

  check_addresses (&check, settings, bawn_backend_is_ha_capable (settings->storage_type),
                   (const char *const *) urls);
  check_storage (&check, settings->storage_type);
  if (cluster->lease_file != NULL && g_path_is_absolute (cluster->lease_file))
    check_folder (&check, "ha", "lease-file", cluster->lease_file);

  g_ptr_array_add (warnings, NULL);
  return (GStrv) g_ptr_array_free (g_steal_pointer (&warnings), FALSE);
}
