/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

struct _BawnAuditBroker
{
  GMutex mutex;          /* guards the rest; never held while a record is written */
  BawnAuditTable *table; /* nullable: that which @sinks were made from */
  GPtrArray *sinks;      /* replaced, never changed */
  GHashTable *headers;   /* nullable: those to show, as last read; replaced, never changed */
};

static GPtrArray *
no_sinks (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_audit_sink_unref);
}

/**
 * bawn_audit_broker_new:
 *
 * Returns: (transfer full): a broker without devices
 */
BawnAuditBroker *
bawn_audit_broker_new (void)
{
  BawnAuditBroker *broker = g_new0 (BawnAuditBroker, 1);

  g_mutex_init (&broker->mutex);
  broker->sinks = no_sinks ();

  return broker;
}

/**
 * bawn_audit_broker_free:
 * @broker: (transfer full): a broker that nobody uses any more
 */
void
bawn_audit_broker_free (BawnAuditBroker *broker)
{
  g_clear_pointer (&broker->table, bawn_audit_table_unref);
  g_clear_pointer (&broker->headers, g_hash_table_unref);
  g_ptr_array_unref (broker->sinks);
  g_mutex_clear (&broker->mutex);
  g_free (broker);
}

static BawnAuditSink *
find_sink (GPtrArray *sinks, const char *uuid)
{
  for (guint i = 0; i < sinks->len; i++)
    {
      if (g_str_equal (bawn_audit_sink_uuid (g_ptr_array_index (sinks, i)), uuid))
        return g_ptr_array_index (sinks, i);
    }

  return NULL;
}

/* What is in both tables stays open. */
static GPtrArray *
make_sinks (BawnAuditTable *table, GPtrArray *old)
{
  GPtrArray *sinks = no_sinks ();

  for (guint i = 0; i < bawn_audit_table_size (table); i++)
    {
      const BawnAuditEntry *entry = bawn_audit_table_index (table, i);
      BawnAuditSink *kept = find_sink (old, entry->uuid);
      g_autoptr (GError) error = NULL;
      g_autoptr (BawnAuditSink) sink =
          kept != NULL ? bawn_audit_sink_ref (kept) : bawn_audit_sink_new (entry, &error);

      if (sink == NULL || !bawn_audit_sink_open (sink, &error))
        g_message ("audit device %s could not be opened: %s", entry->path, error->message);
      if (sink != NULL)
        g_ptr_array_add (sinks, g_steal_pointer (&sink));
    }

  return sinks;
}

/**
 * bawn_audit_broker_sync:
 * @broker: a broker
 * @table: the table as stored
 *
 * Opens and closes devices as the table says; nothing if it is the table that the broker has, or an
 * older one, which a request that began earlier may still hold. A device that cannot be opened
 * counts as failing, and is tried again with each record.
 */
void
bawn_audit_broker_sync (BawnAuditBroker *broker, BawnAuditTable *table)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&broker->mutex);

  if (broker->table == table)
    return;
  if (broker->table != NULL
      && bawn_audit_table_serial (table) < bawn_audit_table_serial (broker->table))
    return;

  g_autoptr (GPtrArray) old = broker->sinks;

  broker->sinks = make_sinks (table, old);
  g_clear_pointer (&broker->table, bawn_audit_table_unref);
  broker->table = bawn_audit_table_ref (table);
}

/**
 * bawn_audit_broker_close:
 * @broker: a broker
 *
 * Closes all devices: at seal.
 */
void
bawn_audit_broker_close (BawnAuditBroker *broker)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&broker->mutex);

  g_clear_pointer (&broker->table, bawn_audit_table_unref);
  g_clear_pointer (&broker->headers, g_hash_table_unref);
  g_ptr_array_unref (broker->sinks);
  broker->sinks = no_sinks ();
}

static GPtrArray *
ref_sinks (BawnAuditBroker *broker)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&broker->mutex);

  return g_ptr_array_ref (broker->sinks);
}

/**
 * bawn_audit_broker_reopen:
 * @broker: a broker
 *
 * Lets every device begin a fresh file, after the old one was moved away.
 */
void
bawn_audit_broker_reopen (BawnAuditBroker *broker)
{
  g_autoptr (GPtrArray) sinks = ref_sinks (broker);

  for (guint i = 0; i < sinks->len; i++)
    {
      BawnAuditSink *sink = g_ptr_array_index (sinks, i);
      g_autoptr (GError) error = NULL;

      if (!bawn_audit_sink_reopen (sink, &error))
        g_message ("audit device %s could not be reopened: %s", bawn_audit_sink_path (sink),
                   error->message);
    }
}

/**
 * bawn_audit_broker_is_enabled:
 * @broker: a broker
 *
 * Returns: whether there are devices
 */
gboolean
bawn_audit_broker_is_enabled (BawnAuditBroker *broker)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&broker->mutex);

  return broker->sinks->len > 0;
}

