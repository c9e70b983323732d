/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-sqlite.h"

#include <glib/gstdio.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* "bawn" in ASCII, so that file(1) and we can tell whose file it is. */
#define APPLICATION_ID 0x6261776e
#define SCHEMA_VERSION 1
/* Pages in the log before they are carried over into the file, which costs the commit that does it
 * two syncs: at 4 KiB a page, 8 MiB of log. */
#define CHECKPOINT_PAGES 2000
/* What is left of the log's file after a burst. */
#define LOG_KEEP_BYTES (64 * 1024 * 1024)
/* How many steps of SQLite's machine between two looks at the cancellable: some 0.1 ms. */
#define STEPS_PER_LOOK 10000
/* The wait for another process' lock begins short, since its commit takes well below a millisecond.
 */
#define BUSY_SLEEP_MIN_US 100
#define BUSY_SLEEP_MAX_US 10000

static const char *const statements[BAWN_SQLITE_N_STATEMENTS] = {
  [BAWN_SQLITE_BEGIN] = "BEGIN",
  [BAWN_SQLITE_BEGIN_WRITE] = "BEGIN IMMEDIATE",
  [BAWN_SQLITE_COMMIT] = "COMMIT",
  [BAWN_SQLITE_GET] = "SELECT value, version FROM entry WHERE key = ?1",
  [BAWN_SQLITE_FROM] = "SELECT key FROM entry WHERE key >= ?1 ORDER BY key",
  [BAWN_SQLITE_AFTER] = "SELECT key FROM entry WHERE key > ?1 ORDER BY key",
  [BAWN_SQLITE_VERSION] = "SELECT version FROM entry WHERE key = ?1",
  [BAWN_SQLITE_DATA_VERSION] = "PRAGMA data_version",
  [BAWN_SQLITE_GET_CLOCK] = "SELECT version FROM clock",
  [BAWN_SQLITE_SET_CLOCK] = "UPDATE clock SET version = ?1",
  [BAWN_SQLITE_PUT] = "INSERT INTO entry (key, value, version) VALUES (?1, ?2, ?3) "
                      "ON CONFLICT (key) DO UPDATE "
                      "SET value = excluded.value, version = excluded.version",
  [BAWN_SQLITE_DELETE] = "DELETE FROM entry WHERE key = ?1",
};

/* What goes below a folder is skipped in listings by seeking, which wants keys in the order of
 * their bytes: that is SQLite's own order of text. */
static const char schema[] = "CREATE TABLE entry (key TEXT NOT NULL PRIMARY KEY, "
                             "value BLOB NOT NULL, version INTEGER NOT NULL) WITHOUT ROWID;"
                             "CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 1), "
                             "version INTEGER NOT NULL);"
                             "INSERT INTO clock (id, version) VALUES (1, 0);";

static int
on_busy (void *user_data, int count)
{
  BawnSqlite *self = user_data;
  gint64 now = g_get_monotonic_time ();
  gint limit = MIN (BUSY_SLEEP_MIN_US << MIN (count, 10), BUSY_SLEEP_MAX_US);

  if (count == 0)
    self->busy_since = now;
  if (g_cancellable_is_cancelled (self->cancellable)
      || now - self->busy_since >= self->options->busy_timeout_us)
    return 0;

  /* At random, so that two processes that meet do not meet again. */
  g_usleep ((gulong) g_random_int_range (limit / 2, limit));
  return 1;
}

static int
on_progress (void *user_data)
{
  BawnSqlite *self = user_data;

  return g_cancellable_is_cancelled (self->cancellable);
}

/**
 * bawn_sqlite_fail:
 * @self: a connection
 * @code: what SQLite returned
 * @error: (out) (optional): where to say what it means
 *
 * Returns: %FALSE, always
 */
gboolean
bawn_sqlite_fail (BawnSqlite *self, int code, GError **error)
{
  const char *path = self->options->path;
  int reason = sqlite3_system_errno (self->db);

  switch (code & 0xff)
    {
    case SQLITE_FULL:
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot grow: the disk is full%s", path,
                        self->options->max_size != 0 ? ", or max-size is reached" : "");
    case SQLITE_READONLY:
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s is read-only", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      if (g_cancellable_is_cancelled (self->cancellable))
        return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the storage was given no more time");
      return bawn_fail (error, BAWN_ERROR_UPSTREAM,
                        "%s is held by another process for longer than busy-timeout", path);
    case SQLITE_INTERRUPT:
      return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the storage was given no more time");
    case SQLITE_CORRUPT:
      return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s is damaged (%s)", path,
                        sqlite3_errmsg (self->db));
    case SQLITE_NOTADB:
      return bawn_fail (error, BAWN_ERROR_CORRUPT,
                        "%s is not a database, or its beginning is damaged", path);
    case SQLITE_CANTOPEN:
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot be opened: %s", path,
                        g_strerror (reason));
    case SQLITE_IOERR:
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot be read or written: %s (%d)", path,
                        g_strerror (reason), code);
    default:
      return bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s: %s (%d)", path, sqlite3_errstr (code),
                        code);
    }
}

