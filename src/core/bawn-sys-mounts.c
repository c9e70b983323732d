/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/mounts and sys/auth: the same table seen through two windows. A row's path ends in the
 * mount's own, which may have several segments, and perhaps "/tune": the route can only say "the
 * rest", so that word is looked for here. */

#define TUNE_SUFFIX "/tune"

/* Paths that are the server's own. */
static const char *const protected_mounts[] = { "audit/",    "auth/", "cubbyhole/",
                                                "identity/", "sys/",  NULL };
static const char *const singleton_types[] = { "cubbyhole", "identity",  "system",
                                               "token",     "ns_system", NULL };

static gboolean
is_auth_path (BawnRequest *request)
{
  return g_str_has_prefix (request->rest, "auth");
}

/* The part before "/tune"; NULL if the path does not end so. */
static char *
tuned_path (const char *given)
{
  g_autofree char *path = bawn_sys_mount_path (given, FALSE);
  gsize size = strlen (path);

  if (!g_str_has_suffix (path, TUNE_SUFFIX "/"))
    return NULL;

  path[size - strlen (TUNE_SUFFIX)] = '\0';
  return g_steal_pointer (&path);
}

static BawnResponse *
list_mounts (BawnTxn *txn, gboolean is_auth, GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; i < bawn_mount_table_size (table); i++)
    {
      const BawnMount *mount = bawn_mount_table_index (table, i);

      if (bawn_sys_mount_is_auth (mount) != is_auth)
        continue;
      bawn_json_writer_name (&w, mount->path + (is_auth ? strlen ("auth/") : 0));
      bawn_sys_mount_write (&w, mount);
    }
  bawn_json_writer_end_object (&w);

  return bawn_sys_injected (&w);
}

static BawnResponse *
mounts_list (BawnEngine *engine G_GNUC_UNUSED, BawnRequest *request, BawnTxn *txn, GError **error)
{
  return list_mounts (txn, is_auth_path (request), error);
}

static BawnResponse *
read_one (BawnTxn *txn, const char *path, gboolean is_auth, GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  const BawnMount *mount = bawn_mount_table_lookup (table, path);
  if (mount == NULL && is_auth)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "No auth engine at %s", path);
  if (mount == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "No secret engine mount at %s", path);

  bawn_sys_mount_write (&w, mount);
  return bawn_response_new_writer (&w);
}

static BawnResponse *
mount_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *given = bawn_request_param (request, "path");
  gboolean is_auth = is_auth_path (request);
  g_autofree char *tuned = tuned_path (given);

  if (tuned != NULL)
    {
      g_autofree char *path = bawn_sys_mount_path (tuned, is_auth);

      return bawn_sys_tune_read (engine, request, txn, path, error);
    }

  g_autofree char *path = bawn_sys_mount_path (given, is_auth);
  return read_one (txn, path, is_auth, error);
}

/* "plugin" names the real type elsewhere: old clients mount so. */
static gboolean
read_type (BawnRequest *request, BawnRequest *config, char **out_type, GError **error)
{
  g_autofree char *type = NULL;
  g_autofree char *plugin = NULL;

  if (!bawn_field_string (request, "type", &type, error)
      || !bawn_field_string (request, "plugin_name", &plugin, error)
      || (config != NULL && plugin == NULL
          && !bawn_field_string (config, "plugin_name", &plugin, error)))
    return FALSE;
  if (type != NULL && g_str_equal (type, "plugin"))
    {
      if (plugin == NULL || *plugin == '\0')
        return bawn_fail (error, BAWN_ERROR_INVALID,
                          "plugin_name must be provided for plugin backend");
      g_free (type);
      type = g_steal_pointer (&plugin);
    }
  if (type == NULL || *type == '\0')
    return bawn_fail (error, BAWN_ERROR_INVALID, "backend type must be specified as a string");

  *out_type = g_steal_pointer (&type);
  return TRUE;
}

static void
set_version (GHashTable **inout_options, const char *version)
{
  if (*inout_options == NULL)
    *inout_options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_hash_table_replace (*inout_options, g_strdup ("version"), g_strdup (version));
}

