/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"
#include "util/bawn-log.h"
#include "util/bawn-message-id.h"

#include <string.h>

/* A prefix marks lines for whoever collects them; it is no place for content. */
#define PREFIX_SIZE_MAX 256

struct _BawnAuditSink
{
  char *path;
  char *type;
  char *uuid;
  char *prefix;
  GHashTable *options;
  gboolean raw;
  BawnAuditStyle style; /* of which the key is NULL if records are in clear */
  BawnSecret *key;

  GMutex mutex;            /* guards the rest */
  BawnAuditDevice *device; /* NULL until it could be opened */
  gboolean failing;
};

static void
sink_clear (gpointer data)
{
  BawnAuditSink *sink = data;

  g_free (sink->path);
  g_free (sink->type);
  g_free (sink->uuid);
  g_free (sink->prefix);
  g_clear_pointer (&sink->options, g_hash_table_unref);
  g_clear_pointer (&sink->key, bawn_secret_unref);
  g_clear_object (&sink->device);
  g_mutex_clear (&sink->mutex);
}

static gboolean
read_bool (GHashTable *options, const char *name, gboolean *inout_value, GError **error)
{
  static const char *const truths[] = { "1", "t", "T", "true", "TRUE", "True", NULL };
  static const char *const lies[] = { "0", "f", "F", "false", "FALSE", "False", NULL };
  const char *text = g_hash_table_lookup (options, name);

  if (text == NULL || *text == '\0')
    return TRUE;
  if (!g_strv_contains (truths, text) && !g_strv_contains (lies, text))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s must be true or false", name);
  *inout_value = g_strv_contains (truths, text);

  return TRUE;
}

static gboolean
check_prefix (const char *prefix, GError **error)
{
  if (strlen (prefix) > PREFIX_SIZE_MAX)
    return bawn_fail (error, BAWN_ERROR_INVALID, "prefix must not be longer than %d bytes",
                      PREFIX_SIZE_MAX);
  for (const char *at = prefix; *at != '\0'; at++)
    {
      if (g_ascii_iscntrl (*at))
        return bawn_fail (error, BAWN_ERROR_INVALID, "prefix must not hold control characters");
    }

  return TRUE;
}

static gboolean
read_options (BawnAuditSink *sink, GHashTable *options, GError **error)
{
  const char *format = g_hash_table_lookup (options, "format");
  const char *prefix = g_hash_table_lookup (options, "prefix");

  if (format != NULL && *format != '\0' && !g_str_equal (format, "json"))
    return bawn_fail (error, BAWN_ERROR_INVALID, "unknown format type \"%s\"", format);
  if (prefix != NULL && !check_prefix (prefix, error))
    return FALSE;
  sink->prefix = g_strdup (prefix != NULL ? prefix : "");
  sink->style.hmac_accessor = TRUE;

  return read_bool (options, "log_raw", &sink->raw, error)
         && read_bool (options, "hmac_accessor", &sink->style.hmac_accessor, error)
         && read_bool (options, "elide_list_responses", &sink->style.elide, error);
}

/**
 * bawn_audit_sink_new:
 * @entry: a row of the table; what is needed of it is copied
 * @error: INVALID, with the reason for the operator
 *
 * Returns: (transfer full) (nullable): a device that is not open yet
 */
BawnAuditSink *
bawn_audit_sink_new (const BawnAuditEntry *entry, GError **error)
{
  g_autoptr (BawnAuditSink) sink = g_atomic_rc_box_new0 (BawnAuditSink);
  gsize size = 0;
  const guint8 *salt = g_bytes_get_data (entry->salt, &size);

  g_mutex_init (&sink->mutex);
  sink->path = g_strdup (entry->path);
  sink->type = g_strdup (entry->type);
  sink->uuid = g_strdup (entry->uuid);
  sink->options = g_hash_table_ref (entry->options);
  sink->key = bawn_secret_new_copy (salt, size);
  if (!read_options (sink, entry->options, error))
    return NULL;
  sink->style.key = sink->raw ? NULL : sink->key;

  return g_steal_pointer (&sink);
}

