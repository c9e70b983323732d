/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

#include <string.h>

#include "crypto/bawn-crypto.h"
#include "logical/bawn-string-map.h"

#define SALT_SIZE 32

/* Records of every request go to every device; more than a few are a mistake. */
#define DEVICES_MAX 32
#define HEADERS_MAX 256

static BawnResponse *
injected (BawnJsonWriter *w)
{
  BawnResponse *response = bawn_response_new_writer (w);

  response->form = BAWN_RESPONSE_INJECTED;

  return response;
}

/* "a/b" and "a/b/" are the same: "a/b/". */
static char *
full_path (BawnRequest *request)
{
  g_autofree char *path = g_strdup (bawn_request_param (request, "path"));
  gsize size = strlen (path);

  while (size > 0 && path[size - 1] == '/')
    path[--size] = '\0';

  return g_strconcat (path, "/", NULL);
}

static BawnResponse *
audit_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnAuditTable) table = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_audit_table_get (txn, &table, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  for (guint i = 0; i < bawn_audit_table_size (table); i++)
    {
      const BawnAuditEntry *entry = bawn_audit_table_index (table, i);

      bawn_json_writer_name (&w, entry->path);
      bawn_json_writer_begin_object (&w);
      bawn_json_writer_add_string (&w, "description", entry->description);
      bawn_json_writer_add_bool (&w, "local", entry->local);
      bawn_json_writer_name (&w, "options");
      bawn_string_map_write (&w, entry->options);
      bawn_json_writer_add_string (&w, "path", entry->path);
      bawn_json_writer_add_string (&w, "type", entry->type);
      bawn_json_writer_end_object (&w);
    }
  bawn_json_writer_end_object (&w);

  return injected (&w);
}

static gboolean
check_free (BawnAuditTable *table, const char *path, GError **error)
{
  if (bawn_audit_table_size (table) >= DEVICES_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "there are %d audit devices already", DEVICES_MAX);

  for (guint i = 0; i < bawn_audit_table_size (table); i++)
    {
      const BawnAuditEntry *entry = bawn_audit_table_index (table, i);

      if (g_str_has_prefix (entry->path, path) || g_str_has_prefix (path, entry->path))
        return bawn_fail (error, BAWN_ERROR_INVALID, "path already in use");
    }

  return TRUE;
}

static gboolean
read_entry (BawnRequest *request, BawnAuditEntry *entry, GError **error)
{
  guint8 *salt = NULL;

  entry->path = full_path (request);
  entry->type = g_strdup ("");
  entry->description = g_strdup ("");
  entry->options = bawn_string_map_new ();
  entry->uuid = bawn_random_uuid ();
  entry->salt = bawn_bytes_alloc (SALT_SIZE, &salt);
  bawn_random_bytes (salt, SALT_SIZE);
  if (g_str_equal (entry->path, "/"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "missing path");

  return bawn_field_string (request, "type", &entry->type, error)
         && bawn_field_string (request, "description", &entry->description, error)
         && bawn_field_map (request, "options", &entry->options, error)
         && bawn_field_bool (request, "local", &entry->local, error);
}

static BawnResponse *
audit_enable (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnAuditTable) table = NULL;
  g_autoptr (BawnAuditEntry) entry = bawn_audit_entry_new ();

  if (!read_entry (request, entry, error) || !bawn_audit_table_get (txn, &table, error)
      || !check_free (table, entry->path, error))
    return NULL;

  /* Opened only to see that it can be: the broker opens it for good once the table is stored. */
  g_autoptr (BawnAuditSink) sink = bawn_audit_sink_new (entry, error);

  if (sink == NULL || !bawn_audit_sink_open (sink, error))
    return NULL;

  g_autoptr (BawnAuditTable) changed =
      bawn_audit_table_change (table, g_steal_pointer (&entry), NULL);

  bawn_audit_table_put (txn, changed);

  return bawn_response_new_empty ();
}

static BawnResponse *
audit_disable (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnAuditTable) table = NULL;
  g_autofree char *path = full_path (request);

  if (!bawn_audit_table_get (txn, &table, error))
    return NULL;
  if (bawn_audit_table_lookup (table, path) == NULL)
    return bawn_response_new_empty ();

  g_autoptr (BawnAuditTable) changed = bawn_audit_table_change (table, NULL, path);

  bawn_audit_table_put (txn, changed);

  return bawn_response_new_empty ();
}

static BawnResponse *
audit_hash (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (BawnAuditTable) table = NULL;
  g_autofree char *path = full_path (request);
  g_autoptr (BawnWipedString) input = NULL;

  if (!bawn_field_string (request, "input", &input, error)
      || !bawn_audit_table_get (txn, &table, error))
    return NULL;
  if (input == NULL || *input == '\0')
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "the \"input\" parameter is empty");

  const BawnAuditEntry *entry = bawn_audit_table_lookup (table, path);

  if (entry == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "unknown audit backend \"%s\"", path);

  gsize size = 0;
  const guint8 *salt = g_bytes_get_data (entry->salt, &size);
  g_autoptr (BawnSecret) key = bawn_secret_new_copy (salt, size);
  g_autofree char *hash = bawn_audit_hash (key, input, strlen (input));
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_string (&w, "hash", hash);
  bawn_json_writer_end_object (&w);

  return injected (&w);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
