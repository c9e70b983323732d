/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

#include <string.h>

#include "crypto/bawn-crypto.h"
#include "logical/bawn-string-map.h"

/* The serial grows with each change, so that the broker knows an old table from a new one. */
struct _BawnAuditTable
{
  guint64 serial;
  GPtrArray *entries;
};

/**
 * bawn_audit_entry_new:
 *
 * Returns: (transfer full): an empty row
 */
BawnAuditEntry *
bawn_audit_entry_new (void)
{
  return g_new0 (BawnAuditEntry, 1);
}

/**
 * bawn_audit_entry_free:
 * @entry: (transfer full): a row
 */
void
bawn_audit_entry_free (BawnAuditEntry *entry)
{
  g_free (entry->path);
  g_free (entry->type);
  g_free (entry->description);
  g_clear_pointer (&entry->options, g_hash_table_unref);
  g_free (entry->uuid);
  g_clear_pointer (&entry->salt, g_bytes_unref);
  g_free (entry);
}

static BawnAuditEntry *
entry_copy (const BawnAuditEntry *entry)
{
  BawnAuditEntry *copy = bawn_audit_entry_new ();

  copy->path = g_strdup (entry->path);
  copy->type = g_strdup (entry->type);
  copy->description = g_strdup (entry->description);
  copy->options = bawn_string_map_copy (entry->options);
  copy->local = entry->local;
  copy->uuid = g_strdup (entry->uuid);
  copy->salt = g_bytes_ref (entry->salt);

  return copy;
}

static void
table_clear (gpointer data)
{
  BawnAuditTable *table = data;

  g_ptr_array_unref (table->entries);
}

static BawnAuditTable *
table_new (void)
{
  BawnAuditTable *table = g_atomic_rc_box_new0 (BawnAuditTable);

  table->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) bawn_audit_entry_free);

  return table;
}

/**
 * bawn_audit_table_ref:
 * @table: a table
 *
 * Returns: (transfer full): @table. Any thread.
 */
BawnAuditTable *
bawn_audit_table_ref (BawnAuditTable *table)
{
  return g_atomic_rc_box_acquire (table);
}

/**
 * bawn_audit_table_unref:
 * @table: (transfer full): a table
 */
void
bawn_audit_table_unref (BawnAuditTable *table)
{
  g_atomic_rc_box_release_full (table, table_clear);
}

static gpointer
table_ref (gpointer table)
{
  return bawn_audit_table_ref (table);
}

static void
table_unref (gpointer table)
{
  bawn_audit_table_unref (table);
}

static BawnAuditEntry *
parse_entry (const BawnJsonNode *node, GError **error)
{
  g_autoptr (BawnAuditEntry) entry = bawn_audit_entry_new ();

  entry->path = g_strdup (bawn_json_get_string (node, "path", ""));
  entry->type = g_strdup (bawn_json_get_string (node, "type", ""));
  entry->description = g_strdup (bawn_json_get_string (node, "description", ""));
  entry->options = bawn_string_map_read (bawn_json_get (node, "options"));
  entry->local = bawn_json_get_bool (node, "local", FALSE);
  entry->uuid = g_strdup (bawn_json_get_string (node, "uuid", ""));
  entry->salt = bawn_hex_decode (bawn_json_get_string (node, "salt", ""), error);
  if (entry->salt == NULL)
    return NULL;
  if (entry->options == NULL)
    entry->options = bawn_string_map_new ();

  return g_steal_pointer (&entry);
}

static gpointer
table_parse (const char *key, GBytes *plain, GError **error)
{
  g_autoptr (BawnJson) json = bawn_json_parse (plain, NULL, error);
  g_autoptr (BawnAuditTable) table = table_new ();

  if (json == NULL)
    return NULL;

  const BawnJsonNode *devices = bawn_json_get (bawn_json_root (json), "devices");

  if (!bawn_json_is (devices, BAWN_JSON_ARRAY))
    return bawn_fail_null (error, BAWN_ERROR_CORRUPT, "%s: no table", key);
  table->serial = (guint64) bawn_json_get_int (bawn_json_root (json), "serial", 0);

  for (const BawnJsonNode *node = devices->children; node != NULL; node = node->next)
    {
      BawnAuditEntry *entry = parse_entry (node, error);

      if (entry == NULL)
        return NULL;
      g_ptr_array_add (table->entries, entry);
    }

  return g_steal_pointer (&table);
}

static const BawnObjectKind table_kind = { "audit table", table_parse, table_ref, table_unref };

static gpointer
make_empty (gpointer data)
{
  return table_new ();
}

/**
 * bawn_audit_table_get:
 * @txn: unscoped
 * @out_table: (out) (transfer full): the table; empty if none is stored
 * @error: of the storage
 *
 * Returns: whether the storage could say
 */
