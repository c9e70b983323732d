/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/bawn-bus.h"
#include "core/bawn-core.h"
#include "crypto/bawn-harden.h"
#include "crypto/bawn-secret.h"
#include "daemon/bawn-banner.h"
#include "daemon/bawn-builtins.h"
#include "daemon/bawn-check.h"
#include "daemon/bawn-cluster-setup.h"
#include "daemon/bawn-dev.h"
#include "daemon/bawn-modules.h"
#include "daemon/bawn-notify.h"
#include "daemon/bawn-service-consul.h"
#include "daemon/bawn-settings.h"
#include "daemon/bawn-storage-wait.h"
#include "daemon/bawn-status-line.h"
#include "daemon/bawn-unsealer.h"
#include "daemon/bawn-watchdog.h"
#include "http/bawn-http.h"
#include "storage/bawn-backend-registry.h"
#include "util/bawn-credential.h"
#include "util/bawn-handed.h"
#include "util/bawn-log.h"

#define DEFAULT_CONFIG SYSCONFDIR "/bawn/bawn.conf"

/* Exit codes: 0 done, 1 something failed, 78 (EX_CONFIG) the configuration is wrong, so that a service manager need not
 * try again. */
#define EXIT_CONFIG 78
/* What ending may take beside the requests on their way: handing over, the last commit, wiping. */
#define STOP_MARGIN_US (20 * G_USEC_PER_SEC)

typedef struct
{
  char *config_path;
  char *log_level;
  gboolean check_config;
  gboolean dev;
  char *dev_root_token;
  char *dev_address;
  gboolean version;
  gboolean release_lease;
} BawnArguments;

static void
bawn_arguments_clear (BawnArguments *arguments)
{
  g_free (arguments->config_path);
  g_free (arguments->log_level);
  bawn_string_wipe_free (arguments->dev_root_token);
  g_free (arguments->dev_address);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnArguments, bawn_arguments_clear)

typedef struct
{
  BawnConfig *config;
  BawnSettings *settings;
  BawnClusterSettings *cluster;
  BawnSealSettings *seal_settings;
  BawnSeal *seal; /* nullable: people unseal */
  BawnHaBackend *elections; /* nullable: this node is alone */
  BawnServiceConsulOptions *service_options; /* nullable */
  BawnServiceConsul *service;                /* nullable */
  char *bus_name; /* nullable: off the bus */
  BawnBus *bus;   /* nullable */
  BawnStore *store;
  BawnCore *core;
  BawnHttpServer *http;
  gulong wake_handler;
  BawnDev *dev;
  BawnUnsealer *unsealer;      /* nullable */
  BawnStatusLine *status_line; /* nullable */
  BawnWatchdog *watchdog;      /* nullable: nobody wants to know */
  GMainLoop *loop;
  guint signals[3]; /* sources; 0: not heeded */
  gboolean stopping;
} BawnDaemon;

static gboolean
parse_arguments (BawnArguments *arguments, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &arguments->config_path, "Read this file, and *.conf of FILE.d", "FILE" },
    { "check-config", 0, 0, G_OPTION_ARG_NONE, &arguments->check_config, "Name every mistake in the configuration, and end", NULL },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &arguments->log_level, "error, warn, info, debug or trace", "LEVEL" },
    { "dev", 0, 0, G_OPTION_ARG_NONE, &arguments->dev, "Serve from memory, unsealed, without TLS, on loopback: for trying out", NULL },
    { "dev-root-token-id", 0, 0, G_OPTION_ARG_STRING, &arguments->dev_root_token, "The root token of --dev", "TOKEN" },
    { "dev-listen-address", 0, 0, G_OPTION_ARG_STRING, &arguments->dev_address, "Where --dev listens (" BAWN_DEV_ADDRESS ")", "HOST:PORT" },
    { "release-lease", 0, 0, G_OPTION_ARG_NONE, &arguments->release_lease, "Free the lease of a server that died here, and end", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "Print the version, and end", NULL },
    { NULL }
  };
  g_autoptr(GOptionContext) context = g_option_context_new (NULL);

  g_option_context_set_summary (context, "The server of bawn, a highly available secrets store.");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    return bawn_fail (error, BAWN_ERROR_INVALID, "unexpected argument: %s", (*argv)[1]);

  return TRUE;
}

