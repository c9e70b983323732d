/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "storage/bawn-ha-backend.h"
#include "util/bawn-config.h"

#include <string.h>

/* Nothing bounds it but the memory; these only keep sums from overflowing. */
#define MAX_BYTES (G_MAXSIZE / 2)

#define BAWN_TYPE_BACKEND_MEMORY (bawn_backend_memory_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendMemory, bawn_backend_memory, BAWN, BACKEND_MEMORY, GObject)

typedef struct
{
  GBytes *value;
  guint64 version;
} Entry;

struct _BawnBackendMemory
{
  GObject parent_instance;

  GMutex lock;
  GCond changed;
  GTree *entries; /* by key, bytewise */
  guint64 version;
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_memory_backend_init (BawnBackendInterface *iface);
static void bawn_backend_memory_ha_init (BawnHaBackendInterface *iface);
static void bawn_backend_memory_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (BawnBackendMemory,
                               bawn_backend_memory,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND,
                                                      bawn_backend_memory_backend_init)
                                   G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND,
                                                          bawn_backend_memory_ha_init)
                                   G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE,
                                                          bawn_backend_memory_initable_init))

static gint
compare_keys (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return strcmp (a, b);
}

static void
entry_free (Entry *entry)
{
  g_bytes_unref (entry->value);
  g_free (entry);
}

static gboolean
bawn_backend_memory_get (BawnBackend *backend,
                         const char *key,
                         GBytes **out_value,
                         guint64 *out_version,
                         GCancellable *cancellable,
                         GError **error)
{
  BawnBackendMemory *self = BAWN_BACKEND_MEMORY (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  const Entry *entry = g_tree_lookup (self->entries, key);

  *out_value = entry != NULL ? g_bytes_ref (entry->value) : NULL;
  *out_version = entry != NULL ? entry->version : 0;
  return TRUE;
}

/* Where the names after @after begin: behind a key, or behind everything in a folder, whose keys
 * all sort before the folder's name with its '/' replaced by the next byte. */
static GTreeNode *
seek (BawnBackendMemory *self, const char *prefix, const char *after)
{
  g_autofree char *from = g_strconcat (prefix, after, NULL);
  gsize size = strlen (from);

  if (after == NULL)
    return g_tree_lower_bound (self->entries, from);
  if (from[size - 1] != '/')
    return g_tree_upper_bound (self->entries, from);

  from[size - 1] = '/' + 1;
  return g_tree_lower_bound (self->entries, from);
}

static gboolean
bawn_backend_memory_list (BawnBackend *backend,
                          const char *prefix,
                          const char *after,
                          guint limit,
                          GStrv *out_names,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendMemory *self = BAWN_BACKEND_MEMORY (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  gsize prefix_size = strlen (prefix);
  GTreeNode *node = seek (self, prefix, after);

  while (node != NULL && names->len < limit && g_str_has_prefix (g_tree_node_key (node), prefix))
    {
      const char *rest = (const char *) g_tree_node_key (node) + prefix_size;
      const char *slash = strchr (rest, '/');
      char *name = slash != NULL ? g_strndup (rest, (gsize) (slash - rest) + 1) : g_strdup (rest);

      g_ptr_array_add (names, name);
      node = slash != NULL ? seek (self, prefix, name) : g_tree_node_next (node);
    }

  g_ptr_array_add (names, NULL);
  *out_names = (GStrv) g_ptr_array_free (g_steal_pointer (&names), FALSE);
  return TRUE;
}

static gboolean
holds_locked (BawnBackendMemory *self, const BawnCondition *condition)
{
  const Entry *entry = g_tree_lookup (self->entries, condition->key);

  return condition->version == (entry != NULL ? entry->version : 0);
}

static void
apply_locked (BawnBackendMemory *self, const BawnWrite *write)
{
  if (write->kind == BAWN_WRITE_DELETE)
    {
      g_tree_remove (self->entries, write->key);
      return;
    }

  Entry *entry = g_new0 (Entry, 1);

  entry->value = g_bytes_ref (write->value);
  entry->version = self->version;
  g_tree_insert (self->entries, g_strdup (write->key), entry);
}

static gboolean
bawn_backend_memory_commit (BawnBackend *backend,
                            const BawnWrite *writes,
                            guint n_writes,
                            const BawnCondition *conditions,
                            guint n_conditions,
                            guint64 *out_version,
                            GCancellable *cancellable,
                            GError **error)
{
  BawnBackendMemory *self = BAWN_BACKEND_MEMORY (backend);
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  for (guint i = 0; i < n_conditions; i++)
    if (!holds_locked (self, &conditions[i]))
      return bawn_fail (error, BAWN_ERROR_CONFLICT, "%s has changed in the storage",
                        conditions[i].key);

  self->version++;
  for (guint i = 0; i < n_writes; i++)
    apply_locked (self, &writes[i]);
  g_cond_broadcast (&self->changed);

  *out_version = self->version;
  return TRUE;
}

static void
on_cancelled (GCancellable *cancellable G_GNUC_UNUSED, BawnBackendMemory *self)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  g_cond_broadcast (&self->changed);
}

static void
wait_for_version (BawnBackendMemory *self,
                  const BawnCondition *seen,
                  gint64 deadline,
                  GCancellable *cancellable)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&self->lock);

  while (holds_locked (self, seen) && !g_cancellable_is_cancelled (cancellable)
         && g_cond_wait_until (&self->changed, &self->lock, deadline))
    continue;
}

/* Threads of this process share it when they share the object: enough for tests. */
static gboolean
bawn_backend_memory_wait (BawnHaBackend *backend,
                          const char *key,
                          guint64 version,
                          gint64 timeout_us,
                          GCancellable *cancellable,
                          GError **error)
{
  BawnBackendMemory *self = BAWN_BACKEND_MEMORY (backend);
  const BawnCondition seen = { key, version };
  gint64 deadline = g_get_monotonic_time () + timeout_us;
  gulong handler = 0;

  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
  wait_for_version (self, &seen, deadline, cancellable);
  g_cancellable_disconnect (cancellable, handler);

  if (g_cancellable_is_cancelled (cancellable))
    return bawn_fail (error, BAWN_ERROR_TIMEOUT, "the wait was given up");

  return TRUE;
}

static void
bawn_backend_memory_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  *out_limits = (BawnBackendLimits){ MAX_BYTES, G_MAXUINT / 2, MAX_BYTES };
}

static gboolean
bawn_backend_memory_init_fallible (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
bawn_backend_memory_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  /* The configuration has nothing to say to it. */
  if (id != PROP_CONFIG)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_memory_finalize (GObject *object)
{
  BawnBackendMemory *self = BAWN_BACKEND_MEMORY (object);

  g_tree_unref (self->entries);
  g_cond_clear (&self->changed);
  g_mutex_clear (&self->lock);

  G_OBJECT_CLASS (bawn_backend_memory_parent_class)->finalize (object);
}

static void
bawn_backend_memory_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_memory_get;
  iface->list = bawn_backend_memory_list;
  iface->commit = bawn_backend_memory_commit;
  iface->get_limits = bawn_backend_memory_get_limits;
}

static void
bawn_backend_memory_ha_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_memory_wait;
}

static void
bawn_backend_memory_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_memory_init_fallible;
}

static void
bawn_backend_memory_class_init (BawnBackendMemoryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_memory_set_property;
  object_class->finalize = bawn_backend_memory_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_memory_init (BawnBackendMemory *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->entries = g_tree_new_full (compare_keys, NULL, g_free, (GDestroyNotify) entry_free);
}
