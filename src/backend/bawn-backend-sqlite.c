/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-sqlite.h"
#include "storage/bawn-ha-backend.h"
#include "util/bawn-bytes.h"
#include "util/bawn-config.h"

#include <string.h>

/* SQLite itself ends at 1 GB a value; this keeps one request from filling memory several times
 * over. */
#define MAX_VALUE (64 * 1024 * 1024)
#define MAX_WRITES 65536
#define MAX_COMMIT (128 * 1024 * 1024)

/* A commit of another process takes milliseconds; ten seconds mean that something is wrong with it.
 */
#define BUSY_TIMEOUT_US (10 * G_TIME_SPAN_SECOND)
#define BUSY_TIMEOUT_MAX_US (10 * G_TIME_SPAN_MINUTE)
/* What the store keeps is not read from here again, so little is enough. */
#define PAGE_CACHE (1024 * 1024)
#define PAGE_CACHE_MIN (64 * 1024)
#define PAGE_CACHE_MAX (G_GINT64_CONSTANT (1) << 30)
/* Reads that miss the store's cache, at a time; more of them wait. */
#define READERS 4
#define READERS_MAX 64
/* Less than this holds no schema. */
#define MAX_SIZE_MIN (64 * 1024)
#define MAX_SIZE_MAX (G_GINT64_CONSTANT (1) << 46)

#define BAWN_TYPE_BACKEND_SQLITE (bawn_backend_sqlite_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendSqlite, bawn_backend_sqlite, BAWN, BACKEND_SQLITE, GObject)

struct _BawnBackendSqlite
{
  GObject parent_instance;

  BawnConfigGroup *config;
  char *path;
  BawnSqliteOptions options;

  BawnSqlite *writer;

  GMutex lock;
  GCond writer_free;
  gboolean writing; /* somebody has the writer */
  GCond reader_free;
  GQueue idle;
  guint n_readers;
  guint max_readers;
  GQueue watchers; /* connections that wait() has used; not counted among the readers */
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_sqlite_backend_init (BawnBackendInterface *iface);
static void bawn_backend_sqlite_ha_init (BawnHaBackendInterface *iface);
static void bawn_backend_sqlite_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnBackendSqlite,
                               bawn_backend_sqlite,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND,
                                                      bawn_backend_sqlite_backend_init)
                                   G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND,
                                                          bawn_backend_sqlite_ha_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                          bawn_backend_sqlite_initable_init))

static void
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, BawnBackendSqlite *self)
{
  g_mutex_lock (&self->lock);
  g_cond_broadcast (&self->writer_free);
  g_cond_broadcast (&self->reader_free);
  g_mutex_unlock (&self->lock);
}

/* TRUE if it is the caller's now. */
typedef gboolean (*TryFunc) (BawnBackendSqlite *self, BawnSqlite **out_connection);

/* Whoever has it may be waiting for another process for as long as busy-timeout. */
static gboolean
wait_for_turn (BawnBackendSqlite *self,
               TryFunc try_locked,
               GCond *freed,
               BawnSqlite **out_connection,
               GCancellable *cancellable,
               GError **error)
{
  g_mutex_lock (&self->lock);

  gboolean ours = try_locked (self, out_connection);

  g_mutex_unlock (&self->lock);
  if (ours)
    return TRUE;

  gulong id = cancellable != NULL
                  ? g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL)
                  : 0;

  g_mutex_lock (&self->lock);
  for (ours = try_locked (self, out_connection);
       !ours && !g_cancellable_is_cancelled (cancellable);
       ours = try_locked (self, out_connection))
    g_cond_wait (freed, &self->lock);
  /* The call that woke it may have been meant for another. */
  if (!ours)
    g_cond_signal (freed);
  g_mutex_unlock (&self->lock);
  if (id != 0)
    g_cancellable_disconnect (cancellable, id);

  return ours
         || bawn_fail (error, BAWN_ERROR_TIMEOUT, "%s was busy for as long as there was time",
                       self->path);
}