write_header (BawnJsonWriter *w, const char *name, gboolean hmac)
{
  bawn_json_writer_name (w, name);
  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_bool (w, "hmac", hmac);
  bawn_json_writer_end_object (w);
}

/* An object of all of them, sorted. */
static void
write_headers (BawnJsonWriter *w, GHashTable *headers)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (headers), compare_names);

  bawn_json_writer_begin_object (w);
  for (GList *at = names; at != NULL; at = at->next)
    write_header (w, at->data, GPOINTER_TO_INT (g_hash_table_lookup (headers, at->data)));
  bawn_json_writer_end_object (w);
}

static GHashTable *
copy_headers (GHashTable *headers)
{
  GHashTable *copy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name = NULL;
  gpointer hmac = NULL;

  g_hash_table_iter_init (&iter, headers);
  while (g_hash_table_iter_next (&iter, &name, &hmac))
    g_hash_table_replace (copy, g_strdup (name), hmac);

  return copy;
}

static void
put_headers (BawnTxn *txn, GHashTable *headers)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  write_headers (&w, headers);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, BAWN_AUDIT_HEADERS_KEY, value);
}

static BawnResponse *
headers_list (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autoptr (GHashTable) headers = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_audit_headers_get (txn, &headers, error))
    return NULL;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_name (&w, "headers");
  write_headers (&w, headers);
  bawn_json_writer_end_object (&w);

  return injected (&w);
}

static BawnResponse *
headers_read (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  const char *name = bawn_request_param (request, "name");
  g_autofree char *lower = g_ascii_strdown (name, -1);
  g_autoptr (GHashTable) headers = NULL;
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  if (!bawn_audit_headers_get (txn, &headers, error))
    return NULL;
  if (!g_hash_table_contains (headers, lower))
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "Could not find header in config");

  bawn_json_writer_begin_object (&w);
  write_header (&w, name, GPOINTER_TO_INT (g_hash_table_lookup (headers, lower)));
  bawn_json_writer_end_object (&w);

  return injected (&w);
}

static BawnResponse *
headers_write (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *lower = g_ascii_strdown (bawn_request_param (request, "name"), -1);
  g_autoptr (GHashTable) headers = NULL;
  gboolean hmac = FALSE;

  if (!bawn_field_bool (request, "hmac", &hmac, error)
      || !bawn_audit_headers_get (txn, &headers, error))
    return NULL;
  if (g_hash_table_size (headers) >= HEADERS_MAX)
    return bawn_fail_null (error, BAWN_ERROR_INVALID, "there are %d headers already", HEADERS_MAX);

  g_autoptr (GHashTable) changed = copy_headers (headers);

  g_hash_table_replace (changed, g_steal_pointer (&lower), GINT_TO_POINTER (hmac));
  put_headers (txn, changed);

  return bawn_response_new_empty ();
}

static BawnResponse *
headers_delete (BawnEngine *engine, BawnRequest *request, BawnTxn *txn, GError **error)
{
  g_autofree char *lower = g_ascii_strdown (bawn_request_param (request, "name"), -1);
  g_autoptr (GHashTable) headers = NULL;

  if (!bawn_audit_headers_get (txn, &headers, error))
    return NULL;

  g_autoptr (GHashTable) changed = copy_headers (headers);

  if (g_hash_table_remove (changed, lower))
    put_headers (txn, changed);

  return bawn_response_new_empty ();
}

#define HEADERS "config/auditing/request-headers"
#define SUDO (BAWN_ROUTE_ROOT_TXN | BAWN_ROUTE_SUDO)

const BawnRoute bawn_audit_routes[] = {
  { "audit", BAWN_OP_READ, audit_list, SUDO, "Lists the audit devices." },
  { "audit/{path...}", BAWN_OP_WRITE, audit_enable, SUDO | BAWN_ROUTE_SLOW,
    "Enables an audit device: type, description, options, local." },
  { "audit/{path...}", BAWN_OP_DELETE, audit_disable, SUDO, "Disables an audit device." },
  { "audit-hash/{path...}", BAWN_OP_WRITE, audit_hash, BAWN_ROUTE_ROOT_TXN,
    "Says how a value stands in the records of an audit device: input." },
  { HEADERS, BAWN_OP_READ, headers_list, SUDO, "Lists the request headers that records show." },
  { HEADERS "/{name}", BAWN_OP_READ, headers_read, SUDO, "Reads how records show a header." },
  { HEADERS "/{name}", BAWN_OP_WRITE, headers_write, SUDO,
    "Lets records show a request header: hmac." },
  { HEADERS "/{name}", BAWN_OP_DELETE, headers_delete, SUDO, "Lets records omit a header." },
  { NULL },
};