gboolean
bawn_audit_table_get (BawnTxn *txn, BawnAuditTable **out_table, GError **error)
{
  /* One for all, so that the broker knows it again. */
  static GOnce empty = G_ONCE_INIT;
  gpointer table = NULL;

  if (!bawn_txn_get_object (txn, BAWN_AUDIT_TABLE_KEY, &table_kind, &table, error))
    return FALSE;
  *out_table = table != NULL ? table : bawn_audit_table_ref (g_once (&empty, make_empty, NULL));

  return TRUE;
}

/**
 * bawn_audit_table_serial:
 * @table: a table
 *
 * Returns: a number that is higher for later tables; 0 before there was one
 */
guint64
bawn_audit_table_serial (BawnAuditTable *table)
{
  return table->serial;
}

/**
 * bawn_audit_table_size:
 * @table: a table
 *
 * Returns: the number of its rows
 */
guint
bawn_audit_table_size (BawnAuditTable *table)
{
  return table->entries->len;
}

/**
 * bawn_audit_table_index:
 * @table: a table
 * @index: below its size
 *
 * Returns: that row; belongs to the table
 */
const BawnAuditEntry *
bawn_audit_table_index (BawnAuditTable *table, guint index)
{
  g_return_val_if_fail (index < table->entries->len, NULL);

  return g_ptr_array_index (table->entries, index);
}

/* Paths are the same with and without the '/' at their end. */
static gboolean
same_path (const char *a, const char *b)
{
  gsize size_a = strlen (a);
  gsize size_b = strlen (b);

  if (size_a > 0 && a[size_a - 1] == '/')
    size_a--;
  if (size_b > 0 && b[size_b - 1] == '/')
    size_b--;

  return size_a == size_b && strncmp (a, b, size_a) == 0;
}

/**
 * bawn_audit_table_lookup:
 * @table: a table
 * @path: with or without the '/' at its end
 *
 * Returns: (nullable): the row of that path; belongs to the table
 */
const BawnAuditEntry *
bawn_audit_table_lookup (BawnAuditTable *table, const char *path)
{
  for (guint i = 0; i < table->entries->len; i++)
    {
      const BawnAuditEntry *entry = g_ptr_array_index (table->entries, i);

      if (same_path (entry->path, path))
        return entry;
    }

  return NULL;
}

/**
 * bawn_audit_table_change:
 * @old: a table
 * @add: (transfer full) (nullable): a row to add
 * @drop: (nullable): the path of a row to leave out
 *
 * Returns: (transfer full): the changed table
 */
BawnAuditTable *
bawn_audit_table_change (BawnAuditTable *old, BawnAuditEntry *add, const char *drop)
{
  BawnAuditTable *table = table_new ();

  table->serial = old->serial + 1;
  for (guint i = 0; i < old->entries->len; i++)
    {
      const BawnAuditEntry *entry = g_ptr_array_index (old->entries, i);

      if (drop == NULL || !same_path (entry->path, drop))
        g_ptr_array_add (table->entries, entry_copy (entry));
    }
  if (add != NULL)
    g_ptr_array_add (table->entries, add);

  return table;
}

static void
write_entry (BawnJsonWriter *w, const BawnAuditEntry *entry)
{
  gsize size = 0;
  const guint8 *salt = g_bytes_get_data (entry->salt, &size);
  g_autoptr (BawnWipedString) hex = bawn_hex_encode (salt, size);

  bawn_json_writer_begin_object (w);
  bawn_json_writer_add_string (w, "path", entry->path);
  bawn_json_writer_add_string (w, "type", entry->type);
  bawn_json_writer_add_string (w, "description", entry->description);
  bawn_json_writer_name (w, "options");
  bawn_string_map_write (w, entry->options);
  bawn_json_writer_add_bool (w, "local", entry->local);
  bawn_json_writer_add_string (w, "uuid", entry->uuid);
  bawn_json_writer_add_string (w, "salt", hex);
  bawn_json_writer_end_object (w);
}

/**
 * bawn_audit_table_put:
 * @txn: unscoped
 * @table: the new table
 */
void
bawn_audit_table_put (BawnTxn *txn, BawnAuditTable *table)
{
  g_auto (BawnJsonWriter) w = BAWN_JSON_WRITER_INIT;

  bawn_json_writer_begin_object (&w);
  bawn_json_writer_add_int (&w, "serial", (gint64) table->serial);
  bawn_json_writer_name (&w, "devices");
  bawn_json_writer_begin_array (&w);
  for (guint i = 0; i < table->entries->len; i++)
    write_entry (&w, g_ptr_array_index (table->entries, i));
  bawn_json_writer_end_array (&w);
  bawn_json_writer_end_object (&w);

  g_autoptr (GBytes) value = bawn_json_writer_finish (&w);

  bawn_txn_put (txn, BAWN_AUDIT_TABLE_KEY, value);
}