/* An idle connection; without one, room for another. */
static gboolean
try_reader_locked (BawnBackendSqlite *self, BawnSqlite **out_reader)
{
  if (self->idle.head == NULL && self->n_readers == self->max_readers)
    return FALSE;

  *out_reader = g_queue_pop_head (&self->idle);
  if (*out_reader == NULL)
    self->n_readers++;
  return TRUE;
}

static gboolean
try_writer_locked (BawnBackendSqlite *self, BawnSqlite **out_writer)
{
  if (self->writing)
    return FALSE;

  self->writing = TRUE;
  *out_writer = self->writer;
  return TRUE;
}

static void
give_writer (BawnBackendSqlite *self)
{
  g_mutex_lock (&self->lock);
  self->writing = FALSE;
  g_cond_signal (&self->writer_free);
  g_mutex_unlock (&self->lock);
}

/* An idle connection, a new one, or the next that somebody gives back. */
static BawnSqlite *
take_reader (BawnBackendSqlite *self, GCancellable *cancellable, GError **error)
{
  BawnSqlite *reader = NULL;

  if (!wait_for_turn (self, try_reader_locked, &self->reader_free, &reader, cancellable, error))
    return NULL;

  if (reader == NULL)
    reader = bawn_sqlite_open (&self->options, error);
  if (reader != NULL)
    {
      reader->cancellable = cancellable;
      return reader;
    }

  g_mutex_lock (&self->lock);
  self->n_readers--;
  g_cond_signal (&self->reader_free);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
give_reader (BawnBackendSqlite *self, BawnSqlite *reader)
{
  bawn_sqlite_roll_back (reader);
  reader->cancellable = NULL;

  /* The one used last first: what it has cached is the freshest. */
  g_mutex_lock (&self->lock);
  g_queue_push_head (&self->idle, reader);
  g_cond_signal (&self->reader_free);
  g_mutex_unlock (&self->lock);
}

static void
bind_text (sqlite3_stmt *stmt, int at, const char *text)
{
  sqlite3_bind_text (stmt, at, text, -1, SQLITE_STATIC);
}

static gboolean
read_entry (
    BawnSqlite *reader, const char *key, GBytes **out_value, guint64 *out_version, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (reader, BAWN_SQLITE_GET, error);

  if (stmt == NULL)
    return FALSE;

  bind_text (stmt, 1, key);

  int code = sqlite3_step (stmt);

  if (code == SQLITE_ROW)
    {
      gconstpointer data = sqlite3_column_blob (stmt, 0);

      *out_value = bawn_bytes_new (data, (gsize) sqlite3_column_bytes (stmt, 0));
      *out_version = (guint64) sqlite3_column_int64 (stmt, 1);
    }
  sqlite3_reset (stmt);

  return code == SQLITE_ROW || code == SQLITE_DONE || bawn_sqlite_fail (reader, code, error);
}

static gboolean
bawn_backend_sqlite_get (BawnBackend *backend,
                         const char *key,
                         GBytes **out_value,
                         guint64 *out_version,
                         GCancellable *cancellable,
                         GError **error)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (backend);
  BawnSqlite *reader = take_reader (self, cancellable, error);

  if (reader == NULL)
    return FALSE;

  gboolean ok = read_entry (reader, key, out_value, out_version, error);

  give_reader (self, reader);
  return ok;
}

/* Begins a walk over the keys behind @name: behind that key, or behind everything in that folder,
 * whose keys all sort before its name with the '/' replaced by the next byte. */
static sqlite3_stmt *
seek (BawnSqlite *reader, const char *prefix, const char *name, GError **error)
{
  g_autofree char *from = g_strconcat (prefix, name, NULL);
  gboolean behind_key = name != NULL && !g_str_has_suffix (name, "/");

  if (name != NULL && !behind_key)
    from[strlen (from) - 1] = '/' + 1;

  sqlite3_stmt *stmt =
      bawn_sqlite_statement (reader, behind_key ? BAWN_SQLITE_AFTER : BAWN_SQLITE_FROM, error);

  if (stmt != NULL)
    sqlite3_bind_text (stmt, 1, from, -1, SQLITE_TRANSIENT);
  return stmt;
}