static BawnConfig *
load_config (const BawnArguments *arguments, GError **error)
{
  g_auto(GStrv) environment = g_get_environ ();

  if (arguments->dev)
    {
      const char *address = arguments->dev_address != NULL ? arguments->dev_address : BAWN_DEV_ADDRESS;
      g_autofree char *text = g_strdup_printf ("[server]\ndisable-mlock=true\n[listener]\naddress=%s\ntls-disable=true\n"
                                               "[storage]\ntype=memory\n[dbus]\nenabled=false\n", address);

      return bawn_config_load_data ("--dev", text, strlen (text), error);
    }

  return bawn_config_load (arguments->config_path != NULL ? arguments->config_path : DEFAULT_CONFIG,
                           (const char *const *) environment, error);
}

static void
print_problems (BawnConfig *config)
{
  g_auto(GStrv) problems = bawn_config_dup_problems (config);

  for (guint i = 0; problems[i] != NULL; i++)
    fprintf (stderr, "%s\n", problems[i]);
}

/* An error may say again what stands among the problems. */
static void
print_failure (BawnConfig *config, const GError *error)
{
  g_auto(GStrv) problems = bawn_config_dup_problems (config);
  g_autofree char *all = g_strjoinv ("\n", problems);
  g_autofree char *line = g_strdelimit (g_strdup (error->message), "\n", ' ');

  print_problems (config);
  if (strstr (all, error->message) == NULL)
    fprintf (stderr, "bawnd: %s\n", error->message);
  bawn_notify ("STATUS=%s", line);
}

/* Before anything secret is in memory. */
static void
load_modules (BawnConfig *config)
{
  g_autoptr(BawnConfigGroup) storage = bawn_config_get_group (config, "storage");
  g_autoptr(BawnConfigGroup) elections = bawn_config_get_group (config, "ha-storage");

  bawn_modules_load (bawn_modules_place (), storage);
  bawn_modules_load (bawn_modules_place (), elections);
}

/* Everything that reads the configuration, so that one pass finds all there is to find. */
static gboolean
read_config (BawnDaemon *daemon, const BawnArguments *arguments, GError **error)
{
  static const char *const families[] = { "server", "listener", "storage", "ha", "ha-storage", "seal",
                                          "service-registration", "dbus", NULL };

  daemon->config = load_config (arguments, error);
  if (daemon->config == NULL)
    return FALSE;

  bawn_config_expect (daemon->config, families);
  load_modules (daemon->config);
  daemon->settings = bawn_settings_read (daemon->config);
  daemon->cluster = bawn_cluster_settings_read (daemon->config);
  daemon->seal_settings = bawn_seal_settings_read (daemon->config);
  bawn_http_check_config (daemon->config);
  daemon->service_options = bawn_service_consul_options_read (daemon->config, daemon->cluster->lease_ttl_us);
  daemon->bus_name = bawn_bus_options_read (daemon->config);

  return TRUE;
}

/* What the storages read, without opening them; FALSE if one of them reads its keys only then. */
static gboolean
read_storage_keys (BawnDaemon *daemon)
{
  g_autoptr(BawnConfigGroup) storage = bawn_config_get_group (daemon->config, "storage");
  g_autoptr(BawnConfigGroup) elections = bawn_config_get_group (daemon->config, "ha-storage");

  gboolean all = bawn_backend_check_config (storage);

  if (daemon->cluster->ha_storage_type != NULL)
    all = bawn_backend_check_config (elections) && all;
  return all;
}

