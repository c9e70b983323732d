/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* Settings that are stored (CORS), and what the server is made of: catalogue, versions, sanitized
 * configuration. */

#define CORS_KEY "sys/config/cors"
#define VERSIONS_KEY "sys/versions"

/* Headers that are always allowed from other origins, since clients of the API send them. */
static const char *const standard_headers[] = {
  "Content-Type",
  "X-Requested-With",
  "X-Vault-MFA",
  "X-Vault-No-Request-Forwarding",
  "X-Vault-Wrap-Format",
  "X-Vault-Wrap-TTL",
  "X-Vault-Policy-Override",
  "Authorization",
  "X-Vault-Token",
  NULL,
};

static BawnResponse *
cors_read (BawnEngine *engine G_GNUC_UNUSED,
           BawnRequest *request G_GNUC_UNUSED,
           BawnTxn *txn,
           GError **error)
{
  g_autoptr (GBytes) stored = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_txn_get (txn, CORS_KEY, &stored, error))
    return NULL;
  if (stored != NULL)
    {
      BawnResponse *response = bawn_response_new_data (g_steal_pointer (&stored));

      response->form = BAWN_RESPONSE_INJECTED;
      return response;
    }

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "enabled", FALSE);
  bawn_json_writer_end_object (&w);
  return bawn_sys_injected (&w);
}

static GStrv
with_standard_headers (GStrv given)
{
  g_autoptr (GStrvBuilder) headers = g_strv_builder_new ();

  for (guint i = 0; standard_headers[i] != NULL; i++)
    g_strv_builder_add (headers, standard_headers[i]);
  for (guint i = 0; given != NULL && given[i] != NULL; i++)
    if (!g_strv_contains (standard_headers, given[i]))
      g_strv_builder_add (headers, given[i]);

  return g_strv_builder_end (headers);
}

static BawnResponse *
cors_write (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_auto (GStrv) origins = NULL;
  g_auto (GStrv) given = NULL;
  gboolean enable = TRUE;

  if (!bawn_field_strv (request, "allowed_origins", &origins, error)
      || !bawn_field_strv (request, "allowed_headers", &given, error)
      || !bawn_field_bool (request, "enable", &enable, error))
    return NULL;
  if (origins == NULL || origins[0] == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "at least one origin or the wildcard must be provided");
  if (g_strv_contains ((const char *const *) origins, "*") && origins[1] != NULL)
    return bawn_fail_null (
        error, BAWN_ERROR_INVALID,
        "to allow all origins the '*' must be the only value for allowed_origins");

  g_auto (GStrv) headers = with_standard_headers (given);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_strv (&w, "allowed_headers", (const char *const *) headers);
  bawn_json_writer_add_strv (&w, "allowed_origins", (const char *const *) origins);
  bawn_json_writer_add_bool (&w, "enabled", TRUE);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, CORS_KEY, value);

  return bawn_response_new_empty ();
}

static BawnResponse *
cors_delete (BawnEngine *engine G_GNUC_UNUSED,
             BawnRequest *request G_GNUC_UNUSED,
             BawnTxn *txn,
             GError **error G_GNUC_UNUSED)
{
  bawn_txn_delete (txn, CORS_KEY);
  return bawn_response_new_empty ();
}