static gboolean
read_names (BawnSqlite *reader,
            const char *prefix,
            const char *after,
            guint limit,
            GPtrArray *names,
            GError **error)
{
  gsize prefix_size = strlen (prefix);
  sqlite3_stmt *stmt = seek (reader, prefix, after, error);

  while (stmt != NULL && names->len < limit)
    {
      int code = sqlite3_step (stmt);

      if (code == SQLITE_DONE)
        return TRUE;
      if (code != SQLITE_ROW)
        return bawn_sqlite_fail (reader, code, error);

      const char *key = (const char *) sqlite3_column_text (stmt, 0);

      if (key == NULL)
        return bawn_fail (error, BAWN_ERROR_INTERNAL, "SQLite has no memory");
      if (!g_str_has_prefix (key, prefix))
        return TRUE;

      const char *rest = key + prefix_size;
      const char *slash = strchr (rest, '/');
      char *name = slash != NULL ? g_strndup (rest, (gsize) (slash - rest) + 1) : g_strdup (rest);

      g_ptr_array_add (names, name);
      if (slash != NULL)
        stmt = seek (reader, prefix, name, error);
    }

  return stmt != NULL;
}

static gboolean
bawn_backend_sqlite_list (BawnBackend *backend,
                          const char *prefix,
                          const char *after,
                          guint limit,
                          GStrv *out_names,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (backend);
  BawnSqlite *reader = take_reader (self, cancellable, error);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (reader == NULL)
    return FALSE;

  /* One transaction around the walk, so that all names are of one moment. */
  gboolean ok = bawn_sqlite_run (reader, BAWN_SQLITE_BEGIN, error)
                && read_names (reader, prefix, after, limit, names, error);

  bawn_sqlite_end_walk (reader);
  give_reader (self, reader);
  if (!ok)
    return FALSE;

  g_ptr_array_add (names, NULL);
  *out_names = (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

static gboolean
check_condition (BawnSqlite *writer, const BawnCondition *condition, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (writer, BAWN_SQLITE_VERSION, error);
  guint64 version = 0;

  if (stmt == NULL)
    return FALSE;

  bind_text (stmt, 1, condition->key);

  int code = sqlite3_step (stmt);

  if (code == SQLITE_ROW)
    version = (guint64) sqlite3_column_int64 (stmt, 0);
  sqlite3_reset (stmt);

  if (code != SQLITE_ROW && code != SQLITE_DONE)
    return bawn_sqlite_fail (writer, code, error);
  if (version != condition->version)
    return bawn_fail (error, BAWN_ERROR_CONFLICT, "%s has changed in the storage", condition->key);

  return TRUE;
}

/* One clock for all keys, in the file: it makes versions grow whoever writes, absences included. */
static gboolean
tick (BawnSqlite *writer, guint64 *out_version, GError **error)
{
  sqlite3_stmt *stmt = bawn_sqlite_statement (writer, BAWN_SQLITE_GET_CLOCK, error);

  if (stmt == NULL)
    return FALSE;

  int code = sqlite3_step (stmt);
  gint64 version = code == SQLITE_ROW ? sqlite3_column_int64 (stmt, 0) : 0;

  sqlite3_reset (stmt);
  if (code == SQLITE_DONE)
    return bawn_fail (error, BAWN_ERROR_CORRUPT, "%s is damaged: it has lost its clock",
                      writer->options->path);
  if (code != SQLITE_ROW)
    return bawn_sqlite_fail (writer, code, error);

  stmt = bawn_sqlite_statement (writer, BAWN_SQLITE_SET_CLOCK, error);
  if (stmt == NULL)
    return FALSE;

  sqlite3_bind_int64 (stmt, 1, version + 1);
  *out_version = (guint64) version + 1;
  return bawn_sqlite_run (writer, BAWN_SQLITE_SET_CLOCK, error);
}

static gboolean
write_one (BawnSqlite *writer, const BawnWrite *write, guint64 version, GError **error)
{
  BawnSqliteStatement which = write->kind == BAWN_WRITE_PUT ? BAWN_SQLITE_PUT : BAWN_SQLITE_DELETE;
  sqlite3_stmt *stmt = bawn_sqlite_statement (writer, which, error);

  if (stmt == NULL)
    return FALSE;

  bind_text (stmt, 1, write->key);
  if (write->kind == BAWN_WRITE_PUT)
    {
      gsize size = 0;
      gconstpointer data = g_bytes_get_data (write->value, &size);

      /* A NULL pointer would become NULL, which is not the same as empty. */
      if (size == 0)
        sqlite3_bind_zeroblob (stmt, 2, 0);
      else
        sqlite3_bind_blob64 (stmt, 2, data, size, SQLITE_STATIC);
      sqlite3_bind_int64 (stmt, 3, (gint64) version);
    }
  return bawn_sqlite_run (writer, which, error);
}

/* Before this, nothing is in. An I/O error in it leaves that open: the log may have reached the
 * disk, and the next process to open the file would then find the commit in it. */
static gboolean
seal_off (BawnSqlite *writer, GError **error)
{
  g_autoptr (GError) local = NULL;

  writer->cancellable = NULL;
  if (bawn_sqlite_run (writer, BAWN_SQLITE_COMMIT, &local))
    return TRUE;

  if ((sqlite3_errcode (writer->db) & 0xff) == SQLITE_IOERR)
    return bawn_fail (error, BAWN_ERROR_UNKNOWN_OUTCOME, "%s", local->message);

  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
commit_locked (BawnSqlite *writer,
               const BawnWrite *writes,
               guint n_writes,
               const BawnCondition *conditions,
               guint n_conditions,
               guint64 *out_version,
               GError **error)
{
  guint64 version = 0;

  if (!bawn_sqlite_run (writer, BAWN_SQLITE_BEGIN_WRITE, error))
    return FALSE;
  for (guint i = 0; i < n_conditions; i++)
    if (!check_condition (writer, &conditions[i], error))
      return FALSE;
  if (!tick (writer, &version, error))
    return FALSE;
  for (guint i = 0; i < n_writes; i++)
    if (!write_one (writer, &writes[i], version, error))
      return FALSE;
  if (!seal_off (writer, error))
    return FALSE;

  *out_version = version;
  return TRUE;
}

static gboolean
bawn_backend_sqlite_commit (BawnBackend *backend,
                            const BawnWrite *writes,
                            guint n_writes,
                            const BawnCondition *conditions,
                            guint n_conditions,
                            guint64 *out_version,
                            GCancellable *cancellable,
                            GError **error)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (backend);
  BawnSqlite *writer = NULL;

  if (!wait_for_turn (self, try_writer_locked, &self->writer_free, &writer, cancellable, error))
    return FALSE;

  writer->cancellable = cancellable;

  gboolean ok =
      commit_locked (writer, writes, n_writes, conditions, n_conditions, out_version, error);

  writer->cancellable = NULL;
  if (!ok)
    bawn_sqlite_roll_back (writer);
  give_writer (self);
  return ok;
}

/* A connection of its own: one that waits does so for seconds, and readers must not wait for it. */
static BawnSqlite *
take_watcher (BawnBackendSqlite *self, GCancellable *cancellable, GError **error)
{
  g_mutex_lock (&self->lock);

  BawnSqlite *watcher = g_queue_pop_head (&self->watchers);

  g_mutex_unlock (&self->lock);
  if (watcher == NULL)
    watcher = bawn_sqlite_open (&self->options, error);
  if (watcher != NULL)
    watcher->cancellable = cancellable;
  return watcher;
}

static gboolean
bawn_backend_sqlite_wait (BawnHaBackend *backend,
                          const char *key,
                          guint64 version,
                          gint64 timeout_us,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (backend);
  BawnSqlite *watcher = take_watcher (self, cancellable, error);

  if (watcher == NULL)
    return FALSE;

  gboolean ok = bawn_sqlite_wait (watcher, key, version, timeout_us, error);

  watcher->cancellable = NULL;
  g_mutex_lock (&self->lock);
  g_queue_push_head (&self->watchers, watcher);
  g_mutex_unlock (&self->lock);
  return ok;
}

static void
bawn_backend_sqlite_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  *out_limits = (BawnBackendLimits){ MAX_VALUE, MAX_WRITES, MAX_COMMIT };
}

static void
read_config (BawnBackendSqlite *self)
{
  g_autofree char *path = bawn_config_get_string (self->config, "path", "");

  if (*path == '\0')
    bawn_config_complain (self->config, "path", "must name the file of the storage");
  else
    self->path = g_canonicalize_filename (path, NULL);

  self->options = (BawnSqliteOptions){
    .path = self->path,
    .busy_timeout_us = bawn_config_get_duration_us (self->config, "busy-timeout", BUSY_TIMEOUT_US,
                                                    0, BUSY_TIMEOUT_MAX_US),
    .page_cache = (gsize) bawn_config_get_size (self->config, "page-cache", PAGE_CACHE,
                                                PAGE_CACHE_MIN, PAGE_CACHE_MAX),
    .max_size = (guint64) bawn_config_get_size (self->config, "max-size", 0, 0, MAX_SIZE_MAX),
    .check = bawn_config_get_bool (self->config, "check-at-start", TRUE),
  };
  if (self->options.max_size != 0)
    self->options.max_size = MAX (self->options.max_size, MAX_SIZE_MIN);
  self->max_readers =
      (guint) bawn_config_get_int (self->config, "readers", READERS, 1, READERS_MAX);
}

static gboolean
bawn_backend_sqlite_init_fallible (GInitable *initable, GCancellable *cancellable, GError **error)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (initable);

  g_return_val_if_fail (self->config != NULL, FALSE);

  read_config (self);
  if (self->path == NULL)
    return bawn_fail (error, BAWN_ERROR_INVALID,
                      "[%s] path is missing: it must name the file of the storage",
                      bawn_config_group_get_name (self->config));
  if (!bawn_sqlite_prepare_file (&self->options, error))
    return FALSE;

  self->writer = bawn_sqlite_open (&self->options, error);
  return self->writer != NULL;
}