/* kv-v1, kv-v2 and generic are older or shorter names of kv. */
static gboolean
resolve_alias (char **inout_type, GHashTable **inout_options, GError **error)
{
  static const struct
  {
    const char *alias;
    const char *version;
  } aliases[] = { { "kv-v1", "1" }, { "kv-v2", "2" }, { "generic", NULL } };
  const char *version = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (aliases); i++)
    if (g_str_equal (*inout_type, aliases[i].alias))
      {
        g_free (*inout_type);
        *inout_type = g_strdup ("kv");
        if (aliases[i].version != NULL)
          set_version (inout_options, aliases[i].version);
      }

  if (*inout_options != NULL)
    version = g_hash_table_lookup (*inout_options, "version");
  if (version == NULL || *version == '\0')
    return TRUE;
  if (!g_str_equal (*inout_type, "kv"))
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "secrets engine \"%s\" does not allow setting a version", *inout_type);
  if (!g_str_equal (version, "1") && !g_str_equal (version, "2"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "invalid version provided: %s", version);

  return TRUE;
}

static gboolean
check_ttls (const BawnMount *mount, GError **error)
{
  if (mount->max_ttl_us != 0 && mount->default_ttl_us > mount->max_ttl_us)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given default lease TTL greater than given max lease TTL");
  if (mount->max_ttl_us == 0 && mount->default_ttl_us > BAWN_SYSTEM_TTL_US)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "given default lease TTL greater than system max lease TTL of %d",
                      (int) (BAWN_SYSTEM_TTL_US / G_USEC_PER_SEC));

  return TRUE;
}

/* The new row as asked for; nothing is looked up yet. */
static BawnMount *
mount_from_request (BawnRequest *request, const char *path, GError **error)
{
  gboolean is_auth = is_auth_path (request);
  g_autoptr (BawnRequest) config = NULL;
  g_autoptr (GHashTable) options = NULL;
  g_autofree char *type = NULL;

  if (!bawn_sys_sub_request (request, "config", &config, error)
      || !read_type (request, config, &type, error)
      || !bawn_field_map (request, "options", &options, error))
    return NULL;
  if (options != NULL && g_hash_table_size (options) == 0)
    g_clear_pointer (&options, g_hash_table_unref);
  if (!resolve_alias (&type, &options, error))
    return NULL;

  g_autoptr (BawnMount) mount = bawn_mount_table_make (path, type);
  if (!bawn_field_string (request, "description", &mount->description, error)
      || !bawn_field_bool (request, "local", &mount->local, error)
      || !bawn_field_bool (request, "seal_wrap", &mount->seal_wrap, error)
      || !bawn_field_bool (request, "external_entropy_access", &mount->external_entropy_access,
                           error)
      || (config != NULL && !bawn_sys_mount_config_read (config, mount, error))
      || !check_ttls (mount, error))
    return NULL;

  g_clear_pointer (&mount->options, g_hash_table_unref);
  mount->options = g_steal_pointer (&options);
  if (is_auth && mount->token_type == NULL)
    mount->token_type = g_strdup ("default-service");

  return g_steal_pointer (&mount);
}

