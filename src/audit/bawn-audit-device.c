/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "audit/bawn-audit-private.h"

/* More types of devices than anybody has. */
#define TYPES_MAX 16

typedef struct
{
  const char *type;
  GType (*get_type) (void);
} DeviceType;

/* Filled at start-up by the daemon's table of built-ins, read-only from then on. */
static DeviceType device_types[TYPES_MAX];
static guint n_device_types = 0;

G_DEFINE_ABSTRACT_TYPE (BawnAuditDevice, bawn_audit_device, G_TYPE_OBJECT)

static gboolean
device_reopen (BawnAuditDevice *device, GError **error)
{
  return TRUE;
}

static void
bawn_audit_device_class_init (BawnAuditDeviceClass *klass)
{
  klass->reopen = device_reopen;
}

static void
bawn_audit_device_init (BawnAuditDevice *self)
{
}

/**
 * bawn_audit_register:
 * @type: the name that operators use; static
 * @get_type: the class
 *
 * Makes a type of device known. Before threads run.
 */
void
bawn_audit_register (const char *type, GType (*get_type) (void))
{
  g_return_if_fail (n_device_types < TYPES_MAX);

  device_types[n_device_types++] = (DeviceType){ type, get_type };
}

/**
 * bawn_audit_device_new:
 * @type: a name
 *
 * Returns: (transfer full) (nullable): a device that is not open yet; %NULL if there is no such
 * type
 */
BawnAuditDevice *
bawn_audit_device_new (const char *type)
{
  for (guint i = 0; i < n_device_types; i++)
    {
      if (g_str_equal (device_types[i].type, type))
        return g_object_new (device_types[i].get_type (), NULL);
    }

  return NULL;
}

/**
 * bawn_audit_device_open:
 * @device: a new device
 * @options: string to string
 * @error: INVALID, with the reason for the operator
 *
 * Returns: whether records can be written
 */
gboolean
bawn_audit_device_open (BawnAuditDevice *device, GHashTable *options, GError **error)
{
  return BAWN_AUDIT_DEVICE_GET_CLASS (device)->open (device, options, error);
}

/**
 * bawn_audit_device_write:
 * @device: an open device
 * @line: (array length=size): one record, with the newline
 * @size: its length
 * @error: why it could not be written
 *
 * Any thread.
 *
 * Returns: whether all of it is written; if not, nothing is
 */
gboolean
bawn_audit_device_write (BawnAuditDevice *device, const char *line, gsize size, GError **error)
{
  return BAWN_AUDIT_DEVICE_GET_CLASS (device)->write (device, line, size, error);
}

/**
 * bawn_audit_device_reopen:
 * @device: an open device
 * @error: why it could not; the device then goes on with what it has
 *
 * Returns: whether it is fresh
 */
gboolean
bawn_audit_device_reopen (BawnAuditDevice *device, GError **error)
{
  return BAWN_AUDIT_DEVICE_GET_CLASS (device)->reopen (device, error);
}