static gboolean
exec (BawnSqlite *self, const char *sql, GError **error)
{
  int code = sqlite3_exec (self->db, sql, NULL, NULL, NULL);

  return code == SQLITE_OK || bawn_sqlite_fail (self, code, error);
}

static gboolean
ask_text (BawnSqlite *self, const char *sql, char **out_text, GError **error)
{
  sqlite3_stmt *stmt = NULL;
  int code = sqlite3_prepare_v2 (self->db, sql, -1, &stmt, NULL);

  if (code == SQLITE_OK)
    code = sqlite3_step (stmt);
  if (code == SQLITE_ROW)
    *out_text = g_strdup ((const char *) sqlite3_column_text (stmt, 0));
  sqlite3_finalize (stmt);

  return code == SQLITE_ROW || bawn_sqlite_fail (self, code, error);
}

static gboolean
ask_int (BawnSqlite *self, const char *sql, gint64 *out_value, GError **error)
{
  g_autofree char *text = NULL;

  if (!ask_text (self, sql, &text, error))
    return FALSE;

  *out_value = g_ascii_strtoll (text != NULL ? text : "0", NULL, 10);
  return TRUE;
}

/* TRUE with @out_fresh if the file holds nothing yet; FALSE if it is somebody else's. */
static gboolean
identify (BawnSqlite *self, gboolean *out_fresh, GError **error)
{
  const char *path = self->options->path;
  gint64 application = 0;
  gint64 version = 0;
  gint64 tables = 0;

  /* In this order: another process may lay the file out between two of these, in one transaction,
   * so tables that are seen already have their mark, while an earlier look at the mark proves
   * nothing about tables seen later. */
  if (!ask_int (self, "SELECT count(*) FROM sqlite_master", &tables, error)
      || !ask_int (self, "PRAGMA application_id", &application, error)
      || !ask_int (self, "PRAGMA user_version", &version, error))
    return FALSE;

  if (application != APPLICATION_ID && (application != 0 || tables != 0))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is a database of another program", path);
  if (application == APPLICATION_ID && version != SCHEMA_VERSION)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s was made by another version of bawn (layout %" G_GINT64_FORMAT
                      ", this one knows %d)",
                      path, version, SCHEMA_VERSION);

  *out_fresh = application == 0;
  return TRUE;
}

static gboolean
lay_out (BawnSqlite *self, GError **error)
{
  g_autofree char *marks = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d;",
                                            APPLICATION_ID, SCHEMA_VERSION);
  gboolean fresh = FALSE;

  /* Another process may do the same at the same time: the first to get the lock wins. */
  if (!exec (self, "BEGIN IMMEDIATE", error))
    return FALSE;

  gboolean ok = identify (self, &fresh, error)
                && (!fresh || (exec (self, schema, error) && exec (self, marks, error)))
                && exec (self, "COMMIT", error);

  if (!ok)
    bawn_sqlite_roll_back (self);
  return ok;
}

/* SQLite does not wait by itself for the lock that the change of the mode needs. */
static gboolean
turn_on_log (BawnSqlite *self, GError **error)
{
  g_autoptr (GError) local = NULL;

  for (int count = 0;; count++)
    {
      g_autofree char *mode = NULL;

      g_clear_error (&local);
      if (ask_text (self, "PRAGMA journal_mode = WAL", &mode, &local))
        return g_strcmp0 (mode, "wal") == 0
               || bawn_fail (error, BAWN_ERROR_UPSTREAM,
                             "%s cannot be used in WAL mode on this file system",
                             self->options->path);
      if ((sqlite3_errcode (self->db) & 0xff) != SQLITE_BUSY || !on_busy (self, count))
        break;
    }

  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
configure (BawnSqlite *self, GError **error)
{
  g_autofree char *pragmas = g_strdup_printf (
      "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = "
      "-%" G_GSIZE_FORMAT "; PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d;",
      MAX (self->options->page_cache / 1024, 1), CHECKPOINT_PAGES, LOG_KEEP_BYTES);
  gint64 page_size = 0;

  if (!exec (self, pragmas, error) || !ask_int (self, "PRAGMA page_size", &page_size, error))
    return FALSE;
  if (self->options->max_size == 0)
    return TRUE;

  g_autofree char *limit =
      g_strdup_printf ("PRAGMA max_page_count = %" G_GUINT64_FORMAT,
                       MAX (self->options->max_size / (guint64) MAX (page_size, 512), 1));

  return exec (self, limit, error);
}

static gboolean
check (BawnSqlite *self, GError **error)
{
  g_autofree char *verdict = NULL;

  if (!ask_text (self, "PRAGMA quick_check (1)", &verdict, error))
    return FALSE;
  if (g_strcmp0 (verdict, "ok") != 0)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s is damaged (%s)", self->options->path,
                      verdict);

  return TRUE;
}

/* Not by a descriptor of our own: closing one would give up the locks that SQLite holds on the same
 * file. */
