/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/bawn-cli-mount.h"

#include <glib/gi18n.h>
#include <string.h>

const BawnCliMountKind bawn_cli_mount_engine = { "sys/mounts", "sys/mounts", FALSE };
/* Tuned as a mount: that needs less of a token than sys/auth does. */
const BawnCliMountKind bawn_cli_mount_auth = { "sys/auth", "sys/mounts/auth", TRUE };

/* Which of these suit an engine or a method is for the server to say. */
const BawnCliFlag bawn_cli_flags_mount_config[] = {
  { "description", BAWN_CLI_FLAG_STRING, "TEXT", N_ ("What it is for, for people.") },
  { "default-lease-ttl", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("How long leases and tokens of it live; “system” is the server's setting.") },
  { "max-lease-ttl", BAWN_CLI_FLAG_DURATION, "DURATION",
    N_ ("How long they live at most; “system” is the server's setting.") },
  { "audit-non-hmac-request-keys", BAWN_CLI_FLAG_LIST, "KEY",
    N_ ("Show this key of requests in the audit log as it is. May be repeated.") },
  { "audit-non-hmac-response-keys", BAWN_CLI_FLAG_LIST, "KEY",
    N_ ("Show this key of answers in the audit log as it is. May be repeated.") },
  { "listing-visibility", BAWN_CLI_FLAG_STRING, "WHO",
    N_ ("Who may see that it is there: “unauth” is everybody, “hidden” nobody without a token."),
    "hidden unauth" },
  { "passthrough-request-headers", BAWN_CLI_FLAG_LIST, "NAME",
    N_ ("Let this header of requests through to it. May be repeated.") },
  { "allowed-response-headers", BAWN_CLI_FLAG_LIST, "NAME",
    N_ ("Let it set this header of answers. May be repeated.") },
  { "options", BAWN_CLI_FLAG_MAP, "KEY=VALUE", N_ ("An option of its type. May be repeated.") },
  { "version", BAWN_CLI_FLAG_INT, "N",
    N_ ("Version of a key/value engine: 1 or 2. The same as -options=version=N.") },
  { "token-type", BAWN_CLI_FLAG_STRING, "TYPE",
    N_ ("What kind of tokens a login by this method gives."),
    "default-service default-batch service batch" },
  { NULL },
};

