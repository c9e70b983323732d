/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* Keys in ZooKeeper. Everything is below the node that `path` names:
 *
 *   PATH/clock        rewritten by every commit; holds a mark that says whose tree this is
 *   PATH/tree         the folder "", then for the key "a/b/c":
 *   PATH/tree/a/b     the folder "a/b/": a node without data, which exists as long as it has
 * children PATH/tree/a/b/_c  the key: its value is the node's data, its version the zxid of the
 * node's last change (mzxid)
 *
 * bawn-zk-path.h tells how names are written. A commit is one multi:
 *
 *   setData (clock, on condition of its version v)
 *   create, setData, delete of keys; create of the folders they need; delete of those left empty
 *
 * made from a survey that reads, on one connection and in this order, the clock's version (unless
 * it is known from our own last commit) and then the status of each key that is written or stands
 * in a condition, and of the folders above the written ones.
 *
 * Why this is right. Nothing but commits changes the tree, and each of them moves the clock from
 * the version it read to the next one; so they are totally ordered, and the state of the whole tree
 * is a function of the clock's version. A connection never goes back in time (a server that is
 * behind the last zxid seen refuses it), so all that a survey reads is of version v or later. If
 * the multi gets in, the clock still was v, so all of it was of exactly v: the conditions, compared
 * with what was read, hold in the very state that the multi is applied to, existing keys are set
 * and absent ones created, and the folders that are removed are empty. If somebody was quicker, the
 * multi is refused by its first part, nothing is written, and all is read again. In particular a
 * key that was deleted and made again meanwhile cannot be taken for the one before, which a check
 * of its own version, beginning at 0 again, would allow. The clock is never deleted, and its
 * version, which is an int32, passes over -1, which means "any".
 *
 * Versions: all nodes written by a multi have its zxid as their mzxid, zxids only grow, and the
 * clock's mzxid in the reply says which it was, also if all that the commit did was to delete what
 * was absent.
 *
 * Conflicts are only reported of what was read behind a barrier: a multi that checks nothing but
 * the clock's existence. It takes a majority, so what is read behind it on the same connection is
 * as new as all that was acknowledged before. The same makes get() and list() linearizable; `sync`
 * does not, since a deposed leader answers it. Calls that wait at the same time share a barrier.
 *
 * A multi whose answer is lost may be in, or may still get in if the clock has not moved. That is
 * the UNKNOWN_OUTCOME that the store resolves by the fence; nothing is repeated here.
 *
 * Nothing relies on sessions, ephemeral nodes or their timeouts. */

#include "backend/bawn-backend-files.h"
#include "backend/bawn-zk-options.h"
#include "backend/bawn-zk-tree.h"
#include "storage/bawn-ha-backend.h"

/* Of a request, what keys and values may take; the rest is for paths, ACLs and folders. What a
 * commit of unusually deep or strange keys needs beyond it is refused before it is sent, too. */
#define COMMIT_NUM 3
#define COMMIT_DEN 4
/* A value leaves room for its key and for the fence. */
#define BESIDE_VALUE 2048
#define MAX_WRITES 1024

#define BAWN_TYPE_BACKEND_ZOOKEEPER (bawn_backend_zookeeper_get_type ())
G_DECLARE_FINAL_TYPE (
    BawnBackendZookeeper, bawn_backend_zookeeper, BAWN, BACKEND_ZOOKEEPER, GObject)

struct _BawnBackendZookeeper
{
  GObject parent_instance;

  BawnConfigGroup *config;
  BawnZkOptions *options;
  BawnZkTree *tree;
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_zookeeper_backend_init (BawnBackendInterface *iface);
static void bawn_backend_zookeeper_ha_backend_init (BawnHaBackendInterface *iface);
static void bawn_backend_zookeeper_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    BawnBackendZookeeper,
    bawn_backend_zookeeper,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND, bawn_backend_zookeeper_backend_init)
        G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND, bawn_backend_zookeeper_ha_backend_init)
            G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, bawn_backend_zookeeper_initable_init))

static gboolean
bawn_backend_zookeeper_get (BawnBackend *backend,
                            const char *key,
                            GBytes **out_value,
                            guint64 *out_version,
                            GCancellable *cancellable,
                            GError **error)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (backend);

  return bawn_zk_tree_get (self->tree, key, out_value, out_version, cancellable, error);
}