static gboolean
check_mode (const char *path, const GStatBuf *st, GError **error)
{
  if (!S_ISREG (st->st_mode))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is not a regular file", path);
  if ((st->st_mode & 077) == 0)
    return TRUE;
  if (g_chmod (path, 0600) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s can be used by others (mode %04o), and that cannot be changed: %s", path,
                      (guint) st->st_mode & 07777, g_strerror (errno));

  return TRUE;
}

static gboolean
check_directory (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  GStatBuf st;

  if (g_stat (directory, &st) != 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s, where the storage should be, is not there: %s", directory,
                      g_strerror (errno));
  if (!S_ISDIR (st.st_mode))
    return bawn_fail (error, BAWN_ERROR_INVALID, "%s is not a directory", directory);
  if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "%s can be written by everyone (mode %04o): others could replace the storage",
                      directory, (guint) st.st_mode & 07777);

  return TRUE;
}

static gboolean
make_file (const char *path, GError **error)
{
  int fd = g_open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

  if (fd < 0)
    return errno == EEXIST
           || bawn_fail (error, BAWN_ERROR_UPSTREAM, "%s cannot be made: %s", path,
                         g_strerror (errno));

  close (fd);
  return TRUE;
}

/**
 * bawn_sqlite_prepare_file:
 * @options: where the file is
 * @error: (out) (optional): INVALID if it or its directory is not fit, CORRUPT if it is damaged,
 * UPSTREAM if it cannot be used
 *
 * Makes the file if it is absent, closes it to others, and checks that it is ours and whole.
 *
 * Returns: %TRUE if connections can be opened
 */
gboolean
bawn_sqlite_prepare_file (const BawnSqliteOptions *options, GError **error)
{
  GStatBuf st;

  if (!check_directory (options->path, error))
    return FALSE;
  if (g_stat (options->path, &st) == 0 ? !check_mode (options->path, &st, error)
                                       : !make_file (options->path, error))
    return FALSE;

  g_autoptr (BawnSqlite) self = bawn_sqlite_open (options, error);
  gboolean fresh = FALSE;

  if (self == NULL || !identify (self, &fresh, error) || !turn_on_log (self, error)
      || (fresh && !lay_out (self, error)))
    return FALSE;

  return !options->check || check (self, error);
}

/**
 * bawn_sqlite_open:
 * @options: where the file is; kept, and must outlive the connection
 * @error: (out) (optional): why it cannot be opened
 *
 * Returns: (transfer full): a connection
 */
BawnSqlite *
bawn_sqlite_open (const BawnSqliteOptions *options, GError **error)
{
  g_autoptr (BawnSqlite) self = g_new0 (BawnSqlite, 1);

  self->options = options;

  int code =
      sqlite3_open_v2 (options->path, &self->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

  if (self->db == NULL)
    return bawn_fail_null (error, BAWN_ERROR_INTERNAL, "SQLite has no memory");
  if (code != SQLITE_OK)
    {
      bawn_sqlite_fail (self, sqlite3_extended_errcode (self->db), error);
      return NULL;
    }

  sqlite3_extended_result_codes (self->db, 1);
  sqlite3_busy_handler (self->db, on_busy, self);
  sqlite3_progress_handler (self->db, STEPS_PER_LOOK, on_progress, self);
  if (sqlite3_db_readonly (self->db, "main") == 1)
    return bawn_fail_null (error, BAWN_ERROR_UPSTREAM, "%s is read-only", options->path);

  return configure (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * bawn_sqlite_close:
 * @self: (transfer full): a connection without a transaction
 */
void
bawn_sqlite_close (BawnSqlite *self)
{
  for (guint i = 0; i < BAWN_SQLITE_N_STATEMENTS; i++)
    sqlite3_finalize (self->statements[i]);
  sqlite3_close (self->db);
  g_free (self);
}

sqlite3_stmt *
bawn_sqlite_statement (BawnSqlite *self, BawnSqliteStatement which, GError **error)
{
  sqlite3_stmt **stmt = &self->statements[which];

  if (*stmt != NULL)
    {
      sqlite3_reset (*stmt);
      return *stmt;
    }

  int code =
      sqlite3_prepare_v3 (self->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);

  if (code != SQLITE_OK)
    bawn_sqlite_fail (self, code, error);
  return *stmt;
}

gboolean
bawn_sqlite_run (BawnSqlite *self, BawnSqliteStatement which, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (self, which, error);

  if (stmt == NULL)
    return FALSE;

  int code = sqlite3_step (stmt);

  sqlite3_reset (stmt);
  return code == SQLITE_DONE || bawn_sqlite_fail (self, code, error);
}

void
bawn_sqlite_end_walk (BawnSqlite *self)
{
  sqlite3_reset (self->statements[BAWN_SQLITE_FROM]);
  sqlite3_reset (self->statements[BAWN_SQLITE_AFTER]);
}

void
bawn_sqlite_roll_back (BawnSqlite *self)
{
  if (!sqlite3_get_autocommit (self->db))
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
}
