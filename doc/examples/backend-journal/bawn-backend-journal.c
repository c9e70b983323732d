/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A storage for bawn that is built outside of its tree: type=journal, a folder with a journal that
 * the processes of one machine share, and can elect through. This file is what every backend has;
 * what is its own is in bawn-journal.c. */
#include "bawn-journal.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* All of it is kept in memory and one commit is one record, so these are about memory. */
#define MAX_VALUE (16 * 1024 * 1024)
#define MAX_WRITES 65536
#define MAX_COMMIT (64 * 1024 * 1024)

/* A commit holds the lock for as long as the disk takes; ten seconds mean that its process is
 * stuck. */
#define LOCK_TIMEOUT_US (10 * G_TIME_SPAN_SECOND)
#define LOCK_TIMEOUT_MAX_US (10 * G_TIME_SPAN_MINUTE)
#define COMPACT_SIZE (16 * 1024 * 1024)
#define COMPACT_SIZE_MIN (64 * 1024)
#define COMPACT_SIZE_MAX (G_GINT64_CONSTANT (1) << 40)

/* Where the kernel does not tell of changes: how often wait() looks for itself. */
#define LOOK_EVERY_US (20 * G_TIME_SPAN_MILLISECOND)

#define BAWN_TYPE_BACKEND_JOURNAL (bawn_backend_journal_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendJournal, bawn_backend_journal, BAWN, BACKEND_JOURNAL, GObject)

struct _BawnBackendJournal
{
  GObject parent_instance;

  BawnConfigGroup *config;
  char *path;
  gint64 lock_timeout_us;
  goffset compact_size;
  gboolean ha_enabled;

  GMutex mutex; /* of the journal */
  BawnJournal *journal;
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_journal_backend_init (BawnBackendInterface *iface);
static void bawn_backend_journal_ha_init (BawnHaBackendInterface *iface);
static void bawn_backend_journal_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    BawnBackendJournal,
    bawn_backend_journal,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND, bawn_backend_journal_backend_init)
        G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND, bawn_backend_journal_ha_init)
            G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, bawn_backend_journal_initable_init))

BAWN_BACKEND_DEFINE_MODULE ("journal", PACKAGE_VERSION, bawn_backend_journal)

/* --- the three calls --- */

static gboolean
bawn_backend_journal_get (BawnBackend *backend,
                          const char *key,
                          GBytes **out_value,
                          guint64 *out_version,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);

  if (!bawn_journal_catch_up (self->journal, cancellable, error))
    return FALSE;

  const BawnJournalEntry *entry = bawn_journal_lookup (self->journal, key);

  *out_value = entry != NULL ? g_bytes_ref (entry->value) : NULL;
  *out_version = entry != NULL ? entry->version : 0;
  return TRUE;
}

/* Where the names after @after begin: behind a key, or behind everything in a folder, whose keys
 * all sort before the folder's name with its '/' replaced by the next byte. */
static GTreeNode *
seek (GTree *entries, const char *prefix, const char *after)
{
  g_autofree char *from = g_strconcat (prefix, after, NULL);
  gsize size = strlen (from);

  if (after == NULL)
    return g_tree_lower_bound (entries, from);
  if (from[size - 1] != '/')
    return g_tree_upper_bound (entries, from);

  from[size - 1] = '/' + 1;
  return g_tree_lower_bound (entries, from);
}

static gboolean
bawn_backend_journal_list (BawnBackend *backend,
                           const char *prefix,
                           const char *after,
                           guint limit,
                           GStrv *out_names,
                           GCancellable *cancellable,
                           GError **error)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  if (!bawn_journal_catch_up (self->journal, cancellable, error))
    return FALSE;

  GTree *entries = bawn_journal_peek_entries (self->journal);
  GTreeNode *node = seek (entries, prefix, after);

  for (guint i = 0; i < limit && node != NULL && g_str_has_prefix (g_tree_node_key (node), prefix);
       i++)
    {
      const char *rest = (const char *) g_tree_node_key (node) + strlen (prefix);
      const char *slash = strchr (rest, '/');
      g_autofree char *name =
          slash != NULL ? g_strndup (rest, (gsize) (slash - rest) + 1) : g_strdup (rest);

      g_strv_builder_add (names, name);
      node = slash != NULL ? seek (entries, prefix, name) : g_tree_node_next (node);
    }

  *out_names = g_strv_builder_end (names);
  return TRUE;
}

static gboolean
bawn_backend_journal_commit (BawnBackend *backend,
                             const BawnWrite *writes,
                             guint n_writes,
                             const BawnCondition *conditions,
                             guint n_conditions,
                             guint64 *out_version,
                             GCancellable *cancellable,
                             GError **error)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->mutex);

  return bawn_journal_commit (self->journal, writes, n_writes, conditions, n_conditions,
                              out_version, cancellable, error);
}

static void
bawn_backend_journal_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  *out_limits = (BawnBackendLimits){ MAX_VALUE, MAX_WRITES, MAX_COMMIT };
}

/* --- high availability --- */