/* One device that took the record is enough. */
static gboolean
write_all (GPtrArray *sinks, const BawnAuditFacts *facts, GError **error)
{
  guint written = 0;

  for (guint i = 0; i < sinks->len; i++)
    {
      if (bawn_audit_sink_write (g_ptr_array_index (sinks, i), facts, NULL))
        written++;
    }
  if (written == 0)
    return bawn_fail (error, BAWN_ERROR_INTERNAL, "none of %u audit devices took the record",
                      sinks->len);

  return TRUE;
}

/* Without a transaction those count that were read last: an answer shows what its request showed.
 */
static gboolean
get_headers (BawnAuditBroker *broker,
             BawnRequest *request,
             BawnTxn *txn,
             GHashTable **out_headers,
             GError **error)
{
  *out_headers = NULL;
  if (request->headers == NULL || g_hash_table_size (request->headers) == 0)
    return TRUE;
  if (txn != NULL && !bawn_audit_headers_get (txn, out_headers, error))
    return FALSE;

  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&broker->mutex);

  if (*out_headers == NULL)
    {
      *out_headers = broker->headers != NULL ? g_hash_table_ref (broker->headers) : NULL;
      return TRUE;
    }
  if (*out_headers != broker->headers)
    {
      g_clear_pointer (&broker->headers, g_hash_table_unref);
      broker->headers = g_hash_table_ref (*out_headers);
    }

  return TRUE;
}

/**
 * bawn_audit_broker_request:
 * @broker: a broker
 * @request: what was asked
 * @txn: (nullable): unscoped
 * @error_message: (nullable): why it goes no further
 * @error: INTERNAL if every device failed; else of the storage, and nothing is written then
 *
 * Records a request, before it is carried out.
 *
 * Returns: whether there are no devices or one took the record
 */
gboolean
bawn_audit_broker_request (BawnAuditBroker *broker,
                           BawnRequest *request,
                           BawnTxn *txn,
                           const char *error_message,
                           GError **error)
{
  g_autoptr (GPtrArray) sinks = ref_sinks (broker);
  g_autoptr (GHashTable) headers = NULL;

  if (sinks->len == 0)
    return TRUE;
  if (!get_headers (broker, request, txn, &headers, error))
    return FALSE;

  BawnAuditFacts facts = {
    .request = request,
    .error_message = error_message,
    .headers = headers,
    .time_us = g_get_real_time (),
  };

  return write_all (sinks, &facts, error);
}

/**
 * bawn_audit_broker_response:
 * @broker: a broker
 * @request: what was asked
 * @response: (nullable): what is answered; %NULL if there was an error
 * @txn: (nullable): unscoped
 * @error_message: (nullable): how it failed
 * @error: INTERNAL if every device failed; else of the storage, and nothing is written then
 *
 * Records an answer, before it leaves the node. Its data is parsed only if there is a device.
 *
 * Returns: whether there are no devices or one took the record
 */
gboolean
bawn_audit_broker_response (BawnAuditBroker *broker,
                            BawnRequest *request,
                            const BawnResponse *response,
                            BawnTxn *txn,
                            const char *error_message,
                            GError **error)
{
  g_autoptr (GPtrArray) sinks = ref_sinks (broker);
  g_autoptr (GHashTable) headers = NULL;

  if (sinks->len == 0)
    return TRUE;
  if (!get_headers (broker, request, txn, &headers, error))
    return FALSE;

  gboolean is_json =
      response != NULL && response->data != NULL && response->form != BAWN_RESPONSE_RAW;
  g_autoptr (BawnJson) data = is_json ? bawn_json_parse (response->data, NULL, NULL) : NULL;
  BawnAuditFacts facts = {
    .request = request,
    .is_response = TRUE,
    .response = response,
    .response_data = data,
    .error_message = error_message,
    .headers = headers,
    .time_us = g_get_real_time (),
  };

  return write_all (sinks, &facts, error);
}

/**
 * bawn_audit_broker_hash:
 * @broker: a broker
 * @path: of a device, with or without the '/' at its end
 * @input: a value
 * @error: NOT_FOUND
 *
 * Returns: (transfer full) (nullable): how the value stands in the device's records
 */
char *
bawn_audit_broker_hash (BawnAuditBroker *broker,
                        const char *path,
                        const char *input,
                        GError **error)
{
  g_autoptr (GPtrArray) sinks = ref_sinks (broker);
  const char *slash = g_str_has_suffix (path, "/") ? "" : "/";
  g_autofree char *full = g_strconcat (path, slash, NULL);

  for (guint i = 0; i < sinks->len; i++)
    {
      BawnAuditSink *sink = g_ptr_array_index (sinks, i);

      if (g_str_equal (bawn_audit_sink_path (sink), full))
        return bawn_audit_sink_hash (sink, input);
    }

  return bawn_fail_null (error, BAWN_ERROR_NOT_FOUND, "unknown audit backend \"%s\"", full);
}
