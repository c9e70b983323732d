/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "crypto/bawn-secret.h"
#include "logical/bawn-engine.h"

G_BEGIN_DECLS

/**
 * BawnAuditDevice:
 *
 * Where records go. One class per type ("file" …), GInitable-like through open(). Thread-safe.
 */
#define BAWN_TYPE_AUDIT_DEVICE (bawn_audit_device_get_type ())
G_DECLARE_DERIVABLE_TYPE (BawnAuditDevice, bawn_audit_device, BAWN, AUDIT_DEVICE, GObject)

struct _BawnAuditDeviceClass
{
  GObjectClass parent_class;
  /* Checks and takes the options; INVALID tells the operator why not. */
  gboolean (*open) (BawnAuditDevice *device, GHashTable *options, GError **error);
  /* Writes one line, newline included, whole or not at all. */
  gboolean (*write) (BawnAuditDevice *device, const char *line, gsize size, GError **error);
  /* SIGHUP. */
  gboolean (*reopen) (BawnAuditDevice *device, GError **error);
};

/* Filled once at start-up, before threads. */
void bawn_audit_register (const char *type, GType (*get_type) (void));

/**
 * BawnAuditEntry: one row of the audit table, stored in "core/audit". @salt is secret.
 */
typedef struct
{
  char *path; /* "file/" */
  char *type;
  char *description;
  GHashTable *options;
  gboolean local;
  char *uuid;
  GBytes *salt;
} BawnAuditEntry;

/* The table as stored: an immutable parsed object. */
typedef struct _BawnAuditTable BawnAuditTable;
#define BAWN_AUDIT_TABLE_KEY "core/audit"
#define BAWN_AUDIT_HEADERS_KEY "core/audit-headers"
gboolean bawn_audit_table_get (BawnTxn *txn, BawnAuditTable **out_table, GError **error); /* never NULL: empty if absent */
BawnAuditTable *bawn_audit_table_ref (BawnAuditTable *table);
void bawn_audit_table_unref (BawnAuditTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAuditTable, bawn_audit_table_unref)
guint bawn_audit_table_size (BawnAuditTable *table);
const BawnAuditEntry *bawn_audit_table_index (BawnAuditTable *table, guint index);
const BawnAuditEntry *bawn_audit_table_lookup (BawnAuditTable *table, const char *path); /* with or without the '/' */

/**
 * BawnAuditBroker:
 *
 * Sends each record to every enabled device; one that takes it is enough, none is a failed request. Devices are opened
 * and closed as the table changes. Thread-safe.
 */
typedef struct _BawnAuditBroker BawnAuditBroker;
BawnAuditBroker *bawn_audit_broker_new (void);
void bawn_audit_broker_free (BawnAuditBroker *broker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnAuditBroker, bawn_audit_broker_free)
/* Cheap when @table is the one it has. A device that can not be opened counts as failing, and is logged. */
void bawn_audit_broker_sync (BawnAuditBroker *broker, BawnAuditTable *table);
void bawn_audit_broker_close (BawnAuditBroker *broker); /* at seal */
void bawn_audit_broker_reopen (BawnAuditBroker *broker); /* SIGHUP */
gboolean bawn_audit_broker_is_enabled (BawnAuditBroker *broker);

/* @error_message (nullable): how the request ended. FALSE: INTERNAL if every enabled device failed, or WOULD_BLOCK (before
 * anything was written) if the storage must be asked for the header names that are to be shown; these are set by
 * config/auditing/request-headers and stored in "core/audit-headers". @txn: unscoped; %NULL shows the headers that
 * the last record showed. */
gboolean bawn_audit_broker_request (BawnAuditBroker *broker, BawnRequest *request, BawnTxn *txn, const char *error_message, GError **error);
gboolean bawn_audit_broker_response (BawnAuditBroker *broker, BawnRequest *request, const BawnResponse *response, BawnTxn *txn,
                                     const char *error_message, GError **error);
/* "hmac-sha256:<hex>" as the device at @path would write it; NOT_FOUND if there is none. */
char *bawn_audit_broker_hash (BawnAuditBroker *broker, const char *path, const char *input, GError **error);

/* Rows for the system engine's table: audit, audit/{path...}, audit-hash/{path...}, config/auditing/request-headers and
 * …/{name}, all in the root transaction. They only change what is stored; the broker follows with the next
 * bawn_audit_broker_sync(), on every node. */
extern const BawnRoute bawn_audit_routes[];

G_END_DECLS
