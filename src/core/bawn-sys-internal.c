/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "core/bawn-sys-private.h"

/* sys/internal: what the command line and the web interface ask for before they do anything else.
 */

#define AUTH_PREFIX "auth/"

static void
write_info (BawnJsonWriter *w, const BawnMount *mount, gboolean full, const char *path)
{
  bawn_json_writer_begin_object (w);
  if (full)
    {
      bawn_json_writer_add_string (w, "accessor", mount->accessor);
      bawn_json_writer_name (w, "config");
      bawn_json_writer_begin_object (w);
      bawn_json_writer_add_int (w, "default_lease_ttl", mount->default_ttl_us / G_USEC_PER_SEC);
      bawn_json_writer_add_bool (w, "force_no_cache", mount->force_no_cache);
      bawn_json_writer_add_int (w, "max_lease_ttl", mount->max_ttl_us / G_USEC_PER_SEC);
      bawn_sys_mount_config_write (w, mount);
      bawn_json_writer_end_object (w);
    }
  bawn_json_writer_add_string (w, "description",
                               mount->description != NULL ? mount->description : "");
  if (full)
    {
      bawn_json_writer_add_bool (w, "external_entropy_access", mount->external_entropy_access);
      bawn_json_writer_add_bool (w, "local", mount->local);
    }
  bawn_json_writer_name (w, "options");
  bawn_sys_write_map (w, mount->options);
  if (path != NULL)
    bawn_json_writer_add_string (w, "path", path);
  if (full)
    bawn_json_writer_add_bool (w, "seal_wrap", mount->seal_wrap);
  bawn_json_writer_add_string (w, "type", mount->type);
  if (full)
    bawn_json_writer_add_string (w, "uuid", mount->uuid);
  bawn_json_writer_end_object (w);
}

static void
write_window (BawnJsonWriter *w,
              const char *name,
              const BawnMountTable *table,
              const BawnAcl *acl,
              gboolean is_auth)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_begin_object (w);
  for (guint i = 0; i < bawn_mount_table_size (table); i++)
    {
      const BawnMount *mount = bawn_mount_table_index (table, i);
      gboolean listed = g_strcmp0 (mount->listing_visibility, "unauth") == 0;
      gboolean touched = acl != NULL && bawn_acl_touches (acl, mount->path);

      if (bawn_sys_mount_is_auth (mount) != is_auth || (!listed && !touched))
        continue;
      bawn_json_writer_name (w, mount->path + (is_auth ? strlen (AUTH_PREFIX) : 0));
      write_info (w, mount, touched, NULL);
    }
  bawn_json_writer_end_object (w);
}

static BawnResponse *
ui_mounts (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnMountTable) table = NULL;
  g_autoptr (BawnAcl) acl = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_mount_table_get (txn, &table, error)
      || !bawn_sys_caller_acl (engine, request, txn, &acl, error))
    return NULL;
  if (request->token != NULL && acl == NULL)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");

  bawn_json_writer_begin_object (&w);
  write_window (&w, "auth", table, acl, TRUE);
  write_window (&w, "secret", table, acl, FALSE);
  bawn_json_writer_end_object (&w);

  return bawn_response_new_writer (&w);
}

/* The words are the API's; an answer rather than an error, because refusals have one fixed text. */
static BawnResponse *
refuse_preflight (const char *path)
{
  g_autofree char *text = g_strdup_printf ("preflight capability check returned 403, please ensure "
                                           "client's policies grant access to path \"%s\"",
                                           path);

  return bawn_response_new_bare (403, bawn_errors_encode (text));
}

/* What clients ask before every kv command: which mount a path is of, and so which version. */
static BawnResponse *
ui_mount (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *given = bawn_request_param (request, "path");
  g_autofree char *path = bawn_sys_mount_path (given, FALSE);
  g_autoptr (BawnMountTable) table = NULL;
  g_autoptr (BawnAcl) acl = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_mount_table_get (txn, &table, error)
      || !bawn_sys_caller_acl (engine, request, txn, &acl, error))
    return NULL;
  if (acl == NULL)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");

  const BawnMount *mount = bawn_mount_table_route (table, path);
  if (mount == NULL || !bawn_acl_touches (acl, mount->path))
    return refuse_preflight (path);

  write_info (&w, mount, TRUE, mount->path);
  return bawn_response_new_writer (&w);
}