static gboolean
get_version (BawnBackendJournal *self,
             const char *key,
             guint64 *out_version,
             GCancellable *cancellable,
             GError **error)
{
  g_autoptr (GBytes) value = NULL;

  return bawn_backend_journal_get (BAWN_BACKEND (self), key, &value, out_version, cancellable,
                                   error);
}

/* Sleeps until @watch has something to tell, the cancellable is cancelled, or @us have passed. */
static void
doze (int watch, gint64 us, GCancellable *cancellable)
{
  GPollFD fds[2] = { { .fd = watch, .events = G_IO_IN } };
  gboolean has_fd = g_cancellable_make_pollfd (cancellable, &fds[1]);
  char events[4096];

  /* A descriptor below 0 is passed over. */
  if (watch < 0)
    us = MIN (us, LOOK_EVERY_US);
  g_poll (fds, has_fd ? 2 : 1, (gint) MIN ((us + 999) / 1000, G_MAXINT));
  while (watch >= 0 && read (watch, events, sizeof events) > 0)
    continue;
  if (has_fd)
    g_cancellable_release_fd (cancellable);
}

static gboolean
wait_watching (BawnBackendJournal *self,
               int watch,
               const char *key,
               guint64 version,
               gint64 deadline,
               GCancellable *cancellable,
               GError **error)
{
  gint64 left = 0;

  do
    {
      guint64 now = 0;

      if (!get_version (self, key, &now, cancellable, error))
        return FALSE;
      if (now != version)
        return TRUE;

      left = deadline - g_get_monotonic_time ();
      if (left > 0)
        doze (watch, left, cancellable);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
    }
  while (left > 0);

  return TRUE;
}

/* Watches before it looks, so that no change falls between the two. */
static gboolean
bawn_backend_journal_wait (BawnHaBackend *backend,
                           const char *key,
                           guint64 version,
                           gint64 timeout_us,
                           GCancellable *cancellable,
                           GError **error)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (backend);
  gint64 deadline = g_get_monotonic_time () + timeout_us;
  int watch = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);

  if (watch >= 0 && inotify_add_watch (watch, self->path, IN_MODIFY | IN_MOVED_TO) < 0)
    {
      close (watch);
      watch = -1;
    }

  gboolean ok = wait_watching (self, watch, key, version, deadline, cancellable, error);

  if (watch >= 0)
    close (watch);
  return ok;
}

static gboolean
bawn_backend_journal_is_enabled (BawnHaBackend *backend)
{
  return BAWN_BACKEND_JOURNAL (backend)->ha_enabled;
}

/* --- the object --- */

/* Notes what is wrong and goes on: the operator gets all mistakes at once. */
static void
bawn_backend_journal_configure (BawnBackend *backend)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (backend);

  self->path = bawn_config_get_string (self->config, "path", "");
  if (*self->path != '/')
    bawn_config_complain (self->config, "path", "must be the full path of a folder");
  self->lock_timeout_us = bawn_config_get_duration_us (self->config, "lock-timeout",
                                                       LOCK_TIMEOUT_US, 0, LOCK_TIMEOUT_MAX_US);
  self->compact_size = bawn_config_get_size (self->config, "compact-size", COMPACT_SIZE,
                                             COMPACT_SIZE_MIN, COMPACT_SIZE_MAX);
  self->ha_enabled = bawn_config_get_bool (self->config, "ha-enabled", TRUE);
}

static gboolean
bawn_backend_journal_initable (GInitable *initable, GCancellable *cancellable, GError **error)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (initable);

  bawn_backend_journal_configure (BAWN_BACKEND (self));
  if (*self->path != '/')
    return bawn_fail (error, BAWN_ERROR_INVALID, "[%s] path must be the full path of a folder",
                      bawn_config_group_get_name (self->config));

  self->journal = bawn_journal_open (self->path, self->lock_timeout_us, self->compact_size, error);
  return self->journal != NULL;
}

static void
bawn_backend_journal_set_property (GObject *object,
                                   guint id,
                                   const GValue *value,
                                   GParamSpec *pspec)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (object);

  if (id == PROP_CONFIG)
    self->config = g_value_dup_boxed (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_journal_finalize (GObject *object)
{
  BawnBackendJournal *self = BAWN_BACKEND_JOURNAL (object);

  g_clear_pointer (&self->journal, bawn_journal_close);
  g_clear_pointer (&self->config, bawn_config_group_unref);
  g_free (self->path);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (bawn_backend_journal_parent_class)->finalize (object);
}

static void
bawn_backend_journal_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_journal_get;
  iface->list = bawn_backend_journal_list;
  iface->commit = bawn_backend_journal_commit;
  iface->get_limits = bawn_backend_journal_get_limits;
  iface->configure = bawn_backend_journal_configure;
}

static void
bawn_backend_journal_ha_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_journal_wait;
  iface->is_enabled = bawn_backend_journal_is_enabled;
}

static void
bawn_backend_journal_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_journal_initable;
}

static void
bawn_backend_journal_class_init (BawnBackendJournalClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_journal_set_property;
  object_class->finalize = bawn_backend_journal_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_journal_init (BawnBackendJournal *self)
{
  g_mutex_init (&self->mutex);
}