static gboolean
open_storage (BawnDaemon *daemon, GError **error)
{
  g_autoptr(BawnConfigGroup) group = bawn_config_get_group (daemon->config, "storage");

  /* Told now, and not when a storage that cannot be reached is there at last. */
  if (read_storage_keys (daemon) && !bawn_config_check (daemon->config, error))
    return FALSE;

  g_autoptr(BawnBackend) backend = bawn_storage_wait_open (group, error);
  if (backend == NULL
      || !bawn_cluster_open_storage (daemon->cluster, daemon->config, daemon->settings->storage_type, backend,
                                     &daemon->elections, error))
    return FALSE;

  bawn_cluster_release_former (daemon->cluster, daemon->elections);
  daemon->store = bawn_store_new (backend, daemon->settings->cache_size);
  return TRUE;
}

static void
make_core (BawnDaemon *daemon)
{
  const BawnSettings *settings = daemon->settings;
  BawnCoreOptions options = {
    .storage_type = settings->storage_type,
    .cluster_name = settings->cluster_name,
    .api_addr = settings->api_addr,
    .cluster_addr = settings->cluster_addr,
    .pool_threads = settings->pool_threads,
    .version = PACKAGE_VERSION,
    .ha_backend = daemon->elections,
    .lease_ttl_us = daemon->cluster->lease_ttl_us,
    .lease_renew_us = daemon->cluster->renew_us,
    .lease_file = daemon->cluster->lease_file,
    .auto_seal = daemon->seal,
  };

  daemon->core = bawn_core_new (daemon->store, &options);
  bawn_builtins_add_engines (daemon->core);
}

static void
add_storage (GPtrArray *banner, BawnDaemon *daemon)
{
  const char *type = daemon->settings->storage_type;
  const char *elections = daemon->elections != NULL ? " (HA available)" : " (HA disabled)";

  g_autofree char *lease = bawn_duration_format (daemon->cluster->lease_ttl_us);
  g_autofree char *renewal = bawn_duration_format (daemon->cluster->renew_us);

  if (daemon->elections != NULL)
    bawn_banner_add (banner, "Lease", "%s, renewed every %s", lease, renewal);
  if (daemon->cluster->ha_storage_type != NULL)
    bawn_banner_add (banner, "HA Storage", "%s%s", daemon->cluster->ha_storage_type, elections);
  bawn_banner_add (banner, "Storage", "%s%s", type,
                   bawn_backend_is_ha_capable (type) && daemon->cluster->ha_storage_type == NULL ? elections : "");
}

static void
print_banner (BawnDaemon *daemon)
{
  const BawnSettings *settings = daemon->settings;
  g_autoptr(GPtrArray) banner = bawn_banner_new ();
  g_auto(GStrv) listeners = bawn_http_server_dup_addresses (daemon->http);
  g_autofree char *parking = bawn_http_server_describe_parking (daemon->http);

  bawn_banner_add (banner, "Api Address", "%s", settings->api_addr != NULL ? settings->api_addr : "none (see api-addr)");
  if (settings->cluster_addr != NULL)
    bawn_banner_add (banner, "Cluster Address", "%s", settings->cluster_addr);
  for (guint i = 0; listeners[i] != NULL; i++)
    {
      g_autofree char *label = g_strdup_printf ("Listener %u", i + 1);
      bawn_banner_add (banner, label, "%s", listeners[i]);
    }
  bawn_banner_add (banner, "Log Level", "%s", bawn_log_level_name (bawn_log_get_level ()));
  bawn_banner_add (banner, "Mlock", "%s", settings->disable_mlock ? "disabled" : "enabled");
  if (parking != NULL)
    bawn_banner_add (banner, "Parking", "%s", parking);
  add_storage (banner, daemon);
  bawn_banner_add (banner, "Version", "bawn %s (API %s)", PACKAGE_VERSION, BAWN_API_VERSION);
  if (daemon->dev != NULL)
    {
      printf ("WARNING! This server keeps everything in memory, is unsealed and speaks without TLS.\n"
              "Never use --dev for anything but trying out.\n\n"
              "    export BAWN_ADDR='%s'\n\n"
              "Unseal Key: %s\nRoot Token: %s\n\n",
              listeners[0], daemon->dev->unseal_key, daemon->dev->root_token);
    }
  bawn_banner_print (banner);
}