static BawnResponse *
resultant_acl (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnAcl) acl = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_sys_caller_acl (engine, request, txn, &acl, error))
    return NULL;
  if (acl == NULL)
    return bawn_fail_null (error, BAWN_ERROR_DENIED, "permission denied");

  bawn_acl_write (acl, &w);
  return bawn_response_new_writer (&w);
}

static void
write_total (BawnJsonWriter *w, const char *name, gint64 total)
{
  bawn_json_writer_begin_object (w);
  bawn_json_writer_name (w, "counters");
  bawn_json_writer_begin_object (w);
  bawn_json_writer_name (w, name);
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_int (w, "total", total);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
  bawn_json_writer_end_object (w);
}

static BawnResponse *
count_tokens (BawnEngine *engine, BawnRequest *request G_GNUC_UNUSED, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnActive) active = bawn_engine_system_ref_active (engine, error);
  g_auto (GStrv) accessors = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (active == NULL
      || !bawn_token_store_list_accessors (active->tokens, txn, &accessors, error))
    return NULL;

  write_total (&w, "service_tokens", g_strv_length (accessors));
  return bawn_response_new_writer (&w);
}

/* There is no identity engine, so no entities. */
static BawnResponse *
count_entities (BawnEngine *engine G_GNUC_UNUSED,
                BawnRequest *request G_GNUC_UNUSED,
                BawnTxn *txn G_GNUC_UNUSED,
                GError **error G_GNUC_UNUSED)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  write_total (&w, "entities", 0);
  return bawn_response_new_writer (&w);
}

/* Requests are counted per month by nobody any more: the API answers with none since 1.9 or so. */
static BawnResponse *
count_requests (BawnEngine *engine G_GNUC_UNUSED,
                BawnRequest *request G_GNUC_UNUSED,
                BawnTxn *txn G_GNUC_UNUSED,
                GError **error G_GNUC_UNUSED)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_null (&w, "counters");
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

/* Client counting is off, and an answer without content says that there is nothing to show. */
static BawnResponse *
count_activity (BawnEngine *engine G_GNUC_UNUSED,
                BawnRequest *request G_GNUC_UNUSED,
                BawnTxn *txn G_GNUC_UNUSED,
                GError **error G_GNUC_UNUSED)
{
  return bawn_response_new_empty ();
}

static BawnResponse *
counting_config (BawnEngine *engine G_GNUC_UNUSED,
                 BawnRequest *request G_GNUC_UNUSED,
                 BawnTxn *txn G_GNUC_UNUSED,
                 GError **error G_GNUC_UNUSED)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "default_report_months", 12);
  bawn_json_writer_add_string (&w, "enabled", "default-disabled");
  bawn_json_writer_add_bool (&w, "queries_available", FALSE);
  bawn_json_writer_add_int (&w, "retention_months", 24);
  bawn_json_writer_end_object (&w);
  return bawn_response_new_writer (&w);
}

const BawnRoute bawn_sys_internal_routes[] = {
  { "internal/ui/mounts", BAWN_OP_READ, ui_mounts, BAWN_ROUTE_OPEN,
    "Information about mounts returned according to their visibility." },
  { "internal/ui/mounts/{path...}", BAWN_OP_READ, ui_mount, BAWN_ROUTE_OPEN,
    "Information about the mount that a path is of." },
  { "internal/ui/resultant-acl", BAWN_OP_READ, resultant_acl, BAWN_ROUTE_NONE,
    "Information about a token's resultant ACL." },
  { "internal/counters/requests", BAWN_OP_READ, count_requests, BAWN_ROUTE_NONE,
    "Count of requests seen." },
  { "internal/counters/tokens", BAWN_OP_READ, count_tokens, BAWN_ROUTE_NONE,
    "Count of service tokens." },
  { "internal/counters/entities", BAWN_OP_READ, count_entities, BAWN_ROUTE_NONE,
    "Count of entities." },
  { "internal/counters/activity", BAWN_OP_READ, count_activity, BAWN_ROUTE_NONE,
    "Count of clients." },
  { "internal/counters/config", BAWN_OP_READ, counting_config, BAWN_ROUTE_NONE,
    "How clients are counted." },
  { 0 },
};
