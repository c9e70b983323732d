/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "audit/bawn-audit.h"

G_BEGIN_DECLS

/* NULL if no such type is known. */
BawnAuditDevice *bawn_audit_device_new (const char *type);
gboolean bawn_audit_device_open (BawnAuditDevice *device, GHashTable *options, GError **error);
gboolean bawn_audit_device_write (BawnAuditDevice *device, const char *line, gsize size, GError **error);
gboolean bawn_audit_device_reopen (BawnAuditDevice *device, GError **error);

BawnAuditEntry *bawn_audit_entry_new (void);
void bawn_audit_entry_free (BawnAuditEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAuditEntry, bawn_audit_entry_free)
/* A new table: @old with @add (nullable; takes it) and without the row at @drop (nullable). */
BawnAuditTable *bawn_audit_table_change (BawnAuditTable *old, BawnAuditEntry *add, const char *drop);
guint64 bawn_audit_table_serial (BawnAuditTable *table);
void bawn_audit_table_put (BawnTxn *txn, BawnAuditTable *table);

/* The request headers that records show: lower-case name to whether its values are hashed. */
gboolean bawn_audit_headers_get (BawnTxn *txn, GHashTable **out_headers, GError **error); /* never NULL */

/**
 * BawnAuditStyle:
 * @key: (nullable): keys the hashes; %NULL writes everything in clear
 * @hmac_accessor: whether accessors are hashed too
 * @elide: whether the names that a list gave are only counted
 *
 * How one device wants its records.
 */
typedef struct
{
  BawnSecret *key;
  gboolean hmac_accessor;
  gboolean elide;
} BawnAuditStyle;

/**
 * BawnAuditFacts:
 * @response: (nullable): the answer; %NULL in a request's record, or if there was an error
 * @response_data: (nullable): its data, parsed
 * @headers: (nullable): which headers to show
 *
 * What a record tells.
 */
typedef struct
{
  BawnRequest *request;
  gboolean is_response;
  const BawnResponse *response;
  BawnJson *response_data;
  const char *error_message;
  GHashTable *headers;
  gint64 time_us;
} BawnAuditFacts;

/* Appends one line, newline included. */
void bawn_audit_record_write (BawnBuffer *out, const BawnAuditStyle *style, const BawnAuditFacts *facts);
/* "hmac-sha256:<hex>". */
char *bawn_audit_hash (const BawnSecret *key, const char *text, gsize size);

/**
 * BawnAuditSink:
 *
 * One enabled device with the style of its records. Reference-counted, thread-safe.
 */
typedef struct _BawnAuditSink BawnAuditSink;
/* Checks the options that all devices have in common; does not open the device yet. */
BawnAuditSink *bawn_audit_sink_new (const BawnAuditEntry *entry, GError **error);
BawnAuditSink *bawn_audit_sink_ref (BawnAuditSink *sink);
void bawn_audit_sink_unref (BawnAuditSink *sink);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAuditSink, bawn_audit_sink_unref)
const char *bawn_audit_sink_path (BawnAuditSink *sink);
const char *bawn_audit_sink_uuid (BawnAuditSink *sink);
gboolean bawn_audit_sink_open (BawnAuditSink *sink, GError **error);
gboolean bawn_audit_sink_write (BawnAuditSink *sink, const BawnAuditFacts *facts, GError **error);
gboolean bawn_audit_sink_reopen (BawnAuditSink *sink, GError **error);
char *bawn_audit_sink_hash (BawnAuditSink *sink, const char *text);

G_END_DECLS