static gboolean
on_handed_over (gpointer data)
{
  g_autoptr(GMainLoop) loop = data;

  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

/* However long the requests on their way may take here, the service manager waits as long. */
static void
tell_stopping (BawnDaemon *daemon, const char *how)
{
  bawn_notify ("STOPPING=1\nSTATUS=%s\nEXTEND_TIMEOUT_USEC=%" G_GINT64_FORMAT, how,
               daemon->settings->shutdown_timeout_us + STOP_MARGIN_US);
}

static gboolean
on_stop (gpointer user_data)
{
  BawnDaemon *daemon = user_data;

  /* Who asks twice does not want to wait. */
  if (daemon->stopping || daemon->elections == NULL)
    {
      tell_stopping (daemon, "sealing");
      g_main_loop_quit (daemon->loop);
      return G_SOURCE_CONTINUE;
    }

  daemon->stopping = TRUE;
  tell_stopping (daemon, "handing over");
  /* Who asks twice is gone by the time that this is over. */
  bawn_cluster_hand_over_async (daemon->core, on_handed_over, g_main_loop_ref (daemon->loop));
  return G_SOURCE_CONTINUE;
}

static gboolean
reload (gpointer user_data, GError **error)
{
  BawnDaemon *daemon = user_data;
  g_autoptr(GError) cause = NULL;

  bawn_notify ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
  if (!bawn_http_server_reload (daemon->http, &cause))
    bawn_log_error ("daemon", "the certificates stay as they were: %s", cause->message);
  bawn_core_reopen_audit (daemon->core);
  bawn_log_info ("daemon", "certificates and audit files were opened again");
  bawn_notify ("READY=1");
  if (cause == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&cause));
  return FALSE;
}

static gboolean
on_reload (gpointer user_data)
{
  (void) reload (user_data, NULL);
  return G_SOURCE_CONTINUE;
}

/* Opens the listeners, whose real addresses others are told. Who comes now waits. */
/* What others are told depends on where we listen, so the node hears it only now. */
static gboolean
open_door (BawnDaemon *daemon, GError **error)
{
  BawnHttpHandler handler = { 0 };

  bawn_http_handler_init (&handler, daemon->core, daemon->elections != NULL);
  daemon->http = bawn_http_server_open (daemon->config, &handler, daemon->settings->http_workers, error);
  if (daemon->http == NULL)
    return FALSE;

  g_auto(GStrv) listeners = bawn_http_server_dup_addresses (daemon->http);
  g_autofree char *cluster = bawn_http_server_dup_cluster_address (daemon->http);
  if (!bawn_settings_advertise (daemon->settings, daemon->config, (const char *const *) listeners, cluster,
                                daemon->elections != NULL, error))
    return FALSE;

  bawn_core_set_addresses (daemon->core, daemon->settings->api_addr, daemon->settings->cluster_addr);
  bawn_core_set_metric_source (daemon->core, bawn_http_server_append_metrics, daemon->http);
  daemon->wake_handler
      = g_signal_connect_swapped (daemon->core, "status-changed", G_CALLBACK (bawn_http_server_wake), daemon->http);
  return TRUE;
}

/* When clients can be served, so that nobody is sent to a closed door. */
static gboolean
register_service (BawnDaemon *daemon, GError **error)
{
  if (daemon->service_options == NULL)
    return TRUE;

  daemon->service = bawn_service_consul_new (g_steal_pointer (&daemon->service_options), error);
  if (daemon->service == NULL)
    return FALSE;

  bawn_service_consul_follow (daemon->service, daemon->core);
  return TRUE;
}

static void
start_bus (BawnDaemon *daemon)
{
  g_auto(GStrv) listeners = bawn_http_server_dup_addresses (daemon->http);
  const BawnBusSetup setup = {
    .core = daemon->core,
    .name = daemon->bus_name,
    .listeners = (const char *const *) listeners,
    .reload = reload,
    .reload_data = daemon,
  };

  if (daemon->bus_name != NULL)
    daemon->bus = bawn_bus_start (&setup);
}