/**
 * bawn_audit_sink_ref:
 * @sink: a sink
 *
 * Returns: (transfer full): @sink. Any thread.
 */
BawnAuditSink *
bawn_audit_sink_ref (BawnAuditSink *sink)
{
  return g_atomic_rc_box_acquire (sink);
}

/**
 * bawn_audit_sink_unref:
 * @sink: (transfer full): a sink; the last one closes the device
 */
void
bawn_audit_sink_unref (BawnAuditSink *sink)
{
  g_atomic_rc_box_release_full (sink, sink_clear);
}

/**
 * bawn_audit_sink_path:
 * @sink: a sink
 *
 * Returns: where it is enabled, ending in '/'
 */
const char *
bawn_audit_sink_path (BawnAuditSink *sink)
{
  return sink->path;
}

/**
 * bawn_audit_sink_uuid:
 * @sink: a sink
 *
 * Returns: what tells it from another one at the same path
 */
const char *
bawn_audit_sink_uuid (BawnAuditSink *sink)
{
  return sink->uuid;
}

static gboolean
open_locked (BawnAuditSink *sink, GError **error)
{
  if (sink->device != NULL)
    return TRUE;

  g_autoptr (BawnAuditDevice) device = bawn_audit_device_new (sink->type);

  if (device == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID, "unknown backend type: \"%s\"", sink->type);
  if (!bawn_audit_device_open (device, sink->options, error))
    return FALSE;
  sink->device = g_steal_pointer (&device);

  return TRUE;
}

/**
 * bawn_audit_sink_open:
 * @sink: a sink
 * @error: INVALID, with the reason for the operator
 *
 * Returns: whether the device is open
 */
gboolean
bawn_audit_sink_open (BawnAuditSink *sink, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sink->mutex);

  return open_locked (sink, error);
}

/* Tells the operator when a device begins to fail and when it works again, not each time. */
static void
note_state (BawnAuditSink *sink, const GError *failure)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sink->mutex);
  gboolean failing = failure != NULL;

  if (failing == sink->failing)
    return;
  sink->failing = failing;
  if (failing)
    bawn_log_with (BAWN_LOG_ERROR, "audit", BAWN_LOG_FIELDS ({ "MESSAGE_ID", BAWN_MESSAGE_AUDIT_FAILED }),
                   "audit device %s fails: %s", sink->path, failure->message);
  else
    bawn_log_info ("audit", "audit device %s works again", sink->path);
}

static BawnAuditDevice *
ref_device (BawnAuditSink *sink, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&sink->mutex);

  return open_locked (sink, error) ? g_object_ref (sink->device) : NULL;
}

/**
 * bawn_audit_sink_write:
 * @sink: a sink; opened again if it could not be before
 * @facts: what to tell
 * @error: why the device did not take it
 *
 * Returns: whether the record is written
 */
gboolean
bawn_audit_sink_write (BawnAuditSink *sink, const BawnAuditFacts *facts, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (BawnAuditDevice) device = ref_device (sink, &failure);

  if (device != NULL)
    {
      g_auto (BawnBuffer) line = BAWN_BUFFER_INIT;

      bawn_buffer_append_string (&line, sink->prefix);
      bawn_audit_record_write (&line, &sink->style, facts);
      bawn_audit_device_write (device, (const char *) line.data, line.size, &failure);
    }
  note_state (sink, failure);
  if (failure == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&failure));

  return FALSE;
}

/**
 * bawn_audit_sink_reopen:
 * @sink: a sink
 * @error: why it could not
 *
 * Returns: whether the device is fresh
 */
gboolean
bawn_audit_sink_reopen (BawnAuditSink *sink, GError **error)
{
  g_autoptr (BawnAuditDevice) device = ref_device (sink, error);

  return device != NULL && bawn_audit_device_reopen (device, error);
}

/**
 * bawn_audit_sink_hash:
 * @sink: a sink
 * @text: a value
 *
 * Returns: (transfer full): how the value stands in the device's records
 */
char *
bawn_audit_sink_hash (BawnAuditSink *sink, const char *text)
{
  return bawn_audit_hash (sink->key, text, strlen (text));
}
