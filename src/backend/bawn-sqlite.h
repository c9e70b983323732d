/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sqlite3.h>

#include "util/bawn-error.h"

G_BEGIN_DECLS

/**
 * BawnSqliteOptions:
 * @path: the file, absolute
 * @busy_timeout_us: how long to wait for another process that holds the file
 * @page_cache: how many bytes of the file a connection may keep in memory
 * @max_size: how large the file may grow in bytes; 0: as the disk allows
 * @check: whether the file is read and checked when it is opened
 */
typedef struct
{
  const char *path;
  gint64 busy_timeout_us;
  gsize page_cache;
  guint64 max_size;
  gboolean check;
} BawnSqliteOptions;

typedef enum
{
  BAWN_SQLITE_BEGIN,
  BAWN_SQLITE_BEGIN_WRITE,
  BAWN_SQLITE_COMMIT,
  BAWN_SQLITE_GET,
  BAWN_SQLITE_FROM,
  BAWN_SQLITE_AFTER,
  BAWN_SQLITE_VERSION,
  BAWN_SQLITE_DATA_VERSION,
  BAWN_SQLITE_GET_CLOCK,
  BAWN_SQLITE_SET_CLOCK,
  BAWN_SQLITE_PUT,
  BAWN_SQLITE_DELETE,
  BAWN_SQLITE_N_STATEMENTS,
} BawnSqliteStatement;

/**
 * BawnSqlite:
 * @db: the connection
 * @options: what it was opened with
 * @cancellable: (nullable): ends the call under way
 *
 * One connection to our file. Used by one thread at a time.
 */
typedef struct
{
  sqlite3 *db;
  const BawnSqliteOptions *options;
  GCancellable *cancellable;
  /*< private >*/
  sqlite3_stmt *statements[BAWN_SQLITE_N_STATEMENTS];
  gint64 busy_since;
} BawnSqlite;

/* Sees to the file: makes it if it is absent, refuses what is not ours. Once, before connections are opened. */
gboolean bawn_sqlite_prepare_file (const BawnSqliteOptions *options, GError **error);
BawnSqlite *bawn_sqlite_open (const BawnSqliteOptions *options, GError **error);
void bawn_sqlite_close (BawnSqlite *self);

/* A statement with nothing bound; %NULL with @error set. */
sqlite3_stmt *bawn_sqlite_statement (BawnSqlite *self, BawnSqliteStatement which, GError **error);
/* Runs a statement that gives no rows. */
gboolean bawn_sqlite_run (BawnSqlite *self, BawnSqliteStatement which, GError **error);
/* Waits for another version of a key. */
gboolean bawn_sqlite_wait (BawnSqlite *self, const char *key, guint64 version, gint64 timeout_us, GError **error);
/* Lets go of the rows of a walk that was left early. */
void bawn_sqlite_end_walk (BawnSqlite *self);
/* Ends a transaction without keeping it, if there is one. */
void bawn_sqlite_roll_back (BawnSqlite *self);
/* Says what the last call's @code means. Always FALSE. */
gboolean bawn_sqlite_fail (BawnSqlite *self, int code, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BawnSqlite, bawn_sqlite_close)

G_END_DECLS