static BawnResponse *
state_sanitized (BawnEngine *engine,
                 BawnRequest *request G_GNUC_UNUSED,
                 BawnTxn *txn G_GNUC_UNUSED,
                 GError **error G_GNUC_UNUSED)
{
  const BawnCoreOptions *options = bawn_core_get_options (bawn_engine_system_get_core (engine));
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "api_addr", options->api_addr != NULL ? options->api_addr : "");
  bawn_json_writer_add_string (&w, "cluster_addr",
                               options->cluster_addr != NULL ? options->cluster_addr : "");
  bawn_json_writer_add_string (&w, "cluster_name",
                               options->cluster_name != NULL ? options->cluster_name : "");
  bawn_json_writer_add_int (&w, "default_lease_ttl", BAWN_SYSTEM_TTL_US / G_USEC_PER_SEC);
  bawn_json_writer_add_int (&w, "max_lease_ttl", BAWN_SYSTEM_TTL_US / G_USEC_PER_SEC);
  bawn_json_writer_name (&w, "storage");
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_bool (&w, "disable_clustering", options->ha_backend == NULL);
  bawn_json_writer_add_string (&w, "type",
                               options->storage_type != NULL ? options->storage_type : "");
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* Engines that only the server itself mounts are not in the catalogue. */
static GStrv
catalog_names (BawnCore *core, const char *type)
{
  static const char *const own[] = { "system", "cubbyhole", "token", "identity", NULL };
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  gboolean is_auth = g_str_equal (type, "auth");
  g_auto (GStrv) all = is_auth || g_str_equal (type, "secret")
                           ? bawn_core_engine_names (core, is_auth)
                           : g_new0 (char *, 1);

  for (guint i = 0; all[i] != NULL; i++)
    if (!g_strv_contains (own, all[i]))
      g_strv_builder_add (names, all[i]);

  return g_strv_builder_end (names);
}

static const char *const catalog_types[] = { "auth", "database", "secret", NULL };

static BawnResponse *
catalog_list (BawnEngine *engine,
              BawnRequest *request G_GNUC_UNUSED,
              BawnTxn *txn G_GNUC_UNUSED,
              GError **error G_GNUC_UNUSED)
{
  BawnCore *core = bawn_engine_system_get_core (engine);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; catalog_types[i] != NULL; i++)
    {
      g_auto (GStrv) names = catalog_names (core, catalog_types[i]);

      bawn_json_writer_add_strv (&w, catalog_types[i], (const char *const *) names);
    }
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

static BawnResponse *
catalog_list_type (BawnEngine *engine,
                   BawnRequest *request,
                   BawnTxn *txn G_GNUC_UNUSED,
                   GError **error)
{
  const char *type = bawn_request_param (request, "type");

  if (!g_strv_contains (catalog_types, type))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "missing plugin type");

  g_auto (GStrv) names = catalog_names (bawn_engine_system_get_core (engine), type);
  return bawn_response_new_keys ((const char *const *) names);
}

static BawnResponse *
catalog_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn G_GNUC_UNUSED, GError **error)
{
  const char *name = bawn_request_param (request, "name");
  g_auto (GStrv) names =
      catalog_names (bawn_engine_system_get_core (engine), bawn_request_param (request, "type"));
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!g_strv_contains ((const char *const *) names, name))
    return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "%s", "");

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "args");
  bawn_json_writer_begin_array (&w);
  bawn_json_writer_end_array (&w);
  bawn_json_writer_add_bool (&w, "builtin", TRUE);
  bawn_json_writer_add_string (&w, "command", "");
  bawn_json_writer_add_string (&w, "name", name);
  bawn_json_writer_add_string (&w, "sha256", "");
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* [{"version":…,"timestamp_installed":…,"previous_version":…}, …], oldest first. */
static gboolean
load_versions (BawnTxn *txn, BawnJson **out_json, GError **error)
{
  g_autoptr (GBytes) stored = NULL;

  if (!bawn_txn_get (txn, VERSIONS_KEY, &stored, error))
    return FALSE;

  *out_json =
      stored != NULL ? bawn_json_parse (stored, NULL, error) : bawn_json_parse_string ("[]", error);
  return *out_json != NULL;
}

static gboolean
note_version (BawnCore *core, BawnTxn *txn, gpointer unused G_GNUC_UNUSED, GError **error)
{
  g_autoptr (BawnJson) json = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  const BawnJsonNode *last = NULL;

  if (!load_versions (txn, &json, error))
    return FALSE;

  bawn_json_writer_begin_array (&w);
  for (const BawnJsonNode *row = bawn_json_root (json)->children; row != NULL; row = row->next)
    {
      bawn_json_writer_node (&w, row);
      last = row;
    }

  const char *previous = last != NULL ? bawn_json_get_string (last, "version", NULL) : NULL;
  if (g_strcmp0 (previous, BAWN_API_VERSION) == 0)
    return TRUE;

  g_autofree char *now = bawn_time_format (bawn_clock_real_us (bawn_core_get_clock (core)));
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "version", BAWN_API_VERSION);
  bawn_json_writer_add_string (&w, "timestamp_installed", now);
  if (previous != NULL)
    bawn_json_writer_add_string (&w, "previous_version", previous);
  else
    bawn_json_writer_add_null (&w, "previous_version");
  bawn_json_writer_end_object (&w);
  bawn_json_writer_end_array (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);
  bawn_txn_put (txn, VERSIONS_KEY, value);
  return TRUE;
}