/* From the moment on that there is something to be given back: the lease, if the node unseals itself. */
static void
heed_signals (BawnDaemon *daemon)
{
  daemon->signals[0] = g_unix_signal_add (SIGTERM, on_stop, daemon);
  daemon->signals[1] = g_unix_signal_add (SIGINT, on_stop, daemon);
  daemon->signals[2] = g_unix_signal_add (SIGHUP, on_reload, daemon);
}

static void
ignore_signals (BawnDaemon *daemon)
{
  for (guint i = 0; i < G_N_ELEMENTS (daemon->signals); i++)
    g_clear_handle_id (&daemon->signals[i], g_source_remove);
}

static gboolean
start (BawnDaemon *daemon, const BawnArguments *arguments, GError **error)
{
  if (!open_storage (daemon, error))
    return FALSE;

  g_autoptr(GError) no_tls = NULL;
  if (!bawn_http_check_tls (&no_tls))
    bawn_log_warn ("daemon", "%s; without it nothing can be asked of other servers over TLS", no_tls->message);

  /* What no reader has asked about is now known to be a mistake: the backend has read its keys. */
  if (!bawn_config_check (daemon->config, error))
    return FALSE;

  if (!bawn_seal_settings_open (daemon->seal_settings, &daemon->seal, error))
    return FALSE;

  make_core (daemon);
  if (!open_door (daemon, error) || !bawn_core_load (daemon->core, error))
    return FALSE;
  if (arguments->dev)
    {
      daemon->dev = bawn_dev_start (daemon->core, arguments->dev_root_token, error);
      if (daemon->dev == NULL)
        return FALSE;
    }

  heed_signals (daemon);
  daemon->status_line = bawn_status_line_new (daemon->core);
  daemon->unsealer = bawn_unsealer_start (daemon->core, daemon->seal_settings);
  bawn_http_server_start (daemon->http);
  start_bus (daemon);
  return register_service (daemon, error);
}

/* Who connects to a socket that nobody answers on would wait forever. */
static void
warn_of_idle_sockets (void)
{
  g_auto(GStrv) idle = bawn_handed_dup_idle ();

  for (guint i = 0; idle[i] != NULL; i++)
    bawn_log_warn ("daemon", "systemd has handed over the socket %s, but no [listener] has this address: nobody will be answered there",
                   idle[i]);
}

static guint
ping (void (*pong) (gpointer data), gpointer pong_data, gpointer server)
{
  return bawn_http_server_ping (server, pong, pong_data);
}

static void
serve (BawnDaemon *daemon)
{
  print_banner (daemon);
  warn_of_idle_sockets ();
  bawn_notify ("READY=1");
  daemon->watchdog = bawn_watchdog_new (ping, daemon->http);
  g_main_loop_run (daemon->loop);
}