static gboolean
bawn_backend_zookeeper_list (BawnBackend *backend,
                             const char *prefix,
                             const char *after,
                             guint limit,
                             GStrv *out_names,
                             GCancellable *cancellable,
                             GError **error)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (backend);

  return bawn_zk_tree_list (self->tree, prefix, after, limit, out_names, cancellable, error);
}

static gboolean
bawn_backend_zookeeper_commit (BawnBackend *backend,
                               const BawnWrite *writes,
                               guint n_writes,
                               const BawnCondition *conditions,
                               guint n_conditions,
                               guint64 *out_version,
                               GCancellable *cancellable,
                               GError **error)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (backend);

  return bawn_zk_tree_commit (self->tree, writes, n_writes, conditions, n_conditions, out_version,
                              cancellable, error);
}

static void
bawn_backend_zookeeper_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (backend);
  gsize commit = self->options->max_request / COMMIT_DEN * COMMIT_NUM;

  *out_limits = (BawnBackendLimits){ commit - BESIDE_VALUE, MAX_WRITES, commit };
}

static gboolean
bawn_backend_zookeeper_wait (BawnHaBackend *backend,
                             const char *key,
                             guint64 version,
                             gint64 timeout_us,
                             GCancellable *cancellable,
                             GError **error)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (backend);

  return bawn_zk_tree_wait (self->tree, key, version, timeout_us, cancellable, error);
}

static gboolean
bawn_backend_zookeeper_is_enabled (BawnHaBackend *backend)
{
  return BAWN_BACKEND_ZOOKEEPER (backend)->options->ha_enabled;
}

static gboolean
bawn_backend_zookeeper_init_fallible (GInitable *initable,
                                      GCancellable *cancellable,
                                      GError **error)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (initable);

  g_return_val_if_fail (self->config != NULL, FALSE);

  self->options = bawn_zk_options_read (self->config);
  if (self->options->addresses->len == 0)
    return bawn_fail (error, BAWN_ERROR_INVALID, "[%s] address names no server",
                      bawn_config_group_get_name (self->config));
  if (!bawn_zk_options_load (self->options, error))
    return FALSE;

  self->tree = bawn_zk_tree_open (self->options, cancellable, error);
  return self->tree != NULL;
}

static void
bawn_backend_zookeeper_configure (BawnBackend *backend)
{
  BawnConfigGroup *config = BAWN_BACKEND_ZOOKEEPER (backend)->config;
  g_autoptr (BawnZkOptions) options = bawn_zk_options_read (config);
  g_autoptr (GError) error = NULL;

  if (!bawn_zk_options_load (options, &error))
    bawn_backend_complain_of_file (config, error);
}

static void
bawn_backend_zookeeper_set_property (GObject *object,
                                     guint id,
                                     const GValue *value,
                                     GParamSpec *pspec)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (object);

  if (id == PROP_CONFIG)
    self->config = g_value_dup_boxed (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_zookeeper_finalize (GObject *object)
{
  BawnBackendZookeeper *self = BAWN_BACKEND_ZOOKEEPER (object);

  g_clear_pointer (&self->tree, bawn_zk_tree_free);
  g_clear_pointer (&self->options, bawn_zk_options_free);
  g_clear_pointer (&self->config, bawn_config_group_unref);

  G_OBJECT_CLASS (bawn_backend_zookeeper_parent_class)->finalize (object);
}

static void
bawn_backend_zookeeper_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_zookeeper_get;
  iface->list = bawn_backend_zookeeper_list;
  iface->commit = bawn_backend_zookeeper_commit;
  iface->get_limits = bawn_backend_zookeeper_get_limits;
  iface->configure = bawn_backend_zookeeper_configure;
}

static void
bawn_backend_zookeeper_ha_backend_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_zookeeper_wait;
  iface->is_enabled = bawn_backend_zookeeper_is_enabled;
}

static void
bawn_backend_zookeeper_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_zookeeper_init_fallible;
}

static void
bawn_backend_zookeeper_class_init (BawnBackendZookeeperClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_zookeeper_set_property;
  object_class->finalize = bawn_backend_zookeeper_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_zookeeper_init (BawnBackendZookeeper *self)
{
}
