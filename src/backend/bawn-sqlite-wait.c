/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-sqlite.h"

/* Between two looks at whether anybody has committed: half of it is what a takeover loses on
 * average. A look costs two file locks and reads no page; fifty in a second took 0.5 % of a
 * processor. */
#define LOOK_EVERY_US 20000

static gboolean
step_to_int (BawnSqlite *self, sqlite3_stmt *stmt, gint64 *out_value, GError **error)
{
  int code = sqlite3_step (stmt);

  if (code == SQLITE_ROW)
    *out_value = sqlite3_column_int64 (stmt, 0);
  sqlite3_reset (stmt);

  return code == SQLITE_ROW || code == SQLITE_DONE || bawn_sqlite_fail (self, code, error);
}

/* A number that is another one after each commit of another connection, in whatever process. */
static gboolean
read_data_version (BawnSqlite *self, gint64 *out_version, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (self, BAWN_SQLITE_DATA_VERSION, error);

  return stmt != NULL && step_to_int (self, stmt, out_version, error);
}

static gboolean
read_version (BawnSqlite *self, const char *key, gint64 *out_version, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (self, BAWN_SQLITE_VERSION, error);

  if (stmt == NULL)
    return FALSE;

  *out_version = 0;
  sqlite3_bind_text (stmt, 1, key, -1, SQLITE_STATIC);
  return step_to_int (self, stmt, out_version, error);
}

/* FALSE if the cancellable ended it. */
static gboolean
pause_for (BawnSqlite *self, GPollFD *fd, gint64 us)
{
  if (us > 0)
    g_poll (fd, fd != NULL ? 1 : 0, (gint) ((us + 999) / 1000));

  return !g_cancellable_is_cancelled (self->cancellable);
}

static gboolean
watch (BawnSqlite *self,
       const char *key,
       guint64 version,
       gint64 deadline,
       GPollFD *fd,
       GError **error)
{
  gint64 seen = -1;
  gint64 left = 0;

  do
    {
      gint64 data_version = 0;
      gint64 now_version = 0;

      if (!read_data_version (self, &data_version, error))
        return FALSE;
      if (data_version != seen && !read_version (self, key, &now_version, error))
        return FALSE;
      if (data_version != seen && (guint64) now_version != version)
        return TRUE;

      seen = data_version;
      left = deadline - g_get_monotonic_time ();
      if (!pause_for (self, fd, MIN (left, LOOK_EVERY_US)))
        return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the wait was given up");
    }
  while (left > 0);

  return TRUE;
}

/**
 * bawn_sqlite_wait:
 * @self: a connection that nobody writes through
 * @key: the key to watch
 * @version: the version it had; 0: it was absent
 * @timeout_us: how long at most
 * @error: (out) (optional): TIMEOUT as soon as the connection's cancellable is cancelled, or what
 * SQLite says
 *
 * Waits until the version of @key is another one. Blocks.
 *
 * Returns: %TRUE if it is, or if the time is over
 */
gboolean
bawn_sqlite_wait (
    BawnSqlite *self, const char *key, guint64 version, gint64 timeout_us, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + timeout_us;
  GPollFD fd = { 0 };
  gboolean has_fd = g_cancellable_make_pollfd (self->cancellable, &fd);
  gboolean ok = watch (self, key, version, deadline, has_fd ? &fd : NULL, error);

  if (has_fd)
    g_cancellable_release_fd (self->cancellable);
  return ok;
}