gboolean
bawn_sys_note_version (BawnCore *core, GError **error)
{
  return bawn_core_transact (core, note_version, NULL, error);
}

static BawnResponse *
version_history (BawnEngine *engine G_GNUC_UNUSED,
                 BawnRequest *request G_GNUC_UNUSED,
                 BawnTxn *txn,
                 GError **error)
{
  g_autoptr (BawnJson) json = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!load_versions (txn, &json, error))
    return NULL;

  const BawnJsonNode *rows = bawn_json_root (json)->children;
  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "key_info");
  bawn_json_writer_begin_object (&w);
  for (const BawnJsonNode *row = rows; row != NULL; row = row->next)
    {
      bawn_json_writer_name (&w, bawn_json_get_string (row, "version", ""));
      bawn_json_writer_begin_object (&w);
      bawn_json_writer_add_string (&w, "build_date", "");
      bawn_json_writer_name (&w, "previous_version");
      bawn_json_writer_node (&w, bawn_json_get (row, "previous_version"));
      bawn_json_writer_add_string (&w, "timestamp_installed",
                                   bawn_json_get_string (row, "timestamp_installed", ""));
      bawn_json_writer_end_object (&w);
    }
  bawn_json_writer_end_object (&w);
  bawn_json_writer_name (&w, "keys");
  bawn_json_writer_begin_array (&w);
  for (const BawnJsonNode *row = rows; row != NULL; row = row->next)
    bawn_json_writer_string (&w, bawn_json_get_string (row, "version", ""));
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  BawnResponse *response = bawn_response_new_writer (&w);
  response->is_list = TRUE;
  return response;
}

/* Replication is not a thing here; the web interface and `debug` ask. */
static BawnResponse *
replication_status (BawnEngine *engine G_GNUC_UNUSED,
                    BawnRequest *request G_GNUC_UNUSED,
                    BawnTxn *txn G_GNUC_UNUSED,
                    GError **error G_GNUC_UNUSED)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "mode", "disabled");
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

const BawnRoute bawn_sys_config_routes[] = {
  { "config/cors", BAWN_OP_READ, cors_read, BAWN_ROUTE_SUDO, "Shows the CORS configuration." },
  { "config/cors", BAWN_OP_WRITE, cors_write, BAWN_ROUTE_SUDO,
    "Configures or disables CORS configuration." },
  { "config/cors", BAWN_OP_DELETE, cors_delete, BAWN_ROUTE_SUDO,
    "Clears the CORS configuration and disables acceptance of CORS requests." },
  { "config/state/sanitized", BAWN_OP_READ, state_sanitized, BAWN_ROUTE_NONE,
    "The effective configuration without secrets." },
  { "plugins/catalog", BAWN_OP_READ, catalog_list, BAWN_ROUTE_NONE,
    "Lists all the plugins known." },
  { "plugins/catalog/{type}", BAWN_OP_LIST, catalog_list_type, BAWN_ROUTE_SUDO,
    "Lists the plugins of a type." },
  { "plugins/catalog/{type}/{name}", BAWN_OP_READ, catalog_read, BAWN_ROUTE_SUDO,
    "Shows a plugin." },
  { "version-history", BAWN_OP_LIST, version_history, BAWN_ROUTE_NONE,
    "Lists the versions that ran on this storage." },
  { "replication/status", BAWN_OP_READ, replication_status, BAWN_ROUTE_OPEN,
    "The state of replication: there is none." },
  { 0 },
};
