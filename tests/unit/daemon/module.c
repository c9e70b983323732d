/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

/* The modules that test-modules loads: those that are as they should be, and, by FAULT_…, those
 * that are not. */

#include "storage/bawn-backend-module.h"
#include "util/bawn-bytes.h"
#include "util/bawn-config.h"

enum
{
  PROP_CONFIG = 1,
};

static gboolean
test_storage_get (BawnBackend *self,
                  const char *key,
                  GBytes **out_value,
                  guint64 *out_version,
                  GCancellable *cancellable,
                  GError **error)
{
  *out_value = bawn_bytes_new_string (key);
  *out_version = 1;
  return TRUE;
}

static void
test_storage_backend_init (gpointer iface, gpointer data)
{
  ((BawnBackendInterface *) iface)->get = test_storage_get;
}

static gboolean
test_storage_initable (GInitable *initable, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
test_storage_initable_init (gpointer iface, gpointer data)
{
  ((GInitableIface *) iface)->init = test_storage_initable;
}

static void
test_storage_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
}

static void
test_storage_class_init (gpointer klass, gpointer data)
{
  G_OBJECT_CLASS (klass)->set_property = test_storage_set_property;
#ifndef FAULT_PROPERTY
  g_object_class_install_property (
      klass, PROP_CONFIG,
      g_param_spec_boxed ("config", NULL, NULL, BAWN_TYPE_CONFIG_GROUP,
                          G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS));
#endif
}

GType test_storage_get_type (void);

/* By hand, since each module needs a name of its own for its class. */
GType
test_storage_get_type (void)
{
  static const GInterfaceInfo backend = { test_storage_backend_init, NULL, NULL };
  static const GInterfaceInfo initable = { test_storage_initable_init, NULL, NULL };
  static GType type = G_TYPE_INVALID;

  if (type != G_TYPE_INVALID)
    return type;

  type = g_type_register_static_simple (G_TYPE_OBJECT, "TestStorage-" MODULE_NAME,
                                        sizeof (GObjectClass), test_storage_class_init,
                                        sizeof (GObject), NULL, 0);
  g_type_add_interface_static (type, G_TYPE_INITABLE, &initable);
#ifndef FAULT_CLASS
  g_type_add_interface_static (type, BAWN_TYPE_BACKEND, &backend);
#else
  (void) backend;
#endif
  return type;
}

#ifdef FAULT_FUNCTION
/* What a newer bawn might have. */
void bawn_backend_of_tomorrow (void);
void test_storage_call (void);

void
test_storage_call (void)
{
  bawn_backend_of_tomorrow ();
}
#endif

#ifdef FAULT_ABI
#undef BAWN_BACKEND_ABI
#define BAWN_BACKEND_ABI 77U
#endif
#ifdef FAULT_REVISION
#undef BAWN_BACKEND_REVISION
#define BAWN_BACKEND_REVISION 77U
#endif
#ifdef FAULT_NAME
BAWN_BACKEND_DEFINE_MODULE ("another", "1.2.3", test_storage)
#elif !defined FAULT_SYMBOL
BAWN_BACKEND_DEFINE_MODULE (MODULE_NAME, "1.2.3", test_storage)
#endif