const BawnCliFlag bawn_cli_flags_mount_enable[] = {
  { "path", BAWN_CLI_FLAG_STRING, "PATH",
    N_ ("Where to mount it; by default at the name of its type.") },
  { "force-no-cache", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Always ask the storage.") },
  { "local", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Keep it out of replication.") },
  { "seal-wrap", BAWN_CLI_FLAG_BOOL, NULL, NULL },
  { "external-entropy-access", BAWN_CLI_FLAG_BOOL, NULL, NULL },
  { "plugin-name", BAWN_CLI_FLAG_STRING, "NAME", NULL },
  { "plugin-version", BAWN_CLI_FLAG_STRING, "VERSION", NULL },
  { NULL },
};

const BawnCliFlag bawn_cli_flags_detailed[] = {
  { "detailed", BAWN_CLI_FLAG_BOOL, NULL, N_ ("Print all there is to know about each.") },
  { NULL },
};

/**
 * bawn_cli_mount_entries:
 * @table: (nullable): an object of objects by path, and perhaps more
 *
 * Returns: (transfer container): those objects, sorted
 */
GPtrArray *
bawn_cli_mount_entries (const BawnJsonNode *table)
{
  GPtrArray *entries = bawn_cli_sort_members (table);

  for (guint i = entries->len; i > 0; i--)
    {
      const BawnJsonNode *node = entries->pdata[i - 1];

      if (node->kind != BAWN_JSON_OBJECT || !g_str_has_suffix (node->name, "/"))
        g_ptr_array_remove_index (entries, i - 1);
    }

  return entries;
}

/* 0 and absent mean the server's own setting. */
static char *
ttl_cell (const BawnJsonNode *config, const char *name)
{
  gint64 seconds = bawn_json_get_int (config, name, 0);

  return seconds > 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, seconds) : g_strdup ("system");
}

static void
add_detailed (BawnCliTable *table, const BawnJsonNode *entry, gboolean is_auth)
{
  const BawnJsonNode *config = bawn_json_get (entry, "config");
  g_autofree char *default_ttl = ttl_cell (config, "default_lease_ttl");
  g_autofree char *max_ttl = ttl_cell (config, "max_lease_ttl");
  const BawnJsonNode *options = bawn_json_get (entry, "options");
  g_autofree char *shown = bawn_json_is (options, BAWN_JSON_OBJECT)
                               ? bawn_cli_render_value_dup (options)
                               : g_strdup ("map[]");
  gboolean local = bawn_json_get_bool (entry, "local", FALSE);
  gboolean no_cache = bawn_json_get_bool (config, "force_no_cache", FALSE);

  bawn_cli_table_add (table, entry->name, bawn_json_get_string (entry, "type", ""),
                      bawn_json_get_string (entry, "accessor", ""), default_ttl, max_ttl,
                      is_auth    ? bawn_json_get_string (config, "token_type", "")
                      : no_cache ? "true"
                                 : "false",
                      local ? "local" : "replicated",
                      bawn_json_get_bool (entry, "seal_wrap", FALSE) ? "true" : "false", shown,
                      bawn_json_get_string (entry, "description", ""),
                      bawn_json_get_string (entry, "uuid", ""), NULL);
}

static void
output_list (BawnCli *cli, const BawnJsonNode *data, gboolean detailed, gboolean is_auth)
{
  static const char *const brief[] = { "Path", "Type", "Accessor", "Description", NULL };
  const char *const full[] = { "Path",        "Type",
                               "Accessor",    "Default TTL",
                               "Max TTL",     is_auth ? "Token Type" : "Force No Cache",
                               "Replication", "Seal Wrap",
                               "Options",     "Description",
                               "UUID",        NULL };
  g_autoptr (BawnCliTable) table = bawn_cli_table_new (detailed ? full : brief);
  g_autoptr (GPtrArray) entries = bawn_cli_mount_entries (data);

  for (guint i = 0; i < entries->len; i++)
    {
      const BawnJsonNode *entry = g_ptr_array_index (entries, i);

      if (detailed)
        add_detailed (table, entry, is_auth);
      else
        bawn_cli_table_add (table, entry->name, bawn_json_get_string (entry, "type", ""),
                            bawn_json_get_string (entry, "accessor", ""),
                            bawn_json_get_string (entry, "description", ""), NULL);
    }
  bawn_cli_output_table (cli, table);
}

/**
 * bawn_cli_mount_list:
 * @cli: surroundings
 * @args: a command line that knows -detailed
 * @kind: what is listed
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if that could not be found out
 */
gboolean
bawn_cli_mount_list (BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind, GError **error)
{
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_read (cli, kind->root, NULL, &reply, error))
    {
      g_prefix_error (error, kind->is_auth ? _ ("Error listing enabled auth methods: ")
                                           : _ ("Error listing secrets engines: "));
      return FALSE;
    }

  const BawnJsonNode *data = bawn_cli_reply_data (reply);
  if (data == NULL)
    return bawn_cli_fail (error, BAWN_CLI_ERROR_REMOTE, _ ("No value found at %s"), kind->root);
  if (bawn_cli_settings (cli)->format == BAWN_CLI_FORMAT_TABLE)
    output_list (cli, data, bawn_cli_args_bool (args, "detailed", FALSE), kind->is_auth);
  else
    bawn_cli_output_node (cli, data);
  return TRUE;
}

static void
add_string (BawnJsonWriter *w, BawnCliArgs *args, const char *flag, const char *name)
{
  if (bawn_cli_args_has (args, flag))
    bawn_json_writer_add_string (w, name, bawn_cli_args_string (args, flag, ""));
}

static void
add_list (BawnJsonWriter *w, BawnCliArgs *args, const char *flag, const char *name)
{
  g_auto (GStrv) values = bawn_cli_args_dup_split (args, flag);

  if (bawn_cli_args_has (args, flag))
    bawn_json_writer_add_strv (w, name, (const char *const *) values);
}

static void
add_duration (BawnJsonWriter *w, BawnCliArgs *args, const char *flag, const char *name)
{
  g_autofree char *value = bawn_cli_args_dup_duration (args, flag);

  if (value != NULL)
    bawn_json_writer_add_string (w, name, value);
}

static void
add_config (BawnJsonWriter *w, BawnCliArgs *args)
{
  add_duration (w, args, "default-lease-ttl", "default_lease_ttl");
  add_duration (w, args, "max-lease-ttl", "max_lease_ttl");
  add_list (w, args, "audit-non-hmac-request-keys", "audit_non_hmac_request_keys");
  add_list (w, args, "audit-non-hmac-response-keys", "audit_non_hmac_response_keys");
  add_string (w, args, "listing-visibility", "listing_visibility");
  add_list (w, args, "passthrough-request-headers", "passthrough_request_headers");
  add_list (w, args, "allowed-response-headers", "allowed_response_headers");
  add_string (w, args, "token-type", "token_type");
}