static gboolean
check_place (const BawnMountTable *table, const BawnMount *mount, gboolean is_auth, GError **error)
{
  if (!is_auth && bawn_sys_mount_is_protected (mount->path, protected_mounts))
    return bawn_fail (error, BAWN_ERROR_INVALID, "cannot mount \"%s\"", mount->path);
  if (is_auth && g_str_equal (mount->type, "token"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "token credential backend cannot be instantiated");
  if (g_strv_contains (singleton_types, mount->type))
    return bawn_fail (error, BAWN_ERROR_INVALID, "mount type of \"%s\" is not mountable",
                      mount->type);

  const BawnMount *other = bawn_mount_table_conflict (table, mount->path);
  if (other != NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "path is already in use at %s", other->path);

  return TRUE;
}

static BawnResponse *
mount_enable (
    BawnEngine *system, BawnRequest *request, BawnTxn *txn, const char *path, GError **error)
{
  BawnCore *core = bawn_engine_system_get_core (system);
  gboolean is_auth = is_auth_path (request);
  g_autoptr (BawnMountTable) table = NULL;
  g_autoptr (BawnMount) mount = mount_from_request (request, path, error);

  if (mount == NULL || !bawn_mount_table_get (txn, &table, error)
      || !check_place (table, mount, is_auth, error))
    return NULL;

  BawnEngine *engine = bawn_core_lookup_engine (core, mount->type, is_auth);
  if (engine == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "plugin not found in the catalog: %s",
                           mount->type);

  g_autoptr (BawnMountTable) grown = bawn_mount_table_add (table, bawn_mount_ref (mount));
  bawn_mount_table_put (txn, grown);

  BawnEngineClass *engine_class = BAWN_ENGINE_GET_CLASS (engine);
  g_autoptr (BawnTxn) scoped = bawn_txn_scope (txn, mount->view);
  if (engine_class->mounted != NULL && !engine_class->mounted (engine, mount, scoped, error))
    return NULL;

  return bawn_response_new_empty ();
}

static BawnResponse *
mount_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *given = bawn_sys_need_rest (request, "path", error);
  gboolean is_auth = is_auth_path (request);
  g_autofree char *tuned = given != NULL ? tuned_path (given) : NULL;

  if (given == NULL)
    return NULL;
  if (tuned != NULL)
    {
      g_autofree char *path = bawn_sys_mount_path (tuned, is_auth);

      return bawn_sys_tune_write (engine, request, txn, path, error);
    }

  g_autofree char *path = bawn_sys_mount_path (given, is_auth);
  if (strlen (path) > BAWN_SYS_MOUNT_PATH_MAX)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "a mount's path has at most %d bytes",
                           BAWN_SYS_MOUNT_PATH_MAX);

  return mount_enable (engine, request, txn, path, error);
}

static void
kick_expiry (gpointer core, gpointer unused G_GNUC_UNUSED)
{
  bawn_core_kick_expiry (BAWN_CORE (core));
}

static BawnResponse *
mount_disable (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *given = bawn_sys_need_rest (request, "path", error);
  gboolean is_auth = is_auth_path (request);
  g_autofree char *path = given != NULL ? bawn_sys_mount_path (given, is_auth) : NULL;
  g_autoptr (BawnMountTable) table = NULL;

  if (path == NULL)
    return NULL;
  if (g_str_equal (path, "auth/token/"))
    return bawn_fail_null (error, BAWN_ERROR_INVALID,
                           "token credential backend cannot be disabled");
  if (!is_auth && bawn_sys_mount_is_protected (path, protected_mounts))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "cannot unmount \"%s\"", path);
  if (!bawn_mount_table_get (txn, &table, error))
    return NULL;

  g_autoptr (BawnResponse) response = bawn_response_new_empty ();
  if (bawn_mount_table_lookup (table, path) == NULL)
    return g_steal_pointer (&response);

  g_autoptr (BawnMountTable) shrunk = bawn_mount_table_remove (table, path);
  bawn_mount_table_put (txn, shrunk);
  bawn_response_after_commit (response, kick_expiry,
                              g_object_ref (bawn_engine_system_get_core (engine)), g_object_unref);

  return g_steal_pointer (&response);
}

const BawnRoute bawn_sys_mounts_routes[] = {
  { "mounts", BAWN_OP_READ | BAWN_OP_LIST, mounts_list, BAWN_ROUTE_NONE,
    "List the currently mounted backends." },
  { "mounts/{path...}", BAWN_OP_READ, mount_read, BAWN_ROUTE_NONE,
    "Read a mount, or with /tune what it is tuned to." },
  { "mounts/{path...}", BAWN_OP_WRITE, mount_write, BAWN_ROUTE_NONE,
    "Mount a new backend, or with /tune change one." },
  { "mounts/{path...}", BAWN_OP_DELETE, mount_disable, BAWN_ROUTE_NONE, "Unmount a backend." },
  { "auth", BAWN_OP_READ | BAWN_OP_LIST, mounts_list, BAWN_ROUTE_NONE,
    "List the currently enabled credential backends." },
  { "auth/{path...}", BAWN_OP_READ, mount_read, BAWN_ROUTE_SUDO,
    "Read an auth method, or with /tune what it is tuned to." },
  { "auth/{path...}", BAWN_OP_WRITE, mount_write, BAWN_ROUTE_SUDO,
    "Enable an auth method, or with /tune change one." },
  { "auth/{path...}", BAWN_OP_DELETE, mount_disable, BAWN_ROUTE_SUDO, "Disable an auth method." },
  { 0 },
};