static void
clear_daemon (BawnDaemon *daemon)
{
  ignore_signals (daemon);
  /* In this order: nobody is sent to a closed door, nor asks a core that has gone. */
  if (daemon->unsealer != NULL)
    bawn_unsealer_stop (daemon->unsealer);
  if (daemon->service != NULL)
    bawn_service_consul_stop (daemon->service);
  g_clear_pointer (&daemon->bus, bawn_bus_stop);
  if (daemon->http != NULL)
    bawn_http_server_stop (daemon->http, daemon->settings->shutdown_timeout_us);
  /* Nobody is left now who could ask for a seal. */
  if (daemon->unsealer != NULL)
    bawn_unsealer_leave (daemon->unsealer);
  if (daemon->core != NULL)
    bawn_core_stop (daemon->core);
  if (daemon->http != NULL)
    bawn_core_set_metric_source (daemon->core, NULL, NULL);
  g_clear_pointer (&daemon->watchdog, bawn_watchdog_free);
  g_clear_pointer (&daemon->status_line, bawn_status_line_free);
  g_clear_pointer (&daemon->unsealer, bawn_unsealer_free);
  g_clear_signal_handler (&daemon->wake_handler, daemon->core);
  g_clear_pointer (&daemon->http, bawn_http_server_free);
  g_clear_object (&daemon->core);
  g_clear_pointer (&daemon->service, bawn_service_consul_unref);
  g_clear_pointer (&daemon->service_options, bawn_service_consul_options_free);
  g_clear_pointer (&daemon->bus_name, g_free);
  g_clear_object (&daemon->store);
  g_clear_object (&daemon->elections);
  g_clear_pointer (&daemon->dev, bawn_dev_free);
  g_clear_pointer (&daemon->cluster, bawn_cluster_settings_free);
  g_clear_pointer (&daemon->seal_settings, bawn_seal_settings_free);
  g_clear_object (&daemon->seal);
  g_clear_pointer (&daemon->settings, bawn_settings_free);
  g_clear_pointer (&daemon->config, bawn_config_unref);
  g_clear_pointer (&daemon->loop, g_main_loop_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BawnDaemon, clear_daemon)

/* A shell has not the credentials of the service, which is no mistake. */
static int
check_config (BawnDaemon *daemon)
{
  (void) read_storage_keys (daemon);

  g_auto(GStrv) warnings = bawn_check_machine (daemon->config, daemon->settings, daemon->cluster);
  g_auto(GStrv) problems = bawn_config_dup_problems (daemon->config);
  guint n_mistakes = 0;
  for (guint i = 0; warnings[i] != NULL; i++)
    fprintf (stderr, "warning: %s\n", warnings[i]);
  for (guint i = 0; problems[i] != NULL; i++)
    if (bawn_credential_is_out_of_reach (problems[i]))
      fprintf (stderr, "warning: %s: only the service gets its credentials\n", problems[i]);
    else
      {
        fprintf (stderr, "%s\n", problems[i]);
        n_mistakes++;
      }
  if (n_mistakes > 0)
    return EXIT_CONFIG;

  printf (warnings[0] == NULL && problems[0] == NULL ? "the configuration is fine\n"
                                                     : "the configuration is fine, but see the warnings\n");
  return EXIT_SUCCESS;
}

static int
run (const BawnArguments *arguments)
{
  g_auto(BawnDaemon) daemon = { .loop = g_main_loop_new (NULL, FALSE) };
  g_autoptr(GError) error = NULL;

  if (!read_config (&daemon, arguments, &error))
    {
      fprintf (stderr, "bawnd: %s\n", error->message);
      return EXIT_CONFIG;
    }
  if (arguments->check_config)
    return check_config (&daemon);

  const char *level = arguments->log_level != NULL ? arguments->log_level : daemon.settings->log_level;
  BawnLogLevel log_level = BAWN_LOG_INFO;
  if (!bawn_log_level_parse (level, &log_level))
    {
      fprintf (stderr, "bawnd: unknown log level \"%s\"\n", level);
      return EXIT_CONFIG;
    }
  bawn_log_set_level (log_level);
  if (arguments->release_lease)
    return bawn_cluster_release_lease (daemon.cluster, daemon.config, daemon.settings->storage_type);
  if (!bawn_process_harden (&error) || !bawn_secret_arena_open (!daemon.settings->disable_mlock, &error)
      || !start (&daemon, arguments, &error))
    {
      print_failure (daemon.config, error);
      return bawn_error_is (error, BAWN_ERROR_INVALID) ? EXIT_CONFIG : EXIT_FAILURE;
    }

  serve (&daemon);
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  g_auto(BawnArguments) arguments = { 0 };
  g_autoptr(GError) error = NULL;

  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  bawn_log_init ("bawnd");
  bawn_builtins_register ();
  if (!parse_arguments (&arguments, &argc, &argv, &error))
    {
      fprintf (stderr, "bawnd: %s\n", error->message);
      return EXIT_FAILURE;
    }
  if (arguments.version)
    {
      printf ("bawnd %s (API %s)\n", PACKAGE_VERSION, BAWN_API_VERSION);
      return EXIT_SUCCESS;
    }

  return run (&arguments);
}