static void
bawn_backend_sqlite_configure (BawnBackend *backend)
{
  read_config (BAWN_BACKEND_SQLITE (backend));
}

static void
bawn_backend_sqlite_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (object);

  if (id == PROP_CONFIG)
    self->config = g_value_dup_boxed (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_sqlite_finalize (GObject *object)
{
  BawnBackendSqlite *self = BAWN_BACKEND_SQLITE (object);

  g_queue_clear_full (&self->watchers, (GDestroyNotify) bawn_sqlite_close);
  g_queue_clear_full (&self->idle, (GDestroyNotify) bawn_sqlite_close);
  g_clear_pointer (&self->writer, bawn_sqlite_close);
  g_clear_pointer (&self->config, bawn_config_group_unref);
  g_free (self->path);
  g_cond_clear (&self->writer_free);
  g_cond_clear (&self->reader_free);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (bawn_backend_sqlite_parent_class)->finalize (object);
}

static void
bawn_backend_sqlite_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_sqlite_get;
  iface->list = bawn_backend_sqlite_list;
  iface->commit = bawn_backend_sqlite_commit;
  iface->get_limits = bawn_backend_sqlite_get_limits;
  iface->configure = bawn_backend_sqlite_configure;
}

static void
bawn_backend_sqlite_ha_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_sqlite_wait;
}

static void
bawn_backend_sqlite_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_sqlite_init_fallible;
}

static void
bawn_backend_sqlite_class_init (BawnBackendSqliteClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_sqlite_set_property;
  object_class->finalize = bawn_backend_sqlite_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_sqlite_init (BawnBackendSqlite *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->writer_free);
  g_cond_init (&self->reader_free);
}
