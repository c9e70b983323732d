/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "backend/bawn-backend-files.h"
#include "backend/bawn-etcd.h"
#include "storage/bawn-ha-backend.h"

#define BAWN_TYPE_BACKEND_ETCD (bawn_backend_etcd_get_type ())
G_DECLARE_FINAL_TYPE (BawnBackendEtcd, bawn_backend_etcd, BAWN, BACKEND_ETCD, GObject)

struct _BawnBackendEtcd
{
  GObject parent_instance;

  BawnConfigGroup *config;
  BawnEtcd *etcd;
};

enum
{
  PROP_CONFIG = 1,
};

static void bawn_backend_etcd_backend_init (BawnBackendInterface *iface);
static void bawn_backend_etcd_ha_init (BawnHaBackendInterface *iface);
static void bawn_backend_etcd_initable_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (
    BawnBackendEtcd,
    bawn_backend_etcd,
    G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE (BAWN_TYPE_BACKEND, bawn_backend_etcd_backend_init)
        G_IMPLEMENT_INTERFACE (BAWN_TYPE_HA_BACKEND, bawn_backend_etcd_ha_init)
            G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, bawn_backend_etcd_initable_init))

static gboolean
bawn_backend_etcd_get (BawnBackend *backend,
                       const char *key,
                       GBytes **out_value,
                       guint64 *out_version,
                       GCancellable *cancellable,
                       GError **error)
{
  return bawn_etcd_get (BAWN_BACKEND_ETCD (backend)->etcd, key, out_value, out_version, cancellable,
                        error);
}

static gboolean
bawn_backend_etcd_list (BawnBackend *backend,
                        const char *prefix,
                        const char *after,
                        guint limit,
                        GStrv *out_names,
                        GCancellable *cancellable,
                        GError **error)
{
  return bawn_etcd_list (BAWN_BACKEND_ETCD (backend)->etcd, prefix, after, limit, out_names,
                         cancellable, error);
}

static gboolean
bawn_backend_etcd_commit (BawnBackend *backend,
                          const BawnWrite *writes,
                          guint n_writes,
                          const BawnCondition *conditions,
                          guint n_conditions,
                          guint64 *out_version,
                          GCancellable *cancellable,
                          GError **error)
{
  return bawn_etcd_commit (BAWN_BACKEND_ETCD (backend)->etcd, writes, n_writes, conditions,
                           n_conditions, out_version, cancellable, error);
}

static void
bawn_backend_etcd_get_limits (BawnBackend *backend, BawnBackendLimits *out_limits)
{
  bawn_etcd_get_limits (BAWN_BACKEND_ETCD (backend)->etcd, out_limits);
}

static gboolean
bawn_backend_etcd_wait (BawnHaBackend *backend,
                        const char *key,
                        guint64 version,
                        gint64 timeout_us,
                        GCancellable *cancellable,
                        GError **error)
{
  return bawn_etcd_wait (BAWN_BACKEND_ETCD (backend)->etcd, key, version, timeout_us, cancellable,
                         error);
}

static gboolean
bawn_backend_etcd_is_enabled (BawnHaBackend *backend)
{
  return bawn_etcd_is_ha_enabled (BAWN_BACKEND_ETCD (backend)->etcd);
}

/* Names a key that need not be there. */
#define PROBE "core/probe"

/* A server that cannot be reached is no fault of ours: a node that comes up before its storage does
 * waits for it as it would later. */
static gboolean
bawn_backend_etcd_init_fallible (GInitable *initable, GCancellable *cancellable, GError **error)
{
  BawnBackendEtcd *self = BAWN_BACKEND_ETCD (initable);

  g_return_val_if_fail (self->config != NULL, FALSE);

  self->etcd = bawn_etcd_new (self->config);
  return bawn_etcd_open (self->etcd, error)
         && bawn_etcd_check_access (self->etcd, PROBE, cancellable, error);
}

static void
bawn_backend_etcd_configure (BawnBackend *backend)
{
  BawnConfigGroup *config = BAWN_BACKEND_ETCD (backend)->config;
  g_autoptr (BawnEtcd) etcd = bawn_etcd_new (config);
  g_autoptr (GError) error = NULL;

  if (!bawn_etcd_open (etcd, &error))
    bawn_backend_complain_of_file (config, error);
}

static void
bawn_backend_etcd_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  BawnBackendEtcd *self = BAWN_BACKEND_ETCD (object);

  if (id == PROP_CONFIG)
    self->config = g_value_dup_boxed (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
bawn_backend_etcd_finalize (GObject *object)
{
  BawnBackendEtcd *self = BAWN_BACKEND_ETCD (object);

  g_clear_pointer (&self->etcd, bawn_etcd_free);
  g_clear_pointer (&self->config, bawn_config_group_unref);

  G_OBJECT_CLASS (bawn_backend_etcd_parent_class)->finalize (object);
}

static void
bawn_backend_etcd_backend_init (BawnBackendInterface *iface)
{
  iface->get = bawn_backend_etcd_get;
  iface->list = bawn_backend_etcd_list;
  iface->commit = bawn_backend_etcd_commit;
  iface->get_limits = bawn_backend_etcd_get_limits;
  iface->configure = bawn_backend_etcd_configure;
}

static void
bawn_backend_etcd_ha_init (BawnHaBackendInterface *iface)
{
  iface->wait = bawn_backend_etcd_wait;
  iface->is_enabled = bawn_backend_etcd_is_enabled;
}

static void
bawn_backend_etcd_initable_init (GInitableIface *iface)
{
  iface->init = bawn_backend_etcd_init_fallible;
}

static void
bawn_backend_etcd_class_init (BawnBackendEtcdClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = bawn_backend_etcd_set_property;
  object_class->finalize = bawn_backend_etcd_finalize;
  g_object_class_install_property (
      object_class, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
}

static void
bawn_backend_etcd_init (BawnBackendEtcd *self G_GNUC_UNUSED)
{
}