static void
add_options (BawnJsonWriter *w, BawnCliArgs *args)
{
  const char *const *pairs = bawn_cli_args_list (args, "options");
  gboolean version = bawn_cli_args_has (args, "version");

  if (pairs[0] == NULL && !version)
    return;
  bawn_json_writer_name (w, "options");
  bawn_json_writer_begin_object (w);
  for (guint i = 0; pairs[i] != NULL; i++)
    {
      g_auto (GStrv) parts = g_strsplit (pairs[i], "=", 2);

      if (!version || strcmp (parts[0], "version") != 0)
        bawn_json_writer_add_string (w, parts[0], parts[1]);
    }
  if (version)
    bawn_json_writer_add_string (w, "version", bawn_cli_args_string (args, "version", ""));
  bawn_json_writer_end_object (w);
}

static GBytes *
enable_body (BawnCliArgs *args, const char *type)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "type", type);
  bawn_json_writer_add_string (&w, "description", bawn_cli_args_string (args, "description", ""));
  bawn_json_writer_name (&w, "config");
  bawn_json_writer_begin_object (&w);
  add_config (&w, args);
  if (bawn_cli_args_has (args, "force-no-cache"))
    bawn_json_writer_add_bool (&w, "force_no_cache",
                               bawn_cli_args_bool (args, "force-no-cache", FALSE));
  bawn_json_writer_end_object (&w);
  add_options (&w, args);
  bawn_json_writer_add_bool (&w, "local", bawn_cli_args_bool (args, "local", FALSE));
  bawn_json_writer_add_bool (&w, "seal_wrap", bawn_cli_args_bool (args, "seal-wrap", FALSE));
  bawn_json_writer_add_bool (&w, "external_entropy_access",
                             bawn_cli_args_bool (args, "external-entropy-access", FALSE));
  add_string (&w, args, "plugin-name", "plugin_name");
  add_string (&w, args, "plugin-version", "plugin_version");
  bawn_json_writer_end_object (&w);

  return bawn_json_writer_finish (&w);
}

/**
 * bawn_cli_mount_enable:
 * @cli: surroundings
 * @args: a command line whose operand is a type
 * @kind: what is mounted
 * @out_path: (out) (transfer full): where
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if it is not
 */
gboolean
bawn_cli_mount_enable (
    BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind, char **out_path, GError **error)
{
  const char *type = bawn_cli_args_operand (args, 0);
  g_autofree char *path = bawn_cli_api_clean_path (bawn_cli_args_string (args, "path", type));
  g_autofree char *url = bawn_cli_api_join (kind->root, path);
  g_autoptr (GBytes) body = enable_body (args, type);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_write (cli, url, body, &reply, error))
    return FALSE;

  bawn_cli_output_warnings (reply);
  *out_path = g_strconcat (path, "/", NULL);
  return TRUE;
}

/**
 * bawn_cli_mount_disable:
 * @cli: surroundings
 * @args: a command line whose operand is a path
 * @kind: what is mounted there
 * @out_path: (out) (transfer full): where
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if it may still be there
 */
gboolean
bawn_cli_mount_disable (
    BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind, char **out_path, GError **error)
{
  g_autofree char *path = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 0));
  g_autofree char *url = bawn_cli_api_join (kind->root, path);
  g_autoptr (BawnCliReply) reply = NULL;

  if (!bawn_cli_api_delete (cli, url, NULL, &reply, error))
    return FALSE;

  bawn_cli_output_warnings (reply);
  *out_path = g_strconcat (path, "/", NULL);
  return TRUE;
}

/**
 * bawn_cli_mount_tune:
 * @cli: surroundings
 * @args: a command line whose operand is a path
 * @kind: what is mounted there
 * @out_path: (out) (transfer full): where
 * @error: (out) (optional): what the server or the network said
 *
 * Returns: %FALSE with @error set if nothing was changed
 */
gboolean
bawn_cli_mount_tune (
    BawnCli *cli, BawnCliArgs *args, const BawnCliMountKind *kind, char **out_path, GError **error)
{
  g_autofree char *path = bawn_cli_api_clean_path (bawn_cli_args_operand (args, 0));
  g_autofree char *url = g_strconcat (kind->tune, "/", path, "/tune", NULL);
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;
  g_autoptr (BawnCliReply) reply = NULL;

  bawn_json_writer_begin_object (&w);
  add_string (&w, args, "description", "description");
  add_config (&w, args);
  add_options (&w, args);
  bawn_json_writer_end_object (&w);
  g_autoptr (GBytes) body = bawn_json_writer_finish (&w);
  if (!bawn_cli_api_write (cli, url, body, &reply, error))
    return FALSE;

  bawn_cli_output_warnings (reply);
  *out_path = g_strconcat (path, "/", NULL);
  return TRUE;
}
